//! What the gateway answers when a request succeeded.

use std::sync::Arc;

use driver_types::{Interface, JsonText, ModuleId, SystemId};

use crate::model::{Entered, Event, MessageReply, ModulePath, Procedure, State, TokenReply};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A subject is followed.
    Following {
        /// Its present state, where the request wanted it here.
        snapshot: Vec<Event>,
    },
    /// A subject is no longer followed, or never was.
    Unfollowed,
    /// A function or a procedure returned.
    Result {
        /// What it returned.
        value: JsonText,
        /// The driver's HTTP-like response code, usually 200, as for procedures.
        code: u16,
    },
    /// What was asked of the building.
    Found(Found),
    /// The connection is in the topic.
    Entered(Entered),
    /// The connection is in the topic no longer, or never was.
    Left,
    /// A message was given to those in its topic, or an announcement to those who follow the bus.
    Published,
    /// What came of a request for tokens.
    Tokens(TokenReply),
    /// What came of a request about messages.
    Messages(MessageReply),
    /// The log of this module follows.
    Debugging(ModuleId),
    /// No more of that log follows.
    Ignored,
}

impl Reply {
    /// What a function has returned, and its response code; `None` for the answer to any other request.
    pub fn returned(&self) -> Option<(&JsonText, u16)> {
        match self {
            Self::Result { value, code } => Some((value, *code)),
            Self::Following { .. }
            | Self::Unfollowed
            | Self::Found(_)
            | Self::Entered(_)
            | Self::Left
            | Self::Published
            | Self::Tokens(_)
            | Self::Messages(_)
            | Self::Debugging(_)
            | Self::Ignored => None,
        }
    }
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// These systems.
    Systems(Vec<SystemId>),
    /// These modules, each by its place in the system.
    Modules(Vec<(ModulePath, ModuleId)>),
    /// These statuses of a module.
    Statuses(State),
    /// These functions of a module.
    Functions(Arc<Interface>),
    /// These values, as a new follower of the modules would be told them. Each module says at least whether it is connected.
    Snapshot(Vec<Event>),
    /// These procedures.
    Procedures(Vec<Arc<Procedure>>),
}
