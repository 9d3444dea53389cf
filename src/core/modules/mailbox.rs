//! A module's queue of calls, and the register of those that have no answer yet.
//!
//! The register is what the deadline looks at: it stands outside the actor, so that a driver that blocks its thread cannot keep its callers waiting.
//! It is bounded by the mailbox and the calls in flight together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slab::Slab;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::core::limits::{CALLS_IN_FLIGHT, MAILBOX_CALLS};
use crate::core::reply::{ReplySlot, SharedSlot};
use crate::model::{Failure, FailureKind, FunctionName, JsonText, Reply};

/// A call on its way to a module.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) function: FunctionName,
    pub(super) arguments: JsonText,
    pub(super) open: OpenCall,
}

/// A call without an answer: its place in the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct OpenCall(usize);

#[derive(Debug)]
struct Open {
    slot: SharedSlot,
    deadline: Instant,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Running,
}

/// The register of a module's open calls.
#[derive(Debug, Default)]
pub(super) struct OpenCalls(Mutex<Slab<Open>>);

impl OpenCalls {
    fn lock(&self) -> MutexGuard<'_, Slab<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, slot: SharedSlot, deadline: Instant) -> OpenCall {
        OpenCall(self.lock().insert(Open {
            slot,
            deadline,
            phase: Phase::Waiting,
        }))
    }

    /// The call is about to run. `false` when its caller has been told that it is too late: then it must not run.
    pub(super) fn begin(&self, call: OpenCall) -> bool {
        let mut calls = self.lock();
        let Some(open) = calls.get_mut(call.0) else {
            return false;
        };
        if open.slot.is_open() {
            open.phase = Phase::Running;
            return true;
        }
        calls.remove(call.0);
        false
    }

    /// Answers a call and forgets it. Returns how long the caller waited, unless the deadline was first.
    pub(super) fn finish(&self, call: OpenCall, reply: Result<Reply, Failure>) -> Option<Duration> {
        let open = self.lock().try_remove(call.0)?;
        let waited = open.slot.is_open().then(|| open.slot.asked().elapsed());
        // Outside the lock: the answer takes the outlet's.
        open.slot.answer(reply);
        waited
    }

    /// Answers all calls that run, since their module has ended.
    pub(super) fn abandon_running(&self, failure: impl Fn() -> Failure) {
        let mut calls = self.lock();
        let running: Vec<usize> = calls
            .iter()
            .filter(|(_, open)| open.phase == Phase::Running)
            .map(|(key, _)| key)
            .collect();
        let slots: Vec<SharedSlot> = running
            .into_iter()
            .map(|key| calls.remove(key).slot)
            .collect();
        drop(calls);
        for slot in slots {
            slot.answer(Err(failure()));
        }
    }

    /// Answers all callers, when nobody else will. The calls keep their place, in case the actor comes to them after all.
    pub(super) fn answer_all(&self, failure: impl Fn() -> Failure) {
        let open: Vec<SharedSlot> = self
            .lock()
            .iter()
            .map(|(_, open)| open.slot.clone())
            .collect();
        for slot in open {
            slot.answer(Err(failure()));
        }
    }

    /// Answers the callers whose deadline has passed, and counts them; their calls run on and keep their place.
    pub(super) fn expire(&self, now: Instant) -> usize {
        let late: Vec<SharedSlot> = self
            .lock()
            .iter()
            .filter(|(_, open)| open.deadline <= now && open.slot.is_open())
            .map(|(_, open)| open.slot.clone())
            .collect();
        let expired = late.len();
        for slot in late {
            slot.answer(Err(Failure::new(
                FailureKind::TimedOut,
                "no answer before the deadline; whether the call had its effect is not known",
            )));
        }
        expired
    }

    /// Whether as many calls as may run at a time are all past their deadline.
    pub(super) fn are_hung(&self, now: Instant) -> bool {
        let overdue = |open: &Open| open.phase == Phase::Running && open.deadline <= now;
        self.lock().iter().filter(|(_, open)| overdue(open)).count() >= CALLS_IN_FLIGHT
    }
}

/// What became of a call that was offered to a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Offered {
    /// It waits there.
    Taken,
    /// There was no place, and its caller has been told.
    Full,
    /// The module has ended, and its caller has been told.
    Ended,
}

/// The way into a module's mailbox.
#[derive(Debug)]
pub(super) struct Mailbox(mpsc::Sender<Job>);

impl Mailbox {
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (sender, receiver) = mpsc::channel(MAILBOX_CALLS);
        (Self(sender), receiver)
    }

    /// Queues a call, or answers it "busy" (the mailbox is full) or "unavailable" (the module has ended).
    pub(super) fn offer(
        &self,
        calls: &OpenCalls,
        function: FunctionName,
        arguments: JsonText,
        slot: ReplySlot,
        deadline: Duration,
    ) -> Offered {
        let now = Instant::now();
        let open = calls.insert(SharedSlot::new(slot, now), now + deadline);
        let (offered, failure) = match self.0.try_send(Job {
            function,
            arguments,
            open,
        }) {
            Ok(()) => return Offered::Taken,
            Err(mpsc::error::TrySendError::Full(_)) => (
                Offered::Full,
                Failure::new(
                    FailureKind::Busy,
                    "the module has too many calls waiting; the call did not run",
                ),
            ),
            Err(mpsc::error::TrySendError::Closed(_)) => (
                Offered::Ended,
                Failure::new(
                    FailureKind::Unavailable,
                    "the module has stopped; the call did not run",
                ),
            ),
        };
        calls.finish(open, Err(failure));
        offered
    }

    /// How many calls wait.
    pub(super) fn depth(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }
}
