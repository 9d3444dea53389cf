//! The phase of commands: in which order a command is judged, and how its answers find their way back to it.
//!
//! 1. A message that is not JSON ends the connection.
//! 2. The id has to be a whole number above the one before, and the type has to be known. A command that fails here leaves its id free.
//! 3. The fields are held to the command's schema, and only then the client's rights to the command. From here on its id is used up.
//! 4. The command answers at once, or leaves an open request or a subscription behind.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::dialects::home_assistant::Form;
use crate::dialects::home_assistant::errors::CommandError;
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::session::catalogue::{self, Access};
use crate::dialects::home_assistant::session::custom;
use crate::dialects::home_assistant::session::entities::StatesAsked;
use crate::dialects::home_assistant::session::events::happened;
use crate::dialects::home_assistant::session::reach::{Question, Reach};
use crate::dialects::home_assistant::session::reading::{Reading, events_of};
use crate::dialects::home_assistant::session::services::OpenCall;
use crate::dialects::home_assistant::session::subscriptions::{Number, Subscribed, Subscription};
use crate::dialects::home_assistant::session::tokens::TokensAsked;
use crate::dialects::home_assistant::wire::frames::{Coalescing, Frames};
use crate::dialects::home_assistant::wire::schema::problems_of_command;
use crate::dialects::home_assistant::wire::{self, Envelope, Message};
use crate::dialects::{
    Alarm, Ambient, Form as AnyForm, Incoming, Out, Splice, Step, Surroundings, Wanted,
};
use crate::model::{
    Clearance, CustomCommand, Event, Failure, FollowId, Query, Reply, Request, Ticket, User,
};

/// A message is no command at all, and the connection has to end.
#[derive(Debug)]
pub(super) struct NotACommand;

/// Whether a command was taken; the error is its answer.
pub(super) type Taken = Result<(), CommandError>;

/// The state of a client that gives commands.
#[derive(Debug)]
pub(super) struct Commands {
    /// Who it is.
    pub(super) client: Client,
    /// Whether several frames may leave in one message.
    pub(super) coalescing: Coalescing,
    /// The largest id that was used.
    last_id: u64,
    /// Grows with every request, so that a late second answer meets no other request.
    next_ticket: u32,
    /// The requests that are not answered yet. Most are answered before the next command comes: a list is enough.
    open: Vec<(Ticket, Waiting)>,
    /// The calls of services that are not answered yet: each may wait for several modules.
    pub(super) calls: Vec<OpenCall>,
    /// In the order of their ids, since these grow.
    pub(super) subscriptions: Vec<Subscription>,
    /// Grows with every subscription, for the ids of what it follows.
    pub(super) next_number: u32,
}

/// Who the client is.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) user: Box<str>,
    pub(super) name: Box<str>,
    /// The clearance of the credentials, which can be lower than the user's; looked at anew with each message.
    pub(super) level: Clearance,
    /// The systems that it may reach, as far as that is known.
    pub(super) reach: Reach,
}

impl Client {
    pub(super) fn is_admin(&self) -> bool {
        self.level == Clearance::Admin
    }
}

/// What an answer is for.
#[derive(Debug)]
pub(super) enum Waiting {
    /// A subscription to one status has begun to follow it.
    Subscribed(u64),
    /// A subscription finds out what its modules say.
    Reading(Box<Reading>),
    /// A subscription has ended.
    Unsubscribed(u64),
    /// States were looked up.
    States(Box<StatesAsked>),
    /// The systems that the client may reach were looked up, for themselves or for a question about what is in them.
    Reach(Option<Box<Question>>),
    /// Something was announced on the bus, as this act.
    Fired(u64, u128),
    /// A service call depends on what modules say, and that was looked up.
    Looked(Box<OpenCall>),
    /// A module was called for the service call of this command, as the one at this place among its modules.
    Called(u64, usize),
    /// A token was asked for, or what there is of them.
    Tokens(Box<TokensAsked>),
    /// The program around the gateway answers a command of its own.
    Program(u64),
    /// A function was called for a command of the building's own.
    Custom(u64, Arc<CustomCommand>),
}

/// What is made of one message or answer.
pub(super) struct Turn<'t> {
    /// What surrounds the connection.
    pub(super) ambient: Ambient<'t>,
    /// What is said.
    pub(super) frames: Frames,
    steps: Vec<Step>,
    /// How many requests were made whose answers are waited for.
    requests: usize,
}

