//! The arrows between the rooms, checked: the tables in this file are the rule.
//!
//! Every path that a file of `src/` names is read off its tokens, in `use` lines, code, attributes and macros alike;
//! tokens rather than a syntax tree, because a macro's body has no tree and is no excuse.
//! Comments and strings are not tokens of that kind, so they may speak of any room.
//! The arrows between crates are read off their manifests.

#[path = "architecture/documents.rs"]
mod documents;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

/// What a room may import, besides itself, and which crates it must not know.
struct Room {
    name: &'static str,
    arrows: &'static [Arrow],
    /// A name covers its family: `tokio` is `tokio_util` too.
    strangers: &'static [&'static str],
}

/// A permission to import.
enum Arrow {
    /// A room, or a crate of this workspace, with all it shows.
    To(&'static str),
    /// What stands in the room's own `mod.rs`, where its traits are; not the modules below it.
    ToPortOf(&'static str),
    /// The settings and limits of any room, so that they can be assembled.
    ToSettings,
    /// Every room and crate.
    ToAll,
}

use Arrow::{To, ToAll, ToPortOf, ToSettings};

/// The rooms, in arrow order. `lib` and `main` are the files of that name.
const ROOMS: &[Room] = &[
    Room {
        name: "model",
        arrows: &[To("driver_types")],
        strangers: &["tokio", "actix", "redis"],
    },
    Room {
        name: "expressions",
        arrows: &[To("model")],
        strangers: &["tokio", "actix", "redis"],
    },
    Room {
        name: "building_file",
        arrows: &[To("model"), To("expressions")],
        strangers: &[],
    },
    Room {
        name: "dialects",
        arrows: &[To("model"), To("expressions")],
        strangers: &["tokio", "actix"],
    },
    Room {
        name: "stores",
        arrows: &[To("model")],
        strangers: &[],
    },
    Room {
        name: "driver_host",
        arrows: &[To("model"), To("driver_sdk")],
        strangers: &["redis"],
    },
    Room {
        name: "peers",
        arrows: &[To("model")],
        strangers: &["actix", "redis"],
    },
    Room {
        name: "core",
        arrows: &[
            To("model"),
            ToPortOf("stores"),
            ToPortOf("driver_host"),
            ToPortOf("peers"),
        ],
        strangers: &["actix", "redis"],
    },
    Room {
        name: "server",
        arrows: &[To("core"), To("dialects"), To("building_file"), To("model")],
        strangers: &["redis"],
    },
    Room {
        name: "webhooks",
        arrows: &[To("core"), To("dialects"), To("model"), ToPortOf("stores")],
        strangers: &["actix", "redis"],
    },
    Room {
        name: "automation",
        arrows: &[
            To("core"),
            To("expressions"),
            To("model"),
            To("driver_sdk"),
            ToPortOf("driver_host"),
            ToPortOf("stores"),
        ],
        strangers: &["actix", "redis"],
    },
    Room {
        name: "config",
        arrows: &[To("model"), ToSettings],
        strangers: &[],
    },
    Room {
        name: "observability",
        arrows: &[To("model")],
        strangers: &[],
    },
    Room {
        name: "client",
        arrows: &[To("model")],
        strangers: &["actix"],
    },
    Room {
        name: "cli",
        arrows: &[To("config"), To("building_file"), To("client"), To("app")],
        strangers: &[],
    },
    Room {
        name: "app",
        arrows: &[ToAll],
        strangers: &[],
    },
    // What a program that embeds the gateway begins with is named at the root.
    Room {
        name: "lib",
        arrows: &[To("app")],
        strangers: &[],
    },
    Room {
        name: "main",
        arrows: &[
            To("cli"),
            To("config"),
            To("observability"),
            To("client"),
            To("app"),
        ],
        strangers: &[],
    },
];

/// The files of `core::access` that may derive `serde`, each for documents of riser's own. What others write and read, tokens for one, comes in through a port.
const OWN_DOCUMENTS: &[&str] = &[
    "src/core/access/sessions/session_table.rs",
    "src/core/access/tokens/keys.rs",
];

/// The folders of the room `dialects`. They must not know each other, and beside the list in the room's `mod.rs`
/// each is named in its own HTTP resources alone, and by `config` for its settings.
const DIALECTS: &[&str] = &[
    "echo",
    "placeos",
    "home_assistant",
    "platypush",
    "pusher",
    "pushjet",
];

/// Rooms that do for a dialect what no dialect can, as sending is; each may name that dialect.
const OF_A_DIALECT: &[(&str, &str)] = &[("webhooks", "pusher")];

/// The modules that mount resources, and so may name the folder `server::http::<dialect>` of every dialect.
const MOUNTS: &[&str] = &[
    "server::http",
    "server::http::mounts",
    "server::http::openapi",
];

/// What the resources of all dialects share, which names none.
const KIT: &str = "server::http::kit";

/// The rooms and ports inside `core`, in arrow order, with those that each may import: so there is no circle.
/// A file of `core` that is not listed puts them together, or stands on what is put together, and may import all of them.
const CORE_ROOMS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("metrics", &[]),
    ("quotas", &[]),
    ("outlet", &[]),
    ("reply", &["outlet"]),
    ("recent_calls", &["limits", "reply"]),
    ("lease", &["limits"]),
    ("ledger_replica", &["limits", "metrics"]),
    ("directory", &[]),
    ("subscriptions", &["limits", "outlet"]),
    (
        "access",
        &["limits", "ledger_replica", "directory", "subscriptions"],
    ),
    (
        "modules",
        &[
            "limits",
            "metrics",
            "quotas",
            "reply",
            "lease",
            "directory",
            "subscriptions",
        ],
    ),
    (
        "building",
        &[
            "limits",
            "quotas",
            "ledger_replica",
            "directory",
            "subscriptions",
            "access",
            "modules",
        ],
    ),
    (
        "cluster",
        &[
            "limits",
            "metrics",
            "reply",
            "lease",
            "directory",
            "subscriptions",
            "access",
            "modules",
        ],
    ),
    ("action_names", &["directory"]),
    ("call_watch", &["reply", "subscriptions", "access"]),
    // The ports, each a file.
    ("access_control", &["metrics", "access", "building"]),
    ("sign_in", &["metrics", "access", "building"]),
    ("services", &["limits", "directory", "building"]),
    (
        "building_editor",
        &["metrics", "access", "building", "services"],
    ),
    ("messages", &["limits", "metrics", "reply", "subscriptions"]),
    ("bus", &["limits", "metrics", "subscriptions"]),
    (
        "follows",
        &[
            "access",
            "outlet",
            "reply",
            "subscriptions",
            "modules",
            "building",
            "cluster",
            "bus",
        ],
    ),
    (
        "resolve",
        &[
            "metrics",
            "reply",
            "subscriptions",
            "access",
            "modules",
            "building",
            "cluster",
        ],
    ),
    (
        "calls",
        &[
            "metrics",
            "reply",
            "recent_calls",
            "call_watch",
            "access",
            "modules",
            "building",
            "cluster",
            "resolve",
        ],
    ),
    (
        "inbound_calls",
        &[
            "metrics", "reply", "access", "modules", "building", "cluster", "resolve",
        ],
    ),
    ("custom_commands", &["limits", "reply", "access"]),
    ("token_requests", &["reply", "access", "sign_in"]),
    (
        "snapshots",
        &["limits", "subscriptions", "access", "building"],
    ),
    (
        "views",
        &[
            "limits",
            "directory",
            "subscriptions",
            "modules",
            "building",
            "custom_commands",
        ],
    ),
    (
        "queries",
        &[
            "limits",
            "reply",
            "directory",
            "subscriptions",
            "access",
            "modules",
            "building",
            "cluster",
            "resolve",
            "snapshots",
        ],
    ),
];

/// What tests of the core stand on is of no room.
const CORE_TESTS: &[&str] = &["tests"];

/// Which crates of this workspace a crate may depend on, tests included.
const CRATES: &[(&str, &[&str])] = &[
    ("driver-types", &[]),
    ("driver-sdk-macros", &[]),
    ("driver-sdk", &["driver-types", "driver-sdk-macros"]),
    (
        "riser",
        &[
            "driver-types",
            "driver-sdk",
            "driver-registry",
            "test-support",
        ],
    ),
];

/// The same for every crate below `drivers/` that has no row of its own: a driver, and what its tests stand on.
const DRIVER: &[&str] = &["driver-sdk", "test-support"];

/// The one crate that names the drivers; it may depend on all that have no row.
const REGISTRY: &str = "driver-registry";

#[test]
fn the_rooms_import_only_along_the_arrows() {
    let mut violations = Vec::new();
    for file in rust_files(&root().join("src")) {
        violations.extend(check(&relative(&file), &read(&file)));
    }
    assert_none(&violations);
}

#[test]
fn the_crates_depend_only_along_the_arrows() {
    let packages = packages();
    let ours: Vec<&str> = packages.iter().map(|package| &*package.name).collect();
    let mut violations = Vec::new();
    for package in &packages {
        violations.extend(check_package(package, &ours));
    }
    assert_none(&violations);
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    let mut files = rust_files(&root().join("src"));
    let drivers = root().join("drivers");
    files.extend(
        rust_files(&drivers)
            .into_iter()
            .filter(|file| file.components().any(|part| part.as_os_str() == "src")),
    );
    let violations: Vec<String> = files
        .iter()
        .filter(|file| !opens_with_its_purpose(&read(file)))
        .map(|file| format!("{}:1: the file must open with a //! line", relative(file)))
        .collect();
    assert_none(&violations);
}

fn assert_none(violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{} against the rules of ARCHITECTURE.md:\n{}",
        violations.len(),
        violations.join("\n")
    );
}

