//! Pusher Channels: clients on a websocket, the publisher on the HTTP API, whose answers are the acknowledgements.
//!
//! Channels are public, so that clients need no signature; every publish carries one.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use memchr::memmem;
use sha2::Sha256;

use crate::protocol::websocket::{self, TEXT, frame};
use crate::protocol::{Message, Protocol, Role, number, status, topic};

/// The application that a server is started with.
pub(crate) const APP: &str = "1";
pub(crate) const KEY: &str = "load";
pub(crate) const SECRET: &str = "secret";

/// The name of the event that is published.
const EVENT: &str = "status";

pub(crate) struct Pusher;

impl Protocol for Pusher {
    fn greet(&self, role: Role, out: &mut Vec<u8>) {
        match role {
            Role::Client => websocket::upgrade(&format!("/app/{KEY}?protocol=7"), "", out),
            Role::Publisher => out.extend_from_slice(b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"),
        }
    }

    /// A client waits for the server's first event; to a publisher, any answer shows that the server is there.
    fn greeted(&self, role: Role, bytes: &[u8], _: &mut Vec<u8>) -> Result<Option<usize>> {
        if role == Role::Publisher {
            return Ok(answer(bytes)?.map(|(used, _)| used));
        }
        let Some(upgraded) = websocket::upgraded(bytes)? else {
            return Ok(None);
        };
        let Some((used, text)) = websocket::text(&bytes[upgraded..])? else {
            return Ok(None);
        };
        if memmem::find(text, b"pusher:connection_established").is_none() {
            bail!("no greeting: {}", String::from_utf8_lossy(text));
        }
        Ok(Some(upgraded + used))
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        // No frame of a server begins like an answer to a request.
        if bytes.first() == Some(&b'H') {
            return match answer(bytes)? {
                Some((used, 200)) => Ok(Some((used, Message::Done { request: 0 }))),
                Some((used, _)) => bail!("refused: {}", String::from_utf8_lossy(&bytes[..used])),
                None => Ok(None),
            };
        }
        let Some((used, text)) = websocket::text(bytes)? else {
            return Ok(None);
        };
        Ok(Some((used, read_text(text)?)))
    }

    fn bind(&self, _: usize, binding: usize, out: &mut Vec<u8>) {
        let text = format!(
            r#"{{"event":"pusher:subscribe","data":{{"channel":"{}"}}}}"#,
            topic(binding)
        );
        frame(TEXT, text.as_bytes(), out);
    }

    fn publish(&self, _: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let event = serde_json::json!({
            "name": EVENT,
            "channel": topic(status),
            "data": String::from_utf8_lossy(value),
        });
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH);
        post(
            &event.to_string(),
            seconds.map_or(0, |seconds| seconds.as_secs()),
            out,
        );
    }
}

/// Appends a signed request that publishes.
fn post(body: &str, seconds: u64, out: &mut Vec<u8>) {
    let path = format!("/apps/{APP}/events");
    let query = format!(
        "auth_key={KEY}&auth_timestamp={seconds}&auth_version=1.0&body_md5={}",
        hex(&Md5::digest(body))
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    mac.update(format!("POST\n{path}\n{query}").as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    out.extend_from_slice(
        format!(
            "POST {path}?{query}&auth_signature={signature} HTTP/1.1\r\nHost: gateway\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many bytes the first answer to a request takes, and its status; `None` while it is incomplete.
fn answer(bytes: &[u8]) -> Result<Option<(usize, u64)>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&bytes[..end + 2]).to_ascii_lowercase();
    let status = head
        .strip_prefix("http/1.1 ")
        .and_then(|rest| number(rest.as_bytes()))
        .context("an answer has a status")?;
    let length = head
        .split_once("\r\ncontent-length: ")
        .and_then(|(_, rest)| number(rest.as_bytes()))
        .map_or(0, |(length, _)| length);
    let used = end + 4 + usize::try_from(length)?;
    Ok((bytes.len() >= used).then_some((used, status.0)))
}

/// Reads an event. The value is left as it lies in a JSON string.
fn read_text(text: &[u8]) -> Result<Message<'_>> {
    let Some(event) = member(text, br#""event":""#) else {
        return Ok(Message::Other);
    };
    if event.starts_with(br#"status""#) {
        let channel = member(text, br#""channel":""#).context("an event has a channel")?;
        let end = memchr::memchr(b'"', channel).context("a name has an end")?;
        return Ok(Message::Change {
            binding: status(&channel[..end])?,
            value: member(text, br#""data":""#).context("an event has data")?,
        });
    }
    if event.starts_with(b"pusher_internal:subscription_succeeded") {
        return Ok(Message::Done { request: 0 });
    }
    if event.starts_with(b"pusher:error") || event.starts_with(b"pusher:subscription_error") {
        bail!("an error: {}", String::from_utf8_lossy(text));
    }
    Ok(Message::Other)
}

/// What stands behind the name of a member. What is in a string has its quotation marks escaped and is not found.
fn member<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    Some(&text[memmem::find(text, name)? + name.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Stamp;
    use crate::protocol::tests::check_splits;

    const CHANGE: &str =
        r#"{"channel":"s12","event":"status","data":"{\"n\":7,\"t\":9,\"p\":\"\"}"}"#;

    /// A server's frame, which is not masked.
    fn server_frame(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("short");
        [&[0x81, length], text.as_bytes()].concat()
    }

    #[test]
    fn events_and_answers_split_anywhere_are_the_same() {
        let succeeded = r#"{"event":"pusher_internal:subscription_succeeded","channel":"s0"}"#;
        let mut bytes = server_frame(succeeded);
        bytes.extend(server_frame(CHANGE));
        bytes.extend(server_frame(r#"{"event":"pusher:ping"}"#));
        bytes.extend(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVary: origin\r\n\r\n{}");
        check_splits(
            &Pusher,
            &bytes,
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
        let Ok(Message::Change { value, .. }) = read_text(CHANGE.as_bytes()) else {
            panic!("no change");
        };
        let stamp = Stamp::read(value).expect("a stamp");
        assert_eq!((stamp.sequence, stamp.sent_nanos), (7, 9));
    }

    #[test]
    fn refusals_are_not_taken_for_success() {
        let refused = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
        assert!(Pusher.read(refused).is_err());
        assert!(read_text(br#"{"event":"pusher:error","data":{"code":4001}}"#).is_err());
    }

    #[test]
    fn a_publish_is_signed() {
        let mut out = Vec::new();
        post(r#"{"name":"status"}"#, 1_760_000_000, &mut out);
        let text = String::from_utf8(out).expect("text");
        let body_md5 = "83404ea13f08ccecaf3700196dff78ec";
        let signature = "f566a3bdcf59d2f6a2d5641eaa367f51c76e967b7d1110bc44bcd8ad0a9deb0b";
        let end = format!("&body_md5={body_md5}&auth_signature={signature} HTTP/1.1\r\n");
        assert!(text.contains(&end), "{text}");
    }
}
