//! Signatures of requests.

use super::*;

/// A request: its head and its body.
type Whole<'a> = (RawHead<'a>, &'a str);

/// Whose request it is, or what it is refused with.
fn verify((head, body): &Whole<'_>, app: Option<&str>) -> Result<Signed, ApiRefusal> {
    verify_by(&apps(), head, app, body.as_bytes(), NOW)
}

fn get<'a>(path: &'a str, query: &'a str) -> Whole<'a> {
    let method = "GET";
    (
        RawHead {
            method,
            path,
            query,
        },
        "",
    )
}

fn post<'a>(path: &'a str, query: &'a str, body: &'a str) -> Whole<'a> {
    let method = "POST";
    (
        RawHead {
            method,
            path,
            query,
        },
        body,
    )
}

const BODY: &str =
    r#"{"name": "power", "channels": ["private-sys-1.Display_1"], "data": "{\"value\": true}"}"#;

/// Computed by Pusher's own library for Python.
const SIGNED: &str = "auth_key=a1b2c3d4e5f60718293a&auth_signature=297ce40fc72124579380892140342d6da2248a35b68126d14af0345297dd6ac4&auth_timestamp=1760000000&auth_version=1.0&body_md5=da3bea9980c7ec5beeeb849713bdeb3c";

#[test]
fn the_requests_of_the_library_for_python_are_good() {
    let events = "/apps/4201/events";
    let signed = verify(&post(events, SIGNED, BODY), Some("4201")).unwrap();
    assert_eq!(signed.app.id.as_str(), "4201");
    let channels = "auth_key=a1b2c3d4e5f60718293a&auth_signature=03f56da79ddc44921085aae72d9cfa380e82b9e947fc2747df9ba1ad111488b7&auth_timestamp=1760000000&auth_version=1.0&body_md5=d41d8cd98f00b204e9800998ecf8427e&filter_by_prefix=presence-&info=user_count";
    let signed = verify(&get("/apps/4201/channels", channels), Some("4201")).unwrap();
    assert_eq!(signed.parameters.get("filter_by_prefix"), Some("presence-"));
    let terminate = "auth_key=a1b2c3d4e5f60718293a&auth_signature=34a906ded051c967e6e14ef7e82e0490b485c61d4c46500738cbe988292d060c&auth_timestamp=1760000000&auth_version=1.0&body_md5=99914b932bd37a50b983c5e7c90ae93b";
    let signed = verify(
        &post("/users/u-7/terminate_connections", terminate, "{}"),
        None,
    );
    assert_eq!(signed.unwrap().app.id.as_str(), "4201");
}

#[test]
fn the_example_of_pushers_documents_is_good() {
    let keys = r#"[{"key":"278d425bdf160c739803","secret":"7ad3773142a6692b25b8"}]"#;
    let apps = [app("3", keys)];
    let body = r#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
    let query = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";
    let now = Timestamp::from_secs(1_353_088_179);
    let (head, body) = post("/apps/3/events", query, body);
    assert!(verify_by(&apps, &head, Some("3"), body.as_bytes(), now).is_ok());
}

/// Signs `signed` as a value of a parameter, sends it as `sent`.
#[track_caller]
fn check_escape(sent: &str, signed: &str, read: &str) {
    let parts = |value: &str| {
        format!(
            "auth_key=a1b2c3d4e5f60718293a&auth_timestamp=1760000000&auth_version=1.0&filter_by_prefix={value}"
        )
    };
    let path = "/apps/4201/channels";
    let signature = hmac_of(SECRET, &format!("GET\n{path}\n{}", parts(signed)));
    let query = format!("{}&auth_signature={signature}", parts(sent));
    let found = verify(&get(path, &query), Some("4201")).unwrap();
    assert_eq!(
        found.parameters.get("filter_by_prefix"),
        Some(read),
        "{sent}"
    );
}

