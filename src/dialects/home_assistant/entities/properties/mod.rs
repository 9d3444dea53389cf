//! The projection against a naive model: whatever happens to statuses, and however a client falls behind,
//! what it has put together from `a` and `c` is in the end what the entities say.

mod client;
mod naive;

use std::sync::Arc;

use proptest::prelude::*;

use crate::dialects::home_assistant::Form;
use crate::dialects::{Encoded, Surroundings};
use crate::model::{
    Act, Cause, Event, JsonText, KeyBuf, ModulePath, Newest, Old, Shape, StatusName,
};

use self::client::Store;
use self::naive::{Naive, Written};
use super::testing::{Room, display, event, json, path, status, written};
use super::{Known, context_id, encode};

/// The statuses of the module, and values that each may have. The last are not what anybody expects.
const STATUSES: [(&str, &[&str]); 6] = [
    ("connected", &["true", "false", "true"]),
    ("power", &["true", "false", "null"]),
    ("volume", &["0", "20", "100", "1e400", "\"x\""]),
    ("audio_mute", &["true", "false", "7"]),
    ("input", &["\"hdmi\"", "\"vga\"", r#""\ud800""#, "LONG"]),
    (
        "log",
        &[
            "[1,2]",
            "{\"a\":1e400}",
            "123456789012345678901234567890",
            "LONG",
            "null",
        ],
    ),
];

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// A status has a value, or none, in the course of some user's act or of none.
    Value(usize, Option<usize>, Option<u8>),
    /// The slow client reads no more.
    Stall,
    /// It reads again; what it is owed comes in an order turned by so much.
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let value = (
        0..STATUSES.len(),
        prop::option::weighted(0.8, 0_usize..5),
        prop::option::of(0_u8..2),
    );
    prop_oneof![
        6 => value.prop_map(|(status, value, user)| Step::Value(status, value, user)),
        1 => Just(Step::Stall),
        1 => (0_usize..6).prop_map(Step::Read),
    ]
}

fn value(place: usize, at: usize) -> String {
    let values = STATUSES[place].1;
    match values[at % values.len()] {
        "LONG" => format!("\"{}\"", "é".repeat(300)),
        value => value.to_owned(),
    }
}

/// A worker with one client that is never behind and one that may be.
struct Worker {
    module: ModulePath,
    surroundings: Surroundings,
    newest: Newest,
    naive: Naive,
    quick: Store,
    slow: Store,
    is_stalled: bool,
    /// What the slow client has to be told, and what it had before.
    owed: Vec<(KeyBuf, Old)>,
    revision: u64,
}

const ALL: Form = Form::Entities {
    window: 0,
    mask: u64::MAX,
};

impl Worker {
    fn new() -> Self {
        let room = Room::with("R", "Display", display()).seen("log", Shape::List);
        let view = room.view();
        let newest = Newest::None;
        let store = Store::added(&view, &newest);
        Self {
            module: path("sys-1", "Display"),
            surroundings: Surroundings {
                home_assistant: view,
                ..Surroundings::default()
            },
            newest,
            naive: Naive::default(),
            quick: store.clone(),
            slow: store,
            is_stalled: false,
            owed: Vec::new(),
            revision: 0,
        }
    }

    fn change(&mut self, place: usize, value: Option<String>, user: Option<u8>) {
        let name = STATUSES[place].0;
        self.revision += 1;
        let act = u128::from(self.revision) << 64;
        let user = user.map(|user| format!("user-{user}"));
        let cause = match &user {
            Some(user) => Cause::Act(Arc::new(Act {
                id: act,
                user: Some(Arc::from(user.as_str())),
            })),
            None => Cause::Module,
        };
        let old = self
            .naive
            .0
            .get(name)
            .and_then(|written| written.value.clone());
        let values = [old.as_deref(), value.as_deref()];
        let event = event(&self.module, name, values, self.revision, cause);
        let Event::Value { at, revision, .. } = &event else {
            panic!("it is a value");
        };
        let context = match &user {
            Some(_) => context_id(act),
            None => context_id(super::Context::made(*at, *revision).id),
        };
        let written = Written {
            value,
            at: format!("{}.{:06}", at.as_secs(), at.0 % 1_000_000),
            revision: self.revision,
            context,
            user,
        };
        self.naive.0.insert(name, written);
        self.fan_out(event);
    }

    /// As the worker does it: who is behind is told later of the newest event with this key.
    fn fan_out(&mut self, event: Event) {
        let mut encoded = Encoded::default();
        crate::dialects::encode(
            crate::dialects::Form::HomeAssistant(ALL),
            &event,
            &self.newest,
            &self.surroundings,
            &mut encoded,
        );
        self.quick.take(&encoded);
        let key = event.key().unwrap().to_buf();
        let is_behind = self.is_stalled || !self.owed.is_empty();
        if is_behind {
            if !self.owed.iter().any(|(owed, _)| *owed == key) {
                self.owed.push((key, event.old()));
            }
        } else {
            self.slow.take(&encoded);
        }
        if is_behind || event.is_standing() {
            self.newest.put(event);
        } else {
            self.newest.forget(&event);
        }
    }

    fn tell_behind(&mut self, turned: usize) {
        self.is_stalled = false;
        let count = self.owed.len();
        if count > 0 {
            self.owed.rotate_left(turned % count);
        }
        for (key, old) in std::mem::take(&mut self.owed) {
            let (place, _) = self
                .newest
                .events()
                .find(|(_, event)| event.key().is_some_and(|known| known.to_buf() == key))
                .expect("what is owed is kept");
            self.newest.set_old(place, old);
            let event = self.newest.get(place).unwrap().clone();
            let mut encoded = Encoded::default();
            encode(ALL, &event, &self.newest, &self.surroundings, &mut encoded);
            self.slow.take(&encoded);
            self.newest.set_old(place, Old::Nothing);
        }
    }
}

proptest! {
    #[test]
    fn changes_add_up_to_what_the_entities_say(steps in prop::collection::vec(step(), 0..60)) {
        let mut worker = Worker::new();
        for step in steps {
            match step {
                Step::Value(place, at, user) => {
                    let value = at.map(|at| value(place, at));
                    worker.change(place, value, user);
                }
                Step::Stall => worker.is_stalled = true,
                Step::Read(turned) => worker.tell_behind(turned),
            }
            prop_assert_eq!(&worker.quick, &worker.naive.store());
        }
        worker.tell_behind(0);
        prop_assert_eq!(&worker.slow, &worker.naive.store());
    }
}

#[test]
fn ugly_values_are_written_as_they_came() {
    let mut worker = Worker::new();
    let view = worker.surroundings.home_assistant.clone();
    let ugly = r#"{"a": [ 1e400, "\ud800", 123456789012345678901234567890, 1.0 ]}"#;
    let log = STATUSES
        .iter()
        .position(|(name, _)| *name == "log")
        .unwrap();
    worker.change(log, Some(ugly.to_owned()), None);
    let sensor = view.entity("sensor.r_display_1_log").unwrap();
    let known = Known::of_newest(&worker.newest);
    for text in [
        written(|out| sensor.write_state(&known, out)),
        written(|out| sensor.write_compressed(&known, out)),
    ] {
        assert!(text.contains(&format!("\"value\":{ugly}")), "{text}");
        JsonText::parse(&text).unwrap();
    }
    assert_eq!(
        worker.quick.0["sensor.r_display_1_log"].attributes["value"],
        ugly
    );
}

#[test]
fn a_whole_event_has_the_state_before_and_the_state_after() {
    let mut worker = Worker::new();
    worker.change(1, Some("false".to_owned()), None);
    let cause = Cause::Act(Arc::new(Act {
        id: 5,
        user: Some(Arc::from("ann")),
    }));
    let values = [Some("false"), Some("true")];
    let event = event(&worker.module, "power", values, 9, cause);
    let mut encoded = Encoded::default();
    let form = Form::StateChanged { window: 0, mask: 2 };
    encode(
        form,
        &event,
        &worker.newest,
        &worker.surroundings,
        &mut encoded,
    );
    let frames: Vec<_> = encoded.frames().collect();
    let [(head, tail)] = frames[..] else {
        panic!("one entity is meant");
    };
    let frame: serde_json::Value = serde_json::from_slice(&[head, b"3", tail].concat()).unwrap();
    let data = &frame["event"]["data"];
    assert_eq!(frame["event"]["event_type"], "state_changed");
    assert_eq!(data["entity_id"], "switch.r_display_1_power");
    assert_eq!(data["old_state"]["state"], "off");
    assert_eq!(
        data["old_state"]["last_changed"],
        "1970-01-01T00:00:01.000001+00:00"
    );
    assert_eq!(data["new_state"]["state"], "on");
    assert_eq!(
        data["new_state"]["last_changed"],
        "1970-01-01T00:00:09.000001+00:00"
    );
    assert_eq!(data["new_state"]["context"]["user_id"], "ann");
    assert_eq!(frame["event"]["context"]["id"], context_id(5));
}

#[test]
fn only_the_entities_meant_are_written() {
    let worker = Worker::new();
    let event = event(
        &worker.module,
        "connected",
        [None, Some("true")],
        1,
        Cause::Module,
    );
    let written = |form| {
        let mut encoded = Encoded::default();
        encode(
            form,
            &event,
            &worker.newest,
            &worker.surroundings,
            &mut encoded,
        );
        encoded.frames().count()
    };
    assert_eq!(
        written(Form::Entities {
            window: 0,
            mask: 0b100
        }),
        1
    );
    assert_eq!(
        written(Form::Entities {
            window: 1,
            mask: u64::MAX
        }),
        0
    );
    assert_eq!(
        written(Form::StateChanged {
            window: 0,
            mask: 0b101
        }),
        2
    );
    assert_eq!(written(Form::Bus), 0);
}

/// The statuses of the test are those of the module.
#[test]
fn the_statuses_of_the_model_are_known_to_the_view() {
    let worker = Worker::new();
    let module = worker.surroundings.home_assistant.module(&worker.module);
    let module = module.unwrap();
    for (name, _) in STATUSES {
        let name: StatusName = status(name);
        assert!(
            module.touched(&name, 0, u64::MAX).next().is_some(),
            "{name}"
        );
    }
    assert_eq!(json("1").as_str(), "1");
}
