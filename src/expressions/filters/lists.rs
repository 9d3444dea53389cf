//! The filters that take a list, or an object as a list of its names.

use std::cmp::Ordering;

use super::super::error::Mistake;
use super::super::number::Number;
use super::super::operators::item;
use super::super::predicates::{self, Predicate};
use super::super::render::Output;
use super::super::value::{Value, ValueKind};
use super::super::work::Work;
use super::{Arguments, find};

type Made = Result<Value, Mistake>;

pub(super) fn length(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    let length = match value {
        Value::Text(text) => text.chars().count(),
        Value::Object(members) => members.len(),
        Value::List(items) => items.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Json(_) => {
            work.items(value, "`length`")?.len()
        }
    };
    Ok(Value::from(u64::try_from(length).unwrap_or(u64::MAX)))
}

/// Null where there is none.
pub(super) fn first(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    let items = work.items(value, "`first`")?;
    Ok(items.into_iter().next().unwrap_or(Value::Null))
}

pub(super) fn last(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    let mut items = work.items(value, "`last`")?;
    Ok(items.pop().unwrap_or(Value::Null))
}

pub(super) fn list(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    work.items(value, "`list`").map(Value::list)
}

pub(super) fn reverse(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    let mut items = work.items(value, "`reverse`")?;
    items.reverse();
    if let Value::Text(text) = value {
        work.text(text.len(), || text.chars().rev().collect())
    } else {
        Ok(Value::list(items))
    }
}

/// In the alphabet's order without regard to case, unless that is asked for.
pub(super) fn sort(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    let mut keyed = keyed(work, value, args, "`sort`")?;
    let mut mistake = None;
    keyed.sort_by(|(one, _), (other, _)| {
        if mistake.is_some() {
            return Ordering::Equal;
        }
        let order = work.order(one, other, "<").unwrap_or_else(|found| {
            mistake = Some(found);
            Ordering::Equal
        });
        if args.is_true("reverse") {
            order.reverse()
        } else {
            order
        }
    });
    match mistake {
        Some(mistake) => Err(mistake),
        None => Ok(Value::list(
            keyed.into_iter().map(|(_, item)| item).collect(),
        )),
    }
}

/// Each once, the first of its kind.
pub(super) fn unique(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    let mut seen: Vec<Value> = Vec::new();
    let mut kept = Vec::new();
    'items: for (key, item) in keyed(work, value, args, "`unique`")? {
        for known in &seen {
            if work.same(known, &key)? {
                continue 'items;
            }
        }
        seen.push(key);
        kept.push(item);
    }
    Ok(Value::list(kept))
}

pub(super) fn min(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    best(work, keyed(work, value, args, "`min`")?, Ordering::Less)
}

pub(super) fn max(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    best(work, keyed(work, value, args, "`max`")?, Ordering::Greater)
}

/// The first that is before, or behind, all others; null of none.
fn best(work: &Work, keyed: Vec<(Value, Value)>, better: Ordering) -> Made {
    let mut best: Option<(Value, Value)> = None;
    for (key, item) in keyed {
        let is_better = match &best {
            Some((known, _)) => work.order(&key, known, "<")? == better,
            None => true,
        };
        if is_better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(Value::Null, |(_, item)| item))
}

pub(super) fn sum(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    let as_number = |value: &Value| value.number_for("`sum`").cloned();
    let start = args.get("start").map(as_number).transpose()?;
    let mut sum = start.unwrap_or_else(|| Number::from(0_u64));
    for item in work.items(value, "`sum`")? {
        let item = attribute(work, &item, args.get("attribute"))?;
        sum = sum.plus(&as_number(&item.unwrap_or(Value::Null))?)?;
    }
    Ok(Value::Number(sum))
}

pub(super) fn join(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    let separator = args.text("separator")?.unwrap_or_default();
    let mut output = Output::new(&work.budget, work.manner);
    for (index, item) in work.items(value, "`join`")?.iter().enumerate() {
        if index > 0 {
            output.push(separator)?;
        }
        if let Some(item) = attribute(work, item, args.get("attribute"))? {
            output.value(&item)?;
        }
    }
    Ok(Value::from(output.finish()))
}

/// Of each item an attribute, or what a filter makes of it.
pub(super) fn map(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    let filter = match (args.text("filter")?, args.get("attribute")) {
        (None, Some(_)) => None,
        (Some(name), None) => {
            // It was known when the source was read.
            Some(find(name).ok_or_else(|| args.wrong("filter", "the name of a filter"))?)
        }
        _ => return Err(args.wrong("attribute", "either a filter or an attribute")),
    };
    let argument = args.get("argument").cloned();
    let given: Vec<Option<Value>> = match filter {
        // A filter that takes none ignores it; one that needs more than one says what is missing.
        Some(filter) => (0..filter.parameters.len())
            .map(|place| argument.clone().filter(|_| place == 0))
            .collect(),
        None => Vec::new(),
    };
    let mut made = Vec::new();
    for item in work.items(value, "`map`")? {
        made.push(match filter {
            Some(filter) => filter.apply(work, &item, &given)?,
            None => attribute(work, &item, args.get("attribute"))?
                .or_else(|| args.get("default").cloned())
                .unwrap_or(Value::Null),
        });
    }
    Ok(Value::list(made))
}

