//! Every bound and deadline of the core: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// Calls that wait in a module's mailbox. Protects memory from a module that answers slowly; one more is answered "busy".
/// Four connections may have all the calls that one connection is allowed waiting at the same module.
pub(super) const MAILBOX_CALLS: usize = 1_024;

/// Calls of one module that run at a time; further ones wait in the mailbox. When all of them are past their deadline the module is restarted as hung.
pub(super) const CALLS_IN_FLIGHT: usize = 256;

/// How long a slot may be empty, or a status unset, before its followers are told `null`.
/// Long enough for a mapping that is cleared and refilled and for a module that starts again, short enough that nobody acts on a stale screen.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

/// How often overdue calls are looked for, and so how late a deadline may be noticed.
pub(super) const DEADLINE_TICK: Duration = Duration::from_millis(100);

/// How long a driver may take to start before the try counts as failed.
pub(super) const START_DEADLINE: Duration = Duration::from_secs(30);

/// How long a driver may take to stop before it is dropped. With the connections' drain before it this stays within the 8 s an operator waits.
pub(super) const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// The longest wait before the first restart of a failed module; doubled at each further failure.
pub(super) const RESTART_FIRST: Duration = Duration::from_secs(1);

/// The longest wait before any restart: a device that comes back is found within a minute.
pub(super) const RESTART_MAX: Duration = Duration::from_secs(60);

/// How many faults of a module are kept for who asks afterwards. A page of them; the log has the rest.
pub(super) const FAULTS_KEPT: usize = 20;

/// A module that ran this long is healthy: its next failure starts from the shortest wait.
pub(super) const RESTART_RESET: Duration = Duration::from_secs(60);

/// How long an edit waits for those before it. A disk that hangs must not gather callers; past it the edit is refused and certain not to be made.
pub(super) const EDIT_TURN_DEADLINE: Duration = Duration::from_secs(5);

/// Edits that wait for their turn. Protects memory when many edit at once; one more is refused. Each is made within milliseconds.
pub(super) const EDITS_WAITING_MAX: usize = 64;
