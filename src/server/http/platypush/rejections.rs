//! How Platypush words a refusal: a status, and the same with a name and a text in JSON.

use actix_web::http::StatusCode;

use crate::core::SignInError;
use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::rest;
use crate::model::{Failure, FailureKind};
use crate::server::http::kit;
use crate::server::http::platypush::HttpRejection;

/// Something went wrong.
pub(super) fn refused(error: &AuthError) -> HttpRejection {
    let status = StatusCode::from_u16(error.status());
    let body = String::from_utf8(rest::error(error).body).unwrap_or_default();
    HttpRejection::json_text(status.unwrap_or(StatusCode::BAD_REQUEST), body)
}

/// A refusal of the kit's with a text.
pub(super) fn rejection(status: StatusCode, message: &str) -> HttpRejection {
    refused(&AuthError::Refused {
        status: status.as_u16(),
        message: message.to_owned(),
    })
}

/// A failure of the core.
pub(super) fn failed(failure: &Failure) -> HttpRejection {
    refused(&AuthError::from(failure))
}

/// The answer to a path that nothing here has.
pub(in crate::server::http) fn nothing_here() -> kit::HttpRejection {
    rejection(StatusCode::NOT_FOUND, "There is nothing here").plain()
}

/// Why nobody was signed in, and no token was made.
pub(super) fn not_signed_in(error: SignInError) -> AuthError {
    match error {
        SignInError::WrongPassword => AuthError::InvalidCredentials,
        SignInError::BadGrant | SignInError::WrongClient => AuthError::NoTokens,
        SignInError::NameTaken => AuthError::TokenNameExists,
        SignInError::Refused(why) => AuthError::Refused {
            status: 400,
            message: why.to_owned(),
        },
        SignInError::TooMany { .. } | SignInError::Busy => {
            AuthError::from(&Failure::new(FailureKind::Busy, error.to_string()))
        }
        SignInError::Store(_) | SignInError::Unkept | SignInError::Interrupted => {
            AuthError::from(&Failure::new(FailureKind::Unavailable, error.to_string()))
        }
    }
}
