//! The JSON of the documents that hold the building's entries.
//!
//! Separate from the stores, since the text is the same in each of them.
//! Which fields there are say the lists of the model; a test here holds what is on disk already, so that a changed name does not go unseen.
//! A field that is not known here is refused: a newer riser may have added it, and what is not understood could not be written back.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::rules::Thing;
use crate::model::{
    ApiKey, ChannelApp, Collection, CustomCommand, EntityOverride, Entry, EntryId, EntryInfo,
    Field, Hook, InvalidId, KEY_HASH_PREFIX, Kind, Metadata, MetadataId, Module, Procedure, Secret,
    Service, Source, StatusPath, System, Trigger, User, Value, Values, Version, Zone,
};
use crate::stores::{Document, DocumentId};

const ZONES: &str = Zone::LIST;
const SYSTEMS: &str = System::LIST;
const MODULES: &str = Module::LIST;
const USERS: &str = User::LIST;
const API_KEYS: &str = ApiKey::LIST;
const METADATA: &str = Metadata::LIST;
const ENTITIES: &str = EntityOverride::LIST;
const COMMANDS: &str = CustomCommand::LIST;
const APPS: &str = ChannelApp::LIST;
const SERVICES: &str = Service::LIST;
const PROCEDURES: &str = Procedure::LIST;
const HOOKS: &str = Hook::LIST;
const TRIGGERS: &str = Trigger::LIST;

const NO_COLLECTION: &str = "no such collection";

const UNKNOWN_FIELD: &str =
    "it has a field that this riser does not know; a newer riser may have written it";

/// A document does not hold what it should.
#[derive(Debug, thiserror::Error)]
#[error("{collection} {id:?}: {detail}")]
pub struct BadDocument {
    collection: String,
    id: String,
    detail: String,
}

impl BadDocument {
    /// A document does not hold what it should. The detail must not quote it: it may hold secrets.
    pub fn new(document: &Document, detail: impl Into<String>) -> Self {
        Self {
            collection: document.collection.clone(),
            id: document.id.clone(),
            detail: detail.into(),
        }
    }
}

impl DocumentId {
    /// Which document holds an entry.
    pub fn of(id: &EntryId) -> Self {
        let (collection, id) = match id {
            EntryId::Zone(id) => (ZONES, id.to_string()),
            EntryId::System(id) => (SYSTEMS, id.to_string()),
            EntryId::Module(id) => (MODULES, id.to_string()),
            EntryId::User(id) => (USERS, id.to_string()),
            EntryId::ApiKey(id) => (API_KEYS, id.to_string()),
            EntryId::Metadata(id) => (METADATA, id.to_string()),
            EntryId::Entity(id) => (ENTITIES, id.to_string()),
            EntryId::Command(id) => (COMMANDS, id.to_string()),
            EntryId::App(id) => (APPS, id.to_string()),
            EntryId::Service(id) => (SERVICES, id.to_string()),
            EntryId::Procedure(id) => (PROCEDURES, id.to_string()),
            EntryId::Hook(id) => (HOOKS, id.to_string()),
            EntryId::Trigger(id) => (TRIGGERS, id.to_string()),
        };
        let collection = collection.into();
        Self { collection, id }
    }

    /// The entry that the document holds.
    pub fn entry(&self) -> Result<EntryId, BadDocument> {
        let text = self.id.as_str();
        let read = match &*self.collection {
            ZONES => id(text).map(EntryId::Zone),
            SYSTEMS => id(text).map(EntryId::System),
            MODULES => id(text).map(EntryId::Module),
            USERS => id(text).map(EntryId::User),
            API_KEYS => id(text).map(EntryId::ApiKey),
            METADATA => metadata_id(text).map(EntryId::Metadata),
            ENTITIES => StatusPath::parse(text)
                .map(EntryId::Entity)
                .map_err(|error| error.to_string()),
            COMMANDS => id(text).map(EntryId::Command),
            APPS => id(text).map(EntryId::App),
            SERVICES => id(text).map(EntryId::Service),
            PROCEDURES => id(text).map(EntryId::Procedure),
            HOOKS => id(text).map(EntryId::Hook),
            TRIGGERS => id(text).map(EntryId::Trigger),
            _ => Err(NO_COLLECTION.to_owned()),
        };
        read.map_err(|detail| BadDocument {
            collection: self.collection.to_string(),
            id: self.id.clone(),
            detail,
        })
    }
}

