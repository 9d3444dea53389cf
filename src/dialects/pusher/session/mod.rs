//! One connection's state: the channels that it is in, who has signed in, and what is not answered yet.
//!
//! 1. A command is read and verified ([`admission`]); what it asks goes to the core.
//! 2. A channel is entered step by step ([`subscriptions`]); one that is a room is followed then ([`rooms`]), and a log for all channels that show it ([`logs`]).
//! 3. What a client says to others is published ([`client_events`]), and in one kind of room it calls ([`calls`]).
//! 4. A user who signs in is in a topic of all users of the app ([`sign_in`]).

mod admission;
mod calls;
mod client_events;
mod logs;
mod requests;
mod rooms;
mod sign_in;
mod subscriptions;

use crate::dialects::pusher::channel::is_users_topic;
use crate::dialects::pusher::encode::put_news;
use crate::dialects::pusher::errors::ErrorCode;
use crate::dialects::pusher::session::admission::Refusal;
use crate::dialects::pusher::session::client_events::Rate;
use crate::dialects::pusher::session::requests::{Requests, Waiting};
use crate::dialects::pusher::session::sign_in::SignedIn;
use crate::dialects::pusher::session::subscriptions::Channels;
use crate::dialects::pusher::websocket::{goodbye, say};
use crate::dialects::pusher::{Hello, frames, limits, wire};
use crate::dialects::{
    Alarm, Ambient, CloseFrame, Incoming, Out, Receipt, Shown, Step, Surroundings,
};
use crate::model::{ChannelApp, CloseReason, Event, Failure, FollowId, ModuleId, Reply, Ticket};

/// What is said of an app that is not there.
const UNKNOWN_APP: &str = "App key not in this cluster. Did you forget to specify the cluster?";

/// One connection's state. Boxed, so that the connections of other dialects stay small.
#[derive(Debug)]
pub struct Session(Box<Client>);

#[derive(Debug)]
struct Client {
    /// The key by which the client came; it says which app.
    key: Box<str>,
    channels: Channels,
    requests: Requests,
    /// Who has signed in, or is about to.
    user: Option<Box<SignedIn>>,
    rate: Rate,
    /// The modules whose logs are followed.
    logs: Vec<ModuleId>,
}

/// What surrounds a session while it takes one input.
struct Turn<'t, 'o> {
    app: &'t ChannelApp,
    ambient: &'t Ambient<'t>,
    out: &'t mut Out<'o>,
}

impl Turn<'_, '_> {
    /// Tells the client of an error that its connection survives.
    fn error(&mut self, code: impl Into<Option<ErrorCode>>, message: &str, channel: Option<&str>) {
        let code = code.into();
        self.out
            .text(|out| frames::put_error(code, message, channel, out));
    }

    /// Tells the client that it does not come into a channel.
    fn refuse(&mut self, refusal: &Refusal) {
        let Refusal {
            code,
            message,
            subscription,
        } = refusal;
        let channel = subscription.as_ref().map(|it| &*it.channel);
        self.error(*code, message, channel);
        if let Some(it) = subscription {
            self.out.text(|out| {
                frames::put_subscription_error(&it.channel, it.kind, message, it.status, out);
            });
        }
    }

    /// Ends the connection, whose client knows why.
    fn close(&mut self, code: ErrorCode, text: &'static str, why: CloseReason) {
        let code = code.number();
        self.out.step(Step::Close(CloseFrame { code, text }, why));
    }

    /// Ends the connection.
    fn end(&mut self, code: ErrorCode, text: &'static str, why: CloseReason) {
        end(code, text, why, self.out);
    }

    /// Sends a frame.
    fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.text(write);
    }
}

fn end(code: ErrorCode, text: &'static str, why: CloseReason, out: &mut Out<'_>) {
    let frame = say(code, text, out);
    out.step(Step::Close(frame, why));
}

impl Session {
    /// Begins a connection and tells it its socket id, or why it may not begin.
    pub fn open(hello: Hello, ambient: &Ambient<'_>, out: &mut Out<'_>) -> Self {
        Self(Box::new(Client::open(hello, ambient, out)))
    }

    /// Takes one message.
    pub fn receive(&mut self, message: Incoming<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        self.0.receive(message, ambient, out);
    }

    /// Takes what became of a sign-in.
    pub fn identified(&mut self, found: Shown<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        self.0.identified(found, ambient, out);
    }

    /// Takes what happens to topics while more than their events is told: to that of all users, and to those of rooms. And the lines of logs, each of which several channels may show.
    pub fn event(&mut self, _: FollowId, event: &Event, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        self.0.event(event, ambient, out);
    }

    /// Modules may have come into a system that the client looks at, or gone.
    pub fn looked_around(
        &mut self,
        before: &Surroundings,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        self.0.systems_changed(&before.building, ambient, out);
    }

