//! Apps and their parts: what is read of them, and every mistake in its words.

use super::*;
use crate::model::{Collection, Values};

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// An app with these fields, each as JSON.
fn app(fields: &[(&str, &str)]) -> Result<ChannelApp, Vec<Wrong>> {
    let mut values = Values::none().with("id", Value::Text("4201".into()));
    for (name, text) in fields {
        let value = match *name {
            "id" | "sign" => Value::Text((*text).to_owned().into()),
            _ => Value::Json((*text).to_owned().into()),
        };
        values.put(name, value);
    }
    ChannelApp::build(values)
}

fn said(flaws: Vec<Flaw>) -> Vec<String> {
    flaws.iter().map(Flaw::to_string).collect()
}

#[track_caller]
fn check_keys(text: &str, expect: &[&str]) {
    let flaws = AppKeys::read(&json(text)).map(drop);
    let flaws = flaws.map_err(said).err().unwrap_or_default();
    assert_eq!(flaws, expect, "{text}");
}

#[track_caller]
fn check_webhooks(text: &str, expect: &[&str]) {
    let flaws = AppWebhooks::read(&json(text)).map(drop);
    let flaws = flaws.map_err(said).err().unwrap_or_default();
    assert_eq!(flaws, expect, "{text}");
}

#[track_caller]
fn check_limits(text: &str, expect: &[&str]) {
    let flaws = AppLimits::read(&json(text)).map(drop);
    let flaws = flaws.map_err(said).err().unwrap_or_default();
    assert_eq!(flaws, expect, "{text}");
}

#[test]
fn an_app_of_an_id_alone_has_what_pusher_has_by_default() {
    let app = app(&[]).unwrap();
    assert_eq!(app.keys.list(), []);
    assert_eq!(app.webhooks.list(), []);
    assert_eq!(app.limits, AppLimits::default());
    assert_eq!(
        (app.sign, app.user, app.client_events, app.raw),
        (AppSigning::Rooms, None, false, false)
    );
}

#[test]
fn a_key_is_found_by_its_name() {
    let keys = r#"[{"key": "new", "secret": "s1"}, {"key": "old", "secret": "s2"}]"#;
    let app = app(&[("keys", keys)]).unwrap();
    let secret = |key| app.key(key).map(|key| key.secret.expose());
    assert_eq!(secret("old"), Some("s2"));
    assert_eq!(secret("ol"), None);
    assert_eq!(app.keys.list()[0].key, "new");
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let keys = r#"[{"secret": "s \"1\"", "key": "a-b_C9"}]"#;
    let keys = AppKeys::read(&json(keys)).unwrap();
    assert_eq!(AppKeys::read(&json(&keys.json())), Ok(keys));
    for text in [
        r#"[{"url": "https://h/x?y=1"}]"#,
        r#"[{"url": "http://h", "events": ["cache_miss", "member_added"], "prefix": "a", "suffix": "b"}, {"url": "http://i"}]"#,
    ] {
        let webhooks = AppWebhooks::read(&json(text)).unwrap();
        assert_eq!(AppWebhooks::read(&json(&webhooks.json())), Ok(webhooks));
    }
    for text in ["{}", r#"{"event_bytes": "20KiB", "member_bytes": 7}"#] {
        let limits = AppLimits::read(&json(text)).unwrap();
        assert_eq!(AppLimits::read(&json(&limits.json())), Ok(limits));
    }
}

#[test]
fn a_webhook_is_told_everything_unless_it_says_of_what() {
    let text = r#"[{"url": "http://h"}, {"url": "http://h", "events": ["client_event", "client_event"], "prefix": "p-"}]"#;
    let webhooks = AppWebhooks::read(&json(text)).unwrap();
    let [all, some] = webhooks.list() else {
        panic!("{webhooks:?}");
    };
    assert_eq!(all.events.len(), 7);
    assert_eq!(some.events, [WebhookEvent::ClientEvent]);
    assert_eq!((some.prefix.as_str(), some.suffix.as_str()), ("p-", ""));
}

#[test]
fn every_event_of_a_webhook_has_a_word_of_its_own() {
    for word in webhooks::WEBHOOK_EVENTS {
        assert_eq!(
            WebhookEvent::of(word).map(WebhookEvent::as_str),
            Some(*word)
        );
    }
    assert_eq!(WebhookEvent::of("channel_opened"), None);
}

