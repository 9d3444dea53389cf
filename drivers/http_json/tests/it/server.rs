//! An HTTP server of the test's, which shows what it was asked and answers as the test says.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `GET /path`.
    pub(crate) line: String,
    /// In lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What the server does about a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It sends a whole answer of HTTP.
    Bytes(Vec<u8>),
    /// It closes the connection.
    HangUp,
    /// It keeps the connection and says nothing.
    Silence,
}

/// The answers by method and path.
type Answers = Arc<Mutex<BTreeMap<String, Answer>>>;

/// A server. What has no answer is answered by 404.
pub(crate) struct Server {
    pub(crate) at: String,
    answers: Answers,
    asked: watch::Receiver<Vec<Asked>>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::at("127.0.0.1:0", None).await
    }

    pub(crate) async fn tls(acceptor: TlsAcceptor) -> Self {
        Self::at("127.0.0.1:0", Some(acceptor)).await
    }

    pub(crate) async fn at(address: &str, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let at = listener.local_addr().expect("it listens").to_string();
        let answers = Answers::default();
        let (sender, asked) = watch::channel(Vec::new());
        let (sender, known) = (Arc::new(sender), Arc::clone(&answers));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("it listens");
                let (sender, known) = (Arc::clone(&sender), Arc::clone(&known));
                let acceptor = acceptor.clone();
                serving.spawn(async move {
                    match acceptor {
                        None => serve(stream, &sender, &known).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &sender, &known).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            at,
            answers,
            asked,
            _tasks: tasks,
        }
    }

    /// From now on a method and a path are answered with this body.
    pub(crate) fn answer(&self, line: &str, body: impl AsRef<[u8]>) {
        self.answer_with(line, "200 OK", "", body);
    }

    /// The same with a status and with headers, which end with a line break each.
    pub(crate) fn answer_with(
        &self,
        line: &str,
        status: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
    ) {
        let body = body.as_ref();
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n");
        let answer = [head.as_bytes(), body].concat();
        self.react(line, Answer::Bytes(answer));
    }

    /// From now on this is done about a method and a path.
    pub(crate) fn react(&self, line: &str, answer: Answer) {
        let mut answers = self.answers.lock().expect("no test has panicked");
        answers.insert(line.to_owned(), answer);
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// Waits until a request has come that begins with this line, and gives it.
    pub(crate) async fn wait_asked(&self, line: &str) -> Asked {
        let mut asked = self.asked.clone();
        let find = |all: &[Asked]| all.iter().find(|it| it.line == line).cloned();
        let found = asked.wait_for(|all| find(all).is_some()).await;
        find(&found.expect("the server runs")).expect("it was there a moment ago")
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    asked: &watch::Sender<Vec<Asked>>,
    answers: &Answers,
) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let answer = {
            let answers = answers.lock().expect("no test has panicked");
            answers.get(&request.line).cloned()
        };
        asked.send_modify(|all| all.push(request));
        let not_found = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let answer = match answer {
            None => not_found.to_vec(),
            Some(Answer::Bytes(answer)) => answer,
            Some(Answer::HangUp) => return,
            Some(Answer::Silence) => pending().await,
        };
        if stream.write_all(&answer).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// The next request; `None` at the end.
async fn read(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Asked> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let line = line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length");
    let length = length.map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked {
        line,
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
