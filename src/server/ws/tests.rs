//! A worker under random interleavings of bind, unbind, publish, re-map and slow readers, checked against what every client must see.
//!
//! The clients' streams are doubles ([`MemoryWire`]): each takes as many bytes as the test allows, so that a slow reader is exact and repeatable.

mod merging;
mod topics;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::core::tests::testkit::TestCore;
use crate::core::{Delivery, Outlet};
use crate::dialects::{Carrier, Hello, Incoming};
use crate::model::{
    Audience, BindingKey, BindingPath, Cause, CloseReason, ConnectionId, CredentialId, Event,
    KeyId, LogLevel, LogLine, ModuleId, ModuleIndex, ModuleName, ModulePath, Revision, Slots,
    StatusName, StatusValue, Subject, SystemId, Timestamp, UserId,
};
use crate::server::ServerSettings;
use crate::server::admission::Admission;
use crate::server::limits::{OUTBOX_MAX_BYTES, OUTLET_MAX_DELIVERIES, REPLIES_MAX_BYTES};
use crate::server::metrics::ServerMetrics;
use crate::server::surroundings::SurroundingsKeeper;
use crate::server::ws::connection::{Connection, Identity, begin};
use crate::server::ws::wire::Wire;
use crate::server::ws::worker::{Worker, WorkerOutlet};

/// A client that reads as much as a test lets it.
#[derive(Debug, Default, Clone)]
pub(in crate::server) struct MemoryWire(Rc<Memory>);

#[derive(Debug, Default)]
struct Memory {
    taken: RefCell<Vec<u8>>,
    room: Cell<usize>,
    more: Notify,
}

impl MemoryWire {
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0.room.get());
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.room.update(|room| room - taken);
        self.0.taken.borrow_mut().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        while self.0.room.get() == 0 {
            self.0.more.notified().await;
        }
        Ok(())
    }

    /// The client reads this many bytes more.
    fn allow(&self, bytes: usize) {
        self.0.room.set(bytes);
        self.0.more.notify_waiters();
    }

    /// The messages that have wholly arrived.
    fn messages(&self) -> Vec<Value> {
        let taken = self.0.taken.borrow();
        let mut bytes = &taken[..];
        let mut messages = Vec::new();
        while let Some((payload, rest)) = split_frame(bytes) {
            messages.push(serde_json::from_slice(payload).unwrap());
            bytes = rest;
        }
        messages
    }
}

/// Splits a server's text frame off.
fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, length) = match *bytes.get(1)? {
        126 => (
            4,
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        length => (2, u64::from(length)),
    };
    assert_eq!(bytes[0], 0x81, "only whole text frames are sent here");
    let end = head + usize::try_from(length).unwrap();
    Some((bytes.get(head..end)?, &bytes[end..]))
}

const CLIENTS: usize = 3;
const STATUSES: [&str; 3] = ["a", "b", "c"];
const MODULES: [&str; 2] = ["mod-1", "mod-2"];

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    Bind {
        client: usize,
        status: usize,
    },
    Unbind {
        client: usize,
        status: usize,
    },
    /// The value is this long, so that it fills outboxes.
    Publish {
        module: usize,
        status: usize,
        bytes: usize,
    },
    Remove {
        module: usize,
        status: usize,
    },
    Map {
        module: Option<usize>,
    },
    Read {
        client: usize,
        bytes: usize,
    },
    Settle,
    Round,
}

fn happening() -> impl Strategy<Value = Happening> {
    let client = 0..CLIENTS;
    let status = 0..STATUSES.len();
    let module = 0..MODULES.len();
    let bytes = prop_oneof![1..40_usize, 1_000..40_000_usize];
    prop_oneof![
        3 => (client.clone(), status.clone()).prop_map(|(client, status)| Happening::Bind { client, status }),
        1 => (client.clone(), status.clone()).prop_map(|(client, status)| Happening::Unbind { client, status }),
        8 => (module.clone(), status.clone(), bytes).prop_map(|(module, status, bytes)| Happening::Publish { module, status, bytes }),
        1 => (module.clone(), status).prop_map(|(module, status)| Happening::Remove { module, status }),
        1 => proptest::option::of(module).prop_map(|module| Happening::Map { module }),
        3 => (client, prop_oneof![1..2_000_usize, 30_000..200_000_usize]).prop_map(|(client, bytes)| Happening::Read { client, bytes }),
        1 => Just(Happening::Settle),
        6 => Just(Happening::Round),
    ]
}

