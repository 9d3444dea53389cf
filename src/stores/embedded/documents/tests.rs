//! The embedded store in memory and in a file, held to the suite of every store, and what only a file can suffer.

mod fuzz;

use std::fs;
use std::sync::Arc;

use redb::{Database, TableDefinition};

use super::{Backing, DOCUMENTS, EmbeddedDocumentStore, FILE, SCHEMA};
use crate::stores::embedded::schema::{Found, Schema, Step, prepare};
use crate::stores::embedded::testkit::{FlakyDisk, Folder};
use crate::stores::suite::{COLLECTION, Fixture, check, commit, document_store_suite, put};
use crate::stores::{DocumentStore, Ledger, LedgerVersion, StoreError, Write};

mod in_memory {
    use super::*;

    /// One store for the whole test: nothing is left when it is closed.
    struct Memory(Arc<EmbeddedDocumentStore>);

    impl Fixture for Memory {
        async fn new() -> Self {
            Self(Arc::new(EmbeddedDocumentStore::in_memory().unwrap()))
        }

        fn open(&self) -> Arc<dyn DocumentStore> {
            Arc::clone(&self.0) as Arc<dyn DocumentStore>
        }
    }

    document_store_suite!(Memory);
}

mod in_a_file {
    use super::*;

    impl Fixture for Folder {
        async fn new() -> Self {
            Folder::empty()
        }

        fn open(&self) -> Arc<dyn DocumentStore> {
            Arc::new(EmbeddedDocumentStore::open(self.path()).unwrap())
        }
    }

    document_store_suite!(Folder);
}

// A file that is not as it should be.

#[test]
fn a_second_store_in_the_same_directory_is_refused() {
    let folder = Folder::empty();
    let _first = EmbeddedDocumentStore::open(folder.path()).unwrap();
    let error = EmbeddedDocumentStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
}

#[test]
fn a_directory_that_cannot_be_is_refused() {
    let folder = Folder::empty();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = EmbeddedDocumentStore::open(&folder.path().join("file/data")).unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_as_it_is() {
    let long = "no store at all\n".repeat(10_000);
    for foreign in ["x", "no store at all\n", &long] {
        let folder = Folder::empty();
        let path = folder.path().join(FILE);
        fs::write(&path, foreign).unwrap();
        let error = EmbeddedDocumentStore::open(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), foreign);
    }
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_is() {
    let folder = Folder::empty();
    let path = folder.path().join(FILE);
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let table: TableDefinition<'_, u8, u8> = TableDefinition::new("theirs");
    transaction.open_table(table).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = EmbeddedDocumentStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let database = Database::open(&path).unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    assert_eq!(transaction.list_tables().unwrap().count(), 1);
}

#[tokio::test]
async fn a_file_that_was_cut_short_is_refused_or_whole() {
    let folder = Folder::empty();
    let whole = filled(&folder).await;
    let path = folder.path().join(FILE);
    for left in [1, 100, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..left]).unwrap();
        check_refused_or_whole(&folder, &format!("cut to {left}")).await;
    }
}

#[tokio::test]
async fn a_file_with_damage_is_refused_or_whole() {
    let folder = Folder::empty();
    let whole = filled(&folder).await;
    let path = folder.path().join(FILE);
    // Every part of the first pages, and a sample of the rest.
    let places = (0..12_288)
        .step_by(97)
        .chain((12_288..whole.len()).step_by(20_011));
    for place in places {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        check_refused_or_whole(&folder, &format!("byte {place}")).await;
    }
}

/// The bytes of a store with documents in it.
async fn filled(folder: &Folder) -> Vec<u8> {
    let store = folder.open();
    let batch = vec![put("a", 1, "\"one\""), put("b", 1, "\"two\"")];
    commit(&*store, batch).await;
    drop(store);
    fs::read(folder.path().join(FILE)).unwrap()
}

