//! The HTTP side of PlaceOS: how requests are read and what bodies and headers look like.
//!
//! Pure shapes and rules, without a handler: `server` asks the core and puts what it says into these.
//! The shapes are written by hand from the model, so that a change there cannot change the wire; but for the fields of entries, which `documents` takes from the lists in the model.

mod about;
mod address;
mod admission;
mod amends;
mod clusters;
mod cores;
mod credentials;
mod directory;
pub mod documents;
mod domains;
mod drivers;
mod entities;
mod filters;
mod keys;
mod lists;
mod metadata;
mod modules;
mod query;
mod refusals;
mod room;
mod settings;
mod sign_in;
mod slug;
mod triggers;
mod words;

pub use about::{PlatformShape, VersionShape, scopes};
pub use address::device_host;
pub use admission::{
    SocketQuery, WEBSOCKET_SCOPES, may_exec, may_read, may_write, origin_is_foreign,
};
pub use clusters::{NodeProcesses, NodeShape};
pub use cores::{BadCall, CoreLoaded, CoreStatus, RaisedShape, read_call};
pub use credentials::{Carrier, Presented, SESSION_COOKIE, domain_of, presented, session_cookie};
pub use directory::{Authority, Standing, SystemShape, UserShape, ZoneShape};
pub use domains::{DomainAmends, DomainShape, organisation};
pub use drivers::DriverShape;
pub use entities::{AppShape, CommandShape, EntityShape, HookShape, ProcedureShape, ServiceShape};
pub use filters::{DriverFilter, ModuleFilter, SystemFilter, UserFilter, ZoneFilter};
pub use keys::{KeyShape, TokenShape};
pub use lists::{Listing, Page, PageHeaders};
pub use metadata::{MetadataByName, MetadataShape, ZoneMetadataShape};
pub use modules::{Condition, DriverFacts, ModuleFacts, ModuleShape, PingShape};
pub use query::{BadParameter, Query};
pub use refusals::{ErrorShape, InvalidField, InvalidShape};
pub use room::{ExecErrorShape, Functions, Statuses, Types, ZoneExecShape};
pub use settings::{SettingsDocument, SettingsShape, settings_named};
pub use sign_in::{
    AuthorizeRequest, KeySet, OAuthError, OAuthErrorShape, Parameters, ResponseType, ReturnAddress,
    TokenAnswer, TokenRequest, escaped, go_on, may_redirect, scope_text, set_session,
};
pub use slug::module_slug;
pub use triggers::{
    InstanceDocument, InstanceFilter, InstanceShape, TriggerDocument, TriggerShape,
    TriggerStanding, definition_id, trigger_id,
};
pub use words::WordFilter;
