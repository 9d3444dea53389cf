//! Plain requests to a gateway's REST resources, over one connection that is kept from request to request.

use std::pin::Pin;
use std::pin::pin;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::client::answer;
use crate::client::error::ClientError;
use crate::client::gateway::{Gateway, Stream};
use crate::client::limits::{ANSWER_DEADLINE, ANSWER_MAX_BYTES};

/// Where the resources stand.
const ROOT: &str = "/api/engine/v2";

/// The header that carries the key, so that the key is in no URL that a proxy logs.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How many items a list has in all its parts.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// What may stand in a path as it is; ids have `-`, `_` and `~` in them.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'.');

/// A resource's path and query, made of parts that may have any character in them.
#[derive(Debug, Clone)]
pub(super) struct Resource(String);

impl Resource {
    /// The resource at these parts of a path.
    pub(super) fn at<const N: usize>(parts: [&str; N]) -> Self {
        let mut target = ROOT.to_owned();
        for part in parts {
            target.push('/');
            target.extend(utf8_percent_encode(part, PLAIN));
        }
        Self(target)
    }

    /// Whether the gateway should get traffic, which is asked beside the resources and needs no key.
    pub(super) fn readiness() -> Self {
        Self("/readyz".to_owned())
    }

    /// With this in the query.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(match self.0.contains('?') {
            true => '&',
            false => '?',
        });
        self.0.extend(utf8_percent_encode(name, PLAIN));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, PLAIN));
        self
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What a gateway says of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is there, or the gateway does not say.
    NotAbsent,
    /// It is not, in the gateway's words.
    Absent(String),
}

/// A client of one gateway's REST resources.
pub(super) struct Rest<'g> {
    gateway: &'g Gateway,
    open: Option<Open>,
}

/// A connection. No task drives it, so it moves only while a request is under way.
struct Open {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<http1::Connection<TokioIo<Stream>, Full<Bytes>>>>,
}

impl<'g> Rest<'g> {
    /// Connects at the first request.
    pub(super) fn new(gateway: &'g Gateway) -> Self {
        Self {
            gateway,
            open: None,
        }
    }

    /// Reads a resource; `what` names it in an error.
    pub(super) async fn get<T: DeserializeOwned>(
        &mut self,
        what: &str,
        resource: Resource,
    ) -> Result<T, ClientError> {
        let answer = self.send(what, Method::GET, resource, Bytes::new()).await?;
        self.read(&answer)
    }

    /// Reads all parts of a list.
    pub(super) async fn list<T: DeserializeOwned>(
        &mut self,
        what: &str,
        resource: Resource,
        page: usize,
    ) -> Result<Vec<T>, ClientError> {
        let mut items: Vec<T> = Vec::new();
        loop {
            let part = resource
                .clone()
                .with("limit", &page.to_string())
                .with("offset", &items.len().to_string());
            let answer = self.send(what, Method::GET, part, Bytes::new()).await?;
            let total = answer.total();
            let more: Vec<T> = self.read(&answer)?;
            let ended = more.is_empty();
            items.extend(more);
            if ended || items.len() >= total.unwrap_or(0) {
                return Ok(items);
            }
        }
    }

    /// Whether a resource is there.
    pub(super) async fn look_for(&mut self, resource: Resource) -> Result<Presence, ClientError> {
        let answer = self.ask(Method::GET, resource, Bytes::new()).await?;
        let said = answer::words(&answer.body);
        Ok(match (answer.status, said) {
            (StatusCode::NOT_FOUND, Some(said)) => Presence::Absent(said),
            _ => Presence::NotAbsent,
        })
    }

    /// Sends a request and waits for a good answer; a refusal is an error. A request is never sent twice.
    pub(super) async fn send(
        &mut self,
        what: &str,
        method: Method,
        resource: Resource,
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let answer = self.ask(method, resource, body).await?;
        match answer.status.is_success() {
            true => Ok(answer),
            false => {
                let Answer { status, body, .. } = answer;
                Err(answer::refused(self.gateway, what, status, &body))
            }
        }
    }

    async fn ask(
        &mut self,
        method: Method,
        resource: Resource,
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{}", self.gateway.base_path(), resource.0))
            .header(HOST, self.gateway.authority());
        if let Some(key) = self.gateway.key() {
            request = request.header(API_KEY, key);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| ClientError::Usage(error.to_string()))?;
        let open = match self.open.take() {
            Some(open) => open,
            None => self.connect().await?,
        };
        let answer = timeout(ANSWER_DEADLINE, open.exchange(request)).await;
        let answer = answer.map_err(|_| self.gateway.unreachable("no answer"))?;
        let (answer, open) = answer.map_err(|error| self.broken(&error))?;
        self.open = open;
        Ok(answer)
    }

    async fn connect(&self) -> Result<Open, ClientError> {
        let stream = self.gateway.connect().await?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.gateway.unreachable(error))?;
        Ok(Open {
            sender,
            driver: Box::pin(driver),
        })
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, ClientError> {
        serde_json::from_slice(&answer.body).map_err(|error| self.no_gateway(&error))
    }

    fn broken(&self, error: &Broken) -> ClientError {
        match error {
            Broken::Connection(error) if error.is_parse() => self.no_gateway(error),
            Broken::Connection(error) => self.gateway.unreachable(error),
            Broken::Body(reason) => self.gateway.unreachable(reason),
        }
    }

    fn no_gateway(&self, reason: &impl ToString) -> ClientError {
        ClientError::NoGateway {
            url: self.gateway.url(),
            reason: reason.to_string(),
        }
    }
}

enum Broken {
    Connection(hyper::Error),
    Body(String),
}

impl Open {
    /// Asks, and hands the stream back if it can be used again.
    async fn exchange(
        self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Answer, Option<Self>), Broken> {
        let Self {
            mut sender,
            mut driver,
        } = self;
        let answer = {
            let mut answer = pin!(async {
                let response = sender.send_request(request).await;
                collect(response.map_err(Broken::Connection)?).await
            });
            tokio::select! {
                biased;
                answer = &mut answer => answer?,
                _ = &mut driver => {
                    // Trap: what it has not taken it gives back only when it is dropped.
                    drop(driver);
                    // What has been read before the end is still to be handed over.
                    return Ok((answer.await?, None));
                }
            }
        };
        Ok((answer, Some(Self { sender, driver })))
    }
}

async fn collect(response: Response<Incoming>) -> Result<Answer, Broken> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_MAX_BYTES);
    let body = body
        .collect()
        .await
        .map_err(|error| Broken::Body(error.to_string()))?;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.to_bytes(),
    })
}

impl Answer {
    pub(super) fn into_body(self) -> Bytes {
        self.body
    }

    fn total(&self) -> Option<usize> {
        self.headers.get(TOTAL_COUNT)?.to_str().ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_id_fits_into_a_path_and_any_text_into_a_query() {
        let resource = Resource::at(["systems", "sys-1_~", "A/B c?ü"]);
        assert_eq!(
            resource.0,
            "/api/engine/v2/systems/sys-1_~/A%2FB%20c%3F%C3%BC"
        );
        assert_eq!(
            Resource::at(["systems"])
                .with("q", "a&b =")
                .with("limit", "5")
                .0,
            "/api/engine/v2/systems?q=a%26b%20%3D&limit=5"
        );
    }
}
