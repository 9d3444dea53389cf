//! Requests by HTTP/1.1, over one connection that is used again.
//!
//! The library speaks the protocol; here is what a device needs besides: bounds, credentials, redirects, and its place in the queue.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{sink, stream};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION};
use http::{Method, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};

use super::address::{Address, Security};
use super::command::Command;
use super::errors;
use super::headers::Headers;
use super::limits::{BODY_MAX_BYTES, REDIRECTS_MAX};
use super::link::{Connection, Link};
use super::message::Message;
use super::tcp::{self, Duplex};
use super::tls::{Tls, Trust};
use crate::Error;

/// What a path may not have as it is. The rest stays, since a driver has escaped what it fills in.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A device with an API at `http://HOST/PATH`, or at `https://HOST/PATH` with encryption; what requests ask for is added to the path.
///
/// One request is in flight at a time, since the servers in devices are small. A redirect of a `GET` to the same server is followed;
/// one that leads elsewhere is the answer, so credentials go nowhere else.
#[derive(Debug, Clone)]
pub struct Http {
    target: Arc<Target>,
    tls: Arc<Tls>,
}

/// Where requests go, and what each of them carries.
#[derive(Debug, Clone)]
struct Target {
    address: Address,
    headers: Headers,
}

impl Http {
    /// An API at this URI.
    pub fn new(uri: &str) -> Result<Self, Error> {
        let schemes = [
            ("http", Security::Plain, Some(80)),
            ("https", Security::Tls, Some(443)),
        ];
        let address = Address::parse(uri, &schemes)?;
        let headers = Headers::default();
        Ok(Self {
            target: Arc::new(Target { address, headers }),
            tls: Arc::default(),
        })
    }

    /// Sends a user's name and password with every request.
    pub fn basic(mut self, username: &str, password: &str) -> Result<Self, Error> {
        self.headers().basic(username, password)?;
        Ok(self)
    }

    /// Sends a token with every request.
    pub fn bearer(mut self, token: &str) -> Result<Self, Error> {
        self.headers().bearer(token)?;
        Ok(self)
    }

    /// Sends a header with every request.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.headers().set(name, value)?;
        Ok(self)
    }

    /// Whose certificates are believed with `https://`, the system's authorities if nothing is said.
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        Self {
            tls: Arc::new(Tls::new(trust)),
            ..self
        }
    }

    fn headers(&mut self) -> &mut Headers {
        &mut Arc::make_mut(&mut self.target).headers
    }
}

impl Link<Request, Response> for Http {
    fn open(&self) -> BoxFuture<'_, Result<Connection<Request, Response>, Error>> {
        Box::pin(async {
            let stream = tcp::connect(&self.target.address, &self.tls).await?;
            let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
            // One request is in flight at a time, so one place is enough.
            let (requests, waiting) = mpsc::channel(1);
            let exchange = Exchange {
                target: Arc::clone(&self.target),
                sender,
                driver: Some(Box::pin(driver)),
                waiting,
            };
            let incoming = stream::try_unfold(exchange, |mut exchange| async {
                let response = exchange.next().await?;
                Ok(response.map(|response| (response, exchange)))
            });
            let outgoing = sink::unfold(requests, |requests, request| async {
                let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
                let (taken, is_taken) = oneshot::channel();
                let sent = requests.send((request, taken)).await;
                sent.map_err(|_| gone())?;
                is_taken.await.map_err(|_| gone())?;
                Ok(requests)
            });
            Ok(Connection::messages(incoming, outgoing))
        })
    }

    /// Servers close what is idle, and a connection without a request would keep a small one from others.
    fn rests(&self) -> bool {
        true
    }

    /// Many servers close after each answer, and the next request may have been on its way to the connection by then.
    fn sends_at_once(&self) -> bool {
        true
    }
}

/// A request to a device. `GET`, `HEAD`, `PUT` and `DELETE` may be sent again when their connection breaks, as HTTP says of them.
#[derive(Clone)]
pub struct Request {
    method: Method,
    path: String,
    headers: Headers,
    body: Bytes,
}

impl Request {
    /// A request with this method for this path, which is added to that of the device. What stands in it is escaped already.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Headers::default(),
            body: Bytes::new(),
        }
    }

    /// A request that reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A request that does something each time it is sent.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// A request that puts something in its place.
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// A request that changes a part.
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// A request that removes.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// The request with another header.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.headers.set(name, value)?;
        Ok(self)
    }

    /// The request with a body, whose type is a header.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Bytes::from(body.into());
        self
    }

    /// The request with a value as its body, in JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(value)?;
        Ok(self
            .header(CONTENT_TYPE.as_str(), "application/json")?
            .body(body))
    }
}

impl From<Request> for Command<Request, Response> {
    fn from(request: Request) -> Self {
        let retries = u32::from(request.method.is_idempotent());
        Self::of(request).idempotent(retries)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths and bodies carry values, and some devices take their password in the path.
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// What a device answered.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    /// `None` if it was longer than allowed.
    body: Option<Message>,
}

impl Response {
    /// Its status, such as 200.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header of it, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of an answer that is no error. An answer of 400 or more is one, with its number as the code.
    pub fn body(self) -> Result<Message, Error> {
        let status = self.status.as_u16();
        if status >= 400 {
            let refused = format_args!("the device answered {status}");
            return Err(Error::new(refused).with_code(status));
        }
        self.body.ok_or_else(|| {
            let mib = BODY_MAX_BYTES / (1024 * 1024);
            Error::new(format_args!(
                "the answer of the device is longer than {mib} MiB"
            ))
        })
    }

