//! A store against a plain model: whatever happens in whatever order, both answer the same.
//!
//! The model keeps a list of what is unread for each subscription, and knows nothing of logs, marks or counts.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const DEVICES: [&str; 3] = ["ann", "bob", "cem"];
const SERVICES: [&str; 3] = ["lift", "door", "alarm"];

/// One thing that happens. Numbers pick from the constants above.
#[derive(Debug, Clone)]
enum Act {
    Subscribe(usize, usize),
    Unsubscribe(usize, usize),
    Send(usize, i64),
    Unread(usize),
    Take(usize),
    /// So far as one of all messages of the service.
    Read(usize, usize, Index),
    ReadAll(usize),
    Forget(usize),
    /// What was sent before one of the moments so far.
    Expire(Index),
}

fn act() -> impl Strategy<Value = Act> {
    let pair = || (0..DEVICES.len(), 0..SERVICES.len());
    let device = || 0..DEVICES.len();
    prop_oneof![
        6 => pair().prop_map(|(device, service)| Act::Subscribe(device, service)),
        3 => pair().prop_map(|(device, service)| Act::Unsubscribe(device, service)),
        12 => (0..SERVICES.len(), 1..=5_i64).prop_map(|(service, level)| Act::Send(service, level)),
        3 => device().prop_map(Act::Unread),
        3 => device().prop_map(Act::Take),
        4 => (pair(), any::<Index>())
            .prop_map(|((device, service), so_far)| Act::Read(device, service, so_far)),
        1 => device().prop_map(Act::ReadAll),
        1 => (0..SERVICES.len()).prop_map(Act::Forget),
        2 => any::<Index>().prop_map(Act::Expire),
    ]
}

/// Runs random operations on a store, now on one node and now on the other, and holds each answer to the model's.
pub(in crate::stores) fn random_operations<F: MessageFixture>() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let fixture = runtime.block_on(F::new());
    let nodes = {
        let _on = runtime.enter();
        fixture.nodes()
    };
    let case = Cell::new(0);
    // A case asks a real store many times, so there are a sixth of the usual cases, however many are asked for.
    let cases = ProptestConfig::default().cases.div_ceil(6);
    let acts = prop::collection::vec((any::<bool>(), act()), 1..60);
    proptest!(ProptestConfig::with_cases(cases), |(acts in acts)| {
        case.set(case.get() + 1);
        runtime.block_on(async {
            let mut world = World::new(case.get(), &nodes);
            for (is_other, act) in &acts {
                world.take_step(usize::from(*is_other), act).await?;
            }
            world.end().await
        })?;
    });
}

/// A message as the model has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    number: MessageNumber,
    previous: MessageNumber,
    text: String,
    at: Timestamp,
}

#[derive(Debug, Default)]
struct Service {
    sent: Vec<Known>,
    by_level: [u64; 5],
    /// How many messages it had sent when it was forgotten.
    told_before: usize,
    unread: [Option<Subscriber>; DEVICES.len()],
}

#[derive(Debug, Clone)]
struct Subscriber {
    since: Timestamp,
    checked: Timestamp,
    unread: Vec<Known>,
}

/// The store and the model of it, for one case. Its names are its own, since all cases share the store.
struct World<'a> {
    case: u64,
    nodes: &'a [Node; 2],
    now: u64,
    services: [Service; SERVICES.len()],
}

impl<'a> World<'a> {
    fn new(case: u64, nodes: &'a [Node; 2]) -> Self {
        Self {
            case,
            nodes,
            now: 0,
            services: Default::default(),
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.case)
    }

    fn time(&self, step: u64) -> Timestamp {
        at(self.case * 1_000 + step)
    }

    async fn take_step(&mut self, node: usize, act: &Act) -> Result<(), TestCaseError> {
        self.now += 1;
        let node = &self.nodes[node];
        let now = self.time(self.now);
        match act {
            Act::Subscribe(device, service) => {
                let names = (self.name(DEVICES[*device]), self.name(SERVICES[*service]));
                let answer = node.subscribe_at(&names.0, &names.1, now).await;
                let subscriber = &mut self.services[*service].unread[*device];
                let expected = match subscriber {
                    Some(_) => Subscribed::Already,
                    None => Subscribed::New,
                };
                prop_assert_eq!(answer, expected);
                subscriber.get_or_insert(Subscriber {
                    since: now,
                    checked: now,
                    unread: Vec::new(),
                });
            }
            Act::Unsubscribe(device, service) => {
                let names = (self.name(DEVICES[*device]), self.name(SERVICES[*service]));
                let answer = node.unsubscribe(&names.0, &names.1).await;
                let ended = self.services[*service].unread[*device].take();
                prop_assert_eq!(answer, ended.is_some());
            }
            Act::Send(service, level) => self.send(node, *service, *level, now).await?,
            Act::Unread(device) => {
                let answer = node.unread(&self.name(DEVICES[*device])).await;
                self.check_unread(*device, &answer)?;
            }
            Act::Take(device) => {
                let id = device_id(&self.name(DEVICES[*device]));
                let answer = within(node.store.take(id, now)).await;
                self.check_unread(*device, &answer)?;
                self.mark(*device, now, |_, _| true);
            }
            Act::Read(device, service, so_far) => {
                let id = device_id(&self.name(DEVICES[*device]));
                let sent = &self.services[*service].sent;
                let number = match sent.len() {
                    0 => MessageNumber(u64::MAX),
                    _ => so_far.get(sent).number,
                };
                let mark = Mark {
                    service: key(&self.name(SERVICES[*service])),
                    number,
                };
                within(node.store.read(id, vec![mark], now)).await;
                self.mark(*device, now, |of, message| {
                    of == *service && message.number <= number
                });
            }
            Act::ReadAll(device) => {
                let id = device_id(&self.name(DEVICES[*device]));
                within(node.store.read_all(id, now)).await;
                self.mark(*device, now, |_, _| true);
            }
            Act::Forget(service) => {
                node.forget(&self.name(SERVICES[*service])).await;
                let forgotten = std::mem::take(&mut self.services[*service]);
                self.services[*service].told_before = forgotten.told_before + forgotten.sent.len();
            }
            Act::Expire(moment) => {
                let steps = usize::try_from(self.now).unwrap();
                let before = self.time(moment.index(steps) as u64 + 1);
                let dropped = node.expire(before).await;
                prop_assert_eq!(dropped, self.expire(before));
            }
        }
        self.check_all(node).await
    }

