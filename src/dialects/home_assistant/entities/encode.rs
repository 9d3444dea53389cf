//! Events as messages: what each changes of the entities that its status is in.
//!
//! A follower may be behind, and then gets the newest event of each status with the value that it had before, in any order.
//! So a change says all that follows from its own status: the state whole, if that has a say in it, and the attributes that are made of it.
//! Moments and contexts are those of the whole entity as it is now, so that the last change told leaves the right ones.

use std::sync::Arc;

use crate::dialects::home_assistant::Form;
use crate::dialects::{Encoded, Surroundings};
use crate::model::{BusEvent, Event, JsonText, Newest, StatusName, Timestamp};

use super::context::{Context, put, write_moment, write_seconds, write_text};
use super::entity::{Entity, Moments};
use super::known::{Fact, Known};
use super::module::ModuleEntities;

/// Writes an event but for the id of the subscription, which stands behind `"id":`.
pub(in crate::dialects) fn encode(
    form: Form,
    event: &Event,
    newest: &Newest,
    surroundings: &Surroundings,
    out: &mut Encoded,
) {
    let module = || match event {
        Event::Value { path, .. } => surroundings.home_assistant.module(&path.module),
        Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => None,
    };
    match form {
        Form::Entities { window, mask } => {
            if let Some(change) = Change::new(module(), event, newest) {
                change.encode_compressed(window, mask, out);
            }
        }
        Form::StateChanged { window, mask } => {
            if let Some(change) = Change::new(module(), event, newest) {
                for entity in change.module.touched(change.status, window, mask) {
                    frame(out, |out| {
                        write_state_changed(entity, event, newest, out);
                    });
                }
            }
        }
        Form::Bus => {
            if let Event::Bus(event) = event {
                frame(out, |out| write_bus_event(event, out));
            }
        }
        Form::Session => {}
    }
}

/// A frame `event` of a subscription.
fn frame(out: &mut Encoded, write: impl FnOnce(&mut Vec<u8>)) {
    out.frame(b"{\"id\":", |out| {
        out.extend_from_slice(b",\"type\":\"event\",\"event\":");
        write(out);
        out.push(b'}');
    });
}

/// A value of a status and what it changes.
struct Change<'a> {
    module: &'a Arc<ModuleEntities>,
    status: &'a StatusName,
    value: Option<&'a JsonText>,
    old: Option<&'a JsonText>,
    /// With it.
    known: Known<'a>,
    /// Without it, if it is not known whether it has been told.
    before: Option<Known<'a>>,
}

