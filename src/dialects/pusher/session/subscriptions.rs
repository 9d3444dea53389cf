//! The channels that a client is in, and the steps by which it comes in and leaves.
//!
//! A channel has one request open at a time. What the client asks for meanwhile is done after it, so each subscription has its own answer.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::dialects::pusher::channel::Keeping;
use crate::dialects::pusher::errors::ErrorCode;
use crate::dialects::pusher::room::Room;
use crate::dialects::pusher::session::admission::{Entry, Refusal, admit};
use crate::dialects::pusher::session::{Client, Turn, Waiting, shown};
use crate::dialects::pusher::wire::{self, Subscribe};
use crate::dialects::pusher::{Form, frames, limits};
use crate::model::{
    CloseReason, Entered, Failure, FailureKind, Member, ModuleId, Query, Reply, Request, SystemId,
    TopicEntry, TopicId,
};

/// What is said when nothing can be done about channels.
const AWAY: &str = "The channels are not there at the moment; reconnect in a moment";

/// The channels by their names. Boxed, since a page is in one or two and the table has room for four.
#[derive(Debug, Default)]
pub(super) struct Channels(HashMap<Arc<str>, Box<Subscription>>);

/// A channel that the client is in, comes into or leaves.
#[derive(Debug)]
pub(super) struct Subscription {
    topic: TopicId,
    /// What the channel stands for.
    pub(super) room: Option<Room>,
    /// As which user the client is in it, where those in it are told of each other.
    pub(super) user: Option<Arc<str>>,
    /// The module whose log it shows.
    pub(super) log: Option<ModuleId>,
    keeping: Keeping,
    state: State,
    then: Then,
}

/// What the open request of a channel is, if there is one.
#[derive(Debug)]
enum State {
    /// Whether the client may look at the system.
    Checking(Option<Member>),
    /// To let it into the topic.
    Entering,
    /// To let it follow what the channel stands for.
    Following,
    /// None: it is in the channel.
    In,
    /// To let it out.
    Leaving,
}

/// What the client wants when the open request is answered.
#[derive(Debug)]
enum Then {
    /// To be in the channel.
    Stay,
    /// To be out of it.
    Leave,
    /// To be out of it, and come in anew.
    Return(Box<Entry>),
}

impl Channels {
    /// Whether the client is in a channel.
    pub(super) fn is_in(&self, name: &str) -> bool {
        let found = self.0.get(name);
        found.is_some_and(|it| matches!(it.state, State::In))
    }

    /// A channel that the client is in.
    pub(super) fn entered(&self, name: &str) -> Option<(&Arc<str>, &Subscription)> {
        let (name, found) = self.0.get_key_value(name)?;
        matches!(found.state, State::In).then_some((name, &**found))
    }

    /// The same, to be changed.
    pub(super) fn entered_mut(&mut self, name: &str) -> Option<&mut Subscription> {
        let found = self.0.get_mut(name)?;
        matches!(found.state, State::In).then_some(&mut **found)
    }

    /// The channels that show the log of a module.
    pub(super) fn showing(&self, module: &ModuleId) -> impl Iterator<Item = &Arc<str>> {
        let entered = self
            .0
            .iter()
            .filter(|(_, it)| matches!(it.state, State::In));
        let showing = entered.filter(move |(_, it)| it.log.as_ref() == Some(module));
        showing.map(|(name, _)| name)
    }

    /// Whether it is not known yet which log a channel shows.
    pub(super) fn awaits_log(&self) -> bool {
        let mut all = self.0.values();
        all.any(|it| matches!(it.state, State::Following) && matches!(it.room, Some(Room::Log(_))))
    }

    /// All channels that the client is in and that stand for something.
    pub(super) fn rooms(&self) -> impl Iterator<Item = (&Arc<str>, &Room)> {
        let entered = self
            .0
            .iter()
            .filter(|(_, it)| matches!(it.state, State::In));
        entered.filter_map(|(name, it)| Some((name, it.room.as_ref()?)))
    }
}

impl Subscription {
    /// Its topic.
    pub(super) fn topic(&self) -> &TopicId {
        &self.topic
    }

    /// Whether the client wants to be in it.
    fn is_wanted(&self) -> bool {
        match (&self.state, &self.then) {
            (_, Then::Return(_)) => true,
            (_, Then::Leave) => false,
            (State::Leaving, Then::Stay) => false,
            (_, Then::Stay) => true,
        }
    }
}

