//! An event: what a client publishes, and how what is on the bus is shown.
//!
//! The bus has a name and data. What a client writes around them (`id`, `origin`, `target`, `_timestamp`) and the form of its arguments
//! is kept in one member of the data, [`ENVELOPE`], and only where it says more than the gateway would say by itself: so other dialects see plain data, and Platypush's clients see what was sent.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dialects::platypush::ORIGIN;
use crate::dialects::platypush::limits::{ENVELOPE_MAX_BYTES, EVENT_NAME_MAX_CHARS};
use crate::dialects::platypush::message::fields::Fields;
use crate::dialects::platypush::message::{hex_id, put_json, seconds};
use crate::model::{BusEvent, JsonText};

/// The type of events that clients publish.
const CUSTOM_EVENT: &str = "platypush.message.event.custom.CustomEvent";

/// The same by its other name.
const CUSTOM_EVENT_ALIAS: &str = "platypush.events.custom.CustomEvent";

/// The type of what came to a hook.
const WEBHOOK_EVENT: &str = "platypush.message.event.http.hook.WebhookEvent";

/// What such an event is called on the bus.
const WEBHOOK: &str = "webhook";

/// The member of the data of an event that has what is Platypush's alone.
const ENVELOPE: &str = "_platypush";

/// An event that a client publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMessage {
    /// Its name on the bus.
    pub name: Arc<str>,
    /// What belongs to it: an object.
    pub data: JsonText,
}

/// Why a message is passed over that was to be an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// It is no event, or one without a name.
    Malformed,
    /// Events of this type are not taken from clients.
    Type(String),
}

/// What is Platypush's alone.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Envelope {
    /// The type, where it is not the usual one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", default)]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    id: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    origin: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    target: Option<Box<RawValue>>,
    #[serde(
        rename = "_timestamp",
        skip_serializing_if = "Option::is_none",
        default
    )]
    at: Option<Box<RawValue>>,
    /// Whether the members of the data stood beside the name, and not in an object of their own.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    flat: bool,
}

impl EventMessage {
    /// Reads a text of a websocket. One without a type is an event there.
    pub fn read_text(text: &str) -> Result<Self, Ignored> {
        let fields = Fields::read(text).map_err(|_| Ignored::Malformed)?;
        match fields.text("type").as_deref() {
            None | Some("event") => Self::read(&fields),
            Some(_) => Err(Ignored::Malformed),
        }
    }

    /// Reads the members of a message.
    pub fn read(fields: &Fields<'_>) -> Result<Self, Ignored> {
        let args = fields.get("args").and_then(Fields::of);
        let args = args.ok_or(Ignored::Malformed)?;
        let kind = args.text("type").ok_or(Ignored::Malformed)?;
        if ![CUSTOM_EVENT, CUSTOM_EVENT_ALIAS].contains(&&*kind) {
            return Err(Ignored::Type(kind));
        }
        let name = args.text("subtype").ok_or(Ignored::Malformed)?;
        if name.is_empty() || name.chars().count() > EVENT_NAME_MAX_CHARS {
            return Err(Ignored::Malformed);
        }
        let own = |name: &str| fields.some(name).map(RawValue::to_owned);
        let rest = args
            .all()
            .filter(|(name, _)| !["type", "subtype"].contains(name));
        let rest: IndexMap<&str, &RawValue> = rest.collect();
        let (members, flat) = members(rest);
        let envelope = Envelope {
            kind: (kind != CUSTOM_EVENT || name == WEBHOOK).then_some(kind),
            id: own("id"),
            origin: own("origin"),
            target: own("target"),
            at: own("_timestamp"),
            flat,
        };
        Ok(Self {
            name: Arc::from(name),
            data: data(members, &envelope)?,
        })
    }
}

