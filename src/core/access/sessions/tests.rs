//! Signing in over a store in memory, with a clock that a test sets.

mod clients;
mod two_nodes;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::core::access::SignInSettings;
use crate::core::access::principal::{Caller, Principal};
use crate::core::access::sessions::change::Change;
use crate::core::access::sessions::codes::code_hold;
use crate::core::access::sessions::session_table::SignInSession;
use crate::core::access::sessions::steady_clock::SteadyClock;
use crate::core::access::sessions::{App, CodeRequest, CodeShown, Issued, Sessions, SignInError};
use crate::core::access::tokens::SigningKey;
use crate::core::access::{KeyIntrospection, KeyRing, passwords, still_admits};
use crate::core::directory::{Directory, Touched};
use crate::core::ledger_replica::{Materialized, OpenError};
use crate::core::limits::{
    CLOCK_JUMP_LOOKS, CODE_LIFE, CODES_MAX, FAILURES_PER_NAME, REFRESH_GRACE, SESSION_IDLE,
    SESSION_SWEEP, SIGNING_KEY_LIFE, SIGNING_KEY_REST,
};
use crate::core::outlet::{Delivery, Outlet};
use crate::core::subscriptions::Subscriptions;
use crate::core::tests::doubles::{
    EchoStore, FORMS, Inbox, MemoryDocuments, NOW, app as channel_app, clock, directory, user,
};
use crate::model::{
    AppId, Audience, Building, ChannelApp, Clearance, CloseReason, ConnectionId, CredentialId,
    DeviceKind, Failure, Password, Scope, Secret, SessionId, Timestamp, User, UserId, lock,
};
use crate::stores::{Document, DocumentStore, Ledger, LedgerVersion, Write};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DOMAIN: &str = "rooms.test";
const PASSWORD: &str = "open sesame";

