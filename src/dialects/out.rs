//! What a dialect gives back: messages, which leave at once, and steps for the server.

use std::fmt;
use std::time::Duration;

use crate::dialects::{DialectSettings, Form, Splice, Surroundings};
use crate::model::{
    Clearance, CloseReason, ClusterConnectionId, ConnectionId, Credentials, FollowId, ProcessId,
    Request, Subject, Ticket,
};

/// What surrounds a connection: all that a dialect may know beside what the client sent.
#[derive(Clone, Copy)]
pub struct Ambient<'a> {
    /// Which connection it is. Unique on this node, also across restarts of the dialect's own counters.
    pub connection: ConnectionId,
    /// The process that serves it.
    pub process: ProcessId,
    /// The time in Unix seconds.
    pub clock: &'a dyn Fn() -> u64,
    /// A number that cannot be guessed and does not come twice.
    pub draw: &'a dyn Fn() -> u128,
    /// The clearance of the client; `None` for one that has not signed in. It can rise while the client is connected; who may do less is disconnected.
    pub level: Option<Clearance>,
    /// What the operator set.
    pub settings: &'a DialectSettings,
    /// The building around it, for dialects whose [`Profile`](crate::dialects::Profile) asks for it; for others it is empty.
    pub surroundings: &'a Surroundings,
}

impl Ambient<'_> {
    /// The connection, by a name that no other of the cluster has.
    pub fn cluster_connection(&self) -> ClusterConnectionId {
        ClusterConnectionId {
            process: self.process,
            connection: self.connection,
        }
    }
}

impl fmt::Debug for Ambient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ambient")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// One message of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

/// Takes what a dialect has to say and what is to be done.
///
/// Messages stand in the order in which they were given, and leave before what comes of the steps.
pub struct Out<'a> {
    bytes: &'a mut Vec<u8>,
    seal: fn(&mut Vec<u8>, usize),
    steps: &'a mut Vec<Step>,
}

impl<'a> Out<'a> {
    /// Appends messages to `bytes`. `seal` makes a message, in the carrier's framing, of what stands from a place on.
    pub fn new(
        bytes: &'a mut Vec<u8>,
        seal: fn(&mut Vec<u8>, usize),
        steps: &'a mut Vec<Step>,
    ) -> Self {
        Self { bytes, seal, steps }
    }

    /// Sends one text message: what `write` appends, if that is anything.
    pub fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(self.bytes);
        if self.bytes.len() > start {
            (self.seal)(self.bytes, start);
        }
    }

    /// Asks the server to do something.
    pub fn step(&mut self, step: Step) {
        self.steps.push(step);
    }
}

impl fmt::Debug for Out<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").field("steps", &self.steps).finish()
    }
}

/// What the server is to do next for a connection.
#[derive(Debug)]
pub enum Step {
    /// Ask the core. The answer goes to [`Session::reply`](crate::dialects::Session::reply) with the ticket.
    /// Form and splice belong to what is followed by it, and mean nothing for requests that follow nothing.
    Request {
        /// Which open request this is.
        ticket: Ticket,
        /// What is asked.
        request: Request,
        /// How the events that will come are written.
        form: Form,
        /// This subscriber's part of them.
        splice: Splice,
    },
    /// Follow several things at one moment. The answer is one [`Reply::Following`](crate::model::Reply::Following) with all that is there of them;
    /// no event of any of them comes before it. What the caller may not follow is left out.
    ///
    /// What is followed already by the same id is in the answer too, and nothing is added.
    Follow {
        /// Which open request this is.
        ticket: Ticket,
        /// What is to be followed.
        follows: Vec<Wanted>,
        /// This subscriber's part of the events.
        splice: Splice,
    },
    /// A request was refused before it reached the core, for the audit log. Its answer has been sent.
    Refused {
        /// What was asked, cut to a reasonable length.
        command: String,
    },
    /// Find out who shows these credentials. The outcome goes to [`Session::identified`](crate::dialects::Session::identified),
    /// and until then nothing more is read from the client. While one is under way another is passed over.
    Authenticate(Credentials),
    /// Call [`Session::alarm`](crate::dialects::Session::alarm) after this long, up to a second late. An alarm that is set again goes off once, at its new time.
    SetAlarm(Alarm, Duration),
    /// Call [`Session::confirmed`](crate::dialects::Session::confirmed) when the client has got what was put out before this step:
    /// by a websocket when it answers a ping behind it, by a carrier without pings when it is written.
    Confirm(Receipt),
    /// End the connection by this frame.
    Close(CloseFrame, CloseReason),
}

/// Something to be followed, and how its events are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which follow of the subject.
    pub id: FollowId,
    /// What is followed.
    pub subject: Subject,
    /// How its events are written.
    pub form: Form,
}

/// Which of the texts that a connection was sent the client has got. Its dialect counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Receipt(pub u32);

/// One of the alarms that a connection can set: a constant of its dialect, so each connection has few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alarm(pub u8);

/// The close frame by which a dialect ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseFrame {
    /// The code: of RFC 6455 section 7.4.1, or from 3000 to 4999.
    pub code: u16,
    /// The text, of at most 123 bytes.
    pub text: &'static str,
}
