//! What is asked of a CalDAV server (RFC 4791, and `getctag` of Apple's calendar server), and how its answers read.
//!
//! Nothing here remembers or decides anything.

use std::borrow::Cow;
use std::fmt::Write as _;

use driver_sdk::Error;
use driver_sdk::transport::{Command, Message, REFUSED, Request, Response};
use http::Method;
use jiff::Timestamp;
use roxmltree::{Document, Node, ParsingOptions};

use super::limits::{SEARCH_DEADLINE, XML_NODES_MAX};
use crate::ical::decode;

const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";

const VERSION: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:s="http://calendarserver.org/ns/"><d:prop><s:getctag/><d:sync-token/></d:prop></d:propfind>"#;

/// What an answer says of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Its path, as the server writes it.
    pub(super) href: String,
    pub(super) etag: Option<String>,
    /// The iCalendar text.
    pub(super) data: Option<String>,
    /// What changes with every change of a collection.
    pub(super) versions: [Option<String>; 2],
}

/// Asks for what changes with every change of the collection: the smallest question.
pub(super) fn ask_version() -> Result<Command<Request, Response>, Error> {
    let request = xml("PROPFIND", "0", VERSION.to_owned())?;
    Ok(Command::from(request).idempotent(1))
}

/// Asks which entries have meetings in a time, and for their versions.
pub(super) fn ask_entries(
    from: Timestamp,
    to: Timestamp,
) -> Result<Command<Request, Response>, Error> {
    let stamp = |moment: Timestamp| moment.strftime("%Y%m%dT%H%M%SZ");
    let (from, to) = (stamp(from), stamp(to));
    let body = format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<c:calendar-query xmlns:d="DAV:" xmlns:c="{CALDAV}"><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="{from}" end="{to}"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"#
    );
    let request = xml("REPORT", "1", body)?;
    Ok(Command::from(request)
        .idempotent(1)
        .timeout(SEARCH_DEADLINE))
}

/// Asks for the entries at these paths.
pub(super) fn ask_texts(hrefs: &[String]) -> Result<Command<Request, Response>, Error> {
    let mut body = format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<c:calendar-multiget xmlns:d="DAV:" xmlns:c="{CALDAV}"><d:prop><d:getetag/><c:calendar-data/></d:prop>"#
    );
    for href in hrefs {
        write!(body, "<d:href>{}</d:href>", escape(href)).expect("a text takes more");
    }
    body.push_str("</c:calendar-multiget>");
    let request = xml("REPORT", "1", body)?;
    Ok(Command::from(request)
        .idempotent(1)
        .timeout(SEARCH_DEADLINE))
}

/// Reads one entry.
pub(super) fn read(name: &str) -> Request {
    Request::get(format!("/{name}"))
}

/// Writes one entry that is not there yet.
///
/// This and the other changes may be sent a second time when a connection breaks: each says which version it changes, so the server makes it once and refuses it then.
pub(super) fn create(name: &str, text: Vec<u8>) -> Result<Request, Error> {
    let request = Request::put(format!("/{name}")).header("if-none-match", "*")?;
    Ok(request.header("content-type", CALENDAR)?.body(text))
}

/// Writes one entry if it still is the version that was read.
pub(super) fn replace(name: &str, etag: &str, text: Vec<u8>) -> Result<Request, Error> {
    let request = Request::put(format!("/{name}")).header("if-match", strong(etag))?;
    Ok(request.header("content-type", CALENDAR)?.body(text))
}

/// Removes one entry if it still is the version that was read.
pub(super) fn delete(name: &str, etag: &str) -> Result<Request, Error> {
    Request::delete(format!("/{name}")).header("if-match", strong(etag))
}

const CALENDAR: &str = "text/calendar; charset=utf-8";

fn xml(method: &str, depth: &str, body: String) -> Result<Request, Error> {
    let method = Method::from_bytes(method.as_bytes())?;
    let request = Request::new(method, "").header("depth", depth)?;
    let request = request.header("content-type", "application/xml; charset=utf-8")?;
    Ok(request.body(body))
}

/// What an answer says of each resource.
pub(super) fn reports(response: Response) -> Result<Vec<Report>, Error> {
    check(&response)?;
    if response.status() != 207 {
        return Err(Error::new(format_args!(
            "the calendar server answered {} where CalDAV has 207; the uri is to be that of the calendar itself",
            response.status()
        )));
    }
    read_reports(&response.body()?)
}

/// Whether the entry is not the version that was read: it is another one, or gone.
pub(super) fn is_conflict(response: &Response) -> bool {
    matches!(response.status(), 404 | 409 | 410 | 412)
}

/// An error for an answer that refuses. Only of a password that is refused the code says so.
pub(super) fn check(response: &Response) -> Result<(), Error> {
    let status = response.status();
    let error = match status {
        0..=399 => return Ok(()),
        401 => Error::new("the calendar server refuses the user name or the password"),
        403 => Error::new("the calendar server does not allow this user to do that"),
        404 => Error::new(
            "the calendar server has nothing at this uri; it is to be that of the calendar itself",
        ),
        _ => Error::new(format_args!("the calendar server answered {status}")),
    };
    Err(error.with_code(status))
}

/// The same for reading: a user who may not even read has the wrong name.
pub(super) fn refused(error: Error) -> Error {
    match error.code() {
        403 => error.with_code(REFUSED),
        _ => error,
    }
}

