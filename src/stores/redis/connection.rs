//! One connection for commands: made when it is needed, and made anew after it has failed.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, Pipeline};
use tokio::sync::Mutex;

use crate::stores::StoreError;
use crate::stores::redis::link::Link;

/// A connection, or the place of one. Many callers who need it at one time make one.
#[derive(Debug)]
pub(super) struct Line {
    link: Link,
    /// How long any answer may take.
    patience: Duration,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Line {
    pub(super) fn new(link: Link, patience: Duration) -> Self {
        Self {
            link,
            patience,
            connection: Mutex::default(),
        }
    }

    /// The connection, made if there is none.
    pub(super) async fn open(&self) -> Result<MultiplexedConnection, StoreError> {
        let mut place = self.connection.lock().await;
        if let Some(connection) = &*place {
            return Ok(connection.clone());
        }
        let (connection, _) = self.link.connect(self.patience, None).await?;
        Ok(place.insert(connection).clone())
    }

    /// The connection, which has just answered.
    pub(super) async fn open_and_tried(&self) -> Result<MultiplexedConnection, StoreError> {
        let mut ping = Pipeline::new();
        ping.cmd("PING").ignore();
        if self.ask::<()>(&ping).await.is_err() {
            self.ask::<()>(&ping).await?;
        }
        self.open().await
    }

    /// It has failed: the next who needs one makes another.
    pub(super) async fn drop_connection(&self) {
        *self.connection.lock().await = None;
    }

    /// Drops the connection without waiting. When the lock is taken, its holder is about to make another connection.
    pub(super) fn drop_at_once(&self) {
        if let Ok(mut connection) = self.connection.try_lock() {
            *connection = None;
        }
    }

    /// Where it leads.
    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// Sends commands and waits for what they answer.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        let mut connection = self.open().await?;
        match commands.query_async(&mut connection).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                self.drop_connection().await;
                Err(self.link.failed(&error))
            }
        }
    }
}