#[test]
fn clients_escape_as_they_like_and_what_they_signed_is_what_is_read() {
    check_escape("a=@,.;b", "a=@,.;b", "a=@,.;b");
    check_escape("a%3D%40%2C.%3Bb", "a=@,.;b", "a=@,.;b");
    // The library for Python writes a space so with one backend, and otherwise with another.
    check_escape("a%20b", "a b", "a b");
    check_escape("a+b", "a b", "a b");
    check_escape("a+b", "a+b", "a+b");
    check_escape("a%2Bb", "a+b", "a+b");
    // A client that signs what it sends.
    check_escape("a%20b", "a%20b", "a%20b");
}

#[test]
fn a_path_is_good_as_it_was_sent_and_decoded() {
    for signed in ["/apps/4201/channels/a%40b", "/apps/4201/channels/a@b"] {
        let query = query("GET", signed, "", "");
        let request = get("/apps/4201/channels/a%40b", &query);
        assert!(verify(&request, Some("4201")).is_ok(), "{signed}");
    }
    let query = query("GET", "/apps/4201/channels", "", "");
    refused(
        verify(&get("/apps/4201//channels", &query), None),
        401,
        "Invalid signature",
    );
}

#[test]
fn names_count_in_any_case_and_in_any_order() {
    let sorted = query("GET", "/apps/4201/channels", "info=user_count", "");
    let mut pairs: Vec<&str> = sorted.split('&').collect();
    pairs.reverse();
    let sent = pairs.join("&").replace("info=", "Info=");
    let signed = verify(&get("/apps/4201/channels", &sent), Some("4201")).unwrap();
    assert_eq!(signed.parameters.get("info"), Some("user_count"));
}

#[test]
fn a_get_may_have_the_digest_of_no_body_or_none() {
    check_escape("x", "x", "x");
    let with = query("GET", "/apps/4201/channels", "", "");
    assert!(with.contains("body_md5=d41d8cd98f00b204e9800998ecf8427e"));
    assert!(verify(&get("/apps/4201/channels", &with), Some("4201")).is_ok());
    let wrong = query("GET", "/apps/4201/channels", "", "x");
    refused(
        verify(&get("/apps/4201/channels", &wrong), None),
        401,
        "body_md5",
    );
}

#[test]
fn each_key_of_an_app_is_good_with_its_own_secret_alone() {
    let path = "/apps/4201/events";
    let good = query_by("newer", "other", "POST", path, "", "{}");
    assert!(verify(&post(path, &good, "{}"), Some("4201")).is_ok());
    let mixed = query_by("newer", SECRET, "POST", path, "", "{}");
    let mixed = verify(&post(path, &mixed, "{}"), Some("4201"));
    refused(mixed, 401, "Invalid signature");
}

#[test]
fn another_body_is_refused() {
    let path = "/apps/4201/events";
    let changed = verify(&post(path, SIGNED, &BODY.replace("true", "null")), None);
    refused(changed, 401, "Invalid body_md5");
    let other_digest = query("POST", path, "", "another body");
    let other_digest = verify(&post(path, &other_digest, "{}"), None);
    refused(other_digest, 401, "Invalid body_md5");
    let bare = "auth_key=a1b2c3d4e5f60718293a&auth_timestamp=1760000000&auth_version=1.0";
    let signature = hmac_of(SECRET, &format!("POST\n{path}\n{bare}"));
    let query = format!("{bare}&auth_signature={signature}");
    let without = verify(&post(path, &query, "{}"), None);
    refused(without, 401, "body_md5 is missing");
    assert!(verify(&post(path, &query, ""), Some("4201")).is_ok());
}

