//! Authorization codes: good once, within a minute, for the app that asked. They are in memory alone; after a restart the app asks again.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::core::auth::reception::register::fresh_secret;
use crate::core::auth::tokens::Fingerprint;
use crate::core::limits::{CODE_LIFE, CODES_MAX};
use crate::model::{Scope, Secret, SessionId};

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
}

/// What an app shows to have a code's token.
#[derive(Debug)]
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

/// A code that was shown in time.
#[derive(Debug)]
pub(super) enum Shown {
    /// For the first time, by the app that asked.
    Good {
        /// The sign-in behind it.
        root: SessionId,
        scopes: Vec<Scope>,
    },
    /// Again: what was made of it must end, since somebody has a copy.
    Again(SessionId),
    /// It is none, or not for this app.
    Bad,
}

/// The codes that wait.
#[derive(Debug, Default)]
pub(super) struct Codes {
    codes: HashMap<Fingerprint, Code>,
}

#[derive(Debug)]
struct Code {
    request: CodeRequest,
    root: SessionId,
    until: Instant,
    /// What was made of it.
    spent: Option<SessionId>,
}

impl Codes {
    /// A fresh code, unless too many wait.
    pub(super) fn issue(&mut self, root: SessionId, request: CodeRequest) -> Option<Secret> {
        let now = Instant::now();
        if self.codes.len() >= CODES_MAX {
            self.codes.retain(|_, code| code.until > now);
        }
        if self.codes.len() >= CODES_MAX {
            return None;
        }
        let secret = Secret::new(fresh_secret());
        let code = Code {
            request,
            root,
            until: now + CODE_LIFE,
            spent: None,
        };
        self.codes.insert(Fingerprint::of(&secret), code);
        Some(secret)
    }

    /// Looks at a code that is shown, and spends it on `session` whatever comes of it.
    pub(super) fn spend(&mut self, shown: &CodeShown, session: SessionId) -> Shown {
        let Some(code) = self.codes.get_mut(&Fingerprint::of(&shown.code)) else {
            return Shown::Bad;
        };
        if code.until <= Instant::now() {
            return Shown::Bad;
        }
        if let Some(before) = code.spent.replace(session) {
            code.spent = Some(before);
            return Shown::Again(before);
        }
        let CodeRequest {
            client,
            redirect,
            scopes,
            challenge,
        } = &code.request;
        let is_proven = match (challenge, &shown.verifier) {
            (Some(challenge), Some(verifier)) => is_digest_of(challenge, verifier),
            (None, None) => true,
            // Nor may one be shown where none was asked for: somebody has taken the challenge away.
            (Some(_), None) | (None, Some(_)) => false,
        };
        if *client == shown.client && *redirect == shown.redirect && is_proven {
            Shown::Good {
                root: code.root,
                scopes: scopes.clone(),
            }
        } else {
            Shown::Bad
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

    /// The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn request(challenge: Option<&str>) -> CodeRequest {
        CodeRequest {
            client: "app".to_owned(),
            redirect: "http://rooms.test/resp".to_owned(),
            scopes: vec![],
            challenge: challenge.map(str::to_owned),
        }
    }

    fn shown(code: &Secret, verifier: Option<&str>) -> CodeShown {
        CodeShown {
            code: code.clone(),
            client: "app".to_owned(),
            redirect: "http://rooms.test/resp".to_owned(),
            verifier: verifier.map(Secret::new),
        }
    }

    fn check(challenge: Option<&str>, change: impl FnOnce(&mut CodeShown), good: bool) {
        let mut codes = Codes::default();
        let code = codes.issue(SessionId(1), request(challenge)).unwrap();
        let mut shown = shown(&code, challenge.map(|_| VERIFIER));
        change(&mut shown);
        let found = codes.spend(&shown, SessionId(2));
        assert_eq!(matches!(found, Shown::Good { .. }), good, "{found:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_is_good_for_the_app_that_asked_and_proves_it() {
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
        check(None, |shown| shown.code = Secret::new("guess"), false);
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_is_good_once_even_after_a_mistake() {
        let mut codes = Codes::default();
        let code = codes.issue(SessionId(1), request(Some(CHALLENGE))).unwrap();
        let wrong = codes.spend(&shown(&code, Some("wrong")), SessionId(2));
        assert!(matches!(wrong, Shown::Bad));
        let again = codes.spend(&shown(&code, Some(VERIFIER)), SessionId(3));
        assert!(matches!(again, Shown::Again(SessionId(2))), "{again:?}");
        let again = codes.spend(&shown(&code, Some(VERIFIER)), SessionId(4));
        assert!(matches!(again, Shown::Again(SessionId(2))), "{again:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_ends_in_time_and_their_number_is_bounded() {
        let mut codes = Codes::default();
        let code = codes.issue(SessionId(1), request(None)).unwrap();
        for _ in 1..CODES_MAX {
            codes.issue(SessionId(1), request(None)).unwrap();
        }
        assert!(codes.issue(SessionId(1), request(None)).is_none());
        tokio::time::advance(CODE_LIFE).await;
        let late = codes.spend(&shown(&code, None), SessionId(2));
        assert!(matches!(late, Shown::Bad));
        assert!(codes.issue(SessionId(1), request(None)).is_some());
    }
}
