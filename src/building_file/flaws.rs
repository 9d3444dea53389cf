//! What is wrong inside a field that has a form of its own, put into the words of a file: a line, and a remedy.
//!
//! What belongs there is the model's to say; where it stands in the file is looked up here.

use crate::model::{Flaw, Misfit, Place, Step, nearest};

use super::node::{Kind, Node};
use super::problem::{Problem, ProblemKind, is_word};
use super::settings::{key_position, value, walk};

/// A flaw below the value of a field. A field that is given as a JSON text is one value here.
pub(super) fn problem(field: &'static str, start: &Node, flaw: &Flaw) -> Problem {
    let Flaw { steps, misfit } = flaw;
    let found = walk(start, steps);
    let inside = |reason: String| Problem {
        at: found.at,
        kind: ProblemKind::Inside {
            what: shown(field, steps),
            reason,
        },
    };
    match misfit {
        Misfit::Unknown(known) => unknown(field, start, steps, known),
        Misfit::Missing { key, expected } => {
            let remedy = expected.as_deref().unwrap_or("it");
            inside(format!("has no `{key}`; add {remedy}"))
        }
        Misfit::Expected(expected) => inside(format!("must be {expected}")),
        Misfit::Other(reason) => inside(reason.clone()),
    }
}

/// A key that has more than a word, or no value and nothing like it, may be a value itself whose colon is missing: it is not shown.
fn unknown(field: &'static str, start: &Node, steps: &[Step], known: &[String]) -> Problem {
    let (key, above) = match steps.split_last() {
        Some((Step::Key(key), above)) => (key.as_str(), above),
        Some((Step::Item(_), _)) | None => ("", steps),
    };
    let map = walk(start, above);
    let similar = nearest(key, known.iter().map(String::as_str));
    let has_value = value(map, key).is_some_and(|value| !matches!(value.kind, Kind::Null));
    let is_shown = is_word(key) && (similar.is_some() || has_value);
    let remedy = match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("there may be {}", known.join(", ")),
    };
    let key_shown = match is_shown {
        true => key.to_owned(),
        false => String::new(),
    };
    Problem {
        at: key_position(map, key).unwrap_or(map.at),
        kind: ProblemKind::UnknownKey {
            key: key_shown,
            place: place(field),
            remedy,
        },
    }
}

/// What people call a field with a form of its own.
fn place(field: &'static str) -> &'static str {
    match field {
        "schema" => "the schema",
        "call" => "the call",
        "errors" => "the errors",
        "keys" => "a key of an app",
        "webhooks" => "a webhook",
        "limits" => "the limits",
        "statuses" => "the statuses",
        "steps" | "then" => "a step",
        "when" => "a condition",
        "header" => "the headers",
        "respond" => "the answer",
        _ => "this value",
    }
}

/// `` `schema` at `properties.level` ``; a name that may be more than a word is left out.
pub(super) fn shown(field: &str, steps: &[Step]) -> String {
    let is_shown = |step: &Step| match step {
        Step::Key(key) => is_word(key),
        Step::Item(_) => true,
    };
    match steps {
        [] => format!("`{field}`"),
        steps if steps.iter().all(is_shown) => {
            format!("`{field}` at `{}`", Place::Settings(steps.to_vec()))
        }
        _ => format!("this part of `{field}`"),
    }
}
