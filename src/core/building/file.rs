//! Turns a building file into edits of the present building.
//!
//! The file owns every entry that it ever named: one that left it goes, one that was made elsewhere under the same id becomes the file's.
//! What was made elsewhere and is not named stays.

use std::collections::HashSet;
use std::sync::Arc;

use crate::core::building::plan;
use crate::core::building::{BuildingService, EditError, Editor};
use crate::core::directory::Directory;
use crate::core::ledger_replica::WriteGuard;
use crate::model::{
    Building, Difference, Differences, Edit, Entry, EntryId, Password, Secret, Source, UserId,
};

/// Whether an administrator may have the gateway run any program, by a building that comes over the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RemoteProgramSettings {
    /// Programs are named by the building file on the gateway's machine alone.
    #[default]
    Refused,
    /// Whoever has an administrator's key may run programs on the gateway's machine.
    Allowed,
}

/// A building to be applied.
#[derive(Debug, Clone)]
pub struct Apply {
    /// The building, checked in itself.
    pub building: Building,
    /// What the entries then come from: [`Source::File`] or [`Source::Demo`].
    pub source: Source,
    /// Whether it is done or only computed.
    pub rehearsal: Rehearsal,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// It is only computed what would change.
    Dry,
    /// It is done, unless it would remove more than half of the modules of files: then it is [`EditError::RemovesMost`].
    Cautious,
    /// It is done.
    Real,
}

impl BuildingService {
    pub(super) async fn apply_guarded(
        self: Arc<Self>,
        mut guard: WriteGuard,
        editor: Editor,
        Apply {
            building,
            source,
            rehearsal,
        }: Apply,
    ) -> Result<Differences, EditError> {
        let passwords = plain_passwords(&building);
        if rehearsal == Rehearsal::Dry {
            let (now, time) = (self.directory(), (self.clock)().as_secs());
            let edits = edits(&now, building);
            let plan = plan::plan(&now, edits, source, time, self.modules.host())?;
            editor.may_make(&now, &plan)?;
            return Ok(plan.differences);
        }
        let edits = |now: &Directory| edits(now, building.clone());
        let made = self.commit(&mut guard, &editor, source, rehearsal, edits);
        let differences = made.await?;
        self.hash_later(&guard, source, passwords);
        Ok(differences)
    }
}

/// Whether half of the modules that files own are left.
pub(super) fn spares_most_modules(
    now: &Directory,
    differences: &Differences,
) -> Result<(), EditError> {
    let removed = differences.0.iter().filter(|(difference, id)| {
        *difference == Difference::Removed && matches!(id, EntryId::Module(_))
    });
    let of_files = now.modules();
    let of_files = of_files.filter(|module| module.info.source == Source::File);
    let (removed, before) = (removed.count(), of_files.count());
    match removed * 2 > before {
        true => Err(EditError::RemovesMost { removed, before }),
        false => Ok(()),
    }
}

/// The edits that make the building that of the file.
fn edits(now: &Directory, building: Building) -> Vec<Edit> {
    let entries = building.into_entries();
    let entries: Vec<Entry> = entries.map(|entry| as_switched(now, entry)).collect();
    let named: HashSet<EntryId> = entries.iter().map(Entry::id).collect();
    let left = now.ids().filter(|id| {
        let owned = now
            .info(id)
            .is_some_and(|info| info.source != Source::Elsewhere);
        owned && !named.contains(id)
    });
    let left: Vec<Edit> = left.map(Edit::delete).collect();
    entries.into_iter().map(Edit::put).chain(left).collect()
}

/// A module of which the file does not say whether it is to run stays as people have put it.
fn as_switched(now: &Directory, mut entry: Entry) -> Entry {
    if let Entry::Module(module) = &mut entry
        && module.running.is_none()
        && let Some(before) = now.module(&module.id)
    {
        module.running = before.module.running;
    }
    entry
}

/// The passwords that the building has in the clear.
fn plain_passwords(building: &Building) -> Vec<(UserId, Secret)> {
    let plain = |user: &crate::model::User| match &user.password {
        Some(Password::Plain(password)) => Some((user.id.clone(), password.clone())),
        Some(Password::Hashed(_)) | None => None,
    };
    building.users.iter().filter_map(plain).collect()
}
