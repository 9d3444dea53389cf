//! Every bound and deadline of this room: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// How long a connection to a node may take, with its TLS and websocket handshakes. Past it nothing was sent and the node counts as out of reach.
/// A node in the building answers within milliseconds; a packet that is lost is sent again within a second.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// Connections to one node that carry calls, each one call at a time. Protects both sides' open files when a node answers slowly; one call more is refused as busy.
/// Two modules may have all the calls in flight that a module is allowed.
pub(super) const CONNECTIONS_PER_NODE: usize = 512;

/// Connections to one node that are kept while nothing is asked. Bounds what a burst leaves behind.
pub(super) const IDLE_CONNECTIONS_PER_NODE: usize = 32;

/// How long a connection is kept while nothing is asked: well below the half minute after which riser's own side ends it,
/// so that hardly ever a call meets a connection that is being closed.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(15);

/// How often connections that were idle for too long are looked for.
pub(super) const IDLE_SWEEP: Duration = Duration::from_secs(5);

/// The largest answer to a call in bytes. Protects memory from a node that is none of ours; far above any status.
pub(super) const ANSWER_MAX_BYTES: usize = 16 << 20;

/// The largest message of a log stream in bytes, for the same reason. A line that is longer ends the stream.
pub(super) const LINE_MAX_BYTES: usize = 1 << 20;

/// How often a log stream is asked for a sign of life.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Silence after which a log stream counts as lost: two pings without an answer.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(25);

/// How much of another node's words goes into an error, in characters.
pub(super) const QUOTED_MAX_CHARS: usize = 200;

/// How long a PlaceOS may take to say what an API key opens. A panel that waits tries again by itself.
pub(super) const INSPECT_DEADLINE: Duration = Duration::from_secs(2);
