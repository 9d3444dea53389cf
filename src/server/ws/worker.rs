//! One actix worker's table: its connections, and which of them follow which watch.
//!
//! Single-threaded, so a `RefCell` is enough, and it is never borrowed across an await.
//! The only border between threads is [`WorkerOutlet`], into which the core pushes and out of which this worker takes whole batches.
//! What happens to a batch is in `fanout.rs`, how it leaves in `flusher.rs`.

use std::cell::{Cell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use slab::Slab;
use tokio::sync::Notify;

use crate::core::{Core, Delivery, Outlet, OutletId, Wakeup, WatchId};
use crate::dialects::{DialectSettings, Encoded, Form, Splice, Step};
use crate::model::{ConnectionId, First, FollowId, Keep, KeyBuf, ModuleId, Newest, Subject, lock};
use crate::server::ServerSettings;
use crate::server::admission::Admission;
use crate::server::limits::{OUTLET_LATE_MAX_BYTES, OUTLET_MAX_DELIVERIES, READ_BUFFER_BYTES};
use crate::server::metrics::ServerMetrics;
use crate::server::surroundings::SurroundingsKeeper;
use crate::server::ws::alarms::Alarms;
use crate::server::ws::around::Around;
use crate::server::ws::buffers::Buffers;
use crate::server::ws::connection::Connection;
use crate::server::ws::follows::{Followed, Place};

/// Where a watch stands in its worker's table; used again after the watch has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct WatchSlot(pub(super) u32);

/// What all connections of a worker share.
pub(in crate::server) struct Worker {
    pub(super) core: Arc<Core>,
    pub(super) settings: Arc<ServerSettings>,
    /// What of them dialects take their limits from.
    pub(super) dialects: DialectSettings,
    pub(super) metrics: Arc<ServerMetrics>,
    pub(super) admission: Arc<Admission>,
    pub(super) outlet: Arc<WorkerOutlet>,
    pub(super) outlet_id: OutletId,
    pub(super) table: RefCell<Table>,
    pub(super) alarms: RefCell<Alarms>,
    pub(super) surroundings: Around,
    /// Connections with something to write, each once.
    pub(super) dirty: RefCell<Vec<Rc<Connection>>>,
    /// One buffer for all reads: a connection keeps only what is incomplete.
    pub(super) read_buffer: RefCell<Box<[u8]>>,
    pub(super) scratch: RefCell<Scratch>,
    pub(super) buffers: RefCell<Buffers>,
    /// The flusher is at work, and will come to what is marked meanwhile: waking it would cost an empty round each time.
    pub(super) in_round: Cell<bool>,
    /// Modules that have been called in this turn, each once.
    pub(super) wakeups: RefCell<Vec<Wakeup>>,
}

/// Buffers that are used again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) encoded: Encoded,
    pub(super) frame: Vec<u8>,
    pub(super) messages: Vec<u8>,
    pub(super) steps: Vec<Step>,
}

/// Who follows what, on this worker.
#[derive(Default)]
pub(super) struct Table {
    pub(super) subjects: HashMap<Subject, WatchSlot>,
    by_watch: HashMap<WatchId, WatchSlot>,
    watches: Slab<LocalWatch>,
    pub(super) connections: HashMap<ConnectionId, Rc<Connection>>,
}

/// A watch of this worker.
pub(super) struct LocalWatch {
    subject: Subject,
    watch: WatchId,
    /// The last values that came. Log lines are never repeated, so they are not kept.
    pub(super) newest: Newest,
    /// Connections that are about to follow it: it is watched for them.
    pub(super) held: u32,
    /// Those who take each form. A form stays where it is for as long as a connection takes it: [`Place`] counts on it.
    pub(super) forms: Vec<(Form, Vec<Subscriber>)>,
}

/// A connection that follows a watch.
pub(super) struct Subscriber {
    pub(super) connection: Rc<Connection>,
    pub(super) splice: Splice,
}

/// How a connection gets the events that it follows.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) id: FollowId,
    pub(super) form: Form,
    pub(super) splice: Splice,
    pub(super) first: First,
}

/// Where a follower finds what is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// In the table, if there is anything.
    Here(WatchSlot),
    /// It is on its way to it.
    Coming,
}

