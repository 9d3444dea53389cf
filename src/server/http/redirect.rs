//! The plain address beside the encrypted one: it redirects every request.

use std::fmt::Write as _;

use actix_web::http::header::{HOST, LOCATION};
use actix_web::http::uri::{Authority, PathAndQuery};
use actix_web::http::{StatusCode, Uri};
use actix_web::{HttpRequest, HttpResponse};

use crate::server::http::kit::HttpRejection;

/// The port that a URL by TLS need not name.
const HTTPS_PORT: u16 = 443;

/// Sends a request to this port of the host that was asked for.
pub(super) fn send_on(request: &HttpRequest, port: u16) -> HttpResponse {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    match host.and_then(|host| location(host, port, request.uri())) {
        // 308 and not 301: what was a POST stays one.
        Some(location) => HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, location))
            .finish(),
        None => <HttpRejection>::text(
            StatusCode::BAD_REQUEST,
            "this address sends on to the encrypted one, and the request does not say of which host",
        )
        .to_response(),
    }
}

/// The same place by TLS.
fn location(host: &str, port: u16, uri: &Uri) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let name = authority.host();
    if name.is_empty() {
        return None;
    }
    let mut location = format!("https://{name}");
    if port != HTTPS_PORT {
        // Writing to a String cannot fail.
        let _ = write!(location, ":{port}");
    }
    location.push_str(uri.path_and_query().map_or("/", PathAndQuery::as_str));
    Some(location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, port: u16, uri: &str, expect: Option<&str>) {
        let uri = uri.parse().unwrap();
        assert_eq!(location(host, port, &uri).as_deref(), expect);
    }

    #[test]
    fn the_place_stays_and_the_port_changes() {
        check("hq.test", 443, "/a?b=c", Some("https://hq.test/a?b=c"));
        check("hq.test:80", 8443, "/", Some("https://hq.test:8443/"));
        check("[::1]:80", 443, "/a", Some("https://[::1]/a"));
        check("[::1]", 8443, "/a", Some("https://[::1]:8443/a"));
        check(
            "hq.test",
            443,
            "http://other.test/a",
            Some("https://hq.test/a"),
        );
    }

    #[test]
    fn what_is_no_host_leads_nowhere() {
        check("", 443, "/", None);
        check(":80", 443, "/", None);
        check("hq.test/evil", 443, "/", None);
        check("hq test", 443, "/", None);
    }
}
