//! Warnings that repeat: the first is a line, and the others of a second are a count on one more line.
//! Where they go on, a count is of twice the time of the count before, up to a minute; where they rest for that long, the next is a line again.
//!
//! Separate because a refused client decides how often it is refused, and must not decide how much is written.
//! Two refusals of the audit log are the same when the same caller was refused the same kind of thing, whatever it was called;
//! two other warnings are the same when their whole text is equal. Events below a warning are never held back.
//! Counts are written by [`Repeats::keep`] and, at the end, by [`Repeats::tell_rest`]: a filter of a log cannot write to it.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry as Slot};
use std::fmt::{self, Write as _};
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, interval};
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit, display};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

use crate::model::lock;

/// Within how long the same is written once, at first.
const WINDOW: Duration = Duration::from_secs(1);

/// The same where it goes on and on: a program that does not give up writes a line a minute.
const WINDOW_MAX: Duration = Duration::from_secs(60);

/// Callers whose refusals are told apart, each with every kind of refusal. Protects memory and the disk from a flood that comes from everywhere;
/// those of further callers are counted together.
const CALLERS_MAX: usize = 256;

/// The target of the audit log.
const AUDIT: &str = "audit";

/// The beginning of the message that refuses an unknown key or command.
const UNKNOWN: &str = "refused: unknown";

/// The field of a count, which nothing else has: it is never held back itself.
const MORE: &str = "more";

/// What has been written lately.
#[derive(Debug, Clone, Default)]
pub struct Repeats(Arc<Mutex<HashMap<Key, Repeat>>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    kind: Identifier,
    /// The digest of what distinguishes it from others of its kind; `None` when it is not distinguished.
    caller: Option<u64>,
}

#[derive(Debug)]
struct Repeat {
    /// For how long it is held back at a time.
    window: Duration,
    until: Instant,
    /// Held back since the last line.
    more: u64,
    /// Held back before that, and not yet written as a count.
    due: u64,
    said: Said,
}

/// What a warning says, as far as a count repeats it.
#[derive(Debug, Clone, Default)]
struct Said {
    is_audit: bool,
    message: String,
    address: Option<String>,
    user: Option<String>,
    key: Option<String>,
    command: Option<String>,
    /// Everything else, where that distinguishes it from others.
    rest: String,
}

impl Repeats {
    /// Writes the counts of windows that are over. Runs until it is dropped.
    pub async fn keep(&self) {
        let mut ticks = interval(WINDOW);
        loop {
            ticks.tick().await;
            self.tell(Some(Instant::now()));
        }
    }

    /// Writes all counts, whether or not their window is over.
    pub fn tell_rest(&self) {
        self.tell(None);
    }

    fn tell(&self, now: Option<Instant>) {
        let mut counts = Vec::new();
        lock(&self.0).retain(|_, repeat| {
            let goes_on = match now {
                Some(now) if now < repeat.until => true,
                Some(now) => repeat.begin_again(now),
                None => {
                    repeat.due += std::mem::take(&mut repeat.more);
                    false
                }
            };
            let due = std::mem::take(&mut repeat.due);
            if due > 0 {
                counts.push((due, repeat.said.clone()));
            }
            goes_on
        });
        for (more, said) in counts {
            said.tell(more);
        }
    }

    /// Whether this is to be written.
    fn lets_through(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || metadata.fields().field(MORE).is_some() {
            return true;
        }
        let mut said = Said {
            is_audit: metadata.target() == AUDIT,
            ..Said::default()
        };
        event.record(&mut said);
        if said.message.starts_with(UNKNOWN) {
            // The client chooses these, so they do not tell callers apart.
            (said.key, said.command) = (None, None);
        }
        let key = Key {
            kind: metadata.callsite(),
            caller: Some(said.digest()),
        };
        let now = Instant::now();
        let mut repeats = lock(&self.0);
        let (key, said) = match repeats.contains_key(&key) || repeats.len() < CALLERS_MAX {
            true => (key, said),
            false => (
                Key {
                    caller: None,
                    ..key
                },
                said.of_everybody(),
            ),
        };
        match repeats.entry(key) {
            Slot::Vacant(slot) => {
                slot.insert(Repeat {
                    window: WINDOW,
                    until: now + WINDOW,
                    more: 0,
                    due: 0,
                    said,
                });
                true
            }
            Slot::Occupied(mut slot) => slot.get_mut().again(now),
        }
    }
}

impl Repeat {
    /// It is there again: whether it is to be written.
    fn again(&mut self, now: Instant) -> bool {
        let rested = self.until <= now && !self.begin_again(now);
        if rested {
            self.window = WINDOW;
            self.until = now + WINDOW;
        } else {
            self.more += 1;
        }
        rested
    }

    /// The window is over. Where something was held back in it, that is due, and a longer one begins; else `false`.
    fn begin_again(&mut self, now: Instant) -> bool {
        if self.more == 0 {
            return false;
        }
        self.due += std::mem::take(&mut self.more);
        self.window = (self.window * 2).min(WINDOW_MAX);
        self.until = now + self.window;
        true
    }
}

impl<S: Subscriber> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.lets_through(event)
    }
}

impl Said {
    fn digest(&self) -> u64 {
        let mut digest = DefaultHasher::new();
        (&self.message, &self.address, &self.user).hash(&mut digest);
        (&self.key, &self.command, &self.rest).hash(&mut digest);
        digest.finish()
    }

