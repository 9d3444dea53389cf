//! Triggers that a client subscribes to: it is told each time that one fires, and what fired it.
//!
//! They run as long as their connection. What is to run without one belongs in the building's file.

use std::sync::Arc;

use serde_json::json;

use crate::dialects::home_assistant::entities::{
    Context, Entity, Known, ModuleEntities, View, write_bus_event,
};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn};
use crate::dialects::home_assistant::session::subscriptions::Subscribed;
use crate::dialects::home_assistant::session::trigger_config::{
    self, EventTrigger, StateTrigger, Trigger, When, Words,
};
use crate::dialects::home_assistant::session::watched::Watched;
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::wire::frames::put_json;
use crate::expressions::Value;
use crate::model::{BusEvent, Cause, Event, JsonText, Newest};

/// Triggers that a client has subscribed to.
#[derive(Debug)]
pub(super) struct Triggers {
    list: Vec<Trigger>,
    watched: Watched,
    /// How many bytes the client wrote.
    size: usize,
}

/// Subscribes to one trigger or several.
pub(super) fn subscribe(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let given = command.fields.get("trigger");
    let list = given.map_or(Ok(Vec::new()), trigger_config::read)?;
    let triggers = Triggers {
        list,
        watched: Watched::default(),
        size: given.map_or(0, |given| given.get().len()),
    };
    let about = Subscribed::Triggers(Box::new(triggers));
    commands.subscribe_and_follow(command.id, about, turn)
}

impl Triggers {
    /// How many bytes of what the client wrote are kept.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether one of them waits for a state of this module.
    pub(super) fn watch(&self, module: &ModuleEntities) -> bool {
        let mut entities = module.entities.iter();
        entities.any(|entity| self.states().any(|(_, state)| state.has(&entity.id)))
    }

    /// Whether one of them waits for what is announced.
    pub(super) fn wait_for_events(&self) -> bool {
        self.list.iter().any(|trigger| match trigger.when {
            When::Event(_) => true,
            When::State(_) => false,
        })
    }

    /// Takes what a module says, as something that is known and that fires nothing.
    pub(super) fn learn(&mut self, event: &Event) {
        if let Event::Value { path, .. } = event
            && !self.watched.has(&path.module)
        {
            self.watched.begin(&Arc::new(path.module.clone()));
        }
        self.watched.take(event);
    }

    /// What an event fires: each firing as its client is told it.
    pub(super) fn fired(&mut self, event: &Event, view: &View) -> Vec<Vec<u8>> {
        let fired = match event {
            Event::Bus(event) => self.fired_by_event(event),
            Event::Value { .. } => self.fired_by_state(event, view),
            Event::Entry { .. }
            | Event::Line(_)
            | Event::Call(_)
            | Event::Topic(_)
            | Event::Message(_) => Vec::new(),
        };
        self.learn(event);
        fired
    }

    /// Forgets what is in the building no longer.
    pub(super) fn look_around(&mut self, view: &View) {
        self.watched.keep_those_of(view);
    }

    fn states(&self) -> impl Iterator<Item = (&Trigger, &StateTrigger)> {
        self.list.iter().filter_map(|trigger| match &trigger.when {
            When::State(state) => Some((trigger, state)),
            When::Event(_) => None,
        })
    }

    fn fired_by_event(&self, event: &BusEvent) -> Vec<Vec<u8>> {
        let fires = |trigger: &&Trigger| match &trigger.when {
            When::Event(wanted) => wanted.has(event),
            When::State(_) => false,
        };
        let firing = self.list.iter().filter(fires).map(|trigger| {
            let mut out = Vec::new();
            trigger.begin("event", &mut out);
            out.extend_from_slice(b",\"event\":");
            write_bus_event(event, &mut out);
            let description = format!("event '{}'", event.name);
            end(&description, &Context::of_act(&event.act), &mut out);
            out
        });
        firing.collect()
    }

    fn fired_by_state(&self, event: &Event, view: &View) -> Vec<Vec<u8>> {
        let Event::Value { path, .. } = event else {
            return Vec::new();
        };
        let (Some(module), Some(newest)) =
            (view.module(&path.module), self.watched.newest(&path.module))
        else {
            return Vec::new();
        };
        let (before, after) = (Known::before(newest, event), Known::with(newest, event));
        let touched = |entity: &&Arc<Entity>| entity.is_made_of(&path.status);
        if is_repeated(event, newest) {
            return Vec::new();
        }
        let mut firings = Vec::new();
        for entity in module.entities.iter().filter(touched) {
            for (trigger, state) in self.states() {
                if state.has(&entity.id) && state.fires(entity, &before, &after) {
                    firings.push(trigger.firing(state, entity, [&before, &after], event));
                }
            }
        }
        firings
    }
}

/// Whether an event says what is known already, since it was read again and has not happened.
fn is_repeated(event: &Event, newest: &Newest) -> bool {
    let Event::Value {
        path,
        value,
        cause: Cause::Store,
        ..
    } = event
    else {
        return false;
    };
    let known = Known::of_newest(newest).fact(&path.status);
    known.is_some_and(|known| known.value == value.as_ref())
}

