//! A websocket client that answers pings and closes by itself, as every client library does, and looks at frames as JSON.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response as Handshake};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::harness::{CONTROL, DEADLINE, Endpoint, Key, Place, Transport, scratch, within};

/// Frames that a failure shows.
const FRAMES_SHOWN: usize = 12;

/// A websocket that is still to be asked for.
#[derive(Debug, Clone)]
#[must_use]
pub(crate) struct Door {
    endpoint: Endpoint,
    path: String,
    headers: Vec<(String, String)>,
    receive_buffer: Option<u32>,
}

impl Door {
    pub(crate) fn new(endpoint: impl Into<Endpoint>) -> Self {
        Self {
            endpoint: endpoint.into(),
            path: CONTROL.to_owned(),
            headers: Vec::new(),
            receive_buffer: None,
        }
    }

    /// Another path than the usual one.
    pub(crate) fn path(self, path: &str) -> Self {
        let path = path.to_owned();
        Self { path, ..self }
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        self.path
            .push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(query);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The key in the header, as programs do it.
    pub(crate) fn key(self, key: Key) -> Self {
        self.header("X-API-Key", key.0)
    }

    /// How much the kernel may hold for this client while it does not read.
    pub(crate) fn receive_buffer(self, bytes: u32) -> Self {
        let receive_buffer = Some(bytes);
        Self {
            receive_buffer,
            ..self
        }
    }

    /// Asks, and expects to be let in.
    pub(crate) async fn connect(self) -> TestClient {
        let path = self.path.clone();
        match self.ask().await {
            Ok((client, _)) => client,
            Err(status) => panic!("{path} was refused with {status}"),
        }
    }

    /// Asks, where nobody may be there to answer.
    pub(crate) async fn try_connect(self) -> Option<TestClient> {
        let there = self.endpoint.connect(None).await;
        // A gateway that ends between the two is as good as gone; its refusal is a status.
        drop(there.ok()?);
        Some(self.ask().await.ok()?.0)
    }

    /// Asks again and again until it is let in.
    pub(crate) async fn connect_at_last(self) -> TestClient {
        let ask = async {
            loop {
                match self.clone().ask().await {
                    Ok((client, _)) => break client,
                    Err(503) => {}
                    Err(status) => panic!("refused with {status}"),
                }
            }
        };
        within(DEADLINE, || "a free place".to_owned(), ask).await
    }

    /// Asks, and expects to be refused with an HTTP status.
    pub(crate) async fn refused(self) -> u16 {
        let path = self.path.clone();
        match self.ask().await {
            Ok(_) => panic!("{path} was not refused"),
            Err(status) => status,
        }
    }

    /// Asks, and gives the headers of the handshake too; or the HTTP status of the refusal.
    pub(crate) async fn ask(self) -> Result<(TestClient, Handshake<Option<Vec<u8>>>), u16> {
        let Self {
            endpoint,
            path,
            headers,
            receive_buffer,
        } = self;
        let scheme = endpoint.websocket_scheme();
        let url = format!("{scheme}://{}{path}", endpoint.address);
        let mut request = url.into_client_request().expect("a URL of a websocket");
        for (name, value) in headers {
            let name = HeaderName::try_from(name).expect("the name of a header");
            let value = HeaderValue::try_from(value).expect("the value of a header");
            request.headers_mut().append(name, value);
        }
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let shake = async {
            let stream = endpoint.connect(receive_buffer).await?;
            client_async_with_config(request, stream, Some(config)).await
        };
        match within(DEADLINE, || format!("a websocket at {path}"), shake).await {
            Ok((stream, handshake)) => Ok((TestClient::new(stream), handshake)),
            Err(Error::Http(refusal)) => Err(refusal.status().as_u16()),
            Err(error) => panic!("no websocket at {path}: {error}"),
        }
    }
}

/// An open websocket.
#[derive(Debug)]
pub(crate) struct TestClient {
    stream: WebSocketStream<Transport>,
    /// The last frames, for the text of a failure.
    seen: VecDeque<String>,
    /// The id of the latest request that [`Self::call`] made.
    calls: u64,
}

impl TestClient {
    fn new(stream: WebSocketStream<Transport>) -> Self {
        Self {
            stream,
            seen: VecDeque::new(),
            calls: 0,
        }
    }

