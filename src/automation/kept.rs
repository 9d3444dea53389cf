//! What triggers have counted and how they fired last, in two files beside the building, so that a gateway of one node goes on with it after a restart.
//!
//! Separate from the stores, since nothing hangs on it: a file that cannot be read or written costs a warning, and never a firing.
//! Counts are written at most once a second, firings, which are larger, once a minute, and both at the end.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::automation::limits::{COUNTS_WRITE_INTERVAL, FIRINGS_WRITE_INTERVAL};
use crate::automation::state::TriggerCounts;
use crate::model::{JsonText, TriggerId, lock};

/// What is kept of all triggers; forgotten with the process where there is no folder.
pub(super) struct Kept {
    pub(super) counts: KeptFile<TriggerCounts>,
    /// The oldest first.
    pub(super) firings: KeptFile<Vec<JsonText>>,
}

impl Kept {
    /// That of this folder.
    pub(super) fn open(folder: Option<&Path>) -> Self {
        Self {
            counts: KeptFile::open(folder, "triggers.json"),
            firings: KeptFile::open(folder, "firings.json"),
        }
    }

    /// The trigger is no more.
    pub(super) fn remove(&self, id: &TriggerId) {
        self.counts.remove(id);
        self.firings.remove(id);
    }

    /// Writes what has changed, until it is dropped.
    pub(super) async fn keep(&self) -> Infallible {
        let counts = self.counts.keep(COUNTS_WRITE_INTERVAL);
        let firings = self.firings.keep(FIRINGS_WRITE_INTERVAL);
        let (never, _) = tokio::join!(counts, firings);
        never
    }

    /// Writes all of it.
    pub(super) async fn write(&self) {
        tokio::join!(self.counts.write(), self.firings.write());
    }
}

/// One file, which has something of each trigger.
pub(super) struct KeptFile<T> {
    folder: Option<PathBuf>,
    file: &'static str,
    all: Mutex<BTreeMap<String, T>>,
    changed: Notify,
}

impl<T> KeptFile<T>
where
    T: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + 'static,
{
    fn open(folder: Option<&Path>, file: &'static str) -> Self {
        let all = folder.map(|folder| read(folder, file)).transpose();
        let all = all.unwrap_or_else(|error| {
            tracing::warn!(%error, file, "what is kept of triggers cannot be read, so they begin without it");
            None
        });
        Self {
            folder: folder.map(Path::to_owned),
            file,
            all: Mutex::new(all.unwrap_or_default()),
            changed: Notify::new(),
        }
    }

    pub(super) fn get(&self, id: &TriggerId) -> T {
        let all = lock(&self.all);
        all.get(id.as_str()).cloned().unwrap_or_default()
    }

    pub(super) fn set(&self, id: &TriggerId, value: T) {
        if self.folder.is_none() {
            return;
        }
        let mut all = lock(&self.all);
        if all.get(id.as_str()) != Some(&value) {
            all.insert(id.as_str().to_owned(), value);
            self.changed.notify_one();
        }
    }

    fn remove(&self, id: &TriggerId) {
        if lock(&self.all).remove(id.as_str()).is_some() {
            self.changed.notify_one();
        }
    }

    async fn keep(&self, interval: Duration) -> Infallible {
        loop {
            self.changed.notified().await;
            self.write().await;
            sleep(interval).await;
        }
    }

    async fn write(&self) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        let (file, all) = (self.file, lock(&self.all).clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, file, &all)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, file, "what is kept of triggers could not be written");
        }
    }
}

fn read<T: DeserializeOwned>(folder: &Path, file: &str) -> io::Result<BTreeMap<String, T>> {
    match fs::read_to_string(folder.join(file)) {
        Ok(text) => serde_json::from_str(&text).map_err(io::Error::other),
        // A folder that cannot be one is told of by the store that is in it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(BTreeMap::new())
        }
        Err(error) => Err(error),
    }
}

/// What is written first takes the file's place when it is whole.
fn write<T: Serialize>(folder: &Path, file: &str, all: &BTreeMap<String, T>) -> io::Result<()> {
    let text = serde_json::to_string(all).map_err(io::Error::other)?;
    let next = folder.join(format!("{file}.new"));
    fs::write(&next, text)?;
    fs::rename(next, folder.join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> TriggerId {
        TriggerId::new("warm").unwrap()
    }

    fn firings(texts: &[&str]) -> Vec<JsonText> {
        let texts = texts.iter();
        texts.map(|text| JsonText::parse(text).unwrap()).collect()
    }

    #[tokio::test]
    async fn what_is_written_is_read_and_what_is_removed_is_not() {
        let folder = test_support::Folder::new();
        let (kept, other) = (
            Kept::open(Some(folder.path())),
            TriggerId::new("x").unwrap(),
        );
        let fired = firings(&[r#"{ "n": 1.0 }"#, "2"]);
        kept.firings.set(&id(), fired.clone());
        kept.firings.set(&other, fired.clone());
        kept.remove(&other);
        kept.write().await;
        let again = Kept::open(Some(folder.path()));
        assert_eq!(again.firings.get(&id()), fired);
        assert_eq!(again.firings.get(&other), []);
        assert_eq!(again.counts.get(&id()), TriggerCounts::default());
    }

    #[tokio::test]
    async fn a_broken_file_is_passed_over_and_written_anew() {
        let folder = test_support::Folder::new();
        for text in ["", "[]", "{\"warm\":[1,", "{\"warm\":3}"] {
            fs::write(folder.path().join("firings.json"), text).unwrap();
            let kept = Kept::open(Some(folder.path()));
            assert_eq!(kept.firings.get(&id()), [], "{text}");
            kept.firings.set(&id(), firings(&["1"]));
            kept.write().await;
            let again = Kept::open(Some(folder.path()));
            assert_eq!(again.firings.get(&id()), firings(&["1"]));
        }
    }
}
