//! Laravel Echo, which lets the gateway sign.

use serde_json::{Value, json};

use super::app::{SIGNS, USER_KEY, plan_with};
use super::pages::Pages;
use crate::harness::{Gateway, Key};

/// An Echo that shows this bearer to the sign-in endpoints.
async fn open(pages: &mut Pages, page: &str, broadcaster: &str, gateway: &Gateway, bearer: &str) {
    let options = json!({
        "authEndpoint": format!("{}/broadcasting/auth", gateway.url()),
        "auth": {"headers": {}, "params": {"app": SIGNS.id}},
        "bearerToken": bearer,
        // Echo's `pusher` wants one, and whatever it is, the host counts.
        "cluster": "",
    });
    let command = json!({"cmd": "echo", "broadcaster": broadcaster, "options": options});
    pages.tell(page, command).await;
    pages.connected(page).await;
}

async fn listen(pages: &mut Pages, page: &str, kind: &str, channel: &str, name: Option<&str>) {
    let command = json!({"cmd": "listen", "kind": kind, "channel": channel, "name": name});
    pages.tell(page, command).await;
}

// Row 48.
#[tokio::test]
async fn echo_listens_whispers_and_sees_who_is_there() {
    for broadcaster in ["reverb", "pusher"] {
        let gateway = plan_with(&json!({"sign": "all"})).start().await;
        let mut pages = Pages::start(&gateway);
        open(&mut pages, "one", broadcaster, &gateway, USER_KEY).await;
        open(&mut pages, "two", broadcaster, &gateway, Key::ADMIN.0).await;

        for page in ["one", "two"] {
            listen(&mut pages, page, "private", "orders", None).await;
            listen(&mut pages, page, "private", "orders", Some("OrderShipped")).await;
            listen(&mut pages, page, "private", "orders", Some(".plain")).await;
            listen(
                &mut pages,
                page,
                "private",
                "orders",
                Some("whisper:typing"),
            )
            .await;
            assert_eq!(pages.echo(page, "orders").await[0], "subscribed");
        }
        let events = [
            (r"App\Events\OrderShipped", "OrderShipped", 1),
            ("plain", ".plain", 2),
        ];
        for (sent, heard, id) in events {
            pages
                .server("trigger", json!(["private-orders", sent, {"id": id}]))
                .await
                .expect("it is sent");
            for page in ["one", "two"] {
                assert_eq!(pages.echo(page, "orders").await, json!([heard, {"id": id}]));
            }
        }
        let whisper = json!({"cmd": "whisper", "kind": "private", "channel": "orders", "name": "typing", "data": {"n": 1}});
        pages.tell("one", whisper).await;
        assert_eq!(
            pages.echo("two", "orders").await,
            json!(["whisper:typing", {"n": 1}])
        );

        listen(&mut pages, "one", "join", "room", None).await;
        let mut told = [
            pages.echo("one", "room").await,
            pages.echo("one", "room").await,
        ];
        told.sort_by_key(|event| event[0] == "subscribed");
        let ann = &told[0][1][0];
        assert_eq!(
            (&told[0][0], &ann["name"]),
            (&json!("here"), &json!("Ann")),
            "{told:?}"
        );
        listen(&mut pages, "two", "join", "room", None).await;
        let joining = pages.echo("one", "room").await;
        assert_eq!(
            (&joining[0], &joining[1]["name"]),
            (&json!("joining"), &json!("Eve")),
            "{joining}"
        );
        pages.close("two").await;
        let leaving = pages.echo("one", "room").await;
        assert_eq!(
            (&leaving[0], &leaving[1]["name"]),
            (&json!("leaving"), &json!("Eve")),
            "{leaving}"
        );
    }
}

// Row 48, a private channel whose signature is refused.
#[tokio::test]
async fn echo_tells_the_page_that_it_is_not_let_in() {
    let gateway = plan_with(&json!({})).start().await;
    let mut pages = Pages::start(&gateway);
    open(&mut pages, "stranger", "reverb", &gateway, "nobody.at-all").await;
    open(&mut pages, "user", "pusher", &gateway, USER_KEY).await;
    // A user of the building may have rooms signed and, where the app does not say so, nothing else.
    for page in ["stranger", "user"] {
        listen(&mut pages, page, "private", "orders", None).await;
        let error = pages.echo(page, "orders").await;
        assert_eq!(
            (&error[0], &error[1]["status"]),
            (&json!("error"), &json!(403)),
            "{page}: {error}"
        );
    }
    listen(&mut pages, "user", "private", "sys.sys-1", None).await;
    let subscribed = pages.echo("user", "sys.sys-1").await;
    assert_eq!(subscribed[0], "subscribed", "{subscribed}");
    assert_eq!(pages.state_now("stranger").await, Value::from("connected"));
}
