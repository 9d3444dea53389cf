//! Drives runs: does what their steps want, each once, and lets them go on with what came of it.
//!
//! A run is a machine that awaits nothing; here are its calls, its waits, its events and its messages, and the bound of how many there are at a time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{self, BoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{FutureExt, TryFutureExt};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use super::outside::Outside;
use super::programs::Programs;
use crate::automation::history::History;
use crate::automation::limits::{Bounds, RUNS_AT_ONCE};
use crate::automation::metrics::{AutomationMetrics, RunKind};
use crate::automation::ports::{Building, Ports};
use crate::automation::program::Program;
use crate::automation::run::{Answer, Around, Goal, Notice, Progress, Run, Want, WantId};
use crate::core::Caller;
use crate::driver_host::CallChain;
use crate::expressions::Value;
use crate::model::{
    Clock, ExecRequest, Failure, FailureKind, FunctionPath, JsonText, MessageLevel, ModuleAddress,
    Request, ServiceKey, SystemId,
};

/// Runs procedures and the steps of triggers.
pub(in crate::automation) struct Runner {
    runtime: Handle,
    clock: Clock,
    ports: Ports,
    programs: Arc<Programs>,
    places: Semaphore,
    metrics: AutomationMetrics,
    /// From where moments are counted.
    epoch: Instant,
}

/// For whom steps are done.
#[derive(Clone)]
pub(in crate::automation) struct Acting {
    pub(in crate::automation) caller: Caller,
    /// Where paths of two parts lead.
    pub(in crate::automation) system: Option<SystemId>,
    /// The act that all of it belongs to.
    pub(in crate::automation) act: u128,
}

/// What is to be done.
pub(in crate::automation) struct Work {
    pub(in crate::automation) kind: RunKind,
    pub(in crate::automation) program: Arc<Program>,
    pub(in crate::automation) args: Option<JsonText>,
    pub(in crate::automation) event: Value,
}

/// What came of it.
pub(in crate::automation) struct Ran {
    pub(in crate::automation) result: Result<JsonText, Failure>,
    pub(in crate::automation) history: History,
}

impl Ran {
    /// Nothing was begun.
    pub(in crate::automation) fn not(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            history: History::default(),
        }
    }
}

impl Runner {
    pub(super) fn new(runtime: Handle, clock: Clock, ports: Ports) -> Self {
        Self {
            runtime,
            clock,
            ports,
            programs: Arc::default(),
            places: Semaphore::new(RUNS_AT_ONCE),
            metrics: AutomationMetrics::new(),
            epoch: Instant::now(),
        }
    }

    /// The moment, from some beginning that never jumps back.
    pub(in crate::automation) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// When such a moment is.
    pub(in crate::automation) fn instant(&self, moment: Duration) -> Instant {
        self.epoch + moment
    }

    /// The time of day.
    pub(in crate::automation) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(in crate::automation) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// A trigger did not fire at its time, which is over.
    pub(in crate::automation) fn missed_moment(&self) {
        self.metrics.moments_missed.increment(1);
    }

    /// Does it, unless too much is being done. A fault of ours fails this run alone.
    pub(in crate::automation) async fn run(&self, work: Work, acting: &Acting) -> Ran {
        let outcomes = self.metrics.of(work.kind);
        let Ok(_place) = self.places.try_acquire() else {
            outcomes.refused.increment(1);
            return Ran::not(too_many());
        };
        let under_way = self.metrics.begin();
        let driven = AssertUnwindSafe(self.drive(work, acting)).catch_unwind();
        let ran = driven.await.unwrap_or_else(|_| Ran::not(fault()));
        drop(under_way);
        match &ran.result {
            Ok(_) => outcomes.done.increment(1),
            Err(_) => outcomes.failed.increment(1),
        }
        ran
    }

    async fn drive(&self, work: Work, acting: &Acting) -> Ran {
        let Work {
            program,
            args,
            event,
            kind: _,
        } = work;
        let run = Run::new(
            &program,
            args.as_ref(),
            event,
            Bounds::default(),
            self.now(),
        );
        let mut run = match run {
            Ok(run) => run,
            Err(failure) => {
                let failure = Failure::new(FailureKind::BadRequest, failure.to_string());
                return Ran::not(failure.with_response_code(400));
            }
        };
        let mut wanted = FuturesUnordered::new();
        let mut answer = None;
        loop {
            let building = match self.ports.building() {
                Ok(building) => building,
                Err(failure) => return Ran::not(failure),
            };
            let gone = self.go(run, answer.take(), building.clone(), acting).await;
            let (gone, progress) = match gone {
                Ok(gone) => gone,
                Err(failure) => return Ran::not(failure),
            };
            run = gone;
            let (wants, goes) = match progress {
                Progress::Waits(wants) => (wants, false),
                Progress::Goes(wants) => (wants, true),
                Progress::Done(result) => {
                    let failed = |failure: crate::automation::run::Failure| {
                        Failure::new(FailureKind::DriverFailed, failure.to_string())
                    };
                    return Ran {
                        result: result.map_err(failed),
                        history: run.history().clone(),
                    };
                }
            };
            wanted.extend(wants.into_iter().map(|want| begin(want, &building, acting)));
            drop(building);
            answer = if goes {
                tokio::task::yield_now().await;
                wanted.next().now_or_never().flatten()
            } else {
                tokio::select! {
                    biased;
                    Some(answer) = wanted.next() => Some(answer),
                    () = sleep_until(self.instant(run.deadline())) => None,
                }
            };
        }
    }

