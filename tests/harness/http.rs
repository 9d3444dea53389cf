//! One plain HTTP request at a time, as text on a connection of its own.

use std::fmt::Write as _;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{DEADLINE, Endpoint, Key, specification, within};

/// A request that is still to be sent.
#[derive(Debug)]
#[must_use]
pub(crate) struct Request {
    endpoint: Endpoint,
    /// What stands in front of the path, and in no path of the specification.
    base_path: String,
    head: String,
    body: String,
}

impl Request {
    pub(crate) fn new(endpoint: impl Into<Endpoint>, method: &str, path: &str) -> Self {
        Self::below("", endpoint, method, path)
    }

    /// The same of a gateway whose paths begin with this one.
    pub(crate) fn below(
        base_path: &str,
        endpoint: impl Into<Endpoint>,
        method: &str,
        path: &str,
    ) -> Self {
        let endpoint = endpoint.into();
        let address = endpoint.address;
        let mut head = String::new();
        write!(
            head,
            "{method} {base_path}{path} HTTP/1.1\r\nHost: {address}\r\n"
        )
        .expect("text grows");
        Self {
            endpoint,
            base_path: base_path.to_owned(),
            head,
            body: String::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.head, "{name}: {value}\r\n").expect("text grows");
        self
    }

    /// Says another host than the address.
    pub(crate) fn host(mut self, host: &str) -> Self {
        let said = format!("Host: {}\r\n", self.endpoint.address);
        self.head = self.head.replacen(&said, &format!("Host: {host}\r\n"), 1);
        self
    }

    pub(crate) fn key(self, key: Key) -> Self {
        self.header("X-API-Key", key.0)
    }

    /// A JSON body.
    pub(crate) fn json(mut self, body: impl Into<Value>) -> Self {
        self.body = body.into().to_string();
        self.header("Content-Type", "application/json")
    }

    /// A form of these fields.
    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.header("Content-Type", "application/x-www-form-urlencoded")
    }

    /// A bearer token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// A body of any text.
    pub(crate) fn body(self, body: &str) -> Self {
        let body = body.to_owned();
        Self { body, ..self }
    }

    /// Sends it and waits for the whole answer, which has to be as the specification says.
    pub(crate) async fn send(self) -> Response {
        let base_path = self.base_path.clone();
        let line = self.head.lines().next().unwrap_or_default().to_owned();
        let response = self.fetch().await;
        specification::check(
            &line.replacen(&base_path, "", 1),
            response.status,
            &response.body,
        );
        response
    }

    /// The same for what no specification has: a file for browsers.
    pub(crate) async fn fetch(self) -> Response {
        let Self {
            endpoint,
            base_path: _,
            head,
            body,
        } = self;
        let line = head.lines().next().unwrap_or_default().to_owned();
        let length = body.len();
        let text = format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        let ask = async {
            let mut stream = endpoint.connect(None).await?;
            stream.write_all(text.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let what = || format!("the answer to {line}");
        let answer = within(DEADLINE, what, ask).await;
        let answer = answer.unwrap_or_else(|error| panic!("{line}: {error}"));
        Response::read(&answer).unwrap_or_else(|| {
            let answer = String::from_utf8_lossy(&answer);
            panic!("{line} was answered with {answer:?}")
        })
    }

    /// The same for an answer that may never come: its status, if there is one.
    pub(crate) async fn try_send(self) -> Option<u16> {
        let Self {
            endpoint,
            base_path: _,
            head,
            body,
        } = self;
        let length = body.len();
        let text = format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        let ask = async {
            let mut stream = endpoint.connect(None).await.ok()?;
            stream.write_all(text.as_bytes()).await.ok()?;
            let mut answer = Vec::new();
            // What came before the end is what counts.
            let _ = stream.read_to_end(&mut answer).await;
            Some(Response::read(&answer)?.status)
        };
        within(DEADLINE, || "an answer or the end".to_owned(), ask).await
    }

    /// Sends it and gives the JSON of a good answer.
    pub(crate) async fn ok(self) -> Value {
        let line = self.head.lines().next().unwrap_or_default().to_owned();
        let response = self.send().await;
        assert_eq!(response.status, 200, "{line}: {}", response.body);
        response.json()
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    /// Reads an answer and all that stands behind its head.
    pub(crate) fn read(answer: &[u8]) -> Option<Self> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&answer[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<Option<Vec<_>>>()?;
        let body = &answer[end + 4..];
        let is_chunked = headers
            .iter()
            .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if is_chunked {
            unchunked(body)?
        } else {
            body.to_vec()
        };
        Some(Self {
            status,
            headers,
            // What is compressed is not read.
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("the body {:?} is no JSON: {error}", self.body))
    }
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let chunk = rest.get(end + 2..end + 2 + size)?;
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}
