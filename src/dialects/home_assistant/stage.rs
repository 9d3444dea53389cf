//! A stage for tests: one connection, and all that surrounds it played in memory, as exact as the server is about order.
//!
//! It has a building whose modules have values. What is followed is followed at once, what is announced comes to those who hear it,
//! and calls stay open until a test answers them.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::dialects::{
    Ambient, DialectSettings, Encoded, Form, Hello, Incoming, Out, Session, Splice, Step,
    Surroundings, Wanted, encode,
};
use crate::model::{
    Act, BindingPath, BuildingView, BusEvent, Cause, Clearance, Collection, ConnectionId,
    Credentials, CustomCommand, Event, Failure, FailureKind, FollowId, Found, Function, Interface,
    JsonText, Key, ModuleAddress, ModuleId, ModuleIndex, ModuleName, ModulePath, ModuleView,
    Newest, Parameter, Query, Reply, Request, Revision, SeenStatus, Shape, StatusName, Subject,
    System, SystemId, SystemView, Ticket, Timestamp, User, UserId, Value, Values, Zone, ZoneId,
};

const SETTINGS: DialectSettings = DialectSettings {
    message_max_bytes: 1024,
    ping_after: Duration::from_secs(30),
    pong_every: Duration::from_secs(80),
    reap_after: Duration::from_secs(90),
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
            *session = Some(Session::open(Hello::HomeAssistant(()), ambient, out));
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

    /// A system is added to the building, in a zone of its own name.
    pub(super) fn add_system(&mut self, id: &str, name: &str) {
        let id = SystemId::new(id).unwrap();
        let zone = ZoneId::new(&format!("zone-{id}")).unwrap();
        let zone = Zone {
            name: format!("Level of {name}"),
            tags: vec!["level".to_owned()],
            ..Zone::new(&zone)
        };
        let system = System {
            name: name.to_owned(),
            zones: vec![zone.id.clone()],
            ..System::new(&id)
        };
        self.rebuild(|building| {
            building.zones.push(Arc::new(zone));
            building.systems.push(SystemView {
                system: Arc::new(system),
                modules: Vec::new(),
            });
        });
    }

    /// A module is added, with functions such as `power(boolean)` and with values of its statuses.
    pub(super) fn add_module(&mut self, place: &str, functions: &[&str], values: &[(&str, &str)]) {
        let path = Arc::new(module_path(place));
        let seen = values.iter().map(|(name, value)| SeenStatus {
            name: StatusName::new(name).unwrap(),
            shape: Shape::of(&json(value)).unwrap_or(Shape::Text),
        });
        let module = ModuleView {
            id: ModuleId::new(&format!("mod-{}-{}", path.module, path.index)).unwrap(),
            driver: Arc::from("demo"),
            driver_text: Arc::from("Demo"),
            interface: Some(Arc::new(interface(functions))),
            statuses: seen.collect(),
            path: Arc::clone(&path),
        };
        for (name, value) in values {
            let event = self.value(&path, name, value, Cause::Module);
            self.newest.entry(path.to_string()).or_default().put(event);
        }
        self.rebuild(|building| {
            let systems = &mut building.systems;
            let system = systems.iter_mut().find(|it| it.system.id == path.system);
            system.unwrap().modules.push(Arc::new(module));
        });
    }

    /// A module goes.
    pub(super) fn remove_module(&mut self, place: &str) {
        let path = module_path(place);
        self.rebuild(|building| {
            for system in &mut building.systems {
                system.modules.retain(|module| *module.path != path);
            }
        });
        self.newest.remove(&path.to_string());
    }

    /// A status of a module changes.
    pub(super) fn change(&mut self, place: &str, status: &str, value: &str, cause: Cause) {
        let path = Arc::new(module_path(place));
        self.see(&path, status, value);
        let mut event = self.value(&path, status, value, cause);
        let mut newest = self.newest.remove(&path.to_string()).unwrap_or_default();
        if let Event::Value { old, path, .. } = &mut event {
            let before = newest.get(newest.place(Key::Status(&path.status)));
            *old = before.and_then(|event| match event {
                Event::Value { value, .. } => value.clone(),
                Event::Entry { .. } | Event::Line(_) | Event::Bus(_) | Event::Message(_) => None,
            });
        }
        self.deliver(&Subject::Module(Arc::clone(&path)), &event, &newest);
        if let Event::Value { path, .. } = &event {
            let status = Subject::Status(Arc::clone(path));
            self.deliver(&status, &event, &Newest::None);
        }
        newest.put(event);
        self.newest.insert(path.to_string(), newest);
    }

    /// Adds a status to the building that a module has not had, as the core does.
    fn see(&mut self, path: &Arc<ModulePath>, status: &str, value: &str) {
        let name = StatusName::new(status).unwrap();
        let is_new = {
            let modules = self.surroundings.building.modules();
            let mut there = modules.filter(|module| module.path == *path);
            there.all(|module| module.statuses.iter().all(|seen| seen.name != name))
        };
        let shape = Some(value).filter(|value| *value != "gone");
        let (true, Some(shape)) = (is_new, shape.and_then(|value| Shape::of(&json(value)))) else {
            return;
        };
        self.rebuild(|building| {
            let systems = building.systems.iter_mut();
            let modules = systems.flat_map(|system| &mut system.modules);
            for module in modules.filter(|module| module.path == *path) {
                let mut with = (**module).clone();
                let seen = SeenStatus {
                    name: name.clone(),
                    shape,
                };
                with.statuses = with.statuses.iter().cloned().chain([seen]).collect();
                *module = Arc::new(with);
            }
        });
    }

    /// A command of the building's own is there from now on, in the place of one of its type: an object with the fields of the file.
    pub(super) fn set_command(&mut self, fields: &str) {
        let fields: BTreeMap<String, JsonText> = serde_json::from_str(fields).unwrap();
        let mut values = Values::none();
        for (name, value) in &fields {
            let value = match name.as_str() {
                "type" | "subscribe" => Value::Text(value.to::<String>().unwrap().into()),
                "admin" => Value::Flag(value.as_str() == "true"),
                _ => Value::Json(value.as_str().into()),
            };
            values.put(name, value);
        }
        let command = CustomCommand::build(values).unwrap();
        self.rebuild(|building| {
            let commands = &mut building.commands;
            commands.retain(|known| known.command != command.command);
            commands.push(Arc::new(command));
        });
    }

    /// A command of the building's own is there no longer.
    pub(super) fn remove_command(&mut self, kind: &str) {
        self.rebuild(|building| {
            let commands = &mut building.commands;
            commands.retain(|known| known.command.as_str() != kind);
        });
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

    fn value(&self, path: &Arc<ModulePath>, status: &str, value: &str, cause: Cause) -> Event {
        let at = self.moment();
        Event::Value {
            path: Arc::new(BindingPath {
                module: (**path).clone(),
                status: StatusName::new(status).unwrap(),
            }),
            value: (value != "gone").then(|| json(value)),
            old: None,
            at,
            cause,
            revision: Revision(at.0 - BEGIN),
        }
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

    fn rebuild(&mut self, change: impl FnOnce(&mut BuildingView)) {
        let mut building = (*self.surroundings.building).clone();
        change(&mut building);
        let next = Surroundings::new(building, &self.surroundings);
        let before = std::mem::replace(&mut self.surroundings, next);
        self.with(|session, ambient, out| session.looked_around(&before, ambient, out));
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
                Credentials::Session(_) => panic!("this dialect has no cookies"),
            }),
            Step::Close(frame, why) => {
                let text = format!("close> {} {}", frame.code, why.as_str());
                self.lines.push(text);
            }
            Step::SetAlarm(..) => panic!("this dialect sets no alarm"),
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
                Subject::Bus | Subject::Log(_) | Subject::Directory | Subject::Topic(_) => continue,
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

    /// As the core decides it: what is restricted sees its system alone, and modules with `_` are for support staff.
    fn may_follow(&self, subject: &Subject) -> bool {
        let place = match subject {
            Subject::Module(path) => Some(&**path),
            Subject::Status(path) => Some(&path.module),
            Subject::Bus | Subject::Log(_) | Subject::Directory | Subject::Topic(_) => None,
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
            | Request::Publish { .. }
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

/// Functions such as `set_input(input:string)`.
fn interface(functions: &[&str]) -> Interface {
    let functions = functions.iter().map(|text| {
        let (name, parameters) = text.trim_end_matches(')').split_once('(').unwrap();
        let parameters = parameters.split(',').filter(|it| !it.is_empty());
        let parameters = parameters.map(|parameter| {
            let (name, kind) = parameter.split_once(':').unwrap();
            Parameter {
                name: name.to_owned(),
                schema: json(&format!(r#"{{"type":"{kind}"}}"#)),
                default: None,
            }
        });
        let function = Function {
            parameters: parameters.collect(),
            ..Function::default()
        };
        (crate::model::FunctionName::new(name).unwrap(), function)
    });
    Interface {
        functions: functions.collect(),
        ..Interface::default()
    }
}

fn subject_in_words(subject: &Subject) -> String {
    match subject {
        Subject::Module(path) => path.to_string(),
        Subject::Bus => "bus".to_owned(),
        Subject::Status(path) => format!("{} {}", path.module, path.status),
        Subject::Log(_) | Subject::Directory | Subject::Topic(_) => {
            panic!("this dialect never follows this: {subject:?}")
        }
    }
}
