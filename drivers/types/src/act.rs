//! Who began what led to a change: kept with a call and with what the call brings about, so that clients can tell which changes are theirs.

use std::sync::Arc;

/// Something that a person or a program did in the building.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Act {
    /// Tells it from all others; drawn at random, or given by the client.
    pub id: u128,
    /// The user who did it; `None` for what the building did by itself.
    pub user: Option<Arc<str>>,
}
