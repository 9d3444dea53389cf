//! Carries out the steps that the dialect has made of a message.

use std::rc::Rc;
use std::sync::Arc;

use actix_http::ws::OpCode;
use tokio::time::Instant;

use crate::core::{Caller, ModuleAccess, ReplySlot};
use crate::dialects::{Form, Splice, Step, Wanted};
use crate::model::{
    Event, ExecRequest, Failure, FailureKind, First, FollowId, ModuleAddress, ModuleId, Reply,
    Request, Subject, Ticket,
};
use crate::server::metrics::ServerMetrics;
use crate::server::ws::alarms::AlarmKind;
use crate::server::ws::connection::open_arguments::is_large;
use crate::server::ws::connection::{Connection, Identity};
use crate::server::ws::frames::write_frame;
use crate::server::ws::topics::INSIDE;
use crate::server::ws::worker::{Begun, Telling, Worker};

/// The one id by which a log is followed that was asked for by a debug.
const LOG: FollowId = FollowId(0);

impl Worker {
    /// Does what the dialect decided.
    pub(in crate::server::ws) fn perform(self: &Rc<Self>, connection: &Rc<Connection>, step: Step) {
        match step {
            Step::Refused { command } => match &*connection.identity.borrow() {
                Identity::Identified(caller) => {
                    self.core.access.note_unknown_command(caller, &command)
                }
                Identity::Anonymous(_) => self.metrics.not_let_in.increment(1),
            },
            Step::Authenticate(credentials) => self.authenticate(connection, credentials),
            Step::SetAlarm(alarm, after) => {
                let at = Instant::now() + after;
                let kind = AlarmKind::Dialect(alarm);
                self.alarms.borrow_mut().set(connection.id, kind, at);
            }
            Step::Confirm(receipt) => self.confirm_later(connection, receipt),
            Step::Close(frame, why) => self.close_by(connection, frame, why),
            Step::Request {
                ticket,
                request,
                form,
                splice,
            } => {
                self.renew_identity(connection);
                self.request_of(connection, ticket, request, form, splice);
            }
            Step::Follow {
                ticket,
                follows,
                splice,
            } => {
                self.renew_identity(connection);
                let followed = self.follow_allowed(connection, follows, &splice);
                let followed = followed.map(|snapshot| Reply::Following { snapshot });
                self.reply(connection, ticket, followed);
            }
        }
    }

    fn request_of(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        request: Request,
        form: Form,
        splice: Splice,
    ) {
        match &*connection.identity.borrow() {
            Identity::Identified(caller) => {
                let telling = Telling {
                    id: LOG,
                    form,
                    splice,
                    first: First::Events,
                };
                self.request(connection, caller, ticket, request, telling);
            }
            Identity::Anonymous(_) => {
                self.reply(connection, ticket, Err(sign_in_first(&self.metrics)));
            }
        }
    }

    /// Follows what the caller may, and leaves out the rest.
    fn follow_allowed(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        mut wanted: Vec<Wanted>,
        splice: &Splice,
    ) -> Result<Vec<Event>, Failure> {
        match &*connection.identity.borrow() {
            Identity::Identified(caller) => {
                let access = &self.core.access;
                wanted.retain(|wanted| access.may_go_on(caller, &wanted.subject));
            }
            Identity::Anonymous(_) => return Err(sign_in_first(&self.metrics)),
        }
        self.admit_rate(connection)?;
        self.follow_together(connection, wanted, splice)
    }

