//! Every bound of this dialect. What bounds a frame, a connection or a rate is the server's.

/// The longest `id` token that is worked with; a longer one is echoed in a refusal.
///
/// Protects the memory of a connection, which keeps the token of each of its bindings: 10 000 of them stay below 40 MiB.
/// PlaceOS's own clients count, so their tokens have a few digits.
pub(super) const ID_TOKEN_MAX_BYTES: usize = 4096;

/// How much of an unknown `cmd` is repeated in the answer and in the audit log: enough to recognise it.
pub(super) const COMMAND_SHOWN_BYTES: usize = 64;

/// How many items of a list come unless the client says otherwise: PlaceOS's own number.
pub(super) const PAGE_DEFAULT: usize = 100;

/// How many items of a list come at most: PlaceOS's own number; more are cut without an error.
pub(super) const PAGE_MAX: usize = 10_000;
