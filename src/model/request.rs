//! What a client may ask, whatever dialect it speaks.

use std::sync::Arc;

use driver_types::{FunctionName, JsonText, ModuleId, SystemId};

use crate::model::{
    BindingPath, FollowId, MessageRequest, ModulePath, Publication, RunRequest, Subject,
    TokenRequest, TopicEntry, TopicId,
};

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
    Call(ExecRequest),
    /// The same, but once: where a call of this name was made a moment ago, its answer is given, and nothing is called.
    CallOnce {
        /// The call's name.
        key: CallKey,
        /// The call.
        call: ExecRequest,
    },
    /// Run a procedure with my rights.
    Run(RunRequest),
    /// Tell me what there is.
    Query(Query),
    /// Let me into a topic, and send me from the answer on what happens to it. Entered again, it adds nothing.
    /// Where many nodes share a topic, the answer comes when all of them count this connection.
    Enter(TopicEntry),
    /// Let me out of a topic.
    Leave(TopicId),
    /// Send a message to those in a topic.
    Publish(Publication),
    /// Announce something by name to those who follow the bus.
    Announce {
        /// Its name.
        name: Arc<str>,
        /// What belongs to it.
        data: JsonText,
        /// The id of the act that this is.
        act: u128,
    },
    /// Have the program around the gateway answer a message of its own.
    Custom {
        /// Which command it is.
        command: Arc<str>,
        /// What it says: an object.
        fields: JsonText,
    },
    /// Make, list or end tokens for other programs.
    Tokens(TokenRequest),
    /// Look after the messages of a device.
    Messages(MessageRequest),
    /// Send me the log of a module that has to be found first, here or on other nodes.
    Debug(ModuleAddress),
    /// Send me nothing more of it.
    Ignore(ModuleAddress),
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
    /// What one status says now, for a client that is told whether there is a value before it comes. The answer is a snapshot: empty where there is none, or the status may not be read.
    Value(Arc<BindingPath>),
    /// What a module can be asked to do.
    Functions(ModulePath),
    /// What all statuses of these modules say at one moment, for a client that follows none of them. Modules that are not there or may not be read are left out.
    Snapshot(Vec<Arc<ModulePath>>),
    /// Which procedures there are.
    Procedures,
}

/// One call of a function, in the one shape that it has from the door where it is read to the module, or to the node that runs the module.
///
/// The caller and the deadline go beside it: a dialect reads the call and knows neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecRequest {
    /// The module, as the caller names it.
    pub module: ModuleAddress,
    /// The function.
    pub function: FunctionName,
    /// A JSON array (positional arguments) or object (named arguments).
    pub arguments: JsonText,
    /// The id of the act that the call belongs to, where the client has to know it; else it is that of the call in which this one is made, or one is drawn.
    pub act: Option<u128>,
}

/// What a caller calls a call, to be able to ask for it again. On each node by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallKey {
    /// Whose calls have names of their own: a user's by whatever connections, or those of one connection.
    pub caller: Arc<str>,
    /// What the caller calls this one.
    pub name: Arc<str>,
}

/// How a caller names a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleAddress {
    /// By its place in a system.
    Place(ModulePath),
    /// By its id, with the system that the client said beside it, if it said one.
    Id {
        /// The module.
        id: ModuleId,
        /// What stood in the request; it does not narrow the address.
        system: Option<SystemId>,
    },
}

impl From<ModulePath> for ModuleAddress {
    fn from(place: ModulePath) -> Self {
        Self::Place(place)
    }
}

impl From<ModuleId> for ModuleAddress {
    fn from(id: ModuleId) -> Self {
        Self::Id { id, system: None }
    }
}
