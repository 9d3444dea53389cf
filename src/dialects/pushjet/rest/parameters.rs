//! What stands in the query and in the body of a request. Names of services and devices may stand in either, all else in the body alone.

use serde_json::{Map, Value};

use crate::dialects::fields::Fields;

/// The parameters of a request. They hold secrets, so they show their names alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    form: Fields,
    query: Fields,
}

impl Parameters {
    /// Reads them. A body that begins with `{` is JSON, whatever it is said to be: Apprise says that it is a form.
    /// One that is not what it seems has no parameters, so that the first that is missing is named.
    pub fn read(content_type: Option<&str>, query: &str, body: &[u8]) -> Self {
        let form = match json(body) {
            Some(form) => form,
            None => Fields::read(content_type, body).unwrap_or_default(),
        };
        let query = Fields::read(None, query.as_bytes()).unwrap_or_default();
        Self { form, query }
    }

    /// Which service or device is meant: by the body, or by the query where that says nothing.
    pub(super) fn name(&self, name: &str) -> Option<&str> {
        let said = |fields: &'_ Fields| fields.get(name).is_some_and(|value| !value.is_empty());
        match said(&self.form) {
            true => self.form.get(name),
            false => self.query.get(name).filter(|value| !value.is_empty()),
        }
    }

    /// What the body says.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.form.get(name)
    }
}

/// The fields of a JSON object: texts, and numbers and truths as they are written. One that is null is not there, and neither is a list or an object.
fn json(body: &[u8]) -> Option<Fields> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let fields = fields.into_iter().filter_map(|(name, value)| {
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((name, value))
    });
    Some(fields.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    #[test]
    fn a_name_stands_in_the_body_or_in_the_query_and_the_rest_in_the_body_alone() {
        let read = Parameters::read(FORM, "uuid=q&secret=q&level=5", b"uuid=b&secret=&title=+t");
        assert_eq!(read.name("uuid"), Some("b"));
        assert_eq!(read.name("secret"), Some("q"));
        assert_eq!(read.name("service"), None);
        assert_eq!(read.said("title"), Some(" t"));
        assert_eq!(read.said("level"), None);
        assert_eq!(Parameters::read(FORM, "uuid=", b"").name("uuid"), None);
    }

    #[test]
    fn json_is_a_form_whatever_it_is_said_to_be() {
        let body = br#" {"message":"a+b","title":null,"level":4,"link":["x"],"on":true}"#;
        for label in [FORM, Some("application/json"), None] {
            let read = Parameters::read(label, "", body);
            assert_eq!(read.said("message"), Some("a+b"));
            assert_eq!(read.said("level"), Some("4"));
            assert_eq!(read.said("on"), Some("true"));
            assert_eq!(read.said("title"), None);
            assert_eq!(read.said("link"), None);
        }
    }

    #[test]
    fn a_body_in_parts_is_a_form_too() {
        let body =
            b"--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{a}\r\n--x--\r\n";
        let read = Parameters::read(Some("multipart/form-data; boundary=x"), "", body);
        assert_eq!(read.said("message"), Some("{a}"));
    }

    #[test]
    fn a_body_that_is_not_what_it_seems_says_nothing() {
        for (label, body) in [
            (FORM, &b"{\"message\":"[..]),
            (FORM, b"{\"message\":1}{}"),
            (Some("application/json"), b"[1]"),
            (Some("multipart/form-data"), b"--x"),
            (FORM, b"\xff\xfe"),
        ] {
            let read = Parameters::read(label, "uuid=q", body);
            assert_eq!(read.said("message"), None, "{body:?}");
            assert_eq!(read.name("uuid"), Some("q"));
        }
    }

    #[test]
    fn what_is_shown_of_them_has_no_value() {
        let read = Parameters::read(FORM, "secret=abc", b"message=def");
        let shown = format!("{read:?}");
        assert!(shown.contains("secret") && !shown.contains("abc") && !shown.contains("def"));
    }
}
