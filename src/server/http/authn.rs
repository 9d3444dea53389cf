//! Whether somebody may come in: the one function behind REST and websockets.

use std::net::IpAddr;

use actix_http::RequestHead;
use actix_http::header::{
    CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use actix_http::{StatusCode, header::CONNECTION};
use actix_web::HttpResponse;
use serde::Serialize;

use crate::core::Caller;
use crate::dialects::placeos::errors;
use crate::dialects::placeos::rest::{
    self, Carrier, DoorRefusal, ErrorShape, Presented, Query, origin_is_foreign, presented,
};
use crate::model::Failure;
use crate::server::ServerState;
use crate::server::admission::{AdmissionPhase, TurnedAway};

pub(in crate::server) use crate::dialects::placeos::rest::SocketQuery;

/// Where PlaceOS's clients open their websocket; the second is its predecessor's.
pub(super) const WEBSOCKET_PATHS: [&str; 2] =
    ["/api/engine/v2/systems/control", "/control/websocket"];

/// Whether a path is a websocket's. A trailing slash is as good as none.
pub(in crate::server) fn is_websocket_path(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    WEBSOCKET_PATHS.contains(&path)
}

/// A plain HTTP answer to somebody who does not come in.
#[derive(Debug)]
pub(in crate::server) struct HttpRejection {
    pub(in crate::server) status: StatusCode,
    pub(in crate::server) headers: Vec<(HeaderName, HeaderValue)>,
    pub(in crate::server) body: String,
}

impl HttpRejection {
    /// A refusal without a body.
    pub(in crate::server) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A refusal with a plain text.
    pub(in crate::server) fn text(status: StatusCode, body: &str) -> Self {
        Self {
            status,
            headers: vec![(
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            )],
            body: body.to_owned(),
        }
    }

    /// A refusal with PlaceOS's error body.
    pub(in crate::server) fn json(status: StatusCode, message: &str) -> Self {
        Self::json_body(status, &ErrorShape::new(message))
    }

    /// A refusal with a body of its own shape.
    pub(in crate::server) fn json_body<T: Serialize>(status: StatusCode, body: &T) -> Self {
        Self {
            status,
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: serde_json::to_string(body).unwrap_or_default(),
        }
    }

    /// The refusal as actix sends it.
    pub(in crate::server) fn to_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(self.body.clone())
    }

    /// The same refusal with one more header.
    pub(in crate::server) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl From<Failure> for HttpRejection {
    fn from(failure: Failure) -> Self {
        let status = StatusCode::from_u16(errors::http_status(&failure))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::FORBIDDEN {
            return Self::empty(status);
        }
        Self::json(status, &errors::message(&failure))
    }
}

impl From<TurnedAway> for HttpRejection {
    fn from(turned_away: TurnedAway) -> Self {
        Self::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &format!("{turned_away}; try again later"),
        )
    }
}

impl std::fmt::Display for HttpRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)
    }
}

/// Why nobody is served yet, or `None`.
pub(in crate::server) fn closed(state: &ServerState) -> Option<HttpRejection> {
    let starting = state.admission.phase() == AdmissionPhase::Starting;
    starting.then(|| {
        HttpRejection::from(TurnedAway::Starting)
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    })
}

/// Finds out what has to be asked for elsewhere before [`authenticate`] can know who sends this request.
pub(in crate::server) async fn recognise(state: &ServerState, head: &RequestHead) {
    let presented = presented_in(head);
    state.core.recognise(&presented.credentials).await;
}

fn presented_in(head: &RequestHead) -> Presented {
    let query = Query::parse(head.uri.query().unwrap_or_default());
    presented(
        |name| head.headers.get(name).map(HeaderValue::as_bytes),
        &query,
    )
}

