//! A stage for tests: one connection, and all that surrounds it played in memory, as exact as the server is about order.
//!
//! It has a building with a room and some apps. What the core is asked is answered at once, unless a test holds the answers back;
//! calls stay open until a test answers them.

mod building;
mod requests;
mod topics;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::dialects::pusher::encode::Said;
use crate::dialects::pusher::signature::sign;
use crate::dialects::pusher::{Hello, Protocol};
use crate::dialects::{
    Ambient, DialectSettings, Encoded, Form, Hello as AnyHello, Incoming, Out, PusherSettings,
    Session, Splice, Step, Surroundings, encode,
};
use crate::model::{
    Act, BindingPath, BusEvent, Cause, Clearance, ClusterConnectionId, ConnectionId, Credentials,
    Event, Failure, FailureKind, FollowId, JsonText, LogLevel, LogLine, ModuleId, Newest,
    ProcessId, Reply, Revision, Secret, StatusName, Subject, SystemId, Ticket, Timestamp,
};

use building::{building, module_path};
use topics::Topic;

/// When the first thing happens; each further one happens a second later.
const BEGIN: u64 = 1_760_000_000_123_000;

/// The key of the app with all rights, and its secret.
pub(super) const KEY: &str = "a1b2c3d4e5f60718293a";
pub(super) const SECRET: &str = "b0a1c2d3e4f506172839";

/// The socket id of the connection.
pub(super) const SOCKET: &str = "7.1";

/// One connection on its stage.
pub(super) struct Stage {
    surroundings: Surroundings,
    settings: DialectSettings,
    /// The app of the connection.
    app: String,
    session: Option<Session>,
    follows: Vec<(FollowId, Subject, Form, Splice)>,
    statuses: BTreeMap<(String, StatusName), Event>,
    topics: BTreeMap<String, Topic>,
    now: Cell<u64>,
    draws: Cell<u128>,
    /// What is asked while answers are held back.
    held: Option<Vec<Step>>,
    /// How the next request that can fail does.
    fails: Option<FailureKind>,
    /// The calls that are open.
    pub(super) open: Vec<Ticket>,
    /// What came of the inputs: what the session said, and what it did.
    pub(super) lines: Vec<String>,
}

impl Stage {
    /// A connection of the app with all rights that has just been opened.
    pub(super) fn open() -> Self {
        Self::open_with(KEY, Protocol::Version(7), PusherSettings::DEFAULT)
    }

