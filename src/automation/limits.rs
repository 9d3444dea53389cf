//! Every bound of automation: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// How often one trigger fires in a second. Protects what its steps call; each firing more counts as an action error and does nothing. No device in a building needs ten.
pub(super) const FIRINGS_PER_SECOND: usize = 100;

/// How long a condition that happened shows as met in the state of its trigger. Whoever is bound to the state sees it; nothing else hangs on it.
pub(super) const HAPPENED_SHOWN: Duration = Duration::from_secs(1);

/// Steps that one run may do, rounds of loops included. Bounds its time where nothing waits; past it the run fails. A long procedure does some hundreds.
const STEPS_MAX: usize = 10_000;

/// Rounds of one `for` or `while`. Ends a loop that nothing else ends; past it the run fails. A loop that looks each second goes on for a quarter of an hour.
const ROUNDS_MAX: usize = 1000;

/// Procedures that run within each other. Ends a procedure that runs itself; past it the run fails. Three levels are rare.
const DEPTH_MAX: usize = 16;

/// Rounds of one run that are done at one time. Each has a copy of the variables and may wait for a call; more fail. A building has some ten rooms on a level.
const BRANCHES_MAX: usize = 64;

/// How long one run takes at most, its waits included. Whatever is to be later is for a schedule; past it the run fails.
const TIME_MAX: Duration = Duration::from_secs(60 * 60);

/// Runs of one node at a time. Bounds memory and what devices are asked at once; more are refused as "busy". A building that runs ten at a time is a lively one.
pub(super) const RUNS_AT_ONCE: usize = 256;

/// Firings of one trigger that wait for the one before them. Bounds memory where steps take longer than the time between two firings; more are action errors. As many as there may be in a second.
pub(super) const FIRINGS_WAITING_MAX: usize = FIRINGS_PER_SECOND;

/// Causes in a chain: the firing that is one more does nothing. Ends triggers that feed each other. No chain that somebody means has five.
pub(super) const CAUSES_MAX: u8 = 16;

/// Firings of one trigger that are remembered. Bounds memory and the disk; older ones are forgotten. Who looks for a fault reads the last few.
pub(super) const FIRINGS_REMEMBERED: usize = 100;

/// How long a wait for a moment lasts at most before the clock is read again. A clock that is set is seen after so long.
pub(super) const CLOCK_LOOK: Duration = Duration::from_secs(60);

/// How late a moment may be seen and still count. More than the time between two looks; what is later was jumped over by a clock that was set, and is over.
pub(super) const CLOCK_LATE: Duration = Duration::from_secs(2 * 60);

/// The same in bytes of all firings of one trigger together, as JSON. One firing always fits. A hundred firings of two steps each fit too.
pub(super) const FIRINGS_REMEMBERED_BYTES: usize = 32 * 1024;

/// How long the counts of triggers wait at least until they are written to the disk again. Spares the disk; a process that is killed forgets a second of counting.
pub(super) const COUNTS_WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// The same for how they fired last, which is larger. A process that is killed forgets a minute of it.
pub(super) const FIRINGS_WRITE_INTERVAL: Duration = Duration::from_secs(60);

/// How long after something that could not be followed or read it is tried again. It is what a person waits who has just put it right.
pub(super) const FOLLOW_RETRY: Duration = Duration::from_secs(5);

/// Webhook calls of one trigger that wait for its loop, which takes each at once. More are refused as "busy".
pub(super) const WEBHOOKS_WAITING_MAX: usize = FIRINGS_PER_SECOND;

/// Steps that a run does before it lets others on. Bounds how long it holds its thread, to about a millisecond for usual expressions.
pub(super) const SLICE_STEPS: usize = 50;

/// The largest value that a step makes of its texts, in about the bytes of its JSON. Protects memory, since each text may be as large by itself; a larger one fails the step. As much as an expression may make.
pub(super) const FILLED_MAX_BYTES: usize = 64 * 1024;

/// Steps of one run that are remembered. Bounds the memory of a firing's history; later ones are counted. People write ten or twenty.
pub(super) const HISTORY_MAX: usize = 200;

/// How far ahead the next moment of a schedule is looked for, in days. A Sunday that is the 29th of February comes after 40 years at the latest.
pub(super) const AHEAD_MAX_DAYS: usize = 41 * 366;

/// How often the gateway looks for what is wrong with itself: a tenth of the time after which it tells, within these. A look is a pass over the modules.
pub(super) const ALERTS_LOOK_MIN: Duration = Duration::from_millis(100);
pub(super) const ALERTS_LOOK_MAX: Duration = Duration::from_secs(10);

/// Alerts of its own that wait for a store that is away. Past it the oldest is dropped: the newest say how things are.
pub(super) const ALERTS_WAITING_MAX: usize = 64;

/// Modules that an alert names; of more it says how many. A phone shows some lines.
pub(super) const NAMED_MODULES_MAX: usize = 10;

/// Nodes whose coming and going is known. Protects memory where nodes have another address at each start; no building has as many.
pub(super) const NODES_KNOWN_MAX: usize = 64;

/// What one run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Steps, rounds of loops included.
    pub steps: usize,
    /// Rounds of one loop.
    pub rounds: usize,
    /// Procedures within each other, the first included.
    pub depth: usize,
    /// Rounds at one time, those within others included.
    pub branches: usize,
    /// Time, waits included.
    pub time: Duration,
}

/// As the file of bounds says.
impl Default for Bounds {
    fn default() -> Self {
        Self {
            steps: STEPS_MAX,
            rounds: ROUNDS_MAX,
            depth: DEPTH_MAX,
            branches: BRANCHES_MAX,
            time: TIME_MAX,
        }
    }
}
