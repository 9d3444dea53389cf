//! Reads conditions with every mistake at once, each with its place.

use driver_types::JsonText;

use super::super::headers::secret_in;
use super::super::limits::CONDITIONS_MAX;
use super::super::reader::{Members, Reader};
use super::super::span;
use super::{Condition, Conditions, EventSource, Operator, WebhookKey};
use crate::model::building::automation::{Cron, LocalPath, RequiredHeaders, TimeSpan};
use crate::model::building::flaws::Flaw;
use crate::model::{Timestamp, is_time_zone};

/// What a condition can be, by its word, and the keys that it may then have.
const KINDS: &[(&str, &[&str])] = &[
    ("status", &["status", "is", "than", "for"]),
    ("event", &["event", "data", "from"]),
    ("cron", &["cron", "timezone"]),
    ("at", &["at"]),
    ("webhook", &["webhook", "secret", "header"]),
];

/// What an operator has to be. YAML takes some of them for signs of its own.
const OPERATOR: &str = "an operator in quotes: \"==\", \"!=\", \">\", \">=\", \"<\" or \"<=\"";

/// What a moment has to be.
const MOMENT: &str = "a moment with its offset, such as 2026-12-01T08:00:00Z";

impl Conditions {
    /// Reads a list of conditions such as `[{"event": "doors"}]`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. No flaw holds a secret.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        Reader::whole(|reader| conditions(reader, json))
    }
}

fn conditions(reader: &mut Reader, json: &JsonText) -> Option<Conditions> {
    let expected = "a list of conditions, such as `[{event: doors}]`";
    let items = reader.items(json, expected)?;
    if items.len() > CONDITIONS_MAX {
        return reader.other(format!("must be at most {CONDITIONS_MAX} conditions"));
    }
    let (mut conditions, mut happens) = (Vec::new(), false);
    for (place, item) in items.iter().enumerate() {
        let condition = reader.at_item(place, |reader| {
            let condition = condition(reader, item)?;
            if happens && condition.happens() {
                let reason = "happens at one moment, and so does a condition before it, so they cannot both hold; make two triggers of it";
                return reader.other(reason);
            }
            Some(condition)
        });
        happens |= condition.as_ref().is_some_and(Condition::happens);
        conditions.extend(condition);
    }
    Some(Conditions(conditions.into()))
}

fn condition(reader: &mut Reader, json: &JsonText) -> Option<Condition> {
    let mut members = reader.members(json)?;
    let mut found = KINDS.iter().filter(|(word, _)| members.contains_key(*word));
    let (word, known) = match (found.next(), found.next()) {
        (Some(kind), None) => *kind,
        (Some((first, _)), Some((second, _))) => {
            return reader.other(format!(
                "has both `{first}` and `{second}`; make two conditions of it"
            ));
        }
        (None, _) => return no_kind(reader, &members),
    };
    let value = members.shift_remove(word)?;
    let members = &mut members;
    let condition = match word {
        "status" => status(reader, &value, members),
        "event" => event(reader, &value, members),
        "cron" => cron(reader, &value, members),
        "at" => reader.at_key(word, |reader| at(reader, &value)),
        _ => webhook(reader, &value, members),
    };
    reader.nothing_else(members, known);
    condition
}

fn no_kind(reader: &mut Reader, members: &Members) -> Option<Condition> {
    let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
    match members.keys().next() {
        Some(key) => reader.note(Flaw::unknown(&[key], &words)),
        None => {
            reader.other::<()>("says nothing; write a condition such as `{event: doors}`");
        }
    }
    None
}

fn status(reader: &mut Reader, path: &JsonText, members: &mut Members) -> Option<Condition> {
    let path = reader.at_key("status", |reader| {
        let expected = "the path of a status, such as sys-board/Display_1/power";
        let text = reader.text(path, expected)?;
        let path = LocalPath::parse(&text);
        path.map_or_else(|reason| reader.other(format!("is no path: {reason}")), Some)
    });
    let is = reader.needed(members, "is", OPERATOR).and_then(|is| {
        let operator = is.to::<String>().ok();
        let operator = operator.and_then(|sign| Operator::of(&sign));
        reader.at_key("is", |reader| {
            operator.or_else(|| reader.expected(OPERATOR))
        })
    });
    let expected = "what it is compared with, such as `than: 26`";
    let than = reader.needed(members, "than", expected);
    let than = than.and_then(|than| reader.at_key("than", |reader| constant(reader, than)));
    let lasts = match members.shift_remove("for") {
        Some(span) => reader.at_key("for", |reader| {
            let text = reader.text(&span, span::EXPECTED)?;
            TimeSpan::parse(&text).or_else(|| reader.expected(span::EXPECTED))
        }),
        None => Some(TimeSpan::default()),
    };
    Some(Condition::Status {
        path: path?,
        is: is?,
        than: than?,
        lasts: lasts?,
    })
}

