//! What the server room is promised by [`Core`]: who reaches which function, and what a building that is loaded again changes.
//!
//! `doubles` stand in place of the rooms around the core, and `testkit` is a whole core for the tests of other rooms.

pub(in crate::core) mod doubles;
pub(crate) mod late_topics;
pub(crate) mod log;
pub(crate) mod shared_topics;
pub(crate) mod testkit;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::core::limits::SETTLE;
use crate::core::tests::doubles::{
    Inbox, MemoryDocuments, ScriptedHost, api_key, json, key, module, path, place, room, scripted,
    system, user,
};
use crate::core::{
    Caller, Core, CoreSettings, Delivery, EditError, ModuleAccess, Outlet, OutletId, ReplySlot,
};
use crate::model::{
    Building, Clearance, Credentials, Differences, DriverRef, Event, ExecRequest, Failure,
    FailureKind, Found, FunctionName, ModuleAddress, ModuleIndex, ModuleName, Origin, Presence,
    Query, Reply, Secret, Slots, StatusChange, Subject,
};
use crate::stores::StoreFeed;

// Calls.

#[tokio::test(start_paused = true)]
async fn a_function_is_called_by_those_who_have_its_clearance() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    for (function, refused) in [
        ("echo", &[] as &[&str]),
        ("support_only", &["user"]),
        ("admin_only", &["user", "support"]),
    ] {
        for who in ["user", "support", "admin"] {
            let expected = refused.contains(&who).then_some(FailureKind::Forbidden);
            let outcome = bench
                .exec(who, place("sys-1", "Scratch", 1), function)
                .await;
            assert_eq!(outcome, expected, "{who} calls {function}");
        }
    }
    let begun = bench.host.life().begun();
    assert_eq!(begun.len(), 6, "what was refused was not begun");
}

#[tokio::test(start_paused = true)]
async fn a_call_says_which_of_system_module_and_function_is_not_there() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    for (place, function, kind) in [
        (
            place("sys-none", "Scratch", 1),
            "echo",
            FailureKind::SystemNotFound,
        ),
        (
            place("sys-1", "Display", 1),
            "echo",
            FailureKind::ModuleNotFound,
        ),
        (
            place("sys-1", "Scratch", 2),
            "echo",
            FailureKind::ModuleNotFound,
        ),
        (
            place("sys-1", "Scratch", 1),
            "nope",
            FailureKind::FunctionNotFound,
        ),
    ] {
        let outcome = bench.exec("admin", place.clone(), function).await;
        assert_eq!(outcome, Some(kind), "{place} {function}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_module_is_read_by_support_and_above() {
    let mut building = building(&[("sys-1", &["mod-1"])]);
    building.modules = vec![scripted("mod-1", Some("_Engine"))];
    let bench = Bench::new(building).await;
    let read = |who| {
        let caller = bench.authenticate(who).unwrap();
        let engine = place("sys-1", "_Engine", 1).into();
        let found = bench
            .core
            .resolver
            .resolve(&caller, &engine, ModuleAccess::Read);
        found.map_err(|failure| failure.kind())
    };
    assert_eq!(read("user"), Err(FailureKind::ProtectedModule));
    assert_eq!(read("support"), Ok(module("mod-1")));
    assert_eq!(read("admin"), Ok(module("mod-1")));
}

#[tokio::test(start_paused = true)]
async fn a_log_is_found_by_the_modules_place_or_id() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    let by_id = |id| ModuleAddress::Id {
        id: module(id),
        system: None,
    };
    let by_place = |index| ModuleAddress::Place(place("sys-1", "Scratch", index));
    let find = |target| {
        bench
            .core
            .resolver
            .in_building(&target)
            .map_err(|failure| failure.kind())
    };
    assert_eq!(find(by_id("mod-1")), Ok(module("mod-1")));
    assert_eq!(find(by_place(1)), Ok(module("mod-1")));
    assert_eq!(find(by_id("mod-none")), Err(FailureKind::ModuleNotFound));
    assert_eq!(find(by_place(2)), Err(FailureKind::ModuleNotFound));
}