    /// Sends a request.
    pub(crate) async fn send(&mut self, request: Value) {
        self.send_text(&request.to_string()).await;
    }

    /// Sends bytes that are no text.
    pub(crate) async fn send_binary(&mut self, bytes: &'static [u8]) {
        self.send_message(Message::Binary(bytes.into())).await;
    }

    /// Sends any text.
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends a request where the connection may have ended.
    pub(crate) async fn try_send(&mut self, request: Value) -> Option<()> {
        let message = Message::text(request.to_string());
        self.stream.send(message).await.ok()
    }

    /// Sends any message.
    pub(crate) async fn send_message(&mut self, message: Message) {
        let sent = within(
            DEADLINE,
            || "room to send".to_owned(),
            self.stream.send(message),
        );
        let sent = sent.await;
        sent.unwrap_or_else(|error| panic!("could not send: {error}; {}", self.shown()));
    }

    /// Sends many requests while it reads, and gives the first `count` texts that come.
    pub(crate) async fn pipeline(
        &mut self,
        requests: impl IntoIterator<Item = Value>,
        count: usize,
    ) -> Vec<String> {
        let texts = requests.into_iter().map(|request| request.to_string());
        self.pipeline_texts(texts, count).await
    }

    /// The same for any texts.
    pub(crate) async fn pipeline_texts(
        &mut self,
        requests: impl IntoIterator<Item = String>,
        count: usize,
    ) -> Vec<String> {
        let (mut sink, mut stream) = (&mut self.stream).split();
        let send = async {
            for request in requests {
                let fed = sink.feed(Message::text(request)).await;
                fed.unwrap_or_else(|error| panic!("could not send: {error}"));
            }
            sink.flush().await.expect("what was fed leaves");
        };
        let mut texts = Vec::with_capacity(count);
        let receive = async {
            while texts.len() < count {
                match stream.next().await {
                    Some(Ok(Message::Text(text))) => texts.push(text.to_string()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{other:?} after {} of {count} texts", texts.len()),
                }
            }
        };
        let both = async { tokio::join!(send, receive) };
        let ((), ()) = within(DEADLINE * 3, || format!("{count} texts"), both).await;
        texts
    }

    /// The next message of any kind; `None` at the end of the stream.
    pub(crate) async fn next_message(&mut self, what: &str, deadline: Duration) -> Option<Message> {
        let Self { stream, seen, .. } = self;
        let shown = || format!("{what}; {}", shown(seen));
        let message = match within(deadline, shown, stream.next()).await {
            Some(Ok(message)) => message,
            None | Some(Err(Error::ConnectionClosed)) => return None,
            Some(Err(error)) => panic!("{error} in place of {what}; {}", self.shown()),
        };
        self.keep(&message);
        Some(message)
    }

    /// Keeps a frame for the text of a failure.
    fn keep(&mut self, message: &Message) {
        if self.seen.len() == FRAMES_SHOWN {
            self.seen.pop_front();
        }
        self.seen.push_back(brief(message));
    }

    /// The next text; what belongs to the protocol below is passed over.
    pub(crate) async fn next_text(&mut self, what: &str) -> String {
        self.next_text_within(what, DEADLINE).await
    }

    pub(crate) async fn next_text_within(&mut self, what: &str, deadline: Duration) -> String {
        loop {
            match self.next_message(what, deadline).await {
                Some(Message::Text(text)) => return text.to_string(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("{other:?} in place of {what}; {}", self.shown()),
            }
        }
    }

    /// The next text; `None` once the connection has ended in whatever way.
    pub(crate) async fn next_text_or_end(&mut self) -> Option<String> {
        loop {
            let message = self.stream.next().await?.ok()?;
            self.keep(&message);
            // The answer to a close leaves with the next look at the stream, which then ends.
            if let Message::Text(text) = message {
                return Some(text.to_string());
            }
        }
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        let text = self.next_text("a frame").await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text:?}"))
    }

    /// Expects the next frame to be this one.
    pub(crate) async fn expect(&mut self, expected: Value) {
        let what = expected.to_string();
        let text = self.next_text(&what).await;
        let frame: Option<Value> = serde_json::from_str(&text).ok();
        assert!(
            frame == Some(expected),
            "\n expected {what}\n      got {text}\n; {}",
            self.shown()
        );
    }

    /// Expects the next frame to be this text, byte for byte.
    pub(crate) async fn expect_text(&mut self, expected: &str) {
        let text = self.next_text(expected).await;
        assert_eq!(text, expected, "{}", self.shown());
    }

    /// Expects the next frame to be the error with this code, and gives its message.
    pub(crate) async fn expect_error(&mut self, id: impl Into<Value>, code: u8) -> String {
        let id = id.into();
        let frame = self.next().await;
        let is_the_error = frame["id"] == id
            && frame["type"] == "error"
            && frame["code"] == code
            && frame["error_code"] == code
            && frame["response_code"].is_u64();
        assert!(
            is_the_error,
            "expected the error {code} for {id}; {}",
            self.shown()
        );
        let message = frame["msg"].as_str().unwrap_or_default().to_owned();
        assert!(!message.is_empty(), "an error without a word: {frame}");
        message
    }

    /// Expects that nothing is on its way: whatever earlier events owe to this client comes before the change that is made here.
    pub(crate) async fn expect_silence(&mut self) {
        self.expect_silence_in("sys-1").await;
    }

    /// The same for a client that reaches another system only.
    pub(crate) async fn expect_silence_in(&mut self, sys: &str) {
        // A status that nobody else has: it goes the way of all changes, by the store.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("silence {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let marker = scratch(&name).within(sys);
        self.send(marker.bind("marker")).await;
        self.expect(marker.success("marker")).await;
        let set = marker.named("set");
        self.send(set.exec("marker", json!([name, true]))).await;
        let mut owed = vec![
            set.result("marker", Value::Null),
            marker.notify("marker", true),
        ];
        while !owed.is_empty() {
            let mut frame = self.next().await;
            if frame["value"] == "true" {
                frame["value"] = json!(true);
            }
            let at = owed.iter().position(|owed| *owed == frame);
            let at = at.unwrap_or_else(|| panic!("{frame} breaks the silence; {}", self.shown()));
            owed.swap_remove(at);
        }
        self.send(marker.unbind("marker")).await;
        self.expect(marker.success("marker")).await;
    }

    /// Binds, and expects the success and no value yet.
    pub(crate) async fn bind(&mut self, place: Place<'_>, id: u64) {
        self.send(place.bind(id)).await;
        self.expect(place.success(id)).await;
    }

    /// Binds, and expects the success and this value.
    pub(crate) async fn bind_with_value(
        &mut self,
        place: Place<'_>,
        id: u64,
        value: impl Into<Value>,
    ) {
        self.bind(place, id).await;
        self.expect(place.notify(id, value)).await;
    }

    /// Calls a function and expects its result to be the next frame.
    pub(crate) async fn call(&mut self, place: Place<'_>, args: impl Into<Value>) -> Value {
        self.calls += 1;
        let id = format!("call {}", self.calls);
        self.send(place.exec(id.as_str(), args)).await;
        let mut frame = self.next().await;
        let value = frame["value"].take();
        let expected = place.result(id, Value::Null);
        assert_eq!(frame, expected, "a result; {}", self.shown());
        value
    }

    /// Calls `echo` again and again until its module is there to answer.
    pub(crate) async fn until_answered(&mut self, echo: Place<'_>) {
        let ask = async {
            loop {
                self.send(echo.exec("there?", json!([1]))).await;
                let frame = self.next().await;
                match frame["code"].as_u64() {
                    Some(200) => break,
                    Some(7) => {}
                    _ => panic!("{frame} in place of a result"),
                }
            }
        };
        within(DEADLINE, || "the module to be there".to_owned(), ask).await;
    }

    /// Sets a status of a module `virtual`.
    pub(crate) async fn set(&mut self, status: Place<'_>, value: impl Into<Value>) {
        let args = json!([status.name, value.into()]);
        self.call(status.named("set"), args).await;
    }

    /// The numbers that arrive as values of a binding until `last` has come. Each must be greater than the one before.
    pub(crate) async fn numbers_until(
        &mut self,
        last: u64,
        number: impl Fn(&Value) -> Option<u64>,
    ) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.last() != Some(&last) {
            let frame = self.next().await;
            if frame["type"] != "notify" {
                panic!("no value but {frame}; {}", self.shown());
            }
            let next = number(&frame["value"]);
            let next = next.unwrap_or_else(|| panic!("no number in {}", self.shown()));
            let before = numbers.last().copied();
            assert!(before < Some(next), "{before:?} before {next}");
            numbers.push(next);
        }
        numbers
    }

