//! A stage for tests: one connection, and all that surrounds it played in memory, as exact as the server is about order.
//!
//! It has a building whose modules have values. What is followed is followed at once, what is announced comes to those who hear it,
//! and calls stay open until a test answers them.

mod building;
mod commands;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::dialects::home_assistant;
use crate::dialects::{
    Alarm, Ambient, DialectSettings, Encoded, Form, Hello, Incoming, Out, PusherSettings, Session,
    Splice, Step, Surroundings, Wanted, encode,
};
use crate::model::{
    Act, BusEvent, Clearance, ConnectionId, Credentials, Event, Failure, FailureKind, FollowId,
    Found, JsonText, Key, ModuleAddress, ModuleIndex, ModuleName, ModulePath, Newest, ProcessId,
    Query, Reply, Request, Subject, SystemId, Ticket, Timestamp, User, UserId,
};

const SETTINGS: DialectSettings = DialectSettings {
    message_max_bytes: 1024,
    ping_after: Duration::from_secs(30),
    pong_every: Duration::from_secs(80),
    reap_after: Duration::from_secs(90),
    pusher: PusherSettings::DEFAULT,
};

/// When the first thing happens; each further one happens a second later.
const BEGIN: u64 = 1_795_225_574_650_000;

/// One connection on its stage.
pub(super) struct Stage {
    surroundings: Surroundings,
    newest: BTreeMap<String, Newest>,
    session: Option<Session>,
    user: User,
    /// The only system that the client may reach, if there is one.
    restricted_to: Option<SystemId>,
    follows: Vec<(FollowId, Subject, Form, Splice)>,
    now: Cell<u64>,
    draws: Cell<u128>,
    /// The acts of the open calls, and of all that were ever made, by ticket.
    acts: HashMap<Ticket, u128>,
    /// The calls that are open.
    pub(super) open: Vec<Ticket>,
    /// What came of the inputs: what the session said, and what it did.
    pub(super) lines: Vec<String>,
}

impl Stage {
    /// A connection that has just been opened, in an empty building.
    pub(super) fn open() -> Self {
        let mut stage = Self {
            surroundings: Surroundings::default(),
            newest: BTreeMap::new(),
            session: None,
            user: user("user-eng", Clearance::Admin),
            restricted_to: None,
            follows: Vec::new(),
            now: Cell::new(BEGIN),
            draws: Cell::new(0),
            acts: HashMap::new(),
            open: Vec::new(),
            lines: Vec::new(),
        };
        stage.play(|session, ambient, out| {
            *session = Some(Session::open(Hello::HomeAssistant(hello()), ambient, out));
        });
        stage
    }

    /// The client sends a text.
    pub(super) fn client(&mut self, text: &str) {
        self.with(|session, ambient, out| {
            session.receive(Incoming::Text(text), ambient, out);
        });
    }

    /// The client sends bytes.
    pub(super) fn client_bytes(&mut self, bytes: &[u8]) {
        self.with(|session, ambient, out| {
            session.receive(Incoming::Binary(bytes), ambient, out);
        });
    }

    /// It is known who shows the credentials.
    pub(super) fn identified(&mut self, id: &str, level: Clearance) {
        self.user = user(id, level);
        let user = self.user.clone();
        self.with(|session, ambient, out| session.identified(Ok(Some(&user)), ambient, out));
    }

    /// The client may reach this system alone.
    pub(super) fn restrict_to(&mut self, system: &str) {
        self.restricted_to = Some(SystemId::new(system).unwrap());
    }

    /// The credentials are not good, or cannot be looked at.
    pub(super) fn not_identified(&mut self, kind: FailureKind) {
        let failure = Failure::new(kind, "no");
        self.with(|session, ambient, out| session.identified(Err(failure), ambient, out));
    }

    /// The time of an alarm has come.
    pub(super) fn alarm(&mut self, alarm: u8) {
        self.with(|session, ambient, out| session.alarm(Alarm(alarm), ambient, out));
    }

    /// The core answers a call.
    pub(super) fn answer(&mut self, ticket: Ticket, reply: Result<Reply, Failure>) {
        self.open.retain(|open| *open != ticket);
        self.with(|session, ambient, out| session.reply(ticket, reply, ambient, out));
    }

    /// The act of a call that was made.
    pub(super) fn act(&self, ticket: Ticket) -> Arc<Act> {
        Arc::new(Act {
            id: self.acts[&ticket],
            user: Some(Arc::from(self.user.id.as_str())),
        })
    }

    /// Something is announced on the bus by someone else.
    pub(super) fn announce(&mut self, name: &str, data: &str) {
        let act = Act { id: 99, user: None };
        self.announced(name, json(data), act);
    }

    fn announced(&mut self, name: &str, data: JsonText, act: Act) {
        let event = Event::Bus(Arc::new(BusEvent {
            name: Arc::from(name),
            data,
            level: Clearance::User,
            act: Arc::new(act),
            at: self.moment(),
        }));
        self.deliver(&Subject::Bus, &event, &Newest::None);
    }

