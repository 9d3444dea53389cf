//! The gateway binary: arguments and environment in, exit code out.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use riser::cli::{self, Command, Outcome, Parted};
use riser::client::{Form, Notices};
use riser::{app, client, config, observability};

fn main() -> ExitCode {
    let environment = config::environment(std::env::vars_os());
    if let Some(candidates) = cli::complete(std::env::args_os(), &environment) {
        return answer(&candidates);
    }
    let command = match cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(Parted::Answer(text)) => return answer(&text),
        Err(Parted::Refused(line)) => {
            complain(&line);
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Serve(flags) => {
            let served = app::serve(Path::new("."), &flags, &environment);
            end(served, app::AppError::exit_code)
        }
        Command::Client(invocation) => {
            let done = client::run(&invocation, &environment);
            end(done, client::ClientError::exit_code)
        }
        Command::Check {
            file,
            form: Form::Json,
            ..
        } => {
            let wrong = app::check(&file, &environment).err();
            answer(&app::verdict_line(&file, wrong.as_ref()));
            ExitCode::from(wrong.map_or(0, |error| error.exit_code()))
        }
        Command::Check {
            file,
            outcome,
            form: Form::Text,
            notices,
        } => match app::check(&file, &environment) {
            Ok(checked) => {
                if notices == Notices::Said {
                    complain(&checked.verdict);
                }
                match outcome {
                    Outcome::Printed => answer(&checked.outcome),
                    Outcome::Quiet => ExitCode::SUCCESS,
                }
            }
            Err(error) => end(Err(error), app::AppError::exit_code),
        },
        Command::Admin {
            command,
            target,
            form,
        } => match app::run_admin_command(&command, &target, form, &environment) {
            Ok(text) => answer(&text),
            Err(error) => end(Err(error), app::AdminError::exit_code),
        },
        Command::Manual(directory) => end(cli::write_manual(&directory), |_| 2),
    }
}

/// Prints an answer. The reader may have gone, which is no failure of ours.
fn answer(text: &str) -> ExitCode {
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn end<E: Error + Send + Sync + 'static>(
    done: Result<(), E>,
    exit_code: impl FnOnce(&E) -> u8,
) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    let code = exit_code(&error);
    complain(&format!("{:#}", anyhow::Error::new(error)));
    ExitCode::from(code)
}

/// One line on stderr for each line of the message.
fn complain(message: &dyn Display) {
    let mut stderr = io::stderr().lock();
    for line in message.to_string().lines() {
        let _ = writeln!(stderr, "riser: {}", observability::printable(line));
    }
}
