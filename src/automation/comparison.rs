//! Whether a status compares with a value as a condition says, by the types of JSON.

use std::cmp::Ordering;

use crate::expressions::{Number, Value};
use crate::model::{JsonText, Operator};

/// What a condition compares a status with.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    is: Operator,
    than: Value,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// It is so.
    Holds,
    /// It is not.
    HoldsNot,
    /// There is no larger and smaller between the two, and both are there.
    Error,
}

impl Comparison {
    pub(super) fn new(is: Operator, than: &JsonText) -> Self {
        let than = Value::of_json(than);
        Self { is, than }
    }

    /// Compares a status, which is null where it is not set.
    pub(super) fn of(&self, status: Option<&JsonText>) -> Compared {
        let status = status.map_or(Value::Null, Value::of_json);
        // A status that is not set yet is no fault of anybody.
        let is_unset = status == Value::Null;
        let ordered = |fits: fn(Ordering) -> bool| {
            let numbers = (status.as_number(), self.than.as_number());
            let (Some(status), Some(than)) = numbers else {
                return match is_unset {
                    true => Compared::HoldsNot,
                    false => Compared::Error,
                };
            };
            holds(order(status, than).is_some_and(fits))
        };
        match self.is {
            Operator::Equal => holds(status == self.than),
            Operator::NotEqual => holds(status != self.than),
            Operator::Greater => ordered(Ordering::is_gt),
            Operator::GreaterOrEqual => ordered(Ordering::is_ge),
            Operator::Less => ordered(Ordering::is_lt),
            Operator::LessOrEqual => ordered(Ordering::is_le),
        }
    }
}

fn holds(holds: bool) -> Compared {
    match holds {
        true => Compared::Holds,
        false => Compared::HoldsNot,
    }
}

/// Whole numbers to the last digit, others as the nearest floats.
fn order(one: &Number, other: &Number) -> Option<Ordering> {
    if one == other {
        return Some(Ordering::Equal);
    }
    match (one.as_whole(), other.as_whole()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        (Some(_), None) | (None, Some(_)) | (None, None) => {
            one.as_f64().partial_cmp(&other.as_f64())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: Option<&str>, sign: &str, than: &str, expect: Compared) {
        let json = |text: &str| JsonText::parse(text).unwrap();
        let comparison = Comparison::new(Operator::of(sign).unwrap(), &json(than));
        let status = status.map(json);
        assert_eq!(
            comparison.of(status.as_ref()),
            expect,
            "{status:?} {sign} {than}"
        );
    }

    #[test]
    fn values_are_the_same_by_their_types() {
        use Compared::{Holds, HoldsNot};
        check(Some("1"), "==", "1.0", Holds);
        check(Some("\"true\""), "==", "true", HoldsNot);
        check(Some("\"1\""), "==", "1", HoldsNot);
        check(
            Some("{\"a\":1,\"b\":[2]}"),
            "==",
            "{\"b\":[2.0],\"a\":1}",
            Holds,
        );
        check(None, "==", "null", Holds);
        check(None, "!=", "1", Holds);
        check(Some("\"a\""), "!=", "\"a\"", HoldsNot);
    }

    #[test]
    fn numbers_have_an_order_and_nothing_else_has() {
        use Compared::{Error, Holds, HoldsNot};
        check(Some("26.5"), ">", "26", Holds);
        check(Some("26"), ">", "26", HoldsNot);
        check(Some("26.0"), ">=", "26", Holds);
        check(Some("-1e3"), "<", "0", Holds);
        check(Some("9007199254740993"), ">", "9007199254740992", Holds);
        check(Some("1e400"), "<=", "5", HoldsNot);
        check(Some("\"27\""), ">", "26", Error);
        check(Some("true"), ">=", "0", Error);
        check(None, "<", "26", HoldsNot);
        check(Some("null"), ">=", "0", HoldsNot);
        check(Some("1"), "<", "\"2\"", Error);
    }
}
