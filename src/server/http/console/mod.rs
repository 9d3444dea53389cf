//! The console: the building in a browser, served from the binary.
//!
//! Separate because it is no resource: files without a word of the building in them, which every browser may have.
//! Its scripts are a client of PlaceOS's REST and websocket and have no way in that other clients lack.
//! What it shows is written in `docs/console.md`.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, LOCATION,
    VARY,
};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, guard};
use sha2::{Digest, Sha256};

use crate::server::ServerState;
use crate::server::http::folder::{self, EmbeddedFile};
use crate::server::http::mounts::Site;

/// Where the console stands, behind the base.
pub(super) const PREFIX: &str = "/console";

/// Nothing but our own files and the gateway itself, and no page around it that could lay something over it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// The page itself; every other file is named by it or by another script.
const INDEX: &str = "index.html";

/// How many bytes of the digest of a file tell its contents apart.
const TAG_BYTES: usize = 12;

macro_rules! pages {
    ($($name:literal: $kind:ident),+ $(,)?) => {
        &[$(EmbeddedFile {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("pages/", $name)),
        }),+]
    };
}

/// All that the console is made of.
static PAGES: &[EmbeddedFile] = pages! {
    "index.html": HTML,
    "style.css": STYLE,
    "icon.svg": PICTURE,
    "alerts.js": SCRIPT,
    "arguments.js": SCRIPT,
    "base.js": SCRIPT,
    "building.js": SCRIPT,
    "calls.js": SCRIPT,
    "chart.js": SCRIPT,
    "cluster.js": SCRIPT,
    "conditions.js": SCRIPT,
    "credential.js": SCRIPT,
    "dialogs.js": SCRIPT,
    "dom.js": SCRIPT,
    "edit.js": SCRIPT,
    "entry.js": SCRIPT,
    "exact.js": SCRIPT,
    "examples.js": SCRIPT,
    "fields.js": SCRIPT,
    "functions.js": SCRIPT,
    "glance.js": SCRIPT,
    "kinds.js": SCRIPT,
    "lines.js": SCRIPT,
    "log.js": SCRIPT,
    "main.js": SCRIPT,
    "metrics.js": SCRIPT,
    "parts.js": SCRIPT,
    "rest.js": SCRIPT,
    "room.js": SCRIPT,
    "series.js": SCRIPT,
    "session.js": SCRIPT,
    "sha256.js": SCRIPT,
    "signin.js": SCRIPT,
    "socket.js": SCRIPT,
    "standing.js": SCRIPT,
    "statuses.js": SCRIPT,
    "times.js": SCRIPT,
    "toasts.js": SCRIPT,
    "trigger.js": SCRIPT,
    "tryit.js": SCRIPT,
    "value.js": SCRIPT,
    "watches.js": SCRIPT,
    "zones.js": SCRIPT,
};

/// The tags of all files, by their contents.
static TAGS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    let tags = PAGES.iter().map(|page| (page.name, tag(page.bytes)));
    tags.collect()
});

/// Adds the files of the console.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("", web::get().to(to_the_console))
        .service(web::resource("/{name:[^/]*}").guard(guard::Get()).to(serve));
}

/// Adds the way from the root to the console, for browsers alone: what programs get there is PlaceOS's to say.
pub(super) fn configure_root(config: &mut ServiceConfig) {
    let wants_a_page = guard::fn_guard(|context| takes_pages(context.head().headers()));
    config.service(
        web::resource(["", "/"])
            .guard(guard::Get())
            .guard(wants_a_page)
            .to(to_the_console),
    );
}

/// Whether this comes from somebody who looks, by what a browser says it takes.
fn takes_pages(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT);
    let mut offers = lines.flat_map(|line| line.to_str().unwrap_or_default().split(','));
    offers.any(|offer| {
        let kind = offer.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("text/html")
    })
}

async fn to_the_console(state: Data<ServerState>) -> HttpResponse {
    let place = format!("{}{PREFIX}/", state.settings.base_path);
    HttpResponse::build(StatusCode::SEE_OTHER)
        .insert_header((LOCATION, place))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "accept"))
        .finish()
}

/// One file. A browser asks each time whether it still has the right one.
async fn serve(state: Data<ServerState>, request: HttpRequest, name: Path<String>) -> HttpResponse {
    let name = match name.as_str() {
        "" => INDEX,
        // The page has one address, or its scripts would run at two.
        INDEX => return nothing(&request),
        name => name,
    };
    let Some(page) = PAGES.iter().find(|page| page.name == name) else {
        return nothing(&request);
    };
    let file = folder::embedded(&state, page, &TAGS[page.name], &request).await;
    let Some(mut response) = file else {
        return nothing(&request);
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The answer to a path that is no file.
fn nothing(request: &HttpRequest) -> HttpResponse {
    match request.app_data::<Site>() {
        Some(site) => site.unknown(request),
        None => HttpResponse::NotFound().finish(),
    }
}

fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut tag = String::from("\"");
    for byte in &digest[..TAG_BYTES] {
        // Writing into a text does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests;
