//! The state of one connection: a client signs in, and then gives commands.
//!
//! A client has one attempt to sign in (`sign_in.rs`). Its commands are judged in one order (`commands.rs`), and each is a line of a table (`catalogue.rs`).
//! What a command begins and does not end at once is a request that is open, or a subscription.
//!
//! An idle connection owns what it subscribed to and who it is, and nothing beside it.

mod about;
mod catalogue;
mod changes;
mod commands;
mod custom;
mod custom_texts;
mod entities;
mod events;
mod filter;
mod frontend;
mod one_rendering;
mod reach;
mod reading;
mod registries;
mod services;
mod sign_in;
mod subscriptions;
mod template;
mod template_windows;
mod tokens;
mod trigger;
mod trigger_config;
mod watched;

use crate::dialects::home_assistant::Hello;
#[cfg(test)]
pub(super) use crate::dialects::home_assistant::session::catalogue::commands_and_fields;
use crate::dialects::home_assistant::session::commands::Commands;
use crate::dialects::home_assistant::session::sign_in::Attempt;
use crate::dialects::{
    Alarm, Ambient, CloseFrame, Incoming, Out, Receipt, Shown, Step, Surroundings,
};
use crate::model::{CloseReason, Event, Failure, FollowId, Reply, Ticket};

pub use one_rendering::{BadTemplate, OneRendering, Round};

/// How this dialect ends a connection: Home Assistant says nothing by the code.
pub(super) const CLOSE: CloseFrame = CloseFrame {
    code: 1000,
    text: "",
};

/// One connection's state.
#[derive(Debug)]
pub struct Session(Phase);

#[derive(Debug)]
enum Phase {
    /// The client has to say who it is.
    Anonymous(Box<Hello>),
    /// The client has said it, and the answer is awaited. It says nothing in between.
    Identifying,
    /// The client gives commands.
    Commands(Box<Commands>),
    /// The end has been asked for: whatever still comes is passed over.
    Over,
}

impl Session {
    /// Asks the client to sign in.
    pub fn open(hello: Hello, _: &Ambient<'_>, out: &mut Out<'_>) -> Self {
        out.text(|out| sign_in::put_phrase("auth_required", out));
        Self(Phase::Anonymous(Box::new(hello)))
    }

    /// Takes one message.
    pub fn receive(&mut self, message: Incoming<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        match &mut self.0 {
            Phase::Anonymous(hello) => match sign_in::read(message, &hello.host) {
                Attempt::Shows(credentials) => {
                    self.0 = Phase::Identifying;
                    out.step(Step::Authenticate(credentials));
                }
                Attempt::Refused(why) => self.refuse(&why, out),
                Attempt::NotJson => self.close(CloseReason::Unauthenticated, out),
            },
            Phase::Commands(commands) => {
                if let Some(level) = ambient.level {
                    commands.client.level = level;
                }
                if commands.receive(message, ambient, out).is_err() {
                    self.close(CloseReason::ProtocolError, out);
                }
            }
            Phase::Identifying | Phase::Over => {}
        }
    }

    /// Takes the outcome of the sign-in.
    pub fn identified(&mut self, found: Shown<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        if !matches!(self.0, Phase::Identifying) {
            return;
        }
        match found {
            Ok(Some(user)) => {
                out.text(|out| sign_in::put_phrase("auth_ok", out));
                let mut commands =
                    Box::new(Commands::of(user, ambient.level.unwrap_or(user.level)));
                commands.begin_with(ambient, out);
                self.0 = Phase::Commands(commands);
            }
            Ok(None) => self.refuse(sign_in::BAD_CREDENTIALS, out),
            // Were the client told that its credentials are bad, it would never come back.
            Err(failure) if failure.kind().passes() => {
                self.close(CloseReason::Unauthenticated, out);
            }
            Err(_) => self.refuse(sign_in::BAD_CREDENTIALS, out),
        }
    }

    /// Takes an event of what the session follows itself.
    pub fn event(
        &mut self,
        follow: FollowId,
        event: &Event,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        if let Phase::Commands(commands) = &mut self.0 {
            commands.event(follow, event, ambient, out);
        }
    }

    /// The building around it has changed.
    pub fn looked_around(
        &mut self,
        before: &Surroundings,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        if let Phase::Commands(commands) = &mut self.0 {
            commands.looked_around(before, ambient, out);
        }
    }

    /// The time of an alarm has come.
    pub fn alarm(&mut self, alarm: Alarm, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        if let Phase::Commands(commands) = &mut self.0 {
            commands.alarm(alarm, ambient, out);
        }
    }

    /// Home Assistant asks for no receipt.
    pub fn confirmed(&mut self, _: Receipt, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Answers one request.
    pub fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        if let Phase::Commands(commands) = &mut self.0 {
            commands.reply(ticket, reply, ambient, out);
        }
    }

    /// Tells the client why it may not come in, and ends the connection.
    fn refuse(&mut self, why: &str, out: &mut Out<'_>) {
        out.text(|out| sign_in::put_refusal(why, out));
        self.close(CloseReason::Unauthenticated, out);
    }

    fn close(&mut self, why: CloseReason, out: &mut Out<'_>) {
        self.0 = Phase::Over;
        out.step(Step::Close(CLOSE, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::home_assistant::rest::VERSION;

    #[test]
    fn an_idle_connection_is_small() {
        assert_eq!(size_of::<Session>(), 16);
        assert!(size_of::<Commands>() <= 200, "{}", size_of::<Commands>());
    }

    #[test]
    fn the_version_chooses_what_clients_use() {
        let mut parts = VERSION.split('.').map(|part| part.parse::<u32>().unwrap());
        let year_and_month = (parts.next().unwrap(), parts.next().unwrap());
        assert!(year_and_month >= (2022, 9));
    }
}
