//! A stub of a PlaceOS core, which says that it is one: it runs no module, answers as the test chooses, and remembers what it was asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::harness::{DEADLINE, Redis};

/// Lines that may wait for a debugger.
const LINES: usize = 1_024;

/// How it answers calls.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// The function returned this text, with the driver's code.
    Result(u16, &'static str),
    /// The driver raised this.
    Raised(&'static str),
    /// This HTTP status without a body.
    Status(u16),
    /// None at all.
    Silence,
}

/// A request that it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) target: String,
    pub(crate) body: String,
}

/// A running stub. Dropping it ends it with all its connections.
#[derive(Debug)]
pub(crate) struct CoreStub {
    address: SocketAddr,
    stage: Arc<Stage>,
    debuggers: watch::Receiver<Vec<String>>,
    _tasks: JoinSet<()>,
}

/// What all connections share.
#[derive(Debug)]
struct Stage {
    answer: Mutex<Answer>,
    asked: watch::Sender<Vec<Asked>>,
    connections: AtomicU64,
    lines: broadcast::Sender<Line>,
    /// The paths of the debuggers that are open.
    debuggers: watch::Sender<Vec<String>>,
}

#[derive(Debug, Clone)]
enum Line {
    Text(String),
    Drop,
}

impl CoreStub {
    /// One that answers every call with `null`.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, debuggers) = watch::channel(Vec::new());
        let stage = Arc::new(Stage {
            answer: Mutex::new(Answer::Result(200, "null")),
            asked: watch::Sender::default(),
            connections: AtomicU64::new(0),
            lines: broadcast::Sender::new(LINES),
            debuggers: sender,
        });
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&stage);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            stage,
            debuggers,
            _tasks: tasks,
        }
    }

    /// Where gateways find it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lists it as a core does; `id` orders it among others.
    pub(crate) async fn register(&self, redis: &Redis, id: &str) {
        list_core(redis, id, &self.url()).await;
    }

    /// How calls are answered from here on.
    pub(crate) fn answers(&self, answer: Answer) {
        *self.stage.answer() = answer;
    }

    /// The calls that it got so far.
    pub(crate) fn calls(&self) -> Vec<Asked> {
        let asked = self.stage.asked.borrow();
        let calls = asked.iter().filter(|asked| asked.method == "POST");
        calls.cloned().collect()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> u64 {
        self.stage.connections.load(Ordering::Relaxed)
    }

    /// Waits for the call with this number, counted from 1.
    pub(crate) async fn call(&self, number: usize) -> Asked {
        let mut asked = self.stage.asked.subscribe();
        let is =
            |asked: &[Asked]| asked.iter().filter(|asked| asked.method == "POST").count() >= number;
        let waited = timeout(DEADLINE, asked.wait_for(|asked| is(asked))).await;
        if waited.is_err() {
            panic!("call {number} did not come; {:?}", self.calls());
        }
        self.calls().swap_remove(number - 1)
    }

    /// Waits until the debuggers that are open are for these modules, in the order in which they came.
    pub(crate) async fn until_debugged(&self, modules: &[&str]) {
        let paths: Vec<String> = modules
            .iter()
            .map(|module| format!("/api/core/v1/command/{module}/debugger"))
            .collect();
        let mut debuggers = self.debuggers.clone();
        let waited = timeout(DEADLINE, debuggers.wait_for(|open| *open == paths)).await;
        if waited.is_err() {
            let open = self.debuggers.borrow().clone();
            panic!("the debuggers are {open:?} and never {paths:?}");
        }
    }

    /// Sends a line to every debugger.
    pub(crate) fn log(&self, severity: u8, message: &str) {
        self.say(&json!([severity, message]).to_string());
    }

    /// Sends any text to every debugger.
    pub(crate) fn say(&self, text: &str) {
        // Nobody may be there to hear it.
        let _ = self.stage.lines.send(Line::Text(text.to_owned()));
    }

    /// Ends every debugger's connection without a close.
    pub(crate) fn drop_debuggers(&self) {
        let _ = self.stage.lines.send(Line::Drop);
    }
}

/// Lists a core at this address, as it does itself at its start.
pub(crate) async fn list_core(redis: &Redis, id: &str, url: &str) {
    let node = format!("{{service_core}}.{id}");
    let lease = json!({"u": url, "r": true, "v": format!("1-{id}")});
    let set = redis::cmd("SET").arg(&node).arg(lease.to_string()).take();
    redis.run::<()>(&set).await;
    redis
        .hset("{service_core}_lookup", &[(node.as_str(), url)])
        .await;
}

/// Takes a core from the list, as the others do when its lease has lapsed.
pub(crate) async fn unlist_core(redis: &Redis, id: &str) {
    let node = format!("{{service_core}}.{id}");
    let command = redis::cmd("HDEL")
        .arg("{service_core}_lookup")
        .arg(&node)
        .take();
    redis.run::<()>(&command).await;
    redis.run::<()>(&redis::cmd("DEL").arg(&node).take()).await;
}

impl Stage {
    fn answer(&self) -> MutexGuard<'_, Answer> {
        self.answer
            .lock()
            .expect("no test panics while it holds this")
    }
}

/// Serves one connection, which may carry many requests.
async fn serve(stream: TcpStream, stage: Arc<Stage>) {
    let mut stream = BufReader::new(stream);
    while let Some((asked, key)) = read_request(&mut stream).await {
        stage.asked.send_modify(|all| all.push(asked.clone()));
        if let Some(key) = key {
            debug(stream, &key, &asked.target, &stage).await;
            return;
        }
        let answer = stage.answer().clone();
        let (status, code, body) = match answer {
            Answer::Result(code, body) => (200, Some(code), body),
            Answer::Raised(body) => (203, None, body),
            Answer::Status(status) => (status, None, ""),
            Answer::Silence => std::future::pending().await,
        };
        let code = code.map(|code| format!("Response-Code: {code}\r\n"));
        let answer = format!(
            "HTTP/1.1 {status} Of A Stub\r\nServer: stub-of-a-core\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n{body}",
            code.unwrap_or_default(),
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request, with the key of the handshake if it asks for a websocket. `None` at the end, and at what is no request.
async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<(Asked, Option<String>)> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut key) = (0, None);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "sec-websocket-key" => key = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).ok()?;
    let asked = Asked {
        method,
        target,
        body,
    };
    Some((asked, key))
}

/// Sends lines for as long as the debugger stays.
async fn debug(mut stream: BufReader<TcpStream>, key: &str, target: &str, stage: &Stage) {
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_err() {
        return;
    }
    let mut lines = stage.lines.subscribe();
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    stage
        .debuggers
        .send_modify(|open| open.push(target.to_owned()));
    loop {
        tokio::select! {
            line = lines.recv() => {
                let Ok(Line::Text(text)) = line else { break };
                if socket.send(Message::text(text)).await.is_err() {
                    break;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    stage.debuggers.send_modify(|open| {
        let at = open.iter().position(|path| path == target);
        open.remove(at.expect("it was put in above"));
    });
}

/// What PlaceOS's core says of a driver with these functions, to whoever reads its interface.
pub(crate) fn interface(functions: &[&str], security: Value) -> String {
    let functions = functions.iter().map(|name| ((*name).to_owned(), json!({})));
    let interface: serde_json::Map<String, Value> = functions.collect();
    json!({"interface": interface, "implements": [], "requirements": {}, "security": security})
        .to_string()
}
