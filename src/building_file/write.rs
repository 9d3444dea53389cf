//! A building as a file: whole, so that reading it gives the same building again, or for every eye, with `***` for every value that may be a secret.

use indexmap::IndexSet;
use serde_json::{Map, Value, json};

use crate::model::rules::Thing;
use crate::model::{
    Building, Collection, Expiry, Field, JsonKind, Kind, MASK, Secret, Value as Content,
    masked_address,
};

use super::variables;

/// How deep kept JSON may be to be written as YAML: what the reader takes, less the lists and maps around it.
const TREE_DEPTH_MAX: usize = 20;

/// Who is to read what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A reader that may have everything, hashes and the settings of devices too.
    Trusted,
    /// The same but for the secrets of apps, hooks and webhooks: with one of these a stranger speaks for an app or is let in as a caller, and no hash of it would do.
    Operator,
    /// Anybody.
    Anybody,
}

/// The building in the form of a building file, with all that it takes to read it back: hashes of secrets, settings of modules, secrets of apps, hooks and webhooks.
pub fn write(building: &Building) -> String {
    write_for(Reader::Trusted, building)
}

/// The same with the secrets of apps, hooks and webhooks masked. A file with such a mask is refused where it is read, so nobody's app signs with the mask and nobody's hook opens to it.
pub fn without_app_secrets(building: &Building) -> String {
    write_for(Reader::Operator, building)
}

/// The same with all secrets masked.
pub fn masked(building: &Building) -> String {
    write_for(Reader::Anybody, building)
}

/// What was left out of the file, and holds by default, is left out here too.
fn write_for(reader: Reader, building: &Building) -> String {
    let Building {
        zones,
        systems,
        modules,
        users,
        api_keys,
        metadata,
        entities,
        commands,
        apps,
        services,
        procedures,
        hooks,
        triggers,
    } = building;
    let mut lists = Map::new();
    list(&mut lists, reader, zones);
    list(&mut lists, reader, systems);
    list(&mut lists, reader, modules);
    list(&mut lists, reader, users);
    list(&mut lists, reader, api_keys);
    list(&mut lists, reader, metadata);
    list(&mut lists, reader, entities);
    list(&mut lists, reader, commands);
    list(&mut lists, reader, apps);
    list(&mut lists, reader, services);
    list(&mut lists, reader, procedures);
    list(&mut lists, reader, hooks);
    list(&mut lists, reader, triggers);
    let building = Value::Object(lists);
    // Texts, numbers, lists and maps with texts as keys: there is nothing in it that YAML cannot say, and JSON is YAML too.
    serde_saphyr::to_string(&building).unwrap_or_else(|_| building.to_string())
}

fn list<C: Collection>(lists: &mut Map<String, Value>, reader: Reader, entries: &[C]) {
    let entries = entries.iter().map(|entry| {
        let fields = C::FIELDS.iter();
        let fields = fields.filter_map(|field| written(reader, field, field.value(entry)));
        let fields = fields.map(|(key, value)| (key.to_owned(), value));
        Value::Object(fields.collect())
    });
    lists.insert(C::LIST.to_owned(), entries.collect());
}

/// A field's key and value; none for what holds anyway.
fn written<C>(
    reader: Reader,
    field: &Field<C>,
    content: Content<'_>,
) -> Option<(&'static str, Value)> {
    if field.goes_without(&content) {
        return None;
    }
    let other_form = field.other_form.unwrap_or(field.name);
    let value = match content {
        Content::Nothing => return None,
        Content::Text(uri) if field.kind == Kind::Address && reader == Reader::Anybody => {
            text(&masked_address(&uri))
        }
        Content::Text(given) => text(&given),
        // Each once: a store of an earlier version may have an id twice, which a file cannot say.
        Content::Texts(ids) if matches!(field.kind, Kind::References(_)) => {
            let once: IndexSet<_> = ids.iter().collect();
            once.into_iter().map(|id| text(id)).collect()
        }
        Content::Texts(given) => given.iter().map(|item| text(item)).collect(),
        Content::Flag(flag) => json!(flag),
        Content::Number(seconds) if field.kind == Kind::Moment => {
            json!(Expiry::from_secs(seconds)?.to_string())
        }
        Content::Number(number) => json!(number),
        Content::Json(process) if field.kind == Kind::Reference(Thing::Driver) => {
            let process = serde_json::from_str(&process).ok()?;
            escaped(match reader {
                Reader::Trusted | Reader::Operator => process,
                Reader::Anybody => without_variables(process),
            })
        }
        Content::Json(json) => return kept(reader, field, &json),
        Content::Plain(plain) => text(secret(reader, &plain)),
        Content::Hash(hash) => return Some((other_form, text(secret(reader, &hash)))),
    };
    Some((field.name, value))
}