impl Worker {
    pub(in crate::server) fn new(
        core: Arc<Core>,
        settings: Arc<ServerSettings>,
        metrics: Arc<ServerMetrics>,
        admission: Arc<Admission>,
        surroundings: Arc<SurroundingsKeeper>,
    ) -> Rc<Self> {
        let outlet = Arc::new(WorkerOutlet::default());
        let outlet_id = core.follows.attach(Arc::clone(&outlet) as Arc<dyn Outlet>);
        Rc::new(Self {
            core,
            dialects: settings.dialect_settings(),
            settings,
            metrics,
            admission,
            outlet,
            outlet_id,
            table: RefCell::default(),
            alarms: RefCell::default(),
            surroundings: Around::new(surroundings),
            dirty: RefCell::default(),
            read_buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into_boxed_slice()),
            scratch: RefCell::default(),
            buffers: RefCell::default(),
            in_round: Cell::new(false),
            wakeups: RefCell::default(),
        })
    }

    /// A connection has something to write.
    pub(super) fn mark_dirty(&self, connection: &Rc<Connection>) {
        if !connection.dirty.replace(true) {
            self.dirty.borrow_mut().push(Rc::clone(connection));
            if !self.in_round.get() {
                self.outlet.wake.notify_one();
            }
        }
    }

    /// A module has been called: it is woken when all that came in with this turn has been read.
    pub(super) fn wake_later(&self, wakeup: Wakeup) {
        let mut wakeups = self.wakeups.borrow_mut();
        if !wakeups
            .iter()
            .any(|other| other.is_for_same_module(&wakeup))
        {
            wakeups.push(wakeup);
            self.outlet.wake.notify_one();
        }
    }

    /// A connection begins.
    pub(super) fn register(&self, connection: Rc<Connection>) {
        self.table
            .borrow_mut()
            .connections
            .insert(connection.id, connection);
    }

    /// A connection ends, and with it all that it follows.
    pub(super) fn unregister(&self, connection: &Rc<Connection>) {
        self.table.borrow_mut().connections.remove(&connection.id);
        self.alarms.borrow_mut().forget(connection.id);
        self.unfollow_all(connection);
    }

    /// A connection follows nothing any more.
    pub(super) fn unfollow_all(&self, connection: &Rc<Connection>) {
        self.leave_all(connection);
        let followed: Vec<Followed> = connection.follows.borrow().all().collect();
        self.metrics.bindings.decrement(followed.len() as f64);
        let mut ended = Vec::new();
        {
            let mut table = self.table.borrow_mut();
            for Followed { slot, id, .. } in followed {
                ended.extend(table.remove_subscriber(slot, id, connection));
            }
        }
        for watch in ended {
            self.core.follows.unwatch(self.outlet_id, watch);
        }
    }

    /// What a connection follows, and by which ids.
    pub(super) fn followed_by(&self, connection: &Connection) -> Vec<(Subject, FollowId)> {
        let table = self.table.borrow();
        let follows = connection.follows.borrow();
        let named = |followed: Followed| {
            let subject = table.watch(followed.slot)?.subject.clone();
            Some((subject, followed.id))
        };
        follows.all().filter_map(named).collect()
    }

    /// Who follows a watch, and what it is of.
    pub(super) fn followers_of(&self, slot: WatchSlot) -> Option<(Subject, Vec<Rc<Connection>>)> {
        let table = self.table.borrow();
        let watch = table.watch(slot)?;
        let subscribers = watch.forms.iter().flat_map(|(_, subscribers)| subscribers);
        let connections = subscribers.map(|subscriber| Rc::clone(&subscriber.connection));
        Some((watch.subject.clone(), connections.collect()))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.core.follows.detach(self.outlet_id);
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl Table {
    /// The watch that a delivery is for; `None` when it came too late.
    pub(super) fn find(&self, watch: WatchId) -> Option<WatchSlot> {
        self.by_watch.get(&watch).copied()
    }

    pub(super) fn watch(&self, slot: WatchSlot) -> Option<&LocalWatch> {
        self.watches.get(slot.0 as usize)
    }

    pub(super) fn watch_mut(&mut self, slot: WatchSlot) -> Option<&mut LocalWatch> {
        self.watches.get_mut(slot.0 as usize)
    }

    /// All watches of log lines, and whose.
    pub(super) fn log_watches(&self) -> Vec<(WatchSlot, ModuleId)> {
        self.subjects
            .iter()
            .filter_map(|(subject, slot)| match subject {
                Subject::Log(module) => Some((*slot, module.clone())),
                Subject::Status(_)
                | Subject::Module(_)
                | Subject::Directory
                | Subject::Bus
                | Subject::Announced(_)
                | Subject::Calls
                | Subject::Topic(_)
                | Subject::Service(_)
                | Subject::Device(_) => None,
            })
            .collect()
    }

    pub(super) fn insert_watch(&mut self, subject: Subject, watch: WatchId) -> WatchSlot {
        let index = self.watches.insert(LocalWatch {
            subject: subject.clone(),
            watch,
            newest: Newest::None,
            held: 0,
            forms: Vec::new(),
        });
        let slot = WatchSlot(u32::try_from(index).expect("a worker has fewer than 2^32 watches"));
        self.subjects.insert(subject, slot);
        self.by_watch.insert(watch, slot);
        slot
    }

    /// `false` when the watch is followed in as many forms as there is room for.
    pub(super) fn add_subscriber(
        &mut self,
        slot: WatchSlot,
        connection: &Rc<Connection>,
        telling: Telling,
    ) -> bool {
        let Telling {
            id, form, splice, ..
        } = telling;
        let Some(watch) = self.watch_mut(slot) else {
            return false;
        };
        let forms = &mut watch.forms;
        let known = forms.iter().position(|(other, _)| *other == form);
        // No place counts on a form that no connection takes.
        let at = known.or_else(|| forms.iter().position(|(_, takers)| takers.is_empty()));
        let at = at.unwrap_or(forms.len());
        let taken = forms.get(at).map_or(0, |(_, takers)| takers.len());
        let Some(place) = Place::new(at, taken) else {
            return false;
        };
        match forms.get_mut(at) {
            Some((kept, _)) => *kept = form,
            None => forms.push((form, Vec::new())),
        }
        forms[at].1.push(Subscriber {
            connection: Rc::clone(connection),
            splice,
        });
        let followed = Followed { slot, id, place };
        connection.follows.borrow_mut().insert(followed);
        true
    }

    /// Removes a subscriber in constant time. Returns the watch when no subscriber is left.
    pub(super) fn remove_subscriber(
        &mut self,
        slot: WatchSlot,
        id: FollowId,
        connection: &Rc<Connection>,
    ) -> Option<WatchId> {
        let Followed { place, .. } = connection.follows.borrow_mut().remove(slot, id)?;
        let watch = self.watch_mut(slot)?;
        let (_, subscribers) = watch.forms.get_mut(place.form())?;
        subscribers.swap_remove(place.position());
        let last = Place::new(place.form(), subscribers.len());
        if let (Some(moved), Some(from)) = (subscribers.get(place.position()), last) {
            moved
                .connection
                .follows
                .borrow_mut()
                .moved(slot, from, place);
        }
        self.remove_unfollowed(slot)
    }

    /// Forgets a watch that no connection follows.
    pub(super) fn remove_unfollowed(&mut self, slot: WatchSlot) -> Option<WatchId> {
        let is_followed = |(_, subscribers): &(Form, Vec<Subscriber>)| !subscribers.is_empty();
        let watch = self.watch(slot)?;
        if watch.held > 0 || watch.forms.iter().any(is_followed) {
            return None;
        }
        let watch = self.watches.remove(slot.0 as usize);
        self.subjects.remove(&watch.subject);
        self.by_watch.remove(&watch.watch);
        Some(watch.watch)
    }
}

impl LocalWatch {
    /// The form in which a follower gets events.
    pub(super) fn form(&self, followed: &Followed) -> Option<Form> {
        self.forms.get(followed.place.form()).map(|(form, _)| *form)
    }

    /// The connections that take the form at this place, each with the id of its follow.
    pub(super) fn sessions(
        &self,
        slot: WatchSlot,
        form: usize,
    ) -> impl Iterator<Item = (Rc<Connection>, FollowId)> {
        let takers = self.forms.get(form).map_or(&[][..], |(_, takers)| takers);
        takers
            .iter()
            .enumerate()
            .filter_map(move |(position, taker)| {
                let place = Place::new(form, position);
                let follows = taker.connection.follows.borrow();
                let own = follows.of(slot).find(|own| Some(own.place) == place)?;
                Some((Rc::clone(&taker.connection), own.id))
            })
    }

    /// The bytes that make a follower's copy its own.
    pub(super) fn splice(&self, followed: &Followed) -> Option<&Splice> {
        let (_, subscribers) = self.forms.get(followed.place.form())?;
        Some(&subscribers.get(followed.place.position())?.splice)
    }
}

/// The worker's side of the border: an ordered queue that the core fills and the worker empties.
#[derive(Debug, Default)]
pub(super) struct WorkerOutlet {
    queue: Mutex<Queue>,
    pub(super) wake: Notify,
}

/// What waits for a worker.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) deliveries: Vec<Delivery>,
    /// Where the latest event of each watch and key stands, once the queue is over its bound.
    latest: Option<HashMap<(WatchId, KeyBuf), usize>>,
    /// Values that gave their place to a newer one.
    pub(super) merged: u64,
    /// The bytes of events beyond the bound that must all arrive.
    late_bytes: usize,
    /// Watches of which such an event found no place.
    pub(super) overflowed: HashSet<WatchId>,
    /// Log lines that found no place.
    pub(super) lines_dropped: u64,
}

