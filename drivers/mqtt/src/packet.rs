//! The packets of MQTT 3.1.1, as far as a client needs them that subscribes with quality 0 and publishes with quality 1.
//!
//! Separate because it is the protocol and nothing else: it neither reads nor writes, and knows no status.
//! Source: the OASIS standard *MQTT Version 3.1.1*, whose chapters are named.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use driver_sdk::Secret;

use crate::limits::PACKET_MAX_BYTES;

/// What the client sends.
#[derive(Clone)]
pub(crate) enum Request {
    /// The first packet of a connection (3.1).
    Connect(Connect),
    /// A message for a topic (3.3).
    Publish(Publish),
    /// Topics whose messages are wanted (3.8).
    Subscribe { id: u16, filters: Vec<String> },
    /// Topics whose messages are not wanted any more (3.10).
    Unsubscribe { id: u16, filters: Vec<String> },
    /// Are you there? (3.12)
    Ping,
}

/// Who the client is, and what the broker says when it is gone.
#[derive(Debug, Clone)]
pub(crate) struct Connect {
    pub(crate) client_id: String,
    pub(crate) keep_alive_seconds: u16,
    pub(crate) will: Option<Will>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// A message that the broker publishes, and keeps, when the connection ends without a goodbye.
#[derive(Debug, Clone)]
pub(crate) struct Will {
    pub(crate) topic: String,
    pub(crate) payload: &'static str,
}

/// A message that is published with quality 1: the broker says that it has it.
#[derive(Debug, Clone)]
pub(crate) struct Publish {
    pub(crate) id: u16,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: Retain,
}

/// Whether the broker keeps a message for those that subscribe later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retain {
    Yes,
    No,
}

impl Retain {
    pub(crate) fn of(retain: bool) -> Self {
        match retain {
            true => Self::Yes,
            false => Self::No,
        }
    }
}

/// What the broker sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    /// Whether the broker takes the connection: 0, or a code that says why not (3.2).
    Connected { code: u8 },
    /// A message (3.3).
    Message { topic: String, payload: Bytes },
    /// A message whose topic is no text (1.5.3), which a broker should not have taken.
    UnreadableTopic,
    /// A message that is longer than allowed was passed over.
    TooLong { topic: String },
    /// The broker has a message (3.4).
    Published { id: u16 },
    /// The broker has taken a subscription; 0x80 for a topic says that it refuses that one (3.9).
    Subscribed { id: u16, codes: Vec<u8> },
    /// The broker has ended a subscription (3.11).
    Unsubscribed { id: u16 },
    /// The broker is there (3.13).
    Pong,
}

/// The code of a subscription that is refused.
pub(crate) const SUBSCRIPTION_REFUSED: u8 = 0x80;

/// The kinds of packets, in the high half of the first byte (2.2.1).
mod kind {
    pub(super) const CONNECT: u8 = 1;
    pub(super) const CONNACK: u8 = 2;
    pub(super) const PUBLISH: u8 = 3;
    pub(super) const PUBACK: u8 = 4;
    pub(super) const PUBREC: u8 = 5;
    pub(super) const PUBREL: u8 = 6;
    pub(super) const PUBCOMP: u8 = 7;
    pub(super) const SUBSCRIBE: u8 = 8;
    pub(super) const SUBACK: u8 = 9;
    pub(super) const UNSUBSCRIBE: u8 = 10;
    pub(super) const UNSUBACK: u8 = 11;
    pub(super) const PINGREQ: u8 = 12;
    pub(super) const PINGRESP: u8 = 13;
}

/// The bits of the low half of the first byte of a PUBLISH packet (3.3.1).
mod publish_flag {
    pub(super) const RETAIN: u8 = 0b0001;
    pub(super) const QUALITY_1: u8 = 0b0010;
    pub(super) const QUALITY: u8 = 0b0110;
}

