//! Moments and contexts as Home Assistant writes them: when something happened, in the course of what, and who began it.

use std::fmt::Write as _;
use std::io::Write as _;

use ulid::Ulid;

use crate::model::{Act, Revision, Timestamp};

use super::known::Fact;

/// In the course of what something happened, and who began that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// Tells it from all others.
    pub id: u128,
    /// The user who began it.
    pub user: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// That of a change: of the act that it belongs to, else one that is the same for all who get the change.
    pub fn of_fact(fact: &Fact<'a>) -> Self {
        match fact.act {
            Some(act) => Self::of_act(act),
            None => Self::made(fact.at, fact.revision),
        }
    }

    /// That of an act.
    pub fn of_act(act: &'a Act) -> Self {
        Self {
            id: act.id,
            user: act.user.as_deref(),
        }
    }

    /// One that this moment and place in the order make, in the form of those that are drawn: the time stands first.
    pub fn made(at: Timestamp, revision: Revision) -> Self {
        let milliseconds = at.0 / 1000;
        Self {
            id: Ulid::from_parts(milliseconds, revision.0.into()).0,
            user: None,
        }
    }

    /// Writes it as an object.
    pub fn write(&self, out: &mut Vec<u8>) {
        put(out, format_args!("{{\"id\":\"{}\"", Ulid(self.id)));
        out.extend_from_slice(b",\"parent_id\":null,\"user_id\":");
        self.write_user(out);
        out.push(b'}');
    }

    /// Writes it as short as clients take it: the id alone where there is no user.
    pub(super) fn write_short(&self, out: &mut Vec<u8>) {
        match self.user {
            None => put(out, format_args!("\"{}\"", Ulid(self.id))),
            Some(_) => self.write(out),
        }
    }

    /// Writes what differs from a context before, as far as that is known.
    pub(super) fn write_change(&self, before: Option<Context<'_>>, out: &mut Vec<u8>) {
        if before.is_some_and(|before| before.user == self.user) {
            return put(out, format_args!("\"{}\"", Ulid(self.id)));
        }
        put(out, format_args!("{{\"id\":\"{}\"", Ulid(self.id)));
        out.extend_from_slice(b",\"user_id\":");
        self.write_user(out);
        out.push(b'}');
    }

    fn write_user(&self, out: &mut Vec<u8>) {
        match self.user {
            Some(user) => write_text(out, user),
            None => out.extend_from_slice(b"null"),
        }
    }
}

/// An id as the text in contexts: 26 characters.
pub fn context_id(id: u128) -> String {
    Ulid(id).to_string()
}

/// Appends formatted text.
pub(super) fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a Vec takes everything");
}

/// Appends a text as a JSON string.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is JSON and a Vec takes everything");
}

/// Appends a moment in seconds with their fraction.
pub(super) fn write_seconds(out: &mut Vec<u8>, at: Timestamp) {
    put(
        out,
        format_args!("{}.{:06}", at.as_secs(), at.0 % 1_000_000),
    );
}

/// Appends a moment in its ISO form, with microseconds and the offset, in quotes.
pub(super) fn write_moment(out: &mut Vec<u8>, at: Timestamp) {
    put(out, format_args!("\"{}\"", moment(at)));
}

/// A moment in its ISO form, with microseconds and the offset.
pub fn moment(at: Timestamp) -> String {
    let micros = i64::try_from(at.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    let mut text = String::with_capacity("2026-01-01T00:00:00.000000+00:00".len());
    let shown = time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00");
    write!(text, "{shown}").expect("a String takes everything");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_moment_is_written_with_microseconds() {
        let at = Timestamp(1_795_225_574_650_000);
        assert_eq!(moment(at), "2026-11-21T01:46:14.650000+00:00");
        assert_eq!(
            moment(Timestamp(1_000_000)),
            "1970-01-01T00:00:01.000000+00:00"
        );
        assert_eq!(written(|out| write_seconds(out, at)), "1795225574.650000");
        assert!(moment(Timestamp(u64::MAX)).starts_with("9999"));
    }

    #[test]
    fn an_id_has_26_characters_of_the_alphabet_without_misreadings() {
        assert_eq!(context_id(0), "0".repeat(26));
        let id = context_id(u128::MAX);
        assert_eq!(id, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }

    #[test]
    fn a_change_of_context_names_the_user_only_where_that_changes() {
        let change = |before: Option<Context<'_>>, user| {
            written(|out| Context { id: 1, user }.write_change(before, out))
        };
        let id = "00000000000000000000000001";
        let nobody = Some(Context { id: 0, user: None });
        let ann = Some(Context {
            id: 0,
            user: Some("ann"),
        });
        assert_eq!(change(nobody, None), format!("\"{id}\""));
        assert_eq!(change(ann, Some("ann")), format!("\"{id}\""));
        let to_ann = format!(r#"{{"id":"{id}","user_id":"ann"}}"#);
        assert_eq!(change(nobody, Some("ann")), to_ann);
        assert_eq!(change(None, Some("ann")), to_ann);
        let to_nobody = format!(r#"{{"id":"{id}","user_id":null}}"#);
        assert_eq!(change(ann, None), to_nobody);
        assert_eq!(change(None, None), to_nobody);
    }
}
