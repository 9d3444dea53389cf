//! Statuses as entities: what Home Assistant's library has in its store, and what filters leave of them.

use serde_json::{Map, Value, json};

use crate::harness::{Console, Gateway, Key, LABORATORY, Library, Plan, Socket};

const LEVEL: &str = "number.lab_soft_1_level";
const POWER: &str = "switch.lab_soft_1_power";
const CONNECTED: &str = "binary_sensor.lab_soft_1_connected";
const PLAYER: &str = "media_player.lab_display_1";

/// The entity of a status of the soft module, whatever its domain is.
fn entity_of<'a>(entities: &'a Map<String, Value>, status: &str) -> Option<&'a Value> {
    entities.values().find(|entity| {
        let of = |name: &str| entity["attributes"][name].as_str();
        of("gateway_module") == Some("Soft_1") && of("gateway_status") == Some(status)
    })
}

fn has_all(object: &Value, names: &[&str]) -> bool {
    names.iter().all(|name| object.get(name).is_some())
}

/// `2026-11-30T08:15:00.123456+00:00`.
fn is_time(text: &Value) -> bool {
    let text = text.as_str().unwrap_or_default();
    let shape: String = text
        .chars()
        .map(|it| if it.is_ascii_digit() { '0' } else { it })
        .collect();
    shape == "0000-00-00T00:00:00.000000+00:00"
}

// Case 13.
#[tokio::test]
async fn all_states_can_be_asked_for() {
    let gateway = Gateway::start(LABORATORY).await;
    Console::connect(&gateway).await.set("power", true).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let states = library
        .ask(json!({"cmd": "ask", "name": "getStates"}))
        .await;
    let states = states.as_array().expect("a list");
    for state in states {
        let keys = [
            "entity_id",
            "state",
            "attributes",
            "last_changed",
            "last_updated",
            "context",
        ];
        assert!(has_all(state, &keys), "{state}");
        assert!(is_time(&state["last_changed"]), "{state}");
        assert!(is_time(&state["last_updated"]), "{state}");
        assert!(
            has_all(&state["context"], &["id", "parent_id", "user_id"]),
            "{state}"
        );
    }
    let power = states.iter().find(|state| state["entity_id"] == POWER);
    let power = power.expect("the status that was set");
    assert_eq!(power["state"], "on");
    let attributes = &power["attributes"];
    assert_eq!(
        (
            &attributes["gateway_system"],
            &attributes["gateway_module"],
            &attributes["gateway_status"]
        ),
        (&json!("sys-lab"), &json!("Soft_1"), &json!("power"))
    );
}

// Case 14.
#[tokio::test]
async fn the_library_holds_every_entity_from_the_first_moment() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", false).await;
    console.set("level", 35).await;

    let mut library = Library::with_entities(&gateway, Key::USER).await;

    let first = library
        .events()
        .iter()
        .find(|event| event["event"] == "entities");
    let first = first.expect("it is there")["changed"]
        .as_object()
        .expect("entities");
    for (id, state) in [(POWER, "off"), (LEVEL, "35"), (CONNECTED, "on")] {
        assert_eq!(first[id]["state"], state, "{id}");
    }
    let states = library
        .ask(json!({"cmd": "ask", "name": "getStates"}))
        .await;
    let states = states.as_array().expect("a list");
    assert_eq!(states.len(), library.entities().len());
    for state in states {
        let held = &library.entities()[state["entity_id"].as_str().expect("an id")];
        assert_eq!(held["attributes"], state["attributes"]);
    }
}

// Case 15.
#[tokio::test]
async fn a_change_of_one_status_touches_its_entity_alone() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("level", 35).await;
    console.set("power", true).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let before = library.until_state(LEVEL, "35").await;

    console.set("level", 36).await;
    let after = library.until_state(LEVEL, "36").await;
    library.settle().await;

    assert!(after["last_changed"].as_str() > before["last_changed"].as_str());
    assert_eq!(after["last_updated"], after["last_changed"]);
    assert_eq!(after["attributes"], before["attributes"]);
    let calls = library
        .events()
        .iter()
        .filter(|event| event["event"] == "entities");
    let calls: Vec<(&Value, Vec<&String>)> = calls
        .skip(1)
        .map(|told| {
            let changed = told["changed"].as_object().expect("entities");
            (&told["calls"], changed.keys().collect())
        })
        .collect();
    assert_eq!(calls, [(&json!(1), vec![&LEVEL.to_owned()])]);
}

