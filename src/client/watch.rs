//! Following something over a websocket across lost connections, until enough has come. `bind` and `debug` say what is followed.

use std::num::NonZeroU64;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::error::ClientError;
use crate::client::frames::Incoming;
use crate::client::gateway::Gateway;
use crate::client::limits::{GOOD_AFTER, QUIET_AFTER, RETRY_FIRST, RETRY_MAX};
use crate::client::output::Output;
use crate::client::socket::{Connection, Lost};
use crate::client::stop::{Stop, Stopped};
use crate::model::Backoff;

/// How much of it is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Until {
    /// How many lines.
    pub lines: Lines,
    /// How long; no limit when absent.
    pub timeout: Option<Duration>,
}

/// How many lines are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lines {
    /// All that come, until it is stopped.
    #[default]
    Endless,
    /// The first of everything that is followed.
    Once,
    /// This many.
    Count(NonZeroU64),
}

/// Whether there is more to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// Yes.
    More,
    /// All that was wanted has come.
    Complete,
    /// The gateway cannot go on at the moment, for this reason: the client asks again over another connection.
    Again(String),
}

/// Something to follow.
pub(super) trait Watch {
    /// The requests that each new connection begins with.
    fn requests(&self) -> Vec<String>;

    /// Prints what a frame says.
    fn receive(
        &mut self,
        incoming: Incoming,
        output: &mut Output<'_>,
    ) -> Result<Progress, ClientError>;

    /// The hints for a user who sees no value, because a mistyped name can be followed too; an error ends the watch.
    async fn about_silence(&self, gateway: &Gateway) -> Result<Vec<String>, ClientError>;
}

/// Follows it to the end that `until` says.
///
/// The first connection must succeed; one that is lost later is made again, however often.
pub(super) async fn follow(
    gateway: &Gateway,
    watch: &mut impl Watch,
    until: Until,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut stop = Stop::new(until.timeout)?;
    let mut connection = tokio::select! {
        opened = Connection::open(gateway) => opened?,
        stopped = stop.wait() => return over(stopped, until),
    };
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MAX);
    let mut is_told = false;
    loop {
        let began = Instant::now();
        let end = tokio::select! {
            end = drain(gateway, &mut connection, watch, &mut is_told, output) => end,
            stopped = stop.wait() => {
                connection.close().await;
                return over(stopped, until);
            }
        };
        let lost = match end {
            Ok(()) => {
                connection.close().await;
                return Ok(());
            }
            Err(End::Failed(error)) => {
                connection.close().await;
                return Err(error);
            }
            Err(End::Lost(lost)) => lost,
        };
        if began.elapsed() >= GOOD_AFTER {
            backoff.reset();
        }
        output.say(&format!("lost the connection ({lost}); connecting again"));
        // A gateway that stops waits for the answer to its close frame, and for the end of the stream.
        connection.close().await;
        connection = tokio::select! {
            opened = reopen(gateway, &mut backoff) => opened?,
            stopped = stop.wait() => return over(stopped, until),
        };
        output.say("connected again");
    }
}

/// Why a connection is no longer read.
enum End {
    Lost(Lost),
    Failed(ClientError),
}

async fn drain(
    gateway: &Gateway,
    connection: &mut Connection,
    watch: &mut impl Watch,
    is_told: &mut bool,
    output: &mut Output<'_>,
) -> Result<(), End> {
    for request in watch.requests() {
        connection.send(request).await.map_err(End::Lost)?;
    }
    let mut quiet = pin!(tokio::time::sleep(QUIET_AFTER));
    loop {
        let incoming = tokio::select! {
            incoming = connection.next() => incoming.map_err(End::Lost)?,
            () = &mut quiet, if !*is_told => {
                *is_told = true;
                for message in watch.about_silence(gateway).await.map_err(End::Failed)? {
                    output.say(&message);
                }
                continue;
            }
        };
        match watch.receive(incoming, output).map_err(End::Failed)? {
            Progress::More => {}
            Progress::Complete => return Ok(()),
            Progress::Again(reason) => return Err(End::Lost(Lost::because(reason))),
        }
    }
}

/// Tries until it succeeds, or until the gateway says something that another attempt would not change.
async fn reopen(gateway: &Gateway, backoff: &mut Backoff) -> Result<Connection, ClientError> {
    loop {
        tokio::time::sleep(backoff.pause()).await;
        match Connection::open(gateway).await {
            Ok(connection) => return Ok(connection),
            Err(error) if error.may_pass() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Ctrl-C is the expected end of a watch without end; for a bounded watch it comes too early.
fn over(stopped: Stopped, until: Until) -> Result<(), ClientError> {
    match (stopped, until.lines, until.timeout) {
        (_, Lines::Endless, _) => Ok(()),
        (Stopped::TimedOut, Lines::Once | Lines::Count(_), Some(after)) => {
            Err(ClientError::TimedOut {
                what: "all that was asked for",
                after,
            })
        }
        (_, Lines::Once | Lines::Count(_), _) => Err(ClientError::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_early_end_is_a_failure_only_for_who_wanted_more() {
        let until = |lines| Until {
            lines,
            timeout: Some(Duration::from_millis(1500)),
        };
        assert!(over(Stopped::Interrupted, until(Lines::Endless)).is_ok());
        assert!(over(Stopped::TimedOut, until(Lines::Endless)).is_ok());
        let interrupted = over(Stopped::Interrupted, until(Lines::Once)).unwrap_err();
        assert_eq!(interrupted.exit_code(), 130);
        let late = over(Stopped::TimedOut, until(Lines::Once)).unwrap_err();
        assert_eq!(late.exit_code(), 1);
        assert_eq!(
            late.to_string(),
            "all that was asked for did not come within 1.5s; raise --timeout to wait longer"
        );
    }
}
