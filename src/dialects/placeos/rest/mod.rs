//! The HTTP side of PlaceOS: how requests are read and what bodies and headers look like.
//!
//! Pure shapes and rules, without a handler: `server` asks the core and puts what it says into these.
//! The shapes are written by hand from the model, so that a change there cannot change the wire.

mod admission;
mod credentials;
mod directory;
mod filters;
mod lists;
mod modules;
mod query;
mod room;
mod sign_in;
mod slug;

pub use admission::{
    Device, DoorRefusal, SocketQuery, enter_websocket, is_websocket_upgrade, may_exec, may_read,
    may_write, origin_is_foreign,
};
pub use credentials::{Carrier, Presented, SESSION_COOKIE, domain_of, presented, session_cookie};
pub use directory::{Authority, CurrentUser, Standing, SystemShape, ZoneShape};
pub use filters::{SystemFilter, ZoneFilter};
pub use lists::{Listing, Page, PageHeaders};
pub use modules::{Condition, DriverFacts, ModuleShape};
pub use query::{BadParameter, Query};
pub use room::{ErrorShape, ExecErrorShape, Functions, Statuses, Types};
pub use sign_in::{
    AuthorizeRequest, KeySet, OAuthError, OAuthErrorShape, Parameters, ResponseType, ReturnAddress,
    TokenAnswer, TokenRequest, Transport, escaped, go_on, may_redirect, scope_text, set_session,
};
pub use slug::module_slug;
