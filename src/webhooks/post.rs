//! One request to a receiver: a connection, the request, and the status of the answer.
//!
//! A receiver is asked at most once a second or for many events at a time, so no connection is kept.
//! No redirect is followed: whoever answers by one would learn what is sent to another.

use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::dialects::pusher::webhooks::Attempt;
use crate::model::Secret;
use crate::webhooks::address::Address;
use crate::webhooks::limits::{ANSWER_HEAD_MAX_BYTES, REQUEST_DEADLINE};

/// Why a receiver has not taken a request. No text holds its address.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// The request cannot be made.
    #[error("{0}")]
    Unusable(&'static str),
    /// No connection.
    #[error("could not connect ({0})")]
    Unreachable(io::Error),
    /// The connection ended, or its bytes are no HTTP.
    #[error("the connection broke off ({0})")]
    Broken(hyper::Error),
    /// It did not answer in time.
    #[error("there was no answer within {} s", REQUEST_DEADLINE.as_secs())]
    TimedOut,
    /// It answered so.
    #[error("it answered {0}")]
    Refused(StatusCode),
}

/// Sends requests.
pub(super) struct Poster {
    /// The authorities that are trusted; asked for at the first address with `https`.
    roots: fn() -> RootCertStore,
    tls: OnceLock<Option<Arc<ClientConfig>>>,
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

impl Poster {
    pub(super) fn new(roots: fn() -> RootCertStore) -> Self {
        let tls = OnceLock::new();
        Self { roots, tls }
    }

    /// Sends a request. Any status from 200 to 299 is success.
    pub(super) async fn post(&self, attempt: &Attempt) -> Result<(), PostError> {
        let address = Address::parse(&attempt.url).map_err(PostError::Unusable)?;
        let request = request(&address, attempt)?;
        let status = match timeout(REQUEST_DEADLINE, self.exchange(&address, request)).await {
            Ok(status) => status?,
            Err(_) => return Err(PostError::TimedOut),
        };
        match status.is_success() {
            true => Ok(()),
            false => Err(PostError::Refused(status)),
        }
    }

    async fn exchange(
        &self,
        address: &Address,
        request: Request<Full<Bytes>>,
    ) -> Result<StatusCode, PostError> {
        let stream = self
            .connect(address)
            .await
            .map_err(PostError::Unreachable)?;
        let (mut sender, driver) = http1::Builder::new()
            .max_buf_size(ANSWER_HEAD_MAX_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(PostError::Broken)?;
        let mut driver = pin!(driver);
        let mut answer = pin!(sender.send_request(request));
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            // What was read before the end is still to be handed over.
            _ended = &mut driver => answer.await,
        };
        answer
            .map(|answer| answer.status())
            .map_err(PostError::Broken)
    }

    async fn connect(&self, address: &Address) -> io::Result<Box<dyn Duplex>> {
        let stream = TcpStream::connect((&*address.host, address.port)).await?;
        if !address.is_encrypted {
            return Ok(Box::new(stream));
        }
        let tls = self.tls.get_or_init(|| client_config((self.roots)()));
        let tls = tls
            .as_ref()
            .ok_or_else(|| io::Error::other("TLS cannot be set up"))?;
        let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(tls));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

fn client_config(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Some(Arc::new(config))
}

fn request(address: &Address, attempt: &Attempt) -> Result<Request<Full<Bytes>>, PostError> {
    let mut request = Request::post(address.path.expose())
        .header(HOST, &address.authority)
        .header(USER_AGENT, concat!("riser/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header("X-Pusher-Key", &attempt.key)
        .header("X-Pusher-Signature", &attempt.signature);
    if let Some(shown) = &address.authorization {
        request = request.header(AUTHORIZATION, sensitive(shown)?);
    }
    let body = Full::new(Bytes::from(attempt.body.clone()));
    request
        .body(body)
        .map_err(|_| PostError::Unusable("its address is no URL"))
}

fn sensitive(shown: &Secret) -> Result<HeaderValue, PostError> {
    let mut value = HeaderValue::from_str(shown.expose())
        .map_err(|_| PostError::Unusable("the user in its address cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}
