//! Every bound and deadline of the core: what it protects, what happens when it is hit, why this number.

use std::time::Duration;

/// Calls that wait in a module's mailbox. Protects memory from a module that answers slowly; one more is answered "busy".
/// Four connections may have all the calls that one connection is allowed waiting at the same module.
pub(super) const MAILBOX_CALLS: usize = 1_024;

/// Calls of one module that run at a time; further ones wait in the mailbox. When all of them are past their deadline the module is restarted as hung.
pub(super) const CALLS_IN_FLIGHT: usize = 256;

/// Arguments up to this size may take all of the room for arguments, larger ones half of it. What panels send is far smaller, so a flood of large ones refuses none of theirs.
pub(super) const SMALL_ARGUMENTS_BYTES: usize = 4 * 1024;

/// Messages that the program around the gateway answers at a time. Protects memory from a handler that is slow; one more is answered "busy".
pub(super) const CUSTOM_COMMANDS_OPEN: usize = 256;

/// Statuses of one module. Protects memory from a caller who makes up names; one more is refused. A device has tens, a large mixer some hundreds.
pub(super) const STATUS_NAMES_MAX: usize = 4_096;

/// Metadata of one zone, system, module or user. Protects disk from a caller who makes up names; one more is refused. An app has a handful.
pub(super) const METADATA_NAMES_MAX: usize = 1_024;

/// API keys of one user. Bounds the store; one more is refused. A fleet of panels may share a user.
pub(super) const KEYS_PER_USER: usize = 1_024;

/// The largest sign-in as it is kept. Bounds the store together with [`SESSIONS_PER_USER`]; the names and addresses of apps are far shorter, and a larger one is refused.
pub(super) const SESSION_BYTES_MAX: usize = 8 * 1024;

/// How often a revocation that the store did not take is tried again. A disk that has room again takes it within a second.
pub(super) const REVOCATION_RETRY: Duration = Duration::from_secs(1);

/// How long a slot may be empty, or a status unset, before its followers get `null`.
/// Long enough for a mapping that is cleared and refilled and for a module that starts again, short enough that no user acts on a stale screen.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

/// Events that wait for a follower inside the gateway. Protects memory from a rule that is slow or stuck; past it a status keeps its latest value and log lines are counted.
/// A burst of a building's worth of changes fits, so that who keeps up on average sees every one of them.
pub(super) const FOLLOW_EVENTS_MAX: usize = 1_024;

/// How long a module waits for the answer of another. A projector that warms up answers within a minute; past it the method runs on, and its caller is told that.
pub(super) const MODULE_CALL_DEADLINE: Duration = Duration::from_secs(120);

/// Calls of other modules that one module has without an answer. Protects the other modules' mailboxes from a module that calls in a loop; one more is refused.
/// A room has tens of modules, so that logic for a room can call all of them at one time.
pub(super) const MODULE_CALLS_MAX: usize = 256;

/// What one module follows at a time. Protects memory; one more is refused. Logic for a floor follows some statuses of each of a hundred rooms.
pub(super) const MODULE_FOLLOWS_MAX: usize = 1_024;

/// How long a driver may take to start before the try counts as failed.
pub(super) const START_DEADLINE: Duration = Duration::from_secs(30);

/// How long a driver may take to stop before it is dropped. With the connections' drain before it this stays within the 8 s an operator waits.
pub(super) const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// The longest wait before the first restart of a failed module; doubled at each further failure.
pub(super) const RESTART_FIRST: Duration = Duration::from_secs(1);

/// The longest wait before any restart: a device that comes back is found within a minute.
pub(super) const RESTART_MAX: Duration = Duration::from_secs(60);

/// How many faults of a module are kept for later questions. A page of them; the log has the rest.
pub(super) const FAULTS_KEPT: usize = 20;

/// A module that ran this long is healthy: its next failure starts from the shortest wait.
pub(super) const RESTART_RESET: Duration = Duration::from_secs(60);

/// How long an edit waits for those before it. A disk that hangs must not gather callers; past it the edit is refused and certain not to be made.
pub(super) const EDIT_TURN_DEADLINE: Duration = Duration::from_secs(5);

/// Edits that wait for their turn. Protects memory when many edit at once; one more is refused. Each is made within milliseconds.
pub(super) const EDITS_WAITING_MAX: usize = 64;

/// How often a change is planned again because another node was faster. Each time some other change was made, so this many in a row mean that a whole fleet edits; past it the change is refused.
pub(super) const COMMIT_TRIES: usize = 16;

/// How long taking in what another node was faster with may take before a change is refused. It is there already, so this is a slow store and not a wait.
pub(super) const CATCH_UP_DEADLINE: Duration = Duration::from_secs(5);

