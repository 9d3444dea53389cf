//! Which gateway is meant, with which key, and the connections to it.
//!
//! The websocket and the requests over HTTP go over the same streams, so that TLS, deadlines and errors are the same for both.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};

use crate::client::contexts::{self, Context};
use crate::client::error::ClientError;
use crate::client::limits::CONNECT_DEADLINE;
use crate::client::tls;
use crate::model::Secret;

const DEFAULT_URL: &str = "http://127.0.0.1:3000";

const URL_VARIABLE: &str = "RISER_URL";
pub(super) const KEY_VARIABLE: &str = "RISER_API_KEY";

/// The flags of the command line that name the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayOptions {
    /// `--url`.
    url: Option<String>,
    /// `--key`.
    key: Option<Secret>,
    /// `--ca`: a file of certificates to trust in place of the system's.
    ca: Option<PathBuf>,
    /// `--context`: a gateway that was saved, where there is no `--url`.
    context: Option<String>,
}

impl GatewayOptions {
    /// As they were typed.
    pub fn new(url: Option<String>, key: Option<String>, ca: Option<PathBuf>) -> Self {
        Self {
            url,
            key: key.map(Secret::new),
            ca,
            context: None,
        }
    }

    /// The same for the gateway that was saved under this name.
    #[must_use]
    pub fn in_context(self, context: Option<String>) -> Self {
        Self { context, ..self }
    }

    /// The saved gateway that is meant: nothing that names a URL more closely stands beside it.
    fn saved(
        &self,
        environment: &BTreeMap<String, String>,
    ) -> Result<Option<Context>, ClientError> {
        let named = |name: &str| contexts::named(name, environment).map(Some);
        if self.url.is_some() {
            Ok(None)
        } else if let Some(name) = &self.context {
            named(name)
        } else if variable(environment, URL_VARIABLE).is_some() {
            Ok(None)
        } else if let Some(name) = variable(environment, contexts::VARIABLE) {
            named(name)
        } else {
            contexts::chosen(environment)
        }
    }
}

/// A variable that is set and not empty.
pub(super) fn variable<'e>(
    environment: &'e BTreeMap<String, String>,
    name: &str,
) -> Option<&'e str> {
    let value = environment.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

/// Whether these flags name a gateway.
pub(super) fn check(url: &str, key: Option<&str>) -> Result<(), ClientError> {
    Url::parse(url)?;
    key.map(header).transpose().map(drop)
}

/// A gateway, as far as it is needed to talk to it.
#[derive(Clone)]
pub(super) struct Gateway {
    url: Url,
    key: Option<HeaderValue>,
    tls: Option<Arc<ClientConfig>>,
}

/// A plain or an encrypted connection.
pub(super) type Stream = Box<dyn Duplex>;

/// What both kinds of connection can do.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

impl Gateway {
    /// The flags before the environment before what was saved before the default. Connects to nothing.
    ///
    /// A key that was saved goes to the gateway that it was saved with, and to no other.
    pub(super) fn new(
        options: &GatewayOptions,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ClientError> {
        let saved = options.saved(environment)?;
        let saved = saved.as_ref();
        let url = options.url.as_deref();
        let url = url
            .or_else(|| saved.map(|context| context.url.as_str()))
            .or_else(|| variable(environment, URL_VARIABLE));
        let url = Url::parse(url.unwrap_or(DEFAULT_URL))?;
        let key = options.key.as_ref().map(Secret::expose);
        let key = key
            .or_else(|| saved?.key.as_deref())
            .or_else(|| variable(environment, KEY_VARIABLE));
        let key = key.map(header).transpose()?;
        let ca = options.ca.as_deref().or_else(|| saved?.ca.as_deref());
        let tls = match url.scheme {
            Scheme::Plain => None,
            Scheme::Tls => Some(Arc::new(tls::client(ca)?)),
        };
        Ok(Self { url, key, tls })
    }

    /// The URL as one writes it, without a key.
    pub(super) fn url(&self) -> String {
        self.url.to_string()
    }

    /// What stands in a `Host` header.
    pub(super) fn authority(&self) -> &str {
        &self.url.authority
    }

    /// What stands in front of every path; empty for nothing.
    pub(super) fn base_path(&self) -> &str {
        &self.url.base_path
    }

    /// The API key, if there is one; marked so that nothing prints it.
    pub(super) fn key(&self) -> Option<&HeaderValue> {
        self.key.as_ref()
    }

    /// A new connection. Takes [`CONNECT_DEADLINE`] at most.
    pub(super) async fn connect(&self) -> Result<Stream, ClientError> {
        match timeout(CONNECT_DEADLINE, self.open()).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(self.not_connected(&error)),
            Err(_) => Err(self.unreachable("no answer")),
        }
    }

    /// The error for a gateway that does not answer, with the reason.
    pub(super) fn unreachable(&self, reason: impl ToString) -> ClientError {
        ClientError::Unreachable {
            url: self.url(),
            reason: reason.to_string(),
        }
    }

