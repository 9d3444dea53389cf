//! Where a webhook is posted, read from its address.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::Uri;
use percent_encoding::percent_decode_str;

use crate::model::Secret;

/// An address in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_encrypted: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// What stands in the header `Host`.
    pub(super) authority: String,
    /// The path with its query. It may hold a secret.
    pub(super) path: Secret,
    /// The header `Authorization`, where the address has a user in it.
    pub(super) authorization: Option<Secret>,
}

impl Address {
    /// Reads `http://host:port/path` or `https://user:password@host/path`. The error holds nothing of it.
    pub(super) fn parse(url: &Secret) -> Result<Self, &'static str> {
        let parsed: Uri = url
            .expose()
            .parse()
            .map_err(|_| "its address is no URL such as http://10.0.0.9:9000/hooks")?;
        let (is_encrypted, default_port) = match parsed.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            Some(_) | None => return Err("its address has to begin with http:// or https://"),
        };
        let authority = parsed.authority().ok_or("its address names no host")?;
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        let host = authority.host().trim_matches(['[', ']']);
        if host.is_empty() {
            return Err("its address names no host");
        }
        let path = parsed.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            is_encrypted,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(default_port),
            authority: place.to_owned(),
            path: Secret::new(path),
            authorization: user.map(basic),
        })
    }
}

fn basic(user: &str) -> Secret {
    let user: Vec<u8> = percent_decode_str(user).collect();
    Secret::new(format!("Basic {}", BASE64_STANDARD.encode(user)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, &'static str> {
        Address::parse(&Secret::new(url))
    }

    #[test]
    fn an_address_has_a_host_a_port_and_a_path() {
        let address = parse("http://a.test:9000/hooks?token=1").unwrap();
        assert!(!address.is_encrypted && address.authorization.is_none());
        assert_eq!((&*address.host, address.port), ("a.test", 9000));
        assert_eq!(address.authority, "a.test:9000");
        assert_eq!(address.path.expose(), "/hooks?token=1");
        let bare = parse("https://[::1]").unwrap();
        assert_eq!((&*bare.host, bare.port), ("::1", 443));
        assert_eq!(bare.path.expose(), "/");
    }

    #[test]
    fn a_user_in_the_address_is_shown_to_the_receiver() {
        let address = parse("https://ann:p%40ss@a.test/").unwrap();
        assert_eq!(address.authority, "a.test");
        let shown = address.authorization.unwrap();
        assert_eq!(shown.expose(), "Basic YW5uOnBAc3M=");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_said() {
        for url in [
            "",
            "http://",
            "hunter2",
            "ftp://hunter2.test",
            "http://hunter2 b",
        ] {
            let why = parse(url).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