#[tokio::test]
async fn a_value_that_is_set_again_is_no_change() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("level", 35).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    console.set("level", 35).await;
    console.set("level", 37).await;
    library.until_state(LEVEL, "37").await;
    let calls = library
        .events()
        .iter()
        .filter(|event| event["event"] == "entities");
    assert_eq!(calls.count(), 2);
}

// Case 16.
#[tokio::test]
async fn an_attribute_that_changes_alone_leaves_the_time_of_the_state() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let player = json!({"entity_id": PLAYER});
    let on = library
        .call("media_player.turn_on", json!({}), player.clone())
        .await;
    on.expect("it is switched on");
    let is_on = |entity: &Value| entity["state"] == "on";
    let before = library.until_entity(PLAYER, "on", is_on).await;

    let volume = json!({"volume_level": 0.4});
    let set = library
        .call("media_player.volume_set", volume, player)
        .await;
    set.expect("the volume is set");
    let is_set = |entity: &Value| entity["attributes"]["volume_level"] == 0.4;
    let after = library.until_entity(PLAYER, "at 0.4", is_set).await;

    assert_eq!(after["last_changed"], before["last_changed"]);
    assert!(after["last_updated"].as_str() > before["last_updated"].as_str());
    assert_eq!(after["state"], "on");
}

// Case 17.
#[tokio::test]
async fn an_attribute_that_goes_is_gone_in_the_library_too() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    // A state has room for 255 characters; what is longer stands whole in an attribute.
    let long = "long ".repeat(60);
    console.set("title", long.as_str()).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let entity = entity_of(library.entities(), "title").expect("it was set");
    assert_eq!(entity["attributes"]["value"], long);
    assert!(entity["state"].as_str().expect("a text").chars().count() <= 255);
    let id = entity["entity_id"].as_str().expect("an id").to_owned();

    console.set("title", "short").await;
    let entity = library.until_state(&id, "short").await;
    assert_eq!(entity["attributes"].get("value"), None, "{entity}");
}

#[tokio::test]
async fn what_is_not_set_yet_is_unknown_and_comes_when_it_is() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    assert_eq!(library.entities().get(POWER), None);
    console.set("power", true).await;
    library.until_state(POWER, "on").await;
    console.set("power", Value::Null).await;
    library.until_state(POWER, "unknown").await;
}

#[tokio::test]
async fn a_module_whose_device_is_lost_has_no_entity_that_is_available() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", true).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    console.set("connected", false).await;
    library.until_state(POWER, "unavailable").await;
    library.until_state(CONNECTED, "off").await;
    console.set("connected", true).await;
    library.until_state(POWER, "on").await;
}

#[tokio::test]
async fn lists_and_objects_are_entities_whose_value_is_an_attribute() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("people", json!(["Ann", "Tom"])).await;
    console.set("scene", json!({"level": 3})).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    let entities = library.entities();
    let of = |status| entity_of(entities, status).expect("it was set");
    let (people, scene) = (of("people"), of("scene"));
    assert_eq!(
        (&people["state"], &people["attributes"]["value"]),
        (&json!("2"), &json!(["Ann", "Tom"]))
    );
    assert_eq!(
        (&scene["state"], &scene["attributes"]["value"]),
        (&json!("json"), &json!({"level": 3}))
    );
}

// Case 18.
#[tokio::test]
async fn the_entities_of_a_module_go_and_come_with_it() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    assert!(library.entities().contains_key(CONNECTED));

    gateway.write_building(&LABORATORY.replace(", mod-soft]", "]"));
    let goes = |event: &Value| {
        let gone = event["gone"].as_array();
        gone.is_some_and(|gone| gone.contains(&json!(CONNECTED)))
    };
    library.wait("the end of its entities", goes).await;
    assert!(library.entities().contains_key(PLAYER));

    gateway.write_building(LABORATORY);
    library.until_state(CONNECTED, "on").await;
}

/// The ids in the event that begins a subscription.
async fn begins_with(socket: &mut Socket, subscription: Value) -> (u64, Vec<String>) {
    let id = socket.send(subscription).await;
    assert_eq!(socket.result(id).await, Value::Null);
    let event = socket.event(id).await;
    let added = event["a"].as_object().expect("entities").keys();
    (id, added.cloned().collect())
}

