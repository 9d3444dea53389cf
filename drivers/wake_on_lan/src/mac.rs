//! The address of a network card, as settings write it, and the packet that wakes it.

use std::borrow::Cow;
use std::fmt;

use driver_sdk::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use driver_sdk::serde::de::{Deserialize, Deserializer, Error, Visitor};

/// How often the packet repeats the address, by AMD's white paper on the magic packet (publication 20213).
const REPETITIONS: usize = 16;

/// What belongs in the setting.
const EXPECTED: &str = "a MAC address in quotes, such as \"00:11:22:aa:bb:cc\"";

/// A MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mac([u8; 6]);

impl Mac {
    /// Reads six pairs of hexadecimal digits with `:`, with `-` or with nothing between them.
    fn parse(text: &str) -> Option<Self> {
        let pairs: Vec<&str> = match text.as_bytes().get(2)? {
            b':' => text.split(':').collect(),
            b'-' => text.split('-').collect(),
            _ => (0..text.len())
                .step_by(2)
                .map(|at| text.get(at..at + 2))
                .collect::<Option<_>>()?,
        };
        let pairs: [&str; 6] = pairs.try_into().ok()?;
        let mut bytes = [0; 6];
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let is_pair = pair.len() == 2 && pair.bytes().all(|it| it.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_pair)?;
        }
        Some(Self(bytes))
    }

    /// Six bytes of ones and then the address sixteen times: a card finds it in whatever packet it stands.
    pub(crate) fn magic_packet(self) -> Vec<u8> {
        [&[0xFF; 6], self.0.repeat(REPETITIONS).as_slice()].concat()
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MacVisitor;

        impl Visitor<'_> for MacVisitor {
            type Value = Mac;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Mac, E> {
                let unfit = || E::custom(format_args!("expected {EXPECTED}"));
                Mac::parse(text).ok_or_else(unfit)
            }
        }

        deserializer.deserialize_str(MacVisitor)
    }
}

impl JsonSchema for Mac {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "string".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{12})$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_colons_with_dashes_and_without() {
        let expect = Some(Mac([0x00, 0x11, 0x22, 0xaa, 0xbb, 0xcc]));
        for text in ["00:11:22:aa:bb:cc", "00-11-22-AA-BB-CC", "001122aaBBcc"] {
            assert_eq!(Mac::parse(text), expect, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "00",
            "00:11:22:aa:bb",
            "00:11:22:aa:bb:cc:dd",
            "00:11-22:aa:bb:cc",
            "0:11:22:aa:bb:ccc",
            "+0:11:22:aa:bb:cc",
            "00:11:22:aa:bb:cg",
            "001122aabbc",
            "001122aabbccd",
            "0é1122aabbcc",
        ] {
            assert_eq!(Mac::parse(text), None, "{text}");
        }
    }
}
