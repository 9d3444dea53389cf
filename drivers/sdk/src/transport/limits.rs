//! The bounds and deadlines of transports, each with its reason.

use std::time::Duration;

/// How long opening a connection may take, name lookup and TLS handshake included: a device that is there answers within milliseconds, and one behind a slow link within a second.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long a device may leave a question unanswered before it counts as not connected, and how long a connection that an idle device closed may stay closed before it is tried.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(5);

/// How long a device may take none of the bytes that are sent to it; past that its connection is given up.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(5);

/// The first wait before a connection is tried again; it doubles from here.
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest wait before a connection is tried again: a person who has plugged a device in does not wait longer.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(10);

/// The longest wait after a refused password: devices lock up when it is tried often.
pub(super) const REFUSED_RETRY_MAX: Duration = Duration::from_secs(60);

/// How many commands wait for a device. A call past it is refused at once: at ten commands a second these are ten seconds, and callers have given up by then.
pub(super) const QUEUE_MAX: usize = 100;

/// The longest message of a stream unless the driver says otherwise: lines of devices have some hundred bytes, and lists some thousand.
pub(super) const MESSAGE_MAX_BYTES: usize = 64 * 1024;

/// The longest body of an answer by HTTP; past it the answer is an error. Device lists of large controllers have about 1 MiB.
pub(super) const BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How many messages are taken in before other modules have their turn.
pub(super) const MESSAGES_PER_TURN: usize = 64;

/// How long a command waits for its answer unless it says otherwise.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The priority of a command that chose none.
pub(super) const PRIORITY: u8 = 50;

/// How often a redirect to the same server is followed for one request; more are a circle.
pub(super) const REDIRECTS_MAX: usize = 5;

/// When a quiet TCP connection is asked for a sign of life, and how often again: a cut cable under a device that only reports is seen within half a minute.
pub(super) const KEEPALIVE: (Duration, Duration, u32) =
    (Duration::from_secs(10), Duration::from_secs(5), 3);

/// How much is read from a stream at once: many answers fit, and an unfinished message grows past its bound by no more than this.
pub(super) const READ_BYTES: usize = 4 * 1024;

/// The longest datagram: IP carries no more, so none is cut.
pub(super) const DATAGRAM_MAX_BYTES: usize = 65_535;

/// The shortest period of a poll; what comes round more often would only fill the module's thread.
pub(super) const POLL_MIN: Duration = Duration::from_millis(10);

/// The longest wait that a driver may ask for, a century: later moments do not fit the clock.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
