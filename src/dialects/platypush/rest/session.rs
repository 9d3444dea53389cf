//! What a page shows beside its session, to prove that it is the page that signed in: a token made of the session, which no other page can read.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::model::Secret;

/// In front of the session, so that the token is no digest that is used for anything else.
const PURPOSE: &str = "platypush csrf\n";

/// The token of a session.
pub fn csrf_token(session: &Secret) -> String {
    let digest = Sha256::digest(format!("{PURPOSE}{}", session.expose()));
    let mut hex = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Whether the token that is shown is that of the session. Compares all of it, whatever the beginning.
pub fn csrf_matches(session: &Secret, shown: Option<&str>) -> bool {
    let expected = csrf_token(session);
    let shown = shown.unwrap_or_default();
    let pairs = expected.bytes().zip(shown.bytes());
    let differs = pairs.fold(0, |differs, (one, two)| differs | (one ^ two));
    differs == 0 && expected.len() == shown.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_one_token_and_no_other_matches() {
        let session = Secret::new("abc");
        let token = csrf_token(&session);
        assert_eq!(token.len(), 64);
        assert!(csrf_matches(&session, Some(&token)));
        assert!(!csrf_matches(&session, Some(&token[1..])));
        assert!(!csrf_matches(
            &session,
            Some(&csrf_token(&Secret::new("abd")))
        ));
        assert!(!csrf_matches(&session, None));
    }
}
