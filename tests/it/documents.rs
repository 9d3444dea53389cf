//! What the documents say can be typed is typed here: every command of the README and of `docs` against a gateway with the demo building,
//! every building file and file of settings through `riser check`.
//!
//! A reader's habits are kept. A document is read in one folder from top to bottom, a block in one shell;
//! a building file shown before a command is `building.yaml` for it, a driver in Python the file that the line above it names; a gateway that a block starts is the one that its later lines mean.
//! `KEY` stands for the key that the gateway printed, `127.0.0.1:3000` for where it listens.
//! A block `sh no-run` needs what a test cannot have, such as a release build, another machine or an administrator.

use std::collections::BTreeSet;
use std::path::Path;

use test_support::root;

use crate::harness::{
    Block, DEADLINE, Document, Folder, Gateway, Plan, Process, Ran, Stream, Terminal, within,
};

/// What a block may be called. Any other kind may be a command that is never tried.
const KINDS: &[&str] = &[
    "sh",
    "sh no-run",
    "yaml",
    "toml",
    "text",
    "rust",
    "python",
    "js",
    "json",
    "nginx",
    "caddyfile",
];

/// How a line begins that is a command and not prose.
const PROGRAMS: &[&str] = &["riser ", "cargo ", "curl ", "docker ", "systemctl ", "apt"];

#[tokio::test]
async fn every_command_of_the_documents_does_what_it_is_there_for() {
    let mut demo = Demo::start().await;
    let mut typed = 0;
    for document in Document::all() {
        let mut reader = Reader::new(&mut demo);
        for block in document.parts().0 {
            match block.kind {
                "sh" => typed += reader.types(&block).await,
                "yaml" => reader.saves("building.yaml", &block),
                "python" => {
                    if let Some(name) = file_name(document.caption(&block)) {
                        reader.saves(name, &block);
                    }
                }
                _ => {}
            }
        }
    }
    assert!(typed > 10, "only {typed} commands were found");
}

#[tokio::test]
async fn every_building_file_and_every_setting_of_the_documents_is_a_good_one() {
    for document in Document::all() {
        for block in document.parts().0 {
            let name = match block.kind {
                "yaml" => "building.yaml",
                "toml" => "riser.toml",
                _ => continue,
            };
            let terminal = with_variables(Terminal::bare(), &block.text);
            let terminal = terminal.file(name, &block.text);
            let checked = terminal.run(&["check", name]).await;
            assert_eq!(checked.code, Some(0), "{}: {checked:#?}", block.place);
        }
    }
}

#[test]
fn a_command_stands_in_a_block_that_is_tried_or_says_why_not() {
    for document in Document::all() {
        let (blocks, outside) = document.parts();
        for block in blocks {
            assert!(
                KINDS.contains(&block.kind),
                "{}: a block is one of {KINDS:?}, not {:?}",
                block.place,
                block.kind
            );
        }
        for (place, line) in outside {
            let indented = line.strip_prefix("    ").unwrap_or_default();
            assert!(
                !PROGRAMS.iter().any(|program| indented.starts_with(program)),
                "{place}: a command belongs into a block `sh`: {line}"
            );
        }
    }
}

/// The gateway that the documents tell to start first.
struct Demo {
    gateway: Gateway,
    key: String,
    /// Holds `riser`, for the path.
    programs: Folder,
}

impl Demo {
    async fn start() -> Self {
        let mut gateway = Plan::bare()
            .arguments(["--listen", "127.0.0.1:0"])
            .start()
            .await;
        let line = gateway.next_line(DEADLINE).await.unwrap_or_default();
        let key = line.strip_prefix("api key ").expect("the demo has a key");
        let key = key.to_owned();
        let programs = Folder::new();
        let riser = Path::new(env!("CARGO_BIN_EXE_riser"));
        std::os::unix::fs::symlink(riser, programs.path().join("riser")).expect("a link");
        Self {
            gateway,
            key,
            programs,
        }
    }
}

/// A reader of one document, who types its commands.
struct Reader<'d> {
    demo: &'d mut Demo,
    terminal: Terminal,
}

impl<'d> Reader<'d> {
    fn new(demo: &'d mut Demo) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = format!("{}:{}", demo.programs.path().display(), path.display());
        let libraries = ["drivers/python", "clients/python"];
        let libraries = libraries.map(|folder| root().join(folder).display().to_string());
        let terminal = Terminal::bare()
            .variable("PATH", &path)
            // A gateway that a command starts gets a port of its own.
            .variable("RISER_LISTEN", "127.0.0.1:0")
            // Where the project's libraries for Python are.
            .variable("PYTHONPATH", &libraries.join(":"))
            // curl takes an answer of 404 for a success.
            .file(".curlrc", "fail\nsilent\nshow-error\n");
        let home = terminal.folder().path().display().to_string();
        let terminal = terminal
            .variable("CURL_HOME", &home)
            .variable("XDG_CONFIG_HOME", &home);
        Self { demo, terminal }
    }

    fn saves(&mut self, name: &str, block: &Block<'_>) {
        // A variable that the file asks for is set by a command that is typed, or the reader has none.
        let terminal = std::mem::replace(&mut self.terminal, Terminal::bare());
        self.terminal = terminal.file(name, &block.text);
    }

    /// Types every command of a block and says how many there were.
    async fn types(&mut self, block: &Block<'_>) -> usize {
        let mut shell = Shell {
            address: self.demo.gateway.url(),
            exports: String::new(),
            servers: Vec::new(),
        };
        let mut count = 0;
        for (number, command) in commands(&block.text) {
            let place = block.place.below(number).to_string();
            self.types_one(&mut shell, &place, &command).await;
            count += 1;
        }
        count
    }

