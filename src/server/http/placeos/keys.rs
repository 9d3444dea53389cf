//! API keys: what the caller's stands for, and those that administrators make.

use std::time::SystemTime;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};
use rand::Rng;
use uuid::Uuid;

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::KeyDocument;
use crate::dialects::placeos::rest::{KeyShape, Listing, TokenShape};
use crate::model::{ApiKey, Entry, EntryId, KeyId, Secret, Value, Values};
use crate::server::http::kit::{Administrator, Known, RequestContext, Writer, json, tagged};
use crate::server::http::placeos::access::{domain, sees_key, user_of};
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Keys;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Keys {
    type Id = KeyId;
    type Content = ApiKey;
    const ID_PREFIX: &'static str = "";
    const ID: fn(&Self::Content) -> &KeyId = |content| &content.id;
    const ENTRY_ID: fn(KeyId) -> EntryId = EntryId::ApiKey;
    const ENTRY: fn(ApiKey) -> Entry = Entry::ApiKey;
    const FIND: Find<Self> = Directory::api_key;

    fn find(context: &RequestContext, asked: &str) -> Result<KeyId, HttpRejection> {
        let id = KeyId::new(asked).map_err(bad_request)?;
        match sees_key(&context.caller, &id) {
            true => Ok(id),
            false => Err(context.out_of_reach(asked)),
        }
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &KeyId) -> Answer {
        answer(context, status, id, None)
    }
}

/// The token that the caller's API key stands for.
///
/// It is plain and not signed, because the asking program has shown the key.
#[utoipa::path(responses((status = 200, body = TokenShape<'_>)))]
#[get("/api_keys/inspect")]
pub(super) async fn inspect(context: Known<Keys>) -> Answer {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    json(&TokenShape::new(
        user_of(&context.caller)?,
        context.caller.clearance(),
        context.caller.scopes(),
        domain(&context.request),
        Uuid::new_v4().to_string(),
        now.map_or(context.state.began, |since| since.as_secs()),
        context.caller.expires(),
    ))
}

/// All API keys, without their secrets. For administrators.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<KeyShape<'_>>)))]
#[get("/api_keys")]
pub(super) async fn list(context: Administrator<Keys>) -> Answer {
    let query = query(&context);
    let listing = Listing::read(&query)?;
    let directory = context.directory();
    let keys = directory.api_keys();
    let seen = keys.filter(|key| sees_key(&context.caller, &key.id));
    let found = seen.map(|key| shape(&directory, key));
    list_of("api_key", &listing.page(found), &context)
}

/// One API key, without its secret. For administrators.
#[utoipa::path(responses((status = 200, body = KeyShape<'_>)))]
#[get("/api_keys/{key}")]
pub(super) async fn show(context: Administrator<Keys>, path: Path<String>) -> Answer {
    edits::show::<Keys>(&context, &path).await
}

/// Makes an API key. For administrators.
///
/// The answer alone has the whole key, as `x_api_key`; it is kept as a hash. It is the caller's own unless `user_id` says whose,
/// and opens what `public` does unless `scopes` says what.
#[utoipa::path(request_body = KeyDocument, responses((status = 201, body = KeyShape<'_>), Changes))]
#[post("/api_keys")]
pub(super) async fn create(context: Writer<Keys>, body: Body) -> Answer {
    let secret = fresh_secret();
    let user = user_of(&context.caller)?.id.clone();
    let otherwise = Values::none()
        .with("secret", Value::Plain(secret.clone()))
        .with("user", Value::Text(user.as_str().into()));
    let id = edits::make(&context, &body, otherwise).await?;
    answer(&context, StatusCode::CREATED, &id, Some(&secret))
}

/// Changes an API key but for its secret: what the document leaves out stays. For administrators.
///
/// Connections that were opened with it and that it would no longer open so are closed. `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = KeyDocument, responses((status = 200, body = KeyShape<'_>), Changes))]
#[routes]
#[patch("/api_keys/{key}")]
#[put("/api_keys/{key}")]
pub(super) async fn update(context: Writer<Keys>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes an API key away, and closes what was opened with it. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/api_keys/{key}")]
pub(super) async fn remove(context: Writer<Keys>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}

fn fresh_secret() -> Secret {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(bytes.map(|byte| format!("{byte:02x}")).concat())
}

fn shape<'a>(directory: &Directory, key: &'a ApiKey) -> KeyShape<'a> {
    KeyShape::new(key, &info(directory, EntryId::ApiKey(key.id.clone())))
}

fn answer(
    context: &RequestContext,
    status: StatusCode,
    id: &KeyId,
    secret: Option<&Secret>,
) -> Answer {
    let directory = context.directory();
    let key = directory.api_key(id).ok_or_else(|| not_found("API key"))?;
    let version = info(&directory, EntryId::ApiKey(id.clone())).version;
    let shape = shape(&directory, key);
    match secret {
        Some(secret) => tagged(status, version, &shape.with_secret(secret)),
        None => tagged(status, version, &shape),
    }
}
