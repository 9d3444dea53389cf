//! The changes of this node's modules that Redis does not have yet, and their current statuses: the leaf lock between the modules and the writer's task.
//!
//! As long as Redis keeps up, every change is sent, in order.
//! While it does not, only the latest change of each status waits, in the place of the older one.
//! The *mirror* has the latest values of the modules that run here; after every loss Redis is corrected by it.
//! A module that ran on another node before is adopted with the statuses that it left there, so that the mirror is complete.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use indexmap::IndexMap;
use metrics::{Counter, Gauge};
use tokio::sync::Notify;

use crate::model::{BindingKey, ModuleId, State, StatusChange, StatusName, StatusValue, lock};
use crate::stores::redis::limits::{
    PIPELINE_MAX_BYTES, PIPELINE_MAX_CHANGES, WRITES_MAX, WRITES_MAX_BYTES,
};
use crate::stores::redis::statuses::line::{Line, QueuePosition};

/// What is to be written.
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: Mutex<Queue>,
    came: Notify,
    /// Notified whenever a change was acknowledged, or is no longer to be written.
    arrived: Notify,
    merged: Counter,
    waiting: Gauge,
}

/// A status and its new value; `None` removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) key: BindingKey,
    pub(super) value: Option<StatusValue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Changes are being sent; without this they only wait.
    flows: bool,
    line: Line<Change>,
    /// The last place of each status that waits, by its module; the only one unless changes flow.
    places: HashMap<ModuleId, HashMap<StatusName, QueuePosition>>,
    bytes: usize,
    /// Sent and not acknowledged.
    under_way: Vec<Change>,
    /// The mirror.
    own: HashMap<ModuleId, Own>,
}

/// A module that runs here.
#[derive(Debug, Default)]
struct Own {
    values: HashMap<StatusName, StatusValue>,
    /// It was adopted, so these are all: what else Redis has of it is wrong.
    is_whole: bool,
}

impl Change {
    fn bytes(&self) -> usize {
        let value = self.value.as_ref().map_or(0, |value| value.as_str().len());
        self.key.module.as_str().len() + self.key.status.as_str().len() + value
    }
}

impl Outgoing {
    pub(super) fn new(merged: Counter, waiting: Gauge) -> Self {
        Self {
            queue: Mutex::default(),
            came: Notify::new(),
            arrived: Notify::new(),
            merged,
            waiting,
        }
    }

    /// See [`crate::stores::StatusStore::write`].
    pub(super) fn write(&self, changes: Vec<StatusChange>) {
        let mut merged = 0;
        let mut queue = self.queue();
        for StatusChange { key, value, .. } in changes {
            // As PlaceOS's modules do: `null` is no value.
            let value = value.filter(|value| !value.is_null());
            queue.say(&key, value.as_ref());
            merged += queue.enqueue(Change { key, value });
        }
        self.show(&queue);
        drop(queue);
        self.merged.increment(merged);
        self.came.notify_one();
    }

    /// See [`crate::stores::StatusStore::adopt`].
    pub(super) fn adopt(&self, module: &ModuleId, state: &State) {
        let own = Own {
            values: state.iter().cloned().collect(),
            is_whole: true,
        };
        self.queue().own.insert(module.clone(), own);
    }

    /// See [`crate::stores::StatusStore::release`].
    pub(super) fn release(&self, module: &ModuleId) {
        let mut queue = self.queue();
        queue.own.remove(module);
        if !queue.flows {
            // By the time it could be sent, another node runs the module.
            queue.forget(module);
            self.show(&queue);
            drop(queue);
            self.arrived.notify_waiters();
        }
    }

    /// All statuses of a module, if it runs here and they are known.
    pub(super) fn state(&self, module: &ModuleId) -> Option<State> {
        let queue = self.queue();
        let own = queue.own.get(module).filter(|own| own.is_whole)?;
        let mut state: State = own
            .values
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        state.sort_by(|a, b| a.0.cmp(&b.0));
        Some(state)
    }

    /// Nothing can be sent for now, and whether what was under way has arrived is not known: it waits again, in front.
    pub(super) fn hold(&self) {
        let mut queue = self.queue();
        if !queue.flows && queue.under_way.is_empty() {
            return;
        }
        queue.flows = false;
        let merged = queue.compact();
        self.show(&queue);
        drop(queue);
        self.merged.increment(merged);
    }

    /// What is to be sent at once. It is under way from here on, until [`Self::arrived`] or [`Self::hold`].
    pub(super) fn next_pipeline(&self) -> Vec<Change> {
        let mut queue = self.queue();
        queue.flows = true;
        let pipeline = queue.next_pipeline();
        queue.under_way.clone_from(&pipeline);
        pipeline
    }

