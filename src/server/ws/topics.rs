//! The topics that connections are in, and those that they are coming into.
//!
//! A connection follows a topic from the answer to its entry on, so that no event comes before what the answer says.
//! Until then its worker watches the topic for it: what happens between the entry and the answer is in the answer, and what happens after it is not lost.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use crate::model::{Failure, FollowId, Reply, Subject, Ticket, TopicEntry, TopicId};
use crate::server::ws::connection::Connection;
use crate::server::ws::worker::{Telling, Worker};

/// The one id by which a connection follows a topic that it is in.
pub(super) const INSIDE: FollowId = FollowId(0);

/// What one connection has to do with topics. Bounded by the follows that a connection may have.
#[derive(Debug, Default)]
pub(super) struct Topics(RefCell<Stays>);

#[derive(Debug, Default)]
struct Stays {
    /// Those that it is in.
    inside: HashSet<TopicId>,
    /// Those whose entry has no answer yet: few at a time, since entries are answered at once or in a round trip.
    /// The memory goes with the last of them, since a list that had one has room for four.
    entering: Vec<Entering>,
}

/// An entry without an answer.
#[derive(Debug)]
struct Entering {
    ticket: Ticket,
    topic: TopicId,
    telling: Telling,
}

impl Stays {
    /// The entry that is answered by this ticket, if the connection has not left meanwhile.
    fn entered(&mut self, ticket: Ticket) -> Option<Entering> {
        let mut entering = self.entering.iter();
        let at = entering.position(|entering| entering.ticket == ticket)?;
        Some(self.take(at))
    }

    /// Takes out an entry that is answered, or is not wanted any more.
    fn take(&mut self, at: usize) -> Entering {
        let entering = self.entering.swap_remove(at);
        if self.entering.is_empty() {
            self.entering = Vec::new();
        }
        entering
    }

    /// Whether it is in a topic or comes into it.
    fn has(&self, topic: &TopicId) -> bool {
        let mut entering = self.entering.iter();
        self.inside.contains(topic) || entering.any(|entering| entering.topic == *topic)
    }
}

impl Worker {
    /// Lets a connection into a topic. The answer comes through the outlet.
    pub(super) fn enter(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        entry: TopicEntry,
        telling: Telling,
    ) -> Result<(), Failure> {
        let mut stays = connection.rare().topics.0.borrow_mut();
        self.check_room(connection, stays.entering.len() + 1)?;
        if !stays.has(&entry.topic) {
            let topic = entry.topic.clone();
            self.hold(Subject::Topic(topic.clone()));
            stays.entering.push(Entering {
                ticket,
                topic,
                telling,
            });
        }
        drop(stays);
        let slot = self.open_slot(connection, ticket);
        self.core.topics.enter(connection.id, entry, slot);
        Ok(())
    }

    /// An entry has its answer: from here on the connection gets what happens. Returns what to say; nothing is changed for other tickets.
    pub(super) fn entered(
        &self,
        connection: &Rc<Connection>,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        let stays = connection.rare_if_any().map(|rare| &rare.topics.0);
        let entering = stays.and_then(|stays| stays.borrow_mut().entered(ticket));
        let Some(Entering { topic, telling, .. }) = entering else {
            return reply;
        };
        let subject = Subject::Topic(topic.clone());
        let answer = reply.and_then(|reply| {
            self.follow_held(connection, &subject, telling)?;
            Ok(reply)
        });
        match &answer {
            Ok(_) => {
                let stays = &connection.rare().topics.0;
                stays.borrow_mut().inside.insert(topic);
            }
            Err(_) => self.core.topics.leave(&topic, connection.id),
        }
        self.release(&subject);
        answer
    }

    /// Lets a connection out of a topic.
    pub(super) fn leave(&self, connection: &Rc<Connection>, topic: &TopicId) {
        let Some(rare) = connection.rare_if_any() else {
            return;
        };
        let mut stays = rare.topics.0.borrow_mut();
        let was_inside = stays.inside.remove(topic);
        let mut entering = stays.entering.iter();
        let entering = entering.position(|entering| entering.topic == *topic);
        if let Some(at) = entering {
            stays.take(at);
        }
        drop(stays);
        if was_inside {
            self.end_stay(connection, topic);
        } else if entering.is_some() {
            self.end_entering(connection, topic);
        }
    }

    /// Lets a connection that ends out of all topics.
    pub(super) fn leave_all(&self, connection: &Rc<Connection>) {
        let Some(rare) = connection.rare_if_any() else {
            return;
        };
        let Stays { inside, entering } = rare.topics.0.take();
        for topic in &inside {
            self.end_stay(connection, topic);
        }
        for Entering { topic, .. } in &entering {
            self.end_entering(connection, topic);
        }
    }

    fn end_stay(&self, connection: &Rc<Connection>, topic: &TopicId) {
        self.unfollow(connection, &Subject::Topic(topic.clone()), INSIDE);
        self.core.topics.leave(topic, connection.id);
    }

    fn end_entering(&self, connection: &Connection, topic: &TopicId) {
        self.release(&Subject::Topic(topic.clone()));
        self.core.topics.leave(topic, connection.id);
    }
}
