//! Signatures: each is the HMAC-SHA256 of a text by an app's secret, in 64 lower-case hexadecimal digits.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::model::Secret;

/// How many digits a signature has.
const DIGITS: usize = 64;

/// The signature of a text.
pub fn sign(secret: &Secret, text: &[u8]) -> String {
    let key = secret.expose().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    let mut digits = String::with_capacity(DIGITS);
    for byte in mac.finalize().into_bytes() {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Whether `shown` is the signature of a text. Takes the same time wherever the two differ.
pub fn is_signed(secret: &Secret, text: &[u8], shown: &str) -> bool {
    sign(secret, text).as_bytes().ct_eq(shown.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Pusher's own library for Python.
    #[test]
    fn what_clients_show_is_signed_as_the_libraries_sign_it() {
        let secret = Secret::new("b0a1c2d3e4f506172839");
        for (text, signature) in [
            (
                "1234.5678:private-sys-1.Display_1",
                "6e4310ad0f7841b67d17fc25882a3fc86cd9108c68d5cc834d4ab2a0c1edeed6",
            ),
            (
                r#"1234.5678:presence-room-3.07:{"user_id":"u-7","user_info":{"name":"Ada"}}"#,
                "3058d46626db835342e55ee1671c42665d3d936a9e409c41d0f880a705abdbbf",
            ),
            (
                r#"1234.5678::user::{"id":"u-7","user_info":{"name":"Ada"},"watchlist":["u-8"]}"#,
                "976628b147a4127070d18bedb1d73ea9d0cf38f241ae602b9642101a7627050f",
            ),
            (
                "1234.5678:private-encrypted-lab",
                "bd6fc8217686f0ace2d89691fe0f3c2047f389dcb74d50b8d35fbcd41a47f656",
            ),
        ] {
            assert_eq!(sign(&secret, text.as_bytes()), signature);
            assert!(is_signed(&secret, text.as_bytes(), signature));
            let bad = [
                "",
                &signature[1..],
                &signature.to_uppercase(),
                &format!("{signature}0"),
            ];
            for bad in bad {
                assert!(!is_signed(&secret, text.as_bytes(), bad), "{bad}");
            }
        }
    }
}