fn read_reports(body: &Message) -> Result<Vec<Report>, Error> {
    let text = decode(body);
    let text: Cow<'_, str> = match text.contains(is_no_xml) {
        true => text.replace(is_no_xml, " ").into(),
        false => text.into(),
    };
    let options = ParsingOptions {
        nodes_limit: XML_NODES_MAX,
        ..ParsingOptions::default()
    };
    // Its own words would show where, and with what.
    let unreadable = |_| Error::new("the answer of the calendar server is not the XML of WebDAV");
    let document = Document::parse_with_options(text.trim_start(), options).map_err(unreadable)?;
    let responses = document.root_element().children();
    let responses = responses.filter(|node| node.has_tag_name((DAV, "response")));
    Ok(responses.filter_map(read_report).collect())
}

fn read_report(response: Node<'_, '_>) -> Option<Report> {
    let child = |name| response.children().find(|it| it.has_tag_name((DAV, name)));
    // A resource as a whole may have failed.
    if child("status").is_some_and(|status| !is_success(status)) {
        return None;
    }
    let mut report = Report {
        href: text_of(child("href")?),
        ..Report::default()
    };
    let groups = response
        .children()
        .filter(|it| it.has_tag_name((DAV, "propstat")));
    for group in groups {
        let status = group.children().find(|it| it.has_tag_name((DAV, "status")));
        if status.is_some_and(|status| !is_success(status)) {
            continue;
        }
        let properties = group.children().filter(|it| it.has_tag_name((DAV, "prop")));
        for property in properties
            .flat_map(|it| it.children())
            .filter(Node::is_element)
        {
            let text = || Some(text_of(property)).filter(|text| !text.trim().is_empty());
            let name = property.tag_name();
            match (name.namespace(), name.name()) {
                (Some(DAV), "getetag") => report.etag = text(),
                (Some(CALDAV), "calendar-data") => report.data = text(),
                (Some(CALENDAR_SERVER), "getctag") => report.versions[0] = text(),
                (Some(DAV), "sync-token") => report.versions[1] = text(),
                _ => {}
            }
        }
    }
    Some(report)
}

/// Whether a status such as `HTTP/1.1 200 OK` is a success.
fn is_success(status: Node<'_, '_>) -> bool {
    let text = text_of(status);
    text.split_whitespace()
        .nth(1)
        .is_some_and(|code| code.starts_with('2'))
}

fn text_of(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(Node::is_text);
    let texts: String = texts.filter_map(|text| text.text()).collect();
    match node.has_tag_name((CALDAV, "calendar-data")) {
        true => texts,
        false => texts.trim().to_owned(),
    }
}

/// What XML 1.0 does not allow, and some servers pass on all the same.
fn is_no_xml(character: char) -> bool {
    let is_space = matches!(character, '\t' | '\n' | '\r');
    character < ' ' && !is_space || matches!(character, '\u{fffe}' | '\u{ffff}')
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// The name of a resource in its collection: the last segment of its path.
pub(super) fn name_of(href: &str) -> Option<&str> {
    let path = href.split(['?', '#']).next()?;
    let (_, name) = path.rsplit_once('/')?;
    let is_name = !name.is_empty() && name != "." && name != "..";
    is_name.then_some(name)
}

/// Whether two versions are the same. Between us and the server some proxies make them weak.
pub(super) fn is_same_version(one: &str, other: &str) -> bool {
    strong(one) == strong(other)
}

fn strong(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">
<response><href>/room/a%20b.ics</href><propstat><prop><getetag>\"1\"</getetag><C:calendar-data><![CDATA[SUMMARY:Reuni\xf3n\x0b &\n]]></C:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat><propstat><prop><sync-token/></prop><status>HTTP/1.1 404 Not Found</status></propstat></response>
<response><href>/room/gone.ics</href><status>HTTP/1.1 404 Not Found</status></response></multistatus>";

    fn read(bytes: &[u8]) -> Result<Vec<Report>, Error> {
        read_reports(&Message::from(bytes.to_vec()))
    }

    #[test]
    fn an_answer_with_a_byte_that_is_no_utf_8_is_read() {
        let found = read(ANSWER).unwrap();
        assert_eq!(
            found,
            [Report {
                href: "/room/a%20b.ics".to_owned(),
                etag: Some("\"1\"".to_owned()),
                data: Some("SUMMARY:Reunión  &\n".to_owned()),
                versions: [None, None],
            }]
        );
        assert_eq!(name_of(&found[0].href), Some("a%20b.ics"));
    }

    #[test]
    fn what_is_no_answer_of_webdav_is_an_error_that_repeats_nothing_of_it() {
        let entities = b"<!DOCTYPE m [<!ENTITY a \"secret\">]><m>&a;&a;</m>";
        for body in [&b"secret"[..], b"", b"<a secret=\"1\">", entities] {
            let error = read(body).unwrap_err();
            assert_eq!(
                error.message(),
                "the answer of the calendar server is not the XML of WebDAV"
            );
        }
        assert_eq!(read(b"<html/>").unwrap(), []);
    }

    #[test]
    fn a_collection_and_what_is_none_of_its_entries_have_no_name() {
        for href in ["/room/", "", "name", "/room/..", "/room/?x=/y"] {
            assert_eq!(name_of(href), None, "{href}");
        }
        assert_eq!(name_of("http://host/room/x.ics"), Some("x.ics"));
        assert!(is_same_version("W/\"1\"", "\"1\""));
    }
}
