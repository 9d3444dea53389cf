//! How the building is changed through resources. Who may is the core's to say, and it writes down who did.
//!
//! Every change counts on the version of the entry that it was made from. When somebody else was faster it is made again from what is there now,
//! unless the caller said which version they count on: by `If-Match` (412 when it is another) or as PlaceOS's clients do, by `?version=` (409).

use std::fmt::Display;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderValue, IF_MATCH};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::core::{Caller, Directory, EditError, Invalid};
use crate::dialects::placeos::rest::documents::{self, Unreadable};
use crate::dialects::placeos::rest::{InvalidField, InvalidShape, Query};
use crate::model::{Edit, Entry, EntryId, Version};
use crate::server::ServerState;
use crate::server::http::placeos::answers::{Answer, Body, bad_request, json_text, not_found};
use crate::server::http::placeos::authn::HttpRejection;
use crate::server::limits::EDIT_TRIES;

/// The versions of an entry under which a caller wants its change made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Precondition {
    /// Whatever is there.
    Nothing,
    /// One of these tags: `If-Match`.
    Tags(Vec<String>),
    /// This number: `?version=`.
    Number(usize),
}

impl Precondition {
    /// Reads `If-Match`.
    pub(super) fn on_tags(request: &HttpRequest) -> Self {
        let mut lines = request.headers().get_all(IF_MATCH).peekable();
        if lines.peek().is_none() {
            return Self::Nothing;
        }
        let tags = lines
            .flat_map(|line| line.to_str().unwrap_or_default().split(','))
            .map(|tag| tag.trim().to_owned());
        Self::Tags(tags.collect())
    }

    /// Reads `If-Match`, and without it `version`.
    pub(super) fn on_tags_or_version(request: &HttpRequest) -> Result<Self, HttpRejection> {
        let version = Query::parse(request.query_string()).whole_number("version")?;
        Ok(match (Self::on_tags(request), version) {
            (Self::Nothing, Some(version)) => Self::Number(version),
            (precondition, _) => precondition,
        })
    }

    /// Whether an entry at this version, or none, meets it.
    fn check(&self, version: Option<Version>) -> Result<(), HttpRejection> {
        let holds = match (self, version) {
            (Self::Nothing, _) => true,
            (Self::Tags(tags), Some(version)) => {
                let tag = tag(version);
                tags.iter().any(|asked| asked == "*" || *asked == tag)
            }
            (Self::Number(asked), Some(version)) => {
                u64::try_from(*asked).is_ok_and(|asked| asked == version.0)
            }
            (Self::Tags(_) | Self::Number(_), None) => false,
        };
        if holds {
            return Ok(());
        }
        let status = match self {
            Self::Tags(_) => StatusCode::PRECONDITION_FAILED,
            Self::Nothing | Self::Number(_) => StatusCode::CONFLICT,
        };
        let message = match version {
            Some(version) => format!("somebody else has changed it: it is at version {version}"),
            None => "it is not there".to_owned(),
        };
        Err(HttpRejection::json(status, &message))
    }
}

/// Reads the document that a caller sends.
pub(super) fn read<D: DeserializeOwned>(body: &Body) -> Result<D, HttpRejection> {
    documents::read(&body.0).map_err(|unreadable| match unreadable {
        Unreadable::NotADocument(reason) => bad_request(reason),
        Unreadable::Field(field) => invalid(vec![field]),
    })
}

/// Fields that cannot be as they are.
pub(super) fn invalid(fields: Vec<InvalidField>) -> HttpRejection {
    HttpRejection::json_body(
        StatusCode::UNPROCESSABLE_ENTITY,
        &InvalidShape::new(&fields),
    )
}

/// The id that a new entry is to have: the one that was asked for, or a fresh one with this prefix.
pub(super) fn id_or_fresh<I, E: Display>(
    asked: Result<Option<I>, Vec<InvalidField>>,
    prefix: &str,
    read: impl FnOnce(&str) -> Result<I, E>,
) -> Result<I, HttpRejection> {
    match asked.map_err(invalid)? {
        Some(id) => Ok(id),
        None => read(&format!("{prefix}{}", Uuid::new_v4().simple())).map_err(bad_request),
    }
}

