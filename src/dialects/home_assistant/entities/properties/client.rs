//! A client of `subscribe_entities`: what it puts together from `a` and `c`, as the JavaScript library does.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialects::Encoded;
use crate::dialects::home_assistant::View;
use crate::model::Newest;

use super::super::Known;
use super::super::testing::written;

/// An entity as a client has it. Attributes that do not change are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Held {
    pub(super) state: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) context: String,
    pub(super) user: Option<String>,
    pub(super) changed: String,
    pub(super) updated: String,
}

/// What a client has put together, as the JavaScript library does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Store(pub(super) BTreeMap<String, Held>);

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
            let context: serde_json::Value = serde_json::from_str(context.get()).unwrap();
            let id = context
                .as_str()
                .or(context.get("id").and_then(|id| id.as_str()));
            if let Some(id) = id {
                self.context = id.to_owned();
            }
            if let Some(user) = context.get("user_id") {
                self.user = user.as_str().map(str::to_owned);
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
    pub(super) fn take(&mut self, encoded: &Encoded) {
        for (head, tail) in encoded.frames() {
            let frame = String::from_utf8([head, b"4", tail].concat()).unwrap();
            let frame: Frame = serde_json::from_str(&frame).unwrap();
            for (id, change) in frame.event.c {
                self.0.get_mut(&id).expect("it was added").apply(change);
            }
        }
    }

    /// What `a` says of everything.
    pub(super) fn added(view: &View, newest: &Newest) -> Self {
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
