//! Where the websocket is opened, by which version of the protocol, and why it is closed.

use form_urlencoded::parse;

use crate::dialects::pusher::errors::ErrorCode;
use crate::dialects::pusher::{frames, limits};
use crate::dialects::{
    Admission, CloseFrame, DialectSettings, Handshake, Head, Hello as AnyHello, KeepAlive,
    LooksAround, Out, Profile, PusherSettings, RefusalTime,
};
use crate::model::{CloseReason, Credentials};

/// Where the websocket is opened: the last segment is the key of an app.
const WEBSOCKET_PATHS: [&str; 1] = ["/app/*"];

/// The versions of the protocol that are spoken. They differ in nothing that is said here.
const VERSIONS: std::ops::RangeInclusive<u32> = 4..=7;

/// What is known from the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The key of the app.
    pub key: Box<str>,
    /// What the client says of the protocol's version.
    pub protocol: Protocol,
}

/// What a client says of the protocol's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Nothing.
    Missing,
    /// Something that is no number.
    Bad,
    /// This one.
    Version(u32),
}

impl Protocol {
    /// Reads the version out of a query.
    fn of(query: &str) -> Self {
        let mut pairs = parse(query.as_bytes());
        match pairs.find(|(name, _)| name == "protocol") {
            None => Self::Missing,
            Some((_, version)) => version.parse().map_or(Self::Bad, Self::Version),
        }
    }

    /// Why it is not spoken here, if it is not.
    pub(super) fn refused(self, settings: &PusherSettings) -> Option<(ErrorCode, &'static str)> {
        match self {
            Self::Missing if settings.strict_protocol => {
                Some((ErrorCode::NoVersion, "No protocol version supplied"))
            }
            Self::Missing => None,
            Self::Bad => Some((
                ErrorCode::BadVersion,
                "Invalid version string format: protocol is a number",
            )),
            Self::Version(version) if VERSIONS.contains(&version) => None,
            Self::Version(_) => Some((
                ErrorCode::UnsupportedVersion,
                "Unsupported protocol version: those from 4 to 7 are spoken",
            )),
        }
    }
}

/// What the server has to know of this dialect.
pub(in crate::dialects) fn profile(settings: &DialectSettings) -> Profile {
    let PusherSettings {
        activity_timeout,
        pong_timeout,
        ..
    } = settings.pusher;
    Profile {
        paths: &WEBSOCKET_PATHS,
        scopes: &[],
        sign_in_within: None,
        refusal: RefusalTime::AfterUpgrade,
        message_max_bytes: limits::MESSAGE_MAX_BYTES,
        bare_text: None,
        keep_alive: KeepAlive {
            ping_after: activity_timeout,
            reap_after: activity_timeout + pong_timeout,
            text: None,
        },
        looks_around: LooksAround::Yes,
    }
}

/// Reads the key and the version. The version is judged by the session, which knows the settings.
pub(in crate::dialects) fn handshake(head: &Head<'_>) -> Handshake {
    let path = head.path.strip_suffix('/').unwrap_or(head.path);
    let key = path.rsplit('/').next().unwrap_or_default();
    let hello = Hello {
        key: key.into(),
        protocol: Protocol::of(head.query),
    };
    let credentials = vec![Credentials::AppKey(key.to_owned())];
    Handshake::Admit(Admission::of(credentials, AnyHello::Pusher(hello)))
}

/// Says why a connection ends: by an error, which libraries read, and by the close frame.
pub(in crate::dialects) fn goodbye(why: CloseReason, out: &mut Out<'_>) -> Option<CloseFrame> {
    let (code, text) = match why {
        CloseReason::ClientClosed | CloseReason::ConnectionLost => return None,
        CloseReason::ProtocolError => return Some(frame(1002, why.as_str())),
        CloseReason::InvalidText => return Some(frame(1007, why.as_str())),
        CloseReason::MessageTooLarge => return Some(frame(1009, why.as_str())),
        CloseReason::Internal => return Some(frame(1011, why.as_str())),
        CloseReason::Unauthenticated => (
            ErrorCode::UnknownApp,
            "App key not in this cluster. Did you forget to specify the cluster?",
        ),
        CloseReason::Forbidden => (ErrorCode::Unauthorized, "This is not open to the app"),
        CloseReason::CredentialsRevoked => {
            (ErrorCode::Unauthorized, "The app's key is no longer good")
        }
        CloseReason::SignInTimedOut => (
            ErrorCode::Unauthorized,
            "Connection not authorized within timeout",
        ),
        CloseReason::Starting => (
            ErrorCode::OverCapacity,
            "The gateway is starting or stopping; reconnect in a moment",
        ),
        CloseReason::TooManyConnections => (
            ErrorCode::OverCapacity,
            "Over capacity: there are as many connections as there may be",
        ),
        CloseReason::SlowConsumer => (
            ErrorCode::OverCapacity,
            "This connection reads too slowly; reconnect in a moment",
        ),
        CloseReason::GoingAway => (
            ErrorCode::ComeBack,
            "The gateway is shutting down; please reconnect",
        ),
        CloseReason::KeepAliveTimedOut => (
            ErrorCode::NoPong,
            "Pong reply not received: ping was sent to the client, but no reply was received",
        ),
    };
    Some(say(code, text, out))
}

