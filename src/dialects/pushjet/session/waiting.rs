//! Messages that wait until the listener has got those before them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::dialects::pushjet::limits::{WAITING_MAX, WAITING_MAX_BYTES};
use crate::model::{Message, MessageNumber, ServiceKey};

/// The messages, bounded in number and in bytes.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
}

/// Whether all messages wait that are to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// They do.
    Enough,
    /// The oldest had to go.
    TooLittle,
}

impl Waiting {
    /// Lets one more wait, and drops the oldest where there is no room for it.
    pub(super) fn push(&mut self, message: Arc<Message>) -> Room {
        self.bytes += message.notice.size();
        self.messages.push_back(message);
        let mut room = Room::Enough;
        while self.messages.len() > WAITING_MAX || self.bytes > WAITING_MAX_BYTES {
            let Some(oldest) = self.messages.pop_front() else {
                break;
            };
            self.bytes -= oldest.notice.size();
            room = Room::TooLittle;
        }
        room
    }

    /// Takes those up to a message; without one, all of them.
    pub(super) fn take(&mut self, up_to: Option<MessageNumber>) -> Vec<Arc<Message>> {
        let is_due = |message: &Arc<Message>| up_to.is_none_or(|last| message.number <= last);
        let (due, rest): (VecDeque<_>, _) = self.messages.drain(..).partition(is_due);
        self.messages = rest;
        self.count();
        due.into()
    }

    /// Drops those of a service.
    pub(super) fn forget(&mut self, service: &ServiceKey) {
        self.messages.retain(|message| message.service != *service);
        self.count();
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn count(&mut self) {
        let sizes = self.messages.iter().map(|message| message.notice.size());
        self.bytes = sizes.sum();
        if self.messages.is_empty() {
            // A storm leaves no memory behind.
            self.messages = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::pushjet::stage::message;

    fn numbers(messages: &[Arc<Message>]) -> Vec<u64> {
        messages.iter().map(|message| message.number.0).collect()
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut waiting = Waiting::default();
        for number in 1..=64 {
            assert_eq!(waiting.push(message('a', number, "x")), Room::Enough);
        }
        assert_eq!(waiting.push(message('a', 65, "x")), Room::TooLittle);
        assert_eq!(numbers(&waiting.take(Some(MessageNumber(3)))), [2, 3]);
        assert_eq!(waiting.take(None).len(), 62);
        assert!(waiting.is_empty());
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let (large, mut waiting) = ("x".repeat(100 * 1024), Waiting::default());
        assert_eq!(waiting.push(message('a', 1, &large)), Room::Enough);
        assert_eq!(waiting.push(message('b', 2, &large)), Room::Enough);
        assert_eq!(waiting.push(message('b', 3, &large)), Room::TooLittle);
        waiting.forget(&message('b', 0, "").service);
        assert!(waiting.is_empty());
        // What has gone takes no room.
        assert_eq!(waiting.push(message('a', 4, &large)), Room::Enough);
        assert_eq!(waiting.push(message('a', 5, &large)), Room::Enough);
        assert_eq!(numbers(&waiting.take(None)), [4, 5]);
    }
}
