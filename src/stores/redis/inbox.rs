//! What Redis has published to this node, from the connection's task to the one that takes it up.
//!
//! The connection must not wait, so the queue refuses what it has no room for: that is a gap, after which nothing in it is of use.

use std::sync::{Arc, Mutex, MutexGuard};

use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;

use crate::model::lock;
use crate::stores::redis::limits::{INBOX_MAX_BYTES, INBOX_MAX_MESSAGES};
use crate::stores::redis::link::OnPush;

/// The queue of one connection.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    content: Mutex<Content>,
    came: Notify,
}

/// What has come since it was last taken, in the order of the wire.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) messages: Vec<Message>,
    bytes: usize,
    /// Something was refused, so the messages are not all.
    pub(super) gap: bool,
    /// The connection has ended.
    pub(super) ended: bool,
}

/// Something that was published.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) by: HeardBy,
    pub(super) channel: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

/// By which kind of subscription a message came. One who has both gets it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeardBy {
    /// By that to its channel.
    Channel,
    /// By that to a pattern.
    Pattern,
}

impl Inbox {
    /// Takes what the connection is sent unasked.
    pub(super) fn on_push(self: &Arc<Self>) -> OnPush {
        let inbox = Arc::clone(self);
        Arc::new(move |push| inbox.take_in(push))
    }

    fn take_in(&self, push: PushInfo) {
        let mut content = self.content();
        let mut data = push.data.into_iter();
        let by = if push.kind == PushKind::Message {
            Some(HeardBy::Channel)
        } else if push.kind == PushKind::PMessage {
            // In front stands the pattern.
            data.next();
            Some(HeardBy::Pattern)
        } else {
            None
        };
        if let Some(by) = by {
            if let (Some(Value::BulkString(channel)), Some(Value::BulkString(payload))) =
                (data.next(), data.next())
            {
                content.take_in(Message {
                    by,
                    channel,
                    payload,
                });
            }
        } else if push.kind == PushKind::Disconnection {
            content.ended = true;
        } else {
            // Acknowledgements of subscriptions, which are replies as well.
            return;
        }
        drop(content);
        self.came.notify_one();
    }

    /// Waits until there is something.
    pub(super) async fn came(&self) {
        loop {
            let came = self.came.notified();
            if !self.content().is_empty() {
                return;
            }
            came.await;
        }
    }

    /// Takes everything out.
    pub(super) fn empty(&self) -> Content {
        std::mem::take(&mut *self.content())
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        lock(&self.content)
    }
}

impl Content {
    fn take_in(&mut self, message: Message) {
        let bytes = message.channel.len() + message.payload.len();
        let is_full = self.messages.len() >= INBOX_MAX_MESSAGES
            || !self.messages.is_empty() && self.bytes + bytes > INBOX_MAX_BYTES;
        if self.gap || is_full {
            self.gap = true;
            self.messages = Vec::new();
            return;
        }
        self.bytes += bytes;
        self.messages.push(message);
    }

    fn is_empty(&self) -> bool {
        self.messages.is_empty() && !self.gap && !self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: usize) -> PushInfo {
        PushInfo {
            kind: PushKind::Message,
            data: vec![
                Value::BulkString(b"status/mod-1/a".to_vec()),
                Value::BulkString(vec![b'1'; payload]),
            ],
        }
    }

    #[test]
    fn what_there_is_no_room_for_is_a_gap_and_all_of_it_goes() {
        let inbox = Inbox::default();
        for _ in 0..INBOX_MAX_MESSAGES {
            inbox.take_in(message(1));
        }
        let content = inbox.empty();
        assert!(!content.gap && content.messages.len() == INBOX_MAX_MESSAGES);
        for _ in 0..=INBOX_MAX_MESSAGES {
            inbox.take_in(message(1));
        }
        inbox.take_in(message(1));
        let content = inbox.empty();
        assert!(content.gap && content.messages.is_empty());
    }

    #[test]
    fn large_values_are_bounded_by_their_bytes_and_one_always_fits() {
        let inbox = Inbox::default();
        inbox.take_in(message(INBOX_MAX_BYTES * 2));
        assert!(!inbox.content().gap);
        inbox.take_in(message(1));
        assert!(inbox.empty().gap);
    }

    #[test]
    fn a_message_that_a_pattern_has_brought_is_of_its_channel() {
        let inbox = Inbox::default();
        let mut push = message(1);
        push.kind = PushKind::PMessage;
        push.data.insert(0, Value::BulkString(b"status/*".to_vec()));
        inbox.take_in(push);
        let content = inbox.empty();
        let [message] = &content.messages[..] else {
            panic!("{content:?}");
        };
        assert_eq!(message.by, HeardBy::Pattern);
        assert_eq!(message.channel, b"status/mod-1/a");
    }

    #[tokio::test]
    async fn the_end_of_the_connection_is_told() {
        let inbox = Arc::new(Inbox::default());
        let end = PushInfo {
            kind: PushKind::Disconnection,
            data: vec![],
        };
        inbox.on_push()(end);
        inbox.came().await;
        assert!(inbox.empty().ended);
    }
}
