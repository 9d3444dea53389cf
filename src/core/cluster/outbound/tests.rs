//! Calls and logs of modules that only the store of all nodes knows, over doubles of what lies around.
//!
//! The cases are those of the table "Black-box test cases" of the protocol's fact sheet, where they do not need a wire.

pub(in crate::core) mod doubles;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::{Instant, sleep};

use crate::core::cluster::outbound::tests::doubles::{
    ListedNodes, MemoryCatalog, ScriptedPeers, Then,
};
use crate::core::tests::doubles::{
    EchoStore, FORMS, Inbox, MemoryDocuments, ScriptedHost, api_key, apply, clock,
    embedded_messages, embedded_topics, json, module, place, room, scripted, scripted_interface,
    system, telling, user,
};
use crate::core::{
    Caller, ClusterPorts, Core, CorePorts, CoreSettings, Delivery, Lease, NoAutomation, Outlet,
    OutletId,
};
use crate::driver_host::{
    CallChain, DriverHost, ModuleCall, ModulePlace, RequestFailed, SystemRef,
};
use crate::model::{
    Building, Clearance, ClusterSecret, Credentials, Event, ExecRequest, Function, FunctionName,
    LogLevel, ModuleIndex, ModuleName, Node, NodeId, NodeUri, Request, Secret, Slots, Subject,
};
use crate::peers::{PeerError, PeerReply};
use crate::stores::{DocumentStore, StatusStore};

use super::*;

const NODE_A: &str = "http://core-a:3000";
const NODE_B: &str = "http://core-b:3000";
const HERE: &str = "http://here:3000";

const LEASE: Duration = Duration::from_secs(10);

type Answer = Result<Reply, Failure>;

#[tokio::test(start_paused = true)]
async fn a_call_goes_to_the_node_that_the_module_belongs_to() {
    // §10 cases 36, 37 and 43
    let bench = Bench::new().await;
    let answered = bench.exec("power", "[true]");
    bench.pass(1).await;
    check(answered, "[true]");
    let call = bench.peers.first();
    assert_eq!(
        (call.module, call.user),
        (module("mod-b"), Some(user(Clearance::Admin).id))
    );
    bench.check_calls(&[(NODE_B, "power[true]")]);

    bench.nodes.list(&[NODE_A]);
    bench.pass(5_000).await;
    check(bench.exec_soon("power", "[false]").await, "[false]");
    assert_eq!(bench.peers.calls()[1].0, NODE_A);
}

