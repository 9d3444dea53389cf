//! The forms by which the building is changed.

use super::laboratory;
use super::person::Person;

/// A room name in a script that runs from the right.
const ARABIC: &str = "غرفة الاجتماعات";

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
        .see(&format!(".roomline a[dir=auto]:has-text('{ARABIC}')"))
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
