//! The port for tokens that clients make for other programs, inside their connections.
//!
//! Separate from `sign_in`, whose callers wait: here the answer goes into a slot, like that to a call.
//! How many are carried out at a time, and how long one may take, is bounded by the ledger of sign-ins.

use std::fmt;

use tokio::runtime::Handle;

use crate::core::access::{Caller, SignInError};
use crate::core::reply::ReplySlot;
use crate::core::sign_in::SignIns;
use crate::model::{Failure, FailureKind, Reply, TokenReply, TokenRequest};

/// Makes, lists and ends tokens.
pub struct TokenRequests {
    pub(super) sign_ins: SignIns,
    /// Where it is waited for the store.
    pub(super) main: Handle,
}

impl TokenRequests {
    /// Answers a request of a caller who has been [authorized](super::AccessControl::authorize).
    pub fn answer(&self, who: &Caller, request: TokenRequest, slot: ReplySlot) {
        let (sign_ins, who) = (self.sign_ins.clone(), who.clone());
        self.main.spawn(async move {
            let done = carry_out(&sign_ins, &who, request).await;
            slot.answer(done.map(Reply::Tokens).map_err(failure));
        });
    }
}

async fn carry_out(
    sign_ins: &SignIns,
    who: &Caller,
    request: TokenRequest,
) -> Result<TokenReply, SignInError> {
    Ok(match request {
        TokenRequest::MakeLongLived(request) => {
            TokenReply::Made(sign_ins.grant_long_lived(who, request).await?)
        }
        TokenRequest::Sign { audience, life } => {
            TokenReply::Made(sign_ins.grant_signed(who, audience, life).await?)
        }
        TokenRequest::List => TokenReply::Kept(sign_ins.kept_tokens(who)),
        TokenRequest::End(id) => match sign_ins.end_token(who, id).await? {
            true => TokenReply::Ended,
            false => TokenReply::NoSuchToken,
        },
    })
}

fn failure(error: SignInError) -> Failure {
    let kind = match &error {
        SignInError::BadGrant | SignInError::WrongPassword | SignInError::WrongClient => {
            let message = "these credentials make no tokens";
            return Failure::new(FailureKind::Forbidden, message).with_source(error);
        }
        SignInError::NameTaken | SignInError::Refused(_) => FailureKind::BadRequest,
        SignInError::TooMany { .. } | SignInError::Busy => FailureKind::Busy,
        SignInError::Store(_) | SignInError::Unkept | SignInError::Interrupted => {
            FailureKind::Unavailable
        }
    };
    Failure::new(kind, error.to_string()).with_source(error)
}

impl fmt::Debug for TokenRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequests").finish_non_exhaustive()
    }
}
