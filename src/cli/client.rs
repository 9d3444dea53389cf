//! The words of the terminal client: `bind`, `exec`, `debug`, `systems`, `modules`, `status`, `healthy`, `context`.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueHint};

use crate::cli::{form, notices};
use crate::client::{
    self, Action, BadAddress, ContextCommand, Form, GatewayOptions, Invocation, Lines, Notices,
    Retry, Until,
};

/// The name of the argument in which a saved gateway's name stands.
pub(super) const CONTEXT_NAME: &str = "context_name";

/// The name of the argument in which the words of an address stand.
pub(super) const WORDS: &str = "words";

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 the gateway or a driver refused or failed, or it did not come within --timeout;
2 wrong usage, no gateway answers at the URL, or the key is refused; 3 it is not known whether a call ran;
4 the call did not run, and may be sent again; 130 interrupted before it was done.";

#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Print the values of statuses as they change
    #[command(
        override_usage = "riser bind [OPTIONS] SYSTEM MODULE[_INDEX] NAME…\n       riser bind [OPTIONS] SYSTEM/MODULE[_INDEX]/NAME…",
        after_help = EXIT_CODES,
    )]
    Bind(BindArguments),
    /// Call a method of a module and print what it returns
    #[command(
        override_usage = "riser exec [OPTIONS] SYSTEM MODULE[_INDEX] METHOD [ARG…]\n       riser exec [OPTIONS] SYSTEM/MODULE[_INDEX]/METHOD [ARG…]",
        after_help = EXIT_CODES,
    )]
    Exec(ExecArguments),
    /// Print the log of a module as it comes
    #[command(
        override_usage = "riser debug [OPTIONS] SYSTEM MODULE[_INDEX]\n       riser debug [OPTIONS] SYSTEM/MODULE[_INDEX]\n       riser debug [OPTIONS] MODULE_ID",
        after_help = EXIT_CODES,
    )]
    Debug(DebugArguments),
    /// List the systems
    #[command(after_help = EXIT_CODES)]
    Systems(SystemsArguments),
    /// List the modules, with their state
    #[command(after_help = EXIT_CODES)]
    Modules(ModulesArguments),
    /// Show the statuses of a module, or of all modules of a system, and the functions with their arguments
    #[command(
        override_usage = "riser status [OPTIONS] SYSTEM [MODULE[_INDEX]]\n       riser status [OPTIONS] SYSTEM/MODULE[_INDEX]",
        after_help = EXIT_CODES,
    )]
    Status(StatusArguments),
    /// Ask whether the gateway should get traffic: exit code 0 if so, 1 if not, for health checks
    Healthy(HealthyArguments),
    /// Save gateways under names, with their keys, and choose one
    #[command(arg_required_else_help = false)]
    Context {
        #[command(subcommand)]
        command: ContextArguments,
    },
}

#[derive(Debug, Args)]
pub(super) struct GatewayArguments {
    /// The gateway [default: RISER_URL, else the saved one, else http://127.0.0.1:3000]
    #[arg(short, long, value_name = "URL", value_hint = ValueHint::Url, conflicts_with = "context")]
    url: Option<String>,
    /// The API key, <id>.<secret> [default: RISER_API_KEY, or that of a saved gateway]
    #[arg(short, long, value_name = "KEY")]
    key: Option<String>,
    /// Trust the certificates of this PEM file in place of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The gateway saved under this name [default: RISER_CONTEXT, else that of riser context use]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
    /// Print nothing beside the data except errors
    #[arg(short, long)]
    quiet: bool,
}

