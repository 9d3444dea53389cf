//! What procedures, hooks and triggers need beyond the kinds of their fields: where variables are filled in, what they mention, and that their expressions can be read.
//!
//! Separate from the reading of entries in general, which only calls these.
//! Expressions are read once here, so that a mistake in one is told where it stands. Some are without `{{ }}`, and all may call functions of the outside.
//! What they mention is only noted: whether it is there is seen when all entries are read.

use crate::building_file::flaws;
use crate::building_file::node::{Kind, Node, json_text};
use crate::building_file::problem::{Position, ProblemKind};
use crate::building_file::settings::{value, walk};
use crate::building_file::variables;
use crate::expressions::{Expression, Text};
use crate::model::rules::Thing;
use crate::model::{
    EXPRESSION_FUNCTIONS, Evaluated, Flaw, FunctionPath, Hook, JsonText, Mention, Misfit,
    Procedure, ProcedureId, Step, Trigger, TriggerPath,
};

use super::Parser;
use super::expressions::mistakes;

/// A procedure that is run, what it is given, and where that stands.
pub(in crate::building_file) struct Run {
    /// Which.
    pub(in crate::building_file) procedure: ProcedureId,
    /// By name or by position.
    pub(in crate::building_file) args: Option<JsonText>,
    /// The field of the entry, and the way down from it.
    pub(in crate::building_file) within: (&'static str, Vec<Step>),
    /// The place in the file.
    pub(in crate::building_file) at: Position,
}

impl Parser<'_> {
    pub(super) fn procedure(&mut self, node: &Node) -> Option<Procedure> {
        let procedure: Procedure = self.read(node)?;
        self.flaws(node, procedure.mistakes());
        self.flaws(node, mistaken_expressions(&procedure.evaluated()));
        for path in procedure.paths() {
            self.function(position(node, &path), path.of);
        }
        self.runs(node, procedure.procedures());
        Some(procedure)
    }

    pub(super) fn hook(&mut self, node: &Node) -> Option<Hook> {
        let hook: Hook = self.read(node)?;
        self.flaws(node, hook.mistakes());
        self.flaws(node, mistaken_expressions(&hook.evaluated()));
        if let Some(path) = &hook.call {
            self.function(field(node, "call").at, path.clone());
        }
        if let Some(procedure) = &hook.run {
            let is_given = hook.args.is_some();
            let within = if is_given { "args" } else { "run" };
            self.parsed.runs.push(Run {
                procedure: procedure.clone(),
                args: hook.args.clone(),
                within: (within, Vec::new()),
                at: field(node, within).at,
            });
        }
        Some(hook)
    }

    pub(super) fn trigger(&mut self, node: &Node) -> Option<Trigger> {
        let trigger: Trigger = self.read(node)?;
        self.flaws(node, trigger.mistakes());
        self.flaws(node, mistaken_expressions(&trigger.evaluated()));
        for path in trigger.paths() {
            let at = position(node, &path);
            let place = match &path.of {
                TriggerPath::Status(path) => &path.target().module,
                TriggerPath::Function(path) => &path.target().module,
            };
            // That its own system is not there is said where it names that.
            if trigger.system.as_ref() != Some(&place.system) {
                self.refer(Thing::System, place.system.as_str(), at);
            }
            self.parsed.places.push((place.clone(), at));
            if let TriggerPath::Function(path) = path.of {
                self.parsed.functions.push((path, at));
            }
        }
        self.runs(node, trigger.procedures());
        if trigger.is_webhook() {
            // It has the address that a hook of its name would have.
            let at = field(node, "id").used_at;
            self.claim(Thing::Hook, trigger.id.as_str(), at);
        }
        Some(trigger)
    }

