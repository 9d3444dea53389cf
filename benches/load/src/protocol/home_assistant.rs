//! Home Assistant's websocket, as its JavaScript library speaks it: a token inside the socket, arrays of messages, and one subscription to all entities.
//!
//! The clients only look. What they see is changed over PlaceOS's websocket of the same gateway, each value as a text, since a state is one.

use std::cell::RefCell;
use std::collections::HashSet;

use anyhow::{Context, Result, bail};
use memchr::memmem::Finder;

use crate::protocol::websocket::{self, PONG, TEXT, frame};
use crate::protocol::{Message, PlaceOs, Protocol, Role, number};

/// The id of the message by which a client says that it takes arrays.
const FEATURES_ID: u64 = 1;

/// The ids of all other messages begin behind this one, as in the library: it keeps 2 for itself.
const OTHER_IDS: u64 = 2;

/// What the id of an entity begins with, where it is a key: the system, its modules and their statuses are those of PlaceOS's clients.
const ENTITY: &[u8] = br#""sensor.load_load_"#;

/// What stands between two messages of an array. No value of this tool's has it inside.
const BETWEEN: &[u8] = br#"},{"id":"#;

/// The states of an entity that has no value to show.
const WITHOUT_VALUE: [&[u8]; 2] = [b"unknown\"", b"unavailable\""];

/// A change but for the id of its entity and its state, as a client of the building's key sees it.
const AROUND: &str = r#"{"id":3,"type":"event","event":{"c":{"sensor.load_load_":{"+":{"s":"","c":"01M7XWGR720000000000000000","lc":1795225575.650000}}}}}"#;

/// The quotes in a value each have a `\` in front of them.
const ESCAPES: usize = 8;

pub(crate) struct HomeAssistant {
    /// What the publisher speaks; its key is the clients' token too.
    publisher: PlaceOs,
    /// The connections that have shown their token and were not let in yet.
    signing_in: RefCell<HashSet<usize>>,
    entity: Finder<'static>,
    between: Finder<'static>,
}

impl HomeAssistant {
    /// Looks at what a client of PlaceOS changes.
    pub(crate) fn new(publisher: PlaceOs) -> Self {
        Self {
            publisher,
            signing_in: RefCell::new(HashSet::new()),
            entity: Finder::new(ENTITY),
            between: Finder::new(BETWEEN),
        }
    }

    /// Shows the token, once a connection.
    fn sign_in(&self, connection: usize, out: &mut Vec<u8>) {
        if self.signing_in.borrow_mut().insert(connection) {
            let text = format!(
                r#"{{"type":"auth","access_token":"{}"}}"#,
                self.publisher.key
            );
            frame(TEXT, text.as_bytes(), out);
        }
    }

    fn id(&self, connection: usize, binding: usize) -> u64 {
        OTHER_IDS + self.publisher.numbering.number(connection, binding) as u64
    }

    /// Reads one message, whole and outside of an array.
    fn one<'a>(
        &self,
        text: &'a [u8],
        handle: &mut dyn FnMut(Message<'a>) -> Result<()>,
    ) -> Result<()> {
        let unexpected = || {
            let start = &text[..text.len().min(300)];
            format!("an unexpected answer: {}", String::from_utf8_lossy(start))
        };
        let id = text.strip_prefix(br#"{"id":"#).and_then(number);
        let (id, rest) = id.with_context(unexpected)?;
        if let Some(event) = rest.strip_prefix(br#","type":"event","event":"#) {
            return self.changes(event, handle);
        }
        if rest != br#","type":"result","success":true,"result":null}"# {
            bail!(unexpected());
        }
        match id {
            FEATURES_ID => handle(Message::Other),
            request => handle(Message::Done { request }),
        }
    }

