//! Documents over what riser makes itself, of which little can be changed or nothing: domains and drivers.
//!
//! What was shown can be sent back; any other value is refused by the name of its field, as `documents` does for entries.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::{OF_EVERY_ENTRY, SentBack, Unreadable};

/// What documents of a place may say.
pub(super) struct Rules {
    /// What the place is called in an error.
    pub(super) place: &'static str,
    /// The fields that can be changed.
    pub(super) kept: &'static [&'static str],
    /// What clients send back that is not kept, beside what they send of every entry.
    pub(super) sent_back: &'static [(&'static str, SentBack)],
}

/// What a document changes: the fields that are kept whose value is another than the one shown.
///
/// # Errors
///
/// Why the body is no document, or every other field that differs from what is shown of the place.
pub(super) fn changed(
    body: &[u8],
    shown: &impl Serialize,
    rules: &Rules,
) -> Result<Map<String, Value>, Unreadable> {
    let given: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|_| Unreadable::NotADocument("the body is no JSON object".to_owned()))?;
    let shown = match serde_json::to_value(shown) {
        Ok(Value::Object(shown)) => shown,
        Ok(_) | Err(_) => Map::new(),
    };
    let mut changed = Map::new();
    let mut wrong = Vec::new();
    for (name, value) in given {
        let is = shown.get(&name);
        let mut sent_back = rules.sent_back.iter().chain(OF_EVERY_ENTRY);
        let sent_back = sent_back.find(|(known, _)| *known == name);
        let sent_back = sent_back.map(|(_, what)| what);
        let is_shown = is == Some(&value) || is.is_some_and(says_nothing) && says_nothing(&value);
        if is_shown || sent_back.is_some_and(|what| what.is(&value.to_string())) {
            continue;
        }
        if rules.kept.contains(&&*name) {
            changed.insert(name, value);
        } else if is.is_some() {
            wrong.push(InvalidField::new(name, "cannot be changed"));
        } else if let Some(what) = sent_back {
            wrong.push(InvalidField::new(name, what.reason()));
        } else {
            let reason = format!("is no field of {}", rules.place);
            wrong.push(InvalidField::new(name, reason));
        }
    }
    match wrong.is_empty() {
        true => Ok(changed),
        false => Err(Unreadable::Fields(wrong)),
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_shown_changes_nothing_and_what_is_not_kept_is_named() {
        let shown = json!({"id": "a", "name": "A", "description": "", "config": {}});
        let rules = Rules {
            place: "a domain",
            kept: &["name"],
            sent_back: &[("port", SentBack::Number(1))],
        };
        let of = |body: Value| changed(body.to_string().as_bytes(), &shown, &rules);
        assert_eq!(of(shown.clone()).unwrap(), Map::new());
        let back =
            json!({"name": "B", "description": null, "config": null, "version": 3, "port": 1});
        let other = of(back).unwrap();
        assert_eq!(Value::Object(other), json!({"name": "B"}));
        let Err(Unreadable::Fields(wrong)) =
            of(json!({"id": "b", "name": "B", "colour": 1, "port": 2}))
        else {
            panic!("three fields cannot be so");
        };
        let named: Vec<&str> = wrong.iter().map(|wrong| &*wrong.field).collect();
        assert_eq!(named, ["id", "colour", "port"]);
        assert_eq!(wrong[1].reason, "is no field of a domain");
    }
}
