//! Holds every HTTP answer that a test gets to `api-spec/openapi.json`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/api-spec/openapi.json"
    ));
    serde_json::from_str(text).expect("the specification is JSON")
});

/// Fails when the answer to a request (`GET /path HTTP/1.1`) is none that the specification has.
///
/// What is not specified may only be refused.
pub(crate) fn check(request: &str, status: u16, body: &str) {
    let mut words = request.split(' ');
    let method = words.next().unwrap_or_default().to_ascii_lowercase();
    let path = words.next().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    // A gateway may refuse the head of any request before it looks what it is for.
    if [405, 415].contains(&status) {
        return;
    }
    // HEAD says what GET does, OPTIONS is asked by browsers alone; who is sent elsewhere has not reached the API.
    if ["head", "options"].contains(&&*method) || (300..400).contains(&status) {
        return;
    }
    let Some(operation) = operation(&method, path) else {
        assert!(status >= 400, "{request} is not in the specification");
        return;
    };
    let responses = &operation["responses"];
    let response = responses
        .get(status.to_string())
        .or_else(|| responses.get("default"))
        .unwrap_or_else(|| panic!("{request}: the specification has no {status}"));
    let Some(content) = response.get("content") else {
        assert_eq!(body, "", "{request}: {status} has no body");
        return;
    };
    if let Some(schema) = content.pointer("/application~1json/schema") {
        let Ok(value) = serde_json::from_str(body) else {
            // JSON that is kept byte for byte may be more than a tree of values holds; it is JSON all the same.
            serde_json::from_str::<serde::de::IgnoredAny>(body)
                .unwrap_or_else(|error| panic!("{request}: {error} in {body:?}"));
            return;
        };
        if let Err(complaint) = conforms(&value, schema) {
            panic!("{request}: {status}: {complaint}");
        }
    }
}

/// The paths, as templates, of everything that can be asked with GET and needs credentials.
pub(crate) fn guarded() -> impl Iterator<Item = &'static str> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    paths
        .iter()
        .filter(|(_, item)| {
            item.get("get")
                .is_some_and(|get| get.get("security").is_none())
        })
        .map(|(template, _)| template.as_str())
}

/// The paths, as templates, of everything that can be asked with this method and names an entry.
pub(crate) fn of_one_entry(method: &str) -> Vec<&'static str> {
    let paths = DOCUMENT["paths"].as_object().expect("paths").iter();
    let asked =
        paths.filter(|(template, item)| template.contains('{') && item.get(method).is_some());
    asked.map(|(template, _)| template.as_str()).collect()
}

/// The operation of a path: a path whose segments are more of them fixed words comes first.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let fitting = paths.iter().filter_map(|(template, item)| {
        let fixed = fixed_words(template, path)?;
        Some((fixed, item.get(method)?))
    });
    fitting
        .max_by_key(|(fixed, _)| *fixed)
        .map(|(_, operation)| operation)
}

/// How many segments of a path that fits a template are fixed words; `None` if it does not fit.
fn fixed_words(template: &str, path: &str) -> Option<usize> {
    let (template, path): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    let is_name = |segment: &str| segment.starts_with('{');
    let fits = template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(template, segment)| is_name(template) || template == segment);
    fits.then(|| template.iter().filter(|segment| !is_name(segment)).count())
}

/// Whether a value is as a schema says. A keyword that is not known here is a complaint too, so that nothing is passed over.
fn conforms(value: &Value, schema: &Value) -> Result<(), String> {
    let empty = Map::new();
    for (keyword, rule) in schema.as_object().unwrap_or(&empty) {
        match keyword.as_str() {
            "$ref" => {
                let reference = rule.as_str().unwrap_or_default().trim_start_matches('#');
                let target = DOCUMENT.pointer(reference).ok_or("a lost reference")?;
                conforms(value, target)?;
            }
            "type" => {
                let types = rule
                    .as_array()
                    .map_or(std::slice::from_ref(rule), Vec::as_slice);
                if !types.iter().any(|name| is_a(value, name.as_str())) {
                    return Err(format!("{value} is not of type {rule}"));
                }
            }
            "oneOf" => {
                let schemas = rule.as_array().map_or(&[][..], Vec::as_slice);
                let fitting = schemas
                    .iter()
                    .filter(|schema| conforms(value, schema).is_ok());
                if fitting.count() != 1 {
                    return Err(format!("{value} is not one of {rule}"));
                }
            }
            "minimum" => {
                if value.as_f64() < rule.as_f64() && value.is_number() {
                    return Err(format!("{value} is less than {rule}"));
                }
            }
            "enum" => {
                let words = rule.as_array().into_iter().flatten();
                if !words.into_iter().any(|word| word == value) {
                    return Err(format!("{value} is none of {rule}"));
                }
            }
            "required" => {
                for name in rule.as_array().into_iter().flatten() {
                    let name = name.as_str().unwrap_or_default();
                    if value.is_object() && value.get(name).is_none() {
                        return Err(format!("{value} has no {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(name) {
                        conforms(value, schema).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
                unknown_field(value, schema)?;
            }
            "additionalProperties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if schema.pointer(&format!("/properties/{name}")).is_none() {
                        conforms(value, rule).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    conforms(item, rule)?;
                }
            }
            "description" | "format" | "propertyNames" => {}
            keyword => return Err(format!("no rule for the keyword {keyword}")),
        }
    }
    Ok(())
}

/// Fields that a schema does not name are allowed by it, and yet would be forgotten in it: all but those of errors are complaints.
fn unknown_field(value: &Value, schema: &Value) -> Result<(), String> {
    let fields = value.as_object().into_iter().flatten();
    let known = |name: &str| schema["properties"].get(name).is_some();
    let is_error = known("error");
    for (name, _) in fields {
        if !known(name) && !is_error && schema.get("additionalProperties").is_none() {
            return Err(format!("{name} is not in the schema"));
        }
    }
    Ok(())
}

fn is_a(value: &Value, name: Option<&str>) -> bool {
    match name {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}
