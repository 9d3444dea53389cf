//! Where a request came from and by what, also through proxies that the settings name.
//!
//! What a header says of that is taken from a named proxy alone: a client can write anything into it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_http::RequestHead;
use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use actix_web::web::Data;

use crate::model::Transport;
use crate::server::{ProxyHeaderSettings, ServerSettings, ServerState};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Where a request came from, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct Arrival {
    /// The client's address: the audit log and the limits go by it.
    pub(in crate::server) address: IpAddr,
    /// By what the client came.
    pub(in crate::server) transport: Transport,
}

impl Arrival {
    /// That of a request which came to an address by this transport.
    pub(in crate::server) fn of(
        settings: &ServerSettings,
        by: Transport,
        head: &RequestHead,
    ) -> Self {
        let peer = head.peer_addr;
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let direct = Self {
            address: peer,
            transport: by,
        };
        if !settings.trusts_proxy(peer) {
            return direct;
        }
        match settings.proxies.headers {
            ProxyHeaderSettings::XForwarded => direct.through_x_forwarded(settings, &head.headers),
            ProxyHeaderSettings::Forwarded => direct.through_forwarded(settings, &head.headers),
        }
    }

    /// As `X-Forwarded-For` and `X-Forwarded-Proto` say it.
    fn through_x_forwarded(self, settings: &ServerSettings, headers: &HeaderMap) -> Self {
        let hops = list(headers, &FORWARDED_FOR);
        let hops = hops.iter().map(|hop| node(hop));
        let (address, _) = client(settings, self.address, hops);
        // Each proxy that adds to it adds at the end, and the first was the client's.
        let said = list(headers, &FORWARDED_PROTO);
        let transport = said.first().map_or(self.transport, |name| scheme(name));
        Self { address, transport }
    }

    /// As `Forwarded` says it (RFC 7239).
    fn through_forwarded(self, settings: &ServerSettings, headers: &HeaderMap) -> Self {
        let hops = list(headers, &FORWARDED);
        let (address, at) = client(
            settings,
            self.address,
            hops.iter().map(|hop| node(parameter(hop, "for")?)),
        );
        let said = at.or(hops.len().checked_sub(1)).and_then(|at| hops.get(at));
        let said = said.and_then(|hop| parameter(hop, "proto"));
        let transport = said.map_or(self.transport, scheme);
        Self { address, transport }
    }
}

/// The arrival of a request that has come to a route.
pub(in crate::server::http) fn arrival(request: &HttpRequest) -> Arrival {
    let by = request.app_data::<Transport>();
    let by = by.copied().unwrap_or(Transport::Plain);
    match request.app_data::<Data<ServerState>>() {
        Some(state) => Arrival::of(&state.settings, by, request.head()),
        None => Arrival {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            transport: by,
        },
    }
}

/// The client: the last address, seen from its end, that is none of our proxies, and at which hop it stood.
///
/// Any client may have invented the items before it. An item that is no address ends the way: then the last known proxy counts as the client.
fn client(
    settings: &ServerSettings,
    peer: IpAddr,
    hops: impl DoubleEndedIterator<Item = Option<IpAddr>> + ExactSizeIterator,
) -> (IpAddr, Option<usize>) {
    let mut found = (peer, None);
    for (at, hop) in hops.enumerate().rev() {
        let Some(address) = hop else { break };
        found = (address, Some(at));
        if !settings.trusts_proxy(address) {
            break;
        }
    }
    found
}

/// The items of a header that may come in several lines. A line that is no text says nothing.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name);
    lines
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .collect()
}

/// A parameter of a hop: the `1` of `for=1;by=2`.
fn parameter<'a>(hop: &'a str, name: &str) -> Option<&'a str> {
    hop.split(';').find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        known
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"'))
    })
}

