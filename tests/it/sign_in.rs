//! Signing in: passwords, tokens, sessions, and that none of them outlives what it stands for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{
    CONTROL, Certificate, Folder, Gateway, Key, Page, Plan, Response, SignIn, TestClient, scratch,
};

const EMAIL: &str = "ann@example.test";
pub(crate) const PASSWORD: &str = "correct horse";

/// The hash of the password, at the lowest costs there are.
pub(crate) const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw";

/// The promise for credentials that are no longer good.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Ann, who may support, and a key to drive the room from outside.
fn building(ann: &str) -> String {
    format!(
        "
systems:
  - {{id: sys-1, name: Room, modules: [mod-1]}}
modules:
  - {{id: mod-1, driver: virtual, name: Shared}}
users:
  - {{id: user-eve, email: eve@example.test, name: Eve, level: admin}}
{ann}
api_keys:
  - {{id: user, secret: secret-u, user: user-eve}}
"
    )
}

fn ann(level: &str, password: &str) -> String {
    format!(
        "  - {{id: user-ann, email: {EMAIL}, name: Ann, level: {level}, groups: [staff], {password}}}"
    )
}

fn hashed() -> String {
    format!("password_hash: '{HASH}'")
}

fn plan() -> Plan {
    Plan::serve(&building(&ann("support", &hashed())))
}

async fn sign_in(gateway: &Gateway, email: &str, password: &str) -> Response {
    let request = gateway.request("POST", "/auth/signin");
    let fields = [("email", email), ("password", password)];
    request.form(&fields).send().await
}

/// A token by the password, with its refresh token.
async fn token(gateway: &Gateway) -> Value {
    let request = gateway.request("POST", "/auth/oauth/token");
    request.form(&password_grant(PASSWORD)).ok().await
}

