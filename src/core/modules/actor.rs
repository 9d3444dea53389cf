//! One module's life: start, calls in arrival order, and after a failure a restart with back-off.
//!
//! The mailbox outlives each instance of the driver. While there is none, callers are answered "unavailable" at once.
//! A call whose caller has been answered "too late" is not begun; a call that has begun is never begun again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{FutureExt, future};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::core::limits::{
    CALLS_IN_FLIGHT, RESTART_FIRST, RESTART_MAX, RESTART_RESET, SETTLE, START_DEADLINE,
    STATE_DEADLINE, STATE_RETRY, STOP_DEADLINE,
};
use crate::core::modules::handle::ModuleHandle;
use crate::core::modules::mailbox::{Job, OpenCall};
use crate::driver_host::{CallError, CallScope, DriverHost, Outcome, RunningModule};
use crate::model::{Backoff, Failure, FailureKind, LogLevel, Reply};
use crate::stores::StatusStore;

/// Why an instance of a driver ended.
#[derive(Debug)]
enum Exit {
    Stopped,
    NotStarted(String),
    Panicked(String),
    Ended(String),
    Hung,
}

pub(super) struct Actor {
    pub(super) handle: Arc<ModuleHandle>,
    /// Cancelled when the module before this one has ended; `None` when there was none.
    pub(super) before: Option<CancellationToken>,
    pub(super) host: Arc<dyn DriverHost>,
    pub(super) store: Arc<dyn StatusStore>,
}

type RunningCall = BoxFuture<'static, (OpenCall, Result<Outcome, CallError>)>;

impl Actor {
    /// Runs the module until its stop is ordered.
    pub(super) async fn run(mut self) {
        let _ended = self.handle.ended.clone().drop_guard();
        // Even when this one is to stop by now: the actor after it waits for it alone.
        if let Some(before) = self.before.take() {
            before.cancelled().await;
        }
        if self.handle.output.is_new() {
            self.take_over().await;
        }
        let mut backoff = Backoff::new(RESTART_FIRST, RESTART_MAX);
        while !self.handle.stop.is_cancelled() {
            let began = Instant::now();
            let exit = self.live().await;
            self.handle.output.end_generation();
            let reason = match exit {
                Exit::Stopped => break,
                Exit::NotStarted(reason) | Exit::Panicked(reason) | Exit::Ended(reason) => reason,
                Exit::Hung => "all its calls are past their deadline".to_owned(),
            };
            // Before anybody hears of it by the status.
            self.handle.faults.note(reason.clone());
            self.handle.output.set_disconnected();
            if began.elapsed() >= RESTART_RESET {
                backoff.reset();
            }
            let pause = backoff.pause();
            self.handle.metrics.module_restarts.increment(1);
            self.handle.output.line(
                LogLevel::Error,
                format!("the module ended and starts again in {pause:.1?}: {reason}"),
            );
            if self.back_off(pause).await == Waited::Stopped {
                break;
            }
        }
        self.handle.output.end();
        self.refuse_the_rest();
    }

    /// Learns what the store still says of the module, of its life on another node or in an earlier process.
    ///
    /// A module that does not know them would leave outdated values on screens, so it does not start before.
    async fn take_over(&self) {
        let handle = &self.handle;
        loop {
            let (answer, state) = oneshot::channel();
            if self.store.read(&handle.module.id, answer).is_err() {
                // A store that keeps no status has none of another node; what is left is of this one, before a stop.
                return handle.output.take_over(handle.output.shown());
            }
            tokio::select! {
                () = handle.stop.cancelled() => return,
                read = timeout(STATE_DEADLINE, state) => {
                    if let Ok(Ok(state)) = read {
                        self.store.adopt(&handle.module.id, &state);
                        if handle.stop.is_cancelled() {
                            // It may have been released before it was adopted.
                            self.store.release(&handle.module.id);
                        }
                        return handle.output.take_over(state);
                    }
                }
            }
            tokio::select! {
                () = handle.stop.cancelled() => return,
                () = sleep(STATE_RETRY) => {}
            }
        }
    }

    /// One life of the driver.
    async fn live(&mut self) -> Exit {
        let handle = Arc::clone(&self.handle);
        if !handle.output.may_act() {
            return Exit::Stopped;
        }
        let sink = handle
            .output
            .begin_generation(handle.module.driver.as_str(), &handle.interface);
        let starting = timeout(START_DEADLINE, self.host.start(&handle.current(), sink));
        tokio::pin!(starting);
        let slow = sleep(SETTLE);
        tokio::pin!(slow);
        let mut is_slow = false;
        let started = loop {
            tokio::select! {
                biased;
                () = handle.stop.cancelled() => return Exit::Stopped,
                started = &mut starting => break started,
                () = &mut slow, if !is_slow => {
                    is_slow = true;
                    handle.output.starts_slowly();
                }
            }
        };
        let instance = match started {
            Ok(Ok(instance)) => instance,
            Ok(Err(error)) => return Exit::NotStarted(error.to_string()),
            Err(_) => return Exit::NotStarted(format!("it took more than {START_DEADLINE:?}")),
        };
        handle.learn_on_change(instance.on_change());
        handle.output.assume_connected();
        let exit = self.serve(&*instance).await;
        // Before the driver is stopped, which may take as long as it is given: no caller needs to wait for that.
        self.handle.calls.abandon_running(|| {
            Failure::new(
                FailureKind::Lost,
                "the module ended; whether the call had its effect is not known",
            )
        });
        if let Exit::Stopped = exit {
            self.refuse_the_rest();
        }
        if timeout(STOP_DEADLINE, instance.stop()).await.is_err() {
            tracing::warn!(module = %handle.module.id, "the driver did not stop in time and was dropped");
        }
        exit
    }

