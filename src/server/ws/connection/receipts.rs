//! What the client has got of what was sent, for dialects that ask by [`Step::Confirm`](crate::dialects::Step::Confirm).
//!
//! A websocket knows it by the pong that answers a ping behind it; a carrier without pings by the kernel, which has taken all that was put out before.
//! Connections whose dialect never asks hold nothing of this.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::dialects::Receipt;
use crate::model::CloseReason;
use crate::server::limits::OPEN_RECEIPTS_MAX;
use crate::server::ws::carrier::{answers_pings, write_ping};
use crate::server::ws::connection::Connection;
use crate::server::ws::worker::Worker;

/// A receipt as the payload of its ping. Other pings have none, or that of the newest receipt.
type Payload = [u8; 4];

/// The receipts that a connection waits for, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Receipts(RefCell<VecDeque<OpenReceipt>>);

#[derive(Debug)]
struct OpenReceipt {
    receipt: Receipt,
    /// The bytes before it that the kernel has not taken.
    unwritten: usize,
}

impl Receipts {
    /// Waits for one more; `false` when that are too many.
    fn open(&self, receipt: Receipt, unwritten: usize) -> bool {
        let mut open = self.0.borrow_mut();
        if open.len() >= OPEN_RECEIPTS_MAX {
            return false;
        }
        open.push_back(OpenReceipt { receipt, unwritten });
        true
    }

    /// The kernel has taken this many bytes.
    fn count_written(&self, bytes: usize) {
        for open in &mut *self.0.borrow_mut() {
            open.unwritten = open.unwritten.saturating_sub(bytes);
        }
    }

    /// Takes the first, if all before it has been written.
    fn take_written(&self) -> Option<Receipt> {
        let mut open = self.0.borrow_mut();
        let first = open.pop_front_if(|first| first.unwritten == 0);
        first.map(|first| first.receipt)
    }

    /// Takes all up to the one that a pong names. A client may leave out the answers to earlier pings (RFC 6455 section 5.5.3).
    fn take_answered(&self, payload: &[u8]) -> Vec<Receipt> {
        let mut open = self.0.borrow_mut();
        let answered = |open: &OpenReceipt| open.receipt.0.to_be_bytes() == payload;
        let Some(at) = open.iter().position(answered) else {
            return Vec::new();
        };
        open.drain(..=at).map(|open| open.receipt).collect()
    }
}

impl Connection {
    /// The newest receipt that is waited for, as the payload of a ping.
    pub(in crate::server::ws) fn newest_receipt(&self) -> Option<Payload> {
        let open = self.rare.get()?.receipts.0.borrow();
        open.back().map(|open| open.receipt.0.to_be_bytes())
    }

    /// The kernel has taken this many bytes.
    pub(in crate::server::ws) fn count_written(&self, bytes: usize) {
        if let Some(rare) = self.rare.get() {
            rare.receipts.count_written(bytes);
        }
    }
}

impl Worker {
    /// Tells the dialect later that the client has got what was put out until here.
    pub(super) fn confirm_later(self: &Rc<Self>, connection: &Rc<Connection>, receipt: Receipt) {
        if !connection.is_open() {
            return;
        }
        let unwritten = connection.outbox.borrow().backlog();
        if !connection.rare.make().receipts.open(receipt, unwritten) {
            self.close(connection, CloseReason::SlowConsumer);
            return;
        }
        let mut ping = Vec::with_capacity(8);
        write_ping(connection.carrier, &mut ping, &receipt.0.to_be_bytes());
        match ping.is_empty() {
            false => self.send(connection, &ping),
            // The flusher sees what has been written.
            true => self.mark_dirty(connection),
        }
    }

    /// The client has answered a ping.
    pub(super) fn take_pong(self: &Rc<Self>, connection: &Rc<Connection>, payload: &[u8]) {
        if let Some(rare) = connection.rare.get() {
            for receipt in rare.receipts.take_answered(payload) {
                self.confirm(connection, receipt);
            }
        }
    }

    /// Tells the dialect of what the kernel has taken, where the client does not answer itself.
    pub(in crate::server::ws) fn confirm_written(self: &Rc<Self>, connection: &Rc<Connection>) {
        if answers_pings(connection.carrier) {
            return;
        }
        let first = || connection.rare.get()?.receipts.take_written();
        // What the dialect asks anew stands behind what it has said anew, or is left to the next round.
        for _ in 0..OPEN_RECEIPTS_MAX {
            match first() {
                Some(receipt) => self.confirm(connection, receipt),
                None => return,
            }
        }
        self.mark_dirty(connection);
    }

    fn confirm(self: &Rc<Self>, connection: &Rc<Connection>, receipt: Receipt) {
        if connection.is_open() {
            self.ask(connection, |session, ambient, out| {
                session.confirmed(receipt, ambient, out);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_taken_when_all_before_it_is_written() {
        let receipts = Receipts::default();
        assert!(receipts.open(Receipt(1), 10));
        assert!(receipts.open(Receipt(2), 15));
        receipts.count_written(9);
        assert_eq!(receipts.take_written(), None);
        receipts.count_written(1);
        assert_eq!(receipts.take_written(), Some(Receipt(1)));
        assert_eq!(receipts.take_written(), None);
        receipts.count_written(100);
        assert_eq!(receipts.take_written(), Some(Receipt(2)));
    }

    #[test]
    fn a_pong_stands_for_the_pings_before_its_own_and_for_no_other() {
        let receipts = Receipts::default();
        for receipt in 1..=3 {
            assert!(receipts.open(Receipt(receipt), 0));
        }
        assert_eq!(receipts.take_answered(b""), []);
        assert_eq!(receipts.take_answered(b"\0\0\0\x04"), []);
        let answered = receipts.take_answered(b"\0\0\0\x02");
        assert_eq!(answered, [Receipt(1), Receipt(2)]);
        assert_eq!(receipts.take_answered(b"\0\0\0\x02"), []);
        assert_eq!(receipts.take_answered(b"\0\0\0\x03"), [Receipt(3)]);
    }

    #[test]
    fn there_is_an_end_to_what_is_waited_for() {
        let receipts = Receipts::default();
        for receipt in (1..).take(OPEN_RECEIPTS_MAX) {
            assert!(receipts.open(Receipt(receipt), 0));
        }
        assert!(!receipts.open(Receipt(0), 0));
    }
}
