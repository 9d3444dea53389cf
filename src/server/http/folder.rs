//! Folders of files for browsers: which name leads to a file, how a file is sent, and how long it may be kept.
//!
//! The one way in which files are served, for the pages of a dialect and for the folders that the settings name; the console, whose files are in the binary, takes tags, types of encoding and headers from here.
//! No name leads out of a folder, nor does a link in it, and no folder is listed.

mod packed;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use percent_encoding::percent_decode_str;

use crate::server::limits::PAGE_FILE_MAX_BYTES;
use crate::server::{FolderSettings, ServerState};

pub(in crate::server) use packed::PackedFiles;

/// The page of a folder, where it is asked for itself.
const INDEX: &str = "index.html";

/// Encodings in which a file may lie beside itself, the shortest first.
const ENCODINGS: [(&str, &str); 2] = [("br", "br"), ("gzip", "gz")];

/// The types by the ends of names.
const TYPES: [(&str, &str); 21] = [
    ("css", "text/css; charset=utf-8"),
    ("gif", "image/gif"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("otf", "font/otf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml"),
];

/// How long a browser may keep a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// For good.
    Always,
    /// For a while, and asks again then.
    Asking,
    /// It asks each time.
    Never,
}

impl Keep {
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Always => "public, max-age=31536000, immutable",
            Self::Asking => "public, max-age=86400",
            Self::Never => "no-cache",
        }
    }
}

/// A file as it is sent.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    /// What another content does not have.
    tag: String,
    bytes: u64,
    /// In which encoding it lies there.
    encoding: Option<&'static str>,
}

/// A file that is in the binary.
pub(super) struct EmbeddedFile {
    pub(super) name: &'static str,
    /// Its type, as the header says it.
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

/// What a path behind that of a folder of the settings leads to; `None` for nothing.
pub(super) async fn serve(
    state: &ServerState,
    folder: &FolderSettings,
    rest: &str,
    request: &HttpRequest,
) -> Option<HttpResponse> {
    let names = segments(&format!("/{rest}"))?;
    let name = match names.is_empty() {
        true => PathBuf::from(INDEX),
        false => names.iter().collect(),
    };
    let found = file(state, &folder.folder, &name, Keep::Never, request).await;
    // A page's own files have ends in their names, and its places have none.
    let is_place = names.last().is_none_or(|last| !last.contains('.'));
    match (found, &folder.fallback) {
        (None, Some(fallback)) if is_place => {
            let fallback = Path::new(fallback);
            file(state, &folder.folder, fallback, Keep::Never, request).await
        }
        (found, _) => found,
    }
}

/// The names of a path that leads nowhere but down; `None` for every other. A slash at the end says nothing.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let names = path.split('/').map(|segment| {
        let name = percent_decode_str(segment).decode_utf8().ok()?;
        // A name that begins with a point is no page's, and `..` is one of those.
        let is_plain = !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\\', ':', '\0'])
            && !name.chars().any(char::is_control);
        is_plain.then(|| name.into_owned())
    });
    names.collect()
}

/// A file of a folder, in the shortest form that the browser takes: as it lies beside itself, or compressed here; `None` where there is none.
pub(super) async fn file(
    state: &ServerState,
    folder: &Path,
    name: &Path,
    keep: Keep,
    request: &HttpRequest,
) -> Option<HttpResponse> {
    let encodings = ENCODINGS.map(|(encoding, end)| {
        let is_taken = accepts(request.headers(), encoding);
        is_taken.then_some((encoding, end))
    });
    let (root, asked) = (folder.to_owned(), name.to_owned());
    let found = web::block(move || find(&root, &asked, encodings)).await;
    let mut found = found.ok()?.ok()?;
    let kind = content_type(name);
    let is_packed =
        found.encoding.is_none() && is_to_be_packed(request.headers(), kind, found.bytes);
    if is_packed {
        found.tag = packed_tag(&found.tag);
        found.encoding = Some(packed::ENCODING);
    }
    if is_known(request.headers(), &found.tag) {
        return Some(head(StatusCode::NOT_MODIFIED, &found.tag, keep).finish());
    }
    let content = match is_packed {
        true => {
            let plain = || read(found.path.clone());
            state.packed.of(&found.path, &found.tag, plain).await
        }
        false => read(found.path.clone()).await,
    };
    let content = content.ok()?;
    let mut response = head(StatusCode::OK, &found.tag, keep);
    response.insert_header((CONTENT_TYPE, kind));
    if let Some(encoding) = found.encoding {
        response.insert_header((CONTENT_ENCODING, encoding));
    }
    Some(response.body(content))
}

