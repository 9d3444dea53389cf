//! What a message of a command may carry: a small part of JSON Schema, read once.
//!
//! Whoever answers the command holds messages to it, and fills in what has a default.
//! A keyword that is not supported is refused, because it would promise a check that nobody makes.

use driver_types::{JsonText, is_same_number, whole_number};

use super::super::decimal::Decimal;
use super::super::fields::{contents, misfit};
use super::super::flaws::{self, Flaw};
use super::super::{Content, JsonKind, Kind, Value};
use crate::model::Shape;

/// The parameters of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandSchema {
    json: JsonText,
    parameters: Vec<CommandParameter>,
}

/// A member that a message may have.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandParameter {
    /// Its name.
    pub name: String,
    /// Whether a message has to have it.
    pub is_required: bool,
    /// What holds where a message does not have it.
    pub default: Option<JsonText>,
    /// What it has to be; anything when absent.
    pub kind: Option<ParameterKind>,
    /// The values that it can have; any when absent.
    pub one_of: Option<Vec<JsonText>>,
    /// The least that it can be.
    pub minimum: Option<Decimal>,
    /// The most that it can be.
    pub maximum: Option<Decimal>,
    /// Whether it has to be the id of an entity.
    pub is_entity_id: bool,
}

/// What a value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// A map.
    Object,
}

/// The words of `type`.
const KINDS: [(&str, ParameterKind); 6] = [
    ("string", ParameterKind::Text),
    ("integer", ParameterKind::Integer),
    ("number", ParameterKind::Number),
    ("boolean", ParameterKind::Boolean),
    ("array", ParameterKind::Array),
    ("object", ParameterKind::Object),
];

const ONE_OF_KINDS: &str = "string, integer, number, boolean, array or object";

/// The keywords of a whole schema.
const KEYWORDS: &[&str] = &["properties", "required", "type"];

/// The keywords of one parameter.
const PARAMETER_KEYWORDS: &[&str] = &["default", "enum", "format", "maximum", "minimum", "type"];

/// The members that every message has.
const BASE: [&str; 2] = ["id", "type"];

impl ParameterKind {
    /// Whether a value is of this kind.
    pub fn fits(self, value: &JsonText) -> bool {
        let shape = Shape::of(value);
        match self {
            Self::Text => shape == Some(Shape::Text),
            Self::Integer => shape == Some(Shape::Number) && whole_number(value.as_str()).is_ok(),
            Self::Number => shape == Some(Shape::Number),
            Self::Boolean => shape == Some(Shape::Boolean),
            Self::Array => shape == Some(Shape::List),
            Self::Object => shape == Some(Shape::Object),
        }
    }

    /// The word of JSON Schema.
    pub fn as_str(self) -> &'static str {
        let found = KINDS.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(word, _)| word)
    }

    fn of(word: &str) -> Option<Self> {
        let found = KINDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, kind)| *kind)
    }
}

impl CommandSchema {
    /// Reads a schema.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut parameters = Vec::new();
        let mut required = Vec::new();
        for (key, value) in flaws::members(json, &[], &mut flaws) {
            match key.as_str() {
                "properties" => {
                    for (name, schema) in flaws::members(&value, &["properties"], &mut flaws) {
                        parameters.push(parameter(name, &schema, &mut flaws));
                    }
                }
                "required" => match value.to::<Vec<String>>() {
                    Ok(names) => required = names,
                    Err(_) => flaws.push(Flaw::expected(&["required"], "a list of names")),
                },
                "type" => {
                    if value.as_str() != "\"object\"" {
                        flaws.push(Flaw::expected(&["type"], "object, or left out"));
                    }
                }
                key => flaws.push(Flaw::unknown(&[key], KEYWORDS)),
            }
        }
        for name in required {
            match parameters.iter_mut().find(|found| found.name == name) {
                Some(parameter) => parameter.is_required = true,
                None => {
                    let reason =
                        "names what is not under `properties`; add it there, with {} at least";
                    flaws.push(Flaw::other(&["required"], reason));
                }
            }
        }
        match flaws.is_empty() {
            true => Ok(Self {
                json: json.clone(),
                parameters,
            }),
            false => Err(flaws),
        }
    }

    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// The schema as it was written.
    pub fn json(&self) -> &JsonText {
        &self.json
    }

    /// The parameters, in their order.
    pub fn parameters(&self) -> &[CommandParameter] {
        &self.parameters
    }

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&CommandParameter> {
        self.parameters.iter().find(|found| found.name == name)
    }
}

