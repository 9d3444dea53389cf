//! Makes the Debian package, and tries it in a fresh Debian.
//!
//! Not part of `cargo xtask test`: it takes a build by the profile `dist`, and the trying takes root and Debian's archive.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::setup;
use crate::step::{run as run_program, step};
use crate::test::{BUILD, cargo};

/// For what packs, and for what writes a few pages.
const PACK: Duration = Duration::from_secs(5 * 60);

/// For a fresh Debian and all that is done in it.
const CHECK: Duration = Duration::from_secs(10 * 60);

/// The profile of what is shipped, and the folder in `target` that cargo gives it.
const PROFILE: &str = "dist";

/// The shells that the program has completions for.
const SHELLS: &[&str] = &["bash", "zsh", "fish"];

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        other => bail!(
            "package takes --check or nothing, but was given {}",
            other.join(" ")
        ),
    };
    step("build", || {
        let build = [
            "build",
            "--profile",
            PROFILE,
            "--locked",
            "--package",
            "riser",
        ];
        run_program(cargo().args(build), root, BUILD)
    })?;
    step("manual pages and completions", || generate(root))?;
    let folder = root.join("target/debian");
    step("Debian package", || {
        // Ours alone, so that what is tried is what was made.
        if folder.exists() {
            fs::remove_dir_all(&folder).context("could not empty target/debian")?;
        }
        let mut deb = setup::cargo_deb(root)?;
        deb.args([
            "--profile",
            PROFILE,
            "--no-build",
            "--no-dbgsym",
            "--package",
            "riser",
            "--output",
        ]);
        run_program(deb.arg(&folder), root, PACK)
    })?;
    let package = only_file(&folder)?;
    println!("xtask: {}", package.display());
    if check {
        setup::debian_packages(root, &[("mmdebstrap", "mmdebstrap")])?;
        let mut check = Command::new("packaging/debian/check");
        step("the package in a fresh Debian", || {
            run_program(check.arg(&package), root, CHECK)
        })?;
    }
    Ok(())
}

/// What the program itself writes, where the package's list in `Cargo.toml` looks for it.
fn generate(root: &Path) -> Result<()> {
    let folder = root.join("target/package");
    let (manual, completions) = (folder.join("man"), folder.join("completions"));
    for folder in [&manual, &completions] {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
    }
    let riser = || Command::new(root.join("target").join(PROFILE).join("riser"));
    run_program(riser().arg("man").arg(&manual), root, PACK)?;
    for shell in SHELLS {
        let path = completions.join(shell);
        let file =
            File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
        let mut command = riser();
        command
            .args(["completions", shell])
            .stdout(Stdio::from(file));
        run_program(&mut command, root, PACK)?;
    }
    Ok(())
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).context("there is no package")?;
    let files = entries.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<Result<Vec<_>>>()?;
    ensure!(
        files.len() == 1,
        "one package was to be made, not {files:?}"
    );
    Ok(files.remove(0))
}
