//! Any text from a server or a page: nothing panics, a refusal has a status of ours and no secret, and data arrive as the text that was sent.

use super::*;
use crate::dialects::pusher::rest::{Effect, SignInRequest};
use crate::model::fuzz::fuzz_text;

const WORDS: [&str; 18] = [
    "\"name\"",
    "\"data\"",
    "\"channels\"",
    "\"channel\"",
    "\"batch\"",
    "\"info\"",
    "\"socket_id\"",
    "user_count",
    "presence-",
    "private-cache-",
    "#server-to-user-",
    "\\ud800",
    "1e400",
    "null",
    "%",
    "&",
    "=",
    "+",
];

#[track_caller]
fn check_refusal(refusal: &ApiRefusal) {
    assert!([400, 401, 413].contains(&refusal.status), "{refusal:?}");
    assert!(!refusal.text.contains(SECRET));
}

/// Reads a body as if it were signed.
fn read(path: &str, body: &str) -> Result<ApiRequest, ApiRefusal> {
    let signed = Signed {
        app: apps().remove(0),
        key: String::new(),
        parameters: Parameters::default(),
    };
    let address = Address::read("POST", path).unwrap();
    let building = BuildingView::default();
    ApiRequest::read(&signed, &building, address.endpoint, body.as_bytes())
}

#[test]
fn fuzz_bodies_of_requests() {
    let corpus = [
        r#"{"name":"x","channels":["a","presence-b"],"data":"{\"a\": 1.0}","socket_id":"1.2","info":"user_count"}"#,
        r#"{"batch":[{"name":"x","channel":"a","data":{"n":[1, "a b"]}},{"name":"y","channel":"private-events","data":"1"}]}"#,
        r#"{"name":"exec","channel":"private-ctl.sys-1","data":"{\"id\":1,\"mod\":\"Display\",\"name\":\"power\"}"}"#,
        r#"{"interests":["boiler"],"gcm":{"notification":{"title":"hot"}}}"#,
    ];
    let paths = [
        "/apps/4201/events",
        "/apps/4201/batch_events",
        "/server_api/v1/apps/4201/notifications",
    ];
    fuzz_text(&corpus, &WORDS, |text| {
        for path in paths {
            match read(path, text) {
                Ok(ApiRequest::Trigger(trigger)) => {
                    assert!(!trigger.effects.is_empty());
                    for effect in &trigger.effects {
                        if let Effect::Publish(publication) = effect {
                            publication.message.to::<serde_json::Value>().unwrap();
                        }
                    }
                    let answer = trigger.reply.answer(&[]);
                    serde_json::from_str::<serde_json::Value>(&answer).unwrap();
                }
                Ok(_) => {}
                Err(refusal) => check_refusal(&refusal),
            }
        }
    });
}

#[test]
fn fuzz_heads_of_requests() {
    let good = query(
        "GET",
        "/apps/4201/channels",
        "filter_by_prefix=presence-",
        "",
    );
    let corpus = [
        &*good,
        "auth_key=a1b2c3d4e5f60718293a&auth_version=1.0&a=%20+%2B",
    ];
    fuzz_text(&corpus, &WORDS, |text| {
        let (method, path) = ("GET", "/apps/4201/channels");
        let head = RawHead {
            method,
            path,
            query: text,
        };
        match verify_by(&apps(), &head, Some("4201"), b"", NOW) {
            Ok(signed) => assert_eq!(signed.parameters.get("auth_version"), Some("1.0")),
            Err(refusal) => check_refusal(&refusal),
        }
    });
}

#[test]
fn fuzz_paths() {
    let corpus = [
        "/apps/4201/channels/a%40b/users",
        "/users/u-7/terminate_connections",
    ];
    fuzz_text(&corpus, &["/", "%2F", "%", "apps"], |text| {
        for method in ["GET", "POST"] {
            drop(Address::read(method, text));
        }
    });
}

#[test]
fn fuzz_sign_ins() {
    let corpus = [
        "socket_id=1.2&channel_name=presence-a&app=4201&device=wall",
        r#"{"socket_id":"1.2","channel_name":"private-a","app":"4201"}"#,
    ];
    let apps = apps();
    fuzz_text(&corpus, &WORDS, |text| {
        for content_type in [None, Some("application/json")] {
            let Ok(request) = SignInRequest::read(content_type, text, text.as_bytes()) else {
                continue;
            };
            let Ok((app, key)) = request.app(&apps) else {
                continue;
            };
            if let Ok(grant) = request.channel(&BuildingView::default(), app, key) {
                drop(grant.needs());
            }
        }
    });
}
