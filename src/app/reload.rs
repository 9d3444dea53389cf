//! Reading the building file again: when told to by SIGHUP, and when it changes.
//!
//! What is watched is the directory, so that a file that is replaced is noticed as well as one that is written:
//! editors rename over it, and Kubernetes swaps a symbolic link beside it.
//! A file with mistakes is refused as a whole, and what runs goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::core::{Apply, Core, EditError, Rehearsal};
use crate::model::{Difference, Differences, Source};

use super::AppError;
use super::source::BuildingFile;

/// How long the directory must be quiet before the file is read: an editor takes several steps to save one.
const QUIET: Duration = Duration::from_millis(100);

/// How long a directory that is never quiet may put off the reading.
const QUIET_MAX: Duration = Duration::from_secs(1);

/// How long to wait before a sound file that could not be applied is tried again: the store may have no room, others may be editing.
const RETRY: Duration = Duration::from_secs(10);

/// Reads the building file again and again. To be run beside everything else; ends when it is dropped.
pub(super) struct Reload {
    core: Arc<Core>,
    file: BuildingFile,
    /// What was applied last.
    text: String,
    changed: Arc<Notify>,
    told: Arc<Notify>,
    /// Ends the watching when it is dropped; `None` where the system cannot watch.
    _watcher: Option<RecommendedWatcher>,
}

/// Why the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Something happened in its directory.
    Changed,
    /// Somebody asked for it.
    Told,
    /// The last try failed for reasons that may have gone.
    Again,
}

impl Reload {
    /// `text` is what was applied at the start, `told` tells of SIGHUP.
    pub(super) fn new(
        core: Arc<Core>,
        file: BuildingFile,
        text: String,
        told: Arc<Notify>,
    ) -> Self {
        let changed = Arc::new(Notify::new());
        let watcher = watch(file.path(), Arc::clone(&changed))
            .inspect_err(|error| {
                tracing::warn!(%error, "changes of the building file go unnoticed: send SIGHUP to have it read again");
            })
            .ok();
        // The file may have changed after it was read and before it was watched.
        changed.notify_one();
        Self {
            core,
            file,
            text,
            changed,
            told,
            _watcher: watcher,
        }
    }

    pub(super) async fn run(mut self) {
        let mut retry: Option<Instant> = None;
        loop {
            let again = async {
                match retry {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            // Each arm is cancel-safe: a `Notify` keeps its permit until it is taken.
            let cause = tokio::select! {
                () = self.told.notified() => Cause::Told,
                () = self.changed.notified() => {
                    self.settle().await;
                    Cause::Changed
                }
                () = again => Cause::Again,
            };
            retry = match self.reload(cause).await {
                Ok(()) => None,
                Err(error) => {
                    let passing = is_passing(&error);
                    report(&error);
                    passing.then(|| Instant::now() + RETRY)
                }
            };
        }
    }

    /// Waits until nothing more happens in the directory.
    async fn settle(&self) {
        let latest = Instant::now() + QUIET_MAX;
        loop {
            let quiet = (Instant::now() + QUIET).min(latest);
            if timeout_at(quiet, self.changed.notified()).await.is_err() {
                return;
            }
            if Instant::now() >= latest {
                sleep(QUIET).await;
                return;
            }
        }
    }

    async fn reload(&mut self, cause: Cause) -> Result<(), AppError> {
        let (file, before) = (self.file.clone(), self.text.clone());
        // Reading and checking a large file takes its time.
        let read = spawn_blocking(move || {
            let text = file.text()?;
            if cause == Cause::Changed && text == before {
                return Ok(None);
            }
            let building = file.read(&text)?;
            Ok::<_, AppError>(Some((text, building)))
        });
        let Some((text, building)) = read.await.map_err(|_| AppError::Interrupted)?? else {
            return Ok(());
        };
        let differences = self
            .core
            .apply(Apply {
                building,
                source: Source::File,
                rehearsal: Rehearsal::Real,
            })
            .await?;
        self.text = text;
        log_applied(&differences);
        Ok(())
    }
}

/// Whether the same file may be taken later.
fn is_passing(error: &AppError) -> bool {
    matches!(
        error,
        AppError::Edit(EditError::Busy | EditError::Interrupted | EditError::Store(_))
    )
}

fn report(error: &AppError) {
    tracing::error!("the building file is not taken, and what runs goes on:");
    for line in error.to_string().lines() {
        tracing::error!("{line}");
    }
}

/// Says what a building file came to.
pub(super) fn log_applied(differences: &Differences) {
    let count = |wanted| {
        let matching = differences.0.iter().filter(|(found, _)| *found == wanted);
        matching.count()
    };
    tracing::info!(
        added = count(Difference::Added),
        changed = count(Difference::Changed),
        removed = count(Difference::Removed),
        "the building file was applied"
    );
}

/// Tells of everything that happens in the directory of the file, and in that of what it may be a link to.
fn watch(path: &Path, changed: Arc<Notify>) -> Result<RecommendedWatcher, notify::Error> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| !is_a_look(event.kind)) {
            changed.notify_one();
        }
    })?;
    let directory = directory_of(path);
    watcher.watch(&directory, RecursiveMode::NonRecursive)?;
    if let Ok(real) = path.canonicalize()
        && directory_of(&real) != directory
    {
        // Only an addition: the link itself is watched.
        let _ = watcher.watch(&directory_of(&real), RecursiveMode::NonRecursive);
    }
    Ok(watcher)
}

/// Reading a file is an event too, and our own.
fn is_a_look(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => false,
    }
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
