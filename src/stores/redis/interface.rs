//! The JSON of `interface/{module}`, as PlaceOS's drivers write it and its gateways read it.
//!
//! It is read leniently, since drivers of every age have written there: what is not known is passed over, and what cannot be used is left out.
//! The order of functions and of their parameters is that of the text.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{Clearance, Function, FunctionName, Interface, JsonText, Parameter};

/// The name of the level that opens a function to support staff.
const SUPPORT: &str = "support";

/// The name of the level that opens a function to administrators.
const ADMINISTRATOR: &str = "administrator";

/// The key of a schema that has the value of an absent argument.
const DEFAULT: &str = "default";

/// What is kept of a module.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Shape {
    /// The schema of each parameter of each function.
    interface: Option<IndexMap<String, IndexMap<String, Value>>>,
    /// What drivers wrote before there was `interface`: the type's name, and the default if there is one.
    #[serde(skip_serializing)]
    functions: IndexMap<String, IndexMap<String, Vec<Value>>>,
    implements: Vec<String>,
    /// Which modules a logic module asks for. No driver of riser does.
    requirements: Map<String, Value>,
    /// The functions that need a level, by level.
    security: IndexMap<String, Vec<String>>,
    /// What the functions do, for people; riser's own, and unknown to PlaceOS.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    descriptions: IndexMap<String, String>,
}

/// Reads what is kept. The error says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Interface, String> {
    // A struct may be read from an array as well, and an empty one would do.
    if !text.trim_start().starts_with('{') {
        return Err("it is no JSON object".to_owned());
    }
    let shape: Shape = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let parameters: IndexMap<String, Vec<Parameter>> = match shape.interface {
        Some(interface) => each(interface, parameter),
        None => each(shape.functions, old_parameter),
    };
    let mut functions = IndexMap::new();
    for (name, parameters) in parameters {
        let (Some(clearance), Ok(id)) =
            (clearance(&shape.security, &name), FunctionName::new(&name))
        else {
            continue;
        };
        let description = shape.descriptions.get(&name).cloned().unwrap_or_default();
        let function = Function {
            description,
            clearance,
            parameters,
        };
        functions.insert(id, function);
    }
    Ok(Interface {
        functions,
        implements: shape.implements,
        ..Interface::default()
    })
}

/// The text that is kept.
pub(super) fn write(interface: &Interface) -> String {
    let mut shape = Shape {
        implements: interface.implements.clone(),
        ..Shape::default()
    };
    let mut functions = IndexMap::new();
    for (name, function) in &interface.functions {
        let parameters = function.parameters.iter().map(schema).collect();
        functions.insert(name.to_string(), parameters);
        let level = match function.clearance {
            Clearance::User => None,
            Clearance::Support => Some(SUPPORT),
            Clearance::Admin => Some(ADMINISTRATOR),
        };
        if let Some(level) = level {
            let protected = shape.security.entry(level.to_owned()).or_default();
            protected.push(name.to_string());
        }
        if !function.description.is_empty() {
            let description = function.description.clone();
            shape.descriptions.insert(name.to_string(), description);
        }
    }
    shape.interface = Some(functions);
    serde_json::to_string(&shape).expect("all keys are text")
}

fn each<T>(
    functions: IndexMap<String, IndexMap<String, T>>,
    parameter: fn(String, T) -> Parameter,
) -> IndexMap<String, Vec<Parameter>> {
    let functions = functions.into_iter().map(|(name, parameters)| {
        let parameters = parameters.into_iter().map(|(name, is)| parameter(name, is));
        (name, parameters.collect())
    });
    functions.collect()
}

/// The clearance that a function needs: the first level that names it counts. `None` for a level that no caller has.
fn clearance(security: &IndexMap<String, Vec<String>>, function: &str) -> Option<Clearance> {
    let level = security
        .iter()
        .find(|(_, functions)| functions.iter().any(|name| name == function));
    match level.map(|(level, _)| level.as_str()) {
        None => Some(Clearance::User),
        Some(SUPPORT) => Some(Clearance::Support),
        Some(ADMINISTRATOR) => Some(Clearance::Admin),
        Some(_) => None,
    }
}