/// The flags of SUBSCRIBE and UNSUBSCRIBE, which the standard fixes (3.8.1, 3.10.1).
const RESERVED: u8 = 0b0010;

/// The bits of the CONNECT packet's flags (3.1.2.3).
mod connect_flag {
    pub(super) const CLEAN_SESSION: u8 = 0b0000_0010;
    pub(super) const WILL: u8 = 0b0000_0100;
    pub(super) const WILL_QUALITY_1: u8 = 0b0000_1000;
    pub(super) const WILL_RETAIN: u8 = 0b0010_0000;
    pub(super) const PASSWORD: u8 = 0b0100_0000;
    pub(super) const USERNAME: u8 = 0b1000_0000;
}

/// The longest length field (2.2.3).
const LENGTH_MAX_BYTES: usize = 4;

impl Request {
    /// The bytes of the packet.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let first = match self {
            Self::Connect(connect) => {
                connect.write(&mut body);
                kind::CONNECT << 4
            }
            Self::Publish(publish) => {
                put_text(&mut body, &publish.topic);
                body.extend(publish.id.to_be_bytes());
                body.extend(&publish.payload);
                let retain = match publish.retain {
                    Retain::Yes => publish_flag::RETAIN,
                    Retain::No => 0,
                };
                kind::PUBLISH << 4 | publish_flag::QUALITY_1 | retain
            }
            Self::Subscribe { id, filters } => {
                body.extend(id.to_be_bytes());
                for filter in filters {
                    put_text(&mut body, filter);
                    body.push(0);
                }
                kind::SUBSCRIBE << 4 | RESERVED
            }
            Self::Unsubscribe { id, filters } => {
                body.extend(id.to_be_bytes());
                filters
                    .iter()
                    .for_each(|filter| put_text(&mut body, filter));
                kind::UNSUBSCRIBE << 4 | RESERVED
            }
            Self::Ping => kind::PINGREQ << 4,
        };
        let mut packet = vec![first];
        put_length(&mut packet, body.len());
        packet.extend(body);
        packet
    }
}

impl Connect {
    fn write(&self, body: &mut Vec<u8>) {
        put_text(body, "MQTT");
        // The level of 3.1.1.
        body.push(4);
        let mut flags = connect_flag::CLEAN_SESSION;
        if self.will.is_some() {
            flags |= connect_flag::WILL | connect_flag::WILL_QUALITY_1 | connect_flag::WILL_RETAIN;
        }
        // A password without a user name is not allowed.
        if self.username.is_some() || self.password.is_some() {
            flags |= connect_flag::USERNAME;
        }
        if self.password.is_some() {
            flags |= connect_flag::PASSWORD;
        }
        body.push(flags);
        body.extend(self.keep_alive_seconds.to_be_bytes());
        put_text(body, &self.client_id);
        if let Some(will) = &self.will {
            put_text(body, &will.topic);
            put_text(body, will.payload);
        }
        if flags & connect_flag::USERNAME != 0 {
            put_text(body, self.username.as_deref().unwrap_or_default());
        }
        if let Some(password) = &self.password {
            put_text(body, password.reveal());
        }
    }
}

/// A text behind its length (1.5.3). One that is too long for it, which the settings refuse, is cut.
fn put_text(body: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend(length.to_be_bytes());
    body.extend(&text.as_bytes()[..usize::from(length)]);
}

/// A length, seven bits to a byte, the lowest first (2.2.3).
fn put_length(packet: &mut Vec<u8>, mut length: usize) {
    loop {
        let digit = u8::try_from(length % 128).expect("the rest is less than 128");
        length /= 128;
        if length == 0 {
            packet.push(digit);
            return;
        }
        packet.push(digit | 0x80);
    }
}

/// The bytes of a connection that are no packet yet.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    bytes: BytesMut,
    /// How much of what comes belongs to a packet that is passed over.
    skipping: usize,
}

