//! Commands of the building's own: a page of Home Assistant's that asks for the picture of what is playing.

use serde_json::{Value, json};

use crate::harness::{Gateway, Key, Library, Plan, Socket};

const PLAYER: &str = "sensor.lab_player_1_title";

/// A room with a player, and the commands for it.
const BUILDING: &str = r#"
systems:
  - {id: sys-lab, name: Lab, modules: [mod-player]}
modules:
  - {id: mod-player, driver: {command: [python3, -S, player.py]}, name: Player}
users:
  - {id: user-ann, email: ann@example.test, level: admin}
  - {id: user-tom, email: tom@example.test}
api_keys:
  - {id: user, secret: secret-u, user: user-tom, level: user}
  - {id: admin, secret: secret-a, user: user-ann, level: admin}
commands:
  - type: media_player/thumbnail
    schema: {properties: {entity_id: {type: string, format: entity_id}, size: {enum: [small, broken], default: small}}}
    call: {entity: entity_id, function: thumbnail}
    args: {size: "{{ size }}"}
    errors:
      no such player: {code: entity_not_found, message: Entity not found}
      no answer: {code: thumbnail_fetch_failed, message: Failed to fetch thumbnail}
  - {type: media_player/slow, call: sys-lab/Player_1/slow}
  - {type: media_player/kinds, result: {kinds: [tape, disc], asked: "{{ kind }}"}, schema: {properties: {kind: {type: string}}}}
  - {type: media_player/title, subscribe: sys-lab/Player_1/title}
  - {type: media_player/erase, result: {erased: true}, admin: true, schema: {properties: {really: {type: boolean}}}}
"#;

/// A driver without any library.
const DRIVER: &str = r#"
import base64, json, sys, time

def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()

def title(text):
    say(method="status", params={"name": "title", "value": text})

def answer(function, arguments):
    # By position, or by name.
    arguments = list(arguments.values()) if isinstance(arguments, dict) else arguments
    if function == "slow":
        time.sleep(1)
        return {"result": {"value": "at last"}}
    if function == "title":
        title(arguments[0])
        return {"result": {"value": None}}
    if arguments[0] == "broken":
        return {"error": {"code": -32000, "message": "no answer"}}
    picture = base64.b64encode(bytes(range(256)) * 400).decode()
    return {"result": {"value": {"content_type": "image/png", "content": picture}}}

def parameter(name):
    return {"name": name, "schema": {"type": "string"}}

functions = {
    "thumbnail": {"parameters": [parameter("size")]},
    "slow": {"parameters": []},
    "title": {"parameters": [parameter("text")]},
}
statuses = {"title": {"schema": {"type": "string"}}}
for line in sys.stdin:
    message = json.loads(line)
    if message["method"] == "start":
        say(id=message["id"], result={"interface": {"functions": functions, "statuses": statuses}})
        title("Overture")
    elif message["method"] == "call":
        say(id=message["id"], **answer(message["params"]["function"], message["params"]["arguments"]))
    else:
        say(id=message["id"], result=None)
"#;

/// A gateway whose player has said what it plays.
async fn gateway() -> Gateway {
    let gateway = Plan::serve(BUILDING)
        .file("player.py", DRIVER)
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
        .start()
        .await;
    let mut library = Library::with_entities(&gateway, Key::USER).await;
    library.until_state(PLAYER, "Overture").await;
    gateway
}

fn promise(message: &Value) -> Value {
    json!({"cmd": "promise", "message": message})
}

fn thumbnail(entity_id: &str) -> Value {
    json!({"type": "media_player/thumbnail", "entity_id": entity_id})
}

// Case 27.
#[tokio::test]
async fn a_picture_comes_as_the_module_gives_it() {
    let gateway = gateway().await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let picture = library.ask(promise(&thumbnail(PLAYER))).await;
    assert_eq!(picture["content_type"], "image/png");
    let content = picture["content"].as_str().expect("base64");
    assert_eq!(content.len(), (256_usize * 400).div_ceil(3) * 4);
    assert!(content.starts_with("AAECAwQF"));
}

// Case 28.
#[tokio::test]
async fn what_fails_is_told_by_the_commands_own_codes() {
    let gateway = gateway().await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let gone = library
        .rejected(promise(&thumbnail("media_player.gone")))
        .await;
    assert_eq!(gone["code"], "entity_not_found");
    let mut broken = thumbnail(PLAYER);
    broken["size"] = json!("broken");
    let failed = json!({"code": "thumbnail_fetch_failed", "message": "Failed to fetch thumbnail"});
    assert_eq!(library.rejected(promise(&broken)).await, failed);
}

// Case 29.
#[tokio::test]
async fn a_message_that_the_schema_does_not_take_is_refused_with_its_place() {
    let gateway = gateway().await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let mut message = thumbnail("bad");
    message["zip"] = json!(1);
    let error = library.rejected(promise(&message)).await;
    assert_eq!(error["code"], "invalid_format");
    let lines: Vec<&str> = error["message"].as_str().expect("a text").lines().collect();
    assert_eq!(
        lines,
        [
            "Entity ID bad is an invalid entity ID for dictionary value @ data['entity_id']. Got 'bad'",
            "extra keys not allowed @ data['zip']. Got 1",
        ]
    );
}

// Case 30.
#[tokio::test]
async fn a_slow_command_delays_nothing_behind_it() {
    let gateway = gateway().await;
    let mut socket = Socket::sign_in(&gateway, Key::USER).await;
    let slow = socket.send(json!({"type": "media_player/slow"})).await;
    let ping = socket.send(json!({"type": "ping"})).await;
    socket
        .client()
        .expect(json!({"id": ping, "type": "pong"}))
        .await;
    assert_eq!(socket.result(slow).await, "at last");
}

#[tokio::test]
async fn an_answer_may_stand_in_the_file_and_speak_of_the_message() {
    let gateway = gateway().await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let kinds = json!({"type": "media_player/kinds", "kind": "tape"});
    let kinds = library.ask(promise(&kinds)).await;
    assert_eq!(kinds, json!({"kinds": ["tape", "disc"], "asked": "tape"}));
}

#[tokio::test]
async fn a_status_is_subscribed_to_by_a_command() {
    let gateway = gateway().await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let subscribe = json!({"cmd": "subscribe", "message": {"type": "media_player/title"}});
    let mark = library.subscribe(subscribe).await;
    assert_eq!(library.message(mark).await, "Overture");
    let title = json!({"text": "Finale"});
    let set = library
        .call("player.title", title, json!({"entity_id": PLAYER}))
        .await;
    set.expect("it is set");
    assert_eq!(library.message(mark).await, "Finale");
    library.ask(json!({"cmd": "unsubscribe", "of": mark})).await;
}

// Case 31, with a command of the building's own.
#[tokio::test]
async fn a_command_for_administrators_is_refused_to_others_after_their_mistakes() {
    let gateway = gateway().await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    let erase = json!({"type": "media_player/erase"});
    assert_eq!(
        library.rejected(promise(&erase)).await["code"],
        "unauthorized"
    );
    let mistaken = json!({"type": "media_player/erase", "really": 3});
    assert_eq!(
        library.rejected(promise(&mistaken)).await["code"],
        "invalid_format"
    );
    let mut library = Library::connect(&gateway, Key::ADMIN).await;
    assert_eq!(library.ask(promise(&erase)).await, json!({"erased": true}));
}
