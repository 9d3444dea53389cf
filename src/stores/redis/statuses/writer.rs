//! The connection by which this node's modules write: each change is kept and published, many in one round trip, one round trip at a time.
//!
//! 1. Connect, and see to it that nothing of the connection before it is carried out any more.
//! 2. Compare Redis's statuses of this node's modules with the mirror: Redis may have lost them, or have an older copy back.
//! 3. Send what waits, as long as this node may write.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use tokio::time::{Instant, sleep, sleep_until};

use crate::model::{Backoff, ModuleId};
use crate::stores::StoreError;
use crate::stores::redis::inbox::Inbox;
use crate::stores::redis::limits::{
    ANSWER_DEADLINE, COMPARE_MODULES, FENCE_INTERVAL, PING_INTERVAL,
};
use crate::stores::redis::link::{Link, ServerInfo};
use crate::stores::redis::payload::{Faults, concerns_one_key, fields};
use crate::stores::redis::statuses::health::{Health, Side};
use crate::stores::redis::statuses::outgoing::{Change, Outgoing};
use crate::stores::redis::{backoff, keyspace};

/// Whether this node may write at the moment.
pub type MayWrite = Arc<dyn Fn() -> bool + Send + Sync>;

/// When a node writes.
#[derive(Clone)]
pub struct WriteFence {
    /// Asked before anything is sent. While it says no everything waits.
    pub may_write: MayWrite,
    /// How long bytes that Redis has not received may still be on their way.
    pub bytes_live: Duration,
}

impl std::fmt::Debug for WriteFence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteFence")
            .field("bytes_live", &self.bytes_live)
            .finish_non_exhaustive()
    }
}

/// The task that writes. There is one.
pub(super) struct Writer {
    link: Link,
    may_write: MayWrite,
    outgoing: Arc<Outgoing>,
    health: Arc<Health>,
    faults: Faults,
    backoff: Backoff,
    last: Option<Identity>,
}

/// A connection as the server knows it: which run of the server, and its number there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    run: String,
    number: i64,
}

impl Writer {
    pub(super) fn new(
        link: &Link,
        fence: WriteFence,
        outgoing: Arc<Outgoing>,
        health: Arc<Health>,
    ) -> Self {
        Self {
            link: link.whose_bytes_live(fence.bytes_live),
            may_write: fence.may_write,
            outgoing,
            health,
            faults: Faults::default(),
            backoff: backoff(),
            last: None,
        }
    }

    /// Writes until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let error = match self.connect().await {
                Ok(session) => session.run().await,
                Err(error) => error,
            };
            self.outgoing.hold();
            self.health.down(Side::Writer, &error);
            sleep(self.backoff.pause()).await;
        }
    }

    async fn connect(&mut self) -> Result<WriterSession<'_>, StoreError> {
        let inbox = Arc::new(Inbox::default());
        let (mut connection, server) = self
            .link
            .connect(ANSWER_DEADLINE, Some(inbox.on_push()))
            .await?;
        self.end_the_one_before(&mut connection, server).await?;
        self.health.up(Side::Writer);
        Ok(WriterSession {
            connection,
            inbox,
            is_compared: false,
            quiet_since: Instant::now(),
            writer: self,
        })
    }

    /// What was sent on the connection before may wait in a server that was too busy to read it, and would be carried out after what is sent now.
    async fn end_the_one_before(
        &mut self,
        connection: &mut MultiplexedConnection,
        server: ServerInfo,
    ) -> Result<(), StoreError> {
        let mut commands = redis::pipe();
        commands.cmd("CLIENT").arg("ID");
        // Numbers begin again with every run of the server.
        if let Some(last) = self.last.as_ref().filter(|last| last.run == server.run_id) {
            let kill = commands.cmd("CLIENT").arg("KILL");
            kill.arg("ID").arg(last.number);
        }
        let answers = connection
            .send_packed_commands(&commands, 0, commands.len())
            .await
            .map_err(|error| self.link.failed(&error))?;
        for answer in &answers {
            if let Value::ServerError(error) = answer {
                let detail = format!("a lost connection cannot be ended ({})", error.code());
                self.faults.tell("CLIENT", &detail);
            }
        }
        if let Some(&Value::Int(number)) = answers.first() {
            let run = server.run_id;
            self.last = Some(Identity { run, number });
        }
        Ok(())
    }
}

