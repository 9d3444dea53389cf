//! The shapes of PlaceOS's core API: what nodes ask of each other, and what a core says of itself.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{DriverRef, ExecRequest, FunctionName, JsonText, ModuleId};

/// Why a body is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCall {
    /// It is not a JSON object, or `__exec__` is not a function's name.
    #[error("the body is not a call: {{\"__exec__\": NAME, NAME: [arguments]}}")]
    Shape,
    /// There are no arguments under the function's name, or they are neither a list nor an object.
    #[error("the function's arguments have to stand under its name, as an array or an object")]
    Arguments,
}

/// What names the function.
const EXEC: &str = "__exec__";

/// Reads a call of this module as a core takes it: the function, and under its name the arguments.
pub fn read_call(module: ModuleId, body: &[u8]) -> Result<ExecRequest, BadCall> {
    // By name and not in order: a function may be called anything.
    let mut fields: HashMap<String, JsonText> =
        serde_json::from_slice(body).map_err(|_| BadCall::Shape)?;
    let name = fields.remove(EXEC).ok_or(BadCall::Shape)?;
    let name: String = name.to().map_err(|_| BadCall::Shape)?;
    let function = FunctionName::new(&name).map_err(|_| BadCall::Shape)?;
    let arguments = fields.remove(&name).ok_or(BadCall::Arguments)?;
    if !arguments.as_str().starts_with(['[', '{']) {
        return Err(BadCall::Arguments);
    }
    Ok(ExecRequest {
        module: module.into(),
        function,
        arguments,
        act: None,
    })
}

/// A call that failed, or may have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Raised)]
pub struct RaisedShape<'a> {
    error: &'a str,
    /// Always empty.
    backtrace: [&'a str; 0],
}

impl<'a> RaisedShape<'a> {
    /// What went wrong, as the driver says it.
    pub fn new(error: &'a str) -> Self {
        Self {
            error,
            backtrace: [],
        }
    }
}

/// What runs on a core: `GET /status`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoreStatus {
    available_repositories: [String; 0],
    unavailable_repositories: [String; 0],
    compiled_drivers: Vec<String>,
    unavailable_drivers: [String; 0],
    run_count: RunCount,
}

#[derive(Debug, Serialize, ToSchema)]
struct RunCount {
    local: LocalCount,
    edge: Edges,
}

/// How many modules run on a core, and of how many drivers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LocalCount {
    drivers: usize,
    modules: usize,
}

impl LocalCount {
    pub(super) fn of(modules: &[(ModuleId, DriverRef)]) -> Self {
        Self {
            drivers: by_driver(modules).len(),
            modules: modules.len(),
        }
    }
}

/// There are no edges.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Edges {}

impl CoreStatus {
    /// Of these modules and their drivers, and of all drivers that could run.
    pub fn new(modules: &[(ModuleId, DriverRef)], drivers: &[DriverRef]) -> Self {
        let names = drivers.iter().map(|driver| driver.as_str().to_owned());
        Self {
            available_repositories: [],
            unavailable_repositories: [],
            compiled_drivers: names.collect(),
            unavailable_drivers: [],
            run_count: RunCount {
                local: LocalCount::of(modules),
                edge: Edges {},
            },
        }
    }
}

/// Which modules run on a core, by their drivers: `GET /status/loaded`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoreLoaded {
    #[schema(value_type = HashMap<String, Vec<String>>)]
    local: IndexMap<String, Vec<String>>,
    edge: Edges,
}

impl CoreLoaded {
    /// Of these modules and their drivers.
    pub fn new(modules: &[(ModuleId, DriverRef)]) -> Self {
        Self {
            local: by_driver(modules),
            edge: Edges {},
        }
    }
}

/// The modules of each driver, in the order of their names.
pub(super) fn by_driver(modules: &[(ModuleId, DriverRef)]) -> IndexMap<String, Vec<String>> {
    let mut drivers: IndexMap<String, Vec<String>> = IndexMap::new();
    for (module, driver) in modules {
        let modules = drivers.entry(driver.as_str().to_owned()).or_default();
        modules.push(module.as_str().to_owned());
    }
    drivers.sort_keys();
    for modules in drivers.values_mut() {
        modules.sort();
    }
    drivers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Result<(&str, &str), BadCall>) {
        let module = ModuleId::new("mod-1").unwrap();
        let found = read_call(module, body.as_bytes());
        let found = found
            .as_ref()
            .map(|call| (call.function.as_str(), call.arguments.as_str()));
        assert_eq!(found.map_err(|bad| *bad), expect, "{body}");
    }

    #[test]
    fn the_arguments_stand_under_the_name_of_the_function() {
        check(
            r#"{"__exec__":"power","power":[true]}"#,
            Ok(("power", "[true]")),
        );
        check(
            r#"{"power":{"state":1.0},"__exec__":"power","more":1}"#,
            Ok(("power", r#"{"state":1.0}"#)),
        );
        check(r#"{"__exec__":"power"}"#, Err(BadCall::Arguments));
        check(r#"{"__exec__":"power","power":1}"#, Err(BadCall::Arguments));
        check(r#"{"power":[]}"#, Err(BadCall::Shape));
        check(r#"{"__exec__":7,"7":[]}"#, Err(BadCall::Shape));
        for body in ["", "[]", "hello", r#"{"__exec__":"","":[]}"#] {
            check(body, Err(BadCall::Shape));
        }
    }

    #[test]
    fn a_core_says_what_it_runs() {
        let module = |id: &str, driver: &str| {
            let driver = DriverRef::LinkedIn(driver.to_owned());
            (ModuleId::new(id).unwrap(), driver)
        };
        let modules = [
            module("mod-2", "b"),
            module("mod-3", "a"),
            module("mod-1", "b"),
        ];
        assert_eq!(
            serde_json::to_string(&CoreLoaded::new(&modules)).unwrap(),
            r#"{"local":{"a":["mod-3"],"b":["mod-1","mod-2"]},"edge":{}}"#
        );
        let drivers = [DriverRef::LinkedIn("a".to_owned())];
        assert_eq!(
            serde_json::to_string(&CoreStatus::new(&modules, &drivers)).unwrap(),
            r#"{"available_repositories":[],"unavailable_repositories":[],"compiled_drivers":["a"],"unavailable_drivers":[],"run_count":{"local":{"drivers":2,"modules":3},"edge":{}}}"#
        );
    }
}
