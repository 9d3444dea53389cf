//! Who follows what, node-wide: the watch table and the lock around it.
//!
//! The table is addressed by subject and knows no socket, no worker thread and no wire format.
//! Its lock is a std mutex because nothing is awaited under it; the critical sections are a few look-ups and pushes.
//! Lock order: a module's statuses, then this table, then an outlet; never back.

#[cfg(test)]
mod interleavings;
mod places;
#[cfg(test)]
mod properties;
mod publish;
mod remap;
mod snapshot;
mod statuses;
#[cfg(test)]
mod stored;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::core::outlet::{Delivery, Outlet, OutletId, WatchId};
use crate::model::{
    Act, Audience, BusEvent, CallEnd, CallNews, Called, Clearance, Clock, CloseReason, EntryId,
    Event, Failure, FailureKind, JsonText, LogLine, MessageNews, ModuleId, ModulePath, Presence,
    Slots, State, StatusChange, StatusName, StatusValue, Subject, SystemId, Timestamp, lock,
};
use crate::stores::{StatusStore, StoreFeed};

pub(super) use snapshot::ModuleRead;
pub(super) use table::WatchIndex;
use table::{LogFollowers, Table};

/// The watch table behind its lock, with the store that feeds it.
pub(super) struct Subscriptions {
    table: Mutex<Table>,
    store: Arc<dyn StatusStore>,
    settle_later: Notify,
    /// Told when statuses have their first value.
    new_statuses: watch::Sender<()>,
    /// Whether calls have a follower: told under the table's lock, and looked at by every call without it.
    are_calls_followed: AtomicBool,
}

