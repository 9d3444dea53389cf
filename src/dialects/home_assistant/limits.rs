//! Every bound and deadline of this dialect. What bounds a connection's queues or its rate is the server's.

use std::time::Duration;

/// The largest message of a client, as in Home Assistant.
pub(super) const MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How long a client may take to sign in, as in Home Assistant.
pub(super) const SIGN_IN_WITHIN: Duration = Duration::from_secs(10);

/// How many frames stand in one array at most, as in Home Assistant: clients take an array apart in one go.
pub(super) const COALESCED_MAX_FRAMES: usize = 256;

/// How much of a value an error text repeats, in characters, as in Home Assistant: enough to recognise it.
pub(super) const VALUE_SHOWN_CHARS: usize = 500;

/// How many lines an error text about one command has at most: a command of 4 MiB can have half a million wrong keys.
pub(super) const PROBLEMS_MAX: usize = 100;

/// How many requests of the core the commands of one message make at most; the command that passes it is still carried out.
/// A message of 4 MiB could ask for all states seventy thousand times. The server reads no further behind as many open calls.
pub(super) const TURN_MAX_REQUESTS: usize = 256;

/// How many bytes of answers the commands of one message get at once; the command that passes it is still answered.
pub(super) const TURN_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How many subscriptions a connection may have. Those that follow nothing are counted nowhere else; a dashboard has about thirty.
pub(super) const SUBSCRIPTIONS_MAX: usize = 1024;

/// The longest name of an event in characters, as in Home Assistant.
pub(super) const EVENT_TYPE_MAX_CHARS: usize = 64;

/// How many bytes the filters and names of a connection's subscriptions take at most: ten thousand ids of entities.
pub(super) const FILTERS_MAX_BYTES: usize = 512 * 1024;

/// The longest id of an entity, as in Home Assistant.
pub(super) const ENTITY_ID_MAX_BYTES: usize = 255;

/// How long the patterns of a filter of entities may be together, in characters: each entity of the building is held against all of them.
/// A pattern is a dozen or two; patterns made to be slow take a fraction of a second over five thousand entities.
pub(super) const GLOBS_MAX_CHARS: usize = 2048;

/// How much of an unknown command's type stands in the audit log: enough to recognise it.
pub(super) const COMMAND_SHOWN_BYTES: usize = 64;

/// How many events about entries of one registry a change of the building makes at most.
/// A client reads the whole registry after the first of them, and thousands in one moment would only be in its way.
pub(super) const REGISTRY_EVENTS_MAX: usize = 64;

/// How many templates a connection may have at a time: each is rendered whenever something that it asks for changes. A dashboard's page has a few.
pub(super) const TEMPLATES_MAX: usize = 32;

/// How many entities one template may ask for: what their modules say is kept for it, and looked through at each change.
pub(super) const TEMPLATE_ENTITIES_MAX: usize = 100;

/// How often in a row a template is rendered because it asked for entities that were not watched yet: once for each depth of `states(states(…))`.
pub(super) const TEMPLATE_ROUNDS_MAX: usize = 5;

/// How often a template is rendered in one second at most: rendering one can take milliseconds, and people read no faster.
pub(super) const RENDERINGS_PER_SECOND: usize = 5;

/// When a template is rendered that was rendered too often: in the next second.
pub(super) const RENDERED_LATER: Duration = Duration::from_secs(1);

/// How many triggers one subscription has at most: each is held against every event that one of them waits for.
pub(super) const TRIGGERS_MAX: usize = 64;
