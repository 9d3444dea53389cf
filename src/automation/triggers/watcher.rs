//! The loop of one trigger: it hears statuses, events, moments and webhooks, and does the steps of each firing, one firing after another.
//!
//! What comes of something is for the edges to say. A firing is counted in the state before its first step is done.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::{self, BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::alarm::{Alarm, Rings};
use super::shared::{Fired, Shared};
use crate::automation::causes;
use crate::automation::edges::{Edges, Look, Turn};
use crate::automation::engine::{Acting, Ran, Runner, Work};
use crate::automation::events::{Announcer, EventPattern};
use crate::automation::limits::{CAUSES_MAX, FIRINGS_WAITING_MAX, FOLLOW_RETRY};
use crate::automation::metrics::RunKind;
use crate::automation::ports::itself;
use crate::automation::program::Program;
use crate::automation::state::TriggerState;
use crate::core::Caller;
use crate::expressions::{Object, Value};
use crate::model::{
    BindingPath, BusEvent, Cause, Condition, Event, Failure, FailureKind, JsonText, StatusPath,
    Subject, Timestamp, Trigger, TriggerId,
};

/// Sets the status of a trigger.
pub(super) type Tell = Box<dyn Fn(&TriggerId, &TriggerState) + Send + Sync>;

/// What is heard of the condition at a place; `None` when no more of it will be.
type Heard = (usize, Option<Event>);

/// Watches one trigger.
pub(super) struct Watcher {
    trigger: Arc<Trigger>,
    runner: Arc<Runner>,
    shared: Arc<Shared>,
    tell: Tell,
    called: mpsc::Receiver<JsonText>,
    edges: Edges,
    pattern: Option<EventPattern>,
    alarm: Option<Alarm>,
    /// What is followed; `None` until that succeeds.
    heard: Option<SelectAll<BoxStream<'static, Heard>>>,
    /// When it is tried to follow again.
    retry_at: Instant,
    /// What changed last, and so why the trigger fires.
    last: Reason,
    /// How the last firing failed, which the log has.
    failed: Option<String>,
    /// Firings that wait for the one before them.
    waiting: VecDeque<Firing>,
    running: Option<BoxFuture<'static, (Firing, Ran)>>,
}

/// What happened.
#[derive(Debug, Clone)]
struct Reason {
    why: String,
    /// How many causes it has before it.
    causes: u8,
    /// What steps see of it.
    event: Value,
}

/// A firing that is to be done.
struct Firing {
    reason: Reason,
    at: Timestamp,
}

/// What the loop goes on with.
enum Next {
    Ended(Firing, Ran),
    Heard(Heard),
    Called(JsonText),
    Woken,
    Time,
    Retry,
}

impl Reason {
    fn new(why: String, causes: u8, event: Value) -> Self {
        Self { why, causes, event }
    }
}

impl Watcher {
    pub(super) fn new(
        trigger: Arc<Trigger>,
        runner: Arc<Runner>,
        shared: Arc<Shared>,
        called: mpsc::Receiver<JsonText>,
        tell: Tell,
    ) -> Self {
        let debounce = trigger.debounce.map(|span| span.get()).unwrap_or_default();
        let mut edges = Edges::new(&trigger.when, debounce);
        edges.go_on_from(shared.counts());
        let pattern = trigger.when.list().iter().find_map(EventPattern::of);
        Self {
            edges,
            pattern,
            alarm: None,
            heard: None,
            retry_at: Instant::now(),
            last: Reason::new("a change".to_owned(), 0, Value::Null),
            failed: None,
            waiting: VecDeque::new(),
            running: None,
            trigger,
            runner,
            shared,
            tell,
            called,
        }
    }

    /// Watches until it is dropped. A trigger that is not enabled is shown and does nothing.
    pub(super) async fn run(mut self) {
        if !self.trigger.enabled {
            self.show();
            return future::pending().await;
        }
        let (zone, now) = (self.zone(), (self.runner.clock())());
        self.alarm = Alarm::of(&self.trigger.when, zone.as_deref(), now);
        self.show();
        self.follow().await;
        loop {
            let next = self.next().await;
            self.handle(next).await;
            self.go_on();
        }
    }

    async fn next(&mut self) -> Next {
        let wake_at = self.edges.wake_at();
        let wake_at = wake_at.map(|moment| self.runner.instant(moment));
        let look_at = self.alarm.as_ref().and_then(|alarm| {
            let wait = alarm.wait((self.runner.clock())())?;
            Some(Instant::now() + wait)
        });
        let retry_at = self.heard.is_none().then_some(self.retry_at);
        tokio::select! {
            biased;
            (firing, ran) = until_ready(self.running.as_mut()) => Next::Ended(firing, ran),
            () = until(retry_at) => Next::Retry,
            Some(heard) = next_of(self.heard.as_mut()) => Next::Heard(heard),
            Some(event) = self.called.recv() => Next::Called(event),
            () = until(wake_at) => Next::Woken,
            () = until(look_at) => Next::Time,
        }
    }

