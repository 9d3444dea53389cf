//! The mount table: which resources stand under which prefix, and the answer to an unknown path there.
//!
//! Separate because routes, websockets, refusals and the specification are all made of the same rows.
//! An address serves a [`Site`]: the rows that it shows, each at its whole path. It knows no handler of a resource.

use std::cmp::Reverse;
use std::sync::Arc;

use actix_web::http::header::{ALLOW, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, post};
use futures_util::FutureExt;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Specification;
use utoipa::openapi::path::PathItem;

use crate::dialects::DialectKind;
use crate::model::Transport;
use crate::server::http::kit::{HttpRejection, Words};
use crate::server::http::openapi::resources;
use crate::server::http::placeos::authn::Placeos;
use crate::server::http::placeos::{self, auth, building, node_api};
use crate::server::http::shared::{self, Claimant, SharedForm};
use crate::server::http::{
    console, folder, health, home_assistant, openapi, platypush, pusher, pushjet, redirect,
};
use crate::server::ws::entering::not_upgraded;
use crate::server::{FolderSettings, ServerSettings, ServerState};

/// The owner of what belongs to no dialect.
pub(in crate::server) const RISER: &str = "riser";

/// The owner of what nodes ask each other.
pub(in crate::server) const NODES: &str = "nodes";

/// The owner of PlaceOS's resources and of its websocket.
pub(in crate::server) const PLACEOS: &str = "placeos";

/// The owner of Home Assistant's resources and of its websocket.
pub(in crate::server) const HOME_ASSISTANT: &str = "home_assistant";

/// The owner of Platypush's resources and of its websockets.
pub(in crate::server) const PLATYPUSH: &str = "platypush";

/// The owner of Pusher's resources and of its websocket.
pub(in crate::server) const PUSHER: &str = "pusher";

/// The owner of Pushjet's resources and of its websocket.
pub(in crate::server) const PUSHJET: &str = "pushjet";

/// A row of the table.
pub(in crate::server) struct Mount {
    /// The word of a dialect, or [`RISER`] or [`NODES`].
    owner: &'static str,
    /// What stands in front of its paths, behind the base; empty at the root.
    prefix: &'static str,
    base: Base,
    routes: fn(&mut ServiceConfig),
    specification: fn() -> Specification,
    /// What a path is answered that nothing here has.
    unknown: fn() -> HttpRejection,
    /// In whose words requests are answered that come to no handler.
    words: Words,
}

/// Whether the setting `base_path` stands in front of a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Below,
    /// Nodes reach each other beside every proxy, and a PlaceOS knows no base path.
    Beside,
}

/// What operators ask. It may have an address of its own.
static HEALTH: Mount = Mount {
    owner: RISER,
    prefix: "",
    base: Base::Below,
    routes: health::Health::configure,
    specification: health::Health::openapi,
    unknown: placeos::nothing_here,
    words: placeos::WORDS,
};