/// The head of the first packet.
struct Head {
    first: u8,
    /// The bytes of the head itself.
    bytes: usize,
    /// The bytes that follow it.
    length: usize,
}

impl Decoder {
    /// Where the next bytes of the connection go.
    pub(crate) fn room(&mut self, bytes: usize) -> &mut BytesMut {
        self.bytes.reserve(bytes);
        &mut self.bytes
    }

    /// The next packet that is whole. After an error nothing more can be read.
    pub(crate) fn next(&mut self) -> io::Result<Option<Packet>> {
        loop {
            let skipped = self.skipping.min(self.bytes.len());
            self.bytes.advance(skipped);
            self.skipping -= skipped;
            if self.skipping > 0 {
                return Ok(None);
            }
            let Some(head) = self.head()? else {
                return Ok(None);
            };
            if head.length > PACKET_MAX_BYTES {
                let Some(passed_over) = self.pass_over(&head)? else {
                    return Ok(None);
                };
                return Ok(Some(passed_over));
            }
            if self.bytes.len() < head.bytes + head.length {
                return Ok(None);
            }
            self.bytes.advance(head.bytes);
            let body = self.bytes.split_to(head.length).freeze();
            if let Some(packet) = packet(head.first, body)? {
                return Ok(Some(packet));
            }
        }
    }

    fn head(&self) -> io::Result<Option<Head>> {
        let Some((first, rest)) = self.bytes.split_first() else {
            return Ok(None);
        };
        let mut length = 0;
        for (at, digit) in rest.iter().take(LENGTH_MAX_BYTES).enumerate() {
            length |= usize::from(digit & 0x7F) << (7 * at);
            if digit & 0x80 == 0 {
                if !can_be(*first, length) {
                    return Err(no_packet());
                }
                return Ok(Some(Head {
                    first: *first,
                    bytes: at + 2,
                    length,
                }));
            }
        }
        match rest.len() < LENGTH_MAX_BYTES {
            true => Ok(None),
            false => Err(no_packet()),
        }
    }

    /// Gives up a message that is too long, once its topic is there.
    fn pass_over(&mut self, head: &Head) -> io::Result<Option<Packet>> {
        if head.first >> 4 != kind::PUBLISH {
            return Err(no_packet());
        }
        let mut body = &self.bytes[head.bytes..];
        let Some(topic) = take_text(&mut body) else {
            return Ok(None);
        };
        let topic = String::from_utf8_lossy(topic).into_owned();
        self.skipping = head.bytes + head.length;
        Ok(Some(Packet::TooLong { topic }))
    }
}

/// Whether a broker sends packets with this first byte and this length: what is none shows at once, and not when so many bytes have come.
fn can_be(first: u8, length: usize) -> bool {
    let (kind, flags) = (first >> 4, first & 0x0F);
    match kind {
        kind::PUBLISH => true,
        kind::SUBACK => flags == 0,
        kind::PINGRESP => flags == 0 && length == 0,
        kind::PUBREL => flags == RESERVED && length == 2,
        kind::CONNACK | kind::PUBACK | kind::PUBREC | kind::PUBCOMP | kind::UNSUBACK => {
            flags == 0 && length == 2
        }
        _ => false,
    }
}

