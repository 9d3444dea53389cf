//! The file's tree read entry by entry into the words of the model.
//!
//! Separate from `check.rs` because everything here can be said while looking at one entry alone: keys, types, ids, levels, `${ENV:…}`.
//! What one entry says about another is only noted down, as claims and references.
//! A mistake never stops the reading: it is noted, and the value falls back to its default so that the rest can be read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

use crate::model::rules::{self, Claim, Reference, Thing};
use crate::model::{
    ApiKey, Building, Clearance, DeviceKind, DriverRef, Expiry, InvalidId, JsonText, KeyId,
    KeySecret, Metadata, MetadataId, Module, ModuleName, Password, Scope, Secret, System, User,
    Zone, is_time_zone, nearest, time_zones, whole_number,
};

use super::node::{Key, Kind, Node, json_text};
use super::problem::{Position, Problem, ProblemKind, is_word};
use super::variables;

pub(super) const BUILDING_KEYS: &[&str] = &[
    "zones", "systems", "modules", "users", "api_keys", "metadata",
];
const ZONE_KEYS: &[&str] = &[
    "id",
    "name",
    "display_name",
    "description",
    "tags",
    "parent_id",
];
const SYSTEM_KEYS: &[&str] = &[
    "id",
    "name",
    "display_name",
    "description",
    "email",
    "capacity",
    "bookable",
    "features",
    "map_id",
    "timezone",
    "support_url",
    "zones",
    "modules",
];
const MODULE_KEYS: &[&str] = &["id", "driver", "name", "uri", "settings", "settings_json"];
const USER_KEYS: &[&str] = &[
    "id",
    "email",
    "name",
    "level",
    "groups",
    "password",
    "password_hash",
];
const API_KEY_KEYS: &[&str] = &[
    "id",
    "secret",
    "secret_hash",
    "user",
    "level",
    "scopes",
    "systems",
    "zones",
    "fixed_device",
    "expires",
];
const METADATA_KEYS: &[&str] = &[
    "parent",
    "name",
    "description",
    "details",
    "details_json",
    "editors",
];

/// The keys of an entry, for each list of the file.
#[cfg(test)]
pub(super) const ENTRY_KEYS: &[(&str, &[&str])] = &[
    ("zones", ZONE_KEYS),
    ("systems", SYSTEM_KEYS),
    ("modules", MODULE_KEYS),
    ("users", USER_KEYS),
    ("api_keys", API_KEY_KEYS),
    ("metadata", METADATA_KEYS),
];

/// What a file says, entry by entry.
pub(super) struct Parsed {
    /// The entries that could be read.
    pub(super) building: Building,
    /// What must be unique.
    pub(super) claims: Vec<Claim<'static, Position>>,
    /// What must exist.
    pub(super) references: Vec<Reference<'static, Position>>,
    /// Lists that could not be read at all, so that nothing can be said about references into them.
    pub(super) unreadable: HashSet<Thing>,
    /// The mistakes so far.
    pub(super) problems: Vec<Problem>,
}

/// Reads every entry. `environment` fills in `${ENV:…}`.
pub(super) fn parse(root: &Node, environment: &BTreeMap<String, String>) -> Parsed {
    let mut parser = Parser {
        environment,
        parsed: Parsed {
            building: Building::default(),
            claims: Vec::new(),
            references: Vec::new(),
            unreadable: HashSet::new(),
            problems: Vec::new(),
        },
    };
    parser.building(root);
    parser.parsed
}

struct Parser<'a> {
    environment: &'a BTreeMap<String, String>,
    parsed: Parsed,
}

/// One map of the file, its keys already known to be allowed.
#[derive(Clone, Copy)]
struct Entry<'n> {
    place: &'static str,
    at: Position,
    fields: &'n [(Key, Node)],
}

impl<'n> Entry<'n> {
    /// The value of a key; a key without a value counts as absent.
    fn get(self, key: &str) -> Option<&'n Node> {
        self.fields
            .iter()
            .find(|(name, _)| name.text == key)
            .map(|(_, node)| node)
            .filter(|node| !matches!(node.kind, Kind::Null))
    }
}

