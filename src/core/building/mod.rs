//! The building as it stands, and the only way in which it changes.
//!
//! An edit is planned on a copy of the directory, committed to the store, and only then shown: modules, directory, keys and slots are brought in line.
//! So whatever fails leaves everything as it was, and whatever was acknowledged is there after a restart.
//! There is one editor at a time.
//!
//! - `plan` computes the next directory and what has to be written for it; `check` holds it to the model's rules.
//! - `file` turns a whole building into edits.
//! - `passwords` hashes what takes long to hash.
//! - `public` says whether an edit takes away what clients of apps follow without a right of their own.
//! - `quotas` is what callers may fill of the store.
//! - `revocations` are keys, users and apps that are refused although the store could not delete them yet.
//! - `apps` says which apps lose their connections by an edit.

mod apps;
mod automation;
mod check;
mod error;
mod file;
mod passwords;
mod plan;
mod public;
mod quotas;
mod revocations;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};

use futures_util::future::join3;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::TaskTracker;

use crate::core::access::{Caller, Changes, KeyRing, Sessions, audit, may_change};
use crate::core::directory::{Directory, PermissionForms, Touched};
use crate::core::ledger_replica::{LedgerReplica, Materialized, OpenError, WriteGuard};
use crate::core::limits::{EDIT_TURN_DEADLINE, EDITS_WAITING_MAX, REVOCATION_RETRY, STOP_DEADLINE};
use crate::core::modules::Supervisor;
use crate::core::quotas::Quotas;
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    AppId, Audience, Clock, CloseReason, CredentialId, Difference, Differences, Edit, EntryId,
    Presence, Source, Version, ZoneId, read_lock, write_lock,
};
use crate::stores::{Document, DocumentStore, Ledger, Write};

pub use error::{EditError, Invalid};
pub use file::{Apply, Rehearsal, RemoteProgramSettings};

#[cfg(test)]
pub(in crate::core) use plan::plan;

use passwords::Passwords;
use plan::Plan;
use revocations::Revocations;

/// The building as it stands.
pub(in crate::core) struct BuildingService {
    ledger: LedgerReplica,
    modules: Arc<Supervisor>,
    subscriptions: Arc<Subscriptions>,
    sessions: Arc<Sessions>,
    clock: Clock,
    permission_forms: PermissionForms,
    directory: RwLock<Arc<Directory>>,
    /// The same without what is revoked.
    trusted: RwLock<Arc<Directory>>,
    keys: RwLock<Arc<KeyRing>>,
    passwords: Passwords,
    quotas: Quotas,
    revocations: Revocations,
    /// Where edits run: the caller may go away, but a committed edit must be shown.
    main: Handle,
    tasks: TaskTracker,
}

/// Who edits, for the audit log.
#[derive(Debug, Clone)]
pub(in crate::core) enum Editor {
    Caller(Caller),
    File,
    /// The operator, who holds the store of a gateway that does not run.
    Operator,
    /// Who may act on a service, which was looked at where the act was asked for.
    OfServices(ServiceActor),
}

impl Editor {
    /// Whether all that was planned is theirs to do. Looked at for each plan, since it depends on what is there.
    fn may_make(&self, before: &Directory, plan: &Plan) -> Result<(), EditError> {
        let who = match self {
            Self::Caller(who) => who,
            // A person who holds the files needs no right.
            Self::File | Self::Operator | Self::OfServices(_) => return Ok(()),
        };
        let changes = Changes {
            before,
            after: &plan.next,
            differences: &plan.differences,
            passwords: &plan.passwords,
        };
        may_change(who.policy(), &changes).map_err(|refused| {
            audit::refused_edit(who, &refused.entry, &refused.failure);
            EditError::Forbidden(refused.failure)
        })
    }
}

/// Who acts on services, and why they may. Whoever makes one has looked at that.
#[derive(Debug, Clone)]
pub struct ServiceActor {
    /// What the audit log calls them.
    pub name: String,
    /// Where they are.
    pub address: IpAddr,
}

/// What a building is kept in, and the parts of the core that it changes.
pub(in crate::core) struct BuildingParts {
    pub(in crate::core) documents: Arc<dyn DocumentStore>,
    pub(in crate::core) modules: Arc<Supervisor>,
    pub(in crate::core) subscriptions: Arc<Subscriptions>,
    pub(in crate::core) sessions: Arc<Sessions>,
    pub(in crate::core) permission_forms: PermissionForms,
    pub(in crate::core) clock: Clock,
    pub(in crate::core) quotas: Quotas,
    /// Where passwords are hashed and revocations are tried again.
    pub(in crate::core) main: Handle,
}

