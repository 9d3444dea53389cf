//! What a principal may do. REST and every dialect ask here, so the answers are the same at each door.

use crate::core::access::principal::Principal;
use crate::core::directory::Directory;
use crate::model::{
    Change, Clearance, DebugTarget, Edit, Entry, EntryId, Failure, FailureKind, ModuleId,
    ModuleName, ModulePath, Query, Request, Scope, Subject, SystemId,
};

/// Whether a request may be made at all. What depends on the function called is the module's to say.
pub(in crate::core) fn may_request(
    directory: &Directory,
    who: &Principal,
    request: &Request,
) -> Result<(), Failure> {
    match request {
        Request::Follow { subject, .. } => may_follow(directory, who, subject),
        Request::Unfollow { subject, .. } => may_unfollow(directory, who, subject),
        Request::Call(call) => may_see(directory, who, &call.module.system),
        Request::Query(query) => match query {
            // The answer holds what is within reach.
            Query::Systems => Ok(()),
            Query::Modules(system) => may_see(directory, who, system),
            Query::Statuses(path) | Query::Functions(path) => may_read(directory, who, path),
        },
        Request::Publish { .. } => may_have_channels(who),
        Request::Debug(target) => {
            may_debug(who)?;
            may_find(directory, who, target)
        }
        // Whoever has nothing to ignore may say so.
        Request::Ignore(target) => may_find(directory, who, target),
    }
}

fn may_follow(directory: &Directory, who: &Principal, subject: &Subject) -> Result<(), Failure> {
    match subject {
        Subject::Status(path) => may_read(directory, who, &path.module),
        Subject::Module(path) => may_read(directory, who, path),
        Subject::Log(module) => {
            may_debug(who)?;
            may_reach(directory, who, module)
        }
        Subject::Directory | Subject::Bus | Subject::Topic(_) => may_have_channels(who),
    }
}

fn may_unfollow(directory: &Directory, who: &Principal, subject: &Subject) -> Result<(), Failure> {
    match subject {
        Subject::Status(path) => may_see(directory, who, &path.module.system),
        Subject::Module(path) => may_see(directory, who, &path.system),
        Subject::Log(module) => may_reach(directory, who, module),
        Subject::Directory | Subject::Bus | Subject::Topic(_) => Ok(()),
    }
}

fn may_debug(who: &Principal) -> Result<(), Failure> {
    if who.clearance() < Clearance::Support {
        return Err(forbidden("debugging needs support clearance"));
    }
    Ok(())
}

/// What is of the whole building is for those who are not restricted to a part of it.
fn may_have_channels(who: &Principal) -> Result<(), Failure> {
    if who.is_restricted() {
        return Err(forbidden("a key for some systems may not do this"));
    }
    Ok(())
}

fn may_find(directory: &Directory, who: &Principal, target: &DebugTarget) -> Result<(), Failure> {
    match target {
        DebugTarget::Path(path) => may_see(directory, who, &path.system),
        DebugTarget::Module { id, .. } => may_reach(directory, who, id),
    }
}

/// Whether a system is within reach. One that is not in the directory is within reach of those who are not restricted.
pub(in crate::core) fn may_see(
    directory: &Directory,
    who: &Principal,
    system: &SystemId,
) -> Result<(), Failure> {
    let reached = !who.is_restricted()
        || directory
            .system(system)
            .is_some_and(|system| who.reaches(system));
    if reached {
        Ok(())
    } else {
        Err(forbidden("this key does not reach that system"))
    }
}

/// Whether a module stands in a system that is within reach.
pub(in crate::core) fn may_reach(
    directory: &Directory,
    who: &Principal,
    module: &ModuleId,
) -> Result<(), Failure> {
    let reached = !who.is_restricted()
        || directory
            .systems_of(module)
            .any(|system| who.reaches(system));
    if reached {
        Ok(())
    } else {
        Err(forbidden("this key does not reach that module"))
    }
}

/// Whether the functions and statuses of the module at a place may be read.
pub(in crate::core) fn may_read(
    directory: &Directory,
    who: &Principal,
    place: &ModulePath,
) -> Result<(), Failure> {
    may_see(directory, who, &place.system)?;
    may_look_into(who, &place.module)
}

/// Modules whose name begins with `_` are the engine's own: PlaceOS shows them to support staff only.
fn may_look_into(who: &Principal, module: &ModuleName) -> Result<(), Failure> {
    if module.as_str().starts_with('_') && who.clearance() < Clearance::Support {
        return Err(forbidden("attempted to access protected module"));
    }
    Ok(())
}

/// Whether the building may be edited so.
///
/// Administrators may do everything, but make no key that opens more than their own credentials. Support staff may make and change zones and systems, and take zones away.
/// Metadata may be changed by support staff, by members of the groups that it names as its editors, and by users whose own it is.
pub(in crate::core) fn may_edit(
    directory: &Directory,
    who: &Principal,
    edit: &Edit,
) -> Result<(), Failure> {
    unrestricted(who)?;
    match (edit.id(), &edit.change) {
        (EntryId::Metadata(id), _) => {
            let groups = &who.user().groups;
            let is_editor = directory.metadata_by_id(&id).is_some_and(|metadata| {
                metadata.editors.iter().any(|group| groups.contains(group))
            });
            if is_editor || who.user().id.as_str() == id.parent.as_str() {
                return Ok(());
            }
            at_least(who, Clearance::Support)
        }
        (EntryId::Zone(_), _) | (EntryId::System(_), Change::Put(_)) => {
            at_least(who, Clearance::Support)
        }
        (EntryId::ApiKey(_), Change::Put(entry)) => {
            at_least(who, Clearance::Admin)?;
            may_give(who, entry)
        }
        (EntryId::System(_), Change::Delete(_))
        | (EntryId::Module(_) | EntryId::User(_) | EntryId::ApiKey(_), _) => {
            at_least(who, Clearance::Admin)
        }
    }
}

/// Nobody makes a key that opens more of the API than their own credentials.
fn may_give(who: &Principal, entry: &Entry) -> Result<(), Failure> {
    let Entry::ApiKey(key) = entry else {
        return Ok(());
    };
    let has = |scope: &Scope| who.scopes().iter().any(|own| own.covers(scope));
    if key.scopes.iter().all(has) {
        return Ok(());
    }
    Err(forbidden(
        "a key opens no more than the credentials that it is made with",
    ))
}

/// Whether the whole building may be read and replaced, secrets of devices included.
pub(in crate::core) fn may_have_building(who: &Principal) -> Result<(), Failure> {
    unrestricted(who)?;
    at_least(who, Clearance::Admin)
}

fn unrestricted(who: &Principal) -> Result<(), Failure> {
    if who.is_restricted() {
        return Err(forbidden(
            "a key for some systems may not change the building",
        ));
    }
    Ok(())
}

fn at_least(who: &Principal, clearance: Clearance) -> Result<(), Failure> {
    if who.clearance() >= clearance {
        Ok(())
    } else {
        Err(forbidden("changing the building needs a higher clearance"))
    }
}

fn forbidden(message: &str) -> Failure {
    Failure::new(FailureKind::Forbidden, message).with_response_code(403)
}
