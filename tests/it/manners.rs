//! The manners of HTTP: what a request may say, what every answer says, and whose word is taken for where it came from.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::{
    Answer, BUILDING, Beside, CONTROL, Certificate, DEADLINE, Deployment, Gateway, Key, Plan,
    Request, Response, WireClient, specification, within,
};

const SYSTEMS: &str = "/api/engine/v2/systems";

const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

const PASSWORD: &str = "correct horse";

/// Three people with the same password, hashed at the lowest costs there are.
const PEOPLE: &str = "
systems:
  - {id: sys-1, name: Room, modules: [mod-1]}
modules:
  - {id: mod-1, driver: virtual, name: Shared}
users:
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}
  - {id: user-ann, email: ann@example.test, name: Ann, password_hash: HASH}
  - {id: user-bob, email: bob@example.test, name: Bob, password_hash: HASH}
  - {id: user-cid, email: cid@example.test, name: Cid, password_hash: HASH}
api_keys:
  - {id: user, secret: secret-u, user: user-eve}
";

fn people() -> Plan {
    let hash = "'$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw'";
    Plan::serve(&PEOPLE.replace("HASH", hash))
}

fn key_cookie() -> String {
    format!("api-key={}", Key::USER)
}

fn sign_in(gateway: &Gateway, name: &str, password: &str) -> Request {
    let email = format!("{name}@example.test");
    let request = gateway.request("POST", "/auth/signin");
    request.form(&[("email", &email), ("password", password)])
}