impl<'a> Change<'a> {
    fn new(
        module: Option<&'a Arc<ModuleEntities>>,
        event: &'a Event,
        newest: &'a Newest,
    ) -> Option<Self> {
        let Event::Value {
            path,
            value,
            old,
            revision,
            ..
        } = event
        else {
            return None;
        };
        let before = Known::of_newest(newest);
        let earlier = before.fact(&path.status);
        // What is told late stands among the newest already.
        let is_late = earlier.is_some_and(|earlier: Fact<'_>| earlier.revision >= *revision);
        Some(Self {
            module: module?,
            status: &path.status,
            value: value.as_ref(),
            old: old.as_ref(),
            known: Known::with(newest, event),
            before: (!is_late).then_some(before),
        })
    }

    fn encode_compressed(&self, window: u8, mask: u64, out: &mut Encoded) {
        let touched = || self.module.touched(self.status, window, mask);
        if touched().next().is_none() {
            return;
        }
        let mut with_later_updates = Vec::new();
        frame(out, |out| {
            out.extend_from_slice(b"{\"c\":{");
            for (place, entity) in touched().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                let moments = entity.moments(&self.known);
                self.write(entity, &moments, out);
                if entity.is_decided_by(self.status) && moments.updated > moments.changed {
                    with_later_updates.push((entity, moments.updated));
                }
            }
            out.extend_from_slice(b"}}");
        });
        if with_later_updates.is_empty() {
            return;
        }
        // `lc` sets both moments, so a later update is said behind it: only where an event is told late.
        frame(out, |out| {
            out.extend_from_slice(b"{\"c\":{");
            for (place, (entity, at)) in with_later_updates.into_iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_text(out, &entity.id);
                out.extend_from_slice(b":{\"+\":{\"lu\":");
                write_seconds(out, at);
                out.extend_from_slice(b"}}");
            }
            out.extend_from_slice(b"}}");
        });
    }

    fn write(&self, entity: &Entity, moments: &Moments<'_>, out: &mut Vec<u8>) {
        write_text(out, &entity.id);
        out.extend_from_slice(b":{\"+\":{");
        let decides = entity.is_decided_by(self.status);
        if decides {
            put(
                out,
                format_args!("\"s\":{},", entity.state(&self.known).json()),
            );
        }
        let gone = self.write_attributes(entity, out);
        out.extend_from_slice(b"\"c\":");
        let before = self.before.as_ref().map(|before| entity.moments(before));
        let before = before.filter(|before| before.are_all_known);
        let before = before.map(|before| before.context);
        moments.context.write_change(before, out);
        let (name, at): (_, Timestamp) = match decides {
            true => ("lc", moments.changed),
            false => ("lu", moments.updated),
        };
        put(out, format_args!(",\"{name}\":"));
        write_seconds(out, at);
        out.push(b'}');
        if !gone.is_empty() {
            put(
                out,
                format_args!(",\"-\":{{\"a\":[\"{}\"]}}", gone.join("\",\"")),
            );
        }
        out.push(b'}');
    }

    /// Writes the attributes that are new or others, and gives the names of those that are gone.
    fn write_attributes(&self, entity: &Entity, out: &mut Vec<u8>) -> Vec<&'static str> {
        let mut gone = Vec::new();
        let mut count = 0;
        let of_status = |name: &&StatusName| *name == self.status;
        let attributes = entity.attributes.iter();
        for attribute in attributes.filter(|attribute| of_status(&&attribute.status)) {
            let old = attribute.of(self.old);
            match attribute.of(self.value) {
                Some(json) if old.as_ref() == Some(&json) => {}
                Some(json) => {
                    let before = if count == 0 { "\"a\":{" } else { "," };
                    put(out, format_args!("{before}\"{}\":{json}", attribute.name));
                    count += 1;
                }
                None if old.is_some() => gone.push(attribute.name),
                None => {}
            }
        }
        if count > 0 {
            out.extend_from_slice(b"},");
        }
        gone
    }
}

/// An event `state_changed` of one entity, as it stands in a frame.
pub fn write_state_changed(entity: &Entity, event: &Event, newest: &Newest, out: &mut Vec<u8>) {
    let known = Known::with(newest, event);
    let before = Known::before(newest, event);
    out.extend_from_slice(b"{\"event_type\":\"state_changed\",\"data\":{\"entity_id\":");
    write_text(out, &entity.id);
    out.extend_from_slice(b",\"old_state\":");
    entity.write_state(&before, out);
    out.extend_from_slice(b",\"new_state\":");
    entity.write_state(&known, out);
    let moments = entity.moments(&known);
    out.push(b'}');
    write_rest(out, moments.updated, &moments.context);
}

/// What was announced by name, as it stands in a frame. Data that are no object become the member `value` of one.
pub fn write_bus_event(event: &BusEvent, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event_type\":");
    write_text(out, &event.name);
    out.extend_from_slice(b",\"data\":");
    match event.data.as_str().as_bytes().first() {
        Some(b'{') => out.extend_from_slice(event.data.as_str().as_bytes()),
        Some(b'n') | None => out.extend_from_slice(b"{}"),
        Some(_) => put(out, format_args!("{{\"value\":{}}}", event.data)),
    }
    write_rest(out, event.at, &Context::of_act(&event.act));
}

/// What stands at the end of every event.
fn write_rest(out: &mut Vec<u8>, at: Timestamp, context: &Context<'_>) {
    out.extend_from_slice(b",\"origin\":\"LOCAL\",\"time_fired\":");
    write_moment(out, at);
    out.extend_from_slice(b",\"context\":");
    context.write(out);
    out.push(b'}');
}
