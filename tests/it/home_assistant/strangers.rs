//! Credentials that are no longer good, tried again and again by a program that does not give up.

use tokio::time::Instant;

use super::*;
use crate::harness::{Key, Socket};

/// How often a program tries in a second, in reports of such ones.
const TRIES: u64 = 30;

#[tokio::test]
async fn a_revoked_token_that_is_tried_again_and_again_is_refused_and_counted_and_not_written_line_by_line()
 {
    let plan = Plan::serve(BUILDING).variable("RISER_LOG_FORMAT", "json");
    let mut gateway = plan.start().await;
    let mut admin = Socket::sign_in(&gateway, Key(ADMIN)).await;
    let make = json!({"type": "auth/long_lived_access_token", "lifespan": 9, "client_name": "hub"});
    let token = admin.ask(make).await;
    let token = token.as_str().expect("a token");
    let kept = admin.ask(json!({"type": "auth/refresh_tokens"})).await;
    let end = json!({"type": "auth/delete_refresh_token", "refresh_token_id": kept[0]["id"]});
    assert_eq!(admin.ask(end).await, json!({}));

    let began = Instant::now();
    for _ in 0..TRIES {
        let asked = gateway.request("GET", "/api/").bearer(token).send().await;
        assert_eq!(asked.status, 401);
        let mut socket = Socket::open(&gateway).await;
        let client = socket.client();
        client
            .send(json!({"type": "auth", "access_token": token}))
            .await;
        assert_eq!(client.next().await["type"], "auth_invalid");
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).expect("it is not for ever");
    // A client with a good key is served all the same.
    assert_eq!(
        admin.ask(json!({"type": "get_config"})).await["state"],
        "RUNNING"
    );

    assert!(gateway.terminate().await.success());
    let log = gateway.log();
    let lines = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let refused: Vec<Value> = lines
        .filter(|line| line["target"] == "audit" && line["level"] == "WARN")
        .collect();
    let counted: u64 = refused
        .iter()
        .map(|line| line["more"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(counted, 2 * TRIES, "{refused:#?}");
    // Of each of the two kinds a line, and counts that become rarer: at most one a second.
    assert!(refused.len() <= 2 * (seconds + 2), "{refused:#?}");
    assert!(
        !log.iter().any(|line| line.contains(token)),
        "it is a secret"
    );
}
