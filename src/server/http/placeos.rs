//! PlaceOS's REST resources around the websocket: what its clients and a terminal need to find and drive a room.
//!
//! What the bodies look like is the dialect's; here the core is asked. The policy is the websocket's:
//! a function's clearance decides who may call it, not the door through which the call comes.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_RANGE, ContentType, HOST, HeaderName, LINK};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::core::{Caller, Directory, ModuleEntry, ReplySlot};
use crate::dialects::placeos::errors;
use crate::dialects::placeos::rest::{
    Authority, BadParameter, Condition, CurrentUser, DriverFacts, ExecErrorShape, Functions,
    Listing, ModuleShape, Query, Standing, Statuses, SystemFilter, SystemShape, Types, ZoneFilter,
    ZoneShape, may_exec, may_read, module_slug,
};
use crate::model::{
    Call, Clearance, Failure, FailureKind, FunctionName, JsonText, ModuleId, ModulePath, Reply,
    Request, State, System, SystemId, Zone,
};
use crate::server::Doors;
use crate::server::http::auth;
use crate::server::http::door::{self, Refusal, WEBSOCKET_PATHS, address};

/// How many items a list has in all its parts.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Adds the routes. A fixed word in a path wins over a module's name.
pub(super) fn configure(config: &mut ServiceConfig) {
    for path in WEBSOCKET_PATHS {
        config.route(path, web::route().to(not_upgraded));
    }
    config
        .route("/auth/authority", web::get().to(authority))
        .service(
            web::scope("/api/engine/v2")
                .route("/", web::get().to(alive))
                .route("/systems", web::get().to(systems))
                .route("/systems/{system}", web::get().to(system))
                .route("/systems/{system}/types", web::get().to(types))
                .route("/systems/{system}/zones", web::get().to(system_zones))
                .route(
                    "/systems/{system}/functions/{module}",
                    web::get().to(functions),
                )
                .route("/systems/{system}/{module}", web::get().to(state))
                .route("/systems/{system}/{module}/{name}", web::get().to(status))
                .route("/systems/{system}/{module}/{name}", web::post().to(exec))
                .route("/zones", web::get().to(zones))
                .route("/users/current", web::get().to(current_user)),
        )
        .default_service(web::route().to(nothing_here));
}

pub(super) type Answer = Result<HttpResponse, Refusal>;

impl actix_web::ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.to_response()
    }
}

impl From<BadParameter> for Refusal {
    fn from(bad: BadParameter) -> Self {
        let status = StatusCode::from_u16(BadParameter::STATUS).unwrap_or(StatusCode::BAD_REQUEST);
        Self::json_body(status, &bad)
    }
}

/// A websocket's door, asked for by a request that is no upgrade or one that actix does not take for one.
async fn not_upgraded(doors: Data<Doors>, request: HttpRequest) -> Answer {
    door::enter_websocket(&doors, request.head(), address(&request))?;
    Err(door::upgrade_required(
        "this is a websocket: connect to it with an upgrade",
    ))
}

async fn nothing_here() -> Answer {
    Err(Refusal::json(
        StatusCode::NOT_FOUND,
        "there is nothing here",
    ))
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// Whose gateway this is: the first thing a client asks, before it has anything to show.
async fn authority(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let domain = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let caller = door::authenticate(&doors, request.head(), address(&request)).ok();
    let session = auth::has_session(&doors, &request);
    let standing = Standing {
        session,
        // A browser's session lets in as well, but is no token that the page could use.
        token_valid: caller.is_some_and(|caller| !caller.is_browser()),
    };
    let directory = doors.core.directory();
    json(&Authority::new(domain, directory.zones(), standing))
}

async fn systems(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (SystemFilter::read(&query)?, Listing::read(&query)?);
    let directory = doors.core.directory();
    let found = directory
        .systems()
        .filter(|system| caller.reaches(system) && filter.matches(system))
        .map(|system| SystemShape::new(system, doors.began));
    list("sys", listing, found, &request, &query)
}

async fn system(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let system = find_system(&doors, &caller, &directory, &path)?;
    let shape = SystemShape::new(system, doors.began);
    let query = Query::parse(request.query_string());
    if query.first("complete") != Some("true") {
        return json(&shape);
    }
    let zones = zones_of(&directory, system)
        .map(|zone| ZoneShape::new(zone, doors.began))
        .collect();
    let mut modules = Vec::new();
    for entry in directory.modules_of(system) {
        let condition = condition(&doors, &entry.module.id).await;
        modules.push(module_shape(entry, system, condition, doors.began));
    }
    json(&shape.complete(zones, modules))
}

async fn types(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let system = find_system(&doors, &caller, &directory, &path)?;
    json(&Types::of(
        directory.modules_of(system).map(|entry| &entry.name),
    ))
}

async fn system_zones(doors: Data<Doors>, request: HttpRequest, path: Path<String>) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let system = find_system(&doors, &caller, &directory, &path)?;
    let zones: Vec<ZoneShape<'_>> = zones_of(&directory, system)
        .map(|zone| ZoneShape::new(zone, doors.began))
        .collect();
    json(&zones)
}

