//! Whether procedures are given what they need, where they are run.
//!
//! Separate from the reading of entries, since a procedure may stand behind what runs it. That one is not there at all is said already.

use std::collections::HashMap;

use crate::model::{ArgumentFault, JsonText, Parameters, ProcedureId};

use super::flaws::shown;
use super::parse::{Parsed, Run};
use super::problem::{Problem, ProblemKind, is_word};

/// Adds the arguments that do not fit to the problems found so far.
pub(super) fn check(parsed: &mut Parsed) {
    let procedures = parsed.building.procedures.iter();
    let parameters: HashMap<&ProcedureId, &Parameters> = procedures
        .map(|procedure| (&procedure.id, &procedure.parameters))
        .collect();
    let problems = parsed.runs.iter().flat_map(|run| {
        let parameters = parameters.get(&run.procedure);
        let parameters = parameters.filter(|_| !is_made_later(run.args.as_ref()));
        let faults = parameters.map(|parameters| parameters.faults(run.args.as_ref()));
        let faults = faults.unwrap_or_default().into_iter();
        faults.map(move |fault| problem(run, &fault))
    });
    let problems: Vec<Problem> = problems.collect();
    parsed.problems.extend(problems);
}

/// Whether an expression makes the arguments as a whole, so that nobody knows yet which there are.
fn is_made_later(args: Option<&JsonText>) -> bool {
    args.is_some_and(|args| args.as_str().starts_with('"') && args.as_str().contains("{{"))
}

fn problem(run: &Run, fault: &ArgumentFault) -> Problem {
    let (field, steps) = &run.within;
    let reason = match fault {
        // A key that has more than a word may be a value whose colon is missing.
        ArgumentFault::Unknown(name) if !is_word(name) => {
            "gives something that is no parameter of the procedure".to_owned()
        }
        ArgumentFault::Unknown(_) | ArgumentFault::Missing(_) | ArgumentFault::TooMany(_) => {
            fault.to_string()
        }
    };
    Problem {
        at: run.at,
        kind: ProblemKind::Inside {
            what: shown(field, steps),
            reason,
        },
    }
}
