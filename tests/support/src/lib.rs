//! What tests stand on, of the gateway and of drivers alike: foreign programs as child processes, free ports, folders, certificates, deadlines.
//!
//! It is a crate of its own because drivers are tested beside their real counterparts and know nothing of the gateway, whose harness stands on it too.
//! Nothing here sleeps: whatever is waited for has a deadline and fails with what was seen last.
//! Every process is ended by its own id when its owner is dropped; what it said is printed if the test failed.
#![expect(
    clippy::new_without_default,
    reason = "a test makes a folder or a certificate of its own, and no default one"
)]

mod certificate;
mod clients;
mod deadline;
mod folder;
mod port;
mod process;

use std::path::Path;

pub use certificate::Certificate;
pub use clients::{node_client, python_client, python_module};
pub use deadline::{DEADLINE, within};
pub use folder::Folder;
pub use port::free_port;
pub use process::{Process, Stream};

/// The root of the project.
pub fn root() -> &'static Path {
    let support = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = support.ancestors().nth(2);
    root.expect("this crate is two folders below the root")
}
