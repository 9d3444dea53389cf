//! Pusher Channels, from a page's side: private channels that a page publishes to by client events, or public ones that a server publishes to.
//!
//! A ping behind a client event is what acknowledges it, and behind an unsubscription likewise. What servers say is in `api`.

mod api;
mod signature;

use std::cell::RefCell;

use anyhow::{Context, Result, bail};
use memchr::memmem;

use crate::protocol::pusher::api::Api;
use crate::protocol::pusher::signature::sign;
use crate::protocol::websocket::{self, TEXT, frame};
use crate::protocol::{
    Layout, Members, Message, NewValue, Protocol, Publishers, Role, status, topic, user, user_name,
};

/// The application that a server is started with.
pub(crate) const APP: &str = "1";
pub(crate) const KEY: &str = "load";
pub(crate) const SECRET: &str = "secret";

/// The channel that has members.
const ROOM: &str = "presence-room";

const PRIVATE: &str = "private-";

/// How many bytes a value becomes longer by in a JSON string: the quotes of its names and of its text.
const ESCAPES: usize = 8;

const SUCCEEDED: &[u8] = b"pusher_internal:subscription_succeeded";
const PONG: &[u8] = b"pusher:pong";
const PING: &[u8] = br#"{"event":"pusher:ping","data":{}}"#;

pub(crate) struct Pusher {
    /// The server that publishes, where no client does.
    api: Option<Api>,
    /// What the server calls each connection; what a client may follow is signed for that name.
    names: RefCell<Vec<String>>,
}

impl Protocol for Pusher {
    fn greet(&self, out: &mut Vec<u8>) {
        websocket::upgrade(&format!("/app/{KEY}?protocol=7"), "", out);
    }

