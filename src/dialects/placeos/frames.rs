//! Writing frames: the replies of one connection, and events for every subscriber at once.
//!
//! The fields and their order are those of PlaceOS's server, with those that only its documentation shows added.
//! An event leaves a gap behind `{"id":` for what differs between subscribers: of a value that is the id of the bind,
//! of a log line the id of the debug and the `meta` that this client sent.

use std::io::Write as _;
use std::str;

use serde::Serialize;

use crate::dialects::placeos::ValueForm;
use crate::dialects::placeos::errors::ErrorCode;
use crate::dialects::{Encoded, Splice, Surroundings};
use crate::model::{BindingPath, Event, JsonText, LogLine, ModuleId, Newest};

/// How every frame begins; the id follows.
const HEAD: &[u8] = b"{\"id\":";

/// The success of a bind or an unbind.
pub(super) fn success(id: &str, meta: &[u8], out: &mut Vec<u8>) {
    put_head(id, "success", out);
    put_field("meta", meta, out);
    out.push(b'}');
}

/// What a function returned.
pub(super) fn result(id: &str, value: &JsonText, meta: &[u8], code: u16, out: &mut Vec<u8>) {
    put_head(id, "success", out);
    put_field("value", value.as_str().as_bytes(), out);
    put_field("meta", meta, out);
    put_number("code", code, out);
    out.push(b'}');
}

/// The success of a debug: the module whose log follows.
pub(super) fn debugging(id: &str, module: &ModuleId, meta: &[u8], out: &mut Vec<u8>) {
    put_head(id, "success", out);
    put_text("mod_id", module.as_str(), out);
    put_field("meta", meta, out);
    out.push(b'}');
}

/// The success of an ignore.
pub(super) fn ignored(id: &str, out: &mut Vec<u8>) {
    put_head(id, "success", out);
    out.push(b'}');
}

/// The failure of anything.
pub(super) fn error(
    id: &str,
    code: ErrorCode,
    message: &str,
    response_code: u16,
    out: &mut Vec<u8>,
) {
    put_head(id, "error", out);
    put_number("code", u16::from(code.number()), out);
    put_number("error_code", u16::from(code.number()), out);
    put_text("msg", message, out);
    put_number("response_code", response_code, out);
    out.push(b'}');
}

/// The `meta` of a frame, which clients look their bindings up by: what the request said, with the index filled in.
pub(super) fn meta(system: &str, module: &str, index: i32, name: &str) -> Vec<u8> {
    let mut meta = Vec::with_capacity(40 + system.len() + module.len() + name.len());
    put_meta(system, module, index.into(), name, &mut meta);
    meta
}

/// What differs between the followers of one log.
pub(super) fn log_splice(id: &str, meta: &[u8]) -> Splice {
    let meta = str::from_utf8(meta).expect("a meta is made of texts");
    Splice::new(format!("{id},\"meta\":{meta}"))
}

/// Writes an event but for the splice.
pub(in crate::dialects) fn encode(
    form: ValueForm,
    event: &Event,
    _: &Newest,
    _: &Surroundings,
    out: &mut Encoded,
) {
    match event {
        Event::Value { path, value, .. } => {
            out.frame(HEAD, |out| put_notify(form, path, value.as_ref(), out));
        }
        Event::Line(line) => out.frame(HEAD, |out| put_line(line, out)),
        // No request of this dialect follows these.
        Event::Entry { .. }
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => {}
    }
}

fn put_notify(form: ValueForm, path: &BindingPath, value: Option<&JsonText>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"type\":\"notify\",\"value\":");
    match (form, value) {
        (_, None) => out.extend_from_slice(b"null"),
        (ValueForm::Raw, Some(value)) => out.extend_from_slice(value.as_str().as_bytes()),
        (ValueForm::Text, Some(value)) => put_json(value.as_str(), out),
    }
    out.extend_from_slice(b",\"meta\":");
    let module = &path.module;
    put_meta(
        module.system.as_str(),
        module.module.as_str(),
        module.index.get().into(),
        path.status.as_str(),
        out,
    );
    out.push(b'}');
}

