//! Who is there: zones, systems, modules, users, keys, metadata, as one snapshot that is never changed once others see it.
//!
//! Cheap to copy, since entries are shared: the next snapshot is a copy of this one with some entries replaced, which `building` makes.
//! The slots that a binding path resolves through are the watch table's; this yields them when the table is brought in line.

mod zone_permissions;

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::driver_host::Description;
use crate::model::{
    ApiKey, Building, Entry, EntryId, EntryInfo, Interface, KeyId, Metadata, MetadataId, Module,
    ModuleId, ModuleIndex, ModuleName, OnChange, Slots, System, SystemId, User, UserId, Zone,
    ZoneId,
};

pub(in crate::core) use zone_permissions::{PermissionForms, Permissions};

/// A snapshot of the building.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    zones: IndexMap<ZoneId, Stored<Zone>>,
    systems: IndexMap<SystemId, Stored<System>>,
    modules: IndexMap<ModuleId, ModuleEntry>,
    users: IndexMap<UserId, Stored<User>>,
    api_keys: IndexMap<KeyId, Stored<ApiKey>>,
    metadata: IndexMap<MetadataId, Stored<Metadata>>,
    standing: HashMap<ModuleId, Vec<SystemId>>,
    permissions: Permissions,
    permission_forms: Option<PermissionForms>,
}

/// An entry and what is known of it.
#[derive(Debug, Clone)]
struct Stored<T> {
    entry: Arc<T>,
    info: EntryInfo,
}

/// A module with what its driver says of itself.
#[derive(Debug, Clone)]
pub struct ModuleEntry {
    /// The module.
    pub module: Arc<Module>,
    /// The name that clients use.
    pub name: ModuleName,
    /// What is known of it beside its content.
    pub info: EntryInfo,
    description: Description,
}

impl ModuleEntry {
    /// Its functions, if its driver says them before it runs.
    pub fn interface(&self) -> Option<&Arc<Interface>> {
        self.description.interface.as_ref()
    }

    /// What becomes of it when its settings change.
    pub(in crate::core) fn on_change(&self) -> OnChange {
        self.description.configuration.on_change
    }

    /// What its driver's modules are called unless the building says otherwise.
    pub fn driver_module_name(&self) -> &ModuleName {
        &self.description.module_name
    }

    /// What its driver is, for people.
    pub fn driver_text(&self) -> &str {
        &self.description.text
    }
}

impl Directory {
    /// A directory of nothing, which knows how zones say what they allow.
    pub(super) fn new(forms: PermissionForms) -> Self {
        Self {
            permission_forms: Some(forms),
            ..Self::default()
        }
    }

    /// All zones, in the order in which they were made.
    pub fn zones(&self) -> impl ExactSizeIterator<Item = &Zone> + Clone {
        self.zones.values().map(|stored| &*stored.entry)
    }

    /// All systems, in the order in which they were made.
    pub fn systems(&self) -> impl ExactSizeIterator<Item = &System> {
        self.systems.values().map(|stored| &*stored.entry)
    }

