//! The handshake, and taking the socket over from actix.
//!
//! actix hands every request with `Upgrade: websocket` here, whatever its path. Those for a websocket's path are admitted or refused;
//! the others are strays and go through a second instance of the App.
//! After the 101 the stream is taken apart, so that the dispatcher and its buffers end and only the connection's own small task is left.

use std::cell::RefCell;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use actix_codec::{Framed, FramedParts};
use actix_http::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_http::error::PayloadError;
use actix_http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use actix_http::{
    BoxedPayloadStream, ConnectionType, Method, Payload, Request, RequestHead, Response,
    StatusCode, Version, h1,
};
use actix_service::Service;
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use uuid::Uuid;

use crate::core::Caller;
use crate::dialects::{Carrier, DialectKind, Hello, RefusalTime};
use crate::model::ConnectionId;
use crate::server::ServerState;
use crate::server::admission::{AdmissionPhase, Permit, TurnedAway};
use crate::server::http::edge;
use crate::server::http::kit::{Arrival, HttpRejection, Words};
use crate::server::http::mounts::{NODES, Site};
use crate::server::http::node_api;
use crate::server::limits::REFUSAL_DEADLINE;
use crate::server::ws::connection::{self, Beginning, Identity};
use crate::server::ws::entering::{self, NotAdmitted};
use crate::server::ws::wire::{ClientStream, Wire};
use crate::server::ws::worker::Worker;
use crate::server::ws::{debugger, goodbye};

type Stream<T> = Framed<T, h1::Codec>;

/// How much of such a body is read at a time.
const STRAY_READ_BYTES: usize = 8 * 1024;

/// PlaceOS's name for the id that a request can be followed by.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves one request that asks for an upgrade.
pub(in crate::server) async fn take_over<T, S, B>(
    state: ServerState,
    site: Site,
    worker: Rc<Worker>,
    strays: Rc<S>,
    request: Request,
    framed: Stream<T>,
) -> Result<(), actix_web::Error>
where
    T: ClientStream,
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    if let Some(pace) = framed.io_ref().pace() {
        pace.begin();
    }
    let mut request = request;
    let words = site.words(request.path());
    let arrival = Arrival::of(&state.settings, site.transport(), request.head());
    let asked = edge::put_in_order(request.head_mut(), words);
    let local = |owner| site.local(owner, request.path());
    let served = if let Err(refusal) = asked {
        refuse(&state, arrival, framed, refusal).await
    } else if let Some(kind) = dialect_at(&state, &site, request.path()) {
        websocket(&state, &worker, kind, words, arrival, &request, framed).await
    } else if let Some(module) = local(NODES).and_then(node_api::debugged_module) {
        debugger::serve(&state, module, arrival, &request, framed).await
    } else {
        stray(&*strays, request, framed).await
    };
    if let Err(error) = served {
        // The client has gone, or sent what cannot be served: no answer can reach it.
        tracing::debug!(%error, "an upgrade request ended early");
    }
    Ok(())
}

/// The dialect whose websocket a path is at this address.
fn dialect_at(state: &ServerState, site: &Site, path: &str) -> Option<DialectKind> {
    if let Some(kind) = site.websocket() {
        return Some(kind);
    }
    let settings = state.settings.dialect_settings();
    let mut kinds = DialectKind::ALL.iter().copied();
    kinds.find(|kind| {
        let local = site.local(kind.as_str(), path);
        local.is_some_and(|path| kind.profile(&settings).is_at(path))
    })
}

/// An admitted client.
struct Newcomer {
    /// `None` when it signs in later.
    caller: Option<Caller>,
    hello: Hello,
    /// What the client's key in the handshake was.
    key: String,
    permit: Permit,
}

/// A request for a websocket's path.
async fn websocket<T: ClientStream>(
    state: &ServerState,
    worker: &Rc<Worker>,
    kind: DialectKind,
    words: Words,
    arrival: Arrival,
    request: &Request,
    framed: Stream<T>,
) -> io::Result<()> {
    let address = arrival.address;
    let Newcomer {
        caller,
        hello,
        key,
        permit,
    } = match admit(state, kind, request, arrival).await {
        Ok(newcomer) => newcomer,
        Err(refused) => {
            return turn_away(state, kind, words, arrival, request, framed, refused).await;
        }
    };
    let (wire, rest) = upgrade(state, request, framed, &key).await?;
    let id = ConnectionId(state.next_connection.fetch_add(1, Ordering::Relaxed));
    let who = caller.as_ref();
    tracing::debug!(
        connection = %id, user = who.map(|who| who.identity().to_string()),
        key = who.map(|who| who.credential().to_string()), %address, ?hello,
        "a client connected"
    );
    let identity = caller.map_or(Identity::Anonymous(address), Identity::Identified);
    let carrier = Carrier::WebSocket;
    let beginning = connection::begin(worker, id, wire, carrier, identity, hello, permit);
    start(worker, beginning, rest);
    Ok(())
}

