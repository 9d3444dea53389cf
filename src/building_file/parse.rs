//! The file's tree read entry by entry into the words of the model.
//!
//! Separate from `check.rs` because everything here can be said while looking at one entry alone: keys, types, ids, levels, `${ENV:…}`.
//! What one entry says about another is only noted down, as claims and references.
//! A mistake never stops the reading: it is noted, and the value falls back to its default so that the rest can be read.

mod apps;
mod automation;
mod expressions;
mod forms;
mod services;

pub(super) use automation::Run;
pub use automation::mistaken_expressions;
pub use expressions::mistaken_texts;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use crate::model::rules::{self, Claim, Reference, Thing};
use crate::model::{
    Building, Collection, DriverProcess, Expiry, Field, FunctionPath, InvalidId, JsonKind,
    JsonText, KeyId, Kind, Metadata, MetadataName, ModuleName, ModulePath, Scope, Secret, Value,
    Values, is_time_zone, is_variable_name, nearest, time_zones, whole_number,
};

use super::node::{Key, Kind as YamlKind, Node, json_text};
use super::problem::{Position, Problem, ProblemKind, is_word};
use super::variables;

pub(super) const BUILDING_KEYS: &[&str] = &[
    "zones",
    "systems",
    "modules",
    "users",
    "api_keys",
    "metadata",
    "entities",
    "commands",
    "apps",
    "services",
    "procedures",
    "hooks",
    "triggers",
];
/// The keys of a driver that is a process.
const PROCESS_KEYS: &[&str] = &["command", "env"];

/// The keys that an entry of a collection may have.
pub(super) fn keys<C: Collection>() -> Vec<&'static str> {
    let fields = C::FIELDS.iter();
    let keys = fields.map(|field| std::iter::once(field.name).chain(field.other_form));
    keys.flatten().collect()
}

/// What a file says, entry by entry.
pub(super) struct Parsed {
    /// The entries that could be read.
    pub(super) building: Building,
    /// What must be unique.
    pub(super) claims: Vec<Claim<'static, Position>>,
    /// What must exist.
    pub(super) references: Vec<Reference<'static, Position>>,
    /// The places at which modules must stand.
    pub(super) places: Vec<(ModulePath, Position)>,
    /// The functions that modules must have.
    pub(super) functions: Vec<(FunctionPath, Position)>,
    /// The procedures that are run, each with what it is given.
    pub(super) runs: Vec<Run>,
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
            places: Vec::new(),
            functions: Vec::new(),
            runs: Vec::new(),
            unreadable: HashSet::new(),
            problems: Vec::new(),
        },
    };
    parser.building(root);
    parser.parsed
}

type NameCheck<'c> = &'c dyn Fn(&str) -> Result<(), InvalidId>;

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
            .filter(|node| !matches!(node.kind, YamlKind::Null))
    }

    /// The value of a key that says `null` in so many letters.
    fn null(self, key: &str) -> Option<&'n Node> {
        let mut fields = self.fields.iter();
        let (_, node) = fields.find(|(name, _)| name.text == key)?;
        Some(node).filter(|node| node.is_written_null())
    }
}

