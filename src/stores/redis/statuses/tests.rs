//! The store over a real Redis: held to the suite of every store, and what only a store elsewhere can suffer.

mod suite {
    use super::*;

    impl StatusFixture for TestRedis {
        async fn new() -> Self {
            Self::start().await
        }

        fn node(&self) -> Node {
            node(self, always()).0
        }
    }

    status_store_suite!(TestRedis);
    shared_status_store_suite!(TestRedis);
}

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::model::{ModuleId, ModuleIndex, ModuleName, SystemId};
use crate::stores::redis::limits::LINGER;
use crate::stores::redis::testkit::{PATIENCE, TestRedis};
use crate::stores::redis::{MayWrite, RedisStatusStore, WriteFence};
use crate::stores::status_suite::{
    Node, StatusFixture, Told, json, key, shared_status_store_suite, status_store_suite,
};
use crate::stores::{StoreError, StoreFeed};

fn always() -> MayWrite {
    Arc::new(|| true)
}

/// A node over this server, which writes when it may.
fn node(redis: &TestRedis, may_write: MayWrite) -> (Node, Arc<RedisStatusStore>) {
    let told = Arc::new(Told::default());
    let feed = Arc::downgrade(&told) as Weak<dyn StoreFeed>;
    let fence = WriteFence {
        may_write,
        bytes_live: Duration::from_secs(5),
    };
    let (store, work) = RedisStatusStore::new(&redis.link(), feed, fence);
    let node = Node::new(Arc::clone(&store) as _, told, work);
    (node, store)
}

/// Waits until a node's connections are there, or gone.
async fn until_connected(store: &RedisStatusStore, connected: bool) {
    let mut follows = store.connected();
    let wait = follows.wait_for(|now| *now == connected);
    timeout(PATIENCE, wait).await.unwrap().unwrap();
}
