//! How fast one key may do something: some times at once, then one now and then.
//!
//! The memory is bounded: when it is full, whoever has waited for longest is forgotten first.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::lock;

/// A leaky bucket for each key.
#[derive(Debug)]
pub(in crate::server::http) struct Paces<K> {
    /// When each will have been forgiven everything.
    clear_at: Mutex<HashMap<K, Instant>>,
    keys_max: usize,
}

/// How often something may be done.
#[derive(Debug, Clone, Copy)]
pub(in crate::server::http) struct Pace {
    /// So often at once.
    pub(in crate::server::http) times: u32,
    /// And so often in this time.
    pub(in crate::server::http) within: Duration,
}

impl<K: Hash + Eq + Clone> Paces<K> {
    /// Paces that remember so many keys.
    pub(in crate::server::http) fn new(keys_max: usize) -> Self {
        Self {
            clear_at: Mutex::default(),
            keys_max,
        }
    }

    /// Counts one time; `false` when it is one too many, which counts nothing.
    pub(in crate::server::http) fn admits(&self, key: &K, pace: Pace, now: Instant) -> bool {
        let every = pace.within / pace.times.max(1);
        let mut known = lock(&self.clear_at);
        let clear_at = known.get(key).copied().unwrap_or(now).max(now);
        let next = clear_at + every;
        if next > now + pace.within {
            return false;
        }
        if !known.contains_key(key) && known.len() >= self.keys_max {
            make_room(&mut known, now, self.keys_max);
        }
        known.insert(key.clone(), next);
        true
    }
}

fn make_room<K: Hash + Eq + Clone>(known: &mut HashMap<K, Instant>, now: Instant, most: usize) {
    known.retain(|_, clear_at| *clear_at > now);
    if known.len() >= most {
        let first = known.iter().min_by_key(|(_, clear_at)| **clear_at);
        if let Some(key) = first.map(|(key, _)| key.clone()) {
            known.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        times: 10,
        within: Duration::from_secs(1),
    };

    #[test]
    fn who_goes_on_too_fast_is_stopped_and_others_are_not() {
        let paces = Paces::new(8);
        let start = Instant::now();
        let admitted = (0..20).filter(|_| paces.admits(&"a", PACE, start));
        assert_eq!(admitted.count(), 10);
        assert!(paces.admits(&"b", PACE, start));
        assert!(!paces.admits(&"a", PACE, start + Duration::from_millis(99)));
        assert!(paces.admits(&"a", PACE, start + Duration::from_millis(100)));
        assert!(!paces.admits(&"a", PACE, start + Duration::from_millis(100)));
    }

    #[test]
    fn who_has_waited_for_longest_makes_room() {
        let paces = Paces::new(2);
        let start = Instant::now();
        for (key, times) in [("often", 10), ("once", 1), ("new", 1)] {
            for _ in 0..times {
                assert!(paces.admits(&key, PACE, start));
            }
        }
        assert!(!paces.admits(&"often", PACE, start));
        assert!(!lock(&paces.clear_at).contains_key("once"));
    }
}
