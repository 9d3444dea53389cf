//! Procedures, steps that can be run by name, for administrators.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};

use crate::building_file::mistaken_expressions;
use crate::dialects::placeos::rest::documents::ProcedureDocument;
use crate::dialects::placeos::rest::{InvalidField, Listing, ProcedureShape, WordFilter};
use crate::model::{Entry, EntryId, Procedure, ProcedureId};
use crate::server::http::kit::{Administrator, RequestContext, Writer, tagged};
use crate::server::http::placeos::access::unrestricted;
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Procedures;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Procedures {
    type Id = ProcedureId;
    type Content = Procedure;
    const ID_PREFIX: &'static str = "";
    const ID: fn(&Self::Content) -> &ProcedureId = |content| &content.id;
    const ENTRY_ID: fn(ProcedureId) -> EntryId = EntryId::Procedure;
    const ENTRY: fn(Procedure) -> Entry = Entry::Procedure;
    const FIND: Find<Self> = |directory, id| directory.procedure(id).map(AsRef::as_ref);

    fn find(context: &RequestContext, asked: &str) -> Result<ProcedureId, HttpRejection> {
        unrestricted(context, asked)?;
        ProcedureId::new(asked).map_err(bad_request)
    }

    /// Texts that a building file could not have, since they are no expressions.
    fn mistakes(procedure: &Procedure) -> Vec<InvalidField> {
        let mistaken = mistaken_expressions(&procedure.evaluated()).into_iter();
        mistaken
            .map(|(field, flaw)| InvalidField::new(field, flaw.to_string()))
            .collect()
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &ProcedureId) -> Answer {
        let directory = context.directory();
        let procedure = directory
            .procedure(id)
            .ok_or_else(|| not_found("procedure"))?;
        let info = info(&directory, EntryId::Procedure(id.clone()));
        tagged(status, info.version, &ProcedureShape::new(procedure, &info))
    }
}

/// All procedures. For administrators.
#[utoipa::path(params(WordFilter, Listing), responses((status = 200, body = Vec<ProcedureShape<'_>>)))]
#[get("/procedures")]
pub(super) async fn list(context: Administrator<Procedures>) -> Answer {
    unrestricted(&context, "procedures")?;
    let query = query(&context);
    let (filter, listing) = (WordFilter::read(&query), Listing::read(&query)?);
    let directory = context.directory();
    let is_asked = |it: &&Procedure| filter.matches(&[it.id.as_str()]);
    let found = directory.procedures().filter(is_asked).map(|procedure| {
        let info = info(&directory, EntryId::Procedure(procedure.id.clone()));
        ProcedureShape::new(procedure, &info)
    });
    list_of("procedure", &listing.page(found), &context)
}

/// One procedure, by its id. For administrators.
#[utoipa::path(responses((status = 200, body = ProcedureShape<'_>)))]
#[get("/procedures/{procedure}")]
pub(super) async fn show(context: Administrator<Procedures>, path: Path<String>) -> Answer {
    edits::show::<Procedures>(&context, &path).await
}

/// Makes a procedure. For administrators.
#[utoipa::path(request_body = ProcedureDocument, responses((status = 201, body = ProcedureShape<'_>), Changes))]
#[post("/procedures")]
pub(super) async fn create(context: Writer<Procedures>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a procedure: what the document leaves out stays. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = ProcedureDocument, responses((status = 200, body = ProcedureShape<'_>), Changes))]
#[routes]
#[patch("/procedures/{procedure}")]
#[put("/procedures/{procedure}")]
pub(super) async fn update(context: Writer<Procedures>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes a procedure away that no hook, trigger or other procedure runs; else 409 names these. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/procedures/{procedure}")]
pub(super) async fn remove(context: Writer<Procedures>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