/// What a scheme says. Some proxies call a websocket by its own.
fn scheme(name: &str) -> Transport {
    let is_encrypted = ["https", "wss"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    match is_encrypted {
        true => Transport::Encrypted,
        false => Transport::Plain,
    }
}

/// The address of a hop, without its port.
fn node(text: &str) -> Option<IpAddr> {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    address(bare.unwrap_or(text)).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::model::Network;
    use crate::server::ProxySettings;

    fn settings(headers: ProxyHeaderSettings) -> ServerSettings {
        ServerSettings {
            proxies: ProxySettings {
                trusted: ["10.0.0.0/8", "::1"]
                    .iter()
                    .map(|text| Network::parse(text).unwrap())
                    .collect(),
                headers,
            },
            ..ServerSettings::default()
        }
    }

    #[track_caller]
    fn check(
        by: ProxyHeaderSettings,
        peer: &str,
        headers: &[(HeaderName, &'static str)],
        expect: (&str, Transport),
    ) {
        let mut head = RequestHead::default();
        head.peer_addr = Some(SocketAddr::new(peer.parse().unwrap(), 4711));
        for (name, value) in headers {
            head.headers
                .append(name.clone(), HeaderValue::from_static(value));
        }
        let Arrival { address, transport } = Arrival::of(&settings(by), Transport::Plain, &head);
        assert_eq!((&*address.to_string(), transport), expect, "{headers:?}");
    }

    #[test]
    fn a_client_behind_a_named_proxy_has_its_own_address_and_scheme() {
        let check = |peer, headers: &[_], expect| {
            check(ProxyHeaderSettings::XForwarded, peer, headers, expect);
        };
        let (encrypted, plain) = (Transport::Encrypted, Transport::Plain);
        let https = (FORWARDED_PROTO, "https");
        let of = |hops| (FORWARDED_FOR, hops);
        check(
            "10.0.0.1",
            &[of("203.0.113.9"), https.clone()],
            ("203.0.113.9", encrypted),
        );
        check(
            "10.0.0.1",
            &[of("[2001:db8::9]:80")],
            ("2001:db8::9", plain),
        );
        check(
            "10.0.0.1",
            &[of("203.0.113.9:51234")],
            ("203.0.113.9", plain),
        );
        check(
            "::1",
            &[of("203.0.113.9, 10.0.0.7")],
            ("203.0.113.9", plain),
        );
        // What the client wrote itself stands before what the proxy has seen.
        check(
            "10.0.0.1",
            &[of("1.1.1.1, 203.0.113.9")],
            ("203.0.113.9", plain),
        );
        check(
            "10.0.0.1",
            &[of("1.1.1.1"), of("203.0.113.9")],
            ("203.0.113.9", plain),
        );
        check("10.0.0.1", &[of("unknown, 10.0.0.7")], ("10.0.0.7", plain));
        check("10.0.0.1", &[of("10.0.0.8, 10.0.0.7")], ("10.0.0.8", plain));
        check("10.0.0.1", &[of("")], ("10.0.0.1", plain));
        check(
            "10.0.0.1",
            &[(FORWARDED_PROTO, "wss")],
            ("10.0.0.1", encrypted),
        );
        check(
            "10.0.0.1",
            &[(FORWARDED_PROTO, "https, http")],
            ("10.0.0.1", encrypted),
        );
        check(
            "10.0.0.1",
            &[(FORWARDED, "for=203.0.113.9;proto=https")],
            ("10.0.0.1", plain),
        );
    }

    #[test]
    fn what_a_header_says_counts_from_nobody_else() {
        let (of, https) = ((FORWARDED_FOR, "203.0.113.9"), (FORWARDED_PROTO, "https"));
        let forwarded = (FORWARDED, "for=203.0.113.9;proto=https");
        let headers = [of, https, forwarded];
        for by in [
            ProxyHeaderSettings::XForwarded,
            ProxyHeaderSettings::Forwarded,
        ] {
            check(by, "192.0.2.1", &headers, ("192.0.2.1", Transport::Plain));
        }
    }

    #[test]
    fn the_header_of_rfc_7239_is_read_where_it_is_the_proxies_own() {
        let check = |said, expect| {
            let headers = [(FORWARDED, said), (FORWARDED_FOR, "9.9.9.9")];
            check(ProxyHeaderSettings::Forwarded, "10.0.0.1", &headers, expect);
        };
        let (encrypted, plain) = (Transport::Encrypted, Transport::Plain);
        check(
            r#"for=1.1.1.1;proto=http, For="[2001:db8::9]:4711"; Proto=https;by=10.0.0.7, for=10.0.0.7;proto=http"#,
            ("2001:db8::9", encrypted),
        );
        check("for=203.0.113.9", ("203.0.113.9", plain));
        check("for=_hidden;proto=https", ("10.0.0.1", encrypted));
    }
}
