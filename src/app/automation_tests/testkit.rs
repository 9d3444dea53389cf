//! A building for tests of automation: a real core with soft modules, and a clock that tests set.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::automation::OwnHost;
use crate::core::tests::testkit::TestCore;
use crate::core::{Caller, Core, ReplySlot};
use crate::driver_host::DriverHost;
use crate::driver_host::hosts::Hosts;
use crate::driver_host::in_process::InProcessHost;
use crate::model::{
    ApiKey, Building, Clearance, Clock, Collection, Credentials, DriverRef, Event, ExecRequest,
    Failure, FunctionPath, Hook, HookOutcome, HookRequest, JsonText, KeyId, KeySecret, Module,
    ModuleId, ModuleName, Procedure, ProcedureId, Reply, RunRequest, Scope, Secret, StatusPath,
    System, SystemId, Timestamp, Trigger, User, UserId, Value as Content, Values,
};

/// When tests begin: midnight of a Monday, in UTC.
pub(super) const MONDAY: u64 = 1_700_438_400;

/// A gateway of one node without doors.
pub(super) struct Bench {
    test_core: TestCore,
    pub(super) core: Arc<Core>,
    clock: Arc<AtomicU64>,
    pub(super) building: Building,
    _clockwork: JoinSet<()>,
}

pub(super) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// A procedure with these parameters, apart by spaces, and these steps.
pub(super) fn procedure(id: &str, parameters: &str, steps: &str) -> Procedure {
    let parameters = parameters
        .split_whitespace()
        .map(|name| name.to_owned().into());
    let values = Values::none()
        .with("id", Content::Text(id.into()))
        .with("parameters", Content::Texts(parameters.collect()))
        .with("steps", Content::Json(steps.into()));
    Procedure::build(values).unwrap()
}

/// A trigger of `sys-1` that acts with the level `support`.
pub(super) fn trigger(id: &str, when: &str, then: &str) -> Trigger {
    let values = Values::none()
        .with("id", Content::Text(id.into()))
        .with("system", Content::Text("sys-1".into()))
        .with("when", Content::Json(when.into()))
        .with("then", Content::Json(then.into()))
        .with("level", Content::Text("support".into()));
    Trigger::build(values).unwrap()
}

/// A hook with these other fields, each a name and JSON.
pub(super) fn hook(name: &str, fields: &[(&str, &str)]) -> Hook {
    let values = Values::none().with("name", Content::Text(name.into()));
    let values = fields.iter().fold(values, |values, (field, content)| {
        let content = match *field {
            "run" | "level" => Content::Text((*content).into()),
            "methods" => Content::Texts(content.split(' ').map(Into::into).collect()),
            _ => Content::Json((*content).into()),
        };
        values.with(field, content)
    });
    Hook::build(values).unwrap()
}

