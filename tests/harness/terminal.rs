//! The terminal client as somebody types it: the real binary with words and variables of one's own.

use tokio::process::Command;

use crate::harness::{DEADLINE, Folder, Gateway, Key, Process, Stream};

/// A terminal in an empty folder, in which nothing has been typed yet.
#[derive(Debug)]
pub(crate) struct Terminal {
    folder: Folder,
    environment: Vec<(String, String)>,
}

/// What a command that has ended left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<String>,
    pub(crate) err: Vec<String>,
}

impl Terminal {
    /// One without any variable.
    pub(crate) fn bare() -> Self {
        Self {
            folder: Folder::new(),
            environment: Vec::new(),
        }
    }

    /// One whose variables name this gateway and this key.
    pub(crate) fn at(gateway: &Gateway, key: Key) -> Self {
        Self::bare()
            .variable("RISER_URL", &gateway.url())
            .variable("RISER_API_KEY", key.0)
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into its folder.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        self.folder.write(name, text);
        self
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Starts `riser` with these words.
    pub(crate) fn start(&self, words: &[&str]) -> Process {
        self.start_with(&[], words)
    }

    /// Starts a program that starts `riser`. It may need the machine's own environment.
    pub(crate) fn start_program(&self, program: &str, words: &[&str]) -> Process {
        let mut command = Command::new(program);
        command
            .args(words)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm");
        self.start_command(command, words)
    }

    fn start_command(&self, mut command: Command, words: &[&str]) -> Process {
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Process::start(words.join(" "), command, self.folder.path())
    }

    /// Runs `riser` with these words to its end.
    pub(crate) async fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.start(words)).await
    }

    /// The same with further variables, as a shell sets them for one command.
    pub(crate) async fn run_with(&self, variables: &[(&str, &str)], words: &[&str]) -> Ran {
        Ran::of(self.start_with(variables, words)).await
    }

    fn start_with(&self, variables: &[(&str, &str)], words: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riser"));
        command
            .args(words)
            .env_clear()
            .envs(variables.iter().copied());
        self.start_command(command, words)
    }
}

impl Ran {
    /// Waits for the end of a command.
    pub(crate) async fn of(mut process: Process) -> Self {
        let status = process.ended(DEADLINE).await;
        Self {
            code: status.code(),
            out: process.said(Stream::Out),
            err: process.said(Stream::Err),
        }
    }

    /// Asserts that it did what was asked and printed these lines, and that there was nothing to say beside them.
    #[track_caller]
    pub(crate) fn assert_printed(&self, lines: &[&str]) {
        assert_eq!(self.out, lines, "{self:#?}");
        assert_eq!(self.code, Some(0), "{self:#?}");
        assert!(self.err.is_empty(), "{self:#?}");
    }

    /// Asserts that it ended with this code and this one line, and printed nothing.
    #[track_caller]
    pub(crate) fn assert_failed(&self, code: i32, line: &str) {
        assert_eq!(self.err, [line], "{self:#?}");
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.out.is_empty(), "{self:#?}");
    }
}
