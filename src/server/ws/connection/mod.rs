//! One client's connection: it reads, asks its dialect what that means, and does it.
//!
//! Its task is for input only. Messages to the client go into the outbox, in the order in which they came,
//! and the worker's flusher writes it. So a slow exec delays nothing behind it, and a bind's success stands before its first value.
//!
//! This file has the connection's state and what its task waits for.
//!
//! - `input` reads what the client sends.
//! - `dialogue` asks the dialect what that means, and sends what it says.
//! - `dispatch` does what the dialect decided.
//! - `identity` finds out who the client is.
//! - `open_arguments` counts what its calls hold.
//! - `receipts` knows what the client has got.
//! - `closing` ends the connection.

mod closing;
mod dialogue;
mod dispatch;
mod identity;
mod input;
mod open_arguments;
mod receipts;

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::io;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use crate::dialects::{Carrier, DialectKind, Session};
use crate::model::{CloseReason, ConnectionId, Ticket};
use crate::server::admission::Permit;
use crate::server::limits::{OPEN_ARGUMENTS_MAX_BYTES, OPEN_EXECS_MAX, READ_PAUSE_BYTES};
use crate::server::ws::debugs::Debugs;
use crate::server::ws::follows::Follows;
use crate::server::ws::outbox::Outbox;
use crate::server::ws::topics::Topics;
use crate::server::ws::wire::Wire;

pub(super) use dialogue::{Beginning, begin};
pub(super) use identity::Identity;
pub(super) use input::run;

use open_arguments::OpenArguments;
use receipts::Receipts;

/// One client's connection, as the worker's table and the flusher see it.
pub(in crate::server::ws) struct Connection {
    pub(in crate::server::ws) id: ConnectionId,
    pub(in crate::server::ws) wire: Wire,
    pub(in crate::server::ws) kind: DialectKind,
    pub(in crate::server::ws) carrier: Carrier,
    pub(in crate::server::ws) outbox: RefCell<Outbox>,
    pub(in crate::server::ws) follows: RefCell<Follows>,
    /// It is in the worker's list of connections with something to write.
    pub(in crate::server::ws) dirty: Cell<bool>,
    /// The kernel took nothing; a task waits until it does.
    pub(in crate::server::ws) blocked: Cell<bool>,
    pub(in crate::server::ws) began: Instant,
    pub(in crate::server::ws) last_inbound: Cell<Instant>,
    /// Signs of life that were sent: protocol pings since the last inbound frame, and the dialect's own since the start.
    pub(in crate::server::ws) pings: Cell<u32>,
    pub(in crate::server::ws) pongs: Cell<u32>,
    /// Changed by the outcome of an `Authenticate` alone, never while a step is performed.
    pub(in crate::server::ws) identity: RefCell<Identity>,
    /// Who shows the credentials that the client sent is being found out: it is not read further until then.
    identifying: Cell<bool>,
    session: RefCell<Session>,
    phase: Cell<ConnectionPhase>,
    open_execs: Cell<u32>,
    rare: Rare,
    /// The second in which requests are counted, and how many there were, for the limit on their rate.
    requests: Cell<(u32, u32)>,
    /// The input task, while it waits.
    input: RefCell<Option<Waker>>,
    /// What the input task waits for is room, in the outbox or among the open calls, or to know the client.
    awaits_room: Cell<bool>,
    /// Its place among the connections that there may be, until both sides have said goodbye.
    permit: RefCell<Option<Permit>>,
}

/// What few connections have, boxed at its first use so that the others stay small.
#[derive(Debug, Default)]
struct Rare(OnceCell<Box<RareState>>);

#[derive(Debug, Default)]
pub(in crate::server::ws) struct RareState {
    open_arguments: OpenArguments,
    /// Logs of modules that only the store of several nodes may know.
    debugs: Debugs,
    pub(in crate::server::ws) topics: Topics,
    receipts: Receipts,
}

impl Rare {
    fn get(&self) -> Option<&RareState> {
        self.0.get().map(|state| &**state)
    }

    fn make(&self) -> &RareState {
        self.0.get_or_init(Box::default)
    }
}

/// Where a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionPhase {
    Open,
    /// A close frame is in the outbox.
    Closing(CloseReason),
    /// The stream has failed or ended.
    Lost,
}

/// Why the input task goes on.
enum Turn {
    Readable,
    Over(CloseReason),
}

