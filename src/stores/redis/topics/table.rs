//! What this process has in topics, and what it has yet to tell Redis of that: all under one lock, whether Redis is there or not.
//!
//! - What stands here is what the process wants. Entries, leaves and messages wait in one queue, so Redis gets them in the order of the calls.
//! - When the connection is lost, the queue is emptied. On the next one Redis is told afresh what the process has in each topic, and then what waits.
//! - The feed and the answers are called under the lock, so what is told has one order.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Weak};

use tokio::time::Instant;

use crate::model::{ConnectionId, TopicEntry, TopicEvent, TopicId, TopicRules};
use crate::stores::redis::limits::{COMMAND_DEADLINE, ENTRIES_WAITING};
use crate::stores::redis::topics::publications::{Outgoing, Publications};
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
    /// Messages that are not sent.
    pub(super) publications: Publications,
    /// Whether operations are sent at the moment. While they are not, the queue is empty.
    is_connected: bool,
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

impl Table {
    pub(super) fn new(feed: Weak<dyn TopicFeed>) -> Self {
        Self {
            feed,
            topics: HashMap::new(),
            queue: VecDeque::new(),
            waiting: BTreeMap::new(),
            sent: HashMap::new(),
            publications: Publications::default(),
            is_connected: false,
            last_number: 0,
        }
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn push(&mut self, operation: Operation) {
        if self.is_connected {
            self.queue.push_back(operation);
        }
    }

    /// A topic may be of no more use.
    fn settle(&mut self, id: &TopicId) {
        if !self.topics.get(id).is_some_and(Topic::is_done) {
            return;
        }
        if self.is_connected {
            self.queue.push_back(Operation::Settle(id.clone()));
        } else {
            self.topics.remove(id);
        }
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
        self.push(Operation::Enter {
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
                if self.is_connected {
                    topic.leaves += 1;
                    self.queue.push_back(Operation::Leave {
                        number,
                        topic: id.clone(),
                        user,
                    });
                } else {
                    self.settle(id);
                }
            }
            None => {}
        }
    }

    /// Takes a message to be sent, or refuses it where there is no room.
    pub(super) fn publish(&mut self, outgoing: Outgoing) {
        let number = self.next_number();
        if self.publications.add(number, outgoing) {
            self.push(Operation::Publish(number));
        }
    }

    /// Answers what has waited past its deadline, and says when the next deadline is.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        let of_messages = self.publications.expire(now);
        while let Some(first) = self.waiting.first_entry()
            && first.get().deadline <= now
        {
            let (_, waiting) = first.remove_entry();
            self.refuse(&waiting.topic, waiting.connection);
        }
        let of_entries = self.waiting.first_key_value();
        let of_entries = of_entries.map(|(_, first)| first.deadline);
        of_messages.into_iter().chain(of_entries).min()
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
        }
        self.settle(id);
    }

    /// The connection to Redis is lost: what was sent without an answer is not known to hold.
    pub(super) fn lost(&mut self) {
        self.is_connected = false;
        self.queue.clear();
        let sent: Vec<_> = self.sent.drain().collect();
        for (request, (id, connection)) in sent {
            self.unsend(request, &id, connection);
        }
        self.topics.retain(|_, topic| {
            topic.leaves = 0;
            !topic.slots.is_empty()
        });
    }

    /// There is another connection: what waits is to be sent by it, behind what this process has in topics. Gives the topics that it has something in.
    pub(super) fn connected(&mut self) -> VecDeque<TopicId> {
        self.is_connected = true;
        let mut waiting: BTreeMap<u64, Operation> = BTreeMap::new();
        for number in self.publications.numbers() {
            waiting.insert(number, Operation::Publish(number));
        }
        for (&request, entry) in &self.waiting {
            let enter = Operation::Enter {
                topic: entry.topic.clone(),
                connection: entry.connection,
                request,
            };
            waiting.insert(request, enter);
        }
        self.queue = waiting.into_values().collect();
        let mut occupied = VecDeque::new();
        for (id, topic) in &mut self.topics {
            topic.is_subscribed = false;
            topic.stage = Stage::Unknown;
            if topic.is_occupied() {
                topic.stage = Stage::Stale;
                occupied.push_back(id.clone());
            }
        }
        occupied
    }

    /// An entry that was sent is to be sent again, unless its connection has left.
    fn unsend(&mut self, request: u64, id: &TopicId, connection: ConnectionId) {
        let topic = self.topics.get_mut(id);
        let slot = topic.and_then(|topic| topic.slots.get_mut(&connection));
        if let Some(Slot::Entering(entering)) = slot {
            entering.is_sent = false;
            if entering.is_leaving {
                self.waiting.remove(&request);
                self.refuse(id, connection);
            }
        }
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
