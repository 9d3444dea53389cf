//! What callers and followers see of a module's life, with a scripted driver and Tokio's clock paused.
//!
//! Time passes only by [`Bench::pass`], and only after everything that can run has run.

mod acts;
mod interfaces;
mod settings;
mod taking_over;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::Instant;

use crate::core::limits::{
    CALLS_IN_FLIGHT, MAILBOX_CALLS, RESTART_FIRST, RESTART_MAX, RESTART_RESET, SETTLE,
    START_DEADLINE, STATUS_NAMES_MAX, STOP_DEADLINE,
};
use crate::core::modules::HeldArguments;
use crate::core::modules::mailbox::Calls;
use crate::core::reply::SharedSlot;
use crate::core::tests::doubles::{
    self, Answer, Inbox, Life, MemoryDocuments, ScriptedHost, Start, Stop, api_key, json, outcome,
    path, place, room, scripted, user,
};
use crate::core::{Caller, Core, CoreSettings, Delivery, Outlet, OutletId, ReplySlot};
use crate::driver_host::CallChain;
use crate::model::{
    Building, Clearance, ConnectionId, Credentials, ExecRequest, Failure, FailureKind,
    FunctionName, LogLevel, Reply, Secret, StatusName, Subject, Ticket,
};

const EXEC_DEADLINE: Duration = Duration::from_secs(15);

/// Tokio's clock counts whole milliseconds.
const CLOCK_STEP: Duration = Duration::from_millis(1);

// Calls.

#[tokio::test(start_paused = true)]
async fn calls_start_in_the_order_of_their_arrival_and_a_slow_one_delays_nobody() {
    let bench = Bench::new().await;
    let slow = bench.exec("wait", "[1]");
    let slower = bench.exec("wait", "[2]");
    let quick = bench.exec("echo", "[3]");
    bench.pass(CLOCK_STEP).await;
    let begun = bench.life().begun();
    let begun: Vec<&str> = begun.iter().map(|(_, arguments)| &**arguments).collect();
    assert_eq!(begun, ["[1]", "[2]", "[3]"]);
    check(quick, "[3]");
    bench.life().answer_last(outcome("2"));
    bench.pass(CLOCK_STEP).await;
    check(slower, "2");
    bench.life().answer(outcome("1"));
    bench.pass(CLOCK_STEP).await;
    check(slow, "1");
}