    /// Closes, and waits until the other side has too.
    pub(crate) async fn close(&mut self) {
        let closed = within(
            DEADLINE,
            || "room to close".to_owned(),
            self.stream.close(None),
        );
        closed.await.expect("a close can be sent");
        while self.next_message("the end", DEADLINE).await.is_some() {}
    }

    /// Expects to be closed next, with the full handshake, and gives the code and the reason.
    pub(crate) async fn expect_closed(&mut self, deadline: Duration) -> (u16, String) {
        let closed = loop {
            match self.next_message("a close", deadline).await {
                Some(Message::Close(Some(CloseFrame { code, reason }))) => {
                    break (u16::from(code), reason.to_string());
                }
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("{other:?} in place of a close; {}", self.shown()),
            }
        };
        // Our answer leaves with the next look at the stream; its end is then the other side's to make.
        let end = self.next_message("the end after the close", deadline).await;
        assert!(end.is_none(), "{end:?} after the close");
        closed
    }

    /// Reads whatever comes until it is closed, and gives the code and the reason.
    pub(crate) async fn read_until_closed(&mut self) -> (u16, String) {
        loop {
            match self.next_message("a close", DEADLINE).await {
                Some(Message::Close(Some(CloseFrame { code, reason }))) => {
                    return (u16::from(code), reason.to_string());
                }
                Some(Message::Text(_) | Message::Ping(_)) => {}
                other => panic!("{other:?} in place of a close; {}", self.shown()),
            }
        }
    }

