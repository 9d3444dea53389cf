//! What every store of statuses promises, as tests that each store runs by the same names: what holds for all, and what holds for those that keep values and are shared by nodes.
//!
//! A store joins by [`status_store_suite`], one with values by [`shared_status_store_suite`] as well, and a [`StatusFixture`] of its own.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::model::{
    Act, BindingKey, JsonText, ModuleId, Origin, Slots, State, StatusChange, StatusName, SystemId,
    lock,
};
use crate::stores::{StatusStore, StoreFeed};

/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place for statuses, empty at first.
pub(super) trait StatusFixture: Sized {
    /// A place of its own for one test.
    async fn new() -> Self;

    /// A node's store over this place, at work.
    fn node(&self) -> Node;
}

/// A node: its store, what the store tells, and the store's work, which ends with the node.
pub(super) struct Node {
    pub(super) store: Arc<dyn StatusStore>,
    pub(super) told: Arc<Told>,
    _work: JoinSet<()>,
}

impl Node {
    /// A node whose store does this work.
    pub(super) fn new(
        store: Arc<dyn StatusStore>,
        told: Arc<Told>,
        work: Vec<BoxFuture<'static, ()>>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for task in work {
            tasks.spawn(task);
        }
        Self {
            store,
            told,
            _work: tasks,
        }
    }

    /// A module says something, or nothing any more.
    pub(super) fn write(&self, module: &str, status: &str, value: Option<&str>) {
        self.write_in(None, module, status, value);
    }

    /// The same in a call of this act.
    fn write_in(&self, act: Option<&Arc<Act>>, module: &str, status: &str, value: Option<&str>) {
        self.store.write(vec![StatusChange {
            key: key(module, status),
            value: value.map(json),
            origin: Origin::Push,
            act: act.cloned(),
        }]);
    }

    pub(super) fn follow(&self, module: &str, status: &str) {
        self.store.follow(&key(module, status));
    }

    pub(super) fn follow_module(&self, module: &str) {
        self.store.follow_module(&ModuleId::new(module).unwrap());
    }

    /// A module runs here from now on.
    pub(super) async fn adopt(&self, module: &str) {
        let state = self.state(module).await.unwrap();
        self.store.adopt(&ModuleId::new(module).unwrap(), &state);
    }

    /// What the store reads of a module. None when it does not answer.
    async fn state(&self, module: &str) -> Option<State> {
        let (answer, answered) = oneshot::channel();
        let module = ModuleId::new(module).unwrap();
        self.store.read(&module, answer).unwrap();
        timeout(PATIENCE, answered).await.unwrap().ok()
    }

    /// The same, as `status=value`.
    pub(super) async fn read(&self, module: &str) -> Option<Vec<String>> {
        let state = self.state(module).await?;
        let texts = state
            .iter()
            .map(|(status, value)| format!("{status}={value}"));
        Some(texts.collect())
    }
}

/// Keeps what a store tells.
#[derive(Debug, Default)]
pub(super) struct Told {
    all: Mutex<All>,
    came: Notify,
}

#[derive(Debug, Default)]
struct All {
    changes: Vec<StatusChange>,
    mapped: Vec<(SystemId, Slots)>,
}