fn opens_with_its_purpose(source: &str) -> bool {
    source
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//!"))
        .is_some_and(|purpose| !purpose.trim().is_empty())
}

// The rules.

/// The violations of one source file, each as `file:line: what`.
fn check(file: &str, source: &str) -> Vec<String> {
    let module = module_of(file);
    let name = match module.first() {
        Some(room) => room.as_str(),
        None if file.ends_with("main.rs") => "main",
        None => "lib",
    };
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![format!(
            "{file}:1: {name} is no room: give it a row in tests/architecture.rs"
        )];
    };
    let tokens: TokenStream = match source.parse() {
        Ok(tokens) => tokens,
        Err(error) => return vec![format!("{file}:1: not Rust: {error}")],
    };
    let mut reader = Reader {
        module,
        found: Vec::new(),
    };
    reader.read(tokens);
    let may_derive_serde = !file.starts_with("src/core/access/") || OWN_DOCUMENTS.contains(&file);
    reader
        .found
        .iter()
        .filter_map(|mention| {
            let complaint = complaint(room, mention).or_else(|| {
                let derives = mention.path[0] == "serde" && !may_derive_serde;
                derives.then(|| "may derive serde only for documents of its own".to_owned())
            })?;
            let path = mention.path.join("::");
            let Room { name, .. } = room;
            Some(format!(
                "{file}:{}: {name} {complaint} ({path})",
                mention.line
            ))
        })
        .collect()
}

