//! The life of a device: it connects, sends what waits, hands out what comes, says whether the device is connected, and begins again.
//!
//! One task per device does all of it, so between two awaits nothing else changes its state.
//! Locks are there for the handles on other threads and are never held across an await.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_types::LogLevel;
use futures_util::{SinkExt, StreamExt, future};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::backoff::Backoff;
use super::command::IsAnswer;
use super::device::{Answers, Device, Hooks};
use super::errors;
use super::limits::{CONNECT_DEADLINE, MESSAGES_PER_TURN, SILENCE_MAX, WRITE_DEADLINE};
use super::link::{Arrival, Incoming, Link, Outgoing};
use super::queue::{Job, Queue, Reply, Source, Wants};
use crate::{Context, Error};

/// What the handles of a device and its task share.
pub(super) struct Shared<Q, A> {
    state: Mutex<State<Q, A>>,
    /// A command has come.
    work: Notify,
}

struct State<Q, A> {
    phase: Phase,
    queue: Queue<Q, A>,
}

/// How the device fares, and with it whose commands are taken.
enum Phase {
    /// There is no connection: none.
    Away { why: String },
    /// There is one, but the device has not answered yet: those of the hooks.
    Greeting { why: String },
    /// All. The connection may rest meanwhile.
    Connected,
}

impl<Q, A> Shared<Q, A> {
    pub(super) fn new() -> Self {
        let why = "it has not answered yet".to_owned();
        Self {
            state: Mutex::new(State {
                phase: Phase::Away { why },
                queue: Queue::new(),
            }),
            work: Notify::new(),
        }
    }

    /// Queues a command, or answers it at once.
    pub(super) fn offer(&self, job: Job<Q, A>) {
        let mut state = lock(&self.state);
        let refusal = match (&state.phase, job.source) {
            (Phase::Away { why }, _) | (Phase::Greeting { why }, Source::Call) => {
                Some(errors::not_connected(why))
            }
            (Phase::Greeting { .. }, Source::Poll | Source::SetUp) | (Phase::Connected, _) => None,
        };
        match refusal {
            Some(error) => {
                drop(state);
                job.finish(Err(error));
            }
            None => {
                state.queue.add(job);
                drop(state);
                self.work.notify_one();
            }
        }
    }

    /// Whether calls are taken.
    fn is_connected(&self) -> bool {
        matches!(lock(&self.state).phase, Phase::Connected)
    }

    /// A connection is open. One that was resting only goes on.
    fn greet(&self) {
        let mut state = lock(&self.state);
        if let Phase::Away { why } = &mut state.phase {
            let why = std::mem::take(why);
            state.phase = Phase::Greeting { why };
        }
    }

    /// The connection is lost, and with it all that waits.
    fn lose(&self, why: &str) {
        let mut state = lock(&self.state);
        state.phase = Phase::Away {
            why: why.to_owned(),
        };
        state.queue.fail(&errors::not_connected(why));
    }

    async fn until_work(&self) {
        while lock(&self.state).queue.is_empty() {
            self.work.notified().await;
        }
    }
}

/// When the task ends, so does every wait for it.
struct Stopping<'a, Q, A>(&'a Shared<Q, A>);

impl<Q, A> Drop for Stopping<'_, Q, A> {
    fn drop(&mut self) {
        self.0.lose("the module has stopped");
    }
}

/// What a device's task works with.
struct Actor<Q, A> {
    context: Context,
    link: Box<dyn Link<Q, A>>,
    hooks: Hooks<Q, A>,
    shared: Arc<Shared<Q, A>>,
}

/// The time from one loss of the device to the next. It has more than one connection where the device closes those that are idle.
struct Era<'a, Q, A> {
    actor: &'a Actor<Q, A>,
    /// The command that has been taken and not answered.
    in_flight: Mutex<Option<InFlight<Q, A>>>,
    /// Until when the device has to say something.
    answer_due: watch::Sender<Option<Instant>>,
    has_answered: AtomicBool,
    /// Whether the device has let us in.
    is_greeted: watch::Sender<bool>,
    /// Whether everything has been read, so that the next sign of life makes the device connected.
    is_read: AtomicBool,
}