/// A worker with its clients, and the truth.
struct World {
    core: TestCore,
    worker: Rc<Worker>,
    clients: Vec<(Rc<Connection>, MemoryWire)>,
    next_value: usize,
    mapped: Option<usize>,
    values: HashMap<(usize, usize), usize>,
    bound: [[bool; STATUSES.len()]; CLIENTS],
    /// What each request id asked for.
    asked: HashMap<u64, Asked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Bind,
    Unbind,
}

impl World {
    async fn new() -> Self {
        Self::of(TestCore::new().await)
    }

    fn of(core: TestCore) -> Self {
        let settings = ServerSettings::default();
        let admission = Arc::new(Admission::new(settings.limits.clone()));
        admission.open();
        let surroundings = SurroundingsKeeper::new(Arc::clone(&core.core.views));
        let worker = Worker::new(
            Arc::clone(&core.core),
            Arc::new(settings),
            Arc::new(ServerMetrics::new()),
            Arc::clone(&admission),
            Arc::new(surroundings),
        );
        let clients = (0..CLIENTS)
            .map(|client| {
                let wire = MemoryWire::default();
                let caller = core.caller();
                let key = CredentialId::Key(KeyId::new("test").unwrap());
                let permit = admission.admit(Some(&key), caller.address()).unwrap();
                let hello = Hello::PlaceOs(Default::default());
                let id = ConnectionId(client as u64);
                let stream = Wire::Memory(wire.clone());
                let begun = begin(
                    &worker,
                    id,
                    stream,
                    Carrier::WebSocket,
                    Identity::Identified(caller),
                    hello,
                    permit,
                );
                worker.register(Rc::clone(&begun.connection));
                (begun.connection, wire)
            })
            .collect();
        let mut world = Self {
            core,
            worker,
            clients,
            next_value: 1,
            mapped: None,
            values: HashMap::new(),
            bound: [[false; STATUSES.len()]; CLIENTS],
            asked: HashMap::new(),
        };
        world.map(Some(0));
        world
    }

    fn map(&mut self, module: Option<usize>) {
        self.mapped = module;
        let slots: Slots = module
            .map(|module| {
                let slot = (ModuleName::new("Display").unwrap(), ModuleIndex::FIRST);
                (slot, ModuleId::new(MODULES[module]).unwrap())
            })
            .into_iter()
            .collect();
        self.core.map(SystemId::new("sys-1").unwrap(), slots);
    }

    /// A client's text reaches its dialect, as it would from the input task.
    fn say(&mut self, client: usize, asked: Asked, status: usize) {
        let command = match asked {
            Asked::Bind => "bind",
            Asked::Unbind => "unbind",
        };
        let id = self.asked.len() as u64;
        self.asked.insert(id, asked);
        let text = format!(
            r#"{{"id":{id},"cmd":"{command}","sys":"sys-1","mod":"Display","index":1,"name":"{}"}}"#,
            STATUSES[status]
        );
        let connection = Rc::clone(&self.clients[client].0);
        self.worker.receive(&connection, Incoming::Text(&text));
    }

    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Bind { client, status } => {
                self.bound[client][status] = true;
                self.say(client, Asked::Bind, status);
            }
            Happening::Unbind { client, status } => {
                self.bound[client][status] = false;
                self.say(client, Asked::Unbind, status);
            }
            Happening::Publish {
                module,
                status,
                bytes,
            } => {
                let value = self.next_value;
                self.next_value += 1;
                self.values.insert((module, status), value);
                let text = format!(r#"[{module},{value},"{}"]"#, "x".repeat(bytes));
                let text = StatusValue::parse(&text).unwrap();
                self.core.publish(key(module, status), Some(text));
            }
            Happening::Remove { module, status } => {
                if self.values.remove(&(module, status)).is_some() {
                    self.core.publish(key(module, status), None);
                }
            }
            Happening::Map { module } => self.map(module),
            Happening::Read { client, bytes } => self.clients[client].1.allow(bytes),
            Happening::Settle => self.core.settle(),
            Happening::Round => self.round().await,
        }
        for (connection, _) in &self.clients {
            let backlog = connection.outbox.borrow().backlog();
            assert!(backlog <= 2 * OUTBOX_MAX_BYTES + REPLIES_MAX_BYTES);
            assert!(connection.is_open(), "values close no connection");
        }
    }

    /// One turn of the flusher, and of the tasks that wait for a client to read.
    async fn round(&self) {
        self.worker.drain();
        self.worker.flush();
        for _ in 0..CLIENTS + 1 {
            tokio::task::yield_now().await;
        }
    }

    /// Every client reads everything that waits for it.
    async fn come_to_rest(&mut self) {
        self.core.settle();
        for _ in 0..100 {
            for (_, wire) in &self.clients {
                wire.allow(usize::MAX);
            }
            self.round().await;
            let at_rest = self
                .clients
                .iter()
                .all(|(connection, _)| connection.outbox.borrow().is_idle());
            if at_rest {
                return;
            }
        }
        panic!("something is still owed after 100 rounds");
    }

    fn check(&self) {
        for (client, (_, wire)) in self.clients.iter().enumerate() {
            let seen = Seen::of(&wire.messages(), &self.asked);
            for (status, name) in STATUSES.iter().enumerate() {
                let truth = self
                    .mapped
                    .and_then(|module| Some((module, *self.values.get(&(module, status))?)));
                seen.check(name, self.bound[client][status], truth);
            }
        }
    }
}

