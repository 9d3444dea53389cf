//! The bounds of entities.

/// How long a state may be, as in Home Assistant: its clients and its database count on it. What is longer is cut, and stands whole in an attribute.
pub(super) const STATE_MAX_CHARS: usize = 255;

/// How long the id of an entity may be, as in Home Assistant.
pub(super) const ENTITY_ID_MAX_BYTES: usize = 255;

/// How many entities a form can tell apart in one module: 256 windows of 64. A module has at most 4 096 statuses, and its functions are few.
pub(super) const ENTITIES_PER_MODULE_MAX: usize = 256 * 64;

/// How many entities stand in one window of a form.
pub(super) const WINDOW: u32 = 64;
