//! A websocket of an app's client.

use serde_json::{Value, json};

use super::{KEY, SECRET, hmac};
use crate::harness::{DEADLINE, Gateway, TestClient};

/// A client that is connected.
#[derive(Debug)]
pub(super) struct Subscriber {
    client: TestClient,
    /// The id of its socket.
    pub(super) socket: String,
}

impl Subscriber {
    pub(super) async fn connect(gateway: &Gateway) -> Self {
        let path = format!("/app/{KEY}");
        let door = gateway.door().path(&path).query("protocol=7&client=test");
        let mut client = door.connect().await;
        let hello = client.next().await;
        assert_eq!(hello["event"], "pusher:connection_established", "{hello}");
        let socket = data(&hello)["socket_id"].as_str().expect("text").to_owned();
        Self { client, socket }
    }

    /// One that is in these channels.
    pub(super) async fn in_channels(gateway: &Gateway, channels: &[&str]) -> Self {
        let mut subscriber = Self::connect(gateway).await;
        for channel in channels {
            subscriber.subscribe(channel, None).await;
        }
        subscriber
    }

    /// One that is in a presence channel as this user.
    pub(super) async fn present(gateway: &Gateway, channel: &str, user: &str) -> Self {
        let mut subscriber = Self::connect(gateway).await;
        subscriber.subscribe(channel, Some(user)).await;
        subscriber
    }

    /// Comes into a channel, signed by the app's own server.
    pub(super) async fn subscribe(&mut self, channel: &str, user: Option<&str>) -> Value {
        let channel_data = user.map(|user| json!({"user_id": user, "user_info": {}}).to_string());
        let text = [Some(&*self.socket), Some(channel), channel_data.as_deref()];
        let text: Vec<&str> = text.into_iter().flatten().collect();
        let auth = format!("{KEY}:{}", hmac(SECRET, &text.join(":")));
        let mut data = json!({"channel": channel, "auth": auth});
        if let Some(channel_data) = channel_data {
            data["channel_data"] = channel_data.into();
        }
        self.subscribe_by(data).await
    }

    /// The same with these data.
    pub(super) async fn subscribe_by(&mut self, data: Value) -> Value {
        let channel = data["channel"].clone();
        self.send("pusher:subscribe", data).await;
        let event = self.next().await;
        assert_eq!(
            event["event"], "pusher_internal:subscription_succeeded",
            "{event}"
        );
        assert_eq!(event["channel"], channel);
        event
    }

    /// Signs in as this user.
    pub(super) async fn sign_in(&mut self, user: &str) {
        let user_data = json!({"id": user}).to_string();
        let text = format!("{}::user::{user_data}", self.socket);
        let auth = format!("{KEY}:{}", hmac(SECRET, &text));
        self.sign_in_by(json!({"auth": auth, "user_data": user_data}))
            .await;
    }

    /// The same with these data.
    pub(super) async fn sign_in_by(&mut self, data: Value) {
        self.send("pusher:signin", data).await;
        let event = self.next().await;
        assert_eq!(event["event"], "pusher:signin_success", "{event}");
    }

    pub(super) async fn unsubscribe(&mut self, channel: &str) {
        let data = json!({ "channel": channel });
        self.send("pusher:unsubscribe", data).await;
        self.until_answered().await;
    }

    pub(super) async fn send(&mut self, event: &str, data: Value) {
        self.client
            .send(json!({"event": event, "data": data}))
            .await;
    }

    /// Publishes in a channel.
    pub(super) async fn publish(&mut self, channel: &str, event: &str, data: Value) {
        let message = json!({"event": event, "channel": channel, "data": data});
        self.client.send(message).await;
    }

    /// Waits until all that was sent before has been read.
    pub(super) async fn until_answered(&mut self) {
        self.send("pusher:ping", json!({})).await;
        self.expect("pusher:pong").await;
    }

    pub(super) async fn next(&mut self) -> Value {
        self.client.next().await
    }

    /// The next event, which has this name.
    pub(super) async fn expect(&mut self, name: &str) -> Value {
        let event = self.next().await;
        assert_eq!(event["event"], name, "{event}");
        event
    }

    /// The next event in a channel, with these data to the letter.
    pub(super) async fn expect_event(&mut self, channel: &str, name: &str, data: &str) {
        let event = self.expect(name).await;
        assert_eq!(
            (&event["channel"], &event["data"]),
            (&channel.into(), &data.into())
        );
    }

    /// The code with which the connection is closed.
    pub(super) async fn closed(&mut self) -> u16 {
        loop {
            match self.client.next_message("the close", DEADLINE).await {
                Some(tokio_tungstenite::tungstenite::Message::Close(frame)) => {
                    return frame.map_or(1005, |frame| frame.code.into());
                }
                Some(_) => {}
                None => panic!("the connection broke off"),
            }
        }
    }

    pub(super) async fn close(mut self) {
        self.client.close().await;
    }
}

/// The data of an event, which are JSON in a text.
pub(super) fn data(event: &Value) -> Value {
    let text = event["data"].as_str().expect("data are text");
    serde_json::from_str(text).expect("the text is JSON")
}
