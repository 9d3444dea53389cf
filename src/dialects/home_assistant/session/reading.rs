//! What modules say before a client is told of them: where what is followed does not say it at once, it is read.
//!
//! 1. What is followed tells the present state in its answer, as a rule. Then there is no more to do.
//! 2. A store that many nodes share tells it later, as changes. A client does not take changes of what it does not know,
//!    so these modules are followed no longer, and what they say is read.
//! 3. They are followed again. Whatever was written since then comes as a change.

use std::collections::HashSet;
use std::sync::Arc;

use crate::dialects::Wanted;
use crate::dialects::home_assistant::entities::Difference;
use crate::dialects::home_assistant::session::commands::{Commands, Turn, Waiting};
use crate::model::{Event, Failure, Found, ModulePath, Query, Reply, Request, Subject};

/// A subscription that finds out what its modules say.
#[derive(Debug)]
pub(super) struct Reading {
    /// The command that began the subscription.
    pub(super) id: u64,
    /// What it is for.
    pub(super) purpose: Purpose,
    step: Step,
}

/// What a subscription finds out what modules say for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// It has begun to follow.
    Begin,
    /// It follows what has become of the building. Some entities are new to the client.
    Refresh(Arc<Difference>),
    /// Its template asked for modules.
    Render,
}

/// How far it is.
#[derive(Debug)]
enum Step {
    /// These modules were followed for the first time.
    Followed(Vec<Arc<ModulePath>>),
    /// What did not tell its state is read; the rest told this.
    Read(Vec<Event>),
    /// What was read is followed again; this was told and read.
    FollowedAgain(Vec<Event>),
}

impl Commands {
    /// Follows things for a subscription, and goes on with `purpose` when it is known what they say.
    pub(super) fn follow_and_read(
        &mut self,
        id: u64,
        follows: Vec<Wanted>,
        purpose: Purpose,
        turn: &mut Turn<'_>,
    ) {
        let mut places: Vec<Arc<ModulePath>> = Vec::new();
        for follow in &follows {
            // A module with several windows stands in a row.
            if let Subject::Module(place) = &follow.subject
                && places.last() != Some(place)
            {
                places.push(Arc::clone(place));
            }
        }
        let step = Step::Followed(places);
        let reading = Reading { id, purpose, step };
        self.follow(id, follows, Waiting::Reading(Box::new(reading)), turn);
    }

    /// One step is done.
    pub(super) fn read_on(
        &mut self,
        reading: Reading,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        let Reading { id, purpose, step } = reading;
        let reply = match reply {
            Ok(reply) => events_of(reply),
            Err(failure) => return self.have_read(id, purpose, Err(failure), turn),
        };
        match step {
            Step::Followed(places) => {
                let sight = self.sight();
                let mut untold = untold(places, &reply);
                untold.retain(|place| sight.may_have_module(place));
                if untold.is_empty() {
                    return self.have_read(id, purpose, Ok(reply), turn);
                }
                let ended = self.follows_at(id, &untold, turn);
                self.unfollow(ended, turn);
                let step = Step::Read(reply);
                let reading = Waiting::Reading(Box::new(Reading { id, purpose, step }));
                self.ask(Request::Query(Query::Snapshot(untold)), reading, turn);
            }
            Step::Read(mut told) => {
                let places = places_of(&reply);
                told.extend(reply);
                let again = self.follows_at(id, &places, turn);
                if again.is_empty() {
                    return self.have_read(id, purpose, Ok(told), turn);
                }
                let step = Step::FollowedAgain(told);
                let reading = Reading { id, purpose, step };
                self.follow(id, again, Waiting::Reading(Box::new(reading)), turn);
            }
            Step::FollowedAgain(mut told) => {
                told.extend(reply);
                self.have_read(id, purpose, Ok(told), turn);
            }
        }
    }

    fn have_read(
        &mut self,
        id: u64,
        purpose: Purpose,
        events: Result<Vec<Event>, Failure>,
        turn: &mut Turn<'_>,
    ) {
        match purpose {
            Purpose::Begin => self.subscribed(id, events, turn),
            Purpose::Refresh(difference) => self.refreshed(id, &difference, events, turn),
            Purpose::Render => self.rendered(id, events, turn),
        }
    }

    /// What a subscription follows of the modules at these places, as the building is now.
    fn follows_at(&self, id: u64, places: &[Arc<ModulePath>], turn: &Turn<'_>) -> Vec<Wanted> {
        let view = &turn.ambient.surroundings.home_assistant;
        let Some(subscription) = self.subscription(id) else {
            return Vec::new();
        };
        let modules = places.iter().filter_map(|place| view.module(place));
        let follows =
            modules.flat_map(|module| subscription.about.follows_of(subscription.number, module));
        follows.collect()
    }
}

/// What is there of what was followed or asked for. This dialect gets no other success from either.
pub(super) fn events_of(reply: Reply) -> Vec<Event> {
    match reply {
        Reply::Following { snapshot: events } | Reply::Found(Found::Snapshot(events)) => events,
        Reply::Found(
            Found::Systems(_)
            | Found::Modules(_)
            | Found::Statuses(_)
            | Found::Functions(_)
            | Found::Procedures(_),
        )
        | Reply::Unfollowed
        | Reply::Result { .. }
        | Reply::Entered(_)
        | Reply::Left
        | Reply::Published
        | Reply::Tokens(_)
        | Reply::Messages(_)
        | Reply::Debugging(_)
        | Reply::Ignored => Vec::new(),
    }
}

/// The places of which nothing was told.
fn untold(places: Vec<Arc<ModulePath>>, events: &[Event]) -> Vec<Arc<ModulePath>> {
    let told: HashSet<&ModulePath> = events.iter().filter_map(place_of).collect();
    let untold = places.into_iter();
    untold.filter(|place| !told.contains(&**place)).collect()
}

/// The places that events are about. Those of one module stand together.
fn places_of(events: &[Event]) -> Vec<Arc<ModulePath>> {
    let mut places: Vec<&ModulePath> = events.iter().filter_map(place_of).collect();
    places.dedup();
    places
        .into_iter()
        .map(|place| Arc::new(place.clone()))
        .collect()
}

/// The module that an event is about.
pub(super) fn place_of(event: &Event) -> Option<&ModulePath> {
    match event {
        Event::Value { path, .. } => Some(&path.module),
        Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => None,
    }
}