fn key(module: usize, status: usize) -> BindingKey {
    BindingKey {
        module: ModuleId::new(MODULES[module]).unwrap(),
        status: StatusName::new(STATUSES[status]).unwrap(),
    }
}

/// What one client saw, checked for order while it is read.
#[derive(Default)]
struct Seen {
    bound: BTreeSet<String>,
    /// By status, since its bind: the last value, `None` for null.
    last: BTreeMap<String, Option<(usize, usize)>>,
    /// By status and module: the newest value so far.
    newest: BTreeMap<(String, usize), usize>,
}

impl Seen {
    fn of(messages: &[Value], asked: &HashMap<u64, Asked>) -> Self {
        let mut seen = Self::default();
        for message in messages {
            seen.take(message, asked);
        }
        seen
    }

    fn take(&mut self, message: &Value, asked: &HashMap<u64, Asked>) {
        let status = message["meta"]["name"].as_str().unwrap().to_owned();
        match message["type"].as_str().unwrap() {
            "success" => match asked[&message["id"].as_u64().unwrap()] {
                Asked::Bind => drop(self.bound.insert(status)),
                Asked::Unbind => {
                    self.bound.remove(&status);
                    self.last.remove(&status);
                }
            },
            "notify" => {
                assert!(
                    self.bound.contains(&status),
                    "a value of {status} before its bind's success or after its unbind's"
                );
                let value = &message["value"];
                let value = (!value.is_null()).then(|| {
                    let number = |at: usize| usize::try_from(value[at].as_u64().unwrap()).unwrap();
                    (number(0), number(1))
                });
                if let Some((module, value)) = value {
                    let newest = self.newest.entry((status.clone(), module)).or_default();
                    assert!(
                        value >= *newest,
                        "{status} went back from {newest} to {value}"
                    );
                    *newest = value;
                }
                self.last.insert(status, value);
            }
            other => panic!("an unexpected {other}"),
        }
    }

    fn check(&self, status: &str, bound: bool, truth: Option<(usize, usize)>) {
        if !bound {
            return;
        }
        let last = self.last.get(status).copied().flatten();
        assert_eq!(last, truth, "the last value of {status}");
    }
}

proptest! {
    // A case is long, so there are three quarters of the usual cases, however many are asked for.
    #![proptest_config(ProptestConfig::with_cases((ProptestConfig::default().cases * 3).div_ceil(4)))]

    #[test]
    fn whatever_happens_values_come_after_their_bind_move_forward_and_end_true(
        happenings in proptest::collection::vec(happening(), 1..120)
    ) {
        run(async {
            let mut world = World::new().await;
            for happening in happenings {
                world.happen(happening).await;
            }
            world.come_to_rest().await;
            world.check();
            for (connection, _) in &world.clients {
                world.worker.unregister(connection);
            }
            assert_eq!(world.core.watches(), 0, "watches are left over");
        });
    }
}

#[test]
fn a_lost_client_with_bytes_unwritten_leaves_the_flusher_nothing_to_do() {
    run(async {
        let mut world = World::new().await;
        world.say(0, Asked::Bind, 0);
        world.round().await;
        let (connection, _) = world.clients[0].clone();
        assert!(connection.blocked.get() && connection.outbox.borrow().backlog() > 0);

        connection.lose();
        connection.blocked.set(false);
        world.worker.mark_dirty(&connection);
        world.worker.flush();

        assert!(world.worker.dirty.borrow().is_empty());
    });
}

#[test]
fn everything_of_a_user_can_be_closed_and_nothing_of_others() {
    run(async {
        let world = World::new().await;
        let close = |user: &str| {
            let whom = Audience::User(UserId::new(user).unwrap());
            world
                .core
                .core
                .follows
                .close(whom, CloseReason::CredentialsRevoked);
            world.worker.drain();
            let open = |(connection, _): &&(Rc<Connection>, _)| connection.is_open();
            world.clients.iter().filter(open).count()
        };
        assert_eq!(close("user-other"), CLIENTS);
        assert_eq!(close("user-test"), 0);
    });
}