    async fn handle(&mut self, next: Next) {
        let now = self.runner.now();
        match next {
            Next::Ended(firing, ran) => self.ended(firing, ran),
            Next::Heard((place, Some(event))) => self.hear(place, event),
            Next::Heard((_, None)) => self.follow_later(),
            Next::Called(event) => {
                self.last = Reason::new("its webhook".to_owned(), 0, Value::of_json(&event));
                let turn = self.edges.happened(now);
                self.turn(turn);
            }
            Next::Woken => {
                let turn = self.edges.woken(now);
                self.turn(turn);
            }
            Next::Time => self.look_at_the_clock(),
            Next::Retry => self.follow().await,
        }
    }

    fn hear(&mut self, place: usize, event: Event) {
        match event {
            Event::Value {
                path,
                value,
                old,
                cause,
                ..
            } => {
                let look = Look::of(&cause, old.as_ref());
                match look {
                    Look::Change => self.last = because_of(&path, &cause),
                    Look::First => {}
                }
                self.look(place, value.as_ref(), look);
            }
            Event::Bus(event) => self.hear_event(&event),
            // None of them is followed.
            Event::Entry { .. }
            | Event::Line(_)
            | Event::Call(_)
            | Event::Topic(_)
            | Event::Message(_) => {}
        }
    }

    fn hear_event(&mut self, event: &BusEvent) {
        let causes = causes::causes(&event.act);
        let announcer = match causes {
            Some(_) => Announcer::Automation,
            None => Announcer::Other,
        };
        let mut pattern = self.pattern.iter();
        if !pattern.any(|pattern| pattern.fits(event, announcer)) {
            return;
        }
        let members = [
            ("event", Value::from(&*event.name)),
            ("data", Value::of_json(&event.data)),
        ];
        let members = members.into_iter();
        let members = members.map(|(name, value)| (Arc::from(name), value));
        let seen = Value::from(members.collect::<Object>());
        let why = format!("the event `{}`", event.name);
        self.last = Reason::new(why, causes.unwrap_or_default(), seen);
        let turn = self.edges.happened(self.runner.now());
        self.turn(turn);
    }

    fn look(&mut self, place: usize, value: Option<&JsonText>, look: Look) {
        let now = self.runner.now();
        let turn = self.edges.value(place, value, look, now);
        self.turn(turn);
    }

    fn look_at_the_clock(&mut self) {
        let (zone, now) = (self.zone(), (self.runner.clock())());
        let Some(alarm) = &mut self.alarm else {
            return;
        };
        match alarm.rings(now, zone.as_deref()) {
            Rings::Not => {}
            Rings::Now => {
                self.last = Reason::new("the time".to_owned(), 0, Value::Null);
                let turn = self.edges.happened(self.runner.now());
                self.turn(turn);
            }
            Rings::Missed => {
                self.runner.missed_moment();
                tracing::warn!(trigger = %self.trigger.id, "a trigger did not fire at its time: the clock was set forward, or the machine stood still");
            }
        }
    }

    /// The time zone of the system.
    fn zone(&self) -> Option<String> {
        let building = self.runner.ports().building().ok()?;
        let directory = building.queries.directory();
        let system = directory.system(self.trigger.system.as_ref()?)?;
        system.timezone.clone()
    }

    fn caller(&self) -> Result<Caller, Failure> {
        itself(self.trigger.id.as_str(), self.trigger.level)
    }

    /// Follows all that the conditions are about, or tries again later.
    async fn follow(&mut self) {
        match self.try_follow().await {
            Ok(heard) => self.heard = Some(heard),
            Err(failure) => {
                tracing::warn!(trigger = %self.trigger.id, %failure, "what a trigger waits for cannot be followed; it is tried again");
                self.follow_later();
            }
        }
    }

    fn follow_later(&mut self) {
        self.heard = None;
        self.retry_at = Instant::now() + FOLLOW_RETRY;
    }

