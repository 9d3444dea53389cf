//! Hooks, addresses that do something when they are called, for administrators. What callers have to show is never shown.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};

use crate::building_file::mistaken_expressions;
use crate::dialects::placeos::rest::documents::HookDocument;
use crate::dialects::placeos::rest::{HookShape, InvalidField, Listing, WordFilter};
use crate::model::{Entry, EntryId, Hook, HookName};
use crate::server::http::kit::{Administrator, RequestContext, Writer, tagged};
use crate::server::http::placeos::access::unrestricted;
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Hooks;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Hooks {
    type Id = HookName;
    type Content = Hook;
    const ID_PREFIX: &'static str = "";
    const ID: fn(&Self::Content) -> &HookName = |content| &content.name;
    const ENTRY_ID: fn(HookName) -> EntryId = EntryId::Hook;
    const ENTRY: fn(Hook) -> Entry = Entry::Hook;
    const FIND: Find<Self> = |directory, id| directory.hook(id).map(AsRef::as_ref);

    fn find(context: &RequestContext, asked: &str) -> Result<HookName, HttpRejection> {
        unrestricted(context, asked)?;
        HookName::new(asked).map_err(bad_request)
    }

    /// Texts that a building file could not have, since they are no expressions.
    fn mistakes(hook: &Hook) -> Vec<InvalidField> {
        let mistaken = mistaken_expressions(&hook.evaluated()).into_iter();
        mistaken
            .map(|(field, flaw)| InvalidField::new(field, flaw.to_string()))
            .collect()
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &HookName) -> Answer {
        let directory = context.directory();
        let hook = directory.hook(id).ok_or_else(|| not_found("hook"))?;
        let info = info(&directory, EntryId::Hook(id.clone()));
        tagged(status, info.version, &HookShape::new(hook, &info))
    }
}

/// All hooks, without what callers have to show. For administrators.
#[utoipa::path(params(WordFilter, Listing), responses((status = 200, body = Vec<HookShape<'_>>)))]
#[get("/hooks")]
pub(super) async fn list(context: Administrator<Hooks>) -> Answer {
    unrestricted(&context, "hooks")?;
    let query = query(&context);
    let (filter, listing) = (WordFilter::read(&query), Listing::read(&query)?);
    let directory = context.directory();
    let is_asked = |it: &&Hook| filter.matches(&[it.name.as_str()]);
    let found = directory.hooks().filter(is_asked).map(|hook| {
        let info = info(&directory, EntryId::Hook(hook.name.clone()));
        HookShape::new(hook, &info)
    });
    list_of("hook", &listing.page(found), &context)
}

/// One hook, by its name. For administrators.
#[utoipa::path(responses((status = 200, body = HookShape<'_>)))]
#[get("/hooks/{hook}")]
pub(super) async fn show(context: Administrator<Hooks>, path: Path<String>) -> Answer {
    edits::show::<Hooks>(&context, &path).await
}

/// Makes a hook. For administrators.
#[utoipa::path(request_body = HookDocument, responses((status = 201, body = HookShape<'_>), Changes))]
#[post("/hooks")]
pub(super) async fn create(context: Writer<Hooks>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a hook: what the document leaves out stays. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = HookDocument, responses((status = 200, body = HookShape<'_>), Changes))]
#[routes]
#[patch("/hooks/{hook}")]
#[put("/hooks/{hook}")]
pub(super) async fn update(context: Writer<Hooks>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes a hook away. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/hooks/{hook}")]
pub(super) async fn remove(context: Writer<Hooks>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