    /// What is wrong inside fields, each at its place.
    fn flaws(&mut self, node: &Node, flaws: Vec<(&'static str, Flaw)>) {
        for (name, flaw) in flaws {
            let problem = flaws::problem(name, field(node, name), &flaw);
            self.parsed.problems.push(problem);
        }
    }

    /// A module must stand there and have this function.
    fn function(&mut self, at: Position, path: FunctionPath) {
        self.place(&path.target().module, at);
        self.parsed.functions.push((path, at));
    }

    fn runs(&mut self, node: &Node, runs: Vec<Mention<(&ProcedureId, Option<&JsonText>)>>) {
        for run in runs {
            let at = position(node, &run);
            let (procedure, args) = run.of;
            self.refer(Thing::Procedure, procedure.as_str(), at);
            let mut steps = run.steps;
            if args.is_some() {
                steps.pop();
                steps.push(Step::Key("args".to_owned()));
            }
            self.parsed.runs.push(Run {
                procedure: procedure.clone(),
                args: args.cloned(),
                at: walk(field(node, run.field), &steps).at,
                within: (run.field, steps),
            });
        }
    }

    /// A list of maps as JSON, of which variables are filled in under these keys of the maps alone.
    pub(super) fn filled_at(&mut self, node: &Node, keys: &[&str]) -> String {
        let Kind::List(items) = &node.kind else {
            return node.to_json(&mut |node| self.unfilled(node));
        };
        let items: Vec<String> = items
            .iter()
            .map(|item| match &item.kind {
                Kind::Map(members) => {
                    let members = members.iter().map(|(key, value)| {
                        let json = match keys.contains(&key.text.as_str()) {
                            true => value.to_json(&mut |node| self.setting(node)),
                            false => value.to_json(&mut |node| self.unfilled(node)),
                        };
                        format!("{}:{json}", json_text(&key.text))
                    });
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }
                Kind::Null
                | Kind::Bool(_)
                | Kind::Number(_)
                | Kind::Digits
                | Kind::Text(_)
                | Kind::List(_) => item.to_json(&mut |node| self.unfilled(node)),
            })
            .collect();
        format!("[{}]", items.join(","))
    }

    /// What is neither list nor map, where no variable is filled in.
    fn unfilled(&mut self, node: &Node) -> String {
        match &node.kind {
            Kind::Text(text) => {
                if variables::mentioned(text) {
                    self.problem(node.at, ProblemKind::EnvElsewhere);
                }
                json_text(&variables::unescape(text))
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Digits
            | Kind::List(_)
            | Kind::Map(_) => self.setting(node),
        }
    }
}

/// What an entry has in a field, which may be there as a JSON text; the entry itself where nothing is there.
fn field<'n>(node: &'n Node, name: &str) -> &'n Node {
    let given = value(node, name).or_else(|| value(node, &format!("{name}_json")));
    given.unwrap_or(node)
}

fn position<T>(node: &Node, mention: &Mention<T>) -> Position {
    walk(field(node, mention.field), &mention.steps).at
}

/// What is wrong in that which an entry evaluates, and in which field.
pub fn mistaken_expressions(evaluated: &[Mention<Evaluated<'_>>]) -> Vec<(&'static str, Flaw)> {
    let mut found = Vec::new();
    for Mention { field, steps, of } in evaluated {
        let read = match of {
            Evaluated::Json(json) => {
                let within = |flaw: Flaw| {
                    let steps = steps.iter().cloned().chain(flaw.steps).collect();
                    (*field, Flaw { steps, ..flaw })
                };
                found.extend(mistakes(json, EXPRESSION_FUNCTIONS).into_iter().map(within));
                continue;
            }
            Evaluated::Expression(source) => {
                Expression::parse(source, EXPRESSION_FUNCTIONS).map(drop)
            }
            Evaluated::Text(source) => Text::parse(source, EXPRESSION_FUNCTIONS).map(drop),
        };
        if let Err(error) = read {
            let steps: Vec<Step> = steps.clone();
            let misfit = Misfit::Other(format!("has a mistake in its text, at {error}"));
            found.push((*field, Flaw { steps, misfit }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JsonText, Steps};

    #[test]
    fn every_mistake_in_an_expression_is_told_where_it_stands() {
        let steps = r#"[
            {"if": "{{ who }}", "then": [{"call": "a/B_1/c", "args": {"x": ["{{ 1 + }}", "{{ statu(1) }}"]}}]},
            {"while": "who ==", "do": []},
            {"for": "x", "in": ["{{ x | nothing }}"], "do": [{"set": {"y": "{{ now() }} {{ status('a') }}"}}]},
            {"notify": "s", "message": "{% if x %}"},
            {"return": "{{ fine }}"}
        ]"#;
        let steps = Steps::read(&JsonText::parse(steps).unwrap()).unwrap();
        let found = mistaken_expressions(&steps.evaluated("steps"));
        let said: Vec<String> = found
            .iter()
            .map(|(field, flaw)| format!("{field} {flaw}"))
            .collect();
        let places = [
            "[0].if",
            "[0].then[0].args.x[0]",
            "[0].then[0].args.x[1]",
            "[1].while",
            "[2].in[0]",
            "[3].message",
        ];
        assert_eq!(said.len(), places.len(), "{said:#?}");
        for (said, place) in said.iter().zip(places) {
            let begin = format!("steps has `{place}`, which has a mistake in its text, at line 1");
            assert!(said.starts_with(&begin), "{said}");
        }
        assert!(said[0].contains("`{{ }}` is a mistake here"), "{}", said[0]);
        assert!(said[2].contains("did you mean `status`?"), "{}", said[2]);
    }
}
