//! When a trigger fires: what its conditions have come to, moment by moment.
//!
//! Separate from whoever follows statuses and events, and from what is done then.
//! It is a pure state machine: values, moments and what happened come in, and it says whether the trigger fires, how its state looks and when it wants to be woken.
//! Moments are spans since some beginning that never jumps back.
//!
//! A trigger whose conditions all last fires when the last of them begins to hold.
//! One with a condition that happens fires each time it does while the others hold.

use std::time::Duration;

use super::comparison::{Compared, Comparison};
use super::gate::{Gate, Passage};
use super::limits::HAPPENED_SHOWN;
use super::state::{ConditionKey, TriggerCounts, TriggerState};
use crate::model::{Cause, Condition, Conditions, JsonText};

/// What a trigger's conditions have come to.
#[derive(Debug)]
pub struct Edges {
    parts: Vec<Part>,
    keys: Vec<ConditionKey>,
    /// Whether all that last hold; not known before each was looked at.
    level: Option<bool>,
    gate: Gate,
    firings: u64,
    action_errors: u64,
    comparison_errors: u64,
    /// Which step failed in the last firing, and why.
    error: Option<String>,
}

/// What one condition has come to.
#[derive(Debug)]
enum Part {
    Lasting {
        comparison: Comparison,
        lasts: Duration,
        held: Held,
    },
    /// Until when it shows as met.
    Happening { shown_until: Option<Duration> },
}

/// How long a condition that lasts has held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Nobody has looked yet.
    Unseen,
    /// It does not hold.
    Not,
    /// It began to hold, and not long enough ago.
    Since(Duration),
    /// It has held for long enough.
    Lasts,
}

/// How a value comes to a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It is what is there: nothing is known to have happened.
    First,
    /// It is new.
    Change,
}

/// What comes of something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    Same,
    /// The state of the trigger is another.
    Changed,
    /// The trigger fires, and its state is another.
    Fires,
}

impl Look {
    /// How a value comes that has this cause, and had this one before it.
    ///
    /// What a module says by itself where nothing was is how it begins, after its start or a reload.
    pub fn of(cause: &Cause, old: Option<&JsonText>) -> Self {
        match cause {
            Cause::Follow | Cause::Store | Cause::Building => Self::First,
            Cause::Module if old.is_none() => Self::First,
            Cause::Module | Cause::Act(_) => Self::Change,
        }
    }
}

impl Edges {
    /// Before anything was looked at.
    pub fn new(conditions: &Conditions, debounce: Duration) -> Self {
        let parts: Vec<Part> = conditions.list().iter().map(Part::new).collect();
        let has_lasting = parts.iter().any(Part::lasts);
        Self {
            parts,
            keys: ConditionKey::of(conditions),
            level: (!has_lasting).then_some(true),
            gate: Gate::new(debounce),
            firings: 0,
            action_errors: 0,
            comparison_errors: 0,
            error: None,
        }
    }

    /// It counts on from here.
    pub(super) fn go_on_from(&mut self, counts: TriggerCounts) {
        self.firings = counts.firings;
        self.action_errors = counts.action_errors;
        self.comparison_errors = counts.comparison_errors;
        self.error = counts.error;
    }

    /// It fired just now, and nothing was done: that is an error, and no firing.
    pub(super) fn undone(&mut self, why: String) {
        self.firings = self.firings.saturating_sub(1);
        self.action_errors += 1;
        self.error = Some(why);
    }

    /// The status of the condition at this place has a value; `None` where it is not set.
    pub fn value(
        &mut self,
        place: usize,
        value: Option<&JsonText>,
        look: Look,
        now: Duration,
    ) -> Turn {
        self.turn(now, |edges| {
            let Some(Part::Lasting {
                comparison,
                lasts,
                held,
            }) = edges.parts.get_mut(place)
            else {
                return false;
            };
            let compared = comparison.of(value);
            let look = match held {
                // What was before is not known.
                Held::Unseen => Look::First,
                Held::Not | Held::Since(_) | Held::Lasts => look,
            };
            *held = held.next(compared == Compared::Holds, look, *lasts, now);
            if compared == Compared::Error {
                edges.comparison_errors += 1;
            }
            match look {
                Look::First => edges.look(),
                Look::Change => edges.rise(),
            }
        })
    }

    /// The condition that happens has happened.
    pub fn happened(&mut self, now: Duration) -> Turn {
        self.turn(now, |edges| {
            let mut has_happened = false;
            for part in &mut edges.parts {
                if let Part::Happening { shown_until } = part {
                    *shown_until = Some(now + HAPPENED_SHOWN);
                    has_happened = true;
                }
            }
            has_happened && edges.level == Some(true)
        })
    }

    /// Time has passed.
    pub fn woken(&mut self, now: Duration) -> Turn {
        self.turn(now, |_| false)
    }

