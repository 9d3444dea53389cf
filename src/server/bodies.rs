//! The memory of all request bodies together, from their first byte until their handler drops them.
//!
//! Separate because each body has a bound of its own, and many of them could fill the memory all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of all bodies.
#[derive(Debug)]
pub(super) struct Bodies {
    most: usize,
    held: AtomicUsize,
}

/// The bytes of one body; dropping it gives them back.
#[derive(Debug)]
pub(super) struct BodyPlace {
    all: Arc<Bodies>,
    bytes: usize,
}

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Bodies {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            held: AtomicUsize::new(0),
        }
    }

    /// A place of which nothing is taken yet.
    pub(super) fn place(self: &Arc<Self>) -> BodyPlace {
        BodyPlace {
            all: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl BodyPlace {
    /// More has come, if there is room for it.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let most = self.all.most;
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= most);
        let held = &self.all.held;
        held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .map_err(|_| Full)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for BodyPlace {
    fn drop(&mut self) {
        self.all.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bodies_together_hold_no_more_than_they_may() {
        let all = Arc::new(Bodies::new(100));
        let (mut one, mut other) = (all.place(), all.place());
        assert_eq!(one.grow(60), Ok(()));
        assert_eq!(other.grow(41), Err(Full));
        assert_eq!(other.grow(40), Ok(()));
        drop(one);
        assert_eq!(other.grow(60), Ok(()));
        drop(other);
        assert_eq!(all.held.load(Ordering::Relaxed), 0);
    }
}
