//! A queue from whose middle an item can be removed, so that an unwanted item takes no place in it.

use std::collections::BTreeMap;

/// The waiting items, in the order of their coming.
#[derive(Debug)]
pub(super) struct Line<T> {
    last: u64,
    waiting: BTreeMap<QueuePosition, T>,
}

/// A position in a line, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueuePosition(u64);

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            last: 0,
            waiting: BTreeMap::new(),
        }
    }
}

impl<T> Line<T> {
    /// Takes the last place.
    pub(super) fn join(&mut self, item: T) -> QueuePosition {
        self.last += 1;
        let place = QueuePosition(self.last);
        self.waiting.insert(place, item);
        place
    }

    /// Removes the item at a position, and returns it if it was there.
    pub(super) fn leave(&mut self, place: QueuePosition) -> Option<T> {
        self.waiting.remove(&place)
    }

    /// The first item.
    pub(super) fn first(&self) -> Option<&T> {
        self.waiting.first_key_value().map(|(_, item)| item)
    }

    /// Takes the first out.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.pop_place().map(|(_, item)| item)
    }

    /// Takes the first out, with its place.
    pub(super) fn pop_place(&mut self) -> Option<(QueuePosition, T)> {
        self.waiting.pop_first()
    }

    /// The item at a position.
    pub(super) fn get_mut(&mut self, place: QueuePosition) -> Option<&mut T> {
        self.waiting.get_mut(&place)
    }

    /// Removes all items.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// All items, in their order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        std::mem::take(&mut self.waiting).into_values()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_left_from_its_middle() {
        let mut line = Line::default();
        let places = ["a", "b", "c"].map(|item| line.join(item));
        assert_eq!(line.leave(places[1]), Some("b"));
        assert_eq!(line.leave(places[1]), None);
        *line.get_mut(places[2]).unwrap() = "d";
        assert_eq!((line.len(), line.first()), (2, Some(&"a")));
        assert_eq!(line.pop(), Some("a"));
        line.join("e");
        assert_eq!(line.drain().collect::<Vec<_>>(), ["d", "e"]);
        assert!(line.is_empty());
    }
}