    /// First it follows, then it looks what there is, so that nothing falls between. What there is makes no edge.
    async fn try_follow(&mut self) -> Result<SelectAll<BoxStream<'static, Heard>>, Failure> {
        let building = self.runner.ports().building()?;
        let caller = self.caller()?;
        let trigger = Arc::clone(&self.trigger);
        let (mut all, mut statuses) = (SelectAll::new(), Vec::new());
        for (place, condition) in trigger.when.list().iter().enumerate() {
            let subject = match condition {
                Condition::Status { path, .. } => {
                    let path = path.within(trigger.system.as_ref());
                    let path = path.ok_or_else(no_system)?;
                    let path = Arc::new(path.target().clone());
                    statuses.push((place, Arc::clone(&path)));
                    Subject::Status(path)
                }
                Condition::Event { name, .. } => Subject::Announced(Arc::from(name.as_str())),
                Condition::Cron { .. } | Condition::At(_) | Condition::Webhook(_) => continue,
            };
            let events = building.access.follow(&caller, subject)?;
            let events = events.map(Some).chain(stream::once(future::ready(None)));
            all.push(events.map(move |event| (place, event)).boxed());
        }
        for (place, path) in statuses {
            let events = building.queries.value(&caller, path).await?;
            let value = events.into_iter().find_map(Event::into_value);
            self.look(place, value.as_ref(), Look::First);
        }
        // A trigger that follows nothing has nothing to hear.
        all.push(stream::pending().boxed());
        Ok(all)
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Same => return,
            Turn::Changed => {}
            Turn::Fires => self.fire(),
        }
        self.show();
    }

    fn fire(&mut self) {
        let mut reason = self.last.clone();
        if reason.causes >= CAUSES_MAX {
            let why = format!("a chain of {CAUSES_MAX} causes ends here");
            self.edges.undone(why);
            return;
        }
        if self.waiting.len() >= FIRINGS_WAITING_MAX {
            self.edges
                .undone("too many firings wait for the one before them".to_owned());
            return;
        }
        reason.causes += 1;
        let at = (self.runner.clock())();
        self.waiting.push_back(Firing { reason, at });
    }

    /// Begins the next firing when the one before it has come to its end.
    fn go_on(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Some(firing) = self.waiting.pop_front() else {
            return;
        };
        let (trigger, runner) = (Arc::clone(&self.trigger), Arc::clone(&self.runner));
        let caller = self.caller();
        self.running = Some(
            async move {
                let ran = match caller.and_then(|caller| Ok((caller, program(&trigger)?))) {
                    Ok((caller, program)) => {
                        let acting = Acting {
                            caller,
                            system: trigger.system.clone(),
                            act: causes::act(firing.reason.causes),
                        };
                        let work = Work {
                            kind: RunKind::Trigger,
                            program,
                            args: None,
                            event: firing.reason.event.clone(),
                        };
                        runner.run(work, &acting).await
                    }
                    Err(failure) => Ran::not(failure),
                };
                (firing, ran)
            }
            .boxed(),
        );
    }

    fn ended(&mut self, firing: Firing, ran: Ran) {
        self.running = None;
        let failure = ran.result.err();
        let failure = failure.map(|failure| failure.message().to_owned());
        // One that goes on failing in the same way says so once: the rest stands in its state and its history.
        if let Some(failure) = &failure
            && self.failed.as_ref() != Some(failure)
        {
            tracing::warn!(trigger = %self.trigger.id, %failure, "a trigger fired and its steps failed");
        }
        self.failed.clone_from(&failure);
        let now = (self.runner.clock())();
        let took = std::time::Duration::from_micros(now.0.saturating_sub(firing.at.0));
        let why = firing.reason.why;
        let fired = Fired::new(firing.at, why, took, failure.clone(), &ran.history);
        self.shared.fired(&fired);
        let turn = self.edges.ended(failure.map_or(Ok(()), Err));
        self.turn(turn);
    }

    /// Sets the status.
    fn show(&self) {
        let state = self.edges.state();
        self.shared.set_counts(state.counts());
        (self.tell)(&self.trigger.id, &state);
    }
}

fn because_of(path: &BindingPath, cause: &Cause) -> Reason {
    let causes = match cause {
        Cause::Act(act) => causes::causes(act).unwrap_or_default(),
        Cause::Module | Cause::Store | Cause::Building | Cause::Follow => 0,
    };
    let path = StatusPath::new(path.module.clone(), path.status.clone());
    Reason::new(format!("the status {path}"), causes, Value::Null)
}

fn program(trigger: &Trigger) -> Result<Arc<Program>, Failure> {
    let program = Program::of_trigger(trigger).map(Arc::new);
    program.map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))
}

fn no_system() -> Failure {
    Failure::new(FailureKind::SystemNotFound, "a path has no system")
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}

async fn until_ready<T>(work: Option<&mut BoxFuture<'static, T>>) -> T {
    match work {
        Some(work) => work.await,
        None => future::pending().await,
    }
}

async fn next_of<T>(stream: Option<&mut SelectAll<BoxStream<'static, T>>>) -> Option<T> {
    match stream {
        Some(stream) => stream.next().await,
        None => future::pending().await,
    }
}