fn password_grant(password: &str) -> [(&'static str, &str); 5] {
    [
        ("grant_type", "password"),
        ("client_id", "client"),
        ("username", EMAIL),
        ("password", password),
        ("scope", "public"),
    ]
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
}

/// The cookie of an answer, as a browser sends it back.
fn cookie(response: &Response) -> String {
    let cookie = response.header("set-cookie").expect("a cookie");
    let (pair, _) = cookie.split_once(';').expect("attributes");
    pair.to_owned()
}

async fn socket(gateway: &Gateway, token: &str) -> TestClient {
    let bearer = format!("Bearer {token}");
    gateway
        .door()
        .header("Authorization", &bearer)
        .connect()
        .await
}

async fn expect_revoked(mut client: TestClient) {
    let (code, reason) = client.expect_closed(CLOSED_WITHIN).await;
    assert_eq!((code, &*reason), (1008, "credentials_revoked"));
}

// §10 case 4
#[tokio::test]
async fn a_token_opens_rest_and_the_websocket_by_every_carrier() {
    let gateway = plan().start().await;
    let issued = token(&gateway).await;
    let token = text(&issued, "access_token");
    assert_eq!(issued["token_type"], "Bearer");
    assert_eq!(issued["expires_in"], 7200);
    assert_eq!(issued["scope"], "public");

    let user = gateway.request("GET", "/api/engine/v2/users/current");
    let user = user.bearer(token).ok().await;
    assert_eq!(user["id"], "user-ann");
    assert_eq!(user["support"], true);
    assert_eq!(user["sys_admin"], false);
    assert_eq!(user["groups"], json!(["staff"]));

    let door = || gateway.door();
    let by_cookie = format!("bearer_token={token}");
    for door in [
        door().header("Authorization", &format!("Bearer {token}")),
        door().query(&format!("bearer_token={token}")),
        door().header("Cookie", &by_cookie),
    ] {
        let mut client = door.connect().await;
        client.bind(scratch("x"), 1).await;
        client.close().await;
    }
    let foreign = door()
        .header("Cookie", &by_cookie)
        .header("Origin", "https://evil.test");
    assert_eq!(foreign.refused().await, 403);
}

// §10 case 3
#[tokio::test]
async fn a_good_token_does_not_help_a_bad_key() {
    let gateway = plan().start().await;
    let issued = token(&gateway).await;
    let query = format!("bearer_token={}", text(&issued, "access_token"));
    let door = gateway.door().key(Key::WRONG).query(&query);
    assert_eq!(door.refused().await, 401);
}

// §10 case 5
#[tokio::test]
async fn a_token_opens_what_its_scopes_say() {
    let gateway = plan().start().await;
    for (scope, status) in [
        ("systems.read", Some(403)),
        ("guest", Some(403)),
        ("control.write", None),
        ("zones public", None),
    ] {
        let mut grant = password_grant(PASSWORD);
        grant[4] = ("scope", scope);
        let request = gateway.request("POST", "/auth/oauth/token");
        let issued = request.form(&grant).ok().await;
        assert_eq!(issued["scope"], scope);
        let bearer = format!("Bearer {}", text(&issued, "access_token"));
        let door = gateway.door().header("Authorization", &bearer);
        match status {
            Some(status) => assert_eq!(door.refused().await, status, "{scope}"),
            None => drop(door.connect().await),
        }
    }
}

#[tokio::test]
async fn the_parameters_may_stand_in_the_query_as_placeos_client_has_them() {
    let gateway = plan().start().await;
    let query = "grant_type=password&client_id=c&username=ann%40example.test&password=correct%20horse&scope=public";
    let request = gateway.request("POST", &format!("/auth/token?{query}"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    text(&request.ok().await, "access_token");
}

#[tokio::test]
async fn what_is_no_good_grant_is_refused_in_oauths_words() {
    let gateway = plan().start().await;
    for (fields, error) in [
        (&password_grant("wrong")[..], "invalid_grant"),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            "invalid_grant",
        ),
        (&[("grant_type", "magic")], "unsupported_grant_type"),
        (&[("grant_type", "password")], "invalid_request"),
        (&[], "invalid_request"),
    ] {
        let request = gateway.request("POST", "/auth/oauth/token");
        let response = request.form(fields).send().await;
        assert_eq!(response.status, 400, "{fields:?}");
        assert_eq!(response.json()["error"], error, "{fields:?}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_tampered_token_is_refused() {
    let gateway = plan().start().await;
    let issued = token(&gateway).await;
    let good = text(&issued, "access_token");
    let parts: Vec<&str> = good.split('.').collect();
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let mut claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["u"]["p"] = json!(3);
    let raised = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    for bad in [
        format!("{}.{raised}.{}", parts[0], parts[2]),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        "x".to_owned(),
    ] {
        let request = gateway.request("GET", "/api/engine/v2/users/current");
        let response = request.bearer(&bad).send().await;
        assert_eq!(response.status, 401, "{bad}");
        let door = gateway
            .door()
            .header("Authorization", &format!("Bearer {bad}"));
        assert_eq!(door.refused().await, 401, "{bad}");
    }
}

#[tokio::test]
async fn a_socket_lives_on_when_its_app_gets_the_next_token_and_ends_with_their_sign_in() {
    let gateway = plan().start().await;
    let issued = token(&gateway).await;
    let mut client = socket(&gateway, text(&issued, "access_token")).await;
    client.bind(scratch("x"), 1).await;

    let request = gateway.request("POST", "/auth/oauth/token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "client"),
        ("refresh_token", text(&issued, "refresh_token")),
    ];
    let next = request.form(&fields).ok().await;
    client.bind(scratch("y"), 2).await;
    let path = format!("/auth/token?token={}", text(&next, "access_token"));
    gateway.request("POST", &path).ok().await;
    expect_revoked(client).await;
}

#[tokio::test]
async fn the_socket_of_a_foreign_token_closes_when_it_expires() {
    let key = RsaPrivateKey::new(&mut rand::rng(), 2048).unwrap();
    let pem = key.to_public_key().to_public_key_pem(LineEnding::LF);
    let gateway = plan()
        .variable("JWT_PUBLIC", &BASE64_STANDARD.encode(pem.unwrap()))
        .start()
        .await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // With a fraction, as some signers write it.
    let claims = json!({
        "exp": now.as_secs_f64() + 2.0, "iat": now.as_secs_f64(), "aud": "127.0.0.1", "sub": "user-far",
        "scope": ["public"], "u": {"n": "Far", "e": "far@example.test", "p": 2},
    });
    let mut client = socket(&gateway, &sign(&key, &claims)).await;
    client.bind(scratch("x"), 1).await;
    expect_revoked(client).await;
}

#[tokio::test]
async fn the_sockets_of_who_is_lowered_removed_or_gets_another_password_close() {
    for (what, after) in [
        ("lowered", ann("user", &hashed())),
        ("removed", String::new()),
        ("another password", ann("support", "password: another")),
    ] {
        let mut gateway = plan().start().await;
        let issued = token(&gateway).await;
        let client = socket(&gateway, text(&issued, "access_token")).await;
        gateway.write_building(&building(&after));
        gateway.process().signal("HUP").await;
        expect_revoked(client).await;
        let request = gateway.request("GET", "/api/engine/v2/users/current");
        let response = request.bearer(text(&issued, "access_token")).send().await;
        if what == "lowered" {
            assert_eq!(response.json()["support"], false);
        } else {
            assert_eq!(response.status, 401, "{what}");
        }
    }
}

#[tokio::test]
async fn an_app_that_lost_the_answer_to_its_refresh_stays_signed_in_also_after_a_restart() {
    let folder = Folder::new();
    let data = folder.path().display().to_string();
    let mut gateway = plan().arguments(["--data", &data]).start().await;
    let first = token(&gateway).await;
    let lost = refresh(&gateway, &first).await.json();
    let again = refresh(&gateway, &first).await.json();
    assert_eq!(again["refresh_token"], lost["refresh_token"]);
    gateway.kill().await;
    gateway.restart().await;
    let again = refresh(&gateway, &first).await.json();
    assert_eq!(again["refresh_token"], lost["refresh_token"]);
    let next = refresh(&gateway, &again).await.json();
    assert_ne!(next["refresh_token"], lost["refresh_token"]);
    drop(socket(&gateway, text(&next, "access_token")).await);
}

#[tokio::test]
async fn a_refresh_token_that_others_have_followed_closes_what_it_had_opened() {
    let gateway = plan().start().await;
    let first = token(&gateway).await;
    let mut newest = first.clone();
    // One more than give their successor again.
    for _ in 0..5 {
        newest = refresh(&gateway, &newest).await.json();
    }
    let client = socket(&gateway, text(&newest, "access_token")).await;
    assert_eq!(refresh(&gateway, &first).await.status, 400);
    expect_revoked(client).await;
    assert_eq!(refresh(&gateway, &newest).await.status, 400);
}

async fn refresh(gateway: &Gateway, issued: &Value) -> Response {
    let request = gateway.request("POST", "/auth/oauth/token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "client"),
        ("refresh_token", text(issued, "refresh_token")),
    ];
    request.form(&fields).send().await
}

#[tokio::test]
async fn a_token_that_is_given_back_closes_what_it_had_opened() {
    let gateway = plan().start().await;
    let issued = token(&gateway).await;
    let client = socket(&gateway, text(&issued, "access_token")).await;
    let path = format!("/auth/token?token={}", text(&issued, "access_token"));
    for _ in 0..2 {
        gateway.request("POST", &path).ok().await;
    }
    expect_revoked(client).await;
}

#[tokio::test]
async fn a_refresh_token_that_is_given_back_is_good_no_more_and_closes_what_it_had_opened() {
    let gateway = plan().start().await;
    let kept = token(&gateway).await;
    let issued = token(&gateway).await;
    let client = socket(&gateway, text(&issued, "access_token")).await;
    let refresh = text(&issued, "refresh_token");
    for _ in 0..2 {
        let path = format!("/auth/token?token={refresh}");
        gateway.request("POST", &path).ok().await;
    }
    expect_revoked(client).await;
    let renew = async |issued: &Value| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", text(issued, "refresh_token")),
        ];
        let request = gateway.request("POST", "/auth/oauth/token");
        request.form(&fields).send().await.status
    };
    assert_eq!(renew(&issued).await, 400);
    let request = gateway.request("GET", "/api/engine/v2/users/current");
    let request = request.bearer(text(&issued, "access_token"));
    assert_eq!(request.send().await.status, 401);
    assert_eq!(renew(&kept).await, 200, "another sign-in stays");
}

#[tokio::test]
async fn a_raised_level_holds_for_a_token_and_its_socket_without_another_sign_in() {
    let admin = "  - {id: admin, secret: secret-a, user: user-eve, level: admin}\n";
    let building = building(&ann("user", &hashed())) + admin;
    let gateway = Plan::serve(&building).start().await;
    let issued = token(&gateway).await;
    let token = text(&issued, "access_token");
    let mut client = socket(&gateway, token).await;
    let support_only = scratch("support_only");
    client.send(support_only.exec(1, json!([]))).await;
    client.expect_error(1, 2).await;
    let raise = gateway.request("PATCH", "/api/engine/v2/users/user-ann");
    let raise = raise.key(Key::ADMIN).json(json!({"support": true}));
    raise.ok().await;
    client.send(support_only.exec(2, json!([]))).await;
    let answer = client.next().await;
    assert_eq!(answer["type"], "success", "{answer}");
    let request = gateway.request("GET", "/api/engine/v2/users/current");
    assert_eq!(request.bearer(token).ok().await["support"], true);
}

#[tokio::test]
async fn whoever_guesses_waits() {
    let gateway = plan().start().await;
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(sign_in(&gateway, EMAIL, "guess").await.status);
    }
    let last = sign_in(&gateway, EMAIL, PASSWORD).await;
    assert_eq!(last.status, 429, "{statuses:?}");
    let wait: u64 = last.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let request = gateway.request("POST", "/auth/oauth/token");
    let response = request.form(&password_grant(PASSWORD)).send().await;
    assert_eq!(response.status, 429);
    assert!(response.header("retry-after").is_some());
    // Keys are not passwords.
    drop(gateway.connect(Key::USER).await);
}

#[tokio::test]
async fn somebody_signs_in_on_the_page_and_gets_a_session_that_no_script_reads() {
    let gateway = plan().start().await;
    let authority = gateway.request("GET", "/auth/authority").ok().await;
    assert_eq!(authority["session"], false);
    assert_eq!(authority["token_valid"], false);

    let page = gateway.request("GET", "/login?continue=%2Fpanel%2F%3Fa%3D%22%3E%3Cb%3E");
    let page = page.send().await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(page.body.contains("action=\"/login\""), "{}", page.body);
    assert!(
        !page.body.contains("<b>") && !page.body.contains("<script"),
        "{}",
        page.body
    );
    let style = gateway.request("GET", "/login/style.css").send().await;
    assert_eq!(style.status, 200);

    let form = |password| {
        [
            ("email", EMAIL),
            ("password", password),
            ("continue", "/panel/"),
        ]
    };
    let wrong = gateway
        .request("POST", "/login")
        .form(&form("wrong"))
        .send()
        .await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.body.contains("The email or the password is wrong."),
        "{}",
        wrong.body
    );
    assert!(wrong.header("set-cookie").is_none());
    let forged = gateway
        .request("POST", "/login")
        .header("Origin", "https://evil.test");
    assert_eq!(forged.form(&form(PASSWORD)).send().await.status, 403);

    let good = gateway
        .request("POST", "/login")
        .form(&form(PASSWORD))
        .send()
        .await;
    assert_eq!(good.status, 303);
    assert_eq!(good.header("location"), Some("/panel/"));
    let set = good.header("set-cookie").unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );
    assert!(!set.contains("Secure"), "{set}");
    let page = format!("https://{}", gateway.address());
    let by_tls = gateway.request("POST", "/login").header("Origin", &page);
    let by_tls = by_tls.form(&form(PASSWORD)).send().await;
    assert!(by_tls.header("set-cookie").unwrap().contains("; Secure"));

    let cookie = cookie(&good);
    let authority = gateway
        .request("GET", "/auth/authority")
        .header("Cookie", &cookie);
    let authority = authority.ok().await;
    assert_eq!(authority["session"], true);
    assert_eq!(authority["token_valid"], false);
    let foreign = gateway
        .door()
        .header("Cookie", &cookie)
        .header("Origin", "https://evil.test");
    assert_eq!(foreign.refused().await, 403);
    let page = gateway.request("GET", "/login").header("Cookie", &cookie);
    let page = page.send().await;
    assert!(
        page.body.contains("You are signed in as Ann."),
        "{}",
        page.body
    );
    let mut client = gateway.door().header("Cookie", &cookie).connect().await;
    client.bind(scratch("x"), 1).await;

    let out = gateway
        .request("GET", "/auth/logout")
        .header("Cookie", &cookie);
    let out = out.send().await;
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    expect_revoked(client).await;
    let authority = gateway
        .request("GET", "/auth/authority")
        .header("Cookie", &cookie);
    assert_eq!(authority.ok().await["session"], false);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let redirects = "[sign_in]\nredirects = [\"https://app.test/back\"]\n";
    let gateway = plan().file("riser.toml", redirects).start().await;
    let cookie = cookie(&sign_in(&gateway, EMAIL, PASSWORD).await);
    let ask = async |redirect: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", "c")
            .append_pair("state", "n")
            .append_pair("redirect_uri", redirect)
            .finish();
        let request = gateway.request("GET", &format!("/auth/oauth/authorize?{query}"));
        request.header("Cookie", &cookie).send().await
    };
    for good in [
        format!("{}/resp.html", gateway.url()),
        "https://app.test/back".to_owned(),
    ] {
        let response = ask(&good).await;
        assert_eq!(response.status, 302, "{good}");
        let location = response.header("location").unwrap();
        assert!(location.starts_with(&format!("{good}?code=")), "{location}");
        assert!(location.ends_with("&state=n"), "{location}");
    }
    for bad in [
        "https://evil.test/",
        "https://app.test/back/x",
        "//evil.test",
        "/here",
    ] {
        let response = ask(bad).await;
        assert_eq!(response.status, 400, "{bad}");
        assert!(response.header("location").is_none(), "{bad}");
    }
    let out = gateway.request("GET", "/auth/logout?continue=https%3A%2F%2Fevil.test%2F");
    assert_eq!(out.send().await.header("location"), Some("/login"));
}

