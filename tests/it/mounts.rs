//! What stands where: below a path of its own, at several addresses, for some dialects, and for pages of other origins.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::json;

use crate::harness::{
    BUILDING, CONTROL, Carrier, Door, Gateway, Key, Page, Plan, Request, Response, Terminal,
    display, free_port,
};

const BASE: &str = "/riser";

/// The body of a path that is not there.
const NOTHING_HERE: &str = r#"{"error":"there is nothing here"}"#;

const PASSWORD: &str = "correct horse";

/// Ann with the hash of the password, at the lowest costs there are.
const USER: &str = "users:
  - {id: user-ann, email: ann@example.test, name: Ann, level: admin, password_hash: '$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw'}
";

async fn below_the_base() -> Gateway {
    Plan::serve(BUILDING).base_path(BASE).start().await
}

#[track_caller]
fn assert_nothing(response: &Response) {
    assert_eq!((response.status, &*response.body), (404, NOTHING_HERE));
}

#[tokio::test]
async fn rest_and_what_operators_ask_stand_below_the_base_path_and_nowhere_else() {
    let gateway = below_the_base().await;
    for path in ["/healthz", "/readyz", "/metrics", "/login"] {
        assert_eq!(gateway.request("GET", path).send().await.status, 200);
        let outside = Request::new(gateway.endpoint().clone(), "GET", path);
        assert_nothing(&outside.send().await);
    }
    for path in ["/x", "/api/engine/v2/x", ""] {
        assert_nothing(&gateway.request("GET", path).send().await);
    }
    let beside = Request::new(gateway.endpoint().clone(), "GET", "/riserx/healthz");
    assert_nothing(&beside.send().await);

    let list = gateway.request("GET", "/api/engine/v2/systems?limit=1");
    let list = list.key(Key::ADMIN).send().await;
    let next = list.header("link").expect("there are two systems");
    assert!(next.starts_with("</riser/api/engine/v2/systems?"), "{next}");

    let authority = gateway.request("GET", "/auth/authority").ok().await;
    assert_eq!(authority["login_url"], "/riser/login?continue={{url}}");
    assert_eq!(authority["logout_url"], "/riser/auth/logout");

    let document = gateway.request("GET", "/api/openapi.json").ok().await;
    assert_eq!(document["servers"], json!([{"url": BASE}]));
}

#[tokio::test]
async fn the_operators_own_address_has_the_base_path_too() {
    let health = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let plan = Plan::serve(BUILDING).base_path(BASE);
    let plan = plan.variable("RISER_HEALTH_LISTEN", &health.to_string());
    let gateway = plan.start().await;
    let ask = |path: &str| Request::below(BASE, health, "GET", path).send();
    assert_eq!(ask("/readyz").await.status, 200);
    assert_nothing(&ask("/login").await);
    assert_nothing(&gateway.request("GET", "/readyz").send().await);
}

#[tokio::test]
async fn the_websocket_stands_below_the_base_path() {
    let gateway = below_the_base().await;
    let mut client = gateway.connect(Key::USER).await;
    client.bind(display("power"), 1).await;
    let at_the_root = Door::new(gateway.endpoint().clone()).key(Key::USER);
    assert_eq!(at_the_root.refused().await, 404);
    let older = gateway.door().path("/riser/control/websocket/");
    older.key(Key::USER).connect().await.close().await;
}

