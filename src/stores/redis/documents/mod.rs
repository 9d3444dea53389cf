//! Documents that all nodes share: each ledger is one hash, with a stream of what was last committed beside it.
//!
//! - A commit is one script: it compares the ledger's head with the version that the batch was planned on, and makes all of it or nothing.
//!   It says by a text of its own which commit it is, so that it can be asked again when an answer was lost and is still made once.
//! - A follower waits at the stream, and looks at the head at least every [`WATCH`], so it also notices a server that has lost its memory.
//! - Redis's operator decides whether anything outlives the server; when nothing does, the log says so once.
//!
//! `form` has how it is written down, `durability` the question to the server.

mod durability;
mod form;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::{Pipeline, Script, ScriptInvocation, Value, from_redis_value};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::model::{Backoff, ServiceName};
use crate::stores::ledger::PerLedger;
use crate::stores::redis::connection::Line;
use crate::stores::redis::keyspace;
use crate::stores::redis::link::Link;
use crate::stores::{
    DocumentStore, Ledger, LedgerUpdate, LedgerVersion, Restored, Snapshot, StoreError, Write,
};

use durability::{Durability, durability};
use form::{Entry, Head, SCHEMA};

/// How long an answer may take: enough for a whole building over a slow link.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a commit may take with all its tries. As long as editors wait for their turn, so that one that hangs does not make the next ones hang.
const COMMIT_DEADLINE: Duration = Duration::from_secs(5);

/// How long a follower waits at the stream before it looks at the head. By that it notices a server that was emptied.
const WATCH: Duration = Duration::from_secs(1);

/// How long a follower waits for any answer; past it the connection is taken for dead.
const WATCH_PATIENCE: Duration = Duration::from_secs(3);

/// The first pause before a commit whose answer was lost is asked again; doubled each time, within [`COMMIT_DEADLINE`].
const RETRY_FIRST: Duration = Duration::from_millis(50);

/// How many commits the stream has. A follower that is further behind reads the documents again, which costs more and does no harm.
const NEWS_KEPT: usize = 1_024;

/// How many commits are taken from the stream at a time. With the longest batch each that is 4 MiB.
const NEWS_AT_ONCE: usize = 64;

/// The documents of all nodes of a service, in one Redis.
pub struct RedisDocumentStore {
    link: Link,
    ledgers: PerLedger<LedgerKeys>,
    /// For all that is answered at once.
    line: Line,
    /// The server has been asked whether it keeps anything.
    asked: AtomicBool,
    deadline: Duration,
    commit: Script,
    restore: Script,
}

/// The keys of a ledger in Redis, and the connection on which its updates are awaited.
struct LedgerKeys {
    documents: String,
    news: String,
    /// For waiting at the stream, which would hold up everything else.
    line: Line,
}

impl RedisDocumentStore {
    /// The documents of a service. Nothing is connected until they are asked for.
    pub fn new(link: Link, service: &ServiceName) -> Self {
        let place = |ledger: Ledger| LedgerKeys {
            documents: keyspace::own(service, ledger.as_str()),
            news: keyspace::own(service, &format!("{}/news", ledger.as_str())),
            line: Line::new(link.clone(), WATCH_PATIENCE),
        };
        Self {
            ledgers: PerLedger::new(place),
            line: Line::new(link.clone(), PATIENCE),
            asked: AtomicBool::new(false),
            deadline: COMMIT_DEADLINE,
            commit: Script::new(include_str!("scripts/commit.lua")),
            restore: Script::new(include_str!("scripts/restore.lua")),
            link,
        }
    }

    fn place(&self, ledger: Ledger) -> &LedgerKeys {
        self.ledgers.of(ledger)
    }

    async fn load_all(&self, ledger: Ledger) -> Result<Snapshot, StoreError> {
        self.tell_durability().await?;
        let place = self.place(ledger);
        let mut commands = Pipeline::new();
        commands.cmd("HGETALL").arg(&place.documents);
        let (hash,): (HashMap<Vec<u8>, Vec<u8>>,) = self.line.ask(&commands).await?;
        let (head, documents) =
            form::read_hash(hash).map_err(|detail| self.damaged(&place.documents, detail))?;
        let version = self.known(head)?.version;
        Ok(Snapshot { documents, version })
    }

