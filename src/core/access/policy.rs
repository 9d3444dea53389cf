//! What a policy means for requests and edits. REST and every dialect ask here, so their answers are the same.
//!
//! The policy alone decides: who the caller is makes no difference.

use crate::core::access::permissions::{Target, clearance_for};
use crate::core::access::reach::{may_reach, may_see};
use crate::core::access::rights::{Member, Policy};
use crate::core::directory::Directory;
use crate::model::{
    Change, Clearance, DeviceId, Edit, Entry, EntryId, Failure, FailureKind, ModuleAddress,
    ModuleName, ModulePath, Query, Request, Subject, TopicId,
};

/// What a caller wants of a module, which says what rights are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleAccess {
    /// To name it: to find out whether it is there, or to end what follows it.
    See,
    /// To read its functions and statuses.
    Read,
    /// To call a function. The clearance of the function is for the module to look at.
    Exec,
    /// To follow its log.
    Log,
    /// To act on it by other means than a call, or to read what its driver wrote.
    Tend,
}

impl ModuleAccess {
    /// Its name in the audit log.
    pub(in crate::core) fn as_str(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Read => "read",
            Self::Exec => "exec",
            Self::Log => "debug",
            Self::Tend => "tend",
        }
    }
}

/// With what clearance a caller acts on a module, or that the caller may not do this with it. The one decision for every way in.
pub(in crate::core) fn may_access(
    directory: &Directory,
    policy: &Policy,
    module: &ModuleAddress,
    access: ModuleAccess,
) -> Result<Clearance, Failure> {
    if access == ModuleAccess::Log {
        may_debug(policy)?;
    }
    may_find(directory, policy, module)?;
    match (access, module) {
        (ModuleAccess::Read, ModuleAddress::Place(place)) => {
            may_look_into(policy, &place.module).map(|()| policy.level())
        }
        (ModuleAccess::Read, ModuleAddress::Id { .. }) | (ModuleAccess::See, _) => {
            Ok(policy.level())
        }
        (ModuleAccess::Exec | ModuleAccess::Log | ModuleAccess::Tend, _) => {
            clearance_for(directory, policy, Target::of(module))
        }
    }
}

/// Whether a request may be made at all. What depends on the function called is the module's to say.
pub(in crate::core) fn may_request(
    directory: &Directory,
    policy: &Policy,
    request: &Request,
) -> Result<(), Failure> {
    match request {
        Request::Follow { subject, .. } => may_follow(directory, policy, subject),
        Request::Unfollow { subject, .. } => may_unfollow(directory, policy, subject),
        Request::Call(exec) | Request::CallOnce { call: exec, .. } => {
            may_find(directory, policy, &exec.module)
        }
        Request::Query(query) => match query {
            // The answer holds what is within reach.
            Query::Systems | Query::Snapshot(_) | Query::Value(_) | Query::Procedures => Ok(()),
            Query::Modules(system) => may_see(directory, policy, system),
            Query::Statuses(path) | Query::Functions(path) => may_read(directory, policy, path),
        },
        Request::Enter(entry) => may_use(policy, &entry.topic),
        Request::Leave(_) => Ok(()),
        // Each of its steps is asked for with the same rights.
        Request::Run(_) => Ok(()),
        Request::Publish(publication) => may_use(policy, &publication.topic),
        Request::Announce { .. } | Request::Custom { .. } | Request::Tokens(_)
            if policy.is_restricted() =>
        {
            Err(restricted())
        }
        Request::Announce { .. } | Request::Custom { .. } | Request::Tokens(_) => Ok(()),
        Request::Messages(request) => may_read_messages_of(policy, request.device()),
        Request::Debug(module) => {
            may_access(directory, policy, module, ModuleAccess::Log).map(drop)
        }
        // An ignore of a log that the caller does not follow does no harm.
        Request::Ignore(target) => may_find(directory, policy, target),
    }
}