    /// A publisher follows the status that it is about to publish: only who does may.
    fn greeted(
        &self,
        connection: usize,
        role: Role,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>> {
        let Some(mut at) = websocket::upgraded(bytes)? else {
            return Ok(None);
        };
        let Some((used, text)) = websocket::text(&bytes[at..])? else {
            return Ok(None);
        };
        at += used;
        let is_new = self.learn(connection, text)?;
        if role == Role::Client {
            return Ok(Some(at));
        }
        if is_new {
            self.bind(connection, 0, out);
        }
        match websocket::text(&bytes[at..])? {
            Some((used, text)) if is_success(text) => Ok(Some(at + used)),
            Some((_, text)) => bail!("no greeting: {}", String::from_utf8_lossy(text)),
            None => Ok(None),
        }
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((used, text)) = websocket::text(bytes)? else {
            return Ok(None);
        };
        Ok(Some((used, read_text(text)?)))
    }

    fn bind(&self, connection: usize, binding: usize, out: &mut Vec<u8>) {
        let text = if self.api.is_some() {
            let channel = topic(binding);
            format!(r#"{{"event":"pusher:subscribe","data":{{"auth":"","channel":"{channel}"}}}}"#)
        } else {
            let channel = private(binding);
            let auth = self.auth(connection, &channel);
            format!(
                r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}","auth":"{auth}"}}}}"#
            )
        };
        frame(TEXT, text.as_bytes(), out);
    }

    fn around(&self, status: usize) -> usize {
        let (event, channel) = match &self.api {
            Some(_) => ("status", topic(status)),
            None => ("client-status", private(status)),
        };
        format!(r#"{{"event":"{event}","channel":"{channel}","data":""}}"#).len() + ESCAPES
    }

    fn publish(&self, request: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        if let Some(api) = &self.api {
            return api.publish(request, status, value, out);
        }
        let event = serde_json::json!({
            "event": "client-status",
            "channel": private(status),
            "data": String::from_utf8_lossy(value),
        });
        frame(TEXT, event.to_string().as_bytes(), out);
        frame(TEXT, PING, out);
    }

    fn publish_all(&self, values: &[NewValue], out: &mut Vec<u8>) -> usize {
        if let Some(api) = &self.api {
            return api.publish_all(values, out);
        }
        for new in values {
            self.publish(new.request, new.status, &new.value, out);
        }
        values.len()
    }

    fn enter(&self, connection: usize, out: &mut Vec<u8>) -> Result<()> {
        let name = user_name(connection);
        let member =
            format!(r#"{{"user_id":"{name}","user_info":{{"name":"Somebody called {name}"}}}}"#);
        let auth = self.auth(connection, &format!("{ROOM}:{member}"));
        let text = serde_json::json!({
            "event": "pusher:subscribe",
            "data": {"channel": ROOM, "auth": auth, "channel_data": member},
        });
        frame(TEXT, text.to_string().as_bytes(), out);
        Ok(())
    }

    fn leave(&self, out: &mut Vec<u8>) -> Result<()> {
        let text = format!(r#"{{"event":"pusher:unsubscribe","data":{{"channel":"{ROOM}"}}}}"#);
        frame(TEXT, text.as_bytes(), out);
        frame(TEXT, PING, out);
        Ok(())
    }

    fn publishers(&self) -> Option<&dyn Protocol> {
        self.api.as_ref().map(|api| api as &dyn Protocol)
    }
}

impl Pusher {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            api: match layout.publishers {
                Publishers::Client => None,
                Publishers::Server => Some(Api),
            },
            names: RefCell::default(),
        }
    }

    /// What shows that a connection may have this, by its name.
    fn auth(&self, connection: usize, what: &str) -> String {
        let names = self.names.borrow();
        let signature = sign(&format!("{}:{what}", names[connection]));
        format!("{KEY}:{signature}")
    }

    /// Keeps a connection's name; whether it was unknown.
    fn learn(&self, connection: usize, text: &[u8]) -> Result<bool> {
        let name = part(text, br#"\"socket_id\":\""#, b'\\')
            .with_context(|| format!("no greeting: {}", String::from_utf8_lossy(text)))?;
        let mut names = self.names.borrow_mut();
        if names.len() <= connection {
            names.resize(connection + 1, String::new());
        }
        let is_new = names[connection].as_bytes() != name;
        names[connection] = String::from_utf8(name.to_vec())?;
        Ok(is_new)
    }
}

fn private(status: usize) -> String {
    format!("{PRIVATE}{}", topic(status))
}

/// Reads an event, whose members may have any order. The value is left as it lies in a JSON string.
fn read_text(text: &[u8]) -> Result<Message<'_>> {
    let event = part(text, br#""event":""#, b'"').unwrap_or_default();
    Ok(match event {
        b"status" | b"client-status" => {
            let channel = part(text, br#""channel":""#, b'"').context("a change has a name")?;
            let data = br#""data":""#;
            let value = memmem::find(text, data).context("a change has data")?;
            let topic = channel.strip_prefix(PRIVATE.as_bytes());
            Message::Change {
                binding: status(topic.unwrap_or(channel))?,
                value: &text[value + data.len()..],
            }
        }
        SUCCEEDED => match part(text, br#"\"ids\":["#, b']') {
            Some(names) => Message::Members(Members::Are { names }),
            None => Message::Done { request: 0 },
        },
        PONG => Message::Done { request: 0 },
        b"pusher_internal:member_added" => Message::Members(Members::Joined {
            user: member(text)?,
        }),
        b"pusher_internal:member_removed" => Message::Members(Members::Left {
            user: member(text)?,
        }),
        _ if memmem::find(text, b"error").is_some() => {
            bail!("an unexpected answer: {}", String::from_utf8_lossy(text))
        }
        _ => Message::Other,
    })
}

/// The member that an event is about.
fn member(text: &[u8]) -> Result<usize> {
    let name = part(text, br#"\"user_id\":\""#, b'\\').context("a member has a name")?;
    user(name)
}

/// Whether an event is the success of a subscription.
fn is_success(text: &[u8]) -> bool {
    part(text, br#""event":""#, b'"') == Some(SUCCEEDED)
}

/// What stands behind a text, up to a byte.
fn part<'a>(text: &'a [u8], before: &[u8], end: u8) -> Option<&'a [u8]> {
    let rest = &text[memmem::find(text, before)? + before.len()..];
    Some(&rest[..memchr::memchr(end, rest)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tests::check_splits;
    use crate::protocol::{Ids, Stamp, users};

    const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    const ESTABLISHED: &str = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"12.34\",\"activity_timeout\":120}"}"#;
    const SUBSCRIBED: &str =
        r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-s0"}"#;
    const ENTERED: &str = r#"{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":"{\"presence\":{\"ids\":[\"u3\",\"u1\"],\"hash\":{\"u3\":null,\"u1\":{\"name\":\"u9\"}},\"count\":2}}"}"#;
    const SAID: &str =
        r#"{"channel":"s12","event":"status","data":"{\"n\":8,\"t\":9,\"p\":\"\"}"}"#;
    const CHANGED: &str = r#"{"event":"client-status","channel":"private-s12","data":"{\"n\":7,\"t\":9,\"p\":\"\"}"}"#;

    fn pusher(publishers: Publishers) -> Pusher {
        Pusher::new(Layout {
            ids: Ids::Alike,
            modules: 1,
            publishers,
            triggers: 0,
        })
    }

    /// A server's frame, which is not masked.
    fn server_frame(text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len()).expect("short");
        [&[0x81, 126], &length.to_be_bytes()[..], text.as_bytes()].concat()
    }

    #[test]
    fn events_split_anywhere_are_the_same() {
        let texts = [
            SUBSCRIBED,
            CHANGED,
            SAID,
            r#"{"event":"pusher_internal:member_added","channel":"presence-room","data":"{\"user_id\":\"u17\",\"user_info\":null}"}"#,
            r#"{"event":"pusher_internal:member_removed","channel":"presence-room","data":"{\"user_id\":\"u3\"}"}"#,
            ENTERED,
            r#"{"event":"pusher:ping"}"#,
            r#"{"event":"pusher:pong"}"#,
        ];
        check_splits(
            &pusher(Publishers::Client),
            &texts.map(server_frame).concat(),
            &[
                "done 0",
                r#"change 12 {\"n\":7,\"t\":9,\"p\":\"\"}"}"#,
                r#"change 12 {\"n\":8,\"t\":9,\"p\":\"\"}"}"#,
                "joined 17",
                "left 3",
                r#"members \"u3\",\"u1\""#,
                "other",
                "done 0",
            ],
        );
    }

    #[test]
    fn a_value_in_a_string_keeps_its_stamp() {
        let Ok(Message::Change { value, .. }) = read_text(CHANGED.as_bytes()) else {
            panic!("no change");
        };
        let stamp = Stamp::read(value).expect("a stamp");
        assert_eq!((stamp.sequence, stamp.sent_nanos), (7, 9));
    }

    #[test]
    fn a_publisher_is_greeted_when_it_may_publish() {
        let pusher = pusher(Publishers::Client);
        let mut bytes = SWITCHING.as_bytes().to_vec();
        bytes.extend(server_frame(ESTABLISHED));
        let ends = bytes.len();
        bytes.extend(server_frame(SUBSCRIBED));
        let mut out = Vec::new();
        for known in 0..bytes.len() {
            let greeted = pusher.greeted(3, Role::Publisher, &bytes[..known], &mut out);
            assert_eq!(greeted.expect("a greeting"), None, "{known} bytes");
        }
        let mut asked = Vec::new();
        pusher.bind(3, 0, &mut asked);
        assert_eq!(out, asked, "it asks once");
        for (role, used) in [(Role::Publisher, bytes.len()), (Role::Client, ends)] {
            let greeted = pusher.greeted(3, role, &bytes, &mut out);
            assert_eq!(greeted.expect("a greeting"), Some(used), "{role:?}");
        }
        assert_eq!(out, asked, "it asks once");
    }

    #[test]
    fn members_are_known_by_their_ids_alone() {
        let Ok(Message::Members(Members::Are { names })) = read_text(ENTERED.as_bytes()) else {
            panic!("no members");
        };
        assert_eq!(users(names).expect("users"), [3, 1]);
        assert!(users(br#"\"u3\",\"anna\""#).is_err(), "nobody sent one");
    }

    #[test]
    fn a_message_has_the_size_that_is_said_of_it() {
        let stamp = Stamp {
            sequence: 7,
            sent_nanos: 9,
        };
        for (publishers, said) in [(Publishers::Client, CHANGED), (Publishers::Server, SAID)] {
            let mut value = Vec::new();
            stamp.write(0, &mut value);
            let around = pusher(publishers).around(12);
            assert_eq!(value.len() + around, said.len(), "{publishers:?}");
        }
    }

    #[test]
    fn refusals_are_not_taken_for_success() {
        assert!(read_text(br#"{"event":"pusher:error","data":{"code":4301}}"#).is_err());
    }
}
