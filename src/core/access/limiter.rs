//! How often sign-ins may fail: a small number at once, then one now and then, by name and by address.
//!
//! The name's limit is checked first: a client that tries one name again and again is stopped there, and others behind the same address notice nothing.
//! An attempt is counted before its password is looked at, so that many at once gain nothing, and given back when it succeeds.
//! The memory is bounded; when it is full, the oldest failure is forgotten first.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::limits::{
    FAILURE_FORGOTTEN_PER_ADDRESS, FAILURE_FORGOTTEN_PER_NAME, FAILURES_KEPT_MAX,
    FAILURES_PER_ADDRESS, FAILURES_PER_NAME,
};
use crate::model::{lock, source_of};

/// Names are compared up to this length; no user has a longer one.
const NAME_MAX_BYTES: usize = 254;

/// Failed sign-ins, by address and by name.
#[derive(Debug)]
pub(super) struct Limiter {
    by_address: Mutex<Failures<IpAddr>>,
    by_name: Mutex<Failures<String>>,
}

/// One attempt, counted as failed until it is said to have succeeded.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    limiter: &'a Limiter,
    address: IpAddr,
    name: String,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self {
            by_address: Mutex::new(Failures::new(
                FAILURES_PER_ADDRESS,
                FAILURE_FORGOTTEN_PER_ADDRESS,
            )),
            by_name: Mutex::new(Failures::new(FAILURES_PER_NAME, FAILURE_FORGOTTEN_PER_NAME)),
        }
    }

    /// Begins an attempt, or says how long to wait before the next.
    pub(super) fn begin(&self, address: IpAddr, name: &str) -> Result<Attempt<'_>, Duration> {
        let end = name.floor_char_boundary(NAME_MAX_BYTES);
        let name = name[..end].to_lowercase();
        let (address, now) = (source_of(address), Instant::now());
        lock(&self.by_name).count(&name, now)?;
        if let Err(wait) = lock(&self.by_address).count(&address, now) {
            lock(&self.by_name).give_back(&name);
            return Err(wait);
        }
        Ok(Attempt {
            limiter: self,
            address,
            name,
        })
    }
}

impl Attempt<'_> {
    /// It did not fail.
    pub(super) fn forgive(self) {
        lock(&self.limiter.by_address).give_back(&self.address);
        lock(&self.limiter.by_name).give_back(&self.name);
    }
}

/// A leaky bucket for each key.
#[derive(Debug)]
struct Failures<K> {
    most: u32,
    forgotten_every: Duration,
    /// When each will have been forgiven everything.
    clear_at: HashMap<K, Instant>,
}

impl<K: Hash + Eq + Clone> Failures<K> {
    fn new(most: u32, forgotten_every: Duration) -> Self {
        Self {
            most,
            forgotten_every,
            clear_at: HashMap::new(),
        }
    }

    fn count(&mut self, key: &K, now: Instant) -> Result<(), Duration> {
        let full = self.forgotten_every * self.most;
        let clear_at = self.clear_at.get(key).copied().unwrap_or(now).max(now);
        let next = clear_at + self.forgotten_every;
        if next > now + full {
            return Err(next - (now + full));
        }
        if !self.clear_at.contains_key(key) && self.clear_at.len() >= FAILURES_KEPT_MAX {
            self.make_room(now);
        }
        self.clear_at.insert(key.clone(), next);
        Ok(())
    }

    fn give_back<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(clear_at) = self.clear_at.get_mut(key) {
            *clear_at -= self.forgotten_every;
        }
    }

    fn make_room(&mut self, now: Instant) {
        self.clear_at.retain(|_, clear_at| *clear_at > now);
        if self.clear_at.len() >= FAILURES_KEPT_MAX {
            let first = self.clear_at.iter().min_by_key(|(_, clear_at)| **clear_at);
            if let Some(key) = first.map(|(key, _)| key.clone()) {
                self.clear_at.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn from(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_closed_after_some_failures_and_opens_again_in_time() {
        let limiter = Limiter::new();
        for number in 0..FAILURES_PER_NAME {
            let address = from(u8::try_from(number).unwrap());
            drop(limiter.begin(address, "Ann@example.test").unwrap());
        }
        let wait = limiter.begin(from(99), "ann@EXAMPLE.test").unwrap_err();
        assert_eq!(wait, FAILURE_FORGOTTEN_PER_NAME);
        limiter
            .begin(from(99), "bob@example.test")
            .unwrap()
            .forgive();
        tokio::time::advance(wait).await;
        drop(limiter.begin(from(99), "ann@example.test").unwrap());
        limiter.begin(from(99), "ann@example.test").unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_is_closed_whatever_names_it_tries() {
        let limiter = Limiter::new();
        for number in 0..FAILURES_PER_ADDRESS {
            drop(limiter.begin(from(1), &number.to_string()).unwrap());
        }
        limiter.begin(from(1), "another").unwrap_err();
        drop(limiter.begin(from(2), "another").unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_a_network_of_ipv6_has_one_address() {
        let limiter = Limiter::new();
        let from = |text: &str| -> IpAddr { text.parse().unwrap() };
        for number in 0..FAILURES_PER_ADDRESS {
            let address = from(&format!("2001:db8:1:2::{number:x}"));
            drop(limiter.begin(address, &number.to_string()).unwrap());
        }
        let same = from("2001:db8:1:2:ffff::1");
        limiter.begin(same, "another").unwrap_err();
        let neighbour = from("2001:db8:1:3::1");
        drop(limiter.begin(neighbour, "another").unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_of_some_behind_an_address_shut_nobody_else_out() {
        let limiter = Limiter::new();
        for name in ["ann", "bob", "cid"] {
            for _ in 0..10 * FAILURES_PER_ADDRESS {
                drop(limiter.begin(from(1), name));
            }
        }
        limiter.begin(from(1), "ann").unwrap_err();
        limiter.begin(from(1), "dora").unwrap().forgive();
    }

    #[tokio::test(start_paused = true)]
    async fn who_succeeds_is_not_counted() {
        let limiter = Limiter::new();
        for _ in 0..10 * FAILURES_PER_ADDRESS {
            limiter.begin(from(1), "ann").unwrap().forgive();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_names_is_kept_within_bounds() {
        let mut failures = Failures::new(3, Duration::from_secs(1));
        for number in 0..FAILURES_KEPT_MAX + 10 {
            failures.count(&number, Instant::now()).unwrap();
            tokio::time::advance(Duration::from_nanos(1)).await;
        }
        assert!(failures.clear_at.len() <= FAILURES_KEPT_MAX);
    }
}
