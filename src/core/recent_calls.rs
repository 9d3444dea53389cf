//! Calls that were made a moment ago, by the names that their callers gave them: a caller that asks again, since the answer did not come, gets it, and nothing is run twice.
//!
//! A call is known from its beginning on, for [`RECENT_CALL_LIFE`] and at least until its answer. A caller that asks for it meanwhile waits for the one answer.
//! An answer that there is no room for is forgotten before its call is: then it is said that the call was made.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use crate::core::limits::{
    RECENT_ANSWER_MAX_BYTES, RECENT_ANSWERS_MAX_BYTES, RECENT_CALL_LIFE, RECENT_CALL_WAITERS_MAX,
    RECENT_CALLS_MAX, RECENT_CALLS_PER_CALLER,
};
use crate::core::reply::ReplySlot;
use crate::model::{CallKey, Failure, FailureKind, Reply, lock};

/// The calls of a moment ago.
#[derive(Debug, Default)]
pub(super) struct RecentCalls(Mutex<Known>);

/// What is known of them, by the order in which they began.
#[derive(Debug, Default)]
struct Known {
    numbers: HashMap<CallKey, u64>,
    of_callers: HashMap<Arc<str>, BTreeSet<u64>>,
    calls: BTreeMap<u64, RecentCall>,
    /// Those whose answers are kept.
    answered: BTreeSet<u64>,
    answer_bytes: usize,
    last_number: u64,
}

#[derive(Debug)]
struct RecentCall {
    key: CallKey,
    began: Instant,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    /// It has no answer yet, and these wait for it.
    Running(Vec<ReplySlot>),
    /// It was answered; `None` where the answer is forgotten.
    Done(Option<Result<Reply, Failure>>),
}

impl RecentCalls {
    /// Gives the slot by which a call is to be answered that is to be made. One that was made already is answered, at once or when its answer comes.
    pub(super) fn begin(
        self: &Arc<Self>,
        key: CallKey,
        slot: ReplySlot,
        now: Instant,
    ) -> Option<ReplySlot> {
        let begun = lock(&self.0).begin(&key, slot, now);
        match begun {
            Begun::New => {
                let calls = Arc::clone(self);
                Some(ReplySlot::inside(move |reply| calls.end(&key, &reply)))
            }
            Begun::Waits => None,
            Begun::Answered(slot, reply) => {
                slot.answer(reply);
                None
            }
        }
    }

    /// A call has its answer: it goes to all who have asked for it.
    fn end(&self, key: &CallKey, reply: &Result<Reply, Failure>) {
        let waiting = lock(&self.0).end(key, reply);
        for slot in waiting {
            slot.answer(copy(reply));
        }
    }
}

/// What becomes of a call.
enum Begun {
    /// It is to be made.
    New,
    /// It runs.
    Waits,
    /// It has this answer, or cannot be made.
    Answered(ReplySlot, Result<Reply, Failure>),
}

impl RecentCall {
    /// It is asked for again.
    fn join(&mut self, slot: ReplySlot) -> Begun {
        match &mut self.progress {
            Progress::Running(waiting) if waiting.len() >= RECENT_CALL_WAITERS_MAX => {
                Begun::Answered(slot, Err(busy("too many wait for this call")))
            }
            Progress::Running(waiting) => {
                waiting.push(slot);
                Begun::Waits
            }
            Progress::Done(Some(reply)) => Begun::Answered(slot, copy(reply)),
            Progress::Done(None) => Begun::Answered(slot, Err(forgotten())),
        }
    }
}

impl Known {
    fn begin(&mut self, key: &CallKey, slot: ReplySlot, now: Instant) -> Begun {
        self.forget_old(now);
        if let Some(number) = self.numbers.get(key)
            && let Some(call) = self.calls.get_mut(number)
        {
            return call.join(slot);
        }
        if !self.make_room(&key.caller) {
            return Begun::Answered(slot, Err(busy("too many calls are open")));
        }
        self.add(key, slot, now);
        Begun::New
    }

