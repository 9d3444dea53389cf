//! What code inside the gateway sees of the building through the port, over scripted modules.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::*;
use crate::core::tests::doubles::{
    self, Life, MemoryDocuments, ScriptedHost, api_key, json, module, path, place, room, scripted,
    system, user,
};
use crate::core::{Core, CoreSettings};
use crate::model::{
    ApiKey, Building, Clearance, Credentials, FailureKind, FunctionName, Secret, System, TopicEvent,
};

#[tokio::test(start_paused = true)]
async fn a_status_is_followed_through_a_remap_and_its_module_is_called() {
    let bench = Bench::new().await;
    bench.life("mod-1").say("power", Some("1"));
    bench.life("mod-2").say("power", Some("2"));
    let mut events = bench.follow("power").unwrap();
    assert_eq!(value(&mut events).await, "1");
    assert_eq!(bench.resolve().unwrap(), module("mod-1"));
    bench.life("mod-1").say("power", Some("1.5"));
    assert_eq!(value(&mut events).await, "1.5");

    bench.apply(room("sys-1", &["mod-2", "mod-1"])).await;
    assert_eq!(value(&mut events).await, "2");
    assert_eq!(bench.resolve().unwrap(), module("mod-2"));
    bench.life("mod-1").say("power", Some("9"));
    let reply = bench.call("echo", "[3]").await.unwrap();
    assert!(matches!(reply, Reply::Result { value, code: 200 } if value.as_str() == "[3]"));
    assert_eq!(
        bench.life("mod-2").begun(),
        [("echo".to_owned(), "[3]".to_owned())]
    );
    bench.life("mod-2").say("power", None);
    assert_eq!(value(&mut events).await, "null");
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_gets_the_latest_value_and_who_is_not_gets_all() {
    let bench = Bench::new().await;
    let mut events = bench.follow("level").unwrap();
    let many = FOLLOW_EVENTS_MAX + 10;
    for level in 0..many {
        bench.life("mod-1").say("level", Some(&level.to_string()));
    }
    for level in 0..FOLLOW_EVENTS_MAX - 1 {
        assert_eq!(value(&mut events).await, level.to_string());
    }
    assert_eq!(value(&mut events).await, (many - 1).to_string());
    assert!(events.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_published_reaches_who_follows_its_topic_and_what_is_announced_who_follows_the_bus()
{
    let bench = Bench::new().await;
    let core = || bench.access();
    let topic = TopicId::new("doors").unwrap();
    let follow = |subject| core().follow(&bench.caller, subject).unwrap();
    let mut messages = follow(Subject::Topic(topic.clone()));
    let mut bus = follow(Subject::Bus);
    core().publish(&bench.caller, topic, json("1")).unwrap();
    core().announce(&bench.caller, "opened", json("2"));
    let Some(Event::Topic(news)) = messages.next().await else {
        panic!("no message");
    };
    let message = TopicEvent::Message {
        message: json("1"),
        except: None,
    };
    assert_eq!(news.event, message);
    let Some(Event::Bus(event)) = bus.next().await else {
        panic!("no event");
    };
    assert_eq!((&*event.name, &event.data), ("opened", &json("2")));
    assert_eq!(event.level, bench.caller.clearance());
    assert!(messages.next().now_or_never().is_none());
}

#[tokio::test]
async fn who_follows_one_name_of_the_bus_hears_no_other() {
    let bench = Bench::new().await;
    let opened = Subject::Announced(Arc::from("opened"));
    let mut events = bench.access().follow(&bench.caller, opened).unwrap();
    for (name, data) in [
        ("closed", "1"),
        ("opened", "2"),
        ("opened ", "3"),
        ("opened", "4"),
    ] {
        bench.access().announce(&bench.caller, name, json(data));
    }
    let mut heard = Vec::new();
    while let Some(Some(Event::Bus(event))) = events.next().now_or_never() {
        heard.push((event.name.to_string(), event.data.clone()));
    }
    let opened = |data| ("opened".to_owned(), json(data));
    assert_eq!(heard, [opened("2"), opened("4")]);
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_on_a_log_is_told_how_much_was_missed() {
    let bench = Bench::new().await;
    let log = Subject::Log(module("mod-1"));
    let mut lines = bench.access().follow(&bench.caller, log).unwrap();
    for _ in 0..FOLLOW_EVENTS_MAX + 3 {
        bench
            .life("mod-1")
            .sink
            .line(LogLevel::Info, "x".to_owned());
    }
    for _ in 0..FOLLOW_EVENTS_MAX {
        assert_eq!(line(&mut lines).await, "x");
    }
    assert_eq!(
        line(&mut lines).await,
        "3 log lines were dropped because too many came at once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_follow_that_is_dropped_leaves_nothing_behind() {
    let bench = Bench::new().await;
    let events = bench.follow("power").unwrap();
    assert_eq!(bench.core.subscriptions.watches(), 1);
    drop(events);
    assert_eq!(bench.core.subscriptions.watches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_follow_ends_with_the_rights_of_its_caller() {
    let bench = Bench::new().await;
    let mut events = bench.follow("power").unwrap();
    assert!(events.next().now_or_never().is_none());
    let narrower = ApiKey {
        systems: vec![system("sys-2")],
        ..api_key("key", Clearance::Admin)
    };
    let building = building(room("sys-1", &["mod-1", "mod-2"]), narrower);
    doubles::apply(&bench.core, building).await.unwrap();
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_may_not_do_is_refused() {
    let narrow = ApiKey {
        systems: vec![system("sys-2")],
        ..api_key("key", Clearance::User)
    };
    let bench = Bench::of(narrow).await;
    let refusals = [
        bench.follow("power").err(),
        bench.resolve().err(),
        bench.call("echo", "[]").await.err(),
        bench
            .access()
            .follow(&bench.caller, Subject::Log(module("mod-1")))
            .err(),
    ];
    for refusal in refusals {
        assert!(refusal.unwrap().kind().is_refusal());
    }
    let bench = Bench::of(api_key("key", Clearance::User)).await;
    let refused = bench.call("admin_only", "[]").await.unwrap_err();
    assert_eq!(refused.kind(), FailureKind::Forbidden);
    assert_eq!(bench.life("mod-1").begun(), []);
}

struct Bench {
    core: Arc<Core>,
    host: Arc<ScriptedHost>,
    caller: Caller,
}

impl Bench {
    async fn new() -> Self {
        Self::of(api_key("key", Clearance::Admin)).await
    }

    /// `Scratch` 1 and 2 in `sys-1` run, and the caller has this key.
    async fn of(key: ApiKey) -> Self {
        let host = ScriptedHost::new();
        let documents = MemoryDocuments::new();
        let core = doubles::core(
            CoreSettings::default(),
            &documents,
            &host,
            &Handle::current(),
        );
        let building = building(room("sys-1", &["mod-1", "mod-2"]), key);
        doubles::apply(&core, building).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        let key = Credentials::ApiKey(Secret::new("key.secret"));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let caller = core.access.authenticate(&[key], here).unwrap();
        Self { core, host, caller }
    }

    async fn apply(&self, system: System) {
        let building = building(system, api_key("key", Clearance::Admin));
        doubles::apply(&self.core, building).await.unwrap();
    }

    fn access(&self) -> Arc<dyn BuildingAccess> {
        Arc::clone(&self.core.building_access)
    }

    fn life(&self, id: &str) -> Arc<Life> {
        let mut lives = self.host.lives().into_iter();
        lives.find(|life| life.module == module(id)).unwrap()
    }

    fn follow(&self, status: &str) -> Result<BoxStream<'static, Event>, Failure> {
        let status = Subject::Status(path("sys-1", "Scratch", 1, status));
        self.access().follow(&self.caller, status)
    }

    fn resolve(&self) -> Result<ModuleId, Failure> {
        let place = place("sys-1", "Scratch", 1).into();
        self.access()
            .resolve(&self.caller, &place, ModuleAccess::Read)
    }

    fn call(&self, function: &str, arguments: &str) -> BoxFuture<'static, Result<Reply, Failure>> {
        let call = ExecRequest {
            module: place("sys-1", "Scratch", 1).into(),
            function: FunctionName::new(function).unwrap(),
            arguments: json(arguments),
            act: None,
        };
        self.access().call(&self.caller, call)
    }
}

fn building(system: System, key: ApiKey) -> Building {
    Building {
        systems: vec![system, room("sys-2", &[])],
        modules: vec![scripted("mod-1", None), scripted("mod-2", None)],
        users: vec![user(Clearance::Admin)],
        api_keys: vec![key],
        ..Building::default()
    }
}

/// The next value as JSON, `null` for none.
async fn value(events: &mut BoxStream<'static, Event>) -> String {
    match events.next().await {
        Some(Event::Value { value, .. }) => {
            value.map_or_else(|| "null".to_owned(), |value| value.to_string())
        }
        other => panic!("not a value: {other:?}"),
    }
}

async fn line(events: &mut BoxStream<'static, Event>) -> String {
    match events.next().await {
        Some(Event::Line(line)) => line.message.clone(),
        other => panic!("not a line: {other:?}"),
    }
}
