//! The state of one connection.

use crate::dialects::{Alarm, Ambient, Incoming, Out, Shown, Surroundings};
use crate::model::{Event, Failure, FollowId, Reply, Ticket};

/// One connection's state.
#[derive(Debug)]
pub struct Session;

impl Session {
    /// Asks the client to sign in.
    pub fn open(_: super::Hello, _: &Ambient<'_>, _: &mut Out<'_>) -> Self {
        Self
    }

    /// Takes one message.
    pub fn receive(&mut self, _: Incoming<'_>, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Takes the outcome of the sign-in.
    pub fn identified(&mut self, _: Shown<'_>, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Takes an event of what the session follows itself.
    pub fn event(&mut self, _: FollowId, _: &Event, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// The building around it has changed.
    pub fn looked_around(&mut self, _: &Surroundings, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// The time of an alarm has come.
    pub fn alarm(&mut self, _: Alarm, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Answers one request.
    pub fn reply(
        &mut self,
        _: Ticket,
        _: Result<Reply, Failure>,
        _: &Ambient<'_>,
        _: &mut Out<'_>,
    ) {
    }
}
