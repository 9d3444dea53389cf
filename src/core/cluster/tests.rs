//! Several nodes over one registry: every module runs, and never on two of them, whatever befalls nodes and registry.

mod doubles;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use crate::core::cluster::tests::doubles::{TestNode, Way, World, building};
use crate::core::cluster::{Liveness, rendezvous};
use crate::model::NodeUri;

const LEASE: Duration = Duration::from_secs(2);

/// Within this time after the end of a node its modules run elsewhere.
const TAKE_OVER: Duration = Duration::from_secs(2);

const MODULES: [&str; 6] = ["mod-0", "mod-1", "mod-2", "mod-3", "mod-4", "mod-5"];

/// Nodes 0 to `count`, with all modules running.
async fn settled(count: usize) -> (Arc<World>, Vec<TestNode>) {
    let world = World::new(LEASE);
    let mut nodes = Vec::new();
    for number in 0..count {
        nodes.push(TestNode::start(&world, number, building(&MODULES)).await);
    }
    sleep(LEASE + TAKE_OVER).await;
    let all: Vec<usize> = (0..count).collect();
    check(&world, &all);
    (world, nodes)
}

/// The node on which a module belongs.
fn home(module: &str, nodes: &[usize]) -> usize {
    let uris = nodes
        .iter()
        .map(|number| NodeUri::new(&format!("http://node-{number}:3000")).unwrap());
    let uris: Vec<NodeUri> = uris.collect();
    let chosen = rendezvous::choose(&uris, module).unwrap();
    let at = uris.iter().position(|uri| uri == chosen).unwrap();
    nodes[at]
}

