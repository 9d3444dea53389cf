//! From edits to the next directory and to what has to be written for it. Pure: it changes nothing and asks no other room.

use std::collections::HashSet;
use std::sync::Arc;

use crate::core::access::resolve_key_secret;
use crate::core::building::automation;
use crate::core::building::check::{check, misconfigured, mistakes};
use crate::core::building::error::{EditError, Invalid};
use crate::core::directory::{Directory, PermissionForms, Touched};
use crate::core::ledger_replica::OpenError;
use crate::driver_host::{Description, DriverHost};
use crate::model::rules;
use crate::model::{
    ApiKey, Change, ChannelApp, Configuration, Difference, Differences, DriverRef, Edit, Entry,
    EntryId, EntryInfo, Expected, Interface, Module, ModuleId, ModuleName, Password, Service,
    Source, System, SystemId, User, UserId, Version, Zone,
};
use crate::stores::{Document, DocumentId, Write};

/// What a batch of edits comes to.
#[derive(Debug)]
pub(in crate::core) struct Plan {
    pub(in crate::core) next: Directory,
    pub(super) writes: Vec<Write>,
    pub(in crate::core) differences: Differences,
    /// The users whose password is still to be hashed.
    pub(in crate::core) passwords: Vec<UserId>,
}

/// The directory that the store's documents make.
pub(super) fn stored(
    documents: &[Document],
    host: &dyn DriverHost,
    forms: PermissionForms,
) -> Result<Directory, OpenError> {
    let nothing = Directory::new(forms);
    let mut directory = nothing.clone();
    for document in documents {
        let (entry, info) = document.entry()?;
        directory.put(entry, info, |module| describe(host, module));
    }
    let all = Touched::all(&nothing, &directory);
    sound(directory, &nothing, &all, &all)
}

/// The directory after changes that others have planned on this one, and what they touched.
pub(super) fn followed(
    now: &Directory,
    writes: &[Write],
    host: &dyn DriverHost,
) -> Result<(Directory, Touched), OpenError> {
    let mut next = now.clone();
    let mut touched = Touched::default();
    let mut deleted = false;
    for write in writes {
        match write {
            Write::Put(document) => {
                let (entry, info) = document.entry()?;
                touched.insert(entry.id());
                next.put(entry, info, |module| describe(host, module));
            }
            Write::Delete(id) => {
                let id = id.entry()?;
                deleted |= next.remove(&id);
                touched.insert(id);
            }
        }
    }
    // Whether all let go of what they deleted is for the others to know, so it is looked at.
    let everything = deleted.then(|| Touched::all(now, &next));
    let unsure = everything.as_ref().unwrap_or(&touched);
    Ok((sound(next, now, &touched, unsure)?, touched))
}

/// What a driver says of a module. One that this program lacks is its module's problem, and no reason not to go on.
fn describe(host: &dyn DriverHost, module: &Module) -> Description {
    host.describe(&module.driver)
        .unwrap_or_else(|_| undescribed(&module.driver))
}

/// The directory in its order, if its entries go together. `unsure` are those of which that is not known.
fn sound(
    mut directory: Directory,
    before: &Directory,
    touched: &Touched,
    unsure: &Touched,
) -> Result<Directory, OpenError> {
    directory.arrange();
    directory.complete(before, touched);
    let problems = check(&directory, unsure);
    if problems.is_empty() {
        Ok(directory)
    } else {
        Err(OpenError::Unsound(EditError::Invalid(problems).to_string()))
    }
}

fn undescribed(driver: &DriverRef) -> Description {
    let module_name = ModuleName::new(driver.as_str())
        .unwrap_or_else(|_| ModuleName::new("Unknown").expect("the name is a constant"));
    Description {
        module_name,
        text: Arc::from("a driver that this riser does not have"),
        configuration: Configuration::ANY,
        interface: Some(Arc::new(Interface::default())),
    }
}

/// Plans a batch: each edit sees what those before it made, and the rules have to hold at the end.
pub(in crate::core) fn plan(
    now: &Directory,
    edits: Vec<Edit>,
    source: Source,
    time: u64,
    host: &dyn DriverHost,
) -> Result<Plan, EditError> {
    let mut draft = Draft {
        now,
        next: now.clone(),
        host,
        source,
        time,
        touched: Touched::default(),
        deleted: HashSet::new(),
        passwords: Vec::new(),
        problems: Vec::new(),
    };
    for edit in edits {
        draft.make(edit)?;
    }
    draft.release();
    draft.release_places();
    draft.check_uses()?;
    draft.finish()
}

struct Draft<'a> {
    now: &'a Directory,
    next: Directory,
    host: &'a dyn DriverHost,
    source: Source,
    time: u64,
    touched: Touched,
    deleted: HashSet<EntryId>,
    passwords: Vec<UserId>,
    problems: Vec<Invalid>,
}

