//! Modules by their ids, whichever systems they stand in.

use std::time::SystemTime;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};

use crate::core::{Directory, ModuleAccess, ModuleEntry};
use crate::dialects::placeos::rest::documents::ModuleDocument;
use crate::dialects::placeos::rest::{
    DriverFacts, ExecErrorShape, InvalidField, Listing, ModuleFacts, ModuleFilter, ModuleShape,
    Page, PingShape, SettingsShape, Statuses, device_host,
};
use crate::model::{
    Clearance, Edit, Entry, EntryId, ExecRequest, Module, ModuleId, System, SystemId,
};
use crate::server::ServerState;
use crate::server::http::kit::{Operator, Reader, RequestContext, Supporter, Writer, json, tagged};
use crate::server::http::placeos::access::{
    condition, find_anywhere, find_module, find_system, no_such_module, read_state, sees_module,
    systems_around,
};
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::ping::ping as ping_host;
use crate::server::http::placeos::rejections::{Changes, invalid, not_found};
use crate::server::http::placeos::resource_types::Modules;
use crate::server::http::placeos::room::{arguments, call, called, function_name};
use crate::server::http::placeos::shapes::{module_settings, zone_shapes};
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Modules {
    type Id = ModuleId;
    type Content = Module;
    const ID_PREFIX: &'static str = "mod-";
    const ID: fn(&Self::Content) -> &ModuleId = |content| &content.id;
    const ENTRY_ID: fn(ModuleId) -> EntryId = EntryId::Module;
    const ENTRY: fn(Module) -> Entry = Entry::Module;
    const FIND: Find<Self> = |directory, id| directory.module(id).map(|entry| &*entry.module);

    fn find(context: &RequestContext, asked: &str) -> Result<ModuleId, HttpRejection> {
        let directory = context.directory();
        find_module(context, &directory, asked, ModuleAccess::See)
            .map(|entry| entry.module.id.clone())
    }

    /// As in PlaceOS, a new module stands in the system that it names.
    fn made_with(
        document: &ModuleDocument,
        module: &Module,
        directory: &Directory,
    ) -> Result<Vec<Edit>, HttpRejection> {
        let Some(asked) = document.system() else {
            return Ok(Vec::new());
        };
        let id = SystemId::new(asked).ok();
        let system = id.and_then(|id| directory.system(&id));
        let mut system = system
            .ok_or_else(|| wrong_system("is none that there is"))?
            .clone();
        let entry = EntryId::System(system.id.clone());
        let version = directory.info(&entry).map(|info| info.version);
        let version = version.ok_or_else(|| not_found("system"))?;
        system.modules.push(module.id.clone());
        Ok(vec![Edit::put(Entry::System(system)).at(version)])
    }

    /// A host and a port say nothing of the scheme, which is the driver's.
    fn complete(context: &RequestContext, document: &ModuleDocument, module: &mut Module) {
        if let Some(rule) = context.state.core.queries.uri_rule(&module.driver) {
            document.complete_uri(module, rule);
        }
    }

    fn may_amend(
        document: &ModuleDocument,
        id: &ModuleId,
        directory: &Directory,
    ) -> Result<(), HttpRejection> {
        let stands = |asked: &str| {
            directory
                .systems_of(id)
                .any(|system| system.id.as_str() == asked)
        };
        match document.system().is_none_or(stands) {
            true => Ok(()),
            false => Err(wrong_system(
                "cannot be changed here; put the module into a system with PUT /systems/{system}/module/{module}",
            )),
        }
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &ModuleId) -> Answer {
        let directory = context.directory();
        let entry = directory.module(id).ok_or_else(no_such_module)?;
        let system = directory.systems_of(id).next();
        let shape = shape(&context.state, entry, system).await;
        tagged(status, entry.info.version, &shape)
    }
}

fn wrong_system(reason: &str) -> HttpRejection {
    invalid(vec![InvalidField::new("control_system_id", reason)])
}

/// The modules that the caller reaches.
#[utoipa::path(params(ModuleFilter, Listing), responses((status = 200, body = Vec<ModuleShape<'_>>)))]
#[get("/modules")]
pub(super) async fn list(context: Reader<Modules>) -> Answer {
    let query = query(&context);
    let (filter, listing) = (ModuleFilter::read(&query)?, Listing::read(&query)?);
    let directory = context.directory();
    let (system, page) = match &filter.system {
        Some(asked) => {
            let system = find_system(&context, &directory, asked)?;
            (Some(system), Page::whole(directory.modules_of(system)))
        }
        None => {
            let found = directory.modules().filter(|entry| {
                sees_module(&context.caller, &directory, &entry.module.id)
                    && filter.matches(&entry.module, driver_facts(entry), entry.info.updated_at)
            });
            (None, listing.page(found))
        }
    };
    let mut shapes = Vec::with_capacity(page.items.len());
    for entry in &page.items {
        shapes.push(shape_within(&context, &directory, entry, system).await);
    }
    list_of("mod", &page.with_items(shapes), &context)
}

/// One module.
#[utoipa::path(
    params(("complete" = Option<bool>, Query, description = "Whether the system of a module without a device comes with it.")),
    responses((status = 200, body = ModuleShape<'_>)),
)]
#[get("/modules/{module}")]
pub(super) async fn show(context: Reader<Modules>, path: Path<String>) -> Answer {
    let complete = query(&context).truth("complete")?;
    let directory = context.directory();
    let entry = find_module(&context, &directory, &path, ModuleAccess::See)?;
    if complete == Some(true) {
        json(&shape_within(&context, &directory, entry, None).await)
    } else {
        let system = systems_around(&context.caller, &directory, &entry.module.id).next();
        let shape = shape(&context.state, entry, system).await;
        tagged(StatusCode::OK, entry.info.version, &shape)
    }
}

