//! Requests as Pushjet's clients send them, and the answers that they look at.

use std::sync::Arc;

use crate::dialects::pushjet::errors::PushjetError;
use crate::dialects::pushjet::rest::{
    ApiRequest, Endpoint, Parameters, created, done, error, messages, service, subscriptions,
};
use crate::dialects::pushjet::stage;
use crate::model::fuzz::fuzz_text;
use crate::model::{
    DeviceId, MessageLevel, Notice, ServiceKey, ServiceSecret, ServiceView, Subscription, Timestamp,
};

const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

const SECRET: &str = "0123456789abcdefABCDEF0123456789";

const UNKNOWN_SECRET: &str = "1123456789abcdefABCDEF0123456789";

const UNKNOWN_KEY: &str = "43c2-9317cc-eb3c7a3c4854-3e9b6-59e9e5a10";

/// The one service of the tests.
fn boiler() -> ServiceView {
    ServiceView {
        key: ServiceSecret::parse(SECRET).unwrap().public_key(),
        ..stage::service('a', "Boiler \"1\"")
    }
}

fn find(key: &ServiceKey) -> Option<ServiceView> {
    Some(boiler()).filter(|service| service.key == *key)
}

fn device() -> DeviceId {
    DeviceId::of_uuid(UUID).unwrap()
}

/// Fills in what the tests do not spell out.
fn filled(text: &str) -> String {
    text.replace("UUID", UUID)
        .replace("UNKNOWN_SECRET", UNKNOWN_SECRET)
        .replace("UNKNOWN_KEY", UNKNOWN_KEY)
        .replace("SECRET", SECRET)
        .replace("KEY", boiler().key.as_str())
}

/// Asks, with a query and a form.
fn ask(method: &str, target: &str, form: &str) -> Result<ApiRequest, PushjetError> {
    let (target, form) = (filled(target), filled(form));
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut all = Endpoint::ALL.into_iter();
    let endpoint = all.find(|(_, by, at)| (*by, *at) == (method, path));
    let (endpoint, ..) = endpoint.expect("there is such a resource");
    let parameters = Parameters::read(None, query, form.as_bytes());
    ApiRequest::read(endpoint, &parameters, find)
}

