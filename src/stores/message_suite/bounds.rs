//! What is kept, for how long, and what is counted of what is not.

use super::*;
use crate::stores::limits::{KEPT_MESSAGES_MAX, UNREAD_MAX, UNREAD_MAX_BYTES};

pub(in crate::stores) async fn of_too_many_unread_the_oldest_is_dropped_and_counted(
    [one, other]: [Node; 2],
) {
    for device in ["ann", "bob", "cem"] {
        one.subscribe(device, "lift").await;
    }
    let mut numbers = Vec::new();
    for number in 0..KEPT_MESSAGES_MAX {
        let sent = one.send("lift", &number.to_string()).await;
        assert_eq!(sent.dropped, 0);
        numbers.push(sent.number);
    }
    one.read("cem", "lift", numbers[0]).await;
    assert_eq!(one.tally("lift").await.unread, KEPT_MESSAGES_MAX as u64);
    let dropped = |sent: Sent| (sent.devices, sent.dropped);
    assert_eq!(dropped(other.send("lift", "a").await), (3, 2));
    assert_eq!(dropped(one.send("lift", "b").await), (3, 3));
    assert_eq!(one.tally("lift").await.unread, KEPT_MESSAGES_MAX as u64);
    assert_eq!(texts(&one.unread("ann").await.messages)[0], "2");
    // Where the one that is behind has read, there is room again.
    for device in ["ann", "bob", "cem"] {
        one.read(device, "lift", numbers[9]).await;
    }
    assert_eq!(dropped(other.send("lift", "c").await), (3, 0));
    assert_eq!(texts(&other.unread("bob").await.messages)[0], "10");
}

pub(in crate::stores) async fn an_answer_has_so_many_messages_and_no_more([one, other]: [Node; 2]) {
    let services = ["lift", "door"];
    for service in services {
        one.subscribe("ann", service).await;
    }
    let mut sent = Vec::new();
    for number in 0..UNREAD_MAX + 100 {
        let text = number.to_string();
        one.send(services[number % 2], &text).await;
        sent.push(text);
    }
    let seen = other.unread("ann").await;
    assert!(seen.more);
    assert_eq!(texts(&seen.messages), sent[..UNREAD_MAX]);
    let first = one.take("ann").await;
    assert_eq!(first, seen);
    let rest: Vec<&str> = sent[UNREAD_MAX..].iter().map(|text| &**text).collect();
    assert_all(&other.unread("ann").await, &rest);
    assert_all(&other.take("ann").await, &rest);
}

pub(in crate::stores) async fn an_answer_has_so_many_bytes_and_no_more([one, other]: [Node; 2]) {
    one.subscribe("ann", "lift").await;
    one.subscribe("ann", "door").await;
    let mut sent = Vec::new();
    for number in 0..25 {
        let text = format!("{number} {}", "x".repeat(UNREAD_MAX_BYTES / 10));
        one.send(["lift", "door"][number % 2], &text).await;
        sent.push(text);
    }
    let mut taken = Vec::new();
    loop {
        let unread = other.take("ann").await;
        let sizes = unread.messages.iter().map(|message| message.notice.size());
        assert!(sizes.sum::<usize>() <= UNREAD_MAX_BYTES);
        taken.extend(texts(&unread.messages).into_iter().map(str::to_owned));
        if !unread.more {
            break;
        }
        assert!(unread.messages.len() > 1, "more than one fits");
    }
    assert!(taken == sent, "each comes once and in order");
    // One that is larger than an answer comes alone.
    let large = "x".repeat(UNREAD_MAX_BYTES + 1);
    one.send("lift", &large).await;
    one.send("lift", "small").await;
    let unread = one.take("ann").await;
    assert!(texts(&unread.messages) == [&large] && unread.more);
    assert_all(&other.take("ann").await, &["small"]);
}

pub(in crate::stores) async fn what_is_too_old_is_dropped_and_counted([one, other]: [Node; 2]) {
    for device in ["ann", "bob"] {
        one.subscribe(device, "lift").await;
    }
    one.subscribe("bob", "door").await;
    let mut numbers = Vec::new();
    let all = [
        ("lift", "one"),
        ("lift", "two"),
        ("door", "three"),
        ("lift", "four"),
    ];
    for (seconds, (service, text)) in (1..).zip(all) {
        numbers.push(one.send_at(service, text, at(seconds)).await.number);
    }
    one.read("ann", "lift", numbers[0]).await;
    assert_eq!(other.expire(at(1)).await, 0);
    assert_all(&one.unread("ann").await, &["two", "four"]);
    // Of the first bob alone had it unread, of the second both, of the third bob.
    assert_eq!(other.expire(at(4)).await, 4);
    assert_eq!(one.expire(at(4)).await, 0);
    assert_all(&one.unread("ann").await, &["four"]);
    assert_eq!(one.tally("lift").await.unread, 1);
    assert_all(&other.take("bob").await, &["four"]);
    assert_all(&other.take("ann").await, &["four"]);
    assert_eq!(one.expire(at(9)).await, 0);
    one.send_at("lift", "five", at(5)).await;
    assert_all(&one.take("ann").await, &["five"]);
}

pub(in crate::stores) async fn what_a_service_has_sent_is_counted_for_good(
    [one, other]: [Node; 2],
) {
    assert_eq!(one.tally("lift").await, Tally::default());
    one.subscribe("ann", "lift").await;
    for (level, text) in [(1, "a"), (5, "b"), (3, "c"), (5, "d")] {
        let notice = Notice {
            level: MessageLevel::of(level),
            ..notice(text)
        };
        within(one.store.send(key("lift"), notice, at(2))).await;
    }
    let last = other.send_at("door", "e", at(3)).await;
    let tally = other.tally("lift").await;
    assert_eq!((tally.by_level, tally.unread), ([1, 0, 1, 0, 2], 4));
    assert_eq!(tally.last.unwrap().notice.text, "d");
    other.take("ann").await;
    other.unsubscribe("ann", "lift").await;
    one.expire(at(100)).await;
    let asked = ["door", "unknown", "lift"].map(key).to_vec();
    let tallies = within(one.store.tallies(asked)).await;
    assert_eq!(tallies.len(), 3);
    let door = tallies[0].last.as_ref().unwrap();
    assert_eq!((door.number, door.at), (last.number, at(3)));
    assert_eq!((tallies[0].by_level[2], tallies[0].unread), (1, 0));
    assert_eq!(tallies[1], Tally::default());
    assert_eq!(tallies[2].by_level, [1, 0, 1, 0, 2]);
    assert_eq!(tallies[2].unread, 0);
    assert_eq!(tallies[2].last.as_ref().unwrap().notice.text, "d");
}
