//! How many websockets there are, in all and per client, and whether one more may come.
//!
//! One count for the whole process, since a limit per worker would depend on which worker the kernel picks.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::model::{CredentialId, lock};
use crate::server::ConnectionLimits;
use crate::server::limits::REFUSALS_MAX;

/// Who is connected.
#[derive(Debug)]
pub(super) struct Admission {
    limits: ConnectionLimits,
    state: Mutex<State>,
    gone: Notify,
}

#[derive(Debug, Default)]
struct State {
    phase: AdmissionPhase,
    all: usize,
    /// Clients that are being refused behind the upgrade.
    refused: usize,
    by_key: HashMap<CredentialId, usize>,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum AdmissionPhase {
    /// The building is not known yet.
    #[default]
    Starting,
    Open,
    Draining,
}

/// Why one more websocket may not come. All are for the client to try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TurnedAway {
    /// The gateway does not know its building yet.
    #[error("the gateway is starting")]
    Starting,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Draining,
    /// There are as many as there may be.
    #[error("there are too many connections")]
    Full,
    /// These credentials have as many as it may.
    #[error("there are too many connections with these credentials")]
    Key,
    /// This address has as many as it may.
    #[error("there are too many connections from this address")]
    Address,
}

/// One admitted websocket; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Arc<Admission>,
    /// Boxed, and only there when a limit counts by it, because an idle connection should be small. A client that signs in later has no credentials yet.
    counted_by: Option<Box<(Option<CredentialId>, IpAddr)>>,
}

/// One client that is being refused behind the upgrade; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct RefusalPermit(Arc<Admission>);

impl Admission {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            gone: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Admits a websocket, or says why not.
    pub(super) fn admit(
        self: &Arc<Self>,
        key: Option<&CredentialId>,
        address: IpAddr,
    ) -> Result<Permit, TurnedAway> {
        let limits = &self.limits;
        let counts = limits.connections_per_key > 0 || limits.connections_per_address > 0;
        let mut state = self.state();
        match state.phase {
            AdmissionPhase::Starting => return Err(TurnedAway::Starting),
            AdmissionPhase::Open => {}
            AdmissionPhase::Draining => return Err(TurnedAway::Draining),
        }
        if reached(limits.connections_max, state.all) {
            return Err(TurnedAway::Full);
        }
        if let Some(key) = key {
            state.check_key(limits, key)?;
        }
        if reached(
            limits.connections_per_address,
            count(&state.by_address, &address),
        ) {
            return Err(TurnedAway::Address);
        }
        state.all += 1;
        if counts {
            if let Some(key) = key {
                *state.by_key.entry(key.clone()).or_default() += 1;
            }
            *state.by_address.entry(address).or_default() += 1;
        }
        Ok(Permit {
            admission: Arc::clone(self),
            counted_by: counts.then(|| Box::new((key.cloned(), address))),
        })
    }

    /// Takes a place among the clients that are being refused behind the upgrade; `None` when there are too many.
    pub(super) fn admit_to_refuse(self: &Arc<Self>) -> Option<RefusalPermit> {
        let mut state = self.state();
        if state.refused >= REFUSALS_MAX {
            return None;
        }
        state.refused += 1;
        Some(RefusalPermit(Arc::clone(self)))
    }

    /// Lets clients in from here on, unless the gateway stops by now.
    pub(super) fn open(&self) {
        let mut state = self.state();
        if state.phase == AdmissionPhase::Starting {
            state.phase = AdmissionPhase::Open;
        }
    }

    /// Turns all newcomers away from here on.
    pub(super) fn drain(&self) {
        self.state().phase = AdmissionPhase::Draining;
    }

    /// Whether new connections are accepted.
    pub(super) fn phase(&self) -> AdmissionPhase {
        self.state().phase
    }