impl Client {
    /// `pusher:subscribe`.
    pub(super) fn subscribe(&mut self, data: Option<&RawValue>, turn: &mut Turn<'_, '_>) {
        let asked: Subscribe = wire::data(data).unwrap_or_default();
        let Some(name) = &asked.channel else {
            let message = "pusher:subscribe needs data with a text `channel`";
            return turn.refuse(&Refusal::misshapen(message));
        };
        let known = self.channels.0.get(name.as_str());
        if known.is_some_and(|it| it.is_wanted()) {
            let message = format!("Existing subscription to channel {}", shown(name));
            return turn.error(ErrorCode::Refused, &message, Some(name));
        }
        if known.is_none() && self.channels.0.len() >= limits::CHANNELS_MAX {
            let most = limits::CHANNELS_MAX;
            let message = format!("This connection is in {most} channels, as many as it may");
            return turn.refuse(&Refusal::full(name, message));
        }
        let entry = match admit(name, &asked, self.user.as_deref(), turn) {
            Ok(entry) => entry,
            Err(refusal) => return turn.refuse(&refusal),
        };
        match self.channels.0.get_mut(name.as_str()) {
            Some(known) => known.then = Then::Return(Box::new(entry)),
            None => self.come_in(&Arc::from(name.as_str()), entry, turn),
        }
    }

    /// `pusher:unsubscribe`, which has no answer.
    pub(super) fn unsubscribe(&mut self, data: Option<&RawValue>, turn: &mut Turn<'_, '_>) {
        let asked: Subscribe = wire::data(data).unwrap_or_default();
        let Some(name) = asked.channel else {
            let message = "pusher:unsubscribe needs data with a text `channel`";
            return turn.refuse(&Refusal::misshapen(message));
        };
        let known = self.channels.0.get_mut(name.as_str());
        let Some(known) = known.filter(|known| known.is_wanted()) else {
            let name_shown = shown(&name);
            let message = format!(
                "No current subscription to channel {name_shown}, or subscription in progress"
            );
            return turn.error(ErrorCode::Refused, &message, Some(&name));
        };
        known.then = Then::Leave;
        if matches!(known.state, State::In) {
            self.leave(&name, turn);
        }
    }

    /// Begins to come into a channel that the client has nothing to do with.
    fn come_in(&mut self, name: &Arc<str>, entry: Entry, turn: &mut Turn<'_, '_>) {
        let Entry {
            topic,
            room,
            member,
            keeping,
        } = entry;
        let system = room.as_ref().and_then(system_to_check).cloned();
        let user = member.as_ref().map(|member| Arc::clone(&member.user));
        let subscription = Subscription {
            topic,
            room,
            user,
            log: None,
            keeping,
            state: State::Entering,
            then: Then::Stay,
        };
        let kept = self.channels.0.entry(Arc::clone(name));
        let kept = kept.insert_entry(Box::new(subscription)).into_mut();
        match system {
            Some(system) => {
                kept.state = State::Checking(member);
                let request = Request::Query(Query::Modules(system));
                let waiting = Waiting::Channel(Arc::clone(name));
                self.requests.ask(request, Form::Session, waiting, turn.out);
            }
            None => self.enter(name, member, turn),
        }
    }

    /// Asks to be let into the topic.
    fn enter(&mut self, name: &Arc<str>, member: Option<Member>, turn: &mut Turn<'_, '_>) {
        let Some(subscription) = self.channels.0.get_mut(name) else {
            return;
        };
        subscription.state = State::Entering;
        let room = subscription.room.as_ref();
        let entry = TopicEntry {
            topic: subscription.topic.clone(),
            member,
            // What a room keeps is its status.
            wants_last: subscription.keeping == Keeping::Last && room.is_none(),
        };
        // Nothing may be told before the success, which comes only when the room is followed.
        let form = match room.is_some_and(Room::is_followed) {
            true => Form::Session,
            false => Form::Topic,
        };
        let waiting = Waiting::Channel(Arc::clone(name));
        let request = Request::Enter(entry);
        self.requests.ask(request, form, waiting, turn.out);
    }

