//! Which value a rendered text is, by Home Assistant's rule: a literal of Python becomes what it says, and everything else stays text.
//!
//! Separate because it reads another language, a small part of Python's, from text that no expression is read from.

use std::sync::Arc;

use super::limits::VALUE_DEPTH_MAX;
use super::number::Number;
use super::value::{Object, Value};
use crate::model::is_json_number;

/// Reads a rendered text, without the white space around it.
///
/// A text in quotes stays as it is, quotes included, and a number counts only as it is usually written: `012` and `1e3` are texts.
pub fn native(rendered: &str) -> Value {
    let text = rendered.trim();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let is_text = text.starts_with(['\'', '"']);
    let value = match (is_number, is_text) {
        (true, _) => usual_number(text),
        (_, true) => None,
        _ => {
            let mut literal = Literal { rest: text };
            literal
                .value(VALUE_DEPTH_MAX)
                .filter(|_| literal.rest.is_empty())
        }
    };
    value.unwrap_or_else(|| Value::text(text))
}

/// A sign, digits without a zero in front, and perhaps a point.
fn usual_number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_usual = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !(digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit));
    is_usual.then(|| number(text)).flatten()
}

/// A number in Python's grammar, as far as JSON has it: `5.` and `.5` are numbers too.
fn number(text: &str) -> Option<Value> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let before = if digits.starts_with('.') { "0" } else { "" };
    let behind = if digits.ends_with('.') { "0" } else { "" };
    let plain = format!("{sign}{before}{digits}{behind}");
    let is_number = digits.len() > usize::from(digits.contains('.')) && is_json_number(&plain);
    if !is_number {
        return None;
    }
    Some(Value::Number(Number::of_json(&plain).as_python()))
}

/// What has not been read of a literal.
struct Literal<'t> {
    rest: &'t str,
}

impl<'t> Literal<'t> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        match first {
            '[' => self.items(']', depth.checked_sub(1)?).map(Value::list),
            '(' => self.tuple(depth.checked_sub(1)?),
            '{' => self.members(depth.checked_sub(1)?),
            '\'' | '"' => self.text(first).map(Value::Text),
            _ => {
                let is_end = |c: char| c.is_whitespace() || ",:[](){}'\"".contains(c);
                match self.take(self.rest.find(is_end).unwrap_or(self.rest.len())) {
                    "None" => Some(Value::Null),
                    "True" => Some(Value::Bool(true)),
                    "False" => Some(Value::Bool(false)),
                    word => number(word),
                }
            }
        }
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn takes(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        self.rest = rest.strip_prefix(sign).unwrap_or(rest);
        self.rest.len() < rest.len()
    }

    fn items(&mut self, end: char, depth: usize) -> Option<Vec<Value>> {
        self.take(1);
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.value(depth)?);
            if !self.takes(',') {
                return self.takes(end).then_some(items);
            }
        }
        Some(items)
    }

    /// Without a comma it is no tuple but brackets around a value.
    fn tuple(&mut self, depth: usize) -> Option<Value> {
        let before = self.rest;
        let mut items = self.items(')', depth)?;
        let read = &before[..before.len() - self.rest.len() - 1];
        match items.len() == 1 && !read.trim_end().ends_with(',') {
            true => items.pop(),
            false => Some(Value::list(items)),
        }
    }

    /// Keys that are no texts stay with Python: JSON has none.
    fn members(&mut self, depth: usize) -> Option<Value> {
        self.take(1);
        let mut members = Object::new();
        while !self.takes('}') {
            let Some(Value::Text(name)) = self.value(depth) else {
                return None;
            };
            if !self.takes(':') {
                return None;
            }
            members.insert(name, self.value(depth)?);
            if !self.takes(',') {
                return self.takes('}').then(|| Value::from(members));
            }
        }
        Some(Value::from(members))
    }

    fn text(&mut self, quote: char) -> Option<Arc<str>> {
        self.take(1);
        let mut text = String::new();
        let mut signs = self.rest.chars();
        loop {
            match signs.next()? {
                c if c == quote => break,
                '\n' => return None,
                '\\' => text.push(escaped(&mut signs)?),
                c => text.push(c),
            }
        }
        self.rest = signs.as_str();
        Some(Arc::from(text))
    }
}

/// What stands behind a backslash.
fn escaped(signs: &mut std::str::Chars<'_>) -> Option<char> {
    match signs.next()? {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        c @ ('\\' | '\'' | '"') => Some(c),
        'x' => coded(signs, 2),
        'u' => coded(signs, 4),
        _ => None,
    }
}

fn coded(signs: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + signs.next()?.to_digit(16)?;
    }
    char::from_u32(code)
}
