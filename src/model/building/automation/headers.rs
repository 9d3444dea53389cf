//! Headers that a request has to have before something is done for it.
//!
//! Separate because hooks and webhook triggers ask for them alike. No flaw and no text for debugging holds a value.

use driver_types::JsonText;

use super::super::fields::{contents, misfit};
use super::super::flaws::{self, Flaw};
use super::super::{Content, JsonKind, Kind, Value};
use super::reader::Reader;
use super::steps::object;
use crate::model::{MASK, Secret};

/// Headers with the values that they have to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequiredHeaders(Vec<(String, Secret)>);

impl RequiredHeaders {
    /// Reads `{"X-Token": "…"}`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. No flaw holds a value.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        Reader::whole(|reader| Self::read_in(reader, json))
    }

    pub(super) fn read_in(reader: &mut Reader, json: &JsonText) -> Option<Self> {
        let members = reader.members(json)?;
        let count = members.len();
        let mut headers: Vec<(String, Secret)> = Vec::new();
        for (name, value) in members {
            // What has lost its name stands where a name does, and may be a secret.
            if value.is_null() {
                reader.other::<()>(
                    "has a name without a value; write both, such as `X-Token: \"${ENV:TOKEN}\"`",
                );
                continue;
            }
            let is_same = |(other, _): &(String, Secret)| other.eq_ignore_ascii_case(&name);
            let is_twice = headers.iter().any(is_same);
            let value = reader.at_key(&name, |reader| {
                if !is_name(&name) {
                    return reader.other("is no name of a header");
                }
                if is_twice {
                    return reader.other("is there twice; remove one of them");
                }
                secret_in(reader, &value)
            });
            headers.extend(value.map(|value| (name, value)));
        }
        (headers.len() == count).then_some(Self(headers))
    }

    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// All of them, in their order.
    pub fn list(&self) -> &[(String, Secret)] {
        &self.0
    }

    /// The same as JSON, with the values.
    pub fn json(&self) -> String {
        self.written(Secret::expose).as_str().to_owned()
    }

    /// The same as JSON, without the values.
    pub fn shown(&self) -> String {
        self.written(|_| MASK).as_str().to_owned()
    }

    pub(super) fn written(&self, show: impl Fn(&Secret) -> &str) -> JsonText {
        let headers = self.0.iter();
        object(headers.map(|(name, value)| (name.as_str(), super::steps::text(show(value)))))
    }
}

/// A secret that somebody could know.
pub(super) fn secret_in(reader: &mut Reader, json: &JsonText) -> Option<Secret> {
    let expected = "a long random text, such as `\"${ENV:TOKEN}\"`";
    let secret = reader.text(json, expected)?;
    match secret.as_str() {
        "" => reader.expected(expected),
        // Everybody knows this one.
        MASK => reader.other("stands for a secret that is not shown; write the whole one"),
        _ => Some(Secret::new(secret)),
    }
}

/// Whether a header can have this name, by RFC 9110.
pub(super) fn is_name(name: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_sign)
}

contents! {
    RequiredHeaders: Kind::Json(JsonKind::Object), Json, Value::Json("{}".into()), |it| it.json().into(), |json| flaws::read(&json, Self::read);
}
