//! The gateway binary: arguments and environment in, exit code out.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use riser::cli::{self, Command, Parted};
use riser::{app, config};

fn main() -> ExitCode {
    let Command::Serve(flags) = match cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(Parted::Answer(text)) => {
            // Whoever asked may have gone, which is no failure of ours.
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Parted::Refused(line)) => {
            complain(&line);
            return ExitCode::from(2);
        }
    };
    let environment = config::environment(std::env::vars_os());
    match app::serve(Path::new("."), &flags, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            complain(&format!("{:#}", anyhow::Error::new(error)));
            ExitCode::from(code)
        }
    }
}

/// One line on stderr for each line of the message.
fn complain(message: &dyn Display) {
    let mut stderr = io::stderr().lock();
    for line in message.to_string().lines() {
        let _ = writeln!(stderr, "riser: {line}");
    }
}