/// Reads a packet; `None` for one that belongs to no request of this client.
fn packet(first: u8, mut body: Bytes) -> io::Result<Option<Packet>> {
    let packet = match first >> 4 {
        kind::CONNACK => match *body {
            [_, code] => Packet::Connected { code },
            _ => return Err(no_packet()),
        },
        kind::PUBLISH => {
            let mut rest = &body[..];
            let topic = take_text(&mut rest).ok_or_else(no_packet)?;
            let topic = str::from_utf8(topic).map(str::to_owned);
            let id_bytes = if first & publish_flag::QUALITY == 0 {
                0
            } else {
                2
            };
            let payload_at = body.len() - rest.len() + id_bytes;
            if payload_at > body.len() {
                return Err(no_packet());
            }
            body.advance(payload_at);
            match topic {
                Ok(topic) => Packet::Message {
                    topic,
                    payload: body,
                },
                Err(_) => Packet::UnreadableTopic,
            }
        }
        kind::PUBACK => Packet::Published {
            id: take_id(&mut body)?,
        },
        kind::SUBACK => Packet::Subscribed {
            id: take_id(&mut body)?,
            codes: body.to_vec(),
        },
        kind::UNSUBACK => Packet::Unsubscribed {
            id: take_id(&mut body)?,
        },
        kind::PINGRESP => Packet::Pong,
        // They belong to quality 2, which is not used.
        kind::PUBREC | kind::PUBREL | kind::PUBCOMP => return Ok(None),
        _ => return Err(no_packet()),
    };
    Ok(Some(packet))
}

fn take_id(body: &mut Bytes) -> io::Result<u16> {
    body.try_get_u16().map_err(|_| no_packet())
}

/// A text behind its length.
fn take_text<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = body.split_at_checked(2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let (text, rest) = rest.split_at_checked(length)?;
    *body = rest;
    Some(text)
}