/// Never a panic, never half of what was there.
async fn check_refused_or_whole(folder: &Folder, what: &str) {
    match EmbeddedDocumentStore::open(folder.path()) {
        Ok(store) => check(&store, &[("a", 1, "\"one\""), ("b", 1, "\"two\"")]).await,
        Err(StoreError::Damaged { .. } | StoreError::Unusable { .. }) => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

// Schemas.

#[test]
fn a_newer_schema_is_refused() {
    let folder = Folder::empty();
    let path = folder.path().join(FILE);
    let step: Step = |_| Ok(());
    let database = Database::create(&path).unwrap();
    assert_eq!(
        prepare(&database, with_steps(&[step])).unwrap(),
        Found::Ready
    );
    drop(database);
    let error = EmbeddedDocumentStore::open(folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: a newer riser has written this store (schema 2, this one knows up to 1); run that version, or name another store with --data or --redis",
            path.display()
        )
    );
}

#[test]
fn an_older_schema_goes_through_each_step_once() {
    let add: [Step; 2] = [
        |transaction| add_document(transaction, "second"),
        |transaction| add_document(transaction, "third"),
    ];
    let folder = Folder::empty();
    let database = Database::create(folder.path().join(FILE)).unwrap();
    for steps in [0, 1, 2, 2] {
        assert_eq!(
            prepare(&database, with_steps(&add[..steps])).unwrap(),
            Found::Ready
        );
        let documents = super::read_all(&database).unwrap();
        assert_eq!(documents.len(), steps, "after {steps} steps");
    }
}

fn with_steps(steps: &[Step]) -> Schema<'_> {
    Schema { steps, ..SCHEMA }
}

fn add_document(transaction: &redb::WriteTransaction, id: &str) -> Result<(), redb::Error> {
    transaction
        .open_table(DOCUMENTS)?
        .insert((COLLECTION, id), (1, "{}"))?;
    Ok(())
}

// A disk that fails.

#[tokio::test]
async fn whatever_step_of_a_commit_the_disk_fails_at_the_store_holds_what_it_held_and_goes_on() {
    for fails_at in 0.. {
        let disk = FlakyDisk::default();
        let store = EmbeddedDocumentStore::new(Backing::Flaky(disk.clone())).unwrap();
        let version = commit(&store, vec![put("a", 1, "1")]).await;
        disk.fail_after(fails_at);
        let failed = try_commit(&store, vec![put("a", 2, "2"), put("b", 1, "1")], &version).await;
        let was_hit = disk.heal();
        match failed {
            Err(StoreError::NotWritten { .. }) => check(&store, &[("a", 1, "1")]).await,
            Err(error) => panic!("{error}"),
            Ok(_) => check(&store, &[("a", 2, "2"), ("b", 1, "1")]).await,
        }
        commit(&store, vec![put("a", 3, "3")]).await;
        if !was_hit {
            assert!(
                fails_at > 3,
                "the disk was asked for too little: {fails_at}"
            );
            return;
        }
    }
}

#[tokio::test]
async fn a_disk_that_goes_on_failing_is_told_each_time() {
    let disk = FlakyDisk::default();
    let store = EmbeddedDocumentStore::new(Backing::Flaky(disk.clone())).unwrap();
    let version = commit(&store, vec![put("a", 1, "1")]).await;
    for _ in 0..3 {
        disk.fail_after(0);
        let failed = try_commit(&store, vec![put("a", 2, "2")], &version)
            .await
            .unwrap_err();
        assert!(
            failed.to_string().contains("nothing was changed"),
            "{failed}"
        );
    }
    disk.heal();
    check(&store, &[("a", 1, "1")]).await;
}

async fn try_commit(
    store: &EmbeddedDocumentStore,
    batch: Vec<Write>,
    on: &LedgerVersion,
) -> Result<LedgerVersion, StoreError> {
    store.commit(Ledger::Building, batch, on).await
}
