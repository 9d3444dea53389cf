//! The whole building as one resource, for administrators: what `riser apply` and `riser export` speak to.
//!
//! The text is that of a building file, and riser's own; the path, the credentials and the scopes are PlaceOS's.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, ServiceConfig};
use serde::Serialize;
use utoipa::ToSchema;

use crate::building_file;
use crate::core::{Apply, EditError, Invalid, Rehearsal};
use crate::model::{Building, Differences, Source};
use crate::server::http::kit::{Answer, HttpRejection, Reader, Writer, json};
use crate::server::http::placeos::lists::query;
use crate::server::http::placeos::resource_types::WholeBuilding;
use crate::server::http::placeos::shadowed::shadowed_ids;
use crate::server::limits::BUILDING_MAX_BYTES;

const PATH: &str = "/api/engine/v2/building";

/// What problems call the text.
const FILE: &str = "building";

/// The specification of the route, which has its own bound on bodies and so a place of its own.
#[derive(utoipa::OpenApi)]
#[openapi(paths(export, apply))]
pub(in crate::server::http) struct Whole;

/// Adds the route.
pub(in crate::server::http) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::resource(PATH)
            .app_data(web::PayloadConfig::new(BUILDING_MAX_BYTES))
            .route(web::get().to(export))
            .route(web::put().to(apply)),
    );
}

/// The whole building as a building file, with all that it takes to read it back. For administrators.
///
/// The settings of modules are part of it, passwords included; those of users and the secrets of API keys are hashes.
#[utoipa::path(
    get,
    path = PATH,
    tag = "building",
    responses((status = 200, body = String, content_type = "application/yaml")),
)]
async fn export(context: Reader<WholeBuilding>) -> Answer {
    let building = context.state.core.export(&context.caller)?;
    let text = blocking(move || building_file::write(&building)).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/yaml; charset=utf-8")
        .body(text))
}

/// Makes the building that of a building file, as far as files own it. For administrators.
#[utoipa::path(
    put,
    path = PATH,
    tag = "building",
    params(("dry_run" = Option<bool>, Query, description = "With `true` it is only said what would change.")),
    request_body(content = String, content_type = "application/yaml"),
    responses(
        (status = 200, body = Applied),
        (status = 422, description = "The file has mistakes, or the building would not be sound.", body = Refused),
    ),
)]
async fn apply(context: Writer<WholeBuilding>, body: Bytes) -> Answer {
    let (core, caller) = (&context.state.core, &context.caller);
    // Looked at first, so that nobody else learns what a file has to look like.
    core.may_apply(caller)?;
    let rehearsal = match query(&context).first("dry_run") {
        Some("true") => Rehearsal::Dry,
        _ => Rehearsal::Real,
    };
    let building = blocking(move || read(&body)).await??;
    let apply = Apply {
        building,
        source: Source::File,
        rehearsal,
    };
    let applied = core.apply_as(caller, apply).await;
    let differences = applied.map_err(not_applied)?;
    json(&Applied::new(rehearsal, &differences))
}

/// The environment of this process is not the caller's to read, so nothing is filled in.
fn read(body: &[u8]) -> Result<Building, HttpRejection> {
    let text = std::str::from_utf8(body)
        .map_err(|_| refused(vec!["the building is not UTF-8 text".to_owned()]))?;
    building_file::read_for_any_driver(FILE, text, shadowed_ids(), &BTreeMap::new())
        .map_err(|problems| refused(problems.to_string().lines().map(str::to_owned).collect()))
}

/// A large building takes its time to read and to write.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, HttpRejection> {
    web::block(work)
        .await
        .map_err(|_| HttpRejection::empty(StatusCode::SERVICE_UNAVAILABLE))
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
struct Applied {
    dry_run: bool,
    changes: Vec<Changed>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    change: &'static str,
    kind: &'static str,
    /// Names kind and id, for people.
    entry: String,
}

impl Applied {
    fn new(rehearsal: Rehearsal, differences: &Differences) -> Self {
        let change =
            |(difference, id): &(crate::model::Difference, crate::model::EntryId)| Changed {
                change: difference.as_str(),
                kind: id.kind().noun(),
                entry: id.to_string(),
            };
        Self {
            dry_run: rehearsal == Rehearsal::Dry,
            changes: differences.0.iter().map(change).collect(),
        }
    }
}

/// Why it was not taken: the first problem in a sentence, and a line for each.
#[derive(Debug, Serialize, ToSchema)]
struct Refused {
    error: String,
    problems: Vec<String>,
}

impl Refused {
    fn new(problems: Vec<String>) -> Self {
        let first = problems.first().map(String::as_str).unwrap_or_default();
        let error = match problems.len() {
            0 | 1 => format!("the building is not taken: {first}"),
            count => format!(
                "the building is not taken: {first}; and {} more problems",
                count - 1
            ),
        };
        Self { error, problems }
    }
}

fn not_applied(error: EditError) -> HttpRejection {
    let EditError::Invalid(problems) = error else {
        return error.into();
    };
    refused(problems.iter().map(Invalid::to_string).collect())
}

fn refused(problems: Vec<String>) -> HttpRejection {
    HttpRejection::json_body(StatusCode::UNPROCESSABLE_ENTITY, &Refused::new(problems))
}
