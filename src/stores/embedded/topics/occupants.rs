//! Who is in one topic: its connections, and its users by however many of them.

use std::collections::btree_map;
use std::collections::{BTreeMap, HashMap, hash_map};
use std::sync::Arc;

use crate::model::{ConnectionId, JsonText, Member, Occupancy, TopicRules};
use crate::stores::EnterError;

/// Those in a topic.
#[derive(Debug, Default)]
pub(super) struct Occupants {
    /// As which user each connection is in.
    connections: HashMap<ConnectionId, Option<Arc<str>>>,
    users: BTreeMap<Arc<str>, Presence>,
    /// Those of the entry that came last: what an app allows may change while connections are in its topics.
    pub(super) rules: TopicRules,
}

/// A user who is in.
#[derive(Debug)]
struct Presence {
    connections: usize,
    info: Option<JsonText>,
}

/// What an entry has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Nothing: the connection was in.
    Again,
    /// Another connection is in.
    Anew {
        /// The user whose first connection it is.
        joined: Option<Member>,
    },
}

impl Occupants {
    /// Lets a connection in. One that is in stays in as it is.
    pub(super) fn enter(
        &mut self,
        connection: ConnectionId,
        member: Option<Member>,
        rules: TopicRules,
    ) -> Result<Came, EnterError> {
        self.rules = rules;
        let hash_map::Entry::Vacant(place) = self.connections.entry(connection) else {
            return Ok(Came::Again);
        };
        let Some(member) = member else {
            place.insert(None);
            return Ok(Came::Anew { joined: None });
        };
        let members_max = rules.members_max.map_or(usize::MAX, |max| max as usize);
        let count = self.users.len();
        let joined = match self.users.entry(Arc::clone(&member.user)) {
            btree_map::Entry::Occupied(mut user) => {
                let user = user.get_mut();
                user.connections += 1;
                user.info.clone_from(&member.info);
                None
            }
            btree_map::Entry::Vacant(_) if count >= members_max => return Err(EnterError::Full),
            btree_map::Entry::Vacant(user) => {
                user.insert(Presence {
                    connections: 1,
                    info: member.info.clone(),
                });
                Some(member.clone())
            }
        };
        place.insert(Some(member.user));
        Ok(Came::Anew { joined })
    }

    /// Lets a connection out: whether it was in, and the user whose last connection it was.
    pub(super) fn leave(&mut self, connection: ConnectionId) -> Option<Option<Arc<str>>> {
        let user = self.connections.remove(&connection)?;
        Some(user.filter(|user| self.left(user)))
    }

    /// Takes one of a user's connections off, and says whether it was the last.
    fn left(&mut self, user: &Arc<str>) -> bool {
        let Some(presence) = self.users.get_mut(user) else {
            return false;
        };
        presence.connections -= 1;
        let is_last = presence.connections == 0;
        if is_last {
            self.users.remove(user);
        }
        is_last
    }

    /// All members, in the order of their ids.
    pub(super) fn members(&self) -> Vec<Member> {
        let users = self.users.iter();
        let members = users.map(|(user, presence)| Member {
            user: Arc::clone(user),
            info: presence.info.clone(),
        });
        members.collect()
    }

    /// The ids of all members, in their order.
    pub(super) fn users(&self) -> Vec<Arc<str>> {
        self.users.keys().cloned().collect()
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections.len() as u64
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        Occupancy {
            connections: self.connections(),
            users: self.users.len() as u64,
        }
    }
}
