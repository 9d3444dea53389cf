//! An entry of each collection with something to say in every field, for tests that walk the fields through a file, a store or a wire.

use crate::model::rules::Thing;
use crate::model::{Collection, Field, JsonKind, KEY_HASH_PREFIX, Kind, Secret, Value, Values};

/// An entry in which no field has what holds by default.
pub(crate) fn sample<C: Collection>() -> C {
    let mut values = Values::none();
    for field in C::FIELDS {
        let content = content(field);
        assert!(content != (field.default)(), "{field:?}");
        values.put(field.name, content);
    }
    C::build(values).unwrap()
}

fn content<C: Collection>(field: &Field<C>) -> Value<'static> {
    let text = |text: &str| Value::Text(text.to_owned().into());
    let texts = |texts: [&'static str; 2]| Value::Texts(texts.map(Into::into).to_vec());
    let name = field.name;
    match field.kind {
        Kind::Text if name == "debounce" => text("90s"),
        Kind::Text => text(&format!("{name}: \"${{ENV:HOME}}\"\n {{x}}")),
        Kind::Address => text("https://example.test/x"),
        Kind::Email => text("ann@example.test"),
        Kind::Texts if name == "parameters" => texts(["who", "how_long"]),
        Kind::Texts if name == "methods" => texts(["GET", "POST"]),
        Kind::Texts => texts(["one", "${two"]),
        Kind::Flag => Value::Flag((field.default)() == Value::Flag(false)),
        Kind::Count(_) => Value::Number(7),
        Kind::Moment => Value::Number(1_801_332_000),
        Kind::TimeZone => text("Europe/London"),
        Kind::Word(words) => text(words[words.len() - 1]),
        Kind::Scopes => texts(["systems.read", "zones"]),
        Kind::Reference(Thing::Driver) => text("virtual"),
        Kind::Id(Thing::Entity) | Kind::StatusPath => text("the%2Fsystem/Display_2/power%25"),
        Kind::Id(Thing::Command) => text("the/command"),
        Kind::Id(Thing::App) => text("4201"),
        Kind::Id(Thing::Service) => text("43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10"),
        Kind::Id(_) | Kind::ModuleName | Kind::MetadataName | Kind::Reference(_) => {
            text(&format!("the-{name}"))
        }
        Kind::References(_) => texts(["first", "second"]),
        Kind::Json(JsonKind::Number) => Value::Json("0.5".into()),
        Kind::Json(_) if field.shape.is_some() => Value::Json(shaped(C::LIST, name).into()),
        Kind::Json(JsonKind::Any) => Value::Json("[ 1.50, {\"a\": 1e400}]".into()),
        Kind::Json(JsonKind::Object) => Value::Json("{\"b\":1.50,\"a\":[\"${x\"]}".into()),
        Kind::Json(JsonKind::List) => Value::Json("[1.50,{\"a\":\"x\"}]".into()),
        Kind::KeySecret => Value::Hash(Secret::new(format!("{KEY_HASH_PREFIX}aa$bb"))),
        Kind::Password => Value::Hash(Secret::new("$argon2id$x")),
    }
}

/// JSON in the form that a field of this name asks for.
fn shaped(list: &str, name: &str) -> &'static str {
    match name {
        "call" if list == "hooks" => r#""sys-1/Player_1/play""#,
        "steps" | "then" => r#"[{"wait":"2s"},{"return":"{{ x }}"}]"#,
        "when" => r#"[{"event":"doors","data":{"who":"Ann"}}]"#,
        "header" => r#"{"X-Token":"a: \"b"}"#,
        "respond" => r#"{"status":201,"body":{"a":[1.50]}}"#,
        "schema" => r#"{"properties":{"a":{"type":"number","minimum":1.50,"default":2e1}}}"#,
        "call" => r#"{"entity":"a","function":"f"}"#,
        "args" => r#"{"b":1.50,"a":["${x","{{ a }}"]}"#,
        "errors" => r#"{"no: \"such\" ${x}":{"code":"c","message":"{{ m }}"}}"#,
        "keys" => r#"[{"key":"a1","secret":"s: \"${x}"}]"#,
        "webhooks" => r#"[{"url":"http://h/x","events":["cache_miss"],"prefix":"a-"}]"#,
        "settings_levels" => r#"{"a":1}"#,
        "statuses" => r#"{"public":["power","a: b"]}"#,
        "limits" => r#"{"event_bytes":20480}"#,
        _ => panic!("no sample of `{name}`"),
    }
}