#[tokio::test]
async fn a_document_of_another_ledger_is_neither_a_session_nor_a_key() {
    let fixture = Fixture::new().await;
    fixture.sign_in(PASSWORD).await.unwrap();
    for mut stray in fixture.sessions.documents() {
        stray.collection = "zones".to_owned();
        let refused = fixture.sessions.take(&[Write::Put(stray)]);
        assert!(
            matches!(refused, Err(OpenError::Document(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_password_opens_and_everything_else_is_refused_alike() {
    let fixture = Fixture::new().await;
    fixture.sign_in(PASSWORD).await.unwrap();
    for (name, password) in [
        ("a@example.test", "wrong"),
        ("a@example.test", ""),
        ("unknown@example.test", PASSWORD),
        ("service@example.test", ""),
    ] {
        let refused = fixture
            .sessions
            .sign_in(name, Secret::new(password), DeviceKind::Personal, HERE)
            .await;
        let failure = refused.unwrap_err();
        assert!(matches!(failure, SignInError::WrongPassword), "{failure:?}");
    }
}

#[tokio::test]
async fn who_fails_too_often_waits_even_with_the_right_password() {
    let fixture = Fixture::new().await;
    for _ in 0..FAILURES_PER_NAME {
        fixture.sign_in("wrong").await.unwrap_err();
    }
    let failure = fixture.sign_in(PASSWORD).await.unwrap_err();
    assert!(
        matches!(failure, SignInError::TooMany { .. }),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_token_says_what_placeos_says() {
    let fixture = Fixture::new().await;
    let issued = fixture.app().await;
    let claims = payload(&issued.access);
    assert_eq!(claims["iss"], "POS");
    assert_eq!(claims["sub"], "user-1");
    assert_eq!(claims["aud"], DOMAIN);
    assert_eq!(claims["scope"], json!(["public"]));
    assert_eq!(claims["iat"], NOW);
    assert_eq!(claims["exp"], NOW + 7200);
    assert_eq!(
        claims["u"],
        json!({"n": "A", "e": "a@example.test", "p": 1, "r": []})
    );
    assert_eq!(issued.expires_in, 7200);
    let who = fixture.by_token(&issued.access).unwrap();
    assert_eq!(who.user().unwrap().id.as_str(), "user-1");
    assert_eq!(who.clearance(), Clearance::Support);
}

#[tokio::test]
async fn a_token_that_is_not_as_it_was_made_is_refused() {
    let fixture = Fixture::new().await;
    let token = fixture.app().await.access;
    let parts: Vec<&str> = token.expose().split('.').collect();
    let header = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let mut raised = payload(&token);
    raised["u"]["p"] = json!(3);
    let kid = json!(fixture.sessions.public_keys()[0].id);
    for (what, forged) in [
        (
            "raised",
            format!("{}.{}.{}", parts[0], header(raised), parts[2]),
        ),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        (
            "alg none",
            format!(
                "{}.{}.",
                header(json!({"alg": "none", "kid": kid})),
                parts[1]
            ),
        ),
        (
            "another algorithm",
            format!(
                "{}.{}.{}",
                header(json!({"alg": "HS256", "kid": kid})),
                parts[1],
                parts[2]
            ),
        ),
        (
            "another key",
            format!(
                "{}.{}.{}",
                header(json!({"alg": "RS256", "kid": "x"})),
                parts[1],
                parts[2]
            ),
        ),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("nothing", String::new()),
        ("long", "x".repeat(100_000)),
    ] {
        let failure = fixture.by_token(&Secret::new(forged)).unwrap_err();
        assert_eq!(failure.response_code(), 401, "{what}");
    }
    assert!(fixture.by_token(&token).is_ok());
}

#[tokio::test]
async fn a_token_is_for_one_host() {
    let fixture = Fixture::new().await;
    let token = fixture.app().await.access;
    assert!(fixture.sessions.by_token(&token, "ROOMS.test").is_ok());
    for domain in ["evil.test", "rooms.test.evil.test", ""] {
        fixture.sessions.by_token(&token, domain).unwrap_err();
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_what_it_opened_with_its_sign_in() {
    let fixture = Fixture::new().await;
    let token = fixture.app().await.access;
    let who = fixture.by_token(&token).unwrap();
    assert!(fixture.sessions.still_admits(&who));
    fixture.set_clock(NOW + 7200);
    fixture.by_token(&token).unwrap_err();
    assert_eq!(who.expires(), None);
    assert!(fixture.sessions.still_admits(&who));
    // The clock was wrong, and is set back behind the moment at which the token was made.
    fixture.set_clock(NOW - 3600);
    assert!(fixture.by_token(&token).is_ok());
    assert!(fixture.sessions.still_admits(&who));
    fixture.set_clock(NOW + SESSION_IDLE.as_secs());
    assert!(!fixture.sessions.still_admits(&who));
}

#[tokio::test]
async fn what_a_token_without_a_refresh_token_opened_lives_as_long_as_its_browsers_session() {
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let CredentialId::Session(root) = *fixture.sessions.by_cookie(&cookie).unwrap().credential()
    else {
        panic!("no session");
    };
    let issued = fixture.sessions.grant_token(root, app()).await.unwrap();
    let who = fixture.by_token(&issued.access).unwrap();
    fixture.set_clock(NOW + 7200);
    fixture.rounds(CLOCK_JUMP_LOOKS + 1).await;
    assert_eq!(
        fixture.sessions.count(),
        1,
        "the token's own session is over"
    );
    fixture.by_token(&issued.access).unwrap_err();
    assert!(fixture.sessions.still_admits(&who));
    fixture.closed();
    fixture.sessions.sign_out(root).await.unwrap();
    assert!(!fixture.sessions.still_admits(&who));
    let closed = fixture.inbox.take();
    let is_meant = |delivery: &Delivery| matches!(delivery, Delivery::Close { audience, .. } if who.is_in(audience));
    assert!(closed.iter().any(is_meant), "{closed:?}");
}

#[tokio::test]
async fn the_level_of_a_token_is_that_of_its_user_today() {
    let fixture = Fixture::new().await;
    let token = fixture.app().await.access;
    let before = fixture.by_token(&token).unwrap();
    fixture.change(|user| user.level = Clearance::Admin);
    assert_eq!(
        fixture.by_token(&token).unwrap().clearance(),
        Clearance::Admin
    );
    let renewed = fixture.sessions.renewed(&before).unwrap();
    assert_eq!(renewed.clearance(), Clearance::Admin);
    assert!(
        fixture.sessions.renewed(&renewed).is_none(),
        "it is so already"
    );
    assert!(fixture.sessions.still_admits(&before));
    assert_eq!(fixture.closed(), 0);
    fixture.change(|user| user.level = Clearance::User);
    assert_eq!(
        fixture.by_token(&token).unwrap().clearance(),
        Clearance::User
    );
    assert!(!fixture.sessions.still_admits(&before));
    assert_eq!(fixture.closed(), 1);
}

#[tokio::test]
async fn a_user_who_is_gone_or_has_another_password_is_signed_out() {
    type Change = fn(&mut User);
    let gone: Change = |user| user.id = UserId::new("user-2").unwrap();
    let other: Change = |user| user.password = Some(hashed("another"));
    let none: Change = |user| user.password = None;
    for (what, change) in [("gone", gone), ("other", other), ("none", none)] {
        let fixture = Fixture::new().await;
        let token = fixture.app().await.access;
        let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
        fixture.change(change);
        assert!(fixture.by_token(&token).is_err(), "{what}");
        assert!(fixture.sessions.by_cookie(&cookie).is_err(), "{what}");
        assert_eq!(fixture.closed(), 2, "{what}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_browser_and_its_apps() {
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let other = fixture.app().await;
    let issued = fixture.through_code(&cookie).await.unwrap();
    let app = fixture.by_token(&issued.access).unwrap();
    let CredentialId::Session(session) = *app.credential() else {
        panic!("no session");
    };
    fixture.sessions.sign_out(session).await.unwrap();
    assert!(!fixture.sessions.still_admits(&app));
    fixture.by_token(&issued.access).unwrap_err();
    fixture.sessions.by_cookie(&cookie).unwrap_err();
    fixture.refresh(&issued).await.unwrap_err();
    assert_eq!(fixture.closed(), 2);
    assert!(
        fixture.by_token(&other.access).is_ok(),
        "another sign-in stays"
    );
}

#[tokio::test]
async fn an_app_that_lost_the_answer_to_its_refresh_gets_the_same_token_again_for_a_minute() {
    let fixture = Fixture::new().await;
    let first = fixture.app().await;
    let lost = fixture.refresh(&first).await.unwrap();
    fixture.set_clock(NOW + REFRESH_GRACE.as_secs() - 1);
    let again = fixture.refresh(&first).await.unwrap();
    assert_eq!(again.refresh, lost.refresh, "no further branch");
    assert!(fixture.by_token(&again.access).is_ok());
    let after_restart = fixture.again().await;
    after_restart.set_clock(NOW + REFRESH_GRACE.as_secs() - 1);
    let again = after_restart.refresh(&first).await.unwrap();
    assert_eq!(again.refresh, lost.refresh);
    let next = after_restart.refresh(&again).await.unwrap();
    assert!(after_restart.by_token(&next.access).is_ok());
    assert_eq!(fixture.closed() + after_restart.closed(), 0);
}

#[tokio::test]
async fn a_refresh_token_that_another_app_shows_gives_nothing_and_ends_nothing() {
    let fixture = Fixture::new().await;
    let first = fixture.app().await;
    let second = fixture.refresh(&first).await.unwrap();
    let token = first.refresh.as_ref().unwrap();
    let other = fixture.sessions.refresh(token, Some("other"), DOMAIN).await;
    other.unwrap_err();
    assert!(fixture.refresh(&second).await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_that_is_used_again_after_a_minute_ends_all_of_it() {
    let fixture = Fixture::new().await;
    let first = fixture.app().await;
    let second = fixture.refresh(&first).await.unwrap();
    assert!(fixture.by_token(&first.access).is_ok());
    assert!(fixture.by_token(&second.access).is_ok());
    fixture.set_clock(NOW + REFRESH_GRACE.as_secs());
    fixture.refresh(&first).await.unwrap_err();
    fixture.by_token(&second.access).unwrap_err();
    fixture.refresh(&second).await.unwrap_err();
    assert_eq!(fixture.closed(), 1);
}

#[tokio::test]
async fn two_refreshes_at_one_time_come_to_the_same_token() {
    let fixture = Fixture::new().await;
    let issued = fixture.app().await;
    let (one, other) = futures_util::join!(fixture.refresh(&issued), fixture.refresh(&issued));
    assert_eq!(one.unwrap().refresh, other.unwrap().refresh);
    assert_eq!(fixture.closed(), 0);
}

#[tokio::test]
async fn a_code_that_is_shown_twice_ends_what_it_gave() {
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let code = fixture.code(&cookie).await.unwrap();
    let issued = fixture.redeem(&code).await.unwrap();
    assert!(fixture.by_token(&issued.access).is_ok());
    fixture.redeem(&code).await.unwrap_err();
    fixture.by_token(&issued.access).unwrap_err();
    assert!(fixture.sessions.by_cookie(&cookie).is_ok());
}

#[tokio::test]
async fn a_code_of_a_browser_that_has_signed_out_gives_nothing() {
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let code = fixture.code(&cookie).await.unwrap();
    let CredentialId::Session(session) = *fixture.sessions.by_cookie(&cookie).unwrap().credential()
    else {
        panic!("no session");
    };
    fixture.sessions.sign_out(session).await.unwrap();
    fixture.redeem(&code).await.unwrap_err();
}

#[tokio::test]
async fn a_code_ends_in_time_and_with_a_wrong_showing() {
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let late = fixture.code(&cookie).await.unwrap();
    fixture.set_clock(NOW + CODE_LIFE.as_secs());
    fixture.redeem(&late).await.unwrap_err();
    let code = fixture.code(&cookie).await.unwrap();
    let wrong = CodeShown {
        code: code.clone(),
        client: "another".to_owned(),
        redirect: "http://rooms.test/resp".to_owned(),
        verifier: None,
    };
    let refused = fixture.sessions.redeem(wrong, DOMAIN.to_owned()).await;
    refused.unwrap_err();
    fixture.redeem(&code).await.unwrap_err();
    assert!(fixture.sessions.by_cookie(&cookie).is_ok());
}

#[tokio::test]
async fn a_code_that_waits_is_no_sign_in_and_their_number_is_bounded() {
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    for number in 0..CODES_MAX {
        let waiting = SignInSession {
            id: SessionId(number as u128),
            user: UserId::new("user-1").unwrap(),
            parent: None,
            scopes: vec![],
            hold: code_hold(SessionId(number as u128), code_request()).0,
            device: DeviceKind::Personal,
            expires: NOW + 1,
        };
        fixture.sessions.table_mut().put(waiting);
    }
    assert_eq!(fixture.sessions.count(), 1);
    let failure = fixture.code(&cookie).await.unwrap_err();
    assert!(matches!(failure, SignInError::Busy), "{failure:?}");
}

#[tokio::test]
async fn a_sign_in_that_nobody_uses_ends_and_a_used_one_does_not() {
    let fixture = Fixture::new().await;
    let issued = fixture.app().await;
    fixture.set_clock(NOW + SESSION_IDLE.as_secs() - 1);
    let next = fixture.refresh(&issued).await.unwrap();
    fixture.set_clock(NOW + 2 * SESSION_IDLE.as_secs() - 2);
    let next = fixture.refresh(&next).await.unwrap();
    fixture.set_clock(NOW + 4 * SESSION_IDLE.as_secs());
    fixture.refresh(&next).await.unwrap_err();
}

#[tokio::test]
async fn a_token_never_outlives_the_sign_in_that_it_was_made_of() {
    let long = SignInSettings {
        token_life: 10 * SESSION_IDLE,
        ..SignInSettings::default()
    };
    let fixture = Fixture::over(long, documents().await).await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let who = fixture.sessions.by_cookie(&cookie).unwrap();
    let CredentialId::Session(session) = *who.credential() else {
        panic!("no session");
    };
    fixture.set_clock(NOW + 60);
    let of_browser = fixture.sessions.grant_token(session, app()).await.unwrap();
    assert_eq!(of_browser.expires_in, SESSION_IDLE.as_secs() - 60);
    assert!(fixture.by_token(&of_browser.access).is_ok());
    let claims = payload(&of_browser.access);
    assert_eq!(claims["exp"], NOW + SESSION_IDLE.as_secs());
    let of_app = fixture.app().await;
    assert_eq!(of_app.expires_in, SESSION_IDLE.as_secs());
}

#[tokio::test]
async fn an_app_keeps_its_sign_in_alive_and_does_not_outlive_it() {
    let day = 24 * 60 * 60;
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let mut app = fixture.through_code(&cookie).await.unwrap();
    for days in [5, 10, 15, 20] {
        fixture.set_clock(NOW + days * day);
        app = fixture.refresh(&app).await.unwrap();
    }
    assert!(fixture.sessions.by_cookie(&cookie).is_ok());
    let who = fixture.by_token(&app.access).unwrap();
    let CredentialId::Session(session) = *who.credential() else {
        panic!("no session");
    };
    let (own, root) = {
        let table = fixture.sessions.table();
        let own = table.get(session).unwrap();
        (own.expires, table.get(own.root()).unwrap().expires)
    };
    assert!(own <= root, "{own} {root}");
    let again = fixture.again().await;
    again.set_clock(root);
    again.refresh(&app).await.unwrap_err();
    // A node leaves what was over at its start for a while.
    again.set_clock(root + 1);
    again
        .sessions
        .change(Change::Use(session))
        .await
        .unwrap_err();
    again.rounds(2 * CLOCK_JUMP_LOOKS).await;
    assert_eq!(again.sessions.count(), 0);
}

#[tokio::test]
async fn a_clock_that_is_elsewhere_for_a_moment_signs_nobody_out() {
    for there in [
        NOW + 15 * 86_400,
        NOW + 3_653 * 86_400,
        NOW - 3_653 * 86_400,
    ] {
        let fixture = Fixture::new().await;
        let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
        let issued = fixture.app().await;
        fixture.rounds(CLOCK_JUMP_LOOKS).await;
        fixture.jump(there);
        fixture.rounds(3).await;
        assert!(fixture.sessions.by_cookie(&cookie).is_ok(), "{there}");
        let meanwhile = fixture.refresh(&issued).await.unwrap();
        fixture.jump(NOW + 310);
        fixture.rounds(2).await;
        assert_eq!(fixture.sessions.count(), 2, "{there}");
        let next = fixture.refresh(&meanwhile).await.unwrap();
        assert!(fixture.by_token(&next.access).is_ok(), "{there}");
        assert_eq!(fixture.closed(), 0, "{there}");
        fixture.set_clock(NOW + 400 + SESSION_IDLE.as_secs());
        fixture
            .refresh(&next)
            .await
            .expect_err("it idles as it would have");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_for_good_leaves_sign_ins_the_life_that_they_had() {
    let fixture = Fixture::new().await;
    let issued = fixture.app().await;
    let there = NOW + 3_653 * 86_400;
    fixture.jump(there);
    fixture.rounds(CLOCK_JUMP_LOOKS - 1).await;
    assert!(fixture.sessions.steady_now() < NOW + 86_400);
    fixture.rounds(2).await;
    assert!(fixture.sessions.steady_now() >= there);
    let again = fixture.again().await;
    again.set_clock(there + SESSION_IDLE.as_secs() - 600);
    let next = again.refresh(&issued).await.unwrap();
    assert!(again.by_token(&next.access).is_ok());
    again.set_clock(there + 2 * SESSION_IDLE.as_secs());
    again.refresh(&next).await.unwrap_err();
}

#[tokio::test]
async fn a_node_that_starts_with_a_clock_that_is_ahead_ends_nothing_before_it_is_set() {
    let fixture = Fixture::new().await;
    let issued = fixture.app().await;
    let again = fixture.again().await;
    again.set_clock(NOW + 2 * SESSION_IDLE.as_secs());
    again.rounds(5).await;
    again.refresh(&issued).await.unwrap_err();
    again.set_clock(NOW + 60);
    again.refresh(&issued).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_on_a_fixed_device_opens_after_half_a_year_in_a_drawer() {
    let half_a_year = NOW + 183 * 86_400;
    let fixture = Fixture::new().await;
    let by_password = App {
        device: DeviceKind::Fixed,
        ..app()
    };
    let password = || Secret::new(PASSWORD);
    let sessions = &fixture.sessions;
    let name = "a@example.test";
    let (_, of_app) = sessions
        .sign_in_app(name, password(), by_password, HERE)
        .await
        .unwrap();
    let (_, panel) = sessions
        .sign_in(name, password(), DeviceKind::Fixed, HERE)
        .await
        .unwrap();
    let by_code = fixture.through_code(&panel).await.unwrap();
    // One that says so when it connects.
    let said_later = fixture.app().await;
    let who = fixture.by_token(&said_later.access).unwrap();
    let CredentialId::Session(session) = *who.credential() else {
        panic!("no session");
    };
    sessions.change(Change::Fix(session)).await.unwrap();
    let (_, laptop) = fixture.sign_in(PASSWORD).await.unwrap();
    let personal = fixture.app().await;

    let fixture = fixture.again().await;
    fixture.set_clock(half_a_year);
    fixture.rounds(CLOCK_JUMP_LOOKS + 1).await;

    for issued in [&of_app, &by_code, &said_later] {
        let next = fixture.refresh(issued).await.unwrap();
        assert_eq!(next.expires_in, 7200);
        assert!(fixture.by_token(&next.access).is_ok());
    }
    assert!(fixture.sessions.by_cookie(&panel).is_ok());
    assert!(fixture.through_code(&panel).await.is_ok());
    fixture.refresh(&personal).await.unwrap_err();
    fixture.sessions.by_cookie(&laptop).unwrap_err();
    // It still ends with its user's password.
    fixture.change(|user| user.password = Some(hashed("another")));
    fixture.sessions.by_cookie(&panel).unwrap_err();
}

#[tokio::test]
async fn who_signs_in_on_an_apps_connection_may_stay_as_long_as_both_may() {
    let fixture = Fixture::new().await;
    let token = fixture.app().await.access;
    let signed_in = Caller::new(fixture.by_token(&token).unwrap(), HERE);
    let user = signed_in.identity().user().cloned().unwrap();
    let screen = AppId::new("4201").unwrap();
    let mut keys = KeyRing::new();
    let building = directory(Building {
        apps: vec![ChannelApp {
            user: Some(user.id.clone()),
            ..channel_app("4201", &[("key", "secret")])
        }],
        users: vec![User {
            password: None,
            ..User::clone(&user)
        }],
        ..Building::default()
    });
    keys.align(&building, &Touched::all(&Directory::default(), &building));
    let app = Principal::app(screen.clone(), Some(user));
    let app = Caller::new(Arc::new(app), HERE);
    let both = app.narrowed_by(&signed_in);
    assert_eq!(both.identity().to_string(), "user-1");
    assert_eq!(both.expires(), signed_in.expires());
    let subscriptions = Subscriptions::new(clock(), |_| Arc::new(EchoStore::without_feed()));
    let introspection = KeyIntrospection::new(None, FORMS, subscriptions);
    let admits = || still_admits(&keys, &fixture.sessions, &introspection, &both);
    assert!(admits());
    let user = UserId::new("user-1").unwrap();
    for (audience, is_meant) in [
        (Audience::All, true),
        (Audience::Connection(ConnectionId(1)), false),
        (Audience::User(user.clone()), true),
        (Audience::User(UserId::new("user-2").unwrap()), false),
        (
            Audience::AppUser {
                app: screen.clone(),
                user: user.clone(),
            },
            true,
        ),
        (
            Audience::AppUser {
                app: AppId::new("other").unwrap(),
                user,
            },
            false,
        ),
        (Audience::Credential(CredentialId::App(screen)), true),
        (Audience::Credential(signed_in.credential().clone()), true),
        (
            Audience::Credential(CredentialId::Session(SessionId(1))),
            false,
        ),
    ] {
        assert_eq!(both.is_in(&audience), is_meant, "{audience:?}");
    }
    let CredentialId::Session(session) = *signed_in.credential() else {
        panic!("no session");
    };
    fixture.sessions.sign_out(session).await.unwrap();
    assert!(!admits());
}

#[tokio::test]
async fn what_was_given_is_good_after_a_restart_and_the_store_has_no_secret() {
    let fixture = Fixture::new().await;
    let (_, cookie) = fixture.sign_in(PASSWORD).await.unwrap();
    let issued = fixture.through_code(&cookie).await.unwrap();
    let text = fixture.documents.text();
    for secret in [&cookie, &issued.access, issued.refresh.as_ref().unwrap()] {
        let (_, secret) = secret.expose().split_once('.').unwrap();
        for part in secret.split('.') {
            assert!(!text.contains(part), "{text}");
        }
    }
    let again = fixture.again().await;
    assert!(again.by_token(&issued.access).is_ok());
    assert!(again.sessions.by_cookie(&cookie).is_ok());
    again.refresh(&issued).await.unwrap();
}

#[tokio::test]
async fn what_has_ended_stays_so_after_a_restart() {
    let fixture = Fixture::new().await;
    let issued = fixture.app().await;
    let CredentialId::Session(session) = *fixture.by_token(&issued.access).unwrap().credential()
    else {
        panic!("no session");
    };
    fixture.documents.set_failing(true);
    fixture.sessions.sign_out(session).await.unwrap_err();
    fixture
        .by_token(&issued.access)
        .expect_err("it has ended, whatever the store says");
    fixture.documents.set_failing(false);
    fixture.sessions.settle().await.unwrap();
    fixture.again().await.by_token(&issued.access).unwrap_err();
}

#[tokio::test]
async fn nobody_is_signed_in_whom_the_store_does_not_have() {
    let fixture = Fixture::new().await;
    let issued = fixture.app().await;
    fixture.documents.set_failing(true);
    let failure = fixture.sign_in(PASSWORD).await.unwrap_err();
    assert!(matches!(failure, SignInError::Store(_)), "{failure:?}");
    fixture.refresh(&issued).await.unwrap_err();
    fixture.documents.set_failing(false);
    fixture
        .refresh(&issued)
        .await
        .expect("the refresh that failed has not used the token up");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_old_gives_way_and_verifies_for_a_while() {
    let fixture = Fixture::new().await;
    let old = fixture.app().await;
    let aged = NOW + SIGNING_KEY_LIFE.as_secs() + 1;
    fixture.set_clock(aged);
    let sessions = Arc::clone(&fixture.sessions);
    let upkeep = Handle::current().spawn(async move { sessions.keep().await });
    fixture
        .wait("a second key", || fixture.sessions.public_keys().len() == 2)
        .await;
    let new = fixture.app().await;
    assert!(fixture.by_token(&new.access).is_ok());
    let failure = fixture.by_token(&old.access).unwrap_err();
    assert_eq!(failure.message(), "the bearer token has expired");
    fixture.set_clock(aged + SIGNING_KEY_REST.as_secs() + 60);
    fixture
        .wait("the first key's end", || {
            fixture.sessions.public_keys().len() == 1
        })
        .await;
    upkeep.abort();
}

#[tokio::test]
async fn a_foreign_token_is_who_it_says_by_the_key_in_the_settings() {
    let key = Foreign::known();
    let pem = key.public_pem();
    for text in [pem.clone(), BASE64_STANDARD.encode(&pem)] {
        let mut settings = SignInSettings::default();
        settings.believe(&text).unwrap();
        let fixture = Fixture::with(settings).await;
        let good = json!({
            "iss": "POS", "iat": NOW, "exp": NOW + 60, "aud": "https://rooms.test", "sub": "user-far",
            "scope": ["public.read"], "u": {"n": "Far", "e": "far@example.test", "p": 2, "r": ["g"]},
        });
        let who = fixture.by_token(&key.sign(&good)).unwrap();
        assert_eq!(who.user().unwrap().id.as_str(), "user-far");
        assert_eq!(who.user().unwrap().groups, ["g"]);
        assert_eq!(who.clearance(), Clearance::Admin);
        assert_eq!(who.scopes(), [Scope::parse("public.read").unwrap()]);
        assert!(fixture.sessions.still_admits(&who));
        fixture.set_clock(NOW + 60);
        assert!(!fixture.sessions.still_admits(&who));
        fixture.set_clock(NOW);
        for (field, value) in [
            ("exp", json!(NOW)),
            ("nbf", json!(NOW + 120)),
            ("aud", json!("evil.test")),
            ("sub", json!("")),
            ("u", json!(null)),
            ("exp", json!(null)),
        ] {
            let mut bad = good.clone();
            bad[field] = value.clone();
            let failure = fixture.by_token(&key.sign(&bad)).unwrap_err();
            assert_eq!(failure.response_code(), 401, "{field} {value}");
        }
        let stranger = Foreign::new();
        fixture.by_token(&stranger.sign(&good)).unwrap_err();
    }
    Fixture::new()
        .await
        .by_token(&key.sign(&json!({})))
        .unwrap_err();
}

#[tokio::test]
async fn a_token_whose_header_has_to_be_understood_is_refused() {
    let key = Foreign::known();
    let mut settings = SignInSettings::default();
    settings.believe(&key.public_pem()).unwrap();
    let fixture = Fixture::with(settings).await;
    let claims = json!({
        "iss": "POS", "iat": NOW, "exp": NOW + 60, "aud": "rooms.test", "sub": "user-far",
        "scope": ["public"], "u": {"n": "Far", "e": "far@example.test", "p": 0, "r": []},
    });
    assert!(fixture.by_token(&key.sign(&claims)).is_ok());
    for critical in [
        json!(["b64"]),
        json!(["exp"]),
        json!(["http://example.test/x"]),
        json!([]),
        json!("exp"),
    ] {
        let header = json!({"alg": "RS256", "crit": critical, "b64": true, "exp": 1});
        let token = key.sign_with(&header, &claims);
        let failure = fixture.by_token(&token).unwrap_err();
        assert_eq!(failure.response_code(), 401, "{critical}");
    }
    let unknown = json!({"alg": "RS256", "x-unknown": 1});
    let token = key.sign_with(&unknown, &claims);
    assert!(
        fixture.by_token(&token).is_ok(),
        "it need not be understood"
    );
}

#[tokio::test]
async fn a_private_key_is_no_public_one() {
    let mut settings = SignInSettings::default();
    let private = Foreign::known().private_pem();
    for bad in [private.as_str(), "", "x", "-----BEGIN PUBLIC KEY-----"] {
        settings.believe(bad).unwrap_err();
    }
}

/// Sign-ins of a building with one user who has a password, and one who has none.
struct Fixture {
    sessions: Arc<Sessions>,
    documents: Arc<MemoryDocuments>,
    clock: Arc<AtomicU64>,
    inbox: Arc<Inbox>,
    settings: SignInSettings,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(SignInSettings::default()).await
    }

    async fn with(settings: SignInSettings) -> Self {
        let documents = documents().await;
        Self::over(settings, documents).await
    }

    async fn over(settings: SignInSettings, documents: Arc<MemoryDocuments>) -> Self {
        let subscriptions = Subscriptions::new(clock(), |_| Arc::new(EchoStore::without_feed()));
        let inbox = Inbox::new();
        subscriptions.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        let clock = Arc::new(AtomicU64::new(NOW));
        let hand = Arc::clone(&clock);
        let sessions = Arc::new(Sessions::new(
            settings.clone(),
            FORMS,
            Arc::clone(&documents) as Arc<dyn DocumentStore>,
            subscriptions,
            Arc::new(move || Timestamp::from_secs(hand.load(Ordering::Relaxed))),
            Handle::current(),
        ));
        sessions.open().await.unwrap();
        let fixture = Self {
            sessions,
            documents,
            clock,
            inbox,
            settings,
        };
        fixture.change(|_| {});
        fixture
    }

    /// The same after a restart.
    async fn again(&self) -> Self {
        Self::over(self.settings.clone(), Arc::clone(&self.documents)).await
    }

    /// So much time has passed.
    fn set_clock(&self, time: u64) {
        self.jump(time);
        *lock(&self.sessions.steady) = SteadyClock::new(time);
    }

    /// The wall clock is set, and no time has passed.
    fn jump(&self, time: u64) {
        self.clock.store(time, Ordering::Relaxed);
    }

    /// The upkeep goes its round so often, and the clock goes on meanwhile.
    async fn rounds(&self, number: u32) {
        for _ in 0..number {
            let passed = SESSION_SWEEP.as_secs();
            self.clock.fetch_add(passed, Ordering::Relaxed);
            self.sessions.look_at_clock().await.unwrap();
            self.sessions.sweep();
            self.sessions.settle().await.unwrap();
        }
    }

    /// The building in which the user is so.
    fn change(&self, change: impl FnOnce(&mut User)) {
        let mut ann = user(Clearance::Support);
        ann.password = Some(hashed(PASSWORD));
        change(&mut ann);
        let service = User {
            id: UserId::new("user-service").unwrap(),
            email: "service@example.test".to_owned(),
            ..user(Clearance::Admin)
        };
        let next: Directory = directory(Building {
            users: vec![ann, service],
            ..Building::default()
        });
        let touched = Touched::all(&Directory::default(), &next);
        self.sessions.align(&Arc::new(next), &touched);
    }

    async fn sign_in(&self, password: &str) -> Result<(Arc<User>, Secret), SignInError> {
        let password = Secret::new(password);
        self.sessions
            .sign_in("A@example.test", password, DeviceKind::Personal, HERE)
            .await
    }

    async fn app(&self) -> Issued {
        let password = Secret::new(PASSWORD);
        let signed_in = self
            .sessions
            .sign_in_app("a@example.test", password, app(), HERE)
            .await;
        signed_in.unwrap().1
    }

    async fn code(&self, cookie: &Secret) -> Result<Secret, SignInError> {
        let who = self.sessions.by_cookie(cookie).unwrap();
        let CredentialId::Session(session) = *who.credential() else {
            panic!("no session");
        };
        self.sessions.grant_code(session, code_request()).await
    }

    async fn redeem(&self, code: &Secret) -> Result<Issued, SignInError> {
        let shown = CodeShown {
            code: code.clone(),
            client: app().client,
            redirect: "http://rooms.test/resp".to_owned(),
            verifier: None,
        };
        self.sessions.redeem(shown, DOMAIN.to_owned()).await
    }

    async fn through_code(&self, cookie: &Secret) -> Result<Issued, SignInError> {
        self.redeem(&self.code(cookie).await?).await
    }

    async fn refresh(&self, issued: &Issued) -> Result<Issued, SignInError> {
        let token = issued.refresh.as_ref().unwrap();
        self.sessions.refresh(token, Some("client"), DOMAIN).await
    }

    fn by_token(&self, token: &Secret) -> Result<Arc<Principal>, Failure> {
        self.sessions.by_token(token, DOMAIN)
    }

    /// How many sessions' sockets were ordered to be closed since the last look.
    fn closed(&self) -> usize {
        let closes = |delivery: &Delivery| {
            matches!(
                delivery,
                Delivery::Close {
                    audience: Audience::Credential(CredentialId::Session(_)),
                    why: CloseReason::CredentialsRevoked,
                }
            )
        };
        self.inbox.take().iter().filter(|d| closes(d)).count()
    }

    async fn wait(&self, what: &str, is: impl Fn() -> bool) {
        for _ in 0..1_000 {
            if is() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{what} did not come");
    }
}

/// A store that has a key: making one takes long, so all tests have the same.
async fn documents() -> Arc<MemoryDocuments> {
    let documents = MemoryDocuments::new();
    let key = vec![Write::Put(own_key())];
    let on = LedgerVersion::default();
    documents.commit(Ledger::SignIns, key, &on).await.unwrap();
    documents
}

fn code_request() -> CodeRequest {
    let App {
        client,
        scopes,
        device,
        ..
    } = app();
    CodeRequest {
        client,
        redirect: "http://rooms.test/resp".to_owned(),
        scopes,
        challenge: None,
        device,
    }
}

fn app() -> App {
    App {
        client: "client".to_owned(),
        scopes: vec![Scope::parse("public").unwrap()],
        domain: DOMAIN.to_owned(),
        device: DeviceKind::Personal,
    }
}

fn hashed(password: &str) -> Password {
    static HASHES: std::sync::Mutex<Vec<(String, Secret)>> = std::sync::Mutex::new(Vec::new());
    let mut hashes = HASHES.lock().unwrap();
    if let Some((_, hash)) = hashes.iter().find(|(known, _)| known == password) {
        return Password::Hashed(hash.clone());
    }
    let hash = passwords::hash(&Secret::new(password)).unwrap();
    hashes.push((password.to_owned(), hash.clone()));
    Password::Hashed(hash)
}

fn payload(token: &Secret) -> Value {
    let part = token.expose().split('.').nth(1).unwrap();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// riser's own key, the same for all tests.
fn own_key() -> Document {
    static KEY: OnceLock<Document> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::make(NOW).unwrap().document())
        .clone()
}

/// Another server, which signs tokens.
struct Foreign(RsaPrivateKey);

impl Foreign {
    fn known() -> &'static Self {
        static KEY: OnceLock<Foreign> = OnceLock::new();
        KEY.get_or_init(Self::new)
    }

    fn new() -> Self {
        Self(RsaPrivateKey::new(&mut rand::rng(), 2048).unwrap())
    }

    fn public_pem(&self) -> String {
        let key = self.0.to_public_key();
        key.to_public_key_pem(LineEnding::LF).unwrap()
    }

    fn private_pem(&self) -> String {
        self.0.to_pkcs1_pem(LineEnding::LF).unwrap().to_string()
    }

    fn sign(&self, claims: &Value) -> Secret {
        self.sign_with(&json!({"alg": "RS256"}), claims)
    }

    fn sign_with(&self, header: &Value, claims: &Value) -> Secret {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let der = self.0.to_pkcs1_der().unwrap();
        let pair = RsaKeyPair::from_der(der.as_bytes()).unwrap();
        let mut seal = vec![0; pair.public().modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text.as_bytes(),
            &mut seal,
        )
        .unwrap();
        let seal = BASE64_URL_SAFE_NO_PAD.encode(seal);
        Secret::new(format!("{text}.{seal}"))
    }
}
