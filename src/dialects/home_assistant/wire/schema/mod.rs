//! What may stand in a command: a table per command, and what is wrong with a command, in Home Assistant's words.
//!
//! Each problem is a line; the lines are sorted, so that the same mistake has the same text however the fields are ordered.
//! A schema only judges. What a field means, and what it is when it is absent, is the command's to say.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::wire::object::{Object, items, text};
use crate::dialects::home_assistant::wire::repr;

/// A field of a command, or of an object in it.
#[derive(Debug, Clone)]
pub(in crate::dialects::home_assistant) struct Field {
    name: Cow<'static, str>,
    need: Need,
    kind: Kind,
}

/// Whether a field may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
    /// `null` is as good as absent.
    OptionalOrNull,
}

/// What a field may be.
#[derive(Debug, Clone)]
pub(in crate::dialects::home_assistant) enum Kind {
    /// Any value.
    Any,
    /// A text.
    Str,
    /// A whole number.
    Int,
    /// A whole number from 0 on, or what can be read as one.
    Count,
    /// `true` or `false`.
    Bool,
    /// An object.
    Dict,
    /// An object whose values are all whole numbers.
    Ints,
    /// A text, or a list of texts.
    Texts,
    /// The id of an entity, a list of them, or several with commas between.
    EntityIds,
    /// An object with these fields.
    Fields(Cow<'static, [Field]>),
}

impl Field {
    /// A field that must be there.
    pub(in crate::dialects::home_assistant) const fn required(
        name: &'static str,
        kind: Kind,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            need: Need::Required,
            kind,
        }
    }

    /// A field that may be absent.
    pub(in crate::dialects::home_assistant) const fn optional(
        name: &'static str,
        kind: Kind,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            need: Need::Optional,
            kind,
        }
    }

    /// A field that may be absent, or `null`, which means the same.
    pub(in crate::dialects::home_assistant) const fn optional_or_null(
        name: &'static str,
        kind: Kind,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            need: Need::OptionalOrNull,
            kind,
        }
    }
}

#[cfg(test)]
impl Field {
    /// What it is called.
    pub(in crate::dialects::home_assistant) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it must be there.
    pub(in crate::dialects::home_assistant) fn is_required(&self) -> bool {
        self.need == Need::Required
    }
}

/// What is wrong with a command that has these fields beside its `id` and `type`; `None` when nothing is.
///
/// `whole` is the command as it came.
pub(in crate::dialects::home_assistant) fn problems_of_command(
    fields: &[Field],
    command: &Object<'_>,
    whole: &RawValue,
) -> Option<String> {
    let is_own = |name: &str| matches!(name, "id" | "type");
    if fields.is_empty() {
        let has_more = command.members().any(|(name, _)| !is_own(name));
        return has_more.then(|| {
            let shown = repr::shown(whole.get());
            format!("extra keys not allowed. Got {shown}")
        });
    }
    let mut problems = Problems::default();
    problems.look(fields, command, &Path::root(), is_own);
    problems.in_words()
}

/// What is wrong with an object, without the values in it, which may be secret.
pub(in crate::dialects::home_assistant) fn problems_of_secrets(
    fields: &[Field],
    object: &Object<'_>,
) -> Option<String> {
    let mut problems = Problems {
        values: Values::Hidden,
        ..Problems::default()
    };
    problems.look(fields, object, &Path::root(), |_| false);
    problems.in_words()
}

/// Whether this is an entity's id in lower case.
///
/// It is not too long. A part has letters, digits and underscores, none of these at its ends, and in the domain no two of them together.
pub(in crate::dialects::home_assistant) fn is_entity_id(id: &str) -> bool {
    let is_part = |part: &str| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !part.is_empty()
            && part.bytes().all(known)
            && !part.starts_with('_')
            && !part.ends_with('_')
    };
    let is_short = id.len() <= limits::ENTITY_ID_MAX_BYTES;
    id.split_once('.').is_some_and(|(domain, object)| {
        is_short && is_part(domain) && !domain.contains("__") && is_part(object)
    })
}

/// Whether an error text shows the values.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Values {
    #[default]
    Shown,
    Hidden,
}

/// What is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    lines: Vec<String>,
    values: Values,
}

/// Where a value stands, each step in Python's notation.
pub(super) struct Path(Vec<String>);

impl Path {
    /// The command itself.
    pub(super) fn root() -> Self {
        Self(Vec::new())
    }

    /// A field of the command.
    pub(super) fn of(name: &str) -> Self {
        Self::root().and(repr::quoted(name))
    }

    fn and(&self, step: String) -> Self {
        let steps = self.0.iter().cloned().chain([step]);
        Self(steps.collect())
    }

    fn in_words(&self) -> String {
        format!("data[{}]", self.0.join("]["))
    }
}

