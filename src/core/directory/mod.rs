//! What is there: zones, systems, modules, users, keys, metadata, entities, commands, apps, services, procedures, hooks, triggers, as one snapshot that is never changed once others see it.
//!
//! The next snapshot is a copy of this one with some entries replaced, which `building` makes.
//! A copy costs nothing: it shares the entries of each kind until the first of them is replaced, and from then on each entry that is not.
//! The slots that a binding path resolves through are the watch table's; this yields them when the table is brought in line.

mod own_modules;
mod service_views;
mod settings;
mod touched;
mod zone_permissions;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::driver_host::Description;
use crate::model::{
    ApiKey, AppId, AppKey, BindingPath, Building, ChannelApp, CommandType, CustomCommand,
    EntityOverride, Entry, EntryId, EntryInfo, EntryKind, Hook, HookName, Interface, JsonText,
    KeyId, Metadata, MetadataId, Module, ModuleId, ModuleIndex, ModuleName, ModulePath, OnChange,
    Procedure, ProcedureId, Service, ServiceKey, Slots, StatusName, StatusPath, System, SystemId,
    Trigger, TriggerId, Unfit, User, UserId, Zone, ZoneId,
};

use own_modules::OwnModules;

pub use own_modules::{ALERTS_DRIVER, TRIGGER_HISTORY, TRIGGER_NOTIFY, TRIGGERS_DRIVER};
pub(in crate::core) use touched::Touched;
pub(in crate::core) use zone_permissions::{PermissionForms, Permissions};

/// A snapshot of the building.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    zones: Arc<IndexMap<ZoneId, Stored<Zone>>>,
    systems: Arc<IndexMap<SystemId, Stored<System>>>,
    modules: Arc<IndexMap<ModuleId, Arc<ModuleEntry>>>,
    users: Arc<IndexMap<UserId, Stored<User>>>,
    api_keys: Arc<IndexMap<KeyId, Stored<ApiKey>>>,
    metadata: Arc<IndexMap<MetadataId, Stored<Metadata>>>,
    entities: Arc<IndexMap<StatusPath, Stored<EntityOverride>>>,
    commands: Arc<IndexMap<CommandType, Stored<CustomCommand>>>,
    apps: Arc<IndexMap<AppId, Stored<ChannelApp>>>,
    services: Arc<IndexMap<ServiceKey, Stored<Service>>>,
    procedures: Arc<IndexMap<ProcedureId, Stored<Procedure>>>,
    hooks: Arc<IndexMap<HookName, Stored<Hook>>>,
    triggers: Arc<IndexMap<TriggerId, Stored<Trigger>>>,
    /// The app of each key, since every connection to an app asks for it.
    app_keys: Arc<HashMap<String, AppId>>,
    /// Those that follow from the other entries.
    own_modules: Arc<OwnModules>,
    /// The systems of each module that stands in any, in the order of the systems.
    standing: Arc<HashMap<ModuleId, Arc<[SystemId]>>>,
    permissions: Arc<Permissions>,
    permission_forms: Option<PermissionForms>,
}

/// An entry and what is known of it.
#[derive(Debug)]
struct Stored<T> {
    entry: Arc<T>,
    info: EntryInfo,
}

/// Whatever the entry is, it is shared.
impl<T> Clone for Stored<T> {
    fn clone(&self) -> Self {
        Self {
            entry: Arc::clone(&self.entry),
            info: self.info,
        }
    }
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

