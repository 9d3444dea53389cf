//! How the building is changed through resources. The core says who may, and writes down who did.
//!
//! Every change counts on the version of the entry that it was made from. When another caller was faster it is made again from what is there now,
//! unless the caller said which version they count on: by `If-Match` (412 when it is another) or as PlaceOS's clients do, by `?version=` (409).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::core::{Directory, EditError};
use crate::dialects::placeos::rest::{InvalidField, documents};
use crate::model::{Edit, Entry, EntryId, InvalidId, Version};
use crate::server::http::kit::{Precondition, RequestContext, Resource, Writer};
use crate::server::http::placeos::authn::Placeos;
use crate::server::http::placeos::rejections::{bad_request, invalid, not_found};
use crate::server::http::placeos::shadowed::is_shadowed;
use crate::server::http::placeos::{Answer, Body, HttpRejection};
use crate::server::limits::EDIT_TRIES;

/// Makes an id of a text.
pub(super) type NewId<R> = fn(&str) -> Result<<R as Editable>::Id, InvalidId>;

/// Finds an entry in a directory.
pub(super) type Find<R> =
    for<'a> fn(&'a Directory, &<R as Editable>::Id) -> Option<&'a <R as Editable>::Content>;

/// Reads the id that a document asks for.
pub(super) type AskedId<R> =
    fn(&<R as Editable>::Document) -> Result<Option<<R as Editable>::Id>, Vec<InvalidField>>;

/// Puts what a document says in place of what is there.
pub(super) type Amend<R> =
    fn(&<R as Editable>::Document, &mut <R as Editable>::Content) -> Result<(), Vec<InvalidField>>;

/// A resource whose entries are made, changed and removed by documents: where its entries are, and what a document does to one.
pub(super) trait Editable: Resource {
    type Id: Clone;
    type Content: Clone;
    type Document: DeserializeOwned;

    /// What fresh ids begin with.
    const ID_PREFIX: &'static str;
    const NEW_ID: NewId<Self>;
    const ENTRY_ID: fn(Self::Id) -> EntryId;
    const ENTRY: fn(Self::Content) -> Entry;
    const FIND: Find<Self>;
    const ASKED_ID: AskedId<Self>;
    const AMEND: Amend<Self>;

    /// The entry that a path names, if the caller may know of it.
    fn find(context: &RequestContext, asked: &str) -> Result<Self::Id, HttpRejection>;

    /// The entry as an answer shows it, with its tag.
    async fn answer(context: &RequestContext, status: StatusCode, id: &Self::Id) -> Answer;

    /// The version that a change counts on.
    fn precondition(request: &HttpRequest) -> Result<Precondition, HttpRejection> {
        Ok(Precondition::on_tags(request))
    }

    /// The entries that are removed with one.
    fn removed_with(_: &Directory, _: &Self::Id) -> Vec<EntryId> {
        Vec::new()
    }
}

/// Shows an entry.
pub(super) async fn show<R: Editable>(context: &RequestContext, asked: &str) -> Answer {
    R::answer(context, StatusCode::OK, &R::find(context, asked)?).await
}

/// Makes an entry from a blank one and a document, and shows it.
pub(super) async fn create<R: Editable>(
    context: &Writer<R>,
    body: &Body,
    blank: impl FnOnce(R::Id) -> R::Content,
) -> Answer {
    let id = make(context, body, blank).await?;
    R::answer(context, StatusCode::CREATED, &id).await
}

/// Makes an entry from a blank one and a document, with the id of the document or a fresh one.
pub(super) async fn make<R: Editable>(
    context: &Writer<R>,
    body: &Body,
    blank: impl FnOnce(R::Id) -> R::Content,
) -> Result<R::Id, HttpRejection> {
    let document = documents::read(&body.bytes)?;
    let id = match R::ASKED_ID(&document).map_err(invalid)? {
        Some(id) => id,
        None => {
            let fresh = format!("{}{}", R::ID_PREFIX, Uuid::new_v4().simple());
            R::NEW_ID(&fresh).map_err(bad_request)?
        }
    };
    if is_shadowed(&R::ENTRY_ID(id.clone())) {
        return Err(invalid(vec![InvalidField {
            field: "id".to_owned(),
            reason: "is a word of this interface, so nothing could ask for it".to_owned(),
        }]));
    }
    let mut content = blank(id.clone());
    R::AMEND(&document, &mut content).map_err(invalid)?;
    edit(context, vec![Edit::create(R::ENTRY(content))]).await?;
    Ok(id)
}

/// Changes an entry as a document says, and shows it.
pub(super) async fn update<R: Editable>(context: &Writer<R>, asked: &str, body: &Body) -> Answer {
    let id = R::find(context, asked)?;
    let document = documents::read(&body.bytes)?;
    let precondition = R::precondition(&context.request)?;
    let amend = |content: &mut R::Content| R::AMEND(&document, content).map_err(invalid);
    change(context, &id, &precondition, amend).await?;
    R::answer(context, StatusCode::OK, &id).await
}

/// Changes an entry that is there.
pub(super) async fn change<R: Editable>(
    context: &Writer<R>,
    id: &R::Id,
    precondition: &Precondition,
    amend: impl Fn(&mut R::Content) -> Result<(), HttpRejection>,
) -> Result<(), HttpRejection> {
    let entry = R::ENTRY_ID(id.clone());
    apply(context, &entry, precondition, |directory, version| {
        let there = R::FIND(directory, id).zip(version);
        let (content, version) = there.ok_or_else(|| not_found(entry.kind().noun()))?;
        let mut content = content.clone();
        amend(&mut content)?;
        Ok(vec![Edit::put(R::ENTRY(content)).at(version)])
    })
    .await
}

/// Removes an entry, and what is removed with it.
pub(super) async fn remove<R: Editable>(context: &Writer<R>, asked: &str) -> Answer {
    let id = R::find(context, asked)?;
    let others = |directory: &Directory| R::removed_with(directory, &id);
    delete(context, &R::ENTRY_ID(id.clone()), others).await
}

/// Removes an entry, and with it those that `others` says.
pub(super) async fn delete(
    context: &RequestContext,
    id: &EntryId,
    others: impl Fn(&Directory) -> Vec<EntryId>,
) -> Answer {
    let precondition = Precondition::on_tags(&context.request);
    apply(context, id, &precondition, |directory, version| {
        let version = version.ok_or_else(|| not_found(id.kind().noun()))?;
        let entry = Edit::delete(id.clone()).at(version);
        let others = others(directory).into_iter().map(Edit::delete);
        Ok(std::iter::once(entry).chain(others).collect())
    })
    .await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Makes edits that count on the version of one entry, or on its absence; again when that has changed meanwhile.
pub(super) async fn apply(
    context: &RequestContext,
    id: &EntryId,
    precondition: &Precondition,
    edits: impl Fn(&Directory, Option<Version>) -> Result<Vec<Edit>, HttpRejection>,
) -> Result<(), HttpRejection> {
    let mut tries = 0;
    loop {
        tries += 1;
        let directory = context.directory();
        let version = directory.info(id).map(|info| info.version);
        let edits = edits(&directory, version)?;
        precondition.check::<Placeos>(version)?;
        match edit(context, edits).await {
            Ok(()) => return Ok(()),
            Err(EditError::Conflict { .. }) if tries < EDIT_TRIES => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn edit(context: &RequestContext, edits: Vec<Edit>) -> Result<(), EditError> {
    let edited = context.state.core.editor.edit(&context.caller, edits).await;
    edited.map(|_| ())
}
