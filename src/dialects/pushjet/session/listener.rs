//! A listener of a device: what it waits for, and what it does next.
//!
//! It does one thing at a time, in this order: what was got is marked, the device is followed, its subscriptions are listed, their services are followed,
//! what is unread is fetched, and what waits is sent. Each follow comes before the question, so nothing falls between the two.
//! What fails is asked again after a pause; nothing here does harm when it is done twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::dialects::pushjet::Form;
use crate::dialects::pushjet::limits::{RETRY_FIRST, RETRY_MAX};
use crate::dialects::pushjet::session::Turn;
use crate::dialects::pushjet::session::subscriptions::Subscriptions;
use crate::dialects::pushjet::session::waiting::{Room, Waiting};
use crate::dialects::{Alarm, Form as AnyForm, Receipt, Splice, Step, Wanted};
use crate::model::{
    Backoff, DeviceId, Failure, FollowId, Mark, Message, MessageNews, MessageReply, MessageRequest,
    Reply, Request, ServiceKey, Subject, Ticket,
};

/// A listener follows each subject once.
pub(super) const THE_FOLLOW: FollowId = FollowId(0);

/// When what has failed is asked again.
const RETRY: Alarm = Alarm(0);

/// The state of a listener.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) device: DeviceId,
    pub(super) phase: Phase,
    pub(super) subscriptions: Subscriptions,
    pub(super) waiting: Waiting,
    /// How far the listener has got messages, to be marked in the store.
    pub(super) marks: Vec<Mark>,
    /// Whether the device itself is followed.
    follows_device: bool,
    /// Whether the subscriptions may be others than those that are known.
    wants_list: bool,
    /// Whether there may be unread messages that were not heard of.
    pub(super) wants_unread: bool,
    /// Whether the subscriptions have been listed once: from then on a new one is news.
    pub(super) has_list: bool,
    /// Whether there are messages of a service that the building does not show yet.
    pub(super) has_hidden: bool,
    backoff: Backoff,
    tickets: u32,
    receipts: u32,
}

/// What a listener waits for.
#[derive(Debug)]
pub(super) enum Phase {
    /// Something to do.
    Idle,
    /// The device to be followed.
    Joining(Ticket),
    /// The subscriptions. Those of the services here have changed since they were asked for.
    Listing(Ticket, BTreeSet<ServiceKey>),
    /// These services to be followed.
    Following(Ticket, Vec<ServiceKey>),
    /// What is unread.
    Fetching(Ticket),
    /// The client to have got a batch, which ends here.
    Sent(Receipt, Vec<Mark>),
    /// The store to have kept these marks.
    Marking(Ticket, Vec<Mark>),
    /// The time when what has failed is asked again.
    Resting,
}

impl Phase {
    /// The request that it waits for.
    fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Joining(ticket)
            | Self::Listing(ticket, _)
            | Self::Following(ticket, _)
            | Self::Fetching(ticket)
            | Self::Marking(ticket, _) => Some(*ticket),
            Self::Idle | Self::Sent(..) | Self::Resting => None,
        }
    }
}

impl Listener {
    /// A listener that knows nothing yet.
    pub(super) fn new(device: DeviceId) -> Self {
        Self {
            device,
            phase: Phase::Idle,
            subscriptions: Subscriptions::default(),
            waiting: Waiting::default(),
            marks: Vec::new(),
            follows_device: false,
            wants_list: true,
            wants_unread: true,
            has_list: false,
            has_hidden: false,
            backoff: Backoff::new(RETRY_FIRST, RETRY_MAX),
            tickets: 0,
            receipts: 0,
        }
    }

    /// Does what is next, unless something is waited for.
    pub(super) fn go_on(&mut self, turn: &mut Turn<'_, '_>) {
        while matches!(self.phase, Phase::Idle) && self.has_more_to_do() {
            self.do_next(turn);
        }
    }

    fn has_more_to_do(&self) -> bool {
        !self.marks.is_empty()
            || !self.follows_device
            || self.wants_list
            || self.subscriptions.values().any(|it| !it.is_followed)
            || self.wants_unread
            || !self.waiting.is_empty()
    }

    fn do_next(&mut self, turn: &mut Turn<'_, '_>) {
        let device = self.device.clone();
        if !self.marks.is_empty() {
            let marks = std::mem::take(&mut self.marks);
            let read = MessageRequest::Read(device, marks.clone());
            self.phase = Phase::Marking(self.ask(Request::Messages(read), turn), marks);
        } else if !self.follows_device {
            self.phase = Phase::Joining(self.follow([Subject::Device(device)], turn));
        } else if std::mem::take(&mut self.wants_list) {
            let list = Request::Messages(MessageRequest::Subscriptions(device));
            self.phase = Phase::Listing(self.ask(list, turn), BTreeSet::new());
        } else if self.subscriptions.values().any(|it| !it.is_followed) {
            self.follow_services(turn);
        } else if std::mem::take(&mut self.wants_unread) {
            let unread = Request::Messages(MessageRequest::Unread(device));
            self.phase = Phase::Fetching(self.ask(unread, turn));
        } else {
            let due = self.waiting.take(None);
            self.deliver(due, turn);
        }
    }

