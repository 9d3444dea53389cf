//! Platypush over HTTP: credentials and where they stand, signing in, tokens, `/execute` and hooks. Pure; whether something holds is the core's to say.
//!
//! - [`presented`] finds the credentials of a request, `session` what a page has beside its session, `registration` from where the first user may be made.
//! - [`AuthRequest`] is what is asked of `/auth`, [`Revocation`] which token is to end, [`Execution`] what comes to `/execute`.
//! - `hook` reads what comes to a hook and says what is answered.
//! - `answers` writes bodies; what goes wrong is an [`AuthError`](crate::dialects::platypush::errors::AuthError).

mod answers;
mod auth;
mod credentials;
mod execution;
mod hook;
mod registration;
mod session;
mod tokens;

pub use answers::{
    Answer, SessionShape, bad_message, done, error, nothing, response, session, token, token_user,
    tokens,
};
pub use auth::{AuthRequest, AuthType, NewToken};
pub use credentials::{Presented, presented, token_credentials};
pub use execution::Execution;
pub use hook::{HookAnswer, hook_answer};
pub use registration::comes_from_here;
pub use session::{csrf_matches, csrf_token};
pub use tokens::Revocation;
