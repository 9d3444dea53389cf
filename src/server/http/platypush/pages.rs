//! The pages of Platypush, from the folder that the settings name, at the dialect's own address alone.
//!
//! Separate because these are files of another make: nothing in them is known here.
//! Every path without an end to its name is a page, which finds its way itself.

use std::path::{Path, PathBuf};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE, X_FRAME_OPTIONS,
};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::server::ServerState;
use crate::server::http::folder::{self, Keep, segments};
use crate::server::http::mounts::Site;
use crate::server::http::platypush::authn::known_caller;
use crate::server::http::platypush::rejections::nothing_here;

/// The page that all pages are.
const INDEX: &str = "index.html";

/// The folders that are served.
const FOLDERS: [&str; 5] = ["static", "img", "icons", "fonts", "assets"];

/// What stands below these is a page, whatever its name.
const PAGES: [&str; 2] = ["plugin", "dashboard"];

/// The picture of Platypush among the files of its pages.
const LOGO: &str = "img/logo.png";

/// What Platypush draws itself for its pages.
const DRAWN: &str = "logo.svg";

/// Behind the name of a plugin: its picture, which is Platypush's own where it has none.
const ICON: &str = "icon";

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
    let is_page = path.as_path() == Path::new(INDEX);
    let keep = match is_page {
        true => Keep::Never,
        false => Keep::Asking,
    };
    let Some(mut response) = folder::file(&state, folder, &path, keep, &request).await else {
        if is_page {
            tracing::warn!(folder = %folder.display(), "`platypush.web_ui` has no page that can be read; does the setting name the folder `dist`?");
        }
        return nothing(&request);
    };
    let headers = response.headers_mut();
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
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
    let Some(names) = segments(path) else {
        return Found::Nothing;
    };
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return Found::Page;
    };
    if let [DRAWN] | ["plugin", _, ICON] = *names.iter().map(String::as_str).collect::<Vec<_>>() {
        return Found::File(PathBuf::from(LOGO));
    }
    // The name of a plugin has a point in it.
    if PAGES.contains(&first.as_str()) || !last.contains('.') {
        return Found::Page;
    }
    match names.len() == 1 || FOLDERS.contains(&first.as_str()) {
        true => Found::File(names.iter().collect()),
        false => Found::Nothing,
    }
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
            ("/logo.svg", file("img/logo.png")),
            ("/plugin/board_room.display_1/icon", file("img/logo.png")),
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
