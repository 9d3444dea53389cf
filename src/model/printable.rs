//! Makes foreign text fit for one line that people read: characters that could end the line, drive a terminal or turn the order of letters around are escaped.
//!
//! It is a word of the model because the log and the terminal client both need it, and must agree on it.

use std::borrow::Cow;
use std::fmt;

/// Whether a character in a line of a log or on a terminal could make it look like something else:
/// a control character (line ends and escape sequences among them), a separator of lines or paragraphs, or one that turns the direction of writing.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

/// The text with such characters escaped as Rust writes them: `\n`, `\u{1b}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_unprintable(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Writes text on with such characters escaped, for what is formatted piece by piece.
#[derive(Debug)]
pub struct PrintableWriter<W>(pub W);

impl<W: fmt::Write> fmt::Write for PrintableWriter<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(&printable(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_line_or_drives_a_terminal_is_escaped() {
        for (text, shown) in [
            ("lamp hot", "lamp hot"),
            ("a\r\nb\u{1b}[31m", "a\\r\\nb\\u{1b}[31m"),
            ("\0\t\u{7f}\u{85}\u{9b}", "\\u{0}\\t\\u{7f}\\u{85}\\u{9b}"),
            ("a\u{2028}b\u{2029}c", "a\\u{2028}b\\u{2029}c"),
            (
                "\u{202e}ecived\u{202c}\u{2066}\u{200f}",
                "\\u{202e}ecived\\u{202c}\\u{2066}\\u{200f}",
            ),
            ("Küche 3 – 会議室 🎥", "Küche 3 – 会議室 🎥"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