#[tokio::test]
async fn a_browser_signs_in_and_out_below_the_base_path() {
    let gateway = Plan::serve(USER).base_path(BASE).start().await;
    let sent = gateway.request("GET", "/auth/login").send().await;
    let login = "/riser/login?continue=%2Friser%2Flogin";
    assert_eq!((sent.status, sent.header("location")), (303, Some(login)));

    let page = gateway.request("GET", "/login").send().await;
    assert!(
        page.body.contains(r#"action="/riser/login""#),
        "{}",
        page.body
    );
    let style = r#"href="/riser/login/style.css""#;
    assert!(page.body.contains(style), "{}", page.body);
    let style = gateway.request("GET", "/login/style.css").send().await;
    assert_eq!(style.status, 200);

    let form = [("email", "ann@example.test"), ("password", PASSWORD)];
    let signed_in = gateway.request("POST", "/login").form(&form).send().await;
    let location = signed_in.header("location");
    assert_eq!((signed_in.status, location), (303, Some("/riser/login")));
    let cookie = signed_in.header("set-cookie").expect("a session");
    assert!(cookie.contains("; Path=/riser; "), "{cookie}");

    let (cookie, _) = cookie.split_once(';').expect("attributes");
    let page = gateway.request("GET", "/login").header("Cookie", cookie);
    let page = page.send().await;
    let sign_out = r#"href="/riser/auth/logout""#;
    assert!(page.body.contains(sign_out), "{}", page.body);

    // An app that asks for a code is sent to sign in and comes back to where it was.
    let back = format!("http%3A%2F%2F{}%2F", gateway.address());
    let asked = format!("client_id=c&response_type=code&redirect_uri={back}");
    let asked = format!("/auth/oauth/authorize?{asked}");
    let asked = gateway.request("GET", &asked).send().await;
    let location = asked.header("location").expect("it is sent to sign in");
    let there = "/riser/login?continue=%2Friser%2Fauth%2Foauth%2Fauthorize%3F";
    assert!(location.starts_with(there), "{location}");

    let out = gateway.request("GET", "/auth/logout");
    let out = out.header("Cookie", cookie).send().await;
    let location = out.header("location");
    assert_eq!((out.status, location), (303, Some("/riser/login")));
    let cookie = out.header("set-cookie").expect("its end");
    assert!(cookie.contains("; Path=/riser; "), "{cookie}");
}

#[tokio::test]
async fn the_terminal_client_reaches_a_gateway_below_a_path() {
    let gateway = below_the_base().await;
    let terminal = Terminal::at(&gateway, Key::ADMIN);
    let ready = terminal.run(&["healthy"]).await;
    assert_eq!(ready.code, Some(0), "{ready:?}");
    let called = terminal.run(&["exec", "sys-1", "Display", "echo", "7"]);
    called.await.assert_printed(&["7"]);
    let systems = terminal.run(&["systems"]).await;
    assert_eq!(systems.code, Some(0), "{systems:?}");
    let exported = terminal.run(&["export"]).await;
    assert!(
        exported.out.join("\n").contains("Board Room"),
        "{exported:?}"
    );

    let root = format!("http://{}", gateway.address());
    let lost = terminal.run(&["systems", "--url", &root]).await;
    assert_ne!(lost.code, Some(0), "{lost:?}");
}

#[tokio::test]
async fn placeos_own_client_library_works_below_a_path() {
    let gateway = below_the_base().await;
    let mut page = Page::open(&gateway.url(), Key::SUPPORT, Carrier::Query).await;
    let mut exec = display("echo").meta();
    exec["cmd"] = json!("exec");
    exec["ref"] = json!("echo");
    exec["args"] = json!(["here"]);
    page.tell(exec).await;
    let answer = page.answer("echo").await;
    assert_eq!(
        (&answer["event"], &answer["value"]),
        (&json!("result"), &json!("here"))
    );
    let is_socket = |event: &&serde_json::Value| event["event"] == "socket";
    let socket = page.events().iter().find(is_socket).expect("it opened one");
    let path = socket["path"].as_str().expect("a path");
    assert!(path.starts_with(&format!("{BASE}{CONTROL}")), "{path}");
    page.close().await;
}

#[tokio::test]
async fn without_placeos_its_paths_are_not_there() {
    let plan = Plan::serve(BUILDING).file("riser.toml", "dialects = []\n");
    let gateway = plan.start().await;
    for path in ["/api/engine/v2/systems", "/api/engine/v2/zones/zone-hq"] {
        let response = gateway.request("GET", path).key(Key::ADMIN).send().await;
        assert_nothing(&response);
    }
    for path in ["/auth/authority", CONTROL] {
        let status = gateway.request("GET", path).key(Key::ADMIN).try_send();
        assert_eq!(status.await, Some(404), "{path}");
    }
    assert_eq!(gateway.door().key(Key::ADMIN).refused().await, 404);
    for path in ["/healthz", "/login"] {
        assert_eq!(gateway.request("GET", path).send().await.status, 200);
    }
    let document = gateway.request("GET", "/api/openapi.json").ok().await;
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.contains_key("/login") && !paths.contains_key("/auth/authority"));
}

