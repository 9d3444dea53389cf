//! What the micro benches alone may drive: the frame reader, and a worker with clients in memory.
//!
//! It is compiled only with the feature `bench`, so nothing of it is part of the gateway or of its interface.
//! It adds no behaviour: everything goes through what a connection's task and the flusher call.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use crate::core::{Caller, Core};
use crate::dialects::{Carrier, Hello, Incoming};
use crate::model::{CloseReason, ConnectionId};
use crate::server::ServerSettings;
use crate::server::admission::Admission;
use crate::server::metrics::ServerMetrics;
use crate::server::surroundings::SurroundingsKeeper;
use crate::server::ws::connection::{Connection, Identity, begin};
use crate::server::ws::frames::{Flow, FrameReader, Inbound};
use crate::server::ws::wire::Wire;
use crate::server::ws::worker::Worker;

/// A reader of websocket frames.
#[derive(Debug)]
pub struct Frames(FrameReader);

impl Frames {
    /// A reader that refuses messages of more than `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self(FrameReader::new(max_bytes))
    }

    /// Reads input, unmasking it in place. Returns how many bytes of text were in it.
    pub fn read(&mut self, input: &mut [u8]) -> Result<usize, CloseReason> {
        let mut bytes = 0;
        self.0.read(input, |inbound| {
            if let Inbound::Text(text) = inbound {
                bytes += text.len();
            }
            Flow::Continue
        })?;
        Ok(bytes)
    }
}

/// A stream whose other end reads everything at once. It counts what it was given.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct Sink(Rc<Cell<usize>>);

impl Sink {
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(|written| written + bytes.len());
        Ok(bytes.len())
    }
}

/// A worker and its clients, without sockets.
pub struct Clients {
    worker: Rc<Worker>,
    connections: Vec<Rc<Connection>>,
    sink: Sink,
}

impl Clients {
    /// This many clients, all of the same caller.
    ///
    /// # Panics
    /// Never with the default settings, which admit every client.
    pub fn new(core: Arc<Core>, caller: &Caller, hello: Hello, count: usize) -> Self {
        let settings = ServerSettings::default();
        let admission = Arc::new(Admission::new(settings.limits.clone()));
        admission.open();
        let surroundings = SurroundingsKeeper::new(Arc::clone(&core.views));
        let worker = Worker::new(
            core,
            Arc::new(settings),
            Arc::new(ServerMetrics::new()),
            Arc::clone(&admission),
            Arc::new(surroundings),
        );
        let sink = Sink::default();
        let connections = (0..count)
            .map(|client| {
                let permit = admission
                    .admit(Some(caller.credential()), caller.address())
                    .expect("the default settings admit everybody");
                let wire = Wire::Sink(sink.clone());
                let id = ConnectionId(client as u64);
                let begun = begin(
                    &worker,
                    id,
                    wire,
                    Carrier::WebSocket,
                    Identity::Identified(caller.clone()),
                    hello.clone(),
                    permit,
                );
                worker.register(Rc::clone(&begun.connection));
                begun.connection
            })
            .collect();
        Self {
            worker,
            connections,
            sink,
        }
    }

    /// Every client sends the text that is made for its number.
    pub fn say(&self, text: impl Fn(usize) -> String) {
        for (client, connection) in self.connections.iter().enumerate() {
            let text = text(client);
            self.worker.receive(connection, Incoming::Text(&text));
        }
    }

    /// One round of the flusher. Returns how many bytes were written.
    pub fn round(&self) -> usize {
        let before = self.sink.0.get();
        self.worker.drain();
        self.worker.flush();
        self.sink.0.get() - before
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // Worker and connections hold each other by way of the table.
        for connection in &self.connections {
            self.worker.unregister(connection);
        }
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}