/// The members of the data: those of the one object `args`, or all that stood beside the name.
fn members<'a>(rest: IndexMap<&'a str, &'a RawValue>) -> (IndexMap<String, &'a RawValue>, bool) {
    let inner = match rest.len() {
        1 => rest.get("args").copied().and_then(Fields::of),
        _ => None,
    };
    let owned = |(name, value): (&str, &'a RawValue)| (name.to_owned(), value);
    match inner {
        Some(inner) => (inner.all().map(owned).collect(), false),
        None => {
            let is_flat = !rest.is_empty();
            (rest.into_iter().map(owned).collect(), is_flat)
        }
    }
}

/// The data with the envelope, if that has something to say.
fn data(members: IndexMap<String, &RawValue>, envelope: &Envelope) -> Result<JsonText, Ignored> {
    let mut members = members;
    members.shift_remove(ENVELOPE);
    let said = serde_json::value::to_raw_value(envelope).map_err(|_| Ignored::Malformed)?;
    if said.get().len() > ENVELOPE_MAX_BYTES {
        return Err(Ignored::Malformed);
    }
    if said.get() != "{}" {
        members.insert(ENVELOPE.to_owned(), &said);
    }
    JsonText::of(&members).map_err(|_| Ignored::Malformed)
}

/// Writes an event, with what belongs to it behind its type.
pub(in crate::dialects::platypush) fn put_event(
    id: &str,
    at: &str,
    kind: &str,
    out: &mut Vec<u8>,
    rest: impl FnOnce(&mut Vec<u8>),
) {
    let own = format!("\"{ORIGIN}\"");
    put_head(&own, &own, id, at, kind, out);
    rest(out);
    out.extend_from_slice(b"}}");
}

fn put_head(target: &str, origin: &str, id: &str, at: &str, kind: &str, out: &mut Vec<u8>) {
    for (before, json) in [
        ("{\"type\":\"event\",\"target\":", target),
        (",\"origin\":", origin),
        (",\"id\":", id),
        (",\"_timestamp\":", at),
        (",\"args\":{\"type\":", ""),
    ] {
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(json.as_bytes());
    }
    put_json(kind, out);
}

/// Writes what was announced on the bus.
pub(in crate::dialects::platypush) fn shown_event(event: &BusEvent, out: &mut Vec<u8>) {
    let members: Option<IndexMap<String, Box<RawValue>>> = event.data.to().ok();
    let mut members = members.unwrap_or_default();
    let envelope = members.shift_remove(ENVELOPE);
    let is_ours = envelope.is_some();
    let envelope = envelope.and_then(|said| serde_json::from_str::<Envelope>(said.get()).ok());
    let envelope = envelope.unwrap_or_default();
    let own = format!("\"{ORIGIN}\"");
    let drawn = format!("\"{}\"", hex_id(event.act.id));
    let at = seconds(event.at);
    let json = |given: &Option<Box<RawValue>>, own: &str| match given {
        Some(given) => given.get().to_owned(),
        None => own.to_owned(),
    };
    let is_hook = !is_ours && &*event.name == WEBHOOK && members.contains_key("hook");
    let usual = if is_hook { WEBHOOK_EVENT } else { CUSTOM_EVENT };
    put_head(
        &json(&envelope.target, &own),
        &json(&envelope.origin, &own),
        &json(&envelope.id, &drawn),
        &json(&envelope.at, &at),
        envelope.kind.as_deref().unwrap_or(usual),
        out,
    );
    if !is_hook {
        out.extend_from_slice(b",\"subtype\":");
        put_json(&*event.name, out);
    }
    if is_hook || envelope.flat {
        put_members(&members, out);
    } else {
        out.extend_from_slice(b",\"args\":{");
        let start = out.len();
        put_members(&members, out);
        if out.len() > start {
            out.remove(start);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
}

/// Members of an object, each behind a comma.
fn put_members(members: &IndexMap<String, Box<RawValue>>, out: &mut Vec<u8>) {
    for (name, value) in members {
        out.push(b',');
        put_json(name, out);
        out.push(b':');
        out.extend_from_slice(value.get().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Act, Clearance, Timestamp};

    /// What the clients are told of an event that another client sends.
    fn told(text: &str) -> Result<String, Ignored> {
        let EventMessage { name, data } = EventMessage::read_text(text)?;
        Ok(shown(&name, data.as_str()))
    }

    fn shown(name: &str, data: &str) -> String {
        let event = BusEvent {
            name: Arc::from(name),
            data: JsonText::parse(data).unwrap(),
            level: Clearance::User,
            act: Arc::new(Act { id: 7, user: None }),
            at: Timestamp(1_795_226_000_300_000),
        };
        let mut out = Vec::new();
        shown_event(&event, &mut out);
        String::from_utf8(out).unwrap()
    }

    const AROUND: &str = r#"{"type":"event","target":"riser","origin":"riser","id":"00000000000000000000000000000007","_timestamp":1795226000.3,"args":"#;

    #[test]
    fn a_custom_event_comes_back_to_the_letter() {
        for args in [
            r#"{"type":"platypush.message.event.custom.CustomEvent","subtype":"foo","args":{"bar":"baz"}}"#,
            r#"{"type":"platypush.message.event.custom.CustomEvent","subtype":"foo","args":{"n":1.50,"b":[ 1 ]}}"#,
            r#"{"type":"platypush.events.custom.CustomEvent","subtype":"foo","bar":"baz","args":5}"#,
            r#"{"type":"platypush.message.event.custom.CustomEvent","subtype":"webhook","args":{"hook":"x"}}"#,
        ] {
            let text = format!(r#"{{"type":"event","args":{args}}}"#);
            assert_eq!(told(&text).unwrap(), format!("{AROUND}{args}}}"));
        }
    }

    #[test]
    fn what_a_client_writes_around_an_event_is_kept() {
        let text = r#"{"type":"event","target":"x","origin":"me","id":5,"_timestamp":1.5,"args":{"type":"platypush.message.event.custom.CustomEvent","subtype":"foo","args":{}}}"#;
        assert_eq!(told(text).unwrap(), text);
    }

    #[test]
    fn others_see_plain_data() {
        let read = |text: &str| EventMessage::read_text(text).unwrap();
        let event = read(
            r#"{"args":{"type":"platypush.message.event.custom.CustomEvent","subtype":"doors","args":{"who":"Ann"}}}"#,
        );
        assert_eq!(&*event.name, "doors");
        assert_eq!(event.data.as_str(), r#"{"who":"Ann"}"#);
        let flat = read(
            r#"{"args":{"type":"platypush.message.event.custom.CustomEvent","subtype":"doors","who":"Ann"}}"#,
        );
        assert_eq!(
            flat.data.as_str(),
            r#"{"who":"Ann","_platypush":{"flat":true}}"#
        );
    }

    #[test]
    fn what_other_dialects_announce_is_a_custom_event() {
        let args = r#"{"type":"platypush.message.event.custom.CustomEvent","subtype":"doors","args":{"who":"Ann"}}"#;
        assert_eq!(
            shown("doors", r#"{"who":"Ann"}"#),
            format!("{AROUND}{args}}}")
        );
    }

    #[test]
    fn what_came_to_a_hook_has_a_type_of_its_own() {
        let data =
            r#"{"hook":"at_home","method":"POST","args":{},"data":null,"headers":{"Host":"x"}}"#;
        let args = r#"{"type":"platypush.message.event.http.hook.WebhookEvent","hook":"at_home","method":"POST","args":{},"data":null,"headers":{"Host":"x"}}"#;
        assert_eq!(shown("webhook", data), format!("{AROUND}{args}}}"));
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        for text in [
            "x",
            "[]",
            "{}",
            r#"{"type":"request","action":"a.b"}"#,
            r#"{"type":"event","args":{"type":"platypush.message.event.custom.CustomEvent"}}"#,
            r#"{"type":"event","args":{"type":"platypush.message.event.custom.CustomEvent","subtype":""}}"#,
            r#"{"type":"event","args":[]}"#,
        ] {
            assert_eq!(told(text), Err(Ignored::Malformed), "{text}");
        }
        let long = format!(
            r#"{{"id":"{}","args":{{"type":"{CUSTOM_EVENT}","subtype":"x"}}}}"#,
            "x".repeat(ENVELOPE_MAX_BYTES)
        );
        assert_eq!(told(&long), Err(Ignored::Malformed));
        let other = r#"{"type":"event","args":{"type":"os.system","subtype":"x"}}"#;
        assert_eq!(told(other), Err(Ignored::Type("os.system".to_owned())));
    }
}
