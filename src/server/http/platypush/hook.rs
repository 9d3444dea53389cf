//! Takes what strangers send to `/hook/{name}`.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::core::Directory;
use crate::dialects::platypush::rest::{HookAnswer, hook_answer};
use crate::model::{HookName, HookOutcome, TriggerId};
use crate::server::ServerState;
use crate::server::http::called::{self, hook_request};
use crate::server::http::kit::OwnAllow;

/// Gives a request to what stands behind its name.
pub(super) async fn call(
    state: &ServerState,
    request: &HttpRequest,
    name: &str,
    body: &[u8],
) -> HttpResponse {
    let asked = hook_request(request, name, body);
    let directory = state.core.queries.directory();
    let outcome =
        match is_known(&directory, name) || state.platypush.admits_unknown_hook(asked.address) {
            true => called::call(state, asked.clone()).await,
            false => HookOutcome::Busy,
        };
    response(hook_answer(&asked, outcome))
}

fn is_known(directory: &Directory, name: &str) -> bool {
    let hook = HookName::new(name).ok();
    let hook = hook.is_some_and(|name| directory.hook(&name).is_some());
    let trigger = || {
        let id = TriggerId::new(name).ok();
        id.is_some_and(|id| directory.trigger(&id).is_some())
    };
    hook || trigger()
}

fn response(HookAnswer { answer, headers }: HookAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, answer.content_type))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")));
    for (name, value) in &headers {
        let pair = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        );
        // The building's check has looked at these; what is no header is left out.
        if let (Ok(name), Ok(value)) = pair {
            response.insert_header((name, value));
        }
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.extensions_mut().insert(OwnAllow);
    }
    response.body(answer.body)
}
