//! What is known of calls, for how long, and within which bounds.

use std::time::Duration;

use tokio::sync::oneshot::{self, Receiver};

use super::*;
use crate::model::JsonText;

type Answer = Receiver<Result<Reply, Failure>>;

fn key(caller: &str, name: impl ToString) -> CallKey {
    CallKey {
        caller: caller.into(),
        name: name.to_string().into(),
    }
}

fn slot() -> (ReplySlot, Answer) {
    let (answer, answered) = oneshot::channel();
    (ReplySlot::caller(answer), answered)
}

fn result(json: &str) -> Result<Reply, Failure> {
    let value = JsonText::parse(json).unwrap();
    Ok(Reply::Result { value, code: 200 })
}

fn large(bytes: usize) -> Result<Reply, Failure> {
    result(&format!("\"{}\"", "x".repeat(bytes - 2)))
}

/// Begins a call: the slot by which it is to be answered if it is new, and the answer.
fn begin(calls: &Arc<RecentCalls>, key: CallKey, now: Instant) -> (Option<ReplySlot>, Answer) {
    let (slot, answer) = slot();
    (calls.begin(key, slot, now), answer)
}

fn make(calls: &Arc<RecentCalls>, key: CallKey, reply: Result<Reply, Failure>) {
    let (slot, _) = begin(calls, key, Instant::now());
    slot.expect("it is new").answer(reply);
}

#[track_caller]
fn check(mut answer: Answer, json: &str) {
    let answer = answer.try_recv().expect("it is answered");
    assert_eq!(answer.expect("it is good"), result(json).unwrap());
}

#[track_caller]
fn check_failed(mut answer: Answer, kind: FailureKind) {
    let answer = answer.try_recv().expect("it is answered");
    assert_eq!(answer.expect_err("it fails").kind(), kind);
}

#[test]
fn all_who_ask_for_a_call_get_the_one_answer() {
    let calls = Arc::default();
    let now = Instant::now();
    let (slot, first) = begin(&calls, key("ann", 1), now);
    let (again, second) = begin(&calls, key("ann", 1), now);
    assert!(again.is_none(), "it runs");
    let (another, _) = begin(&calls, key("bob", 1), now);
    assert!(another.is_some(), "another caller's call is another");

    slot.expect("it is new").answer(result("7"));
    check(first, "7");
    check(second, "7");
    let (late, third) = begin(&calls, key("ann", 1), now);
    assert!(late.is_none());
    check(third, "7");
}

#[test]
fn a_call_is_known_for_a_minute_and_as_long_as_it_runs() {
    let calls = Arc::default();
    let now = Instant::now();
    let (slot, _) = begin(&calls, key("ann", 1), now);
    let (again, _) = begin(&calls, key("ann", 1), now + 2 * RECENT_CALL_LIFE);
    assert!(again.is_none(), "it runs yet");
    slot.expect("it is new").answer(result("7"));
    let (again, _) = begin(&calls, key("ann", 1), now + 2 * RECENT_CALL_LIFE);
    assert!(again.is_some());

    let (slot, _) = begin(&calls, key("ann", 2), now);
    slot.expect("it is new").answer(result("7"));
    let before = now + RECENT_CALL_LIFE - Duration::from_millis(1);
    assert!(begin(&calls, key("ann", 2), before).0.is_none());
}

#[test]
fn a_failure_is_an_answer_and_so_is_a_call_that_was_dropped() {
    let calls = Arc::default();
    let failed = Err(Failure::new(
        FailureKind::DriverFailed,
        "the lamp is broken",
    ));
    make(&calls, key("ann", 1), failed);
    let (_, answer) = begin(&calls, key("ann", 1), Instant::now());
    check_failed(answer, FailureKind::DriverFailed);

    drop(begin(&calls, key("ann", 2), Instant::now()));
    let (again, answer) = begin(&calls, key("ann", 2), Instant::now());
    assert!(again.is_none());
    check_failed(answer, FailureKind::Internal);
}

#[test]
fn a_caller_with_many_calls_loses_its_own_oldest() {
    let calls = Arc::default();
    make(&calls, key("bob", 0), result("0"));
    let (running, _) = begin(&calls, key("ann", 0), Instant::now());
    for number in 1..=RECENT_CALLS_PER_CALLER {
        make(&calls, key("ann", number), result("1"));
    }
    assert!(begin(&calls, key("bob", 0), Instant::now()).0.is_none());
    let (again, _) = begin(&calls, key("ann", 0), Instant::now());
    assert!(again.is_none(), "what runs is not forgotten");
    assert!(begin(&calls, key("ann", 2), Instant::now()).0.is_none());
    assert!(begin(&calls, key("ann", 1), Instant::now()).0.is_some());
    drop(running);
}

#[test]
fn of_all_calls_the_oldest_is_forgotten_and_none_that_runs() {
    let calls = Arc::default();
    let mut running = Vec::new();
    for number in 1..RECENT_CALLS_MAX {
        let caller = format!("user {}", number % 100);
        running.push(begin(&calls, key(&caller, number), Instant::now()));
    }
    make(&calls, key("ann", 1), result("1"));
    running.push(begin(&calls, key("bob", 1), Instant::now()));
    let (refused, answer) = begin(&calls, key("cas", 1), Instant::now());
    assert!(refused.is_none());
    check_failed(answer, FailureKind::Busy);
    assert_eq!(lock(&calls.0).calls.len(), RECENT_CALLS_MAX);
}

#[test]
fn an_answer_that_is_not_kept_does_not_let_a_call_run_again() {
    let calls = Arc::default();
    make(
        &calls,
        key("ann", "large"),
        large(RECENT_ANSWER_MAX_BYTES + 1),
    );
    let many = RECENT_ANSWERS_MAX_BYTES / RECENT_ANSWER_MAX_BYTES;
    for number in 0..=many {
        make(&calls, key("ann", number), large(RECENT_ANSWER_MAX_BYTES));
    }
    for name in ["large", "0"] {
        let (again, answer) = begin(&calls, key("ann", name), Instant::now());
        assert!(again.is_none(), "{name}");
        check_failed(answer, FailureKind::Lost);
    }
    let (_, mut answer) = begin(&calls, key("ann", 1), Instant::now());
    assert!(answer.try_recv().unwrap().is_ok());
    assert_eq!(lock(&calls.0).answer_bytes, many * RECENT_ANSWER_MAX_BYTES);
}

#[test]
fn so_many_may_wait_for_one_call() {
    let calls = Arc::default();
    let first = begin(&calls, key("ann", 1), Instant::now());
    let mut waiting: Vec<_> = (1..RECENT_CALL_WAITERS_MAX)
        .map(|_| begin(&calls, key("ann", 1), Instant::now()).1)
        .collect();
    let (_, answer) = begin(&calls, key("ann", 1), Instant::now());
    check_failed(answer, FailureKind::Busy);
    assert!(waiting.iter_mut().all(|answer| answer.try_recv().is_err()));
    drop(first);
}
