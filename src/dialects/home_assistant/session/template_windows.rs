//! What a template may ask of the building: states of entities, and the time.
//!
//! It answers from what is known, and notes what was asked: so the session learns what to watch.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::dialects::home_assistant::entities::{Entity, Known, View};
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::session::watched::Watched;
use crate::expressions::{Refusal, Value, Windows};
use crate::model::JsonText;

/// The functions that a template may call.
pub(super) const FUNCTIONS: [&str; 4] = ["is_state", "now", "state_attr", "states"];

/// What a template asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Entities, whether they are there or not.
    pub(super) entities: BTreeSet<Box<str>>,
    /// The time.
    pub(super) time: bool,
}

/// What a template sees while it is rendered.
pub(super) struct Sight<'s> {
    view: &'s View,
    watched: &'s Watched,
    /// In Unix seconds.
    now: u64,
    entities: RefCell<BTreeSet<Box<str>>>,
    time: Cell<bool>,
}

impl<'s> Sight<'s> {
    pub(super) fn new(view: &'s View, watched: &'s Watched, now: u64) -> Self {
        Self {
            view,
            watched,
            now,
            entities: RefCell::default(),
            time: Cell::new(false),
        }
    }

    /// What was asked for.
    pub(super) fn asked(self) -> Asked {
        Asked {
            entities: self.entities.into_inner(),
            time: self.time.get(),
        }
    }

    /// The entity of an argument, if it is there.
    fn entity(&self, id: Option<&Value>) -> Result<Option<(&Entity, Known<'_>)>, Refusal> {
        let Some(id) = id.and_then(Value::as_text) else {
            return Err(Refusal(
                "takes the id of an entity in quotes first".to_owned(),
            ));
        };
        let mut entities = self.entities.borrow_mut();
        if !entities.contains(id) {
            if entities.len() == limits::TEMPLATE_ENTITIES_MAX {
                let most = limits::TEMPLATE_ENTITIES_MAX;
                return Err(Refusal(format!(
                    "a template asks for at most {most} entities; let it ask for fewer"
                )));
            }
            if id.len() > limits::ENTITY_ID_MAX_BYTES {
                return Err(Refusal(
                    "no entity has an id as long as this one".to_owned(),
                ));
            }
            entities.insert(Box::from(id));
        }
        Ok(self.watched.entity(self.view, id))
    }

    fn state(&self, id: Option<&Value>) -> Result<Value, Refusal> {
        Ok(match self.entity(id)? {
            Some((entity, known)) => value_of(entity.state(&known).json()),
            None => Value::from("unknown"),
        })
    }

    fn attribute(&self, id: Option<&Value>, name: &Value) -> Result<Value, Refusal> {
        let Some((entity, known)) = self.entity(id)? else {
            return Ok(Value::Null);
        };
        let mut json = Vec::new();
        entity.write_attributes(&known, &mut json);
        let json = String::from_utf8(json).expect("attributes are JSON");
        let found = match (value_of(&json), name) {
            (Value::Object(attributes), Value::Text(name)) => attributes.get(name).cloned(),
            (_, _) => None,
        };
        Ok(found.unwrap_or(Value::Null))
    }
}

impl Windows for Sight<'_> {
    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, Refusal> {
        let id = arguments.first();
        match (function, arguments) {
            ("states", [_]) => self.state(id),
            ("state_attr", [_, name]) => self.attribute(id, name),
            ("is_state", [_, wanted]) => {
                let state = self.state(id)?;
                let is_so = if let Value::List(any) = wanted {
                    any.contains(&state)
                } else {
                    *wanted == state
                };
                Ok(Value::from(is_so))
            }
            ("now", []) => {
                self.time.set(true);
                Ok(Value::from(moment(self.now)))
            }
            ("states", _) => Err(Refusal("takes the id of one entity".to_owned())),
            ("state_attr", _) => Err(Refusal(
                "takes the id of an entity and the name of an attribute".to_owned(),
            )),
            ("is_state", _) => Err(Refusal(
                "takes the id of an entity and a state, or a list of states".to_owned(),
            )),
            (_, _) => Err(Refusal("takes no arguments".to_owned())),
        }
    }
}

/// A value of JSON that this dialect has written.
fn value_of(json: &str) -> Value {
    JsonText::parse(json).map_or(Value::Null, |json| Value::of_json(&json))
}

/// A moment as Python prints it.
fn moment(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%d %H:%M:%S+00:00").to_string()
}