fn parameter(name: String, schema: Value) -> Parameter {
    let mut schema = match schema {
        Value::Object(schema) => schema,
        // A schema may be `true`: anything goes.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    let default = schema.shift_remove(DEFAULT);
    Parameter {
        name,
        schema: text(&Value::Object(schema)),
        default: default.as_ref().map(text),
    }
}

fn old_parameter(name: String, type_and_default: Vec<Value>) -> Parameter {
    let mut schema = Map::new();
    if let Some(title) = type_and_default.first().and_then(Value::as_str) {
        if let Some(kind) = kind(title) {
            schema.insert("type".to_owned(), kind.into());
        }
        schema.insert("title".to_owned(), title.into());
    }
    Parameter {
        name,
        schema: text(&Value::Object(schema)),
        default: type_and_default.get(1).map(text),
    }
}

/// The JSON type of a type of Crystal, the language of PlaceOS's drivers, where there is one.
fn kind(title: &str) -> Option<&'static str> {
    match title {
        "Bool" => Some("boolean"),
        "String" => Some("string"),
        _ if title.starts_with("Int") || title.starts_with("UInt") => Some("integer"),
        _ if title.starts_with("Float") => Some("number"),
        _ if title.starts_with("Array(") => Some("array"),
        _ => None,
    }
}

fn schema(parameter: &Parameter) -> (String, Value) {
    let mut schema: Map<String, Value> = parameter.schema.to().unwrap_or_default();
    if let Some(default) = &parameter.default {
        schema.insert(DEFAULT.to_owned(), default.to().unwrap_or_default());
    }
    (parameter.name.clone(), Value::Object(schema))
}

fn text(value: &Value) -> JsonText {
    JsonText::of(value).expect("it has been read as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a text, a line for each function.
    fn lines(text: &str) -> Vec<String> {
        let interface = read(text).unwrap();
        let functions = interface.functions.iter().map(|(name, function)| {
            let parameters = function.parameters.iter().map(|parameter| {
                let default = parameter.default.as_ref();
                let default = default.map_or(String::new(), |value| format!(" = {value}"));
                format!("{}: {}{default}", parameter.name, parameter.schema)
            });
            let parameters: Vec<String> = parameters.collect();
            let level = function.clearance.as_str();
            format!("{level} {name}({})", parameters.join(", "))
        });
        functions.collect()
    }

    #[test]
    fn a_drivers_metadata_is_read_in_its_order() {
        let text = r#"{"interface":{"power":{"state":{"type":"boolean","title":"Bool"}},
            "volume":{"level":{"type":"number"},"fade":{"type":"integer","default":200},"area":{"default":null}},
            "query":{},"reset":{},"wipe":{}},
            "functions":{"power":{"state":["Bool"]}},
            "implements":["PlaceOS::Driver::Interface::Powerable"],
            "requirements":{"Display_1":["Powerable"]},
            "security":{"support":["reset"],"administrator":["wipe","reset"]},
            "versions":{"driver":"8.1.3"},"json_schema":{"type":"object"},"notes":"room 4"}"#;
        assert_eq!(
            lines(text),
            [
                r#"user power(state: {"type":"boolean","title":"Bool"})"#,
                r#"user volume(level: {"type":"number"}, fade: {"type":"integer"} = 200, area: {} = null)"#,
                "user query()",
                "support reset()",
                "admin wipe()",
            ]
        );
        let interface = read(text).unwrap();
        let implements = ["PlaceOS::Driver::Interface::Powerable"];
        assert_eq!(interface.implements, implements);
    }

    #[test]
    fn very_old_drivers_have_functions_alone() {
        let text = r#"{"functions":{"volume":{"level":["Float64"],"fade":["Int32",200],"x":["Foo | Nil",null],"y":[]}},"implements":[]}"#;
        assert_eq!(
            lines(text),
            [concat!(
                r#"user volume(level: {"type":"number","title":"Float64"}, "#,
                r#"fade: {"type":"integer","title":"Int32"} = 200, x: {"title":"Foo | Nil"} = null, y: {})"#
            )]
        );
    }

    #[test]
    fn a_level_that_nobody_has_opens_nothing() {
        let text = r#"{"interface":{"a":{},"b":{}},"security":{"root":["a"],"support":["a"]}}"#;
        assert_eq!(lines(text), ["user b()"]);
    }

    #[test]
    fn what_is_no_metadata_is_refused_and_little_is_enough() {
        for text in ["", "[]", "{\"interface\":1}", "{\"security\":[]}", "hello"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read("{}").unwrap(), Interface::default());
        assert_eq!(
            lines(r#"{"interface":{"":{},"a":{"b":true}}}"#),
            ["user a(b: {})"]
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = r#"{"interface":{"z":{"b":{"type":"integer","default":2},"a":{}},"y":{},"x":{}},"security":{"administrator":["x"],"support":["y"]},"descriptions":{"y":"What it does."}}"#;
        let interface = read(text).unwrap();
        let written = write(&interface);
        assert_eq!(read(&written).unwrap(), interface);
        assert_eq!(
            written,
            concat!(
                r#"{"interface":{"z":{"b":{"type":"integer","default":2},"a":{}},"y":{},"x":{}},"#,
                r#""implements":[],"requirements":{},"security":{"support":["y"],"administrator":["x"]},"#,
                r#""descriptions":{"y":"What it does."}}"#
            )
        );
    }
}
