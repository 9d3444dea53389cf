//! Triggers as clients are shown them: the definition, and its instance in a room.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dialects::placeos::rest::triggers::definition_id;
use crate::dialects::placeos::rest::triggers::document::webhook_secret;
use crate::dialects::placeos::rest::triggers::parts::{Actions, Conditions, Parts};
use crate::model::{EntryInfo, JsonText, System, SystemId, Trigger};

/// The methods by which a webhook is called.
const METHODS: &[&str] = &["POST"];

/// A trigger: `GET /triggers`, `GET /triggers/{trigger}`.
///
/// It has those of its conditions and steps that PlaceOS's form can say.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trigger)]
pub struct TriggerShape<'a> {
    id: String,
    name: &'a str,
    description: &'a str,
    conditions: Conditions,
    actions: Actions,
    /// In milliseconds.
    debounce_period: u64,
    enabled: bool,
    important: bool,
    enable_webhook: bool,
    supported_methods: &'static [&'static str],
    control_system_id: Option<&'a str>,
    /// Whether this is all of it. One that says more is changed in the building file, and refused here.
    shown_in_full: bool,
    /// How it stands in its room, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_instances: Option<Vec<InstanceShape<'a>>>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> TriggerShape<'a> {
    /// A trigger with what is known of it.
    pub fn new(trigger: &'a Trigger, info: &EntryInfo) -> Self {
        let parts = Parts::of(trigger);
        let debounce = trigger.debounce.map(|span| span.get().as_millis());
        Self {
            id: definition_id(&trigger.id),
            name: &trigger.name,
            description: &trigger.description,
            conditions: parts.conditions,
            actions: parts.actions,
            debounce_period: debounce.and_then(|it| u64::try_from(it).ok()).unwrap_or(0),
            enabled: trigger.enabled,
            important: trigger.important,
            enable_webhook: parts.has_webhook,
            supported_methods: METHODS,
            control_system_id: trigger.system.as_ref().map(SystemId::as_str),
            shown_in_full: !parts.is_more,
            trigger_instances: None,
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }

    /// The same with its instances.
    #[must_use]
    pub fn with_instances(self, instances: Vec<InstanceShape<'a>>) -> Self {
        let trigger_instances = Some(instances);
        Self {
            trigger_instances,
            ..self
        }
    }

    /// Whether a trigger says more than the form can, so that what is sent back would lose a part of it.
    pub fn is_less_than(trigger: &Trigger) -> bool {
        Parts::of(trigger).is_more
    }
}

/// How a trigger stands, as far as its state says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct TriggerStanding {
    /// Whether its conditions hold.
    #[serde(default)]
    pub triggered: bool,
    /// How often it has fired.
    #[serde(default)]
    pub trigger_count: u64,
}

impl TriggerStanding {
    /// Reads the state that is bound; what cannot be read is that of a trigger that has never fired.
    pub fn of(state: Option<&JsonText>) -> Self {
        let state = state.and_then(|state| state.to().ok());
        state.unwrap_or_default()
    }
}

/// A trigger in its room: `GET /systems/{system}/triggers`, `GET /triggers/{trigger}/instances`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriggerInstance)]
pub struct InstanceShape<'a> {
    id: &'a str,
    name: &'a str,
    control_system_id: &'a str,
    control_system: RoomShape<'a>,
    trigger_id: String,
    zone_id: Option<&'a str>,
    enabled: bool,
    triggered: bool,
    trigger_count: u64,
    important: bool,
    exec_enabled: bool,
    /// What the webhook is called with. Administrators alone see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<&'a str>,
    created_at: u64,
    updated_at: u64,
}

/// The room of an instance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriggerRoom)]
struct RoomShape<'a> {
    id: &'a str,
    name: &'a str,
}

impl<'a> InstanceShape<'a> {
    /// A trigger with its room and what is known of it.
    pub fn new(
        trigger: &'a Trigger,
        system: &'a System,
        info: &EntryInfo,
        standing: TriggerStanding,
        shows_secret: bool,
    ) -> Self {
        let secret = webhook_secret(trigger).map_or("", |secret| secret.expose());
        Self {
            id: trigger.id.as_str(),
            name: &trigger.name,
            control_system_id: system.id.as_str(),
            control_system: RoomShape {
                id: system.id.as_str(),
                name: &system.name,
            },
            trigger_id: definition_id(&trigger.id),
            zone_id: None,
            enabled: trigger.enabled,
            triggered: standing.triggered,
            trigger_count: standing.trigger_count,
            important: trigger.important,
            exec_enabled: false,
            webhook_secret: shows_secret.then_some(secret),
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }

    /// Whether its conditions hold.
    pub fn is_triggered(&self) -> bool {
        self.triggered
    }
}
