//! Where a listener connects, and why its connection is closed. Nothing is asked of the head of its request: it says who it is in its first message.

use crate::dialects::pushjet::limits;
use crate::dialects::{
    Admission, CloseFrame, DialectSettings, Handshake, Head, Hello as AnyHello, LooksAround, Out,
    Profile, RefusalTime,
};
use crate::model::CloseReason;

/// Where the websocket is opened, below the place of this dialect's resources.
const WEBSOCKET_PATHS: [&str; 1] = ["/ws"];

/// What is known from the handshake: nothing. Pages of every origin are taken, since what opens a device is its uuid alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello;

/// What the server has to know of this dialect.
pub(in crate::dialects) fn profile(settings: &DialectSettings) -> Profile {
    Profile {
        paths: &WEBSOCKET_PATHS,
        scopes: &[],
        sign_in_within: Some(limits::SIGN_IN_WITHIN),
        refusal: RefusalTime::BeforeUpgrade,
        message_max_bytes: limits::MESSAGE_MAX_BYTES,
        bare_text: Some(limits::UUID_BYTES),
        keep_alive: settings.keep_alive(None),
        looks_around: LooksAround::Yes,
    }
}

/// Lets every client begin.
pub(in crate::dialects) fn handshake(_: &Head<'_>) -> Handshake {
    Handshake::Admit(Admission::of(Vec::new(), AnyHello::Pushjet(Hello)))
}

/// Pushjet has no words for the end of a connection, so the text of the close frame is the name of the reason.
pub(in crate::dialects) fn goodbye(why: CloseReason, _: &mut Out<'_>) -> Option<CloseFrame> {
    let code = match why {
        // A client that closes gets its own code back, and one that is lost gets nothing.
        CloseReason::ClientClosed | CloseReason::ConnectionLost => return None,
        CloseReason::GoingAway => 1001,
        CloseReason::ProtocolError => 1002,
        CloseReason::InvalidText => 1007,
        CloseReason::SlowConsumer
        | CloseReason::KeepAliveTimedOut
        | CloseReason::SignInTimedOut
        | CloseReason::CredentialsRevoked
        | CloseReason::Unauthenticated
        | CloseReason::Forbidden => 1008,
        CloseReason::MessageTooLarge => 1009,
        CloseReason::Internal => 1011,
        CloseReason::Starting | CloseReason::TooManyConnections => 1013,
    };
    let text = why.as_str();
    Some(CloseFrame { code, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::Carrier;
    use crate::dialects::pushjet::stage::settings;
    use crate::model::Transport;

    #[test]
    fn the_websocket_is_opened_at_its_path_with_a_slash_or_without() {
        let profile = profile(&settings());
        for (path, expect) in [
            ("/ws", true),
            ("/ws/", true),
            ("/", false),
            ("/ws/x", false),
        ] {
            assert_eq!(profile.is_at(path), expect, "{path}");
        }
    }

    #[test]
    fn a_page_of_any_origin_may_begin_without_credentials() {
        for carrier in [Carrier::WebSocket, Carrier::Framed] {
            let head = Head {
                carrier,
                transport: Transport::Plain,
                path: "",
                query: "",
                header: &|name| (name == "origin").then_some(b"https://elsewhere.test".as_slice()),
            };
            let Handshake::Admit(admission) = handshake(&head) else {
                panic!("it is admitted");
            };
            assert_eq!(admission.credentials, Vec::new());
            assert!(!admission.is_foreign_page);
        }
    }
}
