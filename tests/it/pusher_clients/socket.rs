//! A bare websocket at an app's door, for tests of frames.

use serde_json::{Value, json};

use super::app::{App, SIGNS};
use crate::harness::{Door, Gateway, TestClient};

/// A websocket that does only what it is told.
#[derive(Debug)]
pub(super) struct Socket {
    client: TestClient,
    pub(super) id: String,
    /// What it was told to be the longest silence, in seconds.
    pub(super) activity_timeout: u64,
}

/// The door of an app for a client that says these parameters.
pub(super) fn door(gateway: &Gateway, app: App, query: &str) -> Door {
    gateway.door().path(&format!("/app/{}?{query}", app.key))
}

impl Socket {
    /// One that has connected as pusher-js does.
    pub(super) async fn open(gateway: &Gateway) -> Self {
        let door = door(
            gateway,
            SIGNS,
            "protocol=7&client=js&version=8.6.0&flash=false",
        );
        Self::by(door).await
    }

    /// One that has connected by this door.
    pub(super) async fn by(door: Door) -> Self {
        let mut client = door.connect().await;
        let frame = client.next().await;
        assert_eq!(frame["event"], "pusher:connection_established", "{frame}");
        let data = frame["data"].as_str().expect("data is text");
        let data: Value = serde_json::from_str(data).expect("of JSON");
        Self {
            client,
            id: data["socket_id"].as_str().expect("a socket id").to_owned(),
            activity_timeout: data["activity_timeout"].as_u64().expect("seconds"),
        }
    }

    /// What is below.
    pub(super) fn client(&mut self) -> &mut TestClient {
        &mut self.client
    }

    /// Sends a command of the protocol.
    pub(super) async fn send(&mut self, event: &str, data: Value) {
        self.client
            .send(json!({"event": event, "data": data}))
            .await;
    }

    /// The next frame.
    pub(super) async fn next(&mut self) -> Value {
        self.client.next().await
    }

    /// Subscribes, with a signature where the channel wants one, and gives the data of the success.
    pub(super) async fn subscribe(&mut self, channel: &str) -> Value {
        let auth = SIGNS.auth(&format!("{}:{channel}", self.id));
        self.send(
            "pusher:subscribe",
            json!({"channel": channel, "auth": auth}),
        )
        .await;
        self.succeeded(channel).await
    }

    /// Comes into a presence channel with this channel data, and gives the data of the success.
    pub(super) async fn join(&mut self, channel: &str, channel_data: &str) -> Value {
        self.ask_to_join(channel, channel_data).await;
        self.succeeded(channel).await
    }

    /// The same, waiting for nothing.
    pub(super) async fn ask_to_join(&mut self, channel: &str, channel_data: &str) {
        let auth = SIGNS.auth(&format!("{}:{channel}:{channel_data}", self.id));
        let data = json!({"channel": channel, "auth": auth, "channel_data": channel_data});
        self.send("pusher:subscribe", data).await;
    }

    /// Expects the success of a subscription next, and gives its data.
    pub(super) async fn succeeded(&mut self, channel: &str) -> Value {
        let frame = self.next().await;
        assert_eq!(
            (&frame["event"], &frame["channel"]),
            (
                &json!("pusher_internal:subscription_succeeded"),
                &json!(channel)
            ),
            "{frame}"
        );
        let data = frame["data"].as_str().expect("data is text");
        serde_json::from_str(data).expect("of JSON")
    }

    /// Expects an error next that leaves the connection open, and gives its code and text.
    pub(super) async fn error(&mut self) -> (Value, String) {
        let mut frame = self.next().await;
        assert_eq!(frame["event"], "pusher:error", "{frame}");
        let data = &mut frame["data"];
        assert!(data.is_object(), "Pysher wants an object: {data}");
        (
            data["code"].take(),
            data["message"].as_str().expect("a text").to_owned(),
        )
    }

    /// Asserts that whatever is owed to it has come: a ping is answered behind it.
    pub(super) async fn expect_silence(&mut self) {
        self.send("pusher:ping", json!({})).await;
        let frame = self.next().await;
        assert_eq!(frame, json!({"event": "pusher:pong", "data": "{}"}));
    }
}
