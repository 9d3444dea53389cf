//! The texts of a command of the building's own: expressions in them see what the message says.
//!
//! Separate from what the commands do, since it is about JSON alone. What has no expression in it stays byte for byte as it is written.

use crate::dialects::home_assistant::wire::Object;
use crate::expressions::{Closed, ExpressionError, Object as Members, Scope, Text, Value};
use crate::model::{CommandParameter, JsonText};

/// What a message says of each parameter: else the default, else null. The ids of entities are in lower case.
pub(super) fn variables(parameters: &[CommandParameter], message: &Object<'_>) -> Scope {
    let variables = parameters.iter().map(|parameter| {
        let given = message.get(&parameter.name).map(JsonText::from_raw);
        let value = given.or_else(|| parameter.default.clone());
        let value = value.map_or(Value::Null, |json| Value::of_json(&json));
        let value = match value.as_text() {
            Some(id) if parameter.is_entity_id => Value::from(id.to_lowercase()),
            Some(_) | None => value,
        };
        (parameter.name.as_str(), value)
    });
    variables.collect()
}

/// What a message says of the parameters, as an object: those that it leaves out have their default there, or are not there. The ids of entities are in lower case.
pub(super) fn fields(parameters: &[CommandParameter], message: &Object<'_>) -> JsonText {
    let mut text = String::from("{");
    for parameter in parameters {
        let given = message.get(&parameter.name).map(JsonText::from_raw);
        let Some(value) = given.or_else(|| parameter.default.clone()) else {
            continue;
        };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(parameter.name.as_str()).to_string());
        text.push(':');
        match value.to::<String>() {
            Ok(id) if parameter.is_entity_id => {
                text.push_str(&serde_json::Value::from(id.to_lowercase()).to_string());
            }
            Ok(_) | Err(_) => text.push_str(value.as_str()),
        }
    }
    text.push('}');
    JsonText::parse(&text).expect("it is put together of JSON")
}

/// JSON with its texts evaluated. A text that is one whole expression becomes what that is.
pub(super) fn fill(json: &JsonText, scope: &Scope) -> Result<JsonText, ExpressionError> {
    // A block is a mistake, which evaluating tells.
    let has_any = ["{{", "{%"].iter().any(|mark| json.as_str().contains(mark));
    match has_any {
        true => value(&Value::of_json(json), scope).map(|value| value.to_json()),
        false => Ok(json.clone()),
    }
}

/// Values nest no deeper than they are opened, so this calls itself no oftener.
fn value(of: &Value, scope: &Scope) -> Result<Value, ExpressionError> {
    match of {
        Value::Text(text) => Text::parse(text, &[])?.evaluate(scope, &Closed),
        Value::List(items) => {
            let items = items.iter().map(|item| value(item, scope));
            items.collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| Ok((name.clone(), value(member, scope)?)));
            let members: Result<Members, _> = members.collect();
            members.map(Value::from)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Json(_) => Ok(of.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let scope: Scope = [
            ("n", Value::of_json(&JsonText::parse("1e400").unwrap())),
            ("name", Value::from("TV")),
            ("nothing", Value::Null),
        ]
        .into_iter()
        .collect();
        let filled = fill(&JsonText::parse(text).unwrap(), &scope);
        match filled {
            Ok(json) => json.as_str().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_has_no_expression_stays_as_it_is_written() {
        assert_eq!(
            filled(r#"{ "a" : 1.50, "b":"\u00e9" }"#),
            r#"{ "a" : 1.50, "b":"\u00e9" }"#
        );
    }

    #[test]
    fn a_whole_expression_keeps_its_type_and_text_around_one_makes_text() {
        assert_eq!(
            filled(r#"{"n":"{{ n }}","list":["{{ nothing }}","<{{ name }}>",12.0]}"#),
            r#"{"n":1e400,"list":[null,"<TV>",12.0]}"#
        );
    }

    #[test]
    fn an_unknown_name_is_told_with_the_one_that_may_be_meant() {
        assert_eq!(
            filled(r#"["{{ nam }}"]"#),
            "line 1, column 4: there is no variable `nam`; did you mean `name`?"
        );
    }
}