/// Says an error that ends the connection, and gives the close frame that belongs to it.
pub(super) fn say(code: ErrorCode, text: &'static str, out: &mut Out<'_>) -> CloseFrame {
    out.text(|out| frames::put_error(Some(code), text, None, out));
    frame(code.number(), text)
}

fn frame(code: u16, text: &'static str) -> CloseFrame {
    CloseFrame { code, text }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dialects::pusher::stage::{KEY, Stage, settings};

    fn version(query: &str, strict_protocol: bool) -> Option<u16> {
        let settings = PusherSettings {
            strict_protocol,
            ..PusherSettings::DEFAULT
        };
        let refused = Protocol::of(query).refused(&settings);
        refused.map(|(code, _)| code.number())
    }

    #[test]
    fn versions_from_4_to_7_are_spoken_and_a_strict_gateway_wants_one() {
        for strict in [true, false] {
            for good in [
                "protocol=7&client=js",
                "client=Pysher&protocol=6",
                "protocol=4",
            ] {
                assert_eq!(version(good, strict), None, "{good}");
            }
            assert_eq!(version("protocol=abc", strict), Some(4006));
            assert_eq!(version("protocol=", strict), Some(4006));
            assert_eq!(version("protocol=99", strict), Some(4007));
            assert_eq!(version("protocol=3", strict), Some(4007));
        }
        assert_eq!(version("client=js", true), Some(4008));
        assert_eq!(version("client=js", false), None);
    }

    #[test]
    fn no_connection_is_closed_by_a_code_that_keeps_clients_away_by_mistake() {
        let codes: Vec<(CloseReason, u16, usize)> = CloseReason::ALL
            .into_iter()
            .filter_map(|why| {
                let (mut bytes, mut steps) = (Vec::new(), Vec::new());
                let said = goodbye(why, &mut Out::new(&mut bytes, |_, _| {}, &mut steps))?;
                Some((why, said.code, said.text.len()))
            })
            .collect();
        for (why, code, length) in codes {
            assert!(length <= 123, "{why:?}");
            assert!(!(4300..4400).contains(&code), "{why:?}");
            if why.may_reconnect() && why != CloseReason::SignInTimedOut {
                assert!(!(4000..4100).contains(&code), "{why:?} {code}");
            }
        }
    }

    #[test]
    fn silence_is_counted_as_the_client_is_told() {
        let pusher = PusherSettings {
            activity_timeout: Duration::from_secs(3),
            ..PusherSettings::DEFAULT
        };
        let keep_alive = profile(&settings(pusher)).keep_alive;
        assert_eq!(keep_alive.ping_after, Duration::from_secs(3));
        assert_eq!(keep_alive.reap_after, Duration::from_secs(33));
        let stage = Stage::open_with(KEY, Protocol::Version(7), pusher);
        assert!(stage.lines[0].contains(r#"\"activity_timeout\":3}"#));
    }

    /// Clients take no seconds for a broken handshake.
    #[test]
    fn a_client_is_told_of_one_second_at_least() {
        let pusher = PusherSettings {
            activity_timeout: Duration::from_millis(20),
            ..PusherSettings::DEFAULT
        };
        let stage = Stage::open_with(KEY, Protocol::Version(7), pusher);
        assert!(stage.lines[0].contains(r#"\"activity_timeout\":1}"#));
    }

    #[test]
    fn the_key_is_the_last_segment() {
        let head = Head {
            carrier: crate::dialects::Carrier::WebSocket,
            transport: crate::model::Transport::Plain,
            path: "/app/a1b2/",
            query: "protocol=7",
            header: &|_| None,
        };
        let Handshake::Admit(admission) = handshake(&head) else {
            panic!("it is admitted");
        };
        let key = Credentials::AppKey("a1b2".to_owned());
        assert_eq!(admission.credentials, vec![key]);
    }
}