impl Told {
    fn all(&self) -> MutexGuard<'_, All> {
        lock(&self.all)
    }

    /// Everything told of a status: the value, with a `?` before it where it was read.
    pub(super) fn of(&self, module: &str, status: &str) -> Vec<String> {
        let key = key(module, status);
        let all = self.all();
        let changes = all.changes.iter().filter(|change| change.key == key);
        changes.map(show).collect()
    }

    /// What a status was last told to be.
    pub(super) fn last(&self, module: &str, status: &str) -> Option<Option<JsonText>> {
        let key = key(module, status);
        let all = self.all();
        let mut latest = all.changes.iter().rev();
        latest
            .find(|change| change.key == key)
            .map(|change| change.value.clone())
    }

    /// Of whose acts the changes of a status were said to be.
    fn acts_of(&self, module: &str, status: &str) -> Vec<Option<Arc<Act>>> {
        let key = key(module, status);
        let all = self.all();
        let changes = all.changes.iter().filter(|change| change.key == key);
        changes.map(|change| change.act.clone()).collect()
    }

    /// How many changes were told.
    pub(super) fn count(&self) -> usize {
        self.all().changes.len()
    }

    /// Everything told of systems.
    pub(super) fn mapped(&self) -> Vec<(SystemId, Slots)> {
        self.all().mapped.clone()
    }

    /// Waits until this is true of what was told.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let came = self.came.notified();
                if is_so(self) {
                    return;
                }
                came.await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            let all = self.all();
            let latest = all.changes.iter().rev().take(20);
            let latest: Vec<String> = latest
                .map(|change| {
                    format!(
                        "{}/{} {}",
                        change.key.module,
                        change.key.status,
                        show(change)
                    )
                })
                .collect();
            panic!("{what}: not told, but at last {latest:#?}");
        }
    }

    /// Waits until exactly this was told of a status.
    pub(super) async fn until_of(&self, module: &str, status: &str, expected: &[&str]) {
        let what = format!("{module}/{status} {expected:?}");
        let is_so = |told: &Self| told.of(module, status).len() >= expected.len();
        self.until(&what, is_so).await;
        assert_eq!(self.of(module, status), expected);
    }

    /// Waits until this is the last that was told of a status.
    pub(super) async fn until_last(&self, module: &str, status: &str, expected: Option<&str>) {
        let what = format!("{module}/{status} {expected:?}");
        let expected = Some(expected.map(json));
        self.until(&what, |told| told.last(module, status) == expected)
            .await;
    }
}

fn show(change: &StatusChange) -> String {
    let mark = match change.origin {
        Origin::Push => "",
        Origin::Snapshot => "?",
    };
    let value = change.value.as_ref();
    format!("{mark}{}", value.map_or("-", JsonText::as_str))
}

impl StoreFeed for Told {
    fn changed(&self, changes: &mut Vec<StatusChange>) {
        self.all().changes.append(changes);
        self.came.notify_waiters();
    }

    fn mapped(&self, system: SystemId, slots: Slots) {
        self.all().mapped.push((system, slots));
        self.came.notify_waiters();
    }
}

pub(super) fn key(module: &str, status: &str) -> BindingKey {
    BindingKey {
        module: ModuleId::new(module).unwrap(),
        status: StatusName::new(status).unwrap(),
    }
}

pub(super) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// Runs tests of the suite with a fixture.
macro_rules! status_store_suite {
    ($fixture:ty: $($test:ident)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                let fixture = <$fixture as $crate::stores::status_suite::StatusFixture>::new().await;
                $crate::stores::status_suite::$test(&fixture).await;
            }
        )+
    };
    ($fixture:ty) => {
        $crate::stores::status_suite::status_store_suite! {
            $fixture:
            what_is_written_is_told_in_its_order
            a_removal_is_told
            what_is_said_twice_is_told_twice
            writers_at_one_time_are_all_told
            what_a_call_wrote_is_told_with_its_act_and_nothing_else_is
        }
    };
}

/// Runs what only stores with values promise.
macro_rules! shared_status_store_suite {
    ($fixture:ty) => {
        $crate::stores::status_suite::status_store_suite! {
            $fixture:
            who_follows_is_told_what_is_there
            what_is_not_there_is_told_as_well
            who_follows_again_is_told_again
            what_nobody_follows_is_not_told
            what_one_node_writes_another_follows
            a_module_is_read_whole_by_any_node
            what_is_removed_is_not_read
            a_module_that_moves_is_spoken_for_by_its_new_node
            who_follows_a_module_is_told_all_that_it_has_and_what_comes_later
            a_status_that_is_followed_with_its_module_too_is_told_once
            what_a_module_lacks_is_told_to_who_follows_it_by_name_too
            who_follows_a_module_no_longer_is_told_what_is_followed_by_name_alone
        }
    };
}

pub(super) use {shared_status_store_suite, status_store_suite};

