//! The bodies of answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::dialects::pusher::channel::Access;
use crate::dialects::pusher::channel::Channel;
use crate::dialects::pusher::encode::{Said, value_message};
use crate::dialects::pusher::rest::attributes::{Attribute, Attributes};
use crate::dialects::pusher::rest::trigger::{Counted, TriggerReply};
use crate::dialects::pusher::{ValueForm, limits};
use crate::model::{ChannelApp, Event, JsonText, Occupancy, TopicId};

/// How the channels of internal topics begin, and those of single users. Servers are not told of them.
const INTERNAL: char = '#';

/// A message as it is kept.
#[derive(Deserialize)]
struct Kept {
    data: String,
}

/// The last event of a cache channel.
#[derive(Serialize)]
struct Cached<'a> {
    data: &'a str,
    ttl: u64,
}

impl TriggerReply {
    /// The body, from the counts of [`topics`](Self::topics) in their order.
    pub fn answer(&self, counts: &[Occupancy]) -> String {
        let mut counts = counts.iter().copied();
        let mut next = || counts.next().unwrap_or_default();
        match self {
            Self::Accepted => String::new(),
            Self::Channels(channels) if channels.is_empty() => "{}".to_owned(),
            Self::Channels(channels) => {
                let channels = channels
                    .iter()
                    .map(|counted| (counted.topic.channel().to_owned(), counted.json(next())));
                let channels: Map<String, Value> = channels.collect();
                json!({ "channels": channels }).to_string()
            }
            Self::Batch(batch) if batch.iter().all(Option::is_none) => "{}".to_owned(),
            Self::Batch(batch) => {
                let batch = batch.iter().map(|counted| match counted {
                    Some(counted) => counted.json(next()),
                    None => json!({}),
                });
                json!({ "batch": batch.collect::<Vec<_>>() }).to_string()
            }
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Accepted => 202,
            Self::Channels(_) | Self::Batch(_) => 200,
        }
    }
}

impl Counted {
    fn json(&self, occupancy: Occupancy) -> Value {
        let has_users = Channel::named(self.topic.channel())
            .is_some_and(|channel| channel.access() == Access::Presence);
        let mut json = Map::new();
        if has_users && self.attributes.has(Attribute::UserCount) {
            add(&mut json, Attribute::UserCount, occupancy.users);
        }
        if self.attributes.has(Attribute::SubscriptionCount) {
            add(
                &mut json,
                Attribute::SubscriptionCount,
                occupancy.connections,
            );
        }
        Value::Object(json)
    }
}

fn add(json: &mut Map<String, Value>, attribute: Attribute, count: u64) {
    json.insert(attribute.as_str().to_owned(), count.into());
}

/// The channels that have a connection.
pub fn channels(found: &[(TopicId, Occupancy)], attributes: &Attributes) -> String {
    let found = found.iter().filter(|(topic, occupancy)| {
        occupancy.connections > 0 && !topic.channel().starts_with(INTERNAL)
    });
    let found = found.map(|(topic, occupancy)| {
        let mut json = Map::new();
        if attributes.has(Attribute::UserCount) {
            add(&mut json, Attribute::UserCount, occupancy.users);
        }
        (topic.channel().to_owned(), Value::Object(json))
    });
    let found: Map<String, Value> = found.collect();
    json!({ "channels": found }).to_string()
}

/// One channel; `last` is its last event and the seconds for which it is kept yet.
pub fn channel(
    attributes: &Attributes,
    occupancy: Occupancy,
    last: Option<&(JsonText, u64)>,
) -> String {
    let mut json = Map::new();
    let is_occupied = occupancy.connections > 0;
    json.insert("occupied".to_owned(), is_occupied.into());
    if attributes.has(Attribute::UserCount) {
        add(&mut json, Attribute::UserCount, occupancy.users);
    }
    if attributes.has(Attribute::SubscriptionCount) {
        add(
            &mut json,
            Attribute::SubscriptionCount,
            occupancy.connections,
        );
    }
    if attributes.has(Attribute::Cache) {
        let kept = last.and_then(|(message, ttl)| Some((message.to::<Kept>().ok()?, *ttl)));
        let cached = kept.as_ref().map(|(kept, ttl)| {
            let data = &kept.data;
            json!(Cached { data, ttl: *ttl })
        });
        json.insert(
            Attribute::Cache.as_str().to_owned(),
            cached.unwrap_or(Value::Null),
        );
    }
    Value::Object(json).to_string()
}

/// The last event of a channel that shows a status, from this value, and the seconds for which it is kept yet.
pub fn last_value(event: &Event, app: &ChannelApp) -> Option<(JsonText, u64)> {
    let said = Said::of(event).filter(|said| said.value.is_some())?;
    let message = value_message(said, ValueForm::of(app));
    Some((message, limits::VALUE_KEPT_SECS))
}

/// One channel in the words of 2012.
pub fn stats(access: Access, occupancy: Occupancy) -> String {
    let mut json = json!({ "occupied": occupancy.connections > 0 });
    if access == Access::Presence {
        json["user_count"] = occupancy.users.into();
    }
    json["connection_count"] = occupancy.connections.into();
    json.to_string()
}

/// The users of a presence channel.
pub fn users(users: &[Arc<str>]) -> String {
    let users: Vec<Value> = users.iter().map(|user| json!({ "id": &**user })).collect();
    json!({ "users": users }).to_string()
}

/// A notification was taken.
pub fn notified(id: &str) -> String {
    json!({ "id": id }).to_string()
}
