//! The one connection for topics: subscriptions and scripts share it, and scripts answer by what they publish, so this process is told of everything in the order in which it happened.
//!
//! 1. The speaker has connected, loaded the scripts and taken a lease.
//! 2. Where the connection was lost before: tell Redis afresh what this process has in each topic, then read how the topics are by now.
//! 3. Send what waits, one batch at a time, and from time to time renew the lease and take out processes whose own has lapsed.
//!
//! At any fault the connection is dropped, and it begins again. What arrives late by a connection before does nothing, since the scripts know the session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, OptionFuture};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisResult, Value};
use tokio::time::{Instant, sleep_until};

use crate::model::{TopicId, lock};
use crate::stores::StoreError;
use crate::stores::redis::inbox::{Inbox, Message};
use crate::stores::redis::limits::{
    RENEWALS_PER_LEASE, REPORTS_AT_ONCE, REPORTS_AT_ONCE_BYTES, SWEEP_TOPICS, TOPIC_PAGE,
};
use crate::stores::redis::payload::text;
use crate::stores::redis::topics::batch::{Answered, Batch, Batcher};
use crate::stores::redis::topics::publications::Published;
use crate::stores::redis::topics::scripts::SessionId;
use crate::stores::redis::topics::speaker::Speaker;
use crate::stores::redis::topics::wire::{
    ProcessNote, TopicNote, began_channel, process_channel, report, reported_channel, topic_of,
};

/// The speaker while it has a connection.
pub(super) struct Session<'s> {
    connection: MultiplexedConnection,
    inbox: Arc<Inbox>,
    id: SessionId,
    /// What was sent and is not answered yet.
    pending: Option<Pending>,
    phase: Phase,
    /// How long to wait before topics are read.
    patience: Duration,
    /// Topics of which Redis is to be told afresh.
    to_restore: VecDeque<TopicId>,
    /// Topics that are to be read.
    to_read: VecDeque<TopicId>,
    next_renewal: Instant,
    /// There may be processes to take out.
    may_sweep: bool,
    speaker: &'s mut Speaker,
}

struct Pending {
    sent: Instant,
    answers: Vec<Answered>,
    reply: BoxFuture<'static, RedisResult<Vec<Value>>>,
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Asking which topics Redis has of this process, from here on. None when all are known.
    List { cursor: Option<u64> },
    /// Telling Redis what this process has in topics.
    Restore,
    /// Waiting until other processes have done so.
    Wait(Instant),
    /// Reading topics.
    Read,
    /// Sending what waits.
    Work,
}

/// What a session waits for.
enum Event {
    Answered(RedisResult<Vec<Value>>),
    Published,
    /// There may be something to send, or it is time for something.
    Wakeup,
}

impl<'s> Session<'s> {
    pub(super) fn new(
        speaker: &'s mut Speaker,
        connection: MultiplexedConnection,
        inbox: Arc<Inbox>,
        id: SessionId,
        to_restore: VecDeque<TopicId>,
        patience: Duration,
    ) -> Self {
        Self {
            connection,
            inbox,
            id,
            pending: None,
            phase: Phase::List { cursor: Some(0) },
            patience,
            to_restore,
            to_read: VecDeque::new(),
            next_renewal: Instant::now() + speaker.lease / RENEWALS_PER_LEASE,
            may_sweep: true,
            speaker,
        }
    }

    /// Runs until the connection is of no more use, and returns the reason.
    pub(super) async fn run(mut self) -> StoreError {
        loop {
            self.send_on();
            let event = self.next_event().await;
            if let Err(error) = self.handle(event) {
                self.abandon();
                return error;
            }
        }
    }

    /// What became of the messages that were sent is not known.
    fn abandon(&mut self) {
        for answered in self
            .pending
            .take()
            .into_iter()
            .flat_map(|sent| sent.answers)
        {
            if let Answered::Message(answer) = answered {
                // The caller may have gone, which does no harm.
                let _ = answer.send(Published::Uncertain);
            }
        }
    }

