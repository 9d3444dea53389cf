//! The building that riser is measured with; a server that is already running needs the same one.

use std::fmt::Write;

use crate::protocol::{self, Layout, PROCEDURE, event};

/// The credentials that the building lets in.
pub(crate) const KEY: &str = "load.secret";

/// The statuses that triggers set, the first ones of the building's. Those that they wait for come behind.
pub(crate) const TARGETS: usize = 50;

/// The triggers of one room.
const TRIGGERS_EACH: usize = 100;

/// The building file: one system, this many modules `Load`, and the key.
pub(crate) fn building(modules: usize) -> String {
    with_rooms(modules, 0)
}

/// The same with this many rooms beside, in which there is nothing.
fn with_rooms(modules: usize, rooms: usize) -> String {
    let ids: Vec<String> = (1..=modules).map(|index| format!("mod-{index}")).collect();
    let mut text = format!(
        "systems:\n  - {{id: sys-1, name: Load, modules: [{}]}}\n",
        ids.join(", ")
    );
    for room in 0..rooms {
        text.push_str(&format!("  - {{id: room-{room}, name: Room {room}}}\n"));
    }
    text.push_str("modules:\n");
    for id in ids {
        text.push_str(&format!("  - {{id: {id}, driver: virtual, name: Load}}\n"));
    }
    text.push_str(
        "users:
  - {id: user-load, email: load@example.test, name: Load, level: admin}
api_keys:
  - {id: load, secret: secret, user: user-load, level: admin}
",
    );
    text
}

/// What is added for Pusher's protocol: an app whose channels take what the scenarios bring.
pub(super) fn app() -> String {
    let (id, key, secret) = (protocol::APP, protocol::KEY, protocol::SECRET);
    format!(
        "apps:
  - id: \"{id}\"
    keys: [{{key: {key}, secret: {secret}}}]
    client_events: true
    limits: {{client_events_per_second: 10000, batch_events: 100, presence_members: 20000}}
"
    )
}

/// What is added for Platypush's protocol: what is run there.
pub(super) fn procedure() -> String {
    format!(
        "procedures:
  - {{id: {PROCEDURE}, parameters: [value], steps: [{{return: \"{{{{ value }}}}\"}}]}}
"
    )
}

/// The building with as many triggers as are asked for, in rooms of their own.
///
/// They come in pairs. One waits for the event of the pair's number, the other for a positive number in the pair's status, [`TARGETS`] behind its number;
/// both set the status that the pair has in common with others to what they were told.
pub(super) fn with_triggers(layout: Layout) -> String {
    let rooms = layout.triggers.div_ceil(TRIGGERS_EACH);
    let mut text = with_rooms(layout.modules, rooms) + "triggers:\n";
    for pair in 0..layout.triggers / 2 {
        let (target, edge) = (pair % TARGETS, TARGETS + pair);
        let (index, source) = (1 + target % layout.modules, 1 + edge % layout.modules);
        let room = 2 * pair / TRIGGERS_EACH;
        let event = event(pair);
        let set = format!("call: sys-1/Load_{index}/set, args: [s{target}");
        let status = format!("sys-1/Load_{source}/s{edge}");
        writeln!(
            text,
            "  - {{id: event-{pair}, system: room-{room}, when: [{{event: {event}}}], \
             then: [{{{set}, \"{{{{ event.data.value }}}}\"]}}]}}\n  \
             - {{id: edge-{pair}, system: room-{room}, when: [{{status: {status}, is: \">\", than: 0}}], \
             then: [{{{set}, \"{{{{ status('{status}') }}}}\"]}}]}}"
        )
        .expect("memory takes what is written");
    }
    text
}
