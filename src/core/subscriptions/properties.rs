//! The watch table against a naive model: whatever happens in whatever order, both send the same.
//!
//! The model keeps a plain list of watches with the last value of each, and knows nothing of indices, batches or shared paths.
//! After every step [`World::check`] compares the two and looks for leaks; at the end every watch is ended and nothing may be left.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use tokio::time::Instant;

use crate::core::limits::SETTLE;
use crate::core::outlet::{Outlet, OutletId, WatchId};
use crate::core::subscriptions::table::Table;
use crate::core::tests::doubles::{
    EchoStore, Inbox, clock, json, key, module, path, status, system,
};
use crate::model::{
    BindingKey, BindingPath, ModuleId, ModuleIndex, ModuleName, ModulePath, Origin, Revision,
    Slots, StatusChange, Subject,
};
use crate::stores::StatusStore;

const OUTLETS: usize = 3;
const SYSTEMS: [&str; 2] = ["sys-1", "sys-2"];
const MODULES: [&str; 3] = ["mod-1", "mod-2", "mod-3"];
const STATUSES: [&str; 2] = ["power", "volume"];
/// How many slots each system has.
const SLOTS: usize = 2;

/// Which module stands in each slot of a system.
type Row = [Option<usize>; SLOTS];

/// One thing that happens. Numbers pick from the constants above, an [`Index`] from what there is.
#[derive(Debug, Clone)]
enum Act {
    Attach(usize),
    Detach(usize),
    Watch {
        outlet: usize,
        system: usize,
        slot: usize,
        status: usize,
    },
    WatchModule {
        outlet: usize,
        system: usize,
        slot: usize,
    },
    Unwatch(Index),
    Publish(Vec<(usize, usize, Option<u8>, Origin)>),
    Remap(usize, Row),
    Clear(usize),
    /// The slots that the system had before they were cleared.
    Refill(usize),
    Unmap(usize),
    Wait(Duration),
}

fn act() -> impl Strategy<Value = Act> {
    let origin = prop_oneof![Just(Origin::Push), Just(Origin::Snapshot)];
    let change = (
        0..MODULES.len(),
        0..STATUSES.len(),
        proptest::option::weighted(0.75, 0..3_u8),
        origin,
    );
    let row = prop::array::uniform2(proptest::option::weighted(0.8, 0..MODULES.len()));
    let watch = (0..OUTLETS, 0..SYSTEMS.len(), 0..SLOTS, 0..STATUSES.len()).prop_map(
        |(outlet, system, slot, status)| Act::Watch {
            outlet,
            system,
            slot,
            status,
        },
    );
    prop_oneof![
        2 => (0..OUTLETS).prop_map(Act::Attach),
        1 => (0..OUTLETS).prop_map(Act::Detach),
        8 => watch,
        3 => (0..OUTLETS, 0..SYSTEMS.len(), 0..SLOTS)
            .prop_map(|(outlet, system, slot)| Act::WatchModule { outlet, system, slot }),
        3 => any::<Index>().prop_map(Act::Unwatch),
        8 => prop::collection::vec(change, 1..4).prop_map(Act::Publish),
        4 => (0..SYSTEMS.len(), row).prop_map(|(system, row)| Act::Remap(system, row)),
        2 => (0..SYSTEMS.len()).prop_map(Act::Clear),
        3 => (0..SYSTEMS.len()).prop_map(Act::Refill),
        1 => (0..SYSTEMS.len()).prop_map(Act::Unmap),
        5 => (0..700_u64).prop_map(|milliseconds| Act::Wait(Duration::from_millis(milliseconds))),
    ]
}

/// A watch as the model sees it; one of a whole module is as many as there are statuses, all of the same id.
struct Watch {
    outlet: usize,
    id: WatchId,
    is_whole: bool,
    path: Arc<BindingPath>,
    /// What its screen shows; `None` for nothing or `null`.
    shows: Option<u8>,
    /// When it is to be told `null`, while what it shows has nothing behind it.
    due: Option<Instant>,
    /// What it is to be told in this step.
    expected: Vec<Option<u8>>,
    last_revision: Option<Revision>,
}

impl Watch {
    fn expect(&mut self, value: Option<u8>) {
        self.expected.push(value);
        self.shows = value;
        self.due = None;
    }
}

/// The model: lists and maps, searched from end to end.
#[derive(Default)]
struct Model {
    slots: BTreeMap<usize, Row>,
    values: BTreeMap<(usize, usize), u8>,
    watches: Vec<Watch>,
}

impl Model {
    fn key(&self, path: &BindingPath) -> Option<(usize, usize)> {
        let system = number(&SYSTEMS, path.module.system.as_str());
        let slot = path.module.index.get() as usize - 1;
        let module = self.slots.get(&system)?[slot]?;
        Some((module, number(&STATUSES, path.status.as_str())))
    }

