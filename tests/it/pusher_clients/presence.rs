//! Who is in a channel.

use serde_json::{Value, json};

use super::app::{SIGNS, plan, plan_with};
use super::pages::Pages;
use super::socket::Socket;

const ROOM: &str = "presence-room";

/// A page that has connected and is this member.
async fn open(pages: &mut Pages, page: &str, member: Value) {
    pages.open_as(page, json!({"member": member})).await;
    pages.connected(page).await;
}

fn ann(device: &str) -> Value {
    json!({"user_id": "u-1", "user_info": {"name": "Ann", "device": device}})
}

fn bob() -> Value {
    json!({"user_id": "u-2", "user_info": {"name": "Bob"}})
}

// Row 28, and the report of a user whose every page was told as a user of its own.
#[tokio::test]
async fn a_user_with_three_tabs_comes_once_and_goes_once() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    open(&mut pages, "watch", ann("wall")).await;
    pages.subscribe("watch", ROOM).await;

    for tab in ["tab-1", "tab-2", "tab-3"] {
        open(&mut pages, tab, bob()).await;
        let members = pages.subscribe(tab, ROOM).await;
        assert_eq!(
            (&members["count"], &members["me"]["id"]),
            (&json!(2), &json!("u-2")),
            "{members}"
        );
    }
    let added = json!({"id": "u-2", "info": {"name": "Bob"}});
    pages
        .expect("watch", ROOM, "pusher:member_added", added.clone())
        .await;
    let members = pages.members("watch", ROOM).await;
    assert_eq!(members["count"], 2, "{members}");
    for tab in ["tab-1", "tab-2"] {
        pages.close(tab).await;
        pages.state(tab, "disconnected").await;
    }
    let users = SIGNS
        .request(&gateway, "GET", "/channels/presence-room/users", "")
        .ok()
        .await;
    assert_eq!(users, json!({"users": [{"id": "u-1"}, {"id": "u-2"}]}));
    pages.close("tab-3").await;
    pages
        .expect("watch", ROOM, "pusher:member_removed", added)
        .await;
    let members = pages.members("watch", ROOM).await;
    assert_eq!(
        members["members"],
        json!({"u-1": {"name": "Ann", "device": "wall"}}),
        "{members}"
    );
}

// Row 29.
#[tokio::test]
async fn members_are_known_by_the_text_of_their_ids() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    open(
        &mut pages,
        "number",
        json!({"user_id": 10, "user_info": {"name": "Ten"}}),
    )
    .await;
    let members = pages.subscribe("number", ROOM).await;
    assert_eq!(
        members["members"],
        json!({"10": {"name": "Ten"}}),
        "{members}"
    );
    assert_eq!(members["me"]["info"]["name"], "Ten", "{members}");

    // Who says nothing of itself is there all the same.
    open(&mut pages, "silent", json!({"user_id": "u-2"})).await;
    let members = pages.subscribe("silent", ROOM).await;
    assert_eq!(
        (&members["count"], &members["me"]),
        (&json!(2), &json!({"id": "u-2", "info": null})),
        "{members}"
    );
    let added = pages.heard("number", ROOM, "pusher:member_added").await;
    assert_eq!(added["id"], "u-2", "{added}");

    // More digits than a number of JavaScript has.
    let mut socket = Socket::open(&gateway).await;
    let members = socket
        .join(ROOM, r#"{"user_id":12345678901234567890}"#)
        .await;
    let hash = &members["presence"]["hash"];
    assert!(
        hash.get("12345678901234567890").is_some_and(Value::is_null),
        "{members}"
    );
}

// Row 29 too.
#[tokio::test]
async fn what_a_member_says_of_itself_has_a_bound() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    open(
        &mut pages,
        "most",
        json!({"user_id": "u-1", "user_info": {"text": "x".repeat(2_000)}}),
    )
    .await;
    let members = pages.subscribe("most", ROOM).await;
    assert_eq!(members["count"], 1, "{members}");
    open(
        &mut pages,
        "more",
        json!({"user_id": "u-2", "user_info": {"text": "x".repeat(2_048)}}),
    )
    .await;
    pages.ask_to_subscribe("more", ROOM).await;
    pages.heard("more", ROOM, "pusher:subscription_error").await;
    assert_eq!(pages.state_now("more").await, "connected");
}

