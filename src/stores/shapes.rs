//! The JSON of the documents that hold the building's entries.
//!
//! Separate from the stores, since the text is the same in each of them, and from the model, so that changing a word there cannot change what is on disk.
//! A field that is not known here is refused: a newer riser would have raised the schema, and what is not understood could not be written back.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::{
    ApiKey, Clearance, DeviceKind, DriverRef, Entry, EntryId, EntryInfo, Expiry, InvalidId,
    JsonText, KEY_HASH_PREFIX, KeySecret, Metadata, MetadataId, Module, Password, Scope, Secret,
    Source, System, User, Version, Zone,
};
use crate::stores::{Document, DocumentId};

const ZONES: &str = "zones";
const SYSTEMS: &str = "systems";
const MODULES: &str = "modules";
const USERS: &str = "users";
const API_KEYS: &str = "api_keys";
const METADATA: &str = "metadata";

const NO_COLLECTION: &str = "no such collection";

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
            Entry::Zone(zone) => kept(ZoneShape::of(zone), info),
            Entry::System(system) => kept(SystemShape::of(system), info),
            Entry::Module(module) => kept(ModuleShape::of(module), info),
            Entry::User(user) => kept(UserShape::of(user), info),
            Entry::ApiKey(key) => kept(ApiKeyShape::of(key), info),
            Entry::Metadata(metadata) => kept(MetadataShape::of(metadata), info),
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
            ZONES => entry(self, ZoneShape::read, Entry::Zone),
            SYSTEMS => entry(self, SystemShape::read, Entry::System),
            MODULES => entry(self, ModuleShape::read, Entry::Module),
            USERS => entry(self, UserShape::read, Entry::User),
            API_KEYS => entry(self, ApiKeyShape::read, Entry::ApiKey),
            METADATA => entry(self, MetadataShape::read, Entry::Metadata),
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

