//! What the core on the stage answers.

use std::sync::Arc;

use crate::dialects::pusher::stage::Stage;
use crate::dialects::{Form, Splice, Wanted};
use crate::model::{
    Event, Failure, FollowId, Found, ModuleAddress, Query, Reply, Request, Subject, Ticket,
};

impl Stage {
    pub(super) fn follow(&mut self, ticket: Ticket, follows: Vec<Wanted>, splice: &Splice) {
        let mut snapshot = Vec::new();
        for Wanted { id, subject, form } in follows {
            self.lines
                .push(format!("follow> {} {}", id.0, in_words(&subject)));
            let statuses = self.statuses.iter();
            let there = statuses.filter(|((place, name), _)| match &subject {
                Subject::Module(path) => *place == path.to_string(),
                Subject::Status(path) => *place == path.module.to_string() && *name == path.status,
                Subject::Bus
                | Subject::Announced(_)
                | Subject::Log(_)
                | Subject::Directory
                | Subject::Calls
                | Subject::Topic(_)
                | Subject::Service(_)
                | Subject::Device(_) => false,
            });
            snapshot.extend(there.map(|(_, event)| event.clone()));
            self.follows.push((id, subject, form, splice.clone()));
        }
        let reply = Ok(Reply::Following { snapshot });
        self.with(|session, ambient, out| session.reply(ticket, reply, ambient, out));
    }

    pub(super) fn request(
        &mut self,
        ticket: Ticket,
        request: Request,
        form: Form,
        splice: &Splice,
    ) {
        let can_fail = !matches!(request, Request::Leave(_) | Request::Unfollow { .. });
        if let Some(kind) = self.fails.take_if(|_| can_fail) {
            let failure = Failure::new(kind, format!("it fails by {kind:?}"));
            self.with(|session, ambient, out| {
                session.reply(ticket, Err(failure), ambient, out);
            });
            return;
        }
        let reply = match request {
            Request::Follow { id, subject, .. } => {
                let wanted = Wanted { id, subject, form };
                return self.follow(ticket, vec![wanted], splice);
            }
            Request::Unfollow { id, subject } => {
                self.follows
                    .retain(|(known, of, ..)| *known != id || *of != subject);
                self.lines
                    .push(format!("unfollow> {} {}", id.0, in_words(&subject)));
                Reply::Unfollowed
            }
            Request::CallOnce { key, call } => {
                let ModuleAddress::Place(path) = &call.module else {
                    panic!("this dialect names modules by their places");
                };
                self.lines.push(format!(
                    "call> {} ({}: {}) {path} {} {}",
                    ticket.0, key.caller, key.name, call.function, call.arguments
                ));
                self.open.push(ticket);
                return;
            }
            Request::Query(Query::Modules(system)) => {
                self.lines.push(format!("look> {system}"));
                Reply::Found(Found::Modules(Vec::new()))
            }
            Request::Query(Query::Value(path)) => {
                let subject = Subject::Status(Arc::clone(&path));
                self.lines.push(format!("ask> {}", in_words(&subject)));
                let place = (path.module.to_string(), path.status.clone());
                let said = self.statuses.get(&place).cloned();
                let said = said.filter(has_value);
                Reply::Found(Found::Snapshot(said.into_iter().collect()))
            }
            Request::Enter(entry) => return self.enter(ticket, entry, form, splice),
            Request::Leave(topic) => {
                self.lines.push(format!("leave> {topic}"));
                self.leave(&topic);
                Reply::Left
            }
            Request::Publish(publication) => {
                self.published(publication);
                Reply::Published
            }
            Request::Debug(ModuleAddress::Place(path)) => {
                self.lines.push(format!("debug> {path}"));
                let module = self.module_at(&path);
                let subject = Subject::Log(module.clone());
                // A log is followed once, however often it is asked for.
                if !self.follows.iter().any(|(_, of, ..)| *of == subject) {
                    self.follows
                        .push((FollowId(0), subject, form, splice.clone()));
                }
                Reply::Debugging(module)
            }
            Request::Ignore(ModuleAddress::Id { id, .. }) => {
                self.lines.push(format!("ignore> {id}"));
                let subject = Subject::Log(id);
                self.follows.retain(|(_, of, ..)| *of != subject);
                Reply::Ignored
            }
            Request::Call(_)
            | Request::Query(_)
            | Request::Run(_)
            | Request::Announce { .. }
            | Request::Custom { .. }
            | Request::Tokens(_)
            | Request::Messages(_)
            | Request::Debug(_)
            | Request::Ignore(_) => panic!("this dialect never asks this: {request:?}"),
        };
        self.with(|session, ambient, out| session.reply(ticket, Ok(reply), ambient, out));
    }
}

fn has_value(event: &Event) -> bool {
    matches!(event, Event::Value { value: Some(_), .. })
}

fn in_words(subject: &Subject) -> String {
    match subject {
        Subject::Module(path) => path.to_string(),
        Subject::Bus => "bus".to_owned(),
        Subject::Status(path) => format!("{} {}", path.module, path.status),
        Subject::Log(_)
        | Subject::Directory
        | Subject::Announced(_)
        | Subject::Calls
        | Subject::Topic(_)
        | Subject::Service(_)
        | Subject::Device(_) => {
            panic!("this dialect never follows this: {subject:?}")
        }
    }
}
