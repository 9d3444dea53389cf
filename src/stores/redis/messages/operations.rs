//! Runs scripts on a connection for commands.
//!
//! A script that was not sent yet is sent when Redis can be reached, within the deadline.
//! One that changes something is sent once: where its answer is lost, the outcome is uncertain. One that only looks is sent again.

use std::time::Duration;

use redis::{FromRedisValue, Value, from_redis_value};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::stores::StoreError;
use crate::stores::redis::backoff;
use crate::stores::redis::connection::Line;
use crate::stores::redis::limits::OPERATIONS_MAX;
use crate::stores::redis::link::Link;
use crate::stores::redis::messages::scripts::{Call, Effect, Operation, Scripts};

/// Runs operations, as many at a time as there are places.
pub(super) struct Operations {
    line: Line,
    /// What the names of all keys begin with.
    root: String,
    scripts: Scripts,
    places: Semaphore,
    /// How long an operation may take in all.
    deadline: Duration,
}

/// Whether the server may have got a change whose answer is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Nothing,
    Uncertain,
}

/// What came of one try.
enum Tried {
    Done(Result<Value, StoreError>),
    /// The next one can be made at once.
    Again,
    /// Redis cannot be used at the moment.
    Later(StoreError),
}

impl Operations {
    pub(super) fn new(link: Link, root: String, deadline: Duration) -> Self {
        Self {
            line: Line::new(link, deadline),
            root,
            scripts: Scripts::default(),
            places: Semaphore::new(OPERATIONS_MAX),
            deadline,
        }
    }

    /// A call of one of the scripts.
    pub(super) fn call(&self, which: impl FnOnce(&Scripts) -> &Operation) -> Call {
        which(&self.scripts).call(&self.root)
    }

    /// Makes a call and waits for its answer.
    pub(super) async fn run<T: FromRedisValue>(&self, call: &Call) -> Result<T, StoreError> {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(self.line.link().unreachable("too many operations wait"));
        };
        let mut outcome = Outcome::Nothing;
        let answer = timeout(self.deadline, self.ask(call, &mut outcome)).await;
        let answer = answer.unwrap_or_else(|_| {
            // Its bytes may vanish: the next caller gets another connection.
            self.line.drop_at_once();
            Err(self.lost(outcome, "no answer in time"))
        })?;
        from_redis_value(answer).map_err(|error| StoreError::Damaged {
            place: format!("{} {}", self.line.link().place(), self.root),
            detail: error.to_string(),
        })
    }

    /// Tries for as long as it is polled, or until another try is of no use.
    async fn ask(&self, call: &Call, outcome: &mut Outcome) -> Result<Value, StoreError> {
        let mut backoff = backoff();
        loop {
            match self.ask_once(call, outcome).await {
                Tried::Done(answer) => return answer,
                Tried::Again => {}
                Tried::Later(error) => {
                    tracing::debug!(%error, "an operation on messages waits for Redis");
                    sleep(backoff.pause()).await;
                }
            }
        }
    }

    async fn ask_once(&self, call: &Call, outcome: &mut Outcome) -> Tried {
        let link = self.line.link();
        // A connection that has just answered, so that a server that is away is not mistaken for one that was lost on the way.
        let mut connection = match self.line.open_and_tried().await {
            Ok(connection) => connection,
            Err(error @ StoreError::Refused { .. }) => return Tried::Done(Err(error)),
            Err(error) => return Tried::Later(error),
        };
        if call.effect == Effect::Changes {
            *outcome = Outcome::Uncertain;
        }
        let error = match call.command.query_async(&mut connection).await {
            Ok(answer) => return Tried::Done(Ok(answer)),
            Err(error) => error,
        };
        match error.code() {
            // The server does not know the scripts, because it was started anew.
            Some("NOSCRIPT") => {
                *outcome = Outcome::Nothing;
                let loaded = self.line.ask::<()>(&self.scripts.load()).await;
                loaded.map_or_else(Tried::Later, |()| Tried::Again)
            }
            // The server has answered, and nothing was changed.
            Some(_) => Tried::Done(Err(link.failed(&error))),
            None => {
                self.line.drop_connection().await;
                match call.effect {
                    Effect::Changes => Tried::Done(Err(self.lost(*outcome, &error.to_string()))),
                    Effect::Looks => Tried::Later(link.failed(&error)),
                }
            }
        }
    }

    fn lost(&self, outcome: Outcome, detail: &str) -> StoreError {
        let link = self.line.link();
        match outcome {
            Outcome::Nothing => link.unreachable(detail),
            Outcome::Uncertain => StoreError::Uncertain {
                place: link.place(),
                detail: detail.to_owned(),
            },
        }
    }
}
