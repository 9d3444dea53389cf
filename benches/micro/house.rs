//! A gateway without state, and the frames, values and names that the benches use.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use riser::core::{
    Apply, Caller, Core, CorePorts, CoreSettings, Delivery, ForeignForms, NoAutomation, Outlet,
    Rehearsal, ReplySlot, Wakeup,
};
use riser::dialects::placeos::rest::SocketQuery;
use riser::dialects::placeos::{ValueForm, claims, permissions};
use riser::dialects::{
    Ambient, DialectSettings, Hello, Incoming, Out, PusherSettings, Session, Step, Surroundings,
};
use riser::driver_host::DriverHost;
use riser::driver_host::in_process::InProcessHost;
use riser::model::{
    ApiKey, BindingKey, BindingPath, Building, Clearance, ConnectionId, Credentials, DeviceKind,
    DriverRef, ExecRequest, FunctionName, JsonText, KeyId, KeySecret, Module, ModuleId,
    ModuleIndex, ModuleName, ModulePath, Origin, ProcessId, Reply, Scope, Secret, Slots, Source,
    StatusChange, StatusName, StatusValue, System, SystemId, Ticket, Timestamp, User, UserId,
};
use riser::stores::StoreFeed;
use riser::stores::embedded::{
    EmbeddedDocumentStore, EmbeddedMessageStore, EmbeddedStatusStore, EmbeddedTopicStore,
};
use tokio::runtime::{Builder, Runtime};

/// The caller's API key.
pub(crate) const KEY: &str = "bench.secret";

/// What clients send to be told that the connection lives.
pub(crate) const PING: &str = "ping";

/// A bind as PlaceOS's clients send it.
pub(crate) const BIND: &str =
    r#"{"id":1,"cmd":"bind","sys":"sys-1","mod":"Display","index":1,"name":"power"}"#;

/// What an operator may have set.
const SETTINGS: DialectSettings = DialectSettings {
    message_max_bytes: 1 << 20,
    ping_after: Duration::from_secs(30),
    pong_every: Duration::from_secs(80),
    reap_after: Duration::from_secs(90),
    pusher: PusherSettings::DEFAULT,
};

/// What surrounds a session that is benched by itself.
pub(crate) fn ambient() -> Ambient<'static> {
    Ambient {
        connection: ConnectionId(1),
        process: ProcessId(1),
        clock: &|| 0,
        draw: &|| 0,
        level: None,
        settings: &SETTINGS,
        surroundings: &SURROUNDINGS,
    }
}

/// An empty building, at which PlaceOS does not look.
pub(crate) static SURROUNDINGS: LazyLock<Surroundings> = LazyLock::new(Surroundings::default);

/// As many threads as the gateway has at least for drivers.
const DRIVER_THREADS: usize = 4;

/// How long an answer may take before a bench gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many answers may wait for the bench.
const ANSWERS_MAX: usize = 1_024;

/// A core with one system, which has one running module and as many slots as wanted, and one key.
pub(crate) struct House {
    core: Arc<Core>,
    feed: Arc<dyn StoreFeed>,
    modules: u32,
    /// Ends with the house.
    _drivers: Runtime,
}

impl House {
    /// A house whose first module, a `virtual` one, runs; of the others there are only the slots.
    pub(crate) fn with_modules(modules: u32) -> Self {
        let drivers = Builder::new_multi_thread()
            .worker_threads(DRIVER_THREADS)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let host = InProcessHost::new(driver_registry::drivers(), drivers.handle().clone())
            .expect("our own drivers are well defined");
        let (core, feed) = core(Arc::new(host), &drivers);
        let apply = Apply {
            building: building(),
            source: Source::File,
            rehearsal: Rehearsal::Real,
        };
        let applied = drivers.block_on(core.editor.apply(apply));
        applied.expect("the building is sound");
        let house = Self {
            core,
            feed,
            modules,
            _drivers: drivers,
        };
        house.map(slots(modules, false));
        house
    }

    pub(crate) fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }

    pub(crate) fn caller(&self) -> Caller {
        let key = Credentials::ApiKey(Secret::new(KEY));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core
            .access
            .authenticate(&[key], here)
            .expect("it is our key")
    }

    /// Modules publish.
    pub(crate) fn publish(&self, changes: &[StatusChange]) {
        self.feed.changed(&mut changes.to_vec());
    }

    /// Every module publishes a value of its own.
    pub(crate) fn publish_everywhere(&self) {
        for module in 1..=self.modules {
            self.publish(&[change(module, 100)]);
        }
    }

    /// The system has these slots now.
    pub(crate) fn map(&self, slots: Slots) {
        self.feed.mapped(system(), slots);
    }

    /// A line to the running module.
    pub(crate) fn line(&self) -> Line {
        let (sender, answers) = sync_channel(ANSWERS_MAX);
        let mut line = Line {
            core: self.core(),
            caller: self.caller(),
            outlet: Arc::new(Answers(sender)),
            answers,
        };
        // Once it has answered it has started.
        line.call(vec![echo()]);
        line
    }
}

