//! What a message asks for: the steps that the dialect decided are carried out here.

use std::rc::Rc;
use std::sync::Arc;

use actix_http::ws::OpCode;
use tokio::time::Instant;

use crate::core::{Caller, ReplySlot};
use crate::dialects::{Splice, Step};
use crate::model::{DebugTarget, Failure, FailureKind, ModuleId, Reply, Request, Subject, Ticket};
use crate::server::ws::alarms::AlarmKind;
use crate::server::ws::connection::{Connection, Identity};
use crate::server::ws::fanout::Newcomer;
use crate::server::ws::frames::write_frame;
use crate::server::ws::worker::{Followed, Worker};

impl Worker {
    /// Does what the dialect decided.
    pub(in crate::server::ws) fn perform(self: &Rc<Self>, connection: &Rc<Connection>, step: Step) {
        match step {
            Step::Refused { command } => match &*connection.identity.borrow() {
                Identity::Identified(caller) => self.core.note_unknown_command(caller, &command),
                Identity::Anonymous(_) => self.metrics.not_let_in.increment(1),
            },
            Step::Authenticate(credentials) => self.authenticate(connection, credentials),
            Step::SetAlarm(alarm, after) => {
                let at = Instant::now() + after;
                let kind = AlarmKind::Dialect(alarm);
                self.alarms.borrow_mut().set(connection.id, kind, at);
            }
            Step::Close(frame, why) => self.close_by(connection, frame, why),
            Step::Request {
                ticket,
                request,
                splice,
            } => match &*connection.identity.borrow() {
                Identity::Identified(caller) => {
                    self.request(connection, caller, ticket, request, splice);
                }
                Identity::Anonymous(_) => {
                    self.metrics.not_let_in.increment(1);
                    let failure = Failure::new(FailureKind::Unauthenticated, "sign in first");
                    self.reply(connection, ticket, Err(failure));
                }
            },
        }
    }

    fn request(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        caller: &Caller,
        ticket: Ticket,
        request: Request,
        splice: Splice,
    ) {
        let admitted = self.admit_request(connection, caller, &request);
        if let Err(failure) = admitted {
            self.reply(connection, ticket, Err(failure));
            return;
        }
        match request {
            Request::Bind(path) => {
                let subject = Subject::Status(Arc::new(path));
                match self.follow(connection, subject, splice) {
                    Ok(followed) => {
                        self.reply(connection, ticket, Ok(Reply::Bound));
                        self.tell_newcomer(connection, followed);
                    }
                    Err(failure) => self.reply(connection, ticket, Err(failure)),
                }
            }
            Request::Unbind(path) => {
                self.unfollow(connection, &Subject::Status(Arc::new(path)));
                self.reply(connection, ticket, Ok(Reply::Unbound));
            }
            Request::Exec(call) => {
                connection.open_execs.update(|open| open + 1);
                let outlet = Arc::clone(&self.outlet);
                let slot = ReplySlot::outlet(outlet, connection.id, ticket);
                if let Some(wakeup) = self.core.exec_later(caller, call, slot) {
                    self.wake_later(wakeup);
                }
            }
            Request::Debug(target) => match self.core.module_of(&target) {
                Ok(module) => self.debug(connection, ticket, module, splice),
                Err(_) => {
                    connection.open_execs.update(|open| open + 1);
                    let outlet = Arc::clone(&self.outlet);
                    let slot = ReplySlot::outlet(outlet, connection.id, ticket);
                    connection.debugs.begin(ticket, target.clone(), splice);
                    self.core.look_for(target, slot);
                }
            },
            Request::Ignore(target) => {
                // What does not exist has no log to end, so that too is a success.
                let found = connection.debugs.end(&target);
                let module = match &target {
                    // Followed by this id, whoever knows it.
                    DebugTarget::Module { id, .. } => Some(id.clone()),
                    DebugTarget::Path(_) => self.core.module_of(&target).ok().or(found),
                };
                if let Some(module) = module {
                    self.unfollow(connection, &Subject::Log(module));
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
        splice: Splice,
    ) {
        let followed = self.follow(connection, Subject::Log(module.clone()), splice);
        let reply = followed.map(|_| Reply::Debugging(module));
        self.reply(connection, ticket, reply);
    }

    /// A request that left this worker has its answer.
    pub(in crate::server::ws) fn answer(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
    ) {
        connection.exec_answered();
        if !connection.is_open() {
            return;
        }
        match (connection.debugs.found(ticket, &reply), reply) {
            (Some(splice), Ok(Reply::Debugging(module))) => {
                self.debug(connection, ticket, module, splice);
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
        let per_second = self.settings.limits.requests_per_second;
        if !connection.admits_request(per_second) {
            return Err(Failure::new(
                FailureKind::Busy,
                format!(
                    "more than {per_second} requests a second; the request was not carried out"
                ),
            ));
        }
        self.core.authorize(caller, request)
    }

    fn tell_newcomer(&self, connection: &Rc<Connection>, followed: Followed) {
        match followed {
            Followed::Here(slot) | Followed::Already(slot) => {
                self.tell_last(connection, slot, Newcomer::Yes);
                self.mark_dirty(connection);
            }
            Followed::Coming => {}
        }
    }

    pub(super) fn answer_ping(self: &Rc<Self>, connection: &Rc<Connection>, payload: &[u8]) {
        let mut frame = Vec::with_capacity(payload.len() + 2);
        write_frame(&mut frame, OpCode::Pong, payload);
        self.send(connection, &frame);
    }
}