pub(super) async fn what_is_written_is_told_in_its_order(fixture: &impl StatusFixture) {
    let node = fixture.node();
    for status in ["a", "b"] {
        node.follow("mod-1", status);
    }
    node.write("mod-1", "a", Some("0"));
    node.write("mod-1", "b", Some("0"));
    // What is there when it is followed may be told as well, so the order counts from where both are known.
    node.told.until_last("mod-1", "a", Some("0")).await;
    node.told.until_last("mod-1", "b", Some("0")).await;
    let before = node.told.count();
    for number in 1..=500 {
        for status in ["a", "b"] {
            node.write("mod-1", status, Some(&number.to_string()));
        }
    }
    let told = &node.told;
    told.until("all", |told| told.count() >= before + 1_000)
        .await;
    let all = told.all();
    let order: Vec<String> = all.changes[before..]
        .iter()
        .map(|change| format!("{}{}", change.key.status, show(change)))
        .collect();
    let expected: Vec<String> = (1..=500)
        .flat_map(|number| [format!("a{number}"), format!("b{number}")])
        .collect();
    assert_eq!(order, expected);
}

pub(super) async fn a_removal_is_told(fixture: &impl StatusFixture) {
    let node = fixture.node();
    node.follow("mod-1", "a");
    node.write("mod-1", "a", Some("\"x\""));
    node.told.until_last("mod-1", "a", Some("\"x\"")).await;
    node.write("mod-1", "a", None);
    node.told.until_last("mod-1", "a", None).await;
}

pub(super) async fn what_is_said_twice_is_told_twice(fixture: &impl StatusFixture) {
    let node = fixture.node();
    node.follow("mod-1", "a");
    node.write("mod-1", "a", Some("1"));
    node.told.until_last("mod-1", "a", Some("1")).await;
    let before = node.told.count();
    node.write("mod-1", "a", Some("2"));
    node.write("mod-1", "a", Some("2"));
    let told = &node.told;
    told.until("both", |told| told.count() >= before + 2).await;
    let all = told.of("mod-1", "a");
    assert_eq!(all[all.len() - 2..], ["2", "2"]);
}

pub(super) async fn writers_at_one_time_are_all_told(fixture: &impl StatusFixture) {
    let node = fixture.node();
    let modules: Vec<String> = (0..8).map(|number| format!("mod-{number}")).collect();
    for module in &modules {
        node.follow(module, "n");
    }
    std::thread::scope(|scope| {
        for module in &modules {
            let node = &node;
            scope.spawn(move || {
                for number in 0..200 {
                    node.write(module, "n", Some(&number.to_string()));
                }
            });
        }
    });
    for module in &modules {
        node.told.until_last(module, "n", Some("199")).await;
    }
}

pub(super) async fn what_a_call_wrote_is_told_with_its_act_and_nothing_else_is(
    fixture: &impl StatusFixture,
) {
    let node = fixture.node();
    node.follow("mod-1", "a");
    node.write("mod-1", "a", Some("0"));
    node.told.until_last("mod-1", "a", Some("0")).await;
    let before = node.told.of("mod-1", "a").len();
    let [one, other] = [1, 2].map(|id| Some(Arc::new(Act { id, user: None })));
    let acts = [one.clone(), None, other, one, None];
    for (act, value) in acts.iter().zip(["1", "2", "3", "4", "1"]) {
        node.write_in(act.as_ref(), "mod-1", "a", Some(value));
    }
    let all = before + acts.len();
    let told = &node.told;
    told.until("all", |told| told.of("mod-1", "a").len() >= all)
        .await;
    assert_eq!(told.acts_of("mod-1", "a")[before..], acts);
}

pub(super) async fn who_follows_is_told_what_is_there(fixture: &impl StatusFixture) {
    let node = fixture.node();
    node.follow("mod-1", "ready");
    for (status, value) in [
        ("a", "1"),
        ("b", "\"ü\\n\""),
        ("c", "{\"z\": 1.0}"),
        ("ready", "1"),
    ] {
        node.write("mod-1", status, Some(value));
    }
    node.told.until_last("mod-1", "ready", Some("1")).await;
    for status in ["a", "b", "c"] {
        node.follow("mod-1", status);
    }
    node.told.until_of("mod-1", "a", &["?1"]).await;
    node.told.until_of("mod-1", "b", &["?\"ü\\n\""]).await;
    node.told.until_of("mod-1", "c", &["?{\"z\": 1.0}"]).await;
}

