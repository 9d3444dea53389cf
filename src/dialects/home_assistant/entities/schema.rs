//! What a JSON Schema says of a value, as far as an entity's kind depends on it.

use serde_json::Value;

use crate::model::{JsonText, Shape};

/// What the values of a status, or of a parameter, are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number(Bounds),
    /// A text: one of these, or any when there are none.
    Text(Vec<String>),
    /// An array.
    List,
    /// An object.
    Object,
}

/// Which numbers are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bounds {
    /// Only whole ones.
    pub(super) is_whole: bool,
    /// None below.
    pub(super) min: Option<f64>,
    /// None above.
    pub(super) max: Option<f64>,
    /// Multiples of this one.
    pub(super) step: Option<f64>,
}

impl Kind {
    /// The kind of what is known by its first value alone.
    pub(super) fn of_shape(shape: Shape) -> Self {
        match shape {
            Shape::Boolean => Self::Boolean,
            Shape::Number => Self::Number(Bounds::default()),
            Shape::Text => Self::Text(Vec::new()),
            Shape::List => Self::List,
            Shape::Object => Self::Object,
        }
    }

    /// The kind that a schema describes; `None` for one that describes several, or any value.
    pub(super) fn of_schema(schema: &JsonText) -> Option<Self> {
        read(&schema.to().ok()?)
    }

    /// Whether a value of this kind can stand where the other belongs.
    pub(super) fn fits(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The texts that are meant.
    pub(super) fn options(&self) -> &[String] {
        match self {
            Self::Text(options) => options,
            Self::Boolean | Self::Number(_) | Self::List | Self::Object => &[],
        }
    }

    /// The numbers that are meant.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        match self {
            Self::Number(bounds) => Some(*bounds),
            Self::Boolean | Self::Text(_) | Self::List | Self::Object => None,
        }
    }

    /// What is of either kind.
    fn or(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(Self::Number(Bounds {
                is_whole: one.is_whole && other.is_whole,
                min: one.min.zip(other.min).map(|(one, other)| one.min(other)),
                max: one.max.zip(other.max).map(|(one, other)| one.max(other)),
                step: None,
            })),
            (Self::Text(one), Self::Text(other)) => {
                let is_open = one.is_empty() || other.is_empty();
                let all = [one, other].concat();
                Some(Self::Text(if is_open { Vec::new() } else { all }))
            }
            (one, other) => one.fits(&other).then_some(one),
        }
    }
}

