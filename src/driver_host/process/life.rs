//! One process from its start to its end: it is listened to, asked whether it lives, and ended with all that it started.

use std::os::unix::process::ExitStatusExt;
use std::pin::{Pin, pin};
use std::process::ExitStatus;
use std::sync::Arc;

use driver_sdk::process::protocol::{Nothing, request};
use futures_util::FutureExt;
use futures_util::future::{FusedFuture, join};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Timings;
use super::group::ProcessGroup;
use super::launch::Launched;
use super::limits::{
    ANSWER_DEADLINE, EXIT_DEADLINE, PING_PAUSE, READY_DEADLINE, REST_DEADLINE, SECOND_LOOK,
};
use super::listener::{Listener, Silence, read_stderr};
use super::log::ModuleLog;
use super::peer::{Outgoing, Peer};
use super::requests::Requests;
use crate::driver_host::ModuleSink;

/// How a process came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// riser ordered it.
    Ordered,
    /// By itself, or because it could not go on, for this reason.
    ByItself(String),
}

/// The signs by which the two sides of a process order things.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    /// It has answered `start`: from here on it is asked whether it lives.
    pub(super) ready: CancellationToken,
    /// Its stdin is to be closed, at which it ends.
    pub(super) close: CancellationToken,
    /// It is to be killed.
    pub(super) kill: CancellationToken,
}

/// A process that runs.
pub(super) struct Life {
    pub(super) launched: Launched,
    pub(super) group: Arc<ProcessGroup>,
    pub(super) peer: Arc<Peer>,
    pub(super) outgoing: Outgoing,
    pub(super) sink: Arc<dyn ModuleSink>,
    pub(super) log: Arc<ModuleLog>,
    pub(super) orders: Orders,
    pub(super) timings: Timings,
}

/// What the end of a process began with.
enum Cause {
    Ordered,
    Exited,
    Broken(String),
}

impl Life {
    /// Keeps the process until its end, which `ended` then has.
    pub(super) async fn keep(self, ended: watch::Sender<Option<Ended>>) {
        let Self {
            launched:
                Launched {
                    mut child,
                    id: _,
                    stdin,
                    stdout,
                    stderr,
                    mut children,
                },
            group,
            peer,
            outgoing,
            sink,
            log,
            orders,
            timings,
        } = self;
        let listener = Listener {
            requests: Requests::new(Arc::clone(&peer), Arc::clone(&sink), Arc::clone(&log)),
            peer: Arc::clone(&peer),
            sink,
            log: Arc::clone(&log),
            statuses: Default::default(),
        };
        let mut listening = pin!(listener.run(stdout).fuse());
        let mut reading = pin!(read_stderr(stderr, Arc::clone(&log)).fuse());
        let closing = orders.close.clone();
        let writing = async move {
            closing.run_until_cancelled(outgoing.write_to(stdin)).await;
        };
        let mut writing = pin!(writing.fuse());
        let heart = heartbeat(&peer, &log, &orders.ready, timings);

        let cause = async {
            let exit = group.leader_ended(&mut children);
            let mut exit = pin!(exit);
            tokio::select! {
                biased;
                () = orders.kill.cancelled() => Cause::Ordered,
                () = &mut exit => Cause::Exited,
                () = orders.close.cancelled() => {
                    // It ends by itself, or is killed.
                    let _ = timeout(EXIT_DEADLINE, beside(exit, listening.as_mut())).await;
                    Cause::Ordered
                }
                silence = &mut listening => match silence {
                    Silence::TooLong(why) => Cause::Broken(why),
                    Silence::Closed => match timeout(EXIT_DEADLINE, exit).await {
                        Ok(()) => Cause::Exited,
                        Err(_) => Cause::Broken("it closed its stdout".to_owned()),
                    },
                },
                why = heart => Cause::Broken(why),
            }
        };
        let cause = beside(beside(cause, reading.as_mut()), writing.as_mut()).await;

        group.kill();
        // A process that was killed ends unless the system itself holds it.
        let status = timeout(REST_DEADLINE, child.wait()).await;
        let rest = async {
            let listened = async {
                if !listening.is_terminated() {
                    listening.await;
                }
            };
            let read = async {
                if !reading.is_terminated() {
                    reading.await;
                }
            };
            join(listened, read).await
        };
        let _ = timeout(REST_DEADLINE, beside(rest, writing)).await;
        peer.end();
        log.tell_left_out();
        let reason = match cause {
            Cause::Ordered => Ended::Ordered,
            Cause::Broken(why) => Ended::ByItself(format!("{why}, and was ended")),
            Cause::Exited => {
                let status = status.ok().and_then(Result::ok);
                let mut why = status.map_or_else(|| "it ended".to_owned(), in_words);
                if let Some(last) = log.last_of_stderr() {
                    why.push_str(&format!("; the last line of its stderr: {last}"));
                }
                Ended::ByItself(why)
            }
        };
        ended.send_replace(Some(reason));
    }
}

/// Asks again and again whether the process lives. Returns what is wrong when it does not answer.
async fn heartbeat(
    peer: &Peer,
    log: &ModuleLog,
    ready: &CancellationToken,
    timings: Timings,
) -> String {
    ready.cancelled().await;
    loop {
        // An error is an answer too. A process that is gone is noticed by its end.
        let mut answer = pin!(peer.request(request::PING, Nothing {}));
        let is_late = timeout(timings.answer, &mut answer).await.is_err();
        // When it was the gateway that stood still, the answer is in the pipe.
        if is_late && timeout(SECOND_LOOK, answer).await.is_err() {
            return format!("it answered nothing for {:?}", timings.answer);
        }
        log.tell_left_out();
        sleep(timings.pause).await;
    }
}

/// Waits for `main`, while `side` goes on.
async fn beside<T, S>(
    main: impl Future<Output = T>,
    mut side: Pin<&mut impl FusedFuture<Output = S>>,
) -> T {
    let mut main = pin!(main);
    loop {
        tokio::select! {
            biased;
            done = &mut main => return done,
            _ = &mut side, if !side.is_terminated() => {}
        }
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with the exit code {code}"),
        (None, Some(signal)) => format!("it was ended by the signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            ready: READY_DEADLINE,
            pause: PING_PAUSE,
            answer: ANSWER_DEADLINE,
        }
    }
}