struct InFlight<Q, A> {
    job: Job<Q, A>,
    /// Whether it is sent, so that what comes may be its answer.
    is_sent: bool,
}

/// Why a device that says nothing is not connected.
const SILENT: &str = "it does not answer";

/// How a connection, or the attempt at one, ended.
enum End {
    /// The device closed it.
    Closed(String),
    /// It broke, or the device says nothing.
    Lost(String),
    /// The device refuses the password.
    Refused(String),
    /// An answer may still come that would be taken for the next command's.
    OutOfStep,
}

impl End {
    fn of(error: &Error) -> Self {
        match error.code() == errors::REFUSED {
            true => Self::Refused(error.message().to_owned()),
            false => Self::Lost(error.message().to_owned()),
        }
    }

    /// How this error ended a connection. Some devices close theirs with a reset, and some while a command is on its way.
    fn by(error: &io::Error) -> Self {
        let why = errors::in_words(error);
        match errors::is_hang_up(error) {
            true => Self::Closed(why),
            false => Self::Lost(why),
        }
    }
}

/// Keeps a device connected until it is dropped.
pub(super) async fn run<Q, A>(
    context: Context,
    link: Box<dyn Link<Q, A>>,
    hooks: Hooks<Q, A>,
    shared: Arc<Shared<Q, A>>,
) where
    Q: Clone + Send + 'static,
    A: Send + 'static,
{
    let _stopping = Stopping(&shared);
    let actor = Actor {
        context,
        link,
        hooks,
        shared: Arc::clone(&shared),
    };
    let mut backoff = Backoff::default();
    let mut last_reason = None;
    loop {
        let era = Era::new(&actor);
        let end = tokio::select! {
            biased;
            end = Box::pin(era.poll()) => end,
            end = Box::pin(era.connections()) => end,
        };
        let was_connected = shared.is_connected();
        if was_connected {
            backoff = Backoff::default();
            last_reason = None;
        }
        let (why, wait) = match end {
            End::Refused(why) => (why, Wait::Rarer),
            End::Closed(why) | End::Lost(why) => (why, Wait::Usual),
            End::OutOfStep => (SILENT.to_owned(), Wait::Usual),
        };
        let is_news = wait == Wait::Rarer || last_reason.as_ref() != Some(&why);
        actor.lose(&why, is_news);
        let retried = era.take_in_flight().and_then(|job| once_more(job, &why));
        last_reason = Some(why);
        match retried {
            Some(job) if was_connected => actor.keep(job),
            other => {
                if let Some(job) = other {
                    job.finish(Err(errors::not_connected("it could not be asked again")));
                }
                sleep(match wait {
                    Wait::Usual => backoff.after_failure(),
                    Wait::Rarer => backoff.after_refusal(),
                })
                .await;
            }
        }
    }
}

/// How long a device is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Usual,
    /// It locks up when it is asked often.
    Rarer,
}

/// The command for another attempt, if a second run does no harm; else its caller learns that it may have run.
fn once_more<Q, A>(mut job: Job<Q, A>, why: &str) -> Option<Job<Q, A>> {
    if job.command.retries == 0 || job.reply.is_closed() {
        job.finish(Err(errors::broken(why)));
        return None;
    }
    job.command.retries -= 1;
    Some(job)
}

impl<Q, A> Actor<Q, A> {
    /// Puts a command back in front of the queue. If the next attempt fails it is answered with all others.
    fn keep(&self, job: Job<Q, A>) {
        lock(&self.shared.state).queue.put_back(job);
    }

    fn lose(&self, why: &str, is_news: bool) {
        self.shared.lose(why);
        self.context.set_connected(false);
        let level = match is_news {
            true => LogLevel::Warn,
            false => LogLevel::Debug,
        };
        self.context.log(level, || {
            format!("the device is not connected: {why}; it is tried again")
        });
    }