impl Parser<'_> {
    fn building(&mut self, root: &Node) {
        if matches!(root.kind, Kind::Null) {
            return self.problem(Position::START, ProblemKind::EmptyFile);
        }
        let Some(entry) = self.entry(root, "the building file", BUILDING_KEYS) else {
            return;
        };
        self.parsed.building = Building {
            zones: self.entries(entry, "zones", Thing::Zone, Self::zone),
            systems: self.entries(entry, "systems", Thing::System, Self::system),
            modules: self.entries(entry, "modules", Thing::Module, Self::module),
            users: self.entries(entry, "users", Thing::User, Self::user),
            api_keys: self.entries(entry, "api_keys", Thing::ApiKey, Self::api_key),
            metadata: self.entries(entry, "metadata", Thing::Metadata, Self::metadata),
        };
    }

    fn zone(&mut self, node: &Node) -> Option<Zone> {
        let entry = self.entry(node, "a zone", ZONE_KEYS)?;
        Some(Zone {
            name: self.required_text(entry, "name", "a name for people, such as `name: Level 1`"),
            display_name: self.text(entry, "display_name"),
            description: self.text(entry, "description").unwrap_or_default(),
            tags: self.texts(entry, "tags"),
            parent_id: self.reference(entry, "parent_id", Thing::Zone),
            id: self.own_id(entry, Thing::Zone, "an id, such as `id: zone-level-1`")?,
        })
    }

    fn system(&mut self, node: &Node) -> Option<System> {
        let entry = self.entry(node, "a system", SYSTEM_KEYS)?;
        Some(System {
            name: self.required_text(
                entry,
                "name",
                "a name for people, such as `name: Board Room`",
            ),
            display_name: self.text(entry, "display_name"),
            description: self.text(entry, "description").unwrap_or_default(),
            email: self.text(entry, "email"),
            capacity: self.capacity(entry),
            bookable: self.flag(entry, "bookable"),
            features: self.texts(entry, "features"),
            map_id: self.text(entry, "map_id"),
            timezone: self.timezone(entry),
            support_url: self.text(entry, "support_url"),
            zones: self.references(entry, "zones", Thing::Zone),
            modules: self.references(entry, "modules", Thing::Module),
            id: self.own_id(entry, Thing::System, "an id, such as `id: sys-board-room`")?,
        })
    }

    fn module(&mut self, node: &Node) -> Option<Module> {
        let entry = self.entry(node, "a module", MODULE_KEYS)?;
        let driver = self.driver(entry);
        let name = match entry.get("name") {
            None => None,
            Some(node) => self.id_text::<ModuleName>(node, "`name`"),
        };
        let uri = self.filled_text(entry, "uri");
        let settings = self.settings(entry);
        let id = self.own_id(entry, Thing::Module, "an id, such as `id: mod-display-1`")?;
        Some(Module {
            id,
            driver: driver?,
            name,
            uri,
            settings,
        })
    }

    fn user(&mut self, node: &Node) -> Option<User> {
        let entry = self.entry(node, "a user", USER_KEYS)?;
        let email = self.required_text(
            entry,
            "email",
            "an address, such as `email: ann@example.test`",
        );
        if let Some(node) = entry.get("email").filter(|_| !email.is_empty()) {
            self.parsed.claims.push(Claim {
                thing: Thing::Email,
                id: Cow::Owned(email.to_lowercase()),
                at: node.used_at,
            });
        }
        Some(User {
            name: self.text(entry, "name").unwrap_or_else(|| email.clone()),
            email,
            level: self.level(entry),
            groups: self.texts(entry, "groups"),
            password: self.password(entry),
            id: self.own_id(entry, Thing::User, "an id, such as `id: user-ann`")?,
        })
    }

    fn api_key(&mut self, node: &Node) -> Option<ApiKey> {
        let entry = self.entry(node, "an API key", API_KEY_KEYS)?;
        let id = self.own_id::<KeyId>(entry, Thing::ApiKey, "an id, such as `id: panel-key`");
        if let (Some(node), Some(id)) = (entry.get("id"), &id)
            && !rules::fits_a_credential(id)
        {
            self.problem(node.at, ProblemKind::DotInKeyId);
        }
        let secret = self.key_secret(entry);
        let user = self
            .required(entry, "user", "the id of the user whose key it is")
            .then(|| self.reference(entry, "user", Thing::User))
            .flatten();
        let level = self.level(entry);
        let scopes = self.scopes(entry);
        let systems = self.restriction(entry, "systems", Thing::System);
        let zones = self.restriction(entry, "zones", Thing::Zone);
        let device = match self.flag(entry, "fixed_device") {
            true => DeviceKind::Fixed,
            false => DeviceKind::Personal,
        };
        let expires = self.expires(entry);
        Some(ApiKey {
            id: id?,
            secret: secret?,
            user: user?,
            level,
            scopes,
            systems,
            zones,
            device,
            expires,
        })
    }

    fn expires(&mut self, entry: Entry<'_>) -> Option<Expiry> {
        let (node, text) = self.text_at(entry, "expires")?;
        let read = text.parse();
        if read.is_err() {
            self.problem(node.at, ProblemKind::Expires { text });
        }
        read.ok()
    }

    fn metadata(&mut self, node: &Node) -> Option<Metadata> {
        let entry = self.entry(node, "metadata", METADATA_KEYS)?;
        let parent = self
            .required(entry, "parent", "the id of what it belongs to")
            .then(|| self.reference(entry, "parent", Thing::Parent))
            .flatten();
        let name = self
            .required(entry, "name", "a name, such as `name: settings`")
            .then(|| self.id_text(entry.get("name")?, "`name`"))
            .flatten();
        let description = self.text(entry, "description").unwrap_or_default();
        let details = self.details(entry);
        let editors = self.texts(entry, "editors");
        let id = MetadataId {
            parent: parent?,
            name: name?,
        };
        self.parsed.claims.push(Claim {
            thing: Thing::Metadata,
            id: Cow::Owned(id.to_string()),
            at: entry.at,
        });
        Some(Metadata {
            id,
            description,
            details,
            editors,
        })
    }

    fn details(&mut self, entry: Entry<'_>) -> JsonText {
        if let Some(given) = self.as_json(entry, "details", "details_json", "JSON") {
            return given;
        }
        let Some(node) = entry.get("details") else {
            return JsonText::empty_object();
        };
        // What apps keep is not ours to fill in.
        let json = node.to_json(&mut |node| match &node.kind {
            Kind::Text(text) => json_text(text),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Digits => self.setting(node),
            Kind::List(_) | Kind::Map(_) => "null".to_owned(),
        });
        JsonText::parse(&json).unwrap_or_else(|_| JsonText::empty_object())
    }

    /// What is given as a JSON text, which is kept as it is.
    fn as_json(
        &mut self,
        entry: Entry<'_>,
        yaml: &'static str,
        key: &'static str,
        expected: &'static str,
    ) -> Option<JsonText> {
        let node = entry.get(key)?;
        if entry.get(yaml).is_some() {
            let place = entry.place;
            let json = key;
            self.problem(entry.at, ProblemKind::TwoForms { place, yaml, json });
        }
        let Kind::Text(text) = &node.kind else {
            self.wrong_type(node, &format!("`{key}`"), "text");
            return None;
        };
        let json = JsonText::parse(text).ok();
        if json.is_none() {
            let kind = ProblemKind::Json {
                key,
                expected,
                yaml,
            };
            self.problem(node.at, kind);
        }
        json
    }

    fn timezone(&mut self, entry: Entry<'_>) -> Option<String> {
        let (node, timezone) = self.text_at(entry, "timezone")?;
        if !is_time_zone(&timezone) {
            let remedy = match nearest(&timezone, time_zones()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "write one such as Europe/London, or leave it out".to_owned(),
            };
            let timezone = timezone.clone();
            self.problem(node.at, ProblemKind::TimeZone { timezone, remedy });
        }
        Some(timezone)
    }

    fn driver(&mut self, entry: Entry<'_>) -> Option<DriverRef> {
        if !self.required(
            entry,
            "driver",
            "the id of a driver, such as `driver: virtual`",
        ) {
            return None;
        }
        let node = entry.get("driver")?;
        if let Kind::Map(_) = node.kind {
            self.problem(node.at, ProblemKind::DriverProcess);
            return None;
        }
        let id = self.text_of(node, "`driver`")?;
        self.refer(Thing::Driver, &id, node.at);
        Some(DriverRef::LinkedIn(id))
    }

    fn settings(&mut self, entry: Entry<'_>) -> Secret {
        const EXPECTED: &str = "a JSON object";
        if let Some(given) = self.as_json(entry, "settings", "settings_json", EXPECTED) {
            if !given.as_str().starts_with('{') {
                let kind = ProblemKind::Json {
                    key: "settings_json",
                    expected: EXPECTED,
                    yaml: "settings",
                };
                self.problem(
                    entry.get("settings_json").map_or(entry.at, |node| node.at),
                    kind,
                );
            }
            return Secret::new(given.as_str());
        }
        let Some(node) = entry.get("settings") else {
            return Secret::new("{}");
        };
        if !matches!(node.kind, Kind::Map(_)) {
            self.wrong_type(node, "`settings`", "a map");
        }
        let json = node.to_json(&mut |node| self.setting(node));
        Secret::new(json)
    }

    /// A setting that is neither list nor map, as JSON.
    fn setting(&mut self, node: &Node) -> String {
        match &node.kind {
            Kind::Text(text) => json_text(&self.fill_in(text, node.at)),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(number) => number.clone(),
            Kind::Digits => {
                self.problem(node.at, ProblemKind::Digits);
                "null".to_owned()
            }
            Kind::Null | Kind::List(_) | Kind::Map(_) => "null".to_owned(),
        }
    }

    fn capacity(&mut self, entry: Entry<'_>) -> u32 {
        let Some(node) = entry.get("capacity") else {
            return 0;
        };
        let count = match &node.kind {
            Kind::Number(number) => {
                let count = whole_number(number).ok();
                count.and_then(|count| u32::try_from(count).ok())
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Digits
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_) => None,
        };
        if count.is_none() {
            self.problem(node.at, ProblemKind::Capacity);
        }
        count.unwrap_or_default()
    }

    fn level(&mut self, entry: Entry<'_>) -> Clearance {
        let Some((node, text)) = self.text_at(entry, "level") else {
            return Clearance::User;
        };
        match text.as_str() {
            "user" => Clearance::User,
            "support" => Clearance::Support,
            "admin" => Clearance::Admin,
            _ => {
                self.problem(node.at, ProblemKind::Level { level: text });
                Clearance::User
            }
        }
    }

    fn scopes(&mut self, entry: Entry<'_>) -> Vec<Scope> {
        let Some(items) = self.items(entry, "scopes") else {
            return Scope::parse("public").into_iter().collect();
        };
        let mut scopes = Vec::new();
        for node in items {
            let Some(text) = self.text_of(node, "an item of `scopes`") else {
                continue;
            };
            match Scope::parse(&text) {
                Some(scope) => scopes.push(scope),
                None => self.problem(node.at, ProblemKind::Scope { scope: text }),
            }
        }
        scopes
    }

    /// Which systems or zones a key is restricted to. An empty list is refused: the model reads it as no restriction, its author may have meant the opposite.
    fn restriction<I: FromStr<Err = InvalidId>>(
        &mut self,
        entry: Entry<'_>,
        key: &'static str,
        to: Thing,
    ) -> Vec<I> {
        if let Some(node) = entry.get(key)
            && matches!(&node.kind, Kind::List(items) if items.is_empty())
        {
            self.problem(node.at, ProblemKind::EmptyRestriction { key });
        }
        self.references(entry, key, to)
    }

    fn key_secret(&mut self, entry: Entry<'_>) -> Option<KeySecret> {
        let hash = self.filled_text(entry, "secret_hash");
        if hash.is_some() && entry.get("secret").is_some() {
            self.problem(entry.at, ProblemKind::TwoSecrets);
            return None;
        }
        if let Some(hash) = hash {
            if !rules::is_key_hash(&hash) {
                self.problem(entry.get("secret_hash")?.at, ProblemKind::KeyHash);
                return None;
            }
            return Some(KeySecret::Hashed(Secret::new(hash)));
        }
        if !self.required(
            entry,
            "secret",
            "a long random text, such as `secret: \"${ENV:PANEL_SECRET}\"`",
        ) {
            return None;
        }
        let node = entry.get("secret")?;
        let text = self.filled_text(entry, "secret")?;
        // A line end that slipped into an environment variable would make a key that no request can carry.
        if !rules::can_be_sent(&text) {
            let reason = "has a space or line end in it, which a request cannot carry; remove it";
            self.problem(
                node.at,
                ProblemKind::Secret {
                    key: "secret",
                    reason,
                },
            );
            return None;
        }
        self.not_empty(node, "secret", text).map(KeySecret::Plain)
    }

    fn password(&mut self, entry: Entry<'_>) -> Option<Password> {
        let plain = self.filled_text(entry, "password");
        let hash = self.filled_text(entry, "password_hash");
        match (plain, hash) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                self.problem(entry.at, ProblemKind::TwoPasswords);
                None
            }
            (Some(plain), None) => self
                .not_empty(entry.get("password")?, "password", plain)
                .map(Password::Plain),
            (None, Some(hash)) => {
                if !rules::is_password_hash(&hash) {
                    self.problem(entry.get("password_hash")?.at, ProblemKind::PasswordHash);
                    return None;
                }
                Some(Password::Hashed(Secret::new(hash)))
            }
        }
    }

    fn not_empty(&mut self, node: &Node, key: &'static str, text: String) -> Option<Secret> {
        if text.is_empty() {
            let reason = "is empty; choose a long random text";
            self.problem(node.at, ProblemKind::Secret { key, reason });
            return None;
        }
        Some(Secret::new(text))
    }

    // Below: what every kind of entry needs.

    /// The entries of a top-level list.
    fn entries<T>(
        &mut self,
        entry: Entry<'_>,
        key: &'static str,
        thing: Thing,
        read: fn(&mut Self, &Node) -> Option<T>,
    ) -> Vec<T> {
        let before = self.parsed.problems.len();
        let items = self.items(entry, key);
        if self.parsed.problems.len() > before {
            self.parsed.unreadable.insert(thing);
        }
        let items = items.unwrap_or_default();
        items.iter().filter_map(|node| read(self, node)).collect()
    }

    /// A map, its unknown keys noted.
    fn entry<'n>(
        &mut self,
        node: &'n Node,
        place: &'static str,
        allowed: &[&str],
    ) -> Option<Entry<'n>> {
        let Kind::Map(fields) = &node.kind else {
            self.wrong_type(node, place, "a map of keys and values");
            return None;
        };
        for (key, value) in fields {
            if !allowed.contains(&key.text.as_str()) {
                self.unknown_key(key, value, place, allowed);
            }
        }
        Some(Entry {
            place,
            at: node.at,
            fields,
        })
    }

    /// A key that has no value, or more than a word, may be a value itself whose colon is missing: it is not shown.
    fn unknown_key(&mut self, key: &Key, value: &Node, place: &'static str, allowed: &[&str]) {
        let similar = nearest(&key.text, allowed.iter().copied());
        let is_shown =
            is_word(&key.text) && (similar.is_some() || !matches!(value.kind, Kind::Null));
        let followed = |word: &&str| {
            let rest = key.text.strip_prefix(*word);
            rest.is_some_and(|rest| rest.starts_with([' ', ':', '=']))
        };
        let remedy = if let Some(word) = allowed.iter().copied().find(followed) {
            format!("is a colon with a space missing behind `{word}`?")
        } else if let Some(similar) = similar {
            format!("did you mean `{similar}`?")
        } else {
            format!("{place} may have {}", allowed.join(", "))
        };
        let text = if is_shown { key.text.as_str() } else { "" };
        let kind = ProblemKind::UnknownKey {
            key: text.to_owned(),
            place,
            remedy,
        };
        self.problem(key.at, kind);
    }

    /// Whether the key is there; notes it when not.
    fn required(&mut self, entry: Entry<'_>, key: &'static str, remedy: &'static str) -> bool {
        let present = entry.get(key).is_some();
        if !present {
            let place = entry.place;
            self.problem(entry.at, ProblemKind::Missing { place, key, remedy });
        }
        present
    }

    fn own_id<I: FromStr<Err = InvalidId> + ToString>(
        &mut self,
        entry: Entry<'_>,
        thing: Thing,
        remedy: &'static str,
    ) -> Option<I> {
        if !self.required(entry, "id", remedy) {
            return None;
        }
        let node = entry.get("id")?;
        let id = self.id_text::<I>(node, "`id`")?;
        self.parsed.claims.push(Claim {
            thing,
            id: Cow::Owned(id.to_string()),
            at: node.used_at,
        });
        Some(id)
    }

    fn reference<I: FromStr<Err = InvalidId>>(
        &mut self,
        entry: Entry<'_>,
        key: &'static str,
        to: Thing,
    ) -> Option<I> {
        self.reference_of(entry.get(key)?, &format!("`{key}`"), to)
    }

    fn references<I: FromStr<Err = InvalidId>>(
        &mut self,
        entry: Entry<'_>,
        key: &'static str,
        to: Thing,
    ) -> Vec<I> {
        let what = format!("an item of `{key}`");
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for node in self.items(entry, key).unwrap_or_default() {
            if let Kind::Text(text) = &node.kind
                && !seen.insert(text.as_str())
            {
                let (what, id) = (to.noun(), text.clone());
                self.problem(node.used_at, ProblemKind::ListedTwice { what, id });
                continue;
            }
            ids.extend(self.reference_of(node, &what, to));
        }
        ids
    }

    fn reference_of<I: FromStr<Err = InvalidId>>(
        &mut self,
        node: &Node,
        what: &str,
        to: Thing,
    ) -> Option<I> {
        let id = self.id_text(node, what)?;
        if let Kind::Text(text) = &node.kind {
            self.refer(to, &variables::unescape(text), node.at);
        }
        Some(id)
    }

    fn refer(&mut self, to: Thing, id: &str, at: Position) {
        let id = Cow::Owned(id.to_owned());
        self.parsed.references.push(Reference { to, id, at });
    }

    fn id_text<I: FromStr<Err = InvalidId>>(&mut self, node: &Node, what: &str) -> Option<I> {
        let text = self.text_of(node, what)?;
        match text.parse() {
            Ok(id) => Some(id),
            Err(reason) => {
                self.problem(node.at, ProblemKind::Id { reason });
                None
            }
        }
    }

    fn required_text(
        &mut self,
        entry: Entry<'_>,
        key: &'static str,
        remedy: &'static str,
    ) -> String {
        if !self.required(entry, key, remedy) {
            return String::new();
        }
        self.text(entry, key).unwrap_or_default()
    }

    fn text(&mut self, entry: Entry<'_>, key: &'static str) -> Option<String> {
        self.text_at(entry, key).map(|(_, text)| text)
    }

    fn text_at<'n>(&mut self, entry: Entry<'n>, key: &'static str) -> Option<(&'n Node, String)> {
        let node = entry.get(key)?;
        let text = self.text_of(node, &format!("`{key}`"))?;
        Some((node, text))
    }

    fn texts(&mut self, entry: Entry<'_>, key: &'static str) -> Vec<String> {
        let what = format!("an item of `{key}`");
        let items = self.items(entry, key).unwrap_or_default();
        items
            .iter()
            .filter_map(|node| self.text_of(node, &what))
            .collect()
    }

    /// A text in which `${ENV:…}` has no place.
    fn text_of(&mut self, node: &Node, what: &str) -> Option<String> {
        let Kind::Text(text) = &node.kind else {
            self.wrong_type(node, what, "text");
            return None;
        };
        if variables::mentioned(text) {
            self.problem(node.at, ProblemKind::EnvElsewhere);
            return None;
        }
        Some(variables::unescape(text))
    }

    /// A text with `${ENV:…}` filled in.
    fn filled_text(&mut self, entry: Entry<'_>, key: &'static str) -> Option<String> {
        let node = entry.get(key)?;
        let Kind::Text(text) = &node.kind else {
            self.wrong_type(node, &format!("`{key}`"), "text");
            return None;
        };
        Some(self.fill_in(text, node.at))
    }

    fn fill_in(&mut self, text: &str, at: Position) -> String {
        match variables::fill_in(text, self.environment) {
            Ok(filled) => filled,
            Err(kinds) => {
                for kind in kinds {
                    self.problem(at, kind);
                }
                // Not empty, so that no second problem follows from the first.
                "unset".to_owned()
            }
        }
    }

    fn flag(&mut self, entry: Entry<'_>, key: &'static str) -> bool {
        let Some(node) = entry.get(key) else {
            return false;
        };
        let Kind::Bool(value) = node.kind else {
            self.wrong_type(node, &format!("`{key}`"), "true or false");
            return false;
        };
        value
    }

    /// The items of a list; `None` when the key is absent or is no list.
    fn items<'n>(&mut self, entry: Entry<'n>, key: &'static str) -> Option<&'n [Node]> {
        let node = entry.get(key)?;
        let Kind::List(items) = &node.kind else {
            self.wrong_type(node, &format!("`{key}`"), "a list");
            return None;
        };
        Some(items)
    }

    fn wrong_type(&mut self, node: &Node, what: &str, expected: &'static str) {
        let kind = ProblemKind::Type {
            what: what.to_owned(),
            expected,
            found: node.noun(),
        };
        self.problem(node.at, kind);
    }

    fn problem(&mut self, at: Position, kind: ProblemKind) {
        self.parsed.problems.push(Problem { at, kind });
    }
}
