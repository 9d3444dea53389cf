//! An engineer's work in PlaceOS's backoffice: signed in by the page and a code, a room is looked at, a function called, its log line seen, and a module breaks.
//!
//! By the calls that its build of March 2024 makes, in their order; and by its pages themselves, where `RISER_TEST_BACKOFFICE` names a folder with its files.
//! They are in the vendor's repository and no registry, so no set-up brings them.

use std::env;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::BASE;
use crate::harness::{BUILDING, Browser, Gateway, Key, Plan, TestClient, display, root};
use crate::sign_in::{HASH, PASSWORD};

const EMAIL: &str = "sue@example.test";

/// What the app shows that it began the sign-in by.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The page of the app that waits for the code.
fn redirect(gateway: &Gateway) -> String {
    format!("{}/backoffice/oauth-resp.html", gateway.url())
}

/// Signs in on riser's page, and gives the cookie of the browser.
async fn signed_in(gateway: &Gateway) -> String {
    let place = format!("{}/backoffice/#/systems/sys-1/modules", gateway.url());
    let before = gateway.request("GET", "/auth/authority").ok().await;
    assert_eq!(before["session"], false);
    let login = before["login_url"].as_str().expect("a place");
    let asked: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
    let login = login.replace("{{url}}", &asked);
    let page = gateway.request("GET", &login).send().await;
    assert_eq!(page.status, 200);
    let form = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("continue", &*place),
    ];
    let answer = gateway.request("POST", "/login").form(&form).send().await;
    assert_eq!(answer.header("location"), Some(&*place));
    let cookie = answer.header("set-cookie").expect("a session");
    let (cookie, _) = cookie.split_once(';').expect("attributes");
    let again = gateway.request("GET", "/auth/authority");
    let again = again.header("Cookie", cookie).ok().await;
    assert_eq!(again["session"], true);
    cookie.to_owned()
}

/// The token that a hidden frame brings: a code by the cookie, and the token for it, with everything in the query and an empty body.
async fn token(gateway: &Gateway, cookie: &str) -> String {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let redirect = redirect(gateway);
    let query = |pairs: &[(&str, &str)]| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs).finish()
    };
    let asked = query(&[
        ("response_type", "code"),
        ("client_id", "7518a0f3473097918b4b4907ce76d33b"),
        ("state", "nonce"),
        ("redirect_uri", &redirect),
        ("scope", "public"),
        ("code_challenge_method", "S256"),
        ("code_challenge", &challenge),
    ]);
    let frame = gateway.request("GET", &format!("/auth/oauth/authorize?{asked}"));
    let frame = frame.header("Cookie", cookie).send().await;
    assert_eq!(frame.status, 302, "{}", frame.body);
    let (_, back) = frame
        .header("location")
        .expect("the app")
        .split_once('?')
        .expect("a query");
    let code = form_urlencoded::parse(back.as_bytes()).find(|(name, _)| name == "code");
    let (_, code) = code.expect("a code");
    let redeemed = query(&[
        ("client_id", "7518a0f3473097918b4b4907ce76d33b"),
        ("redirect_uri", &redirect),
        ("code", &code),
        ("grant_type", "authorization_code"),
        ("code_verifier", VERIFIER),
    ]);
    let redeemed = gateway.request("POST", &format!("/auth/oauth/token?{redeemed}"));
    let issued = redeemed.ok().await;
    issued["access_token"].as_str().expect("a token").to_owned()
}

/// What the token reads.
async fn read(gateway: &Gateway, token: &str, path: &str) -> Value {
    let request = gateway.request("GET", &format!("{BASE}{path}"));
    request.bearer(token).ok().await
}

async fn socket(gateway: &Gateway, token: &str) -> TestClient {
    let query = format!("bearer_token={token}&fixed_device=false");
    gateway.door().query(&query).connect().await
}

/// The building, with a password for its support staff.
fn building() -> String {
    let sue = "name: Sue, level: support}";
    let with_password = format!("name: Sue, level: support, password_hash: '{HASH}'}}");
    BUILDING.replace(sue, &with_password)
}

#[tokio::test]
async fn an_engineer_signs_in_calls_a_function_sees_its_log_line_and_a_module_that_breaks() {
    match env::var_os("RISER_TEST_BACKOFFICE") {
        None => by_calls().await,
        Some(folder) => by_pages(&root().join(folder)).await,
    }
}