    /// A connection by this key.
    pub(super) fn open_with(key: &str, protocol: Protocol, pusher: PusherSettings) -> Self {
        let surroundings = building();
        let mut apps = surroundings.building.apps.iter();
        let app = apps.find(|app| app.key(key).is_some());
        let app = app.map(|app| app.id.to_string()).unwrap_or_default();
        let mut stage = Self {
            surroundings,
            app,
            settings: settings(pusher),
            session: None,
            follows: Vec::new(),
            statuses: BTreeMap::new(),
            topics: BTreeMap::new(),
            now: Cell::new(BEGIN),
            draws: Cell::new(0),
            held: None,
            fails: None,
            open: Vec::new(),
            lines: Vec::new(),
        };
        let hello = AnyHello::Pusher(Hello {
            key: key.into(),
            protocol,
        });
        stage.play(|session, ambient, out| {
            *session = Some(Session::open(hello, ambient, out));
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

    /// The client asks for a channel, with what its server signs for it.
    pub(super) fn subscribe(&mut self, channel: &str, channel_data: Option<&str>) {
        let data = channel_data.map(|data| format!(":{data}"));
        let text = format!("{SOCKET}:{channel}{}", data.unwrap_or_default());
        let data = serde_json::json!({
            "channel": channel,
            "auth": auth(&text),
            "channel_data": channel_data,
        });
        let frame = serde_json::json!({"event": "pusher:subscribe", "data": data});
        self.client(&frame.to_string());
    }

    /// The client leaves a channel.
    pub(super) fn unsubscribe(&mut self, channel: &str) {
        let data = serde_json::json!({"channel": channel});
        let frame = serde_json::json!({"event": "pusher:unsubscribe", "data": data});
        self.client(&frame.to_string());
    }

    /// The channels that the client is in.
    pub(super) fn channels(&self) -> BTreeSet<String> {
        let topics = self.follows.iter();
        let topics = topics.filter_map(|(_, subject, ..)| match subject {
            Subject::Topic(topic) => Some(topic.channel().to_owned()),
            Subject::Status(_)
            | Subject::Module(_)
            | Subject::Log(_)
            | Subject::Directory
            | Subject::Bus
            | Subject::Announced(_)
            | Subject::Calls
            | Subject::Service(_)
            | Subject::Device(_) => None,
        });
        topics.collect()
    }

    /// The client signs in, with what its server signs for it.
    pub(super) fn sign_in(&mut self, user_data: &str) {
        let auth = auth(&format!("{SOCKET}::user::{user_data}"));
        let data = serde_json::json!({"auth": auth, "user_data": user_data});
        let frame = serde_json::json!({"event": "pusher:signin", "data": data});
        self.client(&frame.to_string());
    }

    /// The core lets the user in, or does not.
    pub(super) fn identified(&mut self, failed: Option<FailureKind>) {
        let found = failed.map_or(Ok(None), |kind| Err(Failure::new(kind, "no")));
        self.with(|session, ambient, out| session.identified(found, ambient, out));
    }

    /// The next request that can fail fails so.
    pub(super) fn fail_next(&mut self, kind: FailureKind) {
        self.fails = Some(kind);
    }

    /// Nothing is answered from now on.
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// What was asked is answered, and what comes.
    pub(super) fn release(&mut self) {
        for step in self.held.take().unwrap_or_default() {
            self.perform(step);
        }
    }

    /// The first thing that was asked is answered, and the rest not yet.
    pub(super) fn release_one(&mut self) {
        let held = self.held.as_mut().filter(|held| !held.is_empty());
        if let Some(step) = held.map(|held| held.remove(0)) {
            self.perform(step);
        }
    }

    /// So many seconds pass.
    pub(super) fn pass(&mut self, seconds: u64) {
        self.now.set(self.now.get() + seconds * 1_000_000);
    }

    /// The core answers a call.
    pub(super) fn answer(&mut self, ticket: Ticket, reply: Result<Reply, Failure>) {
        self.open.retain(|open| *open != ticket);
        self.with(|session, ambient, out| session.reply(ticket, reply, ambient, out));
    }

    /// A status of a module changes; `gone` is no value.
    pub(super) fn says(&mut self, place: &str, status: &str, value: &str) {
        let path = BindingPath {
            module: module_path(place),
            status: StatusName::new(status).unwrap(),
        };
        let value = (value != "gone").then(|| JsonText::parse(value).unwrap());
        let known = (path.module.to_string(), path.status.clone());
        let before = self.statuses.get(&known).and_then(Said::of);
        let old = before.and_then(|said| said.value.cloned());
        let event = Event::Value {
            path: Arc::new(path.clone()),
            value,
            old,
            at: self.moment(),
            cause: Cause::Module,
            revision: Revision(1),
        };
        self.deliver(&Subject::Module(Arc::new(path.module.clone())), &event);
        self.deliver(&Subject::Status(Arc::new(path.clone())), &event);
        self.statuses.insert(known, event);
    }

    /// Something is announced on the bus.
    pub(super) fn announce(&mut self, name: &str, data: &str) {
        let event = Event::Bus(Arc::new(BusEvent {
            name: Arc::from(name),
            data: JsonText::parse(data).unwrap(),
            level: Clearance::User,
            act: Arc::new(Act { id: 1, user: None }),
            at: self.moment(),
        }));
        self.deliver(&Subject::Bus, &event);
    }

    /// A module writes a line into its log.
    pub(super) fn log(&mut self, module: &str, message: &str) {
        let module = ModuleId::new(module).unwrap();
        let event = Event::Line(Arc::new(LogLine {
            module: module.clone(),
            driver: Arc::from("demo"),
            level: LogLevel::Info,
            message: message.to_owned(),
        }));
        self.deliver(&Subject::Log(module), &event);
    }

    fn moment(&self) -> Timestamp {
        let now = self.now.get();
        self.now.set(now + 1_000_000);
        Timestamp(now)
    }

    /// Writes an event for all who follow its subject.
    fn deliver(&mut self, subject: &Subject, event: &Event) {
        if event.except() == Some(me()) {
            return;
        }
        let followers = self.follows.iter().filter(|(_, of, ..)| of == subject);
        let followers: Vec<(FollowId, Form, Splice)> = followers
            .map(|(id, _, form, splice)| (*id, *form, splice.clone()))
            .collect();
        for (id, form, splice) in followers {
            if form.is_for_session() {
                self.with(|session, ambient, out| session.event(id, event, ambient, out));
                continue;
            }
            let mut out = Encoded::default();
            encode(form, event, &Newest::None, &self.surroundings, &mut out);
            for (before, after) in out.frames() {
                let frame = [before, splice.as_bytes(), after].concat();
                let frame = String::from_utf8(frame).unwrap();
                self.lines.push(format!("S> {frame}"));
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
            level: Some(Clearance::User),
            settings: &self.settings,
            surroundings: &self.surroundings,
        };
        let mut out = Out::new(&mut bytes, |out, _| out.push(b'\n'), &mut steps);
        act(&mut self.session, &ambient, &mut out);
        let said = String::from_utf8(bytes).expect("what is said is text");
        self.lines
            .extend(said.lines().map(|text| format!("S> {text}")));
        for step in steps {
            match (&mut self.held, &step) {
                (Some(held), Step::Request { .. } | Step::Follow { .. }) => held.push(step),
                (_, _) => self.perform(step),
            }
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
            Step::Authenticate(credentials) => {
                let Credentials::AppUser { app, user } = credentials else {
                    panic!("this dialect shows no other credentials: {credentials:?}");
                };
                self.lines.push(format!("auth> {app} {user}"));
            }
            Step::Close(frame, why) => {
                let text = format!("close> {} {} {}", frame.code, why.as_str(), frame.text);
                self.lines.push(text);
            }
            Step::SetAlarm(..) => panic!("this dialect sets no alarm"),
            Step::Confirm(_) => panic!("this dialect asks for no receipt"),
        }
    }
}

/// The settings of a gateway with these of Pusher's.
pub(super) fn settings(pusher: PusherSettings) -> DialectSettings {
    DialectSettings {
        message_max_bytes: 1024,
        ping_after: Duration::from_secs(30),
        pong_every: Duration::from_secs(80),
        reap_after: Duration::from_secs(90),
        pusher,
    }
}

/// The connection on the stage, among those of the cluster.
pub(super) fn me() -> ClusterConnectionId {
    ClusterConnectionId::parse(SOCKET).unwrap()
}

/// What the app's server signs for a client.
pub(super) fn auth(text: &str) -> String {
    format!("{KEY}:{}", sign(&Secret::new(SECRET), text.as_bytes()))
}

/// A system's id.
pub(super) fn system(id: &str) -> SystemId {
    SystemId::new(id).unwrap()
}