/// Whether a subject may be followed, and go on being followed.
pub(in crate::core) fn may_follow(
    directory: &Directory,
    policy: &Policy,
    subject: &Subject,
) -> Result<(), Failure> {
    match subject {
        Subject::Status(path) if policy.shows_public() && directory.is_public(path) => Ok(()),
        Subject::Status(path) => may_read(directory, policy, &path.module),
        Subject::Module(path) => may_read(directory, policy, path),
        Subject::Log(module) => {
            may_debug(policy)?;
            clearance_for(directory, policy, Target::Module(module)).map(drop)
        }
        Subject::Directory | Subject::Bus | Subject::Announced(_) | Subject::Calls
            if policy.is_restricted() =>
        {
            Err(restricted())
        }
        Subject::Directory | Subject::Bus | Subject::Announced(_) => Ok(()),
        // Of every room, whatever its zones say, and with what is given.
        Subject::Calls if policy.level() < Clearance::Admin => {
            Err(forbidden("following calls needs an administrator"))
        }
        Subject::Calls => Ok(()),
        Subject::Topic(topic) => may_use(policy, topic),
        Subject::Service(_) if policy.reads_messages() => Ok(()),
        Subject::Service(_) => Err(forbidden("these credentials open no messages")),
        Subject::Device(device) => may_read_messages_of(policy, device),
    }
}

fn may_unfollow(directory: &Directory, policy: &Policy, subject: &Subject) -> Result<(), Failure> {
    match subject {
        Subject::Status(path) if policy.shows_public() && directory.is_public(path) => Ok(()),
        Subject::Status(path) => may_see(directory, policy, &path.module.system),
        Subject::Module(path) => may_see(directory, policy, &path.system),
        Subject::Log(module) => may_reach(directory, policy, module),
        Subject::Directory
        | Subject::Bus
        | Subject::Announced(_)
        | Subject::Calls
        | Subject::Topic(_)
        | Subject::Service(_)
        | Subject::Device(_) => Ok(()),
    }
}

fn may_debug(policy: &Policy) -> Result<(), Failure> {
    if policy.level() < Clearance::Support {
        return Err(forbidden("debugging needs support clearance"));
    }
    Ok(())
}

fn may_use(policy: &Policy, topic: &TopicId) -> Result<(), Failure> {
    if topic.is_bus() {
        return Err(forbidden(
            "that topic is riser's own; announce an event, or follow the bus",
        ));
    }
    if !policy.may_use(topic) {
        return Err(forbidden("these credentials do not open that topic"));
    }
    Ok(())
}

fn may_read_messages_of(policy: &Policy, device: &DeviceId) -> Result<(), Failure> {
    if !policy.reads_messages_of(device) {
        return Err(forbidden(
            "these credentials do not open the messages to that device",
        ));
    }
    Ok(())
}

fn may_find(directory: &Directory, policy: &Policy, module: &ModuleAddress) -> Result<(), Failure> {
    match module {
        ModuleAddress::Place(path) => may_see(directory, policy, &path.system),
        ModuleAddress::Id { id, .. } => may_reach(directory, policy, id),
    }
}

/// Whether the functions and statuses of the module at a place may be read.
fn may_read(directory: &Directory, policy: &Policy, place: &ModulePath) -> Result<(), Failure> {
    may_see(directory, policy, &place.system)?;
    may_look_into(policy, &place.module)
}

/// Modules whose name begins with `_` are the engine's own, for support staff only.
fn may_look_into(policy: &Policy, module: &ModuleName) -> Result<(), Failure> {
    if module.as_str().starts_with('_') && policy.level() < Clearance::Support {
        return Err(refusal(
            FailureKind::ProtectedModule,
            "only support staff may look into that module",
        ));
    }
    Ok(())
}

