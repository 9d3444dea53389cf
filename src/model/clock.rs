//! The time of day, handed in: no room reads a clock that a test cannot set.

use std::sync::Arc;

use crate::model::Timestamp;

/// The system's clock, by which entries and events are stamped.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
