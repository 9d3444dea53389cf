//! Every bound of this dialect. What bounds a connection's rate or its outbox is the server's.

/// The requests of one connection that may be without an answer. One more is answered at once by an error.
/// Platypush has eleven; the server reads no further behind 256 open calls, so this is what a client meets first.
pub(super) const IN_FLIGHT_MAX: usize = 64;

/// The longest id of a request in bytes: it is kept until the request is answered. Platypush's own have 32.
pub(super) const ID_MAX_BYTES: usize = 1024;

/// The longest name of an event in characters, as in Home Assistant, which hears the same events.
pub(super) const EVENT_NAME_MAX_CHARS: usize = 64;

/// The bytes of what a client may write around an event: its id, its origin, its target and its time together.
pub(super) const ENVELOPE_MAX_BYTES: usize = 1024;

/// How much of a name an error text or the audit log repeats, in characters: enough to recognise it.
pub(super) const NAME_SHOWN_CHARS: usize = 100;

/// How many names a mistyped one is held against: a mistake in a large building is not to keep others waiting.
pub(super) const NAMES_COMPARED_MAX: usize = 2000;

/// How many entities one answer shows at most. Past it the client has to name plugins.
pub(super) const ENTITIES_MAX: usize = 5000;

/// The largest body of a web hook in bytes: anybody may send one.
pub const HOOK_BODY_MAX_BYTES: usize = 64 * 1024;

/// How many requests for hooks that there are not one address may send in a second: each is told to all who follow the bus.
pub const UNKNOWN_HOOKS_PER_SECOND: u32 = 10;

/// The largest body of a sign-in or of a request about tokens in bytes.
pub const FORM_MAX_BYTES: usize = 16 * 1024;
