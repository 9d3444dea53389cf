//! Pushjet's resources over real sockets, at the main address and at the dialect's own, with a store in memory behind them.

mod listening;
mod making;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::core::tests::testkit::TestCore;
use crate::dialects::pushjet::rest::Endpoint;
use crate::server::http::mounts::PUSHJET;
use crate::server::{
    CreateSettings, ListenerSettings, PushjetSettings, Server, ServerSettings, ServingSettings,
};

const PATIENCE: Duration = Duration::from_secs(20);

const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const OTHER_UUID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// A server whose services anyone may make.
fn settings() -> ServerSettings {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let own = |serves| ListenerSettings {
        dialect: PUSHJET,
        serves,
        listen,
        setting: "pushjet",
    };
    ServerSettings {
        listen,
        workers: 1,
        own_listeners: [
            ServingSettings::Everything,
            ServingSettings::Websocket,
            ServingSettings::Stream,
        ]
        .map(own)
        .into(),
        pushjet: PushjetSettings {
            create: Some(CreateSettings::Anyone),
            ..PushjetSettings::DEFAULT
        },
        ..ServerSettings::default()
    }
}

/// Where a test finds the gateway.
struct Places {
    main: SocketAddr,
    own: SocketAddr,
    websocket: SocketAddr,
    stream: SocketAddr,
}

/// Serves for as long as a test goes on.
async fn serve(how: ServerSettings, test: impl AsyncFnOnce(&TestCore, &Places)) {
    let core = TestCore::new().await;
    let server = Server::bind(core.core.clone(), how, String::new).unwrap();
    server.readiness_gate().open();
    let own = server.own_addresses().unwrap();
    let places = Places {
        main: server.address(),
        own: own[0].address,
        websocket: own[1].address,
        stream: own[2].address,
    };
    let stop = CancellationToken::new();
    let serving = server.run(stop.clone());
    let testing = async {
        test(&core, &places).await;
        stop.cancel();
    };
    let (served, ()) = join(serving, testing).await;
    served.unwrap();
}