    async fn types_one(&mut self, shell: &mut Shell, place: &str, command: &str) {
        let (_, address) = shell.address.split_once("://").expect("a URL");
        let command = command.replace("127.0.0.1:3000", address);
        let command = replace_word(&command, "KEY", &self.demo.key);
        if command.starts_with("export ") {
            shell.exports.push_str(&command);
            shell.exports.push('\n');
            return;
        }
        let script = format!(
            "set -eu\nexport RISER_URL={}\n{}{}{command}",
            shell.address,
            shell.exports,
            if Habit::of(&command) == Habit::Ends {
                ""
            } else {
                "exec "
            },
        );
        let mut process = self.terminal.start_program("bash", &["-c", &script]);
        match Habit::of(&command) {
            Habit::Ends => {
                let ran = Ran::of(process).await;
                assert_eq!(ran.code, Some(0), "{place}: {command}\n{ran:#?}");
            }
            Habit::Serves => {
                let line = process.next_line(Stream::Out, DEADLINE).await;
                let line = line.unwrap_or_else(|| panic!("{place}: {command} did not serve"));
                let address = line.strip_prefix("riser ready ");
                address
                    .expect("a ready line")
                    .clone_into(&mut shell.address);
                shell.servers.push(process);
            }
            Habit::GoesOn => {
                let what = || format!("a line of {place}: {command}");
                let line = within(DEADLINE, what, self.first_line(&mut process)).await;
                assert!(line.is_some(), "{place}: {command} printed nothing");
                process.signal("INT").await;
                let code = process.ended(DEADLINE).await.code();
                assert_eq!(code, Some(0), "{place}: {command}");
            }
        }
    }

    /// The first line that a command prints, while a second client uses the Board Room's display, so that there is a change to print.
    async fn first_line(&self, process: &mut Process) -> Option<String> {
        let url = self.demo.gateway.url();
        let user = Terminal::bare()
            .variable("RISER_URL", &url)
            .variable("RISER_API_KEY", &self.demo.key);
        let uses = async {
            for volume in (0..100).cycle() {
                let volume = volume.to_string();
                user.run(&["exec", "sys-board", "Display", "volume", &volume])
                    .await;
            }
        };
        tokio::select! {
            line = process.next_line(Stream::Out, DEADLINE) => line,
            () = uses => None,
        }
    }
}

/// A block's shell.
struct Shell {
    /// The URL of the gateway that is meant.
    address: String,
    exports: String,
    /// What the block has started, ended with it.
    servers: Vec<Process>,
}

/// How a command behaves when all is well.
#[derive(Debug, PartialEq, Eq)]
enum Habit {
    Ends,
    /// A gateway: it runs until it is told to stop.
    Serves,
    /// It prints until Ctrl-C.
    GoesOn,
}

impl Habit {
    fn of(command: &str) -> Self {
        let command = command.split(" #").next().unwrap_or_default();
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["riser"] | ["riser", "serve", ..] => Self::Serves,
            ["riser", "--help" | "--version"] => Self::Ends,
            ["riser", flag, ..] if flag.starts_with("--") => Self::Serves,
            ["riser", "bind" | "debug", ..] => {
                let ends = ["--once", "--count", "--timeout"];
                match words.iter().any(|word| ends.contains(word)) {
                    true => Self::Ends,
                    false => Self::GoesOn,
                }
            }
            _ => Self::Ends,
        }
    }
}

/// The file that a line says to save a program as: the one between backquotes that ends in `.py`.
fn file_name(line: &str) -> Option<&str> {
    line.split('`').find(|word| word.ends_with(".py"))
}

/// The commands of a block, each with its line: a backslash at the end of a line joins it with the next.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let (part, more) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match commands.last_mut().filter(|_| goes_on) {
            Some((_, command)) => command.push_str(part),
            None if part.trim().is_empty() || part.starts_with('#') => {}
            None => commands.push((number, part.to_owned())),
        }
        goes_on = more;
    }
    commands
}

/// Puts something in the place of a word, but not in the place of a part of one.
fn replace_word(text: &str, word: &str, new: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let alone = !before.ends_with(is_part) && !after.starts_with(is_part);
        replaced.push_str(before);
        replaced.push_str(if alone { new } else { word });
        rest = after;
    }
    replaced + rest
}

/// Sets each variable that a building file asks for, to a text that is good in any place: a service asks for letters and digits.
fn with_variables(mut terminal: Terminal, building: &str) -> Terminal {
    let names: BTreeSet<&str> = building
        .split("${ENV:")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect();
    for name in names {
        terminal = terminal.variable(name, "0123456789abcdefABCDEF0123456789");
    }
    terminal
}

#[test]
fn a_word_is_replaced_where_it_stands_alone() {
    let command = "RISER_API_KEY=KEY riser bind --key KEY MONKEY";
    assert_eq!(
        replace_word(command, "KEY", "a.b"),
        "RISER_API_KEY=a.b riser bind --key a.b MONKEY"
    );
}

#[test]
fn a_program_is_saved_as_the_line_above_it_says() {
    assert_eq!(file_name("Save this as `lamp.py`:"), Some("lamp.py"));
    assert_eq!(file_name("It begins like this:"), None);
}

#[test]
fn commands_are_lines_and_what_a_backslash_joins() {
    let found = commands("# first\na 1 \\\n  2\n\nb\n");
    assert_eq!(found, [(2, "a 1   2".to_owned()), (5, "b".to_owned())]);
}