/// All statuses of a module, each as JSON text. For support staff.
#[utoipa::path(responses((status = 200, body = Statuses<'_>)))]
#[get("/modules/{module}/state")]
pub(super) async fn statuses(context: Supporter<Modules>, path: Path<String>) -> Answer {
    let module = find_anywhere(&context, &path, ModuleAccess::Read).await?;
    json(&Statuses(&read_state(&context.state, &module).await?))
}

/// One status of a module, as a string of JSON text. For support staff.
///
/// `null` when it is not set.
#[utoipa::path(responses((status = 200, body = Option<String>)))]
#[get("/modules/{module}/state/{status}")]
pub(super) async fn one_status(
    context: Supporter<Modules>,
    path: Path<(String, String)>,
) -> Answer {
    let module = find_anywhere(&context, &path.0, ModuleAccess::Read).await?;
    let values = read_state(&context.state, &module).await?;
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
    context: Operator<Modules>,
    path: Path<(String, String)>,
    body: Body,
) -> Answer {
    let module = find_anywhere(&context, &path.0, ModuleAccess::See).await?;
    let request = ExecRequest {
        module: module.clone().into(),
        function: function_name(&path.1)?,
        arguments: arguments(&body)?,
        act: None,
    };
    let outcome = call(&context, request).await?;
    let directory = context.directory();
    called(outcome, |failure| {
        ExecErrorShape::by_id(name_of(&directory, &module), failure)
    })
}

/// What clients call a module; its id where the building does not have it.
fn name_of<'a>(directory: &'a Directory, module: &'a ModuleId) -> &'a str {
    let entry = directory.module(module);
    entry.map_or(module.as_str(), |entry| entry.name.as_str())
}

/// Sends pings to a module's device. For support staff, where no zone refuses them.
///
/// 422 for a module without a device.
#[utoipa::path(responses((status = 200, body = PingShape)))]
#[post("/modules/{module}/ping")]
pub(super) async fn ping(context: Operator<Modules>, path: Path<String>) -> Answer {
    context.require(Clearance::Support, "modules")?;
    let directory = context.directory();
    let entry = find_module(&context, &directory, &path, ModuleAccess::Tend)?;
    let host = device_host(&entry.module).ok_or_else(|| {
        let reason = "a module without a device cannot be pinged";
        invalid(vec![InvalidField::new("role", reason)])
    })?;
    json(&ping_host(host).await)
}

/// The settings of a module, by name, and by content where a level of theirs shows it, without those of what is around it. For support staff, where no zone refuses them.
#[utoipa::path(responses((status = 200, body = Vec<SettingsShape<'_>>)))]
#[get("/modules/{module}/settings")]
pub(super) async fn settings(context: Supporter<Modules>, path: Path<String>) -> Answer {
    let directory = context.directory();
    let entry = find_module(&context, &directory, &path, ModuleAccess::Tend)?;
    json(&module_settings(entry, context.caller.clearance()))
}

/// What ended a module lately, the latest first. For support staff, where no zone refuses them.
///
/// 404 for a module that never failed.
#[utoipa::path(responses((status = 200, body = Vec<String>)))]
#[get("/modules/{module}/error")]
pub(super) async fn error(context: Supporter<Modules>, path: Path<String>) -> Answer {
    let directory = context.directory();
    let entry = find_module(&context, &directory, &path, ModuleAccess::Tend)?;
    let faults = context.state.core.queries.faults(&entry.module.id);
    if faults.is_empty() {
        return Err(not_found("a fault of this module"));
    }
    let reasons: Vec<String> = faults.into_iter().map(|fault| fault.reason).collect();
    json(&reasons)
}

/// Makes a module and starts it. For administrators.
///
/// Its id is `id`, or a fresh one. It stands in the system `control_system_id`, or in none yet.
/// Its device is at `uri`, or at `ip` and `port`, to which the driver gives the scheme.
#[utoipa::path(request_body = ModuleDocument, responses((status = 201, body = ModuleShape<'_>), Changes))]
#[post("/modules")]
pub(super) async fn create(context: Writer<Modules>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a module: what the document leaves out stays. For administrators.
///
/// One whose driver, address or settings change is started again. `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = ModuleDocument, responses((status = 200, body = ModuleShape<'_>), Changes))]
#[routes]
#[patch("/modules/{module}")]
#[put("/modules/{module}")]
pub(super) async fn update(context: Writer<Modules>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Stops a module and takes it away, out of every system. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/modules/{module}")]
pub(super) async fn remove(context: Writer<Modules>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}

/// A module as it is seen through a system, or through none.
pub(super) async fn shape<'a>(
    state: &ServerState,
    entry: &'a ModuleEntry,
    system: Option<&'a System>,
) -> ModuleShape<'a> {
    let failed_at = state
        .core
        .queries
        .faults(&entry.module.id)
        .first()
        .map(|fault| {
            let since = fault.at.duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(0, |since| since.as_secs())
        });
    let facts = ModuleFacts {
        driver: driver_facts(entry),
        condition: condition(state, &entry.module).await,
        failed_at,
        system,
    };
    ModuleShape::new(&entry.module, facts, &entry.info)
}

/// The same with this system, or the first around it that the caller reaches.
async fn shape_within<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    entry: &'a ModuleEntry,
    system: Option<&'a System>,
) -> ModuleShape<'a> {
    let system =
        system.or_else(|| systems_around(&context.caller, directory, &entry.module.id).next());
    let shape = shape(&context.state, entry, system).await;
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
