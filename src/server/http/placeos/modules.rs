//! Modules by their ids, whichever systems they stand in.

use std::time::SystemTime;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, delete, get, post, routes};
use tokio::sync::oneshot;

use crate::core::{Caller, Directory, ModuleEntry, ReplySlot};
use crate::dialects::placeos::rest::documents::ModuleDocument;
use crate::dialects::placeos::rest::{
    DriverFacts, ExecErrorShape, Listing, ModuleFacts, ModuleFilter, ModuleShape, Page, PingShape,
    Query, SettingsShape, Statuses, device_host,
};
use crate::model::{Entry, EntryId, Module, ModuleId, System};
use crate::server::ServerState;
use crate::server::http::placeos::access::{
    condition, find_anywhere, find_module, find_system, needs_support, no_such_module, operator,
    read_state, reader, sees_module, supporter, systems_around, writer,
};
use crate::server::http::placeos::answers::{
    Answer, Body, Changes, invalid_field, json, list as list_of, not_found,
};
use crate::server::http::placeos::authn::HttpRejection;
use crate::server::http::placeos::edits::{self, Precondition, id_or_fresh, invalid, read, tagged};
use crate::server::http::placeos::ping::ping as ping_host;
use crate::server::http::placeos::room::{arguments, exec_status, function_name, returned};
use crate::server::http::placeos::shapes::zone_shapes;

/// The modules that the caller reaches.
#[utoipa::path(params(ModuleFilter, Listing), responses((status = 200, body = Vec<ModuleShape<'_>>)))]
#[get("/modules")]
pub(super) async fn list(state: Data<ServerState>, request: HttpRequest) -> Answer {
    let caller = reader(&state, &request, "modules")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (ModuleFilter::read(&query)?, Listing::read(&query)?);
    let directory = state.core.directory();
    let (system, page) = match &filter.system {
        Some(asked) => {
            let system = find_system(&state, &caller, &directory, asked)?;
            (Some(system), Page::whole(directory.modules_of(system)))
        }
        None => {
            let found = directory.modules().filter(|entry| {
                sees_module(&caller, &directory, &entry.module.id)
                    && filter.matches(&entry.module, driver_facts(entry), entry.info.updated_at)
            });
            (None, listing.page(found))
        }
    };
    let mut shapes = Vec::with_capacity(page.items.len());
    for entry in &page.items {
        shapes.push(shape_within(&state, &caller, &directory, entry, system).await);
    }
    list_of("mod", &page.with_items(shapes), &request, &query)
}

/// One module.
#[utoipa::path(
    params(("complete" = Option<bool>, Query, description = "Whether the system of a module without a device comes with it.")),
    responses((status = 200, body = ModuleShape<'_>)),
)]
#[get("/modules/{module}")]
pub(super) async fn show(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = reader(&state, &request, "modules")?;
    let complete = Query::parse(request.query_string()).truth("complete")?;
    let directory = state.core.directory();
    let entry = find_module(&state, &caller, &directory, &path, "show")?;
    if complete == Some(true) {
        json(&shape_within(&state, &caller, &directory, entry, None).await)
    } else {
        let system = systems_around(&caller, &directory, &entry.module.id).next();
        let shape = shape(&state, entry, system).await;
        tagged(StatusCode::OK, entry.info.version, &shape)
    }
}

/// All statuses of a module, each as JSON text. For support staff.
#[utoipa::path(responses((status = 200, body = Statuses<'_>)))]
#[get("/modules/{module}/state")]
pub(super) async fn statuses(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&state, &request, "modules")?;
    let module = find_anywhere(&state, &caller, &path, "state").await?;
    json(&Statuses(&read_state(&state, &module).await?))
}

