//! What is owed to one connection and not yet written.
//!
//! Replies, log lines and values stand in one line of bytes, so order holds by construction.
//! Past [`OUTBOX_MAX_BYTES`] values are no longer appended: only which watches are behind is kept, in the order in which they fell behind,
//! and their latest values are encoded when there is room. Replies and log lines cannot be merged, so past their own bound the connection is to be closed.
//! One frame always fits into an empty outbox, however large.

use std::io;

use indexmap::IndexSet;

use crate::server::limits::{OUTBOX_MAX_BYTES, REPLIES_MAX_BYTES};
use crate::server::ws::wire::Wire;
use crate::server::ws::worker::WatchSlot;

/// Whether something found its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is in the outbox.
    Taken,
    /// The watch is remembered as behind.
    Behind,
    /// The watch was behind already, so an older value of it will never be sent.
    Merged,
    /// There is no place for it.
    Full,
}

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing waits any more.
    All,
    /// The kernel takes no more at the moment.
    Blocked,
}

/// One connection's outbox. Empty, it holds no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// How much of `bytes` has been written.
    written: usize,
    /// The size of the frame that was taken into an empty outbox: it counts against no bound.
    first: usize,
    /// Boxed because most connections never fall behind.
    behind: Option<Box<Behind>>,
}

/// The watches that are behind, oldest first, at constant cost each.
///
/// Two generations, so that a watch that falls behind again and again cannot keep others waiting.
/// What is in `now` may have been unbound since, or be in `later` as well; both are settled when its turn comes.
#[derive(Debug, Default)]
struct Behind {
    now: Vec<WatchSlot>,
    later: IndexSet<WatchSlot>,
}

impl Outbox {
    /// How many bytes wait.
    pub(super) fn backlog(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Whether anything waits, watches that are behind included.
    pub(super) fn is_idle(&self) -> bool {
        self.backlog() == 0 && self.behind.is_none()
    }

    /// Takes a reply or a log line.
    pub(super) fn offer_reply(&mut self, frame: &[u8]) -> Offer {
        let bound = self.first.max(OUTBOX_MAX_BYTES) + REPLIES_MAX_BYTES;
        if self.backlog() > 0 && self.backlog() + frame.len() > bound {
            return Offer::Full;
        }
        self.append(frame);
        Offer::Taken
    }

    /// Takes a value of a watch, or remembers that the watch is behind.
    pub(super) fn offer_value(&mut self, watch: WatchSlot, frame: &[u8]) -> Offer {
        if self.behind.is_some() || !self.has_room(frame.len()) {
            let newly = self.behind.get_or_insert_default().later.insert(watch);
            return if newly { Offer::Behind } else { Offer::Merged };
        }
        self.append(frame);
        Offer::Taken
    }

    /// Whether a value of this size may be appended.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.backlog() == 0 || self.backlog() + bytes <= OUTBOX_MAX_BYTES
    }

    /// Appends a frame whatever waits: for control frames, which are small and few.
    pub(super) fn append(&mut self, frame: &[u8]) {
        if self.backlog() == 0 {
            self.first = frame.len();
        }
        self.bytes.extend_from_slice(frame);
    }

    /// The watch whose turn it is, by how long it has been behind.
    pub(super) fn first_behind(&mut self) -> Option<WatchSlot> {
        let behind = self.behind.as_mut()?;
        if behind.now.is_empty() {
            behind.now.extend(behind.later.drain(..).rev());
        }
        behind.now.last().copied()
    }

    /// A watch is no longer behind, or no longer of interest.
    pub(super) fn forget_behind(&mut self, watch: WatchSlot) {
        let Some(behind) = &mut self.behind else {
            return;
        };
        behind.later.swap_remove(&watch);
        if behind.now.last() == Some(&watch) {
            behind.now.pop();
        }
        if behind.now.is_empty() && behind.later.is_empty() {
            self.behind = None;
        }
    }

    /// No value is owed any more: the connection is closing.
    pub(super) fn forget_values(&mut self) {
        self.behind = None;
    }

    /// Writes what the kernel takes, once.
    pub(super) fn write_to(&mut self, wire: &Wire) -> io::Result<Written> {
        while self.backlog() > 0 {
            match wire.try_write(&self.bytes[self.written..]) {
                Ok(taken) => self.written += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.compact();
                    return Ok(Written::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // An idle connection's outbox costs nothing.
        self.bytes = Vec::new();
        self.written = 0;
        self.first = 0;
        Ok(Written::All)
    }

    /// Moves the rest to the front once most of the buffer has been written: each byte is moved at most once on average.
    fn compact(&mut self) {
        if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }
}
