//! How the core's answer becomes the output of an action.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::dialects::Surroundings;
use crate::dialects::platypush::actions::entity;
use crate::dialects::platypush::errors::ActionError;
use crate::model::{BindingPath, Event, Failure, Found, JsonText, Reply};

/// A way to read an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// What a function or a procedure has returned.
    Result,
    /// What all statuses of a module say.
    Statuses,
    /// What one status says.
    Status {
        /// The module.
        plugin: Arc<str>,
        /// The status.
        path: Arc<BindingPath>,
    },
    /// What all variables say.
    Variables,
    /// What one variable says.
    Variable {
        /// The status that it is.
        path: Arc<BindingPath>,
        /// What is put out where it says nothing.
        default: Option<JsonText>,
    },
    /// What several modules say, as entities.
    Entities,
}

impl Reading {
    /// Makes an output of an answer.
    pub fn output(
        &self,
        reply: Result<Reply, Failure>,
        surroundings: &Surroundings,
    ) -> Result<JsonText, ActionError> {
        let reply = reply?;
        match self {
            Self::Result => {
                let returned = reply.returned().map(|(value, _)| value.clone());
                returned.ok_or_else(ActionError::unexpected)
            }
            Self::Statuses => {
                let Some(Found::Statuses(state)) = found(reply) else {
                    return Err(ActionError::unexpected());
                };
                let state = state.iter().map(|(name, value)| (name.as_str(), value));
                json(&state.collect::<IndexMap<&str, &JsonText>>())
            }
            Self::Status { plugin, path } => {
                let Some(Found::Snapshot(events)) = found(reply) else {
                    return Err(ActionError::unexpected());
                };
                let value = events.iter().find_map(|event| value_of(event, path));
                value.ok_or_else(|| ActionError::NoSuch {
                    what: "status",
                    name: format!("{plugin}: {}", path.status),
                    near: entity::status_near(surroundings, path),
                })
            }
            Self::Variables => {
                let Some(Found::Statuses(state)) = found(reply) else {
                    return Err(ActionError::unexpected());
                };
                let state = state.iter().filter(|(name, _)| !name.is_connected());
                let state = state.map(|(name, value)| (name.as_str(), value));
                json(&state.collect::<IndexMap<&str, &JsonText>>())
            }
            Self::Variable { path, default } => {
                let Some(Found::Snapshot(events)) = found(reply) else {
                    return Err(ActionError::unexpected());
                };
                let value = events.iter().find_map(|event| value_of(event, path));
                let value = value.or_else(|| default.clone());
                json(&IndexMap::from([(path.status.as_str(), value)]))
            }
            Self::Entities => {
                let Some(Found::Snapshot(events)) = found(reply) else {
                    return Err(ActionError::unexpected());
                };
                entity::list(&events, surroundings)
            }
        }
    }
}

/// Writes an output.
pub(super) fn json(value: &(impl serde::Serialize + ?Sized)) -> Result<JsonText, ActionError> {
    JsonText::of(value).map_err(|_| ActionError::unexpected())
}

fn value_of(event: &Event, wanted: &BindingPath) -> Option<JsonText> {
    match event {
        Event::Value { path, value, .. } if **path == *wanted => value.clone(),
        Event::Value { .. }
        | Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => None,
    }
}

/// What was found, if the answer is one to a query.
pub(in crate::dialects::platypush) fn found(reply: Reply) -> Option<Found> {
    match reply {
        Reply::Found(found) => Some(found),
        Reply::Following { .. }
        | Reply::Unfollowed
        | Reply::Result { .. }
        | Reply::Entered(_)
        | Reply::Left
        | Reply::Published
        | Reply::Tokens(_)
        | Reply::Messages(_)
        | Reply::Debugging(_)
        | Reply::Ignored => None,
    }
}
