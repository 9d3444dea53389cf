//! The properties of a dialect that the server needs before a client connects: its paths, limits and signs of life.

use std::time::Duration;

use crate::model::Scope;

/// What an operator set that dialects take their limits from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialectSettings {
    /// The largest message from a client in bytes.
    pub message_max_bytes: usize,
    /// Silence after which a client is pinged.
    pub ping_after: Duration,
    /// How often a dialect's own sign of life goes out.
    pub pong_every: Duration,
    /// Silence after which a connection is closed.
    pub reap_after: Duration,
    /// What is Pusher's alone.
    pub pusher: PusherSettings,
}

impl DialectSettings {
    /// Pings and silence as they were set, and a dialect's own sign of life, if it has one.
    pub fn keep_alive(&self, text: Option<&'static str>) -> KeepAlive {
        KeepAlive {
            ping_after: self.ping_after,
            reap_after: self.reap_after,
            text: text.map(|text| (self.pong_every, text)),
        }
    }
}

/// What an operator set for Pusher's dialect alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PusherSettings {
    /// Silence after which either side asks the other for a sign of life. Default 120 s, as Pusher has it; in whole seconds, at least one.
    pub activity_timeout: Duration,
    /// How long that sign may take. Default 30 s, as Pusher has it.
    pub pong_timeout: Duration,
    /// Whether a client has to name the version of the protocol. By default it need not.
    pub strict_protocol: bool,
}

impl PusherSettings {
    /// What holds where nothing is set.
    pub const DEFAULT: Self = Self {
        activity_timeout: Duration::from_secs(120),
        pong_timeout: Duration::from_secs(30),
        strict_protocol: false,
    };
}

impl Default for PusherSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What the server has to know of a dialect.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Where its websocket is opened. A segment `*` stands for any one segment, and a trailing slash is as good as none.
    pub paths: &'static [&'static str],
    /// The scopes of which a caller needs one that writes; empty when every caller may connect.
    pub scopes: &'static [&'static str],
    /// How long a client may be anonymous; `None` when the handshake has to say who it is.
    pub sign_in_within: Option<Duration>,
    /// When a refused client learns of it.
    pub refusal: RefusalTime,
    /// The largest message from a client in bytes.
    pub message_max_bytes: usize,
    /// How many bytes a text has that clients of [`Carrier::Framed`] send without the bytes around it; `None` when they put those around each text.
    pub bare_text: Option<usize>,
    /// How dead connections are noticed, and idle ones kept.
    pub keep_alive: KeepAlive,
    /// Whether its sessions look at the building around them.
    pub looks_around: LooksAround,
}

/// Whether a dialect's sessions look at the building around them: [`Ambient::surroundings`](crate::dialects::Ambient).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooksAround {
    /// They do, and are told when it changes.
    Yes,
    /// They do not, and it is not made for them.
    No,
}

/// When a refused client learns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalTime {
    /// By an HTTP status in place of the upgrade.
    BeforeUpgrade,
    /// By a close frame behind the upgrade, also while the gateway starts, drains or is full.
    AfterUpgrade,
}

/// How dead connections are noticed, and idle ones kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// A protocol ping goes out after this long without input. Carriers without pings send none.
    pub ping_after: Duration,
    /// A connection without input for this long is closed, unless its carrier has no pings that a client could answer.
    pub reap_after: Duration,
    /// A message that is sent this often, counted from the connection's start.
    pub text: Option<(Duration, &'static str)>,
}

impl Profile {
    /// Whether a path is one of this dialect's.
    pub fn is_at(&self, path: &str) -> bool {
        let path = path.strip_suffix('/').unwrap_or(path);
        self.paths.iter().any(|pattern| matches(pattern, path))
    }

    /// Whether a caller with these scopes may connect.
    pub fn opens_to(&self, scopes: &[Scope]) -> bool {
        let opens = |scope: &Scope| scope.writes() && self.scopes.contains(&scope.name.as_str());
        self.scopes.is_empty() || scopes.iter().any(opens)
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
            (Some(wanted), Some(segment)) if wanted == segment => {}
            (_, _) => return false,
        }
    }
}

/// How messages are framed on the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// By RFC 6455, behind an HTTP upgrade.
    WebSocket,
    /// Each text between the bytes 0x02 and 0x03, from the first byte of the stream on; or from clients, where [`Profile::bare_text`] says so, without them.
    /// There are no pings and no close frames.
    Framed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_matched_segment_by_segment() {
        assert!(matches("/control/websocket", "/control/websocket"));
        assert!(matches("/app/*", "/app/key"));
        for (pattern, path) in [
            ("/app/*", "/app"),
            ("/app/*", "/app/"),
            ("/app/*", "/app/key/more"),
            ("/control/websocket", "/control"),
            ("/control", "/control/websocket"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}
