//! `${ENV:NAME}` in a text, so that passwords need not stand in the building file; `$${` is the text `${`.

use std::collections::BTreeMap;

use super::problem::ProblemKind;

const OPEN: &str = "${ENV:";

/// How every variable begins.
const BRACE: &str = "${";

/// How a text says what a variable begins with.
const ESCAPED: &str = "$${";

/// Whether the text asks for a variable.
pub(super) fn mentioned(text: &str) -> bool {
    // With something between them, or the parts around it could make another.
    text.replace(ESCAPED, " ").contains(OPEN)
}

/// What a text says in which nothing is filled in.
pub(super) fn unescape(text: &str) -> String {
    text.replace(ESCAPED, BRACE)
}

/// The text that says this one.
pub(super) fn escape(text: &str) -> String {
    text.replace(BRACE, ESCAPED)
}

/// The text with every variable filled in. What is filled in is not looked through again.
pub(super) fn fill_in(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<String, Vec<ProblemKind>> {
    let mut filled = String::with_capacity(text.len());
    let mut problems = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BRACE) {
        let (before, from) = rest.split_at(start);
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str(BRACE);
            rest = &from[BRACE.len()..];
            continue;
        }
        filled.push_str(before);
        let Some(named) = from.strip_prefix(OPEN) else {
            filled.push_str(BRACE);
            rest = &from[BRACE.len()..];
            continue;
        };
        rest = named;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> String {
        let environment = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
        fill_in(text, &environment).unwrap()
    }

    #[test]
    fn an_escaped_variable_is_its_own_text() {
        for (text, expect) in [
            ("${ENV:HOME}", "/root"),
            ("$${ENV:HOME}", "${ENV:HOME}"),
            ("$$${ENV:HOME}", "$${ENV:HOME}"),
            ("$${a}${ENV:HOME}$", "${a}/root$"),
            ("${other} $ $$", "${other} $ $$"),
        ] {
            assert_eq!(filled(text), expect, "{text}");
        }
        assert!(mentioned("${ENV:A}") && mentioned("$${ENV:A}${ENV:B}"));
        assert!(!mentioned("$${ENV:A}") && !mentioned("$$${{ENV:A}"));
    }

    proptest! {
        #[test]
        fn every_text_has_a_text_that_says_it(text in "[$ {ENV:HOME}a]{0,12}|.*") {
            let said = escape(&text);
            prop_assert!(!mentioned(&said), "{}", said);
            prop_assert_eq!(unescape(&said), text.clone());
            prop_assert_eq!(filled(&said), text);
        }
    }
}