    fn request(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        caller: &Caller,
        ticket: Ticket,
        request: Request,
        telling: Telling,
    ) {
        let admitted = self.admit_request(connection, caller, &request);
        if let Err(failure) = admitted {
            self.reply(connection, ticket, Err(failure));
            return;
        }
        match request {
            Request::Follow { id, subject, first } => {
                let telling = Telling {
                    id,
                    first,
                    ..telling
                };
                match self.follow(connection, subject, telling) {
                    Ok(begun) => self.begin_to_tell(connection, ticket, id, begun, first),
                    Err(failure) => self.reply(connection, ticket, Err(failure)),
                }
            }
            Request::Unfollow { id, subject } => {
                self.unfollow(connection, &subject, id);
                self.reply(connection, ticket, Ok(Reply::Unfollowed));
            }
            Request::Query(query) => {
                let slot = self.open_slot(connection, ticket);
                self.core.queries.query(caller, query, slot);
            }
            Request::Enter(entry) => {
                let telling = Telling {
                    id: INSIDE,
                    ..telling
                };
                if let Err(failure) = self.enter(connection, ticket, entry, telling) {
                    self.reply(connection, ticket, Err(failure));
                }
            }
            Request::Leave(topic) => {
                self.leave(connection, &topic);
                self.reply(connection, ticket, Ok(Reply::Left));
            }
            Request::Publish(publication) => {
                let slot = self.open_slot(connection, ticket);
                self.core.topics.publish(publication, slot);
            }
            Request::Announce { name, data, act } => {
                self.core.follows.announce(caller, name, data, act);
                // So that a client which follows the bus hears it before the answer.
                self.drain();
                self.reply(connection, ticket, Ok(Reply::Published));
            }
            Request::Custom { command, fields } => {
                let slot = self.open_slot(connection, ticket);
                let commands = &self.core.custom_commands;
                commands.run(caller, &command, fields, slot);
            }
            Request::Run(run) => {
                let slot = self.open_slot(connection, ticket);
                self.core.automation.run(caller, run, slot);
            }
            Request::Messages(request) => {
                let slot = self.open_slot(connection, ticket);
                self.core.messages.answer(request, slot);
            }
            Request::Tokens(request) => {
                let slot = self.open_slot(connection, ticket);
                self.core.tokens.answer(caller, request, slot);
            }
            Request::Call(call) => {
                let slot = self.open_call(connection, ticket, &call);
                if let Some(wakeup) = self.core.calls.exec_later(caller, call, slot) {
                    self.wake_later(wakeup);
                }
            }
            Request::CallOnce { key, call } => {
                let slot = self.open_call(connection, ticket, &call);
                let calls = &self.core.calls;
                if let Some(wakeup) = calls.exec_once_later(caller, key, call, slot) {
                    self.wake_later(wakeup);
                }
            }
            Request::Debug(target) => {
                match self
                    .core
                    .resolver
                    .resolve(caller, &target, ModuleAccess::Log)
                {
                    Ok(module) => self.debug(connection, ticket, module, telling),
                    Err(_) => {
                        let slot = self.open_slot(connection, ticket);
                        let debugs = &connection.rare.make().debugs;
                        debugs.begin(ticket, target.clone(), telling);
                        self.core.resolver.resolve_later(target, slot);
                    }
                }
            }
            Request::Ignore(target) => {
                // What does not exist has no log to end, so that too is a success.
                let rare = connection.rare.get();
                let found = rare.and_then(|rare| rare.debugs.end(&target));
                let module = match &target {
                    // Followed by this id, also when the building does not have it.
                    ModuleAddress::Id { id, .. } => Some(id.clone()),
                    ModuleAddress::Place(_) => {
                        let stands = self
                            .core
                            .resolver
                            .resolve(caller, &target, ModuleAccess::See);
                        stands.ok().or(found)
                    }
                };
                if let Some(module) = module {
                    self.unfollow(connection, &Subject::Log(module), LOG);
                }
                self.reply(connection, ticket, Ok(Reply::Ignored));
            }
        }
    }