    fn connect(&self) {
        let mut state = lock(&self.shared.state);
        if matches!(state.phase, Phase::Connected) {
            return;
        }
        state.phase = Phase::Connected;
        drop(state);
        self.context.set_connected(true);
        self.context
            .log(LogLevel::Info, || "the device is connected".to_owned());
    }
}

impl<'a, Q: Clone + Send + 'static, A: Send + 'static> Era<'a, Q, A> {
    fn new(actor: &'a Actor<Q, A>) -> Self {
        Self {
            actor,
            in_flight: Mutex::new(None),
            answer_due: watch::Sender::new(None),
            has_answered: AtomicBool::new(false),
            is_greeted: watch::Sender::new(false),
            is_read: AtomicBool::new(false),
        }
    }

    /// Opens one connection after the other, for as long as the device only closes what is idle.
    async fn connections(&self) -> End {
        let Actor { shared, .. } = self.actor;
        loop {
            match self.connection().await {
                End::Closed(why) if !self.has_answered.load(Ordering::Relaxed) => {
                    return End::Lost(why);
                }
                End::Closed(why) => {
                    let flight = lock(&self.in_flight).take();
                    match flight {
                        None => self.until_needed().await,
                        // The device may have closed the connection before the command came.
                        Some(flight) => match self.after_closing(flight, &why) {
                            Some(job) => self.actor.keep(job),
                            None => return End::Closed(why),
                        },
                    }
                }
                end @ End::OutOfStep if !shared.is_connected() => return end,
                End::OutOfStep => {
                    if let Some(job) = self.take_in_flight() {
                        self.actor.keep(job);
                    }
                }
                end @ (End::Lost(_) | End::Refused(_)) => return end,
            }
        }
    }

    /// Opens one connection and serves it until it ends.
    async fn connection(&self) -> End {
        let connection = match timeout(CONNECT_DEADLINE, self.actor.link.open()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return End::of(&error),
            Err(_) => {
                let seconds = CONNECT_DEADLINE.as_secs();
                return End::Lost(format!("it could not be reached within {seconds} s"));
            }
        };
        self.actor.shared.greet();
        let session = Session {
            era: self,
            is_set_up: AtomicBool::new(false),
            answered: Notify::new(),
        };
        // Each of them runs for as long as the connection, so none is ever dropped half way but at its end.
        let end = tokio::select! {
            biased;
            end = Box::pin(session.set_up()) => end,
            end = Box::pin(session.write(connection.outgoing)) => end,
            end = Box::pin(session.read(connection.incoming)) => end,
            end = self.watch_silence() => end,
        };
        match end {
            // A device that does not even let the driver sign in is not one that rests.
            End::Closed(why) if !session.is_set_up.load(Ordering::Relaxed) => End::Lost(why),
            end @ (End::Closed(_) | End::Lost(_) | End::Refused(_) | End::OutOfStep) => end,
        }
    }

    /// Waits until a connection that the device has closed is needed again.
    async fn until_needed(&self) {
        let tried = async {
            match self.actor.link.rests() {
                true => future::pending().await,
                false => sleep(SILENCE_MAX).await,
            }
        };
        tokio::select! {
            () = self.actor.shared.until_work() => {}
            () = tried => {}
        }
    }

    /// Polls once the device has let us in, and then in every period. What a poll sends while the connection rests opens it again.
    async fn poll(&self) -> End {
        let greeted = self.is_greeted.subscribe().wait_for(|is| *is).await.is_ok();
        debug_assert!(greeted, "the era has the sender");
        let mut last_error = None;
        loop {
            let Some((period, hook)) = &self.actor.hooks.poll else {
                self.has_read();
                return future::pending().await;
            };
            let began = Instant::now();
            let device = Device::of(Arc::clone(&self.actor.shared), Source::Poll);
            match hook(device).await {
                Ok(()) => last_error = None,
                Err(error) if matches!(error.code(), errors::REFUSED | errors::AWAY) => {
                    return End::of(&error);
                }
                Err(error) => {
                    let context = &self.actor.context;
                    if last_error.as_ref() != Some(&error) {
                        context.log(LogLevel::Warn, || error.to_string());
                    }
                    last_error = Some(error);
                }
            }
            self.has_read();
            // A poll that takes longer than its period leaves room for calls.
            sleep_until((began + *period).max(Instant::now() + *period / 10)).await;
        }
    }

