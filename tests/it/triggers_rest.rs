//! Procedures, hooks and triggers over REST: riser's own lists, and triggers in PlaceOS's form.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Carrier, DEADLINE, Gateway, Key, Page, Request};

const AUTOMATION: &str = r#"
procedures:
  - {id: greet, parameters: [who], steps: [{return: "{{ who }}"}]}
hooks:
  - {name: greet, header: {X-Token: s3cret-token}, run: greet, args: [Ann]}
triggers:
  - {id: trig-called, system: sys-new, when: [{webhook: true, secret: s3cret-token}]}
  - {id: trig-heard, when: [{event: doors}]}
"#;

fn building() -> String {
    let room = "systems:\n  - {id: sys-new, name: New}\n  -";
    format!(
        "{}{AUTOMATION}",
        BUILDING.replacen("systems:\n  -", room, 1)
    )
}

fn ask(gateway: &Gateway, method: &str, path: &str) -> Request {
    let path = format!("/api/engine/v2{path}");
    gateway.request(method, &path).key(Key::ADMIN)
}

async fn send(gateway: &Gateway, method: &str, path: &str, document: Value) -> (u16, Value) {
    let response = ask(gateway, method, path).json(document).send().await;
    (response.status, response.json())
}

async fn refused(gateway: &Gateway, method: &str, path: &str, document: Value) -> Value {
    let (status, refused) = send(gateway, method, path, document).await;
    assert_eq!(status, 422, "{refused}");
    refused["failures"][0]["field"].clone()
}