/// The cookie of somebody who has signed in.
async fn session(gateway: &Gateway) -> String {
    let signed_in = sign_in(gateway, "ann", PASSWORD).send().await;
    assert_eq!(signed_in.status, 202);
    let cookie = signed_in.header("set-cookie").expect("a session");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

fn upgrade(gateway: &Gateway) -> Request {
    let request = gateway.request("GET", CONTROL);
    let with = |request: Request, (name, value)| request.header(name, value);
    UPGRADE.into_iter().fold(request, with)
}

#[tokio::test]
async fn another_port_of_a_host_that_names_none_is_another_origin() {
    let gateway = people().start().await;
    for (origin, status) in [
        ("http://rooms.test", 200),
        ("http://rooms.test:8080", 403),
        ("https://rooms.test:8443", 403),
    ] {
        let read = gateway.request("GET", SYSTEMS).host("rooms.test");
        let read = read.header("Cookie", &key_cookie());
        let read = read.header("Origin", origin).send().await;
        assert_eq!(read.status, status, "{origin}");
        if status == 403 {
            let door = upgrade(&gateway).host("rooms.test");
            let door = door.header("Cookie", &key_cookie());
            assert_eq!(door.header("Origin", origin).send().await.status, 403);
            let form = sign_in(&gateway, "ann", PASSWORD).host("rooms.test");
            assert_eq!(form.header("Origin", origin).send().await.status, 403);
        }
    }

    let cookie = session(&gateway).await;
    for (back, status) in [
        ("http%3A%2F%2Frooms.test%2Fresp", 302),
        ("http%3A%2F%2Frooms.test%3A8080%2Fresp", 400),
    ] {
        let path =
            format!("/auth/oauth/authorize?response_type=token&client_id=c&redirect_uri={back}");
        let asked = gateway.request("GET", &path).host("rooms.test");
        let asked = asked.header("Cookie", &cookie).send().await;
        assert_eq!(asked.status, status, "{back}");
    }
    let out = "/auth/logout?continue=http%3A%2F%2Frooms.test%3A8080%2F";
    let out = gateway.request("GET", out).host("rooms.test").send().await;
    assert_eq!(out.header("location"), Some("/login"));
}

#[tokio::test]
async fn a_body_that_waits_is_asked_for_once_its_head_is_let_in() {
    let gateway = people().start().await;
    let path = "/api/engine/v2/modules/mod-1/exec/echo";
    let first_line = async |key: Key, length: usize| {
        let mut stream = TcpStream::connect(gateway.address()).await?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: rooms.test\r\nX-API-Key: {key}\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        Ok::<_, std::io::Error>((line.trim_end().to_owned(), stream))
    };
    for (key, length, answer) in [
        (Key::WRONG, 5, "HTTP/1.1 401 Unauthorized"),
        (Key::USER, 1 << 40, "HTTP/1.1 413 Payload Too Large"),
    ] {
        let (line, mut stream) = first_line(key, length).await.expect("it is answered");
        assert_eq!(line, answer);
        let mut rest = String::new();
        let ended = within(
            DEADLINE,
            || "the end".to_owned(),
            stream.read_to_string(&mut rest),
        )
        .await;
        ended.expect("it is text");
        assert!(rest.contains("connection: close\r\n"), "{rest}");
    }
    let (line, mut stream) = first_line(Key::USER, 5).await.expect("it is answered");
    assert_eq!(line, "HTTP/1.1 100 Continue");
    // The stream goes on with another request behind the body.
    let rest = format!("[\"a\"]GET {SYSTEMS} HTTP/1.1\r\nHost: rooms.test\r\n\r\n");
    stream
        .write_all(rest.as_bytes())
        .await
        .expect("it is taken");
    for status in ["HTTP/1.1 200 OK", "HTTP/1.1 401 Unauthorized"] {
        let heard = async {
            let mut line = String::new();
            // The body of the answer before has no end of line.
            while !line.trim_end().ends_with(status) {
                line.clear();
                let length = stream.read_line(&mut line).await.expect("it is text");
                assert!(length > 0, "the stream ended before {status}");
            }
        };
        within(DEADLINE, || status.to_owned(), heard).await;
    }
}

#[tokio::test]
async fn the_client_behind_a_named_proxy_is_who_is_told_of_and_counted() {
    let plan = people().variable("RISER_LIMITS__CONNECTIONS_PER_ADDRESS", "1");
    let plan = plan.variable("RISER_HTTP__TRUSTED_PROXIES", "192.0.2.0/24, 127.0.0.1");
    let gateway = plan.start().await;
    let refused = gateway.request("GET", SYSTEMS).key(Key::WRONG);
    let refused = refused.header("X-Forwarded-For", "1.1.1.1, 203.0.113.9, 192.0.2.8");
    assert_eq!(refused.send().await.status, 401);
    gateway.logged("address=203.0.113.9").await;

    let door = |client: &str| {
        let door = gateway.door().key(Key::USER);
        door.header("X-Forwarded-For", client)
    };
    let _first = door("203.0.113.1").connect().await;
    let _second = door("203.0.113.2").connect().await;
    assert_eq!(door("203.0.113.1").refused().await, 503);

    let by_tls = sign_in(&gateway, "ann", PASSWORD).header("X-Forwarded-Proto", "https");
    let by_tls = by_tls.send().await;
    let cookie = by_tls.header("set-cookie").expect("a session");
    assert!(cookie.contains("; Secure"), "{cookie}");
    assert!(by_tls.header("strict-transport-security").is_some());
    // Called by TLS, so a plain page of the same host is not its own.
    let plain = gateway.request("GET", SYSTEMS).host("rooms.test");
    let plain = plain.header("X-Forwarded-Proto", "https");
    let plain = plain.header("Cookie", &key_cookie());
    let plain = plain.header("Origin", "http://rooms.test");
    assert_eq!(plain.send().await.status, 403);
}

#[tokio::test]
async fn what_a_client_says_of_its_own_address_counts_for_nothing() {
    let plan = people().variable("RISER_HTTP__TRUSTED_PROXIES", "192.0.2.0/24");
    let gateway = plan.start().await;
    let refused = gateway.request("GET", SYSTEMS).key(Key::WRONG);
    let refused = refused.header("X-Forwarded-For", "203.0.113.9");
    let refused = refused.header("Forwarded", "for=203.0.113.9;proto=https");
    assert_eq!(refused.send().await.status, 401);
    gateway.logged("address=127.0.0.1").await;
    let signed_in = sign_in(&gateway, "ann", PASSWORD).header("X-Forwarded-Proto", "https");
    let signed_in = signed_in.send().await;
    assert!(signed_in.header("strict-transport-security").is_none());
    let cookie = signed_in.header("set-cookie").expect("a session");
    assert!(!cookie.contains("Secure"), "{cookie}");

    let plan = people().variable("RISER_HTTP__TRUSTED_PROXIES", "127.0.0.1");
    let plan = plan.variable("RISER_HTTP__PROXY_HEADERS", "forwarded");
    let gateway = plan.start().await;
    let refused = gateway.request("GET", SYSTEMS).key(Key::WRONG);
    let refused = refused.header("X-Forwarded-For", "203.0.113.9");
    let refused = refused.header("Forwarded", "for=\"[2001:db8::9]:80\"");
    assert_eq!(refused.send().await.status, 401);
    gateway.logged("address=2001:db8::9").await;
}

#[tokio::test]
async fn a_proxy_that_is_no_address_is_refused() {
    let refused = people().variable("RISER_HTTP__TRUSTED_PROXIES", "127.0.0.1,proxy");
    refused.refused().await.assert_says(
        "riser: RISER_HTTP__TRUSTED_PROXIES: `http.trusted_proxies` must be addresses or networks such as 10.0.0.7 or fd00::/8, apart by commas, not this text",
    );
}

#[tokio::test]
async fn twenty_wrong_passwords_from_behind_one_proxy_shut_nobody_else_out() {
    let gateway = people().start().await;
    for name in ["ann", "bob"] {
        for _ in 0..11 {
            let wrong = sign_in(&gateway, name, "guess").send().await;
            assert!([401, 429].contains(&wrong.status), "{}", wrong.status);
        }
        assert_eq!(sign_in(&gateway, name, PASSWORD).send().await.status, 429);
    }
    assert_eq!(sign_in(&gateway, "cid", PASSWORD).send().await.status, 202);
}

/// Sends requests over one connection, and gives all that comes back.
async fn on_one_connection(gateway: &Gateway, requests: &str) -> String {
    let ask = async {
        let mut stream = TcpStream::connect(gateway.address()).await?;
        stream.write_all(requests.as_bytes()).await?;
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).await?;
        Ok::<_, std::io::Error>(answers)
    };
    let answers = within(DEADLINE, || "answers".to_owned(), ask).await;
    String::from_utf8_lossy(&answers.expect("answers")).into_owned()
}

