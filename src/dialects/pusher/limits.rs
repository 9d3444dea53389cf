//! Every bound and deadline of this dialect that no app sets for itself. What bounds a connection's queues or its rate is the server's.

/// The longest name of a channel or an event in characters, as Pusher's clients have it.
pub(super) const NAME_MAX_CHARS: usize = 200;

/// The longest id of a user in characters, as Pusher has it.
pub(super) const USER_ID_MAX_CHARS: usize = 200;
