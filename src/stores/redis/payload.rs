//! What the answers of Redis mean: status values, slots, and faults of single keys.
//!
//! Any program may write anything to Redis. JSON is taken as it is; other text becomes a JSON string; bytes that are no text become U+FFFD.

use std::collections::{HashMap, HashSet};

use redis::{ServerError, Value};

use crate::model::{InvalidId, ModuleId, ModuleIndex, ModuleName, Slots, StatusName, StatusValue};
use crate::stores::redis::limits::FAULTS_TOLD;

/// A value as it is kept. The text `null` is kept by some writers and is a value like any other.
pub(super) fn kept(bytes: &[u8]) -> StatusValue {
    let text = String::from_utf8_lossy(bytes);
    StatusValue::parse(&text)
        .or_else(|_| StatusValue::of(&*text))
        .expect("any text can be written as a JSON string")
}

/// A value as it is published, where `null` says that there is none any more.
pub(super) fn published(bytes: &[u8]) -> Option<StatusValue> {
    Some(kept(bytes)).filter(|value| !value.is_null())
}

/// The key holds something else than it should, or is closed to this node: no reason to doubt the connection.
pub(super) fn concerns_one_key(error: &ServerError) -> bool {
    matches!(error.code(), "WRONGTYPE" | "NOPERM")
}

/// The slots that stand in a hash. What cannot be read is left out.
pub(super) fn slots(key: &str, hash: Value, faults: &mut Faults) -> Slots {
    let mut slots = HashMap::new();
    for (field, id) in fields(hash) {
        match slot(&field, &id) {
            Ok((slot, id)) => {
                slots.insert(slot, id);
            }
            Err(detail) => faults.tell(key, &format!("{field:?}: {detail}")),
        }
    }
    slots
}

fn slot(field: &str, id: &str) -> Result<((ModuleName, ModuleIndex), ModuleId), String> {
    let (name, index) = field
        .rsplit_once('/')
        .ok_or("a slot is a name, a slash and an index")?;
    let index: u32 = index.parse().map_err(|_| "its index is no whole number")?;
    let text = |error: InvalidId| error.to_string();
    let slot = (
        ModuleName::new(name).map_err(text)?,
        ModuleIndex::new(index).map_err(text)?,
    );
    Ok((slot, ModuleId::new(id).map_err(text)?))
}

/// The statuses that stand in a hash. A field whose name is none that a status can have was never a module's.
pub(super) fn statuses(hash: Value) -> impl Iterator<Item = (StatusName, StatusValue)> {
    fields(hash).filter_map(|(name, value)| {
        let name = StatusName::new(&name).ok()?;
        Some((name, kept(value.as_bytes())))
    })
}

/// The fields of a hash as text.
pub(super) fn fields(hash: Value) -> impl Iterator<Item = (String, String)> {
    let lossy = |value: &Value| text(value).map(|text| String::from_utf8_lossy(text).into_owned());
    let pairs = hash.into_map_iter().into_iter().flatten();
    pairs.filter_map(move |(field, value)| Some((lossy(&field)?, lossy(&value)?)))
}

/// The bytes of a text.
pub(super) fn text(value: &Value) -> Option<&[u8]> {
    if let Value::BulkString(bytes) = value {
        Some(bytes)
    } else {
        None
    }
}

/// Logs faults of single keys, each once.
#[derive(Debug, Default)]
pub(super) struct Faults(HashSet<String>);

impl Faults {
    /// What stands at this key cannot be used.
    pub(super) fn tell(&mut self, key: &str, detail: &str) {
        if self.0.len() < FAULTS_TOLD && self.0.insert(format!("{key} {detail}")) {
            tracing::warn!(key, detail, "a key in Redis cannot be used and is ignored");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_taken_as_it_is_and_anything_else_as_text() {
        for (bytes, value) in [
            (&b"{\"a\": 1.0}"[..], "{\"a\": 1.0}"),
            (b"null", "null"),
            (b"hello", "\"hello\""),
            (b"", "\"\""),
            (b"say \"hi\"\n", "\"say \\\"hi\\\"\\n\""),
            (b"\"a\xffb\"", "\"a\u{fffd}b\""),
            (b"\xff", "\"\u{fffd}\""),
        ] {
            assert_eq!(kept(bytes).as_str(), value);
        }
    }

    #[test]
    fn a_published_null_says_that_there_is_none() {
        assert_eq!(published(b"null"), None);
        assert_eq!(published(b" null\n"), None);
        assert_eq!(published(b"0").unwrap().as_str(), "0");
    }
}
