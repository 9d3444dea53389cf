//! Services over REST and in exports: the secret of one comes in, and its public key alone is kept and shown.

use serde_json::{Value, json};

use crate::harness::{BUILDING, Gateway, Key, Plan, Request};

const FILE: &str = "building.yaml";

const SECRET: &str = "0123456789abcdefABCDEF0123456789";

const OTHER_SECRET: &str = "ABCDEF0123456789abcdef0123456789";

fn building() -> String {
    format!("{BUILDING}services: [{{secret: {SECRET}, name: Boiler room, icon: \"http://h/i\"}}]\n")
}

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
async fn a_service_is_made_changed_and_taken_away_over_rest() {
    let gateway = Gateway::start(&building()).await;
    let listed = ask(&gateway, "GET", "/services").ok().await;
    assert!(!listed.to_string().contains(SECRET), "{listed}");
    let boiler = &listed[0];
    assert_eq!(boiler["name"], "Boiler room");
    let path = format!("/services/{}", boiler["public"].as_str().expect("a key"));
    let shown = ask(&gateway, "GET", &path).ok().await;
    assert_eq!(&shown, boiler);
    let (status, back) = send(&gateway, "PUT", &path, shown.clone()).await;
    assert_eq!((status, &back["public"]), (200, &shown["public"]));

    let new = json!({"secret": OTHER_SECRET, "name": "Lobby"});
    let (status, made) = send(&gateway, "POST", "/services", new.clone()).await;
    assert_eq!(status, 201, "{made}");
    let lobby = format!("/services/{}", made["public"].as_str().expect("a key"));
    let (status, _) = send(&gateway, "POST", "/services", new).await;
    assert_eq!(status, 409, "it is there");
    for (wrong, field) in [
        (json!({"name": " "}), "name"),
        (json!({"icon": "x".repeat(2049)}), "icon"),
        (json!({"systems": ["sys-nowhere"]}), "systems"),
        (json!({"secret": SECRET}), "secret"),
    ] {
        let (status, refused) = send(&gateway, "PATCH", &lobby, wrong).await;
        assert_eq!(status, 422, "{refused}");
        assert_eq!(refused["failures"][0]["field"], field);
    }
    let (status, renamed) = send(&gateway, "PATCH", &lobby, json!({"name": "Hall"})).await;
    assert_eq!((status, &renamed["name"]), (200, &json!("Hall")));
    let gone = ask(&gateway, "DELETE", &lobby).send().await;
    assert_eq!(gone.status, 202);
    assert_eq!(ask(&gateway, "GET", &lobby).send().await.status, 404);
    let path = "/api/engine/v2/services";
    let user = gateway.request("GET", path).key(Key::USER);
    assert_eq!(user.send().await.status, 403);
}

#[tokio::test]
async fn an_export_has_public_keys_and_is_the_same_building() {
    let gateway = Gateway::start(&building()).await;
    let url = gateway.url();
    let at = ["--url", &url, "--key", Key::ADMIN.0];
    let exported = run("", &[&["export", "--secrets"], &at[..]].concat()).await;
    let exported = exported.join("\n");
    assert!(!exported.contains(SECRET), "{exported}");
    assert!(exported.contains("public: "), "{exported}");
    let changed = run(&exported, &[&["apply", FILE], &at[..]].concat()).await;
    assert_eq!(changed, [""; 0], "its own export changes nothing");
    // Nor does the file that has the secret: its public key is always the same.
    let changed = run(&building(), &[&["apply", FILE], &at[..]].concat()).await;
    assert!(!changed.join("\n").contains("service"), "{changed:?}");
}

/// Runs riser to its good end, with a file in its folder, and gives the lines that it printed.
async fn run(file: &str, arguments: &[&str]) -> Vec<String> {
    let plan = Plan::bare().file(FILE, file);
    let ended = plan.arguments(arguments.iter().copied()).refused().await;
    assert_eq!(ended.code, Some(0), "{arguments:?}: {:?}", ended.err);
    ended.out
}
