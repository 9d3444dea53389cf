//! Who signs for pages: a back end in Python, or the gateway for its own users.

use serde_json::{Value, json};

use super::app::{OTHER, SIGNS, USER_KEY, building_with, plan};
use super::backend::Backend;
use super::pages::Pages;
use super::socket::{Socket, door};
use crate::harness::{Gateway, Plan};

#[tokio::test]
async fn what_the_python_library_signs_opens_every_kind_of_channel() {
    let gateway = plan().start().await;
    let mut backend = Backend::start(&gateway);
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    let id = pages.socket_id("panel").await;
    let member = json!({"user_id": "u-1", "user_info": {"name": "Änne", "seats": [1, 2]}});
    for (channel, data) in [
        ("private-room", Value::Null),
        ("private-encrypted-lab", Value::Null),
        ("presence-room", member.clone()),
    ] {
        // It puts blanks where JavaScript puts none.
        let auth = backend
            .call("authenticate", json!([channel, id, data]))
            .await;
        pages.present("panel", channel, auth).await;
        pages.subscribe("panel", channel).await;
    }
    let members = pages.members("panel", "presence-room").await;
    assert_eq!(members["me"]["info"], member["user_info"], "{members}");
    backend
        .trigger("private-encrypted-lab", "note", json!({"text": "ß"}))
        .await;
    pages
        .expect(
            "panel",
            "private-encrypted-lab",
            "note",
            json!({"text": "ß"}),
        )
        .await;

    let user = json!({"id": "u-1", "user_info": {"name": "Änne"}});
    let auth = backend.call("authenticate_user", json!([id, user])).await;
    pages
        .tell(
            "panel",
            json!({"cmd": "answer", "channel": null, "auth": auth}),
        )
        .await;
    pages.sign_in("panel").await;
    backend
        .call("send_to_user", json!(["u-1", "note", 1]))
        .await;
    assert_eq!(pages.told("panel", "user").await, json!(["note", 1]));
}

/// Options of a pusher-js that has the gateway sign for this bearer.
fn by_the_gateway(gateway: &Gateway, bearer: &str) -> Value {
    let way = |path: &str| {
        json!({
            "endpoint": format!("{}/pusher/{path}", gateway.url()),
            "headers": {"Authorization": format!("Bearer {bearer}")},
            "params": {"app": SIGNS.id},
        })
    };
    json!({"options": {"channelAuthorization": way("auth"), "userAuthentication": way("user-auth")}})
}

#[tokio::test]
async fn the_gateway_signs_rooms_for_its_own_users() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages
        .open_as("panel", by_the_gateway(&gateway, USER_KEY))
        .await;
    pages.connected("panel").await;

    pages.subscribe("panel", "private-ctl.sys-1").await;
    let members = pages.subscribe("panel", "presence-room.sys-1").await;
    let me = (&members["me"]["id"], &members["me"]["info"]["name"]);
    assert_eq!(me, (&json!("user-ann"), &json!("Ann")), "{members}");
    pages.sign_in("panel").await;
    pages
        .server("sendToUser", json!(["user-ann", "note", 1]))
        .await
        .expect("it is sent");
    assert_eq!(pages.told("panel", "user").await, json!(["note", 1]));

    // Other channels are for the app's own servers to sign.
    pages.ask_to_subscribe("panel", "private-orders").await;
    let refused = pages
        .heard("panel", "private-orders", "pusher:subscription_error")
        .await;
    assert_eq!(
        (&refused["type"], &refused["status"]),
        (&json!("AuthError"), &json!(403)),
        "{refused}"
    );
}

#[tokio::test]
async fn who_shows_no_credential_gets_no_signature() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages
        .open_as("stranger", by_the_gateway(&gateway, "user.wrong"))
        .await;
    pages.connected("stranger").await;
    let channel = "private-ctl.sys-1";
    pages.ask_to_subscribe("stranger", channel).await;
    let refused = pages
        .heard("stranger", channel, "pusher:subscription_error")
        .await;
    assert_eq!(
        (&refused["type"], &refused["status"]),
        (&json!("AuthError"), &json!(403)),
        "{refused}"
    );
    pages.tell("stranger", json!({"cmd": "signin"})).await;
    let told = pages.told("stranger", "user").await;
    let said = (&told[0], &told[1]["status"]);
    assert_eq!(said, (&json!("pusher:signin_error"), &json!(403)), "{told}");
}

#[tokio::test]
async fn while_a_key_is_replaced_both_are_good() {
    let keys = [SIGNS, OTHER].map(|app| json!({"key": app.key, "secret": app.secret}));
    let building = building_with(&json!({"keys": keys}));
    let mut building: Value = serde_json::from_str(&building).expect("JSON");
    building["apps"].as_array_mut().expect("apps").truncate(1);
    let gateway = Plan::serve(&building.to_string()).start().await;

    let mut old = Socket::open(&gateway).await;
    let mut new = Socket::by(door(&gateway, OTHER, "protocol=7")).await;
    // Either key signs for a connection by either.
    for socket in [&mut old, &mut new] {
        for key in [SIGNS, OTHER] {
            let channel = format!("private-{}", key.id);
            let auth = key.auth(&format!("{}:{channel}", socket.id));
            socket
                .send(
                    "pusher:subscribe",
                    json!({"channel": channel, "auth": auth}),
                )
                .await;
            socket.succeeded(&channel).await;
        }
    }
    SIGNS.trigger(&gateway, "private-4202", "tick", "1").await;
    for socket in [&mut old, &mut new] {
        assert_eq!(socket.next().await["data"], "1");
    }
}