async fn by_calls() {
    let gateway = Gateway::start(&building()).await;
    let cookie = signed_in(&gateway).await;
    let token = token(&gateway, &cookie).await;

    let who = read(&gateway, &token, "/users/current").await;
    assert_eq!(
        (&who["email"], &who["support"]),
        (&json!(EMAIL), &json!(true))
    );
    let room = read(&gateway, &token, "/systems/sys-1").await;
    assert_eq!(room["name"], "Board Room");
    for list in [
        "/systems?q=",
        "/settings?parent_id=sys-1",
        "/systems/sys-1/triggers",
        "/modules?q=",
    ] {
        assert!(read(&gateway, &token, list).await.is_array(), "{list}");
    }
    read(&gateway, &token, "/metadata/sys-1").await;
    let modules = "/modules?control_system_id=sys-1&complete=true&limit=200";
    let modules = read(&gateway, &token, modules).await;
    assert_eq!(modules[0]["id"], "mod-d1");
    assert_eq!(modules[0]["driver"]["name"], "Virtual");

    // The dot of a module, and its log by the module's id.
    let mut page = socket(&gateway, &token).await;
    page.bind_with_value(display("connected"), 1, true).await;
    let log = json!({"id": 5, "cmd": "debug", "sys": "sys-1", "mod": "mod-d1", "index": 1, "name": "debug"});
    page.send(log).await;
    let place = display("debug").of("mod-d1");
    page.expect(place.debugging(5, "mod-d1")).await;

    let functions = read(&gateway, &token, "/systems/sys-1/functions/Display_1").await;
    assert_eq!(functions["log"]["arity"], 2);
    let call = format!("{BASE}/systems/sys-1/Display_1/log");
    let call = gateway.request("POST", &call).bearer(&token);
    let called = call.json(json!(["debug", "-> power on"])).send().await;
    assert_eq!(called.status, 200, "{}", called.body);
    page.expect(place.line(5, "mod-d1", "debug", "-> power on"))
        .await;
    let state = read(&gateway, &token, "/systems/sys-1/Display_1").await;
    assert_eq!(state, json!({"connected": "true"}));

    let mut device = socket(&gateway, &token).await;
    device
        .call(display("set"), json!(["connected", false]))
        .await;
    page.expect(display("connected").notify(1, false)).await;
    let ignore = json!({"id": 6, "cmd": "ignore", "sys": "sys-1", "mod": "mod-d1", "index": 1, "name": "debug"});
    page.send(ignore).await;
    page.expect(json!({"id": 6, "type": "success"})).await;
}

async fn by_pages(folder: &Path) {
    assert!(
        folder.join("index.html").exists(),
        "{} has no index.html: put the files of the branch `build/dev` of PlaceOS's backoffice there",
        folder.display()
    );
    let pages = format!(
        "[[static]]\npath = \"/backoffice/\"\nfolder = \"{}\"\nfallback = \"index.html\"\n",
        folder.display()
    );
    let display_that_logs = building().replace(
        "{id: mod-d2, driver: virtual, name: Display}",
        "{id: mod-d2, driver: demo_display, name: Projector}",
    );
    let plan = Plan::serve(&display_that_logs).file("riser.toml", &pages);
    let gateway = plan.arguments(["--config", "riser.toml"]).start().await;
    let mut browser = Browser::start();
    let place = format!("{}/backoffice/#/systems/sys-1/modules", gateway.url());
    browser.open(&place).await;
    browser.fill("input[name=email]", EMAIL).await;
    browser.fill("input[name=password]", PASSWORD).await;
    browser.click("button[type=submit]").await;
    let row = |module: &str| format!("system-modules div[table-row]:has-text('{module}')");
    let projector = row("Projector_1");
    browser.see(&format!("{projector} [dot].bg-success")).await;
    browser
        .click(&format!("{projector} mat-checkbox input"))
        .await;
    browser.see("new-terminal").await;

    browser.click("select-system-module mat-select").await;
    browser.click("mat-option:has-text('Projector')").await;
    browser.click("select-module-method mat-select").await;
    browser.click("mat-option :text-is('power')").await;
    browser.fill("execute-method-field input", "true").await;
    browser.click("button:has-text('Execute')").await;
    browser.see(":text('Command successful')").await;
    browser.see("new-terminal:has-text('-> power on')").await;

    browser
        .click(&format!("{projector} button >> nth=-1"))
        .await;
    browser
        .click("[mat-menu-item]:has-text('View State')")
        .await;
    browser
        .see("view-module-state-modal:has-text('power')")
        .await;

    let mut device = gateway.connect(Key::USER).await;
    device
        .call(display("set"), json!(["connected", false]))
        .await;
    browser
        .see(&format!("{} [dot].bg-error", row("Display_1")))
        .await;
    assert_eq!(browser.faults(), [] as [&Value; 0]);
}
