//! Keeps what dialects make of the building up to date, once for all workers and all requests over HTTP.
//!
//! Nothing is made before a client of a dialect that looks around is there: other dialects pay nothing for it.
//! Changes that come together are shown together, since a start or a reload makes many.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::time::sleep;

use crate::core::BuildingViews;
use crate::dialects::Surroundings;
use crate::model::lock;
use crate::server::limits::SURROUNDINGS_PAUSE;

/// The surroundings of all sessions.
pub(in crate::server) struct SurroundingsKeeper {
    views: Arc<BuildingViews>,
    shown: watch::Sender<Arc<Surroundings>>,
    /// Whether a client has asked for them.
    is_wanted: watch::Sender<bool>,
    /// Held while new ones are made, so that those made first are shown first.
    making: Mutex<()>,
}

impl SurroundingsKeeper {
    pub(in crate::server) fn new(views: Arc<BuildingViews>) -> Self {
        Self {
            views,
            shown: watch::Sender::default(),
            is_wanted: watch::Sender::new(false),
            making: Mutex::new(()),
        }
    }

    /// The surroundings, made at the first call and [kept](Self::keep) from then on.
    pub(in crate::server) fn current(&self) -> Arc<Surroundings> {
        if !*self.is_wanted.borrow() {
            // Whoever comes meanwhile waits for this look too, and sees no empty building.
            self.look();
            self.is_wanted.send_replace(true);
        }
        Arc::clone(&self.shown.borrow())
    }

    /// Those that are shown, as they change.
    pub(in crate::server) fn follow(&self) -> watch::Receiver<Arc<Surroundings>> {
        self.shown.subscribe()
    }

    /// Keeps them up to date until it is dropped.
    pub(in crate::server) async fn keep(&self) -> Infallible {
        // Followed before the first look, so that no change falls between the two.
        let [mut modules, mut statuses] = self.views.changes();
        let mut is_wanted = self.is_wanted.subscribe();
        loop {
            // The senders live as long as the core, and longer than this.
            drop(is_wanted.wait_for(|is_wanted| *is_wanted).await);
            // Both are cancel-safe: a change that was not taken is there at the next look.
            tokio::select! {
                _changed = modules.changed() => {}
                _changed = statuses.changed() => {}
            }
            sleep(SURROUNDINGS_PAUSE).await;
            modules.mark_unchanged();
            statuses.mark_unchanged();
            self.look();
        }
    }

    /// Shows the building as it is now, if it is another.
    fn look(&self) {
        let _making = lock(&self.making);
        let before = Arc::clone(&self.shown.borrow());
        let view = self.views.view();
        if *before.building != view {
            self.shown
                .send_replace(Arc::new(Surroundings::new(view, &before)));
        }
    }
}

impl fmt::Debug for SurroundingsKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SurroundingsKeeper").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::core::tests::testkit::TestCore;

    #[tokio::test]
    async fn all_who_come_first_and_at_one_time_see_the_building() {
        const CLIENTS: usize = 4;
        let core = TestCore::new().await;
        let building = core.core.views.view();
        // Which of them is first is up to the machine, so they try often.
        for _ in 0..100 {
            let keeper = SurroundingsKeeper::new(Arc::clone(&core.core.views));
            let start = Barrier::new(CLIENTS);
            thread::scope(|scope| {
                for _ in 0..CLIENTS {
                    scope.spawn(|| {
                        start.wait();
                        assert_eq!(*keeper.current().building, building);
                    });
                }
            });
        }
    }
}
