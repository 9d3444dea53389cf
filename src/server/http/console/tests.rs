//! The table of files against the folder, and what is read of a request.

use std::fs;

use super::*;

/// How much a browser may have to fetch before somebody sees the building.
const FIRST_VIEW_MAX_BYTES: usize = 100_000;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server/http/console/pages");

fn text(name: &str) -> &'static str {
    let page = PAGES.iter().find(|page| page.name == name);
    let page = page.unwrap_or_else(|| panic!("{name} is not served"));
    std::str::from_utf8(page.bytes).unwrap()
}

/// The files that a script or the page asks for at once: what is imported where a page is opened comes later.
fn fetched_with(name: &str, seen: &mut Vec<&str>) {
    let source = text(name);
    let named = source.split('"').skip(1).step_by(2);
    let at_once = named.filter(|named| match name {
        INDEX => true,
        _ => source.contains(&format!("from \"{named}\"")),
    });
    for named in at_once {
        let named = named.trim_start_matches("./");
        if let Some(page) = PAGES.iter().find(|page| page.name == named)
            && !seen.contains(&page.name)
        {
            seen.push(page.name);
            fetched_with(page.name, seen);
        }
    }
}

#[test]
fn every_file_of_the_folder_is_served_under_its_name() {
    let mut files: Vec<String> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut served: Vec<&str> = PAGES.iter().map(|page| page.name).collect();
    served.sort_unstable();
    assert_eq!(files, served);
}

#[test]
fn every_script_that_is_named_is_served() {
    for page in PAGES.iter().filter(|page| page.kind == SCRIPT) {
        let source = text(page.name);
        for named in source
            .split('"')
            .filter(|part| part.starts_with("./") && part.ends_with(".js"))
        {
            let named = named.trim_start_matches("./");
            let is_served = PAGES.iter().any(|page| page.name == named);
            assert!(is_served, "{} names {named}", page.name);
        }
    }
}

#[test]
fn the_first_view_is_small() {
    let mut seen = vec![INDEX];
    fetched_with(INDEX, &mut seen);
    // The building is the first view, and its script is fetched when it is known that there is somebody to see it.
    seen.push("building.js");
    fetched_with("building.js", &mut seen);
    let bytes: usize = seen.iter().map(|name| text(name).len()).sum();
    assert!(seen.len() > 5, "{seen:?}");
    assert!(bytes < FIRST_VIEW_MAX_BYTES, "{bytes} bytes: {seen:?}");
}

#[test]
fn nothing_of_a_page_stands_in_the_markup_that_the_policy_forbids() {
    let index = text(INDEX);
    for forbidden in [
        "<style",
        "style=",
        " onclick",
        " onload",
        "javascript:",
        "http:",
        "https:",
    ] {
        assert!(!index.contains(forbidden), "{forbidden}");
    }
    for page in PAGES.iter().filter(|page| page.kind == SCRIPT) {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            let source = text(page.name);
            assert!(!source.contains(forbidden), "{} has {forbidden}", page.name);
        }
    }
}

#[test]
fn a_browser_is_known_by_what_it_takes() {
    for (accept, expect) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", true),
        ("application/json, Text/HTML;q=0.9", true),
        ("*/*", false),
        ("application/json", false),
        ("", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        assert_eq!(takes_pages(&headers), expect, "{accept}");
    }
    assert!(!takes_pages(&HeaderMap::new()));
}

#[test]
fn another_content_has_another_tag() {
    assert_ne!(tag(b"one"), tag(b"other"));
}