    /// What was under way has been acknowledged.
    pub(super) fn arrived(&self) {
        let mut queue = self.queue();
        queue.under_way.clear();
        self.show(&queue);
        drop(queue);
        self.arrived.notify_waiters();
    }

    /// All modules that run here.
    pub(super) fn modules(&self) -> Vec<ModuleId> {
        self.queue().own.keys().cloned().collect()
    }

    /// Takes what Redis holds of a module, and queues what differs from the mirror. Returns how much that is.
    pub(super) fn repair(&self, module: &ModuleId, stored: HashMap<String, String>) -> usize {
        let mut queue = self.queue();
        let repaired = queue.repair(module, stored);
        self.show(&queue);
        repaired
    }

    /// Waits until there may be something to send.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }

    /// Waits until everything has been acknowledged.
    pub(super) async fn drained(&self) {
        self.until(|queue| queue.line.is_empty() && queue.under_way.is_empty())
            .await;
    }

    /// Waits until what these modules have said has been acknowledged.
    pub(super) async fn drained_of(&self, modules: &[ModuleId]) {
        self.until(|queue| {
            let mut under_way = queue.under_way.iter();
            !modules
                .iter()
                .any(|module| queue.places.contains_key(module))
                && !under_way.any(|change| modules.contains(&change.key.module))
        })
        .await;
    }

    async fn until(&self, done: impl Fn(&Queue) -> bool) {
        loop {
            let arrived = self.arrived.notified();
            if done(&self.queue()) {
                return;
            }
            arrived.await;
        }
    }

