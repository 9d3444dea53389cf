//! Expressions in procedures, hooks and triggers: each is read once, so that a mistake in one is told where it stands.
//!
//! Separate from the texts of commands, since some of these are expressions without `{{ }}`, and all may call functions of the outside.

use crate::expressions::{Expression, Text};
use crate::model::{EXPRESSION_FUNCTIONS, Evaluated, Flaw, Mention, Misfit, Step};

use super::expressions::mistakes;

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
