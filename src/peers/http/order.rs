//! Calls of one module begin in the order in which they were made, although each takes a connection of its own.
//!
//! Each call says its place: a stream, its number in it, and the lowest number that is still under way.
//! The other node begins a call behind those between the two, and waits for no call that is no longer under way.
//! So a lost call delays none after it, and a node that has started again misses nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use uuid::Uuid;

use crate::model::{ModuleId, lock};

/// The streams of one node.
#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<HashMap<ModuleId, Stream>>);

#[derive(Debug)]
struct Stream {
    name: Uuid,
    next: u64,
    under_way: BTreeSet<u64>,
}

/// A call's position in its stream, until it is dropped.
#[derive(Debug)]
pub(super) struct StreamPosition {
    orders: Arc<Orders>,
    module: ModuleId,
    stream: Uuid,
    number: u64,
}

impl Orders {
    /// The place behind all calls of this module so far.
    pub(super) fn join(self: &Arc<Self>, module: &ModuleId) -> StreamPosition {
        let mut streams = self.streams();
        let stream = streams.entry(module.clone()).or_insert_with(|| Stream {
            name: Uuid::new_v4(),
            next: 0,
            under_way: BTreeSet::new(),
        });
        let number = stream.next;
        stream.next += 1;
        stream.under_way.insert(number);
        StreamPosition {
            orders: Arc::clone(self),
            module: module.clone(),
            stream: stream.name,
            number,
        }
    }

    /// Forgets the streams in which nothing is under way.
    pub(super) fn tidy(&self) {
        self.streams()
            .retain(|_, stream| !stream.under_way.is_empty());
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<ModuleId, Stream>> {
        lock(&self.0)
    }
}

impl StreamPosition {
    /// As it is sent at this moment: `<stream>/<number>/<lowest number under way>`.
    pub(super) fn header(&self) -> String {
        let streams = self.orders.streams();
        let stream = streams.get(&self.module);
        let lowest = stream.and_then(|stream| stream.under_way.first().copied());
        let lowest = lowest.unwrap_or(self.number);
        format!("{}/{}/{lowest}", self.stream.simple(), self.number)
    }
}

impl Drop for StreamPosition {
    fn drop(&mut self) {
        if let Some(stream) = self.orders.streams().get_mut(&self.module) {
            stream.under_way.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_count_up_and_say_which_are_under_way() {
        let orders = Arc::new(Orders::default());
        let module = ModuleId::new("mod-1").unwrap();
        let (first, second) = (orders.join(&module), orders.join(&module));
        let other = orders.join(&ModuleId::new("mod-2").unwrap());
        let (stream, other_stream) = (first.stream.simple(), other.stream.simple());
        assert_eq!(first.header(), format!("{stream}/0/0"));
        assert_eq!(second.header(), format!("{stream}/1/0"));
        assert_eq!(other.header(), format!("{other_stream}/0/0"));
        drop(first);
        let third = orders.join(&module);
        assert_eq!(third.header(), format!("{stream}/2/1"));
        drop((second, third));
        assert_eq!(orders.join(&module).header(), format!("{stream}/3/3"));
    }

    #[test]
    fn a_stream_is_forgotten_when_nothing_of_it_is_under_way() {
        let orders = Arc::new(Orders::default());
        let module = ModuleId::new("mod-1").unwrap();
        let place = orders.join(&module);
        orders.tidy();
        assert_eq!(orders.streams().len(), 1);
        drop(place);
        orders.tidy();
        assert_eq!(orders.streams().len(), 0);
    }
}
