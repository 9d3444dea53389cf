//! Expressions and templates of Jinja: what building files compute with, and what clients ask to be rendered.
//!
//! The grammar is MiniJinja's, which parses; the rest is ours, because whoever writes an expression may be a stranger:
//! each evaluation has a bound in steps and in bytes, makes nothing before it is counted, and says no value in its errors.
//! An expression does no I/O, reads no clock and sets nothing. What it may ask of the outside are the functions that its reader names, behind [`Windows`].
//!
//! - [`Expression`] is what stands in `if`, `in` and `while`; [`Text`] a string of the building file; [`Template`] what Home Assistant renders.
//! - [`Scope`] has the variables, each a [`Value`]; one of JSON comes back as it went in, number by number.

mod budget;
mod error;
mod evaluate;
mod expression;
mod filters;
mod json;
mod limits;
mod native;
mod number;
mod operators;
mod predicates;
mod read;
mod render;
mod scan;
mod scope;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod value;
mod work;

pub use error::{ExpressionError, Mistake, Position};
pub use evaluate::Missing;
pub use expression::Expression;
pub use native::native;
pub use number::Number;
pub use scope::{Closed, Refusal, Scope, Windows};
pub use template::Template;
pub use text::Text;
pub use value::{Object, Value, ValueKind};