    /// A module was found whose log is asked for.
    fn debug(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        module: ModuleId,
        telling: Telling,
    ) {
        let log = Subject::Log(module.clone());
        let before = connection.follows.borrow().len();
        if let Err(failure) = self.follow(connection, log, telling) {
            self.reply(connection, ticket, Err(failure));
        } else if self.core.follows.is_heard_here(&module) {
            self.reply(connection, ticket, Ok(Reply::Debugging(module)));
        } else {
            // Another node opens it, and a line that is logged after the reply is to be seen.
            let is_new = connection.follows.borrow().len() > before;
            let debugs = &connection.rare.make().debugs;
            debugs.open(ticket, module.clone(), is_new);
            let slot = self.open_slot(connection, ticket);
            self.core.follows.when_heard(module, slot);
        }
    }

    /// A request that left this worker has its answer.
    pub(in crate::server::ws) fn answer(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
    ) {
        connection.exec_answered(ticket);
        if !connection.is_open() {
            return;
        }
        let reply = self.entered(connection, ticket, reply);
        let rare = connection.rare.get();
        if let Some((module, is_new)) = rare.and_then(|rare| rare.debugs.opened(ticket)) {
            if is_new && reply.is_err() {
                self.unfollow(connection, &Subject::Log(module), LOG);
            }
            self.reply(connection, ticket, reply);
            return;
        }
        let telling = rare.and_then(|rare| rare.debugs.found(ticket, &reply));
        match (telling, reply) {
            (Some(telling), Ok(Reply::Debugging(module))) => {
                self.debug(connection, ticket, module, telling);
            }
            (_, reply) => self.reply(connection, ticket, reply),
        }
    }

    fn admit_request(
        &self,
        connection: &Connection,
        caller: &Caller,
        request: &Request,
    ) -> Result<(), Failure> {
        self.admit_rate(connection)?;
        self.core.access.authorize(caller, request)
    }

    fn admit_rate(&self, connection: &Connection) -> Result<(), Failure> {
        let per_second = self.settings.limits.requests_per_second;
        match connection.admits_request(per_second) {
            true => Ok(()),
            false => Err(Failure::new(
                FailureKind::Busy,
                format!(
                    "more than {per_second} requests a second; the request was not carried out"
                ),
            )),
        }
    }

    /// The place for an answer that comes through the outlet, and a call without an answer more.
    pub(in crate::server::ws) fn open_slot(
        &self,
        connection: &Connection,
        ticket: Ticket,
    ) -> ReplySlot {
        connection.open_execs.update(|open| open + 1);
        let outlet = Arc::clone(&self.outlet);
        ReplySlot::outlet(outlet, connection.id, ticket)
    }

    /// The same for a call of a function, whose arguments count while it has no answer.
    fn open_call(&self, connection: &Connection, ticket: Ticket, call: &ExecRequest) -> ReplySlot {
        let bytes = call.arguments.as_str().len();
        if is_large(bytes) {
            connection.rare.make().open_arguments.begin(ticket, bytes);
        }
        self.open_slot(connection, ticket)
    }

    /// Says that a subject is followed, and what is there of it.
    fn begin_to_tell(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        id: FollowId,
        begun: Begun,
        first: First,
    ) {
        let snapshot = match (first, begun) {
            (First::Reply, Begun::Here(slot)) => self.snapshot(slot),
            (First::Reply, Begun::Coming) | (First::Events, _) => Vec::new(),
        };
        self.reply(connection, ticket, Ok(Reply::Following { snapshot }));
        if let (First::Events, Begun::Here(slot)) = (first, begun) {
            self.tell_newest(connection, slot, id);
            self.mark_dirty(connection);
        }
    }

    pub(super) fn answer_ping(self: &Rc<Self>, connection: &Rc<Connection>, payload: &[u8]) {
        let mut frame = Vec::with_capacity(payload.len() + 2);
        write_frame(&mut frame, OpCode::Pong, payload);
        self.send(connection, &frame);
    }
}

/// A client that has not signed in has asked for something.
fn sign_in_first(metrics: &ServerMetrics) -> Failure {
    metrics.not_let_in.increment(1);
    Failure::new(FailureKind::Unauthenticated, "sign in first")
}
