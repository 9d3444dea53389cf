//! States: asking for them once, and subscribing to them.
//!
//! Who asks once follows nothing: the modules behind the entities are read at one moment. Who subscribes follows them, and is told what they say first.
//! Who is not allowed to follow a module gets nothing of it; every other module says at least whether it is connected.

use std::collections::HashSet;
use std::sync::Arc;

use crate::dialects::home_assistant::entities::{
    Context, Difference, Entity, ModuleEntities, Snapshot, View,
};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn, Waiting};
use crate::dialects::home_assistant::session::custom;
use crate::dialects::home_assistant::session::events::Happening;
use crate::dialects::home_assistant::session::filter::{self, EntityFilter};
use crate::dialects::home_assistant::session::reading::{events_of, place_of};
use crate::dialects::home_assistant::session::subscriptions::{
    EventNames, STATE_CHANGED, Subscribed,
};
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::wire::frames::{put_comma, put_json};
use crate::model::{Event, Failure, ModulePath, Query, Reply, Request, Timestamp};

/// A question for states that is not answered yet.
#[derive(Debug)]
pub(super) struct StatesAsked {
    /// The command.
    id: u64,
    /// Which are asked for.
    wanted: Subscribed,
}

/// Subscribes to entities.
pub(super) fn subscribe(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let filter = EntityFilter::read(&command.fields)?;
    commands.subscribe_and_follow(command.id, Subscribed::Entities(filter), turn)
}

/// Asks for states once.
pub(super) fn states(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let ids = filter::ids(&command.fields, "entity_ids");
    let domains = filter::words(command.fields.texts("domains"));
    let filter = EntityFilter::of(ids, domains);
    let modules = turn.ambient.surroundings.home_assistant.modules().iter();
    let has_some = |module: &&Arc<ModuleEntities>| {
        let mut entities = module.entities.iter();
        entities.any(|entity| filter.passes(&entity.id))
    };
    let places = modules.filter(has_some);
    let places = places.map(|module| Arc::clone(&module.path)).collect();
    let asked = StatesAsked {
        id: command.id,
        wanted: Subscribed::Entities(filter),
    };
    let then = Waiting::States(Box::new(asked));
    commands.ask(Request::Query(Query::Snapshot(places)), then, turn);
    Ok(())
}

impl Commands {
    /// The states that were asked for are there.
    pub(super) fn states_found(
        asked: &StatesAsked,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        let view = &turn.ambient.surroundings.home_assistant;
        match reply {
            Ok(reply) => {
                let events = events_of(reply);
                let selected = Selected::new(&asked.wanted, view, &events);
                turn.frames
                    .result(asked.id, |out| selected.write_states(out));
            }
            Err(failure) => turn.frames.error(&asked.id.to_string(), &failure.into()),
        }
    }

    /// A subscription has begun to follow what it is about, or cannot.
    pub(super) fn subscribed(
        &mut self,
        id: u64,
        events: Result<Vec<Event>, Failure>,
        turn: &mut Turn<'_>,
    ) {
        let events = match events {
            Ok(events) => events,
            Err(failure) => {
                self.forget(id);
                turn.frames.error(&id.to_string(), &failure.into());
                return;
            }
        };
        turn.frames.done(id);
        self.triggers_learn(id, &events);
        let Some(subscription) = self.subscription(id) else {
            return;
        };
        match &subscription.about {
            Subscribed::Entities(_) => {
                let view = &turn.ambient.surroundings.home_assistant;
                let selected = Selected::new(&subscription.about, view, &events);
                turn.frames.event(id, |out| selected.write_added(out));
            }
            Subscribed::Status(_) => {
                for event in &events {
                    custom::tell_value(id, event, turn);
                }
            }
            Subscribed::Events(_)
            | Subscribed::Nothing
            | Subscribed::Template(_)
            | Subscribed::Triggers(_) => {}
        }
    }

