//! A text of the building file with expressions in it.
//!
//! Separate from templates because a text that is nothing but one expression keeps that expression's type, and because it has no blocks.

use std::sync::Arc;

use super::error::ExpressionError;
use super::evaluate::{Evaluation, Missing};
use super::expression::short_enough;
use super::limits::SOURCE_MAX_BYTES;
use super::read;
use super::render::Manner;
use super::scan::Form;
use super::scope::{Scope, Windows};
use super::tree::{Node, Part};
use super::value::Value;

/// A text in which `{{ … }}` is evaluated.
#[derive(Debug, Clone)]
pub struct Text(Content);

#[derive(Debug, Clone)]
enum Content {
    /// Without any expression.
    Plain(Arc<str>),
    /// One whole expression, whose type is kept.
    Whole(Node),
    /// Text around expressions, which makes text.
    Mixed(Vec<Part>),
}

impl Text {
    /// Reads a text whose expressions may call these functions of the outside, and `range`.
    pub fn parse(source: &str, functions: &[&str]) -> Result<Self, ExpressionError> {
        if !source.contains("{{") && !source.contains("{%") {
            // Most texts; nothing of them can be wrong, and none is too long.
            return Ok(Self(Content::Plain(Arc::from(source))));
        }
        short_enough(source, SOURCE_MAX_BYTES)?;
        let parts = read::parts(source, Form::Text, functions)?;
        Ok(Self(match <[Part; 1]>::try_from(parts) {
            Ok([Part::Value(node)]) => Content::Whole(node),
            Ok([Part::Literal(text)]) => Content::Plain(text),
            Ok(one) => Content::Mixed(one.into()),
            Err(parts) => Content::Mixed(parts),
        }))
    }

    /// Its value: that of its one whole expression, else a text, in which null is empty.
    pub fn evaluate(&self, scope: &Scope, windows: &dyn Windows) -> Result<Value, ExpressionError> {
        let begin = || Evaluation::begin(scope, windows, Missing::Error, Manner::Json);
        match &self.0 {
            Content::Plain(text) => Ok(Value::Text(text.clone())),
            Content::Whole(node) => begin()?.result(node),
            Content::Mixed(parts) => begin()?.text(parts).map(Value::from),
        }
    }
}