// Row 29 too.
#[tokio::test]
async fn a_full_channel_takes_no_further_member() {
    let gateway = plan_with(&json!({"limits": {"presence_members": 2}}))
        .start()
        .await;
    let mut pages = Pages::start(&gateway);
    for (page, id) in [("one", "u-1"), ("two", "u-2")] {
        open(&mut pages, page, json!({"user_id": id})).await;
        pages.subscribe(page, ROOM).await;
    }
    open(&mut pages, "three", json!({"user_id": "u-3"})).await;
    pages.ask_to_subscribe("three", ROOM).await;
    pages
        .heard("three", ROOM, "pusher:subscription_error")
        .await;
    // One more page of who is there already is no further member.
    open(&mut pages, "again", json!({"user_id": "u-2"})).await;
    let members = pages.subscribe("again", ROOM).await;
    assert_eq!(members["count"], 2, "{members}");
    // Who leaves makes room.
    pages.close("one").await;
    pages.heard("two", ROOM, "pusher:member_removed").await;
    open(&mut pages, "four", json!({"user_id": "u-4"})).await;
    pages.subscribe("four", ROOM).await;
}

// Row 29 too.
#[tokio::test]
async fn a_channel_has_room_for_a_thousand_members() {
    let gateway = plan().start().await;
    let mut members = Vec::new();
    for number in 1..=1_000 {
        let mut socket = Socket::open(&gateway).await;
        let data = json!({"user_id": number.to_string()}).to_string();
        let there = socket.join(ROOM, &data).await;
        assert_eq!(there["presence"]["count"], number, "of member {number}");
        members.push(socket);
    }
    let mut late = Socket::open(&gateway).await;
    late.ask_to_join(ROOM, r#"{"user_id":"1001"}"#).await;
    let (_, text) = late.error().await;
    assert!(text.contains("as many members as it may have"), "{text}");
    let refused = late.next().await;
    assert_eq!(refused["event"], "pusher:subscription_error", "{refused}");
    late.subscribe("news").await;
    // Who was there was told of each who came later, and of none besides.
    for number in [1, 500, 1_000] {
        let socket = &mut members[number - 1];
        for later in number + 1..=1_000 {
            let added = socket.next().await;
            assert_eq!(
                (&added["event"], &added["data"]),
                (
                    &json!("pusher_internal:member_added"),
                    &json!(format!(r#"{{"user_id":"{later}","user_info":null}}"#))
                )
            );
        }
        socket.expect_silence().await;
    }
}

// Row 30.
#[tokio::test]
async fn who_has_signed_in_is_a_member_without_further_words() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    let user = json!({"id": "u-7", "user_info": {"name": "Ada"}});
    pages.open_signed_in("panel", user).await;
    let members = pages.subscribe("panel", ROOM).await;
    assert_eq!(
        members["members"],
        json!({"u-7": {"name": "Ada"}}),
        "{members}"
    );
    assert_eq!(members["me"]["id"], "u-7", "{members}");

    // What it says for the channel counts more.
    pages
        .tell("panel", json!({"cmd": "become", "member": bob()}))
        .await;
    let members = pages.subscribe("panel", "presence-other").await;
    assert_eq!(
        members["members"],
        json!({"u-2": {"name": "Bob"}}),
        "{members}"
    );

    // A stranger who says nothing stays outside.
    let mut socket = Socket::open(&gateway).await;
    let auth = SIGNS.auth(&format!("{}:{ROOM}", socket.id));
    socket
        .send("pusher:subscribe", json!({"channel": ROOM, "auth": auth}))
        .await;
    socket.error().await;
    assert_eq!(socket.next().await["event"], "pusher:subscription_error");
}

// The report of a user whose second device says something else of itself.
#[tokio::test]
async fn of_two_accounts_of_one_member_the_later_is_shown() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    open(&mut pages, "wall", ann("wall")).await;
    pages.subscribe("wall", ROOM).await;
    open(&mut pages, "phone", ann("phone")).await;
    let members = pages.subscribe("phone", ROOM).await;
    assert_eq!(members["me"]["info"]["device"], "phone", "{members}");

    open(&mut pages, "late", bob()).await;
    let members = pages.subscribe("late", ROOM).await;
    assert_eq!(
        members["members"]["u-1"],
        json!({"name": "Ann", "device": "phone"}),
        "{members}"
    );
    // The second device was no arrival.
    let added = pages.heard("wall", ROOM, "pusher:member_added").await;
    assert_eq!(added["id"], "u-2", "{added}");
}
