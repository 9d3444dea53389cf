//! Every bound and deadline of this room: what it protects, what happens when it is hit, why this number. How much waits for a receiver is the dialect's to say.

use std::time::Duration;

/// How long a request may take, from the connection to the head of the answer. Past it the request counts as failed and is sent again.
/// Pusher's own documents ask receivers to answer at once.
pub(super) const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// The largest head of an answer in bytes. Protects memory from a receiver that is none of ours. Nothing of the body is read.
pub(super) const ANSWER_HEAD_MAX_BYTES: usize = 64 * 1024;

/// The pause after the first failure, twice as long after each further one. A receiver that restarts is back within seconds.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause, so that a receiver which is back is noticed within a minute.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How many reports are taken from the store at once. Bounds what is lost with the process before it stands in a queue.
pub(super) const REPORTS_AT_ONCE: usize = 256;

/// How long the store is left alone when it did not answer.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The longest time for which nothing is looked at: the system's clock, by which everything here is due, can be set.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);
