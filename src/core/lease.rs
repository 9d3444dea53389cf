//! How long this node may act: its lease, counted on its own clock.
//!
//! The registry counts a lease from the moment at which it took the renewal. This node counts from the moment before it sent it,
//! and gives up a margin earlier, so here it is over before another node may take it for over.
//! The clock goes on while the machine is suspended and is never set, so a process that wakes after a long pause finds its lease gone.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::core::limits::{LEASE_MARGIN_MIN, LEASE_MARGIN_PARTS};
use crate::model::lock;

/// The time since some moment of the past, on a clock that is never set and does not stop.
pub type Uptime = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The time since the machine was started, its suspensions included.
pub fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: ClockId = ClockId::Boottime;
    // Elsewhere this clock does not stop in suspension, or there is none that does not.
    #[cfg(not(target_os = "linux"))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let time = clock_gettime(CLOCK);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// A moment on the lease's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::core) struct Moment(Duration);

/// This node's lease, through all its lapses.
pub struct Lease {
    length: Duration,
    uptime: Uptime,
    term: Mutex<Option<Arc<LeaseTerm>>>,
}

/// An unbroken time under a lease. Once it is over it stays over: whatever began under it never acts again.
pub(in crate::core) struct LeaseTerm {
    uptime: Uptime,
    /// Until when, in nanoseconds on the clock. Only ever grows.
    until: AtomicU64,
    over: AtomicBool,
}

impl Lease {
    /// A lease of this length that is not granted yet.
    pub fn new(length: Duration, uptime: Uptime) -> Self {
        Self {
            length,
            uptime,
            term: Mutex::default(),
        }
    }

    /// Whether this node may act now.
    pub fn holds(&self) -> bool {
        self.current().is_some()
    }

    /// How long the registry keeps a node that is not heard of.
    pub(in crate::core) fn length(&self) -> Duration {
        self.length
    }

    pub(in crate::core) fn now(&self) -> Moment {
        Moment((self.uptime)())
    }

    /// The term, if it is not over.
    pub(in crate::core) fn current(&self) -> Option<Arc<LeaseTerm>> {
        let term = self.term();
        term.as_ref().filter(|term| term.holds()).cloned()
    }

    /// A new term, by a renewal sent at this moment. There must be none.
    pub(in crate::core) fn begin(&self, sent: Moment) -> Arc<LeaseTerm> {
        let term = Arc::new(LeaseTerm {
            uptime: Arc::clone(&self.uptime),
            until: AtomicU64::new(nanoseconds(self.end_of(sent))),
            over: AtomicBool::new(false),
        });
        *self.term() = Some(Arc::clone(&term));
        term
    }

    /// Makes a term longer, by a renewal sent at this moment. Whether it was not over yet.
    pub(in crate::core) fn extend(&self, term: &LeaseTerm, sent: Moment) -> bool {
        if !term.holds() {
            return false;
        }
        let until = nanoseconds(self.end_of(sent));
        term.until.fetch_max(until, Ordering::AcqRel);
        term.holds()
    }

    /// Takes away a term that is over, for the one who sees to what follows from that.
    pub(in crate::core) fn take_lapsed(&self) -> Option<Arc<LeaseTerm>> {
        self.term().take_if(|term| !term.holds())
    }

    /// The term is over now.
    pub(in crate::core) fn end(&self) {
        if let Some(term) = &*self.term() {
            term.over.store(true, Ordering::Release);
        }
    }

    fn end_of(&self, sent: Moment) -> Duration {
        let margin = (self.length / LEASE_MARGIN_PARTS).max(LEASE_MARGIN_MIN);
        sent.0 + self.length.saturating_sub(margin)
    }

    fn term(&self) -> MutexGuard<'_, Option<Arc<LeaseTerm>>> {
        lock(&self.term)
    }
}

impl LeaseTerm {
    /// Whether what began under it may act now. Cheap enough to be asked before every step.
    pub(in crate::core) fn holds(&self) -> bool {
        if self.over.load(Ordering::Acquire) {
            return false;
        }
        let holds = nanoseconds((self.uptime)()) < self.until.load(Ordering::Acquire);
        if !holds {
            self.over.store(true, Ordering::Release);
        }
        holds
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("length", &self.length)
            .field("holds", &self.holds())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LeaseTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseTerm")
            .field("holds", &self.holds())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(10);

    /// A lease on a clock that a test sets, in milliseconds.
    fn lease(length: Duration) -> (Lease, Arc<AtomicU64>) {
        let clock = Arc::new(AtomicU64::new(1_000));
        let read = Arc::clone(&clock);
        let uptime = move || Duration::from_millis(read.load(Ordering::Relaxed));
        (Lease::new(length, Arc::new(uptime)), clock)
    }

    #[test]
    fn a_lease_is_over_a_margin_before_the_registry_thinks_so() {
        for (length, until) in [(LENGTH, 1_000 + 9_000), (LENGTH / 10, 1_000 + 800)] {
            let (lease, clock) = lease(length);
            assert!(!lease.holds(), "it is not granted yet");
            lease.begin(lease.now());
            clock.store(until - 1, Ordering::Relaxed);
            assert!(lease.holds(), "{length:?}");
            clock.store(until, Ordering::Relaxed);
            assert!(!lease.holds(), "{length:?}");
        }
    }

    #[test]
    fn a_renewal_counts_from_before_it_was_sent() {
        let (lease, clock) = lease(LENGTH);
        let term = lease.begin(lease.now());
        clock.store(2_000, Ordering::Relaxed);
        let sent = lease.now();
        clock.store(9_000, Ordering::Relaxed);
        assert!(lease.extend(&term, sent));
        clock.store(10_999, Ordering::Relaxed);
        assert!(lease.holds());
        clock.store(11_000, Ordering::Relaxed);
        assert!(!lease.holds());
    }

    #[test]
    fn what_is_over_stays_over() {
        let (lease, clock) = lease(LENGTH);
        let term = lease.begin(lease.now());
        let sent = lease.now();
        assert!(lease.take_lapsed().is_none());
        clock.store(60_000, Ordering::Relaxed);
        // A renewal that was answered during a pause is of no use when the pause was too long.
        assert!(!lease.extend(&term, sent));
        assert!(!lease.extend(&term, lease.now()));
        assert!(lease.take_lapsed().is_some());
        assert!(lease.take_lapsed().is_none());
        let next = lease.begin(lease.now());
        assert!(next.holds() && !term.holds());
        lease.end();
        assert!(!next.holds());
    }

    #[test]
    fn the_clock_goes_forward() {
        let before = since_boot();
        assert!(before > Duration::ZERO);
        assert!(since_boot() >= before);
    }
}