#[tokio::test(start_paused = true)]
async fn a_status_that_a_call_sets_comes_before_its_result() {
    let bench = Bench::new().await;
    bench.bind("said");
    bench.exec_to_outlet("say", "[7]");
    bench.pass(CLOCK_STEP).await;
    let order: Vec<&str> = bench
        .inbox
        .take()
        .iter()
        .map(|delivery| match delivery {
            Delivery::Event { .. } => "status",
            Delivery::Reply { .. } => "result",
            Delivery::Close { .. } => "close",
        })
        .collect();
    assert_eq!(order, ["status", "result"]);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_fails_is_answered_with_its_message_and_code_and_the_module_runs_on() {
    let bench = Bench::new().await;
    let failing = bench.exec("fail", "[]");
    bench.pass(CLOCK_STEP).await;
    let failure = refusal(failing);
    assert_eq!(failure.kind(), FailureKind::DriverFailed);
    assert_eq!((failure.message(), failure.response_code()), ("no", 409));
    assert_eq!(bench.host.lives().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_past_its_deadline_is_answered_once_and_its_late_result_is_dropped() {
    let bench = Bench::new().await;
    bench.exec_to_outlet("wait", "[]");
    bench.pass(EXEC_DEADLINE - CLOCK_STEP).await;
    assert_eq!(bench.replies(), []);
    bench.pass(2 * CLOCK_STEP).await;
    assert_eq!(bench.replies(), [Some(FailureKind::TimedOut)]);
    bench.life().answer(outcome("1"));
    bench.pass(EXEC_DEADLINE).await;
    assert_eq!(bench.replies(), []);
}

#[tokio::test(start_paused = true)]
async fn each_call_has_a_deadline_of_its_own_also_one_that_is_sooner_than_those_before_it() {
    let bench = Bench::new().await;
    let handle = bench.core.modules.get(&bench.life().module).unwrap();
    let began = Instant::now();
    let calls = [10, 1, 30, 3].map(|seconds| {
        let (answer, answered) = oneshot::channel();
        let (exec, held) = (call("wait", "[]"), HeldArguments::of(&json("[]")));
        let (slot, deadline) = (ReplySlot::caller(answer), Duration::from_secs(seconds));
        assert!(
            handle
                .exec(exec, CallChain::default(), held, slot, deadline)
                .is_some()
        );
        async move {
            let failure = answered.await.unwrap().unwrap_err();
            (failure.kind(), began.elapsed().as_secs())
        }
    });
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(
        answers,
        [10, 1, 30, 3].map(|seconds| (FailureKind::TimedOut, seconds))
    );
    // They are looked at again after a time without calls.
    let late = bench.exec("wait", "[]");
    bench.pass(EXEC_DEADLINE + 2 * CLOCK_STEP).await;
    assert_eq!(refusal(late).kind(), FailureKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_passes_while_it_waits_is_never_begun() {
    let bench = Bench::starting(Start::Slow(EXEC_DEADLINE + Duration::from_secs(5))).await;
    let late = bench.exec("echo", "[\"late\"]");
    bench.pass(Duration::from_secs(10)).await;
    let timely = bench.exec("echo", "[\"timely\"]");
    bench.pass(Duration::from_secs(15)).await;
    assert_eq!(refusal(late).kind(), FailureKind::TimedOut);
    check(timely, "[\"timely\"]");
    assert_eq!(
        bench.life().begun(),
        [("echo".to_owned(), "[\"timely\"]".to_owned())]
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_finds_the_mailbox_full_is_busy_at_once_and_never_begun() {
    let bench = Bench::starting(Start::Slow(Duration::from_secs(1))).await;
    let waiting: Vec<_> = (0..MAILBOX_CALLS)
        .map(|number| bench.exec("echo", &format!("[{number}]")))
        .collect();
    let one_more = bench.exec("echo", "[\"one more\"]");
    assert_eq!(refusal(one_more).kind(), FailureKind::Busy);
    bench.pass(Duration::from_secs(2)).await;
    for (number, call) in waiting.into_iter().enumerate() {
        check(call, &format!("[{number}]"));
    }
    assert_eq!(bench.life().begun().len(), MAILBOX_CALLS);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_calls_run_at_a_time_and_the_next_begins_when_one_is_done() {
    let bench = Bench::new().await;
    let calls: Vec<_> = (0..=CALLS_IN_FLIGHT)
        .map(|_| bench.exec("wait", "[]"))
        .collect();
    bench.pass(CLOCK_STEP).await;
    assert_eq!(bench.life().begun().len(), CALLS_IN_FLIGHT);
    bench.life().answer(outcome("1"));
    bench.pass(CLOCK_STEP).await;
    assert_eq!(bench.life().begun().len(), CALLS_IN_FLIGHT + 1);
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn a_module_whose_calls_in_flight_are_all_overdue_is_restarted_once() {
    let bench = Bench::new().await;
    // A hung driver is slow to stop as well, so its calls stay overdue for many a look at the deadlines.
    bench.host.set_stop(Stop::Never);
    bench
        .life()
        .end("to be started again with a stop that hangs");
    bench.pass(Duration::from_secs(10)).await;
    bench.host.set_stop(Stop::AtOnce);
    assert_eq!(bench.host.lives().len(), 2);
    let calls: Vec<_> = (0..CALLS_IN_FLIGHT)
        .map(|_| bench.exec("wait", "[]"))
        .collect();
    bench.pass(EXEC_DEADLINE + Duration::from_secs(20)).await;
    for call in calls {
        assert_eq!(refusal(call).kind(), FailureKind::TimedOut);
    }
    assert_eq!(bench.host.lives().len(), 3);
    let next = bench.exec("echo", "[]");
    bench.pass(CLOCK_STEP).await;
    check(next, "[]");
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_said_to_hang_and_does_not_runs_on() {
    let bench = Bench::new().await;
    let handle = bench.core.modules.get(&bench.life().module).unwrap();
    // As the deadlines would for the life before, when it ended in the same moment for another reason.
    handle.hung.notify_one();
    bench.pass(2 * RESTART_FIRST).await;
    assert_eq!(bench.host.lives().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_module_with_one_call_in_time_is_not_taken_for_hung() {
    let bench = Bench::new().await;
    let calls: Vec<_> = (1..CALLS_IN_FLIGHT)
        .map(|_| bench.exec("wait", "[]"))
        .collect();
    bench.pass(EXEC_DEADLINE + Duration::from_secs(10)).await;
    let next = bench.exec("echo", "[]");
    bench.pass(CLOCK_STEP).await;
    check(next, "[]");
    assert_eq!(bench.host.lives().len(), 1);
    drop(calls);
}

// Answers, exactly once.

#[test]
fn a_reply_slot_that_is_dropped_answers_internal() {
    let (answer, answered) = oneshot::channel();
    drop(ReplySlot::caller(answer));
    assert_eq!(refusal(answered).kind(), FailureKind::Internal);
}

#[test]
fn a_deadline_and_a_method_that_race_answer_exactly_once() {
    for _ in 0..2_000 {
        let inbox = Inbox::new();
        let slot = SharedSlot::new(slot_of(&inbox), Instant::now());
        race(&[&|| slot.answer(Ok(Reply::Unfollowed)), &|| {
            slot.answer(Err(Failure::new(FailureKind::TimedOut, "late")))
        }]);
        assert_eq!(inbox.take().len(), 1);
    }
}

#[test]
fn a_call_that_ends_expires_and_is_abandoned_at_once_is_answered_exactly_once() {
    for _ in 0..2_000 {
        let inbox = Inbox::new();
        let calls = Calls::default();
        calls.offer(
            call("echo", "[]"),
            CallChain::default(),
            HeldArguments::of(&json("[]")),
            slot_of(&inbox),
            Duration::ZERO,
            |_| {},
        );
        let job = calls.next().now_or_never().unwrap();
        assert!(calls.begin(job.open));
        race(&[
            &|| {
                calls.expire(Instant::now());
            },
            &|| {
                calls.finish(job.open, Ok(Reply::Unfollowed));
            },
            &|| calls.abandon_running(|| Failure::new(FailureKind::Lost, "gone")),
        ]);
        assert_eq!(inbox.take().len(), 1);
    }
}

// Failures and restarts.

#[tokio::test(start_paused = true)]
async fn a_panic_answers_its_caller_and_everybody_else_in_flight_and_restarts_the_module() {
    let bench = Bench::new().await;
    let in_flight = bench.exec("wait", "[]");
    let panicking = bench.exec("panic", "[]");
    bench.pass(CLOCK_STEP).await;
    assert_eq!(refusal(panicking).kind(), FailureKind::DriverFailed);
    assert_eq!(refusal(in_flight).kind(), FailureKind::Lost);
    bench.pass(RESTART_FIRST).await;
    assert_eq!(bench.host.lives().len(), 2);
    let next = bench.exec("echo", "[]");
    bench.pass(CLOCK_STEP).await;
    check(next, "[]");
}

#[tokio::test(start_paused = true)]
async fn callers_in_flight_do_not_wait_for_a_failed_driver_to_stop() {
    let bench = Bench::with(Stop::Never, []).await;
    let in_flight = bench.exec("wait", "[]");
    bench.pass(CLOCK_STEP).await;
    bench.life().end("the connection broke");
    bench.pass(CLOCK_STEP).await;
    assert_eq!(refusal(in_flight).kind(), FailureKind::Lost);
}

#[tokio::test(start_paused = true)]
async fn calls_to_a_module_that_backs_off_are_refused_and_never_begun() {
    let bench = Bench::new().await;
    bench.life().end("the connection broke");
    bench.pass(CLOCK_STEP).await;
    let call = bench.exec("echo", "[]");
    bench.pass(CLOCK_STEP).await;
    assert_eq!(refusal(call).kind(), FailureKind::Unavailable);
    bench.pass(RESTART_FIRST).await;
    assert_eq!(bench.host.lives().len(), 2);
    let lives = bench.host.lives();
    assert!(lives.iter().all(|life| life.begun().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn restarts_wait_half_a_second_to_a_second_first_and_double_up_to_a_minute() {
    let bench = Bench::with(Stop::AtOnce, [const { Start::Fails }; 10]).await;
    bench.pass(10 * RESTART_MAX).await;
    let waits = waits(&bench.host.lives());
    let mut longest = RESTART_FIRST;
    for wait in &waits[..10] {
        check_pause(*wait, longest);
        longest = RESTART_MAX.min(2 * longest);
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_of_health_makes_the_next_restart_quick_again() {
    let bench = Bench::with(Stop::AtOnce, [const { Start::Fails }; 5]).await;
    bench.pass(RESTART_MAX).await;
    let healthy = bench.life();
    bench.pass(RESTART_RESET).await;
    let ended = Instant::now();
    healthy.end("the connection broke");
    bench.pass(RESTART_MAX).await;
    check_pause(bench.life().began - ended, RESTART_FIRST);
}

#[tokio::test(start_paused = true)]
async fn less_than_a_minute_of_health_leaves_the_back_off_where_it_was() {
    let bench = Bench::with(Stop::AtOnce, [const { Start::Fails }; 5]).await;
    while bench.host.lives().len() < 6 {
        bench.pass(Duration::from_secs(1)).await;
    }
    let short = bench.life();
    bench.pass(RESTART_RESET / 2).await;
    let ended = Instant::now();
    short.end("the connection broke");
    bench.pass(RESTART_MAX).await;
    check_pause(bench.life().began - ended, 32 * RESTART_FIRST);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_takes_too_long_counts_as_failed() {
    let bench = Bench::starting(Start::Hangs).await;
    bench.pass(START_DEADLINE + RESTART_FIRST).await;
    let waits = waits(&bench.host.lives());
    assert_eq!(waits.len(), 1);
    check_pause(waits[0] - START_DEADLINE, RESTART_FIRST);
}

// What followers see of it.

#[tokio::test(start_paused = true)]
async fn a_module_is_connected_unless_it_says_otherwise() {
    let bench = Bench::new().await;
    bench.bind("connected");
    assert_eq!(bench.inbox.take_values(), ["true"]);

    let bench = Bench::starting(Start::Says(vec![("connected", "false")])).await;
    bench.bind("connected");
    assert_eq!(bench.inbox.take_values(), ["false"]);
}

#[tokio::test(start_paused = true)]
async fn connected_is_false_while_a_module_is_down_and_true_when_it_is_back() {
    let bench = Bench::new().await;
    bench.bind("connected");
    bench.inbox.take();
    bench.life().end("the connection broke");
    bench.pass(CLOCK_STEP).await;
    assert_eq!(bench.inbox.take_values(), ["false"]);
    bench.pass(2 * RESTART_FIRST).await;
    assert_eq!(bench.inbox.take_values(), ["true"]);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_takes_its_time_to_start_is_not_connected_meanwhile() {
    let bench = Bench::starting(Start::Slow(3 * SETTLE)).await;
    bench.bind("connected");
    bench.pass(2 * SETTLE).await;
    assert_eq!(bench.inbox.take_values(), ["false"]);
    bench.pass(2 * SETTLE).await;
    assert_eq!(bench.inbox.take_values(), ["true"]);
}

#[tokio::test(start_paused = true)]
async fn connected_is_said_false_once_however_often_a_module_fails_to_come_back() {
    let bench = Bench::new().await;
    bench.bind("connected");
    bench.inbox.take();
    bench.host.script([const { Start::Fails }; 4]);
    bench.life().end("the connection broke");
    bench.pass(RESTART_MAX).await;
    assert_eq!(bench.host.lives().len(), 6);
    assert_eq!(bench.inbox.take_values(), ["false", "true"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_new_life_has_not_set_in_time_becomes_null_once_and_what_it_has_shows_nothing() {
    let bench = Bench::starting(Start::Says(vec![("kept", "1"), ("lost", "1")])).await;
    let watches = [bench.bind("kept"), bench.bind("lost")];
    bench.inbox.take();
    bench.host.script([Start::Says(vec![("kept", "1")])]);
    bench.life().end("the connection broke");
    bench.pass_until_started(2).await;
    bench.pass(SETTLE - 2 * CLOCK_STEP).await;
    assert_eq!(bench.inbox.take_values(), [] as [&str; 0]);
    bench.pass(10 * SETTLE).await;
    let told = bench.inbox.take_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].watch, &told[0].value), (watches[1], &None));
}

#[tokio::test(start_paused = true)]
async fn what_a_new_life_sets_just_in_time_shows_nothing() {
    let bench = Bench::starting(Start::Says(vec![("slow", "1")])).await;
    bench.bind("slow");
    bench.inbox.take();
    bench.life().end("the connection broke");
    bench.pass_until_started(2).await;
    bench.pass(SETTLE - 10 * CLOCK_STEP).await;
    bench.life().say("slow", Some("1"));
    bench.pass(10 * SETTLE).await;
    assert_eq!(bench.inbox.take_values(), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_life_does_not_see_what_an_earlier_one_said() {
    let bench = Bench::starting(Start::Says(vec![("x", "1")])).await;
    let name = StatusName::new("x").unwrap();
    assert_eq!(bench.life().sink.status(&name), Some(json("1")));
    bench.life().end("the connection broke");
    bench.pass_until_started(2).await;
    assert_eq!(bench.life().sink.status(&name), None);
}

#[tokio::test(start_paused = true)]
async fn what_a_life_says_after_its_end_is_not_heard() {
    let bench = Bench::starting(Start::Says(vec![("x", "1")])).await;
    bench.bind("x");
    let dead = bench.life();
    let log = Subject::Log(dead.module.clone());
    bench.core.follows.watch(bench.outlet, log);
    bench.host.script([Start::Says(vec![("x", "1")])]);
    dead.end("the connection broke");
    bench.pass_until_started(2).await;
    bench.pass(2 * SETTLE).await;
    bench.inbox.take();
    let x = StatusName::new("x").unwrap();
    dead.say("x", Some("2"));
    dead.sink.signal_status(&x);
    dead.sink.line(LogLevel::Error, "too late".to_owned());
    assert_eq!(bench.inbox.take().len(), 0);
    bench.life().say("x", Some("3"));
    assert_eq!(bench.inbox.take_values(), ["3"]);
}

#[tokio::test(start_paused = true)]
async fn an_equal_value_is_said_again_only_by_a_signal() {
    let bench = Bench::new().await;
    bench.bind("x");
    let x = StatusName::new("x").unwrap();
    bench.life().sink.signal_status(&x);
    bench.life().say("x", Some("1"));
    bench.life().say("x", Some("1"));
    bench.life().sink.signal_status(&x);
    bench.life().say("x", None);
    bench.life().say("x", None);
    assert_eq!(bench.inbox.take_values(), ["1", "1", "null"]);
}

// The level of the log.

#[tokio::test(start_paused = true)]
async fn lines_below_the_level_are_never_made() {
    let bench = Bench::new().await;
    let life = bench.life();
    assert_eq!(wanted(&life), ["warn", "error", "fatal"]);
    let log = bench
        .core
        .follows
        .watch(bench.outlet, Subject::Log(life.module.clone()));
    assert_eq!(
        wanted(&life),
        ["debug", "info", "notice", "warn", "error", "fatal"]
    );
    bench.core.follows.unwatch(bench.outlet, log);
    assert_eq!(wanted(&life), ["warn", "error", "fatal"]);
}

#[tokio::test(start_paused = true)]
async fn the_level_is_restored_when_the_last_follower_goes_with_its_worker() {
    let bench = Bench::new().await;
    let life = bench.life();
    bench
        .core
        .follows
        .watch(bench.outlet, Subject::Log(life.module.clone()));
    bench.core.follows.detach(bench.outlet);
    assert_eq!(wanted(&life), ["warn", "error", "fatal"]);
}

#[tokio::test(start_paused = true)]
async fn a_raised_level_outlives_a_restart() {
    let bench = Bench::new().await;
    let log = Subject::Log(bench.life().module.clone());
    bench.core.follows.watch(bench.outlet, log);
    bench.life().end("the connection broke");
    bench.pass_until_started(2).await;
    assert!(bench.life().sink.wants_line(LogLevel::Debug));
}

// The end.

#[tokio::test(start_paused = true)]
async fn stopping_answers_everybody_and_starts_nothing_again() {
    let bench = Bench::new().await;
    let running = bench.exec("wait", "[]");
    bench.pass(CLOCK_STEP).await;
    let waiting = bench.exec("echo", "[]");
    bench.core.stop().await;
    assert_eq!(refusal(running).kind(), FailureKind::Lost);
    assert_eq!(refusal(waiting).kind(), FailureKind::Unavailable);
    let later = bench.exec("echo", "[]");
    assert_eq!(refusal(later).kind(), FailureKind::Unavailable);
    bench.pass(RESTART_MAX).await;
    assert_eq!(bench.host.lives().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_answers_everybody_in_bounded_time_even_if_a_driver_never_stops() {
    let bench = Bench::with(Stop::Never, []).await;
    let running = bench.exec("wait", "[]");
    bench.pass(CLOCK_STEP).await;
    let waiting = bench.exec("echo", "[]");
    let before = Instant::now();
    bench.core.stop().await;
    assert!(before.elapsed() <= STOP_DEADLINE + CLOCK_STEP);
    assert_eq!(refusal(running).kind(), FailureKind::Lost);
    assert_eq!(refusal(waiting).kind(), FailureKind::Unavailable);
}

#[test]
fn stopping_answers_everybody_even_if_a_driver_blocks_its_thread() {
    let drivers = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let main = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    main.block_on(async {
        let bench = Bench::on(drivers.handle(), Stop::AtOnce, []).await;
        let blocking = bench.exec("block", "[]");
        let life = bench.first_life();
        life.wait_until_blocked();
        let waiting = bench.exec("echo", "[]");
        bench.core.stop().await;
        let answers = [blocking, waiting].map(|mut answered| answered.try_recv());
        // Let go before anything can fail, since the runtime waits for its threads.
        life.unblock();
        for answer in answers {
            let failure = answer.unwrap().unwrap_err();
            assert_eq!(failure.kind(), FailureKind::Lost);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_a_module_that_starts_and_one_that_backs_off() {
    for start in [Start::Hangs, Start::Fails] {
        let bench = Bench::starting(start).await;
        let before = Instant::now();
        bench.core.stop().await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        bench.pass(2 * RESTART_MAX).await;
        assert_eq!(bench.host.lives().len(), 1);
    }
}

// Quotas.

#[tokio::test(start_paused = true)]
async fn a_module_keeps_a_bounded_number_of_bytes_and_can_always_let_go_of_some() {
    let bench = Bench::new().await;
    let life = bench.life();
    let megabyte = format!("\"{}\"", "x".repeat(1024 * 1024));
    let kept =
        (0..100).take_while(|number| life.try_say(&format!("s{number}"), Some(&megabyte)).is_ok());
    assert_eq!(
        kept.count(),
        15,
        "sixteen with their names are more than 16 MiB"
    );
    let refused = life.try_say("s0", Some(&format!("[{megabyte},{megabyte}]")));
    let message = refused.unwrap_err().0;
    assert!(message.contains("`limits.statuses_max`"), "{message}");
    assert!(message.contains("'s0'"), "{message}");
    assert!(!message.contains("xxx"), "the value is not told");
    life.try_say("small", Some("1")).unwrap();
    life.try_say("s0", Some(&megabyte)).unwrap();
    life.try_say("s0", Some("1")).unwrap();
    life.try_say("s1", None).unwrap();
    life.try_say("more", Some(&megabyte)).unwrap();
    // A restart begins with what is there, and what it does not set again makes room.
    life.end("gone");
    bench.pass_until_started(2).await;
    let life = bench.life();
    assert!(
        life.try_say("again", Some(&format!("[{megabyte},{megabyte}]")))
            .is_err()
    );
    bench.pass(2 * SETTLE).await;
    life.try_say("again", Some(&format!("[{megabyte},{megabyte}]")))
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_module_keeps_a_bounded_number_of_statuses() {
    let bench = Bench::new().await;
    let life = bench.life();
    // `connected` is one of them.
    for number in 1..STATUS_NAMES_MAX {
        life.try_say(&format!("s{number}"), Some("1")).unwrap();
    }
    let message = life.try_say("more", Some("1")).unwrap_err().0;
    assert!(message.contains("4096 statuses at most"), "{message}");
    life.try_say("s7", Some("2")).unwrap();
    life.try_say("s7", None).unwrap();
    life.try_say("more", Some("1")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn large_arguments_are_held_until_their_method_has_ended_and_past_their_room_calls_are_refused()
 {
    let bench = Bench::new().await;
    let large = format!("[\"{}\"]", "x".repeat(8 * 1024 * 1024));
    let held: Vec<_> = (0..3).map(|_| bench.exec("wait", &large)).collect();
    let refused = bench.exec("echo", &large).await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), FailureKind::Busy);
    let small = bench.exec("echo", "[1]");
    bench.pass(CLOCK_STEP).await;
    check(small, "[1]");
    bench.pass(EXEC_DEADLINE).await;
    for answer in held {
        let failure = answer.await.unwrap().unwrap_err();
        assert_eq!(failure.kind(), FailureKind::TimedOut);
    }
    let refused = bench.exec("echo", &large).await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), FailureKind::Busy, "the methods run on");
    for _ in 0..3 {
        bench.life().answer(outcome("1"));
    }
    bench.pass(CLOCK_STEP).await;
    let again = bench.exec("echo", &large);
    bench.pass(CLOCK_STEP).await;
    check(again, &large);
    assert_eq!(bench.core.modules.arguments_held(), 0);
}

// Helpers.

/// A core with one module, `Scratch` 1 of `sys-1`, and one outlet.
struct Bench {
    core: Arc<Core>,
    host: Arc<ScriptedHost>,
    inbox: Arc<Inbox>,
    outlet: OutletId,
    caller: Caller,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Stop::AtOnce, []).await
    }

    async fn starting(start: Start) -> Self {
        Self::with(Stop::AtOnce, [start]).await
    }

    async fn with(stop: Stop, starts: impl IntoIterator<Item = Start>) -> Self {
        let bench = Self::on(&Handle::current(), stop, starts).await;
        bench.pass(CLOCK_STEP).await;
        bench
    }

    /// With the module on another runtime.
    async fn on(drivers: &Handle, stop: Stop, starts: impl IntoIterator<Item = Start>) -> Self {
        let host = ScriptedHost::new();
        host.set_stop(stop);
        host.script(starts);
        let settings = CoreSettings {
            exec_deadline: EXEC_DEADLINE,
            ..CoreSettings::default()
        };
        let core = doubles::core(settings, &MemoryDocuments::new(), &host, drivers);
        let clockwork = Arc::clone(&core);
        drop(Handle::current().spawn(async move { clockwork.run().await }));
        doubles::apply(&core, building()).await.unwrap();
        let inbox = Inbox::new();
        let outlet = core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        let key = Credentials::ApiKey(Secret::new("key.secret"));
        let caller = core
            .access
            .authenticate(&[key], IpAddr::V4(Ipv4Addr::LOCALHOST))
            .unwrap();
        Self {
            core,
            host,
            inbox,
            outlet,
            caller,
        }
    }

    /// Lets time pass: whatever falls due meanwhile happens in its order.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Lets time pass until the module has been started so many times.
    async fn pass_until_started(&self, times: usize) {
        let patience = Instant::now() + 2 * RESTART_MAX;
        while self.host.lives().len() < times {
            assert!(
                Instant::now() < patience,
                "started {} times",
                self.host.lives().len()
            );
            self.pass(CLOCK_STEP).await;
        }
    }

    /// The first start, on whichever thread it happens.
    fn first_life(&self) -> Arc<Life> {
        let patience = std::time::Duration::from_secs(10);
        let before = std::time::SystemTime::now();
        loop {
            if let Some(life) = self.host.lives().pop() {
                return life;
            }
            assert!(
                before.elapsed().unwrap() < patience,
                "the module was not started"
            );
            std::thread::yield_now();
        }
    }

    fn life(&self) -> Arc<Life> {
        self.host.life()
    }

    fn exec(&self, function: &str, arguments: &str) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        self.core.calls.exec(
            &self.caller,
            call(function, arguments),
            ReplySlot::caller(answer),
        );
        answered
    }

    fn exec_to_outlet(&self, function: &str, arguments: &str) {
        self.core.calls.exec(
            &self.caller,
            call(function, arguments),
            slot_of(&self.inbox),
        );
    }

    fn bind(&self, status: &str) -> crate::core::WatchId {
        let path = path("sys-1", "Scratch", 1, status);
        self.core.follows.watch(self.outlet, Subject::Status(path))
    }

    /// The replies since the last look: `None` for a success.
    fn replies(&self) -> Vec<Option<FailureKind>> {
        self.inbox
            .take()
            .into_iter()
            .map(|delivery| match delivery {
                Delivery::Reply { reply, .. } => reply.err().map(|failure| failure.kind()),
                other @ (Delivery::Event { .. } | Delivery::Close { .. }) => {
                    panic!("not a reply: {other:?}")
                }
            })
            .collect()
    }
}

fn building() -> Building {
    Building {
        systems: vec![room("sys-1", &["mod-1"])],
        modules: vec![scripted("mod-1", None)],
        users: vec![user(Clearance::Admin)],
        api_keys: vec![api_key("key", Clearance::Admin)],
        ..Building::default()
    }
}

fn call(function: &str, arguments: &str) -> ExecRequest {
    ExecRequest {
        module: place("sys-1", "Scratch", 1).into(),
        function: FunctionName::new(function).unwrap(),
        arguments: json(arguments),
        act: None,
    }
}

fn slot_of(inbox: &Arc<Inbox>) -> ReplySlot {
    ReplySlot::outlet(
        Arc::clone(inbox) as Arc<dyn Outlet>,
        ConnectionId(1),
        Ticket(1),
    )
}

/// The call succeeded with this result.
fn check(mut answered: oneshot::Receiver<Answer>, expected: &str) {
    match answered.try_recv() {
        Ok(Ok(Reply::Result { value, code: 200 })) => assert_eq!(value.as_str(), expected),
        other => panic!("expected {expected}, got {other:?}"),
    }
}

/// The call failed like this.
fn refusal(mut answered: oneshot::Receiver<Answer>) -> Failure {
    match answered.try_recv() {
        Ok(Err(failure)) => failure,
        Ok(Ok(reply)) => panic!("expected a refusal, got {reply:?}"),
        Err(TryRecvError::Empty) => panic!("there is no answer yet"),
        Err(TryRecvError::Closed) => panic!("there will be no answer"),
    }
}

/// The levels of which the module would make a line.
fn wanted(life: &Life) -> Vec<&'static str> {
    LogLevel::ALL
        .into_iter()
        .filter(|level| life.sink.wants_line(*level))
        .map(LogLevel::as_str)
        .collect()
}

/// The times from each start to the next.
fn waits(lives: &[Arc<Life>]) -> Vec<Duration> {
    lives
        .windows(2)
        .map(|pair| pair[1].began - pair[0].began)
        .collect()
}

/// A pause between half of `longest` and all of it.
fn check_pause(pause: Duration, longest: Duration) {
    assert!(
        (longest / 2..=longest + 2 * CLOCK_STEP).contains(&pause),
        "waited {pause:?} where at most {longest:?} was meant"
    );
}

/// Does everything at once, each on a thread of its own.
fn race(contestants: &[&(dyn Fn() + Sync)]) {
    let start = Barrier::new(contestants.len());
    std::thread::scope(|scope| {
        for contestant in contestants {
            scope.spawn(|| {
                start.wait();
                contestant();
            });
        }
    });
}