    fn moment(&self) -> Timestamp {
        let now = self.now.get();
        self.now.set(now + 1_000_000);
        Timestamp(now)
    }

    /// Writes an event for all who follow its subject.
    fn deliver(&mut self, subject: &Subject, event: &Event, newest: &Newest) {
        let followers = self
            .follows
            .iter()
            .filter(|(_, followed, ..)| followed == subject);
        let followers: Vec<(FollowId, Form, Splice)> = followers
            .map(|(id, _, form, splice)| (*id, *form, splice.clone()))
            .collect();
        for (id, form, splice) in followers {
            if form.is_for_session() {
                self.with(|session, ambient, out| session.event(id, event, ambient, out));
                continue;
            }
            let mut out = Encoded::default();
            encode(form, event, newest, &self.surroundings, &mut out);
            for (before, after) in out.frames() {
                let frame = [before, splice.as_bytes(), after].concat();
                self.lines
                    .push(format!("S> {}", String::from_utf8(frame).unwrap()));
            }
        }
    }

    /// Lets the session do something, and does what it asks for.
    fn with(&mut self, act: impl FnOnce(&mut Session, &Ambient<'_>, &mut Out<'_>)) {
        self.play(|session, ambient, out| {
            act(session.as_mut().expect("it was opened"), ambient, out);
        });
    }

