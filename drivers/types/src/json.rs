//! JSON that was checked once and is kept as shared text, so that nothing on its way to a screen parses it again.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;

/// A text is not JSON, or a value cannot be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("not valid JSON")]
pub struct InvalidJson(#[from] serde_json::Error);

/// One JSON value as text, known to be valid.
///
/// Equality is equality of the text: `1.0` and `1` differ, as they do for PlaceOS.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// Checks that the text is exactly one JSON value; nesting of any depth is checked without recursion.
    pub fn parse(text: &str) -> Result<Self, InvalidJson> {
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self(Arc::from(text.trim_ascii())))
    }

    /// Takes a text that the JSON parser has already delimited.
    pub fn from_raw(raw: &RawValue) -> Self {
        Self(Arc::from(raw.get()))
    }

    /// Writes a value as JSON. Fails for maps whose keys are not strings and for failing `Serialize` implementations.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, InvalidJson> {
        Ok(Self(Arc::from(serde_json::to_string(value)?)))
    }

    /// The JSON value `null`.
    pub fn null() -> Self {
        Self(Arc::from("null"))
    }

    /// The JSON value `{}`.
    pub fn empty_object() -> Self {
        Self(Arc::from("{}"))
    }

    /// The JSON value `true` or `false`.
    pub fn boolean(value: bool) -> Self {
        Self(Arc::from(if value { "true" } else { "false" }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the value `null`.
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    /// The members of an object put over those of this one, each name and value with the bytes that it came with; `None` unless both are objects.
    ///
    /// A new member stands behind the others, and of a name that is there twice the last one counts.
    pub fn merged(&self, over: &Self) -> Option<Self> {
        let (mut all, over) = (self.members()?, over.members()?);
        for (name, member) in over.0 {
            match all.0.entry(name) {
                // The name stays as it was written: it may be escaped in another way.
                indexmap::map::Entry::Occupied(mut there) => there.get_mut().1 = member.1,
                indexmap::map::Entry::Vacant(free) => {
                    free.insert(member);
                }
            }
        }
        let members = all.0.values();
        let members: Vec<String> = members
            .map(|(name, value)| format!("{}:{}", name.get(), value.get()))
            .collect();
        Some(Self(Arc::from(format!("{{{}}}", members.join(",")))))
    }

    fn members(&self) -> Option<Members<'_>> {
        serde_json::from_str(&self.0).ok()
    }

    /// Reads the value as a Rust type. Nesting deeper than 128 levels is an error.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, InvalidJson> {
        Ok(serde_json::from_str(&self.0)?)
    }
}

/// The members of an object in their order, as raw texts, by the texts that their names mean; a name that is no text stands for itself.
struct Members<'a>(IndexMap<Result<String, &'a str>, (&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = IndexMap::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    // Half of a surrogate pair is no text.
                    let means = serde_json::from_str(name.get()).map_err(|_| name.get());
                    members.insert(means, (name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes the text as it is, with `serde_json` only: other formats have no raw JSON.
impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Takes the text as it is, with `serde_json` only.
impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Deserialize::deserialize(deserializer)?;
        Ok(Self::from_raw(&raw))
    }
}

impl JsonSchema for JsonText {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_other_values_the_text_stays_byte_for_byte() {
        let text = r#"[1.0,{"a": [ "\u0041" ]},null,12345678901234567890123]"#;
        let items: Vec<JsonText> = serde_json::from_str(text).unwrap();
        assert_eq!(items[1].as_str(), r#"{"a": [ "\u0041" ]}"#);
        assert_eq!(JsonText::of(&items).unwrap().as_str(), text);
    }

    #[test]
    fn only_one_whole_json_value_is_taken() {
        assert_eq!(
            JsonText::parse(" {\"a\": [1]} ").unwrap().as_str(),
            "{\"a\": [1]}"
        );
        for text in ["", "hello", "{", "1 2", "\"\u{1}\""] {
            assert!(JsonText::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn an_object_is_merged_member_by_member_and_each_stays_byte_for_byte() {
        let check = |before: &str, over: &str, expect: Option<&str>| {
            let [before, over] = [before, over].map(|text| JsonText::parse(text).unwrap());
            let merged = before.merged(&over);
            assert_eq!(merged.as_ref().map(JsonText::as_str), expect);
        };
        check(
            r#"{"a": 1e400, "b": [ 1.0 ], "c":"\ud800"}"#,
            r#"{ "b":590295810358705651712, "d" : 0.12345678901234567890 }"#,
            Some(
                r#"{"a":1e400,"b":590295810358705651712,"c":"\ud800","d":0.12345678901234567890}"#,
            ),
        );
        // However a name is escaped, it is that name.
        check(r#"{"a":1}"#, r#"{"\u0061":2}"#, Some(r#"{"a":2}"#));
        check(
            r#"{"\ud800":1,"x":2}"#,
            r#"{"\ud800":3}"#,
            Some(r#"{"\ud800":3,"x":2}"#),
        );
        check(r#"{"a":1,"a":2}"#, "{}", Some(r#"{"a":2}"#));
        check("[1]", "{}", None);
        check("{}", "1e400", None);
    }

    #[test]
    fn very_deep_nesting_is_carried_and_refused_only_when_it_is_read() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let json = JsonText::parse(&deep).unwrap();
        assert!(json.to::<serde_json::Value>().is_err());
    }
}
