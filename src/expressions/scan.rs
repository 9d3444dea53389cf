//! A look over a source's tokens before it is parsed: how deeply it nests, and which blocks it has.
//!
//! Separate because the parser calls itself without a bound at `-`, `not`, `else` and `elif`, and takes a block that nothing ends;
//! and whoever drops, reads or evaluates a tree of thousands of levels overflows the stack too.
//! Where the tokens end in an error the scan ends, for the parser ends there as well and says it better.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::error::{ExpressionError, Mistake, Position};
use super::limits::NESTING_MAX;

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One expression.
    Expression,
    /// A text with `{{ }}` in it.
    Text,
    /// A text with `{{ }}`, `{% if %}` and `{% for %}` in it.
    Template,
}

pub(super) fn scan(source: &str, form: Form, syntax: SyntaxConfig) -> Result<(), ExpressionError> {
    let mut scan = Scan {
        form,
        levels: vec![0],
        total: 0,
        open: Vec::new(),
    };
    let mut before: Option<(Before, usize)> = None;
    for token in tokenize(source, form == Form::Expression, syntax) {
        let Ok((token, span)) = token else { break };
        let (start, end) = (offset(span.start_offset), offset(span.end_offset));
        let at = || Position::of(source, start);
        let is_block = matches!(before, Some((Before::BlockStart, _)));
        let is_second_brace = before == Some((Before::Brace, start));
        let taken = if let (Token::Ident(name), true) = (&token, is_block) {
            scan.block(name, at())
        } else if is_second_brace && form == Form::Expression && matches!(token, Token::BraceOpen) {
            Err(Mistake::Braces)
        } else {
            scan.token(&token)
        };
        taken.map_err(|mistake| mistake.at(at()))?;
        before = if matches!(token, Token::BlockStart) {
            Some((Before::BlockStart, end))
        } else if matches!(token, Token::BraceOpen) {
            Some((Before::Brace, end))
        } else {
            None
        };
    }
    match scan.open.pop() {
        Some((name, at)) => Err(Mistake::Unended {
            name: name.to_owned(),
        }
        .at(at)),
        None => Ok(()),
    }
}

fn offset(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// The token before, as far as it matters, and where it ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    BlockStart,
    Brace,
}

/// How many operators and brackets the tree has within each other at the present token, at most.
struct Scan {
    form: Form,
    /// For each open bracket and block the operators in it since its last comma, from outside inward.
    levels: Vec<usize>,
    /// Their sum.
    total: usize,
    /// The blocks that have begun.
    open: Vec<(&'static str, Position)>,
}

impl Scan {
    fn token(&mut self, token: &Token<'_>) -> Result<(), Mistake> {
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                // The parser takes two levels for one.
                self.deeper()?;
                self.deeper()?;
                self.levels.push(0);
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => self.leave(),
            Token::Comma
            | Token::Colon
            | Token::VariableStart
            | Token::VariableEnd
            | Token::BlockStart
            | Token::BlockEnd => self.begin_anew(),
            Token::Ident("and" | "or" | "not" | "is" | "in" | "if" | "else")
            | Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::FloorDiv
            | Token::Pow
            | Token::Mod
            | Token::Dot
            | Token::Tilde
            | Token::Pipe
            | Token::Eq
            | Token::Ne
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte => self.deeper()?,
            Token::TemplateData(_)
            | Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::Assign => {}
        }
        Ok(())
    }

    /// The first word of a block.
    fn block(&mut self, name: &str, at: Position) -> Result<(), Mistake> {
        let unknown = |remedy| {
            let name = name.to_owned();
            Err(Mistake::Block { name, remedy })
        };
        match self.form {
            Form::Template => {}
            Form::Expression | Form::Text => {
                return unknown("a text has `{{ }}` alone, as in `{{ a if b else c }}`");
            }
        }
        let within = self.open.last().map(|(name, _)| *name);
        match (name, within) {
            ("if", _) => self.enter("if", at),
            ("for", _) => self.enter("for", at),
            ("elif", Some("if")) => {
                // The parser nests the rest of the `if` in it.
                self.leave();
                self.deeper()?;
                self.levels.push(0);
                Ok(())
            }
            ("else", Some(_)) => Ok(()),
            ("endif", Some("if")) | ("endfor", Some("for")) => {
                self.open.pop();
                self.leave();
                Ok(())
            }
            ("elif" | "else" | "endif" | "endfor", _) => {
                unknown("no block that it belongs to has begun before it")
            }
            _ => unknown("a template has `if`, `elif`, `else` and `for`"),
        }
    }

    fn enter(&mut self, name: &'static str, at: Position) -> Result<(), Mistake> {
        self.open.push((name, at));
        self.deeper()?;
        self.levels.push(0);
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), Mistake> {
        self.total += 1;
        if let Some(level) = self.levels.last_mut() {
            *level += 1;
        }
        match self.total > NESTING_MAX {
            true => Err(Mistake::TooDeep { most: NESTING_MAX }),
            false => Ok(()),
        }
    }

    /// A bracket or block ends. One too many is for the parser to refuse.
    fn leave(&mut self) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.total -= level;
        }
    }

    /// What follows does not depend on the operators before it.
    fn begin_anew(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.total -= *level;
            *level = 0;
        }
    }
}
