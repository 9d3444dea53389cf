//! One entity: what is fixed about it, what its state and attributes are made of, and how it is written.

use std::sync::Arc;

use crate::model::{JsonText, ModulePath, StatusName, Timestamp};

use super::context::{Context, put, write_moment, write_seconds, write_text};
use super::domain::Domain;
use super::face::{Face, Shows};
use super::known::{Fact, Known, connected};
use super::limits::WINDOW;
use super::state_text::StateText;

/// A face of one or several statuses of a module.
#[derive(Debug, PartialEq)]
pub struct Entity {
    /// Its id: `switch.board_room_display_1_power`.
    pub id: Arc<str>,
    /// The first part of the id.
    pub domain: Domain,
    /// What people call it: `Display 1 power`.
    pub name: Arc<str>,
    /// What people call it where the module is named already: `Power`; `None` for the one that is the module's own face.
    pub short_name: Option<Arc<str>>,
    /// The same after every restart and on every node, whatever the room is called.
    pub unique_id: Arc<str>,
    /// The module as a device.
    pub device_id: Arc<str>,
    /// The system as an area.
    pub area_id: Arc<str>,
    /// What kind of thing it tells of.
    pub device_class: Option<Arc<str>>,
    /// The unit of its state.
    pub unit: Option<Arc<str>>,
    /// Whether it is beside the point of its device.
    pub category: Option<Category>,
    /// Where its module stands.
    pub path: Arc<ModulePath>,
    pub(super) key: Key,
    pub(super) place: u32,
    pub(super) face: Face,
    pub(super) deciding: Vec<StatusName>,
    pub(super) attributes: Vec<Attribute>,
    /// The attributes that do not change, as the members of a JSON object.
    pub(super) fixed: Box<str>,
}

/// Why an entity is beside the point of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// It tells how the device is.
    Diagnostic,
    /// It is for those who set the device up.
    Config,
}

impl Category {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic",
            Self::Config => "config",
        }
    }
}

/// What tells an entity from the others of its module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) domain: Domain,
    /// A status, a function, or nothing for the face of the whole module.
    pub(super) of: Arc<str>,
}

/// An attribute that is made of one status alone: so that changes merged by status add up to the right attributes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) status: StatusName,
    pub(super) shows: Shows,
}

impl Attribute {
    /// As JSON; `None` while there is none.
    pub(super) fn of<'a>(&self, value: Option<&'a JsonText>) -> Option<std::borrow::Cow<'a, str>> {
        self.shows.of(value.filter(|value| !value.is_null())?)
    }
}

/// What a press changes of a button: its state before and after it, as JSON.
#[derive(Debug)]
pub struct Press {
    /// Before.
    pub old: String,
    /// After.
    pub new: String,
}

/// When an entity changed last, and in the course of what.
pub(super) struct Moments<'a> {
    /// When its state did.
    pub(super) changed: Timestamp,
    /// When anything of it did.
    pub(super) updated: Timestamp,
    pub(super) context: Context<'a>,
    /// Whether something is known of all its statuses.
    pub(super) are_all_known: bool,
}

impl Entity {
    /// Its place among the entities of its module; it stays while the process lives, unless the module's driver or interface changes.
    pub fn place(&self) -> u32 {
        self.place
    }

    /// Where a [`Form`](super::super::Form) has it: which window, and which bit in it.
    pub fn window(&self) -> (u8, u64) {
        let window = self.place / WINDOW;
        let window = u8::try_from(window).expect("a module has at most 256 windows of entities");
        (window, 1 << (self.place % WINDOW))
    }

