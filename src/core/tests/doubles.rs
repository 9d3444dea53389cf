//! Doubles for the core's tests, in place of the rooms around it, none of which the core may import.
//!
//! [`EchoStore`] keeps no value and sends every change straight back, [`Inbox`] keeps what a worker would get,
//! [`ScriptedHost`] runs modules that do what a test tells them to.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};

use crate::core::building::plan;
use crate::core::directory::Directory;
use crate::core::outlet::{Delivery, Outlet, WatchId};
use crate::core::{
    Apply, Clock, Core, CorePorts, CoreSettings, EditError, ForeignForms, MakeMessageStore,
    MakeTopicStore, NoAutomation, Rehearsal,
};
use crate::driver_host::{
    CallError, CallScope, Description, DriverError, DriverHost, HostError, ModuleSink, Outcome,
    RunningModule, StatusRefused,
};
use crate::model::{
    ApiKey, BindingKey, BindingPath, Building, ChannelApp, Clearance, Collection, Configuration,
    Differences, DriverRef, Edit, Event, Failure, Function, FunctionName, Interface, JsonText,
    KeyId, KeySecret, Metadata, Module, ModuleId, ModuleIndex, ModuleName, ModulePath, OnChange,
    PermissionsRead, Reply, Revision, Scope, Secret, SessionId, Source, State, StatusChange,
    StatusName, System, SystemId, Timestamp, TokenClaims, User, UserId, Value as Content, Values,
    Zone, ZoneId, ZonePermissions, lock,
};
use crate::stores::{
    Document, DocumentId, DocumentStore, EmbeddedMessageStore, EmbeddedTopicStore, Ledger,
    LedgerUpdate, LedgerVersion, Restored, Snapshot, StatusStore, StoreError, StoreFeed, Write,
};

// Words.

pub(in crate::core) fn system(id: &str) -> SystemId {
    SystemId::new(id).unwrap()
}

pub(in crate::core) fn module(id: &str) -> ModuleId {
    ModuleId::new(id).unwrap()
}

pub(in crate::core) fn status(name: &str) -> StatusName {
    StatusName::new(name).unwrap()
}

pub(in crate::core) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

pub(in crate::core) fn key(module_id: &str, name: &str) -> BindingKey {
    BindingKey {
        module: module(module_id),
        status: status(name),
    }
}

pub(in crate::core) fn place(system_id: &str, name: &str, index: u32) -> ModulePath {
    ModulePath {
        system: system(system_id),
        module: ModuleName::new(name).unwrap(),
        index: ModuleIndex::new(index).unwrap(),
    }
}

pub(in crate::core) fn path(
    system_id: &str,
    name: &str,
    index: u32,
    status_name: &str,
) -> Arc<BindingPath> {
    Arc::new(BindingPath {
        module: place(system_id, name, index),
        status: status(status_name),
    })
}

/// A room with these modules, in no zone.
pub(in crate::core) fn room(id: &str, modules: &[&str]) -> System {
    System {
        name: id.to_owned(),
        modules: modules.iter().map(|id| module(id)).collect(),
        ..System::new(&system(id))
    }
}

/// A zone in no other.
pub(in crate::core) fn zone(id: &str) -> Zone {
    Zone {
        name: id.to_owned(),
        ..Zone::new(&ZoneId::new(id).unwrap())
    }
}

/// The one user that the keys below belong to.
pub(in crate::core) fn user(level: Clearance) -> User {
    User {
        email: "a@example.test".to_owned(),
        name: "A".to_owned(),
        level,
        ..User::new(&UserId::new("user-1").unwrap())
    }
}

/// A key without restrictions; its secret is `secret`.
pub(in crate::core) fn api_key(id: &str, level: Clearance) -> ApiKey {
    ApiKey {
        level,
        scopes: Scope::parse(Scope::PUBLIC).into_iter().collect(),
        ..ApiKey::new(
            &KeyId::new(id).unwrap(),
            KeySecret::Plain(Secret::new("secret")),
            &UserId::new("user-1").unwrap(),
        )
    }
}

