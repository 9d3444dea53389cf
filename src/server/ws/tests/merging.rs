//! Followed modules and the followed building under load: queues merge by watch and key, and no follower loses a last value.
//!
//! A follower is checked against a naive model: the events that it got end at the present values,
//! each event has as `old` what this follower got before, and the other values beside the last event are the present ones.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{MODULES, World, display, key, run};
use crate::core::{Delivery, Outlet};
use crate::dialects::{Form, Splice, Step};
use crate::model::{
    ClusterConnectionId, EntryId, Event, First, FollowId, JsonText, LogLevel, LogLine, ModuleId,
    Presence, Publication, Request, Subject, Ticket, TopicEntry, TopicId, ZoneId,
};
use crate::server::limits::{OUTLET_LATE_MAX_BYTES, OUTLET_MAX_DELIVERIES, REPLIES_MAX_BYTES};
use crate::server::ws::tests::{MemoryWire, STATUSES};
use crate::server::ws::worker::{Begun, Telling};

/// The client that follows everything twice.
const TWICE: usize = 2;
const ZONES: usize = 4;
/// A ticket that no session has given, so that what is answered leaves no trace.
const NO_TICKET: Ticket = Ticket(u32::MAX);

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    Follow {
        client: usize,
        what: What,
    },
    Unfollow {
        client: usize,
        what: What,
    },
    Publish {
        module: usize,
        status: usize,
        bytes: usize,
    },
    Remove {
        module: usize,
        status: usize,
    },
    Zone(usize),
    Map(Option<usize>),
    /// The worker is held up until its outlet is over its bound.
    Flood,
    Read {
        client: usize,
        bytes: usize,
    },
    Settle,
    Round,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Module,
    Building,
}

fn happening() -> impl Strategy<Value = Happening> {
    let client = 0..3_usize;
    let status = 0..STATUSES.len();
    let module = 0..MODULES.len();
    let what = prop_oneof![Just(What::Module), Just(What::Building)];
    let bytes = prop_oneof![1..40_usize, 1_000..40_000_usize];
    prop_oneof![
        6 => (client.clone(), what.clone()).prop_map(|(client, what)| Happening::Follow { client, what }),
        1 => (client.clone(), what).prop_map(|(client, what)| Happening::Unfollow { client, what }),
        16 => (module.clone(), status.clone(), bytes).prop_map(|(module, status, bytes)| Happening::Publish { module, status, bytes }),
        3 => (module.clone(), status).prop_map(|(module, status)| Happening::Remove { module, status }),
        6 => (0..ZONES).prop_map(Happening::Zone),
        2 => proptest::option::weighted(0.7, module).prop_map(Happening::Map),
        1 => Just(Happening::Flood),
        6 => (client, prop_oneof![1..2_000_usize, 30_000..200_000_usize]).prop_map(|(client, bytes)| Happening::Read { client, bytes }),
        2 => Just(Happening::Settle),
        8 => Just(Happening::Round),
    ]
}

/// One follow, by the number that its frames bear.
struct Follow {
    client: usize,
    what: What,
    ended: bool,
    /// Which zones were there when it began.
    zones: [bool; ZONES],
}

/// A world in which whole modules and the building are followed.
struct Load {
    world: World,
    follows: Vec<Follow>,
    zones: [bool; ZONES],
}

fn zone(number: usize) -> EntryId {
    EntryId::Zone(ZoneId::new(&format!("zone-{number}")).unwrap())
}

fn subject(what: What) -> Subject {
    match what {
        What::Module => Subject::Module(Arc::new(display())),
        What::Building => Subject::Directory,
    }
}

impl Load {
    async fn new() -> Self {
        Self {
            world: World::new().await,
            follows: Vec::new(),
            zones: [false; ZONES],
        }
    }