/// Makes an entry that is not there yet, and gives the directory that has it.
pub(super) async fn create(
    state: &ServerState,
    caller: &Caller,
    entry: Entry,
) -> Result<Arc<Directory>, HttpRejection> {
    edit(state, caller, vec![Edit::create(entry)])
        .await
        .map_err(refusal)?;
    Ok(state.core.directory())
}

/// Changes an entry: `changed` makes what it is to be out of a directory that has it.
pub(super) async fn change(
    state: &ServerState,
    caller: &Caller,
    id: &EntryId,
    precondition: &Precondition,
    changed: impl Fn(&Directory) -> Result<Entry, HttpRejection>,
) -> Result<Arc<Directory>, HttpRejection> {
    make(state, caller, id, precondition, |directory, version| {
        let version = version.ok_or_else(|| not_found(id.kind().noun()))?;
        Ok(vec![Edit::put(changed(directory)?).at(version)])
    })
    .await
}

/// Changes an entry or makes it: `entry` is given a directory that has it or not.
pub(super) async fn put(
    state: &ServerState,
    caller: &Caller,
    id: &EntryId,
    precondition: &Precondition,
    entry: impl Fn(&Directory) -> Entry,
) -> Result<Arc<Directory>, HttpRejection> {
    make(state, caller, id, precondition, |directory, version| {
        let entry = entry(directory);
        Ok(vec![match version {
            Some(version) => Edit::put(entry).at(version),
            None => Edit::create(entry),
        }])
    })
    .await
}

/// Takes an entry away, and with it those that `others` says.
pub(super) async fn delete(
    state: &ServerState,
    caller: &Caller,
    id: &EntryId,
    precondition: &Precondition,
    others: impl Fn(&Directory) -> Vec<EntryId>,
) -> Result<HttpResponse, HttpRejection> {
    make(state, caller, id, precondition, |directory, version| {
        let version = version.ok_or_else(|| not_found(id.kind().noun()))?;
        let entry = Edit::delete(id.clone()).at(version);
        let others = others(directory).into_iter().map(Edit::delete);
        Ok(std::iter::once(entry).chain(others).collect())
    })
    .await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Makes edits that count on the version of one entry, or on its absence; again when that has changed meanwhile.
pub(super) async fn make(
    state: &ServerState,
    caller: &Caller,
    id: &EntryId,
    precondition: &Precondition,
    edits: impl Fn(&Directory, Option<Version>) -> Result<Vec<Edit>, HttpRejection>,
) -> Result<Arc<Directory>, HttpRejection> {
    let mut tries = 0;
    loop {
        tries += 1;
        let directory = state.core.directory();
        let version = directory.info(id).map(|info| info.version);
        let edits = edits(&directory, version)?;
        precondition.check(version)?;
        match edit(state, caller, edits).await {
            Ok(()) => return Ok(state.core.directory()),
            Err(EditError::Conflict { .. }) if tries < EDIT_TRIES => {}
            Err(error) => return Err(refusal(error)),
        }
    }
}

async fn edit(state: &ServerState, caller: &Caller, edits: Vec<Edit>) -> Result<(), EditError> {
    state.core.edit(caller, edits).await.map(|_| ())
}

/// What the caller is told of an edit that was not made: of a document field by field.
fn refusal(error: EditError) -> HttpRejection {
    match error {
        EditError::Invalid(wrong) => invalid(wrong.iter().map(invalid_field).collect()),
        error @ (EditError::Conflict { .. }
        | EditError::NotFound(_)
        | EditError::Forbidden(_)
        | EditError::Busy
        | EditError::Interrupted
        | EditError::Store(_)) => error.into(),
    }
}

/// The core's fields have the building file's names.
fn invalid_field(wrong: &Invalid) -> InvalidField {
    InvalidField {
        field: match wrong.field {
            "driver" => "driver_id".to_owned(),
            "user" => "user_id".to_owned(),
            field => field.to_owned(),
        },
        reason: wrong.reason.clone(),
    }
}

/// An entry's document with its tag.
pub(super) fn tagged<T: Serialize>(status: StatusCode, version: Version, shape: &T) -> Answer {
    let text = serde_json::to_string(shape)
        .map_err(|_| HttpRejection::empty(StatusCode::INTERNAL_SERVER_ERROR))?;
    let mut response = json_text(status, text);
    if let Ok(tag) = HeaderValue::try_from(tag(version)) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

fn tag(version: Version) -> String {
    format!("\"{version}\"")
}
