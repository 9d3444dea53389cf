//! Every bound and deadline of the way to Redis: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// How long making a connection may take, a TLS handshake with it. Past it the try has failed and the next one follows.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// How long a connection without unsent bytes may be silent before the kernel asks whether the other end is there. The watchdogs notice sooner.
pub(super) const KEEPALIVE: Duration = Duration::from_secs(15);

/// The pause before the first new try; doubled at each further one. Short, since most losses are a server that restarts.
pub(super) const RETRY_FIRST: Duration = Duration::from_millis(50);

/// The longest pause between tries: a server that comes back is found within two seconds, and a thousand nodes do not overrun it.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(2);

/// How long after its last answer a connection is asked whether it lives.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(2);

/// How long an answer may take on the connections for statuses; past it the connection is dead.
/// With [`PING_INTERVAL`] before it, a connection whose bytes vanish is noticed within 5 s.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(3);

/// How long a command may take when a caller waits for it, connecting included. A person gives up soon after.
pub(super) const COMMAND_DEADLINE: Duration = Duration::from_secs(3);

/// How long the reader waits before it reads a server that was started again and may have lost its data: by then the nodes have written their modules' statuses again,
/// unless it was away for long, and screens go from one true value to the next. Short enough for everything to be true within a second.
pub(super) const RESTART_GRACE: Duration = Duration::from_millis(500);

/// How long a subscription outlives its last follower: a client that reloads its page finds it.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// Published messages that wait to be taken up. The connection is read by a task of its own, so this fills only when the table is slower than Redis;
/// full is a gap: all of it is dropped, and everything followed is read again.
pub(super) const INBOX_MAX_MESSAGES: usize = 65_536;

/// The same in bytes, for large values. One message always fits.
pub(super) const INBOX_MAX_BYTES: usize = 64 << 20;

/// What a batch of reads is meant to bring. Redis counts the connection as one of pub/sub and cuts it off past a limit, by default 8 MiB for a minute;
/// what is asked for at a time may turn out twice as large as the batch before it, and stays below a mebibyte then.
pub(super) const BATCH_TARGET_BYTES: usize = 384 << 10;

/// Statuses and systems that are read in one batch, however small they are: bounds the time for which Redis serves no other client.
pub(super) const BATCH_MAX: usize = 2_048;

/// Writes that are sent at a time, each a change and a message about it. Bounds the time for which Redis serves no other client.
pub(super) const PIPELINE_MAX_CHANGES: usize = 512;

/// The same in bytes. One change always fits.
pub(super) const PIPELINE_MAX_BYTES: usize = 256 << 10;

/// Writes that wait in full. Past it only the latest one of each status is kept, because screens show the present state.
pub(super) const WRITES_MAX: usize = 4_096;

/// The same in bytes.
pub(super) const WRITES_MAX_BYTES: usize = 4 << 20;

/// Writes of one status whose acts are remembered until their values come back. As many calls in a row as one person makes within a round trip;
/// past it the earliest values come back without their act.
pub(super) const ACTS_PER_STATUS: usize = 8;

/// Modules whose statuses are compared with Redis at a time.
pub(super) const COMPARE_MODULES: usize = 32;

/// How often a node that may not write looks whether it may again.
pub(super) const FENCE_INTERVAL: Duration = Duration::from_millis(50);

/// Reads of whole modules that wait for their turn. One more is refused at once.
pub(super) const READS_WAITING: usize = 256;

/// Reads of whole modules under way.
pub(super) const READS_UNDER_WAY: usize = 16;

/// Faults of single keys that are logged. Protects the log from a keyspace full of garbage; further ones are not logged.
pub(super) const FAULTS_TOLD: usize = 256;

/// How long Redis may be away before new clients are sent to other nodes. A restart or a fail-over is over by then, and when all nodes have lost it
/// they stay where they are anyway.
pub(super) const UNREADY_AFTER: Duration = Duration::from_secs(5);

/// How long a process's connections stay in topics when it is not heard of. The members that screens show are true within this time;
/// long enough for a fail-over of Redis and for a process that is short of processor time.
pub const TOPIC_LEASE: Duration = Duration::from_secs(10);

/// Into how many parts a lease is divided, in each of which it is renewed once: two renewals may be lost.
pub(super) const RENEWALS_PER_LEASE: u32 = 3;

/// Entries into topics that wait for Redis. One more is answered as one that is not to be had. All connections of a node may come at one time.
pub(super) const ENTRIES_WAITING: usize = 65_536;

/// Messages that wait to be published. One more is refused at once.
pub(super) const PUBLICATIONS_WAITING: usize = 4_096;

/// The same in bytes. One message always fits.
pub(super) const PUBLICATIONS_WAITING_BYTES: usize = 8 << 20;

/// What is sent at a time about topics: entries, leaves, messages. Bounds the time for which Redis serves no other client.
pub(super) const TOPIC_BATCH: usize = 256;

/// Topics whose members are read in one batch without knowing how many these are. A topic that is full by the usual limits has 2 MiB of them;
/// together they stay below what Redis keeps for a connection that is slow.
pub(super) const UNKNOWN_TOPICS_AT_ONCE: usize = 8;

/// Topics of a process that is gone which are taken out at a time. Bounds the time for which Redis serves no other client.
pub(super) const SWEEP_TOPICS: usize = 128;

/// Names of topics that are read at a time.
pub(super) const TOPIC_PAGE: usize = 512;

/// Reports that are taken at a time.
pub(super) const REPORTS_AT_ONCE: usize = 256;

/// The same in bytes. One report always fits.
pub(super) const REPORTS_AT_ONCE_BYTES: usize = 1 << 20;

/// Operations on messages that are under way or wait for Redis. One more is refused at once. Protects memory while Redis is away;
/// services send some messages a second, and a thousand phones may come back at a time.
pub(super) const OPERATIONS_MAX: usize = 1_024;

/// Messages of one service that a script reads at a time. A long log costs what is answered of it, and a little more.
pub(super) const LOG_PAGE: usize = 64;

/// Services whose tallies are read at a time, each with its last message. Bounds the time for which Redis serves no other client.
pub(super) const TALLIES_AT_ONCE: usize = 64;