/// JSON that is kept, under the one of two keys that gives it back byte for byte: as YAML for people, or as a text.
/// What apps keep is theirs, and may be a secret as settings may.
fn kept<C>(reader: Reader, field: &Field<C>, json: &str) -> Option<(&'static str, Value)> {
    // What has to be said is said, also where it is nothing.
    if field.must.is_none() && (field.default)() == Content::Json(json.into()) {
        return None;
    }
    let tree: Option<Value> = serde_json::from_str(json).ok();
    if let Some(shown) = tree
        .as_ref()
        .and_then(|tree| with_masks(reader, field, tree))
    {
        return Some((field.name, escaped(shown)));
    }
    // The limits of an entity, the form of a command and the conditions of a trigger are nobody's secret; what a command or a step carries may be.
    let is_open = field.kind == Kind::Json(JsonKind::Number) || OPEN.contains(&field.name);
    if reader == Reader::Anybody && !is_open {
        return Some((field.name, tree.map_or(json!(MASK), mask)));
    }
    let tree = tree.filter(|tree| {
        // A key without a value counts as left out.
        let again = tree.to_string();
        !tree.is_null() && depth(tree) <= TREE_DEPTH_MAX && again == json
    });
    Some(match (tree, field.other_form) {
        (Some(tree), _) if field.filled_in => (field.name, escaped(tree)),
        (Some(tree), _) => (field.name, tree),
        // As it is: nothing is filled in there.
        (None, as_text) => (as_text?, Value::String(json.to_owned())),
    })
}

/// The fields whose JSON anybody may see.
const OPEN: [&str; 6] = ["schema", "call", "errors", "limits", "statuses", "when"];

/// What callers or an app show, as far as the reader may see it; nothing for what has no masks.
fn with_masks<C>(reader: Reader, field: &Field<C>, tree: &Value) -> Option<Value> {
    let secret = |_: &str| MASK.to_owned();
    match (field.name, reader) {
        ("keys", Reader::Operator | Reader::Anybody) => Some(with(tree, "secret", secret)),
        ("webhooks", Reader::Anybody) => Some(with(tree, "url", masked_address)),
        ("header", Reader::Operator | Reader::Anybody) => Some(mask(tree.clone())),
        ("when", Reader::Operator | Reader::Anybody) => without_keys(tree),
        _ => None,
    }
}

/// Conditions without what callers of a webhook show; nothing where there is none.
fn without_keys(conditions: &Value) -> Option<Value> {
    let mut conditions = conditions.clone();
    let mut has_some = false;
    for condition in conditions.as_array_mut()? {
        for key in ["secret", "header"] {
            if let Some(shown) = condition.get_mut(key) {
                *shown = mask(shown.take());
                has_some = true;
            }
        }
    }
    has_some.then_some(conditions)
}

/// A list of maps with something else in the place of each text under this key.
fn with(list: &Value, key: &str, shown: impl Fn(&str) -> String) -> Value {
    let mut list = list.clone();
    for item in list.as_array_mut().into_iter().flatten() {
        if let Some(value) = item.get_mut(key) {
            *value = Value::String(shown(value.as_str().unwrap_or_default()));
        }
    }
    list
}

