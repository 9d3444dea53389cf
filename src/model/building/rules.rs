//! What has to hold between the entries of a building: ids are unique, references have targets, zones do not contain themselves.
//!
//! Separate from its callers, because a building file and an edit of the running building are held to the same rules:
//! each says where its statements stand in its own way, as a line of a file or as a field of an entry.

use std::borrow::Cow;
use std::collections::hash_map::{Entry, HashMap};

use crate::model::{
    AppId, CommandType, HookName, InvalidId, KEY_HASH_PREFIX, KeyId, Metadata, ModuleId, ParentId,
    ProcedureId, ServiceKey, SystemId, TriggerId, UserId, ZoneId,
};

/// What an id, an address or a reference belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// A zone.
    Zone,
    /// A system.
    System,
    /// A module.
    Module,
    /// A user.
    User,
    /// A user's address.
    Email,
    /// An API key.
    ApiKey,
    /// A driver.
    Driver,
    /// Metadata, by its parent and name together.
    Metadata,
    /// What metadata may belong to: a zone, system, module or user.
    Parent,
    /// An entity, by the path of its status.
    Entity,
    /// A command, by its type.
    Command,
    /// An app.
    App,
    /// A key of an app.
    AppKey,
    /// A service, by its public key.
    Service,
    /// A procedure.
    Procedure,
    /// A hook.
    Hook,
    /// A trigger.
    Trigger,
}

impl Thing {
    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::System => "system",
            Self::Module => "module",
            Self::User => "user",
            Self::Email => "email",
            Self::ApiKey => "API key",
            Self::Driver => "driver",
            Self::Metadata => "metadata",
            Self::Parent => "zone, system, module or user",
            Self::Entity => "entity",
            Self::Command => "command",
            Self::App => "app",
            Self::AppKey => "key of an app",
            Self::Service => "service",
            Self::Procedure => "procedure",
            Self::Hook => "hook",
            Self::Trigger => "trigger",
        }
    }

    /// What people call that which must be unique about it.
    pub fn unique_part(self) -> &'static str {
        match self {
            Self::Zone => "zone id",
            Self::System => "system id",
            Self::Module => "module id",
            Self::User => "user id",
            Self::Email => "email",
            Self::ApiKey => "API key id",
            Self::Driver => "driver id",
            Self::Metadata => "metadata name",
            Self::Parent => "id",
            Self::Entity => "status of an entity",
            Self::Command => "type of a command",
            Self::App => "app id",
            Self::AppKey => "key of an app",
            Self::Service => "key of a service",
            Self::Procedure => "procedure id",
            Self::Hook => "hook name",
            Self::Trigger => "trigger id",
        }
    }

    /// Whether this text can be the id of one.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub fn check_id(self, text: &str) -> Result<(), InvalidId> {
        match self {
            Self::Zone => ZoneId::new(text).map(drop),
            Self::System => SystemId::new(text).map(drop),
            Self::Module => ModuleId::new(text).map(drop),
            Self::User => UserId::new(text).map(drop),
            Self::ApiKey => KeyId::new(text).map(drop),
            Self::Parent => ParentId::new(text).map(drop),
            Self::Command => CommandType::new(text).map(drop),
            Self::App => AppId::new(text).map(drop),
            Self::Service => ServiceKey::new(text).map(drop),
            Self::Procedure => ProcedureId::new(text).map(drop),
            Self::Hook => HookName::new(text).map(drop),
            Self::Trigger => TriggerId::new(text).map(drop),
            // The check of the entries against each other finds what is none, and a path has a form of its own.
            Self::Email | Self::Driver | Self::Metadata | Self::Entity | Self::AppKey => Ok(()),
        }
    }

    /// The things that answer to a reference to this one.
    pub fn targets(self) -> &'static [Self] {
        match self {
            Self::Zone => &[Self::Zone],
            Self::System => &[Self::System],
            Self::Module => &[Self::Module],
            Self::User => &[Self::User],
            Self::Email => &[Self::Email],
            Self::ApiKey => &[Self::ApiKey],
            Self::Driver => &[Self::Driver],
            Self::Metadata => &[Self::Metadata],
            Self::Parent => &[Self::Zone, Self::System, Self::Module, Self::User],
            Self::Entity => &[Self::Entity],
            Self::Command => &[Self::Command],
            Self::App => &[Self::App],
            Self::AppKey => &[Self::AppKey],
            Self::Service => &[Self::Service],
            Self::Procedure => &[Self::Procedure],
            Self::Hook => &[Self::Hook],
            Self::Trigger => &[Self::Trigger],
        }
    }
}

