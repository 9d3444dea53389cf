//! The sign-in endpoints, and that what they sign is good at the websocket.

use super::*;

/// Asks for a signature, as Pusher's client does.
async fn ask(gateway: &Gateway, path: &str, key: &str, fields: &[(&str, &str)]) -> Response {
    let request = gateway.request("POST", path).bearer(key);
    request.form(fields).send().await
}

/// A signature for a channel of an app; the answer of the endpoint.
async fn sign(gateway: &Gateway, key: &str, socket: &str, channel: &str) -> Response {
    let fields = [
        ("socket_id", socket),
        ("channel_name", channel),
        ("app", "4201"),
    ];
    ask(gateway, "/pusher/auth", key, &fields).await
}

#[tokio::test]
async fn a_room_is_signed_and_the_signature_is_good() {
    let gateway = gateway().await;
    for channel in ["private-mod.sys-1.Shared_1", "presence-room.sys-1"] {
        let mut client = Subscriber::connect(&gateway).await;
        let answer = sign(&gateway, PANEL, &client.socket, channel).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let mut data = answer.json();
        data["channel"] = json!(channel);
        let entered = client.subscribe_by(data).await;
        if channel.starts_with("presence-") {
            let entered = subscriber::data(&entered);
            let bob = json!({"name": "Bob", "device": "panel"});
            assert_eq!(entered["presence"]["hash"], json!({"user-bob": bob}));
        }
    }
}

#[tokio::test]
async fn a_user_is_signed_and_the_signature_is_good() {
    let gateway = gateway().await;
    for path in ["/pusher/user-auth", "/broadcasting/user-auth"] {
        let mut client = Subscriber::connect(&gateway).await;
        let fields = [("socket_id", &*client.socket), ("app", "4201")];
        let answer = ask(&gateway, path, ADMIN, &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        client.sign_in_by(answer.json()).await;
    }
}

#[tokio::test]
async fn laravels_path_signs_too_and_json_is_read() {
    let gateway = gateway().await;
    let body = json!({"socket_id": "1.2", "channel_name": "presence-room.sys-1"});
    let request = gateway.request("POST", "/broadcasting/auth?app=4201");
    let answer = request.bearer(ADMIN).json(body).ok().await;
    assert!(
        answer["channel_data"]
            .as_str()
            .unwrap()
            .contains("user-ann")
    );
}

#[tokio::test]
async fn what_may_not_be_signed_is_refused_with_403() {
    let gateway = gateway().await;
    for (key, channel) in [
        ("admin.wrong", "private-mod.sys-1.Shared_1"),
        // Out of reach of the panel's key.
        (PANEL, "presence-room.sys-2"),
        // Calls there have the rights of Ann.
        (PANEL, "private-ctl.sys-1"),
        (PANEL, "private-debug.sys-1.Shared_1"),
        (ADMIN, "private-chat"),
        (ADMIN, "private-encrypted-a"),
        (ADMIN, "a"),
        (ADMIN, "private-mod.sys-1"),
    ] {
        let answer = sign(&gateway, key, "1.2", channel).await;
        assert_eq!(answer.status, 403, "{key} {channel}: {}", answer.body);
    }
    let admin = sign(&gateway, ADMIN, "1.2", "private-ctl.sys-1").await;
    assert_eq!(admin.status, 200, "{}", admin.body);
    let bare = gateway.request("POST", "/pusher/auth");
    assert_eq!(bare.form(&[("socket_id", "1.2")]).send().await.status, 403);
    let no_app = [
        ("socket_id", "1.2"),
        ("channel_name", "presence-room.sys-1"),
    ];
    let no_app = ask(&gateway, "/pusher/auth", ADMIN, &no_app).await;
    assert_refused(&no_app, 403, "`app`");
}

#[tokio::test]
async fn pages_of_any_origin_may_ask() {
    let gateway = gateway().await;
    let page = "https://signs.test";
    let asked = gateway
        .request("OPTIONS", "/pusher/auth")
        .header("Origin", page)
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,x-csrf-token",
        );
    let asked = asked.send().await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.header("access-control-allow-origin"), Some(page));
    let headers = asked.header("access-control-allow-headers");
    assert_eq!(headers, Some("authorization,x-csrf-token"));
    let fields = [("socket_id", "1.2"), ("channel_name", "a"), ("app", "4201")];
    let request = gateway.request("POST", "/pusher/auth").bearer(ADMIN);
    let refused = request.header("Origin", page).form(&fields).send().await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("access-control-allow-origin"), Some(page));
    assert_eq!(refused.header("access-control-allow-credentials"), None);
}
