//! The connection that is told what happens to messages on all nodes. One channel has all of it, in the order of the numbers.
//!
//! What happens while there is no connection is not told, so with each new one, and where more comes than is taken up, the feed is told that something may have been missed.

use std::sync::{Arc, Weak};

use futures_util::future::{BoxFuture, FutureExt};
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::time::sleep;

use crate::model::{Backoff, MessageNews};
use crate::stores::redis::backoff;
use crate::stores::redis::inbox::{Inbox, Message};
use crate::stores::redis::limits::{ANSWER_DEADLINE, PING_INTERVAL};
use crate::stores::redis::link::Link;
use crate::stores::redis::messages::wire;
use crate::stores::redis::payload::Faults;
use crate::stores::{MessageFeed, StoreError};

/// The task that is told. There is one.
pub(super) struct Follower {
    link: Link,
    channel: String,
    feed: Weak<dyn MessageFeed>,
    faults: Faults,
    backoff: Backoff,
    /// The log has said that Redis refuses it.
    is_refused: bool,
}

impl Follower {
    pub(super) fn new(link: Link, root: &str, feed: Weak<dyn MessageFeed>) -> Self {
        Self {
            link,
            channel: format!("{root}news"),
            feed,
            faults: Faults::default(),
            backoff: backoff(),
            is_refused: false,
        }
    }

    /// Passes on what happens until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let inbox = Arc::new(Inbox::default());
            let error = match self.connect(&inbox).await {
                Ok(connection) => self.follow(connection, &inbox).await,
                Err(error) => error,
            };
            self.log(&error);
            sleep(self.backoff.pause()).await;
        }
    }

    /// Logs why there is no connection. That Redis is away is logged by the store of statuses.
    fn log(&mut self, error: &StoreError) {
        let is_refused = matches!(error, StoreError::Refused { .. });
        if is_refused && !std::mem::replace(&mut self.is_refused, true) {
            tracing::error!(%error, "Redis refuses what messages need; trying again");
        } else {
            tracing::debug!(%error, "the connection for messages is lost; trying again");
        }
    }

    async fn connect(&mut self, inbox: &Arc<Inbox>) -> Result<MultiplexedConnection, StoreError> {
        let on_push = Some(inbox.on_push());
        let (mut connection, _) = self.link.connect(ANSWER_DEADLINE, on_push).await?;
        connection
            .subscribe(&self.channel)
            .await
            .map_err(|error| self.link.failed(&error))?;
        self.backoff.reset();
        self.is_refused = false;
        Ok(connection)
    }

    /// Passes on what comes by a connection, until it is of no more use, and returns the reason.
    async fn follow(&mut self, connection: MultiplexedConnection, inbox: &Inbox) -> StoreError {
        // Those who look again from here on see what was not told.
        self.tell(MessageNews::Missed);
        loop {
            let mut ping = ping(connection.clone());
            loop {
                tokio::select! {
                    biased;
                    () = inbox.came() => {
                        if let Err(error) = self.pass_on(inbox) {
                            return error;
                        }
                    }
                    answer = &mut ping => match answer {
                        Ok(()) => break,
                        Err(error) => return self.link.failed(&error),
                    },
                }
            }
        }
    }

    /// Passes on what was published, in its order.
    fn pass_on(&mut self, inbox: &Inbox) -> Result<(), StoreError> {
        let content = inbox.empty();
        if content.gap {
            tracing::debug!("news of messages came faster than they were taken up");
            self.tell(MessageNews::Missed);
        }
        for Message { payload, .. } in content.messages {
            match wire::news(&payload) {
                Some(news) => self.tell(news),
                None => self.faults.tell(&self.channel, "it is no news of messages"),
            }
        }
        if content.ended {
            return Err(self.link.unreachable("the connection was closed"));
        }
        Ok(())
    }

    fn tell(&self, news: MessageNews) {
        if let Some(feed) = self.feed.upgrade() {
            feed.happened(news);
        }
    }
}

/// Waits, and then asks whether the connection lives.
fn ping(mut connection: MultiplexedConnection) -> BoxFuture<'static, RedisResult<()>> {
    async move {
        sleep(PING_INTERVAL).await;
        redis::cmd("PING").query_async(&mut connection).await
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use redis::{PushInfo, PushKind, Value};

    use super::*;
    use crate::stores::message_suite::Told;
    use crate::stores::redis::limits::INBOX_MAX_MESSAGES;
    use crate::stores::redis::{RedisAddress, RedisTls};

    fn published() -> PushInfo {
        let news = r#"["subscribed","ann","lift",9,4,true]"#;
        PushInfo {
            kind: PushKind::Message,
            data: ["news", news]
                .map(|text| Value::BulkString(text.into()))
                .to_vec(),
        }
    }

    #[test]
    fn of_more_than_can_be_taken_up_it_is_told_that_something_was_missed() {
        let told = Arc::new(Told::default());
        let feed = Arc::downgrade(&told) as Weak<dyn MessageFeed>;
        let address = RedisAddress::parse("redis://localhost", RedisTls::default()).unwrap();
        let mut follower = Follower::new(Link::new(address), "", feed);
        let inbox = Arc::new(Inbox::default());
        let push = inbox.on_push();
        for _ in 0..=INBOX_MAX_MESSAGES {
            push(published());
        }
        follower.pass_on(&inbox).unwrap();
        assert_eq!(told.all(), [MessageNews::Missed]);
        push(published());
        follower.pass_on(&inbox).unwrap();
        assert_eq!(told.subscribed("ann", "lift"), ["on"]);
    }
}
