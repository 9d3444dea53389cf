//! The task that speaks with Redis about topics: it makes a connection and begins a session on it, again and again.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::sleep;

use crate::model::{Backoff, ProcessId, lock};
use crate::stores::StoreError;
use crate::stores::redis::backoff;
use crate::stores::redis::inbox::Inbox;
use crate::stores::redis::limits::{ANSWER_DEADLINE, RESTART_GRACE};
use crate::stores::redis::link::Link;
use crate::stores::redis::payload::Faults;
use crate::stores::redis::topics::Shared;
use crate::stores::redis::topics::scripts::{Scripts, SessionId};
use crate::stores::redis::topics::session::{Session, millis};
use crate::stores::redis::topics::wire::{began_channel, process_channel, reported_channel};

/// The task that speaks with Redis. There is one.
pub(super) struct Speaker {
    pub(super) link: Link,
    process: ProcessId,
    pub(super) lease: Duration,
    pub(super) shared: Arc<Shared>,
    pub(super) scripts: Scripts,
    pub(super) faults: Faults,
    pub(super) backoff: Backoff,
    sessions: u64,
    /// Which run of the server it spoke with last.
    last_run: Option<String>,
}

impl Speaker {
    pub(super) fn new(
        link: Link,
        process: ProcessId,
        lease: Duration,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            link,
            process,
            lease,
            shared,
            scripts: Scripts::default(),
            faults: Faults::default(),
            backoff: backoff(),
            sessions: 0,
            last_run: None,
        }
    }

    /// Speaks until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let error = match self.connect().await {
                Ok(session) => session.run().await,
                Err(error) => error,
            };
            lock(&self.shared.table).lost();
            tracing::debug!(%error, "the connection for topics is lost; trying again");
            sleep(self.backoff.pause()).await;
        }
    }

    async fn connect(&mut self) -> Result<Session<'_>, StoreError> {
        let inbox = Arc::new(Inbox::default());
        let (mut connection, server) = self
            .link
            .connect(ANSWER_DEADLINE, Some(inbox.on_push()))
            .await?;
        self.sessions += 1;
        let id = SessionId {
            process: self.process,
            number: self.sessions,
        };
        let mut commands = self.scripts.load();
        for channel in [
            process_channel(self.process),
            reported_channel(),
            began_channel(),
        ] {
            commands.cmd("SUBSCRIBE").arg(channel);
        }
        let begin = id.run(&mut commands, &self.scripts.begin);
        begin.arg(millis(self.lease));
        let count = commands.len();
        let answers = connection
            .send_packed_commands(&commands, 0, count)
            .await
            .map_err(|error| self.link.failed(&error))?;
        for answer in &answers {
            if let Value::ServerError(error) = answer {
                return Err(self.link.failed(&error.clone().into()));
            }
        }
        let had_lease = answers.last() == Some(&Value::Int(1));
        let last_run = self.last_run.replace(server.run_id.clone());
        let is_same = last_run.is_some_and(|last| last == server.run_id);
        let topics = lock(&self.shared.table).connected();
        tracing::debug!(
            topics = topics.len(),
            had_lease,
            version = server.version,
            "telling Redis of topics"
        );
        self.shared.reporter.remind();
        // Other processes may have to tell a server that has lost its memory of theirs too.
        let patience = match had_lease && is_same {
            true => Duration::ZERO,
            false => RESTART_GRACE,
        };
        Ok(Session::new(self, connection, inbox, id, topics, patience))
    }
}
