//! The building as a dialect shows it beside the values: its zones, its systems, where which module stands with what it offers, its entities and commands, its services, its procedures and its triggers.
//!
//! A view is a snapshot that others share, and it holds no value of a status.

use std::sync::Arc;

use driver_types::{Interface, JsonText, ModuleId, StatusName};

use crate::model::{
    ChannelApp, CommandSchema, CommandType, CustomCommand, EntityOverride, ModulePath, Procedure,
    ServiceKey, System, Timestamp, TriggerId, Zone,
};

/// The building at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BuildingView {
    /// Zones, in the building's order.
    pub zones: Vec<Arc<Zone>>,
    /// Systems, in the building's order.
    pub systems: Vec<SystemView>,
    /// How statuses are to look as entities, in the building's order.
    pub entities: Vec<Arc<EntityOverride>>,
    /// Commands of its own, in the building's order.
    pub commands: Vec<Arc<CustomCommand>>,
    /// Apps with channels of their own, in the building's order.
    pub apps: Vec<Arc<ChannelApp>>,
    /// Services that send messages to devices, in the building's order.
    pub services: Vec<ServiceView>,
    /// Procedures, in the building's order.
    pub procedures: Vec<Arc<Procedure>>,
    /// Triggers, in the building's order.
    pub triggers: Vec<TriggerView>,
    /// Commands that the program around the gateway answers.
    pub offered: Vec<Arc<OfferedCommand>>,
}

/// A service as those see it who are told what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its public key.
    pub key: ServiceKey,
    /// Its name.
    pub name: String,
    /// The address of its picture; empty for none.
    pub icon: String,
    /// When it was made.
    pub created: Timestamp,
}

/// A trigger as those see it who are told that it fired. What it is called with stays out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerView {
    /// Its id.
    pub id: TriggerId,
    /// Its name for people.
    pub name: String,
}

/// A command that the program around the gateway answers, as clients are held to it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedCommand {
    /// What messages say in `type`.
    pub command: CommandType,
    /// What a message may carry.
    pub schema: CommandSchema,
    /// Whether it is for administrators alone.
    pub admin: bool,
}

/// A system and what stands in it.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemView {
    /// The system.
    pub system: Arc<System>,
    /// Its modules, in its order.
    pub modules: Vec<Arc<ModuleView>>,
}

/// A module at a place. One that stands in two systems is in the view twice.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleView {
    /// The place.
    pub path: Arc<ModulePath>,
    /// The module.
    pub id: ModuleId,
    /// The id of its driver.
    pub driver: Arc<str>,
    /// What its driver is, for people.
    pub driver_text: Arc<str>,
    /// Its functions and the statuses that it declares; `None` while it has not told them.
    pub interface: Option<Arc<Interface>>,
    /// The statuses that it has had, declared or not, in the order in which they were first seen.
    /// One that has no value at the moment is still listed.
    pub statuses: Arc<[SeenStatus]>,
    /// The statuses that clients of an app see without a credential of their own.
    pub public: Arc<[StatusName]>,
}

/// A status that a module has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenStatus {
    /// Its name.
    pub name: StatusName,
    /// What its first value was. Later values may be of another shape.
    pub shape: Shape,
}

/// What a JSON value is. `null` has no shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    Text,
    /// An array.
    List,
    /// An object.
    Object,
}

impl Shape {
    /// The shape of a value; `None` for `null`.
    pub fn of(value: &JsonText) -> Option<Self> {
        match value.as_str().trim_ascii_start().as_bytes().first()? {
            b'n' => None,
            b't' | b'f' => Some(Self::Boolean),
            b'"' => Some(Self::Text),
            b'[' => Some(Self::List),
            b'{' => Some(Self::Object),
            _ => Some(Self::Number),
        }
    }
}

impl BuildingView {
    /// Every module at every place.
    pub fn modules(&self) -> impl Iterator<Item = &Arc<ModuleView>> {
        self.systems.iter().flat_map(|system| &system.modules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_shape_of_its_first_byte_and_null_has_none() {
        let shape = |text: &str| Shape::of(&JsonText::parse(text).unwrap());
        assert_eq!(shape("null"), None);
        assert_eq!(shape("true"), Some(Shape::Boolean));
        assert_eq!(shape("false"), Some(Shape::Boolean));
        assert_eq!(shape("-1.5e3"), Some(Shape::Number));
        assert_eq!(shape("\"on\""), Some(Shape::Text));
        assert_eq!(shape("[1]"), Some(Shape::List));
        assert_eq!(shape("{}"), Some(Shape::Object));
    }
}
