//! A stage for tests: one connection, and all that surrounds it played in memory.
//!
//! The core answers nothing by itself, so that a test says what is answered, when, and in which order.

mod building;
mod words;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::dialects::platypush::{Channel, Form, Hello};
use crate::dialects::{
    Ambient, CloseFrame, DialectSettings, Encoded, Form as AnyForm, Hello as AnyHello, Incoming,
    Out, PusherSettings, Session, Step, Surroundings, encode,
};
use crate::model::{
    Act, BindingPath, BuildingView, BusEvent, CallEnd, CallNews, CallTarget, Called, Cause,
    Clearance, ConnectionId, Event, Failure, FailureKind, Found, FunctionName, JsonText, Newest,
    ProcedureId, ProcessId, Query, Reply, Request, Revision, StatusName, Subject, SystemId, Ticket,
    Timestamp, UserId,
};

use building::module_path;
pub(super) use building::{building, module_view, surroundings};
use words::{described, subject_words};

/// When everything on the stage happens.
const NOW_SECS: u64 = 1_760_000_000;

/// One connection on its stage.
pub(super) struct Stage {
    surroundings: Surroundings,
    session: Session,
    draws: Cell<u128>,
    /// Questions without an answer, by the numbers that transcripts give them.
    open: BTreeMap<u32, (Ticket, Request)>,
    numbers: u32,
    follows: Vec<(Subject, Form)>,
    /// What came of the inputs.
    pub(super) lines: Vec<String>,
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
    /// A connection that has just been opened, in a building of two rooms.
    pub(super) fn open(channel: Channel) -> Self {
        let surroundings = surroundings();
        let draws = Cell::new(0);
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        let session = {
            let mut out = Out::new(&mut bytes, seal, &mut steps);
            let hello = AnyHello::Platypush(Hello { channel });
            with_ambient(&surroundings, &draws, |ambient| {
                Session::open(hello, ambient, &mut out)
            })
        };
        let mut stage = Self {
            surroundings,
            session,
            draws,
            open: BTreeMap::new(),
            numbers: 0,
            follows: Vec::new(),
            lines: Vec::new(),
        };
        stage.take(&bytes, steps);
        stage
    }

