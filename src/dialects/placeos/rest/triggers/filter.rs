//! What the triggers of a room are narrowed by.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::dialects::placeos::rest::query::{Kind, parameter};
use crate::dialects::placeos::rest::triggers::definition_id;
use crate::dialects::placeos::rest::words::{Words, words_parameter};
use crate::dialects::placeos::rest::{BadParameter, InstanceShape, Query};
use crate::model::Trigger;

/// What `GET /systems/{system}/triggers` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceFilter {
    words: Words,
    definition: Option<String>,
    important: bool,
    triggered: bool,
    as_of: Option<usize>,
}

impl InstanceFilter {
    /// Reads `q`, `trigger_id`, `important`, `triggered` and `as_of`.
    pub fn read(query: &Query<'_>) -> Result<Self, BadParameter> {
        Ok(Self {
            words: Words::read(query),
            definition: query.text("trigger_id").map(str::to_owned),
            important: query.truth("important")?.unwrap_or(false),
            triggered: query.truth("triggered")?.unwrap_or(false),
            as_of: query.whole_number("as_of")?,
        })
    }

    /// Whether a trigger is asked for, which was last changed at this time, as far as it says by itself.
    pub fn matches(&self, trigger: &Trigger, changed: u64) -> bool {
        let is_early =
            |asked: usize| usize::try_from(changed).is_ok_and(|changed| changed <= asked);
        let is_own = |asked: &str| asked == definition_id(&trigger.id);
        (!self.important || trigger.important)
            && self.as_of.is_none_or(is_early)
            && self.definition.as_deref().is_none_or(is_own)
            && self.words.stand_in(&[trigger.id.as_str(), &trigger.name])
    }

    /// Whether it is asked for as it stands.
    pub fn is_asked(&self, instance: &InstanceShape<'_>) -> bool {
        !self.triggered || instance.is_triggered()
    }
}

impl IntoParams for InstanceFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            words_parameter(),
            parameter("trigger_id", Kind::Text, "Those of this definition."),
            parameter("important", Kind::Truth, "With `true` the important ones."),
            parameter(
                "triggered",
                Kind::Truth,
                "With `true` those whose conditions hold.",
            ),
            parameter(
                "as_of",
                Kind::WholeNumber,
                "Those that were last changed before or at this time, in Unix seconds.",
            ),
        ]
    }
}
