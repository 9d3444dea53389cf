//! What an event that a server sends to a channel is: a message, an announcement on the bus, a call, or nothing that can be sent there.

use crate::dialects::pusher::rest::ApiRefusal;
use crate::dialects::pusher::room::{NoRoom, Room};
use crate::model::{BuildingView, SystemId};

/// What an event in a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A message for those in it.
    Channel,
    /// An announcement on the bus.
    Bus,
    /// A call in this system.
    Control(SystemId),
}

impl Target {
    /// What an event in the channel of this name is.
    pub(super) fn of(name: &str, building: &BuildingView) -> Result<Self, ApiRefusal> {
        match Room::named(name, building) {
            None | Some(Ok(Room::People(_))) => Ok(Self::Channel),
            Some(Ok(Room::Events)) => Ok(Self::Bus),
            Some(Ok(Room::Control(system))) => Ok(Self::Control(system)),
            Some(Ok(
                Room::Status(_)
                | Room::PublicStatus(_)
                | Room::Module(_)
                | Room::System(_)
                | Room::Log(_)
                | Room::Triggers(_),
            )) => Err(ApiRefusal::bad(
                "This channel shows what happens in a room; nothing can be sent to it",
            )),
            Some(Err(NoRoom)) => Err(ApiRefusal::bad(
                "The channel's name begins as that of a room, and no room has it",
            )),
        }
    }
}
