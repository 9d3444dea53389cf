//! Pusher Channels on private channels, published to by client events. A ping behind each publish is what acknowledges it.
//!
//! A back end would publish by HTTP instead; a server may close that connection after each answer, and then it is connecting that is measured.

use std::cell::RefCell;

use anyhow::{Context, Result, bail};
use hmac::{Hmac, KeyInit, Mac};
use memchr::memmem;
use sha2::Sha256;

use crate::protocol::websocket::{self, TEXT, frame};
use crate::protocol::{Message, Protocol, Role, status, topic};

/// The application that a server is started with.
pub(crate) const APP: &str = "1";
pub(crate) const KEY: &str = "load";
pub(crate) const SECRET: &str = "secret";

const CHANGE: &[u8] = br#"{"event":"client-status","#;
const SUCCEEDED: &[u8] = br#"{"event":"pusher_internal:subscription_succeeded","#;
const PONG: &[u8] = br#"{"event":"pusher:pong""#;
const PING: &[u8] = br#"{"event":"pusher:ping","data":{}}"#;

#[derive(Default)]
pub(crate) struct Pusher {
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
            Some((used, text)) if text.starts_with(SUCCEEDED) => Ok(Some(at + used)),
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
        let channel = channel(binding);
        let signature = sign(&format!("{}:{channel}", self.names.borrow()[connection]));
        let text = format!(
            r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}","auth":"{KEY}:{signature}"}}}}"#
        );
        frame(TEXT, text.as_bytes(), out);
    }

    fn publish(&self, _: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let event = serde_json::json!({
            "event": "client-status",
            "channel": channel(status),
            "data": String::from_utf8_lossy(value),
        });
        frame(TEXT, event.to_string().as_bytes(), out);
        frame(TEXT, PING, out);
    }
}

impl Pusher {
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

fn channel(status: usize) -> String {
    format!("private-{}", topic(status))
}

fn sign(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    mac.update(text.as_bytes());
    let signature = mac.finalize().into_bytes();
    signature.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads an event. The value is left as it lies in a JSON string.
fn read_text(text: &[u8]) -> Result<Message<'_>> {
    if text.starts_with(CHANGE) {
        let topic = part(text, br#""channel":"private-"#, b'"').context("a change has a name")?;
        let data = br#","data":""#;
        let value = memmem::find(text, data).context("a change has data")?;
        return Ok(Message::Change {
            binding: status(topic)?,
            value: &text[value + data.len()..],
        });
    }
    if text.starts_with(SUCCEEDED) || text.starts_with(PONG) {
        return Ok(Message::Done { request: 0 });
    }
    if memmem::find(text, b"error").is_some() {
        bail!("an unexpected answer: {}", String::from_utf8_lossy(text));
    }
    Ok(Message::Other)
}

/// What stands behind a text, up to a byte.
fn part<'a>(text: &'a [u8], before: &[u8], end: u8) -> Option<&'a [u8]> {
    let rest = &text[memmem::find(text, before)? + before.len()..];
    Some(&rest[..memchr::memchr(end, rest)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Stamp;
    use crate::protocol::tests::check_splits;

    const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    const ESTABLISHED: &str = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"12.34\",\"activity_timeout\":120}"}"#;
    const SUBSCRIBED: &str =
        r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-s0"}"#;
    const CHANGED: &str = r#"{"event":"client-status","channel":"private-s12","data":"{\"n\":7,\"t\":9,\"p\":\"\"}"}"#;

    /// A server's frame, which is not masked.
    fn server_frame(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("short");
        [&[0x81, length], text.as_bytes()].concat()
    }

    #[test]
    fn events_split_anywhere_are_the_same() {
        let texts = [
            SUBSCRIBED,
            CHANGED,
            r#"{"event":"pusher:ping"}"#,
            r#"{"event":"pusher:pong"}"#,
        ];
        check_splits(
            &Pusher::default(),
            &texts.map(server_frame).concat(),
            &[
                "done 0",
                r#"change 12 {\"n\":7,\"t\":9,\"p\":\"\"}"}"#,
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
        let pusher = Pusher::default();
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
    fn a_signature_is_of_connection_and_channel() {
        assert_eq!(
            sign("12.34:private-s0"),
            "57bafa47b80918cc10360589efd56afa5239a0b34ee919a6e9970c84c111705b"
        );
    }

    #[test]
    fn refusals_are_not_taken_for_success() {
        assert!(read_text(br#"{"event":"pusher:error","data":{"code":4301}}"#).is_err());
    }
}