/// What is wrong with a room naming a path, if anything is.
fn complaint(room: &Room, mention: &Mention) -> Option<String> {
    match mention.target() {
        Target::Inside(path) => complaint_inside(room, &mention.module, &path),
        Target::Outside(name) if name == "core" => {
            Some("must write std:: or crate::core::, never a bare core::".to_owned())
        }
        Target::Outside(name) => {
            let ours = name.starts_with("driver_");
            let stranger = room
                .strangers
                .iter()
                .any(|stranger| name == *stranger || name.starts_with(&format!("{stranger}_")));
            let refused = stranger || (ours && !leads_to(room, &name, &[]));
            refused.then(|| format!("may not import the crate {name}"))
        }
    }
}

/// The same for a path from the crate's root.
fn complaint_inside(room: &Room, from: &[String], path: &[String]) -> Option<String> {
    let Some((to, rest)) = path.split_first() else {
        return Some("must name the room that it imports, not the whole crate".to_owned());
    };
    if to == "*" {
        return Some("must name the room that it imports, not the whole crate".to_owned());
    }
    if let Some(complaint) = complaint_over_http(from, path) {
        return Some(complaint);
    }
    if to == room.name {
        return complaint_between_dialects(from, path).or_else(|| complaint_in_core(from, path));
    }
    if let ("dialects", Some(dialect)) = (to.as_str(), rest.first())
        && DIALECTS.contains(&dialect.as_str())
        && !["config", "app", "server"].contains(&room.name)
        && !OF_A_DIALECT.contains(&(room.name, dialect))
    {
        return Some(format!("may not name the dialect {dialect}"));
    }
    let is_room = ROOMS.iter().any(|room| room.name == to);
    (is_room && !leads_to(room, to, rest)).then(|| match room.port_of(to) {
        true => format!("may import from {to} only what its mod.rs defines"),
        false => format!("may not import {to}"),
    })
}

fn complaint_in_core(from: &[String], to: &[String]) -> Option<String> {
    let [room, own, below @ ..] = from else {
        return None;
    };
    let is_test = |module: &String| {
        CORE_TESTS.contains(&module.as_str()) || module == "properties" || module == "interleavings"
    };
    if room != "core" || below.iter().any(is_test) {
        return None;
    }
    let (_, arrows) = CORE_ROOMS.iter().find(|(name, _)| name == own)?;
    let to = to.get(1)?.as_str();
    let may = to == own || arrows.contains(&to) || CORE_TESTS.contains(&to);
    (!may).then(|| format!("core::{own} may not import core::{to}"))
}

fn complaint_between_dialects(from: &[String], to: &[String]) -> Option<String> {
    let [room, own, ..] = from else { return None };
    if room != "dialects" {
        return None;
    }
    if !DIALECTS.contains(&own.as_str()) {
        let named = to.get(1).filter(|to| DIALECTS.contains(&to.as_str()));
        return named.map(|named| format!("{own} may not name the dialect {named}"));
    }
    match to.get(1).map(String::as_str) {
        None | Some("*") => Some(format!(
            "must name what {own} imports of the room, not the whole room"
        )),
        Some(other) if other != own && DIALECTS.contains(&other) => {
            Some(format!("{own} may not import the dialect {other}"))
        }
        Some(_) => None,
    }
}

