//! What the table follows, and how far each of it has come: the leaf lock between the table's lock above and the reader's task below.
//!
//! A status that is followed waits in line, is subscribed to and read, and then its messages are passed on.
//! One that is no longer followed keeps its subscription for a while ([`LINGER`]), passes nothing on, and is read again when it is followed again.
//! Without a connection nothing waits in line: all that is wanted will be read on the next one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::{BindingKey, ModuleId, StatusName, SystemId, lock};
use crate::stores::redis::limits::LINGER;
use crate::stores::redis::statuses::line::{Line, QueuePosition};

/// What is followed.
#[derive(Debug, Default)]
pub(super) struct Interest {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    is_online: bool,
    statuses: HashMap<ModuleId, HashMap<StatusName, Entry>>,
    /// With their place among those to be read.
    systems: HashMap<SystemId, Option<QueuePosition>>,
    unread: Line<BindingKey>,
    unread_systems: Line<SystemId>,
    lingering: Line<(Instant, BindingKey)>,
    /// Statuses with a subscription.
    subscribed: usize,
}

/// A status that is followed, or was until a moment ago.
#[derive(Debug)]
struct Entry {
    phase: InterestPhase,
    /// A subscription was asked for on this connection.
    is_subscribed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InterestPhase {
    /// There is no connection.
    Offline,
    /// Waits to be read.
    Unread(QueuePosition),
    /// Was asked for, and nothing was published since.
    Reading,
    /// Its value is known.
    Known,
    /// It has no follower any more.
    Lingering(QueuePosition),
}

/// What is to be asked for next, in the order in which it is asked.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Subscriptions to end.
    pub(super) unsubscribe: Vec<BindingKey>,
    /// Systems to read.
    pub(super) systems: Vec<SystemId>,
    /// Subscriptions to begin.
    pub(super) subscribe: Vec<BindingKey>,
    /// Statuses to read.
    pub(super) statuses: Vec<(ModuleId, Vec<StatusName>)>,
}

impl Batch {
    /// What is read, counted as [`Interest::next_batch`] counts.
    pub(super) fn reads(&self) -> usize {
        self.systems.len()
            + self
                .statuses
                .iter()
                .map(|(_, names)| names.len())
                .sum::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reads() == 0 && self.unsubscribe.is_empty()
    }
}

impl Interest {
    /// See [`crate::stores::StatusStore::follow`].
    pub(super) fn follow(&self, key: &BindingKey) {
        let mut state = self.state();
        state.follow(key);
        drop(state);
        self.changed.notify_one();
    }

    /// See [`crate::stores::StatusStore::unfollow`].
    pub(super) fn unfollow(&self, key: &BindingKey) {
        let mut state = self.state();
        state.unfollow(key, Instant::now() + LINGER);
        drop(state);
        self.changed.notify_one();
    }

    /// See [`crate::stores::StatusStore::follow_system`].
    pub(super) fn follow_system(&self, system: &SystemId) {
        let mut state = self.state();
        state.systems.entry(system.clone()).or_default();
        state.read_system_again(system);
        drop(state);
        self.changed.notify_one();
    }

    /// See [`crate::stores::StatusStore::unfollow_system`].
    pub(super) fn unfollow_system(&self, system: &SystemId) {
        let mut state = self.state();
        if let Some(Some(place)) = state.systems.remove(system) {
            state.unread_systems.leave(place);
        }
    }

    /// The slots of a system have changed.
    pub(super) fn system_changed(&self, system: &SystemId) {
        self.state().read_system_again(system);
    }

    /// There is a connection without any subscription: everything is to be read. Says how many systems and statuses that is.
    pub(super) fn begin(&self) -> (usize, usize) {
        self.state().begin()
    }

    /// The connection was lost.
    pub(super) fn end(&self) {
        self.state().end();
    }

    /// What is to be asked for, of which at most `max` is read.
    pub(super) fn next_batch(&self, max: usize) -> Batch {
        self.state().next_batch(max, Instant::now())
    }