/// A core that keeps everything in memory, and the way by which its store of statuses tells what changed.
pub(crate) fn core(
    host: Arc<dyn DriverHost>,
    drivers: &Runtime,
) -> (Arc<Core>, Arc<dyn StoreFeed>) {
    let mut feed = None;
    let core = Core::new(
        CoreSettings::default(),
        |core| {
            feed = Some(Weak::clone(&core));
            Arc::new(EmbeddedStatusStore::new(core))
        },
        CorePorts {
            documents: Arc::new(EmbeddedDocumentStore::in_memory().expect("memory")),
            topics: Box::new(|process, feed, clock| {
                Arc::new(EmbeddedTopicStore::new(process, feed, clock))
            }),
            messages: Box::new(|feed| {
                let store = EmbeddedMessageStore::in_memory().expect("memory");
                Arc::new(store.reporting_to(feed))
            }),
            host,
            clock: Arc::new(|| Timestamp(0)),
            main: drivers.handle().clone(),
            executor: Arc::new(drivers.handle().clone()),
            forms: ForeignForms {
                write_claims: claims::write,
                read_claims: claims::read,
                read_permissions: permissions::read,
                governs: permissions::governs,
            },
            automation: Arc::new(NoAutomation),
            key_inspector: None,
            cluster: None,
        },
    );
    let feed = feed.and_then(|feed| feed.upgrade());
    (
        Arc::new(core),
        feed.expect("the core gives itself to its store"),
    )
}

/// Somebody who calls the module and waits for what it answers.
pub(crate) struct Line {
    core: Arc<Core>,
    caller: Caller,
    outlet: Arc<dyn Outlet>,
    answers: Receiver<Delivery>,
}

impl Line {
    /// Makes these calls, wakes the module once, and waits for all answers.
    pub(crate) fn call(&mut self, calls: Vec<ExecRequest>) {
        let count = calls.len();
        let mut wakeup: Option<Wakeup> = None;
        for call in calls {
            let slot = ReplySlot::outlet(Arc::clone(&self.outlet), ConnectionId(1), Ticket(1));
            let taken = self.core.calls.exec_later(&self.caller, call, slot);
            wakeup = wakeup.or(taken);
        }
        if let Some(wakeup) = wakeup {
            wakeup.wake();
        }
        for _ in 0..count {
            match self.answers.recv_timeout(PATIENCE) {
                Ok(Delivery::Reply {
                    reply: Ok(Reply::Result { code: 200, .. }),
                    ..
                }) => {}
                other => panic!("not an answer: {other:?}"),
            }
        }
    }
}

/// An outlet that hands replies to the thread that waits for them.
struct Answers(SyncSender<Delivery>);

impl Outlet for Answers {
    fn push(&self, batch: &mut Vec<Delivery>) {
        for delivery in batch.drain(..) {
            self.0
                .try_send(delivery)
                .expect("fewer calls are made than answers may wait");
        }
    }
}

/// An outlet whose worker needs no time at all.
pub(crate) struct Nowhere;

impl Outlet for Nowhere {
    fn push(&self, batch: &mut Vec<Delivery>) {
        batch.clear();
    }
}

fn building() -> Building {
    let user = UserId::new("user-1").expect("it is an id");
    Building {
        zones: Vec::new(),
        systems: vec![System {
            name: "Room".to_owned(),
            capacity: 8,
            bookable: true,
            modules: vec![module(1)],
            ..System::new(&system())
        }],
        modules: vec![Module {
            driver: DriverRef::LinkedIn("virtual".to_owned()),
            name: Some(display()),
            ..Module::new(&module(1))
        }],
        users: vec![User {
            email: "bench@example.test".to_owned(),
            name: "Bench".to_owned(),
            level: Clearance::Admin,
            ..User::new(&user.clone())
        }],
        api_keys: vec![ApiKey {
            level: Clearance::Admin,
            scopes: Scope::parse("public").into_iter().collect(),
            ..ApiKey::new(
                &KeyId::new("bench").expect("it is an id"),
                KeySecret::Plain(Secret::new("secret")),
                &user,
            )
        }],
        ..Building::default()
    }
}

fn system() -> SystemId {
    SystemId::new("sys-1").expect("it is an id")
}

