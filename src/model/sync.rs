//! Locks of plain data, taken without a thought for poisoning.
//!
//! A panic under such a lock leaves the data whole, since what changes it cannot fail in the middle; who comes next goes on with it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock, also after a panic of who held it.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