    /// A message was published on a channel of a status: returns the followed statuses of that name.
    ///
    /// A status that is being read counts as known from now on, because the read is older than the message.
    pub(super) fn published(&self, channel: &str) -> Vec<BindingKey> {
        self.state().published(channel)
    }

    /// A read has come: returns whether it is to be passed on.
    pub(super) fn was_read(&self, key: &BindingKey) -> bool {
        let mut state = self.state();
        match state.entry(key) {
            Some(entry) if entry.phase == InterestPhase::Reading => {
                entry.phase = InterestPhase::Known;
                true
            }
            _ => false,
        }
    }

    /// Waits until there may be something to ask for, now or at [`Self::next_end`].
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// When the next subscription is to be ended.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.state().lingering.first().map(|(due, _)| *due)
    }

    /// How many statuses have a subscription.
    pub(super) fn subscribed(&self) -> usize {
        self.state().subscribed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn entry(&mut self, key: &BindingKey) -> Option<&mut Entry> {
        self.statuses.get_mut(&key.module)?.get_mut(&key.status)
    }

    fn remove(&mut self, key: &BindingKey) {
        if let Some(names) = self.statuses.get_mut(&key.module) {
            names.remove(&key.status);
            if names.is_empty() {
                self.statuses.remove(&key.module);
            }
        }
    }

    fn follow(&mut self, key: &BindingKey) {
        let Self {
            is_online,
            statuses,
            unread,
            lingering,
            ..
        } = self;
        let names = statuses.entry(key.module.clone()).or_default();
        let entry = names.entry(key.status.clone()).or_insert(Entry {
            phase: InterestPhase::Offline,
            is_subscribed: false,
        });
        match entry.phase {
            InterestPhase::Unread(_) | InterestPhase::Reading | InterestPhase::Known => return,
            InterestPhase::Lingering(place) => drop(lingering.leave(place)),
            InterestPhase::Offline => {}
        }
        if *is_online {
            entry.phase = InterestPhase::Unread(unread.join(key.clone()));
        }
    }

    fn unfollow(&mut self, key: &BindingKey, due: Instant) {
        let Some(&mut Entry {
            phase,
            is_subscribed,
        }) = self.entry(key)
        else {
            return;
        };
        match phase {
            InterestPhase::Lingering(_) => return,
            InterestPhase::Unread(place) => drop(self.unread.leave(place)),
            InterestPhase::Offline | InterestPhase::Reading | InterestPhase::Known => {}
        }
        if is_subscribed {
            let place = self.lingering.join((due, key.clone()));
            if let Some(entry) = self.entry(key) {
                entry.phase = InterestPhase::Lingering(place);
            }
        } else {
            self.remove(key);
        }
    }

    fn read_system_again(&mut self, system: &SystemId) {
        if !self.is_online {
            return;
        }
        if let Some(place @ None) = self.systems.get_mut(system) {
            *place = Some(self.unread_systems.join(system.clone()));
        }
    }

    fn begin(&mut self) -> (usize, usize) {
        self.is_online = true;
        for (system, place) in &mut self.systems {
            *place = Some(self.unread_systems.join(system.clone()));
        }
        // Module by module, so that one command reads many.
        for (module, names) in &mut self.statuses {
            for (name, entry) in names {
                let key = BindingKey {
                    module: module.clone(),
                    status: name.clone(),
                };
                entry.phase = InterestPhase::Unread(self.unread.join(key));
            }
        }
        (self.unread_systems.len(), self.unread.len())
    }

    fn end(&mut self) {
        self.is_online = false;
        self.subscribed = 0;
        self.unread.clear();
        self.unread_systems.clear();
        let unwanted: Vec<_> = self.lingering.drain().map(|(_, key)| key).collect();
        for key in &unwanted {
            self.remove(key);
        }
        for place in self.systems.values_mut() {
            *place = None;
        }
        for entry in self.statuses.values_mut().flat_map(HashMap::values_mut) {
            *entry = Entry {
                phase: InterestPhase::Offline,
                is_subscribed: false,
            };
        }
    }

    fn next_batch(&mut self, max: usize, now: Instant) -> Batch {
        let mut batch = Batch::default();
        while batch.unsubscribe.len() < max
            && self.lingering.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, key)) = self.lingering.pop()
        {
            self.remove(&key);
            self.subscribed -= 1;
            batch.unsubscribe.push(key);
        }
        let mut room = max;
        while room > 0
            && let Some(system) = self.unread_systems.pop()
        {
            if let Some(place) = self.systems.get_mut(&system) {
                *place = None;
            }
            batch.systems.push(system);
            room -= 1;
        }
        while room > 0
            && let Some(key) = self.unread.pop()
        {
            room -= 1;
            let Some(entry) = self.entry(&key) else {
                continue;
            };
            entry.phase = InterestPhase::Reading;
            if !std::mem::replace(&mut entry.is_subscribed, true) {
                self.subscribed += 1;
                batch.subscribe.push(key.clone());
            }
            match batch.statuses.last_mut() {
                Some((module, names)) if *module == key.module => names.push(key.status),
                _ => batch.statuses.push((key.module, vec![key.status])),
            }
        }
        batch
    }

    fn published(&mut self, channel: &str) -> Vec<BindingKey> {
        let mut keys = Vec::with_capacity(1);
        for (module, status) in splits(channel) {
            let known = self
                .statuses
                .get_key_value(module)
                .and_then(|(module, names)| {
                    Some(BindingKey {
                        module: module.clone(),
                        status: names.get_key_value(status)?.0.clone(),
                    })
                });
            let Some(key) = known else { continue };
            match self.entry(&key) {
                Some(entry) if entry.phase == InterestPhase::Reading => {
                    entry.phase = InterestPhase::Known
                }
                Some(entry)
                    if matches!(entry.phase, InterestPhase::Unread(_) | InterestPhase::Known) => {}
                _ => continue,
            }
            keys.push(key);
        }
        keys
    }
}