/// An app with these keys and their secrets.
pub(in crate::core) fn app(id: &str, keys: &[(&str, &str)]) -> ChannelApp {
    let keys = keys.iter();
    let keys: Vec<_> = keys
        .map(|(key, secret)| serde_json::json!({"key": key, "secret": secret}))
        .collect();
    let keys = serde_json::Value::from(keys).to_string();
    let values = Values::none()
        .with("id", Content::Text(id.to_owned().into()))
        .with("keys", Content::Json(keys.into()));
    ChannelApp::build(values).unwrap()
}

/// Forms for tests, with what they look at of PlaceOS's.
pub(in crate::core) const FORMS: ForeignForms = ForeignForms {
    write_claims: |claims| {
        let user = &claims.user;
        let scopes = claims.scopes.iter().map(Scope::to_string);
        serde_json::json!({
            "iss": "POS", "iat": claims.issued, "exp": claims.expires, "jti": claims.id,
            "aud": claims.audiences[0], "sub": user.id.as_str(),
            "scope": scopes.collect::<Vec<_>>(),
            "u": {"n": user.name, "e": user.email, "p": user.level as u8, "r": user.groups},
            "sid": claims.session.map(|session| session.to_string()),
        })
        .to_string()
    },
    read_claims: |payload| {
        let payload: Value = serde_json::from_str(payload).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| {
            value
                .as_array()?
                .iter()
                .map(text)
                .collect::<Option<Vec<_>>>()
        };
        let user = payload["u"].as_object()?;
        let levels = [Clearance::User, Clearance::Support, Clearance::Admin];
        Some(TokenClaims {
            id: String::new(),
            user: User {
                email: text(&user["e"])?,
                name: text(&user["n"])?,
                level: levels[usize::try_from(user["p"].as_u64()?).ok()?],
                groups: texts(&user["r"])?,
                ..User::new(&UserId::new(payload["sub"].as_str()?).ok()?)
            },
            scopes: texts(&payload["scope"])?
                .iter()
                .filter_map(|text| Scope::parse(text))
                .collect(),
            session: payload["sid"].as_str().and_then(SessionId::parse),
            audiences: vec![text(&payload["aud"])?],
            issued: 0,
            expires: payload["exp"].as_u64()?,
            not_before: payload["nbf"].as_u64(),
        })
    },
    read_permissions,
    governs: |zone| zone.tags.iter().any(|tag| tag == "org"),
};

fn read_permissions(metadata: &Metadata) -> Option<PermissionsRead> {
    let groups = |name: &str| -> Result<Vec<String>, &'static str> {
        let details: BTreeMap<String, Vec<String>> =
            serde_json::from_str(metadata.details.as_str()).map_err(|_| "has another form")?;
        Ok(details.get(name).cloned().unwrap_or_default())
    };
    let said = || {
        Ok(ZonePermissions {
            refused: groups("deny")?,
            support: groups("manage")?,
            admin: groups("admin")?,
        })
    };
    (metadata.id.name.as_str() == "permissions").then(said)
}

/// The directory of a building whose modules are scripted.
pub(in crate::core) fn directory(building: Building) -> Directory {
    let edits = building.into_entries().map(Edit::put).collect();
    let host = ScriptedHost::new();
    plan(
        &Directory::new(FORMS.permissions()),
        edits,
        Source::File,
        0,
        &*host,
    )
    .unwrap()
    .next
}

/// What becomes of a directory by edits, the differences, and who is given a password that is still to be hashed; nothing when it would not be sound.
pub(in crate::core) fn planned(
    before: &Directory,
    edits: Vec<Edit>,
) -> Option<(Directory, Differences, Vec<UserId>)> {
    let host = ScriptedHost::new();
    let planned = plan(before, edits, Source::Elsewhere, 0, &*host).ok()?;
    Some((planned.next, planned.differences, planned.passwords))
}

// The stores.