#[tokio::test]
async fn a_word_that_is_no_dialect_is_refused_with_the_words_that_there_are() {
    let refused = async |word: &str| {
        let plan = Plan::serve(BUILDING).variable("RISER_DIALECTS", word);
        plan.refused().await
    };
    refused("placeos,placoes").await.assert_says(
        "riser: RISER_DIALECTS: `dialects` must be a list of words out of placeos, home_assistant, platypush, pusher, pushjet, not this text",
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_refused_with_its_setting() {
    let other = Gateway::start(BUILDING).await;
    let taken = other.address().to_string();
    let plan = Plan::serve(BUILDING).variable("RISER_HEALTH_LISTEN", &taken);
    plan.refused().await.assert_says(&format!(
        "riser: could not listen on {taken} (Address already in use (os error 98)); choose another with `health_listen`"
    ));
}

const APP: &str = "https://app.example.test";

const NOBODY: [(&str, &str); 2] = [("email", "nobody@example.test"), ("password", "x")];

async fn for_the_app() -> Gateway {
    let origins = format!("http://localhost:4200,{APP}");
    let plan = Plan::serve(BUILDING).variable("RISER_HTTP__ALLOWED_ORIGINS", &origins);
    plan.start().await
}

fn preflight(gateway: &Gateway, origin: &str) -> Request {
    let request = gateway.request("OPTIONS", "/api/engine/v2/systems/sys-1");
    request
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "PUT")
        .header("Access-Control-Request-Headers", "if-match,x-api-key")
}

#[tokio::test]
async fn pages_of_a_listed_origin_may_ask_and_read() {
    let gateway = for_the_app().await;
    let asked = preflight(&gateway, APP).send().await;
    assert_eq!((asked.status, &*asked.body), (204, ""));
    let header = |name| asked.header(name);
    assert_eq!(header("access-control-allow-origin"), Some(APP));
    assert_eq!(header("access-control-allow-credentials"), Some("true"));
    assert_eq!(
        header("access-control-allow-headers"),
        Some("if-match,x-api-key")
    );
    let methods = header("access-control-allow-methods").expect("methods");
    assert!(methods.contains("PUT"), "{methods}");

    // A refusal is told to the page too.
    for (key, status) in [(Key::USER, 200), (Key::WRONG, 401)] {
        let read = gateway.request("GET", "/api/engine/v2/systems");
        let read = read.key(key).header("Origin", APP).send().await;
        assert_eq!(read.status, status);
        assert_eq!(read.header("access-control-allow-origin"), Some(APP));
        assert_eq!(
            read.header("access-control-allow-credentials"),
            Some("true")
        );
        let exposed = read.header("access-control-expose-headers");
        assert!(
            exposed.is_some_and(|names| names.contains("Link")),
            "{exposed:?}"
        );
        assert_eq!(read.header("vary"), Some("origin"));
    }

    // Looked at, and found to be nobody's.
    let sign_in = gateway.request("POST", "/auth/signin");
    let sign_in = sign_in.header("Origin", APP).form(&NOBODY).send().await;
    assert_eq!(sign_in.status, 401);

    let cookie = format!("api-key={}", Key::USER.0);
    let by_cookie = gateway.request("GET", "/api/engine/v2/systems");
    let by_cookie = by_cookie.header("Cookie", &cookie).header("Origin", APP);
    assert_eq!(by_cookie.send().await.status, 200);
    let door = gateway.door().header("Cookie", &cookie);
    door.header("Origin", APP).connect().await.close().await;
}

#[tokio::test]
async fn pages_of_other_origins_may_not() {
    let gateway = for_the_app().await;
    for foreign in ["https://evil.test", "http://app.example.test", "null"] {
        let asked = preflight(&gateway, foreign).send().await;
        assert_eq!(asked.status, 405, "{foreign}");
        let read = gateway.request("GET", "/api/engine/v2/systems");
        let read = read.key(Key::USER).header("Origin", foreign).send().await;
        for response in [asked, read] {
            assert_eq!(response.header("access-control-allow-origin"), None);
            assert_eq!(response.header("access-control-allow-credentials"), None);
            assert_eq!(response.header("vary"), Some("origin"));
        }
        let sign_in = gateway.request("POST", "/auth/signin");
        let sign_in = sign_in.header("Origin", foreign).form(&NOBODY);
        assert_eq!(sign_in.send().await.status, 403);
        let cookie = format!("api-key={}", Key::USER.0);
        let door = gateway.door().header("Cookie", &cookie);
        assert_eq!(door.header("Origin", foreign).refused().await, 403);
    }

    let unset = Gateway::start(BUILDING).await;
    assert_eq!(preflight(&unset, APP).send().await.status, 405);
    let read = unset.request("GET", "/api/engine/v2/systems");
    let read = read.key(Key::USER).header("Origin", APP).send().await;
    assert_eq!(read.status, 200);
    for name in ["access-control-allow-origin", "vary"] {
        assert_eq!(read.header(name), None);
    }
}