#[tokio::test]
async fn a_browser_that_is_not_signed_in_is_sent_to_the_page_and_back() {
    let gateway = plan().start().await;
    let redirect = format!("{}/resp.html", gateway.url());
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", "c")
        .append_pair("redirect_uri", &redirect)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    let authorize = format!("/auth/oauth/authorize?{query}");
    let sent = gateway.request("GET", &authorize).send().await;
    assert_eq!(sent.status, 303);
    let page = sent.header("location").unwrap().to_owned();
    assert!(page.starts_with("/login?continue="), "{page}");
    let page = gateway.request("GET", &page).send().await;
    let form = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("continue", &*authorize),
    ];
    assert!(
        page.body
            .contains("/auth/oauth/authorize?response_type=code&amp;"),
        "{}",
        page.body
    );
    let signed_in = gateway.request("POST", "/login").form(&form).send().await;
    assert_eq!(signed_in.header("location"), Some(&*authorize));
    let back = gateway
        .request("GET", &authorize)
        .header("Cookie", &cookie(&signed_in));
    let back = back.send().await;
    let location = back.header("location").unwrap();
    let code = location.strip_prefix(&format!("{redirect}?code=")).unwrap();

    let redeem = async |verifier: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "c"),
            ("redirect_uri", &*redirect),
            ("code", code),
            ("code_verifier", verifier),
        ];
        gateway
            .request("POST", "/auth/oauth/token")
            .form(&fields)
            .send()
            .await
    };
    let issued = redeem(verifier).await;
    assert_eq!(issued.status, 200, "{}", issued.body);
    let client = socket(&gateway, text(&issued.json(), "access_token")).await;
    assert_eq!(redeem(verifier).await.status, 400, "a code is good once");
    expect_revoked(client).await;
}

