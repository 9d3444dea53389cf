//! Events written once for all who follow them.

use sha2::{Digest as _, Sha256};

use crate::dialects::platypush::Form;
use crate::dialects::platypush::actions::entity::{Entity, plugin_name};
use crate::dialects::platypush::call_shape::put_call;
use crate::dialects::platypush::message::{hex_id, put_event, put_json, seconds, shown_event};
use crate::dialects::{Encoded, Surroundings};
use crate::model::{BindingPath, Cause, Event, Newest, Revision, Timestamp};

/// The type of what is told of a status.
const ENTITY_UPDATE: &str = "platypush.message.event.entities.EntityUpdateEvent";

/// Writes an event in a form. What a form has no words for is not written.
pub(in crate::dialects) fn encode(
    form: Form,
    event: &Event,
    _: &Newest,
    surroundings: &Surroundings,
    out: &mut Encoded,
) {
    match (form, event) {
        (Form::Bus, Event::Bus(event)) => {
            out.frame(b"", |out| shown_event(event, out));
        }
        (
            Form::Status,
            Event::Value {
                path,
                value,
                at,
                cause,
                revision,
                ..
            },
        ) => {
            if is_news(cause) {
                let entity = Entity {
                    path,
                    plugin: &plugin_name(&surroundings.platypush, &path.module),
                    value: value.as_ref(),
                    at: *at,
                };
                let id = format!("\"{}\"", event_id(path, *at, *revision));
                out.frame(b"", |out| {
                    put_event(&id, &seconds(*at), ENTITY_UPDATE, out, |out| {
                        out.extend_from_slice(b",\"entity\":");
                        put_json(&entity, out);
                    });
                });
            }
        }
        (Form::Call, Event::Call(news)) => {
            out.frame(b"", |out| put_call(news, &surroundings.platypush, out));
        }
        (
            Form::Bus | Form::Status | Form::Call | Form::Session,
            Event::Value { .. }
            | Event::Entry { .. }
            | Event::Line(_)
            | Event::Bus(_)
            | Event::Call(_)
            | Event::Topic(_)
            | Event::Message(_),
        ) => {}
    }
}

/// Whether a value is news, and not what a new follower finds.
fn is_news(cause: &Cause) -> bool {
    match cause {
        Cause::Module | Cause::Act(_) | Cause::Store | Cause::Building => true,
        Cause::Follow => false,
    }
}

/// The id of an event about a status: the same for all who follow it here.
fn event_id(path: &BindingPath, at: Timestamp, revision: Revision) -> String {
    let said = format!("{}\n{}\n{}\n{}", path.module, path.status, at.0, revision.0);
    let digest = Sha256::digest(said.as_bytes());
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    hex_id(u128::from_be_bytes(first))
}
