//! The state of a trigger as clients bind it, in the shape that PlaceOS gives it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::model::{Condition, Conditions, JsonText};

/// The state of a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerState {
    /// Whether all conditions are met.
    pub triggered: bool,
    /// How often it fired.
    pub trigger_count: u64,
    /// How often its steps failed, or it would have fired too often.
    pub action_errors: u64,
    /// How often a status could not be compared.
    pub comparison_errors: u64,
    /// Whether each condition is met.
    pub conditions: Vec<(ConditionKey, bool)>,
    /// Which step failed in the last firing, and why.
    pub error: Option<String>,
}

/// What the state counts, which goes on when the trigger begins anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TriggerCounts {
    #[serde(rename = "trigger_count")]
    pub(super) firings: u64,
    pub(super) action_errors: u64,
    pub(super) comparison_errors: u64,
    /// Which step failed in the last firing, and why.
    #[serde(default)]
    pub(super) error: Option<String>,
}

impl TriggerCounts {
    /// Those of a state as it was bound; none where it is another value.
    pub(super) fn of_state(state: &JsonText) -> Self {
        state.to().unwrap_or_default()
    }
}

/// What a condition is called in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionKey {
    /// A comparison of a status, counted from 0.
    Comparison(usize),
    /// A moment, counted from 0.
    Time(usize),
    /// An event, counted from 0.
    Event(usize),
    /// A webhook.
    Webhook,
}

impl ConditionKey {
    /// Those of all conditions, in their order.
    pub(super) fn of(conditions: &Conditions) -> Vec<Self> {
        let (mut comparisons, mut times, mut events) = (0.., 0.., 0..);
        let next = |counter: &mut std::ops::RangeFrom<usize>| counter.next().unwrap_or_default();
        let keys = conditions.list().iter().map(|condition| match condition {
            Condition::Status { .. } => Self::Comparison(next(&mut comparisons)),
            Condition::Cron { .. } | Condition::At(_) => Self::Time(next(&mut times)),
            Condition::Event { .. } => Self::Event(next(&mut events)),
            Condition::Webhook(_) => Self::Webhook,
        });
        keys.collect()
    }
}

impl fmt::Display for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comparison(place) => write!(f, "comparison_{place}"),
            Self::Time(place) => write!(f, "time_{place}"),
            Self::Event(place) => write!(f, "event_{place}"),
            Self::Webhook => f.write_str("webhook"),
        }
    }
}

impl TriggerState {
    /// What it counts.
    pub(super) fn counts(&self) -> TriggerCounts {
        TriggerCounts {
            firings: self.trigger_count,
            action_errors: self.action_errors,
            comparison_errors: self.comparison_errors,
            error: self.error.clone(),
        }
    }

    /// The state as the value of a status.
    pub fn json(&self) -> JsonText {
        let conditions = self.conditions.iter();
        let conditions = conditions.map(|(key, is_met)| (key.to_string(), Json::Bool(*is_met)));
        let mut state = json!({
            "triggered": self.triggered,
            "trigger_count": self.trigger_count,
            "action_errors": self.action_errors,
            "comparison_errors": self.comparison_errors,
            "conditions": conditions.collect::<Map<_, _>>(),
        });
        if let Some(error) = &self.error {
            state["error"] = error.as_str().into();
        }
        JsonText::of(&state).expect("values of JSON can be written as JSON")
    }
}
