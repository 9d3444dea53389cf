//! API keys: what the caller's stands for, and those that administrators make.

use std::time::SystemTime;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, delete, get, post, routes};
use rand::Rng;
use uuid::Uuid;

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::KeyDocument;
use crate::dialects::placeos::rest::{KeyShape, Listing, Query, TokenShape};
use crate::model::{ApiKey, Clearance, Entry, EntryId, KeyId, KeySecret, Scope, Secret};
use crate::server::ServerState;
use crate::server::http::placeos::access::{administrator, domain, known, writer};
use crate::server::http::placeos::answers::{
    Answer, Body, Changes, bad_request, json, list as list_of, not_found,
};
use crate::server::http::placeos::authn::HttpRejection;
use crate::server::http::placeos::edits::{self, Precondition, id_or_fresh, invalid, read, tagged};
use crate::server::http::placeos::shapes::info;

/// The scope of a key that is made without any.
const DEFAULT_SCOPE: &str = "public";

/// The token that the caller's API key stands for.
///
/// It is said, not signed: who asks has shown the key.
#[utoipa::path(responses((status = 200, body = TokenShape<'_>)))]
#[get("/api_keys/inspect")]
pub(super) async fn inspect(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = known(&state, &request)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    json(&TokenShape::new(
        caller.user(),
        caller.clearance(),
        caller.scopes(),
        domain(&request),
        Uuid::new_v4().to_string(),
        now.map_or(state.began, |since| since.as_secs()),
    ))
}

/// All API keys, without their secrets. For administrators.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<KeyShape<'_>>)))]
#[get("/api_keys")]
pub(super) async fn list(state: Data<ServerState>, request: HttpRequest) -> Answer {
    administrator(&state, &request, "api_keys")?;
    let query = Query::parse(request.query_string());
    let listing = Listing::read(&query)?;
    let directory = state.core.directory();
    let found = directory.api_keys().map(|key| shape(&directory, key));
    list_of("api_key", &listing.page(found), &request, &query)
}

/// One API key, without its secret. For administrators.
#[utoipa::path(responses((status = 200, body = KeyShape<'_>)))]
#[get("/api_keys/{key}")]
pub(super) async fn show(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    administrator(&state, &request, "api_keys")?;
    let directory = state.core.directory();
    answer(StatusCode::OK, &directory, &key_id(&path)?, None)
}

/// Makes an API key. For administrators.
///
/// The answer alone has the whole key, as `x_api_key`; it is kept as a hash. It is the caller's own unless `user_id` says whose,
/// and opens what `public` does unless `scopes` says what.
#[utoipa::path(request_body = KeyDocument, responses((status = 201, body = KeyShape<'_>), Changes))]
#[post("/api_keys")]
pub(super) async fn create(state: Data<ServerState>, request: HttpRequest, body: Body) -> Answer {
    let caller = writer(&state, &request, "api_keys")?;
    let document: KeyDocument = read(&body)?;
    let id = id_or_fresh(document.id(), "", KeyId::new)?;
    let secret = fresh_secret();
    let mut key = ApiKey {
        id: id.clone(),
        secret: KeySecret::Plain(secret.clone()),
        user: caller.user().id.clone(),
        level: Clearance::User,
        scopes: Scope::parse(DEFAULT_SCOPE).into_iter().collect(),
        systems: Vec::new(),
        zones: Vec::new(),
    };
    document.amend(&mut key).map_err(invalid)?;
    let directory = edits::create(&state, &caller, Entry::ApiKey(key)).await?;
    answer(StatusCode::CREATED, &directory, &id, Some(&secret))
}

/// Changes an API key but for its secret: what the document leaves out stays. For administrators.
///
/// Connections that were opened with it and that it would no longer open so are closed. `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = KeyDocument, responses((status = 200, body = KeyShape<'_>), Changes))]
#[routes]
#[patch("/api_keys/{key}")]
#[put("/api_keys/{key}")]
pub(super) async fn update(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Answer {
    let caller = writer(&state, &request, "api_keys")?;
    let id = key_id(&path)?;
    let document: KeyDocument = read(&body)?;
    let changed = |directory: &Directory| {
        let mut key = directory.api_key(&id).ok_or_else(no_such_key)?.clone();
        document.amend(&mut key).map_err(invalid)?;
        Ok(Entry::ApiKey(key))
    };
    let (entry, precondition) = (EntryId::ApiKey(id.clone()), Precondition::on_tags(&request));
    let directory = edits::change(&state, &caller, &entry, &precondition, changed).await?;
    answer(StatusCode::OK, &directory, &id, None)
}

/// Takes an API key away, and closes what was opened with it. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/api_keys/{key}")]
pub(super) async fn remove(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = writer(&state, &request, "api_keys")?;
    let (id, precondition) = (
        EntryId::ApiKey(key_id(&path)?),
        Precondition::on_tags(&request),
    );
    edits::delete(&state, &caller, &id, &precondition, |_| Vec::new()).await
}

fn fresh_secret() -> Secret {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(bytes.map(|byte| format!("{byte:02x}")).concat())
}

fn key_id(asked: &str) -> Result<KeyId, HttpRejection> {
    KeyId::new(asked).map_err(bad_request)
}

fn no_such_key() -> HttpRejection {
    not_found("API key")
}

fn shape<'a>(directory: &Directory, key: &'a ApiKey) -> KeyShape<'a> {
    KeyShape::new(key, &info(directory, EntryId::ApiKey(key.id.clone())))
}

fn answer(
    status: StatusCode,
    directory: &Directory,
    id: &KeyId,
    secret: Option<&Secret>,
) -> Answer {
    let key = directory.api_key(id).ok_or_else(no_such_key)?;
    let version = info(directory, EntryId::ApiKey(id.clone())).version;
    let shape = shape(directory, key);
    match secret {
        Some(secret) => tagged(status, version, &shape.with_secret(secret)),
        None => tagged(status, version, &shape),
    }
}