    fn truth(&self, path: &BindingPath) -> Option<u8> {
        self.values.get(&self.key(path)?).copied()
    }

    /// `known` has the paths that the table has: who follows a whole module is told of no removal of what was never there.
    fn publish(
        &mut self,
        key: (usize, usize),
        value: Option<u8>,
        origin: Origin,
        known: &HashSet<Arc<BindingPath>>,
    ) {
        match value {
            Some(value) => self.values.insert(key, value),
            None => self.values.remove(&key),
        };
        let mut watches = std::mem::take(&mut self.watches);
        for watch in &mut watches {
            if self.key(&watch.path) != Some(key) {
                continue;
            }
            match origin {
                Origin::Push if value.is_none() && !known.contains(&watch.path) => {}
                Origin::Push => watch.expect(value),
                Origin::Snapshot if watch.shows == value => watch.due = None,
                // What the new module lacks is not told before the settle time has passed.
                Origin::Snapshot if value.is_none() && watch.due.is_some() => {}
                Origin::Snapshot => watch.expect(value),
            }
        }
        self.watches = watches;
    }

    fn remap(&mut self, system: usize, row: Option<Row>, now: Instant) {
        let paths: Vec<Arc<BindingPath>> = self
            .watches
            .iter()
            .map(|watch| Arc::clone(&watch.path))
            .collect();
        let before: Vec<_> = paths.iter().map(|path| self.key(path)).collect();
        match row {
            Some(row) => self.slots.insert(system, row),
            None => self.slots.remove(&system),
        };
        for (at, path) in paths.iter().enumerate() {
            if self.key(path) == before[at] {
                continue;
            }
            let truth = self.truth(path);
            let watch = &mut self.watches[at];
            if truth == watch.shows {
                watch.due = None;
            } else if truth.is_some() {
                watch.expect(truth);
            } else if watch.due.is_none() {
                watch.due = Some(now + SETTLE);
            }
        }
    }

    fn settle(&mut self, now: Instant) {
        for watch in &mut self.watches {
            if watch.due.is_some_and(|due| due <= now) {
                watch.expect(None);
            }
        }
    }
}

fn number(names: &[&str], name: &str) -> usize {
    names.iter().position(|other| *other == name).unwrap()
}

/// The table and the model side by side.
struct World {
    now: Instant,
    store: Arc<EchoStore>,
    table: Table,
    outlets: [Option<(OutletId, Arc<Inbox>)>; OUTLETS],
    model: Model,
    /// The last slots of each system that were not empty.
    filled: [Row; SYSTEMS.len()],
}

impl World {
    fn new() -> Self {
        let store = Arc::new(EchoStore::without_feed());
        Self {
            now: Instant::now(),
            table: Table::new(Arc::clone(&store) as Arc<dyn StatusStore>, clock()),
            store,
            outlets: Default::default(),
            model: Model::default(),
            filled: [[Some(0), Some(1)]; SYSTEMS.len()],
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Attach(outlet) => {
                if self.outlets[outlet].is_none() {
                    let inbox = Inbox::new();
                    let id = self.table.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
                    self.outlets[outlet] = Some((id, inbox));
                }
            }
            Act::Detach(outlet) => {
                if let Some((id, inbox)) = self.outlets[outlet].take() {
                    self.model.watches.retain(|watch| watch.outlet != outlet);
                    self.table.detach(id);
                    assert!(inbox.take().is_empty(), "told while it was detached");
                }
            }
            Act::Watch {
                outlet,
                system,
                slot,
                status,
            } => {
                let slot = u32::try_from(slot).unwrap() + 1;
                self.watch(
                    outlet,
                    path(SYSTEMS[system], "Display", slot, STATUSES[status]),
                );
            }
            Act::WatchModule {
                outlet,
                system,
                slot,
            } => {
                let slot = u32::try_from(slot).unwrap() + 1;
                self.watch_module(
                    outlet,
                    &path(SYSTEMS[system], "Display", slot, STATUSES[0]).module,
                );
            }
            Act::Unwatch(which) => {
                if !self.model.watches.is_empty() {
                    let watch = self
                        .model
                        .watches
                        .swap_remove(which.index(self.model.watches.len()));
                    self.model.watches.retain(|other| other.id != watch.id);
                    let (outlet, _) = self.outlets[watch.outlet].as_ref().unwrap();
                    assert_eq!(self.table.unwatch(*outlet, watch.id), None);
                }
            }
            Act::Publish(changes) => {
                // One by one where the model has to be told which paths there are.
                let size = match self.table.places.is_empty() {
                    true => changes.len(),
                    false => 1,
                };
                for changes in changes.chunks(size) {
                    let known = self.table.paths.keys().cloned().collect();
                    let mut list = Vec::new();
                    for &(module, status, value, origin) in changes {
                        self.model.publish((module, status), value, origin, &known);
                        list.push(StatusChange {
                            key: key(MODULES[module], STATUSES[status]),
                            value: value.map(|value| json(&value.to_string())),
                            origin,
                            act: None,
                        });
                    }
                    self.table.publish(&mut list);
                    assert!(list.is_empty(), "the list of changes is emptied");
                }
            }
            Act::Remap(system, row) => self.remap(system, row),
            Act::Clear(system) => self.remap(system, Row::default()),
            Act::Refill(system) => self.remap(system, self.filled[system]),
            Act::Unmap(index) => {
                self.model.remap(index, None, self.now);
                self.table.unmap(&system(SYSTEMS[index]), self.now);
            }
            Act::Wait(time) => {
                self.now += time;
                self.model.settle(self.now);
                self.table.settle(self.now);
            }
        }
    }

