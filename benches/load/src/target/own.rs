//! This project's gateway, plain and by TLS.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rcgen::generate_simple_self_signed;

use crate::protocol::Numbering;
use crate::stream::trust;
use crate::target::{Launch, TempFile, building, free_address};

pub(super) fn prepare(riser: &Path) -> Result<()> {
    if !riser.exists() {
        bail!(
            "there is no {}: cargo build --release -p riser",
            riser.display()
        );
    }
    Ok(())
}

pub(super) fn riser(riser: &Path, workers: usize, numbering: Numbering) -> Result<Launch> {
    let file = TempFile::write("building.yaml", &building())?;
    let mut command = Command::new(riser);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--building"])
        .arg(&file.0)
        .args(["--workers", &workers.to_string()]);
    Ok(Launch::placeos(command, numbering, vec![file]))
}

/// With a certificate of its own, which its clients trust. Its measures are told without encryption, as nobody measures them.
pub(super) fn riser_tls(path: &Path, workers: usize, numbering: Numbering) -> Result<Launch> {
    let made = generate_simple_self_signed(["127.0.0.1".to_owned()])
        .context("could not make a certificate")?;
    let certificate = TempFile::write("cert.pem", &made.cert.pem())?;
    let key = TempFile::write("key.pem", &made.signing_key.serialize_pem())?;
    let metrics = free_address()?;
    let mut launch = riser(path, workers, numbering)?;
    launch
        .command
        .arg("--tls-cert")
        .arg(&certificate.0)
        .arg("--tls-key")
        .arg(&key.0)
        .env("RISER_HEALTH_LISTEN", metrics.to_string());
    launch.trust = trust(made.cert.der())?;
    launch.metrics = Some(metrics);
    launch.files.extend([certificate, key]);
    Ok(launch)
}
