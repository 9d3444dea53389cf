//! Texts with expressions in the entries of a file: each is read once here, so that a mistake in one is told with its line.
//!
//! Separate from the other forms, since expressions have a room of their own, which the model does not know.
//! What an expression comes to is only known when it is evaluated.

use crate::building_file::flaws;
use crate::building_file::node::Node;
use crate::building_file::settings::value;
use crate::expressions::{Text, Value};
use crate::model::{CustomCommand, Flaw, JsonText, Misfit, Step};

use super::Parser;

impl Parser<'_> {
    /// The texts of a command that are evaluated with what a message says.
    pub(super) fn expressions(&mut self, node: &Node, command: &CustomCommand) {
        for (field, flaw) in mistaken_texts(command) {
            let other_form = format!("{field}_json");
            let given = value(node, field).or_else(|| value(node, &other_form));
            if let Some(given) = given {
                let problem = flaws::problem(field, given, &flaw);
                self.parsed.problems.push(problem);
            }
        }
    }
}

/// What is wrong in the texts of a command that are evaluated with what a message says, and in which field.
pub fn mistaken_texts(command: &CustomCommand) -> Vec<(&'static str, Flaw)> {
    let fields = [("args", &command.args), ("result", &command.result)];
    let texts = fields
        .into_iter()
        .filter_map(|(field, json)| Some((field, json.as_ref()?)));
    texts
        .flat_map(|(field, json)| {
            mistakes(json, &[])
                .into_iter()
                .map(move |flaw| (field, flaw))
        })
        .collect()
}

/// What is wrong in the texts of some JSON, which may call these functions.
pub(super) fn mistakes(json: &JsonText, functions: &[&str]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    look(
        &Value::of_json(json),
        functions,
        &mut Vec::new(),
        &mut flaws,
    );
    flaws
}

/// Values nest no deeper than they are opened, so this calls itself no oftener.
fn look(value: &Value, functions: &[&str], steps: &mut Vec<Step>, flaws: &mut Vec<Flaw>) {
    match value {
        Value::Text(text) => {
            if let Err(error) = Text::parse(text, functions) {
                flaws.push(Flaw {
                    steps: steps.clone(),
                    misfit: Misfit::Other(format!("has a mistake in its text, at {error}")),
                });
            }
        }
        Value::List(items) => {
            for (place, item) in items.iter().enumerate() {
                steps.push(Step::Item(place));
                look(item, functions, steps, flaws);
                steps.pop();
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter() {
                steps.push(Step::Key(name.to_string()));
                look(member, functions, steps, flaws);
                steps.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Json(_) => {}
    }
}
