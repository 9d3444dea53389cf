//! One event is one line of the log, whatever clients and drivers say: what could end it, drive a terminal or turn it around is escaped.
//!
//! In text every value of every field is escaped while it is written, so that the colours of the line itself stay.
//! In JSON such characters stand within strings alone, so the finished line is escaped as JSON does it and stays the same JSON.

use std::error::Error;
use std::fmt::{self, Debug, Write as _};
use std::io;

use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};

use crate::model::{PrintableWriter, is_unprintable};

/// Writes the fields of events and spans as tracing does by itself, with their values escaped.
#[derive(Debug)]
pub(super) struct EscapedFields;

impl<'w> FormatFields<'w> for EscapedFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = EscapingVisitor(DefaultVisitor::new(writer, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct EscapingVisitor<'w>(DefaultVisitor<'w>);

impl Visit for EscapingVisitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.record_debug(field, &Escaped(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // The message stands bare, every other text in quotes.
        if field.name() == "message" {
            self.record_debug(field, &format_args!("{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &Chain(value));
    }
}

/// A value with all that it writes escaped.
struct Escaped<'a>(&'a dyn Debug);

impl Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(PrintableWriter(f), "{:?}", self.0)
    }
}

/// An error, and behind it its sources.
struct Chain<'a>(&'a (dyn Error + 'static));

impl Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut sources = std::iter::successors(self.0.source(), |error| (*error).source());
        sources.try_for_each(|source| write!(f, ": {source}"))
    }
}

/// Lines of JSON, with what JSON would let stand in a string escaped.
#[derive(Debug)]
pub(super) struct JsonLines<W>(pub(super) W);

impl<W: io::Write> io::Write for JsonLines<W> {
    /// Takes whole lines: the log writes each event at once.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        // Text by construction; other bytes would be written as they are.
        match str::from_utf8(lines) {
            Ok(text) if text.chars().any(is_unsafe_in_json) => {
                self.0.write_all(escaped(text).as_bytes())?;
            }
            Ok(_) | Err(_) => self.0.write_all(lines)?,
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Below 0x7f are the line's own end, and what JSON escapes by itself.
fn is_unsafe_in_json(c: char) -> bool {
    c >= '\u{7f}' && is_unprintable(c)
}

fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe_in_json(c) {
            // Writing to a String cannot fail.
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::memory_log::MemoryLog;
    use crate::observability::{LogSettings, Repeats, subscriber};

    /// What forges a line, hides one, drives a terminal or turns text around.
    const EVIL: &str = "x\n2026-01-01T00:00:00Z  INFO audit: forged\r\u{1b}[2J\u{9b}31m\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}\u{7f}\0";

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Failed(String, #[source] Option<Box<Failed>>);

    /// The lines of the log in this format, of one event that has the text in its message and in fields of every kind, within a span.
    fn logged(format: LogSettings, colours: bool) -> String {
        let kept = MemoryLog::default();
        let writer = kept.clone();
        let repeats = Repeats::default();
        let log = subscriber("trace", &repeats, format, colours, move || writer.clone());
        tracing::subscriber::with_default(log.unwrap(), || {
            let failed = Failed(
                EVIL.to_owned(),
                Some(Box::new(Failed(EVIL.to_owned(), None))),
            );
            let span =
                tracing::info_span!("connection", shown = %EVIL, later = tracing::field::Empty);
            span.record("later", EVIL);
            let _entered = span.enter();
            tracing::warn!(
                shown = %EVIL,
                debugged = ?EVIL,
                text = EVIL,
                listed = ?[EVIL],
                failed = &failed as &dyn Error,
                "{EVIL}"
            );
        });
        kept.take()
    }

    #[test]
    fn a_line_of_the_log_cannot_be_forged_by_what_somebody_says() {
        let log = logged(LogSettings::Text, false);
        assert_eq!(log.matches('\n').count(), 1, "{log}");
        let line = log.strip_suffix('\n').unwrap();
        assert!(!line.contains(is_unprintable), "{line:?}");
        // The message, four fields, an error and its source, and two fields of the span.
        assert_eq!(line.matches("audit: forged").count(), 9, "{line}");
        assert!(
            line.contains("shown=x\\n2026"),
            "it is told what was said: {line}"
        );
    }

    #[test]
    fn a_coloured_line_has_no_other_codes_than_its_own() {
        let log = logged(LogSettings::Text, true);
        assert_eq!(log.matches('\n').count(), 1, "{log}");
        assert!(log.contains("\u{1b}["), "it is coloured");
        assert!(!log.contains("\u{1b}[2J"), "{log:?}");
        let others = |c: char| c != '\n' && c != '\u{1b}' && is_unprintable(c);
        assert!(!log.contains(others), "{log:?}");
    }

    #[test]
    fn an_object_of_the_log_is_one_line_and_says_what_was_said() {
        let log = logged(LogSettings::Json, false);
        assert_eq!(log.matches('\n').count(), 1, "{log}");
        let line = log.strip_suffix('\n').unwrap();
        assert!(!line.contains(is_unprintable), "{line:?}");
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        for field in ["message", "shown", "text"] {
            assert_eq!(object[field], EVIL);
        }
        assert_eq!(object["span"]["shown"], EVIL);
    }
}
