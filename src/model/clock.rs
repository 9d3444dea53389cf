//! The time of day, handed in: no room reads a clock that a test cannot set.

use std::sync::Arc;

/// Tells the time, in Unix seconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
