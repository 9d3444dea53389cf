//! A template as Home Assistant's clients send it: expressions with `if` and `for` around them, rendered to text.
//!
//! It sets no variables and defines no macros: what can be named can be doubled.

use super::error::ExpressionError;
use super::evaluate::{Evaluation, Missing};
use super::expression::short_enough;
use super::limits::TEMPLATE_MAX_BYTES;
use super::read;
use super::render::Manner;
use super::scan::Form;
use super::scope::{Scope, Windows};
use super::tree::Part;

/// A template of Jinja with `{{ }}`, `{% if %}` and `{% for %}`.
#[derive(Debug, Clone)]
pub struct Template(Vec<Part>);

impl Template {
    /// Reads a template that may call these functions of the outside, and `range`.
    pub fn parse(source: &str, functions: &[&str]) -> Result<Self, ExpressionError> {
        short_enough(source, TEMPLATE_MAX_BYTES)?;
        read::parts(source, Form::Template, functions).map(Self)
    }

    /// Renders it. Values are written as Python prints them; [`native`](super::native()) says which value the text is then.
    pub fn render(
        &self,
        scope: &Scope,
        windows: &dyn Windows,
        missing: Missing,
    ) -> Result<String, ExpressionError> {
        Evaluation::begin(scope, windows, missing, Manner::Python)?.text(&self.0)
    }
}
