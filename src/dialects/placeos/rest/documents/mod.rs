//! What clients send to change the building: documents in the shapes of the answers, of which any field may be left out.
//!
//! A field that is left out keeps what is there, and `null` is its empty value; that is how PlaceOS reads both `PATCH` and `PUT`.
//! Fields that the gateway keeps nothing of are passed over, since clients send back whole what they got.
//! What a field can be is checked here; how entries fit together is the core's to check.

mod key;
mod metadata;
mod module;
mod place;
mod user;

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

use crate::dialects::placeos::rest::InvalidField;
use crate::model::{InvalidId, Misfit, Whole};

pub use key::KeyDocument;
pub use metadata::{Details, MetadataDocument};
pub use module::ModuleDocument;
pub use place::{SystemDocument, ZoneDocument};
pub use user::UserDocument;

/// Why a body is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not JSON, or no object.
    NotADocument(String),
    /// A field has the wrong type.
    Field(InvalidField),
}

/// Reads a document.
pub fn read<D: DeserializeOwned>(body: &[u8]) -> Result<D, Unreadable> {
    // A list would be read as the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Unreadable::NotADocument(
            "the body is no JSON object".to_owned(),
        ));
    }
    let mut text = serde_json::Deserializer::from_slice(body);
    let document = serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let field = error.path().to_string();
        let cause = error.into_inner();
        if !cause.is_data() {
            return not_json(&cause);
        }
        let reason = match Misfit::of(&cause) {
            Misfit::Expected(expected) => format!("must be {expected}"),
            misfit @ (Misfit::Unknown(_) | Misfit::Missing { .. }) => misfit.to_string(),
            Misfit::Other(reason) => reason,
        };
        Unreadable::Field(InvalidField { field, reason })
    })?;
    text.end().map_err(|error| not_json(&error))?;
    Ok(document)
}

fn not_json(error: &serde_json::Error) -> Unreadable {
    let (line, column) = (error.line(), error.column());
    Unreadable::NotADocument(format!(
        "the body is not JSON at line {line}, column {column}"
    ))
}

/// A field of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Given<T> {
    /// It is left out.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It has a value.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            Some(value) => Self::Value(value),
            None => Self::Null,
        })
    }
}

impl<T: Clone> Given<T> {
    /// Puts what is given in place of what is there.
    fn amend(&self, place: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Absent => {}
            Self::Null => *place = T::default(),
            Self::Value(value) => place.clone_from(value),
        }
    }

    fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<T: Copy + Default> Given<Whole<T>> {
    /// The same for a whole number.
    fn amend_number(&self, place: &mut T) {
        match self {
            Self::Absent => {}
            Self::Null => *place = T::default(),
            Self::Value(Whole(number)) => *place = *number,
        }
    }
}

impl Given<String> {
    /// The same for a text that may be missing, which an empty one is too: answers write some so.
    fn amend_option(&self, place: &mut Option<String>) {
        match self {
            Self::Absent => {}
            Self::Null => *place = None,
            Self::Value(text) => *place = (!text.is_empty()).then(|| text.clone()),
        }
    }
}

/// Collects what is wrong with the fields of a document.
#[derive(Debug, Default)]
struct Checks(Vec<InvalidField>);

impl Checks {
    /// Puts a text that has to be an id, or nothing for an empty one.
    fn id<T>(
        &mut self,
        field: &str,
        given: &Given<String>,
        place: &mut Option<T>,
        make: fn(&str) -> Result<T, InvalidId>,
    ) {
        match given {
            Given::Absent => {}
            Given::Value(text) if !text.is_empty() => {
                *place = self.made(field, make(text)).or(place.take());
            }
            Given::Null | Given::Value(_) => *place = None,
        }
    }