    /// Takes the answer to the open request of a channel.
    pub(super) fn channel_answered(
        &mut self,
        name: &Arc<str>,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_, '_>,
    ) {
        let Some(subscription) = self.channels.0.get_mut(name) else {
            return;
        };
        match (mem::replace(&mut subscription.state, State::In), reply) {
            (State::Checking(member), Ok(_)) => self.enter(name, member, turn),
            (State::Entering, Ok(Reply::Entered(entered))) => self.entered(name, &entered, turn),
            (State::Following, Ok(reply)) => {
                self.followed(name, reply, turn);
                self.settle(name, turn);
            }
            (State::Checking(_) | State::Entering, Err(failure)) => {
                self.not_entered(name, &failure, turn);
            }
            (State::Following, Err(failure)) => {
                turn.refuse(&Refusal::failed(name, &failure));
                if matches!(subscription.then, Then::Stay) {
                    subscription.then = Then::Leave;
                }
                self.leave(name, turn);
            }
            (State::Leaving, Ok(_)) => self.left(name, turn),
            // It would go on to hear of the channel.
            (State::Leaving, Err(_)) => {
                turn.end(ErrorCode::OverCapacity, AWAY, CloseReason::Internal)
            }
            // The topic has no other answer to an entry.
            (State::Entering | State::In, _) => {}
        }
    }

    /// The client is in the topic.
    fn entered(&mut self, name: &Arc<str>, entered: &Entered, turn: &mut Turn<'_, '_>) {
        let Some(subscription) = self.channels.0.get_mut(name) else {
            return;
        };
        if let Some(room) = subscription.room.clone().filter(Room::is_followed) {
            subscription.state = State::Following;
            self.follow(name, &room, turn);
            return;
        }
        let data = match &subscription.user {
            Some(_) => frames::presence(&entered.members),
            None => "{}".to_owned(),
        };
        turn.text(|out| frames::put_succeeded(name, &data, out));
        match (&entered.last, subscription.keeping, &subscription.room) {
            (Some(last), ..) => turn.text(|out| frames::put_message(name, last, out)),
            (None, Keeping::Last, None) => turn.text(|out| frames::put_cache_miss(name, out)),
            (None, _, _) => {}
        }
        // The others are told by an event, which came before the client was in.
        if turn.app.subscription_counts && subscription.user.is_none() {
            turn.text(|out| frames::put_count(name, entered.connections, out));
        }
        self.settle(name, turn);
    }

    /// The client is in the channel, which it may not want any more.
    fn settle(&mut self, name: &Arc<str>, turn: &mut Turn<'_, '_>) {
        let known = self.channels.0.get(name);
        if known.is_some_and(|known| !matches!(known.then, Then::Stay)) {
            self.leave(name, turn);
        }
    }

    /// The client does not come into the channel.
    fn not_entered(&mut self, name: &Arc<str>, failure: &Failure, turn: &mut Turn<'_, '_>) {
        if failure.kind() == FailureKind::Unavailable {
            // Of what happens to its channels nothing can be told, so the client looks for another node.
            return turn.end(ErrorCode::OverCapacity, AWAY, CloseReason::Internal);
        }
        turn.refuse(&Refusal::failed(name, failure));
        self.left(name, turn);
    }

    /// Lets go of what a channel stands for, and of its topic.
    fn leave(&mut self, name: &str, turn: &mut Turn<'_, '_>) {
        let Some((name, _)) = self.channels.0.get_key_value(name) else {
            return;
        };
        let name = Arc::clone(name);
        let Some(subscription) = self.channels.0.get_mut(&name) else {
            return;
        };
        subscription.state = State::Leaving;
        let request = Request::Leave(subscription.topic.clone());
        if let Some(room) = subscription.room.clone() {
            self.unfollow(&room, turn);
        }
        let waiting = Waiting::Channel(name);
        self.requests.ask(request, Form::Session, waiting, turn.out);
    }

    /// The client is out of a channel, which it may want to come into anew.
    fn left(&mut self, name: &Arc<str>, turn: &mut Turn<'_, '_>) {
        let gone = self.channels.0.remove(name);
        if self.channels.0.is_empty() {
            self.channels = Channels::default();
        }
        if let Some(Then::Return(entry)) = gone.map(|gone| gone.then) {
            self.come_in(name, *entry, turn);
        }
    }
}

/// The system of a room whose entry alone says nothing of the client's rights.
fn system_to_check(room: &Room) -> Option<&SystemId> {
    match room {
        Room::System(_) | Room::People(_) | Room::Control(_) => room.system(),
        Room::Status(_)
        | Room::PublicStatus(_)
        | Room::Module(_)
        | Room::Log(_)
        | Room::Triggers(_)
        | Room::Events => None,
    }
}
