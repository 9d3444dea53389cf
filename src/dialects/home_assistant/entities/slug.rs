//! Words for ids, made of names for people.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A name in lower case, with `_` for everything that is no Latin letter or digit: never two of them side by side, and none at an end.
/// Empty for a name without either.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name
        .nfkd()
        .filter(|character| !is_combining_mark(*character))
    {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.truncate(slug.trim_end_matches('_').len());
    slug
}

/// The first of `word`, `word_2`, `word_3` … that is free.
pub(super) fn first_free(word: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(word) {
        return word.to_owned();
    }
    let numbered = (2..).map(|number: u64| format!("{word}_{number}"));
    let mut free = numbered.filter(|candidate| !is_taken(candidate));
    free.next().expect("the numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_letters_digits_and_single_underscores() {
        for (name, expect) in [
            ("Board Room", "board_room"),
            ("  Büro – 2.OG  ", "buro_2_og"),
            ("pm2_5", "pm2_5"),
            ("a__b", "a_b"),
            ("_x_", "x"),
            ("power?", "power"),
            ("会議室", ""),
            ("", ""),
        ] {
            assert_eq!(slug(name), expect);
        }
    }

    #[test]
    fn a_taken_word_gets_the_first_free_number() {
        let taken = ["a", "a_2"];
        assert_eq!(first_free("a", |word| taken.contains(&word)), "a_3");
        assert_eq!(first_free("b", |word| taken.contains(&word)), "b");
    }
}