    fn play(&mut self, act: impl FnOnce(&mut Option<Session>, &Ambient<'_>, &mut Out<'_>)) {
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        let clock = || self.now.get() / 1_000_000;
        let draw = || {
            self.draws.set(self.draws.get() + 1);
            self.draws.get()
        };
        let ambient = Ambient {
            process: ProcessId(7),
            connection: ConnectionId(1),
            clock: &clock,
            draw: &draw,
            level: Some(self.user.level),
            settings: &SETTINGS,
            surroundings: &self.surroundings,
        };
        let mut out = Out::new(&mut bytes, |out, _| out.push(b'\n'), &mut steps);
        act(&mut self.session, &ambient, &mut out);
        let said = String::from_utf8(bytes).expect("what is said is text");
        self.lines
            .extend(said.lines().map(|text| format!("S> {text}")));
        for step in steps {
            self.perform(step);
        }
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::Follow {
                ticket,
                follows,
                splice,
            } => self.follow(ticket, follows, &splice),
            Step::Request {
                ticket,
                request,
                form,
                splice,
            } => self.request(ticket, request, form, &splice),
            Step::Refused { command } => self.lines.push(format!("audit> {command:?}")),
            Step::Authenticate(credentials) => self.lines.push(match credentials {
                Credentials::ApiKey(key) => format!("auth> key {}", key.expose()),
                Credentials::Bearer { token, .. } => format!("auth> token {}", token.expose()),
                Credentials::Session(_)
                | Credentials::AppKey(_)
                | Credentials::AppUser { .. }
                | Credentials::Device(_) => {
                    panic!("this dialect has neither cookies nor apps nor devices")
                }
            }),
            Step::Close(frame, why) => {
                let text = format!("close> {} {}", frame.code, why.as_str());
                self.lines.push(text);
            }
            Step::Confirm(_) => panic!("this dialect asks for no receipt"),
            Step::SetAlarm(Alarm(alarm), after) => {
                let text = format!("alarm> {alarm} in {} s", after.as_secs());
                self.lines.push(text);
            }
        }
    }

    fn follow(&mut self, ticket: Ticket, follows: Vec<Wanted>, splice: &Splice) {
        let mut snapshot = Vec::new();
        for Wanted { id, subject, form } in follows {
            if !self.may_follow(&subject) {
                continue;
            }
            let mut follows = self.follows.iter();
            if !follows.any(|(known, of, ..)| *known == id && *of == subject) {
                self.lines
                    .push(format!("follow> {} {}", id.0, subject_in_words(&subject)));
                let follow = (id, subject.clone(), form, splice.clone());
                self.follows.push(follow);
            }
            let (place, status) = match &subject {
                Subject::Module(path) => (path.to_string(), None),
                Subject::Status(path) => (path.module.to_string(), Some(&path.status)),
                Subject::Bus
                | Subject::Announced(_)
                | Subject::Log(_)
                | Subject::Directory
                | Subject::Calls
                | Subject::Topic(_)
                | Subject::Service(_)
                | Subject::Device(_) => continue,
            };
            if let Some(newest) = self.newest.get(&place) {
                let events = newest.events().map(|(_, event)| event);
                let wanted = |event: &&Event| match (event.key(), status) {
                    (Some(Key::Status(name)), Some(status)) => name == status,
                    (_, _) => status.is_none(),
                };
                snapshot.extend(events.filter(wanted).cloned());
            }
        }
        let reply = Ok(Reply::Following { snapshot });
        self.with(|session, ambient, out| session.reply(ticket, reply, ambient, out));
    }

    /// What modules say that the client may see.
    fn read(&mut self, places: Vec<Arc<ModulePath>>) -> Vec<Event> {
        let mut events = Vec::new();
        for place in places {
            if !self.may_follow(&Subject::Module(Arc::clone(&place))) {
                continue;
            }
            self.lines.push(format!("read> {place}"));
            if let Some(newest) = self.newest.get(&place.to_string()) {
                events.extend(newest.events().map(|(_, event)| event.clone()));
            }
        }
        events
    }

    /// As the core decides it: what is restricted sees its system alone, and modules with `_` are for support staff.
    fn may_follow(&self, subject: &Subject) -> bool {
        let place = match subject {
            Subject::Module(path) => Some(&**path),
            Subject::Status(path) => Some(&path.module),
            Subject::Bus
            | Subject::Announced(_)
            | Subject::Log(_)
            | Subject::Directory
            | Subject::Calls
            | Subject::Topic(_)
            | Subject::Service(_)
            | Subject::Device(_) => None,
        };
        if let Some(path) = place
            && path.module.as_str().starts_with('_')
            && self.user.level < Clearance::Support
        {
            return false;
        }
        match (place, &self.restricted_to) {
            (Some(path), Some(only)) => path.system == *only,
            (None, Some(_)) => false,
            (_, None) => true,
        }
    }

    fn request(&mut self, ticket: Ticket, request: Request, form: Form, splice: &Splice) {
        let reply = match request {
            Request::Unfollow { id, subject } => {
                let before = self.follows.len();
                self.follows
                    .retain(|(known, of, ..)| *known != id || *of != subject);
                if self.follows.len() < before {
                    self.lines
                        .push(format!("unfollow> {} {}", id.0, subject_in_words(&subject)));
                }
                Reply::Unfollowed
            }
            Request::Announce { name, data, act } => {
                self.lines
                    .push(format!("ask> {} announce {name} {data}", ticket.0));
                let user = Some(Arc::from(self.user.id.as_str()));
                self.announced(&name, data, Act { id: act, user });
                Reply::Published
            }
            Request::Query(Query::Systems) => {
                let systems = self.surroundings.building.systems.iter();
                let systems = systems.map(|view| view.system.id.clone());
                let reached = |id: &SystemId| {
                    let only = self.restricted_to.as_ref();
                    only.is_none_or(|only| only == id)
                };
                Reply::Found(Found::Systems(systems.filter(reached).collect()))
            }
            Request::Query(Query::Snapshot(places)) => {
                Reply::Found(Found::Snapshot(self.read(places)))
            }
            Request::Run(_) => panic!("this dialect runs no procedures"),
            Request::Messages(_) => panic!("this dialect has no messages"),
            Request::Tokens(request) => {
                let what = request.as_str();
                self.lines.push(format!("ask> {} {what}", ticket.0));
                self.open.push(ticket);
                return;
            }
            Request::Custom { command, fields } => {
                self.lines
                    .push(format!("ask> {} command {command} {fields}", ticket.0));
                self.open.push(ticket);
                return;
            }
            Request::Call(call) => {
                let ModuleAddress::Place(path) = &call.module else {
                    panic!("this dialect names modules by their places");
                };
                self.lines.push(format!(
                    "ask> {} call {path} {} {}",
                    ticket.0, call.function, call.arguments
                ));
                self.acts
                    .insert(ticket, call.act.expect("a call has an act"));
                self.open.push(ticket);
                return;
            }
            Request::Follow { subject, .. } if !self.may_follow(&subject) => {
                let failure = Failure::new(FailureKind::Forbidden, "no");
                self.with(|session, ambient, out| {
                    session.reply(ticket, Err(failure), ambient, out);
                });
                return;
            }
            Request::Follow { id, subject, .. } => {
                let wanted = Wanted { id, subject, form };
                self.follow(ticket, vec![wanted], splice);
                return;
            }
            Request::Query(_)
            | Request::CallOnce { .. }
            | Request::Enter(_)
            | Request::Leave(_)
            | Request::Publish(_)
            | Request::Debug(_)
            | Request::Ignore(_) => panic!("this dialect never asks this: {request:?}"),
        };
        self.with(|session, ambient, out| session.reply(ticket, Ok(reply), ambient, out));
    }
}

/// A place such as `sys-a Display_1`.
pub(super) fn module_path(text: &str) -> ModulePath {
    let (system, module) = text.split_once(' ').unwrap();
    let (name, index) = module.rsplit_once('_').unwrap();
    ModulePath {
        system: SystemId::new(system).unwrap(),
        module: ModuleName::new(name).unwrap(),
        index: ModuleIndex::new(index.parse().unwrap()).unwrap(),
    }
}

/// A valid JSON value.
pub(super) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn user(id: &str, level: Clearance) -> User {
    User {
        name: "Ann".to_owned(),
        level,
        ..User::new(&UserId::new(id).unwrap())
    }
}

fn subject_in_words(subject: &Subject) -> String {
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

fn hello() -> home_assistant::Hello {
    home_assistant::Hello {
        host: "rooms.test".into(),
    }
}