    fn has_read(&self) {
        self.is_read.store(true, Ordering::Relaxed);
        let is_owed = self.answer_due.borrow().is_some();
        let has_answered = self.has_answered.load(Ordering::Relaxed) && !is_owed;
        if has_answered || self.actor.hooks.answers == Answers::Never {
            self.actor.connect();
        }
    }

    /// The command in flight for another attempt, if none of it was sent or a second run does no harm.
    fn after_closing(&self, flight: InFlight<Q, A>, why: &str) -> Option<Job<Q, A>> {
        let InFlight { mut job, is_sent } = flight;
        let did_not_run = !is_sent && self.actor.link.sends_at_once();
        if did_not_run && !std::mem::replace(&mut job.met_closed, true) {
            return Some(job);
        }
        once_more(job, why)
    }

    fn take_in_flight(&self) -> Option<Job<Q, A>> {
        lock(&self.in_flight).take().map(|flight| flight.job)
    }

    /// From now on the device owes an answer.
    fn expect_answer(&self, timeout: Duration) {
        if let Some(flight) = &mut *lock(&self.in_flight) {
            flight.is_sent = true;
        }
        let now = Instant::now();
        self.answer_due.send_modify(|due| {
            let first = due.unwrap_or(now + SILENCE_MAX);
            *due = Some(match timeout > SILENCE_MAX {
                true => first.max(now + timeout),
                false => first,
            });
        });
    }

    /// Ends the connection when an answer is overdue.
    async fn watch_silence(&self) -> End {
        let mut due = self.answer_due.subscribe();
        loop {
            let until = *due.borrow_and_update();
            let overdue = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                () = overdue => return End::Lost(SILENT.to_owned()),
                changed = due.changed() => changed.expect("the era has the sender"),
            }
        }
    }
}

/// One connection.
struct Session<'a, Q, A> {
    era: &'a Era<'a, Q, A>,
    /// Whether `on_connected` is through, so that all others may speak.
    is_set_up: AtomicBool,
    /// The command in flight has got its answer.
    answered: Notify,
}

/// What the sender needs of the command in flight.
struct Order<Q> {
    payload: Option<Q>,
    wants: Wants,
    timeout: Duration,
    pause: Duration,
    /// Whether any message would be taken for its answer, also a late one of another command.
    takes_any: bool,
}