    /// Asks the server once whether it keeps anything.
    async fn tell_durability(&self) -> Result<(), StoreError> {
        let mut connection = self.line.open().await?;
        if self.asked.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        if durability(&mut connection).await == Durability::Lost {
            tracing::warn!(
                redis = self.link.place(),
                "this Redis keeps nothing on its disk: what is committed to it is gone when it and all nodes have ended; turn on appendonly or save"
            );
        }
        Ok(())
    }

    /// A head, unless it is of a newer schema.
    fn known(&self, head: Head) -> Result<Head, StoreError> {
        if head.schema > SCHEMA {
            return Err(self.newer(head.schema));
        }
        Ok(head)
    }

    async fn commit_batch(
        &self,
        ledger: Ledger,
        batch: Vec<Write>,
        on: LedgerVersion,
    ) -> Result<LedgerVersion, StoreError> {
        ledger.admits(&batch)?;
        if batch.is_empty() {
            return Ok(on);
        }
        let next = LedgerVersion {
            number: on.number + 1,
            commit: Uuid::new_v4().simple().to_string(),
        };
        let place = self.place(ledger);
        let mut script = self.commit.key(&place.documents);
        script
            .key(&place.news)
            .arg(SCHEMA)
            .arg(form::head_text(&on))
            .arg(next.number)
            .arg(&next.commit)
            .arg(form::batch_text(&batch))
            .arg(NEWS_KEPT);
        let (mut deletes, mut puts) = (Vec::new(), Vec::new());
        for write in Write::last_of_each(batch) {
            let field = form::field(&write.id());
            match write {
                Write::Put(document) => puts.extend([field, form::value(&document)]),
                Write::Delete(_) => deletes.push(field),
            }
        }
        script.arg(deletes.len()).arg(deletes).arg(puts);
        let mut sent = Sent::No;
        let answer = timeout(self.deadline, self.run_once(&script, &mut sent)).await;
        let (answer, schema) = answer.unwrap_or_else(|_| Err(self.unanswered(sent)))?;
        match answer.as_str() {
            "made" => Ok(next),
            "newer" => Err(self.newer(schema)),
            _ => Err(StoreError::Conflict),
        }
    }

    /// The deadline of a commit has passed.
    fn unanswered(&self, sent: Sent) -> StoreError {
        let (place, detail) = (self.link.place(), "no answer in time".to_owned());
        match sent {
            Sent::No => StoreError::Unreachable { place, detail },
            Sent::Perhaps => StoreError::Uncertain { place, detail },
        }
    }

    /// Runs a script that can be asked twice, until it has answered. An error is certain: nothing of it was made.
    async fn run_once(
        &self,
        script: &ScriptInvocation<'_>,
        sent: &mut Sent,
    ) -> Result<(String, u64), StoreError> {
        let mut backoff = Backoff::new(RETRY_FIRST, COMMIT_DEADLINE);
        loop {
            // A connection that has just answered, so that a server that is down is not mistaken for one that was lost on the way.
            let error = match self.line.open_and_tried().await {
                Err(error) if *sent == Sent::No => return Err(error),
                Err(_) => None,
                Ok(mut connection) => {
                    let before = std::mem::replace(sent, Sent::Perhaps);
                    match script.invoke_async(&mut connection).await {
                        Ok(answer) => return Ok(answer),
                        Err(error) => Some((before, error)),
                    }
                }
            };
            if let Some((before, error)) = error {
                self.line.drop_connection().await;
                // An error from the server is an answer: this try changed nothing.
                if error.code().is_some() && before == Sent::No {
                    let detail = error.to_string();
                    return Err(StoreError::NotWritten { detail });
                }
            }
            sleep(backoff.pause()).await;
        }
    }

