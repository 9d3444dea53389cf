//! Servers side by side: every round runs each of them once, fresh, and only ratios taken within a round are compared.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::scenario::{Figures, Scenario, Size};
use crate::target::Target;

/// What is compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Comparison {
    /// The servers.
    #[arg(required = true)]
    targets: Vec<Target>,
    /// What is done to them; everything unless given.
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

/// All figures of one scenario: by server, by figure, one a round.
type Table = BTreeMap<Target, BTreeMap<&'static str, Vec<f64>>>;

#[derive(Serialize)]
struct Record<'a> {
    scenario: String,
    server: &'a str,
    figure: &'a str,
    rounds: &'a [f64],
}

/// Runs the comparison and prints its tables.
pub(crate) fn run(comparison: &Comparison) -> Result<()> {
    let scenarios = if comparison.scenarios.is_empty() {
        <Scenario as clap::ValueEnum>::value_variants().to_vec()
    } else {
        comparison.scenarios.clone()
    };
    let mut records = Vec::new();
    for scenario in scenarios {
        let mut table = Table::new();
        for round in 1..=comparison.rounds {
            for &target in &comparison.targets {
                eprint!("\r{scenario:?}, round {round}, {}          ", target.name());
                let figures = run_once(comparison, scenario, target)?;
                for (name, figure) in figures {
                    table
                        .entry(target)
                        .or_default()
                        .entry(name)
                        .or_default()
                        .push(figure);
                }
            }
        }
        eprint!("\r                                          \r");
        print(scenario, &comparison.targets, &table);
        records.push((scenario, table));
    }
    if let Some(path) = &comparison.json {
        let records: Vec<Record<'_>> = records
            .iter()
            .flat_map(|(scenario, table)| {
                table.iter().flat_map(move |(target, figures)| {
                    figures.iter().map(move |(figure, rounds)| Record {
                        scenario: format!("{scenario:?}").to_lowercase(),
                        server: target.name(),
                        figure,
                        rounds,
                    })
                })
            })
            .collect();
        std::fs::write(path, serde_json::to_string_pretty(&records)?)?;
    }
    Ok(())
}

fn run_once(comparison: &Comparison, scenario: Scenario, target: Target) -> Result<Figures> {
    let server = target.start(&comparison.riser, comparison.workers, scenario.ids())?;
    scenario.run(&server, comparison.size)
}

/// One table: medians, and behind them the median of each round's ratio to the first server, with its spread.
fn print(scenario: Scenario, targets: &[Target], table: &Table) {
    println!("{scenario:?}");
    let Some(base) = targets.first().and_then(|target| table.get(target)) else {
        return;
    };
    for name in base.keys() {
        print!("  {name:<30}");
        for target in targets {
            let Some(rounds) = table.get(target).and_then(|figures| figures.get(name)) else {
                print!("{:>12} {:<26}", target.name(), "–");
                continue;
            };
            print!("  {} {:>10}", target.name(), short(median(rounds)));
            if target != &targets[0] {
                let ratios: Vec<f64> = base[name].iter().zip(rounds).map(|(a, b)| a / b).collect();
                let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
                let high = ratios.iter().copied().fold(0.0, f64::max);
                print!(" (×{:.2}, {low:.2}–{high:.2})", median(&ratios));
            }
        }
        println!();
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}