#[tokio::test]
async fn a_foreign_token_opens_by_the_key_that_placeos_publishes() {
    let key = RsaPrivateKey::new(&mut rand::rng(), 2048).unwrap();
    let pem = key
        .to_public_key()
        .to_public_key_pem(LineEnding::LF)
        .unwrap();
    let gateway = plan()
        .variable("JWT_PUBLIC", &BASE64_STANDARD.encode(pem))
        .start()
        .await;
    let claims = |more: Value| {
        let mut claims = json!({
            "iss": "POS", "iat": 1, "exp": 4_000_000_000_u64, "jti": "1", "aud": "127.0.0.1",
            "sub": "user-far", "scope": ["public"],
            "u": {"n": "Far", "e": "far@example.test", "p": 3, "r": []},
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        sign(&key, &claims)
    };
    let ask = async |token: String| {
        let request = gateway.request("GET", "/api/engine/v2/users/current");
        request.bearer(&token).send().await
    };
    let good = ask(claims(json!({}))).await;
    assert_eq!(good.status, 200, "{}", good.body);
    assert_eq!(good.json()["id"], "user-far");
    assert_eq!(good.json()["sys_admin"], true);
    drop(socket(&gateway, &claims(json!({}))).await);
    let back = format!("/auth/oauth/token?token={}", claims(json!({})));
    let refused = gateway.request("POST", &back).send().await;
    assert_eq!(refused.status, 400, "it is not riser's to end");
    assert_eq!(refused.json()["error"], "unsupported_token_type");
    for (status, bad) in [
        (401, json!({"exp": 1})),
        (401, json!({"nbf": 3_900_000_000_u64})),
        (401, json!({"aud": "other.test"})),
        (403, json!({"scope": ["guest"]})),
    ] {
        assert_eq!(ask(claims(bad.clone())).await.status, status, "{bad}");
    }
    let stranger = RsaPrivateKey::new(&mut rand::rng(), 2048).unwrap();
    let claims = json!({"exp": 4_000_000_000_u64, "aud": "127.0.0.1", "sub": "s", "scope": ["public"], "u": {"n": "", "e": ""}});
    assert_eq!(ask(sign(&stranger, &claims)).await.status, 401);
}

fn sign(key: &RsaPrivateKey, claims: &Value) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let text = format!(
        "{header}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let der = key.to_pkcs1_der().expect("a key has this form");
    let pair = RsaKeyPair::from_der(der.as_bytes()).expect("it was made so");
    let mut seal = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut seal,
    )
    .expect("the seal has its length");
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(seal))
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_at_the_start_and_not_shown() {
    let private = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----";
    let refusal = plan().variable("RISER_JWT_PUBLIC", private).refused().await;
    assert_eq!(refusal.code, Some(2));
    let said = refusal.err.join("\n");
    assert!(
        said.contains("jwt_public") && !said.contains("c2VjcmV0"),
        "{said}"
    );
}

#[tokio::test]
async fn who_is_signed_in_stays_so_over_a_restart_when_there_is_a_store() {
    let folder = Folder::new();
    let data = folder.path().display().to_string();
    let mut gateway = plan().arguments(["--data", &data]).start().await;
    let issued = token(&gateway).await;
    let keys = gateway.request("GET", "/.well-known/jwks.json").ok().await;
    assert_eq!(keys["keys"][0]["kty"], "RSA");
    gateway.kill().await;
    gateway.restart().await;
    let again = gateway.request("GET", "/.well-known/jwks.json").ok().await;
    assert_eq!(keys, again);
    drop(socket(&gateway, text(&issued, "access_token")).await);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&issued, "refresh_token")),
    ];
    let request = gateway.request("POST", "/auth/oauth/token");
    request.form(&fields).ok().await;
}

