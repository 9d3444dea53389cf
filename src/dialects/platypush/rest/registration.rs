//! From where the first user may be registered: whoever is first has the building, so it has to be somebody at this machine.
//!
//! The address alone does not say that. A page of any site can have a browser on this machine send a form, also by a name of its own that leads here; and a proxy on this machine passes on what comes from everywhere.

use std::net::IpAddr;

use crate::dialects::platypush::rest::credentials::origin_is_foreign;
use crate::model::Transport;

/// What proxies add.
const FORWARDED: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// Whether a request comes from this machine, by no proxy and by no page of another site.
pub fn comes_from_here<'a>(
    header: impl Fn(&str) -> Option<&'a [u8]>,
    address: IpAddr,
    by: Transport,
) -> bool {
    let text = |name: &str| header(name).map(|value| str::from_utf8(value).unwrap_or("\u{fffd}"));
    let host = text("host");
    let is_passed_on = FORWARDED.iter().any(|name| header(name).is_some());
    address.is_loopback()
        && !is_passed_on
        && host.is_some_and(is_no_foreign_name)
        && !origin_is_foreign(text("origin"), host, by)
}

/// Whether a host is an address or this machine, and no name that a page has chosen.
fn is_no_foreign_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let name = bare.unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, headers: &[(&str, &str)], expect: bool) {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_bytes())
        };
        let found = comes_from_here(header, address.parse().unwrap(), Transport::Plain);
        assert_eq!(found, expect, "{address} {headers:?}");
    }

    #[test]
    fn somebody_at_this_machine_comes_from_here() {
        for host in [
            "127.0.0.1:3000",
            "localhost:8008",
            "[::1]:3000",
            "LOCALHOST",
        ] {
            check("127.0.0.1", &[("host", host)], true);
        }
        let origin = ("origin", "http://127.0.0.1:3000");
        check("::1", &[("host", "127.0.0.1:3000"), origin], true);
    }

    #[test]
    fn other_machines_proxies_and_pages_do_not() {
        let host = ("host", "127.0.0.1:3000");
        check("10.0.0.7", &[host], false);
        check("127.0.0.1", &[host, ("x-forwarded-for", "10.0.0.7")], false);
        check("127.0.0.1", &[host, ("via", "1.1 proxy")], false);
        check(
            "127.0.0.1",
            &[host, ("origin", "http://elsewhere.test")],
            false,
        );
        // A name of the page's own that leads here.
        let rebound = ("host", "elsewhere.test");
        check(
            "127.0.0.1",
            &[rebound, ("origin", "http://elsewhere.test")],
            false,
        );
        check("127.0.0.1", &[], false);
    }
}