impl Subscriptions {
    /// A table with the store that `make_store` makes for the given feed. The clock stamps the store's reports.
    pub(super) fn new(
        clock: Clock,
        make_store: impl FnOnce(Weak<dyn StoreFeed>) -> Arc<dyn StatusStore>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| {
            let store = make_store(this.clone());
            Self {
                table: Mutex::new(Table::new(Arc::clone(&store), clock)),
                store,
                settle_later: Notify::new(),
                new_statuses: watch::Sender::new(()),
                are_calls_followed: AtomicBool::new(false),
            }
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic under the lock can leave a batch half pushed but no entry half made, so the table stays usable.
        lock(&self.table)
    }

    /// Where modules write their statuses.
    pub(super) fn store(&self) -> &Arc<dyn StatusStore> {
        &self.store
    }

    pub(super) fn attach(&self, outlet: Arc<dyn Outlet>) -> OutletId {
        self.table().attach(outlet)
    }

    pub(super) fn detach(&self, outlet: OutletId, restore: impl Fn(&ModuleId)) {
        let mut table = self.table();
        for module in table.detach(outlet) {
            restore(&module);
        }
        self.look_at_calls(&table);
    }

    /// Orders every worker to close connections.
    pub(super) fn close(&self, audience: &Audience, why: CloseReason) {
        let outlets = self.table().outlets();
        for outlet in outlets {
            let audience = audience.clone();
            outlet.push(&mut vec![Delivery::Close { audience, why }]);
        }
    }

    /// Follows a subject. What is known of it now is pushed before this returns.
    pub(super) fn watch(
        &self,
        outlet: OutletId,
        subject: Subject,
        raise: impl FnOnce(&ModuleId),
    ) -> WatchId {
        let mut table = self.table();
        match subject {
            Subject::Status(path) => table.watch_status(outlet, path),
            Subject::Module(path) => table.watch_module(outlet, &path),
            Subject::Log(ref module) => {
                let (watch, followers) = table.watch_channel(outlet, subject.clone());
                if followers == LogFollowers::First {
                    // Under the lock, so that the last follower leaving at the same time cannot restore the level after this.
                    raise(module);
                }
                watch
            }
            Subject::Directory
            | Subject::Bus
            | Subject::Announced(_)
            | Subject::Topic(_)
            | Subject::Service(_)
            | Subject::Device(_) => table.watch_channel(outlet, subject).0,
            Subject::Calls => {
                let (watch, _) = table.watch_channel(outlet, subject);
                self.look_at_calls(&table);
                watch
            }
        }
    }

    pub(super) fn unwatch(
        &self,
        outlet: OutletId,
        watch: WatchId,
        restore: impl FnOnce(&ModuleId),
    ) {
        let mut table = self.table();
        if let Some((module, LogFollowers::None)) = table.unwatch(outlet, watch) {
            restore(&module);
        }
        self.look_at_calls(&table);
    }

    fn look_at_calls(&self, table: &Table) {
        let are_followed = table.is_followed(&Subject::Calls);
        self.are_calls_followed
            .store(are_followed, Ordering::Relaxed);
    }

    /// Whether calls have a follower.
    pub(super) fn are_calls_followed(&self) -> bool {
        self.are_calls_followed.load(Ordering::Relaxed)
    }

    /// Tells those who follow calls that one begins, and says when that was.
    pub(super) fn call_begins(&self, call: &Arc<Called>) -> Timestamp {
        let mut table = self.table();
        let began = table.moment();
        let event = Event::Call(Arc::new(CallNews {
            call: Arc::clone(call),
            began,
            ended: None,
        }));
        table.announce(&Subject::Calls, &event);
        began
    }

    /// Tells those who follow calls how one has ended.
    pub(super) fn call_ends(
        &self,
        call: Arc<Called>,
        began: Timestamp,
        outcome: Result<JsonText, String>,
    ) {
        let mut table = self.table();
        let at = table.moment();
        let event = Event::Call(Arc::new(CallNews {
            call,
            began,
            ended: Some(CallEnd { at, outcome }),
        }));
        table.announce(&Subject::Calls, &event);
    }

    /// Reports whether a module's log has followers, under the lock, so that no follower comes or goes meanwhile.
    pub(super) fn with_log_followers(&self, module: &ModuleId, tell: impl FnOnce(bool)) {
        let table = self.table();
        tell(table.is_followed(&Subject::Log(module.clone())));
    }

    /// The module that stands at a place now.
    pub(super) fn resolve(&self, path: &ModulePath) -> Result<ModuleId, Failure> {
        let table = self.table();
        let Some(slots) = table.slots(&path.system) else {
            return Err(Failure::new(
                FailureKind::SystemNotFound,
                format!("could not find system {}", path.system),
            ));
        };
        slots
            .get(&(path.module.clone(), path.index))
            .cloned()
            .ok_or_else(|| Failure::new(FailureKind::ModuleNotFound, "could not find module"))
    }

    /// All statuses of a module, from the store or from this table; `None` when the store cannot say.
    /// Asked at once, and to be awaited holding nothing.
    pub(super) fn state(
        &self,
        module: &ModuleId,
    ) -> impl Future<Output = Option<State>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        if let Err(answer) = self.store.read(module, answer) {
            // Cannot fail: its other end is below.
            drop(answer.send(self.table().state(module)));
        }
        // What the store still has of it is of a life that is over.
        let is_unattended = self.table().statuses.is_unattended(module);
        answered.map(move |state| {
            let state = state.ok()?;
            Some(match is_unattended {
                true => with_connected(state, false),
                false => state,
            })
        })
    }

    /// Tells when a status has its first value, or one again.
    pub(super) fn new_statuses(&self) -> watch::Receiver<()> {
        self.new_statuses.subscribe()
    }

    /// Looks at each status of a module that is known here and has a value, all at one moment and in no order.
    pub(super) fn look_at(
        &self,
        module: &ModuleId,
        mut look: impl FnMut(&StatusName, &StatusValue),
    ) {
        for (name, value) in self.table().statuses.values(module) {
            look(name, value);
        }
    }

    /// Sends a log line to the followers of the module's log.
    pub(super) fn line(&self, line: &Arc<LogLine>) {
        let log = Subject::Log(line.module.clone());
        self.table().announce(&log, &Event::Line(Arc::clone(line)));
    }

    /// Whether the building has a follower.
    pub(super) fn is_directory_followed(&self) -> bool {
        self.table().is_followed(&Subject::Directory)
    }

    /// Reports the changes of entries to the followers of the building.
    pub(super) fn announce_entries(&self, entries: Vec<(EntryId, Presence, Presence)>) {
        self.table().announce_entries(entries);
    }