    /// Everything that its driver would not take of this URI and these settings.
    pub(super) fn check(&self, uri: Option<&str>, settings: &JsonText) -> Vec<Unfit> {
        self.description.configuration.check(uri, settings)
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

    /// All zones, to be kept.
    pub(super) fn shared_zones(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.zones.values().map(|stored| &stored.entry)
    }

    /// All systems, to be kept.
    pub(super) fn shared_systems(&self) -> impl Iterator<Item = &Arc<System>> {
        self.systems.values().map(|stored| &stored.entry)
    }

    /// All systems, in the order in which they were made.
    pub fn systems(&self) -> impl ExactSizeIterator<Item = &System> {
        self.systems.values().map(|stored| &*stored.entry)
    }

    /// All modules that can run, those of the building's own behind the others.
    pub(super) fn all_modules(&self) -> impl Iterator<Item = &ModuleEntry> {
        self.modules().chain(self.own_modules.iter())
    }

    /// All modules that somebody has made, in the order in which they were made.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &ModuleEntry> {
        self.modules.values().map(|entry| &**entry)
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

    /// How statuses are to look as entities.
    pub fn entities(&self) -> impl ExactSizeIterator<Item = &EntityOverride> {
        self.entities.values().map(|stored| &*stored.entry)
    }

    /// The same, to be kept.
    pub(super) fn shared_entities(&self) -> impl Iterator<Item = &Arc<EntityOverride>> {
        self.entities.values().map(|stored| &stored.entry)
    }

    /// Commands of the building's own.
    pub fn commands(&self) -> impl ExactSizeIterator<Item = &CustomCommand> {
        self.commands.values().map(|stored| &*stored.entry)
    }

    /// The same, to be kept.
    pub(super) fn shared_commands(&self) -> impl Iterator<Item = &Arc<CustomCommand>> {
        self.commands.values().map(|stored| &stored.entry)
    }

    /// Apps with channels of their own.
    pub fn apps(&self) -> impl ExactSizeIterator<Item = &ChannelApp> {
        self.apps.values().map(|stored| &*stored.entry)
    }

    /// The same, to be kept.
    pub(super) fn shared_apps(&self) -> impl Iterator<Item = &Arc<ChannelApp>> {
        self.apps.values().map(|stored| &stored.entry)
    }

    /// Services that send messages to people's devices.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &Service> {
        self.services.values().map(|stored| &*stored.entry)
    }

    /// The services of this name, of which there may be several.
    pub fn services_named(&self, name: &str) -> impl Iterator<Item = &Service> {
        self.services().filter(move |service| service.name == name)
    }

    /// Procedures, which can be run by name.
    pub fn procedures(&self) -> impl ExactSizeIterator<Item = &Procedure> {
        self.procedures.values().map(|stored| &*stored.entry)
    }

    /// The same, to be kept.
    pub fn shared_procedures(&self) -> impl ExactSizeIterator<Item = &Arc<Procedure>> {
        self.procedures.values().map(|stored| &stored.entry)
    }

    /// Hooks, which do something when their address is called.
    pub fn hooks(&self) -> impl ExactSizeIterator<Item = &Hook> {
        self.hooks.values().map(|stored| &*stored.entry)
    }

    /// Triggers, which do something when conditions hold.
    pub fn triggers(&self) -> impl ExactSizeIterator<Item = &Trigger> {
        self.triggers.values().map(|stored| &*stored.entry)
    }

    /// A zone by its id.
    pub fn zone(&self, id: &ZoneId) -> Option<&Zone> {
        self.zones.get(id).map(|stored| &*stored.entry)
    }

    /// A system by its id.
    pub fn system(&self, id: &SystemId) -> Option<&System> {
        self.systems.get(id).map(|stored| &*stored.entry)
    }

    /// A module by its id, also one of the building's own.
    pub fn module(&self, id: &ModuleId) -> Option<&ModuleEntry> {
        let made = self.modules.get(id).map(|entry| &**entry);
        made.or_else(|| self.own_modules.get(id))
    }

