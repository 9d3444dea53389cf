//! Queues by key. Each has one task, for as long as there is anything in it.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::model::lock;
use tokio::sync::Notify;

/// The queues that are not empty, or whose task has not ended yet.
#[derive(Debug)]
pub(super) struct Queues<K, T>(Mutex<HashMap<K, Queue<T>>>);

#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<T>,
    wake: Arc<Notify>,
}

impl<K: Eq + Hash, T> Queues<K, T> {
    /// Puts an item behind the others. Gives what the queue's task is to wait for, if there is none yet and one has to begin.
    #[must_use = "a queue without a task is never emptied"]
    pub(super) fn push(&self, key: K, item: T) -> Option<Arc<Notify>> {
        let mut queues = self.queues();
        if let Some(queue) = queues.get_mut(&key) {
            queue.items.push_back(item);
            queue.wake.notify_one();
            return None;
        }
        let wake = Arc::new(Notify::new());
        let queue = Queue {
            items: VecDeque::from([item]),
            wake: Arc::clone(&wake),
        };
        queues.insert(key, queue);
        Some(wake)
    }

    /// All that waits, for the queue's task.
    pub(super) fn take(&self, key: &K) -> VecDeque<T> {
        let mut queues = self.queues();
        let queue = queues.get_mut(key);
        queue.map_or_else(VecDeque::new, |queue| std::mem::take(&mut queue.items))
    }

    /// Ends a queue if it is empty. Whether it has ended, and its task with it.
    pub(super) fn end(&self, key: &K) -> bool {
        let mut queues = self.queues();
        let is_empty = queues.get(key).is_none_or(|queue| queue.items.is_empty());
        if is_empty {
            queues.remove(key);
        }
        is_empty
    }

    /// Whether anything of a key is under way.
    pub(super) fn is_open(&self, key: &K) -> bool {
        self.queues().contains_key(key)
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<K, Queue<T>>> {
        lock(&self.0)
    }
}

impl<K, T> Default for Queues<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