#[tokio::test]
async fn a_drivers_204_or_304_leaves_no_bytes_for_the_next_answer() {
    let beside = Beside::start().await;
    let exec = "/api/engine/v2/systems/sys-1/Display_1/power";
    let key = Key::USER;
    for (code, expected) in [
        (204, 204),
        (304, 304),
        (205, 205),
        (101, 200),
        (100, 200),
        (999, 200),
        (201, 201),
        (404, 404),
    ] {
        beside.core.answers(Answer::Result(code, "\"left behind\""));
        let requests = format!(
            "POST {exec} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Length: 2\r\n\r\n[]\
             GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        let answers = on_one_connection(&beside.gateway, &requests).await;
        let said = format!("HTTP/1.1 {expected} ");
        assert!(answers.starts_with(&said), "{code}: {answers}");
        let (_, next) = answers
            .split_once("HTTP/1.1 200 OK")
            .filter(|_| expected != 200)
            .unwrap_or(("", &answers));
        assert!(next.ends_with("\r\n\r\nok\n"), "{code}: {answers}");
        let is_there = answers.contains("left behind");
        assert_eq!(
            is_there,
            ![204, 205, 304].contains(&expected),
            "{code}: {answers}"
        );
    }
}

#[tokio::test]
async fn a_page_calls_no_module_through_an_open_core_api() {
    let plan = Plan::serve(BUILDING).deployment(Deployment::Redis);
    let plan = plan.variable("RISER_CLUSTER__OPEN_CORE_API", "true");
    let gateway = plan.start().await;
    let call = || {
        let path = "/api/core/v1/command/mod-d1/execute";
        let request = gateway.request("POST", path);
        request.json(json!({"__exec__": "echo", "echo": [1]}))
    };
    assert_eq!(call().ok().await, json!(1));
    for origin in ["https://evil.test", "null", &gateway.url()] {
        let by_page = call().header("Origin", origin).send().await;
        assert_eq!(by_page.status, 403, "{origin}");
        let door = gateway.door().path("/api/core/v1/command/mod-d1/debugger");
        assert_eq!(door.header("Origin", origin).refused().await, 403);
    }
    gateway.logged("refused: a page asks as another node").await;
}

#[tokio::test]
async fn a_header_that_says_who_asks_may_not_be_there_twice() {
    let gateway = people().start().await;
    let foreign = "https://evil.test";
    for (name, one, two) in [
        ("Origin", gateway.url().as_str(), foreign),
        ("Origin", foreign, foreign),
        ("X-API-Key", Key::USER.0, Key::WRONG.0),
        ("Authorization", "Bearer a", "Bearer b"),
        // Of this the codec takes care.
        ("Host", "a", "b"),
    ] {
        let twice = |request: Request| request.header(name, one).header(name, two);
        let cookie = key_cookie();
        for request in [
            gateway.request("GET", SYSTEMS).header("Cookie", &cookie),
            upgrade(&gateway).header("Cookie", &cookie),
            sign_in(&gateway, "ann", PASSWORD),
        ] {
            assert_eq!(twice(request).try_send().await, Some(400), "{name}");
        }
    }
}

#[tokio::test]
async fn a_foreign_page_signs_nobody_out() {
    let gateway = people().start().await;
    let cookie = session(&gateway).await;
    for method in ["GET", "POST"] {
        let out = gateway
            .request(method, "/auth/logout")
            .header("Cookie", &cookie);
        let out = out.header("Origin", "https://evil.test").send().await;
        assert_eq!(out.status, 403);
        assert!(out.header("set-cookie").is_none());
    }
    let asked = gateway.request("GET", "/auth/authority");
    let authority = asked.header("Cookie", &cookie).ok().await;
    assert_eq!(authority["session"], true);
    let own = gateway
        .request("POST", "/auth/logout")
        .header("Cookie", &cookie);
    let own = own.header("Origin", &gateway.url()).send().await;
    assert_eq!(own.status, 303);
}

/// Answers of every kind: of resources, refusals, files, redirects, and of what is outside actix.
async fn answers_of_every_kind(gateway: &Gateway) -> Vec<Response> {
    let ask = |method, path| gateway.request(method, path);
    let mut answers = Vec::new();
    for request in [
        ask("GET", SYSTEMS).key(Key::USER),
        ask("GET", SYSTEMS),
        ask("GET", "/nothing"),
        ask("LOCK", "/login"),
        ask("GET", "/login"),
        ask("GET", "/login/style.css"),
        ask("GET", "/auth/login"),
        ask("GET", "/auth/authority"),
        ask("GET", "/healthz"),
        ask("GET", "/metrics"),
        ask("GET", "/api/openapi.json"),
        ask("POST", "/auth/oauth/token"),
        upgrade(gateway),
        ask("GET", CONTROL).key(Key::USER),
    ] {
        answers.push(request.send().await);
    }
    answers
}

#[tokio::test]
async fn every_answer_says_nosniff_and_by_tls_that_tls_is_to_stay() {
    let sniffs = |answer: &Response| answer.header("x-content-type-options") != Some("nosniff");
    let stays = |answer: &Response| {
        let age = answer.header("strict-transport-security");
        age.is_some_and(|age| age == "max-age=15552000")
    };
    let plain = people().start().await;
    for answer in answers_of_every_kind(&plain).await {
        assert!(!sniffs(&answer) && !stays(&answer), "{answer:?}");
    }
    let certificate = Certificate::new();
    let by_tls = people().tls(&certificate).start().await;
    for answer in answers_of_every_kind(&by_tls).await {
        assert!(!sniffs(&answer) && stays(&answer), "{answer:?}");
    }
    for (name, value) in [
        ("RISER_HTTP__HSTS", "false"),
        ("RISER_TLS__PLAIN_MODE", "stay"),
    ] {
        let plan = people().tls(&certificate).variable(name, value);
        let plan = plan.variable("RISER_TLS__PLAIN_LISTEN", "127.0.0.1:0");
        let gateway = plan.start().await;
        let answer = gateway.request("GET", "/login").send().await;
        assert!(!stays(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn a_401_says_how_to_show_who_one_is() {
    let gateway = people().start().await;
    for request in [
        gateway.request("GET", SYSTEMS),
        upgrade(&gateway),
        sign_in(&gateway, "ann", "guess"),
    ] {
        let answer = request.send().await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Bearer realm="riser""#)
        );
    }
}

#[tokio::test]
async fn cookies_may_come_in_several_fields() {
    let gateway = people().start().await;
    let read = gateway
        .request("GET", SYSTEMS)
        .header("Cookie", "theme=dark");
    let read = read.header("Cookie", &key_cookie()).header("Cookie", "a=b");
    assert_eq!(read.send().await.status, 200);
    let door = gateway.door().header("Cookie", "theme=dark");
    door.header("Cookie", &key_cookie())
        .connect()
        .await
        .close()
        .await;
}

#[tokio::test]
async fn what_is_offered_beside_a_websocket_is_passed_over() {
    let certificate = Certificate::new();
    let plain = people().start().await;
    let by_tls = people().tls(&certificate).start().await;
    for gateway in [plain, by_tls] {
        for (offers, lines) in [
            ("websocket", &["Upgrade: h2c"] as &[&str]),
            ("websocket, h2c", &[]),
            ("h2c, WebSocket", &[]),
        ] {
            let endpoint = gateway.endpoint().clone();
            let mut client = WireClient::offer(endpoint, Key::USER, offers, lines).await;
            client.send_text("ping").await;
            client.expect_text("pong").await;
        }
    }
}

/// A path of a template, with what is there in place of the names.
fn filled(template: &str) -> String {
    let names = [
        ("{system}", "sys-1"),
        ("{zone}", "zone-hq"),
        ("{user}", "user-ann"),
        ("{key}", "user"),
        ("{parent}", "zone-hq"),
        ("{driver}", "virtual"),
        ("{status}", "power"),
        ("{name}", "power"),
    ];
    let module = if template.contains("/systems/") {
        "Display_1"
    } else {
        "mod-d1"
    };
    let path = names
        .iter()
        .fold(template.to_owned(), |path, (name, there)| {
            path.replace(name, there)
        });
    path.replace("{module}", module)
}

#[tokio::test]
async fn head_is_answered_as_get_is_and_an_unknown_method_with_those_there_are() {
    let gateway = Gateway::start(BUILDING).await;
    let open = [
        "/healthz",
        "/readyz",
        "/login",
        "/login/style.css",
        "/auth/authority",
        "/api/openapi.json",
    ];
    let guarded = specification::guarded().filter(|path| !path.contains("/api/core/"));
    let paths = guarded.map(filled).chain(open.map(str::to_owned));
    let mut looked_at = 0;
    for path in paths {
        let ask = |method| gateway.request(method, &path).key(Key::ADMIN).send();
        let (get, head) = (ask("GET").await, ask("HEAD").await);
        assert_eq!((head.status, &*head.body), (get.status, ""), "{path}");
        for header in ["content-type", "etag", "x-total-count"] {
            assert_eq!(head.header(header), get.header(header), "{path}");
        }
        // The websocket has an answer of its own to whatever is no upgrade.
        if path != CONTROL {
            let refused = ask("LOCK").await;
            assert_eq!(refused.status, 405, "{path}");
            let allow = refused.header("allow").unwrap_or_default();
            assert!(allow.contains("GET, HEAD"), "{path}: {allow}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 40, "{looked_at}");
    let refused = gateway
        .request("DELETE", "/api/engine/v2/systems")
        .send()
        .await;
    assert_eq!(refused.header("allow"), Some("GET, HEAD, POST"));
    assert_eq!(
        refused.json(),
        json!({"error": "DELETE is not possible here"})
    );
    let building = gateway
        .request("POST", "/api/engine/v2/building")
        .send()
        .await;
    assert_eq!(
        (building.status, building.header("allow")),
        (405, Some("GET, HEAD, PUT"))
    );
    assert_eq!(gateway.request("LOCK", "/nothing").send().await.status, 404);
}

#[tokio::test]
async fn who_has_the_latest_is_sent_nothing() {
    let gateway = Gateway::start(BUILDING).await;
    let zone = "/api/engine/v2/zones/zone-l1";
    let ask = |method, held: &str| {
        let request = gateway.request(method, zone).key(Key::ADMIN);
        request.header("If-None-Match", held).send()
    };
    let first = gateway.request("GET", zone).key(Key::ADMIN).send().await;
    let tag = first.header("etag").expect("a tag").to_owned();
    let weak = format!("W/{tag}");
    let among = format!("\"x\", {tag}");
    for held in [&*tag, &*weak, &*among, "*"] {
        for method in ["GET", "HEAD"] {
            let answer = ask(method, held).await;
            assert_eq!((answer.status, &*answer.body), (304, ""), "{held}");
            assert_eq!(answer.header("etag"), Some(&*tag));
        }
    }
    assert_eq!(ask("GET", "\"x\"").await.status, 200);
    let change = gateway.request("PATCH", zone).key(Key::ADMIN);
    change.json(json!({"display_name": "First"})).ok().await;
    assert_eq!(ask("GET", &tag).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_encoded_is_refused_and_not_read_as_it_is() {
    let gateway = Gateway::start(BUILDING).await;
    for path in [
        "/api/engine/v2/zones",
        "/auth/signin",
        "/api/engine/v2/systems/sys-1/Display_1/power",
    ] {
        let request = gateway.request("POST", path).key(Key::ADMIN);
        let request = request
            .header("Content-Encoding", "gzip")
            .body("\u{1f}\u{8}");
        let answer = request.send().await;
        assert_eq!(answer.status, 415, "{path}");
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    let as_it_is = gateway.request("POST", "/api/engine/v2/systems/sys-1/Display_1/echo");
    let as_it_is = as_it_is
        .key(Key::ADMIN)
        .header("Content-Encoding", "identity");
    assert_eq!(as_it_is.json(json!([7])).ok().await, json!(7));
}

#[tokio::test]
async fn a_listed_page_may_use_every_method_and_a_browser_keeps_the_answers_apart() {
    const APP: &str = "https://app.example.test";
    let plan = Plan::serve(BUILDING).variable("RISER_HTTP__ALLOWED_ORIGINS", APP);
    let gateway = plan.start().await;
    let zone = "/api/engine/v2/zones/zone-l1";
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        for path in [zone, "/auth/oauth/token", CONTROL] {
            let asked = gateway.request("OPTIONS", path).header("Origin", APP);
            let asked = asked.header("Access-Control-Request-Method", method);
            let asked = asked.header("Access-Control-Request-Headers", "authorization");
            let asked = asked.send().await;
            assert_eq!((asked.status, &*asked.body), (204, ""), "{method} {path}");
            let methods = asked
                .header("access-control-allow-methods")
                .unwrap_or_default();
            assert!(
                methods.split(", ").any(|known| known == method),
                "{methods}"
            );
            assert_eq!(asked.header("access-control-allow-origin"), Some(APP));
            assert_eq!(
                asked.header("access-control-allow-headers"),
                Some("authorization")
            );
        }
    }
    // A 304 and a 405 are read by the page as well.
    let first = gateway.request("GET", zone).key(Key::ADMIN).send().await;
    let tag = first.header("etag").expect("a tag");
    let again = gateway.request("GET", zone).key(Key::ADMIN);
    let again = again.header("Origin", APP).header("If-None-Match", tag);
    let no_method = gateway.request("LOCK", zone).header("Origin", APP);
    for (request, status) in [(again, 304), (no_method, 405)] {
        let answer = request.send().await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}

#[tokio::test]
async fn an_app_may_say_its_id_by_http_basic() {
    let gateway = people().start().await;
    let ask = |authorization: &str, client: &str| {
        let request = gateway.request("POST", "/auth/oauth/token");
        let request = request.header("Authorization", authorization);
        let fields = [
            ("grant_type", "password"),
            ("username", "ann@example.test"),
            ("password", PASSWORD),
            ("client_id", client),
        ];
        request.form(&fields).send()
    };
    // `panel:`
    assert_eq!(ask("Basic cGFuZWw6", "").await.status, 200);
    assert_eq!(ask("Basic cGFuZWw6", "panel").await.status, 200);
    for (authorization, client) in [
        ("Basic cGFuZWw6", "other"),
        ("Basic ?", ""),
        ("Bearer x", ""),
    ] {
        let refused = ask(authorization, client).await;
        assert_eq!(refused.status, 400, "{authorization} {client}");
        assert_eq!(refused.json()["error"], "invalid_request");
    }
}

#[tokio::test]
async fn a_password_from_a_variable_that_ends_its_line_and_in_other_letters_of_the_same_look_opens()
{
    let building = "
users:
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin, password: '${ENV:EVE}'}
api_keys:
  - {id: user, secret: secret-u, user: user-eve}
";
    // Composed in the file, and apart as some keyboards type it.
    let plan = Plan::serve(building).variable("EVE", "caf\u{e9}\n");
    let gateway = plan.start().await;
    let signs_in = async {
        // The hash of a file's password is made behind everything else.
        loop {
            let answer = sign_in(&gateway, "eve", "cafe\u{301}").send().await;
            match answer.status {
                202 => break,
                401 => {}
                other => panic!("{other}"),
            }
            let authority: Value = gateway.request("GET", "/auth/authority").ok().await;
            assert_eq!(authority["session"], false);
        }
    };
    within(DEADLINE, || "a sign-in".to_owned(), signs_in).await;
    let composed = sign_in(&gateway, "eve", "caf\u{e9}").send().await;
    assert_eq!(composed.status, 202);
}