/// Documents in memory, for one core or for several that share them. Commits fail, and documents are lost, when a test says so.
pub(in crate::core) struct MemoryDocuments {
    ledgers: Mutex<HashMap<Ledger, Pages>>,
    commits: AtomicUsize,
    fails: AtomicBool,
    terse: AtomicBool,
    /// Told of every commit.
    changed: watch::Sender<()>,
}

/// What one ledger has.
#[derive(Default)]
struct Pages {
    documents: BTreeMap<(String, String), Document>,
    version: LedgerVersion,
    /// The commits behind the latest restoration.
    commits: Vec<(LedgerVersion, Vec<Write>)>,
}

impl Pages {
    fn make(&mut self, batch: &[Write]) {
        for write in batch {
            match write.clone() {
                Write::Put(document) => {
                    let key = (document.collection.clone(), document.id.clone());
                    self.documents.insert(key, document);
                }
                Write::Delete(DocumentId { collection, id }) => {
                    self.documents.remove(&(collection.into_owned(), id));
                }
            }
        }
    }

    fn update(&self, after: &LedgerVersion, terse: bool) -> Option<LedgerUpdate> {
        if self.version == *after {
            return None;
        }
        if self.version.number < after.number {
            return Some(LedgerUpdate::Behind);
        }
        let known = self
            .commits
            .iter()
            .position(|(version, _)| version == after);
        let behind = match known {
            Some(place) => &self.commits[place + 1..],
            None if after.number == 0 => &self.commits[..],
            None => &[],
        };
        if terse || behind.is_empty() || behind[0].0.number != after.number + 1 {
            return Some(LedgerUpdate::Reload);
        }
        Some(LedgerUpdate::Committed {
            version: self.version.clone(),
            writes: behind
                .iter()
                .flat_map(|(_, writes)| writes)
                .cloned()
                .collect(),
        })
    }
}

impl MemoryDocuments {
    pub(in crate::core) fn new() -> Arc<Self> {
        Arc::new(Self {
            ledgers: Mutex::default(),
            commits: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            terse: AtomicBool::new(false),
            changed: watch::Sender::new(()),
        })
    }

    /// Whether commits fail from here on.
    pub(in crate::core) fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    /// Does not tell from here on what was committed, but only that something was.
    pub(in crate::core) fn set_terse(&self) {
        self.terse.store(true, Ordering::Relaxed);
    }

    /// Loses everything.
    pub(in crate::core) fn lose(&self) {
        lock(&self.ledgers).clear();
        self.changed.send_replace(());
    }

    /// How many commits there were.
    pub(in crate::core) fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }

    /// Everything that is kept, as text.
    pub(in crate::core) fn text(&self) -> String {
        let ledgers = lock(&self.ledgers);
        let documents = ledgers.values().flat_map(|pages| pages.documents.values());
        let texts: Vec<&str> = documents.map(|document| document.json.as_str()).collect();
        texts.join("\n")
    }

    fn try_commit(
        &self,
        ledger: Ledger,
        batch: Vec<Write>,
        on: &LedgerVersion,
    ) -> Result<LedgerVersion, StoreError> {
        if self.fails.load(Ordering::Relaxed) {
            let detail = "the test says so".to_owned();
            return Err(StoreError::NotWritten { detail });
        }
        let mut ledgers = lock(&self.ledgers);
        let pages = ledgers.entry(ledger).or_default();
        if pages.version != *on {
            return Err(StoreError::Conflict);
        }
        let count = self.commits.fetch_add(1, Ordering::Relaxed);
        pages.make(&batch);
        pages.version = LedgerVersion {
            number: on.number + 1,
            commit: count.to_string(),
        };
        pages.commits.push((pages.version.clone(), batch));
        self.changed.send_replace(());
        Ok(pages.version.clone())
    }
}

