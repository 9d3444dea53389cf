//! What a client sends to put a trigger into a room, or to change how it stands there, in the form of PlaceOS's instances.
//!
//! PlaceOS's own library fills in the rest of a trigger where it says nothing of it, and backoffice sends that; anything else of a definition is refused by its name.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::Unreadable;
use crate::dialects::placeos::rest::triggers::document::webhook_secret;
use crate::dialects::placeos::rest::triggers::members::{NotKept, not_kept, read, typed};
use crate::dialects::placeos::rest::triggers::{TriggerDocument, definition_id, trigger_id};
use crate::model::{SystemId, Trigger, TriggerId};

/// A trigger in a room, to be put there or changed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct InstanceDocument {
    /// The one that it has.
    id: Option<String>,
    /// The one that its definition has.
    name: Option<String>,
    /// The definition; a new instance has to name it.
    trigger_id: Option<String>,
    /// The room of the path.
    control_system_id: Option<String>,
    /// The one that it has.
    webhook_secret: Option<String>,
    /// Whether it fires; a new one does, unless it says otherwise.
    enabled: Option<bool>,
    /// Whether people are to look at it before others.
    important: Option<bool>,
}

/// Beside what riser finds out by itself, what PlaceOS's own library makes of an instance.
const NOT_KEPT: [NotKept; 20] = [
    ("created_at", &[]),
    ("updated_at", &[]),
    ("version", &[]),
    ("triggered", &[]),
    ("trigger_count", &[]),
    ("activated_count", &[]),
    ("control_system", &[]),
    ("system_name", &[]),
    ("_actions", &[]),
    ("_conditions", &[]),
    ("description", &["null", "\"\""]),
    (
        "conditions",
        &["null", "{\"comparisons\":[],\"time_dependents\":[]}"],
    ),
    ("actions", &["null", "{\"functions\":[],\"mailers\":[]}"]),
    ("debounce_period", &["null", "0"]),
    ("enable_webhook", &["null", "false"]),
    ("supported_methods", &["null", "[\"POST\"]"]),
    ("playlists", &["null", "[]"]),
    ("zone_id", &["null", "\"\""]),
    ("any_match", &["null", "false"]),
    ("exec_enabled", &["null", "false"]),
];

impl InstanceDocument {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// Why it is no document; of fields, all that are wrong.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        read(body, |document: &mut Self, name, json| {
            match name {
                "id" => document.id = typed(name, json, "a text")?,
                "name" => document.name = typed(name, json, "a text")?,
                "trigger_id" => document.trigger_id = typed(name, json, "a text")?,
                "control_system_id" => document.control_system_id = typed(name, json, "a text")?,
                "webhook_secret" => document.webhook_secret = typed(name, json, "a text")?,
                "enabled" => document.enabled = typed(name, json, "true or false")?,
                "important" => document.important = typed(name, json, "true or false")?,
                _ => return not_kept(name, json, &NOT_KEPT, "a trigger in a room"),
            }
            Ok(())
        })
    }

    /// The trigger that is to be put into a room.
    ///
    /// # Errors
    ///
    /// The document names none.
    pub fn trigger(&self) -> Result<TriggerId, Vec<InvalidField>> {
        let id = self.trigger_id.as_deref().and_then(trigger_id);
        let reason = "must be the id of a trigger, `trigger-` and what stands behind it";
        id.ok_or_else(|| vec![InvalidField::new("trigger_id", reason)])
    }

    /// What it says of a trigger that stands in no room yet, and is to stand in this one.
    ///
    /// # Errors
    ///
    /// Every field that cannot be as it is.
    pub fn putting(
        &self,
        trigger: &Trigger,
        system: &SystemId,
    ) -> Result<TriggerDocument, Vec<InvalidField>> {
        let amending = self.amending(trigger, system)?;
        Ok(TriggerDocument {
            control_system_id: Some(system.as_str().to_owned()),
            enabled: Some(self.enabled.unwrap_or(true)),
            ..amending
        })
    }

    /// What it says of a trigger in this room.
    ///
    /// # Errors
    ///
    /// Every field that cannot be as it is.
    pub fn amending(
        &self,
        trigger: &Trigger,
        system: &SystemId,
    ) -> Result<TriggerDocument, Vec<InvalidField>> {
        let definition = definition_id(&trigger.id);
        let secret = webhook_secret(trigger).map_or("", |secret| secret.expose());
        let given = [
            ("id", &self.id, trigger.id.as_str()),
            ("name", &self.name, &trigger.name),
            ("trigger_id", &self.trigger_id, &definition),
            (
                "control_system_id",
                &self.control_system_id,
                system.as_str(),
            ),
            ("webhook_secret", &self.webhook_secret, secret),
        ];
        let is_other = |given: &Option<String>, is: &str| {
            let given = given.as_deref();
            given.is_some_and(|given| !given.is_empty() && given != is)
        };
        let wrong = given
            .into_iter()
            .filter(|(_, given, is)| is_other(given, is));
        let wrong: Vec<InvalidField> = wrong
            .map(|(field, ..)| InvalidField::new(field, "cannot be changed in a room"))
            .collect();
        match wrong.is_empty() {
            true => Ok(TriggerDocument {
                enabled: self.enabled,
                important: self.important,
                ..TriggerDocument::default()
            }),
            false => Err(wrong),
        }
    }
}

impl TriggerDocument {
    /// What takes a trigger out of its room: it is a draft then.
    pub fn taking_out() -> Self {
        Self {
            control_system_id: Some(String::new()),
            enabled: Some(false),
            ..Self::default()
        }
    }
}
