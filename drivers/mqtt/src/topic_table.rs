//! What is known of the topics: which status is where, which things discovery has found, and which topics are to be subscribed to.
//!
//! Separate because it neither sends nor waits: messages go in, and changes of statuses come out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;

use driver_sdk::{Error, JsonPointer, JsonText, StatusKey, StatusName};

use crate::discovery;
use crate::packet::Publish;
use crate::payload::{self, Payload};
use crate::settings::{Command, Settings};
use crate::things::Things;
use crate::topic::Topic;

/// The code of a call whose arguments the module does not take.
const BAD_ARGUMENTS: u16 = 400;

/// The code of a call of a command that is not there.
const NO_COMMAND: u16 = 404;

/// The topics of one module.
pub(crate) struct TopicTable {
    /// The configured statuses by topic.
    configured: HashMap<String, Vec<Source>>,
    commands: BTreeMap<StatusName, Command>,
    /// The names that discovery leaves alone.
    taken: BTreeSet<StatusName>,
    discovery: Option<Topic>,
    things: Things,
    /// The topics that the broker is asked for on this connection.
    asked: BTreeSet<String>,
}

/// A configured status.
struct Source {
    name: StatusName,
    pointer: Option<JsonPointer>,
}

/// What a message brings about.
#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    /// A status has this value; `null` for none.
    Set(StatusName, JsonText),
    /// The things have changed, and with them the topics that are wanted.
    Topics,
    /// Something that an engineer may want to know.
    Note(String),
    /// Something that is wrong.
    Warning(String),
}

/// The topics that the broker is to be told of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SubscriptionChanges {
    pub(crate) subscribe: Vec<String>,
    pub(crate) unsubscribe: Vec<String>,
}

impl SubscriptionChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.subscribe.is_empty() && self.unsubscribe.is_empty()
    }
}

