//! The model's rules, held against what was touched of a directory; what does not hold is said by entry and field.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::core::building::error::Invalid;
use crate::core::directory::{Directory, Touched};
use crate::model::rules::{self, Breach, Claim, Reference, Thing};
use crate::model::{ApiKey, EntryId, EntryKind, KeySecret, Metadata, System, User, Zone, ZoneId};

/// Where something stands.
#[derive(Debug, Clone)]
struct FieldPosition {
    id: EntryId,
    field: &'static str,
}

/// Everything that does not hold of what was touched. Whatever else the directory has is taken for sound, and for letting go of what has left.
pub(super) fn check(directory: &Directory, touched: &Touched) -> Vec<Invalid> {
    let mut statements = Statements::default();
    statements.gather(directory, touched);
    statements.claim_targets(directory);
    let zones: Vec<(&ZoneId, Option<&ZoneId>)> = match statements.touches_zones {
        true => directory
            .zones()
            .map(|zone| (&zone.id, zone.parent_id.as_ref()))
            .collect(),
        false => Vec::new(),
    };
    let Statements {
        claims,
        references,
        mut problems,
        ..
    } = statements;
    for breach in rules::check(&claims, &references, &zones) {
        problems.extend(said(breach));
    }
    problems
}

fn said(breach: Breach<'_, '_, FieldPosition>) -> Option<Invalid> {
    let (at, reason) = match breach {
        Breach::Taken { claim, first } => {
            let (id, other) = (&claim.id, &first.at.id);
            (
                claim.at.clone(),
                format!("`{id}` is already that of {other}"),
            )
        }
        Breach::Missing(reference) => {
            let (what, id) = (reference.to.noun(), &reference.id);
            (
                reference.at.clone(),
                format!("names the {what} `{id}`, which is not there"),
            )
        }
        Breach::Ring(ring) => {
            let zone = EntryId::Zone((*ring.first()?).clone());
            let path = rules::show_ring(&ring);
            (
                place(zone, "parent_id"),
                format!("puts the zone inside itself ({path})"),
            )
        }
    };
    Some(Invalid {
        id: at.id,
        field: at.field,
        reason,
    })
}

fn place(id: EntryId, field: &'static str) -> FieldPosition {
    FieldPosition { id, field }
}

/// What the touched entries say. The ids of entries are unique already: a directory has one of each.
#[derive(Default)]
struct Statements<'a> {
    claims: Vec<Claim<'a, FieldPosition>>,
    references: Vec<Reference<'a, FieldPosition>>,
    problems: Vec<Invalid>,
    touches_zones: bool,
}

impl<'a> Statements<'a> {
    fn gather(&mut self, directory: &'a Directory, touched: &'a Touched) {
        if touched.users().next().is_some() {
            // First those of the others, so that the address is said to be wrong that has come to be.
            let others = directory.users().filter(|user| {
                let id = EntryId::User(user.id.clone());
                !touched.contains(&id)
            });
            others.for_each(|user| self.claim_email(user));
        }
        for id in touched.iter() {
            match id {
                EntryId::Zone(zone) => {
                    directory
                        .zone(zone)
                        .into_iter()
                        .for_each(|it| self.zone(id, it));
                }
                EntryId::System(system) => {
                    directory
                        .system(system)
                        .into_iter()
                        .for_each(|it| self.system(id, it));
                }
                EntryId::User(user) => {
                    directory
                        .user(user)
                        .into_iter()
                        .for_each(|it| self.user(id, it));
                }
                EntryId::ApiKey(key) => {
                    directory
                        .api_key(key)
                        .into_iter()
                        .for_each(|it| self.api_key(id, it));
                }
                EntryId::Metadata(metadata) => {
                    let there = directory.metadata_by_id(metadata);
                    there.into_iter().for_each(|it| self.metadata(id, it));
                }
                EntryId::Module(_) => {}
            }
        }
    }