    /// Whether a module is not to run on any node.
    pub(super) fn is_stopped(&self, id: &ModuleId) -> bool {
        let entry = self.module(id);
        entry.is_some_and(|entry| !entry.module.is_to_run())
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

    /// How a status is to look as an entity.
    pub fn entity(&self, status: &StatusPath) -> Option<&EntityOverride> {
        self.entities.get(status).map(|stored| &*stored.entry)
    }

    /// A command by its type.
    pub fn command(&self, command: &CommandType) -> Option<&CustomCommand> {
        self.commands.get(command).map(|stored| &*stored.entry)
    }

    /// An app by its id.
    pub fn app(&self, id: &AppId) -> Option<&ChannelApp> {
        self.apps.get(id).map(|stored| &*stored.entry)
    }

    /// A service by its public key.
    pub fn service(&self, key: &ServiceKey) -> Option<&Service> {
        self.services.get(key).map(|stored| &*stored.entry)
    }

    /// A procedure by its id.
    pub fn procedure(&self, id: &ProcedureId) -> Option<&Arc<Procedure>> {
        self.procedures.get(id).map(|stored| &stored.entry)
    }

    /// A hook by its name.
    pub fn hook(&self, name: &HookName) -> Option<&Arc<Hook>> {
        self.hooks.get(name).map(|stored| &stored.entry)
    }

    /// A trigger by its id.
    pub fn trigger(&self, id: &TriggerId) -> Option<&Arc<Trigger>> {
        self.triggers.get(id).map(|stored| &stored.entry)
    }

    /// The module that runs a trigger.
    pub fn trigger_module(&self, id: &TriggerId) -> Option<ModuleId> {
        self.own_modules.of_trigger(id).cloned()
    }

    /// An app by one of its keys, and the key with its secret.
    pub fn app_of_key(&self, key: &str) -> Option<(&ChannelApp, &AppKey)> {
        let app = self.app(self.app_keys.get(key)?)?;
        Some((app, app.key(key)?))
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
            EntryId::Entity(id) => self.entities.get(id).map(|stored| &stored.info),
            EntryId::Command(id) => self.commands.get(id).map(|stored| &stored.info),
            EntryId::App(id) => self.apps.get(id).map(|stored| &stored.info),
            EntryId::Service(id) => self.services.get(id).map(|stored| &stored.info),
            EntryId::Procedure(id) => self.procedures.get(id).map(|stored| &stored.info),
            EntryId::Hook(id) => self.hooks.get(id).map(|stored| &stored.info),
            EntryId::Trigger(id) => self.triggers.get(id).map(|stored| &stored.info),
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
            .flat_map(|systems| &**systems)
            .chain(self.own_modules.system_of(module))
            .filter_map(|id| self.system(id))
    }

    /// The modules of a system that somebody has put there, in its order.
    pub fn modules_of(&self, system: &System) -> impl Iterator<Item = &ModuleEntry> {
        system
            .modules
            .iter()
            .filter_map(|module| self.module(module))
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
            EntryId::Entity(id) => self.entity(id).cloned().map(Entry::Entity),
            EntryId::Command(id) => self.command(id).cloned().map(Entry::Command),
            EntryId::App(id) => self.app(id).cloned().map(Entry::App),
            EntryId::Service(id) => self.service(id).cloned().map(Entry::Service),
            EntryId::Procedure(id) => self
                .procedure(id)
                .map(|it| Entry::Procedure(Procedure::clone(it))),
            EntryId::Hook(id) => self.hook(id).map(|it| Entry::Hook(Hook::clone(it))),
            EntryId::Trigger(id) => self
                .trigger(id)
                .map(|it| Entry::Trigger(Trigger::clone(it))),
        }
    }

    /// Whether there is an entry of this kind; metadata have no id of one part, and nothing refers to entities, commands, apps, services, hooks and triggers.
    pub(super) fn has(&self, kind: EntryKind, id: &str) -> bool {
        match kind {
            EntryKind::Zone => self.zones.contains_key(id),
            EntryKind::System => self.systems.contains_key(id),
            EntryKind::Module => self.modules.contains_key(id),
            EntryKind::User => self.users.contains_key(id),
            EntryKind::ApiKey => self.api_keys.contains_key(id),
            EntryKind::Procedure => self.procedures.contains_key(id),
            EntryKind::Metadata
            | EntryKind::Entity
            | EntryKind::Command
            | EntryKind::App
            | EntryKind::Service
            | EntryKind::Hook
            | EntryKind::Trigger => false,
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
        let entities = self.entities.keys().cloned().map(EntryId::Entity);
        let commands = self.commands.keys().cloned().map(EntryId::Command);
        let apps = self.apps.keys().cloned().map(EntryId::App);
        let services = self.services.keys().cloned().map(EntryId::Service);
        let procedures = self.procedures.keys().cloned().map(EntryId::Procedure);
        let hooks = self.hooks.keys().cloned().map(EntryId::Hook);
        let triggers = self.triggers.keys().cloned().map(EntryId::Trigger);
        zones
            .chain(modules)
            .chain(systems)
            .chain(users)
            .chain(api_keys)
            .chain(metadata)
            .chain(entities)
            .chain(commands)
            .chain(apps)
            .chain(services)
            .chain(procedures)
            .chain(hooks)
            .chain(triggers)
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
            entities: self.entities().cloned().collect(),
            commands: self.commands().cloned().collect(),
            apps: self.apps().cloned().collect(),
            services: self.services().cloned().collect(),
            procedures: self.procedures().cloned().collect(),
            hooks: self.hooks().cloned().collect(),
            triggers: self.triggers().cloned().collect(),
        }
    }

    /// The modules of a system in its order and that of the building's own, each with its index: like-named modules count from 1.
    pub(super) fn placed(
        &self,
        system: &System,
    ) -> impl Iterator<Item = (&ModuleEntry, ModuleIndex)> {
        let mut next: HashMap<&ModuleName, ModuleIndex> = HashMap::new();
        let own = self.own_modules.in_system(&system.id);
        self.modules_of(system).chain(own).map(move |entry| {
            let index = next.entry(&entry.name).or_insert(ModuleIndex::FIRST);
            let own = *index;
            *index = index.next();
            (entry, own)
        })
    }

