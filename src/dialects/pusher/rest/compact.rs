//! JSON without the spaces between its parts, every value byte for byte as it came.

/// The same JSON, shorter.
///
/// Data of an event that is no string travels as its JSON. Parsed and written again, `1.0` or a number of thirty digits would change.
pub(super) fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut is_inside, mut is_escaped) = (false, false);
    for character in json.chars() {
        if is_inside {
            is_inside = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            is_inside = character == '"';
        }
        compact.push(character);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_are_and_spaces_between_them_go() {
        for (json, expect) in [
            (" {\"a\" :\n[1.0 , 1e400]}\t", "{\"a\":[1.0,1e400]}"),
            (r#"[ "a \" b" , "\\" , "c d" ]"#, r#"["a \" b","\\","c d"]"#),
            ("12345678901234567890123", "12345678901234567890123"),
            (" null ", "null"),
        ] {
            assert_eq!(compact(json), expect);
        }
    }
}
