//! What takes too long for CI: tests that CI runs for a moment, run here for minutes.
//!
//! A stage is a choice of tests and the variables that make them longer. A further stage is a further line of [`STAGES`].
//! A variable that is set already stays as it is, so `RISER_TEST_KILLS=20 cargo xtask soak kills` is a short try.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use crate::setup;
use crate::step::{all_done, run as run_program, step};
use crate::test::BUILD;

struct Stage {
    name: &'static str,
    does: &'static str,
    /// What makes its tests longer.
    environment: &'static [(&'static str, &'static str)],
    /// Its tests, as a filter of cargo-nextest's. It is an error when there are none.
    tests: &'static str,
    /// A stage that is not done by then has failed, and is ended.
    bound: Duration,
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// How long a target of random input goes on, and the seed of its first input.
const FUZZ_SECONDS: &str = "RISER_TEST_FUZZ_SECONDS";
const FUZZ_SEED: &str = "RISER_TEST_FUZZ_SEED";

/// The value of a variable that is another one in each run: the seconds of the clock.
const CLOCK: &str = "clock";

const STAGES: &[Stage] = &[
    Stage {
        name: "kills",
        does: "kill -9 a gateway with --data this often while it writes, and while it takes messages",
        environment: &[("RISER_TEST_KILLS", "200")],
        tests: "binary(it) & test(/^keeping::every_acknowledged_write_is_there_after_kill_9$|^pushjet::kept::what_was_acknowledged_is_read_once/)",
        bound: minutes(40),
    },
    Stage {
        name: "triggers",
        does: "kill -9 one of two nodes, and their Redis, this often while triggers fire, and say how many edges were lost",
        environment: &[("RISER_TEST_TRIGGER_KILLS", "40")],
        tests: "binary(it) & test(/^automation::kills::/)",
        bound: minutes(20),
    },
    Stage {
        name: "faults",
        does: "all faults of Redis; those that can go on last this many seconds",
        environment: &[("RISER_TEST_FAULT_SECONDS", "180")],
        tests: "binary(it) & test(/^redis_faults::/)",
        bound: minutes(20),
    },
    Stage {
        name: "dashboard",
        does: "Home Assistant's dashboard in a browser, this many sights beside the first page",
        environment: &[("RISER_TEST_DASHBOARD_SIGHTS", "99")],
        tests: "binary(it) & test(/^home_assistant_clients::dashboard::/)",
        bound: minutes(10),
    },
    Stage {
        name: "console",
        does: "the console with this many rooms and lines of a log; it prints how long the page was busy at a time",
        environment: &[
            ("RISER_TEST_CONSOLE_ROOMS", "500"),
            ("RISER_TEST_CONSOLE_LINES", "100000"),
        ],
        tests: "binary(it) & test(/^console::many::/)",
        bound: minutes(15),
    },
    Stage {
        name: "properties",
        does: "all unit tests; a property is tested with this many cases",
        environment: &[("PROPTEST_CASES", "10000")],
        tests: "kind(lib)",
        bound: minutes(60),
    },
    Stage {
        name: "fuzz",
        does: "random input for whatever reads what others wrote, each for this many seconds",
        environment: &[(FUZZ_SECONDS, "300"), (FUZZ_SEED, CLOCK)],
        tests: "kind(lib) & test(/(^|::)fuzz_/)",
        bound: minutes(60),
    },
];

/// Runs the named stages, or all, one after the other; a stage that fails stops no other.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    if arguments == ["--list"] {
        list();
        return Ok(());
    }
    let (seconds, names) = taken_apart(arguments)?;
    let stages = chosen(names)?;
    if seconds.is_some() && !stages.iter().any(|stage| stage.goes_on_for_seconds()) {
        bail!(
            "none of the stages takes --seconds; cargo xtask soak --list shows which have {FUZZ_SECONDS}"
        );
    }
    setup::run(root)?;
    step("build", || nextest(root, &["--no-run"], &[], BUILD))?;
    let failures = stages.into_iter().filter_map(|stage| {
        let set = |name: &str| match seconds {
            Some(seconds) if name == FUZZ_SECONDS => Some(seconds.to_string().into()),
            _ => env::var_os(name),
        };
        let environment = environment(stage, set);
        // Its targets are more than the processors that run them.
        let longer = Duration::from_secs(seconds.unwrap_or(0).saturating_mul(16));
        println!("xtask: {}: with {}", stage.name, shown(&environment));
        step(stage.name, || {
            let choice = ["--profile", "soak", "--no-tests", "fail"];
            let arguments = [&choice[..], &["--filterset", stage.tests]].concat();
            nextest(root, &arguments, &environment, stage.bound + longer)
        })
        .err()
    });
    all_done(failures.collect())
}

impl Stage {
    fn goes_on_for_seconds(&self) -> bool {
        self.environment
            .iter()
            .any(|(name, _)| *name == FUZZ_SECONDS)
    }
}

/// The seconds of `--seconds N`, and the names of stages around it.
fn taken_apart(arguments: &[String]) -> Result<(Option<u64>, Vec<String>)> {
    let mut names = arguments.to_vec();
    let Some(at) = names.iter().position(|argument| argument == "--seconds") else {
        return Ok((None, names));
    };
    let number = names.get(at + 1).and_then(|number| number.parse().ok());
    let seconds = number.context("--seconds takes a whole number")?;
    names.drain(at..=at + 1);
    Ok((Some(seconds), names))
}