    /// Announces something to those on this node who follow the bus, and gives what they were told.
    pub(super) fn announce(
        &self,
        name: Arc<str>,
        data: JsonText,
        level: Clearance,
        act: Arc<Act>,
    ) -> Arc<BusEvent> {
        let mut table = self.table();
        let event = Arc::new(BusEvent {
            name,
            data,
            level,
            act,
            at: table.moment(),
        });
        tell_bus(&mut table, &event);
        event
    }

    /// Tells those on this node who follow the bus what was announced on another.
    pub(super) fn tell_bus(&self, event: &Arc<BusEvent>) {
        tell_bus(&mut self.table(), event);
    }

    /// Tells those on this node who follow a topic what happened to it.
    pub(super) fn tell_topic(&self, event: Event) {
        if let Event::Topic(news) = &event {
            let topic = Subject::Topic(news.topic.clone());
            self.table().announce(&topic, &event);
        }
    }

    /// Tells those on this node who follow a service or a device what happened to messages.
    pub(super) fn tell_message(&self, news: MessageNews) {
        let event = Event::Message(Arc::new(news));
        let Event::Message(news) = &event else { return };
        let mut table = self.table();
        match &**news {
            MessageNews::Sent(message) => {
                table.announce(&Subject::Service(message.service.clone()), &event);
            }
            MessageNews::Subscribed { device, .. } => {
                table.announce(&Subject::Device(device.clone()), &event);
            }
            MessageNews::Missed => table.announce_to_devices(&event),
        }
    }

    /// These are all slots of a system of the building.
    pub(super) fn map(&self, system: SystemId, slots: Slots) {
        self.table().remap(system, slots, Instant::now());
        self.settle_later.notify_one();
    }

    /// A system of the building is gone: what it was is known no longer, unless others have put it into the store.
    pub(super) fn unmap(&self, system: &SystemId) {
        self.table().unmap(system, Instant::now());
        self.settle_later.notify_one();
    }

    /// No node runs these modules, so none of them is connected, whatever the store still has of them.
    /// Modules in `lingering` have only just been found to run: the store's values of them are sent when they have published them again, or are left out here.
    pub(super) fn set_unattended(&self, modules: HashSet<ModuleId>, lingering: &HashSet<ModuleId>) {
        self.table().set_unattended(modules, lingering);
    }

    /// This node runs the module from here on, so what it says holds.
    pub(super) fn attend(&self, module: &ModuleId) {
        self.table().statuses.attend(module);
    }

    /// How many watches there are.
    pub(super) fn watches(&self) -> usize {
        self.table().watches()
    }

    /// Tells `null` to the followers of what stayed empty. Runs until it is dropped.
    pub(super) async fn settle(&self) {
        loop {
            let due = self.table().next_settle();
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => self.settle_later.notified().await,
            }
            self.settle_until(Instant::now());
        }
    }

    /// Tells `null` where the settle time has passed by this moment.
    pub(super) fn settle_until(&self, now: Instant) {
        self.table().settle(now);
    }
}

impl StoreFeed for Subscriptions {
    fn changed(&self, changes: &mut Vec<StatusChange>) {
        let mut table = self.table();
        table.publish(changes);
        let has_new = std::mem::take(&mut table.has_new_statuses);
        drop(table);
        if has_new {
            self.new_statuses.send_replace(());
        }
    }

    fn mapped(&self, system: SystemId, slots: Slots) {
        self.table().learn(system, slots, Instant::now());
        self.settle_later.notify_one();
    }
}

/// Tells those who follow the whole bus, and those who wait for what is announced by this name.
fn tell_bus(table: &mut Table, event: &Arc<BusEvent>) {
    let by_this_name = Subject::Announced(Arc::clone(&event.name));
    let event = Event::Bus(Arc::clone(event));
    table.announce(&Subject::Bus, &event);
    table.announce(&by_this_name, &event);
}

/// A module's statuses with this `connected`.
fn with_connected(mut state: State, connected: bool) -> State {
    let name = StatusName::connected();
    let value = StatusValue::boolean(connected);
    match state.binary_search_by(|(other, _)| other.cmp(&name)) {
        Ok(at) => state[at].1 = value,
        Err(at) => state.insert(at, (name, value)),
    }
    state
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions").finish_non_exhaustive()
    }
}
