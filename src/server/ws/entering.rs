//! Who opens a connection: the dialect reads the head of the request, and the core authenticates its credentials.
//!
//! Separate from the upgrade, because streams without a head follow the same rules.

use std::net::IpAddr;

use actix_http::header::{
    CONNECTION, HOST, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use actix_http::{RequestHead, StatusCode};

use crate::core::Caller;
use crate::dialects::{
    Admission, Basic, Carrier, CloseFrame, DialectKind, Handshake, Head, Hello, Rejection,
};
use crate::model::{CloseReason, Credentials, Failure};
use crate::server::ServerState;
use crate::server::admission::TurnedAway;
use crate::server::http::kit::{self, Arrival, HttpRejection, Words};
use crate::server::passwords::by_password;

/// Why a connection does not open: for an HTTP answer, and for a dialect that refuses clients behind the upgrade.
#[derive(Debug)]
pub(in crate::server) struct NotAdmitted {
    cause: Cause,
    /// `None` when the request is no handshake, so that no websocket can carry the refusal.
    pub(in crate::server) told: Option<Told>,
}

/// What an HTTP answer is made of.
#[derive(Debug)]
enum Cause {
    Refused(HttpRejection),
    Failed(Failure),
    TurnedAway(TurnedAway),
}

/// The refusal behind the upgrade.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) enum Told {
    /// The reason, in the dialect's words.
    Reason(CloseReason),
    /// What the dialect has decided on.
    Frame(CloseFrame),
}

impl NotAdmitted {
    fn new(why: CloseReason, cause: Cause) -> Self {
        let told = Some(Told::Reason(why));
        Self { cause, told }
    }

    /// The answer in place of the upgrade.
    pub(in crate::server) fn into_http(self, words: Words) -> HttpRejection {
        match self.cause {
            Cause::Refused(http) => http,
            Cause::Failed(failure) => words.failed(&failure),
            Cause::TurnedAway(turned_away) => words.turned_away(turned_away),
        }
    }
}

/// A request that is no handshake.
impl From<HttpRejection> for NotAdmitted {
    fn from(http: HttpRejection) -> Self {
        let cause = Cause::Refused(http);
        Self { cause, told: None }
    }
}

impl From<TurnedAway> for NotAdmitted {
    fn from(turned_away: TurnedAway) -> Self {
        let why = match turned_away {
            // Who is told that the gateway goes away may come back at once, and would be turned away again.
            TurnedAway::Starting | TurnedAway::Draining => CloseReason::Starting,
            TurnedAway::Full | TurnedAway::Key | TurnedAway::Address => {
                CloseReason::TooManyConnections
            }
        };
        Self::new(why, Cause::TurnedAway(turned_away))
    }
}

/// Who opens a websocket, and what its dialect begins with: 401, then 403, then 426, in PlaceOS's order.
pub(in crate::server) async fn enter_websocket(
    state: &ServerState,
    kind: DialectKind,
    head: &RequestHead,
    arrival: Arrival,
) -> Result<(Option<Caller>, Hello), NotAdmitted> {
    let entered = enter(
        state,
        kind,
        &Head {
            carrier: Carrier::WebSocket,
            transport: arrival.transport,
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            header: &|name| head.headers.get(name).map(HeaderValue::as_bytes),
        },
        arrival.address,
    )
    .await?;
    let is_upgrade = is_websocket_upgrade(
        kit::header_text(&head.headers, &UPGRADE),
        list(head, CONNECTION).as_deref(),
    );
    if !is_upgrade {
        return Err(not_upgraded().into());
    }
    Ok(entered)
}

/// Who opens a connection, and what its dialect begins with. The caller is not known yet where the client signs in later.
pub(in crate::server) async fn enter(
    state: &ServerState,
    kind: DialectKind,
    head: &Head<'_>,
    address: IpAddr,
) -> Result<(Option<Caller>, Hello), NotAdmitted> {
    let profile = kind.profile(&state.settings.dialect_settings());
    let Admission {
        credentials,
        basic,
        is_foreign_page,
        device,
        hello,
    } = match kind.handshake(head) {
        Handshake::Admit(admission) => admission,
        Handshake::Refuse(rejection) => return Err(rejected(rejection)),
    };
    if credentials.is_empty() && profile.sign_in_within.is_some() {
        return Ok((None, hello));
    }
    state.core.access.recognise(&credentials).await;
    let caller = identify(state, &credentials, basic.as_ref(), address)
        .await
        .map_err(|failure| {
            state.metrics.not_let_in.increment(1);
            NotAdmitted::new(CloseReason::Unauthenticated, Cause::Failed(failure))
        })?;
    let origin = (head.header)(ORIGIN.as_str()).map(String::from_utf8_lossy);
    let is_allowed = |origin: &str| state.settings.allows_origin(origin);
    if is_foreign_page && !origin.as_deref().is_some_and(is_allowed) {
        let host = (head.header)(HOST.as_str()).map(String::from_utf8_lossy);
        let http = kit::foreign_page(state, &caller, origin.as_deref(), host.as_deref());
        // A page is told before the upgrade in every dialect: browsers expect that of a foreign origin.
        return Err(NotAdmitted {
            cause: Cause::Refused(http),
            told: None,
        });
    }
    if !profile.opens_to(caller.scopes()) {
        let reason = "the key's scopes do not open this";
        let http = kit::forbid(state, &caller, "the websocket", reason);
        return Err(NotAdmitted::new(
            CloseReason::Forbidden,
            Cause::Refused(http),
        ));
    }
    state.core.sign_ins.note_device(&caller, device);
    state.core.sign_ins.note_use(&caller);
    Ok((Some(caller), hello))
}

/// Who shows these credentials. A name and a password are looked at behind the first of them, which is the same as an API key, and before the others.
async fn identify(
    state: &ServerState,
    credentials: &[Credentials],
    basic: Option<&Basic>,
    address: IpAddr,
) -> Result<Caller, Failure> {
    let access = &state.core.access;
    let Some(basic) = basic else {
        return access.authenticate(credentials, address);
    };
    let (as_key, rest) = credentials.split_at(credentials.len().min(1));
    let refused = match access.authenticate(as_key, address) {
        Ok(caller) => return Ok(caller),
        Err(failure) => failure,
    };
    if let Some(caller) = by_password(state, basic, address).await {
        return Ok(caller);
    }
    match rest.is_empty() {
        true => Err(refused),
        false => access.authenticate(rest, address),
    }
}

fn rejected(rejection: Rejection) -> NotAdmitted {
    match rejection {
        Rejection::Http { status, text } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            HttpRejection::text(status, text).into()
        }
        Rejection::Close(frame) => NotAdmitted {
            cause: Cause::Refused(HttpRejection::text(StatusCode::FORBIDDEN, frame.text)),
            told: Some(Told::Frame(frame)),
        },
    }
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

/// The answer to a plain request for a websocket's path.
pub(in crate::server) fn not_upgraded() -> HttpRejection {
    upgrade_required("this is a websocket: connect to it with an upgrade")
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
