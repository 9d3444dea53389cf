//! Writes steps as JSON that is read as the same steps, with all that is evaluated byte for byte.

use driver_types::JsonText;
use indexmap::IndexMap;

use super::{Action, Items, Order, Steps, USUAL_LEVEL, Variable};

/// The members of a map, in their order.
type Members = IndexMap<String, JsonText>;

impl Steps {
    /// The same as JSON.
    pub fn json(&self) -> JsonText {
        let steps: Vec<JsonText> = self.0.iter().map(action).collect();
        JsonText::of(&steps).expect("a list of JSON is JSON")
    }
}

/// A map of these members.
pub(in crate::model::building::automation) fn object(
    members: impl IntoIterator<Item = (impl Into<String>, JsonText)>,
) -> JsonText {
    let members = members.into_iter();
    let members: Members = members.map(|(key, json)| (key.into(), json)).collect();
    JsonText::of(&members).expect("a map of texts to JSON is JSON")
}

pub(in crate::model::building::automation) fn text(text: &str) -> JsonText {
    JsonText::of(text).expect("every text can be written as JSON")
}

fn action(action: &Action) -> JsonText {
    let word = action.word();
    match action {
        Action::Call { path, args, result } => called(word, path.as_str(), args, result),
        Action::Run {
            procedure,
            args,
            result,
        } => called(word, procedure.as_str(), args, result),
        Action::If {
            condition,
            then,
            otherwise,
        } => {
            let mut members = vec![(word, text(condition)), ("then", then.json())];
            if !otherwise.list().is_empty() {
                members.push(("else", otherwise.json()));
            }
            object(members)
        }
        Action::For {
            variable,
            items,
            body,
            order,
        } => {
            let items = match items {
                Items::Expression(expression) => text(expression),
                Items::List(list) => list.clone(),
            };
            let mut members = vec![
                (word, text(variable.as_str())),
                ("in", items),
                ("do", body.json()),
            ];
            match order {
                Order::OneByOne => {}
                Order::Parallel => members.push(("parallel", JsonText::boolean(true))),
            }
            object(members)
        }
        Action::While { condition, body } => object([(word, text(condition)), ("do", body.json())]),
        Action::Set(variables) => {
            let variables = variables.iter();
            let variables = variables.map(|(name, value)| (name.as_str(), value.clone()));
            object([(word, object(variables))])
        }
        Action::Wait(span) => object([(word, text(&span.to_string()))]),
        Action::Publish { name, data } => {
            let mut members = vec![(word, text(name))];
            if *data != JsonText::empty_object() {
                members.push(("data", data.clone()));
            }
            object(members)
        }
        Action::Notify {
            service,
            message,
            title,
            link,
            level,
        } => {
            let mut members = vec![(word, text(service)), ("message", text(message))];
            members.extend(title.as_deref().map(|title| ("title", text(title))));
            members.extend(link.as_deref().map(|link| ("link", text(link))));
            if *level != USUAL_LEVEL {
                let level = JsonText::of(level).expect("a number can be written as JSON");
                members.push(("level", level));
            }
            object(members)
        }
        Action::Return(value) => object([(word, value.clone())]),
    }
}

fn called(word: &str, what: &str, args: &Option<JsonText>, result: &Option<Variable>) -> JsonText {
    let mut members = vec![(word, text(what))];
    members.extend(args.as_ref().map(|args| ("args", args.clone())));
    members.extend(result.as_ref().map(|name| ("as", text(name.as_str()))));
    object(members)
}