    /// The state.
    pub fn state<'a>(&self, known: &Known<'a>) -> StateText<'a> {
        self.face.state(known)
    }

    /// The attributes as a JSON object.
    pub fn write_attributes(&self, known: &Known<'_>, out: &mut Vec<u8>) {
        put(out, format_args!("{{{}", self.fixed));
        for attribute in &self.attributes {
            if let Some(json) = attribute.of(known.value(&attribute.status)) {
                put(out, format_args!(",\"{}\":{json}", attribute.name));
            }
        }
        out.push(b'}');
    }

    /// The whole of it as `get_states` and `state_changed` have it.
    pub fn write_state(&self, known: &Known<'_>, out: &mut Vec<u8>) {
        let moments = self.moments(known);
        out.extend_from_slice(b"{\"entity_id\":");
        write_text(out, &self.id);
        put(out, format_args!(",\"state\":{}", self.state(known).json()));
        out.extend_from_slice(b",\"attributes\":");
        self.write_attributes(known, out);
        out.extend_from_slice(b",\"last_changed\":");
        write_moment(out, moments.changed);
        out.extend_from_slice(b",\"last_reported\":");
        write_moment(out, moments.updated);
        out.extend_from_slice(b",\"last_updated\":");
        write_moment(out, moments.updated);
        out.extend_from_slice(b",\"context\":");
        moments.context.write(out);
        out.push(b'}');
    }

    /// The whole of it without its id, as `subscribe_entities` adds it.
    pub fn write_compressed(&self, known: &Known<'_>, out: &mut Vec<u8>) {
        let moments = self.moments(known);
        put(
            out,
            format_args!("{{\"s\":{},\"a\":", self.state(known).json()),
        );
        self.write_attributes(known, out);
        out.extend_from_slice(b",\"c\":");
        moments.context.write_short(out);
        out.extend_from_slice(b",\"lc\":");
        write_seconds(out, moments.changed);
        if moments.updated != moments.changed {
            out.extend_from_slice(b",\"lu\":");
            write_seconds(out, moments.updated);
        }
        out.push(b'}');
    }

    /// What a press at this moment changes, as `subscribe_entities` tells it.
    pub fn write_press(&self, at: Timestamp, context: &Context<'_>, out: &mut Vec<u8>) {
        let state = self.state(&Known::nothing());
        put(out, format_args!("{{\"s\":{},\"c\":", state.json()));
        context.write(out);
        out.extend_from_slice(b",\"lc\":");
        write_seconds(out, at);
        out.push(b'}');
    }

    /// The same button by another name remembers when it was pressed.
    pub(super) fn remembering(self, before: &Self) -> Self {
        let face = match (&self.face, &before.face) {
            (Face::Button(now), Face::Button(was)) if now.function == was.function => {
                Face::Button(was.clone())
            }
            (face, _) => face.clone(),
        };
        Self { face, ..self }
    }

    /// It was pressed at this moment; only a button remembers that. Writes what that changes of it, as the data of an event `state_changed` has it.
    /// The call has just succeeded, so the module can be reached.
    pub fn press(&self, at: Timestamp) -> Option<Press> {
        let Face::Button(button) = &self.face else {
            return None;
        };
        let whole = || {
            let mut state = Vec::new();
            self.write_state(&Known::nothing(), &mut state);
            String::from_utf8(state).expect("a state is JSON")
        };
        let old = whole();
        button.pressed.note(at);
        Some(Press { old, new: whole() })
    }

    /// Whether it says another thing when this status does.
    pub fn is_made_of(&self, status: &StatusName) -> bool {
        status.is_connected() || self.statuses().any(|it| it == status)
    }

    /// Whether a status has a say in its state.
    pub(super) fn is_decided_by(&self, status: &StatusName) -> bool {
        status.is_connected() || self.deciding.contains(status)
    }

    /// Every status that it is made of, `connected` among them.
    pub(super) fn statuses(&self) -> impl Iterator<Item = &StatusName> {
        let of_attributes = self.attributes.iter().map(|attribute| &attribute.status);
        self.deciding.iter().chain(of_attributes)
    }

    pub(super) fn moments<'a>(&self, known: &Known<'a>) -> Moments<'a> {
        let connected = known.fact(connected());
        let mut latest = connected;
        let mut are_all_known = connected.is_some();
        let mut changed = connected.map_or(Timestamp(0), |fact| fact.at);
        let mut updated = changed;
        for (place, status) in self.statuses().enumerate() {
            let Some(fact) = known.fact(status) else {
                are_all_known = false;
                continue;
            };
            updated = updated.max(fact.at);
            if place < self.deciding.len() {
                changed = changed.max(fact.at);
            }
            let is_later = |latest: Fact<'_>| latest.revision < fact.revision;
            if latest.is_none_or(is_later) {
                latest = Some(fact);
            }
        }
        if let Face::Button(button) = &self.face
            && let Some(pressed) = button.pressed.at()
        {
            changed = changed.max(pressed);
            updated = updated.max(pressed);
        }
        let context = match &latest {
            Some(fact) => Context::of_fact(fact),
            None => Context { id: 0, user: None },
        };
        Moments {
            changed,
            updated,
            context,
            are_all_known,
        }
    }
}