    /// A connection of requests that knows what it may see.
    pub(super) fn requesting() -> Self {
        let mut stage = Self::open(Channel::Requests);
        stage.systems(1, &["sys-1", "sys-2"]);
        stage.lines.clear();
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

    /// The client may see these systems.
    pub(super) fn systems(&mut self, number: u32, ids: &[&str]) {
        let ids = ids.iter().map(|id| SystemId::new(id).unwrap());
        let found = Found::Systems(ids.collect());
        self.answer(number, Ok(Reply::Found(found)));
    }

    /// A call or a run has returned.
    pub(super) fn returned(&mut self, number: u32, json: &str) {
        let value = JsonText::parse(json).unwrap();
        self.answer(number, Ok(Reply::Result { value, code: 200 }));
    }

    /// A question has failed.
    pub(super) fn failed(&mut self, number: u32, kind: FailureKind, message: &str) {
        self.answer(number, Err(Failure::new(kind, message)));
    }

    /// A question about statuses has found these: all of one module, or of several.
    pub(super) fn found(&mut self, number: u32, values: &[(&str, &str)]) {
        let (_, request) = &self.open[&number];
        let whole = matches!(request, Request::Query(Query::Statuses(_)));
        let found = match whole {
            true => {
                let values = values.iter().map(|(path, value)| {
                    let status = path.rsplit('/').next().unwrap();
                    (StatusName::new(status).unwrap(), json(value))
                });
                Found::Statuses(values.collect())
            }
            false => {
                let values = values.iter();
                let events = values.map(|(path, value)| value_of(path, value, Cause::Store));
                Found::Snapshot(events.collect())
            }
        };
        self.answer(number, Ok(Reply::Found(found)));
    }

    fn answer(&mut self, number: u32, reply: Result<Reply, Failure>) {
        let (ticket, _) = self.open.remove(&number).expect("it is asked");
        self.with(|session, ambient, out| session.reply(ticket, reply, ambient, out));
    }

    /// A status has a value, as `sys-1/Display_1/power`.
    pub(super) fn value(&mut self, path: &str, value: &str, cause: Cause) {
        let event = value_of(path, value, cause);
        let Event::Value { path, .. } = &event else {
            return;
        };
        let is_followed = |subject: &Subject| match subject {
            Subject::Module(module) => **module == path.module,
            Subject::Status(_)
            | Subject::Log(_)
            | Subject::Directory
            | Subject::Bus
            | Subject::Announced(_)
            | Subject::Calls
            | Subject::Topic(_)
            | Subject::Service(_)
            | Subject::Device(_) => false,
        };
        let follows = self.follows.iter();
        let forms = follows.filter(|(subject, _)| is_followed(subject));
        let forms: Vec<Form> = forms.map(|(_, form)| *form).collect();
        self.tell(&forms, &event);
    }

    /// Something is announced on the bus.
    pub(super) fn announce(&mut self, name: &str, data: &str) {
        let event = Event::Bus(Arc::new(BusEvent {
            name: Arc::from(name),
            data: json(data),
            level: Clearance::User,
            act: Arc::new(Act {
                id: 0xabc,
                user: None,
            }),
            at: Timestamp::from_secs(NOW_SECS),
        }));
        let follows = self.follows.iter();
        let forms = follows.filter(|(subject, _)| *subject == Subject::Bus);
        let forms: Vec<Form> = forms.map(|(_, form)| *form).collect();
        self.tell(&forms, &event);
    }

    /// A call begins, or has ended a quarter of a second later: a function such as `sys-1/Display_1/power`, or a procedure by its id.
    pub(super) fn call(&mut self, target: &str, given: &str, ended: Option<Result<&str, &str>>) {
        let target = match target.rsplit_once('/') {
            Some((module, function)) => {
                let function = FunctionName::new(function).unwrap();
                CallTarget::Function(module_path(module).into(), function)
            }
            None => CallTarget::Procedure(ProcedureId::new(target).unwrap()),
        };
        let began = Timestamp::from_secs(NOW_SECS);
        let event = Event::Call(Arc::new(CallNews {
            call: Arc::new(Called {
                id: 0xca11,
                target,
                arguments: json(given),
                user: Some(UserId::new("ops").unwrap()),
            }),
            began,
            ended: ended.map(|outcome| CallEnd {
                at: Timestamp(began.0 + 250_000),
                outcome: outcome.map(json).map_err(str::to_owned),
            }),
        }));
        let follows = self.follows.iter();
        let forms = follows.filter(|(subject, _)| *subject == Subject::Calls);
        let forms: Vec<Form> = forms.map(|(_, form)| *form).collect();
        self.tell(&forms, &event);
    }

    fn tell(&mut self, forms: &[Form], event: &Event) {
        for form in forms {
            let mut encoded = Encoded::default();
            let form = AnyForm::Platypush(*form);
            encode(form, event, &Newest::None, &self.surroundings, &mut encoded);
            for (head, rest) in encoded.frames() {
                let text = [head, rest].concat();
                let text = String::from_utf8(text).unwrap();
                self.lines.push(format!("S> {text}"));
            }
        }
    }

    /// The building is another.
    pub(super) fn rebuild(&mut self, change: impl FnOnce(&mut BuildingView)) {
        let mut building = BuildingView::clone(&self.surroundings.building);
        change(&mut building);
        let now = Surroundings::new(building, &self.surroundings);
        let before = std::mem::replace(&mut self.surroundings, now);
        self.with(|session, ambient, out| session.looked_around(&before, ambient, out));
    }

    fn with(&mut self, act: impl FnOnce(&mut Session, &Ambient<'_>, &mut Out<'_>)) {
        let (mut bytes, mut steps) = (Vec::new(), Vec::new());
        let mut out = Out::new(&mut bytes, seal, &mut steps);
        let session = &mut self.session;
        with_ambient(&self.surroundings, &self.draws, |ambient| {
            act(session, ambient, &mut out);
        });
        self.take(&bytes, steps);
    }

    /// Notes what a turn has made, and does its steps.
    fn take(&mut self, bytes: &[u8], steps: Vec<Step>) {
        let texts = std::str::from_utf8(bytes).unwrap();
        let texts = texts.split_terminator('\n');
        self.lines.extend(texts.map(|text| format!("S> {text}")));
        for step in steps {
            match step {
                Step::Request {
                    ticket,
                    request,
                    form,
                    ..
                } => self.ask(ticket, request, form),
                Step::Follow { follows, .. } => {
                    for wanted in follows {
                        let AnyForm::Platypush(form) = wanted.form else {
                            panic!("a form of this dialect");
                        };
                        self.lines
                            .push(format!("follow> {}", subject_words(&wanted.subject)));
                        if !self.follows.contains(&(wanted.subject.clone(), form)) {
                            self.follows.push((wanted.subject, form));
                        }
                    }
                }
                Step::Refused { command } => self.lines.push(format!("refused> {command}")),
                Step::Close(frame, _) => {
                    let CloseFrame { code, text } = frame;
                    self.lines.push(format!("close> {code} {text}"));
                }
                Step::Authenticate(_) | Step::SetAlarm(..) | Step::Confirm(_) => {
                    panic!("this dialect does not do that")
                }
            }
        }
    }

    fn ask(&mut self, ticket: Ticket, request: Request, form: AnyForm) {
        if let (Request::Follow { subject, .. }, AnyForm::Platypush(form)) = (&request, form) {
            self.follows.push((subject.clone(), form));
        }
        if let Request::Announce { name, data, .. } = &request {
            self.lines.push(format!("announce> {name} {data}"));
            self.announce(name, data.as_str());
        } else if let Request::Unfollow { subject, .. } = &request {
            let words = subject_words(subject);
            self.lines.push(format!("unfollow> {words}"));
            self.follows.retain(|(followed, _)| followed != subject);
        } else {
            self.numbers += 1;
            let words = described(&request);
            self.lines.push(format!("ask> {} {words}", self.numbers));
            self.open.insert(self.numbers, (ticket, request));
        }
    }
}

fn seal(bytes: &mut Vec<u8>, _: usize) {
    bytes.push(b'\n');
}

fn with_ambient<R>(
    surroundings: &Surroundings,
    draws: &Cell<u128>,
    act: impl FnOnce(&Ambient<'_>) -> R,
) -> R {
    act(&Ambient {
        connection: ConnectionId(1),
        process: ProcessId(1),
        clock: &|| NOW_SECS,
        draw: &|| {
            draws.set(draws.get() + 1);
            draws.get()
        },
        level: Some(Clearance::User),
        settings: &settings(),
        surroundings,
    })
}

fn value_of(path: &str, value: &str, cause: Cause) -> Event {
    let (module, status) = path.rsplit_once('/').unwrap();
    Event::Value {
        path: Arc::new(BindingPath {
            module: module_path(module),
            status: StatusName::new(status).unwrap(),
        }),
        value: (value != "gone").then(|| json(value)),
        old: None,
        at: Timestamp::from_secs(NOW_SECS),
        cause,
        revision: Revision(1),
    }
}

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}