    /// Whether a module stands at this place.
    pub(super) fn is_taken(&self, place: &ModulePath) -> bool {
        let is_it = |(entry, index): (&ModuleEntry, ModuleIndex)| {
            entry.name == place.module && index == place.index
        };
        let system = self.system(&place.system);
        system.is_some_and(|system| self.placed(system).any(is_it))
    }

    /// The place at which an entity or a command needs a module, and the field that says so.
    pub(super) fn place_of(&self, id: &EntryId) -> Option<(&ModulePath, &'static str)> {
        match id {
            EntryId::Entity(id) => {
                let entity = self.entity(id)?;
                Some((&entity.status.target().module, "status"))
            }
            EntryId::Command(id) => self.command(id)?.place(),
            EntryId::Zone(_)
            | EntryId::System(_)
            | EntryId::Module(_)
            | EntryId::User(_)
            | EntryId::ApiKey(_)
            | EntryId::Metadata(_)
            | EntryId::App(_)
            | EntryId::Service(_)
            | EntryId::Procedure(_)
            | EntryId::Hook(_)
            | EntryId::Trigger(_) => None,
        }
    }

    /// Whether the building says that clients of an app see this status without a credential of their own.
    pub(super) fn is_public(&self, path: &BindingPath) -> bool {
        let ModulePath {
            system,
            module,
            index,
        } = &path.module;
        self.public_in(system)
            .contains(&(module, *index, &path.status))
    }

    /// The public statuses of a system, each where it stands.
    pub(super) fn public_in(
        &self,
        system: &SystemId,
    ) -> HashSet<(&ModuleName, ModuleIndex, &StatusName)> {
        let placed = self.system(system).into_iter();
        let placed = placed.flat_map(|system| self.placed(system));
        let public = placed.flat_map(|(entry, index)| {
            let names = entry.module.statuses.public.iter();
            names.map(move |name| (&entry.name, index, name))
        });
        public.collect()
    }