    /// Sends the next batch unless there is one under way.
    fn send_on(&mut self) {
        if self.pending.is_some() {
            return;
        }
        let now = Instant::now();
        let batch = self.next_batch(now);
        if batch.answers.is_empty() {
            return;
        }
        let mut connection = self.connection.clone();
        let Batch { commands, answers } = batch;
        let count = commands.len();
        self.pending = Some(Pending {
            sent: now,
            answers,
            reply: async move { connection.send_packed_commands(&commands, 0, count).await }
                .boxed(),
        });
    }

    fn next_batch(&mut self, now: Instant) -> Batch {
        let mut batcher = Batcher::new(&self.speaker.scripts, self.id);
        let lease = millis(self.speaker.lease);
        if now >= self.next_renewal {
            batcher.run(&self.speaker.scripts.renew).arg(lease);
            self.next_renewal = now + self.speaker.lease / RENEWALS_PER_LEASE;
            self.may_sweep = true;
            self.speaker.shared.reporter.remind();
        }
        let mut table = lock(&self.speaker.shared.table);
        loop {
            match self.phase {
                Phase::List { cursor: Some(from) } => batcher.page(from, TOPIC_PAGE),
                Phase::Restore => {
                    batcher.restore(&mut table, &mut self.to_restore, &mut self.to_read);
                }
                Phase::Wait(until) if now < until => return batcher.batch,
                Phase::Read => batcher.read(&table, &mut self.to_read),
                Phase::Work => break,
                Phase::List { cursor: None } | Phase::Wait(_) => {}
            }
            if !batcher.batch.answers.is_empty() {
                return batcher.batch;
            }
            self.phase = match self.phase {
                Phase::List { .. } => Phase::Restore,
                Phase::Restore if self.to_read.is_empty() => Phase::Work,
                Phase::Restore => Phase::Wait(now + self.patience),
                Phase::Wait(_) => Phase::Read,
                Phase::Read | Phase::Work => Phase::Work,
            };
        }
        self.speaker.backoff.reset();
        batcher.take_queue(&mut table);
        drop(table);
        if std::mem::take(&mut self.may_sweep) {
            let sweep = batcher.run_for(Answered::Sweep, &self.speaker.scripts.sweep);
            sweep.arg(SWEEP_TOPICS);
        }
        if let Some(known) = self.speaker.shared.reporter.next_ask() {
            let take = batcher.run_for(Answered::Reports, &self.speaker.scripts.take);
            take.arg(lease)
                .arg(known)
                .arg(REPORTS_AT_ONCE)
                .arg(REPORTS_AT_ONCE_BYTES);
        }
        batcher.batch
    }

