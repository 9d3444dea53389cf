//! What a shell completes: commands and flags by clap's own engine, names by asking the gateway that the command would talk to.
//!
//! The script that `riser completions` prints calls this program at every key press, with the variable [`VARIABLE`] set and the words behind `--`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, Command, ValueEnum};
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate, ValueCompleter};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::cli::admin::KEY_ID;
use crate::cli::client::{CONTEXT_NAME, WORDS};
use crate::client::{GatewayOptions, Name, Names, context_names};

/// Names the shell that asks.
const VARIABLE: &str = "RISER_COMPLETE";

/// The variable in which the library's scripts give the number of the word to complete; without it that is the last word.
const INDEX_VARIABLE: &str = "_CLAP_COMPLETE_INDEX";

/// The variable in which they give the separator between two offers.
const SEPARATOR_VARIABLE: &str = "_CLAP_IFS";

/// The flags that say which gateway, by their names in the program.
const URL: &str = "url";
const KEY: &str = "key";
const CA: &str = "ca";
const CONTEXT: &str = "context";

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

/// The completions for the shell, if a shell runs us. Never an error, because a shell would show it in the middle of the command line.
pub(super) fn candidates(
    command: Command,
    arguments: impl IntoIterator<Item = OsString>,
    environment: &BTreeMap<String, String>,
) -> Option<String> {
    let shell = environment.get(VARIABLE).filter(|name| !name.is_empty())?;
    let Ok(shell) = Shell::from_str(shell, false) else {
        return Some(String::new());
    };
    let words = arguments
        .into_iter()
        .skip_while(|word| word != "--")
        .skip(1);
    let words: Vec<OsString> = words.collect();
    let index = environment.get(INDEX_VARIABLE);
    let index = index.and_then(|index| index.parse().ok());
    let current = index.unwrap_or(words.len().saturating_sub(1));
    // Without a folder the engine offers no files.
    let folder = std::env::current_dir().ok();
    let folder = folder.as_deref();
    Some(match shell {
        Shell::Bash => {
            let Mended {
                words,
                current,
                kept,
            } = Mended::new(&words, current);
            let mut command = with_names(command, &words, current, environment);
            // A word that cannot be completed gets no offer.
            let found = engine::complete(&mut command, words, current, folder);
            let between = environment.get(SEPARATOR_VARIABLE);
            let shown = found.unwrap_or_default();
            let shown = shown.iter().map(|candidate| {
                let word = candidate.get_value().to_string_lossy();
                word.strip_prefix(&kept).unwrap_or(&word).to_owned()
            });
            let shown: Vec<String> = shown.collect();
            shown.join(between.map_or("\n", String::as_str))
        }
        Shell::Zsh | Shell::Fish => {
            let mut command = with_names(command, &words, current, environment);
            let mut offered = Vec::new();
            let engine = shell.engine();
            let _ = engine.write_complete(&mut command, words, folder, &mut offered);
            String::from_utf8_lossy(&offered).into_owned()
        }
    })
}

/// A line as it was typed. Bash takes `:` and `=` for ends of words, so that `--url http://h:1` comes in as six of them.
#[derive(Debug, PartialEq, Eq)]
struct Mended {
    words: Vec<OsString>,
    /// The word that is to be completed.
    current: usize,
    /// The part of that word that bash keeps: it replaces only the rest with an offer.
    kept: String,
}

impl Mended {
    fn new(broken: &[OsString], current: usize) -> Self {
        let mut mended = Self {
            words: Vec::new(),
            current: 0,
            kept: String::new(),
        };
        let mut glue = false;
        for (index, piece) in broken.iter().enumerate() {
            let text = piece.to_string_lossy();
            let is_joint = !text.is_empty() && text.chars().all(|c| matches!(c, ':' | '='));
            match mended.words.last_mut().filter(|_| glue || is_joint) {
                Some(word) => {
                    if index == current {
                        mended.kept = word.to_string_lossy().into_owned();
                    }
                    word.push(piece);
                }
                None => mended.words.push(piece.clone()),
            }
            if index == current {
                mended.current = mended.words.len() - 1;
            }
            glue = is_joint;
        }
        mended.current = match current < broken.len() {
            true => mended.current,
            false => mended.words.len(),
        };
        mended
    }
}