impl BuildingService {
    pub(in crate::core) fn new(parts: BuildingParts) -> Self {
        let BuildingParts {
            documents,
            modules,
            subscriptions,
            sessions,
            permission_forms,
            clock,
            quotas,
            main,
        } = parts;
        Self {
            ledger: LedgerReplica::new(
                documents,
                Ledger::Building,
                EDITS_WAITING_MAX,
                EDIT_TURN_DEADLINE,
            ),
            modules,
            subscriptions,
            sessions,
            clock,
            permission_forms,
            directory: RwLock::new(Arc::new(Directory::new(permission_forms))),
            trusted: RwLock::new(Arc::new(Directory::new(permission_forms))),
            keys: RwLock::new(Arc::new(KeyRing::new())),
            passwords: Passwords::default(),
            quotas,
            revocations: Revocations::default(),
            main,
            tasks: TaskTracker::new(),
        }
    }

    /// Reads what the store has. Nothing runs yet.
    pub(in crate::core) async fn open(&self) -> Result<(), OpenError> {
        // The sign-ins first: every user who has signed in by then is in the building that is read after it.
        self.sessions.open().await?;
        let documents = self.ledger.open().await?;
        let (host, forms) = (self.modules.host(), self.permission_forms);
        let directory = Arc::new(plan::stored(&documents, host, forms)?);
        self.sessions.begin_in(&directory);
        tell_of_unreadable(&Directory::default(), &directory);
        *write_lock(&self.directory) = directory;
        Ok(())
    }

    /// Starts what the directory has, for a building that no file is applied to.
    pub(in crate::core) fn begin(&self) {
        let directory = self.directory();
        self.show(&directory, Touched::default());
    }

