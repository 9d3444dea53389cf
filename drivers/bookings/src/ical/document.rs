//! An iCalendar text as a tree of components, with every line as it came.
//!
//! What is read is written back byte for byte, line ends, folding and all; only a line that is set anew looks different.
//! So whatever this driver does not understand stays in the calendar.

use super::limits::DEPTH_MAX;
use super::text::{decode, fold, unescape_parameter};

/// Why a text is no iCalendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("a component ends that did not begin, or does not end")]
    Unbalanced,
    #[error("components stand more than {DEPTH_MAX} deep in each other")]
    TooDeep,
    #[error("it has no calendar in it")]
    NoCalendar,
}

/// An iCalendar text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    parts: Vec<Part>,
    /// What ends the lines that are added.
    line_end: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Line(Line),
    Component(Component),
}

/// A component such as `VEVENT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    /// In capitals.
    name: String,
    begin: Line,
    parts: Vec<Part>,
    end: Line,
}

/// One line, unfolded, and the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    raw: Vec<u8>,
    text: String,
}

/// A property: the name in capitals, the parameters as they stand there, the value with its escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Property<'a> {
    name: &'a str,
    parameters: &'a str,
    pub(super) value: &'a str,
}

impl Document {
    /// Reads a text. It is no longer than an answer of the server may be, so its lines need no bound of their own.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let lines = unfold(bytes);
        let ends_in_crlf = bytes.windows(2).any(|pair| pair == b"\r\n");
        let has_bare_lf = bytes.contains(&b'\n') && !ends_in_crlf;
        let mut parts = Vec::new();
        // The components that are open, the outermost first.
        let mut open: Vec<(String, Line, Vec<Part>)> = Vec::new();
        for line in lines {
            let (keyword, name) = line.text.split_once(':').unwrap_or_default();
            let name = name.trim().to_ascii_uppercase();
            if keyword.trim().eq_ignore_ascii_case("BEGIN") {
                if open.len() == DEPTH_MAX {
                    return Err(Unreadable::TooDeep);
                }
                open.push((name, line, Vec::new()));
                continue;
            }
            let is_end = keyword.trim().eq_ignore_ascii_case("END");
            let part = if is_end {
                let (begun, begin, parts) = open.pop().ok_or(Unreadable::Unbalanced)?;
                if begun != name {
                    return Err(Unreadable::Unbalanced);
                }
                Part::Component(Component {
                    name,
                    begin,
                    parts,
                    end: line,
                })
            } else {
                Part::Line(line)
            };
            match open.last_mut() {
                Some((_, _, parts)) => parts.push(part),
                None => parts.push(part),
            }
        }
        if !open.is_empty() {
            return Err(Unreadable::Unbalanced);
        }
        let document = Self {
            parts,
            line_end: if has_bare_lf { "\n" } else { "\r\n" },
        };
        if document.calendars().next().is_none() {
            return Err(Unreadable::NoCalendar);
        }
        Ok(document)
    }

    /// The bytes of the text.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_parts(&self.parts, &mut bytes);
        bytes
    }

    /// The components of this name that stand directly in a calendar.
    pub(super) fn components(&self, name: &str) -> impl Iterator<Item = &Component> {
        self.calendars().flat_map(move |calendar| {
            let inner = calendar.parts.iter().filter_map(Part::component);
            inner.filter(move |component| component.name == name)
        })
    }

    pub(super) fn components_mut(&mut self, name: &str) -> impl Iterator<Item = &mut Component> {
        let parts = self.parts.iter_mut().filter_map(Part::component_mut);
        let calendars = parts.filter(|component| component.name == "VCALENDAR");
        calendars.flat_map(move |calendar| {
            let inner = calendar.parts.iter_mut().filter_map(Part::component_mut);
            inner.filter(move |component| component.name == name)
        })
    }

    /// Takes out the components in a calendar that this is true of.
    pub(super) fn remove_components(&mut self, is_meant: impl Fn(&Component) -> bool) {
        let parts = self.parts.iter_mut().filter_map(Part::component_mut);
        for calendar in parts.filter(|component| component.name == "VCALENDAR") {
            let goes = |part: &Part| part.component().is_some_and(&is_meant);
            calendar.parts.retain(|part| !goes(part));
        }
    }

    /// Adds a component behind the last one of its name, in the same calendar.
    pub(super) fn add_behind_equals(&mut self, component: Component) {
        let parts = self.parts.iter_mut().filter_map(Part::component_mut);
        for calendar in parts.filter(|component| component.name == "VCALENDAR") {
            let is_equal =
                |part: &Part| part.component().is_some_and(|it| it.name == component.name);
            if let Some(place) = calendar.parts.iter().rposition(is_equal) {
                let part = Part::Component(component);
                calendar.parts.insert(place + 1, part);
                return;
            }
        }
    }

    /// What ends the lines of this text.
    pub(super) fn line_end(&self) -> &'static str {
        self.line_end
    }

    fn calendars(&self) -> impl Iterator<Item = &Component> {
        let components = self.parts.iter().filter_map(Part::component);
        components.filter(|component| component.name == "VCALENDAR")
    }
}