/// One status of a module, as a string of JSON text. For support staff.
///
/// `null` when it is not set.
#[utoipa::path(responses((status = 200, body = Option<String>)))]
#[get("/modules/{module}/state/{status}")]
pub(super) async fn one_status(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Answer {
    let caller = supporter(&state, &request, "modules")?;
    let module = find_anywhere(&state, &caller, &path.0, "state").await?;
    let values = read_state(&state, &module).await?;
    let value = values.iter().find(|(known, _)| known.as_str() == path.1);
    json(&value.map(|(_, value)| value.as_str()))
}

/// Calls a function of a module.
///
/// It runs at most once. The answer is what it returned, with the driver's own HTTP status.
#[utoipa::path(
    request_body(content = Vec<serde_json::Value>, description = "Arguments by position, or an object of arguments by name. Empty is no arguments."),
    responses(
        (status = 200, body = serde_json::Value),
        (status = 401, description = "Not known, or the function needs a higher clearance.", body = ExecErrorShape<'_>),
        (status = "default", description = "The call failed, with the driver's status if that is an error.", body = ExecErrorShape<'_>),
    ),
)]
#[post("/modules/{module}/exec/{function}")]
pub(super) async fn exec(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<(String, String)>,
    body: Body,
) -> Answer {
    let caller = operator(&state, &request, "modules")?;
    let module = find_anywhere(&state, &caller, &path.0, "exec").await?;
    let (function, arguments) = (function_name(&path.1)?, arguments(&body)?);
    let (answer, answered) = oneshot::channel();
    let slot = ReplySlot::caller(answer);
    state
        .core
        .exec_by_id(&caller, &module, function, arguments, slot);
    match returned(answered).await {
        Ok(result) => Ok(result.into_response()),
        Err(failure) => Err(HttpRejection::json_body(
            exec_status(&failure),
            &ExecErrorShape::by_id(name_of(&state.core.directory(), &module), &failure),
        )),
    }
}

/// What clients call a module; its id where the building does not have it.
fn name_of<'a>(directory: &'a Directory, module: &'a ModuleId) -> &'a str {
    let entry = directory.module(module);
    entry.map_or(module.as_str(), |entry| entry.name.as_str())
}

/// Sends pings to a module's device. For support staff.
///
/// 422 for a module without a device.
#[utoipa::path(responses((status = 200, body = PingShape)))]
#[post("/modules/{module}/ping")]
pub(super) async fn ping(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = operator(&state, &request, "modules")?;
    needs_support(&state, &caller, "modules")?;
    let directory = state.core.directory();
    let entry = find_module(&state, &caller, &directory, &path, "ping")?;
    let host = device_host(&entry.module)
        .ok_or_else(|| invalid_field("role", "a module without a device cannot be pinged"))?;
    json(&ping_host(host).await)
}

/// The settings of a module, by name alone. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<SettingsShape<'_>>)))]
#[get("/modules/{module}/settings")]
pub(super) async fn settings(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&state, &request, "modules")?;
    let directory = state.core.directory();
    let entry = find_module(&state, &caller, &directory, &path, "settings")?;
    let settings: Vec<_> = SettingsShape::of(&entry.module, &entry.info)
        .into_iter()
        .collect();
    json(&settings)
}

/// What ended a module lately, the latest first. For support staff.
///
/// 404 for a module that never failed.
#[utoipa::path(responses((status = 200, body = Vec<String>)))]
#[get("/modules/{module}/error")]
pub(super) async fn error(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = supporter(&state, &request, "modules")?;
    let directory = state.core.directory();
    let entry = find_module(&state, &caller, &directory, &path, "error")?;
    let faults = state.core.faults(&entry.module.id);
    if faults.is_empty() {
        return Err(not_found("a fault of this module"));
    }
    let reasons: Vec<String> = faults.into_iter().map(|fault| fault.reason).collect();
    json(&reasons)
}

