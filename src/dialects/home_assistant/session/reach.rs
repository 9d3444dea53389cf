//! What a client may see of the building: whose credentials are restricted to some systems is shown only what is in these.
//!
//! The core is asked anew for each list, since what may be reached changes with the building. What was found last says
//! whether a change of the building is told.

use std::collections::HashSet;

use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn, Waiting};
use crate::dialects::home_assistant::session::registries;
use crate::dialects::home_assistant::wire::Envelope;
use crate::model::{
    BuildingView, Clearance, Failure, Found, ModulePath, Query, Reply, Request, SystemId,
};

/// The systems that a client may reach.
#[derive(Debug)]
pub(super) enum Reach {
    /// It is not known yet.
    Unknown,
    /// All.
    Everything,
    /// These.
    Only(HashSet<SystemId>),
}

/// A question about what is in the building.
#[derive(Debug)]
pub(super) struct Question {
    /// The command.
    pub(super) id: u64,
    /// What is asked.
    pub(super) about: Listing,
}

/// What can be listed.
#[derive(Debug)]
pub(super) enum Listing {
    /// Systems, as areas.
    Areas,
    /// Zones that are levels, as floors.
    Floors,
    /// The other zones, as labels.
    Labels,
    /// Modules, as devices.
    Devices,
    /// Entities.
    Entities,
    /// Entities, in short.
    EntitiesForDisplay,
    /// One entity.
    Entity(Box<str>),
    /// What each entity is made by.
    Sources,
    /// What a target is: the texts of its fields.
    Target(Box<registries::Target>),
}

/// What a client may see.
pub(super) struct Sight<'s> {
    reach: &'s Reach,
    level: Clearance,
}

impl Sight<'_> {
    /// Whether a system may be seen.
    pub(super) fn has_system(&self, system: &SystemId) -> bool {
        match self.reach {
            Reach::Unknown => false,
            Reach::Everything => true,
            Reach::Only(systems) => systems.contains(system),
        }
    }

    /// Whether a module may be seen. Those whose name begins with `_` are for support staff.
    pub(super) fn has_module(&self, place: &ModulePath) -> bool {
        let is_open = !place.module.as_str().starts_with('_');
        (is_open || self.level >= Clearance::Support) && self.has_system(&place.system)
    }

    /// Whether a module may be seen, or it is not known yet.
    pub(super) fn may_have_module(&self, place: &ModulePath) -> bool {
        matches!(self.reach, Reach::Unknown) || self.has_module(place)
    }

    /// Whether all of the building may be seen.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.reach, Reach::Everything)
    }
}

impl Commands {
    /// What the client may see, as it was found last.
    pub(super) fn sight(&self) -> Sight<'_> {
        Sight {
            reach: &self.client.reach,
            level: self.client.level,
        }
    }

    /// Answers a question as soon as it is known what the client may see.
    pub(super) fn list(
        &mut self,
        command: &Envelope<'_>,
        about: Listing,
        turn: &mut Turn<'_>,
    ) -> Taken {
        let question = Question {
            id: command.id,
            about,
        };
        let systems = Request::Query(Query::Systems);
        self.ask(systems, Waiting::Reach(Some(Box::new(question))), turn);
        Ok(())
    }

    /// Finds out anew what the client may see.
    pub(super) fn look_again(&mut self, turn: &mut Turn<'_>) {
        self.ask(Request::Query(Query::Systems), Waiting::Reach(None), turn);
    }

    /// It is known what the client may see, or not.
    pub(super) fn reach_found(
        &mut self,
        question: Option<Box<Question>>,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        match reply {
            Ok(Reply::Found(Found::Systems(systems))) => {
                let building = &turn.ambient.surroundings.building;
                self.client.reach = reach_of(systems, building);
            }
            // A query of systems has no other success.
            Ok(
                Reply::Found(
                    Found::Modules(_)
                    | Found::Statuses(_)
                    | Found::Functions(_)
                    | Found::Snapshot(_)
                    | Found::Procedures(_),
                )
                | Reply::Following { .. }
                | Reply::Unfollowed
                | Reply::Result { .. }
                | Reply::Entered(_)
                | Reply::Left
                | Reply::Published
                | Reply::Tokens(_)
                | Reply::Messages(_)
                | Reply::Debugging(_)
                | Reply::Ignored,
            ) => {}
            Err(failure) => {
                if let Some(question) = question {
                    let id = question.id.to_string();
                    turn.frames.error(&id, &failure.into());
                }
                return;
            }
        }
        if let Some(question) = question {
            registries::answer(*question, &self.sight(), turn);
        }
    }
}

fn reach_of(systems: Vec<SystemId>, building: &BuildingView) -> Reach {
    let systems: HashSet<SystemId> = systems.into_iter().collect();
    let mut all = building.systems.iter();
    if all.all(|view| systems.contains(&view.system.id)) {
        Reach::Everything
    } else {
        Reach::Only(systems)
    }
}
