//! The resources of the HTTP API: their paths and what their specification says. `serve` answers them all.

use actix_web::{get, post};

use crate::server::http::pusher::serve::serve;
use crate::server::http::pusher::signed::SignedRequest;
use crate::server::http::pusher::{Answer, Refusals};

/// Sends an event to channels. With `info` the answer has what is wanted of each.
#[utoipa::path(
    tag = "pusher",
    operation_id = "trigger",
    security(()),
    params(("app" = String, Path)),
    request_body(content = Object),
    responses((status = 200, description = "It is on its way.", body = Object), Refusals),
)]
#[post("/apps/{app}/events")]
pub(super) async fn trigger(request: SignedRequest) -> Answer {
    serve(request).await
}

/// Sends several events, each to one channel, in their order: all of them or none.
#[utoipa::path(
    tag = "pusher",
    operation_id = "trigger_batch",
    security(()),
    params(("app" = String, Path)),
    request_body(content = Object),
    responses((status = 200, description = "They are on their way.", body = Object), Refusals),
)]
#[post("/apps/{app}/batch_events")]
pub(super) async fn trigger_batch(request: SignedRequest) -> Answer {
    serve(request).await
}

/// Which channels have a subscriber.
#[utoipa::path(
    tag = "pusher",
    operation_id = "channels",
    security(()),
    params(
        ("app" = String, Path),
        ("filter_by_prefix" = Option<String>, Query, description = "How their names begin."),
        ("info" = Option<String>, Query, description = "`user_count`, where the prefix begins with `presence-`."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/apps/{app}/channels")]
pub(super) async fn channels(request: SignedRequest) -> Answer {
    serve(request).await
}

/// How one channel is.
#[utoipa::path(
    tag = "pusher",
    operation_id = "channel",
    security(()),
    params(
        ("app" = String, Path),
        ("channel" = String, Path),
        ("info" = Option<String>, Query, description = "`user_count`, `subscription_count` and `cache`, with commas between them, as far as the channel has them."),
    ),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/apps/{app}/channels/{channel}")]
pub(super) async fn channel(request: SignedRequest) -> Answer {
    serve(request).await
}

/// Who is in a presence channel.
#[utoipa::path(
    tag = "pusher",
    operation_id = "channel_users",
    security(()),
    params(("app" = String, Path), ("channel" = String, Path)),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/apps/{app}/channels/{channel}/users")]
pub(super) async fn channel_users(request: SignedRequest) -> Answer {
    serve(request).await
}

/// How one channel is, in the words of 2012.
#[utoipa::path(
    tag = "pusher",
    operation_id = "channel_stats",
    security(()),
    params(("app" = String, Path), ("channel" = String, Path)),
    responses((status = 200, body = Object), Refusals),
)]
#[get("/apps/{app}/channels/{channel}/stats")]
pub(super) async fn channel_stats(request: SignedRequest) -> Answer {
    serve(request).await
}

/// Sends an event to one channel, as it was done until 2012: the body is its data.
#[utoipa::path(
    tag = "pusher",
    operation_id = "channel_trigger",
    security(()),
    params(
        ("app" = String, Path),
        ("channel" = String, Path),
        ("name" = String, Query, description = "The event's name."),
        ("socket_id" = Option<String>, Query, description = "The connection that does not get it."),
    ),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 202, description = "It is on its way."), Refusals),
)]
#[post("/apps/{app}/channels/{channel}/events")]
pub(super) async fn channel_trigger(request: SignedRequest) -> Answer {
    serve(request).await
}

/// Ends the connections of a user.
#[utoipa::path(
    tag = "pusher",
    operation_id = "terminate",
    security(()),
    params(("app" = String, Path), ("user" = String, Path)),
    request_body(content = Object),
    responses((status = 200, description = "They are told to end.", body = Object), Refusals),
)]
#[post("/apps/{app}/users/{user}/terminate_connections")]
pub(super) async fn terminate(request: SignedRequest) -> Answer {
    serve(request).await
}

/// The same where the library for Python asks for it. The app is that of the key.
#[utoipa::path(
    tag = "pusher",
    operation_id = "terminate_of_any_app",
    security(()),
    params(("user" = String, Path)),
    request_body(content = Object),
    responses((status = 200, description = "They are told to end.", body = Object), Refusals),
)]
#[post("/users/{user}/terminate_connections")]
pub(super) async fn terminate_of_any_app(request: SignedRequest) -> Answer {
    serve(request).await
}

/// Takes a notification for phones, as it was sent until 2017: it is a message of the services whose names are its interests.
#[utoipa::path(
    tag = "pusher",
    operation_id = "notify",
    security(()),
    params(("app" = String, Path)),
    request_body(content = Object),
    responses((status = 202, description = "It was taken.", body = Object), Refusals),
)]
#[post("/server_api/v1/apps/{app}/notifications")]
pub(super) async fn notify(request: SignedRequest) -> Answer {
    serve(request).await
}
