//! The log of a module that is a process: limited, so that a driver that floods it takes neither the disk nor the reader's patience.

use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::limits::{LOG_LINES_BURST, LOG_LINES_PER_SECOND, SHOWN_MAX_CHARS, WARNING_PAUSE};
use crate::driver_host::ModuleSink;
use crate::model::{LogLevel, lock};

/// Writes the lines of one process.
pub(super) struct ModuleLog {
    sink: Arc<dyn ModuleSink>,
    state: Mutex<State>,
}

struct State {
    /// Lines that may be written at once.
    left: f64,
    /// When `left` was reckoned.
    at: Instant,
    left_out: u64,
    last: Option<String>,
    /// The first line of stdout that was no message.
    stray: Option<String>,
    /// When each kind of warning was given last.
    warned: Vec<(&'static str, Instant)>,
}

impl ModuleLog {
    pub(super) fn new(sink: Arc<dyn ModuleSink>) -> Self {
        Self {
            sink,
            state: Mutex::new(State {
                left: f64::from(LOG_LINES_BURST),
                at: Instant::now(),
                left_out: 0,
                last: None,
                stray: None,
                warned: Vec::new(),
            }),
        }
    }

    /// Writes a line that the driver has chosen the level of.
    pub(super) fn line(&self, level: LogLevel, message: String) {
        if !self.sink.wants_line(level) {
            return;
        }
        let told = {
            let mut state = lock(&self.state);
            if !state.take_place() {
                state.left_out += 1;
                return;
            }
            std::mem::take(&mut state.left_out)
        };
        self.tell(told);
        self.sink.line(level, message);
    }

    /// Writes a line of stderr.
    pub(super) fn stderr(&self, line: &[u8], was_cut: bool) {
        let mut text = String::from_utf8_lossy(line).trim_end().to_owned();
        if text.is_empty() {
            return;
        }
        if was_cut {
            text.push('…');
        }
        lock(&self.state).last = Some(text.clone());
        self.line(LogLevel::Info, text);
    }

    /// Warns of what the process does wrong, once in a while for each kind.
    pub(super) fn warn(&self, kind: &'static str, message: impl FnOnce() -> String) {
        {
            let mut state = lock(&self.state);
            let now = Instant::now();
            let place = state.warned.iter().position(|(other, _)| *other == kind);
            match place {
                Some(place) if now - state.warned[place].1 < WARNING_PAUSE => return,
                Some(place) => state.warned[place].1 = now,
                None => state.warned.push((kind, now)),
            }
        }
        self.sink.line(LogLevel::Warn, message());
    }

    /// Warns of a line of stdout that is no message.
    pub(super) fn stray(&self, line: &[u8]) {
        let shown = shown(line);
        lock(&self.state).stray.get_or_insert_with(|| shown.clone());
        self.warn("stray", || {
            format!(
                "the driver wrote something to stdout that is no JSON-RPC 2.0 message: {shown:?}"
            )
        });
    }

    /// The beginning of the first line of stdout that was no message.
    pub(super) fn first_stray(&self) -> Option<String> {
        lock(&self.state).stray.clone()
    }

    /// Says how many lines were left out, if any were since it was said last.
    pub(super) fn tell_left_out(&self) {
        let left_out = std::mem::take(&mut lock(&self.state).left_out);
        self.tell(left_out);
    }

    fn tell(&self, left_out: u64) {
        if left_out > 0 {
            let message = format!(
                "{left_out} lines of the log were left out: the driver writes more than {LOG_LINES_PER_SECOND} a second"
            );
            self.sink.line(LogLevel::Warn, message);
        }
    }

    /// The last line of stderr, which often says why a process has ended.
    pub(super) fn last_of_stderr(&self) -> Option<String> {
        let last = lock(&self.state).last.clone()?;
        Some(shown(last.as_bytes()))
    }
}

impl State {
    fn take_place(&mut self) -> bool {
        let now = Instant::now();
        let gained = (now - self.at).as_secs_f64() * f64::from(LOG_LINES_PER_SECOND);
        self.left = (self.left + gained).min(f64::from(LOG_LINES_BURST));
        self.at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

impl fmt::Debug for ModuleLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleLog").finish_non_exhaustive()
    }
}

/// The start of what a process wrote, for people.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text.chars().take(SHOWN_MAX_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::driver_host::StatusRefused;
    use crate::model::{Interface, JsonText, StatusName};

    /// A sink that keeps lines from `info` on.
    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl ModuleSink for Lines {
        fn set_status(&self, _: &StatusName, _: Option<JsonText>) -> Result<(), StatusRefused> {
            Ok(())
        }

        fn signal_status(&self, _: &StatusName) {}

        fn status(&self, _: &StatusName) -> Option<JsonText> {
            None
        }

        fn wants_line(&self, level: LogLevel) -> bool {
            level >= LogLevel::Info
        }

        fn line(&self, _: LogLevel, message: String) {
            lock(&self.0).push(message);
        }

        fn interface_changed(&self, _: Interface) {}

        fn may_act(&self) -> bool {
            true
        }
    }

    fn log() -> (ModuleLog, Arc<Lines>) {
        let lines = Arc::new(Lines::default());
        (ModuleLog::new(lines.clone()), lines)
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_written_and_what_comes_after_it_is_counted() {
        let (log, lines) = log();
        for number in 0..LOG_LINES_BURST + 7 {
            log.line(LogLevel::Info, number.to_string());
            // Nobody would see it, so it takes no place.
            log.line(LogLevel::Debug, "hidden".to_owned());
        }
        assert_eq!(lock(&lines.0).len(), LOG_LINES_BURST as usize);
        tokio::time::advance(Duration::from_secs(1)).await;
        for number in 0..=LOG_LINES_PER_SECOND {
            log.line(LogLevel::Info, format!("later {number}"));
        }
        log.tell_left_out();
        log.tell_left_out();
        let told = lock(&lines.0).split_off(LOG_LINES_BURST as usize);
        let left_out = |count| {
            format!(
                "{count} lines of the log were left out: the driver writes more than 200 a second"
            )
        };
        assert_eq!(told.first(), Some(&left_out(7)));
        assert_eq!(told[1], "later 0");
        assert_eq!(told.last(), Some(&left_out(1)));
        assert_eq!(told.len(), 2 + LOG_LINES_PER_SECOND as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn a_warning_comes_again_when_some_time_has_passed() {
        let (log, lines) = log();
        log.stray(b"one");
        log.stray(b"two");
        log.warn("other", || "another kind".to_owned());
        tokio::time::advance(WARNING_PAUSE).await;
        log.stray(b"three");
        let begins = "the driver wrote something to stdout that is no JSON-RPC 2.0 message: ";
        let expect = [
            format!("{begins}\"one\""),
            "another kind".to_owned(),
            format!("{begins}\"three\""),
        ];
        assert_eq!(*lock(&lines.0), expect);
        assert_eq!(log.first_stray().as_deref(), Some("one"));
    }
}
