//! YAML text as a tree whose every value knows where it stands.
//!
//! Separate because it is the only place that names the YAML library.
//! A tree rather than typed structs: reading into structs stops at the first mistake, and an operator wants to see all of them at once.
//! It knows nothing of buildings.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{Location, Spanned};

use super::problem::{Position, Problem, ProblemKind};
use crate::model::{is_json_number, is_same_number};

/// The deepest nesting of lists and maps. Protects the stack, of which a level takes up to 40 KiB in an unoptimised build; a building file itself needs four levels, the rest is for settings.
const DEPTH_MAX: usize = 24;

/// The most values in one file, those repeated by aliases included. Bounds the memory that a file can ask for; far beyond the largest campus.
const NODES_MAX: usize = 10_000_000;

/// The most values that aliases may repeat. A file of a few lines can multiply itself to gigabytes through nested aliases; past this it is refused.
const REPEATED_MAX: usize = 500_000;

/// One value of the file. No `Debug`: it may hold passwords.
pub(super) struct Node {
    /// Where the value is written; for an alias that is its anchor, which is what needs the correction.
    pub(super) at: Position,
    /// Where the value takes effect; differs from `at` for an alias and a merged map.
    pub(super) used_at: Position,
    /// Which bytes of the file hold the value.
    bytes: Option<Range<usize>>,
    /// The value.
    pub(super) kind: Kind,
}

/// What a value is.
pub(super) enum Kind {
    /// Nothing: `null`, `~` or no text at all.
    Null,
    /// `true` or `false`; YAML's older `yes` and `on` are text.
    Bool(bool),
    /// A number, as JSON writes it.
    Number(String),
    /// Digits that YAML reads as a number and JSON would not give back: `0123`, or more than 64 bits hold. A PIN, more often than not.
    Digits,
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in the order of the file; no key twice.
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
pub(super) struct Key {
    /// Where it stands.
    pub(super) at: Position,
    /// The key.
    pub(super) text: String,
}

impl Node {
    /// Whether it says `null` in so many letters, or `~`.
    pub(super) fn is_written_null(&self) -> bool {
        let is_written = self.bytes.as_ref().is_some_and(|bytes| !bytes.is_empty());
        is_written && matches!(self.kind, Kind::Null)
    }

    /// Reads one YAML document.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: DEPTH_MAX,
                max_nodes: NODES_MAX,
                max_events: 2 * NODES_MAX,
                max_aliases: REPEATED_MAX,
                max_recorded_anchor_events: REPEATED_MAX,
                // One anchor with thousands of aliases is how like devices share their settings.
                enforce_alias_anchor_ratio: false,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: REPEATED_MAX,
            },
            strict_booleans: true,
            // A snippet would copy lines of the file, and with them passwords, into the error.
            with_snippet: false,
        };
        let mut root: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| with_quotes_asked_for(refused(&error), text))?;
        root.settle_numbers(text);
        Ok(root)
    }

    /// The library hands over as floats what looks whole and is no integer to it, and what has more digits than a float keeps; what is written tells.
    fn settle_numbers(&mut self, text: &str) {
        match &mut self.kind {
            Kind::Number(number) if number.contains(['.', 'e', 'E']) => {
                let written = self.bytes.clone().and_then(|bytes| text.get(bytes));
                let written = written.unwrap_or_default().trim();
                let unsigned = written.trim_start_matches(['+', '-']);
                let digits = unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'_');
                if digits && !unsigned.is_empty() {
                    self.kind = Kind::Digits;
                } else if is_json_number(written) && !is_same_number(written, number) {
                    *number = written.to_owned();
                }
            }
            Kind::List(items) => items.iter_mut().for_each(|item| item.settle_numbers(text)),
            Kind::Map(entries) => entries
                .iter_mut()
                .for_each(|(_, node)| node.settle_numbers(text)),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Digits | Kind::Text(_) => {}
        }
    }

    /// What the value is, in words for people.
    pub(super) fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) | Kind::Digits => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The value as a JSON text, keys in the order of the file; `scalar` answers for whatever is neither list nor map.
    pub(super) fn to_json(&self, scalar: &mut impl FnMut(&Self) -> String) -> String {
        let parts: Vec<String> = match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Digits | Kind::Text(_) => {
                return scalar(self);
            }
            Kind::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.to_json(scalar)).collect();
                return format!("[{}]", items.join(","));
            }
            Kind::Map(entries) => entries
                .iter()
                .map(|(key, value)| format!("{}:{}", json_text(&key.text), value.to_json(scalar)))
                .collect(),
        };
        format!("{{{}}}", parts.join(","))
    }
}

