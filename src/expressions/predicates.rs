//! The tests behind `is`, as in `x is number`: one row each.

use super::error::Mistake;
use super::number::Number;
use super::value::Value;
use super::work::Work;

/// A test by its name.
pub(super) struct Predicate {
    pub(super) name: &'static str,
    /// Whether it compares with another value.
    pub(super) takes_other: bool,
    run: fn(&Work, &Value, &Value) -> Result<bool, Mistake>,
}

impl std::fmt::Debug for Predicate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Predicate {
    /// Whether it holds. A missing other is null.
    pub(super) fn holds(
        &self,
        work: &Work,
        value: &Value,
        other: Option<&Value>,
    ) -> Result<bool, Mistake> {
        work.budget.step()?;
        (self.run)(work, value, other.unwrap_or(&Value::Null))
    }
}

/// Whether there is a value at all: the evaluation answers it, for a test only gets values.
pub(super) const DEFINED: &str = "defined";
pub(super) const UNDEFINED: &str = "undefined";

pub(super) fn find(name: &str) -> Option<&'static Predicate> {
    PREDICATES.iter().find(|known| known.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PREDICATES.iter().map(|known| known.name)
}

const fn kind(
    name: &'static str,
    run: fn(&Work, &Value, &Value) -> Result<bool, Mistake>,
) -> Predicate {
    Predicate {
        name,
        takes_other: false,
        run,
    }
}

const fn with_other(
    name: &'static str,
    run: fn(&Work, &Value, &Value) -> Result<bool, Mistake>,
) -> Predicate {
    Predicate {
        name,
        takes_other: true,
        run,
    }
}

static PREDICATES: &[Predicate] = &[
    kind(DEFINED, |_, _, _| Ok(true)),
    kind(UNDEFINED, |_, _, _| Ok(false)),
    kind("none", |_, value, _| Ok(matches!(value, Value::Null))),
    kind("boolean", |_, value, _| Ok(matches!(value, Value::Bool(_)))),
    kind("true", |_, value, _| Ok(matches!(value, Value::Bool(true)))),
    kind("false", |_, value, _| {
        Ok(matches!(value, Value::Bool(false)))
    }),
    kind("number", |_, value, _| {
        Ok(matches!(value, Value::Number(_)))
    }),
    kind("integer", |_, value, _| {
        Ok(value.as_number().is_some_and(Number::is_whole))
    }),
    kind("float", |_, value, _| {
        Ok(value.as_number().is_some_and(|number| !number.is_whole()))
    }),
    kind("string", |_, value, _| Ok(matches!(value, Value::Text(_)))),
    kind("mapping", |_, value, _| {
        Ok(matches!(value, Value::Object(_)))
    }),
    kind("sequence", |_, value, _| {
        Ok(matches!(value, Value::List(_) | Value::Text(_)))
    }),
    kind("iterable", |_, value, _| {
        Ok(matches!(
            value,
            Value::List(_) | Value::Text(_) | Value::Object(_)
        ))
    }),
    kind("odd", |_, value, _| {
        Ok(!divides(value, &Value::from(2_u64))?)
    }),
    kind("even", |_, value, _| divides(value, &Value::from(2_u64))),
    with_other("divisibleby", |_, value, other| divides(value, other)),
    with_other("eq", Work::same),
    with_other("equalto", Work::same),
    with_other("==", Work::same),
    with_other("sameas", Work::same),
    with_other("ne", |work, value, other| Ok(!work.same(value, other)?)),
    with_other("!=", |work, value, other| Ok(!work.same(value, other)?)),
    with_other("lt", |work, value, other| {
        Ok(work.order(value, other, "<")?.is_lt())
    }),
    with_other("lessthan", |work, value, other| {
        Ok(work.order(value, other, "<")?.is_lt())
    }),
    with_other("<", |work, value, other| {
        Ok(work.order(value, other, "<")?.is_lt())
    }),
    with_other("le", |work, value, other| {
        Ok(work.order(value, other, "<=")?.is_le())
    }),
    with_other("<=", |work, value, other| {
        Ok(work.order(value, other, "<=")?.is_le())
    }),
    with_other("gt", |work, value, other| {
        Ok(work.order(value, other, ">")?.is_gt())
    }),
    with_other("greaterthan", |work, value, other| {
        Ok(work.order(value, other, ">")?.is_gt())
    }),
    with_other(">", |work, value, other| {
        Ok(work.order(value, other, ">")?.is_gt())
    }),
    with_other("ge", |work, value, other| {
        Ok(work.order(value, other, ">=")?.is_ge())
    }),
    with_other(">=", |work, value, other| {
        Ok(work.order(value, other, ">=")?.is_ge())
    }),
    with_other("in", |work, value, other| work.contains(other, value)),
];

fn divides(value: &Value, by: &Value) -> Result<bool, Mistake> {
    let (value, by) = (value.number_for("this test")?, by.number_for("this test")?);
    Ok(value.modulo(by)?.is_zero())
}