    fn add(&mut self, key: &CallKey, slot: ReplySlot, began: Instant) {
        self.last_number += 1;
        let number = self.last_number;
        self.numbers.insert(key.clone(), number);
        let of_caller = self.of_callers.entry(Arc::clone(&key.caller));
        of_caller.or_default().insert(number);
        let call = RecentCall {
            key: key.clone(),
            began,
            progress: Progress::Running(vec![slot]),
        };
        self.calls.insert(number, call);
    }

    /// Keeps the answer, and gives who waits for it.
    fn end(&mut self, key: &CallKey, reply: &Result<Reply, Failure>) -> Vec<ReplySlot> {
        let number = self.numbers.get(key).copied();
        let Some((number, call)) =
            number.and_then(|number| Some((number, self.calls.get_mut(&number)?)))
        else {
            return Vec::new();
        };
        let bytes = size(reply);
        let is_kept = bytes <= RECENT_ANSWER_MAX_BYTES;
        let kept = is_kept.then(|| copy(reply));
        let before = mem::replace(&mut call.progress, Progress::Done(kept));
        if is_kept {
            self.answered.insert(number);
            self.answer_bytes += bytes;
        }
        while self.answer_bytes > RECENT_ANSWERS_MAX_BYTES {
            let Some(oldest) = self.answered.first().copied() else {
                break;
            };
            self.forget_answer(oldest);
        }
        match before {
            Progress::Running(waiting) => waiting,
            Progress::Done(_) => Vec::new(),
        }
    }

    /// Makes room for one call more, of this caller. `false` when too many run.
    fn make_room(&mut self, caller: &Arc<str>) -> bool {
        let own = self.of_callers.get(caller);
        if own.is_some_and(|own| own.len() >= RECENT_CALLS_PER_CALLER) {
            let mut own = own.into_iter().flatten();
            let oldest = own.find(|number| self.is_done(**number)).copied();
            return oldest.is_some_and(|oldest| self.forget(oldest));
        }
        if self.calls.len() < RECENT_CALLS_MAX {
            return true;
        }
        let mut all = self.calls.keys();
        let oldest = all.find(|number| self.is_done(**number)).copied();
        oldest.is_some_and(|oldest| self.forget(oldest))
    }

    fn is_done(&self, number: u64) -> bool {
        let call = self.calls.get(&number);
        call.is_some_and(|call| matches!(call.progress, Progress::Done(_)))
    }

    /// Forgets what is over for long enough.
    fn forget_old(&mut self, now: Instant) {
        while let Some((&number, call)) = self.calls.first_key_value()
            && now.duration_since(call.began) >= RECENT_CALL_LIFE
            && self.is_done(number)
        {
            self.forget(number);
        }
    }

    /// Forgets a call. `true`, since there is room then.
    fn forget(&mut self, number: u64) -> bool {
        self.forget_answer(number);
        let Some(call) = self.calls.remove(&number) else {
            return true;
        };
        self.numbers.remove(&call.key);
        if let Some(own) = self.of_callers.get_mut(&call.key.caller) {
            own.remove(&number);
            if own.is_empty() {
                self.of_callers.remove(&call.key.caller);
            }
        }
        true
    }

    fn forget_answer(&mut self, number: u64) {
        self.answered.remove(&number);
        if let Some(call) = self.calls.get_mut(&number)
            && let Progress::Done(kept) = &mut call.progress
            && let Some(reply) = kept.take()
        {
            self.answer_bytes -= size(&reply);
        }
    }
}

/// The same answer for another who asked. What only the log may see of a failure stays with the first.
fn copy(reply: &Result<Reply, Failure>) -> Result<Reply, Failure> {
    match reply {
        Ok(reply) => Ok(reply.clone()),
        Err(failure) => Err(failure.without_source()),
    }
}

/// About how many bytes an answer to a call takes.
fn size(reply: &Result<Reply, Failure>) -> usize {
    match reply {
        // A call has no other answer.
        Ok(reply) => reply
            .returned()
            .map_or(0, |(value, _)| value.as_str().len()),
        Err(failure) => failure.message().len(),
    }
}

fn busy(message: &str) -> Failure {
    Failure::new(FailureKind::Busy, message)
}

fn forgotten() -> Failure {
    let message = "the call was made, and its answer is not kept any more";
    Failure::new(FailureKind::Lost, message)
}
