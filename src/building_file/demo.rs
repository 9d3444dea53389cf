//! The building that runs when no file is given: small enough to read, with something that moves in every room.

use std::collections::BTreeMap;

use crate::model::rules::ForeignRules;
use crate::model::{Building, KeySecret, Secret};

use super::KnownDriver;
use super::problem::Problems;

const DEMO: &str = include_str!("demo.yaml");

/// The demo building, its API key with `secret` in place of the one in the file.
///
/// Fails only when one of its drivers is not among `drivers`.
pub fn demo(secret: &Secret, drivers: &[KnownDriver]) -> Result<Building, Problems> {
    let mut building = super::read(
        "demo.yaml",
        DEMO,
        drivers,
        ForeignRules::NONE,
        &BTreeMap::new(),
    )?;
    for key in &mut building.api_keys {
        key.secret = KeySecret::Plain(secret.clone());
    }
    Ok(building)
}
