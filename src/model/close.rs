//! Why a connection ends. Every end has a name, a code and a counter.

use crate::model::{AppId, ConnectionId, CredentialId, UserId};

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client closed it.
    ClientClosed,
    /// The client went away without a close handshake.
    ConnectionLost,
    /// The gateway is shutting down.
    GoingAway,
    /// The client broke a rule of RFC 6455.
    ProtocolError,
    /// The client sent text that is not UTF-8.
    InvalidText,
    /// The client sent a frame or message over the limit.
    MessageTooLarge,
    /// The client did not read its replies or log lines.
    SlowConsumer,
    /// The client sent nothing for too long, not even a pong.
    KeepAliveTimedOut,
    /// The credentials are no longer good.
    CredentialsRevoked,
    /// A fault of ours ended this connection.
    Internal,
}

impl CloseReason {
    /// Every reason, for counters.
    pub const ALL: [Self; 10] = [
        Self::ClientClosed,
        Self::ConnectionLost,
        Self::GoingAway,
        Self::ProtocolError,
        Self::InvalidText,
        Self::MessageTooLarge,
        Self::SlowConsumer,
        Self::KeepAliveTimedOut,
        Self::CredentialsRevoked,
        Self::Internal,
    ];

    /// The close code of RFC 6455 section 7.4.1.
    pub fn code(self) -> u16 {
        match self {
            Self::ClientClosed => 1000,
            Self::GoingAway => 1001,
            Self::ProtocolError => 1002,
            Self::ConnectionLost => 1006,
            Self::InvalidText => 1007,
            Self::SlowConsumer | Self::KeepAliveTimedOut | Self::CredentialsRevoked => 1008,
            Self::MessageTooLarge => 1009,
            Self::Internal => 1011,
        }
    }

    /// The name on the wire, in the log and on the counter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::ConnectionLost => "connection_lost",
            Self::GoingAway => "going_away",
            Self::ProtocolError => "protocol_error",
            Self::InvalidText => "invalid_text",
            Self::MessageTooLarge => "message_too_large",
            Self::SlowConsumer => "slow_consumer",
            Self::KeepAliveTimedOut => "keep_alive_timed_out",
            Self::CredentialsRevoked => "credentials_revoked",
            Self::Internal => "internal",
        }
    }

    /// Whether a client that comes back at once with the same credentials can do better.
    pub fn may_reconnect(self) -> bool {
        match self {
            Self::ClientClosed
            | Self::ConnectionLost
            | Self::GoingAway
            | Self::SlowConsumer
            | Self::KeepAliveTimedOut
            | Self::Internal => true,
            Self::ProtocolError
            | Self::InvalidText
            | Self::MessageTooLarge
            | Self::CredentialsRevoked => false,
        }
    }
}

/// Whose connections an order to close is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everybody's.
    All,
    /// One connection.
    Connection(ConnectionId),
    /// Those that were let in by this.
    Credential(CredentialId),
    /// Those of a user, by whatever they were let in.
    User(UserId),
    /// Those of a user by way of one app.
    AppUser {
        /// The app.
        app: AppId,
        /// The user.
        user: UserId,
    },
}
