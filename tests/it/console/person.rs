//! Somebody at the console, in a real browser.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Gateway, Key, Program, node_client};

/// How long a page may take for what a person sees at once: a browser shares two processors with three other tests.
const PAGE_DEADLINE: Duration = Duration::from_secs(90);

/// Somebody who looks at the console.
#[derive(Debug)]
pub(super) struct Person {
    browser: Program,
    url: String,
}

impl Person {
    /// Somebody who has the console's address and is not signed in.
    pub(super) fn at(gateway: &Gateway) -> Self {
        let command = node_client("console", "browser.mjs");
        Self {
            browser: Program::start("the browser", command),
            url: format!("{}/console/", gateway.url()),
        }
    }

    /// Somebody who has shown this key and sees the building.
    pub(super) async fn with_key(gateway: &Gateway, key: &str) -> Self {
        let mut person = Self::at(gateway);
        person.go("").await;
        person.fill("input[name=key]", key).await;
        person.click("button:has-text('Use the key')").await;
        person.see(".roomline").await;
        person
    }

    /// The same with an administrator's key.
    pub(super) async fn administrator(gateway: &Gateway) -> Self {
        Self::with_key(gateway, Key::ADMIN.0).await
    }

    /// Goes to a page of the console, and gives the headers of what was fetched for it.
    pub(super) async fn go(&mut self, place: &str) -> Value {
        let url = format!("{}{place}", self.url);
        self.open(&url).await
    }

    pub(super) async fn open(&mut self, url: &str) -> Value {
        self.ask(json!({"cmd": "open", "url": url})).await
    }

    pub(super) async fn fill(&mut self, selector: &str, text: &str) {
        self.ask(json!({"cmd": "fill", "selector": selector, "text": text}))
            .await;
    }

    pub(super) async fn choose(&mut self, selector: &str, text: &str) {
        self.ask(json!({"cmd": "choose", "selector": selector, "text": text}))
            .await;
    }

    pub(super) async fn click(&mut self, selector: &str) {
        self.ask(json!({"cmd": "click", "selector": selector}))
            .await;
    }

    pub(super) async fn press(&mut self, key: &str) {
        self.ask(json!({"cmd": "press", "key": key})).await;
    }

    /// Waits until what this selects can be seen.
    pub(super) async fn see(&mut self, selector: &str) {
        self.ask(json!({"cmd": "see", "selector": selector})).await;
    }

    /// Waits until nothing that this selects can be seen.
    pub(super) async fn see_no(&mut self, selector: &str) {
        self.ask(json!({"cmd": "gone", "selector": selector})).await;
    }

    pub(super) async fn text(&mut self, selector: &str) -> String {
        let text = self.ask(json!({"cmd": "text", "selector": selector})).await;
        text.as_str().expect("a text").to_owned()
    }

    pub(super) async fn count(&mut self, selector: &str) -> u64 {
        let count = self
            .ask(json!({"cmd": "count", "selector": selector}))
            .await;
        count.as_u64().expect("a count")
    }

    /// Asserts that nothing on the page shuts people out, in light and in dark colours.
    pub(super) async fn assert_open_to_all(&mut self, page: &str) {
        for scheme in ["light", "dark"] {
            let found = self.ask(json!({"cmd": "axe", "scheme": scheme})).await;
            assert_eq!(found, json!([]), "{page} in {scheme} colours");
        }
    }

    /// Looks through a window as wide as a small phone from here on.
    pub(super) async fn hold_a_phone(&mut self) {
        self.ask(json!({"cmd": "size", "width": 360, "height": 740}))
            .await;
    }

    /// How many pixels of the page are out of sight at its side.
    pub(super) async fn hidden_width(&mut self) -> u64 {
        let hidden = self.ask(json!({"cmd": "hidden_width"})).await;
        hidden.as_u64().expect("a number of pixels")
    }

    /// Turns the wheel of the mouse down by so many pixels.
    pub(super) async fn turn_wheel(&mut self, pixels: u64) {
        self.ask(json!({"cmd": "wheel", "pixels": pixels})).await;
    }

    /// Prints how long the page was busy at a time since it was asked last, where that was for longer than people notice. It judges nothing: other tests share the processors.
    #[expect(clippy::print_stdout, reason = "it is for people to read")]
    pub(super) async fn tell_long_tasks(&mut self, what: &str) {
        let tasks = self.ask(json!({"cmd": "long_tasks"})).await;
        println!("{what}: long tasks in milliseconds: {tasks}");
    }

    /// Asserts that no script has failed and that nothing was stopped by the policy of the page.
    pub(super) fn assert_no_faults(&self) {
        assert_eq!(self.events("failed"), [] as [&Value; 0]);
    }

    /// The statuses that the page has bound so far.
    pub(super) fn bound(&self) -> usize {
        let sent = self.events("sent");
        sent.iter()
            .filter(|event| event["frame"]["cmd"] == "bind")
            .count()
    }

    fn events(&self, kind: &str) -> Vec<&Value> {
        let events = self.browser.events().iter();
        events.filter(|event| event["event"] == kind).collect()
    }

    async fn ask(&mut self, command: Value) -> Value {
        let shown = command.to_string();
        let mark = self.browser.tell(command).await;
        let outcome = self.browser.outcome_of(mark, PAGE_DEADLINE).await;
        outcome.unwrap_or_else(|error| {
            panic!(
                "{shown}: {error}; {:#?}; {:#?}",
                self.events("failed"),
                self.events("http")
            )
        })
    }
}
