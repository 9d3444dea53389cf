//! The pages of Home Assistant's dashboard, from the folder that the settings name, at the dialect's own address alone.
//!
//! Separate because these are files of another make: nothing in them is known here but two templates.
//! Every path that is no file is a page of the dashboard, which finds its way itself; what is below `/api` and `/auth` never is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    VARY,
};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;

use crate::dialects::home_assistant::rest::render;
use crate::server::ServerState;
use crate::server::http::home_assistant::rejections::nothing_here;
use crate::server::http::mounts::{HOME_ASSISTANT, Site};
use crate::server::limits::PAGE_FILE_MAX_BYTES;

/// The folders whose files have a digest in their names, so that one name is one content for good.
const HASHED: [&str; 2] = ["frontend_latest", "frontend_es5"];

/// The other folders that are served.
const FOLDERS: [&str; 1] = ["static"];

/// The files beside them.
const FILES: [&str; 4] = [
    "robots.txt",
    "service_worker.js",
    "sw-modern.js",
    "sw-legacy.js",
];

/// What stands below these is never a page.
const NO_PAGES: [&str; 3] = ["api", "auth", ".well-known"];

/// Encodings in which a file may lie beside itself, the shortest first.
const ENCODINGS: [(&str, &str); 2] = [("br", "br"), ("gzip", "gz")];

/// The types by the ends of names.
const TYPES: [(&str, &str); 16] = [
    ("css", "text/css; charset=utf-8"),
    ("gif", "image/gif"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("webp", "image/webp"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml"),
];

/// What a browser is told of the dashboard as an app.
const MANIFEST: &str = r##"{"name":"Home Assistant","short_name":"Home Assistant","start_url":"/?homescreen=1","id":"/?homescreen=1","scope":"/","display":"standalone","background_color":"#FFFFFF","theme_color":"#18BCF2","icons":[{"src":"/static/icons/favicon-192x192.png","sizes":"192x192","type":"image/png"},{"src":"/static/icons/favicon-512x512.png","sizes":"512x512","type":"image/png"}]}"##;

/// A page that is a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// The dashboard.
    Index,
    /// Where an app is signed in.
    Authorize,
}

impl Page {
    fn file(self) -> &'static str {
        match self {
            Self::Index => "index.html",
            Self::Authorize => "authorize.html",
        }
    }
}

/// How long a browser may keep a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// For good.
    Always,
    /// For a while, and asks again then.
    Asking,
    /// It asks each time.
    Never,
}

impl Keep {
    fn header(self) -> &'static str {
        match self {
            Self::Always => "public, max-age=31536000, immutable",
            Self::Asking => "public, max-age=86400",
            Self::Never => "no-cache",
        }
    }
}

/// A file of the folder that may be served.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Served {
    path: PathBuf,
    keep: Keep,
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    File(Served),
    Manifest,
    Page,
    Nothing,
}

/// The answer to a path that no resource has.
pub(super) async fn serve(state: Data<ServerState>, request: HttpRequest) -> HttpResponse {
    match (
        &state.settings.home_assistant.frontend,
        find(request.path()),
    ) {
        (Some(folder), Found::File(Served { path, keep })) => {
            file(folder.join(path), keep, &request).await
        }
        (Some(_), Found::Manifest) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "application/manifest+json"))
            .insert_header((CACHE_CONTROL, Keep::Asking.header()))
            .body(MANIFEST),
        (Some(_), Found::Page) => page(&state, &request, Page::Index)
            .await
            .unwrap_or_else(|| nothing(&request)),
        (Some(_), Found::Nothing) | (None, _) => nothing(&request),
    }
}

/// A page of the dashboard; `None` where it is not served.
pub(super) async fn page(
    state: &ServerState,
    request: &HttpRequest,
    page: Page,
) -> Option<HttpResponse> {
    let is_own = request
        .app_data::<Site>()
        .is_some_and(|site| site.is_of(HOME_ASSISTANT));
    let folder = state.settings.home_assistant.frontend.as_ref()?;
    if !is_own {
        return None;
    }
    let path = folder.join(page.file());
    let (bytes, _) = read(path.clone())
        .await
        .inspect_err(|error| {
            tracing::warn!(path = %path.display(), %error, "a page of `home_assistant.frontend` could not be read; does the setting name the folder `hass_frontend`?");
        })
        .ok()?;
    let template = String::from_utf8_lossy(&bytes);
    let page = HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, Keep::Never.header()))
        .insert_header(("X-Frame-Options", "SAMEORIGIN"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .body(render(&template));
    Some(page)
}

/// The answer to what is not there, or not by this method.
fn nothing(request: &HttpRequest) -> HttpResponse {
    match request.app_data::<Site>() {
        Some(site) => site.unknown(request),
        None => nothing_here().to_response(),
    }
}

/// What a path of a request is.
fn find(path: &str) -> Found {
    let Some(segments) = segments(path) else {
        return Found::Nothing;
    };
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    let inside = |keep| {
        Found::File(Served {
            path: segments.iter().collect(),
            keep,
        })
    };
    match names[..] {
        ["manifest.json"] => Found::Manifest,
        [file] if FILES.contains(&file) => inside(Keep::Never),
        [folder, _, ..] if HASHED.contains(&folder) => inside(Keep::Always),
        [folder, _, ..] if FOLDERS.contains(&folder) => inside(Keep::Asking),
        [top, ..] if NO_PAGES.contains(&top) => Found::Nothing,
        // A page's own files have ends in their names, and its places have none.
        [.., last] if last.contains('.') => Found::Nothing,
        _ => Found::Page,
    }
}

/// The names of a path that leads nowhere but down; `None` for every other. A slash at the end says nothing.
fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let names = path.split('/').map(|segment| {
        let name = percent_decode_str(segment).decode_utf8().ok()?;
        let is_plain = !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\\', ':', '\0'])
            && !name.chars().any(char::is_control);
        is_plain.then(|| name.into_owned())
    });
    // A name that begins with a point is none of the dashboard's, and `..` is one of those.
    names.collect()
}