/// The paths for clients and other nodes. An unknown path at the root gets PlaceOS's words, whatever is mounted there.
static MOUNTS: &[Mount] = &[
    // What is shared stands first, since the first that fits a path has it.
    Mount {
        owner: RISER,
        prefix: "",
        base: Base::Below,
        routes: SharedPaths::configure,
        specification: SharedPaths::openapi,
        unknown: placeos::nothing_here,
        words: placeos::WORDS,
    },
    Mount {
        owner: RISER,
        prefix: "",
        base: Base::Below,
        routes: |config| {
            openapi::Itself::configure(config);
            auth::Pages::configure(config);
            building::configure(config);
            console::configure_root(config);
        },
        specification: || {
            openapi::Itself::openapi()
                .merge_from(auth::Pages::openapi())
                .merge_from(building::Whole::openapi())
        },
        unknown: placeos::nothing_here,
        words: placeos::WORDS,
    },
    Mount {
        owner: RISER,
        prefix: console::PREFIX,
        base: Base::Below,
        routes: console::configure,
        // Files for people, and no interface for programs.
        specification: openapi::empty,
        unknown: placeos::nothing_here,
        words: placeos::WORDS,
    },
    Mount {
        owner: NODES,
        prefix: "",
        base: Base::Beside,
        routes: node_api::configure,
        specification: || openapi::empty().nest(node_api::BASE, node_api::Cores::openapi()),
        unknown: placeos::nothing_here,
        words: placeos::WORDS,
    },
    Mount {
        owner: PLACEOS,
        prefix: "",
        base: Base::Below,
        routes: |config| {
            auth::SignIn::configure(config);
            placeos::configure(config);
        },
        specification: || {
            auth::SignIn::openapi()
                .merge_from(placeos::Open::openapi())
                .merge_from(placeos::Staff::openapi())
                .nest(placeos::BASE, placeos::Engine::openapi())
                .nest(placeos::BASE, placeos::Websocket::openapi())
        },
        unknown: placeos::nothing_here,
        words: placeos::WORDS,
    },
    Mount {
        owner: HOME_ASSISTANT,
        prefix: "",
        base: Base::Below,
        routes: home_assistant::configure,
        specification: home_assistant::specification,
        unknown: home_assistant::nothing_here,
        words: home_assistant::WORDS,
    },
    Mount {
        owner: PLATYPUSH,
        prefix: "",
        base: Base::Below,
        routes: platypush::configure,
        specification: platypush::specification,
        unknown: platypush::nothing_here,
        words: platypush::WORDS,
    },
    Mount {
        owner: PUSHER,
        prefix: "",
        base: Base::Below,
        routes: pusher::configure,
        specification: pusher::specification,
        unknown: pusher::nothing_here,
        words: pusher::WORDS,
    },
    Mount {
        owner: PUSHJET,
        prefix: "/pushjet",
        base: Base::Below,
        routes: pushjet::configure,
        specification: pushjet::specification,
        unknown: pushjet::nothing_here,
        words: pushjet::WORDS,
    },
    #[cfg(test)]
    tests::MOUNT,
    #[cfg(test)]
    tests::ECHO,
];

/// What dialects have at their own addresses alone: their pages, behind everything else.
static PAGES: &[Mount] = &[
    Mount {
        owner: HOME_ASSISTANT,
        prefix: "",
        base: Base::Below,
        routes: home_assistant::configure_pages,
        specification: openapi::empty,
        unknown: home_assistant::nothing_here,
        words: home_assistant::WORDS,
    },
    Mount {
        owner: PLATYPUSH,
        prefix: "",
        base: Base::Below,
        routes: platypush::configure_pages,
        specification: openapi::empty,
        unknown: platypush::nothing_here,
        words: platypush::WORDS,
    },
];

resources! {
    /// What several dialects have at one path.
    SharedPaths: token
}

/// Who has `/auth/token`. The last of them has what no other claims.
static TOKEN: &[Claimant] = &[
    Claimant {
        owner: HOME_ASSISTANT,
        claims: home_assistant::auth::claims_shared,
        answer: |state, request, body| {
            home_assistant::auth::answer_shared(state, request, body).boxed_local()
        },
    },
    Claimant {
        owner: PLACEOS,
        claims: |_, _, _| true,
        answer: |state, request, body| auth::answer_shared(state, request, body).boxed_local(),
    },
];

/// Tokens, for PlaceOS's clients as at `/auth/oauth/token` and for Home Assistant's by their codes and refresh tokens.
///
/// A request is Home Assistant's when its `client_id` is the address of a web page, or when it has none and shows a code or a refresh token of such an app.
#[utoipa::path(
    tag = "auth",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = Object),
        (status = 403, description = "A page of another origin asks."),
        (status = "default", description = "400 the request or the grant, 408 the form does not come fast enough, 413 it is too large, 429 too many have failed, 503 not at the moment.", body = Object),
    )
)]
#[post("/auth/token")]
async fn token(
    state: Data<ServerState>,
    request: HttpRequest,
    form: SharedForm<Placeos>,
) -> HttpResponse {
    let answered = shared::answer(TOKEN, state, request, form).await;
    answered.unwrap_or_else(|| placeos::nothing_here().to_response())
}