#[test]
fn after_a_panic_of_the_flusher_nobody_is_forgotten() {
    run(async {
        let mut world = World::new().await;
        for (_, wire) in &world.clients {
            wire.allow(usize::MAX);
        }
        world.say(0, Asked::Bind, 0);
        // As a round leaves things that panics: the list is taken, the marks stay.
        world.worker.dirty.borrow_mut().clear();
        world.worker.in_round.set(true);

        world.worker.mark_all_dirty();
        world.round().await;

        assert_eq!(world.clients[0].1.messages().len(), 1);
    });
}

#[test]
fn past_its_bound_an_outlet_keeps_one_value_of_a_watch_and_it_is_the_newest() {
    run(async {
        let world = World::new().await;
        let path = Arc::new(BindingPath {
            module: display(),
            status: StatusName::new("a").unwrap(),
        });
        let outlet = WorkerOutlet::default();
        let watch = world.core.watch(Subject::Status(Arc::clone(&path)));
        let value = |revision| Delivery::Event {
            watch,
            event: Event::Value {
                path: Arc::clone(&path),
                value: None,
                old: None,
                at: Timestamp(0),
                cause: Cause::Module,
                revision: Revision(revision),
            },
        };
        let bound = u64::try_from(OUTLET_MAX_DELIVERIES).unwrap();

        outlet.push(&mut (1..=bound).map(value).collect());
        outlet.push(&mut vec![value(bound + 1), value(bound + 2)]);
        outlet.push(&mut vec![value(bound + 3)]);

        let queue = outlet.take();
        let revisions: Vec<u64> = queue
            .deliveries
            .iter()
            .filter_map(|delivery| match delivery {
                Delivery::Event {
                    event: Event::Value { revision, .. },
                    ..
                } => Some(revision.0),
                Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. } => None,
            })
            .collect();
        assert!(revisions.is_sorted(), "a value went back");
        assert_eq!(revisions.last(), Some(&(bound + 3)));
        assert_eq!(revisions.len() as u64 + queue.merged, bound + 3);
    });
}

#[test]
fn past_its_bound_an_outlet_keeps_the_newest_of_each_key_with_what_was_before_the_first() {
    run(async {
        let world = World::new().await;
        let place = |status: &str| {
            Arc::new(BindingPath {
                module: display(),
                status: StatusName::new(status).unwrap(),
            })
        };
        let paths = [place("a"), place("b")];
        let outlet = WorkerOutlet::default();
        // One watch that stands for both statuses.
        let watch = world.core.watch(Subject::Status(Arc::clone(&paths[0])));
        let number = |number: usize| StatusValue::parse(&number.to_string()).unwrap();
        let value = |at: usize| Delivery::Event {
            watch,
            event: Event::Value {
                path: Arc::clone(&paths[at % 2]),
                value: Some(number(at + 2)),
                old: Some(number(at)),
                at: Timestamp(0),
                cause: Cause::Module,
                revision: Revision(at as u64),
            },
        };

        outlet.push(&mut (0..2).map(value).collect());
        let line = LogLine {
            module: ModuleId::new(MODULES[0]).unwrap(),
            driver: Arc::from("x"),
            level: LogLevel::Info,
            message: String::new(),
        };
        let line = Event::Line(Arc::new(line));
        let lines = (2..OUTLET_MAX_DELIVERIES).map(|_| Delivery::Event {
            watch,
            event: line.clone(),
        });
        outlet.push(&mut lines.collect());
        for at in 2..100 {
            outlet.push(&mut vec![value(at)]);
        }

        let kept: Vec<(String, usize, usize)> = outlet
            .take()
            .deliveries
            .into_iter()
            .filter_map(|delivery| match delivery {
                Delivery::Event {
                    event:
                        Event::Value {
                            path, value, old, ..
                        },
                    ..
                } => {
                    let number = |value: Option<StatusValue>| value.unwrap().as_str().parse();
                    let name = path.status.as_str().to_owned();
                    Some((name, number(old).unwrap(), number(value).unwrap()))
                }
                Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. } => None,
            })
            .collect();
        assert_eq!(kept, [("a".to_owned(), 0, 100), ("b".to_owned(), 1, 101)]);
    });
}

fn display() -> ModulePath {
    ModulePath {
        system: SystemId::new("sys-1").unwrap(),
        module: ModuleName::new("Display").unwrap(),
        index: ModuleIndex::FIRST,
    }
}

#[test]
fn an_idle_connection_is_small() {
    let bytes = size_of::<Connection>();
    assert!(bytes <= 368, "{bytes} bytes");
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test);
}
