//! Who may send requests.

use super::*;

#[tokio::test]
async fn a_signed_request_is_answered() {
    let gateway = gateway().await;
    let answer = Signed::get("/apps/4201/channels").send(&gateway).await;
    assert_eq!((answer.status, &*answer.body), (200, r#"{"channels":{}}"#));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let newer = Signed {
        key: "newer",
        secret: "other",
        ..Signed::get("/apps/4201/channels")
    };
    assert_eq!(newer.send(&gateway).await.status, 200);
}

/// Row 11.
#[tokio::test]
async fn a_wrong_secret_is_refused_with_what_should_have_been_signed() {
    let gateway = gateway().await;
    let forged = Signed {
        secret: "third",
        ..Signed::get("/apps/4201/channels")
    };
    let answer = forged.send(&gateway).await;
    let part = "Invalid signature: you should have sent HmacSHA256Hex(\"GET\\n/apps/4201/channels\\nauth_key=";
    assert_refused(&answer, 401, part);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    gateway
        .logged("refused: a request's signature is not good")
        .await;
}

/// Row 12.
#[tokio::test]
async fn a_clock_that_is_far_off_is_named() {
    let gateway = gateway().await;
    let old = Signed {
        time: now() - 700,
        ..Signed::get("/apps/4201/channels")
    };
    let part = "not within 600s of server time";
    assert_refused(&old.send(&gateway).await, 401, part);
}

/// Row 13.
#[tokio::test]
async fn another_body_than_the_signed_one_is_refused() {
    let gateway = gateway().await;
    let body = json!({"name": "x", "channels": ["a"], "data": "1"});
    let good = Signed::post("/apps/4201/events", &body);
    let changed = Signed {
        body: good.body.replace('1', "2"),
        ..good.clone()
    };
    let without = Signed {
        digested: None,
        ..good.clone()
    };
    for bad in [changed, without] {
        assert_refused(&bad.send(&gateway).await, 401, "body_md5");
    }
    assert_eq!(good.answer(&gateway).await, "{}");
}

/// Row 14.
#[tokio::test]
async fn a_key_is_good_for_its_own_app_alone() {
    let gateway = gateway().await;
    let elsewhere = Signed {
        key: "elsewhere",
        secret: "third",
        ..Signed::get("/apps/4201/channels")
    };
    let answer = elsewhere.send(&gateway).await;
    assert_refused(&answer, 401, "not one of the app");
}

/// Row 15.
#[tokio::test]
async fn an_unknown_key_is_a_bad_request() {
    let gateway = gateway().await;
    let unknown = Signed {
        key: "nobody",
        ..Signed::get("/apps/4201/channels")
    };
    let answer = unknown.send(&gateway).await;
    assert_eq!((answer.status, &*answer.body), (400, "Unknown auth_key"));
}

#[tokio::test]
async fn a_query_that_was_lost_on_the_way_is_named() {
    let gateway = gateway().await;
    let bare = gateway.request("GET", "/apps/4201/channels").send().await;
    assert_refused(&bare, 401, "a proxy on the way may have dropped it");
}

/// Row 18.
#[tokio::test]
async fn parameters_are_read_as_they_were_signed() {
    let gateway = gateway().await;
    for prefix in ["=@,.;", "a b"] {
        let asked = Signed::get("/apps/4201/channels").parameter("filter_by_prefix", prefix);
        assert_eq!(asked.answer(&gateway).await, r#"{"channels":{}}"#);
    }
}

#[tokio::test]
async fn a_key_that_is_taken_away_is_good_no_longer() {
    let gateway = gateway().await;
    let asked = || Signed::get("/apps/4201/channels").send(&gateway);
    assert_eq!(asked().await.status, 200);
    gateway.rewrite_building(&BUILDING.replace(KEY, "replaced"));
    gateway.signal("HUP").await;
    let gone = async {
        while asked().await.status != 400 {
            tokio::task::yield_now().await;
        }
    };
    let what = || "the key to be gone".to_owned();
    crate::harness::within(crate::harness::DEADLINE, what, gone).await;
}

#[tokio::test]
async fn a_path_that_is_none_is_not_found() {
    let gateway = gateway().await;
    let nothing = Signed::get("/apps/4201/nothing").send(&gateway).await;
    assert_eq!(nothing.status, 404);
    let wrong = Signed::get("/apps/4201/events").send(&gateway).await;
    assert_eq!(wrong.status, 405);
}
