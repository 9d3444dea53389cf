//! Home Assistant's discovery: devices say at the broker which topics they have.
//!
//! Separate because it knows the form of these descriptions and neither a connection nor a status.
//! A description stands at `PREFIX/COMPONENT/[NODE/]OBJECT/config`; its keys have short forms, and `~` stands for a common beginning of its topics.
//! Templates are not carried out: the status is all of the payload.
//! Source: Home Assistant's documentation of *MQTT Discovery*.

use std::collections::BTreeMap;

use driver_sdk::serde_json;
use driver_sdk::{JsonText, StatusName};

use crate::limits::DISCOVERED_TEXT_MAX_BYTES;
use crate::packet::Retain;
use crate::topic::Topic;

/// A thing that says which topics it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thing {
    /// The name of its status: its unique id, else the object id of its topic.
    pub(crate) name: StatusName,
    /// Where its value is.
    pub(crate) state: Option<Topic>,
    /// How it takes another.
    pub(crate) command: Option<ThingCommand>,
}

/// How a thing takes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ThingCommand {
    pub(crate) topic: Topic,
    /// What is sent for true.
    pub(crate) on: JsonText,
    /// What is sent for false.
    pub(crate) off: JsonText,
    pub(crate) retain: Retain,
}

impl ThingCommand {
    /// The value as the thing knows it.
    pub(crate) fn value(&self, value: JsonText) -> JsonText {
        match value.as_str() {
            "true" => self.on.clone(),
            "false" => self.off.clone(),
            _ => value,
        }
    }
}

/// The topics where things may be described.
pub(crate) fn filters(prefix: &Topic) -> [String; 2] {
    let prefix = prefix.as_str();
    [
        format!("{prefix}/+/+/config"),
        format!("{prefix}/+/+/+/config"),
    ]
}

/// The object id of a topic where a thing is described.
pub(crate) fn object_id<'a>(prefix: &Topic, topic: &'a str) -> Option<&'a str> {
    let rest = topic.strip_prefix(prefix.as_str())?.strip_prefix('/')?;
    let levels: Vec<&str> = rest.split('/').collect();
    match levels[..] {
        [_, object, "config"] | [_, _, object, "config"] => Some(object),
        _ => None,
    }
}

/// Reads the description of a thing. The error says why it is none.
pub(crate) fn thing(object_id: &str, description: &str) -> Result<Thing, &'static str> {
    let members: Members = serde_json::from_str(description).map_err(|_| "it is no JSON object")?;
    let said = Description(members);
    let name = said.text("unique_id", "uniq_id")?;
    let name = name.as_deref().unwrap_or(object_id);
    let name = StatusName::new(name).map_err(|_| "its id can be no name of a status")?;
    if name.is_connected() {
        return Err("its id is `connected`, which every module has");
    }
    let base = said.text("~", "~")?;
    let topic = |long, short| -> Result<Option<Topic>, &'static str> {
        let Some(topic) = said.text(long, short)? else {
            return Ok(None);
        };
        let topic = with_base(&topic, base.as_deref());
        if topic.len() > DISCOVERED_TEXT_MAX_BYTES {
            return Err("one of its topics is too long");
        }
        Topic::new(&topic)
            .map(Some)
            .map_err(|_| "one of its topics is none")
    };
    let state = topic("state_topic", "stat_t")?;
    let command = match topic("command_topic", "cmd_t")? {
        None => None,
        Some(topic) => Some(ThingCommand {
            topic,
            on: said.payload("payload_on", "pl_on", "ON")?,
            off: said.payload("payload_off", "pl_off", "OFF")?,
            retain: said.retain()?,
        }),
    };
    match state.is_none() && command.is_none() {
        true => Err("it has neither a state topic nor a command topic"),
        false => Ok(Thing {
            name,
            state,
            command,
        }),
    }
}

type Members = BTreeMap<String, JsonText>;

/// The keys of a description, short or long.
struct Description(Members);

impl Description {
    fn get(&self, long: &str, short: &str) -> Option<&JsonText> {
        let found = self.0.get(long).or_else(|| self.0.get(short));
        found.filter(|value| !value.is_null())
    }

    fn text(&self, long: &str, short: &str) -> Result<Option<String>, &'static str> {
        let text = self.get(long, short).map(JsonText::to).transpose();
        text.map_err(|_| "one of its ids and topics is no text")
    }

    /// What is sent for true or false.
    fn payload(&self, long: &str, short: &str, default: &str) -> Result<JsonText, &'static str> {
        let said = self.get(long, short).cloned();
        let payload = said.or_else(|| JsonText::of(default).ok());
        payload
            .filter(|payload| payload.as_str().len() <= DISCOVERED_TEXT_MAX_BYTES)
            .ok_or("one of its payloads is too long")
    }

    fn retain(&self) -> Result<Retain, &'static str> {
        let retain = self.get("retain", "ret").map(JsonText::to).transpose();
        let retain = retain.map_err(|_| "its `retain` is neither true nor false")?;
        Ok(Retain::of(retain.unwrap_or(false)))
    }
}

