//! A body read into a document: which field each member is, and its value by the field's kind.
//!
//! Separate from `mod.rs`, which puts a document over an entry.
//! Members are split first and read one by one, so that every mistake is said at once and kept JSON stays byte for byte.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::{Document, Resource};
use crate::model::{JsonText, Kind, Misfit, Secret, Value, Whole};

/// Why a body is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not JSON, or no object.
    NotADocument(String),
    /// Fields have the wrong type, or are none that there are.
    Fields(Vec<InvalidField>),
}

/// Reads a document.
///
/// # Errors
///
/// Why the body is none; of fields, all that are wrong.
pub fn read<C: Resource>(body: &[u8]) -> Result<Document<C>, Unreadable> {
    // A list would be read as the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Unreadable::NotADocument(
            "the body is no JSON object".to_owned(),
        ));
    }
    let Members(members) = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    let mut document = Document {
        fields: Vec::new(),
        own: Vec::new(),
    };
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for (name, json) in &members {
        if !seen.insert(name) {
            wrong.push(InvalidField::new(name, "is there twice"));
        } else {
            wrong.extend(document.take(name, json).err());
        }
    }
    match wrong.is_empty() {
        true => Ok(document),
        false => Err(Unreadable::Fields(wrong)),
    }
}

impl<C: Resource> Document<C> {
    fn take(&mut self, name: &str, json: &JsonText) -> Result<(), InvalidField> {
        let sent_back = C::SENT_BACK.iter().find(|(known, _)| *known == name);
        if sent_back.is_some_and(|(_, what)| what.is(json.as_str())) {
            return Ok(());
        }
        let mut fields = C::FIELDS.iter();
        if let Some(field) = fields.find(|field| C::word(field.name) == Some(name)) {
            let value = value(name, field.kind, json)?;
            let is_free = field.optional || matches!(field.kind, Kind::Id(_));
            let says_nothing = is_free && value.text() == Some("");
            let value = match says_nothing {
                true => Value::Nothing,
                false => C::meant(field.name, value),
            };
            self.fields.push((field, value));
            return Ok(());
        }
        if let Some(own) = C::OWN.iter().find(|own| own.name == name) {
            self.own.push((own.name, value(name, own.kind, json)?));
            return Ok(());
        }
        let reason = match sent_back {
            Some((_, what)) => what.reason().to_owned(),
            None => format!("is no field of {}", C::PLACE),
        };
        Err(InvalidField::new(name, reason))
    }
}

/// A value, of which `null` is nothing.
fn value(name: &str, kind: Kind, json: &JsonText) -> Result<Value<'static>, InvalidField> {
    if json.is_null() {
        return Ok(Value::Nothing);
    }
    Ok(match kind {
        Kind::Text
        | Kind::Address
        | Kind::Email
        | Kind::TimeZone
        | Kind::Word(_)
        | Kind::Id(_)
        | Kind::ModuleName
        | Kind::MetadataName
        | Kind::StatusPath
        | Kind::Reference(_) => Value::Text(Cow::Owned(typed(name, json)?)),
        Kind::Texts | Kind::Scopes => Value::Texts(texts(name, json)?),
        Kind::References(_) => {
            let ids = texts(name, json)?;
            let mut seen = HashSet::new();
            // A building file cannot say that.
            match ids.iter().find(|id| !seen.insert(*id)) {
                Some(twice) => {
                    return Err(InvalidField::new(name, format!("lists `{twice}` twice")));
                }
                None => Value::Texts(ids),
            }
        }
        Kind::Flag => Value::Flag(typed(name, json)?),
        Kind::Count(most) => {
            let Whole(number): Whole<u32> = typed(name, json)?;
            if number > most {
                let reason = format!("must be a whole number from 0 to {most}");
                return Err(InvalidField::new(name, reason));
            }
            Value::Number(number.into())
        }
        Kind::Moment => {
            let Whole(seconds): Whole<u64> = typed(name, json)?;
            Value::Number(seconds)
        }
        Kind::Json(kind) if !kind.fits(json.as_str()) => {
            return Err(InvalidField::new(name, format!("must be {}", kind.noun())));
        }
        Kind::Json(_) => Value::Json(Cow::Owned(json.as_str().to_owned())),
        Kind::KeySecret | Kind::Password => Value::Plain(Secret::new(typed::<String>(name, json)?)),
    })
}

fn texts(name: &str, json: &JsonText) -> Result<Vec<Cow<'static, str>>, InvalidField> {
    let texts: Vec<String> = typed(name, json)?;
    Ok(texts.into_iter().map(Cow::Owned).collect())
}

/// A value of this type. What is said of another does not quote it, for it may be a password.
fn typed<T: DeserializeOwned>(name: &str, json: &JsonText) -> Result<T, InvalidField> {
    let mut text = serde_json::Deserializer::from_str(json.as_str());
    serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let inside = match error.path().iter().next() {
            Some(_) => error.path().to_string(),
            None => String::new(),
        };
        let reason = match Misfit::of(error.inner()) {
            Misfit::Expected(expected) => format!("must be {expected}"),
            misfit @ (Misfit::Unknown(_) | Misfit::Missing { .. }) => misfit.to_string(),
            Misfit::Other(reason) => reason,
        };
        InvalidField::new(format!("{name}{inside}"), reason)
    })
}

/// The members of an object in their order, one name as often as it is there.
struct Members(Vec<(String, JsonText)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

fn not_json(error: &serde_json::Error) -> Unreadable {
    let (line, column) = (error.line(), error.column());
    Unreadable::NotADocument(format!(
        "the body is not JSON at line {line}, column {column}"
    ))
}
