//! Servers side by side: every round runs each of them once, fresh, and only ratios taken within a round are compared.
//!
//! A peer that is not there is named and left out, and what goes wrong on one server in one scenario costs it that row alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::machine;
use crate::print;
use crate::scenario::{Figures, Scenario, Size};
use crate::table::Printed;
use crate::target::Target;

/// What is compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Comparison {
    /// The servers; the first is what the others are compared with.
    #[arg(required = true)]
    targets: Vec<Target>,
    /// What is done to them; everything that they can have done unless given.
    #[arg(long, value_delimiter = ',')]
    scenarios: Vec<Scenario>,
    /// How often.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[command(flatten)]
    size: Size,
    /// riser's binary.
    #[arg(long, default_value = "target/release/riser")]
    riser: PathBuf,
    /// riser's worker threads.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Where to write all figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What came of one server in one scenario.
pub(crate) enum Outcome {
    /// Each figure, once a round.
    Measured(BTreeMap<&'static str, Vec<f64>>),
    /// Why there is none: one wrong round is enough.
    Failed(String),
}

/// What came of one scenario.
pub(crate) type Table = BTreeMap<Target, Outcome>;

#[derive(Serialize)]
struct Record<'a> {
    scenario: &'a str,
    server: &'a str,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Figure { figure: &'a str, rounds: &'a [f64] },
    None { no_figure: &'a str },
}

/// Runs the comparison and prints its tables. It has failed when riser or the yardstick has.
pub(crate) fn run(comparison: &Comparison) -> Result<()> {
    machine::prepare()?;
    let on_redis = |target: &Target| target.stands_on_redis();
    let scenarios: Vec<Scenario> = if comparison.scenarios.is_empty() {
        let all = <Scenario as clap::ValueEnum>::value_variants()
            .iter()
            .copied();
        let fits = |scenario: &Scenario| {
            let mut targets = comparison.targets.iter();
            targets.all(|target| scenario.fits(*target))
        };
        all.filter(fits).collect()
    } else {
        comparison.scenarios.clone()
    };
    let steps = scenarios.len() * comparison.rounds * comparison.targets.len();
    let bar = ProgressBar::new(u64::try_from(steps)?).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len}  {msg}  {elapsed} of about {duration}",
    )?);
    let mut failures = Vec::new();
    let mut targets = Vec::new();
    for &target in &comparison.targets {
        bar.set_message(format!("preparing {}", target.name()));
        match target.prepare(&comparison.riser) {
            Ok(()) => targets.push(target),
            Err(error) => {
                let line = format!("left out: {}: {error:#}\n", target.name());
                bar.suspend(|| print(&line))?;
                fail(target, "everything", &mut failures);
            }
        }
    }
    bar.set_length(u64::try_from(
        scenarios.len() * comparison.rounds * targets.len(),
    )?);
    bar.reset_elapsed();
    let mut tables = Vec::new();
    if targets.iter().any(on_redis) {
        let whose = if machine::has_core_beside() {
            "a core of their own"
        } else {
            "the core of the server that is measured"
        };
        bar.suspend(|| print(&format!("Redis and further nodes have {whose}\n")))?;
    }
    for scenario in scenarios {
        let table = measure(comparison, scenario, &targets, &bar);
        let printed = Printed {
            scenario,
            targets: &targets,
            table: &table,
        };
        bar.suspend(|| print(&format!("\n{printed}")))?;
        for (target, outcome) in &table {
            if matches!(outcome, Outcome::Failed(_)) {
                fail(*target, scenario.name(), &mut failures);
            }
        }
        tables.push((scenario, table));
    }
    bar.finish_and_clear();
    if let Some(path) = &comparison.json {
        std::fs::write(path, serde_json::to_string_pretty(&records(&tables))?)
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    if !failures.is_empty() {
        bail!(
            "no figure where there has to be one: {}",
            failures.join(", ")
        );
    }
    Ok(())
}

fn fail(target: Target, what: &str, failures: &mut Vec<String>) {
    if target.is_essential() {
        failures.push(format!("{} in {what}", target.name()));
    }
}

/// Every server once a round; one that has failed is not run again.
fn measure(
    comparison: &Comparison,
    scenario: Scenario,
    targets: &[Target],
    bar: &ProgressBar,
) -> Table {
    let mut table = Table::new();
    for round in 1..=comparison.rounds {
        for &target in targets {
            bar.set_message(format!(
                "{}, round {round}, {}",
                scenario.name(),
                target.name()
            ));
            let outcome = table
                .entry(target)
                .or_insert_with(|| Outcome::Measured(BTreeMap::new()));
            if let Outcome::Measured(rounds) = outcome {
                match run_once(comparison, scenario, target) {
                    Ok(figures) => {
                        for (name, figure) in figures {
                            rounds.entry(name).or_default().push(figure);
                        }
                    }
                    Err(error) => *outcome = Outcome::Failed(format!("{error:#}")),
                }
            }
            bar.inc(1);
        }
    }
    table
}

fn run_once(comparison: &Comparison, scenario: Scenario, target: Target) -> Result<Figures> {
    let mut server = target.start(
        &comparison.riser,
        comparison.workers,
        scenario.layout(comparison.size),
    )?;
    scenario
        .run(&server, comparison.size)
        .map_err(|error| server.blame(error))
}

fn records(tables: &[(Scenario, Table)]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    for (scenario, table) in tables {
        for (target, outcome) in table {
            let mut push = |content| {
                records.push(Record {
                    scenario: scenario.name(),
                    server: target.name(),
                    content,
                });
            };
            match outcome {
                Outcome::Measured(figures) => {
                    for (figure, rounds) in figures {
                        push(Content::Figure { figure, rounds });
                    }
                }
                Outcome::Failed(no_figure) => push(Content::None { no_figure }),
            }
        }
    }
    records
}
