//! Messages: what they may say, how large they may be, how fast they may come.

use serde_json::{Value, json};

use super::door::{Made, PHONE, ask, fast_plan, messages, open_gateway, read, refused};
use super::library::Library;

// Case 9
#[tokio::test]
async fn every_field_of_a_message_arrives() {
    let gateway = open_gateway().await;
    let mut library = Library::start(&gateway);
    let made = library.service("Lobby").await;
    library.device("phone", PHONE).await;
    library
        .call("phone", "subscribe", json!([{"the": "Lobby"}]))
        .await;
    library
        .call_with(
            "Lobby",
            "send",
            json!({"message": "Der Lüfter läuft 🔥", "title": " Überdruck ", "link": "https://example.test/ü", "importance": 5}),
        )
        .await;
    library.call("Lobby", "send", json!(["  plain  "])).await;
    let got = library.call("phone", "get_messages", json!([])).await;
    let fields = |message: &Value| {
        ["message", "title", "link", "importance"].map(|field| message[field].clone())
    };
    assert_eq!(
        fields(&got[0]),
        [
            json!("Der Lüfter läuft 🔥"),
            json!("Überdruck"),
            json!("https://example.test/ü"),
            json!(5)
        ]
    );
    assert_eq!(
        fields(&got[1]),
        [json!("  plain  "), Value::Null, Value::Null, json!(3)]
    );
    assert_eq!(got[0]["service"]["public_key"], made["public_key"]);
    assert!(got[0]["time_sent"].as_u64() > Some(1_700_000_000), "{got}");
}

// Case 10
#[tokio::test]
async fn a_level_that_there_is_not_is_the_usual_one() {
    let gateway = fast_plan().start().await;
    let mut library = Library::start(&gateway);
    library.service("Lobby").await;
    library.device("phone", PHONE).await;
    library
        .call("phone", "subscribe", json!([{"the": "Lobby"}]))
        .await;
    let levels = [
        json!(1),
        json!(2),
        json!(3),
        json!(4),
        json!(5),
        json!(0),
        json!(9),
        json!("2"),
        json!("x"),
        json!("-1"),
        json!("12"),
    ];
    for level in &levels {
        library
            .call_with(
                "Lobby",
                "send",
                json!({"message": "m", "importance": level}),
            )
            .await;
    }
    let got = messages(&gateway, PHONE).await;
    let got: Vec<i64> = got
        .iter()
        .map(|message| message["level"].as_i64().unwrap())
        .collect();
    assert_eq!(got, [1, 2, 3, 4, 5, 3, 3, 2, 3, 3, 3]);
}

// Case 16
#[tokio::test]
async fn what_is_too_large_is_refused_and_a_title_is_cut() {
    let gateway = open_gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let send = |fields: &[(&str, &str)]| {
        ask(
            &gateway,
            "POST",
            &format!("/message?secret={}", made.secret),
        )
        .form(fields)
    };
    let long = |bytes: usize| "ä".repeat(bytes / 2);
    assert_eq!(
        send(&[("message", &long(16_384)), ("title", &"t".repeat(300))])
            .ok()
            .await,
        json!({"status": "ok"})
    );
    for too_long in [
        &[("message", &*long(16_386))][..],
        &[("message", &*long(17 * 1024))],
        &[("message", "m"), ("link", &*long(2_050))],
    ] {
        let (status, id, _) = refused(send(too_long)).await;
        assert_eq!((status, id), (413, 12));
    }
    for nothing in [&[][..], &[("message", "")], &[("title", "t")]] {
        assert_eq!(
            refused(send(nothing)).await,
            (400, 7, "Missing argument message".to_owned())
        );
    }
    // Of blanks alone is a message too.
    assert_eq!(
        send(&[("message", "  ")]).ok().await,
        json!({"status": "ok"})
    );
    let got = messages(&gateway, PHONE).await;
    assert_eq!(got.len(), 2, "{got:?}");
    assert_eq!(got[0]["title"].as_str().map(str::len), Some(255));
    assert_eq!(got[0]["message"], long(16_384));

    let icon = [("name", "Roof"), ("icon", &*long(2_050))];
    let (status, id, _) = refused(ask(&gateway, "POST", "/service").form(&icon)).await;
    assert_eq!((status, id), (413, 12));
}

