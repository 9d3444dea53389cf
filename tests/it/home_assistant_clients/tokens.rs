//! Tokens that a person makes for programs, and what becomes of who uses them.

use serde_json::{Value, json};

use crate::harness::{Gateway, Key, LABORATORY, Library, PASSWORD};

/// A person who has signed in.
async fn person(gateway: &Gateway) -> Library {
    let mut library = Library::new(&gateway.url());
    let sign_in = json!({"cmd": "sign_in", "username": "ann@example.test", "password": PASSWORD});
    library.ask(sign_in).await;
    library
}

fn promise(message: Value) -> Value {
    json!({"cmd": "promise", "message": message})
}

fn make() -> Value {
    let kind = "auth/long_lived_access_token";
    promise(json!({"type": kind, "lifespan": 365, "client_name": "Node-RED"}))
}

fn delete(token: &Value) -> Value {
    promise(json!({"type": "auth/delete_refresh_token", "refresh_token_id": token["id"]}))
}

/// The one token of this kind that the person has.
async fn kept(person: &mut Library, kind: &str) -> Value {
    let kept = person
        .ask(promise(json!({"type": "auth/refresh_tokens"})))
        .await;
    let kept = kept.as_array().expect("a list").iter();
    let mut of_kind = kept.filter(|token| token["type"] == kind);
    let one = of_kind.next().expect("there is one").clone();
    assert_eq!(of_kind.next(), None);
    one
}

async fn status(gateway: &Gateway, path: &str) -> u16 {
    gateway.request("GET", path).send().await.status
}

#[tokio::test]
async fn a_token_for_a_program_is_good_until_it_is_deleted() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut person = person(&gateway).await;
    let token = person.ask(make()).await;
    let token = token.as_str().expect("a token").to_owned();
    let taken = person.rejected(make()).await;
    assert_eq!(taken["code"], "unknown_error", "{taken}");
    let lasting = kept(&mut person, "long_lived_access_token").await;
    assert_eq!(lasting["client_name"], "Node-RED");

    let mut program = Library::new(&gateway.url());
    let connect = json!({"cmd": "connect", "token": token});
    program.ask(connect.clone()).await;
    let running = gateway.request("GET", "/api/").bearer(&token).send().await;
    assert_eq!(running.status, 200);
    let makes = program.rejected(make()).await;
    assert_eq!(makes["code"], "unauthorized", "it was made itself");

    assert_eq!(person.ask(delete(&lasting)).await, json!({}));
    program.wait_for("disconnected").await;
    assert_eq!(program.wait_for("reconnect-error").await["error"], 2);
    let over = gateway.request("GET", "/api/").bearer(&token).send().await;
    assert_eq!(over.status, 401);
    let again = person.rejected(delete(&lasting)).await;
    assert_eq!(again["code"], "invalid_token_id");
}

#[tokio::test]
async fn a_person_who_deletes_the_own_sign_in_is_sent_away() {
    let gateway = Gateway::start(LABORATORY).await;
    let mut person = person(&gateway).await;
    let own = kept(&mut person, "normal").await;
    assert_eq!(own["is_current"], true);
    person.tell(delete(&own)).await;
    person.wait_for("disconnected").await;
    assert_eq!(person.wait_for("reconnect-error").await["error"], 2);
}

#[tokio::test]
async fn a_signed_path_opens_by_itself_and_opens_nothing_else() {
    let gateway = Gateway::start(LABORATORY).await;
    let person = person(&gateway).await;
    let key = Library::connect(&gateway, Key::USER).await;
    for mut library in [person, key] {
        let sign = json!({"type": "auth/sign_path", "path": "/api/config?a=1"});
        let signed = library.ask(promise(sign)).await;
        let signed = signed["path"].as_str().expect("a path");
        assert_eq!(status(&gateway, signed).await, 200);
        for other in [
            signed.replace("config", "states"),
            signed.replace("a=1", "a=2"),
            signed.replace("a=1&", ""),
        ] {
            assert_eq!(status(&gateway, &other).await, 401, "{other}");
        }
    }
}

#[tokio::test]
async fn a_key_for_some_systems_makes_no_tokens() {
    let restricted = "{id: user, secret: secret-u, systems: [sys-lab],";
    let building = LABORATORY.replace("{id: user, secret: secret-u,", restricted);
    let gateway = Gateway::start(&building).await;
    let mut library = Library::connect(&gateway, Key::USER).await;
    for command in [
        make(),
        promise(json!({"type": "auth/sign_path", "path": "/api/config"})),
        promise(json!({"type": "auth/refresh_tokens"})),
    ] {
        let refused = library.rejected(command).await;
        assert_eq!(refused["code"], "unauthorized");
    }
}