/// Lets a connection run in a task of its own, so that actix's task and its buffers end here. It ends with its connection, which the drain waits for.
pub(super) fn start(worker: &Rc<Worker>, beginning: Beginning, rest: Vec<u8>) {
    worker.metrics.opened(beginning.connection.kind);
    actix_rt::spawn(connection::run(Rc::clone(worker), beginning, rest));
}

/// Sends the 101 and takes the stream from actix, with what came behind the handshake.
async fn upgrade<T: ClientStream>(
    state: &ServerState,
    request: &Request,
    framed: Stream<T>,
    key: &str,
) -> io::Result<(Wire, Vec<u8>)> {
    let mut framed = framed;
    framed
        .send(h1::Message::Item((
            switching_protocols(request, key),
            BodySize::None,
        )))
        .await?;
    let parts = framed.into_parts();
    // Copied out: the buffer itself has kilobytes of room even when it is empty.
    let rest = parts.read_buf.to_vec();
    Ok((parts.io.into_wire(state.settings.send_buffer_bytes)?, rest))
}

/// Refuses a client: in place of the upgrade, or behind it where its dialect does that.
async fn turn_away<T: ClientStream>(
    state: &ServerState,
    kind: DialectKind,
    words: Words,
    arrival: Arrival,
    request: &Request,
    framed: Stream<T>,
    refused: NotAdmitted,
) -> io::Result<()> {
    let told = refused.told;
    let http = refused.into_http(words);
    if http.status == StatusCode::SERVICE_UNAVAILABLE {
        state.metrics.turned_away.increment(1);
    }
    let behind_upgrade = match kind.profile(&state.settings.dialect_settings()).refusal {
        RefusalTime::BeforeUpgrade => None,
        RefusalTime::AfterUpgrade => told.zip(websocket_key(request).ok()),
    };
    let Some((told, key)) = behind_upgrade else {
        return refuse(state, arrival, framed, http).await;
    };
    // When too many are being refused in this way already, the rest get the short answer.
    let Some(_place) = state.admission.admit_to_refuse() else {
        return refuse(state, arrival, framed, http).await;
    };
    let (wire, _) = upgrade(state, request, framed, &key).await?;
    let messages = goodbye::to_newcomer(kind, Carrier::WebSocket, told);
    goodbye::say(&wire, &messages).await;
    Ok(())
}

/// Whether a client is admitted.
async fn admit(
    state: &ServerState,
    kind: DialectKind,
    request: &Request,
    arrival: Arrival,
) -> Result<Newcomer, NotAdmitted> {
    if state.admission.phase() == AdmissionPhase::Starting {
        return Err(TurnedAway::Starting.into());
    }
    let (caller, hello) = entering::enter_websocket(state, kind, request.head(), arrival).await?;
    let key = websocket_key(request)?;
    let permit = place_for(state, caller.as_ref(), arrival.address)?;
    Ok(Newcomer {
        caller,
        hello,
        key,
        permit,
    })
}

/// A place among the connections that there may be.
pub(super) fn place_for(
    state: &ServerState,
    caller: Option<&Caller>,
    address: IpAddr,
) -> Result<Permit, TurnedAway> {
    let key = caller.map(|caller| caller.credential());
    state.admission.admit(key, address).inspect_err(|reason| {
        tracing::warn!(
            target: "audit",
            user = caller.map(|caller| caller.identity().to_string()),
            key = key.map(ToString::to_string), %address, %reason,
            "turned away"
        );
    })
}

/// What RFC 6455 section 4.2.1 asks of a handshake beyond what `entering` has looked at.
pub(super) fn websocket_key(request: &Request) -> Result<String, HttpRejection> {
    let head = request.head();
    if head.method != Method::GET {
        return Err(HttpRejection::text(
            StatusCode::METHOD_NOT_ALLOWED,
            "a websocket handshake is a GET request",
        )
        .with_header(ALLOW, HeaderValue::from_static("GET")));
    }
    if head.version < Version::HTTP_11 {
        return Err(HttpRejection::text(
            StatusCode::BAD_REQUEST,
            "a websocket handshake needs HTTP/1.1",
        ));
    }
    // What would follow is not frames, and what is in it could be taken for some.
    if head.headers.contains_key(TRANSFER_ENCODING)
        || head
            .headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length.as_bytes() != b"0")
    {
        return Err(HttpRejection::text(
            StatusCode::BAD_REQUEST,
            "a websocket handshake has no body",
        ));
    }
    let version = only(head, SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version.as_bytes() != b"13") {
        return Err(entering::upgrade_required(
            "this gateway speaks version 13 of the websocket protocol",
        ));
    }
    only(head, SEC_WEBSOCKET_KEY)
        .and_then(|key| key.to_str().ok())
        .map(str::trim)
        .filter(|key| is_nonce(key))
        .map(str::to_owned)
        .ok_or_else(|| {
            HttpRejection::text(
                StatusCode::BAD_REQUEST,
                "Sec-WebSocket-Key has to be 16 bytes in base64",
            )
        })
}