impl Document {
    /// The document that holds an entry. Plain secrets are never written: what stands in their place opens nothing.
    pub fn of(entry: &Entry, info: &EntryInfo) -> Self {
        let DocumentId { collection, id } = DocumentId::of(&entry.id());
        let json = match entry {
            Entry::Zone(zone) => kept(Stored(zone), info),
            Entry::System(system) => kept(Stored(system), info),
            Entry::Module(module) => kept(Stored(module), info),
            Entry::User(user) => kept(Stored(user), info),
            Entry::ApiKey(key) => kept(Stored(key), info),
            Entry::Metadata(metadata) => kept(Stored(metadata), info),
            Entry::Entity(entity) => kept(Stored(entity), info),
            Entry::Command(command) => kept(Stored(command), info),
            Entry::App(app) => kept(Stored(app), info),
            Entry::Service(service) => kept(Stored(service), info),
            Entry::Procedure(procedure) => kept(Stored(procedure), info),
            Entry::Hook(hook) => kept(Stored(hook), info),
            Entry::Trigger(trigger) => kept(Stored(trigger), info),
        };
        Self {
            collection: collection.into_owned(),
            id,
            version: info.version.0,
            json,
        }
    }

    /// The entry that it holds.
    pub fn entry(&self) -> Result<(Entry, EntryInfo), BadDocument> {
        let bad = |detail: String| BadDocument {
            collection: self.collection.clone(),
            id: self.id.clone(),
            detail,
        };
        let read = match self.collection.as_str() {
            ZONES => entry(self, Entry::Zone),
            SYSTEMS => entry(self, Entry::System),
            MODULES => entry(self, Entry::Module),
            USERS => entry(self, Entry::User),
            API_KEYS => entry(self, Entry::ApiKey),
            METADATA => entry(self, Entry::Metadata),
            ENTITIES => entry(self, Entry::Entity),
            COMMANDS => entry(self, Entry::Command),
            APPS => entry(self, Entry::App),
            SERVICES => entry(self, Entry::Service),
            PROCEDURES => entry(self, Entry::Procedure),
            HOOKS => entry(self, Entry::Hook),
            TRIGGERS => entry(self, Entry::Trigger),
            _ => Err(NO_COLLECTION.to_owned()),
        };
        let (entry, info) = read.map_err(bad)?;
        if DocumentId::of(&entry.id()).id != self.id {
            return Err(bad("it holds another entry".to_owned()));
        }
        Ok((entry, info))
    }
}

/// An entry with what is known of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<T> {
    source: SourceShape,
    created_at: u64,
    updated_at: u64,
    place: u64,
    entry: T,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SourceShape {
    File,
    Demo,
    Elsewhere,
}

fn kept<T: Serialize>(entry: T, info: &EntryInfo) -> String {
    let kept = Kept {
        source: match info.source {
            Source::File => SourceShape::File,
            Source::Demo => SourceShape::Demo,
            Source::Elsewhere => SourceShape::Elsewhere,
        },
        created_at: info.created_at,
        updated_at: info.updated_at,
        place: info.place,
        entry,
    };
    serde_json::to_string(&kept).expect("the shapes have text keys and no failing part")
}

fn entry<C: Collection>(
    document: &Document,
    wrap: fn(C) -> Entry,
) -> Result<(Entry, EntryInfo), String> {
    // The parser's own words could quote a password.
    let kept: Kept<Stored<C>> =
        serde_json::from_str(&document.json).map_err(|error| {
            match error.to_string().starts_with(UNKNOWN_FIELD) {
                true => UNKNOWN_FIELD.to_owned(),
                false => format!("{:?} error at column {}", error.classify(), error.column()),
            }
        })?;
    let info = EntryInfo {
        source: match kept.source {
            SourceShape::File => Source::File,
            SourceShape::Demo => Source::Demo,
            SourceShape::Elsewhere => Source::Elsewhere,
        },
        version: Version(document.version),
        created_at: kept.created_at,
        updated_at: kept.updated_at,
        place: kept.place,
    };
    Ok((wrap(kept.entry.0), info))
}