    /// A firing has come to its end; the error names the step that failed.
    pub fn ended(&mut self, result: Result<(), String>) -> Turn {
        let before = self.state();
        if result.is_err() {
            self.action_errors += 1;
        }
        self.error = result.err();
        match self.state() == before {
            true => Turn::Same,
            false => Turn::Changed,
        }
    }

    /// When it wants to be [woken](Self::woken); `None` while nothing depends on time.
    pub fn wake_at(&self) -> Option<Duration> {
        self.parts.iter().filter_map(Part::wake_at).min()
    }

    /// The state as it is bound.
    pub fn state(&self) -> TriggerState {
        let is_met = |part: &Part| match part {
            Part::Lasting { held, .. } => *held == Held::Lasts,
            Part::Happening { shown_until } => shown_until.is_some(),
        };
        let conditions = self.keys.iter().zip(&self.parts);
        let conditions = conditions.map(|(key, part)| (*key, is_met(part)));
        TriggerState {
            triggered: self.level.is_some()
                && !self.parts.is_empty()
                && self.parts.iter().all(is_met),
            trigger_count: self.firings,
            action_errors: self.action_errors,
            comparison_errors: self.comparison_errors,
            conditions: conditions.collect(),
            error: self.error.clone(),
        }
    }

    /// Lets time pass, then something happen. At most one of the two is an edge.
    fn turn(&mut self, now: Duration, happen: impl FnOnce(&mut Self) -> bool) -> Turn {
        let before = self.state();
        let by_time = self.pass(now);
        let is_edge = happen(self) || by_time;
        let fires = is_edge && self.attempt(now);
        if fires {
            Turn::Fires
        } else if self.state() == before {
            Turn::Same
        } else {
            Turn::Changed
        }
    }

    /// What holds for long enough by now, and whether the trigger fires for it.
    fn pass(&mut self, now: Duration) -> bool {
        let mut has_passed = false;
        for part in &mut self.parts {
            match part {
                Part::Lasting { lasts, held, .. } => {
                    if let Held::Since(since) = *held
                        && since + *lasts <= now
                    {
                        *held = Held::Lasts;
                        has_passed = true;
                    }
                }
                Part::Happening { shown_until } => {
                    *shown_until = shown_until.filter(|until| now < *until);
                }
            }
        }
        has_passed && self.rise()
    }

    /// Notes whether all that last hold now, which is no edge.
    fn look(&mut self) -> bool {
        let held = self.parts.iter().filter_map(Part::held);
        let is_seen = held.clone().all(|held| held != Held::Unseen);
        self.level = is_seen.then(|| held.clone().all(|held| held == Held::Lasts));
        false
    }

    /// The same; whether that is an edge by which the trigger fires.
    fn rise(&mut self) -> bool {
        let before = self.level;
        self.look();
        let all_last = self.parts.iter().all(Part::lasts);
        all_last && before == Some(false) && self.level == Some(true)
    }

    /// Fires, unless it is too soon or too often.
    fn attempt(&mut self, now: Duration) -> bool {
        match self.gate.pass(now) {
            Passage::Open => {
                self.firings += 1;
                true
            }
            Passage::Silent => false,
            Passage::TooOften => {
                self.action_errors += 1;
                false
            }
        }
    }
}

impl Held {
    /// After another value; a first look finds what has lasted, since nobody knows when it began.
    fn next(self, holds: bool, look: Look, lasts: Duration, now: Duration) -> Self {
        match (holds, self, look) {
            (false, _, _) => Self::Not,
            (true, Self::Since(since), _) => Self::Since(since),
            (true, Self::Lasts, _) | (true, Self::Unseen | Self::Not, Look::First) => Self::Lasts,
            (true, Self::Unseen | Self::Not, Look::Change) if lasts.is_zero() => Self::Lasts,
            (true, Self::Unseen | Self::Not, Look::Change) => Self::Since(now),
        }
    }
}

impl Part {
    fn new(condition: &Condition) -> Self {
        match condition {
            Condition::Status {
                is, than, lasts, ..
            } => Self::Lasting {
                comparison: Comparison::new(*is, than),
                lasts: lasts.get(),
                held: Held::Unseen,
            },
            Condition::Event { .. }
            | Condition::Cron { .. }
            | Condition::At(_)
            | Condition::Webhook(_) => Self::Happening { shown_until: None },
        }
    }

    fn lasts(&self) -> bool {
        self.held().is_some()
    }

    fn held(&self) -> Option<Held> {
        match self {
            Self::Lasting { held, .. } => Some(*held),
            Self::Happening { .. } => None,
        }
    }

    fn wake_at(&self) -> Option<Duration> {
        match self {
            Self::Lasting {
                held: Held::Since(since),
                lasts,
                ..
            } => Some(*since + *lasts),
            Self::Lasting {
                held: Held::Unseen | Held::Not | Held::Lasts,
                ..
            } => None,
            Self::Happening { shown_until } => *shown_until,
        }
    }
}

#[cfg(test)]
mod tests;
