//! The fields of a form: clients send them as `application/x-www-form-urlencoded` or, as Home Assistant's library does, as `multipart/form-data`.
//!
//! It stands here because more than one dialect reads forms.

use std::fmt;

/// The most fields that are read. A sign-in and a message have five.
const FIELDS_MAX: usize = 32;

/// The fields of a form.
#[derive(Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().take(FIELDS_MAX).collect())
    }
}

/// Their names alone: a password may be among them.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// The body is no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is no form; send application/x-www-form-urlencoded or multipart/form-data")]
pub struct BadFields;

impl Fields {
    /// Reads a body of this type; one that says no type is read as the shorter kind.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, BadFields> {
        let content_type = content_type.unwrap_or_default().trim_ascii();
        let kind = content_type.split(';').next().unwrap_or_default();
        if kind
            .trim_ascii()
            .eq_ignore_ascii_case("multipart/form-data")
        {
            return parts(boundary(content_type).ok_or(BadFields)?, body);
        }
        Ok(form_urlencoded::parse(body).into_owned().collect())
    }

    /// All fields in their order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| &**value)
    }
}

/// What stands between the parts.
fn boundary(content_type: &str) -> Option<&str> {
    let value = parameter(content_type, "boundary")?;
    (1..=70).contains(&value.len()).then_some(value)
}

/// A parameter of a header, in quotes or not.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').skip(1).find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        let is_it = known.trim_ascii().eq_ignore_ascii_case(name);
        is_it.then(|| value.trim_ascii().trim_matches('"'))
    })
}

/// The fields of a body whose parts stand between boundaries (RFC 7578). Files are fields like others.
fn parts(boundary: &str, body: &[u8]) -> Result<Fields, BadFields> {
    let body = std::str::from_utf8(body).map_err(|_| BadFields)?;
    let delimiter = format!("--{boundary}");
    let mut fields = Vec::new();
    let (_, mut rest) = body.split_once(&*delimiter).ok_or(BadFields)?;
    let inner = format!("\r\n{delimiter}");
    while !rest.starts_with("--") {
        if fields.len() == FIELDS_MAX {
            return Err(BadFields);
        }
        let part = rest.strip_prefix("\r\n").ok_or(BadFields)?;
        let (part, behind) = part.split_once(&*inner).ok_or(BadFields)?;
        let (head, value) = part.split_once("\r\n\r\n").ok_or(BadFields)?;
        let name = head.split("\r\n").find_map(|line| {
            let (header, said) = line.split_once(':')?;
            let is_it = header.eq_ignore_ascii_case("content-disposition");
            is_it.then(|| parameter(said, "name"))?
        });
        let name = name.ok_or(BadFields)?;
        fields.push((name.to_owned(), value.to_owned()));
        rest = behind;
    }
    Ok(Fields(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTIPART: &str = "multipart/form-data; boundary=----x7";

    fn multipart(fields: &[(&str, &str)]) -> String {
        let mut body = String::new();
        for (name, value) in fields {
            body += &format!(
                "------x7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        body + "------x7--\r\n"
    }

    #[test]
    fn both_kinds_of_forms_have_the_same_fields() {
        let form = Fields::read(
            None,
            b"grant_type=refresh_token&client_id=http%3A%2F%2Fa.test%2F",
        );
        let body = multipart(&[
            ("grant_type", "refresh_token"),
            ("client_id", "http://a.test/"),
        ]);
        let parts = Fields::read(Some(MULTIPART), body.as_bytes());
        assert_eq!(form, parts);
        assert_eq!(form.unwrap().get("client_id"), Some("http://a.test/"));
    }

    #[test]
    fn a_value_may_have_lines_and_be_empty() {
        let body = multipart(&[("a", "one\r\n--two"), ("b", "")]);
        let fields = Fields::read(Some(MULTIPART), body.as_bytes()).unwrap();
        assert_eq!(fields.get("a"), Some("one\r\n--two"));
        assert_eq!(fields.get("b"), Some(""));
    }

    #[test]
    fn what_is_cut_off_is_no_form() {
        let body = multipart(&[("a", "1"), ("b", "2")]);
        let end = body.len() - "--\r\n".len();
        for length in 0..end {
            let read = Fields::read(Some(MULTIPART), &body.as_bytes()[..length]);
            assert_eq!(read, Err(BadFields), "{length}");
        }
        assert_eq!(
            Fields::read(Some("multipart/form-data"), b""),
            Err(BadFields)
        );
    }
}
