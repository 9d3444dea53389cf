//! Events that servers send.

use super::*;

/// Rows 1 to 3.
#[tokio::test]
async fn an_event_comes_as_it_was_sent() {
    let gateway = gateway().await;
    let mut subscriber = Subscriber::in_channels(&gateway, &["a"]).await;
    let longest = "é".repeat(200);
    for (name, data) in [
        ("x", "plain"),
        ("x", "5"),
        ("x", "null"),
        ("x", "{\"a\": 1.0}"),
        ("App\\Events\\X", "😀"),
        (&*longest, ""),
    ] {
        triggered(&gateway, "a", name, data).await;
        subscriber.expect_event("a", name, data).await;
    }
    let raw = json!({"name": "x", "channel": "a", "data": {"n": [1, "b c"]}});
    assert_eq!(trigger(&gateway, raw).await.status, 200);
    subscriber
        .expect_event("a", "x", r#"{"n":[1,"b c"]}"#)
        .await;
}

/// Row 4.
#[tokio::test]
async fn an_event_goes_to_a_hundred_channels_and_comes_once_for_each() {
    let gateway = gateway().await;
    let mut subscriber = Subscriber::in_channels(&gateway, &["c1", "c99"]).await;
    let names = |count: u32| (0..count).map(|number| format!("c{number}")).collect();
    let send = |names: Vec<String>| {
        trigger(
            &gateway,
            json!({"name": "x", "channels": names, "data": "1"}),
        )
    };
    let many = send(names(101)).await;
    assert_refused(&many, 400, "100 channels");
    assert_eq!(send(names(100)).await.status, 200);
    subscriber.expect_event("c1", "x", "1").await;
    subscriber.expect_event("c99", "x", "1").await;
}

/// Row 5.
#[tokio::test]
async fn the_socket_that_is_left_out_does_not_get_it() {
    let gateway = gateway().await;
    let mut one = Subscriber::in_channels(&gateway, &["a"]).await;
    let mut other = Subscriber::in_channels(&gateway, &["a"]).await;
    let body = json!({"name": "x", "channels": ["a"], "data": "1", "socket_id": one.socket});
    assert_eq!(trigger(&gateway, body).await.status, 200);
    triggered(&gateway, "a", "y", "2").await;
    other.expect_event("a", "x", "1").await;
    one.expect_event("a", "y", "2").await;
}

/// Row 6.
#[tokio::test]
async fn data_have_ten_kibibytes() {
    let gateway = gateway().await;
    triggered(&gateway, "a", "x", &"d".repeat(10_240)).await;
    let body = json!({"name": "x", "channels": ["a"], "data": "d".repeat(10_241)});
    assert_refused(&trigger(&gateway, body).await, 413, "10240 bytes");
    let whole = json!({"name": "x", "channels": ["a"], "data": "d".repeat(1 << 20)});
    assert_eq!(trigger(&gateway, whole).await.status, 413);
}

async fn batch(gateway: &Gateway, items: Vec<Value>) -> Response {
    let body = json!({ "batch": items });
    Signed::post("/apps/4201/batch_events", &body)
        .send(gateway)
        .await
}

fn item(number: u32) -> Value {
    json!({"name": "x", "channel": "a", "data": number.to_string()})
}

/// Row 7.
#[tokio::test]
async fn a_batch_comes_in_order_or_not_at_all() {
    let gateway = gateway().await;
    let mut subscriber = Subscriber::in_channels(&gateway, &["a"]).await;
    let many = batch(&gateway, (0..11).map(item).collect()).await;
    assert_refused(&many, 400, "1 to 10 events");
    let bad = vec![
        item(100),
        json!({"name": "x", "channel": "a b", "data": "1"}),
    ];
    assert_refused(&batch(&gateway, bad).await, 400, "channel name");
    let good = batch(&gateway, (0..10).map(item).collect()).await;
    assert_eq!((good.status, &*good.body), (200, "{}"));
    for number in 0..10 {
        subscriber.expect_event("a", "x", &number.to_string()).await;
    }
}

/// Row 8.
#[tokio::test]
async fn each_event_of_a_batch_leaves_out_its_own_socket() {
    let gateway = gateway().await;
    let mut subscriber = Subscriber::in_channels(&gateway, &["a"]).await;
    let mut without = item(1);
    without["socket_id"] = json!(subscriber.socket);
    assert_eq!(batch(&gateway, vec![without, item(2)]).await.status, 200);
    subscriber.expect_event("a", "x", "2").await;
}

/// Rows 9 and 10.
#[tokio::test]
async fn counts_are_told_where_they_are_asked_for() {
    let gateway = gateway().await;
    let _one = Subscriber::present(&gateway, "presence-a", "u-1").await;
    let _two = Subscriber::present(&gateway, "presence-a", "u-1").await;
    let info = "user_count,subscription_count";
    let body = json!({"name": "x", "channels": ["presence-a", "b"], "data": "1", "info": info});
    let answer = trigger(&gateway, body).await;
    let expect = json!({"channels": {
        "presence-a": {"user_count": 1, "subscription_count": 2},
        "b": {"subscription_count": 0},
    }});
    assert_eq!(answer.json(), expect);
    let mut second = item(2);
    second["info"] = json!("subscription_count");
    let answer = batch(&gateway, vec![item(1), second]).await;
    assert_eq!(
        answer.json(),
        json!({"batch": [{}, {"subscription_count": 0}]})
    );
}

#[tokio::test]
async fn a_cache_channel_keeps_its_last_event() {
    let gateway = gateway().await;
    triggered(&gateway, "cache-a", "x", "1").await;
    triggered(&gateway, "cache-a", "x", "{\"n\": 2.0}").await;
    let mut late = Subscriber::in_channels(&gateway, &["cache-a"]).await;
    late.expect_event("cache-a", "x", "{\"n\": 2.0}").await;
}

#[tokio::test]
async fn the_endpoint_of_2012_takes_the_body_as_data() {
    let gateway = gateway().await;
    let mut subscriber = Subscriber::in_channels(&gateway, &["a"]).await;
    let old = Signed::new("POST", "/apps/4201/channels/a/events", "{\"n\": 1}");
    let answer = old.parameter("name", "x").send(&gateway).await;
    assert_eq!((answer.status, &*answer.body), (202, ""));
    subscriber.expect_event("a", "x", "{\"n\": 1}").await;
}

#[tokio::test]
async fn what_a_room_shows_cannot_be_sent() {
    let gateway = gateway().await;
    for channel in [
        "private-cache-st.sys-1.Shared_1.power",
        "private-mod.sys-1.Shared_1",
    ] {
        let body = json!({"name": "x", "channels": [channel], "data": "1"});
        assert_refused(&trigger(&gateway, body).await, 400, "room");
    }
}

#[tokio::test]
async fn an_event_of_the_bus_is_announced_with_the_rights_of_the_apps_user() {
    let gateway = gateway().await;
    let mut subscriber = Subscriber::in_channels(&gateway, &["private-events"]).await;
    triggered(&gateway, "private-events", "doors", "{\"who\":\"Ann\"}").await;
    let event = subscriber.expect("doors").await;
    assert!(event["data"].as_str().unwrap().contains("Ann"), "{event}");
    let of_nobody = Signed {
        key: "elsewhere",
        secret: "third",
        ..Signed::post(
            "/apps/4202/events",
            &json!({"name": "x", "channels": ["private-events"], "data": "1"}),
        )
    };
    assert_eq!(of_nobody.send(&gateway).await.status, 403);
}

#[tokio::test]
async fn exec_calls_a_function_and_tells_the_channel_what_came_of_it() {
    let gateway = gateway().await;
    let channel = "private-ctl.sys-1";
    let mut subscriber = Subscriber::in_channels(&gateway, &[channel]).await;
    let exec = |id: &str, name: &str| {
        json!({"id": id, "mod": "Shared", "index": 1, "name": name, "args": [7]}).to_string()
    };
    triggered(&gateway, channel, "exec", &exec("r1", "echo")).await;
    subscriber
        .expect_event(channel, "exec.result", r#"{"id":"r1","value":7}"#)
        .await;
    triggered(&gateway, channel, "exec", &exec("r2", "nothing")).await;
    let failed = subscriber.expect("exec.error").await;
    let failed = subscriber::data(&failed);
    assert_eq!((&failed["id"], &failed["code"]), (&json!("r2"), &json!(1)));
}

#[tokio::test]
async fn a_call_that_is_sent_again_is_answered_and_not_run_again() {
    let gateway = gateway().await;
    let channel = "private-ctl.sys-1";
    let mut subscriber = Subscriber::in_channels(&gateway, &[channel]).await;
    let exec = |id: u32| {
        let call = json!({"id": id, "mod": "Shared", "name": "increment", "args": ["n"]});
        call.to_string()
    };
    for (id, value) in [(1, 1), (1, 1), (2, 2)] {
        triggered(&gateway, channel, "exec", &exec(id)).await;
        let expect = format!(r#"{{"id":{id},"value":{value}}}"#);
        subscriber
            .expect_event(channel, "exec.result", &expect)
            .await;
    }
}
