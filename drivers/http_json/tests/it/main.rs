//! The driver against an HTTP server of the test's, on real sockets.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod server;

use std::sync::Arc;

use driver_http_json::HttpJson;
use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::Module;
use driver_sdk::{Error, LogLevel, Status};
use test_support::{Certificate, DEADLINE, Folder};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::server::{Answer, Server};

/// What the building file says of the heater, read twenty times a second.
fn heater() -> Value {
    json!({
        "username": "riser",
        "password": "s3cret",
        "headers": {"X-Site": "board"},
        "poll_seconds": 0.05,
        "statuses": {
            "temperature": {"get": "/climate", "pointer": "/now/temperature"},
            "humidity": {"get": "/climate", "pointer": "/now/humidity"},
            "mode": {"get": "/mode"},
        },
        "commands": {
            "boost": {"put": "/heater", "body": {"minutes": "{{ minutes }}", "note": "for {{ minutes }} min"}},
            "stop": {"post": "/zones/{{ zone }}/stop"},
            "forget": {"delete": "/zones/{{ zone }}"},
            "dim": {"patch": "/light?level={{ level }}"},
            "toggle": {"get": "/relay/0?turn=toggle"},
        },
    })
}

async fn start(server: &Server, settings: Value) -> Module {
    try_start(server, settings).await.unwrap()
}

async fn try_start(server: &Server, settings: Value) -> Result<Module, Error> {
    let uri = format!("http://{}/api", server.at);
    Module::of(&HttpJson::DEFINITION)
        .uri(&uri)
        .start(settings)
        .await
}