    /// All modules, in the order in which they were made.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &ModuleEntry> {
        self.modules.values()
    }

    /// All users.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> {
        self.users.values().map(|stored| &*stored.entry)
    }

    /// All API keys. Their secrets are hashes.
    pub fn api_keys(&self) -> impl ExactSizeIterator<Item = &ApiKey> {
        self.api_keys.values().map(|stored| &*stored.entry)
    }

    /// All metadata.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = &Metadata> {
        self.metadata.values().map(|stored| &*stored.entry)
    }

    /// A zone by its id.
    pub fn zone(&self, id: &ZoneId) -> Option<&Zone> {
        self.zones.get(id).map(|stored| &*stored.entry)
    }

    /// A system by its id.
    pub fn system(&self, id: &SystemId) -> Option<&System> {
        self.systems.get(id).map(|stored| &*stored.entry)
    }

    /// A module by its id.
    pub fn module(&self, id: &ModuleId) -> Option<&ModuleEntry> {
        self.modules.get(id)
    }

    /// A user by their id.
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.users.get(id).map(|stored| &*stored.entry)
    }

    /// An API key by the public half.
    pub fn api_key(&self, id: &KeyId) -> Option<&ApiKey> {
        self.api_keys.get(id).map(|stored| &*stored.entry)
    }

    /// Metadata of an entry by its name.
    pub fn metadata_by_id(&self, id: &MetadataId) -> Option<&Metadata> {
        self.metadata.get(id).map(|stored| &*stored.entry)
    }

    /// What is known of an entry beside its content; `None` when there is no such entry.
    pub fn info(&self, id: &EntryId) -> Option<&EntryInfo> {
        match id {
            EntryId::Zone(id) => self.zones.get(id).map(|stored| &stored.info),
            EntryId::System(id) => self.systems.get(id).map(|stored| &stored.info),
            EntryId::Module(id) => self.modules.get(id).map(|entry| &entry.info),
            EntryId::User(id) => self.users.get(id).map(|stored| &stored.info),
            EntryId::ApiKey(id) => self.api_keys.get(id).map(|stored| &stored.info),
            EntryId::Metadata(id) => self.metadata.get(id).map(|stored| &stored.info),
        }
    }

    /// What zones allow groups of people.
    pub(super) fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// The systems that a module stands in.
    pub fn systems_of(&self, module: &ModuleId) -> impl Iterator<Item = &System> {
        self.standing
            .get(module)
            .into_iter()
            .flatten()
            .filter_map(|id| self.system(id))
    }

    /// The modules of a system, in its order.
    pub fn modules_of(&self, system: &System) -> impl Iterator<Item = &ModuleEntry> {
        system
            .modules
            .iter()
            .filter_map(|module| self.modules.get(module))
    }

    /// An entry, whole.
    pub fn entry(&self, id: &EntryId) -> Option<Entry> {
        match id {
            EntryId::Zone(id) => self.zone(id).cloned().map(Entry::Zone),
            EntryId::System(id) => self.system(id).cloned().map(Entry::System),
            EntryId::Module(id) => {
                let entry = self.modules.get(id)?;
                Some(Entry::Module(Module::clone(&entry.module)))
            }
            EntryId::User(id) => self.user(id).cloned().map(Entry::User),
            EntryId::ApiKey(id) => self.api_key(id).cloned().map(Entry::ApiKey),
            EntryId::Metadata(id) => self.metadata_by_id(id).cloned().map(Entry::Metadata),
        }
    }

    /// The ids of all entries, what is referred to before what refers to it.
    pub fn ids(&self) -> impl Iterator<Item = EntryId> {
        let zones = self.zones.keys().cloned().map(EntryId::Zone);
        let modules = self.modules.keys().cloned().map(EntryId::Module);
        let systems = self.systems.keys().cloned().map(EntryId::System);
        let users = self.users.keys().cloned().map(EntryId::User);
        let api_keys = self.api_keys.keys().cloned().map(EntryId::ApiKey);
        let metadata = self.metadata.keys().cloned().map(EntryId::Metadata);
        zones
            .chain(modules)
            .chain(systems)
            .chain(users)
            .chain(api_keys)
            .chain(metadata)
    }

    /// The whole building, for a file.
    pub fn to_building(&self) -> Building {
        Building {
            zones: self.zones().cloned().collect(),
            systems: self.systems().cloned().collect(),
            modules: self
                .modules()
                .map(|entry| Module::clone(&entry.module))
                .collect(),
            users: self.users().cloned().collect(),
            api_keys: self.api_keys().cloned().collect(),
            metadata: self.metadata().cloned().collect(),
        }
    }

    /// Which module stands behind each name and index of a system: like-named modules count from 1 in the system's order.
    pub(super) fn slots(&self, system: &System) -> Slots {
        let mut next: HashMap<&ModuleName, ModuleIndex> = HashMap::new();
        let mut slots = Slots::new();
        for entry in self.modules_of(system) {
            let index = next.entry(&entry.name).or_insert(ModuleIndex::FIRST);
            slots.insert((entry.name.clone(), *index), entry.module.id.clone());
            *index = index.next();
        }
        slots
    }

    /// A user, to be kept.
    pub(super) fn shared_user(&self, id: &UserId) -> Option<Arc<User>> {
        self.users.get(id).map(|stored| Arc::clone(&stored.entry))
    }

    /// A user by their address, in any case.
    pub(super) fn user_by_email(&self, email: &str) -> Option<Arc<User>> {
        let mut users = self.users.values();
        let found = users.find(|stored| stored.entry.email.eq_ignore_ascii_case(email))?;
        Some(Arc::clone(&found.entry))
    }

    // Below: how a snapshot is made, before others see it.

    /// The place behind all entries of the kind of this one.
    pub(super) fn next_place(&self, id: &EntryId) -> u64 {
        let last = match id {
            EntryId::Zone(_) => last_place(&self.zones),
            EntryId::System(_) => last_place(&self.systems),
            EntryId::Module(_) => self.modules.values().last().map(|entry| entry.info.place),
            EntryId::User(_) => last_place(&self.users),
            EntryId::ApiKey(_) => last_place(&self.api_keys),
            EntryId::Metadata(_) => last_place(&self.metadata),
        };
        last.unwrap_or(0) + 1
    }

    /// Puts an entry in place of the one with its id, or behind all others. `description` is what the driver of a module says of itself.
    pub(super) fn put(
        &mut self,
        entry: Entry,
        info: EntryInfo,
        description: impl FnOnce(&Module) -> Description,
    ) {
        match entry {
            Entry::Zone(zone) => put(&mut self.zones, zone.id.clone(), zone, info),
            Entry::System(system) => put(&mut self.systems, system.id.clone(), system, info),
            Entry::User(user) => put(&mut self.users, user.id.clone(), user, info),
            Entry::ApiKey(key) => put(&mut self.api_keys, key.id.clone(), key, info),
            Entry::Metadata(metadata) => {
                put(&mut self.metadata, metadata.id.clone(), metadata, info);
            }
            Entry::Module(module) => {
                let description = description(&module);
                let name = module.name.clone();
                let entry = ModuleEntry {
                    name: name.unwrap_or_else(|| description.module_name.clone()),
                    module: Arc::new(module),
                    info,
                    description,
                };
                self.modules.insert(entry.module.id.clone(), entry);
            }
        }
    }

    /// Other things are known of an entry.
    pub(super) fn set_info(&mut self, id: &EntryId, info: EntryInfo) {
        let place = match id {
            EntryId::Zone(id) => self.zones.get_mut(id).map(|stored| &mut stored.info),
            EntryId::System(id) => self.systems.get_mut(id).map(|stored| &mut stored.info),
            EntryId::Module(id) => self.modules.get_mut(id).map(|entry| &mut entry.info),
            EntryId::User(id) => self.users.get_mut(id).map(|stored| &mut stored.info),
            EntryId::ApiKey(id) => self.api_keys.get_mut(id).map(|stored| &mut stored.info),
            EntryId::Metadata(id) => self.metadata.get_mut(id).map(|stored| &mut stored.info),
        };
        if let Some(place) = place {
            *place = info;
        }
    }

    /// Takes an entry out. Whether there was one.
    pub(super) fn remove(&mut self, id: &EntryId) -> bool {
        match id {
            EntryId::Zone(id) => self.zones.shift_remove(id).is_some(),
            EntryId::System(id) => self.systems.shift_remove(id).is_some(),
            EntryId::Module(id) => self.modules.shift_remove(id).is_some(),
            EntryId::User(id) => self.users.shift_remove(id).is_some(),
            EntryId::ApiKey(id) => self.api_keys.shift_remove(id).is_some(),
            EntryId::Metadata(id) => self.metadata.shift_remove(id).is_some(),
        }
    }

    /// Brings the entries of each kind in the order of their places, for a snapshot whose entries were not put in that order.
    pub(super) fn arrange(&mut self) {
        arrange(&mut self.zones);
        arrange(&mut self.systems);
        self.modules.sort_by_key(|_, entry| entry.info.place);
        arrange(&mut self.users);
        arrange(&mut self.api_keys);
        arrange(&mut self.metadata);
    }

    /// Looks up anew which systems each module stands in, and what zones allow. To be called when all entries are in place.
    pub(super) fn complete(&mut self) {
        self.permissions = match self.permission_forms {
            Some(forms) => Permissions::of(self.zones(), self.metadata(), forms),
            None => Permissions::default(),
        };
        self.standing.clear();
        for stored in self.systems.values() {
            for module in &stored.entry.modules {
                self.standing
                    .entry(module.clone())
                    .or_default()
                    .push(stored.entry.id.clone());
            }
        }
    }
}

fn last_place<I, T>(entries: &IndexMap<I, Stored<T>>) -> Option<u64> {
    entries.values().last().map(|stored| stored.info.place)
}

fn arrange<I: std::hash::Hash + Eq, T>(entries: &mut IndexMap<I, Stored<T>>) {
    entries.sort_by_key(|_, stored| stored.info.place);
}

fn put<I: std::hash::Hash + Eq, T>(
    entries: &mut IndexMap<I, Stored<T>>,
    id: I,
    entry: T,
    info: EntryInfo,
) {
    let entry = Arc::new(entry);
    entries.insert(id, Stored { entry, info });
}
