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
    self, ErrorShape, Presented, Query, origin_is_foreign, presented,
};
use crate::dialects::{
    Admission, Carrier, CloseFrame, DialectKind, Handshake, Head, Hello, Rejection,
};
use crate::model::{CloseReason, Credentials, Failure, FailureKind};
use crate::server::ServerState;
use crate::server::admission::{AdmissionPhase, TurnedAway};
use crate::server::http::health::is_health_path;
use crate::server::http::node_api::is_core_path;

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

/// Why nobody is served yet, or `None`. What operators ask is answered from the beginning.
pub(in crate::server) fn closed(state: &ServerState, path: &str) -> Option<HttpRejection> {
    let starting = state.admission.phase() == AdmissionPhase::Starting && !is_health_path(path)
        // Other nodes are told by each resource what it cannot do yet: that nothing ran, for one.
        && !is_core_path(path);
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
    let foreign = presented.carrier == Some(rest::Carrier::Cookie)
        && origin_is_foreign(text(head, ORIGIN), text(head, HOST));
    if foreign {
        return Err(foreign_page(state, &caller, text(head, ORIGIN)));
    }
    Ok(caller)
}

/// The credentials are good, and a page of another site made the browser send them.
fn foreign_page(state: &ServerState, caller: &Caller, origin: Option<&str>) -> HttpRejection {
    state.metrics.not_let_in.increment(1);
    tracing::warn!(
        target: "audit",
        user = %caller.user().id, key = %caller.credential(), address = %caller.address(),
        origin, "refused: a foreign page sent a cookie"
    );
    HttpRejection::empty(StatusCode::FORBIDDEN)
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

/// Why a websocket does not open: in an HTTP answer, and for a dialect that tells its newcomers behind the upgrade.
#[derive(Debug)]
pub(in crate::server) struct NotAdmitted {
    pub(in crate::server) http: HttpRejection,
    /// `None` when the request is no handshake, so that there is nobody to tell behind it.
    pub(in crate::server) told: Option<Told>,
}

/// What a newcomer is told behind the upgrade.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) enum Told {
    /// The reason, in the dialect's words.
    Reason(CloseReason),
    /// What the dialect has decided on.
    Frame(CloseFrame),
}

impl NotAdmitted {
    fn new(why: CloseReason, http: impl Into<HttpRejection>) -> Self {
        Self {
            http: http.into(),
            told: Some(Told::Reason(why)),
        }
    }
}

/// A request that is no handshake.
impl From<HttpRejection> for NotAdmitted {
    fn from(http: HttpRejection) -> Self {
        Self { http, told: None }
    }
}

impl From<TurnedAway> for NotAdmitted {
    fn from(turned_away: TurnedAway) -> Self {
        let why = match turned_away {
            TurnedAway::Starting => CloseReason::Starting,
            TurnedAway::Draining => CloseReason::GoingAway,
            TurnedAway::Full | TurnedAway::Key | TurnedAway::Address => {
                CloseReason::TooManyConnections
            }
        };
        Self::new(why, turned_away)
    }
}

/// Who opens a websocket, and what its dialect begins with: 401, then 403, then 426, in PlaceOS's order.
pub(in crate::server) async fn enter_websocket(
    state: &ServerState,
    kind: DialectKind,
    head: &RequestHead,
    address: IpAddr,
) -> Result<(Option<Caller>, Hello), NotAdmitted> {
    let entered = enter(
        state,
        kind,
        &Head {
            carrier: Carrier::WebSocket,
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            header: &|name| head.headers.get(name).map(HeaderValue::as_bytes),
        },
        address,
    )
    .await?;
    if !is_websocket_upgrade(text(head, UPGRADE), list(head, CONNECTION).as_deref()) {
        return Err(upgrade_required("this is a websocket: connect to it with an upgrade").into());
    }
    Ok(entered)
}

/// Who opens a connection, and what its dialect begins with. Nobody is known yet where the client signs in later.
pub(in crate::server) async fn enter(
    state: &ServerState,
    kind: DialectKind,
    head: &Head<'_>,
    address: IpAddr,
) -> Result<(Option<Caller>, Hello), NotAdmitted> {
    let profile = kind.profile(&state.settings.dialects());
    let Admission {
        credentials,
        is_foreign_page,
        hello,
    } = match kind.handshake(head) {
        Handshake::Admit(admission) => admission,
        Handshake::Refuse(rejection) => return Err(rejected(rejection)),
    };
    if credentials.is_empty() && profile.sign_in_within.is_some() {
        return Ok((None, hello));
    }
    let caller = first_known(state, &credentials, address)
        .await
        .map_err(|failure| NotAdmitted::new(CloseReason::Unauthenticated, failure))?;
    if is_foreign_page {
        let origin = (head.header)("origin").map(String::from_utf8_lossy);
        let http = foreign_page(state, &caller, origin.as_deref());
        return Err(NotAdmitted::new(CloseReason::Forbidden, http));
    }
    if !profile.opens_to(caller.scopes()) {
        let http = out_of_scope(state, &caller, "the websocket");
        return Err(NotAdmitted::new(CloseReason::Forbidden, http));
    }
    Ok((Some(caller), hello))
}

fn rejected(rejection: Rejection) -> NotAdmitted {
    match rejection {
        Rejection::Http { status, text } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            HttpRejection::text(status, text).into()
        }
        Rejection::Close(frame) => NotAdmitted {
            http: HttpRejection::text(StatusCode::FORBIDDEN, frame.text),
            told: Some(Told::Frame(frame)),
        },
    }
}

/// Who shows the first credentials that are good, or what is wrong with the last.
async fn first_known(
    state: &ServerState,
    credentials: &[Credentials],
    address: IpAddr,
) -> Result<Caller, Failure> {
    let mut outcome = Err(Failure::new(FailureKind::Unauthenticated, ""));
    for credentials in credentials {
        state.core.recognise(credentials).await;
        outcome = state.core.authenticate(credentials, address);
        if outcome.is_ok() {
            return outcome;
        }
    }
    state.metrics.not_let_in.increment(1);
    outcome
}

/// Whether the headers `Upgrade` and `Connection` ask for a websocket.
fn is_websocket_upgrade(upgrade: Option<&str>, connection: Option<&str>) -> bool {
    let lists = |value: Option<&str>, word: &str| {
        value.is_some_and(|value| {
            value
                .split(',')
                .any(|item| item.trim_ascii().eq_ignore_ascii_case(word))
        })
    };
    lists(upgrade, "websocket") && lists(connection, "upgrade")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_both_headers_together_ask_for_a_websocket() {
        assert!(is_websocket_upgrade(
            Some("WebSocket"),
            Some("keep-alive, Upgrade")
        ));
        assert!(!is_websocket_upgrade(Some("websocket"), Some("close")));
        assert!(!is_websocket_upgrade(Some("h2c"), Some("Upgrade")));
        assert!(!is_websocket_upgrade(None, Some("Upgrade")));
    }
}
