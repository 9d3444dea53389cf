//! What this process has in topics, and what it has yet to tell Redis of that: all under one lock, whether Redis is there or not.
//!
//! - What stands here is what the process wants. Entries, leaves and messages wait in one queue, so Redis gets them in the order of the calls.
//! - When the connection is lost, the queue's leaves no longer count: Redis is told afresh what the process has in each topic.
//! - The feed and the answers are called under the lock, so what is told has one order.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Weak};

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::model::{ConnectionId, Publication, TopicEntry, TopicEvent, TopicId, TopicRules};
use crate::stores::redis::limits::{
    COMMAND_DEADLINE, ENTRIES_WAITING, PUBLICATIONS_WAITING, PUBLICATIONS_WAITING_BYTES,
};
use crate::stores::redis::topics::topic::{Entering, Slot, Stage, Topic, Waiter};
use crate::stores::redis::topics::wire::{ProcessNote, TopicNote};
use crate::stores::{EnterAnswer, EnterError, TopicFeed};

/// The topics of this process.
pub(super) struct Table {
    feed: Weak<dyn TopicFeed>,
    pub(super) topics: HashMap<TopicId, Topic>,
    pub(super) queue: VecDeque<Operation>,
    /// Entries that have a deadline, by their requests, which come in the order of their deadlines.
    pub(super) waiting: BTreeMap<u64, Waiting>,
    /// Entries that were sent and are not answered by Redis.
    pub(super) sent: HashMap<u64, (TopicId, ConnectionId)>,
    /// Messages that are not sent, by their numbers.
    pub(super) publications: BTreeMap<u64, Outgoing>,
    publication_bytes: usize,
    last_number: u64,
}

/// Something to tell Redis.
#[derive(Debug)]
pub(super) enum Operation {
    /// The entry of this request, unless its deadline has passed.
    Enter {
        topic: TopicId,
        connection: ConnectionId,
        request: u64,
    },
    Leave {
        number: u64,
        topic: TopicId,
        user: Option<Arc<str>>,
    },
    /// The message of this number, unless its deadline has passed.
    Publish(u64),
    /// The topic may be of no more use.
    Settle(TopicId),
}

/// An entry with a deadline.
#[derive(Debug)]
pub(super) struct Waiting {
    deadline: Instant,
    topic: TopicId,
    connection: ConnectionId,
}

/// A message on its way to Redis.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) publication: Publication,
    pub(super) rules: TopicRules,
    deadline: Instant,
    pub(super) answer: oneshot::Sender<Published>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Published {
    /// It is on its way to all.
    Done,
    /// It was sent, and the connection was lost before the answer.
    Uncertain,
    /// It was never sent.
    NotSent,
}

