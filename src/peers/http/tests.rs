//! Calls and log streams against a stub of a core: a real server on a free port that answers what a test tells it to.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::model::{FailureKind, FunctionName, JsonText, LogLevel, Secret};

use super::connect::Duplex;
use super::*;
use crate::peers::KeyInspector;

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_call_is_what_a_core_of_placeos_takes_and_its_answer_is_read() {
    // §10 case 36
    let core = StubCore::start(|_| Then::answer(200, "Response-Code: 201\r\n", "true")).await;
    let reply = peers().call(&core.uri(), call("power", "[true]")).await;
    let reply = reply.unwrap();
    assert_eq!((reply.value.as_str(), reply.code), ("true", 201));
    let seen = core.only();
    assert_eq!(
        seen.line,
        "POST /api/core/v1/command/mod-d1/execute?user_id=user-1 HTTP/1.1"
    );
    assert_eq!(seen.body, r#"{"__exec__":"power","power":[true]}"#);
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["authorization"], "Bearer hunter2");
    assert!(!seen.headers["x-request-id"].is_empty());
}

#[tokio::test]
async fn an_empty_answer_is_null() {
    // §10 case 38
    let core = StubCore::start(|_| Then::answer(200, "", "")).await;
    let reply = peers()
        .call(&core.uri(), call("query", "[]"))
        .await
        .unwrap();
    assert_eq!((reply.value.as_str(), reply.code), ("null", 200));
}

#[tokio::test]
async fn each_way_in_which_a_core_fails_a_call_is_told_apart() {
    // §10 cases 39 and 40, and what riser's own nodes say
    let raised = r#"{"error":"boom (Exception)","backtrace":[]}"#;
    check(203, "", raised, "module raised: boom (Exception)").await;
    check(500, "", "{}", "the node answered 500: {}").await;
    check(500, "", "", "the node answered 500: no reason given").await;
    check(200, "", "hello", "the node answered what is no JSON").await;
    check(
        503,
        "riser-not-run: 1\r\n",
        r#"{"error":"not here"}"#,
        "the node does not run the module",
    )
    .await;
    let busy = r#"{"error":"too many calls wait"}"#;
    check(503, "riser-failure: busy\r\n", busy, "too many calls wait").await;
}