/// What the server's modules may name of the dialects and of their folders below `server::http`.
fn complaint_over_http(from: &[String], to: &[String]) -> Option<String> {
    let from = from.join("::");
    let is_below = |module: &str| {
        from.strip_prefix(module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    match to[..] {
        ["dialects", ..] if is_below(KIT) => Some("may name no dialect in its kit".to_owned()),
        ["dialects", dialect, ..] if is_below("server") && DIALECTS.contains(&dialect) => {
            let is_own = is_below(&format!("server::http::{dialect}"));
            (!is_own)
                .then(|| format!("may name the dialect {dialect} in server::http::{dialect} alone"))
        }
        ["server", "http", dialect, ..] if DIALECTS.contains(&dialect) => {
            let is_own = is_below(&format!("server::http::{dialect}"));
            (!is_own && !MOUNTS.contains(&from.as_str()))
                .then(|| format!("may name server::http::{dialect} where it is mounted alone"))
        }
        _ => None,
    }
}

/// Whether one of the room's arrows permits `to`, of which `rest` is named.
fn leads_to(room: &Room, to: &str, rest: &[String]) -> bool {
    room.arrows.iter().any(|arrow| match arrow {
        To(name) => *name == to,
        ToPortOf(name) => *name == to && rest.first().is_some_and(|item| is_type_like(item)),
        ToSettings => rest
            .iter()
            .any(|item| item.ends_with("Settings") || item.ends_with("Limits")),
        ToAll => true,
    })
}

impl Room {
    fn port_of(&self, to: &str) -> bool {
        self.arrows
            .iter()
            .any(|arrow| matches!(arrow, ToPortOf(name) if *name == to))
    }
}

/// Types and traits begin with a capital; modules, and the `*` that would bring them in, do not.
fn is_type_like(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// A crate of the workspace, as far as its arrows go.
struct Package {
    name: String,
    is_below_drivers: bool,
    dependencies: Vec<String>,
}

fn check_package(package: &Package, ours: &[&str]) -> Vec<String> {
    let has_row = |name: &str| name == REGISTRY || CRATES.iter().any(|(row, _)| *row == name);
    let row = CRATES.iter().find(|(row, _)| *row == package.name);
    let may_depend_on = |name: &str| match row {
        Some((_, allowed)) => allowed.contains(&name),
        None if package.name == REGISTRY => !has_row(name) || DRIVER.contains(&name),
        None if package.is_below_drivers => DRIVER.contains(&name),
        // Tools are not part of the gateway.
        None => true,
    };
    package
        .dependencies
        .iter()
        // On itself: how a crate switches on its own test kit for its tests.
        .filter(|name| **name != package.name)
        .filter(|name| ours.contains(&name.as_str()) && !may_depend_on(name))
        .map(|name| format!("Cargo.toml of {}: may not depend on {name}", package.name))
        .collect()
}

// Reading paths off tokens.

/// A path as a file names it.
struct Mention {
    /// Where it stands, from the crate's root.
    module: Vec<String>,
    path: Vec<String>,
    line: usize,
    /// Begins with a module that the same place declares, so that one called like a crate is not taken for it.
    is_local: bool,
}

/// Where a path leads.
enum Target {
    /// Into this crate; the path from its root.
    Inside(Vec<String>),
    /// To a crate, or to a name that some `use` of the file has brought in.
    Outside(String),
}

impl Mention {
    fn target(&self) -> Target {
        let first = self.path.first().map(String::as_str);
        let from_here = match first {
            // What the binary calls the library.
            Some("crate" | "riser") => return Target::Inside(self.path[1..].to_vec()),
            Some("self" | "super") => true,
            Some(_) | None => self.is_local,
        };
        if !from_here {
            return Target::Outside(self.path[0].clone());
        }
        let mut module = self.module.clone();
        for name in &self.path {
            match name.as_str() {
                "self" => {}
                "super" => {
                    module.pop();
                }
                name => module.push(name.to_owned()),
            }
        }
        Target::Inside(module)
    }
}

/// Collects the paths of a file.
struct Reader {
    /// The module being read; inline modules lengthen it.
    module: Vec<String>,
    found: Vec<Mention>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let submodules: Vec<String> = (0..trees.len())
            .filter(|&at| word_at(&trees, at).is_some_and(|word| word == "mod"))
            .filter_map(|at| word_at(&trees, at + 1))
            .map(Ident::to_string)
            .collect();
        let first = self.found.len();
        self.read_trees(&trees);
        for mention in &mut self.found[first..] {
            let stands_here = mention.module == self.module;
            mention.is_local |= stands_here && submodules.contains(&mention.path[0]);
        }
    }

    fn read_trees(&mut self, trees: &[TokenTree]) {
        let mut at = 0;
        while at < trees.len() {
            at = match &trees[at] {
                TokenTree::Group(group) => {
                    self.read(group.stream());
                    at + 1
                }
                TokenTree::Ident(word) if word == "mod" => self.read_module(trees, at),
                TokenTree::Ident(word) if word == "use" => self.read_use(trees, at + 1, &[]),
                TokenTree::Ident(word) if word == "extern" => self.read_extern(trees, at),
                TokenTree::Ident(word) if word == "pub" => after_visibility(trees, at),
                TokenTree::Ident(_) => self.read_path(trees, at),
                TokenTree::Punct(_) if is_separator(trees, at) => {
                    if follows_generics(trees, at) {
                        // The rest of a path whose beginning is inside the brackets: `<T as Trait>::Item`.
                        end_of_path(trees, at + 2)
                    } else {
                        self.read_path(trees, at + 2)
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
            };
        }
    }

    /// `mod name { … }`: what stands inside is one level deeper.
    fn read_module(&mut self, trees: &[TokenTree], at: usize) -> usize {
        match (word_at(trees, at + 1), trees.get(at + 2)) {
            (Some(name), Some(TokenTree::Group(body))) if body.delimiter() == Delimiter::Brace => {
                self.module.push(name.to_string());
                self.read(body.stream());
                self.module.pop();
                at + 3
            }
            _ => at + 1,
        }
    }

    /// `extern crate name` imports like a `use` of one word.
    fn read_extern(&mut self, trees: &[TokenTree], at: usize) -> usize {
        match (word_at(trees, at + 1), word_at(trees, at + 2)) {
            (Some(keyword), Some(name)) if keyword == "crate" => {
                self.mention(vec![name.to_string()], name);
                at + 3
            }
            _ => at + 1,
        }
    }

    /// One branch of a `use`, and by recursion the branches in its braces.
    fn read_use(&mut self, trees: &[TokenTree], mut at: usize, prefix: &[String]) -> usize {
        let mut path = prefix.to_vec();
        let mut last = None;
        loop {
            match trees.get(at) {
                Some(TokenTree::Ident(word)) => {
                    // `a::{self}` is `a`.
                    if path.is_empty() || word != "self" {
                        path.push(word.to_string());
                    }
                    last = Some(word);
                    at += 1;
                }
                Some(TokenTree::Group(branches)) => {
                    let branches: Vec<TokenTree> = branches.stream().into_iter().collect();
                    for branch in branches.split(|tree| is_punct(Some(tree), ',')) {
                        self.read_use(branch, 0, &path);
                    }
                    return at + 1;
                }
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                    path.push("*".to_owned());
                    let line = star.span().start().line;
                    self.mention_at(path, line);
                    return at + 1;
                }
                // `$crate` in a macro.
                Some(TokenTree::Punct(dollar)) if dollar.as_char() == '$' => at += 1,
                Some(TokenTree::Punct(_)) if is_separator(trees, at) => {
                    at += 2;
                    continue;
                }
                // Anything else, such as the `use<…>` of a captured lifetime, is no path.
                Some(TokenTree::Punct(_) | TokenTree::Literal(_)) | None => return at,
            }
            if last.is_some() && !is_separator(trees, at) {
                break;
            }
        }
        if let Some(last) = last {
            self.mention(path, last);
        }
        at
    }

    /// A path in code: two words or more. `at` is its first word.
    fn read_path(&mut self, trees: &[TokenTree], at: usize) -> usize {
        let end = end_of_path(trees, at);
        let mut words: Vec<&Ident> = (at..end)
            .step_by(3)
            .filter_map(|at| word_at(trees, at))
            .collect();
        // `return ::a::b` is a path from the root behind a keyword.
        if words.first().is_some_and(|word| is_keyword(word)) {
            words.remove(0);
        }
        let is_rooted = at >= 2 && is_separator(trees, at - 2);
        if words.len() > 1 || (is_rooted && !words.is_empty()) {
            let path = words.iter().map(|word| word.to_string()).collect();
            self.mention(path, words[0]);
        }
        end.max(at + 1)
    }

    fn mention(&mut self, path: Vec<String>, word: &Ident) {
        self.mention_at(path, word.span().start().line);
    }

    fn mention_at(&mut self, path: Vec<String>, line: usize) {
        self.found.push(Mention {
            module: self.module.clone(),
            path,
            line,
            is_local: false,
        });
    }
}

/// Behind a `pub`, and behind the `(in a::b)` that says who may see: that imports nothing.
fn after_visibility(trees: &[TokenTree], at: usize) -> usize {
    match trees.get(at + 1) {
        Some(TokenTree::Group(scope))
            if scope.delimiter() == Delimiter::Parenthesis
                && matches!(scope.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "in") =>
        {
            at + 2
        }
        Some(_) | None => at + 1,
    }
}

/// Behind the last word of the path whose first word is at `at`.
fn end_of_path(trees: &[TokenTree], at: usize) -> usize {
    if word_at(trees, at).is_none() {
        return at;
    }
    let mut end = at + 1;
    while is_separator(trees, end) && word_at(trees, end + 2).is_some() {
        end += 3;
    }
    end
}

fn word_at(trees: &[TokenTree], at: usize) -> Option<&Ident> {
    match trees.get(at) {
        Some(TokenTree::Ident(word)) => Some(word),
        Some(TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_)) | None => None,
    }
}

/// Whether `::` begins at `at`.
fn is_separator(trees: &[TokenTree], at: usize) -> bool {
    is_joint(trees.get(at), ':') && is_punct(trees.get(at + 1), ':')
}

/// Whether the `::` at `at` stands behind the `>` of generics, rather than behind an arrow.
fn follows_generics(trees: &[TokenTree], at: usize) -> bool {
    let before = |count: usize| at.checked_sub(count).and_then(|at| trees.get(at));
    is_punct(before(1), '>') && !is_joint(before(2), '-') && !is_joint(before(2), '=')
}

fn is_punct(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn is_joint(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct))
        if punct.as_char() == character && punct.spacing() == Spacing::Joint)
}

