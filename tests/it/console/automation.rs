//! What the building does by itself: its forms, how it fares, and what it did.

use crate::harness::{Console, Gateway, LABORATORY};

use super::LAB;
use super::person::Person;

/// A procedure and triggers: one that PlaceOS's form can say, one that it cannot, and one of no room.
pub(super) const AUTOMATION: &str = r#"
procedures:
  - {id: greet, parameters: [who], steps: [{return: "{{ who }}"}]}
triggers:
  - id: trig-calm
    name: It is calm
    system: sys-lab
    when: [{status: Soft_1/mood, is: "==", than: calm}]
    then: [{call: Soft_1/set, args: {name: lamp, value: true}}, {call: Soft_1/fail, args: {message: no bulb}}]
  - {id: trig-doors, name: Doors, system: sys-lab, when: [{event: doors}], then: [{run: greet, args: [Ann]}]}
  - {id: trig-clock, name: Clock, when: [{cron: "0 7 * * *"}], then: [{run: greet, args: [Ann]}]}
"#;

pub(super) async fn automated() -> Gateway {
    Gateway::start(&format!("{LABORATORY}{AUTOMATION}")).await
}

/// An input of the part that is a status, a time or a call, by its label.
fn part(kind: &str, label: &str) -> String {
    format!(".part:has(legend:text-is('{kind}')) label:has-text('{label}') >> input, select")
}

#[tokio::test]
async fn why_the_light_went_on_is_seen_with_what_each_step_did() {
    let gateway = automated().await;
    let mut console = Console::connect(&gateway).await;
    console.set("mood", "busy").await;
    let mut person = Person::administrator(&gateway).await;
    person.go(LAB).await;
    let standing = "[data-trigger=trig-calm] .chip";
    person
        .see(&format!("{standing}:has-text('fired 0 times')"))
        .await;
    console.set("mood", "calm").await;
    person
        .see(&format!("{standing}:has-text('fired 1 time')"))
        .await;
    person
        .see(&format!("{standing}:has-text('1 action error')"))
        .await;
    person.click("[data-trigger=trig-calm] a").await;
    person
        .see("li:has-text('Soft_1 mood is \"calm\"') .dot.good")
        .await;
    person
        .click("[data-part=firing] summary:has-text('sys-lab/Soft_1/mood')")
        .await;
    person
        .see("tr:has-text('call sys-lab/Soft_1/set') td.good:has-text('done')")
        .await;
    person
        .see("tr:has-text('call sys-lab/Soft_1/fail') td.bad:has-text('no bulb')")
        .await;
    person.assert_open_to_all("a firing").await;

    console.set("mood", "busy").await;
    person
        .see("li:has-text('Soft_1 mood') .dot:not(.good)")
        .await;
    console.set("mood", "calm").await;
    person.see(".chip:has-text('fired 2 times')").await;
    // What was opened stays so when the next firing is there.
    person.see("[data-part=firing]:nth-child(2)[open]").await;
    assert_eq!(person.count("[data-part=firing]").await, 2);
    person.hold_a_phone().await;
    assert_eq!(person.hidden_width().await, 0);
    person.assert_no_faults();
}

