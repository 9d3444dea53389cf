//! The port for changes of the building: by edits, or by a building file as a whole.
//!
//! The room `building` makes an edit; this port checks whether the caller may ask for it.

use std::fmt;
use std::sync::Arc;

use crate::core::access::{Caller, audit, may_edit, may_have_building};
use crate::core::building::{Apply, BuildingService, EditError, Editor};
use crate::core::metrics::CoreMetrics;
use crate::model::{Building, Differences, Edit, Failure};

/// Changes the building, and gives it out as a whole.
pub struct BuildingEditor {
    pub(super) building: Arc<BuildingService>,
    pub(super) metrics: Arc<CoreMetrics>,
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
        made.inspect_err(|error| self.count_refusal(error))
    }

    /// The same for the operator, who holds the store's directory and needs no key.
    pub async fn edit_at_rest(&self, edits: Vec<Edit>) -> Result<Differences, EditError> {
        self.building.edit(Editor::Operator, edits).await
    }

    /// Makes the building that of a file, which owns every entry that it ever named, or computes what that would change.
    ///
    /// Nothing is written when nothing changes. Passwords in the clear are hashed later, since that takes long; until then a user keeps the one before.
    pub async fn apply(&self, how: Apply) -> Result<Differences, EditError> {
        self.building.apply(Editor::File, how).await
    }

    /// The same for a caller who sends the file.
    pub async fn apply_as(&self, who: &Caller, how: Apply) -> Result<Differences, EditError> {
        self.may_apply(who).map_err(EditError::Forbidden)?;
        let applied = self.building.apply(Editor::Caller(who.clone()), how).await;
        applied.inspect_err(|error| self.count_refusal(error))
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
