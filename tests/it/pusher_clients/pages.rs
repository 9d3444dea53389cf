//! pusher-js and Echo in one Node process, each page with a name, and Pusher's server library for Node.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::app::SIGNS;
use super::script::Script;
use crate::harness::{DEADLINE, Gateway, node_client};

/// The process.
#[derive(Debug)]
pub(super) struct Pages(Script);

impl Pages {
    /// One whose pages find this gateway.
    pub(super) fn start(gateway: &Gateway) -> Self {
        Self::at(&gateway.url())
    }

    /// One whose pages find a gateway at this address.
    pub(super) fn at(url: &str) -> Self {
        let mut command = node_client("pusher", "pages.mjs");
        command.args([url, SIGNS.id, SIGNS.key, SIGNS.secret]);
        Self(Script::start("the pages", command))
    }

    /// Opens a page and waits until it has connected.
    pub(super) async fn open(&mut self, page: &str) {
        self.open_as(page, json!({})).await;
        self.connected(page).await;
    }

    /// Opens several, and waits for all.
    pub(super) async fn open_all(&mut self, pages: &[&str]) {
        for page in pages {
            self.open_as(page, json!({})).await;
        }
        for page in pages {
            self.connected(page).await;
        }
    }

    /// Opens a page, with what a command `open` can have beside its name, and waits for nothing.
    pub(super) async fn open_as(&mut self, page: &str, mut command: Value) {
        command["cmd"] = json!("open");
        command["page"] = json!(page);
        self.0.ask(command).await;
    }

    /// Opens a page that signs in as this user, and waits until it has.
    pub(super) async fn open_signed_in(&mut self, page: &str, user: Value) {
        self.open_as(page, json!({"user": user})).await;
        self.connected(page).await;
        self.sign_in(page).await;
    }

    /// Waits until a page has connected.
    pub(super) async fn connected(&mut self, page: &str) {
        self.state(page, "connected").await;
    }

    /// Waits until a page comes into a state of the library's.
    pub(super) async fn state(&mut self, page: &str, state: &str) {
        let what = format!("{page} becoming {state}");
        let is = |event: &Value| {
            event["event"] == "state" && event["page"] == page && event["current"] == state
        };
        self.0.take(&what, is).await;
    }

    /// Signs a page in, and waits until the library has its own channel too.
    pub(super) async fn sign_in(&mut self, page: &str) {
        self.tell(page, json!({"cmd": "signin"})).await;
        self.frame(page, "pusher:signin_success").await;
        let is = |event: &Value| {
            let channel = event["frame"]["channel"].as_str().unwrap_or_default();
            event["page"] == page
                && event["frame"]["event"] == "pusher_internal:subscription_succeeded"
                && channel.starts_with("#server-to-user-")
        };
        self.0.take("the user's own channel", is).await;
    }

    /// Subscribes a page to a channel that lets it in, and gives what the library tells.
    pub(super) async fn subscribe(&mut self, page: &str, channel: &str) -> Value {
        self.ask_to_subscribe(page, channel).await;
        self.heard(page, channel, "pusher:subscription_succeeded")
            .await
    }

    /// Subscribes a page to a channel and waits for nothing.
    pub(super) async fn ask_to_subscribe(&mut self, page: &str, channel: &str) {
        self.tell(page, json!({"cmd": "subscribe", "channel": channel}))
            .await;
    }

    /// Expects the next event of a channel to have this name, and gives its data.
    pub(super) async fn heard(&mut self, page: &str, channel: &str, name: &str) -> Value {
        let event = self.next(page, channel).await;
        assert_eq!(
            event["name"],
            name,
            "on {channel} of {page}: {event}; {}",
            self.0.shown()
        );
        event["data"].clone()
    }

    /// Expects the next event of a channel to be this one.
    pub(super) async fn expect(&mut self, page: &str, channel: &str, name: &str, data: Value) {
        let heard = self.heard(page, channel, name).await;
        assert_eq!(heard, data, "{name} on {channel} of {page}");
    }

    /// The next event of a channel, with `name` and `data`.
    ///
    /// An error that names the channel is told there too; that is left to [`Self::error`].
    pub(super) async fn next(&mut self, page: &str, channel: &str) -> Value {
        let what = format!("an event on {channel} of {page}");
        let is = |event: &Value| {
            event["event"] == "heard"
                && event["page"] == page
                && event["channel"] == channel
                && event["name"] != "pusher:error"
        };
        self.0.take(&what, is).await
    }

    /// Who a callback was told has sent the next client event of this name.
    pub(super) async fn sender(&mut self, page: &str, channel: &str, name: &str) -> Value {
        let is = |event: &Value| {
            event["event"] == "from"
                && event["page"] == page
                && event["channel"] == channel
                && event["name"] == name
        };
        let mut event = self.0.take("who sent it", is).await;
        event["user"].take()
    }

    /// The data of the next frame with this event.
    pub(super) async fn frame(&mut self, page: &str, name: &str) -> Value {
        let what = format!("a frame {name} of {page}");
        let is = |event: &Value| event["page"] == page && event["frame"]["event"] == name;
        let mut event = self.0.take(&what, is).await;
        event["frame"]["data"].take()
    }