    fn ids(client: usize) -> &'static [u32] {
        match client {
            TWICE => &[3, 8],
            _ => &[5],
        }
    }

    fn ask(&self, client: usize, request: Request, splice: &str) {
        let connection = Rc::clone(&self.world.clients[client].0);
        let step = Step::Request {
            ticket: NO_TICKET,
            request,
            form: Form::Told,
            splice: Splice::new(splice),
        };
        self.world.worker.perform(&connection, step);
    }

    fn follow(&mut self, client: usize, what: What) {
        let is_same =
            |follow: &Follow| follow.client == client && follow.what == what && !follow.ended;
        if self.follows.iter().any(is_same) {
            return;
        }
        for &id in Self::ids(client) {
            let number = self.follows.len().to_string();
            self.follows.push(Follow {
                client,
                what,
                ended: false,
                zones: self.zones,
            });
            let request = Request::Follow {
                id: FollowId(id),
                subject: subject(what),
                first: First::Events,
            };
            self.ask(client, request, &number);
        }
    }

    fn unfollow(&mut self, client: usize, what: What) {
        for follow in &mut self.follows {
            follow.ended |= follow.client == client && follow.what == what;
        }
        for &id in Self::ids(client) {
            let request = Request::Unfollow {
                id: FollowId(id),
                subject: subject(what),
            };
            self.ask(client, request, "");
        }
    }

    fn publish(&mut self, module: usize, status: usize, bytes: usize) {
        let number = self.world.next_value;
        self.world.next_value += 1;
        self.world.values.insert((module, status), number);
        let text = format!(r#"[{number},"{}"]"#, "x".repeat(bytes));
        let text = JsonText::parse(&text).unwrap();
        self.world.core.publish(key(module, status), Some(text));
    }

    /// Lines for a watch without followers, as many as an outlet takes.
    fn flood(&self) {
        let watch = self.world.core.watch(Subject::Bus);
        let line = Arc::new(LogLine {
            module: ModuleId::new(MODULES[0]).unwrap(),
            driver: Arc::from("x"),
            level: LogLevel::Info,
            message: String::new(),
        });
        let lines = (0..OUTLET_MAX_DELIVERIES).map(|_| Delivery::Event {
            watch,
            event: Event::Line(Arc::clone(&line)),
        });
        self.world.worker.outlet.push(&mut lines.collect());
    }

    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Follow { client, what } => self.follow(client, what),
            Happening::Unfollow { client, what } => self.unfollow(client, what),
            Happening::Publish {
                module,
                status,
                bytes,
            } => self.publish(module, status, bytes),
            Happening::Remove { module, status } => {
                if self.world.values.remove(&(module, status)).is_some() {
                    self.world.core.publish(key(module, status), None);
                }
            }
            Happening::Zone(number) => {
                let presence = |is_there| match is_there {
                    true => Presence::Present,
                    false => Presence::Absent,
                };
                let old = self.zones[number];
                self.zones[number] = !old;
                let change = (zone(number), presence(old), presence(!old));
                self.world.core.change_entries(vec![change]);
            }
            Happening::Map(module) => self.world.map(module),
            Happening::Flood => self.flood(),
            Happening::Read { client, bytes } => self.world.clients[client].1.allow(bytes),
            Happening::Settle => self.world.core.settle(),
            Happening::Round => self.world.round().await,
        }
        for (connection, _) in &self.world.clients {
            assert!(connection.is_open(), "values close no connection");
        }
    }

    fn check(&self) {
        for (client, (_, wire)) in self.world.clients.iter().enumerate() {
            let messages = wire.messages();
            for (number, follow) in self.follows.iter().enumerate() {
                if follow.client == client && !follow.ended {
                    let told = messages.iter().filter(|told| told["id"] == json!(number));
                    self.check_follow(follow, told);
                }
            }
        }
    }

    fn check_follow<'m>(&self, follow: &Follow, told: impl Iterator<Item = &'m Value>) {
        let mut seen: BTreeMap<String, Value> = BTreeMap::new();
        let mut others = None;
        for told in told {
            let key = told["key"].as_str().unwrap().to_owned();
            let before = seen.insert(key.clone(), told["new"].clone());
            // Of two follows of one client one may get an event while the other is behind, and gets it again with the other.
            if follow.client != TWICE {
                let unseen = match follow.what {
                    What::Module => Value::Null,
                    // It may be there, or not, and be sent for the first time.
                    What::Building => told["old"].clone(),
                };
                assert_eq!(told["old"], before.unwrap_or(unseen), "the old of {key}");
            }
            let mut state: BTreeMap<String, Value> =
                serde_json::from_value::<Vec<(String, Value)>>(told["others"].clone())
                    .unwrap()
                    .into_iter()
                    .collect();
            state.insert(key, told["new"].clone());
            state.retain(|_, value| !value.is_null());
            others = Some(state);
        }
        match follow.what {
            What::Module => {
                seen.retain(|_, value| !value.is_null());
                let truth = self.truth();
                let shown: BTreeMap<String, u64> = seen
                    .iter()
                    .map(|(name, value)| (name.clone(), value[0].as_u64().unwrap()))
                    .collect();
                assert_eq!(shown, truth, "the last values");
                assert!(
                    others.is_none_or(|others| others == seen),
                    "the values beside the last"
                );
            }
            What::Building => {
                for number in 0..ZONES {
                    let told = seen.get(&zone(number).to_string());
                    let shown = told.map_or(follow.zones[number], |told| told == &json!(true));
                    assert_eq!(shown, self.zones[number], "zone {number}");
                }
            }
        }
    }

    fn truth(&self) -> BTreeMap<String, u64> {
        let of_status = |(status, name): (usize, &&str)| {
            let value = self.world.values.get(&(self.world.mapped?, status))?;
            Some(((*name).to_owned(), *value as u64))
        };
        STATUSES.iter().enumerate().filter_map(of_status).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_followed_module_and_the_followed_building_lose_no_last_value_under_load(
        happenings in proptest::collection::vec(happening(), 1..150)
    ) {
        run(async {
            let mut load = Load::new().await;
            for happening in happenings {
                load.happen(happening).await;
            }
            load.world.come_to_rest().await;
            load.check();
            for (connection, _) in &load.world.clients {
                load.world.worker.unregister(connection);
            }
            assert_eq!(load.world.core.watches(), 0, "watches are left over");
        });
    }
}