#[tokio::test]
async fn a_placeos_says_what_an_api_key_opens() {
    let payload = r#"{"iss":"POS","sub":"user-1"}"#;
    for (status, body, expect) in [
        (200, payload, Ok(Some(payload.to_owned()))),
        (401, r#"{"error":"unknown X-API-Key"}"#, Ok(None)),
        (403, "", Ok(None)),
        (500, "", Err("the node answered 500 Internal Server Error")),
        (200, "<html>", Err("the node answered what is no JSON")),
    ] {
        let api = StubCore::start(move |_| Then::answer(status, "", body)).await;
        let placeos = PlaceOsApi::new(&api.uri(), RootCertStore::empty()).unwrap();
        let said = placeos.inspect(&Secret::new("key-1.hunter2")).await;
        let said = said.map(|said| said.map(|payload| payload.as_str().to_owned()));
        assert_eq!(
            said.map_err(|error| error.to_string()),
            expect.map_err(str::to_owned)
        );
        let seen = api.only();
        assert_eq!(seen.line, "GET /api/engine/v2/api_keys/inspect HTTP/1.1");
        assert_eq!(seen.headers["x-api-key"], "key-1.hunter2");
    }
    let closed = PlaceOsApi::new(
        &NodeUri::new("http://127.0.0.1:1").unwrap(),
        RootCertStore::empty(),
    );
    let said = closed.unwrap().inspect(&Secret::new("a.b")).await;
    assert!(matches!(said, Err(PeerError::Unreachable(_))), "{said:?}");
}

/// Of one call, which was sent once.
async fn check(status: u16, headers: &'static str, body: &'static str, expect: &str) {
    let core = StubCore::start(move |_| Then::answer(status, headers, body)).await;
    let reply = peers().call(&core.uri(), call("power", "[]")).await;
    assert_eq!(reply.unwrap_err().to_string(), expect);
    core.only();
}

#[tokio::test]
async fn a_riser_node_says_the_kind_and_a_driver_its_code() {
    let raised = r#"{"error":"lamp"}"#;
    let core = StubCore::start(|_| Then::answer(203, "Response-Code: 418\r\n", raised)).await;
    let error = peers()
        .call(&core.uri(), call("a", "[]"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, PeerError::Driver { code: 418, .. }),
        "{error:?}"
    );

    let core = StubCore::start(|_| Then::answer(203, "riser-failure: timed-out\r\n", raised)).await;
    let error = peers()
        .call(&core.uri(), call("a", "[]"))
        .await
        .unwrap_err();
    let kind = FailureKind::TimedOut;
    assert!(
        matches!(error, PeerError::Failed { kind: found, .. } if found == kind),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_silent_core_is_asked_once_and_not_known_at_the_deadline() {
    // §10 case 41
    let core = StubCore::start(|_| Then::Silence).await;
    let (uri, module, call) = (core.uri(), module(), call("power", "[]"));
    let deadline = Instant::now() + Duration::from_millis(100);
    let answer = Peers::call(&peers(), &uri, &module, &call, None, deadline);
    let error = answer.await.unwrap_err();
    assert!(matches!(error, PeerError::TimedOut), "{error:?}");
    core.only();
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_call_leaves_its_outcome_unknown_and_nothing_is_sent_again()
 {
    let core = StubCore::start(|_| Then::HangUp).await;
    let error = peers()
        .call(&core.uri(), call("power", "[]"))
        .await
        .unwrap_err();
    assert!(matches!(error, PeerError::Lost(_)), "{error:?}");
    core.only();
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = uri("http", &listener);
    drop(listener);
    let error = peers().call(&uri, call("power", "[]")).await.unwrap_err();
    assert!(matches!(error, PeerError::Unreachable(_)), "{error:?}");
    let nonsense = NodeUri::new("core").unwrap();
    let error = peers()
        .call(&nonsense, call("power", "[]"))
        .await
        .unwrap_err();
    assert!(matches!(error, PeerError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn calls_one_after_the_other_share_a_connection() {
    let core = StubCore::start(|_| Then::answer(200, "", "1")).await;
    let peers = peers();
    for _ in 0..3 {
        peers.call(&core.uri(), call("power", "[]")).await.unwrap();
    }
    assert_eq!((core.seen().len(), core.connections()), (3, 1));
}

#[tokio::test]
async fn a_connection_that_ended_while_it_rested_is_replaced_before_anything_is_sent() {
    let core = StubCore::start(|_| Then::answer_and_end(200, "1")).await;
    let peers = peers();
    for calls in 1..=20 {
        peers.call(&core.uri(), call("power", "[]")).await.unwrap();
        // The connection rests by now.
        core.log.end.notify_one();
        core.wait_for_ends(calls).await;
    }
    assert_eq!((core.seen().len(), core.connections()), (20, 20));
}

#[tokio::test]
async fn calls_at_one_time_say_their_order_whichever_future_is_polled_first() {
    let core = StubCore::start(|_| Then::answer(200, "", "1")).await;
    let peers = peers();
    let first = peers.call(&core.uri(), call("first", "[]"));
    let second = peers.call(&core.uri(), call("second", "[]"));
    second.await.unwrap();
    first.await.unwrap();
    let mut orders = HashMap::new();
    for seen in core.seen() {
        let name = if seen.body.contains("first") {
            "first"
        } else {
            "second"
        };
        orders.insert(name, seen.headers["riser-order"].clone());
    }
    let (stream, place) = orders["first"].split_once('/').unwrap();
    assert_eq!(place, "0/0");
    assert_eq!(orders["second"], format!("{stream}/1/0"));
}

#[tokio::test]
async fn a_call_too_many_is_refused_and_not_sent() {
    let core = StubCore::start(|_| Then::Silence).await;
    let peers = peers();
    let uri = core.uri();
    let node = peers.shared.node(&uri).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..crate::peers::limits::CONNECTIONS_PER_NODE {
        calls.spawn(peers.call(&uri, call("power", "[]")));
    }
    while node.free_places() > 0 {
        tokio::task::yield_now().await;
    }
    let error = peers.call(&uri, call("power", "[]")).await.unwrap_err();
    assert!(matches!(error, PeerError::Busy), "{error:?}");
    drop(calls);
}

#[tokio::test]
async fn nodes_that_nobody_asks_any_more_are_forgotten() {
    let core = StubCore::start(|_| Then::answer_and_end(200, "1")).await;
    let peers = peers();
    peers.call(&core.uri(), call("power", "[]")).await.unwrap();
    let nodes = || peers.shared.nodes.lock().unwrap().len();
    assert_eq!(nodes(), 1);
    peers.shared.node(&core.uri()).unwrap().forget_connections();
    peers.shared.tidy();
    assert_eq!(nodes(), 0);
}

#[tokio::test]
async fn a_node_that_is_listed_with_https_has_to_show_a_certificate_that_is_believed() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let core = StubCore::start_by_tls(config, |_| Then::answer(200, "", "1")).await;
    let uri = NodeUri::new(&core.uri().as_str().replace("127.0.0.1", "localhost")).unwrap();

    let error = peers().call(&uri, call("power", "[]")).await.unwrap_err();
    assert!(matches!(error, PeerError::Unreachable(_)), "{error:?}");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let peers = HttpPeers::new(Secret::new("hunter2").into(), roots).unwrap();
    peers.call(&uri, call("power", "[]")).await.unwrap();
    core.only();
}

#[test]
fn the_secret_shows_nowhere() {
    let peers = peers();
    let address = Address::parse(&NodeUri::new("http://core:1").unwrap()).unwrap();
    let orders = Arc::new(order::Orders::default());
    let (module, call) = (module(), call("power", "[]"));
    let position = orders.join(&module);
    let secret = Secret::new("hunter2");
    let request = execute::request(&address, &module, &call, None, &position, Some(&secret));
    let request = request.unwrap();
    assert!(!format!("{peers:?} {request:?} {:?}", peers.shared.secret).contains("hunter2"));
}

#[tokio::test]
async fn a_log_is_followed_until_the_node_ends_it() {
    // §10 case 58, the upstream half
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = uri("http", &listener);
    let mut core = JoinSet::new();
    core.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        for line in [r#"[4,"hot"]"#, "nonsense", r#"[1,"a\nb"]"#] {
            socket.send(Message::text(line)).await.unwrap();
        }
        socket.close(None).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    });
    let (lines, mut heard) = Heard::new();
    let end = peers().debug(&uri, &module(), lines).await;
    assert!(matches!(end, PeerError::Lost(_)), "{end:?}");
    let mut said = Vec::new();
    while let Ok(line) = heard.try_recv() {
        said.push(line);
    }
    assert_eq!(said, ["opened", "warn hot", "debug a\nb"]);
    core.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_node_sees_its_socket_close_when_nobody_follows_any_more() {
    // §10 case 60, the upstream half
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = uri("http", &listener);
    let mut core = JoinSet::new();
    core.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    });
    let (lines, mut heard) = Heard::new();
    let mut following = JoinSet::new();
    following.spawn(peers().debug(&uri, &module(), lines));
    assert_eq!(heard.recv().await.as_deref(), Some("opened"));
    drop(following);
    let ended = timeout(PATIENCE, core.join_next()).await;
    ended.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_log_that_cannot_be_followed_says_why() {
    let core = StubCore::start(|_| Then::answer(503, "riser-not-run: 1\r\n", "{}")).await;
    let (lines, _heard) = Heard::new();
    let end = peers().debug(&core.uri(), &module(), lines).await;
    assert!(matches!(end, PeerError::NotThere), "{end:?}");
    let seen = core.only();
    assert_eq!(
        seen.line,
        "GET /api/core/v1/command/mod-d1/debugger HTTP/1.1"
    );
    assert_eq!(seen.headers["authorization"], "Bearer hunter2");

    let core = StubCore::start(|_| Then::answer(500, "", "")).await;
    let (lines, _heard) = Heard::new();
    let end = peers().debug(&core.uri(), &module(), lines).await;
    assert!(matches!(end, PeerError::Unexpected(_)), "{end:?}");
}

fn peers() -> HttpPeers {
    let secret = Secret::new("hunter2").into();
    HttpPeers::new(secret, RootCertStore::empty()).unwrap()
}

fn module() -> ModuleId {
    ModuleId::new("mod-d1").unwrap()
}

impl HttpPeers {
    /// Calls the module for a user who is patient.
    fn call(
        &self,
        at: &NodeUri,
        exec: ExecRequest,
    ) -> BoxFuture<'static, Result<PeerReply, PeerError>> {
        let user = UserId::new("user-1").ok();
        let deadline = Instant::now() + PATIENCE;
        Peers::call(self, at, &module(), &exec, user.as_ref(), deadline)
    }
}

fn call(function: &str, arguments: &str) -> ExecRequest {
    ExecRequest {
        module: module().into(),
        function: FunctionName::new(function).unwrap(),
        arguments: JsonText::parse(arguments).unwrap(),
        act: None,
    }
}

fn uri(scheme: &str, listener: &TcpListener) -> NodeUri {
    let address = listener.local_addr().unwrap();
    NodeUri::new(&format!("{scheme}://{address}")).unwrap()
}

/// Keeps what comes of a log.
struct Heard(mpsc::Sender<String>);

impl Heard {
    fn new() -> (Arc<Self>, mpsc::Receiver<String>) {
        let (sender, receiver) = mpsc::channel(16);
        (Arc::new(Self(sender)), receiver)
    }
}

impl LineSink for Heard {
    fn opened(&self) {
        self.0.try_send("opened".to_owned()).unwrap();
    }

    fn line(&self, level: LogLevel, message: String) {
        self.0.try_send(format!("{level} {message}")).unwrap();
    }
}

/// A request as the stub saw it.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    headers: HashMap<String, String>,
    body: String,
}

/// What the stub does with a request.
enum Then {
    Answer(String),
    AnswerAndEnd(String),
    Silence,
    HangUp,
}

impl Then {
    fn text(status: u16, headers: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
    }

    fn answer(status: u16, headers: &str, body: &str) -> Self {
        Self::Answer(Self::text(status, headers, body))
    }

    fn answer_and_end(status: u16, body: &str) -> Self {
        Self::AnswerAndEnd(Self::text(status, "", body))
    }
}

/// A stub of a core. It ends with the test.
struct StubCore {
    uri: NodeUri,
    log: Arc<Log>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    ends: AtomicUsize,
    /// Told when a connection is to end behind its answer.
    end: Notify,
}

type Script = Arc<dyn Fn(&Seen) -> Then + Send + Sync>;

impl StubCore {
    async fn start(script: impl Fn(&Seen) -> Then + Send + Sync + 'static) -> Self {
        Self::serve("http", None, Arc::new(script)).await
    }

    async fn start_by_tls(
        config: ServerConfig,
        script: impl Fn(&Seen) -> Then + Send + Sync + 'static,
    ) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::serve("https", Some(acceptor), Arc::new(script)).await
    }

    async fn serve(scheme: &str, tls: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = uri(scheme, &listener);
        let log = Arc::new(Log::default());
        let mut tasks = JoinSet::new();
        let noted = Arc::clone(&log);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, script, tls) = (Arc::clone(&noted), Arc::clone(&script), tls.clone());
                connections.spawn(async move {
                    // Some tests are about a client that goes in the middle of an exchange.
                    let _ = connection(stream, tls, &log, &script).await;
                    log.ends.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            uri,
            log,
            _tasks: tasks,
        }
    }

    fn uri(&self) -> NodeUri {
        self.uri.clone()
    }

    fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    /// The one request that there was.
    fn only(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    async fn wait_for_ends(&self, ends: usize) {
        let all = async {
            while self.log.ends.load(Ordering::SeqCst) < ends {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, all).await.unwrap();
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    log: &Log,
    script: &Script,
) -> io::Result<()> {
    let mut stream: Box<dyn Duplex> = match tls {
        Some(tls) => Box::new(tls.accept(stream).await?),
        None => Box::new(stream),
    };
    log.connections.fetch_add(1, Ordering::SeqCst);
    let mut bytes = Vec::new();
    loop {
        let Some(seen) = request(&mut stream, &mut bytes).await? else {
            return Ok(());
        };
        log.seen.lock().unwrap().push(seen.clone());
        match script(&seen) {
            Then::Answer(text) => stream.write_all(text.as_bytes()).await?,
            Then::AnswerAndEnd(text) => {
                stream.write_all(text.as_bytes()).await?;
                log.end.notified().await;
                return stream.shutdown().await;
            }
            Then::Silence => std::future::pending().await,
            Then::HangUp => return Ok(()),
        }
    }
}

/// Reads one request; `None` at the end of the connection.
async fn request(stream: &mut Box<dyn Duplex>, bytes: &mut Vec<u8>) -> io::Result<Option<Seen>> {
    loop {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next().unwrap_or_default().to_owned();
            let headers: HashMap<String, String> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.get("content-length");
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if let Some(body) = body.get(..length) {
                let body = body.to_owned();
                *bytes = bytes.split_off(head.len() + 4 + length);
                return Ok(Some(Seen {
                    line,
                    headers,
                    body,
                }));
            }
        }
        if stream.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    }
}
