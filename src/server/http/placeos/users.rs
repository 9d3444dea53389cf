//! Who the caller is, and what their credentials stand for.

use std::time::SystemTime;

use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use uuid::Uuid;

use crate::dialects::placeos::rest::{TokenShape, UserShape};
use crate::server::Doors;
use crate::server::http::placeos::access::{domain, known, reader};
use crate::server::http::placeos::answers::{Answer, json, not_found};
use crate::server::http::placeos::shapes::user_shape;

/// The user behind the credentials, with the clearance that they leave.
#[utoipa::path(responses((status = 200, body = UserShape<'_>)))]
#[get("/users/current")]
pub(super) async fn current(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let caller = reader(&doors, &request, "users")?;
    let directory = doors.core.directory();
    let user = user_shape(&directory, caller.user(), caller.clearance());
    json(&user.ok_or_else(|| not_found("user"))?)
}

/// The token that the caller's API key stands for.
///
/// It is said, not signed: who asks has shown the key.
#[utoipa::path(responses((status = 200, body = TokenShape<'_>)))]
#[get("/api_keys/inspect")]
pub(super) async fn inspect(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let caller = known(&doors, &request)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    json(&TokenShape::new(
        caller.user(),
        caller.clearance(),
        caller.scopes(),
        domain(&request),
        Uuid::new_v4().to_string(),
        now.map_or(doors.began, |since| since.as_secs()),
    ))
}
