//! One step of a task: a program that is run to its end, within a deadline, and reported in one line.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, bail};

/// How often a running program is looked at; small against every step, large against the cost of looking.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// What a program that was told to end gets to put its own children in order before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Runs one step and prints its line. An error names the step.
pub(crate) fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    work().with_context(|| format!("the step '{name}' failed"))?;
    println!(
        "xtask: {name}: ok in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Runs a program in the given folder until it ends, with no input, its output going where ours goes.
///
/// Past the deadline it is ended together with all that it started: a hung step fails by name instead of stopping the run.
pub(crate) fn run(command: &mut Command, folder: &Path, deadline: Duration) -> Result<()> {
    let line = command_line(command);
    let child = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("could not start: {line}"))?;
    match wait(child, deadline)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("{line}: {status}"),
        None => bail!("{line}: not done after {} s, and ended", deadline.as_secs()),
    }
}

/// As [`run`], but what the program prints goes to the file `output`, and an error has it.
///
/// This is for programs that run side by side: their lines would be mixed otherwise.
pub(crate) fn run_apart(
    command: &mut Command,
    folder: &Path,
    deadline: Duration,
    output: &Path,
) -> Result<()> {
    let file = File::create(output)
        .and_then(|file| Ok((file.try_clone()?, file)))
        .with_context(|| format!("could not write {}", output.display()));
    let (out, err) = file?;
    run(command.stdout(out).stderr(err), folder, deadline).map_err(|error| {
        let said = fs::read(output).unwrap_or_default();
        anyhow!("{error:#}\n{}", String::from_utf8_lossy(&said).trim_end())
    })
}

/// One error that tells all failures of steps of which none waited for another.
pub(crate) fn all_done(mut failures: Vec<Error>) -> Result<()> {
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        count => {
            let failures: Vec<String> = failures.iter().map(|it| format!("{it:#}")).collect();
            bail!("{count} steps failed:\n{}", failures.join("\n"))
        }
    }
}

/// What a program prints on its standard output, when it succeeds. For short questions such as `--version`.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// Waits for the child; `None` when it had to be ended.
fn wait(mut child: Child, deadline: Duration) -> Result<Option<ExitStatus>> {
    if let Some(status) = wait_until(&mut child, Instant::now() + deadline)? {
        return Ok(Some(status));
    }
    let mut family = vec![child.id()];
    add_descendants(&mut family);
    signal("TERM", &family);
    if wait_until(&mut child, Instant::now() + GRACE)?.is_none() {
        signal("KILL", &family);
        child.wait().context("could not wait for the program")?;
    }
    Ok(None)
}

fn wait_until(child: &mut Child, end: Instant) -> Result<Option<ExitStatus>> {
    loop {
        let status = child.try_wait().context("could not wait for the program")?;
        if status.is_some() || Instant::now() >= end {
            return Ok(status);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Ends processes by their ids: a process group would be simpler, but would take Ctrl-C away from the terminal.
fn signal(name: &str, ids: &[u32]) {
    let ids = ids.iter().map(u32::to_string);
    // Some may be gone by now, which is what was wanted.
    let _ = Command::new("kill")
        .arg(format!("-{name}"))
        .args(ids)
        .stderr(Stdio::null())
        .status();
}

/// Adds the children of the listed processes, and theirs.
fn add_descendants(family: &mut Vec<u32>) {
    let mut at = 0;
    while let Some(id) = family.get(at) {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        family.extend(
            children
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_succeeds_is_a_success() {
        run(&mut shell("exit 0"), Path::new("."), GRACE).expect("it succeeds");
    }

    #[test]
    fn a_program_that_fails_is_named_with_its_status() {
        let error = run(&mut shell("exit 3"), Path::new("."), GRACE).expect_err("it fails");
        assert_eq!(error.to_string(), "sh -c exit 3: exit status: 3");
    }

    #[test]
    fn what_a_program_that_fails_has_said_is_told_with_it() {
        let name = format!("xtask-step-output-{}", std::process::id());
        let output = std::env::temp_dir().join(name);
        let say = "echo one; echo two >&2";

        let mut failing = shell(&format!("{say}; exit 3"));
        let error = run_apart(&mut failing, Path::new("."), GRACE, &output).expect_err("it fails");
        assert_eq!(
            error.to_string(),
            format!("sh -c {say}; exit 3: exit status: 3\none\ntwo")
        );

        run_apart(&mut shell("echo three"), Path::new("."), GRACE, &output).expect("it succeeds");
        let kept = fs::read_to_string(&output).expect("it is kept for whoever waits");
        fs::remove_file(&output).expect("it can be removed");
        assert_eq!(kept, "three\n");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let mut command = Command::new("no-such-program");
        let error = run(&mut command, Path::new("."), GRACE).expect_err("it cannot start");
        assert_eq!(error.to_string(), "could not start: no-such-program");
    }

    #[test]
    fn past_its_deadline_a_program_is_ended_with_its_children() {
        let pid_file = std::env::temp_dir().join(format!("xtask-step-{}", std::process::id()));
        let script = format!("sleep 600 & echo $! > '{}'; wait", pid_file.display());

        let started = Instant::now();
        let error = run(
            &mut shell(&script),
            Path::new("."),
            Duration::from_millis(500),
        );
        let took = started.elapsed();

        let message = error.expect_err("it hangs").to_string();
        assert!(
            message.ends_with("not done after 0 s, and ended"),
            "{message}"
        );
        assert!(took < GRACE, "ended when asked, after {took:?}");
        let grandchild = fs::read_to_string(&pid_file).expect("the shell wrote it");
        fs::remove_file(&pid_file).expect("it can be removed");
        let running = format!("/proc/{}/stat", grandchild.trim());
        let gone = || match fs::read_to_string(&running) {
            // Whoever inherits it may not have taken note of its end yet.
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        let end = Instant::now() + GRACE;
        while !gone() {
            assert!(Instant::now() < end, "{} still runs", grandchild.trim());
            thread::sleep(POLL_INTERVAL);
        }
    }

    #[test]
    fn a_failed_step_is_named() {
        let error = step("lunch", || bail!("no bread")).expect_err("it fails");
        assert_eq!(format!("{error:#}"), "the step 'lunch' failed: no bread");
    }
}
