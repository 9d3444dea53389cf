//! Who makes, edits and deletes services.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::core::{Apply, Rehearsal};
use crate::model::{
    ApiKey, Building, Clearance, Edit, Entry, KeyId, KeySecret, Password, Scope, Secret, Service,
    ServiceSecret, Source, System, SystemId, User, UserId,
};

const SERVICE: &str = "/pushjet/service";

/// A server as it is without settings: who makes a service has credentials.
fn closed() -> ServerSettings {
    ServerSettings {
        pushjet: PushjetSettings::DEFAULT,
        ..settings()
    }
}

async fn make_as(at: &Places, name: &str, password: &str) -> Answer {
    let shown = BASE64_STANDARD.encode(format!("{name}:{password}"));
    let head = format!("Authorization: Basic {shown}\r\n");
    ask_with(at.main, "POST", SERVICE, &head, "name=Boiler").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_shown_changed_and_ended_by_who_made_it() {
    serve(settings(), async |_, at| {
        let made = ask(
            at.main,
            "POST",
            SERVICE,
            "name=++Boiler++&icon=http%3A%2F%2Fi",
        )
        .await;
        assert_eq!(made.at("/service/name"), "Boiler");
        let public = made.at("/service/public").as_str().unwrap().to_owned();
        let secret = made.at("/service/secret").as_str().unwrap().to_owned();
        let (by_key, by_secret) = (
            format!("{SERVICE}?service={public}"),
            format!("{SERVICE}?secret={secret}"),
        );
        for path in [&by_key, &by_secret] {
            let shown = ask(at.main, "GET", path, "").await;
            assert_eq!(shown.at("/service/icon"), "http://i");
            assert_eq!(shown.json().pointer("/service/secret"), None);
        }
        ask(at.main, "PATCH", &by_secret, "name=Gate")
            .await
            .is(200, ok());
        ask(at.main, "PATCH", &by_secret, "icon=")
            .await
            .is(200, ok());
        ask(at.main, "PATCH", &by_secret, "name=")
            .await
            .is_error(400, 10);
        let shown = ask(at.main, "GET", &by_key, "").await;
        assert_eq!(
            (shown.at("/service/name"), shown.at("/service/icon")),
            (json!("Gate"), json!(""))
        );

        let subscription = format!("/pushjet/subscription?uuid={UUID}");
        ask(at.main, "POST", &subscription, &format!("service={public}")).await;
        let form = format!("secret={secret}&message=x");
        ask(at.main, "POST", "/pushjet/message", &form)
            .await
            .is(200, ok());
        ask(at.main, "DELETE", SERVICE, &format!("secret={secret}"))
            .await
            .is(200, ok());
        ask(at.main, "GET", &by_key, "").await.is_error(404, 6);
        ask(at.main, "DELETE", &by_secret, "")
            .await
            .is_error(404, 6);
        let listed = ask(at.main, "GET", &subscription, "").await;
        listed.is(200, json!({"subscriptions": []}));
        assert_eq!(take(at.main, UUID).await, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_made_with_credentials_of_support_staff_and_up() {
    serve(closed(), async |core, at| {
        let key = |id: &str, level, scopes: &str, systems| {
            let id = KeyId::new(id).unwrap();
            let secret = KeySecret::Plain(Secret::new("secret"));
            Entry::ApiKey(ApiKey {
                level,
                scopes: Scope::parse(scopes).into_iter().collect(),
                systems,
                ..ApiKey::new(&id, secret, &UserId::new("user-test").unwrap())
            })
        };
        let room = SystemId::new("sys-1").unwrap();
        let user = |id: &str, level| {
            Entry::User(User {
                email: format!("{id}@example.test"),
                name: id.to_owned(),
                level,
                password: Some(Password::Plain(Secret::new("correct horse"))),
                ..User::new(&UserId::new(id).unwrap())
            })
        };
        let entries = [
            Entry::System(System {
                name: "Board room".to_owned(),
                ..System::new(&room)
            }),
            key("support", Clearance::Support, "public", Vec::new()),
            key("user", Clearance::User, "public", Vec::new()),
            key("narrow", Clearance::Admin, "public", vec![room.clone()]),
            key("reader", Clearance::Admin, "public.read", Vec::new()),
            user("user-ann", Clearance::Support),
            user("user-bob", Clearance::User),
        ];
        let edits = entries.map(Edit::put).into();
        core.core.editor.edit_at_rest(edits).await.unwrap();

        let nobody = ask(at.main, "POST", SERVICE, "name=Boiler").await;
        nobody.is_error(401, 13);
        let asks = nobody.header("www-authenticate").unwrap();
        assert!(asks.starts_with("Basic "), "{asks}");
        for (name, password) in [("support", "wrong"), ("user-ann", "wrong"), ("nobody", "x")] {
            make_as(at, name, password).await.is_error(401, 13);
        }
        for name in ["user", "narrow", "reader"] {
            make_as(at, name, "secret").await.is_error(403, 13);
        }
        make_as(at, "user-bob", "correct horse")
            .await
            .is_error(403, 13);
        for (name, password) in [
            ("support", "secret"),
            ("user-ann", "correct horse"),
            ("user-ann@example.test", "correct horse"),
        ] {
            let made = make_as(at, name, password).await;
            assert_eq!(made.at("/service/name"), "Boiler", "{name}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_of_the_file_stays_as_the_file_has_it() {
    serve(settings(), async |core, at| {
        let secret = "0123456789abcdefABCDEF0123456789";
        let key = ServiceSecret::parse(secret).unwrap().public_key();
        let service = Service {
            key,
            name: "Boiler".to_owned(),
            icon: String::new(),
            systems: Vec::new(),
        };
        let building = Building {
            services: vec![service],
            ..Building::default()
        };
        let apply = Apply {
            building,
            source: Source::File,
            rehearsal: Rehearsal::Real,
        };
        core.core.editor.apply(apply).await.unwrap();
        let path = format!("{SERVICE}?secret={secret}");
        ask(at.main, "PATCH", &path, "name=Gate")
            .await
            .is_error(403, 3);
        ask(at.main, "DELETE", &path, "").await.is_error(403, 3);
        let shown = ask(at.main, "GET", &path, "").await;
        assert_eq!(shown.at("/service/name"), "Boiler");
        let form = format!("secret={secret}&message=x");
        ask(at.main, "POST", "/pushjet/message", &form)
            .await
            .is(200, ok());
    })
    .await;
}
