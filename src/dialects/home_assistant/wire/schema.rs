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
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// An object.
    Dict,
    /// An object whose values are all whole numbers.
    Ints,
    /// A list.
    List,
    /// One of these texts.
    OneOf(&'static [&'static str]),
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
/// A part has letters, digits and underscores, none of these at its ends, and in the domain no two of them together.
pub(in crate::dialects::home_assistant) fn is_entity_id(id: &str) -> bool {
    let is_part = |part: &str| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !part.is_empty()
            && part.bytes().all(known)
            && !part.starts_with('_')
            && !part.ends_with('_')
    };
    id.split_once('.').is_some_and(|(domain, object)| {
        is_part(domain) && !domain.contains("__") && is_part(object)
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
            Kind::Number => {
                let is_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                self.expect(is_number, "float", json, path);
            }
            Kind::Bool => self.expect(matches!(json, "true" | "false"), "bool", json, path),
            Kind::Dict => self.expect(json.starts_with('{'), "dict", json, path),
            Kind::List => self.expect(json.starts_with('['), "list", json, path),
            Kind::Count => match count(value) {
                Some(number) if number < 0.0 => {
                    self.add_value("value must be at least 0", path, json);
                }
                number => self.expect(number.is_some(), "int", json, path),
            },
            Kind::OneOf(words) => {
                let is_one = text(value).is_some_and(|text| words.contains(&&*text));
                if !is_one {
                    let words: Vec<String> = words.iter().map(|word| repr::quoted(word)).collect();
                    let wrong = format!("value must be one of [{}]", words.join(", "));
                    self.add_value(&wrong, path, json);
                }
            }
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
mod tests {
    use super::*;

    static INNER: [Field; 1] = [Field::optional("x", Kind::Int)];
    static FIELDS: [Field; 9] = [
        Field::required("period", Kind::Str),
        Field::optional("count", Kind::Count),
        Field::optional("features", Kind::Ints),
        Field::optional("mode", Kind::OneOf(&["a", "b"])),
        Field::optional("entity_ids", Kind::EntityIds),
        Field::optional("words", Kind::Texts),
        Field::optional("inner", Kind::Fields(Cow::Borrowed(&INNER))),
        Field::optional_or_null("data", Kind::Dict),
        Field::optional("on", Kind::Bool),
    ];

    /// What is wrong with a command of these fields; `more` stands behind its id and type.
    fn wrong(fields: &[Field], more: &str) -> Option<String> {
        let command = format!(r#"{{"id":9,"type":"ping"{more}}}"#);
        let whole: &RawValue = serde_json::from_str(&command).unwrap();
        problems_of_command(fields, &Object::read(whole).unwrap(), whole)
    }

    /// The one line about a command that has `period` and this.
    fn line(more: &str) -> String {
        wrong(&FIELDS, &format!(r#","period":"day",{more}"#)).unwrap_or_default()
    }

    #[test]
    fn each_problem_is_in_home_assistants_words() {
        for (more, expected) in [
            (r#""zip":1"#, "extra keys not allowed @ data['zip']. Got 1"),
            (
                r#""features":{"x":"y"}"#,
                "expected int for dictionary value @ data['features']['x']. Got 'y'",
            ),
            (
                r#""mode":"z""#,
                "value must be one of ['a', 'b'] for dictionary value @ data['mode']. Got 'z'",
            ),
            (
                r#""entity_ids":"bad""#,
                "Entity ID bad is an invalid entity ID for dictionary value @ data['entity_ids']. Got 'bad'",
            ),
            (
                r#""words":["a",5]"#,
                "expected str @ data['words'][1]. Got 5",
            ),
            (
                r#""inner":{"x":1.0}"#,
                "expected int for dictionary value @ data['inner']['x']. Got 1.0",
            ),
            (
                r#""inner":[]"#,
                "expected a dictionary for dictionary value @ data['inner']. Got []",
            ),
            (
                r#""count":-1"#,
                "value must be at least 0 for dictionary value @ data['count']. Got -1",
            ),
            (
                r#""count":"x""#,
                "expected int for dictionary value @ data['count']. Got 'x'",
            ),
            (
                r#""on":1"#,
                "expected bool for dictionary value @ data['on']. Got 1",
            ),
            (
                r#""data":[]"#,
                "expected dict for dictionary value @ data['data']. Got []",
            ),
        ] {
            assert_eq!(line(more), expected);
        }
    }

    #[test]
    fn what_may_stand_there_is_no_problem() {
        for more in [
            r#""count":"11""#,
            r#""count":3.7"#,
            r#""data":null"#,
            r#""data":{}"#,
            r#""features":{"any":-1}"#,
            r#""entity_ids":"Switch.A, switch.b_1""#,
            r#""entity_ids":["switch.a"]"#,
            r#""words":"a""#,
        ] {
            assert_eq!(line(more), "", "{more}");
        }
    }

    #[test]
    fn all_problems_are_told_in_the_order_of_their_texts() {
        assert_eq!(
            wrong(&FIELDS, r#","zip":1,"on":"yes""#).unwrap(),
            "expected bool for dictionary value @ data['on']. Got 'yes'\n\
             extra keys not allowed @ data['zip']. Got 1\n\
             required key not provided @ data['period']. Got None"
        );
    }

    #[test]
    fn a_command_without_fields_shows_itself_when_it_has_more() {
        assert_eq!(wrong(&[], ""), None);
        assert_eq!(
            wrong(&[], r#","x":1"#).unwrap(),
            "extra keys not allowed. Got {'id': 9, 'type': 'ping', 'x': 1}"
        );
    }

    #[test]
    fn an_error_text_about_secrets_shows_none_of_them() {
        let whole: &RawValue =
            serde_json::from_str(r#"{"period":["hunter2"],"x":"hunter2"}"#).unwrap();
        let object = Object::read(whole).unwrap();
        assert_eq!(
            problems_of_secrets(&FIELDS, &object).unwrap(),
            "expected str for dictionary value @ data['period']\nextra keys not allowed @ data['x']"
        );
    }

    #[test]
    fn half_a_million_wrong_keys_are_not_all_told() {
        let more: String = (0..200_000).map(|n| format!(r#","{n}":1"#)).collect();
        let lines = wrong(&FIELDS, &more).unwrap().lines().count();
        assert_eq!(lines, limits::PROBLEMS_MAX);
    }

    #[test]
    fn an_entity_id_has_two_parts_of_plain_characters() {
        for good in ["a.b", "switch.board_room_1", "sensor.a__b"] {
            assert!(is_entity_id(good), "{good}");
        }
        for bad in [
            "", "a", "a.", ".b", "a.b.c", "a__b.c", "_a.b", "a.b_", "a.B", "a.é",
        ] {
            assert!(!is_entity_id(bad), "{bad}");
        }
    }
}