/// The writer while it has a connection.
struct WriterSession<'a> {
    connection: MultiplexedConnection,
    /// Reports the connection's end; nothing else comes in.
    inbox: Arc<Inbox>,
    is_compared: bool,
    /// When the last answer came.
    quiet_since: Instant,
    writer: &'a mut Writer,
}

impl WriterSession<'_> {
    /// Runs until the connection is of no more use, and says why.
    async fn run(mut self) -> StoreError {
        loop {
            if let Err(error) = self.step().await {
                return error;
            }
        }
    }

    async fn step(&mut self) -> Result<(), StoreError> {
        if !(self.writer.may_write)() {
            // Until it may again others may have written for its modules.
            if std::mem::replace(&mut self.is_compared, false) {
                self.writer.outgoing.hold();
            }
            sleep(FENCE_INTERVAL).await;
            return Ok(());
        }
        if !self.is_compared {
            self.compare(self.writer.outgoing.modules()).await?;
            self.is_compared = true;
            self.writer.backoff.reset();
            // The answer of the last comparison may have taken its time.
            return Ok(());
        }
        let pipeline = self.writer.outgoing.next_pipeline();
        if !pipeline.is_empty() {
            return self.send(&pipeline).await;
        }
        self.wait().await
    }

    /// Waits until there may be something to do, or asks whether the connection lives.
    async fn wait(&mut self) -> Result<(), StoreError> {
        let outgoing = &self.writer.outgoing;
        tokio::select! {
            biased;
            () = self.inbox.came() => Err(self.writer.link.unreachable("the connection was closed")),
            () = outgoing.came() => Ok(()),
            () = sleep_until(self.quiet_since + PING_INTERVAL) => {
                let mut ping = redis::pipe();
                ping.cmd("PING");
                self.ask(&ping).await.map(drop)
            }
        }
    }

    async fn send(&mut self, pipeline: &[Change]) -> Result<(), StoreError> {
        let answers = self.ask(&commands(pipeline)).await?;
        for (answer, change) in answers.iter().zip(pipeline.iter().flat_map(|c| [c, c])) {
            self.check(answer, || keyspace::status(&change.key.module))?;
        }
        self.writer.outgoing.arrived();
        Ok(())
    }

    /// Corrects what Redis holds of modules.
    async fn compare(&mut self, modules: Vec<ModuleId>) -> Result<(), StoreError> {
        for some in modules.chunks(COMPARE_MODULES) {
            let mut commands = redis::pipe();
            for module in some {
                commands.cmd("HGETALL").arg(keyspace::status(module));
            }
            let answers = self.ask(&commands).await?;
            for (module, answer) in some.iter().zip(answers) {
                self.check(&answer, || keyspace::status(module))?;
                let stored: HashMap<String, String> = fields(answer).collect();
                let repaired = self.writer.outgoing.repair(module, stored);
                let metrics = &self.writer.health.metrics;
                metrics.repaired.increment(repaired as u64);
            }
        }
        Ok(())
    }

    async fn ask(&mut self, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let count = commands.len();
        let answers = self
            .connection
            .send_packed_commands(commands, 0, count)
            .await
            .map_err(|error| self.writer.link.failed(&error))?;
        self.quiet_since = Instant::now();
        Ok(answers)
    }

    fn check(&mut self, answer: &Value, key: impl FnOnce() -> String) -> Result<(), StoreError> {
        let Value::ServerError(error) = answer else {
            return Ok(());
        };
        if concerns_one_key(error) {
            self.writer.faults.tell(&key(), error.code());
            return Ok(());
        }
        // A full disk or a replica, for example: everything is retried.
        Err(self.writer.link.failed(&error.clone().into()))
    }
}

/// Two commands for each change, as PlaceOS's modules write: what is kept, then what is published.
fn commands(pipeline: &[Change]) -> Pipeline {
    let mut commands = redis::pipe();
    for Change { key, value } in pipeline {
        let (hash, field) = (keyspace::status(&key.module), key.status.as_str());
        let said = match value {
            Some(value) => {
                let said = value.as_str();
                commands.cmd("HSET").arg(hash).arg(field).arg(said);
                said
            }
            None => {
                commands.cmd("HDEL").arg(hash).arg(field);
                "null"
            }
        };
        let channel = keyspace::status_channel(key);
        commands.cmd("PUBLISH").arg(channel).arg(said);
    }
    commands
}
