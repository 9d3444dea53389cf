//! What comes to `/execute`: a request, or an event that is published by that.

use crate::dialects::platypush::message::{
    BadRequest, EventMessage, Fields, Ignored, MessageId, RequestMessage,
};

/// A message that came over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution {
    /// An action is to be executed.
    Request(RequestMessage),
    /// A request that cannot be one. It has a response all the same.
    Misread(MessageId, BadRequest),
    /// An event is to be published.
    Event(EventMessage),
    /// An event of a type that is not taken from clients.
    UnknownEvent(String),
    /// Nothing is to be done.
    Nothing,
}

impl Execution {
    /// Reads the body of a request. What is no message is refused.
    pub fn read(body: &[u8], draw: &dyn Fn() -> u128) -> Result<Self, BadRequest> {
        let text = std::str::from_utf8(body).map_err(|_| BadRequest::NotJson)?;
        let fields = Fields::read(text)?;
        match fields.text("type").as_deref() {
            Some("request") => match RequestMessage::read(&fields, draw) {
                Ok(request) => Ok(Self::Request(request)),
                Err((_, BadRequest::NoAction)) => Err(BadRequest::NoAction),
                Err((id, why)) => Ok(Self::Misread(id, why)),
            },
            Some("event") => Ok(match EventMessage::read(&fields) {
                Ok(event) => Self::Event(event),
                Err(Ignored::Type(kind)) => Self::UnknownEvent(kind),
                Err(Ignored::Malformed) => Self::Nothing,
            }),
            Some("response") => Ok(Self::Nothing),
            Some(_) | None => Err(BadRequest::WrongType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Execution, BadRequest> {
        Execution::read(body.as_bytes(), &|| 7)
    }

    #[test]
    fn a_message_is_known_by_its_type() {
        assert!(matches!(
            read(r#"{"type":"request","action":"a.b"}"#),
            Ok(Execution::Request(_))
        ));
        assert!(matches!(
            read(r#"{"type":"request","action":5}"#),
            Ok(Execution::Misread(_, BadRequest::ActionNoText))
        ));
        let event = r#"{"type":"event","args":{"type":"platypush.message.event.custom.CustomEvent","subtype":"foo"}}"#;
        assert!(matches!(read(event), Ok(Execution::Event(_))));
        let other = r#"{"type":"event","args":{"type":"os.system"}}"#;
        assert_eq!(
            read(other),
            Ok(Execution::UnknownEvent("os.system".to_owned()))
        );
        assert_eq!(read(r#"{"type":"response"}"#), Ok(Execution::Nothing));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (body, expect) in [
            ("", BadRequest::NotJson),
            ("{", BadRequest::NotJson),
            ("[]", BadRequest::NoObject),
            ("5", BadRequest::NoObject),
            (r#"{"action":"a.b"}"#, BadRequest::WrongType),
            (
                r#"{"type":"requests","action":"a.b"}"#,
                BadRequest::WrongType,
            ),
            (r#"{"type":"request"}"#, BadRequest::NoAction),
        ] {
            assert_eq!(read(body), Err(expect), "{body}");
        }
    }
}
