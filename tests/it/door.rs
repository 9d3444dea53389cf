//! Who is let in to the websocket, and what the handshake says.

use serde_json::Value;

use crate::harness::{BUILDING, CONTROL, Gateway, Key, Plan, Request, WireClient, display};

const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// An upgrade as plain text, for a look at a refusal's body.
fn upgrade(gateway: &Gateway, query: &str) -> Request {
    let request = gateway.request("GET", &format!("{CONTROL}{query}"));
    let with = |request: Request, (name, value)| {
        // Our own request says `Connection: close` as well, which makes it no worse an upgrade.
        request.header(name, value)
    };
    UPGRADE.into_iter().fold(request, with)
}

// §10 case 1
#[tokio::test]
async fn without_credentials_the_answer_is_401_with_a_json_body() {
    let gateway = Gateway::start(BUILDING).await;

    let response = upgrade(&gateway, "").send().await;

    assert_eq!(response.status, 401);
    assert!(response.json()["error"].is_string(), "{}", response.body);
    assert_eq!(gateway.door().refused().await, 401);
}

// §10 case 2
#[tokio::test]
async fn a_good_key_is_let_in_and_nothing_is_negotiated_whatever_is_offered() {
    let gateway = Gateway::start(BUILDING).await;
    let offers = [
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: permessage-deflate",
    ];

    let mut client = WireClient::connect(gateway.address(), Key::USER, &offers).await;

    for header in ["sec-websocket-protocol", "sec-websocket-extensions"] {
        let handshake = &client.handshake;
        assert!(!handshake.contains(header), "{handshake}");
    }
    client.send_text("ping").await;
    client.expect_text("pong").await;
}

#[tokio::test]
async fn the_request_id_is_given_back_or_made() {
    let gateway = Gateway::start(BUILDING).await;
    let door = || gateway.door().key(Key::USER);

    let (_given, handshake) = door()
        .header("X-Request-ID", "follow-me")
        .ask()
        .await
        .expect("the key is good");
    assert_eq!(handshake.headers()["x-request-id"], "follow-me");

    let (_made, handshake) = door().ask().await.expect("the key is good");
    assert!(!handshake.headers()["x-request-id"].is_empty());
}

// §10 case 3
#[tokio::test]
async fn a_bad_key_does_not_fall_through_to_a_good_credential() {
    let gateway = Gateway::start(BUILDING).await;
    let wrong_header = gateway.door().key(Key::WRONG);

    let query = format!("api-key={}", Key::USER);
    assert_eq!(wrong_header.query(&query).refused().await, 401);
    let wrong_query = gateway.door().query(&format!("api-key={}", Key::WRONG));
    let cookie = format!("api-key={}", Key::USER);
    assert_eq!(wrong_query.header("Cookie", &cookie).refused().await, 401);
    for wrong in [
        "",
        "user",
        "user.",
        ".secret-u",
        "user.secret-u2",
        "nobody.secret-u",
    ] {
        let door = gateway.door().header("X-API-Key", wrong).query(&query);
        assert_eq!(door.refused().await, 401, "{wrong:?}");
    }

    let response = upgrade(&gateway, "").key(Key::WRONG).send().await;
    assert_eq!(response.json()["error"], "unknown X-API-Key");
}

// §10 case 4
#[tokio::test]
async fn a_key_is_taken_from_the_header_the_query_and_the_cookie() {
    let gateway = Gateway::start(BUILDING).await;
    let pair = format!("api-key={}", Key::USER);
    let doors = [
        gateway.door().key(Key::USER),
        gateway.door().query(&pair),
        gateway.door().header("Cookie", &pair),
        gateway
            .door()
            .header("Cookie", &format!("theme=dark; {pair}")),
    ];
    for door in doors {
        let mut client = door.connect().await;
        client.expect_silence().await;
    }
}

// §10 case 5
#[tokio::test]
async fn a_key_that_may_only_read_is_refused_and_one_that_may_control_is_let_in() {
    let gateway = Gateway::start(BUILDING).await;

    assert_eq!(gateway.door().key(Key::READER).refused().await, 403);
    let response = upgrade(&gateway, "").key(Key::READER).send().await;
    assert_eq!((response.status, &*response.body), (403, ""));

    let mut client = gateway.connect(Key::CONTROLLER).await;
    client.expect_silence().await;
}

// §10 case 6
#[tokio::test]
async fn a_plain_request_for_the_websocket_is_answered_426_after_the_credentials() {
    let gateway = Gateway::start(BUILDING).await;
    let plain = || gateway.request("GET", CONTROL);

    let response = plain().key(Key::USER).send().await;
    assert_eq!(response.status, 426);
    let kind = response.header("Content-Type").unwrap_or_default();
    assert!(kind.starts_with("text/plain"), "{kind}");
    assert_eq!(plain().send().await.status, 401);
    assert_eq!(plain().key(Key::WRONG).send().await.status, 401);
    assert_eq!(plain().key(Key::READER).send().await.status, 403);
}

