//! `riser exec`: one call, sent at most once.
//!
//! Until the request has been handed over, a failure means that nothing was called. After that only an answer says whether the call ran.
//! Without an answer `exec` says that it is not known, and the user decides whether to call again.
//! A call that certainly did not run has an exit code of its own, and may be sent again.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::client::address;
use crate::client::error::ClientError;
use crate::client::frames::{self, Incoming, Refusal};
use crate::client::gateway::Gateway;
use crate::client::limits::{RETRY_FIRST, RETRY_FOR, RETRY_MAX};
use crate::client::output::Output;
use crate::client::socket::{Connection, Lost};
use crate::client::stop::{Stop, Stopped};
use crate::client::text::brief;
use crate::model::{Backoff, FunctionName, JsonText, ModulePath};

/// The only request on the connection.
const ID: u64 = 1;

/// PlaceOS's code for an unexpected failure: the deadline passed and the method runs on, the module ended under the call, or a fault of the gateway's own.
/// Whether the device has done it is not known after any of them.
const UNEXPECTED_FAILURE: u16 = 7;

/// The number beside code 7 where the gateway knows that nothing was begun.
const NOTHING_BEGUN: u16 = 503;

/// A call as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where the module stands.
    pub module: ModulePath,
    /// The function.
    pub function: FunctionName,
    /// A JSON array (positional arguments) or object (named arguments).
    pub arguments: JsonText,
}

/// What to do about a call that did not run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Retry {
    /// Report it.
    #[default]
    Never,
    /// Send it again for as long as the time allows.
    WhatDidNotRun,
}

/// Calls the function and prints what it returns.
pub(super) async fn run(
    gateway: &Gateway,
    call: &Call,
    timeout: Option<Duration>,
    retry: Retry,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut stop = Stop::new(timeout)?;
    let until = Instant::now().checked_add(timeout.unwrap_or(RETRY_FOR));
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MAX);
    loop {
        let error = match once(gateway, call, timeout, &mut stop, output).await {
            Err(error) if retry == Retry::WhatDidNotRun && error.may_be_sent_again() => error,
            done => return done,
        };
        let again = Instant::now() + backoff.pause();
        if until.is_some_and(|until| again > until) {
            return Err(error);
        }
        output.say(&format!("{error}; trying again"));
        tokio::select! {
            () = tokio::time::sleep_until(again) => {}
            stopped = stop.wait() => return Err(before(stopped, timeout)),
        }
    }
}

async fn once(
    gateway: &Gateway,
    call: &Call,
    timeout: Option<Duration>,
    stop: &mut Stop,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut connection = tokio::select! {
        opened = Connection::open(gateway) => opened?,
        stopped = stop.wait() => return Err(before(stopped, timeout)),
    };
    let answer = tokio::select! {
        answer = ask(&mut connection, call) => answer.map_err(|lost| lost.to_string()),
        stopped = stop.wait() => Err(after(stopped).to_owned()),
    };
    let name = || address::shown(&call.module, call.function.as_str());
    let done = match answer {
        Ok(Ok(value)) => output.returned(Timestamp::now(), call, &value),
        Ok(Err(refusal)) if refusal.code == Some(UNEXPECTED_FAILURE) => {
            let (call, reason) = (name(), brief(&refusal.message));
            match refusal.response_code {
                Some(NOTHING_BEGUN) => Err(ClientError::NotRun { call, reason }),
                Some(_) | None => Err(ClientError::Unknown { call, reason }),
            }
        }
        Ok(Err(refusal)) => Err(ClientError::Failed {
            what: name(),
            reason: brief(&refusal.message),
        }),
        Err(reason) => Err(ClientError::Unknown {
            call: name(),
            reason,
        }),
    };
    connection.close().await;
    done
}

async fn ask(connection: &mut Connection, call: &Call) -> Result<Result<JsonText, Refusal>, Lost> {
    connection.send(frames::exec(ID, call)).await?;
    loop {
        match connection.next().await? {
            Incoming::Done { id: ID, value } => return Ok(Ok(value)),
            Incoming::Refused { id: ID, refusal } => return Ok(Err(refusal)),
            Incoming::Done { .. }
            | Incoming::Refused { .. }
            | Incoming::Value { .. }
            | Incoming::Line(_)
            | Incoming::Other => {}
        }
    }
}

/// Nothing was called yet.
fn before(stopped: Stopped, timeout: Option<Duration>) -> ClientError {
    match (stopped, timeout) {
        (Stopped::TimedOut, Some(after)) => ClientError::TimedOut {
            what: "the connection",
            after,
        },
        (Stopped::TimedOut | Stopped::Interrupted, _) => ClientError::Interrupted,
    }
}

/// The call is under way.
fn after(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::TimedOut => "no answer within the time given by --timeout",
        Stopped::Interrupted => "interrupted before the answer",
    }
}