impl Parser<'_> {
    fn building(&mut self, root: &Node) {
        if matches!(root.kind, YamlKind::Null) {
            return self.problem(Position::START, ProblemKind::EmptyFile);
        }
        let Some(entry) = self.entry(root, "the building file", BUILDING_KEYS) else {
            return;
        };
        self.parsed.building = Building {
            zones: self.entries(entry, Thing::Zone, Self::read),
            systems: self.entries(entry, Thing::System, Self::read),
            modules: self.entries(entry, Thing::Module, Self::read),
            users: self.entries(entry, Thing::User, Self::read),
            api_keys: self.entries(entry, Thing::ApiKey, Self::read),
            metadata: self.entries(entry, Thing::Metadata, Self::metadata),
            entities: self.entries(entry, Thing::Entity, Self::entity),
            commands: self.entries(entry, Thing::Command, Self::command),
            apps: self.entries(entry, Thing::App, Self::app),
            services: self.entries(entry, Thing::Service, Self::service),
            procedures: self.entries(entry, Thing::Procedure, Self::procedure),
            hooks: self.entries(entry, Thing::Hook, Self::hook),
            triggers: self.entries(entry, Thing::Trigger, Self::trigger),
        };
    }

    fn metadata(&mut self, node: &Node) -> Option<Metadata> {
        let metadata: Metadata = self.read(node)?;
        self.parsed.claims.push(Claim {
            thing: Thing::Metadata,
            id: Cow::Owned(metadata.id.to_string()),
            at: node.at,
        });
        Some(metadata)
    }

    /// An entry, field by field as its collection lists them.
    fn read<C: Collection>(&mut self, node: &Node) -> Option<C> {
        let entry = self.entry(node, C::PLACE, &keys::<C>())?;
        let before = self.parsed.problems.len();
        let mut values = Values::none();
        for field in C::FIELDS {
            if let Some(remedy) = field.must
                && field.other_form.is_none_or(|key| entry.get(key).is_none())
                && !self.required(entry, field.name, remedy)
            {
                continue;
            }
            if let Some(value) = self.value(entry, field) {
                self.shape(entry, field, &value);
                values.put(field.name, value);
            }
        }
        let built = C::build(values);
        if let Err(wrong) = &built
            && self.parsed.problems.len() == before
        {
            self.mistakes(node, wrong.clone());
        }
        // What else is missing or cannot be was said with its place.
        built.ok()
    }

    /// The content of a field, if something that can be read is there.
    fn value<C>(&mut self, entry: Entry<'_>, field: &Field<C>) -> Option<Value<'static>> {
        let key = field.name;
        match field.kind {
            Kind::Text => self.text(entry, key).map(text),
            Kind::Address => self.filled_text(entry, key).map(text),
            Kind::Email => self.email(entry, key).map(text),
            Kind::TimeZone => self.timezone(entry, key).map(text),
            Kind::Word(words) => self.word(entry, key, words).map(text),
            Kind::Id(Thing::Entity) => {
                let path = self.path(entry, key)?;
                self.claim(Thing::Entity, path.as_str(), entry.get(key)?.used_at);
                Some(text(path.as_str().to_owned()))
            }
            Kind::Id(Thing::Service) => self.service_key(entry),
            Kind::Id(thing) => self.own_id(entry, key, thing).map(text),
            Kind::StatusPath => {
                let path = self.path(entry, key)?;
                Some(text(path.as_str().to_owned()))
            }
            Kind::ModuleName => {
                let check = |text: &str| ModuleName::new(text).map(drop);
                self.name(entry.get(key)?, &format!("`{key}`"), &check)
                    .map(text)
            }
            Kind::MetadataName => {
                let check = |text: &str| MetadataName::new(text).map(drop);
                self.name(entry.get(key)?, &format!("`{key}`"), &check)
                    .map(text)
            }
            Kind::Reference(Thing::Driver) => self.driver(entry, key),
            Kind::Reference(to) => {
                let reference = self.reference(entry.get(key)?, &format!("`{key}`"), to);
                reference.map(text)
            }
            Kind::References(to) => self.references(entry, key, to, field.restricts),
            Kind::Texts => self.texts(entry, key),
            Kind::Scopes => self.scopes(entry, key),
            Kind::Flag => self.flag(entry, key).map(Value::Flag),
            Kind::Count(most) => self.count(entry, key, most),
            Kind::Moment => self.moment(entry, key),
            Kind::Json(kind) => self.json(entry, field, kind),
            Kind::KeySecret => self.key_secret(entry),
            Kind::Password => self.password(entry),
        }
    }

    fn moment(&mut self, entry: Entry<'_>, key: &'static str) -> Option<Value<'static>> {
        let (node, text) = self.text_at(entry, key)?;
        let read = text.parse::<Expiry>();
        if read.is_err() {
            self.problem(node.at, ProblemKind::Expires { text });
        }
        read.ok().map(|moment| Value::Number(moment.as_secs()))
    }

    fn email(&mut self, entry: Entry<'_>, key: &'static str) -> Option<String> {
        let (node, email) = self.text_at(entry, key)?;
        if !email.is_empty() {
            self.parsed.claims.push(Claim {
                thing: Thing::Email,
                id: Cow::Owned(email.to_lowercase()),
                at: node.used_at,
            });
        }
        Some(email)
    }

    /// JSON, in YAML or as a text. Only where a field says so are variables filled in.
    fn json<C>(
        &mut self,
        entry: Entry<'_>,
        field: &Field<C>,
        kind: JsonKind,
    ) -> Option<Value<'static>> {
        if let Some(as_text) = field.other_form
            && let Some(given) = self.as_json(entry, field.name, as_text, kind)
        {
            return Some(Value::Json(Cow::Owned(given.as_str().to_owned())));
        }
        let null = || {
            let counts = field.null_counts;
            entry.null(field.name).filter(|_| counts)
        };
        let node = entry.get(field.name).or_else(null)?;
        let expected = match kind {
            JsonKind::Any => None,
            JsonKind::Object => Some("a map").filter(|_| !matches!(node.kind, YamlKind::Map(_))),
            JsonKind::List => Some("a list").filter(|_| !matches!(node.kind, YamlKind::List(_))),
            JsonKind::Number => {
                let is_number = matches!(node.kind, YamlKind::Number(_) | YamlKind::Digits);
                Some("a number").filter(|_| !is_number)
            }
        };
        if let Some(expected) = expected {
            self.wrong_type(node, &format!("`{}`", field.name), expected);
            if kind == JsonKind::Number {
                return None;
            }
        }
        if !field.filled_at.is_empty() {
            let json = self.filled_at(node, field.filled_at);
            return Some(Value::Json(Cow::Owned(json)));
        }
        let json = node.to_json(&mut |node| match &node.kind {
            // What apps keep is not ours to fill in.
            YamlKind::Text(text) if !field.filled_in => json_text(text),
            YamlKind::Null
            | YamlKind::Bool(_)
            | YamlKind::Number(_)
            | YamlKind::Digits
            | YamlKind::Text(_)
            | YamlKind::List(_)
            | YamlKind::Map(_) => self.setting(node),
        });
        Some(Value::Json(Cow::Owned(json)))
    }

    /// What is given as a JSON text, which is kept as it is.
    fn as_json(
        &mut self,
        entry: Entry<'_>,
        yaml: &'static str,
        key: &'static str,
        kind: JsonKind,
    ) -> Option<JsonText> {
        let node = entry.get(key)?;
        if entry.get(yaml).is_some() {
            let place = entry.place;
            let json = key;
            self.problem(entry.at, ProblemKind::TwoForms { place, yaml, json });
        }
        let YamlKind::Text(text) = &node.kind else {
            self.wrong_type(node, &format!("`{key}`"), "text");
            return None;
        };
        let json = JsonText::parse(text).ok();
        let json = json.filter(|json| kind.fits(json.as_str()));
        if json.is_none() {
            let kind = ProblemKind::Json {
                key,
                expected: kind.noun(),
                yaml,
            };
            self.problem(node.at, kind);
        }
        json
    }

    fn timezone(&mut self, entry: Entry<'_>, key: &'static str) -> Option<String> {
        let (node, timezone) = self.text_at(entry, key)?;
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

    /// The id of a linked-in driver, or a map that says which program is one.
    fn driver(&mut self, entry: Entry<'_>, key: &'static str) -> Option<Value<'static>> {
        let node = entry.get(key)?;
        if let YamlKind::Map(_) = node.kind {
            let process = self.process(node)?;
            return Some(Value::Json(Cow::Owned(process.json())));
        }
        let id = self.text_of(node, &format!("`{key}`"))?;
        self.refer(Thing::Driver, &id, node.at);
        Some(text(id))
    }

    /// A program that runs as a driver. Its arguments are seen by everybody on the machine, so variables are filled in under `env` alone.
    fn process(&mut self, node: &Node) -> Option<DriverProcess> {
        let entry = self.entry(node, "a driver", PROCESS_KEYS)?;
        let remedy = "a program and its arguments, such as `command: [python3, thermometer.py]`";
        if !self.required(entry, "command", remedy) {
            return None;
        }
        let items = self.items(entry, "command")?.iter();
        let command: Vec<String> = items
            .filter_map(|item| self.text_of(item, "an item of `command`"))
            .collect();
        let variables = self.process_variables(entry)?;
        let at = entry.get("command")?.at;
        let process = DriverProcess::new(command, variables);
        process
            .map_err(|why| self.problem(at, ProblemKind::Process { why }))
            .ok()
    }

    fn process_variables(&mut self, entry: Entry<'_>) -> Option<Vec<(String, String)>> {
        let Some(node) = entry.get("env") else {
            return Some(Vec::new());
        };
        let YamlKind::Map(fields) = &node.kind else {
            self.wrong_type(node, "`env`", "a map of names and texts");
            return None;
        };
        let mut variables = Vec::new();
        for (name, value) in fields {
            if !is_variable_name(&name.text) {
                self.problem(name.at, ProblemKind::VariableName);
                continue;
            }
            let YamlKind::Text(text) = &value.kind else {
                let what = format!("the variable {}", name.text);
                self.wrong_type(value, &what, "text");
                continue;
            };
            variables.push((name.text.clone(), self.fill_in(text, value.at)));
        }
        Some(variables)
    }

    /// A setting that is neither list nor map, as JSON.
    fn setting(&mut self, node: &Node) -> String {
        match &node.kind {
            YamlKind::Text(text) => json_text(&self.fill_in(text, node.at)),
            YamlKind::Bool(value) => value.to_string(),
            YamlKind::Number(number) => number.clone(),
            YamlKind::Digits => {
                self.problem(node.at, ProblemKind::Digits);
                "null".to_owned()
            }
            YamlKind::Null | YamlKind::List(_) | YamlKind::Map(_) => "null".to_owned(),
        }
    }

    fn count(&mut self, entry: Entry<'_>, key: &'static str, most: u32) -> Option<Value<'static>> {
        let node = entry.get(key)?;
        let count = match &node.kind {
            YamlKind::Number(number) => {
                let count = whole_number(number).ok();
                let count = count.and_then(|count| u32::try_from(count).ok());
                count.filter(|count| *count <= most)
            }
            YamlKind::Null
            | YamlKind::Bool(_)
            | YamlKind::Digits
            | YamlKind::Text(_)
            | YamlKind::List(_)
            | YamlKind::Map(_) => None,
        };
        if count.is_none() {
            self.problem(node.at, ProblemKind::Count { key, most });
        }
        count.map(|count| Value::Number(count.into()))
    }

    fn word(
        &mut self,
        entry: Entry<'_>,
        key: &'static str,
        words: &'static [&'static str],
    ) -> Option<String> {
        let (node, word) = self.text_at(entry, key)?;
        if words.contains(&word.as_str()) {
            return Some(word);
        }
        self.problem(node.at, ProblemKind::Word { key, word, words });
        None
    }

    fn scopes(&mut self, entry: Entry<'_>, key: &'static str) -> Option<Value<'static>> {
        let what = format!("an item of `{key}`");
        let mut scopes = Vec::new();
        for node in self.items(entry, key)? {
            let Some(scope) = self.text_of(node, &what) else {
                continue;
            };
            match Scope::parse(&scope) {
                Some(_) => scopes.push(Cow::Owned(scope)),
                None => self.problem(node.at, ProblemKind::Scope { scope }),
            }
        }
        Some(Value::Texts(scopes))
    }

    fn key_secret(&mut self, entry: Entry<'_>) -> Option<Value<'static>> {
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
            return Some(Value::Hash(Secret::new(hash)));
        }
        let node = entry.get("secret")?;
        let text = self.filled_text(entry, "secret")?;
        // A line end that slipped into an environment variable would make a key that no request can carry.
        if !rules::can_be_sent(&text) {
            let reason = "has a space or line end in it, which a request cannot carry; remove it";
            let key = "secret";
            self.problem(node.at, ProblemKind::Secret { key, reason });
            return None;
        }
        self.not_empty(node, "secret", text)
    }

    fn password(&mut self, entry: Entry<'_>) -> Option<Value<'static>> {
        let plain = self.filled_text(entry, "password");
        let hash = self.filled_text(entry, "password_hash");
        match (plain, hash) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                self.problem(entry.at, ProblemKind::TwoPasswords);
                None
            }
            (Some(plain), None) => self.not_empty(entry.get("password")?, "password", plain),
            (None, Some(hash)) => {
                if !rules::is_password_hash(&hash) {
                    self.problem(entry.get("password_hash")?.at, ProblemKind::PasswordHash);
                    return None;
                }
                Some(Value::Hash(Secret::new(hash)))
            }
        }
    }

    fn not_empty(
        &mut self,
        node: &Node,
        key: &'static str,
        text: String,
    ) -> Option<Value<'static>> {
        if text.is_empty() {
            let reason = "is empty; choose a long random text";
            self.problem(node.at, ProblemKind::Secret { key, reason });
            return None;
        }
        Some(Value::Plain(Secret::new(text)))
    }

    // Below: what every kind of entry needs.

    /// The entries of a top-level list.
    fn entries<C: Collection>(
        &mut self,
        entry: Entry<'_>,
        thing: Thing,
        read: fn(&mut Self, &Node) -> Option<C>,
    ) -> Vec<C> {
        let before = self.parsed.problems.len();
        let items = self.items(entry, C::LIST);
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
        let YamlKind::Map(fields) = &node.kind else {
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
            is_word(&key.text) && (similar.is_some() || !matches!(value.kind, YamlKind::Null));
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

    fn own_id(&mut self, entry: Entry<'_>, key: &'static str, thing: Thing) -> Option<String> {
        let node = entry.get(key)?;
        let id = self.name(node, &format!("`{key}`"), &|text| thing.check_id(text))?;
        if thing == Thing::ApiKey && KeyId::new(&id).is_ok_and(|id| !rules::fits_a_credential(&id))
        {
            self.problem(node.at, ProblemKind::DotInKeyId);
        }
        self.claim(thing, &id, node.used_at);
        Some(id)
    }

    fn claim(&mut self, thing: Thing, id: &str, at: Position) {
        let id = Cow::Owned(id.to_owned());
        self.parsed.claims.push(Claim { thing, id, at });
    }

    /// Which things. An empty list of what a key is restricted to is refused: the model reads it as no restriction, its author may have meant the opposite.
    fn references(
        &mut self,
        entry: Entry<'_>,
        key: &'static str,
        to: Thing,
        restricts: bool,
    ) -> Option<Value<'static>> {
        let what = format!("an item of `{key}`");
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        let items = self.items(entry, key)?;
        if restricts && items.is_empty() {
            let at = entry.get(key)?.at;
            self.problem(at, ProblemKind::EmptyRestriction { key });
        }
        for node in items {
            if let YamlKind::Text(text) = &node.kind
                && !seen.insert(text.as_str())
            {
                let (what, id) = (to.noun(), text.clone());
                self.problem(node.used_at, ProblemKind::ListedTwice { what, id });
                continue;
            }
            ids.extend(self.reference(node, &what, to).map(Cow::Owned));
        }
        Some(Value::Texts(ids))
    }

    fn reference(&mut self, node: &Node, what: &str, to: Thing) -> Option<String> {
        let id = self.name(node, what, &|text| to.check_id(text))?;
        self.refer(to, &id, node.at);
        Some(id)
    }

    /// A text that can be an id or a name.
    fn name(&mut self, node: &Node, what: &str, check: NameCheck<'_>) -> Option<String> {
        let text = self.text_of(node, what)?;
        match check(&text) {
            Ok(()) => Some(text),
            Err(reason) => {
                self.problem(node.at, ProblemKind::Id { reason });
                None
            }
        }
    }

    fn refer(&mut self, to: Thing, id: &str, at: Position) {
        let id = Cow::Owned(id.to_owned());
        self.parsed.references.push(Reference { to, id, at });
    }

    fn text(&mut self, entry: Entry<'_>, key: &'static str) -> Option<String> {
        self.text_at(entry, key).map(|(_, text)| text)
    }

    fn text_at<'n>(&mut self, entry: Entry<'n>, key: &'static str) -> Option<(&'n Node, String)> {
        let node = entry.get(key)?;
        let text = self.text_of(node, &format!("`{key}`"))?;
        Some((node, text))
    }

    fn texts(&mut self, entry: Entry<'_>, key: &'static str) -> Option<Value<'static>> {
        let what = format!("an item of `{key}`");
        let items = self.items(entry, key)?.iter();
        let texts = items.filter_map(|node| self.text_of(node, &what));
        Some(Value::Texts(texts.map(Cow::Owned).collect()))
    }

    /// A text in which `${ENV:…}` has no place.
    fn text_of(&mut self, node: &Node, what: &str) -> Option<String> {
        let YamlKind::Text(text) = &node.kind else {
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
        let YamlKind::Text(text) = &node.kind else {
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

    fn flag(&mut self, entry: Entry<'_>, key: &'static str) -> Option<bool> {
        let node = entry.get(key)?;
        let YamlKind::Bool(value) = node.kind else {
            self.wrong_type(node, &format!("`{key}`"), "true or false");
            return None;
        };
        Some(value)
    }

    /// The items of a list; `None` when the key is absent or is no list.
    fn items<'n>(&mut self, entry: Entry<'n>, key: &'static str) -> Option<&'n [Node]> {
        let node = entry.get(key)?;
        let YamlKind::List(items) = &node.kind else {
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

fn text(text: String) -> Value<'static> {
    Value::Text(Cow::Owned(text))
}