/// Whether such an edit is one to be planned. What it comes to is looked at when that is known, by `changes.rs`.
pub(in crate::core) fn may_edit(
    directory: &Directory,
    policy: &Policy,
    edit: &Edit,
) -> Result<(), Failure> {
    match &edit.change {
        Change::Put(entry) => {
            if let Entry::Module(after) = &**entry
                && let Some(before) = directory.module(&after.id)
                && before.module.differs_in_running(after)
            {
                return may_switch(policy);
            }
            may_ask(directory, policy, &edit.id(), true)?;
            may_give(policy, entry)
        }
        Change::Delete(id) => may_ask(directory, policy, id, false),
    }
}

/// Whether a module may be started or stopped, which support staff may do.
pub(super) fn may_switch(policy: &Policy) -> Result<(), Failure> {
    unrestricted(policy)?;
    at_least(policy, Clearance::Support)
}

/// Whether an entry may be changed at all: put, when it `stays`, or else taken away.
///
/// Administrators may do everything. Support staff may make and change zones and systems, and take zones away.
/// Metadata may be changed by support staff, by members of the groups that it names as its editors, and by users whose own it is.
pub(super) fn may_ask(
    directory: &Directory,
    policy: &Policy,
    id: &EntryId,
    stays: bool,
) -> Result<(), Failure> {
    unrestricted(policy)?;
    match id {
        EntryId::Metadata(id) => {
            let metadata = directory.metadata_by_id(id);
            let is_editor = |member: &Member| {
                let groups = member.groups(directory);
                metadata.is_some_and(|metadata| {
                    metadata.editors.iter().any(|group| groups.contains(group))
                })
            };
            let owns = |member: &Member| {
                let user = member.user();
                user.is_some_and(|user| user.as_str() == id.parent.as_str())
            };
            let mut members = policy.rights().iter().map(|rights| &rights.member);
            if members.all(|member| is_editor(member) || owns(member)) {
                return Ok(());
            }
            at_least(policy, Clearance::Support)
        }
        EntryId::Zone(_) => at_least(policy, Clearance::Support),
        EntryId::System(_) if stays => at_least(policy, Clearance::Support),
        EntryId::System(_)
        | EntryId::Module(_)
        | EntryId::User(_)
        | EntryId::ApiKey(_)
        | EntryId::Entity(_)
        | EntryId::Command(_)
        | EntryId::App(_)
        | EntryId::Service(_)
        | EntryId::Procedure(_)
        | EntryId::Hook(_)
        | EntryId::Trigger(_) => at_least(policy, Clearance::Admin),
    }
}

/// A caller may not make a key that opens more of the API than the caller's own credentials.
fn may_give(policy: &Policy, entry: &Entry) -> Result<(), Failure> {
    let Entry::ApiKey(key) = entry else {
        return Ok(());
    };
    if policy.may_mint(&Policy::of_key(key, key.level)) {
        return Ok(());
    }
    Err(opens_too_much())
}

pub(super) fn opens_too_much() -> Failure {
    forbidden("this would open more than the credentials that it is made with")
}

/// Whether the whole building may be read and replaced, secrets of devices included.
pub(in crate::core) fn may_have_building(policy: &Policy) -> Result<(), Failure> {
    unrestricted(policy)?;
    at_least(policy, Clearance::Admin)
}

fn unrestricted(policy: &Policy) -> Result<(), Failure> {
    if policy.is_restricted() {
        return Err(restricted());
    }
    Ok(())
}

fn at_least(policy: &Policy, clearance: Clearance) -> Result<(), Failure> {
    if policy.level() >= clearance {
        Ok(())
    } else {
        Err(forbidden("changing the building needs a higher clearance"))
    }
}

fn restricted() -> Failure {
    refusal(
        FailureKind::Restricted,
        "credentials for some systems may not do this",
    )
}

fn forbidden(message: &str) -> Failure {
    refusal(FailureKind::Forbidden, message)
}

fn refusal(kind: FailureKind, message: &str) -> Failure {
    Failure::new(kind, message).with_response_code(403)
}
