//! A building of a thousand rooms with eight modules each, to be edited. Its modules do nothing, so that an edit has the machine to itself.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use riser::core::{Apply, Caller, Core, Rehearsal};
use riser::driver_host::{
    CallError, Description, DriverHost, HostError, ModuleSink, Outcome, RunningModule,
};
use riser::model::{
    ApiKey, Building, Clearance, Configuration, Credentials, DriverRef, Edit, Entry, FunctionName,
    Interface, JsonText, KeyId, KeySecret, Module, ModuleId, ModuleName, Scope, Secret, Source,
    System, SystemId, User, UserId, Zone, ZoneId,
};
use tokio::runtime::{Builder, Runtime};

use crate::house;

const ROOMS: usize = 1_000;
const MODULES_PER_ROOM: usize = 8;
/// A floor has ten rooms.
const FLOORS: usize = ROOMS / 10;
/// Each has a key.
const USERS: usize = 200;

/// A core with that building, and an administrator who edits it.
pub(crate) struct Campus {
    core: Arc<Core>,
    who: Caller,
    /// How many edits were made, so that each is another.
    edits: usize,
    drivers: Runtime,
}

impl Campus {
    pub(crate) fn new() -> Self {
        let drivers = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let (core, _) = house::core(Arc::new(Idle), &drivers);
        let apply = Apply {
            building: building(),
            source: Source::File,
            rehearsal: Rehearsal::Real,
        };
        let applied = drivers.block_on(core.editor.apply(apply));
        applied.expect("the building is sound");
        let key = Credentials::ApiKey(Secret::new("key-1.secret"));
        let who = core
            .access
            .authenticate(&[key], std::net::Ipv4Addr::LOCALHOST.into())
            .expect("it is our key");
        Self {
            core,
            who,
            edits: 0,
            drivers,
        }
    }

    /// Another description of a zone.
    pub(crate) fn edit_zone(&mut self) {
        let mut zone = zone(FLOORS / 2);
        zone.description = format!("edit {}", self.edits);
        self.edit(Entry::Zone(zone));
    }

    /// The modules of a room in another order.
    pub(crate) fn edit_room(&mut self) {
        let mut room = room(ROOMS / 2);
        // Without a change in the first turn there would be nothing to be done.
        room.modules
            .rotate_left(1 + self.edits % (MODULES_PER_ROOM - 1));
        self.edit(Entry::System(room));
    }

    /// Another name of a user who has a key.
    pub(crate) fn edit_user(&mut self) {
        let mut user = user(USERS / 2);
        user.name = format!("edit {}", self.edits);
        self.edit(Entry::User(user));
    }

    fn edit(&mut self, entry: Entry) {
        self.edits += 1;
        let edits = vec![Edit::put(entry)];
        let made = self
            .drivers
            .block_on(self.core.editor.edit(&self.who, edits));
        let made = made.expect("the edit is sound");
        assert_eq!(made.0.len(), 1, "{made}");
    }
}

/// The host of a driver that does nothing.
struct Idle;

impl DriverHost for Idle {
    fn describe(&self, _: &DriverRef) -> Result<Description, HostError> {
        Ok(description())
    }

    fn drivers(&self) -> Vec<(DriverRef, Description)> {
        vec![(driver(), description())]
    }

    fn start(
        &self,
        _: &Module,
        _: Arc<dyn ModuleSink>,
    ) -> BoxFuture<'static, Result<Arc<dyn RunningModule>, HostError>> {
        ready(Ok(Arc::new(Idle) as Arc<dyn RunningModule>)).boxed()
    }
}

impl RunningModule for Idle {
    fn call(
        &self,
        _: &FunctionName,
        _: &JsonText,
    ) -> BoxFuture<'static, Result<Outcome, CallError>> {
        pending().boxed()
    }

    fn exited(&self) -> BoxFuture<'static, String> {
        pending().boxed()
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

fn driver() -> DriverRef {
    DriverRef::LinkedIn("idle".to_owned())
}

fn description() -> Description {
    Description {
        module_name: ModuleName::new("Idle").expect("it is a name"),
        text: Arc::from("does nothing"),
        configuration: Configuration::ANY,
        interface: Some(Arc::new(Interface::default())),
    }
}

fn building() -> Building {
    let modules = (0..ROOMS).flat_map(|number| room(number).modules);
    Building {
        zones: (0..FLOORS).map(zone).collect(),
        systems: (0..ROOMS).map(room).collect(),
        modules: modules
            .map(|id| Module {
                driver: driver(),
                ..Module::new(&id)
            })
            .collect(),
        users: (0..USERS).map(user).collect(),
        api_keys: (0..USERS).map(key).collect(),
        ..Building::default()
    }
}

fn zone(number: usize) -> Zone {
    let id = ZoneId::new(&format!("zone-{number}")).expect("it is an id");
    Zone {
        name: format!("Floor {number}"),
        tags: vec!["level".to_owned()],
        ..Zone::new(&id)
    }
}

fn room(number: usize) -> System {
    let module = |place| ModuleId::new(&format!("mod-{number}-{place}")).expect("it is an id");
    let id = SystemId::new(&format!("sys-{number}")).expect("it is an id");
    System {
        name: format!("Room {number}"),
        capacity: 8,
        bookable: true,
        zones: vec![zone(number % FLOORS).id],
        modules: (0..MODULES_PER_ROOM).map(module).collect(),
        ..System::new(&id)
    }
}

fn user(number: usize) -> User {
    let id = UserId::new(&format!("user-{number}")).expect("it is an id");
    User {
        email: format!("user-{number}@example.test"),
        name: format!("User {number}"),
        level: Clearance::Admin,
        ..User::new(&id)
    }
}

fn key(number: usize) -> ApiKey {
    let id = KeyId::new(&format!("key-{number}")).expect("it is an id");
    let secret = KeySecret::Plain(Secret::new("secret"));
    ApiKey {
        level: Clearance::Admin,
        scopes: Scope::parse(Scope::PUBLIC).into_iter().collect(),
        ..ApiKey::new(&id, secret, &user(number).id)
    }
}