/// An id that no entry of its kind can have, since a route of the HTTP interface has the word for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowedId {
    /// Whose id.
    pub thing: Thing,
    /// The id.
    pub id: String,
}

/// What others make of a building, by which something can be a mistake that is none of the building's own.
#[derive(Debug, Clone, Copy)]
pub struct ForeignRules<'a> {
    /// The ids that no entry can have.
    pub shadowed: &'a [ShadowedId],
    /// What is wrong with metadata of a zone, as what follows the word `details`.
    pub misread: fn(&Metadata) -> Option<&'static str>,
}

impl ForeignRules<'_> {
    /// No room has rules of its own.
    pub const NONE: Self = Self {
        shadowed: &[],
        misread: |_| None,
    };
}

/// What one entry claims for itself alone. `P` says where.
#[derive(Debug, Clone)]
pub struct Claim<'a, P> {
    /// What is claimed.
    pub thing: Thing,
    /// The id or address.
    pub id: Cow<'a, str>,
    /// Where it stands.
    pub at: P,
}

/// One entry's mention of another. `P` says where.
#[derive(Debug, Clone)]
pub struct Reference<'a, P> {
    /// What is mentioned.
    pub to: Thing,
    /// Its id.
    pub id: Cow<'a, str>,
    /// Where it stands.
    pub at: P,
}

/// A rule that does not hold.
#[derive(Debug)]
pub enum Breach<'s, 'a, P> {
    /// Two entries claim the same.
    Taken {
        /// The later claim.
        claim: &'s Claim<'a, P>,
        /// The one before it.
        first: &'s Claim<'a, P>,
    },
    /// A mention of what is not there.
    Missing(&'s Reference<'a, P>),
    /// Zones that contain each other, from one of them upwards.
    Ring(Vec<&'s ZoneId>),
}

/// Everything that does not hold. `zones` has each zone with the one around it, in the order in which a ring is to begin with the first.
pub fn check<'s, 'a, P>(
    claims: &'s [Claim<'a, P>],
    references: &'s [Reference<'a, P>],
    zones: &[(&'s ZoneId, Option<&'s ZoneId>)],
) -> Vec<Breach<'s, 'a, P>> {
    let mut breaches = Vec::new();
    let mut known: HashMap<(Thing, &str), &Claim<'a, P>> = HashMap::new();
    for claim in claims {
        match known.entry((claim.thing, &*claim.id)) {
            Entry::Vacant(free) => {
                free.insert(claim);
            }
            Entry::Occupied(first) => breaches.push(Breach::Taken {
                claim,
                first: first.get(),
            }),
        }
    }
    let is_known = |reference: &Reference<'a, P>| {
        let mut targets = reference.to.targets().iter();
        targets.any(|thing| known.contains_key(&(*thing, &*reference.id)))
    };
    let missing = references.iter().filter(|reference| !is_known(reference));
    breaches.extend(missing.map(Breach::Missing));
    breaches.extend(rings(zones).into_iter().map(Breach::Ring));
    breaches
}