    fn zone(&mut self, id: &EntryId, zone: &'a Zone) {
        self.touches_zones = true;
        self.require(&zone.name, id, "name");
        let parent = zone.parent_id.iter().map(ZoneId::as_str);
        self.refer(Thing::Zone, parent, id, "parent_id");
    }

    fn system(&mut self, id: &EntryId, system: &'a System) {
        self.require(&system.name, id, "name");
        let zones = system.zones.iter().map(ZoneId::as_str);
        self.refer(Thing::Zone, zones, id, "zones");
        let modules = system.modules.iter().map(|module| module.as_str());
        self.refer(Thing::Module, modules, id, "modules");
    }

    fn user(&mut self, id: &EntryId, user: &User) {
        self.require(&user.email, id, "email");
        self.claim_email(user);
    }

    fn api_key(&mut self, id: &EntryId, key: &'a ApiKey) {
        if !rules::fits_a_credential(&key.id) {
            self.problem(id, "id", "cannot have a dot in it");
        }
        if let KeySecret::Hashed(hash) = &key.secret
            && !rules::is_key_hash(hash.expose())
        {
            self.problem(id, "secret_hash", "is no hash of riser's");
        }
        let user = std::iter::once(key.user.as_str());
        self.refer(Thing::User, user, id, "user");
        let systems = key.systems.iter().map(|system| system.as_str());
        self.refer(Thing::System, systems, id, "systems");
        let zones = key.zones.iter().map(ZoneId::as_str);
        self.refer(Thing::Zone, zones, id, "zones");
    }

    fn metadata(&mut self, id: &EntryId, metadata: &'a Metadata) {
        let parent = std::iter::once(metadata.id.parent.as_str());
        self.refer(Thing::Parent, parent, id, "parent");
    }

    fn claim_email(&mut self, user: &User) {
        self.claims.push(Claim {
            thing: Thing::Email,
            id: Cow::Owned(user.email.to_lowercase()),
            at: place(EntryId::User(user.id.clone()), "email"),
        });
    }

    /// Claims the ids that are referred to for the entries that have them, touched or not.
    fn claim_targets(&mut self, directory: &Directory) {
        let mut claimed = HashSet::new();
        for reference in &self.references {
            let targets = reference.to.targets().iter().filter_map(|thing| {
                let kind = kind_of(*thing)?;
                let is_there = directory.has(kind, &reference.id);
                (is_there && claimed.insert((kind, reference.id.clone()))).then_some(*thing)
            });
            self.claims.extend(targets.map(|thing| Claim {
                thing,
                id: reference.id.clone(),
                at: reference.at.clone(),
            }));
        }
    }

    fn refer(
        &mut self,
        to: Thing,
        targets: impl Iterator<Item = &'a str>,
        id: &EntryId,
        field: &'static str,
    ) {
        self.references.extend(targets.map(|target| Reference {
            to,
            id: Cow::Borrowed(target),
            at: place(id.clone(), field),
        }));
    }

    fn require(&mut self, text: &str, id: &EntryId, field: &'static str) {
        if text.is_empty() {
            self.problem(id, field, "is empty");
        }
    }

    fn problem(&mut self, id: &EntryId, field: &'static str, reason: &str) {
        self.problems.push(Invalid {
            id: id.clone(),
            field,
            reason: reason.to_owned(),
        });
    }
}

/// The kind of the entries that are such a thing.
fn kind_of(thing: Thing) -> Option<EntryKind> {
    match thing {
        Thing::Zone => Some(EntryKind::Zone),
        Thing::System => Some(EntryKind::System),
        Thing::Module => Some(EntryKind::Module),
        Thing::User => Some(EntryKind::User),
        Thing::ApiKey => Some(EntryKind::ApiKey),
        Thing::Metadata => Some(EntryKind::Metadata),
        Thing::Email | Thing::Driver | Thing::Parent => None,
    }
}
