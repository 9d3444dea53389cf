//! Apps with channels of their own, for administrators. What an app signs with is taken and never shown.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};
use uuid::Uuid;

use crate::core::Directory;
use crate::dialects::placeos::rest::documents::AppDocument;
use crate::dialects::placeos::rest::{AppShape, Listing};
use crate::model::{AppId, ChannelApp, Entry, EntryId};
use crate::server::http::kit::{Administrator, RequestContext, Writer, tagged};
use crate::server::http::placeos::access::unrestricted;
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Apps;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Apps {
    type Id = AppId;
    type Content = ChannelApp;
    const ID_PREFIX: &'static str = "";
    const ID: fn(&Self::Content) -> &AppId = |content| &content.id;
    const ENTRY_ID: fn(AppId) -> EntryId = EntryId::App;
    const ENTRY: fn(ChannelApp) -> Entry = Entry::App;
    const FIND: Find<Self> = Directory::app;

    /// Digits, as the libraries of Pusher want them.
    fn fresh_id() -> String {
        let (random, _) = Uuid::new_v4().as_u64_pair();
        random.to_string()
    }

    fn find(context: &RequestContext, asked: &str) -> Result<AppId, HttpRejection> {
        unrestricted(context, asked)?;
        AppId::new(asked).map_err(bad_request)
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &AppId) -> Answer {
        let directory = context.directory();
        let app = directory.app(id).ok_or_else(|| not_found("app"))?;
        let info = info(&directory, EntryId::App(id.clone()));
        tagged(status, info.version, &AppShape::new(app, &info))
    }
}

/// All apps, without what they sign with. For administrators.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<AppShape<'_>>)))]
#[get("/apps")]
pub(super) async fn list(context: Administrator<Apps>) -> Answer {
    unrestricted(&context, "apps")?;
    let listing = Listing::read(&query(&context))?;
    let directory = context.directory();
    let found = directory.apps().map(|app| {
        let info = info(&directory, EntryId::App(app.id.clone()));
        AppShape::new(app, &info)
    });
    list_of("app", &listing.page(found), &context)
}

/// One app, without what it signs with. For administrators.
#[utoipa::path(responses((status = 200, body = AppShape<'_>)))]
#[get("/apps/{app}")]
pub(super) async fn show(context: Administrator<Apps>, path: Path<String>) -> Answer {
    edits::show::<Apps>(&context, &path).await
}

/// Makes an app. For administrators.
#[utoipa::path(request_body = AppDocument, responses((status = 201, body = AppShape<'_>), Changes))]
#[post("/apps")]
pub(super) async fn create(context: Writer<Apps>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes an app: what the document leaves out stays, and a key without a secret keeps the one it has. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = AppDocument, responses((status = 200, body = AppShape<'_>), Changes))]
#[routes]
#[patch("/apps/{app}")]
#[put("/apps/{app}")]
pub(super) async fn update(context: Writer<Apps>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes an app away, and closes its connections. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/apps/{app}")]
pub(super) async fn remove(context: Writer<Apps>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