/// A request to a hook.
pub(super) fn request(name: &str, method: &str, args: &[(&str, &str)]) -> HookRequest {
    let args = args.iter();
    HookRequest {
        name: name.to_owned(),
        method: method.to_owned(),
        args: args
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        data: JsonText::null(),
        headers: Vec::new(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

impl Bench {
    /// `sys-1` has the soft modules `Lamp` and `Log`; what else the building has is for the test to say.
    pub(super) async fn new(more: impl FnOnce(&mut Building)) -> Self {
        Self::in_folder(None, more).await
    }

    /// The same with what is kept of triggers in a folder.
    pub(super) async fn in_folder(folder: Option<&Path>, more: impl FnOnce(&mut Building)) -> Self {
        let clock = Arc::new(AtomicU64::new(MONDAY * 1_000_000));
        let time = Arc::clone(&clock);
        let began = Instant::now();
        // It goes on with Tokio's, from wherever a test has set it.
        let time: Clock = Arc::new(move || {
            let passed = u64::try_from(began.elapsed().as_micros()).unwrap();
            Timestamp(time.load(Ordering::SeqCst) + passed)
        });
        let own = Arc::new(OwnHost::new(Handle::current(), Arc::clone(&time), folder));
        let soft = InProcessHost::new(driver_registry::drivers(), Handle::current()).unwrap();
        let hosts: [(&str, Arc<dyn DriverHost>); 2] = [
            ("soft", Arc::new(soft)),
            ("own", Arc::clone(&own) as Arc<dyn DriverHost>),
        ];
        let host = Arc::new(Hosts::new(hosts).unwrap());
        let test_core = TestCore::running(host, own.automation(), time);
        let core = Arc::clone(&test_core.core);
        own.connect(&core);
        let mut clockwork = JoinSet::new();
        let running = Arc::clone(&core);
        clockwork.spawn(async move { running.run().await });
        clockwork.spawn(async move {
            let _never = own.keep().await;
        });
        let mut building = building();
        more(&mut building);
        test_core.apply(building.clone()).await;
        let bench = Self {
            test_core,
            core,
            clock,
            building,
            _clockwork: clockwork,
        };
        bench.settle().await;
        bench
    }

    /// Changes the building.
    pub(super) async fn change(&mut self, change: impl FnOnce(&mut Building)) {
        change(&mut self.building);
        self.test_core.apply(self.building.clone()).await;
        self.settle().await;
    }

    /// Lets everything happen that is to happen by now.
    pub(super) async fn settle(&self) {
        sleep(Duration::from_millis(200)).await;
    }

    /// The clock is set to so long after the beginning of the tests, by whatever has passed.
    pub(super) fn set_clock(&self, to: Duration, began: Instant) {
        let passed = began.elapsed();
        let to = (Duration::from_secs(MONDAY) + to)
            .checked_sub(passed)
            .unwrap();
        let micros = u64::try_from(to.as_micros()).unwrap();
        self.clock.store(micros, Ordering::SeqCst);
    }

    /// A caller with the level of this key.
    pub(super) fn caller(&self, key: &str) -> Caller {
        let key = Credentials::ApiKey(Secret::new(format!("{key}.secret")));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core.access.authenticate(&[key], here).unwrap()
    }

    /// Calls a function as an administrator.
    pub(super) async fn call(&self, path: &str, arguments: &str) -> JsonText {
        let path = FunctionPath::parse(path).unwrap();
        let target = path.target();
        let exec = ExecRequest {
            module: target.module.clone().into(),
            function: target.function.clone(),
            arguments: json(arguments),
            act: None,
        };
        let access = Arc::clone(&self.core.building_access);
        let reply = access.call(&self.caller("admin"), exec).await.unwrap();
        reply.returned().unwrap().0.clone()
    }

    /// Sets a status of `Lamp`.
    pub(super) async fn set(&self, name: &str, value: &str) {
        let arguments = format!(r#"["{name}",{value}]"#);
        self.call("sys-1/Lamp_1/set", &arguments).await;
        self.settle().await;
    }

    /// What a status of `sys-1` is, such as `Log_1/n`; null where it is not set.
    pub(super) async fn status(&self, path: &str) -> String {
        let path = StatusPath::parse(&format!("sys-1/{path}")).unwrap();
        let path = Arc::new(path.target().clone());
        let told = self.core.queries.value(&self.caller("admin"), path).await;
        let mut told = told.unwrap().into_iter();
        let value = told.find_map(Event::into_value);
        value.map_or("null".to_owned(), |value| value.as_str().to_owned())
    }

    /// A member of the state of a trigger.
    pub(super) async fn state(&self, id: &str, member: &str) -> String {
        let state = self.status(&format!("_TRIGGER__1/{id}")).await;
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        state[member].to_string()
    }

    /// Runs a procedure.
    pub(super) async fn run(
        &self,
        key: &str,
        id: &str,
        arguments: Option<&str>,
    ) -> Result<String, Failure> {
        let (answer, answered) = oneshot::channel();
        let run = RunRequest {
            procedure: ProcedureId::new(id).unwrap(),
            arguments: arguments.map(json),
        };
        let slot = ReplySlot::caller(answer);
        self.core.automation.run(&self.caller(key), run, slot);
        let reply: Reply = answered.await.unwrap()?;
        Ok(reply.returned().unwrap().0.as_str().to_owned())
    }

    /// Calls the address of a hook.
    pub(super) async fn hook(&self, request: HookRequest) -> HookOutcome {
        self.core.automation.hook(request).await
    }
}

fn building() -> Building {
    let soft = |id: &str, name: &str| {
        let mut module = Module::new(&ModuleId::new(id).unwrap());
        module.driver = DriverRef::LinkedIn("virtual".to_owned());
        module.name = Some(ModuleName::new(name).unwrap());
        module
    };
    let mut system = System::new(&SystemId::new("sys-1").unwrap());
    system.name = "One".to_owned();
    let modules = vec![
        soft("mod-lamp", "Lamp"),
        soft("mod-log", "Log"),
        soft("mod-hidden", "_Hidden"),
    ];
    system.modules = modules.iter().map(|module| module.id.clone()).collect();
    let levels = [
        ("admin", Clearance::Admin),
        ("user", Clearance::User),
        ("support", Clearance::Support),
    ];
    let users = levels.map(|(name, level)| User {
        email: format!("{name}@example.test"),
        name: name.to_owned(),
        level,
        ..User::new(&UserId::new(&format!("user-{name}")).unwrap())
    });
    let keys = levels.map(|(name, level)| ApiKey {
        level,
        scopes: Scope::parse("public").into_iter().collect(),
        ..ApiKey::new(
            &KeyId::new(name).unwrap(),
            KeySecret::Plain(Secret::new("secret")),
            &UserId::new(&format!("user-{name}")).unwrap(),
        )
    });
    Building {
        systems: vec![system],
        modules,
        users: users.to_vec(),
        api_keys: keys.to_vec(),
        ..Building::default()
    }
}
