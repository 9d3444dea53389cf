//! Triggers as PlaceOS has them: a definition, and one instance of it in a room.
//!
//! A trigger of riser is both at once: its definition is `trigger-ID`, and its instance has its own id.
//! PlaceOS's form cannot say all that a trigger can. One that says more is shown as far as the form goes, and is changed elsewhere.
//!
//! - `parts` turns conditions and steps into PlaceOS's form and back.
//! - `document` reads what clients send of a definition, `instances` what they send of an instance, both by `members`; `shapes` is what they are shown.
//!
//! An instance is the room that a trigger has, and whether it is enabled there. A trigger without a room is a draft, which needs neither conditions nor modules.

mod document;
mod filter;
mod instances;
mod members;
mod parts;
mod shapes;
#[cfg(test)]
mod tests;

pub use document::TriggerDocument;
pub use filter::InstanceFilter;
pub use instances::InstanceDocument;
pub use shapes::{InstanceShape, TriggerShape, TriggerStanding};

use crate::model::TriggerId;

/// What stands in front of a trigger's id in that of its definition.
const DEFINITION: &str = "trigger-";

/// The id of a trigger's definition.
pub fn definition_id(id: &TriggerId) -> String {
    format!("{DEFINITION}{id}")
}

/// The trigger of this definition.
pub fn trigger_id(definition: &str) -> Option<TriggerId> {
    TriggerId::new(definition.strip_prefix(DEFINITION)?).ok()
}