fn put_line(line: &LogLine, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"type\":\"debug\"");
    put_text("mod", line.module.as_str(), out);
    put_text("klass", &line.driver, out);
    put_text("level", line.level.as_str(), out);
    put_text("msg", &line.message, out);
    out.push(b'}');
}

fn put_meta(system: &str, module: &str, index: i64, name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"sys\":");
    put_json(system, out);
    put_text("mod", module, out);
    out.extend_from_slice(b",\"index\":");
    put_json(&index, out);
    put_text("name", name, out);
    out.push(b'}');
}

fn put_head(id: &str, kind: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(HEAD);
    out.extend_from_slice(id.as_bytes());
    put_text("type", kind, out);
}

/// Adds a field whose value is JSON already.
fn put_field(name: &str, json: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    out.extend_from_slice(json);
}

fn put_text(name: &str, text: &str, out: &mut Vec<u8>) {
    put_field(name, b"", out);
    put_json(text, out);
}

fn put_number(name: &str, number: u16, out: &mut Vec<u8>) {
    put_field(name, b"", out);
    write!(out, "{number}").expect("a vector takes every byte");
}

fn put_json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("texts and numbers are JSON, a vector takes them");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dialects::placeos::testing::path;
    use crate::model::{Cause, LogLevel, Revision, Timestamp};

    fn frame(form: ValueForm, event: &Event, splice: &Splice) -> String {
        let mut out = Encoded::default();
        encode(
            form,
            event,
            &Newest::default(),
            &Surroundings::default(),
            &mut out,
        );
        let (before, after) = out.frames().next().unwrap();
        String::from_utf8([before, splice.as_bytes(), after].concat()).unwrap()
    }

    fn value(json: Option<&str>) -> Event {
        Event::Value {
            path: Arc::new(path("sys-a", "Display", 1, "power")),
            value: json.map(|json| JsonText::parse(json).unwrap()),
            old: None,
            at: Timestamp(0),
            cause: Cause::Module,
            revision: Revision(1),
        }
    }

    #[test]
    fn a_value_is_forwarded_byte_for_byte() {
        let json = r#"{"text": "a\"b\n\ud83d\ude00 ☕","n":1.0}"#;
        let meta = r#"{"sys":"sys-a","mod":"Display","index":1,"name":"power"}"#;
        assert_eq!(
            frame(ValueForm::Raw, &value(Some(json)), &Splice::new("7")),
            format!(r#"{{"id":7,"type":"notify","value":{json},"meta":{meta}}}"#)
        );
    }

    #[test]
    fn the_documented_form_has_the_value_as_a_string_of_json() {
        assert_eq!(
            frame(
                ValueForm::Text,
                &value(Some(r#"["a"]"#)),
                &Splice::new("18")
            ),
            r#"{"id":18,"type":"notify","value":"[\"a\"]","meta":{"sys":"sys-a","mod":"Display","index":1,"name":"power"}}"#
        );
    }

    #[test]
    fn a_removed_status_is_null_in_every_form() {
        for form in [ValueForm::Raw, ValueForm::Text] {
            let text = frame(form, &value(None), &Splice::new("1"));
            assert!(text.contains(r#","value":null,"#), "{text}");
        }
    }

    #[test]
    fn a_log_line_carries_the_id_and_the_meta_of_who_follows_it() {
        let line = Event::Line(Arc::new(LogLine {
            module: ModuleId::new("mod-d1").unwrap(),
            driver: Arc::from("::Display"),
            level: LogLevel::Warn,
            message: "lamp\n\"hot\"".to_owned(),
        }));
        let splice = log_splice("\"x\"", &meta("", "mod-d1", 1, "debug"));
        assert_eq!(
            frame(ValueForm::Raw, &line, &splice),
            r#"{"id":"x","meta":{"sys":"","mod":"mod-d1","index":1,"name":"debug"},"type":"debug","mod":"mod-d1","klass":"::Display","level":"warn","msg":"lamp\n\"hot\""}"#
        );
    }
}
