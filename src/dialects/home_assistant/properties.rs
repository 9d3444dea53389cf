//! What holds for every sequence of commands: each is judged by its id as this dialect says, and answered exactly once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::dialects::home_assistant::stage::Stage;
use crate::model::Clearance;

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
