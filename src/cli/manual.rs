//! The manual pages: one for the program and one for each command, made from the same words as the help.

use std::io;
use std::path::Path;

/// Writes `riser.1`, `riser-bind.1` and so on into a folder, which must be there.
pub fn write_manual(directory: &Path) -> io::Result<()> {
    clap_mangen::generate_to(super::command(), directory)
}