    /// Puts a list of ids, none of which is there twice: a building file cannot say that.
    fn ids<T>(
        &mut self,
        field: &str,
        given: &Given<Vec<String>>,
        place: &mut Vec<T>,
        make: fn(&str) -> Result<T, InvalidId>,
    ) {
        match given {
            Given::Absent => {}
            Given::Null => place.clear(),
            Given::Value(texts) => {
                let mut seen = HashSet::new();
                place.clear();
                for text in texts {
                    if seen.insert(text) {
                        place.extend(self.made(field, make(text)));
                    } else {
                        self.wrong(field, format_args!("lists `{text}` twice"));
                    }
                }
            }
        }
    }

    fn made<T>(&mut self, field: &str, made: Result<T, impl fmt::Display>) -> Option<T> {
        made.map_err(|reason| self.wrong(field, reason)).ok()
    }

    fn wrong(&mut self, field: &str, reason: impl fmt::Display) {
        self.0.push(InvalidField {
            field: field.to_owned(),
            reason: reason.to_string(),
        });
    }

    fn finish(self) -> Result<(), Vec<InvalidField>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}

/// The id that a new entry is to have, if its document says one.
fn asked_id<T>(
    given: &Given<String>,
    make: fn(&str) -> Result<T, InvalidId>,
) -> Result<Option<T>, Vec<InvalidField>> {
    let (mut checks, mut id) = (Checks::default(), None);
    checks.id("id", given, &mut id, make);
    checks.finish().map(|()| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(body: &str) -> (String, String) {
        match read::<SystemDocument>(body.as_bytes()) {
            Err(Unreadable::Field(InvalidField { field, reason })) => (field, reason),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named_and_its_value_is_not() {
        assert_eq!(
            field(r#"{"capacity": "hunter2"}"#),
            (
                "capacity".to_owned(),
                "must be a whole number from 0 to 4294967295".to_owned()
            )
        );
        assert_eq!(
            field(r#"{"zones": ["zone-a", 5]}"#),
            ("zones[1]".to_owned(), "must be a string".to_owned())
        );
    }

    #[test]
    fn what_belongs_in_a_field_is_said_in_peoples_words() {
        for (body, expect) in [
            (r#"{"bookable": "yes"}"#, "must be a boolean"),
            (r#"{"features": "vc"}"#, "must be an array"),
            (r#"{"name": 5}"#, "must be a string"),
        ] {
            assert_eq!(field(body).1, expect, "{body}");
        }
    }

    #[test]
    fn a_whole_number_is_taken_however_it_is_written_and_never_rounded() {
        let capacity = |text: &str| {
            let body = format!(r#"{{"capacity": {text}}}"#);
            let document = read::<SystemDocument>(body.as_bytes()).ok()?;
            let id = crate::model::SystemId::new("sys-1").unwrap();
            let mut system = SystemDocument::blank(id);
            document.amend(&mut system).unwrap();
            Some(system.capacity)
        };
        for text in ["12", "12.0", "1.2e1", "120E-1"] {
            assert_eq!(capacity(text), Some(12), "{text}");
        }
        for text in ["12.5", "-1", "4294967296", "18446744073709551617", "\"12\""] {
            assert_eq!(capacity(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_listed_twice_is_refused_since_a_building_file_cannot_say_it() {
        let body = br#"{"zones": ["zone-a", "zone-b", "zone-a"]}"#;
        let document: SystemDocument = read(body).unwrap();
        let id = crate::model::SystemId::new("sys-1").unwrap();
        let wrong = document.amend(&mut SystemDocument::blank(id)).unwrap_err();
        let said: Vec<String> = wrong.iter().map(|wrong| wrong.reason.clone()).collect();
        assert_eq!(said, ["lists `zone-a` twice"]);
    }

    #[test]
    fn what_is_no_object_is_no_document() {
        for body in ["", "[", "[1]", "5", "\"text\"", "{\"name\": ", "{} {}"] {
            let read = read::<ZoneDocument>(body.as_bytes());
            assert!(
                matches!(read, Err(Unreadable::NotADocument(_))),
                "{body:?}: {read:?}"
            );
        }
    }
}
