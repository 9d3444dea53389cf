//! How a value becomes text, within a bound.
//!
//! Separate because `~`, `join` and everything that is put out write by the same rules, and all through the one writer that counts.

use super::budget::Budget;
use super::error::Mistake;
use super::json;
use super::limits::OUTPUT_MAX_BYTES;
use super::value::Value;

/// In whose way values are written inside of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As JSON writes them, and null as nothing.
    Json,
    /// As Python prints them: `True`, `None`, `['a', 1]`.
    Python,
}

/// A text that is being made: refused as soon as it grows beyond the bound, before it does.
pub(super) struct Output<'b> {
    text: String,
    budget: &'b Budget,
    manner: Manner,
}

impl<'b> Output<'b> {
    pub(super) fn new(budget: &'b Budget, manner: Manner) -> Self {
        Self::behind(String::new(), budget, manner)
    }

    /// What comes behind a text that has been counted.
    pub(super) fn behind(text: String, budget: &'b Budget, manner: Manner) -> Self {
        Self {
            text,
            budget,
            manner,
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn push(&mut self, piece: &str) -> Result<(), Mistake> {
        if piece.len() > OUTPUT_MAX_BYTES - self.text.len() {
            return Err(TOO_LARGE);
        }
        self.budget.make(piece.len())?;
        self.text.push_str(piece);
        Ok(())
    }

    /// A value as it stands in a text.
    pub(super) fn value(&mut self, value: &Value) -> Result<(), Mistake> {
        match (value, self.manner) {
            (Value::Text(text), _) => self.push(text),
            (Value::Null, Manner::Json) => Ok(()),
            (value, Manner::Json) => self.json(value),
            (value, Manner::Python) => self.python(value),
        }
    }

    pub(super) fn json(&mut self, value: &Value) -> Result<(), Mistake> {
        self.budget.step()?;
        let mut left = OUTPUT_MAX_BYTES - self.text.len();
        if !value.fits(&mut left) {
            return Err(TOO_LARGE);
        }
        let mut text = String::new();
        json::write(value, &mut text);
        self.push(&text)
    }

    fn python(&mut self, value: &Value) -> Result<(), Mistake> {
        self.budget.step()?;
        match value {
            Value::Null => self.push("None"),
            Value::Bool(true) => self.push("True"),
            Value::Bool(false) => self.push("False"),
            Value::Number(number) => self.push(&number.as_python().to_string()),
            Value::Text(text) => self.python_text(text),
            Value::Json(json) => self.push(json.as_str()),
            Value::List(items) => {
                self.push("[")?;
                for (index, item) in items.iter().enumerate() {
                    self.push(if index > 0 { ", " } else { "" })?;
                    self.python(item)?;
                }
                self.push("]")
            }
            Value::Object(members) => {
                self.push("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    self.push(if index > 0 { ", " } else { "" })?;
                    self.python_text(name)?;
                    self.push(": ")?;
                    self.python(value)?;
                }
                self.push("}")
            }
        }
    }

    /// In single quotes, unless it has such and no double ones.
    fn python_text(&mut self, text: &str) -> Result<(), Mistake> {
        let quote = match text.contains('\'') && !text.contains('"') {
            true => '"',
            false => '\'',
        };
        let mut sign = [0; 4];
        self.push(quote.encode_utf8(&mut sign))?;
        for c in text.chars() {
            match c {
                '\n' => self.push("\\n")?,
                '\r' => self.push("\\r")?,
                '\t' => self.push("\\t")?,
                '\\' => self.push("\\\\")?,
                c if c == quote => {
                    self.push("\\")?;
                    self.push(c.encode_utf8(&mut sign))?;
                }
                c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                    self.push(&format!("\\x{:02x}", u32::from(c)))?;
                }
                c => self.push(c.encode_utf8(&mut sign))?,
            }
        }
        self.push(quote.encode_utf8(&mut sign))
    }
}

const TOO_LARGE: Mistake = Mistake::TooLarge {
    most: OUTPUT_MAX_BYTES,
};