#[tokio::test(start_paused = true)]
async fn what_an_interface_does_not_have_or_open_is_never_sent() {
    // §10 cases 45 and 46
    let bench = Bench::new().await;
    let refused = refusal(bench.exec_soon("nope", "[]").await);
    assert_eq!(refused.kind(), FailureKind::FunctionNotFound);
    assert_eq!(refused.message(), "could not find function nope");
    for (level, function, kind) in [
        (Clearance::User, "reset", Some(FailureKind::Forbidden)),
        (Clearance::Support, "reset", None),
        (Clearance::Support, "wipe", Some(FailureKind::Forbidden)),
        (Clearance::Admin, "wipe", None),
    ] {
        let before = bench.peers.calls().len();
        let answer = bench.exec_as(level, function).await;
        assert_eq!(
            answer.err().map(|failure| failure.kind()),
            kind,
            "{function}"
        );
        let sent = bench.peers.calls().len() - before;
        assert_eq!(sent, usize::from(kind.is_none()), "{function}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_module_tells_of_itself_is_in_the_catalog_and_is_what_other_nodes_hold_calls_to() {
    let bench = Bench::at(Some(HERE)).await;
    bench.nodes.list(&[HERE]);
    apply(&bench.core, telling_building()).await.unwrap();
    bench.pass(5_000).await;
    let told = || bench.catalog.interface(&module("mod-1"));
    assert_eq!(told().await.unwrap(), None);
    for interface in [scripted_interface(), interface()] {
        let life = bench.host.life();
        life.sink.interface_changed(interface.clone());
        bench.pass(1).await;
        assert_eq!(told().await.unwrap(), Some(interface));
    }

    let elsewhere = Bench::new().await;
    apply(&elsewhere.core, telling_building()).await.unwrap();
    let refused = refusal(elsewhere.exec_by_id("mod-1", "[]").await);
    assert_eq!(refused.kind(), FailureKind::Unavailable);
    assert_eq!(
        refused.message(),
        "the module has not told its functions yet"
    );
    let unread = elsewhere.core.queries.interface(&module("mod-1")).await;
    assert_eq!(unread.unwrap_err().kind(), FailureKind::Unavailable);
    elsewhere
        .catalog
        .put_interface(module("mod-1"), interface());
    check(elsewhere.exec_by_id("mod-1", "[1]").await, "[1]");
    let read = elsewhere
        .core
        .queries
        .interface(&module("mod-1"))
        .await
        .unwrap();
    assert_eq!(*read, interface());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_slot_and_an_unknown_system_are_told_apart_after_a_while() {
    // §10 case 47
    let bench = Bench::new().await;
    let no_index = bench.exec_at("sys-far", "Display", 9, "power");
    let no_system = bench.exec_at("sys-none", "Display", 1, "power");
    let known = bench.exec("power", "[]");
    bench.pass(900).await;
    check(known, "[]");
    let (mut no_index, mut no_system) = (no_index, no_system);
    assert_eq!(no_index.try_recv().err(), Some(TryRecvError::Empty));
    assert_eq!(no_system.try_recv().err(), Some(TryRecvError::Empty));
    bench.pass(300).await;
    assert_eq!(refusal(no_index).kind(), FailureKind::ModuleNotFound);
    assert_eq!(refusal(no_system).kind(), FailureKind::SystemNotFound);
}

#[tokio::test(start_paused = true)]
async fn slots_that_are_taken_away_and_put_back_fail_no_call() {
    let bench = Bench::new().await;
    bench.catalog.put_slots(system("sys-far"), Slots::new());
    let first = bench.exec("power", "[1]");
    bench.pass(500).await;
    let second = bench.exec("power", "[2]");
    bench.catalog.put_slots(system("sys-far"), slots());
    bench.pass(200).await;
    check(first, "[1]");
    check(second, "[2]");
    bench.check_calls(&[(NODE_B, "power[1]"), (NODE_B, "power[2]")]);
}

#[tokio::test(start_paused = true)]
async fn calls_to_one_system_begin_in_their_order_and_a_slow_one_delays_none() {
    // §10 case 50
    let bench = Bench::new().await;
    bench.catalog.take(Duration::from_millis(30));
    let (finish, waits) = oneshot::channel();
    bench.peers.script([Then::Waits(waits)]);
    let slow = bench.exec("power", "[0]");
    let mut others = Vec::new();
    for n in 1..20 {
        others.push(bench.exec("power", &format!("[{n}]")));
        bench.pass(7).await;
    }
    bench.pass(1_000).await;
    for (n, answered) in (1..).zip(others) {
        check(answered, &format!("[{n}]"));
    }
    let order: Vec<String> = bench
        .peers
        .calls()
        .into_iter()
        .map(|(_, call)| call)
        .collect();
    let expected: Vec<String> = (0..20).map(|n| format!("power[{n}]")).collect();
    assert_eq!(order, expected);
    finish.send(reply("7")).unwrap();
    bench.pass(1).await;
    check(slow, "7");
}

#[tokio::test(start_paused = true)]
async fn each_way_in_which_a_node_fails_a_call_reaches_the_caller_and_nothing_is_sent_twice() {
    // §10 cases 39, 40 and 41
    let raised = PeerError::Driver {
        message: "boom (Exception)".to_owned(),
        code: 418,
    };
    let failure = fails(raised).await;
    assert_eq!(failure.kind(), FailureKind::DriverFailed);
    assert_eq!(
        (failure.message(), failure.response_code()),
        ("boom (Exception)", 418)
    );

    let failure = fails(PeerError::Unexpected("500".to_owned())).await;
    assert_eq!(failure.kind(), FailureKind::Internal);
    assert_eq!(failure.message(), "failed to execute request");

    let failure = fails(PeerError::Lost("reset".to_owned())).await;
    assert_eq!(failure.kind(), FailureKind::Lost);
    assert!(failure.message().contains("not known"), "{failure}");

    assert_eq!(fails(PeerError::Busy).await.kind(), FailureKind::Busy);
    let told = PeerError::Failed {
        kind: FailureKind::FunctionNotFound,
        message: "could not find function x".to_owned(),
    };
    assert_eq!(fails(told).await.kind(), FailureKind::FunctionNotFound);

    let bench = Bench::new().await;
    bench.peers.script([Then::Silence]);
    let answered = bench.exec("power", "[]");
    bench.pass(14_900).await;
    assert_eq!(bench.peers.calls().len(), 1);
    bench.pass(200).await;
    assert_eq!(refusal(answered).kind(), FailureKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_has_moved_is_called_where_it_is_then_in_the_order_of_the_calls() {
    let bench = Bench::new().await;
    bench.peers.script([
        Then::Says(Err(PeerError::NotThere)),
        Then::Says(Err(PeerError::NotThere)),
    ]);
    let (first, second) = (bench.exec("power", "[1]"), bench.exec("power", "[2]"));
    bench.nodes.list(&[NODE_A]);
    bench.pass(1_000).await;
    check(first, "[1]");
    check(second, "[2]");
    let calls = bench.peers.calls();
    let (last, before) = (&calls[calls.len() - 1], &calls[calls.len() - 2]);
    assert_eq!((before.0.as_str(), before.1.as_str()), (NODE_A, "power[1]"));
    assert_eq!((last.0.as_str(), last.1.as_str()), (NODE_A, "power[2]"));
}

#[tokio::test(start_paused = true)]
async fn a_module_that_no_node_takes_is_given_up_after_two_seconds() {
    let bench = Bench::new().await;
    let not_there = || Then::Says(Err(PeerError::NotThere));
    bench
        .peers
        .script(std::iter::repeat_with(not_there).take(50));
    let answered = bench.exec("power", "[]");
    bench.pass(2_500).await;
    let failure = refusal(answered);
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    assert!(
        failure.message().ends_with("the call did not run"),
        "{failure}"
    );
    let tries = bench.peers.calls().len();
    assert!((5..=45).contains(&tries), "{tries}");
}

#[tokio::test(start_paused = true)]
async fn on_an_empty_registry_a_call_waits_for_its_module_within_its_deadline() {
    let bench = Bench::new().await;
    bench.nodes.grant_in(LEASE);
    bench.pass(1_000).await;
    assert!(bench.core.trouble().is_some());
    let mut waits = bench.echo("[1]");
    let mut behind = bench.echo("[2]");
    bench.pass(9_000).await;
    for open in [&mut waits, &mut behind] {
        assert_eq!(open.try_recv().err(), Some(TryRecvError::Empty));
    }
    bench.check_calls(&[]);

    bench.nodes.grant_in(Duration::ZERO);
    bench.pass(1_000).await;
    check(waits, "[1]");
    check(behind, "[2]");
    assert_eq!(bench.core.trouble(), None);

    // Where the module does not come in time, it is said that nothing ran.
    bench.nodes.grant_in(LEASE);
    bench.pass(1_000).await;
    let late = bench.echo("[3]");
    bench.pass(16_000).await;
    let failure = refusal(late);
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    assert_eq!(
        failure.message(),
        "no node runs the module yet; the call did not run"
    );
    assert_eq!(bench.peers.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_out_of_reach_is_not_replaced_by_another_while_it_is_listed() {
    // §10 case 44
    let unreachable = || Then::Says(Err(PeerError::Unreachable("refused".to_owned())));
    let bench = Bench::new().await;
    bench.peers.script([unreachable()]);
    let answered = bench.exec("power", "[]");
    bench.pass(2_500).await;
    assert_eq!(refusal(answered).kind(), FailureKind::Unavailable);
    bench.check_calls(&[(NODE_B, "power[]")]);

    bench.peers.script([unreachable()]);
    let answered = bench.exec("power", "[]");
    bench.pass(100).await;
    bench.nodes.list(&[NODE_A]);
    bench.pass(1_000).await;
    check(answered, "[]");
    bench.check_calls(&[
        (NODE_B, "power[]"),
        (NODE_B, "power[]"),
        (NODE_A, "power[]"),
    ]);
}

#[tokio::test(start_paused = true)]
async fn where_no_node_is_listed_nothing_runs() {
    // §10 case 42
    let bench = Bench::new().await;
    bench.nodes.list(&[]);
    bench.pass(5_000).await;
    let answered = bench.exec("power", "[]");
    bench.pass(2_500).await;
    let failure = refusal(answered);
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    assert_eq!(failure.message(), "No registered core instances");
}

#[tokio::test(start_paused = true)]
async fn a_module_is_called_by_its_id_if_the_store_knows_it() {
    let bench = Bench::new().await;
    check(bench.exec_by_id("mod-b", "[1]").await, "[1]");
    let unknown = refusal(bench.exec_by_id("mod-unknown", "[1]").await);
    assert_eq!(unknown.kind(), FailureKind::ModuleNotFound);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_runs_here_is_called_here_whoever_maps_it() {
    let bench = Bench::at(Some(HERE)).await;
    bench.nodes.list(&[HERE]);
    bench.pass(5_000).await;
    let mut slots = slots();
    slots.insert(
        (ModuleName::new("Here").unwrap(), ModuleIndex::FIRST),
        module("mod-1"),
    );
    bench.catalog.put_slots(system("sys-far"), slots);
    let answered = bench.exec_at("sys-far", "Here", 1, "echo");
    bench.pass(10).await;
    check(answered, "[]");
    bench.check_calls(&[]);
}

#[tokio::test(start_paused = true)]
async fn a_module_finds_and_calls_modules_of_a_system_that_only_the_store_knows() {
    let bench = Bench::at(Some(HERE)).await;
    bench.nodes.list(&[HERE]);
    bench.pass(5_000).await;
    let sink = Arc::clone(&bench.host.life().sink);
    let far = SystemRef::Id(system("sys-far"));
    let described = sink.describe_system(&far).await.unwrap();
    let mut modules = described.modules.into_iter();
    let found = modules.find(|found| found.id == module("mod-b")).unwrap();
    assert_eq!(found.slot.to_string(), "Display_1");
    assert_eq!(found.interface.as_deref(), Some(&interface()));
    let call = ModuleCall {
        module: ModulePlace {
            system: far,
            slot: found.slot,
        },
        function: FunctionName::new("power").unwrap(),
        arguments: json("[true]"),
        chain: CallChain::default(),
    };
    let answer = sink.call_module(call).await.unwrap();
    assert_eq!(answer.value, json("[true]"));
    bench.check_calls(&[(HERE, "power[true]")]);
    let nowhere = SystemRef::Id(system("sys-none"));
    let failure = sink.describe_system(&nowhere).await.unwrap_err();
    assert_eq!(failure.code, RequestFailed::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_restricted_key_never_reaches_what_the_building_does_not_have() {
    let bench = Bench::new().await;
    let call = ExecRequest {
        module: place("sys-far", "Display", 1).into(),
        function: FunctionName::new("power").unwrap(),
        arguments: json("[]"),
        act: None,
    };
    let refused = bench
        .core
        .access
        .authorize(&bench.caller("narrow"), &Request::Call(call))
        .unwrap_err();
    assert_eq!(refused.kind(), FailureKind::SystemOutOfReach);
}

#[tokio::test(start_paused = true)]
async fn calls_without_an_answer_are_bounded_and_all_are_answered_at_the_end() {
    let bench = Bench::new().await;
    bench
        .peers
        .script(std::iter::repeat_with(|| Then::Silence).take(REMOTE_CALLS_MAX));
    let mut answers: Vec<_> = (0..REMOTE_CALLS_MAX)
        .map(|_| bench.exec("power", "[]"))
        .collect();
    assert_eq!(refusal(bench.exec("power", "[]")).kind(), FailureKind::Busy);
    bench.pass(100).await;
    answers.push(bench.exec_at("sys-none", "Display", 1, "power"));
    bench.core.stop().await;
    for answered in answers {
        let kind = refusal(answered).kind();
        assert!(
            matches!(
                kind,
                FailureKind::Lost | FailureKind::Unavailable | FailureKind::Busy
            ),
            "{kind:?}"
        );
    }
    assert_eq!(
        refusal(bench.exec("power", "[]")).kind(),
        FailureKind::Unavailable
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_elsewhere_is_one_stream_however_many_follow_it() {
    // §10 cases 58, 61 and 62
    let bench = Bench::new().await;
    let first = bench.follow();
    let second = bench.follow();
    bench.pass(10).await;
    let logs = bench.peers.logs();
    assert_eq!(logs.len(), 1);
    assert_eq!(
        (logs[0].at.as_str(), &logs[0].module),
        (NODE_B, &module("mod-b"))
    );
    logs[0].lines.line(LogLevel::Warn, "hot".to_owned());
    assert_eq!(bench.lines(), ["warn hot", "warn hot"]);
    bench.core.follows.unwatch(bench.outlet, first);
    bench.pass(10).await;
    assert!(!logs[0].is_over());
    bench.core.follows.unwatch(bench.outlet, second);
    bench.pass(10).await;
    assert!(logs[0].is_over());
    assert_eq!(bench.peers.logs().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_log_elsewhere_is_answered_when_it_is_open() {
    let bench = Bench::new().await;
    bench.peers.hold_logs();
    bench.follow();
    let mut answered = bench.when_heard("mod-b");
    bench.pass(1_000).await;
    assert_eq!(answered.try_recv().err(), Some(TryRecvError::Empty));
    bench.peers.logs()[0].lines.opened();
    bench.pass(1).await;
    assert_eq!(
        answered.try_recv().unwrap().unwrap(),
        Reply::Debugging(module("mod-b"))
    );
    // It is open for those who come later.
    let mut later = bench.when_heard("mod-b");
    assert!(later.try_recv().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_log_that_does_not_open_is_told_so() {
    let bench = Bench::new().await;
    bench.peers.hold_logs();
    let watch = bench.follow();
    let answered = bench.when_heard("mod-b");
    bench.pass(4_000).await;
    let failure = refusal(answered);
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    assert!(
        failure.message().contains("cannot be followed"),
        "{failure:?}"
    );
    // A log that is ignored meanwhile gets no line.
    let mut ignored = bench.when_heard("mod-b");
    bench.core.follows.unwatch(bench.outlet, watch);
    bench.pass(1).await;
    assert!(ignored.try_recv().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_breaks_off_is_opened_again_and_its_followers_are_told() {
    // §10 case 63
    let bench = Bench::new().await;
    bench.follow();
    bench.pass(10).await;
    bench.peers.logs()[0].break_off();
    bench.pass(100).await;
    let told = bench.lines();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("lines may be missing"), "{told:?}");
    assert_eq!(bench.peers.logs().len(), 2);

    bench.nodes.list(&[NODE_A]);
    bench.pass(5_000).await;
    let logs = bench.peers.logs();
    assert!(logs[1].is_over());
    assert_eq!(logs[2].at.as_str(), NODE_A);
    assert!(bench.lines()[0].contains("the module has moved"));
}

#[tokio::test(start_paused = true)]
async fn the_module_of_a_log_is_looked_up_where_the_building_does_not_have_it() {
    // §10 cases 58 and 59, and debug of an unknown module
    let bench = Bench::new().await;
    let by_id = |id: &str| ModuleAddress::Id {
        id: module(id),
        system: None,
    };
    let by_place = |index| ModuleAddress::Place(place("sys-far", "Display", index));
    assert_eq!(
        bench.look_for(by_id("mod-b")).await.unwrap(),
        module("mod-b")
    );
    assert_eq!(bench.look_for(by_place(1)).await.unwrap(), module("mod-b"));
    for unknown in [by_id("mod-unknown"), by_place(7)] {
        let failure = bench.look_for(unknown).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::ModuleNotFound);
    }
}

/// A node that shares a building with two others: `mod-b` belongs to the second of them, and stands in a system that only the store knows.
struct Bench {
    core: Arc<Core>,
    host: Arc<ScriptedHost>,
    peers: Arc<ScriptedPeers>,
    catalog: Arc<MemoryCatalog>,
    nodes: Arc<ListedNodes>,
    inbox: Arc<Inbox>,
    outlet: OutletId,
}

impl Bench {
    /// A node that only looks on.
    async fn new() -> Self {
        Self::at(None).await
    }

    /// A node that runs its share, if it has an address.
    async fn at(uri: Option<&str>) -> Self {
        let host = ScriptedHost::new();
        let peers = Arc::new(ScriptedPeers::default());
        let catalog = Arc::new(MemoryCatalog::default());
        let nodes = Arc::new(ListedNodes::default());
        nodes.list(&[NODE_A, NODE_B]);
        let epoch = Instant::now();
        catalog.put_slots(system("sys-far"), slots());
        catalog.put_interface(module("mod-b"), interface());
        let core = Arc::new(Core::new(
            CoreSettings::default(),
            |feed| Arc::new(EchoStore::new(feed)) as Arc<dyn StatusStore>,
            CorePorts {
                documents: MemoryDocuments::new() as Arc<dyn DocumentStore>,
                topics: embedded_topics(),
                messages: embedded_messages(),
                host: Arc::clone(&host) as Arc<dyn DriverHost>,
                clock: clock(),
                main: Handle::current(),
                executor: Arc::new(Handle::current()),
                forms: FORMS,
                automation: Arc::new(NoAutomation),
                key_inspector: None,
                cluster: Some(ClusterPorts {
                    registry: Arc::clone(&nodes) as Arc<dyn crate::stores::NodeRegistry>,
                    catalog: Arc::clone(&catalog) as Arc<dyn Catalog>,
                    peers: Arc::clone(&peers) as Arc<dyn Peers>,
                    secret: ClusterSecret::from(Secret::new("secret")),
                    edges: crate::model::Edges::new(),
                    open_core_api: false,
                    lease: Arc::new(Lease::new(LEASE, Arc::new(move || epoch.elapsed()))),
                }),
            },
        ));
        apply(&core, building()).await.unwrap();
        if let Some(uri) = uri {
            core.join(Node {
                id: NodeId::new("01").unwrap(),
                uri: NodeUri::new(uri).unwrap(),
            });
        }
        let clockwork = Arc::clone(&core);
        drop(Handle::current().spawn(async move { clockwork.run().await }));
        let inbox = Inbox::new();
        let outlet = core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        let bench = Self {
            core,
            host,
            peers,
            catalog,
            nodes,
            inbox,
            outlet,
        };
        bench.pass(10).await;
        bench
    }

    /// Lets so many milliseconds pass.
    async fn pass(&self, milliseconds: u64) {
        sleep(Duration::from_millis(milliseconds)).await;
    }

    fn caller(&self, key: &str) -> Caller {
        let key = Credentials::ApiKey(Secret::new(format!("{key}.secret")));
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.core.access.authenticate(&[key], here).unwrap()
    }

    fn exec(&self, function: &str, arguments: &str) -> oneshot::Receiver<Answer> {
        self.call("admin", "sys-far", "Display", 1, function, arguments)
    }

    fn exec_at(
        &self,
        system: &str,
        name: &str,
        index: u32,
        function: &str,
    ) -> oneshot::Receiver<Answer> {
        self.call("admin", system, name, index, function, "[]")
    }

    /// Calls the module of the building.
    fn echo(&self, arguments: &str) -> oneshot::Receiver<Answer> {
        self.call("admin", "sys-1", "Scratch", 1, "echo", arguments)
    }

    async fn exec_soon(&self, function: &str, arguments: &str) -> oneshot::Receiver<Answer> {
        let answered = self.exec(function, arguments);
        self.pass(1).await;
        answered
    }

    async fn exec_as(&self, level: Clearance, function: &str) -> Answer {
        let answered = self.call(level.as_str(), "sys-far", "Display", 1, function, "[]");
        answered.await.unwrap()
    }

    async fn exec_by_id(&self, id: &str, arguments: &str) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let call = ExecRequest {
            module: module(id).into(),
            function: FunctionName::new("power").unwrap(),
            arguments: json(arguments),
            act: None,
        };
        self.core
            .calls
            .exec(&self.caller("admin"), call, ReplySlot::caller(answer));
        self.pass(1).await;
        answered
    }

    fn call(
        &self,
        key: &str,
        system: &str,
        name: &str,
        index: u32,
        function: &str,
        arguments: &str,
    ) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let call = ExecRequest {
            module: place(system, name, index).into(),
            function: FunctionName::new(function).unwrap(),
            arguments: json(arguments),
            act: None,
        };
        self.core
            .calls
            .exec(&self.caller(key), call, ReplySlot::caller(answer));
        answered
    }

    /// All calls that were sent.
    #[track_caller]
    fn check_calls(&self, expected: &[(&str, &str)]) {
        let calls = self.peers.calls();
        let calls: Vec<(&str, &str)> = calls
            .iter()
            .map(|(at, call)| (at.as_str(), call.as_str()))
            .collect();
        assert_eq!(calls, expected);
    }

    fn follow(&self) -> crate::core::WatchId {
        self.core
            .follows
            .watch(self.outlet, Subject::Log(module("mod-b")))
    }

    fn when_heard(&self, id: &str) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        self.core
            .follows
            .when_heard(module(id), ReplySlot::caller(answer));
        answered
    }

    /// The log lines since the last look.
    fn lines(&self) -> Vec<String> {
        let lines = self.inbox.take().into_iter();
        lines
            .map(|delivery| match delivery {
                Delivery::Event {
                    event: Event::Line(line),
                    ..
                } => format!("{} {}", line.level, line.message),
                other @ (Delivery::Event { .. }
                | Delivery::Reply { .. }
                | Delivery::Close { .. }) => {
                    panic!("not a line: {other:?}")
                }
            })
            .collect()
    }

    async fn look_for(&self, target: ModuleAddress) -> Result<ModuleId, Failure> {
        let (answer, answered) = oneshot::channel();
        self.core
            .resolver
            .resolve_later(target, ReplySlot::caller(answer));
        let reply = answered.await.unwrap()?;
        let Reply::Debugging(module) = reply else {
            panic!("not a module: {reply:?}");
        };
        Ok(module)
    }
}

/// What becomes of a call that a node answers so, which was sent once.
async fn fails(error: PeerError) -> Failure {
    let bench = Bench::new().await;
    bench.peers.script([Then::Says(Err(error))]);
    let failure = refusal(bench.exec_soon("power", "[]").await);
    bench.check_calls(&[(NODE_B, "power[]")]);
    failure
}

fn reply(value: &str) -> Result<PeerReply, PeerError> {
    Ok(PeerReply {
        value: json(value),
        code: 200,
    })
}

fn slots() -> Slots {
    let display = ModuleName::new("Display").unwrap();
    Slots::from([((display, ModuleIndex::FIRST), module("mod-b"))])
}

fn interface() -> Interface {
    let function = |name: &str, clearance| {
        let function = Function {
            clearance,
            ..Function::default()
        };
        (FunctionName::new(name).unwrap(), function)
    };
    Interface {
        functions: IndexMap::from([
            function("power", Clearance::User),
            function("reset", Clearance::Support),
            function("wipe", Clearance::Admin),
        ]),
        ..Interface::default()
    }
}

fn building() -> Building {
    let mut narrow = api_key("narrow", Clearance::Admin);
    narrow.systems = vec![system("sys-1")];
    Building {
        systems: vec![room("sys-1", &["mod-1"])],
        modules: vec![scripted("mod-1", None)],
        users: vec![user(Clearance::Admin)],
        api_keys: vec![
            api_key("user", Clearance::User),
            api_key("support", Clearance::Support),
            api_key("admin", Clearance::Admin),
            narrow,
        ],
        ..Building::default()
    }
}

/// The same, with a module that tells its interface itself.
fn telling_building() -> Building {
    Building {
        modules: vec![telling("mod-1")],
        ..building()
    }
}

/// The call succeeded with this result.
#[track_caller]
fn check(mut answered: oneshot::Receiver<Answer>, expected: &str) {
    match answered.try_recv() {
        Ok(Ok(Reply::Result { value, code: 200 })) => assert_eq!(value.as_str(), expected),
        other => panic!("expected {expected}, got {other:?}"),
    }
}

/// The call failed like this.
#[track_caller]
fn refusal(mut answered: oneshot::Receiver<Answer>) -> Failure {
    match answered.try_recv() {
        Ok(Err(failure)) => failure,
        other => panic!("expected a refusal, got {other:?}"),
    }
}
