//! Every bound and deadline of this room: what it protects, what happens when it is hit, why this number.
//! What an operator may turn is in `settings.rs`.

use std::time::Duration;

/// Bytes that may wait in a connection's outbox before values are merged. Protects memory and the age of what a slow client sees:
/// past it only which watches are behind is kept. A page of thirty large variables fits.
pub(super) const OUTBOX_MAX_BYTES: usize = 64 * 1024;

/// Bytes that a worker's fan-out writes once for many before they are flushed in the middle of a batch. Protects memory when large values wait;
/// far more than an outbox holds, so that it costs no write that would not have come anyway.
pub(super) const ROUND_MAX_BYTES: usize = 1024 * 1024;

/// The largest emptied outbox buffer that is kept: one that held what may wait before values are merged.
pub(super) const SPARE_BUFFER_MAX_BYTES: usize = OUTBOX_MAX_BYTES;

/// Bytes of emptied outbox buffers that a worker keeps. Bounds what a storm leaves behind; a thousand connections with three kilobytes each find theirs again.
pub(super) const SPARE_BUFFERS_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of replies and log lines that may wait beyond that, since they cannot be merged. Past it the connection is closed as a slow consumer.
/// Bytes alone are bounded, not frames: a waiting frame costs nothing but its bytes.
pub(super) const REPLIES_MAX_BYTES: usize = 1024 * 1024;

/// Bytes waiting in the outbox past which the connection is not read further, so that who pipelines requests is slowed down and not closed.
pub(super) const READ_PAUSE_BYTES: usize = 256 * 1024;

/// Calls of one connection without an answer past which it is not read further until some are answered.
/// With four such connections a module's mailbox is full.
pub(super) const OPEN_EXECS_MAX: u32 = 256;

/// What one connection may have sent without knowing whether the client has got it, and waits to know. A dialect waits for one at a time, or for a few;
/// past it the connection is closed as a slow consumer.
pub(super) const OPEN_RECEIPTS_MAX: usize = 8;

/// Bytes of arguments of one connection's calls without an answer past which it is not read further until some are answered.
/// Two of the largest messages that there are by default; sixteen such connections have all the room that the core gives to large arguments.
pub(super) const OPEN_ARGUMENTS_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Arguments up to this size are not noted one by one: [`OPEN_EXECS_MAX`] of them are a megabyte.
pub(super) const NOTED_ARGUMENTS_BYTES: usize = 4 * 1024;

/// Deliveries waiting for one worker past which only the latest value per watch and key is kept and log lines are dropped.
/// Far more than any burst of a healthy worker, and some megabytes at most.
pub(super) const OUTLET_MAX_DELIVERIES: usize = 65_536;

/// Bytes of messages that must all arrive which a worker's outlet takes beyond that. Past it the followers of the channel are closed as slow consumers:
/// the worker has been held up for long, and they know by that that something is missing.
pub(super) const OUTLET_LATE_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Bytes read from one connection before others get their turn.
pub(super) const READ_TURN_BYTES: usize = 256 * 1024;

/// The size of the buffer that all connections of a worker read into, one after the other.
pub(super) const READ_BUFFER_BYTES: usize = 64 * 1024;

/// How long a client has to answer a close frame that is not part of a shutdown.
pub(super) const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// How long the demo's address signs in the person who has started it: as long as it takes to find the line in a terminal and to come back from a coffee.
pub(super) const ONCE_LIFE: Duration = Duration::from_secs(600);

/// How long the gateway waits beyond the drain deadline for connections to be gone.
pub(super) const DRAIN_GRACE: Duration = Duration::from_millis(500);

/// How long plain HTTP requests have to finish when the gateway stops, in whole seconds (actix's unit).
/// With the drain of websockets and the stop of modules before and after it, the whole stays under 8 s.
pub(super) const HTTP_STOP_SECONDS: u64 = 1;

/// How long a stream without pings of its own is silent before the system asks whether the client is still there. As long as before a ping on a websocket.
pub(super) const STREAM_PROBE_AFTER: Duration = Duration::from_secs(30);

/// How long it waits for each answer.
pub(super) const STREAM_PROBE_INTERVAL: Duration = Duration::from_secs(15);

/// How often it asks. One or two packets may be lost.
pub(super) const STREAM_PROBES: u32 = 3;

/// After so long without an answer the client is gone, whatever waits for it. As long as a websocket may be silent.
pub(super) const STREAM_SILENCE_MAX: Duration = Duration::from_secs(90);

/// How long a client has to send the head of a request, the first one of its connection or a later one. Protects against connections that trickle.
pub(super) const REQUEST_HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long a browser that came by TLS uses nothing else (RFC 6797). Protects people who type `http://` after a first visit;
/// half a year, so that a visit now and then renews it, and a gateway that gives TLS up is not lost for years.
pub(super) const HSTS_MAX_AGE: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// How long the kernel may take nothing of an answer before the connection is cut. Protects the memory of answers that a client does not read; a slow client takes something within seconds.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// How long what still comes of a body is read and dropped behind an answer that did not want it, so that the answer is not overtaken by a reset.
pub(super) const LINGER_DEADLINE: Duration = Duration::from_secs(1);