    /// Takes calls and gives their results until something ends the instance.
    async fn serve(&mut self, instance: &dyn RunningModule) -> Exit {
        let handle = Arc::clone(&self.handle);
        let mut running: FuturesUnordered<RunningCall> = FuturesUnordered::new();
        let mut changing = FuturesUnordered::new();
        let exited = instance.exited();
        tokio::pin!(exited);
        let settled = sleep_until(Instant::now() + SETTLE);
        tokio::pin!(settled);
        let mut settling = true;
        loop {
            // Each arm is cancel-safe: nothing is taken from a queue or a future before its arm is chosen.
            tokio::select! {
                biased;
                () = handle.stop.cancelled() => return Exit::Stopped,
                reason = &mut exited => return Exit::Ended(reason),
                () = handle.hung.notified() => {
                    // What was told while the life before this one was being stopped is not about this one.
                    if handle.calls.are_hung(Instant::now()) {
                        return Exit::Hung;
                    }
                }
                () = &mut settled, if settling => {
                    settling = false;
                    handle.output.drop_stale();
                }
                () = handle.reconfigured.notified(), if changing.is_empty() => {
                    let settings = handle.current().settings();
                    changing.push(timeout(START_DEADLINE, instance.settings_changed(&settings)));
                }
                Some(changed) = changing.next(), if !changing.is_empty() => match changed {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return Exit::Ended(format!("other settings were not taken: {error}")),
                    Err(_) => return Exit::Ended(format!("it took more than {START_DEADLINE:?} to take other settings")),
                },
                Some((call, result)) = running.next(), if !running.is_empty() => {
                    if let Some(exit) = self.finish(call, result) {
                        return exit;
                    }
                }
                job = handle.calls.next(), if running.len() < CALLS_IN_FLIGHT => {
                    if let Some((call, result)) = begin(&handle, instance, job, &mut running)
                        && let Some(exit) = self.finish(call, result)
                    {
                        return exit;
                    }
                }
            }
        }
    }

    /// Answers a caller. A panic ends the instance.
    fn finish(&self, call: OpenCall, result: Result<Outcome, CallError>) -> Option<Exit> {
        let (reply, exit) = match result {
            Ok(Outcome { value, code }) => (Ok(Reply::Result { value, code }), None),
            Err(CallError::Failed(error)) => (
                Err(Failure::new(FailureKind::DriverFailed, error.message())
                    .with_response_code(error.code())),
                None,
            ),
            Err(CallError::Panicked(message)) => (
                Err(Failure::new(
                    FailureKind::DriverFailed,
                    "the driver crashed and is being restarted",
                )),
                Some(Exit::Panicked(message)),
            ),
        };
        if let Some(waited) = self.handle.calls.finish(call, reply) {
            self.handle.metrics.exec_seconds.record(waited);
        }
        exit
    }

    /// Waits before the next try. Meanwhile callers are answered that the module is not there.
    async fn back_off(&mut self, pause: Duration) -> Waited {
        let pause = sleep(pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                biased;
                () = self.handle.stop.cancelled() => return Waited::Stopped,
                () = &mut pause => return Waited::Through,
                job = self.handle.calls.next() => self.refuse(&job, "the module is being restarted; the call did not run"),
            }
        }
    }

    fn refuse_the_rest(&mut self) {
        for job in self.handle.calls.end() {
            self.refuse(&job, "the module has stopped; the call did not run");
        }
    }

    fn refuse(&self, job: &Job, why: &str) {
        self.handle
            .calls
            .finish(job.open, Err(Failure::new(FailureKind::Unavailable, why)));
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Waited {
    Through,
    Stopped,
}

/// Begins a call. Most methods are done at their first poll, which saves them a place among the running ones.
fn begin(
    handle: &ModuleHandle,
    instance: &dyn RunningModule,
    job: Job,
    running: &mut FuturesUnordered<RunningCall>,
) -> Option<(OpenCall, Result<Outcome, CallError>)> {
    if !handle.output.may_act() {
        let failure = Failure::new(
            FailureKind::Unavailable,
            "the node may not run the module any more; the call did not run",
        );
        handle.calls.finish(job.open, Err(failure));
        return None;
    }
    if !handle.calls.begin(job.open) {
        return None;
    }
    let call = instance.call(&job.exec.function, &job.exec.arguments);
    // What the method asks of other modules is asked within this call.
    let mut call = Box::pin(CallScope::run(job.chain, call));
    match (&mut call).now_or_never() {
        Some(result) => Some((job.open, result)),
        None => {
            let open = job.open;
            running.push(Box::pin(
                call.then(move |result| future::ready((open, result))),
            ));
            None
        }
    }
}
