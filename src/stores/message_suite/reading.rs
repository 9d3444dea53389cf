//! Reading: each message once for each device, in order, and marks.

use futures_util::future::join_all;

use super::*;

pub(in crate::stores) async fn each_device_takes_a_message_once([one, other]: [Node; 2]) {
    for device in ["ann", "bob"] {
        one.subscribe(device, "lift").await;
    }
    one.send("lift", "one").await;
    one.send("lift", "two").await;
    assert_all(&other.take("ann").await, &["one", "two"]);
    assert_all(&one.take("ann").await, &[]);
    one.send("lift", "three").await;
    assert_all(&one.take("bob").await, &["one", "two", "three"]);
    assert_all(&other.take("bob").await, &[]);
    assert_all(&other.take("ann").await, &["three"]);
    assert_eq!(one.tally("lift").await.unread, 0);
}

pub(in crate::stores) async fn a_message_comes_as_it_was_sent([one, other]: [Node; 2]) {
    one.subscribe("ann", "lift").await;
    let first = one.send("lift", "first").await;
    let notice = Notice {
        text: " Ä\u{0}\n\"öß\" 🛗 ".to_owned(),
        title: "Aufzug — Halle".to_owned(),
        link: "https://example.org/?a=1&b={2}".to_owned(),
        level: MessageLevel::DANGER,
    };
    let sending = one.store.send(key("lift"), notice.clone(), at(5));
    let sent = within(sending).await;
    let taken = other.take("ann").await;
    let expected = Message {
        number: sent.number,
        previous: first.number,
        service: key("lift"),
        notice,
        at: at(5),
    };
    assert_eq!(*taken.messages[1], expected);
}

pub(in crate::stores) async fn messages_of_several_services_come_in_the_order_in_which_they_were_sent(
    [one, other]: [Node; 2],
) {
    let services = ["lift", "door", "alarm"];
    for service in services {
        one.subscribe("ann", service).await;
    }
    let mut sent = Vec::new();
    for number in 0..15 {
        let text = format!("{number}");
        let node = if number % 2 == 0 { &one } else { &other };
        node.send(services[number * 7 % 3], &text).await;
        sent.push(text);
    }
    let taken = other.take("ann").await;
    assert_eq!(texts(&taken.messages), sent);
    let numbers = taken.messages.iter().map(|message| message.number);
    assert!(numbers.is_sorted_by(|one, next| one < next));
}

pub(in crate::stores) async fn of_many_who_take_at_a_time_each_message_comes_to_one(
    [one, other]: [Node; 2],
) {
    one.subscribe("ann", "lift").await;
    let mut sent = Vec::new();
    let mut taken = Vec::new();
    for round in 0..10 {
        for number in 0..10 {
            let text = format!("{round}-{number}");
            one.send("lift", &text).await;
            sent.push(text);
        }
        let nodes = [&one, &other].into_iter().cycle().take(10);
        let answers = join_all(nodes.map(|node| node.take("ann"))).await;
        for answer in &answers {
            let some = texts(&answer.messages).into_iter();
            taken.extend(some.map(str::to_owned));
        }
    }
    assert_all(&one.take("ann").await, &[]);
    sent.sort();
    taken.sort();
    assert_eq!(taken, sent);
}

pub(in crate::stores) async fn to_look_at_what_is_unread_marks_nothing([one, other]: [Node; 2]) {
    one.subscribe("ann", "lift").await;
    one.send("lift", "one").await;
    for node in [&one, &other, &one] {
        assert_all(&node.unread("ann").await, &["one"]);
    }
    assert_all(&other.unread("bob").await, &[]);
    assert_all(&other.take("ann").await, &["one"]);
    assert_all(&one.unread("ann").await, &[]);
}

pub(in crate::stores) async fn a_mark_moves_forward_alone([one, other]: [Node; 2]) {
    for device in ["ann", "bob"] {
        one.subscribe(device, "lift").await;
    }
    let mut numbers = Vec::new();
    for text in ["one", "two", "three", "four"] {
        numbers.push(one.send("lift", text).await.number);
    }
    other.read("ann", "lift", numbers[1]).await;
    assert_all(&one.unread("ann").await, &["three", "four"]);
    one.read("ann", "lift", numbers[0]).await;
    one.read("ann", "lift", numbers[1]).await;
    one.read("ann", "door", numbers[3]).await;
    one.read("cem", "lift", numbers[3]).await;
    assert_all(&other.unread("ann").await, &["three", "four"]);
    other.read("ann", "lift", numbers[2]).await;
    assert_all(&one.take("ann").await, &["four"]);
    assert_all(&one.take("bob").await, &["one", "two", "three", "four"]);
}

pub(in crate::stores) async fn a_mark_beyond_the_last_message_skips_nothing_later(
    [one, other]: [Node; 2],
) {
    one.subscribe("ann", "lift").await;
    let sent = one.send("lift", "one").await;
    let beyond = MessageNumber(sent.number.0 + 1_000);
    one.read("ann", "lift", beyond).await;
    assert_all(&other.unread("ann").await, &[]);
    other.send("lift", "two").await;
    assert_all(&one.take("ann").await, &["two"]);
}

pub(in crate::stores) async fn all_can_be_read_without_a_look([one, other]: [Node; 2]) {
    for device in ["ann", "bob"] {
        one.subscribe(device, "lift").await;
        one.subscribe(device, "door").await;
    }
    for service in ["lift", "door", "lift"] {
        one.send(service, service).await;
    }
    other.read_all("ann").await;
    other.read_all("cem").await;
    assert_all(&one.unread("ann").await, &[]);
    one.send("door", "later").await;
    assert_all(&one.take("ann").await, &["later"]);
    assert_all(&one.take("bob").await, &["lift", "door", "lift", "later"]);
}

pub(in crate::stores) async fn a_device_is_known_to_have_looked([one, other]: [Node; 2]) {
    let ann = || device_id("ann");
    let checked = async || one.subscriptions("ann").await[0].checked;
    for device in ["ann", "bob"] {
        one.subscribe_at(device, "lift", at(1)).await;
    }
    assert_eq!(checked().await, at(1));
    within(other.store.take(ann(), at(2))).await;
    assert_eq!(checked().await, at(2));
    one.send("lift", "one").await;
    one.unread("ann").await;
    assert_eq!(checked().await, at(2));
    within(one.store.read_all(ann(), at(3))).await;
    assert_eq!(checked().await, at(3));
    let sent = one.send("lift", "two").await;
    let mark = Mark {
        service: key("lift"),
        number: sent.number,
    };
    within(other.store.read(ann(), vec![mark], at(4))).await;
    assert_eq!(checked().await, at(4));
    let bob = one.subscriptions("bob").await;
    assert_eq!((bob[0].since, bob[0].checked), (at(1), at(1)));
}
