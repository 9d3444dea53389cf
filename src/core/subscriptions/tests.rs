//! What followers of a status or a log get, case by case, with a store that echoes.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::core::limits::SETTLE;
use crate::core::outlet::{Delivery, Outlet, OutletId, WatchId};
use crate::core::subscriptions::Subscriptions;
use crate::core::subscriptions::table::Table;
use crate::core::tests::doubles::{EchoStore, Inbox, NOW, clock, json, key, module, path, system};
use crate::model::{
    Act, BusEvent, Cause, Clearance, EntryId, Event, JsonText, LogLevel, LogLine, ModuleIndex,
    ModuleName, Origin, Presence, Slots, StatusChange, StatusName, Subject, Timestamp, TopicEvent,
    TopicId, TopicNews, ZoneId,
};
use crate::stores::StatusStore;

// PlaceOS's black-box cases, as far as they are the table's.

#[test]
fn what_is_read_of_a_module_that_no_node_runs_says_that_it_is_not_connected() {
    let subscriptions = Subscriptions::new(clock(), |feed| Arc::new(EchoStore::new(feed)));
    let read = || subscriptions.state(&module("mod-1")).now_or_never();
    assert_eq!(read(), Some(Some(vec![])));
    let unattended = HashSet::from([module("mod-1")]);
    subscriptions.set_unattended(unattended, &HashSet::new());
    let connected = (StatusName::connected(), json("false"));
    assert_eq!(read(), Some(Some(vec![connected])));
}

#[test]
fn a_value_that_is_the_text_null_is_told_to_a_newcomer() {
    // Case 17.
    let mut room = Room::new();
    room.map([(1, "mod-1")]);
    room.publish("mod-1", "x", Some("null"));
    room.watch("x");
    assert_eq!(room.told(), ["null"]);
}

#[test]
fn a_removed_value_is_told_to_nobody_who_comes_later() {
    let mut room = Room::new();
    room.map([(1, "mod-1")]);
    room.publish("mod-1", "x", Some("1"));
    room.publish("mod-1", "x", None);
    room.watch("x");
    assert_eq!(room.told(), [] as [&str; 0]);
}

#[test]
fn what_is_bound_before_its_system_exists_comes_alive_with_it() {
    // Case 21.
    let mut room = Room::new();
    room.watch("x");
    room.publish("mod-1", "x", Some("5"));
    assert_eq!(room.told(), [] as [&str; 0]);
    room.map([(1, "mod-1")]);
    assert_eq!(room.told(), ["5"]);
}

#[test]
fn a_slot_that_gets_another_module_tells_its_value_and_follows_only_it() {
    // Case 22.
    let mut room = Room::bound_to_one();
    room.publish("mod-2", "x", Some("2"));
    room.map([(1, "mod-2")]);
    assert_eq!(room.told(), ["2"]);
    room.publish("mod-1", "x", Some("10"));
    room.publish("mod-2", "x", Some("20"));
    assert_eq!(room.told(), ["20"]);
}

#[test]
fn a_slot_whose_new_module_lacks_the_status_shows_null_once_after_the_settle_time() {
    // Case 23.
    let mut room = Room::bound_to_one();
    room.map([(1, "mod-2")]);
    room.pass(SETTLE - Duration::from_millis(1));
    assert_eq!(room.told(), [] as [&str; 0]);
    room.pass(Duration::from_millis(1));
    assert_eq!(room.told(), ["null"]);
    room.pass(10 * SETTLE);
    assert_eq!(room.told(), [] as [&str; 0]);
}

#[test]
fn a_slot_that_is_emptied_shows_null_once_after_the_settle_time() {
    let mut room = Room::bound_to_one();
    room.map([]);
    assert_eq!(room.told(), [] as [&str; 0]);
    room.pass(SETTLE);
    room.pass(10 * SETTLE);
    assert_eq!(room.told(), ["null"]);
}

#[test]
fn a_system_that_is_deleted_shows_null_once_after_the_settle_time() {
    let mut room = Room::bound_to_one();
    room.table.unmap(&system("sys-1"), room.now);
    room.pass(SETTLE);
    room.pass(10 * SETTLE);
    assert_eq!(room.told(), ["null"]);
}