// The directory.

#[tokio::test(start_paused = true)]
async fn like_named_modules_are_numbered_in_the_order_of_their_system() {
    let mut building = building(&[("sys-1", &["mod-3", "mod-1", "mod-2", "mod-4"])]);
    building.modules = vec![
        scripted("mod-1", Some("Display")),
        scripted("mod-2", None),
        scripted("mod-3", Some("Display")),
        scripted("mod-4", Some("Scratch")),
    ];
    let bench = Bench::new(building).await;
    let directory = bench.core.queries.directory();
    let slots = directory.slots(directory.system(&system("sys-1")).unwrap());
    let expected: Slots = [
        ("Display", 1, "mod-3"),
        ("Display", 2, "mod-1"),
        ("Scratch", 1, "mod-2"),
        ("Scratch", 2, "mod-4"),
    ]
    .into_iter()
    .map(|(name, index, id)| {
        let slot = (
            ModuleName::new(name).unwrap(),
            ModuleIndex::new(index).unwrap(),
        );
        (slot, module(id))
    })
    .collect();
    assert_eq!(slots, expected);
}

// Loading again.

#[tokio::test(start_paused = true)]
async fn a_system_that_a_new_building_lacks_shows_null_and_is_not_found() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"]), ("sys-2", &["mod-1"])])).await;
    bench.pass(Duration::from_millis(1)).await;
    bench.host.life().say("x", Some("1"));
    let gone = bench.bind("sys-1");
    let kept = bench.bind("sys-2");
    assert_eq!(bench.inbox.take_values(), ["1", "1"]);

    bench
        .apply(building(&[("sys-2", &["mod-1"])]))
        .await
        .unwrap();
    bench.pass(2 * SETTLE).await;
    let told = bench.inbox.take_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].watch, &told[0].value), (gone, &None));
    let outcome = bench
        .exec("admin", place("sys-1", "Scratch", 1), "echo")
        .await;
    assert_eq!(outcome, Some(FailureKind::SystemNotFound));

    bench.host.life().say("x", Some("2"));
    let told = bench.inbox.take_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].watch, kept);
}

#[tokio::test(start_paused = true)]
async fn a_system_that_a_new_building_brings_back_comes_alive_again() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    bench.pass(Duration::from_millis(1)).await;
    bench.host.life().say("x", Some("1"));
    bench.bind("sys-1");
    bench.apply(building(&[])).await.unwrap();
    bench.pass(2 * SETTLE).await;
    bench
        .apply(building(&[("sys-1", &["mod-1"])]))
        .await
        .unwrap();
    assert_eq!(bench.inbox.take_values(), ["1", "null", "1"]);
}

#[tokio::test(start_paused = true)]
async fn loading_the_same_building_again_restarts_nothing_and_shows_nothing() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    bench.pass(Duration::from_millis(1)).await;
    bench.host.life().say("x", Some("1"));
    bench.bind("sys-1");
    bench.inbox.take();
    bench
        .apply(building(&[("sys-1", &["mod-1"])]))
        .await
        .unwrap();
    bench.pass(2 * SETTLE).await;
    assert_eq!(bench.inbox.take_values(), [] as [&str; 0]);
    assert_eq!(bench.host.lives().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_a_new_building_adds_is_started() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    let mut more = building(&[("sys-1", &["mod-1", "mod-2"])]);
    more.modules.push(scripted("mod-2", None));
    bench.apply(more).await.unwrap();
    let outcome = bench
        .exec("user", place("sys-1", "Scratch", 2), "echo")
        .await;
    assert_eq!(outcome, None);
    assert_eq!(bench.host.life().module, module("mod-2"));
}