/// A server that knows what the heater's statuses are, and the heater.
async fn connected() -> (Server, Module) {
    let server = Server::new().await;
    server.answer(
        "GET /api/climate",
        r#"{"now": {"temperature": 21.50, "humidity": 40}}"#,
    );
    server.answer("GET /api/mode", r#"{"name": "eco"}"#);
    let module = start(&server, heater()).await;
    module.wait_connected(true).await;
    (server, module)
}

/// Sends a command, and gives the answer's text or the error's.
async fn send(module: &Module, command: &str, arguments: Value) -> String {
    match module.call("send", (command, arguments)).await {
        Ok(outcome) => outcome.value.to_string(),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

/// Waits for a warning.
async fn warned(module: &Module, text: &str) {
    module.wait_line(text).await;
    let warnings = module.warnings();
    let is_it = |warning: &String| warning.contains(text);
    assert!(warnings.iter().any(is_it), "{warnings:?}");
}

#[tokio::test]
async fn statuses_are_read_byte_for_byte_and_follow_the_device() {
    let (server, module) = connected().await;
    module.wait_json("temperature", "21.50").await;
    module.wait_json("humidity", "40").await;
    module.wait_json("mode", r#"{"name": "eco"}"#).await;
    server.answer("GET /api/mode", r#""off""#);
    module.wait_json("mode", r#""off""#).await;
}

#[tokio::test]
async fn statuses_of_one_path_are_read_in_one_request() {
    let (server, module) = connected().await;
    server.answer("GET /api/mode", "1");
    module.wait_json("mode", "1").await;
    // Each poll asks for both paths in the same order, so neither is ever ahead by more than one.
    let asked = server.asked();
    let count = |line: &str| asked.iter().filter(|it| it.line == line).count();
    let (climate, mode) = (count("GET /api/climate"), count("GET /api/mode"));
    assert!(
        mode <= climate && climate <= mode + 1,
        "{climate} and {mode}"
    );
}

#[tokio::test]
async fn credentials_and_headers_are_in_every_request() {
    let (server, module) = connected().await;
    server.answer("POST /api/zones/1/stop", "{}");
    send(&module, "stop", json!({"zone": 1})).await;
    for asked in server.asked() {
        assert_eq!(asked.headers["authorization"], "Basic cmlzZXI6czNjcmV0");
        assert_eq!(asked.headers["x-site"], "board");
    }
}

#[tokio::test]
async fn a_token_goes_as_a_bearer() {
    let server = Server::new().await;
    let settings = json!({"token": "t0ken", "statuses": {"mode": {"get": "mode"}}});
    let _module = start(&server, settings).await;
    let asked = timeout(DEADLINE, server.wait_asked("GET /api/mode")).await;
    assert_eq!(asked.unwrap().headers["authorization"], "Bearer t0ken");
}

#[tokio::test]
async fn a_pointer_that_leads_nowhere_makes_null() {
    let (server, module) = connected().await;
    module.wait_json("humidity", "40").await;
    server.answer("GET /api/climate", r#"{"now": {"temperature": 20}}"#);
    module.wait_json("temperature", "20").await;
    module.wait_removed(&Status::<Value>::new("humidity")).await;
}

#[tokio::test]
async fn an_answer_that_is_no_json_changes_nothing_and_is_said_once() {
    let (server, module) = connected().await;
    module.wait_json("temperature", "21.50").await;
    server.answer("GET /api/climate", "<html>busy</html>");
    server.answer("GET /api/mode", "1");
    warned(
        &module,
        "'humidity', 'temperature' could not be read: the answer is no JSON",
    )
    .await;
    module.wait_json("mode", "1").await;
    server.answer("GET /api/mode", "2");
    module.wait_json("mode", "2").await;
    module.wait_json("temperature", "21.50").await;
    let warnings = module.lines().into_iter();
    let warnings = warnings.filter(|line| line.level == LogLevel::Warn);
    assert_eq!(warnings.count(), 1);
}

#[tokio::test]
async fn a_path_that_is_refused_leaves_the_others_alone_and_its_number_is_in_the_log() {
    let (server, module) = connected().await;
    module.wait_json("mode", r#"{"name": "eco"}"#).await;
    server.answer_with("GET /api/mode", "503 Busy", "", "");
    warned(&module, "'mode' could not be read: the device answered 503").await;
    server.answer("GET /api/climate", r#"{"now": {"temperature": 5}}"#);
    module.wait_json("temperature", "5").await;
    module.wait_json("mode", r#"{"name": "eco"}"#).await;
    module.wait_connected(true).await;
}

#[tokio::test]
async fn texts_in_latin_1_and_a_byte_order_mark_are_read_as_what_they_mean() {
    let (server, module) = connected().await;
    server.answer("GET /api/mode", b"{\"room\": \"caf\xe9\"}");
    module.wait_json("mode", r#"{"room": "café"}"#).await;
    server.answer("GET /api/mode", "\u{feff}3");
    module.wait_json("mode", "3").await;
}

#[tokio::test]
async fn a_command_is_sent_with_its_values_and_gives_what_the_device_answers() {
    let (server, module) = connected().await;
    server.answer("PUT /api/heater", r#"{"until":"10:05", "n": 1.0}"#);
    let answer = send(&module, "boost", json!({"minutes": 5})).await;
    assert_eq!(answer, r#"{"until":"10:05", "n": 1.0}"#);
    let asked = server.wait_asked("PUT /api/heater").await;
    assert_eq!(asked.body, r#"{"minutes":5,"note":"for 5 min"}"#);
    assert_eq!(asked.headers["content-type"], "application/json");

    server.answer("POST /api/zones/a%2Fb/stop", "stopped");
    assert_eq!(send(&module, "stop", json!({"zone": "a/b"})).await, "null");
    let asked = server.wait_asked("POST /api/zones/a%2Fb/stop").await;
    assert_eq!(asked.body, "");

    server.answer_with("DELETE /api/zones/7", "204 No Content", "", "");
    assert_eq!(send(&module, "forget", json!({"zone": 7})).await, "null");
    server.answer("PATCH /api/light?level=0.5", "true");
    assert_eq!(send(&module, "dim", json!({"level": 0.5})).await, "true");
    server.answer("GET /api/relay/0?turn=toggle", "[]");
    assert_eq!(send(&module, "toggle", json!({})).await, "[]");
    let without_arguments = module.call("send", ("toggle",)).await.unwrap();
    assert_eq!(without_arguments.value.as_str(), "[]");
}

#[tokio::test]
async fn a_call_that_does_not_fit_is_told_what_is_wrong_and_sends_nothing() {
    let (server, module) = connected().await;
    for (command, arguments, expect) in [
        (
            "boots",
            json!({}),
            "404: there is no command 'boots'; expected one of `boost`, `dim`, `forget`, `stop`, `toggle`",
        ),
        ("boost", json!({}), "400: the value 'minutes' is missing"),
        (
            "boost",
            json!({"minutes": [5]}),
            "400: the value 'minutes' is an array, where a string, a number or a boolean belongs",
        ),
        (
            "boost",
            json!({"minutes": 5, "hours": 1}),
            "400: there is no value 'hours' here; expected 'minutes'",
        ),
        (
            "toggle",
            json!({"relay": 1}),
            "400: there is no value 'relay' here: no values are taken",
        ),
        (
            "forget",
            json!({"zone": ".."}),
            "400: the value for {{ zone }} in the path is empty, `.` or `..`, and would lead elsewhere",
        ),
        (
            "boost",
            json!([5]),
            "400: argument 'arguments' of 'send': expected an object",
        ),
    ] {
        assert_eq!(send(&module, command, arguments).await, expect);
    }
    let asked = server.asked();
    let others = asked.iter().find(|it| !it.line.starts_with("GET "));
    assert_eq!(others, None);
}

#[tokio::test]
async fn an_answer_of_400_or_more_is_an_error_with_the_number_and_the_device_stays_connected() {
    let (server, module) = connected().await;
    server.answer_with("PUT /api/heater", "409 Conflict", "", r#"{"no": 1}"#);
    let answer = send(&module, "boost", json!({"minutes": 5})).await;
    assert_eq!(answer, "409: the device answered 409");
    assert_eq!(
        send(&module, "stop", json!({"zone": 1})).await,
        "404: the device answered 404"
    );
    module.wait_connected(true).await;
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_an_error_and_the_next_command_is_answered() {
    let (server, module) = connected().await;
    server.answer("PUT /api/heater", vec![b' '; 4 * 1024 * 1024 + 1]);
    let answer = send(&module, "boost", json!({"minutes": 5})).await;
    assert_eq!(answer, "500: the answer of the device is longer than 4 MiB");
    server.answer("PUT /api/heater", "1");
    assert_eq!(send(&module, "boost", json!({"minutes": 5})).await, "1");
}

#[tokio::test]
async fn a_command_whose_connection_breaks_is_sent_once_and_its_caller_learns_that_it_may_have_run()
{
    let (server, module) = connected().await;
    for (command, line) in [
        ("toggle", "GET /api/relay/0?turn=toggle"),
        ("boost", "PUT /api/heater"),
    ] {
        server.react(line, Answer::HangUp);
        module.wait_connected(true).await;
        let values = match command {
            "boost" => json!({"minutes": 1}),
            _ => json!({}),
        };
        let answer = send(&module, command, values).await;
        assert!(answer.starts_with("502: "), "{answer}");
        assert!(answer.contains("may have run it"), "{answer}");
        module.wait_connected(true).await;
        let asked = server.asked();
        assert_eq!(asked.iter().filter(|it| it.line == line).count(), 1);
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let other = Server::new().await;
    other.answer("GET /api/mode", "666");
    let (server, module) = connected().await;
    let away = format!("location: http://{}/api/mode\r\n", other.at);
    server.answer_with("GET /api/mode", "302 Found", &away, "");
    warned(&module, "'mode' could not be read: the answer is no JSON").await;
    assert_eq!(other.asked(), []);
    server.answer("GET /api/new", "1");
    server.answer_with("GET /api/mode", "302 Found", "location: /api/new\r\n", "");
    module.wait_json("mode", "1").await;
}

#[tokio::test]
async fn a_device_that_goes_away_keeps_its_statuses_refuses_calls_and_is_read_afresh_when_it_is_back()
 {
    let (server, module) = connected().await;
    module.wait_json("temperature", "21.50").await;
    let at = server.at.clone();
    drop(server);
    module.wait_connected(false).await;
    let answer = send(&module, "stop", json!({"zone": 1})).await;
    assert!(
        answer.starts_with("503: the device is not connected: it"),
        "{answer}"
    );
    module.wait_json("temperature", "21.50").await;
    let server = Server::at(&at, None).await;
    server.answer("GET /api/climate", r#"{"now": {"temperature": 19}}"#);
    module.wait_connected(true).await;
    module.wait_json("temperature", "19").await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_says_nothing_is_not_connected_after_five_seconds() {
    let (server, module) = connected().await;
    server.react("GET /api/climate", Answer::Silence);
    let asked = Instant::now();
    module.wait_connected(false).await;
    let silence = asked.elapsed().as_secs_f64();
    assert!((4.9..5.2).contains(&silence), "{silence}");
    server.answer("GET /api/climate", r#"{"now": {"temperature": 19}}"#);
    module.wait_connected(true).await;
    module.wait_json("temperature", "19").await;
}

#[tokio::test]
async fn a_device_that_speaks_no_http_is_not_connected_and_says_so() {
    let (server, module) = connected().await;
    let garbage = Answer::Bytes(b"\x00\xffwhat?\r\n\r\n".to_vec());
    server.react("GET /api/climate", garbage);
    module.wait_connected(false).await;
    warned(&module, "it breaks the protocol").await;
    server.answer("GET /api/climate", "{}");
    module.wait_connected(true).await;
}

#[tokio::test]
async fn a_wrong_password_is_said_and_leaves_the_device_unconnected() {
    let server = Server::new().await;
    for path in ["climate", "mode"] {
        server.answer_with(&format!("GET /api/{path}"), "401 No", "", "");
    }
    let module = start(&server, heater()).await;
    warned(
        &module,
        "it answers 401; `username` and `password`, or `token`",
    )
    .await;
    module.wait_connected(false).await;
    assert!(!format!("{:?}", module.lines()).contains("s3cret"));
    server.answer("GET /api/climate", "{}");
    server.answer("GET /api/mode", "1");
    module.wait_connected(true).await;
}

#[tokio::test]
async fn without_statuses_the_device_is_looked_at_all_the_same() {
    let server = Server::new().await;
    let module = start(&server, json!({"commands": {"stop": {"post": "stop"}}})).await;
    module.wait_connected(true).await;
    server.answer("POST /api/stop", "1");
    assert_eq!(send(&module, "stop", json!({})).await, "1");
    assert_eq!(server.asked()[0].line, "GET /api");
}

#[tokio::test]
async fn a_device_over_https_is_believed_as_the_settings_say() {
    let certificate = Certificate::new();
    let chain = CertificateDer::from_pem_slice(certificate.chain.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let server = Server::tls(TlsAcceptor::from(Arc::new(config))).await;
    server.answer("GET /mode", "1");
    let uri = format!("https://{}", server.at);
    let plan = || Module::of(&HttpJson::DEFINITION).uri(&uri);
    let statuses = json!({"mode": {"get": "/mode"}});

    let module = plan().start(json!({"statuses": statuses})).await.unwrap();
    warned(&module, "signed by no authority that is trusted").await;
    let settings = json!({"statuses": statuses, "verify": false});
    let module = plan().start(settings).await.unwrap();
    module.wait_json("mode", "1").await;
    let folder = Folder::new();
    let file = folder.write("authority.pem", &certificate.chain);
    let settings = json!({"statuses": statuses, "ca": file});
    let module = plan().start(settings).await.unwrap();
    module.wait_json("mode", "1").await;
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused_with_what_is_expected() {
    let server = Server::new().await;
    for (settings, expect) in [
        (
            json!({"commands": {"a": {"body": {}}}}),
            "commands.a: expected one of `get`, `post`, `put`, `patch`, `delete` with a path",
        ),
        (
            json!({"commands": {"a": {"get": "/", "put": "/"}}}),
            "commands.a: expected one of `get`, `post`, `put`, `patch`, `delete` with a path",
        ),
        (
            json!({"commands": {"a": {"head": "/"}}}),
            "commands.a.head: is not known; expected one of `get`, `post`, `put`, `patch`, `delete`, `body`",
        ),
        (
            json!({"commands": {"a": {"post": "/{{"}}}),
            "commands.a.post: expected `}}` behind `{{` and a name",
        ),
        (
            json!({"commands": {"a": {"post": "/", "body": ["{{ 1 }}"]}}}),
            "commands.a.body: expected a name of letters, digits and `_` between `{{` and `}}`",
        ),
        (
            json!({"statuses": {"a": {"get": "/{{ zone }}"}}}),
            "statuses.a.get: `{{ zone }}` is not known, since no value is given here",
        ),
        (
            json!({"statuses": {"a": {"get": "/", "pointer": "x"}}}),
            "statuses.a.pointer: expected a JSON pointer, which begins with `/`",
        ),
        (json!({"statuses": {"a": {}}}), "statuses.a: missing `get`"),
        (
            json!({"password": "x"}),
            "there is a `password` without a `username`",
        ),
        (
            json!({"username": "x", "token": "y"}),
            "a device is signed in to by `username` and `password` or by `token`, and not by both",
        ),
        (
            json!({"ca": "authority.pem", "verify": false}),
            "`ca` names whose certificates are believed and `verify: false` believes all; leave one out",
        ),
    ] {
        let error = try_start(&server, settings).await.unwrap_err();
        assert!(error.message().ends_with(expect), "{error}");
    }
}