impl GatewayArguments {
    /// Which gateway, and how to print.
    pub(super) fn read(self) -> (GatewayOptions, Form, Notices) {
        let Self {
            url,
            key,
            ca,
            context,
            json,
            quiet,
        } = self;
        let options = GatewayOptions::new(url, key, ca).in_context(context);
        (options, form(json), notices(quiet))
    }
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    /// The system, and perhaps one of its modules, in words or as a path such as sys-1/Display_1
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum ContextArguments {
    /// Save a gateway under a name, in place of one that had it before
    Add {
        /// The name: one word
        name: String,
        /// Where it is
        #[arg(short, long, value_name = "URL", value_hint = ValueHint::Url)]
        url: String,
        /// Its API key, <id>.<secret> [default: RISER_API_KEY]
        #[arg(short, long, value_name = "KEY")]
        key: Option<String>,
        /// Trust the certificates of this PEM file in place of the system's
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// Print the saved gateways, with the public half of their keys
    List {
        /// Print JSON, an object a line
        #[arg(long)]
        json: bool,
    },
    /// Choose the gateway for commands that name none
    Use {
        /// Its name
        #[arg(id = CONTEXT_NAME, value_name = "NAME")]
        name: String,
    },
    /// Forget a saved gateway and its key
    Remove {
        /// Its name
        #[arg(id = CONTEXT_NAME, value_name = "NAME")]
        name: String,
    },
}

impl ContextArguments {
    fn read(self) -> Invocation {
        let mut json = false;
        let command = match self {
            Self::Add { name, url, key, ca } => ContextCommand::Add {
                name,
                url,
                key: key.map(client::Secret::new),
                ca,
            },
            Self::List { json: wanted } => {
                json = wanted;
                ContextCommand::List
            }
            Self::Use { name } => ContextCommand::Use(name),
            Self::Remove { name } => ContextCommand::Remove(name),
        };
        Invocation {
            gateway: GatewayOptions::default(),
            form: form(json),
            notices: Notices::Said,
            action: Action::Context(command),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct BindArguments {
    /// The statuses: a system, a module and names, or paths such as sys-1/Display_1/power
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// End after the first value of each status
    #[arg(long, conflicts_with = "count")]
    once: bool,
    /// End after N lines
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// End after this time; with --once or --count that is a failure
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, Args)]
pub(super) struct ExecArguments {
    /// The method and its arguments, which are JSON; a bare word is a string
    #[arg(value_name = "WORDS", allow_negative_numbers = true)]
    words: Vec<String>,
    /// Wait this long for the answer [default: as long as the gateway does]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Send the call again as long as it certainly did not run, for --timeout or 30 seconds
    #[arg(long)]
    retry: bool,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, Args)]
pub(super) struct DebugArguments {
    /// The module: a system and a module, a path such as sys-1/Display_1, or an id
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// Print lines of this level and above
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "trace",
        value_parser = PossibleValuesParser::new(client::levels())
    )]
    level: String,
    /// End after N lines
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// End after this time; with --count that is a failure
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, Args)]
pub(super) struct SystemsArguments {
    /// Only systems that contain this text
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, Args)]
pub(super) struct ModulesArguments {
    /// Only those of this system
    #[arg(value_name = "SYSTEM", id = WORDS)]
    system: Option<String>,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, Args)]
pub(super) struct HealthyArguments {
    /// The gateway, or its health_listen [default: RISER_URL, else the saved one, else http://127.0.0.1:3000]
    #[arg(short, long, value_name = "URL", value_hint = ValueHint::Url, conflicts_with = "context")]
    url: Option<String>,
    /// Trust the certificates of this PEM file in place of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The gateway saved under this name [default: RISER_CONTEXT, else that of riser context use]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Print JSON when it is healthy
    #[arg(long)]
    json: bool,
}

impl ClientCommand {
    /// Reads the words that stand for something in a building.
    pub(super) fn read(self) -> Result<Invocation, BadAddress> {
        let (gateway, action) = match self {
            Self::Bind(arguments) => {
                let paths = client::bindings(&arguments.words)?;
                let until = until(arguments.once, arguments.count, arguments.timeout);
                (arguments.gateway, Action::Bind { paths, until })
            }
            Self::Exec(arguments) => {
                let call = client::call(&arguments.words)?;
                let action = Action::Exec {
                    call,
                    timeout: arguments.timeout,
                    retry: match arguments.retry {
                        true => Retry::WhatDidNotRun,
                        false => Retry::Never,
                    },
                };
                (arguments.gateway, action)
            }
            Self::Debug(arguments) => {
                let action = Action::Debug {
                    target: client::target(&arguments.words)?,
                    level: client::level(&arguments.level),
                    until: until(false, arguments.count, arguments.timeout),
                };
                (arguments.gateway, action)
            }
            Self::Systems(SystemsArguments { q, gateway }) => {
                (gateway, Action::Systems { text: q })
            }
            Self::Modules(ModulesArguments { system, gateway }) => {
                let system = system.as_deref().map(client::system).transpose()?;
                (gateway, Action::Modules { system })
            }
            Self::Status(arguments) => {
                let target = client::status(&arguments.words)?;
                (arguments.gateway, Action::Status(target))
            }
            Self::Healthy(arguments) => (arguments.into(), Action::Healthy),
            Self::Context { command } => return Ok(command.read()),
        };
        let (gateway, form, notices) = gateway.read();
        Ok(Invocation {
            gateway,
            form,
            notices,
            action,
        })
    }
}

