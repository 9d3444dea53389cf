//! Calls of one module begin in the order in which they were made, although each takes a connection of its own.
//!
//! Each call says its place: the number in a stream. The other node begins the calls of a stream in the order of their numbers.
//! A stream lasts as long as calls of its module are under way: once all are answered there is nothing that could be overtaken,
//! so a node that has started again, or forgot, never waits for numbers that it has missed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::model::ModuleId;

/// The streams of one node.
#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<HashMap<ModuleId, Stream>>);

#[derive(Debug)]
struct Stream {
    name: Uuid,
    next: u64,
    open: usize,
}

/// A call's place in its stream, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    orders: Arc<Orders>,
    module: ModuleId,
    stream: Uuid,
    number: u64,
}

impl Orders {
    /// The place behind all calls of this module that are under way.
    pub(super) fn join(self: &Arc<Self>, module: &ModuleId) -> Place {
        let mut streams = self.streams();
        let stream = streams.entry(module.clone()).or_insert_with(|| Stream {
            name: Uuid::new_v4(),
            next: 0,
            open: 0,
        });
        let place = Place {
            orders: Arc::clone(self),
            module: module.clone(),
            stream: stream.name,
            number: stream.next,
        };
        stream.next += 1;
        stream.open += 1;
        place
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<ModuleId, Stream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// As it is sent.
    pub(super) fn header(&self) -> String {
        format!("{}/{}", self.stream.simple(), self.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = self.orders.streams();
        if let Entry::Occupied(mut stream) = streams.entry(self.module.clone()) {
            stream.get_mut().open -= 1;
            if stream.get().open == 0 {
                stream.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_count_up_while_others_are_under_way_and_begin_anew_after_them() {
        let orders = Arc::new(Orders::default());
        let module = ModuleId::new("mod-1").unwrap();
        let (first, second) = (orders.join(&module), orders.join(&module));
        let other = orders.join(&ModuleId::new("mod-2").unwrap());
        assert_eq!((first.number, second.number, other.number), (0, 1, 0));
        assert_eq!(first.stream, second.stream);
        drop(first);
        let third = orders.join(&module);
        assert_eq!((third.stream, third.number), (second.stream, 2));
        let before = third.stream;
        drop((second, third, other));
        assert!(orders.streams().is_empty());
        let fresh = orders.join(&module);
        assert_eq!(fresh.number, 0);
        assert_ne!(fresh.stream, before);
    }
}
