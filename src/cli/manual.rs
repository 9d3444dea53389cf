//! The manual pages: one for the program and one for each command, made from the same words as the help.

use std::io;
use std::path::{Path, PathBuf};

/// The pages could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: could not write the manual pages ({cause}); name a folder that is there", .directory.display())]
pub struct ManualError {
    directory: PathBuf,
    cause: io::Error,
}

/// Writes `riser.1`, `riser-bind.1` and so on into a folder, which must be there.
pub fn write_manual(directory: &Path) -> Result<(), ManualError> {
    clap_mangen::generate_to(super::command(), directory).map_err(|cause| ManualError {
        directory: directory.to_owned(),
        cause,
    })
}
