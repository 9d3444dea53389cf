//! Foreign clients: programs of other makes, in `tests/clients`, each with the environment that `cargo xtask setup` makes for it.
//!
//! A test fails when the environment is not there; it is never left out.

use std::path::PathBuf;

use tokio::process::Command;

use crate::root;

/// A script of a client that runs on Node.
pub fn node_client(client: &str, script: &str) -> Command {
    let folder = folder_with(client, "node_modules");
    let mut command = Command::new("node");
    command.arg(folder.join(script));
    command
}

/// A script of a client that runs on a Python of its own.
pub fn python_client(client: &str, script: &str) -> Command {
    let (mut command, folder) = python(client);
    command.arg(folder.join(script));
    command
}

/// A package of a client's Python that is a program: `python -m MODULE`.
pub fn python_module(client: &str, module: &str) -> Command {
    let (mut command, _) = python(client);
    command.args(["-m", module]);
    command
}

fn python(client: &str) -> (Command, PathBuf) {
    let folder = folder_with(client, ".venv/bin/python");
    let mut command = Command::new(folder.join(".venv/bin/python"));
    // Otherwise it writes its bytecode into the source tree.
    command.arg("-B");
    (command, folder)
}

fn folder_with(client: &str, part: &str) -> PathBuf {
    let folder = root().join("tests/clients").join(client);
    assert!(
        folder.join(part).exists(),
        "{} has no {part}: run `cargo xtask setup`",
        folder.display()
    );
    folder
}
