//! Any damage to the file of a store: it is refused, or what it still holds is as it was written. Nothing panics, and nothing takes more memory than the file lets expect.

use tokio::runtime::Builder;

use super::*;
use crate::model::fuzz::fuzz_damage;

/// Behind it a file of a store is mostly empty.
const BUSY_BYTES: usize = 32 * 1024;

#[test]
fn fuzz_store_file() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let disk = FlakyDisk::default();
    let written = [
        ("a", 1, "\"one\""),
        ("b", 1, "\"two\""),
        ("a", 2, "\"three\""),
    ];
    let whole = runtime.block_on(async {
        let store = EmbeddedDocumentStore::new(Backing::Flaky(disk.clone())).unwrap();
        for (id, version, json) in written {
            commit(&store, vec![put(id, version, json)]).await;
        }
        drop(store);
        disk.bytes()
    });
    fuzz_damage(&whole, BUSY_BYTES, |bytes| {
        let disk = FlakyDisk::with(bytes.to_vec());
        let store = match EmbeddedDocumentStore::new(Backing::Flaky(disk)) {
            Ok(store) => store,
            Err(
                StoreError::Damaged { .. } | StoreError::Unusable { .. } | StoreError::Newer { .. },
            ) => return,
            Err(error) => panic!("{error}"),
        };
        match runtime.block_on(store.load(Ledger::Building)) {
            Ok(snapshot) => {
                for document in snapshot.documents {
                    let found = (&*document.id, document.version, &*document.json);
                    assert!(written.contains(&found), "{found:?} was never written");
                }
            }
            Err(StoreError::Damaged { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    });
}
