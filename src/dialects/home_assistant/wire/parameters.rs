//! What may stand in a command of the building's own, in the words that the dialect's own commands are refused by.
//!
//! Separate from the tables of commands, since these parameters are read from the building's file: their choices and limits are any JSON.

use serde_json::value::RawValue;

use crate::dialects::home_assistant::wire::object::{Object, text};
use crate::dialects::home_assistant::wire::repr;
use crate::dialects::home_assistant::wire::schema::{
    Path, Problems, is_entity_id, problems_of_command,
};
use crate::model::{CommandParameter, JsonText, ParameterKind, is_same_number};

/// What is wrong with a command that has these parameters beside its `id` and `type`; `None` when nothing is.
///
/// `whole` is the command as it came.
pub(in crate::dialects::home_assistant) fn problems_of_parameters(
    parameters: &[CommandParameter],
    command: &Object<'_>,
    whole: &RawValue,
) -> Option<String> {
    if parameters.is_empty() {
        return problems_of_command(&[], command, whole);
    }
    let mut problems = Problems::default();
    for parameter in parameters {
        let path = Path::of(&parameter.name);
        match command.get(&parameter.name) {
            Some(value) => {
                if let Some(wrong) = problem(parameter, value) {
                    problems.add_value(&wrong, &path, value.get());
                }
            }
            None if parameter.is_required && parameter.default.is_none() => {
                problems.add("required key not provided", &path, "null");
            }
            None => {}
        }
    }
    problems.refuse_others(command, &Path::root(), |name| {
        let is_known = parameters.iter().any(|parameter| parameter.name == name);
        is_known || matches!(name, "id" | "type")
    });
    problems.in_words()
}

/// The first thing that is wrong with a value.
fn problem(parameter: &CommandParameter, value: &RawValue) -> Option<String> {
    let json = JsonText::from_raw(value);
    if let Some(kind) = parameter.kind
        && !kind.fits(&json)
    {
        return Some(format!("expected {}", word(kind)));
    }
    if let Some(values) = &parameter.one_of
        && !values.iter().any(|one| is_same(one, &json))
    {
        let shown: Vec<String> = values.iter().map(|one| repr::shown(one.as_str())).collect();
        return Some(format!("value must be one of [{}]", shown.join(", ")));
    }
    // A limit says nothing of what is no number.
    if let Ok(number) = json.as_str().parse::<f64>() {
        if let Some(least) = &parameter.minimum
            && number < least.get()
        {
            return Some(format!("value must be at least {}", least.json()));
        }
        if let Some(most) = &parameter.maximum
            && number > most.get()
        {
            return Some(format!("value must be at most {}", most.json()));
        }
    }
    if parameter.is_entity_id {
        let Some(id) = text(value) else {
            return Some("expected str".to_owned());
        };
        let id = id.to_lowercase();
        return (!is_entity_id(&id)).then(|| format!("Entity ID {id} is an invalid entity ID"));
    }
    None
}

fn is_same(one: &JsonText, other: &JsonText) -> bool {
    one == other || is_same_number(one.as_str(), other.as_str())
}

/// What Python calls it.
fn word(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Text => "str",
        ParameterKind::Integer => "int",
        ParameterKind::Number => "float",
        ParameterKind::Boolean => "bool",
        ParameterKind::Array => "list",
        ParameterKind::Object => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CommandSchema;

    const SCHEMA: &str = r#"{"required": ["how"], "properties": {
        "how": {"type": "string"},
        "n": {"type": "integer", "minimum": 1, "maximum": 5},
        "level": {"type": "number", "minimum": 0.5},
        "mode": {"enum": ["a", 2, null]},
        "entity_id": {"format": "entity_id"}
    }}"#;

    /// What is wrong with a command that has `how` and this.
    fn wrong(more: &str) -> Option<String> {
        let schema = CommandSchema::read(&JsonText::parse(SCHEMA).unwrap()).unwrap();
        let command = format!(r#"{{"id":9,"type":"a/b"{more}}}"#);
        let whole: &RawValue = serde_json::from_str(&command).unwrap();
        let fields = Object::read(whole).unwrap();
        problems_of_parameters(schema.parameters(), &fields, whole)
    }

    #[test]
    fn each_keyword_has_the_words_of_the_commands_that_are_built_in() {
        for (more, expected) in [
            (
                r#""n":"x""#,
                "expected int for dictionary value @ data['n']. Got 'x'",
            ),
            (
                r#""n":9"#,
                "value must be at most 5 for dictionary value @ data['n']. Got 9",
            ),
            (
                r#""n":-1e400"#,
                "expected int for dictionary value @ data['n']. Got -1e400",
            ),
            (
                r#""level":0.25"#,
                "value must be at least 0.5 for dictionary value @ data['level']. Got 0.25",
            ),
            (
                r#""mode":"z""#,
                "value must be one of ['a', 2, None] for dictionary value @ data['mode']. Got 'z'",
            ),
            (
                r#""entity_id":"Bad""#,
                "Entity ID bad is an invalid entity ID for dictionary value @ data['entity_id']. Got 'Bad'",
            ),
            (
                r#""entity_id":null"#,
                "expected str for dictionary value @ data['entity_id']. Got None",
            ),
            (r#""zip":1"#, "extra keys not allowed @ data['zip']. Got 1"),
        ] {
            let found = wrong(&format!(r#","how":"so",{more}"#));
            assert_eq!(found.as_deref(), Some(expected));
        }
        assert_eq!(
            wrong("").as_deref(),
            Some("required key not provided @ data['how']. Got None")
        );
    }

    #[test]
    fn what_a_parameter_takes_is_no_problem() {
        for more in [
            r#","n":5.0,"level":0.5,"mode":2.0"#,
            r#","mode":null"#,
            r#","entity_id":"Media_Player.TV""#,
            r#","level":1e400"#,
        ] {
            assert_eq!(wrong(&format!(r#","how":"so"{more}"#)), None, "{more}");
        }
    }
}
