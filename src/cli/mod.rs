//! The command line: arguments in, a [`Command`] out.
//!
//! Separate so that the words of the command line stand in one place. It runs no command;
//! its own work is to explain these words: help, completion in shells, manual pages.
//!
//! - `client` has the words of the terminal client.
//! - `completion` offers words to a shell.
//! - `admin` has the words for the whole building.
//! - `manual` writes the manual pages.

mod admin;
mod client;
mod completion;
mod manual;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};

use crate::app::{AdminCommand, AdminTarget};
use crate::client::{Form, Invocation, Notices};
use crate::config::Flags;

use admin::AdminArguments;
use client::ClientCommand;
use completion::Shell;

pub use manual::{ManualError, write_manual};

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run the gateway.
    Serve(Flags),
    /// Talk to a running gateway.
    Client(Box<Invocation>),
    /// Look for mistakes in a building file or a file of settings.
    Check {
        /// The file.
        file: PathBuf,
        /// What to print when there are none.
        outcome: Outcome,
        /// Whether the verdict is for people, on stderr, or for scripts.
        form: Form,
        /// Whether a good file gets a line for people too.
        notices: Notices,
    },
    /// Print or change the building as a whole.
    Admin {
        /// What.
        command: AdminCommand,
        /// Where it is.
        target: AdminTarget,
        /// How to print.
        form: Form,
    },
    /// Write the manual pages into this folder.
    Manual(PathBuf),
}

/// Whether what a file leads to is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No.
    Quiet,
    /// Yes, with the secrets masked.
    Printed,
}

/// The arguments lead to no command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parted {
    /// `--help`, `--version` or `completions`: this text goes to stdout, exit code 0.
    Answer(String),
    /// A mistake: this line goes to stderr, exit code 2.
    Refused(String),
}

/// A building-control real-time gateway.
#[derive(Debug, Parser)]
#[command(
    name = "riser",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Without a command, riser serves. Settings can also stand in riser.toml and in RISER_… variables."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Run the gateway
    Serve(ServeArguments),
    #[command(flatten)]
    Client(ClientCommand),
    #[command(flatten)]
    Admin(AdminArguments),
    /// Look for mistakes in a building file (.yaml, .yml, .json) or a file of settings (.toml)
    Check {
        /// The file
        file: PathBuf,
        /// Print what it leads to, with secrets masked
        #[arg(long, conflicts_with = "json")]
        print: bool,
        /// Print the verdict as JSON, with a list of all mistakes
        #[arg(long)]
        json: bool,
        /// Print nothing for a good file
        #[arg(short, long)]
        quiet: bool,
    },
    /// Print the version of riser
    Version {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the script that makes a shell complete commands, and names by asking the gateway
    #[command(
        after_help = "For bash: source <(riser completions bash). For zsh the same, after compinit. For fish: riser completions fish | source."
    )]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write the manual pages
    Man {
        /// The folder for them
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// Where clients connect; port 0 takes a free one [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// The building file [default: a built-in demo]
    #[arg(long, value_name = "FILE")]
    building: Option<PathBuf>,
    /// Where the building is kept [default: in memory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The Redis that nodes of one building share [default: this gateway is alone]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    redis: Option<String>,
    /// Where the other nodes reach this one [default: the address that it listens on]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    advertise: Option<String>,
    /// Share the Redis of a PlaceOS, whose cores run the modules
    #[arg(long)]
    placeos: bool,
    /// The file of settings [default: riser.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Threads that serve connections; 0 means one per core [default: 0]
    #[arg(long, value_name = "N")]
    workers: Option<String>,
    /// What is logged: a level, or a filter such as info,riser::server=debug [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// The certificate for TLS, in PEM, with its issuers' behind it [default: no TLS]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_cert: Option<String>,
    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_key: Option<String>,
}

/// Reads the arguments, the first of which is the program's own name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Parted> {
    let Arguments { command, serve } =
        Arguments::try_parse_from(arguments).map_err(|error| parted(&error))?;
    match command {
        None => Ok(Command::Serve(serve.into())),
        Some(Subcommands::Serve(serve)) => Ok(Command::Serve(serve.into())),
        Some(Subcommands::Version { json }) => Err(Parted::Answer(version(json))),
        Some(Subcommands::Client(client)) => match client.read() {
            Ok(invocation) => Ok(Command::Client(Box::new(invocation))),
            Err(bad) => Err(Parted::Refused(bad.to_string())),
        },
        Some(Subcommands::Admin(admin)) => {
            let (command, target, form) = admin.read();
            Ok(Command::Admin {
                command,
                target,
                form,
            })
        }
        Some(Subcommands::Check {
            file,
            print,
            json,
            quiet,
        }) => Ok(Command::Check {
            file,
            form: form(json),
            notices: notices(quiet),
            outcome: match print {
                true => Outcome::Printed,
                false => Outcome::Quiet,
            },
        }),
        Some(Subcommands::Completions { shell }) => Err(Parted::Answer(shell.script())),
        Some(Subcommands::Man { directory }) => Ok(Command::Manual(directory)),
    }
}

/// The completions for a shell, if a shell asks; `None` for every other caller.
pub fn complete(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &BTreeMap<String, String>,
) -> Option<String> {
    completion::candidates(command(), arguments, environment)
}

/// Which riser this is, as `--version` says it.
fn version(json: bool) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match json {
        true => format!("{{\"name\":\"riser\",\"version\":\"{version}\"}}\n"),
        false => format!("riser {version}\n"),
    }
}

fn form(json: bool) -> Form {
    match json {
        true => Form::Json,
        false => Form::Text,
    }
}

