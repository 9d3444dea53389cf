//! What an application's server signs: channels for its pages, and its own requests.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::protocol::SECRET;

/// Signs a text with the application's secret.
pub(super) fn sign(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Bytes as they travel in a signed request.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_connection_and_channel() {
        assert_eq!(
            sign("12.34:private-s0"),
            "57bafa47b80918cc10360589efd56afa5239a0b34ee919a6e9970c84c111705b"
        );
    }
}
