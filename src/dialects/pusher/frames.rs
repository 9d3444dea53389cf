//! What the server says: each frame is an object with the name of an event, and data that are a text.
//!
//! Errors alone have an object as their data, since libraries read them so.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::dialects::pusher::errors::ErrorCode;
use crate::model::{ClusterConnectionId, JsonText, Member};

/// What is published in a topic: what its frames say beside the channel.
#[derive(Serialize)]
struct Message<'a> {
    event: &'a str,
    data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

/// A message for those in a channel: an event, its data to the letter, and the member who published it, where it was one.
pub fn message(event: &str, data: &str, user_id: Option<&str>) -> JsonText {
    let message = Message {
        event,
        data,
        user_id,
    };
    JsonText::of(&message).expect("texts are always JSON")
}

/// A message for the topic of an app's signed-in users: the connections of this user are to be closed.
pub fn termination(user: &str) -> JsonText {
    let message = BTreeMap::from([("terminate", user)]);
    JsonText::of(&message).expect("texts are always JSON")
}

/// Whom a message in the topic of an app's signed-in users is about.
pub(super) fn terminated(message: &JsonText) -> Option<String> {
    let message: BTreeMap<String, String> = message.to().ok()?;
    message.get("terminate").cloned()
}

#[derive(Serialize)]
struct Frame<'a, D> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    data: D,
}

/// The data of an error.
#[derive(Serialize)]
struct Error<'a> {
    code: Option<u16>,
    message: &'a str,
}

/// Writes an event; what it has no channel for is about the connection.
pub(super) fn put_event(event: &str, channel: Option<&str>, data: &str, out: &mut Vec<u8>) {
    let frame = Frame {
        event,
        channel,
        data,
    };
    put_json(&frame, out);
}

/// Writes an error, with the channel that it is about.
pub(super) fn put_error(
    code: Option<ErrorCode>,
    message: &str,
    channel: Option<&str>,
    out: &mut Vec<u8>,
) {
    let code = code.map(ErrorCode::number);
    let frame = Frame {
        event: "pusher:error",
        channel,
        data: Error { code, message },
    };
    put_json(&frame, out);
}

/// Writes why a client is not in a channel, by an event of that channel.
pub(super) fn put_subscription_error(
    channel: &str,
    kind: &str,
    error: &str,
    status: u16,
    out: &mut Vec<u8>,
) {
    #[derive(Serialize)]
    struct Data<'a> {
        r#type: &'a str,
        error: &'a str,
        status: u16,
    }
    let data = json(&Data {
        r#type: kind,
        error,
        status,
    });
    put_event("pusher:subscription_error", Some(channel), &data, out);
}

/// Writes the first frame of a connection.
pub(super) fn put_established(
    socket: ClusterConnectionId,
    activity_timeout: Duration,
    out: &mut Vec<u8>,
) {
    #[derive(Serialize)]
    struct Data {
        socket_id: String,
        activity_timeout: u64,
    }
    let data = json(&Data {
        socket_id: socket.to_string(),
        // Clients take none for a broken handshake.
        activity_timeout: activity_timeout.as_secs().max(1),
    });
    put_event("pusher:connection_established", None, &data, out);
}

/// Writes that a client is in a channel.
pub(super) fn put_succeeded(channel: &str, data: &str, out: &mut Vec<u8>) {
    let event = "pusher_internal:subscription_succeeded";
    put_event(event, Some(channel), data, out);
}

/// Writes that nothing is kept of a channel.
pub(super) fn put_cache_miss(channel: &str, out: &mut Vec<u8>) {
    put_event("pusher:cache_miss", Some(channel), "{}", out);
}

/// Writes how many connections are in a channel.
pub(super) fn put_count(channel: &str, count: u64, out: &mut Vec<u8>) {
    let data = json(&BTreeMap::from([("subscription_count", count)]));
    let event = "pusher_internal:subscription_count";
    put_event(event, Some(channel), &data, out);
}

/// Writes a message that was [made](message) for a topic.
pub(super) fn put_message(channel: &str, message: &JsonText, out: &mut Vec<u8>) {
    let members = message.as_str().strip_prefix('{');
    let Some(members) = members.filter(|members| members.starts_with('"')) else {
        return;
    };
    out.extend_from_slice(b"{\"channel\":");
    put_json(&channel, out);
    out.push(b',');
    out.extend_from_slice(members.as_bytes());
}

/// Writes that a user has come into a channel.
pub(super) fn put_joined(channel: &str, member: &Member, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Data<'a> {
        user_id: &'a str,
        user_info: Option<&'a JsonText>,
    }
    let data = json(&Data {
        user_id: &member.user,
        user_info: member.info.as_ref(),
    });
    put_event("pusher_internal:member_added", Some(channel), &data, out);
}

/// Writes that a user has left a channel.
pub(super) fn put_left(channel: &str, user: &str, out: &mut Vec<u8>) {
    let data = json(&BTreeMap::from([("user_id", user)]));
    put_event("pusher_internal:member_removed", Some(channel), &data, out);
}

/// Who is in a channel, for the client that has just come into it.
pub(super) fn presence(members: &[Member]) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        presence: Presence<'a>,
    }
    #[derive(Serialize)]
    struct Presence<'a> {
        ids: Vec<&'a str>,
        hash: Infos<'a>,
        count: usize,
    }
    /// A member without info is there with `null`: left out, a client loses the member.
    struct Infos<'a>(&'a [Member]);
    impl Serialize for Infos<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(self.0.len()))?;
            for member in self.0 {
                map.serialize_entry(&*member.user, &member.info)?;
            }
            map.end()
        }
    }
    json(&Data {
        presence: Presence {
            ids: members.iter().map(|member| &*member.user).collect(),
            hash: Infos(members),
            count: members.len(),
        },
    })
}

/// A value as the text of its JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it has no keys that are not texts")
}

/// Writes a value as JSON.
pub(super) fn put_json(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("it has no keys that are not texts");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_data_as_text() {
        let said = message("a\"b", r#"{"n": 1.0}"#, None);
        assert_eq!(said.as_str(), r#"{"event":"a\"b","data":"{\"n\": 1.0}"}"#);
        let said = message("client-x", "1", Some("u-7"));
        let expected = r#"{"event":"client-x","data":"1","user_id":"u-7"}"#;
        assert_eq!(said.as_str(), expected);
    }

    #[test]
    fn a_message_is_written_beside_its_channel_and_anything_else_is_not() {
        let written = |message: &JsonText| {
            let mut out = Vec::new();
            put_message("a", message, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            written(&message("x", "1", None)),
            r#"{"channel":"a","event":"x","data":"1"}"#
        );
        for foreign in ["{}", "[1]", "1"] {
            assert_eq!(written(&JsonText::parse(foreign).unwrap()), "");
        }
    }

    #[test]
    fn a_termination_is_read_as_it_is_written() {
        assert_eq!(terminated(&termination("u\"7")).as_deref(), Some("u\"7"));
        assert_eq!(terminated(&message("x", "1", None)), None);
    }

    #[test]
    fn a_member_without_info_is_there_with_null() {
        let member = |user: &str, info: Option<&str>| Member {
            user: user.into(),
            info: info.map(|info| JsonText::parse(info).unwrap()),
        };
        let members = [
            member("10", None),
            member("u-7", Some(r#"{"name": "Ada"}"#)),
        ];
        assert_eq!(
            presence(&members),
            r#"{"presence":{"ids":["10","u-7"],"hash":{"10":null,"u-7":{"name": "Ada"}},"count":2}}"#
        );
    }
}
