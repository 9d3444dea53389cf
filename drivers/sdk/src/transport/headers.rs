//! The headers that a driver sends with every request, credentials among them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::Error;

/// Headers that show no value in a log.
#[derive(Clone, Default)]
pub(super) struct Headers(HeaderMap);

impl Headers {
    pub(super) fn basic(&mut self, username: &str, password: &str) -> Result<(), Error> {
        let credentials = STANDARD.encode(format!("{username}:{password}"));
        self.set("authorization", &format!("Basic {credentials}"))
    }

    pub(super) fn bearer(&mut self, token: &str) -> Result<(), Error> {
        self.set("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let wrong = |what| Error::new(format_args!("the header '{name}' has {what}"));
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed = parsed.map_err(|_| wrong("a name that HTTP does not allow"))?;
        let value = HeaderValue::from_str(value);
        let mut value = value.map_err(|_| wrong("a value that HTTP does not allow"))?;
        value.set_sensitive(parsed == AUTHORIZATION);
        self.0.insert(parsed, value);
        Ok(())
    }

    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.clone());
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
