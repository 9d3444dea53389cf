//! What is wrong inside JSON that has a form of its own, such as the schema of a command.
//!
//! Separate from the forms, which only find it: a building file says it with the line, REST and the stores in one sentence.

use std::fmt;

use driver_types::{JsonText, Misfit, Place, Step};
use indexmap::IndexMap;

use super::fields::checked;
use crate::model::nearest;

/// Something wrong, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The way down to it.
    pub steps: Vec<Step>,
    /// What is wrong there.
    pub misfit: Misfit,
}

impl Flaw {
    pub(super) fn at(steps: &[&str], misfit: Misfit) -> Self {
        let steps = steps.iter().map(|step| Step::Key((*step).to_owned()));
        Self {
            steps: steps.collect(),
            misfit,
        }
    }

    /// The same, one step further down.
    pub(super) fn within(mut self, step: Step) -> Self {
        self.steps.insert(0, step);
        self
    }

    /// Another kind of value belongs there.
    pub(super) fn expected(steps: &[&str], expected: &str) -> Self {
        Self::at(steps, Misfit::Expected(expected.to_owned()))
    }

    /// Something else is wrong: a reason with what to do.
    pub(super) fn other(steps: &[&str], reason: impl Into<String>) -> Self {
        Self::at(steps, Misfit::Other(reason.into()))
    }

    /// The last step is a key that nothing reads.
    pub(super) fn unknown(steps: &[&str], known: &[&str]) -> Self {
        let known = known.iter().map(|key| (*key).to_owned());
        Self::at(steps, Misfit::Unknown(known.collect()))
    }

    /// A needed key is not there.
    pub(super) fn missing(steps: &[&str], key: &str, expected: &str) -> Self {
        let (key, expected) = (key.to_owned(), Some(expected.to_owned()));
        Self::at(steps, Misfit::Missing { key, expected })
    }
}

/// To go on behind the name of the field.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |f: &mut fmt::Formatter<'_>, steps: &[Step]| match steps {
            [] => Ok(()),
            steps => write!(f, " in `{}`", Place::Settings(steps.to_vec())),
        };
        match &self.misfit {
            Misfit::Unknown(known) => {
                let (above, key) = match self.steps.split_last() {
                    Some((Step::Key(key), above)) => (above, key.as_str()),
                    Some((Step::Item(_), _)) | None => (self.steps.as_slice(), ""),
                };
                write!(f, "has the unknown key `{key}`")?;
                within(f, above)?;
                match nearest(key, known.iter().map(String::as_str)) {
                    Some(similar) => write!(f, "; did you mean `{similar}`?"),
                    None => write!(f, "; there may be {}", known.join(", ")),
                }
            }
            Misfit::Missing { key, expected } => {
                write!(f, "has no `{key}`")?;
                within(f, &self.steps)?;
                match expected {
                    Some(expected) => write!(f, "; add {expected}"),
                    None => Ok(()),
                }
            }
            Misfit::Expected(expected) if self.steps.is_empty() => write!(f, "must be {expected}"),
            Misfit::Expected(expected) => {
                let place = Place::Settings(self.steps.clone());
                write!(f, "has `{place}`, which must be {expected}")
            }
            Misfit::Other(reason) if self.steps.is_empty() => f.write_str(reason),
            Misfit::Other(reason) => {
                let place = Place::Settings(self.steps.clone());
                write!(f, "has `{place}`, which {reason}")
            }
        }
    }
}

/// The members of an object; notes a flaw where it is none.
pub(super) fn members(
    json: &JsonText,
    steps: &[&str],
    flaws: &mut Vec<Flaw>,
) -> IndexMap<String, JsonText> {
    let read = json.as_str().starts_with('{').then(|| json.to().ok());
    read.flatten().unwrap_or_else(|| {
        flaws.push(Flaw::expected(steps, "a map of keys and values"));
        IndexMap::new()
    })
}

/// A text; notes a flaw where it is none.
pub(super) fn text(json: &JsonText, steps: &[&str], flaws: &mut Vec<Flaw>) -> Option<String> {
    let text = json.to().ok();
    if text.is_none() {
        flaws.push(Flaw::expected(steps, "text"));
    }
    text
}

/// Reads JSON that has a form of its own; the first flaw is the reason why it cannot be read.
pub(super) fn read<T>(
    json: &str,
    read: impl FnOnce(&JsonText) -> Result<T, Vec<Flaw>>,
) -> Result<T, String> {
    let json = checked(JsonText::parse(json))?;
    read(&json).map_err(|flaws| first(&flaws))
}

/// The first of several flaws, in one sentence.
fn first(flaws: &[Flaw]) -> String {
    flaws.first().map(Flaw::to_string).unwrap_or_default()
}
