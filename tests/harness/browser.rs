//! A page in a browser, for web interfaces of other makes.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Program, node_client, root};

/// How long a page may take for what a person sees at once: a browser shares two processors with three other tests.
const PAGE_DEADLINE: Duration = Duration::from_secs(90);

/// The folder of the files of Home Assistant's dashboard, which the set-up has put there.
pub(crate) fn dashboard_files() -> PathBuf {
    let folder = root().join("tests/clients/home_assistant_dashboard/.venv/wheels/hass_frontend");
    assert!(
        folder.join("frontend_latest").exists(),
        "{} is not there: run `cargo xtask setup`",
        folder.display()
    );
    folder
}

/// The folder of the files of Platypush's pages, which are a part of its Python package.
pub(crate) fn platypush_pages() -> PathBuf {
    let packages = root().join("tests/clients/platypush/.venv/lib");
    let pythons = fs::read_dir(&packages).into_iter().flatten().flatten();
    let mut folders = pythons.map(|python| {
        let packages = python.path().join("site-packages");
        packages.join("platypush/backend/http/webapp/dist")
    });
    let found = folders.find(|folder| folder.join("index.html").exists());
    found.unwrap_or_else(|| {
        panic!(
            "{} has no pages of Platypush: run `cargo xtask setup`",
            packages.display()
        )
    })
}

/// A browser with one page.
#[derive(Debug)]
pub(crate) struct Browser(Program);

impl Browser {
    pub(crate) fn start() -> Self {
        let command = node_client("home_assistant_dashboard", "browser.mjs");
        Self(Program::start("the browser", command))
    }

    /// Opens a page, and gives its title.
    pub(crate) async fn open(&mut self, url: &str) -> Value {
        self.ask(json!({"cmd": "open", "url": url})).await
    }

    pub(crate) async fn fill(&mut self, selector: &str, text: &str) {
        self.ask(json!({"cmd": "fill", "selector": selector, "text": text}))
            .await;
    }

    pub(crate) async fn click(&mut self, selector: &str) {
        self.ask(json!({"cmd": "click", "selector": selector}))
            .await;
    }

    /// Waits until what this selects can be seen.
    pub(crate) async fn see(&mut self, selector: &str) {
        self.ask(json!({"cmd": "see", "selector": selector})).await;
    }

    /// The text of what this selects, or of the field that it is.
    pub(crate) async fn text(&mut self, selector: &str) -> String {
        let text = self.ask(json!({"cmd": "text", "selector": selector})).await;
        text.as_str().expect("a text").to_owned()
    }

    /// The exceptions that nobody in the page has caught, and the files that it was refused.
    pub(crate) fn faults(&self) -> Vec<&Value> {
        let events = self.0.events().iter();
        let faults = events.filter(|event| event["event"] == "failed" || event["event"] == "http");
        faults.collect()
    }

    async fn ask(&mut self, command: Value) -> Value {
        let shown = command.to_string();
        let mark = self.0.tell(command).await;
        let outcome = self.0.outcome_of(mark, PAGE_DEADLINE).await;
        outcome.unwrap_or_else(|error| panic!("{shown}: {error}; {:#?}", self.faults()))
    }
}
