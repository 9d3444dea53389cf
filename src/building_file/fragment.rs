//! A text of YAML that is one map, as JSON: settings as people write them where there is no building file around them.

use super::node::{Kind, Node, json_text};
use crate::model::JsonText;

/// The map that a text is; a text with nothing in it is the empty one. Nothing is filled in.
///
/// # Errors
///
/// What is wrong with the text, without what stands in it, which may be a password.
pub fn map_of(text: &str) -> Result<JsonText, String> {
    let node = Node::read(text).map_err(|problem| {
        let line = problem.at.line;
        format!("is no YAML at line {line}: {}", problem.kind)
    })?;
    match node.kind {
        Kind::Null => return Ok(JsonText::empty_object()),
        Kind::Map(_) => {}
        Kind::Bool(_) | Kind::Number(_) | Kind::Digits | Kind::Text(_) | Kind::List(_) => {
            return Err("must be a map".to_owned());
        }
    }
    let mut odd = None;
    let json = node.to_json(&mut |node| match &node.kind {
        Kind::Null | Kind::List(_) | Kind::Map(_) => "null".to_owned(),
        Kind::Bool(truth) => truth.to_string(),
        Kind::Number(number) => number.clone(),
        Kind::Text(text) => json_text(text),
        Kind::Digits => {
            odd = Some(node.at.line);
            "null".to_owned()
        }
    });
    match odd {
        Some(line) => Err(format!(
            "has a number at line {line} that JSON would not give back; put it into quotes"
        )),
        None => JsonText::parse(&json).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_yaml_is_json_and_all_else_is_refused_without_a_word_of_it() {
        let json = |text| map_of(text).map(|json| json.as_str().to_owned());
        assert_eq!(
            json("a: 1.50\nb: [x, null]").unwrap(),
            r#"{"a":1.5,"b":["x",null]}"#
        );
        assert_eq!(json(r#"{"a": true}"#).unwrap(), r#"{"a":true}"#);
        assert_eq!(json("").unwrap(), "{}");
        for wrong in ["hunter2", "- hunter2", "a: hunter2\n b: x", "a: 0123"] {
            let said = json(wrong).unwrap_err();
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
