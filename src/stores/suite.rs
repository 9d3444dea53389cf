//! What every document store promises, as tests that each store runs by the same names.
//!
//! A store joins by [`document_store_suite`] and a [`Fixture`] of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::stores::{
    Document, DocumentId, DocumentStore, Ledger, LedgerVersion, SESSIONS, Snapshot, StoreError,
    Write,
};

/// A place for a store, empty at first.
pub(super) trait Fixture {
    /// A place of its own for one test.
    async fn new() -> Self;

    /// The store at this place; one that was opened before has been closed.
    fn open(&self) -> Arc<dyn DocumentStore>;
}

/// Runs every test of the suite with a fixture.
macro_rules! document_store_suite {
    ($fixture:ty: $($test:ident)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                let fixture = <$fixture as $crate::stores::suite::Fixture>::new().await;
                $crate::stores::suite::$test(&fixture).await;
            }
        )+
    };
    ($fixture:ty) => {
        $crate::stores::suite::document_store_suite! {
            $fixture:
            a_new_store_is_empty
            what_was_committed_is_there
            a_batch_is_made_in_its_order
            what_is_not_there_can_be_deleted
            any_text_can_be_an_id_and_any_size_a_document
            commits_at_one_time_all_hold
            what_was_planned_on_an_older_mark_is_refused
            ledgers_are_kept_apart
            a_document_of_another_ledger_is_refused
            a_commit_that_nobody_waits_for_is_whole_or_not_made
            what_was_committed_is_there_when_it_is_opened_again
        }
    };
}

pub(super) use document_store_suite;

pub(super) async fn a_new_store_is_empty(fixture: &impl Fixture) {
    assert_eq!(content(&*fixture.open()).await, BTreeMap::new());
}

pub(super) async fn what_was_committed_is_there(fixture: &impl Fixture) {
    let store = fixture.open();
    commit(&*store, vec![put("a", 1, "{}")]).await;
    commit(&*store, vec![put("a", 2, "[2]"), put("b", 1, "1")]).await;
    check(&*store, &[("a", 2, "[2]"), ("b", 1, "1")]).await;
}

pub(super) async fn a_batch_is_made_in_its_order(fixture: &impl Fixture) {
    let store = fixture.open();
    let batch = vec![
        put("a", 1, "1"),
        delete("a"),
        put("b", 1, "1"),
        put("b", 2, "2"),
        put("c", 1, "1"),
        delete("c"),
        put("c", 1, "3"),
    ];
    commit(&*store, batch).await;
    check(&*store, &[("b", 2, "2"), ("c", 1, "3")]).await;
}

pub(super) async fn what_is_not_there_can_be_deleted(fixture: &impl Fixture) {
    let store = fixture.open();
    commit(&*store, vec![delete("a"), put("b", 1, "1")]).await;
    commit(&*store, vec![]).await;
    check(&*store, &[("b", 1, "1")]).await;
}

pub(super) async fn any_text_can_be_an_id_and_any_size_a_document(fixture: &impl Fixture) {
    let store = fixture.open();
    let long = format!("\"{}\"", "ü".repeat(500_000));
    let id = format!("zone-hq\n{}", "é".repeat(250));
    let batch = vec![put(&id, u64::MAX, &long), put("", 0, "null")];
    commit(&*store, batch).await;
    check(&*store, &[("", 0, "null"), (&id, u64::MAX, &long)]).await;
}

pub(super) async fn commits_at_one_time_all_hold(fixture: &impl Fixture) {
    let store = fixture.open();
    let ids: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    let commits = ids.iter().map(|id| commit(&*store, vec![put(id, 1, "{}")]));
    futures_util::future::join_all(commits).await;
    let expected: Vec<_> = ids.iter().map(|id| (id.as_str(), 1, "{}")).collect();
    check(&*store, &expected).await;
}

pub(super) async fn what_was_planned_on_an_older_mark_is_refused(fixture: &impl Fixture) {
    let store = fixture.open();
    let before = commit(&*store, vec![put("a", 1, "1")]).await;
    let after = commit(&*store, vec![put("a", 2, "2")]).await;
    assert_ne!(before, after);
    let ahead = LedgerVersion {
        number: after.number + 1,
        ..after.clone()
    };
    for version in [LedgerVersion::default(), before, ahead] {
        let batch = vec![put("a", 3, "3"), put("b", 1, "1")];
        let refused = store.commit(Ledger::Building, batch, &version).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{version:?}");
        check(&*store, &[("a", 2, "2")]).await;
    }
    let batch = vec![put("a", 3, "3")];
    let last = store.commit(Ledger::Building, batch, &after).await.unwrap();
    assert_eq!(snapshot(&*store).await.version, last);
}