/// How long to wait before a store that could not be followed is asked again, at first; doubled at each further failure.
pub(super) const FOLLOW_PAUSE_FIRST: Duration = Duration::from_millis(50);

/// The longest such wait: revoked credentials have to close sockets within 5 s of the store's return.
pub(super) const FOLLOW_PAUSE_MAX: Duration = Duration::from_secs(2);

/// How often the password of a building file is hashed again because another edit set one meanwhile, which on a second node is usually the same.
pub(super) const PASSWORD_TRIES: usize = 4;

/// Passwords that are compared at a time. Each takes a core and 19 MiB for tens of milliseconds, and the building has to go on meanwhile.
pub(super) const PASSWORDS_AT_ONCE: usize = 2;

/// Sign-ins whose password is compared or waits to be. Protects against a flood; one more is refused with the advice to come back.
pub(super) const PASSWORDS_WAITING_MAX: usize = 32;

/// Failed sign-ins from one address before it has to wait. Protects against one password tried with many names, while a name is protected by its own limit:
/// so many that ten people who mistype as often as their names allow shut out no other user behind the same address.
pub(super) const FAILURES_PER_ADDRESS: u32 = 100;

/// How long until an address is forgiven one more failure.
pub(super) const FAILURE_FORGOTTEN_PER_ADDRESS: Duration = Duration::from_secs(5);

/// Failed sign-ins with one name before it has to wait: enough for a forgetful person, useless for guessing.
pub(super) const FAILURES_PER_NAME: u32 = 10;

/// How long until a name is forgiven one more failure.
pub(super) const FAILURE_FORGOTTEN_PER_NAME: Duration = Duration::from_secs(30);

/// Addresses and names whose failures are remembered, each. Protects memory from a flood of them; who failed longest ago is forgotten first.
pub(super) const FAILURES_KEPT_MAX: usize = 4_096;

/// How long a sign-in lasts without being used. Two weeks of holidays end it, a long week-end does not.
pub(super) const SESSION_IDLE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How long a sign-in of a client that keeps its refresh token lasts without being used, as in Home Assistant: a phone that lies in a drawer over the winter goes on.
pub(super) const CLIENT_IDLE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long such a client has to show its code, as in Home Assistant: an app may be brought to the front by hand first.
pub(super) const CLIENT_CODE_LIFE: Duration = Duration::from_secs(10 * 60);

/// How long the access token of such a client is good, as in Home Assistant; clients renew it by themselves.
pub(super) const CLIENT_TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);

/// The longest life of a token that is made to last: ten years, which is Home Assistant's habit.
pub(super) const LONG_LIVED_MAX: Duration = Duration::from_secs(3_653 * 24 * 60 * 60);

/// The longest life of a token that is made for one address, and of every other that no client renews.
pub(super) const SIGNED_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Sign-ins of one user. Bounds the store; a fleet of panels may share a user. Past it the one that was used longest ago ends.
pub(super) const SESSIONS_PER_USER: usize = 1_024;

/// How long an authorization code can be exchanged for a token: a redirect and one request.
pub(super) const CODE_LIFE: Duration = Duration::from_secs(60);

/// Authorization codes that wait. Protects memory; one more is refused. Each lives for [`CODE_LIFE`].
pub(super) const CODES_MAX: usize = 4_096;

/// How long a change of sign-ins waits for those before it; past it it is refused.
pub(super) const SESSION_TURN_DEADLINE: Duration = Duration::from_secs(5);

/// Changes of sign-ins that wait for their turn. A fleet that refreshes at one time fits; one more is refused with the advice to come back.
pub(super) const SESSION_TURNS_MAX: usize = 1_024;

/// How long a refresh token that was used gives its successor again. An app whose answer was lost asks again within a minute; a later use is that of a copy, and ends the session.
pub(super) const REFRESH_GRACE: Duration = Duration::from_secs(60);

/// Refresh tokens of one sign-in that give their successor again. Several screens of one app over one storage may each be one behind; beyond it the oldest counts as used again.
pub(super) const REFRESH_GRACE_TOKENS_MAX: usize = 4;

/// By how much the wall clock may be elsewhere than it was expected at a look without having jumped: a correction, or a look that came late.
pub(super) const CLOCK_STEP_MAX: Duration = Duration::from_secs(60);

/// How many looks in a row have to find the wall clock elsewhere before it is believed: five minutes of [`SESSION_SWEEP`].
/// Longer than a machine takes to find its time after it has started, or than an operator takes to notice a slip.
pub(super) const CLOCK_JUMP_LOOKS: u32 = 150;

/// Sign-ins that are moved in one write when the clock has jumped. Bounds the write; the rest follows in the next one.
pub(super) const SESSIONS_MOVED_AT_ONCE: usize = 256;