/// Who sends this request. A cookie is believed only when it was not a foreign page that made the browser send it.
pub(in crate::server) fn authenticate(
    state: &ServerState,
    head: &RequestHead,
    address: IpAddr,
) -> Result<Caller, HttpRejection> {
    let presented = presented_in(head);
    let caller = state
        .core
        .authenticate(&presented.credentials, address)
        .inspect_err(|_| state.metrics.not_let_in.increment(1))?;
    if presented.carrier == Some(Carrier::Cookie) && is_foreign(state, head) {
        state.metrics.not_let_in.increment(1);
        tracing::warn!(
            target: "audit", user = %caller.user().id, key = %caller.credential(), %address,
            origin = text(head, ORIGIN), "refused: a foreign page sent a cookie"
        );
        return Err(HttpRejection::empty(StatusCode::FORBIDDEN));
    }
    Ok(caller)
}

/// Whether a page asks that is neither of the origin that it calls nor of one that the settings allow.
pub(super) fn is_foreign(state: &ServerState, head: &RequestHead) -> bool {
    let origin = text(head, ORIGIN);
    origin_is_foreign(origin, text(head, HOST))
        && !origin.is_some_and(|origin| is_allowed_origin(state, origin))
}

/// Whether the settings allow the pages of an origin.
pub(super) fn is_allowed_origin(state: &ServerState, origin: &str) -> bool {
    let mut allowed = state.settings.allowed_origins.iter();
    allowed.any(|allowed| allowed == origin)
}

/// The credentials are good and do not open this part of the API.
pub(in crate::server) fn out_of_scope(
    state: &ServerState,
    caller: &Caller,
    part: &str,
) -> HttpRejection {
    forbidden(state, caller, part, "the key's scopes do not open this")
}

/// The credentials open this part of the API, for callers of a higher clearance.
pub(super) fn too_low(state: &ServerState, caller: &Caller, part: &str) -> HttpRejection {
    forbidden(state, caller, part, "this needs a higher clearance")
}

/// The key is restricted to what this is not part of.
pub(super) fn out_of_reach(state: &ServerState, caller: &Caller, what: &str) -> HttpRejection {
    forbidden(state, caller, what, "this key does not reach that")
}

fn forbidden(state: &ServerState, caller: &Caller, part: &str, reason: &str) -> HttpRejection {
    state.metrics.not_let_in.increment(1);
    tracing::warn!(
        target: "audit",
        user = %caller.user().id, key = %caller.credential(), address = %caller.address(), part, reason,
        "refused"
    );
    HttpRejection::empty(StatusCode::FORBIDDEN)
}

/// Who opens a websocket, and what its URL says: 401, then 403, then 426, in PlaceOS's order.
pub(in crate::server) fn enter_websocket(
    state: &ServerState,
    head: &RequestHead,
    address: IpAddr,
) -> Result<(Caller, SocketQuery), HttpRejection> {
    let caller = authenticate(state, head, address)?;
    let entered = rest::enter_websocket(
        caller.scopes(),
        text(head, UPGRADE),
        list(head, CONNECTION).as_deref(),
    );
    match entered {
        Ok(()) => {
            let query = Query::parse(head.uri.query().unwrap_or_default());
            Ok((caller, SocketQuery::read(&query)))
        }
        Err(DoorRefusal::Forbidden) => Err(out_of_scope(state, &caller, "the websocket")),
        Err(DoorRefusal::UpgradeRequired) => Err(upgrade_required(
            "this is a websocket: connect to it with an upgrade",
        )),
    }
}

/// The answer to a request for a websocket's path that is no handshake we know.
pub(in crate::server) fn upgrade_required(message: &str) -> HttpRejection {
    HttpRejection::text(StatusCode::UPGRADE_REQUIRED, message)
        .with_header(UPGRADE, HeaderValue::from_static("websocket"))
        .with_header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
}

/// A header that may come in several lines, which mean the same as one (RFC 9110 section 5.3).
fn list(head: &RequestHead, name: HeaderName) -> Option<String> {
    let lines: Vec<&str> = head
        .headers
        .get_all(name)
        .map(|value| value.to_str().unwrap_or("\u{fffd}"))
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn text(head: &RequestHead, name: HeaderName) -> Option<&str> {
    // A header that is no text is one that nobody may trust, so it must not look absent.
    head.headers
        .get(name)
        .map(|value| value.to_str().unwrap_or("\u{fffd}"))
}
