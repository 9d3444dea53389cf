//! The logs that one connection asked for and that take a moment.
//!
//! A module that is not of the building is looked up first, and named again when it is ignored.
//! The log of a module elsewhere is followed at once and answered when it is open.
//!
//! Boxed and mostly absent, since a connection that follows no such log is to stay small.

use std::cell::RefCell;

use crate::model::{Failure, ModuleAddress, ModuleId, Reply, Ticket};
use crate::server::ws::worker::Telling;

/// What was asked for, and the modules that were found.
#[derive(Debug, Default)]
pub(super) struct Debugs(RefCell<Option<Box<DebugRequests>>>);

#[derive(Debug, Default)]
struct DebugRequests {
    /// Bounded by the calls that a connection may have without an answer.
    looked_up: Vec<(Ticket, ModuleAddress, Telling)>,
    /// Bounded by the same. With each, whether it was not followed before.
    opening: Vec<(Ticket, ModuleId, bool)>,
    /// One for each target that leads to a module, so bounded by what is there.
    found: Vec<(ModuleAddress, ModuleId)>,
}

impl Debugs {
    /// A module is being looked up.
    pub(super) fn begin(&self, ticket: Ticket, target: ModuleAddress, telling: Telling) {
        let mut asked = self.0.borrow_mut();
        let asked = asked.get_or_insert_default();
        asked.looked_up.push((ticket, target, telling));
    }

    /// The log of a module is followed and not open yet. `is_new` when it was not followed before, so that it is no longer when it cannot be opened.
    pub(super) fn open(&self, ticket: Ticket, module: ModuleId, is_new: bool) {
        let mut asked = self.0.borrow_mut();
        let asked = asked.get_or_insert_default();
        asked.opening.push((ticket, module, is_new));
    }

    /// Opening a log has ended, if that was what the ticket is for.
    pub(super) fn opened(&self, ticket: Ticket) -> Option<(ModuleId, bool)> {
        let mut asked = self.0.borrow_mut();
        let asked = asked.as_mut()?;
        let mut tickets = asked.opening.iter();
        let at = tickets.position(|(open, ..)| *open == ticket)?;
        let (_, module, is_new) = asked.opening.swap_remove(at);
        Some((module, is_new))
    }

    /// Looking up has ended. Returns what the log's events need, if the ticket is that of a debug which the client has not ignored meanwhile.
    pub(super) fn found(&self, ticket: Ticket, reply: &Result<Reply, Failure>) -> Option<Telling> {
        let mut asked = self.0.borrow_mut();
        let asked = asked.as_mut()?;
        let mut tickets = asked.looked_up.iter();
        let at = tickets.position(|(open, ..)| *open == ticket)?;
        let (_, target, telling) = asked.looked_up.swap_remove(at);
        if let Ok(Reply::Debugging(module)) = reply {
            asked.found.retain(|(known, _)| *known != target);
            asked.found.push((target, module.clone()));
        }
        Some(telling)
    }

    /// A log is ignored: the module that was found, if one was. One that is still looked up is answered and not followed.
    pub(super) fn end(&self, target: &ModuleAddress) -> Option<ModuleId> {
        let mut asked = self.0.borrow_mut();
        let asked = asked.as_mut()?;
        asked
            .looked_up
            .retain(|(_, other, _)| !is_same(other, target));
        if let ModuleAddress::Id { id, .. } = target {
            asked.found.retain(|(_, module)| module != id);
        }
        let at = asked.found.iter().position(|(known, _)| known == target)?;
        Some(asked.found.swap_remove(at).1)
    }
}

/// Whether two requests name one log in one way; a system beside a module's id does not matter.
fn is_same(one: &ModuleAddress, other: &ModuleAddress) -> bool {
    match (one, other) {
        (ModuleAddress::Id { id, .. }, ModuleAddress::Id { id: other, .. }) => id == other,
        (ModuleAddress::Place(path), ModuleAddress::Place(other)) => path == other,
        (ModuleAddress::Id { .. }, ModuleAddress::Place(_))
        | (ModuleAddress::Place(_), ModuleAddress::Id { .. }) => false,
    }
}