    /// The next frame of a page whose event is as asked for.
    pub(super) async fn take_frame(
        &mut self,
        page: &str,
        what: &str,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let is = |event: &Value| event["event"] == "frame" && event["page"] == page && is(event);
        let mut event = self.0.take(what, is).await;
        event["frame"].take()
    }

    /// Waits until the library tells this code as the connection's error, and gives the text.
    pub(super) async fn failed(&mut self, page: &str, code: u16) -> String {
        let what = format!("the error {code} of {page}");
        let is = |event: &Value| {
            event["event"] == "failed" && event["page"] == page && event["error"]["code"] == code
        };
        let event = self.0.take(&what, is).await;
        event["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What the library tells as the connection's error next: its code and text.
    pub(super) async fn error(&mut self, page: &str) -> Value {
        let what = format!("an error of {page}");
        let is = |event: &Value| event["event"] == "failed" && event["page"] == page;
        let mut event = self.0.take(&what, is).await;
        event["error"].take()
    }

    /// What a page is told as a user, or of those that it watches, next: `[name, data]`.
    pub(super) async fn told(&mut self, page: &str, kind: &str) -> Value {
        let what = format!("a {kind} event of {page}");
        let is = |event: &Value| event["event"] == kind && event["page"] == page;
        let event = self.0.take(&what, is).await;
        json!([event["name"], event["data"]])
    }

    /// What Echo tells of a channel next: `[name, data]`.
    pub(super) async fn echo(&mut self, page: &str, channel: &str) -> Value {
        let what = format!("an event of Echo's {channel} of {page}");
        let is = |event: &Value| {
            event["event"] == "echo" && event["page"] == page && event["channel"] == channel
        };
        let event = self.0.take(&what, is).await;
        json!([event["name"], event["data"]])
    }

    /// Takes the next event of a kind, of whatever page.
    pub(super) async fn take_any(&mut self, kind: &str) -> Value {
        self.0.take(kind, |event| event["event"] == kind).await
    }

    /// How many events that are as asked for have been told so far.
    pub(super) fn count(&self, is: impl Fn(&Value) -> bool) -> usize {
        self.0.count(is)
    }

    /// Waits for a sign of life that is answered behind whatever the gateway owes this page.
    pub(super) async fn settle(&mut self, page: &str) {
        self.send(page, r#"{"event":"pusher:ping","data":{}}"#)
            .await;
        self.frame(page, "pusher:pong").await;
    }

    /// Sends any text as a frame.
    pub(super) async fn send(&mut self, page: &str, text: &str) {
        self.tell(page, json!({"cmd": "send", "text": text})).await;
    }

    /// Sends a client event.
    pub(super) async fn trigger(&mut self, page: &str, channel: &str, name: &str, data: Value) {
        let command = json!({"cmd": "trigger", "channel": channel, "name": name, "data": data});
        self.tell(page, command).await;
    }

    /// The library's idea of a presence channel: `members`, `count`, `me`.
    pub(super) async fn members(&mut self, page: &str, channel: &str) -> Value {
        self.tell(page, json!({"cmd": "members", "channel": channel}))
            .await
    }

    /// Waits until the library's idea of who is in a presence channel is this.
    pub(super) async fn until_members(&mut self, page: &str, channel: &str, expected: &[&str]) {
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        let mut last = Value::Null;
        let poll = async {
            loop {
                last = self.members(page, channel).await;
                let members = last["members"].as_object().expect("members by their ids");
                let shown: BTreeSet<&str> = members.keys().map(String::as_str).collect();
                if shown == expected {
                    break;
                }
                // Asked without a pause, it would keep this process from all else that it does, such as carrying bytes.
                self.0.more().await;
            }
        };
        if timeout(DEADLINE, poll).await.is_err() {
            panic!("{page} shows {last} in {channel} and never {expected:?}");
        }
    }

    pub(super) async fn socket_id(&mut self, page: &str) -> String {
        let id = self.tell(page, json!({"cmd": "socket_id"})).await;
        id.as_str()
            .expect("a page that has connected has one")
            .to_owned()
    }

    /// The library's state of a connection.
    pub(super) async fn state_now(&mut self, page: &str) -> Value {
        self.tell(page, json!({"cmd": "state"})).await
    }

    /// Makes a page present this for a channel in place of its own signature, from here on.
    pub(super) async fn present(&mut self, page: &str, channel: &str, auth: Value) {
        self.tell(
            page,
            json!({"cmd": "answer", "channel": channel, "auth": auth}),
        )
        .await;
    }

    /// Ends a page.
    pub(super) async fn close(&mut self, page: &str) {
        self.tell(page, json!({"cmd": "disconnect"})).await;
    }

    /// Gives a command to a page.
    pub(super) async fn tell(&mut self, page: &str, mut command: Value) -> Value {
        command["page"] = json!(page);
        self.0.ask(command).await
    }

    /// Calls Pusher's server library for Node: `{"status", "body"}` of an answer, or of a refusal.
    pub(super) async fn server(&mut self, method: &str, args: Value) -> Result<Value, Value> {
        let command = json!({"cmd": "server", "method": method, "args": args});
        self.0.outcome(command).await
    }

    /// The last events, for the text of a failure.
    pub(super) fn shown(&self) -> String {
        self.0.shown()
    }
}
