//! Platypush's `POST /execute`: an action and its response, one after the other over a connection.
//!
//! The action is the procedure `echo`, which gives its argument back; riser and the original have it alike.

use std::cell::OnceCell;
use std::rc::Rc;

use anyhow::{Context, Result, bail};

use crate::protocol::http::{self, answer};
use crate::protocol::{Message, Protocol, Role};

/// The procedure as both servers are given it.
pub(crate) const PROCEDURE: &str = "echo";

/// The request that is the greeting. No other request has this number.
const GREETING: u64 = 1_000_000_000;

/// A token, which may come to be known when the server is up.
pub(crate) type Token = Rc<OnceCell<String>>;

pub(crate) struct Platypush {
    token: Token,
}

impl Platypush {
    pub(crate) fn new(token: Token) -> Self {
        Self { token }
    }

    fn execute(&self, request: u64, out: &mut Vec<u8>) {
        let token = self.token.get().map_or("", String::as_str);
        let body = format!(
            r#"{{"type":"request","action":"procedure.{PROCEDURE}","args":{{"value":{request}}},"id":{request}}}"#
        );
        let length = body.len();
        out.extend_from_slice(
            format!(
                "POST /execute HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        );
    }
}

impl Protocol for Platypush {
    fn greet(&self, out: &mut Vec<u8>) {
        self.execute(GREETING, out);
    }

    fn greeted(&self, _: usize, _: Role, bytes: &[u8], _: &mut Vec<u8>) -> Result<Option<usize>> {
        let Some(used) = answer(bytes)? else {
            return Ok(None);
        };
        match response(http::body(&bytes[..used]))? {
            GREETING => Ok(Some(used)),
            other => bail!("the first request was answered with the response of {other}"),
        }
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some(used) = answer(bytes)? else {
            return Ok(None);
        };
        let request = response(http::body(&bytes[..used]))?;
        Ok(Some((used, Message::Done { request })))
    }

    fn is_last(&self, answer: &[u8]) -> bool {
        http::is_last(answer)
    }

    /// A program follows nothing here.
    fn bind(&self, _: usize, _: usize, _: &mut Vec<u8>) {}

    /// Nor does it publish.
    fn publish(&self, _: u64, _: usize, _: &[u8], _: &mut Vec<u8>) {}

    fn echo(&self, request: u64, out: &mut Vec<u8>) -> Result<()> {
        self.execute(request, out);
        Ok(())
    }
}

/// The request whose response this is: it has to put out what it was given.
fn response(body: &[u8]) -> Result<u64> {
    #[derive(serde::Deserialize)]
    struct Response {
        id: u64,
        response: Outcome,
    }
    #[derive(serde::Deserialize)]
    struct Outcome {
        output: serde_json::Value,
        errors: Vec<String>,
    }
    let unexpected = || format!("an unexpected answer: {}", String::from_utf8_lossy(body));
    let Response { id, response } = serde_json::from_slice(body).with_context(unexpected)?;
    if !response.errors.is_empty() || response.output != serde_json::json!(id) {
        bail!(unexpected());
    }
    Ok(id)
}
