//! Texts and JSON that an installer writes with places for values: `for {{ minutes }} min`.
//!
//! They are the bodies, payloads and paths of commands that only the building file knows.
//! A place is `{{ name }}` and nothing more: there are no expressions, and no way to send `{{` itself.
//!
//! A text that is one whole `{{ name }}` becomes the value as it came, a number with all its digits; text around it makes text.
//! That is why JSON is kept as text here too, and not as a tree of values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use driver_types::JsonText;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

use crate::{Error, reading};

/// The response code of a call whose values do not fit, as for other arguments.
const BAD_VALUES: u16 = 400;

/// How deep JSON with places may be nested, as deep as settings are read; it is walked by recursion.
const DEPTH_MAX: usize = 128;

/// A text with places for values, such as `/zones/{{ zone }}/stop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The value of this name.
    Value(String),
}

impl TextTemplate {
    /// Finds the places. A `{{` without its `}}`, or without a name of letters, digits and `_` behind it, is an error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once("{{") {
            let unclosed = || Error::new("expected `}}` behind `{{` and a name");
            let (name, after) = inside.split_once("}}").ok_or_else(unclosed)?;
            let name = name.trim_matches(' ');
            if !is_name(name) {
                return Err(Error::new(
                    "expected a name of letters, digits and `_` between `{{` and `}}`",
                ));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Value(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let text = text.to_owned();
        Ok(Self { text, parts })
    }

    /// The text as the installer wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the values that it takes.
    pub fn names(&self) -> BTreeSet<&str> {
        let names = self.parts.iter().filter_map(|part| match part {
            Part::Value(name) => Some(name.as_str()),
            Part::Text(_) => None,
        });
        names.collect()
    }

    /// Refuses a template that takes a value of another name than these: settings with a fixed list of values check it when they are read.
    pub fn check_names(&self, known: &[&str]) -> Result<(), Error> {
        check_names(&self.names(), known)
    }

    /// The text with the values in their places. A missing value, or one that is no text, number or boolean, is an error that names it.
    pub fn fill(&self, values: &TemplateValues) -> Result<String, Error> {
        self.fill_escaped(values, str::to_owned)
    }

    /// [`fill`](Self::fill) for texts where some characters have a meaning: each value goes through `escape` first.
    pub fn fill_escaped(
        &self,
        values: &TemplateValues,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, Error> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value(name) => filled.push_str(&escape(&values.text_of(name)?)),
            }
        }
        Ok(filled)
    }

    /// The name of the value that is the whole text.
    fn whole(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Value(name)] => Some(name),
            _ => None,
        }
    }
}

/// JSON in whose texts are places for values, such as `{minutes: "{{ minutes }}", note: "for {{ minutes }} min"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonTemplate(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// JSON without a place.
    Fixed(JsonText),
    Text(TextTemplate),
    Array(Vec<Node>),
    /// Names and values in the order in which they were written.
    Object(Vec<(String, Node)>),
}

impl JsonTemplate {
    /// Finds the places. The error says in which text one is wrong; a key has no places.
    pub fn parse(json: &JsonText) -> Result<Self, Error> {
        Node::parse(json, DEPTH_MAX).map(Self)
    }

    /// The names of the values that it takes.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.0.add_names(&mut names);
        names
    }

    /// Refuses a template that takes a value of another name than these: settings with a fixed list of values check it when they are read.
    pub fn check_names(&self, known: &[&str]) -> Result<(), Error> {
        check_names(&self.names(), known)
    }

    /// The JSON with the values in their places. A missing value, or one that does not fit into the text around it, is an error that names it.
    pub fn fill(&self, values: &TemplateValues) -> Result<JsonText, Error> {
        let mut filled = String::new();
        self.0.write(values, &mut filled)?;
        Ok(JsonText::parse(&filled)?)
    }
}

impl Node {
    fn parse(json: &JsonText, depth: usize) -> Result<Self, Error> {
        let Some(below) = depth.checked_sub(1) else {
            return Err(Error::new("nested too deep"));
        };
        let node = match json.as_str().as_bytes().first() {
            Some(b'"') => Self::Text(TextTemplate::parse(&json.to::<String>()?)?),
            Some(b'[') => {
                let items: Vec<JsonText> = json.to()?;
                let nodes = items.iter().map(|item| Self::parse(item, below));
                Self::Array(nodes.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let members: IndexMap<String, JsonText> = json.to()?;
                let nodes = members.into_iter().map(|(name, member)| {
                    if name.contains("{{") {
                        return Err(Error::new("a key with `{{` in it, where no value goes"));
                    }
                    let place = || format!("'{}'", reading::short(&name));
                    let node = Self::parse(&member, below);
                    let node = node.map_err(|error| error.prefixed(&place()))?;
                    Ok((name, node))
                });
                Self::Object(nodes.collect::<Result<_, _>>()?)
            }
            _ => return Ok(Self::Fixed(json.clone())),
        };
        // What is fixed stays byte for byte.
        match node.takes_values() {
            true => Ok(node),
            false => Ok(Self::Fixed(json.clone())),
        }
    }

    fn takes_values(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Text(text) => !text.names().is_empty(),
            Self::Array(nodes) => nodes.iter().any(Self::takes_values),
            Self::Object(members) => members.iter().any(|(_, node)| node.takes_values()),
        }
    }

