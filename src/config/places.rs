//! Where each key stands in the file, since the crate that merges the layers forgets it.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The line of each key, counted from 1, by its dotted name.
pub(super) struct Places(BTreeMap<String, usize>);

impl Places {
    /// Of a text that is TOML; of any other text there are none.
    pub(super) fn of(text: &str) -> Self {
        let mut places = Self(BTreeMap::new());
        if let Ok(table) = DeTable::parse(text) {
            places.add("", table.get_ref(), text);
        }
        places
    }

    /// The line of a key.
    pub(super) fn line(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    fn add(&mut self, prefix: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table {
            let name = match prefix {
                "" => key.get_ref().to_string(),
                _ => format!("{prefix}.{}", key.get_ref()),
            };
            let before = text.get(..key.span().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            if let DeValue::Table(table) = value.get_ref() {
                self.add(&name, table, text);
            }
            self.0.insert(name, line);
        }
    }
}
