//! Pusher's HTTP API, from the side of the server of a web site: signed requests, over one connection as far as that stays.
//!
//! One event is a request of its own; several are one batch.

use std::time::SystemTime;

use anyhow::Result;
use md5::{Digest, Md5};
use serde_json::json;

use crate::protocol::http::{self, answer};
use crate::protocol::pusher::signature::{hex, sign};
use crate::protocol::{APP, KEY, Message, NewValue, Protocol, Role, topic};

/// The event that a value comes in.
const EVENT: &str = "status";

/// The channel of the first request, in which nobody is: its answer is the server's greeting.
const NOBODYS: &str = "nobody";

pub(super) struct Api;

impl Protocol for Api {
    fn greet(&self, out: &mut Vec<u8>) {
        let event = json!({"name": EVENT, "channels": [NOBODYS], "data": "{}"});
        post("events", &event.to_string(), out);
    }

    fn greeted(&self, _: usize, _: Role, bytes: &[u8], _: &mut Vec<u8>) -> Result<Option<usize>> {
        answer(bytes)
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let answered = answer(bytes)?;
        Ok(answered.map(|used| (used, Message::Done { request: 0 })))
    }

    fn is_last(&self, answer: &[u8]) -> bool {
        http::is_last(answer)
    }

    /// A server follows nothing.
    fn bind(&self, _: usize, _: usize, _: &mut Vec<u8>) {}

    fn publish(&self, _: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        let data = String::from_utf8_lossy(value);
        let event = json!({"name": EVENT, "channels": [topic(status)], "data": data});
        post("events", &event.to_string(), out);
    }

    fn publish_all(&self, values: &[NewValue], out: &mut Vec<u8>) -> usize {
        match values {
            [] => return 0,
            [one] => self.publish(one.request, one.status, &one.value, out),
            several => {
                let event = |new: &NewValue| {
                    let data = String::from_utf8_lossy(&new.value);
                    json!({"name": EVENT, "channel": topic(new.status), "data": data})
                };
                let events: Vec<_> = several.iter().map(event).collect();
                post("batch_events", &json!({"batch": events}).to_string(), out);
            }
        }
        1
    }
}

/// Appends a request that is signed now.
fn post(resource: &str, body: &str, out: &mut Vec<u8>) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    post_at(seconds, resource, body, out);
}

fn post_at(seconds: u64, resource: &str, body: &str, out: &mut Vec<u8>) {
    let path = format!("/apps/{APP}/{resource}");
    let body_md5 = hex(&Md5::digest(body));
    let query =
        format!("auth_key={KEY}&auth_timestamp={seconds}&auth_version=1.0&body_md5={body_md5}");
    let signature = sign(&format!("POST\n{path}\n{query}"));
    let length = body.len();
    out.extend_from_slice(
        format!(
            "POST {path}?{query}&auth_signature={signature} HTTP/1.1\r\nHost: gateway\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    );
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::account::now;
    use crate::engine::Engine;
    use crate::protocol::tests::check_splits;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn answers_split_anywhere_are_the_same() {
        check_splits(
            &Api,
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nserver: x\r\n\r\n{}\
              HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:15\r\n\r\n{\"ok\":true}\r\n\r\n",
            &["done 0", "done 0"],
        );
    }

    #[test]
    fn a_connection_ends_behind_an_answer_that_says_so() {
        let check = |headers: &str, expected: bool| {
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: 17\r\n{headers}\r\nconnection: close");
            assert_eq!(Api.is_last(answer.as_bytes()), expected, "{headers}");
        };
        check("Connection: Close\r\n", true);
        check("connection: keep-alive\r\n", false);
        check("", false);
    }

    #[test]
    fn what_a_server_ends_goes_on_over_the_next_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let accepting = listener.try_clone().expect("the same listener");
        let served = thread::spawn(move || {
            for _ in 0..3 {
                let (mut stream, _) = accepting.accept().expect("a connection");
                let _ = stream.read(&mut [0; 4096]).expect("a request");
                let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(answer).expect("it is there");
            }
        });
        let mut engine = Engine::plain(address).expect("an engine");
        let opened = engine.open(&Api, Role::Publisher, 1, PATIENCE);
        opened.expect("the first answer is the greeting");
        for request in [1, 2] {
            let mut out = Vec::new();
            Api.publish(request, 0, b"{}", &mut out);
            engine.send(0, &out).expect("it is sent");
            let mut is_done = false;
            let give_up = now() + PATIENCE;
            while !is_done {
                let turn = engine.turn(&Api, &mut |_, message| {
                    is_done |= matches!(message, Message::Done { .. });
                    Ok(())
                });
                turn.expect("nothing is wrong");
                assert!(now() < give_up, "request {request} is not answered");
            }
        }
        served.join().expect("it has served three requests");
    }

    #[test]
    fn a_request_is_signed_over_its_path_its_query_and_its_body() {
        let mut out = Vec::new();
        post_at(1_760_000_000, "events", "{}", &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "POST /apps/1/events?auth_key=load&auth_timestamp=1760000000&auth_version=1.0\
             &body_md5=99914b932bd37a50b983c5e7c90ae93b\
             &auth_signature=6449f26d03a1acc57654d5b25c0f8eae4dff8649c93f175ec6f477532ce9ecf6 HTTP/1.1\r\nHost: gateway\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        );
    }

    #[test]
    fn several_values_are_one_request_in_their_order() {
        let values = [7, 8].map(|request| NewValue {
            request,
            status: 3,
            value: request.to_string().into_bytes(),
        });
        let mut out = Vec::new();
        assert_eq!(Api.publish_all(&values, &mut out), 1);
        let said = String::from_utf8_lossy(&out);
        let body = said.rsplit("\r\n").next().expect("a body");
        assert_eq!(
            body,
            r#"{"batch":[{"name":"status","channel":"s3","data":"7"},{"name":"status","channel":"s3","data":"8"}]}"#
        );
        assert_eq!(said.matches("POST ").count(), 1);
    }
}