    async fn open(&self) -> io::Result<Stream> {
        let Url { host, port, .. } = &self.url;
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        // Each request is one small write, and its sender waits for the answer.
        stream.set_nodelay(true)?;
        let Some(config) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(config));
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    fn not_connected(&self, error: &io::Error) -> ClientError {
        let cause = error.get_ref();
        match cause.and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
            Some(error) => ClientError::Untrusted {
                url: self.url(),
                reason: tls::in_words(error),
            },
            None => self.unreachable(error),
        }
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

fn header(key: &str) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::from_str(key).map_err(|_| {
        let line =
            "the API key has characters in it that cannot be sent; check --key or RISER_API_KEY";
        ClientError::Usage(line.to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where a gateway listens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Url {
    scheme: Scheme,
    host: String,
    port: u16,
    authority: String,
    /// Empty, or a path without a slash at its end.
    base_path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Plain,
    Tls,
}

impl Url {
    /// Reads `http://host:port`, `https://host/path`, the same with `ws` and `wss`, or `host:port` alone.
    fn parse(text: &str) -> Result<Self, ClientError> {
        // What stands there is not repeated: it may hold a password.
        let wrong = |what: &str| {
            ClientError::Usage(format!(
                "the gateway's URL {what}; write it like http://127.0.0.1:3000 or https://rooms.example.org"
            ))
        };
        let text = text.trim();
        let whole = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let uri: Uri = whole.parse().map_err(|_| wrong("cannot be read"))?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("http" | "ws") => (Scheme::Plain, 80),
            Some("https" | "wss") => (Scheme::Tls, 443),
            Some(_) | None => return Err(wrong("must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong(
                "cannot have a user in it: the key goes into --key or RISER_API_KEY",
            ));
        }
        if uri.query().is_some() {
            return Err(wrong("cannot have a query"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(wrong("names no host"));
        }
        Ok(Self {
            scheme,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(default_port),
            authority: authority.as_str().to_owned(),
            base_path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Plain => "http",
            Scheme::Tls => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(&str, &str, u16), &str>) {
        let found = Url::parse(text).map(|url| (url.to_string(), url.host, url.port));
        let expect = expect.map(|(shown, host, port)| (shown.to_owned(), host.to_owned(), port));
        let end = "; write it like http://127.0.0.1:3000 or https://rooms.example.org";
        let expect = expect.map_err(|what| format!("the gateway's URL {what}{end}"));
        assert_eq!(found.map_err(|error| error.to_string()), expect, "{text}");
    }

    #[test]
    fn a_gateway_is_named_by_scheme_host_and_port() {
        check(
            "http://127.0.0.1:3000",
            Ok(("http://127.0.0.1:3000", "127.0.0.1", 3000)),
        );
        check(
            "https://rooms.example.org/",
            Ok(("https://rooms.example.org", "rooms.example.org", 443)),
        );
        check(
            "wss://rooms.example.org:8443",
            Ok(("https://rooms.example.org:8443", "rooms.example.org", 8443)),
        );
        check(
            "localhost:3000",
            Ok(("http://localhost:3000", "localhost", 3000)),
        );
        check("http://[::1]:80", Ok(("http://[::1]:80", "::1", 80)));
        check(" gateway ", Ok(("http://gateway", "gateway", 80)));
        check(
            "https://example.org/riser/",
            Ok(("https://example.org/riser", "example.org", 443)),
        );
        check("host/a/b", Ok(("http://host/a/b", "host", 80)));
    }

    #[test]
    fn what_is_no_gateway_is_refused_without_being_repeated() {
        check("ftp://host", Err("must begin with http:// or https://"));
        check(
            "http://user:hunter2@host",
            Err("cannot have a user in it: the key goes into --key or RISER_API_KEY"),
        );
        check("http://host?api-key=hunter2", Err("cannot have a query"));
        check("http://host/riser?x", Err("cannot have a query"));
        check("http://a b", Err("cannot be read"));
        check("", Err("cannot be read"));
    }

    #[test]
    fn flags_win_over_the_environment_and_the_environment_over_the_default() {
        let variables = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            owned.collect::<BTreeMap<_, _>>()
        };
        let both = variables(&[
            ("RISER_URL", "http://there:1"),
            ("RISER_API_KEY", "there.x"),
        ]);
        let flags = GatewayOptions {
            url: Some("http://here:2".to_owned()),
            key: Some(Secret::new("here.x")),
            ..GatewayOptions::default()
        };
        let key = |gateway: &Gateway| {
            gateway
                .key()
                .and_then(|key| key.to_str().ok())
                .map(str::to_owned)
        };

        let gateway = Gateway::new(&flags, &both).unwrap();
        assert_eq!(
            (gateway.url().as_str(), key(&gateway).as_deref()),
            ("http://here:2", Some("here.x"))
        );
        let gateway = Gateway::new(&GatewayOptions::default(), &both).unwrap();
        assert_eq!(
            (gateway.url().as_str(), key(&gateway).as_deref()),
            ("http://there:1", Some("there.x"))
        );
        let empty = variables(&[("RISER_URL", ""), ("RISER_API_KEY", "")]);
        let gateway = Gateway::new(&GatewayOptions::default(), &empty).unwrap();
        assert_eq!((gateway.url().as_str(), key(&gateway)), (DEFAULT_URL, None));
    }

    #[test]
    fn the_key_shows_nowhere() {
        let options = GatewayOptions {
            key: Some(Secret::new("id.hunter2")),
            ..GatewayOptions::default()
        };
        let gateway = Gateway::new(&options, &BTreeMap::new()).unwrap();
        assert!(!format!("{gateway:?} {options:?} {:?}", gateway.key()).contains("hunter2"));
        let broken = GatewayOptions {
            key: Some(Secret::new("id.hunter2\n")),
            ..GatewayOptions::default()
        };
        let error = Gateway::new(&broken, &BTreeMap::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the API key has characters in it that cannot be sent; check --key or RISER_API_KEY"
        );
    }
}
