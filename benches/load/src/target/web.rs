//! Peers that speak the yardstick's frames over a websocket: uWebSockets, Bun, and Node.js with ws.
//!
//! Their servers are ours, in `peers/`; what they stand on is fetched, never committed.

use std::env::consts;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::target::install::{built, is_made_of, note, npm_ci, read, require, run, sources};

/// How uWebSockets' own makefile builds, without what is not used here: TLS and compression.
const FLAGS: [&str; 4] = ["-O3", "-flto=auto", "-DLIBUS_NO_SSL", "-DUWS_NO_ZLIB"];

/// The crate whose archive carries the sources of uWebSockets.
const UWS_CRATE: &str = "libuwebsockets-sys";

pub(super) fn uws() -> Command {
    Command::new(uws_binary())
}

fn uws_binary() -> PathBuf {
    built("uws").join("server")
}

pub(super) fn bun() -> Command {
    let mut command = Command::new(bun_binary());
    // Off: looking for packages to install, and reporting crashes to its maker.
    command
        .arg("--no-install")
        .arg(sources("bun").join("server.js"))
        .env("BUN_ENABLE_CRASH_REPORTING", "0");
    command
}

/// The binary in the package for this platform. The package `bun` itself only links to it, by a script at installation.
fn bun_binary() -> PathBuf {
    let arch = if consts::ARCH == "x86_64" {
        "x64"
    } else {
        consts::ARCH
    };
    let package = format!("bun-{}-{arch}", consts::OS);
    sources("bun")
        .join("node_modules/@oven")
        .join(package)
        .join("bin/bun")
}

pub(super) fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(sources("node").join("server.js"));
    command
}

pub(super) fn prepare_bun() -> Result<()> {
    npm_ci("bun")?;
    let binary = bun_binary();
    if !binary.exists() {
        bail!("Bun has no binary for this platform: {}", binary.display());
    }
    Ok(())
}

pub(super) fn prepare_node() -> Result<()> {
    require("node", "apt-get install nodejs npm")?;
    npm_ci("node")
}

/// Compiles uWebSockets with our server, unless that has been done with the very same sources and flags.
pub(super) fn prepare_uws() -> Result<()> {
    let package = sources("uws");
    let server = package.join("server.cpp");
    let ingredients = [
        FLAGS.join(" "),
        read(&package.join("Cargo.lock"))?,
        read(&server)?,
    ]
    .join("\n");
    let folder = built("uws");
    if uws_binary().exists() && is_made_of(&folder, &ingredients) {
        return Ok(());
    }
    require("g++", "apt-get install g++")?;
    let theirs = uws_sources(&package)?;
    let sockets = theirs.join("uSockets/src");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let mut objects = Vec::new();
    for name in [
        "bsd",
        "context",
        "loop",
        "socket",
        "udp",
        "eventing/epoll_kqueue",
    ] {
        let object = folder.join(name.replace('/', "-")).with_extension("o");
        run(Command::new("gcc")
            .args(["-std=c11", "-c", "-I"])
            .arg(&sockets)
            .args(FLAGS)
            .arg(sockets.join(name).with_extension("c"))
            .arg("-o")
            .arg(&object))?;
        objects.push(object);
    }
    run(Command::new("g++")
        .args(["-std=c++20", "-I"])
        .arg(&sockets)
        .arg("-I")
        .arg(theirs.join("src"))
        .args(FLAGS)
        .arg(&server)
        .args(objects)
        .arg("-o")
        .arg(uws_binary()))?;
    note(&folder, &ingredients)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// Where Cargo keeps the sources; it fetches them the first time.
fn uws_sources(package: &Path) -> Result<PathBuf> {
    let platform = format!("{}-unknown-linux-gnu", consts::ARCH);
    let answer = run(Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(["--filter-platform", &platform, "--manifest-path"])
        .arg(package.join("Cargo.toml")))?;
    let metadata: Metadata = serde_json::from_slice(&answer)?;
    let found = metadata
        .packages
        .iter()
        .find(|package| package.name == UWS_CRATE)
        .and_then(|package| package.manifest_path.parent());
    Ok(found
        .with_context(|| format!("Cargo does not know {UWS_CRATE}"))?
        .join("uWebSockets"))
}