pub(super) async fn ledgers_are_kept_apart(fixture: &impl Fixture) {
    let store = fixture.open();
    let session = |version| {
        Write::Put(Document {
            collection: SESSIONS.to_owned(),
            id: "a".to_owned(),
            version,
            json: "{}".to_owned(),
        })
    };
    let here = commit(&*store, vec![put("a", 7, "1")]).await;
    let mut there = store.load(Ledger::SignIns).await.unwrap().version;
    for version in 1..=3 {
        let batch = vec![session(version)];
        there = store.commit(Ledger::SignIns, batch, &there).await.unwrap();
    }
    check(&*store, &[("a", 7, "1")]).await;
    assert_eq!(snapshot(&*store).await.version, here);
    let Snapshot { documents, version } = store.load(Ledger::SignIns).await.unwrap();
    let kept: Vec<Write> = documents.into_iter().map(Write::Put).collect();
    assert_eq!((kept, version), (vec![session(3)], there));
}

pub(super) async fn a_document_of_another_ledger_is_refused(fixture: &impl Fixture) {
    let store = fixture.open();
    commit(&*store, vec![put("a", 1, "1")]).await;
    let session = Write::Put(Document {
        collection: SESSIONS.to_owned(),
        id: "a".to_owned(),
        version: 1,
        json: "{}".to_owned(),
    });
    for (ledger, stray) in [
        (Ledger::Building, session),
        (Ledger::SignIns, put("b", 1, "1")),
        (Ledger::SignIns, delete("a")),
    ] {
        let there = store.load(ledger).await.unwrap().version;
        let refused = store.commit(ledger, vec![stray], &there).await;
        assert!(
            matches!(refused, Err(StoreError::NotWritten { .. })),
            "{refused:?}"
        );
        assert_eq!(store.load(ledger).await.unwrap().version, there);
    }
    check(&*store, &[("a", 1, "1")]).await;
    let Snapshot { documents, .. } = store.load(Ledger::SignIns).await.unwrap();
    assert_eq!(documents, []);
}

pub(super) async fn a_commit_that_nobody_waits_for_is_whole_or_not_made(fixture: &impl Fixture) {
    let store = fixture.open();
    for round in 0..10 {
        let batch = ["a", "b", "c"].map(|id| put(id, round, "{}"));
        let version = snapshot(&*store).await.version;
        // Polled once and dropped: it may or may not have begun.
        let _ = futures_util::poll!(store.commit(Ledger::Building, batch.into(), &version));
        let content = content(&*store).await;
        let versions: Vec<u64> = content.values().map(|(version, _)| *version).collect();
        assert!(
            versions.is_empty()
                || versions.len() == 3 && versions.iter().all(|v| *v == versions[0]),
            "{versions:?}"
        );
    }
}

pub(super) async fn what_was_committed_is_there_when_it_is_opened_again(fixture: &impl Fixture) {
    let store = fixture.open();
    let batch = vec![put("a", 1, "{\"b\":1.0}"), put("gone", 1, "1")];
    commit(&*store, batch).await;
    commit(&*store, vec![delete("gone")]).await;
    drop(store);
    check(&*fixture.open(), &[("a", 1, "{\"b\":1.0}")]).await;
}

pub(super) const COLLECTION: &str = "things";

pub(super) fn put(id: &str, version: u64, json: &str) -> Write {
    Write::Put(Document {
        collection: COLLECTION.to_owned(),
        id: id.to_owned(),
        version,
        json: json.to_owned(),
    })
}

fn delete(id: &str) -> Write {
    Write::Delete(DocumentId {
        collection: COLLECTION.into(),
        id: id.to_owned(),
    })
}

/// All of the ledger that the suite writes to.
async fn snapshot(store: &dyn DocumentStore) -> Snapshot {
    store.load(Ledger::Building).await.unwrap()
}

/// Commits on top of whatever is there.
pub(super) async fn commit(store: &dyn DocumentStore, batch: Vec<Write>) -> LedgerVersion {
    loop {
        let version = snapshot(store).await.version;
        match store
            .commit(Ledger::Building, batch.clone(), &version)
            .await
        {
            Ok(version) => return version,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

type Content = BTreeMap<(String, String), (u64, String)>;

async fn content(store: &dyn DocumentStore) -> Content {
    let rows = snapshot(store).await.documents.into_iter().map(|document| {
        let key = (document.collection, document.id);
        (key, (document.version, document.json))
    });
    rows.collect()
}

/// The store holds exactly these: id, version, content.
pub(super) async fn check(store: &dyn DocumentStore, expected: &[(&str, u64, &str)]) {
    let expected: Content = expected
        .iter()
        .map(|(id, version, json)| {
            let key = (COLLECTION.to_owned(), (*id).to_owned());
            (key, (*version, (*json).to_owned()))
        })
        .collect();
    assert_eq!(content(store).await, expected);
}
