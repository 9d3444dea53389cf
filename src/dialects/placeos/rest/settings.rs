//! The shape of settings: one document for each level at which a zone, system or module has some, and what it says to whom.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::Unreadable;
use crate::model::{Clearance, EntryInfo, JsonText, LeveledSettings, Secret, SettingsLevel};

/// How the ids of the documents begin. The id of the parent follows, with a level in front of it if that is not [`SettingsLevel::Never`].
const PREFIX: &str = "sets-";

/// The settings of one zone, system or module at one level: `GET /settings`, `GET /modules/{id}/settings`, `GET /systems/{id}/settings`.
///
/// They may hold passwords, so a client gets the text of those alone that somebody has put at a level of theirs; of the others it gets the names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub struct SettingsShape<'a> {
    id: String,
    parent_id: &'a str,
    encryption_level: u8,
    settings_string: String,
    keys: Vec<String>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> SettingsShape<'a> {
    /// The documents of the entry of this id, one for each level at which it has any settings.
    pub fn of(
        parent: &'a str,
        (settings, levels): (&Secret, &JsonText),
        info: &EntryInfo,
        who: Clearance,
    ) -> Vec<Self> {
        let settings = LeveledSettings::of(settings, levels).unwrap_or_default();
        let documents = SettingsLevel::ALL.into_iter().rev().filter_map(|level| {
            let names = settings.at(level).map(|(name, _)| name.to_owned());
            let mut keys: Vec<String> = names.collect();
            keys.sort_unstable();
            (!keys.is_empty()).then(|| Self {
                id: settings_id(level, parent),
                parent_id: parent,
                encryption_level: level.number(),
                settings_string: text(&settings, level, who),
                keys,
                created_at: info.created_at,
                updated_at: info.updated_at,
            })
        });
        documents.collect()
    }

    /// Whether this is its id.
    pub fn is(&self, id: &str) -> bool {
        self.id == id
    }

    /// Whether it is that of this level.
    pub fn is_at(&self, level: SettingsLevel) -> bool {
        self.encryption_level == level.number()
    }
}

fn settings_id(level: SettingsLevel, parent: &str) -> String {
    match level {
        SettingsLevel::Never => format!("{PREFIX}{parent}"),
        SettingsLevel::Open | SettingsLevel::Support | SettingsLevel::Admin => {
            format!("{PREFIX}{}-{parent}", level.number())
        }
    }
}

/// Whose settings an id can name and at which level, the likelier first: the id of a parent may itself look as if it had a level.
pub fn settings_named(id: &str) -> Vec<(SettingsLevel, &str)> {
    let Some(rest) = id.strip_prefix(PREFIX) else {
        return Vec::new();
    };
    let leveled = SettingsLevel::ALL.into_iter().filter_map(|level| {
        let number = level.number().to_string();
        let parent = rest.strip_prefix(number.as_str())?.strip_prefix('-')?;
        (level != SettingsLevel::Never).then_some((level, parent))
    });
    leveled.chain([(SettingsLevel::Never, rest)]).collect()
}

/// What a caller is shown of a level: a line of YAML for each setting.
fn text(settings: &LeveledSettings, level: SettingsLevel, who: Clearance) -> String {
    let needed = match level {
        SettingsLevel::Open | SettingsLevel::Support => Clearance::Support,
        SettingsLevel::Admin => Clearance::Admin,
        SettingsLevel::Never => return String::new(),
    };
    if who < needed {
        return String::new();
    }
    let is_plain = |name: &str| {
        name.starts_with(|sign: char| sign.is_ascii_lowercase())
            && name
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
            && !["true", "false", "null"].contains(&name)
    };
    let line = |(name, value): (&str, &JsonText)| match is_plain(name) {
        true => format!("{name}: {}\n", value.as_str()),
        false => format!("{}: {}\n", Value::from(name), value.as_str()),
    };
    settings.at(level).map(line).collect()
}

/// Settings to be made or changed.
#[derive(Clone, Default, ToSchema)]
#[schema(as = SettingsDocument)]
pub struct SettingsDocument {
    /// The zone, system or module.
    #[schema(rename = "parent_id")]
    pub parent: Option<String>,
    /// PlaceOS's level.
    #[schema(rename = "encryption_level", value_type = Option<u8>)]
    pub level: Option<SettingsLevel>,
    /// A map in YAML, in the place of all that is at the level.
    #[schema(rename = "settings_string")]
    pub text: Option<String>,
}