/// Whether a word cannot begin a path, so that a `::` behind it begins one.
fn is_keyword(word: &Ident) -> bool {
    const KEYWORDS: &[&str] = &[
        "as", "box", "break", "const", "dyn", "else", "for", "if", "impl", "in", "match", "mut",
        "return", "unsafe", "where", "while", "yield",
    ];
    KEYWORDS.iter().any(|keyword| word == keyword)
}

// The project's files.

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn relative(file: &Path) -> String {
    let file = file.strip_prefix(root()).expect("files are below the root");
    file.display().to_string()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("cannot read {file:?}: {error}"))
}

/// The module that a file of `src/` defines, from the crate's root; empty for `lib.rs` and `main.rs`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_prefix("src/").unwrap_or(file);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" | "main" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

/// Every Rust file below a folder, in a fixed order.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("the folders of the project can be read");
        for entry in entries {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {output:?}");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["packages"])
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            is_below_drivers: Path::new(&text(&package["manifest_path"]))
                .starts_with(root().join("drivers")),
            dependencies: list(&package["dependencies"])
                .iter()
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect()
}

// The checker, checked: for each rule what it lets pass and what it refuses.

#[track_caller]
fn good(file: &str, source: &str) {
    let violations = check(file, source);
    assert!(
        violations.is_empty(),
        "{source:?} in {file}: {violations:?}"
    );
}

