//! The members of a document, read one by one, so that every mistake is told at once.
//!
//! Separate from the documents of definitions and instances, which both are read so.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::Unreadable;
use crate::model::JsonText;

/// What a client may send back of an answer and is not kept: the name, and what it may be; anything where nothing is listed.
pub(super) type NotKept = (&'static str, &'static [&'static str]);

/// Reads the body of a request into a document, which takes each member.
pub(super) fn read<D: Default>(
    body: &[u8],
    take: impl Fn(&mut D, &str, &JsonText) -> Result<(), InvalidField>,
) -> Result<D, Unreadable> {
    let not_json = || Unreadable::NotADocument("the body is no JSON object".to_owned());
    let text = std::str::from_utf8(body).map_err(|_| not_json())?;
    let members: Option<IndexMap<String, JsonText>> =
        JsonText::parse(text).ok().and_then(|json| json.to().ok());
    let mut document = D::default();
    let mut wrong = Vec::new();
    for (name, json) in members.ok_or_else(not_json)? {
        wrong.extend(take(&mut document, &name, &json).err());
    }
    match wrong.is_empty() {
        true => Ok(document),
        false => Err(Unreadable::Fields(wrong)),
    }
}

/// The value of a member; none where it is null.
pub(super) fn typed<T: DeserializeOwned>(
    name: &str,
    json: &JsonText,
    expected: &str,
) -> Result<Option<T>, InvalidField> {
    let reason = || InvalidField::new(name, format!("must be {expected}"));
    json.to().map_err(|_| reason())
}

/// A value, or in the place of `null` none: no text, no list, no time.
pub(super) fn or_none<T: DeserializeOwned + Default>(
    name: &str,
    json: &JsonText,
    expected: &str,
) -> Result<T, InvalidField> {
    Ok(typed::<T>(name, json, expected)?.unwrap_or_default())
}

/// Refuses what has no place in a document of this kind, but for what is not kept and may be as it is.
pub(super) fn not_kept(
    name: &str,
    json: &JsonText,
    all: &[NotKept],
    place: &str,
) -> Result<(), InvalidField> {
    let found = all.iter().find(|(known, _)| *known == name);
    let Some((_, possible)) = found else {
        let reason = format!("is no field of {place}");
        return Err(InvalidField::new(name, reason));
    };
    let given: Option<Json> = json.to().ok();
    let is_given = |possible: &&str| serde_json::from_str::<Json>(possible).ok() == given;
    match possible.last() {
        Some(last) if !possible.iter().any(is_given) => {
            let reason = format!("must be {last}, for riser keeps no other");
            Err(InvalidField::new(name, reason))
        }
        Some(_) | None => Ok(()),
    }
}
