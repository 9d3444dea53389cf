//! `riser check`: the mistakes of one file, found by the rooms that read it when the gateway starts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::app::AppError;
use crate::app::source::known_drivers;
use crate::building_file;
use crate::config::{self, Flags};
use crate::model::Building;
use crate::server::foreign_rules;

/// What is printed for a file without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// A line for people.
    pub verdict: String,
    /// What the file leads to, secrets masked.
    pub outcome: String,
}

/// The verdict on a file for scripts.
#[derive(Serialize)]
struct VerdictShape<'a> {
    file: &'a str,
    good: bool,
    /// Each mistake with its place and what to do.
    problems: Vec<&'a str>,
}

/// The verdict as a line of JSON, with the mistakes if there are any.
pub fn verdict_line(file: &Path, wrong: Option<&AppError>) -> String {
    let problems = wrong.map(ToString::to_string).unwrap_or_default();
    let verdict = VerdictShape {
        file: &file.display().to_string(),
        good: wrong.is_none(),
        problems: problems.lines().collect(),
    };
    serde_json::to_string(&verdict).unwrap_or_default() + "\n"
}

/// Reads a building file or a file of settings as a start would, and starts nothing.
///
/// The environment counts among the settings, as at a start.
pub fn check(file: &Path, environment: &BTreeMap<String, String>) -> Result<Checked, AppError> {
    let name = file.display().to_string();
    let text = || {
        std::fs::read_to_string(file).map_err(|cause| AppError::UnreadableFile {
            file: name.clone(),
            cause,
        })
    };
    let extension = file.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("yaml" | "yml" | "json") => {
            let drivers = known_drivers();
            let building =
                building_file::read(&name, &text()?, &drivers, foreign_rules(), environment)?;
            let verdict = format!("{name}: a good building file ({})", counts(&building));
            let outcome = building_file::masked(&building);
            Ok(Checked { verdict, outcome })
        }
        Some("toml") => {
            let text = text()?;
            let layer = Some((name.as_str(), text.as_str()));
            let outcome = config::outcome(layer, &Flags::default(), environment)?;
            let verdict = format!("{name}: a good file of settings");
            Ok(Checked { verdict, outcome })
        }
        Some(_) | None => Err(AppError::NeitherKind { file: name }),
    }
}

/// How many entries of each kind a building has, without the kinds of which there are none.
fn counts(building: &Building) -> String {
    let counts = [
        ("zones", building.zones.len()),
        ("systems", building.systems.len()),
        ("modules", building.modules.len()),
        ("users", building.users.len()),
        ("API keys", building.api_keys.len()),
        ("metadata", building.metadata.len()),
        ("entities", building.entities.len()),
        ("commands", building.commands.len()),
        ("apps", building.apps.len()),
        ("services", building.services.len()),
        ("procedures", building.procedures.len()),
        ("hooks", building.hooks.len()),
        ("triggers", building.triggers.len()),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    match counts.is_empty() {
        true => "nothing in it".to_owned(),
        false => counts.join(", "),
    }
}
