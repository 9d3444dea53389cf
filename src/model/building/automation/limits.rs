//! Every bound of what a building says of its automation: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// Steps in one list, those within other steps included. Bounds what one entry takes in memory; more are a mistake. People write ten or twenty.
pub(super) const STEPS_MAX: usize = 1000;

/// How deeply steps stand within each other. Protects the stack, since reading and writing call themselves once per level; deeper is a mistake. Three levels are rare.
pub(super) const DEPTH_MAX: usize = 16;

/// Conditions of one trigger. Each follows something; more are a mistake. People write two or three.
pub(super) const CONDITIONS_MAX: usize = 32;

/// Parameters of one procedure, and variables of one step that sets some. More are a mistake.
pub(super) const VARIABLES_MAX: usize = 64;

/// The longest name of a variable. A longer one is a mistake.
pub(super) const VARIABLE_MAX_BYTES: usize = 64;

/// The longest span of time. Keeps sums of moments in their range; a longer one is a mistake, and a schedule does what it is for.
pub(super) const SPAN_MAX: Duration = Duration::from_secs(31 * 24 * 60 * 60);
