//! A form for tests of the server: an event as JSON with all that it says, so that a test sees what no dialect writes.

use std::io::Write as _;

use crate::dialects::Encoded;
use crate::model::{Event, JsonText, MessageNews, Newest, Presence, TopicEvent};

/// Writes an event. `others` are the values of the followed module that are known beside it.
pub(super) fn encode(event: &Event, newest: &Newest, out: &mut Encoded) {
    let json = |value: &Option<JsonText>| {
        let value = value.as_ref().map_or("null", JsonText::as_str);
        value.to_owned()
    };
    let is_there = |presence: &Presence| (*presence == Presence::Present).to_string();
    let (key, old, new) = match event {
        Event::Value {
            path, old, value, ..
        } => (path.status.to_string(), json(old), json(value)),
        Event::Entry { id, old, new, .. } => (id.to_string(), is_there(old), is_there(new)),
        Event::Line(line) => (line.module.to_string(), json(&None), json(&None)),
        Event::Bus(event) => (event.name.to_string(), json(&None), event.data.to_string()),
        Event::Call(news) => (format!("{:?}", news.call.target), json(&None), json(&None)),
        Event::Topic(news) => {
            let text = match &news.event {
                TopicEvent::Message { message, .. } => message.to_string(),
                TopicEvent::Joined { member, .. } => format!("{{\"joined\":{:?}}}", member.user),
                TopicEvent::Left { user } => format!("{{\"left\":{user:?}}}"),
                TopicEvent::Count(count) => count.to_string(),
            };
            (news.topic.to_string(), json(&None), text)
        }
        Event::Message(news) => match &**news {
            MessageNews::Sent(message) => {
                let text = JsonText::of(&message.notice.text).expect("a text is JSON");
                (message.service.to_string(), json(&None), text.to_string())
            }
            MessageNews::Subscribed {
                device, is_active, ..
            } => (device.to_string(), json(&None), is_active.to_string()),
            MessageNews::Missed => (String::new(), json(&None), json(&None)),
        },
    };
    let others: Vec<String> = newest
        .events()
        .filter_map(|(_, event)| match event {
            Event::Value {
                path,
                value: Some(value),
                ..
            } if path.status.as_str() != key => {
                Some(format!("[{:?},{value}]", path.status.as_str()))
            }
            Event::Value { .. }
            | Event::Entry { .. }
            | Event::Line(_)
            | Event::Bus(_)
            | Event::Call(_)
            | Event::Topic(_)
            | Event::Message(_) => None,
        })
        .collect();
    let others = others.join(",");
    out.frame(b"{\"id\":", |out| {
        let rest = write!(
            out,
            ",\"key\":{key:?},\"old\":{old},\"new\":{new},\"others\":[{others}]}}"
        );
        rest.expect("a vector takes every byte");
    });
}
