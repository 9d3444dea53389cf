//! The port for changes of the building: by edits, or by a building file as a whole.
//!
//! The room `building` makes an edit; this port checks whether the caller may ask for it.

use std::fmt;
use std::sync::Arc;

use crate::core::access::{Caller, audit, may_edit, may_have_building};
use crate::core::building::{
    Apply, BuildingService, EditError, Editor, Invalid, Rehearsal, RemoteProgramSettings,
};
use crate::core::metrics::CoreMetrics;
use crate::core::services::forget_removed;
use crate::model::{Building, Differences, DriverRef, Edit, EntryId, Failure, Module};
use crate::stores::MessageStore;

/// Changes the building, and gives it out as a whole.
pub struct BuildingEditor {
    pub(super) building: Arc<BuildingService>,
    pub(super) metrics: Arc<CoreMetrics>,
    pub(super) messages: Arc<dyn MessageStore>,
    pub(super) remote_programs: RemoteProgramSettings,
}

impl BuildingEditor {
    /// Changes the building: all edits or none. Acknowledged when the store has them, and everything that follows from them has begun.
    ///
    /// References to a deleted entry go too: systems lose the module or zone, zones their parent, and a key without its user is deleted.
    /// An entry of a building file stays the file's: another edit of it is undone when the file is read again.
    /// A plain secret or password is kept as its hash; the same one again changes nothing.
    pub async fn edit(&self, who: &Caller, edits: Vec<Edit>) -> Result<Differences, EditError> {
        for edit in &edits {
            if let Err(failure) = may_edit(&self.building.directory(), who.policy(), edit) {
                self.metrics.refusals.increment(1);
                audit::refused_edit(who, &edit.id(), &failure);
                return Err(EditError::Forbidden(failure));
            }
        }
        let made = self.building.edit(Editor::Caller(who.clone()), edits).await;
        self.finished(made).await
    }

    /// The same for the operator, who holds the store's directory and needs no key.
    pub async fn edit_at_rest(&self, edits: Vec<Edit>) -> Result<Differences, EditError> {
        self.finished(self.building.edit(Editor::Operator, edits).await)
            .await
    }

    /// Makes the building that of a file, which owns every entry that it ever named, or computes what that would change.
    ///
    /// Nothing is written when nothing changes. Passwords in the clear are hashed later, since that takes long; until then a user keeps the one before.
    pub async fn apply(&self, how: Apply) -> Result<Differences, EditError> {
        self.apply_by(Editor::File, how).await
    }

    /// The same for a caller who sends the file.
    pub async fn apply_as(&self, who: &Caller, how: Apply) -> Result<Differences, EditError> {
        self.may_apply(who).map_err(EditError::Forbidden)?;
        self.check_programs(&how.building)?;
        self.apply_by(Editor::Caller(who.clone()), how).await
    }

    async fn apply_by(&self, editor: Editor, how: Apply) -> Result<Differences, EditError> {
        let rehearsal = how.rehearsal;
        let applied = self.building.apply(editor, how).await;
        match rehearsal {
            Rehearsal::Real | Rehearsal::Cautious => self.finished(applied).await,
            Rehearsal::Dry => applied.inspect_err(|error| self.count_refusal(error)),
        }
    }

    /// What has gone from the building goes from where it has left something.
    async fn finished(
        &self,
        made: Result<Differences, EditError>,
    ) -> Result<Differences, EditError> {
        match &made {
            Ok(differences) => forget_removed(&*self.messages, differences).await,
            Err(error) => self.count_refusal(error),
        }
        made
    }

    /// A program that the gateway does not run for the module already comes from its own building file, unless the operator trusts its administrators with that.
    fn check_programs(&self, building: &Building) -> Result<(), EditError> {
        match self.remote_programs {
            RemoteProgramSettings::Allowed => return Ok(()),
            RemoteProgramSettings::Refused => {}
        }
        let directory = self.building.directory();
        let is_new = |module: &&Module| match &module.driver {
            DriverRef::LinkedIn(_) => false,
            driver @ DriverRef::Process(_) => {
                let here = directory.module(&module.id);
                here.is_none_or(|here| here.module.driver != *driver)
            }
        };
        let refused = building.modules.iter().filter(is_new).map(|module| Invalid {
            id: EntryId::Module(module.id.clone()),
            field: "driver",
            reason: "names a program to run, which only the building file on the gateway's machine may do; put it there, or set `processes.remote`"
                .to_owned(),
        });
        let refused: Vec<Invalid> = refused.collect();
        match refused.is_empty() {
            true => Ok(()),
            false => Err(EditError::Invalid(refused)),
        }
    }

    fn count_refusal(&self, error: &EditError) {
        if let EditError::Forbidden(_) = error {
            self.metrics.refusals.increment(1);
        }
    }

    /// Whether a caller may change the building as a whole.
    pub fn may_apply(&self, who: &Caller) -> Result<(), Failure> {
        let verdict = may_have_building(who.policy());
        if let Err(failure) = &verdict {
            self.metrics.refusals.increment(1);
            audit::out_of_reach(who, "the whole building", failure);
        }
        verdict
    }

    /// The whole building, with the hashes of its secrets and the settings of its modules.
    pub fn export(&self, who: &Caller) -> Result<Building, Failure> {
        self.may_apply(who)?;
        audit::exported(who);
        Ok(self.building.directory().to_building())
    }
}

impl fmt::Debug for BuildingEditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildingEditor").finish_non_exhaustive()
    }
}