impl Component {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The components that stand directly in it.
    pub(super) fn inner(&self) -> impl Iterator<Item = &Self> {
        self.parts.iter().filter_map(Part::component)
    }

    /// All properties of this name, in order.
    pub(super) fn properties<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Property<'a>> {
        let lines = self.parts.iter().filter_map(Part::line);
        let properties = lines.filter_map(|line| Property::parse(&line.text));
        properties.filter(move |property| property.name.eq_ignore_ascii_case(name))
    }

    /// The first property of this name.
    pub(super) fn property<'a>(&'a self, name: &'a str) -> Option<Property<'a>> {
        self.properties(name).next()
    }

    /// Puts a property in the place of the first one of its name, behind the last property if there is none; others of its name go.
    pub(super) fn set(&mut self, name: &str, parameters: &str, value: &str, line_end: &str) {
        let line = Part::Line(Line::new(format!("{name}{parameters}:{value}"), line_end));
        let first = self.parts.iter().position(|part| part.is_property(name));
        self.remove(name);
        match first {
            // Only others of the same name have gone, and they came later.
            Some(place) => self.parts.insert(place, line),
            None => self.insert_property(line),
        }
    }

    /// Adds a property behind the last one, whether or not there are others of its name.
    pub(super) fn add(&mut self, name: &str, parameters: &str, value: &str, line_end: &str) {
        let line = Line::new(format!("{name}{parameters}:{value}"), line_end);
        self.insert_property(Part::Line(line));
    }

    /// Takes out all properties of this name.
    pub(super) fn remove(&mut self, name: &str) {
        self.parts.retain(|part| !part.is_property(name));
    }

    fn insert_property(&mut self, line: Part) {
        let last = self.parts.iter().rposition(|part| part.line().is_some());
        self.parts.insert(last.map_or(0, |last| last + 1), line);
    }
}

impl Part {
    fn line(&self) -> Option<&Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Component(_) => None,
        }
    }

    fn component(&self) -> Option<&Component> {
        match self {
            Self::Line(_) => None,
            Self::Component(component) => Some(component),
        }
    }

    fn component_mut(&mut self) -> Option<&mut Component> {
        match self {
            Self::Line(_) => None,
            Self::Component(component) => Some(component),
        }
    }

    fn is_property(&self, name: &str) -> bool {
        let property = self.line().and_then(|line| Property::parse(&line.text));
        property.is_some_and(|property| property.name.eq_ignore_ascii_case(name))
    }
}

impl Line {
    fn new(text: String, line_end: &str) -> Self {
        let raw = fold(&text, line_end).into_bytes();
        Self { raw, text }
    }
}

impl<'a> Property<'a> {
    /// Reads `NAME;PARAMETER=VALUE:value`; `None` for a line that is nothing of the kind.
    fn parse(line: &'a str) -> Option<Self> {
        let head = line.find([';', ':'])?;
        let (name, rest) = line.split_at(head);
        let mut in_quotes = false;
        let colon = rest.bytes().position(|byte| {
            in_quotes ^= byte == b'"';
            byte == b':' && !in_quotes
        });
        // A quote that is never closed does not hide the value.
        let colon = colon.or_else(|| rest.find(':'))?;
        Some(Self {
            name: name.trim(),
            parameters: &rest[..colon],
            value: rest[colon + 1..].trim(),
        })
    }

    /// The first value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let parameters = split_outside_quotes(self.parameters, ';');
        let pairs = parameters.filter_map(|parameter| parameter.split_once('='));
        let mut named = pairs.filter(|(it, _)| it.trim().eq_ignore_ascii_case(name));
        let (_, value) = named.next()?;
        let value = split_outside_quotes(value, ',').next()?;
        Some(unescape_parameter(value.trim().trim_matches('"')))
    }

    /// The parameters of these names as they stand there, each with its semicolon.
    pub(super) fn parameters_of(&self, names: &[&str]) -> String {
        let is_meant = |parameter: &&str| {
            let name = parameter.split('=').next().unwrap_or_default().trim();
            names.iter().any(|it| it.eq_ignore_ascii_case(name))
        };
        let kept = split_outside_quotes(self.parameters, ';').filter(is_meant);
        kept.map(|parameter| format!(";{parameter}")).collect()
    }
}

fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    text.split(move |character| {
        in_quotes ^= character == '"';
        character == separator && !in_quotes
    })
}

/// The lines of a text, each with what is folded into it. A fold may stand inside of a character, so bytes are put together and not characters.
fn unfold(bytes: &[u8]) -> Vec<Line> {
    let mut lines: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for raw in bytes.split_inclusive(|&byte| byte == b'\n') {
        let content = raw.strip_suffix(b"\n").unwrap_or(raw);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        match (content.first(), lines.last_mut()) {
            (Some(b' ' | b'\t'), Some((whole, unfolded))) => {
                whole.extend_from_slice(raw);
                unfolded.extend_from_slice(&content[1..]);
            }
            _ => lines.push((raw.to_vec(), content.to_vec())),
        }
    }
    let line = |(raw, unfolded): (Vec<u8>, Vec<u8>)| {
        let text = decode(&unfolded).trim_start_matches('\u{feff}').to_owned();
        Line { raw, text }
    };
    lines.into_iter().map(line).collect()
}

fn write_parts(parts: &[Part], bytes: &mut Vec<u8>) {
    for part in parts {
        match part {
            Part::Line(line) => bytes.extend_from_slice(&line.raw),
            Part::Component(component) => {
                bytes.extend_from_slice(&component.begin.raw);
                write_parts(&component.parts, bytes);
                bytes.extend_from_slice(&component.end.raw);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "BEGIN:VCALENDAR\r\nX-UNKNOWN;A=\"b:c;d\",e:f:g\r\nBEGIN:VEVENT\r\nSUMMARY:Fol\r\n ded\r\nno property\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn what_is_read_is_written_back_byte_for_byte() {
        let lf = TEXT.replace("\r\n", "\n");
        for text in [TEXT, &lf, &format!("\u{feff}{TEXT}\r\n"), TEXT.trim_end()] {
            let document = Document::parse(text.as_bytes()).unwrap();
            assert_eq!(document.to_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn a_line_that_is_set_changes_alone() {
        let mut document = Document::parse(TEXT.as_bytes()).unwrap();
        let line_end = document.line_end();
        let event = document.components_mut("VEVENT").next().unwrap();
        assert_eq!(event.property("summary").unwrap().value, "Folded");
        event.set("SUMMARY", "", "Other", line_end);
        event.set("X-NEW", ";A=b", "c", line_end);
        let expect = TEXT.replace("SUMMARY:Fol\r\n ded", "SUMMARY:Other");
        let expect = expect.replace("no property\r\n", "no property\r\nX-NEW;A=b:c\r\n");
        assert_eq!(document.to_bytes(), expect.as_bytes());
    }

    #[test]
    fn a_parameter_in_quotes_may_hold_what_separates_others() {
        let property = Property::parse("X;A=\"b:c;d,e\",f;G=h:i:j").unwrap();
        assert_eq!(property.parameter("a").unwrap(), "b:c;d,e");
        assert_eq!(property.parameter("G").unwrap(), "h");
        assert_eq!(property.parameters_of(&["g"]), ";G=h");
        assert_eq!(property.value, "i:j");
    }

    #[test]
    fn a_fold_inside_of_a_character_is_undone() {
        let text = b"BEGIN:VCALENDAR\nX:M\xc3\n \xbcnchen\nEND:VCALENDAR\n";
        let document = Document::parse(text).unwrap();
        let calendar = document.calendars().next().unwrap();
        assert_eq!(calendar.property("X").unwrap().value, "München");
        assert_eq!(document.to_bytes(), text);
    }

    #[test]
    fn what_is_no_calendar_is_refused() {
        let deep = "BEGIN:X\r\n".repeat(100);
        for (text, expect) in [
            ("", Unreadable::NoCalendar),
            ("<html></html>", Unreadable::NoCalendar),
            (
                "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
                Unreadable::Unbalanced,
            ),
            ("BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", Unreadable::Unbalanced),
            ("END:VCALENDAR\r\n", Unreadable::Unbalanced),
            (&deep, Unreadable::TooDeep),
        ] {
            assert_eq!(Document::parse(text.as_bytes()), Err(expect), "{text}");
        }
    }
}
