//! One connection's state: the requests that are not answered yet, and which logs it follows by a module's place.
//!
//! An idle connection has neither, so it owns no memory beside this struct.

use crate::dialects::placeos::errors::{self, DEFAULT_RESPONSE_CODE, ErrorCode};
use crate::dialects::placeos::wire::{self, ClientRequest, Frame, Refused};
use crate::dialects::placeos::{Hello, PONG, ValueForm, frames};
use crate::dialects::{
    Alarm, Ambient, Form, Incoming, Out, Receipt, Shown, Splice, Step, Surroundings,
};
use crate::model::{
    Event, Failure, FollowId, ModuleAddress, ModuleId, ModulePath, Reply, Request, Ticket,
};

/// One connection's state.
#[derive(Debug)]
pub struct Session {
    form: ValueForm,
    /// Grows with every request, so that a late second answer meets no other request.
    next_ticket: u32,
    /// The server bounds how many requests are open, and most are answered before the next one comes: a list is enough.
    open: Vec<Open>,
    /// The logs that were begun by a place. A place may get another module while its log is followed.
    logs: Vec<PlacedLog>,
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Open {
    ticket: Ticket,
    id: Box<str>,
    meta: Vec<u8>,
    then: Then,
}

/// What a success changes in the session.
#[derive(Debug)]
enum Then {
    Nothing,
    RememberLog(ModulePath),
    ForgetLog(ModuleId),
}

#[derive(Debug)]
struct PlacedLog {
    path: ModulePath,
    module: ModuleId,
}

impl Session {
    /// Begins a connection. PlaceOS says nothing first.
    pub fn open(hello: Hello, _: &Ambient<'_>, _: &mut Out<'_>) -> Self {
        Self {
            form: hello.form,
            next_ticket: 0,
            open: Vec::new(),
            logs: Vec::new(),
        }
    }

    /// Takes one message. PlaceOS passes over those that are not text.
    pub fn receive(&mut self, message: Incoming<'_>, _: &Ambient<'_>, out: &mut Out<'_>) {
        let Incoming::Text(text) = message else {
            return;
        };
        match wire::read(text) {
            Ok(Frame::Ping) => out.text(|out| out.extend_from_slice(PONG.as_bytes())),
            Ok(Frame::Request(request)) => self.ask(request, out),
            Err(refused) => refuse(refused, out),
        }
    }

