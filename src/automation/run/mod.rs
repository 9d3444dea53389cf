//! One run of steps, as a machine that somebody drives.
//!
//! Separate from whoever calls functions, waits and publishes: a run only says what it wants, and goes on with what came of it.
//! It never waits itself, and what it takes is bounded ([`Bounds`]).
//!
//! - `branch` does one step after another, and `step` a single one.
//! - `place` says where that is.
//! - `arguments` gives a procedure its variables.

mod arguments;
mod branch;
mod place;
mod step;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use branch::{Branch, Machine, State};

use super::history::History;
use super::limits::{Bounds, SLICE_STEPS};
use super::program::{Place, Program};
use crate::expressions::{Value, Windows};
use crate::model::{FunctionPath, JsonText, ProcedureId};

/// One run of a procedure, or of the steps of a trigger.
#[derive(Debug)]
pub struct Run {
    root: Branch,
    bounds: Bounds,
    began: Duration,
    spent: Spent,
    is_over: bool,
}

/// What a run has taken so far.
#[derive(Debug, Default)]
struct Spent {
    steps: usize,
    /// Rounds that are done at one time at present.
    branches: usize,
    wants: u32,
    history: History,
}

/// What a run finds around it at one moment.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The functions of the outside that expressions may call.
    pub windows: &'a dyn Windows,
    /// The procedures that there are.
    pub procedures: &'a dyn Procedures,
    /// The moment, from some beginning that never jumps back.
    pub now: Duration,
}

impl fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// The procedures that steps can run.
pub trait Procedures {
    /// The procedure of this id.
    fn find(&self, id: &ProcedureId) -> Option<Arc<Program>>;
}

/// Tells the wants of one run apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WantId(u32);

/// Something that a run wants to be done, and waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// By which it is answered.
    pub id: WantId,
    /// What.
    pub goal: Goal,
}

/// What a run can want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// A function is called, once. Its result is the answer.
    Call {
        /// Which.
        path: FunctionPath,
        /// An object by name, or a list by position.
        args: Option<JsonText>,
    },
    /// Time passes.
    Wait(Duration),
    /// An event is announced on the bus.
    Publish {
        /// Its name.
        name: String,
        /// What belongs to it.
        data: JsonText,
    },
    /// A message goes to those who subscribe to a service.
    Notify(Notice),
}

/// A message to those who subscribe to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The name of the service.
    pub service: String,
    /// What is said.
    pub message: String,
    /// A title.
    pub title: Option<String>,
    /// An address.
    pub link: Option<String>,
    /// How much it matters, from 1 to 5.
    pub level: u8,
}

/// What came of a want: its result, or why there is none, in words for people.
pub type Answer = Result<JsonText, String>;

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It wants these things, and goes on when one that it waits for is answered.
    Waits(Vec<Want>),
    /// It wants these things, and has more to do at once: it lets others on, and [goes on](Run::go) then.
    Goes(Vec<Want>),
    /// It is over: what it returned, or which step failed. What was wanted before is not waited for.
    Done(Result<JsonText, Failure>),
}

/// Why a run failed, and at which step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step; none of them where it could not begin.
    pub place: Place,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place == Place::default() {
            true => f.write_str(&self.reason),
            false => write!(f, "{}: {}", self.place, self.reason),
        }
    }
}

impl std::error::Error for Failure {}

impl Run {
    /// A run that begins now.
    ///
    /// # Errors
    ///
    /// A parameter that the arguments do not give. Those that are too many are ignored.
    pub fn new(
        program: &Program,
        args: Option<&JsonText>,
        event: Value,
        bounds: Bounds,
        now: Duration,
    ) -> Result<Self, Failure> {
        let args = args.map(Value::of_json);
        let scope = arguments::scope(&program.parameters, args.as_ref(), event);
        let scope = scope.map_err(|reason| Failure {
            place: Place::default(),
            reason,
        })?;
        Ok(Self {
            root: Branch::new(program.steps.clone(), scope),
            bounds,
            began: now,
            spent: Spent::default(),
            is_over: false,
        })
    }

    /// Goes on as far as it can, for a while.
    pub fn go(&mut self, around: &Around<'_>) -> Progress {
        if self.is_over {
            return Progress::Waits(Vec::new());
        }
        if around.now >= self.deadline() {
            return self.late(around);
        }
        let mut machine = Machine {
            around: *around,
            bounds: self.bounds,
            began: self.began,
            spent: &mut self.spent,
            slice: SLICE_STEPS,
            wants: Vec::new(),
        };
        let state = self.root.go(&mut machine, &Place::default());
        let wants = machine.wants;
        match state {
            Ok(State::Waits) => Progress::Waits(wants),
            Ok(State::Goes) => Progress::Goes(wants),
            Ok(State::Ended(value)) => self.over(Ok(value.to_json())),
            Err(stop) => self.over(Err(stop.failure())),
        }
    }

    /// Goes on with what came of a want. What the run does not wait for is ignored.
    pub fn answer(&mut self, id: WantId, answer: Answer, around: &Around<'_>) -> Progress {
        self.root.take(id, answer);
        self.go(around)
    }

    /// When it ends at the latest: whoever drives it lets it [go on](Self::go) then.
    pub fn deadline(&self) -> Duration {
        self.began.saturating_add(self.bounds.time)
    }

    /// What its steps did so far.
    pub fn history(&self) -> &History {
        &self.spent.history
    }

    fn late(&mut self, around: &Around<'_>) -> Progress {
        let failure = Failure {
            place: self.root.place_waiting(&Place::default()),
            reason: format!(
                "takes longer than the {} s that a run may take",
                self.bounds.time.as_secs()
            ),
        };
        self.root.note_late(
            &mut self.spent.history,
            &failure,
            around.now.saturating_sub(self.began),
        );
        self.over(Err(failure))
    }

    fn over(&mut self, result: Result<JsonText, Failure>) -> Progress {
        self.is_over = true;
        Progress::Done(result)
    }
}

#[cfg(test)]
mod tests;
