//! Every bound and deadline of topics that holds whatever the store is: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// How long a message is kept for those who come later, as Pusher keeps it.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(30 * 60);

/// Messages that are kept, one a topic. Protects memory from a server that makes up topics; past it the oldest is forgotten.
/// A large building has some ten thousand topics with a last message.
pub(super) const KEPT_MAX: usize = 65_536;

/// The same in bytes of topics and messages. One message always fits.
pub(super) const KEPT_MAX_BYTES: usize = 64 << 20;

/// Reports that wait to be taken. Protects memory from a receiver that is away; past it the oldest is dropped and counted.
/// A storm of ten thousand connections that all come back into some topics fits.
pub(super) const REPORTS_MAX: usize = 65_536;

/// The same in bytes. One report always fits.
pub(super) const REPORTS_MAX_BYTES: usize = 32 << 20;