/// A file, in the shortest encoding that lies beside it and that the browser takes.
async fn file(path: PathBuf, keep: Keep, request: &HttpRequest) -> HttpResponse {
    for (encoding, end) in ENCODINGS {
        if accepts(request.headers(), encoding) {
            let beside = with_end(&path, end);
            if let Ok(found) = read(beside).await {
                let encoding = HeaderValue::from_static(encoding);
                return content(&path, found, keep, Some(encoding));
            }
        }
    }
    match read(path.clone()).await {
        Ok(found) => content(&path, found, keep, None),
        Err(_) => nothing(request),
    }
}

fn content(
    path: &Path,
    (bytes, tag): (Vec<u8>, String),
    keep: Keep,
    encoding: Option<HeaderValue>,
) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::OK);
    response
        .insert_header((CONTENT_TYPE, content_type(path)))
        .insert_header((CACHE_CONTROL, keep.header()))
        .insert_header((ETAG, tag))
        .insert_header((VARY, "accept-encoding"));
    if let Some(encoding) = encoding {
        response.insert_header((CONTENT_ENCODING, encoding));
    }
    response.body(bytes)
}

fn content_type(path: &Path) -> &'static str {
    let end = path.extension().and_then(|end| end.to_str());
    let known = TYPES.iter().find(|(known, _)| Some(*known) == end);
    known.map_or("application/octet-stream", |(_, name)| name)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

/// Whether a browser takes an encoding, by name.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING);
    let mut offers = lines.flat_map(|line| line.to_str().unwrap_or_default().split(','));
    offers.any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let is_named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let is_refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        is_named && !is_refused
    })
}

/// The content of a file, and a tag that another content does not have.
async fn read(path: PathBuf) -> io::Result<(Vec<u8>, String)> {
    let read = web::block(move || {
        let about = fs::metadata(&path)?;
        if !about.is_file() || about.len() > PAGE_FILE_MAX_BYTES {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let changed = about.modified()?.duration_since(UNIX_EPOCH);
        let changed = changed.map_or(0, |since| since.as_micros());
        let tag = format!("\"{:x}-{changed:x}\"", about.len());
        Ok((fs::read(&path)?, tag))
    });
    read.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(path: &str, keep: Keep) -> Found {
        let path = PathBuf::from(path);
        Found::File(Served { path, keep })
    }

    #[test]
    fn files_are_found_and_all_else_is_a_page_or_nothing() {
        for (path, expect) in [
            ("/", Found::Page),
            ("/lovelace/0", Found::Page),
            ("/config/devices/device/abc/", Found::Page),
            ("/manifest.json", Found::Manifest),
            (
                "/frontend_latest/app.js",
                served("frontend_latest/app.js", Keep::Always),
            ),
            (
                "/static/icons/a%20b.png",
                served("static/icons/a b.png", Keep::Asking),
            ),
            (
                "/service_worker.js",
                served("service_worker.js", Keep::Never),
            ),
            ("/index.html", Found::Nothing),
            ("/__init__.py", Found::Nothing),
            ("/api", Found::Nothing),
            ("/api/nothing", Found::Nothing),
            ("/auth/nothing", Found::Nothing),
            ("/.well-known/x", Found::Nothing),
        ] {
            assert_eq!(find(path), expect, "{path}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for path in [
            "/static/../../etc/passwd",
            "/static/%2e%2e/x",
            "/static/..%2f..%2fx",
            "/static/%2e/x",
            "/static//x",
            "/static/.hidden",
            "/static/a%5cb",
            "/static/c%3a",
            "/static/%00",
            "/static/%ff",
            "//etc",
            "static/x",
        ] {
            assert_eq!(find(path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn an_encoding_is_taken_when_it_is_named_and_not_refused() {
        let mut headers = HeaderMap::new();
        let offered = HeaderValue::from_static("gzip;q=0, deflate, BR");
        headers.insert(ACCEPT_ENCODING, offered);
        assert!(accepts(&headers, "br"));
        assert!(!accepts(&headers, "gzip"));
        assert!(!accepts(&HeaderMap::new(), "br"));
    }
}