#[tokio::test]
async fn no_password_and_no_token_is_in_a_log_or_a_measure() {
    let gateway = plan().variable("RISER_LOG", "trace").start().await;
    sign_in(&gateway, EMAIL, PASSWORD).await;
    sign_in(&gateway, EMAIL, "hunter2hunter2").await;
    sign_in(&gateway, "hunter3hunter3", "x").await;
    let issued = token(&gateway).await;
    drop(socket(&gateway, text(&issued, "access_token")).await);
    gateway.logged("sign in").await;
    let measures = gateway.request("GET", "/metrics").send().await.body;
    let said = gateway.log().join("\n") + &measures;
    assert!(
        measures.contains("riser_sign_ins_refused_total"),
        "{measures}"
    );
    let signature = text(&issued, "access_token").rsplit('.').next().unwrap();
    for secret in [
        PASSWORD,
        "hunter2",
        "hunter3",
        signature,
        text(&issued, "refresh_token"),
    ] {
        assert!(!said.contains(secret), "{secret} was told");
    }
}

/// Follows a status on a page, and sees that it changes.
async fn live(gateway: &Gateway, page: &mut Page, value: u64) {
    let mut bind = scratch("x").meta();
    bind["cmd"] = json!("bind");
    page.tell(bind).await;
    let mut console = gateway.connect(Key::USER).await;
    console.set(scratch("x"), value).await;
    page.wait("the value", |event| {
        event["event"] == "value" && event["value"] == value
    })
    .await;
}

