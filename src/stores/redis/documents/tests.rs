//! Documents in a real Redis: held to the suite of every store, and what only a server that others use can suffer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::durability::{Durability, durability};
use super::{RedisDocumentStore, SCHEMA};
use crate::model::ServiceName;
use crate::stores::redis::testkit::{PATIENCE, TestRedis};
use crate::stores::redis::{Link, RedisAddress, RedisTls};
use crate::stores::suite::{Fixture, check, commit, document_store_suite, put};
use crate::stores::{
    DocumentStore, Ledger, LedgerUpdate, LedgerVersion, Restored, Snapshot, StoreError, Write,
};

impl Fixture for TestRedis {
    async fn new() -> Self {
        Self::start().await
    }

    fn open(&self) -> Arc<dyn DocumentStore> {
        Arc::new(store(self))
    }
}

document_store_suite!(TestRedis);

const DOCUMENTS: &str = "riser/{service_riser}/building";
const NEWS: &str = "riser/{service_riser}/building/news";

// What others commit.

#[tokio::test]
async fn what_one_node_commits_another_that_waits_is_told() {
    let redis = TestRedis::start().await;
    let (a, b) = (store(&redis), store(&redis));
    let mut after = LedgerVersion::default();
    for round in 1..=3 {
        let batch = vec![put("a", round, "{}")];
        let (told, made) = futures_util::join!(
            next(&b, &after),
            a.commit(Ledger::Building, batch.clone(), &after)
        );
        let version = made.unwrap();
        let committed = LedgerUpdate::Committed {
            version: version.clone(),
            writes: batch,
        };
        assert_eq!(told, committed);
        after = version;
    }
}

#[tokio::test]
async fn who_is_behind_is_told_all_commits_at_once() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    let first = commit(&a, vec![put("a", 1, "{}")]).await;
    commit(&a, vec![put("a", 2, "{}")]).await;
    let version = commit(&a, vec![put("b", 1, "{}")]).await;
    let writes = vec![put("a", 2, "{}"), put("b", 1, "{}")];
    let told = next(&store(&redis), &first).await;
    assert_eq!(told, LedgerUpdate::Committed { version, writes });
}

#[tokio::test]
async fn what_is_too_long_or_too_long_ago_is_read_again() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    let first = commit(&a, vec![put("a", 1, "{}")]).await;
    let long = format!("\"{}\"", "x".repeat(100_000));
    let second = commit(&a, vec![put("b", 1, &long)]).await;
    assert_eq!(next(&a, &first).await, LedgerUpdate::Reload);
    let third = commit(&a, vec![put("c", 1, "{}")]).await;
    assert!(
        matches!(next(&a, &second).await, LedgerUpdate::Committed { version, .. } if version == third)
    );
    let _: u64 = redis.run(&["XTRIM", NEWS, "MAXLEN", "1"]).await;
    assert_eq!(next(&a, &second).await, LedgerUpdate::Reload);
}

#[tokio::test]
async fn a_batch_for_which_there_is_no_news_is_committed_all_the_same() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    let first = commit(&a, vec![put("a", 1, "{}")]).await;
    let _: u64 = redis.run(&["DEL", NEWS]).await;
    // A stream that is ahead of the ledger takes no entry of it.
    let _: String = redis.run(&["XADD", NEWS, "99-0", "commit", "x"]).await;
    commit(&a, vec![put("a", 2, "{}")]).await;
    check(&a, &[("a", 2, "{}")]).await;
    assert_eq!(next(&a, &first).await, LedgerUpdate::Reload);
}

#[tokio::test]
async fn who_waits_for_nothing_is_told_so_and_notices_a_server_that_was_emptied() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    let version = commit(&a, vec![put("a", 1, "{}")]).await;
    assert_eq!(next(&a, &version).await, LedgerUpdate::Unchanged);
    let flush = async {
        let _: String = redis.run(&["FLUSHALL"]).await;
    };
    let (told, ()) = futures_util::join!(next(&a, &version), flush);
    assert_eq!(told, LedgerUpdate::Behind);
}

// What the server loses.

