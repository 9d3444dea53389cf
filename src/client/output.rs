//! Data on stdout, in a form for people or for scripts, and messages for people on stderr.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::client::address;
use crate::client::error::ClientError;
use crate::client::exec::Call;
use crate::client::frames::Line;
use crate::client::text::{one_line, printable};
use crate::model::{BindingPath, JsonText, ModulePath};

/// In which form data is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// A readable line each.
    #[default]
    Text,
    /// A JSON object each, on a line of its own.
    Json,
}

/// Whether messages for people are printed beside the data; errors always are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notices {
    /// They are.
    #[default]
    Said,
    /// They asked for silence.
    Unsaid,
}

/// Whether lines have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// Text alone.
    Plain,
    /// With the terminal's codes.
    Coloured,
}

impl Paint {
    /// Colours only on a terminal, and none with `NO_COLOR`.
    pub(super) fn of_stdout(environment: &BTreeMap<String, String>) -> Self {
        let variable = |name| environment.get(name).map_or("", String::as_str);
        let refused = !variable("NO_COLOR").is_empty() || variable("TERM") == "dumb";
        match io::stdout().is_terminal() && !refused {
            true => Self::Coloured,
            false => Self::Plain,
        }
    }

    fn painted(self, style: Style, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("{style}{text}{style:#}"),
        }
    }
}

const TIME: Style = Style::new().dimmed();
const PATH: Style = AnsiColor::Cyan.on_default();
const HEADING: Style = Style::new().bold();

/// Where a command writes.
pub(super) struct Output<'a> {
    out: &'a mut dyn Write,
    notices: &'a mut dyn Write,
    form: Form,
    paint: Paint,
    zone: TimeZone,
    say: Notices,
}

#[derive(Serialize)]
struct ValueShape<'a> {
    time: String,
    system: &'a str,
    module: &'a str,
    index: u32,
    name: &'a str,
    value: JsonText,
}

#[derive(Serialize)]
struct LineShape<'a> {
    time: String,
    module: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<&'a str>,
    level: &'a str,
    message: &'a str,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        notices: &'a mut dyn Write,
        form: Form,
        paint: Paint,
        zone: TimeZone,
    ) -> Self {
        Self {
            out,
            notices,
            form,
            paint,
            zone,
            say: Notices::Said,
        }
    }

    /// The same, with as many messages as the user asked for.
    pub(super) fn with(self, say: Notices) -> Self {
        Self { say, ..self }
    }

    /// A status has this value.
    pub(super) fn value(
        &mut self,
        time: Timestamp,
        path: &BindingPath,
        value: &JsonText,
    ) -> Result<(), ClientError> {
        let name = path.status.as_str();
        match self.form {
            Form::Text => {
                let path = address::shown(&path.module, name);
                let line = format!(
                    "{} {} {}",
                    self.time(time),
                    self.painted(PATH, &path),
                    one_line(value.as_str())
                );
                self.write(&line)
            }
            Form::Json => self.result(time, &path.module, name, value),
        }
    }

    /// What a function returned.
    pub(super) fn returned(
        &mut self,
        time: Timestamp,
        call: &Call,
        value: &JsonText,
    ) -> Result<(), ClientError> {
        match self.form {
            Form::Text => self.write(&one_line(value.as_str())),
            Form::Json => self.result(time, &call.module, call.function.as_str(), value),
        }
    }

    /// A line of a log.
    pub(super) fn line(&mut self, time: Timestamp, line: &Line) -> Result<(), ClientError> {
        match self.form {
            Form::Text => {
                let level = printable(&line.level);
                let padding = " ".repeat(5_usize.saturating_sub(level.chars().count()));
                let text = format!(
                    "{} {} {}{padding} {}",
                    self.time(time),
                    self.painted(PATH, &printable(&line.module)),
                    self.painted(style_of(&level), &level),
                    printable(&line.message)
                );
                self.write(&text)
            }
            Form::Json => self.object(&LineShape {
                time: rfc3339(time),
                module: &line.module,
                driver: line.driver.as_deref(),
                level: &line.level,
                message: &line.message,
            }),
        }
    }

    /// Rows below their headings, each column as wide as its widest cell; for scripts an object a row.
    pub(super) fn table<R: Row>(&mut self, rows: &[R]) -> Result<(), ClientError> {
        if self.form == Form::Json {
            return rows.iter().try_for_each(|row| self.object(row));
        }
        match lines(rows, self.paint).join("\n") {
            text if text.is_empty() => Ok(()),
            text => self.write(&text),
        }
    }

    /// A heading with two tables below it; for scripts all of it as one object.
    pub(super) fn block(
        &mut self,
        object: &impl Serialize,
        heading: &str,
        first: &[impl Row],
        second: &[impl Row],
    ) -> Result<(), ClientError> {
        if self.form == Form::Json {
            return self.object(object);
        }
        let mut text = self.painted(PATH, &printable(heading));
        for line in lines(first, self.paint)
            .into_iter()
            .chain(lines(second, self.paint))
        {
            text.push_str("\n  ");
            text.push_str(&line);
        }
        self.write(&text)
    }

    /// For scripts alone: people see by the exit code that it was done.
    pub(super) fn done(&mut self, object: &impl Serialize) -> Result<(), ClientError> {
        match self.form {
            Form::Text => Ok(()),
            Form::Json => self.object(object),
        }
    }

    /// Prints a message for people. The terminal may have gone, which is no failure.
    pub(super) fn say(&mut self, message: &str) {
        if self.say == Notices::Unsaid {
            return;
        }
        let _ = writeln!(self.notices, "riser: {}", printable(message));
    }

    fn result(
        &mut self,
        time: Timestamp,
        module: &ModulePath,
        name: &str,
        value: &JsonText,
    ) -> Result<(), ClientError> {
        self.object(&ValueShape {
            time: rfc3339(time),
            system: module.system.as_str(),
            module: module.module.as_str(),
            index: module.index.get(),
            name,
            value: value.clone(),
        })
    }

    fn object(&mut self, object: &impl Serialize) -> Result<(), ClientError> {
        let line = serde_json::to_string(object)
            .map_err(|error| ClientError::Output(io::Error::other(error)))?;
        self.write(&one_line(&line))
    }

    /// Writes each line at once, because the reader may be waiting for this one.
    fn write(&mut self, line: &str) -> Result<(), ClientError> {
        writeln!(self.out, "{line}")
            .and_then(|()| self.out.flush())
            .map_err(ClientError::Output)
    }

    fn time(&self, time: Timestamp) -> String {
        let local = time.to_zoned(self.zone.clone());
        self.painted(TIME, &local.strftime("%H:%M:%S%.3f").to_string())
    }

    fn painted(&self, style: Style, text: &str) -> String {
        self.paint.painted(style, text)
    }
}