    /// Every arm may be dropped and waited for again: the reply stays where it is, and the rest are conditions.
    async fn next_event(&mut self) -> Event {
        let is_idle = self.pending.is_none();
        let reply: OptionFuture<_> = self.pending.as_mut().map(|sent| &mut sent.reply).into();
        let wakeup = match self.phase {
            Phase::Wait(until) => until.min(self.next_renewal),
            Phase::List { .. } | Phase::Restore | Phase::Read | Phase::Work => self.next_renewal,
        };
        tokio::select! {
            biased;
            Some(reply) = reply => Event::Answered(reply),
            () = self.inbox.came() => Event::Published,
            () = self.speaker.shared.came.notified(), if is_idle => Event::Wakeup,
            () = sleep_until(wakeup), if is_idle => Event::Wakeup,
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), StoreError> {
        match event {
            Event::Wakeup => Ok(()),
            Event::Published => self.pass_on(),
            Event::Answered(reply) => {
                self.pass_on()?;
                let reply = reply.map_err(|error| self.speaker.link.failed(&error))?;
                self.take_up(reply)
            }
        }
    }

    /// Passes on what was published, in its order.
    fn pass_on(&mut self) -> Result<(), StoreError> {
        let content = self.inbox.empty();
        if content.gap {
            return Err(self.unreachable("messages came faster than they were taken up"));
        }
        let own = process_channel(self.id.process);
        let (began, reported) = (began_channel(), reported_channel());
        for Message {
            channel, payload, ..
        } in content.messages
        {
            let channel = String::from_utf8_lossy(&channel);
            let now = Instant::now();
            let shared = &self.speaker.shared;
            if channel == reported {
                shared.reporter.remind();
                shared.came.notify_one();
            } else if channel == began {
                // The server may have lost its memory: a renewal finds that out.
                self.next_renewal = now;
            } else if channel == own {
                match ProcessNote::parse(&payload) {
                    Some(note) => {
                        lock(&shared.table).take_process_note(note, now);
                        // It may have gone meanwhile, which is to be sent.
                        shared.came.notify_one();
                    }
                    None => self.speaker.faults.tell(&channel, "it is no answer"),
                }
            } else if let Some(topic) = topic_of(&channel) {
                match TopicNote::parse(&payload) {
                    Some(note) => lock(&shared.table).take_topic_note(&topic, note, now),
                    None => self
                        .speaker
                        .faults
                        .tell(&channel, "it is no note of a topic"),
                }
            }
        }
        if content.ended {
            return Err(self.unreachable("the connection was closed"));
        }
        Ok(())
    }

    /// Takes up the answers of a batch.
    fn take_up(&mut self, reply: Vec<Value>) -> Result<(), StoreError> {
        let Some(Pending { sent, answers, .. }) = self.pending.take() else {
            return Ok(());
        };
        let mut reply = reply.into_iter();
        let mut outcome = Ok(());
        for answered in answers {
            let value = match reply.next() {
                Some(Value::ServerError(error)) => {
                    outcome = Err(self.speaker.link.failed(&error.into()));
                    None
                }
                Some(value) => Some(value),
                None => {
                    outcome = Err(self.unreachable("an answer is missing"));
                    None
                }
            };
            match answered {
                Answered::Command => {}
                Answered::Message(answer) => {
                    let published = value.map_or(Published::Uncertain, |_| Published::Done);
                    // The caller may have gone, which does no harm.
                    let _ = answer.send(published);
                }
                Answered::Page => self.take_page(value)?,
                Answered::Sweep => self.may_sweep = value == Some(Value::Int(1)),
                Answered::Reports => self.take_reports(value),
            }
        }
        let until = sent + self.speaker.lease;
        self.speaker.shared.reporter.hold(until);
        outcome
    }

    /// Takes up which topics Redis has of this process: those that it is no longer in are to be told as well.
    fn take_page(&mut self, value: Option<Value>) -> Result<(), StoreError> {
        let page = value.map(<(u64, Vec<(String, u64)>)>::from_redis_value);
        let Some(Ok((cursor, topics))) = page else {
            return Err(self.unreachable("it answered what riser does not understand"));
        };
        let table = lock(&self.speaker.shared.table);
        for (name, _) in topics {
            if let Ok(id) = TopicId::new(&name)
                && !table.topics.get(&id).is_some_and(|topic| topic.is_stale())
            {
                self.to_restore.push_back(id);
            }
        }
        drop(table);
        let cursor = (cursor != 0).then_some(cursor);
        self.phase = Phase::List { cursor };
        Ok(())
    }

    fn take_reports(&mut self, value: Option<Value>) {
        let Some(Value::Array(values)) = value else {
            return;
        };
        let mut texts = values.iter().filter_map(text);
        let id = texts.next().map(String::from_utf8_lossy);
        let dropped = texts.next().map(String::from_utf8_lossy);
        let dropped = dropped.and_then(|count| count.parse().ok()).unwrap_or(0);
        let reports = texts.filter_map(report).collect();
        let id = id.unwrap_or_default().into_owned();
        self.speaker.shared.reporter.fill(id, reports, dropped);
    }

    fn unreachable(&self, detail: &str) -> StoreError {
        self.speaker.link.unreachable(detail)
    }
}

/// Whole milliseconds, as Redis wants them.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