fn id<I: FromStr<Err = InvalidId>>(text: &str) -> Result<I, String> {
    text.parse().map_err(|error: InvalidId| error.to_string())
}

fn metadata_id(text: &str) -> Result<MetadataId, String> {
    // The name may have anything in it but a line end, the parent too.
    let (parent, name) = text.split_once('\n').ok_or("it has no name")?;
    Ok(MetadataId {
        parent: id(parent)?,
        name: id(name)?,
    })
}

/// An entry as a map of those of its fields that say something.
struct Stored<C>(C);

impl<C: Collection> Serialize for Stored<&C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in C::FIELDS {
            let value = field.value(self.0);
            if !field.goes_without(&value) {
                written(&mut map, field, &value)?;
            }
        }
        map.end()
    }
}

fn written<C, M: SerializeMap>(
    map: &mut M,
    field: &Field<C>,
    value: &Value<'_>,
) -> Result<(), M::Error> {
    match value {
        Value::Nothing => Ok(()),
        Value::Text(text) if is_driver(field.kind) => {
            map.serialize_entry(field.name, &DriverShape::LinkedIn(Cow::Borrowed(text)))
        }
        Value::Json(json) if is_driver(field.kind) => {
            map.serialize_entry(field.name, &DriverShape::Process(Cow::Borrowed(json)))
        }
        // JSON is kept as text, so that numbers and the order of keys stay as they were written.
        Value::Text(text) | Value::Json(text) => map.serialize_entry(field.name, text),
        Value::Texts(texts) => map.serialize_entry(field.name, texts),
        Value::Flag(flag) => map.serialize_entry(field.name, flag),
        Value::Number(number) => map.serialize_entry(field.name, number),
        Value::Hash(hash) => map.serialize_entry(key(field), hash.expose()),
        Value::Plain(_) if field.optional => Ok(()),
        Value::Plain(_) => map.serialize_entry(key(field), KEY_HASH_PREFIX),
    }
}

fn is_driver(kind: Kind) -> bool {
    kind == Kind::Reference(Thing::Driver)
}

