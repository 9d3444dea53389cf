//! How the building is changed through resources. The core says who may, and writes down who did.
//!
//! Every change counts on the version of the entry that it was made from. When another caller was faster it is made again from what is there now,
//! unless the caller said which version they count on: by `If-Match` (412 when it is another) or as PlaceOS's clients do, by `?version=` (409).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use crate::core::{Directory, EditError};
use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::{self, Document};
use crate::model::{Edit, Entry, EntryId, Value, Values, Version};
use crate::server::http::kit::{Precondition, RequestContext, Resource, Writer};
use crate::server::http::placeos::authn::Placeos;
use crate::server::http::placeos::rejections::{invalid, not_found};
use crate::server::http::placeos::shadowed::is_shadowed;
use crate::server::http::placeos::{Answer, Body, HttpRejection};
use crate::server::limits::EDIT_TRIES;

/// Finds an entry in a directory.
pub(super) type Find<R> =
    for<'a> fn(&'a Directory, &<R as Editable>::Id) -> Option<&'a <R as Editable>::Content>;

/// A resource whose entries are made, changed and removed by documents: where its entries are, and what a document does to one.
pub(super) trait Editable: Resource {
    type Id: Clone;
    type Content: documents::Resource;

    /// What fresh ids begin with.
    const ID_PREFIX: &'static str;

    /// An id for an entry whose document has none.
    fn fresh_id() -> String {
        format!("{}{}", Self::ID_PREFIX, Uuid::new_v4().simple())
    }

    const ID: fn(&Self::Content) -> &Self::Id;
    const ENTRY_ID: fn(Self::Id) -> EntryId;
    const ENTRY: fn(Self::Content) -> Entry;
    const FIND: Find<Self>;

    /// The entry that a path names, if the caller may know of it.
    fn find(context: &RequestContext, asked: &str) -> Result<Self::Id, HttpRejection>;

    /// The entry as an answer shows it, with its tag.
    async fn answer(context: &RequestContext, status: StatusCode, id: &Self::Id) -> Answer;

    /// The version that a change counts on.
    fn precondition(request: &HttpRequest) -> Result<Precondition, HttpRejection> {
        Ok(Precondition::on_tags(request))
    }

    /// The edits that are made together with the making of one, as its document asks.
    fn made_with(
        _: &Document<Self::Content>,
        _: &Self::Content,
        _: &Directory,
    ) -> Result<Vec<Edit>, HttpRejection> {
        Ok(Vec::new())
    }

    /// Puts into an entry what its document says in general words and the building knows precisely.
    fn complete(_: &RequestContext, _: &Document<Self::Content>, _: &mut Self::Content) {}

    /// What is wrong with an entry that no document says by itself.
    fn mistakes(_: &Self::Content) -> Vec<InvalidField> {
        Vec::new()
    }

    /// Whether a document may be put over one that is there.
    fn may_amend(
        _: &Document<Self::Content>,
        _: &Self::Id,
        _: &Directory,
    ) -> Result<(), HttpRejection> {
        Ok(())
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

/// Makes an entry of a document, and shows it.
pub(super) async fn create<R: Editable>(context: &Writer<R>, body: &Body) -> Answer {
    let id = make(context, body, Values::none()).await?;
    R::answer(context, StatusCode::CREATED, &id).await
}

/// Makes an entry of a document, and of these values where it says nothing; with the id of the document or a fresh one.
pub(super) async fn make<R: Editable>(
    context: &Writer<R>,
    body: &Body,
    otherwise: Values<'_, R::Content>,
) -> Result<R::Id, HttpRejection> {
    let document: Document<R::Content> = documents::read(&body.bytes)?;
    let otherwise = otherwise.with("id", Value::Text(R::fresh_id().into()));
    let mut content = document.make(otherwise).map_err(invalid)?;
    R::complete(context, &document, &mut content);
    let id = R::ID(&content).clone();
    if is_shadowed(&R::ENTRY_ID(id.clone())) {
        let reason = "is a word of this interface, so nothing could ask for it";
        return Err(invalid(vec![InvalidField::new("id", reason)]));
    }
    check::<R>(&content)?;
    let others = R::made_with(&document, &content, &context.directory())?;
    let made = std::iter::once(Edit::create(R::ENTRY(content)));
    edit(context, made.chain(others).collect()).await?;
    Ok(id)
}

fn check<R: Editable>(content: &R::Content) -> Result<(), HttpRejection> {
    let mistakes = R::mistakes(content);
    match mistakes.is_empty() {
        true => Ok(()),
        false => Err(invalid(mistakes)),
    }
}

/// Changes an entry as a document says, and shows it.
pub(super) async fn update<R: Editable>(context: &Writer<R>, asked: &str, body: &Body) -> Answer {
    let id = R::find(context, asked)?;
    let document: Document<R::Content> = documents::read(&body.bytes)?;
    R::may_amend(&document, &id, &context.directory())?;
    let precondition = R::precondition(&context.request)?;
    let amend = |content: &mut R::Content| {
        document.amend(content).map_err(invalid)?;
        R::complete(context, &document, content);
        check::<R>(content)
    };
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