#[test]
fn a_mapping_that_is_told_again_unchanged_shows_nothing() {
    // Case 24.
    let mut room = Room::bound_to_one();
    room.map([(1, "mod-1")]);
    room.pass(10 * SETTLE);
    assert_eq!(room.told(), [] as [&str; 0]);
}

#[test]
fn a_mapping_that_is_cleared_and_refilled_identically_shows_nothing() {
    // Case 25.
    let mut room = Room::bound_to_one();
    room.map([]);
    room.pass(Duration::from_millis(200));
    room.map([(1, "mod-1")]);
    room.pass(10 * SETTLE);
    assert_eq!(room.told(), [] as [&str; 0]);
}

#[test]
fn a_value_that_changed_while_its_slot_was_empty_is_told_at_the_refill() {
    let mut room = Room::bound_to_one();
    room.map([]);
    room.publish("mod-1", "x", Some("2"));
    room.map([(1, "mod-1")]);
    room.pass(10 * SETTLE);
    assert_eq!(room.told(), ["2"]);
}

#[test]
fn slots_that_swap_their_modules_swap_their_values() {
    let mut room = Room::new();
    room.map([(1, "mod-1"), (2, "mod-2")]);
    room.publish("mod-1", "x", Some("1"));
    room.publish("mod-2", "x", Some("2"));
    let first = room.watch_slot(1, "x");
    let second = room.watch_slot(2, "x");
    room.told();
    room.map([(1, "mod-2"), (2, "mod-1")]);
    let mut told: Vec<(WatchId, Option<String>)> = room
        .inbox
        .take_told()
        .into_iter()
        .map(|told| (told.watch, told.value))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (first, Some("2".to_owned())),
            (second, Some("1".to_owned()))
        ]
    );
}

// Newcomers.

#[test]
fn who_binds_while_a_slot_is_empty_gets_the_value_when_it_is_refilled_identically() {
    let mut room = Room::bound_to_one();
    room.map([]);
    let newcomer = room.watch("x");
    assert_eq!(room.told(), [] as [&str; 0]);
    room.map([(1, "mod-1")]);
    let told = room.inbox.take_told();
    assert_eq!(told.len(), 1, "only the newcomer is told: {told:?}");
    assert_eq!(told[0].watch, newcomer);
    assert_eq!(told[0].value.as_deref(), Some("1"));
}

#[test]
fn who_binds_while_a_slot_is_empty_and_was_told_nothing_is_told_no_null_either() {
    let mut room = Room::bound_to_one();
    room.map([]);
    let newcomer = room.watch("x");
    room.pass(SETTLE);
    let told = room.inbox.take_told();
    assert_eq!(told.len(), 1, "who saw the value is told: {told:?}");
    assert_ne!(told[0].watch, newcomer);
}

#[test]
fn a_newcomer_gets_the_present_value_and_nobody_else_gets_it_again() {
    let mut room = Room::bound_to_one();
    let newcomer = room.watch("x");
    let told = room.inbox.take_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].watch, newcomer);
}

#[test]
fn watching_for_an_outlet_that_has_gone_leaves_nothing_behind() {
    let mut room = Room::new();
    assert_eq!(room.table.detach(room.outlet), []);
    room.watch("x");
    room.table.watch_channel(room.outlet, log("mod-1"));
    room.watch_module(1);
    assert_eq!(room.table.watches(), 0);
    assert!(room.table.channels.is_empty());
    assert!(room.table.places.is_empty());
}

// Where a change comes from.

#[test]
fn a_value_that_is_published_twice_is_told_twice() {
    // Case 15: a signal repeats a value on purpose.
    let mut room = Room::bound_to_one();
    room.publish("mod-1", "x", Some("1"));
    assert_eq!(room.told(), ["1"]);
}