    pub(in crate::core) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&read_lock(&self.directory))
    }

    /// The building that rights are read off: without the keys, users and apps that are refused although the store has them.
    pub(in crate::core) fn trusted(&self) -> Arc<Directory> {
        Arc::clone(&read_lock(&self.trusted))
    }

    pub(in crate::core) fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&read_lock(&self.keys))
    }

    /// Makes all edits or none.
    pub(in crate::core) async fn edit(
        self: &Arc<Self>,
        editor: Editor,
        edits: Vec<Edit>,
    ) -> Result<Differences, EditError> {
        let mut guard = self.ledger.write_guard().await?;
        let this = Arc::clone(self);
        self.to_the_end(async move {
            let edits = passwords::hash_edits(&this.directory(), edits).await?;
            let made = this
                .commit(
                    &mut guard,
                    &editor,
                    Source::Elsewhere,
                    Rehearsal::Real,
                    |_| edits.clone(),
                )
                .await;
            this.revoke_anyway(&editor, &edits, made)
        })
        .await
    }

    /// Makes the building that of a file, or says what that would change.
    pub(in crate::core) async fn apply(
        self: &Arc<Self>,
        editor: Editor,
        how: Apply,
    ) -> Result<Differences, EditError> {
        let guard = self.ledger.write_guard().await?;
        let this = Arc::clone(self);
        self.to_the_end(async move { this.apply_guarded(guard, editor, how).await })
            .await
    }

    /// Takes the outcome of a batch. Keys, users and apps that it was to delete are refused from here on, even if the store could not delete them.
    fn revoke_anyway(
        &self,
        editor: &Editor,
        edits: &[Edit],
        made: Result<Differences, EditError>,
    ) -> Result<Differences, EditError> {
        let passing = match &made {
            Err(error @ (EditError::Store(_) | EditError::Busy | EditError::Interrupted)) => error,
            Ok(_) | Err(_) => return made,
        };
        let Some(revoked) = Revocations::of(edits) else {
            return made;
        };
        let new = self.revocations.add(revoked);
        for id in &new {
            tracing::error!(error = %passing, "{id} is refused from now on, but the store still has it; it is tried again");
        }
        if let Editor::Caller(who) = editor {
            let removed = new.into_iter().map(|id| (Difference::Removed, id));
            audit::edited(who, &Differences(removed.collect()));
        }
        let touched = self.revocations.all().into_iter().collect();
        self.show(&self.directory(), touched);
        Err(EditError::Unkept)
    }

    /// Tries again what the store did not take, until it is dropped.
    async fn keep_revocations(self: &Arc<Self>) {
        let mut ticks = interval(REVOCATION_RETRY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for id in self.revocations.all() {
                // Who took it away had the right to, and was written down.
                match self
                    .edit(Editor::Operator, vec![Edit::delete(id.clone())])
                    .await
                {
                    Ok(_) => tracing::info!("{id} is gone from the store too"),
                    // Another node was faster, or it went with its user.
                    Err(EditError::NotFound(_)) => self.revocations.forget([&id].into_iter()),
                    // The first failure was logged, and the next try comes.
                    Err(_) => {}
                }
            }
        }
    }

    /// How many keys, users and apps are refused although the store has them.
    pub(in crate::core) fn revocations_unkept(&self) -> usize {
        self.revocations.count()
    }

    /// Takes in what other nodes do to the building and to the sign-ins, and tries again what the store did not take, until it is dropped.
    pub(in crate::core) async fn keep_up(self: &Arc<Self>) {
        // The sign-ins behind the building: another password that is still being shown would end who has signed in by it already.
        let building = self.ledger.keep_up(&**self, None);
        let sign_ins = self.sessions.keep_up(Some(&self.ledger));
        join3(building, sign_ins, self.keep_revocations()).await;
    }

    /// Does it in a task that ends by itself, whatever becomes of the caller.
    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EditError>> + Send + 'static,
    ) -> Result<T, EditError> {
        let done = self.tasks.spawn_on(work, &self.main).await;
        done.unwrap_or(Err(EditError::Interrupted))
    }

    /// Plans, commits and shows. `edits` says what is to be done to a building, and is asked again when another node was faster.
    async fn commit(
        &self,
        guard: &mut WriteGuard,
        editor: &Editor,
        source: Source,
        rehearsal: Rehearsal,
        edits: impl Fn(&Directory) -> Vec<Edit>,
    ) -> Result<Differences, EditError> {
        let plan = || {
            let (now, time) = (self.directory(), (self.clock)().as_secs());
            let mut plan = plan::plan(&now, edits(&now), source, time, self.modules.host())?;
            editor.may_make(&now, &plan)?;
            if rehearsal == Rehearsal::Cautious {
                file::spares_most_modules(&now, &plan.differences)?;
            }
            let differences = plan.differences.0.iter();
            quotas::check(&self.quotas, source, (&now, &plan.next), differences)?;
            Ok::<_, EditError>((std::mem::take(&mut plan.writes), plan))
        };
        let Plan {
            next, differences, ..
        } = self.ledger.write(guard, self, plan).await?;
        let made_or_gone = differences
            .0
            .iter()
            .filter(|(difference, _)| match difference {
                Difference::Added | Difference::Removed => true,
                Difference::Changed => false,
            });
        self.revocations.forget(made_or_gone.map(|(_, id)| id));
        let touched = differences.0.iter().map(|(_, id)| id.clone()).collect();
        self.show(&Arc::new(next), touched);
        match editor {
            Editor::Caller(who) => audit::edited(who, &differences),
            Editor::File | Editor::Operator => audit::applied(&differences),
            Editor::OfServices(who) => audit::edited_service(&who.name, who.address, &differences),
        }
        Ok(differences)
    }

    /// Brings modules, keys, directory and slots in line with the next directory, in an order in which no reader finds a reference to something that is missing.
    /// What was not touched since the directory before stays as it is.
    fn show(&self, next: &Arc<Directory>, touched: Touched) {
        let before = self.directory();
        // What was read from the store and never shown is not in line yet.
        let shown = self.modules.building();
        let is_shown = Arc::ptr_eq(&shown, &before);
        let mut touched = match is_shown {
            true => touched,
            false => Touched::all(&before, next),
        };
        for own in next.own_modules_unlike(&shown) {
            touched.insert(own);
        }
        let gone = self.modules.align(next, &touched);
        let (trusted_before, trusted) = (self.trusted(), self.revocations.without(next));
        let mut keys = self.keys();
        let weakened = match touched.credentials() {
            true => Arc::make_mut(&mut keys).align(&trusted, &touched),
            false => Vec::new(),
        };
        *write_lock(&self.keys) = Arc::clone(&keys);
        *write_lock(&self.trusted) = Arc::clone(&trusted);
        *write_lock(&self.directory) = Arc::clone(next);
        tell_of_unreadable(&before, next);
        self.map_slots(&before, next, &touched);
        // Behind the slots, so that a follower of a path of theirs sees it empty and nothing else.
        for module in gone {
            module.output().retire();
        }
        if self.subscriptions.is_directory_followed() {
            let entries = differences(&before, next, &touched);
            self.subscriptions.announce_entries(entries);
        }
        let left_behind = keys.left_behind(&before, next, &touched);
        let keys = weakened.into_iter().chain(left_behind);
        let hidden = public::is_hidden(&before, next, &touched).then(|| next.apps());
        let hidden = hidden.into_iter().flatten().map(|app| app.id.clone());
        let mut apps: BTreeSet<AppId> = hidden.collect();
        apps.extend(apps::weakened(&trusted_before, &trusted, &touched));
        let credentials = keys.map(CredentialId::Key);
        for credential in credentials.chain(apps.into_iter().map(CredentialId::App)) {
            let audience = Audience::Credential(credential);
            self.subscriptions
                .close(&audience, CloseReason::CredentialsRevoked);
        }
        self.sessions.align(&trusted, &touched);
        self.modules.was_shown();
    }

    /// Brings the slots of systems in line that were touched, or have a module that was: its name may be another.
    fn map_slots(&self, before: &Directory, next: &Directory, touched: &Touched) {
        for id in touched.systems() {
            if before.system(id).is_some() && next.system(id).is_none() {
                self.subscriptions.unmap(id);
            }
        }
        let stood = |id| before.systems_of(id).filter_map(|was| next.system(&was.id));
        let around = touched
            .modules()
            .flat_map(|id| stood(id).chain(next.systems_of(id)));
        let touched = touched.systems().filter_map(|id| next.system(id));
        let mut seen = HashSet::new();
        for system in touched.chain(around) {
            if seen.insert(&system.id) {
                self.subscriptions
                    .map(system.id.clone(), next.slots(system));
            }
        }
    }

    /// Waits until everything is kept, the passwords that wait too.
    pub(in crate::core) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits until what is being edited is done; new edits are refused.
    pub(in crate::core) async fn stop(&self) {
        for id in self.revocations.all() {
            tracing::error!(
                "{id} was taken away, but the store still has it: it is good again after the next start"
            );
        }
        self.ledger.close();
        self.passwords.abandon();
        self.tasks.close();
        if timeout(STOP_DEADLINE, self.tasks.wait()).await.is_err() {
            tracing::warn!("an edit of the building did not end in time and was dropped");
        }
    }
}