impl Connection {
    pub(in crate::server::ws) fn new(
        id: ConnectionId,
        wire: Wire,
        carrier: Carrier,
        identity: Identity,
        session: Session,
        permit: Permit,
    ) -> Self {
        let now = Instant::now();
        Self {
            id,
            wire,
            kind: session.kind(),
            carrier,
            outbox: RefCell::default(),
            follows: RefCell::default(),
            dirty: Cell::new(false),
            blocked: Cell::new(false),
            began: now,
            last_inbound: Cell::new(now),
            pings: Cell::new(0),
            pongs: Cell::new(0),
            identity: RefCell::new(identity),
            identifying: Cell::new(false),
            session: RefCell::new(session),
            phase: Cell::new(ConnectionPhase::Open),
            open_execs: Cell::new(0),
            rare: Rare::default(),
            requests: Cell::new((0, 0)),
            input: RefCell::default(),
            awaits_room: Cell::new(false),
            permit: RefCell::new(Some(permit)),
        }
    }

    /// What few connections have.
    pub(in crate::server::ws) fn rare(&self) -> &RareState {
        self.rare.make()
    }

    /// The same, where this one has any of it.
    pub(in crate::server::ws) fn rare_if_any(&self) -> Option<&RareState> {
        self.rare.get()
    }

    /// Whether the connection still gets anything but its end.
    pub(in crate::server::ws) fn is_open(&self) -> bool {
        self.phase.get() == ConnectionPhase::Open
    }

    /// Whether the stream can still be written.
    pub(in crate::server::ws) fn is_lost(&self) -> bool {
        self.phase.get() == ConnectionPhase::Lost
    }

    /// The stream has failed.
    pub(in crate::server::ws) fn lose(&self) {
        self.phase.set(ConnectionPhase::Lost);
        self.wake_input();
    }

    /// A call of this connection has its answer.
    pub(in crate::server::ws) fn exec_answered(&self, ticket: Ticket) {
        self.open_execs.update(|open| open.saturating_sub(1));
        if let Some(rare) = self.rare.get() {
            rare.open_arguments.end(ticket);
        }
        self.made_room();
    }

    /// Calls were answered or bytes were written: the input task goes on if that is what it waits for.
    pub(in crate::server::ws) fn made_room(&self) {
        if self.awaits_room.get() {
            self.wake_input();
        }
    }

    /// Lets the input task look again.
    fn wake_input(&self) {
        if let Some(waker) = self.input.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether the client has as much unanswered or unread as it may: then it is not read further.
    fn is_paused(&self) -> bool {
        self.identifying.get()
            || self.open_execs.get() >= OPEN_EXECS_MAX
            || self
                .rare
                .get()
                .is_some_and(|rare| rare.open_arguments.bytes() >= OPEN_ARGUMENTS_MAX_BYTES)
            || self.outbox.borrow().backlog() > READ_PAUSE_BYTES
    }

    fn poll_turn(&self, cx: &mut Context<'_>, rest: &[u8]) -> Poll<Turn> {
        match self.phase.get() {
            ConnectionPhase::Open => {}
            ConnectionPhase::Closing(reason) => return Poll::Ready(Turn::Over(reason)),
            ConnectionPhase::Lost => return Poll::Ready(Turn::Over(CloseReason::ConnectionLost)),
        }
        self.remember(cx.waker());
        self.awaits_room.set(self.is_paused());
        if self.awaits_room.get() {
            return Poll::Pending;
        }
        if !rest.is_empty() {
            return Poll::Ready(Turn::Readable);
        }
        self.wire.poll_readable(cx).map(|ready| match ready {
            Ok(()) => Turn::Readable,
            Err(_) => Turn::Over(CloseReason::ConnectionLost),
        })
    }

    /// Waits until the outbox has been written.
    fn poll_written(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.remember(cx.waker());
        self.awaits_room.set(true);
        if self.is_lost() || self.outbox.borrow().is_idle() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Waits for input, whatever the client owes.
    fn poll_input(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.remember(cx.waker());
        if self.is_lost() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.wire.poll_readable(cx)
    }

    fn remember(&self, waker: &Waker) {
        let mut input = self.input.borrow_mut();
        if !input.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *input = Some(waker.clone());
        }
    }

    /// Counts a request against the limit on their rate; `false` when it is one too many.
    fn admits_request(&self, per_second: u32) -> bool {
        if per_second == 0 {
            return true;
        }
        // Enough for a century; past it the requests of a connection are counted together.
        let second = u32::try_from(self.began.elapsed().as_secs()).unwrap_or(u32::MAX);
        let (counted, requests) = self.requests.get();
        let requests = if counted == second { requests + 1 } else { 1 };
        self.requests.set((second, requests));
        requests <= per_second
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
