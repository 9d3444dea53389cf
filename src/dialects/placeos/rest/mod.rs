//! The HTTP side of PlaceOS: how requests are read and what bodies and headers look like.
//!
//! Pure shapes and rules, without a handler: `server` asks the core and puts what it says into these.
//! The shapes are written by hand from the model, so that a change there cannot change the wire.

mod admission;
mod credentials;
mod filters;
mod lists;
mod query;
mod slug;

pub use admission::{
    Device, DoorRefusal, SocketQuery, enter_websocket, is_websocket_upgrade, may_exec, may_read,
    may_write, origin_is_foreign,
};
pub use credentials::{Carrier, Presented, presented};
pub use filters::{SystemFilter, ZoneFilter};
pub use lists::{Listing, Page, PageHeaders};
pub use query::{BadParameter, Query};
pub use slug::module_slug;