    fn add_names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(text) => names.extend(text.names()),
            Self::Array(nodes) => nodes.iter().for_each(|node| node.add_names(names)),
            Self::Object(members) => {
                for (_, node) in members {
                    node.add_names(names);
                }
            }
        }
    }

    fn write(&self, values: &TemplateValues, json: &mut String) -> Result<(), Error> {
        match self {
            Self::Fixed(fixed) => json.push_str(fixed.as_str()),
            Self::Text(text) => match text.whole() {
                Some(name) => json.push_str(values.get(name)?.as_str()),
                None => json.push_str(JsonText::of(&text.fill(values)?)?.as_str()),
            },
            Self::Array(nodes) => {
                json.push('[');
                for (index, node) in nodes.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    node.write(values, json)?;
                }
                json.push(']');
            }
            Self::Object(members) => {
                json.push('{');
                for (index, (name, node)) in members.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    json.push_str(JsonText::of(name)?.as_str());
                    json.push(':');
                    node.write(values, json)?;
                }
                json.push('}');
            }
        }
        Ok(())
    }
}

/// The values for the places of a template, by name: what a caller gives, an object of any JSON.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TemplateValues(BTreeMap<String, JsonText>);

impl TemplateValues {
    /// One value of this name.
    pub fn one(name: &str, value: JsonText) -> Self {
        Self(BTreeMap::from([(name.to_owned(), value)]))
    }

    /// Refuses values that no place takes: who misspells a name learns it.
    pub fn check_known(&self, names: &BTreeSet<&str>) -> Result<(), Error> {
        let unknown = self.0.keys().find(|name| !names.contains(name.as_str()));
        let Some(unknown) = unknown else {
            return Ok(());
        };
        let unknown = reading::short(unknown);
        Err(bad(match listed(names) {
            None => format!("there is no value '{unknown}' here: no values are taken"),
            Some(known) => format!("there is no value '{unknown}' here; expected {known}"),
        }))
    }

    fn get(&self, name: &str) -> Result<&JsonText, Error> {
        let missing = || bad(format!("the value '{name}' is missing"));
        self.0.get(name).ok_or_else(missing)
    }

    /// A value as a part of a text: the text itself, or a number or boolean as JSON writes it.
    fn text_of(&self, name: &str) -> Result<Cow<'_, str>, Error> {
        let value = self.get(name)?;
        let kind = match value.as_str().as_bytes().first() {
            Some(b'"') => match value.to::<String>() {
                Ok(text) => return Ok(text.into()),
                Err(_) => "a text with half of a character in it",
            },
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            _ if value.is_null() => "null",
            _ => return Ok(value.as_str().into()),
        };
        Err(bad(format!(
            "the value '{name}' is {kind}, where a string, a number or a boolean belongs"
        )))
    }
}

fn check_names(taken: &BTreeSet<&str>, known: &[&str]) -> Result<(), Error> {
    let Some(unknown) = taken.iter().find(|name| !known.contains(name)) else {
        return Ok(());
    };
    let unknown = reading::short(unknown);
    let known = known.iter().copied().collect();
    Err(Error::new(match listed(&known) {
        None => format!("`{{{{ {unknown} }}}}` is not known, since no value is given here"),
        Some(known) => format!("`{{{{ {unknown} }}}}` is not known; expected {known}"),
    }))
}

/// `'a', 'b'`; `None` without a name.
fn listed(names: &BTreeSet<&str>) -> Option<String> {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn is_name(text: &str) -> bool {
    let is_inside = |it: char| it.is_ascii_alphanumeric() || it == '_';
    text.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_')
        && text.chars().all(is_inside)
}

fn bad(message: String) -> Error {
    Error::new(message).with_code(BAD_VALUES)
}

impl<'de> Deserialize<'de> for TextTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// From `serde_json` alone, as [`JsonText`].
impl<'de> Deserialize<'de> for JsonTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = JsonText::deserialize(deserializer)?;
        Self::parse(&json).map_err(D::Error::custom)
    }
}

/// From `serde_json` alone, as [`JsonText`].
impl<'de> Deserialize<'de> for TemplateValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self)
    }
}

impl Serialize for TemplateValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for TextTemplate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "string".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

impl JsonSchema for JsonTemplate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

impl JsonSchema for TemplateValues {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Map_of_Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object"})
    }
}

impl fmt::Debug for TemplateValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value may be a password.
        f.debug_set().entries(self.0.keys()).finish()
    }
}
