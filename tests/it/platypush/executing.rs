//! Actions over HTTP.

use serde_json::{Value, json};

use super::door::{
    ADMIN, BUILDING, EMPTY, LOBBY, custom, error, execute, listener, output, refused, session,
};
use crate::harness::Gateway;

const ECHO: &str = "board_room.display_1.echo";

fn request() -> Value {
    json!({"type": "request", "action": ECHO, "args": [1]})
}

/// Case 1.
#[tokio::test]
async fn without_a_user_the_first_one_is_to_be_registered() {
    let gateway = Gateway::start(EMPTY).await;
    let expect = (412, "REGISTRATION_REQUIRED".to_owned());
    assert_eq!(refused(execute(&gateway, request())).await, expect);
    assert_eq!(refused(gateway.request("GET", "/auth")).await, expect);
}

/// Cases 10 and 11.
#[tokio::test]
async fn every_carrier_of_credentials_opens_it_and_nothing_does_not() {
    let gateway = Gateway::start(BUILDING).await;
    let (cookie, _) = session(&gateway).await;
    let ask = || execute(&gateway, request());
    let basic = |pair: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
    };
    for (name, value) in [
        ("X-Token", ADMIN.to_owned()),
        ("Authorization", format!("Bearer {ADMIN}")),
        ("Authorization", basic("ops:correct horse")),
        ("Authorization", basic("admin:secret-a")),
        ("Cookie", format!("session_token={cookie}")),
        ("X-Session-Token", cookie.clone()),
    ] {
        ask().header(name, &value).ok().await;
    }
    let by_query = gateway.request("POST", &format!("/execute?token={ADMIN}"));
    by_query.json(request()).ok().await;
    // A wrong password falls through to what stands behind it, and a bad token hides what does.
    let wrong = basic("ops:wrong");
    ask()
        .header("Authorization", &wrong)
        .header("X-Token", ADMIN)
        .ok()
        .await;
    let expect = (401, "INVALID_CREDENTIALS".to_owned());
    let hidden = ask().header("X-Token", "bad").bearer(ADMIN);
    assert_eq!(refused(hidden).await, expect);
    assert_eq!(refused(ask()).await, expect);
    assert_eq!(refused(ask().header("Authorization", &wrong)).await, expect);
}

