//! One connection for commands that somebody waits for, opened when it is needed and again when it was lost.

use std::future::Future;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::stores::StoreError;
use crate::stores::redis::limits::COMMAND_DEADLINE;
use crate::stores::redis::link::Link;

/// Runs commands. All of them have [`COMMAND_DEADLINE`] in all, and may be sent twice when the connection is lost: they must be ones that may be repeated.
#[derive(Debug)]
pub(super) struct Commands {
    link: Link,
    /// Held while connecting, so that many callers open one connection; their deadlines run meanwhile.
    open: Mutex<Option<MultiplexedConnection>>,
}

impl Commands {
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            open: Mutex::new(None),
        }
    }

    /// Reads one key. A key of another kind than the command is for reads as nothing.
    pub(super) async fn read(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.twice(|mut connection| async move {
            match command.query_async(&mut connection).await {
                Err(error) if error.code() == Some("WRONGTYPE") => Ok(Value::Nil),
                outcome => outcome,
            }
        })
        .await
    }

    /// Makes changes in one round trip.
    pub(super) async fn write(&self, commands: &Pipeline) -> Result<(), StoreError> {
        self.twice(|mut connection| async move { commands.exec_async(&mut connection).await })
            .await
    }

    async fn twice<T, F>(&self, query: impl Fn(MultiplexedConnection) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let tries = async {
            let first = query(self.connection().await?).await;
            match first {
                Err(error) if error.is_unrecoverable_error() => {
                    self.forget(&error).await;
                    let second = query(self.connection().await?).await;
                    second.map_err(|error| self.link.failed(&error))
                }
                Err(error) => Err(self.link.failed(&error)),
                Ok(answer) => Ok(answer),
            }
        };
        match timeout(COMMAND_DEADLINE, tries).await {
            Ok(outcome) => outcome,
            Err(_) => {
                // Its bytes may vanish: the next caller gets another one. Whoever has the lock is about to make one.
                if let Ok(mut open) = self.open.try_lock() {
                    *open = None;
                }
                Err(self.link.unreachable("no answer in time"))
            }
        }
    }

    async fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let mut open = self.open.lock().await;
        match &*open {
            Some(connection) => Ok(connection.clone()),
            None => {
                let (connection, _) = self.link.connect(COMMAND_DEADLINE, None).await?;
                Ok(open.insert(connection).clone())
            }
        }
    }

    async fn forget(&self, error: &RedisError) {
        tracing::debug!(%error, "a connection for commands was lost");
        *self.open.lock().await = None;
    }
}