impl Draft<'_> {
    fn make(&mut self, edit: Edit) -> Result<(), EditError> {
        let id = edit.id();
        let actual = self.next.info(&id).map(|info| info.version);
        let holds = match edit.expected {
            Expected::Anything => true,
            Expected::Absent => actual.is_none(),
            Expected::First => !self.next.ids().any(|other| other.kind() == id.kind()),
            Expected::Version(expected) => actual == Some(expected),
        };
        if !holds {
            let expected = edit.expected;
            return Err(EditError::Conflict {
                id,
                expected,
                actual,
            });
        }
        match edit.change {
            Change::Put(entry) => {
                self.deleted.remove(&id);
                self.put(&id, *entry);
            }
            Change::Delete(_) if !self.next.remove(&id) => return Err(EditError::NotFound(id)),
            Change::Delete(_) => {
                self.deleted.insert(id.clone());
            }
        }
        self.touched.insert(id);
        Ok(())
    }

    fn put(&mut self, id: &EntryId, entry: Entry) {
        let entry = match entry {
            Entry::ApiKey(key) => Entry::ApiKey(self.hashed(key)),
            Entry::User(user) => {
                self.check_password(id, &user);
                Entry::User(self.without_plain_password(user))
            }
            entry @ (Entry::Zone(_)
            | Entry::System(_)
            | Entry::Module(_)
            | Entry::Metadata(_)
            | Entry::Entity(_)
            | Entry::Command(_)
            | Entry::App(_)
            | Entry::Service(_)
            | Entry::Procedure(_)
            | Entry::Hook(_)
            | Entry::Trigger(_)) => entry,
        };
        let info = match (self.next.info(id), self.source) {
            // An edit by a caller of an entry that a file owns leaves it the file's.
            (Some(info), Source::Elsewhere) => *info,
            (Some(info), source) => EntryInfo { source, ..*info },
            (None, source) => EntryInfo {
                source,
                version: Version(0),
                created_at: self.time,
                updated_at: self.time,
                // The place of what this batch has taken away is not free: it may come back to it.
                place: self.next.next_place(id).max(self.now.next_place(id)),
            },
        };
        let Self {
            next,
            host,
            problems,
            ..
        } = self;
        next.put(entry, info, |module| {
            if let (DriverRef::Process(_), None) = (&module.driver, &module.name) {
                problems.push(Invalid {
                    id: id.clone(),
                    field: "name",
                    reason:
                        "must be there, since a driver that is a process has none for its modules"
                            .to_owned(),
                });
            }
            host.describe(&module.driver).unwrap_or_else(|error| {
                problems.push(Invalid {
                    id: id.clone(),
                    field: "driver",
                    reason: format!("cannot be used: {error}"),
                });
                undescribed(&module.driver)
            })
        });
    }

    /// The same secret keeps its hash, so that nothing changes.
    fn hashed(&self, mut key: ApiKey) -> ApiKey {
        let stored = self.now.api_key(&key.id).map(|stored| &stored.secret);
        key.secret = resolve_key_secret(key.secret, stored);
        key
    }

    /// A password that comes in is one that can be compared with.
    fn check_password(&mut self, id: &EntryId, user: &User) {
        let stored = self.now.user(&user.id).map(|stored| &stored.password);
        let wrong = match &user.password {
            Some(Password::Plain(password)) if password.expose().is_empty() => {
                Some(("password", "is empty"))
            }
            // What is kept already is not compared with either.
            Some(Password::Hashed(hash))
                if !rules::is_password_hash(hash.expose()) && stored != Some(&user.password) =>
            {
                Some((
                    "password_hash",
                    "is no argon2 hash, or one that costs too much to compare with",
                ))
            }
            Some(Password::Plain(_) | Password::Hashed(_)) | None => None,
        };
        if let Some((field, reason)) = wrong {
            self.problems.push(Invalid {
                id: id.clone(),
                field,
                reason: reason.to_owned(),
            });
        }
    }

    /// A password is hashed before or after; until then the one that is there holds.
    fn without_plain_password(&mut self, mut user: User) -> User {
        if let Some(Password::Plain(_)) = user.password {
            self.passwords.push(user.id.clone());
            let stored = self.now.user(&user.id);
            user.password = stored.and_then(|stored| stored.password.clone());
        }
        user
    }

    /// Removes references to deleted entries. In entries that this batch itself puts, such a reference is a mistake and stays.
    fn release(&mut self) {
        if self.deleted.is_empty() {
            return;
        }
        let ids: Vec<EntryId> = self.next.ids().collect();
        let there: HashSet<&str> = ids.iter().filter_map(parent_of_metadata).collect();
        let mut changed = Vec::new();
        let mut removed = Vec::new();
        for id in &ids {
            if self.touched.contains(id) {
                continue;
            }
            match id {
                EntryId::Zone(id) => {
                    changed.extend(self.next.zone(id).and_then(|zone| self.release_zone(zone)))
                }
                EntryId::System(id) => {
                    changed.extend(
                        self.next
                            .system(id)
                            .and_then(|system| self.release_system(system)),
                    );
                }
                EntryId::ApiKey(key) => {
                    match self.next.api_key(key).map(|key| self.release_key(key)) {
                        Some(Released::Changed(key)) => changed.push(Entry::ApiKey(*key)),
                        Some(Released::Gone) => removed.push(id.clone()),
                        Some(Released::Unchanged) | None => {}
                    }
                }
                EntryId::Metadata(metadata) => {
                    if !there.contains(metadata.parent.as_str()) {
                        removed.push(id.clone());
                    }
                }
                EntryId::App(id) => {
                    changed.extend(self.next.app(id).and_then(|app| self.release_app(app)));
                }
                EntryId::Service(id) => {
                    let service = self.next.service(id);
                    changed.extend(service.and_then(|service| self.release_service(service)));
                }
                // Without its procedure a hook does nothing. Whoever edits is told of it instead.
                EntryId::Hook(name) if self.source != Source::Elsewhere => {
                    let run = self.next.hook(name).and_then(|hook| hook.run.clone());
                    if run.is_some_and(|run| self.is_deleted(EntryId::Procedure(run))) {
                        removed.push(id.clone());
                    }
                }
                // What it says is of that system.
                EntryId::Trigger(name) => {
                    let system = self.next.trigger(name).and_then(|it| it.system.clone());
                    if system.is_some_and(|system| self.is_deleted(EntryId::System(system))) {
                        removed.push(id.clone());
                    }
                }
                EntryId::Procedure(_)
                | EntryId::Hook(_)
                | EntryId::Module(_)
                | EntryId::User(_)
                | EntryId::Entity(_)
                | EntryId::Command(_) => {}
            }
        }
        for entry in changed {
            let id = entry.id();
            if let Some(info) = self.next.info(&id).copied() {
                self.next
                    .put(entry, info, |module| undescribed(&module.driver));
            }
            self.touched.insert(id);
        }
        for id in removed {
            self.next.remove(&id);
            self.touched.insert(id);
        }
    }

    /// Removes entities and commands whose module has left the place that they name. One that this batch itself puts is a mistake and stays.
    fn release_places(&mut self) {
        let touched = self.touched.systems();
        let around = self.touched.modules();
        let around = around.flat_map(|module| self.now.systems_of(module));
        let systems: HashSet<&SystemId> = touched.chain(around.map(|system| &system.id)).collect();
        if systems.is_empty() {
            return;
        }
        let has_left = |id: &EntryId| {
            let place = self.next.place_of(id).map(|(place, _)| place);
            place.is_some_and(|place| {
                systems.contains(&place.system)
                    && !self.next.is_taken(place)
                    && self.now.is_taken(place)
            })
        };
        let entities = self.next.entities();
        let entities = entities.map(|entity| EntryId::Entity(entity.status.clone()));
        let commands = self.next.commands();
        let commands = commands.map(|command| EntryId::Command(command.command.clone()));
        let others = entities.chain(commands);
        let others = others.filter(|id| !self.touched.contains(id));
        let left: Vec<EntryId> = others.filter(has_left).collect();
        for id in left {
            self.next.remove(&id);
            self.touched.insert(id);
        }
    }

    /// A procedure stays while something runs it that this batch does not touch. What a file has no longer is gone all the same.
    fn check_uses(&self) -> Result<(), EditError> {
        if self.source != Source::Elsewhere {
            return Ok(());
        }
        for id in &self.deleted {
            let EntryId::Procedure(procedure) = id else {
                continue;
            };
            let users = automation::users(&self.next, procedure).into_iter();
            let by: Vec<EntryId> = users.filter(|user| !self.touched.contains(user)).collect();
            if !by.is_empty() {
                let id = id.clone();
                return Err(EditError::InUse { id, by });
            }
        }
        Ok(())
    }

    fn is_deleted(&self, id: EntryId) -> bool {
        self.deleted.contains(&id)
    }

    fn release_zone(&self, zone: &Zone) -> Option<Entry> {
        let parent = zone.parent_id.clone()?;
        self.is_deleted(EntryId::Zone(parent)).then(|| {
            Entry::Zone(Zone {
                parent_id: None,
                ..zone.clone()
            })
        })
    }

    fn release_system(&self, system: &System) -> Option<Entry> {
        let mut kept = system.clone();
        kept.zones
            .retain(|zone| !self.is_deleted(EntryId::Zone(zone.clone())));
        kept.modules
            .retain(|module| !self.is_deleted(EntryId::Module(module.clone())));
        (kept != *system).then_some(Entry::System(kept))
    }

    /// Without its user an app reaches no room.
    fn release_app(&self, app: &ChannelApp) -> Option<Entry> {
        let user = app.user.clone()?;
        self.is_deleted(EntryId::User(user)).then(|| {
            Entry::App(ChannelApp {
                user: None,
                ..app.clone()
            })
        })
    }

    fn release_service(&self, service: &Service) -> Option<Entry> {
        let mut kept = service.clone();
        kept.systems
            .retain(|system| !self.is_deleted(EntryId::System(system.clone())));
        (kept != *service).then_some(Entry::Service(kept))
    }

    fn release_key(&self, key: &ApiKey) -> Released {
        if self.is_deleted(EntryId::User(key.user.clone())) {
            return Released::Gone;
        }
        let mut kept = key.clone();
        kept.systems
            .retain(|system| !self.is_deleted(EntryId::System(system.clone())));
        kept.zones
            .retain(|zone| !self.is_deleted(EntryId::Zone(zone.clone())));
        if kept == *key {
            Released::Unchanged
        } else if kept.systems.is_empty() && kept.zones.is_empty() {
            // Without any restriction left it would open everything.
            Released::Gone
        } else {
            Released::Changed(Box::new(kept))
        }
    }

    fn finish(self) -> Result<Plan, EditError> {
        let Self {
            now,
            mut next,
            touched,
            passwords,
            mut problems,
            time,
            ..
        } = self;
        next.complete(now, &touched);
        problems.extend(check(&next, &touched));
        for id in next.reconfigured(now, &touched) {
            problems.extend(misconfigured(now, &next, &id));
        }
        problems.extend(touched.iter().filter_map(|id| misread(&next, id)));
        problems.extend(touched.iter().flat_map(|id| mistakes(&next, id)));
        if !problems.is_empty() {
            return Err(EditError::Invalid(problems));
        }
        let mut writes = Vec::new();
        let mut differences = Vec::new();
        let mut is_out_of_order = false;
        for id in touched.iter() {
            let (before, after) = (now.entry(id), next.entry(id));
            let (was, is) = (now.info(id).copied(), next.info(id).copied());
            let (Some(after), Some(is)) = (after, is) else {
                if before.is_some() {
                    writes.push(Write::Delete(DocumentId::of(id)));
                    differences.push((Difference::Removed, id.clone()));
                }
                continue;
            };
            let unchanged =
                before.as_ref() == Some(&after) && was.map(|was| was.source) == Some(is.source);
            if unchanged {
                next.put_back(id, now);
                is_out_of_order |= was.map(|was| was.place) != Some(is.place);
                continue;
            }
            let info = EntryInfo {
                version: Version(was.map_or(0, |was| was.version.0) + 1),
                created_at: was.map_or(is.created_at, |was| was.created_at),
                updated_at: time,
                ..is
            };
            next.set_info(id, info);
            writes.push(Write::Put(Document::of(&after, &info)));
            let difference = match before {
                Some(_) => Difference::Changed,
                None => Difference::Added,
            };
            differences.push((difference, id.clone()));
        }
        if is_out_of_order {
            // What was deleted and made again as it was has its place back.
            next.arrange();
            next.complete(now, &touched);
        }
        Ok(Plan {
            next,
            writes,
            differences: Differences(differences),
            passwords,
        })
    }
}

/// What is wrong with what an entry says that zones allow. What a store has already stays, and closes its rooms.
fn misread(next: &Directory, id: &EntryId) -> Option<Invalid> {
    let EntryId::Metadata(metadata) = id else {
        return None;
    };
    let reason = next.misread(metadata)?;
    Some(Invalid {
        id: id.clone(),
        field: "details",
        reason: reason.to_owned(),
    })
}

/// What a key becomes when things that it refers to are deleted.
enum Released {
    Unchanged,
    Changed(Box<ApiKey>),
    Gone,
}

/// The id under which an entry can have metadata.
fn parent_of_metadata(id: &EntryId) -> Option<&str> {
    match id {
        EntryId::Zone(id) => Some(id.as_str()),
        EntryId::System(id) => Some(id.as_str()),
        EntryId::Module(id) => Some(ModuleId::as_str(id)),
        EntryId::User(id) => Some(id.as_str()),
        EntryId::ApiKey(_)
        | EntryId::Metadata(_)
        | EntryId::Entity(_)
        | EntryId::Command(_)
        | EntryId::App(_)
        | EntryId::Service(_)
        | EntryId::Procedure(_)
        | EntryId::Hook(_)
        | EntryId::Trigger(_) => None,
    }
}
