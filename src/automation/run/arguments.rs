//! The variables that a procedure begins with.

use crate::expressions::{Scope, Value};
use crate::model::Variable;

/// Each parameter with its argument, and `event`. The error names a parameter without one.
///
/// An object gives arguments by name; a list gives them by position, and so does a single value. Arguments are data and never evaluated.
pub(super) fn scope(
    parameters: &[Variable],
    args: Option<&Value>,
    event: Value,
) -> Result<Scope, String> {
    let mut scope = Scope::new();
    for (place, parameter) in parameters.iter().enumerate() {
        let name = parameter.as_str();
        let given = match args {
            None => None,
            Some(Value::Object(members)) => members.get(name),
            Some(Value::List(items)) => items.get(place),
            Some(
                one @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Json(_)),
            ) => Some(one).filter(|_| place == 0),
        };
        match given {
            Some(value) => scope.set(name, value.clone()),
            None => return Err(format!("needs `{name}`, which it is not given")),
        }
    }
    scope.set("event", event);
    Ok(scope)
}
