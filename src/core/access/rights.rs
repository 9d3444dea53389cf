//! What a caller may do, as a value.
//!
//! A [`Policy`] is one or more [`Rights`] and allows what all of them allow, so narrowing is putting those of another beside them.
//! It names systems, zones and users; what stands in them is looked up when it is asked, so a change of the building holds at once.
//! What the answers mean for requests and edits stands in `policy.rs`.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::core::directory::Directory;
use crate::model::{
    ApiKey, AppId, Clearance, DeviceId, Scope, System, SystemId, TopicId, User, UserId, ZoneId,
};

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// At least one.
    rights: Vec<Rights>,
    scopes: Vec<Scope>,
}

/// What one credential gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// The level everywhere.
    pub level: Clearance,
    /// What the permissions of a zone can raise the level to.
    pub most: Clearance,
    /// By whose groups zones raise or refuse.
    pub member: Member,
    /// The systems.
    pub reach: Reach,
    /// The topics.
    pub topics: Topics,
    /// What the building calls public.
    pub public: PublicStatuses,
}

/// Whether statuses that the building calls public are shown beyond what is within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PublicStatuses {
    /// They are shown where their system is within reach, as all others are.
    WithinReach,
    /// They are shown wherever they stand.
    Everywhere,
}

/// Whose groups count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// No groups, since there is no user.
    Nobody,
    /// Those that the building says this user is in.
    User(UserId),
    /// The groups that another server says a user is in.
    Foreign {
        /// The user.
        user: UserId,
        /// Their groups.
        groups: Vec<String>,
    },
}

/// The systems that a caller can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    Everything,
    /// These, and those in these zones.
    Within {
        /// Systems by id.
        systems: HashSet<SystemId>,
        /// Zones by id.
        zones: HashSet<ZoneId>,
    },
}

/// The topics and messages that a caller can follow, and the topics to which they can publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topics {
    /// All of them.
    Everything,
    /// Those of one app.
    OfApp(AppId),
    /// No topic, but the messages to one device, and those of services of which it knows the key.
    OfDevice(DeviceId),
    /// These.
    Only(HashSet<String>),
}

/// The rights of a user who signs in, wherever no narrower rights are asked for.
pub(in crate::core) fn policy_of_user(user: &User) -> Policy {
    let scopes = Scope::parse(Scope::PUBLIC).into_iter().collect();
    Policy::everywhere(user.level, Member::of(user), scopes)
}

impl Member {
    /// What the groups of a user are looked up by.
    pub(super) fn of(user: &User) -> Self {
        Self::User(user.id.clone())
    }

    /// A user that the building need not have.
    pub(super) fn foreign(user: &User) -> Self {
        Self::Foreign {
            user: user.id.clone(),
            groups: user.groups.clone(),
        }
    }

    /// The user.
    pub(super) fn user(&self) -> Option<&UserId> {
        match self {
            Self::Nobody => None,
            Self::User(user) | Self::Foreign { user, .. } => Some(user),
        }
    }

    /// Their groups as they are now.
    pub(super) fn groups<'a>(&'a self, directory: &'a Directory) -> &'a [String] {
        match self {
            Self::Nobody => &[],
            Self::User(user) => directory.user(user).map_or(&[], |user| &user.groups),
            Self::Foreign { groups, .. } => groups,
        }
    }
}

impl Reach {
    /// No system.
    pub fn nothing() -> Self {
        Self::Within {
            systems: HashSet::new(),
            zones: HashSet::new(),
        }
    }

    fn includes(&self, system: &System) -> bool {
        match self {
            Self::Everything => true,
            Self::Within { systems, zones } => {
                systems.contains(&system.id) || system.zones.iter().any(|zone| zones.contains(zone))
            }
        }
    }

    fn includes_zone(&self, zone: &ZoneId) -> bool {
        match self {
            Self::Everything => true,
            Self::Within { zones, .. } => zones.contains(zone),
        }
    }

