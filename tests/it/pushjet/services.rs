//! Services: made, read, edited, deleted, by the library.

use serde_json::{Value, json};

use super::door::{BOILER_SECRET, Made, PHONE, ask, open_gateway, refused};
use super::library::Library;

const UNKNOWN_SECRET: &str = "00000000000000000000000000000000";
const UNKNOWN_KEY: &str = "0000-000000-000000000000-00000-000000000";

fn has_form_of_a_key(key: &Value) -> bool {
    let key = key.as_str().unwrap_or_default();
    let lengths: Vec<usize> = key.split('-').map(str::len).collect();
    lengths == [4, 6, 12, 5, 9]
}

// Case 1
#[tokio::test]
async fn a_service_is_made_with_its_keys() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let plain = library.service("Lobby").await;
    assert_eq!(
        (&plain["name"], &plain["icon_url"]),
        (&json!("Lobby"), &Value::Null)
    );
    assert!(has_form_of_a_key(&plain["public_key"]), "{plain}");
    let secret = plain["secret_key"].as_str().expect("a secret");
    assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert!(plain["created"].as_u64() > Some(1_700_000_000), "{plain}");

    let icon = "https://example.test/lobby.png";
    let shown = library
        .make("shown", "Service.create", json!(["  Lobby  ", icon]))
        .await;
    assert_eq!(
        (&shown["name"], &shown["icon_url"]),
        (&json!("Lobby"), &json!(icon))
    );
    assert_ne!(shown["public_key"], plain["public_key"]);
}

// Case 2
#[tokio::test]
async fn a_service_without_a_name_is_refused() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    for name in ["", "   "] {
        let kind = library
            .refuses("Service.create", json!({"name": name}))
            .await;
        assert_eq!(kind, "KeyError", "{name:?}");
        let request = ask(&gateway, "POST", "/service").form(&[("name", name)]);
        assert_eq!(
            refused(request).await,
            (400, 7, "Missing argument name".to_owned())
        );
    }
}

// Cases 3 and 4
#[tokio::test]
async fn a_service_is_found_by_either_key() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let made = library.service("Lobby").await;
    let by_secret = library
        .make("one", "Service", json!([made["secret_key"]]))
        .await;
    assert_eq!(by_secret, made);
    let by_key = library
        .make("two", "Service", json!([null, made["public_key"]]))
        .await;
    let mut without = made.clone();
    without["secret_key"] = Value::Null;
    assert_eq!(by_key, without);

    for unknown in [
        json!({"secret_key": UNKNOWN_SECRET}),
        json!({"public_key": UNKNOWN_KEY}),
    ] {
        let kind = library.refuses("Service", unknown.clone()).await;
        assert_eq!(kind, "NonexistentError", "{unknown}");
    }
}

// Case 5
#[tokio::test]
async fn malformed_keys_are_refused_one_by_one() {
    let gateway = open_gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    for (query, expected) in [
        ("?secret=short", (400, 3, "Invalid secret")),
        ("?service=short", (400, 2, "Invalid service")),
        ("", (400, 7, "Missing argument service")),
        (
            &*format!("?service={UNKNOWN_KEY}"),
            (404, 6, "Service not found"),
        ),
        (
            &*format!("?secret={UNKNOWN_SECRET}"),
            (404, 6, "Service not found"),
        ),
        // A public key where a secret belongs.
        (
            &*format!("?secret={}", made.public),
            (400, 3, "Invalid secret"),
        ),
    ] {
        let (status, id, text) = refused(ask(&gateway, "GET", &format!("/service{query}"))).await;
        assert_eq!((status, id, &*text), expected, "{query}");
    }
    let both = format!("/service?service={}&secret={UNKNOWN_SECRET}", made.public);
    let found = ask(&gateway, "GET", &both).ok().await;
    assert_eq!(found["service"]["public"], made.public);
    assert_eq!(found["service"].get("secret"), None);
}

// Cases 17 to 19
#[tokio::test]
async fn a_service_is_edited_by_its_secret_alone() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let made = library
        .make(
            "own",
            "Service.create",
            json!(["Lobby", "https://example.test/a.png"]),
        )
        .await;
    library
        .make("read-only", "Service", json!([null, made["public_key"]]))
        .await;
    for method in ["send", "edit", "delete"] {
        let args = if method == "send" {
            json!(["x"])
        } else {
            json!([])
        };
        assert_eq!(
            library.raises("read-only", method, args).await,
            "AccessError"
        );
    }

    library.call("own", "edit", json!(["Foyer"])).await;
    library.call("own", "refresh", json!([])).await;
    let now = library.get("own").await;
    assert_eq!(
        (&now["name"], &now["icon_url"]),
        (&json!("Foyer"), &json!("https://example.test/a.png"))
    );
    library
        .call_with("own", "edit", json!({"icon_url": ""}))
        .await;
    library.call("own", "refresh", json!([])).await;
    let now = library.get("own").await;
    assert_eq!(
        (&now["name"], &now["icon_url"]),
        (&json!("Foyer"), &Value::Null)
    );

    let secret = made["secret_key"].as_str().expect("a secret");
    let patch = |fields: &[(&str, &str)]| {
        ask(&gateway, "PATCH", &format!("/service?secret={secret}")).form(fields)
    };
    for nothing in [&[][..], &[("name", "  ")], &[("other", "x")]] {
        assert_eq!(
            refused(patch(nothing)).await,
            (400, 10, "No changes were made".to_owned()),
            "{nothing:?}"
        );
    }
}

// Case 20
#[tokio::test]
async fn a_service_that_is_deleted_takes_its_messages_along() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let made = library.service("Lobby").await;
    library.device("phone", PHONE).await;
    library
        .call("phone", "subscribe", json!([{"the": "Lobby"}]))
        .await;
    library.call("Lobby", "send", json!(["hello"])).await;
    library.call("Lobby", "delete", json!([])).await;
    assert_eq!(
        library.raises("Lobby", "refresh", json!([])).await,
        "NonexistentError"
    );
    assert_eq!(
        library.call("phone", "get_subscriptions", json!([])).await,
        json!([])
    );
    assert_eq!(
        library.call("phone", "get_messages", json!([])).await,
        json!([])
    );
    let kind = library
        .raises("phone", "subscribe", json!([made["public_key"]]))
        .await;
    assert_eq!(kind, "NonexistentError");
}

#[tokio::test]
async fn a_service_of_the_building_file_sends_and_is_not_edited() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let boiler = library
        .make("boiler", "Service", json!([BOILER_SECRET]))
        .await;
    assert_eq!(
        (&boiler["name"], &boiler["icon_url"]),
        (
            &json!("Boiler room"),
            &json!("https://example.test/boiler.png")
        )
    );
    library.device("phone", PHONE).await;
    library
        .call("phone", "subscribe", json!([boiler["public_key"]]))
        .await;
    library.call("boiler", "send", json!(["2.6 bar"])).await;
    let got = library.call("phone", "get_messages", json!([])).await;
    assert_eq!(got[0]["message"], "2.6 bar", "{got}");

    for (method, fields) in [("PATCH", &[("name", "Mine")][..]), ("DELETE", &[])] {
        let path = format!("/service?secret={BOILER_SECRET}");
        let (status, _, text) = refused(ask(&gateway, method, &path).form(fields)).await;
        assert_eq!(status, 403, "{method}: {text}");
        assert!(text.contains("building file"), "{method}: {text}");
    }
    library.call("boiler", "refresh", json!([])).await;
    assert_eq!(library.get("boiler").await["name"], "Boiler room");
}