impl Trigger {
    /// A firing as far as all have it, without its end.
    fn begin(&self, platform: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"variables\":{\"trigger\":");
        let place = self.place.to_string();
        let head = json!({"id": self.id, "idx": place, "alias": self.alias, "platform": platform});
        put_json(&head, out);
        out.pop();
    }

    fn firing(
        &self,
        state: &StateTrigger,
        entity: &Entity,
        [before, after]: [&Known<'_>; 2],
        event: &Event,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        self.begin("state", &mut out);
        out.extend_from_slice(b",\"entity_id\":");
        put_json(&*entity.id, &mut out);
        out.extend_from_slice(b",\"from_state\":");
        entity.write_state(before, &mut out);
        out.extend_from_slice(b",\"to_state\":");
        entity.write_state(after, &mut out);
        out.extend_from_slice(b",\"for\":null,\"attribute\":");
        put_json(&state.attribute, &mut out);
        let description = format!("state of {}", entity.id);
        end(&description, &context(event), &mut out);
        out
    }
}

/// The rest of a firing.
fn end(description: &str, context: &Context<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"description\":");
    put_json(description, out);
    out.extend_from_slice(b"}},\"context\":");
    context.write(out);
    out.push(b'}');
}

/// In the course of what a status changed.
fn context(event: &Event) -> Context<'_> {
    match event {
        Event::Value {
            cause: Cause::Act(act),
            ..
        } => Context::of_act(act),
        Event::Value { at, .. } => Context::made(*at),
        Event::Bus(event) => Context::of_act(&event.act),
        Event::Entry { .. }
        | Event::Line(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => Context { id: 0, user: None },
    }
}

impl StateTrigger {
    fn has(&self, entity: &str) -> bool {
        self.entities.iter().any(|id| **id == *entity)
    }

    /// Whether a change of an entity fires it.
    fn fires(&self, entity: &Entity, before: &Known<'_>, after: &Known<'_>) -> bool {
        let [old, new] = match &self.attribute {
            None => [before, after].map(|known| Some(value_of(entity.state(known).json()))),
            Some(name) => [before, after].map(|known| attributes(entity, known).remove(name)),
        };
        if old == new {
            let is_unsaid = self.from == Words::Unsaid && self.to == Words::Unsaid;
            // Where nothing is said of the state, attributes count too.
            let counts = is_unsaid && self.attribute.is_none();
            return counts && attributes(entity, before) != attributes(entity, after);
        }
        self.from.have(&words_of(old)) && self.to.have(&words_of(new))
    }
}

/// The attributes of an entity.
fn attributes(entity: &Entity, known: &Known<'_>) -> std::collections::HashMap<Box<str>, Value> {
    let mut json = Vec::new();
    entity.write_attributes(known, &mut json);
    let json = String::from_utf8(json).expect("attributes are JSON");
    match value_of(&json) {
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| (Box::from(&**name), value.clone()))
                .collect()
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Json(_) => std::collections::HashMap::new(),
    }
}

/// A value of JSON that this dialect has written.
fn value_of(json: &str) -> Value {
    JsonText::parse(json).map_or(Value::Null, |json| Value::of_json(&json))
}

/// A value as a client names it.
fn words_of(value: Option<Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Text(text)) => text.to_string(),
        Some(other) => other.to_json().as_str().to_owned(),
    }
}

impl EventTrigger {
    /// Whether an event is one of those that it waits for.
    fn has(&self, event: &BusEvent) -> bool {
        if !self.names.iter().any(|name| **name == *event.name) {
            return false;
        }
        if self.data.is_empty() {
            return true;
        }
        match Value::of_json(&event.data) {
            Value::Object(members) => {
                let mut wanted = self.data.iter();
                wanted.all(|(name, value)| members.get(name) == Some(value))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Json(_) => false,
        }
    }
}

impl Commands {
    /// Something happens that triggers wait for.
    pub(super) fn triggers_heard(&mut self, id: u64, event: &Event, turn: &mut Turn<'_>) {
        let view = &turn.ambient.surroundings.home_assistant;
        let Some(triggers) = self.triggers(id) else {
            return;
        };
        for firing in triggers.fired(event, view) {
            turn.frames.event(id, |out| out.extend_from_slice(&firing));
        }
    }

    /// What modules say that triggers wait for is known.
    pub(super) fn triggers_learn(&mut self, id: u64, events: &[Event]) {
        if let Some(triggers) = self.triggers(id) {
            for event in events {
                triggers.learn(event);
            }
        }
    }

    /// The building has changed.
    pub(super) fn triggers_look_around(&mut self, view: &View) {
        for subscription in &mut self.subscriptions {
            if let Subscribed::Triggers(triggers) = &mut subscription.about {
                triggers.look_around(view);
            }
        }
    }
}
