//! Every bound of the webhooks: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// How long it is held back that a channel has no subscriber any more, or a user no connection. Who comes back within it was never away for a receiver.
/// Pusher's documents say "up to three seconds".
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// How long a further miss of one cache channel is passed over: clients that come together are told of once, and fill it once.
pub(super) const MISS_WINDOW: Duration = Duration::from_secs(10);

/// How many subscribers a channel must have for its count to be told seldom, as Pusher does.
pub(super) const CROWD: u64 = 100;

/// How seldom the count of a crowd is told.
pub(super) const CROWD_INTERVAL: Duration = Duration::from_secs(5);

/// The most that is held back at a time. Protects memory when very many leave at once: the oldest is told earlier.
pub(super) const HELD_MAX: usize = 100_000;

/// The most events of one request. Keeps a request far below what any receiver's framework takes.
pub(super) const EVENTS_PER_POST: usize = 50;

/// The most bytes of the events of one request, but for a single event that is larger.
pub(super) const BYTES_PER_POST: usize = 256 * 1024;

/// The most events that wait for one receiver. Protects memory; past it the oldest that is not being sent is dropped, and counted.
pub(super) const WAITING_MAX: usize = 10_000;

/// The most bytes that wait for one receiver, for the same reason.
pub(super) const WAITING_MAX_BYTES: usize = 16 * 1024 * 1024;

/// How old an event may be when a try has failed. Past it the event is dropped, and counted.
/// Pusher tries for five minutes, and the libraries refuse what is older.
pub(super) const RETRY_FOR: Duration = Duration::from_secs(300);
