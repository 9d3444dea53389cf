//! The bounds and times of the driver, each with its reason.

use std::time::Duration;

/// The longest line of a projector. The longest answer of the specification, a name of an input, has 136 bytes; some projectors are more talkative.
pub(crate) const LINE_MAX_BYTES: usize = 1024;

/// A line without its carriage return counts as whole when nothing has followed it for so long. Packets that belong together follow each other within milliseconds, and within a quarter of a second where one was lost.
pub(crate) const LINE_SILENCE: Duration = Duration::from_millis(500);

/// How many inputs are taken from a projector's list: as many as the specification lets it have.
pub(crate) const INPUTS_MAX: usize = 50;

/// How often is asked for what changes slowly. Projectors that were asked for lamps and errors at every poll have locked up.
pub(crate) const SLOW_PERIOD: Duration = Duration::from_secs(60);

/// How long a question rests after the answer `ERR3`, "unavailable time"; the rest doubles with each such answer.
pub(crate) const UNAVAILABLE_FIRST: Duration = Duration::from_secs(5);

/// The longest rest after `ERR3`: as long as between two slow questions, so that a projector that has come to itself is seen within a minute.
pub(crate) const UNAVAILABLE_MAX: Duration = Duration::from_secs(60);

/// How long a projector may report its old power after it has accepted another. Until then `power` is what it was switched to.
pub(crate) const SETTLE: Duration = Duration::from_secs(5);
