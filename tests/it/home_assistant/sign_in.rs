//! Signing an app in: by the login flow, by the page, and what a token opens and when that ends.

use serde_json::json;

use super::*;

#[tokio::test]
async fn an_app_signs_in_by_steps_and_goes_on_by_its_refresh_token() {
    let gateway = gateway().await;
    let providers = gateway.request("GET", "/auth/providers").ok().await;
    assert_eq!(providers["providers"][0]["type"], "homeassistant");

    let flow = begin(&gateway).await;
    let wrong = step(&gateway, &flow, "wrong").await;
    assert_eq!(wrong.status, 200);
    assert_eq!(wrong.json()["errors"], json!({"base": "invalid_auth"}));
    let entered = step(&gateway, &flow, PASSWORD).await.json();
    assert_eq!(entered["type"], "create_entry");
    assert_eq!(entered["handler"], json!(["homeassistant", null]));
    let gone = step(&gateway, &flow, PASSWORD).await;
    assert_answer(&gone, 404, r#"{"message":"Invalid flow specified"}"#);

    let issued = token(&gateway, &exchange(text(&entered, "result"), APP)).await;
    assert_eq!(issued.header("cache-control"), Some("no-store"));
    let issued = issued.json();
    assert_eq!(issued["token_type"], "Bearer");
    assert_eq!(issued["expires_in"], 1800);
    assert_eq!(issued["ha_auth_provider"], "homeassistant");
    let running = gateway.request("GET", "/api/");
    let running = running.bearer(text(&issued, "access_token")).send().await;
    assert_answer(&running, 200, r#"{"message":"API running."}"#);

    for _ in 0..2 {
        let next = token(&gateway, &renewal(text(&issued, "refresh_token"), APP)).await;
        let next = next.json();
        assert_eq!(next.get("refresh_token"), None, "it stays the same");
        let running = gateway.request("GET", "/api/");
        running.bearer(text(&next, "access_token")).ok().await;
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_app_alone() {
    let gateway = gateway().await;
    let code = code(&gateway).await;
    let invalid = r#"{"error":"invalid_request","error_description":"Invalid code"}"#;
    let other = token(&gateway, &exchange(&code, "http://other.test/")).await;
    assert_answer(&other, 400, invalid);
    let good = token(&gateway, &exchange(&code, APP)).await;
    assert_eq!(good.status, 200, "another app's try has not used it up");
    let again = token(&gateway, &exchange(&code, APP)).await;
    assert_answer(&again, 400, invalid);
}

#[tokio::test]
async fn a_refused_grant_is_refused_in_the_words_of_the_original() {
    let gateway = gateway().await;
    let issued = tokens(&gateway).await;
    let refresh = text(&issued, "refresh_token");
    for (fields, body) in [
        (
            renewal("nonsense", APP),
            r#"{"error":"invalid_grant"}"#,
        ),
        (
            renewal(refresh, "http://other.test/"),
            r#"{"error":"invalid_request"}"#,
        ),
        (
            [
                ("grant_type", "password"),
                ("client_id", APP),
                ("password", "x"),
            ],
            r#"{"error":"unsupported_grant_type"}"#,
        ),
    ] {
        let refused = token(&gateway, &fields).await;
        assert_answer(&refused, 400, body);
    }
}

#[tokio::test]
async fn a_flow_begins_for_a_known_handler_and_the_apps_own_page() {
    let gateway = gateway().await;
    let begin = async |handler: Value, redirect: &str| {
        let asked = json!({"client_id": APP, "handler": handler, "redirect_uri": redirect});
        let request = gateway.request("POST", "/auth/login_flow").json(asked);
        request.send().await
    };
    let foreign = begin(json!(["homeassistant", null]), "http://evil.test/").await;
    assert_answer(&foreign, 403, r#"{"message":"Invalid redirect URI"}"#);
    let unknown = begin(json!(["trusted_networks", null]), APP).await;
    assert_answer(&unknown, 404, r#"{"message":"Invalid handler specified"}"#);
    let flow = super::begin(&gateway).await;
    let path = format!("/auth/login_flow/{flow}");
    let aborted = gateway.request("DELETE", &path).send().await;
    assert_answer(&aborted, 200, r#"{"message":"Flow aborted"}"#);
    let again = gateway.request("DELETE", &path).send().await;
    assert_answer(&again, 404, r#"{"message":"Invalid flow specified"}"#);
}

#[tokio::test]
async fn who_fails_too_often_waits_whichever_flow_it_is() {
    let gateway = gateway().await;
    let mut last = step(&gateway, &begin(&gateway).await, "wrong").await;
    for _ in 0..20 {
        if last.status != 200 {
            break;
        }
        last = step(&gateway, &begin(&gateway).await, "wrong").await;
    }
    assert_eq!(last.status, 429, "{}", last.body);
    assert!(last.header("retry-after").is_some());
}

#[tokio::test]
async fn what_an_app_gives_back_is_over_at_once() {
    let gateway = gateway().await;
    let issued = tokens(&gateway).await;
    let (access, refresh) = (text(&issued, "access_token"), text(&issued, "refresh_token"));
    let revoke = async |token: &str| {
        let request = gateway.request("POST", "/auth/revoke");
        multipart(request, &[("token", token)]).send().await
    };
    assert_answer(&revoke("nonsense").await, 200, "");
    assert_answer(&revoke(refresh).await, 200, "");
    let next = token(&gateway, &renewal(refresh, APP)).await;
    assert_answer(&next, 400, r#"{"error":"invalid_grant"}"#);
    let running = gateway.request("GET", "/api/").bearer(access).send().await;
    assert_answer(&running, 401, "401: Unauthorized");
}

#[tokio::test]
async fn the_path_that_placeos_has_too_is_told_apart_by_what_is_shown() {
    let gateway = gateway().await;
    // PlaceOS's clients call themselves by no address.
    let by_password = [
        ("grant_type", "password"),
        ("client_id", "panel"),
        ("username", EMAIL),
        ("password", PASSWORD),
    ];
    let request = gateway.request("POST", "/auth/token").form(&by_password);
    let placeos = request.ok().await;
    assert_eq!(placeos["expires_in"], 7200);
    let rotated = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&placeos, "refresh_token")),
    ];
    let request = gateway.request("POST", "/auth/token").form(&rotated);
    let next = request.ok().await;
    assert_ne!(next["refresh_token"], placeos["refresh_token"]);

    let issued = tokens(&gateway).await;
    let unnamed = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&issued, "refresh_token")),
    ];
    let request = gateway.request("POST", "/auth/token").form(&unnamed);
    assert_eq!(request.ok().await["expires_in"], 1800);
}

#[tokio::test]
async fn pages_of_any_origin_may_ask_for_tokens_and_read_refusals() {
    let gateway = gateway().await;
    for path in ["/auth/token", "/auth/revoke"] {
        let asked = gateway.request("OPTIONS", path);
        let asked = asked.header("Origin", "http://app.test");
        let asked = asked.header("Access-Control-Request-Method", "POST");
        let allowed = asked.send().await;
        assert_eq!(allowed.status, 204, "{path}");
        let origin = allowed.header("access-control-allow-origin");
        assert_eq!(origin, Some("http://app.test"), "{path}");
        assert_eq!(allowed.header("access-control-allow-credentials"), None);
    }
    let request = gateway.request("POST", "/auth/token");
    let request = request.header("Origin", "http://app.test");
    let refused = multipart(request, &exchange("x", APP)).send().await;
    assert_eq!(refused.status, 400);
    let origin = refused.header("access-control-allow-origin");
    assert_eq!(origin, Some("http://app.test"));
}

#[tokio::test]
async fn a_person_signs_an_app_in_on_a_page() {
    let gateway = gateway().await;
    let query = "?response_type=code&client_id=http%3A%2F%2Fapp.test%3A8123%2F&redirect_uri=http%3A%2F%2Fapp.test%3A8123%2F%3Fauth_callback%3D1&state=s";
    let path = format!("/auth/authorize{query}");
    let page = gateway.request("GET", &path).send().await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(APP), "{}", page.body);
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("form-action 'self' http://app.test:8123;"), "{policy}");

    let fields = |password| {
        [
            ("client_id", APP),
            ("redirect_uri", "http://app.test:8123/?auth_callback=1"),
            ("state", "s"),
            ("username", "user-ann"),
            ("password", password),
        ]
    };
    let form = |password| {
        let request = gateway.request("POST", "/auth/authorize");
        request.form(&fields(password))
    };
    let wrong = form("wrong").send().await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.body.contains("wrong\""), "{}", wrong.body);
    let sent = form(PASSWORD).send().await;
    assert_eq!(sent.status, 303);
    let location = sent.header("location").expect("a place");
    let code = location.strip_prefix("http://app.test:8123/?auth_callback=1&code=");
    let code = code.and_then(|rest| rest.strip_suffix("&state=s"));
    let good = token(&gateway, &exchange(code.expect("a code"), APP)).await;
    assert_eq!(good.status, 200);

    let foreign = form(PASSWORD).header("Origin", "http://evil.test").send().await;
    assert_eq!(foreign.status, 403);
    let elsewhere = "/auth/authorize?client_id=http%3A%2F%2Fapp.test%2F&redirect_uri=http%3A%2F%2Fevil.test%2F";
    let refused = gateway.request("GET", elsewhere).send().await;
    assert_answer(&refused, 400, r#"{"message":"invalid client id or redirect uri"}"#);
}

#[tokio::test]
async fn where_to_sign_in_is_told_by_the_address_that_was_called() {
    let gateway = Plan::serve(BUILDING).base_path("/riser").start().await;
    let metadata = gateway.request("GET", "/.well-known/oauth-authorization-server");
    let metadata = metadata.ok().await;
    let token = format!("http://{}/riser/auth/token", gateway.address());
    assert_eq!(metadata["token_endpoint"], token);
}