pub(super) async fn what_is_not_there_is_told_as_well(fixture: &impl StatusFixture) {
    let node = fixture.node();
    node.follow("mod-1", "a");
    node.told.until_of("mod-1", "a", &["?-"]).await;
    node.write("mod-1", "a", Some("1"));
    node.told.until_of("mod-1", "a", &["?-", "1"]).await;
}

pub(super) async fn who_follows_again_is_told_again(fixture: &impl StatusFixture) {
    let node = fixture.node();
    node.follow("mod-1", "a");
    node.told.until_of("mod-1", "a", &["?-"]).await;
    node.write("mod-1", "a", Some("1"));
    node.told.until_of("mod-1", "a", &["?-", "1"]).await;
    node.store.unfollow(&key("mod-1", "a"));
    node.follow("mod-1", "a");
    node.told.until_of("mod-1", "a", &["?-", "1", "?1"]).await;
}

pub(super) async fn what_nobody_follows_is_not_told(fixture: &impl StatusFixture) {
    let node = fixture.node();
    for status in ["a", "b"] {
        node.follow("mod-1", status);
        node.told.until_of("mod-1", status, &["?-"]).await;
    }
    node.store.unfollow(&key("mod-1", "a"));
    node.write("mod-1", "a", Some("1"));
    node.write("mod-2", "b", Some("1"));
    node.write("mod-1", "b", Some("1"));
    node.told.until_of("mod-1", "b", &["?-", "1"]).await;
    assert_eq!(node.told.of("mod-1", "a"), ["?-"]);
    assert_eq!(node.told.of("mod-2", "b"), [] as [&str; 0]);
}

pub(super) async fn what_one_node_writes_another_follows(fixture: &impl StatusFixture) {
    let (owner, gateway) = (fixture.node(), fixture.node());
    gateway.follow("mod-1", "a");
    gateway.told.until_of("mod-1", "a", &["?-"]).await;
    for number in 1..=100 {
        owner.write("mod-1", "a", Some(&number.to_string()));
    }
    gateway.told.until_last("mod-1", "a", Some("100")).await;
    let values: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    assert_eq!(gateway.told.of("mod-1", "a")[1..], values);
}

pub(super) async fn a_module_is_read_whole_by_any_node(fixture: &impl StatusFixture) {
    let (owner, gateway) = (fixture.node(), fixture.node());
    gateway.follow("mod-1", "b");
    owner.write("mod-1", "a", Some("[1]"));
    owner.write("mod-1", "b", Some("2"));
    gateway.told.until_last("mod-1", "b", Some("2")).await;
    for node in [&owner, &gateway] {
        assert_eq!(node.read("mod-1").await.unwrap(), ["a=[1]", "b=2"]);
        assert_eq!(node.read("mod-2").await.unwrap(), [] as [&str; 0]);
    }
}

pub(super) async fn what_is_removed_is_not_read(fixture: &impl StatusFixture) {
    let (owner, gateway) = (fixture.node(), fixture.node());
    gateway.follow("mod-1", "b");
    for (status, value) in [
        ("a", Some("1")),
        ("a", None),
        ("b", Some("null")),
        ("b", Some("1")),
    ] {
        owner.write("mod-1", status, value);
    }
    gateway.told.until_last("mod-1", "b", Some("1")).await;
    for node in [&owner, &gateway] {
        assert_eq!(node.read("mod-1").await.unwrap(), ["b=1"]);
    }
}

