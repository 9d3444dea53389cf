//! `GET /auth/authorize`: the page on which a person signs an app in.
//!
//! Where the dashboard is served, it is the dashboard's own, which takes the login flow's steps by script; elsewhere it is riser's, which is a form.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, LOCATION,
};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};

use crate::dialects::home_assistant::rest::{
    Fields, ReturnAddress, asks_from_elsewhere, authorize_page,
};
use crate::model::Secret;
use crate::server::ServerState;
use crate::server::http::home_assistant::auth::{Short, base_of, origin, retry_after, status_of};
use crate::server::http::home_assistant::rejections::said;
use crate::server::http::home_assistant::{Answer, HttpRejection, frontend};
use crate::server::http::kit::{address, header_text};

const STYLE: &str = include_str!("authorize.css");

/// The page to sign an app in on.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "authorize",
    security(()),
    responses((status = 200, body = String, content_type = "text/html"), (status = "default", description = "400 no app, or a foreign `redirect_uri`.", body = Object)),
)]
#[get("/auth/authorize")]
pub(super) async fn page(state: Data<ServerState>, request: HttpRequest) -> Answer {
    if let Some(page) = frontend::page(&state, &request, frontend::Page::Authorize).await {
        return Ok(page);
    }
    let query = Fields::read(None, request.query_string().as_bytes());
    let back = back(&query.unwrap_or_default())?;
    Ok(html(&request, StatusCode::OK, &back, ""))
}

/// Signs an app in by the page's form, and sends the browser back to the app with a code.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "authorize_by_form",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "Back to the app."), (status = 403, description = "A page of another origin asks.", body = Object), (status = "default", body = String, content_type = "text/html")),
)]
#[post("/auth/authorize")]
pub(super) async fn sign_in(state: Data<ServerState>, request: HttpRequest, body: Short) -> Answer {
    // Else a foreign page could sign its victim's app in as another user.
    if asks_from_elsewhere(origin(&request), header_text(request.headers(), &HOST)) {
        state.metrics.not_let_in.increment(1);
        return Err(said(StatusCode::FORBIDDEN, "Sign in on this page itself"));
    }
    let fields = Fields::read(header_text(request.headers(), &CONTENT_TYPE), &body.0.bytes);
    let fields = fields.map_err(|bad| said(StatusCode::BAD_REQUEST, &bad.to_string()))?;
    let back = back(&fields)?;
    let username = fields.get("username").unwrap_or_default();
    let password = Secret::new(fields.get("password").unwrap_or_default());
    let signed_in = state
        .core
        .sign_ins
        .sign_in_client(username, password, back.client.clone(), address(&request))
        .await;
    Ok(match signed_in {
        Ok(code) => {
            let mut response = HttpResponse::build(StatusCode::SEE_OTHER)
                .insert_header((CACHE_CONTROL, "no-store"))
                .insert_header(("Referrer-Policy", "no-referrer"))
                .finish();
            if let Ok(there) = HeaderValue::from_str(&back.with_code(code.expose())) {
                response.headers_mut().insert(LOCATION, there);
            }
            response
        }
        Err(failure) => {
            let status = match status_of(&failure) {
                StatusCode::BAD_REQUEST => StatusCode::UNAUTHORIZED,
                status => status,
            };
            let mut response = html(&request, status, &back, &failure.to_string());
            retry_after(&mut response, &failure);
            response
        }
    })
}

/// How the page looks.
#[utoipa::path(tag = "home_assistant", operation_id = "style", security(()), responses((status = 200, body = String, content_type = "text/css")))]
#[get("/auth/authorize.css")]
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "max-age=3600"))
        .body(STYLE)
}

/// Where the code goes, which has to be the app's own.
fn back(fields: &Fields) -> Result<ReturnAddress, HttpRejection> {
    let [client, redirect] =
        ["client_id", "redirect_uri"].map(|name| fields.get(name).unwrap_or_default());
    let state = fields.get("state").filter(|state| !state.is_empty());
    ReturnAddress::new(client, redirect, state)
        .ok_or_else(|| said(StatusCode::BAD_REQUEST, "invalid client id or redirect uri"))
}

fn html(
    request: &HttpRequest,
    status: StatusCode,
    back: &ReturnAddress,
    problem: &str,
) -> HttpResponse {
    // A browser applies this to where the form's answer sends it too.
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        back.source()
    );
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header(("Referrer-Policy", "same-origin"))
        .body(authorize_page(&base_of(request), back, problem))
}
