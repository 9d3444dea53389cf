//! Which systems and modules are within reach of a policy.
//!
//! Apart from `policy.rs`, since what zones allow (`permissions.rs`) asks it too and is asked there.

use crate::core::access::rights::Policy;
use crate::core::directory::Directory;
use crate::model::{Failure, FailureKind, ModuleId, SystemId};

/// Whether a system is within reach. One that is not in the directory is within reach of callers without restriction.
pub(in crate::core) fn may_see(
    directory: &Directory,
    policy: &Policy,
    system: &SystemId,
) -> Result<(), Failure> {
    let reached = !policy.is_restricted()
        || directory
            .system(system)
            .is_some_and(|system| policy.reaches(system));
    if reached {
        Ok(())
    } else {
        Err(out_of_reach(
            FailureKind::SystemOutOfReach,
            "the credentials do not reach that system",
        ))
    }
}

/// Whether a module stands in a system that is within reach.
pub(in crate::core) fn may_reach(
    directory: &Directory,
    policy: &Policy,
    module: &ModuleId,
) -> Result<(), Failure> {
    let reached = !policy.is_restricted()
        || directory
            .systems_of(module)
            .any(|system| policy.reaches(system));
    if reached {
        Ok(())
    } else {
        Err(out_of_reach(
            FailureKind::ModuleOutOfReach,
            "the credentials do not reach that module",
        ))
    }
}

fn out_of_reach(kind: FailureKind, message: &str) -> Failure {
    Failure::new(kind, message).with_response_code(403)
}
