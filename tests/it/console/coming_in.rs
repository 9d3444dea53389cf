//! Coming in, and what somebody may see there.

use serde_json::json;

use crate::harness::{Console, Key, LABORATORY, PASSWORD, Plan};

use super::person::Person;
use super::{LAB, SOFT, demo, laboratory, value};

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
    let answered = asked.send().await;
    assert_eq!((answered.status, answered.body.as_str()), (200, ""));
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
async fn the_demo_prints_an_address_that_signs_in_once() {
    let (gateway, url) = demo().await;
    let mut person = Person::at(&gateway);
    person.open(&url).await;
    person
        .see(".roomline:has-text('Board Room') .dot.good")
        .await;
    assert_eq!(person.text("#who").await, "Demo");
    person.assert_no_faults();

    let mut other = Person::at(&gateway);
    other.open(&url).await;
    other.see(".toast.bad").await;
    other.see("#to-login").await;
    let (_, secret) = url.split_once("#once=").expect("the secret");
    assert!(!gateway.log().join("\n").contains(secret), "it is logged");
}

#[tokio::test]
async fn who_may_do_little_sees_the_rooms_and_is_told_what_is_refused() {
    let gateway = laboratory().await;
    let mut person = Person::with_key(&gateway, Key::USER.0).await;
    person.see(".roomline:has-text('Lab') .dot.good").await;
    assert_eq!(person.count("#pages a:has-text('Edit')").await, 0);
    person.go(LAB).await;
    person
        .click(&format!("{SOFT} summary:has-text('Log')"))
        .await;
    let refused = "[data-part=log]:has-text('debugging needs support clearance')";
    person.see(&format!("{SOFT} {refused}")).await;
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
