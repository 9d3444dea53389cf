//! Keys that reach some systems only: outside everything is error 2, and nothing is said about what is there.

use serde_json::json;

use crate::harness::{BUILDING, Gateway, Key, Place, display, scratch};

/// The key, what it reaches, and what it does not.
const CASES: [(Key, &str, &str); 2] = [
    (Key::ROOM, "sys-1", "sys-2"),
    (Key::FLOOR, "sys-2", "sys-1"),
];

#[tokio::test]
async fn inside_its_systems_a_restricted_key_does_everything() {
    let gateway = Gateway::start(BUILDING).await;
    for (key, inside, _) in CASES {
        let mut client = gateway.connect(key).await;
        let power = display("power").within(inside);
        client.set(power, true).await;
        client.bind_with_value(power, 1, true).await;
        client.send(power.debug(2)).await;
        assert_eq!(client.next().await["type"], "success");
        client.send(power.ignore(3)).await;
        client.expect(Place::ignored(3)).await;
        client.send(power.unbind(4)).await;
        client.expect(power.success(4)).await;
        // What does not exist inside is as for anybody.
        client.bind(power.of("Ghost"), 5).await;
        client.send(power.of("Ghost").exec(6, json!([]))).await;
        client.expect_error(6, 6).await;
    }
}

#[tokio::test]
async fn outside_its_systems_everything_is_error_2() {
    let gateway = Gateway::start(BUILDING).await;
    for (key, inside, outside) in CASES {
        let mut client = gateway.connect(key).await;
        for sys in [outside, "sys-none"] {
            let power = display("power").within(sys);
            for request in [
                power.bind(1),
                power.unbind(1),
                power.of("Ghost").bind(1),
                power.named("echo").exec(1, json!([1])),
                power.named("nope").exec(1, json!([1])),
                power.of("Ghost").exec(1, json!([])),
                power.debug(1),
                power.ignore(1),
            ] {
                client.send(request.clone()).await;
                let message = client.expect_error(1, 2).await;
                assert!(!message.contains("Huddle"), "{message} for {request}");
            }
        }
        client.expect_silence_in(inside).await;
    }
}

#[tokio::test]
async fn a_module_is_debugged_by_id_only_where_it_stands_inside() {
    let gateway = Gateway::start(BUILDING).await;
    let by_id = |cmd: &str, module: &str| json!({"id": 1, "cmd": cmd, "sys": "", "mod": module, "name": cmd});
    let cases = [
        (Key::ROOM, "mod-d1", true),
        (Key::ROOM, "mod-shared", true),
        (Key::ROOM, "mod-d3", false),
        (Key::ROOM, "mod-loose", false),
        (Key::ROOM, "mod-none", false),
        (Key::FLOOR, "mod-d3", true),
        (Key::FLOOR, "mod-shared", true),
        (Key::FLOOR, "mod-d1", false),
    ];
    for (key, module, allowed) in cases {
        let mut client = gateway.connect(key).await;
        for cmd in ["debug", "ignore"] {
            client.send(by_id(cmd, module)).await;
            if allowed {
                let frame = client.next().await;
                assert_eq!(frame["type"], "success", "{module} for {key}: {frame}");
            } else {
                client.expect_error(1, 2).await;
            }
        }
    }
}

#[tokio::test]
async fn a_system_named_beside_an_id_does_not_widen_a_keys_reach() {
    let gateway = Gateway::start(BUILDING).await;
    let mut client = gateway.connect(Key::ROOM).await;
    for module in ["mod-d3", "mod-loose"] {
        let request = display("debug").of(module).request(1, "debug");
        client.send(request).await;
        client.expect_error(1, 2).await;
    }
}

#[tokio::test]
async fn what_a_module_does_in_a_room_outside_is_not_told_inside() {
    let gateway = Gateway::start(BUILDING).await;
    let mut room = gateway.connect(Key::ROOM).await;
    let mut console = gateway.connect(Key::USER).await;
    room.bind(display("power"), 1).await;

    console.set(display("power").within("sys-2"), true).await;
    room.expect_silence().await;

    // One that stands in both is one module.
    room.bind(scratch("power"), 2).await;
    console.set(scratch("power").within("sys-2"), true).await;
    room.expect(scratch("power").notify(2, true)).await;
}
