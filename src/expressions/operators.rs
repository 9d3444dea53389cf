//! The operators between two values, and the parts of a value.
//!
//! Whatever they make is counted before it is made.

use super::error::Mistake;
use super::limits::ITEM_BYTES;
use super::render::Output;
use super::tree::{Comparison, Operator};
use super::value::Value;
use super::work::Work;

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::DivideWhole => "//",
            Self::Modulo => "%",
            Self::Power => "**",
            Self::Concatenate => "~",
        }
    }
}

pub(super) fn binary(
    work: &Work,
    operator: Operator,
    left: &Value,
    right: &Value,
) -> Result<Value, Mistake> {
    if let (Value::Number(one), Value::Number(other)) = (left, right) {
        let number = match operator {
            Operator::Add => one.plus(other),
            Operator::Subtract => one.minus(other),
            Operator::Multiply => one.times(other),
            Operator::Divide => one.divided_by(other),
            Operator::DivideWhole => one.divided_whole(other),
            Operator::Modulo => one.modulo(other),
            Operator::Power => one.power(other),
            Operator::Concatenate => return concatenate(work, left, right),
        };
        return number.map(Value::Number);
    }
    match (operator, left, right) {
        (Operator::Concatenate, left, right) => concatenate(work, left, right),
        (Operator::Add, Value::Text(_), Value::Text(_)) => concatenate(work, left, right),
        (Operator::Add, Value::List(one), Value::List(other)) => {
            work.budget.items(one.len() + other.len())?;
            Ok(Value::list(
                one.iter().chain(other.iter()).cloned().collect(),
            ))
        }
        (Operator::Multiply, value, Value::Number(times))
        | (Operator::Multiply, Value::Number(times), value)
            if times.is_whole() =>
        {
            // Less than nothing is nothing, as in Jinja.
            let times = times.as_whole().ok_or(Mistake::NumberTooLarge)?.max(0);
            repeat(work, value, usize::try_from(times).unwrap_or(usize::MAX))
                .unwrap_or_else(|| Err(operands(operator, left, right)))
        }
        (
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::DivideWhole
            | Operator::Modulo
            | Operator::Power,
            left,
            right,
        ) => Err(operands(operator, left, right)),
    }
}

fn operands(operator: Operator, left: &Value, right: &Value) -> Mistake {
    Mistake::Operands {
        operator: operator.sign(),
        left: left.kind(),
        right: right.kind(),
    }
}

fn concatenate(work: &Work, left: &Value, right: &Value) -> Result<Value, Mistake> {
    let mut output = Output::new(&work.budget, work.manner);
    output.value(left)?;
    output.value(right)?;
    Ok(Value::from(output.finish()))
}

/// A text or a list so many times; `None` for what cannot be repeated.
fn repeat(work: &Work, value: &Value, times: usize) -> Option<Result<Value, Mistake>> {
    let once = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len().saturating_mul(ITEM_BYTES),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Json(_) => {
            return None;
        }
    };
    if let Err(mistake) = work.budget.make(once.saturating_mul(times)) {
        return Some(Err(mistake));
    }
    // Nothing, however often, is nothing.
    let times = if once == 0 { 0 } else { times };
    Some(Ok(match value {
        Value::Text(text) => Value::from(text.repeat(times)),
        Value::List(items) => Value::list(all(items, times)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Json(_) => {
            Value::Null
        }
    }))
}

fn all(items: &[Value], times: usize) -> Vec<Value> {
    let mut all = Vec::with_capacity(items.len().saturating_mul(times));
    for _ in 0..times {
        all.extend_from_slice(items);
    }
    all
}

pub(super) fn compare(
    work: &Work,
    comparison: Comparison,
    left: &Value,
    right: &Value,
) -> Result<bool, Mistake> {
    match comparison {
        Comparison::Equal => work.same(left, right),
        Comparison::Unequal => Ok(!work.same(left, right)?),
        Comparison::Less => Ok(work.order(left, right, "<")?.is_lt()),
        Comparison::LessOrEqual => Ok(work.order(left, right, "<=")?.is_le()),
        Comparison::Greater => Ok(work.order(left, right, ">")?.is_gt()),
        Comparison::GreaterOrEqual => Ok(work.order(left, right, ">=")?.is_ge()),
        Comparison::In => work.contains(right, left),
        Comparison::NotIn => Ok(!work.contains(right, left)?),
    }
}