    /// Lets a run go on.
    async fn go(
        &self,
        mut run: Run,
        answer: Option<(WantId, Answer)>,
        building: Building,
        acting: &Acting,
    ) -> Result<(Run, Progress), Failure> {
        let now = self.now();
        self.with_outside(building, acting, move |outside| {
            let around = Around {
                windows: outside,
                procedures: outside,
                now,
            };
            let progress = match answer {
                Some((id, answer)) => run.answer(id, answer, &around),
                None => run.go(&around),
            };
            (run, progress)
        })
        .await
    }

    /// Evaluates something: here, or where it may wait for a store of several nodes.
    pub(super) async fn with_outside<T: Send + 'static>(
        &self,
        building: Building,
        acting: &Acting,
        evaluate: impl FnOnce(&Outside) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let answers_at_once = building.queries.answers_at_once();
        let outside = Outside {
            directory: building.queries.directory(),
            building,
            programs: Arc::clone(&self.programs),
            acting: acting.clone(),
            clock: Arc::clone(&self.clock),
        };
        if answers_at_once {
            return Ok(evaluate(&outside));
        }
        // As many at a time as there are runs.
        let evaluated = self.runtime.spawn_blocking(move || evaluate(&outside));
        evaluated.await.map_err(|_| fault())
    }
}

/// Begins what a run wants. What is dropped with the run has begun all the same.
fn begin(want: Want, building: &Building, acting: &Acting) -> BoxFuture<'static, (WantId, Answer)> {
    let Want { id, goal } = want;
    let done = match goal {
        Goal::Call { path, args } => call(&path, args, building, acting),
        Goal::Wait(span) => sleep(span).map(|()| Ok(JsonText::null())).boxed(),
        Goal::Publish { name, data } => {
            future::ready(publish(&name, data, building, acting)).boxed()
        }
        Goal::Notify(notice) => notify(notice, building.clone()).boxed(),
    };
    done.map(move |answer| (id, answer)).boxed()
}

fn call(
    path: &FunctionPath,
    args: Option<JsonText>,
    building: &Building,
    acting: &Acting,
) -> BoxFuture<'static, Answer> {
    let target = path.target();
    let exec = ExecRequest {
        module: ModuleAddress::Place(target.module.clone()),
        function: target.function.clone(),
        arguments: args.unwrap_or_else(no_arguments),
        act: Some(acting.act),
    };
    let called = building
        .access
        .call_within(&acting.caller, exec, &CallChain::default());
    let returned = called.map_ok(|reply| {
        let returned = reply.returned();
        returned.map_or_else(JsonText::null, |(value, _)| value.clone())
    });
    returned
        .map_err(|failure| failure.message().to_owned())
        .boxed()
}

fn no_arguments() -> JsonText {
    JsonText::of(&[(); 0]).expect("a list is JSON")
}

fn publish(name: &str, data: JsonText, building: &Building, acting: &Acting) -> Answer {
    let name: Arc<str> = Arc::from(name);
    let request = Request::Announce {
        name: Arc::clone(&name),
        data: data.clone(),
        act: acting.act,
    };
    let allowed = building.control.authorize(&acting.caller, &request);
    allowed.map_err(|failure| failure.message().to_owned())?;
    building
        .follows
        .announce(&acting.caller, name, data, acting.act);
    Ok(JsonText::null())
}

/// Sends a message by every service of that name, or by the one of that public key.
async fn notify(notice: Notice, building: Building) -> Answer {
    let directory = building.queries.directory();
    let by_key = ServiceKey::parse(&notice.service).and_then(|key| directory.service(&key));
    let by_name = directory.services_named(&notice.service);
    let services = by_key.into_iter().chain(by_name);
    let services: Vec<ServiceKey> = services.map(|service| service.key.clone()).collect();
    if services.is_empty() {
        return Err(format!("there is no service `{}`", notice.service));
    }
    let message = crate::model::Notice {
        text: notice.message,
        title: notice.title.unwrap_or_default(),
        link: notice.link.unwrap_or_default(),
        level: MessageLevel::of(i64::from(notice.level)),
    };
    for service in services {
        let sent = building.messages.send(service, message.clone()).await;
        sent.map_err(|failure| failure.message().to_owned())?;
    }
    Ok(JsonText::null())
}

fn too_many() -> Failure {
    let message = format!("{RUNS_AT_ONCE} runs are under way, and there are no more at a time");
    Failure::new(FailureKind::Busy, message).with_response_code(503)
}

fn fault() -> Failure {
    Failure::new(FailureKind::Internal, "a fault in the gateway")
}
