//! The driver `room_logic`: the room as one.
//!
//! It switches every module of its system that can be switched, on command and, if the settings say so, by the room's bookings and by who is there.
//! It has no device: all that it does it does through other modules, which it looks up anew each time.
//!
//! - `switching` is one turn of switching the room, `occupancy` the rule when the room is switched by itself; the rule is pure and is told what time it is.
//! - `automation` follows the other modules and does what the rule says.
//! - This file has the functions.

mod automation;
mod occupancy;
mod settings;
mod switching;

use std::sync::Arc;

use driver_sdk::interfaces::Powerable;
use driver_sdk::{Context, Error, driver};
use tokio::sync::Notify;

use crate::automation::Automation;
use crate::settings::Settings;
use crate::switching::{Power, switch_room};

/// A room that is switched as one.
#[derive(Debug)]
pub struct RoomLogic {
    context: Context,
    /// Tells the automation that the room was switched on by command.
    switched_on: Arc<Notify>,
}

/// The room as one: switches all of its modules, and by itself where it follows bookings or presence.
#[driver(id = "room_logic", name = "Room", implements(Powerable, "RoomLogic"))]
impl RoomLogic {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let switched_on = Arc::new(Notify::new());
        let automation =
            Automation::new(context.clone(), &settings, Arc::clone(&switched_on)).await?;
        context.spawn(automation.run());
        Ok(Self {
            context,
            switched_on,
        })
    }
}

impl Powerable for RoomLogic {
    async fn power(&self, state: bool) -> Result<(), Error> {
        let power = Power::from(state);
        if power == Power::On {
            self.switched_on.notify_one();
        }
        switch_room(&self.context, power).await
    }
}
