//! What is known of the topics: which status is where, which things discovery has found, and which topics are to be subscribed to.
//!
//! Separate because it neither sends nor waits: messages go in, and changes of statuses come out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;

use driver_sdk::{Error, JsonPointer, JsonText, StatusKey, StatusName};

use crate::discovery::{self, Thing};
use crate::limits::THINGS_MAX;
use crate::packet::Publish;
use crate::payload::{self, Payload};
use crate::settings::{Command, Settings};
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
    /// What discovery has found, by the topic of its description.
    things: BTreeMap<String, Thing>,
    /// The same by the name of its status.
    described_at: BTreeMap<StatusName, String>,
    /// The names of the things whose values are at a topic.
    things_at: HashMap<String, BTreeSet<StatusName>>,
    /// The topics that the broker is asked for on this connection.
    asked: BTreeSet<String>,
    /// Whether more things than allowed have come.
    is_full: bool,
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
            things: BTreeMap::new(),
            described_at: BTreeMap::new(),
            things_at: HashMap::new(),
            asked: BTreeSet::new(),
            is_full: false,
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
        let topics = self.configured.keys().chain(self.things_at.keys());
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
        let object = self.discovery.as_ref();
        let object = object.and_then(|prefix| discovery::object_id(prefix, topic));
        if let Some(object) = object {
            self.describe(topic, object, bytes, &mut changes);
        }
        let sources = self.configured.get(topic).map_or(&[][..], Vec::as_slice);
        let things = self.things_at.get(topic);
        if sources.is_empty() && things.is_none() {
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
        let things = things.into_iter().flatten();
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
        let at = self.described_at.get(name);
        let thing = at.and_then(|at| self.things.get(at));
        let Some(thing) = thing else {
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

    /// Takes the description of a thing in, or its end.
    fn describe(&mut self, at: &str, object: &str, bytes: &[u8], changes: &mut Vec<Change>) {
        if bytes.is_empty() {
            self.forget(at, changes);
            return;
        }
        let thing = str::from_utf8(bytes).map_err(|_| "it is no text");
        let thing = match thing.and_then(|text| discovery::thing(object, text)) {
            Ok(thing) => thing,
            Err(reason) => {
                self.forget(at, changes);
                let note = format!("the thing that '{at}' describes is left out: {reason}");
                changes.push(Change::Note(note));
                return;
            }
        };
        if self.things.get(at) == Some(&thing) {
            return;
        }
        let left_out = |reason: &str| {
            let name = &thing.name;
            Change::Note(format!(
                "the thing '{name}' at '{at}' is left out: {reason}"
            ))
        };
        let other = self.described_at.get(&thing.name);
        if self.taken.contains(&thing.name) {
            let note = left_out("the settings have the name");
            self.forget(at, changes);
            changes.push(note);
            return;
        }
        if other.is_some_and(|other| other != at) {
            let note = left_out("there is another of the name");
            self.forget(at, changes);
            changes.push(note);
            return;
        }
        if self.things.len() >= THINGS_MAX && !self.things.contains_key(at) {
            if !mem::replace(&mut self.is_full, true) {
                let warning =
                    format!("there are more than {THINGS_MAX} things; others are left out");
                changes.push(Change::Warning(warning));
            }
            return;
        }
        let before = self.things.get(at);
        let keeps_value =
            before.is_some_and(|before| before.name == thing.name && before.state == thing.state);
        if !keeps_value {
            self.forget(at, changes);
            if let Some(state) = &thing.state {
                let names = self.things_at.entry(state.as_str().to_owned()).or_default();
                names.insert(thing.name.clone());
            }
            changes.push(Change::Topics);
        }
        self.described_at.insert(thing.name.clone(), at.to_owned());
        self.things.insert(at.to_owned(), thing);
    }

    /// The thing that is described at a topic is gone.
    fn forget(&mut self, at: &str, changes: &mut Vec<Change>) {
        let Some(thing) = self.things.remove(at) else {
            return;
        };
        self.described_at.remove(&thing.name);
        if let Some(state) = &thing.state
            && let Some(names) = self.things_at.get_mut(state.as_str())
        {
            names.remove(&thing.name);
            if names.is_empty() {
                self.things_at.remove(state.as_str());
            }
        }
        changes.push(Change::Set(thing.name, JsonText::null()));
        changes.push(Change::Topics);
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
        assert_eq!((table.things.len(), warnings), (THINGS_MAX, 1));
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