/// A line of a table.
pub(super) trait Row: Serialize {
    /// What stands above the columns.
    const HEADINGS: &'static [&'static str];

    /// A cell for each heading.
    fn cells(&self) -> Vec<String>;
}

/// Rows as text, for callers that print by themselves.
pub(super) fn table_text<R: Row>(rows: &[R], form: Form) -> String {
    let lines = match form {
        Form::Text => lines(rows, Paint::Plain),
        Form::Json => rows
            .iter()
            .map(|row| serde_json::to_string(row).unwrap_or_default())
            .collect(),
    };
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Rows below their headings, each column as wide as its widest cell looks. Without rows there is nothing.
fn lines<R: Row>(rows: &[R], paint: Paint) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let headings = R::HEADINGS.iter().map(|&heading| heading.to_owned());
    let cells = |row: &R| {
        let cells = row.cells();
        let cells = cells.iter().map(|cell| printable(cell).into_owned());
        cells.collect::<Vec<_>>()
    };
    let table: Vec<Vec<String>> = std::iter::once(headings.collect())
        .chain(rows.iter().map(cells))
        .collect();
    let widths: Vec<usize> = (0..R::HEADINGS.len())
        .map(|column| table.iter().map(|row| row[column].width()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let aligned = |row: &Vec<String>| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(cell.width()) + 2,
            ));
        }
        line.trim_end().to_owned()
    };
    let mut lines: Vec<String> = table.iter().map(aligned).collect();
    lines[0] = paint.painted(HEADING, &lines[0]);
    lines
}

fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn style_of(level: &str) -> Style {
    match level {
        "trace" | "debug" => Style::new().dimmed(),
        "notice" => AnsiColor::Green.on_default(),
        "warn" | "warning" => AnsiColor::Yellow.on_default(),
        "error" | "fatal" => AnsiColor::Red.on_default(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(
        form: Form,
        paint: Paint,
        print: impl FnOnce(&mut Output<'_>) -> Result<(), ClientError>,
    ) -> String {
        let (mut out, mut notices) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut out, &mut notices, form, paint, TimeZone::UTC);
        print(&mut output).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn time() -> Timestamp {
        "2026-11-21T12:30:05.1234Z".parse().unwrap()
    }

    fn path() -> BindingPath {
        address::bindings(&["sys-1/Display_2/power".to_owned()]).unwrap()[0].clone()
    }

    #[test]
    fn a_value_is_a_line() {
        let text = printed(Form::Text, Paint::Plain, |output| {
            output.value(time(), &path(), &JsonText::parse("{\n\"a\":1}").unwrap())
        });
        assert_eq!(text, "12:30:05.123 sys-1/Display_2/power { \"a\":1}\n");
        let json = printed(Form::Json, Paint::Coloured, |output| {
            output.value(time(), &path(), &JsonText::parse("1.50").unwrap())
        });
        assert_eq!(
            json,
            "{\"time\":\"2026-11-21T12:30:05.123Z\",\"system\":\"sys-1\",\"module\":\"Display\",\"index\":2,\"name\":\"power\",\"value\":1.50}\n"
        );
    }

    #[test]
    fn a_line_of_a_log_cannot_drive_the_terminal() {
        let line = Line {
            module: "mod-d1".to_owned(),
            driver: Some("virtual".to_owned()),
            level: "warn".to_owned(),
            message: "hot\u{1b}[2J\nvery".to_owned(),
        };
        let print = |output: &mut Output<'_>| output.line(time(), &line);
        assert_eq!(
            printed(Form::Text, Paint::Plain, print),
            "12:30:05.123 mod-d1 warn  hot\\u{1b}[2J\\nvery\n"
        );
        let coloured = printed(Form::Text, Paint::Coloured, print);
        assert!(coloured.contains("\u{1b}[33mwarn\u{1b}[0m"), "{coloured:?}");
        assert_eq!(
            printed(Form::Json, Paint::Plain, print),
            "{\"time\":\"2026-11-21T12:30:05.123Z\",\"module\":\"mod-d1\",\"driver\":\"virtual\",\"level\":\"warn\",\"message\":\"hot\\u001b[2J\\nvery\"}\n"
        );
    }

    #[test]
    fn no_escape_sequence_of_a_status_or_a_log_reaches_the_terminal() {
        // C1's CSI, a right-to-left override and a line separator: JSON lets all of them stand in a string as they are.
        let evil = "\u{9b}2J\u{202e}\u{2028}\u{7f}";
        let value = JsonText::parse(&format!("\"{evil}\"")).unwrap();
        let log = Line {
            module: evil.to_owned(),
            driver: Some(evil.to_owned()),
            level: evil.to_owned(),
            message: evil.to_owned(),
        };
        for form in [Form::Text, Form::Json] {
            let text = printed(form, Paint::Plain, |output| {
                output.say(evil);
                output.value(time(), &path(), &value)?;
                output.line(time(), &log)
            });
            let reaches = text.chars().filter(|c| *c != '\n');
            assert!(
                !reaches.into_iter().any(crate::model::is_unprintable),
                "{text:?}"
            );
            assert_eq!(text.lines().count(), 2, "{text:?}");
            if form == Form::Json {
                let shown: serde_json::Value =
                    serde_json::from_str(text.lines().next().unwrap()).unwrap();
                assert_eq!(shown["value"], evil, "the value stays the same");
            }
        }
        let (mut out, mut notices) = (Vec::new(), Vec::new());
        Output::new(
            &mut out,
            &mut notices,
            Form::Text,
            Paint::Plain,
            TimeZone::UTC,
        )
        .say("gone: \u{1b}[2J\n");
        assert_eq!(
            String::from_utf8(notices).unwrap(),
            "riser: gone: \\u{1b}[2J\\n\n"
        );
    }

    #[test]
    fn columns_are_aligned() {
        #[derive(Serialize)]
        struct Room(&'static str, &'static str);
        impl Row for Room {
            const HEADINGS: &'static [&'static str] = &["ID", "NAME"];
            fn cells(&self) -> Vec<String> {
                vec![self.0.to_owned(), self.1.to_owned()]
            }
        }
        let rooms = [Room("sys-1", "Küche"), Room("会議室", "2"), Room("s", "")];
        let print = |output: &mut Output<'_>| output.table(&rooms);
        assert_eq!(
            printed(Form::Text, Paint::Plain, print),
            "ID      NAME\nsys-1   Küche\n会議室  2\ns\n"
        );
        assert_eq!(
            printed(Form::Json, Paint::Plain, print),
            "[\"sys-1\",\"Küche\"]\n[\"会議室\",\"2\"]\n[\"s\",\"\"]\n"
        );
        assert_eq!(
            printed(Form::Text, Paint::Plain, |output| output.table::<Room>(&[])),
            ""
        );
    }
}
