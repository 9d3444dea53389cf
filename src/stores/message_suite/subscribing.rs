//! Who gets what: subscriptions, their ends and their bounds.

use futures_util::future::join_all;

use super::*;
use crate::stores::limits::{DEVICE_SUBSCRIPTIONS_MAX, SERVICE_SUBSCRIPTIONS_MAX};

pub(in crate::stores) async fn a_device_gets_what_is_sent_after_it_has_subscribed(
    [one, other]: [Node; 2],
) {
    let early = one.send("lift", "early").await;
    assert_eq!((early.devices, early.dropped), (0, 0));
    assert_eq!(other.subscribe("ann", "lift").await, Subscribed::New);
    assert_all(&one.take("ann").await, &[]);
    assert_eq!(one.send("lift", "one").await.devices, 1);
    assert_eq!(one.subscribe("bob", "lift").await, Subscribed::New);
    let sent = other.send("lift", "two").await;
    assert_eq!((sent.devices, sent.dropped), (2, 0));
    assert!(sent.number > early.number);
    assert_all(&one.take("ann").await, &["one", "two"]);
    assert_all(&other.take("bob").await, &["two"]);
    assert_all(&other.take("cem").await, &[]);
}

pub(in crate::stores) async fn to_subscribe_twice_changes_nothing([one, other]: [Node; 2]) {
    one.subscribe_at("ann", "lift", at(1)).await;
    one.send("lift", "one").await;
    let again = other.subscribe_at("ann", "lift", at(2)).await;
    assert_eq!(again, Subscribed::Already);
    let subscriptions = one.subscriptions("ann").await;
    assert_eq!(subscriptions.len(), 1);
    assert_eq!(subscriptions[0].since, at(1));
    assert_eq!(one.send("lift", "two").await.devices, 1);
    assert_all(&other.take("ann").await, &["one", "two"]);
}

pub(in crate::stores) async fn a_device_that_subscribes_anew_skips_what_it_had_not_read(
    [one, other]: [Node; 2],
) {
    for device in ["ann", "bob"] {
        one.subscribe(device, "lift").await;
    }
    one.send("lift", "one").await;
    assert!(other.unsubscribe("ann", "lift").await);
    assert_all(&one.take("ann").await, &[]);
    assert_eq!(one.send("lift", "two").await.devices, 1);
    assert_eq!(one.subscribe("ann", "lift").await, Subscribed::New);
    one.send("lift", "three").await;
    assert_all(&other.take("ann").await, &["three"]);
    assert_all(&other.take("bob").await, &["one", "two", "three"]);
}

pub(in crate::stores) async fn a_subscription_that_is_not_there_cannot_end(
    [one, other]: [Node; 2],
) {
    assert!(!one.unsubscribe("ann", "lift").await);
    one.subscribe("ann", "lift").await;
    assert!(!other.unsubscribe("ann", "door").await);
    assert!(!other.unsubscribe("bob", "lift").await);
    assert!(other.unsubscribe("ann", "lift").await);
    assert!(!one.unsubscribe("ann", "lift").await);
    assert_eq!(one.subscriptions("ann").await, []);
}

pub(in crate::stores) async fn subscriptions_are_listed_the_oldest_first([one, other]: [Node; 2]) {
    for (service, seconds) in [("lift", 1), ("alarm", 2), ("door", 3)] {
        one.subscribe_at("ann", service, at(seconds)).await;
    }
    one.subscribe("bob", "alarm").await;
    other.unsubscribe("ann", "lift").await;
    other.subscribe_at("ann", "lift", at(4)).await;
    let expected = [("alarm", 2), ("door", 3), ("lift", 4)];
    let expected = expected.map(|(service, seconds)| Subscription {
        service: key(service),
        since: at(seconds),
        checked: at(seconds),
    });
    assert_eq!(one.subscriptions("ann").await, expected);
    assert_eq!(one.subscriptions("cem").await, []);
}

pub(in crate::stores) async fn of_a_service_that_is_forgotten_nothing_is_left(
    [one, other]: [Node; 2],
) {
    for device in ["ann", "bob"] {
        one.subscribe(device, "lift").await;
    }
    one.subscribe("ann", "door").await;
    one.send("lift", "one").await;
    one.send("door", "two").await;
    other.forget("lift").await;
    other.forget("unknown").await;
    assert_all(&one.unread("ann").await, &["two"]);
    assert_all(&one.unread("bob").await, &[]);
    assert_eq!(one.subscriptions("bob").await, []);
    assert_eq!(one.tally("lift").await, Tally::default());
    assert!(!one.unsubscribe("ann", "lift").await);
    for device in ["ann", "bob"] {
        let changes = one.told.until_subscribed(device, "lift", 2).await;
        assert_eq!(changes, ["on", "off"], "{device}");
    }

    assert_eq!(one.subscribe("bob", "lift").await, Subscribed::New);
    assert_eq!(one.send("lift", "three").await.devices, 1);
    let taken = other.take("bob").await;
    assert_all(&taken, &["three"]);
    assert_eq!(taken.messages[0].previous, MessageNumber(0));
}

pub(in crate::stores) async fn a_service_has_so_many_subscriptions_and_no_more(
    [one, other]: [Node; 2],
) {
    let devices: Vec<String> = (0..SERVICE_SUBSCRIPTIONS_MAX)
        .map(|number| format!("device-{number}"))
        .collect();
    for some in devices.chunks(500) {
        let asked = some.iter().map(|device| one.subscribe(device, "lift"));
        let answers = join_all(asked).await;
        assert!(answers.iter().all(|answer| *answer == Subscribed::New));
    }
    assert_eq!(other.subscribe("ann", "lift").await, Subscribed::Full);
    let again = other.subscribe(&devices[0], "lift").await;
    assert_eq!(again, Subscribed::Already);
    let sent = one.send("lift", "one").await;
    assert_eq!(sent.devices, SERVICE_SUBSCRIPTIONS_MAX as u64);
    assert_all(&other.take("ann").await, &[]);
    assert_eq!(one.subscriptions("ann").await, []);
    assert!(one.unsubscribe(&devices[7], "lift").await);
    assert_eq!(other.subscribe("ann", "lift").await, Subscribed::New);
    assert_all(&one.take(&devices[8]).await, &["one"]);
}

pub(in crate::stores) async fn a_device_has_so_many_subscriptions_and_no_more(
    [one, other]: [Node; 2],
) {
    for number in 0..DEVICE_SUBSCRIPTIONS_MAX {
        let service = format!("service-{number}");
        assert_eq!(one.subscribe("ann", &service).await, Subscribed::New);
    }
    assert_eq!(other.subscribe("ann", "lift").await, Subscribed::Full);
    let again = other.subscribe("ann", "service-3").await;
    assert_eq!(again, Subscribed::Already);
    assert_eq!(other.subscribe("bob", "lift").await, Subscribed::New);
    assert_eq!(one.send("lift", "one").await.devices, 1);
    assert_all(&one.take("ann").await, &[]);
    assert!(one.unsubscribe("ann", "service-3").await);
    assert_eq!(other.subscribe("ann", "lift").await, Subscribed::New);
}