impl Table {
    pub(super) fn new(feed: Weak<dyn TopicFeed>) -> Self {
        Self {
            feed,
            topics: HashMap::new(),
            queue: VecDeque::new(),
            waiting: BTreeMap::new(),
            sent: HashMap::new(),
            publications: BTreeMap::new(),
            publication_bytes: 0,
            last_number: 0,
        }
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn enter(
        &mut self,
        connection: ConnectionId,
        entry: TopicEntry,
        rules: TopicRules,
        answer: EnterAnswer,
        now: Instant,
    ) {
        let TopicEntry {
            topic: id,
            member,
            wants_last,
        } = entry;
        let waiter = Waiter {
            is_member: member.is_some(),
            wants_last,
            answer,
        };
        let request = self.next_number();
        let known = self.topics.get_mut(&id);
        if let Some(topic) = known
            && let Some(slot) = topic.slots.get_mut(&connection)
        {
            match slot {
                Slot::In { .. } => topic.answer(waiter, now),
                Slot::Entering(entering) => {
                    entering.is_leaving = false;
                    entering.wants_last |= waiter.wants_last;
                    entering.waiters.push(waiter);
                }
            }
            return;
        }
        if self.waiting.len() >= ENTRIES_WAITING {
            waiter.refuse(EnterError::Unavailable);
            return;
        }
        let topic = self.topics.entry(id.clone());
        let topic = topic.or_insert_with(|| Topic::new(rules, request));
        topic.rules = rules;
        let entering = Entering {
            request,
            member,
            wants_last,
            is_sent: false,
            is_leaving: false,
            waiters: vec![waiter],
        };
        topic.slots.insert(connection, Slot::Entering(entering));
        let waiting = Waiting {
            deadline: now + COMMAND_DEADLINE,
            topic: id.clone(),
            connection,
        };
        self.waiting.insert(request, waiting);
        self.queue.push_back(Operation::Enter {
            topic: id,
            connection,
            request,
        });
    }

    pub(super) fn leave(&mut self, id: &TopicId, connection: ConnectionId) {
        let number = self.next_number();
        let Some(topic) = self.topics.get_mut(id) else {
            return;
        };
        match topic.slots.get_mut(&connection) {
            Some(Slot::Entering(entering)) => entering.is_leaving = true,
            Some(Slot::In { .. }) => {
                let user = topic.let_out(connection);
                topic.leaves += 1;
                self.queue.push_back(Operation::Leave {
                    number,
                    topic: id.clone(),
                    user,
                });
            }
            None => {}
        }
    }

    /// Takes a message to be sent, or hands its answer back where there is no room.
    pub(super) fn publish(
        &mut self,
        publication: Publication,
        rules: TopicRules,
        answer: oneshot::Sender<Published>,
        now: Instant,
    ) -> Result<(), oneshot::Sender<Published>> {
        let bytes = size(&publication);
        let is_full = self.publications.len() >= PUBLICATIONS_WAITING
            || !self.publications.is_empty()
                && self.publication_bytes + bytes > PUBLICATIONS_WAITING_BYTES;
        if is_full {
            return Err(answer);
        }
        let number = self.next_number();
        self.publication_bytes += bytes;
        let outgoing = Outgoing {
            publication,
            rules,
            deadline: now + COMMAND_DEADLINE,
            answer,
        };
        self.publications.insert(number, outgoing);
        self.queue.push_back(Operation::Publish(number));
        Ok(())
    }

    /// Takes a message out that is to be sent.
    pub(super) fn take_publication(&mut self, number: u64) -> Option<Outgoing> {
        let outgoing = self.publications.remove(&number)?;
        self.publication_bytes -= size(&outgoing.publication);
        Some(outgoing)
    }

    /// Answers what has waited past its deadline, and says when the next deadline is.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        while let Some(first) = self.publications.first_entry()
            && first.get().deadline <= now
        {
            let number = *first.key();
            if let Some(outgoing) = self.take_publication(number) {
                // The caller may have gone, which does no harm.
                let _ = outgoing.answer.send(Published::NotSent);
            }
        }
        while let Some(first) = self.waiting.first_entry()
            && first.get().deadline <= now
        {
            let (_, waiting) = first.remove_entry();
            self.refuse(&waiting.topic, waiting.connection);
        }
        let publication = self.publications.first_key_value();
        let entry = self.waiting.first_key_value();
        let deadlines = publication.map(|(_, first)| first.deadline);
        deadlines
            .into_iter()
            .chain(entry.map(|(_, first)| first.deadline))
            .min()
    }

    /// An entry cannot be made in time. If it was sent, it leaves as soon as it is in.
    fn refuse(&mut self, id: &TopicId, connection: ConnectionId) {
        let Some(topic) = self.topics.get_mut(id) else {
            return;
        };
        let Some(Slot::Entering(entering)) = topic.slots.get_mut(&connection) else {
            return;
        };
        let waiters = std::mem::take(&mut entering.waiters);
        entering.is_leaving = true;
        if !entering.is_sent {
            self.drop_slot(id, connection);
        }
        for waiter in waiters {
            waiter.refuse(EnterError::Unavailable);
        }
    }

    /// A connection is not to come in any more.
    pub(super) fn drop_slot(&mut self, id: &TopicId, connection: ConnectionId) {
        if let Some(topic) = self.topics.get_mut(id) {
            topic.slots.remove(&connection);
            if topic.is_done() {
                self.queue.push_back(Operation::Settle(id.clone()));
            }
        }
    }