impl DocumentStore for MemoryDocuments {
    fn load(&self, ledger: Ledger) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        let mut ledgers = lock(&self.ledgers);
        let pages = ledgers.entry(ledger).or_default();
        let documents = pages.documents.values().cloned().collect();
        let version = pages.version.clone();
        Box::pin(future::ready(Ok(Snapshot { documents, version })))
    }

    fn commit(
        &self,
        ledger: Ledger,
        batch: Vec<Write>,
        on: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerVersion, StoreError>> {
        Box::pin(future::ready(self.try_commit(ledger, batch, on)))
    }

    fn next(
        &self,
        ledger: Ledger,
        after: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerUpdate, StoreError>> {
        let (mut changed, after) = (self.changed.subscribe(), after.clone());
        Box::pin(async move {
            loop {
                let terse = self.terse.load(Ordering::Relaxed);
                let update = lock(&self.ledgers)
                    .entry(ledger)
                    .or_default()
                    .update(&after, terse);
                if let Some(update) = update {
                    return Ok(update);
                }
                changed.changed().await.expect("the store has the sender");
            }
        })
    }

    fn restore(
        &self,
        ledger: Ledger,
        snapshot: Snapshot,
    ) -> BoxFuture<'_, Result<Restored, StoreError>> {
        let mut ledgers = lock(&self.ledgers);
        let pages = ledgers.entry(ledger).or_default();
        let restored = if pages.version.number >= snapshot.version.number {
            Restored::NotNeeded
        } else {
            *pages = Pages::default();
            let puts: Vec<Write> = snapshot.documents.into_iter().map(Write::Put).collect();
            pages.make(&puts);
            pages.version = snapshot.version;
            self.changed.send_replace(());
            Restored::Made
        };
        Box::pin(future::ready(Ok(restored)))
    }
}

/// A core over these doubles, at a time that stands still.
pub(in crate::core) fn core(
    settings: CoreSettings,
    documents: &Arc<MemoryDocuments>,
    host: &Arc<ScriptedHost>,
    drivers: &Handle,
) -> Arc<Core> {
    Arc::new(Core::new(
        settings,
        |feed| Arc::new(EchoStore::new(feed)) as Arc<dyn StatusStore>,
        CorePorts {
            documents: Arc::clone(documents) as Arc<dyn DocumentStore>,
            topics: embedded_topics(),
            messages: embedded_messages(),
            host: Arc::clone(host) as Arc<dyn DriverHost>,
            clock: clock(),
            main: Handle::current(),
            executor: Arc::new(drivers.clone()),
            forms: FORMS,
            automation: Arc::new(NoAutomation),
            key_inspector: None,
            cluster: None,
        },
    ))
}

/// Messages of one process alone.
pub(crate) fn embedded_messages() -> MakeMessageStore {
    let store = EmbeddedMessageStore::in_memory().expect("memory");
    Box::new(|feed| Arc::new(store.reporting_to(feed)))
}

/// Topics of one process alone.
pub(crate) fn embedded_topics() -> MakeTopicStore {
    Box::new(|process, feed, clock| Arc::new(EmbeddedTopicStore::new(process, feed, clock)))
}

/// The time of [`core`].
pub(in crate::core) const NOW: u64 = 1_800_000_000;

/// A clock that stands at [`NOW`].
pub(in crate::core) fn clock() -> Clock {
    Arc::new(|| Timestamp::from_secs(NOW))
}

/// Makes the building this one, as a building file does.
pub(in crate::core) async fn apply(
    core: &Core,
    building: Building,
) -> Result<Differences, EditError> {
    core.editor
        .apply(Apply {
            building,
            source: Source::File,
            rehearsal: Rehearsal::Real,
        })
        .await
}

/// A store that keeps nothing unless a test makes it seem so, echoes every change, and notes what is followed.
pub(in crate::core) struct EchoStore {
    feed: Weak<dyn StoreFeed>,
    keeps_values: bool,
    keys: Mutex<Follows<BindingKey>>,
    systems: Mutex<Follows<SystemId>>,
    modules: Mutex<Follows<ModuleId>>,
}

struct Follows<K> {
    followed: HashSet<K>,
    /// What was followed twice or let go without having been followed.
    mistakes: Vec<K>,
}

