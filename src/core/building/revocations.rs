//! Keys, users and apps whose deletion the store did not take, on a full disk for example.
//!
//! An administrator who revokes a key wants it refused at once, whatever the store says.
//! So it is refused from memory: rights are read off a directory without it, while the building itself stays what is kept.
//! The edit is made again until the store takes it. Until then a restart would bring the key back, and the answer says so.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::core::directory::Directory;
use crate::model::{Change, Edit, EntryId, lock};

/// What is refused although it is kept.
#[derive(Debug, Default)]
pub(super) struct Revocations(Mutex<BTreeSet<EntryId>>);

impl Revocations {
    /// The keys, users and apps that a batch takes away, if it does nothing else.
    pub(super) fn of(edits: &[Edit]) -> Option<Vec<EntryId>> {
        let taken_away = |edit: &Edit| match &edit.change {
            Change::Delete(id @ (EntryId::ApiKey(_) | EntryId::User(_) | EntryId::App(_))) => {
                Some(id.clone())
            }
            // What goes with a user.
            Change::Delete(id @ EntryId::Metadata(_)) => Some(id.clone()),
            Change::Delete(
                EntryId::Zone(_)
                | EntryId::System(_)
                | EntryId::Module(_)
                | EntryId::Entity(_)
                | EntryId::Command(_)
                | EntryId::Service(_)
                | EntryId::Procedure(_)
                | EntryId::Hook(_)
                | EntryId::Trigger(_),
            )
            | Change::Put(_) => None,
        };
        let ids: Vec<EntryId> = edits.iter().map(taken_away).collect::<Option<_>>()?;
        let mut credentials = ids.into_iter().filter(is_credential).peekable();
        credentials.peek()?;
        Some(credentials.collect())
    }

    /// Refuses these from here on, as soon as they are shown. Gives those that were not refused before.
    pub(super) fn add(&self, ids: Vec<EntryId>) -> Vec<EntryId> {
        let mut revoked = lock(&self.0);
        let is_new = |id: &EntryId| revoked.insert(id.clone());
        ids.into_iter().filter(is_new).collect()
    }

    /// These are gone, or were made anew.
    pub(super) fn forget<'i>(&self, ids: impl Iterator<Item = &'i EntryId>) {
        let mut revoked = lock(&self.0);
        if !revoked.is_empty() {
            for id in ids {
                revoked.remove(id);
            }
        }
    }

    /// What is still to be taken from the store.
    pub(super) fn all(&self) -> Vec<EntryId> {
        lock(&self.0).iter().cloned().collect()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        lock(&self.0).len()
    }

    /// The directory that rights are read off.
    pub(super) fn without(&self, building: &Arc<Directory>) -> Arc<Directory> {
        let revoked = lock(&self.0);
        if revoked.is_empty() {
            return Arc::clone(building);
        }
        let mut trusted = Directory::clone(building);
        for id in revoked.iter() {
            trusted.remove(id);
        }
        Arc::new(trusted)
    }
}

