//! The shapes of what happens in a system: its types, a module's functions and statuses, and what went wrong.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::dialects::placeos::errors::{self, ErrorCode};
use crate::model::{
    Clearance, Failure, Function, Interface, ModuleIndex, ModuleName, ModulePath, StatusName,
    StatusValue,
};

/// How many modules of each name a system has: `GET /systems/{id}/types`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = HashMap<String, usize>)]
pub struct Types<'a>(IndexMap<&'a str, usize>);

impl<'a> Types<'a> {
    /// Counts the names of a system's modules, in their order.
    pub fn of(names: impl IntoIterator<Item = &'a ModuleName>) -> Self {
        let mut types = IndexMap::new();
        for name in names {
            *types.entry(name.as_str()).or_default() += 1;
        }
        Self(types)
    }
}

/// What a caller may call: `GET /systems/{id}/functions/{module}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = HashMap<String, FunctionShape<'static>>)]
pub struct Functions<'a>(IndexMap<&'a str, FunctionShape<'a>>);

/// One function: how many parameters it has, the JSON Schema of each and their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Function)]
struct FunctionShape<'a> {
    arity: usize,
    #[schema(value_type = HashMap<String, Object>)]
    params: IndexMap<&'a str, Map<String, Value>>,
    order: Vec<&'a str>,
}

impl<'a> Functions<'a> {
    /// The functions that this clearance opens. A parameter with a `default`, even null, may be left out of a call.
    pub fn of(interface: &'a Interface, clearance: Clearance) -> Self {
        let open = |function: &Function| function.clearance <= clearance;
        Self(
            interface
                .functions
                .iter()
                .filter(|(_, function)| open(function))
                .map(|(name, function)| (name.as_str(), FunctionShape::of(function)))
                .collect(),
        )
    }
}

impl<'a> FunctionShape<'a> {
    fn of(function: &'a Function) -> Self {
        let params = function.parameters.iter().map(|parameter| {
            let mut schema: Map<String, Value> = parameter.schema.to().unwrap_or_default();
            if let Some(default) = &parameter.default {
                schema.insert("default".to_owned(), default.to().unwrap_or_default());
            }
            (parameter.name.as_str(), schema)
        });
        Self {
            arity: function.parameters.len(),
            params: params.collect(),
            order: function
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str())
                .collect(),
        }
    }
}

/// All statuses of a module: `GET /systems/{id}/{module}`. Each value is a string of JSON, which clients parse again.
#[derive(Debug, ToSchema)]
#[schema(value_type = HashMap<String, String>)]
pub struct Statuses<'a>(pub &'a [(StatusName, StatusValue)]);

impl Serialize for Statuses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }
}

/// How a call went in each system of a zone: `POST /zones/{id}/exec/{module}/{function}`. The lists hold ids of systems.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ZoneExec)]
pub struct ZoneExecShape {
    /// The function returned.
    pub success: Vec<String>,
    /// The call was refused or failed.
    pub failure: Vec<String>,
    /// The system has no such module.
    pub module_missing: Vec<String>,
}

/// The body of a failed call: `POST /systems/{id}/{module}/{function}`, `POST /modules/{id}/exec/{function}`.
///
/// A request that did not get as far as a module has the first field alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExecError)]
pub struct ExecErrorShape<'a> {
    error: &'static str,
    #[schema(required = false)]
    sys_id: &'a str,
    #[schema(required = false)]
    module_name: &'a str,
    #[schema(required = false)]
    index: u32,
    #[schema(required = false)]
    message: String,
    #[schema(required = false, value_type = Vec<String>)]
    backtrace: [(); 0],
}

impl<'a> ExecErrorShape<'a> {
    /// What went wrong with a module that was named by its place. A backtrace is never given away.
    pub fn at_place(module: &'a ModulePath, failure: &Failure) -> Self {
        Self {
            sys_id: module.system.as_str(),
            index: module.index.get(),
            ..Self::by_id(module.module.as_str(), failure)
        }
    }

    /// The same with a module that was named by its id, which says no system.
    pub fn by_id(name: &'a str, failure: &Failure) -> Self {
        Self {
            error: ErrorCode::of(failure.kind()).name(),
            sys_id: "",
            module_name: name,
            index: ModuleIndex::FIRST.get(),
            message: errors::message(failure).into_owned(),
            backtrace: [],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::testing::path;
    use crate::model::{FailureKind, FunctionName, JsonText, Parameter};

    fn json<T: Serialize>(shape: &T) -> String {
        serde_json::to_string(shape).unwrap()
    }

    fn parameter(name: &str, schema: &str, default: Option<&str>) -> Parameter {
        Parameter {
            name: name.to_owned(),
            schema: JsonText::parse(schema).unwrap(),
            default: default.map(|json| JsonText::parse(json).unwrap()),
        }
    }

    #[test]
    fn types_count_the_modules_of_a_name_in_their_order() {
        let names = ["Display", "Bookings", "Display"].map(|name| ModuleName::new(name).unwrap());
        assert_eq!(json(&Types::of(&names)), r#"{"Display":2,"Bookings":1}"#);
    }

    #[test]
    fn functions_keep_their_order_and_those_above_the_caller_are_left_out() {
        let function = |clearance, parameters| Function {
            clearance,
            parameters,
            ..Function::default()
        };
        let volume = vec![
            parameter("level", r#"{"type":"number","title":"Float64"}"#, None),
            parameter("fade", r#"{"type":"integer"}"#, Some("200")),
            parameter("area", "true", Some("null")),
        ];
        let mut interface = Interface::default();
        for (name, function) in [
            ("volume", function(Clearance::User, volume)),
            ("reset", function(Clearance::Support, Vec::new())),
            ("wipe", function(Clearance::Admin, Vec::new())),
            ("query", function(Clearance::User, Vec::new())),
        ] {
            interface
                .functions
                .insert(FunctionName::new(name).unwrap(), function);
        }
        assert_eq!(
            json(&Functions::of(&interface, Clearance::User)),
            concat!(
                r#"{"volume":{"arity":3,"params":{"level":{"type":"number","title":"Float64"},"#,
                r#""fade":{"type":"integer","default":200},"area":{"default":null}},"order":["level","fade","area"]},"#,
                r#""query":{"arity":0,"params":{},"order":[]}}"#
            )
        );
        let names = |clearance| Functions::of(&interface, clearance).0.len();
        assert_eq!((names(Clearance::Support), names(Clearance::Admin)), (3, 4));
    }

    #[test]
    fn statuses_are_strings_of_json() {
        let status = |name, json| {
            (
                StatusName::new(name).unwrap(),
                JsonText::parse(json).unwrap(),
            )
        };
        let state = [
            status("power", "true"),
            status("input", r#""hdmi""#),
            status("bookings", "[]"),
        ];
        assert_eq!(
            json(&Statuses(&state)),
            r#"{"power":"true","input":"\"hdmi\"","bookings":"[]"}"#
        );
        assert_eq!(json(&Statuses(&[])), "{}");
    }

    #[test]
    fn a_failed_call_says_where_and_why() {
        let module = path("sys-1", "Display", 2, "x").module;
        let failure = Failure::new(FailureKind::DriverFailed, "lamp is broken");
        assert_eq!(
            json(&ExecErrorShape::at_place(&module, &failure)),
            r#"{"error":"request failed","sys_id":"sys-1","module_name":"Display","index":2,"message":"module raised: lamp is broken","backtrace":[]}"#
        );
    }
}
