//! Signing in over HTTP: what PlaceOS's clients ask below `/auth`, and a page to sign in on.
//!
//! - `token` gives tokens, `authorize` sends a browser back to its app with one or a code for one.
//! - `session` signs browsers in and out, `page` is what people see of it, and `once` lets the person in who has started the demo.
//!
//! No answer here may be kept by a cache, and none says more than it must.

mod authorize;
mod once;
mod page;
mod session;
mod token;

use actix_http::header::HeaderValue;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, COOKIE, HOST, HeaderName, LOCATION, ORIGIN, REFERER, RETRY_AFTER,
};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, get};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::core::{Caller, SignInError};
use crate::dialects::placeos::rest::{
    KeySet, OAuthError, Parameters, domain_of, escaped, go_on, session_cookie,
};
use crate::model::{Credentials, Transport};
use crate::server::ServerState;
use crate::server::http::kit::{address, arrival, header_text, read_body, state_of};
use crate::server::http::openapi::resources;
use crate::server::http::placeos::{Body, HttpRejection, authn};
use crate::server::limits::FORM_MAX_BYTES;

pub(in crate::server) use once::OnceDoor;
pub(in crate::server::http) use token::answer_shared;

/// How long a client is asked to wait when too many sign in at a time, in seconds.
const CROWD_SECONDS: u64 = 1;

resources! {
    /// Signing in as PlaceOS's clients do it.
    pub(in crate::server::http) SignIn:
        token::grant,
        token::grant_by_default,
        authorize::authorize,
        session::sign_in,
        page::to_login
}

resources! {
    /// The page to sign in on, how its users sign out, and the keys of the tokens that they get.
    pub(in crate::server::http) Pages:
        once::sign_in_once,
        session::sign_out,
        session::sign_out_by_form,
        page::login,
        page::login_with_slash,
        page::sign_in_by_form,
        page::style,
        keys
}

/// The path of the page to sign in on.
fn login_path(state: &ServerState) -> String {
    format!("{}/login", state.settings.base_path)
}

/// Where the browser goes on after signing in or out: the page that it asked for if it is one of riser's, else the page to sign in on.
fn place_after(state: &ServerState, request: &HttpRequest, parameters: &Parameters<'_>) -> String {
    let asked = parameters.get("continue");
    let login = login_path(state);
    let host = header(request, &HOST);
    go_on(asked, host, transport(request), &login).to_owned()
}

/// Where the browser goes after signing out where no page is asked for: to the page to sign in on, with a way back to the page of riser's that it comes from.
fn place_after_leaving(state: &ServerState, request: &HttpRequest) -> String {
    let login = login_path(state);
    let base = &state.settings.base_path;
    let from = header(request, &REFERER);
    let from = go_on(from, header(request, &HOST), transport(request), &login);
    let path = from.split_once("://").map_or(from, |(_, rest)| {
        rest.find('/').map_or("/", |at| &rest[at..])
    });
    let is_own = [&login, &format!("{base}/auth/")];
    match is_own.iter().any(|own| path.starts_with(own.as_str())) {
        true => login,
        false => format!("{login}?continue={}", escaped(from)),
    }
}

/// The keys by which the gateway's tokens are verified; none before the first sign-in.
#[utoipa::path(tag = "auth", security(()), responses((status = 200, body = Object)))]
#[get("/.well-known/jwks.json")]
pub(super) async fn keys(state: Data<ServerState>) -> HttpResponse {
    let keys = state.core.sign_ins.public_keys();
    let keys = keys
        .iter()
        .map(|key| (&*key.id, &*key.modulus, &*key.exponent));
    HttpResponse::Ok().json(KeySet::new(keys))
}

/// The form of a request, which is always short. That of a foreign page is not read.
struct Form(Body);

impl FromRequest for Form {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let own_page = state_of(request)
            .map_err(HttpRejection::from)
            .and_then(|state| refuse_foreign_page(state, request));
        let body = read_body(request, payload, FORM_MAX_BYTES);
        async move {
            own_page?;
            Ok(Self(body.await?))
        }
        .boxed_local()
    }
}

impl Form {
    fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// Whose browser this is, by its session alone.
fn browser(state: &ServerState, request: &HttpRequest) -> Option<Caller> {
    let cookies = request.headers().get(COOKIE)?.as_bytes();
    let session = Credentials::Session(session_cookie(cookies)?);
    state
        .core
        .access
        .authenticate(&[session], address(request))
        .ok()
}

/// Whether the browser of a request has a session: no more than a look, for the authority.
pub(super) fn has_session(state: &ServerState, request: &HttpRequest) -> bool {
    browser(state, request).is_some()
}

fn header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    header_text(request.headers(), name)
}

fn domain(request: &HttpRequest) -> String {
    domain_of(header(request, &HOST).unwrap_or_default())
}

/// How the gateway was called. A page that was fetched by TLS says so itself, also behind a proxy that no setting names; that can only make us stricter.
fn transport(request: &HttpRequest) -> Transport {
    match header(request, &ORIGIN) {
        Some(origin) if origin.starts_with("https://") => Transport::Encrypted,
        Some(_) | None => arrival(request).transport,
    }
}

/// A form that a foreign page sends would sign its victim in as another user, or out.
fn refuse_foreign_page(state: &ServerState, request: &HttpRequest) -> Result<(), HttpRejection> {
    if !authn::is_foreign(state, request.head(), arrival(request).transport) {
        return Ok(());
    }
    let (origin, host) = (header(request, &ORIGIN), header(request, &HOST));
    state.metrics.not_let_in.increment(1);
    tracing::warn!(
        target: "audit", address = %address(request), origin, host,
        "refused: a page of another site tried to sign a user in or out; where that page may, its origin belongs into `http.allowed_origins`"
    );
    Err(HttpRejection::empty(StatusCode::FORBIDDEN))
}

fn see_other(location: &str) -> HttpResponse {
    redirect(StatusCode::SEE_OTHER, location)
}

fn redirect(status: StatusCode, location: &str) -> HttpResponse {
    let mut response = unkept(status);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// An answer that no cache may keep, and that tells no other site where it was.
fn unkept(status: StatusCode) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .finish()
}

/// The status of a failed sign-in, OAuth's word for it, and how long to wait in seconds where waiting helps.
fn verdict(failure: &SignInError) -> (StatusCode, OAuthError, Option<u64>) {
    match failure {
        SignInError::WrongPassword
        | SignInError::BadGrant
        | SignInError::WrongClient
        | SignInError::NameTaken
        | SignInError::Refused(_) => (StatusCode::BAD_REQUEST, OAuthError::InvalidGrant, None),
        SignInError::TooMany { wait } => {
            // Rounded up, so that a try after that time is not refused again.
            let seconds = wait.as_secs() + 1;
            let status = StatusCode::TOO_MANY_REQUESTS;
            (status, OAuthError::Unavailable, Some(seconds))
        }
        SignInError::Busy
        | SignInError::Store(_)
        | SignInError::Unkept
        | SignInError::Interrupted => (
            StatusCode::SERVICE_UNAVAILABLE,
            OAuthError::Unavailable,
            Some(CROWD_SECONDS),
        ),
    }
}

fn retry_after(response: &mut HttpResponse, seconds: Option<u64>) {
    if let Some(seconds) = seconds {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}
