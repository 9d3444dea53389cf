//! Signing in as Home Assistant's clients do it: by a login flow, a code and a refresh token that stays.
//!
//! - `flow` has the steps that a page or an app takes, `flows` those that are under way.
//! - `authorize` is the page to sign in on, `token` gives tokens for codes and refresh tokens and takes refresh tokens back.
//!
//! No answer here may be kept by a cache.

mod authorize;
mod flow;
mod flows;
mod token;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, ORIGIN, PRAGMA, RETRY_AFTER,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, get};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::core::SignInError;
use crate::dialects::home_assistant::rest::server_metadata;
use crate::model::Transport;
use crate::server::http::home_assistant::{Body, HttpRejection};
use crate::server::http::kit::{arrival, header_text, read_body, state_of};
use crate::server::http::openapi::resources;
use crate::server::limits::FORM_MAX_BYTES;

pub(in crate::server) use flows::LoginFlows;
pub(in crate::server::http) use token::{answer_shared, claims_shared, share_with_any_page};

resources! {
    /// Signing in.
    pub(in crate::server::http) SignIn:
        flow::providers,
        flow::begin,
        flow::step,
        flow::abort,
        authorize::page,
        authorize::sign_in,
        authorize::style,
        token::grant,
        token::revoke,
        metadata
}

/// Where apps find the rest of it (RFC 8414).
#[utoipa::path(tag = "home_assistant", operation_id = "metadata", security(()), responses((status = 200, body = Object)))]
#[get("/.well-known/oauth-authorization-server")]
pub(super) async fn metadata(request: HttpRequest) -> HttpResponse {
    let scheme = match arrival(&request).transport {
        Transport::Encrypted => "https",
        Transport::Plain => "http",
    };
    let host = header_text(request.headers(), &HOST).unwrap_or_default();
    let base = base_of(&request);
    let body = server_metadata(&format!("{scheme}://{host}{base}"));
    unkept(StatusCode::OK, body)
}

/// A short body, of a sign-in.
struct Short(Body);

impl FromRequest for Short {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(request, payload, FORM_MAX_BYTES);
        async move { Ok(Self(body.await?)) }.boxed_local()
    }
}

/// What stands in front of the paths of this dialect where a request came to.
fn base_of(request: &HttpRequest) -> String {
    let base = state_of(request).map(|state| state.settings.base_path.clone());
    let base = base.unwrap_or_default();
    match request.path().starts_with(&base) {
        true => base,
        // The dialect's own address has none.
        false => String::new(),
    }
}

/// A JSON answer that no cache may keep.
fn unkept(status: StatusCode, json: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .body(BoxBody::new(json))
}

/// How long to wait before the next try, in seconds, where waiting helps.
fn wait_for(failure: &SignInError) -> Option<u64> {
    match failure {
        // Rounded up, so that a try after that time is not refused again.
        SignInError::TooMany { wait } => Some(wait.as_secs() + 1),
        SignInError::Busy
        | SignInError::Store(_)
        | SignInError::Unkept
        | SignInError::Interrupted => Some(1),
        SignInError::WrongPassword
        | SignInError::BadGrant
        | SignInError::WrongClient
        | SignInError::NameTaken
        | SignInError::Refused(_) => None,
    }
}

/// The status of a failed sign-in that is no wrong password.
fn status_of(failure: &SignInError) -> StatusCode {
    match failure {
        SignInError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        SignInError::Busy
        | SignInError::Store(_)
        | SignInError::Unkept
        | SignInError::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        SignInError::WrongPassword
        | SignInError::BadGrant
        | SignInError::WrongClient
        | SignInError::NameTaken
        | SignInError::Refused(_) => StatusCode::BAD_REQUEST,
    }
}

fn retry_after(response: &mut HttpResponse, failure: &SignInError) {
    if let Some(seconds) = wait_for(failure) {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
}

fn origin(request: &HttpRequest) -> Option<&str> {
    header_text(request.headers(), &ORIGIN)
}
