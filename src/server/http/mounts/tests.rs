//! The table over real sockets, with a row that stands in for a dialect of its own words and its own address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get as route};
use futures_util::future::join;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::core::Core;
use crate::core::tests::testkit::{TestCore, TestNode};
use crate::server::{BindError, ListenerSettings, Server, ServingSettings, StartError};

const PATIENCE: Duration = Duration::from_secs(20);

/// The dialect of the row.
const DIALECT: &str = "testing";

/// A dialect below a prefix, with words of its own.
pub(super) const MOUNT: Mount = Mount {
    owner: DIALECT,
    prefix: "/testing",
    base: Base::Below,
    routes: |config| {
        config.service(web::scope("/inner").service(hello));
    },
    specification: openapi::empty,
    unknown: || HttpRejection::text(StatusCode::NOT_FOUND, "no such thing"),
    words: placeos::WORDS,
};

/// The dialect that the seam of dialects is tested by: a websocket and nothing beside it.
pub(super) const ECHO: Mount = Mount {
    owner: "echo",
    prefix: "",
    base: Base::Below,
    routes: |_| {},
    specification: openapi::empty,
    unknown: placeos::nothing_here,
    words: placeos::WORDS,
};

#[route("/hello")]
async fn hello() -> HttpResponse {
    HttpResponse::Ok().body("hello")
}

const NOTHING_HERE: (u16, &str) = (404, r#"{"error":"there is nothing here"}"#);
const NO_SUCH_THING: (u16, &str) = (404, "no such thing");
const LIVES: (u16, &str) = (200, "");
const HELLO: (u16, &str) = (200, "hello");

fn settings(base_path: &str) -> ServerSettings {
    ServerSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        workers: 1,
        base_path: base_path.to_owned(),
        dialects: vec![PLACEOS, DIALECT],
        own_listeners: vec![own(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))],
        ..ServerSettings::default()
    }
}

fn own(listen: SocketAddr) -> ListenerSettings {
    ListenerSettings {
        dialect: DIALECT,
        serves: ServingSettings::Everything,
        listen,
        setting: "testing.listen",
    }
}

/// Has a server with these settings serve, and hands over its address and that of the dialect.
async fn serve(settings: ServerSettings, test: impl AsyncFnOnce(SocketAddr, SocketAddr)) {
    let TestCore { core, .. } = TestCore::new().await;
    serve_core(core, settings, test).await;
}

async fn serve_core(
    core: Arc<Core>,
    settings: ServerSettings,
    test: impl AsyncFnOnce(SocketAddr, SocketAddr),
) {
    let server = Server::bind(core, settings, String::new).unwrap();
    server.readiness_gate().open();
    let (main, own) = (server.address(), server.own_addresses().unwrap());
    assert_eq!(own[0].dialect, DIALECT);
    let stop = CancellationToken::new();
    let serving = server.run(stop.clone());
    let testing = async {
        test(main, own[0].address).await;
        stop.cancel();
    };
    let (served, ()) = join(serving, testing).await;
    served.unwrap();
}

#[track_caller]
fn check(found: (u16, String), expect: (u16, &str)) {
    assert_eq!((found.0, &*found.1), expect);
}

async fn get(at: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_path_is_answered_in_the_words_of_its_mount() {
    serve(settings(""), async |main, _| {
        check(get(main, "/testing/inner/hello").await, HELLO);
        for theirs in ["/testing", "/testing/", "/testing/x", "/testing/inner/x"] {
            check(get(main, theirs).await, NO_SUCH_THING);
        }
        check(get(main, "/").await, LIVES);
        for nobodys in ["/x", "/testingx", "/inner/hello", "/api/engine/v2/x"] {
            check(get(main, nobodys).await, NOTHING_HERE);
        }
        assert_eq!(get(main, "/healthz").await.0, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialect_has_every_path_at_an_address_of_its_own() {
    serve(settings("/riser"), async |main, own| {
        check(get(own, "/inner/hello").await, HELLO);
        for theirs in ["/", "/x", "/healthz", "/login", "/testing/inner/hello"] {
            check(get(own, theirs).await, NO_SUCH_THING);
        }
        check(get(main, "/riser/testing/inner/hello").await, HELLO);
        check(get(main, "/riser/testing/x").await, NO_SUCH_THING);
        check(get(main, "/riser/").await, LIVES);
        for nobodys in [
            "/",
            "/testing/inner/hello",
            "/riser/x",
            "/healthz",
            "/riserx",
        ] {
            check(get(main, nobodys).await, NOTHING_HERE);
        }
        assert_eq!(get(main, "/riser/healthz").await.0, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_ask_at_the_root_whatever_the_base_path() {
    let node = TestNode::new().await;
    let core = Arc::clone(&node.core);
    serve_core(core, settings("/riser"), async |main, own| {
        assert_eq!(get(main, "/api/core/v1/version").await.0, 200);
        check(get(main, "/riser/api/core/v1/version").await, NOTHING_HERE);
        check(get(own, "/api/core/v1/version").await, NO_SUCH_THING);
    })
    .await;
}

#[tokio::test]
async fn an_address_that_is_taken_or_given_twice_is_refused_with_its_setting() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = holder.local_addr().unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let twice = free.local_addr().unwrap();
    drop(free);
    for settings in [
        ServerSettings {
            own_listeners: vec![own(taken)],
            ..settings("")
        },
        ServerSettings {
            own_listeners: vec![own(twice), own(twice)],
            ..settings("")
        },
        ServerSettings {
            listen: twice,
            own_listeners: vec![own(twice)],
            ..settings("")
        },
        ServerSettings {
            health_listen: Some(twice),
            own_listeners: vec![own(twice)],
            ..settings("")
        },
    ] {
        let TestCore { core, .. } = TestCore::new().await;
        let refused = Server::bind(core, settings, String::new).unwrap_err();
        let StartError::Bind(BindError { setting, .. }) = refused else {
            panic!("{refused}");
        };
        assert_eq!(setting, "`testing.listen`");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialect_that_is_closed_is_nowhere() {
    let closed = ServerSettings {
        dialects: vec![PLACEOS],
        ..settings("")
    };
    let TestCore { core, .. } = TestCore::new().await;
    let server = Server::bind(core, closed.clone(), String::new).unwrap();
    assert_eq!(server.own_addresses().unwrap(), []);
    let site = Site::main(&closed);
    assert_eq!(site.local(DIALECT, "/testing/x"), None);
    assert_eq!(site.local(PLACEOS, "/x"), Some("/x"));
}
