//! The load tool: a comparison with other servers, its history, and a short run of every scenario for the tests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::step::{output_of, run as run_program, step};
use crate::test::{BUILD, cargo};

/// What riser is always compared with. The first is what the ratios are to.
const USUAL: &[&str] = &["limit", "riser", "uws"];

/// All that the tool knows; it names those that are not on this machine and goes on.
const ALL: &[&str] = &[
    "limit",
    "riser",
    "uws",
    "bun",
    "node",
    "redis",
    "nats",
    "mosquitto",
    "sockudo",
];

/// What Home Assistant's websocket is compared with: the first is riser itself by PlaceOS's, and the ratio that counts is to it.
const HOME_ASSISTANT: &[&str] = &["riser", "riser-ha", "limit"];

/// What is asked of it: the rest of riser is the same whatever its clients speak.
const OF_HOME_ASSISTANT: &[&str] = &["pending", "entities"];

/// What Pusher's protocol is compared with. Of the peers sockudo alone speaks it.
const PUSHER: &[&str] = &["limit", "riser-pusher", "sockudo"];

/// What is asked of it: what all three have, and what channels have alone.
const OF_PUSHER: &[&str] = &["topics", "idle"];
const OF_CHANNELS: &[&str] = &["trigger", "presence"];

/// What Platypush's protocol is compared with, which is Platypush, and what is asked of both.
const PLATYPUSH: &[&str] = &["platypush", "riser-platypush"];
const OF_PLATYPUSH: &[&str] = &["exec", "trip"];

/// A building with triggers, and the same without, which is what the ratios are to.
const TRIGGERS: &[&str] = &["riser", "riser-triggers"];
const OF_TRIGGERS: &[&str] = &["watched"];
const OF_FIRING: &[&str] = &["firing"];

/// What every peer is asked when all are: the figures by which servers are chosen.
const OF_ALL: &[&str] = &[
    "fanout", "pending", "own", "burst", "easy", "overload", "exec", "trip", "connect", "idle",
    "slow",
];

/// The rest, which says how riser itself grows and behaves.
const OF_USUAL: &[&str] = &[
    "bindings",
    "growth",
    "spread",
    "churn",
    "entities",
    "mixed",
    "slow-half",
    "slow-all",
];

/// Shorter than the tool's own three seconds: five rounds of three servers are done in a quarter of an hour, and of all peers in three.
const USUAL_SIZE: &[&str] = &["--seconds", "2"];
const ALL_SIZE: &[&str] = &["--seconds", "1"];

/// Hangs are ended. All peers take most of an hour, and are installed or built before.
const BOUND: Duration = Duration::from_secs(3 * 60 * 60);

/// What is compared for its correctness: every scenario, by the protocols of Home Assistant, of Pusher and of Platypush what their clients are for, with triggers what these do, by TLS those that differ in how much leaves at a time, and through Redis what goes through it.
const SMOKES: &[&[&str]] = &[
    &["limit", "riser"],
    &["riser-ha", "--scenarios", "entities"],
    &["limit", "riser-pusher", "--scenarios", "topics"],
    &["riser-pusher", "--scenarios", "trigger,presence,pending"],
    &["riser-platypush", "--scenarios", "exec,trip"],
    &["riser", "riser-triggers", "--scenarios", "watched"],
    &["riser-triggers", "--scenarios", "firing"],
    &["riser-tls", "--scenarios", "fanout,pending"],
    &["redis", "riser-redis", "--scenarios", "fanout,pending,easy"],
    &["riser-redis", "--scenarios", "resync,restart"],
    &["riser-redis", "riser-remote", "--scenarios", "exec,trip"],
];

/// Small enough for an unoptimised build: what is asked is whether every delivery is right, not when it comes.
const SMOKE_SIZE: &[&str] = &[
    "--rounds",
    "1",
    "--seconds",
    "1",
    "--connections",
    "50",
    "--entities",
    "100",
    "--triggers",
    "100",
];

/// Several times what it takes, since the machine may be busy with other things.
const SMOKE_BOUND: Duration = Duration::from_secs(5 * 60);

const HISTORY: &str = "benches/history.csv";
const HISTORY_HEAD: &str = "commit,date,scenario,figure,riser,ratio to limit,lowest,highest\n";