    fn follow_services(&mut self, turn: &mut Turn<'_, '_>) {
        let new = self.subscriptions.iter().filter(|(_, it)| !it.is_followed);
        let new: Vec<ServiceKey> = new.map(|(key, _)| key.clone()).collect();
        let subjects = new.iter().cloned().map(Subject::Service);
        let ticket = self.follow(subjects, turn);
        self.phase = Phase::Following(ticket, new);
    }

    /// Something has happened.
    pub(super) fn hear(&mut self, news: &MessageNews, turn: &mut Turn<'_, '_>) {
        match news {
            MessageNews::Sent(message) => self.hear_message(message),
            MessageNews::Subscribed {
                device,
                subscription,
                is_active,
            } => {
                if *device == self.device {
                    self.subscription_changed(subscription, *is_active, turn);
                }
            }
            MessageNews::Missed => {
                self.wants_list = true;
                self.wants_unread = true;
            }
        }
        self.go_on(turn);
    }

    fn hear_message(&mut self, message: &Arc<Message>) {
        let Some(subscribed) = self.subscriptions.get_mut(&message.service) else {
            return;
        };
        if subscribed.heard.is_some_and(|last| message.number <= last) {
            return;
        }
        // One that was passed over is unread, unless another listener of the device got it.
        let follows_a_gap = subscribed.heard.is_none_or(|last| message.previous > last);
        subscribed.heard = Some(message.number);
        let room = self.waiting.push(Arc::clone(message));
        self.wants_unread |= follows_a_gap || room == Room::TooLittle;
    }

    /// Takes an answer. One that is not waited for is to an unfollow.
    pub(super) fn reply(
        &mut self,
        ticket: Ticket,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_, '_>,
    ) {
        if self.phase.ticket() != Some(ticket) {
            return;
        }
        match reply {
            Ok(reply) => {
                self.backoff.reset();
                self.answered(reply, turn);
            }
            Err(_) => self.failed(turn),
        }
        self.go_on(turn);
    }

    fn answered(&mut self, reply: Reply, turn: &mut Turn<'_, '_>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        match (phase, reply) {
            (Phase::Joining(_), _) => self.follows_device = true,
            (Phase::Listing(_, touched), Reply::Messages(MessageReply::Subscriptions(listed))) => {
                self.subscriptions_listed(listed, &touched, turn)
            }
            (Phase::Following(_, services), _) => self.followed(&services),
            (Phase::Fetching(_), Reply::Messages(MessageReply::Unread(unread))) => {
                self.fetched(unread, turn);
            }
            // What was marked is done with; no other answer means anything.
            (_, _) => {}
        }
    }

    /// What was sent since the device subscribed to these is heard of from now on, or fetched.
    fn followed(&mut self, services: &[ServiceKey]) {
        for service in services {
            if let Some(subscribed) = self.subscriptions.get_mut(service) {
                subscribed.is_followed = true;
            }
        }
        self.wants_unread = true;
    }

    /// What failed is to be done again, after a pause.
    fn failed(&mut self, turn: &mut Turn<'_, '_>) {
        match std::mem::replace(&mut self.phase, Phase::Resting) {
            Phase::Marking(_, marks) => self.marks = marks,
            Phase::Listing(..) => self.wants_list = true,
            Phase::Fetching(_) => self.wants_unread = true,
            Phase::Joining(_) | Phase::Following(..) => {}
            Phase::Idle | Phase::Sent(..) | Phase::Resting => {}
        }
        let pause = self.backoff.pause();
        turn.out.step(Step::SetAlarm(RETRY, pause));
    }

    /// The pause is over.
    pub(super) fn try_again(&mut self, turn: &mut Turn<'_, '_>) {
        if matches!(self.phase, Phase::Resting) {
            self.phase = Phase::Idle;
            self.go_on(turn);
        }
    }

    /// The client has got a batch.
    pub(super) fn confirmed(&mut self, receipt: Receipt, turn: &mut Turn<'_, '_>) {
        let Phase::Sent(sent, marks) = &mut self.phase else {
            return;
        };
        if *sent == receipt {
            self.marks = std::mem::take(marks);
            self.phase = Phase::Idle;
            self.go_on(turn);
        }
    }

    /// Waits for the client to have got what was put out.
    pub(super) fn confirm(&mut self, marks: Vec<Mark>, turn: &mut Turn<'_, '_>) {
        let receipt = Receipt(self.receipts);
        self.receipts = self.receipts.wrapping_add(1);
        turn.out.step(Step::Confirm(receipt));
        self.phase = Phase::Sent(receipt, marks);
    }

    pub(super) fn ask(&mut self, request: Request, turn: &mut Turn<'_, '_>) -> Ticket {
        let ticket = self.ticket();
        turn.out.step(Step::Request {
            ticket,
            request,
            form: AnyForm::Pushjet(Form),
            splice: Splice::default(),
        });
        ticket
    }

    fn follow(
        &mut self,
        subjects: impl IntoIterator<Item = Subject>,
        turn: &mut Turn<'_, '_>,
    ) -> Ticket {
        let follows = subjects.into_iter().map(|subject| Wanted {
            id: THE_FOLLOW,
            subject,
            form: AnyForm::Pushjet(Form),
        });
        let follows = follows.collect();
        let ticket = self.ticket();
        turn.out.step(Step::Follow {
            ticket,
            follows,
            splice: Splice::default(),
        });
        ticket
    }

    /// Grows with every request, so that a late second answer meets no other.
    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets = self.tickets.wrapping_add(1);
        ticket
    }
}
