//! Finds what steps refer to, each with its place, so that a check can look it up and say where it is missing.

use driver_types::{JsonText, Step};

use super::{Action, Items, Steps};
use crate::model::FunctionPath;
use crate::model::building::automation::{LocalPath, ProcedureId};

/// Something that steps or conditions mention, and the way down to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<T> {
    /// The field of the entry.
    pub field: &'static str,
    /// The way down from the value of the field.
    pub steps: Vec<Step>,
    /// What is mentioned.
    pub of: T,
}

/// Something that is evaluated when a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluated<'a> {
    /// It is one expression, without `{{ }}`.
    Expression(&'a str),
    /// A text, with `{{ }}` or without.
    Text(&'a str),
    /// JSON with such texts in it.
    Json(&'a JsonText),
}

/// What is to be done with each step and its place.
type See<'s, 'a> = dyn FnMut(&'a Action, &[Step]) + 's;

impl Steps {
    /// All that is evaluated, as it stands in a field of this name.
    pub fn evaluated(&self, field: &'static str) -> Vec<Mention<Evaluated<'_>>> {
        let mut found = Vec::new();
        self.each(&mut |action, steps| {
            evaluated(action, &mut |keys, of| {
                let mut steps = steps.to_vec();
                steps.extend(keys.iter().map(|key| Step::Key((*key).to_owned())));
                found.push(Mention { field, steps, of });
            });
        });
        found
    }

    /// The paths that are called.
    pub fn functions(&self, field: &'static str) -> Vec<Mention<&LocalPath<FunctionPath>>> {
        let mut found = Vec::new();
        self.each(&mut |action, steps| {
            if let Action::Call { path, .. } = action {
                found.push(mention(field, steps, "call", path));
            }
        });
        found
    }

    /// The procedures that are run, each with what it is given.
    pub fn procedures(
        &self,
        field: &'static str,
    ) -> Vec<Mention<(&ProcedureId, Option<&JsonText>)>> {
        let mut found = Vec::new();
        self.each(&mut |action, steps| {
            if let Action::Run {
                procedure, args, ..
            } = action
            {
                found.push(mention(field, steps, "run", (procedure, args.as_ref())));
            }
        });
        found
    }

    /// The names of services that are notified.
    pub fn services(&self, field: &'static str) -> Vec<Mention<&str>> {
        let mut found = Vec::new();
        self.each(&mut |action, steps| {
            if let Action::Notify { service, .. } = action {
                found.push(mention(field, steps, "notify", service.as_str()));
            }
        });
        found
    }

    fn each<'a>(&'a self, see: &mut See<'_, 'a>) {
        walk(self, &mut Vec::new(), see);
    }
}

fn mention<T>(field: &'static str, steps: &[Step], key: &str, of: T) -> Mention<T> {
    let mut steps = steps.to_vec();
    steps.push(Step::Key(key.to_owned()));
    Mention { field, steps, of }
}

/// Steps nest no deeper than they are read, so this calls itself no oftener.
fn walk<'a>(steps: &'a Steps, at: &mut Vec<Step>, see: &mut See<'_, 'a>) {
    for (place, action) in steps.list().iter().enumerate() {
        at.push(Step::Item(place));
        see(action, at);
        for (key, inner) in within(action) {
            at.push(Step::Key(key.to_owned()));
            walk(inner, at, see);
            at.pop();
        }
        at.pop();
    }
}

/// The steps within a step, by their keys.
fn within(action: &Action) -> Vec<(&'static str, &Steps)> {
    match action {
        Action::If {
            then, otherwise, ..
        } => vec![("then", then), ("else", otherwise)],
        Action::For { body, .. } | Action::While { body, .. } => vec![("do", body)],
        Action::Call { .. }
        | Action::Set(_)
        | Action::Wait(_)
        | Action::Publish { .. }
        | Action::Notify { .. }
        | Action::Return(_)
        | Action::Run { .. } => Vec::new(),
    }
}

/// What a step evaluates itself, by the keys at which it stands.
fn evaluated<'a>(action: &'a Action, see: &mut dyn FnMut(&[&str], Evaluated<'a>)) {
    match action {
        Action::Call { args, .. } | Action::Run { args, .. } => {
            if let Some(args) = args {
                see(&["args"], Evaluated::Json(args));
            }
        }
        Action::If { condition, .. } => see(&["if"], Evaluated::Expression(condition)),
        Action::While { condition, .. } => see(&["while"], Evaluated::Expression(condition)),
        Action::For { items, .. } => match items {
            Items::Expression(expression) => see(&["in"], Evaluated::Expression(expression)),
            Items::List(list) => see(&["in"], Evaluated::Json(list)),
        },
        Action::Set(variables) => {
            for (name, value) in variables {
                see(&["set", name.as_str()], Evaluated::Json(value));
            }
        }
        Action::Publish { name, data } => {
            see(&["publish"], Evaluated::Text(name));
            see(&["data"], Evaluated::Json(data));
        }
        Action::Notify {
            message,
            title,
            link,
            ..
        } => {
            see(&["message"], Evaluated::Text(message));
            for (key, text) in [("title", title), ("link", link)] {
                if let Some(text) = text {
                    see(&[key], Evaluated::Text(text));
                }
            }
        }
        Action::Return(value) => see(&["return"], Evaluated::Json(value)),
        Action::Wait(_) => {}
    }
}