#[test]
fn a_value_that_is_read_again_is_told_only_where_it_differs() {
    let mut room = Room::bound_to_one();
    room.read("mod-1", "x", Some("1"));
    assert_eq!(room.told(), [] as [&str; 0]);
    room.read("mod-1", "x", Some("2"));
    assert_eq!(room.told(), ["2"]);
    room.read("mod-1", "x", None);
    room.read("mod-1", "x", None);
    assert_eq!(room.told(), ["null"]);
}

#[test]
fn a_read_that_finds_nothing_at_a_new_module_waits_for_the_settle_time() {
    let mut room = Room::bound_to_one();
    room.map([(1, "mod-2")]);
    room.read("mod-2", "x", None);
    assert_eq!(room.told(), [] as [&str; 0]);
    room.publish("mod-2", "x", Some("2"));
    room.pass(SETTLE);
    assert_eq!(room.told(), ["2"]);
}

// The clockwork.

#[tokio::test(start_paused = true)]
async fn the_clockwork_tells_null_when_the_settle_time_is_over() {
    let subscriptions = Subscriptions::new(clock(), |feed| {
        Arc::new(EchoStore::new(feed)) as Arc<dyn StatusStore>
    });
    let inbox = Inbox::new();
    let outlet = subscriptions.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
    subscriptions.map(system("sys-1"), slots([(1, "mod-1")]));
    subscriptions
        .store()
        .write(vec![change("mod-1", "x", Some("1"), Origin::Push)]);
    let subject = Subject::Status(path("sys-1", "Display", 1, "x"));
    subscriptions.watch(outlet, subject, |_| {});
    let clockwork = Arc::clone(&subscriptions);
    let clockwork =
        tokio::runtime::Handle::current().spawn(async move { clockwork.settle().await });
    // The clockwork comes to its wait before there is anything to wait for.
    tokio::task::yield_now().await;
    inbox.take();

    subscriptions.unmap(&system("sys-1"));
    tokio::time::sleep(SETTLE - Duration::from_millis(1)).await;
    assert_eq!(inbox.take_values(), [] as [&str; 0]);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(inbox.take_values(), ["null"]);
    clockwork.abort();
}

// Logs.

#[test]
fn only_the_first_follower_of_a_log_raises_the_level_and_only_the_last_restores_it() {
    let logs = Logs::new();
    let one = logs.attach();
    let two = logs.attach();
    let first = logs.watch(one);
    let second = logs.watch(two);
    assert_eq!(logs.take_orders(), ["raise mod-1"]);
    logs.unwatch(one, first);
    assert_eq!(logs.take_orders(), [] as [&str; 0]);
    logs.unwatch(two, second);
    assert_eq!(logs.take_orders(), ["restore mod-1"]);
}

#[test]
fn the_last_follower_of_a_log_that_goes_with_its_outlet_restores_the_level() {
    let logs = Logs::new();
    let one = logs.attach();
    let two = logs.attach();
    logs.watch(one);
    logs.watch(one);
    logs.watch(two);
    logs.take_orders();
    logs.detach(one);
    assert_eq!(logs.take_orders(), [] as [&str; 0]);
    logs.detach(two);
    assert_eq!(logs.take_orders(), ["restore mod-1"]);
}

#[test]
fn a_line_goes_to_those_who_follow_its_module_and_to_nobody_after_they_left() {
    let mut room = Room::new();
    let (here, _) = room.table.watch_channel(room.outlet, log("mod-1"));
    room.table.watch_channel(room.outlet, log("mod-2"));
    room.table
        .announce(&log("mod-1"), &Event::Line(line("mod-1")));
    let lines: Vec<WatchId> = room.inbox.take().into_iter().map(line_watch).collect();
    assert_eq!(lines, [here]);
    room.table.unwatch(room.outlet, here);
    room.table
        .announce(&log("mod-1"), &Event::Line(line("mod-1")));
    assert!(room.inbox.take().is_empty());
    assert!(!room.table.is_followed(&log("mod-1")));
}

// What a value says beside itself.

