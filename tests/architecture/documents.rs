//! The map and the design documents, compared with the source: their links, their names, their reading order.
//!
//! Separate from the arrows, because it reads Markdown; the commands of the documents are tried by `tests/it/documents.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{
    assert_none, is_joint, is_punct, is_type_like, module_of, read, relative, root, rust_files,
};

/// The map is read in one sitting; what makes it longer belongs into `docs/design`.
const MAP_MAX_BYTES: usize = 14_000;

/// Types, crates and constants of others that the design names.
const FOREIGN: &[&str] = &[
    "CLOCK_BOOTTIME",
    "Debug",
    "HttpService",
    "Rc",
    "RefCell",
    "ServerConfig",
    "TCP_USER_TIMEOUT",
    "std",
    "tokio",
];

#[test]
fn the_map_fits_into_fourteen_kilobytes() {
    let size = read(&root().join("ARCHITECTURE.md")).len();
    assert!(
        size <= MAP_MAX_BYTES,
        "ARCHITECTURE.md has {size} bytes; move details into docs/design"
    );
}

#[test]
fn every_link_of_the_documents_leads_to_a_file_and_a_heading() {
    let mut violations = Vec::new();
    for file in documents() {
        let folder = file.parent().expect("a document stands in a folder");
        for (line, text) in outside_of_blocks(&read(&file)) {
            for link in links(&text) {
                let (path, heading) = link.split_once('#').unwrap_or((link, ""));
                if path.contains("://") {
                    continue;
                }
                let target = match path {
                    "" => file.clone(),
                    path => folder.join(path),
                };
                let leads = target.exists()
                    && (heading.is_empty() || headings(&read(&target)).contains(heading));
                if !leads {
                    violations.push(format!("{}:{line}: {link} leads nowhere", relative(&file)));
                }
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn every_design_document_links_to_those_before_and_after_it() {
    let folder = root().join("docs/design");
    let index = read(&folder.join("README.md"));
    let order: Vec<&str> = index
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .flat_map(links)
        .collect();
    let listed: BTreeSet<String> = order.iter().map(|name| (*name).to_owned()).collect();
    let there: BTreeSet<String> = markdown(&folder)
        .iter()
        .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(listed, there, "docs/design/README.md lists every document");
    for (at, name) in order.iter().enumerate() {
        let text = read(&folder.join(name));
        let last = text.lines().last().unwrap_or_default();
        let before = at.checked_sub(1).map(|before| order[before]);
        let expected: Vec<&str> = before
            .into_iter()
            .chain(["README.md"])
            .chain(order.get(at + 1).copied())
            .collect();
        assert_eq!(links(last), expected, "the last line of docs/design/{name}");
    }
}

#[test]
fn every_type_that_the_design_names_exists() {
    let source = Source::read();
    let mut files = markdown(&root().join("docs/design"));
    files.push(root().join("ARCHITECTURE.md"));
    let mut violations = Vec::new();
    let mut names = 0;
    for file in files {
        for (line, text) in outside_of_blocks(&read(&file)) {
            for span in code_spans(&text) {
                for path in paths(span) {
                    names += 1;
                    if let Some(missing) = source.missing(&path) {
                        violations.push(format!(
                            "{}:{line}: `{span}`: {missing} is not in the source",
                            relative(&file)
                        ));
                    }
                }
            }
        }
    }
    assert_none(&violations);
    assert!(names > 100, "only {names} names were found");
}

// Markdown, as far as the tests need it.

/// Every document of the project.
fn documents() -> Vec<PathBuf> {
    let folders = [root(), root().join("docs"), root().join("docs/design")];
    folders.iter().flat_map(|folder| markdown(folder)).collect()
}

fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of documents can be read")
        .map(|entry| entry.expect("a document").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files
}

/// The lines outside of fenced blocks, each with its number.
fn outside_of_blocks(text: &str) -> Vec<(usize, String)> {
    let mut is_inside = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("```") {
            is_inside = !is_inside;
        } else if !is_inside {
            lines.push((number, line.to_owned()));
        }
    }
    lines
}

/// Where the links of a line lead.
fn links(line: &str) -> Vec<&str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .collect()
}

/// What a link can name behind `#`: the headings in small letters, with hyphens for spaces.
fn headings(text: &str) -> BTreeSet<String> {
    outside_of_blocks(text)
        .iter()
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// What stands between back quotes in a line.
fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// The paths that a code span means, when it is a type, a constant or a path: `core::outlet::{Outlet, Delivery}` means two.
fn paths(span: &str) -> Vec<Vec<String>> {
    let span = span.split(['(', '<']).next().unwrap_or_default();
    let (front, items) = match span.split_once("::{") {
        Some((front, items)) => (format!("{front}::"), items.trim_end_matches('}')),
        None => (String::new(), span),
    };
    items
        .split(", ")
        .map(|item| format!("{front}{item}"))
        .map(|path| path.split("::").map(str::to_owned).collect::<Vec<_>>())
        .filter(|path| path.iter().all(|word| is_word(word)))
        .filter(|path| path.len() > 1 || is_type_like(&path[0]))
        .collect()
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

// The source, as far as the tests need it.

/// What the source defines.
#[derive(Default)]
struct Source {
    /// The modules, each from its crate's root.
    modules: BTreeSet<Vec<String>>,
    /// Each defined name, with the modules that define it.
    names: BTreeMap<String, Vec<Vec<String>>>,
    /// The variants, fields, functions, constants and types of each type and trait.
    members: BTreeMap<String, BTreeSet<String>>,
}

impl Source {
    /// Reads the gateway, the crates of drivers and `xtask`.
    fn read() -> Self {
        let mut source = Self::default();
        for folder in ["src", "drivers", "xtask/src", "benches"] {
            for file in rust_files(&root().join(folder)) {
                let name = relative(&file);
                let mut module = module_of(&name);
                // A crate's folder stands for the crate.
                module.retain(|part| part != "src" && part != "lib");
                for end in 1..=module.len() {
                    source.modules.insert(module[..end].to_vec());
                }
                let tokens: TokenStream = read(&file).parse().expect("the source is Rust");
                source.take(&module, tokens);
            }
        }
        source
    }

    /// Notes what a stretch of tokens defines, bodies and macros included.
    fn take(&mut self, module: &[String], tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.take(module, group.stream()),
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    if [
                        "struct", "enum", "trait", "type", "const", "static", "fn", "mod",
                    ]
                    .contains(&word.as_str())
                        && let Some(TokenTree::Ident(name)) = trees.get(at + 1)
                    {
                        let modules = self.names.entry(name.to_string()).or_default();
                        modules.push(module.to_vec());
                    }
                    if let Some((owner, body)) = owner(&word, &trees[at + 1..]) {
                        let members = self.members.entry(owner).or_default();
                        members.extend(members_of(&word, body));
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// The part of a path that does not exist, if any.
    fn missing(&self, path: &[String]) -> Option<String> {
        let path = match path.first().map(String::as_str) {
            Some("crate" | "riser") => &path[1..],
            Some(_) | None => path,
        };
        if path
            .first()
            .is_some_and(|first| FOREIGN.contains(&first.as_str()))
        {
            return None;
        }
        let types = path.iter().position(|word| is_type_like(word));
        let (module, rest) = path.split_at(types.unwrap_or(path.len()));
        match rest {
            [] => (!self.is_in_a_module(module)).then(|| module.join("::")),
            [name, members @ ..] => {
                let defined = self.names.get(name).into_iter().flatten();
                let mut owners = defined.filter(|at| is_within(at, module));
                if owners.next().is_none() {
                    return Some(name.clone());
                }
                let of = self.members.get(name);
                let unknown = members
                    .iter()
                    .find(|member| !of.is_some_and(|of| of.contains(*member)));
                unknown.map(|member| format!("{name}::{member}"))
            }
        }
    }

    /// Whether a path of small letters is a module, or names something of one.
    fn is_in_a_module(&self, path: &[String]) -> bool {
        let is_module = self.modules.iter().any(|module| module.ends_with(path));
        let (item, module) = path.split_last().expect("a path has a word");
        let defined = self.names.get(item).into_iter().flatten();
        is_module || defined.into_iter().any(|at| is_within(at, module))
    }
}

/// Whether a module is the one that a path ends with, or below it.
fn is_within(at: &[String], module: &[String]) -> bool {
    module.is_empty() || at.windows(module.len()).any(|part| part == module)
}

/// The name of the type or trait whose body `keyword` begins, and the body.
fn owner(keyword: &str, trees: &[TokenTree]) -> Option<(String, TokenStream)> {
    if !["enum", "struct", "trait", "impl"].contains(&keyword) {
        return None;
    }
    let end = trees.iter().position(|tree| is_punct(Some(tree), ';'));
    let body = trees.iter().position(
        |tree| matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace),
    )?;
    if end.is_some_and(|end| end < body) {
        return None;
    }
    let TokenTree::Group(group) = &trees[body] else {
        return None;
    };
    let mut depth = 0_i32;
    let mut name = None;
    for (at, tree) in trees[..body].iter().enumerate() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => {
                // The arrow of a function's result closes nothing.
                let is_arrow = at > 0 && is_punct(trees.get(at - 1), '-');
                depth -= i32::from(!is_arrow);
            }
            TokenTree::Punct(punct)
                if punct.as_char() == ':' && keyword == "trait" && depth == 0 =>
            {
                break;
            }
            TokenTree::Ident(word) if depth == 0 => match word.to_string().as_str() {
                "where" => break,
                "for" => name = None,
                word => name = Some(word.to_owned()),
            },
            TokenTree::Group(_)
            | TokenTree::Ident(_)
            | TokenTree::Punct(_)
            | TokenTree::Literal(_) => {}
        }
    }
    Some((name?, group.stream()))
}

/// The variants of an enum, the fields of a struct, or what a trait or an `impl` defines.
fn members_of(keyword: &str, body: TokenStream) -> Vec<String> {
    let trees: Vec<TokenTree> = body.into_iter().collect();
    let follows = |at: usize, words: &[&str]| {
        let before = at.checked_sub(1).map(|before| &trees[before]);
        matches!(before, Some(TokenTree::Ident(before)) if words.iter().any(|word| before == word))
    };
    // A variant stands at the beginning, behind a comma, or behind an attribute.
    let begins = |at: usize| match at.checked_sub(1).map(|before| &trees[before]) {
        None | Some(TokenTree::Group(_)) => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == ',',
        Some(TokenTree::Ident(_) | TokenTree::Literal(_)) => false,
    };
    let is_member = |at: usize| match keyword {
        "enum" => begins(at),
        "struct" => {
            let is_named = is_punct(trees.get(at + 1), ':') && !is_joint(trees.get(at + 1), ':');
            is_named && (begins(at) || follows(at, &["pub"]))
        }
        _ => follows(at, &["fn", "const", "type"]),
    };
    (0..trees.len())
        .filter(|at| is_member(*at))
        .filter_map(|at| match &trees[at] {
            TokenTree::Ident(word) => Some(word.to_string()),
            TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        })
        .collect()
}

// The checker, checked.

#[test]
fn a_name_that_the_source_does_not_have_is_found() {
    let mut source = Source::default();
    let module: Vec<String> = ["core", "outlet"].map(str::to_owned).into();
    source.modules.insert(module[..1].to_vec());
    source.modules.insert(module.clone());
    let text = "pub enum Delivery { Event(u8), #[doc = \"\"] Close } \
        impl<T: Fn() -> u8> Outlet for Keeper<T> where T: Copy { fn push(&self) {} } \
        trait Outlet: Send { fn push(&self); } struct Keeper<T>(T); struct Place { pub at: u8 } const LIMIT: u8 = 1;";
    source.take(&module, text.parse().expect("Rust"));
    let missing = |span: &str| -> Vec<String> {
        let paths = paths(span);
        assert!(!paths.is_empty(), "{span} is a name");
        paths
            .iter()
            .filter_map(|path| source.missing(path))
            .collect()
    };
    for span in [
        "Delivery",
        "Keeper<T>",
        "core::outlet",
        "outlet::{Outlet, Delivery}",
        "core::Outlet",
        "Delivery::Close",
        "Delivery::Event(u8)",
        "Keeper::push",
        "Outlet::push",
        "Place::at",
        "LIMIT",
        "std::thread::sleep",
    ] {
        assert_eq!(missing(span), <[String; 0]>::default(), "{span}");
    }
    assert_eq!(missing("Gone"), ["Gone"]);
    assert_eq!(missing("core::inlet"), ["core::inlet"]);
    assert_eq!(missing("inlet::Outlet"), ["Outlet"]);
    assert_eq!(missing("outlet::{Outlet, Gone}"), ["Gone"]);
    assert_eq!(missing("Delivery::Open"), ["Delivery::Open"]);
    assert_eq!(missing("Keeper::pull"), ["Keeper::pull"]);
    for span in [
        "old",
        "docs/design",
        "CLIENT KILL ID",
        "limits.rs",
        "riser bind",
    ] {
        assert_eq!(paths(span), <[Vec<String>; 0]>::default(), "{span}");
    }
}

#[test]
fn a_heading_is_named_in_small_letters_with_hyphens() {
    let text = "# Why is `code` not 7?\n```sh\n# no heading\n```\n";
    let expected = BTreeSet::from(["why-is-code-not-7".to_owned()]);
    assert_eq!(headings(text), expected);
    assert_eq!(links("[a](b.md#c), ![d](e.svg)"), ["b.md#c", "e.svg"]);
}
