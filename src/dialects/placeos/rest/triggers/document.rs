//! What a client sends to make or change a trigger, in the form of PlaceOS's definitions.
//!
//! What is left out stays as it is, and `null` takes away what there was. A field that riser has no place for is refused by its name, so nothing that a client says is lost without a word.

use indexmap::IndexMap;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::Unreadable;
use crate::dialects::placeos::rest::triggers::members::{NotKept, not_kept, or_none, read, typed};
use crate::dialects::placeos::rest::triggers::parts::{Actions, Conditions, Parts};
use crate::dialects::placeos::rest::triggers::{definition_id, trigger_id};
use crate::model::{
    Collection, Condition, JsonText, Secret, SystemId, TimeSpan, Trigger, TriggerId, Value, Values,
    WebhookKey,
};

/// A trigger to be made or changed, with the room of its one instance.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct TriggerDocument {
    /// `trigger-` and an id; a new one has a fresh id without it.
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    /// The room whose modules the conditions and the actions name; empty for none. PlaceOS makes an instance to say so.
    pub(super) control_system_id: Option<String>,
    pub(super) conditions: Option<Conditions>,
    pub(super) actions: Option<Actions>,
    /// In milliseconds.
    pub(super) debounce_period: Option<u64>,
    /// Whether a request can fire it.
    pub(super) enable_webhook: Option<bool>,
    /// Whether it fires. A new one in no room does not, until it is put into one.
    pub(super) enabled: Option<bool>,
    /// Whether people are to look at it before others.
    pub(super) important: Option<bool>,
}

/// Beside what riser finds out by itself, what PlaceOS's own library makes of a definition.
const NOT_KEPT: [NotKept; 22] = [
    ("created_at", &[]),
    ("updated_at", &[]),
    ("version", &[]),
    ("shown_in_full", &[]),
    ("trigger_instances", &[]),
    ("trigger_count", &[]),
    ("activated_count", &[]),
    ("system_name", &[]),
    ("_actions", &[]),
    ("_conditions", &[]),
    // What backoffice shows of it in a list.
    ("display_name", &[]),
    ("extra", &[]),
    ("supported_methods", &["null", "[\"POST\"]"]),
    ("playlists", &["null", "[]"]),
    ("zone_id", &["null", "\"\""]),
    ("trigger_id", &["null", "\"\""]),
    ("webhook_secret", &["null", "\"\""]),
    ("any_match", &["null", "false"]),
    ("exec_enabled", &["null", "false"]),
    ("triggered", &["null", "false"]),
    ("control_system", &[]),
    ("system_id", &["null", "\"\""]),
];

impl TriggerDocument {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// Why it is no document; of fields, all that are wrong.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        read(body, Self::take)
    }

    fn take(&mut self, name: &str, json: &JsonText) -> Result<(), InvalidField> {
        match name {
            "id" => self.id = typed(name, json, "a text")?,
            "name" => self.name = Some(or_none(name, json, "a text")?),
            "description" => self.description = Some(or_none(name, json, "a text")?),
            "control_system_id" => self.control_system_id = Some(or_none(name, json, "a text")?),
            "conditions" => self.conditions = Some(or_none(name, json, CONDITIONS)?),
            "actions" => self.actions = Some(or_none(name, json, ACTIONS)?),
            "debounce_period" => self.debounce_period = Some(or_none(name, json, "milliseconds")?),
            "enable_webhook" => self.enable_webhook = Some(or_none(name, json, "true or false")?),
            "enabled" => self.enabled = typed(name, json, "true or false")?,
            "important" => self.important = typed(name, json, "true or false")?,
            _ => return not_kept(name, json, &NOT_KEPT, "a trigger"),
        }
        Ok(())
    }

    /// The id that the trigger is to have; a fresh one where the document has none.
    ///
    /// # Errors
    ///
    /// Why its id cannot be one.
    pub fn new_id(&self, fresh: &str) -> Result<TriggerId, Vec<InvalidField>> {
        let id = match &self.id {
            None => TriggerId::new(fresh).ok(),
            Some(id) => trigger_id(id),
        };
        let reason = "must be `trigger-` with an id behind it";
        id.ok_or_else(|| vec![InvalidField::new("id", reason)])
    }

    /// The trigger that is there with what the document says, or a new one. A webhook that is new has this secret.
    ///
    /// # Errors
    ///
    /// Every field that cannot be as it is.
    pub fn over(
        &self,
        id: &TriggerId,
        before: Option<&Trigger>,
        secret: &Secret,
    ) -> Result<Trigger, Vec<InvalidField>> {
        let mut wrong = Vec::new();
        let is_own = |given: &String| *given == definition_id(id);
        if !self.id.as_ref().is_none_or(is_own) {
            wrong.push(InvalidField::new("id", "cannot be changed"));
        }
        let mut values = before.map_or_else(
            || Values::none().with("level", Value::Text("support".into())),
            Values::of,
        );
        values.put("id", Value::Text(id.as_str().to_owned().into()));
        if let Some(name) = &self.name {
            values.put("name", Value::Text(name.clone().into()));
        }
        if let Some(description) = &self.description {
            values.put("description", Value::Text(description.clone().into()));
        }
        if let Some(is) = self.important {
            values.put("important", Value::Flag(is));
        }
        match self.debounce() {
            Ok(Some(debounce)) => values.put("debounce", debounce),
            Ok(None) => {}
            Err(reason) => wrong.push(reason),
        }
        let system = self.system(before).unwrap_or_else(|reason| {
            wrong.push(reason);
            None
        });
        let system_id = system.as_ref().map(|id| id.as_str().to_owned().into());
        values.put("system", system_id.map_or(Value::Nothing, Value::Text));
        let otherwise = before.map_or(system.is_some(), |before| before.enabled);
        let enabled = self.enabled.unwrap_or(otherwise);
        values.put("enabled", Value::Flag(enabled));

        let parts = before.map(Parts::of);
        let wanted = self.wanted(parts.clone().unwrap_or_default());
        // What leads into its own room goes with it.
        let is_moved = before.is_some_and(|before| before.system != system);
        if parts.as_ref() != Some(&wanted) || is_moved && !wanted.is_more {
            let key = before.and_then(webhook_secret).unwrap_or(secret);
            put(&wanted, key, &mut values, &mut wrong);
        }
        if enabled && system.is_none() && wanted.names_modules() {
            let reason = "must name the system whose modules the conditions and the actions name; or let `enabled` be false";
            wrong.push(InvalidField::new("control_system_id", reason));
        }
        let made = Trigger::build(values).map_err(|more| {
            let more = more.into_iter();
            wrong.extend(more.map(|it| InvalidField::new(word(it.field), it.reason)));
        });
        match made {
            Ok(made) if wrong.is_empty() => Ok(made),
            Ok(_) | Err(()) => Err(wrong),
        }
    }

    /// How long it is to be silent after it fired, if the document says so.
    fn debounce(&self) -> Result<Option<Value<'static>>, InvalidField> {
        let span = |period: u64| TimeSpan::parse(&format!("{period}ms"));
        match self.debounce_period {
            None => Ok(None),
            Some(0) => Ok(Some(Value::Nothing)),
            Some(period) => match span(period) {
                Some(span) => Ok(Some(Value::Text(span.to_string().into()))),
                None => Err(InvalidField::new(
                    "debounce_period",
                    "is longer than a month",
                )),
            },
        }
    }

    /// The room that it is to have.
    fn system(&self, before: Option<&Trigger>) -> Result<Option<SystemId>, InvalidField> {
        match self.control_system_id.as_deref() {
            None => Ok(before.and_then(|before| before.system.clone())),
            Some("") => Ok(None),
            Some(id) => SystemId::new(id)
                .map(Some)
                .map_err(|reason| InvalidField::new("control_system_id", reason.to_string())),
        }
    }

    fn wanted(&self, mut parts: Parts) -> Parts {
        if let Some(conditions) = &self.conditions {
            parts.conditions = conditions.clone();
        }
        if let Some(actions) = &self.actions {
            parts.actions = actions.clone();
        }
        parts.has_webhook = self.enable_webhook.unwrap_or(parts.has_webhook);
        parts
    }
}

