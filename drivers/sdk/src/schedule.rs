//! Work of an instance that comes by the clock: `#[every]`, `#[at]`, `#[cron]`.
//!
//! The tasks hold no reference that keeps an instance alive while they wait: one that its host drops is gone, and they end.
//! A turn begins when the one before it has ended, so slow ones do not pile up: what was missed meanwhile is left out.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use croner::Cron;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{Context, Error, Seconds, TimeZone, warn};

/// Work that comes round more often would only fill the module's thread.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// A century stands for "never again": later moments do not fit the clock.
const LONGEST_PERIOD: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The longest sleep before a moment of the calendar, since the machine's clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// One turn of the work.
pub type Turn<D> = fn(Arc<D>) -> BoxFuture<'static, Result<(), Error>>;

/// How often something is done: a [`Duration`], [`Seconds`], or an `Option` of one, where `None` is never.
pub trait Period {
    /// The period.
    fn period(self) -> Option<Duration>;
}

impl Period for Duration {
    fn period(self) -> Option<Duration> {
        Some(self)
    }
}

impl Period for Seconds {
    fn period(self) -> Option<Duration> {
        Some(self.duration())
    }
}

impl<P: Period> Period for Option<P> {
    fn period(self) -> Option<Duration> {
        self.and_then(P::period)
    }
}

/// Starts the work of one instance.
pub struct Schedule<D> {
    context: Context,
    instance: Weak<D>,
}

impl<D: Send + Sync + 'static> Schedule<D> {
    pub(crate) fn new(context: Context, instance: &Arc<D>) -> Self {
        Self {
            context,
            instance: Arc::downgrade(instance),
        }
    }

    /// Works at once, and then once per period; never where there is none.
    pub fn every(&self, period: impl Period, turn: Turn<D>) {
        let Some(period) = period.period() else {
            return;
        };
        let period = period.clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        let worker = self.worker(turn);
        self.context.spawn(async move {
            let mut turns = interval(period);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                if worker.work().await.is_none() {
                    return;
                }
            }
        });
    }

    /// Works once at a moment; never where it is past, or none.
    pub fn at(&self, moment: impl Into<Option<Timestamp>>, turn: Turn<D>) {
        let Some(moment) = moment.into() else { return };
        let worker = self.worker(turn);
        if moment < worker.context.now() {
            return;
        }
        self.context.spawn(async move {
            worker.wait_until(moment).await;
            worker.work().await;
        });
    }

    /// Works whenever a cron pattern says so, in a time zone.
    pub fn cron<Z>(&self, pattern: &str, zone: Z, turn: Turn<D>) -> Result<(), Error>
    where
        Z: TryInto<TimeZone>,
        Z::Error: Into<Error>,
    {
        let cron: Cron = pattern
            .parse()
            .map_err(|error| Error::new(format_args!("'{pattern}' is no cron pattern: {error}")))?;
        let zone = zone.try_into().map_err(|error| -> Error { error.into() })?;
        let worker = self.worker(turn);
        self.context.spawn(async move {
            let mut last = worker.context.now();
            // A pattern without another moment, the 30th of February, ends here.
            while let Ok(next) =
                cron.find_next_occurrence(&last.to_zoned(zone.zone().clone()), false)
            {
                let next = next.timestamp();
                worker.wait_until(next).await;
                if worker.work().await.is_none() {
                    return;
                }
                // A clock that was set back does not bring the same moment twice.
                last = worker.context.now().max(next);
            }
        });
        Ok(())
    }

    fn worker(&self, turn: Turn<D>) -> Worker<D> {
        Worker {
            context: self.context.clone(),
            instance: self.instance.clone(),
            turn,
        }
    }
}

impl<D> fmt::Debug for Schedule<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").finish_non_exhaustive()
    }
}

struct Worker<D> {
    context: Context,
    instance: Weak<D>,
    turn: Turn<D>,
}

impl<D> Worker<D> {
    /// Takes a turn; `None` when the instance is gone. A failure is a warning in the module's log.
    async fn work(&self) -> Option<()> {
        let turn = (self.turn)(self.instance.upgrade()?);
        if let Err(error) = turn.await {
            warn!(self.context, "{error}");
        }
        Some(())
    }

    async fn wait_until(&self, moment: Timestamp) {
        loop {
            let left = self.context.now().duration_until(moment);
            match Duration::try_from(left) {
                Ok(left) if !left.is_zero() => sleep(left.min(LONGEST_SLEEP)).await,
                Ok(_) | Err(_) => return,
            }
        }
    }
}