/// Refused with exactly these complaints, given without the file's name.
#[track_caller]
fn bad(file: &str, source: &str, expected: &[&str]) {
    let violations = check(file, source);
    let mut shown = String::new();
    for complaint in expected {
        writeln!(shown, "{file}:{complaint}").expect("writing to a string");
    }
    assert_eq!(violations.join("\n"), shown.trim_end(), "for {source:?}");
}

#[test]
fn a_room_imports_itself_and_the_rooms_its_arrows_lead_to() {
    good(
        "src/server/ws/worker.rs",
        "use crate::core::Core; use crate::server::limits::PING_INTERVAL; use crate::model::{Event, ids::SystemId};",
    );
    good(
        "src/building_file/mod.rs",
        "use crate::model::SystemId; use std::fmt;",
    );
    good(
        "src/app.rs",
        "use crate::{server, stores::redis::RedisStore}; use driver_registry::drivers;",
    );
    bad(
        "src/stores/mod.rs",
        "use crate::model::ModuleId;\nuse crate::core::Core;",
        &["2: stores may not import core (crate::core::Core)"],
    );
    bad(
        "src/server/http/mod.rs",
        "use crate::{\n    core::Core,\n    stores::StoreError,\n};",
        &["3: server may not import stores (crate::stores::StoreError)"],
    );
    bad(
        "src/observability/mod.rs",
        "use crate::server as edge;",
        &["1: observability may not import server (crate::server)"],
    );
    bad(
        "src/cli/mod.rs",
        "use crate::core::Core;",
        &["1: cli may not import core (crate::core::Core)"],
    );
}

#[test]
fn a_path_in_code_or_in_a_macro_is_an_import_too() {
    bad(
        "src/model/ids.rs",
        "fn f() { let x = crate::server::ws::limits(); }",
        &["1: model may not import server (crate::server::ws::limits)"],
    );
    bad(
        "src/building_file/mod.rs",
        "fn f() {\n    assert_eq!(1, crate::core::ONE);\n}",
        &["2: building_file may not import core (crate::core::ONE)"],
    );
    bad(
        "src/core/mod.rs",
        "#[actix_web::get(\"/\")] fn f() -> Vec<crate::server::A> {}",
        &[
            "1: core may not import the crate actix_web (actix_web::get)",
            "1: core may not import server (crate::server::A)",
        ],
    );
    bad(
        "src/stores/mod.rs",
        "type A = <crate::core::B as crate::model::C>::D; impl ::driver_sdk::E for A {}",
        &[
            "1: stores may not import core (crate::core::B)",
            "1: stores may not import the crate driver_sdk (driver_sdk::E)",
        ],
    );
    bad(
        "src/model/mod.rs",
        "macro_rules! m { () => { $crate::core::go() } }",
        &["1: model may not import core (crate::core::go)"],
    );
}

#[test]
fn a_comment_or_a_text_imports_nothing() {
    good(
        "src/model/mod.rs",
        "//! See [`crate::core`]. \n// use crate::server;\nconst A: &str = \"crate::server::x tokio::spawn\";",
    );
}

#[test]
fn a_relative_path_is_followed() {
    good(
        "src/core/modules/actor.rs",
        "use super::mailbox::Mailbox; use super::super::lease;",
    );
    good(
        "src/core/status.rs",
        "mod tests { use super::*; use super::super::directory; }",
    );
    bad(
        "src/model/ids.rs",
        "use super::super::core::Core;",
        &["1: model may not import core (super::super::core::Core)"],
    );
    bad(
        "src/model/ids.rs",
        "#[cfg(test)]\nmod tests {\n    use super::super::super::server::X;\n}",
        &["3: model may not import server (super::super::super::server::X)"],
    );
}

#[test]
fn a_test_inside_a_room_keeps_to_its_arrows() {
    bad(
        "src/core/status.rs",
        "#[cfg(test)]\nmod tests {\n    use crate::stores::embedded::EmbeddedStore;\n}",
        &[
            "3: core may import from stores only what its mod.rs defines (crate::stores::embedded::EmbeddedStore)",
        ],
    );
}

