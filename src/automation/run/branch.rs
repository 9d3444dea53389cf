//! One step after another, with the variables of the procedure that they are in.
//!
//! Separate from the run, since rounds that are done at one time are branches of their own, each with a copy of the variables.

use std::sync::Arc;
use std::time::Duration;

use super::place::{failed, note_failure};
use super::step::Flow;
use super::{Answer, Around, Failure, Goal, Spent, Want, WantId};
use crate::automation::history::StepDone;
use crate::automation::limits::Bounds;
use crate::automation::program::{List, Place, Step};
use crate::expressions::{Expression, Scope, Value};
use crate::model::Variable;

/// Steps that are done one after another.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) frames: Vec<Frame>,
    pub(super) scope: Scope,
    pub(super) waiting: Option<Waiting>,
    /// Procedures within each other here, those around this branch included.
    pub(super) depth: usize,
}

/// What a branch is within, from the outside to the inside.
#[derive(Debug)]
pub(super) enum Frame {
    /// Steps, of which the one before `next` is being done.
    List {
        key: Option<Arc<str>>,
        steps: List,
        next: usize,
    },
    /// Rounds of a `for`.
    Rounds {
        variable: Variable,
        items: Arc<[Value]>,
        next: usize,
        body: List,
    },
    /// Rounds of a `while`.
    While {
        condition: Arc<Expression>,
        rounds: usize,
        body: List,
    },
    /// Rounds that are done at one time.
    Parallel(Vec<Child>),
    /// A procedure, and what its caller goes on with.
    Procedure {
        caller: Scope,
        result: Option<Variable>,
    },
}

/// One of the rounds that are done at one time.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) branch: Branch,
    /// How it ended.
    pub(super) ended: Option<Result<(), Failure>>,
}

/// What a branch waits for.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) id: WantId,
    pub(super) what: String,
    pub(super) began: Duration,
    pub(super) result: Option<Variable>,
    pub(super) answer: Option<Answer>,
}

/// How far a branch is.
#[derive(Debug)]
pub(super) enum State {
    /// It waits for answers.
    Waits,
    /// It has more to do.
    Goes,
    /// It has come to its end, with this value.
    Ended(Value),
}

/// Why a branch goes no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// A step failed. Rounds beside it go on.
    Failed(Failure),
    /// The run has taken all that it may.
    Exhausted(Failure),
}

impl Stop {
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Failed(failure) | Self::Exhausted(failure) => failure,
        }
    }
}

/// What drives the branches of a run for a while.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) around: Around<'a>,
    pub(super) bounds: Bounds,
    pub(super) began: Duration,
    pub(super) spent: &'a mut Spent,
    /// Steps that may be done before others are let on.
    pub(super) slice: usize,
    pub(super) wants: Vec<Want>,
}

impl Machine<'_> {
    pub(super) fn elapsed(&self) -> Duration {
        self.around.now.saturating_sub(self.began)
    }
}

impl Branch {
    pub(super) fn new(steps: List, scope: Scope) -> Self {
        Self::within(None, steps, scope, 1)
    }

    pub(super) fn within(key: Option<&str>, steps: List, scope: Scope, depth: usize) -> Self {
        let key = key.map(Arc::from);
        Self {
            frames: vec![Frame::List {
                key,
                steps,
                next: 0,
            }],
            scope,
            waiting: None,
            depth,
        }
    }