#[test]
fn who_wants_the_first_values_in_the_reply_gets_them_there_and_only_what_changes_as_events() {
    run(async {
        let mut load = Load::new().await;
        load.publish(0, 0, 1);
        load.publish(0, 1, 1);
        let (connection, wire) = load.world.clients[0].clone();
        wire.allow(usize::MAX);
        let telling = |id| Telling {
            id: FollowId(id),
            form: Form::Told,
            splice: Splice::new(id.to_string()),
            first: First::Reply,
        };
        // The first of this worker, and one that finds the watch there while a change is on its way.
        for id in [1, 2] {
            load.publish(0, 1, 1);
            let worker = &load.world.worker;
            let begun = worker.follow(&connection, subject(What::Module), telling(id));
            let Begun::Here(slot) = begun.unwrap() else {
                panic!("it is still coming");
            };
            let newest = load.world.values[&(0, 1)];
            let snapshot = worker.snapshot(slot);
            assert_eq!(snapshot.len(), 2);
            let beginning = format!("[{newest},");
            let is_newest = |event: &Event| {
                let value = match event {
                    Event::Value { value, .. } => value.as_ref(),
                    Event::Entry { .. }
                    | Event::Line(_)
                    | Event::Bus(_)
                    | Event::Call(_)
                    | Event::Topic(_)
                    | Event::Message(_) => None,
                };
                value.is_some_and(|value| value.as_str().starts_with(&beginning))
            };
            assert!(snapshot.iter().any(is_newest));
        }
        load.world.round().await;
        let told = |wire: &MemoryWire, id: u32| {
            let messages = wire.messages();
            messages
                .iter()
                .filter(|told| told["id"] == json!(id))
                .count()
        };
        assert_eq!((told(&wire, 1), told(&wire, 2)), (1, 0));
        load.publish(0, 0, 1);
        load.world.round().await;
        assert_eq!((told(&wire, 1), told(&wire, 2)), (2, 1));
        load.world.worker.unregister(&connection);
    });
}

#[test]
fn a_message_goes_to_all_who_follow_its_topic_but_one() {
    run(async {
        let load = Load::new().await;
        let topic = TopicId::new("chat").unwrap();
        for client in [0, 1] {
            load.world.clients[client].1.allow(usize::MAX);
            let request = Request::Enter(TopicEntry {
                topic: topic.clone(),
                member: None,
                wants_last: false,
            });
            load.ask(client, request, "1");
        }
        load.world.round().await;
        let publish = Request::Publish(Publication {
            topic,
            message: JsonText::parse("[7]").unwrap(),
            except: Some(ClusterConnectionId {
                process: load.world.core.core.topics.process(),
                connection: load.world.clients[0].0.id,
            }),
            kept: false,
            by: None,
        });
        load.ask(0, publish, "");
        load.world.round().await;
        assert!(load.world.clients[0].1.messages().is_empty());
        let told = load.world.clients[1].1.messages();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["new"], json!([7]));
    });
}

#[test]
fn who_loses_a_message_that_must_arrive_is_closed() {
    run(async {
        let load = Load::new().await;
        let follow = Request::Follow {
            id: FollowId(0),
            subject: Subject::Bus,
            first: First::Events,
        };
        load.ask(0, follow.clone(), "1");
        load.ask(1, follow, "1");
        load.world.clients[1].1.allow(usize::MAX);
        let announce = |bytes: usize| {
            let data = JsonText::parse(&format!("{:?}", "x".repeat(bytes))).unwrap();
            let core = &load.world.core;
            core.core
                .follows
                .announce(&core.caller(), Arc::from("x"), data, 1);
        };
        // The first does not read: the fourth finds three waiting, which is more than may.
        for _ in 0..4 {
            announce(REPLIES_MAX_BYTES / 2 + 100_000);
            load.world.round().await;
        }
        assert!(!load.world.clients[0].0.is_open());
        assert!(load.world.clients[1].0.is_open());
        // The worker is held up.
        load.flood();
        for _ in 0..3 {
            announce(OUTLET_LATE_MAX_BYTES / 2);
        }
        load.world.round().await;
        assert!(!load.world.clients[1].0.is_open());
    });
}
