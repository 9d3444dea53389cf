//! Counts the bytes of arguments in a connection's unanswered calls, so that a client that pipelines large ones is slowed down and does not fill the gateway.
//!
//! Only large arguments are noted: the small ones are bounded by the number of calls, and few connections ever send any other.

use std::cell::RefCell;

use crate::model::Ticket;
use crate::server::limits::NOTED_ARGUMENTS_BYTES;

/// Whether arguments of this size are noted.
pub(super) fn is_large(bytes: usize) -> bool {
    bytes > NOTED_ARGUMENTS_BYTES
}

/// The large arguments of calls without an answer.
#[derive(Debug, Default)]
pub(super) struct OpenArguments(RefCell<Vec<(Ticket, usize)>>);

impl OpenArguments {
    /// A call with so many bytes of arguments has begun, which are [large](is_large).
    pub(super) fn begin(&self, ticket: Ticket, bytes: usize) {
        self.0.borrow_mut().push((ticket, bytes));
    }

    /// The call has its answer.
    pub(super) fn end(&self, ticket: Ticket) {
        let mut open = self.0.borrow_mut();
        if let Some(at) = open.iter().position(|(other, _)| *other == ticket) {
            open.swap_remove(at);
        }
        if open.is_empty() {
            *open = Vec::new();
        }
    }

    /// How many bytes are open.
    pub(super) fn bytes(&self) -> usize {
        self.0.borrow().iter().map(|(_, bytes)| bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_arguments_count_until_their_call_is_answered() {
        let open = OpenArguments::default();
        assert!(!is_large(NOTED_ARGUMENTS_BYTES));
        assert_eq!(open.bytes(), 0);
        open.begin(Ticket(2), 100_000);
        open.begin(Ticket(3), 200_000);
        open.end(Ticket(1));
        assert_eq!(open.bytes(), 300_000);
        open.end(Ticket(2));
        open.end(Ticket(2));
        assert_eq!(open.bytes(), 200_000);
        open.end(Ticket(3));
        assert_eq!(open.0.borrow().capacity(), 0);
    }
}
