//! The hot path: take the batch, encode once per watch and form, splice each id, append to each outbox.
//!
//! No await, no lock, and per subscriber no allocation but its outbox's. Subscribers that stand side by side with the same splice share the same bytes.
//! Writing is the flusher's; only an outbox that a long batch fills is written from here, since a client is behind when the kernel says so.

use std::rc::Rc;
use std::sync::Arc;

use crate::core::Delivery;
use crate::dialects::{Carrier, Encoded, Splice, encode};
use crate::model::{Audience, CloseReason, Event, LogLevel, LogLine, ModuleId};
use crate::server::limits::ROUND_MAX_BYTES;
use crate::server::ws::carrier::write_text;
use crate::server::ws::connection::Connection;
use crate::server::ws::outbox::{Frame, Offer};
use crate::server::ws::worker::{Scratch, Subscriber, WatchSlot, Worker};

impl Worker {
    /// Takes everything that waits and puts it into the outboxes.
    pub(super) fn drain(self: &Rc<Self>) {
        let queue = self.outlet.take();
        if queue.merged > 0 {
            self.metrics.values_merged.increment(queue.merged);
        }
        for delivery in queue.deliveries {
            self.deliver(delivery);
            if self.buffers.borrow().round_len() > ROUND_MAX_BYTES {
                self.flush();
            }
        }
        if queue.lines_dropped > 0 {
            self.report_dropped_lines(queue.lines_dropped);
        }
    }

    fn deliver(self: &Rc<Self>, delivery: Delivery) {
        match delivery {
            Delivery::Event { watch, event } => {
                let slot = self.table.borrow().find(watch);
                if let Some(slot) = slot {
                    self.fan_out(slot, event);
                }
            }
            Delivery::Reply { to, ticket, reply } => {
                let connection = self.table.borrow().connections.get(&to).cloned();
                if let Some(connection) = connection {
                    self.answer(&connection, ticket, reply);
                }
            }
            Delivery::Close { whom, why } => {
                let connections: Vec<Rc<Connection>> = match whom {
                    Audience::All => self.table.borrow().connections.values().cloned().collect(),
                    Audience::Credential(credential) => self
                        .table
                        .borrow()
                        .connections
                        .values()
                        .filter(|connection| connection.is_of(&credential))
                        .cloned()
                        .collect(),
                    Audience::Connection(id) => self
                        .table
                        .borrow()
                        .connections
                        .get(&id)
                        .cloned()
                        .into_iter()
                        .collect(),
                };
                for connection in connections {
                    self.close(&connection, why);
                }
            }
        }
    }

    /// One event to all who follow it.
    fn fan_out(self: &Rc<Self>, slot: WatchSlot, event: Event) {
        let mut table = self.table.borrow_mut();
        let Some(watch) = table.watch_mut(slot) else {
            return;
        };
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { encoded, frame, .. } = &mut *scratch;
        let mut buffers = self.buffers.borrow_mut();
        let mut told = 0_u64;
        let mut merged = 0_u64;
        let mut overflowed = Vec::new();
        for (form, subscribers) in &watch.forms {
            encode(*form, &event, encoded);
            for alike in subscribers.chunk_by(|one, next| one.splice == next.splice) {
                let own = &alike[0].splice;
                // All who take a form are on its one carrier.
                let carrier = alike[0].connection.carrier;
                let frame = if alike.len() > 1 {
                    Frame::Shared(buffers.share(|bytes| splice(carrier, encoded, own, bytes)))
                } else {
                    frame.clear();
                    splice(carrier, encoded, own, frame);
                    Frame::Own(frame)
                };
                for Subscriber { connection, .. } in alike {
                    if !connection.outbox.borrow().has_room(frame.len()) {
                        // A client is behind when the kernel takes no more for it, not when a long batch fills its outbox.
                        self.write_now(connection, &mut buffers);
                    }
                    let mut outbox = connection.outbox.borrow_mut();
                    let offer = match &event {
                        Event::Value { .. } => outbox.offer_value(slot, &frame, &mut buffers),
                        Event::Line(_) => outbox.offer_reply(&frame, &mut buffers),
                    };
                    match offer {
                        Offer::Taken => told += 1,
                        Offer::Behind => {}
                        Offer::Merged => merged += 1,
                        Offer::Full => overflowed.push(Rc::clone(connection)),
                    }
                    drop(outbox);
                    if !connection.blocked.get() {
                        self.mark_dirty(connection);
                    }
                }
            }
        }
        if matches!(event, Event::Value { .. }) {
            watch.last = Some(event);
        }
        drop(table);
        drop(scratch);
        drop(buffers);
        self.metrics.notifies.increment(told);
        self.metrics.values_merged.increment(merged);
        for connection in overflowed {
            self.close(&connection, CloseReason::SlowConsumer);
        }
    }

    /// One value to one connection: the last that came, for a bind that found the watch here and for a watch that was behind.
    ///
    /// `false` when there is no room for it. A removed value is nothing to tell a newcomer, but something to tell who has seen it.
    pub(super) fn tell_last(
        &self,
        connection: &Connection,
        slot: WatchSlot,
        audience: Newcomer,
    ) -> bool {
        let table = self.table.borrow();
        let place = connection.follows.borrow().place(slot);
        let Some((watch, place)) = table.watch(slot).zip(place) else {
            return true;
        };
        let (Some(event), Some(own)) = (&watch.last, watch.splice(connection, place)) else {
            return true;
        };
        if audience == Newcomer::Yes && matches!(event, Event::Value { value: None, .. }) {
            return true;
        }
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { encoded, frame, .. } = &mut *scratch;
        encode(connection.form, event, encoded);
        frame.clear();
        splice(connection.carrier, encoded, own, frame);
        let frame = Frame::Own(frame);
        let mut outbox = connection.outbox.borrow_mut();
        let buffers = &mut self.buffers.borrow_mut();
        match audience {
            Newcomer::Yes if outbox.offer_value(slot, &frame, buffers) != Offer::Taken => {
                return true;
            }
            Newcomer::Yes => {}
            Newcomer::No if outbox.has_room(frame.len()) => outbox.append(&frame, buffers),
            Newcomer::No => return false,
        }
        self.metrics.notifies.increment(1);
        true
    }

    /// Tells every engineer that some lines are missing.
    fn report_dropped_lines(self: &Rc<Self>, lines: u64) {
        self.metrics.lines_dropped.increment(lines);
        let watches: Vec<(WatchSlot, ModuleId)> = self.table.borrow().log_watches();
        for (slot, module) in watches {
            let line = LogLine {
                module,
                driver: Arc::from("riser"),
                level: LogLevel::Warn,
                message: format!("{lines} log lines were dropped because too many came at once"),
            };
            self.fan_out(slot, Event::Line(Arc::new(line)));
        }
    }
}

/// Whether a connection has seen anything of a watch before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newcomer {
    /// It has just bound it.
    Yes,
    /// It has, and is behind.
    No,
}

/// Appends one subscriber's frame.
fn splice(carrier: Carrier, encoded: &Encoded, splice: &Splice, frame: &mut Vec<u8>) {
    let (head, tail) = encoded.bytes.split_at(encoded.splice_at);
    write_text(carrier, frame, [head, splice.as_bytes(), tail]);
}