    /// The connection to Redis is lost: nothing is subscribed, and what was sent without an answer is not known to hold. Gives the topics that connections are in.
    pub(super) fn lost(&mut self) -> VecDeque<TopicId> {
        let mut again: BTreeMap<u64, (TopicId, ConnectionId)> = self.sent.drain().collect();
        again.retain(|_, (id, connection)| self.unsend(id, *connection));
        for (request, (topic, connection)) in again.into_iter().rev() {
            self.queue.push_front(Operation::Enter {
                topic,
                connection,
                request,
            });
        }
        let number = self.next_number();
        let mut occupied = VecDeque::new();
        self.topics.retain(|id, topic| {
            topic.is_subscribed = false;
            topic.leaves = 0;
            topic.counts_from = number;
            topic.stage = Stage::Unknown;
            if topic.is_occupied() {
                topic.stage = Stage::Stale;
                occupied.push_back(id.clone());
            }
            !topic.slots.is_empty()
        });
        occupied
    }

    /// Whether an entry that was sent is to be sent again.
    fn unsend(&mut self, id: &TopicId, connection: ConnectionId) -> bool {
        let Some(topic) = self.topics.get_mut(id) else {
            return false;
        };
        let Some(Slot::Entering(entering)) = topic.slots.get_mut(&connection) else {
            return false;
        };
        entering.is_sent = false;
        if !entering.is_leaving {
            return true;
        }
        self.waiting.remove(&entering.request);
        self.refuse(id, connection);
        false
    }

    /// An entry that is not sent is not made: its connection has left.
    pub(super) fn give_up(&mut self, request: u64) {
        if let Some(waiting) = self.waiting.remove(&request) {
            self.refuse(&waiting.topic, waiting.connection);
        }
    }

    /// What the process has in a topic is about to be told to Redis afresh: leaves up to here no longer count.
    pub(super) fn restoring(&mut self, id: &TopicId) -> Option<&mut Topic> {
        let number = self.next_number();
        let topic = self.topics.get_mut(id)?;
        topic.leaves = 0;
        topic.counts_from = number;
        Some(topic)
    }

    /// Takes up what was published to a topic.
    pub(super) fn take_topic_note(&mut self, id: &TopicId, note: TopicNote, now: Instant) {
        let Some(topic) = self.topics.get_mut(id) else {
            return;
        };
        let event = topic.take_note(note, now);
        if topic.is_occupied()
            && let Some(event) = event
        {
            tell(&self.feed, id, event);
        }
    }

    /// Takes up what was published to this process.
    pub(super) fn take_process_note(&mut self, note: ProcessNote, now: Instant) {
        match note {
            ProcessNote::Read {
                topic: id,
                connections,
                last,
                members,
            } => {
                let Some(topic) = self.topics.get_mut(&id) else {
                    return;
                };
                let events = topic.take_reading(connections, last, members, now);
                if topic.is_occupied() {
                    for event in events {
                        tell(&self.feed, &id, event);
                    }
                }
            }
            ProcessNote::Answer {
                request,
                is_full,
                connections,
                last,
                members,
            } => {
                let Some((id, connection)) = self.sent.remove(&request) else {
                    return;
                };
                self.waiting.remove(&request);
                let Some(topic) = self.topics.get_mut(&id) else {
                    return;
                };
                let Some(Slot::Entering(entering)) = topic.slots.remove(&connection) else {
                    return;
                };
                if is_full {
                    topic.take_members(members);
                    for waiter in entering.waiters {
                        waiter.refuse(EnterError::Full);
                    }
                    self.drop_slot(&id, connection);
                    return;
                }
                topic.take_answer(connections, last, members, entering.wants_last, now);
                topic.let_in(connection, entering.member.map(|member| member.user));
                for waiter in entering.waiters {
                    topic.answer(waiter, now);
                }
                if entering.is_leaving {
                    self.leave(&id, connection);
                }
            }
        }
    }
}

fn tell(feed: &Weak<dyn TopicFeed>, topic: &TopicId, event: TopicEvent) {
    if let Some(feed) = feed.upgrade() {
        feed.happened(topic, event);
    }
}

fn size(publication: &Publication) -> usize {
    publication.topic.as_str().len() + publication.message.as_str().len()
}
