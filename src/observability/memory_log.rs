//! A log in memory, which the tests of this room write and read.
//!
//! Separate because several files of the room have such tests.

use std::io;
use std::sync::{Arc, Mutex};

use crate::model::lock;

/// A log in memory. Its copies are the same log.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryLog(Arc<Mutex<Vec<u8>>>);

impl io::Write for MemoryLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MemoryLog {
    /// What was written since the last look.
    pub(super) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *lock(&self.0))).unwrap()
    }
}
