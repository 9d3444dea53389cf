//! The topics that connections are in, and those that they are coming into.
//!
//! A connection follows a topic from the answer to its entry on, so that no event comes before what the answer says.
//! Until then its worker watches the topic for it: what happens between the entry and the answer is in the answer, and what happens after it is not lost.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use crate::model::{Failure, FollowId, Reply, Subject, Ticket, TopicEntry, TopicId};
use crate::server::ws::connection::Connection;
use crate::server::ws::worker::{Telling, Worker};

/// The one id by which a connection follows a topic that it is in.
pub(super) const INSIDE: FollowId = FollowId(0);

/// What one connection has to do with topics. Bounded by the follows that a connection may have.
#[derive(Debug, Default)]
pub(super) struct Topics(RefCell<HashMap<TopicId, Stage>>);

#[derive(Debug)]
enum Stage {
    /// The entry has no answer yet.
    Entering(Ticket, Telling),
    /// The connection is in.
    Inside,
}

impl Topics {
    /// How many follows it is going to have more.
    fn entering(&self) -> usize {
        let topics = self.0.borrow();
        let entering = |stage: &&Stage| matches!(stage, Stage::Entering(..));
        topics.values().filter(entering).count()
    }

    /// The entry that is answered by this ticket, if the connection has not left meanwhile.
    fn entered(&self, ticket: Ticket) -> Option<(TopicId, Telling)> {
        let mut topics = self.0.borrow_mut();
        let mut all = topics.iter();
        let (topic, _) =
            all.find(|(_, stage)| matches!(stage, Stage::Entering(open, _) if *open == ticket))?;
        let topic = topic.clone();
        match topics.remove(&topic)? {
            Stage::Entering(_, telling) => Some((topic, telling)),
            Stage::Inside => None,
        }
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
        let topics = &connection.rare().topics;
        self.check_room(connection, topics.entering() + 1)?;
        match topics.0.borrow_mut().entry(entry.topic.clone()) {
            Entry::Vacant(place) => {
                self.hold(Subject::Topic(entry.topic.clone()));
                place.insert(Stage::Entering(ticket, telling));
            }
            Entry::Occupied(_) => {}
        }
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
        let topics = connection.rare_if_any().map(|rare| &rare.topics);
        let Some((topic, telling)) = topics.and_then(|topics| topics.entered(ticket)) else {
            return reply;
        };
        let subject = Subject::Topic(topic.clone());
        let answer = reply.and_then(|reply| {
            self.follow_held(connection, &subject, telling)?;
            Ok(reply)
        });
        match &answer {
            Ok(_) => {
                let topics = &connection.rare().topics;
                topics.0.borrow_mut().insert(topic, Stage::Inside);
            }
            Err(_) => self.core.topics.leave(&topic, connection.id),
        }
        self.release(&subject);
        answer
    }

    /// Lets a connection out of a topic.
    pub(super) fn leave(&self, connection: &Rc<Connection>, topic: &TopicId) {
        let topics = connection.rare_if_any().map(|rare| &rare.topics);
        let left = topics.and_then(|topics| topics.0.borrow_mut().remove(topic));
        if let Some(stage) = left {
            self.end_stay(connection, topic, &stage);
        }
    }

    /// Lets a connection that ends out of all topics.
    pub(super) fn leave_all(&self, connection: &Rc<Connection>) {
        let Some(rare) = connection.rare_if_any() else {
            return;
        };
        let topics = rare.topics.0.take();
        for (topic, stage) in topics {
            self.end_stay(connection, &topic, &stage);
        }
    }

    fn end_stay(&self, connection: &Rc<Connection>, topic: &TopicId, stage: &Stage) {
        let subject = Subject::Topic(topic.clone());
        match stage {
            Stage::Entering(..) => self.release(&subject),
            Stage::Inside => self.unfollow(connection, &subject, INSIDE),
        }
        self.core.topics.leave(topic, connection.id);
    }
}