#[test]
fn a_value_says_what_its_follower_was_told_before_and_why_and_when_it_changed() {
    let mut room = Room::bound_to_one();
    room.publish("mod-1", "x", Some("2"));
    room.publish("mod-2", "x", Some("3"));
    room.map([(1, "mod-2")]);
    room.watch("x");
    room.read("mod-2", "x", Some("4"));
    room.map([]);
    room.pass(SETTLE);
    let told: Vec<_> = room
        .inbox
        .take()
        .into_iter()
        .map(|delivery| match delivery {
            Delivery::Event {
                event:
                    Event::Value {
                        old,
                        value,
                        at,
                        cause,
                        ..
                    },
                ..
            } => {
                assert_eq!(at, Timestamp::from_secs(NOW));
                let number = |value: Option<JsonText>| value.map(|value| value.as_str().to_owned());
                (number(old), number(value), cause)
            }
            other @ (Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. }) => {
                panic!("not a value: {other:?}")
            }
        })
        .collect();
    let says = |old: Option<&str>, value: Option<&str>, cause| {
        (old.map(str::to_owned), value.map(str::to_owned), cause)
    };
    assert_eq!(
        told,
        [
            says(Some("1"), Some("2"), Cause::Module),
            says(Some("2"), Some("3"), Cause::Building),
            says(None, Some("3"), Cause::Follow),
            says(Some("3"), Some("4"), Cause::Store),
            says(Some("3"), Some("4"), Cause::Store),
            says(Some("4"), None, Cause::Building),
            says(Some("4"), None, Cause::Building),
        ]
    );
}

// Whole modules.

#[test]
fn who_follows_a_module_is_told_each_of_its_statuses_those_that_come_later_too() {
    let mut room = Room::bound_to_one();
    room.publish("mod-1", "y", Some("2"));
    let whole = room.watch_module(1);
    assert_eq!(sorted(room.told_of(whole)), ["x=1", "y=2"]);
    room.publish("mod-1", "z", Some("3"));
    room.publish("mod-1", "x", Some("4"));
    room.publish("mod-2", "x", Some("5"));
    assert_eq!(room.told_of(whole), ["z=3", "x=4"]);
    let second = room.watch_module(1);
    assert_eq!(sorted(room.told_of(second)), ["x=4", "y=2", "z=3"]);
}

#[test]
fn a_status_that_goes_is_told_to_who_follows_its_module_and_then_forgotten() {
    let mut room = Room::new();
    room.map([(1, "mod-1")]);
    let whole = room.watch_module(1);
    room.publish("mod-1", "x", Some("1"));
    room.publish("mod-1", "x", None);
    assert_eq!(room.told_of(whole), ["x=1", "x=null"]);
    assert_eq!(room.table.watches(), 0);
    room.publish("mod-1", "x", Some("2"));
    assert_eq!(room.told_of(whole), ["x=2"]);
}

#[test]
fn a_followed_module_whose_slot_changes_tells_what_differs_and_what_is_missing_after_the_settle_time()
 {
    let mut room = Room::new();
    room.map([(1, "mod-1")]);
    for (module, status, value) in [
        ("mod-1", "x", "1"),
        ("mod-1", "y", "2"),
        ("mod-2", "x", "1"),
        ("mod-2", "z", "3"),
    ] {
        room.publish(module, status, Some(value));
    }
    let whole = room.watch_module(1);
    room.told_of(whole);
    room.map([(1, "mod-2")]);
    assert_eq!(room.told_of(whole), ["z=3"]);
    room.pass(SETTLE);
    assert_eq!(room.told_of(whole), ["y=null"]);
    room.map([]);
    room.map([(1, "mod-2")]);
    room.pass(SETTLE);
    assert_eq!(room.told_of(whole), [] as [&str; 0]);
    room.map([]);
    room.pass(SETTLE);
    assert_eq!(sorted(room.told_of(whole)), ["x=null", "z=null"]);
    room.table.unwatch(room.outlet, whole);
    assert_eq!(room.table.watches(), 0);
    assert!(room.table.places.is_empty() && room.table.places_of.is_empty());
}

