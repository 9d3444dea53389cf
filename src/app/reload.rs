//! Reading the building file again: on SIGHUP, and when it has changed.
//!
//! The file is looked at and not watched: a look works for every way of replacing it, on every file system, and sees nothing of the files beside it.
//! A file with mistakes is refused as a whole, and what runs goes on. A file that would remove most of the modules is applied only when it is read a second time.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};

use crate::core::{Apply, Core, EditError, Rehearsal};
use crate::model::{Building, Difference, Differences, Source};
use crate::server::FileLook;

use super::AppError;
use super::service_manager;
use super::source::BuildingFile;

/// How often the file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// How long the file must stay as it is before it is read. A program that writes it in place takes several steps, with pauses between them.
const REST: Duration = Duration::from_secs(2);

/// How long to wait before a sound file that could not be applied is tried again: the store may have no room, others may be editing.
const RETRY: Duration = Duration::from_secs(10);

/// The pause before a file that would remove most of the modules is looked at again, so that its author can notice the warning.
const SECOND_LOOK: Duration = Duration::from_secs(10);

/// Reads the building file again and again. To be run beside everything else; ends when it is dropped.
pub(super) struct Reload {
    core: Arc<Core>,
    file: BuildingFile,
    /// What was applied last.
    text: String,
    /// A text that was not applied because it would remove most of the modules; it is applied when it is read once more.
    doubted: Option<String>,
    told: Arc<Notify>,
}

/// Why the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// It looks different.
    Changed,
    /// SIGHUP asked for it.
    Told,
    /// It could not be applied the last time, for a reason that may have passed.
    Again,
}

/// The outcome of reading the file.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It was applied, or there was nothing to apply.
    Settled,
    /// It would remove most of the modules.
    Doubted,
}

impl Reload {
    /// `text` is what was applied at the start, `told` tells of SIGHUP.
    pub(super) fn new(
        core: Arc<Core>,
        file: BuildingFile,
        text: String,
        told: Arc<Notify>,
    ) -> Self {
        Self {
            core,
            file,
            text,
            doubted: None,
            told,
        }
    }