/// Builds riser and the tool as they are shipped and compares. `--all` takes every peer, `--record` adds to the history.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let (mut all, mut record) = (false, false);
    for argument in arguments {
        match argument.as_str() {
            "--all" => all = true,
            "--record" => record = true,
            other => bail!("load takes --all and --record, but was given {other}"),
        }
    }
    let build = ["build", "--release", "--locked"];
    let packages = ["--package", "riser", "--package", "load"];
    step("build", || {
        run_program(cargo().args(build).args(packages), root, BUILD)
    })?;
    let records = if all {
        let mut records = compare(root, ALL, OF_ALL, ALL_SIZE)?;
        records.extend(compare(root, USUAL, OF_USUAL, USUAL_SIZE)?);
        records
    } else {
        compare(root, USUAL, &[], USUAL_SIZE)?
    };
    let of_home_assistant = compare(root, HOME_ASSISTANT, OF_HOME_ASSISTANT, USUAL_SIZE)?;
    let mut of_pusher = compare(root, PUSHER, OF_PUSHER, USUAL_SIZE)?;
    of_pusher.extend(compare(root, &PUSHER[1..], OF_CHANNELS, USUAL_SIZE)?);
    let of_platypush = compare(root, PLATYPUSH, OF_PLATYPUSH, USUAL_SIZE)?;
    let mut of_triggers = compare(root, TRIGGERS, OF_TRIGGERS, USUAL_SIZE)?;
    of_triggers.extend(compare(root, &TRIGGERS[1..], OF_FIRING, USUAL_SIZE)?);
    if record {
        let (commit, today) = (commit(root)?, today()?);
        let mut new = lines(&records, "riser", &commit, &today)?;
        new += &lines(&of_home_assistant, "riser-ha", &commit, &today)?;
        new += &lines(&of_pusher, "riser-pusher", &commit, &today)?;
        new += &lines(&of_platypush, "riser-platypush", &commit, &today)?;
        for server in TRIGGERS {
            new += &lines(&of_triggers, server, &commit, &today)?;
        }
        append(&root.join(HISTORY), &new)?;
    }
    Ok(())
}

/// Compares some servers, in every scenario unless some are named, prints the tables, and returns the figures.
fn compare(root: &Path, servers: &[&str], scenarios: &[&str], size: &[&str]) -> Result<Vec<Value>> {
    let figures = root.join("target/load.json");
    let mut compare = Command::new(root.join("target/release/load"));
    compare
        .arg("compare")
        .args(servers)
        .args(size)
        .args(["--riser", "target/release/riser", "--json"])
        .arg(&figures);
    if !scenarios.is_empty() {
        compare.args(["--scenarios", &scenarios.join(",")]);
    }
    run_program(&mut compare, root, BOUND)?;
    let text = fs::read_to_string(&figures)
        .with_context(|| format!("could not read {}", figures.display()))?;
    serde_json::from_str(&text).context("the figures are not a list in JSON")
}

/// Every scenario for a moment, on the riser of the tests' build and on the yardstick, and some by TLS. It fails when a delivery is wrong, never when one is late.
pub(crate) fn smoke(root: &Path) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if threads < 2 {
        println!("xtask: load scenarios: left out, they need two cores");
        return Ok(());
    }
    step("load scenarios, for their correctness", || {
        // What it measures in passing is worth nothing, so it is shown only where it says what went wrong.
        let said = root.join("target/load-smoke.txt");
        let file = fs::File::create(&said)
            .with_context(|| format!("could not write {}", said.display()))?;
        let outcome = SMOKES.iter().try_for_each(|servers| {
            let mut compare = Command::new(root.join("target/debug/load"));
            compare
                .arg("compare")
                .args(*servers)
                .args(["--riser", "target/debug/riser"])
                .args(SMOKE_SIZE)
                .stdout(file.try_clone()?);
            run_program(&mut compare, root, SMOKE_BOUND)
        });
        if outcome.is_err() {
            println!("{}", fs::read_to_string(&said).unwrap_or_default());
        }
        outcome
    })
}

/// The commit that was measured, with a `+` when something was changed since.
fn commit(root: &Path) -> Result<String> {
    let git = |arguments: &[&str]| output_of(Command::new("git").args(arguments).current_dir(root));
    let commit = git(&["rev-parse", "--short", "HEAD"]).context("git does not know the commit")?;
    let changes = git(&["status", "--porcelain", "--", ".", ":!benches/history.csv"])
        .context("git does not know what was changed")?;
    let mark = if changes.trim().is_empty() { "" } else { "+" };
    Ok(format!("{}{mark}", commit.trim()))
}