/// The specifications of all rows that the settings open, wherever they are served.
pub(super) fn specifications(settings: &ServerSettings) -> impl Iterator<Item = Specification> {
    let rows = std::iter::once(&HEALTH).chain(open(settings));
    rows.map(|mount| match mount.prefix {
        "" => (mount.specification)(),
        prefix => openapi::empty().nest(prefix, (mount.specification)()),
    })
}

fn open(settings: &ServerSettings) -> impl Iterator<Item = &'static Mount> {
    let is_open =
        |mount: &&Mount| [RISER, NODES].contains(&mount.owner) || settings.opens(mount.owner);
    MOUNTS.iter().filter(is_open)
}

/// What one address serves, and by what.
#[derive(Clone)]
pub(in crate::server) struct Site(Arc<SiteInner>, Transport);

struct SiteInner {
    /// The longest path first, and each path in one piece: the first that fits has a request.
    placed: Vec<Placed>,
    /// The folders of files, each behind all of its path, the longest first.
    folders: Vec<(String, FolderSettings)>,
    /// What answers where no resource does.
    elsewhere: Elsewhere,
}

/// What an address has for requests that no resource takes.
#[derive(Debug, Clone, Copy)]
enum Elsewhere {
    /// The answer of the mount to an unknown path.
    Nothing,
    /// The port to which clients are sent, by TLS.
    Redirect(u16),
    /// The websocket of a dialect, whatever the path.
    Websocket(DialectKind),
}

struct Placed {
    /// All that stands in front of the paths of the mount; empty at the root.
    at: String,
    mount: &'static Mount,
    /// The methods of each path behind that, as the specification has them.
    methods: Vec<(String, Vec<&'static str>)>,
}

impl Site {
    /// The main address: everything that is open.
    pub(in crate::server) fn main(settings: &ServerSettings) -> Self {
        let rows = health_beside(settings).chain(open(settings));
        let rows = rows.map(|mount| mount.placed(settings));
        let folders = settings.folders.iter().map(|folder| {
            let at = format!("{}{}", settings.base_path, folder.path);
            (at, folder.clone())
        });
        Self::with_folders(rows, folders.collect(), Elsewhere::Nothing)
    }

    /// The operators' own address.
    pub(in crate::server) fn health(settings: &ServerSettings) -> Self {
        Self::new([HEALTH.placed(settings)], Elsewhere::Nothing)
    }

    /// The plain address beside an encrypted one, from which clients are sent to this port.
    pub(in crate::server) fn redirect(settings: &ServerSettings, port: u16) -> Self {
        let rows = health_beside(settings).map(|mount| mount.placed(settings));
        Self::new(rows, Elsewhere::Redirect(port))
    }

    /// A dialect's own address, where it has every path.
    pub(in crate::server) fn of_dialect(dialect: &str) -> Self {
        let rows = MOUNTS.iter().chain(PAGES);
        let rows = rows.filter(|mount| mount.owner == dialect);
        let placed = rows.map(|mount| mount.placed_at(String::new()));
        Self::new(placed, Elsewhere::Nothing)
    }

    /// An address of a dialect where every path is its websocket.
    pub(in crate::server) fn of_websocket(kind: DialectKind) -> Self {
        Self::new([], Elsewhere::Websocket(kind))
    }

    fn new(placed: impl IntoIterator<Item = Placed>, elsewhere: Elsewhere) -> Self {
        Self::with_folders(placed, Vec::new(), elsewhere)
    }

    fn with_folders(
        placed: impl IntoIterator<Item = Placed>,
        mut folders: Vec<(String, FolderSettings)>,
        elsewhere: Elsewhere,
    ) -> Self {
        folders.sort_by_key(|(at, _)| Reverse(at.len()));
        let mut placed: Vec<Placed> = placed.into_iter().collect();
        placed.sort_by(|a, b| (Reverse(a.at.len()), &a.at).cmp(&(Reverse(b.at.len()), &b.at)));
        let inner = SiteInner {
            placed,
            folders,
            elsewhere,
        };
        Self(Arc::new(inner), Transport::Plain)
    }

