//! MQTT 3.1.1 inside websocket frames, at most once (`QoS` 0). A ping behind each publish is what acknowledges it: answers come in order.

use std::cell::Cell;

use anyhow::{Context, Result, bail};

use crate::protocol::websocket::{self, BINARY, frame};
use crate::protocol::{Framing, Message, Protocol, Role, status, topic};

/// The first bytes of the packets that are spoken here: the kind, and the flags that belong to it.
const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const PINGREQ: u8 = 0xc0;
const PINGRESP: u8 = 0xd0;

/// The answer to a subscription that was refused.
const REFUSED: u8 = 0x80;

/// The longest length of a packet that its four bytes can say.
const LENGTH_BYTES_MAX: usize = 4;

#[derive(Default)]
pub(crate) struct Mqtt {
    /// How many clients there have been: a server ends the older of two with one name.
    clients: Cell<u64>,
}

impl Protocol for Mqtt {
    fn greet(&self, out: &mut Vec<u8>) {
        websocket::upgrade("/", "Sec-WebSocket-Protocol: mqtt\r\n", out);
    }

    /// A client may go on behind its CONNECT without waiting for the answer.
    fn greeted(&self, _: usize, _: Role, bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>> {
        let used = websocket::upgraded(bytes)?;
        if used.is_some() {
            self.clients.set(self.clients.get() + 1);
            let mut body = Vec::new();
            write_text(b"MQTT", &mut body);
            // Version 3.1.1; nothing is kept from earlier; no sign of life is asked for.
            body.extend_from_slice(&[4, 0b10, 0, 0]);
            write_text(format!("load-{}", self.clients.get()).as_bytes(), &mut body);
            write_packet(CONNECT, &body, out);
        }
        Ok(used)
    }

    fn framing(&self) -> Framing {
        Framing::Websocket
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((start, length)) = head(bytes)? else {
            return Ok(None);
        };
        let Some(body) = bytes.get(start..start + length) else {
            return Ok(None);
        };
        let message = match (bytes[0], body) {
            (PUBLISH, [high, low, rest @ ..]) => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let (topic, value) = rest.split_at_checked(length).context("a topic")?;
                Message::Change {
                    binding: status(topic)?,
                    value,
                }
            }
            (CONNACK, [_, 0]) => Message::Other,
            (SUBACK, [_, _, answer]) if *answer != REFUSED => Message::Done { request: 0 },
            (PINGRESP, []) => Message::Done { request: 0 },
            (kind, body) => bail!("an unexpected packet of kind {kind:#x}: {body:?}"),
        };
        Ok(Some((start + length, message)))
    }

    fn bind(&self, _: usize, binding: usize, out: &mut Vec<u8>) {
        // Answers come in order, so one number does for all; it must not be zero.
        let mut body = vec![0, 1];
        write_text(topic(binding).as_bytes(), &mut body);
        body.push(0);
        write_packet(SUBSCRIBE, &body, out);
    }

    fn publish(&self, _: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let mut body = Vec::new();
        write_text(topic(status).as_bytes(), &mut body);
        body.extend_from_slice(value);
        write_packet(PUBLISH, &body, out);
        write_packet(PINGREQ, &[], out);
    }
}

/// Where the body of the first packet begins, and its length; `None` while that is incomplete.
fn head(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut length = 0;
    for (at, byte) in bytes.iter().skip(1).take(LENGTH_BYTES_MAX).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((at + 2, length)));
        }
    }
    if bytes.len() > LENGTH_BYTES_MAX {
        bail!("a packet whose length has no end");
    }
    Ok(None)
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).expect("names are short");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text);
}

/// Appends a packet in a frame of its own.
fn write_packet(first: u8, body: &[u8], out: &mut Vec<u8>) {
    let mut packet = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).expect("seven bits");
        length >>= 7;
        if length == 0 {
            packet.push(low);
            break;
        }
        packet.push(0x80 | low);
    }
    packet.extend_from_slice(body);
    frame(BINARY, &packet, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tests::check_splits;

    #[test]
    fn packets_split_anywhere_are_the_same() {
        let mut bytes = b"\x20\x02\0\0\x90\x03\0\x01\0\x30\x07\0\x03s12ab\xd0\0".to_vec();
        bytes.extend_from_slice(b"\x30\xcc\x01\0\x02s0");
        bytes.extend_from_slice(&[b'x'; 200]);
        check_splits(
            &Mqtt::default(),
            &bytes,
            &[
                "other",
                "done 0",
                "change 12 ab",
                "done 0",
                &format!("change 0 {}", "x".repeat(200)),
            ],
        );
    }

    #[test]
    fn refusals_are_not_taken_for_success() {
        let mqtt = Mqtt::default();
        assert!(mqtt.read(b"\x20\x02\0\x05").is_err());
        assert!(mqtt.read(b"\x90\x03\0\x01\x80").is_err());
        assert!(mqtt.read(b"\x30\x03\0\x09s").is_err());
        assert!(mqtt.read(b"\x30\xff\xff\xff\xff\x01").is_err());
    }

    #[test]
    fn no_two_clients_have_one_name() {
        let mqtt = Mqtt::default();
        let mut greetings = [Vec::new(), Vec::new()];
        for greeting in &mut greetings {
            let used = mqtt.greeted(0, Role::Client, b"HTTP/1.1 101 Yes\r\n\r\n", greeting);
            assert_eq!(used.expect("an upgrade"), Some(20));
        }
        assert_ne!(greetings[0], greetings[1]);
    }

    #[test]
    fn a_long_packet_says_its_length_in_more_bytes() {
        let mut out = Vec::new();
        write_packet(PUBLISH, &[0; 300], &mut out);
        assert_eq!(&out[8..11], b"\x30\xac\x02");
    }
}