fn today() -> Result<String> {
    let date = output_of(Command::new("date").args(["-u", "+%Y-%m-%d"]));
    Ok(date
        .context("date does not know the day")?
        .trim()
        .to_owned())
}

/// The lines of the history that the tool's figures are worth: one a scenario and figure of this server's, which is riser in one form or another.
fn lines(records: &[Value], server: &str, commit: &str, date: &str) -> Result<String> {
    // By scenario and figure, then by server: the rounds.
    let mut table: BTreeMap<(&str, &str), BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for record in records {
        let word = |name: &str| record.get(name).and_then(Value::as_str);
        let (Some(scenario), Some(whose)) = (word("scenario"), word("server")) else {
            bail!("a record names no scenario or server: {record}");
        };
        // A record without a figure says why there is none.
        let Some(figure) = word("figure") else {
            continue;
        };
        let rounds = record.get("rounds").and_then(Value::as_array);
        let rounds = rounds.with_context(|| format!("a record has no rounds: {record}"))?;
        // What JSON has no number for is `null`; it keeps its place among the rounds.
        let rounds = rounds
            .iter()
            .map(|round| round.as_f64().unwrap_or(f64::NAN));
        table
            .entry((scenario, figure))
            .or_default()
            .insert(whose, rounds.collect());
    }
    let mut lines = String::new();
    for ((scenario, figure), servers) in table {
        let Some(riser) = servers.get(server) else {
            continue;
        };
        let limit = servers.get("limit").map_or(&[][..], Vec::as_slice);
        let ratios: Vec<f64> = riser
            .iter()
            .zip(limit)
            .map(|(riser, limit)| riser / limit)
            .filter(|ratio| ratio.is_finite())
            .collect();
        let fields = [
            commit.to_owned(),
            date.to_owned(),
            match server {
                "riser" => scenario.to_owned(),
                other => format!("{scenario} of {other}"),
            },
            figure.to_owned(),
            number(median(riser)),
            number(median(&ratios)),
            number(ratios.iter().copied().reduce(f64::min)),
            number(ratios.iter().copied().reduce(f64::max)),
        ];
        lines += &fields.map(|field| csv(&field)).join(",");
        lines.push('\n');
    }
    Ok(lines)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Digits enough for what a shared machine can tell; nothing where there is no number.
fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.abs() >= 1000.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.3}"),
        None => String::new(),
    }
}

fn csv(field: &str) -> String {
    if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn append(path: &Path, lines: &str) -> Result<()> {
    let mut text = String::new();
    if !path.exists() {
        text += HISTORY_HEAD;
    }
    text += lines;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path);
    let written = file.as_mut().map(|file| file.write_all(text.as_bytes()));
    match written {
        Ok(Ok(())) => Ok(()),
        _ => bail!("could not write {}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_figure_of_risers_is_one_line_with_its_ratio_to_the_limit() {
        let figures = [
            json!({"scenario": "slow", "server": "limit", "figure": "p99, during", "rounds": [2.0, 4.0, 2.0]}),
            json!({"scenario": "slow", "server": "riser", "figure": "p99, during", "rounds": [3.0, 4.0, null]}),
            json!({"scenario": "fanout", "server": "riser", "figure": "notifies/s", "rounds": [123_456.7]}),
            json!({"scenario": "fanout", "server": "uws", "no_figure": "it is not here"}),
        ];
        assert_eq!(
            lines(&figures, "riser", "abc", "2026-01-01").expect("they can be read"),
            "abc,2026-01-01,fanout,notifies/s,123457,,,\n\
             abc,2026-01-01,slow,\"p99, during\",4.000,1.500,1.000,1.500\n"
        );
    }

    #[test]
    fn what_riser_costs_in_another_form_says_in_which() {
        let figures = [
            json!({"scenario": "pending", "server": "limit", "figure": "p50 ms", "rounds": [2.0]}),
            json!({"scenario": "pending", "server": "riser", "figure": "p50 ms", "rounds": [3.0]}),
            json!({"scenario": "pending", "server": "riser-ha", "figure": "p50 ms", "rounds": [4.0]}),
        ];
        assert_eq!(
            lines(&figures, "riser-ha", "abc", "2026-01-01").expect("they can be read"),
            "abc,2026-01-01,pending of riser-ha,p50 ms,4.000,2.000,2.000,2.000\n"
        );
    }

    #[test]
    fn what_is_not_a_record_is_an_error() {
        assert!(lines(&[json!({"figure": "p50"})], "riser", "abc", "2026-01-01").is_err());
    }
}