/// A topic with the common beginning, or end, of the description's.
fn with_base(topic: &str, base: Option<&str>) -> String {
    let Some(base) = base else {
        return topic.to_owned();
    };
    match (topic.strip_prefix('~'), topic.strip_suffix('~')) {
        (Some(rest), _) => format!("{base}{rest}"),
        (None, Some(rest)) => format!("{rest}{base}"),
        (None, None) => topic.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{Value, json};

    use super::*;

    fn topic(topic: &str) -> Topic {
        Topic::new(topic).unwrap()
    }

    fn described(description: Value) -> Result<Thing, &'static str> {
        thing("lamp", &description.to_string())
    }

    #[test]
    fn a_description_is_found_by_its_topic() {
        let prefix = topic("home/assistant");
        let check = |at, expect| assert_eq!(object_id(&prefix, at), expect, "{at}");
        check("home/assistant/light/lamp/config", Some("lamp"));
        check("home/assistant/light/node/lamp/config", Some("lamp"));
        check("home/assistant/light/lamp/state", None);
        check("home/assistant/light/config", None);
        check("home/assistant/light/a/b/c/config", None);
        check("home/assistants/light/lamp/config", None);
    }

    #[test]
    fn long_and_short_keys_say_the_same() {
        let long = json!({
            "~": "board/lamp", "unique_id": "lamp-7", "state_topic": "~/state", "command_topic": "~/set",
            "payload_on": "on", "payload_off": 0, "retain": true, "value_template": "{{ value_json.x }}",
        });
        let short = json!({
            "~": "board/lamp", "uniq_id": "lamp-7", "stat_t": "~/state", "cmd_t": "~/set",
            "pl_on": "on", "pl_off": 0, "ret": true, "val_tpl": "{{ value_json.x }}",
        });
        let expect = Thing {
            name: StatusName::new("lamp-7").unwrap(),
            state: Some(topic("board/lamp/state")),
            command: Some(ThingCommand {
                topic: topic("board/lamp/set"),
                on: JsonText::of("on").unwrap(),
                off: JsonText::of(&0).unwrap(),
                retain: Retain::Yes,
            }),
        };
        assert_eq!(described(long).unwrap(), expect);
        assert_eq!(described(short).unwrap(), expect);
    }

    #[test]
    fn the_object_id_stands_in_for_a_unique_id_and_on_and_off_for_payloads() {
        let lamp = described(json!({"cmd_t": "set"})).unwrap();
        assert_eq!(lamp.name.as_str(), "lamp");
        assert_eq!(lamp.state, None);
        let command = lamp.command.unwrap();
        let value = |text| command.value(JsonText::parse(text).unwrap()).to_string();
        assert_eq!(value("true"), r#""ON""#);
        assert_eq!(value("false"), r#""OFF""#);
        assert_eq!(value("50"), "50");
        assert_eq!(value(r#""true""#), r#""true""#);
    }

    #[test]
    fn the_base_stands_at_either_end_of_a_topic() {
        assert_eq!(with_base("~/state", Some("a/b")), "a/b/state");
        assert_eq!(with_base("state/~", Some("a/b")), "state/a/b");
        assert_eq!(with_base("a~b", Some("x")), "a~b");
        assert_eq!(with_base("~/state", None), "~/state");
    }

    #[test]
    fn what_is_no_thing_says_why() {
        let check = |description: Value, expect| {
            assert_eq!(described(description).unwrap_err(), expect);
        };
        check(json!([]), "it is no JSON object");
        check(
            json!({}),
            "it has neither a state topic nor a command topic",
        );
        let id = "its id can be no name of a status";
        check(json!({"unique_id": "", "stat_t": "a"}), id);
        check(json!({"unique_id": "x".repeat(513), "stat_t": "a"}), id);
        let connected = "its id is `connected`, which every module has";
        check(json!({"unique_id": "connected", "stat_t": "a"}), connected);
        let text = "one of its ids and topics is no text";
        check(json!({"unique_id": 7, "stat_t": "a"}), text);
        check(json!({"stat_t": ["a"]}), text);
        check(json!({"stat_t": "a/#"}), "one of its topics is none");
        let long = "x".repeat(DISCOVERED_TEXT_MAX_BYTES + 1);
        check(json!({"stat_t": long}), "one of its topics is too long");
        check(
            json!({"cmd_t": "a", "pl_on": long}),
            "one of its payloads is too long",
        );
        check(
            json!({"cmd_t": "a", "ret": "yes"}),
            "its `retain` is neither true nor false",
        );
        assert!(thing("lamp", "{").is_err());
    }
}