    /// Which module stands behind each name and index of a system.
    pub(super) fn slots(&self, system: &System) -> Slots {
        let slot = |(entry, index): (&ModuleEntry, ModuleIndex)| {
            ((entry.name.clone(), index), entry.module.id.clone())
        };
        self.placed(system).map(slot).collect()
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

    /// The modules of the building's own that are not the same as in another snapshot.
    pub(super) fn own_modules_unlike(&self, other: &Self) -> Vec<EntryId> {
        if Arc::ptr_eq(&self.own_modules, &other.own_modules) {
            return Vec::new();
        }
        self.own_modules.differing(&other.own_modules).collect()
    }

    // Below: how a snapshot is made, before others see it.

    /// The place behind all entries of the kind of this one.
    pub(super) fn next_place(&self, id: &EntryId) -> u64 {
        let last = match id {
            EntryId::Zone(_) => last_place(&self.zones),
            EntryId::System(_) => last_place(&self.systems),
            EntryId::Module(_) => self.modules.last().map(|(_, entry)| entry.info.place),
            EntryId::User(_) => last_place(&self.users),
            EntryId::ApiKey(_) => last_place(&self.api_keys),
            EntryId::Metadata(_) => last_place(&self.metadata),
            EntryId::Entity(_) => last_place(&self.entities),
            EntryId::Command(_) => last_place(&self.commands),
            EntryId::App(_) => last_place(&self.apps),
            EntryId::Service(_) => last_place(&self.services),
            EntryId::Procedure(_) => last_place(&self.procedures),
            EntryId::Hook(_) => last_place(&self.hooks),
            EntryId::Trigger(_) => last_place(&self.triggers),
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
            Entry::Entity(entity) => {
                put(&mut self.entities, entity.status.clone(), entity, info);
            }
            Entry::Command(command) => {
                put(&mut self.commands, command.command.clone(), command, info);
            }
            Entry::App(app) => put(&mut self.apps, app.id.clone(), app, info),
            Entry::Service(service) => {
                put(&mut self.services, service.key.clone(), service, info);
            }
            Entry::Procedure(procedure) => {
                put(&mut self.procedures, procedure.id.clone(), procedure, info);
            }
            Entry::Hook(hook) => {
                put(&mut self.hooks, hook.name.clone(), hook, info);
            }
            Entry::Trigger(trigger) => {
                put(&mut self.triggers, trigger.id.clone(), trigger, info);
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
                let id = entry.module.id.clone();
                Arc::make_mut(&mut self.modules).insert(id, Arc::new(entry));
            }
        }
    }

    /// The entry is again as it was in the snapshot of which this one is a copy.
    pub(super) fn put_back(&mut self, id: &EntryId, before: &Self) {
        match id {
            EntryId::Zone(id) => put_back(&mut self.zones, id, &before.zones),
            EntryId::System(id) => put_back(&mut self.systems, id, &before.systems),
            EntryId::Module(id) => put_back(&mut self.modules, id, &before.modules),
            EntryId::User(id) => put_back(&mut self.users, id, &before.users),
            EntryId::ApiKey(id) => put_back(&mut self.api_keys, id, &before.api_keys),
            EntryId::Metadata(id) => put_back(&mut self.metadata, id, &before.metadata),
            EntryId::Entity(id) => put_back(&mut self.entities, id, &before.entities),
            EntryId::Command(id) => put_back(&mut self.commands, id, &before.commands),
            EntryId::App(id) => put_back(&mut self.apps, id, &before.apps),
            EntryId::Service(id) => put_back(&mut self.services, id, &before.services),
            EntryId::Procedure(id) => put_back(&mut self.procedures, id, &before.procedures),
            EntryId::Hook(id) => put_back(&mut self.hooks, id, &before.hooks),
            EntryId::Trigger(id) => put_back(&mut self.triggers, id, &before.triggers),
        }
    }

    /// Other things are known of an entry.
    pub(super) fn set_info(&mut self, id: &EntryId, info: EntryInfo) {
        match id {
            EntryId::Zone(id) => set_info(&mut self.zones, id, info),
            EntryId::System(id) => set_info(&mut self.systems, id, info),
            EntryId::Module(id) => {
                if let Some(entry) = Arc::make_mut(&mut self.modules).get_mut(id) {
                    Arc::make_mut(entry).info = info;
                }
            }
            EntryId::User(id) => set_info(&mut self.users, id, info),
            EntryId::ApiKey(id) => set_info(&mut self.api_keys, id, info),
            EntryId::Metadata(id) => set_info(&mut self.metadata, id, info),
            EntryId::Entity(id) => set_info(&mut self.entities, id, info),
            EntryId::Command(id) => set_info(&mut self.commands, id, info),
            EntryId::App(id) => set_info(&mut self.apps, id, info),
            EntryId::Service(id) => set_info(&mut self.services, id, info),
            EntryId::Procedure(id) => set_info(&mut self.procedures, id, info),
            EntryId::Hook(id) => set_info(&mut self.hooks, id, info),
            EntryId::Trigger(id) => set_info(&mut self.triggers, id, info),
        }
    }

    /// What is wrong with what this metadata says of a zone.
    pub(super) fn misread(&self, id: &MetadataId) -> Option<&'static str> {
        self.zone(&ZoneId::new(id.parent.as_str()).ok()?)?;
        (self.permission_forms?.read)(self.metadata_by_id(id)?)?.err()
    }

    /// Takes an entry out. Whether there was one.
    pub(super) fn remove(&mut self, id: &EntryId) -> bool {
        match id {
            EntryId::Zone(id) => remove(&mut self.zones, id),
            EntryId::System(id) => remove(&mut self.systems, id),
            EntryId::Module(id) => remove(&mut self.modules, id),
            EntryId::User(id) => remove(&mut self.users, id),
            EntryId::ApiKey(id) => remove(&mut self.api_keys, id),
            EntryId::Metadata(id) => remove(&mut self.metadata, id),
            EntryId::Entity(id) => remove(&mut self.entities, id),
            EntryId::Command(id) => remove(&mut self.commands, id),
            EntryId::App(id) => remove(&mut self.apps, id),
            EntryId::Service(id) => remove(&mut self.services, id),
            EntryId::Procedure(id) => remove(&mut self.procedures, id),
            EntryId::Hook(id) => remove(&mut self.hooks, id),
            EntryId::Trigger(id) => remove(&mut self.triggers, id),
        }
    }

