//! The core API of a node that serves, over real sockets, as another node and as a PlaceOS would use it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use crate::core::tests::testkit::{TestCore, TestNode};
use crate::model::{
    Clearance, Edit, Entry, JsonText, LogLevel, Metadata, MetadataId, MetadataName, ModuleId,
    ParentId, System, SystemId, User, UserId, Zone, ZoneId,
};
use crate::server::{Server, ServerSettings};

const PATIENCE: Duration = Duration::from_secs(20);

const EXECUTE: &str = "/api/core/v1/command/mod-1/execute?user_id=user-1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_a_module_here_is_answered_as_by_a_core_of_placeos() {
    // §10 cases 36 to 39, from the other side
    serve(async |node: &TestNode, at: SocketAddr| {
        let body = r#"{"__exec__":"echo","echo":[true]}"#;
        let answer = post(at, EXECUTE, &secret(), body).await;
        answer.check(200, "[true]");
        assert_eq!(answer.header("response-code"), Some("200"));
        assert_eq!(node.begun(), ["echo[true]"]);

        let named = r#"{"__exec__":"echo","echo":{"a":1}}"#;
        post(at, EXECUTE, &secret(), named)
            .await
            .check(200, r#"{"a":1}"#);

        let answer = post(at, EXECUTE, &secret(), r#"{"__exec__":"fail","fail":[]}"#).await;
        assert_eq!(answer.status, 203);
        assert!(
            answer.body.ends_with(r#","backtrace":[]}"#),
            "{}",
            answer.body
        );
        assert!(answer.header("riser-failure").is_none());

        let answer = post(at, EXECUTE, &secret(), r#"{"__exec__":"nope","nope":[]}"#).await;
        assert_eq!(answer.status, 203);
        assert_eq!(answer.header("riser-failure"), Some("function-not-found"));

        post(at, EXECUTE, &secret(), "[]").await.check_status(400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_for_a_user_whom_the_zone_denies_the_room_is_refused_here_too() {
    serve(async |node: &TestNode, at: SocketAddr| {
        let body = r#"{"__exec__":"echo","echo":[true]}"#;
        let permissions = MetadataId {
            parent: ParentId::new("zone-1").unwrap(),
            name: MetadataName::new("permissions").unwrap(),
        };
        let zone = Zone {
            id: ZoneId::new("zone-1").unwrap(),
            name: "Organisation".to_owned(),
            display_name: None,
            description: String::new(),
            tags: vec!["org".to_owned()],
            parent_id: None,
        };
        let system = SystemId::new("sys-1").unwrap();
        let room = System {
            zones: vec![zone.id.clone()],
            modules: vec![ModuleId::new("mod-1").unwrap()],
            ..node
                .core
                .queries
                .directory()
                .system(&system)
                .unwrap()
                .clone()
        };
        let user = |id: &str, groups: &[&str]| User {
            id: UserId::new(id).unwrap(),
            email: format!("{id}@example.test"),
            name: String::new(),
            level: Clearance::User,
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            password: None,
        };
        let edits = [
            Entry::Zone(zone),
            Entry::System(room),
            Entry::User(user("user-1", &["guests"])),
            Entry::User(user("user-2", &[])),
            Entry::Metadata(Metadata {
                id: permissions,
                description: String::new(),
                details: JsonText::parse(r#"{"deny":["guests"]}"#).unwrap(),
                editors: vec![],
            }),
        ];
        let edits = edits.into_iter().map(Edit::put).collect();
        node.core.editor.edit_at_rest(edits).await.unwrap();
        let answer = post(at, EXECUTE, &secret(), body).await;
        assert_eq!(answer.status, 203);
        assert_eq!(answer.header("riser-failure"), Some("forbidden"));
        assert!(node.begun().is_empty());
        for user in ["user-2", "user-far"] {
            let path = format!("/api/core/v1/command/mod-1/execute?user_id={user}");
            post(at, &path, &secret(), body).await.check(200, "[true]");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_run_here_is_said_not_to_have_run() {
    serve(async |_: &TestNode, at: SocketAddr| {
        let elsewhere = "/api/core/v1/command/mod-9/execute";
        let body = r#"{"__exec__":"echo","echo":[]}"#;
        let answer = post(at, elsewhere, &secret(), body).await;
        answer.check(503, r#"{"error":"the module does not run on this node"}"#);
        assert_eq!(answer.header("riser-not-run"), Some("1"));
        let load = |module: &str| format!("/api/core/v1/command/{module}/load");
        post(at, &load("mod-9"), &secret(), "")
            .await
            .check_status(503);
        post(at, &load("mod-1"), &secret(), "")
            .await
            .check_status(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_show_the_secret_is_refused_before_the_body_comes() {
    serve(async |_: &TestNode, at: SocketAddr| {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let head = format!("POST {EXECUTE} HTTP/1.1\r\nHost: {at}\r\nContent-Length: 9\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        let read = timeout(PATIENCE, stream.read_exact(&mut status)).await;
        read.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 401");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_show_the_secret_is_not_let_in() {
    serve(async |node: &TestNode, at: SocketAddr| {
        let body = r#"{"__exec__":"echo","echo":[]}"#;
        for shown in [
            "",
            "Authorization: Bearer wrong\r\n",
            "Authorization: Basic x\r\n",
        ] {
            post(at, EXECUTE, shown, body).await.check_status(401);
            get(at, "/api/core/v1/status", shown)
                .await
                .check_status(401);
            let refused = debugger(at, "mod-1", "Bearer wrong").await.unwrap_err();
            assert!(matches!(refused, Error::Http(answer) if answer.status() == 401));
        }
        assert!(node.begun().is_empty());
        // A resource without information is open to every client, as in PlaceOS.
        for path in ["/api/core/v1/", "/api/core/v1/version"] {
            get(at, path, "").await.check_status(200);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_says_what_runs_on_it() {
    serve(async |_: &TestNode, at: SocketAddr| {
        let loaded = get(at, "/api/core/v1/status/loaded", &secret()).await;
        loaded.check(200, r#"{"local":{"scripted":["mod-1"]},"edge":{}}"#);
        let status = get(at, "/api/core/v1/status", &secret()).await;
        let count = r#""run_count":{"local":{"drivers":1,"modules":1},"edge":{}}"#;
        assert!(status.body.contains(count), "{}", status.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_say_their_order_begin_in_it_whichever_connection_is_faster() {
    serve(async |node: &TestNode, at: SocketAddr| {
        let stream = "00000000000000000000000000000007";
        let send = async |number: u64| {
            let headers = format!("{}riser-order: {stream}/{number}/0\r\n", secret());
            let body = format!(r#"{{"__exec__":"echo","echo":[{number}]}}"#);
            post(at, EXECUTE, &headers, &body).await.check_status(200);
        };
        let (later, earlier) = (send(1), async {
            // Time for the other to come first; the order holds either way.
            get(at, "/api/core/v1/", "").await.check_status(200);
            send(0).await;
        });
        futures_util::future::join(later, earlier).await;
        assert_eq!(node.begun(), ["echo[0]", "echo[1]"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_streamed_for_as_long_as_the_module_runs_here() {
    // §10 cases 58 and 60, from the other side
    serve(async |node: &TestNode, at: SocketAddr| {
        let bearer = format!("Bearer {}", TestNode::SECRET);
        let mut socket = debugger(at, "mod-1", &bearer).await.unwrap();
        node.say_line(LogLevel::Debug, "one\ntwo \"x\"");
        node.say_line(LogLevel::Warn, "hot");
        let mut next = async || timeout(PATIENCE, socket.next()).await.unwrap();
        let text = |message| match message {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("not a line: {other:?}"),
        };
        assert_eq!(text(next().await), r#"[1,"one\ntwo \"x\""]"#);
        assert_eq!(text(next().await), r#"[4,"hot"]"#);
        node.give_up();
        loop {
            match next().await {
                // What it says of its end comes first.
                Some(Ok(Message::Text(_))) => {}
                Some(Ok(Message::Close(Some(frame)))) => {
                    assert_eq!(u16::from(frame.code), 1001);
                    break;
                }
                other => panic!("not the end: {other:?}"),
            }
        }
        let refused = debugger(at, "mod-1", &bearer).await.unwrap_err();
        let Error::Http(answer) = refused else {
            panic!("{refused}");
        };
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("riser-not-run"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_alone_has_nothing_of_this() {
    let alone = TestCore::new().await;
    serve_core(Arc::clone(&alone.core), async |at| {
        for path in ["/api/core/v1/", "/api/core/v1/ready", "/api/core/v1/status"] {
            get(at, path, &secret()).await.check_status(404);
        }
        post(at, EXECUTE, &secret(), "{}").await.check_status(404);
    })
    .await;
}

fn secret() -> String {
    format!("Authorization: Bearer {}\r\n", TestNode::SECRET)
}

/// Serves a node for as long as a test goes on.
async fn serve(test: impl AsyncFnOnce(&TestNode, SocketAddr)) {
    let node = TestNode::new().await;
    serve_core(Arc::clone(&node.core), async |at| test(&node, at).await).await;
}

async fn serve_core(core: Arc<crate::core::Core>, test: impl AsyncFnOnce(SocketAddr)) {
    let settings = ServerSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        workers: 2,
        ..ServerSettings::default()
    };
    let server = Server::bind(core, settings, String::new).unwrap();
    let address = server.address();
    server.readiness_gate().open();
    let stop = CancellationToken::new();
    let serving = server.run(stop.clone());
    let testing = async {
        test(address).await;
        stop.cancel();
    };
    let (served, ()) = futures_util::future::join(serving, testing).await;
    served.unwrap();
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn check(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }

    #[track_caller]
    fn check_status(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.body);
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
    }
}

async fn get(at: SocketAddr, path: &str, headers: &str) -> Answer {
    ask(at, "GET", path, headers, "").await
}

async fn post(at: SocketAddr, path: &str, headers: &str, body: &str) -> Answer {
    ask(at, "POST", path, headers, body).await
}

/// One request on a connection of its own; `headers` are whole lines.
async fn ask(at: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    Answer {
        status: status.parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn debugger(at: SocketAddr, module: &str, authorization: &str) -> Result<Socket, Error> {
    let url = format!("ws://{at}/api/core/v1/command/{module}/debugger");
    let mut request = url.into_client_request().unwrap();
    let value = authorization.parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let stream = TcpStream::connect(at).await.unwrap();
    let (socket, _) = timeout(PATIENCE, client_async(request, stream))
        .await
        .unwrap()?;
    Ok(socket)
}
