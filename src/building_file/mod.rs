//! The building file: YAML (so JSON too) in, a checked [`Building`] out, or every mistake with its line and a remedy.
//!
//! Separate because a file is one of several places a building can come from, and the only one whose mistakes a person has to correct.
//! It knows no driver, no store and no route: the drivers and what they take, what others make of a building and the environment are arguments.
//!
//! - `node` reads the text into a tree with positions.
//! - `parse` reads the tree entry by entry into the model's words, `variables` filling in `${ENV:…}`.
//! - `check` compares the entries with each other.
//! - `flaws` words what is wrong inside a field that has a form of its own.
//! - `fragment` reads settings alone.
//! - `places` looks up whether modules stand where paths say, and have the functions that are called there.
//! - `runs` looks up whether procedures are given what they need.
//! - `settings` holds modules to what their drivers take.
//! - `problem` holds what can be wrong.
//! - `write` writes a building as a file, with or without its secrets.
//! - `demo` is the building that runs when no file is given.

mod check;
mod demo;
#[cfg(test)]
mod document;
mod flaws;
mod fragment;
mod node;
mod parse;
mod places;
mod problem;
mod runs;
mod settings;
#[cfg(test)]
mod tests;
mod variables;
mod write;

use std::collections::{BTreeMap, HashSet};

use crate::model::rules::ForeignRules;
use crate::model::{Building, Configuration, Interface};

pub use demo::demo;
pub use fragment::map_of;
pub use parse::{mistaken_expressions, mistaken_texts};
pub use problem::{Position, Problem, ProblemKind, Problems};
pub use write::{masked, without_app_secrets, write};

/// A driver that modules can name.
#[derive(Debug, Clone, Copy)]
pub struct KnownDriver {
    /// Its id.
    pub id: &'static str,
    /// What it takes of a module.
    pub configuration: Configuration,
    /// The functions of its modules, where they are known before one runs.
    pub interface: Option<fn() -> Interface>,
}

#[cfg(test)]
impl KnownDriver {
    /// One that takes whatever the building says.
    fn any(id: &'static str) -> Self {
        let configuration = Configuration::ANY;
        let interface = None;
        Self {
            id,
            configuration,
            interface,
        }
    }
}

/// Reads and checks the text of a building file.
///
/// `file` is what the problems call it, `drivers` are the linked-in drivers, `foreign` what others make of a building,
/// `environment` fills in `${ENV:…}`.
pub fn read(
    file: &str,
    text: &str,
    drivers: &[KnownDriver],
    foreign: ForeignRules<'_>,
    environment: &BTreeMap<String, String>,
) -> Result<Building, Problems> {
    read_with(file, text, Some(drivers), foreign, environment)
}

/// The same where another process knows the drivers: each is taken for one that exists.
pub fn read_for_any_driver(
    file: &str,
    text: &str,
    foreign: ForeignRules<'_>,
    environment: &BTreeMap<String, String>,
) -> Result<Building, Problems> {
    read_with(file, text, None, foreign, environment)
}

fn read_with(
    file: &str,
    text: &str,
    drivers: Option<&[KnownDriver]>,
    foreign: ForeignRules<'_>,
    environment: &BTreeMap<String, String>,
) -> Result<Building, Problems> {
    let problems = |list| Problems {
        file: file.to_owned(),
        list,
    };
    let root = node::Node::read(text).map_err(|problem| problems(vec![problem]))?;
    let mut parsed = parse::parse(&root, environment);
    check::check(&mut parsed, drivers, foreign);
    places::check(&mut parsed, drivers.unwrap_or_default());
    runs::check(&mut parsed);
    settings::check(&root, &mut parsed, drivers.unwrap_or_default());
    if parsed.problems.is_empty() {
        return Ok(parsed.building);
    }
    let mut list = parsed.problems;
    list.sort_by_key(|problem| problem.at);
    // A mistake behind an alias is found once for each alias, in the same words.
    let mut seen = HashSet::new();
    list.retain(|Problem { at, kind }| seen.insert((*at, kind.to_string())));
    Err(problems(list))
}