/// Finds every ring of zones once, beginning at the zone of the ring that is listed first.
fn rings<'z>(zones: &[(&'z ZoneId, Option<&'z ZoneId>)]) -> Vec<Vec<&'z ZoneId>> {
    let parents: HashMap<&ZoneId, &ZoneId> = zones
        .iter()
        .filter_map(|(zone, parent)| Some((*zone, (*parent)?)))
        .collect();
    let mut rings = Vec::new();
    // The zone whose walk upwards reached this one first: a walk that meets its own mark has gone round.
    let mut reached_from: HashMap<&ZoneId, &ZoneId> = HashMap::new();
    for (zone, _) in zones {
        let mut at = *zone;
        while !reached_from.contains_key(at) {
            reached_from.insert(at, zone);
            let Some(parent) = parents.get(at) else {
                break;
            };
            at = parent;
        }
        let went_round = reached_from.get(at) == Some(zone) && parents.contains_key(at);
        if went_round {
            let around = ring(at, &parents);
            let mut listed = zones.iter().map(|(zone, _)| *zone);
            let first = listed.find(|id| around.contains(id));
            rings.extend(first.map(|first| ring(first, &parents)));
        }
    }
    rings
}

/// The zones from `start` upwards until `start` comes again.
fn ring<'z>(start: &'z ZoneId, parents: &HashMap<&'z ZoneId, &'z ZoneId>) -> Vec<&'z ZoneId> {
    let upwards = std::iter::successors(parents.get(start).copied(), |at| parents.get(at).copied());
    std::iter::once(start)
        .chain(upwards.take_while(|at| *at != start))
        .collect()
}

/// A ring of zones for people: `zone-a in zone-b in zone-a`.
pub fn show_ring(ring: &[&ZoneId]) -> String {
    let mut text = String::new();
    for zone in ring.iter().chain(ring.first()) {
        if !text.is_empty() {
            text.push_str(" in ");
        }
        text.push_str(zone.as_str());
    }
    text
}

/// Whether the id can be told from the secret in `<id>.<secret>`.
pub fn fits_a_credential(id: &KeyId) -> bool {
    !id.as_str().contains('.')
}

/// Whether a request can carry this as part of a credential.
pub fn can_be_sent(secret: &str) -> bool {
    !secret.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Whether this looks like the hash of an API key's secret.
pub fn is_key_hash(text: &str) -> bool {
    text.starts_with(KEY_HASH_PREFIX)
}

/// Whether this looks like the hash of a password, whose comparison costs no more than [`PASSWORD_COSTS`].
pub fn is_password_hash(text: &str) -> bool {
    text.starts_with("$argon2") && text.split('$').all(costs_little)
}

/// How much a comparison with a password's hash may cost, because every guess makes the gateway pay it:
/// in KiB of memory, passes over it, and lanes. The memory is what RFC 9106 recommends where memory is short, three times what riser's own hashes take.
pub const PASSWORD_COSTS: [(&str, u32); 3] = [("m", 64 * 1024), ("t", 10), ("p", 16)];

/// Whether a part of a hash names no cost above its bound.
fn costs_little(part: &str) -> bool {
    let mut named = part.split(',').filter_map(|cost| cost.split_once('='));
    named.all(|(name, value)| {
        let bound = PASSWORD_COSTS.iter().find(|(cost, _)| *cost == name);
        bound.is_none_or(|(_, most)| value.parse::<u32>().is_ok_and(|value| value <= *most))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_hash_that_costs_gigabytes_is_none() {
        let hash = |costs: &str| format!("$argon2id$v=19${costs}$c2FsdHNhbHQ$aGFzaGhhc2g");
        for costs in [
            "m=19456,t=2,p=1",
            "m=8,t=1,p=1",
            "m=65536,t=3,p=4",
            "t=10,p=16",
        ] {
            assert!(is_password_hash(&hash(costs)), "{costs}");
        }
        for costs in [
            "m=4194304,t=2,p=1",
            "m=65537,t=2,p=1",
            "m=19456,t=11,p=1",
            "m=19456,t=4294967295,p=1",
            "m=19456,t=2,p=17",
            "p=1,t=2,m=4194304",
            "m=8,m=4194304,t=1,p=1",
            "m=99999999999,t=1,p=1",
            "m=,t=1,p=1",
        ] {
            assert!(!is_password_hash(&hash(costs)), "{costs}");
        }
        assert!(!is_password_hash("$2b$12$whatever"));
    }
}
