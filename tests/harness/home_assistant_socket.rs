//! A bare websocket at Home Assistant's door, for tests of frames.

use serde_json::{Value, json};

use crate::harness::{Gateway, Key, TestClient};

/// Where the websocket is.
pub(crate) const WEBSOCKET: &str = "/api/websocket";

/// A websocket that does only what it is told.
#[derive(Debug)]
pub(crate) struct Socket {
    client: TestClient,
    /// The id of the latest command.
    id: u64,
}

impl Socket {
    /// One that has been asked to sign in and has not.
    pub(crate) async fn open(gateway: &Gateway) -> Self {
        let client = gateway.door().path(WEBSOCKET).connect().await;
        let mut socket = Self { client, id: 0 };
        let frame = socket.client.next().await;
        assert_eq!(frame["type"], "auth_required", "{frame}");
        socket
    }

    /// One that is signed in with this key.
    pub(crate) async fn sign_in(gateway: &Gateway, key: Key) -> Self {
        Self::open(gateway).await.signed_in(key).await
    }

    /// The same for a socket that is open.
    pub(crate) async fn signed_in(mut self, key: Key) -> Self {
        self.client
            .send(json!({"type": "auth", "access_token": key.0}))
            .await;
        let frame = self.client.next().await;
        assert_eq!(frame["type"], "auth_ok", "{frame}");
        self
    }

    /// One with as little room in the kernel as can be had, for a client that will not read.
    pub(crate) async fn sign_in_with_little_room(gateway: &Gateway, key: Key) -> Self {
        let door = gateway.door().path(WEBSOCKET).receive_buffer(16 * 1024);
        let mut client = door.connect().await;
        client.next().await;
        Self { client, id: 0 }.signed_in(key).await
    }

    /// What is below.
    pub(crate) fn client(&mut self) -> &mut TestClient {
        &mut self.client
    }

    /// Sends a command with the next id, and gives the id.
    pub(crate) async fn send(&mut self, mut command: Value) -> u64 {
        self.id += 1;
        command["id"] = json!(self.id);
        self.client.send(command).await;
        self.id
    }

    /// Sends a command whose result is to be the next frame, and gives the result.
    pub(crate) async fn ask(&mut self, command: Value) -> Value {
        let id = self.send(command).await;
        self.result(id).await
    }

    /// Sends a command whose refusal is to be the next frame, and gives the error.
    pub(crate) async fn refused(&mut self, command: Value) -> Value {
        let id = self.send(command).await;
        let mut frame = self.client.next().await;
        assert_eq!(
            (&frame["id"], &frame["type"], &frame["success"]),
            (&json!(id), &json!("result"), &json!(false)),
            "a refusal of {id}; {}",
            self.client.shown()
        );
        frame["error"].take()
    }

    /// Expects the next frame to be the result of this command, and gives it.
    pub(crate) async fn result(&mut self, id: u64) -> Value {
        let mut frame = self.client.next().await;
        assert_eq!(
            (&frame["id"], &frame["type"], &frame["success"]),
            (&json!(id), &json!("result"), &json!(true)),
            "the result of {id}; {}",
            self.client.shown()
        );
        frame["result"].take()
    }

    /// Expects the next frame to be an event of this subscription, and gives the event.
    pub(crate) async fn event(&mut self, id: u64) -> Value {
        let mut frame = self.client.next().await;
        assert_eq!(
            (&frame["id"], &frame["type"]),
            (&json!(id), &json!("event")),
            "an event of {id}; {}",
            self.client.shown()
        );
        frame["event"].take()
    }

    /// Expects that nothing is on its way to this connection: a ping is answered behind it.
    pub(crate) async fn expect_silence(&mut self) {
        let id = self.send(json!({"type": "ping"})).await;
        self.client.expect(json!({"id": id, "type": "pong"})).await;
    }
}