#[test]
fn a_status_and_its_whole_module_are_followed_side_by_side() {
    let mut room = Room::new();
    room.map([(1, "mod-1"), (2, "mod-1")]);
    let whole = room.watch_module(1);
    // Known by another place before it has a value.
    let single = room.watch_slot(2, "x");
    room.publish("mod-1", "x", Some("1"));
    let told: Vec<WatchId> = room
        .inbox
        .take_told()
        .iter()
        .map(|told| told.watch)
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&whole) && told.contains(&single));
    let here = room.watch("x");
    assert_eq!(room.told_of(here), ["x=1"]);
    room.table.unwatch(room.outlet, here);
    room.publish("mod-1", "x", Some("2"));
    let told: Vec<WatchId> = room
        .inbox
        .take_told()
        .iter()
        .map(|told| told.watch)
        .collect();
    assert!(told.contains(&whole) && !told.contains(&here));
    room.table.unwatch(room.outlet, whole);
    room.table.unwatch(room.outlet, single);
    assert_eq!(room.table.watches(), 0);
}

// What has no state.

#[test]
fn the_bus_a_topic_and_the_building_are_told_to_those_who_follow_them() {
    let mut room = Room::new();
    let topic = TopicId::new("chat").unwrap();
    for channel in [
        Subject::Bus,
        Subject::Topic(topic.clone()),
        Subject::Directory,
    ] {
        room.table.watch_channel(room.outlet, channel);
    }
    let announced = BusEvent {
        name: Arc::from("booking_started"),
        data: json("{}"),
        level: Clearance::Admin,
        act: Arc::new(Act { id: 1, user: None }),
        at: Timestamp::from_secs(1),
    };
    let bus = Event::Bus(Arc::new(announced.clone()));
    room.table.announce(&Subject::Bus, &bus);
    let said = TopicNews {
        topic: topic.clone(),
        event: TopicEvent::Message {
            message: json("1"),
            except: None,
        },
    };
    let message = Event::Topic(Arc::new(said.clone()));
    let elsewhere = Subject::Topic(TopicId::new("other").unwrap());
    room.table.announce(&elsewhere, &message);
    room.table.announce(&Subject::Topic(topic), &message);
    let zone = EntryId::Zone(ZoneId::new("zone-1").unwrap());
    let made = (zone.clone(), Presence::Absent, Presence::Present);
    room.table.announce_entries(vec![made]);
    let events: Vec<Event> = room
        .inbox
        .take()
        .into_iter()
        .map(|delivery| match delivery {
            Delivery::Event { event, .. } => event,
            other @ (Delivery::Reply { .. } | Delivery::Close { .. }) => {
                panic!("not an event: {other:?}")
            }
        })
        .collect();
    let [
        Event::Bus(bus),
        Event::Topic(message),
        Event::Entry { id, old, new, .. },
    ] = &events[..]
    else {
        panic!("something else: {events:?}");
    };
    assert_eq!((&**bus, &**message), (&announced, &said));
    assert_eq!(
        (id, *old, *new),
        (&zone, Presence::Absent, Presence::Present)
    );
}

// Helpers.

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn log(id: &str) -> Subject {
    Subject::Log(module(id))
}

/// A table with one outlet and one system, `sys-1`, whose modules are all called `Display`.
struct Room {
    table: Table,
    outlet: OutletId,
    inbox: Arc<Inbox>,
    now: Instant,
}

impl Room {
    fn new() -> Self {
        let mut table = Table::new(Arc::new(EchoStore::without_feed()), clock());
        let inbox = Inbox::new();
        let outlet = table.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        Self {
            table,
            outlet,
            inbox,
            now: Instant::now(),
        }
    }

    /// Display 1 is mod-1 and its `x` is 1, which a follower has been told.
    fn bound_to_one() -> Self {
        let mut room = Self::new();
        room.map([(1, "mod-1")]);
        room.publish("mod-1", "x", Some("1"));
        room.watch("x");
        assert_eq!(room.told(), ["1"]);
        room
    }

    fn watch(&mut self, status: &str) -> WatchId {
        self.watch_slot(1, status)
    }

