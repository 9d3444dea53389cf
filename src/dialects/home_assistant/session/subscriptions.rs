//! What a client has subscribed to, and what the connection follows for it.
//!
//! What is followed is not remembered: it follows from the subscription and from the building around the connection,
//! and each change of the building is taken in before anything else happens.

use std::sync::Arc;

use crate::dialects::home_assistant::entities::{ModuleEntities, View};
use crate::dialects::home_assistant::errors::{CommandError, ErrorCode};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn, Waiting};
use crate::dialects::home_assistant::session::filter::EntityFilter;
use crate::dialects::home_assistant::session::reading::Purpose;
use crate::dialects::home_assistant::session::template::Rendering;
use crate::dialects::home_assistant::session::trigger::Triggers;
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::{Form, limits};
use crate::dialects::{Form as AnyForm, Wanted};
use crate::model::{BindingPath, FollowId, ModulePath, Request, Subject};

/// How many bits of a [`FollowId`] say which window it is; those above them say which subscription.
const WINDOW_BITS: u32 = 8;

/// Something that a client has subscribed to.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The id of the command that began it, which its events carry.
    pub(super) id: u64,
    /// Tells what it follows from what other subscriptions of the connection follow.
    pub(super) number: Number,
    /// What it is about.
    pub(super) about: Subscribed,
}

/// Which subscription of a connection, for the ids of what it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(u32);

/// What a subscription is about.
#[derive(Debug)]
pub(super) enum Subscribed {
    /// Something that never happens.
    Nothing,
    /// These entities.
    Entities(EntityFilter),
    /// Events.
    Events(EventNames),
    /// The values of one status.
    Status(Arc<BindingPath>),
    /// What a template says.
    Template(Box<Rendering>),
    /// What triggers fire.
    Triggers(Box<Triggers>),
}

/// Which events.
#[derive(Debug)]
pub(super) enum EventNames {
    /// All.
    All,
    /// Those of this name.
    Named(Box<str>),
}

/// The name of the event of a changed state.
pub(super) const STATE_CHANGED: &str = "state_changed";

impl EventNames {
    /// Whether events of this name are among them.
    pub(super) fn have(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(named) => **named == *name,
        }
    }
}

impl Number {
    /// Whose follow this is.
    pub(super) fn of(follow: FollowId) -> Self {
        Self(follow.0 >> WINDOW_BITS)
    }

    /// The follow of a module whose events the session takes itself.
    pub(super) fn watch(self, place: &Arc<ModulePath>) -> Wanted {
        Wanted {
            id: self.only_follow(),
            subject: Subject::Module(Arc::clone(place)),
            form: AnyForm::HomeAssistant(Form::Session),
        }
    }

    /// The id of what is followed where nothing is told apart by windows.
    pub(super) fn only_follow(self) -> FollowId {
        self.follow(0)
    }

    /// The id of the follow of a window.
    fn follow(self, window: u8) -> FollowId {
        FollowId(self.0 << WINDOW_BITS | u32::from(window))
    }
}

impl Subscribed {
    /// How many bytes of what the client wrote are kept.
    fn size(&self) -> usize {
        match self {
            Self::Nothing | Self::Status(_) | Self::Events(EventNames::All) => 0,
            Self::Entities(filter) => filter.size(),
            Self::Template(rendering) => rendering.size(),
            Self::Triggers(triggers) => triggers.size(),
            Self::Events(EventNames::Named(name)) => name.len(),
        }
    }

    /// All that a subscription follows in a building.
    pub(super) fn follows(&self, number: Number, view: &View) -> Vec<Wanted> {
        let modules = view.modules().iter();
        let mut follows: Vec<Wanted> = modules
            .flat_map(|module| self.follows_of(number, module))
            .collect();
        follows.extend(self.other_follow(number));
        follows
    }

    /// What it follows of one module.
    pub(super) fn follows_of(&self, number: Number, module: &ModuleEntities) -> Vec<Wanted> {
        let of_windows = |form: fn(u8) -> Form| module.windows().map(form).collect();
        let forms: Vec<Form> = match self {
            Self::Nothing | Self::Status(_) => Vec::new(),
            Self::Template(rendering) if rendering.watches(&module.path) => vec![Form::Session],
            Self::Triggers(triggers) if triggers.watch(module) => vec![Form::Session],
            Self::Template(_) | Self::Triggers(_) => Vec::new(),
            Self::Entities(EntityFilter::All) => of_windows(|window| Form::Entities {
                window,
                mask: u64::MAX,
            }),
            Self::Entities(filter @ EntityFilter::Some(_)) => {
                let masks = module.masks(|entity| filter.passes(&entity.id)).into_iter();
                masks
                    .map(|(window, mask)| Form::Entities { window, mask })
                    .collect()
            }
            Self::Events(names) if names.have(STATE_CHANGED) => {
                of_windows(|window| Form::StateChanged {
                    window,
                    mask: u64::MAX,
                })
            }
            Self::Events(_) => Vec::new(),
        };
        let follows = forms.into_iter().map(|form| Wanted {
            id: number.follow(window_of(form)),
            subject: Subject::Module(Arc::clone(&module.path)),
            form: AnyForm::HomeAssistant(form),
        });
        follows.collect()
    }

