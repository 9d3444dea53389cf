//! The suite of every store of messages in memory and in a file, and what only a file can suffer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use futures_util::FutureExt;
use futures_util::future::join_all;
use redb::Database;
use tokio::task::unconstrained;

use super::*;
use crate::stores::embedded::testkit::{FlakyDisk, Folder};
use crate::stores::limits::{BATCH_MAX, OPERATIONS_MAX};
use crate::stores::message_suite::{
    MessageFixture, Node, PATIENCE, Told, assert_all, at, device_id, key, message_store_suite,
    notice, texts, within,
};

mod in_memory {
    use super::*;

    struct Memory;

    impl MessageFixture for Memory {
        async fn new() -> Self {
            Self
        }

        fn nodes(&self) -> [Node; 2] {
            twice(EmbeddedMessageStore::in_memory().unwrap())
        }
    }

    message_store_suite!(Memory);
}

mod in_a_file {
    use super::*;

    impl MessageFixture for Folder {
        async fn new() -> Self {
            Folder::empty()
        }

        fn nodes(&self) -> [Node; 2] {
            twice(open(self))
        }
    }

    message_store_suite!(Folder);
}

/// A process has the store alone, so both nodes are the same.
fn twice(store: EmbeddedMessageStore) -> [Node; 2] {
    let node = node(store);
    [node.clone(), node]
}

fn node(store: EmbeddedMessageStore) -> Node {
    let told = Arc::new(Told::default());
    let feed = Arc::downgrade(&told) as Weak<dyn MessageFeed>;
    Node::new(Arc::new(store.reporting_to(feed)), told, vec![])
}

fn open(folder: &Folder) -> EmbeddedMessageStore {
    EmbeddedMessageStore::open(folder.path()).unwrap()
}

// What is in the file.

#[tokio::test]
async fn what_was_acknowledged_is_there_when_the_file_is_opened_anew() {
    let folder = Folder::empty();
    let store = node(open(&folder));
    for device in ["ann", "bob"] {
        store.subscribe(device, "lift").await;
    }
    let last = store.send("lift", "one").await;
    store.take("ann").await;
    store.read_all("bob").await;
    store.send("lift", "two").await;
    let tally = store.tally("lift").await;
    drop(store);

    let store = node(open(&folder));
    assert_eq!(store.tally("lift").await, tally);
    let next = store.send("lift", "three").await;
    assert_eq!((next.devices, next.number.0), (2, last.number.0 + 2));
    assert_all(&store.take("ann").await, &["two", "three"]);
    store.unsubscribe("bob", "lift").await;
    drop(store);

    let store = node(open(&folder));
    assert_all(&store.take("ann").await, &[]);
    assert_all(&store.take("bob").await, &[]);
    assert_eq!(store.subscriptions("ann").await.len(), 1);
    store.forget("lift").await;
    drop(store);

    let store = node(open(&folder));
    assert_eq!(store.tally("lift").await, Tally::default());
    assert_eq!(store.send("lift", "four").await.devices, 0);
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    let folder = Folder::empty();
    drop(open(&folder));
    let metadata = fs::metadata(folder.path().join(FILE)).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_second_store_in_the_same_directory_is_refused() {
    let folder = Folder::empty();
    let _first = open(&folder);
    let error = EmbeddedMessageStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_as_it_is() {
    let folder = Folder::empty();
    let path = folder.path().join(FILE);
    fs::write(&path, "no store at all\n").unwrap();
    let error = EmbeddedMessageStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "no store at all\n");
}

// Many at a time.

#[tokio::test]
async fn more_operations_than_may_wait_are_all_made() {
    let [store, _] = twice(EmbeddedMessageStore::in_memory().unwrap());
    store.subscribe("ann", "lift").await;
    let texts: Vec<String> = (0..3 * OPERATIONS_MAX).map(|n| n.to_string()).collect();
    let all = texts.iter().map(|text| store.send("lift", text));
    let mut numbers: Vec<u64> = join_all(all)
        .await
        .iter()
        .map(|sent| sent.number.0)
        .collect();
    numbers.sort();
    let expected: Vec<u64> = (1..=texts.len() as u64).collect();
    assert_eq!(numbers, expected);
    let told = store.told.until_sent("lift", texts.len()).await;
    assert!(told.is_sorted_by(|one, next| one.number == next.previous));
}

#[tokio::test]
async fn all_that_waits_goes_into_one_transaction_up_to_a_bound() {
    let disk = FlakyDisk::default();
    let store = EmbeddedMessageStore::new(Backing::Flaky(disk.clone())).unwrap();
    let before = batches(&disk);
    // With the one that holds the disk up these fill two transactions.
    for (count, expected) in [(BATCH_MAX - 1, 1), (2 * BATCH_MAX - 1, 3)] {
        let gate = Gate::close(&store.worker);
        let waiting: Vec<_> = (0..count)
            .map(|_| waiting(store.send(key("lift"), notice("one"), at(0))))
            .collect();
        gate.open().await;
        for answer in join_all(waiting).await {
            answer.unwrap();
        }
        assert_eq!(batches(&disk) - before, expected);
    }
}

/// How many batches the disk has, as one that reads it from outside finds.
fn batches(disk: &FlakyDisk) -> u64 {
    let copy = FlakyDisk::with(disk.bytes());
    let database = Database::builder().create_with_backend(copy).unwrap();
    tables::batches(&database).unwrap()
}

#[tokio::test]
async fn an_operation_whose_caller_has_gone_before_its_turn_is_not_made() {
    let store = Arc::new(EmbeddedMessageStore::in_memory().unwrap());
    let node = Node::new(Arc::clone(&store) as _, Arc::default(), vec![]);
    node.subscribe("ann", "lift").await;
    node.send("lift", "one").await;
    let gate = Gate::close(&store.worker);
    drop(waiting(store.take(device_id("ann"), at(1))));
    gate.open().await;
    assert_all(&node.unread("ann").await, &["one"]);
}

/// Holds the worker up, so that all that is asked meanwhile waits.
struct Gate {
    held: BoxFuture<'static, Result<(), StoreError>>,
    opener: SyncSender<()>,
}

impl Gate {
    fn close(worker: &Worker) -> Self {
        let (opener, opened) = sync_channel(1);
        let held = worker.ask(move |_| {
            opened.recv_timeout(PATIENCE).expect("the gate opens");
            Ok(())
        });
        let held = waiting(held);
        Self { held, opener }
    }

    async fn open(self) {
        self.opener.send(()).unwrap();
        self.held.await.unwrap();
    }
}

/// Something that was asked, and waits. Not for Tokio, which would let one test ask for so much only.
fn waiting<T>(mut asked: BoxFuture<'static, T>) -> BoxFuture<'static, T> {
    assert!(unconstrained(&mut asked).now_or_never().is_none());
    asked
}

#[tokio::test]
async fn what_is_asked_of_a_store_that_is_gone_is_refused() {
    let store = EmbeddedMessageStore::in_memory().unwrap();
    let asked = store.send(key("lift"), notice("one"), at(0));
    drop(store);
    let error = asked.await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritten { .. }), "{error}");
}