    fn show(&self, queue: &Queue) {
        let waiting = queue.line.len() + queue.under_way.len();
        // As a float for the gauge: exact below 2^53.
        self.waiting.set(waiting as f64);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

impl Queue {
    /// Notes a module's change in the mirror.
    fn say(&mut self, key: &BindingKey, value: Option<&StatusValue>) {
        let own = self.own.entry(key.module.clone()).or_default();
        match value {
            Some(value) => own.values.insert(key.status.clone(), value.clone()),
            None => own.values.remove(&key.status),
        };
    }

    /// Takes a change at the end of the line, or in the place of the one before it. Says how many were merged.
    fn enqueue(&mut self, change: Change) -> u64 {
        let is_full = self.line.len() >= WRITES_MAX || self.bytes >= WRITES_MAX_BYTES;
        self.bytes += change.bytes();
        if (is_full || !self.flows)
            && let Some(place) = self.place(&change.key)
            && let Some(older) = self.line.get_mut(place)
        {
            self.bytes -= older.bytes();
            *older = change;
            return 1;
        }
        self.join(change);
        0
    }

    fn join(&mut self, change: Change) {
        let BindingKey { module, status } = change.key.clone();
        let place = self.line.join(change);
        self.places.entry(module).or_default().insert(status, place);
    }

    fn place(&self, key: &BindingKey) -> Option<QueuePosition> {
        self.places.get(&key.module)?.get(&key.status).copied()
    }

    fn give_up_place(&mut self, key: &BindingKey) {
        if let Some(places) = self.places.get_mut(&key.module) {
            places.remove(&key.status);
            if places.is_empty() {
                self.places.remove(&key.module);
            }
        }
    }

    /// Takes out what waits of a module, each status of which has one place.
    fn forget(&mut self, module: &ModuleId) {
        let places = self.places.remove(module).unwrap_or_default();
        for place in places.into_values() {
            let change = self.line.leave(place);
            self.bytes -= change.map_or(0, |change| change.bytes());
        }
    }

    fn next_pipeline(&mut self) -> Vec<Change> {
        let mut pipeline = Vec::new();
        let mut bytes = 0;
        while pipeline.len() < PIPELINE_MAX_CHANGES
            && let Some(next) = self.line.first().map(Change::bytes)
            && (pipeline.is_empty() || bytes + next <= PIPELINE_MAX_BYTES)
            && let Some((place, change)) = self.line.pop_place()
        {
            bytes += next;
            if self.place(&change.key) == Some(place) {
                self.give_up_place(&change.key);
            }
            pipeline.push(change);
        }
        self.bytes -= bytes;
        pipeline
    }

    /// Keeps the latest change of each status, what was under way in front, and none of a module that no longer runs here. Says how many were merged.
    fn compact(&mut self) -> u64 {
        let under_way = std::mem::take(&mut self.under_way);
        let all = under_way.into_iter().chain(self.line.drain());
        let mut latest: IndexMap<BindingKey, Change> = IndexMap::new();
        let mut merged = 0;
        for change in all.filter(|change| self.own.contains_key(&change.key.module)) {
            merged += u64::from(latest.insert(change.key.clone(), change).is_some());
        }
        self.places.clear();
        self.bytes = 0;
        for change in latest.into_values() {
            self.bytes += change.bytes();
            self.join(change);
        }
        merged
    }

    fn repair(&mut self, module: &ModuleId, mut stored: HashMap<String, String>) -> usize {
        let Some(own) = self.own.get(module) else {
            return 0;
        };
        let key = |status: StatusName| BindingKey {
            module: module.clone(),
            status,
        };
        let mut changes = Vec::new();
        for (status, value) in &own.values {
            if stored.remove(status.as_str()).as_deref() != Some(value.as_str()) {
                let value = Some(value.clone());
                let key = key(status.clone());
                changes.push(Change { key, value });
            }
        }
        if own.is_whole {
            // A field whose name is none that a status can have was never a module's.
            let names = stored
                .keys()
                .filter_map(|field| StatusName::new(field).ok());
            changes.extend(names.map(|status| Change {
                key: key(status),
                value: None,
            }));
        }
        // What waits will be written anyway, and after it this would be older.
        changes.retain(|change| self.place(&change.key).is_none());
        let repaired = changes.len();
        for change in changes {
            self.enqueue(change);
        }
        repaired
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;

    fn outgoing() -> Outgoing {
        Outgoing::new(Counter::noop(), Gauge::noop())
    }

    /// One whose changes are sent.
    fn flowing() -> Outgoing {
        let outgoing = outgoing();
        outgoing.next_pipeline();
        outgoing
    }

    fn key(module: &str, status: &str) -> BindingKey {
        BindingKey {
            module: ModuleId::new(module).unwrap(),
            status: StatusName::new(status).unwrap(),
        }
    }

    fn say(outgoing: &Outgoing, module: &str, status: &str, value: &str) {
        outgoing.write(vec![StatusChange {
            key: key(module, status),
            value: Some(StatusValue::parse(value).unwrap()),
            origin: Origin::Push,
            act: None,
        }]);
    }

    /// What is sent next, as `module/status=value`.
    fn sent(outgoing: &Outgoing) -> Vec<String> {
        let pipeline = outgoing.next_pipeline();
        let texts = pipeline.into_iter().map(|Change { key, value }| {
            let value = value.map_or("-".to_owned(), |value| value.to_string());
            format!("{}/{}={value}", key.module, key.status)
        });
        texts.collect()
    }

    fn stored<const N: usize>(fields: [(&str, &str); N]) -> HashMap<String, String> {
        fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn what_flows_is_sent_in_order_and_whole() {
        let outgoing = flowing();
        for value in ["1", "2", "null"] {
            say(&outgoing, "m", "a", value);
        }
        say(&outgoing, "m", "b", "3");
        assert_eq!(sent(&outgoing), ["m/a=1", "m/a=2", "m/a=-", "m/b=3"]);
        assert_eq!(sent(&outgoing), [] as [&str; 0]);
    }

    #[test]
    fn what_is_held_is_the_latest_in_the_place_of_the_older() {
        let outgoing = outgoing();
        for (status, value) in [("a", "1"), ("b", "1"), ("a", "2"), ("a", "3"), ("c", "1")] {
            say(&outgoing, "m", status, value);
        }
        assert_eq!(sent(&outgoing), ["m/a=3", "m/b=1", "m/c=1"]);
    }

    #[test]
    fn past_its_bound_the_queue_merges() {
        let outgoing = flowing();
        for number in 0..WRITES_MAX + 1_000 {
            say(&outgoing, "m", "a", &number.to_string());
        }
        let queue = outgoing.queue();
        assert_eq!(queue.line.len(), WRITES_MAX);
        let bytes: usize = queue.bytes;
        drop(queue);
        say(&outgoing, "m", "b", "1");
        let mut all = Vec::new();
        while let pipeline @ [_, ..] = &sent(&outgoing)[..] {
            assert!(pipeline.len() <= PIPELINE_MAX_CHANGES);
            all.extend_from_slice(pipeline);
        }
        assert_eq!(all[0], "m/a=0");
        let last = format!("m/a={}", WRITES_MAX + 999);
        assert_eq!(all[WRITES_MAX - 1..], [last, "m/b=1".to_owned()]);
        assert!(bytes < WRITES_MAX * 8);
        assert_eq!(outgoing.queue().bytes, 0);
    }

    #[test]
    fn large_values_are_sent_few_at_a_time() {
        let outgoing = flowing();
        let value = format!("\"{}\"", "x".repeat(PIPELINE_MAX_BYTES));
        for status in ["a", "b"] {
            say(&outgoing, "m", status, &value);
        }
        assert_eq!((sent(&outgoing).len(), sent(&outgoing).len()), (1, 1));
    }

    #[test]
    fn what_may_not_have_arrived_is_sent_again_unless_something_later_waits() {
        let outgoing = flowing();
        for (status, value) in [("a", "1"), ("b", "1"), ("a", "2")] {
            say(&outgoing, "m", status, value);
        }
        outgoing.next_pipeline();
        say(&outgoing, "m", "b", "2");
        say(&outgoing, "m", "c", "1");
        outgoing.hold();
        assert_eq!(sent(&outgoing), ["m/a=2", "m/b=2", "m/c=1"]);
        outgoing.arrived();
        outgoing.hold();
        assert_eq!(sent(&outgoing), [] as [&str; 0]);
    }

    #[test]
    fn a_released_module_is_not_spoken_for_once_it_might_be_anothers() {
        let outgoing = flowing();
        say(&outgoing, "gone", "a", "1");
        say(&outgoing, "here", "a", "1");
        outgoing.release(&ModuleId::new("gone").unwrap());
        assert_eq!(
            sent(&outgoing),
            ["gone/a=1", "here/a=1"],
            "Redis keeps up: its last words go before it"
        );
        outgoing.hold();
        assert_eq!(sent(&outgoing), ["here/a=1"]);
        outgoing.hold();
        outgoing.release(&ModuleId::new("here").unwrap());
        assert_eq!(sent(&outgoing), [] as [&str; 0]);
        assert_eq!(outgoing.queue().bytes, 0);
        assert_eq!(outgoing.modules(), []);
    }

    #[tokio::test]
    async fn a_module_is_waited_for_while_others_go_on() {
        let outgoing = flowing();
        say(&outgoing, "leaves", "a", "1");
        let leaves = [ModuleId::new("leaves").unwrap()];
        let mut waiting = Box::pin(outgoing.drained_of(&leaves));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        outgoing.next_pipeline();
        say(&outgoing, "stays", "a", "1");
        assert!(
            futures_util::poll!(&mut waiting).is_pending(),
            "it is under way"
        );
        outgoing.arrived();
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }

    #[test]
    fn what_redis_has_is_put_right_by_what_the_module_says() {
        let outgoing = outgoing();
        for (status, value) in [("same", "1"), ("lost", "2"), ("other", "3"), ("waits", "4")] {
            say(&outgoing, "m", status, value);
        }
        let module = ModuleId::new("m").unwrap();
        outgoing.next_pipeline();
        outgoing.arrived();
        say(&outgoing, "m", "waits", "5");
        let older = stored([
            ("same", "1"),
            ("other", "0"),
            ("waits", "4"),
            ("unknown", "9"),
            ("", "no status"),
        ]);
        assert_eq!(outgoing.repair(&module, older), 2);
        let mut writes = sent(&outgoing);
        writes.sort();
        assert_eq!(writes, ["m/lost=2", "m/other=3", "m/waits=5"]);
        let stranger = ModuleId::new("x").unwrap();
        assert_eq!(outgoing.repair(&stranger, stored([("a", "1")])), 0);
    }

    #[test]
    fn of_an_adopted_module_everything_is_known() {
        let outgoing = outgoing();
        let module = ModuleId::new("m").unwrap();
        assert_eq!(outgoing.state(&module), None);
        let text = |name: &str, value: &str| {
            let name = StatusName::new(name).unwrap();
            (name, StatusValue::parse(value).unwrap())
        };
        outgoing.adopt(&module, &vec![text("old", "1"), text("kept", "2")]);
        say(&outgoing, "m", "new", "3");
        say(&outgoing, "m", "old", "null");
        let state = vec![text("kept", "2"), text("new", "3")];
        assert_eq!(outgoing.state(&module), Some(state));
        outgoing.next_pipeline();
        outgoing.arrived();
        // The server was started again, with a copy of long ago.
        outgoing.repair(&module, stored([("old", "1"), ("older", "0")]));
        let mut writes = sent(&outgoing);
        writes.sort();
        assert_eq!(writes, ["m/kept=2", "m/new=3", "m/old=-", "m/older=-"]);
    }
}
