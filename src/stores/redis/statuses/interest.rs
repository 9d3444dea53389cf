//! What the table follows, and how far each of it has come: the leaf lock between the table's lock above and the reader's task below.
//!
//! A status that is followed waits in line, is subscribed to and read, and then its messages are passed on.
//! One that is no longer followed keeps its subscription for a while ([`LINGER`]), passes nothing on, and is read again when it is followed again.
//! Without a connection nothing waits in line: all that is wanted will be read on the next one.
//!
//! A module can be followed whole (`whole`). Then its statuses need no subscription of their own, and one that has one is heard by that alone.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::{BindingKey, ModuleId, StatusName, SystemId, lock};
use crate::stores::redis::inbox::HeardBy;
use crate::stores::redis::limits::LINGER;
use crate::stores::redis::statuses::line::{Line, QueuePosition};
use crate::stores::redis::statuses::whole::{Listening, WholeModules};

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
    whole: WholeModules,
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
    /// The subscription is there, so a message that comes by the pattern has come by it too.
    is_heard: bool,
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
    /// What is to become of the pattern by which whole modules are heard.
    pub(super) listening: Option<Listening>,
    /// Systems to read.
    pub(super) systems: Vec<SystemId>,
    /// Modules to read whole. When there are any, no system or status is read with them, since their sizes differ too much for one pace.
    pub(super) modules: Vec<ModuleId>,
    /// Subscriptions to begin.
    pub(super) subscribe: Vec<BindingKey>,
    /// Statuses to read.
    pub(super) statuses: Vec<(ModuleId, Vec<StatusName>)>,
}

impl Batch {
    /// What is read, counted as [`Interest::next_batch`] counts.
    pub(super) fn reads(&self) -> usize {
        self.systems.len()
            + self.modules.len()
            + self
                .statuses
                .iter()
                .map(|(_, names)| names.len())
                .sum::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reads() == 0 && self.unsubscribe.is_empty() && self.listening.is_none()
    }
}

/// What else is to be told of a module that was read whole.
#[derive(Debug)]
pub(super) struct ModuleRead {
    /// Statuses that were published since, of which the read is older.
    pub(super) newer: HashSet<StatusName>,
    /// Statuses that are followed and that the module does not have.
    pub(super) missing: HashSet<StatusName>,
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

    /// See [`crate::stores::StatusStore::follow_module`].
    pub(super) fn follow_module(&self, module: &ModuleId) {
        let mut state = self.state();
        let is_online = state.is_online;
        state.whole.follow(module, is_online);
        drop(state);
        self.changed.notify_one();
    }

