//! Every bound and deadline of this dialect that no app sets for itself. What bounds a connection's queues or its rate is the server's.

/// The largest message of a client: an event of the largest usual data, with room for its escapes.
pub(super) const MESSAGE_MAX_BYTES: usize = 64 * 1024;

/// The longest name of a channel or an event in characters, as Pusher's clients have it.
pub(super) const NAME_MAX_CHARS: usize = 200;

/// The longest name of a room's channel in characters: Pusher's documentation has this bound, its clients the one above.
pub(super) const ROOM_NAME_MAX_CHARS: usize = 164;

/// The longest id of a user in characters, as Pusher has it.
pub(super) const USER_ID_MAX_CHARS: usize = 200;

/// The channels that a connection may be in. A page has a few; a connection may follow as many statuses as this.
pub(super) const CHANNELS_MAX: usize = 10_000;

/// The users that one user may watch, as Pusher has it.
pub(super) const WATCHLIST_MAX: usize = 100;

/// How many client events may come in one go, in seconds' worth of the app's rate.
pub(super) const CLIENT_EVENT_BURST_SECS: u32 = 2;

/// The longest id of a call in bytes, as it stands in the frame: longer than any random text.
pub(super) const CALL_ID_MAX_BYTES: usize = 200;

/// How much of what a client wrote an error text repeats, in characters: enough to recognise it, and any signature.
pub(super) const SHOWN_CHARS: usize = 200;

/// For how many seconds servers are told that the value of a status is kept. It is kept for as long as the status has it; Pusher keeps an event no longer than this.
pub(super) const VALUE_KEPT_SECS: u64 = 30 * 60;

/// The frames that a page without a websocket may send in one request. The library sends one.
pub(super) const SENT_MAX: usize = 64;