fn no_packet() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "what answers there does not speak MQTT 3.1.1",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> io::Result<Vec<Packet>> {
        let mut decoder = Decoder::default();
        let mut packets = Vec::new();
        decoder.room(bytes.len()).extend_from_slice(bytes);
        while let Some(packet) = decoder.next()? {
            packets.push(packet);
        }
        Ok(packets)
    }

    fn message(topic: &str, payload: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        put_text(&mut body, topic);
        body.extend(payload);
        let mut packet = vec![0x30];
        put_length(&mut packet, body.len());
        packet.extend(body);
        packet
    }

    #[test]
    fn a_connection_is_asked_for_as_the_standard_has_it() {
        let connect = Connect {
            client_id: "r".to_owned(),
            keep_alive_seconds: 30,
            will: Some(Will {
                topic: "w".to_owned(),
                payload: "offline",
            }),
            username: Some("u".to_owned()),
            password: Some(Secret::new("p")),
        };
        let mut expect = vec![0x10, 31];
        expect.extend(b"\0\x04MQTT\x04\xEE\0\x1E\0\x01r\0\x01w\0\x07offline\0\x01u\0\x01p");
        assert_eq!(Request::Connect(connect).encode(), expect);
    }

    #[test]
    fn a_password_alone_comes_behind_an_empty_user_name() {
        let connect = Connect {
            client_id: String::new(),
            keep_alive_seconds: 0,
            will: None,
            username: None,
            password: Some(Secret::new("p")),
        };
        let expect = b"\x10\x11\0\x04MQTT\x04\xC2\0\0\0\0\0\0\0\x01p";
        assert_eq!(Request::Connect(connect).encode(), expect);
    }

    #[test]
    fn the_other_requests_are_as_the_standard_has_them() {
        let check = |request: Request, expect: &[u8]| assert_eq!(request.encode(), expect);
        let publish = |retain| {
            Request::Publish(Publish {
                id: 10,
                topic: "a/b".to_owned(),
                payload: b"on".to_vec(),
                retain,
            })
        };
        check(publish(Retain::No), b"\x32\x09\0\x03a/b\0\x0Aon");
        check(publish(Retain::Yes), b"\x33\x09\0\x03a/b\0\x0Aon");
        let filters = vec!["a/b".to_owned(), "c/d".to_owned()];
        let subscribe = Request::Subscribe {
            id: 10,
            filters: filters.clone(),
        };
        check(subscribe, b"\x82\x0E\0\x0A\0\x03a/b\0\0\x03c/d\0");
        let unsubscribe = Request::Unsubscribe { id: 10, filters };
        check(unsubscribe, b"\xA2\x0C\0\x0A\0\x03a/b\0\x03c/d");
        check(Request::Ping, &[0xC0, 0]);
    }

    #[test]
    fn a_length_takes_as_many_bytes_as_it_needs() {
        let check = |length: usize, expect: &[u8]| {
            let mut packet = Vec::new();
            put_length(&mut packet, length);
            assert_eq!(packet, expect);
        };
        check(0, &[0]);
        check(127, &[0x7F]);
        check(128, &[0x80, 1]);
        check(16_383, &[0xFF, 0x7F]);
        check(268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]);
    }

    #[test]
    fn what_the_broker_says_is_read() {
        let bytes = [
            &[0x20, 2, 1, 5][..],
            &message("a/b", b"21.5"),
            &[0x32, 7, 0, 1, b'a', 0, 9, b'o', b'n'],
            &message("a/b", b""),
            &[0x40, 2, 0, 10],
            &[0x90, 4, 0, 11, 0, 0x80],
            &[0xB0, 2, 0, 12],
            &[0xD0, 0],
        ];
        let message = |topic: &str, payload: &'static [u8]| Packet::Message {
            topic: topic.to_owned(),
            payload: Bytes::from_static(payload),
        };
        let expect = [
            Packet::Connected { code: 5 },
            message("a/b", b"21.5"),
            message("a", b"on"),
            message("a/b", b""),
            Packet::Published { id: 10 },
            Packet::Subscribed {
                id: 11,
                codes: vec![0, 0x80],
            },
            Packet::Unsubscribed { id: 12 },
            Packet::Pong,
        ];
        assert_eq!(decode(&bytes.concat()).unwrap(), expect);
    }

    #[test]
    fn a_topic_that_is_no_text_ends_nothing() {
        let bytes = [&[0x30, 3, 0, 1, 0xFF][..], &[0xD0, 0]].concat();
        let expect = [Packet::UnreadableTopic, Packet::Pong];
        assert_eq!(decode(&bytes).unwrap(), expect);
    }

    #[test]
    fn a_message_that_is_too_long_is_passed_over_and_not_kept() {
        let long = message("picture", &vec![0; PACKET_MAX_BYTES]);
        let bytes = [&long[..], &[0xD0, 0]].concat();
        let mut decoder = Decoder::default();
        let mut packets = Vec::new();
        for piece in bytes.chunks(1000) {
            decoder.room(1000).extend_from_slice(piece);
            packets.extend(decoder.next().unwrap());
            assert!(decoder.bytes.len() <= 1000);
        }
        packets.extend(decoder.next().unwrap());
        let topic = "picture".to_owned();
        assert_eq!(packets, [Packet::TooLong { topic }, Packet::Pong]);
    }

    #[test]
    fn what_is_no_packet_is_an_error() {
        for bytes in [
            &b"HTTP/1.1 400"[..],
            b"SSH-2.0-OpenSSH",
            &[0x21, 2, 0, 0],
            &[0x20, 1, 0],
            &[0x30, 2, 0, 9],
            &[0x32, 4, 0, 1, b'a', 0],
            &[0x40, 1, 0],
            &[0x10, 0],
            &[0xD0, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x90, 0xFF, 0xFF, 0xFF, 0x7F],
        ] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn packets_are_the_same_however_the_network_cuts_them(cuts in proptest::collection::vec(1_usize..9, 0..40)) {
            let bytes = [&message("a/b", b"21.5")[..], &[0xD0, 0], &message("c", b"")].concat();
            let whole = decode(&bytes).unwrap();
            let mut decoder = Decoder::default();
            let mut packets = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts.into_iter().chain([bytes.len()]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                rest = after;
                decoder.room(piece.len()).extend_from_slice(piece);
                while let Some(packet) = decoder.next().unwrap() {
                    packets.push(packet);
                }
            }
            prop_assert_eq!(packets, whole);
        }

        #[test]
        fn no_bytes_make_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
