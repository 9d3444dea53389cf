//! Topics: where a message is published.

use std::borrow::Cow;

use driver_sdk::Error;
use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Deserialize;

use crate::limits::TOPIC_MAX_BYTES;

/// A topic that names one place: not empty, and without the wildcards `+` and `#`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", try_from = "String")]
#[schemars(crate = "driver_sdk::schemars", with = "String")]
pub(crate) struct Topic(String);

impl Topic {
    pub(crate) fn new(topic: &str) -> Result<Self, Error> {
        if topic.is_empty() || topic.len() > TOPIC_MAX_BYTES {
            return Err(Error::new("expected a topic of 1 to 65535 bytes"));
        }
        if topic.contains(['+', '#', '\0']) {
            return Err(Error::new(
                "expected a topic of one place, without the wildcards + and #",
            ));
        }
        Ok(Self(topic.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Topic {
    type Error = Error;

    fn try_from(topic: String) -> Result<Self, Self::Error> {
        Self::new(&topic)
    }
}

/// A name as one level of a topic: what has a meaning there becomes `_`.
pub(crate) fn level(name: &str) -> Cow<'_, str> {
    let special = ['/', '+', '#', '\0'];
    match name.contains(special) {
        true => name.replace(special, "_").into(),
        false => name.into(),
    }
}