/// A file that is in the binary, compressed where the browser takes that; `None` where it cannot be compressed.
pub(super) async fn embedded(
    state: &ServerState,
    file: &EmbeddedFile,
    tag: &str,
    request: &HttpRequest,
) -> Option<HttpResponse> {
    let EmbeddedFile { name, kind, bytes } = *file;
    let is_packed = is_to_be_packed(request.headers(), kind, bytes.len() as u64);
    let tag = match is_packed {
        true => Cow::Owned(packed_tag(tag)),
        false => Cow::Borrowed(tag),
    };
    if is_known(request.headers(), &tag) {
        return Some(head(StatusCode::NOT_MODIFIED, &tag, Keep::Never).finish());
    }
    let plain = async || Ok(Bytes::from_static(bytes));
    let mut response = head(StatusCode::OK, &tag, Keep::Never);
    response.insert_header((CONTENT_TYPE, kind));
    if !is_packed {
        return Some(response.body(bytes));
    }
    // No path of a folder is relative, so no other file has this one.
    let content = state.packed.of(Path::new(name), &tag, plain).await.ok()?;
    response.insert_header((CONTENT_ENCODING, packed::ENCODING));
    Some(response.body(content))
}

/// Whether a file of this type and size is sent compressed to a browser.
fn is_to_be_packed(headers: &HeaderMap, kind: &str, bytes: u64) -> bool {
    packed::shrinks(kind, bytes) && accepts(headers, packed::ENCODING)
}

/// The tag of a content when it is compressed, which is another content.
fn packed_tag(tag: &str) -> String {
    format!("{}-gz\"", tag.trim_end_matches('"'))
}

/// The whole of a file, if it is small enough to be served.
pub(super) async fn read(path: PathBuf) -> io::Result<Bytes> {
    let content = web::block(move || {
        look_at(&path)?;
        fs::read(&path)
    });
    let content = content.await.map_err(io::Error::other)??;
    Ok(Bytes::from(content))
}

fn find(
    folder: &Path,
    name: &Path,
    encodings: [Option<(&'static str, &'static str)>; 2],
) -> io::Result<Found> {
    let folder = folder.canonicalize()?;
    let path = folder.join(name);
    for (encoding, end) in encodings.into_iter().flatten() {
        if let Ok(found) = inside(&folder, &with_end(&path, end), Some(encoding)) {
            return Ok(found);
        }
    }
    inside(&folder, &path, None)
}

/// A file that is in the folder, also when all links are followed.
fn inside(folder: &Path, path: &Path, encoding: Option<&'static str>) -> io::Result<Found> {
    let path = path.canonicalize()?;
    if !path.starts_with(folder) {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    let about = look_at(&path)?;
    let changed = about.modified()?.duration_since(UNIX_EPOCH);
    let changed = changed.map_or(0, |since| since.as_micros());
    Ok(Found {
        tag: format!("\"{:x}-{changed:x}\"", about.len()),
        bytes: about.len(),
        path,
        encoding,
    })
}

fn look_at(path: &Path) -> io::Result<fs::Metadata> {
    let about = fs::metadata(path)?;
    match about.is_file() && about.len() <= PAGE_FILE_MAX_BYTES {
        true => Ok(about),
        false => Err(io::Error::from(io::ErrorKind::NotFound)),
    }
}

fn head(status: StatusCode, tag: &str, keep: Keep) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CACHE_CONTROL, keep.header()))
        .insert_header((ETAG, tag))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((VARY, "accept-encoding"));
    response
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

/// Whether a browser has the content of this tag by its own word.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH);
    let mut known = lines.flat_map(|line| line.to_str().unwrap_or_default().split(','));
    known.any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

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
            assert_eq!(segments(path), None, "{path}");
        }
        let inside = segments("/static/a%20b.png/").unwrap();
        assert_eq!(inside, ["static", "a b.png"]);
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

    #[test]
    fn a_tag_is_known_in_each_form_in_which_browsers_send_it() {
        for (sent, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"ab\"", false),
            ("a", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(sent));
            assert_eq!(is_known(&headers, "\"a\""), known, "{sent}");
        }
    }
}
