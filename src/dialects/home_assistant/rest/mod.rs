//! Home Assistant over HTTP: what its clients send beside the websocket, and the shapes of the answers. Pure; whether something holds is the core's to say.
//!
//! - `credentials` tells what a token is, `clients` who an app says it is and where a browser may be sent.
//! - `token` is what is asked of `/auth/token`, `login_flow` the steps of a sign-in.
//! - `shapes` are the bodies of answers, `state` what `POST /api/states/{id}` brings.
//! - `templates` renders the dashboard's pages, `page` is riser's own page to sign in on.

mod clients;
mod credentials;
mod login_flow;
mod page;
mod shapes;
mod state;
mod templates;
mod token;

pub use crate::dialects::fields::{BadFields, Fields};
pub use clients::{ReturnAddress, is_client, is_web_client, may_return};
pub use credentials::{
    AUDIENCE, SIGNATURE, asks_from_elsewhere, bearer, host_name, path_audience, signed_path,
    token_credentials,
};
pub use login_flow::{BadStep, Begin, Entered, Form, PROVIDERS, Step};
pub use page::authorize_page;
pub use shapes::{
    BadRequest, COMPONENTS, CORE_STATE, EVENTS, Message, NOT_FOUND, UNAUTHORIZED, VERSION,
    calls_answer, changed_states, config, server_metadata,
};
pub use state::{BadState, NewState, is_entity_id};
pub use templates::render;
pub use token::{TokenAnswer, TokenRefusal, TokenRequest};
