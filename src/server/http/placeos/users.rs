//! Users: the caller's own entry, and all users.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};

use crate::core::{Caller, Directory};
use crate::dialects::placeos::rest::documents::UserDocument;
use crate::dialects::placeos::rest::{Listing, UserFilter, UserShape};
use crate::model::{
    Clearance, CredentialId, Entry, EntryId, EntryInfo, Source, User, UserId, Version,
};
use crate::server::http::kit::{Reader, RequestContext, Supporter, Writer, json, tagged};
use crate::server::http::placeos::access::{sees_user, user_of};
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Users;
use crate::server::http::placeos::shapes::{info, user_shape};
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Users {
    type Id = UserId;
    type Content = User;
    const ID_PREFIX: &'static str = "user-";
    const ID: fn(&Self::Content) -> &UserId = |content| &content.id;
    const ENTRY_ID: fn(UserId) -> EntryId = EntryId::User;
    const ENTRY: fn(User) -> Entry = Entry::User;
    const FIND: Find<Self> = Directory::user;

    fn find(context: &RequestContext, asked: &str) -> Result<UserId, HttpRejection> {
        let id = UserId::new(asked).map_err(bad_request)?;
        match sees_user(&context.caller, &id) {
            true => Ok(id),
            false => Err(context.out_of_reach(asked)),
        }
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &UserId) -> Answer {
        let directory = context.directory();
        let user = directory.user(id).ok_or_else(|| not_found("user"))?;
        let info = info(&directory, EntryId::User(id.clone()));
        let shape = UserShape::new(user, user.level, &info);
        tagged(status, info.version, &seen_by(&context.caller, user, shape))
    }
}

/// The user behind the credentials, with the clearance that they leave.
#[utoipa::path(responses((status = 200, body = UserShape<'_>)))]
#[get("/users/current")]
pub(super) async fn current(context: Reader<Users>) -> Answer {
    let user = user_of(&context.caller)?;
    let directory = context.directory();
    if let CredentialId::Foreign(_) = context.caller.credential() {
        // The user of a foreign token need not be in the building: the token says all that is known.
        let info = EntryInfo {
            source: Source::Elsewhere,
            version: Version(1),
            created_at: context.state.began,
            updated_at: context.state.began,
            place: 0,
        };
        return json(&UserShape::new(user, context.caller.clearance(), &info));
    }
    let user = user_shape(&directory, user, context.caller.clearance());
    json(&user.ok_or_else(|| not_found("user"))?)
}

/// All users. For support staff.
#[utoipa::path(params(UserFilter, Listing), responses((status = 200, body = Vec<UserShape<'_>>)))]
#[get("/users")]
pub(super) async fn list(context: Supporter<Users>) -> Answer {
    let query = query(&context);
    let (filter, listing) = (UserFilter::read(&query), Listing::read(&query)?);
    let directory = context.directory();
    let found = directory
        .users()
        .filter(|user| sees_user(&context.caller, &user.id) && filter.matches(user))
        .filter_map(|user| {
            let shape = user_shape(&directory, user, user.level)?;
            Some(seen_by(&context.caller, user, shape))
        });
    list_of("user", &listing.page(found), &context)
}

/// A user as this caller sees them.
fn seen_by<'a>(caller: &Caller, user: &User, shape: UserShape<'a>) -> UserShape<'a> {
    let is_own = caller.user().is_some_and(|own| own.id == user.id);
    match is_own || caller.clearance() >= Clearance::Admin {
        true => shape,
        false => shape.for_others(),
    }
}

/// One user. For support staff.
#[utoipa::path(responses((status = 200, body = UserShape<'_>)))]
#[get("/users/{user}")]
pub(super) async fn show(context: Supporter<Users>, path: Path<String>) -> Answer {
    edits::show::<Users>(&context, &path).await
}

/// Makes a user. For administrators.
///
/// Its id is `id`, or a fresh one.
#[utoipa::path(request_body = UserDocument, responses((status = 201, body = UserShape<'_>), Changes))]
#[post("/users")]
pub(super) async fn create(context: Writer<Users>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a user: what the document leaves out stays. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = UserDocument, responses((status = 200, body = UserShape<'_>), Changes))]
#[routes]
#[patch("/users/{user}")]
#[put("/users/{user}")]
pub(super) async fn update(context: Writer<Users>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes a user away, and their API keys with them. For administrators.
#[utoipa::path(responses((status = 202, description = "They are gone."), Changes))]
#[delete("/users/{user}")]
pub(super) async fn remove(context: Writer<Users>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