async fn functions(
    doors: Data<Doors>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let place = place(&directory, &path.0, &path.1)?;
    let module = doors.core.resolve(&caller, &place)?;
    let entry = directory.module(&module).ok_or_else(no_such_module)?;
    json(&Functions::of(entry.interface(), caller.clearance()))
}

async fn state(doors: Data<Doors>, request: HttpRequest, path: Path<(String, String)>) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let place = place(&directory, &path.0, &path.1)?;
    let state = match doors.core.resolve(&caller, &place) {
        Ok(module) => read_state(&doors, &module).await?,
        // A module that is not there has no statuses; a system that is not there is an error.
        Err(failure) if failure.kind() == FailureKind::ModuleNotFound => State::new(),
        Err(failure) => return Err(failure.into()),
    };
    json(&Statuses(&state))
}

async fn status(
    doors: Data<Doors>,
    request: HttpRequest,
    path: Path<(String, String, String)>,
) -> Answer {
    let caller = reader(&doors, &request, "systems")?;
    let directory = doors.core.directory();
    let (system, module, name) = path.into_inner();
    let place = place(&directory, &system, &module)?;
    let module = doors.core.resolve(&caller, &place)?;
    let state = read_state(&doors, &module).await?;
    let value = state.iter().find(|(known, _)| known.as_str() == name);
    let value = value.map_or("null", |(_, value)| value.as_str());
    Ok(json_text(StatusCode::OK, value.to_owned()))
}

async fn exec(
    doors: Data<Doors>,
    request: HttpRequest,
    path: Path<(String, String, String)>,
    body: Bytes,
) -> Answer {
    let caller = door::authenticate(&doors, request.head(), address(&request))?;
    if !may_exec(caller.scopes(), "systems") {
        return Err(door::out_of_scope(&doors, &caller, "calls"));
    }
    let directory = doors.core.directory();
    let (system, module, function) = path.into_inner();
    let module = place(&directory, &system, &module)?;
    let call = Call {
        module: module.clone(),
        function: FunctionName::new(&function).map_err(bad_request)?,
        arguments: arguments(&body)?,
    };
    doors
        .core
        .authorize(&caller, &Request::Exec(call.clone()))?;
    let (answer, answered) = oneshot::channel();
    doors.core.exec(&caller, call, ReplySlot::caller(answer));
    match answered.await {
        Ok(Ok(Reply::Result { value, code })) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::OK);
            Ok(json_text(status, value.as_str().to_owned()))
        }
        Ok(Err(failure)) => {
            let status = StatusCode::from_u16(errors::exec_http_status(&failure))
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Err(Refusal::json_body(
                status,
                &ExecErrorShape::new(&module, &failure),
            ))
        }
        // A reply slot always answers, and a call is always answered with a result.
        Ok(Ok(Reply::Bound | Reply::Unbound | Reply::Debugging(_) | Reply::Ignored)) | Err(_) => {
            Err(Refusal::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}

async fn zones(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let caller = reader(&doors, &request, "zones")?;
    let query = Query::parse(request.query_string());
    let (filter, listing) = (ZoneFilter::read(&query)?, Listing::read(&query)?);
    if caller.clearance() < Clearance::Support && !filter.is_narrow() {
        return Err(Refusal::empty(StatusCode::FORBIDDEN));
    }
    let directory = doors.core.directory();
    let shape = |zone| {
        let shape = ZoneShape::new(zone, doors.began);
        if filter.counts_children {
            let inside = |other: &&Zone| other.parent_id.as_ref() == Some(&zone.id);
            shape.with_children(directory.zones().filter(inside).count())
        } else {
            shape
        }
    };
    let found = directory
        .zones()
        .filter(|zone| sees_zone(&caller, &directory, zone) && filter.matches(zone))
        .map(shape);
    list("zone", listing, found, &request, &query)
}

async fn current_user(doors: Data<Doors>, request: HttpRequest) -> Answer {
    let caller = reader(&doors, &request, "users")?;
    json(&CurrentUser::new(
        caller.user(),
        caller.clearance(),
        doors.began,
    ))
}

/// Who reads a resource, if the credentials let one read it.
fn reader(doors: &Doors, request: &HttpRequest, resource: &str) -> Result<Caller, Refusal> {
    let caller = door::authenticate(doors, request.head(), address(request))?;
    if may_read(caller.scopes(), resource) {
        Ok(caller)
    } else {
        Err(door::out_of_scope(doors, &caller, resource))
    }
}

/// A system by its id, or by its email as some clients ask.
fn find_system<'a>(
    doors: &Doors,
    caller: &Caller,
    directory: &'a Directory,
    asked: &str,
) -> Result<&'a System, Refusal> {
    let id = system_id(directory, asked)?;
    doors.core.may_see(caller, &id)?;
    directory.system(&id).ok_or_else(|| {
        Refusal::from(Failure::new(
            FailureKind::SystemNotFound,
            format!("could not find system {id}"),
        ))
    })
}

