//! Where the websocket is opened and why it is closed.

use crate::dialects::home_assistant::NAME;
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::rest::host_name;
use crate::dialects::{
    Admission, CloseFrame, DialectSettings, Handshake, Head, Hello, LooksAround, Out, Profile,
    RefusalTime,
};
use crate::model::{CloseReason, Scope};

/// Where the websocket is opened.
const WEBSOCKET_PATHS: [&str; 1] = ["/api/websocket"];

/// The scopes that open the websocket, one of which has to write, since calls are made over it.
const SCOPES: [&str; 3] = [Scope::PUBLIC, NAME, "control"];

/// What the server has to know of this dialect.
pub(in crate::dialects) fn profile(settings: &DialectSettings) -> Profile {
    Profile {
        paths: &WEBSOCKET_PATHS,
        scopes: &SCOPES,
        sign_in_within: Some(limits::SIGN_IN_WITHIN),
        refusal: RefusalTime::BeforeUpgrade,
        message_max_bytes: limits::MESSAGE_MAX_BYTES,
        bare_text: None,
        keep_alive: settings.keep_alive(None),
        looks_around: LooksAround::Yes,
    }
}

/// Clients sign in inside the socket.
pub(in crate::dialects) fn handshake(head: &Head<'_>) -> Handshake {
    let header = (head.header)("host").and_then(|host| str::from_utf8(host).ok());
    let hello = super::Hello {
        host: host_name(header.unwrap_or_default()).into(),
    };
    Handshake::Admit(Admission::of(Vec::new(), Hello::HomeAssistant(hello)))
}

/// Says why a connection ends.
pub(in crate::dialects) fn goodbye(why: CloseReason, _: &mut Out<'_>) -> Option<CloseFrame> {
    let code = match why {
        CloseReason::ClientClosed | CloseReason::ConnectionLost => return None,
        CloseReason::ProtocolError => 1002,
        CloseReason::InvalidText => 1007,
        CloseReason::MessageTooLarge => 1009,
        CloseReason::Internal => 1011,
        CloseReason::Starting | CloseReason::GoingAway => 1001,
        CloseReason::Unauthenticated
        | CloseReason::Forbidden
        | CloseReason::CredentialsRevoked
        | CloseReason::SignInTimedOut
        | CloseReason::KeepAliveTimedOut
        | CloseReason::TooManyConnections
        | CloseReason::SlowConsumer => 1000,
    };
    Some(CloseFrame {
        code,
        text: why.as_str(),
    })
}
