//! Every bound and deadline of drivers that are processes: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// How long a process may take until it says that it is ready; past it the start has failed. An interpreter with a large library takes a second or two.
pub(super) const READY_DEADLINE: Duration = Duration::from_secs(10);

/// How long a process that has answered a ping is left alone before the next. A hang is noticed so much later at most; a ping costs either side some microseconds.
pub(super) const PING_PAUSE: Duration = Duration::from_secs(2);

/// How long a ping may be without an answer; past it the process is ended. A garbage collection or a machine that swaps is shorter.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(20);

/// How long is waited for an answer that is late, since the gateway itself may have been stopped meanwhile.
pub(super) const SECOND_LOOK: Duration = Duration::from_millis(500);

/// How long a process may take to answer `stop`. With [`EXIT_DEADLINE`] and [`REST_DEADLINE`] this stays within the core's deadline for a stop.
pub(super) const STOP_DEADLINE: Duration = Duration::from_secs(1);

/// How long a process whose stdin or stdout is closed may take to end by itself, before it is killed.
pub(super) const EXIT_DEADLINE: Duration = Duration::from_millis(500);

/// How long is read on what a process said before it ended. Only a process that left its group keeps the pipes open for longer.
pub(super) const REST_DEADLINE: Duration = Duration::from_millis(300);

/// Lines to a process that wait for room in its stdin. Past it calls and pings wait; there is a bound on each of them.
pub(super) const LINES_WAITING_MAX: usize = 64;

/// Requests of a process about other modules that have no answer yet. Past it the next is refused, so that a driver which asks in a loop fills no memory;
/// calls have a smaller bound of the core's. Logic for a floor asks some hundred modules at one time.
pub(super) const REQUESTS_MAX: usize = 512;

/// Bytes of such requests. Past it the next is refused. One of the longest lines fits twice, those that drivers send thousands of times.
pub(super) const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The longest line of stderr. The rest of a longer one is left out, and a mark says so.
pub(super) const LOG_LINE_MAX_BYTES: usize = 8 * 1024;

/// Log lines of one module at a time. A traceback of some hundred lines fits.
pub(super) const LOG_LINES_BURST: u32 = 1_000;

/// Log lines of one module for each second. Past it lines are left out and counted, so that a driver that floods its log leaves the gateway's readable.
pub(super) const LOG_LINES_PER_SECOND: u32 = 200;

/// The buffer of an output of a process: the most that one look takes.
pub(super) const READ_BYTES: usize = 16 * 1024;

/// In which time [`READS_MAX`] counts.
pub(super) const READS_PERIOD: Duration = Duration::from_millis(50);

/// Looks at an output of a process in [`READS_PERIOD`]. Past it the process waits in its write, and of the statuses that gather meanwhile the latest values count.
/// One who says little is heard at once; one who says as much as it can takes some hundredths of a core.
pub(super) const READS_MAX: u32 = 50;

/// As much of a text that is no message as a warning repeats.
pub(super) const SHOWN_MAX_CHARS: usize = 80;

/// The least time between two warnings of one kind about what a process says. One a minute tells a person, and a driver with a mistake in it makes one at each message.
pub(super) const WARNING_PAUSE: Duration = Duration::from_secs(60);