/// The text may be a password.
impl std::fmt::Debug for SettingsDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingsDocument")
            .field("parent", &self.parent)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// What clients send back that is found out and not kept.
const SENT_BACK: [&str; 7] = [
    "id",
    "keys",
    "parent_type",
    "created_at",
    "updated_at",
    "modified_by_id",
    "version",
];

impl SettingsDocument {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Why it is no document, or every field that cannot be as it is.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let given: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| Unreadable::NotADocument("the body is no JSON object".to_owned()))?;
        let mut document = Self::default();
        let mut wrong = Vec::new();
        for (name, value) in given {
            let reason = match (&*name, value) {
                (_, Value::Null) => continue,
                ("parent_id", Value::String(parent)) => {
                    document.parent = Some(parent);
                    continue;
                }
                ("settings_string", Value::String(text)) => {
                    document.text = Some(text);
                    continue;
                }
                ("encryption_level", value) => {
                    document.level = value.as_u64().and_then(SettingsLevel::of);
                    if document.level.is_some() {
                        continue;
                    }
                    "must be a whole number from 0 to 3"
                }
                ("parent_id" | "settings_string", _) => "must be text",
                (name, _) if SENT_BACK.contains(&name) => continue,
                // Forms have it for all kinds of entries.
                ("name", Value::String(name)) if name.is_empty() => continue,
                (_, _) => "is no field of settings",
            };
            wrong.push(InvalidField::new(name, reason));
        }
        match wrong.is_empty() {
            true => Ok(document),
            false => Err(Unreadable::Fields(wrong)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialects::placeos::testing::{CREATED, INFO, UPDATED};

    fn shapes(settings: &str, levels: &str, who: Clearance) -> Value {
        let (settings, levels) = (Secret::new(settings), JsonText::parse(levels).unwrap());
        let shapes = SettingsShape::of("mod-d1", (&settings, &levels), &INFO, who);
        serde_json::to_value(shapes).unwrap()
    }

    #[test]
    fn settings_are_named_and_not_told() {
        let settings = r#"{"login":{"name":"ann"},"password":"hunter2"}"#;
        assert_eq!(
            shapes(settings, "{}", Clearance::Admin),
            json!([{
                "id": "sets-mod-d1", "parent_id": "mod-d1", "encryption_level": 3, "settings_string": "",
                "keys": ["login", "password"], "created_at": CREATED, "updated_at": UPDATED,
            }])
        );
    }

    #[test]
    fn what_stands_at_a_level_is_told_to_those_of_it() {
        let (settings, levels) = (r#"{"a":1.50,"b c":"x","d":2}"#, r#"{"a":0,"b c":2}"#);
        let said = |who| {
            let shapes = shapes(settings, levels, who);
            let of = |at: usize, field: &str| shapes[at][field].as_str().unwrap().to_owned();
            [0, 1, 2].map(|at| (of(at, "id"), of(at, "settings_string")))
        };
        let [never, admin, open] = said(Clearance::Support);
        assert_eq!((&*never.0, &*never.1), ("sets-mod-d1", ""));
        assert_eq!((&*admin.0, &*admin.1), ("sets-2-mod-d1", ""));
        assert_eq!((&*open.0, &*open.1), ("sets-0-mod-d1", "a: 1.50\n"));
        assert_eq!(said(Clearance::Admin)[1].1, "\"b c\": \"x\"\n");
    }

    #[test]
    fn what_has_no_settings_has_no_document() {
        for settings in ["{}", "null"] {
            assert_eq!(shapes(settings, "{}", Clearance::Admin), json!([]));
        }
    }

    #[test]
    fn an_id_names_a_parent_and_a_level() {
        assert_eq!(
            settings_named("sets-mod-1"),
            [(SettingsLevel::Never, "mod-1")]
        );
        assert_eq!(
            settings_named("sets-1-mod"),
            [
                (SettingsLevel::Support, "mod"),
                (SettingsLevel::Never, "1-mod")
            ]
        );
        assert_eq!(settings_named("mod-1"), []);
    }
}
