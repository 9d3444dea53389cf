//! A property of a module's changes, whatever happens to the connection: Redis ends with the module's last values, and no follower sees a status go back.

use std::collections::HashMap;

use metrics::{Counter, Gauge};
use proptest::prelude::*;

use crate::model::{BindingKey, ModuleId, Origin, StatusChange, StatusName, StatusValue};
use crate::stores::redis::statuses::outgoing::{Change, Outgoing};

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    /// The module sets one of its statuses to the next number, or removes it.
    Say { status: usize, removes: bool },
    /// What waits is sent and acknowledged.
    Send,
    /// What waits is sent and the connection lost: this share of its commands was carried out, of which there are two for each change.
    Lose { tenths: usize },
    /// The connection is lost and the server comes back empty.
    Empty,
    /// The connection is lost and the server comes back with an older copy.
    Restore,
    /// The server copies what it has.
    Copy,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..STATUSES, any::<bool>(), any::<bool>())
            .prop_map(|(status, a, b)| Step::Say { status, removes: a && b }),
        2 => Just(Step::Send),
        2 => (0..=10_usize).prop_map(|tenths| Step::Lose { tenths }),
        1 => Just(Step::Empty),
        1 => Just(Step::Restore),
        1 => Just(Step::Copy),
    ];
    prop::collection::vec(step, 1..60)
}

const STATUSES: usize = 3;

/// What stands in the hash of the module.
type Hash = HashMap<String, String>;

/// A server with one module, whose node sends by [`Outgoing`].
struct World {
    outgoing: Outgoing,
    module: ModuleId,
    kept: Hash,
    copy: Hash,
    /// What was published of each status, in order.
    published: HashMap<String, Vec<u64>>,
    said: Hash,
    number: u64,
}

impl World {
    fn new() -> Self {
        let module = ModuleId::new("mod-1").unwrap();
        let outgoing = Outgoing::new(Counter::noop(), Gauge::noop());
        outgoing.adopt(&module, &vec![]);
        Self {
            outgoing,
            module,
            kept: Hash::new(),
            copy: Hash::new(),
            published: HashMap::new(),
            said: Hash::new(),
            number: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Say { status, removes } => self.say(status, removes),
            Step::Send => self.send(),
            Step::Lose { tenths } => {
                let pipeline = self.outgoing.next_pipeline();
                let carried_out = pipeline.len() * 2 * tenths / 10;
                for command in 0..carried_out {
                    self.carry_out(&pipeline[command / 2], command % 2);
                }
                self.connect();
            }
            Step::Empty => {
                self.kept.clear();
                self.connect();
            }
            Step::Restore => {
                self.kept = self.copy.clone();
                self.connect();
            }
            Step::Copy => self.copy = self.kept.clone(),
        }
    }

    fn say(&mut self, status: usize, removes: bool) {
        self.number += 1;
        let (name, value) = (format!("s{status}"), self.number.to_string());
        let key = BindingKey {
            module: self.module.clone(),
            status: StatusName::new(&name).unwrap(),
        };
        let value = if removes {
            self.said.remove(&name);
            None
        } else {
            self.said.insert(name, value.clone());
            Some(StatusValue::parse(&value).unwrap())
        };
        self.outgoing.write(vec![StatusChange {
            key,
            value,
            origin: Origin::Push,
            act: None,
        }]);
    }

    fn send(&mut self) {
        loop {
            let pipeline = self.outgoing.next_pipeline();
            if pipeline.is_empty() {
                return;
            }
            for change in &pipeline {
                self.carry_out(change, 0);
                self.carry_out(change, 1);
            }
            self.outgoing.arrived();
        }
    }

    /// The first command of a change keeps, the second publishes.
    fn carry_out(&mut self, change: &Change, command: usize) {
        let name = change.key.status.to_string();
        match (&change.value, command) {
            (Some(value), 0) => drop(self.kept.insert(name, value.to_string())),
            (None, 0) => drop(self.kept.remove(&name)),
            (Some(value), _) => {
                let numbers = self.published.entry(name).or_default();
                numbers.push(value.as_str().parse().unwrap());
            }
            (None, _) => {}
        }
    }

    /// The connection was lost, and there is another one.
    fn connect(&mut self) {
        self.outgoing.hold();
        self.outgoing.repair(&self.module, self.kept.clone());
    }
}

proptest! {
    #[test]
    fn redis_ends_with_what_is_said_and_nothing_goes_back(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.send();
        prop_assert_eq!(&world.kept, &world.said);
        for (name, numbers) in &world.published {
            prop_assert!(numbers.is_sorted(), "{} {:?}", name, numbers);
            if let Some(said) = world.said.get(name) {
                prop_assert_eq!(&numbers[numbers.len() - 1].to_string(), said);
            }
        }
    }
}
