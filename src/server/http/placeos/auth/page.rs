//! The page on which people sign in: a form and nothing else, no script, served from the binary.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};

use crate::core::SignInError;
use crate::dialects::placeos::rest::{ErrorShape, Parameters, escaped};
use crate::server::ServerState;
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::auth::session::{status, try_sign_in, with_session};
use crate::server::http::placeos::auth::{
    Form, browser, login_path, place_after, retry_after, see_other,
};

const PAGE: &str = include_str!("login.html");
const SIGNED_IN: &str = include_str!("signed_in.html");
const STYLE: &str = include_str!("login.css");

/// Only our style and our form, and no page around it that could lay something over it.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page to sign in on: the form; who is signed in goes on to the page that is named, or sees who they are.
#[utoipa::path(tag = "auth", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 303, description = "Signed in, and on."), (status = 403, description = "A page of another origin asks."), (status = 413, description = "The form is too large."), (status = "default", body = String, content_type = "text/html")))]
#[get("/login")]
pub(super) async fn login(state: Data<ServerState>, request: HttpRequest) -> HttpResponse {
    let parameters = Parameters::read(request.query_string(), b"");
    match browser(&state, &request) {
        Some(_) if parameters.get("continue").is_some() => {
            see_other(&place_after(&state, &request, &parameters))
        }
        Some(caller) => {
            let name = text(caller.user().map_or("", |user| &user.name));
            let page = SIGNED_IN.replace("{{base}}", &state.settings.base_path);
            html(StatusCode::OK, page.replace("{{name}}", &name))
        }
        None => {
            let place = place_after(&state, &request, &parameters);
            page(&state, StatusCode::OK, &place, Filled::default(), None)
        }
    }
}

/// Signs in by the form: on to where the page was asked for, or the form again with what was wrong.
#[utoipa::path(tag = "auth", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 303, description = "Signed in, and on."), (status = 403, description = "A page of another origin asks."), (status = 408, description = "The form does not come fast enough.", body = ErrorShape<'_>), (status = 413, description = "The form is too large.", body = ErrorShape<'_>), (status = "default", body = String, content_type = "text/html")))]
#[post("/login")]
pub(super) async fn sign_in_by_form(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Form,
) -> Answer {
    let parameters = Parameters::read("", form.bytes());
    let place = place_after(&state, &request, &parameters);
    Ok(match try_sign_in(&state, &request, &parameters).await {
        Ok(cookie) => with_session(see_other(&place), &state, &request, Some(&cookie)),
        Err(failure) => {
            let (status, wait) = status(&failure);
            let email = parameters.get("email").unwrap_or_default();
            let problem = problem(&failure);
            page(&state, status, &place, Filled { email, problem }, wait)
        }
    })
}

/// The same page with a slash at the end of its address, as PlaceOS's pages have it.
#[utoipa::path(tag = "auth", security(()), responses((status = 303, description = "There.")))]
#[get("/login/")]
pub(super) async fn login_with_slash(
    state: Data<ServerState>,
    request: HttpRequest,
) -> HttpResponse {
    let page = login_path(&state);
    match request.query_string() {
        "" => see_other(&page),
        query => see_other(&format!("{page}?{query}")),
    }
}

/// To the page to sign in on, as PlaceOS's own pages have it.
#[utoipa::path(tag = "auth", security(()), responses((status = 303, description = "There.")))]
#[get("/auth/login")]
pub(super) async fn to_login(state: Data<ServerState>, request: HttpRequest) -> HttpResponse {
    let parameters = Parameters::read(request.query_string(), b"");
    let place = place_after(&state, &request, &parameters);
    let page = login_path(&state);
    see_other(&format!("{page}?continue={}", escaped(&place)))
}

/// How the page looks.
#[utoipa::path(tag = "auth", security(()), responses((status = 200, body = String, content_type = "text/css")))]
#[get("/login/style.css")]
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "max-age=3600"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(STYLE)
}

/// What the form has in it after a try that failed.
#[derive(Debug, Default)]
struct Filled<'a> {
    email: &'a str,
    problem: String,
}

/// What the page says of a failure, in the words of its form.
fn problem(failure: &SignInError) -> String {
    match failure {
        SignInError::WrongPassword => "The email or the password is wrong.".to_owned(),
        SignInError::BadGrant
        | SignInError::WrongClient
        | SignInError::NameTaken
        | SignInError::Refused(_)
        | SignInError::TooMany { .. }
        | SignInError::Busy
        | SignInError::Store(_)
        | SignInError::Unkept
        | SignInError::Interrupted => failure.to_string(),
    }
}

fn page(
    state: &ServerState,
    status: StatusCode,
    place: &str,
    filled: Filled<'_>,
    wait: Option<u64>,
) -> HttpResponse {
    // Whoever has to try again types the password.
    let (at_email, at_password) = match filled.email {
        "" => ("autofocus", ""),
        _ => ("", "autofocus"),
    };
    let page = PAGE
        .replace("{{base}}", &state.settings.base_path)
        .replace("{{at_email}}", at_email)
        .replace("{{at_password}}", at_password)
        .replace("{{problem}}", &text(&filled.problem))
        .replace("{{email}}", &text(filled.email))
        .replace("{{continue}}", &text(place));
    let mut response = html(status, page);
    retry_after(&mut response, wait);
    response
}

fn html(status: StatusCode, page: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("Referrer-Policy", "same-origin"))
        .body(page)
}

/// Text as it stands in HTML, an attribute included. Nothing in it is filled in.
fn text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('{', "&#123;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
