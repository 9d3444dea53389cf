//! What the building's file says of how a status looks, where the guess is not good enough.

use crate::model::{BindingPath, BuildingView};

use super::domain::Domain;

/// How one status is to look.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityOverride {
    /// Which status.
    pub status: BindingPath,
    /// The kind of entity.
    pub domain: Option<Domain>,
    /// What people call it.
    pub name: Option<String>,
    /// What kind of thing it tells of.
    pub device_class: Option<String>,
    /// The unit of its state.
    pub unit: Option<String>,
    /// The smallest number that can be set.
    pub min: Option<f64>,
    /// The largest number that can be set.
    pub max: Option<f64>,
    /// How far apart the numbers are that screens offer.
    pub step: Option<f64>,
    /// The texts that can be chosen.
    pub options: Vec<String>,
}

/// Those of a building.
pub(super) fn of_building(_: &BuildingView) -> Vec<EntityOverride> {
    Vec::new()
}