/// Every module runs where it belongs, and no device has seen two at a time.
#[track_caller]
fn check(world: &World, nodes: &[usize]) {
    let none: &[String] = &[];
    assert_eq!(world.violations(), none);
    for module in MODULES {
        let expect = Some(home(module, nodes));
        assert_eq!(world.acting(module), expect, "{module} among {nodes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn modules_run_where_they_belong_and_nowhere_before_the_registry_is_sure() {
    let world = World::new(LEASE);
    let _first = TestNode::start(&world, 0, building(&MODULES)).await;
    let _second = TestNode::start(&world, 1, building(&MODULES)).await;
    sleep(LEASE - Duration::from_millis(100)).await;
    assert_eq!(
        world.lives(),
        0,
        "who ran them before the registry was asked is not known"
    );
    sleep(TAKE_OVER).await;
    check(&world, &[0, 1]);
    assert_eq!(world.lives(), 6, "each was started once");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_runs_nothing_and_knows_the_nodes() {
    let (world, _nodes) = settled(2).await;
    let lives = world.lives();
    let gateway = TestNode::look_on(&world, 7, building(&MODULES)).await;
    gateway.run();
    sleep(LEASE * 2).await;
    assert_eq!(world.lives(), lives);
    let cluster = gateway.core.cluster.as_ref().unwrap();
    assert_eq!(cluster.membership().nodes().len(), 2);
    let module = crate::core::tests::doubles::module("mod-3");
    let expect = format!("http://node-{}:3000", home("mod-3", &[0, 1]));
    assert_eq!(
        cluster.membership().node_for(&module).unwrap().as_str(),
        expect
    );
}

/// What nodes say of all modules.
fn said(nodes: &[&TestNode]) -> Vec<Vec<Liveness>> {
    let of = |node: &&TestNode| {
        let modules = MODULES.iter();
        let modules = modules.map(|id| {
            node.core
                .queries
                .liveness(&crate::core::tests::doubles::module(id))
        });
        modules.collect()
    };
    nodes.iter().map(of).collect()
}

/// What the node of this number says when the modules run where they belong.
fn settled_view(number: usize, nodes: &[usize]) -> Vec<Liveness> {
    let of = |id: &&str| match home(id, nodes) == number {
        true => Liveness::Here(true),
        false => Liveness::Elsewhere,
    };
    MODULES.iter().map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn modules_wait_on_an_empty_registry_and_every_node_says_so() {
    let world = World::new(LEASE);
    let first = TestNode::start(&world, 0, building(&MODULES)).await;
    let second = TestNode::start(&world, 1, building(&MODULES)).await;
    sleep(LEASE / 2).await;
    for view in said(&[&first, &second]) {
        assert_eq!(view, [Liveness::Waiting; MODULES.len()]);
    }
    assert!(first.core.trouble().is_some() && second.core.trouble().is_some());
    let told = first.core.queries.connections();
    assert_eq!(told.len(), MODULES.len());
    assert!(told.iter().all(|(_, connected)| !connected), "{told:?}");

    sleep(TAKE_OVER).await;
    for (number, view) in said(&[&first, &second]).into_iter().enumerate() {
        assert_eq!(view, settled_view(number, &[0, 1]), "at {number}");
    }
    assert_eq!((first.core.trouble(), second.core.trouble()), (None, None));
    let both = [
        first.core.queries.connections(),
        second.core.queries.connections(),
    ]
    .concat();
    assert_eq!(
        both.len(),
        MODULES.len(),
        "each is told by its node: {both:?}"
    );
    assert!(both.iter().all(|(_, connected)| *connected), "{both:?}");
}

#[tokio::test(start_paused = true)]
async fn the_modules_of_a_node_that_died_without_another_are_unreachable() {
    let (world, nodes) = settled(1).await;
    let gateway = TestNode::look_on(&world, 7, building(&MODULES)).await;
    gateway.run();
    sleep(LEASE / 2).await;
    assert_eq!(said(&[&gateway]), [[Liveness::Elsewhere; MODULES.len()]]);
    nodes[0].kill();
    sleep(LEASE * 2).await;
    assert_eq!(said(&[&gateway]), [[Liveness::Unreachable; MODULES.len()]]);
    assert_eq!(gateway.core.queries.connections().len(), MODULES.len());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_cut_off_says_that_it_cannot_find_out() {
    let (_world, nodes) = settled(2).await;
    nodes[0].set_way(Way::Cut);
    sleep(LEASE * 2).await;
    assert_eq!(said(&[&nodes[0]]), [[Liveness::Unreachable; MODULES.len()]]);
    nodes[0].set_way(Way::Open(Duration::from_millis(2)));
    sleep(LEASE + TAKE_OVER).await;
    let views = said(&[&nodes[0], &nodes[1]]);
    for (number, view) in views.into_iter().enumerate() {
        assert_eq!(view, settled_view(number, &[0, 1]), "at {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn modules_that_run_on_are_not_waited_for_when_the_registry_forgets() {
    let (world, nodes) = settled(2).await;
    world.restart_registry();
    let began = Instant::now();
    while began.elapsed() < LEASE * 2 {
        for (number, view) in said(&[&nodes[0], &nodes[1]]).into_iter().enumerate() {
            assert_eq!(view, settled_view(number, &[0, 1]), "at {number}");
        }
        assert_eq!(nodes[0].core.trouble(), None);
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_modules_of_a_node_that_dies_run_elsewhere_within_a_lease_and_two_seconds() {
    let (world, nodes) = settled(3).await;
    let lives = world.lives();
    nodes[1].kill();
    sleep(LEASE + TAKE_OVER).await;
    check(&world, &[0, 2]);
    let moved = MODULES.iter().filter(|id| home(id, &[0, 1, 2]) == 1);
    assert_eq!(
        world.lives() - lives,
        moved.count() as u64,
        "no other has moved"
    );
}

#[tokio::test(start_paused = true)]
async fn the_modules_of_a_node_that_leaves_run_elsewhere_at_once() {
    let (world, nodes) = settled(3).await;
    let began = Instant::now();
    nodes[1].leave().await;
    while MODULES
        .iter()
        .any(|id| world.acting(id) != Some(home(id, &[0, 2])))
    {
        assert!(began.elapsed() < Duration::from_millis(1_500), "too long");
        sleep(Duration::from_millis(10)).await;
    }
    check(&world, &[0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_joins_takes_its_share_and_nothing_else_moves() {
    let (world, mut nodes) = settled(2).await;
    let lives = world.lives();
    nodes.push(TestNode::start(&world, 2, building(&MODULES)).await);
    sleep(TAKE_OVER).await;
    check(&world, &[0, 1, 2]);
    let moved = MODULES.iter().filter(|id| home(id, &[0, 1, 2]) == 2);
    assert_eq!(world.lives() - lives, moved.count() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_held_up_for_longer_than_its_lease_acts_no_more_until_it_is_granted_anew() {
    let (world, nodes) = settled(2).await;
    nodes[0].pause();
    sleep(LEASE + TAKE_OVER).await;
    check(&world, &[1]);
    nodes[0].resume();
    sleep(LEASE + TAKE_OVER).await;
    check(&world, &[0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_cut_off_stops_before_another_starts() {
    for way in [Way::Cut, Way::Deaf, Way::Open(LEASE * 3)] {
        let (world, nodes) = settled(2).await;
        // Answers so slow that a lease counted from them would be too long.
        nodes[0].set_way(Way::Open(LEASE * 24 / 100));
        sleep(LEASE * 3).await;
        nodes[0].set_way(way);
        sleep(LEASE * 5).await;
        let mine = MODULES.iter().find(|id| home(id, &[0, 1]) == 0).unwrap();
        assert_ne!(world.acting(mine), Some(0), "{way:?}");
        nodes[0].set_way(Way::Open(Duration::from_millis(2)));
        sleep(LEASE * 5).await;
        check(&world, &[0, 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_lost_its_memory_interrupts_nothing() {
    let (world, nodes) = settled(3).await;
    let lives = world.lives();
    // What it was started with at first is nothing.
    world.restart_registry();
    sleep(LEASE * 3).await;
    check(&world, &[0, 1, 2]);
    world.save();
    nodes[2].kill();
    sleep(LEASE + TAKE_OVER).await;
    let moved = world.lives();
    // Now it believes that the dead node's modules are still there.
    world.restart_registry();
    sleep(LEASE * 3).await;
    check(&world, &[0, 1]);
    let gone = MODULES.iter().filter(|id| home(id, &[0, 1, 2]) == 2);
    assert_eq!(moved - lives, gone.count() as u64);
    assert_eq!(world.lives(), moved, "no module was started again");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_went_back_in_time_gives_no_node_what_it_has_given_up_since() {
    let (world, nodes) = settled(2).await;
    nodes[0].pause();
    sleep(LEASE + TAKE_OVER).await;
    check(&world, &[1]);
    world.save();
    nodes[0].resume();
    sleep(LEASE + TAKE_OVER).await;
    check(&world, &[0, 1]);
    nodes[0].pause();
    world.restart_registry();
    sleep(LEASE).await;
    nodes[0].resume();
    sleep(LEASE * 2).await;
    check(&world, &[0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_gone_from_the_building_is_given_up_and_may_come_back() {
    let (world, nodes) = settled(2).await;
    for node in &nodes {
        crate::core::tests::doubles::apply(&node.core, building(&MODULES[1..]))
            .await
            .unwrap();
    }
    sleep(TAKE_OVER).await;
    assert_eq!(world.acting("mod-0"), None);
    for node in &nodes {
        crate::core::tests::doubles::apply(&node.core, building(&MODULES))
            .await
            .unwrap();
    }
    sleep(TAKE_OVER).await;
    check(&world, &[0, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_catalog_has_every_slot_and_interface_again_after_it_was_lost() {
    let (world, nodes) = settled(2).await;
    assert_eq!((world.shown_slots(), world.shown_interfaces()), (6, 6));
    world.empty_catalog();
    for node in &nodes {
        node.set_way(Way::Cut);
    }
    sleep(Duration::from_secs(1)).await;
    for node in &nodes {
        node.set_way(Way::Open(Duration::from_millis(2)));
    }
    sleep(TAKE_OVER).await;
    assert_eq!((world.shown_slots(), world.shown_interfaces()), (6, 6));
}

/// What befalls nodes and registry.
#[derive(Debug, Clone)]
enum Event {
    Pass(u64),
    Pause(usize),
    Resume(usize),
    Kill(usize),
    Leave(usize),
    /// A node that is gone is started again.
    Start(usize),
    Way(usize, Way),
    Save,
    RestartRegistry,
    FreezeRegistry(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let node = 0..3_usize;
    let way = prop_oneof![
        (0..3_000_u64).prop_map(|delay| Way::Open(Duration::from_millis(delay))),
        Just(Way::Open(Duration::from_millis(2))),
        Just(Way::Cut),
        Just(Way::Deaf),
    ];
    let event = prop_oneof![
        8 => (0..4_000_u64).prop_map(Event::Pass),
        2 => node.clone().prop_map(Event::Pause),
        3 => node.clone().prop_map(Event::Resume),
        1 => node.clone().prop_map(Event::Kill),
        1 => node.clone().prop_map(Event::Leave),
        3 => node.clone().prop_map(Event::Start),
        3 => (node, way).prop_map(|(node, way)| Event::Way(node, way)),
        1 => Just(Event::Save),
        1 => Just(Event::RestartRegistry),
        1 => (0..4_000_u64).prop_map(Event::FreezeRegistry),
    ];
    prop::collection::vec(event, 1..40)
}

async fn befall(world: &Arc<World>, nodes: &mut [TestNode], event: &Event) {
    match *event {
        Event::Pass(time) => sleep(Duration::from_millis(time)).await,
        Event::Pause(at) => nodes[at].pause(),
        Event::Resume(at) => nodes[at].resume(),
        Event::Kill(at) => nodes[at].kill(),
        // A process that is held up cannot stop in good order.
        Event::Leave(at) if nodes[at].is_dead() || nodes[at].is_paused() => {}
        Event::Leave(at) => nodes[at].leave().await,
        Event::Start(at) if nodes[at].is_dead() => {
            nodes[at] = TestNode::start(world, at, building(&MODULES)).await;
        }
        Event::Start(_) => {}
        Event::Way(at, way) => nodes[at].set_way(way),
        Event::Save => world.save(),
        Event::RestartRegistry => world.restart_registry(),
        Event::FreezeRegistry(time) => world.freeze_registry(Duration::from_millis(time)),
    }
}

proptest! {
    // A case starts three nodes, so there are a tenth of the usual cases, however many are asked for.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(10)))]

    #[test]
    fn no_module_ever_runs_on_two_nodes_and_in_the_end_each_runs(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (world, mut nodes) = settled(3).await;
            for event in &events {
                befall(&world, &mut nodes, event).await;
                prop_assert_eq!(world.violations(), Vec::<String>::new());
            }
            for (at, node) in nodes.iter_mut().enumerate() {
                node.resume();
                node.set_way(Way::Open(Duration::from_millis(2)));
                if node.is_dead() {
                    *node = TestNode::start(&world, at, building(&MODULES)).await;
                }
            }
            // What is under way may take its longest delay, and the registry one lease more.
            sleep(LEASE * 6).await;
            check(&world, &[0, 1, 2]);
            Ok(())
        })?;
    }
}
