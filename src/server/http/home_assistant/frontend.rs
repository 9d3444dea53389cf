//! The pages of Home Assistant's dashboard, from the folder that the settings name, at the dialect's own address alone.
//!
//! Separate because these are files of another make: nothing in them is known here but two templates.
//! Every path that is no file is a page of the dashboard, which finds its way itself; what is below `/api` and `/auth` never is.

use std::path::PathBuf;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::dialects::home_assistant::rest::render;
use crate::server::ServerState;
use crate::server::http::folder::{self, Keep, segments};
use crate::server::http::home_assistant::rejections::nothing_here;
use crate::server::http::mounts::{HOME_ASSISTANT, Site};

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
            let file = folder::file(&state, folder, &path, keep, &request).await;
            file.unwrap_or_else(|| nothing(&request))
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
    let bytes = folder::read(path.clone())
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
}
