//! Finds the entries that a path names, and which of them a caller may see. The policy is the core's, and the same for the websocket.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use crate::core::{Caller, Directory, Liveness, ModuleAccess, ModuleEntry};
use crate::dialects::placeos::rest::{Condition, module_slug};
use crate::model::{
    CredentialId, Failure, FailureKind, KeyId, Module, ModuleId, ModulePath, State, System,
    SystemId, User, UserId, Zone, ZoneId,
};
use crate::server::ServerState;
use crate::server::http::kit::RequestContext;
use crate::server::http::placeos::HttpRejection;
use crate::server::http::placeos::rejections::{bad_request, not_found};

/// The domain that was asked: `Host` without its port.
pub(super) fn domain(request: &HttpRequest) -> &str {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A system by its id, or by its email as some clients ask.
pub(super) fn find_system<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    asked: &str,
) -> Result<&'a System, HttpRejection> {
    let id = system_id(directory, asked)?;
    context.state.core.access.may_see(&context.caller, &id)?;
    directory
        .system(&id)
        .ok_or_else(|| not_found(&format!("system {id}")))
}

fn system_id(directory: &Directory, asked: &str) -> Result<SystemId, HttpRejection> {
    if asked.contains('@')
        && let Some(system) = directory.systems().find(|system| has_email(system, asked))
    {
        return Ok(system.id.clone());
    }
    SystemId::new(asked).map_err(bad_request)
}

/// Whether a system has this address, in any case.
pub(super) fn has_email(system: &System, asked: &str) -> bool {
    let email = system.email.as_deref();
    email.is_some_and(|email| email.eq_ignore_ascii_case(asked.trim()))
}

/// A module as a path names it: `Display_2` of a system.
pub(super) fn place(
    context: &RequestContext,
    system: &str,
    module: &str,
) -> Result<ModulePath, HttpRejection> {
    let (name, index) = module_slug(module).ok_or_else(no_such_module)?;
    Ok(ModulePath {
        system: system_id(&context.directory(), system)?,
        module: name,
        index,
    })
}

/// A module of the building by its id, for a caller who may have that access to it.
pub(super) fn find_module<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    asked: &str,
    access: ModuleAccess,
) -> Result<&'a ModuleEntry, HttpRejection> {
    let id = ModuleId::new(asked).map_err(bad_request)?;
    let RequestContext { state, caller, .. } = context;
    let address = id.clone().into();
    state.core.resolver.authorize(caller, &address, access)?;
    directory.module(&id).ok_or_else(no_such_module)
}

/// A module by its id, of the building or of the store of several nodes.
pub(super) async fn find_anywhere(
    context: &RequestContext,
    asked: &str,
    access: ModuleAccess,
) -> Result<ModuleId, HttpRejection> {
    let id = ModuleId::new(asked).map_err(bad_request)?;
    let RequestContext { state, caller, .. } = context;
    Ok(state
        .core
        .resolver
        .resolve_anywhere(caller, &id.into(), access)
        .await?)
}

/// The systems through which a caller sees a module.
pub(super) fn systems_around<'a>(
    caller: &Caller,
    directory: &'a Directory,
    module: &ModuleId,
) -> impl Iterator<Item = &'a System> {
    directory
        .systems_of(module)
        .filter(|system| caller.reaches(system))
}

/// Whether a caller sees a module. A module that stands in no system is seen by callers without restriction.
pub(super) fn sees_module(caller: &Caller, directory: &Directory, module: &ModuleId) -> bool {
    !caller.is_restricted() || systems_around(caller, directory, module).next().is_some()
}

/// A zone by its id. To a restricted key one that is not there looks like one that is out of reach.
pub(super) fn find_zone<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    asked: &str,
) -> Result<&'a Zone, HttpRejection> {
    let zone = ZoneId::new(asked).ok().and_then(|id| directory.zone(&id));
    match zone {
        Some(zone) if sees_zone(&context.caller, directory, zone) => Ok(zone),
        None if !context.caller.is_restricted() => Err(not_found("zone")),
        Some(_) | None => Err(context.out_of_reach(asked)),
    }
}

/// A restricted key sees its own zones and those around the systems it reaches.
pub(super) fn sees_zone(caller: &Caller, directory: &Directory, zone: &Zone) -> bool {
    caller.reaches_zone(&zone.id)
        || directory
            .systems()
            .any(|system| system.zones.contains(&zone.id) && caller.reaches(system))
}

/// A restricted key sees its own user, and does not learn which others there are.
pub(super) fn sees_user(caller: &Caller, user: &UserId) -> bool {
    !caller.is_restricted() || caller.user().is_some_and(|own| own.id == *user)
}

/// A restricted key sees itself, and does not learn which others there are.
pub(super) fn sees_key(caller: &Caller, key: &KeyId) -> bool {
    let own = matches!(caller.credential(), CredentialId::Key(own) if own == key);
    !caller.is_restricted() || own
}

/// Refuses a restricted key what concerns the whole building.
pub(super) fn unrestricted(context: &RequestContext, what: &str) -> Result<(), HttpRejection> {
    match context.caller.is_restricted() {
        true => Err(context.out_of_reach(what)),
        false => Ok(()),
    }
}

/// The zones that a system is in, in its order.
pub(super) fn zones_of<'a>(
    directory: &'a Directory,
    system: &'a System,
) -> impl Iterator<Item = &'a Zone> {
    system.zones.iter().filter_map(|id| directory.zone(id))
}

/// There is no such module.
pub(super) fn no_such_module() -> HttpRejection {
    not_found("module")
}

/// All statuses of a module.
pub(super) async fn read_state(
    state: &ServerState,
    module: &ModuleId,
) -> Result<State, HttpRejection> {
    state.core.queries.state(module).await.ok_or_else(|| {
        HttpRejection::from(Failure::new(
            FailureKind::Unavailable,
            "the statuses cannot be read at the moment",
        ))
    })
}

/// The condition of a module: whether it is to run, whether a node runs it, and then its status `connected`, which every module has once its driver has started.
pub(super) async fn condition(state: &ServerState, module: &Module) -> Condition {
    if !module.is_to_run() {
        return Condition::Stopped;
    }
    let module = &module.id;
    let is_connected = match state.core.queries.liveness(module) {
        Liveness::Waiting => return Condition::Waiting,
        Liveness::Unreachable => return Condition::Unreachable,
        Liveness::Here(connected) => connected,
        Liveness::Elsewhere => {
            let Ok(values) = read_state(state, module).await else {
                return Condition::Unreachable;
            };
            let connected = values.iter().find(|(name, _)| name.is_connected());
            connected.is_some_and(|(_, value)| value.as_str() != "false")
        }
    };
    match is_connected {
        true => Condition::Connected,
        false => Condition::Disconnected,
    }
}

/// The user behind the credentials: PlaceOS's documents of users and keys have one.
pub(super) fn user_of(caller: &Caller) -> Result<&User, HttpRejection> {
    caller.user().ok_or_else(|| not_found("user"))
}