fn event(reader: &mut Reader, name: &JsonText, members: &mut Members) -> Option<Condition> {
    let name = reader.at_key("event", |reader| {
        let expected = "the name of an event";
        let name = reader.text(name, expected)?;
        match name.is_empty() {
            true => reader.expected(expected),
            false => Some(name),
        }
    });
    let data = members.shift_remove("data").filter(|data| !data.is_null());
    let data = match data {
        Some(data) => reader.at_key("data", |reader| {
            reader.members(&data)?;
            constant(reader, data)
        }),
        None => Some(JsonText::empty_object()),
    };
    let from = match members.contains_key("from") {
        true => match reader.text_of(members, "from").as_deref() {
            Some("anyone") => Some(EventSource::Anyone),
            Some(_) => reader.at_key("from", |reader| {
                reader.expected("`anyone`, or nothing for those with support and above")
            }),
            None => None,
        },
        false => Some(EventSource::Trusted),
    };
    Some(Condition::Event {
        name: name?,
        data: data?,
        from: from?,
    })
}

/// A value that is compared as it is.
fn constant(reader: &mut Reader, value: JsonText) -> Option<JsonText> {
    match value.as_str().contains("{{") {
        true => reader.other("is compared as it is; `{{ }}` is for steps, such as an `if` there"),
        false => Some(value),
    }
}

fn cron(reader: &mut Reader, cron: &JsonText, members: &mut Members) -> Option<Condition> {
    let cron = reader.at_key("cron", |reader| {
        let text = reader.text(cron, "five fields in quotes, such as \"0 8 * * 1-5\"")?;
        Cron::parse(&text).map_or_else(|reason| reader.other(reason.to_string()), Some)
    });
    let has_zone = members.contains_key("timezone");
    let timezone = reader.text_of(members, "timezone");
    match &timezone {
        Some(zone) if !is_time_zone(zone) => reader.at_key("timezone", |reader| {
            reader.expected("a time zone, such as Europe/London")
        }),
        Some(_) | None if has_zone == timezone.is_some() => Some(Condition::Cron {
            cron: cron?,
            timezone,
        }),
        Some(_) | None => None,
    }
}

fn at(reader: &mut Reader, moment: &JsonText) -> Option<Condition> {
    let text = reader.text(moment, MOMENT)?;
    let moment = text.parse::<jiff::Timestamp>().ok();
    let micros = moment.and_then(|moment| u64::try_from(moment.as_microsecond()).ok());
    let moment = micros.map(|micros| Condition::At(Timestamp(micros)));
    moment.or_else(|| reader.expected(MOMENT))
}

fn webhook(reader: &mut Reader, is: &JsonText, members: &mut Members) -> Option<Condition> {
    if is.to::<bool>().ok() != Some(true) {
        reader.at_key("webhook", |reader| {
            reader.expected::<()>("true, or not be there");
        });
    }
    let secret = members.shift_remove("secret");
    let header = members.shift_remove("header");
    match (secret, header) {
        (Some(secret), None) => {
            let secret = reader.at_key("secret", |reader| secret_in(reader, &secret));
            Some(Condition::Webhook(WebhookKey::Secret(secret?)))
        }
        (None, Some(header)) => {
            let headers = reader.at_key("header", |reader| {
                let headers = RequiredHeaders::read_in(reader, &header)?;
                match headers.list().is_empty() {
                    true => reader.other("must have a header, or anybody may call"),
                    false => Some(headers),
                }
            });
            Some(Condition::Webhook(WebhookKey::Headers(headers?)))
        }
        (Some(_), Some(_)) => reader.other("has both `secret` and `header`; remove one of them"),
        (None, None) => {
            let expected = "what callers show, such as `secret: \"${ENV:SECRET}\"`, or a `header` with a value";
            reader.note(Flaw::missing(&[], "secret", expected));
            None
        }
    }
}