// A disk that fails.

#[tokio::test]
async fn whatever_step_the_disk_fails_at_the_answer_is_true_and_the_store_goes_on() {
    for goes_on_failing in [false, true] {
        let mut fails_at = 0;
        while fail_at(fails_at, goes_on_failing).await {
            fails_at += 1;
        }
        assert!(
            fails_at > 3,
            "the disk was asked for too little: {fails_at}"
        );
    }
}

/// Lets the disk fail at a step of a message's way. Whether it came so far.
async fn fail_at(step: usize, goes_on_failing: bool) -> bool {
    let disk = FlakyDisk::default();
    let store = node(EmbeddedMessageStore::new(Backing::Flaky(disk.clone())).unwrap());
    store.subscribe("ann", "lift").await;
    store.send("lift", "one").await;
    if goes_on_failing {
        disk.fail_after(step);
    } else {
        disk.fail_once_after(step);
    }
    let asked = store.store.send(key("lift"), notice("two"), at(0));
    let answer = tokio::time::timeout(PATIENCE, asked).await.unwrap();
    let was_hit = disk.heal();

    store.send("lift", "three").await;
    let taken = store.take("ann").await;
    let with = ["one", "two", "three"];
    let without = ["one", "three"];
    let shown = texts(&taken.messages);
    match &answer {
        Ok(_) => assert_eq!(shown, with, "step {step}"),
        Err(StoreError::NotWritten { .. }) => assert_eq!(shown, without, "step {step}"),
        Err(StoreError::Uncertain { .. }) => {
            assert!(goes_on_failing, "step {step}: it could have been looked up");
            assert!(shown == with || shown == without, "{shown:?}");
        }
        Err(error) => panic!("{error}"),
    }
    if !matches!(answer, Err(StoreError::Uncertain { .. })) {
        let told = store.told.sent("lift");
        assert_eq!(texts(&told), shown, "what holds is told");
    }
    drop(store);
    let store = node(EmbeddedMessageStore::new(Backing::Flaky(disk)).unwrap());
    assert_all(&store.take("ann").await, &[]);
    was_hit
}

#[tokio::test]
async fn all_of_a_batch_that_fails_are_told() {
    let disk = FlakyDisk::default();
    let store = node(EmbeddedMessageStore::new(Backing::Flaky(disk.clone())).unwrap());
    store.subscribe("ann", "lift").await;
    disk.fail_after(0);
    let asked = (0..20).map(|_| store.store.send(key("lift"), notice("one"), at(0)));
    for answer in join_all(asked).await {
        answer.unwrap_err();
    }
    disk.heal();
    within(store.store.send(key("lift"), notice("two"), at(0))).await;
    assert_all(&store.take("ann").await, &["two"]);
}
