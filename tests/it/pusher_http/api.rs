//! What is asked of channels and users.

use super::*;

/// Rows 16 and 17.
#[tokio::test]
async fn channels_with_a_subscriber_are_listed() {
    let gateway = gateway().await;
    let _one = Subscriber::in_channels(&gateway, &["a", "private-b"]).await;
    let _two = Subscriber::present(&gateway, "presence-c", "u-1").await;
    let _three = Subscriber::present(&gateway, "presence-c", "u-2").await;
    let all = Signed::get("/apps/4201/channels").answer(&gateway).await;
    let expect = r#"{"channels":{"a":{},"presence-c":{},"private-b":{}}}"#;
    assert_eq!(all, expect);
    let counted = Signed::get("/apps/4201/channels")
        .parameter("filter_by_prefix", "presence-")
        .parameter("info", "user_count");
    let expect = r#"{"channels":{"presence-c":{"user_count":2}}}"#;
    assert_eq!(counted.answer(&gateway).await, expect);
    let without = Signed::get("/apps/4201/channels").parameter("info", "user_count");
    assert_refused(&without.send(&gateway).await, 400, "presence-");
}

/// Row 19.
#[tokio::test]
async fn a_channel_tells_how_it_is() {
    let gateway = gateway().await;
    let _one = Subscriber::in_channels(&gateway, &["a"]).await;
    let _two = Subscriber::present(&gateway, "presence-b", "u-1").await;
    triggered(&gateway, "cache-c", "x", "{\"n\": 1.0}").await;
    let ask = async |name: &str, info: &str| {
        let asked = Signed::get(&format!("/apps/4201/channels/{name}"));
        asked.parameter("info", info).answer(&gateway).await
    };
    assert_eq!(ask("empty", "").await, r#"{"occupied":false}"#);
    let public = r#"{"occupied":true,"subscription_count":1}"#;
    assert_eq!(ask("a", "subscription_count").await, public);
    let presence = r#"{"occupied":true,"user_count":1}"#;
    assert_eq!(ask("presence-b", "user_count").await, presence);
    let cached: Value = serde_json::from_str(&ask("cache-c", "cache").await).unwrap();
    assert_eq!(cached["cache"]["data"], "{\"n\": 1.0}");
    assert!(cached["cache"]["ttl"].as_u64().is_some(), "{cached}");
    let never = r#"{"occupied":false,"cache":null}"#;
    assert_eq!(ask("cache-never", "cache").await, never);
    let odd = Signed::get("/apps/4201/channels/a").parameter("info", "user_count");
    assert_refused(&odd.send(&gateway).await, 400, "`info`");
}

/// Row 20.
#[tokio::test]
async fn a_presence_channel_tells_its_users() {
    let gateway = gateway().await;
    let _one = Subscriber::present(&gateway, "presence-a", "u-2").await;
    let _two = Subscriber::present(&gateway, "presence-a", "1035").await;
    let users = |channel: &str| Signed::get(&format!("/apps/4201/channels/{channel}/users"));
    let expect = r#"{"users":[{"id":"1035"},{"id":"u-2"}]}"#;
    assert_eq!(users("presence-a").answer(&gateway).await, expect);
    assert_eq!(
        users("presence-b").answer(&gateway).await,
        r#"{"users":[]}"#
    );
    let public = users("a").send(&gateway).await;
    assert_refused(&public, 400, "presence");
}

#[tokio::test]
async fn a_channel_whose_name_is_escaped_is_found() {
    let gateway = gateway().await;
    let _one = Subscriber::in_channels(&gateway, &["a=@,.;b"]).await;
    for path in ["a=@,.;b", "a%3D%40%2C.%3Bb"] {
        let asked = Signed::get(&format!("/apps/4201/channels/{path}"));
        assert_eq!(
            asked.answer(&gateway).await,
            r#"{"occupied":true}"#,
            "{path}"
        );
    }
}

/// Rows 22 and 23.
#[tokio::test]
async fn the_connections_of_a_user_are_ended_and_no_others() {
    let gateway = gateway().await;
    for path in [
        "/users/u-1/terminate_connections",
        "/apps/4201/users/u-1/terminate_connections",
    ] {
        let mut one = Subscriber::connect(&gateway).await;
        one.sign_in("u-1").await;
        let mut other = Subscriber::connect(&gateway).await;
        other.sign_in("u-2").await;
        let ended = Signed::post(path, &json!({})).answer(&gateway).await;
        assert_eq!(ended, "{}");
        assert_eq!(one.closed().await, 4009, "{path}");
        other.until_answered().await;
    }
}

/// Row 21.
#[tokio::test]
async fn an_event_for_a_user_comes_to_those_who_have_signed_in_as_that_user() {
    let gateway = gateway().await;
    let mut user = Subscriber::connect(&gateway).await;
    user.sign_in("u-1").await;
    let channel = "#server-to-user-u-1";
    user.subscribe_by(json!({"channel": channel, "auth": ""}))
        .await;
    triggered(&gateway, channel, "x", "1").await;
    user.expect_event(channel, "x", "1").await;
    let listed = Signed::get("/apps/4201/channels").answer(&gateway).await;
    assert_eq!(listed, r#"{"channels":{}}"#);
}

#[tokio::test]
async fn a_notification_of_the_old_library_is_taken() {
    let gateway = gateway().await;
    let path = "/server_api/v1/apps/4201/notifications";
    let good = json!({"interests": ["boiler"], "apns": {"aps": {"alert": "hot"}}});
    let answer = Signed::post(path, &good).send(&gateway).await;
    assert_eq!(answer.status, 202);
    assert!(answer.json()["id"].is_string());
    let bad = Signed::post(path, &json!({"interests": ["boiler"]}));
    assert_refused(&bad.send(&gateway).await, 400, "`apns` or `gcm`");
}
