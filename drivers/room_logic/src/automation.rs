//! Follows the modules of the room: what switches it by itself, and whether any of it is on.
//!
//! One task has all of it. Statuses are followed by place; which modules there are to follow is looked up when the room has others.

use std::collections::HashSet;
use std::future::{pending, poll_fn};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Poll;

use driver_sdk::interfaces::Powerable;
use driver_sdk::{
    BoxFuture, Context, Error, Follow, ModuleDescription, ModuleRef, ModuleSlot, Status, info, warn,
};
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::RoomLogic;
use crate::occupancy::Occupancy;
use crate::settings::Settings;
use crate::switching::{Power, is_switched, switch_room};

/// Whether the room's calendar says that a meeting is on.
const BOOKED: Status<bool> = Status::new("booked");

/// What keeps the room as its settings say.
pub(crate) struct Automation {
    context: Context,
    occupancy: Occupancy,
    /// What switches the room, in the order in which the rule knows it.
    sources: Vec<Follow<Option<bool>>>,
    /// The modules that are switched.
    switched: Vec<Switched>,
    /// Tells when the room has other modules.
    modules: Follow<()>,
    switched_on: Arc<Notify>,
    /// The turn that is under way. One at a time, however fast a sensor changes its mind.
    turn: Option<BoxFuture<'static, ()>>,
    /// How the room is to be switched after it: the latest wish alone.
    next: Option<Power>,
}

/// A module that is switched.
struct Switched {
    module: ModuleSlot,
    power: Follow<Option<bool>>,
    /// `None` before it has said whether it is on.
    is_on: Option<bool>,
}

/// What the automation waits for.
enum Happened {
    OtherModules,
    /// A module says whether it is on.
    ModulePower(Found),
    /// A source says something.
    Source(usize, bool),
    SwitchedOn,
    TurnEnded,
    TimeToGoOff,
    /// This module is ending.
    Over,
}

/// How a module came to be as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It is on, and it had not said anything before.
    On,
    /// It has changed, or is off.
    Otherwise,
}

impl Automation {
    pub(crate) async fn new(
        context: Context,
        settings: &Settings,
        switched_on: Arc<Notify>,
    ) -> Result<Self, Error> {
        let room = context.system();
        let mut sources = Vec::new();
        if settings.follow_bookings {
            sources.push(room.get("Bookings", 1)?.follow(&BOOKED)?);
        }
        for path in &settings.presence {
            sources.push(room.at(path.module.clone()).follow(&path.status)?);
        }
        let off_after = settings.off_after_seconds.duration();
        let mut automation = Self {
            occupancy: Occupancy::new(sources.len(), off_after),
            sources,
            switched: Vec::new(),
            modules: room.follow_modules()?,
            context,
            switched_on,
            turn: None,
            next: None,
        };
        automation.look_around().await;
        automation.publish();
        Ok(automation)
    }

    /// Keeps the room until its module ends.
    pub(crate) async fn run(mut self) {
        loop {
            let happened = self.happens().await;
            if self.handle(happened).await.is_break() {
                return;
            }
        }
    }

    async fn happens(&mut self) -> Happened {
        // Each arm is cancel-safe: what is followed is only taken by the arm that is chosen.
        tokio::select! {
            told = self.modules.next() => match told {
                Some(()) => Happened::OtherModules,
                None => Happened::Over,
            },
            found = next_power(&mut self.switched) => Happened::ModulePower(found),
            (source, is_true) = next_source(&mut self.sources) => Happened::Source(source, is_true),
            () = self.switched_on.notified() => Happened::SwitchedOn,
            () = end_of(&mut self.turn) => Happened::TurnEnded,
            () = moment(self.occupancy.off_at()) => Happened::TimeToGoOff,
        }
    }

    /// Does what is to be done about it, and says whether the automation goes on.
    async fn handle(&mut self, happened: Happened) -> ControlFlow<()> {
        match happened {
            Happened::OtherModules => {
                self.look_around().await;
                self.publish();
            }
            Happened::ModulePower(found) => {
                if found == Found::On {
                    self.occupancy.is_on(Instant::now());
                }
                self.publish();
            }
            Happened::Source(source, is_true) => {
                let power = self.occupancy.report(source, is_true, Instant::now());
                self.next = power.or(self.next);
                // Whoever came while a turn was under way has gone again.
                if self.next == Some(Power::On) && !self.occupancy.is_in_use() {
                    self.next = None;
                }
            }
            Happened::SwitchedOn => self.occupancy.is_on(Instant::now()),
            Happened::TurnEnded => self.turn = None,
            Happened::TimeToGoOff => self.next = Some(self.occupancy.pass()),
            Happened::Over => return ControlFlow::Break(()),
        }
        if self.turn.is_none() {
            self.turn = self.next.take().map(|power| turn(&self.context, power));
        }
        ControlFlow::Continue(())
    }

    /// Follows the modules that are switched, and those alone.
    async fn look_around(&mut self) {
        let room = self.context.system();
        // Without a system there is nothing to switch.
        let modules = room.describe().await.map(|system| system.modules);
        let modules = modules.unwrap_or_default().into_iter();
        let switched = modules.filter(is_switched);
        let mut now: HashSet<ModuleSlot> = switched
            .map(|ModuleDescription { slot, .. }| slot)
            .collect();
        self.switched.retain(|known| now.remove(&known.module));
        for module in now {
            match room.at(module.clone()).follow(&ModuleRef::POWER) {
                Ok(power) => self.switched.push(Switched {
                    module,
                    power,
                    is_on: None,
                }),
                Err(error) => warn!(self.context, "{module} is not followed: {error}"),
            }
        }
    }

    fn publish(&self) {
        let is_on = self
            .switched
            .iter()
            .any(|module| module.is_on == Some(true));
        self.context.set(&RoomLogic::POWER, &is_on);
    }
}

/// Switches the room by itself.
fn turn(context: &Context, power: Power) -> BoxFuture<'static, ()> {
    let context = context.clone();
    Box::pin(async move {
        match power {
            Power::On => info!(context, "the room is in use and goes on"),
            Power::Off => info!(context, "the room is not in use and goes off"),
        }
        if let Err(error) = switch_room(&context, power).await {
            warn!(context, "{error}");
        }
    })
}

/// Waits for what a module says of its power. Each gets its turn, however much another says.
async fn next_power(switched: &mut [Switched]) -> Found {
    poll_fn(|task| {
        let mut said = Poll::Pending;
        for module in &mut *switched {
            if let Poll::Ready(Some(is_on)) = module.power.poll_next_unpin(task) {
                let found_on = module.is_on.is_none() && is_on == Some(true);
                module.is_on = is_on;
                said = match (said, found_on) {
                    (Poll::Ready(Found::On), _) | (_, true) => Poll::Ready(Found::On),
                    (_, false) => Poll::Ready(Found::Otherwise),
                };
            }
        }
        said
    })
    .await
}

/// Waits for what a source says: its place in the list, and whether it is true.
async fn next_source(sources: &mut [Follow<Option<bool>>]) -> (usize, bool) {
    poll_fn(|task| {
        for (index, source) in sources.iter_mut().enumerate() {
            if let Poll::Ready(Some(value)) = source.poll_next_unpin(task) {
                return Poll::Ready((index, value == Some(true)));
            }
        }
        Poll::Pending
    })
    .await
}

async fn end_of(turn: &mut Option<BoxFuture<'static, ()>>) {
    match turn {
        Some(turn) => turn.await,
        None => pending().await,
    }
}

async fn moment(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