/// What PlaceOS calls a field of a trigger.
pub(super) fn word(field: &'static str) -> &'static str {
    match field {
        "system" => "control_system_id",
        "when" => "conditions",
        "then" => "actions",
        "debounce" => "debounce_period",
        field => field,
    }
}

/// The secret by which a webhook trigger is called.
pub(super) fn webhook_secret(trigger: &Trigger) -> Option<&Secret> {
    match trigger.when.happening() {
        Some((_, Condition::Webhook(WebhookKey::Secret(secret)))) => Some(secret),
        Some((
            _,
            Condition::Webhook(WebhookKey::Headers(_))
            | Condition::Status { .. }
            | Condition::Event { .. }
            | Condition::Cron { .. }
            | Condition::At(_),
        ))
        | None => None,
    }
}

fn put(
    parts: &Parts,
    secret: &Secret,
    values: &mut Values<'_, Trigger>,
    wrong: &mut Vec<InvalidField>,
) {
    let Parts {
        conditions,
        actions,
        has_webhook,
        is_more: _,
    } = parts;
    if !actions.mailers.is_empty() {
        let reason = "must be empty, for riser sends no mail";
        wrong.push(InvalidField::new("actions.mailers", reason));
    }
    let mut when = Vec::new();
    let mut then = Vec::new();
    let mut keep = |made: Result<JsonText, (String, String)>, list: &mut Vec<JsonText>| match made {
        Ok(json) => list.push(json),
        Err((field, reason)) => wrong.push(InvalidField::new(field, reason)),
    };
    for (place, comparison) in conditions.comparisons.iter().enumerate() {
        keep(comparison.condition(place), &mut when);
    }
    for (place, call) in actions.functions.iter().enumerate() {
        keep(call.step(place), &mut then);
    }
    for (place, time) in conditions.time_dependents.iter().enumerate() {
        keep(time.condition(place), &mut when);
    }
    if *has_webhook {
        let members = IndexMap::from([
            ("webhook", JsonText::boolean(true)),
            ("secret", text(secret.expose())),
        ]);
        when.push(JsonText::of(&members).expect("a map of texts to JSON is JSON"));
    }
    let list = |list: &Vec<JsonText>| {
        let list = JsonText::of(list).expect("a list of JSON is JSON");
        Value::Json(list.as_str().to_owned().into())
    };
    values.put("when", list(&when));
    values.put("then", list(&then));
}

fn text(text: &str) -> JsonText {
    JsonText::of(text).expect("every text can be written as JSON")
}

const CONDITIONS: &str = "an object of `comparisons`, each with `left` of `mod`, `status` and `keys`, `operator` and `right`, and of `time_dependents`, each with `type` and `time`, or `cron` and `timezone`";

const ACTIONS: &str =
    "an object of `functions`, each with `mod`, `method` and `args`, and of `mailers`";