impl<'t> Turn<'t> {
    fn new(ambient: &Ambient<'t>) -> Self {
        Self {
            ambient: *ambient,
            frames: Frames::default(),
            steps: Vec::new(),
            requests: 0,
        }
    }

    /// Whether no further command of the same message is taken: what is asked in one message is answered at once, and kept until then.
    fn is_full(&self) -> bool {
        self.requests >= limits::TURN_MAX_REQUESTS || self.frames.len() >= limits::TURN_MAX_BYTES
    }

    /// Sets an alarm of the connection.
    pub(super) fn set_alarm(&mut self, alarm: Alarm, after: Duration) {
        self.steps.push(Step::SetAlarm(alarm, after));
    }

    fn end(self, coalescing: Coalescing, out: &mut Out<'_>) {
        self.frames.send(coalescing, out);
        for step in self.steps {
            out.step(step);
        }
    }
}

impl Commands {
    /// Those of this user, who has given none yet.
    pub(super) fn of(user: &User, level: Clearance) -> Self {
        Self {
            client: Client {
                user: user.id.as_str().into(),
                name: user.name.as_str().into(),
                level,
                reach: Reach::Unknown,
            },
            coalescing: Coalescing::Off,
            last_id: 0,
            next_ticket: 0,
            open: Vec::new(),
            calls: Vec::new(),
            subscriptions: Vec::new(),
            next_number: 0,
        }
    }

    /// Finds out what the client may reach.
    pub(super) fn begin_with(&mut self, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let mut turn = Turn::new(ambient);
        self.ask(
            Request::Query(Query::Systems),
            Waiting::Reach(None),
            &mut turn,
        );
        turn.end(self.coalescing, out);
    }

    /// Takes one message.
    pub(super) fn receive(
        &mut self,
        message: Incoming<'_>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), NotACommand> {
        let text = match message {
            Incoming::Text(text) => text,
            Incoming::Binary([]) => return Err(NotACommand),
            // Its first byte says whom it is for, and there is no such taker.
            Incoming::Binary(_) => return Ok(()),
        };
        let mut turn = Turn::new(ambient);
        match wire::read(text).ok_or(NotACommand)? {
            Message::One(command) => self.take(command, &mut turn),
            Message::Batch(commands) => {
                for command in commands {
                    self.take(command, &mut turn);
                }
            }
        }
        turn.end(self.coalescing, out);
        Ok(())
    }

    fn take(&mut self, command: &RawValue, turn: &mut Turn<'_>) {
        let envelope = match Envelope::read(command) {
            Ok(envelope) => envelope,
            Err(token) => {
                let error = CommandError::incorrectly_formatted();
                turn.frames.error(token, &error);
                return;
            }
        };
        if let Err(error) = self.judge(&envelope, command, turn) {
            turn.frames.error(&envelope.id.to_string(), &error);
        }
    }

    fn judge(&mut self, envelope: &Envelope<'_>, command: &RawValue, turn: &mut Turn<'_>) -> Taken {
        if envelope.id <= self.last_id {
            return Err(CommandError::id_reuse());
        }
        let building = &turn.ambient.surroundings.building;
        if let Some(own) = custom::find(building, &envelope.kind)
            && !catalogue::lists(&envelope.kind)
        {
            self.last_id = envelope.id;
            return self.take_custom(own, envelope, command, turn);
        }
        if let Some(offer) = custom::offered(building, &envelope.kind) {
            self.last_id = envelope.id;
            return self.take_offered(offer, envelope, command, turn);
        }
        let Some(known) = catalogue::find(&envelope.kind) else {
            turn.steps.push(Step::Refused {
                command: shown(&envelope.kind).to_owned(),
            });
            return Err(CommandError::unknown_command());
        };
        self.last_id = envelope.id;
        if turn.is_full() {
            return Err(CommandError::too_much_at_once());
        }
        if let Some(fields) = known.fields
            && let Some(problems) = problems_of_command(fields, &envelope.fields, command)
        {
            return Err(CommandError::misshapen(problems));
        }
        match known.access {
            Access::Administrators if !self.client.is_admin() => Err(CommandError::unauthorized()),
            Access::Administrators | Access::Everyone => (known.run)(self, envelope, turn),
        }
    }

