//! Two nodes over one store of documents, which is a double: what a real one does is for the store's own tests.

use super::*;

use crate::stores::{
    Document, DocumentId, DocumentStore, Ledger, LedgerVersion, StoreError, Write,
};

#[tokio::test(start_paused = true)]
async fn what_one_node_edits_the_other_shows() {
    let (a, b) = Node::pair().await;
    a.edit([
        Edit::put(Entry::Zone(zone("zone-2"))),
        Edit::put(Entry::Metadata(metadata("zone-2"))),
    ])
    .await
    .unwrap();
    b.wait("zone-2", |b| b.has_zone("zone-2")).await;
    check_same(&a, &b);
    b.edit([
        Edit::delete(EntryId::Zone(ZoneId::new("zone-2").unwrap())),
        Edit::put(Entry::Zone(zone("zone-3"))),
    ])
    .await
    .unwrap();
    a.wait("zone-3", |a| a.has_zone("zone-3")).await;
    check_same(&a, &b);
}

#[tokio::test(start_paused = true)]
async fn permissions_that_a_store_has_in_another_form_are_told_of_once() {
    let log = Log::default();
    let _listening = log.listen();
    let (a, b) = Node::pair().await;
    let zone_1 = EntryId::Zone(ZoneId::new("zone-1").unwrap());
    let info = *a.core.queries.directory().info(&zone_1).unwrap();
    let mut misread = metadata("zone-1");
    misread.id.name = MetadataName::new("permissions").unwrap();
    misread.details = JsonText::parse("[1]").unwrap();
    let misread = Document::of(&Entry::Metadata(misread), &info);
    a.documents.commit_any(Write::Put(misread)).await;
    for node in [&a, &b] {
        let is_there = |node: &Node| node.core.queries.directory().metadata().count() == 1;
        node.wait("what another program wrote", is_there).await;
    }
    a.edit([Edit::put(Entry::Zone(zone("zone-2")))])
        .await
        .unwrap();
    b.wait("zone-2", |b| b.has_zone("zone-2")).await;
    let told = "the metadata `permissions` of a zone says cannot be read";
    assert_eq!(log.lines_with(told), 2, "by each node");
    let _late = Node::over(&a.documents).await;
    assert_eq!(log.lines_with(told), 3, "by one that starts");
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_is_made_again_stands_in_the_same_place_on_both() {
    let (a, b) = Node::pair().await;
    let one = || zone("zone-1");
    a.edit([
        Edit::put(Entry::Zone(zone("zone-2"))),
        Edit::delete(EntryId::Zone(one().id)),
        Edit::put(Entry::Zone(one())),
    ])
    .await
    .unwrap();
    b.wait("zone-2", |b| b.has_zone("zone-2")).await;
    check_same(&a, &b);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_behind_plans_again_on_what_others_did() {
    let (a, b) = Node::pair().await;
    b.stop_following();
    a.edit([Edit::put(Entry::Zone(zone("zone-a")))])
        .await
        .unwrap();
    let made = b.edit([Edit::put(Entry::Zone(zone("zone-b")))]).await;
    assert_eq!(made.unwrap().to_string(), "added zone `zone-b`\n");
    a.wait("zone-b", |a| a.has_zone("zone-b")).await;
    check_same(&a, &b);
}

#[tokio::test(start_paused = true)]
async fn an_expected_version_holds_against_what_others_did() {
    let (a, b) = Node::pair().await;
    b.stop_following();
    let mut renamed = zone("zone-1");
    renamed.name = "theirs".to_owned();
    a.edit([Edit::put(Entry::Zone(renamed))]).await.unwrap();
    let mine = Edit::put(Entry::Zone(zone("zone-1"))).at(Version(1));
    // What is shown of zone-1 here has to change too, or nothing would be committed.
    let refused = b.edit([mine, Edit::put(Entry::Zone(zone("zone-b")))]).await;
    assert!(
        matches!(
            refused,
            Err(EditError::Conflict {
                actual: Some(Version(2)),
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(!b.has_zone("zone-b"));
    check_same(&a, &b);
}

#[tokio::test(start_paused = true)]
async fn two_nodes_apply_one_file_at_one_time_and_agree() {
    let documents = MemoryDocuments::new();
    let (a, b) = (Node::over(&documents).await, Node::over(&documents).await);
    let mut file = building();
    file.users[0].password = Some(Password::Plain(Secret::new("open sesame")));
    let (first, second) = futures_util::join!(
        doubles::apply(&a.core, file.clone()),
        doubles::apply(&b.core, file),
    );
    assert!(!first.unwrap().is_empty());
    assert!(second.unwrap().is_empty(), "it is there already");
    let hash = |node: &Node| {
        node.core
            .queries
            .directory()
            .users()
            .next()?
            .password
            .clone()
    };
    a.wait("the hash", |a| hash(a).is_some()).await;
    b.wait("the hash", |b| hash(b).is_some()).await;
    let version = |node: &Node| {
        let user = EntryId::User(UserId::new("user-1").unwrap());
        node.core.queries.directory().info(&user).unwrap().version
    };
    assert_eq!(version(&a), Version(2), "it was hashed once");
    check_same(&a, &b);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_on_one_node_closes_sockets_on_the_other() {
    let (a, b) = Node::pair().await;
    let inbox = Inbox::new();
    b.core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
    let who = b.authenticate("support").unwrap();
    let key = EntryId::ApiKey(KeyId::new("support").unwrap());
    a.edit([Edit::delete(key)]).await.unwrap();
    b.wait("the end of the key", |b| !b.core.access.still_admits(&who))
        .await;
    assert!(b.authenticate("support").is_none());
    let closes = |delivery: &Delivery| matches!(delivery, Delivery::Close { .. });
    assert_eq!(inbox.take().iter().filter(|d| closes(d)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn sign_ins_of_another_node_wait_for_what_is_being_done_to_the_building() {
    let (a, b) = Node::pair().await;
    let mut ann = user(Clearance::Admin);
    ann.password = Some(Password::Plain(Secret::new("open sesame")));
    a.edit([Edit::put(Entry::User(ann))]).await.unwrap();
    let has_password = |b: &Node| {
        let directory = b.core.queries.directory();
        directory.users().any(|user| user.password.is_some())
    };
    b.wait("the password", has_password).await;
    let guard = b.core.building.ledger.write_guard_unbounded().await;
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let sessions = &a.core.sessions;
    sessions
        .sign_in(
            "a@example.test",
            Secret::new("open sesame"),
            DeviceKind::Personal,
            here,
        )
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(b.core.sessions.count(), 0);
    drop(guard);
    b.wait("the sign-in", |b| b.core.sessions.count() == 1)
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_told_change_by_change_is_read_again() {
    let (a, b) = Node::pair().await;
    a.documents.set_terse();
    a.edit([Edit::put(Entry::Zone(zone("zone-2")))])
        .await
        .unwrap();
    b.wait("zone-2", |b| b.has_zone("zone-2")).await;
    check_same(&a, &b);
}

#[tokio::test(start_paused = true)]
async fn what_the_store_has_lost_is_put_back() {
    let (a, b) = Node::pair().await;
    let before = a.documents.text();
    a.documents.lose();
    a.wait("the documents", |a| a.documents.text() == before)
        .await;
    a.edit([Edit::put(Entry::Zone(zone("zone-2")))])
        .await
        .unwrap();
    b.wait("zone-2", |b| b.has_zone("zone-2")).await;
    check_same(&a, &b);
}

#[tokio::test(start_paused = true)]
async fn an_edit_over_a_store_that_has_lost_everything_puts_it_back_first() {
    let (a, b) = Node::pair().await;
    for node in [&a, &b] {
        node.stop_following();
    }
    a.documents.lose();
    a.edit([Edit::put(Entry::Zone(zone("zone-2")))])
        .await
        .unwrap();
    let again = Node::over(&a.documents).await;
    check_same(&a, &again);
    assert!(again.has_zone("zone-1") && again.has_zone("zone-2"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_understood_is_left_alone_until_it_can() {
    let (a, b) = Node::pair().await;
    let bad = |json: &str| {
        Write::Put(Document {
            collection: "zones".to_owned(),
            id: "zone-bad".to_owned(),
            version: 1,
            json: json.to_owned(),
        })
    };
    b.documents.commit_any(bad("{}")).await;
    let edit = || [Edit::put(Entry::Zone(zone("zone-2")))];
    let refused = a.edit(edit()).await;
    assert!(
        matches!(
            refused,
            Err(EditError::Store(StoreError::NotWritten { .. }))
        ),
        "{refused:?}"
    );
    assert!(a.has_zone("zone-1") && a.authenticate("admin").is_some());
    let delete = Write::Delete(DocumentId {
        collection: "zones".into(),
        id: "zone-bad".to_owned(),
    });
    b.documents.commit_any(delete).await;
    a.edit(edit()).await.unwrap();
    b.wait("zone-2", |b| b.has_zone("zone-2")).await;
    check_same(&a, &b);
}

impl MemoryDocuments {
    /// Commits on top of whatever is there, as neither node would.
    async fn commit_any(&self, write: Write) {
        let on: LedgerVersion = self.load(Ledger::Building).await.unwrap().version;
        let batch = vec![write];
        self.commit(Ledger::Building, batch, &on).await.unwrap();
    }
}

/// One of several cores over one store.
struct Node {
    core: Arc<Core>,
    documents: Arc<MemoryDocuments>,
    clockwork: tokio::task::JoinHandle<()>,
}

impl Node {
    /// Two nodes that show the same building.
    async fn pair() -> (Self, Self) {
        let documents = MemoryDocuments::new();
        let a = Self::over(&documents).await;
        doubles::apply(&a.core, building()).await.unwrap();
        let b = Self::over(&documents).await;
        check_same(&a, &b);
        (a, b)
    }

    async fn over(documents: &Arc<MemoryDocuments>) -> Self {
        let core = doubles::core(
            CoreSettings::default(),
            documents,
            &ScriptedHost::new(),
            &Handle::current(),
        );
        core.open().await.unwrap();
        core.begin();
        let run = Arc::clone(&core);
        Self {
            core,
            documents: Arc::clone(documents),
            clockwork: Handle::current().spawn(async move { run.run().await }),
        }
    }

    /// From here on it learns of the others by its own edits alone.
    fn stop_following(&self) {
        self.clockwork.abort();
    }

    fn authenticate(&self, key: &str) -> Option<Caller> {
        let key = Credentials::ApiKey(Secret::new(format!("{key}.secret")));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core.access.authenticate(&[key], here).ok()
    }

    async fn edit(&self, edits: impl IntoIterator<Item = Edit>) -> Result<Differences, EditError> {
        let admin = self.authenticate("admin").unwrap();
        self.core
            .editor
            .edit(&admin, edits.into_iter().collect())
            .await
    }

    fn has_zone(&self, id: &str) -> bool {
        let zone = ZoneId::new(id).unwrap();
        self.core.queries.directory().zone(&zone).is_some()
    }

    async fn wait(&self, what: &str, is: impl Fn(&Self) -> bool) {
        for _ in 0..1_000 {
            if is(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what} did not come");
    }
}

/// Both show the same entries in the same order, with the same versions.
#[track_caller]
fn check_same(a: &Node, b: &Node) {
    let (a, b) = (a.core.queries.directory(), b.core.queries.directory());
    assert_eq!(a.ids().collect::<Vec<_>>(), b.ids().collect::<Vec<_>>());
    for id in a.ids() {
        assert_eq!(a.entry(&id), b.entry(&id));
        assert_eq!(a.info(&id), b.info(&id));
    }
}
