//! Commands with a caller that waits for the answer: sent once more on another connection when the first is lost.

use std::future::Future;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisResult, Value};
use tokio::time::timeout;

use crate::stores::StoreError;
use crate::stores::redis::connection::Line;
use crate::stores::redis::limits::COMMAND_DEADLINE;
use crate::stores::redis::link::Link;

/// Runs commands. All of them have [`COMMAND_DEADLINE`] in all, and may be sent twice when the connection is lost: they must be ones that may be repeated.
#[derive(Debug)]
pub(super) struct Commands {
    line: Line,
}

impl Commands {
    pub(super) fn new(link: Link) -> Self {
        Self {
            line: Line::new(link, COMMAND_DEADLINE),
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

    /// Reads many keys in one round trip.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        self.twice(|mut connection| async move { commands.query_async(&mut connection).await })
            .await
    }

    async fn twice<T, F>(&self, query: impl Fn(MultiplexedConnection) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let tries = async {
            let first = query(self.line.open().await?).await;
            match first {
                Err(error) if error.is_unrecoverable_error() => {
                    tracing::debug!(%error, "a connection for commands was lost");
                    self.line.drop_connection().await;
                    let second = query(self.line.open().await?).await;
                    second.map_err(|error| self.line.link().failed(&error))
                }
                Err(error) => Err(self.line.link().failed(&error)),
                Ok(answer) => Ok(answer),
            }
        };
        match timeout(COMMAND_DEADLINE, tries).await {
            Ok(outcome) => outcome,
            Err(_) => {
                // Its bytes may vanish: the next caller gets another one.
                self.line.drop_at_once();
                Err(self.line.link().unreachable("no answer in time"))
            }
        }
    }
}
