//! The resources of Pushjet's API: their paths and what their specification says. `serve` answers them all.

use actix_web::{HttpResponse, delete, get, patch, post};

use crate::dialects::pushjet::rest::Endpoint;
use crate::server::http::pushjet::Refusals;
use crate::server::http::pushjet::serve::{Asked, serve};
use crate::server::ws::entering::not_upgraded;

/// Makes a service, and shows its secret this once. It needs HTTP Basic with a user's password or an API key, of level support or admin, unless `pushjet.create` lets anyone.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "create_service",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`name`, `icon`"),
    responses((status = 200, body = Object), Refusals),
)]
#[post("/service")]
pub(super) async fn create_service(asked: Asked) -> HttpResponse {
    serve(Endpoint::CreateService, asked).await
}

/// A service, by its public key or its secret.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "read_service",
    security(()),
    params(
        ("service" = Option<String>, Query, description = "The public key. It may stand in the form too."),
        ("secret" = Option<String>, Query, description = "The secret. It may stand in the form too."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/service")]
pub(super) async fn read_service(asked: Asked) -> HttpResponse {
    serve(Endpoint::ReadService, asked).await
}

/// Changes the name or the icon of a service.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "edit_service",
    security(()),
    params(
        ("secret" = Option<String>, Query, description = "The secret. It may stand in the form too."),
    ),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`name`, `icon`"),
    responses((status = 200, body = Object), Refusals),
)]
#[patch("/service")]
pub(super) async fn edit_service(asked: Asked) -> HttpResponse {
    serve(Endpoint::EditService, asked).await
}

/// Ends a service, with its subscriptions and messages.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "delete_service",
    security(()),
    params(
        ("secret" = Option<String>, Query, description = "The secret. It may stand in the form too."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[delete("/service")]
pub(super) async fn delete_service(asked: Asked) -> HttpResponse {
    serve(Endpoint::DeleteService, asked).await
}

/// Subscribes a device to a service, from the next message on.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "subscribe",
    security(()),
    params(
        ("uuid" = Option<String>, Query, description = "The device. It may stand in the form too."),
    ),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`service`"),
    responses((status = 200, body = Object), Refusals),
)]
#[post("/subscription")]
pub(super) async fn subscribe(asked: Asked) -> HttpResponse {
    serve(Endpoint::Subscribe, asked).await
}

/// What a device is subscribed to.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "subscriptions",
    security(()),
    params(
        ("uuid" = Option<String>, Query, description = "The device. It may stand in the form too."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/subscription")]
pub(super) async fn subscriptions(asked: Asked) -> HttpResponse {
    serve(Endpoint::Subscriptions, asked).await
}

/// Ends a subscription. The body may be a form here too.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "unsubscribe",
    security(()),
    params(
        ("uuid" = Option<String>, Query, description = "The device. It may stand in the form too."),
    ),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`service`"),
    responses((status = 200, body = Object), Refusals),
)]
#[delete("/subscription")]
pub(super) async fn unsubscribe(asked: Asked) -> HttpResponse {
    serve(Endpoint::Unsubscribe, asked).await
}

/// Sends a message to all who are subscribed.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "send",
    security(()),
    params(
        ("secret" = Option<String>, Query, description = "The secret. It may stand in the form too."),
    ),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`message`, `title`, `link`, `level`"),
    responses((status = 200, body = Object), Refusals),
)]
#[post("/message")]
pub(super) async fn send(asked: Asked) -> HttpResponse {
    serve(Endpoint::Send, asked).await
}

/// What a device has not read, which is read by that.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "take_messages",
    security(()),
    params(
        ("uuid" = Option<String>, Query, description = "The device. It may stand in the form too."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/message")]
pub(super) async fn take_messages(asked: Asked) -> HttpResponse {
    serve(Endpoint::TakeMessages, asked).await
}

/// A device has read all that there is.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "read_messages",
    security(()),
    params(
        ("uuid" = Option<String>, Query, description = "The device. It may stand in the form too."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[delete("/message")]
pub(super) async fn read_messages(asked: Asked) -> HttpResponse {
    serve(Endpoint::ReadMessages, asked).await
}

/// The sender of a push service that is there no longer, for phones that ask when they start.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "push_sender",
    security(()),
    responses((status = 200, body = Object)),
)]
#[get("/gcm")]
pub(super) async fn push_sender(asked: Asked) -> HttpResponse {
    serve(Endpoint::PushSender, asked).await
}

/// Takes a phone's token, with which nothing is done.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "register_phone",
    security(()),
    params(
        ("uuid" = Option<String>, Query, description = "The device. It may stand in the form too."),
    ),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`regid`"),
    responses((status = 200, body = Object), Refusals),
)]
#[post("/gcm")]
pub(super) async fn register_phone(asked: Asked) -> HttpResponse {
    serve(Endpoint::RegisterPhone, asked).await
}

/// Forgets it.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "forget_phone",
    security(()),
    params(
        ("uuid" = Option<String>, Query, description = "The device. It may stand in the form too."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[delete("/gcm")]
pub(super) async fn forget_phone(asked: Asked) -> HttpResponse {
    serve(Endpoint::ForgetPhone, asked).await
}

/// Which version this is, as seven hexadecimal digits.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "version",
    security(()),
    responses((status = 200, body = String, content_type = "text/plain")),
)]
#[get("/version")]
pub(super) async fn version(asked: Asked) -> HttpResponse {
    serve(Endpoint::Version, asked).await
}

/// Nothing here is for search engines.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "robots",
    security(()),
    responses((status = 200, body = String, content_type = "text/plain")),
)]
#[get("/robots.txt")]
pub(super) async fn robots(asked: Asked) -> HttpResponse {
    serve(Endpoint::Robots, asked).await
}

/// There is no icon.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "favicon",
    security(()),
    responses((status = 204, description = "There is none.")),
)]
#[get("/favicon.ico")]
pub(super) async fn favicon(asked: Asked) -> HttpResponse {
    serve(Endpoint::Favicon, asked).await
}

/// The websocket of a listener; see its own specification.
// Reached by a request that is no upgrade, or one that actix does not take for one.
#[utoipa::path(
    tag = "pushjet",
    operation_id = "listen",
    security(()),
    responses(
        (status = 101, description = "The websocket is open."),
        (status = 426, description = "The request is no upgrade.", body = String, content_type = "text/plain"),
    ),
)]
#[get("/ws")]
pub(super) async fn websocket() -> HttpResponse {
    not_upgraded().to_response()
}