    /// Brings the entries of each kind in the order of their places, for a snapshot whose entries were not put in that order.
    pub(super) fn arrange(&mut self) {
        arrange(&mut self.zones, |stored| stored.info.place);
        arrange(&mut self.systems, |stored| stored.info.place);
        arrange(&mut self.modules, |entry| entry.info.place);
        arrange(&mut self.users, |stored| stored.info.place);
        arrange(&mut self.api_keys, |stored| stored.info.place);
        arrange(&mut self.metadata, |stored| stored.info.place);
        arrange(&mut self.entities, |stored| stored.info.place);
        arrange(&mut self.commands, |stored| stored.info.place);
        arrange(&mut self.apps, |stored| stored.info.place);
        arrange(&mut self.services, |stored| stored.info.place);
        arrange(&mut self.procedures, |stored| stored.info.place);
        arrange(&mut self.hooks, |stored| stored.info.place);
        arrange(&mut self.triggers, |stored| stored.info.place);
    }

    /// Looks up which systems the modules stand in, what zones allow, and whose the keys of apps are, where that hangs on what was touched since `before`.
    /// To be called when all entries are in place.
    pub(super) fn complete(&mut self, before: &Self, touched: &Touched) {
        if touched.permissions() {
            self.permissions = Arc::new(match self.permission_forms {
                Some(forms) => Permissions::of(self.zones(), self.metadata(), forms),
                None => Permissions::default(),
            });
        }
        if touched.apps().next().is_some() {
            let keys = self.apps().flat_map(|app| {
                let of_app = |key: &AppKey| (key.key.clone(), app.id.clone());
                app.keys.list().iter().map(of_app)
            });
            self.app_keys = Arc::new(keys.collect());
        }
        self.standing = Arc::clone(&before.standing);
        let Self {
            systems, standing, ..
        } = self;
        for id in touched.systems() {
            let (was, is) = (before.systems.get(id), systems.get(id));
            let modules = |stored: Option<&Stored<System>>| -> HashSet<ModuleId> {
                let modules = stored.into_iter().flat_map(|stored| &stored.entry.modules);
                modules.cloned().collect()
            };
            let (left, stood) = (modules(was), modules(is));
            let is_moved = was.map(|was| was.info.place) != is.map(|is| is.info.place);
            if left == stood && !is_moved {
                continue;
            }
            let standing = Arc::make_mut(standing);
            for module in left.union(&stood) {
                let around = standing
                    .get(module)
                    .into_iter()
                    .flat_map(|around| &**around);
                let others = around.filter(|other| *other != id);
                let now = others.chain(stood.contains(module).then_some(id));
                let mut now: Vec<SystemId> = now.cloned().collect();
                now.sort_by_key(|system| systems.get_index_of(system));
                if now.is_empty() {
                    standing.remove(module);
                } else {
                    standing.insert(module.clone(), Arc::from(now));
                }
            }
        }
        self.own_modules = match touched.own_modules() {
            true => Arc::new(OwnModules::of(self)),
            false => Arc::clone(&before.own_modules),
        };
    }
}

fn last_place<I, T>(entries: &IndexMap<I, Stored<T>>) -> Option<u64> {
    entries.last().map(|(_, stored)| stored.info.place)
}

fn arrange<I: Hash + Eq + Clone, E: Clone>(
    entries: &mut Arc<IndexMap<I, E>>,
    place: impl Fn(&E) -> u64,
) {
    if !entries.values().is_sorted_by_key(&place) {
        Arc::make_mut(entries).sort_by_key(|_, entry| place(entry));
    }
}

fn put<I: Hash + Eq + Clone, T>(
    entries: &mut Arc<IndexMap<I, Stored<T>>>,
    id: I,
    entry: T,
    info: EntryInfo,
) {
    let entry = Arc::new(entry);
    Arc::make_mut(entries).insert(id, Stored { entry, info });
}

fn put_back<I: Hash + Eq + Clone, E: Clone>(
    entries: &mut Arc<IndexMap<I, E>>,
    id: &I,
    before: &IndexMap<I, E>,
) {
    if let Some(entry) = before.get(id) {
        Arc::make_mut(entries).insert(id.clone(), entry.clone());
    }
}

fn set_info<I: Hash + Eq + Clone, T>(
    entries: &mut Arc<IndexMap<I, Stored<T>>>,
    id: &I,
    info: EntryInfo,
) {
    if let Some(stored) = Arc::make_mut(entries).get_mut(id) {
        stored.info = info;
    }
}

fn remove<I: Hash + Eq + Clone, E: Clone>(entries: &mut Arc<IndexMap<I, E>>, id: &I) -> bool {
    entries.contains_key(id) && Arc::make_mut(entries).shift_remove(id).is_some()
}