    /// Waits until no client is connected.
    pub(super) async fn all_gone(&self) {
        loop {
            let gone = self.gone.notified();
            if self.state().is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// How many are connected.
    pub(super) fn connected(&self) -> usize {
        self.state().all
    }
}

impl Permit {
    /// The client has signed in, perhaps as another user: it counts among the connections of these credentials.
    pub(super) fn sign_in(&mut self, key: &CredentialId) -> Result<(), TurnedAway> {
        let Some((counted, _)) = self.counted_by.as_deref_mut() else {
            return Ok(());
        };
        if counted.as_ref() == Some(key) {
            return Ok(());
        }
        let mut state = self.admission.state();
        state.check_key(&self.admission.limits, key)?;
        *state.by_key.entry(key.clone()).or_default() += 1;
        if let Some(before) = counted.replace(key.clone()) {
            release(&mut state.by_key, &before);
        }
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.all -= 1;
        if let Some((key, address)) = self.counted_by.as_deref() {
            if let Some(key) = key {
                release(&mut state.by_key, key);
            }
            release(&mut state.by_address, address);
        }
        if state.is_empty() {
            self.admission.gone.notify_waiters();
        }
    }
}

impl Drop for RefusalPermit {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.refused -= 1;
        if state.is_empty() {
            self.0.gone.notify_waiters();
        }
    }
}

impl State {
    fn check_key(&self, limits: &ConnectionLimits, key: &CredentialId) -> Result<(), TurnedAway> {
        if reached(limits.connections_per_key, count(&self.by_key, key)) {
            return Err(TurnedAway::Key);
        }
        Ok(())
    }

    /// Whether no client is left to wait for.
    fn is_empty(&self) -> bool {
        self.all == 0 && self.refused == 0
    }
}

/// Whether a limit is reached; 0 is no limit.
fn reached(limit: usize, count: usize) -> bool {
    limit > 0 && count >= limit
}

fn count<K: Hash + Eq>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or(0)
}

fn release<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::KeyId;

    fn key(id: &str) -> CredentialId {
        CredentialId::Key(KeyId::new(id).unwrap())
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn each_limit_turns_away_and_a_dropped_permit_gives_its_place_back() {
        let admission = Arc::new(Admission::new(ConnectionLimits {
            connections_max: 3,
            connections_per_key: 2,
            connections_per_address: 1,
            ..ConnectionLimits::default()
        }));
        admission.open();
        let first = admission.admit(Some(&key("a")), address(1)).unwrap();
        let again = admission.admit(Some(&key("a")), address(1)).unwrap_err();
        assert_eq!(again, TurnedAway::Address);
        let _second = admission.admit(Some(&key("a")), address(2)).unwrap();
        let third_of_key = admission.admit(Some(&key("a")), address(3)).unwrap_err();
        assert_eq!(third_of_key, TurnedAway::Key);
        let _third = admission.admit(Some(&key("b")), address(3)).unwrap();
        let fourth = admission.admit(Some(&key("c")), address(4)).unwrap_err();
        assert_eq!(fourth, TurnedAway::Full);
        drop(first);
        let _fourth = admission.admit(Some(&key("a")), address(1)).unwrap();
        assert_eq!(admission.connected(), 3);
    }

    #[test]
    fn who_signs_in_later_counts_among_the_connections_of_its_key() {
        let admission = Arc::new(Admission::new(ConnectionLimits {
            connections_per_key: 1,
            ..ConnectionLimits::default()
        }));
        admission.open();
        let mut first = admission.admit(None, address(1)).unwrap();
        let mut second = admission.admit(None, address(1)).unwrap();
        assert_eq!(first.sign_in(&key("a")), Ok(()));
        assert_eq!(second.sign_in(&key("a")), Err(TurnedAway::Key));
        assert_eq!(first.sign_in(&key("b")), Ok(()));
        assert_eq!(second.sign_in(&key("a")), Ok(()));
        drop(first);
        assert!(admission.admit(Some(&key("b")), address(2)).is_ok());
    }

    #[test]
    fn nobody_is_admitted_before_the_doors_open_or_after_they_close() {
        let admission = Arc::new(Admission::new(ConnectionLimits::default()));
        let refused = admission.admit(Some(&key("a")), address(1)).unwrap_err();
        assert_eq!(refused, TurnedAway::Starting);
        admission.open();
        assert!(admission.admit(Some(&key("a")), address(1)).is_ok());
        admission.drain();
        admission.open();
        let refused = admission.admit(Some(&key("a")), address(1)).unwrap_err();
        assert_eq!(refused, TurnedAway::Draining);
    }
}
