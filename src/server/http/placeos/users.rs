//! Who the caller is, and who else there is.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, delete, get, post, routes};

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::UserDocument;
use crate::dialects::placeos::rest::{Listing, Query, UserFilter, UserShape};
use crate::model::{CredentialId, Entry, EntryId, EntryInfo, Source, UserId, Version};
use crate::server::ServerState;
use crate::server::http::placeos::access::{reader, supporter, writer};
use crate::server::http::placeos::answers::{
    Answer, Body, Changes, bad_request, json, list as list_of, not_found,
};
use crate::server::http::placeos::authn::HttpRejection;
use crate::server::http::placeos::edits::{self, Precondition, id_or_fresh, read, tagged};
use crate::server::http::placeos::shapes::{info, user_shape};

/// The user behind the credentials, with the clearance that they leave.
#[utoipa::path(responses((status = 200, body = UserShape<'_>)))]
#[get("/users/current")]
pub(super) async fn current(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = reader(&state, &request, "users")?;
    let directory = state.core.directory();
    if let CredentialId::Foreign(_) = caller.credential() {
        // Whom a foreign token speaks of need not be in the building: the token says all that is known.
        let info = EntryInfo {
            source: Source::Elsewhere,
            version: Version(1),
            created_at: state.began,
            updated_at: state.began,
            place: 0,
        };
        return json(&UserShape::new(caller.user(), caller.clearance(), &info));
    }
    let user = user_shape(&directory, caller.user(), caller.clearance());
    json(&user.ok_or_else(|| not_found("user"))?)
}

/// All users. For support staff.
#[utoipa::path(params(UserFilter, Listing), responses((status = 200, body = Vec<UserShape<'_>>)))]
#[get("/users")]
pub(super) async fn list(state: Data<ServerState>, request: HttpRequest) -> Answer {
    supporter(&state, &request, "users")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (UserFilter::read(&query), Listing::read(&query)?);
    let directory = state.core.directory();
    let found = directory
        .users()
        .filter(|user| filter.matches(user))
        .filter_map(|user| user_shape(&directory, user, user.level));
    list_of("user", &listing.page(found), &request, &query)
}

/// One user. For support staff.
#[utoipa::path(responses((status = 200, body = UserShape<'_>)))]
#[get("/users/{user}")]
pub(super) async fn show(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    supporter(&state, &request, "users")?;
    answer(StatusCode::OK, &state.core.directory(), &user_id(&path)?)
}

/// Makes a user. For administrators.
///
/// Its id is `id`, or a fresh one.
#[utoipa::path(request_body = UserDocument, responses((status = 201, body = UserShape<'_>), Changes))]
#[post("/users")]
pub(super) async fn create(state: Data<ServerState>, request: HttpRequest, body: Body) -> Answer {
    let caller = writer(&state, &request, "users")?;
    let document: UserDocument = read(&body)?;
    let id = id_or_fresh(document.id(), "user-", UserId::new)?;
    let mut user = UserDocument::blank(id.clone());
    document.amend(&mut user);
    let directory = edits::create(&state, &caller, Entry::User(user)).await?;
    answer(StatusCode::CREATED, &directory, &id)
}

/// Changes a user: what the document leaves out stays. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = UserDocument, responses((status = 200, body = UserShape<'_>), Changes))]
#[routes]
#[patch("/users/{user}")]
#[put("/users/{user}")]
pub(super) async fn update(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Answer {
    let caller = writer(&state, &request, "users")?;
    let id = user_id(&path)?;
    let document: UserDocument = read(&body)?;
    let changed = |directory: &Directory| {
        let mut user = directory
            .user(&id)
            .ok_or_else(|| not_found("user"))?
            .clone();
        document.amend(&mut user);
        Ok(Entry::User(user))
    };
    let (entry, precondition) = (EntryId::User(id.clone()), Precondition::on_tags(&request));
    let directory = edits::change(&state, &caller, &entry, &precondition, changed).await?;
    answer(StatusCode::OK, &directory, &id)
}

/// Takes a user away, and their API keys with them. For administrators.
#[utoipa::path(responses((status = 202, description = "They are gone."), Changes))]
#[delete("/users/{user}")]
pub(super) async fn remove(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = writer(&state, &request, "users")?;
    let (id, precondition) = (
        EntryId::User(user_id(&path)?),
        Precondition::on_tags(&request),
    );
    edits::delete(&state, &caller, &id, &precondition, |_| Vec::new()).await
}

fn user_id(asked: &str) -> Result<UserId, HttpRejection> {
    UserId::new(asked).map_err(bad_request)
}

fn answer(status: StatusCode, directory: &Directory, id: &UserId) -> Answer {
    let user = directory.user(id).ok_or_else(|| not_found("user"))?;
    let info = info(directory, EntryId::User(id.clone()));
    tagged(
        status,
        info.version,
        &UserShape::new(user, user.level, &info),
    )
}
