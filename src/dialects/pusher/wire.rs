//! What clients say: objects with an event, a channel and data. Texts that were signed are kept to the letter.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A frame of a client.
#[derive(Debug, Deserialize)]
pub(super) struct Said<'a> {
    /// The name of the event, or of a command.
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    /// The channel, where the frame is for one.
    #[serde(borrow, default)]
    pub(super) channel: Option<Cow<'a, str>>,
    /// What belongs to the event.
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
}

/// The data of `pusher:subscribe` and `pusher:unsubscribe`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Subscribe {
    /// The channel.
    #[serde(default)]
    pub(super) channel: Option<String>,
    /// `KEY:SIGNATURE`; empty or missing where none is needed.
    #[serde(default)]
    pub(super) auth: Option<String>,
    /// Who comes, as JSON that was signed.
    #[serde(default)]
    pub(super) channel_data: Option<String>,
}

/// The data of `pusher:signin`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SignIn {
    /// `KEY:SIGNATURE`.
    #[serde(default)]
    pub(super) auth: Option<String>,
    /// Who signs in, as JSON that was signed.
    #[serde(default)]
    pub(super) user_data: Option<String>,
}

/// What `channel_data` says.
#[derive(Debug, Deserialize)]
pub(super) struct ChannelData {
    /// The user's id: a text, or a number that is kept as its text.
    pub(super) user_id: Box<RawValue>,
    /// What the user says of themselves.
    #[serde(default)]
    pub(super) user_info: Option<Box<RawValue>>,
}

/// What `user_data` says.
#[derive(Debug, Deserialize)]
pub(super) struct UserData {
    /// The user's id.
    pub(super) id: String,
    /// What the user says of themselves.
    #[serde(default)]
    pub(super) user_info: Option<Box<RawValue>>,
    /// The users about whom the user wants to know whether they are signed in.
    #[serde(default)]
    pub(super) watchlist: Option<Vec<String>>,
}

/// The data of `client-exec`.
#[derive(Debug, Deserialize)]
pub(super) struct Exec {
    /// The caller's own id for the call.
    #[serde(default)]
    pub(super) id: Option<Box<RawValue>>,
    /// The name of the module.
    #[serde(default, rename = "mod")]
    pub(super) module: Option<Box<RawValue>>,
    /// Which of the like-named modules.
    #[serde(default)]
    pub(super) index: Option<Box<RawValue>>,
    /// The function.
    #[serde(default)]
    pub(super) name: Option<Box<RawValue>>,
    /// Its arguments.
    #[serde(default)]
    pub(super) args: Option<Box<RawValue>>,
}

/// Reads a frame, or says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Said<'_>, &'static str> {
    let whole: &RawValue =
        serde_json::from_str(text).map_err(|_| "Invalid JSON: a frame is one JSON object")?;
    object(whole).ok_or("A frame is a JSON object with the text `event`")
}

/// Reads the data of a command: an object, or a text that holds one.
pub(super) fn data<T: DeserializeOwned>(data: Option<&RawValue>) -> Option<T> {
    let data = data?;
    match text(data) {
        Some(text) => signed(&text),
        None => signed(data.get()),
    }
}

/// Reads an object out of a text that was signed.
pub(super) fn signed<T: DeserializeOwned>(text: &str) -> Option<T> {
    // Serde takes a list for the fields of a struct, in their order.
    let is_object = text.trim_ascii_start().starts_with('{');
    is_object.then(|| serde_json::from_str(text).ok())?
}

/// The text that a value is.
pub(super) fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// An id that is a text, or a number that is kept as its text.
pub(super) fn id_text(value: &RawValue) -> Option<String> {
    let is_number =
        |token: &str| token.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit());
    let number = || Some(value.get().to_owned()).filter(|token| is_number(token));
    text(value).or_else(number)
}

fn object<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Option<T> {
    let is_object = value.get().starts_with('{');
    is_object.then(|| serde_json::from_str(value.get()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_an_event_is_a_frame() {
        let said = read(r#" {"data":{"a":1.0},"event":"client-x","channel":"c","other":1} "#);
        let said = said.unwrap();
        assert_eq!(
            (said.event, said.channel),
            ("client-x".into(), Some("c".into()))
        );
        assert_eq!(said.data.unwrap().get(), r#"{"a":1.0}"#);
        for bad in [
            "",
            "x",
            "1",
            "null",
            "{",
            "[]",
            r#"["client-x","c",{}]"#,
            "{}",
            r#"{"event":1}"#,
            r#"{"event":null}"#,
            r#"{"event":"a","channel":1}"#,
            r#"{"event":"a"}{}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn data_may_stand_in_a_text_but_a_list_is_none() {
        let channel = |json: &str| {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            data::<Subscribe>(Some(&raw)).and_then(|data| data.channel)
        };
        assert_eq!(channel(r#"{"channel":"a"}"#).as_deref(), Some("a"));
        assert_eq!(channel(r#""{\"channel\":\"a\"}""#).as_deref(), Some("a"));
        for bad in [r#"["a"]"#, r#""a""#, "null", "{}", r#"{"channel":1}"#] {
            assert_eq!(channel(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_number_is_an_id_by_its_text() {
        let id = |json: &str| id_text(&serde_json::from_str::<Box<RawValue>>(json).unwrap());
        assert_eq!(
            id("12345678901234567890").as_deref(),
            Some("12345678901234567890")
        );
        assert_eq!(id("-1.50").as_deref(), Some("-1.50"));
        assert_eq!(id(r#""u-7""#).as_deref(), Some("u-7"));
        for bad in ["null", "true", "[]", "{}"] {
            assert_eq!(id(bad), None, "{bad}");
        }
    }
}