pub(super) fn select(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    chosen(work, value, args, true)
}

pub(super) fn reject(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    chosen(work, value, args, false)
}

pub(super) fn selectattr(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    chosen(work, value, args, true)
}

pub(super) fn rejectattr(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    chosen(work, value, args, false)
}

/// The items that a test holds for, or does not; without a test, those that are true.
fn chosen(work: &Work, value: &Value, args: Arguments<'_>, wanted: bool) -> Made {
    let test = args
        .text("test")?
        .map(|name| predicates::find(name).ok_or_else(|| args.wrong("test", "the name of a test")))
        .transpose()?;
    let mut kept = Vec::new();
    for item in work.items(value, "choosing of a list")? {
        let tested = attribute(work, &item, args.get("attribute"))?;
        if holds(work, test, tested.as_ref(), args.get("other"))? == wanted {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

/// Whether there is a value is the one thing that can be asked of a missing one.
fn holds(
    work: &Work,
    test: Option<&Predicate>,
    value: Option<&Value>,
    other: Option<&Value>,
) -> Result<bool, Mistake> {
    match (test, value) {
        (Some(test), None) if test.name == predicates::DEFINED => Ok(false),
        (Some(test), None) if test.name == predicates::UNDEFINED => Ok(true),
        (Some(test), value) => test.holds(work, value.unwrap_or(&Value::Null), other),
        (None, value) => Ok(value.is_some_and(Value::is_true)),
    }
}

pub(super) fn items(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    let members = members(value, "`items`")?;
    work.budget.items(members.len().saturating_mul(3))?;
    let pair = |(name, value): (&std::sync::Arc<str>, &Value)| {
        Value::list(vec![Value::Text(name.clone()), value.clone()])
    };
    Ok(Value::list(members.iter().map(pair).collect()))
}

pub(super) fn keys(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    members(value, "`keys`")?;
    work.items(value, "`keys`").map(Value::list)
}

pub(super) fn values(work: &Work, value: &Value, _: Arguments<'_>) -> Made {
    let members = members(value, "`values`")?;
    work.budget.items(members.len())?;
    Ok(Value::list(members.values().cloned().collect()))
}

pub(super) fn get(work: &Work, value: &Value, args: Arguments<'_>) -> Made {
    members(value, "`get`")?;
    let key = args.get("key").unwrap_or(&Value::Null);
    let default = || args.get("default").cloned().unwrap_or(Value::Null);
    Ok(item(work, value, key)?.unwrap_or_else(default))
}

fn members<'v>(
    value: &'v Value,
    what: &'static str,
) -> Result<&'v super::super::value::Object, Mistake> {
    match value {
        Value::Object(members) => Ok(members),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Json(_) => Err(Mistake::Kind {
            what,
            wants: "an object",
            is: value.kind(),
        }),
    }
}

/// Each item behind what it is compared by.
fn keyed(
    work: &Work,
    value: &Value,
    args: Arguments<'_>,
    what: &'static str,
) -> Result<Vec<(Value, Value)>, Mistake> {
    let mut keyed = Vec::new();
    for item in work.items(value, what)? {
        let key = attribute(work, &item, args.get("attribute"))?.unwrap_or(Value::Null);
        let key = if let Value::Text(text) = &key
            && !args.is_true("case_sensitive")
        {
            work.text(text.len() * 3, || text.to_lowercase())?
        } else {
            key
        };
        keyed.push((key, item));
    }
    Ok(keyed)
}

/// What stands at `a.b.0` of an item; the item itself where no attribute is asked for.
fn attribute(work: &Work, of: &Value, path: Option<&Value>) -> Result<Option<Value>, Mistake> {
    let path = match path {
        None | Some(Value::Null) => return Ok(Some(of.clone())),
        Some(Value::Text(path)) => path,
        Some(place) => return item(work, of, place),
    };
    work.budget.read(path)?;
    let mut at = of.clone();
    for part in path.split('.') {
        work.budget.step()?;
        let key = match (at.kind(), part.parse::<u64>()) {
            (ValueKind::List, Ok(place)) => Value::from(place),
            _ => Value::from(part),
        };
        match item(work, &at, &key)? {
            Some(value) => at = value,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}
