//! The first user, made over HTTP: by this machine alone, and while there is none.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;

use crate::core::EditError;
use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::rest::comes_from_here;
use crate::model::{Clearance, Edit, Entry, Password, Secret, User, UserId};
use crate::server::ServerState;
use crate::server::http::kit::{Arrival, arrival};

/// Makes the first user, an administrator.
pub(super) async fn register(
    state: &ServerState,
    name: &str,
    password: Secret,
    request: &HttpRequest,
) -> Result<(), AuthError> {
    let has_users = || state.core.queries.directory().users().len() > 0;
    let Arrival { address, transport } = arrival(request);
    let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    if !comes_from_here(header, address, transport) || has_users() {
        return Err(AuthError::RegistrationDisabled);
    }
    let id = UserId::new(name).map_err(|error| AuthError::InvalidUser(error.to_string()))?;
    let email = match name.contains('@') {
        true => name.to_owned(),
        false => format!("{name}@localhost"),
    };
    let user = User {
        email,
        name: name.to_owned(),
        level: Clearance::Admin,
        password: Some(Password::Plain(password)),
        ..User::new(&id)
    };
    let edit = Edit::create_first(Entry::User(user));
    let made = state.core.editor.edit_at_rest(vec![edit]).await;
    made.map_err(|error| match matches!(error, EditError::Conflict { .. }) {
        // Somebody else was faster.
        true => AuthError::RegistrationDisabled,
        false => AuthError::InvalidUser(error.to_string()),
    })?;
    tracing::info!(target: "audit", user = %id, %address, "the first user was registered");
    Ok(())
}
