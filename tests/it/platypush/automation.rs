//! Procedures, hooks and triggers of a building, behind the actions, the events and the hooks of this door.

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::door::{ADMIN, BUILDING, custom, error, execute, listener, output, respond, socket};
use super::wscat::printed;
use crate::harness::{DEADLINE, Folder, Gateway, Process, Stream};

/// What stands beside the building of the other tests.
const AUTOMATION: &str = r#"
procedures:
  - {id: at_home, steps: [{call: sys-2/Lights_1/set, args: [scene, home]}]}
  - {id: foo.bar, steps: [{call: sys-2/Lights_1/set, args: [scene, foo]}]}
  - {id: greet, parameters: [who], steps: [{return: "hello {{ who }}"}]}
  - {id: shown, parameters: [asked], steps: [{return: "{{ asked }}"}]}
  - {id: slow, steps: [{wait: 5m}]}
hooks:
  - {name: at_home, header: {X-Token: abcdefabcdef}, run: at_home, respond: {status: 200, body: {status: ok}}}
  - {name: shown, header: {X-Token: abcdefabcdef}, run: shown, args: {asked: "{{ event }}"}}
  - {name: created, call: sys-1/Display_1/echo, args_json: '[{"status": 201, "headers": {"X-Door": "2"}, "body": {"a": 1}}]'}
  - {name: posted, methods: [POST], run: at_home}
  - {name: fails, call: sys-1/Display_1/fail, args: [it burns]}
  - {name: slow, run: slow}
triggers:
  - {id: trig-doors, when: [{event: doors, data: {who: Ann}}], then: [{run: at_home}]}
"#;

/// The token that the hooks ask for.
const TOKEN: (&str, &str) = ("X-Token", "abcdefabcdef");

async fn start() -> Gateway {
    Gateway::start(&format!("{BUILDING}{AUTOMATION}")).await
}

async fn scene(gateway: &Gateway) -> Value {
    output(gateway, "lobby.lights.status", json!("scene")).await
}

/// What `curl` prints with these arguments.
async fn curl(arguments: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["-sS", "-w", "\n"]).args(arguments);
    let folder = Folder::new();
    let mut process = Process::start("curl", command, folder.path());
    let line = process.next_line(Stream::Out, DEADLINE).await;
    line.expect("it prints something")
}

/// Case 12: `curl -XPOST` to `/execute` with the token of `curl -XPOST` to `/auth`.
#[tokio::test]
async fn the_documents_curl_runs_a_procedure_with_a_token() {
    let gateway = start().await;
    let json = "Content-Type: application/json";
    let who = r#"
{
"username": "ops",
"password": "correct horse"
}"#;
    let url = gateway.url() + "/auth";
    let made = curl(&["-XPOST", "-H", json, "-d", who, &url]).await;
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let bearer = format!(
        "Authorization: Bearer {}",
        made["token"].as_str().expect("a token")
    );
    let request = r#"{"type":"request", "action":"procedure.at_home"}"#;
    let url = gateway.url() + "/execute";
    let done = curl(&["-XPOST", "-d", request, "-H", &bearer, "-H", json, &url]).await;
    let done: Value = serde_json::from_str(&done).expect("JSON");
    assert_eq!(done["type"], "response");
    assert_eq!(done["target"], "http");
    assert_eq!(
        done["response"],
        json!({"output": {"success": true}, "errors": []})
    );
    assert_eq!(scene(&gateway).await, "home");
}

/// Case 13.
#[tokio::test]
async fn what_a_procedure_returns_is_its_output() {
    let gateway = start().await;
    for args in [json!({"who": "Ann"}), json!(["Ann"]), json!("Ann")] {
        let said = output(&gateway, "procedure.greet", args).await;
        assert_eq!(said, "hello Ann");
    }
    let wrong = error(&gateway, "procedure.greet", json!({"whom": "Ann"})).await;
    assert!(wrong.contains("who"), "{wrong}");
    let mistyped = error(&gateway, "procedure.gret", json!({})).await;
    assert!(mistyped.contains("greet"), "{mistyped}");
}

#[tokio::test]
async fn the_documents_wscat_runs_a_procedure_whose_id_has_a_dot() {
    let gateway = start().await;
    let frame = r#"{"type": "requests", "action": "procedure.foo.bar"}"#;
    let response = printed(&gateway, "/ws/requests", frame).await;
    assert_eq!(
        response["response"],
        json!({"output": {"success": true}, "errors": []})
    );
    assert_eq!(scene(&gateway).await, "foo");
}