impl WorkerOutlet {
    /// Takes all that waits.
    pub(super) fn take(&self) -> Queue {
        std::mem::take(&mut *lock(&self.queue))
    }
}

impl Outlet for WorkerOutlet {
    fn push(&self, batch: &mut Vec<Delivery>) {
        let was_empty = {
            let mut queue = lock(&self.queue);
            let was_empty = queue.deliveries.is_empty();
            // Once merging has begun everything goes that way: a value appended beside it could be overtaken by an older one.
            if queue.latest.is_none()
                && queue.deliveries.len() + batch.len() <= OUTLET_MAX_DELIVERIES
            {
                queue.deliveries.append(batch);
            } else {
                for delivery in batch.drain(..) {
                    queue.push_merging(delivery);
                }
            }
            was_empty
        };
        // The push into the empty queue has woken the worker, which takes everything at once.
        if was_empty {
            self.wake.notify_one();
        }
    }
}

impl Queue {
    /// Over the bound: of each watch and key only the latest is kept, in the place of the older one, so that a result does not overtake its status.
    fn push_merging(&mut self, delivery: Delivery) {
        let latest = self.latest.get_or_insert_with(|| {
            let mut latest = HashMap::new();
            for (at, delivery) in self.deliveries.iter().enumerate() {
                if let Delivery::Event { watch, event } = delivery
                    && let Keep::Latest(key) = event.keep()
                {
                    latest.insert((*watch, key.to_buf()), at);
                }
            }
            latest
        });
        match delivery {
            Delivery::Event { watch, mut event } => match event.keep() {
                Keep::Latest(key) => match latest.entry((watch, key.to_buf())) {
                    Entry::Occupied(at) => {
                        let place = &mut self.deliveries[*at.get()];
                        if let Delivery::Event { event: older, .. } = &*place {
                            event.set_old(older.old());
                        }
                        *place = Delivery::Event { watch, event };
                        self.merged += 1;
                    }
                    Entry::Vacant(at) => {
                        at.insert(self.deliveries.len());
                        self.deliveries.push(Delivery::Event { watch, event });
                    }
                },
                Keep::Lossy => self.lines_dropped += 1,
                Keep::All if self.late_bytes + event.size() > OUTLET_LATE_MAX_BYTES => {
                    self.overflowed.insert(watch);
                }
                Keep::All => {
                    self.late_bytes += event.size();
                    self.deliveries.push(Delivery::Event { watch, event });
                }
            },
            Delivery::Reply { .. } | Delivery::Close { .. } => self.deliveries.push(delivery),
        }
    }
}
