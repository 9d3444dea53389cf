//! The functions of modules as services: `display.switch_to`.

use crate::model::{Function, FunctionName, Interface, JsonText, Parameter};

use super::super::context::{put, write_text};
use super::super::part::json_number;
use super::super::schema::Kind;
use super::super::setter::Order;
use super::super::slug::{first_free, slug};
use super::data::Data;
use super::error::ServiceError;

/// Home Assistant's own domains, and those of riser's services that belong to no module.
const RESERVED: [&str; 62] = [
    "air_quality",
    "alarm_control_panel",
    "alert",
    "assist_satellite",
    "automation",
    "backup",
    "binary_sensor",
    "button",
    "calendar",
    "camera",
    "climate",
    "conversation",
    "counter",
    "cover",
    "date",
    "datetime",
    "device_tracker",
    "event",
    "fan",
    "frontend",
    "gateway",
    "geo_location",
    "group",
    "homeassistant",
    "humidifier",
    "image",
    "input_boolean",
    "input_button",
    "input_datetime",
    "input_number",
    "input_select",
    "input_text",
    "lawn_mower",
    "light",
    "lock",
    "logger",
    "media_player",
    "notify",
    "number",
    "persistent_notification",
    "person",
    "remote",
    "scene",
    "schedule",
    "script",
    "select",
    "sensor",
    "siren",
    "switch",
    "system_log",
    "text",
    "time",
    "timer",
    "todo",
    "tts",
    "update",
    "vacuum",
    "valve",
    "wake_word",
    "water_heater",
    "weather",
    "zone",
];

/// The domain of a module's functions.
pub(super) fn domain_of(module: &str) -> String {
    let word = slug(module);
    if word.is_empty() {
        return "riser_module".to_owned();
    }
    match RESERVED.contains(&word.as_str()) {
        true => format!("riser_{word}"),
        false => word,
    }
}

/// The functions of an interface by the names of their services, in its order. What only tells something, `power?`, is `get_power`.
pub(super) fn services(interface: &Interface) -> Vec<(String, &FunctionName)> {
    let mut services: Vec<(String, &FunctionName)> = Vec::new();
    for function in interface.functions.keys() {
        let name = function.as_str();
        let word = match name.strip_suffix('?') {
            Some(name) => format!("get_{}", slug(name)),
            None => slug(name),
        };
        let word = word.trim_matches('_');
        let word = if word.is_empty() { "call" } else { word };
        let is_taken = |word: &str| services.iter().any(|(known, _)| known == word);
        let word = first_free(word, is_taken);
        services.push((word, function));
    }
    services
}

/// The call of a function with the fields that are left.
pub(super) fn order(
    name: &FunctionName,
    function: &Function,
    data: &mut Data<'_>,
) -> Result<Order, ServiceError> {
    let mut arguments = Vec::new();
    for parameter in &function.parameters {
        let Some(json) = data.take_any(&parameter.name) else {
            if parameter.default.is_none() {
                return Err(ServiceError::missing(&parameter.name));
            }
            continue;
        };
        arguments.push(if arguments.is_empty() { b'{' } else { b',' });
        write_text(&mut arguments, &parameter.name);
        put(&mut arguments, format_args!(":{json}"));
    }
    if arguments.is_empty() {
        return Ok(Order::without_arguments(name));
    }
    arguments.push(b'}');
    let arguments = String::from_utf8(arguments).expect("JSON is text");
    Ok(Order {
        function: name.clone(),
        arguments: JsonText::parse(&arguments).expect("JSON in JSON is JSON"),
    })
}

/// What clients are told of a function.
pub(super) fn describe(name: &FunctionName, function: &Function, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    write_text(out, name.as_str());
    out.extend_from_slice(b",\"description\":");
    write_text(out, &function.description);
    out.extend_from_slice(b",\"fields\":{");
    for (place, parameter) in function.parameters.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        describe_parameter(parameter, out);
    }
    out.extend_from_slice(b"},\"target\":{\"entity\":[{\"integration\":\"gateway\"}]},");
    out.extend_from_slice(b"\"response\":{\"optional\":true}}");
}

fn describe_parameter(parameter: &Parameter, out: &mut Vec<u8>) {
    write_text(out, &parameter.name);
    out.extend_from_slice(b":{\"name\":");
    write_text(out, &parameter.name);
    let is_required = parameter.default.is_none();
    put(
        out,
        format_args!(",\"description\":\"\",\"required\":{is_required}"),
    );
    if let Some(default) = parameter.default.as_ref().filter(|value| !value.is_null()) {
        put(out, format_args!(",\"default\":{default}"));
    }
    out.extend_from_slice(b",\"selector\":");
    selector(Kind::of_schema(&parameter.schema).as_ref(), out);
    out.push(b'}');
}

/// How clients ask for a value.
fn selector(kind: Option<&Kind>, out: &mut Vec<u8>) {
    match kind {
        Some(Kind::Boolean) => out.extend_from_slice(b"{\"boolean\":{}}"),
        Some(Kind::Number(bounds)) => {
            out.extend_from_slice(b"{\"number\":{\"mode\":\"box\"");
            let step = bounds.step.or(bounds.is_whole.then_some(1.0));
            for (name, number) in [("min", bounds.min), ("max", bounds.max), ("step", step)] {
                if let Some(number) = number {
                    put(out, format_args!(",\"{name}\":{}", json_number(number)));
                }
            }
            if step.is_none() {
                out.extend_from_slice(b",\"step\":\"any\"");
            }
            out.extend_from_slice(b"}}");
        }
        Some(Kind::Text(options)) if !options.is_empty() => {
            let options = JsonText::of(options).expect("texts are JSON");
            put(
                out,
                format_args!("{{\"select\":{{\"options\":{options}}}}}"),
            );
        }
        Some(Kind::Text(_)) => out.extend_from_slice(b"{\"text\":{}}"),
        Some(Kind::List | Kind::Object) | None => out.extend_from_slice(b"{\"object\":{}}"),
    }
}