#[track_caller]
fn refused(method: &str, target: &str, form: &str, status: u16, body: &str) {
    let error = ask(method, target, form).unwrap_err();
    let answer = super::error(&error);
    assert_eq!(answer.status, status, "{method} {target} {form}");
    let expect = format!(r#"{{"error":{body}}}"#);
    assert_eq!(String::from_utf8(answer.body).unwrap(), expect);
}

const BAD_UUID: (u16, &str) = (400, r#"{"id":1,"message":"Invalid client uuid"}"#);
const BAD_SERVICE: (u16, &str) = (400, r#"{"id":2,"message":"Invalid service"}"#);
const BAD_SECRET: (u16, &str) = (400, r#"{"id":3,"message":"Invalid secret"}"#);
const NOT_FOUND: (u16, &str) = (404, r#"{"id":6,"message":"Service not found"}"#);
const NO_UUID: (u16, &str) = (400, r#"{"id":7,"message":"Missing argument uuid"}"#);
const NO_SERVICE: (u16, &str) = (400, r#"{"id":7,"message":"Missing argument service"}"#);
const NO_SECRET: (u16, &str) = (400, r#"{"id":7,"message":"Missing argument secret"}"#);

#[test]
fn a_service_is_made_with_a_name_and_perhaps_an_icon() {
    for (form, name, icon) in [
        ("name=Lobby", "Lobby", ""),
        (
            "name=++Lobby+&icon=http://a.test/x.png",
            "Lobby",
            "http://a.test/x.png",
        ),
    ] {
        let (name, icon) = (name.to_owned(), icon.to_owned());
        let expect = ApiRequest::CreateService { name, icon };
        assert_eq!(ask("POST", "/service", form), Ok(expect));
    }
    let missing = r#"{"id":7,"message":"Missing argument name"}"#;
    for form in ["", "name=", "name=+++", "icon=x"] {
        refused("POST", "/service?name=Lobby", form, 400, missing);
    }
    let long = format!("name=x&icon={}", "x".repeat(2_049));
    let too_long = r#"{"id":12,"message":"icon may have 2048 bytes"}"#;
    refused("POST", "/service", &long, 413, too_long);
}

#[test]
fn a_service_is_read_by_its_key_or_its_secret_and_the_key_goes_before() {
    let expect = Ok(ApiRequest::ReadService(boiler()));
    for query in [
        "service=KEY",
        "secret=SECRET",
        "service=KEY&secret=bad",
        "service=&secret=SECRET",
    ] {
        assert_eq!(ask("GET", &format!("/service?{query}"), ""), expect);
    }
    for (query, (status, body)) in [
        ("service=bad", BAD_SERVICE),
        ("service=UNKNOWN_KEY", NOT_FOUND),
        ("secret=bad", BAD_SECRET),
        ("secret=UNKNOWN_SECRET", NOT_FOUND),
        ("", NO_SERVICE),
    ] {
        refused("GET", &format!("/service?{query}"), "", status, body);
    }
}

#[test]
fn a_service_is_changed_by_who_has_its_secret() {
    let service = boiler().key;
    let edit = |name: Option<&str>, icon: Option<&str>| {
        Ok(ApiRequest::EditService {
            service: service.clone(),
            name: name.map(str::to_owned),
            icon: icon.map(str::to_owned),
        })
    };
    let at = "/service?secret=SECRET";
    assert_eq!(ask("PATCH", at, "name=+New+"), edit(Some("New"), None));
    assert_eq!(ask("PATCH", at, "icon="), edit(None, Some("")));
    assert_eq!(ask("PATCH", at, "name=&icon=x"), edit(None, Some("x")));
    let deleted = Ok(ApiRequest::DeleteService(service.clone()));
    assert_eq!(ask("DELETE", "/service", "secret=SECRET"), deleted);
    let nothing = r#"{"id":10,"message":"No changes were made"}"#;
    for form in ["", "name=", "name=++"] {
        refused("PATCH", at, form, 400, nothing);
    }
}

#[test]
fn a_secret_is_looked_at_before_what_it_is_shown_for() {
    for (method, path) in [
        ("PATCH", "/service"),
        ("DELETE", "/service"),
        ("POST", "/message"),
    ] {
        for (form, (status, body)) in [
            ("", NO_SECRET),
            ("secret=bad", BAD_SECRET),
            ("secret=UNKNOWN_SECRET", NOT_FOUND),
        ] {
            refused(method, path, form, status, body);
        }
    }
}

#[test]
fn a_device_subscribes_and_ends_it_by_a_form() {
    let subscribe = Ok(ApiRequest::Subscribe(device(), boiler()));
    assert_eq!(
        ask("POST", "/subscription?uuid=UUID", "service=KEY"),
        subscribe
    );
    let end = Ok(ApiRequest::Unsubscribe(device(), boiler().key));
    assert_eq!(ask("DELETE", "/subscription?uuid=UUID", "service=KEY"), end);
    for method in ["POST", "DELETE"] {
        for (form, (status, body)) in [
            ("service=bad", NO_UUID),
            ("uuid=bad&service=bad", BAD_UUID),
            ("uuid=UUID", NO_SERVICE),
            ("uuid=UUID&service=bad", BAD_SERVICE),
            ("uuid=UUID&service=UNKNOWN_KEY", NOT_FOUND),
        ] {
            refused(method, "/subscription", form, status, body);
        }
    }
}

#[test]
fn a_device_is_the_same_in_either_case() {
    let upper = UUID.to_uppercase();
    for (method, path, expect) in [
        ("GET", "/subscription", ApiRequest::Subscriptions(device())),
        ("GET", "/message", ApiRequest::TakeMessages(device())),
        ("DELETE", "/message", ApiRequest::ReadMessages(device())),
    ] {
        let target = format!("{path}?uuid={upper}");
        assert_eq!(ask(method, &target, ""), Ok(expect));
        let (status, body) = NO_UUID;
        refused(method, path, "", status, body);
        let (status, body) = BAD_UUID;
        refused(method, path, "uuid=7", status, body);
    }
}

#[test]
fn a_message_is_sent_by_who_has_the_secret() {
    let form = "message=hot&title=Boiler&link=http://a.test&level=4";
    let notice = Notice {
        text: "hot".to_owned(),
        title: "Boiler".to_owned(),
        link: "http://a.test".to_owned(),
        level: MessageLevel::FAULT,
    };
    let expect = Ok(ApiRequest::Send(boiler().key, notice));
    assert_eq!(ask("POST", "/message?secret=SECRET", form), expect);
    let missing = r#"{"id":7,"message":"Missing argument message"}"#;
    for query in ["secret=SECRET", "secret=SECRET&message=hot"] {
        refused("POST", &format!("/message?{query}"), "", 400, missing);
    }
}

/// As Apprise sends it.
#[test]
fn json_with_nulls_that_is_said_to_be_a_form_is_a_message() {
    let body = r#"{"title":"Boiler","message":"hot","link":null,"level":null}"#;
    let Ok(ApiRequest::Send(_, notice)) = ask("POST", "/message?secret=SECRET", body) else {
        panic!("it is sent");
    };
    assert_eq!(
        (&*notice.text, &*notice.title, &*notice.link),
        ("hot", "Boiler", "")
    );
    assert_eq!(notice.level, MessageLevel::USUAL);
}

#[test]
fn phones_find_what_they_ask_for_when_they_start() {
    let answered = |method, target, form| match ask(method, target, form) {
        Ok(ApiRequest::Answered(answer)) => String::from_utf8(answer.body).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(answered("GET", "/gcm", ""), r#"{"sender_id":509878466986}"#);
    for form in ["regid=x", "regId=x"] {
        assert_eq!(
            answered("POST", "/gcm?uuid=UUID", form),
            r#"{"status":"ok"}"#
        );
    }
    assert_eq!(
        answered("DELETE", "/gcm?uuid=UUID", ""),
        r#"{"status":"ok"}"#
    );
    let missing = r#"{"id":7,"message":"Missing argument regid"}"#;
    refused("POST", "/gcm?uuid=UUID", "regid=", 400, missing);
    let (status, body) = BAD_UUID;
    refused("POST", "/gcm?uuid=7", "regid=x", status, body);
    refused("DELETE", "/gcm?uuid=7", "", status, body);
    let version = answered("GET", "/version", "");
    assert!(version.len() == 7 && version.bytes().all(|digit| digit.is_ascii_hexdigit()));
}

#[test]
fn answers_have_texts_where_nothing_is_and_the_secret_once() {
    let boiler = boiler();
    let key = &boiler.key;
    let shape = format!(r#""public":"{key}","name":"Boiler \"1\"","icon":"","created":1760000000"#);
    let text = |answer: super::Answer| {
        assert_eq!(
            (answer.status, answer.content_type),
            (200, "application/json")
        );
        String::from_utf8(answer.body).unwrap()
    };
    assert_eq!(
        text(service(&boiler)),
        format!(r#"{{"service":{{{shape}}}}}"#)
    );
    let secret = ServiceSecret::parse(SECRET).unwrap();
    let made = text(created(&boiler, &secret));
    let with_secret = shape.replace(r#","name""#, &format!(r#","secret":"{SECRET}","name""#));
    assert_eq!(made, format!(r#"{{"service":{{{with_secret}}}}}"#));
    assert_eq!(text(done()), r#"{"status":"ok"}"#);

    let mut message = (*stage::message('a', 1, "hot 🔥")).clone();
    message.service = key.clone();
    let gone = stage::message('b', 2, "gone");
    let unread = text(messages(&[Arc::new(message), gone], find));
    let expect = format!(
        r#"{{"messages":[{{"service":{{{shape}}},"message":"hot 🔥","title":"","link":"","level":3,"timestamp":1760000001}}]}}"#
    );
    assert_eq!(unread, expect);

    let subscription = |service: &ServiceKey| Subscription {
        service: service.clone(),
        since: Timestamp::from_secs(1_760_000_002),
        checked: Timestamp(1_760_000_003_999_999),
    };
    let list = [
        subscription(key),
        subscription(&stage::service('b', "").key),
    ];
    let expect = format!(
        r#"{{"subscriptions":[{{"uuid":"{UUID}","service":{{{shape}}},"timestamp":1760000002,"timestamp_checked":1760000003}}]}}"#
    );
    assert_eq!(text(subscriptions(&device(), &list, find)), expect);
    let none = subscriptions(&device(), &[], find);
    assert_eq!(text(none), r#"{"subscriptions":[]}"#);
}

const WORDS: [&str; 14] = [
    "uuid=",
    "secret=",
    "service=",
    "message=",
    "level=",
    "&",
    "%",
    "{",
    "\"",
    "null",
    "--x\r\n",
    "name=\"message\"",
    "é",
    "\\ud800",
];

#[test]
fn fuzz_requests() {
    let form = filled("uuid=UUID&secret=SECRET&service=KEY&message=a&name=b&icon=c&regid=d");
    let json =
        filled(r#"{"uuid":"UUID","secret":"SECRET","service":"KEY","message":"a","level":4}"#);
    let parts =
        filled("--x\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\nSECRET\r\n--x--\r\n");
    fuzz_text(&[&form, &json, &parts], &WORDS, |text| {
        for (endpoint, ..) in Endpoint::ALL {
            for label in [None, Some("multipart/form-data; boundary=x")] {
                let parameters = Parameters::read(label, text, text.as_bytes());
                let answer = match ApiRequest::read(endpoint, &parameters, find) {
                    Ok(ApiRequest::Answered(answer)) => answer,
                    Ok(_) => continue,
                    Err(wrong) => {
                        let answer = error(&wrong);
                        assert!([400, 404, 413].contains(&answer.status), "{wrong:?}");
                        answer
                    }
                };
                let body = String::from_utf8(answer.body).unwrap();
                assert!(!body.contains(SECRET), "{body}");
            }
        }
    });
}