    fn covers(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Everything, _) => true,
            (Self::Within { .. }, Self::Everything) => false,
            (
                Self::Within { systems, zones },
                Self::Within {
                    systems: systems_before,
                    zones: zones_before,
                },
            ) => systems.is_superset(systems_before) && zones.is_superset(zones_before),
        }
    }
}

impl Topics {
    fn includes(&self, topic: &TopicId) -> bool {
        match self {
            Self::Everything => true,
            Self::OfApp(app) => topic.app() == app.as_str(),
            Self::OfDevice(_) => false,
            Self::Only(topics) => topics.contains(topic.as_str()),
        }
    }

    fn reads_messages_of(&self, device: &DeviceId) -> bool {
        match self {
            Self::Everything => true,
            Self::OfDevice(own) => own == device,
            Self::OfApp(_) | Self::Only(_) => false,
        }
    }

    fn reads_messages(&self) -> bool {
        match self {
            Self::Everything | Self::OfDevice(_) => true,
            Self::OfApp(_) | Self::Only(_) => false,
        }
    }

    fn covers(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Everything, _) => true,
            (Self::OfDevice(now), Self::OfDevice(before)) => now == before,
            (Self::OfApp(now), Self::OfApp(before)) => now == before,
            (Self::OfApp(app), Self::Only(before)) => {
                let of_app = |topic: &String| {
                    let app_of_topic = topic.split_once('/').map(|(app, _)| app);
                    app_of_topic == Some(app.as_str())
                };
                before.iter().all(of_app)
            }
            (Self::OfDevice(_), Self::Only(before)) => before.is_empty(),
            (Self::Only(_), Self::Everything | Self::OfApp(_) | Self::OfDevice(_))
            | (Self::OfApp(_), Self::Everything | Self::OfDevice(_))
            | (Self::OfDevice(_), Self::Everything | Self::OfApp(_)) => false,
            (Self::Only(now), Self::Only(before)) => now.is_superset(before),
        }
    }
}

impl Rights {
    /// Whether they give at least what the other rights give.
    fn exceed(&self, other: &Self) -> bool {
        self.level >= other.level
            && self.most >= other.most
            && self.reach.covers(&other.reach)
            && self.topics.covers(&other.topics)
            && self.public >= other.public
    }
}

impl Policy {
    /// A policy of one credential's rights.
    pub fn new(rights: Rights, scopes: Vec<Scope>) -> Self {
        Self {
            rights: vec![rights],
            scopes,
        }
    }

    /// What a user may do everywhere, at this level, or higher in the zones that raise it.
    pub(super) fn everywhere(level: Clearance, member: Member, scopes: Vec<Scope>) -> Self {
        let rights = Rights {
            level,
            most: Clearance::Admin,
            member,
            reach: Reach::Everything,
            topics: Topics::Everything,
            public: PublicStatuses::WithinReach,
        };
        Self::new(rights, scopes)
    }

    /// What an API key opens whose user has this level.
    pub(super) fn of_key(key: &ApiKey, level: Clearance) -> Self {
        let reach = if key.systems.is_empty() && key.zones.is_empty() {
            Reach::Everything
        } else {
            Reach::Within {
                systems: key.systems.iter().cloned().collect(),
                zones: key.zones.iter().cloned().collect(),
            }
        };
        // A key for some systems has nothing to do with what is of the whole building.
        let topics = match &reach {
            Reach::Everything => Topics::Everything,
            Reach::Within { .. } => Topics::Only(HashSet::new()),
        };
        let rights = Rights {
            level: key.level.min(level),
            most: key.level,
            member: Member::User(key.user.clone()),
            reach,
            topics,
            public: PublicStatuses::WithinReach,
        };
        Self::new(rights, key.scopes.clone())
    }

