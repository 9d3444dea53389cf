//! Why a command of the terminal client failed, in one line, and the exit code that a script sees.

use std::io;
use std::time::Duration;

/// What went wrong. Prints as one line; no text here holds the key.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A flag or a variable cannot be used.
    #[error("{0}")]
    Usage(String),
    /// No gateway answers at the address.
    #[error(
        "could not connect to {url} ({reason}); start riser there, or name another gateway with --url or RISER_URL"
    )]
    Unreachable {
        /// The gateway.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The other side's certificate cannot be verified, or the other side speaks no TLS.
    #[error(
        "could not make a secure connection to {url} ({reason}); name the file of its authority with --ca, or correct the URL"
    )]
    Untrusted {
        /// The gateway.
        url: String,
        /// What TLS says.
        reason: String,
    },
    /// Something answers, but not as a gateway does.
    #[error(
        "{url} answers, but not as a gateway ({reason}); name the gateway with --url or RISER_URL, with https:// if it serves TLS"
    )]
    NoGateway {
        /// The gateway.
        url: String,
        /// What it answered.
        reason: String,
    },
    /// The gateway, or what stands in front of it, cannot do it at the moment; the reason says why.
    #[error("{url} cannot do it at the moment ({reason}); try again later")]
    Full {
        /// The gateway.
        url: String,
        /// What it answered.
        reason: String,
    },
    /// No key was given, and one is needed.
    #[error("{url} asks for an API key; give one with --key or RISER_API_KEY")]
    NoKey {
        /// The gateway.
        url: String,
    },
    /// The gateway refused the key.
    #[error("{url} refused the API key ({reason}); check --key or RISER_API_KEY")]
    KeyRefused {
        /// The gateway.
        url: String,
        /// What it answered.
        reason: String,
    },
    /// The gateway or a driver said no, or failed.
    #[error("{what}: {reason}")]
    Failed {
        /// What was asked.
        what: String,
        /// What was answered.
        reason: String,
    },
    /// The time that the user gave is over.
    #[error("{what} did not come within {}s; raise --timeout to wait longer", .after.as_secs_f64())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
    /// The call was sent, and its outcome is not known. It is never sent again.
    #[error(
        "it is not known whether {call} ran: {reason}; look at the device before calling again"
    )]
    Unknown {
        /// What was called.
        call: String,
        /// Why there is no answer.
        reason: String,
    },
    /// The call certainly did not run, and may succeed at another try.
    #[error("{call} did not run: {reason}; call again, or let --retry do so")]
    NotRun {
        /// What was called.
        call: String,
        /// Why.
        reason: String,
    },
    /// Ctrl-C before it was done.
    #[error("interrupted")]
    Interrupted,
    /// What was to be printed could not be.
    #[error("could not write the output")]
    Output(#[source] io::Error),
    /// The system refused something that every process needs.
    #[error("could not {doing}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl ClientError {
    /// The exit code; `riser --help` and the README have the same table.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed { .. } | Self::TimedOut { .. } | Self::Output(_) | Self::System { .. } => {
                1
            }
            Self::Usage(_)
            | Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::NoGateway { .. }
            | Self::Full { .. }
            | Self::NoKey { .. }
            | Self::KeyRefused { .. } => 2,
            Self::Unknown { .. } => 3,
            Self::NotRun { .. } => 4,
            Self::Interrupted => 130,
        }
    }

    /// Whether another attempt may succeed by itself, where there was a gateway a moment ago:
    /// while a gateway restarts, a proxy answers for it in words of its own.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Full { .. } | Self::NoGateway { .. }
        )
    }

    /// Whether a call that ended so never reached its module, and may be sent again.
    pub(super) fn may_be_sent_again(&self) -> bool {
        matches!(self, Self::NotRun { .. }) || self.may_pass()
    }
}