    fn watch_module(&mut self, index: u32) -> WatchId {
        let path = path("sys-1", "Display", index, "x");
        self.table
            .watch_module(self.outlet, &Arc::new(path.module.clone()))
    }

    /// What a watch was told since the last look, in order.
    fn told_of(&mut self, watch: WatchId) -> Vec<String> {
        let mut told = Vec::new();
        for delivery in self.inbox.take() {
            match delivery {
                Delivery::Event {
                    watch: whose,
                    event: Event::Value { path, value, .. },
                } if whose == watch => {
                    let value = value.as_ref().map_or("null", JsonText::as_str);
                    told.push(format!("{}={value}", path.status));
                }
                Delivery::Event {
                    event: Event::Value { .. },
                    ..
                } => {}
                other @ (Delivery::Event { .. }
                | Delivery::Reply { .. }
                | Delivery::Close { .. }) => {
                    panic!("not a value: {other:?}")
                }
            }
        }
        told
    }

    fn watch_slot(&mut self, index: u32, status: &str) -> WatchId {
        self.table
            .watch_status(self.outlet, path("sys-1", "Display", index, status))
    }

    fn map<const N: usize>(&mut self, modules: [(u32, &str); N]) {
        self.table.remap(system("sys-1"), slots(modules), self.now);
    }

    fn publish(&mut self, module: &str, status: &str, value: Option<&str>) {
        let change = change(module, status, value, Origin::Push);
        self.table.publish(&mut vec![change]);
    }

    fn read(&mut self, module: &str, status: &str, value: Option<&str>) {
        let change = change(module, status, value, Origin::Snapshot);
        self.table.publish(&mut vec![change]);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.table.settle(self.now);
    }

    fn told(&self) -> Vec<String> {
        self.inbox.take_values()
    }
}

fn slots<const N: usize>(modules: [(u32, &str); N]) -> Slots {
    modules
        .into_iter()
        .map(|(index, id)| {
            let slot = (
                ModuleName::new("Display").unwrap(),
                ModuleIndex::new(index).unwrap(),
            );
            (slot, module(id))
        })
        .collect()
}

fn change(module: &str, status: &str, value: Option<&str>, origin: Origin) -> StatusChange {
    StatusChange {
        key: key(module, status),
        value: value.map(json),
        origin,
        act: None,
    }
}

fn line(id: &str) -> Arc<LogLine> {
    Arc::new(LogLine {
        module: module(id),
        driver: Arc::from("scripted"),
        level: LogLevel::Info,
        message: "hello".to_owned(),
    })
}

fn line_watch(delivery: Delivery) -> WatchId {
    match delivery {
        Delivery::Event {
            watch,
            event: Event::Line(_),
        } => watch,
        other @ (Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. }) => {
            panic!("not a line: {other:?}")
        }
    }
}

/// Followers of the log of mod-1, and what the module was ordered.
struct Logs {
    subscriptions: Arc<Subscriptions>,
    orders: RefCell<Vec<String>>,
}

impl Logs {
    fn new() -> Self {
        Self {
            subscriptions: Subscriptions::new(clock(), |feed| {
                Arc::new(EchoStore::new(feed)) as Arc<dyn StatusStore>
            }),
            orders: RefCell::default(),
        }
    }

    fn attach(&self) -> OutletId {
        self.subscriptions.attach(Inbox::new())
    }

    fn detach(&self, outlet: OutletId) {
        self.subscriptions
            .detach(outlet, |id| self.order("restore", id.as_str()));
    }

    fn watch(&self, outlet: OutletId) -> WatchId {
        let subject = Subject::Log(module("mod-1"));
        self.subscriptions
            .watch(outlet, subject, |id| self.order("raise", id.as_str()))
    }

    fn unwatch(&self, outlet: OutletId, watch: WatchId) {
        self.subscriptions
            .unwatch(outlet, watch, |id| self.order("restore", id.as_str()));
    }

    fn order(&self, what: &str, module: &str) {
        self.orders.borrow_mut().push(format!("{what} {module}"));
    }

    fn take_orders(&self) -> Vec<String> {
        self.orders.take()
    }
}
