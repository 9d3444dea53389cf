//! Events written once for all who follow them, and the same values for the client that has just come.

use std::sync::Arc;

use serde::Serialize;

use crate::dialects::pusher::channel::{Access, Channel, is_protocol_event};
use crate::dialects::pusher::firings::put_firing;
use crate::dialects::pusher::frames::{self, json, message, put_event};
use crate::dialects::pusher::room::Room;
use crate::dialects::pusher::{Form, ValueForm};
use crate::dialects::{Encoded, Surroundings};
use crate::model::{
    BindingPath, BusEvent, Event, JsonText, LogLine, Newest, Timestamp, TopicEvent, TopicNews,
};

/// The event of a status in its own channel.
const STATUS: &str = "status";

/// The event of a module that is connected, or is no more, in the channel of its system.
const CONNECTED: &str = "module.connected";

/// The event of a line of a log.
const LINE: &str = "debug";

/// A value of a status, as an event has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'e> {
    /// The status.
    pub(super) path: &'e BindingPath,
    /// The value; `None` where there is none any more.
    pub(super) value: Option<&'e JsonText>,
    /// When it came.
    pub(super) at: Timestamp,
}

impl<'e> Said<'e> {
    /// The value that an event has, if it is one of a value.
    pub(super) fn of(event: &'e Event) -> Option<Self> {
        match event {
            Event::Value {
                path, value, at, ..
            } => Some(Self {
                path,
                value: value.as_ref(),
                at: *at,
            }),
            Event::Entry { .. }
            | Event::Line(_)
            | Event::Bus(_)
            | Event::Call(_)
            | Event::Topic(_)
            | Event::Message(_) => None,
        }
    }
}

/// Whether a value is what the client finds when it comes, or news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It was there before.
    Snapshot,
    /// It is new.
    News,
}

/// Writes an event in a form. What a form has no words for is not written.
pub(in crate::dialects) fn encode(
    form: Form,
    event: &Event,
    _: &Newest,
    surroundings: &Surroundings,
    out: &mut Encoded,
) {
    let mut frame = Vec::new();
    match (form, event) {
        (Form::Topic, Event::Topic(news)) => put_news(news, &mut frame),
        (Form::Bus, Event::Bus(event)) => put_announced(event, &mut frame),
        (Form::Triggers, Event::Value { .. }) => {
            put_firing(event, &surroundings.building, &mut frame);
        }
        (form, event) => {
            if let Some(said) = Said::of(event) {
                put_value(form, said, Told::News, &mut frame);
            }
        }
    }
    if !frame.is_empty() {
        out.frame(b"", |out| out.extend_from_slice(&frame));
    }
}

/// A value as a message, as it stands in the status's own channel.
pub(super) fn value_message(said: Said<'_>, values: ValueForm) -> JsonText {
    message(STATUS, &value_data(said, values, None, None), None)
}

/// Writes a value in a form of statuses.
pub(super) fn put_value(form: Form, said: Said<'_>, told: Told, out: &mut Vec<u8>) {
    let own = |room: fn(Arc<BindingPath>) -> Room| room(Arc::new(said.path.clone())).channel();
    match form {
        Form::Status(values) => {
            let data = value_data(said, values, None, None);
            put_event(STATUS, Some(&own(Room::Status)), &data, out);
        }
        Form::PublicStatus(values) => {
            let data = value_data(said, values, None, None);
            put_event(STATUS, Some(&own(Room::PublicStatus)), &data, out);
        }
        Form::Module(values) => {
            let name = said.path.status.as_str();
            if is_protocol_event(name) {
                return;
            }
            let channel = Room::Module(Arc::new(said.path.module.clone())).channel();
            let is_snapshot = (told == Told::Snapshot).then_some(true);
            let hashed = Room::Status(Arc::new(said.path.clone())).hashed_channel();
            let data = value_data(said, values, is_snapshot, hashed);
            put_event(name, Some(&channel), &data, out);
        }
        Form::System => {
            let channel = Room::System(said.path.module.system.clone()).channel();
            let data = connected_data(said, told);
            put_event(CONNECTED, Some(&channel), &data, out);
        }
        // Where a trigger stands when a client comes is no firing.
        Form::Triggers => {}
        Form::Topic | Form::Bus | Form::Session => {}
    }
}

/// A value with what it is the value of.
fn value_data(
    said: Said<'_>,
    values: ValueForm,
    snapshot: Option<bool>,
    channel: Option<String>,
) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        value: Option<&'a JsonText>,
        sys: &'a str,
        r#mod: &'a str,
        index: u32,
        name: &'a str,
        /// In milliseconds.
        at: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        snapshot: Option<bool>,
        /// The status's own channel, where its name cannot be told from the status.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
    }
    if values == ValueForm::Raw {
        let value = said.value.map_or("null", JsonText::as_str);
        return value.to_owned();
    }
    let BindingPath { module, status } = said.path;
    json(&Data {
        value: said.value,
        sys: module.system.as_str(),
        r#mod: module.module.as_str(),
        index: module.index.get(),
        name: status.as_str(),
        at: milliseconds(said.at),
        snapshot,
        channel,
    })
}

fn connected_data(said: Said<'_>, told: Told) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        connected: Option<&'a JsonText>,
        sys: &'a str,
        r#mod: &'a str,
        index: u32,
        at: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        snapshot: Option<bool>,
    }
    let module = &said.path.module;
    json(&Data {
        connected: said.value,
        sys: module.system.as_str(),
        r#mod: module.module.as_str(),
        index: module.index.get(),
        at: milliseconds(said.at),
        snapshot: (told == Told::Snapshot).then_some(true),
    })
}

fn milliseconds(at: Timestamp) -> u64 {
    at.0 / 1_000
}

/// Writes what happened to a topic, in its channel.
pub(super) fn put_news(news: &TopicNews, out: &mut Vec<u8>) {
    let name = news.topic.channel();
    match &news.event {
        TopicEvent::Message { message, .. } => frames::put_message(name, message, out),
        TopicEvent::Joined { member, .. } => frames::put_joined(name, member, out),
        TopicEvent::Left { user } => frames::put_left(name, user, out),
        TopicEvent::Count(count) => {
            // Members are counted by the clients themselves.
            let access = Channel::named(name).map(|channel| channel.access());
            if access != Some(Access::Presence) {
                frames::put_count(name, *count, out);
            }
        }
    }
}

/// What is announced by the name of an event of the protocol is none, and is not passed on.
fn put_announced(event: &BusEvent, out: &mut Vec<u8>) {
    if !is_protocol_event(&event.name) {
        let channel = Room::Events.channel();
        put_event(&event.name, Some(&channel), event.data.as_str(), out);
    }
}

/// Writes a line of a log, in a channel that shows it.
pub(super) fn put_line(channel: &str, line: &LogLine, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Data<'a> {
        module: &'a str,
        driver: &'a str,
        level: &'a str,
        message: &'a str,
    }
    let data = json(&Data {
        module: line.module.as_str(),
        driver: &line.driver,
        level: line.level.as_str(),
        message: &line.message,
    });
    put_event(LINE, Some(channel), &data, out);
}
