//! What a device says: bytes, and how they read as text.

use std::fmt;
use std::ops::Deref;

/// One message of a device, without its delimiter.
#[derive(Clone, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// The message as text: UTF-8 if it is, else Latin-1, in which older devices keep their names.
    pub fn text(&self) -> String {
        match str::from_utf8(&self.0) {
            Ok(text) => text.to_owned(),
            Err(_) => self.0.iter().copied().map(char::from).collect(),
        }
    }

    /// Its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Message {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a device says may be a password that it echoes.
        write!(f, "Message({} bytes)", self.0.len())
    }
}