    /// Does nothing: PlaceOS's clients show their credentials in the handshake and never sign in later.
    pub fn identified(&mut self, _: Shown<'_>, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// No event comes to a session.
    pub fn event(&mut self, _: FollowId, _: &Event, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// PlaceOS's clients ask for the building over HTTP.
    pub fn looked_around(&mut self, _: &Surroundings, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// PlaceOS sets no alarm.
    pub fn alarm(&mut self, _: Alarm, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// PlaceOS asks for no receipt.
    pub fn confirmed(&mut self, _: Receipt, _: &Ambient<'_>, _: &mut Out<'_>) {}

    /// Answers one request.
    pub fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        _: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let Some(at) = self.open.iter().position(|open| open.ticket == ticket) else {
            return;
        };
        let open = self.open.swap_remove(at);
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        let Open { id, meta, then, .. } = open;
        out.text(|out| match reply {
            // The last three answer what this dialect never asks.
            Ok(
                Reply::Following { .. }
                | Reply::Unfollowed
                | Reply::Found(_)
                | Reply::Entered(_)
                | Reply::Left
                | Reply::Published
                | Reply::Tokens(_)
                | Reply::Messages(_),
            ) => frames::success(&id, &meta, out),
            Ok(Reply::Result { value, code }) => frames::result(&id, &value, &meta, code, out),
            Ok(Reply::Debugging(module)) => {
                frames::debugging(&id, &module, &meta, out);
                if let Then::RememberLog(path) = then {
                    self.remember_log(path, module);
                }
            }
            Ok(Reply::Ignored) => {
                frames::ignored(&id, out);
                if let Then::ForgetLog(module) = then {
                    self.forget_log(&module);
                }
            }
            Err(failure) => frames::error(
                &id,
                ErrorCode::of(failure.kind()),
                &errors::message(&failure),
                errors::response_code(&failure),
                out,
            ),
        });
    }

    fn ask(&mut self, asked: ClientRequest<'_>, out: &mut Out<'_>) {
        let ClientRequest { id, request, meta } = asked;
        let request = self.meant(request, out);
        let (splice, then) = match &request {
            Request::Follow { .. } => (Splice::new(id), Then::Nothing),
            Request::Unfollow { .. }
            | Request::Call(_)
            | Request::CallOnce { .. }
            | Request::Query(_)
            | Request::Enter(_)
            | Request::Leave(_)
            | Request::Publish(_)
            | Request::Tokens(_)
            | Request::Messages(_)
            | Request::Run(_)
            | Request::Announce { .. }
            | Request::Custom { .. } => (Splice::default(), Then::Nothing),
            Request::Debug(ModuleAddress::Place(path)) => (
                frames::log_splice(id, &meta),
                Then::RememberLog(path.clone()),
            ),
            Request::Debug(ModuleAddress::Id { .. }) => {
                (frames::log_splice(id, &meta), Then::Nothing)
            }
            Request::Ignore(ModuleAddress::Place(_)) => (Splice::default(), Then::Nothing),
            Request::Ignore(ModuleAddress::Id { id, .. }) => {
                (Splice::default(), Then::ForgetLog(id.clone()))
            }
        };
        let ticket = self.ticket();
        self.open.push(Open {
            ticket,
            id: Box::from(id),
            meta,
            then,
        });
        out.step(Step::Request {
            ticket,
            request,
            form: Form::PlaceOs(self.form),
            splice,
        });
    }

    /// An ignore by place is meant for the logs that a debug by this place began, whatever module stands there by now.
    ///
    /// If there are several, since the place was debugged again with another module in it, the older ones are asked for here.
    /// Their tickets are not open, so that the client gets the one answer to its one request.
    fn meant(&mut self, request: Request, out: &mut Out<'_>) -> Request {
        let Request::Ignore(ModuleAddress::Place(path)) = request else {
            return request;
        };
        let mut begun: Vec<ModuleId> = self
            .logs
            .iter()
            .filter(|log| log.path == path)
            .map(|log| log.module.clone())
            .collect();
        let Some(newest) = begun.pop() else {
            return Request::Ignore(ModuleAddress::Place(path));
        };
        for module in begun {
            self.forget_log(&module);
            out.step(Step::Request {
                ticket: self.ticket(),
                request: ignore(module, &path),
                form: Form::PlaceOs(self.form),
                splice: Splice::default(),
            });
        }
        ignore(newest, &path)
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        ticket
    }

    fn remember_log(&mut self, path: ModulePath, module: ModuleId) {
        let known = |log: &PlacedLog| log.path == path && log.module == module;
        if !self.logs.iter().any(known) {
            self.logs.push(PlacedLog { path, module });
        }
    }

    fn forget_log(&mut self, module: &ModuleId) {
        self.logs.retain(|log| log.module != *module);
        if self.logs.is_empty() {
            self.logs = Vec::new();
        }
    }
}

fn ignore(module: ModuleId, path: &ModulePath) -> Request {
    Request::Ignore(ModuleAddress::Id {
        id: module,
        system: Some(path.system.clone()),
    })
}

fn refuse(refused: Refused<'_>, out: &mut Out<'_>) {
    out.text(|out| {
        frames::error(
            refused.id,
            refused.code,
            &refused.message,
            DEFAULT_RESPONSE_CODE,
            out,
        );
    });
    if let Some(command) = refused.command {
        out.step(Step::Refused { command });
    }
}