/// Cases 12, 14, 17, 18 and 46.
#[tokio::test]
async fn a_response_has_the_id_of_its_request_and_the_output_of_its_action() {
    let gateway = Gateway::start(BUILDING).await;
    let ask = |message: Value| execute(&gateway, message).bearer(ADMIN).ok();
    let response = ask(request()).await;
    let id = response["id"].as_str().expect("a text");
    assert!(
        id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(response["type"], "response");
    assert_eq!(response["target"], "http");
    assert_eq!(response["origin"], "riser");
    assert!(response["_timestamp"].is_f64());
    assert_eq!(response["response"], json!({"output": 1, "errors": []}));
    for id in [json!("my-id"), json!(5), json!(0), json!(""), json!(false)] {
        let asked = json!({"type": "request", "action": ECHO, "args": [1], "id": id});
        assert_eq!(ask(asked).await["id"], id);
    }
    for (args, expect) in [
        (json!({"value": {"a": 1}}), json!({"a": 1})),
        (json!(["0"]), json!("0")),
        (json!("{{ n }}"), json!("{{ n }}")),
        (json!("7"), json!("7")),
        (json!(0), json!(0)),
        (json!(false), json!(false)),
        (json!([null]), json!({"success": true})),
    ] {
        assert_eq!(output(&gateway, ECHO, args).await, expect);
    }
    output(
        &gateway,
        "sys-1.display_2.set",
        json!({"name": "power", "value": true}),
    )
    .await;
    let said = output(&gateway, "board_room.display_2.status", json!("power")).await;
    assert_eq!(said, json!(true));
    let all = output(&gateway, "board_room.display_2.status", Value::Null).await;
    assert_eq!(all["power"], json!(true));
}

/// Cases 15 and 16.
#[tokio::test]
async fn what_fails_is_a_response_with_one_error() {
    let gateway = Gateway::start(BUILDING).await;
    let check = async |action: &str, args: Value, expect: &str| {
        let error = error(&gateway, action, args).await;
        assert!(error.contains(expect), "{error}");
    };
    check("nosuch.action", json!({}), "No such plugin: nosuch").await;
    check(
        "board_room.display_9.echo",
        json!({}),
        "did you mean board_room.display_",
    )
    .await;
    check(
        "board_room.display_1.ehco",
        json!({}),
        "did you mean board_room.display_1.echo?",
    )
    .await;
    check("procedure.nosuch", json!({}), "No such procedure: nosuch").await;
    check("echo", json!({}), "No plugin name provided").await;
    check("board_room.display_1.fail", json!(["it burns"]), "it burns").await;
    check(ECHO, json!({"nosuch": 1}), "nosuch").await;
}

/// Cases 19 to 22.
#[tokio::test]
async fn what_is_no_request_is_refused_and_an_event_is_published() {
    let gateway = Gateway::start(BUILDING).await;
    let mut events = listener(&gateway).await;
    let post = |body: &str| {
        let request = gateway.request("POST", "/execute").bearer(ADMIN).body(body);
        request.send()
    };
    for bad in [
        "",
        "{",
        "[]",
        "5",
        r#"{"action":"a.b"}"#,
        r#"{"type":"requests","action":"a.b"}"#,
        r#"{"type":"request"}"#,
    ] {
        let response = post(bad).await;
        assert_eq!(response.status, 400, "{bad}: {}", response.body);
    }
    let response = post(r#"{"type":"request","action":5}"#).await;
    assert_eq!(
        response.json()["response"]["errors"][0],
        "the action is not a text"
    );
    let wrong = gateway
        .request("GET", "/execute")
        .bearer(ADMIN)
        .send()
        .await;
    assert_eq!((wrong.status, wrong.header("Allow")), (405, Some("POST")));
    let published = execute(&gateway, custom("doors", &json!({"who": "Ann"})));
    assert_eq!(published.bearer(ADMIN).ok().await, json!({}));
    let event = events.next().await;
    assert_eq!(
        event["args"],
        custom("doors", &json!({"who": "Ann"}))["args"]
    );
}

#[tokio::test]
async fn a_restricted_key_finds_what_is_in_reach_and_nothing_else() {
    let gateway = Gateway::start(BUILDING).await;
    let ask = async |action: &str| {
        let message = json!({"type": "request", "action": action, "args": [7]});
        execute(&gateway, message).bearer(LOBBY).ok().await["response"].clone()
    };
    // With one system in reach its name may be left out.
    assert_eq!(ask("lights.echo").await["output"], 7);
    let refused = ask(ECHO).await;
    assert_eq!(
        refused["errors"],
        json!(["No such plugin: board_room.display_1"])
    );
    let plugins = ask("inspect.get_enabled_plugins").await;
    let plugins = plugins["output"].as_array().expect("names").clone();
    assert!(plugins.contains(&json!("lobby.lights_1")));
    assert!(!plugins.contains(&json!("board_room.display_1")));
}

/// Case 41.
#[tokio::test]
async fn what_there_is_has_platypushs_shapes() {
    let gateway = Gateway::start(BUILDING).await;
    let plugins = output(
        &gateway,
        "inspect.get_all_plugins",
        json!({"html_doc": false}),
    )
    .await;
    let display = &plugins["board_room.display_1"];
    assert_eq!(display["type"], "gateway.Display");
    let set = &display["actions"]["set"]["args"]["name"];
    assert_eq!(
        (&set["type"], &set["required"]),
        (&json!("str"), &json!(true))
    );
    assert_eq!(
        display["actions"]["increment"]["args"]["by"]["default"],
        json!(1)
    );
    assert_eq!(
        output(&gateway, "inspect.get_procedures", json!({})).await,
        json!({})
    );
    assert_eq!(
        output(&gateway, "config.get", json!({})).await["backend.http"],
        json!({})
    );
    let user = output(&gateway, "user.get_user_by_session", json!({})).await;
    assert_eq!(user["username"], "ops");
    output(&gateway, "lobby.lights.set", json!(["scene", "evening"])).await;
    let entities = output(
        &gateway,
        "entities.get",
        json!({"plugins": ["lobby.lights_1"]}),
    )
    .await;
    let entities = entities.as_array().expect("entities");
    let scene = entities
        .iter()
        .find(|it| it["name"] == "scene")
        .expect("a scene");
    assert_eq!(scene["id"], "sys-2/Lights_1/scene");
    assert_eq!(scene["value"], "evening");
    let executed = json!({"id": "sys-2/Lights_1/scene", "action": "get", "name": "scene"});
    assert_eq!(
        output(&gateway, "entities.execute", executed).await,
        "evening"
    );
}

#[tokio::test]
async fn variables_are_those_of_the_module_that_is_called_so() {
    let building = BUILDING.replace("name: Lights}", "name: Variables}");
    let gateway = Gateway::start(&building).await;
    output(&gateway, "variable.set", json!({"mood": "calm"})).await;
    output(&gateway, "variable.set", json!({"count": 1})).await;
    let get = async |args: Value| output(&gateway, "variable.get", args).await;
    assert_eq!(get(json!({})).await, json!({"mood": "calm", "count": 1}));
    assert_eq!(get(json!("mood")).await, json!({"mood": "calm"}));
    // So it is a status for everything else.
    let status = output(&gateway, "lobby.variables.status", json!("mood")).await;
    assert_eq!(status, "calm");
    output(&gateway, "variable.unset", json!({"name": "mood"})).await;
    assert_eq!(get(json!("mood")).await, json!({"mood": null}));
    let or = json!({"name": "mood", "default_value": "busy"});
    assert_eq!(get(or).await, json!({"mood": "busy"}));

    let without = Gateway::start(BUILDING).await;
    let none = error(&without, "variable.get", json!("mood")).await;
    assert!(none.starts_with("There are no variables"), "{none}");
}
