//! Where the websockets are opened, by what credentials, and why they are closed.
//!
//! A client that may not come in gets its websocket all the same, and learns of it by the close frame, as in Platypush.

use crate::dialects::platypush::NAME;
use crate::dialects::platypush::rest::presented;
use crate::dialects::{
    Admission, CloseFrame, DialectSettings, Handshake, Head, Hello as AnyHello, LooksAround, Out,
    Profile, RefusalTime,
};
use crate::model::{CloseReason, Scope};

/// Where the websockets are opened.
const WEBSOCKET_PATHS: [&str; 3] = ["/ws/requests", "/ws/events", "/ws/monitor"];

/// The scopes that open them, one of which has to write, since calls are made over them.
const SCOPES: [&str; 3] = [Scope::PUBLIC, NAME, "control"];

/// What is known from the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// What the websocket is for.
    pub channel: Channel,
}

/// What a websocket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Requests and their responses.
    Requests,
    /// Events, both ways.
    Events,
    /// What is executed, for administrators.
    Monitor,
}

impl Channel {
    fn at(path: &str) -> Self {
        match path.trim_end_matches('/').rsplit('/').next() {
            Some("requests") => Self::Requests,
            Some("events") => Self::Events,
            Some(_) | None => Self::Monitor,
        }
    }
}

/// What the server has to know of this dialect.
pub(in crate::dialects) fn profile(settings: &DialectSettings) -> Profile {
    Profile {
        paths: &WEBSOCKET_PATHS,
        scopes: &SCOPES,
        sign_in_within: None,
        refusal: RefusalTime::AfterUpgrade,
        message_max_bytes: settings.message_max_bytes,
        bare_text: None,
        keep_alive: settings.keep_alive(None),
        looks_around: LooksAround::Yes,
    }
}

/// Reads the credentials and what the websocket is for.
pub(in crate::dialects) fn handshake(head: &Head<'_>) -> Handshake {
    let presented = presented(head.header, head.query, head.transport);
    let hello = Hello {
        channel: Channel::at(head.path),
    };
    Handshake::Admit(Admission {
        basic: presented.basic,
        is_foreign_page: presented.is_foreign_page,
        ..Admission::of(presented.credentials, AnyHello::Platypush(hello))
    })
}

/// Says why a connection ends: to who may not come in by Platypush's words, to all others by the name of the reason.
pub(in crate::dialects) fn goodbye(why: CloseReason, _: &mut Out<'_>) -> Option<CloseFrame> {
    let code = match why {
        // A client that closes gets its own code back, and one that is lost gets nothing.
        CloseReason::ClientClosed | CloseReason::ConnectionLost => return None,
        CloseReason::Unauthenticated => {
            return Some(CloseFrame {
                code: 1008,
                text: "Invalid credentials",
            });
        }
        CloseReason::GoingAway => 1001,
        CloseReason::ProtocolError => 1002,
        CloseReason::InvalidText => 1007,
        CloseReason::SlowConsumer
        | CloseReason::KeepAliveTimedOut
        | CloseReason::SignInTimedOut
        | CloseReason::CredentialsRevoked
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
    use crate::dialects::platypush::stage::settings;
    use crate::model::{Credentials, Secret, Transport};

    fn admitted(path: &str, headers: &[(&str, &str)]) -> Admission {
        let head = Head {
            carrier: Carrier::WebSocket,
            transport: Transport::Plain,
            path,
            query: "",
            header: &|name| {
                let found = headers.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.as_bytes())
            },
        };
        match handshake(&head) {
            Handshake::Admit(admission) => admission,
            Handshake::Refuse(_) => panic!("it is admitted"),
        }
    }

    #[test]
    fn each_path_is_a_channel_of_its_own() {
        for (path, channel) in [
            ("/ws/requests", Channel::Requests),
            ("/ws/events/", Channel::Events),
            ("/ws/monitor", Channel::Monitor),
        ] {
            assert!(profile(&settings()).is_at(path), "{path}");
            let hello = AnyHello::Platypush(Hello { channel });
            assert_eq!(admitted(path, &[]).hello, hello);
        }
        assert!(!profile(&settings()).is_at("/ws/shell"));
    }

    #[test]
    fn a_page_of_another_origin_may_use_a_token_and_no_cookie() {
        let origin = ("origin", "http://elsewhere.test");
        let host = ("host", "rooms.test");
        let token = ("x-token", "panel.secret");
        let admission = admitted("/ws/events", &[origin, host, token]);
        assert!(!admission.is_foreign_page);
        let key = Credentials::ApiKey(Secret::new("panel.secret"));
        assert_eq!(admission.credentials, [key]);
        let cookie = ("cookie", "session_token=abc");
        assert!(admitted("/ws/events", &[origin, host, cookie]).is_foreign_page);
        assert!(!admitted("/ws/events", &[host, cookie]).is_foreign_page);
    }
}
