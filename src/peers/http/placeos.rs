//! The API of a PlaceOS, asked about API keys that are its own.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, StatusCode};
use tokio::time::Instant;
use tokio_rustls::rustls::{self, RootCertStore};

use crate::model::{JsonText, NodeUri, Secret};
use crate::peers::http::address::Address;
use crate::peers::http::connect::Connector;
use crate::peers::http::exchange::{Answer, Ask};
use crate::peers::http::metrics::PeersMetrics;
use crate::peers::http::node::Node;
use crate::peers::limits::INSPECT_DEADLINE;
use crate::peers::{KeyInspector, PeerError};

/// The path at which PlaceOS says what a key opens.
const INSPECT: &str = "/api/engine/v2/api_keys/inspect";

/// The header that a key is shown in.
const API_KEY: &str = "X-API-Key";

/// The API of a PlaceOS.
pub struct PlaceOsApi(Arc<Inner>);

struct Inner {
    node: Node,
    connector: Connector,
    metrics: PeersMetrics,
}

/// Why a PlaceOS cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOsApiError {
    /// Its address cannot be used.
    #[error("`placeos_api`: {0}")]
    Address(&'static str),
    /// TLS cannot be set up.
    #[error("`placeos_api`: TLS cannot be set up ({0})")]
    Tls(#[from] rustls::Error),
}

impl PlaceOsApi {
    /// The PlaceOS at an address such as `http://api:3000`; `roots` are the trusted authorities where that is `https`.
    pub fn new(address: &NodeUri, roots: RootCertStore) -> Result<Self, PlaceOsApiError> {
        let address = Address::parse(address).map_err(PlaceOsApiError::Address)?;
        Ok(Self(Arc::new(Inner {
            node: Node::new(address),
            connector: Connector::new(roots)?,
            metrics: PeersMetrics::new(),
        })))
    }
}

impl Inner {
    async fn inspect(&self, key: &Secret) -> Result<Option<JsonText>, PeerError> {
        let Ok(mut shown) = HeaderValue::from_str(key.expose()) else {
            // A text that cannot stand in a header is no key.
            return Ok(None);
        };
        // So that nothing prints it.
        shown.set_sensitive(true);
        let ask: Ask = Request::builder()
            .uri(INSPECT)
            .header(HOST, &self.node.address.authority)
            .header(API_KEY, shown)
            .body(Default::default())
            .map_err(|error| PeerError::Unreachable(error.to_string()))?;
        let deadline = Instant::now() + INSPECT_DEADLINE;
        let answer = self
            .node
            .ask(&self.connector, &self.metrics, ask, deadline)
            .await?;
        payload(&answer)
    }
}

/// What the answer says of the key.
fn payload(answer: &Answer) -> Result<Option<JsonText>, PeerError> {
    match answer.status {
        StatusCode::OK => {
            let text = String::from_utf8_lossy(&answer.body);
            let payload = JsonText::parse(&text)
                .map_err(|_| PeerError::Unexpected("what is no JSON".to_owned()))?;
            Ok(Some(payload))
        }
        // A key whose scopes do not open this opens nothing here either.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
        status => Err(PeerError::Unexpected(status.to_string())),
    }
}

impl KeyInspector for PlaceOsApi {
    fn inspect(&self, key: &Secret) -> BoxFuture<'static, Result<Option<JsonText>, PeerError>> {
        let (inner, key) = (Arc::clone(&self.0), key.clone());
        async move { inner.inspect(&key).await }.boxed()
    }
}

impl fmt::Debug for PlaceOsApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceOsApi").finish_non_exhaustive()
    }
}
