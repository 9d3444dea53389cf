//! What is asked of topics: read from Redis's counts by a connection of its own, so that a long answer holds up no event.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;

use crate::model::{Occupancy, TopicId, TopicQuery, TopicsFound};
use crate::stores::StoreError;
use crate::stores::limits::KEPT_FOR;
use crate::stores::redis::commands::Commands;
use crate::stores::redis::limits::TOPIC_PAGE;
use crate::stores::redis::payload::text;
use crate::stores::redis::topics::names::Names;
use crate::stores::redis::topics::wire::KeptMessage;

/// Answers queries.
#[derive(Debug)]
pub(super) struct Queries {
    pub(super) commands: Commands,
    pub(super) names: Names,
}

impl Queries {
    pub(super) async fn find(&self, query: TopicQuery) -> Result<TopicsFound, StoreError> {
        match query {
            TopicQuery::Occupied { prefix } => self.occupied(&prefix).await,
            TopicQuery::Counts(topics) => {
                let counts = self.counts(&topics).await?;
                Ok(TopicsFound::Counts(counts))
            }
            TopicQuery::Users(topic) => {
                let mut commands = redis::pipe();
                commands
                    .cmd("HKEYS")
                    .arg(self.names.topic_key("users", &topic));
                let (mut users,): (Vec<String>,) = self.commands.ask(&commands).await?;
                users.sort_unstable();
                let users = users.into_iter().map(Arc::from);
                Ok(TopicsFound::Users(users.collect()))
            }
            TopicQuery::Last(topic) => self.last(&topic).await,
        }
    }

    async fn last(&self, topic: &TopicId) -> Result<TopicsFound, StoreError> {
        let mut commands = redis::pipe();
        commands
            .cmd("HGET")
            .arg(self.names.key("last"))
            .arg(topic.as_str())
            .cmd("TIME");
        let (kept, (seconds, micros)): (Option<Vec<u8>>, (u64, u64)) =
            self.commands.ask(&commands).await?;
        let now = Duration::from_secs(seconds) + Duration::from_micros(micros);
        let last = kept.and_then(|text| {
            let kept = KeptMessage::parse(&text)?;
            let until = Duration::from_micros(kept.since) + KEPT_FOR;
            let left = until.checked_sub(now)?;
            Some((kept.message, left.as_secs()))
        });
        Ok(TopicsFound::Last(last))
    }

    async fn counts(&self, topics: &[TopicId]) -> Result<Vec<Occupancy>, StoreError> {
        let mut all = Vec::with_capacity(topics.len());
        for page in topics.chunks(TOPIC_PAGE) {
            let mut commands = redis::pipe();
            for topic in page {
                commands
                    .cmd("HGET")
                    .arg(self.names.key("counts"))
                    .arg(topic.as_str())
                    .cmd("HLEN")
                    .arg(self.names.topic_key("users", topic));
            }
            let counts: Vec<Option<u64>> = self.commands.ask(&commands).await?;
            all.extend(counts.chunks_exact(2).map(|pair| Occupancy {
                connections: pair[0].unwrap_or(0),
                users: pair[1].unwrap_or(0),
            }));
        }
        Ok(all)
    }

    /// Reads the names page by page, so that a large answer holds up no other client of Redis.
    async fn occupied(&self, prefix: &str) -> Result<TopicsFound, StoreError> {
        let mut found = Vec::new();
        let mut from = format!("[{prefix}");
        // Behind all that begins so: no text of UTF-8 has this byte.
        let to = [b"[", prefix.as_bytes(), b"\xff"].concat();
        loop {
            let mut command = redis::cmd("ZRANGEBYLEX");
            command.arg(self.names.key("index")).arg(&from).arg(&to);
            command.arg("LIMIT").arg(0).arg(TOPIC_PAGE);
            let answer = self.commands.read(&command).await?;
            let names = answer.as_sequence().unwrap_or_default();
            let is_all = names.len() < TOPIC_PAGE;
            let topics: Vec<TopicId> = names.iter().filter_map(name).collect();
            if let Some(last) = topics.last() {
                from = format!("({last}");
            }
            let is_stuck = topics.is_empty();
            let counts = self.counts(&topics).await?;
            let each = topics.into_iter().zip(counts);
            // One may have become empty since its name was read.
            found.extend(each.filter(|(_, count)| count.connections > 0));
            if is_all || is_stuck {
                return Ok(TopicsFound::Occupied(found));
            }
        }
    }
}

fn name(value: &Value) -> Option<TopicId> {
    let bytes = text(value)?;
    TopicId::new(std::str::from_utf8(bytes).ok()?).ok()
}
