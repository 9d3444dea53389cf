//! What a projector is asked, and when each question is due: power at each poll, lamps once a minute, names once.
//!
//! Separate from `reader`, which asks, because these are rules about time that nothing but the clock decides.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{SLOW_PERIOD, UNAVAILABLE_FIRST, UNAVAILABLE_MAX};
use crate::protocol::Class;

/// What a projector is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Class,
    Power,
    Inputs,
    Input,
    Mutes,
    Freeze,
    Errors,
    Lamps,
    FilterHours,
    Name,
    Manufacturer,
    Model,
    SerialNumber,
    InputNames,
}

/// How often something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    EachPoll,
    /// At each poll while the projector is on, else once a minute: many answer `ERR3` then.
    EachPollWhileOn,
    EachMinute,
    /// Until the projector has been away.
    Once,
}

impl Question {
    /// All, in the order in which they are asked: what the others depend on comes first, and what people look at before what they look up.
    pub(crate) const ALL: [Self; 14] = [
        Self::Class,
        Self::Power,
        Self::Inputs,
        Self::Input,
        Self::Mutes,
        Self::Freeze,
        Self::Errors,
        Self::Lamps,
        Self::FilterHours,
        Self::Name,
        Self::Manufacturer,
        Self::Model,
        Self::SerialNumber,
        Self::InputNames,
    ];

    /// The command that asks.
    pub(crate) fn body(self) -> &'static str {
        match self {
            Self::Class => "CLSS",
            Self::Power => "POWR",
            Self::Inputs => "INST",
            Self::Input => "INPT",
            Self::Mutes => "AVMT",
            Self::Freeze => "FREZ",
            Self::Errors => "ERST",
            Self::Lamps => "LAMP",
            Self::FilterHours => "FILT",
            Self::Name => "NAME",
            Self::Manufacturer => "INF1",
            Self::Model => "INF2",
            Self::SerialNumber => "SNUM",
            Self::InputNames => "INNM",
        }
    }

    /// The class that the command is of with a projector of this class; `None` if such a projector does not have it.
    ///
    /// Class 2 has a form of its own of the commands about inputs, which knows those that class 1 has not.
    pub(crate) fn class(self, projector: Class) -> Option<Class> {
        match self {
            Self::Class
            | Self::Power
            | Self::Mutes
            | Self::Errors
            | Self::Lamps
            | Self::Name
            | Self::Manufacturer
            | Self::Model => Some(Class::One),
            Self::Inputs | Self::Input => Some(projector),
            Self::Freeze | Self::FilterHours | Self::SerialNumber | Self::InputNames => {
                (projector == Class::Two).then_some(Class::Two)
            }
        }
    }

    fn pace(self) -> Pace {
        match self {
            Self::Power => Pace::EachPoll,
            Self::Input | Self::Mutes | Self::Freeze => Pace::EachPollWhileOn,
            Self::Errors | Self::Lamps | Self::FilterHours => Pace::EachMinute,
            Self::Class
            | Self::Inputs
            | Self::Name
            | Self::Manufacturer
            | Self::Model
            | Self::SerialNumber
            | Self::InputNames => Pace::Once,
        }
    }

    fn place(self) -> usize {
        let mut all = Self::ALL.iter();
        all.position(|it| *it == self).expect("`ALL` has them all")
    }
}

/// When each question is due.
#[derive(Debug)]
pub(crate) struct Schedule([Turn; Question::ALL.len()]);

#[derive(Debug, Clone, Copy)]
struct Turn {
    due: Due,
    /// How often the answer was `ERR3` since it was another one.
    refusals: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Now,
    At(Instant),
    /// Not before the projector has been away.
    Never,
}

impl Schedule {
    /// Everything is due.
    pub(crate) fn new() -> Self {
        Self([Turn::NEW; Question::ALL.len()])
    }

