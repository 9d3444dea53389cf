//! What a building says of the statuses of a module.
//!
//! Separate from the module's other fields for the form of its own.

use std::sync::Arc;

use driver_types::{JsonText, StatusName, Step};
use serde_json::json;

use super::fields::{contents, misfit};
use super::flaws::{self, Flaw};
use super::{Content, JsonKind, Kind, Value};

/// What a building says of the statuses of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleStatuses {
    /// Those that clients of an app see without a credential of their own, each once.
    pub public: Arc<[StatusName]>,
}

/// What can be said.
const KEYS: &[&str] = &["public"];

impl ModuleStatuses {
    /// Reads `{"public": ["power"]}`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut public = Vec::new();
        for (key, value) in flaws::members(json, &[], &mut flaws) {
            match key.as_str() {
                "public" => public = names(&value, &key, &mut flaws),
                _ => flaws.push(Flaw::unknown(&[&key], KEYS)),
            }
        }
        match flaws.is_empty() {
            true => Ok(Self {
                public: public.into(),
            }),
            false => Err(flaws),
        }
    }

    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// The same as JSON.
    pub fn json(&self) -> String {
        if self.public.is_empty() {
            return "{}".to_owned();
        }
        let names: Vec<&str> = self.public.iter().map(StatusName::as_str).collect();
        json!({"public": names}).to_string()
    }
}

fn names(json: &JsonText, key: &str, flaws: &mut Vec<Flaw>) -> Vec<StatusName> {
    let Ok(texts) = json.to::<Vec<String>>() else {
        flaws.push(Flaw::expected(&[key], "a list of names of statuses"));
        return Vec::new();
    };
    let mut names = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        match StatusName::new(text) {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(reason) => {
                let mut flaw = Flaw::other(&[key], format!("is no name: {reason}"));
                flaw.steps.push(Step::Item(place));
                flaws.push(flaw);
            }
        }
    }
    names
}

contents! {
    ModuleStatuses: Kind::Json(JsonKind::Object), Json, Value::Json("{}".into()), |it| it.json().into(), |json| flaws::read(&json, Self::read);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, Vec<String>> {
        let statuses = ModuleStatuses::read(&JsonText::parse(text).unwrap());
        let said = |flaws: Vec<Flaw>| flaws.iter().map(Flaw::to_string).collect::<Vec<_>>();
        let statuses = statuses.map_err(said)?;
        let again = ModuleStatuses::read(&JsonText::parse(&statuses.json()).unwrap());
        assert_eq!(again.as_ref(), Ok(&statuses));
        Ok(statuses.public.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_public_status_is_there_once() {
        assert_eq!(read("{}"), Ok(Vec::new()));
        let names = read(r#"{"public": ["power", "a b", "power"]}"#);
        assert_eq!(names, Ok(vec!["power".to_owned(), "a b".to_owned()]));
    }

    #[test]
    fn what_is_none_is_refused_where_it_stands() {
        for (text, reason) in [
            ("[]", "must be a map of keys and values"),
            (
                r#"{"pulbic": []}"#,
                "has the unknown key `pulbic`; did you mean `public`?",
            ),
            (
                r#"{"public": "power"}"#,
                "has `public`, which must be a list of names of statuses",
            ),
            (
                r#"{"public": ["a", ""]}"#,
                "has `public[1]`, which is no name: a status name is empty",
            ),
        ] {
            assert_eq!(read(text), Err(vec![reason.to_owned()]), "{text}");
        }
    }
}
