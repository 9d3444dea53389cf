//! What many modules say at one moment, for a caller who follows none of them.
//!
//! Separate from the other queries because a store with values of its own has to be asked for each module: so many at a time, and for so long.

use std::fmt;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::core::access::{Caller, may_follow};
use crate::core::building::BuildingService;
use crate::core::limits::{SNAPSHOT_DEADLINE, SNAPSHOT_READS_AT_ONCE, SNAPSHOTS_AT_ONCE};
use crate::core::subscriptions::{ModuleRead, Subscriptions};
use crate::model::{BindingPath, Event, Failure, FailureKind, ModulePath, StatusName, Subject};

/// Reads what many modules say.
pub(super) struct Snapshots {
    subscriptions: Arc<Subscriptions>,
    building: Arc<BuildingService>,
    /// A place for each snapshot that may be read from the store at a time.
    places: Arc<Semaphore>,
    /// Where it is waited for the store.
    main: Handle,
}

impl Snapshots {
    pub(super) fn new(
        subscriptions: Arc<Subscriptions>,
        building: Arc<BuildingService>,
        main: Handle,
    ) -> Self {
        Self {
            subscriptions,
            building,
            places: Arc::new(Semaphore::new(SNAPSHOTS_AT_ONCE)),
            main,
        }
    }

    /// Tells what those of these modules say that the caller may read: at once, or when the store has been asked. Called once, under the watch table's lock where it is a success.
    pub(super) fn tell(
        &self,
        who: &Caller,
        mut asked: Vec<Arc<ModulePath>>,
        tell: impl FnOnce(Result<Vec<Event>, Failure>) + Send + 'static,
    ) {
        let directory = self.building.directory();
        asked.retain(|place| {
            let subject = Subject::Module(Arc::clone(place));
            may_follow(&directory, who.policy(), &subject).is_ok()
        });
        self.read(asked, tell);
    }

    /// Tells what one status says, if it says something and the caller may follow it. Called as above.
    pub(super) fn tell_one(
        &self,
        who: &Caller,
        path: Arc<BindingPath>,
        tell: impl FnOnce(Result<Vec<Event>, Failure>) + Send + 'static,
    ) {
        let subject = Subject::Status(Arc::clone(&path));
        let directory = self.building.directory();
        if may_follow(&directory, who.policy(), &subject).is_err() {
            tell(Ok(Vec::new()));
            return;
        }
        let place = Arc::new(path.module.clone());
        self.read(vec![place], move |events| {
            tell(events.map(|mut events| {
                events.retain(|event| says(event, &path.status));
                events
            }));
        });
    }

    fn read(
        &self,
        asked: Vec<Arc<ModulePath>>,
        tell: impl FnOnce(Result<Vec<Event>, Failure>) + Send + 'static,
    ) {
        if !self.subscriptions.store().keeps_values() {
            let not_stored = |place| ModuleRead {
                place,
                stored: None,
            };
            let modules = asked.into_iter().map(not_stored).collect();
            self.subscriptions
                .tell_snapshot(modules, |events| tell(Ok(events)));
            return;
        }
        let (subscriptions, places) = (Arc::clone(&self.subscriptions), Arc::clone(&self.places));
        self.main.spawn(async move {
            let reading = async {
                let place = places.acquire_owned().await.map_err(|_| unread())?;
                let modules = read(&subscriptions, asked).await;
                drop(place);
                modules
            };
            match timeout(SNAPSHOT_DEADLINE, reading).await {
                Ok(Ok(modules)) => {
                    subscriptions.tell_snapshot(modules, |events| tell(Ok(events)));
                }
                Ok(Err(failure)) => tell(Err(failure)),
                Err(_) => tell(Err(unread())),
            }
        });
    }
}

/// Asks the store. A module that has moved meanwhile is told as far as the table knows it.
async fn read(
    subscriptions: &Subscriptions,
    asked: Vec<Arc<ModulePath>>,
) -> Result<Vec<ModuleRead>, Failure> {
    let reads = asked.into_iter().filter_map(|place| {
        let module = subscriptions.resolve(&place).ok()?;
        Some(async move {
            let state = subscriptions.state(&module).await.ok_or_else(unread)?;
            let stored = Some((module, state));
            Ok::<_, Failure>(ModuleRead { place, stored })
        })
    });
    stream::iter(reads)
        .buffered(SNAPSHOT_READS_AT_ONCE)
        .try_collect()
        .await
}

/// Whether an event is a value of the status of this name.
fn says(event: &Event, name: &StatusName) -> bool {
    match event {
        Event::Value { path, value, .. } => path.status == *name && value.is_some(),
        Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => false,
    }
}

fn unread() -> Failure {
    let why = "the statuses could not be read from the store; try again in a moment";
    Failure::new(FailureKind::Unavailable, why)
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}