/// The command whose words in the building are completed by the gateway.
fn with_names(
    command: Command,
    words: &[OsString],
    current: usize,
    environment: &BTreeMap<String, String>,
) -> Command {
    let typed = Typed::read(&command, words, current);
    let complete = |command: Command, argument: &str, wanted| {
        let completer = ArgValueCompleter::new(Completer {
            wanted,
            typed: typed.clone(),
            environment: environment.clone(),
        });
        command.mut_arg(argument, |argument| argument.add(completer))
    };
    let command = [
        (&["bind"][..], WORDS, Wanted::Statuses),
        (&["exec"], WORDS, Wanted::Functions),
        (&["debug"], WORDS, Wanted::Logs),
        (&["status"], WORDS, Wanted::Modules),
        (&["modules"], WORDS, Wanted::Systems),
        (&["keys", "create"], "user", Wanted::Users),
        (&["keys", "create"], "systems", Wanted::Systems),
        (&["keys", "create"], "zones", Wanted::Zones),
        (&["keys", "revoke"], KEY_ID, Wanted::Keys),
        (&["context", "use"], CONTEXT_NAME, Wanted::Contexts),
        (&["context", "remove"], CONTEXT_NAME, Wanted::Contexts),
    ]
    .into_iter()
    .fold(command, |command, (path, argument, wanted)| {
        at(command, path, &|command| {
            complete(command, argument, wanted)
        })
    });
    everywhere(command, &|command| {
        let has = command
            .get_arguments()
            .any(|argument| argument.get_id() == CONTEXT);
        match has {
            true => complete(command, CONTEXT, Wanted::Contexts),
            false => command,
        }
    })
}

/// Changes the subcommand at this path.
fn at(command: Command, path: &[&str], change: &dyn Fn(Command) -> Command) -> Command {
    match path {
        [] => change(command),
        [name, rest @ ..] => command.mut_subcommand(name, |below| at(below, rest, change)),
    }
}

/// Changes a command and all below it.
fn everywhere(command: Command, change: &dyn Fn(Command) -> Command) -> Command {
    change(command).mut_subcommands(|below| everywhere(below, change))
}

/// What stands in the place of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Systems,
    /// A module in its place.
    Modules,
    /// A module in its place, or by its id.
    Logs,
    Statuses,
    /// A function, and then its arguments.
    Functions,
    Keys,
    Users,
    Zones,
    /// Saved gateways.
    Contexts,
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
        let words: Vec<Cow<'_, str>> = words.iter().map(|word| word.to_string_lossy()).collect();
        let mut command = command;
        let mut place = 1;
        while let Some(below) = words
            .get(place)
            .filter(|_| place < current)
            .and_then(|word| command.find_subcommand(word.as_ref()))
        {
            command = below;
            place += 1;
        }
        if place == 1 {
            return Self::default();
        }
        let mut typed = Self::default();
        let (mut url, mut key, mut ca, mut context) = (None, None, None, None);
        while let Some(word) = words.get(place) {
            let index = place;
            place += 1;
            if !word.starts_with('-') {
                if index < current {
                    typed.before.push(word.clone().into_owned());
                }
                continue;
            }
            let (flag, attached) = split(word);
            let argument = command
                .get_arguments()
                .find(|argument| is_of(argument, flag));
            let Some(argument) = argument.filter(|argument| argument.get_action().takes_values())
            else {
                continue;
            };
            let value = attached.map(str::to_owned).or_else(|| {
                let value = words.get(place)?.clone().into_owned();
                place += 1;
                Some(value)
            });
            match argument.get_id().as_str() {
                URL => url = value,
                KEY => key = value,
                CA => ca = value.map(PathBuf::from),
                CONTEXT => context = value,
                _ => {}
            }
        }
        typed.gateway = GatewayOptions::new(url, key, ca).in_context(context);
        typed
    }
}

/// A flag and the value that hangs on it: `--url=U`, `-uU`.
fn split(word: &str) -> (&str, Option<&str>) {
    match (word.split_once('='), word.starts_with("--")) {
        (Some((flag, value)), true) => (flag, Some(value)),
        (None, true) => (word, None),
        (_, false) => {
            let end = word
                .char_indices()
                .nth(2)
                .map_or(word.len(), |(end, _)| end);
            let (flag, value) = word.split_at(end);
            (flag, Some(value).filter(|value| !value.is_empty()))
        }
    }
}