impl TopicTable {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut configured: HashMap<String, Vec<Source>> = HashMap::new();
        let mut taken = BTreeSet::new();
        let name_of = |key: &StatusKey| {
            StatusName::new(key.as_str()).expect("what may be a key may be a name")
        };
        for (key, source) in &settings.statuses {
            taken.insert(name_of(key));
            let at = configured.entry(source.topic.as_str().to_owned());
            at.or_default().push(Source {
                name: name_of(key),
                pointer: source.pointer.clone(),
            });
        }
        let commands = settings.commands.iter();
        let commands: BTreeMap<StatusName, Command> = commands
            .map(|(key, command)| (name_of(key), command.clone()))
            .collect();
        taken.extend(commands.keys().cloned());
        Self {
            configured,
            commands,
            taken,
            discovery: settings.discovery.clone(),
            things: Things::default(),
            asked: BTreeSet::new(),
        }
    }

    /// A new connection, on which the broker knows of no topic: all that are wanted.
    pub(crate) fn all_topics(&mut self) -> Vec<String> {
        self.asked.clear();
        self.subscription_changes().subscribe
    }

    /// What the broker is to be told. From now on it counts as told.
    pub(crate) fn subscription_changes(&mut self) -> SubscriptionChanges {
        let filters = self.discovery.iter().flat_map(discovery::filters);
        let topics = self.configured.keys().chain(self.things.topics());
        let wanted: BTreeSet<String> = filters.chain(topics.cloned()).collect();
        let asked = mem::take(&mut self.asked);
        let told = SubscriptionChanges {
            subscribe: wanted.difference(&asked).cloned().collect(),
            unsubscribe: asked.difference(&wanted).cloned().collect(),
        };
        self.asked = wanted;
        told
    }

    /// The broker could not be told of these topics.
    pub(crate) fn was_not_told(&mut self, told: SubscriptionChanges) {
        for topic in told.subscribe {
            self.asked.remove(&topic);
        }
        self.asked.extend(told.unsubscribe);
    }

    /// Takes a message in.
    pub(crate) fn take(&mut self, topic: &str, bytes: &[u8]) -> Vec<Change> {
        let mut changes = Vec::new();
        let prefix = self.discovery.as_ref();
        if let Some(subject) = prefix.and_then(|prefix| discovery::subject(prefix, topic)) {
            let description = discovery::read(&subject, bytes);
            let (things, taken) = (&mut self.things, &self.taken);
            things.describe(topic, description, taken, &mut changes);
        }
        let sources = self.configured.get(topic).map_or(&[][..], Vec::as_slice);
        let mut things = self.things.valued_at(topic).peekable();
        if sources.is_empty() && things.peek().is_none() {
            return changes;
        }
        let payload = Payload::of(bytes);
        if payload == Payload::Unreadable {
            let warning = format!("a payload at '{topic}' that is no text was dropped");
            changes.push(Change::Warning(warning));
            return changes;
        }
        let values = sources
            .iter()
            .filter_map(|source| Some((&source.name, source.value(&payload)?)));
        let values = values.chain(things.filter_map(|name| Some((name, whole(&payload)?))));
        changes.extend(values.map(|(name, value)| Change::Set(name.clone(), value)));
        changes
    }

    /// The message by which a status gets a value.
    pub(crate) fn set(&self, id: u16, name: &str, value: JsonText) -> Result<Publish, Error> {
        let message = |topic: &Topic, payload, retain| Publish {
            id,
            topic: topic.as_str().to_owned(),
            payload,
            retain,
        };
        if let Some(command) = self.commands.get(name) {
            let payload = command.payload.fill(value);
            let payload = payload.map_err(|error| error.prefixed(&format!("'{name}'")))?;
            return Ok(message(&command.topic, payload, command.retain));
        }
        let Some(thing) = self.things.get(name) else {
            let error = match self.taken.contains(name) {
                true => Error::new(format_args!(
                    "'{name}' has no command; write one into `commands`"
                ))
                .with_code(BAD_ARGUMENTS),
                false => {
                    Error::new(format_args!("there is no command '{name}'")).with_code(NO_COMMAND)
                }
            };
            return Err(error);
        };
        let command = thing.command.as_ref().ok_or_else(|| {
            Error::new(format_args!("'{name}' takes no values")).with_code(BAD_ARGUMENTS)
        })?;
        let payload = payload::bytes(&command.value(value))?;
        Ok(message(&command.topic, payload, command.retain))
    }
}

impl Source {
    /// The value of the status; `None` if the payload has none for it.
    fn value(&self, payload: &Payload) -> Option<JsonText> {
        match (&self.pointer, payload) {
            (None, payload) => whole(payload),
            (Some(pointer), Payload::Json(json)) => pointer.find(json),
            (Some(_), Payload::Empty | Payload::Text(_) | Payload::Unreadable) => None,
        }
    }
}

