//! The memory that the outboxes of a worker have in common.
//!
//! *This round's bytes*: a frame for many connections is written here once, and each of their outboxes is a range of it.
//! When several changes wait, consecutive frames of one connection stand side by side, so they stay one range and leave in one write.
//!
//! *Emptied buffers*: an outbox that has bytes of its own gives its buffer back when they have left, and the next one takes it.
//! Freed and grown anew in every round, their pages would go back to the kernel and be faulted in again.

use std::ops::Range;

use crate::server::limits::{SPARE_BUFFER_MAX_BYTES, SPARE_BUFFERS_MAX_BYTES};

/// What the outboxes of a worker share.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    round: Vec<u8>,
    spare: Vec<Vec<u8>>,
    /// What the emptied buffers could hold, together.
    spare_bytes: usize,
}

/// A part of this round's bytes. Means nothing once the round has ended.
#[derive(Debug, Default)]
pub(super) struct RoundBytes(Range<usize>);

impl RoundBytes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes in what stands right behind it; an empty part takes any other. `false` when something lies between.
    pub(super) fn extend(&mut self, next: &Self) -> bool {
        if self.0.is_empty() {
            self.0 = next.0.clone();
        } else if self.0.end == next.0.start {
            self.0.end = next.0.end;
        } else {
            return false;
        }
        true
    }

    /// The first bytes have left.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.0.start += bytes;
    }
}

impl Buffers {
    /// Lets a frame be written for this round.
    pub(super) fn share(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> RoundBytes {
        let start = self.round.len();
        write(&mut self.round);
        RoundBytes(start..self.round.len())
    }

    /// A part of this round's bytes.
    pub(super) fn round(&self, part: &RoundBytes) -> &[u8] {
        &self.round[part.0.clone()]
    }

    /// How many bytes this round has.
    pub(super) fn round_len(&self) -> usize {
        self.round.len()
    }

    /// The round has ended: no outbox has a part of it any more. Frames of an unusual size do not keep their memory.
    pub(super) fn end_round(&mut self, keep_bytes: usize) {
        self.round.clear();
        self.round.shrink_to(keep_bytes);
    }

    /// An empty buffer.
    pub(super) fn lend(&mut self) -> Vec<u8> {
        let buffer = self.spare.pop().unwrap_or_default();
        self.spare_bytes -= buffer.capacity();
        buffer
    }

    /// Keeps a buffer for the next one who needs it, within bounds.
    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        let bytes = buffer.capacity();
        if bytes <= SPARE_BUFFER_MAX_BYTES && self.spare_bytes + bytes <= SPARE_BUFFERS_MAX_BYTES {
            buffer.clear();
            self.spare_bytes += bytes;
            self.spare.push(buffer);
        }
    }
}