/// A header that may come once (RFC 6455 sections 11.3.1 and 11.3.5); `None` when it comes more often too.
fn only(head: &RequestHead, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = head.headers.get_all(name);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// Whether a text is 16 bytes in base64.
fn is_nonce(key: &str) -> bool {
    let bytes = key.as_bytes();
    bytes.len() == 24
        && bytes.ends_with(b"==")
        && bytes[..22]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

pub(super) fn switching_protocols(request: &Request, key: &str) -> Response<()> {
    let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS).set_body(());
    let head = response.head_mut();
    head.set_connection_type(ConnectionType::Upgrade);
    head.headers
        .insert(UPGRADE, HeaderValue::from_static("websocket"));
    let accept = actix_http::ws::hash_key(key.as_bytes());
    if let Ok(accept) = HeaderValue::from_bytes(&accept) {
        head.headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    let id = match request.head().headers.get(REQUEST_ID) {
        Some(id) => Some(id.clone()),
        None => HeaderValue::from_str(&Uuid::new_v4().to_string()).ok(),
    };
    if let Some(id) = id {
        head.headers.insert(REQUEST_ID, id);
    }
    response
}

pub(super) async fn refuse<T: ClientStream>(
    state: &ServerState,
    arrival: Arrival,
    framed: Stream<T>,
    refusal: HttpRejection,
) -> io::Result<()> {
    let mut response = Response::new(refusal.status).set_body(());
    for (name, value) in refusal.headers {
        response.headers_mut().insert(name, value);
    }
    let (settings, by) = (&state.settings, arrival.transport);
    edge::sign(response.headers_mut(), refusal.status, settings, by);
    answer(framed, response, Bytes::from(refusal.body)).await
}

/// A request that looks like an upgrade and is ordinary HTTP.
async fn stray<T, S, B>(strays: &S, request: Request, framed: Stream<T>) -> io::Result<()>
where
    T: ClientStream,
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    let length = request
        .head()
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let parts = Rc::new(RefCell::new(framed.into_parts()));
    let body = StrayBody {
        parts: Rc::clone(&parts),
        missing: length.unwrap_or(0),
    };
    let mut request = request;
    request.take_payload();
    let payload = Payload::from(Box::pin(body) as BoxedPayloadStream);
    let (request, _) = request.replace_payload(payload);
    let response: Response<BoxBody> = match strays.call(request).await {
        Ok(response) => {
            let response = Response::<B>::from(response);
            response.map_into_boxed_body()
        }
        Err(error) => Response::from(error),
    };
    let mut body = None;
    let response = response.map_body(|_, whole| body = Some(whole));
    let body = to_bytes(body.unwrap_or_else(|| BoxBody::new(())))
        .await
        .map_err(|error| io::Error::other(error.to_string()))?;
    let parts = Rc::into_inner(parts)
        .ok_or_else(|| io::Error::other("the body of the request outlived its answer"))?;
    let framed = Framed::from_parts(parts.into_inner());
    answer(framed, response, body).await
}

/// The body of such a request, read off the stream when it is wanted: the stream that is handed over does not decode it.
struct StrayBody<T> {
    parts: Rc<RefCell<FramedParts<T, h1::Codec>>>,
    missing: usize,
}

impl<T: ClientStream> futures_util::Stream for StrayBody<T> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.missing == 0 {
            return Poll::Ready(None);
        }
        let parts = &mut *this.parts.borrow_mut();
        if parts.read_buf.is_empty() {
            let mut room = [0; STRAY_READ_BYTES];
            let mut read = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut parts.io).poll_read(cx, &mut read)).map_err(PayloadError::Io)?;
            if read.filled().is_empty() {
                return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
            }
            parts.read_buf.extend_from_slice(read.filled());
        }
        let bytes = this.missing.min(parts.read_buf.len());
        this.missing -= bytes;
        Poll::Ready(Some(Ok(parts.read_buf.split_to(bytes).freeze())))
    }
}

/// Writes a plain HTTP answer, lets the client read it, and ends the stream.
async fn answer<T: ClientStream>(
    framed: Stream<T>,
    response: Response<()>,
    body: Bytes,
) -> io::Result<()> {
    let mut framed = framed;
    let mut response = response;
    response
        .head_mut()
        .set_connection_type(ConnectionType::Close);
    response.headers_mut().remove(CONNECTION);
    let written = timeout(REFUSAL_DEADLINE, async {
        let size = BodySize::Sized(body.len() as u64);
        framed.send(h1::Message::Item((response, size))).await?;
        if !body.is_empty() {
            framed.send(h1::Message::Chunk(Some(body))).await?;
        }
        framed.send(h1::Message::Chunk(None)).await?;
        // Ends our side.
        framed.io_mut().shutdown().await
    });
    written.await??;
    let mut io = framed.into_parts().io;
    // What the client still sends is read and dropped, lest the kernel answer it with a reset that overtakes our answer.
    let mut dropped = [0; 512];
    let drain = async { while io.read(&mut dropped).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(REFUSAL_DEADLINE, drain).await;
    Ok(())
}