    /// A subscription follows what has become of the building. Entities that its client does not know are told whole.
    pub(super) fn refreshed(
        &mut self,
        id: u64,
        difference: &Difference,
        events: Result<Vec<Event>, Failure>,
        turn: &mut Turn<'_>,
    ) {
        if self.template(id).is_some() {
            self.rendered(id, events, turn);
            return;
        }
        // What cannot be followed at the moment is told when it is subscribed to again.
        let Ok(events) = events else {
            return;
        };
        self.triggers_learn(id, &events);
        let Some(subscription) = self.subscription(id) else {
            return;
        };
        let view = &turn.ambient.surroundings.home_assistant;
        let selected = Selected::new(&subscription.about, view, &events);
        match &subscription.about {
            Subscribed::Nothing
            | Subscribed::Status(_)
            | Subscribed::Template(_)
            | Subscribed::Triggers(_) => {}
            Subscribed::Entities(_) if selected.is_empty() => {}
            Subscribed::Entities(_) => turn.frames.event(id, |out| selected.write_added(out)),
            Subscribed::Events(names) => {
                let added = difference.entities_added.iter();
                let added: HashSet<&str> = added.map(|entity| &*entity.id).collect();
                let at = Timestamp::from_secs((turn.ambient.clock)());
                for (entity, state) in selected.states() {
                    if !added.contains(&*entity.id) || !names.have(STATE_CHANGED) {
                        continue;
                    }
                    let data = change_of_state(&entity.id, "null", &state);
                    let act = (turn.ambient.draw)();
                    let happening = Happening {
                        name: STATE_CHANGED,
                        data: &data,
                        at,
                        context: Context {
                            id: act,
                            user: None,
                        },
                    };
                    turn.frames.event(id, |out| happening.write(out));
                }
            }
        }
    }
}

/// The data of an event about an entity that is new or gone.
pub(super) fn change_of_state(id: &str, old: &str, new: &str) -> String {
    let id = serde_json::Value::from(id);
    format!(r#"{{"entity_id":{id},"old_state":{old},"new_state":{new}}}"#)
}

/// The entities of a snapshot that a subscription is about.
struct Selected<'s> {
    entities: Vec<&'s Entity>,
    snapshot: Snapshot<'s>,
}

impl<'s> Selected<'s> {
    fn new(about: &Subscribed, view: &'s View, events: &'s [Event]) -> Self {
        let told: HashSet<&ModulePath> = events.iter().filter_map(place_of).collect();
        let modules = view
            .modules()
            .iter()
            .filter(|module| told.contains(&*module.path));
        let entities = modules.flat_map(|module| &module.entities);
        let wanted = |entity: &&Entity| match about {
            Subscribed::Nothing
            | Subscribed::Status(_)
            | Subscribed::Template(_)
            | Subscribed::Triggers(_) => false,
            Subscribed::Entities(filter) => filter.passes(&entity.id),
            Subscribed::Events(EventNames::All | EventNames::Named(_)) => true,
        };
        Self {
            entities: entities.map(|entity| &**entity).filter(wanted).collect(),
            snapshot: Snapshot::new(events),
        }
    }

    fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// All of them as clients add them to what they know.
    fn write_added(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"a\":{");
        for (number, entity) in self.entities.iter().enumerate() {
            put_comma(number, out);
            put_json(&*entity.id, out);
            out.push(b':');
            entity.write_compressed(&self.snapshot.known(&entity.path), out);
        }
        out.extend_from_slice(b"}}");
    }

    /// All of them as a list.
    fn write_states(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (number, entity) in self.entities.iter().enumerate() {
            put_comma(number, out);
            entity.write_state(&self.snapshot.known(&entity.path), out);
        }
        out.push(b']');
    }

    /// Each with its state.
    fn states(&self) -> impl Iterator<Item = (&Entity, String)> {
        self.entities.iter().map(|entity| {
            let mut state = Vec::new();
            entity.write_state(&self.snapshot.known(&entity.path), &mut state);
            (*entity, String::from_utf8(state).expect("a state is JSON"))
        })
    }
}