fn is_credential(id: &EntryId) -> bool {
    match id {
        EntryId::ApiKey(_) | EntryId::User(_) | EntryId::App(_) => true,
        EntryId::Zone(_)
        | EntryId::System(_)
        | EntryId::Module(_)
        | EntryId::Metadata(_)
        | EntryId::Entity(_)
        | EntryId::Command(_)
        | EntryId::Service(_)
        | EntryId::Procedure(_)
        | EntryId::Hook(_)
        | EntryId::Trigger(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use tokio::runtime::Handle;

    use crate::core::limits::REVOCATION_RETRY;
    use crate::core::tests::doubles::{
        self, Inbox, MemoryDocuments, ScriptedHost, api_key, room, scripted, user,
    };
    use crate::core::{Core, CoreSettings, Delivery, EditError, Outlet};
    use crate::model::{
        Building, Clearance, CloseReason, Credentials, Edit, Entry, EntryId, KeyId, Secret, UserId,
    };

    use super::*;

    struct Bench {
        core: Arc<Core>,
        documents: Arc<MemoryDocuments>,
        inbox: Arc<Inbox>,
    }

    impl Bench {
        async fn new() -> Self {
            let documents = MemoryDocuments::new();
            let settings = CoreSettings::default();
            let host = ScriptedHost::new();
            let core = doubles::core(settings, &documents, &host, &Handle::current());
            let clockwork = Arc::clone(&core);
            drop(Handle::current().spawn(async move { clockwork.run().await }));
            let mut other = user(Clearance::User);
            other.id = UserId::new("user-2").unwrap();
            other.email = "b@example.test".to_owned();
            let mut of_other = api_key("of-other", Clearance::User);
            of_other.user = other.id.clone();
            let building = Building {
                systems: vec![room("sys-1", &["mod-1"])],
                modules: vec![scripted("mod-1", None)],
                users: vec![user(Clearance::Admin), other],
                api_keys: vec![
                    api_key("admin", Clearance::Admin),
                    api_key("lost", Clearance::User),
                    of_other,
                ],
                ..Building::default()
            };
            doubles::apply(&core, building).await.unwrap();
            let inbox = Inbox::new();
            core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
            Self {
                core,
                documents,
                inbox,
            }
        }

        fn admits(&self, key: &str) -> bool {
            let shown = Credentials::ApiKey(Secret::new(format!("{key}.secret")));
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            self.core.access.authenticate(&[shown], address).is_ok()
        }

        async fn edit(&self, edits: Vec<Edit>) -> Result<(), EditError> {
            self.core.editor.edit_at_rest(edits).await.map(|_| ())
        }

        fn closed(&self) -> usize {
            let deliveries = self.inbox.take().into_iter();
            let closes = deliveries.filter(|delivery| match delivery {
                Delivery::Close { why, .. } => *why == CloseReason::CredentialsRevoked,
                Delivery::Event { .. } | Delivery::Reply { .. } => false,
            });
            closes.count()
        }
    }

    fn delete(key: &str) -> Edit {
        Edit::delete(EntryId::ApiKey(KeyId::new(key).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_revoked_on_a_full_disk_is_refused_at_once_and_gone_when_there_is_room() {
        let bench = Bench::new().await;
        bench.documents.set_failing(true);
        let refused = bench.edit(vec![delete("lost")]).await;
        assert!(matches!(refused, Err(EditError::Unkept)), "{refused:?}");
        assert!(!bench.admits("lost"), "it is refused at once");
        assert_eq!(bench.closed(), 1, "its sockets close");
        assert!(bench.admits("admin"));
        let id = EntryId::ApiKey(KeyId::new("lost").unwrap());
        assert!(
            bench.core.queries.directory().info(&id).is_some(),
            "it is kept yet"
        );
        tokio::time::sleep(3 * REVOCATION_RETRY).await;
        assert!(!bench.admits("lost"));
        bench.documents.set_failing(false);
        tokio::time::sleep(2 * REVOCATION_RETRY).await;
        assert!(
            bench.core.queries.directory().info(&id).is_none(),
            "it is gone"
        );
        assert_eq!(bench.core.building.revocations_unkept(), 0);
        bench
            .edit(vec![Edit::create(Entry::ApiKey(api_key(
                "lost",
                Clearance::User,
            )))])
            .await
            .unwrap();
        assert!(bench.admits("lost"), "a new key of that id is a new key");
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_who_is_removed_on_a_full_disk_takes_their_keys_with_them() {
        let bench = Bench::new().await;
        bench.documents.set_failing(true);
        let id = EntryId::User(UserId::new("user-2").unwrap());
        let refused = bench.edit(vec![Edit::delete(id.clone())]).await;
        assert!(matches!(refused, Err(EditError::Unkept)), "{refused:?}");
        assert!(!bench.admits("of-other"));
        bench.documents.set_failing(false);
        tokio::time::sleep(2 * REVOCATION_RETRY).await;
        assert!(bench.core.queries.directory().info(&id).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_edit_that_does_more_than_revoke_is_made_whole_or_not_at_all() {
        let bench = Bench::new().await;
        bench.documents.set_failing(true);
        let made = Edit::create(Entry::ApiKey(api_key("new", Clearance::User)));
        let refused = bench.edit(vec![delete("lost"), made]).await;
        assert!(matches!(refused, Err(EditError::Store(_))), "{refused:?}");
        assert!(bench.admits("lost"));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(bench.admits("lost"));
    }
}
