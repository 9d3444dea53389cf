//! Platypush's own pages in a browser, unmodified, as its Python package carries them.

use serde_json::{Value, json};

use super::door::{ADMIN, BUILDING, custom, execute, output, with_pages};
use crate::harness::{Browser, Gateway, Plan, platypush_pages};

/// A gateway, and somebody who has signed in on its page by the page's own form.
async fn signed_in() -> (Gateway, Browser) {
    let (gateway, url) = with_pages(Plan::serve(BUILDING), &platypush_pages()).await;
    let mut browser = Browser::start();
    browser.open(&format!("{url}/")).await;
    browser.fill("input[name=username]", "ops").await;
    browser.fill("input[name=password]", "correct horse").await;
    browser.click("button[type=submit]:visible").await;
    // The page has its websocket of events.
    browser.see("nav .status.ok").await;
    (gateway, browser)
}

async fn go_to(browser: &mut Browser, page: &str) {
    browser.click(&format!("nav :text('{page}')")).await;
}

/// Asserts that nothing in the page has failed, and that it was refused nothing but what it asks before somebody signs in.
fn assert_no_faults(browser: &Browser) {
    let before_the_sign_in = [
        json!({"event": "http", "status": 401, "path": "/execute"}),
        json!({"event": "http", "status": 401, "path": "/auth"}),
    ];
    let faults = browser.faults().into_iter();
    let faults: Vec<&Value> = faults
        .filter(|fault| !before_the_sign_in.contains(fault))
        .collect();
    assert_eq!(faults, [] as [&Value; 0]);
}

/// Case 42.
#[tokio::test]
async fn a_person_signs_in_chooses_an_action_runs_it_and_sees_its_result() {
    let (gateway, mut browser) = signed_in().await;
    go_to(&mut browser, "Execute").await;
    browser
        .fill("input[placeholder=Action]", "board_room.display_1.s")
        .await;
    browser
        .click(".autocomplete .items > *:has-text('display_1.set')")
        .await;
    // When it shows what the action does, it makes no new form any more.
    browser.see(":text('Publishes any JSON value')").await;
    browser.fill("input[placeholder=name]", "volume").await;
    browser.fill("input[placeholder=value]", "42").await;
    browser.click("button.run-btn").await;
    browser.see(".output.response:has-text('success')").await;
    let said = output(&gateway, "board_room.display_1.status", json!("volume")).await;
    assert_eq!(said, json!(42));
    assert_no_faults(&browser);
}

#[tokio::test]
async fn a_person_sees_events_and_calls_as_they_come_and_makes_a_token() {
    let (gateway, mut browser) = signed_in().await;
    go_to(&mut browser, "Application").await;
    browser.click(".tabs :text('Events')").await;
    let published = execute(&gateway, custom("doors", &json!({"who": "Ann"})));
    published.bearer(ADMIN).ok().await;
    browser.see(".events-container :text('CustomEvent')").await;
    browser.click(".tabs :text('Monitor')").await;
    let calls = async {
        loop {
            output(&gateway, "lobby.lights.echo", json!([1])).await;
        }
    };
    tokio::select! {
        () = browser.see(".monitor-container :text('lobby.lights_1.echo')") => {}
        () = calls => {}
    }

    go_to(&mut browser, "Settings").await;
    go_to(&mut browser, "Tokens").await;
    browser.click("button:has-text('Generate API Token')").await;
    browser.fill("input[name=name]:visible", "tablet").await;
    browser.click("input[type=submit]:visible").await;
    browser.see("textarea.token").await;
    let token = browser.text("textarea.token").await;
    let who = gateway.request("GET", "/auth").bearer(&token).ok().await;
    assert_eq!(who["username"], "ops");
    assert_no_faults(&browser);
}
