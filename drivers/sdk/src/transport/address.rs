//! Where a device is: the URI of a module, taken apart.

use http::Uri;

use crate::Error;

/// A host and a port, and whether the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    /// What follows the port, `/` at least.
    pub(super) path: String,
    /// The host and the port as the URI writes them.
    pub(super) authority: String,
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    Plain,
    Tls,
}

/// A scheme of a URI, what it means, and its port.
pub(super) type Scheme = (&'static str, Security, Option<u16>);

impl Address {
    /// Reads a URI that has one of these schemes.
    pub(super) fn parse(uri: &str, schemes: &[Scheme]) -> Result<Self, Error> {
        let expected = || {
            let forms: Vec<String> = schemes
                .iter()
                .map(|(name, _, port)| match port {
                    Some(_) => format!("{name}://HOST or {name}://HOST:PORT"),
                    None => format!("{name}://HOST:PORT"),
                })
                .collect();
            Error::new(format_args!(
                "the uri is not of the form {}",
                forms.join(" or ")
            ))
        };
        let parsed: Uri = uri.parse().map_err(|_| expected())?;
        let scheme = parsed.scheme_str().ok_or_else(expected)?;
        let (_, security, default_port) = schemes
            .iter()
            .find(|(name, ..)| *name == scheme)
            .ok_or_else(expected)?;
        let authority = parsed.authority().ok_or_else(expected)?;
        if authority.as_str().contains('@') {
            return Err(Error::new(
                "the uri has a password in it; write `username` and `password` into the settings",
            ));
        }
        let port = authority.as_str().strip_prefix(authority.host());
        let port = match port.ok_or_else(expected)?.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| expected())?,
            None => default_port.ok_or_else(expected)?,
        };
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        if host.is_empty() {
            return Err(expected());
        }
        let path = parsed.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            host: host.to_owned(),
            port,
            security: *security,
            path: path.to_owned(),
            authority: authority.as_str().to_owned(),
        })
    }
}
