//! What drives automation: procedures that somebody runs, addresses that somebody calls, and the steps of triggers.
//!
//! - `runner` drives one run; `outside` is what its expressions may ask, `programs` what it may run.
//! - `hooks` does what an address `/hook/NAME` does; `hook_event` is how the request looks then.

mod hook_event;
mod hooks;
mod outside;
mod programs;
mod runner;

use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::automation::causes;
use crate::automation::metrics::RunKind;
use crate::automation::ports::Ports;
use crate::core::{Automation, Caller, Core, ReplySlot};
use crate::expressions::Value;
use crate::model::{Clock, Failure, FailureKind, HookOutcome, HookRequest, Reply, RunRequest};

pub(super) use runner::{Acting, Ran, Runner, Work};

/// Runs what the building does by a name that somebody gives. Made before the core, and connected when that is there.
pub(super) struct Engine {
    runtime: Handle,
    clock: Clock,
    runner: OnceLock<Arc<Runner>>,
    tasks: TaskTracker,
    end: CancellationToken,
    _end: DropGuard,
}

impl Engine {
    pub(super) fn new(runtime: Handle, clock: Clock) -> Self {
        let end = CancellationToken::new();
        Self {
            runtime,
            clock,
            runner: OnceLock::new(),
            tasks: TaskTracker::new(),
            _end: end.clone().drop_guard(),
            end,
        }
    }

    /// It acts on this core.
    pub(super) fn connect(&self, core: &Core) {
        let runner = || {
            let (runtime, clock) = (self.runtime.clone(), Arc::clone(&self.clock));
            Arc::new(Runner::new(runtime, clock, Ports::of(core)))
        };
        // A second core would be a mistake of the program; the first one stays.
        self.runner.get_or_init(runner);
    }

    /// What drives runs, once the core is there.
    pub(super) fn runner(&self) -> Option<Arc<Runner>> {
        self.runner.get().cloned()
    }

    /// Does something that nobody has to wait for, until the gateway ends.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let until = self.end.clone();
        let work = async move {
            until.run_until_cancelled(work).await;
        };
        self.tasks.spawn_on(work, &self.runtime);
    }

    fn begin(&self, caller: &Caller, run: RunRequest) -> Result<Begun, Failure> {
        let runner = self.runner().ok_or_else(too_early)?;
        let directory = runner.ports().building()?.queries.directory();
        let id = &run.procedure;
        let procedure = directory.procedure(id).ok_or_else(|| {
            let message = format!("there is no procedure `{id}`");
            Failure::new(FailureKind::FunctionNotFound, message).with_response_code(404)
        })?;
        let program = runner.programs().of(procedure, &directory);
        let program = program.ok_or_else(|| {
            let message = format!("the procedure `{id}` cannot be run; the log says why");
            Failure::new(FailureKind::Internal, message)
        })?;
        let work = Work {
            kind: RunKind::Procedure,
            program,
            args: run.arguments,
            event: Value::Null,
        };
        let acting = Acting {
            caller: caller.clone(),
            system: None,
            act: causes::act(0),
        };
        Ok(Begun {
            runner,
            work,
            acting,
        })
    }
}

/// A run that is about to begin.
struct Begun {
    runner: Arc<Runner>,
    work: Work,
    acting: Acting,
}

impl Automation for Engine {
    fn run(&self, caller: &Caller, run: RunRequest, answer: ReplySlot) {
        match self.begin(caller, run) {
            // Bounded by the runs that there are at a time: one more ends at once.
            Ok(begun) => self.spawn(async move {
                let ran = begun.runner.run(begun.work, &begun.acting).await;
                answer.answer(ran.result.map(|value| Reply::Result { value, code: 200 }));
            }),
            Err(failure) => answer.answer(Err(failure)),
        }
    }

    fn hook(&self, request: HookRequest) -> BoxFuture<'static, HookOutcome> {
        let Some(runner) = self.runner() else {
            return future::ready(HookOutcome::Failed(too_early())).boxed();
        };
        let (tell, told) = oneshot::channel();
        self.spawn(async move {
            let outcome = hooks::serve(&runner, request).await;
            // Whoever asked may have gone, which does no harm.
            drop(tell.send(outcome));
        });
        let lost = |_| HookOutcome::Failed(Failure::new(FailureKind::Lost, "the gateway stops"));
        told.map(move |outcome| outcome.unwrap_or_else(lost))
            .boxed()
    }
}

fn too_early() -> Failure {
    let message = "the gateway is not put together yet";
    Failure::new(FailureKind::Unavailable, message)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