/// Tells the operator once of each zone whose permissions cannot be read. No edit writes such, so the store has them from another program or version.
fn tell_of_unreadable(before: &Directory, next: &Directory) {
    let known: Vec<&ZoneId> = before.permissions().unreadable().collect();
    for zone in next.permissions().unreadable() {
        if !known.contains(&zone) {
            tracing::error!(
                %zone,
                "what the metadata `permissions` of a zone says cannot be read, so only administrators may call anything in its rooms; write it anew"
            );
        }
    }
}

/// The differing entries of the kinds that followers of the building get: users, keys, apps and services are for administrators.
fn differences(
    before: &Directory,
    next: &Directory,
    touched: &Touched,
) -> Vec<(EntryId, Presence, Presence)> {
    let is_told = |id: &EntryId| match id {
        EntryId::Zone(_)
        | EntryId::System(_)
        | EntryId::Module(_)
        | EntryId::Metadata(_)
        | EntryId::Entity(_)
        | EntryId::Command(_) => true,
        EntryId::User(_)
        | EntryId::ApiKey(_)
        | EntryId::App(_)
        | EntryId::Service(_)
        | EntryId::Procedure(_)
        | EntryId::Hook(_)
        | EntryId::Trigger(_) => false,
    };
    let version = |directory: &Directory, id: &EntryId| directory.info(id).map(|info| info.version);
    let presence = |version: Option<Version>| match version {
        Some(_) => Presence::Present,
        None => Presence::Absent,
    };
    let told = touched.iter().filter(|id| is_told(id));
    told.filter_map(|id| {
        let (was, is) = (version(before, id), version(next, id));
        (was != is).then(|| (id.clone(), presence(was), presence(is)))
    })
    .collect()
}

/// What other nodes do is shown as an edit is.
impl Materialized for BuildingService {
    fn take(&self, writes: &[Write]) -> Result<(), OpenError> {
        let (next, touched) = plan::followed(&self.directory(), writes, self.modules.host())?;
        tracing::info!(
            entries = writes.len(),
            "the building was changed by another node"
        );
        self.show(&Arc::new(next), touched);
        Ok(())
    }

    fn replace(&self, documents: Vec<Document>) -> Result<(), OpenError> {
        let next = plan::stored(&documents, self.modules.host(), self.permission_forms)?;
        tracing::info!("the building is read again as other nodes have made it");
        let touched = Touched::all(&self.directory(), &next);
        self.show(&Arc::new(next), touched);
        Ok(())
    }

    fn documents(&self) -> Vec<Document> {
        let directory = self.directory();
        let document = |id| {
            let info = directory.info(&id)?;
            Some(Document::of(&directory.entry(&id)?, info))
        };
        directory.ids().filter_map(document).collect()
    }
}

impl fmt::Debug for BuildingService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildingService").finish_non_exhaustive()
    }
}