#[test]
fn the_pure_rooms_know_no_runtime() {
    good(
        "src/model/mod.rs",
        "use serde::Serialize; use driver_types::ModuleId;",
    );
    good(
        "src/core/mod.rs",
        "use tokio::sync::mpsc; fn f() { tokio::select! {} }",
    );
    good(
        "src/stores/redis/mod.rs",
        "use redis::aio::Connection; use tokio_util::sync::X;",
    );
    bad(
        "src/model/mod.rs",
        "use tokio_util::codec::Decoder;",
        &["1: model may not import the crate tokio_util (tokio_util::codec::Decoder)"],
    );
    bad(
        "src/dialects/mod.rs",
        "use tokio;\nextern crate actix_web;\nfn f() { ::tokio::spawn(x) }",
        &[
            "1: dialects may not import the crate tokio (tokio)",
            "2: dialects may not import the crate actix_web (actix_web)",
            "3: dialects may not import the crate tokio (tokio::spawn)",
        ],
    );
    bad(
        "src/core/auth/token.rs",
        "use actix_web::web;",
        &["1: core may not import the crate actix_web (actix_web::web)"],
    );
}

#[test]
fn who_somebody_is_has_no_form_of_others() {
    let source = "use serde::Deserialize;";
    good("src/core/access/tokens/keys.rs", source);
    good("src/core/cluster/mod.rs", source);
    good(
        "src/core/access/tokens/mod.rs",
        "use serde_json::value::RawValue;",
    );
    bad(
        "src/core/access/tokens/claims.rs",
        source,
        &["1: core may derive serde only for documents of its own (serde::Deserialize)"],
    );
}

#[test]
fn core_sees_of_the_stores_and_hosts_their_ports() {
    good(
        "src/core/directory.rs",
        "use crate::stores::{Directory, StoreError}; use crate::driver_host::DriverHost;",
    );
    good(
        "src/core/directory.rs",
        "fn f(e: crate::stores::StoreError) { crate::stores::StoreError::Gone; }",
    );
    for door in ["redis::keys", "*", "embedded::Store"] {
        bad(
            "src/core/directory.rs",
            &format!("use crate::stores::{door};"),
            &[&format!(
                "1: core may import from stores only what its mod.rs defines (crate::stores::{door})"
            )],
        );
    }
    bad(
        "src/core/directory.rs",
        "use crate::driver_host::{self, in_process};",
        &[
            "1: core may import from driver_host only what its mod.rs defines (crate::driver_host)",
            "1: core may import from driver_host only what its mod.rs defines (crate::driver_host::in_process)",
        ],
    );
}

#[test]
fn a_dialect_does_not_know_its_neighbours() {
    good(
        "src/dialects/mod.rs",
        "use self::pusher::Pusher; mod placeos; use placeos::Session;",
    );
    good(
        "src/dialects/pusher/session.rs",
        "use super::wire::Frame; use crate::dialects::{Form, Step}; use crate::dialects::pusher::errors;",
    );
    bad(
        "src/dialects/pusher/session.rs",
        "use crate::dialects::placeos::wire;\nuse super::super::pushjet;\nuse crate::dialects::*;",
        &[
            "1: dialects pusher may not import the dialect placeos (crate::dialects::placeos::wire)",
            "2: dialects pusher may not import the dialect pushjet (super::super::pushjet)",
            "3: dialects must name what pusher imports of the room, not the whole room (crate::dialects::*)",
        ],
    );
}

#[test]
fn the_rooms_of_the_core_have_arrows_of_their_own() {
    good(
        "src/core/cluster/placement.rs",
        "use crate::core::lease::Lease; use crate::core::modules::Supervisor;",
    );
    good(
        "src/core/building_access.rs",
        "use crate::core::{Core, cluster::Membership};",
    );
    bad(
        "src/core/calls.rs",
        "use crate::core::cluster::outbound::Outbound; use crate::core::Core;",
        &["1: core core::calls may not import core::Core (crate::core::Core)"],
    );
    bad(
        "src/core/access/keys.rs",
        "use crate::core::building::EditError;\nuse crate::core::Core;",
        &[
            "1: core core::access may not import core::building (crate::core::building::EditError)",
            "2: core core::access may not import core::Core (crate::core::Core)",
        ],
    );
    let place = |room: &str| CORE_ROOMS.iter().position(|(name, _)| *name == room);
    for (room, arrows) in CORE_ROOMS {
        let is_below = |to: &&str| place(to).is_some_and(|to| Some(to) < place(room));
        assert!(arrows.iter().all(is_below), "{room} in a circle");
    }
}

#[test]
fn the_server_names_a_dialect_in_its_own_folder_alone() {
    good(
        "src/server/http/placeos/zones.rs",
        "use crate::dialects::placeos::rest::ZoneShape; use crate::server::http::placeos::access; use crate::server::http::kit::Answer;",
    );
    good(
        "src/server/http/openapi.rs",
        "use crate::server::http::placeos::{self, auth};",
    );
    bad(
        "src/server/http/health.rs",
        "use crate::dialects::placeos::rest::ErrorShape;\nuse crate::server::http::placeos::Body;",
        &[
            "1: server may name the dialect placeos in server::http::placeos alone (crate::dialects::placeos::rest::ErrorShape)",
            "2: server may name server::http::placeos where it is mounted alone (crate::server::http::placeos::Body)",
        ],
    );
    bad(
        "src/server/http/pusher/mod.rs",
        "use crate::dialects::placeos::rest;\nuse super::placeos::access;",
        &[
            "1: server may name the dialect placeos in server::http::placeos alone (crate::dialects::placeos::rest)",
            "2: server may name server::http::placeos where it is mounted alone (super::placeos::access)",
        ],
    );
    bad(
        "src/server/http/kit/mod.rs",
        "use crate::dialects::Session;",
        &["1: server may name no dialect in its kit (crate::dialects::Session)"],
    );
}

