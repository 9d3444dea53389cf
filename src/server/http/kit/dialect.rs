//! What a dialect provides so that the kit can serve its resources.

use std::fmt;

use actix_http::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use crate::core::Caller;
use crate::model::{Credentials, Failure, Scope};
use crate::server::ServerState;
use crate::server::admission::{AdmissionPhase, TurnedAway};
use crate::server::http::kit::{Arrival, HttpRejection};

/// What a request does with a resource, as far as scopes tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server::http) enum Access {
    /// Reads it.
    Read,
    /// Changes it.
    Write,
    /// Calls functions of modules through it.
    Call,
}

/// The credentials, the scopes and the words of a dialect.
pub(in crate::server::http) trait HttpDialect:
    fmt::Debug + 'static
{
    /// What a request shows of who sends it.
    fn credentials(head: &RequestHead) -> Vec<Credentials>;

    /// Identifies the caller by the credentials of the request.
    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        arrival: Arrival,
    ) -> Result<Caller, HttpRejection>;

    /// Whether the scopes open a resource of this name for this access.
    fn opens(scopes: &[Scope], resource: &str, access: Access) -> bool;

    /// A refusal with a message for people.
    fn rejection(status: StatusCode, message: &str) -> HttpRejection;

    /// The refusal for a failure of the core.
    fn failed(failure: &Failure) -> HttpRejection;
}

/// A dialect as a row of the mount table has it, for requests that have not come to a handler: what [`HttpDialect`] says, without its type.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Words {
    credentials: fn(&RequestHead) -> Vec<Credentials>,
    rejection: fn(StatusCode, &str) -> HttpRejection,
    failed: fn(&Failure) -> HttpRejection,
}

impl Words {
    /// Those of a dialect.
    pub(in crate::server::http) const fn of<D: HttpDialect>() -> Self {
        Self {
            credentials: D::credentials,
            rejection: D::rejection,
            failed: D::failed,
        }
    }

    /// Finds out what has to be asked for elsewhere before it can be known who sends this request.
    pub(in crate::server) async fn recognise(self, state: &ServerState, head: &RequestHead) {
        state.core.access.recognise(&(self.credentials)(head)).await;
    }

    /// Why no request is served yet, or `None`.
    pub(in crate::server) fn closed(self, state: &ServerState) -> Option<HttpRejection> {
        let starting = state.admission.phase() == AdmissionPhase::Starting;
        starting.then(|| self.turned_away(TurnedAway::Starting))
    }

    /// A refusal with a message for people.
    pub(in crate::server) fn rejection(self, status: StatusCode, message: &str) -> HttpRejection {
        (self.rejection)(status, message)
    }

    /// The refusal for a failure of the core.
    pub(in crate::server) fn failed(self, failure: &Failure) -> HttpRejection {
        (self.failed)(failure)
    }

    /// The refusal of a client for which there is no place.
    pub(in crate::server) fn turned_away(self, turned_away: TurnedAway) -> HttpRejection {
        let message = format!("{turned_away}; try again later");
        let rejection = self.rejection(StatusCode::SERVICE_UNAVAILABLE, &message);
        match turned_away {
            TurnedAway::Starting => {
                rejection.with_header(RETRY_AFTER, HeaderValue::from_static("1"))
            }
            TurnedAway::Draining | TurnedAway::Full | TurnedAway::Key | TurnedAway::Address => {
                rejection
            }
        }
    }
}
