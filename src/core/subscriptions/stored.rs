//! What the table does over a store that has values and systems of its own, such as one that many nodes share.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use crate::core::limits::SETTLE;
use crate::core::outlet::{Outlet, OutletId, WatchId};
use crate::core::subscriptions::ModuleRead;
use crate::core::subscriptions::table::Table;
use crate::core::tests::doubles::{EchoStore, Inbox, clock, json, key, module, path, system};
use crate::model::{Event, ModuleIndex, ModuleName, Origin, Slots, StatusChange};
use crate::stores::StatusStore;

#[test]
fn a_system_that_only_the_store_knows_is_followed_while_it_is_watched() {
    let mut room = Room::new();
    let watch = room.watch("x");
    assert_eq!(
        room.store.followed_systems(),
        HashSet::from([system("sys-1")])
    );
    room.learn(Some("mod-1"));
    assert_eq!(room.store.followed(), HashSet::from([key("mod-1", "x")]));
    room.read("mod-1", Some("5"));
    assert_eq!(room.told(), ["5"]);
    room.table.unwatch(room.outlet, watch);
    assert!(room.store.followed_systems().is_empty());
    assert!(room.store.followed().is_empty());
    assert_eq!(room.table.slots(&system("sys-1")), None);
}

#[test]
fn the_buildings_own_system_is_not_the_stores_to_say() {
    let mut room = Room::new();
    room.watch("x");
    room.own(Some("mod-1"));
    assert!(room.store.followed_systems().is_empty());
    room.learn(Some("mod-2"));
    assert_eq!(room.store.followed(), HashSet::from([key("mod-1", "x")]));
}

#[test]
fn a_system_that_leaves_the_building_is_looked_up_in_the_store() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    room.watch("x");
    assert!(room.store.followed_systems().is_empty());
    room.table.unmap(&system("sys-1"), room.now);
    assert_eq!(
        room.store.followed_systems(),
        HashSet::from([system("sys-1")])
    );
    room.learn(Some("mod-2"));
    assert_eq!(room.store.followed(), HashSet::from([key("mod-2", "x")]));
}

#[test]
fn what_the_store_tells_of_a_system_that_nobody_watches_is_dropped() {
    let mut room = Room::new();
    room.learn(Some("mod-1"));
    assert_eq!(room.table.slots(&system("sys-1")), None);
}

#[test]
fn a_value_that_nobody_follows_is_forgotten() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    let watch = room.watch("x");
    room.read("mod-1", Some("5"));
    assert_eq!(room.told(), ["5"]);
    room.table.unwatch(room.outlet, watch);
    // Late: the store had sent it before it heard of the end.
    room.push("mod-1", Some("6"));
    assert!(room.table.statuses.keys().is_empty());
    room.watch("x");
    assert_eq!(
        room.told(),
        [] as [&str; 0],
        "an old value may be wrong by now"
    );
    room.read("mod-1", Some("7"));
    assert_eq!(room.told(), ["7"]);
}

#[test]
fn a_slot_with_another_module_shows_nothing_until_the_store_has_said_what_is_there() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    room.watch("x");
    room.read("mod-1", Some("1"));
    assert_eq!(room.told(), ["1"]);
    room.own(Some("mod-2"));
    for _ in 0..5 {
        room.pass_settle();
    }
    assert_eq!(
        room.told(),
        [] as [&str; 0],
        "it is not known yet that there is no value"
    );
    room.read("mod-2", Some("2"));
    assert_eq!(room.told(), ["2"]);
}

#[test]
fn a_slot_whose_module_lacks_the_status_shows_null_when_the_store_has_said_so() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    room.watch("x");
    room.read("mod-1", Some("1"));
    room.own(Some("mod-2"));
    room.pass_settle();
    room.read("mod-2", None);
    assert_eq!(room.told(), ["1"]);
    room.pass_settle();
    assert_eq!(room.told(), ["null"]);
    room.pass_settle();
    assert_eq!(room.told(), [] as [&str; 0]);
}

#[test]
fn what_is_read_again_after_a_gap_is_told_only_where_it_differs() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    room.watch("x");
    room.read("mod-1", Some("1"));
    room.read("mod-1", Some("1"));
    assert_eq!(room.told(), ["1"]);
    room.read("mod-1", Some("2"));
    assert_eq!(room.told(), ["2"]);
    room.read("mod-1", None);
    assert_eq!(room.told(), ["null"]);
}

#[test]
fn a_module_that_no_node_runs_is_not_connected_whatever_the_store_still_has() {
    let mut room = Room::of("connected");
    room.own(Some("mod-1"));
    room.watch("connected");
    room.read("mod-1", Some("true"));
    assert_eq!(room.told(), ["true"]);
    room.leave_unattended(&["mod-1"]);
    assert_eq!(room.told(), ["false"]);
    room.leave_unattended(&["mod-1", "mod-2"]);
    room.read("mod-1", Some("true"));
    assert_eq!(room.told(), [] as [&str; 0]);
    room.watch("connected");
    assert_eq!(room.told(), ["false"], "who comes is told the same");
    room.leave_unattended(&[]);
    assert_eq!(room.told(), ["true", "true"]);
}