/// How often sign-ins that are over are looked for, and so how long the sockets of one may outlive it.
pub(super) const SESSION_SWEEP: Duration = Duration::from_secs(2);

/// How old the key that signs may get before another takes its place.
pub(super) const SIGNING_KEY_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long a key verifies after another has taken its place: the longest life that a token can be given, and an hour.
pub(super) const SIGNING_KEY_REST: Duration = Duration::from_secs(25 * 60 * 60);

/// How often the list of nodes is read: how late a call may go to a node that has left, and another node may notice that modules are free. It is one small hash.
pub(super) const NODES_EVERY: Duration = Duration::from_millis(500);

/// The least time between two readings of the list of nodes. Protects the store when many calls find a node gone at one time.
pub(super) const NODES_PAUSE: Duration = Duration::from_millis(100);

/// Modules with a series of their own in the metrics of one node. Protects the collector of metrics: a building of ten thousand devices fits, and past it only the first by id have one.
pub(super) const MODULES_MEASURED_MAX: usize = 10_000;

/// In how many parts of a lease a node gives up before the registry does, on account of clocks that do not run alike.
pub(super) const LEASE_MARGIN_PARTS: u32 = 10;

/// The least that a node gives up earlier.
pub(super) const LEASE_MARGIN_MIN: Duration = Duration::from_millis(200);

/// A lease is renewed when so many of so many parts of it are over, so that two renewals may fail in a row.
pub(super) const LEASE_RENEWALS: (u32, u32) = (3, 10);

/// Which part of a lease one question to the registry may take: two fit into what is left when it is to be renewed.
pub(super) const LEASE_QUESTION_PARTS: u32 = 4;

/// How often a lease is looked at, and so how long modules may stand still before their stop is ordered. They act no more from the moment itself.
pub(super) const LEASE_TICK: Duration = Duration::from_millis(100);

/// How long until a question that the registry did not answer is asked again.
pub(super) const REGISTRY_RETRY: Duration = Duration::from_millis(300);

/// How often a node asks again for modules that another has or that cannot be granted yet.
pub(super) const CLAIM_AGAIN: Duration = Duration::from_millis(500);

/// How long leaving may take; past it the lease lapses by itself. With the modules' own deadline this stays within the 8 s an operator waits.
pub(super) const LEAVE_DEADLINE: Duration = Duration::from_secs(1);

/// Entries of the catalog that are written at a time: enough to fill the way to the store, little enough to leave it to others.
pub(super) const NOTICES_AT_ONCE: usize = 16;

/// How long until an entry of the catalog that could not be written is tried again.
pub(super) const NOTICE_RETRY: Duration = Duration::from_secs(1);

/// How long one reading of what the store still says of a module may take. The module does not start before.
pub(super) const STATE_DEADLINE: Duration = Duration::from_secs(2);

/// How long until such a reading that failed is tried again. Many modules may come at one time, and who follows them waits.
pub(super) const STATE_RETRY: Duration = Duration::from_millis(250);

/// How long PlaceOS's word about one of its API keys is believed.
pub(super) const INTROSPECTED_FRESH: Duration = Duration::from_secs(3);

/// How often the keys of open connections are looked at; with [`INTROSPECTED_FRESH`] and the time of a question this is within the five seconds
/// in which a revoked key closes its sockets.
pub(super) const INTROSPECTED_CHECK: Duration = Duration::from_secs(1);

/// Questions about API keys that PlaceOS has found good, at a time; further ones wait. No other question takes their places, so a revoked key is found in time.
pub(super) const INTROSPECTIONS_AT_ONCE: usize = 32;

/// Questions about unknown API keys, at a time. Protects PlaceOS from a flood of guesses, and leaves it to the keys in use.
pub(super) const STRANGERS_ASKED_AT_ONCE: usize = 16;

/// Questions about such keys that are under way or wait. Protects memory and the waiting callers; one more is answered that the key cannot be asked about.
pub(super) const STRANGERS_ASKED_MAX: usize = 512;

/// How long a question about such a key waits for its place before it is given up.
pub(super) const STRANGER_PATIENCE: Duration = Duration::from_secs(5);

/// API keys whose answer is remembered. Protects memory from a flood of guesses; refused keys are forgotten first, then keys without an open connection.
pub(super) const INTROSPECTED_KNOWN_MAX: usize = 16_384;

/// Calls of modules that run elsewhere and have no answer yet. Protects memory when other nodes answer slowly; one more is answered "busy".
pub(super) const REMOTE_CALLS_MAX: usize = 4_096;

/// How long a call that no node has accepted yet is retried: long enough for a module to begin on another node, short enough for a user who waits.
pub(super) const REMOTE_PATIENCE: Duration = Duration::from_secs(2);

