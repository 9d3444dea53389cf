//! The word of a system or a module in the name of a plugin.

/// A name in lower case, with `_` for every character that is no Latin letter or digit.
pub(super) fn slug(name: &str) -> String {
    let word = |character: char| match character.is_ascii_alphanumeric() {
        true => character.to_ascii_lowercase(),
        false => '_',
    };
    name.chars().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_keeps_letters_and_digits() {
        for (name, expect) in [
            ("Board Room", "board_room"),
            ("sys-1234", "sys_1234"),
            ("Büro", "b_ro"),
            ("_ALERTS_", "_alerts_"),
            ("", ""),
        ] {
            assert_eq!(slug(name), expect);
        }
    }
}
