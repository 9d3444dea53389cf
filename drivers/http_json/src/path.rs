//! Paths of requests, with places for what callers give.
//!
//! Separate because a caller must not leave the path that the installer wrote: what is filled in stays within its segment.

use std::borrow::Cow;

use driver_sdk::schemars::{JsonSchema, Schema, SchemaGenerator};
use driver_sdk::serde::de::{Deserialize, Deserializer, Error as _};
use driver_sdk::{Error, TemplateValues, TextTemplate};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is escaped in a value: all but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The response code of a call whose values do not fit, as for other arguments.
const BAD_VALUES: u16 = 400;

/// A path with places for values, such as `/zones/{{ zone }}/stop`.
#[derive(Debug, Clone)]
pub(crate) struct Path(TextTemplate);

impl Path {
    pub(crate) fn template(&self) -> &TextTemplate {
        &self.0
    }

    /// The path with the values in it, escaped.
    ///
    /// A value that makes a segment empty, `.` or `..` is refused: servers would take it for another path, escaped or not.
    pub(crate) fn fill(&self, values: &TemplateValues) -> Result<String, Error> {
        let escape = |value: &str| utf8_percent_encode(value, RESERVED).to_string();
        let filled = self.0.fill_escaped(values, escape)?;
        // An escaped value has neither `/` nor `?`, so the segments of both correspond.
        let segments = segments(self.0.as_str()).zip(segments(&filled));
        for (written, filled) in segments {
            if written.contains("{{") && matches!(filled, "" | "." | "..") {
                return Err(Error::new(format_args!(
                    "the value for {written} in the path is empty, `.` or `..`, and would lead elsewhere"
                ))
                .with_code(BAD_VALUES));
            }
        }
        Ok(filled)
    }
}

/// The parts between the slashes, in front of the query.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    path.split('/')
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextTemplate::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Path {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        TextTemplate::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        TextTemplate::json_schema(generator)
    }
}

/// A path without places: it is read by the clock, when there is no caller to give values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FixedPath(pub(crate) String);

impl<'de> Deserialize<'de> for FixedPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = TextTemplate::deserialize(deserializer)?;
        path.check_names(&[]).map_err(D::Error::custom)?;
        Ok(Self(path.as_str().to_owned()))
    }
}

impl JsonSchema for FixedPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::JsonText;

    use super::*;

    /// Fills the place `{{ v }}`, and gives the path or what the error says.
    fn fill(path: &str, value: &str) -> String {
        let path = Path(TextTemplate::parse(path).unwrap());
        let values = TemplateValues::one("v", JsonText::of(value).unwrap());
        match path.fill(&values) {
            Ok(path) => path,
            Err(error) => {
                assert_eq!(error.code(), 400);
                error.to_string()
            }
        }
    }

    #[test]
    fn what_is_filled_in_is_escaped_and_the_rest_is_not() {
        for (value, expect) in [
            ("a/b", "/zones/a%2Fb/stop?x=1"),
            ("a?b#c", "/zones/a%3Fb%23c/stop?x=1"),
            ("50 %", "/zones/50%20%25/stop?x=1"),
            ("A-z_0.9~", "/zones/A-z_0.9~/stop?x=1"),
            ("Küche", "/zones/K%C3%BCche/stop?x=1"),
            ("{{ v }}", "/zones/%7B%7B%20v%20%7D%7D/stop?x=1"),
        ] {
            assert_eq!(fill("/zones/{{ v }}/stop?x=1", value), expect);
        }
    }

    #[test]
    fn a_value_that_would_lead_elsewhere_is_refused() {
        let refused =
            "the value for {{ v }} in the path is empty, `.` or `..`, and would lead elsewhere";
        for value in ["", ".", ".."] {
            assert_eq!(fill("/zones/{{ v }}/stop", value), refused);
            assert_eq!(fill("/zones/{{ v }}?x", value), refused);
        }
        assert_eq!(fill("/zones/z{{ v }}", ".."), "/zones/z..");
        assert_eq!(fill("/zones?of={{ v }}", ""), "/zones?of=");
        assert_eq!(fill("/zones?of=/{{ v }}/", ".."), "/zones?of=/../");
    }
}