impl From<HealthyArguments> for GatewayArguments {
    fn from(arguments: HealthyArguments) -> Self {
        let HealthyArguments {
            url,
            ca,
            context,
            json,
        } = arguments;
        Self {
            url,
            key: None,
            ca,
            context,
            json,
            quiet: false,
        }
    }
}

fn until(once: bool, count: Option<NonZeroU64>, timeout: Option<Duration>) -> Until {
    let lines = match (once, count) {
        (true, _) => Lines::Once,
        (false, Some(count)) => Lines::Count(count),
        (false, None) => Lines::Endless,
    };
    Until { lines, timeout }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "write seconds, such as 5 or 0.5")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) | Err(_) => Err("it must be longer than zero and no eternity"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{Command, Parted, parse};

    fn typed(line: &str) -> Result<Invocation, String> {
        let words = ["riser"].into_iter().chain(line.split_whitespace());
        match parse(words.map(OsString::from)) {
            Ok(Command::Client(invocation)) => Ok(*invocation),
            Ok(other) => Err(format!("{other:?}")),
            Err(Parted::Answer(text) | Parted::Refused(text)) => Err(text),
        }
    }

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_may_stand_anywhere() {
        let found =
            typed("bind sys-1 --json Display_2 power --once --url http://h:1 volume").unwrap();
        let paths = client::bindings(&words("sys-1 Display_2 power volume")).unwrap();
        let until = Until {
            lines: Lines::Once,
            timeout: None,
        };
        assert_eq!(found.action, Action::Bind { paths, until });
        assert_eq!(found.form, Form::Json);
        let url = Some("http://h:1".to_owned());
        assert_eq!(found.gateway, GatewayOptions::new(url, None, None));
    }

    #[test]
    fn a_call_takes_numbers_below_zero_and_all_else_behind_two_dashes() {
        let found =
            typed("exec sys-1/Display_1/volume -5 --timeout 2.5 --retry -- --loud").unwrap();
        let call = client::call(&words("sys-1/Display_1/volume -5 --loud")).unwrap();
        let timeout = Some(Duration::from_millis(2500));
        let retry = Retry::WhatDidNotRun;
        let expect = Action::Exec {
            call,
            timeout,
            retry,
        };
        assert_eq!(found.action, expect);
    }

    #[test]
    fn a_log_has_a_level_and_lists_have_a_filter() {
        let found = typed("debug mod-1 --level warn --count 2").unwrap();
        let target = client::target(&words("mod-1")).unwrap();
        let level = client::level("warn");
        let until = Until {
            lines: Lines::Count(NonZeroU64::new(2).unwrap()),
            timeout: None,
        };
        let action = Action::Debug {
            target,
            level,
            until,
        };
        assert_eq!(found.action, action);
        let text = Some("board".to_owned());
        assert_eq!(
            typed("systems --q board").unwrap().action,
            Action::Systems { text }
        );
        let system = Some(client::system("sys-1").unwrap());
        assert_eq!(
            typed("modules sys-1").unwrap().action,
            Action::Modules { system }
        );
        assert_eq!(
            typed("modules").unwrap().action,
            Action::Modules { system: None }
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (line, part) in [
            ("bind a/b/c --once --count 2", "cannot be used with"),
            ("bind a/b/c --count 0", "number would be zero"),
            ("bind a/b/c --timeout 0", "longer than zero"),
            ("bind a/b/c --timeout soon", "write seconds"),
            ("debug mod-1 --level loud", "invalid value 'loud'"),
            ("exec a/b", "the module is missing"),
        ] {
            let refused = typed(line).unwrap_err();
            assert!(refused.contains(part), "{line}: {refused}");
            assert_eq!(refused.lines().count(), 1, "{refused}");
        }
    }

    #[test]
    fn a_key_in_the_flags_is_not_shown() {
        let found = typed("systems --key id.hunter2").unwrap();
        assert!(!format!("{found:?}").contains("hunter2"));
    }
}
