//! Entities: the faces that the statuses of modules have in Home Assistant, as areas, devices, states and services.
//!
//! 1. A [`View`] is made of the building whenever that changes: each system is an area, each module at a place a device,
//!    each status an [`Entity`], and some entities are made of several statuses.
//! 2. A state is written from what is [`Known`] of a module's statuses at one moment; nothing is kept between events.
//! 3. An event is written as what it changes of each entity that its status is in (`encode`). Every attribute is made of one status,
//!    and what decides a state writes it whole, so changes that were merged by status add up.
//! 4. A service call becomes calls of modules ([`services`]).
//!
//! Which client follows which entity is not its business, and neither is who may.

mod compound;
mod context;
mod difference;
mod domain;
mod draft;
mod encode;
mod entity;
mod face;
#[cfg(test)]
mod fuzz_tests;
mod known;
mod limits;
mod module;
mod part;
mod pressed;
#[cfg(test)]
mod properties;
pub mod registry;
mod schema;
pub mod services;
mod setter;
mod slug;
mod state_text;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod view;

pub use context::{Context, context_id, moment};
pub use difference::{Action, Changed, Difference};
pub use domain::Domain;
pub(in crate::dialects) use encode::encode;
pub use encode::{write_bus_event, write_state_changed};
pub use entity::{Category, Entity, Press};
pub use known::{Fact, Known, Snapshot};
pub use module::ModuleEntities;
pub use state_text::StateText;
pub use view::{Area, Group, View};
