//! JSON of a building whose texts are evaluated: the arguments of a call, the data of an event.
//!
//! Separate from the expressions, which know one text at a time: what several texts make together has a bound of its own.

use std::sync::Arc;

use super::limits::FILLED_MAX_BYTES;
use crate::expressions::{ExpressionError, Object, Scope, Text, Value, Windows};
use crate::model::{EXPRESSION_FUNCTIONS, JsonText};

/// JSON with its texts read.
#[derive(Debug, Clone)]
pub(super) struct Filled(Part);

#[derive(Debug, Clone)]
enum Part {
    /// Nothing in it is evaluated.
    Fixed(Value),
    Text(Text),
    List(Vec<Part>),
    Object(Vec<(Arc<str>, Part)>),
}

/// Why texts could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfilled {
    /// An expression has failed.
    #[error("at {0}")]
    Expression(#[from] ExpressionError),
    /// All of them make too much.
    #[error("its texts make more than {FILLED_MAX_BYTES} bytes together")]
    TooLarge,
}

impl Filled {
    pub(super) fn parse(json: &JsonText) -> Result<Self, ExpressionError> {
        part(&Value::of_json(json)).map(Self)
    }

    pub(super) fn evaluate(&self, scope: &Scope, windows: &dyn Windows) -> Result<Value, Unfilled> {
        let mut left = FILLED_MAX_BYTES;
        self.0.evaluate(scope, windows, &mut left)
    }
}

/// Values nest no deeper than they are opened, so this calls itself no oftener.
fn part(value: &Value) -> Result<Part, ExpressionError> {
    let part = match value {
        Value::Text(text) if !text.contains("{{") && !text.contains("{%") => {
            Part::Fixed(value.clone())
        }
        Value::Text(text) => Part::Text(Text::parse(text, EXPRESSION_FUNCTIONS)?),
        Value::List(items) => {
            let parts: Vec<Part> = items.iter().map(part).collect::<Result<_, _>>()?;
            match parts.iter().all(Part::is_fixed) {
                true => Part::Fixed(value.clone()),
                false => Part::List(parts),
            }
        }
        Value::Object(members) => {
            let parts = members.iter();
            let parts = parts.map(|(name, value)| Ok((name.clone(), part(value)?)));
            let parts: Vec<(Arc<str>, Part)> = parts.collect::<Result<_, _>>()?;
            match parts.iter().all(|(_, part)| part.is_fixed()) {
                true => Part::Fixed(value.clone()),
                false => Part::Object(parts),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Json(_) => {
            Part::Fixed(value.clone())
        }
    };
    Ok(part)
}

impl Part {
    fn is_fixed(&self) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Text(_) | Self::List(_) | Self::Object(_) => false,
        }
    }

    fn evaluate(
        &self,
        scope: &Scope,
        windows: &dyn Windows,
        left: &mut usize,
    ) -> Result<Value, Unfilled> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Text(text) => {
                let value = text.evaluate(scope, windows)?;
                // An expression makes at most as much, so this ends soon.
                let bytes = value.to_json().as_str().len();
                *left = left.checked_sub(bytes).ok_or(Unfilled::TooLarge)?;
                Ok(value)
            }
            Self::List(parts) => {
                let items = parts.iter();
                let items = items.map(|part| part.evaluate(scope, windows, left));
                items.collect::<Result<Vec<_>, _>>().map(Value::from)
            }
            Self::Object(parts) => {
                let members = parts.iter().map(|(name, part)| {
                    let value = part.evaluate(scope, windows, left)?;
                    Ok((name.clone(), value))
                });
                members.collect::<Result<Object, _>>().map(Value::from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expressions::Closed;

    fn filled(json: &str) -> Result<String, Unfilled> {
        let big = "x".repeat(20_000);
        let scope = [
            ("who", Value::from("Ann")),
            ("n", Value::from(7_i64)),
            ("big", Value::from(big)),
        ];
        let filled = Filled::parse(&JsonText::parse(json).unwrap()).unwrap();
        let value = filled.evaluate(&scope.into_iter().collect(), &Closed);
        value.map(|value| value.to_json().as_str().to_owned())
    }

    #[test]
    fn texts_are_evaluated_and_all_else_stays() {
        let json = r#"{"a":["{{ n }}","{{ who }}!",1e400],"b":{"c":"plain","d":null}}"#;
        let expect = r#"{"a":[7,"Ann!",1e400],"b":{"c":"plain","d":null}}"#;
        assert_eq!(filled(json).unwrap(), expect);
    }

    #[test]
    fn what_several_texts_make_is_bounded_together() {
        let three = r#"["{{ big }}","{{ big }}","{{ big }}"]"#;
        assert!(filled(three).is_ok());
        let four = r#"["{{ big }}","{{ big }}",["{{ big }}","{{ big }}"]]"#;
        assert!(matches!(filled(four), Err(Unfilled::TooLarge)));
    }
}