#[test]
fn an_amount_of_bytes_may_have_a_unit_and_a_count_has_none() {
    let bytes = |text: &str| AppLimits::read(&json(text)).unwrap().event_bytes;
    assert_eq!(bytes(r#"{"event_bytes": 300}"#), 300);
    assert_eq!(bytes(r#"{"event_bytes": "300B"}"#), 300);
    assert_eq!(bytes(r#"{"event_bytes": "20 KiB"}"#), 20_480);
    assert_eq!(bytes(r#"{"event_bytes": "1MiB"}"#), 1_048_576);
    let reason = "has `batch_events`, which must be a whole number from 1 to 1000";
    check_limits(r#"{"batch_events": "1KiB"}"#, &[reason]);
}

#[test]
fn what_is_wrong_with_a_key_is_said_where_it_stands() {
    check_keys("{}", &["must be a list"]);
    check_keys(
        "[5]",
        &["has `[0]`, which must be a map of keys and values"],
    );
    check_keys(
        r#"[{"key": "a", "secret": "s"}, {"secret": "s"}, {"key": "b"}]"#,
        &[
            "has no `key` in `[1]`; add what clients show, such as `key: a1b2c3`",
            "has no `secret` in `[2]`; add what servers sign with, such as `secret: \"${ENV:SECRET}\"`",
        ],
    );
    check_keys(
        r#"[{"key": "a b", "secret": "s"}, {"key": 5, "secret": ""}, {"key": "c", "secret": null}]"#,
        &[
            "has `[0].key`, which must be letters, digits, `-` and `_`",
            "has `[1].key`, which must be text",
            "has `[1].secret`, which must be text that is not empty",
            "has `[2].secret`, which must be text",
        ],
    );
    check_keys(
        r#"[{"key": "a", "secret": "s"}, {"key": "a", "secret": "t"}, {"key": "b", "secrt": "u"}]"#,
        &[
            "has `[1].key`, which is there twice; remove one of them",
            "has the unknown key `secrt` in `[2]`; did you mean `secret`?",
        ],
    );
}

#[test]
fn what_stands_for_a_secret_that_is_not_shown_is_no_secret() {
    check_keys(
        r#"[{"key": "a", "secret": "***"}]"#,
        &[
            "has `[0].secret`, which stands for a secret that is not shown; `riser export --secrets` has it",
        ],
    );
}

#[test]
fn what_is_wrong_with_a_webhook_is_said_where_it_stands() {
    check_webhooks(
        r#"[{"events": []}, {"url": "http://h", "events": "cache_miss"}, {"url": "http://h", "events": ["cache_miss", "cache_mis"]}]"#,
        &[
            "has `[0].events`, which must be a list of events that is not empty",
            "has `[1].events`, which must be a list of events that is not empty",
            "has `[2].events[1]`, which must be channel_occupied, channel_vacated, member_added, member_removed, client_event, cache_miss or subscription_count",
        ],
    );
    check_webhooks(
        r#"[{"prefix": "a"}, {"url": "http://h", "prefix": 5, "sufix": "x"}]"#,
        &[
            "has no `url` in `[0]`; add where to post, such as `url: \"http://127.0.0.1:9000/hooks\"`",
            "has `[1].prefix`, which must be text",
            "has the unknown key `sufix` in `[1]`; did you mean `suffix`?",
        ],
    );
    for url in ["h", "ftp://h", "http://", "https://h x", "HTTP://h"] {
        let text = format!(r#"[{{"url": "{url}"}}]"#);
        let reason = "has `[0].url`, which must be an address that begins with http:// or https://";
        check_webhooks(&text, &[reason]);
    }
}

#[test]
fn a_limit_has_a_bound_of_its_own() {
    check_limits("[]", &["must be a map of keys and values"]);
    check_limits(
        r#"{"event_bytes": "2MiB", "presence_members": 0, "presence_member": 1, "member_bytes": 1.5}"#,
        &[
            "has `event_bytes`, which must be a whole number from 1 to 1048576",
            "has `presence_members`, which must be a whole number from 1 to 100000",
            "has the unknown key `presence_member`; did you mean `presence_members`?",
            "has `member_bytes`, which must be a whole number from 1 to 65536",
        ],
    );
    let most = r#"{"event_bytes": "1MiB", "channels_per_event": 1000, "batch_events": 1000, "client_events_per_second": 10000, "presence_members": 100000, "member_bytes": "64KiB"}"#;
    check_limits(most, &[]);
}

#[test]
fn what_is_shown_has_no_secret_and_what_was_shown_can_be_given_back() {
    let keys = r#"[{"key": "a", "secret": "hunter2"}, {"key": "b", "secret": "hunter3"}]"#;
    let keys = AppKeys::read(&json(keys)).unwrap();
    assert_eq!(keys.shown(), r#"[{"key":"a"},{"key":"b"}]"#);
    let back = |given: &str| {
        let whole = keys.completed(&json(given)).unwrap();
        AppKeys::read(&json(&whole)).map_err(said)
    };
    assert_eq!(back(&keys.shown()), Ok(keys.clone()));
    let replaced = back(r#"[{"key": "new", "secret": "s"}, {"key": "b"}]"#).unwrap();
    let secrets = replaced.list().iter().map(|key| key.secret.expose());
    assert_eq!(secrets.collect::<Vec<_>>(), ["s", "hunter3"]);
    assert_eq!(back(r#"[{"key": "c"}]"#).unwrap_err().len(), 1);
    assert_eq!(keys.completed(&json("{}")), None);

    let webhooks = r#"[{"url": "http://h/x?t=hunter2"}, {"url": "http://h/x?t=hunter3", "prefix": "p"}, {"url": "http://a:hunter2@h/"}, {"url": "http://h/"}]"#;
    let webhooks = AppWebhooks::read(&json(webhooks)).unwrap();
    let shown = webhooks.shown();
    assert!(!shown.contains("hunter"), "{shown}");
    let back = |given: &str| {
        let whole = webhooks.completed(&json(given)).unwrap();
        AppWebhooks::read(&json(&whole)).map_err(said)
    };
    assert_eq!(back(&shown), Ok(webhooks.clone()));
    let moved = back(r#"[{"url": "http://***@h/"}]"#).unwrap();
    assert_eq!(moved.list()[0].url.expose(), "http://a:hunter2@h/");
    let reason =
        "has `[0].url`, which stands for an address that is not shown; write the whole address";
    for given in [
        r#"[{"url": "http://***@i/"}]"#,
        r#"[{"url": "http://i/?***"}]"#,
    ] {
        assert_eq!(back(given), Err(vec![reason.to_owned()]), "{given}");
    }
}

#[test]
fn an_id_is_digits_and_who_has_webhooks_has_a_key_to_sign_them_with() {
    let fields = |fields: &[(&str, &str)]| {
        let mistakes = app(fields).unwrap().mistakes().into_iter();
        mistakes.map(|wrong| wrong.field).collect::<Vec<_>>()
    };
    let webhooks = ("webhooks", r#"[{"url": "http://h"}]"#);
    let keys = ("keys", r#"[{"key": "a", "secret": "s"}]"#);
    assert_eq!(fields(&[]), [""; 0]);
    assert_eq!(fields(&[keys, webhooks]), [""; 0]);
    assert_eq!(fields(&[webhooks]), ["webhooks"]);
    for id in ["42a", "-1", "4 2", "٤٢"] {
        assert_eq!(fields(&[("id", id)]), ["id"], "{id}");
    }
}

#[test]
fn what_is_no_part_of_an_app_is_refused_by_its_field() {
    let cases = [
        ("keys", "{}"),
        ("keys", r#"[{"key": "a"}]"#),
        ("webhooks", r#"[{}]"#),
        ("limits", r#"{"x": 1}"#),
        ("sign", "some"),
    ];
    for (field, text) in cases {
        let wrong = app(&[(field, text)]).unwrap_err();
        assert_eq!(wrong[0].field, field, "{text}");
    }
}

#[test]
fn neither_a_flaw_nor_what_is_shown_for_debugging_has_a_secret() {
    let keys = r#"[{"key": "a", "secret": "hunter2"}]"#;
    let webhooks = r#"[{"url": "https://ann:hunter2@h/hunter2"}]"#;
    let app = app(&[("keys", keys), ("webhooks", webhooks)]).unwrap();
    let shown = format!("{app:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    for text in [
        r#"[{"key": "a", "secret": ["hunter2"]}]"#,
        r#"[{"key": "hunter2 hunter2", "secret": "hunter2"}]"#,
        r#"["hunter2"]"#,
    ] {
        let flaws = format!("{:?}", AppKeys::read(&json(text)));
        assert!(!flaws.contains("hunter2"), "{flaws}");
    }
    for text in [
        r#"[{"url": "hunter2"}]"#,
        r#"[{"url": "http://hunter2", "events": ["hunter2"]}]"#,
        r#"[{"url": ["hunter2"]}]"#,
    ] {
        let flaws = format!("{:?}", AppWebhooks::read(&json(text)));
        assert!(!flaws.contains("hunter2"), "{flaws}");
    }
}
