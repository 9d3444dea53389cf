//! Pushjet over HTTP: what is asked of services, subscriptions and messages, and the answers. Pure; what is kept is the core's.
//!
//! 1. `endpoint` is what can be asked; `parameters` reads what stands in the query and the body.
//! 2. `request` checks them in Pushjet's order, so that the first mistake is the one that is told; `notice` reads a message.
//! 3. `answers` writes bodies; what goes wrong is a [`PushjetError`](crate::dialects::pushjet::errors::PushjetError).

mod answers;
mod endpoint;
mod notice;
mod parameters;
mod request;
#[cfg(test)]
mod tests;

pub use answers::{Answer, created, done, error, messages, service, subscriptions};
pub use endpoint::Endpoint;
pub use parameters::Parameters;
pub use request::ApiRequest;