    /// The body of an answer that is no error, as JSON.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let body = self.body()?;
        serde_json::from_slice(&body)
            .map_err(|_| Error::new("the answer of the device is not the JSON that is expected"))
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// One connection to a server.
struct Exchange {
    target: Arc<Target>,
    sender: SendRequest<Full<Bytes>>,
    /// The library's side of the connection; `None` once it has ended.
    driver: Option<Driver>,
    /// The next request, with what is told when it goes out.
    waiting: mpsc::Receiver<(Request, oneshot::Sender<()>)>,
}

type Driver = Pin<Box<http1::Connection<TokioIo<Box<dyn Duplex>>, Full<Bytes>>>>;

impl Exchange {
    /// Sends the next request and gives its answer; `None` at the end of the connection.
    async fn next(&mut self) -> io::Result<Option<Response>> {
        let Some(driver) = &mut self.driver else {
            return Ok(None);
        };
        let request = tokio::select! {
            biased;
            end = driver => return end.map(|()| None).map_err(broken),
            request = self.waiting.recv() => match request {
                Some((request, taken)) => {
                    // Whether anybody still waits is seen by the actor.
                    let _ = taken.send(());
                    request
                }
                None => return Ok(None),
            },
        };
        let mut path = self.target.path_of(&request);
        for _ in 0..REDIRECTS_MAX {
            let response = self.ask(&request, &path).await?;
            match self.target.redirect(&request, &path, &response) {
                Some(next) => path = next,
                None => return Ok(Some(response)),
            }
        }
        Err(io::Error::other("it leads from one redirect to the next"))
    }

    async fn ask(&mut self, request: &Request, path: &str) -> io::Result<Response> {
        let Self {
            target,
            sender,
            driver,
            ..
        } = self;
        let request = target.request(request, path)?;
        let answering = async {
            sender.ready().await.map_err(broken)?;
            let response = sender.send_request(request).await.map_err(broken)?;
            let (parts, body) = response.into_parts();
            let body = match Limited::new(body, BODY_MAX_BYTES).collect().await {
                Ok(body) => Some(Message::from(body.to_bytes().to_vec())),
                Err(error) if error.is::<LengthLimitError>() => None,
                Err(error) => return Err(io::Error::other(error)),
            };
            Ok(Response {
                status: parts.status,
                headers: parts.headers,
                body,
            })
        };
        let mut answering = Box::pin(answering);
        let response = loop {
            // The library moves the bytes, and may end with them: with the last ones of an answer, or instead of it.
            match driver {
                Some(moving) => tokio::select! {
                    biased;
                    response = &mut answering => break response,
                    _ = moving => *driver = None,
                },
                None => break answering.await,
            }
        }?;
        if response.body.is_none() {
            // What is left of it would take longer than another connection.
            self.driver = None;
        }
        Ok(response)
    }
}

impl Target {
    fn path_of(&self, request: &Request) -> String {
        let base = self.address.path.trim_end_matches('/');
        let path = utf8_percent_encode(&request.path, NOT_IN_A_PATH).to_string();
        match path.as_str() {
            "" if base.is_empty() => "/".to_owned(),
            "" => self.address.path.clone(),
            path if path.starts_with('/') => format!("{base}{path}"),
            path => format!("{base}/{path}"),
        }
    }

    fn request(&self, request: &Request, path: &str) -> io::Result<http::Request<Full<Bytes>>> {
        let wrong = |_| io::Error::other("the path of the request is not one of HTTP");
        let uri: Uri = path.parse().map_err(wrong)?;
        let host = HeaderValue::from_str(&self.address.authority).map_err(io::Error::other)?;
        let mut ready = http::Request::new(Full::new(request.body.clone()));
        *ready.method_mut() = request.method.clone();
        *ready.uri_mut() = uri;
        let headers = ready.headers_mut();
        headers.insert(HOST, host);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if request.body.is_empty() && request.method != Method::GET {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        self.headers.add_to(headers);
        request.headers.add_to(headers);
        Ok(ready)
    }

    /// Where a redirect leads, if it is to be followed.
    fn redirect(&self, request: &Request, path: &str, response: &Response) -> Option<String> {
        let is_followed = request.method == Method::GET && response.status.is_redirection();
        let location: Uri = response
            .header(LOCATION.as_str())
            .filter(|_| is_followed)?
            .parse()
            .ok()?;
        let next = location.path_and_query()?.as_str();
        let Some(authority) = location.authority() else {
            return (next != path && next.starts_with('/')).then(|| next.to_owned());
        };
        let (scheme, port) = match self.address.security {
            Security::Plain => ("http", 80),
            Security::Tls => ("https", 443),
        };
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let is_same = location.scheme_str() == Some(scheme)
            && host.eq_ignore_ascii_case(&self.address.host)
            && authority.port_u16().unwrap_or(port) == self.address.port;
        is_same.then(|| next.to_owned())
    }
}

fn broken(error: hyper::Error) -> io::Error {
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
    match cause {
        Some(cause) => io::Error::new(io::Error::kind(cause), errors::in_words(cause)),
        None if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => {
            io::ErrorKind::UnexpectedEof.into()
        }
        None => io::Error::other(format!("it breaks the protocol: {error}")),
    }
}