    /// The same, where streams are encrypted.
    pub(in crate::server) fn by_tls(self) -> Self {
        Self(self.0, Transport::Encrypted)
    }

    /// By what its streams come.
    pub(in crate::server) fn transport(&self) -> Transport {
        self.1
    }

    /// Adds the routes, and the answer to every other path.
    pub(in crate::server) fn configure(&self, config: &mut ServiceConfig) {
        for rows in self.0.placed.chunk_by(|a, b| a.at == b.at) {
            // One scope for each path, since the first that fits has a request for good.
            let scope = rows.iter().fold(web::scope(&rows[0].at), |scope, placed| {
                scope.configure(placed.mount.routes)
            });
            config.service(scope);
        }
        let site = self.clone();
        let unknown = move |state: Data<ServerState>, request: HttpRequest| {
            let site = site.clone();
            async move { site.beside(&state, &request).await }
        };
        config.default_service(web::route().to(unknown));
    }

    /// The answer to a request that no resource takes: a file of a folder, where one has the path, for no folder hides a resource.
    async fn beside(&self, state: &ServerState, request: &HttpRequest) -> HttpResponse {
        let path = request.path();
        if self.0.folders.is_empty() || self.allowed(path).is_some() {
            return self.unknown(request);
        }
        let mut folders = self.0.folders.iter();
        if folders.any(|(at, _)| at.strip_suffix('/') == Some(path)) {
            return below_it(request);
        }
        let mut folders = self.0.folders.iter();
        let found = folders.find_map(|(at, folder)| Some((folder, path.strip_prefix(&**at)?)));
        let Some((folder, rest)) = found else {
            return self.unknown(request);
        };
        if request.method() != Method::GET {
            return not_possible(request, placeos::WORDS, FILES);
        }
        let file = folder::serve(state, folder, rest, request).await;
        file.unwrap_or_else(|| self.unknown(request))
    }

    /// The answer to a request that no resource takes.
    pub(in crate::server::http) fn unknown(&self, request: &HttpRequest) -> HttpResponse {
        match self.0.elsewhere {
            Elsewhere::Nothing => {}
            Elsewhere::Redirect(port) => return redirect::send_on(request, port),
            Elsewhere::Websocket(_) => return not_upgraded().to_response(),
        }
        let mount = self.mount(request.path());
        if let (Some(mount), Some(allowed)) = (mount, self.allowed(request.path())) {
            return not_possible(request, mount.words, allowed);
        }
        let unknown = mount.map_or(placeos::nothing_here as fn() -> _, |mount| mount.unknown);
        unknown().to_response()
    }

    /// The methods of what stands at a path, as the header `Allow` has them; `None` if nothing does.
    pub(in crate::server) fn allowed(&self, path: &str) -> Option<HeaderValue> {
        let at_path = self.0.placed.iter().filter_map(|placed| {
            let rest = below(&placed.at, path)?;
            Some(placed.methods.iter().filter(|(known, _)| fits(known, rest)))
        });
        let mut methods: Vec<&str> = at_path
            .flatten()
            .flat_map(|(_, methods)| methods.iter().copied())
            .collect();
        methods.sort_unstable();
        methods.dedup();
        (!methods.is_empty()).then(|| HeaderValue::from_str(&methods.join(", ")).ok())?
    }

    /// In whose words a request for a path is answered before it comes to a handler.
    pub(in crate::server) fn words(&self, path: &str) -> Words {
        let mount = self.mount(path);
        let mount = mount.or_else(|| {
            let owner = self.websocket()?.as_str();
            MOUNTS.iter().find(|mount| mount.owner == owner)
        });
        mount.map_or(placeos::WORDS, |mount| mount.words)
    }

    /// The dialect whose websocket every path is.
    pub(in crate::server) fn websocket(&self) -> Option<DialectKind> {
        match self.0.elsewhere {
            Elsewhere::Websocket(kind) => Some(kind),
            Elsewhere::Nothing | Elsewhere::Redirect(_) => None,
        }
    }