#[tokio::test]
async fn a_procedure_and_its_hook_are_made_changed_and_taken_away() {
    let gateway = Gateway::start(&building()).await;
    let hook = ask(&gateway, "GET", "/hooks/greet").ok().await;
    assert_eq!(hook["header"], json!({"X-Token": "***"}));
    let (status, back) = send(&gateway, "PUT", "/hooks/greet", hook.clone()).await;
    assert_eq!((status, &back["header"]), (200, &hook["header"]));
    for (path, wrong, field) in [
        (
            "/procedures",
            json!({"id": "p", "steps": [{"run": "nothing"}]}),
            "steps",
        ),
        (
            "/procedures",
            json!({"id": "p", "steps": [{"wait": 2}]}),
            "steps",
        ),
        (
            "/procedures",
            json!({"id": "p", "steps": [{"return": "{{ 1 + }}"}]}),
            "steps",
        ),
        ("/hooks", json!({"name": "h", "run": "nothing"}), "run"),
        ("/hooks", json!({"name": "h", "run": "greet"}), "run"),
        (
            "/hooks",
            json!({"name": "trig-called", "run": "greet", "args": [1]}),
            "name",
        ),
        (
            "/hooks",
            json!({"name": "h", "run": "greet", "args": [1], "header": {"X": "***"}}),
            "header",
        ),
    ] {
        assert_eq!(refused(&gateway, "POST", path, wrong).await, field);
    }
    let new = json!({"name": "other", "run": "greet", "args": ["Ben"], "level": "support"});
    let (status, made) = send(&gateway, "POST", "/hooks", new).await;
    assert_eq!((status, &made["level"]), (201, &json!("support")), "{made}");
    let used = ask(&gateway, "DELETE", "/procedures/greet").send().await;
    assert_eq!(used.status, 409);
    let why = used.json()["error"].to_string();
    for user in ["hook `greet`", "hook `other`"] {
        assert!(why.contains(user), "{why}");
    }
    for path in ["/hooks/greet", "/hooks/other", "/procedures/greet"] {
        let gone = ask(&gateway, "DELETE", path).send().await;
        assert_eq!(gone.status, 202, "{path}");
    }
    for path in ["/procedures", "/hooks", "/triggers"] {
        let path = format!("/api/engine/v2{path}");
        let user = gateway.request("GET", &path).key(Key::USER).send().await;
        assert_eq!(user.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_trigger_has_the_form_of_placeos() {
    let gateway = Gateway::start(&building()).await;
    let listed = ask(&gateway, "GET", "/triggers").ok().await;
    assert_eq!(listed[0]["id"], "trigger-trig-called");
    let instances = ask(&gateway, "GET", "/systems/sys-new/triggers").ok().await;
    let own = ask(&gateway, "GET", "/triggers/trigger-trig-called/instances")
        .ok()
        .await;
    assert_eq!(instances, own);
    assert_eq!(instances[0]["webhook_secret"], "s3cret-token");
    assert_eq!(instances[0]["triggered"], false);

    let (status, _) = send(
        &gateway,
        "PATCH",
        "/triggers/trigger-trig-heard",
        json!({"name": "x"}),
    )
    .await;
    assert_eq!(status, 409, "an event has no place in the form");
    let new = json!({
        "id": "trigger-trig-new", "name": "New", "control_system_id": "sys-new", "debounce_period": 1500,
        "conditions": {"time_dependents": [{"type": "cron", "cron": "0 8 * * *", "timezone": "Europe/London"}]},
    });
    let (status, made) = send(&gateway, "POST", "/triggers", new.clone()).await;
    assert_eq!(
        (status, &made["debounce_period"]),
        (201, &json!(1500)),
        "{made}"
    );
    assert_eq!(send(&gateway, "POST", "/triggers", new).await.0, 409);
    let path = "/triggers/trigger-trig-new";
    let (status, back) = send(&gateway, "PUT", path, made.clone()).await;
    assert_eq!((status, &back["conditions"]), (200, &made["conditions"]));
    for (wrong, field) in [
        (
            json!({"actions": {"mailers": [{"emails": ["a@b"]}]}}),
            "actions.mailers",
        ),
        (
            json!({"actions": {"functions": [{"mod": "Nothing_1", "method": "on"}]}}),
            "actions",
        ),
        (
            json!({"conditions": {"time_dependents": [{"type": "cron", "cron": "x"}]}}),
            "conditions",
        ),
        (json!({"exec_enabled": true}), "exec_enabled"),
    ] {
        assert_eq!(refused(&gateway, "PATCH", path, wrong).await, field);
    }
    assert_eq!(ask(&gateway, "DELETE", path).send().await.status, 202);
    assert_eq!(ask(&gateway, "GET", path).send().await.status, 404);
}

#[tokio::test]
async fn a_webhook_that_nobody_knows_is_not_found_and_none_of_home_assistant_is_told() {
    let gateway = Gateway::start(&building()).await;
    let path = "/api/engine/v2/webhook/nothing/notify?secret=x";
    assert_eq!(gateway.request("POST", path).send().await.status, 404);
    let heard = gateway.request("POST", "/api/webhook/nothing").send().await;
    assert_eq!((heard.status, heard.body.as_str()), (200, ""));
    let large = gateway.request("POST", "/api/webhook/nothing");
    let large = large.json(json!("x".repeat(65 * 1024))).send().await;
    assert_eq!(large.status, 413);
}

/// A room with a lamp, and two triggers that count in it.
const LAMPS: &str = r#"
systems:
  - {id: sys-1, name: One, modules: [mod-lamp]}
  - {id: sys-2, name: Two, modules: [mod-other]}
  - {id: sys-bare, name: Bare}
modules:
  - {id: mod-lamp, driver: virtual, name: Lamp}
  - {id: mod-other, driver: virtual, name: Lamp}
users: [{id: user-eve, email: eve@example.test, level: admin}]
api_keys:
  - {id: admin, secret: secret-a, user: user-eve, level: admin}
  - {id: support, secret: secret-s, user: user-eve, level: support}
triggers:
  - id: trig-called
    name: Called
    system: sys-1
    when: [{webhook: true, secret: s3cret-token}]
    then: [{call: Lamp_1/increment, args: [n]}]
"#;

async fn call(gateway: &Gateway) -> u16 {
    let path = "/api/engine/v2/webhook/trig-called/notify?secret=s3cret-token";
    gateway.request("POST", path).send().await.status
}

/// Calls it until the module of the room has heard that it is enabled there.
async fn call_when_enabled(gateway: &Gateway) {
    let called = async {
        while call(gateway).await != 202 {
            tokio::task::yield_now().await;
        }
    };
    let called = tokio::time::timeout(DEADLINE, called).await;
    called.expect("the webhook is there");
}

#[tokio::test]
async fn a_trigger_is_put_into_a_room_switched_off_and_taken_out() {
    let gateway = Gateway::start(LAMPS).await;
    let own = "/systems/sys-1/triggers/trig-called";
    let shown = ask(&gateway, "GET", own).send().await;
    assert_eq!((shown.status, shown.header("ETag").is_some()), (200, true));
    let shown = shown.json();
    assert_eq!(
        shown["control_system"],
        json!({"id": "sys-1", "name": "One"})
    );
    assert_eq!(shown["webhook_secret"], "s3cret-token");
    let support = gateway.request("GET", &format!("/api/engine/v2{own}"));
    let support = support.key(Key::SUPPORT).ok().await;
    assert_eq!(support["webhook_secret"], Value::Null, "for administrators");
    let elsewhere = ask(&gateway, "GET", "/systems/sys-2/triggers/trig-called");
    assert_eq!(elsewhere.send().await.status, 404);

    call_when_enabled(&gateway).await;
    let (status, off) = send(&gateway, "PATCH", own, json!({"enabled": false})).await;
    assert_eq!((status, &off["enabled"]), (200, &json!(false)), "{off}");
    assert_eq!(call(&gateway).await, 404, "as none");
    let (status, on) = send(&gateway, "PUT", own, shown.clone()).await;
    assert_eq!((status, &on["enabled"]), (200, &json!(true)), "{on}");
    call_when_enabled(&gateway).await;
    for (wrong, field) in [
        (json!({"exec_enabled": true}), "exec_enabled"),
        (json!({"name": "Other"}), "name"),
        (json!({"debounce_period": 5}), "debounce_period"),
        (json!({"control_system_id": "sys-2"}), "control_system_id"),
    ] {
        assert_eq!(refused(&gateway, "PATCH", own, wrong).await, field);
    }

    let put = json!({"trigger_id": "trigger-trig-called"});
    for path in ["/systems/sys-1/triggers", "/systems/sys-2/triggers"] {
        let (status, body) = send(&gateway, "POST", path, put.clone()).await;
        assert_eq!(status, 409, "it has a room: {body}");
    }
    let stale = ask(&gateway, "DELETE", own).header("If-Match", "\"0\"");
    assert_eq!(stale.send().await.status, 412);
    assert_eq!(ask(&gateway, "DELETE", own).send().await.status, 202);
    let draft = ask(&gateway, "GET", "/triggers/trigger-trig-called")
        .ok()
        .await;
    assert_eq!(
        (&draft["enabled"], &draft["control_system_id"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        refused(&gateway, "POST", "/systems/sys-bare/triggers", put.clone()).await,
        "actions"
    );
    let (status, there) = send(&gateway, "POST", "/systems/sys-2/triggers", put).await;
    assert_eq!((status, &there["enabled"]), (201, &json!(true)), "{there}");
    call_when_enabled(&gateway).await;
    let unknown = json!({"trigger_id": "trigger-none"});
    assert_eq!(
        send(&gateway, "POST", "/systems/sys-2/triggers", unknown)
            .await
            .0,
        404
    );
    let none = refused(&gateway, "POST", "/systems/sys-2/triggers", json!({}));
    assert_eq!(none.await, "trigger_id");
}

#[tokio::test]
async fn the_triggers_of_a_room_and_the_rooms_of_a_trigger_are_found() {
    let gateway = Gateway::start(LAMPS).await;
    for (path, count) in [
        ("/systems/sys-1/triggers", 1),
        ("/systems/sys-2/triggers", 0),
        (
            "/systems/sys-1/triggers?trigger_id=trigger-trig-called&q=call",
            1,
        ),
        ("/systems/sys-1/triggers?trigger_id=trigger-other", 0),
        ("/systems/sys-1/triggers?important=true", 0),
        ("/systems/sys-1/triggers?triggered=true", 0),
        ("/systems/sys-1/triggers?as_of=1", 0),
        ("/systems/sys-1/triggers?q=other", 0),
        ("/systems?trigger_id=trigger-trig-called", 1),
        ("/systems?trigger_id=trigger-none", 0),
        ("/triggers?q=called", 1),
        ("/triggers?q=other", 0),
        ("/triggers?offset=1", 0),
    ] {
        let found = ask(&gateway, "GET", path).ok().await;
        assert_eq!(
            found.as_array().map(Vec::len),
            Some(count),
            "{path}: {found}"
        );
    }
    let whole = ask(
        &gateway,
        "GET",
        "/triggers/trigger-trig-called?instances=true",
    )
    .ok()
    .await;
    assert_eq!(whole["trigger_instances"][0]["id"], "trig-called");
}

/// What backoffice does by PlaceOS's own library: it makes a definition without anything, fills it, and puts it into a room.
#[tokio::test]
async fn placeos_own_library_makes_changes_places_and_removes_a_trigger() {
    let gateway = Gateway::start(LAMPS).await;
    let mut page = Page::open(&gateway.url(), Key::ADMIN, Carrier::Cookie).await;
    let mut asked = 0;
    let mut ask = async |name: &str, args: Value| {
        asked += 1;
        let mark = format!("{name} {asked}");
        page.tell(json!({"cmd": "ask", "ref": mark, "name": name, "args": args}))
            .await;
        let answer = page.answer(&mark).await;
        assert_eq!(answer["event"], "result", "{answer}");
        answer["value"].clone()
    };
    // What `new PlaceTrigger({name}).toJSON()` is.
    let new = json!({
        "name": "Lamp on", "updated_at": 0, "version": 0, "_actions": {"functions": [], "mailers": []},
        "_conditions": {"comparisons": [], "time_dependents": []}, "debounce_period": 0, "important": false,
        "enabled": false, "enable_webhook": false, "exec_enabled": false, "supported_methods": ["POST"],
        "activated_count": 0, "playlists": [], "any_match": false,
    });
    let made = ask("addTrigger", json!([new])).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let mut filled = made.clone();
    filled["conditions"] = json!({"comparisons": [{
        "left": {"mod": "Lamp_1", "status": "on", "keys": []}, "operator": "equal", "right": true,
    }], "time_dependents": []});
    ask("updateTrigger", json!([id, filled])).await;
    let mut filled = ask("showTrigger", json!([id, {"instances": true}])).await;
    filled["actions"] = json!({"functions": [{"mod": "Lamp_1", "method": "increment", "args": {"name": "n"}}], "mailers": []});
    ask("updateTrigger", json!([id, filled, "put"])).await;
    let found = ask("queryTriggers", json!([{"q": "lamp"}])).await;
    assert_eq!(found["data"][0]["id"], id.as_str(), "{found}");

    let put = json!({"control_system_id": "sys-1", "enabled": true, "important": false, "trigger_id": id});
    let instance = ask("addSystemTrigger", json!(["sys-1", put])).await;
    let own = instance["id"].as_str().expect("an id").to_owned();
    let listed = ask("listSystemTriggers", json!(["sys-1", {"complete": true}])).await;
    let is_own = |it: &&Value| it["id"] == own.as_str();
    let mut listed = listed["data"].as_array().expect("a list").iter();
    let mut edited = listed.find(is_own).expect("it is there").clone();
    assert_eq!(
        (&edited["enabled"], &edited["system_name"]),
        (&json!(true), &json!("One"))
    );
    edited["important"] = json!(true);
    edited["triggered"] = json!(false);
    ask("updateSystemTrigger", json!(["sys-1", own, edited, "put"])).await;
    let shown = ask("showSystemTrigger", json!(["sys-1", own])).await;
    assert_eq!(
        (&shown["important"], &shown["enabled"]),
        (&json!(true), &json!(true))
    );
    let instances = ask("listTriggerInstances", json!([id])).await;
    assert_eq!(instances[0]["trigger_id"], id.as_str());
    ask("removeSystemTrigger", json!(["sys-1", own])).await;
    assert_eq!(ask("listTriggerInstances", json!([id])).await, json!([]));
    ask("removeTrigger", json!([id])).await;
    let left = ask("queryTriggers", json!([{"q": "lamp"}])).await;
    assert_eq!(left["data"], json!([]));
}