async fn who(page: &mut Page) -> Value {
    page.tell(json!({"cmd": "ask", "ref": "who", "name": "currentUser", "args": []}))
        .await;
    let answer = page.wait("the user", |event| event["ref"] == "who").await;
    json!({"id": answer["value"]["id"], "name": answer["value"]["name"]})
}

async fn log_out(page: &mut Page) {
    page.tell(json!({"cmd": "logout"})).await;
    page.wait("the close", |event| {
        event["event"] == "socket_close" && event["code"] == 1008
    })
    .await;
}

#[tokio::test]
async fn placeos_client_signs_in_by_password_drives_a_room_and_signs_out() {
    password_to_sign_out(None).await;
}

#[tokio::test]
async fn placeos_client_signs_in_by_password_over_tls() {
    password_to_sign_out(Some(&Certificate::new())).await;
}

/// A gateway with Ann, and a page on which she has signed in.
async fn with_page(certificate: Option<&Certificate>, way: SignIn) -> (Gateway, Page) {
    let plan = match certificate {
        Some(certificate) => plan().tls(certificate),
        None => plan(),
    };
    let gateway = plan.start().await;
    let page = Page::sign_in(certificate, &gateway.url(), way, EMAIL, PASSWORD).await;
    (gateway, page)
}

async fn password_to_sign_out(certificate: Option<&Certificate>) {
    let (gateway, mut page) = with_page(certificate, SignIn::Password).await;
    live(&gateway, &mut page, 1).await;
    let socket = page
        .events()
        .iter()
        .find(|event| event["event"] == "socket");
    let cookie = socket.expect("a socket")["cookie"]
        .as_str()
        .expect("a text");
    assert!(cookie.contains("bearer_token="), "{cookie}");
    assert_eq!(
        who(&mut page).await,
        json!({"id": "user-ann", "name": "Ann"})
    );
    log_out(&mut page).await;
    page.close().await;
}