    /// What both allow.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let both = |one: &Scope| {
            let meets = other.scopes.iter().filter_map(|two| one.meet(two));
            meets.collect::<Vec<_>>()
        };
        Self {
            rights: [&self.rights[..], &other.rights].concat(),
            scopes: self.scopes.iter().flat_map(both).collect(),
        }
    }

    /// The same for these parts of the API.
    #[must_use]
    pub fn with_scopes(&self, scopes: Vec<Scope>) -> Self {
        Self {
            rights: self.rights.clone(),
            scopes,
        }
    }

    /// The same in the topics of one app.
    pub(super) fn with_topics_of(mut self, app: &AppId) -> Self {
        for rights in &mut self.rights {
            rights.topics = Topics::OfApp(app.clone());
        }
        self
    }

    /// All the rights, each of which has to allow what is asked.
    pub(super) fn rights(&self) -> &[Rights] {
        &self.rights
    }

    /// The level everywhere.
    pub fn level(&self) -> Clearance {
        let levels = self.rights.iter().map(|rights| rights.level);
        levels.min().unwrap_or(Clearance::User)
    }

    /// The parts of the API that it opens.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Whether a system is within reach.
    pub fn reaches(&self, system: &System) -> bool {
        let mut rights = self.rights.iter();
        rights.all(|rights| rights.reach.includes(system))
    }

    /// Whether a zone is within reach by itself; one around a system that is within reach is for the caller to look at.
    pub fn reaches_zone(&self, zone: &ZoneId) -> bool {
        let mut rights = self.rights.iter();
        rights.all(|rights| rights.reach.includes_zone(zone))
    }

    /// Whether it is restricted to some systems.
    pub fn is_restricted(&self) -> bool {
        let mut rights = self.rights.iter();
        rights.any(|rights| rights.reach != Reach::Everything)
    }

    /// Whether a topic may be followed and published to.
    pub fn may_use(&self, topic: &TopicId) -> bool {
        let mut rights = self.rights.iter();
        rights.all(|rights| rights.topics.includes(topic))
    }

    /// Whether the messages to a device may be read, and what it is subscribed to.
    pub fn reads_messages_of(&self, device: &DeviceId) -> bool {
        let mut rights = self.rights.iter();
        rights.all(|rights| rights.topics.reads_messages_of(device))
    }

    /// Whether the messages of a service may be read by who knows its key.
    pub fn reads_messages(&self) -> bool {
        let mut rights = self.rights.iter();
        rights.all(|rights| rights.topics.reads_messages())
    }

    /// Whether statuses that the building calls public are shown wherever they stand.
    ///
    /// One of the rights is enough: what is public is nothing that who signs in beside could take away.
    pub fn shows_public(&self) -> bool {
        let mut rights = self.rights.iter();
        rights.any(|rights| rights.public == PublicStatuses::Everywhere)
    }

    /// The same, but statuses that the building calls public are shown wherever they stand.
    #[must_use]
    pub(super) fn with_public(mut self) -> Self {
        for rights in &mut self.rights {
            rights.public = PublicStatuses::Everywhere;
        }
        self
    }

    /// Whether it opens a part of the API.
    pub fn opens(&self, scope: &Scope) -> bool {
        self.scopes.iter().any(|own| own.covers(scope))
    }

    /// Whether a credential of that policy may be made with one of this: it opens no more. One that is restricted makes none.
    pub fn may_mint(&self, minted: &Self) -> bool {
        !self.is_restricted() && self.exceeds(minted, Rights::exceed)
    }

    /// Whether a caller with the policy `before` loses nothing by this one.
    /// A group raises in one zone and is refused in another, so other groups of the same user are neither more nor less, and are looked at at each request.
    pub(super) fn covers(&self, before: &Self) -> bool {
        self.exceeds(before, |now, before| {
            now.exceed(before) && now.member.user() == before.member.user()
        })
    }

    fn exceeds(&self, other: &Self, exceed: impl Fn(&Rights, &Rights) -> bool) -> bool {
        // What all of theirs allow is allowed by each of them.
        let is_above = |own: &Rights| other.rights.iter().any(|rights| exceed(own, rights));
        self.rights.iter().all(is_above) && other.scopes.iter().all(|scope| self.opens(scope))
    }
}