// Case 19.
#[tokio::test]
async fn whoever_names_entities_hears_of_them_alone() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", true).await;
    console.set("level", 1).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;

    let subscription = json!({"type": "subscribe_entities", "entity_ids": [POWER]});
    let (id, added) = begins_with(&mut socket, subscription).await;
    assert_eq!(added, [POWER]);
    console.set("level", 2).await;
    console.set("power", false).await;

    let event = socket.event(id).await;
    let changed: Vec<&String> = event["c"].as_object().expect("changes").keys().collect();
    assert_eq!(changed, [POWER]);
    assert_eq!(event["c"][POWER]["+"]["s"], "off");
    socket.expect_silence().await;
}

#[tokio::test]
async fn one_name_is_as_good_as_a_list_and_none_begins_with_nothing() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let one = json!({"type": "subscribe_entities", "entity_ids": CONNECTED});
    assert_eq!(begins_with(&mut socket, one).await.1, [CONNECTED]);
    let none = json!({"type": "subscribe_entities", "entity_ids": ["switch.nobody"]});
    assert_eq!(begins_with(&mut socket, none).await.1, [] as [&str; 0]);
}

// Case 20.
#[tokio::test]
async fn whoever_includes_or_excludes_hears_of_what_is_left() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut console = Console::connect(&gateway).await;
    console.set("power", true).await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let subscription = |filter: Value| {
        let mut command = json!({"type": "subscribe_entities"});
        for (name, value) in filter.as_object().expect("a filter") {
            command[name] = value.clone();
        }
        command
    };

    let switches = subscription(json!({"include": {"domains": ["switch"]}}));
    let (_, added) = begins_with(&mut socket, switches).await;
    assert!(added.contains(&POWER.to_owned()), "{added:?}");
    assert!(
        added.iter().all(|id| id.starts_with("switch.")),
        "{added:?}"
    );

    let without = subscription(json!({"exclude": {"entity_globs": ["*.lab_soft_*"]}}));
    let (_, added) = begins_with(&mut socket, without).await;
    assert!(added.contains(&PLAYER.to_owned()), "{added:?}");
    assert!(!added.iter().any(|id| id.contains("lab_soft")), "{added:?}");

    let both = subscription(json!({
        "include": {"domains": ["binary_sensor"], "entity_globs": ["switch.lab_soft_*"]},
        "exclude": {"entities": [POWER], "entity_globs": ["*_display_*", "*_lighting_*"]}
    }));
    let (id, added) = begins_with(&mut socket, both).await;
    assert_eq!(added, [CONNECTED]);
    console.set("connected", false).await;
    loop {
        let frame = socket.client().next().await;
        let changed = &frame["event"]["c"];
        assert!(changed.get(POWER).is_none() || frame["id"] != id, "{frame}");
        if frame["id"] == id {
            assert_eq!(changed[CONNECTED]["+"]["s"], "off");
            break;
        }
    }
}

#[tokio::test]
async fn a_key_for_other_rooms_sees_none_of_their_entities() {
    let building = LABORATORY.replace(
        "  - {id: sys-lab,",
        "  - {id: sys-hall, name: Hall, modules: [mod-hall]}\n  - {id: sys-lab,",
    );
    let building = building.replace(
        "  - {id: mod-soft,",
        "  - {id: mod-hall, driver: virtual, name: Soft}\n  - {id: mod-soft,",
    );
    let building = format!(
        "{building}  - {{id: room, secret: secret-1, user: user-tom, systems: [sys-hall]}}\n"
    );
    let gateway = Plan::serve(&building).start().await;
    let mut console = Console::connect(&gateway).await;
    let room = Key("room.secret-1");
    let mut library = Library::with_entities(&gateway, room).await;
    let ids: Vec<&String> = library.entities().keys().collect();
    assert!(ids.iter().all(|id| id.contains(".hall_soft_1_")), "{ids:?}");
    assert!(!ids.is_empty());
    console.set("power", true).await;
    library.settle().await;
    let states = library
        .ask(json!({"cmd": "ask", "name": "getStates"}))
        .await;
    assert_eq!(
        states.as_array().map(Vec::len),
        Some(library.entities().len())
    );
    assert!(!library.entities().contains_key(POWER));
}
