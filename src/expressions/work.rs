//! What filters, tests and operators share: what the evaluation may still cost, and how it writes values.

use std::cmp::Ordering;

use super::budget::Budget;
use super::error::Mistake;
use super::limits::BYTES_PER_STEP;
use super::render::{Manner, Output};
use super::value::Value;

pub(super) struct Work {
    pub(super) budget: Budget,
    pub(super) manner: Manner,
}

impl Work {
    pub(super) fn new(manner: Manner) -> Self {
        Self {
            budget: Budget::new(),
            manner,
        }
    }

    /// A new text of at most so many bytes, which is counted before it is made.
    pub(super) fn text(
        &self,
        bytes: usize,
        make: impl FnOnce() -> String,
    ) -> Result<Value, Mistake> {
        self.budget.make(bytes)?;
        Ok(Value::from(make()))
    }

    /// A value as text.
    pub(super) fn written(&self, value: &Value) -> Result<String, Mistake> {
        let mut output = Output::new(&self.budget, self.manner);
        output.value(value)?;
        Ok(output.finish())
    }

    /// What a value consists of: the items of a list, the names of an object, the characters of a text.
    pub(super) fn items(&self, value: &Value, what: &'static str) -> Result<Vec<Value>, Mistake> {
        let count = match value {
            Value::List(items) => items.len(),
            Value::Object(members) => members.len(),
            // Each character becomes a text of its own.
            Value::Text(text) => text.chars().count() * 2,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Json(_) => 0,
        };
        self.budget.items(count)?;
        match value {
            Value::List(items) => Ok(items.to_vec()),
            Value::Object(members) => Ok(members.keys().cloned().map(Value::Text).collect()),
            Value::Text(text) => {
                let sign = |c: char| Value::text(c.encode_utf8(&mut [0; 4]));
                Ok(text.chars().map(sign).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Json(_) => {
                Err(Mistake::Kind {
                    what,
                    wants: "a list",
                    is: value.kind(),
                })
            }
        }
    }

    /// Whether two values are the same, by the types of JSON. Shared parts are compared as often as they are there, so each costs a step.
    pub(super) fn same(&self, one: &Value, other: &Value) -> Result<bool, Mistake> {
        self.budget.step()?;
        match (one, other) {
            (Value::List(one), Value::List(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                for (one, other) in one.iter().zip(other.iter()) {
                    if !self.same(one, other)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(one), Value::Object(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                for (name, one) in one.iter() {
                    match other.get(name) {
                        Some(other) if self.same(one, other)? => {}
                        Some(_) | None => return Ok(false),
                    }
                }
                Ok(true)
            }
            (Value::Text(one), Value::Text(other)) => {
                self.budget.read(one)?;
                Ok(one == other)
            }
            (Value::Number(one), Value::Number(other)) => {
                self.budget
                    .steps((one.length() + other.length()) / BYTES_PER_STEP)?;
                Ok(one == other)
            }
            (Value::Json(one), Value::Json(other)) => {
                self.budget.read(one.as_str())?;
                Ok(one == other)
            }
            (one, other) => Ok(one == other),
        }
    }

    /// Which of two values comes first: numbers by size, texts by their characters. `operator` is for the error.
    pub(super) fn order(
        &self,
        one: &Value,
        other: &Value,
        operator: &'static str,
    ) -> Result<Ordering, Mistake> {
        self.budget.step()?;
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => Ok(one.order(other)),
            (Value::Text(one), Value::Text(other)) => {
                self.budget.read(one)?;
                Ok(one.cmp(other))
            }
            (Value::Bool(one), Value::Bool(other)) => Ok(one.cmp(other)),
            (Value::List(one), Value::List(other)) => {
                for (one, other) in one.iter().zip(other.iter()) {
                    let order = self.order(one, other, operator)?;
                    if order.is_ne() {
                        return Ok(order);
                    }
                }
                Ok(one.len().cmp(&other.len()))
            }
            (one, other) => Err(Mistake::Operands {
                operator,
                left: one.kind(),
                right: other.kind(),
            }),
        }
    }

    /// Whether a list has an item, an object a name, a text a part.
    pub(super) fn contains(&self, whole: &Value, part: &Value) -> Result<bool, Mistake> {
        self.budget.step()?;
        match (whole, part) {
            (Value::List(items), part) => {
                for item in items.iter() {
                    if self.same(item, part)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (Value::Object(members), Value::Text(name)) => Ok(members.contains_key(name)),
            (Value::Text(text), Value::Text(part)) => {
                self.budget.read(text)?;
                Ok(text.contains(&**part))
            }
            (whole, part) => Err(Mistake::Operands {
                operator: "in",
                left: part.kind(),
                right: whole.kind(),
            }),
        }
    }
}