/// Reads one parameter, as far as it can be.
fn parameter(name: String, schema: &JsonText, flaws: &mut Vec<Flaw>) -> CommandParameter {
    let mut made = CommandParameter {
        name: name.clone(),
        is_required: false,
        default: None,
        kind: None,
        one_of: None,
        minimum: None,
        maximum: None,
        is_entity_id: false,
    };
    let above = ["properties", name.as_str()];
    if BASE.contains(&name.as_str()) {
        let reason = "is a member that every message has; choose another name";
        flaws.push(Flaw::other(&above, reason));
    }
    for (key, value) in flaws::members(schema, &above, flaws) {
        let steps = ["properties", name.as_str(), key.as_str()];
        match key.as_str() {
            "default" => made.default = Some(value),
            "enum" => match value.to::<Vec<JsonText>>() {
                Ok(values) if !values.is_empty() => made.one_of = Some(values),
                Ok(_) | Err(_) => flaws.push(Flaw::expected(&steps, "a list of values")),
            },
            "format" if value.as_str() == "\"entity_id\"" => made.is_entity_id = true,
            "format" => flaws.push(Flaw::expected(&steps, "entity_id, or left out")),
            "minimum" => made.minimum = limit(&value, &steps, flaws),
            "maximum" => made.maximum = limit(&value, &steps, flaws),
            "type" => {
                let word: Option<String> = value.to().ok();
                made.kind = word.as_deref().and_then(ParameterKind::of);
                if made.kind.is_none() {
                    flaws.push(Flaw::expected(&steps, ONE_OF_KINDS));
                }
            }
            _ => flaws.push(Flaw::unknown(&steps, PARAMETER_KEYWORDS)),
        }
    }
    compare(&made, &above, flaws);
    made
}

/// What the keywords of a parameter do not say together.
fn compare(parameter: &CommandParameter, above: &[&str], flaws: &mut Vec<Flaw>) {
    let mut other = |key, reason: &str| {
        let steps: Vec<&str> = above.iter().copied().chain([key]).collect();
        flaws.push(Flaw::other(&steps, reason));
    };
    let is_number = match parameter.kind {
        None | Some(ParameterKind::Integer | ParameterKind::Number) => true,
        Some(
            ParameterKind::Text
            | ParameterKind::Boolean
            | ParameterKind::Array
            | ParameterKind::Object,
        ) => false,
    };
    for (key, limit) in [
        ("minimum", &parameter.minimum),
        ("maximum", &parameter.maximum),
    ] {
        if limit.is_some() && !is_number {
            other(
                key,
                "is of numbers alone; remove it, or write `type: number`",
            );
        }
    }
    if let (Some(minimum), Some(maximum)) = (&parameter.minimum, &parameter.maximum)
        && minimum.get() > maximum.get()
    {
        other("minimum", "is more than `maximum`; exchange them");
    }
    let is_text = matches!(parameter.kind, None | Some(ParameterKind::Text));
    if parameter.is_entity_id && !is_text {
        other(
            "format",
            "is of texts alone; remove it, or write `type: string`",
        );
    }
    let default = parameter.default.as_ref();
    if default.is_some_and(|default| !parameter.takes(default)) {
        other(
            "default",
            "is no value that the parameter takes; choose one that it does",
        );
    }
}

impl CommandParameter {
    /// Whether it takes a value, as far as kind, choice and limits say.
    fn takes(&self, value: &JsonText) -> bool {
        let is_within = match Decimal::read(value) {
            Ok(number) => {
                let is_low = self
                    .minimum
                    .as_ref()
                    .is_some_and(|least| number.get() < least.get());
                let is_high = self
                    .maximum
                    .as_ref()
                    .is_some_and(|most| number.get() > most.get());
                !is_low && !is_high
            }
            Err(_) => true,
        };
        let is_chosen = |values: &Vec<JsonText>| values.iter().any(|one| is_same(one, value));
        self.kind.is_none_or(|kind| kind.fits(value))
            && self.one_of.as_ref().is_none_or(is_chosen)
            && is_within
    }
}

fn is_same(one: &JsonText, other: &JsonText) -> bool {
    one == other || is_same_number(one.as_str(), other.as_str())
}

fn limit(value: &JsonText, steps: &[&str], flaws: &mut Vec<Flaw>) -> Option<Decimal> {
    let limit = Decimal::read(value);
    limit
        .map_err(|reason| flaws.push(Flaw::other(steps, reason)))
        .ok()
}

contents! {
    CommandSchema: Kind::Json(JsonKind::Object), Json, Value::Json("{}".into()), |it| it.json.as_str().into(), |json| flaws::read(&json, Self::read);
}