    /// Answers one request. A ticket that is not open is passed over.
    pub(super) fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == ticket) else {
            return;
        };
        let (_, waiting) = self.open.swap_remove(at);
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        let mut turn = Turn::new(ambient);
        match waiting {
            Waiting::Subscribed(id) => self.subscribed(id, reply.map(events_of), &mut turn),
            Waiting::Reading(reading) => self.read_on(*reading, reply, &mut turn),
            // Whatever the outcome, nothing is followed by it any more.
            Waiting::Unsubscribed(id) => turn.frames.done(id),
            Waiting::States(asked) => Self::states_found(&asked, reply, &mut turn),
            Waiting::Reach(question) => self.reach_found(question, reply, &mut turn),
            Waiting::Fired(id, act) => self.fired(id, act, reply, &mut turn),
            Waiting::Looked(open) => self.looked(*open, reply, &mut turn),
            Waiting::Called(id, place) => self.called(id, place, reply, &mut turn),
            Waiting::Tokens(asked) => Self::tokens_answered(&asked, reply, &mut turn),
            Waiting::Program(id) => custom::answer(id, reply, &mut turn),
            Waiting::Custom(id, own) => Self::custom_called(id, &own, reply, &mut turn),
        }
        turn.end(self.coalescing, out);
    }

    /// Takes an event of what a subscription follows for itself.
    pub(super) fn event(
        &mut self,
        follow: FollowId,
        event: &Event,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let mut turn = Turn::new(ambient);
        let number = Number::of(follow);
        let mut subscriptions = self.subscriptions.iter();
        let Some(subscription) = subscriptions.find(|it| it.number == number) else {
            return;
        };
        match &subscription.about {
            Subscribed::Status(_) => custom::tell_value(subscription.id, event, &mut turn),
            Subscribed::Template(_) => {
                let id = subscription.id;
                self.template_heard(id, event, &mut turn);
            }
            Subscribed::Triggers(_) => {
                let id = subscription.id;
                self.triggers_heard(id, event, &mut turn);
            }
            Subscribed::Events(names) => {
                happened(subscription.id, names, event, &mut turn);
            }
            Subscribed::Nothing | Subscribed::Entities(_) => {}
        }
        turn.end(self.coalescing, out);
    }

    /// The building around it has changed.
    pub(super) fn looked_around(
        &mut self,
        before: &Surroundings,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        if self.subscriptions.is_empty() {
            return;
        }
        let mut turn = Turn::new(ambient);
        self.building_changed(before, &mut turn);
        turn.end(self.coalescing, out);
    }

    /// The time of an alarm has come.
    pub(super) fn alarm(&mut self, alarm: Alarm, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let mut turn = Turn::new(ambient);
        self.templates_are_due(alarm, &mut turn);
        turn.end(self.coalescing, out);
    }

    /// Asks the core.
    pub(super) fn ask(&mut self, request: Request, then: Waiting, turn: &mut Turn<'_>) {
        let ticket = self.begin(then, turn);
        turn.steps.push(request_of(ticket, request));
    }

    /// Asks the core for something whose answer does not matter.
    pub(super) fn tell(&mut self, request: Request, turn: &mut Turn<'_>) {
        let ticket = self.ticket();
        turn.steps.push(request_of(ticket, request));
    }

    /// Announces something beside what the client asked for. It waits for no answer, so it has no ticket of its own.
    pub(super) fn announce(&self, announce: Request, turn: &mut Turn<'_>) {
        turn.steps.push(request_of(NO_ANSWER, announce));
    }

    /// Follows several things. Their events carry the id of this command.
    pub(super) fn follow(
        &mut self,
        id: u64,
        follows: Vec<Wanted>,
        then: Waiting,
        turn: &mut Turn<'_>,
    ) {
        let ticket = self.begin(then, turn);
        turn.steps.push(Step::Follow {
            ticket,
            follows,
            splice: Splice::new(id.to_string()),
        });
    }

    fn begin(&mut self, then: Waiting, turn: &mut Turn<'_>) -> Ticket {
        let ticket = self.ticket();
        turn.requests += 1;
        self.open.push((ticket, then));
        ticket
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        ticket
    }
}

/// The ticket of what no answer is waited for. Those that are given come to it after four thousand million requests.
const NO_ANSWER: Ticket = Ticket(u32::MAX);

/// A request that follows nothing, so that its form and splice mean nothing.
fn request_of(ticket: Ticket, request: Request) -> Step {
    Step::Request {
        ticket,
        request,
        form: AnyForm::HomeAssistant(Form::Session),
        splice: Splice::default(),
    }
}

/// As much of a word as the audit log shows.
fn shown(word: &str) -> &str {
    &word[..word.floor_char_boundary(limits::COMMAND_SHOWN_BYTES)]
}
