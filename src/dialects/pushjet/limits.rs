//! Every bound and deadline of this dialect. What bounds a connection's rate or its outbox is the server's, and what is kept unread is the store's.

use std::time::Duration;

use crate::model::{SERVICE_ICON_BYTES, SERVICE_NAME_CHARS};

/// The longest text of a message in bytes: a page of print. A longer one is refused.
pub const TEXT_MAX_BYTES: usize = 16 * 1024;

/// The longest address of a link in bytes, as it is of an icon. A longer one is refused.
pub const ADDRESS_MAX_BYTES: usize = SERVICE_ICON_BYTES;

/// The longest title of a message in characters, as it is of a service's name: Pushjet's database had no room for a longer one. It is cut.
pub const TITLE_MAX_CHARS: usize = SERVICE_NAME_CHARS;

/// The largest body of a request in bytes: the largest message with every byte escaped. The server refuses a larger one unread.
pub const BODY_MAX_BYTES: usize = 128 * 1024;

/// How long a uuid is, which a plain stream sends without anything around it.
pub(super) const UUID_BYTES: usize = 36;

/// The largest message of a listener: all that it says is a uuid.
pub(super) const MESSAGE_MAX_BYTES: usize = 1024;

/// How long a listener may take to say its uuid, tries of a wrong one included: a program does it at once, a person at a terminal pastes it.
pub(super) const SIGN_IN_WITHIN: Duration = Duration::from_secs(60);

/// The messages that may wait until a listener has got what was sent before. Past it the oldest is dropped and fetched again later:
/// it is still unread in the store. A listener answers within a round trip, in which a service sends a few.
pub(super) const WAITING_MAX: usize = 64;

/// The bytes of those messages. Sixteen of the largest.
pub(super) const WAITING_MAX_BYTES: usize = 256 * 1024;

/// The bytes of frames past which no further message is sent until the listener has got them. With the largest frame behind it,
/// it stays far below what the server lets wait for a slow reader.
pub(super) const BATCH_MAX_BYTES: usize = 256 * 1024;

/// The first pause before something is asked again that has failed: the store may be back at once.
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest such pause: a store that is away for long is asked twice a minute.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(30);
