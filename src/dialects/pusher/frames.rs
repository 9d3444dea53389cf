//! What the server says: each frame is an object with the name of an event, and data that are a text.

use serde::Serialize;

use crate::model::JsonText;

/// What is published in a topic: what its frames say beside the channel.
#[derive(Serialize)]
struct Message<'a> {
    event: &'a str,
    data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

/// A message for those in a channel: an event, its data to the letter, and the member who published it, where it was one.
pub fn message(event: &str, data: &str, user_id: Option<&str>) -> JsonText {
    let message = Message {
        event,
        data,
        user_id,
    };
    JsonText::of(&message).expect("texts are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_data_as_text() {
        let said = message("a\"b", r#"{"n": 1.0}"#, None);
        assert_eq!(said.as_str(), r#"{"event":"a\"b","data":"{\"n\": 1.0}"}"#);
        let said = message("client-x", "1", Some("u-7"));
        let expected = r#"{"event":"client-x","data":"1","user_id":"u-7"}"#;
        assert_eq!(said.as_str(), expected);
    }
}
