//! The other pages, and whom any page shuts out.

use crate::harness::Key;

use super::automation::automated;
use super::person::Person;
use super::{LAB, demo, laboratory};

/// The pages that show something, each with what is there when it has come.
const VIEWS: [(&str, &str); 7] = [
    ("#/building", ".roomline"),
    (LAB, "[data-trigger=trig-calm] .chip"),
    ("#/trigger/trigger-trig-calm", ".entries li"),
    ("#/alerts", "h2"),
    ("#/metrics", "tbody tr"),
    ("#/cluster", "table"),
    ("#/tryit", "textarea"),
];

/// Those that change something.
const FORMS: [(&str, &str); 10] = [
    ("#/edit/systems", ".entries li"),
    ("#/edit/systems/sys-lab", "form"),
    ("#/edit/zones/new", "form"),
    ("#/edit/modules/mod-soft", "form"),
    ("#/edit/users/user-ann", "form"),
    ("#/edit/api_keys/new", "form"),
    ("#/edit/triggers/trigger-trig-calm", ".part"),
    ("#/edit/triggers/trigger-trig-doors", "form"),
    ("#/edit/procedures/greet", "form"),
    ("#/edit/hooks/new", "form"),
];

#[tokio::test]
async fn no_page_that_shows_something_shuts_anybody_out() {
    let gateway = automated().await;
    let mut person = Person::at(&gateway);
    person.go("").await;
    person.see("#to-login").await;
    person.assert_open_to_all("the sign-in").await;
    person.fill("input[name=key]", Key::ADMIN.0).await;
    person.press("Enter").await;
    person.see(".roomline .dot.good").await;
    assert_all_open_to_all(&mut person, &VIEWS).await;
}

#[tokio::test]
async fn no_form_shuts_anybody_out() {
    let gateway = automated().await;
    let mut person = Person::administrator(&gateway).await;
    assert_all_open_to_all(&mut person, &FORMS).await;
}

/// Goes to each page, opens what is closed there, and asserts that it shuts nobody out.
async fn assert_all_open_to_all(person: &mut Person, pages: &[(&str, &str)]) {
    for (page, shows) in pages {
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
async fn no_page_is_wider_than_a_phone() {
    let gateway = automated().await;
    let mut person = Person::administrator(&gateway).await;
    person.hold_a_phone().await;
    for (page, shows) in VIEWS.into_iter().chain(FORMS) {
        person.go(page).await;
        person.see(&format!("#content {shows}")).await;
        assert_eq!(person.hidden_width().await, 0, "{page}");
    }
    person.assert_no_faults();
}

#[tokio::test]
async fn what_a_service_sends_about_a_room_is_seen_among_the_alerts() {
    let (gateway, url) = demo().await;
    let mut person = Person::at(&gateway);
    person.open(&url).await;
    person.see(".roomline").await;
    person.go("#/alerts").await;
    person
        .see(".weak:has-text('No service has sent anything')")
        .await;
    let message = gateway.request("POST", "/pushjet/message").form(&[
        ("secret", "FrontDeskFrontDeskFrontDeskFront"),
        ("message", "The taxi waits"),
    ]);
    message.ok().await;
    person
        .see(".entries li:has-text('Lobby'):has-text('The taxi waits')")
        .await;
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

#[tokio::test]
async fn platypush_is_tried_by_a_request_and_by_websockets() {
    let gateway = laboratory().await;
    let mut person = Person::administrator(&gateway).await;
    person.go("#/tryit").await;
    person.choose("#content select", "platypush_execute").await;
    person.click("#content button:text-is('Send')").await;
    person
        .see("[role=log] p:has-text('← 200'):has-text('sys-lab')")
        .await;
    // There is nothing to connect.
    assert_eq!(
        person
            .count("#content button:text-is('Connect'):visible")
            .await,
        0
    );
    for (choice, answer) in [
        ("platypush_requests", "← {\"id\":\"gateway.systems\""),
        ("platypush_events", "\"subtype\":\"doors\""),
    ] {
        person.choose("#content select", choice).await;
        person.click("#content button:text-is('Connect')").await;
        person
            .see("#content [role=status]:text-is('connected')")
            .await;
        person.click("#content button:text-is('Send')").await;
        person
            .see(&format!("[role=log] p:has-text('{answer}')"))
            .await;
    }
    assert_eq!(person.count("text=secret-a").await, 0);
    person.assert_no_faults();
}
