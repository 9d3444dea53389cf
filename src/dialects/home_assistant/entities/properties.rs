//! The projection against a naive model: whatever happens to statuses, and however a client falls behind,
//! what it has put together from `a` and `c` is in the end what the entities say.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialects::home_assistant::{Form, View};
use crate::dialects::{Encoded, Surroundings};
use crate::model::{
    Act, Cause, Event, JsonText, KeyBuf, ModulePath, Newest, Old, Shape, StatusName,
};

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

/// An entity as a client has it. Attributes that do not change are left out.
#[derive(Debug, Clone, Default, PartialEq)]
struct Held {
    state: String,
    attributes: BTreeMap<String, String>,
    context: String,
    user: Option<String>,
    changed: String,
    updated: String,
}

/// What a client has put together, as the JavaScript library does.
#[derive(Debug, Clone, Default, PartialEq)]
struct Store(BTreeMap<String, Held>);

#[derive(Deserialize)]
struct Frame {
    event: Changes,
}

#[derive(Deserialize)]
struct Changes {
    c: BTreeMap<String, Change>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "+")]
    plus: Plus,
    #[serde(rename = "-", default)]
    minus: Minus,
}

#[derive(Deserialize, Default)]
struct Plus {
    s: Option<Box<RawValue>>,
    #[serde(default)]
    a: BTreeMap<String, Box<RawValue>>,
    c: Option<Box<RawValue>>,
    lc: Option<Box<RawValue>>,
    lu: Option<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
struct Minus {
    #[serde(default)]
    a: Vec<String>,
}

impl Held {
    fn apply(&mut self, Change { plus, minus }: Change) {
        if let Some(state) = plus.s {
            self.state = state.get().to_owned();
        }
        if let Some(context) = plus.c {
            match serde_json::from_str(context.get()).unwrap() {
                serde_json::Value::String(id) => self.context = id,
                object => {
                    if let Some(id) = object.get("id") {
                        self.context = id.as_str().unwrap().to_owned();
                    }
                    if let Some(user) = object.get("user_id") {
                        self.user = user.as_str().map(str::to_owned);
                    }
                }
            }
        }
        if let Some(changed) = plus.lc {
            self.changed = changed.get().to_owned();
            self.updated = self.changed.clone();
        } else if let Some(updated) = plus.lu {
            self.updated = updated.get().to_owned();
        }
        for (name, json) in plus.a {
            self.attributes.insert(name, json.get().to_owned());
        }
        for name in minus.a {
            self.attributes.remove(&name);
        }
    }
}

impl Store {
    fn take(&mut self, encoded: &Encoded) {
        for (head, tail) in encoded.frames() {
            let frame = String::from_utf8([head, b"4", tail].concat()).unwrap();
            let frame: Frame = serde_json::from_str(&frame).unwrap();
            for (id, change) in frame.event.c {
                self.0.get_mut(&id).expect("it was added").apply(change);
            }
        }
    }

    /// What `a` says of everything.
    fn added(view: &View, newest: &Newest) -> Self {
        let known = Known::of_newest(newest);
        let entities = view.entities().map(|entity| {
            let text = written(|out| entity.write_compressed(&known, out));
            let plus: Plus = serde_json::from_str(&text).unwrap();
            let mut held = Held::default();
            let later = plus.lu.as_ref().map(|updated| updated.get().to_owned());
            held.apply(Change {
                plus,
                minus: Minus::default(),
            });
            held.updated = later.unwrap_or(held.updated);
            let fixed = written(|out| entity.write_attributes(&Known::nothing(), out));
            let fixed: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&fixed).unwrap();
            held.attributes.retain(|name, _| !fixed.contains_key(name));
            (entity.id.to_string(), held)
        });
        Self(entities.collect())
    }
}

/// What was last written of a status.
#[derive(Debug, Clone)]
struct Written {
    value: Option<String>,
    at: String,
    revision: u64,
    context: String,
    user: Option<String>,
}

