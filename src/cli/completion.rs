//! What a shell completes: commands and flags by clap's own engine, names by asking the gateway that the command would talk to.
//!
//! The script that `riser completions` prints calls this program at every key press, with the variable [`VARIABLE`] set and the words behind `--`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Command, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, ValueCompleter};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::cli::client::{CA_FLAG, KEY_FLAG, URL_FLAG, WORDS};
use crate::client::{GatewayOptions, Name, Names};

/// Names the shell that asks.
const VARIABLE: &str = "RISER_COMPLETE";

/// Where the library's scripts say which word is to be completed; without it that is the last one.
const INDEX_VARIABLE: &str = "_CLAP_COMPLETE_INDEX";

const PROGRAM: &str = "riser";

/// A shell that can complete our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    fn engine(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Bash,
            Self::Zsh => &Zsh,
            Self::Fish => &Fish,
        }
    }

    /// The script that the shell reads once. It calls whatever `riser` the shell finds.
    pub(super) fn script(self) -> String {
        let mut script = Vec::new();
        // Writing to a Vec cannot fail.
        let _ = self
            .engine()
            .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }
}

/// What the shell should offer, if it is a shell that runs us. Never an error: there is nobody to read it.
pub(super) fn candidates(
    command: Command,
    arguments: impl IntoIterator<Item = OsString>,
    environment: &BTreeMap<String, String>,
) -> Option<String> {
    let shell = environment.get(VARIABLE).filter(|name| !name.is_empty())?;
    let mut offered = Vec::new();
    if let Ok(shell) = Shell::from_str(shell, false) {
        let words: Vec<OsString> = arguments
            .into_iter()
            .skip_while(|word| word != "--")
            .skip(1)
            .collect();
        let mut command = with_names(command, &words, environment);
        command.build();
        // What cannot be completed is not.
        let _ = shell
            .engine()
            .write_complete(&mut command, words, None, &mut offered);
    }
    Some(String::from_utf8_lossy(&offered).into_owned())
}

/// The command whose words in the building are completed by the gateway.
fn with_names(
    command: Command,
    words: &[OsString],
    environment: &BTreeMap<String, String>,
) -> Command {
    let index = environment.get(INDEX_VARIABLE);
    let index = index.and_then(|index| index.parse().ok());
    let current = index.unwrap_or(words.len().saturating_sub(1));
    let typed = Typed::read(&command, words, current);
    [
        ("bind", Wanted::Statuses),
        ("exec", Wanted::Functions),
        ("debug", Wanted::Modules),
        ("modules", Wanted::Systems),
    ]
    .into_iter()
    .fold(command, |command, (name, wanted)| {
        let completer = ArgValueCompleter::new(Completer {
            wanted,
            typed: typed.clone(),
            environment: environment.clone(),
        });
        command.mut_subcommand(name, |subcommand| {
            subcommand.mut_arg(WORDS, |argument| argument.add(completer))
        })
    })
}

/// How deep the words of a command go into a building.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Systems,
    Modules,
    Statuses,
    Functions,
}

/// What stands on the line beside the word that is to be completed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Typed {
    gateway: GatewayOptions,
    /// The words between the subcommand and this one that are no flags.
    before: Vec<String>,
}

impl Typed {
    fn read(command: &Command, words: &[OsString], current: usize) -> Self {
        let words = words.iter().map(|word| word.to_string_lossy());
        let mut words = words.enumerate().skip(1);
        let subcommand = words.next().map(|(_, word)| word).unwrap_or_default();
        let Some(subcommand) = command.find_subcommand(subcommand.as_ref()) else {
            return Self::default();
        };
        let takes_value = |flag: &str| {
            subcommand.get_arguments().any(|argument| {
                let is_it = argument.get_long() == flag.strip_prefix("--");
                is_it && argument.get_action().takes_values()
            })
        };
        let mut typed = Self::default();
        let (mut url, mut key, mut ca) = (None, None, None);
        while let Some((index, word)) = words.next() {
            if !word.starts_with('-') {
                if index < current {
                    typed.before.push(word.into_owned());
                }
                continue;
            }
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None if takes_value(&word) => {
                    (&*word, words.next().map(|(_, word)| word.into_owned()))
                }
                None => (&*word, None),
            };
            match flag {
                URL_FLAG => url = value,
                KEY_FLAG => key = value,
                CA_FLAG => ca = value.map(PathBuf::from),
                _ => {}
            }
        }
        typed.gateway = GatewayOptions::new(url, key, ca);
        typed
    }
}

