//! JSON Schemas of parameters, as PlaceOS's tools read them: inlined, with a short readable title, and one list for an enum.

use driver_types::JsonText;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema of what clients send as a `T`.
pub(crate) fn of<T: JsonSchema + ?Sized>() -> JsonText {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(RecursiveTransform(one_enum_list));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    let object = schema.ensure_object();
    object.shift_remove("title");
    object.insert("title".to_owned(), title(&T::schema_name()).into());
    JsonText::of(schema.as_value()).expect("a schema is a JSON object")
}

/// Names a type as PlaceOS does: its tools show the title to the person who fills in a form.
fn title(name: &str) -> String {
    if let Some(items) = name.strip_prefix("Array_of_") {
        return format!("Array({})", title(items));
    }
    if let Some(values) = name.strip_prefix("Map_of_") {
        return format!("Hash(String, {})", title(values));
    }
    if let Some(inside) = name.strip_prefix("Nullable_") {
        return format!("{}?", title(inside));
    }
    match name {
        "boolean" => "Bool",
        "string" => "String",
        "float" => "Float32",
        "double" => "Float64",
        "int8" => "Int8",
        "int16" => "Int16",
        "int32" => "Int32",
        "int64" => "Int64",
        "uint8" => "UInt8",
        "uint16" => "UInt16",
        "uint32" => "UInt32",
        "uint64" => "UInt64",
        "AnyValue" => "Any",
        name => name,
    }
    .to_owned()
}

/// Turns the choice between documented names, which is a schema per name, into the plain list of names that forms understand.
fn one_enum_list(schema: &mut Schema) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else {
        return;
    };
    let names: Option<Vec<Vec<Value>>> = choices.iter().map(names).collect();
    if let Some(names) = names {
        let object = schema.ensure_object();
        object.shift_remove("oneOf");
        object.insert("type".to_owned(), "string".into());
        object.insert("enum".to_owned(), names.concat().into());
    }
}

/// The names that a choice stands for, if it stands for names.
fn names(choice: &Value) -> Option<Vec<Value>> {
    if choice.get("type")? != "string" {
        return None;
    }
    match (choice.get("const"), choice.get("enum")) {
        (Some(name), None) => Some(vec![name.clone()]),
        (None, Some(Value::Array(names))) => Some(names.clone()),
        _ => None,
    }
}