impl<K: Eq + std::hash::Hash + Clone + fmt::Debug> Follows<K> {
    fn follow(&mut self, what: &K) {
        if !self.followed.insert(what.clone()) {
            self.mistakes.push(what.clone());
        }
    }

    fn unfollow(&mut self, what: &K) {
        if !self.followed.remove(what) {
            self.mistakes.push(what.clone());
        }
    }

    fn followed(&self) -> HashSet<K> {
        let none: &[K] = &[];
        assert_eq!(self.mistakes, none, "follow and unfollow do not alternate");
        self.followed.clone()
    }
}

impl<K> Default for Follows<K> {
    fn default() -> Self {
        Self {
            followed: HashSet::new(),
            mistakes: Vec::new(),
        }
    }
}

impl EchoStore {
    pub(in crate::core) fn new(feed: Weak<dyn StoreFeed>) -> Self {
        Self {
            feed,
            keeps_values: false,
            keys: Mutex::default(),
            systems: Mutex::default(),
            modules: Mutex::default(),
        }
    }

    /// One that the core believes to have the values; a test tells them by hand.
    pub(in crate::core) fn keeping() -> Self {
        Self {
            keeps_values: true,
            ..Self::without_feed()
        }
    }

    /// A store without a feed, for tests that publish by hand.
    pub(in crate::core) fn without_feed() -> Self {
        /// Never made: only its type is needed for a `Weak` that leads nowhere.
        struct NoFeed;
        impl StoreFeed for NoFeed {
            fn changed(&self, _: &mut Vec<StatusChange>) {}
            fn mapped(&self, _: SystemId, _: crate::model::Slots) {}
        }
        Self::new(Weak::<NoFeed>::new())
    }

    /// What is followed. Fails when a key was followed twice or let go twice.
    pub(in crate::core) fn followed(&self) -> HashSet<BindingKey> {
        lock(&self.keys).followed()
    }

    /// The same of whole modules.
    pub(in crate::core) fn followed_modules(&self) -> HashSet<ModuleId> {
        lock(&self.modules).followed()
    }

    /// The same of systems.
    pub(in crate::core) fn followed_systems(&self) -> HashSet<SystemId> {
        lock(&self.systems).followed()
    }
}

impl StatusStore for EchoStore {
    fn write(&self, mut changes: Vec<StatusChange>) {
        if let Some(feed) = self.feed.upgrade() {
            feed.changed(&mut changes);
        }
    }

    fn follow(&self, key: &BindingKey) {
        lock(&self.keys).follow(key);
    }

    fn unfollow(&self, key: &BindingKey) {
        lock(&self.keys).unfollow(key);
    }

    fn follow_module(&self, module: &ModuleId) {
        lock(&self.modules).follow(module);
    }

    fn unfollow_module(&self, module: &ModuleId) {
        lock(&self.modules).unfollow(module);
    }

    fn follow_system(&self, system: &SystemId) {
        lock(&self.systems).follow(system);
    }

    fn unfollow_system(&self, system: &SystemId) {
        lock(&self.systems).unfollow(system);
    }

    fn keeps_values(&self) -> bool {
        self.keeps_values
    }

    fn release(&self, _: &ModuleId) {}

    fn read(
        &self,
        _: &ModuleId,
        answer: oneshot::Sender<State>,
    ) -> Result<(), oneshot::Sender<State>> {
        Err(answer)
    }
}

// The outlet.

/// One value as an outlet got it; `None` for `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::core) struct Told {
    pub(in crate::core) watch: WatchId,
    pub(in crate::core) path: Arc<BindingPath>,
    pub(in crate::core) value: Option<String>,
    pub(in crate::core) revision: Revision,
}

/// An outlet that keeps what it gets until a test takes it.
#[derive(Default)]
pub(in crate::core) struct Inbox(Mutex<Vec<Delivery>>);

