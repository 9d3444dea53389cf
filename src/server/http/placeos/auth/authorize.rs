//! `GET /auth/oauth/authorize`: sends a browser that is signed in back to its app, with a code or a token.
//!
//! Apps open it in a hidden frame of their own, so it may be framed by pages of its origin.

use actix_web::http::StatusCode;
use actix_web::http::header::HOST;
use actix_web::web::Data;
use actix_web::{HttpRequest, get};

use crate::core::{App, Caller, CodeRequest, SignInError};
use crate::dialects::placeos::rest::{
    AuthorizeRequest, OAuthError, Parameters, ResponseType, ReturnAddress, escaped, may_redirect,
    scope_text,
};
use crate::server::ServerState;
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::auth::{
    browser, domain, header, login_path, redirect, see_other, transport, verdict,
};
use crate::server::http::placeos::rejections::rejection;

/// Sends a browser that is signed in back to its app with a code, for PKCE by S256, or a token; another to sign in.
#[utoipa::path(
    tag = "auth",
    security(()),
    responses((status = 302, description = "Back to the app."), (status = 303, description = "To sign in."), (status = "default", body = Object))
)]
#[get("/auth/oauth/authorize")]
pub(super) async fn authorize(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let parameters = Parameters::read(request.query_string(), b"");
    let listed = &state.settings.redirects;
    let may_go =
        |uri: &str| may_redirect(uri, header(&request, &HOST), listed, transport(&request));
    // Every other mistake goes to the app by a redirect; a redirect address that is not allowed is reported to the browser alone.
    let back = ReturnAddress::read(&parameters, may_go).map_err(|_| {
        rejection(
            StatusCode::BAD_REQUEST,
            "redirect_uri is not on this origin; name it in `sign_in.redirects` to allow it",
        )
    })?;
    let answer = match AuthorizeRequest::read(&parameters) {
        Ok(asked) => match browser(&state, &request) {
            Some(caller) => grant(&state, &request, &caller, asked, &back).await,
            // A hidden frame gets an error, because no person sees it; a page is sent to sign in and comes back.
            None if parameters.get("prompt") == Some("none") => Err(OAuthError::LoginRequired),
            None => {
                let (login, here) = (login_path(&state), request.uri().to_string());
                return Ok(see_other(&format!("{login}?continue={}", escaped(&here))));
            }
        },
        Err(error) => Err(error),
    };
    let location = answer.unwrap_or_else(|error| {
        back.with(&[
            ("error", error.as_str()),
            ("error_description", &error.to_string()),
        ])
    });
    Ok(redirect(StatusCode::FOUND, &location))
}

async fn grant(
    state: &ServerState,
    request: &HttpRequest,
    caller: &Caller,
    asked: AuthorizeRequest,
    back: &ReturnAddress,
) -> Result<String, OAuthError> {
    let AuthorizeRequest {
        response,
        client,
        scopes,
        challenge,
        device,
    } = asked;
    let told = |failure: SignInError| verdict(&failure).1;
    match response {
        ResponseType::Code => {
            let request = CodeRequest {
                client,
                redirect: back.redirect.clone(),
                scopes,
                challenge,
                device,
            };
            let code = state
                .core
                .sign_ins
                .grant_code(caller, request)
                .await
                .map_err(told)?;
            Ok(back.with(&[("code", code.expose())]))
        }
        ResponseType::Token => {
            let app = App {
                client,
                scopes,
                domain: domain(request),
                device,
            };
            let issued = state
                .core
                .sign_ins
                .grant_token(caller, app)
                .await
                .map_err(told)?;
            Ok(back.with(&[
                ("access_token", issued.access.expose()),
                ("token_type", "Bearer"),
                ("expires_in", &issued.expires_in.to_string()),
                ("scope", &scope_text(&issued.scopes)),
            ]))
        }
    }
}
