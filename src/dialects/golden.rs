//! Holds the parts of `api-spec/error-codes.md` to the dialects: each dialect writes its own, from its own map, and knows no other.

use std::path::Path;

/// What stands above all parts.
const HEAD: &str = "# Error codes\n\
    \n\
    What can go wrong with a request, and how each dialect says it.\n";

/// Holds one part to what a dialect says: what stands below the heading with this title.
///
/// With `UPDATE_GOLDEN` in the environment the part is written anew.
pub(in crate::dialects) fn check_part(title: &str, part: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/api-spec/error-codes.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let mut parts = parts(&written);
    let place = parts.iter().position(|(known, _)| *known == title);
    let found = place.map(|place| parts[place].1.trim());
    #[expect(
        clippy::disallowed_methods,
        reason = "how a developer asks for the file to be rewritten"
    )]
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        if found != Some(part.trim()) {
            match place {
                Some(place) => parts[place].1 = part,
                None => parts.push((title, part)),
            }
            rewrite(Path::new(path), &parts);
        }
        return;
    }
    assert_eq!(
        found.unwrap_or_default(),
        part.trim(),
        "UPDATE_GOLDEN=1 cargo test rewrites api-spec/error-codes.md"
    );
}

/// The parts of the file, each with its title.
fn parts(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("\n## ").skip(1);
    parts
        .map(|part| part.split_once('\n').unwrap_or((part, "")))
        .collect()
}

fn rewrite(path: &Path, parts: &[(&str, &str)]) {
    let parts = parts
        .iter()
        .map(|(title, part)| format!("\n## {title}\n\n{}\n", part.trim()));
    let text: String = [HEAD.to_owned()].into_iter().chain(parts).collect();
    std::fs::write(path, text).unwrap();
}