    fn watch(&mut self, outlet: usize, path: Arc<BindingPath>) {
        let Some((id, _)) = &self.outlets[outlet] else {
            return;
        };
        let watch = self.table.watch_status(*id, Arc::clone(&path));
        self.model_watch(outlet, watch, path, false);
    }

    fn watch_module(&mut self, outlet: usize, place: &ModulePath) {
        let Some((id, _)) = &self.outlets[outlet] else {
            return;
        };
        let watch = self.table.watch_module(*id, &Arc::new(place.clone()));
        for name in STATUSES {
            let path = Arc::new(BindingPath {
                module: place.clone(),
                status: status(name),
            });
            self.model_watch(outlet, watch, path, true);
        }
    }

    fn model_watch(&mut self, outlet: usize, id: WatchId, path: Arc<BindingPath>, is_whole: bool) {
        let mut watch = Watch {
            outlet,
            id,
            is_whole,
            path,
            shows: None,
            due: None,
            expected: vec![],
            last_revision: None,
        };
        if let Some(value) = self.model.truth(&watch.path) {
            watch.expect(Some(value));
        }
        self.model.watches.push(watch);
    }

    fn remap(&mut self, index: usize, row: Row) {
        if row != Row::default() {
            self.filled[index] = row;
        }
        let mut slots = Slots::new();
        let mut at = ModuleIndex::FIRST;
        for place in row {
            if let Some(number) = place {
                let name = ModuleName::new("Display").unwrap();
                slots.insert((name, at), module(MODULES[number]));
            }
            at = at.next();
        }
        self.model.remap(index, Some(row), self.now);
        self.table.remap(system(SYSTEMS[index]), slots, self.now);
    }

    /// What holds after every step.
    fn check(&mut self) {
        self.check_what_was_told();
        self.check_what_is_kept();
        for watch in &self.model.watches {
            assert!(
                watch.due.is_some() || watch.shows == self.model.truth(&watch.path),
                "{:?} shows {:?} and nothing will change that",
                watch.path,
                watch.shows
            );
        }
    }

    /// Every watch got exactly what the model says, in increasing revisions, and no other outlet got anything.
    fn check_what_was_told(&mut self) {
        let mut told: HashMap<(WatchId, Arc<BindingPath>), Vec<Option<u8>>> = HashMap::new();
        for (outlet, inbox) in self.outlets.iter().enumerate() {
            let Some((_, inbox)) = inbox else { continue };
            for one in inbox.take_told() {
                let watch = self
                    .model
                    .watches
                    .iter_mut()
                    .find(|watch| {
                        watch.id == one.watch && watch.outlet == outlet && watch.path == one.path
                    })
                    .unwrap_or_else(|| panic!("{one:?} is for no watch of outlet {outlet}"));
                assert!(
                    watch.last_revision < Some(one.revision),
                    "{one:?} goes back behind {:?}",
                    watch.last_revision
                );
                watch.last_revision = Some(one.revision);
                let value = one.value.map(|value| value.parse().unwrap());
                told.entry((one.watch, one.path)).or_default().push(value);
            }
        }
        for watch in &mut self.model.watches {
            let of_watch = (watch.id, Arc::clone(&watch.path));
            let told = told.remove(&of_watch).unwrap_or_default();
            let expected = std::mem::take(&mut watch.expected);
            assert_eq!(told, expected, "{:?} of {:?}", watch.id, watch.path);
        }
    }

