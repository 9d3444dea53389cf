//! What happens in channels, as it is told to an app's own server.

use super::*;

/// A webhook that is told of everything but counts.
const COMINGS: &str = ", events: [channel_occupied, channel_vacated, member_added, member_removed, client_event, cache_miss]";

/// A gateway whose app has webhooks at these receivers, each with what its line says beside the address.
async fn telling(receivers: &[(&Receiver, &str)]) -> Gateway {
    let lines: Vec<String> = receivers
        .iter()
        .map(|(receiver, more)| format!("{{url: '{}'{more}}}", receiver.url))
        .collect();
    let webhooks = format!("client_events: true\n    webhooks: [{}]", lines.join(", "));
    let building = BUILDING.replacen("client_events: true", &webhooks, 1);
    Plan::serve(&building).start().await
}

/// Row 45.
#[tokio::test]
async fn what_happens_in_channels_is_told_in_order() {
    let mut receiver = Receiver::start().await;
    let gateway = telling(&[(&receiver, COMINGS)]).await;
    let mut one = Subscriber::present(&gateway, "presence-a", "u-1").await;
    one.publish("presence-a", "client-x", json!({"n": 1})).await;
    one.subscribe("private-cache-b", None).await;
    one.expect("pusher:cache_miss").await;
    let socket = one.socket.clone();
    one.unsubscribe("presence-a").await;
    let told = receiver.events(7).await;
    let occupied = |channel: &str| json!({"name": "channel_occupied", "channel": channel});
    assert_eq!(
        told,
        [
            occupied("presence-a"),
            json!({"name": "member_added", "channel": "presence-a", "user_id": "u-1"}),
            json!({
                "name": "client_event", "channel": "presence-a", "event": "client-x",
                "data": "{\"n\":1}", "socket_id": socket, "user_id": "u-1",
            }),
            occupied("private-cache-b"),
            json!({"name": "cache_miss", "channel": "private-cache-b"}),
            // After the grace.
            json!({"name": "member_removed", "channel": "presence-a", "user_id": "u-1"}),
            json!({"name": "channel_vacated", "channel": "presence-a"}),
        ]
    );
}

/// Row 45: who comes back within the grace was never away.
#[tokio::test]
async fn a_quick_return_is_not_told() {
    let mut receiver = Receiver::start().await;
    let gateway = telling(&[(&receiver, COMINGS)]).await;
    let one = Subscriber::present(&gateway, "presence-a", "u-1").await;
    receiver.events(2).await;
    one.close().await;
    let back = Subscriber::present(&gateway, "presence-a", "u-1").await;
    // Anything that is held of the first would be told before this, which waits for its own grace.
    let two = Subscriber::in_channels(&gateway, &["b"]).await;
    two.close().await;
    let names = ["occupied", "vacated"].map(|name| format!("channel_{name}"));
    let told = receiver.events(2).await;
    let expect = names.map(|name| json!({"name": name, "channel": "b"}));
    assert_eq!(told, expect);
    back.close().await;
}

/// Row 46.
#[tokio::test]
async fn a_request_that_fails_is_sent_again_and_holds_up_its_own_receiver_alone() {
    let mut failing = Receiver::start().await;
    let mut other = Receiver::start().await;
    failing.answer(&[500, 302, 404]);
    let only = ", events: [channel_occupied]";
    let gateway = telling(&[(&failing, only), (&other, only)]).await;
    let _one = Subscriber::in_channels(&gateway, &["a"]).await;
    let first = failing.next().await;
    let _two = Subscriber::in_channels(&gateway, &["b"]).await;
    let occupied = |channel: &str| json!({"name": "channel_occupied", "channel": channel});
    let all = [occupied("a"), occupied("b")];
    assert_eq!(other.events(2).await, all);
    let mut times = vec![first["time_ms"].clone()];
    for _ in 0..3 {
        let again = failing.next().await;
        assert_eq!(again["events"], first["events"]);
        assert!(
            !times.contains(&again["time_ms"]),
            "each try has its own time"
        );
        times.push(again["time_ms"].clone());
    }
    assert_eq!(first["events"], json!([occupied("a")]));
    assert_eq!(failing.events(1).await, [occupied("b")]);
    gateway
        .logged("a webhook is not taken, and is sent again")
        .await;
    gateway.logged("a webhook is taken again").await;
    gateway
        .wait_metric("riser_webhook_requests_total{outcome=\"failed\"}", 3.0)
        .await;
}

#[tokio::test]
async fn a_receiver_is_told_what_it_wants() {
    let mut receiver = Receiver::start().await;
    let wants = ", events: [channel_occupied], prefix: private-, suffix: -x";
    let gateway = telling(&[(&receiver, wants)]).await;
    let channels = ["private-a", "b-x", "private-a-x"];
    let _one = Subscriber::in_channels(&gateway, &channels).await;
    let expect = json!({"name": "channel_occupied", "channel": "private-a-x"});
    assert_eq!(receiver.events(1).await, [expect]);
}

#[tokio::test]
async fn counts_are_told_to_those_who_want_them() {
    let mut receiver = Receiver::start().await;
    let gateway = telling(&[(&receiver, ", events: [subscription_count]")]).await;
    let _one = Subscriber::in_channels(&gateway, &["a"]).await;
    let _two = Subscriber::in_channels(&gateway, &["a"]).await;
    let count =
        |count| json!({"name": "subscription_count", "channel": "a", "subscription_count": count});
    assert_eq!(receiver.events(2).await, [count(1), count(2)]);
}
