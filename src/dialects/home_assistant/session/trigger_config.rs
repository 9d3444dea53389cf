//! What a client says of triggers, read and held to what there is here: states that change, and events of the bus.

use serde_json::value::RawValue;

use crate::dialects::home_assistant::errors::CommandError;
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::session::subscriptions::STATE_CHANGED;
use crate::dialects::home_assistant::wire::schema::{Field, Kind, problems_of_command};
use crate::dialects::home_assistant::wire::{Object, items};
use crate::expressions::{Object as Members, Value};
use crate::model::JsonText;

/// A trigger.
#[derive(Debug)]
pub(super) struct Trigger {
    /// What its client calls it; its place among the others when it is not called anything.
    pub(super) id: Box<str>,
    /// Its place among the others.
    pub(super) place: usize,
    /// What people call it.
    pub(super) alias: Option<Box<str>>,
    /// What fires it.
    pub(super) when: When,
}

/// What fires a trigger.
#[derive(Debug)]
pub(super) enum When {
    /// A state changes.
    State(StateTrigger),
    /// Something is announced.
    Event(EventTrigger),
}

/// A state that changes.
#[derive(Debug)]
pub(super) struct StateTrigger {
    /// Of one of these entities.
    pub(super) entities: Vec<Box<str>>,
    /// It is this attribute in the place of the state.
    pub(super) attribute: Option<Box<str>>,
    /// What it was.
    pub(super) from: Words,
    /// What it is.
    pub(super) to: Words,
}

/// What a state may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Nothing is said of it: not even that it changes.
    Unsaid,
    /// Anything else than before.
    Any,
    /// One of these.
    Some(Vec<Box<str>>),
}

/// Something that is announced.
#[derive(Debug)]
pub(super) struct EventTrigger {
    /// By one of these names.
    pub(super) names: Vec<Box<str>>,
    /// With at least these data.
    pub(super) data: Members,
}

/// The keys of every trigger are among these.
static STATE: &[Field] = &[
    Field::optional("platform", Kind::Str),
    Field::optional("trigger", Kind::Str),
    Field::optional("id", Kind::Str),
    Field::optional("alias", Kind::Str),
    Field::required("entity_id", Kind::EntityIds),
    Field::optional_or_null("from", Kind::Texts),
    Field::optional_or_null("to", Kind::Texts),
    Field::optional("attribute", Kind::Str),
];

static EVENT: &[Field] = &[
    Field::optional("platform", Kind::Str),
    Field::optional("trigger", Kind::Str),
    Field::optional("id", Kind::Str),
    Field::optional("alias", Kind::Str),
    Field::required("event_type", Kind::Texts),
    Field::optional("event_data", Kind::Dict),
];

/// Reads one trigger or a list of them.
pub(super) fn read(given: &RawValue) -> Result<Vec<Trigger>, CommandError> {
    let given = items(given).unwrap_or_else(|| vec![given]);
    if given.len() > limits::TRIGGERS_MAX {
        let most = limits::TRIGGERS_MAX;
        let message = format!("a subscription has at most {most} triggers; make several of it");
        return Err(CommandError::misshapen(message));
    }
    let given = given.into_iter().enumerate();
    given.map(|(place, one)| trigger(place, one)).collect()
}

fn trigger(place: usize, given: &RawValue) -> Result<Trigger, CommandError> {
    let Some(fields) = Object::read(given) else {
        let message =
            "a trigger is an object, such as {\"platform\": \"event\", \"event_type\": \"doors\"}";
        return Err(CommandError::misshapen(message));
    };
    let platform = fields.text("platform").or_else(|| fields.text("trigger"));
    let when = match platform.as_deref() {
        Some("state") => When::State(state(&fields, given)?),
        Some("event") => When::Event(event(&fields, given)?),
        Some(_) | None => {
            let message = "a trigger has the platform state or event; what else there is belongs in the triggers of the building's file";
            return Err(CommandError::misshapen(message));
        }
    };
    Ok(Trigger {
        id: fields
            .text("id")
            .map_or_else(|| place.to_string().into(), |id| Box::from(&*id)),
        place,
        alias: fields.text("alias").map(|alias| Box::from(&*alias)),
        when,
    })
}

fn state(fields: &Object<'_>, whole: &RawValue) -> Result<StateTrigger, CommandError> {
    if fields.get("for").is_some_and(|lasts| lasts.get() != "null") {
        let message = "a trigger with `for` belongs in the triggers of the building's file; leave `for` out here";
        return Err(CommandError::misshapen(message));
    }
    hold_to(STATE, fields, whole)?;
    let ids = fields.texts("entity_id");
    let ids = ids.iter().flat_map(|ids| ids.split(','));
    let words = |name| match fields.get(name) {
        None => Words::Unsaid,
        Some(value) if value.get() == "null" => Words::Any,
        Some(_) => Words::Some(boxed(&fields.texts(name))),
    };
    Ok(StateTrigger {
        entities: ids.map(|id| id.trim().to_lowercase().into()).collect(),
        attribute: fields.text("attribute").map(|name| Box::from(&*name)),
        from: words("from"),
        to: words("to"),
    })
}

fn event(fields: &Object<'_>, whole: &RawValue) -> Result<EventTrigger, CommandError> {
    hold_to(EVENT, fields, whole)?;
    let names = boxed(&fields.texts("event_type"));
    if names.iter().any(|name| **name == *STATE_CHANGED) {
        let message = "for states that change there are triggers of the platform state";
        return Err(CommandError::misshapen(message));
    }
    let data = fields.get("event_data").map(JsonText::from_raw);
    let data = match data.map(|data| Value::of_json(&data)) {
        Some(Value::Object(members)) => (*members).clone(),
        Some(_) | None => Members::new(),
    };
    Ok(EventTrigger { names, data })
}

fn hold_to(schema: &[Field], fields: &Object<'_>, whole: &RawValue) -> Result<(), CommandError> {
    let problems = problems_of_command(schema, fields, whole);
    problems.map_or(Ok(()), |problems| Err(CommandError::misshapen(problems)))
}

fn boxed(texts: &[std::borrow::Cow<'_, str>]) -> Vec<Box<str>> {
    texts.iter().map(|text| Box::from(&**text)).collect()
}

impl Words {
    /// Whether a state may be so.
    pub(super) fn have(&self, state: &str) -> bool {
        match self {
            Self::Unsaid | Self::Any => true,
            Self::Some(words) => words.iter().any(|word| **word == *state),
        }
    }
}
