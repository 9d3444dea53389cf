//! One topic as this process knows it: its own connections in it, and a copy of who is in it on all nodes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::time::Instant;

use crate::model::{ConnectionId, Entered, JsonText, Member, TopicEvent, TopicRules};
use crate::stores::limits::KEPT_FOR;
use crate::stores::redis::topics::wire::{KeptMessage, TopicNote};
use crate::stores::{EnterAnswer, EnterError};

/// A topic that a connection of this process is in, or is about to be.
pub(super) struct Topic {
    pub(super) slots: HashMap<ConnectionId, Slot>,
    /// How many of them are in.
    inside: usize,
    /// Leaves that are not sent yet and count.
    pub(super) leaves: usize,
    /// Leaves of lower numbers no longer count: Redis was told since what this process has in the topic.
    pub(super) counts_from: u64,
    pub(super) rules: TopicRules,
    pub(super) is_subscribed: bool,
    pub(super) stage: Stage,
    replica: Replica,
}

/// A connection's place in a topic.
pub(super) enum Slot {
    Entering(Entering),
    In { user: Option<Arc<str>> },
}

/// A connection that is about to come in.
pub(super) struct Entering {
    pub(super) request: u64,
    pub(super) member: Option<Member>,
    pub(super) wants_last: bool,
    pub(super) is_sent: bool,
    /// It goes as soon as it is in.
    pub(super) is_leaving: bool,
    pub(super) waiters: Vec<Waiter>,
}

/// An entry that waits for its answer.
pub(super) struct Waiter {
    pub(super) is_member: bool,
    pub(super) wants_last: bool,
    pub(super) answer: EnterAnswer,
}

/// How well the copy is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not at all.
    Unknown,
    /// It comes with the first answer.
    AskedFor,
    /// The connection was lost since. It is read again.
    Stale,
    /// It is kept true by what is published.
    Live,
}

/// A copy of what Redis has of a topic.
#[derive(Debug, Default)]
struct Replica {
    members: BTreeMap<Arc<str>, Option<JsonText>>,
    connections: u64,
    /// The last message that is kept, and when this process learned of it.
    last: Option<(JsonText, Instant)>,
    /// Where an entry has wanted the last message: when the latest came that this process knows of, zero where it knows none.
    seen: Option<u64>,
}

impl Waiter {
    pub(super) fn refuse(self, error: EnterError) {
        (self.answer)(Err(error));
    }
}

impl Topic {
    pub(super) fn new(rules: TopicRules, counts_from: u64) -> Self {
        Self {
            slots: HashMap::new(),
            inside: 0,
            leaves: 0,
            counts_from,
            rules,
            is_subscribed: false,
            stage: Stage::Unknown,
            replica: Replica::default(),
        }
    }

    /// Whether a connection of this process is in.
    pub(super) fn is_occupied(&self) -> bool {
        self.inside > 0
    }

    /// Whether the copy is to be read again.
    pub(super) fn is_stale(&self) -> bool {
        self.stage == Stage::Stale
    }

    /// Whether nothing is to be known of it any more.
    pub(super) fn is_done(&self) -> bool {
        self.slots.is_empty() && self.leaves == 0
    }

    /// A connection is in.
    pub(super) fn let_in(&mut self, connection: ConnectionId, user: Option<Arc<str>>) {
        self.slots.insert(connection, Slot::In { user });
        self.inside += 1;
    }

    /// A connection that was in is out. Gives its user.
    pub(super) fn let_out(&mut self, connection: ConnectionId) -> Option<Arc<str>> {
        match self.slots.remove(&connection) {
            Some(Slot::In { user }) => {
                self.inside -= 1;
                user
            }
            Some(Slot::Entering(_)) | None => None,
        }
    }

    pub(super) fn inside(&self) -> usize {
        self.inside
    }

    /// The users of the connections that are in, how many of them each has, and what they say of themselves.
    pub(super) fn users(&self) -> BTreeMap<Arc<str>, (usize, Option<JsonText>)> {
        let mut users = BTreeMap::new();
        for slot in self.slots.values() {
            if let Slot::In { user: Some(user) } = slot {
                let info = || self.replica.members.get(user).cloned().flatten();
                let (count, _) = users.entry(Arc::clone(user)).or_insert_with(|| (0, info()));
                *count += 1;
            }
        }
        users
    }

    /// About how many bytes its members are.
    pub(super) fn size(&self) -> usize {
        /// What goes with each on the wire.
        const FRAME: usize = 16;
        let members = self.replica.members.iter();
        let sizes = members.map(|(user, info)| {
            FRAME + user.len() + info.as_ref().map_or(0, |info| info.as_str().len())
        });
        sizes.sum()
    }