#[test]
fn a_forged_signature_is_told_what_should_have_been_signed() {
    let forged = SIGNED.replace("297ce40f", "00000000");
    let refusal = verify(&post("/apps/4201/events", &forged, BODY), None).unwrap_err();
    assert_eq!(refusal.status, 401);
    let expected = r#"Invalid signature: you should have sent HmacSHA256Hex("POST\n/apps/4201/events\nauth_key=a1b2c3d4e5f60718293a&auth_timestamp=1760000000&auth_version=1.0&body_md5=da3bea9980c7ec5beeeb849713bdeb3c", your_secret_key), but you sent "00000000c72124579380892140342d6da2248a35b68126d14af0345297dd6ac4""#;
    assert_eq!(refusal.text, expected);
    let long = SIGNED.replace("297ce40f", &"0".repeat(10_000));
    let refusal = verify(&post("/apps/4201/events", &long, BODY), None).unwrap_err();
    assert!(refusal.text.len() < 1_000);
}

#[test]
fn the_time_may_be_ten_minutes_off_and_both_times_are_said() {
    let (head, body) = post("/apps/4201/events", SIGNED, BODY);
    let at = |seconds: u64| {
        let now = Timestamp::from_secs(seconds);
        verify_by(&apps(), &head, Some("4201"), body.as_bytes(), now)
    };
    for good in [1_759_999_400, 1_760_000_600] {
        assert!(at(good).is_ok());
    }
    let text = "Timestamp expired: Given timestamp (2025-10-09T08:53:20Z) not within 600s of server time (2025-10-09T09:03:21Z)";
    refused(at(1_760_000_601), 401, text);
    refused(at(1_759_999_399), 401, "Timestamp expired");
    refused(at(u64::MAX / 1_000_000), 401, "Timestamp expired");
    for bad in ["", "soon", "1760000000.5", "-1", "99999999999999999999"] {
        let query = SIGNED.replace("1760000000", bad);
        let request = post("/apps/4201/events", &query, BODY);
        refused(verify(&request, None), 401, "auth_timestamp must be");
    }
}

#[test]
fn what_is_wrong_is_said_in_one_order() {
    let events = "/apps/4201/events";
    // The key before the time, the time before the signature, the signature before the app.
    let query = SIGNED.replace("a1b2", "zzzz").replace("=1760000000", "=1");
    refused(
        verify(&post(events, &query, BODY), None),
        400,
        "Unknown auth_key",
    );
    let query = SIGNED.replace("297c", "0000").replace("=1760000000", "=1");
    refused(
        verify(&post(events, &query, BODY), None),
        401,
        "Timestamp expired",
    );
    let query = SIGNED.replace("297c", "0000");
    refused(
        verify(&post(events, &query, BODY), Some("4202")),
        401,
        "Invalid signature",
    );
    let path = "/apps/4201/channels";
    let query = query_by("elsewhere", "third", "GET", path, "", "");
    refused(
        verify(&get(path, &query), Some("4201")),
        401,
        "not one of the app",
    );
}

#[test]
fn what_is_missing_is_named() {
    for name in [
        "auth_key",
        "auth_timestamp",
        "auth_version",
        "auth_signature",
    ] {
        let pairs = SIGNED.split('&').filter(|pair| !pair.starts_with(name));
        let query = pairs.collect::<Vec<_>>().join("&");
        let request = post("/apps/4201/events", &query, BODY);
        refused(verify(&request, None), 401, &format!("{name} is missing"));
    }
    let request = post("/apps/4201/events", "", BODY);
    refused(
        verify(&request, None),
        401,
        "a proxy on the way may have dropped it",
    );
    let query = SIGNED.replace("=1.0", "=2.0");
    let request = post("/apps/4201/events", &query, BODY);
    refused(verify(&request, None), 401, "Version not supported");
}

#[test]
fn what_was_not_signed_is_never_read() {
    let path = "/apps/4201/channels";
    let signed = query("GET", path, "", "");
    let added = format!("{signed}&info=user_count");
    refused(verify(&get(path, &added), None), 401, "Invalid signature");
    let twice = format!("{signed}&auth_signature=0");
    let found = verify(&get(path, &twice), Some("4201")).unwrap();
    assert_eq!(found.parameters.get("info"), None);
}