    fn of_everybody(self) -> Self {
        Self {
            is_audit: self.is_audit,
            message: self.message,
            address: Some("others".to_owned()),
            ..Self::default()
        }
    }

    fn tell(self, more: u64) {
        let Self {
            is_audit,
            message,
            address,
            user,
            key,
            command,
            rest: _,
        } = self;
        let [address, user, key, command] =
            [address, user, key, command].map(|field| field.map(display));
        if is_audit {
            tracing::warn!(
                target: "audit",
                more, address, user, key, command,
                "again: {message}"
            );
        } else {
            tracing::warn!(more, "again: {message}");
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let told_apart = match field.name() {
            "message" => &mut self.message,
            "address" => self.address.get_or_insert_default(),
            "user" => self.user.get_or_insert_default(),
            "key" => self.key.get_or_insert_default(),
            "command" => self.command.get_or_insert_default(),
            _ if self.is_audit => return,
            _ => &mut self.rest,
        };
        // Writing to a String cannot fail.
        let _ = write!(told_apart, "{value:?}");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::observability::memory_log::MemoryLog;

    fn said(log: &MemoryLog) -> Vec<String> {
        log.take().lines().map(str::to_owned).collect()
    }

    fn start() -> (Repeats, MemoryLog, tracing::subscriber::DefaultGuard) {
        let (repeats, log) = (Repeats::default(), MemoryLog::default());
        let writer = log.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time();
        let layer = layer.with_filter(repeats.clone());
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        (repeats, log, guard)
    }

    fn refuse(address: &str, name: &str) {
        tracing::warn!(target: "audit", %address, command = "exec", name, "refused");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_refusals_is_a_line_for_each_caller_and_none_is_uncounted() {
        let (repeats, log, _guard) = start();
        for n in 0..20_000 {
            refuse("10.0.0.1", &format!("guess-{n}"));
        }
        refuse("10.0.0.2", "power");
        let lines = said(&log);
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[0].contains("guess-0") && lines[1].contains("10.0.0.2"));
        repeats.tell(Some(Instant::now()));
        assert_eq!(said(&log), [""; 0], "the second is not over");
        advance(WINDOW).await;
        // Before the count was written.
        for n in 0..20_000 {
            refuse("10.0.0.1", &format!("guess-{n}"));
        }
        repeats.tell(Some(Instant::now()));
        let count = |more: u32| {
            format!(" WARN audit: again: refused more={more} address=10.0.0.1 command=exec")
        };
        assert_eq!(said(&log), [count(19_999)]);
        repeats.tell_rest();
        assert_eq!(said(&log), [count(20_000)], "not lost at the end");
        repeats.tell_rest();
        assert_eq!(said(&log), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_give_up_is_a_line_a_minute_and_who_rests_is_a_line_again() {
        let (repeats, log, _guard) = start();
        let mut lines = 0;
        for _ in 0..600 {
            for _ in 0..30 {
                refuse("10.0.0.1", "power");
            }
            advance(Duration::from_secs(1)).await;
            repeats.tell(Some(Instant::now()));
            lines += said(&log).len();
        }
        // One at once, counts after 1, 2, 4, 8, 16 and 32 s, and then each minute.
        assert_eq!(lines, 1 + 6 + 8);
        advance(2 * WINDOW_MAX).await;
        repeats.tell(Some(Instant::now()));
        advance(WINDOW_MAX).await;
        repeats.tell(Some(Instant::now()));
        drop(said(&log));
        refuse("10.0.0.1", "power");
        assert_eq!(said(&log).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_from_everywhere_takes_no_more_lines_and_memory_than_there_are_places() {
        let (repeats, log, _guard) = start();
        for n in 0..10_000 {
            refuse(&format!("10.0.{}.{}", n / 250, n % 250), "power");
        }
        assert_eq!(said(&log).len(), CALLERS_MAX + 1);
        assert_eq!(lock(&repeats.0).len(), CALLERS_MAX + 1);
        repeats.tell_rest();
        let others = said(&log);
        let rest = 10_000 - CALLERS_MAX - 1;
        assert!(
            others[0].contains(&format!("more={rest} address=others")),
            "{others:?}"
        );
        assert_eq!(others.len(), 1);
        assert!(lock(&repeats.0).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_keys_is_one_caller_whatever_the_keys_are_called() {
        let (repeats, log, _guard) = start();
        for n in 0..1_000 {
            let (address, key) = ("10.0.0.1", format!("guess-{n}"));
            tracing::warn!(target: "audit", %address, key, "refused: unknown credentials");
        }
        repeats.tell_rest();
        let lines = said(&log);
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[0].contains("guess-0"));
        assert!(lines[1].ends_with("unknown credentials more=999 address=10.0.0.1"));
    }

    #[tokio::test(start_paused = true)]
    async fn other_warnings_are_held_back_only_when_all_that_they_say_is_equal() {
        let (repeats, log, _guard) = start();
        for module in ["mod-1", "mod-2", "mod-1"] {
            tracing::warn!(module, "a module has failed");
            tracing::info!(module, "a module has started");
        }
        repeats.tell_rest();
        let lines = said(&log);
        let of = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
        assert_eq!(
            (of("has failed module"), of("has started"), of("more=1")),
            (2, 3, 1)
        );
    }
}
