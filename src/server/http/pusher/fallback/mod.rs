//! Pages that have no websocket: plain requests in the place of one.
//!
//! A page chooses the name of a session. It asks for what there is, by requests of which one is always open, and sends frames by others.
//! Behind a session stands a connection as any other, whose client is in this process ([`session`]); the lines are the dialect's.
//!
//! What was on its way when a request broke off is lost, as with the libraries' own servers: the page finds out by its signs of life, and subscribes anew.

mod session;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse, post};
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, stream};
use tokio::sync::mpsc;

use crate::dialects::pusher::fallback::sent;
use crate::dialects::{Carrier, DialectKind, Head};
use crate::server::ServerState;
use crate::server::http::kit::{arrival, read_body};
use crate::server::http::pusher::rejections::rejection;
use crate::server::http::pusher::sign_in::for_any_page;
use crate::server::http::pusher::{Body, HttpRejection};
use crate::server::limits::SENT_BODY_MAX_BYTES;
use crate::server::ws::local;

use session::{Handle, Patience, Receiver};

/// Their paths, for the questions of browsers.
pub(super) const PATHS: [&str; 3] = [
    "/pusher/app/{key}/{server}/{session}/xhr_streaming",
    "/pusher/app/{key}/{server}/{session}/xhr",
    "/pusher/app/{key}/{server}/{session}/xhr_send",
];

/// The sessions of this process. There are as many as connections are let in, since each has one.
#[derive(Debug, Default)]
pub(in crate::server) struct Fallbacks(Mutex<HashMap<SessionName, Handle>>);

/// How a page names its session: the key of the app, a number and a word.
type SessionName = (String, String, String);

impl Fallbacks {
    fn find(&self, name: &SessionName) -> Option<Handle> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(name).cloned()
    }

    /// Keeps a new session; `false` when another one of this name has begun meanwhile.
    fn keep(&self, name: &SessionName, handle: Handle) -> bool {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !sessions.contains_key(name);
        if is_new {
            sessions.insert(name.clone(), handle);
        }
        is_new
    }

    fn forget(&self, name: &SessionName) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(name);
    }
}

/// Frames of a page.
pub(super) struct Frames(Body);

impl FromRequest for Frames {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(request, payload, SENT_BODY_MAX_BYTES);
        async move { Ok(Self(body.await?)) }.boxed_local()
    }
}

/// Tells a page what there is, by one answer that does not end.
#[utoipa::path(
    tag = "pusher",
    operation_id = "receive_frames",
    security(()),
    params(("key" = String, Path), ("server" = String, Path), ("session" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "default", description = "503 not at the moment.")),
)]
#[post("/pusher/app/{key}/{server}/{session}/xhr_streaming")]
pub(super) async fn receive(
    state: Data<ServerState>,
    request: HttpRequest,
    name: Path<SessionName>,
) -> HttpResponse {
    answer(&state, &request, name.into_inner(), Patience::Lasting).await
}

/// Tells a page what there is, as soon as there is something.
#[utoipa::path(
    tag = "pusher",
    operation_id = "poll_frames",
    security(()),
    params(("key" = String, Path), ("server" = String, Path), ("session" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "default", description = "503 not at the moment.")),
)]
#[post("/pusher/app/{key}/{server}/{session}/xhr")]
pub(super) async fn poll(
    state: Data<ServerState>,
    request: HttpRequest,
    name: Path<SessionName>,
) -> HttpResponse {
    answer(&state, &request, name.into_inner(), Patience::OneLine).await
}

/// Takes frames of a page: a list of texts.
#[utoipa::path(
    tag = "pusher",
    operation_id = "send_frames",
    security(()),
    params(("key" = String, Path), ("server" = String, Path), ("session" = String, Path)),
    request_body(content = String, content_type = "application/json"),
    responses((status = 204), (status = "default", description = "400 they are no frames, 404 there is no such session, 413 they are too large, 503 too many wait.", body = String, content_type = "text/plain")),
)]
#[post("/pusher/app/{key}/{server}/{session}/xhr_send")]
pub(super) async fn send(
    state: Data<ServerState>,
    request: HttpRequest,
    name: Path<SessionName>,
    body: Frames,
) -> HttpResponse {
    let refuse = |status, text| rejection(status, text).to_response();
    let response = match (state.fallbacks.find(&name), sent(&body.0.bytes)) {
        (None, _) => refuse(StatusCode::NOT_FOUND, "There is no such session"),
        (_, None) => refuse(StatusCode::BAD_REQUEST, "The body is no list of texts"),
        (Some(session), Some(frames)) => match session.send(frames) {
            true => HttpResponse::NoContent().finish(),
            false => refuse(StatusCode::SERVICE_UNAVAILABLE, "Too much waits to be read"),
        },
    };
    for_any_page(&request, response)
}

/// Lets a request of a page hear what its session is told, which begins with the first of them.
async fn answer(
    state: &Data<ServerState>,
    request: &HttpRequest,
    name: SessionName,
    patience: Patience,
) -> HttpResponse {
    let (receiver, lines) = Receiver::new(patience);
    let is_heard = match state.fallbacks.find(&name) {
        Some(session) => session.attach(receiver),
        None => begin(state, request, name, receiver).await,
    };
    let response = match is_heard {
        true => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .streaming(Box::pin(body_of(lines))),
        false => rejection(StatusCode::SERVICE_UNAVAILABLE, "Ask again in a moment").to_response(),
    };
    for_any_page(request, response)
}

/// Begins a session whose first lines this receiver gets.
async fn begin(
    state: &Data<ServerState>,
    request: &HttpRequest,
    name: SessionName,
    receiver: Receiver,
) -> bool {
    let from = arrival(request);
    let path = format!("/app/{}", name.0);
    let head = Head {
        carrier: Carrier::WebSocket,
        transport: from.transport,
        path: &path,
        query: request.query_string(),
        header: &|name| request.headers().get(name).map(HeaderValue::as_bytes),
    };
    let Ok(client) = local::open(state, DialectKind::Pusher, &head, from.address).await else {
        return false;
    };
    let (handle, session) = session::new(client);
    if !state.fallbacks.keep(&name, handle.clone()) {
        return false;
    }
    let state = state.clone();
    // Ends with its connection, or when no request of the page comes any more.
    actix_rt::spawn(async move {
        session.run().await;
        state.fallbacks.forget(&name);
    });
    handle.attach(receiver)
}

fn body_of(
    lines: mpsc::Receiver<Bytes>,
) -> impl futures_util::Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::unfold(lines, |mut lines| async {
        let line = lines.recv().await?;
        Some((Ok(line), lines))
    })
}
