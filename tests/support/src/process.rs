//! A child process: what it says is read by threads and kept, so that it never waits for a test to listen.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

use crate::{DEADLINE, within};

/// Lines of output that are kept; older ones go.
const LINES_MAX: usize = 20_000;

/// Lines of output that are shown when a test fails.
const LINES_SHOWN: usize = 200;

/// Which of the two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error, where programs log.
    Err,
}

/// A running child.
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    said: watch::Receiver<Said>,
    /// The line of output that is looked at next by [`Self::next_line`].
    cursor: usize,
}

/// What a child has said so far.
#[derive(Debug, Default)]
struct Said {
    /// The number of the oldest line that is kept.
    first: usize,
    lines: VecDeque<(Stream, String)>,
    ended: usize,
}

impl Said {
    fn take(&mut self, stream: Stream, line: String) {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
            self.first += 1;
        }
        self.lines.push_back((stream, line));
    }

    fn get(&self, number: usize) -> Option<&(Stream, String)> {
        self.lines.get(number.checked_sub(self.first)?)
    }

    fn end(&self) -> usize {
        self.first + self.lines.len()
    }

    fn all_ended(&self) -> bool {
        self.ended == 2
    }
}

impl Process {
    /// Starts a program in a folder. Its environment is what `command` has been given.
    pub fn start(name: impl Into<String>, mut command: Command, folder: &Path) -> Self {
        let name = name.into();
        let (out, to_out) = std::io::pipe().expect("a pipe for the output");
        let (err, to_err) = std::io::pipe().expect("a pipe for the log");
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(to_out)
            .stderr(to_err)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("could not start {name}: {error}"));
        // It holds our ends of the pipes, and with them open the output would never end.
        drop(command);
        let (sender, said) = watch::channel(Said::default());
        for (stream, pipe) in [(Stream::Out, out), (Stream::Err, err)] {
            let sender = sender.clone();
            std::thread::spawn(move || listen(stream, pipe, &sender));
        }
        Self {
            name,
            stdin: child.stdin.take(),
            child,
            said,
            cursor: 0,
        }
    }

    /// The process id, while it runs.
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// The same, if it still runs.
    pub fn id_if_running(&self) -> Option<u32> {
        self.child.id()
    }

    /// The next line of one output. `None` when there will be no more.
    pub async fn next_line(&mut self, stream: Stream, deadline: Duration) -> Option<String> {
        let Self { said, cursor, .. } = self;
        let wait = async {
            loop {
                {
                    let said = said.borrow_and_update();
                    while *cursor < said.end() {
                        let line = said.get(*cursor);
                        *cursor += 1;
                        match line {
                            Some((from, line)) if *from == stream => return Some(line.clone()),
                            Some(_) => {}
                            None => panic!("it said more lines than are kept"),
                        }
                    }
                    if said.all_ended() {
                        return None;
                    }
                }
                if said.changed().await.is_err() {
                    return None;
                }
            }
        };
        within(deadline, || "its next line".to_owned(), wait).await
    }

    /// Waits until some line of its log, said before or after this call, has this text in it.
    pub async fn logged(&self, text: &str, deadline: Duration) -> String {
        let find = |said: &Said| {
            let mut lines = said.lines.iter().filter(|(from, _)| *from == Stream::Err);
            lines
                .find(|(_, line)| line.contains(text))
                .map(|(_, line)| line.clone())
        };
        let mut said = self.said.clone();
        let what = || format!("the log line {text:?} of {}", self.name);
        let found = within(deadline, what, said.wait_for(|said| find(said).is_some())).await;
        let found = found.unwrap_or_else(|_| panic!("{} ended without {}", self.name, what()));
        find(&found).expect("it was there a moment ago")
    }

    /// Everything it said on one output, as far as it is kept.
    pub fn said(&self, stream: Stream) -> Vec<String> {
        let said = self.said.borrow();
        let lines = said.lines.iter().filter(|(from, _)| *from == stream);
        lines.map(|(_, line)| line.clone()).collect()
    }

    /// Writes one line to its input.
    pub async fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("the input is open");
        let told = stdin.write_all(format!("{line}\n").as_bytes()).await;
        told.unwrap_or_else(|error| panic!("{} no longer listens: {error}", self.name));
    }

    /// Closes its input.
    pub fn say_no_more(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal by name, such as `TERM`, to this process and to no other.
    pub async fn signal(&self, name: &str) {
        // Its id stays its own until we have waited for it, so nobody else can be meant.
        let kill = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &kill]).status().await;
        let status = status.expect("there is a shell");
        assert!(status.success(), "`{kill}` did not reach {}", self.name);
    }

    /// Waits for its end and for the end of what it says.
    pub async fn ended(&mut self, deadline: Duration) -> ExitStatus {
        self.stdin = None;
        let what = || format!("the end of {}", self.name);
        let status = within(deadline, what, self.child.wait()).await;
        let status = status.expect("a child can be waited for");
        let mut said = self.said.clone();
        let all = within(deadline, what, said.wait_for(Said::all_ended)).await;
        drop(all);
        status
    }

    /// Ends it at once, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.child.start_kill().expect("our own child can be ended");
        self.ended(DEADLINE).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show();
        }
    }
}

impl Process {
    #[expect(
        clippy::print_stderr,
        reason = "the test runner shows it beside the failure"
    )]
    fn show(&self) {
        let said = self.said.borrow();
        let left_out = said.lines.len().saturating_sub(LINES_SHOWN);
        eprintln!("--- {} said ({left_out} lines left out)", self.name);
        for (stream, line) in said.lines.iter().skip(left_out) {
            let mark = match stream {
                Stream::Out => "out",
                Stream::Err => "err",
            };
            eprintln!("{mark}> {line}");
        }
        eprintln!("--- end of {}", self.name);
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn listen(stream: Stream, pipe: impl Read, said: &watch::Sender<Said>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        // An error ends it as the end of the file does: either way nothing more can be heard.
        match pipe.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                said.send_modify(|said| said.take(stream, text));
            }
        }
    }
    said.send_modify(|said| said.ended += 1);
}