fn entry<S: DeserializeOwned, T>(
    document: &Document,
    read: fn(S) -> Result<T, String>,
    wrap: fn(T) -> Entry,
) -> Result<(Entry, EntryInfo), String> {
    // The parser's own words could quote a password.
    let kept: Kept<S> = serde_json::from_str(&document.json)
        .map_err(|error| format!("{:?} error at column {}", error.classify(), error.column()))?;
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
    Ok((wrap(read(kept.entry)?), info))
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

fn ids<I: FromStr<Err = InvalidId>>(texts: &[String]) -> Result<Vec<I>, String> {
    texts.iter().map(|text| id(text)).collect()
}

fn optional<I: FromStr<Err = InvalidId>>(text: Option<&str>) -> Result<Option<I>, String> {
    text.map(id).transpose()
}

fn texts<I: ToString>(ids: &[I]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn json(text: &str) -> Result<JsonText, String> {
    JsonText::parse(text).map_err(|error| error.to_string())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneShape {
    id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
}

impl ZoneShape {
    fn of(zone: &Zone) -> Self {
        Self {
            id: zone.id.to_string(),
            name: zone.name.clone(),
            display_name: zone.display_name.clone(),
            description: zone.description.clone(),
            tags: zone.tags.clone(),
            parent_id: zone.parent_id.as_ref().map(ToString::to_string),
        }
    }

    fn read(self) -> Result<Zone, String> {
        Ok(Zone {
            id: id(&self.id)?,
            name: self.name,
            display_name: self.display_name,
            description: self.description,
            tags: self.tags,
            parent_id: optional(self.parent_id.as_deref())?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemShape {
    id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default)]
    capacity: u32,
    #[serde(default)]
    bookable: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    features: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    map_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    support_url: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    zones: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    modules: Vec<String>,
}

impl SystemShape {
    fn of(system: &System) -> Self {
        let System {
            id,
            name,
            display_name,
            description,
            email,
            capacity,
            bookable,
            features,
            map_id,
            timezone,
            support_url,
            zones,
            modules,
        } = system;
        Self {
            id: id.to_string(),
            name: name.clone(),
            display_name: display_name.clone(),
            description: description.clone(),
            email: email.clone(),
            capacity: *capacity,
            bookable: *bookable,
            features: features.clone(),
            map_id: map_id.clone(),
            timezone: timezone.clone(),
            support_url: support_url.clone(),
            zones: texts(zones),
            modules: texts(modules),
        }
    }

    fn read(self) -> Result<System, String> {
        Ok(System {
            id: id(&self.id)?,
            name: self.name,
            display_name: self.display_name,
            description: self.description,
            email: self.email,
            capacity: self.capacity,
            bookable: self.bookable,
            features: self.features,
            map_id: self.map_id,
            timezone: self.timezone,
            support_url: self.support_url,
            zones: ids(&self.zones)?,
            modules: ids(&self.modules)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleShape {
    id: String,
    driver: DriverShape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    /// JSON as text, so that numbers and the order of keys stay as they were written.
    settings: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DriverShape {
    LinkedIn(String),
}

impl ModuleShape {
    fn of(module: &Module) -> Self {
        Self {
            id: module.id.to_string(),
            driver: match &module.driver {
                DriverRef::LinkedIn(id) => DriverShape::LinkedIn(id.clone()),
            },
            name: module.name.as_ref().map(ToString::to_string),
            uri: module.uri.clone(),
            settings: module.settings.expose().to_owned(),
        }
    }

    fn read(self) -> Result<Module, String> {
        json(&self.settings)?;
        Ok(Module {
            id: id(&self.id)?,
            driver: match self.driver {
                DriverShape::LinkedIn(id) => DriverRef::LinkedIn(id),
            },
            name: optional(self.name.as_deref())?,
            uri: self.uri,
            settings: Secret::new(self.settings),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LevelShape {
    User,
    Support,
    Admin,
}

impl From<Clearance> for LevelShape {
    fn from(level: Clearance) -> Self {
        match level {
            Clearance::User => Self::User,
            Clearance::Support => Self::Support,
            Clearance::Admin => Self::Admin,
        }
    }
}

impl From<LevelShape> for Clearance {
    fn from(level: LevelShape) -> Self {
        match level {
            LevelShape::User => Self::User,
            LevelShape::Support => Self::Support,
            LevelShape::Admin => Self::Admin,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserShape {
    id: String,
    email: String,
    name: String,
    level: LevelShape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
}

impl UserShape {
    fn of(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.clone(),
            name: user.name.clone(),
            level: user.level.into(),
            groups: user.groups.clone(),
            password_hash: match &user.password {
                Some(Password::Hashed(hash)) => Some(hash.expose().to_owned()),
                Some(Password::Plain(_)) | None => None,
            },
        }
    }

    fn read(self) -> Result<User, String> {
        Ok(User {
            id: id(&self.id)?,
            email: self.email,
            name: self.name,
            level: self.level.into(),
            groups: self.groups,
            password: self
                .password_hash
                .map(|hash| Password::Hashed(Secret::new(hash))),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiKeyShape {
    id: String,
    secret_hash: String,
    user: String,
    level: LevelShape,
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    systems: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    zones: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fixed_device: bool,
    /// In Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
}

impl ApiKeyShape {
    fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            secret_hash: match &key.secret {
                KeySecret::Hashed(hash) => hash.expose().to_owned(),
                KeySecret::Plain(_) => KEY_HASH_PREFIX.to_owned(),
            },
            user: key.user.to_string(),
            level: key.level.into(),
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            systems: texts(&key.systems),
            zones: texts(&key.zones),
            fixed_device: key.device == DeviceKind::Fixed,
            expires: key.expires.map(Expiry::as_secs),
        }
    }

    fn read(self) -> Result<ApiKey, String> {
        let scope = |text: &String| Scope::parse(text).ok_or_else(|| format!("no scope {text:?}"));
        Ok(ApiKey {
            id: id(&self.id)?,
            secret: KeySecret::Hashed(Secret::new(self.secret_hash)),
            user: id(&self.user)?,
            level: self.level.into(),
            scopes: self.scopes.iter().map(scope).collect::<Result<_, _>>()?,
            systems: ids(&self.systems)?,
            zones: ids(&self.zones)?,
            device: match self.fixed_device {
                true => DeviceKind::Fixed,
                false => DeviceKind::Personal,
            },
            expires: self
                .expires
                .map(|seconds| Expiry::from_secs(seconds).ok_or("no such moment"))
                .transpose()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetadataShape {
    parent: String,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    /// JSON as text, so that numbers and the order of keys stay as they were written.
    details: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    editors: Vec<String>,
}

impl MetadataShape {
    fn of(metadata: &Metadata) -> Self {
        Self {
            parent: metadata.id.parent.to_string(),
            name: metadata.id.name.to_string(),
            description: metadata.description.clone(),
            details: metadata.details.as_str().to_owned(),
            editors: metadata.editors.clone(),
        }
    }

    fn read(self) -> Result<Metadata, String> {
        Ok(Metadata {
            id: MetadataId {
                parent: id(&self.parent)?,
                name: id(&self.name)?,
            },
            description: self.description,
            details: json(&self.details)?,
            editors: self.editors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    const USER: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"u","email":"u@example.test","name":"U","level":"support","groups":["g"],"password_hash":"$argon2id$x"}}"#;
    const API_KEY: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"k","secret_hash":"hmac-sha512$aa$bb","user":"u","level":"admin","scopes":["public","systems.read"],"systems":["s"],"zones":["z"]}}"#;
    const PANEL_KEY: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"k","secret_hash":"hmac-sha512$aa$bb","user":"u","level":"user","scopes":["public"],"fixed_device":true}}"#;
    const KEY_THAT_ENDS: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"id":"k","secret_hash":"hmac-sha512$aa$bb","user":"u","level":"admin","scopes":["public"],"expires":1801332000}}"#;
    const META: &str = r#"{"source":"file","created_at":1,"updated_at":2,"place":7,"entry":{"parent":"z","name":"settings","description":"d","details":"{\"b\":1.0}","editors":["g"]}}"#;

    /// What is on disk today has to be read by every later version: this text may not change without a step of the schema.
    #[test]
    fn each_kind_of_entry_is_written_as_it_is_read() {
        for (collection, id, json) in [
            (ZONES, "z", ZONE),
            (SYSTEMS, "s", SYSTEM),
            (MODULES, "m", MODULE),
            (USERS, "u", USER),
            (API_KEYS, "k", API_KEY),
            (API_KEYS, "k", PANEL_KEY),
            (API_KEYS, "k", KEY_THAT_ENDS),
            (METADATA, "z\nsettings", META),
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
        ] {
            let error = document(collection, id, json).entry().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
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
