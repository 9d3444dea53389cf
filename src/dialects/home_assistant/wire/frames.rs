//! What a turn answers: frames are collected, and leave as messages of their own or, where the client asked for it, several in one array.
//!
//! Events for many subscribers are not written here.

use std::io::Write as _;

use serde::Serialize;

use crate::dialects::Out;
use crate::dialects::home_assistant::errors::CommandError;
use crate::dialects::home_assistant::limits;

/// Whether several frames may stand in one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects::home_assistant) enum Coalescing {
    /// Each is a message.
    Off,
    /// What one turn answers is one array.
    On,
}

/// The frames of one turn.
#[derive(Debug, Default)]
pub(in crate::dialects::home_assistant) struct Frames {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Frames {
    /// A success. `write` appends the result.
    pub(in crate::dialects::home_assistant) fn result(
        &mut self,
        id: u64,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.frame(id, |out| {
            out.extend_from_slice(b"\"result\",\"success\":true,\"result\":");
            write(out);
        });
    }

    /// A success that has nothing to say.
    pub(in crate::dialects::home_assistant) fn done(&mut self, id: u64) {
        self.result(id, |out| out.extend_from_slice(b"null"));
    }

    /// A failure, by the token that stood in the place of an id.
    pub(in crate::dialects::home_assistant) fn error(&mut self, id: &str, error: &CommandError) {
        self.frame(id, |out| {
            out.extend_from_slice(b"\"result\",\"success\":false,\"error\":{\"code\":");
            put_json(&*error.code, out);
            out.extend_from_slice(b",\"message\":");
            put_json(&*error.message, out);
            if let Some(translation) = &error.translation {
                out.extend_from_slice(b",\"translation_key\":");
                put_json(translation.key, out);
                out.extend_from_slice(b",\"translation_domain\":");
                put_json(translation.domain, out);
                out.extend_from_slice(b",\"translation_placeholders\":{");
                for (number, (name, value)) in translation.placeholders.iter().enumerate() {
                    put_comma(number, out);
                    put_json(name, out);
                    out.push(b':');
                    put_json(value, out);
                }
                out.push(b'}');
            }
            out.push(b'}');
        });
    }

    /// An event of a subscription. `write` appends the event.
    pub(in crate::dialects::home_assistant) fn event(
        &mut self,
        id: u64,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.frame(id, |out| {
            out.extend_from_slice(b"\"event\",\"event\":");
            write(out);
        });
    }

    /// The answer to a ping.
    pub(in crate::dialects::home_assistant) fn pong(&mut self, id: u64) {
        self.frame(id, |out| out.extend_from_slice(b"\"pong\""));
    }

    fn frame(&mut self, id: impl std::fmt::Display, write: impl FnOnce(&mut Vec<u8>)) {
        write!(self.bytes, "{{\"id\":{id},\"type\":").expect("a vector takes every byte");
        write(&mut self.bytes);
        self.bytes.push(b'}');
        self.ends.push(self.bytes.len());
    }

    /// How many bytes they are.
    pub(in crate::dialects::home_assistant) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Sends all of them, in their order.
    pub(in crate::dialects::home_assistant) fn send(
        self,
        coalescing: Coalescing,
        out: &mut Out<'_>,
    ) {
        let at_once = match coalescing {
            Coalescing::Off => 1,
            Coalescing::On => limits::COALESCED_MAX_FRAMES,
        };
        let mut start = 0;
        for ends in self.ends.chunks(at_once) {
            out.text(|out| {
                if ends.len() > 1 {
                    out.push(b'[');
                }
                for (number, &end) in ends.iter().enumerate() {
                    put_comma(number, out);
                    out.extend_from_slice(&self.bytes[start..end]);
                    start = end;
                }
                if ends.len() > 1 {
                    out.push(b']');
                }
            });
        }
    }
}

/// What separates the items of a list: a comma before each but the first.
pub(in crate::dialects::home_assistant) fn put_comma(number: usize, out: &mut Vec<u8>) {
    if number > 0 {
        out.push(b',');
    }
}

/// Appends a text or number as JSON.
pub(in crate::dialects::home_assistant) fn put_json<T: Serialize + ?Sized>(
    value: &T,
    out: &mut Vec<u8>,
) {
    serde_json::to_writer(out, value)
        .expect("texts, numbers and JSON are JSON, a vector takes them");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::home_assistant::errors::{ErrorCode, Translation};

    fn sent(coalescing: Coalescing, fill: impl FnOnce(&mut Frames)) -> Vec<String> {
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        let mut frames = Frames::default();
        fill(&mut frames);
        frames.send(
            coalescing,
            &mut Out::new(&mut bytes, |out, _| out.push(b'\n'), &mut steps),
        );
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn several_frames_are_one_array_and_a_single_one_is_bare() {
        let two = |frames: &mut Frames| {
            frames.pong(6);
            frames.done(7);
        };
        let (pong, done) = (
            r#"{"id":6,"type":"pong"}"#,
            r#"{"id":7,"type":"result","success":true,"result":null}"#,
        );
        assert_eq!(sent(Coalescing::Off, two), [pong, done]);
        assert_eq!(sent(Coalescing::On, two), [format!("[{pong},{done}]")]);
        assert_eq!(sent(Coalescing::On, |frames| frames.pong(6)), [pong]);
        assert!(sent(Coalescing::On, |_| {}).is_empty());
    }

    #[test]
    fn an_array_has_at_most_as_many_frames_as_it_may() {
        let more = limits::COALESCED_MAX_FRAMES as u64 + 1;
        let messages = sent(Coalescing::On, |frames| {
            (1..=more).for_each(|id| frames.pong(id))
        });
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[1], format!(r#"{{"id":{more},"type":"pong"}}"#));
    }

    #[test]
    fn an_error_has_all_keys_of_a_translation_or_none() {
        let error = CommandError::new(ErrorCode::NotFound, "Service a.b not found.");
        let translated = error.clone().translated(Translation {
            key: "service_not_found",
            domain: "homeassistant",
            placeholders: vec![("domain", "a".to_owned()), ("service", "b".to_owned())],
        });
        let of =
            |error: &CommandError| sent(Coalescing::Off, |frames| frames.error("\"x\"", error));
        assert_eq!(
            of(&error),
            [
                r#"{"id":"x","type":"result","success":false,"error":{"code":"not_found","message":"Service a.b not found."}}"#
            ]
        );
        assert_eq!(
            of(&translated),
            [
                r#"{"id":"x","type":"result","success":false,"error":{"code":"not_found","message":"Service a.b not found.","translation_key":"service_not_found","translation_domain":"homeassistant","translation_placeholders":{"domain":"a","service":"b"}}}"#
            ]
        );
    }
}
