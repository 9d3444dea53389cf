//! The procedures that were run, ready to be run again.
//!
//! An entry of the building is shared by all directories that have it unchanged, so it is made ready once for all of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::automation::program::Program;
use crate::core::Directory;
use crate::model::{Procedure, ProcedureId, lock};

/// As many as there are procedures.
#[derive(Default)]
pub(super) struct Programs(Mutex<HashMap<ProcedureId, Made>>);

struct Made {
    of: Arc<Procedure>,
    program: Option<Arc<Program>>,
}

impl Programs {
    /// The program of a procedure of this directory; `None` for one that cannot be run, which the log has once.
    pub(super) fn of(
        &self,
        procedure: &Arc<Procedure>,
        directory: &Directory,
    ) -> Option<Arc<Program>> {
        let mut all = lock(&self.0);
        if let Some(made) = all.get(&procedure.id)
            && Arc::ptr_eq(&made.of, procedure)
        {
            return made.program.clone();
        }
        let program = Program::of_procedure(procedure).map(Arc::new);
        if let Err(error) = &program {
            tracing::error!(procedure = %procedure.id, %error, "a procedure cannot be run");
        }
        let program = program.ok();
        all.retain(|id, _| directory.procedure(id).is_some());
        let made = Made {
            of: Arc::clone(procedure),
            program: program.clone(),
        };
        all.insert(procedure.id.clone(), made);
        program
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").finish_non_exhaustive()
    }
}
