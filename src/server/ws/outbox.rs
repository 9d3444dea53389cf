//! The bytes for one connection that are not yet written.
//!
//! Replies, log lines and values stand in one line of bytes, so order holds by construction.
//! While all that waits came with this round's fan-out and other connections get the same bytes, they are not copied: the outbox is a range of the worker's [`RoundBytes`].
//! A round ends with the flush, and what the kernel did not take then becomes the connection's own.
//! Past [`OUTBOX_MAX_BYTES`] values are no longer appended: only what is behind is kept, by watch and key, in the order in which it fell behind,
//! and the latest values are encoded when there is room. Replies and log lines cannot be merged, so past their own bound the connection is to be closed.
//! One frame always fits into an empty outbox, however large.

use std::io;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::model::{Event, Old};
use crate::server::limits::{OUTBOX_MAX_BYTES, REPLIES_MAX_BYTES};
use crate::server::ws::buffers::{Buffers, RoundBytes};
use crate::server::ws::wire::Wire;
use crate::server::ws::worker::WatchSlot;

/// Whether something found its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is in the outbox.
    Taken,
    /// It is remembered as behind.
    Behind,
    /// It was behind already, so an older value will never be sent.
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

/// A whole frame that is to leave.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    /// For one connection.
    Own(&'a [u8]),
    /// For several, and among the bytes of this round.
    Shared(RoundBytes),
}

impl Frame<'_> {
    /// Its size in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Shared(range) => range.len(),
        }
    }
}

/// One connection's outbox. Empty, it holds no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Waiting,
    /// The size of the frame that was taken into an empty outbox: it counts against no bound.
    first: usize,
    /// Boxed because most connections never fall behind.
    behind: Option<Box<Behind>>,
}

/// The bytes that wait.
#[derive(Debug)]
enum Waiting {
    /// A part of what this round's fan-out has written once for many. Never there between two rounds, unless it is empty.
    Shared(RoundBytes),
    /// The connection's own, of which the first `written` have left.
    Own { bytes: Vec<u8>, written: usize },
}

impl Default for Waiting {
    fn default() -> Self {
        Self::Shared(RoundBytes::default())
    }
}

/// A state of a watch whose latest event is not yet sent, by its place among the newest events of the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Owed {
    pub(super) watch: WatchSlot,
    pub(super) place: u32,
}

/// What is behind, oldest first, at constant cost each, with what the client got before it fell behind.
///
/// Two generations, so that what falls behind again and again cannot keep others waiting.
/// What is in `now` may be in `later` as well; both are settled when its turn comes.
#[derive(Debug, Default)]
struct Behind {
    now: Vec<(Owed, Old)>,
    later: IndexMap<Owed, Old>,
}

impl Outbox {
    /// How many bytes wait.
    pub(super) fn backlog(&self) -> usize {
        match &self.waiting {
            Waiting::Shared(range) => range.len(),
            Waiting::Own { bytes, written } => bytes.len() - written,
        }
    }

    /// Whether anything waits, watches that are behind included.
    pub(super) fn is_idle(&self) -> bool {
        self.backlog() == 0 && self.behind.is_none()
    }

    /// Takes a reply or a log line, however large, unless too much waits already: a client may ask for several large things in one go.
    pub(super) fn offer_reply(&mut self, frame: &Frame<'_>, buffers: &mut Buffers) -> Offer {
        let bound = self.first.max(OUTBOX_MAX_BYTES) + REPLIES_MAX_BYTES;
        if self.backlog() > bound {
            return Offer::Full;
        }
        self.append(frame, buffers);
        Offer::Taken
    }

    /// Takes an event of which the latest alone matters, or remembers that it is behind.
    pub(super) fn offer_value(
        &mut self,
        owed: Owed,
        event: &Event,
        frame: &Frame<'_>,
        buffers: &mut Buffers,
    ) -> Offer {
        if self.behind.is_some() || !self.has_room(frame.len()) {
            return match self.behind.get_or_insert_default().later.entry(owed) {
                Entry::Occupied(_) => Offer::Merged,
                Entry::Vacant(place) => {
                    place.insert(event.old());
                    Offer::Behind
                }
            };
        }
        self.append(frame, buffers);
        Offer::Taken
    }

