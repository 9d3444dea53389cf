//! The settings that a start would run with, as a file with a comment on where each comes from.

use std::fmt::Write as _;

use super::keys::{KEYS, SECRETS};
use super::problem::Origin;
use super::raw::Raw;

/// What stands in place of a secret.
const MASK: &str = "\"***\"";

/// One line for each key, in sections, secrets masked.
pub(super) fn print(raw: &Raw) -> String {
    let mut text = String::new();
    let mut open = "";
    for key in KEYS {
        let (section, name) = key.name.split_once('.').unwrap_or(("", key.name));
        // Writing to a String cannot fail.
        if section != open {
            open = section;
            let _ = writeln!(text, "\n[{section}]");
        }
        let _ = match raw.written(key.name) {
            Some((_, origin)) if SECRETS.contains(&key.name) => {
                writeln!(text, "{name} = {MASK} # {origin}")
            }
            Some((value, origin)) => writeln!(text, "{name} = {value} # {origin}"),
            None if key.default.is_empty() => writeln!(text, "# {name} is not set"),
            None => writeln!(
                text,
                "{name} = {} # {}",
                default(key.default),
                Origin::Default
            ),
        };
    }
    text
}

fn default(value: &str) -> String {
    match value.bytes().all(|byte| byte.is_ascii_digit()) || ["true", "false"].contains(&value) {
        true => value.to_owned(),
        false => format!("{value:?}"),
    }
}