    /// Pusher sets no alarm.
    pub fn alarm(&mut self, _: Alarm, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Pusher asks for no receipt.
    pub fn confirmed(&mut self, _: Receipt, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Takes the answer to one request.
    pub fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        self.0.reply(ticket, reply, ambient, out);
    }
}

impl Client {
    fn open(hello: Hello, ambient: &Ambient<'_>, out: &mut Out<'_>) -> Self {
        let Hello { key, protocol } = hello;
        let settings = &ambient.settings.pusher;
        if let Some((code, text)) = protocol.refused(settings) {
            end(code, text, CloseReason::Forbidden, out);
        } else if app(ambient, &key).is_none() {
            // The key was good a moment ago: the app is too new to be shown yet, or has just gone. The next attempt finds out which.
            let why = CloseReason::Starting;
            if let Some(frame) = goodbye(why, out) {
                out.step(Step::Close(frame, why));
            }
        } else {
            let socket = ambient.cluster_connection();
            let timeout = settings.activity_timeout;
            out.text(|out| frames::put_established(socket, timeout, out));
        }
        Self {
            key,
            channels: Channels::default(),
            requests: Requests::default(),
            user: None,
            rate: Rate::default(),
            logs: Vec::new(),
        }
    }

    fn receive(&mut self, message: Incoming<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let Some(app) = self.app(ambient, out) else {
            return;
        };
        let mut turn = Turn { app, ambient, out };
        let Incoming::Text(text) = message else {
            let message = "A frame is text: binary frames are not read";
            turn.error(ErrorCode::Refused, message, None);
            return;
        };
        let said = match wire::read(text) {
            Ok(said) => said,
            Err(message) => return turn.error(ErrorCode::Refused, message, None),
        };
        match &*said.event {
            "pusher:ping" => {
                turn.text(|out| frames::put_event("pusher:pong", None, "{}", out));
            }
            "pusher:pong" => {}
            "pusher:subscribe" => self.subscribe(said.data, &mut turn),
            "pusher:unsubscribe" => self.unsubscribe(said.data, &mut turn),
            "pusher:signin" => self.sign_in(said.data, &mut turn),
            event if event.starts_with("client-") => self.client_event(&said, &mut turn),
            event => {
                let shown = shown(event);
                let message = format!(
                    "Unknown event {shown}: clients send pusher:subscribe, pusher:unsubscribe, pusher:signin, pusher:ping, pusher:pong and client-…"
                );
                turn.error(ErrorCode::Refused, &message, said.channel.as_deref());
                let command = shown.to_owned();
                turn.out.step(Step::Refused { command });
            }
        }
    }

    fn identified(&mut self, found: Shown<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        if let Some(app) = self.app(ambient, out) {
            self.user_identified(found, &mut Turn { app, ambient, out });
        }
    }

    fn event(&mut self, event: &Event, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let Some(app) = self.app(ambient, out) else {
            return;
        };
        match event {
            Event::Topic(news) if is_users_topic(&news.topic) => {
                self.users_news(&news.event, &mut Turn { app, ambient, out });
            }
            Event::Topic(news) if self.channels.is_in(news.topic.channel()) => {
                out.text(|out| put_news(news, out));
            }
            Event::Line(line) => self.log_line(line, out),
            Event::Topic(_)
            | Event::Value { .. }
            | Event::Entry { .. }
            | Event::Bus(_)
            | Event::Call(_)
            | Event::Message(_) => {}
        }
    }

    fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let Some(waiting) = self.requests.close(ticket) else {
            return;
        };
        let Some(app) = self.app(ambient, out) else {
            return;
        };
        let mut turn = Turn { app, ambient, out };
        match waiting {
            Waiting::Channel(name) => self.channel_answered(&name, reply, &mut turn),
            Waiting::Added(name) => self.modules_added(&name, reply, &mut turn),
            Waiting::Value(name) => self.value_read(&name, reply, &mut turn),
            Waiting::Users => self.users_entered(reply, &mut turn),
            Waiting::Call(channel, id) => self.called(&channel, &id, reply, &mut turn),
            Waiting::Publication(channel) => {
                if let Err(failure) = reply {
                    turn.error(ErrorCode::ClientEvent, failure.message(), Some(&channel));
                }
            }
        }
    }

    /// The app; without it the connection ends.
    fn app<'t>(&self, ambient: &'t Ambient<'_>, out: &mut Out<'_>) -> Option<&'t ChannelApp> {
        let app = app(ambient, &self.key);
        if app.is_none() {
            let why = CloseReason::Unauthenticated;
            end(ErrorCode::UnknownApp, UNKNOWN_APP, why, out);
        }
        app
    }
}

/// The app of a key.
fn app<'t>(ambient: &'t Ambient<'_>, key: &str) -> Option<&'t ChannelApp> {
    let mut apps = ambient.surroundings.building.apps.iter();
    let app = apps.find(|app| app.key(key).is_some())?;
    Some(app)
}

/// What a client wrote, as far as an error text repeats it.
fn shown(text: &str) -> &str {
    let end = text.char_indices().nth(limits::SHOWN_CHARS);
    end.map_or(text, |(end, _)| &text[..end])
}
