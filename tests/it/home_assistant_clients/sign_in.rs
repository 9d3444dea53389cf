//! How Home Assistant's library comes in, and how others are kept out.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Gateway, Key, LABORATORY, Library, PASSWORD, Socket, WEBSOCKET, free_port};

/// How long a client may take before it has said who it is, with what a busy machine adds.
const SIGN_IN_WITHIN: Duration = Duration::from_secs(10 + 5);

/// Expects to be told why, and to be closed without a fault.
async fn expect_refused(socket: &mut Socket, begins: &str) {
    let frame = socket.client().next().await;
    assert_eq!(frame["type"], "auth_invalid", "{frame}");
    let message = frame["message"].as_str().expect("a text");
    assert!(message.starts_with(begins), "{message}");
    expect_closed(socket).await;
}

async fn expect_closed(socket: &mut Socket) {
    let (code, _) = socket.client().expect_closed(SIGN_IN_WITHIN).await;
    assert_eq!(code, 1000);
}

/// How a person signs in.
fn sign_in(password: &str) -> Value {
    json!({"cmd": "sign_in", "username": "ann@example.test", "password": password})
}

// Case 1.
#[tokio::test]
async fn a_good_token_lets_the_library_in() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());

    let connect = json!({"cmd": "connect", "token": Key::USER.0});
    let version = library.ask(connect).await;
    library.settle().await;

    let version = version.as_str().expect("a version");
    let numbers: Vec<u32> = version.split('.').flat_map(str::parse).collect();
    assert!(
        numbers >= vec![2022, 9],
        "{version} is too old for what is spoken"
    );
    let sent: Vec<&Value> = library.messages("sent").collect();
    assert_eq!(sent[0]["type"], "auth");
    let features =
        json!({"type": "supported_features", "id": 1, "features": {"coalesce_messages": 1}});
    assert_eq!(*sent[1], features);
    let accepted = json!({"id": 1, "type": "result", "success": true, "result": null});
    assert!(library.received().contains(&&accepted));
}

#[tokio::test]
async fn the_version_at_the_door_is_that_of_the_configuration() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());
    let connect = json!({"cmd": "connect", "token": Key::USER.0});
    let version = library.ask(connect).await;
    let config = library
        .ask(json!({"cmd": "ask", "name": "getConfig"}))
        .await;
    assert_eq!(config["version"], version);
    assert_eq!(config["state"], "RUNNING");
    let components = config["components"].as_array().expect("a list");
    assert!(components.contains(&json!("api")), "{config}");
}

#[tokio::test]
async fn the_library_learns_whose_key_it_has() {
    let gateway = Gateway::start(LABORATORY).await;
    for (key, id, is_admin) in [
        (Key::USER, "user-tom", false),
        (Key::ADMIN, "user-ann", true),
    ] {
        let mut library = Library::connect(&gateway, key).await;
        let user = library.ask(json!({"cmd": "ask", "name": "getUser"})).await;
        assert_eq!(
            (&user["id"], &user["is_admin"]),
            (&json!(id), &json!(is_admin))
        );
    }
}

// Case 2.
#[tokio::test]
async fn a_wrong_token_is_refused_for_good() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());
    let connect = json!({"cmd": "connect", "token": "user.wrong", "retry": 3});
    assert_eq!(library.rejected(connect).await, 2);
    let close = library.wait_for("socket_close").await;
    assert_eq!(
        (&close["code"], &close["clean"]),
        (&json!(1000), &json!(true))
    );
    let refusal = json!({"type": "auth_invalid", "message": "Invalid access token or password"});
    assert!(library.received().contains(&&refusal));
}

// Case 3.
#[tokio::test]
async fn where_nobody_listens_the_library_cannot_connect() {
    let mut library = Library::new(&format!("http://127.0.0.1:{}", free_port()));
    let connect = json!({"cmd": "connect", "token": Key::USER.0, "retry": 0});
    assert_eq!(library.rejected(connect).await, 1);
}

// Case 4.
#[tokio::test]
async fn a_client_may_sign_in_and_go_on_before_it_has_read_anything() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut client = gateway.door().path(WEBSOCKET).connect().await;
    client
        .send(json!({"type": "auth", "access_token": Key::USER.0}))
        .await;
    client.send(json!({"id": 1, "type": "ping"})).await;
    for expected in ["auth_required", "auth_ok", "pong"] {
        assert_eq!(client.next().await["type"], expected);
    }
}