    /// Whether this is a dialect's own address.
    pub(in crate::server::http) fn is_of(&self, dialect: &str) -> bool {
        let mut placed = self.0.placed.iter();
        placed.all(|placed| placed.mount.owner == dialect)
    }

    /// What has a path: the row with a resource there, else the one with the longest prefix.
    fn mount(&self, path: &str) -> Option<&'static Mount> {
        let has_it = |placed: &&Placed| {
            let rest = below(&placed.at, path);
            rest.is_some_and(|rest| placed.methods.iter().any(|(known, _)| fits(known, rest)))
        };
        let mut placed = self.0.placed.iter();
        let by_prefix = |placed: &&Placed| below(&placed.at, path).is_some();
        let found = placed.find(has_it);
        let found = found.or_else(|| self.0.placed.iter().find(by_prefix));
        found.map(|placed| placed.mount)
    }

    /// Whether a path is answered before the building is known.
    pub(in crate::server) fn answers_at_once(&self, path: &str) -> bool {
        self.local(RISER, path).is_some_and(health::is_health_path)
            // Other nodes are told by each resource what it cannot do yet: that nothing ran, for one.
            || self.local(NODES, path).is_some_and(node_api::is_core_path)
    }

    /// What a path is called in the lists of an owner's resources; `None` where this address has nothing of theirs.
    pub(in crate::server) fn local<'p>(&self, owner: &str, path: &'p str) -> Option<&'p str> {
        let mut theirs = self
            .0
            .placed
            .iter()
            .filter(|placed| placed.mount.owner == owner);
        theirs.find_map(|placed| below(&placed.at, path))
    }
}

impl Mount {
    fn placed(&'static self, settings: &ServerSettings) -> Placed {
        let base = match self.base {
            Base::Below => &settings.base_path,
            Base::Beside => "",
        };
        self.placed_at(format!("{base}{}", self.prefix))
    }

    fn placed_at(&'static self, at: String) -> Placed {
        let paths = (self.specification)().paths.paths;
        let methods = paths
            .iter()
            .map(|(path, item)| (path.clone(), methods(item)));
        Placed {
            at,
            mount: self,
            methods: methods.collect(),
        }
    }
}

/// What a file of a folder can be asked for by.
const FILES: HeaderValue = HeaderValue::from_static("GET, HEAD");

fn not_possible(request: &HttpRequest, words: Words, allowed: HeaderValue) -> HttpResponse {
    let message = format!("{} is not possible here", request.method());
    let refusal = words.rejection(StatusCode::METHOD_NOT_ALLOWED, &message);
    refusal.with_header(ALLOW, allowed).to_response()
}

/// Sends a browser to the path of a folder with the slash behind it, since its pages name their files from there.
fn below_it(request: &HttpRequest) -> HttpResponse {
    let place = match request.query_string() {
        "" => format!("{}/", request.path()),
        query => format!("{}/?{query}", request.path()),
    };
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, place))
        .finish()
}

/// The methods of a path. Whatever can be read can be asked for by its head.
fn methods(item: &PathItem) -> Vec<&'static str> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    [
        (get, "GET"),
        (get, "HEAD"),
        (put, "PUT"),
        (post, "POST"),
        (delete, "DELETE"),
        (patch, "PATCH"),
    ]
    .into_iter()
    .filter(|(operation, _)| operation.is_some())
    .map(|(_, method)| method)
    .collect()
}

/// Whether a path fits a template such as `/zones/{zone}`.
fn fits(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let fit = template.split('/').all(|known| match segments.next() {
        Some(segment) if known.starts_with('{') => !segment.is_empty(),
        Some(segment) => segment == known,
        None => false,
    });
    fit && segments.next().is_none()
}

/// What operators ask, where it has no address of its own.
fn health_beside(settings: &ServerSettings) -> impl Iterator<Item = &'static Mount> + use<> {
    settings
        .health_listen
        .is_none()
        .then_some(&HEALTH)
        .into_iter()
}

/// The rest of a path behind a prefix that ends where a segment does.
fn below<'p>(prefix: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests;