impl Inbox {
    pub(in crate::core) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Everything since the last look.
    pub(in crate::core) fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut *lock(&self.0))
    }

    /// The values since the last look, with nothing else in between.
    pub(in crate::core) fn take_told(&self) -> Vec<Told> {
        let told = |delivery| match delivery {
            Delivery::Event {
                watch,
                event:
                    Event::Value {
                        path,
                        value,
                        revision,
                        ..
                    },
            } => Told {
                watch,
                path,
                value: value.map(|value| value.as_str().to_owned()),
                revision,
            },
            other @ (Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. }) => {
                panic!("not a value: {other:?}")
            }
        };
        self.take().into_iter().map(told).collect()
    }

    /// The values since the last look as JSON, `null` for none.
    pub(in crate::core) fn take_values(&self) -> Vec<String> {
        let text = |told: Told| told.value.unwrap_or_else(|| "null".to_owned());
        self.take_told().into_iter().map(text).collect()
    }
}

impl Outlet for Inbox {
    fn push(&self, batch: &mut Vec<Delivery>) {
        lock(&self.0).append(batch);
    }
}

// The driver host.

/// The driver that every scripted module names.
pub(in crate::core) const SCRIPTED: &str = "scripted";

/// The scripted driver once more, whose modules tell their interface when a test says so.
pub(in crate::core) const TELLING: &str = "telling";

/// A module of the scripted driver, `Scratch` in its systems unless `name` says otherwise.
pub(in crate::core) fn scripted(id: &str, name: Option<&str>) -> Module {
    Module {
        driver: DriverRef::LinkedIn(SCRIPTED.to_owned()),
        name: name.map(|name| ModuleName::new(name).unwrap()),
        ..Module::new(&module(id))
    }
}

/// A module of the driver whose modules tell their interface themselves, `Scratch` in its systems.
pub(in crate::core) fn telling(id: &str) -> Module {
    Module {
        driver: DriverRef::LinkedIn(TELLING.to_owned()),
        ..scripted(id, None)
    }
}

/// How one start of a module goes.
#[derive(Debug, Clone)]
pub(in crate::core) enum Start {
    /// It sets these statuses and runs.
    Says(Vec<(&'static str, &'static str)>),
    /// It runs after a while.
    Slow(Duration),
    /// It fails.
    Fails,
    /// It never comes to an end.
    Hangs,
}

/// How a module ends when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Stop {
    AtOnce,
    Never,
}

/// Runs modules as a test says. Without a script a start says nothing and succeeds, and a stop takes no time.
///
/// Functions: `echo` gives its arguments back, `wait` ends when the test says how, `block` holds its thread until the test lets it go, `say` sets the status `said` to its arguments,
/// `chain` gives the calls that led to it, `fail` fails, `panic` panics; `support_only` and `admin_only` are `echo` for those who may.
pub(in crate::core) struct ScriptedHost {
    starts: Mutex<VecDeque<Start>>,
    stop_never: AtomicBool,
    lives: Mutex<Vec<Arc<Life>>>,
}

/// One start of a module, and what came of it.
pub(in crate::core) struct Life {
    pub(in crate::core) module: ModuleId,
    pub(in crate::core) began: Instant,
    /// The settings with which it was started.
    pub(in crate::core) settings: JsonText,
    /// The module's way up.
    pub(in crate::core) sink: Arc<dyn ModuleSink>,
    begun: Mutex<Vec<(String, String)>>,
    waiting: Mutex<VecDeque<oneshot::Sender<Result<Outcome, CallError>>>>,
    exit: Mutex<Option<oneshot::Sender<String>>>,
    block: Block,
}

/// Where a call of `block` stands.
#[derive(Default)]
struct Block {
    phase: Mutex<Blocked>,
    advanced: Condvar,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blocked {
    #[default]
    NotYet,
    Held,
    LetGo,
}

impl Block {
    fn advance(&self, to: Blocked) {
        *lock(&self.phase) = to;
        self.advanced.notify_all();
    }

