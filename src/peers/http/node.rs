//! One other node: where it is asked, the connections to it, and the order of what is under way.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::model::lock;
use crate::peers::PeerError;
use crate::peers::http::address::Address;
use crate::peers::http::connect::Connector;
use crate::peers::http::exchange::{Answer, Ask, Broken, Connection};
use crate::peers::http::metrics::PeersMetrics;
use crate::peers::http::order::Orders;
use crate::peers::limits::{CONNECTIONS_PER_NODE, IDLE_CONNECTIONS_PER_NODE, IDLE_MAX};

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) address: Address,
    pub(super) orders: Arc<Orders>,
    /// Connections that carry a call.
    places: Semaphore,
    /// Connections that rest, the one that was used last behind the others.
    resting: Mutex<Vec<Connection>>,
}

impl Node {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            orders: Arc::default(),
            places: Semaphore::new(CONNECTIONS_PER_NODE),
            resting: Mutex::default(),
        }
    }

    /// Asks once, on a connection that rests or on a fresh one.
    pub(super) async fn ask(
        &self,
        connector: &Connector,
        metrics: &PeersMetrics,
        mut ask: Ask,
        deadline: Instant,
    ) -> Result<Answer, PeerError> {
        let _place = self.places.try_acquire().map_err(|_| PeerError::Busy)?;
        while let Some(connection) = self.take() {
            match self.exchange(connection, ask, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(Broken::Sent(error)) => return Err(error),
                // The node has ended it while it rested.
                Err(Broken::NotSent(unsent)) => ask = *unsent,
            }
        }
        let stream = connector.open(&self.address, deadline).await?;
        metrics.connections_opened.increment(1);
        let connection = Connection::new(stream).await?;
        match self.exchange(connection, ask, deadline).await {
            Ok(answer) => Ok(answer),
            Err(Broken::Sent(error)) => Err(error),
            Err(Broken::NotSent(_)) => Err(PeerError::Unreachable(
                "the node ended the connection at once".to_owned(),
            )),
        }
    }

    async fn exchange(
        &self,
        connection: Connection,
        ask: Ask,
        deadline: Instant,
    ) -> Result<Answer, Broken> {
        let exchange = timeout_at(deadline, connection.exchange(ask)).await;
        let (answer, connection) = exchange.map_err(|_| Broken::Sent(PeerError::TimedOut))??;
        if let Some(connection) = connection {
            self.put_back(connection);
        }
        Ok(answer)
    }

    fn take(&self) -> Option<Connection> {
        let mut resting = self.resting();
        drop_stale(&mut resting);
        resting.pop()
    }

    fn put_back(&self, connection: Connection) {
        let mut resting = self.resting();
        if resting.len() < IDLE_CONNECTIONS_PER_NODE {
            resting.push(connection);
        }
    }

    /// Ends the connections that have rested for too long. Whether any are left.
    pub(super) fn tidy(&self) -> bool {
        self.orders.tidy();
        let mut resting = self.resting();
        drop_stale(&mut resting);
        !resting.is_empty()
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Connection>> {
        lock(&self.resting)
    }
}

fn drop_stale(resting: &mut Vec<Connection>) {
    resting.retain(|connection| connection.rests_since.elapsed() < IDLE_MAX);
}

#[cfg(test)]
impl Node {
    /// How many calls more there may be.
    pub(super) fn free_places(&self) -> usize {
        self.places.available_permits()
    }

    /// Ends the connections that rest.
    pub(super) fn forget_connections(&self) {
        self.resting().clear();
    }
}