#[tokio::test(start_paused = true)]
async fn a_building_with_an_unknown_driver_changes_nothing() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    let mut wrong = building(&[("sys-2", &["mod-1"])]);
    wrong.api_keys.clear();
    wrong.modules[0].driver = DriverRef::LinkedIn("nope".to_owned());
    let error = bench.apply(wrong).await.unwrap_err();
    assert!(matches!(error, EditError::Invalid(_)), "{error}");
    let outcome = bench
        .exec("user", place("sys-1", "Scratch", 1), "echo")
        .await;
    assert_eq!(outcome, None);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_a_new_building_lacks_no_longer_opens() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"])])).await;
    let mut fewer = building(&[("sys-1", &["mod-1"])]);
    fewer.api_keys.retain(|key| key.id.as_str() != "support");
    bench.apply(fewer).await.unwrap();
    assert!(bench.authenticate("user").is_some());
    assert!(bench.authenticate("support").is_none());
}

// Queries, and the followed building.

#[tokio::test(start_paused = true)]
async fn what_there_is_is_told_to_whoever_asks_through_a_slot() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"]), ("sys-2", &[])])).await;
    bench.say("mod-1", "x", "7");
    let systems = bench.query(Query::Systems).await;
    let expected = vec![system("sys-1"), system("sys-2")];
    assert_eq!(systems.unwrap(), Found::Systems(expected));
    let at = place("sys-1", "Scratch", 1);
    let modules = bench.query(Query::Modules(system("sys-1"))).await;
    let expected = vec![(at.clone(), module("mod-1"))];
    assert_eq!(modules.unwrap(), Found::Modules(expected));
    let Found::Statuses(state) = bench.query(Query::Statuses(at.clone())).await.unwrap() else {
        panic!("no statuses");
    };
    let x = state.iter().find(|(name, _)| name.as_str() == "x");
    assert_eq!(x.unwrap().1, json("7"));
    let Found::Functions(interface) = bench.query(Query::Functions(at)).await.unwrap() else {
        panic!("no functions");
    };
    let mut names = interface.functions.keys();
    assert!(names.any(|name| name.as_str() == "echo"));
    for query in [
        Query::Modules(system("sys-none")),
        Query::Statuses(place("sys-none", "Scratch", 1)),
    ] {
        let failure = bench.query(query).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::SystemNotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn what_many_modules_say_is_told_for_each_place_at_which_one_stands() {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"]), ("sys-2", &["mod-1"])])).await;
    bench.say("mod-1", "x", "7");
    let places = [
        place("sys-1", "Scratch", 1),
        place("sys-2", "Scratch", 1),
        place("sys-1", "Scratch", 2),
        place("sys-none", "Scratch", 1),
    ];
    let all = Query::Snapshot(places.into_iter().map(Arc::new).collect());
    let Found::Snapshot(events) = bench.query(all).await.unwrap() else {
        panic!("no snapshot");
    };
    let of_x = events.into_iter().filter_map(|event| match event {
        Event::Value { path, value, .. } if path.status.as_str() == "x" => {
            Some((path.module.system.to_string(), value?.to_string()))
        }
        Event::Value { .. }
        | Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => None,
    });
    let told = ["sys-1", "sys-2"].map(|system| (system.to_owned(), "7".to_owned()));
    assert!(of_x.eq(told));
}

#[tokio::test(start_paused = true)]
async fn who_follows_the_building_is_told_what_an_edit_adds_changes_and_removes_but_not_of_users_and_keys()
 {
    let bench = Bench::new(building(&[("sys-1", &["mod-1"]), ("sys-2", &[])])).await;
    bench.core.follows.watch(bench.outlet, Subject::Directory);
    let mut other = building(&[("sys-1", &[]), ("sys-3", &[])]);
    other.modules.clear();
    other.api_keys.retain(|key| key.id.as_str() != "support");
    bench.apply(other).await.unwrap();
    let mut told: Vec<(String, Presence, Presence)> = bench
        .inbox
        .take()
        .into_iter()
        .filter_map(|delivery| match delivery {
            Delivery::Event {
                event: Event::Entry { id, old, new, .. },
                ..
            } => Some((id.to_string(), old, new)),
            // Of the key that is gone.
            Delivery::Close { .. } => None,
            other @ (Delivery::Event { .. } | Delivery::Reply { .. }) => {
                panic!("not of the building: {other:?}")
            }
        })
        .collect();
    told.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let is = |kind: &str, id: &str, old, new| (format!("{kind} `{id}`"), old, new);
    assert_eq!(
        told,
        [
            is("module", "mod-1", Presence::Present, Presence::Absent),
            is("system", "sys-1", Presence::Present, Presence::Present),
            is("system", "sys-2", Presence::Present, Presence::Absent),
            is("system", "sys-3", Presence::Absent, Presence::Present),
        ]
    );
}

// Helpers.

/// A core with one outlet, whose clockwork runs.
struct Bench {
    core: Arc<Core>,
    host: Arc<ScriptedHost>,
    inbox: Arc<Inbox>,
    outlet: OutletId,
}

impl Bench {
    async fn new(building: Building) -> Self {
        let host = ScriptedHost::new();
        let documents = MemoryDocuments::new();
        let core = doubles::core(
            CoreSettings::default(),
            &documents,
            &host,
            &Handle::current(),
        );
        let clockwork = Arc::clone(&core);
        drop(Handle::current().spawn(async move { clockwork.run().await }));
        doubles::apply(&core, building).await.unwrap();
        let inbox = Inbox::new();
        let outlet = core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        Self {
            core,
            host,
            inbox,
            outlet,
        }
    }

    async fn apply(&self, building: Building) -> Result<Differences, EditError> {
        doubles::apply(&self.core, building).await
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn bind(&self, system: &str) -> crate::core::WatchId {
        let subject = Subject::Status(path(system, "Scratch", 1, "x"));
        self.core.follows.watch(self.outlet, subject)
    }

    /// The module says a status, and is known to have said it.
    fn say(&self, of: &str, name: &str, value: &str) {
        self.core.subscriptions.changed(&mut vec![StatusChange {
            key: key(of, name),
            value: Some(json(value)),
            origin: Origin::Push,
            act: None,
        }]);
    }

    async fn query(&self, query: Query) -> Result<Found, Failure> {
        let (answer, answered) = oneshot::channel();
        let caller = self.authenticate("user").unwrap();
        self.core
            .queries
            .query(&caller, query, ReplySlot::caller(answer));
        answered.await.unwrap().map(|reply| match reply {
            Reply::Found(found) => found,
            other @ (Reply::Following { .. }
            | Reply::Unfollowed
            | Reply::Result { .. }
            | Reply::Published
            | Reply::Entered(_)
            | Reply::Left
            | Reply::Tokens(_)
            | Reply::Messages(_)
            | Reply::Debugging(_)
            | Reply::Ignored) => panic!("not an answer to a query: {other:?}"),
        })
    }

    fn authenticate(&self, key: &str) -> Option<Caller> {
        let key = Credentials::ApiKey(Secret::new(format!("{key}.secret")));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core.access.authenticate(&[key], here).ok()
    }

    /// Calls a function and waits for the answer: `None` for a success.
    async fn exec(
        &self,
        who: &str,
        module: crate::model::ModulePath,
        function: &str,
    ) -> Option<FailureKind> {
        let (answer, answered) = oneshot::channel();
        let call = ExecRequest {
            module: module.into(),
            function: FunctionName::new(function).unwrap(),
            arguments: json("[]"),
            act: None,
        };
        let caller = self.authenticate(who).unwrap();
        self.core
            .calls
            .exec(&caller, call, ReplySlot::caller(answer));
        answered.await.unwrap().err().map(|failure| failure.kind())
    }
}

/// A building of these systems, one module, and a key for each clearance.
fn building(systems: &[(&str, &[&str])]) -> Building {
    Building {
        systems: systems
            .iter()
            .map(|(id, modules)| room(id, modules))
            .collect(),
        modules: vec![scripted("mod-1", None)],
        users: vec![user(Clearance::Admin)],
        api_keys: vec![
            api_key("user", Clearance::User),
            api_key("support", Clearance::Support),
            api_key("admin", Clearance::Admin),
        ],
        ..Building::default()
    }
}