/// The module as it is, and what an entity says of it by the rules alone.
#[derive(Debug, Default)]
struct Naive(BTreeMap<&'static str, Written>);

impl Naive {
    fn value(&self, status: &str) -> Option<&str> {
        let value = self.0.get(status)?.value.as_deref()?;
        (value != "null").then_some(value)
    }

    fn text(&self, status: &str) -> String {
        let long = "é".repeat(300);
        match self.value(status) {
            None => "\"unknown\"".to_owned(),
            Some("[1,2]") => "\"2\"".to_owned(),
            Some(json) if json.starts_with('{') => "\"json\"".to_owned(),
            Some(json) if json.contains(&long) => format!("\"{}\"", "é".repeat(255)),
            Some(json) if json.starts_with('"') => json.to_owned(),
            Some(json) => format!("\"{json}\""),
        }
    }

    fn flag(&self, status: &str) -> String {
        match self.value(status) {
            Some("true") => "\"on\"".to_owned(),
            Some("false") => "\"off\"".to_owned(),
            _ => self.text(status),
        }
    }

    /// The store of a client that has everything. `spoken` names the entities of which something was ever said.
    fn store(&self) -> Store {
        let one = |domain: &str, suffix: &str, state: String, deciding: &[&str], more: &[&str]| {
            let id = format!("{domain}.r_display_1{suffix}");
            (id, self.held(domain, suffix, state, deciding, more))
        };
        let entities = [
            one(
                "binary_sensor",
                "_connected",
                self.flag("connected"),
                &[],
                &[],
            ),
            one("switch", "_power", self.flag("power"), &["power"], &[]),
            one("select", "_input", self.text("input"), &["input"], &[]),
            one("number", "_volume", self.text("volume"), &["volume"], &[]),
            one(
                "switch",
                "_audio_mute",
                self.flag("audio_mute"),
                &["audio_mute"],
                &[],
            ),
            one(
                "binary_sensor",
                "_warming",
                "\"unknown\"".to_owned(),
                &[],
                &[],
            ),
            one("sensor", "_log", self.text("log"), &["log"], &[]),
            one(
                "button",
                "_freeze_frame",
                "\"unknown\"".to_owned(),
                &[],
                &[],
            ),
            one(
                "media_player",
                "",
                self.flag("power"),
                &["power"],
                &["volume", "audio_mute", "input"],
            ),
        ];
        Store(entities.into_iter().collect())
    }

    fn held(
        &self,
        domain: &str,
        suffix: &str,
        state: String,
        deciding: &[&str],
        more: &[&str],
    ) -> Held {
        let is_away = suffix != "_connected" && self.value("connected") == Some("false");
        let of = |names: &[&str]| -> Vec<&Written> {
            let names = ["connected"].iter().chain(names);
            names.filter_map(|name| self.0.get(*name)).collect()
        };
        let all = [deciding, more].concat();
        let changed = of(deciding)
            .into_iter()
            .max_by_key(|written| written.revision);
        let updated = of(&all).into_iter().max_by_key(|written| written.revision);
        let mut attributes = BTreeMap::new();
        let mut attribute = |name: &str, json: Option<&str>| {
            attributes.extend(json.map(|json| (name.to_owned(), json.to_owned())));
        };
        if domain == "media_player" {
            attribute(
                "volume_level",
                match self.value("volume") {
                    Some("0") => Some("0"),
                    Some("20") => Some("0.2"),
                    Some("100" | "1e400") => Some("1"),
                    _ => None,
                },
            );
            let mute = self.value("audio_mute").filter(|mute| *mute != "7");
            attribute("is_volume_muted", mute);
            attribute("source", self.value("input"));
        }
        if domain == "sensor" {
            let is_cut = |json: &&str| json.starts_with(['[', '{', '"']);
            attribute("value", self.value("log").filter(is_cut));
        }
        let never = || "0.000000".to_owned();
        Held {
            state: if is_away {
                "\"unavailable\"".to_owned()
            } else {
                state
            },
            attributes,
            context: updated.map_or_else(|| context_id(0), |written| written.context.clone()),
            user: updated.and_then(|written| written.user.clone()),
            changed: changed.map_or_else(never, |written| written.at.clone()),
            updated: updated.map_or_else(never, |written| written.at.clone()),
        }
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