/// Bytes that may wait of all connections without good credentials together. Protects memory from heads and forms of strangers;
/// a fleet of ten thousand panels that comes at one time sends half of it. Past it the one that keeps the most waiting is cut.
pub(super) const STRANGERS_MAX_BYTES: usize = 32 * 1024 * 1024;

/// How long a refused upgrade may take to be written, and its answer to be read before the connection is cut.
pub(super) const REFUSAL_DEADLINE: Duration = Duration::from_secs(1);

/// Clients that are refused behind the upgrade, at a time. Protects the memory of a gateway that is full or starting;
/// each is gone within [`CLOSE_DEADLINE`], and one more gets an HTTP status in place of the upgrade.
pub(super) const REFUSALS_MAX: usize = 256;

/// How long a body may take to come before its rate counts. A slow start of TCP over a bad line is over by then.
pub(super) const BODY_BEGIN_DEADLINE: Duration = Duration::from_secs(10);

/// The least rate at which a body comes from then on, over all of it. A tenth of what the slowest line of a building carries; a body of two megabytes takes two minutes at most.
pub(super) const BODY_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;

/// Of a body so much has to come each [`BODY_STEP_DEADLINE`], or the rest of it.
pub(super) const BODY_STEP_BYTES: usize = 16 * 1024;

/// How long a body may stand still. Bounds how long a client that has sent nearly all of a body can have it held.
pub(super) const BODY_STEP_DEADLINE: Duration = Duration::from_secs(5);

/// The part of each body that does not count among all of them: there is always room for a sign-in, an edit or an ordinary call, whatever fills the rest.
pub(super) const SMALL_BODY_BYTES: usize = 16 * 1024;

/// Bytes of all bodies that are read or worked on. Protects memory from callers with credentials; past it a body is refused with 503.
/// Four whole buildings at a time, or thirty of the largest calls.
pub(super) const BODIES_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Whole buildings that are read from text or written as one at a time. Each takes a core for as long as it is large; further ones wait.
pub(super) const WHOLE_BUILDINGS_AT_ONCE: usize = 2;

/// The largest form of a sign-in: a password and a few names. It comes before any credentials.
pub(super) const FORM_MAX_BYTES: usize = 16 * 1024;

/// Sign-ins by steps that have begun. Protects memory from strangers; one more is refused. A building's people who all sign in at eight in the morning fit.
pub(super) const LOGIN_FLOWS_MAX: usize = 4_096;

/// The same from one address, so that one stranger leaves room for the others. A page opens one when it is loaded, and many people may sit behind one address.
pub(super) const LOGIN_FLOWS_PER_ADDRESS: usize = 64;

/// How long such a sign-in waits for a name and a password: a person may have to look for them first.
pub(super) const LOGIN_FLOW_LIFE: Duration = Duration::from_secs(15 * 60);

/// The largest file of a dashboard that is served. Protects memory; the largest of Home Assistant's has a third of it.
pub(super) const PAGE_FILE_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// From which size on a file is compressed for browsers: below it the headers are most of what travels.
pub(super) const PACKED_FROM_BYTES: u64 = 1024;

/// How much compressed files may take in memory. A few apps of PlaceOS have a tenth of it.
pub(super) const PACKED_FILES_MAX_BYTES: usize = 64 * 1024 * 1024;

/// How long a stream of events over HTTP is silent before it shows that it lives, as in Home Assistant.
pub(super) const EVENT_STREAM_PING: Duration = Duration::from_secs(50);

/// Events that wait for one such stream. Past it the stream ends: its client connects again and asks for the states.
pub(super) const EVENT_STREAM_MAX: usize = 4_096;

/// Such streams at a time. Each follows every module; past it one more is refused with 503.
pub(super) const EVENT_STREAMS_MAX: usize = 64;

/// The largest body of a REST request in bytes. Arguments of a call are the largest thing there is.
pub(super) const BODY_MAX_BYTES: usize = 2 * 1024 * 1024;

/// The largest body of a webhook of Home Assistant in bytes, which needs no credentials. What a device tells of itself is far smaller; a larger one is refused with 413.
pub(super) const WEBHOOK_MAX_BYTES: usize = 64 * 1024;

/// The largest body of a signed request of an app's server, as a batch of ten events of the default size has with room to spare. An app with larger limits sends smaller batches.
pub(super) const SIGNED_BODY_MAX_BYTES: usize = 1024 * 1024;

/// The largest call of another node in bytes: what a client may send in a message of its own gateway, and what is put around it.
pub(super) const CALL_BODY_MAX_BYTES: usize = 2 * BODY_MAX_BYTES;

/// How long a call of another node waits for one that was made before it and has not come. Longer than a packet that is sent again takes; past it the call begins.
pub(super) const ORDER_PATIENCE: Duration = Duration::from_secs(1);

/// How long it waits for each further one that is missing: they have had the time of the first.
pub(super) const ORDER_GAP_PATIENCE: Duration = Duration::from_millis(50);

/// How many calls of one stream may be under way. More than another node can have; a header that says more says nothing.
pub(super) const ORDER_WIDTH_MAX: u64 = 65_536;

