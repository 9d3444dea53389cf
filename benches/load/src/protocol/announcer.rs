//! A client of Home Assistant's that announces events and hears none: what triggers of riser's wait for.

use std::cell::RefCell;
use std::collections::HashSet;

use anyhow::{Result, bail};

use crate::protocol::websocket::{self, PONG, TEXT, frame};
use crate::protocol::{Message, Protocol, Role, number};

pub(crate) struct Announcer {
    token: String,
    /// The connections that have shown their token.
    signing_in: RefCell<HashSet<usize>>,
}

impl Announcer {
    pub(crate) fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            signing_in: RefCell::default(),
        }
    }
}

/// The event of a number.
pub(crate) fn event(number: usize) -> String {
    format!("event-{number}")
}

impl Protocol for Announcer {
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
            if text.starts_with(br#"{"type":"auth_ok""#) {
                return Ok(Some(at));
            }
            if !text.starts_with(br#"{"type":"auth_required""#) {
                bail!("no greeting: {}", String::from_utf8_lossy(text));
            }
            if self.signing_in.borrow_mut().insert(connection) {
                let text = format!(r#"{{"type":"auth","access_token":"{}"}}"#, self.token);
                frame(TEXT, text.as_bytes(), out);
            }
        }
        Ok(None)
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((used, text)) = websocket::text(bytes)? else {
            return Ok(None);
        };
        if let Some(payload) = websocket::ping(&bytes[..used]) {
            return Ok(Some((used, Message::Ping { payload })));
        }
        let id = text.strip_prefix(br#"{"id":"#).and_then(number);
        match id {
            Some((request, rest)) if rest.starts_with(br#","type":"result","success":true"#) => {
                Ok(Some((used, Message::Done { request })))
            }
            _ => bail!("an unexpected answer: {}", String::from_utf8_lossy(text)),
        }
    }

    /// It follows nothing.
    fn bind(&self, _: usize, _: usize, _: &mut Vec<u8>) {}

    /// Announces the event of the status's number, with the value as what it says.
    fn publish(&self, request: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let (event, value) = (event(status), String::from_utf8_lossy(value));
        let text = format!(
            r#"{{"id":{request},"type":"fire_event","event_type":"{event}","event_data":{{"value":{value}}}}}"#
        );
        frame(TEXT, text.as_bytes(), out);
    }

    fn pong(&self, payload: &[u8], out: &mut Vec<u8>) {
        frame(PONG, payload, out);
    }
}