#[tokio::test]
async fn of_those_who_put_back_what_was_lost_whoever_knows_most_wins() {
    let mut redis = TestRedis::start().await;
    let (a, b) = (store(&redis), store(&redis));
    let old = commit(&a, vec![put("a", 1, "{}")]).await;
    let new = commit(&a, vec![put("a", 2, "{}"), put("b", 1, "{}")]).await;
    redis.kill().await;
    redis.start_again().await;
    wait_until_it_answers(&a, &new).await;
    wait_until_it_answers(&b, &new).await;
    let older = snapshot(vec![put("a", 1, "{}")], &old);
    let newer = || snapshot(vec![put("a", 2, "{}"), put("b", 1, "{}")], &new);
    assert_eq!(restore(&a, older).await, Restored::Made);
    check(&a, &[("a", 1, "{}")]).await;
    assert_eq!(next(&b, &new).await, LedgerUpdate::Behind);
    assert_eq!(restore(&b, newer()).await, Restored::Made);
    assert_eq!(restore(&a, newer()).await, Restored::NotNeeded);
    assert_eq!(next(&a, &old).await, LedgerUpdate::Reload);
    assert_eq!(next(&b, &new).await, LedgerUpdate::Unchanged);
    let on_top = vec![put("c", 1, "{}")];
    a.commit(Ledger::Building, on_top, &new).await.unwrap();
    check(&b, &[("a", 2, "{}"), ("b", 1, "{}"), ("c", 1, "{}")]).await;
}

#[tokio::test]
async fn another_history_of_the_same_length_is_another() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    let ours = commit(&a, vec![put("a", 1, "{}")]).await;
    let _: String = redis.run(&["FLUSHALL"]).await;
    let theirs = commit(&store(&redis), vec![put("b", 1, "{}")]).await;
    assert_eq!(ours.number, theirs.number);
    assert_eq!(next(&a, &ours).await, LedgerUpdate::Reload);
    let refused = a.commit(Ledger::Building, vec![put("a", 2, "{}")], &ours);
    assert!(matches!(refused.await, Err(StoreError::Conflict)));
}

#[tokio::test]
async fn what_the_server_has_on_its_disk_is_there_after_it_was_killed() {
    let kept = ["--appendonly", "yes", "--appendfsync", "always"];
    let mut redis = TestRedis::start_with(&kept).await;
    let a = store(&redis);
    let version = commit(&a, vec![put("a", 1, "{}")]).await;
    redis.kill().await;
    redis.start_again().await;
    wait_until_it_answers(&a, &version).await;
    assert_eq!(next(&a, &version).await, LedgerUpdate::Unchanged);
    check(&a, &[("a", 1, "{}")]).await;
}

#[tokio::test]
async fn whether_the_server_keeps_anything_is_known_where_it_says() {
    for (arguments, expected) in [
        (&[][..], Durability::Lost),
        (&["--appendonly", "yes"], Durability::Kept),
        (&["--save", "3600 1"], Durability::Kept),
        (&["--rename-command", "CONFIG", ""], Durability::Unknown),
    ] {
        let redis = TestRedis::start_with(arguments).await;
        let mut connection = redis.connection().await;
        assert_eq!(durability(&mut connection).await, expected, "{arguments:?}");
    }
}

// Commits that fail, and those that may have.

#[tokio::test]
async fn a_commit_to_a_server_that_is_down_is_certain_not_to_be_made() {
    let mut redis = TestRedis::start().await;
    let a = store(&redis);
    let version = commit(&a, vec![put("a", 1, "{}")]).await;
    redis.kill().await;
    let refused = a.commit(Ledger::Building, vec![put("a", 2, "{}")], &version);
    let refused = refused.await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Unreachable { .. }),
        "{refused}"
    );
    let lost = a.load(Ledger::Building).await.unwrap_err();
    assert!(matches!(lost, StoreError::Unreachable { .. }), "{lost}");
}

