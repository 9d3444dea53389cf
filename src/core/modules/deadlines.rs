//! The modules with waiting callers, each with its earliest deadline.
//!
//! A module is entered with the earliest deadline of its calls, and again when that has passed and others are left.
//! So most calls add nothing here: most are answered long before their deadline, and their module stands here already.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::model::lock;

/// The modules that are to be looked at, by the moment. Bounded by the open calls, and usually one entry a module.
#[derive(Debug)]
pub(super) struct Deadlines<M> {
    due: Mutex<Due<M>>,
    /// Told when the first moment is an earlier one.
    sooner: Notify,
}

type Due<M> = BTreeMap<Instant, Vec<Weak<M>>>;

impl<M> Deadlines<M> {
    pub(super) fn new() -> Self {
        Self {
            due: Mutex::new(Due::new()),
            sooner: Notify::new(),
        }
    }

    /// A module is to be looked at then.
    pub(super) fn add(&self, at: Instant, module: &Arc<M>) {
        let mut due = lock(&self.due);
        let is_first = due.first_key_value().is_none_or(|(first, _)| at < *first);
        due.entry(at).or_default().push(Arc::downgrade(module));
        drop(due);
        if is_first {
            self.sooner.notify_one();
        }
    }

    /// Waits until modules are due, and takes them. One that is gone by now has answered its callers.
    pub(super) async fn next(&self) -> Vec<Arc<M>> {
        loop {
            let sooner = self.sooner.notified();
            let first = lock(&self.due).first_key_value().map(|(at, _)| *at);
            match first {
                Some(at) if at <= Instant::now() => {
                    let taken = lock(&self.due).remove(&at).unwrap_or_default();
                    return taken.iter().filter_map(Weak::upgrade).collect();
                }
                // Both are cancel-safe: the moment is looked up anew.
                Some(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = sooner => {}
                },
                None => sooner.await,
            }
        }
    }
}
