//! Order and arrival with real threads: modules publish, slots move, workers bind and unbind and read slowly, all at once.
//!
//! Each thread does a counted amount of work, so the end does not depend on time; the seeds make each thread's own choices repeatable.
//! A value is the pair of its module and a number that the module counts up, so that every step back shows.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Barrier, Mutex, MutexGuard};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::core::limits::SETTLE;
use crate::core::outlet::{Delivery, Outlet, OutletId, WatchId};
use crate::core::subscriptions::Subscriptions;
use crate::core::tests::doubles::{EchoStore, clock, json, key, module, path, system};
use crate::model::{
    Event, ModuleIndex, ModuleName, Origin, Revision, Slots, StatusChange, Subject, lock,
};
use crate::stores::StatusStore;

const MODULES: [&str; 3] = ["mod-0", "mod-1", "mod-2"];
const PUBLISHED: u64 = 4_000;
const REMAPS: usize = 400;
/// The seeds of the workers, one each.
const WORKERS: [u64; 3] = [1, 2, 3];
const TURNS: usize = 2_000;

/// Past this many deliveries a worker keeps only the latest value of each watch.
const BACKLOG: usize = 32;

#[test]
fn values_only_move_forward_and_the_last_one_arrives_whatever_happens_at_once() {
    let subscriptions = Subscriptions::new(clock(), |feed| {
        Arc::new(EchoStore::new(feed)) as Arc<dyn StatusStore>
    });
    let start = Barrier::new(MODULES.len() + 1 + WORKERS.len());
    let workers: Vec<Worker> = std::thread::scope(|scope| {
        for name in MODULES {
            scope.spawn(|| {
                start.wait();
                publish(&subscriptions, name);
            });
        }
        scope.spawn(|| {
            start.wait();
            move_slots(&subscriptions);
        });
        WORKERS
            .map(|seed| {
                let (subscriptions, start) = (&subscriptions, &start);
                scope.spawn(move || {
                    let mut worker = Worker::new(subscriptions, seed);
                    start.wait();
                    for _ in 0..TURNS {
                        worker.turn(subscriptions);
                    }
                    worker
                })
            })
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    subscriptions.settle_until(Instant::now() + SETTLE);

    for mut worker in workers {
        worker.read(usize::MAX);
        assert_eq!(worker.backlog.lock().late, [], "told after the unbind");
        for (watch, screen) in &worker.screens {
            let last = format!("{}:{PUBLISHED}", MODULES[screen.slot]);
            assert_eq!(
                screen.shows,
                Some(last),
                "{watch:?} of slot {}",
                screen.slot
            );
        }
    }
}

fn publish(subscriptions: &Subscriptions, name: &str) {
    for number in 1..=PUBLISHED {
        subscriptions.store().write(vec![StatusChange {
            key: key(name, "x"),
            value: Some(json(&format!("\"{name}:{number}\""))),
            origin: Origin::Push,
            act: None,
        }]);
    }
}

/// Moves modules between slots, empties some, and in the end puts each module into the slot of its number.
fn move_slots(subscriptions: &Subscriptions) {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..REMAPS {
        let row = MODULES.map(|_| {
            random
                .random_bool(0.8)
                .then(|| MODULES[random.random_range(0..MODULES.len())])
        });
        subscriptions.map(system("sys-1"), slots(row));
        if random.random_bool(0.2) {
            subscriptions.settle_until(Instant::now() + SETTLE);
        }
    }
    subscriptions.map(system("sys-1"), slots(MODULES.map(Some)));
}

fn slots(row: [Option<&str>; MODULES.len()]) -> Slots {
    let name = ModuleName::new("Display").unwrap();
    let mut index = ModuleIndex::FIRST;
    let mut slots = Slots::new();
    for id in row {
        if let Some(id) = id {
            slots.insert((name.clone(), index), module(id));
        }
        index = index.next();
    }
    slots
}

/// A worker double: one thread that binds, unbinds and takes a few deliveries at a time.
struct Worker {
    outlet: OutletId,
    backlog: Arc<Backlog>,
    random: StdRng,
    screens: HashMap<WatchId, Screen>,
}

/// What one watch has seen.
struct Screen {
    slot: usize,
    shows: Option<String>,
    last_revision: Option<Revision>,
    newest: HashMap<String, u64>,
}

impl Worker {
    fn new(subscriptions: &Subscriptions, seed: u64) -> Self {
        let backlog = Arc::new(Backlog::default());
        let mut worker = Self {
            outlet: subscriptions.attach(Arc::clone(&backlog) as Arc<dyn Outlet>),
            backlog,
            random: StdRng::seed_from_u64(seed),
            screens: HashMap::new(),
        };
        for slot in 0..MODULES.len() {
            worker.bind(subscriptions, slot);
        }
        worker
    }

    fn turn(&mut self, subscriptions: &Subscriptions) {
        let slot = self.random.random_range(0..MODULES.len());
        if self.random.random_bool(0.5) {
            self.bind(subscriptions, slot);
        }
        if self.screens.len() > 2 * MODULES.len() {
            // In the order of the ids, since the order of a hash map would make the choice another one each time.
            let watches: BTreeSet<WatchId> = self.screens.keys().copied().collect();
            let at = self.random.random_range(0..watches.len());
            let watch = watches.into_iter().nth(at).unwrap();
            subscriptions.unwatch(self.outlet, watch, |_| {});
            self.backlog.lock().ended.insert(watch);
            self.screens.remove(&watch);
        }
        self.read(2);
    }

    fn bind(&mut self, subscriptions: &Subscriptions, slot: usize) {
        let index = u32::try_from(slot).unwrap() + 1;
        let subject = Subject::Status(path("sys-1", "Display", index, "x"));
        let watch = subscriptions.watch(self.outlet, subject, |_| {});
        self.screens.insert(
            watch,
            Screen {
                slot,
                shows: None,
                last_revision: None,
                newest: HashMap::new(),
            },
        );
    }

    /// Takes some deliveries and looks at them.
    fn read(&mut self, most: usize) {
        for _ in 0..most {
            let Some(one) = self.backlog.lock().queue.pop_front() else {
                return;
            };
            // An event that was on its way when the watch ended has no receiver.
            if let Some(screen) = self.screens.get_mut(&one.watch) {
                screen.show(one);
            }
        }
    }
}

impl Screen {
    fn show(&mut self, one: Waiting) {
        assert!(
            self.last_revision < Some(one.revision),
            "{one:?} comes after {:?}",
            self.last_revision
        );
        self.last_revision = Some(one.revision);
        if let Some(value) = &one.value {
            let (module, number) = value.split_once(':').unwrap();
            let number: u64 = number.parse().unwrap();
            let newest = self.newest.entry(module.to_owned()).or_default();
            assert!(*newest <= number, "{one:?} comes after {newest}");
            *newest = number;
        }
        self.shows = one.value;
    }
}

/// An outlet double with a bound: past it the latest value takes the place of the older one.
#[derive(Default)]
struct Backlog(Mutex<Waitings>);

#[derive(Default)]
struct Waitings {
    queue: VecDeque<Waiting>,
    /// Watches that have been ended; nothing may come for them any more.
    ended: HashSet<WatchId>,
    late: Vec<Waiting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    watch: WatchId,
    value: Option<String>,
    revision: Revision,
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, Waitings> {
        lock(&self.0)
    }
}

impl Outlet for Backlog {
    fn push(&self, batch: &mut Vec<Delivery>) {
        let mut waitings = self.lock();
        for delivery in batch.drain(..) {
            let Delivery::Event {
                watch,
                event: Event::Value {
                    value, revision, ..
                },
            } = delivery
            else {
                panic!("not a value: {delivery:?}");
            };
            let one = Waiting {
                watch,
                value: value.map(|value| value.to().unwrap()),
                revision,
            };
            if waitings.ended.contains(&watch) {
                waitings.late.push(one.clone());
            }
            let older = if waitings.queue.len() < BACKLOG {
                None
            } else {
                waitings
                    .queue
                    .iter()
                    .rposition(|waiting| waiting.watch == watch)
            };
            match older {
                Some(at) => waitings.queue[at] = one,
                None => waitings.queue.push_back(one),
            }
        }
    }
}