    /// The table's indices hold what there are watches and values for, and nothing else.
    fn check_what_is_kept(&self) {
        let table = &self.table;
        // A whole module has the paths of what it says, and of what those who have left were still shown.
        let settles = |path: &Arc<BindingPath>| {
            let index = table.paths.get(path);
            index.is_some_and(|&index| table.watches[index].settles.is_some())
        };
        let paths: HashSet<&Arc<BindingPath>> = self
            .model
            .watches
            .iter()
            .filter(|watch| !watch.is_whole || watch.shows.is_some() || settles(&watch.path))
            .map(|watch| &watch.path)
            .collect();
        let watched: HashSet<BindingKey> = paths
            .iter()
            .filter_map(|path| self.model.key(path))
            .map(binding_key)
            .collect();
        let said: HashSet<BindingKey> =
            self.model.values.keys().copied().map(binding_key).collect();
        assert_eq!(table.paths.keys().collect::<HashSet<_>>(), paths);
        assert_eq!(table.watches.len(), paths.len());
        let places = self.model.watches.iter().map(|watch| &watch.path);
        let systems: BTreeSet<&str> = paths
            .iter()
            .copied()
            .chain(places)
            .map(|path| path.module.system.as_str())
            .collect();
        let indexed: BTreeSet<&str> = table.by_system.keys().map(|id| id.as_str()).collect();
        assert_eq!(indexed, systems);
        let indexed: usize = table.by_system.values().map(|it| it.watches.len()).sum();
        assert_eq!(indexed, paths.len());
        for (_, watch) in &table.watches {
            let follows = |id: &WatchId| watch.followers.iter().any(|other| other.watch == *id);
            assert!(watch.newcomers.iter().all(follows), "{watch:?}");
            assert!(
                watch.settles.is_some() || watch.newcomers.is_empty(),
                "{watch:?}"
            );
        }
        assert_eq!(self.store.followed(), watched);
        let whole: HashSet<ModuleId> = table.places_of.keys().cloned().collect();
        assert_eq!(self.store.followed_modules(), whole);
        assert_eq!(table.statuses.keys(), &watched | &said);
        for (number, name) in MODULES.iter().enumerate() {
            let state: Vec<_> = STATUSES
                .iter()
                .enumerate()
                .filter_map(|(at, name)| {
                    let value = self.model.values.get(&(number, at))?;
                    Some((status(name), json(&value.to_string())))
                })
                .collect();
            assert_eq!(table.state(&module(name)), state);
        }
        for (outlet, entry) in self.outlets.iter().enumerate() {
            let Some((id, _)) = entry else { continue };
            let of_outlet = |watch: &&Watch| watch.outlet == outlet;
            let subjects: HashMap<WatchId, Subject> = self
                .model
                .watches
                .iter()
                .filter(of_outlet)
                .map(|watch| {
                    let subject = match watch.is_whole {
                        true => Subject::Module(Arc::new(watch.path.module.clone())),
                        false => Subject::Status(Arc::clone(&watch.path)),
                    };
                    (watch.id, subject)
                })
                .collect();
            let entry = &table.outlets[id.0];
            assert_eq!(entry.subjects, subjects);
            assert!(entry.batch.is_empty(), "a batch was not pushed");
        }
        assert!(table.dirty.is_empty(), "an outlet was left dirty");
    }

    /// After the settle time every screen shows the truth.
    fn come_to_rest(&mut self) {
        self.act(Act::Wait(SETTLE));
        self.check();
        for watch in &self.model.watches {
            let truth = self.model.truth(&watch.path);
            assert_eq!(watch.shows, truth, "{:?}", watch.path);
        }
        assert!(self.table.settling.is_empty(), "something never settles");
    }

    /// Ends all watches and clears all values; then nothing may be left.
    fn let_go(&mut self) {
        for outlet in 0..OUTLETS {
            while let Some(at) = self
                .model
                .watches
                .iter()
                .position(|watch| watch.outlet == outlet)
            {
                let watch = self.model.watches.swap_remove(at);
                let (id, _) = self.outlets[outlet].as_ref().unwrap();
                self.table.unwatch(*id, watch.id);
            }
        }
        let removed = (0..MODULES.len())
            .flat_map(|module| (0..STATUSES.len()).map(move |status| (module, status)))
            .map(|(module, status)| (module, status, None, Origin::Push))
            .collect();
        self.act(Act::Publish(removed));
        self.check();
        assert_eq!(self.table.watches(), 0);
        assert!(self.table.places.is_empty() && self.table.places_of.is_empty());
        assert_eq!(self.store.followed_modules(), HashSet::new());
        assert_eq!(self.table.statuses.keys(), HashSet::new());
        assert_eq!(self.store.followed(), HashSet::new());
    }
}

fn binding_key((module, status): (usize, usize)) -> BindingKey {
    key(MODULES[module], STATUSES[status])
}

proptest! {
    #[test]
    fn every_watch_is_told_what_a_naive_model_says(acts in prop::collection::vec(act(), 1..80)) {
        let mut world = World::new();
        // All but one outlet is there from the start, so that most acts have a follower.
        world.act(Act::Attach(0));
        world.act(Act::Attach(1));
        world.remap(0, [Some(0), Some(1)]);
        for act in acts {
            world.act(act);
            world.check();
        }
        world.come_to_rest();
        world.let_go();
    }
}