// Case 5.
#[tokio::test]
async fn whoever_begins_with_anything_else_is_sent_away() {
    let gateway = Gateway::start(LABORATORY).await;
    for first in [
        json!({"type": "ping", "id": 1}),
        json!({"type": "auth", "access_token": Key::USER.0, "extra": 1}),
        json!([]),
    ] {
        let mut socket = Socket::open(&gateway).await;
        socket.client().send(first).await;
        expect_refused(&mut socket, "Auth message incorrectly formatted").await;
    }
    for without_a_token in [
        json!({"type": "auth"}),
        json!({"type": "auth", "api_password": "x"}),
    ] {
        let mut socket = Socket::open(&gateway).await;
        socket.client().send(without_a_token).await;
        expect_refused(&mut socket, "Invalid access token or password").await;
    }
}

#[tokio::test]
async fn what_is_no_json_ends_the_connection_without_a_word() {
    let gateway = Gateway::start(LABORATORY).await;
    for first in [Message::text("auth"), Message::binary(vec![1, 2])] {
        let mut socket = Socket::open(&gateway).await;
        socket.client().send_message(first).await;
        expect_closed(&mut socket).await;
    }
}

// Case 6.
#[tokio::test]
async fn whoever_says_nothing_is_sent_away_after_ten_seconds() {
    let gateway = Gateway::start(LABORATORY).await;
    let began = Instant::now();
    let mut socket = Socket::open(&gateway).await;
    expect_closed(&mut socket).await;
    assert!(
        began.elapsed() >= Duration::from_secs(9),
        "it was not given its time"
    );
}

// Case 7.
#[tokio::test]
async fn each_ping_is_answered() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    for _ in 0..3 {
        assert_eq!(library.ask(json!({"cmd": "ping"})).await, Value::Null);
    }
    let pings = library
        .messages("sent")
        .filter(|frame| frame["type"] == "ping");
    let ids: Vec<&Value> = pings.map(|ping| &ping["id"]).collect();
    assert_eq!(ids, [3, 4, 5]);
}

// Case 37.
#[tokio::test]
async fn a_person_signs_in_by_the_login_flow() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());

    library.ask(sign_in(PASSWORD)).await;

    let tokens = library.wait_for("tokens").await["tokens"].take();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(1800))
    );
    assert!(tokens["refresh_token"].is_string());
    let asked = |event: &&Value| event["event"] == "http" && event["path"] == "/auth/token";
    let asked = library.events().iter().find(asked).expect("it asked");
    assert_eq!(asked["type"], "multipart/form-data");
    let user = library.ask(json!({"cmd": "ask", "name": "getUser"})).await;
    assert_eq!(
        (&user["id"], &user["name"]),
        (&json!("user-ann"), &json!("Ann"))
    );
}

#[tokio::test]
async fn a_wrong_password_gets_the_form_again() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());
    let form = library.rejected(sign_in("wrong")).await;
    assert_eq!(
        (&form["type"], &form["step_id"]),
        (&json!("form"), &json!("init"))
    );
    assert_eq!(form["errors"], json!({"base": "invalid_auth"}));
}

#[tokio::test]
async fn tokens_are_renewed_when_asked_and_before_a_connection_with_an_old_one() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());
    library.ask(sign_in(PASSWORD)).await;
    let first = library.wait_for("tokens").await["tokens"].take();

    library.ask(json!({"cmd": "refresh"})).await;
    let second = library.wait_for("tokens").await["tokens"].take();
    assert_ne!(second["access_token"], first["access_token"]);
    assert_eq!(second["refresh_token"], first["refresh_token"]);

    library.ask(json!({"cmd": "expire"})).await;
    library.ask(json!({"cmd": "drop"})).await;
    library.wait_for("ready").await;
    let third = library
        .events()
        .iter()
        .rev()
        .find(|event| event["event"] == "tokens");
    let third = &third.expect("saved before it was used")["tokens"]["access_token"];
    let auth = library
        .messages("sent")
        .filter(|frame| frame["type"] == "auth")
        .last();
    assert_eq!(auth.expect("it signed in again")["access_token"], *third);
    assert_ne!(*third, second["access_token"]);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_the_client_that_got_it() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::new(&gateway.url());
    let person = json!({"cmd": "code", "username": "ann@example.test", "password": PASSWORD});
    let code = library.ask(person).await;
    let exchange = json!({"cmd": "exchange", "code": code});
    let mut of_another = exchange.clone();
    of_another["client"] = json!("http://another.example.test/");
    assert_eq!(library.rejected(of_another).await, 2);
    library.ask(exchange.clone()).await;
    assert_eq!(library.rejected(exchange).await, 2);
}
