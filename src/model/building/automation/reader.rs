//! Reads JSON whose forms stand within each other, and notes each flaw with its place.
//!
//! Separate from the forms, which only say what belongs where. A form that cannot be read is `None`, and has left a flaw.

use driver_types::{JsonText, Step};
use indexmap::IndexMap;

use super::super::flaws::Flaw;

/// The members of a map that are still to be read.
pub(super) type Members = IndexMap<String, JsonText>;

/// Where something is read, and what was wrong so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    flaws: Vec<Flaw>,
    at: Vec<Step>,
    /// How many steps there were so far, in the forms that have some.
    pub(super) steps: usize,
}

impl Reader {
    /// Reads one form as a whole.
    pub(super) fn whole<T>(read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Vec<Flaw>> {
        let mut reader = Self::default();
        match read(&mut reader) {
            Some(form) if reader.flaws.is_empty() => Ok(form),
            Some(_) | None => Err(reader.flaws),
        }
    }

    /// Reads the value of a key.
    pub(super) fn at_key<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.within(Step::Key(key.to_owned()), read)
    }

    /// Reads the item at a place.
    pub(super) fn at_item<T>(&mut self, item: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.within(Step::Item(item), read)
    }

    fn within<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(step);
        let read = read(self);
        self.at.pop();
        read
    }

    /// Notes a flaw of what is read.
    pub(super) fn note(&mut self, mut flaw: Flaw) {
        flaw.steps.splice(..0, self.at.iter().cloned());
        self.flaws.push(flaw);
    }

    /// Another kind of value belongs here.
    pub(super) fn expected<T>(&mut self, expected: &str) -> Option<T> {
        self.note(Flaw::expected(&[], expected));
        None
    }

    /// Something else is wrong here.
    pub(super) fn other<T>(&mut self, reason: impl Into<String>) -> Option<T> {
        self.note(Flaw::other(&[], reason));
        None
    }

    /// The members of a map.
    pub(super) fn members(&mut self, json: &JsonText) -> Option<Members> {
        let members = json.as_str().starts_with('{').then(|| json.to().ok());
        let members: Option<Members> = members.flatten();
        members.or_else(|| self.expected("a map of keys and values"))
    }

    /// The items of a list.
    pub(super) fn items(&mut self, json: &JsonText, expected: &str) -> Option<Vec<JsonText>> {
        let items = json.as_str().starts_with('[').then(|| json.to().ok());
        let items: Option<Vec<JsonText>> = items.flatten();
        items.or_else(|| self.expected(expected))
    }

    /// A text. A map in its place is what YAML makes of braces without quotes.
    pub(super) fn text(&mut self, json: &JsonText, expected: &str) -> Option<String> {
        let text = json.to().ok();
        text.or_else(|| match json.as_str().starts_with('{') {
            true => self.expected(&format!(
                "{expected}; put text with `{{{{ }}}}` in it in quotes"
            )),
            false => self.expected(expected),
        })
    }

    /// The text of a key that may be there.
    pub(super) fn text_of(&mut self, members: &mut Members, key: &str) -> Option<String> {
        let json = members.shift_remove(key)?;
        self.at_key(key, |reader| reader.text(&json, "text"))
    }

    /// True or false of a key that may be there.
    pub(super) fn flag_of(&mut self, members: &mut Members, key: &str) -> Option<bool> {
        let json = members.shift_remove(key)?;
        let flag = json.to().ok();
        self.at_key(key, |reader| {
            flag.or_else(|| reader.expected("true or false"))
        })
    }

    /// The value of a key that has to be there.
    pub(super) fn needed(
        &mut self,
        members: &mut Members,
        key: &str,
        expected: &str,
    ) -> Option<JsonText> {
        let json = members.shift_remove(key);
        json.or_else(|| {
            self.note(Flaw::missing(&[], key, expected));
            None
        })
    }

    /// What is left of a map are keys that nothing reads.
    pub(super) fn nothing_else(&mut self, members: &Members, known: &[&str]) {
        for key in members.keys() {
            self.note(Flaw::unknown(&[key], known));
        }
    }
}
