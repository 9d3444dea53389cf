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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tests::check_splits;

    fn platypush() -> Platypush {
        Platypush::new(Token::new("load.secret".to_owned().into()))
    }

    fn answered(body: &str) -> Vec<u8> {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
    }

    fn responded(id: u64, output: &str, errors: &str) -> Vec<u8> {
        answered(&format!(
            r#"{{"id": {id}, "type": "response", "response": {{"output": {output}, "errors": {errors}}}}}"#
        ))
    }

    #[test]
    fn responses_split_anywhere_are_the_same() {
        let both = [responded(7, "7", "[]"), responded(8, "8", "[]")].concat();
        check_splits(&platypush(), &both, &["done 7", "done 8"]);
    }

    #[test]
    fn a_response_that_puts_out_something_else_or_nothing_is_an_error() {
        for answer in [
            responded(7, "8", "[]"),
            responded(7, r#"{"success": false}"#, r#"["unknown"]"#),
            answered("{}"),
        ] {
            let text = String::from_utf8_lossy(&answer).into_owned();
            assert!(platypush().read(&answer).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_asked_has_the_token_and_the_number_as_its_argument() {
        let mut out = Vec::new();
        platypush().echo(7, &mut out).expect("it has calls");
        let said = String::from_utf8_lossy(&out);
        assert!(
            said.contains("\r\nAuthorization: Bearer load.secret\r\n"),
            "{said}"
        );
        let body = r#"{"type":"request","action":"procedure.echo","args":{"value":7},"id":7}"#;
        assert!(said.ends_with(body), "{said}");
    }
}
