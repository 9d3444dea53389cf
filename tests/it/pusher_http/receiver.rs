//! An app's own server, to which webhooks are posted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver as Queue, Sender, channel};
use tokio::task::JoinHandle;

use super::{KEY, SECRET, hmac};
use crate::harness::{DEADLINE, within};

/// How many requests are kept until a test looks at them.
const REQUESTS_MAX: usize = 1_000;

/// A server that takes requests, each after it has looked that it is signed.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) url: String,
    /// The statuses of the next answers; after them it is 200.
    statuses: Arc<Mutex<VecDeque<u16>>>,
    requests: Queue<Value>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let statuses = Arc::new(Mutex::new(VecDeque::new()));
        let (sender, requests) = channel(REQUESTS_MAX);
        let answers = Arc::clone(&statuses);
        let serving = tokio::runtime::Handle::current().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &answers, &sender).await;
            }
        });
        Self {
            url: format!("http://{address}/hooks"),
            statuses,
            requests,
            serving,
        }
    }

    /// Answers the next requests with these statuses.
    pub(super) fn answer(&self, statuses: &[u16]) {
        self.statuses.lock().expect("no panic").extend(statuses);
    }

    /// The body of the next request.
    pub(super) async fn next(&mut self) -> Value {
        let next = within(DEADLINE, || "a webhook".to_owned(), self.requests.recv()).await;
        next.expect("the receiver serves")
    }

    /// The next so many events, in their order, from however many requests.
    pub(super) async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            let body = self.next().await;
            events.extend(body["events"].as_array().expect("events").iter().cloned());
        }
        assert_eq!(events.len(), count, "{events:?}");
        events
    }
}

/// Reads one request, and answers it.
async fn serve(mut stream: TcpStream, answers: &Mutex<VecDeque<u16>>, to: &Sender<Value>) {
    let mut read = Vec::new();
    let (head, body) = loop {
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes).await {
            Ok(length @ 1..) => read.extend_from_slice(&bytes[..length]),
            Ok(0) | Err(_) => return,
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length: usize = header(head, "content-length").parse().expect("a length");
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    assert!(head.starts_with("POST /hooks HTTP/1.1"), "{head}");
    assert_eq!(header(&head, "content-type"), "application/json");
    assert_eq!(header(&head, "x-pusher-key"), KEY);
    assert_eq!(header(&head, "x-pusher-signature"), hmac(SECRET, &body));
    let status = answers.lock().expect("no panic").pop_front().unwrap_or(200);
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    // The gateway may have gone, and the test may have ended.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = to.try_send(serde_json::from_str(&body).expect("the body is JSON"));
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map_or("", |(_, value)| value.trim())
}
