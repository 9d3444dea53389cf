//! A module's calls: those that wait for their turn, and all that have no answer yet.
//!
//! Both stand under one lock outside the actor, so that a call costs few locks and a driver that blocks its thread cannot keep its callers waiting:
//! the deadline looks at them from elsewhere.
//! Offering a call does not wake the actor; that is the caller's to do, once for all calls that it has.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use slab::Slab;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::core::limits::{CALLS_IN_FLIGHT, MAILBOX_CALLS};
use crate::core::modules::arguments::HeldArguments;
use crate::core::reply::{ReplySlot, SharedSlot};
use crate::driver_host::CallChain;
use crate::model::{ExecRequest, Failure, FailureKind, Reply, lock};

/// A call on its way to a module.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) exec: ExecRequest,
    /// It ends with this call.
    pub(super) chain: CallChain,
    pub(super) open: OpenCall,
}

/// A call without an answer: its place in the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct OpenCall(usize);

#[derive(Debug)]
struct Open {
    slot: SharedSlot,
    deadline: Instant,
    phase: CallPhase,
    /// Held until the method has ended, which may be long after its caller was answered.
    _held: HeldArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallPhase {
    Waiting,
    Running,
}

/// What became of a call that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// It waits in the mailbox.
    Taken,
    /// There was no place, and the caller has been answered.
    Full,
    /// The module has ended, and the caller has been answered.
    Ended,
}

/// A module's mailbox and the register of its open calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    state: Mutex<State>,
    wake: Notify,
}

/// Bounded: what waits by the mailbox, what runs by the calls in flight.
#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    open: Slab<Open>,
    /// When the deadlines are looked at next; no open call has an earlier one.
    looked_at: Option<Instant>,
    ended: bool,
}

impl Calls {
    /// Queues a call, or answers it "busy" (the mailbox is full) or "unavailable" (the module has ended). Does not [wake](Self::wake) the actor.
    ///
    /// `look_at` gets the time at which the deadlines have to be [looked at](Self::expire), unless they are looked at before.
    pub(super) fn offer(
        &self,
        exec: ExecRequest,
        chain: CallChain,
        held: HeldArguments,
        slot: ReplySlot,
        deadline: Duration,
        look_at: impl FnOnce(Instant),
    ) -> Offered {
        let now = Instant::now();
        let deadline = now + deadline;
        let slot = SharedSlot::new(slot, now);
        let mut state = lock(&self.state);
        let (offered, failure) = if state.ended {
            let failure = Failure::new(
                FailureKind::Unavailable,
                "the module has stopped; the call did not run",
            );
            (Offered::Ended, failure)
        } else if state.waiting.len() >= MAILBOX_CALLS {
            let failure = Failure::new(
                FailureKind::Busy,
                "the module has too many calls waiting; the call did not run",
            );
            (Offered::Full, failure)
        } else {
            let open = OpenCall(state.open.insert(Open {
                slot,
                deadline,
                phase: CallPhase::Waiting,
                _held: held,
            }));
            state.waiting.push_back(Job { exec, chain, open });
            if state.looked_at.is_none_or(|at| deadline < at) {
                state.looked_at = Some(deadline);
                drop(state);
                look_at(deadline);
            }
            return Offered::Taken;
        };
        // Outside the lock: the answer takes the outlet's.
        drop(state);
        slot.answer(Err(failure));
        offered
    }

    /// Tells the actor that calls wait.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The call whose turn it is. For the actor alone; nothing is taken unless this returns.
    pub(super) async fn next(&self) -> Job {
        loop {
            let woken = self.wake.notified();
            if let Some(job) = lock(&self.state).waiting.pop_front() {
                return job;
            }
            woken.await;
        }
    }

    /// The call is about to run. `false` when its caller has already been answered "too late": then it must not run.
    pub(super) fn begin(&self, call: OpenCall) -> bool {
        let mut state = lock(&self.state);
        let Some(open) = state.open.get_mut(call.0) else {
            return false;
        };
        if open.slot.is_open() {
            open.phase = CallPhase::Running;
            return true;
        }
        state.open.remove(call.0);
        false
    }

    /// Answers a call and forgets it. Returns how long the caller waited, unless the deadline was first.
    pub(super) fn finish(&self, call: OpenCall, reply: Result<Reply, Failure>) -> Option<Duration> {
        let open = lock(&self.state).open.try_remove(call.0)?;
        let waited = open.slot.is_open().then(|| open.slot.asked().elapsed());
        // Outside the lock: the answer takes the outlet's.
        open.slot.answer(reply);
        waited
    }

    /// The module has ended: nothing is queued any more, and what waits is handed back.
    pub(super) fn end(&self) -> VecDeque<Job> {
        let mut state = lock(&self.state);
        state.ended = true;
        std::mem::take(&mut state.waiting)
    }

    /// Answers all calls that run, since their module has ended.
    pub(super) fn abandon_running(&self, failure: impl Fn() -> Failure) {
        let mut state = lock(&self.state);
        let running: Vec<usize> = state
            .open
            .iter()
            .filter(|(_, open)| open.phase == CallPhase::Running)
            .map(|(key, _)| key)
            .collect();
        let slots: Vec<SharedSlot> = running
            .into_iter()
            .map(|key| state.open.remove(key).slot)
            .collect();
        drop(state);
        for slot in slots {
            slot.answer(Err(failure()));
        }
    }

    /// Answers all callers, when the actor will not. The calls keep their place, in case the actor comes to them after all.
    pub(super) fn answer_all(&self, failure: impl Fn() -> Failure) {
        for slot in self.slots(|_| true) {
            slot.answer(Err(failure()));
        }
    }

    /// Answers the callers whose deadline has passed; their calls run on and keep their place.
    ///
    /// Returns how many there were, and when to look again unless a look is due at that moment anyway.
    pub(super) fn expire(&self, now: Instant) -> (usize, Option<Instant>) {
        let late = self.slots(|open| open.deadline <= now && open.slot.is_open());
        let mut state = lock(&self.state);
        let unanswered = state.open.iter().map(|(_, open)| open.deadline);
        let next = unanswered.filter(|deadline| *deadline > now).min();
        let is_new = state.looked_at != next;
        state.looked_at = next;
        drop(state);
        let expired = late.len();
        for slot in late {
            slot.answer(Err(Failure::new(
                FailureKind::TimedOut,
                "no answer before the deadline; whether the call had its effect is not known",
            )));
        }
        (expired, next.filter(|_| is_new))
    }

    fn slots(&self, which: impl Fn(&Open) -> bool) -> Vec<SharedSlot> {
        lock(&self.state)
            .open
            .iter()
            .filter(|(_, open)| which(open))
            .map(|(_, open)| open.slot.clone())
            .collect()
    }

    /// Whether as many calls as may run at a time are all past their deadline.
    pub(super) fn are_hung(&self, now: Instant) -> bool {
        let overdue = |open: &Open| open.phase == CallPhase::Running && open.deadline <= now;
        let state = lock(&self.state);
        state.open.iter().filter(|(_, open)| overdue(open)).count() >= CALLS_IN_FLIGHT
    }

    /// How many calls wait.
    pub(super) fn depth(&self) -> usize {
        lock(&self.state).waiting.len()
    }
}
