//! Holds `api-spec/asyncapi/driver.yaml` and the messages to each other: each example is read by the types that both ends are made of.

use driver_sdk::process::protocol::system::{
    CallModule, Describe, Described, Follow, Item, Number, Publish, Read, Value as ReadValue,
};
use driver_sdk::process::protocol::{
    Call, LINE_MAX_BYTES, Line, Message, Offer, OfferedFunction, OfferedParameter, OfferedStatus,
    Returned, SettingsChanged, Signal, Start, Started, Status, VERSION,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::limits::{
    ANSWER_DEADLINE, LOG_LINES_BURST, LOG_LINES_PER_SECOND, READY_DEADLINE, REQUEST_BYTES_MAX,
    REQUESTS_MAX, STOP_DEADLINE,
};
use crate::model::{Clearance, Interface, JsonText};

fn specification() -> Value {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("api-spec/asyncapi/driver.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// The examples of each message.
fn examples(specification: &Value) -> Vec<(String, Value)> {
    let messages = specification["components"]["messages"].as_object().unwrap();
    let examples = messages.iter().flat_map(|(name, message)| {
        let examples = message["examples"].as_array().unwrap().iter();
        examples.map(|example| (name.clone(), example["payload"].clone()))
    });
    examples.collect()
}

/// Reads a part of an example and writes it again: nothing of it may get lost.
#[track_caller]
fn check<'a, T: Deserialize<'a> + Serialize>(json: &'a str) {
    let read: T = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let written = serde_json::to_value(&read).unwrap();
    let given: Value = serde_json::from_str(json).unwrap();
    let is_kept = |given: &Value| contains(&written, given);
    assert!(is_kept(&given), "{json} became {written}");
}

/// Whether everything that was given is written, unless it is what holds anyway.
fn contains(written: &Value, given: &Value) -> bool {
    match (written, given) {
        (Value::Object(written), Value::Object(given)) => given.iter().all(|(name, given)| {
            let holds_anyway = name == "code" && *given == json!(200);
            holds_anyway
                || written
                    .get(name)
                    .is_some_and(|written| contains(written, given))
        }),
        (Value::Array(written), Value::Array(given)) => {
            written.len() == given.len()
                && written
                    .iter()
                    .zip(given)
                    .all(|(written, given)| contains(written, given))
        }
        _ => written == given,
    }
}

#[test]
fn every_example_is_a_message_of_its_kind() {
    let specification = specification();
    for (name, payload) in examples(&specification) {
        let line = payload.to_string();
        let message = Message::read(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        let params = message.params.map_or("{}", |params| params.get());
        let result = message.result.map_or("null", |result| result.get());
        match name.as_str() {
            "start" => check::<Start<'_>>(params),
            "started" => check::<Started>(result),
            "call" => check::<Call<'_>>(params),
            "returned" => check::<Returned>(result),
            "settings_changed" => check::<SettingsChanged>(params),
            "status" => check::<Status<'_>>(params),
            "signal" => check::<Signal<'_>>(params),
            "log" => check::<Line<'_>>(params),
            "interface" => check::<Offer>(params),
            "error" => assert!(!message.error.unwrap().message.is_empty()),
            "ping" | "stop" => assert_eq!(params, "{}"),
            "done" => assert_eq!(result, "null"),
            "describe_system" => check::<Describe>(params),
            "described" => check::<Described>(result),
            "read_status" => check::<Read>(params),
            "value" => check::<ReadValue>(result),
            "call_module" => check::<CallModule>(params),
            "publish" => check::<Publish>(params),
            "follow" => check::<Follow>(params),
            "followed" => check::<Item>(params),
            "follow_ended" | "unfollow" => check::<Number>(params),
            other => panic!("the message {other} is not known here"),
        }
    }
}

#[test]
fn every_member_of_an_interface_is_in_the_specification() {
    let schema = specification()["components"]["schemas"]["interface"].clone();
    let json = JsonText::empty_object;
    let offer = Offer {
        functions: [(
            "f".to_owned(),
            OfferedFunction {
                description: "d".to_owned(),
                clearance: Clearance::Admin.into(),
                parameters: vec![OfferedParameter {
                    name: "p".to_owned(),
                    schema: json(),
                    default: Some(JsonText::null()),
                }],
            },
        )]
        .into(),
        implements: vec!["I".to_owned()],
        statuses: [(
            "s".to_owned(),
            OfferedStatus {
                description: "d".to_owned(),
                schema: json(),
            },
        )]
        .into(),
    };
    let written = serde_json::to_value(&offer).unwrap();
    let members = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        names
    };
    let properties = &schema["properties"];
    assert_eq!(members(&written), members(properties));
    let function = &properties["functions"]["additionalProperties"]["properties"];
    assert_eq!(members(&written["functions"]["f"]), members(function));
    let parameter = &function["parameters"]["items"]["properties"];
    let written_parameter = &written["functions"]["f"]["parameters"][0];
    assert_eq!(members(written_parameter), members(parameter));
    let status = &properties["statuses"]["additionalProperties"]["properties"];
    assert_eq!(members(&written["statuses"]["s"]), members(status));

    // And an interface comes back as it was.
    let interface: Interface = offer.clone().try_into().unwrap();
    assert_eq!(Offer::from(&interface), offer);
}

#[test]
fn the_bounds_in_the_text_are_those_that_hold() {
    let specification = specification();
    let about = specification["info"]["description"].as_str().unwrap();
    assert_eq!(
        (READY_DEADLINE.as_secs(), ANSWER_DEADLINE.as_secs()),
        (10, 20)
    );
    assert!(about.contains("within 10 seconds") && about.contains("for 20 seconds"));
    assert_eq!(LINE_MAX_BYTES, 4 << 20);
    assert!(about.contains("more than 4 MiB"));
    assert_eq!((REQUESTS_MAX, REQUEST_BYTES_MAX), (512, 8 << 20));
    assert!(about.contains("512 of its requests at a time, of 8 MiB together"));
    let operations = &specification["operations"];
    let log = operations["log"]["description"].as_str().unwrap();
    assert_eq!((LOG_LINES_BURST, LOG_LINES_PER_SECOND), (1_000, 200));
    assert!(
        log.contains("1 000 lines at a time and 200 a second"),
        "{log}"
    );
    assert_eq!(STOP_DEADLINE.as_secs(), 1);
    let version = &specification["components"]["messages"]["start"]["payload"]["properties"]["params"]
        ["properties"]["protocol"]["const"];
    assert_eq!(version, VERSION);
}
