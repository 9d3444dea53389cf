//! Triggers in PlaceOS's form: what is shown, what is read back, and what has no place there.

use serde_json::{Value as Json, json};

use super::*;
use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::Unreadable;
use crate::model::{
    Collection, EntryInfo, JsonText, Secret, Source, System, SystemId, Trigger, Value, Values,
    Version,
};

fn trigger(when: &str, then: &str) -> Trigger {
    let values = Values::none()
        .with("id", Value::Text("trig-1".into()))
        .with("system", Value::Text("sys-1".into()))
        .with("when", Value::Json(when.to_owned().into()))
        .with("then", Value::Json(then.to_owned().into()))
        .with("debounce", Value::Text("2s".into()));
    Trigger::build(values).unwrap()
}

fn info() -> EntryInfo {
    EntryInfo {
        version: Version(1),
        source: Source::File,
        created_at: 1,
        updated_at: 2,
        place: 7,
    }
}

fn shown(trigger: &Trigger) -> Json {
    serde_json::to_value(TriggerShape::new(trigger, &info())).unwrap()
}

fn over(before: Option<&Trigger>, document: &Json) -> Result<Trigger, Vec<InvalidField>> {
    let document = match TriggerDocument::read(document.to_string().as_bytes()) {
        Ok(document) => document,
        Err(Unreadable::Fields(wrong)) => return Err(wrong),
        Err(Unreadable::NotADocument(reason)) => panic!("{reason}"),
    };
    let id = match before {
        Some(before) => before.id.clone(),
        None => document.new_id("fresh")?,
    };
    document.over(&id, before, &Secret::new("made"))
}

fn fields(refused: Result<Trigger, Vec<InvalidField>>) -> Vec<String> {
    let refused = refused.unwrap_err().into_iter();
    refused.map(|wrong| wrong.field).collect()
}

const WHEN: &str = r#"[{"webhook":true,"secret":"s"},
    {"status":"My_Display_2/a","is":">=","than":26.5},
    {"status":"sys-1/Lamp_1/on","is":"!=","than":"x"}]"#;
const THEN: &str = r#"[{"call":"Lamp_1/set","args":{"to":[1.5]}},{"call":"Lamp_1/off"}]"#;

