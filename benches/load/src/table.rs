//! How a comparison is printed: a table for each scenario, a row for each server.
//!
//! A cell is the median of the rounds and, behind it, the median of each round's ratio to the first server with its spread.
//! The two loads are no results and share a narrow column at the end.

use std::fmt;

use crate::compare::{Outcome, Table};
use crate::scenario::{SERVER_LOAD, Scenario, TOOL_LOAD};
use crate::target::Target;

const LOADS: &str = "server, tool %";

/// The printed form of one scenario's figures; the first target is what the others are compared with.
pub(crate) struct Printed<'a> {
    pub(crate) scenario: Scenario,
    pub(crate) targets: &'a [Target],
    pub(crate) table: &'a Table,
}

/// What stands below a column's head.
struct Cell {
    value: String,
    ratio: String,
}

struct Column {
    head: &'static str,
    cells: Vec<Cell>,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}: {}", self.scenario.name(), self.scenario.help())?;
        let measured: Vec<Target> = self
            .targets
            .iter()
            .copied()
            .filter(|target| matches!(self.table.get(target), Some(Outcome::Measured(_))))
            .collect();
        let columns = self.columns(&measured);
        let names = self.targets.iter().map(|target| target.name().len());
        let width = names.max().unwrap_or(0);
        let row = |out: &mut fmt::Formatter<'_>, name: &str, texts: Vec<(&str, &str)>| {
            let mut line = format!("  {name:width$}");
            for (column, (value, ratio)) in columns.iter().zip(texts) {
                let (left, right) = column.widths();
                line.push_str(&format!("   {value:>left$}{ratio:right$}"));
            }
            writeln!(out, "{}", line.trim_end())
        };
        if !measured.is_empty() {
            let heads = columns.iter().map(|column| (column.head, ""));
            row(out, "", heads.collect())?;
        }
        for (at, target) in measured.iter().enumerate() {
            let cells = columns.iter().map(|column| &column.cells[at]);
            let texts = cells.map(|cell| (cell.value.as_str(), cell.ratio.as_str()));
            row(out, target.name(), texts.collect())?;
        }
        for target in self.targets {
            if let Some(Outcome::Failed(reason)) = self.table.get(target) {
                writeln!(out, "  {:width$}   no figure: {reason}", target.name())?;
            }
        }
        Ok(())
    }
}

impl Printed<'_> {
    fn rounds(&self, target: Target, figure: &str) -> Option<&[f64]> {
        match self.table.get(&target) {
            Some(Outcome::Measured(figures)) => figures.get(figure).map(Vec::as_slice),
            Some(Outcome::Failed(_)) | None => None,
        }
    }

    /// One column a figure, in the order of their names, and one for both loads.
    fn columns(&self, measured: &[Target]) -> Vec<Column> {
        let mut heads: Vec<&'static str> = measured
            .iter()
            .filter_map(|target| match self.table.get(target) {
                Some(Outcome::Measured(figures)) => Some(figures.keys().copied()),
                Some(Outcome::Failed(_)) | None => None,
            })
            .flatten()
            .collect();
        heads.sort_unstable();
        heads.dedup();
        let loads = heads.contains(&SERVER_LOAD);
        heads.retain(|head| ![SERVER_LOAD, TOOL_LOAD].contains(head));
        let mut columns: Vec<Column> = heads
            .into_iter()
            .map(|head| Column {
                head,
                cells: measured
                    .iter()
                    .map(|target| self.cell(*target, head))
                    .collect(),
            })
            .collect();
        if loads {
            columns.push(Column {
                head: LOADS,
                cells: measured.iter().map(|target| self.loads(*target)).collect(),
            });
        }
        columns
    }

    fn cell(&self, target: Target, figure: &str) -> Cell {
        let Some(rounds) = self.rounds(target, figure) else {
            return Cell {
                value: "–".to_owned(),
                ratio: String::new(),
            };
        };
        let first = self.targets.first().filter(|first| **first != target);
        let base = first.and_then(|first| self.rounds(*first, figure));
        Cell {
            value: short(median(rounds)),
            ratio: base.map_or_else(String::new, |base| ratio(base, rounds)),
        }
    }

    fn loads(&self, target: Target) -> Cell {
        let percent = |figure| {
            let rounds = self.rounds(target, figure).unwrap_or_default();
            format!("{:.0}", median(rounds) * 100.0)
        };
        Cell {
            value: format!("{}, {}", percent(SERVER_LOAD), percent(TOOL_LOAD)),
            ratio: String::new(),
        }
    }
}

