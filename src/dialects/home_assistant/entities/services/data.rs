//! The fields of a service call, each read as what its service takes for it.

use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::model::{JsonText, is_json_number, whole_number};

use super::error::ServiceError;

/// The fields that have not been read yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Data<'a>(IndexMap<String, &'a RawValue>);

/// A number as it was written, and as near as a float comes to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) json: String,
    pub(super) number: f64,
}

impl<'a> Data<'a> {
    /// Reads an object; nothing, and `null`, has no fields.
    pub(super) fn of(json: Option<&'a JsonText>) -> Result<Self, ServiceError> {
        let Some(json) = json.filter(|json| !json.is_null()) else {
            return Ok(Self::default());
        };
        let fields = serde_json::from_str(json.as_str());
        fields
            .map(Self)
            .map_err(|_| ServiceError::invalid_format("expected a dictionary"))
    }

    /// Takes a field; `null` is as good as none.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        let value = self.0.shift_remove(name)?.get();
        (value != "null").then_some(value)
    }

    /// Takes a field as it is, `null` too.
    pub(super) fn take_any(&mut self, name: &str) -> Option<&'a str> {
        self.0.shift_remove(name).map(RawValue::get)
    }

    /// Takes a field that has to be there.
    pub(super) fn need(&mut self, name: &str) -> Result<&'a str, ServiceError> {
        self.take(name).ok_or_else(|| ServiceError::missing(name))
    }

    /// There must be no other fields.
    pub(super) fn end(self) -> Result<(), ServiceError> {
        match self.0.keys().next() {
            Some(name) => Err(ServiceError::extra(name)),
            None => Ok(()),
        }
    }
}

/// A text.
pub(super) fn text(name: &str, json: &str) -> Result<String, ServiceError> {
    let text = serde_json::from_str(json);
    text.map_err(|_| ServiceError::field("expected str", name))
}

/// A number, or a text that writes one.
pub(super) fn number(name: &str, json: &str) -> Result<Given, ServiceError> {
    let written = match json.starts_with('"') {
        true => text(name, json)?,
        false => json.to_owned(),
    };
    let written = written.trim();
    let number = is_json_number(written)
        .then(|| written.parse().ok())
        .flatten();
    let number = number.ok_or_else(|| ServiceError::field("expected float", name))?;
    Ok(Given {
        json: written.to_owned(),
        number,
    })
}

/// A number within bounds.
pub(super) fn within(name: &str, json: &str, min: f64, max: f64) -> Result<f64, ServiceError> {
    let Given { number, .. } = number(name, json)?;
    if number > max {
        let what = format!("value must be at most {max}");
        return Err(ServiceError::field(&what, name));
    }
    if number < min {
        let what = format!("value must be at least {min}");
        return Err(ServiceError::field(&what, name));
    }
    Ok(number)
}

/// A whole number of at least 1.
pub(super) fn index(name: &str, json: &str) -> Result<u32, ServiceError> {
    let number = whole_number(json).ok();
    let number = number.and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| *number > 0);
    number.ok_or_else(|| ServiceError::field("expected a whole number from 1", name))
}

/// True or false, also in the words that Home Assistant takes for them.
pub(super) fn flag(name: &str, json: &str) -> Result<bool, ServiceError> {
    let word = match json.starts_with('"') {
        true => text(name, json)?.trim().to_lowercase(),
        false => json.to_owned(),
    };
    match word.as_str() {
        "1" | "true" | "yes" | "on" | "enable" => Ok(true),
        "0" | "false" | "no" | "off" | "disable" => Ok(false),
        _ => Err(ServiceError::field("invalid boolean value", name)),
    }
}
