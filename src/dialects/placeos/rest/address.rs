//! Where a module's device is: its URI, and the fields into which PlaceOS takes one apart.

use crate::dialects::placeos::rest::admission::name_and_port;
use crate::model::{Module, UriPresence, UriRule};

/// Whether a module has no device: PlaceOS's logic modules.
pub(super) fn is_logic(module: &Module) -> bool {
    Device::of(module.uri.as_deref()).role == Role::Logic
}

/// The host of a module's device, where it has one.
pub fn device_host(module: &Module) -> Option<&str> {
    let device = Device::of(module.uri.as_deref());
    match device.role {
        Role::Logic => None,
        Role::Ssh | Role::Device => Some(device.host),
        Role::Service | Role::Websocket => host_of(module.uri.as_deref()?),
    }
}

/// The host in a URI.
pub(super) fn host_of(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    Some(name_and_port(authority(rest).1).0)
}

/// What of a URI is shown, as PlaceOS's fields: a URL, or a host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) uri: String,
    pub(super) ip: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) udp: bool,
}

/// What is shown of a URI.
pub(super) fn address(uri: Option<&str>) -> Address {
    let device = Device::of(uri);
    Address {
        uri: device.uri.to_owned(),
        ip: device.host.to_owned(),
        port: device.port,
        tls: device.tls,
        udp: device.udp,
    }
}

/// The URI for what a client gives in place of what it was shown. Credentials go on to the same host and to no other.
pub(super) fn uri_for(uri: Option<&str>, given: &Address) -> Option<String> {
    let shown = address(uri);
    if !given.uri.is_empty() && given.uri != shown.uri {
        return Some(given.uri.clone());
    }
    if given.ip.is_empty() {
        return None;
    }
    let (scheme, rest) = uri.and_then(|uri| uri.split_once("://")).unzip();
    let as_before = (given.tls, given.udp) == (shown.tls, shown.udp) && !shown.ip.is_empty();
    let scheme = scheme.filter(|_| as_before).unwrap_or(match given {
        Address { udp: true, .. } => "udp",
        Address { tls: true, .. } => "tls",
        Address { .. } => "tcp",
    });
    let credentials = rest
        .and_then(|rest| authority(rest).0)
        .filter(|_| given.ip == shown.ip)
        .map_or_else(String::new, |credentials| format!("{credentials}@"));
    let port = match given.port {
        0 => String::new(),
        port => format!(":{port}"),
    };
    Some(format!("{scheme}://{credentials}{}{port}", given.ip))
}

/// The same address by the scheme that a driver has for it: the first that is encrypted, or UDP, where this one is. Without such a scheme it stays, and the driver's rule refuses it.
pub(super) fn with_scheme_of(uri: String, rule: UriRule) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri;
    };
    if rule.schemes.is_empty() || rule.schemes.contains(&scheme) {
        return uri;
    }
    let way = |scheme| (is_encrypted(scheme), is_udp(scheme));
    let mut taken = rule.schemes.iter();
    match taken.find(|taken| way(taken) == way(scheme)) {
        Some(taken) => format!("{taken}://{rest}"),
        None => uri,
    }
}

/// Whether a scheme says that what goes to the device is encrypted.
fn is_encrypted(scheme: &str) -> bool {
    scheme.contains("tls") || scheme.contains("ssl") || ["https", "mqtts", "wss"].contains(&scheme)
}

fn is_udp(scheme: &str) -> bool {
    scheme == "udp"
}

/// The credentials and the address in what stands behind a URI's scheme.
fn authority(rest: &str) -> (Option<&str>, &str) {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((credentials, address)) => (Some(credentials), address),
        None => (None, authority),
    }
}

/// PlaceOS's number for a module without a device.
pub(super) const LOGIC_ROLE: u8 = 99;

/// The role of a driver: how its modules reach their devices where each has one, else that of a module without.
pub(super) fn role_of(rule: UriRule) -> u8 {
    let role = match (rule.presence, rule.schemes.first()) {
        (UriPresence::Never | UriPresence::Optional, _) => Role::Logic,
        (UriPresence::Default(_) | UriPresence::Needed, Some(scheme)) => {
            Device::of(Some(&format!("{scheme}://host"))).role
        }
        (UriPresence::Default(_) | UriPresence::Needed, None) => Role::Device,
    };
    role.number()
}