/// Case 33.
#[tokio::test]
async fn a_custom_event_fires_the_trigger_that_waits_for_it() {
    let gateway = start().await;
    let mut events = listener(&gateway).await;
    let event = custom("doors", &json!({"who": "Ann"}));
    let patience = Instant::now() + DEADLINE;
    // The trigger may not be watched yet.
    loop {
        events.send(event.clone()).await;
        let said = respond(&gateway, "lobby.lights.status", json!("scene")).await;
        if said["output"] == "home" {
            return;
        }
        assert!(Instant::now() < patience, "the trigger has not fired");
        sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Case 34: `curl -H 'X-Token: …' …/hook/at_home`.
#[tokio::test]
async fn the_documents_curl_calls_a_hook_that_asks_for_a_token() {
    let gateway = start().await;
    let without = gateway.request("GET", "/hook/at_home").send().await;
    assert_eq!((without.status, &*without.body), (401, "Unauthorized"));
    let url = gateway.url() + "/hook/at_home";
    let done = curl(&["-H", "X-Token: abcdefabcdef", &url]).await;
    let done: Value = serde_json::from_str(&done).expect("JSON");
    assert_eq!(done, json!({"status": "ok"}));
    assert_eq!(scene(&gateway).await, "home");
}

/// Cases 35 and 36.
#[tokio::test]
async fn a_hook_sees_the_whole_request_with_the_header_that_it_asks_for() {
    let gateway = start().await;
    let ask = |method: &str| {
        let request = gateway.request(method, "/hook/shown?x=1&y=z");
        request.header(TOKEN.0, TOKEN.1).header("Cookie", "a=b")
    };
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(ask(method).ok().await["method"], method);
    }
    let head = ask("HEAD").send().await;
    assert_eq!((head.status, &*head.body), (200, ""));
    let event = ask("POST").json(json!({"card": "A1"})).ok().await;
    assert_eq!(event["hook"], "shown");
    assert_eq!(event["args"], json!({"x": "1", "y": "z"}));
    assert_eq!(event["data"], json!({"card": "A1"}));
    assert_eq!(event["headers"]["X-Token"], TOKEN.1);
    assert_eq!(event["headers"].get("Cookie"), None);
    let form = ask("POST").form(&[("card", "A1")]).ok().await;
    assert_eq!(form["data"], json!({"card": "A1"}));
    let text = ask("POST").header("Content-Type", "text/plain");
    assert_eq!(text.body("hi").ok().await["data"], "hi");
    let broken = ask("POST").header("Content-Type", "application/json");
    assert_eq!(broken.body("{").ok().await["data"], Value::Null);
}

/// Case 37.
#[tokio::test]
async fn a_hook_answers_with_a_status_and_headers_of_its_own() {
    let gateway = start().await;
    let created = gateway.request("GET", "/hook/created").send().await;
    assert_eq!((created.status, created.header("X-Door")), (201, Some("2")));
    assert_eq!(created.json(), json!({"a": 1}));
    let wrong = gateway.request("GET", "/hook/posted").send().await;
    assert_eq!((wrong.status, wrong.header("Allow")), (405, Some("POST")));
}

/// Case 38. That a slow one is given up is tested where hooks are called, in `server::http::called`.
#[tokio::test]
async fn a_hook_that_fails_is_an_error_without_its_reason() {
    let gateway = start().await;
    let failed = gateway.request("GET", "/hook/fails").send().await;
    assert_eq!(failed.status, 500);
    assert!(!failed.body.contains("burns"), "{}", failed.body);
}

/// Case 39.
#[tokio::test]
async fn slow_hooks_hold_up_no_other() {
    let gateway = start().await;
    let slow: Vec<_> = (0..8)
        .map(|_| Box::pin(gateway.request("GET", "/hook/slow").send()))
        .collect();
    let slow = futures_util::future::select_all(slow);
    let others = async {
        let unknown = gateway.request("GET", "/hook/nosuch").ok().await;
        assert_eq!(unknown["hook"], "nosuch");
        let known = gateway.request("GET", "/hook/created").send().await;
        assert_eq!(known.status, 201);
    };
    tokio::select! {
        (ended, _, _) = slow => panic!("a slow hook answered {}", ended.status),
        () = others => {}
    }
}

#[tokio::test]
async fn what_came_to_a_hook_is_an_event_without_its_credentials() {
    let gateway = start().await;
    let mut events = listener(&gateway).await;
    let ask = gateway.request("GET", "/hook/shown?x=1");
    ask.header(TOKEN.0, TOKEN.1).ok().await;
    let event = events.next().await;
    let args = &event["args"];
    assert_eq!(
        args["type"],
        "platypush.message.event.http.hook.WebhookEvent"
    );
    assert_eq!(
        (&args["hook"], &args["method"]),
        (&json!("shown"), &json!("GET"))
    );
    assert_eq!(args["args"], json!({"x": "1"}));
    assert_eq!(args["headers"].get("X-Token"), None);
}

#[tokio::test]
async fn procedures_are_listed_with_their_parameters() {
    let gateway = start().await;
    let listed = output(&gateway, "inspect.get_procedures", json!({})).await;
    let listed = listed.as_object().expect("an object");
    assert!(listed.contains_key("greet"), "{listed:?}");
    assert!(listed["greet"].to_string().contains("who"), "{listed:?}");
    let mut client = socket(&gateway, "/ws/requests").connect().await;
    let message = json!({"type": "request", "action": "procedure.greet", "args": {"who": "Bob"}});
    client.send(message.clone()).await;
    assert_eq!(client.next().await["response"]["output"], "hello Bob");
    let answer = execute(&gateway, message).bearer(ADMIN).ok().await;
    assert_eq!(answer["response"]["output"], "hello Bob");
}
