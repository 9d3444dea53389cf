//! The audit log: who was refused what, and who called or debugged what, as structured events of the target `audit`.
//!
//! Refusals are warnings. Allowed requests are logged at debug level, because a busy building makes thousands of calls a second; `log = "info,audit=debug"` keeps them.
//! Ids and names only; never arguments, values or credentials.
//! Each refusal is an event here; how many of the same a log writes is the log's to say, since other rooms refuse too (`observability::repeats`).

use std::net::IpAddr;

use crate::core::access::policy::ModuleAccess;
use crate::core::access::principal::Caller;
use crate::core::access::sessions::SignInError;
use crate::model::{
    Differences, EntryId, ExecRequest, Failure, FunctionName, ModuleAddress, ModuleId, ModulePath,
    Query, Request, SessionId, Subject, UserId,
};

/// A caller calls a function or follows a log.
pub(in crate::core) fn allowed(who: &Caller, what: &Request) {
    match what {
        Request::Call(exec) | Request::CallOnce { call: exec, .. } => match &exec.module {
            ModuleAddress::Place(place) => tracing::debug!(
                target: "audit",
                user = %who.identity(), key = %who.credential(), address = %who.address(), command = "exec",
                system = %place.system, module = %place.module, index = %place.index,
                name = %exec.function,
                "allowed"
            ),
            ModuleAddress::Id { id, .. } => tracing::debug!(
                target: "audit",
                user = %who.identity(), key = %who.credential(), address = %who.address(), command = "exec",
                module = %id, name = %exec.function,
                "allowed"
            ),
        },
        Request::Debug(target) => tracing::debug!(
            target: "audit",
            user = %who.identity(), key = %who.credential(), address = %who.address(), command = "debug",
            module = ?target,
            "allowed"
        ),
        Request::Follow { subject, .. } => match subject {
            Subject::Log(module) => tracing::debug!(
                target: "audit",
                user = %who.identity(), key = %who.credential(), address = %who.address(), command = "debug",
                %module,
                "allowed"
            ),
            Subject::Status(_)
            | Subject::Module(_)
            | Subject::Directory
            | Subject::Bus
            | Subject::Announced(_)
            | Subject::Calls
            | Subject::Topic(_)
            | Subject::Service(_)
            | Subject::Device(_) => {}
        },
        Request::Unfollow { .. }
        | Request::Query(_)
        | Request::Enter(_)
        | Request::Leave(_)
        | Request::Publish(_)
        // What its steps call is written down when they do.
        | Request::Run(_)
        | Request::Announce { .. }
        | Request::Custom { .. }
        // What is made and ended is written down when it is.
        | Request::Tokens(_)
        | Request::Messages(_)
        | Request::Ignore(_) => {}
    }
}

/// A known caller was refused.
pub(in crate::core) fn refused(who: &Caller, what: &Request, failure: &Failure) {
    match what {
        Request::Follow { subject, .. } => refused_subject(who, "bind", subject, failure),
        Request::Unfollow { subject, .. } => refused_subject(who, "unbind", subject, failure),
        Request::Call(exec) | Request::CallOnce { call: exec, .. } => {
            refused_exec(who, exec, failure);
        }
        Request::Query(query) => match query {
            Query::Systems | Query::Snapshot(_) | Query::Value(_) | Query::Procedures => {
                out_of_reach(who, "", failure);
            }
            Query::Modules(system) => out_of_reach(who, system.as_str(), failure),
            Query::Statuses(path) => place(who, "statuses", path, "", failure),
            Query::Functions(path) => place(who, "functions", path, "", failure),
        },
        Request::Enter(entry) => channel(who, "enter", entry.topic.as_str(), failure),
        Request::Leave(topic) => channel(who, "leave", topic.as_str(), failure),
        Request::Publish(publication) => {
            channel(who, "publish", publication.topic.as_str(), failure);
        }
        Request::Announce { name, .. } => channel(who, "announce", name, failure),
        Request::Run(run) => channel(who, "run", run.procedure.as_str(), failure),
        Request::Custom { command, .. } => channel(who, "command", command, failure),
        Request::Tokens(request) => channel(who, "tokens", request.as_str(), failure),
        // The id of a device is what opens its messages.
        Request::Messages(_) => channel(who, "messages", "", failure),
        Request::Debug(module) => addressed(who, "debug", module, "log", failure),
        Request::Ignore(module) => addressed(who, "ignore", module, "log", failure),
    }
}

