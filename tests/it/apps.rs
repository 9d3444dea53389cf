//! Apps over REST and in exports: what an app signs with comes in and never goes out unasked.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Plan, Request};

const FILE: &str = "building.yaml";

const APPS: &str = "apps: [{id: \"4201\", name: Signs, keys: [{key: a1, secret: hunter2}], user: user-ann, webhooks: [{url: \"http://ann:hunter3@127.0.0.1:9/x\"}]}]\n";

fn ask(gateway: &Gateway, method: &str, path: &str) -> Request {
    let path = format!("/api/engine/v2{path}");
    gateway.request(method, &path).key(Key::ADMIN)
}

async fn send(gateway: &Gateway, method: &str, path: &str, document: Value) -> (u16, Value) {
    let request = ask(gateway, method, path).json(document);
    let response = request.send().await;
    (response.status, response.json())
}

#[tokio::test]
async fn an_app_is_made_changed_and_taken_away_over_rest() {
    let gateway = Gateway::start(&format!("{BUILDING}{APPS}")).await;
    let listed = ask(&gateway, "GET", "/apps").ok().await;
    assert!(!listed.to_string().contains("hunter"), "{listed}");
    let shown = ask(&gateway, "GET", "/apps/4201").ok().await;
    assert_eq!(shown["keys"], json!([{"key": "a1"}]));
    assert_eq!(
        shown["webhooks"],
        json!([{"url": "http://***@127.0.0.1:9/x"}])
    );
    let (status, back) = send(&gateway, "PUT", "/apps/4201", shown.clone()).await;
    assert_eq!((status, &back["webhooks"]), (200, &shown["webhooks"]));

    let made = json!({"name": "Desks", "keys": [{"key": "b1", "secret": "s"}]});
    let (status, made) = send(&gateway, "POST", "/apps", made).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().expect("an id");
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    for wrong in [
        json!({"keys": [{"key": "a1", "secret": "s"}]}),
        json!({"keys": [{"key": "c1"}]}),
        json!({"keys": [{"key": "b1", "secret": "***"}]}),
    ] {
        let (status, refused) = send(&gateway, "PATCH", &format!("/apps/{id}"), wrong).await;
        assert_eq!(status, 422, "{refused}");
        assert_eq!(refused["failures"][0]["field"], "keys");
    }
    let gone = ask(&gateway, "DELETE", &format!("/apps/{id}")).send().await;
    assert_eq!(gone.status, 202);
    let user = gateway.request("GET", "/api/engine/v2/apps").key(Key::USER);
    assert_eq!(user.send().await.status, 403);
}

#[tokio::test]
async fn an_export_has_the_secrets_of_apps_where_they_are_asked_for() {
    let building = format!("{BUILDING}{APPS}");
    let gateway = Gateway::start(&building).await;
    let url = gateway.url();
    let at = ["--url", &url, "--key", Key::ADMIN.0];
    let masked = run("", &[&["export"], &at[..]].concat()).await.join("\n");
    assert!(!masked.contains("hunter2"), "{masked}");
    let plan = Plan::bare().file(FILE, &masked);
    let refused = plan.arguments([&["apply", FILE], &at[..]].concat());
    let said = refused.refused().await.err.join("\n");
    assert!(said.contains("`riser export --secrets` has it"), "{said}");
    let whole = run("", &[&["export", "--secrets"], &at[..]].concat()).await;
    let whole = whole.join("\n");
    assert!(whole.contains("hunter2"), "{whole}");
    let changed = run(&whole, &[&["apply", FILE], &at[..]].concat()).await;
    assert_eq!(changed, [""; 0], "its own export changes nothing");
}

/// Runs riser to its good end, with a file in its folder, and gives the lines that it printed.
async fn run(file: &str, arguments: &[&str]) -> Vec<String> {
    let plan = Plan::bare().file(FILE, file);
    let ended = plan.arguments(arguments.iter().copied()).refused().await;
    assert_eq!(ended.code, Some(0), "{arguments:?}: {:?}", ended.err);
    ended.out
}
