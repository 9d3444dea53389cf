//! A core for tests of other rooms: without drivers, its statuses and slots set by hand.
//!
//! Its store and driver host are doubles: the store only forgets, the host knows no driver.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::core::cluster::outbound::tests::doubles::{ListedNodes, MemoryCatalog, ScriptedPeers};
use crate::core::tests::doubles::{
    FORMS, MemoryDocuments, ScriptedHost, apply, clock, embedded_messages, embedded_topics, room,
    scripted,
};
use crate::core::{
    Automation, Caller, ClusterPorts, Core, CorePorts, CoreSettings, Delivery, Lease,
    MakeTopicStore, NoAutomation, Outlet, WatchId,
};
use crate::driver_host::{Description, DriverHost, HostError, ModuleSink, RunningModule};
use crate::model::{
    ApiKey, BindingKey, Building, Clearance, Clock, ClusterSecret, Credentials, DriverRef, EntryId,
    KeyId, KeySecret, LogLevel, Module, ModuleId, Node, NodeId, NodeUri, Origin, Presence, Scope,
    Secret, Slots, State, StatusChange, StatusValue, Subject, SystemId, User, UserId,
};
use crate::stores::{EmbeddedStatusStore, NodeRegistry, StatusStore, StoreFeed};

struct NoStore;

impl StatusStore for NoStore {
    fn write(&self, _: Vec<StatusChange>) {}
    fn follow(&self, _: &BindingKey) {}
    fn unfollow(&self, _: &BindingKey) {}
    fn follow_system(&self, _: &SystemId) {}
    fn unfollow_system(&self, _: &SystemId) {}

    fn keeps_values(&self) -> bool {
        false
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

struct NoDrivers;

impl NoDrivers {
    fn refuse(driver: &DriverRef) -> HostError {
        HostError::UnknownDriver {
            id: driver.as_str().to_owned(),
            known: "none".to_owned(),
        }
    }
}

impl DriverHost for NoDrivers {
    fn describe(&self, driver: &DriverRef) -> Result<Description, HostError> {
        Err(Self::refuse(driver))
    }

    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        Vec::new()
    }

    fn start(
        &self,
        module: &Module,
        _: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        let error = Self::refuse(&module.driver);
        Box::pin(async move { Err(error) })
    }
}

/// A core whose statuses and slots a test sets. To be made inside a Tokio runtime.
pub(crate) struct TestCore {
    pub(crate) core: Arc<Core>,
}

impl TestCore {
    pub(crate) async fn new() -> Self {
        Self::with_topics(embedded_topics()).await
    }

    /// One with a store of topics of the test's own.
    pub(crate) async fn with_topics(topics: MakeTopicStore) -> Self {
        let core = Core::new(
            CoreSettings::default(),
            |_| Arc::new(NoStore),
            CorePorts {
                documents: MemoryDocuments::new(),
                topics,
                messages: embedded_messages(),
                host: Arc::new(NoDrivers),
                clock: clock(),
                main: Handle::current(),
                executor: Arc::new(Handle::current()),
                forms: FORMS,
                automation: Arc::new(NoAutomation),
                key_inspector: None,
                cluster: None,
            },
        );
        let user = User {
            email: "test@example.test".to_owned(),
            name: "Test".to_owned(),
            level: Clearance::Admin,
            ..User::new(&UserId::new("user-test").unwrap())
        };
        let key = ApiKey {
            level: Clearance::Admin,
            scopes: Scope::parse("public").into_iter().collect(),
            ..ApiKey::new(
                &KeyId::new("test").unwrap(),
                KeySecret::Plain(Secret::new("secret")),
                &user.id.clone(),
            )
        };
        let building = Building {
            users: vec![user],
            api_keys: vec![key],
            ..Building::default()
        };
        apply(&core, building).await.unwrap();
        Self {
            core: Arc::new(core),
        }
    }

    /// One whose modules run on this host, by this clock, and whose statuses are kept as those of a single node are.
    pub(crate) fn running(
        host: Arc<dyn DriverHost>,
        automation: Arc<dyn Automation>,
        clock: Clock,
    ) -> Self {
        let core = Core::new(
            CoreSettings::default(),
            |feed| Arc::new(EmbeddedStatusStore::new(feed)),
            CorePorts {
                documents: MemoryDocuments::new(),
                topics: embedded_topics(),
                messages: embedded_messages(),
                host,
                clock,
                main: Handle::current(),
                executor: Arc::new(Handle::current()),
                forms: FORMS,
                automation,
                key_inspector: None,
                cluster: None,
            },
        );
        Self {
            core: Arc::new(core),
        }
    }

    /// One by this clock, without any driver.
    pub(crate) fn by_clock(clock: Clock) -> Self {
        Self::running(Arc::new(NoDrivers), Arc::new(NoAutomation), clock)
    }

    /// Makes the building this one, as a building file does.
    pub(crate) async fn apply(&self, building: Building) {
        apply(&self.core, building).await.unwrap();
    }

