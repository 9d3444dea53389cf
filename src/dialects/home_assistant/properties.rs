//! What holds whatever happens: each command is judged by its id as this dialect says and answered exactly once,
//! and what a client knows of entities is what it would be told anew.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::stage::Stage;
use crate::model::{Cause, Clearance};

/// A stage with a room, and a client that has signed in.
pub(super) fn signed_in() -> Stage {
    let mut stage = Stage::open();
    stage.add_system("sys-a", "Board Room");
    stage.add_module(
        "sys-a Display_1",
        &["power(state:boolean)", "volume(level:integer)", "reboot()"],
        &[("connected", "true"), ("power", "false"), ("volume", "30")],
    );
    stage.client(r#"{"type":"auth","access_token":"demo.secret"}"#);
    stage.identified("user-eng", Clearance::Admin);
    stage.lines.clear();
    stage
}

/// The frames that were said, taken out of their arrays, each as its fields.
pub(super) fn frames(lines: &[String]) -> Vec<BTreeMap<String, Box<RawValue>>> {
    let said = lines.iter().filter_map(|line| line.strip_prefix("S> "));
    said.flat_map(|text| {
        if text.starts_with('[') {
            serde_json::from_str::<Vec<BTreeMap<String, Box<RawValue>>>>(text).unwrap()
        } else {
            vec![serde_json::from_str(text).unwrap()]
        }
    })
    .collect()
}

/// Of each answer the token of its id and the error's code, `ok`, or `pong`.
fn answers(lines: &[String]) -> Vec<(String, String)> {
    let answers = frames(lines).into_iter().filter_map(|frame| {
        let outcome = match frame["type"].get() {
            r#""pong""# => "pong".to_owned(),
            r#""event""# => return None,
            _ => match frame.get("error") {
                None => "ok".to_owned(),
                Some(error) => {
                    let error: BTreeMap<String, Box<RawValue>> =
                        serde_json::from_str(error.get()).unwrap();
                    error["code"].get().trim_matches('"').to_owned()
                }
            },
        };
        Some((frame["id"].get().to_owned(), outcome))
    });
    answers.collect()
}

/// What may stand in the place of an id.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (1_u64..20).prop_map(|id| id.to_string()),
        1 => any::<u64>().prop_map(|id| id.to_string()),
        1 => any::<i64>().prop_map(|id| id.to_string()),
        1 => any::<u128>().prop_map(|id| id.to_string()),
        1 => (1_u32..20).prop_map(|id| format!("{id}.0")),
        1 => (1_u32..20).prop_map(|id| format!("\"{id}\"")),
        1 => prop::sample::select(vec!["null", "true", "[]", "{\"a\":1e400}", "-0", "1e2"]).prop_map(str::to_owned),
    ]
}