/// How many lists and maps stand in each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Settings whose texts are read as they are, and ask for no variable.
fn escaped(settings: Value) -> Value {
    match settings {
        Value::String(text) => Value::String(variables::escape(&text)),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(map) => {
            let escaped = map.into_iter().map(|(key, value)| (key, escaped(value)));
            Value::Object(escaped.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => settings,
    }
}

fn secret(reader: Reader, secret: &Secret) -> &str {
    match reader {
        Reader::Trusted | Reader::Operator => secret.expose(),
        Reader::Anybody => MASK,
    }
}

fn text(text: &str) -> Value {
    Value::String(variables::escape(text))
}

/// Which settings there are may be seen; what they are is known to their driver alone, and a PIN is a number.
fn mask(settings: Value) -> Value {
    match settings {
        Value::Object(map) => {
            let masked = map.into_iter().map(|(key, value)| (key, mask(value)));
            Value::Object(masked.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(mask).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!(MASK),
    }
}

/// A process without the values of its variables, which may be passwords.
fn without_variables(mut process: Value) -> Value {
    if let Some(variables) = process.get_mut("env") {
        *variables = mask(variables.take());
    }
    process
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::building_file::KnownDriver;
    use crate::building_file::{mistaken_expressions, mistaken_texts};
    use crate::model::{
        ChannelApp, CommandErrors, CommandType, CustomCommand, EntityOverride, Hook, HookName,
        Service, sample,
    };

    const FILE: &str = r#"
zones: [{id: zone-1, name: HQ, tags: [org]}]
systems: [{id: sys-1, name: Board Room, capacity: 8, bookable: true, zones: [zone-1], modules: [mod-1]}]
modules:
  - id: mod-1
    driver: virtual
    name: Display
    uri: tcp://admin:hunter2@10.0.0.7:4352/x?token=hunter2
    settings: {password: hunter2, pin: 4711, list: [hunter2], inner: {on: true}}
users:
  - {id: user-1, email: ann@example.test, level: admin, password: hunter2}
  - {id: user-2, email: eve@example.test, password_hash: $argon2id$hunter2}
api_keys: [{id: panel, secret: hunter2, user: user-1, scopes: [systems.read], systems: [sys-1]}]
"#;

    #[test]
    fn secrets_are_masked_and_the_rest_is_the_file() {
        let read = |text: &str| {
            crate::building_file::read(
                "b.yaml",
                text,
                &[KnownDriver::any("virtual")],
                crate::model::rules::ForeignRules::NONE,
                &BTreeMap::new(),
            )
        };
        let building = read(FILE).unwrap();

        let shown = masked(&building);

        assert!(
            !shown.contains("hunter2") && !shown.contains("4711"),
            "{shown}"
        );
        assert!(
            shown.contains("uri: tcp://***@10.0.0.7:4352/x?***"),
            "{shown}"
        );
        // A hash must look like one, which a masked one does not.
        let again = read(
            &shown
                .replace("password_hash: \"***\"", "password_hash: $argon2")
                .replace("password_hash: '***'", "password_hash: $argon2"),
        )
        .unwrap();
        assert_eq!(
            (&again.zones, &again.systems),
            (&building.zones, &building.systems)
        );
        assert_eq!(
            again.modules[0].settings().as_str(),
            r#"{"password":"***","pin":"***","list":["***"],"inner":{"on":"***"}}"#
        );
        assert_eq!(again.api_keys[0].scopes, building.api_keys[0].scopes);
        assert_eq!(again.users[1].name, building.users[1].name);
    }

    #[test]
    fn an_app_is_shown_without_what_it_signs_with() {
        let file = "apps: [{id: \"4201\", keys: [{key: a1, secret: \"hunter2 ${\"}], webhooks: [{url: \"http://ann:hunter2@h/x?t=hunter2\", prefix: p}], limits: {event_bytes: 20KiB}}]";
        let read = |text: &str| {
            crate::building_file::read(
                "b.yaml",
                text,
                &[],
                crate::model::rules::ForeignRules::NONE,
                &BTreeMap::new(),
            )
        };
        let building = read(file).unwrap();
        assert_eq!(read(&write(&building)).unwrap(), building);

        let shown = masked(&building);
        assert!(!shown.contains("hunter2"), "{shown}");
        for part in ["key: a1", "http://***@h/x?***", "event_bytes: 20480"] {
            assert!(shown.contains(part), "{shown}");
        }

        let exported = without_app_secrets(&building);
        assert!(
            exported.contains("http://ann:hunter2@h/x?t=hunter2"),
            "{exported}"
        );
        // Nobody takes the mask for a secret.
        let problems = read(&exported).unwrap_err().to_string();
        assert!(problems.contains("`riser export --secrets`"), "{problems}");
        let whole = exported.replace("\"***\"", "\"hunter2 ${\"");
        assert_eq!(
            read(&whole.replace("'***'", "'hunter2 ${'")).unwrap(),
            building
        );
    }

    #[test]
    fn what_is_written_whole_is_read_as_the_same_building() {
        let file = format!(
            "{FILE}metadata: [{{parent: zone-1, name: settings, description: d, details: {{a: [1, 1.0, '1', null, {{}}]}}, editors: [g]}}]"
        );
        let read = |text: &str| {
            crate::building_file::read(
                "b.yaml",
                text,
                &[KnownDriver::any("virtual")],
                crate::model::rules::ForeignRules::NONE,
                &BTreeMap::new(),
            )
        };
        let building = read(&file).unwrap();

        let written = write(&building);

        assert_eq!(read(&written).unwrap(), building, "{written}");
    }

    #[test]
    fn every_field_of_every_collection_is_written_and_read() {
        let building = Building {
            zones: vec![sample()],
            systems: vec![sample()],
            modules: vec![sample()],
            users: vec![sample()],
            api_keys: vec![sample()],
            metadata: vec![sample()],
            entities: vec![EntityOverride {
                domain: None,
                device_class: Some("temperature".to_owned()),
                ..sample()
            }],
            commands: vec![
                CustomCommand {
                    result: None,
                    subscribe: None,
                    ..sample()
                },
                CustomCommand {
                    command: CommandType::new("another/command").unwrap(),
                    call: None,
                    subscribe: None,
                    args: None,
                    errors: CommandErrors::default(),
                    ..sample()
                },
            ],
            apps: vec![sample()],
            services: vec![sample()],
            procedures: vec![sample()],
            // One has a procedure or a function.
            hooks: vec![
                Hook {
                    call: None,
                    ..sample()
                },
                Hook {
                    name: HookName::new("another").unwrap(),
                    run: None,
                    ..sample()
                },
            ],
            triggers: vec![sample()],
        };

        let written = write(&building);

        let root = crate::building_file::node::Node::read(&written).unwrap();
        let parsed = crate::building_file::parse::parse(&root, &BTreeMap::new());
        assert_eq!(parsed.problems, [], "{written}");
        assert_eq!(parsed.building, building, "{written}");
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;
        use crate::model::{
            JsonText, KEY_HASH_PREFIX, ModuleIndex, ModuleName, ModulePath, Procedure, ServiceKey,
            StatusName, StatusPath, Steps, SystemId, Trigger, Values,
        };

        /// Texts that YAML could take for something else, or lose a part of.
        fn text() -> impl Strategy<Value = String> {
            prop_oneof![
                4 => any::<String>(),
                4 => "[ \\n\\t:#'\"\\\\{}\\[\\],&*!|>%@`$?~=<.0-9a-e_-]{0,24}",
                2 => prop::sample::select(vec![
                    "", "~", "null", "true", "yes", "On", "0123", "1e3", "0x1F", ".inf", "1_000", "<<", "=",
                    "---", "...", "- a", "? a", "a: b", "a #b", "#a", " a", "a ", "\n", "a\n", "\n\na\n\n", "\ta\n b",
                    "${ENV:HOME}", "$${ENV:HOME}", "$$${", "${", "\u{85}", "\u{2028}x", "\u{feff}", "\u{0}", "\u{7f}",
                    "\u{fffe}", "\u{ffff}", "\r\n", "a\rb", "2001-01-01", "12:30:45", "!!str x", "&a", "*a",
                ]).prop_map(str::to_owned),
                1 => "[a-z ]{90,200}",
                1 => "[a-z \\n]{90,200} *",
            ]
        }

        /// Text as ids are made of it.
        fn id() -> impl Strategy<Value = String> {
            text().prop_map(|text| {
                let plain: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
                format!("{plain}-")
            })
        }

        /// JSON texts with spaces, escapes, long numbers and names that are there twice.
        fn json() -> impl Strategy<Value = String> {
            let scalar = prop_oneof![
                text().prop_map(|text| Value::from(text).to_string()),
                any::<f64>().prop_filter_map("finite", |number| {
                    serde_json::Number::from_f64(number).map(|number| number.to_string())
                }),
                any::<i64>().prop_map(|number| number.to_string()),
                any::<u64>().prop_map(|number| number.to_string()),
                prop::sample::select(vec![
                    "null",
                    "true",
                    "1e400",
                    "-0",
                    "-0.0",
                    "1E+2",
                    "590295810358705651712",
                    "0.1234567890123456789012345",
                    "\"\\ud800\"",
                    "\"\\u0041\"",
                    "[ ]",
                    "{ }",
                    "1.0",
                    "1e21",
                ])
                .prop_map(str::to_owned),
            ];
            scalar.prop_recursive(4, 24, 4, |inside| {
                let space = prop::sample::select(vec!["", "", "", " ", "\n"]);
                prop_oneof![
                    (prop::collection::vec(inside.clone(), 0..4), space.clone())
                        .prop_map(|(items, space)| format!("[{space}{}]", items.join(","))),
                    (prop::collection::vec((text(), inside), 0..4), space).prop_map(
                        |(members, space)| {
                            let members: Vec<String> = members
                                .into_iter()
                                .map(|(name, value)| {
                                    format!("{}:{space}{value}", Value::from(name))
                                })
                                .collect();
                            format!("{{{}}}", members.join(","))
                        }
                    ),
                ]
            })
        }

        /// What the fields of a building are made of.
        #[derive(Debug)]
        struct Made {
            texts: std::vec::IntoIter<String>,
            ids: [String; 6],
            settings: String,
            details: String,
            number: u32,
            is: bool,
        }

        impl Made {
            fn text(&mut self) -> Content<'static> {
                Content::Text(self.texts.next().unwrap_or_default().into())
            }

            fn id(&self, thing: Thing) -> String {
                let [zone, system, module, user, _, key] = &self.ids;
                match thing {
                    Thing::Zone | Thing::Parent => zone.clone(),
                    Thing::System => system.clone(),
                    Thing::Module => module.clone(),
                    Thing::User => user.clone(),
                    Thing::ApiKey => key.replace('.', "-"),
                    Thing::Driver
                    | Thing::Email
                    | Thing::Metadata
                    | Thing::Entity
                    | Thing::Command
                    | Thing::App
                    | Thing::AppKey
                    | Thing::Service
                    | Thing::Procedure
                    | Thing::Hook
                    | Thing::Trigger => "virtual".to_owned(),
                }
            }

            fn content(&mut self, kind: Kind) -> Content<'static> {
                match kind {
                    Kind::Text | Kind::Address | Kind::Email => self.text(),
                    Kind::Texts => {
                        let texts = self.texts.by_ref().take(2);
                        Content::Texts(texts.map(Into::into).collect())
                    }
                    Kind::Flag => Content::Flag(self.is),
                    Kind::Count(_) => Content::Number(self.number.into()),
                    Kind::Moment => Content::Number(1_801_332_000),
                    Kind::TimeZone => Content::Text("Europe/London".into()),
                    Kind::Word(words) => Content::Text(words[1].into()),
                    Kind::Scopes if self.is => Content::Texts(Vec::new()),
                    Kind::Scopes => Content::Texts(vec!["systems.read".into()]),
                    Kind::ModuleName | Kind::MetadataName => {
                        Content::Text(self.ids[4].clone().into())
                    }
                    Kind::Id(Thing::Entity) | Kind::StatusPath => {
                        Content::Text(self.status().as_str().to_owned().into())
                    }
                    Kind::Id(Thing::Command) => {
                        Content::Text(format!("own/{}", self.ids[4]).into())
                    }
                    Kind::Json(JsonKind::Number) => Content::Json(self.number.to_string().into()),
                    Kind::Id(thing) | Kind::Reference(thing) => {
                        Content::Text(self.id(thing).into())
                    }
                    Kind::References(thing) => Content::Texts(vec![self.id(thing).into()]),
                    Kind::Json(JsonKind::Any) => Content::Json(self.details.clone().into()),
                    Kind::Json(JsonKind::Object) if self.settings.starts_with('{') => {
                        Content::Json(self.settings.clone().into())
                    }
                    Kind::Json(JsonKind::Object) => {
                        Content::Json(format!("{{\"a\":{}}}", self.settings).into())
                    }
                    Kind::Json(JsonKind::List) => {
                        Content::Json(format!("[{}]", self.settings).into())
                    }
                    Kind::KeySecret => {
                        Content::Hash(Secret::new(format!("{KEY_HASH_PREFIX}{}", self.ids[0])))
                    }
                    Kind::Password => {
                        let salt = self.texts.next().unwrap_or_default();
                        Content::Hash(Secret::new(format!("$argon2{salt}")))
                    }
                }
            }

            /// A status of the module, which stands in the system under its name.
            fn status(&self) -> StatusPath {
                let [_, system, module, _, status, _] = &self.ids;
                let name = match self.is {
                    true => status,
                    false => module,
                };
                let module = ModulePath {
                    system: SystemId::new(system).unwrap(),
                    module: ModuleName::new(name).unwrap(),
                    index: ModuleIndex::FIRST,
                };
                StatusPath::new(module, StatusName::new(status).unwrap())
            }

            /// An entity with whatever fits every domain.
            fn entity(&mut self) -> EntityOverride {
                let options = self.texts.by_ref().take(1).map(Into::into).collect();
                let values = Values::none()
                    .with(
                        "status",
                        Content::Text(self.status().as_str().to_owned().into()),
                    )
                    .with("name", self.text())
                    .with("unit", self.text())
                    .with("min", self.content(Kind::Json(JsonKind::Number)))
                    .with("options", Content::Texts(options));
                EntityOverride::build(values).unwrap()
            }

            /// A command that answers with any JSON.
            fn command(&mut self) -> CustomCommand {
                let command = format!("own/{}", self.ids[4]);
                let answering = |result: String| {
                    let values = Values::none()
                        .with("type", Content::Text(command.clone().into()))
                        .with("result", Content::Json(result.into()));
                    CustomCommand::build(values).unwrap()
                };
                let made = answering(self.details.clone());
                // REST takes no text that is no expression either.
                match mistaken_texts(&made).is_empty() {
                    true => made,
                    false => answering("0".to_owned()),
                }
            }

            /// An app with whatever its keys and webhooks may say.
            fn app(&mut self) -> ChannelApp {
                let [_, _, _, user, ..] = &self.ids;
                let user = Content::Text(user.clone().into());
                let mut text = || self.texts.next().unwrap_or_default();
                let keys = json!([{"key": "a-1", "secret": format!("s{}", text())}]);
                let webhooks = json!([{"url": "http://h/${x}", "prefix": text()}]);
                let values = Values::none()
                    .with("id", Content::Text(self.number.to_string().into()))
                    .with("keys", Content::Json(keys.to_string().into()))
                    .with("webhooks", Content::Json(webhooks.to_string().into()))
                    .with("user", user)
                    .with("raw", Content::Flag(self.is));
                ChannelApp::build(values).unwrap()
            }

            /// A service with whatever its name and icon may say.
            fn service(&mut self) -> Service {
                let secret = format!("{:032}", self.number);
                let key = ServiceKey::of_secret(&secret).unwrap();
                let name = format!("N{}", self.texts.next().unwrap_or_default());
                let values = Values::none()
                    .with("public", Content::Text(key.to_string().into()))
                    .with("name", Content::Text(name.into()))
                    .with("icon", self.text())
                    .with("systems", self.content(Kind::References(Thing::System)));
                Service::build(values).unwrap()
            }

            /// A step that says a text, or any JSON where that is no mistaken expression.
            fn steps(&mut self) -> String {
                let text = self.texts.next().unwrap_or_default();
                let made = format!(
                    "[{{\"publish\":{},\"data\":{{\"a\":{}}}}}]",
                    json!(format!("a{text}")),
                    self.details
                );
                let steps = Steps::read(&JsonText::parse(&made).unwrap()).unwrap();
                match mistaken_expressions(&steps.evaluated("steps")).is_empty() {
                    true => made,
                    false => "[]".to_owned(),
                }
            }

            fn procedure(&mut self) -> Procedure {
                let values = Values::none()
                    .with("id", Content::Text(self.ids[0].clone().into()))
                    .with("steps", Content::Json(self.steps().into()));
                Procedure::build(values).unwrap()
            }

            /// A hook that runs the procedure, with whatever its headers and its answer may say.
            fn hook(&mut self) -> Hook {
                let header = format!("a{}", self.texts.next().unwrap_or_default());
                let answer = format!("{{\"status\":201,\"body\":{}}}", self.details);
                let values = Values::none()
                    .with("name", Content::Text("a-hook".into()))
                    .with(
                        "header",
                        Content::Json(json!({"X-A": header}).to_string().into()),
                    )
                    .with("run", Content::Text(self.ids[0].clone().into()))
                    .with("respond", Content::Json(answer.into()));
                Hook::build(values).unwrap()
            }

            /// A trigger that follows a status, and has a key for whoever calls it.
            fn trigger(&mut self) -> Trigger {
                let secret = format!("a{}", self.texts.next().unwrap_or_default());
                let when = json!([
                    {"status": self.status().as_str(), "is": "!=", "than": self.number},
                    {"webhook": true, "secret": secret},
                ]);
                let values = Values::none()
                    .with("id", Content::Text(self.ids[1].clone().into()))
                    .with("name", self.text())
                    .with("system", Content::Text(self.ids[1].clone().into()))
                    .with("when", Content::Json(when.to_string().into()))
                    .with("then", Content::Json(self.steps().into()));
                Trigger::build(values).unwrap()
            }

            /// What is said of the statuses of a module.
            fn statuses(&self) -> Content<'static> {
                Content::Json(json!({"public": [self.ids[4]]}).to_string().into())
            }

            /// To whom a setting is shown, whatever it is called.
            fn levels(&mut self) -> Content<'static> {
                let name = self.texts.next().unwrap_or_default();
                let mut levels = serde_json::Map::new();
                levels.insert(name, json!(self.number % 4));
                Content::Json(serde_json::Value::Object(levels).to_string().into())
            }

            fn entry<C: Collection>(&mut self) -> Vec<C> {
                let mut values = Values::none();
                for field in C::FIELDS {
                    let is_ring = field.name == "parent_id";
                    if !is_ring && (self.is || !field.optional) {
                        let content = match field.name {
                            "statuses" => self.statuses(),
                            "settings_levels" => self.levels(),
                            _ => self.content(field.kind),
                        };
                        values.put(field.name, content);
                    }
                }
                vec![C::build(values).unwrap()]
            }
        }

        fn building() -> impl Strategy<Value = Building> {
            let texts = prop::collection::vec(text(), 80);
            let ids = [id(), id(), id(), id(), id(), id()];
            let all = (texts, ids, json(), json(), any::<u32>(), any::<bool>());
            all.prop_map(|(texts, ids, settings, details, number, is)| {
                let texts = texts.into_iter();
                let mut made = Made {
                    texts,
                    ids,
                    settings,
                    details,
                    number,
                    is,
                };
                Building {
                    zones: made.entry(),
                    systems: made.entry(),
                    modules: made.entry(),
                    users: made.entry(),
                    api_keys: made.entry(),
                    metadata: made.entry(),
                    entities: vec![made.entity()],
                    commands: vec![made.command()],
                    apps: vec![made.app()],
                    services: vec![made.service()],
                    procedures: vec![made.procedure()],
                    hooks: vec![made.hook()],
                    triggers: vec![made.trigger()],
                }
            })
        }

        proptest! {
            // Each case reads a whole building twice, and finding a smaller one takes longest.
            #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(8)))]

            #[test]
            fn what_is_written_is_read_as_the_same_building(building in building()) {
                let written = write(&building);
                let read = crate::building_file::read("b.yaml", &written, &[KnownDriver::any("virtual")], crate::model::rules::ForeignRules::NONE, &BTreeMap::new());
                match read {
                    Ok(read) => prop_assert_eq!(&read, &building, "{}", written),
                    Err(problems) => prop_assert!(false, "{}\n{}", problems, written),
                }
                // The masked form is YAML too.
                prop_assert!(super::super::super::node::Node::read(&masked(&building)).is_ok());
            }
        }
    }
}