/// All of a payload as the value of a status.
fn whole(payload: &Payload) -> Option<JsonText> {
    match payload {
        Payload::Empty => Some(JsonText::null()),
        Payload::Json(value) | Payload::Text(value) => Some(value.clone()),
        Payload::Unreadable => None,
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{self, Value, json};

    use super::*;
    use crate::limits::THINGS_MAX;

    fn table(settings: Value) -> TopicTable {
        TopicTable::new(&serde_json::from_str(&settings.to_string()).unwrap())
    }

    fn set(name: &str, value: &str) -> Change {
        let value = JsonText::parse(value).unwrap();
        Change::Set(StatusName::new(name).unwrap(), value)
    }

    fn found() -> TopicTable {
        table(json!({"discovery": "ha", "statuses": {"door": "board/door"}}))
    }

    const LAMP: &[u8] = br#"{"uniq_id":"lamp","stat_t":"lamp/state","cmd_t":"lamp/set"}"#;

    #[test]
    fn a_payload_with_nothing_at_the_pointer_changes_nothing() {
        let statuses = json!({"a": {"topic": "t", "pointer": "/a"}, "b": "t"});
        let mut table = table(json!({"statuses": statuses}));
        let mut take = |payload: &str| table.take("t", payload.as_bytes());
        assert_eq!(
            take(r#"{"a":1.50}"#),
            [set("a", "1.50"), set("b", r#"{"a":1.50}"#)]
        );
        assert_eq!(take(r#"{"c":2}"#), [set("b", r#"{"c":2}"#)]);
        assert_eq!(take("open"), [set("b", r#""open""#)]);
        assert_eq!(take(""), [set("b", "null")]);
    }

    #[test]
    fn a_payload_that_is_no_text_changes_nothing() {
        let changes = found().take("board/door", b"\xFF");
        assert!(matches!(changes[..], [Change::Warning(_)]));
    }

    #[test]
    fn a_thing_is_found_and_lost_and_its_topic_with_it() {
        let mut table = found();
        let first = ["board/door", "ha/+/+/+/config", "ha/+/+/config"];
        assert_eq!(table.all_topics(), first);
        assert_eq!(table.take("ha/light/x/config", LAMP), [Change::Topics]);
        assert_eq!(table.subscription_changes().subscribe, ["lamp/state"]);
        assert_eq!(table.take("lamp/state", b"ON"), [set("lamp", r#""ON""#)]);
        assert_eq!(table.take("ha/light/x/config", LAMP), []);
        let gone = [set("lamp", "null"), Change::Topics];
        assert_eq!(table.take("ha/light/x/config", b""), gone);
        assert_eq!(table.subscription_changes().unsubscribe, ["lamp/state"]);
        assert_eq!(table.take("lamp/state", b"ON"), []);
        assert_eq!(table.take("ha/light/x/config", b""), []);
    }

    #[test]
    fn a_thing_that_is_described_anew_has_its_new_topic() {
        let mut table = found();
        table.take("ha/light/x/config", LAMP);
        let moved = br#"{"uniq_id":"lamp","stat_t":"lamp/2"}"#;
        let expect = [set("lamp", "null"), Change::Topics, Change::Topics];
        assert_eq!(table.take("ha/light/x/config", moved), expect);
        assert_eq!(table.take("lamp/state", b"1"), []);
        assert_eq!(table.take("lamp/2", b"2"), [set("lamp", "2")]);
        let error = table.set(1, "lamp", JsonText::boolean(true)).unwrap_err();
        assert_eq!(error.message(), "'lamp' takes no values");
    }

    #[test]
    fn names_of_the_settings_and_of_earlier_things_win() {
        let mut table = found();
        table.take("ha/light/x/config", LAMP);
        for (at, description) in [
            ("ha/sensor/door/config", &br#"{"stat_t":"other"}"#[..]),
            ("ha/light/y/config", LAMP),
            ("ha/light/z/config", b"no JSON"),
        ] {
            let changes = table.take(at, description);
            assert!(matches!(changes[..], [Change::Note(_)]), "{changes:?}");
        }
        assert_eq!(table.take("other", b"1"), []);
        assert_eq!(table.take("lamp/state", b"1"), [set("lamp", "1")]);
    }

    const KITCHEN: &str = "ha/device/kitchen/config";

    /// What the device of the kitchen says of itself, with these components.
    fn kitchen(components: &Value) -> Vec<u8> {
        let device = json!({"dev": {"ids": "k"}, "o": {"name": "k2mqtt"}, "stat_t": "kitchen", "cmps": components});
        device.to_string().into_bytes()
    }

    #[test]
    fn the_components_of_a_device_are_things_that_come_and_go_one_by_one() {
        let mut table = found();
        table.all_topics();
        let lamp = json!({"p": "light", "uniq_id": "k_lamp", "stat_t": "kitchen/lamp"});
        let heat = json!({"p": "sensor", "uniq_id": "k_heat"});
        let both = kitchen(&json!({"lamp": lamp, "heat": heat}));
        let topics = [Change::Topics, Change::Topics];
        assert_eq!(table.take(KITCHEN, &both), topics);
        let subscribe = table.subscription_changes().subscribe;
        assert_eq!(subscribe, ["kitchen", "kitchen/lamp"]);
        assert_eq!(table.take("kitchen", b"20"), [set("k_heat", "20")]);
        assert_eq!(table.take(KITCHEN, &both), []);

        let without_lamp = kitchen(&json!({"lamp": {"p": "light"}, "heat": heat}));
        let gone = [set("k_lamp", "null"), Change::Topics];
        assert_eq!(table.take(KITCHEN, &without_lamp), gone);
        let unsubscribe = table.subscription_changes().unsubscribe;
        assert_eq!(unsubscribe, ["kitchen/lamp"]);
        let gone = [set("k_heat", "null"), Change::Topics];
        assert_eq!(table.take(KITCHEN, b""), gone);
    }

    #[test]
    fn components_that_exchange_their_ids_exchange_their_topics() {
        let mut table = found();
        let sensor = |id: &str, topic: &str| json!({"p": "sensor", "uniq_id": id, "stat_t": topic});
        let first = json!({"a": sensor("one", "t/1"), "b": sensor("two", "t/2")});
        table.take(KITCHEN, &kitchen(&first));
        let exchanged = json!({"a": sensor("two", "t/1"), "b": sensor("one", "t/2")});
        table.take(KITCHEN, &kitchen(&exchanged));
        assert_eq!(table.take("t/1", b"1"), [set("two", "1")]);
        assert_eq!(table.take("t/2", b"2"), [set("one", "2")]);
    }

    #[test]
    fn a_thing_that_moves_into_its_device_has_one_status_throughout() {
        let mut table = found();
        table.take("ha/light/x/config", LAMP);
        let gone = [set("lamp", "null"), Change::Topics];
        let moving = table.take("ha/light/x/config", br#"{"migrate_discovery": true}"#);
        assert_eq!(moving[..2], gone);
        let lamp = json!({"x": {"p": "light", "uniq_id": "lamp", "stat_t": "lamp/state"}});
        assert_eq!(table.take(KITCHEN, &kitchen(&lamp)), [Change::Topics]);
        assert_eq!(table.take("ha/light/x/config", b""), []);
        assert_eq!(table.take("lamp/state", b"1"), [set("lamp", "1")]);
    }

    #[test]
    fn there_are_at_most_a_thousand_things_and_the_log_says_so_once() {
        let mut table = found();
        let mut warnings = 0;
        for number in 0..THINGS_MAX + 10 {
            let at = format!("ha/sensor/s{number}/config");
            let changes = table.take(&at, format!(r#"{{"stat_t":"s/{number}"}}"#).as_bytes());
            let is_warning = |change: &&Change| matches!(change, Change::Warning(_));
            warnings += changes.iter().filter(is_warning).count();
        }
        assert_eq!((table.things.topics().count(), warnings), (THINGS_MAX, 1));
        assert_eq!(table.take("s/999", b"1"), [set("s999", "1")]);
        assert_eq!(table.take("s/1000", b"1"), []);
        table.take("ha/sensor/s5/config", b"");
        assert_eq!(
            table.take("ha/sensor/new/config", br#"{"stat_t":"n"}"#),
            [Change::Topics]
        );
    }

    #[test]
    fn topics_that_the_broker_could_not_be_told_of_are_wanted_again() {
        let mut table = found();
        table.all_topics();
        table.take("ha/light/x/config", LAMP);
        let told = table.subscription_changes();
        assert_eq!(table.subscription_changes(), SubscriptionChanges::default());
        table.was_not_told(told);
        assert_eq!(table.subscription_changes().subscribe, ["lamp/state"]);
    }
}
