//! What panels hold for months: keys and sign-ins of devices in a room, and tokens whose answer was lost, on every store.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{BUILDING, Cluster, DEADLINE, Gateway, Key, Plan, scratch};

/// Ann with a password, and the key of a panel.
fn building() -> String {
    let panel =
        "api_keys:\n  - {id: panel, secret: secret-p, user: user-ann, fixed_device: true}\n";
    BUILDING
        .replace(
            "name: Ann}",
            &format!("name: Ann, password_hash: '{HASH}'}}"),
        )
        .replace("api_keys:\n", panel)
}

const PASSWORD: &str = "correct horse";

/// The hash of the password, at the lowest costs there are.
const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw";

const PANEL: Key = Key("panel.secret-p");

async fn keys(gateway: &Gateway) -> Vec<Value> {
    let request = gateway.request("GET", "/api/engine/v2/api_keys");
    let keys = request.key(Key::ADMIN).ok().await;
    keys.as_array().expect("a list").clone()
}

fn is_fixed(keys: &[Value], id: &str) -> bool {
    let key = keys.iter().find(|key| key["id"] == id).expect("the key");
    key["fixed_device"].as_bool().expect("a flag")
}

#[tokio::test]
async fn the_key_of_a_fixed_device_is_one_in_the_file_the_store_the_answers_and_the_export() {
    let plan = Plan::serve(&building()).arguments(["--data", "data"]);
    let mut gateway = plan.start().await;
    drop(gateway.connect(PANEL).await);
    let made = gateway
        .request("POST", "/api/engine/v2/api_keys")
        .key(Key::ADMIN)
        .json(json!({"id": "tablet", "fixed_device": true}));
    assert_eq!(made.send().await.status, 201);
    let plain = gateway
        .request("PATCH", "/api/engine/v2/api_keys/room")
        .key(Key::ADMIN)
        .json(json!({"fixed_device": false}));
    assert_eq!(plain.ok().await["fixed_device"], false);

    gateway.forget_building();
    gateway.kill().await;
    gateway.restart().await;

    let kept = keys(&gateway).await;
    assert!(is_fixed(&kept, "panel") && is_fixed(&kept, "tablet"));
    assert!(!is_fixed(&kept, "user") && !is_fixed(&kept, "room"));
    let export = gateway.request("GET", "/api/engine/v2/building");
    let export = export.key(Key::ADMIN).send().await.body;
    assert_eq!(export.matches("fixed_device: true").count(), 2, "{export}");
    drop(gateway.connect(PANEL).await);
}

async fn grant(gateway: &Gateway, fields: &[(&str, &str)]) -> Value {
    let request = gateway.request("POST", "/auth/oauth/token");
    request.form(fields).ok().await
}

async fn sign_in(gateway: &Gateway, more: &[(&str, &str)]) -> Value {
    let fields = [
        ("grant_type", "password"),
        ("client_id", "panel"),
        ("username", "ann@example.test"),
        ("password", PASSWORD),
    ];
    grant(gateway, &[&fields, more].concat()).await
}

async fn refresh(gateway: &Gateway, issued: &Value) -> Value {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "panel"),
        ("refresh_token", token(issued, "refresh_token")),
    ];
    grant(gateway, &fields).await
}

fn token<'a>(issued: &'a Value, name: &str) -> &'a str {
    issued[name].as_str().expect("a token")
}

#[tokio::test]
async fn an_app_that_lost_the_answer_to_its_refresh_asks_any_node_again() {
    let cluster = Cluster::start(&building(), 2).await;
    let [a, b] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let issued = sign_in(a, &[]).await;
    let lost = refresh(a, &issued).await;
    let again = refresh(b, &issued).await;
    assert_eq!(again["refresh_token"], lost["refresh_token"]);
    let next = refresh(b, &again).await;
    assert_ne!(next["refresh_token"], again["refresh_token"]);
    let bearer = format!("Bearer {}", token(&next, "access_token"));
    let mut client = b.door().header("Authorization", &bearer).connect().await;
    client.bind(scratch("x"), 1).await;
}

#[tokio::test]
async fn a_sign_in_that_says_that_it_is_on_a_fixed_device_is_kept_so() {
    let cluster = Cluster::start(&building(), 1).await;
    let gateway = &cluster.nodes[0];
    let fixed = async |expected: usize| {
        let keys: Vec<String> = cluster
            .redis
            .run(redis::cmd("KEYS").arg("riser/*sign*"))
            .await;
        let mut found = 0;
        for key in keys {
            let kind: String = cluster.redis.run(redis::cmd("TYPE").arg(&key)).await;
            if kind == "hash" {
                let values: Vec<String> = cluster.redis.run(redis::cmd("HVALS").arg(&key)).await;
                found += values
                    .iter()
                    .filter(|value| value.contains("fixed_device"))
                    .count();
            }
        }
        found == expected
    };
    let until = async |expected: usize| {
        let kept = async {
            while !fixed(expected).await {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, kept)
            .await
            .unwrap_or_else(|_| panic!("{expected} are not kept"));
    };
    let request = gateway.request("POST", "/auth/signin?fixed_device=true");
    let fields = [("email", "ann@example.test"), ("password", PASSWORD)];
    assert_eq!(request.form(&fields).send().await.status, 202);
    until(1).await;
    // PlaceOS's pages have it in their own address, and its client library says it when it connects.
    let request = gateway.request("POST", "/auth/signin");
    let page = ("continue", "/panel/#/?fixed_device=true");
    let request = request.form(&[fields[0], fields[1], page]);
    assert_eq!(request.send().await.status, 303);
    until(2).await;
    let issued = sign_in(gateway, &[]).await;
    until(2).await;
    let bearer = format!("Bearer {}", token(&issued, "access_token"));
    let door = gateway.door().header("Authorization", &bearer);
    let client = door.query("fixed_device=true").connect().await;
    until(3).await;
    drop(client);
    sign_in(gateway, &[("fixed_device", "true")]).await;
    until(4).await;
}

#[tokio::test]
async fn whoever_holds_a_key_or_a_token_is_given_no_other() {
    let gateway = Gateway::start(&building()).await;
    let issued = sign_in(&gateway, &[]).await;
    let bearer = format!("Bearer {}", token(&issued, "access_token"));
    for (name, value) in [
        ("X-API-Key", Key::ADMIN.0),
        ("X-API-Key", PANEL.0),
        ("Authorization", bearer.as_str()),
    ] {
        for response in ["code", "token"] {
            let path = format!(
                "/auth/oauth/authorize?response_type={response}&client_id=c&prompt=none&redirect_uri={}/resp",
                gateway.url()
            );
            let request = gateway.request("GET", &path).header(name, value);
            let answer = request.send().await;
            let location = answer.header("location").expect("back to the app");
            assert!(location.contains("error=login_required"), "{location}");
        }
    }
}
