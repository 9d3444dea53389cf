//! How a connection begins and ends to follow something: the worker's table, the core's watches, and the bounds between them.
//!
//! What is followed is not known here, and neither is how events of it are written.

use std::collections::HashSet;
use std::rc::Rc;

use crate::dialects::{Splice, Wanted};
use crate::model::{Event, Failure, FailureKind, First, FollowId, Subject};
use crate::server::ws::connection::Connection;
use crate::server::ws::worker::{Begun, Telling, WatchSlot, Worker};

impl Worker {
    /// Lets a connection follow a subject; nothing changes when it does already by this id.
    pub(super) fn follow(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        subject: Subject,
        telling: Telling,
    ) -> Result<Begun, Failure> {
        let known = self.table.borrow().subjects.get(&subject).copied();
        if let Some(slot) = known
            && connection.follows.borrow().get(slot, telling.id).is_some()
        {
            return Ok(Begun::Here(slot));
        }
        self.check_room(connection, 1)?;
        let slot = match known {
            Some(slot) => slot,
            None => self.watch(subject),
        };
        if telling.first == First::Reply {
            // So that the known values are in the table before the connection gets the next event.
            self.drain();
        }
        let begun = match (known, telling.first) {
            (None, First::Events) => Begun::Coming,
            (Some(_), _) | (None, First::Reply) => Begun::Here(slot),
        };
        self.subscribe(slot, connection, telling)?;
        Ok(begun)
    }

    /// Lets a connection follow several things from one moment on. Returns what is there of them, in their order.
    pub(super) fn follow_together(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        wanted: Vec<Wanted>,
        splice: &Splice,
    ) -> Result<Vec<Event>, Failure> {
        let mut new = Vec::new();
        {
            let table = self.table.borrow();
            let follows = connection.follows.borrow();
            for (at, wanted) in wanted.iter().enumerate() {
                let known = table.subjects.get(&wanted.subject);
                if known.is_none_or(|slot| follows.get(*slot, wanted.id).is_none()) {
                    new.push(at);
                }
            }
        }
        self.check_room(connection, new.len())?;
        let slots: Vec<WatchSlot> = wanted
            .iter()
            .map(|Wanted { subject, .. }| {
                let known = self.table.borrow().subjects.get(subject).copied();
                known.unwrap_or_else(|| self.watch(subject.clone()))
            })
            .collect();
        // So that what is known is in the table before the connection gets the next event of any of them.
        self.drain();
        let subscribed = new.iter().try_for_each(|&at| {
            let Wanted { id, form, .. } = wanted[at];
            if connection.follows.borrow().get(slots[at], id).is_some() {
                return Ok(());
            }
            let telling = Telling {
                id,
                form,
                splice: splice.clone(),
                first: First::Reply,
            };
            self.subscribe(slots[at], connection, telling)
        });
        if let Err(failure) = subscribed {
            for at in new {
                self.unfollow(connection, &wanted[at].subject, wanted[at].id);
                self.end_unfollowed(slots[at]);
            }
            return Err(failure);
        }
        let mut told = HashSet::new();
        let each_once = slots.into_iter().filter(|slot| told.insert(*slot));
        Ok(each_once.flat_map(|slot| self.snapshot(slot)).collect())
    }

    /// Watches a subject that this worker does not watch yet.
    fn watch(&self, subject: Subject) -> WatchSlot {
        // The core pushes what is known into our own outlet, which takes no borrow of this table.
        let watch = self.core.follows.watch(self.outlet_id, subject.clone());
        self.table.borrow_mut().insert_watch(subject, watch)
    }

    /// Watches a subject for a connection that is about to follow it, until the watch is [released](Self::release).
    pub(super) fn hold(&self, subject: Subject) {
        let known = self.table.borrow().subjects.get(&subject).copied();
        let slot = known.unwrap_or_else(|| self.watch(subject));
        if let Some(watch) = self.table.borrow_mut().watch_mut(slot) {
            watch.held += 1;
        }
    }

    /// A connection is no longer about to follow a subject.
    pub(super) fn release(&self, subject: &Subject) {
        let slot = {
            let mut table = self.table.borrow_mut();
            let Some(&slot) = table.subjects.get(subject) else {
                return;
            };
            if let Some(watch) = table.watch_mut(slot) {
                watch.held = watch.held.saturating_sub(1);
            }
            slot
        };
        self.end_unfollowed(slot);
    }

    /// Lets a connection follow a subject that is [held](Self::hold) for it.
    pub(super) fn follow_held(
        &self,
        connection: &Rc<Connection>,
        subject: &Subject,
        telling: Telling,
    ) -> Result<(), Failure> {
        let slot = self.table.borrow().subjects.get(subject).copied();
        match slot {
            Some(slot) => self.subscribe(slot, connection, telling),
            // Cannot be: it is held.
            None => Err(Failure::new(FailureKind::Internal, "the watch is gone")),
        }
    }

    /// Adds a connection to those that follow a watch.
    fn subscribe(
        &self,
        slot: WatchSlot,
        connection: &Rc<Connection>,
        telling: Telling,
    ) -> Result<(), Failure> {
        let added = self
            .table
            .borrow_mut()
            .add_subscriber(slot, connection, telling);
        if added {
            self.metrics.bindings.increment(1);
            return Ok(());
        }
        self.end_unfollowed(slot);
        Err(Failure::new(
            FailureKind::Busy,
            "this is followed in too many different ways at the moment",
        ))
    }

    /// Ends a watch that no connection follows.
    fn end_unfollowed(&self, slot: WatchSlot) {
        let unfollowed = self.table.borrow_mut().remove_unfollowed(slot);
        if let Some(watch) = unfollowed {
            self.core.follows.unwatch(self.outlet_id, watch);
        }
    }

    /// Whether a connection may follow so many things more.
    pub(super) fn check_room(&self, connection: &Connection, more: usize) -> Result<(), Failure> {
        let max = self.settings.limits.bindings_max;
        if max > 0 && connection.follows.borrow().len() + more > max {
            return Err(Failure::new(
                FailureKind::TooLarge,
                match more {
                    1 => format!("this connection has {max} bindings, as many as it may"),
                    _ => format!(
                        "this connection would have more than {max} bindings, as many as it may"
                    ),
                },
            ));
        }
        Ok(())
    }

    /// Lets a connection no longer follow a subject; nothing happens when it does not.
    pub(super) fn unfollow(&self, connection: &Rc<Connection>, subject: &Subject, id: FollowId) {
        let ended = {
            let mut table = self.table.borrow_mut();
            let Some(&slot) = table.subjects.get(subject) else {
                return;
            };
            let follows = connection.follows.borrow();
            if follows.get(slot, id).is_none() {
                return;
            }
            if follows.of(slot).nth(1).is_none() {
                connection.outbox.borrow_mut().forget_watch(slot);
            }
            drop(follows);
            self.metrics.bindings.decrement(1);
            table.remove_subscriber(slot, id, connection)
        };
        if let Some(watch) = ended {
            self.core.follows.unwatch(self.outlet_id, watch);
        }
    }
}