fn notices(quiet: bool) -> Notices {
    match quiet {
        true => Notices::Unsaid,
        false => Notices::Said,
    }
}

/// All that can be typed.
fn command() -> clap::Command {
    Arguments::command()
}

impl From<ServeArguments> for Flags {
    fn from(arguments: ServeArguments) -> Self {
        let ServeArguments {
            listen,
            building,
            data,
            redis,
            advertise,
            placeos,
            config,
            workers,
            log,
            tls_cert,
            tls_key,
        } = arguments;
        Self {
            config,
            listen,
            building,
            data,
            redis,
            advertise,
            placeos: placeos.then(|| "true".to_owned()),
            workers,
            log,
            tls_cert,
            tls_key,
        }
    }
}

fn parted(error: &clap::Error) -> Parted {
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        Parted::Answer(text)
    } else {
        Parted::Refused(one_line(&text))
    }
}

/// The library answers with a paragraph: the mistake, its subject (`<DIR>`, `[possible values: …]`), perhaps tips, the usage.
/// riser's answer is one line, as for every other error.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_part = |line: &&str| !line.starts_with("Usage:") && !line.starts_with("For more");
    let mut line = String::new();
    for part in lines.take_while(is_part) {
        let listed = part
            .strip_prefix('[')
            .and_then(|part| part.strip_suffix(']'));
        if line.is_empty() {
            line.push_str(part.strip_prefix("error: ").unwrap_or(part));
        } else if let Some(listed) = listed {
            line.push_str(" (");
            line.push_str(listed);
            line.push(')');
        } else if let Some(tip) = part.strip_prefix("tip: ") {
            line.push_str("; ");
            line.push_str(tip);
        } else {
            line.push_str(if line.ends_with(':') { " " } else { ", " });
            line.push_str(part);
        }
    }
    line.push_str("; try riser --help");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command, Parted> {
        parse(
            ["riser"]
                .into_iter()
                .chain(words.split_whitespace())
                .map(OsString::from),
        )
    }

    #[track_caller]
    fn check_refused(words: &str, expect: &str) {
        assert_eq!(parse_words(words), Err(Parted::Refused(expect.to_owned())));
    }

    #[test]
    fn no_arguments_serve() {
        assert_eq!(parse_words(""), Ok(Command::Serve(Flags::default())));
        assert_eq!(parse_words("serve"), Ok(Command::Serve(Flags::default())));
    }

    #[test]
    fn flags_work_with_and_without_the_word_serve() {
        let flags = "--listen 127.0.0.1:0 --building b.yaml --data d --config c.toml --redis redis://r --advertise http://a --placeos --workers 2 --log debug --tls-cert c.pem --tls-key k.pem";
        let expect = Command::Serve(Flags {
            config: Some(PathBuf::from("c.toml")),
            listen: Some("127.0.0.1:0".to_owned()),
            building: Some(PathBuf::from("b.yaml")),
            data: Some(PathBuf::from("d")),
            redis: Some("redis://r".to_owned()),
            advertise: Some("http://a".to_owned()),
            placeos: Some("true".to_owned()),
            workers: Some("2".to_owned()),
            log: Some("debug".to_owned()),
            tls_cert: Some("c.pem".to_owned()),
            tls_key: Some("k.pem".to_owned()),
        });
        assert_eq!(parse_words(flags), Ok(expect.clone()));
        assert_eq!(parse_words(&format!("serve {flags}")), Ok(expect));
    }

    #[test]
    fn help_and_version_are_answers() {
        let version = concat!("riser ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(
            parse_words("--version"),
            Err(Parted::Answer(version.to_owned()))
        );
        assert_eq!(
            parse_words("version"),
            Err(Parted::Answer(version.to_owned()))
        );
        for words in ["--help", "-h", "help", "serve --help"] {
            let Err(Parted::Answer(help)) = parse_words(words) else {
                panic!("{words} gave no help");
            };
            assert!(
                help.contains("--listen <ADDR:PORT>") || words == "help",
                "{help}"
            );
        }
    }

    #[test]
    fn a_mistake_is_one_line_with_a_remedy() {
        check_refused(
            "--lisen x",
            "unexpected argument '--lisen' found; a similar argument exists: '--listen'; try riser --help",
        );
        check_refused(
            "serv",
            "unrecognized subcommand 'serv'; a similar subcommand exists: 'serve'; try riser --help",
        );
        check_refused(
            "--listen",
            "a value is required for '--listen <ADDR:PORT>' but none was supplied; try riser --help",
        );
        check_refused(
            "--workers 1 serve",
            "the subcommand 'serve' cannot be used with '--workers <N>'; try riser --help",
        );
        check_refused(
            "man",
            "the following required arguments were not provided: <DIR>; try riser --help",
        );
        check_refused(
            "keys create --data d",
            "the following required arguments were not provided: <ID>; try riser --help",
        );
        check_refused(
            "keys create x --level boss",
            "invalid value 'boss' for '--level <LEVEL>' (possible values: user, support, admin); try riser --help",
        );
        check_refused(
            "keys",
            "'riser keys' requires a subcommand but one was not provided (subcommands: create, list, revoke, help); try riser --help",
        );
        check_refused(
            "keys list --data d --url u --key k",
            "the argument '--data <DIR>' cannot be used with: --url <URL>, --key <KEY>; try riser --help",
        );
        check_refused("serve x", "unexpected argument 'x' found; try riser --help");
        check_refused(
            "--workers 1 --workers 2",
            "the argument '--workers <N>' cannot be used multiple times; try riser --help",
        );
    }
}
