//! What a client may ask, whatever dialect it speaks.

use driver_types::{FunctionName, JsonText, ModuleId, SystemId};

use crate::model::{ConnectionId, FollowId, ModulePath, Subject, TopicId};

/// The closed list of what can be asked. A new one is a to-do list written by the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Send me this subject and every change of it. Asked again with the same id it adds nothing, and the present state is sent again.
    Follow {
        /// Which follow of the subject: one connection may follow it several times, by several ids.
        id: FollowId,
        /// What is to be followed.
        subject: Subject,
        /// How the follower gets the present state.
        first: First,
    },
    /// Send me nothing more of it. The request names the subject again, so that its authorisation needs no memory of the follow.
    Unfollow {
        /// Which follow of the subject.
        id: FollowId,
        /// What was followed.
        subject: Subject,
    },
    /// Call a function of a module.
    Call(Call),
    /// Tell me what there is.
    Query(Query),
    /// Send a message to those who follow a topic.
    Publish {
        /// The topic.
        topic: TopicId,
        /// The message.
        message: JsonText,
        /// The connection that does not get it.
        except: Option<ConnectionId>,
    },
    /// Send me the log of a module that has to be found first, here or on other nodes.
    Debug(DebugTarget),
    /// Send me nothing more of it.
    Ignore(DebugTarget),
}

/// How a new follower gets the current state of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// As events, behind the reply.
    Events,
    /// In the reply, which then is the state at one moment.
    Reply,
}

/// What can be asked of the building. The answer holds what the caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Its systems.
    Systems,
    /// The modules of one system.
    Modules(SystemId),
    /// What all statuses of a module say now.
    Statuses(ModulePath),
    /// What a module can be asked to do.
    Functions(ModulePath),
}

/// One call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The module.
    pub module: ModulePath,
    /// The function.
    pub function: FunctionName,
    /// A JSON array (positional arguments) or object (named arguments).
    pub arguments: JsonText,
}

/// Whose log: engineers name a module by its place or by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebugTarget {
    /// By its place in a system.
    Path(ModulePath),
    /// By its id, with the system that the client said beside it, if it said one.
    Module {
        /// The module.
        id: ModuleId,
        /// What stood in the request; it does not narrow the target.
        system: Option<SystemId>,
    },
}
