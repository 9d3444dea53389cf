//! Home Assistant's dashboard in a browser, as riser serves it at an address of its own.

use std::net::SocketAddr;

use serde_json::Value;

use crate::harness::{
    Browser, Console, DEADLINE, Gateway, Key, LABORATORY, PASSWORD, Plan, Request, dashboard_files,
    number_from, soft,
};

/// How many further sights are looked at. CI looks at the first page alone.
const FURTHER_SIGHTS: &str = "RISER_TEST_DASHBOARD_SIGHTS";

/// What opens by a click on the first page, each with what is then to be seen.
const SIGHTS: &[(&str, &str)] = &[
    (
        "hui-toggle-entity-row:has-text('lamp') state-badge",
        "ha-more-info-dialog ha-dialog-header:has-text('lamp')",
    ),
    (
        "hui-toggle-entity-row:has-text('Lighting') state-badge",
        "more-info-light",
    ),
    (
        "hui-sensor-entity-row:has-text('mood') state-badge",
        "ha-more-info-dialog ha-dialog-header:has-text('mood')",
    ),
    (
        "hui-number-entity-row:has-text('volume') state-badge",
        "ha-more-info-dialog ha-dialog-header:has-text('volume')",
    ),
    (
        "hui-select-entity-row state-badge",
        "ha-more-info-dialog ha-dialog-header:has-text('input')",
    ),
    (
        "hui-media-control-card .more-info",
        "more-info-media_player",
    ),
];

/// A gateway with the dashboard, and where that is.
async fn with_dashboard() -> (Gateway, String) {
    let files = dashboard_files();
    let mut gateway = Plan::serve(LABORATORY)
        .variable("RISER_HOME_ASSISTANT__LISTEN", "127.0.0.1:0")
        .variable(
            "RISER_HOME_ASSISTANT__FRONTEND",
            files.to_str().expect("a path"),
        )
        .start()
        .await;
    let line = gateway.next_line(DEADLINE).await.expect("where it listens");
    let url = line
        .strip_prefix("listening home_assistant ")
        .expect("its address");
    let url = url.to_owned();
    (gateway, url)
}

/// A browser whose user has signed in on the dashboard's own page.
async fn signed_in(url: &str) -> Browser {
    let mut browser = Browser::start();
    browser.open(&format!("{url}/")).await;
    browser
        .fill("input[name=username]", "ann@example.test")
        .await;
    browser.fill("input[name=password]", PASSWORD).await;
    browser
        .click("mwc-button:has-text('Log in'), ha-button:has-text('Log in')")
        .await;
    browser
}

// Case 42.
#[tokio::test]
async fn a_person_signs_in_sees_the_room_and_switches_what_everybody_then_sees() {
    let (gateway, url) = with_dashboard().await;
    let mut console = Console::connect(&gateway).await;
    console.set("lamp", false).await;
    console.set("mood", "calm").await;
    let mut panel = gateway.connect(Key::USER).await;
    panel.bind_with_value(soft("lamp"), 1, false).await;

    let mut browser = signed_in(&url).await;
    browser.see("hui-entities-card:has-text('Lab')").await;
    browser.see("hui-sensor-entity-row:has-text('calm')").await;
    console.set("mood", "busy").await;
    browser.see("hui-sensor-entity-row:has-text('busy')").await;

    browser
        .click("hui-toggle-entity-row:has-text('lamp') ha-switch")
        .await;
    panel.expect(soft("lamp").notify(1, true)).await;

    assert_eq!(browser.faults(), [] as [&Value; 0]);
    let further = usize::try_from(number_from(FURTHER_SIGHTS, 0)).expect("few sights");
    for (opens, sight) in SIGHTS.iter().take(further) {
        browser.open(&format!("{url}/lovelace/0")).await;
        browser.click(opens).await;
        browser.see(sight).await;
    }
}

#[tokio::test]
async fn every_panel_has_the_page_and_nothing_outside_of_the_folder_is_served() {
    let (_gateway, url) = with_dashboard().await;
    let address = url.strip_prefix("http://").expect("by HTTP alone");
    let address: SocketAddr = address.parse().expect("an address");
    for (status, paths) in [
        (200, ["/", "/lovelace/0", "/config/areas/dashboard"]),
        (
            404,
            [
                "/static/../__init__.py",
                "/static/%2e%2e/py.typed",
                "/frontend_latest/..%2f..%2fpy.typed",
            ],
        ),
    ] {
        for path in paths {
            let answer = Request::new(address, "GET", path).try_send().await;
            assert_eq!(answer, Some(status), "{path}");
        }
    }
}