impl Problems {
    fn look(
        &mut self,
        fields: &[Field],
        object: &Object<'_>,
        path: &Path,
        passes: impl Fn(&str) -> bool,
    ) {
        for field in fields {
            let path = path.and(repr::quoted(&field.name));
            match (object.get(&field.name), field.need) {
                (None, Need::Required) => {
                    self.add("required key not provided", &path, "null");
                }
                (None, Need::Optional | Need::OptionalOrNull) => {}
                (Some(value), Need::OptionalOrNull) if value.get() == "null" => {}
                (Some(value), _) => self.look_at(&field.kind, value, &path),
            }
        }
        self.refuse_others(object, path, |name| {
            passes(name) || fields.iter().any(|field| field.name == name)
        });
    }

    /// Whatever has another name than those that are known is a problem.
    pub(super) fn refuse_others(
        &mut self,
        object: &Object<'_>,
        path: &Path,
        is_known: impl Fn(&str) -> bool,
    ) {
        for (name, value) in object.members() {
            if self.lines.len() == limits::PROBLEMS_MAX {
                return;
            }
            if !is_known(name) {
                let path = path.and(repr::quoted(name));
                self.add("extra keys not allowed", &path, value.get());
            }
        }
    }

    fn look_at(&mut self, kind: &Kind, value: &RawValue, path: &Path) {
        let json = value.get();
        match kind {
            Kind::Any => {}
            Kind::Str => self.expect(text(value).is_some(), "str", json, path),
            Kind::Int => self.expect(is_whole(json), "int", json, path),
            Kind::Bool => self.expect(matches!(json, "true" | "false"), "bool", json, path),
            Kind::Dict => self.expect(json.starts_with('{'), "dict", json, path),
            Kind::Count => match count(value) {
                Some(number) if number < 0.0 => {
                    self.add_value("value must be at least 0", path, json);
                }
                number => self.expect(number.is_some(), "int", json, path),
            },
            Kind::Ints => match Object::read(value) {
                Some(object) => {
                    for (name, value) in object.members() {
                        let path = path.and(repr::quoted(name));
                        self.look_at(&Kind::Int, value, &path);
                    }
                }
                None => self.add_value("expected a dictionary", path, json),
            },
            Kind::Fields(fields) => match Object::read(value) {
                Some(object) => self.look(fields, &object, path, |_| false),
                None => self.add_value("expected a dictionary", path, json),
            },
            Kind::Texts => match items(value) {
                Some(items) => {
                    for (number, item) in items.into_iter().enumerate() {
                        if text(item).is_none() {
                            self.add("expected str", &path.and(number.to_string()), item.get());
                        }
                    }
                }
                None => self.expect(text(value).is_some(), "str", json, path),
            },
            Kind::EntityIds => self.look_at_entity_ids(value, path),
        }
    }

    fn look_at_entity_ids(&mut self, value: &RawValue, path: &Path) {
        let given = items(value).unwrap_or_else(|| vec![value]);
        for item in given {
            let Some(ids) = text(item) else {
                self.add_value("expected str", path, value.get());
                return;
            };
            let ids = ids.split(',').map(|id| id.trim().to_lowercase());
            if let Some(wrong) = ids.into_iter().find(|id| !is_entity_id(id)) {
                let wrong = format!("Entity ID {wrong} is an invalid entity ID");
                self.add_value(&wrong, path, value.get());
                return;
            }
        }
    }

    fn expect(&mut self, is_so: bool, kind: &str, json: &str, path: &Path) {
        if !is_so {
            self.add_value(&format!("expected {kind}"), path, json);
        }
    }

    /// The value of a field is not what it has to be.
    pub(super) fn add_value(&mut self, wrong: &str, path: &Path, json: &str) {
        self.add(&format!("{wrong} for dictionary value"), path, json);
    }

    pub(super) fn add(&mut self, wrong: &str, path: &Path, json: &str) {
        if self.lines.len() == limits::PROBLEMS_MAX {
            return;
        }
        let path = path.in_words();
        self.lines.push(match self.values {
            Values::Shown => format!("{wrong} @ {path}. Got {}", repr::shown(json)),
            Values::Hidden => format!("{wrong} @ {path}"),
        });
    }

    pub(super) fn in_words(mut self) -> Option<String> {
        self.lines.sort_unstable();
        (!self.lines.is_empty()).then(|| self.lines.join("\n"))
    }
}

fn is_whole(json: &str) -> bool {
    let digits = json.strip_prefix('-').unwrap_or(json);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What Python's `int` makes of a value, as far as its sign goes.
fn count(value: &RawValue) -> Option<f64> {
    match value.get() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        json if json.starts_with('"') => {
            let text = text(value)?;
            let text = text.trim();
            is_whole(text.strip_prefix('+').unwrap_or(text))
                .then(|| text.parse().ok())
                .flatten()
        }
        json => json.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