// §10 case 7
#[tokio::test]
async fn a_fixed_device_is_served_like_any_other() {
    let gateway = Gateway::start(BUILDING).await;
    let door = gateway.door().key(Key::USER).query("fixed_device=true");

    let mut client = door.connect().await;

    client.set(display("power"), true).await;
    client.send(display("power").bind(1)).await;
    client.expect(display("power").success(1)).await;
    client.expect(display("power").notify(1, true)).await;
}

#[tokio::test]
async fn the_door_has_a_trailing_slash_and_an_older_name() {
    let gateway = Gateway::start(BUILDING).await;
    for path in [&format!("{CONTROL}/"), "/control/websocket"] {
        let mut client = gateway.door().path(path).key(Key::USER).connect().await;
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn a_foreign_page_is_refused_with_a_cookie_and_with_nothing_else() {
    let gateway = Gateway::start(BUILDING).await;
    let cookie = || {
        let cookie = format!("api-key={}", Key::USER);
        gateway.door().header("Cookie", &cookie)
    };

    for foreign in ["https://evil.test", "null", "http://127.0.0.1:1"] {
        assert_eq!(cookie().header("Origin", foreign).refused().await, 403);
    }
    let line = gateway.logged("a page of another site").await;
    let host = gateway.address().to_string();
    for part in ["https://evil.test", &host, "http.allowed_origins"] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
    let mut own = cookie().header("Origin", &gateway.url()).connect().await;
    own.expect_silence().await;
    let mut no_page = cookie().connect().await;
    no_page.expect_silence().await;
    let by_header = gateway.door().key(Key::USER);
    let mut program = by_header
        .header("Origin", "https://evil.test")
        .connect()
        .await;
    program.expect_silence().await;
}

#[tokio::test]
async fn a_log_for_machines_is_an_object_a_line() {
    let plan = Plan::serve(BUILDING).variable("RISER_LOG_FORMAT", "json");
    let mut gateway = plan.start().await;
    // A request without any credential is not worth a line, one with a bad key is.
    let bad = gateway.door().header("X-API-Key", "user.wrong");
    assert_eq!(bad.refused().await, 401);
    assert!(gateway.terminate().await.success());
    let log = gateway.log();
    let lines: Vec<Value> = log
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line} is no JSON")))
        .collect();
    let refused = |line: &&Value| line["target"] == "audit" && line["level"] == "WARN";
    assert!(lines.iter().any(|line| refused(&line)), "{lines:#?}");
}

#[tokio::test]
async fn every_refusal_is_logged_with_who_and_why_and_without_the_secret() {
    let mut gateway = Gateway::start(BUILDING).await;

    gateway.door().key(Key::WRONG).refused().await;
    gateway.door().key(Key::READER).refused().await;
    let mut client = gateway.connect(Key::USER).await;
    client
        .send(display("admin_only").exec(1, Value::Null))
        .await;
    client.expect_error(1, 2).await;
    client.send(display("x").request(2, "dance")).await;
    client.expect_error(2, 4).await;

    gateway.logged("unknown credentials").await;
    gateway.logged("scopes").await;
    let exec = gateway.logged("admin_only").await;
    for part in ["user-eve", "127.0.0.1", "sys-1", "Display"] {
        assert!(exec.contains(part), "{part} is missing in {exec}");
    }
    gateway.logged("dance").await;
    assert!(gateway.terminate().await.success());
    let log = gateway.log().join("\n");
    assert!(!log.contains("secret-"), "a secret in\n{log}");
}

#[tokio::test]
async fn connections_past_a_limit_get_503_until_one_leaves() {
    let plan = Plan::serve(BUILDING);
    let gateway = plan
        .variable("RISER_LIMITS__CONNECTIONS_MAX", "3")
        .variable("RISER_LIMITS__CONNECTIONS_PER_KEY", "2")
        .start()
        .await;
    let mut first = gateway.connect(Key::USER).await;
    let _second = gateway.connect(Key::USER).await;
    assert_eq!(gateway.door().key(Key::USER).refused().await, 503);
    let _third = gateway.connect(Key::ADMIN).await;
    assert_eq!(gateway.door().key(Key::SUPPORT).refused().await, 503);

    first.close().await;
    drop(first);

    let door = gateway.door().key(Key::SUPPORT);
    let mut successor = door.connect_at_last().await;
    successor.expect_silence().await;
}