/// What came back.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// What stands in the body at this place.
    fn at(&self, pointer: &str) -> Value {
        let found = self.json().pointer(pointer).cloned();
        found.unwrap_or_else(|| panic!("no {pointer} in {}", self.body))
    }

    #[track_caller]
    fn is(&self, status: u16, body: Value) {
        assert_eq!((self.status, self.json()), (status, body));
    }

    #[track_caller]
    fn is_error(&self, status: u16, id: i64) {
        assert_eq!((self.status, self.at("/error/id")), (status, json!(id)));
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// Sends a request with a form.
async fn ask(at: SocketAddr, method: &str, path: &str, form: &str) -> Answer {
    ask_with(at, method, path, "", form).await
}

async fn ask_with(at: SocketAddr, method: &str, path: &str, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{head}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn ok() -> Value {
    json!({"status": "ok"})
}

/// Makes a service, and gives its public key and its secret.
async fn make(at: SocketAddr, name: &str) -> (String, String) {
    let made = ask(at, "POST", "/pushjet/service", &format!("name={name}")).await;
    let text = |pointer| made.at(pointer).as_str().unwrap().to_owned();
    (text("/service/public"), text("/service/secret"))
}

/// The texts of the messages that a device has not read.
async fn take(at: SocketAddr, uuid: &str) -> Vec<String> {
    let path = format!("/pushjet/message?uuid={uuid}");
    let taken = ask(at, "GET", &path, "").await.at("/messages");
    let messages = taken.as_array().unwrap().iter();
    messages
        .map(|message| message["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_resources_are_those_of_the_dialect() {
    let specification = specification();
    for (_, method, path) in Endpoint::ALL {
        let item = &specification.paths.paths[path];
        let operation = match method {
            "GET" => &item.get,
            "POST" => &item.post,
            "PATCH" => &item.patch,
            "DELETE" => &item.delete,
            other => panic!("no method: {other}"),
        };
        assert!(operation.is_some(), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_read_once_by_each_device() {
    serve(settings(), async |_, at| {
        let (public, secret) = make(at.main, "Boiler").await;
        for uuid in [UUID, OTHER_UUID] {
            let path = format!("/pushjet/subscription?uuid={uuid}");
            let form = format!("service={public}");
            let subscribed = ask(at.main, "POST", &path, &form).await;
            assert_eq!(subscribed.at("/service/name"), "Boiler");
            assert_eq!(subscribed.json().pointer("/service/secret"), None);
            ask(at.main, "POST", &path, &form).await.is_error(409, 4);
        }
        let path = format!("/pushjet/message?secret={secret}");
        for text in ["one", "two"] {
            let form = format!("message={text}&title=%C3%9Cberdruck&level=5");
            ask(at.main, "POST", &path, &form).await.is(200, ok());
        }
        let path = format!("/pushjet/message?uuid={}", UUID.to_uppercase());
        let taken = ask(at.main, "GET", &path, "").await;
        assert_eq!(taken.header("cache-control"), Some("no-store"));
        let first = taken.at("/messages/0");
        assert_eq!(
            (
                &first["message"],
                &first["title"],
                &first["link"],
                &first["level"]
            ),
            (&json!("one"), &json!("Überdruck"), &json!(""), &json!(5))
        );
        assert_eq!(first["service"]["public"], public);
        assert_eq!(take(at.main, UUID).await, [""; 0]);
        let path = format!("/pushjet/message?uuid={OTHER_UUID}");
        ask(at.main, "DELETE", &path, "").await.is(200, ok());
        assert_eq!(take(at.main, OTHER_UUID).await, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_is_ended_by_a_form_in_a_delete() {
    serve(settings(), async |_, at| {
        let (public, _) = make(at.main, "Boiler").await;
        let path = format!("/pushjet/subscription?uuid={UUID}");
        let form = format!("service={public}");
        ask(at.main, "POST", &path, &form).await;
        let listed = ask(at.main, "GET", &path, "").await;
        assert_eq!(listed.at("/subscriptions/0/service/public"), public);
        ask(at.main, "DELETE", &path, &form).await.is(200, ok());
        ask(at.main, "DELETE", &path, &form).await.is_error(409, 11);
        let listed = ask(at.main, "GET", &path, "").await;
        listed.is(200, json!({"subscriptions": []}));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_at_the_end_and_a_body_of_json_change_nothing() {
    serve(settings(), async |_, at| {
        let (public, secret) = make(at.main, "Boiler").await;
        let path = format!("/pushjet/subscription/?uuid={UUID}");
        ask(at.main, "POST", &path, &format!("service={public}")).await;
        // As Apprise sends it, which calls it a form.
        let path = format!("/message/?secret={secret}");
        let body = r#"{"message":"all is well","title":"Boiler","link":null,"level":null}"#;
        ask(at.own, "POST", &path, body).await.is(200, ok());
        assert_eq!(take(at.main, UUID).await, ["all is well"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_and_what_cannot_be_done_is_said_in_pushjets_words() {
    serve(settings(), async |_, at| {
        for (place, path) in [
            (at.main, "/pushjet/nothing"),
            (at.own, "/"),
            (at.own, "/pushjet/message"),
        ] {
            ask(place, "GET", path, "").await.is_error(404, 14);
        }
        for path in ["/pushjet/message", "/pushjet/message/"] {
            let refused = ask(at.main, "PUT", path, "").await;
            refused.is_error(405, 14);
            assert_eq!(refused.header("allow"), Some("DELETE, GET, HEAD, POST"));
        }
        let long = "x".repeat(crate::dialects::pushjet::limits::BODY_MAX_BYTES + 1);
        let refused = ask(at.main, "POST", "/pushjet/message", &long).await;
        refused.is_error(413, 12);
        let plain = ask(at.main, "GET", "/pushjet/ws", "").await;
        assert_eq!(plain.status, 426);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_every_origin_may_ask() {
    serve(settings(), async |_, at| {
        let asks = "Origin: https://page.test\r\nAccess-Control-Request-Method: DELETE\r\nAccess-Control-Request-Headers: x-mine\r\n";
        let path = "/pushjet/message";
        let may = ask_with(at.main, "OPTIONS", path, asks, "").await;
        assert_eq!(may.status, 204);
        let methods = may.header("access-control-allow-methods");
        assert_eq!(methods, Some("GET, HEAD, POST, PATCH, DELETE"));
        assert_eq!(may.header("access-control-allow-headers"), Some("x-mine"));
        for answer in [
            may,
            ask_with(at.main, "GET", path, "Origin: https://page.test\r\n", "").await,
            ask(at.own, "GET", "/nothing", "").await,
        ] {
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_sends_too_fast_is_slowed_down_and_others_are_not() {
    let settings = ServerSettings {
        pushjet: PushjetSettings {
            messages_per_second: 1,
            ..settings().pushjet
        },
        ..settings()
    };
    serve(settings, async |_, at| {
        let (_, fast) = make(at.main, "Fast").await;
        let (_, slow) = make(at.main, "Slow").await;
        let send = async |secret: &str| {
            let form = format!("secret={secret}&message=x");
            ask(at.main, "POST", "/pushjet/message", &form).await
        };
        send(&fast).await.is(200, ok());
        send(&fast).await.is_error(429, 5);
        send(&slow).await.is(200, ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_does_not_fill_the_store() {
    serve(settings(), async |_, at| {
        let (public, _) = make(at.main, "Boiler").await;
        let mut subscribed = 0;
        let refused = loop {
            let uuid = format!("{subscribed:08x}-d9cb-469f-a165-70867728950e");
            let form = format!("uuid={uuid}&service={public}");
            let answer = ask(at.main, "POST", "/pushjet/subscription", &form).await;
            if answer.status != 200 {
                break answer;
            }
            subscribed += 1;
            assert!(subscribed < 1_000, "there is no end");
        };
        refused.is_error(429, 5);
        assert!(subscribed >= 99, "{subscribed}");
    })
    .await;
}