#[test]
fn a_module_of_which_nothing_is_known_yet_is_not_connected_until_it_says_so() {
    let mut room = Room::of("connected");
    room.own(Some("mod-1"));
    room.leave_unattended(&["mod-1"]);
    room.watch("connected");
    room.read("mod-1", None);
    assert_eq!(room.told(), ["false"]);
    // A node runs it, and its driver has not started.
    room.leave_unattended(&[]);
    assert_eq!(room.told(), [] as [&str; 0]);
    room.push("mod-1", Some("true"));
    assert_eq!(room.told(), ["true"]);
}

#[test]
fn a_module_that_begins_to_run_shows_nothing_of_the_life_before() {
    let mut room = Room::of("connected");
    room.own(Some("mod-1"));
    room.watch("connected");
    room.read("mod-1", Some("true"));
    room.leave_unattended(&["mod-1"]);
    assert_eq!(room.told(), ["true", "false"]);
    // A node was granted it, and its driver has not started: what is known is of the life before.
    let lingering = HashSet::from([module("mod-1")]);
    room.table.set_unattended(HashSet::new(), &lingering);
    assert_eq!(room.told(), [] as [&str; 0]);
    room.push("mod-1", Some("false"));
    room.push("mod-1", Some("true"));
    assert_eq!(room.told(), ["true"]);
    room.table.set_unattended(HashSet::new(), &lingering);
    assert_eq!(room.told(), [] as [&str; 0]);
}

#[test]
fn what_a_module_that_begins_here_says_holds_at_once() {
    let mut room = Room::of("connected");
    room.own(Some("mod-1"));
    room.watch("connected");
    room.read("mod-1", Some("true"));
    room.leave_unattended(&["mod-1"]);
    assert_eq!(room.told(), ["true", "false"]);
    room.table.statuses.attend(&module("mod-1"));
    room.leave_unattended(&[]);
    room.watch("connected");
    assert_eq!(room.told(), ["false"], "nothing of the life before");
    room.push("mod-1", Some("true"));
    assert_eq!(room.told(), ["true", "true"]);
}

#[test]
fn other_statuses_of_a_module_that_no_node_runs_stay_as_they_were() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    room.watch("x");
    room.read("mod-1", Some("5"));
    room.leave_unattended(&["mod-1"]);
    assert_eq!(room.told(), ["5"]);
}

// Whole modules.

#[test]
fn a_module_that_is_followed_whole_is_so_at_the_store_for_as_long_as_it_stands_there() {
    let mut room = Room::new();
    let whole = room.watch_module();
    assert_eq!(
        room.store.followed_systems(),
        HashSet::from([system("sys-1")]),
        "where it stands is not known yet"
    );
    room.learn(Some("mod-1"));
    assert_eq!(room.store.followed_modules(), [module("mod-1")].into());
    let second = room.watch_module();
    room.learn(Some("mod-2"));
    assert_eq!(room.store.followed_modules(), [module("mod-2")].into());
    room.table.unwatch(room.outlet, whole);
    assert_eq!(room.store.followed_modules(), [module("mod-2")].into());
    room.table.unwatch(room.outlet, second);
    assert_eq!(room.store.followed_modules(), HashSet::new());
    assert!(room.store.followed_systems().is_empty());
}

#[test]
fn what_is_read_of_a_whole_module_is_told_and_what_comes_and_goes_later_too() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    let whole = room.watch_module();
    room.read("mod-1", Some("1"));
    assert_eq!(room.told(), ["1"]);
    assert_eq!(room.store.followed(), HashSet::from([key("mod-1", "x")]));
    room.push("mod-1", Some("2"));
    room.read("mod-1", Some("2"));
    assert_eq!(room.told(), ["2"]);
    room.read("mod-1", None);
    assert_eq!(room.told(), ["null"], "it was gone after a loss");
    assert!(room.store.followed().is_empty());
    room.push("mod-1", Some("3"));
    assert_eq!(room.told(), ["3"]);
    room.table.unwatch(room.outlet, whole);
    room.push("mod-1", Some("4"));
    assert!(room.table.statuses.keys().is_empty());
}

#[test]
fn a_place_whose_module_is_another_shows_what_that_has_and_null_for_what_it_lacks() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    room.watch_module();
    room.read("mod-1", Some("1"));
    room.own(Some("mod-2"));
    room.pass_settle();
    assert_eq!(room.told(), ["1"], "it is not known yet what it has");
    room.read("mod-2", None);
    room.pass_settle();
    assert_eq!(room.told(), ["null"]);
    room.push("mod-2", Some("2"));
    assert_eq!(room.told(), ["2"]);
}

