//! What the server and the core on the stage do and answer.

use crate::dialects::pushjet::stage::building::{device, letter};
use crate::dialects::pushjet::stage::{Held, Open, Stage, failure};
use crate::dialects::{Step, Wanted};
use crate::model::{
    Credentials, Failure, FollowId, MessageRequest, Reply, Request, Subject, Ticket,
};

impl Stage {
    pub(super) fn perform(&mut self, step: Step) {
        match step {
            Step::Authenticate(Credentials::Device(device)) => {
                self.lines.push(format!("auth> {device}"));
            }
            Step::Follow {
                ticket, follows, ..
            } => {
                let failed = self.fails.take().map(failure);
                let reply = failed.map_or_else(|| Ok(self.follow(follows)), Err);
                self.reply(ticket, reply);
            }
            Step::Request {
                ticket, request, ..
            } => self.request(ticket, request),
            Step::Confirm(receipt) => {
                assert_eq!(self.receipt, None, "one at a time");
                self.receipt = Some(receipt);
                self.lines.push(format!("confirm> {}", receipt.0));
            }
            Step::SetAlarm(..) => self.lines.push("alarm>".to_owned()),
            Step::Authenticate(_) | Step::Refused { .. } | Step::Close(..) => {
                panic!("this dialect never does this: {step:?}")
            }
        }
    }

    fn follow(&mut self, follows: Vec<Wanted>) -> Reply {
        for Wanted { id, subject, form } in follows {
            assert_eq!(id, FollowId(0));
            assert!(form.is_for_session());
            self.lines.push(format!("follow> {}", in_words(&subject)));
            assert!(!self.follows.contains(&subject), "it is followed already");
            self.follows.push(subject);
        }
        let snapshot = Vec::new();
        Reply::Following { snapshot }
    }

    fn request(&mut self, ticket: Ticket, request: Request) {
        let request = match request {
            Request::Unfollow { subject, .. } => {
                self.lines.push(format!("unfollow> {}", in_words(&subject)));
                self.follows.retain(|followed| *followed != subject);
                return self.reply(ticket, Ok(Reply::Unfollowed));
            }
            Request::Messages(request) => request,
            Request::Follow { .. }
            | Request::Call(_)
            | Request::CallOnce { .. }
            | Request::Query(_)
            | Request::Enter(_)
            | Request::Leave(_)
            | Request::Publish(_)
            | Request::Run(_)
            | Request::Announce { .. }
            | Request::Custom { .. }
            | Request::Tokens(_)
            | Request::Debug(_)
            | Request::Ignore(_) => panic!("this dialect never asks this: {request:?}"),
        };
        assert_eq!(*request.device(), device());
        self.lines.push(match &request {
            MessageRequest::Subscriptions(_) => "list>".to_owned(),
            MessageRequest::Unread(_) => "unread>".to_owned(),
            MessageRequest::Read(_, marks) => {
                let marks = marks.iter();
                let marks = marks.map(|it| format!(" {} {}", letter(&it.service), it.number.0));
                format!("mark>{}", marks.collect::<String>())
            }
        });
        if let Some(kind) = self.fails.take() {
            return self.answer(ticket, Err(failure(kind)));
        }
        if let Some((Held::Late, open)) = &mut self.held {
            open.push_back(Open::Asked(ticket, request));
            return;
        }
        let reply = self.store.answer(&request);
        self.answer(ticket, Ok(Reply::Messages(reply)));
    }

    fn answer(&mut self, ticket: Ticket, reply: Result<Reply, Failure>) {
        match &mut self.held {
            Some((_, open)) => open.push_back(Open::Answered(ticket, reply)),
            None => self.reply(ticket, reply),
        }
    }
}

fn in_words(subject: &Subject) -> String {
    match subject {
        Subject::Device(device) => device.to_string(),
        Subject::Service(key) => letter(key).to_owned(),
        Subject::Status(_)
        | Subject::Module(_)
        | Subject::Log(_)
        | Subject::Directory
        | Subject::Bus
        | Subject::Announced(_)
        | Subject::Calls
        | Subject::Topic(_) => panic!("this dialect never follows this: {subject:?}"),
    }
}