    pub(crate) fn is_due(&self, question: Question) -> bool {
        match self.0[question.place()].due {
            Due::Now => true,
            Due::At(moment) => moment <= Instant::now(),
            Due::Never => false,
        }
    }

    /// The projector has answered a question.
    pub(crate) fn answered(&mut self, question: Question, is_on: bool) {
        let slowly = Due::At(Instant::now() + SLOW_PERIOD);
        let due = match (question.pace(), is_on) {
            (Pace::EachPoll, _) | (Pace::EachPollWhileOn, true) => Due::Now,
            (Pace::EachPollWhileOn, false) | (Pace::EachMinute, _) => slowly,
            (Pace::Once, _) => Due::Never,
        };
        self.0[question.place()] = Turn { due, refusals: 0 };
    }

    /// The projector does not have what was asked for.
    pub(crate) fn undefined(&mut self, question: Question) {
        self.0[question.place()].due = Due::Never;
    }

    /// The projector cannot answer now. It is left alone for longer each time.
    pub(crate) fn unavailable(&mut self, question: Question) {
        let turn = &mut self.0[question.place()];
        turn.due = Due::At(Instant::now() + rest_after(turn.refusals));
        turn.refusals = turn.refusals.saturating_add(1);
    }

    /// The projector has come on, or was told to do something, so that what people look at may be another.
    pub(crate) fn look_again(&mut self) {
        for question in Question::ALL {
            let turn = &mut self.0[question.place()];
            match (question.pace(), turn.due) {
                (Pace::EachPoll | Pace::EachPollWhileOn, Due::Now | Due::At(_)) => {
                    *turn = Turn::NEW
                }
                (Pace::EachPoll | Pace::EachPollWhileOn, Due::Never)
                | (Pace::EachMinute | Pace::Once, _) => {}
            }
        }
    }
}

impl Turn {
    const NEW: Self = Self {
        due: Due::Now,
        refusals: 0,
    };
}

/// 5, 10, 20, 40, 60, 60 … seconds.
fn rest_after(refusals: u32) -> Duration {
    let factor = 2_u32.checked_pow(refusals).unwrap_or(u32::MAX);
    UNAVAILABLE_FIRST
        .saturating_mul(factor)
        .min(UNAVAILABLE_MAX)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_rests_longer_after_each_err3_and_not_at_all_after_an_answer() {
        let mut schedule = Schedule::new();
        for seconds in [5, 10, 20, 40, 60, 60] {
            schedule.unavailable(Question::Power);
            advance(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
            assert!(!schedule.is_due(Question::Power), "{seconds}");
            advance(Duration::from_millis(1)).await;
            assert!(schedule.is_due(Question::Power), "{seconds}");
        }
        schedule.answered(Question::Power, true);
        assert!(schedule.is_due(Question::Power));
        schedule.unavailable(Question::Power);
        advance(Duration::from_secs(5)).await;
        assert!(schedule.is_due(Question::Power));
    }

    #[tokio::test(start_paused = true)]
    async fn inputs_and_mutes_are_asked_for_at_each_poll_only_while_the_projector_is_on() {
        let mut schedule = Schedule::new();
        schedule.answered(Question::Input, true);
        assert!(schedule.is_due(Question::Input));
        schedule.answered(Question::Input, false);
        advance(Duration::from_secs(59)).await;
        assert!(!schedule.is_due(Question::Input));
        advance(Duration::from_secs(1)).await;
        assert!(schedule.is_due(Question::Input));
    }

    #[tokio::test(start_paused = true)]
    async fn another_look_ends_a_rest_but_asks_for_nothing_that_is_not_there() {
        let mut schedule = Schedule::new();
        schedule.unavailable(Question::Input);
        schedule.undefined(Question::Freeze);
        schedule.answered(Question::Lamps, true);
        schedule.look_again();
        assert!(schedule.is_due(Question::Input));
        assert!(!schedule.is_due(Question::Freeze));
        assert!(!schedule.is_due(Question::Lamps));
    }
}