    pub(super) async fn run(mut self) {
        let mut changes = Changes::new(self.file.path().to_owned());
        let mut again: Option<Instant> = None;
        loop {
            let due = async {
                match again {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            // Each arm is cancel-safe: a `Notify` keeps its permit until it is taken, and `Changes` what it has seen.
            let cause = tokio::select! {
                () = self.told.notified() => Cause::Told,
                () = changes.next() => Cause::Changed,
                () = due => Cause::Again,
            };
            // The service manager that sent SIGHUP may wait for the end of the reload; it knows nothing of a reload that we begin ourselves.
            if cause == Cause::Told {
                service_manager::reloading();
            }
            let outcome = self.reload(cause).await;
            if cause == Cause::Told {
                service_manager::ready();
            }
            again = match outcome {
                Ok(Outcome::Settled) => None,
                Ok(Outcome::Doubted) => Some(Instant::now() + SECOND_LOOK),
                Err(error) => {
                    report(&error);
                    is_passing(&error).then(|| Instant::now() + RETRY)
                }
            };
        }
    }

    async fn reload(&mut self, cause: Cause) -> Result<Outcome, AppError> {
        let (file, applied) = (self.file.clone(), self.text.clone());
        // Reading and checking a large file takes its time.
        let read = spawn_blocking(move || {
            let text = file.text()?;
            if cause == Cause::Changed && text == applied {
                return Ok(None);
            }
            let building = file.read(&text)?;
            Ok::<_, AppError>(Some((text, building)))
        });
        let read = read.await.map_err(|_| AppError::Interrupted)?;
        let doubted = self.doubted.take();
        let Some((text, building)) = read? else {
            return Ok(Outcome::Settled);
        };
        let rehearsal = match doubted.as_ref() == Some(&text) {
            true => Rehearsal::Real,
            false => Rehearsal::Cautious,
        };
        match self.apply(building.clone(), rehearsal).await {
            Ok(differences) => {
                self.text = text;
                log_applied(&differences);
                Ok(Outcome::Settled)
            }
            Err(AppError::Edit(EditError::RemovesMost { removed, before })) => {
                tracing::warn!(
                    "the building file would remove {removed} of {before} modules: if that is meant leave it as it is, and it is applied in {} s",
                    SECOND_LOOK.as_secs()
                );
                self.doubted = Some(text);
                self.close_what_is_gone(building).await?;
                Ok(Outcome::Doubted)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes the keys and the users that a doubted building no longer has, because an operator who removes a key or a user means it at once.
    async fn close_what_is_gone(&self, doubted: Building) -> Result<(), AppError> {
        let (file, text) = (self.file.clone(), self.text.clone());
        let before = spawn_blocking(move || file.read(&text));
        let mut building = before.await.map_err(|_| AppError::Interrupted)??;
        let keys: HashSet<_> = doubted.api_keys.iter().map(|key| &key.id).collect();
        let users: HashSet<_> = doubted.users.iter().map(|user| &user.id).collect();
        building.users.retain(|user| users.contains(&user.id));
        building
            .api_keys
            .retain(|key| keys.contains(&key.id) && users.contains(&key.user));
        let differences = self.apply(building, Rehearsal::Real).await?;
        if !differences.is_empty() {
            log_applied(&differences);
        }
        Ok(())
    }

    async fn apply(
        &self,
        building: Building,
        rehearsal: Rehearsal,
    ) -> Result<Differences, AppError> {
        let source = Source::File;
        let apply = Apply {
            building,
            source,
            rehearsal,
        };
        Ok(self.core.editor.apply(apply).await?)
    }
}

/// The changes of a file, each once it rests.
struct Changes {
    path: PathBuf,
    /// What the file looked like at the last reported change; `None` before the first look, because it may have changed after it was read at the start.
    told: Option<Option<FileLook>>,
    /// What it looks like, and since when.
    seen: Option<(Option<FileLook>, Instant)>,
}

impl Changes {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            told: None,
            seen: None,
        }
    }

    /// Ends when the file has changed and rests. Loses nothing when it is dropped.
    async fn next(&mut self) {
        loop {
            let path = self.path.clone();
            // A network's disk may be slow, which must not hold up this runtime.
            if let Ok(look) = spawn_blocking(move || FileLook::at(&path)).await {
                let now = Instant::now();
                let since = match &self.seen {
                    Some((seen, since)) if *seen == look => *since,
                    Some(_) | None => now,
                };
                self.seen = Some((look.clone(), since));
                if self.told.as_ref() != Some(&look) && now.duration_since(since) >= REST {
                    self.told = Some(look);
                    return;
                }
            }
            sleep(LOOK_INTERVAL).await;
        }
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

/// Logs what a building file changed.
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

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use tokio::time::timeout;

    use super::*;

    /// Longer than a file has to rest, and than a look takes.
    const LONG: Duration = Duration::from_secs(5);

    /// A folder of this test's own, and the changes of the file in it.
    fn watched(name: &str) -> (PathBuf, Changes) {
        let folder = std::env::temp_dir().join(format!("riser-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("in")).expect("a folder");
        let file = folder.join("in/building.yaml");
        fs::write(&file, "one").expect("a file");
        (folder, Changes::new(file))
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_written_slowly_is_told_of_once_it_rests() {
        let (folder, mut changes) = watched("slow");
        changes.next().await;
        let mut file = File::create(folder.join("in/building.yaml")).expect("it can be written");
        for piece in 0..20 {
            write!(file, "piece {piece}").expect("it can be written");
            let told = timeout(REST / 2, changes.next()).await;
            assert!(told.is_err(), "piece {piece}");
        }
        timeout(LONG, changes.next()).await.expect("it rests");
        fs::remove_dir_all(folder).expect("it is ours");
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_beside_the_file_is_no_change_of_it() {
        let (folder, mut changes) = watched("beside");
        changes.next().await;
        fs::write(folder.join("in/riser.log"), "a line").expect("a file");
        let told = timeout(LONG, changes.next()).await;
        assert!(told.is_err());
        fs::remove_dir_all(folder).expect("it is ours");
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_is_replaced_is_looked_into_as_often_as_that_happens() {
        let (folder, mut changes) = watched("folder");
        changes.next().await;
        for time in 0..3 {
            fs::create_dir(folder.join("new")).expect("a folder");
            fs::write(folder.join("new/building.yaml"), format!("time {time}")).expect("a file");
            fs::rename(folder.join("in"), folder.join(format!("old{time}"))).expect("it moves");
            fs::rename(folder.join("new"), folder.join("in")).expect("it moves");
            let told = timeout(LONG, changes.next()).await;
            told.unwrap_or_else(|_| panic!("time {time}"));
        }
        fs::remove_dir_all(folder).expect("it is ours");
    }
}
