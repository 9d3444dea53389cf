//! Pusher over HTTP: what the servers of apps ask, and what is signed for clients that have signed in. Pure; channels are the core's.
//!
//! 1. `endpoint` reads a path, `parameters` a query; `signed` finds out whose request it is.
//! 2. `api_request` is what is asked; `trigger` reads events and batches of them, where `target` says what an event in a channel is,
//!    `exec` reads a call, `compact` writes data that are no text; `attributes` is what is wanted of channels, `notification` what is for phones.
//! 3. `answers` writes bodies, `refusal` is what else there is to say.
//! 4. `sign_in` signs channels and users for clients; `credentials` says who asks for it.

mod answers;
mod api_request;
mod attributes;
mod compact;
mod credentials;
mod endpoint;
mod exec;
mod notification;
mod parameters;
mod refusal;
mod sign_in;
mod signed;
mod target;
#[cfg(test)]
mod tests;
mod trigger;

pub use answers::{channel, channels, last_value, notified, stats, users};
pub use api_request::ApiRequest;
pub use attributes::{Attribute, Attributes};
pub use credentials::{Presented, is_foreign, presented};
pub use endpoint::{Address, Endpoint};
pub use exec::ServerExec;
pub use notification::Notification;
pub use parameters::Parameters;
pub use refusal::ApiRefusal;
pub use sign_in::{ChannelGrant, SignInRefusal, SignInRequest, Signatory};
pub use signed::{RawHead, Signed};
pub use trigger::{Counted, Effect, Trigger, TriggerReply};
