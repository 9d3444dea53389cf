//! How PlaceOS words a refusal: every one has its error body, but a 403, which has none.
//!
//! A `?` on what the core says ends here, since the handlers of this folder answer with PlaceOS's [`HttpRejection`].

use std::fmt::Display;

use actix_web::http::StatusCode;
use utoipa::IntoResponses;

use crate::core::{EditError, Invalid};
use crate::dialects::placeos::errors;
use crate::dialects::placeos::rest::documents::Unreadable;
use crate::dialects::placeos::rest::{BadParameter, ErrorShape, InvalidField, InvalidShape};
use crate::model::{EntryId, Failure};
use crate::server::http::placeos::HttpRejection;

/// What every other document refers to.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    ErrorShape<'static>,
    BadParameter,
    InvalidShape<'static>,
    InvalidField
)))]
pub(in crate::server::http) struct Rejections;

/// What a change of an entry may be refused with beside what everything may be. For the specification.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the specification alone")]
pub(super) enum Changes {
    /// An entry of that id is there, or other callers were faster too often.
    #[response(status = 409)]
    Conflict(ErrorShape<'static>),
    /// The entry has none of the tags of `If-Match`.
    #[response(status = 412)]
    Changed(ErrorShape<'static>),
    /// Fields of the document cannot be as they are.
    #[response(status = 422)]
    Invalid(InvalidShape<'static>),
}

/// A refusal with PlaceOS's error body.
pub(super) fn rejection(status: StatusCode, message: &str) -> HttpRejection {
    HttpRejection::json_body(status, &ErrorShape::new(message))
}

/// The request has the wrong shape.
pub(super) fn bad_request(reason: impl Display) -> HttpRejection {
    rejection(StatusCode::BAD_REQUEST, &reason.to_string())
}

/// There is no such thing.
pub(super) fn not_found(what: &str) -> HttpRejection {
    rejection(StatusCode::NOT_FOUND, &format!("could not find {what}"))
}

/// Fields that cannot be as they are.
pub(super) fn invalid(fields: Vec<InvalidField>) -> HttpRejection {
    HttpRejection::json_body(
        StatusCode::UNPROCESSABLE_ENTITY,
        &InvalidShape::new(&fields),
    )
}

/// A failure of the core.
pub(super) fn failed(failure: &Failure) -> HttpRejection {
    let status = StatusCode::from_u16(errors::http_status(failure))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == StatusCode::FORBIDDEN {
        return HttpRejection::empty(status);
    }
    rejection(status, &errors::message(failure))
}

impl From<Unreadable> for HttpRejection {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::NotADocument(reason) => bad_request(reason),
            Unreadable::Fields(fields) => invalid(fields),
        }
    }
}

impl From<BadParameter> for HttpRejection {
    fn from(bad: BadParameter) -> Self {
        let status = StatusCode::from_u16(BadParameter::STATUS).unwrap_or(StatusCode::BAD_REQUEST);
        Self::json_body(status, &bad)
    }
}

/// The answer to an edit that was not made: for a document field by field.
impl From<EditError> for HttpRejection {
    fn from(error: EditError) -> Self {
        let status = match error {
            EditError::Invalid(wrong) => return invalid(wrong.iter().map(invalid_field).collect()),
            EditError::Forbidden(failure) => return failure.into(),
            EditError::Store(cause) => {
                tracing::error!(%cause, "the building could not be kept");
                let told = cause.told();
                return rejection(
                    StatusCode::SERVICE_UNAVAILABLE,
                    &format!("the building could not be kept: {told}; nothing was changed"),
                );
            }
            EditError::Conflict { .. }
            | EditError::InUse { .. }
            | EditError::RemovesMost { .. } => StatusCode::CONFLICT,
            EditError::NotFound(_) => StatusCode::NOT_FOUND,
            EditError::Busy | EditError::Interrupted | EditError::Unkept => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        rejection(status, &error.to_string())
    }
}

/// The core's fields have the building file's names.
fn invalid_field(wrong: &Invalid) -> InvalidField {
    InvalidField {
        field: match wrong.field {
            "driver" => "driver_id".to_owned(),
            "user" => "user_id".to_owned(),
            "name" if matches!(wrong.id, EntryId::Module(_)) => "custom_name".to_owned(),
            "system" if matches!(wrong.id, EntryId::Trigger(_)) => "control_system_id".to_owned(),
            "when" => "conditions".to_owned(),
            "then" => "actions".to_owned(),
            field => field.to_owned(),
        },
        reason: wrong.reason.clone(),
    }
}
