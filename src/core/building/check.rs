//! The model's rules, held against what was touched of a directory; what does not hold is said by entry and field.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use crate::core::building::automation;
use crate::core::building::error::Invalid;
use crate::core::directory::{Directory, Touched};
use crate::model::rules::{self, Breach, Claim, Reference, Thing};
use crate::model::{
    ApiKey, AppKey, ChannelApp, Collection, CustomCommand, EntityOverride, EntryId, EntryKind,
    Field, KeySecret, Kind, Misfit, ModuleId, Place, Service, Step, Unfit, User, Wrong, ZoneId,
    nearest,
};

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

/// Everything that a module's driver would not take of it as it comes to run.
///
/// An edit that leaves that as it is, is not held to what was wrong before.
pub(super) fn misconfigured(now: &Directory, next: &Directory, id: &ModuleId) -> Vec<Invalid> {
    let Some(entry) = next.module(id) else {
        return Vec::new();
    };
    let module = next.configured(entry);
    let before = now.module(id).map(|entry| now.configured(entry));
    if before.is_some_and(|before| before.runs_as(&module)) {
        return Vec::new();
    }
    let id = EntryId::Module(id.clone());
    let unfit = entry.check(module.uri.as_deref(), &module.settings());
    let invalid = unfit.into_iter().map(|Unfit { place, misfit }| Invalid {
        id: id.clone(),
        field: match &place {
            Place::Uri => "uri",
            Place::Settings(_) => "settings",
        },
        reason: match place {
            Place::Uri => misfit_of_uri(misfit),
            Place::Settings(steps) => misfit_of_settings(&steps, misfit),
        },
    });
    invalid.collect()
}

/// What an entry does not say together, and what it names inside of a field and is not there. What a store has already stays.
pub(super) fn mistakes(next: &Directory, id: &EntryId) -> Vec<Invalid> {
    let mistakes = match id {
        EntryId::Entity(id) => next.entity(id).map(EntityOverride::mistakes),
        EntryId::Command(id) => next.command(id).map(CustomCommand::mistakes),
        EntryId::App(id) => next.app(id).map(ChannelApp::mistakes),
        EntryId::Service(id) => next.service(id).map(Service::mistakes),
        EntryId::Zone(_)
        | EntryId::System(_)
        | EntryId::Module(_)
        | EntryId::User(_)
        | EntryId::ApiKey(_)
        | EntryId::Metadata(_)
        | EntryId::Procedure(_)
        | EntryId::Hook(_)
        | EntryId::Trigger(_) => None,
    };
    let mistakes = mistakes.unwrap_or_default().into_iter();
    let invalid = |Wrong { field, reason }| Invalid {
        id: id.clone(),
        field,
        reason,
    };
    let inside = automation::mistakes(next, id);
    let place = next.place_of(id);
    let empty = place.filter(|(place, _)| !next.is_taken(place));
    let empty = empty.map(|(place, field)| Wrong {
        field,
        reason: format!("names the place `{place}`, at which no module stands"),
    });
    mistakes.chain(inside).chain(empty).map(invalid).collect()
}

fn misfit_of_uri(misfit: Misfit) -> String {
    match misfit {
        Misfit::Expected(expected) => format!("must be {expected}"),
        Misfit::Missing { expected, .. } => match expected {
            Some(expected) => format!("is missing; it is {expected}"),
            None => "is missing".to_owned(),
        },
        misfit @ (Misfit::Unknown(_) | Misfit::Other(_)) => misfit.to_string(),
    }
}