#[tokio::test]
async fn placeos_client_gets_its_token_by_a_code_renews_it_and_signs_out() {
    code_to_sign_out(None).await;
}

#[tokio::test]
async fn placeos_client_gets_and_renews_its_token_over_tls() {
    code_to_sign_out(Some(&Certificate::new())).await;
}

async fn code_to_sign_out(certificate: Option<&Certificate>) {
    let (gateway, mut page) = with_page(certificate, SignIn::Code).await;
    let signed_in = page
        .events()
        .iter()
        .find(|event| event["event"] == "signed_in");
    let signed_in = signed_in.expect("she signed in");
    assert_eq!(signed_in["status"], 303);
    assert_eq!(signed_in["location"], "/panel/");
    let asked = |page: &Page, part: &str| {
        let is = |event: &&Value| {
            event["event"] == "http_reply"
                && event["status"] == 200
                && event["path"]
                    .as_str()
                    .is_some_and(|path| path.contains(part))
        };
        page.events().iter().filter(is).count()
    };
    let codes = asked(&page, "&code=");
    assert!(codes > 0, "it came by a code");
    assert_eq!(
        asked(&page, "code_verifier="),
        codes,
        "a code comes with its proof"
    );
    live(&gateway, &mut page, 1).await;

    page.tell(json!({"cmd": "renew"})).await;
    // By the refresh token, which is in no query.
    let renewed = page
        .wait("the next token", |event| {
            event["event"] == "http_reply" && event["path"] == "/auth/oauth/token"
        })
        .await;
    assert_eq!(renewed["status"], 200);
    live(&gateway, &mut page, 2).await;
    let closed = page
        .events()
        .iter()
        .any(|event| event["event"] == "socket_close");
    assert!(!closed, "the socket lives on while the token is renewed");
    assert_eq!(who(&mut page).await["id"], "user-ann");
    log_out(&mut page).await;
    page.close().await;
    assert!(gateway.door().path(CONTROL).refused().await == 401);
}
