//! The alarms of a worker's connections, in the order of their times: one list for all, so that a connection without an alarm costs nothing.
//!
//! The heartbeat lets them go off. Each connection has at most one of each kind, so their number is bounded by that of the connections.

use std::collections::{BTreeSet, HashMap};

use tokio::time::Instant;

use crate::dialects::Alarm;
use crate::model::ConnectionId;

/// What a time is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AlarmKind {
    /// The client has to have signed in.
    SignIn,
    /// The dialect has set it.
    Dialect(Alarm),
}

/// The alarms that have not gone off.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_time: BTreeSet<(Instant, ConnectionId, AlarmKind)>,
    by_connection: HashMap<ConnectionId, Vec<(AlarmKind, Instant)>>,
}

impl Alarms {
    /// Sets an alarm, in the place of the one of this kind.
    pub(super) fn set(&mut self, connection: ConnectionId, kind: AlarmKind, at: Instant) {
        self.clear(connection, kind);
        self.by_time.insert((at, connection, kind));
        let own = self.by_connection.entry(connection).or_default();
        own.push((kind, at));
    }

    /// Takes an alarm back.
    pub(super) fn clear(&mut self, connection: ConnectionId, kind: AlarmKind) {
        let Some(own) = self.by_connection.get_mut(&connection) else {
            return;
        };
        if let Some(known) = own.iter().position(|(known, _)| *known == kind) {
            let (_, at) = own.swap_remove(known);
            self.by_time.remove(&(at, connection, kind));
        }
        if own.is_empty() {
            self.by_connection.remove(&connection);
        }
    }

    /// A connection has ended.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        for (kind, at) in self.by_connection.remove(&connection).unwrap_or_default() {
            self.by_time.remove(&(at, connection, kind));
        }
    }

    /// Takes those whose time has come, the earliest first.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<(ConnectionId, AlarmKind)> {
        let mut due = Vec::new();
        while let Some(&(at, connection, kind)) = self.by_time.first() {
            if at > now {
                break;
            }
            self.clear(connection, kind);
            due.push((connection, kind));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ONE: AlarmKind = AlarmKind::Dialect(Alarm(1));
    const TWO: AlarmKind = AlarmKind::Dialect(Alarm(2));

    #[tokio::test]
    async fn an_alarm_goes_off_once_at_the_time_that_was_set_last() {
        let (first, second) = (ConnectionId(1), ConnectionId(2));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut alarms = Alarms::default();
        alarms.set(first, ONE, at(1));
        alarms.set(first, TWO, at(4));
        alarms.set(second, ONE, at(2));
        alarms.set(first, ONE, at(3));
        assert_eq!(alarms.take_due(at(2)), [(second, ONE)]);
        assert_eq!(alarms.take_due(at(9)), [(first, ONE), (first, TWO)]);
        assert_eq!(alarms.take_due(at(9)), []);
        assert!(alarms.by_connection.is_empty());
    }

    #[tokio::test]
    async fn a_connection_that_ended_leaves_none() {
        let start = Instant::now();
        let mut alarms = Alarms::default();
        alarms.set(ConnectionId(1), ONE, start);
        alarms.set(ConnectionId(1), AlarmKind::SignIn, start);
        alarms.set(ConnectionId(2), AlarmKind::SignIn, start);
        alarms.clear(ConnectionId(2), AlarmKind::SignIn);
        alarms.forget(ConnectionId(1));
        assert_eq!(alarms.take_due(start), []);
        assert!(alarms.by_connection.is_empty());
    }
}