fn is_of(argument: &Arg, flag: &str) -> bool {
    match flag.strip_prefix("--") {
        Some(long) => argument.get_long() == Some(long),
        None => flag
            .chars()
            .nth(1)
            .is_some_and(|c| argument.get_short() == Some(c)),
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
        let before = &self.typed.before;
        let found = self.names(before, current);
        let is_there = |name: &Name| self.wanted == Wanted::Statuses && before.contains(&name.name);
        let fits = |name: &Name| name.name.starts_with(current) && !is_there(name);
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
    fn names(&self, before: &[String], current: &str) -> Vec<Name> {
        let names = || Names::new(&self.typed.gateway, &self.environment);
        match self.wanted {
            Wanted::Contexts => context_names(&self.environment)
                .into_iter()
                .map(Name::bare)
                .collect(),
            Wanted::Systems => names().systems(),
            Wanted::Keys => names().keys(),
            Wanted::Users => names().users(),
            Wanted::Zones => names().zones(),
            Wanted::Modules | Wanted::Logs | Wanted::Statuses | Wanted::Functions => {
                self.addressed(&names(), before, current)
            }
        }
    }

    /// What is named by its place in the building, in words or as a path.
    fn addressed(&self, names: &Names, before: &[String], current: &str) -> Vec<Name> {
        let is_path = |word: &str| word.contains('/');
        match before {
            [] if is_path(current) => self.paths(names, current),
            [] => {
                let mut found = names.systems();
                if self.wanted == Wanted::Logs {
                    found.extend(names.module_ids());
                }
                found
            }
            [first, given @ ..] if is_path(first) => match self.wanted {
                Wanted::Statuses => self.paths(names, current),
                Wanted::Functions => {
                    let mut parts = first.splitn(3, '/');
                    let mut part = || parts.next().unwrap_or_default();
                    let (system, module, function) = (part(), part(), part());
                    names.arguments(system, module, function, given.len())
                }
                Wanted::Systems
                | Wanted::Modules
                | Wanted::Logs
                | Wanted::Keys
                | Wanted::Users
                | Wanted::Zones
                | Wanted::Contexts => Vec::new(),
            },
            [system] => names.modules(system),
            [system, module, rest @ ..] => match (self.wanted, rest) {
                (Wanted::Statuses, _) => names.statuses(system, module),
                (Wanted::Functions, []) => names.functions(system, module),
                (Wanted::Functions, [function, given @ ..]) => {
                    names.arguments(system, module, function, given.len())
                }
                _ => Vec::new(),
            },
        }
    }

    /// Whole words of which `current` is the beginning. A slash at the end tells the shell that more can come.
    fn paths(&self, names: &Names, current: &str) -> Vec<Name> {
        let mut parts = current.splitn(3, '/');
        let system = parts.next().unwrap_or_default();
        let module = parts.next();
        let further = parts.next();
        let goes_on = matches!(self.wanted, Wanted::Statuses | Wanted::Functions);
        let (found, prefix, end) = match (module, further) {
            (None, _) => (names.systems(), String::new(), "/"),
            (Some(_), None) => {
                let end = if goes_on { "/" } else { "" };
                (names.modules(system), format!("{system}/"), end)
            }
            (Some(module), Some(_)) => {
                let found = if self.wanted == Wanted::Statuses {
                    names.statuses(system, module)
                } else if self.wanted == Wanted::Functions {
                    names.functions(system, module)
                } else {
                    Vec::new()
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
        let short = typed("riser keys revoke -u http://there:1 -kk.s --context=x HERE");
        assert_eq!(short.gateway, gateway.in_context(Some("x".to_owned())));
        assert_eq!(short.before, [""; 0]);
    }

    #[test]
    fn what_bash_has_broken_at_colons_and_equals_signs_is_whole_again() {
        let mended = |line: &str, current| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let mended = Mended::new(&words, current);
            let words = mended.words.iter().map(|word| word.to_string_lossy());
            (
                words.collect::<Vec<_>>().join(" "),
                mended.current,
                mended.kept,
            )
        };
        assert_eq!(
            mended("riser bind --url http : //h : 1 --key = k.s sy", 11),
            (
                "riser bind --url http://h:1 --key=k.s sy".to_owned(),
                5,
                String::new()
            )
        );
        assert_eq!(
            mended("riser debug --level = wa", 4),
            (
                "riser debug --level=wa".to_owned(),
                2,
                "--level=".to_owned()
            )
        );
        assert_eq!(
            mended("riser bind ", 2),
            ("riser bind ".to_owned(), 2, String::new())
        );
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