#[tokio::test]
async fn a_server_that_takes_nothing_says_so_and_holds_what_it_held() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    let version = commit(&a, vec![put("a", 1, "{}")]).await;
    for (refuse, allow) in [
        (
            ["CONFIG", "SET", "maxmemory", "1"],
            ["CONFIG", "SET", "maxmemory", "0"],
        ),
        (
            ["CONFIG", "SET", "min-replicas-to-write", "1"],
            ["CONFIG", "SET", "min-replicas-to-write", "0"],
        ),
        (
            ["ACL", "SETUSER", "default", "-@scripting"],
            ["ACL", "SETUSER", "default", "+@all"],
        ),
    ] {
        let _: String = redis.run(&refuse).await;
        let refused = a
            .commit(Ledger::Building, vec![put("a", 2, "{}")], &version)
            .await
            .unwrap_err();
        assert!(
            matches!(refused, StoreError::NotWritten { .. }),
            "{refuse:?}: {refused}"
        );
        check(&a, &[("a", 1, "{}")]).await;
        let _: String = redis.run(&allow).await;
    }
    commit(&a, vec![put("a", 2, "{}")]).await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_made_once() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis);
    let a = proxy.store();
    let first = commit(&a, vec![put("a", 1, "{}")]).await;
    proxy.lose_the_next_commits_answer();
    let batch = vec![put("a", 2, "{}")];
    let second = a.commit(Ledger::Building, batch, &first).await.unwrap();
    assert!(proxy.has_lost_one());
    assert_eq!(second.number, first.number + 1);
    check(&a, &[("a", 2, "{}")]).await;
    assert_eq!(next(&store(&redis), &second).await, LedgerUpdate::Unchanged);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_made_once_even_if_others_go_on_from_it() {
    let redis = TestRedis::start().await;
    let proxy = Proxy::start(&redis);
    let (a, b) = (proxy.store(), store(&redis));
    let first = commit(&a, vec![put("a", 1, "{}")]).await;
    proxy.be_silent(true);
    proxy.lose_the_next_commits_answer();
    let go_on = async {
        let told = next(&b, &first).await;
        let LedgerUpdate::Committed { version, .. } = told else {
            panic!("{told:?}");
        };
        let batch = vec![put("b", 1, "{}")];
        b.commit(Ledger::Building, batch, &version).await.unwrap();
        proxy.be_silent(false);
        version
    };
    let (second, seen) = futures_util::join!(
        a.commit(Ledger::Building, vec![put("a", 2, "{}")], &first),
        go_on
    );
    assert_eq!(second.unwrap(), seen);
    check(&a, &[("a", 2, "{}"), ("b", 1, "{}")]).await;
}

