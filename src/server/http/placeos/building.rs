//! The whole building as one resource, for administrators: what `riser apply` and `riser export` speak to.
//!
//! The text is that of a building file, and riser's own; the path, the credentials and the scopes are PlaceOS's.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::building_file;
use crate::core::{Apply, EditError, Invalid, Rehearsal};
use crate::model::{Building, Differences, Source};
use crate::server::ServerState;
use crate::server::http::kit::{BodyMax, Reader, Writer, json};
use crate::server::http::placeos::lists::query;
use crate::server::http::placeos::rejections::rejection;
use crate::server::http::placeos::resource_types::WholeBuilding;
use crate::server::http::placeos::shadowed::foreign_rules;
use crate::server::http::placeos::{Answer, Body, HttpRejection};
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
            .app_data(BodyMax(BUILDING_MAX_BYTES))
            .route(web::get().to(export))
            .route(web::put().to(apply)),
    );
}

/// The whole building as a building file, with all that it takes to read it back. For administrators.
///
/// The settings of modules are part of it, passwords included; those of users and the secrets of API keys are hashes.
/// The secrets of apps are masked unless they are asked for.
#[utoipa::path(
    get,
    path = PATH,
    tag = "building",
    params(("secrets" = Option<bool>, Query, description = "With `true` the secrets of apps are part of it.")),
    responses((status = 200, body = String, content_type = "application/yaml")),
)]
async fn export(context: Reader<WholeBuilding>) -> Answer {
    let building = context.state.core.editor.export(&context.caller)?;
    let write = match query(&context).first("secrets") {
        Some("true") => building_file::write,
        _ => building_file::without_app_secrets,
    };
    let text = blocking(&context.state, move || write(&building)).await?;
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
async fn apply(context: Applier, body: Body) -> Answer {
    let Applier(context) = context;
    let (core, caller) = (&context.state.core, &context.caller);
    let rehearsal = match query(&context).first("dry_run") {
        Some("true") => Rehearsal::Dry,
        _ => Rehearsal::Real,
    };
    let building = blocking(&context.state, move || read(&body.bytes)).await??;
    let apply = Apply {
        building,
        source: Source::File,
        rehearsal,
    };
    let applied = core.editor.apply_as(caller, apply).await;
    let differences = applied.map_err(not_applied)?;
    json(&Applied::new(rehearsal, &differences))
}

/// A caller who may make the building that of a file. No other caller's file is read, and no other caller learns what it has to look like.
struct Applier(Writer<WholeBuilding>);

impl FromRequest for Applier {
    type Error = HttpRejection;
    type Future = Ready<Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let writer = Writer::from_request(request, payload).into_inner();
        ready(writer.map_err(HttpRejection::from).and_then(|context| {
            context.state.core.editor.may_apply(&context.caller)?;
            Ok(Self(context))
        }))
    }
}

/// The environment of this process is not the caller's to read, so nothing is filled in.
fn read(body: &[u8]) -> Result<Building, HttpRejection> {
    let text = std::str::from_utf8(body)
        .map_err(|_| refused(vec!["the building is not UTF-8 text".to_owned()]))?;
    building_file::read_for_any_driver(FILE, text, foreign_rules(), &BTreeMap::new())
        .map_err(|problems| refused(problems.to_string().lines().map(str::to_owned).collect()))
}

/// A large building takes its time to read and to write. The place belongs to the work, and so does its data, whether or not a caller waits for it.
async fn blocking<T: Send + 'static>(
    state: &ServerState,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, HttpRejection> {
    let interrupted = || {
        let reason = "the gateway is stopping; try again later";
        rejection(StatusCode::SERVICE_UNAVAILABLE, reason)
    };
    let place = Arc::clone(&state.whole_buildings).acquire_owned().await;
    let place = place.map_err(|_| interrupted())?;
    let done = web::block(move || {
        let done = work();
        drop(place);
        done
    });
    done.await.map_err(|_| interrupted())
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