/// A text as JSON.
pub(super) fn json_text(text: &str) -> String {
    Value::from(text).to_string()
}

/// Puts the library's error into our words.
fn refused(error: &serde_saphyr::Error) -> Problem {
    let at = error.location().map_or(Position::START, position);
    let mut cause = error;
    while let serde_saphyr::Error::AliasError { error, .. } = cause {
        cause = error;
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a foreign enum that may grow"
    )]
    let kind = match cause {
        serde_saphyr::Error::Budget { .. }
        | serde_saphyr::Error::AliasReplayLimitExceeded { .. }
        | serde_saphyr::Error::AliasExpansionLimitExceeded { .. }
        | serde_saphyr::Error::AliasReplayStackDepthExceeded { .. } => ProblemKind::TooMuch,
        serde_saphyr::Error::Eof { .. } => ProblemKind::EmptyFile,
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => ProblemKind::KeyTwice {
            key: key.clone().unwrap_or_default(),
        },
        serde_saphyr::Error::MultipleDocuments { .. } => ProblemKind::TwoDocuments,
        serde_saphyr::Error::NullIntoString { .. } => ProblemKind::NullKey,
        serde_saphyr::Error::NonFiniteFloat { .. } => ProblemKind::NotFinite,
        _ => not_yaml(cause),
    };
    Problem { at, kind }
}

/// What people write without quotes and YAML takes for signs of its own, of which no parser says what is meant: by how a line has it.
const BARE: [(&[&str], ProblemKind); 3] = [
    (
        &[": {{", "- {{", ", {{", "[{{", "[ {{"],
        ProblemKind::BareBraces,
    ),
    (&[" is: >", "{is: >"], ProblemKind::BareOperator),
    (&[" cron: *", "{cron: *"], ProblemKind::BareCron),
];

fn with_quotes_asked_for(problem: Problem, text: &str) -> Problem {
    let is_puzzling = matches!(
        problem.kind,
        ProblemKind::Yaml { .. } | ProblemKind::NullKey
    );
    if !is_puzzling {
        return problem;
    }
    let line = usize::try_from(problem.at.line).ok();
    let line = line.and_then(|line| text.lines().nth(line.checked_sub(1)?));
    let line = line.unwrap_or_default();
    let mut bare = BARE.into_iter();
    let bare = bare.find(|(written, _)| written.iter().any(|written| line.contains(written)));
    let kind = bare.map_or(problem.kind, |(_, kind)| kind);
    Problem { kind, ..problem }
}

/// The words of the library's scanner are its own, as long as a sign of the file at most. What other parts of it say may quote the file, and with it a password.
fn not_yaml(error: &serde_saphyr::Error) -> ProblemKind {
    let is_scanners = matches!(
        error,
        serde_saphyr::Error::ExternalMessage { .. } | serde_saphyr::Error::UnknownAnchor { .. }
    );
    if !is_scanners {
        let detail = "a value does not fit its tag or its place".to_owned();
        return ProblemKind::Yaml { detail };
    }
    let mut detail = error.to_string().replace(['\n', '\r'], " ");
    // The library ends its text with the place, which ours begins with.
    if let Some(end) = detail.find(" at line ") {
        detail.truncate(end);
    }
    // The scanner has a bound of its own on brackets, and reports it as a mistake in the YAML.
    if detail == "recursion limit exceeded" {
        return ProblemKind::TooMuch;
    }
    ProblemKind::Yaml { detail }
}

fn position(location: Location) -> Position {
    Position {
        line: location.line().max(1),
        column: location.column().max(1),
    }
}

fn bytes(location: Location) -> Option<Range<usize>> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    Some(start..start.checked_add(length)?)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self {
            at: position(spanned.defined),
            used_at: position(spanned.referenced),
            bytes: bytes(spanned.defined),
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self {
            at: position(spanned.defined),
            text: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Kind, E> {
        Number::from_f64(value)
            .map(|number| Kind::Number(number.to_string()))
            .ok_or_else(|| E::custom("a number that JSON cannot carry"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Kind::Map(entries))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Kind, E> {
        Err(E::custom("binary data, which JSON cannot carry"))
    }
}