/// A member of an object by its name, or an item of a list or text by its place, counted from 0 or, below it, from the end.
pub(super) fn item(work: &Work, of: &Value, key: &Value) -> Result<Option<Value>, Mistake> {
    match (of, key) {
        (Value::Object(members), Value::Text(name)) => Ok(members.get(name).cloned()),
        (Value::List(items), Value::Number(place)) => {
            let place = place_in(items.len(), place.as_whole());
            Ok(place.and_then(|place| items.get(place).cloned()))
        }
        (Value::Text(text), Value::Number(place)) => {
            work.budget.read(text)?;
            let place = place_in(text.chars().count(), place.as_whole());
            let sign = place.and_then(|place| text.chars().nth(place));
            Ok(sign.map(|sign| Value::text(sign.encode_utf8(&mut [0; 4]))))
        }
        (Value::Object(_), key) => Err(Mistake::Kind {
            what: "looking up a key of an object",
            wants: "a text",
            is: key.kind(),
        }),
        (of, Value::Number(_)) => Err(Mistake::Kind {
            what: "looking up an item by its place",
            wants: "a list",
            is: of.kind(),
        }),
        (of, _) => Err(Mistake::Kind {
            what: "looking up a key",
            wants: "an object",
            is: of.kind(),
        }),
    }
}

fn place_in(length: usize, place: Option<i128>) -> Option<usize> {
    let place = place?;
    let from_end = if place < 0 { length } else { 0 };
    usize::try_from(place + i128::try_from(from_end).ok()?).ok()
}

/// `of[start:stop:step]`.
pub(super) fn slice(
    work: &Work,
    of: &Value,
    [start, stop, step]: [Option<i128>; 3],
) -> Result<Value, Mistake> {
    let items = match of {
        Value::List(_) | Value::Text(_) => work.items(of, "a slice")?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Json(_) => {
            return Err(Mistake::Kind {
                what: "a slice",
                wants: "a list or a text",
                is: of.kind(),
            });
        }
    };
    let length = i128::try_from(items.len()).unwrap_or(i128::MAX);
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Mistake::DivisionByZero);
    }
    // Where a place beyond the ends lands depends on the direction.
    let (lowest, highest) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let place = |place: i128| {
        let place = if place < 0 { place + length } else { place };
        place.clamp(lowest, highest)
    };
    let (first, end) = if step > 0 {
        (0, length)
    } else {
        (length - 1, -1)
    };
    let mut at = start.map_or(first, place);
    let stop = stop.map_or(end, place);
    let mut taken = Vec::new();
    while if step > 0 { at < stop } else { at > stop } {
        work.budget.step()?;
        taken.extend(
            usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at).cloned()),
        );
        at = at.saturating_add(step);
    }
    if let Value::Text(_) = of {
        let text = taken.iter().filter_map(Value::as_text).collect::<String>();
        work.text(text.len(), || text)
    } else {
        Ok(Value::list(taken))
    }
}

/// `range(start, stop, step)`.
pub(super) fn range(work: &Work, bounds: &[i128]) -> Result<Value, Mistake> {
    let (mut at, stop, step) = match bounds {
        [stop] => (0, *stop, 1),
        [start, stop] => (*start, *stop, 1),
        [start, stop, step, ..] => (*start, *stop, *step),
        [] => (0, 0, 1),
    };
    if step == 0 {
        return Err(Mistake::DivisionByZero);
    }
    let distance = if step > 0 { stop - at } else { at - stop };
    let count = (distance.max(0) + step.abs() - 1) / step.abs();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    work.budget.items(count)?;
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        numbers.push(Value::Number(super::number::Number::whole(at)?));
        at += step;
    }
    Ok(Value::list(numbers))
}
