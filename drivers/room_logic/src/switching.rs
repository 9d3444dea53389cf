//! One turn of switching the room: which modules it concerns, and what each is told.
//!
//! The modules are looked up at the beginning of each turn. A module that fails keeps no other from being switched, and nothing is tried twice.

use driver_sdk::{Context, Error, ModuleDescription, ModuleRef};
use futures_util::future::join;
use futures_util::stream::{self, StreamExt};

/// The name by which the logic of a room is told from the modules that it switches: two of them would switch each other in circles.
pub(crate) const LOGIC: &str = "RoomLogic";

/// Modules that are switched at a time. Far more than a room has; past it the others come when one of these has answered.
const AT_ONCE: usize = 64;

/// How a room is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    On,
    Off,
}

impl From<bool> for Power {
    fn from(state: bool) -> Self {
        match state {
            true => Self::On,
            false => Self::Off,
        }
    }
}

/// Whether a module is of those that the room is made of: it has `power(state)`, and is no logic of the room itself.
pub(crate) fn is_switched(module: &ModuleDescription) -> bool {
    takes(module, "power", 1)
}

/// Switches every module of the room, and wakes those that can be woken when it goes on. What failed is named in the error.
pub(crate) async fn switch_room(context: &Context, power: Power) -> Result<(), Error> {
    let room = context.system();
    let described = room.describe().await?;
    let turns = described.modules.iter().filter_map(|module| {
        let wakes = power == Power::On && takes(module, "wake", 0);
        let switches = is_switched(module);
        let target = || room.at(module.slot.clone());
        (wakes || switches).then(|| switch(target(), wakes, switches.then_some(power)))
    });
    let turns: Vec<_> = turns.collect();
    let count = turns.len();
    let ends: Vec<Vec<Error>> = stream::iter(turns).buffered(AT_ONCE).collect().await;
    let failed: Vec<&Vec<Error>> = ends.iter().filter(|errors| !errors.is_empty()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let messages: Vec<&str> = failed
        .iter()
        .copied()
        .flatten()
        .map(Error::message)
        .collect();
    Err(Error::new(format_args!(
        "{} of {count} modules could not be switched: {}",
        failed.len(),
        messages.join("; ")
    )))
}

/// Tells one module. Both calls are on their way at once, so that they arrive in this order.
async fn switch(module: ModuleRef, wakes: bool, power: Option<Power>) -> Vec<Error> {
    let wake = wakes.then(|| module.call("wake", ()));
    let power = power.map(|power| module.call("power", (power == Power::On,)));
    let done = |call: Option<driver_sdk::Calling>| async move {
        match call {
            Some(call) => call.await.err(),
            None => None,
        }
    };
    let (wake, power) = join(done(wake), done(power)).await;
    wake.into_iter().chain(power).collect()
}

/// Whether a module has a function that can be called with so many arguments, and is no logic of the room itself.
fn takes(module: &ModuleDescription, function: &str, arguments: usize) -> bool {
    let Some(interface) = &module.interface else {
        return false;
    };
    if interface.implements.iter().any(|name| name == LOGIC) {
        return false;
    }
    interface.functions.get(function).is_some_and(|function| {
        let parameters = &function.parameters;
        let rest = parameters.get(arguments..);
        rest.is_some_and(|rest| rest.iter().all(|parameter| parameter.default.is_some()))
    })
}
