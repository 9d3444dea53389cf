//! A stage for tests: one connection, and all that surrounds it played in memory, as exact as the server is about order.
//!
//! Services have letters for names, and keys made of them. What the core is asked of messages is answered at once, unless a test holds the answers back.

mod building;
mod requests;
mod store;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::dialects::pushjet::Hello;
use crate::dialects::{
    Alarm, Ambient, DialectSettings, Hello as AnyHello, Incoming, Out, PusherSettings, Receipt,
    Session, Surroundings,
};
use crate::model::{
    BuildingView, ConnectionId, Event, Failure, FailureKind, FollowId, MessageNews, MessageRequest,
    Notice, ProcessId, Reply, Subject, Ticket,
};

use building::{BEGIN_SECS, device, key};
use store::Store;

pub(super) use building::{UUID, message, service};

/// One connection on its stage.
pub(super) struct Stage {
    surroundings: Surroundings,
    session: Session,
    follows: Vec<Subject>,
    pub(super) store: Store,
    held: Option<(Held, VecDeque<Open>)>,
    /// How the next question fails.
    fails: Option<FailureKind>,
    /// What the client is to confirm.
    receipt: Option<Receipt>,
    /// What was sent since the client confirmed something.
    unconfirmed: Vec<String>,
    /// What came of the inputs: what the session said, and what it did.
    pub(super) lines: Vec<String>,
}

/// When a question that is held back was looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// When it was asked: much may have happened since.
    Early,
    /// When it is answered.
    Late,
}

/// A question without an answer.
enum Open {
    Asked(Ticket, MessageRequest),
    Answered(Ticket, Result<Reply, Failure>),
}

/// The settings of a gateway that was told nothing.
pub(super) fn settings() -> DialectSettings {
    DialectSettings {
        message_max_bytes: 1024,
        ping_after: Duration::from_secs(30),
        pong_every: Duration::from_secs(80),
        reap_after: Duration::from_secs(90),
        pusher: PusherSettings::DEFAULT,
    }
}

