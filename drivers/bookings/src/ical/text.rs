//! Characters and bytes: what is no UTF-8 although it should be, the escapes of iCalendar, and folded lines.

use std::fmt::Write as _;

/// The longest line in bytes, without its end (RFC 5545 section 3.1).
const LINE_MAX_BYTES: usize = 75;

/// The bytes as text. A byte that is no UTF-8 is taken for Latin-1, since programs write `0xF3` for `ó` under the label UTF-8; the rest stays as it is.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    text
}

/// A value of the type TEXT without its escapes (RFC 5545 section 3.3.11).
pub(super) fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(escaped) => text.push(escaped),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

/// A text as a value of the type TEXT. Control characters other than line ends are left out: no line may have them.
pub(super) fn escape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => value.extend(['\\', character]),
            '\n' => value.push_str("\\n"),
            other if other.is_control() => {}
            other => value.push(other),
        }
    }
    value
}

/// A parameter's value without the escapes of RFC 6868.
pub(super) fn unescape_parameter(value: &str) -> String {
    let escapes = [("^n", "\n"), ("^'", "\"")];
    let parts = value.split("^^").map(|part| {
        let replace = |text: String, (from, to): (&str, &str)| text.replace(from, to);
        escapes.into_iter().fold(part.to_owned(), replace)
    });
    parts.collect::<Vec<_>>().join("^")
}

/// A text as a parameter's value in quotes. Control characters are left out.
pub(super) fn quote_parameter(text: &str) -> String {
    let mut value = String::from("\"");
    for character in text.chars() {
        match character {
            '^' => value.push_str("^^"),
            '"' => value.push_str("^'"),
            other if other.is_control() => {}
            other => value.push(other),
        }
    }
    value.push('"');
    value
}

/// An email as a `mailto:` address, with everything that an address of a calendar may not have in it escaped.
pub(super) fn mailto(email: &str) -> String {
    let mut address = String::from("mailto:");
    for byte in email.trim().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => address.push(byte.into()),
            b'@' | b'.' | b'-' | b'_' | b'+' | b'~' | b'\'' | b'!' | b'$' | b'&' | b'*' | b'=' => {
                address.push(byte.into());
            }
            other => write!(address, "%{other:02X}").expect("a text takes more"),
        }
    }
    address
}

/// The email of a `mailto:` address; any other address as it is.
pub(super) fn email(address: &str) -> String {
    let address = address.trim();
    let is_mailto = address
        .get(..7)
        .is_some_and(|it| it.eq_ignore_ascii_case("mailto:"));
    let Some(email) = address.get(7..).filter(|_| is_mailto) else {
        return address.to_owned();
    };
    let email = email.split('?').next().unwrap_or_default().as_bytes();
    let mut bytes = Vec::with_capacity(email.len());
    let mut place = 0;
    while let Some(&byte) = email.get(place) {
        let escaped = email.get(place + 1..place + 3).and_then(hex_byte);
        match escaped.filter(|_| byte == b'%') {
            Some(escaped) => {
                bytes.push(escaped);
                place += 3;
            }
            None => {
                bytes.push(byte);
                place += 1;
            }
        }
    }
    decode(&bytes)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// A line in the form in which it is written: folded, with this end.
pub(super) fn fold(line: &str, end: &str) -> String {
    let mut folded = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for character in line.chars() {
        if length + character.len_utf8() > LINE_MAX_BYTES {
            folded.push_str(end);
            folded.push(' ');
            length = 1;
        }
        folded.push(character);
        length += character.len_utf8();
    }
    folded.push_str(end);
    folded
}

/// The first so many characters.
pub(super) fn shortened(text: String, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_no_utf_8_is_taken_for_latin_1_and_its_neighbours_stay() {
        assert_eq!(
            decode(b"Reuni\xf3n in M\xc3\xbcnchen"),
            "Reunión in München"
        );
    }

    #[test]
    fn what_is_escaped_reads_as_it_was() {
        for text in ["a;b,c\\d", "two\nlines", "\\n is no line end", "plain ü"] {
            assert_eq!(unescape(&escape(text)), text);
        }
        for email in [
            "ann@example.test",
            "ann other@example.test",
            "ü%41\r\nX:y@b",
        ] {
            assert_eq!(super::email(&mailto(email)), email);
            assert!(mailto(email).bytes().all(|byte| byte.is_ascii_graphic()));
        }
        let quoted = quote_parameter("Ann \"A^n\" Other\r\n");
        assert_eq!(
            unescape_parameter(quoted.trim_matches('"')),
            "Ann \"A^n\" Other"
        );
    }

    #[test]
    fn a_folded_line_has_no_more_than_75_bytes_and_no_character_apart() {
        let line = format!("SUMMARY:{}", "ü€".repeat(60));
        let folded = fold(&line, "\r\n");
        assert!(folded.lines().all(|line| line.len() <= 75));
        assert_eq!(folded.trim_end().replace("\r\n ", ""), line);
    }
}