    /// Bounded, so that a test that fails elsewhere comes to its end.
    fn wait_for(&self, phase: Blocked) {
        let (reached, _) = self
            .advanced
            .wait_timeout_while(lock(&self.phase), Duration::from_secs(10), |now| {
                *now < phase
            })
            .unwrap_or_else(PoisonError::into_inner);
        assert!(*reached >= phase, "waited for {phase:?} in vain");
    }
}

impl ScriptedHost {
    pub(in crate::core) fn new() -> Arc<Self> {
        Arc::new(Self {
            starts: Mutex::default(),
            stop_never: AtomicBool::new(false),
            lives: Mutex::default(),
        })
    }

    /// How the next starts go.
    pub(in crate::core) fn script(&self, starts: impl IntoIterator<Item = Start>) {
        lock(&self.starts).extend(starts);
    }

    /// How modules that are started from here on end.
    pub(in crate::core) fn set_stop(&self, stop: Stop) {
        self.stop_never
            .store(stop == Stop::Never, Ordering::Relaxed);
    }

    /// All starts so far, failed ones too.
    pub(in crate::core) fn lives(&self) -> Vec<Arc<Life>> {
        lock(&self.lives).clone()
    }

    /// The latest start.
    pub(in crate::core) fn life(&self) -> Arc<Life> {
        self.lives().pop().expect("a module has been started")
    }
}

impl Life {
    /// The calls that were begun, as function and arguments.
    pub(in crate::core) fn begun(&self) -> Vec<(String, String)> {
        lock(&self.begun).clone()
    }

    /// Sets a status as the driver would.
    pub(in crate::core) fn say(&self, name: &str, value: Option<&str>) {
        // What is refused is what some tests are about.
        let _ = self.try_say(name, value);
    }

    /// The same, with the gateway's verdict.
    pub(in crate::core) fn try_say(
        &self,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), StatusRefused> {
        self.sink.set_status(&status(name), value.map(json))
    }

    /// Ends the `wait` that has waited longest.
    pub(in crate::core) fn answer(&self, result: Result<Outcome, CallError>) {
        let call = lock(&self.waiting).pop_front().expect("a call waits");
        // The actor may have given the call up, which is what some tests are about.
        let _ = call.send(result);
    }

    /// Ends the `wait` that was begun last.
    pub(in crate::core) fn answer_last(&self, result: Result<Outcome, CallError>) {
        let call = lock(&self.waiting).pop_back().expect("a call waits");
        let _ = call.send(result);
    }

    /// Waits until `block` holds its thread.
    pub(in crate::core) fn wait_until_blocked(&self) {
        self.block.wait_for(Blocked::Held);
    }

    /// Lets `block` go on.
    pub(in crate::core) fn unblock(&self) {
        self.block.advance(Blocked::LetGo);
    }