    pub(crate) fn caller(&self) -> Caller {
        let key = Credentials::ApiKey(Secret::new("test.secret"));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core.access.authenticate(&[key], here).unwrap()
    }

    /// A watch id, of an outlet of its own.
    pub(crate) fn watch(&self, subject: Subject) -> WatchId {
        struct Nowhere;
        impl Outlet for Nowhere {
            fn push(&self, batch: &mut Vec<Delivery>) {
                batch.clear();
            }
        }
        let outlet = self.core.follows.attach(Arc::new(Nowhere));
        self.core.follows.watch(outlet, subject)
    }

    /// A module has published a status.
    pub(crate) fn publish(&self, key: BindingKey, value: Option<StatusValue>) {
        self.core.subscriptions.changed(&mut vec![StatusChange {
            key,
            value,
            origin: Origin::Push,
            act: None,
        }]);
    }

    /// Entries of the building have changed.
    pub(crate) fn change_entries(&self, entries: Vec<(EntryId, Presence, Presence)>) {
        self.core.subscriptions.announce_entries(entries);
    }

    /// These are the slots of a system.
    pub(crate) fn map(&self, system: SystemId, slots: Slots) {
        self.core.subscriptions.map(system, slots);
    }

    /// The time that empty slots are given has passed.
    pub(crate) fn settle(&self) {
        self.core
            .subscriptions
            .settle_until(tokio::time::Instant::now() + Duration::from_secs(60));
    }

    /// How many paths are watched.
    pub(crate) fn watches(&self) -> usize {
        self.core.subscriptions.watches()
    }
}

/// A node that runs the scripted module `mod-1`, and shares its building with nodes that are doubles. To be made inside a Tokio runtime.
pub(crate) struct TestNode {
    pub(crate) core: Arc<Core>,
    host: Arc<ScriptedHost>,
    nodes: Arc<ListedNodes>,
    _clockwork: JoinSet<()>,
}

impl TestNode {
    /// What its cluster's secret is.
    pub(crate) const SECRET: &str = "the secret of the cluster";

    const HERE: &str = "http://here:3000";

    /// Returns when the module runs.
    pub(crate) async fn new() -> Self {
        Self::with_topics(embedded_topics()).await
    }

    /// One with a store of topics of the test's own.
    pub(crate) async fn with_topics(topics: MakeTopicStore) -> Self {
        let host = ScriptedHost::new();
        let nodes = Arc::new(ListedNodes::default());
        nodes.list(&[Self::HERE]);
        let epoch = Instant::now();
        let lease = Lease::new(Duration::from_secs(10), Arc::new(move || epoch.elapsed()));
        let core = Arc::new(Core::new(
            CoreSettings::default(),
            |_| Arc::new(NoStore),
            CorePorts {
                documents: MemoryDocuments::new(),
                topics,
                messages: embedded_messages(),
                host: Arc::clone(&host) as Arc<dyn DriverHost>,
                clock: clock(),
                main: Handle::current(),
                executor: Arc::new(Handle::current()),
                forms: FORMS,
                automation: Arc::new(NoAutomation),
                key_inspector: None,
                cluster: Some(ClusterPorts {
                    registry: Arc::clone(&nodes) as Arc<dyn NodeRegistry>,
                    catalog: Arc::new(MemoryCatalog::default()),
                    peers: Arc::new(ScriptedPeers::default()),
                    secret: ClusterSecret::from(Secret::new(Self::SECRET)),
                    edges: crate::model::Edges::new(),
                    open_core_api: false,
                    lease: Arc::new(lease),
                }),
            },
        ));
        let building = Building {
            systems: vec![room("sys-1", &["mod-1"])],
            modules: vec![scripted("mod-1", None)],
            ..Building::default()
        };
        apply(&core, building).await.unwrap();
        core.join(Node {
            id: NodeId::new("01").unwrap(),
            uri: NodeUri::new(Self::HERE).unwrap(),
        });
        let mut clockwork = JoinSet::new();
        let running = Arc::clone(&core);
        clockwork.spawn(async move { running.run().await });
        let node = Self {
            core,
            host,
            nodes,
            _clockwork: clockwork,
        };
        node.wait_until(|node| !node.host.lives().is_empty()).await;
        node
    }

    /// The calls that the module has begun, in their order.
    pub(crate) fn begun(&self) -> Vec<String> {
        let begun = self.host.life().begun().into_iter();
        begun
            .map(|(function, arguments)| function + &arguments)
            .collect()
    }

    /// The module says a line.
    pub(crate) fn say_line(&self, level: LogLevel, message: &str) {
        let life = self.host.life();
        if life.sink.wants_line(level) {
            life.sink.line(level, message.to_owned());
        }
    }

    /// The module goes to another node.
    pub(crate) fn give_up(&self) {
        self.nodes.list(&["http://elsewhere:3000"]);
    }

    /// Waits for something that the test has brought about.
    pub(crate) async fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
        let patience = Instant::now() + Duration::from_secs(20);
        while !is_so(self) {
            assert!(Instant::now() < patience, "it did not come about");
            sleep(Duration::from_millis(5)).await;
        }
    }
}