/// How long a stream is remembered after its last call: longer than any of its calls can still be on its way.
pub(super) const ORDER_KEPT: Duration = Duration::from_secs(10);

/// Streams of other nodes at a time. Protects memory; the calls of one more begin as they come.
pub(super) const ORDER_STREAMS_MAX: usize = 65_536;

/// The largest message from a node that follows a log; it has nothing to say.
pub(super) const PEER_MESSAGE_MAX_BYTES: usize = 64 * 1024;

/// How often a node that follows a log is asked for a sign of life.
pub(super) const PEER_PING_INTERVAL: Duration = Duration::from_secs(20);

/// Silence after which it counts as gone.
pub(super) const PEER_SILENCE_MAX: Duration = Duration::from_secs(60);

/// How long it may take to accept a line. Past it its socket is closed, and it comes again if it still cares.
pub(super) const PEER_WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// The largest building that is taken over HTTP. Protects memory, from administrators alone; a thousand rooms are about a megabyte.
pub(super) const BUILDING_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Pings that a device gets before it counts as silent: one may be lost.
pub(super) const PINGS: u8 = 3;

/// How long a device has to answer one ping, and a name server to find it. A device in the building answers within milliseconds.
pub(super) const PING_DEADLINE: Duration = Duration::from_secs(1);

/// How often a change of an entry is tried again when another caller has changed the entry in between. A failed try means that another edit was made, and no more than these can wait for their turn.
pub(super) const EDIT_TRIES: u32 = 64;

/// Connections that the kernel may hold before they are accepted: a storm after a restart of the building's network.
pub(super) const LISTEN_BACKLOG: u32 = 4_096;

/// How long changes of the building are gathered before dialects that show it make it anew. A start or a reload makes hundreds within this time, and a person does not see it pass.
pub(super) const SURROUNDINGS_PAUSE: Duration = Duration::from_millis(50);

/// How long a worker's flusher rests after a panic. Protects the log and the processor from one that panics at every round.
pub(super) const FLUSHER_RESTART_PAUSE: Duration = Duration::from_millis(50);

/// How long a client has from its connection to the end of the TLS handshake. As long as for the head of a request, which protects against the same.
pub(super) const HANDSHAKE_DEADLINE: Duration = REQUEST_HEAD_DEADLINE;

/// TLS handshakes under way at a time, in all workers; further ones wait for their turn, within the same deadline.
/// Bounds the memory of a storm, some 20 kB each; a core does some thousand of them a second, so a place is free soon.
pub(super) const HANDSHAKES_MAX: usize = 1024;

/// Bytes that are encrypted for one client ahead of the kernel. They are kept twice until they have left, as they were and encrypted,
/// so it bounds what TLS adds to the backlog of a client that does not read. Two of TLS's largest records: a large value and its frame's head leave in one write.
pub(super) const ENCRYPTED_AHEAD_MAX_BYTES: usize = 32 * 1024;

/// How often the files of the certificate are looked at. A change is taken up at the second look, when it has come to rest.
pub(super) const CERTIFICATE_LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The largest body of frames from a page that has no websocket: one frame of the largest size, with room for its escapes.
pub(super) const SENT_BODY_MAX_BYTES: usize = 256 * 1024;

/// New subscriptions and services of Pushjet that one address may make a minute. Protects what strangers can have kept; a phone that moves here with all that it follows comes in two goes.
pub(super) const NEW_SUBSCRIPTIONS_PER_MINUTE: u32 = 100;

/// Addresses whose pace is remembered. Protects memory; a network of that many that comes at once is let through for a while.
pub(super) const PACED_ADDRESSES_MAX: usize = 16_384;

/// Services whose pace is remembered: more than send within one second.
pub(super) const PACED_SERVICES_MAX: usize = 16_384;

/// Bodies of frames that wait for a page's connection to read them. Protects memory; one more is refused, and the page begins a new session.
pub(super) const SENT_BODIES_MAX: usize = 16;

/// Bytes that wait for a page's next request before its connection is not read further. From then on the connection's own bounds hold.
pub(super) const UNTOLD_MAX_BYTES: usize = 64 * 1024;

/// How long a request of a page waits for something to be told. Proxies on the way have ended many a request after half a minute.
pub(super) const POLL_HEARTBEAT: Duration = Duration::from_secs(25);

/// How long a page has from the end of one request to the next. The next one comes at once; a page that is gone is missed by then.
pub(super) const POLL_GAP_MAX: Duration = Duration::from_secs(10);

/// How long whoever calls a hook waits for its answer. Strangers may call hooks, and each that waits has a connection; a run may last longer without them.
pub(super) const HOOK_ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// Passwords by HTTP Basic that were good a moment ago. Protects memory from many users; the one that was looked at first makes room.
pub(super) const REMEMBERED_PASSWORDS_MAX: usize = 1_024;

/// How long such a password is not looked at again: looking takes a tenth of a second and makes a sign-in that is kept.
/// Another password and a user who has gone end it at once all the same, by ending the sign-in.
pub(super) const REMEMBERED_PASSWORD_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
