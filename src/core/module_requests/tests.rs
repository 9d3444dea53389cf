//! What modules get when they ask about other modules, over scripted ones.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::core::limits::{MODULE_CALL_DEADLINE, MODULE_CALLS_MAX, MODULE_FOLLOWS_MAX};
use crate::core::tests::doubles::{
    self, Inbox, Life, MemoryDocuments, ScriptedHost, json, module, outcome, room, scripted,
    system, telling,
};
use crate::core::{Core, CoreSettings, Delivery, Outlet};
use crate::driver_host::CallChain;
use crate::model::{Act, Building, Cause, FunctionName, Module, ModuleIndex, ModuleName};

#[tokio::test(start_paused = true)]
async fn a_module_sees_the_modules_of_its_system_in_their_order() {
    let bench = Bench::new(&[("sys-2", &["mod-2"]), ("sys-1", &["mod-1", "mod-2"])]).await;
    let check = async |who: &str, which: SystemRef, expect: &str| {
        let described = bench.life(who).sink.describe_system(&which).await;
        let text = match described {
            Ok(system) => {
                let slots = system
                    .modules
                    .iter()
                    .map(|it| format!(" {}={}", it.slot, it.id));
                format!("{}:{}", system.id, slots.collect::<String>())
            }
            Err(failure) => format!("{} {}", failure.code, failure.message),
        };
        assert_eq!(text, expect, "{who}");
    };
    let first = "sys-1: Scratch_1=mod-1 Scratch_2=mod-2";
    check("mod-1", SystemRef::Own, first).await;
    // It stands in both, and the other is the first of the building.
    check("mod-2", SystemRef::Own, "sys-2: Scratch_1=mod-2").await;
    check("mod-2", SystemRef::Id(system("sys-1")), first).await;
    let nowhere = SystemRef::Id(system("sys-3"));
    check("mod-1", nowhere, "404 could not find system sys-3").await;
    let alone =
        "404 the module stands in no system, so there are no other modules of its own system";
    check("mod-3", SystemRef::Own, alone).await;
    let described = bench.life("mod-1").sink.describe_system(&SystemRef::Own);
    let interface = described.await.unwrap().modules[0].interface.clone();
    assert!(interface.unwrap().functions.contains_key("echo"));
}

