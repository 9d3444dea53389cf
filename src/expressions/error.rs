//! What can be wrong with an expression, in words for the person who wrote it.
//!
//! Separate because parsing, evaluating and every filter say it in these words.
//! No text here holds a value: names, kinds and bounds alone, so an error may be logged and sent to a client.

use std::fmt;

use super::limits::NAME_MAX_BYTES;
use super::value::ValueKind;
use crate::model::nearest;

/// Where something stands in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

impl Position {
    /// The beginning of the source.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position of a byte of the source.
    pub(super) fn of(source: &str, offset: usize) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[begin..].chars().count() + 1;
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            line: number(line),
            column: number(column),
        }
    }
}

/// One mistake and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    /// Where it is, in the source as it was given.
    pub at: Position,
    /// What it is.
    pub mistake: Mistake,
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, mistake } = self;
        write!(f, "line {}, column {}: {mistake}", at.line, at.column)
    }
}

impl std::error::Error for ExpressionError {}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The source is longer than it may be.
    #[error("it is longer than {most} bytes; let a shorter one do it, or several")]
    TooLong {
        /// The bound.
        most: usize,
    },
    /// The source is no expression.
    #[error("{detail}")]
    Syntax {
        /// What is there and what belongs there.
        detail: String,
    },
    /// The source nests too deeply.
    #[error("it has more than {most} operators or brackets within each other; split it up")]
    TooDeep {
        /// The bound.
        most: usize,
    },
    /// `{{ }}` inside of an expression.
    #[error("`{{{{ }}}}` is a mistake here, because all of this is one expression; leave it out")]
    Braces,
    /// A block that must not stand here.
    #[error("there is no block `{name}` here; {remedy}")]
    Block {
        /// Its first word.
        name: String,
        /// Which blocks there are.
        remedy: &'static str,
    },
    /// A block that nothing ends.
    #[error("nothing ends this `{name}`; write `{{% end{name} %}}` where it ends")]
    Unended {
        /// Its first word.
        name: String,
    },
    /// Something that Jinja has and expressions do not.
    #[error("{what} cannot be used here; {remedy}")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// A name that nothing has.
    #[error("there is no {what} `{name}`{}", suggestion(.meant.as_deref()))]
    Unknown {
        /// Variable, function, filter or test.
        what: &'static str,
        /// The name as written.
        name: String,
        /// The one that may be meant.
        meant: Option<String>,
    },
    /// Arguments that a filter, test or function does not take.
    #[error("`{of}` {wrong}")]
    Arguments {
        /// Whose.
        of: String,
        /// What is wrong with them.
        wrong: String,
    },
    /// A value of a kind that does not do here.
    #[error("{what} needs {wants}, and this is {is}")]
    Kind {
        /// What is to be done.
        what: &'static str,
        /// What it takes.
        wants: &'static str,
        /// What it got.
        is: ValueKind,
    },
    /// Two values that an operator cannot take together.
    #[error("`{operator}` does not go with {left} and {right}")]
    Operands {
        /// As written.
        operator: &'static str,
        /// The kind before it.
        left: ValueKind,
        /// The kind behind it.
        right: ValueKind,
    },
    /// A division by zero.
    #[error("this divides by zero; ask for the divisor first, as in `a / b if b else 0`")]
    DivisionByZero,
    /// A number that cannot be reckoned with, or a result that is none.
    #[error("this number does not fit in 64 bits, so it can be passed on but not reckoned with")]
    NumberTooLarge,
    /// A text that is no number.
    #[error("this text is no number; give a default, as in `{filter}(0)`")]
    NoNumber {
        /// The filter that was to read it.
        filter: &'static str,
    },
    /// The variables are larger than they may be together.
    #[error("the variables are larger than {most} bytes together; pass on less")]
    InputTooLarge {
        /// The bound.
        most: usize,
    },
    /// The result, or what is made on the way to it, is larger than it may be.
    #[error("this would make more than {most} bytes; make less of it")]
    TooLarge {
        /// The bound.
        most: usize,
    },
    /// The evaluation takes too long.
    #[error("this takes more than {most} steps; let it look at less")]
    TooMuchWork {
        /// The bound.
        most: usize,
    },
    /// A function of the outside refused.
    #[error("`{function}`: {reason}")]
    Refused {
        /// Which.
        function: String,
        /// Why, in the words of whoever offers the function.
        reason: String,
    },
}

impl Mistake {
    /// The mistake at a place.
    pub(super) fn at(self, at: Position) -> ExpressionError {
        ExpressionError { at, mistake: self }
    }

    /// A name that is none of the known ones.
    pub(super) fn unknown<'k>(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Self {
        Self::Unknown {
            what,
            name: name.to_owned(),
            meant: nearest_short(name, known).map(str::to_owned),
        }
    }
}

/// Comparing two names takes as long as both lengths multiplied, so only those of usual length are.
fn nearest_short<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let is_short = |name: &str| name.len() <= NAME_MAX_BYTES;
    match is_short(name) {
        true => nearest(name, known.into_iter().filter(|known| is_short(known))),
        false => None,
    }
}

fn suggestion(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}