pub(super) async fn a_module_that_moves_is_spoken_for_by_its_new_node(
    fixture: &impl StatusFixture,
) {
    let (old, new, gateway) = (fixture.node(), fixture.node(), fixture.node());
    for status in ["both", "gone"] {
        gateway.follow("mod-1", status);
        old.write("mod-1", status, Some("\"old\""));
        let told = &gateway.told;
        told.until_last("mod-1", status, Some("\"old\"")).await;
    }
    old.store.release(&ModuleId::new("mod-1").unwrap());
    new.adopt("mod-1").await;
    new.write("mod-1", "both", Some("\"new\""));
    new.write("mod-1", "gone", None);
    let told = &gateway.told;
    told.until_last("mod-1", "both", Some("\"new\"")).await;
    told.until_last("mod-1", "gone", None).await;
    for node in [&old, &new, &gateway] {
        assert_eq!(node.read("mod-1").await.unwrap(), ["both=\"new\""]);
    }
}

pub(super) async fn who_follows_a_module_is_told_all_that_it_has_and_what_comes_later(
    fixture: &impl StatusFixture,
) {
    let (owner, gateway) = (fixture.node(), fixture.node());
    gateway.follow("mod-2", "ready");
    for (module, status, value) in [
        ("mod-1", "a", "1"),
        ("mod-1", "b", "\"x\""),
        ("mod-2", "ready", "1"),
    ] {
        owner.write(module, status, Some(value));
    }
    let told = &gateway.told;
    told.until_last("mod-2", "ready", Some("1")).await;
    gateway.follow_module("mod-1");
    told.until_of("mod-1", "a", &["?1"]).await;
    told.until_of("mod-1", "b", &["?\"x\""]).await;
    for number in 1..=100 {
        owner.write("mod-1", "new", Some(&number.to_string()));
        owner.write("mod-2", "other", Some(&number.to_string()));
    }
    told.until_last("mod-1", "new", Some("100")).await;
    let values: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    assert_eq!(told.of("mod-1", "new"), values);
    owner.write("mod-1", "a", None);
    told.until_of("mod-1", "a", &["?1", "-"]).await;
    assert_eq!(told.of("mod-2", "other"), [] as [&str; 0]);
}

pub(super) async fn a_status_that_is_followed_with_its_module_too_is_told_once(
    fixture: &impl StatusFixture,
) {
    let node = fixture.node();
    node.follow("mod-1", "before");
    node.told.until_of("mod-1", "before", &["?-"]).await;
    node.follow_module("mod-1");
    node.follow("mod-1", "with");
    node.write("mod-1", "ready", Some("1"));
    node.told.until_last("mod-1", "ready", Some("1")).await;
    node.follow("mod-1", "after");
    node.told.until_last("mod-1", "after", None).await;
    for status in ["before", "with", "after"] {
        let before = node.told.of("mod-1", status).len();
        for number in 1..=50 {
            node.write("mod-1", status, Some(&number.to_string()));
        }
        node.told.until_last("mod-1", status, Some("50")).await;
        let values: Vec<String> = (1..=50).map(|number| number.to_string()).collect();
        assert_eq!(node.told.of("mod-1", status)[before..], values, "{status}");
    }
}

pub(super) async fn what_a_module_lacks_is_told_to_who_follows_it_by_name_too(
    fixture: &impl StatusFixture,
) {
    let node = fixture.node();
    node.follow_module("mod-1");
    node.follow("mod-1", "at_once");
    node.told.until_last("mod-1", "at_once", None).await;
    node.follow("mod-1", "later");
    node.told.until_last("mod-1", "later", None).await;
}

pub(super) async fn who_follows_a_module_no_longer_is_told_what_is_followed_by_name_alone(
    fixture: &impl StatusFixture,
) {
    let node = fixture.node();
    node.follow_module("mod-1");
    node.follow("mod-1", "a");
    node.follow("mod-2", "ready");
    node.told.until_last("mod-1", "a", None).await;
    let module = ModuleId::new("mod-1").unwrap();
    node.store.unfollow_module(&module);
    node.write("mod-1", "b", Some("1"));
    node.write("mod-1", "a", Some("1"));
    node.write("mod-2", "ready", Some("1"));
    node.told.until_last("mod-1", "a", Some("1")).await;
    node.told.until_last("mod-2", "ready", Some("1")).await;
    assert_eq!(node.told.of("mod-1", "b"), [] as [&str; 0]);
    // Who comes again is told again.
    node.store.follow_module(&module);
    node.told.until_of("mod-1", "b", &["?1"]).await;
}
