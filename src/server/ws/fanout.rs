//! The hot path: take the batch, encode once per watch and form, splice each id, append to each outbox.
//!
//! No await, no lock, and per subscriber no allocation but its outbox's. Subscribers that stand side by side with the same splice share the same bytes.
//! Writing is the flusher's; only an outbox that a long batch fills is written from here, since a client is behind when the kernel says so.

use std::rc::Rc;
use std::sync::Arc;

use crate::core::{Delivery, WatchId};
use crate::dialects::{Carrier, Encoded, Form, Splice, Surroundings, encode};
use crate::model::{CloseReason, Event, FollowId, Keep, LogLevel, LogLine, ModuleId, Old};
use crate::server::limits::ROUND_MAX_BYTES;
use crate::server::ws::carrier::write_text;
use crate::server::ws::connection::Connection;
use crate::server::ws::outbox::{Frame, Offer, Owed};
use crate::server::ws::worker::{LocalWatch, Scratch, Subscriber, WatchSlot, Worker};

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
        for watch in queue.overflowed {
            self.close_followers(watch);
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
                    if let Event::Line(_) = event {
                        self.end_refused_followers(slot);
                    }
                    self.fan_out(slot, event);
                }
            }
            Delivery::Reply { to, ticket, reply } => {
                let connection = self.table.borrow().connections.get(&to).cloned();
                if let Some(connection) = connection {
                    self.answer(&connection, ticket, reply);
                }
            }
            Delivery::Close { audience, why } => {
                let table = self.table.borrow();
                let connections = table.connections.values();
                let connections: Vec<Rc<Connection>> = connections
                    .filter(|connection| connection.is_in(&audience))
                    .cloned()
                    .collect();
                drop(table);
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
        let keep = event.keep();
        let place = match keep {
            Keep::Latest(key) => watch.newest.place(key),
            Keep::Lossy | Keep::All => 0,
        };
        let process = self.core.topics.process();
        let except = event.except().filter(|id| id.process == process);
        let except = except.map(|id| id.connection);
        let owed = Owed { watch: slot, place };
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { encoded, frame, .. } = &mut *scratch;
        let mut buffers = self.buffers.borrow_mut();
        let mut told = 0_u64;
        let mut merged = 0_u64;
        let mut may_be_behind = false;
        let mut overflowed = Vec::new();
        let mut for_sessions = Vec::new();
        let surroundings = self.surroundings.shown();
        for (at, (form, subscribers)) in watch.forms.iter().enumerate() {
            if subscribers.is_empty() {
                continue;
            }
            if form.is_for_session() {
                let sessions = watch.sessions(slot, at);
                for_sessions.extend(sessions.filter(|(taker, _)| except != Some(taker.id)));
                continue;
            }
            encode(*form, &event, &watch.newest, &surroundings, encoded);
            if encoded.is_empty() {
                // No outbox was asked for room, so it is not known whether one is behind.
                may_be_behind = true;
                continue;
            }
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
                    if except == Some(connection.id) {
                        continue;
                    }
                    if !connection.outbox.borrow().has_room(frame.len()) {
                        // A client is behind when the kernel takes no more for it, not when a long batch fills its outbox.
                        self.write_now(connection, &mut buffers);
                    }
                    let mut outbox = connection.outbox.borrow_mut();
                    let offer = match keep {
                        Keep::Latest(_) => outbox.offer_value(owed, &event, &frame, &mut buffers),
                        Keep::Lossy | Keep::All => outbox.offer_reply(&frame, &mut buffers),
                    };
                    match offer {
                        Offer::Taken => told += 1,
                        Offer::Behind => may_be_behind = true,
                        Offer::Merged => {
                            may_be_behind = true;
                            merged += 1;
                        }
                        Offer::Full => overflowed.push(Rc::clone(connection)),
                    }
                    drop(outbox);
                    if !connection.blocked.get() {
                        self.mark_dirty(connection);
                    }
                }
            }
        }
        let noticed = (!for_sessions.is_empty()).then(|| event.clone());
        if may_be_behind || event.is_standing() {
            watch.newest.put(event);
        } else {
            // A subscriber that is behind on anything is behind on this as well. So none is, and this moves no place in a queue.
            watch.newest.forget(&event);
        }
        drop(table);
        drop(scratch);
        drop(buffers);
        drop(surroundings);
        for (connection, id) in for_sessions {
            if let Some(event) = &noticed {
                self.notice(&connection, id, event);
            }
        }
        self.metrics.notifies.increment(told);
        self.metrics.values_merged.increment(merged);
        for connection in overflowed {
            self.close(&connection, CloseReason::SlowConsumer);
        }
    }

    /// All that a watch says now.
    pub(super) fn snapshot(&self, slot: WatchSlot) -> Vec<Event> {
        let table = self.table.borrow();
        let Some(LocalWatch { newest, .. }) = table.watch(slot) else {
            return Vec::new();
        };
        let events = newest.events().map(|(_, event)| event);
        events
            .filter(|event| event.is_standing())
            .cloned()
            .collect()
    }

    /// Sends the last values of a watch to a connection that has just begun to follow it, as far as there is room; the rest counts as behind.
    ///
    /// A removed value is not sent to a new follower.
    pub(super) fn tell_newest(&self, connection: &Connection, slot: WatchSlot, id: FollowId) {
        let table = self.table.borrow();
        let followed = connection.follows.borrow().get(slot, id);
        let Some((watch, followed)) = table.watch(slot).zip(followed) else {
            return;
        };
        let Some((form, own)) = watch.form(&followed).zip(watch.splice(&followed)) else {
            return;
        };
        let mut scratch = self.scratch.borrow_mut();
        let surroundings = self.surroundings.shown();
        let mut told = 0;
        let standing = |(_, event): &(u32, &Event)| event.is_standing();
        for (place, event) in watch.newest.events().filter(standing) {
            scratch.frame.clear();
            scratch.put(connection.carrier, form, event, watch, own, &surroundings);
            if scratch.frame.is_empty() {
                continue;
            }
            let frame = Frame::Own(&scratch.frame);
            let owed = Owed { watch: slot, place };
            let buffers = &mut self.buffers.borrow_mut();
            let mut outbox = connection.outbox.borrow_mut();
            if outbox.offer_value(owed, event, &frame, buffers) == Offer::Taken {
                told += 1;
            }
        }
        self.metrics.notifies.increment(told);
    }

    /// Sends the latest event of what a connection was behind on, with what it got before. `false` when there is no room for it.
    pub(super) fn tell_behind(&self, connection: &Connection, owed: Owed, old: Old) -> bool {
        let mut table = self.table.borrow_mut();
        let Some(watch) = table.watch_mut(owed.watch) else {
            return true;
        };
        watch.newest.set_old(owed.place, old);
        let mut scratch = self.scratch.borrow_mut();
        scratch.frame.clear();
        let surroundings = self.surroundings.shown();
        let mut told = 0;
        if let Some(event) = watch.newest.get(owed.place) {
            for followed in connection.follows.borrow().of(owed.watch) {
                if let Some((form, own)) = watch.form(&followed).zip(watch.splice(&followed)) {
                    scratch.put(connection.carrier, form, event, watch, own, &surroundings);
                    told += 1;
                }
            }
        }
        watch.newest.set_old(owed.place, Old::Nothing);
        if scratch.frame.is_empty() {
            return true;
        }
        let frame = Frame::Own(&scratch.frame);
        let mut outbox = connection.outbox.borrow_mut();
        if !outbox.has_room(frame.len()) {
            return false;
        }
        outbox.append(&frame, &mut self.buffers.borrow_mut());
        self.metrics.notifies.increment(told);
        true
    }

    /// An event that had to arrive was lost: the connections that follow the watch are closed, and so learn of it.
    fn close_followers(self: &Rc<Self>, watch: WatchId) {
        let connections: Vec<Rc<Connection>> = {
            let table = self.table.borrow();
            let watch = table.find(watch).and_then(|slot| table.watch(slot));
            let forms = watch.into_iter().flat_map(|watch| &watch.forms);
            let subscribers = forms.flat_map(|(_, subscribers)| subscribers);
            subscribers
                .map(|subscriber| Rc::clone(&subscriber.connection))
                .collect()
        };
        for connection in connections {
            self.close(&connection, CloseReason::SlowConsumer);
        }
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

impl Scratch {
    /// Adds an event as one follower's own to the frame.
    fn put(
        &mut self,
        carrier: Carrier,
        form: Form,
        event: &Event,
        watch: &LocalWatch,
        own: &Splice,
        surroundings: &Surroundings,
    ) {
        encode(form, event, &watch.newest, surroundings, &mut self.encoded);
        splice(carrier, &self.encoded, own, &mut self.frame);
    }
}

/// Appends one subscriber's frames: one, as a rule.
fn splice(carrier: Carrier, encoded: &Encoded, splice: &Splice, out: &mut Vec<u8>) {
    for (head, tail) in encoded.frames() {
        write_text(carrier, out, [head, splice.as_bytes(), tail]);
    }
}