/// A table over a store with values, one outlet, and one system, `sys-1`, with one `Display`.
#[test]
fn a_snapshot_has_what_the_store_said_and_in_its_place_what_followers_have_been_told() {
    let mut room = Room::new();
    room.own(Some("mod-1"));
    let stored = [("connected", "true"), ("x", "1"), ("y", "2")];
    let as_stored = ["connected=true", "x=1", "y=2"];
    assert_eq!(room.snapshot("mod-1", &stored), as_stored);
    room.watch("x");
    assert_eq!(
        room.snapshot("mod-1", &stored),
        as_stored,
        "the follower has been told nothing yet"
    );
    room.read("mod-1", Some("5"));
    assert_eq!(
        room.snapshot("mod-1", &stored),
        ["connected=true", "x=5", "y=2"]
    );
    room.push("mod-1", None);
    assert_eq!(room.snapshot("mod-1", &stored), ["connected=true", "y=2"]);
}

#[test]
fn a_snapshot_says_of_each_module_at_least_that_it_is_not_connected() {
    let mut room = Room::new();
    assert_eq!(room.snapshot("mod-1", &[("x", "1")]), [] as [&str; 0]);
    room.own(Some("mod-1"));
    assert_eq!(room.snapshot("mod-1", &[]), ["connected=false"]);
    let of_another = room.snapshot("mod-2", &[("x", "1")]);
    assert_eq!(of_another, ["connected=false"], "it stood there before");
    room.leave_unattended(&["mod-1"]);
    let stored = [("connected", "true")];
    assert_eq!(room.snapshot("mod-1", &stored), ["connected=false"]);
}

struct Room {
    table: Table,
    store: Arc<EchoStore>,
    outlet: OutletId,
    inbox: Arc<Inbox>,
    now: Instant,
    /// The status that the store reports.
    status: &'static str,
}

impl Room {
    fn new() -> Self {
        Self::of("x")
    }

    fn of(status: &'static str) -> Self {
        let store = Arc::new(EchoStore::keeping());
        let mut table = Table::new(Arc::clone(&store) as Arc<dyn StatusStore>, clock());
        let inbox = Inbox::new();
        let outlet = table.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        Self {
            table,
            store,
            outlet,
            inbox,
            now: Instant::now(),
            status,
        }
    }

    fn leave_unattended(&mut self, modules: &[&str]) {
        let modules = modules.iter().map(|id| module(id));
        self.table
            .set_unattended(modules.collect(), &HashSet::new());
    }

    fn watch(&mut self, status: &str) -> WatchId {
        let path = path("sys-1", "Display", 1, status);
        self.table.watch_status(self.outlet, path)
    }

    fn watch_module(&mut self) -> WatchId {
        let place = path("sys-1", "Display", 1, "x").module.clone();
        self.table.watch_module(self.outlet, &Arc::new(place))
    }

    /// What the module at the followed place says, when the store said this of it.
    fn snapshot(&mut self, id: &str, stored: &[(&str, &str)]) -> Vec<String> {
        let state = stored.iter().map(|(name, value)| {
            let name = key(id, name).status;
            (name, json(value))
        });
        let read = ModuleRead {
            place: Arc::new(path("sys-1", "Display", 1, "x").module.clone()),
            stored: Some((module(id), state.collect())),
        };
        let events = self.table.snapshot(vec![read]).into_iter();
        let values = events.filter_map(|event| match event {
            Event::Value { path, value, .. } => Some(format!("{}={}", path.status, value?)),
            Event::Entry { .. }
            | Event::Line(_)
            | Event::Bus(_)
            | Event::Call(_)
            | Event::Topic(_)
            | Event::Message(_) => None,
        });
        values.collect()
    }

    fn own(&mut self, module: Option<&str>) {
        self.table.remap(system("sys-1"), slots(module), self.now);
    }

    fn learn(&mut self, module: Option<&str>) {
        self.table.learn(system("sys-1"), slots(module), self.now);
    }

    fn push(&mut self, module: &str, value: Option<&str>) {
        self.tell(module, value, Origin::Push);
    }

    fn read(&mut self, module: &str, value: Option<&str>) {
        self.tell(module, value, Origin::Snapshot);
    }

    fn tell(&mut self, module: &str, value: Option<&str>, origin: Origin) {
        self.table.publish(&mut vec![StatusChange {
            key: key(module, self.status),
            value: value.map(json),
            origin,
            act: None,
        }]);
    }

    fn pass_settle(&mut self) {
        self.now += SETTLE;
        self.table.settle(self.now);
    }

    fn told(&self) -> Vec<String> {
        self.inbox.take_values()
    }
}

fn slots(id: Option<&str>) -> Slots {
    let slot = (ModuleName::new("Display").unwrap(), ModuleIndex::FIRST);
    id.map(|id| (slot, module(id))).into_iter().collect()
}