/// A caller may not do this with a module.
pub(in crate::core) fn refused_access(
    who: &Caller,
    module: &ModuleAddress,
    access: ModuleAccess,
    failure: &Failure,
) {
    addressed(who, access.as_str(), module, "", failure);
}

/// A caller may not call a function.
pub(in crate::core) fn refused_exec(who: &Caller, exec: &ExecRequest, failure: &Failure) {
    addressed(who, "exec", &exec.module, exec.function.as_str(), failure);
}

/// A known caller may not do this with a module that is named by its id.
pub(in crate::core) fn refused_by_id(
    who: &Caller,
    command: &str,
    module: &ModuleId,
    name: &str,
    failure: &Failure,
) {
    tracing::warn!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command,
        module = %module, name, reason = failure.message(),
        "refused"
    );
}

/// A known caller sent a command that no dialect knows.
pub(in crate::core) fn unknown_command(who: &Caller, command: &str) {
    tracing::warn!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command,
        "refused: unknown command"
    );
}

/// A client showed credentials that are not good.
pub(in crate::core) fn not_known(address: IpAddr, key: &str, failure: &Failure) {
    tracing::warn!(target: "audit", %address, key, reason = failure.message(), "refused: unknown credentials");
}

/// A client showed no credentials: an ordinary first step of a browser and not worth more than a debug line.
pub(in crate::core) fn nothing_shown(address: IpAddr) {
    tracing::debug!(target: "audit", %address, "refused: no credentials");
}

/// A client asks as another node does, and is none.
pub(in crate::core) fn not_a_node(address: IpAddr, showed_something: bool) {
    let reason = match showed_something {
        true => "this is not the cluster's secret",
        false => "no secret was shown",
    };
    tracing::warn!(target: "audit", %address, reason, "refused: not a node of the cluster");
}

/// Another node calls a function of a module that runs here, for one of its users.
pub(in crate::core) fn allowed_for_node(
    address: IpAddr,
    user: Option<&UserId>,
    module: &ModuleId,
    function: &FunctionName,
) {
    let user = user.map_or("an unknown user", UserId::as_str);
    tracing::debug!(
        target: "audit",
        %user, node = %address, command = "exec", module = %module, name = %function,
        "allowed"
    );
}

/// Another node calls a function for a user who may not call it.
pub(in crate::core) fn refused_for_node(
    address: IpAddr,
    user: Option<&UserId>,
    module: &ModuleId,
    function: &FunctionName,
    failure: &Failure,
) {
    let user = user.map_or("an unknown user", UserId::as_str);
    tracing::warn!(
        target: "audit",
        %user, node = %address, command = "exec", module = %module, name = %function,
        reason = failure.message(),
        "refused"
    );
}

/// Another node listens to the log of a module that runs here.
pub(in crate::core) fn listened(address: IpAddr, module: &ModuleId) {
    tracing::debug!(target: "audit", node = %address, command = "debug", module = %module, "allowed");
}

/// A user has signed in.
pub(in crate::core) fn signed_in(address: IpAddr, user: &UserId, how: &str) {
    tracing::info!(target: "audit", %user, %address, command = "sign in", how, "allowed");
}

/// A sign-in failed. The typed name is logged only when a user has it, because it may be a password in the wrong field.
pub(in crate::core) fn not_signed_in(
    address: IpAddr,
    user: Option<&UserId>,
    failure: &SignInError,
) {
    let user = user.map_or("an unknown user", UserId::as_str);
    tracing::warn!(target: "audit", %user, %address, command = "sign in", reason = %failure, "refused");
}