#[tokio::test]
async fn a_commit_that_gets_no_answer_in_time_is_told_as_uncertain() {
    let redis = TestRedis::start().await;
    let mut a = store(&redis);
    let version = commit(&a, vec![put("a", 1, "{}")]).await;
    a.deadline = Duration::from_millis(200);
    let _: String = redis.run(&["CLIENT", "PAUSE", "60000", "WRITE"]).await;
    let refused = a
        .commit(Ledger::Building, vec![put("a", 2, "{}")], &version)
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Uncertain { .. }), "{refused}");
    assert!(!refused.to_string().contains('\n'), "{refused}");
    // It was on its way, and is made when the server goes on. Followers learn of it.
    let _: String = redis.run(&["CLIENT", "UNPAUSE"]).await;
    assert!(matches!(
        next(&a, &version).await,
        LedgerUpdate::Committed { .. }
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_many_nodes_hold_as_they_were_answered_while_connections_are_cut() {
    let redis = TestRedis::start().await;
    let mut nodes = JoinSet::new();
    for name in ["a", "b", "c"] {
        let store = store(&redis);
        nodes.spawn(async move { count_up(&store, name, 100).await });
    }
    let (follower, stop) = (store(&redis), watch::Sender::new(false));
    let mut stopped = stop.subscribe();
    let follow = Handle::current().spawn(async move {
        let mut shown = Follower::default();
        while !*stopped.borrow() {
            tokio::select! {
                () = shown.take_one(&follower) => {}
                _ = stopped.changed() => {}
            }
        }
        shown
    });
    let link = redis.link();
    let cutting = Handle::current().spawn(async move {
        loop {
            if let Ok((mut connection, _)) = link.connect(PATIENCE, None).await {
                let mut cut = redis::cmd("CLIENT");
                cut.arg("KILL")
                    .arg("TYPE")
                    .arg("normal")
                    .arg("SKIPME")
                    .arg("yes");
                let _: redis::RedisResult<u64> = cut.query_async(&mut connection).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut tally = Tally::default();
    let counted = async {
        while let Some(one) = nodes.join_next().await {
            tally.add(&one.unwrap());
        }
    };
    timeout(3 * PATIENCE, counted)
        .await
        .expect("they get there");
    cutting.abort();

    let there = content(&store(&redis)).await;
    let sum: u64 = ["a", "b", "c"].iter().map(|name| there[*name]).sum();
    assert_eq!(there["all"], sum, "no commit was made half");
    assert!(
        (tally.made..=tally.made + tally.uncertain).contains(&sum),
        "{sum} are there of {tally:?}"
    );
    let version = store(&redis).load(Ledger::Building).await.unwrap().version;
    assert_eq!(version.number, sum, "each was made once");
    // The follower has come as far, or comes there.
    stop.send_replace(true);
    let mut shown = follow.await.unwrap();
    let store = store(&redis);
    while shown.version != version {
        shown.take_one(&store).await;
    }
    assert_eq!(shown.content, there);
}

/// What became of the commits of one node.
#[derive(Debug, Default)]
struct Tally {
    made: u64,
    uncertain: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.made += other.made;
        self.uncertain += other.uncertain;
    }
}

/// Counts its own document and the one of all up, so often.
async fn count_up(store: &RedisDocumentStore, name: &str, times: u64) -> Tally {
    let mut tally = Tally::default();
    while tally.made < times {
        let Ok(Snapshot { documents, version }) = store.load(Ledger::Building).await else {
            continue;
        };
        let version_of = |id: &str| {
            let found = documents.iter().find(|document| document.id == id);
            found.map_or(0, |document| document.version)
        };
        let batch = vec![
            put(name, version_of(name) + 1, "{}"),
            put("all", version_of("all") + 1, "{}"),
        ];
        match store.commit(Ledger::Building, batch, &version).await {
            Ok(_) => tally.made += 1,
            Err(StoreError::Uncertain { .. }) => tally.uncertain += 1,
            Err(StoreError::Conflict | StoreError::Unreachable { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    tally
}

type Content = BTreeMap<String, u64>;

/// A node that only follows.
#[derive(Default)]
struct Follower {
    content: Content,
    version: LedgerVersion,
}

impl Follower {
    async fn take_one(&mut self, store: &RedisDocumentStore) {
        match store.next(Ledger::Building, &self.version).await {
            Ok(LedgerUpdate::Committed { version, writes }) => {
                for write in writes {
                    let Write::Put(document) = write else {
                        panic!("no step deletes");
                    };
                    let before = self.content.insert(document.id, document.version);
                    assert!(before < Some(document.version), "nothing goes back");
                }
                self.version = version;
            }
            Ok(LedgerUpdate::Unchanged) | Err(StoreError::Unreachable { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn content(store: &RedisDocumentStore) -> Content {
    let snapshot = store.load(Ledger::Building).await.unwrap();
    let rows = snapshot.documents.into_iter();
    rows.map(|document| (document.id, document.version))
        .collect()
}

// What others may have left in the keys.

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    let version = commit(&a, vec![put("a", 1, "{}")]).await;
    let head = format!("{} 2 x", SCHEMA + 1);
    let _: u64 = redis.run(&["HSET", DOCUMENTS, "head", &head]).await;
    let batch = vec![put("a", 2, "{}")];
    let further = LedgerVersion {
        number: 9,
        ..version.clone()
    };
    for refused in [
        a.load(Ledger::Building).await.map(drop),
        a.commit(Ledger::Building, batch, &version).await.map(drop),
        a.next(Ledger::Building, &version).await.map(drop),
        a.restore(Ledger::Building, snapshot(vec![], &further))
            .await
            .map(drop),
    ] {
        let error = refused.unwrap_err();
        assert!(
            matches!(error, StoreError::Newer { found, known: SCHEMA, .. } if found == SCHEMA + 1),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_no_ledger_is_refused_and_left_as_it_is() {
    let redis = TestRedis::start().await;
    let a = store(&redis);
    for garbage in [
        &["SET", DOCUMENTS, "x"][..],
        &["HSET", DOCUMENTS, "head", "x"],
        &["HSET", DOCUMENTS, "head", "1 1 x", "things", "x"],
        &["HSET", DOCUMENTS, "things/a", "1 {}"],
    ] {
        let _: redis::Value = redis.run(garbage).await;
        let loaded = a.load(Ledger::Building).await.unwrap_err();
        assert!(!loaded.to_string().contains('\n'), "{loaded}");
        let batch = vec![put("a", 1, "{}")];
        let version = LedgerVersion {
            number: 7,
            commit: "x".to_owned(),
        };
        a.commit(Ledger::Building, batch, &version)
            .await
            .unwrap_err();
        let _: redis::Value = redis.run(&["DEL", DOCUMENTS]).await;
    }
    let _: redis::Value = redis.run(&["SET", NEWS, "x"]).await;
    let version = commit(&a, vec![put("a", 1, "{}")]).await;
    check(&a, &[("a", 1, "{}")]).await;
    assert_eq!(next(&a, &version).await, LedgerUpdate::Unchanged);
}

// Helpers.

fn store(redis: &TestRedis) -> RedisDocumentStore {
    RedisDocumentStore::new(redis.link(), &ServiceName::new("riser").unwrap())
}

async fn next(store: &RedisDocumentStore, after: &LedgerVersion) -> LedgerUpdate {
    let update = timeout(PATIENCE, store.next(Ledger::Building, after)).await;
    update.expect("an update comes in time").unwrap()
}

/// Its first questions after a restart may still go to the connection that is gone.
async fn wait_until_it_answers(store: &RedisDocumentStore, after: &LedgerVersion) {
    let answers = async { while store.next(Ledger::Building, after).await.is_err() {} };
    timeout(PATIENCE, answers).await.expect("it answers");
}

fn snapshot(puts: Vec<Write>, version: &LedgerVersion) -> Snapshot {
    let document = |write| match write {
        Write::Put(document) => document,
        Write::Delete(id) => panic!("{id:?} is no document"),
    };
    Snapshot {
        documents: puts.into_iter().map(document).collect(),
        version: version.clone(),
    }
}

async fn restore(store: &RedisDocumentStore, snapshot: Snapshot) -> Restored {
    store.restore(Ledger::Building, snapshot).await.unwrap()
}

/// Stands between a store and the server, and loses an answer when it is told to.
struct Proxy {
    path: PathBuf,
    orders: Arc<Orders>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Orders {
    /// The next connection that sends a script is cut when the server has answered.
    lose: AtomicBool,
    lost: AtomicBool,
    /// While it is, nothing more is sent on once an answer has been lost.
    silent: watch::Sender<bool>,
}

impl Proxy {
    fn start(redis: &TestRedis) -> Self {
        let server = PathBuf::from(redis.url().trim_start_matches("unix://"));
        let path = server.with_file_name("proxy");
        let listener = UnixListener::bind(&path).unwrap();
        let orders = Arc::<Orders>::default();
        let told = Arc::clone(&orders);
        let task = Handle::current().spawn(async move {
            let mut relays = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = UnixStream::connect(&server).await.unwrap();
                relays.spawn(relay(client, server, Arc::clone(&told)));
            }
        });
        Self { path, orders, task }
    }

    fn store(&self) -> RedisDocumentStore {
        let url = format!("unix://{}", self.path.display());
        let address = RedisAddress::parse(&url, RedisTls::default()).unwrap();
        RedisDocumentStore::new(Link::new(address), &ServiceName::new("riser").unwrap())
    }

    fn lose_the_next_commits_answer(&self) {
        self.orders.lose.store(true, Ordering::SeqCst);
    }

    fn has_lost_one(&self) -> bool {
        self.orders.lost.load(Ordering::SeqCst)
    }

    /// Sends nothing on after that, until it is told to.
    fn be_silent(&self, silent: bool) {
        self.orders.silent.send_replace(silent);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends on what either side says, until one of them ends or an answer is lost.
async fn relay(mut client: UnixStream, mut server: UnixStream, orders: Arc<Orders>) {
    let (mut asked, mut said) = (vec![0; 65_536], vec![0; 65_536]);
    let mut losing = false;
    let mut silent = orders.silent.subscribe();
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(1..) = read else { return };
                let bytes = &asked[..read.unwrap()];
                if orders.lost.load(Ordering::SeqCst) {
                    silent.wait_for(|silent| !silent).await.unwrap();
                }
                if bytes.windows(7).any(|word| word == b"EVALSHA") {
                    losing = orders.lose.swap(false, Ordering::SeqCst);
                }
                server.write_all(bytes).await.unwrap();
            }
            read = server.read(&mut said) => {
                let Ok(1..) = read else { return };
                if losing {
                    orders.lost.store(true, Ordering::SeqCst);
                    return;
                }
                if client.write_all(&said[..read.unwrap()]).await.is_err() {
                    return;
                }
            }
        }
    }
}
