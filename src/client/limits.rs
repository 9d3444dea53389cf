//! Every bound and deadline of this room.

use std::time::Duration;

/// How long a connection may take, with the TLS and the websocket handshake. Past it the gateway counts as not there.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// How long the answer to a plain request may take; the gateway answers reads at once, so past it the connection is dead.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// The most bytes of an answer over HTTP, so that a stranger's server cannot fill the memory. A list of 10 000 systems has a tenth of it.
pub(super) const ANSWER_MAX_BYTES: usize = 64 << 20;

/// The most bytes of a message over the websocket; for the same reason, and far above any status.
pub(super) const MESSAGE_MAX_BYTES: usize = 64 << 20;

/// How often the client pings; the gateway closes a connection that is silent for 90 s.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(15);

/// Silence after which a connection counts as lost: three pings without an answer.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(45);

/// How long the gateway has to answer our close. A terminal must not hang after Ctrl-C.
pub(super) const CLOSE_DEADLINE: Duration = Duration::from_millis(500);

/// The pause before the first attempt to connect again; doubled at each, and shortened at random by up to a half.
pub(super) const RETRY_FIRST: Duration = Duration::from_millis(500);

/// The longest pause between attempts: short enough for a user who watches, long enough for a thousand clients at once.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(10);

/// A connection that lasted this long was a good one: the pauses begin from the first again.
pub(super) const GOOD_AFTER: Duration = Duration::from_secs(10);

/// How long the client waits for a first value before it looks whether the module exists; an existing value comes at once.
pub(super) const QUIET_AFTER: Duration = Duration::from_secs(1);

/// How long that look may take. Past it the client only says that there is no value yet.
pub(super) const LOOK_DEADLINE: Duration = Duration::from_secs(5);

/// How many modules are looked for, each by a request of its own; further ones get no hint.
pub(super) const LOOK_MAX: usize = 50;

/// How long `exec --retry` goes on without `--timeout`: a module that is restarted is back by then, and a gateway too.
pub(super) const RETRY_FOR: Duration = Duration::from_secs(30);

/// How long a shell may wait for names. Past it there are none, since a key press must not hang.
pub(super) const COMPLETION_DEADLINE: Duration = Duration::from_secs(1);

/// How many items of a list are asked for at a time: the most that a gateway gives.
pub(super) const PAGE: usize = 10_000;

/// The most characters of another side's words in an error, which is one line.
pub(super) const QUOTED_MAX_CHARS: usize = 300;
