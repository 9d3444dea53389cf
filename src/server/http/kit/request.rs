//! Typed extractors: a handler that takes a `Reader<Zones>` runs only for callers that may read zones.
//!
//! An extractor looks at the credentials at once, and actix-web asks extractors in their order,
//! so the extractor stands first in a handler: a caller that is refused sends no body.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use crate::core::{Caller, Directory};
use crate::model::Clearance;
use crate::server::ServerState;
use crate::server::http::kit::{Access, HttpDialect, HttpRejection, arrival};
use crate::server::paced::Pace;

/// A type of resources, as scopes name it.
pub(in crate::server::http) trait Resource: 'static {
    type Dialect: HttpDialect;

    /// Its name in scopes and in the audit log.
    const NAME: &'static str;
}

/// Every caller with good credentials, whatever their scopes open.
pub(in crate::server::http) type Known<R> = Admitted<R, needs::Nothing>;

/// A caller that may read the resource.
pub(in crate::server::http) type Reader<R> = Admitted<R, needs::Read>;

/// A member of the support staff, or an administrator, that may read the resource.
pub(in crate::server::http) type Supporter<R> = Admitted<R, needs::ReadAsSupport>;

/// An administrator that may read the resource.
pub(in crate::server::http) type Administrator<R> = Admitted<R, needs::ReadAsAdmin>;

/// A caller whose scopes open changes of the resource. The core says whether the caller may make one.
pub(in crate::server::http) type Writer<R> = Admitted<R, needs::Write>;

/// A caller whose scopes open calls through the resource. The core says which clearance each function needs.
pub(in crate::server::http) type Operator<R> = Admitted<R, needs::Call>;

/// A request whose caller has what `N` says, for a resource `R`.
pub(in crate::server::http) struct Admitted<R, N> {
    context: RequestContext,
    kind: PhantomData<(R, N)>,
}

/// What handlers need of a request and its surroundings.
pub(in crate::server::http) struct RequestContext {
    pub(in crate::server::http) state: Data<ServerState>,
    pub(in crate::server::http) caller: Caller,
    pub(in crate::server::http) request: HttpRequest,
}

impl RequestContext {
    /// The building as it is now.
    pub(in crate::server::http) fn directory(&self) -> Arc<Directory> {
        self.state.core.queries.directory()
    }

    /// Refuses every caller of a lower clearance.
    pub(in crate::server::http) fn require(
        &self,
        clearance: Clearance,
        part: &str,
    ) -> Result<(), HttpRejection> {
        if self.caller.clearance() < clearance {
            return Err(self.forbid(part, "this needs a higher clearance"));
        }
        Ok(())
    }

    /// The key is restricted to what this is not part of.
    pub(in crate::server::http) fn out_of_reach<D>(&self, what: &str) -> HttpRejection<D> {
        self.forbid(what, "this key does not reach that")
    }

    fn forbid<D>(&self, part: &str, reason: &str) -> HttpRejection<D> {
        forbid(&self.state, &self.caller, part, reason)
    }
}

impl<R, N> Deref for Admitted<R, N> {
    type Target = RequestContext;

    fn deref(&self) -> &RequestContext {
        &self.context
    }
}

impl<R: Resource, N: needs::Needs> FromRequest for Admitted<R, N> {
    type Error = HttpRejection;
    type Future = Ready<Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::admit(request))
    }
}

impl<R: Resource, N: needs::Needs> Admitted<R, N> {
    fn admit(request: &HttpRequest) -> Result<Self, HttpRejection> {
        let state = state_of(request)?;
        let context = RequestContext {
            caller: R::Dialect::authenticate(state, request.head(), arrival(request))?,
            state: state.clone(),
            request: request.clone(),
        };
        known(request);
        if let Some(access) = N::ACCESS
            && !R::Dialect::opens(context.caller.scopes(), R::NAME, access)
        {
            let part = match access {
                Access::Read | Access::Write => R::NAME,
                Access::Call => "calls",
            };
            return Err(context.forbid(part, "the key's scopes do not open this"));
        }
        context.require(N::CLEARANCE, R::NAME)?;
        Ok(Self {
            context,
            kind: PhantomData,
        })
    }
}

/// A mark on a request that came as HEAD, and so must change nothing although it is served as GET.
#[derive(Debug, Clone, Copy)]
pub(in crate::server::http) struct ReadsHead;

/// A mark on an answer that says itself which methods are possible, where that is not the routes' to say.
#[derive(Debug, Clone, Copy)]
pub(in crate::server::http) struct OwnAllow;

/// Whether a request came as HEAD.
pub(in crate::server::http) fn reads_head(request: &HttpRequest) -> bool {
    request.extensions().get::<ReadsHead>().is_some()
}

/// Marks the connection of this request as one with good credentials.
pub(in crate::server::http) fn known(request: &HttpRequest) {
    if let Some(pace) = request.conn_data::<Rc<Pace>>() {
        pace.known();
    }
}

/// Refuses a caller whose credentials a page of another site made the browser send.
pub(in crate::server) fn foreign_page<D>(
    state: &ServerState,
    caller: &Caller,
    origin: Option<&str>,
    host: Option<&str>,
) -> HttpRejection<D> {
    state.metrics.not_let_in.increment(1);
    tracing::warn!(
        target: "audit",
        user = %caller.identity(), key = %caller.credential(), address = %caller.address(),
        origin, host,
        "refused: a page of another site sent a cookie; where that page may, its origin belongs into `http.allowed_origins`"
    );
    HttpRejection::empty(StatusCode::FORBIDDEN)
}

/// A header as text. A header that is no text cannot be trusted, so it must not look absent.
pub(in crate::server) fn header_text<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Option<&'a str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or("\u{fffd}"))
}

/// The server's state, which every route is served with.
pub(in crate::server::http) fn state_of(
    request: &HttpRequest,
) -> Result<&Data<ServerState>, HttpRejection> {
    request
        .app_data()
        .ok_or_else(|| HttpRejection::empty(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Refuses a caller whose credentials are good but do not allow this, and says so in the audit log.
pub(in crate::server) fn forbid<D>(
    state: &ServerState,
    caller: &Caller,
    part: &str,
    reason: &str,
) -> HttpRejection<D> {
    state.metrics.not_let_in.increment(1);
    tracing::warn!(
        target: "audit",
        user = %caller.identity(), key = %caller.credential(), address = %caller.address(), part, reason,
        "refused"
    );
    HttpRejection::empty(StatusCode::FORBIDDEN)
}

/// The address of the client.
pub(in crate::server::http) fn address(request: &HttpRequest) -> IpAddr {
    arrival(request).address
}

/// What the extractors need of a caller.
pub(in crate::server::http) mod needs {
    use super::{Access, Clearance};

    /// What a caller needs to be authorized.
    pub(in crate::server::http) trait Needs: 'static {
        /// What the scopes must open.
        const ACCESS: Option<Access>;
        /// The lowest clearance.
        const CLEARANCE: Clearance;
    }

    macro_rules! needs {
        ($($name:ident: $access:expr, $clearance:expr;)+) => {$(
            pub(in crate::server::http) enum $name {}

            impl Needs for $name {
                const ACCESS: Option<Access> = $access;
                const CLEARANCE: Clearance = $clearance;
            }
        )+};
    }

    needs! {
        Nothing: None, Clearance::User;
        Read: Some(Access::Read), Clearance::User;
        ReadAsSupport: Some(Access::Read), Clearance::Support;
        ReadAsAdmin: Some(Access::Read), Clearance::Admin;
        Write: Some(Access::Write), Clearance::User;
        Call: Some(Access::Call), Clearance::User;
    }
}
