//! The automation of a building: what is read of it, and every mistake in its words.

use driver_types::{JsonText, Place};

use super::*;
use crate::model::{Collection, Flaw, Values};

mod entries;
mod mistakes;
mod properties;

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// Each flaw as its place, a colon and what is wrong.
fn said<T: std::fmt::Debug>(read: Result<T, Vec<Flaw>>) -> Vec<String> {
    let flaws = read.unwrap_err();
    flaws.iter().map(shown).collect()
}

fn shown(flaw: &Flaw) -> String {
    format!("{}: {flaw}", Place::Settings(flaw.steps.clone()))
}

/// The steps of the text, which are written so that they are read as the same steps.
#[track_caller]
fn steps(text: &str) -> Steps {
    let steps = Steps::read(&json(text)).unwrap();
    assert_eq!(Steps::read(&steps.json()).as_ref(), Ok(&steps), "{text}");
    steps
}

/// The conditions of the text, which are written so that they are read as the same conditions.
#[track_caller]
fn conditions(text: &str) -> Conditions {
    let conditions = Conditions::read(&json(text)).unwrap();
    let again = Conditions::read(&conditions.json());
    assert_eq!(again.as_ref(), Ok(&conditions), "{text}");
    conditions
}

/// An entry with these fields; a field whose kind is JSON has it as a text.
fn entry<C: Collection>(fields: &[(&str, &str)]) -> Result<C, Vec<String>> {
    let mut values = Values::none();
    for (name, text) in fields {
        let text = (*text).to_owned();
        let kind = C::field(name).unwrap().kind;
        let content = if matches!(kind, Kind::Json(_)) {
            Value::Json(text.into())
        } else if kind == Kind::Texts {
            let words = text.split_whitespace();
            Value::Texts(words.map(|word| word.to_owned().into()).collect())
        } else {
            Value::Text(text.into())
        };
        values.put(name, content);
    }
    let said = |wrong: Vec<crate::model::Wrong>| {
        wrong
            .iter()
            .map(|it| format!("{} {}", it.field, it.reason))
            .collect()
    };
    C::build(values).map_err(said)
}