fn read(schema: &Value) -> Option<Kind> {
    if let Some(Value::Array(values)) = schema.get("enum") {
        return one_of(values.iter().filter(|value| !value.is_null()).map(of_value));
    }
    if let Some(value) = schema.get("const") {
        return of_value(value);
    }
    if let Some(Value::Array(choices)) = schema.get("anyOf").or(schema.get("oneOf")) {
        let is_null = |choice: &&Value| choice.get("type").is_some_and(|word| word == "null");
        return one_of(choices.iter().filter(|choice| !is_null(choice)).map(read));
    }
    match schema.get("type")? {
        Value::String(word) => of_type(word, schema),
        Value::Array(words) => {
            let words = words.iter().filter_map(Value::as_str);
            one_of(
                words
                    .filter(|word| *word != "null")
                    .map(|word| of_type(word, schema)),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// The one kind that all of them are.
fn one_of(mut kinds: impl Iterator<Item = Option<Kind>>) -> Option<Kind> {
    let first = kinds.next()??;
    kinds.try_fold(first, |all, kind| all.or(kind?))
}

/// The kind whose only value this is.
fn of_value(value: &Value) -> Option<Kind> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(Kind::Boolean),
        Value::Number(number) => {
            let number = number.as_f64();
            Some(Kind::Number(Bounds {
                is_whole: number.is_some_and(|number| number.fract() == 0.0),
                min: number,
                max: number,
                step: None,
            }))
        }
        Value::String(text) => Some(Kind::Text(vec![text.clone()])),
        Value::Array(_) => Some(Kind::List),
        Value::Object(_) => Some(Kind::Object),
    }
}

fn of_type(word: &str, schema: &Value) -> Option<Kind> {
    match word {
        "boolean" => Some(Kind::Boolean),
        "integer" | "number" => Some(Kind::Number(bounds(word, schema))),
        "string" => Some(Kind::Text(Vec::new())),
        "array" => Some(Kind::List),
        "object" => Some(Kind::Object),
        _ => None,
    }
}

fn bounds(word: &str, schema: &Value) -> Bounds {
    let number = |name: &str| schema.get(name).and_then(Value::as_f64);
    // The largest number of a machine's type says nothing of the device.
    let is_of_the_type = |max: &f64| match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => *max >= f64::from(u8::MAX),
        Some("int8") => *max >= f64::from(i8::MAX),
        Some("uint16") => *max >= f64::from(u16::MAX),
        Some("int16") => *max >= f64::from(i16::MAX),
        Some("uint32") => *max >= f64::from(u32::MAX),
        Some(_) | None => *max >= f64::from(i32::MAX),
    };
    Bounds {
        is_whole: word == "integer",
        min: number("minimum").filter(|min| !is_of_the_type(&min.abs())),
        max: number("maximum").filter(|max| !is_of_the_type(max)),
        step: number("multipleOf").filter(|step| *step > 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expect: Option<Kind>) {
        let schema = JsonText::parse(schema).unwrap();
        assert_eq!(Kind::of_schema(&schema), expect, "{schema}");
    }

    fn texts(options: &[&str]) -> Option<Kind> {
        Some(Kind::Text(
            options.iter().map(|text| (*text).to_owned()).collect(),
        ))
    }

    #[test]
    fn a_type_is_a_kind_also_where_null_is_allowed() {
        check(r#"{"type":"boolean"}"#, Some(Kind::Boolean));
        check(r#"{"type":["boolean","null"]}"#, Some(Kind::Boolean));
        check(
            r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#,
            texts(&[]),
        );
        check(r#"{"type":"array","items":{}}"#, Some(Kind::List));
        check(r#"{"type":"object"}"#, Some(Kind::Object));
    }

    #[test]
    fn what_can_be_of_several_kinds_has_none() {
        for schema in [
            "{}",
            "true",
            "null",
            r#"{"type":["boolean","string"]}"#,
            r#"{"anyOf":[{"type":"integer"},{"type":"boolean"}]}"#,
            r#"{"enum":[1,"a"]}"#,
            r#"{"type":"null"}"#,
            r#"{"enum":[]}"#,
        ] {
            check(schema, None);
        }
    }

    #[test]
    fn the_options_of_a_text_are_known() {
        check(r#"{"type":"string","enum":["a","b"]}"#, texts(&["a", "b"]));
        check(r#"{"enum":["a",null]}"#, texts(&["a"]));
        check(
            r#"{"oneOf":[{"const":"a"},{"const":"b"}]}"#,
            texts(&["a", "b"]),
        );
        check(r#"{"anyOf":[{"const":"a"},{"type":"string"}]}"#, texts(&[]));
    }

    #[test]
    fn the_bounds_of_a_number_are_those_of_the_device_and_not_of_a_machine() {
        let number = |is_whole, min, max, step| {
            Some(Kind::Number(Bounds {
                is_whole,
                min,
                max,
                step,
            }))
        };
        check(
            r#"{"type":"integer","format":"uint8","minimum":0,"maximum":255}"#,
            number(true, Some(0.0), None, None),
        );
        check(
            r#"{"type":"integer","format":"uint8","minimum":0,"maximum":100}"#,
            number(true, Some(0.0), Some(100.0), None),
        );
        check(
            r#"{"type":"number","format":"double","minimum":-5,"multipleOf":0.5}"#,
            number(false, Some(-5.0), None, Some(0.5)),
        );
        check(r#"{"type":"number","maximum":1e400}"#, None);
    }
}