    /// What someone who is in is answered.
    pub(super) fn answer(&self, waiter: Waiter, now: Instant) {
        let replica = &self.replica;
        let mut entered = Entered {
            members: Vec::new(),
            last: None,
            connections: replica.connections,
        };
        if waiter.is_member {
            entered.members = replica.members();
        }
        if waiter.wants_last {
            let last = replica.last.as_ref();
            let last = last.filter(|(_, since)| now < *since + KEPT_FOR);
            entered.last = last.map(|(message, _)| message.clone());
        }
        (waiter.answer)(Ok(entered));
    }

    /// Takes up an answer to an entry that was let in, and what came with it.
    pub(super) fn take_answer(
        &mut self,
        connections: u64,
        last: Option<KeptMessage>,
        members: Option<Vec<Member>>,
        wants_last: bool,
        now: Instant,
    ) {
        self.replica.connections = connections;
        self.take_members(members);
        if wants_last {
            let since = last.as_ref().map_or(0, |last| last.since);
            self.replica.seen = Some(self.replica.seen.unwrap_or(0).max(since));
            self.replica.last = last.map(|last| (last.message, now));
        }
    }

    /// Takes up the members that came with an answer, if the copy is not known yet.
    pub(super) fn take_members(&mut self, members: Option<Vec<Member>>) {
        if let Some(members) = members
            && self.stage == Stage::AskedFor
        {
            let members = members.into_iter();
            self.replica.members = members.map(|member| (member.user, member.info)).collect();
            self.stage = Stage::Live;
        }
    }

    /// Takes up something that was published, and gives what is to be told of it.
    pub(super) fn take_note(&mut self, note: TopicNote, now: Instant) -> Option<TopicEvent> {
        if let TopicNote::Message {
            message,
            except,
            since,
        } = note
        {
            if let Some(since) = since
                && self.replica.seen.is_some()
            {
                self.replica.seen = Some(since);
                self.replica.last = Some((message.clone(), now));
            }
            return Some(TopicEvent::Message { message, except });
        }
        if self.stage != Stage::Live {
            return None;
        }
        self.replica.take_note(note)
    }

    /// Takes up how the topic is after the connection was lost, and gives what is to be told of that.
    pub(super) fn take_reading(
        &mut self,
        connections: u64,
        last: Option<KeptMessage>,
        members: Vec<Member>,
        now: Instant,
    ) -> Vec<TopicEvent> {
        if self.stage != Stage::Stale {
            return Vec::new();
        }
        self.stage = Stage::Live;
        let mut events = self.replica.replace_members(members);
        let before = std::mem::replace(&mut self.replica.connections, connections);
        if self.rules.tells_count && before != connections {
            events.push(TopicEvent::Count(connections));
        }
        if let Some(last) = last
            && self.replica.seen.is_some_and(|seen| seen < last.since)
        {
            self.replica.seen = Some(last.since);
            self.replica.last = Some((last.message.clone(), now));
            events.push(TopicEvent::Message {
                message: last.message,
                except: last.except,
            });
        }
        events
    }
}

impl Replica {
    fn members(&self) -> Vec<Member> {
        let members = self.members.iter();
        let members = members.map(|(user, info)| Member {
            user: Arc::clone(user),
            info: info.clone(),
        });
        members.collect()
    }

    fn take_note(&mut self, note: TopicNote) -> Option<TopicEvent> {
        match note {
            TopicNote::Joined { member, by } => {
                let Member { user, info } = member.clone();
                let is_new = self.members.insert(user, info).is_none();
                is_new.then_some(TopicEvent::Joined { member, by })
            }
            TopicNote::Info(Member { user, info }) => {
                if let Some(known) = self.members.get_mut(&user) {
                    *known = info;
                }
                None
            }
            TopicNote::Left(user) => {
                let was_in = self.members.remove(&user).is_some();
                was_in.then_some(TopicEvent::Left { user })
            }
            TopicNote::Count(connections) => {
                self.connections = connections;
                Some(TopicEvent::Count(connections))
            }
            TopicNote::Message { .. } => None,
        }
    }

    /// Who is in by now: gives who has gone and who has come.
    fn replace_members(&mut self, members: Vec<Member>) -> Vec<TopicEvent> {
        let members = members.into_iter();
        let members: BTreeMap<_, _> = members.map(|member| (member.user, member.info)).collect();
        let before = std::mem::replace(&mut self.members, members);
        let gone = before
            .keys()
            .filter(|user| !self.members.contains_key(*user));
        let gone = gone.map(|user| TopicEvent::Left {
            user: Arc::clone(user),
        });
        let come = self
            .members
            .iter()
            .filter(|(user, _)| !before.contains_key(*user));
        let come = come.map(|(user, info)| TopicEvent::Joined {
            member: Member {
                user: Arc::clone(user),
                info: info.clone(),
            },
            by: None,
        });
        gone.chain(come).collect()
    }
}