/// Every module and status that a channel may be about: an id may have slashes in it, though none that is known has.
fn splits(channel: &str) -> impl Iterator<Item = (&str, &str)> {
    let rest = channel.strip_prefix("status/").unwrap_or_default();
    rest.match_indices('/')
        .map(|(at, _)| (&rest[..at], &rest[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(module: &str, status: &str) -> BindingKey {
        BindingKey {
            module: ModuleId::new(module).unwrap(),
            status: StatusName::new(status).unwrap(),
        }
    }

    fn online() -> State {
        let mut state = State::default();
        state.begin();
        state
    }

    /// What is read, subscribed to and ended by the next batch.
    fn batch(state: &mut State, max: usize, now: Instant) -> [Vec<String>; 3] {
        let batch = state.next_batch(max, now);
        let names = |key: &BindingKey| format!("{}/{}", key.module, key.status);
        let reads = batch.statuses.iter().flat_map(|(module, names)| {
            let names = names.iter();
            names.map(move |name| format!("{module}/{name}"))
        });
        [
            reads.collect(),
            batch.subscribe.iter().map(names).collect(),
            batch.unsubscribe.iter().map(names).collect(),
        ]
    }

    const NOTHING: [Vec<String>; 3] = [vec![], vec![], vec![]];

    fn texts<const N: usize>(keys: [&str; N]) -> Vec<String> {
        keys.map(str::to_owned).to_vec()
    }

    #[test]
    fn what_is_followed_is_subscribed_to_and_read_once() {
        let (mut state, now) = (online(), Instant::now());
        for name in ["a", "b", "a"] {
            state.follow(&key("mod-1", name));
        }
        assert_eq!(
            batch(&mut state, 1, now),
            [texts(["mod-1/a"]), texts(["mod-1/a"]), vec![]]
        );
        assert_eq!(
            batch(&mut state, 9, now),
            [texts(["mod-1/b"]), texts(["mod-1/b"]), vec![]]
        );
        assert_eq!(batch(&mut state, 9, now), NOTHING);
    }

    #[test]
    fn a_subscription_lingers_and_whoever_comes_back_reads_again() {
        let (mut state, now) = (online(), Instant::now());
        let a = key("mod-1", "a");
        state.follow(&a);
        state.next_batch(9, now);
        state.unfollow(&a, now + LINGER);
        assert_eq!(batch(&mut state, 9, now), NOTHING);
        state.follow(&a);
        assert_eq!(
            batch(&mut state, 9, now + LINGER),
            [texts(["mod-1/a"]), vec![], vec![]]
        );
        state.unfollow(&a, now + LINGER);
        assert_eq!(
            batch(&mut state, 9, now + LINGER),
            [vec![], vec![], texts(["mod-1/a"])]
        );
        assert!(state.statuses.is_empty() && state.subscribed == 0);
    }

    #[test]
    fn who_leaves_before_the_turn_takes_no_room() {
        let (mut state, now) = (online(), Instant::now());
        for _ in 0..1_000 {
            state.follow(&key("mod-1", "a"));
            state.unfollow(&key("mod-1", "a"), now);
        }
        assert!(state.unread.is_empty() && state.lingering.is_empty());
        assert!(state.statuses.is_empty());
    }

    #[test]
    fn what_is_published_while_it_is_read_wins_over_what_was_read() {
        let interest = Interest::default();
        let [a, b] = ["a", "b"].map(|name| key("mod-1", name));
        interest.begin();
        interest.follow(&a);
        interest.follow(&b);
        interest.next_batch(9);
        assert_eq!(interest.published("status/mod-1/a"), vec![a.clone()]);
        assert!(!interest.was_read(&a));
        assert!(interest.was_read(&b));
        assert_eq!(interest.published("status/mod-1/a"), vec![a.clone()]);
        interest.unfollow(&a);
        assert_eq!(interest.published("status/mod-1/a"), []);
        assert_eq!(interest.published("status/mod-1/c"), []);
        assert_eq!(interest.published("lookup-change"), []);
    }

    #[test]
    fn a_read_for_who_has_left_and_come_back_is_not_told() {
        let interest = Interest::default();
        let a = key("mod-1", "a");
        interest.begin();
        interest.follow(&a);
        interest.next_batch(9);
        interest.unfollow(&a);
        assert!(!interest.was_read(&a));
        interest.follow(&a);
        assert!(!interest.was_read(&a));
        assert_eq!(interest.next_batch(9).reads(), 1);
        assert!(interest.was_read(&a));
    }

    #[test]
    fn a_new_connection_reads_everything_that_is_still_wanted() {
        let (mut state, now) = (online(), Instant::now());
        let keys = ["a", "b", "c"].map(|name| key("mod-1", name));
        keys.iter().for_each(|key| state.follow(key));
        state.next_batch(2, now);
        state.unfollow(&keys[0], now + LINGER);
        state.end();
        state.follow(&key("mod-1", "d"));
        state.unfollow(&keys[2], now);
        assert_eq!(batch(&mut state, 9, now + LINGER), NOTHING);
        assert_eq!(state.begin(), (0, 2));
        let [mut reads, mut subscribed, ended] = batch(&mut state, 9, now);
        reads.sort();
        subscribed.sort();
        assert_eq!(reads, ["mod-1/b", "mod-1/d"]);
        assert_eq!((subscribed, ended), (reads, vec![]));
    }

    #[test]
    fn systems_come_first_and_each_waits_once() {
        let interest = Interest::default();
        let system = SystemId::new("sys-1").unwrap();
        interest.begin();
        interest.follow(&key("mod-1", "a"));
        interest.follow_system(&system);
        interest.system_changed(&system);
        assert_eq!(interest.next_batch(1).systems, vec![system.clone()]);
        interest.system_changed(&system);
        interest.unfollow_system(&system);
        interest.system_changed(&system);
        let batch = interest.next_batch(9);
        assert_eq!((batch.systems.len(), batch.reads()), (0, 1));
    }

    #[test]
    fn names_with_slashes_are_told_apart_by_what_is_followed() {
        let interest = Interest::default();
        interest.begin();
        let keys = [key("a", "b/c"), key("a/b", "c"), key("a/b", "d")];
        keys.iter().for_each(|key| interest.follow(key));
        assert_eq!(interest.published("status/a/b/c"), keys[..2]);
    }
}