    /// Reads what an event says of the states of entities.
    fn changes<'a>(
        &self,
        event: &'a [u8],
        handle: &mut dyn FnMut(Message<'a>) -> Result<()>,
    ) -> Result<()> {
        let is_known = [&br#"{"a":{"#[..], br#"{"c":{"#, br#"{"r":["#]
            .iter()
            .any(|kind| event.starts_with(kind));
        if !is_known {
            bail!(
                "an event that nobody asked for: {}",
                String::from_utf8_lossy(&event[..event.len().min(300)])
            );
        }
        for at in self.entity.find_iter(event) {
            let (binding, rest) = self.binding(&event[at + ENTITY.len()..])?;
            let rest = rest.strip_prefix(br#"":{"#).unwrap_or_default();
            let rest = rest.strip_prefix(br#""+":{"#).unwrap_or(rest);
            // A change may be one of attributes alone.
            if let Some(value) = rest.strip_prefix(br#""s":""#)
                && !WITHOUT_VALUE.iter().any(|state| value.starts_with(state))
            {
                handle(Message::Change { binding, value })?;
            }
        }
        Ok(())
    }

    /// The status behind an entity, whose id goes on with the index of a module and the name of a status.
    fn binding<'a>(&self, id: &'a [u8]) -> Result<(usize, &'a [u8])> {
        let parts = || {
            let (index, rest) = number(id)?;
            let (status, rest) = number(rest.strip_prefix(b"_s")?)?;
            Some((index, usize::try_from(status).ok()?, rest))
        };
        match parts() {
            Some((index, status, rest)) if index == self.publisher.index(status) as u64 => {
                Ok((status, rest))
            }
            Some(_) | None => bail!(
                "nobody made the entity {}",
                String::from_utf8_lossy(&id[..id.len().min(40)])
            ),
        }
    }
}

impl Protocol for HomeAssistant {
    fn greet(&self, out: &mut Vec<u8>) {
        websocket::upgrade("/api/websocket", "", out);
    }

    fn greeted(
        &self,
        connection: usize,
        _: Role,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>> {
        let Some(mut at) = websocket::upgraded(bytes)? else {
            return Ok(None);
        };
        while let Some((used, text)) = websocket::text(&bytes[at..])? {
            at += used;
            if text.starts_with(br#"{"type":"auth_required""#) {
                self.sign_in(connection, out);
            } else if text.starts_with(br#"{"type":"auth_ok""#) {
                self.signing_in.borrow_mut().remove(&connection);
                let text = format!(
                    r#"{{"type":"supported_features","id":{FEATURES_ID},"features":{{"coalesce_messages":1}}}}"#
                );
                frame(TEXT, text.as_bytes(), out);
                return Ok(Some(at));
            } else if !text.is_empty() {
                bail!("no greeting: {}", String::from_utf8_lossy(text));
            }
        }
        Ok(None)
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((used, text)) = websocket::text(bytes)? else {
            return Ok(None);
        };
        let message = match websocket::ping(&bytes[..used]) {
            Some(payload) => Message::Ping { payload },
            None if text.is_empty() => Message::Other,
            None => Message::Several { text },
        };
        Ok(Some((used, message)))
    }

    fn take_apart<'a>(
        &self,
        text: &'a [u8],
        handle: &mut dyn FnMut(Message<'a>) -> Result<()>,
    ) -> Result<()> {
        let array = text.strip_prefix(b"[");
        let Some(array) = array.and_then(|array| array.strip_suffix(b"]")) else {
            return self.one(text, handle);
        };
        let mut start = 0;
        for end in self.between.find_iter(array) {
            self.one(&array[start..=end], handle)?;
            start = end + 2;
        }
        self.one(&array[start..], handle)
    }

    /// Subscribes to the entity alone. Its module must have said the status before: an id that is not there is followed by no one.
    fn bind(&self, connection: usize, binding: usize, out: &mut Vec<u8>) {
        let (id, index) = (self.id(connection, binding), self.publisher.index(binding));
        let text = format!(
            r#"{{"type":"subscribe_entities","id":{id},"entity_ids":["sensor.load_load_{index}_s{binding}"]}}"#
        );
        frame(TEXT, text.as_bytes(), out);
    }

    /// One subscription has them all, and whatever else the building has.
    fn bind_all(&self, connection: usize, _: usize, out: &mut Vec<u8>) -> usize {
        let id = self.id(connection, 0);
        let text = format!(r#"{{"type":"subscribe_entities","id":{id}}}"#);
        frame(TEXT, text.as_bytes(), out);
        1
    }

    fn bind_all_has_later_ones(&self) -> bool {
        true
    }

    fn publish(&self, request: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let text = serde_json::Value::from(String::from_utf8_lossy(value)).to_string();
        self.publisher
            .publish(request, status, text.as_bytes(), out);
    }

    fn around(&self, status: usize) -> usize {
        let index = self.publisher.index(status);
        AROUND.len() + ESCAPES + format!("{index}_s{status}").len()
    }

    fn pong(&self, payload: &[u8], out: &mut Vec<u8>) {
        frame(PONG, payload, out);
    }

    fn publishers(&self) -> Option<&dyn Protocol> {
        Some(&self.publisher)
    }
}

#[cfg(test)]
mod tests {
    use memchr::memmem;

    use super::*;
    use crate::protocol::{Ids, Layout, Publishers, Stamp};

    const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    const REQUIRED: &str = r#"{"type":"auth_required","ha_version":"2025.4.0"}"#;
    const OK: &str = r#"{"type":"auth_ok","ha_version":"2025.4.0"}"#;

    fn protocol() -> HomeAssistant {
        let layout = Layout {
            ids: Ids::Alike,
            modules: 50,
            publishers: Publishers::Client,
            triggers: 0,
        };
        HomeAssistant::new(PlaceOs::new("load.secret", layout))
    }

    /// A server's frame, which is not masked.
    fn server_frame(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("short");
        [&[0x81, length], text.as_bytes()].concat()
    }

    fn taken_apart(text: &str) -> Result<Vec<String>> {
        let mut messages = Vec::new();
        protocol().take_apart(text.as_bytes(), &mut |message| {
            messages.push(match message {
                Message::Change { binding, value } => {
                    let stamp = Stamp::read(value).map(|stamp| stamp.sequence);
                    format!("change {binding} {stamp:?}")
                }
                Message::Done { request } => format!("done {request}"),
                Message::Other => "other".to_owned(),
                Message::Ping { .. } | Message::Members(_) | Message::Several { .. } => {
                    "not taken apart".to_owned()
                }
            });
            Ok(())
        })?;
        Ok(messages)
    }

    #[test]
    fn an_array_is_taken_apart_into_results_and_the_states_of_all_entities() {
        let text = concat!(
            r#"[{"id":1,"type":"result","success":true,"result":null},"#,
            r#"{"id":3,"type":"result","success":true,"result":null},"#,
            r#"{"id":3,"type":"event","event":{"a":{"#,
            r#""binary_sensor.load_load_1_connected":{"s":"on","a":{},"c":"01M","lc":1.5},"#,
            r#""sensor.load_load_1_s0":{"s":"{\"n\":7,\"t\":9,\"p\":\"\"}","a":{},"c":{"id":"01M","user_id":"u"},"lc":1.5},"#,
            r#""sensor.load_load_13_s62":{"s":"{\"n\":8,\"t\":9,\"p\":\"\"}","a":{},"c":"01M","lc":1.5},"#,
            r#""sensor.load_load_2_s1":{"s":"unknown","a":{},"c":"01M","lc":1.5}}}},"#,
            r#"{"id":3,"type":"event","event":{"c":{"sensor.load_load_1_s0":{"+":{"s":"{\"n\":9,\"t\":9,\"p\":\"\"}","c":"01M","lc":1.5}}}}}]"#,
        );
        assert_eq!(
            taken_apart(text).expect("messages"),
            [
                "other",
                "done 3",
                "change 0 Some(7)",
                "change 62 Some(8)",
                "change 0 Some(9)"
            ]
        );
    }

    #[test]
    fn a_message_outside_of_an_array_is_read_alike() {
        let text = r#"{"id":3,"type":"event","event":{"c":{"sensor.load_load_1_s0":{"+":{"s":"{\"n\":7,\"t\":9,\"p\":\"\"}","c":"01M","lc":1.5}}}}}"#;
        assert_eq!(taken_apart(text).expect("a message"), ["change 0 Some(7)"]);
    }

    #[test]
    fn a_change_of_attributes_alone_is_no_value() {
        let text = r#"{"id":3,"type":"event","event":{"c":{"sensor.load_load_1_s0":{"+":{"a":{"x":1},"c":"01M","lu":1.5}}}}}"#;
        assert_eq!(taken_apart(text).expect("a message"), [""; 0]);
    }

    #[test]
    fn what_was_not_asked_for_is_an_error() {
        let check = |text: &str| assert!(taken_apart(text).is_err(), "{text}");
        check(r#"{"id":3,"type":"result","success":false,"error":{"code":"x","message":"y"}}"#);
        check(r#"{"id":3,"type":"event","event":{"event_type":"state_changed"}}"#);
        check(r#"{"id":3,"type":"event","event":{"c":{"sensor.load_load_2_s0":{"+":{"s":"a"}}}}}"#);
        check(r#"[{"id":3,"type":"result","success":true,"result":null},{"type":"no"}]"#);
    }

    #[test]
    fn a_client_shows_its_token_once_and_is_greeted_when_it_is_let_in() {
        let protocol = protocol();
        let mut bytes = SWITCHING.as_bytes().to_vec();
        bytes.extend(server_frame(REQUIRED));
        let asked = bytes.len();
        bytes.extend(server_frame(OK));
        let mut out = Vec::new();
        for known in 0..bytes.len() {
            let greeted = protocol.greeted(3, Role::Client, &bytes[..known], &mut out);
            assert_eq!(greeted.expect("a greeting"), None, "{known} bytes");
            assert_eq!(out.is_empty(), known < asked, "{known} bytes");
        }
        let shown = out.len();
        let greeted = protocol.greeted(3, Role::Client, &bytes, &mut out);
        assert_eq!(greeted.expect("a greeting"), Some(bytes.len()));
        let features = memmem::find(&out, b"coalesce_messages").expect("it takes arrays");
        assert!(features > shown, "once it is let in");
        assert_eq!(memmem::find_iter(&out, b"access_token").count(), 1);
    }

    #[test]
    fn a_token_that_is_not_good_is_an_error() {
        let mut bytes = SWITCHING.as_bytes().to_vec();
        bytes.extend(server_frame(r#"{"type":"auth_invalid","message":"no"}"#));
        let greeted = protocol().greeted(3, Role::Client, &bytes, &mut Vec::new());
        assert!(greeted.is_err());
    }
}
