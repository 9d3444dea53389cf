//! The page of a room: what PlaceOS's own client shows of its modules, and what it asks of them.
//!
//! It is separate so that the tests read as what a person does at a panel. It knows no module.

use serde_json::{Value, json};

use crate::harness::{Carrier, Gateway, Key, Page};

/// The room that all of it is about.
const SYSTEM: &str = "sys-board";

/// A page of the room.
pub(super) struct Screen {
    page: Page,
    /// How many answers were asked for; each has its own mark.
    asked: usize,
}

impl Screen {
    pub(super) async fn open(gateway: &Gateway, key: Key) -> Self {
        Self {
            page: Page::open(&gateway.url(), key, Carrier::Cookie).await,
            asked: 0,
        }
    }

    /// Binds to statuses of a module.
    pub(super) async fn bind(&mut self, module: &str, names: &[&str]) {
        for name in names {
            self.page.tell(place("bind", module, name)).await;
        }
    }

    /// Everything that it has shown of a status, the latest last.
    pub(super) fn shown<'s>(&'s self, module: &str, name: &str) -> Vec<&'s Value> {
        let events = self.page.events().iter();
        events
            .filter(|event| is_of(event, module, name))
            .map(|event| &event["value"])
            .collect()
    }

    /// Waits until it shows this.
    pub(super) async fn shows(&mut self, module: &str, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let what = format!("{module}/{name} = {value}");
        self.shows_one(module, name, &what, |now| *now == value)
            .await;
    }

    /// Waits until what it shows is as it should be, and gives it.
    pub(super) async fn shows_one(
        &mut self,
        module: &str,
        name: &str,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let now = self.shown(module, name).last().copied().cloned();
        if let Some(now) = now.filter(&is) {
            return now;
        }
        let event = self
            .page
            .wait(what, |event| {
                is_of(event, module, name) && is(&event["value"])
            })
            .await;
        event["value"].clone()
    }

    /// Asks for a status over HTTP.
    pub(super) async fn ask_for(&mut self, module: &str, name: &str) -> Value {
        let args = json!([SYSTEM, module, 1, name]);
        let ask = json!({"cmd": "ask", "name": "lookupSystemModuleState", "args": args});
        let answer = self.ask(ask).await;
        assert_eq!(answer["event"], "result", "{answer}");
        answer["value"].clone()
    }

    /// Calls a function, which must not fail.
    pub(super) async fn call(&mut self, module: &str, function: &str, args: Value) -> Value {
        let answer = self.try_call(module, function, args).await;
        answer.unwrap_or_else(|error| panic!("{module}.{function}: {error}"))
    }

    /// Calls a function, and gives the error as text.
    pub(super) async fn try_call(
        &mut self,
        module: &str,
        function: &str,
        args: Value,
    ) -> Result<Value, String> {
        let mut exec = place("exec", module, function);
        exec["args"] = args;
        let answer = self.ask(exec).await;
        match answer["event"].as_str() {
            Some("result") => Ok(answer["value"].clone()),
            _ => Err(answer["error"].to_string()),
        }
    }

    /// Follows the log of a module.
    pub(super) async fn debug(&mut self, module: &str) {
        let answer = self.ask(place("debug", module, "debug")).await;
        assert_eq!(answer["event"], "result", "{answer}");
    }

    /// Waits for a line of a log with this text.
    pub(super) async fn line(&mut self, module_id: &str, text: &str) -> Value {
        let is = |event: &Value| {
            event["event"] == "debug"
                && event["mod_id"] == module_id
                && event["message"]
                    .as_str()
                    .is_some_and(|line| line.contains(text))
        };
        let there = self.page.events().iter().find(|event| is(event)).cloned();
        match there {
            Some(line) => line,
            None => self.page.wait(&format!("the line {text:?}"), is).await,
        }
    }

    pub(super) async fn close(self) {
        self.page.close().await;
    }

    async fn ask(&mut self, mut command: Value) -> Value {
        self.asked += 1;
        let mark = format!("ask-{}", self.asked);
        command["ref"] = json!(mark);
        self.page.tell(command).await;
        self.page.answer(&mark).await
    }
}

fn place(cmd: &str, module: &str, name: &str) -> Value {
    json!({"cmd": cmd, "sys": SYSTEM, "mod": module, "index": 1, "name": name})
}

fn is_of(event: &Value, module: &str, name: &str) -> bool {
    event["event"] == "value" && event["mod"] == module && event["name"] == name
}