/// Makes a module and starts it. For administrators.
///
/// Its id is `id`, or a fresh one. It stands in no system yet.
#[utoipa::path(request_body = ModuleDocument, responses((status = 201, body = ModuleShape<'_>), Changes))]
#[post("/modules")]
pub(super) async fn create(state: Data<ServerState>, request: HttpRequest, body: Body) -> Answer {
    let caller = writer(&state, &request, "modules")?;
    let document: ModuleDocument = read(&body)?;
    let id = id_or_fresh(document.id(), "mod-", ModuleId::new)?;
    let mut module = ModuleDocument::blank(id.clone());
    document.amend(&mut module).map_err(invalid)?;
    let directory = edits::create(&state, &caller, Entry::Module(module)).await?;
    answer(StatusCode::CREATED, &state, &directory, &id).await
}

/// Changes a module: what the document leaves out stays. For administrators.
///
/// One whose driver, address or settings change is started again. `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = ModuleDocument, responses((status = 200, body = ModuleShape<'_>), Changes))]
#[routes]
#[patch("/modules/{module}")]
#[put("/modules/{module}")]
pub(super) async fn update(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Answer {
    let caller = writer(&state, &request, "modules")?;
    let directory = state.core.directory();
    let entry = find_module(&state, &caller, &directory, &path, "edit")?;
    let id = entry.module.id.clone();
    let document: ModuleDocument = read(&body)?;
    let changed = |directory: &Directory| {
        let entry = directory.module(&id).ok_or_else(no_such_module)?;
        let mut module = Module::clone(&entry.module);
        document.amend(&mut module).map_err(invalid)?;
        Ok(Entry::Module(module))
    };
    let (entry, precondition) = (EntryId::Module(id.clone()), Precondition::on_tags(&request));
    let directory = edits::change(&state, &caller, &entry, &precondition, changed).await?;
    answer(StatusCode::OK, &state, &directory, &id).await
}

/// Stops a module and takes it away, out of every system. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/modules/{module}")]
pub(super) async fn remove(
    state: Data<ServerState>,
    request: HttpRequest,
    path: Path<String>,
) -> Answer {
    let caller = writer(&state, &request, "modules")?;
    let directory = state.core.directory();
    let entry = find_module(&state, &caller, &directory, &path, "edit")?;
    let id = EntryId::Module(entry.module.id.clone());
    let precondition = Precondition::on_tags(&request);
    edits::delete(&state, &caller, &id, &precondition, |_| Vec::new()).await
}

async fn answer(
    status: StatusCode,
    state: &ServerState,
    directory: &Directory,
    id: &ModuleId,
) -> Answer {
    let entry = directory.module(id).ok_or_else(no_such_module)?;
    let system = directory.systems_of(id).next();
    tagged(
        status,
        entry.info.version,
        &shape(state, entry, system).await,
    )
}

/// A module as it is seen through a system, or through none.
pub(super) async fn shape<'a>(
    state: &ServerState,
    entry: &'a ModuleEntry,
    system: Option<&'a System>,
) -> ModuleShape<'a> {
    let failed_at = state.core.faults(&entry.module.id).first().map(|fault| {
        let since = fault.at.duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    });
    let facts = ModuleFacts {
        driver: driver_facts(entry),
        condition: condition(state, &entry.module.id).await,
        failed_at,
        system,
    };
    ModuleShape::new(&entry.module, facts, &entry.info)
}

/// The same with this system, or the first around it that the caller reaches.
async fn shape_within<'a>(
    state: &ServerState,
    caller: &Caller,
    directory: &'a Directory,
    entry: &'a ModuleEntry,
    system: Option<&'a System>,
) -> ModuleShape<'a> {
    let system = system.or_else(|| systems_around(caller, directory, &entry.module.id).next());
    let shape = shape(state, entry, system).await;
    match system {
        Some(system) => shape.within(system, zone_shapes(directory, system)),
        None => shape,
    }
}

fn driver_facts(entry: &ModuleEntry) -> DriverFacts<'_> {
    DriverFacts {
        id: entry.module.driver.as_str(),
        description: entry.driver_text(),
        module_name: entry.driver_module_name().as_str(),
    }
}
