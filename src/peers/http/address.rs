//! Where a node is asked, read from how it lists itself.

use hyper::Uri;

use crate::model::NodeUri;

/// Where the core API begins, behind whatever path the node's own address has.
const API: &str = "/api/core/v1";

/// A node's address in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) encrypted: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// What stands in a `Host` header.
    pub(super) authority: String,
    /// The path of the core API.
    pub(super) base: String,
}

impl Address {
    /// Reads `http://host:port` or `https://host`, with or without a path. The error says what is wrong with it.
    pub(super) fn parse(uri: &NodeUri) -> Result<Self, &'static str> {
        let parsed: Uri = uri
            .as_str()
            .parse()
            .map_err(|_| "its address is no URL; nodes are listed like http://10.0.0.7:3000")?;
        let (encrypted, default_port) = match parsed.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            Some(_) | None => {
                return Err("its address has to begin with http:// or https://");
            }
        };
        let authority = parsed.authority().ok_or("its address names no host")?;
        if authority.as_str().contains('@') {
            return Err("its address has a user in it, which calls do not send");
        }
        let host = authority.host().trim_matches(['[', ']']);
        if host.is_empty() {
            return Err("its address names no host");
        }
        Ok(Self {
            encrypted,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(default_port),
            authority: authority.as_str().to_owned(),
            base: parsed.path().trim_end_matches('/').to_owned() + API,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(&str, u16, &str), &str>) {
        let found = Address::parse(&NodeUri::new(text).unwrap());
        let found = found.map(|address| (address.host, address.port, address.base));
        let expect = expect.map(|(host, port, base)| (host.to_owned(), port, base.to_owned()));
        let end = expect.as_ref().err().copied().unwrap_or_default();
        match (&found, &expect) {
            (Err(found), Err(_)) => assert!(found.contains(end), "{text}: {found}"),
            _ => assert_eq!(found, expect, "{text}"),
        }
    }

    #[test]
    fn a_node_is_listed_by_scheme_host_and_port() {
        check("http://core-a:3000", Ok(("core-a", 3000, "/api/core/v1")));
        check("http://[::1]/", Ok(("::1", 80, "/api/core/v1")));
        check(
            "https://node1.example.org/node1",
            Ok(("node1.example.org", 443, "/node1/api/core/v1")),
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        check("core", Err("begin with"));
        check("redis://core:1", Err("begin with"));
        check("http://user:hunter2@core", Err("has a user in it"));
        check("http://a b", Err("no URL"));
    }
}
