//! The building and its rooms as they change.

use serde_json::json;

use crate::harness::Console;

use super::person::Person;
use super::{LAB, SOFT, laboratory, value};

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
    // One more than a number of JavaScript has digits for.
    let long = 9_007_199_254_740_993_u64;
    console.set("long", long).await;
    console.set("huge", "x".repeat(2_000_000)).await;
    let mut person = Person::administrator(&gateway).await;
    person.go(LAB).await;
    for (status, part) in [("markup", "onerror"), ("long", "9007"), ("huge", "xxx")] {
        let value = format!("{}:has-text('{part}')", value(status));
        person.see(&value).await;
    }
    assert_eq!(
        person.text(&value("markup")).await,
        json!(markup).to_string()
    );
    assert_eq!(person.count("#content img, #content script").await, 0);
    assert_eq!(person.text(&value("long")).await, long.to_string());
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
