//! Why a connection ends. Every end has a name and a counter; the dialect decides what the client gets.

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
    /// The gateway takes no connections at the moment: it does not know its building yet, or is about to stop.
    Starting,
    /// There are as many connections as there may be.
    TooManyConnections,
    /// The credentials are not good.
    Unauthenticated,
    /// The credentials are good and do not open this.
    Forbidden,
    /// The client did not say who it is in time.
    SignInTimedOut,
    /// A fault of ours ended this connection.
    Internal,
}

impl CloseReason {
    /// Every reason, for counters.
    pub const ALL: [Self; 15] = [
        Self::ClientClosed,
        Self::ConnectionLost,
        Self::GoingAway,
        Self::ProtocolError,
        Self::InvalidText,
        Self::MessageTooLarge,
        Self::SlowConsumer,
        Self::KeepAliveTimedOut,
        Self::CredentialsRevoked,
        Self::Starting,
        Self::TooManyConnections,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::SignInTimedOut,
        Self::Internal,
    ];

    /// The name in the log and on the counter.
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
            Self::Starting => "starting",
            Self::TooManyConnections => "too_many_connections",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::SignInTimedOut => "sign_in_timed_out",
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
            | Self::Starting
            | Self::TooManyConnections
            | Self::SignInTimedOut
            | Self::Internal => true,
            Self::ProtocolError
            | Self::InvalidText
            | Self::MessageTooLarge
            | Self::CredentialsRevoked
            | Self::Unauthenticated
            | Self::Forbidden => false,
        }
    }
}

/// Whose connections an order to close is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// All connections.
    All,
    /// One connection.
    Connection(ConnectionId),
    /// The connections of a credential.
    Credential(CredentialId),
    /// The connections of a user, whatever credential opened them.
    User(UserId),
    /// The connections of a user by way of one app.
    AppUser {
        /// The app.
        app: AppId,
        /// The user.
        user: UserId,
    },
}
