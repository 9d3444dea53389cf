//! Authorization codes: good once, within a minute, for the app that asked.
//!
//! A code is a session that has begun and belongs to no client yet: the client that shows the code rightly gets it.
//! So a code is stored as every session is, and may be shown to another node than the one that gave it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::core::access::sessions::session_table::{
    Digest as SecretDigest, Hold, SignInSession, SpentCode, app_hold, fresh_secret,
};
use crate::model::{DeviceKind, Scope, Secret, SessionId};

/// What an app asks a code for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRequest {
    /// The app, by what it calls itself.
    pub client: String,
    /// Where the code is sent.
    pub redirect: String,
    /// What the token is to open.
    pub scopes: Vec<Scope>,
    /// The digest of the verifier that will come with the code, base64url without padding: PKCE's method S256.
    pub challenge: Option<String>,
    /// What kind of device the app runs on.
    pub device: DeviceKind,
}

/// What an app shows to have a code's token.
#[derive(Debug, Clone)]
pub struct CodeShown {
    /// The code.
    pub code: Secret,
    /// The app, by what it calls itself.
    pub client: String,
    /// Where the code was sent.
    pub redirect: String,
    /// What the challenge is the digest of.
    pub verifier: Option<Secret>,
}

/// What showing a code comes to.
#[derive(Debug)]
pub(super) enum Redeemed {
    /// The session as the app has it, and its refresh token.
    Good(Box<SignInSession>, Secret),
    /// It was shown before, or by a client that did not ask for it. A copy is in other hands, so everything that came from it must end.
    Stolen,
    /// It is none, or no longer.
    Unknown,
}

/// The hold of an app that is still to show its code, and the code.
pub(super) fn code_hold(id: SessionId, request: CodeRequest) -> (Hold, Secret) {
    let CodeRequest {
        client,
        redirect,
        scopes: _,
        challenge,
        device: _,
    } = request;
    let secret = fresh_secret();
    let hold = Hold::Code {
        code: SecretDigest::of(&secret),
        client,
        redirect,
        challenge,
    };
    (hold, Secret::new(format!("{id}.{secret}")))
}

impl SignInSession {
    /// What becomes of it when this is shown as its code at this time.
    pub(super) fn redeem(&self, secret: &str, shown: &CodeShown, now: u64) -> Redeemed {
        match &self.hold {
            Hold::Code {
                code,
                client,
                redirect,
                challenge,
            } if code.is_of(secret) => {
                let is_proven = match (challenge, &shown.verifier) {
                    (Some(challenge), Some(verifier)) => is_digest_of(challenge, verifier),
                    (None, None) => true,
                    // Nor may a verifier be shown where no challenge was asked for: an attacker has removed the challenge.
                    (Some(_), None) | (None, Some(_)) => false,
                };
                if *client != shown.client || *redirect != shown.redirect || !is_proven {
                    return Redeemed::Stolen;
                }
                let spent = SpentCode {
                    code: *code,
                    until: self.expires,
                };
                let (hold, refresh) = app_hold(self.id, client.clone(), Some(spent));
                let session = SignInSession {
                    hold,
                    ..self.clone()
                };
                Redeemed::Good(Box::new(session), refresh)
            }
            Hold::App {
                code: Some(spent), ..
            } if spent.until > now && spent.code.is_of(secret) => Redeemed::Stolen,
            Hold::Code { .. }
            | Hold::App { .. }
            | Hold::Browser { .. }
            | Hold::Token
            | Hold::Client { .. }
            | Hold::ClientCode { .. }
            | Hold::LongLived { .. }
            | Hold::OfKey(_) => Redeemed::Unknown,
        }
    }
}

fn is_digest_of(challenge: &str, verifier: &Secret) -> bool {
    let digest = Sha256::digest(verifier.expose().as_bytes());
    let digest = BASE64_URL_SAFE_NO_PAD.encode(digest);
    bool::from(digest.as_bytes().ct_eq(challenge.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UserId;

    /// The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// When the session of a test is over.
    const UNTIL: u64 = 100;

    /// A session whose code has not been shown, and the code.
    fn issued(challenge: Option<&str>) -> (SignInSession, Secret) {
        let id = SessionId(7);
        let request = CodeRequest {
            client: "app".to_owned(),
            redirect: "http://rooms.test/resp".to_owned(),
            scopes: vec![],
            challenge: challenge.map(str::to_owned),
            device: DeviceKind::default(),
        };
        let (hold, code) = code_hold(id, request);
        let session = SignInSession {
            id,
            user: UserId::new("user-1").unwrap(),
            parent: Some(SessionId(1)),
            scopes: vec![],
            hold,
            device: DeviceKind::default(),
            expires: UNTIL,
        };
        (session, code)
    }

    fn shown(code: &Secret, verifier: Option<&str>) -> CodeShown {
        CodeShown {
            code: code.clone(),
            client: "app".to_owned(),
            redirect: "http://rooms.test/resp".to_owned(),
            verifier: verifier.map(Secret::new),
        }
    }

    fn secret(code: &Secret) -> &str {
        code.expose().split_once('.').unwrap().1
    }

    fn check(challenge: Option<&str>, change: impl FnOnce(&mut CodeShown), good: bool) {
        let (session, code) = issued(challenge);
        let mut shown = shown(&code, challenge.map(|_| VERIFIER));
        change(&mut shown);
        let found = session.redeem(secret(&code), &shown, 1);
        assert_eq!(matches!(found, Redeemed::Good(..)), good, "{found:?}");
        assert_eq!(matches!(found, Redeemed::Stolen), !good, "{found:?}");
    }

    #[test]
    fn a_code_is_good_for_the_app_that_asked_and_proves_it() {
        check(Some(CHALLENGE), |_| {}, true);
        check(None, |_| {}, true);
        check(Some(CHALLENGE), |shown| shown.verifier = None, false);
        check(
            None,
            |shown| shown.verifier = Some(Secret::new(VERIFIER)),
            false,
        );
        check(
            Some(CHALLENGE),
            |shown| shown.verifier = Some(Secret::new(CHALLENGE)),
            false,
        );
        check(None, |shown| shown.client = "other".to_owned(), false);
        check(None, |shown| shown.redirect.push('/'), false);
    }

    #[test]
    fn a_guess_ends_nothing() {
        let (session, code) = issued(None);
        let guess = session.redeem("guess", &shown(&code, None), 1);
        assert!(matches!(guess, Redeemed::Unknown), "{guess:?}");
        for hold in [
            app_hold(SessionId(7), "app".to_owned(), None).0,
            Hold::Token,
        ] {
            let other = SignInSession {
                hold,
                ..session.clone()
            };
            let found = other.redeem(secret(&code), &shown(&code, None), 1);
            assert!(matches!(found, Redeemed::Unknown), "{found:?}");
        }
    }

    #[test]
    fn a_second_use_is_told_from_a_late_one() {
        let (session, code) = issued(None);
        let shown = shown(&code, None);
        let Redeemed::Good(session, _) = session.redeem(secret(&code), &shown, 1) else {
            panic!("the first use is refused");
        };
        let again = session.redeem(secret(&code), &shown, UNTIL - 1);
        assert!(matches!(again, Redeemed::Stolen), "{again:?}");
        let late = session.redeem(secret(&code), &shown, UNTIL);
        assert!(matches!(late, Redeemed::Unknown), "{late:?}");
    }
}
