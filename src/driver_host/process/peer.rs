//! The gateway's requests to a process, and how each finds its answer.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use driver_sdk::process::protocol::{self, Failure};
use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use super::limits::LINES_WAITING_MAX;
use crate::driver_host::CallChain;
use crate::model::{JsonText, lock};

/// What a request came to.
pub(super) type Answer = Result<JsonText, Failure>;

/// Why a request has no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestError {
    /// The driver said so.
    Refused(Failure),
    /// The process has ended, or can no longer be written to.
    Gone,
}

/// A process as one writes to it.
pub(super) struct Peer {
    outgoing: mpsc::Sender<String>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The id of the next request.
    next: u64,
    /// Whom an answer is for; there is nobody for the answers to requests that were given up.
    answers: HashMap<u64, Waiter>,
    is_over: bool,
}

/// Who waits for an answer.
struct Waiter {
    answer: oneshot::Sender<Answer>,
    /// The calls that led to this one, which is the last of them; `None` when the request is no call.
    chain: Option<CallChain>,
}

/// The lines that are to be written to a process.
pub(super) struct Outgoing(mpsc::Receiver<String>);

impl Peer {
    pub(super) fn new() -> (Arc<Self>, Outgoing) {
        let (outgoing, lines) = mpsc::channel(LINES_WAITING_MAX);
        let peer = Self {
            outgoing,
            waiting: Mutex::default(),
        };
        (Arc::new(peer), Outgoing(lines))
    }

    /// Asks the driver. Dropping the future gives the request up; one that has not been written yet never will be.
    pub(super) async fn request(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<JsonText, RequestError> {
        self.ask(method, params, None).await
    }

    /// The same for a call, with the chain that ends with it.
    pub(super) async fn call(
        &self,
        method: &str,
        params: impl Serialize,
        chain: CallChain,
    ) -> Result<JsonText, RequestError> {
        self.ask(method, params, Some(chain)).await
    }

    async fn ask(
        &self,
        method: &str,
        params: impl Serialize,
        chain: Option<CallChain>,
    ) -> Result<JsonText, RequestError> {
        let Some((given_up, answer)) = self.expect(chain) else {
            return Err(RequestError::Gone);
        };
        let line = protocol::request(given_up.id, method, params);
        let sent = self.outgoing.send(line).await;
        sent.map_err(|_| RequestError::Gone)?;
        match answer.await {
            Ok(answer) => answer.map_err(RequestError::Refused),
            Err(_) => Err(RequestError::Gone),
        }
    }

    /// Prepares for an answer.
    fn expect(&self, chain: Option<CallChain>) -> Option<(GivenUp<'_>, oneshot::Receiver<Answer>)> {
        let mut waiting = lock(&self.waiting);
        if waiting.is_over {
            return None;
        }
        waiting.next += 1;
        let id = waiting.next;
        let (sender, receiver) = oneshot::channel();
        let answer = sender;
        waiting.answers.insert(id, Waiter { answer, chain });
        Some((GivenUp { peer: self, id }, receiver))
    }

    /// Gives an answer to whom it is for. Whether the id is that of a request: one that was given up counts.
    pub(super) fn answered(&self, id: u64, answer: Answer) -> bool {
        let (known, waiter) = {
            let mut waiting = lock(&self.waiting);
            let known = (1..=waiting.next).contains(&id);
            (known, waiting.answers.remove(&id))
        };
        if let Some(waiter) = waiter {
            // Who gave it up at this moment does not want it.
            let _ = waiter.answer.send(answer);
        }
        known
    }

    /// The chain that ends with the call of this id; an empty one when that call does not wait for its answer any more.
    pub(super) fn chain_of(&self, id: u64) -> CallChain {
        let waiting = lock(&self.waiting);
        let waiter = waiting.answers.get(&id);
        waiter
            .and_then(|waiter| waiter.chain.clone())
            .unwrap_or_default()
    }

    /// The chain that ends with the only call that waits for its answer.
    ///
    /// An empty one when there is none, or several: then it is not known to which of them belongs what the driver says.
    pub(super) fn chain_of_only_call(&self) -> CallChain {
        let waiting = lock(&self.waiting);
        let mut calls = waiting.answers.values().filter_map(|it| it.chain.as_ref());
        match (calls.next(), calls.next()) {
            (Some(only), None) => only.clone(),
            (None | Some(_), _) => CallChain::default(),
        }
    }

    /// Sends the driver a line that is no request, which is made when there is room for it.
    pub(super) async fn say(&self, line: impl FnOnce() -> String) {
        // A process that cannot be written to is about to be ended.
        if let Ok(room) = self.outgoing.reserve().await {
            room.send(line());
        }
    }

    /// The process has ended: all requests fail at once.
    pub(super) fn end(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.is_over = true;
        waiting.answers.clear();
    }
}

impl Outgoing {
    /// Writes lines to the process until nobody can send any more. Returns early when the process does not take them any more.
    pub(super) async fn write_to(mut self, mut stdin: impl AsyncWrite + Unpin) {
        while let Some(line) = self.0.recv().await {
            if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
                return;
            }
        }
    }
}

/// Forgets a request that is answered or was given up.
struct GivenUp<'a> {
    peer: &'a Peer,
    id: u64,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        lock(&self.peer.waiting).answers.remove(&self.id);
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}