    /// See [`crate::stores::StatusStore::unfollow_module`].
    pub(super) fn unfollow_module(&self, module: &ModuleId) {
        self.state()
            .unfollow_module(module, Instant::now() + LINGER);
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

    /// There is a connection without any subscription: everything is to be read. Says how many systems, whole modules and statuses that is.
    pub(super) fn begin(&self) -> (usize, usize, usize) {
        self.state().begin()
    }

    /// The connection was lost.
    pub(super) fn end(&self) {
        self.state().end();
    }

    /// What is to be asked for, of which at most `max` is read, or as many as `max_modules` where these are whole modules.
    pub(super) fn next_batch(&self, max: usize, max_modules: usize) -> Batch {
        self.state().next_batch(max, max_modules, Instant::now())
    }

    /// A message was published on a channel of a status: returns the followed statuses of that name.
    ///
    /// A status that is being read counts as known from now on, because the read is older than the message.
    pub(super) fn published(&self, channel: &str, by: HeardBy) -> Vec<BindingKey> {
        self.state().published(channel, by)
    }

    /// A read has come: returns whether it is to be passed on.
    pub(super) fn was_read(&self, key: &BindingKey) -> bool {
        let mut state = self.state();
        let Some(entry) = state.entry(key) else {
            return false;
        };
        entry.is_heard = entry.is_subscribed;
        let is_wanted = entry.phase == InterestPhase::Reading;
        if is_wanted {
            entry.phase = InterestPhase::Known;
        }
        is_wanted
    }

    /// A read of a whole module has come with the statuses of these names: returns what else there is to tell; `None` when it is no longer wanted.
    pub(super) fn module_was_read(
        &self,
        module: &ModuleId,
        names: &HashSet<StatusName>,
    ) -> Option<ModuleRead> {
        let mut state = self.state();
        let newer = state.whole.was_read(module)?;
        let followed = state.statuses.get(module).into_iter().flatten();
        let missing = followed.filter(|(name, entry)| {
            entry.phase.is_followed() && !names.contains(*name) && !newer.contains(*name)
        });
        let missing = missing.map(|(name, _)| name.clone()).collect();
        Some(ModuleRead { newer, missing })
    }

    /// What was read of a whole module was told, these statuses. One that has been followed only since then is read by itself.
    pub(super) fn module_was_told(&self, module: &ModuleId, is_told: impl Fn(&StatusName) -> bool) {
        let mut state = self.state();
        state.whole.is_known(module);
        state.read_again(module, |name, entry| {
            entry.phase == InterestPhase::Known && !entry.is_subscribed && !is_told(name)
        });
    }

    /// Waits until there may be something to ask for, now or at [`Self::next_end`].
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// When the next subscription is to be ended.
    pub(super) fn next_end(&self) -> Option<Instant> {
        let state = self.state();
        let single = state.lingering.first().map(|(due, _)| *due);
        single.into_iter().chain(state.whole.due()).min()
    }

    /// How many statuses have a subscription.
    pub(super) fn subscribed(&self) -> usize {
        self.state().subscribed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl InterestPhase {
    /// Whether it has a follower.
    fn is_followed(self) -> bool {
        match self {
            Self::Offline | Self::Unread(_) | Self::Reading | Self::Known => true,
            Self::Lingering(_) => false,
        }
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
            whole,
            unread,
            lingering,
            ..
        } = self;
        let names = statuses.entry(key.module.clone()).or_default();
        let entry = names.entry(key.status.clone()).or_insert(Entry {
            phase: InterestPhase::Offline,
            is_subscribed: false,
            is_heard: false,
        });
        match entry.phase {
            InterestPhase::Unread(_) | InterestPhase::Reading | InterestPhase::Known => return,
            InterestPhase::Lingering(place) => drop(lingering.leave(place)),
            InterestPhase::Offline => {}
        }
        if *is_online {
            entry.phase = match whole.will_tell(&key.module) {
                true => InterestPhase::Known,
                false => InterestPhase::Unread(unread.join(key.clone())),
            };
        }
    }

    /// Its statuses that are followed get subscriptions of their own. Until these are there, the pattern brings the messages.
    fn unfollow_module(&mut self, module: &ModuleId, due: Instant) {
        let was_known = self.whole.unfollow(module, due);
        self.read_again(module, |_, entry| match entry.phase {
            InterestPhase::Reading | InterestPhase::Known => !entry.is_subscribed || !was_known,
            InterestPhase::Offline | InterestPhase::Unread(_) | InterestPhase::Lingering(_) => {
                false
            }
        });
    }

    /// Puts statuses of a module in line.
    fn read_again(&mut self, module: &ModuleId, which: impl Fn(&StatusName, &Entry) -> bool) {
        let Some(names) = self.statuses.get_mut(module) else {
            return;
        };
        for (name, entry) in names {
            if which(name, entry) {
                let key = BindingKey {
                    module: module.clone(),
                    status: name.clone(),
                };
                entry.phase = InterestPhase::Unread(self.unread.join(key));
            }
        }
    }

    fn unfollow(&mut self, key: &BindingKey, due: Instant) {
        let Some(&mut Entry {
            phase,
            is_subscribed,
            ..
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

    fn begin(&mut self) -> (usize, usize, usize) {
        self.is_online = true;
        let modules = self.whole.begin();
        for (system, place) in &mut self.systems {
            *place = Some(self.unread_systems.join(system.clone()));
        }
        // Module by module, so that one command reads many.
        for (module, names) in &mut self.statuses {
            if self.whole.will_tell(module) {
                for entry in names.values_mut() {
                    entry.phase = InterestPhase::Known;
                }
                continue;
            }
            for (name, entry) in names {
                let key = BindingKey {
                    module: module.clone(),
                    status: name.clone(),
                };
                entry.phase = InterestPhase::Unread(self.unread.join(key));
            }
        }
        (self.unread_systems.len(), modules, self.unread.len())
    }

    fn end(&mut self) {
        self.is_online = false;
        self.subscribed = 0;
        self.unread.clear();
        self.unread_systems.clear();
        self.whole.end();
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
                is_heard: false,
            };
        }
    }

    fn next_batch(&mut self, max: usize, max_modules: usize, now: Instant) -> Batch {
        let mut batch = Batch {
            listening: self.whole.listening(now),
            ..Batch::default()
        };
        while batch.unsubscribe.len() < max
            && self.lingering.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, key)) = self.lingering.pop()
        {
            self.remove(&key);
            self.subscribed -= 1;
            batch.unsubscribe.push(key);
        }
        if self.unread_systems.is_empty() {
            batch.modules = self.whole.next(max_modules);
        }
        let mut room = match batch.modules.is_empty() {
            true => max,
            false => 0,
        };
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
            let is_covered = self.whole.is_followed(&key.module);
            let Some(entry) = self.entry(&key) else {
                continue;
            };
            entry.phase = InterestPhase::Reading;
            if !is_covered && !std::mem::replace(&mut entry.is_subscribed, true) {
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

    fn published(&mut self, channel: &str, by: HeardBy) -> Vec<BindingKey> {
        let mut keys = Vec::with_capacity(1);
        for (module, status) in splits(channel) {
            let whole = self.whole.find(module);
            let is_whole = whole.is_some();
            let Some(key) = self.find(module, status).or_else(|| {
                Some(BindingKey {
                    module: whole?,
                    status: StatusName::new(status).ok()?,
                })
            }) else {
                continue;
            };
            let is_wanted = match self.entry(&key) {
                Some(entry) => entry.is_told(by, is_whole),
                None => by == HeardBy::Pattern,
            };
            if is_wanted {
                self.whole.published(&key.module, &key.status);
                keys.push(key);
            }
        }
        keys
    }

    /// A status that is followed, or was until a moment ago.
    fn find(&self, module: &str, status: &str) -> Option<BindingKey> {
        let (module, names) = self.statuses.get_key_value(module)?;
        let (status, _) = names.get_key_value(status)?;
        Some(BindingKey {
            module: module.clone(),
            status: status.clone(),
        })
    }
}

impl Entry {
    /// Whether a message that came in this way is passed on. A status that is being read counts as known from then on.
    fn is_told(&mut self, by: HeardBy, is_whole: bool) -> bool {
        // A message that comes in both ways counts once.
        let is_heard_so = match by {
            HeardBy::Channel => self.is_subscribed,
            HeardBy::Pattern => !self.is_heard,
        };
        let is_told = is_heard_so && (is_whole || self.phase.is_followed());
        if is_told && self.phase == InterestPhase::Reading {
            self.phase = InterestPhase::Known;
        }
        is_told
    }
}

/// Every module and status that a channel may be about: an id may have slashes in it, though none that is known has.
fn splits(channel: &str) -> impl Iterator<Item = (&str, &str)> {
    let rest = channel.strip_prefix("status/").unwrap_or_default();
    rest.match_indices('/')
        .map(|(at, _)| (&rest[..at], &rest[at + 1..]))
}
