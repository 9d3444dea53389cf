//! The console in a browser, as people use it.

mod person;

use std::fmt::Write as _;

use serde_json::json;

use crate::harness::{Console, Gateway, Key, LABORATORY, PASSWORD, Plan};

use person::Person;

/// The room of the laboratory, and its soft module there.
const LAB: &str = "#/room/sys-lab";
const SOFT: &str = "[data-module=Soft_1]";

/// The cell of a status of the soft module.
fn value(status: &str) -> String {
    format!("{SOFT} [data-status={status}] .value")
}

/// A room name in a script that runs from the right.
const ARABIC: &str = "غرفة الاجتماعات";

async fn laboratory() -> Gateway {
    Gateway::start(LABORATORY).await
}

#[tokio::test]
async fn a_browser_that_asks_for_the_root_is_sent_to_the_console_and_a_program_is_not() {
    let gateway = Plan::serve(LABORATORY).base_path("/riser").start().await;
    let mut person = Person::at(&gateway);
    let headers = person.open(&format!("{}/", gateway.url())).await;
    person.see("#to-login").await;
    let policy = headers["content-security-policy"].as_str();
    let policy = policy.expect("the console has a policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    person.assert_no_faults();

    let asked = gateway.request("GET", "/").header("Accept", "*/*");
    assert_eq!(asked.send().await.status, 404);
}

#[tokio::test]
async fn a_person_signs_in_below_a_base_path_and_sees_what_happens_in_a_room() {
    let gateway = Plan::serve(LABORATORY).base_path("/riser").start().await;
    let mut person = Person::at(&gateway);
    person.go(LAB).await;
    person.click("#to-login").await;
    person.fill("input[name=email]", "ann@example.test").await;
    person.fill("input[name=password]", PASSWORD).await;
    person.click("button[type=submit]").await;
    // Back at the room that was asked for.
    person.see(&format!("{SOFT} .dot.good")).await;
    assert_eq!(person.text("#who").await, "Ann");

    let mut console = Console::connect(&gateway).await;
    console.set("mood", "calm").await;
    person
        .click(&format!("{SOFT} summary:has-text('Functions')"))
        .await;
    person
        .click(&format!(
            "{SOFT} .function:has(form[data-function=echo]) summary"
        ))
        .await;
    person
        .fill(
            &format!("{SOFT} form[data-function=echo] textarea"),
            "\"hello\"",
        )
        .await;
    // By the keyboard alone, as who cannot point.
    person.press("Tab").await;
    person.press("Enter").await;
    person
        .see(&format!("{SOFT} output:has-text('\"hello\"')"))
        .await;
    // A call has the page look for statuses that it does not know yet.
    person
        .see(&format!("{}:has-text('calm')", value("mood")))
        .await;
    console.set("mood", "busy").await;
    person
        .see(&format!("{}:has-text('busy')", value("mood")))
        .await;
    person.assert_no_faults();

    person.click("#sign-out").await;
    person.see("#to-login").await;
}

#[tokio::test]
async fn a_module_that_breaks_is_seen_in_the_building_and_in_its_room() {
    let gateway = laboratory().await;
    let mut console = Console::connect(&gateway).await;
    let mut person = Person::administrator(&gateway).await;
    person.see(".roomline .dot.good").await;
    console.set("connected", false).await;
    person.see(".roomline .dot.bad").await;
    person
        .see(".roomline .chip.bad:has-text('broken: Soft 1')")
        .await;
    person.go(LAB).await;
    person.see(&format!("{SOFT} .dot.bad")).await;
    console.set("connected", true).await;
    person.see(&format!("{SOFT} .dot.good")).await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_function_is_called_by_its_form_and_its_log_line_is_seen() {
    let gateway = laboratory().await;
    let mut person = Person::administrator(&gateway).await;
    person.go(LAB).await;
    person
        .click(&format!("{SOFT} summary:has-text('Log')"))
        .await;
    person.see(&format!("{SOFT} [role=log]")).await;
    person
        .click(&format!("{SOFT} summary:has-text('Functions')"))
        .await;
    for function in ["log", "fail"] {
        let summary = format!("{SOFT} .function:has(form[data-function={function}]) summary");
        person.click(&summary).await;
    }
    let form = |function: &str| format!("{SOFT} form[data-function={function}]");
    person
        .choose(&format!("{} select", form("log")), "warn")
        .await;
    person
        .fill(&format!("{} input", form("log")), "mind the gap")
        .await;
    person.click(&format!("{} button", form("log"))).await;
    person
        .see(&format!(
            "{SOFT} [role=log] p.warn:has-text('mind the gap')"
        ))
        .await;
    person
        .choose(&format!("{SOFT} [data-part=log] select"), "error")
        .await;
    person
        .see_no(&format!("{SOFT} [role=log] p:has-text('mind the gap')"))
        .await;

    person
        .fill(&format!("{} input", form("fail")), "out of paper")
        .await;
    person.click(&format!("{} button", form("fail"))).await;
    person
        .see(&format!(
            "{} output .problem:has-text('out of paper')",
            form("fail")
        ))
        .await;
    person.assert_no_faults();
}

#[tokio::test]
async fn what_a_status_says_is_text_and_never_markup_and_what_is_long_is_cut() {
    let gateway = laboratory().await;
    let mut console = Console::connect(&gateway).await;
    let markup = "<img src=x onerror=alert(1)><script>alert(2)</script>";
    console.set("markup", markup).await;
    console.set("huge", "x".repeat(2_000_000)).await;
    let mut person = Person::administrator(&gateway).await;
    person.go(LAB).await;
    person.see(&value("markup")).await;
    assert_eq!(
        person.text(&value("markup")).await,
        json!(markup).to_string()
    );
    assert_eq!(person.count("#content img, #content script").await, 0);
    assert!(person.text(&value("huge")).await.len() < 1_000);
    person
        .click(&format!("{} button:has-text('Show all')", value("huge")))
        .await;
    person.see("dialog pre").await;
    // With its quotation marks.
    assert_eq!(person.text("dialog pre").await.len(), 2_000_002);
    person.press("Escape").await;
    person.see_no("dialog").await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_restart_of_the_gateway_is_survived_and_old_values_say_so() {
    let mut gateway = laboratory().await;
    let mut person = Person::administrator(&gateway).await;
    person.go(LAB).await;
    person
        .see(&format!("{}:has-text('true')", value("connected")))
        .await;
    gateway.kill().await;
    person
        .see("#stale:has-text('Values may be old since')")
        .await;
    person
        .see(&format!("{}.old:has-text('true')", value("connected")))
        .await;
    gateway.restart().await;
    person.see_no("#stale").await;
    person
        .see(&format!(
            "{}:not(.old):has-text('true')",
            value("connected")
        ))
        .await;
    let mut console = Console::connect(&gateway).await;
    console.set("connected", false).await;
    person.see(&format!("{SOFT} .dot.bad")).await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_room_is_made_with_mistakes_said_beside_their_fields_and_removed() {
    let gateway = laboratory().await;
    let mut person = Person::administrator(&gateway).await;
    person.go("#/edit/systems/new").await;
    person.fill("input[name=capacity]", "4").await;
    person.click("form button[type=submit]").await;
    person
        .see("div:has(> label > input[name=name]) > .problem:has-text('is empty')")
        .await;
    let long = "w".repeat(512);
    person
        .fill("input[name=name]", &format!("{ARABIC} {long}"))
        .await;
    person.click("form button[type=submit]").await;
    person.see(".toast.good").await;
    person.go("#/building").await;
    person.fill("#search", ARABIC).await;
    person
        .see(&format!(".roomline a:has-text('{ARABIC}')"))
        .await;
    person.see_no(".roomline a:has-text('Lab')").await;
    person.click(".roomline a:visible").await;
    person.click("a:has-text('Edit this room')").await;
    person.click("form button.danger").await;
    person.click("dialog button.danger").await;
    person.see(".entries").await;
    person
        .see_no(&format!(".entries a:has-text('{ARABIC}')"))
        .await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_key_is_made_shown_once_and_opens_what_it_may() {
    let gateway = laboratory().await;
    let mut person = Person::administrator(&gateway).await;
    person.go("#/edit/api_keys/new").await;
    person.fill("input[name=name]", "panel").await;
    person.click("form button[type=submit]").await;
    person.see("#new-secret").await;
    let secret = person.text("#new-secret").await;
    let asked = gateway.request("GET", "/api/engine/v2/systems");
    asked.header("X-API-Key", &secret).ok().await;
    person.click("button:has-text('I have kept it')").await;
    person.see(".toast.good:has-text('panel')").await;
    person.go("#/edit/api_keys").await;
    person.see(".entries a:has-text('panel')").await;
    assert_eq!(person.count(&format!("text={secret}")).await, 0);
    person.assert_no_faults();
}

#[tokio::test]
async fn a_sign_in_that_ends_over_an_open_form_loses_nothing_typed() {
    let gateway = laboratory().await;
    let made = gateway
        .request("POST", "/api/engine/v2/api_keys")
        .key(Key::ADMIN)
        .json(json!({"name": "short", "permissions": "admin"}))
        .send()
        .await;
    let key = made.json();
    let secret = key["x_api_key"].as_str().expect("a secret").to_owned();
    let mut person = Person::with_key(&gateway, &secret).await;
    person.go("#/edit/zones/new").await;
    person.fill("input[name=name]", "Annex").await;
    let path = format!(
        "/api/engine/v2/api_keys/{}",
        key["id"].as_str().expect("an id")
    );
    let removed = gateway
        .request("DELETE", &path)
        .key(Key::ADMIN)
        .send()
        .await;
    assert_eq!(removed.status, 202);

    // The websocket is closed with the key, so nobody has to press anything to be told.
    person
        .fill("dialog input[name=email]", "ann@example.test")
        .await;
    person.fill("dialog input[name=password]", PASSWORD).await;
    person.click("dialog form button.main").await;
    person.see_no("dialog").await;
    assert_eq!(person.text("input[name=name]").await, "Annex");
    person.click("form button[type=submit]").await;
    person.see(".toast.good:has-text('Annex')").await;
    person.assert_no_faults();
}

#[tokio::test]
async fn no_page_shuts_anybody_out() {
    let gateway = laboratory().await;
    let mut person = Person::at(&gateway);
    person.go("").await;
    person.see("#to-login").await;
    person.assert_open_to_all("the sign-in").await;
    person.fill("input[name=key]", Key::ADMIN.0).await;
    person.press("Enter").await;
    person.see(".roomline .dot.good").await;
    for (page, shows) in [
        ("#/building", ".roomline"),
        (LAB, "[data-status=connected]"),
        ("#/edit/systems", ".entries li"),
        ("#/edit/systems/sys-lab", "form"),
        ("#/edit/zones/new", "form"),
        ("#/edit/modules/mod-soft", "form"),
        ("#/edit/users/user-ann", "form"),
        ("#/edit/api_keys/new", "form"),
        ("#/alerts", "h2"),
        ("#/metrics", "tbody tr"),
        ("#/cluster", "table"),
        ("#/tryit", "textarea"),
    ] {
        person.go(page).await;
        person.see(&format!("#content {shows}")).await;
        for closed in ["Functions", "Log", "More fields"] {
            let summary = format!("summary:has-text('{closed}')");
            if person.count(&summary).await > 0 {
                person.click(&summary).await;
            }
        }
        person.assert_open_to_all(page).await;
    }
    person.assert_no_faults();
}

#[tokio::test]
async fn rooms_that_nobody_sees_are_not_bound() {
    const ROOMS: usize = 300;
    let mut building = String::from("systems:\n");
    for room in 1..=ROOMS {
        writeln!(
            building,
            "  - {{id: sys-{room}, name: Room {room}, modules: [mod-{room}]}}"
        )
        .expect("text grows");
    }
    building.push_str("modules:\n");
    for room in 1..=ROOMS {
        writeln!(
            building,
            "  - {{id: mod-{room}, driver: virtual, name: Box}}"
        )
        .expect("text grows");
    }
    building.push_str(
        "users:\n  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}\n\
         api_keys:\n  - {id: admin, secret: secret-a, user: user-eve, level: admin}\n",
    );
    let gateway = Gateway::start(&building).await;
    let mut person = Person::administrator(&gateway).await;
    person.see("[data-room=sys-1] .dot.good").await;
    let bound = person.bound();
    assert!(
        bound < ROOMS,
        "{bound} statuses are bound for what can be seen of {ROOMS} rooms"
    );
    person.fill("#search", "Room 299").await;
    person.see("[data-room=sys-299] .dot.good").await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_websocket_of_another_dialect_is_tried_by_hand() {
    let gateway = laboratory().await;
    let mut person = Person::administrator(&gateway).await;
    person.go("#/tryit").await;
    person.choose("#content select", "home_assistant").await;
    person.click("#content button:text-is('Connect')").await;
    person.see("[role=log] p:has-text('auth_required')").await;
    person.click("#content button:text-is('Send')").await;
    person.see("[role=log] p:has-text('auth_ok')").await;
    // The key stands nowhere in the page.
    assert_eq!(person.count("text=secret-a").await, 0);
    person.assert_no_faults();
}