#[test]
fn a_trigger_is_shown_as_a_definition_and_an_instance() {
    let trigger = trigger(WHEN, THEN);
    let shape = shown(&trigger);
    assert_eq!(shape["id"], "trigger-trig-1");
    let expect = json!({"comparisons": [
        {"left": {"mod": "My_Display_2", "status": "a", "keys": []}, "operator": "greater_than_or_equal", "right": 26.5},
        {"left": {"mod": "Lamp_1", "status": "on", "keys": []}, "operator": "not_equal", "right": "x"},
    ], "time_dependents": []});
    assert_eq!(shape["conditions"], expect);
    let expect = json!({"functions": [
        {"mod": "Lamp_1", "method": "set", "args": {"to": [1.5]}},
        {"mod": "Lamp_1", "method": "off", "args": {}},
    ], "mailers": []});
    assert_eq!(shape["actions"], expect);
    assert_eq!(
        (&shape["debounce_period"], &shape["enable_webhook"]),
        (&json!(2000), &json!(true))
    );
    assert!(!shape.to_string().contains("\"s\""), "{shape}");
    assert!(!TriggerShape::is_less_than(&trigger));

    let standing = TriggerStanding::of(Some(
        &JsonText::parse(r#"{"triggered":true,"trigger_count":3,"x":1}"#).unwrap(),
    ));
    for (shows, secret) in [(true, json!("s")), (false, Json::Null)] {
        let room = System::new(&SystemId::new("sys-1").unwrap());
        let instance = InstanceShape::new(&trigger, &room, &info(), standing, shows);
        let instance = serde_json::to_value(instance).unwrap();
        assert_eq!(instance["id"], "trig-1");
        assert_eq!(instance["trigger_id"], "trigger-trig-1");
        assert_eq!(
            (&instance["triggered"], &instance["trigger_count"]),
            (&json!(true), &json!(3))
        );
        assert_eq!(instance["webhook_secret"], secret);
        assert_eq!(instance["control_system"]["id"], "sys-1");
    }
    assert_eq!(TriggerStanding::of(None), TriggerStanding::default());
}

#[test]
fn what_was_shown_changes_nothing_when_it_is_sent_back() {
    for when in [
        WHEN,
        r#"[{"at":"2026-12-01T08:00:00Z"}]"#,
        r#"[{"cron":"0 8 * * 1-5","timezone":"Europe/London"}]"#,
    ] {
        let trigger = trigger(when, THEN);
        assert_eq!(
            over(Some(&trigger), &shown(&trigger)).as_ref(),
            Ok(&trigger),
            "{when}"
        );
        assert_eq!(
            over(Some(&trigger), &json!({})).as_ref(),
            Ok(&trigger),
            "{when}"
        );
        let back = over(None, &shown(&trigger)).unwrap();
        assert_eq!(shown(&back), shown(&trigger));
    }
}

#[test]
fn a_change_of_a_part_leaves_the_others() {
    let trigger = trigger(WHEN, THEN);
    let changed =
        json!({"actions": {"functions": [{"mod": "Lamp", "method": "on"}]}, "debounce_period": 0});
    let changed = over(Some(&trigger), &changed).unwrap();
    assert_eq!(shown(&changed)["conditions"], shown(&trigger)["conditions"]);
    assert_eq!(changed.then.json().as_str(), r#"[{"call":"Lamp_1/on"}]"#);
    assert_eq!(changed.debounce, None);
    assert_eq!(
        document::webhook_secret(&changed),
        Some(&Secret::new("s")),
        "it is the one that was"
    );
    let off = over(Some(&trigger), &json!({"enable_webhook": false})).unwrap();
    assert!(!off.is_webhook());
    let moved = over(Some(&trigger), &json!({"control_system_id": "sys-2"})).unwrap();
    assert_eq!(moved.system, SystemId::new("sys-2").ok());
    let followed = r#"{"status":"Lamp_1/on","is":"!=","than":"x"}"#;
    let when = moved.when.json();
    assert!(when.as_str().contains(followed), "{}", when.as_str());
}

#[test]
fn what_riser_has_no_place_for_is_refused_by_its_field() {
    let new = |mut document: Json| {
        document["control_system_id"] = json!("sys-1");
        document["conditions"]["time_dependents"] = json!([{"type": "cron", "cron": "@daily"}]);
        fields(over(None, &document))
    };
    let comparison = |left: Json, operator: &str, right: Json| json!({"conditions": {"comparisons": [{"left": left, "operator": operator, "right": right}]}});
    let left = json!({"mod": "Lamp_1", "status": "on", "keys": []});
    let keys = json!({"mod": "Lamp_1", "status": "on", "keys": ["a"]});
    for (document, field) in [
        (json!({"description": 1}), "description"),
        (json!({"any_match": true}), "any_match"),
        (json!({"exec_enabled": true}), "exec_enabled"),
        (json!({"supported_methods": ["GET"]}), "supported_methods"),
        (json!({"colour": 1}), "colour"),
        (json!({"id": "trig-1"}), "id"),
        (
            json!({"actions": {"mailers": [{"emails": []}]}}),
            "actions.mailers",
        ),
        (
            json!({"actions": {"functions": [{"mod": "", "method": "x"}]}}),
            "actions.functions[0].mod",
        ),
        (json!({"actions": {"functions": [], "more": 1}}), "actions"),
        (
            comparison(keys, "equal", json!(1)),
            "conditions.comparisons[0].left.keys",
        ),
        (
            comparison(left.clone(), "and", json!(1)),
            "conditions.comparisons[0].operator",
        ),
        (
            comparison(left.clone(), "equal", left.clone()),
            "conditions.comparisons[0].right",
        ),
    ] {
        assert_eq!(new(document.clone()), [field], "{document}");
    }
    let mut nowhere = comparison(left, "equal", json!(1));
    assert!(!over(None, &nowhere).unwrap().enabled, "it is a draft");
    nowhere["enabled"] = json!(true);
    assert_eq!(fields(over(None, &nowhere)), ["control_system_id"]);
    for (time, field) in [
        (json!({"type": "at", "cron": "x"}), "time"),
        (json!({"type": "cron", "time": 1}), "cron"),
    ] {
        let document = json!({"conditions": {"time_dependents": [time]}});
        let field = format!("conditions.time_dependents[0].{field}");
        assert_eq!(fields(over(None, &document)), [field], "{document}");
    }
}

#[test]
fn a_trigger_that_says_more_is_told_from_others() {
    for (when, then) in [
        (r#"[{"event":"x"}]"#, "[]"),
        (r#"[{"status":"A_1/x","is":"==","than":null}]"#, "[]"),
        (
            r#"[{"status":"A_1/x","is":"==","than":1,"for":"2s"}]"#,
            "[]",
        ),
        (r#"[{"status":"other/A_1/x","is":"==","than":1}]"#, "[]"),
        (r#"[{"webhook":true,"header":{"X":"y"}}]"#, "[]"),
        (r#"[{"cron":"@daily"}]"#, r#"[{"wait":"2s"}]"#),
        (r#"[{"cron":"@daily"}]"#, r#"[{"call":"A_1/x","args":[1]}]"#),
        (r#"[{"cron":"@daily"}]"#, r#"[{"call":"A_1/x","as":"y"}]"#),
    ] {
        let trigger = trigger(when, then);
        assert!(TriggerShape::is_less_than(&trigger), "{when} {then}");
        assert_eq!(shown(&trigger)["shown_in_full"], false, "{when} {then}");
    }
    assert_eq!(shown(&trigger(WHEN, THEN))["shown_in_full"], true);
}

#[test]
fn null_takes_away_what_there_was() {
    let trigger = trigger(WHEN, THEN);
    let without = json!({"debounce_period": null, "enable_webhook": null, "actions": null});
    let changed = shown(&over(Some(&trigger), &without).unwrap());
    assert_eq!(changed["debounce_period"], 0);
    assert_eq!(changed["enable_webhook"], false);
    assert_eq!(changed["actions"]["functions"], json!([]));
    let nowhere = json!({"control_system_id": null});
    let refused = fields(over(Some(&trigger), &nowhere));
    assert_eq!(
        refused,
        ["control_system_id"],
        "its conditions name modules"
    );
}

fn instance(document: &Json) -> InstanceDocument {
    InstanceDocument::read(document.to_string().as_bytes()).unwrap()
}

#[test]
fn a_draft_is_put_into_a_room_and_taken_out_again() {
    let (room, other) = (
        SystemId::new("sys-1").unwrap(),
        SystemId::new("sys-2").unwrap(),
    );
    let secret = Secret::new("made");
    let out = |trigger: &Trigger| {
        let out = TriggerDocument::taking_out();
        out.over(&trigger.id, Some(trigger), &secret).unwrap()
    };
    let draft = out(&trigger(WHEN, THEN));
    assert_eq!((&draft.system, draft.enabled), (&None, false));
    assert!(!TriggerShape::is_less_than(&draft));
    let document = instance(&json!({"trigger_id": "trigger-trig-1", "control_system_id": "sys-2"}));
    assert_eq!(document.trigger(), Ok(draft.id.clone()));
    let put = document.putting(&draft, &other).unwrap();
    let put = put.over(&draft.id, Some(&draft), &secret).unwrap();
    assert_eq!((&put.system, put.enabled), (&Some(other), true));
    assert_eq!(
        shown(&put)["conditions"],
        shown(&trigger(WHEN, THEN))["conditions"]
    );
    // What the form cannot say stays as it is.
    let more = trigger(
        r#"[{"event":"x"}]"#,
        r#"[{"wait":"2s"},{"call":"Lamp_1/off"}]"#,
    );
    assert_eq!(out(&more).then, more.then);
    let wrong = document.amending(&more, &room).unwrap_err();
    assert_eq!(wrong[0].field, "control_system_id");
    assert!(instance(&json!({})).trigger().is_err());
}

#[test]
fn an_instance_says_nothing_of_what_its_definition_does() {
    for (document, field) in [
        (
            json!({"conditions": {"comparisons": [1], "time_dependents": []}}),
            "conditions",
        ),
        (
            json!({"actions": {"functions": [1], "mailers": []}}),
            "actions",
        ),
        (json!({"debounce_period": 5}), "debounce_period"),
        (json!({"exec_enabled": true}), "exec_enabled"),
        (json!({"playlists": ["x"]}), "playlists"),
        (json!({"colour": 1}), "colour"),
        (json!({"enabled": "yes"}), "enabled"),
    ] {
        let Err(Unreadable::Fields(wrong)) =
            InstanceDocument::read(document.to_string().as_bytes())
        else {
            panic!("{document}");
        };
        assert_eq!(wrong[0].field, field);
    }
}