    /// What it follows beside modules: what is announced by name, which the session itself tells apart, or one status.
    fn other_follow(&self, number: Number) -> Option<Wanted> {
        let (subject, form) = match self {
            Self::Nothing | Self::Entities(_) | Self::Template(_) => return None,
            Self::Events(EventNames::All) => (Subject::Bus, Form::Bus),
            Self::Events(EventNames::Named(name)) if **name == *STATE_CHANGED => return None,
            Self::Events(EventNames::Named(_)) => (Subject::Bus, Form::Session),
            Self::Triggers(triggers) if triggers.wait_for_events() => (Subject::Bus, Form::Session),
            Self::Triggers(_) => return None,
            Self::Status(path) => (Subject::Status(Arc::clone(path)), Form::Session),
        };
        Some(Wanted {
            id: number.only_follow(),
            subject,
            form: AnyForm::HomeAssistant(form),
        })
    }
}

impl Commands {
    /// Adds a subscription, which has not begun to follow anything.
    pub(super) fn subscribe(&mut self, id: u64, about: Subscribed) -> Result<(), CommandError> {
        if self.subscriptions.len() == limits::SUBSCRIPTIONS_MAX {
            return Err(CommandError::new(
                ErrorCode::HomeAssistantError,
                format!(
                    "this connection has {} subscriptions, as many as it may",
                    limits::SUBSCRIPTIONS_MAX
                ),
            ));
        }
        let kept = self.subscriptions.iter().map(|it| it.about.size());
        if kept.sum::<usize>() + about.size() > limits::FILTERS_MAX_BYTES {
            return Err(CommandError::new(
                ErrorCode::HomeAssistantError,
                "the filters of this connection name more than they may; subscribe to fewer entities, or to all",
            ));
        }
        let number = self.number();
        self.subscriptions.push(Subscription { id, number, about });
        Ok(())
    }

    /// Adds a subscription and lets it follow what it is about.
    pub(super) fn subscribe_and_follow(
        &mut self,
        id: u64,
        about: Subscribed,
        turn: &mut Turn<'_>,
    ) -> Taken {
        self.subscribe(id, about)?;
        let view = &turn.ambient.surroundings.home_assistant;
        let subscription = self.subscriptions.last().expect("it was added above");
        let follows = subscription.about.follows(subscription.number, view);
        self.follow_and_read(id, follows, Purpose::Begin, turn);
        Ok(())
    }

    /// The subscription that a command began.
    pub(super) fn subscription(&self, id: u64) -> Option<&Subscription> {
        let at = self.place_of(id)?;
        self.subscriptions.get(at)
    }

    /// The template that a command began, and its number.
    pub(super) fn template(&mut self, id: u64) -> Option<(Number, &mut Rendering)> {
        let at = self.place_of(id)?;
        let subscription = self.subscriptions.get_mut(at)?;
        match &mut subscription.about {
            Subscribed::Template(rendering) => Some((subscription.number, rendering)),
            Subscribed::Nothing
            | Subscribed::Entities(_)
            | Subscribed::Events(_)
            | Subscribed::Status(_)
            | Subscribed::Triggers(_) => None,
        }
    }

    /// The triggers that a command began.
    pub(super) fn triggers(&mut self, id: u64) -> Option<&mut Triggers> {
        let at = self.place_of(id)?;
        match &mut self.subscriptions.get_mut(at)?.about {
            Subscribed::Triggers(triggers) => Some(triggers),
            Subscribed::Nothing
            | Subscribed::Entities(_)
            | Subscribed::Events(_)
            | Subscribed::Status(_)
            | Subscribed::Template(_) => None,
        }
    }

    /// Forgets a subscription.
    pub(super) fn forget(&mut self, id: u64) -> Option<Subscription> {
        let at = self.place_of(id)?;
        let forgotten = self.subscriptions.remove(at);
        if self.subscriptions.is_empty() {
            self.subscriptions = Vec::new();
        }
        Some(forgotten)
    }

    /// Ids grow, so the list is sorted.
    fn place_of(&self, id: u64) -> Option<usize> {
        let found = self
            .subscriptions
            .binary_search_by_key(&id, |subscription| subscription.id);
        found.ok()
    }

    /// A number that no subscription has.
    pub(super) fn number(&mut self) -> Number {
        loop {
            let number = Number(self.next_number);
            self.next_number = (self.next_number + 1) & (u32::MAX >> WINDOW_BITS);
            let is_free = |subscription: &Subscription| subscription.number != number;
            if self.subscriptions.iter().all(is_free) {
                return number;
            }
        }
    }

    /// Follows these things no longer.
    pub(super) fn unfollow(&mut self, follows: Vec<Wanted>, turn: &mut Turn<'_>) {
        for Wanted { id, subject, .. } in follows {
            self.tell(Request::Unfollow { id, subject }, turn);
        }
    }
}

/// Which window of a module's entities a form is for.
fn window_of(form: Form) -> u8 {
    match form {
        Form::Entities { window, .. } | Form::StateChanged { window, .. } => window,
        Form::Bus | Form::Session => 0,
    }
}

/// Ends a subscription of any kind.
///
/// Its answer comes behind all that is no longer followed, so that no event of it comes after the answer.
pub(super) fn unsubscribe(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let given = command.fields.get("subscription").map(|value| value.get());
    let given = given.map(|value| value.trim_matches('"').trim());
    let id = given.and_then(|text| text.parse().ok());
    let ended = id.and_then(|id| commands.forget(id));
    let ended = ended.ok_or_else(CommandError::subscription_not_found)?;
    let view = &turn.ambient.surroundings.home_assistant;
    let mut follows = ended.about.follows(ended.number, view);
    match follows.pop() {
        None => turn.frames.done(command.id),
        Some(Wanted { id, subject, .. }) => {
            commands.unfollow(follows, turn);
            let last = Request::Unfollow { id, subject };
            commands.ask(last, Waiting::Unsubscribed(command.id), turn);
        }
    }
    Ok(())
}
