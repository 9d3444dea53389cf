//! Which calls of modules a service call becomes.

use std::sync::Arc;

use crate::model::{ExecRequest, FunctionName, JsonText, ModulePath};

use super::super::entity::Entity;
use super::super::known::Known;
use super::super::view::View;
use super::error::ServiceError;

/// A service call as it came.
#[derive(Debug, Clone, Copy)]
pub struct ServiceCall<'a> {
    /// The first part of the service's name.
    pub domain: &'a str,
    /// The second part.
    pub service: &'a str,
    /// `service_data`: a JSON object, or nothing.
    pub data: Option<&'a JsonText>,
    /// `target`: a JSON object, or nothing.
    pub target: Option<&'a JsonText>,
    /// Whether the caller wants what the functions return.
    pub wants_response: bool,
}

/// What a service call becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is to be done, in order. Equal calls stand in it once.
    pub todo: Vec<Planned>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// For which entity; none where the service is for a whole module.
    pub entity: Option<Arc<Entity>>,
    /// Where.
    pub path: Arc<ModulePath>,
    /// What.
    pub todo: Todo,
}

/// What is to be done with a module.
#[derive(Debug, Clone, PartialEq)]
pub enum Todo {
    /// This call.
    Call(Call),
    /// A call that depends on the state: [`Planned::call`] says which, once the module's statuses are known.
    React(Reaction),
}

/// What depends on the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// On what is off, and off what is on.
    Toggle,
    /// A little louder.
    VolumeUp,
    /// A little quieter.
    VolumeDown,
}

/// One call of a module's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where.
    pub path: Arc<ModulePath>,
    /// Which function.
    pub function: FunctionName,
    /// With what: a JSON array or object.
    pub arguments: JsonText,
}

impl Call {
    /// It as a request that belongs to this act.
    pub fn request(self, act: u128) -> ExecRequest {
        ExecRequest {
            module: ModulePath::clone(&self.path).into(),
            function: self.function,
            arguments: self.arguments,
            act: Some(act),
        }
    }
}

impl Planned {
    /// The call, now that the module's statuses are known; `None` where there is nothing to do.
    pub fn call(&self, _: &Known<'_>) -> Option<Call> {
        match &self.todo {
            Todo::Call(call) => Some(call.clone()),
            Todo::React(_) => None,
        }
    }
}

impl Plan {
    /// What `response` is, of what each call returned, in their order.
    pub fn response(&self, results: &[JsonText]) -> JsonText {
        results.first().cloned().unwrap_or_else(JsonText::null)
    }
}

/// What a service call becomes in this building.
pub fn plan(_: &View, call: &ServiceCall<'_>) -> Result<Plan, ServiceError> {
    Err(ServiceError::not_found(call.domain, call.service))
}