fn display() -> ModuleName {
    ModuleName::new("Display").expect("it is a name")
}

fn module(number: u32) -> ModuleId {
    ModuleId::new(&format!("mod-{number}")).expect("it is an id")
}

fn power() -> StatusName {
    StatusName::new("power").expect("it is a name")
}

/// As many like-named modules, in their order or in the opposite one.
pub(crate) fn slots(modules: u32, turned: bool) -> Slots {
    (1..=modules)
        .map(|index| {
            let number = if turned { modules + 1 - index } else { index };
            let index = ModuleIndex::new(index).expect("it is an index");
            ((display(), index), module(number))
        })
        .collect()
}

/// The module behind an index.
fn place(index: u32) -> ModulePath {
    ModulePath {
        system: system(),
        module: display(),
        index: ModuleIndex::new(index).expect("it is an index"),
    }
}

/// The status that is bound to everywhere.
pub(crate) fn path(index: u32) -> BindingPath {
    BindingPath {
        module: place(index),
        status: power(),
    }
}

/// A module publishes that status.
pub(crate) fn change(number: u32, bytes: usize) -> StatusChange {
    StatusChange {
        key: BindingKey {
            module: module(number),
            status: power(),
        },
        value: Some(value_of(number, bytes)),
        origin: Origin::Push,
        act: None,
    }
}

/// A call of `echo`.
pub(crate) fn echo() -> ExecRequest {
    ExecRequest {
        module: place(1).into(),
        function: FunctionName::new("echo").expect("it is a name"),
        arguments: JsonText::parse(&format!("[{}]", json(100))).expect("it is JSON"),
        act: None,
    }
}

/// A bind with this id.
pub(crate) fn bind(id: usize, index: u32) -> String {
    request("bind", id, index)
}

/// An unbind with this id.
pub(crate) fn unbind(id: usize, index: u32) -> String {
    request("unbind", id, index)
}

fn request(command: &str, id: usize, index: u32) -> String {
    format!(
        r#"{{"id":{id},"cmd":"{command}","sys":"sys-1","mod":"Display","index":{index},"name":"power"}}"#
    )
}

/// An exec with these arguments, a list.
pub(crate) fn exec(arguments: &str) -> String {
    format!(
        r#"{{"id":1,"cmd":"exec","sys":"sys-1","mod":"Display","index":1,"name":"power","args":{arguments}}}"#
    )
}

/// JSON of about this size such as devices have: an object with texts, numbers and a quote here and there.
pub(crate) fn json(bytes: usize) -> String {
    json_of(1, bytes)
}

fn json_of(number: u32, bytes: usize) -> String {
    let mut text = format!(r#"{{"number":{number}"#);
    let mut at = 0;
    while text.len() < bytes.saturating_sub(1) {
        text.push_str(&format!(r#","input_{at}":["HDMI \"{at}\"",{at}.5,true]"#));
        at += 1;
    }
    text.push('}');
    text
}

/// A value of about this size.
pub(crate) fn value(bytes: usize) -> StatusValue {
    value_of(1, bytes)
}

fn value_of(number: u32, bytes: usize) -> StatusValue {
    StatusValue::parse(&json_of(number, bytes)).expect("it is JSON")
}

/// A client's text frame with a payload of exactly this size.
pub(crate) fn masked_frame(bytes: usize) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![0x81];
    match u16::try_from(bytes).expect("frames here are short") {
        len @ 0..=125 => frame.push(0x80 | len.to_be_bytes()[1]),
        len => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&len.to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    let payload = BIND.bytes().cycle().take(bytes);
    frame.extend(
        payload
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// PlaceOS's session of a client that asks for nothing special.
pub(crate) const HELLO: Hello = Hello::PlaceOs(SocketQuery {
    form: ValueForm::Raw,
    device: DeviceKind::Personal,
});

/// A session that has begun.
pub(crate) fn session() -> Session {
    speak(&mut Vec::new(), &mut Vec::new(), |out| {
        Session::open(HELLO, &ambient(), out)
    })
}

/// A session takes a text.
pub(crate) fn receive(
    session: &mut Session,
    text: &str,
    messages: &mut Vec<u8>,
    steps: &mut Vec<Step>,
) {
    speak(messages, steps, |out| {
        session.receive(Incoming::Text(text), &ambient(), out);
    });
}

/// Lets a session speak, without the framing of a carrier.
pub(crate) fn speak<T>(
    messages: &mut Vec<u8>,
    steps: &mut Vec<Step>,
    speak: impl FnOnce(&mut Out<'_>) -> T,
) -> T {
    speak(&mut Out::new(messages, |_, _| {}, steps))
}