/// A type, with what comes of a command of that type alone.
fn kind() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        (r#""type":"ping""#, "pong"),
        (r#""type":"ping","x":1"#, "invalid_format"),
        (r#""type":"get_panels""#, "ok"),
        (
            r#""type":"unsubscribe_events","subscription":0"#,
            "not_found",
        ),
        (r#""type":"nonsense""#, "unknown_command"),
        (r#""type":"""#, "no type"),
        (r#""x":1"#, "no type"),
    ])
}

proptest! {
    #[test]
    fn an_id_is_judged_before_the_type_and_used_up_where_the_type_is_known(
        commands in prop::collection::vec((id(), kind()), 0..30),
        in_one_message in any::<bool>(),
    ) {
        let mut expected = Vec::new();
        let mut last = 0;
        for (id, (_, outcome)) in &commands {
            let number = id.parse::<u64>().ok().filter(|number| *number > 0);
            let outcome = match (number, *outcome) {
                (None, _) | (Some(_), "no type") => "invalid_format",
                (Some(number), _) if number <= last => "id_reuse",
                (Some(_), "unknown_command") => "unknown_command",
                (Some(number), outcome) => {
                    last = number;
                    outcome
                }
            };
            expected.push((id.clone(), outcome.to_owned()));
        }
        let texts = commands.iter().map(|(id, (rest, _))| format!(r#"{{"id":{id},{rest}}}"#));
        let texts: Vec<String> = texts.collect();
        let mut stage = signed_in();
        if in_one_message {
            stage.client(&format!("[{}]", texts.join(",")));
        } else {
            texts.iter().for_each(|text| stage.client(text));
        }
        prop_assert_eq!(answers(&stage.lines), expected);
    }
}

#[test]
fn the_filters_of_a_connection_are_bounded_all_together() {
    let mut stage = signed_in();
    let ids: Vec<String> = (0..4_000).map(|n| format!("\"sensor.a{n}\"")).collect();
    let ids = ids.join(",");
    for id in 1..=10 {
        let command = format!(r#"{{"id":{id},"type":"subscribe_entities","entity_ids":[{ids}]}}"#);
        stage.client(&command);
    }
    stage.client(r#"{"id":11,"type":"unsubscribe_events","subscription":1}"#);
    let again = format!(r#"{{"id":12,"type":"subscribe_entities","entity_ids":[{ids}]}}"#);
    stage.client(&again);
    let outcomes = answers(&stage.lines)
        .into_iter()
        .map(|(_, outcome)| outcome);
    let outcomes: Vec<String> = outcomes.collect();
    assert_eq!(outcomes[0], "ok");
    assert_eq!(outcomes[9], "home_assistant_error");
    assert_eq!(outcomes[10..], ["ok", "ok"], "what is ended leaves room");
}

#[test]
fn what_one_message_asks_for_is_bounded_and_every_command_is_answered() {
    for (kind, most) in [
        ("get_states", limits::TURN_MAX_REQUESTS),
        ("get_services", 2_000),
    ] {
        let mut stage = signed_in();
        let commands = (1..=3_000).map(|id| format!(r#"{{"id":{id},"type":"{kind}"}}"#));
        let commands: Vec<String> = commands.collect();
        stage.client(&format!("[{}]", commands.join(",")));
        let said: usize = stage.lines.iter().map(String::len).sum();
        let answers = answers(&stage.lines);
        assert_eq!(answers.len(), 3_000);
        let carried_out = answers
            .iter()
            .filter(|(_, outcome)| outcome == "ok")
            .count();
        assert!((1..=most).contains(&carried_out), "{kind}: {carried_out}");
        assert!(said < 2 * limits::TURN_MAX_BYTES, "{kind}: {said}");
        stage.client(r#"{"id":4000,"type":"ping"}"#);
        assert_eq!(
            stage.lines.last().unwrap(),
            r#"S> {"id":4000,"type":"pong"}"#
        );
    }
}

#[test]
fn entities_beyond_the_sixty_fourth_of_a_module_are_told_too() {
    let mut stage = signed_in();
    let names: Vec<String> = (0..100).map(|n| format!("s{n:02}")).collect();
    let values: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    stage.add_module("sys-a Many_1", &[], &values);
    stage.client(r#"{"id":1,"type":"subscribe_entities"}"#);
    let one = r#""entity_ids":["sensor.board_room_many_1_s90"]"#;
    stage.client(&format!(r#"{{"id":2,"type":"subscribe_entities",{one}}}"#));
    stage.change("sys-a Many_1", "s10", "2", Cause::Module);
    stage.change("sys-a Many_1", "s90", "3", Cause::Module);
    let (all, one) = (known(&stage.lines, "1"), known(&stage.lines, "2"));
    let state = |store: &Store, id: &str| store.0.get(id).map(|known| known["s"].clone());
    assert_eq!(
        state(&all, "sensor.board_room_many_1_s10"),
        Some("2".into())
    );
    assert_eq!(
        state(&all, "sensor.board_room_many_1_s90"),
        Some("3".into())
    );
    assert_eq!(one.0.len(), 1);
    assert_eq!(
        state(&one, "sensor.board_room_many_1_s90"),
        Some("3".into())
    );
}

#[test]
fn a_connection_has_as_many_subscriptions_as_it_may() {
    let mut stage = signed_in();
    let most = limits::SUBSCRIPTIONS_MAX as u64;
    for id in 1..=most + 1 {
        stage.client(&format!(
            r#"{{"id":{id},"type":"persistent_notification/subscribe"}}"#
        ));
    }
    let outcomes = answers(&stage.lines);
    let (last, before) = outcomes.split_last().unwrap();
    assert!(before.iter().all(|(_, outcome)| outcome == "ok"));
    assert_eq!(last.1, "home_assistant_error");
}

/// Something that happens in a building.
#[derive(Debug, Clone)]
enum Happens {
    /// A module comes, if it is not there.
    Comes(u8),
    /// A module goes, if it is there.
    Goes(u8),
    /// A status of a module changes, or is seen for the first time.
    Says(u8, u8, &'static str),
}

fn happens() -> impl Strategy<Value = Happens> {
    let module = || 0_u8..3;
    prop_oneof![
        2 => module().prop_map(Happens::Comes),
        1 => module().prop_map(Happens::Goes),
        6 => (module(), 0_u8..4, prop::sample::select(vec!["true", "false", "7", "\"a\"", "gone", "[1,2]"]))
            .prop_map(|(module, status, value)| Happens::Says(module, status, value)),
    ]
}

/// What of the building a client subscribes to.
fn filter() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        r#","entity_ids":["switch.board_room_display_1_power","sensor.board_room_display_2_volume"]"#,
        r#","include":{"domains":["sensor"]}"#,
        r#","exclude":{"entity_globs":["*_1_*"]}"#,
    ])
}

/// What a client knows of entities, as Home Assistant's library keeps it.
#[derive(Debug, Default, PartialEq)]
struct Store(BTreeMap<String, Value>);

impl Store {
    /// Takes the event of a subscription.
    fn take(&mut self, event: &Value) {
        for (id, added) in members(&event["a"]) {
            self.0.insert(id.clone(), added.clone());
        }
        for id in event["r"].as_array().into_iter().flatten() {
            self.0.remove(id.as_str().unwrap());
        }
        for (id, change) in members(&event["c"]) {
            let known = self.0.get_mut(id).expect("a change is of a known entity");
            for (key, value) in members(&change["+"]) {
                match key.as_str() {
                    "a" => {
                        for (name, value) in members(value) {
                            known["a"][name] = value.clone();
                        }
                    }
                    "c" if value.is_object() && known["c"].is_object() => {
                        for (name, value) in members(value) {
                            known["c"][name] = value.clone();
                        }
                    }
                    _ => known[key] = value.clone(),
                }
            }
            for name in change["-"]["a"].as_array().into_iter().flatten() {
                let attributes = known["a"].as_object_mut().unwrap();
                attributes.shift_remove(name.as_str().unwrap());
            }
        }
    }

    /// What is seen of an entity: its state and its attributes.
    fn seen(&self) -> BTreeMap<&str, (&Value, &Value)> {
        let all = self.0.iter();
        all.map(|(id, known)| (id.as_str(), (&known["s"], &known["a"])))
            .collect()
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// What a client knows who got these frames of a subscription.
fn known(lines: &[String], subscription: &str) -> Store {
    let mut store = Store::default();
    for frame in frames(lines) {
        if frame["id"].get() == subscription && frame["type"].get() == r#""event""# {
            store.take(&serde_json::from_str(frame["event"].get()).unwrap());
        }
    }
    store
}

const STATUSES: [&str; 4] = ["connected", "power", "volume", "input"];

proptest! {
    #[test]
    fn what_a_client_knows_is_what_it_would_be_told_anew(
        before in prop::collection::vec(happens(), 0..6),
        after in prop::collection::vec(happens(), 0..30),
        filter in filter(),
    ) {
        let mut stage = signed_in();
        let mut there = [true, false, false];
        let mut happen = |stage: &mut Stage, happens: &Happens| match *happens {
            Happens::Comes(module) if !there[usize::from(module)] => {
                there[usize::from(module)] = true;
                stage.add_module(
                    &format!("sys-a Display_{}", module + 1),
                    &["power(state:boolean)"],
                    &[("connected", "true"), ("power", "false")],
                );
            }
            Happens::Goes(module) if there[usize::from(module)] => {
                there[usize::from(module)] = false;
                stage.remove_module(&format!("sys-a Display_{}", module + 1));
            }
            Happens::Says(module, status, value) if there[usize::from(module)] => {
                let place = format!("sys-a Display_{}", module + 1);
                stage.change(&place, STATUSES[usize::from(status)], value, Cause::Module);
            }
            Happens::Comes(_) | Happens::Goes(_) | Happens::Says(..) => {}
        };
        before.iter().for_each(|it| happen(&mut stage, it));
        stage.client(&format!(r#"{{"id":1,"type":"subscribe_entities"{filter}}}"#));
        after.iter().for_each(|it| happen(&mut stage, it));
        stage.client(&format!(r#"{{"id":2,"type":"subscribe_entities"{filter}}}"#));
        let (known, anew) = (known(&stage.lines, "1"), known(&stage.lines, "2"));
        prop_assert_eq!(known.seen(), anew.seen());
    }
}