    /// Goes on as far as it can. `around` is the place of what it is within.
    pub(super) fn go(&mut self, machine: &mut Machine<'_>, around: &Place) -> Result<State, Stop> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                match waiting.answer.take() {
                    None => return Ok(State::Waits),
                    Some(answer) => self.go_on(machine, around, answer)?,
                }
            }
            if machine.slice == 0 {
                return Ok(State::Goes);
            }
            match self.frames.last_mut() {
                None => return Ok(State::Ended(Value::Null)),
                Some(Frame::List { steps, next, .. }) => {
                    let steps = steps.clone();
                    let Some(step) = steps.get(*next) else {
                        self.frames.pop();
                        continue;
                    };
                    *next += 1;
                    self.spend(machine, around)?;
                    let place = self.place(around);
                    let flow = self.step(step, machine, &place);
                    let flow = flow.map_err(|halt| failed(machine, place, step, halt))?;
                    if let Flow::Return(value) = flow
                        && let Some(value) = self.give_back(value)
                    {
                        return Ok(State::Ended(value));
                    }
                }
                Some(Frame::Rounds { .. }) => self.round(machine, around)?,
                Some(Frame::While { .. }) => self.again(machine, around)?,
                Some(Frame::Parallel(_)) => {
                    if let Some(state) = self.children(machine, around)? {
                        return Ok(state);
                    }
                }
                Some(Frame::Procedure { .. }) => {
                    self.give_back(Value::Null);
                }
            }
        }
    }

    /// Goes on with the answer to what it waited for.
    fn go_on(
        &mut self,
        machine: &mut Machine<'_>,
        around: &Place,
        answer: Answer,
    ) -> Result<(), Stop> {
        let Some(waiting) = self.waiting.take() else {
            return Ok(());
        };
        let failure = answer.as_ref().err().cloned();
        let place = self.place(around);
        machine.spent.history.add(StepDone {
            place: place.clone(),
            what: waiting.what,
            began: waiting.began,
            ended: machine.elapsed(),
            failure,
        });
        match answer {
            Ok(result) => {
                if let Some(variable) = &waiting.result {
                    self.scope.set(variable.as_str(), Value::of_json(&result));
                }
                Ok(())
            }
            Err(reason) => Err(Stop::Failed(Failure { place, reason })),
        }
    }

    /// The next round of a `for`, or its end.
    fn round(&mut self, machine: &mut Machine<'_>, around: &Place) -> Result<(), Stop> {
        let Some(Frame::Rounds {
            variable,
            items,
            next,
            body,
        }) = self.frames.last_mut()
        else {
            return Ok(());
        };
        let Some(item) = items.get(*next) else {
            self.frames.pop();
            return Ok(());
        };
        *next += 1;
        self.scope.set(variable.as_str(), item.clone());
        let body = body.clone();
        self.spend(machine, around)?;
        self.list("do", &body);
        Ok(())
    }

    /// The next round of a `while`, or its end.
    fn again(&mut self, machine: &mut Machine<'_>, around: &Place) -> Result<(), Stop> {
        let Some(Frame::While {
            condition,
            rounds,
            body,
        }) = self.frames.last_mut()
        else {
            return Ok(());
        };
        let holds = condition.evaluate(&self.scope, machine.around.windows);
        *rounds += 1;
        let (rounds, body) = (*rounds, body.clone());
        let holds = holds.map_err(|error| {
            let place = self.place(around);
            note_failure(machine, place, "while".to_owned(), format!("at {error}"))
        });
        if !holds.map_err(Stop::Failed)?.is_true() {
            self.frames.pop();
            return Ok(());
        }
        let most = machine.bounds.rounds;
        if rounds > most {
            let (place, reason) = (self.place(around), format!("has more than {most} rounds"));
            let failure = note_failure(machine, place, "while".to_owned(), reason);
            return Err(Stop::Exhausted(failure));
        }
        self.spend(machine, around)?;
        self.list("do", &body);
        Ok(())
    }

    /// Drives rounds that are done at one time; `None` when all have come to their end.
    ///
    /// One that fails does not hold up the others; the first of them, in the order of the items, is the failure of all.
    fn children(
        &mut self,
        machine: &mut Machine<'_>,
        around: &Place,
    ) -> Result<Option<State>, Stop> {
        let place = self.place(around);
        let Some(Frame::Parallel(children)) = self.frames.last_mut() else {
            return Ok(None);
        };
        let mut state = None;
        for child in children.iter_mut().filter(|child| child.ended.is_none()) {
            match child.branch.go(machine, &place) {
                Ok(State::Ended(_)) => child.ended = Some(Ok(())),
                Ok(State::Goes) => state = Some(State::Goes),
                Ok(State::Waits) => state = state.or(Some(State::Waits)),
                Err(Stop::Failed(failure)) => child.ended = Some(Err(failure)),
                Err(Stop::Exhausted(failure)) => return Err(Stop::Exhausted(failure)),
            }
        }
        if state.is_some() {
            return Ok(state);
        }
        machine.spent.branches -= children.len();
        let ended = std::mem::take(children);
        self.frames.pop();
        let mut failures = ended.into_iter().filter_map(|child| child.ended?.err());
        match failures.next() {
            Some(failure) => Err(Stop::Failed(failure)),
            None => Ok(None),
        }
    }

    /// Ends a procedure with a value; the value comes back where none is around it.
    fn give_back(&mut self, value: Value) -> Option<Value> {
        while let Some(frame) = self.frames.pop() {
            if let Frame::Procedure { caller, result } = frame {
                self.scope = caller;
                self.depth -= 1;
                if let Some(variable) = result {
                    self.scope.set(variable.as_str(), value);
                }
                return None;
            }
        }
        Some(value)
    }

    pub(super) fn list(&mut self, key: &str, steps: &List) {
        self.frames.push(Frame::List {
            key: Some(Arc::from(key)),
            steps: steps.clone(),
            next: 0,
        });
    }

    pub(super) fn want(
        &mut self,
        machine: &mut Machine<'_>,
        step: &Step,
        goal: Goal,
        result: Option<Variable>,
    ) {
        machine.spent.wants += 1;
        let id = WantId(machine.spent.wants);
        machine.wants.push(Want { id, goal });
        self.waiting = Some(Waiting {
            id,
            what: step.what(),
            began: machine.elapsed(),
            result,
            answer: None,
        });
    }

    /// Counts a step or a round.
    fn spend(&self, machine: &mut Machine<'_>, around: &Place) -> Result<(), Stop> {
        machine.spent.steps += 1;
        machine.slice -= 1;
        let most = machine.bounds.steps;
        match machine.spent.steps > most {
            true => Err(Stop::Exhausted(Failure {
                place: self.place(around),
                reason: format!("is the step with which the run has more than {most}"),
            })),
            false => Ok(()),
        }
    }
}