    /// Sends what will not be taken, while it waits to be closed for it; gives the code and the reason.
    pub(crate) async fn send_until_closed(&mut self, request: Value) -> (u16, String) {
        let (mut sink, mut stream) = (&mut self.stream).split();
        let exchange = async {
            let send = async {
                // Whether all of it left before the end is the kernel's affair.
                let _ = sink.send(Message::text(request.to_string())).await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                message = stream.next() => message,
                () = send => None,
            }
        };
        match within(DEADLINE, || "a close".to_owned(), exchange).await {
            Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                (u16::from(code), reason.to_string())
            }
            other => panic!("{other:?} in place of a close"),
        }
    }

    /// The frames that were seen last, for the text of a failure.
    pub(crate) fn shown(&self) -> String {
        shown(&self.seen)
    }
}

fn shown(seen: &VecDeque<String>) -> String {
    let mut text = "seen last:".to_owned();
    for frame in seen {
        text.push_str("\n    ");
        text.push_str(frame);
    }
    text
}

fn brief(message: &Message) -> String {
    let text = if let Message::Text(text) = message {
        text.to_string()
    } else {
        format!("{message:?}")
    };
    let mut brief: String = text.chars().take(300).collect();
    if brief.len() < text.len() {
        brief.push('…');
    }
    brief
}