/// How a module reaches its device, which PlaceOS calls the role of its driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Ssh,
    Device,
    Service,
    Websocket,
    Logic,
}

impl Role {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Ssh => 0,
            Self::Device => 1,
            Self::Service => 2,
            Self::Websocket => 3,
            Self::Logic => LOGIC_ROLE,
        }
    }
}

/// A module's URI as PlaceOS's fields: a host and port, or a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Device<'a> {
    pub(super) role: Role,
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) udp: bool,
    pub(super) uri: &'a str,
}

impl<'a> Device<'a> {
    /// Credentials in a URI stay inside the gateway, and so does its query, where tokens stand.
    pub(super) fn of(uri: Option<&'a str>) -> Self {
        let nothing = Self {
            role: Role::Logic,
            host: "",
            port: 0,
            tls: false,
            udp: false,
            uri: "",
        };
        let Some((scheme, rest)) = uri.and_then(|uri| uri.split_once("://")) else {
            return nothing;
        };
        let (credentials, address) = authority(rest);
        let (host, port) = name_and_port(address);
        let port = port.and_then(|port| port.parse().ok()).unwrap_or(0);
        let url = match (credentials, uri) {
            (None, Some(uri)) => uri.split(['?', '#']).next().unwrap_or_default(),
            _ => "",
        };
        let at = |role| Self {
            role,
            host,
            port,
            ..nothing
        };
        let service = |role| Self {
            role,
            uri: url,
            ..nothing
        };
        match scheme.to_ascii_lowercase().as_str() {
            "ssh" => at(Role::Ssh),
            "http" | "https" => service(Role::Service),
            "ws" | "wss" => service(Role::Websocket),
            scheme => Self {
                tls: is_encrypted(scheme),
                udp: is_udp(scheme),
                ..at(Role::Device)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::testing::module;

    #[test]
    fn an_address_gets_the_scheme_that_its_driver_has_for_it() {
        let rows: [(&'static [&'static str], &str, &str); 7] = [
            (&["mqtt", "mqtts"], "tcp://h:1883", "mqtt://h:1883"),
            (&["mqtt", "mqtts"], "tls://ann:b@h", "mqtts://ann:b@h"),
            (&["mqtt", "mqtts"], "mqtts://h", "mqtts://h"),
            (&["mqtt", "mqtts"], "udp://h", "udp://h"),
            (&["http", "https"], "tcp://h:80", "http://h:80"),
            (&["tcp"], "tls://h", "tls://h"),
            (&[], "tls://h", "tls://h"),
        ];
        for (schemes, uri, expect) in rows {
            let rule = UriRule {
                presence: UriPresence::Needed,
                schemes,
            };
            assert_eq!(with_scheme_of(uri.to_owned(), rule), expect, "{uri}");
        }
    }

    #[test]
    fn a_device_has_a_host_and_a_logic_module_has_none() {
        let host = |uri| device_host(&module(uri)).map(str::to_owned);
        assert_eq!(
            host(Some("tcp://10.0.0.7:4352")).as_deref(),
            Some("10.0.0.7")
        );
        assert_eq!(host(Some("https://a:b@h:8443/x")).as_deref(), Some("h"));
        assert_eq!(host(None), None);
    }

    #[test]
    fn a_uri_becomes_a_role_and_its_credentials_stay_inside() {
        let role = |uri| Device::of(Some(uri)).role;
        assert_eq!(role("ssh://h"), Role::Ssh);
        assert_eq!(Device::of(Some("tcp://[::1]")).host, "[::1]");
        assert_eq!(role("https://h/x"), Role::Service);
        assert_eq!(role("wss://h/x"), Role::Websocket);
        assert_eq!(role("udp://h:1"), Role::Device);
        assert_eq!(Device::of(None).role, Role::Logic);
        assert_eq!(Device::of(Some("https://h/x?y=secret")).uri, "https://h/x");
        let secret = Device::of(Some("https://user:secret@h/x"));
        assert!(!format!("{secret:?}").contains("secret"));
        let secret = Device::of(Some("tls://user:secret@h:23"));
        assert_eq!((secret.host, secret.port, secret.tls), ("h", 23, true));
    }
}
