//! One expression, as it stands in `if`, `in` and `while`.

use super::error::{ExpressionError, Mistake, Position};
use super::evaluate::{Evaluation, Missing};
use super::limits::SOURCE_MAX_BYTES;
use super::read;
use super::render::Manner;
use super::scope::{Scope, Windows};
use super::tree::Node;
use super::value::Value;

/// An expression of Jinja, without `{{ }}` around it.
#[derive(Debug, Clone)]
pub struct Expression(Node);

impl Expression {
    /// Reads an expression that may call these functions of the outside, and `range`.
    pub fn parse(source: &str, functions: &[&str]) -> Result<Self, ExpressionError> {
        short_enough(source, SOURCE_MAX_BYTES)?;
        read::expression(source, functions).map(Self)
    }

    /// Its value. A variable that the scope does not have is an error; a key that an object does not have is null.
    pub fn evaluate(&self, scope: &Scope, windows: &dyn Windows) -> Result<Value, ExpressionError> {
        Evaluation::begin(scope, windows, Missing::Error, Manner::Json)?.result(&self.0)
    }
}

pub(super) fn short_enough(source: &str, most: usize) -> Result<(), ExpressionError> {
    match source.len() > most {
        true => Err(Mistake::TooLong { most }.at(Position::START)),
        false => Ok(()),
    }
}
