//! What triggers have counted, in a file beside the building, so that a gateway of one node counts on after a restart.
//!
//! Separate from the stores, since nothing hangs on it: a file that cannot be read or written costs a warning, and never a firing.
//! It is written at most once a second, and at the end.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::automation::limits::COUNTS_WRITE_INTERVAL;
use crate::automation::state::TriggerCounts;
use crate::model::{TriggerId, lock};

/// The file, in the folder of the gateway's data.
const FILE: &str = "triggers.json";

/// What is written first, and takes the file's place when it is whole.
const NEXT: &str = "triggers.json.new";

/// The counts of all triggers; forgotten with the process where there is no file.
#[derive(Default)]
pub(super) struct KeptCounts {
    folder: Option<PathBuf>,
    all: Mutex<BTreeMap<String, TriggerCounts>>,
    changed: Notify,
}

impl KeptCounts {
    /// Those of this folder.
    pub(super) fn open(folder: Option<&Path>) -> Self {
        let all = folder.map(read).transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, file = FILE, "what triggers have counted cannot be read, so they count from 0");
            None
        });
        Self {
            folder: folder.map(Path::to_owned),
            all: Mutex::new(all.unwrap_or_default()),
            changed: Notify::new(),
        }
    }

    pub(super) fn get(&self, id: &TriggerId) -> TriggerCounts {
        lock(&self.all)
            .get(id.as_str())
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn set(&self, id: &TriggerId, counts: &TriggerCounts) {
        if self.folder.is_none() {
            return;
        }
        let before = lock(&self.all).insert(id.as_str().to_owned(), counts.clone());
        if before.as_ref() != Some(counts) {
            self.changed.notify_one();
        }
    }

    /// The trigger is no more.
    pub(super) fn remove(&self, id: &TriggerId) {
        if lock(&self.all).remove(id.as_str()).is_some() {
            self.changed.notify_one();
        }
    }

    /// Writes what has changed, until it is dropped.
    pub(super) async fn keep(&self) -> Infallible {
        loop {
            self.changed.notified().await;
            self.write().await;
            sleep(COUNTS_WRITE_INTERVAL).await;
        }
    }

    /// Writes all of it.
    pub(super) async fn write(&self) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        let text = serde_json::to_string(&*lock(&self.all));
        let text = text.expect("texts and numbers can be written as JSON");
        let written = tokio::task::spawn_blocking(move || write(&folder, &text)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, file = FILE, "what triggers have counted could not be written");
        }
    }
}

fn read(folder: &Path) -> io::Result<BTreeMap<String, TriggerCounts>> {
    match fs::read_to_string(folder.join(FILE)) {
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

fn write(folder: &Path, text: &str) -> io::Result<()> {
    fs::write(folder.join(NEXT), text)?;
    fs::rename(folder.join(NEXT), folder.join(FILE))
}