    /// The module ends by itself.
    pub(in crate::core) fn end(&self, reason: &str) {
        let exit = lock(&self.exit).take().expect("the module has not ended");
        exit.send(reason.to_owned()).expect("the actor listens");
    }
}

pub(in crate::core) fn outcome(value: &str) -> Result<Outcome, CallError> {
    Ok(Outcome {
        value: json(value),
        code: 200,
    })
}

/// What the scripted driver offers.
pub(in crate::core) fn scripted_interface() -> Interface {
    let functions = [
        ("echo", Clearance::User),
        ("wait", Clearance::User),
        ("block", Clearance::User),
        ("say", Clearance::User),
        ("chain", Clearance::User),
        ("fail", Clearance::User),
        ("panic", Clearance::User),
        ("support_only", Clearance::Support),
        ("admin_only", Clearance::Admin),
    ];
    let described = |(name, clearance)| {
        let function = Function {
            clearance,
            ..Function::default()
        };
        (FunctionName::new(name).unwrap(), function)
    };
    Interface {
        functions: functions.into_iter().map(described).collect(),
        ..Interface::default()
    }
}

impl DriverHost for ScriptedHost {
    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        let scripted = DriverRef::LinkedIn(SCRIPTED.to_owned());
        let description = self.describe(&scripted).unwrap();
        vec![(scripted, description)]
    }

    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        if driver.as_str() != SCRIPTED && driver.as_str() != TELLING {
            return Err(HostError::UnknownDriver {
                id: driver.as_str().to_owned(),
                known: SCRIPTED.to_owned(),
            });
        }
        Ok(Description {
            module_name: ModuleName::new("Scratch").unwrap(),
            text: Arc::from("Does what a test says."),
            configuration: Configuration {
                on_change: match driver.as_str() {
                    TELLING => OnChange::Tell,
                    _ => OnChange::Restart,
                },
                ..Configuration::ANY
            },
            interface: (driver.as_str() == SCRIPTED).then(|| Arc::new(scripted_interface())),
        })
    }

    fn start(
        &self,
        module: &Module,
        sink: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        let plan = lock(&self.starts)
            .pop_front()
            .unwrap_or(Start::Says(vec![]));
        let (exit, exited) = oneshot::channel();
        let life = Arc::new(Life {
            module: module.id.clone(),
            began: Instant::now(),
            settings: module.settings(),
            sink,
            begun: Mutex::default(),
            waiting: Mutex::default(),
            exit: Mutex::new(Some(exit)),
            block: Block::default(),
        });
        lock(&self.lives).push(Arc::clone(&life));
        let running = Arc::new(ScriptedModule {
            life: Arc::clone(&life),
            exited: Mutex::new(Some(exited)),
            stop_never: self.stop_never.load(Ordering::Relaxed),
        }) as Arc<dyn RunningModule>;
        Box::pin(async move {
            match plan {
                Start::Says(values) => {
                    for (name, value) in values {
                        life.say(name, Some(value));
                    }
                }
                Start::Slow(while_) => sleep(while_).await,
                Start::Fails => return Err(HostError::Start(DriverError::new("no device"))),
                Start::Hangs => future::pending().await,
            }
            Ok(running)
        })
    }
}

struct ScriptedModule {
    life: Arc<Life>,
    exited: Mutex<Option<oneshot::Receiver<String>>>,
    stop_never: bool,
}

impl RunningModule for ScriptedModule {
    fn call(
        &self,
        function: &FunctionName,
        arguments: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>> {
        let life = Arc::clone(&self.life);
        let (function, arguments) = (function.as_str().to_owned(), arguments.as_str().to_owned());
        Box::pin(async move {
            lock(&life.begun).push((function.clone(), arguments.clone()));
            match function.as_str() {
                "wait" => {
                    let (sender, receiver) = oneshot::channel();
                    lock(&life.waiting).push_back(sender);
                    receiver.await.expect("the life keeps the sender")
                }
                "block" => {
                    life.block.advance(Blocked::Held);
                    life.block.wait_for(Blocked::LetGo);
                    outcome("null")
                }
                "say" => {
                    life.say("said", Some(&arguments));
                    outcome("null")
                }
                "chain" => {
                    let chain = CallScope::chain();
                    let links: Vec<String> =
                        chain.links().iter().map(ToString::to_string).collect();
                    outcome(&format!("{links:?}"))
                }
                "fail" => Err(CallError::Failed(DriverError::new("no").with_code(409))),
                "panic" => Err(CallError::Panicked("ouch".to_owned())),
                _ => outcome(&arguments),
            }
        })
    }

    fn settings_changed(&self, settings: &JsonText) -> BoxFuture<'static, Result<(), CallError>> {
        let told = ("settings_changed".to_owned(), settings.to_string());
        lock(&self.life.begun).push(told);
        let refused = settings.as_str().contains("refuse");
        Box::pin(future::ready(match refused {
            true => Err(CallError::Failed(DriverError::new("no"))),
            false => Ok(()),
        }))
    }

    fn exited(&self) -> BoxFuture<'static, String> {
        let exited = lock(&self.exited).take().expect("asked for once");
        exited
            .then(|reason| async move {
                match reason {
                    Ok(reason) => reason,
                    Err(_) => future::pending().await,
                }
            })
            .boxed()
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        if self.stop_never {
            Box::pin(future::pending())
        } else {
            Box::pin(future::ready(()))
        }
    }
}

/// What a caller was answered.
pub(in crate::core) type Answer = Result<Reply, Failure>;