    /// Whether a value of this size may be appended.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.backlog() == 0 || self.backlog() + bytes <= OUTBOX_MAX_BYTES
    }

    /// Appends a frame whatever waits: for control frames, which are small and few.
    pub(super) fn append(&mut self, frame: &Frame<'_>, buffers: &mut Buffers) {
        if self.backlog() == 0 {
            self.first = frame.len();
        }
        match frame {
            Frame::Own(frame) => self.own(buffers).extend_from_slice(frame),
            Frame::Shared(frame) => {
                if let Waiting::Shared(waiting) = &mut self.waiting
                    && waiting.extend(frame)
                {
                    return;
                }
                self.own(buffers).extend_from_slice(buffers.round(frame));
            }
        }
    }

    /// The bytes as the connection's own.
    fn own(&mut self, buffers: &mut Buffers) -> &mut Vec<u8> {
        if let Waiting::Shared(range) = &self.waiting {
            let mut bytes = buffers.lend();
            bytes.extend_from_slice(buffers.round(range));
            self.waiting = Waiting::Own { bytes, written: 0 };
        }
        match &mut self.waiting {
            Waiting::Own { bytes, .. } => bytes,
            Waiting::Shared(_) => unreachable!("it has just become its own"),
        }
    }

    /// What has been behind for longest, and what the client got before.
    pub(super) fn first_behind(&mut self) -> Option<(Owed, Old)> {
        let behind = self.behind.as_mut()?;
        if behind.now.is_empty() {
            behind.now.extend(behind.later.drain(..).rev());
        }
        behind.now.last().cloned()
    }

    /// The first of what is behind has been sent.
    pub(super) fn settle_first_behind(&mut self) {
        let Some(behind) = &mut self.behind else {
            return;
        };
        if let Some((owed, _)) = behind.now.pop() {
            behind.later.swap_remove(&owed);
        }
        if behind.now.is_empty() && behind.later.is_empty() {
            self.behind = None;
        }
    }

    /// A watch is no longer of interest.
    pub(super) fn forget_watch(&mut self, watch: WatchSlot) {
        let Some(behind) = &mut self.behind else {
            return;
        };
        behind.later.retain(|owed, _| owed.watch != watch);
        behind.now.retain(|(owed, _)| owed.watch != watch);
        if behind.now.is_empty() && behind.later.is_empty() {
            self.behind = None;
        }
    }

    /// Drops what is behind, because the connection is closing.
    pub(super) fn forget_values(&mut self) {
        self.behind = None;
    }

    /// Drops all that waits: the stream has failed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Writes what the kernel takes, once.
    pub(super) fn write_to(&mut self, wire: &Wire, buffers: &mut Buffers) -> io::Result<Written> {
        while self.backlog() > 0 {
            let rest = match &self.waiting {
                Waiting::Shared(range) => buffers.round(range),
                Waiting::Own { bytes, written } => &bytes[*written..],
            };
            match wire.try_write(rest) {
                Ok(taken) => match &mut self.waiting {
                    Waiting::Shared(range) => range.advance(taken),
                    Waiting::Own { written, .. } => *written += taken,
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.own(buffers);
                    self.compact();
                    return Ok(Written::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // An idle connection's outbox costs nothing.
        if let Waiting::Own { bytes, .. } = std::mem::take(&mut self.waiting) {
            buffers.give_back(bytes);
        }
        self.first = 0;
        Ok(Written::All)
    }

    /// Moves the rest to the front once most of the buffer has been written: each byte is moved at most once on average.
    fn compact(&mut self) {
        if let Waiting::Own { bytes, written } = &mut self.waiting
            && *written > bytes.len() / 2
        {
            bytes.drain(..*written);
            *written = 0;
        }
    }
}
