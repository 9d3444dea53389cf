//! The lines of pages that have no websocket: they ask for what there is by one request after the other, and send by others.
//!
//! Separate from the frames, which stand in these lines unchanged. A line has a letter for its kind, and ends with a line break.

use serde::Serialize;

use crate::dialects::pusher::limits::SENT_MAX;

/// The first line of a session. A page takes a second one for the loss of its session.
pub const OPEN: &str = "o{}\n";

/// A sign of life.
pub const HEARTBEAT: &str = "h\n";

/// Frames, in their order.
pub fn frames(frames: &[String]) -> String {
    line('a', &frames)
}

/// The end of a session, as a close frame has it.
pub fn end(code: u16, text: &str) -> String {
    line('c', &(code, text))
}

/// The frames of a body that a page sends; `None` when it is no list of texts, or has more than a page ever sends at a time.
pub fn sent(body: &[u8]) -> Option<Vec<String>> {
    let frames: Vec<String> = serde_json::from_slice(body).ok()?;
    (frames.len() <= SENT_MAX).then_some(frames)
}

fn line(letter: char, what: &impl Serialize) -> String {
    let json = serde_json::to_string(what).expect("texts and numbers are always JSON");
    format!("{letter}{json}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_one_line() {
        let two = ["{\"event\":\"a\\nb\"}".to_owned(), "2\n".to_owned()];
        assert_eq!(
            frames(&two),
            "a[\"{\\\"event\\\":\\\"a\\\\nb\\\"}\",\"2\\n\"]\n"
        );
        assert_eq!(
            end(4200, "come \"back\""),
            "c[4200,\"come \\\"back\\\"\"]\n"
        );
    }

    #[test]
    fn what_is_sent_is_a_list_of_texts() {
        assert_eq!(sent(b"[]"), Some(Vec::new()));
        assert_eq!(
            sent(br#"["{}","x"]"#),
            Some(vec!["{}".to_owned(), "x".to_owned()])
        );
        for bad in ["", "{}", "\"x\"", "[1]", "[\"x\""] {
            assert_eq!(sent(bad.as_bytes()), None, "{bad}");
        }
        let many = serde_json::to_vec(&vec![""; SENT_MAX + 1]).unwrap();
        assert_eq!(sent(&many), None);
    }
}