/// A user has signed out.
pub(in crate::core) fn signed_out(who: &Caller) {
    tracing::info!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command = "sign out",
        "allowed"
    );
}

/// A caller made a token for another program.
pub(in crate::core) fn minted(who: &Caller, what: &str) {
    tracing::info!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command = "make", what,
        "allowed"
    );
}

/// A caller signed an address for another program. Pages do so for each picture, so it is a debug line.
pub(in crate::core) fn signed(who: &Caller) {
    tracing::debug!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command = "sign",
        "allowed"
    );
}

/// A caller ended a token of their user.
pub(in crate::core) fn ended_token(who: &Caller, token: SessionId) {
    tracing::info!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command = "end a token", %token,
        "allowed"
    );
}

/// A known caller does not reach a system.
pub(in crate::core) fn out_of_reach(who: &Caller, system: &str, failure: &Failure) {
    tracing::warn!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), system,
        reason = failure.message(),
        "refused"
    );
}

/// A caller has changed the building.
pub(in crate::core) fn edited(who: &Caller, differences: &Differences) {
    for (difference, entry) in &differences.0 {
        tracing::info!(
            target: "audit",
            user = %who.identity(), key = %who.credential(), address = %who.address(), command = "edit",
            difference = difference.as_str(), %entry,
            "allowed"
        );
    }
}

/// Services were made, edited or deleted over their own door.
pub(in crate::core) fn edited_service(name: &str, address: IpAddr, differences: &Differences) {
    for (difference, entry) in &differences.0 {
        tracing::info!(
            target: "audit",
            user = name, %address, command = "edit", difference = difference.as_str(), %entry,
            "allowed"
        );
    }
}

/// A caller has read the whole building.
pub(in crate::core) fn exported(who: &Caller) {
    tracing::info!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command = "export",
        "allowed"
    );
}

/// A known caller may not make this change of the building.
pub(in crate::core) fn refused_edit(who: &Caller, entry: &EntryId, failure: &Failure) {
    tracing::warn!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command = "edit",
        %entry, reason = failure.message(),
        "refused"
    );
}

/// A building file has changed the building. A file may name thousands of entries, so each is a debug line.
pub(in crate::core) fn applied(differences: &Differences) {
    for (difference, entry) in &differences.0 {
        tracing::debug!(
            target: "audit",
            command = "apply", difference = difference.as_str(), %entry,
            "the building file was applied"
        );
    }
}

fn place(who: &Caller, command: &str, module: &ModulePath, name: &str, failure: &Failure) {
    tracing::warn!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command,
        system = %module.system, module = %module.module, index = %module.index, name,
        reason = failure.message(),
        "refused"
    );
}

fn refused_subject(who: &Caller, command: &str, subject: &Subject, failure: &Failure) {
    match subject {
        Subject::Status(path) => place(who, command, &path.module, path.status.as_str(), failure),
        Subject::Module(path) => place(who, command, path, "", failure),
        Subject::Log(module) => refused_by_id(who, command, module, "log", failure),
        Subject::Directory => channel(who, command, "the building", failure),
        Subject::Bus | Subject::Announced(_) => channel(who, command, "the bus", failure),
        Subject::Calls => channel(who, command, "calls", failure),
        Subject::Topic(topic) => channel(who, command, topic.as_str(), failure),
        Subject::Service(_) => channel(who, command, "the messages of a service", failure),
        Subject::Device(_) => channel(who, command, "the messages to a device", failure),
    }
}

fn channel(who: &Caller, command: &str, name: &str, failure: &Failure) {
    tracing::warn!(
        target: "audit",
        user = %who.identity(), key = %who.credential(), address = %who.address(), command,
        name, reason = failure.message(),
        "refused"
    );
}

fn addressed(who: &Caller, command: &str, module: &ModuleAddress, name: &str, failure: &Failure) {
    match module {
        ModuleAddress::Place(path) => place(who, command, path, name, failure),
        ModuleAddress::Id { id, .. } => refused_by_id(who, command, id, name, failure),
    }
}