#[tokio::test(start_paused = true)]
async fn a_module_calls_another_whatever_the_clearance_of_the_function() {
    let bench = Bench::new(ONE_ROOM).await;
    let call = async |slot: &str, function: &str| {
        let answer = bench
            .life("mod-1")
            .sink
            .call_module(call(slot, function))
            .await;
        answer.map(|result| (result.value.to_string(), result.code))
    };
    assert_eq!(
        call("Scratch_2", "admin_only").await,
        Ok(("[1]".to_owned(), 200))
    );
    assert_eq!(
        bench.life("mod-2").begun(),
        [("admin_only".to_owned(), "[1]".to_owned())]
    );
    for (slot, function, code, message) in [
        ("Scratch_2", "fail", 409, "no"),
        ("Scratch_2", "dance", 404, "could not find function dance"),
        (
            "Scratch_3",
            "echo",
            404,
            "could not find module Scratch_3 in sys-1",
        ),
        (
            "Door_1",
            "echo",
            404,
            "could not find module Door_1 in sys-1",
        ),
    ] {
        let failure = call(slot, function).await.unwrap_err();
        assert_eq!((failure.code, &*failure.message), (code, message));
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_of_another_module_is_read() {
    let bench = Bench::new(ONE_ROOM).await;
    bench.life("mod-2").say("power", Some("true"));
    let read = async |slot: &str, name: &str| {
        let (module, status) = (own(slot), doubles::status(name));
        let read = bench.life("mod-1").sink.read_status(&module, &status).await;
        read.map(|value| value.map(|value| value.to_string()))
            .map_err(|failure| failure.code)
    };
    assert_eq!(
        read("Scratch_2", "power").await,
        Ok(Some("true".to_owned()))
    );
    assert_eq!(read("Scratch_2", "volume").await, Ok(None));
    assert_eq!(read("Scratch_3", "power").await, Err(404));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_leads_back_to_itself_is_refused_and_shows_the_way() {
    let bench = Bench::new(ONE_ROOM).await;
    let links = [("mod-2", "echo"), ("mod-1", "chain")];
    let chain = links
        .iter()
        .fold(CallChain::default(), |chain, (id, function)| {
            let function = FunctionName::new(function).unwrap();
            chain.with(&module(id), &function).unwrap()
        });
    let within = |function: &str| ModuleCall {
        chain: chain.clone(),
        ..call("Scratch_2", function)
    };
    let sink = &bench.life("mod-1").sink;
    let refused = sink.call_module(within("echo")).await.unwrap_err();
    assert_eq!(refused.code, RequestFailed::CIRCLE);
    assert_eq!(
        refused.message,
        "the call goes in a circle: mod-2.echo -> mod-1.chain -> mod-2.echo; the call did not run"
    );
    assert_eq!(bench.life("mod-2").begun(), []);
    // The method itself knows the calls that led to it.
    let chain = sink.call_module(within("chain")).await.unwrap();
    let expect = r#"["mod-2.echo", "mod-1.chain", "mod-2.chain"]"#;
    assert_eq!(chain.value.as_str(), expect);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_ends_after_two_minutes() {
    let bench = Bench::new(ONE_ROOM).await;
    let began = Instant::now();
    let answer = bench
        .life("mod-1")
        .sink
        .call_module(call("Scratch_2", "wait"));
    assert_eq!(answer.await.unwrap_err().code, RequestFailed::UNANSWERED);
    let late = began.elapsed() - MODULE_CALL_DEADLINE;
    assert!(late < Duration::from_secs(1), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_follow_goes_on_through_a_remap_and_a_restart_of_the_module() {
    let bench = Bench::new(ONE_ROOM).await;
    bench.life("mod-2").say("power", Some("2"));
    bench.life("mod-3").say("power", Some("3"));
    let mut power = bench.follow("mod-1", own("Scratch_2"));
    assert_eq!(next(&mut power).await, "2");
    bench
        .apply(&[("sys-1", &["mod-1", "mod-3", "mod-2"])])
        .await;
    assert_eq!(next(&mut power).await, "3");
    bench.apply(&[("sys-1", &["mod-1"])]).await;
    assert_eq!(next(&mut power).await, "null");
    bench.apply(ONE_ROOM).await;
    assert_eq!(next(&mut power).await, "2");

    let before = bench.life("mod-2");
    before.end("unplugged");
    // It has set nothing again, so its status is gone some time after it is there again.
    assert_eq!(next(&mut power).await, "null");
    let again = bench.life("mod-2");
    assert!(!Arc::ptr_eq(&before, &again));
    again.say("power", Some("4"));
    assert_eq!(next(&mut power).await, "4");
    assert!(power.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_follow_in_its_own_system_goes_with_the_module_that_follows() {
    let bench = Bench::new(&[("sys-1", &["mod-2"]), ("sys-2", &["mod-3"])]).await;
    bench.life("mod-2").say("power", Some("2"));
    bench.life("mod-3").say("power", Some("3"));
    let mut power = bench.follow("mod-1", own("Scratch_1"));
    assert!(
        power.next().now_or_never().is_none(),
        "it stands in no system"
    );
    bench
        .apply(&[("sys-1", &["mod-2", "mod-1"]), ("sys-2", &["mod-3"])])
        .await;
    assert_eq!(next(&mut power).await, "2");
    bench
        .apply(&[("sys-1", &["mod-2"]), ("sys-2", &["mod-3", "mod-1"])])
        .await;
    assert_eq!(next(&mut power).await, "3");
    bench.life("mod-2").say("power", Some("2.5"));
    bench
        .apply(&[("sys-1", &["mod-2"]), ("sys-2", &["mod-3"])])
        .await;
    assert_eq!(next(&mut power).await, "null");
    assert_eq!(bench.core.subscriptions.watches(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_module_asked_ends_with_the_life_in_which_it_asked() {
    let bench = Bench::new(ONE_ROOM).await;
    let life = bench.life("mod-1");
    let mut power = bench.follow("mod-1", own("Scratch_2"));
    let call = life.sink.call_module(call("Scratch_2", "wait"));
    life.end("unplugged");
    sleep(Duration::from_millis(1)).await;
    assert!(power.next().await.is_none());
    assert_eq!(call.await.unwrap_err().code, RequestFailed::UNANSWERED);
    let refused = life.sink.describe_system(&SystemRef::Own).await;
    assert_eq!(refused.unwrap_err().code, RequestFailed::UNAVAILABLE);
    assert!(life.sink.follow(Followed::Modules(SystemRef::Own)).is_err());
    drop(power);
    assert_eq!(bench.core.subscriptions.watches(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_module_asked_ends_when_it_is_taken_out_of_the_building() {
    let bench = Bench::new(ONE_ROOM).await;
    let life = bench.life("mod-1");
    let mut power = bench.follow("mod-1", own("Scratch_2"));
    let rest = vec![scripted("mod-2", None)];
    bench.build(&[("sys-1", &["mod-2"])], rest).await;
    assert!(power.next().await.is_none());
    let refused = life.sink.call_module(call("Scratch_1", "echo")).await;
    assert_eq!(refused.unwrap_err().code, RequestFailed::UNAVAILABLE);
    assert_eq!(bench.life("mod-2").begun(), []);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_ends_while_it_is_called_leaves_no_caller_waiting() {
    let bench = Bench::new(ONE_ROOM).await;
    let sink = &bench.life("mod-1").sink;
    let lost = sink.call_module(call("Scratch_2", "wait"));
    sleep(Duration::from_millis(1)).await;
    bench.life("mod-2").end("unplugged");
    assert_eq!(lost.await.unwrap_err().code, RequestFailed::UNANSWERED);
    let refused = sink.call_module(call("Scratch_2", "echo")).await;
    assert_eq!(refused.unwrap_err().code, RequestFailed::UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn a_module_is_told_when_its_system_has_other_modules() {
    let bench = Bench::new(ONE_ROOM).await;
    let sink = &bench.life("mod-1").sink;
    let mut told = sink.follow(Followed::Modules(SystemRef::Own)).unwrap();
    bench.apply(&[("sys-1", &["mod-1", "mod-3"])]).await;
    assert_eq!(next(&mut told).await, "null");
    // What is no difference is not told, though the building was shown again.
    bench
        .apply(&[("sys-1", &["mod-1", "mod-3"]), ("sys-2", &["mod-2"])])
        .await;
    assert!(told.next().now_or_never().is_none());
    let modules = vec![scripted("mod-1", None), telling("mod-4")];
    bench
        .build(&[("sys-1", &["mod-1", "mod-4"])], modules)
        .await;
    assert_eq!(next(&mut told).await, "null");
    let interface = doubles::scripted_interface();
    bench.life("mod-4").sink.interface_changed(interface);
    assert_eq!(next(&mut told).await, "null");
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_channel_reach_the_modules_that_follow_it() {
    let bench = Bench::new(ONE_ROOM).await;
    let doors = ChannelName::new("doors").unwrap();
    let follow = |who: &str| {
        let follow = Followed::Channel(doors.clone());
        bench.life(who).sink.follow(follow).unwrap()
    };
    let (mut two, mut three) = (follow("mod-2"), follow("mod-3"));
    let sink = &bench.life("mod-1").sink;
    sink.publish(&doors, json("[1]")).unwrap();
    let floors = ChannelName::new("floors").unwrap();
    sink.publish(&floors, json("[2]")).unwrap();
    sink.publish(&doors, json("[3]")).unwrap();
    for messages in [&mut two, &mut three] {
        assert_eq!(next(messages).await, "[1]");
        assert_eq!(next(messages).await, "[3]");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_called_module_sets_is_of_the_act_of_the_call_that_led_to_it() {
    let bench = Bench::new(ONE_ROOM).await;
    let inbox = Inbox::new();
    let outlet = bench
        .core
        .follows
        .attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
    let said = Subject::Status(doubles::path("sys-1", "Scratch", 2, "said"));
    bench.core.follows.watch(outlet, said);
    let sink = &bench.life("mod-1").sink;
    let say = async |chain: CallChain| {
        let say = call("Scratch_2", "say");
        sink.call_module(ModuleCall { chain, ..say }).await.unwrap();
        bench.life("mod-2").say("said", None);
        let mut causes = inbox.take().into_iter().map(|delivery| match delivery {
            Delivery::Event {
                event: Event::Value { cause, .. },
                ..
            } => cause,
            other @ (Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. }) => {
                panic!("not a value: {other:?}")
            }
        });
        causes.next().expect("it was said")
    };
    let user = Some(Arc::from("user-1"));
    let act = Arc::new(Act { id: 7, user });
    let of_act = CallChain::default().of_act(Arc::clone(&act));
    assert_eq!(say(of_act).await, Cause::Act(act));
    // A call that the module makes by itself begins an act of the building's own.
    let own = say(CallChain::default()).await;
    assert!(
        matches!(&own, Cause::Act(act) if act.user.is_none()),
        "{own:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_module_asks_is_bounded_and_its_place_is_free_again_afterwards() {
    let bench = Bench::new(ONE_ROOM).await;
    let sink = &bench.life("mod-1").sink;
    let wait = || sink.call_module(call("Scratch_2", "wait"));
    let mut calls: Vec<_> = (0..MODULE_CALLS_MAX).map(|_| wait()).collect();
    assert_eq!(wait().await.unwrap_err().code, RequestFailed::BUSY);
    sleep(Duration::from_millis(1)).await;
    bench.life("mod-2").answer(outcome("1"));
    assert!(calls.remove(0).await.is_ok());
    // One that is given up gives its place back, too.
    drop(calls.pop());
    calls.extend([wait(), wait()]);
    assert_eq!(wait().await.unwrap_err().code, RequestFailed::BUSY);

    let follow = || sink.follow(Followed::Modules(SystemRef::Own));
    let mut follows: Vec<_> = (0..MODULE_FOLLOWS_MAX)
        .map(|_| follow().ok().unwrap())
        .collect();
    assert_eq!(follow().err().unwrap().code, RequestFailed::BUSY);
    follows.pop();
    assert!(follow().is_ok());
}

/// The three modules that run, of which two stand in one system.
const ONE_ROOM: &[(&str, &[&str])] = &[("sys-1", &["mod-1", "mod-2"])];

struct Bench {
    core: Arc<Core>,
    host: Arc<ScriptedHost>,
}

impl Bench {
    /// `mod-1`, `mod-2` and `mod-3` run, all of them `Scratch` in the systems.
    async fn new(systems: &[(&str, &[&str])]) -> Self {
        let host = ScriptedHost::new();
        let documents = MemoryDocuments::new();
        let settings = CoreSettings::default();
        let core = doubles::core(settings, &documents, &host, &Handle::current());
        let clockwork = Arc::clone(&core);
        drop(Handle::current().spawn(async move { clockwork.run().await }));
        let bench = Self { core, host };
        bench.apply(systems).await;
        bench
    }

    async fn apply(&self, systems: &[(&str, &[&str])]) {
        let modules = ["mod-1", "mod-2", "mod-3"].map(|id| scripted(id, None));
        self.build(systems, modules.into()).await;
    }

    async fn build(&self, systems: &[(&str, &[&str])], modules: Vec<Module>) {
        let building = Building {
            systems: systems
                .iter()
                .map(|(id, modules)| room(id, modules))
                .collect(),
            modules,
            ..Building::default()
        };
        doubles::apply(&self.core, building).await.unwrap();
        sleep(Duration::from_millis(1)).await;
    }

    /// The latest life of a module.
    fn life(&self, id: &str) -> Arc<Life> {
        let mut lives = self.host.lives().into_iter().rev();
        lives.find(|life| life.module == module(id)).unwrap()
    }

    fn follow(&self, who: &str, place: ModulePlace) -> BoxStream<'static, JsonText> {
        let follow = Followed::Status(place, doubles::status("power"));
        self.life(who).sink.follow(follow).unwrap()
    }
}

/// A place in the module's own system.
fn own(slot: &str) -> ModulePlace {
    let (name, index) = slot.rsplit_once('_').unwrap();
    ModulePlace {
        system: SystemRef::Own,
        slot: ModuleSlot {
            name: ModuleName::new(name).unwrap(),
            index: ModuleIndex::new(index.parse().unwrap()).unwrap(),
        },
    }
}

fn call(slot: &str, function: &str) -> ModuleCall {
    ModuleCall {
        module: own(slot),
        function: FunctionName::new(function).unwrap(),
        arguments: json("[1]"),
        chain: CallChain::default(),
    }
}

async fn next(items: &mut BoxStream<'static, JsonText>) -> String {
    items.next().await.expect("it goes on").to_string()
}
