//! A number with a fraction, as people write one: a limit, a step.

use driver_types::{JsonText, is_json_number, is_same_number};

use super::fields::{checked, misfit};
use super::{Content, JsonKind, Kind, Value};

/// A finite number in the text in which it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Decimal {
    json: JsonText,
    value: f64,
}

impl Decimal {
    /// Takes a number that a double has digit for digit.
    ///
    /// # Errors
    ///
    /// Why the JSON is none, to go on behind the name of the field.
    pub fn read(json: &JsonText) -> Result<Self, String> {
        let text = json.as_str();
        if !is_json_number(text) {
            return Err("must be a number".to_owned());
        }
        // One spelling of each number, which YAML gives back as it is.
        let number: Option<serde_json::Number> = json.to().ok();
        let number = number.filter(|number| is_same_number(&number.to_string(), text));
        let value = number.as_ref().and_then(serde_json::Number::as_f64);
        let (Some(number), Some(value)) = (number, value) else {
            return Err("has more digits than are kept; leave some out".to_owned());
        };
        let json = JsonText::of(&number).map_err(|error| error.to_string())?;
        Ok(Self { json, value })
    }

    /// The number as it is written.
    pub fn json(&self) -> &JsonText {
        &self.json
    }

    /// The number to reckon with.
    pub fn get(&self) -> f64 {
        self.value
    }
}

/// As it is written.
impl Content for Decimal {
    const KIND: Kind = Kind::Json(JsonKind::Number);

    fn value(&self) -> Value<'_> {
        Value::Json(self.json().as_str().into())
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        let Value::Json(json) = value else {
            return misfit();
        };
        Self::read(&checked(JsonText::parse(&json))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling_and_loses_no_digit() {
        let read = |text: &str| {
            let number = Decimal::read(&JsonText::parse(text).unwrap());
            number.map(|number| number.json().as_str().to_owned())
        };
        for (text, expect) in [
            ("0", "0"),
            ("-40", "-40"),
            ("0.50", "0.5"),
            ("1.0", "1.0"),
            ("1E1", "10.0"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expect), "{text}");
        }
        for text in ["0.1234567890123456789", "1e400"] {
            let reason = read(text).unwrap_err();
            assert!(reason.contains("digits"), "{text}: {reason}");
        }
        assert_eq!(read("\"1\""), Err("must be a number".to_owned()));
    }
}