#[tokio::test]
async fn a_trigger_is_made_with_mistakes_said_in_their_rows_and_removed() {
    let gateway = automated().await;
    let mut person = Person::administrator(&gateway).await;
    person.go("#/edit/triggers/new").await;
    person.fill("input[name=name]", "Warm").await;
    person
        .choose("select[name=control_system_id]", "sys-lab")
        .await;
    person.click("button:has-text('Add a status')").await;
    person.click("button:has-text('Add a call')").await;
    person.fill(&part("call", "Arguments"), "[1]").await;
    person.click("form button[type=submit]").await;
    // Nothing was sent for this: the page itself knows that it is no object.
    person
        .see(".part:has(legend:text-is('call')) .problem:has-text('have to be a JSON object')")
        .await;
    person
        .fill(
            &part("call", "Arguments"),
            r#"{"name": "lamp", "value": 1}"#,
        )
        .await;
    person.click("form button[type=submit]").await;
    for kind in ["status", "call"] {
        let problem = format!(".part:has(legend:text-is('{kind}')) .problem");
        person
            .see(&format!(
                "{problem}:has-text('Module must be a module with its index')"
            ))
            .await;
    }
    person.fill(&part("status", "Module"), "Soft_1").await;
    person.fill(&part("status", "Status"), "temperature").await;
    person
        .choose(&part("status", "Compares"), "greater_than")
        .await;
    person.fill(&part("status", "Value"), "26.5").await;
    person.fill(&part("call", "Module"), "Soft_1").await;
    person.fill(&part("call", "Function"), "set").await;

    // What was typed is there again after a look at another page.
    person.go("#/building").await;
    person.see(".roomline").await;
    person.go("#/edit/triggers/new").await;
    person.see(".warn:has-text('did not save')").await;
    assert_eq!(person.text(&part("status", "Value")).await, "26.5");
    person.click("form button[type=submit]").await;
    person.see(".toast.good:has-text('Warm is made')").await;
    person.see("a:has-text('When it fired')").await;

    let triggers = gateway.request("GET", "/api/engine/v2/triggers");
    let triggers = triggers.key(crate::harness::Key::ADMIN).ok().await;
    let made = triggers.as_array().expect("a list").iter();
    let made = made.filter(|it| it["name"] == "Warm").collect::<Vec<_>>();
    let [made] = made[..] else {
        panic!("{triggers}");
    };
    assert_eq!(made["conditions"]["comparisons"][0]["right"], 26.5);
    assert_eq!(made["actions"]["functions"][0]["args"]["value"], 1);

    person.click("form button.danger").await;
    person.click("dialog button.danger").await;
    person.see(".toast.good:has-text('Warm is removed')").await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_trigger_that_the_form_cannot_say_is_shown_and_not_changed() {
    let gateway = automated().await;
    let mut person = Person::administrator(&gateway).await;
    person.go("#/edit/triggers").await;
    person.click(".entries a:has-text('Doors')").await;
    person
        .see(".warn:has-text('Change it in the building file')")
        .await;
    assert_eq!(person.text("input[name=name]").await, "Doors");
    assert_eq!(person.count("form button[type=submit]").await, 0);
    person.go("#/trigger/trigger-trig-clock").await;
    person.see("p:has-text('stands in no room')").await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_procedure_and_its_hook_are_made_and_the_hook_is_called() {
    let gateway = automated().await;
    let mut person = Person::administrator(&gateway).await;
    person.go("#/edit/procedures/new").await;
    person.fill("input[name=id]", "twice").await;
    person.fill("textarea[name=parameters]", "what").await;
    person.fill("textarea[name=steps]", "[{").await;
    let problem = "div:has(> label > textarea[name=steps]) > .problem";
    person.click("form button[type=submit]").await;
    person
        .see(&format!("{problem}:has-text('is no JSON')"))
        .await;
    person
        .fill("textarea[name=steps]", r#"[{"return": "{{ what + }}"}]"#)
        .await;
    person.click("form button[type=submit]").await;
    person
        .see(&format!("{problem}:has-text('has a mistake in its text')"))
        .await;
    person
        .fill(
            "textarea[name=steps]",
            r#"[{"return": "{{ what ~ what }}"}]"#,
        )
        .await;
    person.click("form button[type=submit]").await;
    person.see(".toast.good:has-text('twice is made')").await;

    person.go("#/edit/hooks/new").await;
    person.fill("input[name=name]", "echo").await;
    person.choose("select[name=run]", "twice").await;
    person.fill("textarea[name=args]", r#"["so"]"#).await;
    person
        .fill("textarea[name=header]", r#"{"X-Token": "s3cret-token"}"#)
        .await;
    person.go("#/building").await;
    person.see(".roomline").await;
    person.go("#/edit/hooks/new").await;
    person.see(".warn:has-text('did not save')").await;
    // What callers have to show is kept nowhere.
    assert_eq!(person.text("textarea[name=header]").await, "");
    person.click("form button[type=submit]").await;
    person.see(".toast.good:has-text('echo is made')").await;
    let called = gateway.request("POST", "/hook/echo").send().await;
    assert_eq!((called.status, called.body.as_str()), (200, "soso"));
    person.assert_no_faults();
}
