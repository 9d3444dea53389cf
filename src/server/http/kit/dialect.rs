//! What a dialect provides so that the kit can serve its resources.

use std::net::IpAddr;

use actix_http::RequestHead;
use actix_web::http::StatusCode;

use crate::core::Caller;
use crate::model::Scope;
use crate::server::ServerState;
use crate::server::http::kit::HttpRejection;

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
pub(in crate::server::http) trait HttpDialect: 'static {
    /// Identifies the caller by the credentials of the request.
    fn authenticate(
        state: &ServerState,
        head: &RequestHead,
        address: IpAddr,
    ) -> Result<Caller, HttpRejection>;

    /// Whether the scopes open a resource of this name for this access.
    fn opens(scopes: &[Scope], resource: &str, access: Access) -> bool;

    /// A refusal with a message for people.
    fn rejection(status: StatusCode, message: &str) -> HttpRejection;
}
