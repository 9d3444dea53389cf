//! A room that is switched as one: logic that acts on the modules around it, driven by a client.

use serde_json::{Value, json};

use crate::harness::{Gateway, Key, Place, Plan, display};

const ROOM: &str = r"
systems:
  - {id: sys-1, name: Board Room, modules: [mod-display, mod-notes, mod-presence, mod-room]}
  - {id: sys-2, name: Store, modules: [mod-spare]}
modules:
  - {id: mod-display, driver: demo_display, settings: {warm_up_seconds: 0}}
  - {id: mod-spare, driver: demo_display, settings: {warm_up_seconds: 0}}
  - {id: mod-notes, driver: virtual, name: Notes}
  - {id: mod-presence, driver: virtual, name: Presence}
  - id: mod-room
    driver: room_logic
    settings: {presence: [Presence_1/presence], off_after_seconds: 0.1}
users: [{id: user-eve, email: eve@example.test, level: admin}]
api_keys: [{id: admin, secret: secret-a, user: user-eve, level: admin}]
";

#[tokio::test]
async fn a_room_goes_on_with_its_people_and_off_after_them_also_after_its_display_was_replaced() {
    let plan = Plan::serve(ROOM).variable("RISER_LOG", "info,audit=debug");
    let gateway = plan.start().await;
    let mut client = gateway.connect(Key::ADMIN).await;
    client.bind_with_value(power("Room"), 1, false).await;
    client.bind_with_value(power("Display"), 2, false).await;
    client.bind_with_value(display("volume"), 3, 20).await;
    let mut other = gateway.connect(Key::ADMIN).await;
    let spare = display("volume").within("sys-2");
    other.call(spare, json!([77])).await;

    set_presence(&gateway, true).await;
    client.expect(power("Display").notify(2, true)).await;
    client.expect(power("Room").notify(1, true)).await;
    set_presence(&gateway, false).await;
    client.expect(power("Display").notify(2, false)).await;
    client.expect(power("Room").notify(1, false)).await;
    // The call of a module is a caller's like any other.
    let audited = gateway.logged("automation mod-room").await;
    assert!(audited.contains("mod-display"), "{audited}");

    // Another display in the place: the follows and the logic go on.
    gateway.replace_building(&ROOM.replace("[mod-display, mod-notes", "[mod-spare, mod-notes"));
    client.expect(display("volume").notify(3, 77)).await;
    other.call(display("power"), json!([true])).await;
    client.expect(power("Display").notify(2, true)).await;
    client.expect(power("Room").notify(1, true)).await;
    let power_off = display("power").of("Room");
    assert_eq!(other.call(power_off, json!([false])).await, Value::Null);
    client.expect(power("Display").notify(2, false)).await;
    client.expect(power("Room").notify(1, false)).await;
}

fn power(module: &str) -> Place<'_> {
    display("power").of(module)
}

async fn set_presence(gateway: &Gateway, presence: bool) {
    let mut client = gateway.connect(Key::ADMIN).await;
    let set = display("set").of("Presence");
    client.call(set, json!(["presence", presence])).await;
}