impl Stage {
    /// A connection that has just been opened, in a building with the services a and b.
    pub(super) fn open() -> Self {
        let view = BuildingView {
            services: vec![service('a', "Boiler"), service('b', "Door")],
            ..BuildingView::default()
        };
        let surroundings = Surroundings::new(view, &Surroundings::default());
        let mut session = None;
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        let mut out = Out::new(&mut bytes, |_, _| {}, &mut steps);
        with_ambient(&surroundings, |ambient| {
            let hello = AnyHello::Pushjet(Hello);
            session = Some(Session::open(hello, ambient, &mut out));
        });
        assert!(
            bytes.is_empty() && steps.is_empty(),
            "the client speaks first"
        );
        Self {
            surroundings,
            session: session.expect("it was opened"),
            follows: Vec::new(),
            store: Store::with(BTreeSet::from([key('a'), key('b')])),
            held: None,
            fails: None,
            receipt: None,
            unconfirmed: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// A connection whose client has said its uuid.
    pub(super) fn listening() -> Self {
        let mut stage = Self::open();
        stage.client(UUID);
        stage.identified(None);
        stage
    }

    /// The client sends a text.
    pub(super) fn client(&mut self, text: &str) {
        self.with(|session, ambient, out| session.receive(Incoming::Text(text), ambient, out));
    }

    /// The client sends bytes.
    pub(super) fn client_bytes(&mut self, bytes: &[u8]) {
        self.with(|session, ambient, out| session.receive(Incoming::Binary(bytes), ambient, out));
    }

    /// The core knows the device now, or the client is not let in.
    pub(super) fn identified(&mut self, failed: Option<FailureKind>) {
        let found = failed.map_or(Ok(None), |kind| Err(failure(kind)));
        self.with(|session, ambient, out| session.identified(found, ambient, out));
    }

    /// The next question fails so.
    pub(super) fn fail_next(&mut self, kind: FailureKind) {
        self.fails = Some(kind);
    }

    /// No question is answered from now on.
    pub(super) fn hold(&mut self, how: Held) {
        self.held.get_or_insert_with(|| (how, VecDeque::new()));
    }

    /// What was asked is answered.
    pub(super) fn release(&mut self) {
        for open in self.held.take().map(|(_, open)| open).unwrap_or_default() {
            match open {
                Open::Asked(ticket, request) => {
                    let reply = self.store.answer(&request);
                    self.reply(ticket, Ok(Reply::Messages(reply)));
                }
                Open::Answered(ticket, reply) => self.reply(ticket, reply),
            }
        }
    }

    /// The client has got all that was sent. Says whether something was to be confirmed.
    pub(super) fn got(&mut self) -> bool {
        let Some(receipt) = self.receipt.take() else {
            return false;
        };
        self.store.got.extend(self.unconfirmed.drain(..));
        self.with(|session, ambient, out| session.confirmed(receipt, ambient, out));
        true
    }

    /// The alarm goes off.
    pub(super) fn ring(&mut self) {
        self.with(|session, ambient, out| session.alarm(Alarm(0), ambient, out));
    }

    /// The device subscribes, over HTTP.
    pub(super) fn subscribe(&mut self, letter: char) {
        if let Some(subscription) = self.store.subscribe(key(letter)) {
            self.tell(MessageNews::Subscribed {
                device: device(),
                subscription,
                is_active: true,
            });
        }
    }

    /// The device unsubscribes, or its service has gone.
    pub(super) fn unsubscribe(&mut self, letter: char) {
        if let Some(subscription) = self.store.unsubscribe(&key(letter)) {
            self.tell(MessageNews::Subscribed {
                device: device(),
                subscription,
                is_active: false,
            });
        }
    }

    /// A service sends a message.
    pub(super) fn send(&mut self, letter: char, notice: Notice) {
        let message = self.store.send(key(letter), notice);
        self.tell(MessageNews::Sent(message));
    }

    /// A service sends a message of which the node does not hear.
    pub(super) fn send_unheard(&mut self, letter: char, text: &str) {
        let notice = message(letter, 0, text).notice.clone();
        self.store.send(key(letter), notice);
    }

    /// Something may have happened that was not told.
    pub(super) fn missed(&mut self) {
        self.tell(MessageNews::Missed);
    }

    /// The building has such a service, or has it no longer.
    pub(super) fn set_service(&mut self, letter: char, name: Option<&str>) {
        let mut view = (*self.surroundings.building).clone();
        view.services.retain(|it| it.key != key(letter));
        if name.is_none() {
            self.store.steady.remove(&key(letter));
        }
        let new = name.map(|name| service(letter, name));
        view.services.extend(new);
        let after = Surroundings::new(view, &self.surroundings);
        let before = std::mem::replace(&mut self.surroundings, after);
        self.with(|session, ambient, out| session.looked_around(&before, ambient, out));
    }

    fn tell(&mut self, news: MessageNews) {
        let subject = match &news {
            MessageNews::Sent(message) => Subject::Service(message.service.clone()),
            MessageNews::Subscribed { device, .. } => Subject::Device(device.clone()),
            MessageNews::Missed => Subject::Device(device()),
        };
        if self.follows.contains(&subject) {
            let event = Event::Message(Arc::new(news));
            self.with(|session, ambient, out| {
                session.event(FollowId(0), &event, ambient, out);
            });
        }
    }

    fn reply(&mut self, ticket: Ticket, reply: Result<Reply, Failure>) {
        self.with(|session, ambient, out| session.reply(ticket, reply, ambient, out));
    }

    /// Lets the session do something, and does what it asks for.
    fn with(&mut self, act: impl FnOnce(&mut Session, &Ambient<'_>, &mut Out<'_>)) {
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        let mut out = Out::new(&mut bytes, |out, _| out.push(b'\n'), &mut steps);
        let session = &mut self.session;
        with_ambient(&self.surroundings, |ambient| {
            act(session, ambient, &mut out);
        });
        let said = String::from_utf8(bytes).expect("what is said is text");
        self.unconfirmed.extend(said.lines().map(str::to_owned));
        self.lines
            .extend(said.lines().map(|text| format!("S> {text}")));
        for step in steps {
            self.perform(step);
        }
    }
}

fn with_ambient(surroundings: &Surroundings, act: impl FnOnce(&Ambient<'_>)) {
    let settings = settings();
    act(&Ambient {
        process: ProcessId(7),
        connection: ConnectionId(1),
        clock: &|| BEGIN_SECS,
        draw: &|| 1,
        level: None,
        settings: &settings,
        surroundings,
    });
}

fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, format!("it fails by {kind:?}"))
}