impl<Q: Clone + Send + 'static, A: Send + 'static> Session<'_, Q, A> {
    /// Lets the driver sign in, and then all others speak.
    async fn set_up(&self) -> End {
        let Actor { hooks, shared, .. } = self.era.actor;
        if let Some(hook) = &hooks.connected {
            let device = Device::of(Arc::clone(shared), Source::SetUp);
            if let Err(error) = hook(device).await {
                return End::of(&error);
            }
        }
        self.is_set_up.store(true, Ordering::Relaxed);
        // Commands may have come while the connection rested.
        shared.work.notify_one();
        self.era.is_greeted.send_replace(true);
        future::pending().await
    }

    /// Sends one command after the other.
    async fn write(&self, mut outgoing: Outgoing<Q>) -> End {
        loop {
            let order = self.take_next().await;
            let pause = order.pause.max(self.era.actor.hooks.pause);
            if let Some(end) = self.carry_out(order, &mut outgoing).await {
                return end;
            }
            if !pause.is_zero() {
                sleep(pause).await;
            }
        }
    }

    async fn take_next(&self) -> Order<Q> {
        loop {
            let sources: &[Source] = match self.is_set_up.load(Ordering::Relaxed) {
                true => &[Source::Call, Source::Poll, Source::SetUp],
                false => &[Source::SetUp],
            };
            let job = lock(&self.era.actor.shared.state).queue.take(sources);
            if let Some(job) = job {
                let order = Order {
                    payload: job.command.payload.clone(),
                    wants: job.wants,
                    timeout: job.command.timeout,
                    pause: job.command.pause,
                    takes_any: job.command.answer.is_none() && job.command.payload.is_some(),
                };
                let is_sent = false;
                *lock(&self.era.in_flight) = Some(InFlight { job, is_sent });
                return order;
            }
            self.era.actor.shared.work.notified().await;
        }
    }

    /// Sends the command in flight, again if it may be, and sees to it that it is answered. `Some` when the connection is of no more use.
    async fn carry_out(&self, order: Order<Q>, outgoing: &mut Outgoing<Q>) -> Option<End> {
        loop {
            if let Some(payload) = order.payload.clone()
                && let Some(end) = send(outgoing, payload).await
            {
                return Some(end);
            }
            if order.wants == Wants::Sent {
                self.finish_in_flight(Ok(None));
                return None;
            }
            self.era.expect_answer(order.timeout);
            // Whether it came is seen by the command, since both may happen at once.
            let _ = timeout(order.timeout, self.until_answered()).await;
            let mut flight = lock(&self.era.in_flight);
            let job = &mut flight.as_mut()?.job;
            let retries = job.command.retries;
            if retries == 0 || job.reply.is_closed() {
                drop(flight);
                let end = order.takes_any.then_some(End::OutOfStep);
                self.finish_in_flight(Err(errors::silent(order.timeout)));
                return end;
            }
            job.command.retries = retries - 1;
            if order.takes_any {
                return Some(End::OutOfStep);
            }
        }
    }

    async fn until_answered(&self) {
        while lock(&self.era.in_flight).is_some() {
            self.answered.notified().await;
        }
    }

    fn finish_in_flight(&self, reply: Reply<A>) {
        if let Some(job) = self.era.take_in_flight() {
            job.finish(reply);
        }
    }

    /// Hands out what comes.
    async fn read(&self, mut incoming: Incoming<A>) -> End {
        let mut messages: usize = 0;
        loop {
            match incoming.next().await {
                Some(Ok(Arrival::Message(message))) => self.take_in(message),
                Some(Ok(Arrival::TooLong)) => self.era.actor.context.log(LogLevel::Warn, || {
                    "a message of the device that is longer than allowed was dropped".to_owned()
                }),
                Some(Err(error)) => {
                    // The command in flight fails with it, and its hook may have more to say.
                    tokio::task::yield_now().await;
                    return End::by(&error);
                }
                None => {
                    // The last message may have told a hook why.
                    tokio::task::yield_now().await;
                    return End::Closed("it closed the connection".to_owned());
                }
            }
            messages += 1;
            if messages.is_multiple_of(MESSAGES_PER_TURN) {
                // A device that never stops talking would keep the thread.
                tokio::task::yield_now().await;
            }
        }
    }

    fn take_in(&self, message: A) {
        let forget = |due: &mut Option<Instant>| due.take().is_some();
        self.era.answer_due.send_if_modified(forget);
        self.era.has_answered.store(true, Ordering::Relaxed);
        let flight = lock(&self.era.in_flight).take();
        match flight {
            Some(flight)
                if flight.is_sent && fits(flight.job.command.answer.as_deref(), &message) =>
            {
                flight.job.finish(Ok(Some(message)));
                self.answered.notify_one();
            }
            other => {
                *lock(&self.era.in_flight) = other;
                (self.era.actor.hooks.message)(message);
            }
        }
        if self.era.is_read.load(Ordering::Relaxed) {
            self.era.actor.connect();
        }
    }
}

fn fits<A>(is_answer: Option<&IsAnswer<A>>, message: &A) -> bool {
    is_answer.is_none_or(|is_answer| is_answer(message))
}

async fn send<Q>(outgoing: &mut Outgoing<Q>, payload: Q) -> Option<End> {
    match timeout(WRITE_DEADLINE, outgoing.send(payload)).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(End::by(&error)),
        Err(_) => Some(End::Lost("it takes no more bytes".to_owned())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