// Case 24
#[tokio::test]
async fn fields_may_stand_in_the_form_the_query_or_parts() {
    let gateway = fast_plan().start().await;
    let made = Made::new(&gateway, "Lobby").await;
    let subscribe = format!("/subscription?uuid={PHONE}&service={}", made.public);
    ask(&gateway, "POST", &subscribe).ok().await;
    let secret = &*made.secret;
    let in_query = format!("/message?secret={secret}");
    ask(&gateway, "POST", &in_query)
        .form(&[("message", "query")])
        .ok()
        .await;
    let fields = [("secret", secret), ("message", "form")];
    ask(&gateway, "POST", "/message").form(&fields).ok().await;
    // The form wins, unless it is empty.
    let other = Made::new(&gateway, "Roof").await;
    let path = format!("/message?secret={}", other.secret);
    ask(&gateway, "POST", &path)
        .form(&[("secret", secret), ("message", "wins")])
        .ok()
        .await;
    ask(&gateway, "POST", &in_query)
        .form(&[("secret", ""), ("message", "empty")])
        .ok()
        .await;
    let parts = "--x\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\nSECRET\r\n--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nparts\r\n--x--\r\n";
    ask(&gateway, "POST", "/message")
        .header("Content-Type", "multipart/form-data; boundary=x")
        .body(&parts.replace("SECRET", secret))
        .ok()
        .await;
    // What a message says stands in the body alone.
    let (_, id, _) = refused(ask(&gateway, "POST", &format!("{in_query}&message=query"))).await;
    assert_eq!(id, 7);
    let expected = ["query", "form", "wins", "empty", "parts"];
    assert_eq!(read(&gateway, PHONE).await, expected);
}

// Case 30
#[tokio::test]
async fn a_service_that_sends_too_fast_is_told_so_and_counted() {
    let gateway = open_gateway().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let (mut sent, mut refused) = (0, 0);
    // More at a time than a slow machine lets through in its seconds.
    while refused == 0 && sent < 2_000 {
        let requests = (0..20).map(|_| made.try_send(&gateway, "again"));
        for response in futures_util::future::join_all(requests).await {
            match response.status {
                200 => sent += 1,
                429 => {
                    refused += 1;
                    assert_eq!(
                        response.json()["error"],
                        json!({"id": 5, "message": "Whoaw there cowboy, slow down!"})
                    );
                }
                other => panic!("{other}: {}", response.body),
            }
        }
    }
    assert!(refused > 0, "of {sent} messages none was too fast");
    let got = read(&gateway, PHONE).await;
    assert_eq!(got.len(), sent.min(1_000));
    let metrics = gateway.request("GET", "/metrics").send().await.body;
    let counted = metrics
        .lines()
        .any(|line| line.starts_with("riser_pushjet_") && line.ends_with(&format!(" {refused}")));
    assert!(counted, "{refused} refusals are counted nowhere");
    // Another service is not slowed by it.
    let other = Made::new(&gateway, "Roof").await;
    other.send(&gateway, "calm").await;
}

#[tokio::test]
async fn the_oldest_of_too_many_unread_messages_is_dropped_and_counted() {
    let gateway = fast_plan().start().await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    for block in 0..41 {
        let requests = (0..25).map(|at| {
            let (made, gateway) = (&made, &gateway);
            async move { made.send(gateway, &format!("{}", block * 25 + at)).await }
        });
        futures_util::future::join_all(requests).await;
    }
    let mut got = Vec::new();
    loop {
        let more = read(&gateway, PHONE).await;
        if more.is_empty() {
            break;
        }
        got.extend(more);
    }
    assert_eq!(got.len(), 1_000);
    gateway
        .wait_metric("riser_pushjet_messages_dropped_total", 25.0)
        .await;
}