    async fn send(
        &mut self,
        node: &Node,
        service: usize,
        level: i64,
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        let name = self.name(SERVICES[service]);
        let text = format!("{name} {}", self.now);
        let notice = Notice {
            level: MessageLevel::of(level),
            ..notice(&text)
        };
        let answer = within(node.store.send(key(&name), notice, now)).await;
        let numbers = self.services.iter().flat_map(|service| &service.sent);
        let last = numbers.map(|message| message.number).max();
        prop_assert!(Some(answer.number) > last);
        let service = &mut self.services[service];
        let message = Known {
            number: answer.number,
            previous: service
                .sent
                .last()
                .map_or_else(MessageNumber::default, |message| message.number),
            text,
            at: now,
        };
        let mut devices = 0;
        for subscriber in service.unread.iter_mut().flatten() {
            subscriber.unread.push(message.clone());
            devices += 1;
        }
        service.by_level[usize::try_from(level).unwrap() - 1] += 1;
        service.sent.push(message);
        prop_assert_eq!((answer.devices, answer.dropped), (devices, 0));
        Ok(())
    }

    /// A device looks and has read these.
    fn mark(&mut self, device: usize, now: Timestamp, is_read: impl Fn(usize, &Known) -> bool) {
        for (number, service) in self.services.iter_mut().enumerate() {
            if let Some(subscriber) = &mut service.unread[device] {
                subscriber.checked = now;
                subscriber
                    .unread
                    .retain(|message| !is_read(number, message));
            }
        }
    }

    fn expire(&mut self, before: Timestamp) -> u64 {
        let mut dropped = 0;
        let subscribers = self
            .services
            .iter_mut()
            .flat_map(|service| &mut service.unread);
        for subscriber in subscribers.flatten() {
            let had = subscriber.unread.len();
            subscriber.unread.retain(|message| message.at >= before);
            dropped += had - subscriber.unread.len();
        }
        dropped as u64
    }

    fn check_unread(&self, device: usize, answer: &Unread) -> Result<(), TestCaseError> {
        let subscribers = self.services.iter().map(|service| &service.unread[device]);
        let unread = subscribers
            .flatten()
            .flat_map(|subscriber| &subscriber.unread);
        let mut expected: Vec<Known> = unread.cloned().collect();
        expected.sort_by_key(|message| message.number);
        let shown = answer.messages.iter().map(|message| Known {
            number: message.number,
            previous: message.previous,
            text: message.notice.text.clone(),
            at: message.at,
        });
        prop_assert_eq!(shown.collect::<Vec<_>>(), expected);
        prop_assert!(!answer.more);
        Ok(())
    }

    /// All that can be asked without a change.
    async fn check_all(&self, node: &Node) -> Result<(), TestCaseError> {
        for (device, name) in DEVICES.iter().enumerate() {
            let subscriptions = node.subscriptions(&self.name(name)).await;
            let mut expected = Vec::new();
            for (service, name) in self.services.iter().zip(SERVICES) {
                expected.extend(service.unread[device].as_ref().map(|known| Subscription {
                    service: key(&self.name(name)),
                    since: known.since,
                    checked: known.checked,
                }));
            }
            expected.sort_by_key(|subscription| subscription.since);
            prop_assert_eq!(subscriptions, expected);
        }
        let keys = SERVICES.map(|name| key(&self.name(name))).to_vec();
        let tallies = within(node.store.tallies(keys)).await;
        for (tally, service) in tallies.iter().zip(&self.services) {
            let last = tally.last.as_ref().map(|message| message.number);
            let expected = service.sent.last().map(|message| message.number);
            prop_assert_eq!(last, expected);
            prop_assert_eq!(tally.by_level, service.by_level);
            let subscribers = service.unread.iter().flatten();
            let mut unread: Vec<MessageNumber> = subscribers
                .flat_map(|subscriber| &subscriber.unread)
                .map(|message| message.number)
                .collect();
            unread.sort();
            unread.dedup();
            prop_assert_eq!(tally.unread, unread.len() as u64);
        }
        Ok(())
    }

    /// Each node was told of every message; then nothing is left for the next case.
    async fn end(mut self) -> Result<(), TestCaseError> {
        for (service, name) in std::mem::take(&mut self.services).iter().zip(SERVICES) {
            let name = self.name(name);
            for node in self.nodes {
                let count = service.told_before + service.sent.len();
                let told = node.told.until_sent(&name, count).await;
                let told = told[service.told_before..].iter();
                let told: Vec<MessageNumber> = told.map(|message| message.number).collect();
                let sent: Vec<MessageNumber> =
                    service.sent.iter().map(|message| message.number).collect();
                prop_assert_eq!(told, sent);
            }
            self.nodes[0].forget(&name).await;
        }
        Ok(())
    }
}