/// How long a call that nothing has taken rests before the nodes are looked at again. A module that moves is gone for some tenths of a second.
pub(super) const REMOTE_RETRY_PAUSE: Duration = Duration::from_millis(50);

/// How long a slot that is missing is looked for. PlaceOS takes all slots of a system away before it puts them back.
pub(super) const SLOT_PATIENCE: Duration = Duration::from_secs(1);

/// How often a slot that is missing is looked for.
pub(super) const SLOT_LOOK_PAUSE: Duration = Duration::from_millis(100);

/// Questions about modules and systems of the store that clients wait for, at a time. Protects the store; one more is answered "busy".
pub(super) const LOOKUPS_MAX: usize = 256;

/// How long a client that asks for a log waits until it is open, before it is answered that the log cannot be followed. Connecting to a node takes two seconds at most, and a module that moves one.
pub(super) const LOG_OPEN_DEADLINE: Duration = Duration::from_secs(3);

/// The first pause before the log of a module elsewhere is followed again; doubled at each try.
pub(super) const LOG_RETRY_FIRST: Duration = Duration::from_millis(50);

/// The longest pause between two tries to follow a log elsewhere.
pub(super) const LOG_RETRY_MAX: Duration = Duration::from_secs(2);

/// How often it is asked where a module runs whose log is followed; a change of the nodes is noticed at once.
pub(super) const LOG_LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Snapshots of many modules that are read from the store at a time; further ones wait. Protects the store's other readers, such as modules that start.
pub(super) const SNAPSHOTS_AT_ONCE: usize = 4;

/// Modules of one snapshot that are read from the store at a time: enough to fill the way to the store.
pub(super) const SNAPSHOT_READS_AT_ONCE: usize = 16;

/// How long one snapshot may take, its wait for others included; past it the question is answered "unavailable". A store that is there answers within milliseconds.
pub(super) const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(5);

/// Lines of a module's log that wait for another node. Protects memory from a node that does not read; past it lines are dropped and counted, and a line says how many.
pub(super) const HEARD_LINES_MAX: usize = 1_024;

/// The bits of a process's number that are always 0: what is left is a whole number in every language that clients are written in.
pub(super) const PROCESS_ID_SPARE_BITS: u32 = 11;

/// Connections inside the gateway have numbers from here on, those of clients below: none of them counts that far.
pub(super) const FIRST_INSIDE_CONNECTION: u64 = 1 << 63;

/// How long after a refused try the process enters the topic of the bus again. A store that is away has let the try before wait for seconds already.
pub(super) const BUS_ENTRY_RETRY: Duration = Duration::from_millis(500);

/// How long a message is kept that somebody has not read: who comes back from a week away finds it.
pub(super) const MESSAGE_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often the store is asked to drop what is older.
pub(super) const MESSAGES_LOOK_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Services that are made over their own door, where anyone may make one. Protects the memory of every node, which has them all; some 500 bytes each.
pub(super) const SERVICES_MADE_MAX: usize = 10_000;

/// How often an edit of a service is tried again when another was faster: each failed try means that one was made.
pub(super) const SERVICE_EDIT_TRIES: u32 = 16;
/// How long a call is known by its name: longer than a client takes to come back, or a server to try again by itself. Past it the call is a new one.
pub(super) const RECENT_CALL_LIFE: Duration = Duration::from_secs(60);

/// Calls that are known of one caller: ten a second for as long as one is known, and more. Past it the caller's oldest one that was answered is forgotten; where all run, one more is answered "busy".
pub(super) const RECENT_CALLS_PER_CALLER: usize = 1_024;

/// Calls that are known of all callers. Protects memory: some hundred bytes each. Full is the same.
pub(super) const RECENT_CALLS_MAX: usize = 16_384;

/// The largest answer that is kept in bytes. A call with a larger one is not made again either, and who asks for it is told that it was made.
pub(super) const RECENT_ANSWER_MAX_BYTES: usize = 64 << 10;

/// All answers that are kept in bytes. Protects memory; past it the oldest is forgotten, and its call known all the same.
pub(super) const RECENT_ANSWERS_MAX_BYTES: usize = 8 << 20;

/// How many may wait for the answer of one call: a user's pages that all ask for it. One more is answered "busy".
pub(super) const RECENT_CALL_WAITERS_MAX: usize = 64;

/// How many connections a topic may have to be told of each change of their number, as Pusher does it. Above, whoever comes or goes would be a message for thousands.
pub(super) const TOPIC_COUNTED_AT_ONCE_MAX: u64 = 100;

/// How often the number of connections in a larger topic is told, as Pusher does it.
pub(super) const TOPIC_COUNT_INTERVAL: Duration = Duration::from_secs(5);
