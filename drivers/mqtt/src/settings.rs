//! What the building file may say about what is on a broker.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Deserialize;
use driver_sdk::serde::de::value::MapAccessDeserializer;
use driver_sdk::serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};
use driver_sdk::{
    Error, JsonPointer, JsonTemplate, JsonText, ModuleId, Secret, StatusKey, TemplateValues,
    settings,
};

use crate::limits::{KEEP_ALIVE_SECONDS, TEXT_MAX_BYTES};
use crate::packet::{Connect, Retain, Will};
use crate::payload;
use crate::topic::{self, Topic};

/// What is kept at the availability topic while the module has a connection.
pub(crate) const ONLINE: &str = "online";

/// What the broker puts there when the connection has ended.
const OFFLINE: &str = "offline";

/// What the building file may say about what is on a broker.
#[settings]
pub(crate) struct Settings {
    /// The user name at the broker.
    pub(crate) username: Option<String>,
    /// The password at the broker.
    pub(crate) password: Option<Secret>,
    /// The name of this connection at the broker, `riser-` and the module's id if left out. No two connections have the same.
    pub(crate) client_id: Option<String>,
    /// A PEM file of the authority that has signed the broker's certificate; the system's authorities if left out.
    pub(crate) ca: Option<PathBuf>,
    /// Whether the certificate of the broker is checked.
    #[default(true)]
    pub(crate) verify: bool,
    /// Where the broker keeps whether this module is there, `online` or `offline`: `riser/`, the module's id and `/status` if left out, nowhere if empty.
    pub(crate) availability_topic: Option<Availability>,
    /// The statuses by name, and the topics where their values are.
    #[default]
    pub(crate) statuses: BTreeMap<StatusKey, StatusSource>,
    /// What `set` sends, by name.
    #[default]
    pub(crate) commands: BTreeMap<StatusKey, Command>,
    /// The prefix of Home Assistant's discovery; if left out it is not looked at.
    pub(crate) discovery: Option<Topic>,
}

impl Settings {
    /// What the broker is told first.
    pub(crate) fn connect(&self, module: &ModuleId) -> Result<Connect, Error> {
        let own = || format!("riser-{}", topic::level(module.as_str()));
        let connect = Connect {
            client_id: self.client_id.clone().unwrap_or_else(own),
            keep_alive_seconds: KEEP_ALIVE_SECONDS,
            will: self.availability(module)?.map(|topic| Will {
                topic: topic.as_str().to_owned(),
                payload: OFFLINE,
            }),
            username: self.username.clone(),
            password: self.password.clone(),
        };
        let texts = [
            ("client_id", Some(connect.client_id.as_str())),
            ("username", connect.username.as_deref()),
            ("password", connect.password.as_ref().map(Secret::reveal)),
        ];
        for (name, text) in texts {
            if text.is_some_and(|text| text.len() > TEXT_MAX_BYTES) {
                return Err(Error::new(format_args!(
                    "{name}: expected at most {TEXT_MAX_BYTES} bytes"
                )));
            }
        }
        Ok(connect)
    }

    /// Where the broker keeps whether the module is there.
    pub(crate) fn availability(&self, module: &ModuleId) -> Result<Option<Topic>, Error> {
        match &self.availability_topic {
            Some(Availability::At(topic)) => Ok(Some(topic.clone())),
            Some(Availability::Nowhere) => Ok(None),
            None => {
                let module = topic::level(module.as_str());
                Topic::new(&format!("riser/{module}/status")).map(Some)
            }
        }
    }
}

/// Where the broker keeps whether the module is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", try_from = "String")]
#[schemars(crate = "driver_sdk::schemars", with = "String")]
pub(crate) enum Availability {
    At(Topic),
    Nowhere,
}

impl TryFrom<String> for Availability {
    type Error = Error;

    fn try_from(topic: String) -> Result<Self, Self::Error> {
        match topic.is_empty() {
            true => Ok(Self::Nowhere),
            false => Topic::new(&topic).map(Self::At),
        }
    }
}

/// Where the value of a status is: a topic, or a place in its JSON.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(crate = "driver_sdk::schemars", with = "ShortOr<SourceSettings>")]
pub(crate) struct StatusSource {
    pub(crate) topic: Topic,
    /// A place in JSON; all of the payload without it.
    pub(crate) pointer: Option<JsonPointer>,
}

/// What a command sends.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(crate = "driver_sdk::schemars", with = "ShortOr<CommandSettings>")]
pub(crate) struct Command {
    pub(crate) topic: Topic,
    pub(crate) payload: CommandPayload,
    pub(crate) retain: Retain,
}

/// How the value of a command becomes its payload.
#[derive(Debug, Clone)]
pub(crate) enum CommandPayload {
    /// It is the payload.
    Value,
    /// It is put into JSON or text.
    Template(JsonTemplate),
}

/// The name of the value in a payload.
const VALUE: &str = "value";

impl CommandPayload {
    /// The payload for a value.
    pub(crate) fn fill(&self, value: JsonText) -> Result<Vec<u8>, Error> {
        match self {
            Self::Value => payload::bytes(&value),
            Self::Template(template) => {
                payload::bytes(&template.fill(&TemplateValues::one(VALUE, value))?)
            }
        }
    }
}

/// A source as the building file writes it at length.
#[settings]
struct SourceSettings {
    /// The topic.
    topic: Topic,
    /// Where in the JSON of the payload the value is; all of the payload without it.
    pointer: Option<JsonPointer>,
}

