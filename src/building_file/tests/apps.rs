//! Apps in a file: what is read of them, and the exact lines that mistakes are answered with.

use super::*;
use crate::model::{AppSigning, WebhookEvent};

#[test]
fn an_app_is_read_with_its_keys_webhooks_and_limits() {
    let building = read_file(
        "users: [{id: panel, email: p@example.test}]\napps:\n  - id: \"4201\"\n    name: Door signs\n    keys: [{key: new, secret: \"${ENV:PASSWORD}\"}, {key: old, secret: s2}]\n    user: panel\n    client_events: true\n    sign: all\n    webhooks: [{url: \"http://h/${ENV:PASSWORD}\", events: [cache_miss]}]\n    limits: {event_bytes: 20KiB, presence_members: 7}\n",
    )
    .unwrap();
    let [app] = building.apps.as_slice() else {
        panic!("{:?}", building.apps);
    };
    let names: Vec<&str> = app.keys.list().iter().map(|key| key.key.as_str()).collect();
    assert_eq!(names, ["new", "old"]);
    let secret = app.keys.list()[0].secret.expose();
    assert!(!secret.contains("ENV"), "it is filled in");
    let [webhook] = app.webhooks.list() else {
        panic!("{app:?}");
    };
    assert_eq!(webhook.url.expose(), format!("http://h/{secret}"));
    assert_eq!(webhook.events, [WebhookEvent::CacheMiss]);
    assert_eq!((app.sign, app.client_events), (AppSigning::All, true));
    assert_eq!(
        (app.limits.event_bytes, app.limits.presence_members),
        (20_480, 7)
    );
}

#[test]
fn an_id_is_text_and_digits() {
    check(
        "apps:\n  - {id: 4201}\n  - {id: door}\n  - {name: Signs}\n",
        &[
            "b.yaml:2:10: `id` must be text, not a number; put it in quotes",
            "b.yaml:3:10: `id` must be digits alone, such as \"4201\"",
            "b.yaml:4:5: an app has no `id`; add digits in quotes, such as `id: \"4201\"`",
        ],
    );
}

#[test]
fn an_app_and_a_key_are_there_once() {
    check(
        "apps:\n  - {id: \"1\", keys: [{key: a, secret: s}, {key: b, secret: s}]}\n  - {id: \"1\"}\n  - id: \"2\"\n    keys:\n      - secret: s\n        key: b\n  - {id: \"3\", keys: [{key: c, secret: s}, {key: c, secret: t}]}\n",
        &[
            "b.yaml:3:10: app id `1` is already used on line 2; give one of them another",
            "b.yaml:7:14: key of an app `b` is already used on line 2; give one of them another",
            "b.yaml:8:49: `keys` at `[1].key` is there twice; remove one of them",
        ],
    );
}

#[test]
fn what_is_wrong_with_a_part_of_an_app_is_told_where_it_stands() {
    check(
        "apps:\n  - id: \"1\"\n    keys:\n      - {key: a}\n      - {key: b, secrt: s}\n    webhooks:\n      - {url: \"ftp://h\", events: [cache_mis]}\n    limits: {event_bytes: 9GiB, members: 5}\n    sign: some\n",
        &[
            "b.yaml:4:9: `keys` at `[0]` has no `secret`; add what servers sign with, such as `secret: \"${ENV:SECRET}\"`",
            "b.yaml:5:18: unknown key `secrt` in a key of an app; did you mean `secret`?",
            "b.yaml:7:15: `webhooks` at `[0].url` must be an address that begins with http:// or https://",
            "b.yaml:7:35: `webhooks` at `[0].events[0]` must be channel_occupied, channel_vacated, member_added, member_removed, client_event, cache_miss or subscription_count",
            "b.yaml:8:27: `limits` at `event_bytes` must be a whole number from 1 to 1048576",
            "b.yaml:8:33: unknown key `members` in the limits; did you mean `member_bytes`?",
            "b.yaml:9:11: `some` is no sign; use rooms or all",
        ],
    );
}

#[test]
fn an_app_acts_for_a_user_that_there_is_and_signs_its_webhooks() {
    check(
        "users: [{id: panel, email: p@example.test}]\napps:\n  - {id: \"1\", user: panl}\n  - {id: \"2\", webhooks: [{url: \"http://h\"}]}\n",
        &[
            "b.yaml:3:21: there is no user `panl`; did you mean `panel`? If not: add it under `users`",
            "b.yaml:4:25: `webhooks` are signed with the app's first key, and it has none; add one to `keys`",
        ],
    );
}

#[test]
fn statuses_of_a_module_can_be_public() {
    let file = "modules: [{id: m, driver: virtual, statuses: {public: [power, level]}}]\n";
    let building = read_file(file).unwrap();
    assert_eq!(building.modules[0].statuses.public.len(), 2);
    check(
        "modules:\n  - {id: m, driver: virtual, statuses: {pubic: [power]}}\n  - {id: n, driver: virtual, statuses: {public: power}}\n",
        &[
            "b.yaml:2:41: unknown key `pubic` in the statuses; did you mean `public`?",
            "b.yaml:3:49: `statuses` at `public` must be a list of names of statuses",
        ],
    );
}