fn system_id(directory: &Directory, asked: &str) -> Result<SystemId, Refusal> {
    if asked.contains('@')
        && let Some(system) = directory
            .systems()
            .find(|system| system.email.as_deref() == Some(asked))
    {
        return Ok(system.id.clone());
    }
    SystemId::new(asked).map_err(bad_request)
}

fn place(directory: &Directory, system: &str, module: &str) -> Result<ModulePath, Refusal> {
    let (name, index) = module_slug(module).ok_or_else(no_such_module)?;
    Ok(ModulePath {
        system: system_id(directory, system)?,
        module: name,
        index,
    })
}

/// The arguments of a call: a JSON array or object; nothing at all is no arguments.
fn arguments(body: &[u8]) -> Result<JsonText, Refusal> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim_ascii();
    if body.is_empty() {
        return Ok(JsonText::of::<[(); 0]>(&[]).unwrap_or_else(|_| JsonText::null()));
    }
    if !text.starts_with(['[', '{']) {
        return Err(bad_request("the body is not a JSON array of arguments"));
    }
    JsonText::parse(text).map_err(|_| bad_request("the body is not a JSON array of arguments"))
}

fn bad_request(reason: impl ToString) -> Refusal {
    Refusal::json(StatusCode::BAD_REQUEST, &reason.to_string())
}

fn no_such_module() -> Refusal {
    Failure::new(FailureKind::ModuleNotFound, "could not find module").into()
}

async fn read_state(doors: &Doors, module: &ModuleId) -> Result<State, Refusal> {
    let (answer, answered) = oneshot::channel();
    doors.core.state(module, answer);
    answered.await.map_err(|_| {
        Refusal::from(Failure::new(
            FailureKind::Unavailable,
            "the statuses cannot be read at the moment",
        ))
    })
}

async fn condition(doors: &Doors, module: &ModuleId) -> Condition {
    let state = read_state(doors, module).await.unwrap_or_default();
    let connected = state.iter().find(|(name, _)| name.as_str() == "connected");
    match connected {
        Some((_, value)) if value.as_str() == "false" => Condition::Disconnected,
        _ => Condition::Connected,
    }
}

fn module_shape<'a>(
    entry: &'a ModuleEntry,
    system: &'a System,
    condition: Condition,
    time: u64,
) -> ModuleShape<'a> {
    let driver = DriverFacts {
        id: entry.module.driver.as_str(),
        description: entry.driver_text(),
        module_name: entry.driver_module_name().as_str(),
    };
    ModuleShape::new(&entry.module, driver, condition, Some(&system.id), time)
}

fn zones_of<'a>(directory: &'a Directory, system: &'a System) -> impl Iterator<Item = &'a Zone> {
    system
        .zones
        .iter()
        .filter_map(|id| directory.zones().find(|zone| zone.id == *id))
}

/// A restricted key sees its own zones and those around the systems it reaches.
fn sees_zone(caller: &Caller, directory: &Directory, zone: &Zone) -> bool {
    caller.reaches_zone(&zone.id)
        || directory
            .systems()
            .any(|system| system.zones.contains(&zone.id) && caller.reaches(system))
}

fn json<T: Serialize>(body: &T) -> Answer {
    let text = serde_json::to_string(body)
        .map_err(|_| Refusal::empty(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(json_text(StatusCode::OK, text))
}

fn json_text(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::json())
        .body(text)
}

fn list<T: Serialize>(
    table: &str,
    listing: Listing,
    found: impl Iterator<Item = T>,
    request: &HttpRequest,
    query: &Query<'_>,
) -> Answer {
    let page = listing.page(found);
    let headers = page.headers(table, request.path(), query);
    let mut response = json(&page.items)?;
    let values = [
        (TOTAL_COUNT, Some(headers.total_count)),
        (CONTENT_RANGE, Some(headers.content_range)),
        (LINK, headers.link),
    ];
    for (name, value) in values {
        if let Some(value) = value.and_then(|value| value.parse().ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
