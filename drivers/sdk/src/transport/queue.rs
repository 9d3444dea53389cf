//! The commands that wait for a device: which is next, which replaces which, and how many there may be.

use tokio::sync::oneshot;

use super::command::Command;
use super::errors;
use super::limits::QUEUE_MAX;
use crate::Error;

/// What a caller gets: the answer, or nothing where none was asked for.
pub(super) type Reply<A> = Result<Option<A>, Error>;

/// A command and the caller who waits for it.
pub(super) struct Job<Q, A> {
    pub(super) command: Command<Q, A>,
    pub(super) wants: Wants,
    pub(super) source: Source,
    pub(super) reply: oneshot::Sender<Reply<A>>,
    /// It met a connection that was closed before anything of it was sent. Once is a device that closes what it has answered, twice one that takes no commands.
    pub(super) met_closed: bool,
}

/// What ends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// Its bytes have been written.
    Sent,
    /// The device has answered.
    Answer,
}

/// Where a command comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A call, which fails while the device is not connected.
    Call,
    /// The poll, which is how the device comes to be connected.
    Poll,
    /// What is said first on a connection.
    SetUp,
}

impl<Q, A> Job<Q, A> {
    /// Answers the caller. One who has gone needs no answer.
    pub(super) fn finish(self, reply: Reply<A>) {
        let _ = self.reply.send(reply);
    }
}

/// Commands in the order in which they came.
pub(super) struct Queue<Q, A> {
    jobs: Vec<Job<Q, A>>,
}

impl<Q, A> Queue<Q, A> {
    pub(super) fn new() -> Self {
        Self { jobs: Vec::new() }
    }

    /// Adds a command; one that waits under the same name is replaced and answered. A full queue answers the new one.
    pub(super) fn add(&mut self, job: Job<Q, A>) {
        self.jobs.retain(|job| !job.reply.is_closed());
        let name = job.command.name.as_deref();
        let same = |other: &Job<Q, A>| {
            other.source == job.source && name.is_some() && other.command.name.as_deref() == name
        };
        if let Some(place) = self.jobs.iter().position(same) {
            let replaced = std::mem::replace(&mut self.jobs[place], job);
            let name = replaced.command.name.clone().unwrap_or_default();
            replaced.finish(Err(errors::replaced(&name)));
        } else if self.jobs.len() < QUEUE_MAX {
            self.jobs.push(job);
        } else {
            job.finish(Err(errors::full(QUEUE_MAX)));
        }
    }

    /// Puts a command back that has been taken, in front of its equals.
    pub(super) fn put_back(&mut self, job: Job<Q, A>) {
        self.jobs.insert(0, job);
    }

    /// Takes the next command: the oldest of the highest priority whose caller still waits.
    pub(super) fn take(&mut self, sources: &[Source]) -> Option<Job<Q, A>> {
        self.jobs.retain(|job| !job.reply.is_closed());
        let open = |(_, job): &(usize, &Job<Q, A>)| sources.contains(&job.source);
        let jobs = self.jobs.iter().enumerate().filter(open);
        // Of equals `max_by_key` has the last, so the newest come first here.
        let next = jobs.rev().max_by_key(|(_, job)| job.command.priority);
        let place = next.map(|(place, _)| place)?;
        Some(self.jobs.remove(place))
    }

    /// Whether no call waits.
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.iter().all(|job| job.reply.is_closed())
    }

    /// Answers all that wait.
    pub(super) fn fail(&mut self, error: &Error) {
        for job in self.jobs.drain(..) {
            job.finish(Err(error.clone()));
        }
    }
}
