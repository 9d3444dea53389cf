//! The pages of Platypush, from the folder that the settings name, at the dialect's own address alone.
//!
//! Separate because these are files of another make: nothing in them is known here.
//! Every path without an end to its name is a page, which finds its way itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;

use crate::server::ServerState;
use crate::server::http::mounts::Site;
use crate::server::http::platypush::authn::known_caller;
use crate::server::http::platypush::rejections::nothing_here;
use crate::server::limits::PAGE_FILE_MAX_BYTES;

/// The page that all pages are.
const INDEX: &str = "index.html";

/// The folders that are served.
const FOLDERS: [&str; 5] = ["static", "img", "icons", "fonts", "assets"];

/// What stands below these is a page, whatever its name.
const PAGES: [&str; 2] = ["plugin", "dashboard"];

/// The types by the ends of names.
const TYPES: [(&str, &str); 13] = [
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
];

/// What a path is.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    File(PathBuf),
    Page,
    Nothing,
}

/// The answer to a path that no resource has.
pub(super) async fn serve(state: Data<ServerState>, request: HttpRequest) -> HttpResponse {
    let Some(folder) = &state.settings.platypush.web_ui else {
        return nothing(&request);
    };
    let path = match find(request.path()) {
        Found::File(path) => path,
        Found::Page => PathBuf::from(INDEX),
        Found::Nothing => return nothing(&request),
    };
    let keep = match path.as_path() == Path::new(INDEX) {
        true => "no-cache",
        false => "public, max-age=3600",
    };
    let path = folder.join(path);
    match read(path.clone()).await {
        Ok(bytes) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, content_type(&path)))
            .insert_header((CACHE_CONTROL, keep))
            .insert_header(("X-Frame-Options", "SAMEORIGIN"))
            .insert_header(("Referrer-Policy", "same-origin"))
            .body(bytes),
        Err(error) => {
            if path.ends_with(INDEX) {
                tracing::warn!(path = %path.display(), %error, "a page of `platypush.web_ui` could not be read; does the setting name the folder `dist`?");
            }
            nothing(&request)
        }
    }
}

/// The answer to what is not there, or not by this method.
fn nothing(request: &HttpRequest) -> HttpResponse {
    match request.app_data::<Site>() {
        Some(site) => site.unknown(request),
        None => nothing_here().to_response(),
    }
}

/// What a path of a request is. Names that begin with a point are none of the pages', and `..` is one of those.
fn find(path: &str) -> Found {
    let Some(path) = path.strip_prefix('/') else {
        return Found::Nothing;
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Found::Page;
    }
    let names = path.split('/').map(|segment| {
        let name = percent_decode_str(segment).decode_utf8().ok()?;
        let is_plain = !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\\', ':', '\0'])
            && !name.chars().any(char::is_control);
        is_plain.then(|| name.into_owned())
    });
    let Some(names) = names.collect::<Option<Vec<String>>>() else {
        return Found::Nothing;
    };
    // The name of a plugin has a point in it.
    if PAGES.contains(&names[0].as_str()) {
        return Found::Page;
    }
    let has_end = names.last().is_some_and(|name| name.contains('.'));
    match (names.len(), has_end) {
        (1, true) => Found::File(names.iter().collect()),
        (_, true) if FOLDERS.contains(&names[0].as_str()) => Found::File(names.iter().collect()),
        (_, true) => Found::Nothing,
        (_, false) => Found::Page,
    }
}

fn content_type(path: &Path) -> &'static str {
    let end = path.extension().and_then(|end| end.to_str());
    let known = TYPES.iter().find(|(known, _)| Some(*known) == end);
    known.map_or("application/octet-stream", |(_, name)| name)
}

async fn read(path: PathBuf) -> io::Result<Vec<u8>> {
    let read = web::block(move || {
        let about = fs::metadata(&path)?;
        if !about.is_file() || about.len() > PAGE_FILE_MAX_BYTES {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        fs::read(&path)
    });
    read.await.map_err(io::Error::other)?
}

/// Ends the session of a page, takes its cookies away and leads to the page where one signs in.
pub(super) async fn sign_out(state: Data<ServerState>, request: HttpRequest) -> HttpResponse {
    // A page of another site ends nothing.
    if let Ok(known) = known_caller(&state, &request).await
        && known.session.is_some()
        && let Err(error) = state.core.sign_ins.sign_out(&known.caller).await
    {
        tracing::warn!(%error, "a session could not be ended");
    }
    let mut response = HttpResponse::build(StatusCode::FOUND);
    response.insert_header((LOCATION, "/login"));
    for name in ["session_token", "csrf_token"] {
        let gone = format!("{name}=; Path=/; Max-Age=0");
        response.append_header((SET_COOKIE, gone));
    }
    response.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_and_all_else_is_a_page_or_nothing() {
        let file = |path: &str| Found::File(PathBuf::from(path));
        for (path, expect) in [
            ("/", Found::Page),
            ("/login", Found::Page),
            ("/plugin/board_room.display_1", Found::Page),
            ("/dashboard/main/", Found::Page),
            ("/favicon.ico", file("favicon.ico")),
            ("/static/js/app.js", file("static/js/app.js")),
            ("/other/app.js", Found::Nothing),
            ("/static/../../etc/passwd.x", Found::Nothing),
            ("/static/%2e%2e/x.js", Found::Nothing),
            ("/static/..%2fx.js", Found::Nothing),
            ("/.hidden", Found::Nothing),
            ("//x", Found::Nothing),
        ] {
            assert_eq!(find(path), expect, "{path}");
        }
    }
}