/// A command as the building file writes it at length.
#[settings]
struct CommandSettings {
    /// The topic.
    topic: Topic,
    /// What is sent, with `{{ value }}` where the value goes: a text as it is, all else as JSON. The value itself without it.
    payload: Option<JsonTemplate>,
    /// Whether the broker keeps the message for those that subscribe later.
    #[default]
    retain: bool,
}

/// For the schema: a topic alone, or more about it.
#[derive(JsonSchema)]
#[schemars(crate = "driver_sdk::schemars", untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum ShortOr<T> {
    Short(Topic),
    Long(T),
}

/// Reads a topic alone, or what is said at length. It keeps the place of a mistake inside of that.
struct ShortOrLong<T>(PhantomData<T>);

/// What is written as a topic alone, or at length.
trait Shorthand: Sized {
    type Said: DeserializeOwned;

    fn short(topic: Topic) -> Self;

    fn long(said: Self::Said) -> Result<Self, Error>;
}

impl<'de, T: Shorthand> Visitor<'de> for ShortOrLong<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topic, or an object with a topic")
    }

    fn visit_str<E: de::Error>(self, topic: &str) -> Result<T, E> {
        Topic::new(topic).map(T::short).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let said = T::Said::deserialize(MapAccessDeserializer::new(map))?;
        T::long(said).map_err(de::Error::custom)
    }
}

impl Shorthand for StatusSource {
    type Said = SourceSettings;

    fn short(topic: Topic) -> Self {
        let pointer = None;
        Self { topic, pointer }
    }

    fn long(SourceSettings { topic, pointer }: SourceSettings) -> Result<Self, Error> {
        Ok(Self { topic, pointer })
    }
}

impl Shorthand for Command {
    type Said = CommandSettings;

    fn short(topic: Topic) -> Self {
        Self {
            topic,
            payload: CommandPayload::Value,
            retain: Retain::No,
        }
    }

    fn long(said: CommandSettings) -> Result<Self, Error> {
        let payload = match said.payload {
            None => CommandPayload::Value,
            Some(template) => {
                let known = template.check_names(&[VALUE]);
                known.map_err(|error| error.prefixed("payload"))?;
                CommandPayload::Template(template)
            }
        };
        Ok(Self {
            topic: said.topic,
            payload,
            retain: Retain::of(said.retain),
        })
    }
}

impl<'de> Deserialize<'de> for StatusSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShortOrLong(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShortOrLong(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{self, Value, json};

    use super::*;

    fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
        let read = serde_json::from_str(&value.to_string());
        read.map_err(|error| {
            let error = error.to_string();
            let (message, _) = error.split_once(" at line").unwrap_or((&error, ""));
            message.to_owned()
        })
    }

    #[test]
    fn a_topic_alone_is_short_for_all_of_its_payload() {
        let door: StatusSource = read(json!("board/door")).unwrap();
        assert_eq!((door.topic.as_str(), door.pointer), ("board/door", None));
        let door: StatusSource =
            read(json!({"topic": "board/door", "pointer": "/a~1b/0"})).unwrap();
        assert_eq!(door.pointer, Some(JsonPointer::parse("/a~1b/0").unwrap()));
    }

    #[test]
    fn a_value_goes_into_the_payload_of_its_command() {
        let sent = |command: Value, value: &str| {
            let command: Command = read(command).unwrap();
            let payload = command.payload.fill(JsonText::parse(value).unwrap());
            String::from_utf8(payload.unwrap()).unwrap()
        };
        let short = json!("board/blind/set");
        assert_eq!(sent(short.clone(), r#""up""#), "up");
        assert_eq!(sent(short.clone(), "50.0"), "50.0");
        assert_eq!(sent(short, r#"{"a":1}"#), r#"{"a":1}"#);
        let light = json!({"topic": "t", "payload": {"brightness": "{{ value }}"}});
        assert_eq!(sent(light.clone(), "50"), r#"{"brightness":50}"#);
        assert_eq!(sent(light, r#""50""#), r#"{"brightness":"50"}"#);
        let text = json!({"topic": "t", "payload": "level={{ value }}"});
        assert_eq!(sent(text, "7"), "level=7");
        let fixed = json!({"topic": "t", "payload": "TOGGLE"});
        assert_eq!(sent(fixed, "null"), "TOGGLE");
    }

    #[test]
    fn a_mistake_says_what_belongs_there() {
        let source = |value: Value| read::<StatusSource>(value).unwrap_err();
        let wildcard = "expected a topic of one place, without the wildcards + and #";
        assert_eq!(source(json!("board/+")), wildcard);
        assert_eq!(source(json!({"topic": "board/#"})), wildcard);
        assert_eq!(source(json!("")), "expected a topic of 1 to 65535 bytes");
        let kind = "invalid type: integer `5`, expected a topic, or an object with a topic";
        assert_eq!(source(json!(5)), kind);
        assert_eq!(source(json!({})), "missing field `topic`");
        let unknown = "unknown field `point`, expected `topic` or `pointer`";
        assert_eq!(source(json!({"topic": "a", "point": "/a"})), unknown);
        let command = |value: Value| read::<Command>(value).unwrap_err();
        let name = json!({"topic": "a", "payload": "{{ brightness }}"});
        let expect = "payload: `{{ brightness }}` is not known; expected 'value'";
        assert_eq!(command(name), expect);
    }
}
