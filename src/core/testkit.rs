//! A core for tests of other rooms: without drivers, its statuses and slots set by hand.
//!
//! Its store and driver host are doubles: the store only forgets, the host knows no driver.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::core::doubles::{MemoryDocuments, NOW, apply};
use crate::core::{Caller, Core, CoreSettings, Delivery, Ground, Outlet, WatchId};
use crate::driver_host::{Description, DriverHost, HostError, ModuleSink, RunningModule};
use crate::model::{
    ApiKey, BindingKey, Building, Clearance, Credentials, DriverRef, KeyId, KeySecret, Module,
    ModuleId, Origin, Scope, Secret, Slots, State, StatusChange, StatusValue, Subject, SystemId,
    User, UserId,
};
use crate::stores::{StatusStore, StoreFeed};

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
        let core = Core::new(
            CoreSettings::default(),
            |_| Arc::new(NoStore),
            Ground {
                documents: MemoryDocuments::new(),
                host: Arc::new(NoDrivers),
                clock: Arc::new(|| NOW),
                main: Handle::current(),
                lanes: Arc::new(Handle::current()),
                key_inspector: None,
                shared: None,
            },
        );
        let user = User {
            id: UserId::new("user-test").unwrap(),
            email: "test@example.test".to_owned(),
            name: "Test".to_owned(),
            level: Clearance::Admin,
            groups: Vec::new(),
            password: None,
        };
        let key = ApiKey {
            id: KeyId::new("test").unwrap(),
            secret: KeySecret::Plain(Secret::new("secret")),
            user: user.id.clone(),
            level: Clearance::Admin,
            scopes: Scope::parse("public").into_iter().collect(),
            systems: Vec::new(),
            zones: Vec::new(),
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

    pub(crate) fn caller(&self) -> Caller {
        let key = Credentials::ApiKey(Secret::new("test.secret"));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core.authenticate(&key, here).unwrap()
    }

    /// A watch id, of an outlet of its own.
    pub(crate) fn watch(&self, subject: Subject) -> WatchId {
        struct Nowhere;
        impl Outlet for Nowhere {
            fn push(&self, batch: &mut Vec<Delivery>) {
                batch.clear();
            }
        }
        let outlet = self.core.attach(Arc::new(Nowhere));
        self.core.watch(outlet, subject)
    }

    /// A module has published a status.
    pub(crate) fn publish(&self, key: BindingKey, value: Option<StatusValue>) {
        self.core.subscriptions.changed(&mut vec![StatusChange {
            key,
            value,
            origin: Origin::Push,
        }]);
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
