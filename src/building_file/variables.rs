//! `${ENV:NAME}` in a text, so that passwords need not stand in the building file.

use std::collections::BTreeMap;

use super::problem::ProblemKind;

const OPEN: &str = "${ENV:";

/// Whether the text asks for a variable.
pub(super) fn mentioned(text: &str) -> bool {
    text.contains(OPEN)
}

/// The text with every variable filled in. What is filled in is not looked through again.
pub(super) fn fill_in(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<String, Vec<ProblemKind>> {
    let mut filled = String::with_capacity(text.len());
    let mut problems = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        filled.push_str(&rest[..start]);
        rest = &rest[start + OPEN.len()..];
        let Some((name, after)) = rest.split_once('}').filter(|(name, _)| is_name(name)) else {
            problems.push(ProblemKind::EnvSyntax);
            continue;
        };
        match environment.get(name) {
            Some(value) => filled.push_str(value),
            None => problems.push(ProblemKind::Unset {
                name: name.to_owned(),
            }),
        }
        rest = after;
    }
    filled.push_str(rest);
    if problems.is_empty() {
        Ok(filled)
    } else {
        Err(problems)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
