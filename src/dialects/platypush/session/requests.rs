//! Requests of one connection: each gets one response, when it is done, by its own id.
//!
//! Two requests may have one id: which response belongs to which request is kept by tickets.
//! What the client may see is asked when the connection opens and when systems have changed. Requests that come before it is known wait.

use std::collections::{BTreeMap, HashSet};

use crate::dialects::platypush::Form;
use crate::dialects::platypush::actions::{Plan, Reading, Sight, found, plan};
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::limits::IN_FLIGHT_MAX;
use crate::dialects::platypush::message::{MessageId, RequestMessage, put_response};
use crate::dialects::{Ambient, Form as AnyForm, Out, Splice, Step, Surroundings};
use crate::model::{
    Clearance, Failure, Found, JsonText, Query, Reply, Request, SystemId, Ticket, Timestamp,
};

/// What surrounds a connection of requests.
#[derive(Debug)]
pub(super) struct Requests {
    /// The systems that the client may see; `None` while that is not known.
    reach: Option<HashSet<SystemId>>,
    /// The question of what it may see, where that is asked.
    asking: Option<Ticket>,
    /// Requests that wait for it.
    early: Vec<RequestMessage>,
    /// Requests without a response.
    open: BTreeMap<u32, (MessageId, Reading)>,
    tickets: u32,
}

impl Requests {
    pub(super) fn open(out: &mut Out<'_>) -> Self {
        let mut requests = Self {
            reach: None,
            asking: None,
            early: Vec::new(),
            open: BTreeMap::new(),
            tickets: 0,
        };
        requests.look(out);
        requests
    }

    /// Takes one message. What is no request is answered too, by the id that it has.
    pub(super) fn receive(&mut self, text: &str, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let request = match RequestMessage::read_text(text, ambient.draw) {
            Ok(request) => request,
            Err((id, why)) => return respond(&id, Err(&why.to_string()), ambient, out),
        };
        if self.early.len() + self.open.len() >= IN_FLIGHT_MAX {
            let why = format!(
                "Too many requests at once: {IN_FLIGHT_MAX} are without a response, and this one was not carried out"
            );
            return respond(&request.id, Err(&why), ambient, out);
        }
        match self.reach {
            Some(_) => self.begin(request, ambient, out),
            None => {
                self.early.push(request);
                if self.asking.is_none() {
                    self.look(out);
                }
            }
        }
    }

    /// Finds out what the client may see.
    fn look(&mut self, out: &mut Out<'_>) {
        let ticket = self.ask(Request::Query(Query::Systems), out);
        self.asking = Some(ticket);
    }

    fn begin(&mut self, request: RequestMessage, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let RequestMessage {
            id,
            action,
            arguments,
        } = request;
        let planned = {
            let reaches = |id: &SystemId| self.reach.as_ref().is_some_and(|it| it.contains(id));
            let sight = Sight {
                surroundings: ambient.surroundings,
                level: ambient.level.unwrap_or(Clearance::User),
                reaches: &reaches,
                user: None,
            };
            plan(&action, &arguments, &sight)
        };
        match planned {
            Ok(Plan::Output(output)) => respond(&id, Ok(&output), ambient, out),
            Ok(Plan::Ask(request, reading)) => {
                let ticket = self.ask(request, out);
                self.open.insert(ticket.0, (id, reading));
            }
            Err(error) => respond(&id, Err(&error.to_string()), ambient, out),
        }
    }

    /// Takes an answer of the core.
    pub(super) fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        if self.asking == Some(ticket) {
            self.asking = None;
            return self.looked(reply, ambient, out);
        }
        let Some((id, reading)) = self.open.remove(&ticket.0) else {
            return;
        };
        let output = reading.output(reply, ambient.surroundings);
        respond_outcome(&id, &output, ambient, out);
    }

    /// It is known what the client may see, or that cannot be found out now.
    fn looked(&mut self, reply: Result<Reply, Failure>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let systems = reply.map_err(ActionError::from).and_then(systems_of);
        let early = std::mem::take(&mut self.early);
        match systems {
            Ok(systems) => {
                self.reach = Some(systems);
                for request in early {
                    self.begin(request, ambient, out);
                }
            }
            Err(error) => {
                for request in early {
                    respond(&request.id, Err(&error.to_string()), ambient, out);
                }
            }
        }
    }

    /// Other systems may be within reach now.
    pub(super) fn looked_around(
        &mut self,
        before: &Surroundings,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let now = &ambient.surroundings.platypush;
        if !now.has_systems_of(&before.platypush) {
            self.look(out);
        }
    }

    fn ask(&mut self, request: Request, out: &mut Out<'_>) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets = self.tickets.wrapping_add(1);
        out.step(Step::Request {
            ticket,
            request,
            form: AnyForm::Platypush(Form::Session),
            splice: Splice::default(),
        });
        ticket
    }
}

fn systems_of(reply: Reply) -> Result<HashSet<SystemId>, ActionError> {
    let Some(Found::Systems(systems)) = found(reply) else {
        return Err(ActionError::unexpected());
    };
    Ok(systems.into_iter().collect())
}

fn respond_outcome(
    id: &MessageId,
    outcome: &Result<JsonText, ActionError>,
    ambient: &Ambient<'_>,
    out: &mut Out<'_>,
) {
    match outcome {
        Ok(output) => respond(id, Ok(output), ambient, out),
        Err(error) => respond(id, Err(&error.to_string()), ambient, out),
    }
}

fn respond(
    id: &MessageId,
    outcome: Result<&JsonText, &str>,
    ambient: &Ambient<'_>,
    out: &mut Out<'_>,
) {
    out.text(|out| put_response(id, now(ambient), outcome, out));
}

fn now(ambient: &Ambient<'_>) -> Timestamp {
    Timestamp::from_secs((ambient.clock)())
}