impl Column {
    /// Of the value, and of what stands behind it.
    fn widths(&self) -> (usize, usize) {
        let longest = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let values = &mut self.cells.iter().map(|cell| cell.value.as_str());
        let ratios = &mut self.cells.iter().map(|cell| cell.ratio.as_str());
        (
            longest(values).max(self.head.chars().count()),
            longest(ratios),
        )
    }
}

/// The median of the ratios of each round, and between what they lie when there are several.
fn ratio(base: &[f64], rounds: &[f64]) -> String {
    let ratios: Vec<f64> = base
        .iter()
        .zip(rounds)
        .map(|(base, value)| value / base)
        .filter(|ratio| ratio.is_finite())
        .collect();
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    match ratios.len() {
        0 => String::new(),
        1 => format!(" ×{}", plain(low)),
        _ => format!(
            " ×{} ({}–{})",
            plain(median(&ratios)),
            plain(low),
            plain(high)
        ),
    }
}

/// A ratio: two decimals about one, fewer where it is large and more where it is small.
fn plain(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 99.95 => format!("{ratio:.0}"),
        ratio if ratio >= 9.995 => format!("{ratio:.1}"),
        ratio if ratio >= 0.0995 => format!("{ratio:.2}"),
        ratio => format!("{ratio:.3}"),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Three digits that count, with k and M for thousands and millions.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 999_500.0 => (value / 1e6, "M"),
        value if value >= 999.5 => (value / 1e3, "k"),
        value => (value, ""),
    };
    match value {
        value if value >= 99.95 => format!("{value:.0}{unit}"),
        value if value >= 9.995 => format!("{value:.1}{unit}"),
        value if value >= 0.9995 => format!("{value:.2}{unit}"),
        value => format!("{value:.3}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let check = |value: f64, expected: &str| assert_eq!(short(value), expected, "{value}");
        check(0.0, "0.000");
        check(0.281_4, "0.281");
        check(0.999_7, "1.00");
        check(9.996, "10.0");
        check(131.2, "131");
        check(999.6, "1.00k");
        check(131_234.0, "131k");
        check(1_234_567.0, "1.23M");
    }

    #[test]
    fn a_server_without_figures_keeps_its_row_and_says_why() {
        let measured = |rounds: [f64; 2]| {
            Outcome::Measured(BTreeMap::from([
                ("notifies/s", rounds.to_vec()),
                (SERVER_LOAD, vec![1.0, 0.99]),
                (TOOL_LOAD, vec![0.5, 0.5]),
            ]))
        };
        let table = Table::from([
            (Target::Limit, measured([200_000.0, 100_000.0])),
            (Target::Riser, measured([180_000.0, 95_000.0])),
            (Target::Uws, Outcome::Failed("it was tired".to_owned())),
        ]);
        let printed = Printed {
            scenario: Scenario::Idle,
            targets: &[Target::Limit, Target::Uws, Target::Riser],
            table: &table,
        };
        assert_eq!(
            printed.to_string(),
            "idle: Memory of idle connections
          notifies/s                     server, tool %
  limit         200k                            100, 50
  riser         180k ×0.95 (0.90–0.95)          100, 50
  uws     no figure: it was tired
"
        );
    }
}
