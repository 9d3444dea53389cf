//! Calls of modules that run here, made by other nodes.
//!
//! PlaceOS sends a call again when the answer is no success. So 503 says that nothing ran, for certain;
//! everything else that went wrong is a 203, as PlaceOS's cores say it of a driver that raised.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, get, post};

use crate::core::{NotHere, ReplySlot, Returned};
use crate::dialects::placeos::rest::{ErrorShape, Query, RaisedShape, read_call};
use crate::model::{Failure, FailureKind, UserId};
use crate::server::http::kit::json_text;
use crate::server::http::placeos::node_api::authn::{Peer, module_id};
use crate::server::http::placeos::node_api::order::StreamPosition;
use crate::server::http::placeos::rejections::bad_request;
use crate::server::http::placeos::{Answer, Body};
use crate::server::ws::entering;

/// The driver's own HTTP-like code.
const RESPONSE_CODE: HeaderName = HeaderName::from_static("response-code");

/// What kind of failure it is, for nodes of riser's.
const FAILURE: HeaderName = HeaderName::from_static("riser-failure");

/// The call's place among those of its module.
const ORDER: HeaderName = HeaderName::from_static("riser-order");

/// Calls a function of a module that runs here.
///
/// It runs at most once. The header `Response-Code` has the driver's own code.
#[utoipa::path(
    tag = "cores",
    security(("cluster" = [])),
    params(
        ("user_id" = Option<String>, Query, description = "Who calls, for the log."),
        ("riser-order" = Option<String>, Header, description = "The call's place among those of the same node and module, `<stream>/<number>/<lowest number under way>`: it begins behind those between the two numbers."),
    ),
    request_body(content = Object, description = "`{\"__exec__\": NAME, NAME: arguments}`, the arguments as an array or an object."),
    responses(
        (status = 200, description = "What it returned.", body = serde_json::Value),
        (status = 203, description = "The driver raised, or the call may have run and there is no result; the header `riser-failure` tells which.", body = RaisedShape<'_>),
        (status = 400, description = "The body is no call.", body = ErrorShape<'_>),
        (status = 401, description = "This is for nodes of the cluster."),
        (status = 403, description = "A page of a browser asks."),
        (status = 404, description = "The gateway is alone."),
        (status = 503, description = "Nothing ran; with the header `riser-not-run` because the module does not run here.", body = ErrorShape<'_>),
    ),
)]
#[post("/command/{module}/execute")]
pub(super) async fn execute(
    peer: Peer,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Answer {
    let Peer { node, state } = peer;
    let exec = read_call(module_id(&path)?, &body.bytes).map_err(bad_request)?;
    let user = user(&request);
    let place = request.headers().get(ORDER);
    let place = place.and_then(|place| StreamPosition::parse(place.to_str().ok()?));
    let turn = match place {
        Some(place) => Some(state.orders.turn(place).await),
        None => None,
    };
    let (slot, returned) = ReplySlot::for_exec();
    let begun = state
        .core
        .inbound_calls
        .exec_for(node, user.as_ref(), exec, slot);
    drop(turn);
    begun?;
    Ok(match returned.await {
        Ok(Returned { value, code }) => {
            let mut response = json_text(StatusCode::OK, value.as_str().to_owned());
            response.headers_mut().insert(RESPONSE_CODE, code.into());
            response
        }
        Err(failure) => failed(&failure),
    })
}

/// Who calls, as the other node says: a name for the log, and nothing is granted to it.
fn user(request: &HttpRequest) -> Option<UserId> {
    let query = Query::parse(request.query_string());
    UserId::new(query.first("user_id")?).ok()
}

fn failed(failure: &Failure) -> HttpResponse {
    let body = serde_json::to_string(&RaisedShape::new(failure.message())).unwrap_or_default();
    let kind = failure.kind();
    // Of all that can fail in the module's mailbox or behind it, only this is certain not to have run.
    let status = match kind == FailureKind::Busy {
        true => StatusCode::SERVICE_UNAVAILABLE,
        false => StatusCode::NON_AUTHORITATIVE_INFORMATION,
    };
    let mut response = json_text(status, body);
    let headers = response.headers_mut();
    if kind == FailureKind::DriverFailed {
        headers.insert(RESPONSE_CODE, failure.response_code().into());
    } else {
        headers.insert(FAILURE, HeaderValue::from_static(kind.as_str()));
    }
    response
}

/// Lets a module run here that is meant to, which it does by itself.
#[utoipa::path(tag = "cores", security(("cluster" = [])), responses(
    (status = 200, description = "It runs here."),
    (status = 401, description = "This is for nodes of the cluster."),
    (status = 403, description = "A page of a browser asks."),
    (status = 404, description = "The gateway is alone."),
    (status = 503, description = "It does not.", body = ErrorShape<'_>),
))]
#[post("/command/{module}/load")]
pub(super) async fn load(peer: Peer, path: Path<String>) -> Answer {
    let module = module_id(&path)?;
    let modules = peer.state.core.inbound_calls.modules_here(peer.node);
    match modules.iter().any(|(here, _)| *here == module) {
        true => Ok(HttpResponse::Ok().finish()),
        false => Err(NotHere.into()),
    }
}

/// The log of a module that runs here: a websocket with a text `[severity, message]` for each line, from 0 (trace) to 6 (fatal).
// Reached by a request that is no upgrade, or one that actix does not take for one.
#[utoipa::path(tag = "cores", security(("cluster" = [])), responses(
    (status = 101, description = "The websocket is open."),
    (status = 401, description = "This is for nodes of the cluster."),
    (status = 403, description = "A page of a browser asks."),
    (status = 404, description = "The gateway is alone."),
    (status = 426, description = "The request is no upgrade.", body = String, content_type = "text/plain"),
    (status = 503, description = "The module does not run here.", body = ErrorShape<'_>),
))]
#[get("/command/{module}/debugger")]
pub(super) async fn debugger(_: Peer) -> Answer {
    Err(entering::upgrade_required("this is a websocket: connect to it with an upgrade").into())
}