/// Completes a word by what the gateway has in its place.
struct Completer {
    wanted: Wanted,
    typed: Typed,
    environment: BTreeMap<String, String>,
}

impl ValueCompleter for Completer {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(current) = current.to_str() else {
            return Vec::new();
        };
        let names = Names::new(&self.typed.gateway, &self.environment);
        let before = &self.typed.before;
        let found = self.names(&names, before, current);
        let fits = |name: &Name| name.name.starts_with(current) && !before.contains(&name.name);
        found
            .into_iter()
            .filter(fits)
            .map(|Name { name, about }| {
                let about = (!about.is_empty()).then(|| about.into());
                CompletionCandidate::new(name).help(about)
            })
            .collect()
    }
}

impl Completer {
    /// What can stand behind the words before.
    fn names(&self, names: &Names, before: &[String], current: &str) -> Vec<Name> {
        let Self { wanted, .. } = self;
        let is_path = |word: &str| word.contains('/') && *wanted != Wanted::Systems;
        match before {
            [] if is_path(current) => self.paths(names, current),
            [] => names.systems(),
            [first, ..] if is_path(first) => match wanted {
                Wanted::Statuses => self.paths(names, current),
                Wanted::Systems | Wanted::Modules | Wanted::Functions => Vec::new(),
            },
            [system] if *wanted > Wanted::Systems => names.modules(system),
            [system, module, rest @ ..] => match wanted {
                Wanted::Statuses => names.statuses(system, module),
                Wanted::Functions if rest.is_empty() => names.functions(system, module),
                Wanted::Systems | Wanted::Modules | Wanted::Functions => Vec::new(),
            },
            [_] => Vec::new(),
        }
    }

    /// Whole words of which `current` is the beginning. A slash at the end tells the shell that more can come.
    fn paths(&self, names: &Names, current: &str) -> Vec<Name> {
        let mut parts = current.splitn(3, '/');
        let system = parts.next().unwrap_or_default();
        let module = parts.next();
        let further = parts.next();
        let (found, prefix, end) = match (module, further) {
            (None, _) => (names.systems(), String::new(), "/"),
            (Some(_), None) => {
                let end = match self.wanted {
                    Wanted::Modules => "",
                    Wanted::Systems | Wanted::Statuses | Wanted::Functions => "/",
                };
                (names.modules(system), format!("{system}/"), end)
            }
            (Some(module), Some(_)) => {
                let found = match self.wanted {
                    Wanted::Statuses => names.statuses(system, module),
                    Wanted::Functions => names.functions(system, module),
                    Wanted::Systems | Wanted::Modules => Vec::new(),
                };
                (found, format!("{system}/{module}/"), "")
            }
        };
        let whole = |Name { name, about }| Name {
            name: format!("{prefix}{name}{end}"),
            about,
        };
        found.into_iter().map(whole).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let current = words.iter().position(|word| word == "HERE");
        Typed::read(&crate::cli::command(), &words, current.unwrap_or(0))
    }

    #[test]
    fn flags_and_their_values_and_what_comes_after_are_not_words_before() {
        let found = typed(
            "riser bind --json sys-1 --url http://there:1 --count 3 Display_1 --key=k.s HERE power",
        );
        assert_eq!(found.before, ["sys-1", "Display_1"]);
        let gateway = GatewayOptions::new(
            Some("http://there:1".to_owned()),
            Some("k.s".to_owned()),
            None,
        );
        assert_eq!(found.gateway, gateway);
        assert_eq!(typed("riser"), Typed::default());
        assert_eq!(typed("riser nothing HERE"), Typed::default());
    }

    #[test]
    fn every_shell_has_a_script_that_calls_us() {
        for shell in Shell::value_variants() {
            let script = shell.script();
            assert!(
                script.contains(VARIABLE) && script.contains(PROGRAM),
                "{script}"
            );
        }
    }
}
