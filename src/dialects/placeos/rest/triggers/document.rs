//! What a client sends to make or change a trigger, in the form of PlaceOS's definitions.
//!
//! What is left out stays as it is, and `null` takes away what there was. A field that riser has no place for is refused by its name, so nothing that a client says is lost without a word.

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::Unreadable;
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
    id: Option<String>,
    name: Option<String>,
    /// The room whose modules the conditions and the actions name. PlaceOS makes an instance to say so.
    control_system_id: Option<String>,
    conditions: Option<Conditions>,
    actions: Option<Actions>,
    /// In milliseconds.
    debounce_period: Option<u64>,
    /// Whether a request can fire it.
    enable_webhook: Option<bool>,
}

/// What a client may send back of an answer and is not kept, each with what it may be.
const NOT_KEPT: [(&str, &[&str]); 10] = [
    ("created_at", &[]),
    ("updated_at", &[]),
    ("version", &[]),
    ("shown_in_full", &[]),
    ("trigger_instances", &[]),
    ("description", &["null", "\"\""]),
    ("important", &["null", "false"]),
    ("supported_methods", &["null", "[\"POST\"]"]),
    ("playlists", &["null", "[]"]),
    ("zone_id", &["null"]),
];

impl TriggerDocument {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// Why it is no document; of fields, all that are wrong.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let not_json = || Unreadable::NotADocument("the body is no JSON object".to_owned());
        let text = std::str::from_utf8(body).map_err(|_| not_json())?;
        let members: Option<IndexMap<String, JsonText>> =
            JsonText::parse(text).ok().and_then(|json| json.to().ok());
        let mut document = Self::default();
        let mut wrong = Vec::new();
        for (name, json) in members.ok_or_else(not_json)? {
            wrong.extend(document.take(&name, &json).err());
        }
        match wrong.is_empty() {
            true => Ok(document),
            false => Err(Unreadable::Fields(wrong)),
        }
    }

    fn take(&mut self, name: &str, json: &JsonText) -> Result<(), InvalidField> {
        match name {
            "id" => self.id = typed(name, json, "a text")?,
            "name" => self.name = Some(or_none(name, json, "a text")?),
            "control_system_id" => self.control_system_id = Some(or_none(name, json, "a text")?),
            "conditions" => self.conditions = Some(or_none(name, json, CONDITIONS)?),
            "actions" => self.actions = Some(or_none(name, json, ACTIONS)?),
            "debounce_period" => self.debounce_period = Some(or_none(name, json, "milliseconds")?),
            "enable_webhook" => self.enable_webhook = Some(or_none(name, json, "true or false")?),
            _ => return not_kept(name, json),
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
        if self
            .id
            .as_ref()
            .is_some_and(|given| *given != definition_id(id))
        {
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
        if let Some(period) = self.debounce_period {
            let span = TimeSpan::parse(&format!("{period}ms")).map(|span| span.to_string());
            let span = span.filter(|_| period > 0);
            match (span, period) {
                (Some(span), _) => values.put("debounce", Value::Text(span.into())),
                (None, 0) => values.put("debounce", Value::Nothing),
                (None, _) => {
                    wrong.push(InvalidField::new(
                        "debounce_period",
                        "is longer than a month",
                    ));
                }
            }
        }
        let system = match &self.control_system_id {
            None => before.and_then(|before| before.system.clone()),
            Some(id) if id.is_empty() => None,
            Some(id) => match SystemId::new(id) {
                Ok(id) => Some(id),
                Err(reason) => {
                    wrong.push(InvalidField::new("control_system_id", reason.to_string()));
                    None
                }
            },
        };
        let system_id = system.as_ref().map(|id| id.as_str().to_owned().into());
        values.put("system", system_id.map_or(Value::Nothing, Value::Text));
        let parts = before.map(Parts::of);
        let wanted = self.wanted(parts.clone().unwrap_or_default());
        let is_moved = before.is_some_and(|before| before.system != system);
        if parts.as_ref() != Some(&wanted) || is_moved {
            let key = before.and_then(webhook_secret).unwrap_or(secret);
            put(&wanted, system.as_ref(), key, &mut values, &mut wrong);
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
    system: Option<&SystemId>,
    secret: &Secret,
    values: &mut Values<'_, Trigger>,
    wrong: &mut Vec<InvalidField>,
) {
    let Parts {
        conditions,
        actions,
        has_webhook,
        ..
    } = parts;
    if !actions.mailers.is_empty() {
        let reason = "must be empty, for riser sends no mail";
        wrong.push(InvalidField::new("actions.mailers", reason));
    }
    let names_modules = !conditions.comparisons.is_empty() || !actions.functions.is_empty();
    if names_modules && system.is_none() {
        let reason = "must name the system whose modules the conditions and the actions name";
        wrong.push(InvalidField::new("control_system_id", reason));
    }
    let mut when = Vec::new();
    let mut then = Vec::new();
    let mut keep = |made: Result<JsonText, (String, String)>, list: &mut Vec<JsonText>| match made {
        Ok(json) => list.push(json),
        Err((field, reason)) => wrong.push(InvalidField::new(field, reason)),
    };
    if let Some(system) = system {
        for (place, comparison) in conditions.comparisons.iter().enumerate() {
            keep(comparison.condition(place, system), &mut when);
        }
        for (place, call) in actions.functions.iter().enumerate() {
            keep(call.step(place, system), &mut then);
        }
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

fn typed<T: DeserializeOwned>(
    name: &str,
    json: &JsonText,
    expected: &str,
) -> Result<Option<T>, InvalidField> {
    let reason = || InvalidField::new(name, format!("must be {expected}"));
    json.to().map_err(|_| reason())
}

/// A value, or in the place of `null` none: no text, no list, no time.
fn or_none<T: DeserializeOwned + Default>(
    name: &str,
    json: &JsonText,
    expected: &str,
) -> Result<T, InvalidField> {
    Ok(typed::<T>(name, json, expected)?.unwrap_or_default())
}

fn not_kept(name: &str, json: &JsonText) -> Result<(), InvalidField> {
    let found = NOT_KEPT.iter().find(|(known, _)| *known == name);
    let Some((_, possible)) = found else {
        return Err(InvalidField::new(name, "is no field of a trigger"));
    };
    match possible.is_empty() || possible.contains(&json.as_str()) {
        true => Ok(()),
        false => {
            let reason = format!(
                "must be {}, for riser keeps no other",
                possible[possible.len() - 1]
            );
            Err(InvalidField::new(name, reason))
        }
    }
}