fn misfit_of_settings(steps: &[Step], misfit: Misfit) -> String {
    let (above, last) = match steps.split_last() {
        Some((Step::Key(key), above)) => (above, key.as_str()),
        Some((Step::Item(_), _)) | None => (steps, ""),
    };
    let path = Place::Settings(steps.to_vec()).to_string();
    let within = |steps: &[Step]| match steps {
        [] => String::new(),
        steps => format!(" in `{}`", Place::Settings(steps.to_vec())),
    };
    match misfit {
        Misfit::Unknown(known) => {
            let remedy = match nearest(last, known.iter().map(String::as_str)) {
                Some(similar) => format!("did you mean `{similar}`?"),
                None if known.is_empty() => "there is nothing to set".to_owned(),
                None => format!("there may be {}", known.join(", ")),
            };
            format!("have the unknown key `{last}`{}; {remedy}", within(above))
        }
        Misfit::Missing { key, expected } => {
            let expected = expected
                .map(|it| format!("; it is {it}"))
                .unwrap_or_default();
            format!("have no `{key}`{}{expected}", within(steps))
        }
        Misfit::Expected(expected) if path.is_empty() => format!("must be {expected}"),
        Misfit::Expected(expected) => format!("have `{path}`, which must be {expected}"),
        Misfit::Other(reason) if path.is_empty() => format!("are wrong: {reason}"),
        Misfit::Other(reason) => format!("have `{path}`, which is wrong: {reason}"),
    }
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
        if touched.apps().next().is_some() {
            let others = directory.apps().filter(|app| {
                let id = EntryId::App(app.id.clone());
                !touched.contains(&id)
            });
            others.for_each(|app| self.claim_keys(app));
        }
        for id in touched.iter() {
            match id {
                EntryId::Zone(zone) => {
                    self.touches_zones |= directory.zone(zone).is_some();
                    self.entry(id, directory.zone(zone));
                }
                EntryId::System(system) => self.entry(id, directory.system(system)),
                EntryId::Module(module) => {
                    let module = directory.module(module);
                    self.entry(id, module.map(|entry| &*entry.module));
                }
                EntryId::User(user) => {
                    let user = directory.user(user);
                    self.entry(id, user);
                    user.into_iter().for_each(|user| self.claim_email(user));
                }
                EntryId::ApiKey(key) => {
                    let key = directory.api_key(key);
                    self.entry(id, key);
                    key.into_iter().for_each(|key| self.api_key(id, key));
                }
                EntryId::Metadata(metadata) => {
                    self.entry(id, directory.metadata_by_id(metadata));
                }
                EntryId::Entity(entity) => self.entry(id, directory.entity(entity)),
                EntryId::Command(command) => self.entry(id, directory.command(command)),
                EntryId::App(app) => {
                    let app = directory.app(app);
                    self.entry(id, app);
                    app.into_iter().for_each(|app| self.claim_keys(app));
                }
                EntryId::Service(service) => self.entry(id, directory.service(service)),
                EntryId::Procedure(procedure) => {
                    self.entry(id, directory.procedure(procedure).map(Arc::as_ref));
                }
                EntryId::Hook(hook) => {
                    self.entry(id, directory.hook(hook).map(Arc::as_ref));
                }
                EntryId::Trigger(trigger) => {
                    self.entry(id, directory.trigger(trigger).map(Arc::as_ref));
                }
            }
        }
    }

    /// What the list of its fields says of an entry, if it is there. Which drivers there are is for their host to say.
    fn entry<C: Collection>(&mut self, id: &EntryId, entry: Option<&'a C>) {
        let fields = entry.into_iter().flat_map(|entry| {
            let of = move |field: &'static Field<C>| (field, entry);
            C::FIELDS.iter().map(of)
        });
        for (field, entry) in fields {
            let is_for_people = matches!(field.kind, Kind::Text | Kind::Email);
            if field.must.is_some() && is_for_people && field.value(entry).text() == Some("") {
                self.problem(id, field.name, "is empty");
            }
            if let Kind::Reference(to) | Kind::References(to) = field.kind
                && to != Thing::Driver
            {
                let targets = field.value(entry).into_texts().into_iter();
                self.references.extend(targets.map(|target| Reference {
                    to,
                    id: target,
                    at: place(id.clone(), field.name),
                }));
            }
        }
    }

    fn api_key(&mut self, id: &EntryId, key: &ApiKey) {
        if !rules::fits_a_credential(&key.id) {
            self.problem(id, "id", "cannot have a dot in it");
        }
        if let KeySecret::Hashed(hash) = &key.secret
            && !rules::is_key_hash(hash.expose())
        {
            self.problem(id, "secret_hash", "is no hash of riser's");
        }
    }

    fn claim_email(&mut self, user: &User) {
        self.claims.push(Claim {
            thing: Thing::Email,
            id: Cow::Owned(user.email.to_lowercase()),
            at: place(EntryId::User(user.id.clone()), "email"),
        });
    }

    fn claim_keys(&mut self, app: &'a ChannelApp) {
        let id = EntryId::App(app.id.clone());
        let claim = |key: &'a AppKey| Claim {
            thing: Thing::AppKey,
            id: Cow::Borrowed(key.key.as_str()),
            at: place(id.clone(), "keys"),
        };
        self.claims.extend(app.keys.list().iter().map(claim));
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
        Thing::Entity => Some(EntryKind::Entity),
        Thing::Command => Some(EntryKind::Command),
        Thing::App => Some(EntryKind::App),
        Thing::Service => Some(EntryKind::Service),
        Thing::Procedure => Some(EntryKind::Procedure),
        Thing::Hook => Some(EntryKind::Hook),
        Thing::Trigger => Some(EntryKind::Trigger),
        Thing::Email | Thing::Driver | Thing::Parent | Thing::AppKey => None,
    }
}
