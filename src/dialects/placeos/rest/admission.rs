//! Who may use which resource: scopes, the websocket, `Origin`.

use crate::dialects::placeos::ValueForm;
use crate::dialects::placeos::rest::Query;
use crate::model::{DeviceKind, Scope, Transport};

/// The scope for what drives rooms.
const CONTROL: &str = "control";

/// What opens the websocket: the scope for everything, that of the resource under which it stands, and that for what drives rooms.
pub const WEBSOCKET_SCOPES: [&str; 3] = [Scope::PUBLIC, "systems", CONTROL];

/// Whether the scopes let one read a REST resource (`systems`, `zones`, `modules`, …).
pub fn may_read(scopes: &[Scope], resource: &str) -> bool {
    scopes
        .iter()
        .any(|scope| scope.reads() && (scope.name == Scope::PUBLIC || scope.name == resource))
}

/// Whether the scopes let one change a REST resource.
pub fn may_write(scopes: &[Scope], resource: &str) -> bool {
    scopes
        .iter()
        .any(|scope| scope.writes() && (scope.name == Scope::PUBLIC || scope.name == resource))
}

/// Whether the scopes let one call functions through a REST resource.
pub fn may_exec(scopes: &[Scope], resource: &str) -> bool {
    may_write(scopes, resource) || may_write(scopes, CONTROL)
}

/// Whether a page of another site asks. Only cookies make this matter, since browsers send them along unasked.
///
/// A request without `Origin` comes from no page. Where no port is named it is the scheme's own.
/// A proxy that no setting names may have ended TLS, so without its word either scheme is that of the page.
pub fn origin_is_foreign(origin: Option<&str>, host: Option<&str>, by: Transport) -> bool {
    let Some(origin) = origin else {
        return false;
    };
    let (Some((scheme, authority)), Some(host)) = (origin.trim_ascii().split_once("://"), host)
    else {
        return true;
    };
    let default_port = match (scheme.to_ascii_lowercase().as_str(), by) {
        ("https", Transport::Encrypted | Transport::Plain) => "443",
        ("http", Transport::Plain) => "80",
        _ => return true,
    };
    let split = |authority| {
        let (name, port) = name_and_port(authority);
        let port = port.filter(|port| !port.is_empty());
        (name, port.unwrap_or(default_port))
    };
    let (origin_name, origin_port) = split(authority);
    let (host_name, host_port) = split(host.trim_ascii());
    !(origin_port == host_port && origin_name.eq_ignore_ascii_case(host_name))
}

/// Takes a host and port apart, where there is a port.
pub(super) fn name_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (authority, None),
    }
}

/// What the query of a websocket's URL says beside credentials.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SocketQuery {
    /// How values are written: `values=string` asks for the documented form.
    pub form: ValueForm,
    /// What kind of device connects: one with `fixed_device=true` is mounted in a room.
    pub device: DeviceKind,
}

impl SocketQuery {
    /// Reads the query. What is not known is passed over.
    pub fn read(query: &Query<'_>) -> Self {
        let says = |name, word| {
            query
                .first(name)
                .is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        Self {
            form: if says("values", "string") {
                ValueForm::Text
            } else {
                ValueForm::Raw
            },
            device: if says("fixed_device", "true") {
                DeviceKind::Fixed
            } else {
                DeviceKind::Personal
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(texts: &[&str]) -> Vec<Scope> {
        let parsed = texts.iter().map(|text| Scope::parse(text));
        parsed.collect::<Option<_>>().unwrap()
    }

    #[test]
    fn a_resource_is_opened_by_its_own_name_or_public() {
        assert!(may_read(&scopes(&["systems.read"]), "systems"));
        assert!(!may_read(&scopes(&["systems"]), "zones"));
        assert!(!may_read(&scopes(&["zones.write"]), "zones"));
        assert!(!may_write(&scopes(&["public.read"]), "systems"));
        assert!(!may_write(&scopes(&["control"]), "systems"));
        assert!(may_exec(&scopes(&["control"]), "systems"));
        assert!(!may_exec(&scopes(&["control.read"]), "systems"));
    }

    #[test]
    fn an_origin_is_foreign_when_its_host_or_port_is_another() {
        for (origin, host) in [
            (None, Some("rooms.test")),
            (Some("https://rooms.test"), Some("Rooms.test")),
            (Some("https://rooms.test"), Some("rooms.test:443")),
            (Some("http://rooms.test:3000"), Some("rooms.test:3000")),
            (Some("https://rooms.test"), Some("rooms.test:")),
            (Some("http://rooms.test:80"), Some("rooms.test")),
            (Some("http://[::1]:3000"), Some("[::1]:3000")),
            (Some("https://[::1]"), Some("[::1]")),
        ] {
            let foreign = origin_is_foreign(origin, host, Transport::Plain);
            assert!(!foreign, "{origin:?} {host:?}");
        }
        for (origin, host) in [
            ("https://evil.test", Some("rooms.test")),
            ("https://rooms.test.evil.test", Some("rooms.test")),
            ("http://rooms.test:3001", Some("rooms.test:3000")),
            ("http://rooms.test", Some("rooms.test:3000")),
            ("http://rooms.test:8080", Some("rooms.test")),
            ("https://rooms.test:8443", Some("rooms.test")),
            ("https://rooms.test:80", Some("rooms.test")),
            ("http://[::1]:3000", Some("[::1]")),
            ("ftp://rooms.test", Some("rooms.test")),
            ("null", Some("rooms.test")),
            ("https://rooms.test", None),
        ] {
            for by in [Transport::Plain, Transport::Encrypted] {
                let foreign = origin_is_foreign(Some(origin), host, by);
                assert!(foreign, "{origin} {host:?} {by:?}");
            }
        }
        // A plain page of the host that is called by TLS may have been put there on its way.
        let (plain, host) = (Some("http://rooms.test"), Some("rooms.test"));
        assert!(origin_is_foreign(plain, host, Transport::Encrypted));
    }

    #[test]
    fn the_documented_form_of_values_is_asked_for_by_the_query() {
        let read = |query| SocketQuery::read(&Query::parse(query));
        assert_eq!(read("values=String&x=1").form, ValueForm::Text);
        assert_eq!(read("values=raw").form, ValueForm::Raw);
        assert_eq!(read("fixed_device=true").device, DeviceKind::Fixed);
        assert_eq!(read("").device, DeviceKind::Personal);
    }
}