/// The key of a field: of secrets only the hashes are kept.
fn key<C>(field: &Field<C>) -> &'static str {
    match field.kind {
        Kind::KeySecret | Kind::Password => field.other_form.unwrap_or(field.name),
        Kind::Text
        | Kind::Address
        | Kind::Email
        | Kind::Texts
        | Kind::Flag
        | Kind::Count(_)
        | Kind::Moment
        | Kind::TimeZone
        | Kind::Word(_)
        | Kind::Scopes
        | Kind::Id(_)
        | Kind::ModuleName
        | Kind::MetadataName
        | Kind::Reference(_)
        | Kind::References(_)
        | Kind::StatusPath
        | Kind::Json(_) => field.name,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DriverShape<'a> {
    LinkedIn(Cow<'a, str>),
    /// The process as JSON, kept as text like all JSON.
    Process(Cow<'a, str>),
}

impl<'de, C: Collection> Deserialize<'de> for Stored<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<C>(PhantomData<C>);

        impl<'de, C: Collection> Visitor<'de> for Fields<C> {
            type Value = Stored<C>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(C::PLACE)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stored<C>, A::Error> {
                let mut values = Values::none();
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    let mut fields = C::FIELDS.iter();
                    let field = fields.find(|field| key(field) == name);
                    let field = field.ok_or_else(|| A::Error::custom(UNKNOWN_FIELD))?;
                    values.put(field.name, read(&mut map, field.kind)?);
                }
                C::build(values).map(Stored).map_err(|wrong| {
                    let wrong = wrong.iter().map(|wrong| wrong.field);
                    A::Error::custom(wrong.collect::<Vec<_>>().join(", "))
                })
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

fn read<'de, A: MapAccess<'de>>(map: &mut A, kind: Kind) -> Result<Value<'static>, A::Error> {
    Ok(match kind {
        Kind::Reference(Thing::Driver) => match map.next_value()? {
            DriverShape::LinkedIn(id) => Value::Text(Cow::Owned(id.into_owned())),
            DriverShape::Process(json) => Value::Json(Cow::Owned(json.into_owned())),
        },
        Kind::Text
        | Kind::Address
        | Kind::Email
        | Kind::TimeZone
        | Kind::Word(_)
        | Kind::Id(_)
        | Kind::ModuleName
        | Kind::MetadataName
        | Kind::StatusPath
        | Kind::Reference(_) => Value::Text(Cow::Owned(map.next_value()?)),
        Kind::Texts | Kind::Scopes | Kind::References(_) => {
            let texts: Vec<String> = map.next_value()?;
            Value::Texts(texts.into_iter().map(Cow::Owned).collect())
        }
        Kind::Flag => Value::Flag(map.next_value()?),
        Kind::Count(_) | Kind::Moment => Value::Number(map.next_value()?),
        Kind::Json(_) => Value::Json(Cow::Owned(map.next_value()?)),
        Kind::KeySecret | Kind::Password => Value::Hash(Secret::new(map.next_value::<String>()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{KeySecret, sample};

    fn document(collection: &str, id: &str, json: &str) -> Document {
        Document {
            collection: collection.to_owned(),
            id: id.to_owned(),
            version: 3,
            json: json.to_owned(),
        }
    }

    const ZONE: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"z","name":"Z","tags":["org"],"parent_id":"hq"}}"#;
    const SYSTEM: &str = r#"{"source":"demo","created_at":1,"updated_at":2,"place":7,"entry":{"id":"s","name":"S","display_name":"D","description":"d","email":"s@example.test","capacity":4,"bookable":true,"features":["f"],"map_id":"m","timezone":"Europe/Berlin","support_url":"https://help.example","zones":["z"],"modules":["m","n"]}}"#;
    const MODULE: &str = r#"{"source":"elsewhere","created_at":1,"updated_at":2,"place":7,"entry":{"id":"m","driver":{"linked_in":"virtual"},"name":"N","uri":"tcp://h","settings":"{\"b\":1.0,\"a\":2}"}}"#;
    const PROCESS: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"m","driver":{"process":"{\"command\":[\"python3\",\"t.py\"],\"env\":{\"B\":\"1\",\"A\":\"2\"}}"},"name":"N","settings":"{}"}}"#;
    const USER: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"u","email":"u@example.test","name":"U","level":"support","groups":["g"],"password_hash":"$argon2id$x"}}"#;
    const API_KEY: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"k","secret_hash":"hmac-sha512$aa$bb","user":"u","level":"admin","scopes":["public","systems.read"],"systems":["s"],"zones":["z"]}}"#;
    const PANEL_KEY: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"k","secret_hash":"hmac-sha512$aa$bb","user":"u","level":"user","scopes":["public"],"fixed_device":true}}"#;
    const KEY_THAT_ENDS: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"k","secret_hash":"hmac-sha512$aa$bb","user":"u","level":"admin","scopes":["public"],"expires":1801332000}}"#;
    const META: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"parent":"z","name":"settings","description":"d","details":"{\"b\":1.0}","editors":["g"]}}"#;

    const ENTITY: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"status":"a%2Fb/Display_1/x","domain":"number","name":"N","device_class":"temperature","unit":"°C","min":"-1.5","max":"10","step":"0.5"}}"#;
    const SELECT: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"status":"s/Display_1/x","domain":"select","options":["a","b"]}}"#;
    const COMMAND: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"type":"lamp/blink","schema":"{\"properties\": {\"entity_id\": {\"type\": \"string\"}}}","call":"{\"entity\":\"entity_id\",\"function\":\"blink\"}","args":"{\"times\": 1.0}","errors":"{\"no\":{\"code\":\"c\",\"message\":\"m\"}}","admin":true}}"#;
    const ANSWER: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"type":"lamp/kind","result":"{\"b\": 1.0}"}}"#;
    const SUBSCRIPTION: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"type":"lamp/follow","subscribe":"s/Lamp_1/on"}}"#;

    const APP: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"4201","name":"N","keys":"[{\"key\":\"a1\",\"secret\":\"s\"}]","user":"u","client_events":true,"subscription_counts":true,"raw":true,"sign":"all","webhooks":"[{\"url\":\"http://h\",\"events\":[\"cache_miss\"],\"prefix\":\"p\",\"suffix\":\"s\"}]","limits":"{\"event_bytes\":20480}"}}"#;
    const PUBLIC: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"m","driver":{"linked_in":"virtual"},"settings":"{}","statuses":"{\"public\":[\"power\"]}"}}"#;

    const SERVICE: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"public":"43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10","name":"N","icon":"http://h/i.png","systems":["s"]}}"#;

    /// What is on disk today has to be read by every later version: this text may not change without a step of the schema.
    #[test]
    fn each_kind_of_entry_is_written_as_it_is_read() {
        for (collection, id, json) in [
            (ZONES, "z", ZONE),
            (SYSTEMS, "s", SYSTEM),
            (MODULES, "m", MODULE),
            (MODULES, "m", PROCESS),
            (USERS, "u", USER),
            (API_KEYS, "k", API_KEY),
            (API_KEYS, "k", PANEL_KEY),
            (API_KEYS, "k", KEY_THAT_ENDS),
            (METADATA, "z\nsettings", META),
            (ENTITIES, "a%2Fb/Display_1/x", ENTITY),
            (ENTITIES, "s/Display_1/x", SELECT),
            (COMMANDS, "lamp/blink", COMMAND),
            (COMMANDS, "lamp/kind", ANSWER),
            (COMMANDS, "lamp/follow", SUBSCRIPTION),
            (APPS, "4201", APP),
            (MODULES, "m", PUBLIC),
            (
                SERVICES,
                "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10",
                SERVICE,
            ),
        ] {
            let before = document(collection, id, json);
            let (entry, info) = before.entry().unwrap();
            assert_eq!((info.version, info.place), (Version(3), 7));
            let after = Document::of(&entry, &info);
            assert_eq!(after, before, "{}", after.json);
            assert_eq!(after.json, json);
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_without_a_word_of_the_content() {
        for (collection, id, json) in [
            (ZONES, "z", "{\"hunter2\":"),
            (ZONES, "z", &ZONE.replace("\"tags\"", "\"hunter2\"")),
            (ZONES, "other", ZONE),
            ("hunters", "z", ZONE),
            (
                API_KEYS,
                "k",
                &API_KEY.replace("systems.read", "systems.hunt"),
            ),
            (MODULES, "m", &MODULE.replace("1.0,", "hunter2,")),
            (MODULES, "m", &PROCESS.replace("command", "hunter2")),
            (APPS, "4201", &APP.replace("\"key", "\"hunter2")),
        ] {
            let error = document(collection, id, json).entry().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn every_field_of_every_collection_is_kept() {
        let info = document(ZONES, "z", ZONE).entry().unwrap().1;
        for entry in [
            Entry::Zone(sample()),
            Entry::System(sample()),
            Entry::Module(sample()),
            Entry::User(sample()),
            Entry::ApiKey(sample()),
            Entry::Metadata(sample()),
            Entry::Entity(sample()),
            Entry::Command(sample()),
            Entry::App(sample()),
            Entry::Service(sample()),
            Entry::Procedure(sample()),
            Entry::Hook(sample()),
            Entry::Trigger(sample()),
        ] {
            let kept = Document::of(&entry, &info);
            assert_eq!(kept.entry().unwrap(), (entry, info), "{}", kept.json);
        }
    }

    #[test]
    fn who_reads_the_document_of_a_newer_riser_is_told() {
        let newer = ZONE.replace("\"tags\"", "\"tinge\"");
        let error = document(ZONES, "z", &newer).entry().unwrap_err();
        assert!(error.to_string().contains("a newer riser"), "{error}");
    }

    #[test]
    fn a_plain_secret_is_not_written() {
        let (entry, info) = document(API_KEYS, "k", API_KEY).entry().unwrap();
        let Entry::ApiKey(mut key) = entry else {
            panic!("not a key");
        };
        key.secret = KeySecret::Plain(Secret::new("hunter2"));
        let written = Document::of(&Entry::ApiKey(key), &info);
        assert!(!written.json.contains("hunter2"), "{}", written.json);
    }
}
