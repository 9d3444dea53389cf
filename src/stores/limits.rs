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

/// Messages of one service that some device has not read. Protects the disk from a device that never asks; past it the oldest is dropped, and counted for each device that had it unread.
/// Nobody reads a thousand old alarms.
pub(super) const KEPT_MESSAGES_MAX: usize = 1_000;

/// Devices that are subscribed to one service. Protects the disk from strangers who know its key; one more is refused.
/// A large building has some thousand phones.
pub(super) const SERVICE_SUBSCRIPTIONS_MAX: usize = 10_000;

/// Services that one device is subscribed to. Protects an answer from having to look through too many; one more is refused.
/// A caretaker has some dozens.
pub(super) const DEVICE_SUBSCRIPTIONS_MAX: usize = 256;

/// Messages in one answer. Protects memory and whoever reads the answer; the rest stays unread and comes with the next one.
/// More than a person looks at.
pub(super) const UNREAD_MAX: usize = 512;

/// The same in bytes of what the senders wrote. One message always fits.
pub(super) const UNREAD_MAX_BYTES: usize = 1 << 20;