#[test]
fn a_dialect_is_named_in_its_own_places_alone() {
    good(
        "src/config/mod.rs",
        "use crate::dialects::pusher::PusherSettings;",
    );
    good(
        "src/server/ws/upgrade.rs",
        "use crate::dialects::{DialectKind, Hello};",
    );
    bad(
        "src/server/ws/upgrade.rs",
        "use crate::dialects::placeos::ValueForm;",
        &[
            "1: server may name the dialect placeos in server::http::placeos alone (crate::dialects::placeos::ValueForm)",
        ],
    );
    bad(
        "src/dialects/out.rs",
        "use crate::dialects::pusher::Key;",
        &["1: dialects out may not name the dialect pusher (crate::dialects::pusher::Key)"],
    );
}

#[test]
fn who_may_see_a_thing_is_no_import() {
    good(
        "src/dialects/placeos/frames.rs",
        "pub(in crate::dialects) fn encode() {} pub(in crate::dialects) use wire::Frame; struct A(pub B);",
    );
    bad(
        "src/model/mod.rs",
        "struct A(pub (crate::core::B, C));",
        &["1: model may not import core (crate::core::B)"],
    );
}

#[test]
fn config_takes_settings_and_nothing_else() {
    good(
        "src/config/mod.rs",
        "use crate::server::{ServerSettings, limits::Limits}; fn f() { crate::core::CoreSettings::default() }",
    );
    bad(
        "src/config/mod.rs",
        "use crate::server::{self, ServerSettings};",
        &["1: config may not import server (crate::server)"],
    );
}

#[test]
fn a_bare_core_path_is_refused() {
    good(
        "src/server/mod.rs",
        "use crate::core::Core; use std::fmt; fn f() { self::core::x() }",
    );
    bad(
        "src/server/mod.rs",
        "use core::fmt;\nfn f() { ::core::mem::drop(x) }",
        &[
            "1: server must write std:: or crate::core::, never a bare core:: (core::fmt)",
            "2: server must write std:: or crate::core::, never a bare core:: (core::mem::drop)",
        ],
    );
}

#[test]
fn only_the_rooms_that_may_know_drivers_do() {
    good("src/driver_host/mod.rs", "use driver_sdk::Definition;");
    good(
        "src/core/modules/mod.rs",
        "mod driver_table; use driver_table::Row; fn f(driver_id: u8) {}",
    );
    bad(
        "src/driver_host/mod.rs",
        "use driver_registry::drivers;",
        &["1: driver_host may not import the crate driver_registry (driver_registry::drivers)"],
    );
}

#[test]
fn nobody_imports_the_whole_crate() {
    bad(
        "src/core/mod.rs",
        "use crate::*;\nuse crate as all;",
        &[
            "1: core must name the room that it imports, not the whole crate (crate::*)",
            "2: core must name the room that it imports, not the whole crate (crate)",
        ],
    );
}

#[test]
fn main_sees_the_command_line_and_what_it_starts() {
    good(
        "src/main.rs",
        "use riser::cli; fn main() { riser::app::run() }",
    );
    good("src/lib.rs", "//! The map.\npub mod model;\npub mod core;");
    bad(
        "src/main.rs",
        "use riser::core::Core;",
        &["1: main may not import core (riser::core::Core)"],
    );
}

#[test]
fn a_folder_without_a_row_is_no_room() {
    bad(
        "src/helpers/mod.rs",
        "",
        &["1: helpers is no room: give it a row in tests/architecture.rs"],
    );
}

#[test]
fn a_driver_depends_on_the_sdk_alone() {
    let ours = [
        "riser",
        "driver-types",
        "driver-sdk",
        "driver-registry",
        "pjlink",
        "virtual",
    ];
    let check = |name: &str, dependencies: &[&str]| {
        let package = Package {
            name: name.to_owned(),
            is_below_drivers: name != "riser",
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        };
        check_package(&package, &ours).join("\n")
    };
    assert_eq!(check("pjlink", &["driver-sdk", "tokio", "pjlink"]), "");
    assert_eq!(
        check("driver-registry", &["driver-sdk", "pjlink", "virtual"]),
        ""
    );
    assert_eq!(
        check("pjlink", &["driver-sdk", "virtual", "riser"]),
        "Cargo.toml of pjlink: may not depend on virtual\nCargo.toml of pjlink: may not depend on riser"
    );
    assert_eq!(
        check("driver-registry", &["riser"]),
        "Cargo.toml of driver-registry: may not depend on riser"
    );
    assert_eq!(
        check("riser", &["driver-sdk", "pjlink"]),
        "Cargo.toml of riser: may not depend on pjlink"
    );
}

#[test]
fn the_opening_line_says_something() {
    assert!(opens_with_its_purpose("//! What it is.\n"));
    assert!(!opens_with_its_purpose("//!\n"));
    assert!(!opens_with_its_purpose("// What it is.\n"));
    assert!(!opens_with_its_purpose(""));
}