    async fn wait_for_update(
        &self,
        ledger: Ledger,
        after: LedgerVersion,
    ) -> Result<LedgerUpdate, StoreError> {
        if let Some(update) = self.look(ledger, &after).await? {
            return Ok(update);
        }
        let LedgerKeys { news, line, .. } = self.place(ledger);
        let mut commands = Pipeline::new();
        commands
            .cmd("XREAD")
            .arg("BLOCK")
            .arg(u64::try_from(WATCH.as_millis()).unwrap_or(u64::MAX))
            .arg("COUNT")
            .arg(1)
            .arg("STREAMS")
            .arg(news)
            .arg(format!("{}-0", after.number));
        let (_,): (Value,) = line.ask(&commands).await?;
        let update = self.look(ledger, &after).await?;
        Ok(update.unwrap_or(LedgerUpdate::Unchanged))
    }

    /// What has happened since a version, if anything has.
    async fn look(
        &self,
        ledger: Ledger,
        after: &LedgerVersion,
    ) -> Result<Option<LedgerUpdate>, StoreError> {
        let LedgerKeys {
            documents, news, ..
        } = self.place(ledger);
        let mut commands = Pipeline::new();
        commands
            .atomic()
            .cmd("HGET")
            .arg(documents)
            .arg(form::HEAD)
            .cmd("XRANGE")
            .arg(news)
            .arg(format!("{}-0", after.number))
            .arg("+")
            .arg("COUNT")
            .arg(NEWS_AT_ONCE + 1);
        let (head, entries): (Option<Vec<u8>>, Value) = self.line.ask(&commands).await?;
        let head = match head {
            None => Head::default(),
            Some(head) => String::from_utf8(head)
                .ok()
                .and_then(|head| Head::read(&head))
                .ok_or_else(|| self.damaged(documents, "its head cannot be read"))?,
        };
        let head = self.known(head)?.version;
        // An unreadable entry of the stream is no reason to stop: the documents are read again.
        let entries: Vec<Entry> = from_redis_value(entries).unwrap_or_default();
        Ok(form::update(&head, &entries, after))
    }

    async fn put_back(
        &self,
        ledger: Ledger,
        Snapshot { documents, version }: Snapshot,
    ) -> Result<Restored, StoreError> {
        let place = self.place(ledger);
        let mut script = self.restore.key(&place.documents);
        script
            .key(&place.news)
            .arg(SCHEMA)
            .arg(version.number)
            .arg(&version.commit);
        for document in documents {
            let value = form::value(&document);
            script
                .arg(form::field(&Write::Put(document).id()))
                .arg(value);
        }
        let mut connection = self.line.open().await?;
        let (answer, schema): (String, u64) = match script.invoke_async(&mut connection).await {
            Ok(answer) => answer,
            Err(error) => {
                self.line.drop_connection().await;
                return Err(self.link.failed(&error));
            }
        };
        match answer.as_str() {
            "made" => Ok(Restored::Made),
            "newer" => Err(self.newer(schema)),
            _ => Ok(Restored::NotNeeded),
        }
    }

    fn newer(&self, found: u64) -> StoreError {
        StoreError::Newer {
            place: self.link.place(),
            found,
            known: SCHEMA,
        }
    }

    fn damaged(&self, key: &str, detail: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            place: format!("{} {key}", self.link.place()),
            detail: detail.into(),
        }
    }
}

/// Whether a server may have got a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    No,
    Perhaps,
}

impl DocumentStore for RedisDocumentStore {
    fn load(&self, ledger: Ledger) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        Box::pin(self.load_all(ledger))
    }

    fn commit(
        &self,
        ledger: Ledger,
        batch: Vec<Write>,
        on: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerVersion, StoreError>> {
        Box::pin(self.commit_batch(ledger, batch, on.clone()))
    }

    fn next(
        &self,
        ledger: Ledger,
        after: &LedgerVersion,
    ) -> BoxFuture<'_, Result<LedgerUpdate, StoreError>> {
        Box::pin(self.wait_for_update(ledger, after.clone()))
    }

    fn restore(
        &self,
        ledger: Ledger,
        snapshot: Snapshot,
    ) -> BoxFuture<'_, Result<Restored, StoreError>> {
        Box::pin(self.put_back(ledger, snapshot))
    }
}

impl fmt::Debug for RedisDocumentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisDocumentStore")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