fn nextest(
    root: &Path,
    arguments: &[&str],
    environment: &[(&str, OsString)],
    bound: Duration,
) -> Result<()> {
    let mut nextest = setup::tool(root, "cargo-nextest");
    nextest
        .args(["nextest", "run", "--workspace", "--locked"])
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    run_program(&mut nextest, root, bound)
}

/// The stages of these names in the order of the table, or all where none is named.
fn chosen(names: Vec<String>) -> Result<Vec<&'static Stage>> {
    let known: BTreeSet<&str> = STAGES.iter().map(|stage| stage.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
        bail!("soak has no stage {name}; cargo xtask soak --list shows all");
    }
    let is_chosen = |stage: &&Stage| names.is_empty() || names.iter().any(|it| it == stage.name);
    Ok(STAGES.iter().filter(is_chosen).collect())
}

/// A stage's variables with the values that its tests get: a value that is set already stays as it is.
fn environment(
    stage: &Stage,
    set: impl Fn(&str) -> Option<OsString>,
) -> Vec<(&'static str, OsString)> {
    let variables = stage.environment.iter();
    variables
        .map(|&(name, usual)| (name, set(name).unwrap_or_else(|| own(usual))))
        .collect()
}

fn own(usual: &str) -> OsString {
    match usual {
        CLOCK => {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.unwrap_or_default().as_secs().to_string().into()
        }
        usual => usual.into(),
    }
}

fn shown(environment: &[(&str, OsString)]) -> String {
    let variables = environment.iter();
    let variables = variables.map(|(name, value)| format!("{name}={}", value.display()));
    variables.collect::<Vec<_>>().join(" ")
}

fn list() {
    for stage in STAGES {
        let Stage { name, does, .. } = stage;
        let variables = shown(&environment(stage, |_| None));
        println!("  {name:12} {variables:30} {does}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names_of(arguments: &[&str]) -> Result<Vec<&'static str>> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Ok(chosen(arguments)?.iter().map(|stage| stage.name).collect())
    }

    #[test]
    fn all_stages_run_unless_some_are_named() {
        let all = names_of(&[]).expect("all are there");
        assert_eq!(all.len(), STAGES.len());
        let two = names_of(&["properties", "kills"]).expect("both are there");
        assert_eq!(two, ["kills", "properties"]);
    }

    #[test]
    fn a_stage_that_is_not_there_is_refused_before_anything_runs() {
        let error = names_of(&["kills", "thrills"]).expect_err("there is no such stage");
        assert_eq!(
            error.to_string(),
            "soak has no stage thrills; cargo xtask soak --list shows all"
        );
    }

    #[test]
    fn seconds_stand_anywhere_among_the_stages_and_are_a_number() {
        let taken = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            taken_apart(&arguments)
        };
        let fuzz = || vec!["fuzz".to_owned()];
        assert_eq!(taken(&["fuzz"]).expect("good"), (None, fuzz()));
        for arguments in [["fuzz", "--seconds", "7"], ["--seconds", "7", "fuzz"]] {
            assert_eq!(taken(&arguments).expect("good"), (Some(7), fuzz()));
        }
        for arguments in [&["--seconds"][..], &["--seconds", "fuzz"]] {
            let error = taken(arguments).expect_err("there is no number");
            assert_eq!(error.to_string(), "--seconds takes a whole number");
        }
    }

    #[test]
    fn a_seed_is_another_one_in_each_run_unless_it_is_set() {
        let stage = STAGES
            .iter()
            .find(|stage| stage.name == "fuzz")
            .expect("it is there");
        let seed = |set: Option<&str>| {
            let environment = environment(stage, |name| {
                set.filter(|_| name == FUZZ_SEED).map(Into::into)
            });
            shown(&environment)
        };
        assert_eq!(
            seed(Some("5")),
            "RISER_TEST_FUZZ_SECONDS=300 RISER_TEST_FUZZ_SEED=5"
        );
        assert!(!seed(None).contains(CLOCK));
    }

    #[test]
    fn no_two_stages_have_one_name() {
        let names: BTreeSet<&str> = STAGES.iter().map(|stage| stage.name).collect();
        assert_eq!(names.len(), STAGES.len());
    }

    #[test]
    fn a_variable_that_is_set_stays_as_it_is() {
        let stage = Stage {
            environment: &[("KILLS", "200"), ("SECONDS", "180")],
            ..STAGES[0]
        };
        let environment = environment(&stage, |name| (name == "KILLS").then(|| "20".into()));
        assert_eq!(shown(&environment), "KILLS=20 SECONDS=180");
    }

    /// A variable that no test reads would leave its stage as short as in CI, and nobody would see it.
    #[test]
    fn every_variable_of_ours_is_read_by_a_test() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let tests = root.join("tests/it");
        let mut sources =
            fs::read_to_string(root.join("src/model/fuzz.rs")).expect("it can be read");
        let mut folders = vec![tests];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("the tests are there") {
                let path = entry.expect("it can be listed").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    sources += &fs::read_to_string(path).expect("it can be read");
                }
            }
        }
        let variables = STAGES.iter().flat_map(|stage| stage.environment);
        for (name, _) in variables.filter(|(name, _)| name.starts_with("RISER_")) {
            assert!(sources.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
