//! What is asked of channels and users, and what is answered.

use super::*;
use crate::dialects::pusher::channel::Access;
use crate::dialects::pusher::frames::message;
use crate::dialects::pusher::rest::{Attributes, channel, channels, stats, users};
use crate::model::{Occupancy, TopicId, TopicQuery};

fn topic(channel: &str) -> TopicId {
    TopicId::new(&format!("4201/{channel}")).unwrap()
}

const SOME: Occupancy = Occupancy {
    connections: 3,
    users: 2,
};

/// What is wanted of channels with this `info`.
fn wanted_of_all(parameters: &str) -> (TopicQuery, Attributes) {
    let asked = ask("GET", "/apps/4201/channels", parameters, "").unwrap();
    let ApiRequest::Channels { query, attributes } = asked else {
        panic!("{asked:?}");
    };
    (query, attributes)
}

#[test]
fn channels_are_asked_by_their_beginning() {
    let (query, attributes) = wanted_of_all("");
    let prefix = |text: &str| TopicQuery::Occupied {
        prefix: text.to_owned(),
    };
    assert_eq!(query, prefix("4201/"));
    let found = [
        (topic("#@users"), SOME),
        (topic("#server-to-user-u-7"), SOME),
        (topic("a"), SOME),
        (topic("empty"), Occupancy::default()),
        (topic("presence-b"), SOME),
    ];
    let all = r#"{"channels":{"a":{},"presence-b":{}}}"#;
    assert_eq!(channels(&found, &attributes), all);
    assert_eq!(channels(&[], &attributes), r#"{"channels":{}}"#);
    let (query, attributes) = wanted_of_all("filter_by_prefix=presence-&info=user_count");
    assert_eq!(query, prefix("4201/presence-"));
    let counted = r#"{"channels":{"presence-b":{"user_count":2}}}"#;
    assert_eq!(channels(&found[4..], &attributes), counted);
}

#[test]
fn counts_of_users_are_there_for_presence_channels_alone() {
    for parameters in [
        "info=user_count",
        "filter_by_prefix=private-&info=user_count",
        "filter_by_prefix=presence-&info=subscription_count",
        "filter_by_prefix=presence-&info=user_count,colour",
    ] {
        let asked = ask("GET", "/apps/4201/channels", parameters, "");
        refused(asked, 400, "`");
    }
}

/// What is answered of a channel with three connections and two users.
fn answered(name: &str, info: &str, last: Option<&str>) -> Result<String, ApiRefusal> {
    let path = format!("/apps/4201/channels/{name}");
    let asked = ask("GET", &path, &format!("info={info}"), "")?;
    let ApiRequest::Channel {
        topic,
        shows,
        attributes,
    } = asked
    else {
        panic!("{asked:?}");
    };
    assert_eq!((&topic, shows), (&self::topic(name), None));
    let last = last.map(|data| (message("x", data, None), 60));
    Ok(channel(&attributes, SOME, last.as_ref()))
}

#[test]
fn a_channel_says_what_it_is_asked() {
    let check = |name, info, expect: &str| {
        assert_eq!(answered(name, info, Some("{\"a\": 1.0}")).unwrap(), expect);
    };
    check("a", "", r#"{"occupied":true}"#);
    let subscriptions = r#"{"occupied":true,"subscription_count":3}"#;
    check("a", "subscription_count", subscriptions);
    let both = r#"{"occupied":true,"user_count":2,"subscription_count":3}"#;
    check("presence-a", "user_count,subscription_count", both);
    let cached = r#"{"occupied":true,"cache":{"data":"{\"a\": 1.0}","ttl":60}}"#;
    check("cache-a", "cache", cached);
    let nothing = answered("private-cache-a", "cache", None).unwrap();
    assert_eq!(nothing, r#"{"occupied":true,"cache":null}"#);
}

#[test]
fn an_empty_channel_is_one_that_is_not_occupied() {
    let empty = channel(&Attributes::default(), Occupancy::default(), None);
    assert_eq!(empty, r#"{"occupied":false}"#);
}

#[test]
fn an_attribute_that_does_not_fit_the_channel_is_refused() {
    for (name, info) in [
        ("a", "user_count"),
        ("a", "cache"),
        ("presence-a", "colour"),
    ] {
        refused(answered(name, info, None), 400, "`info` can have here");
    }
    refused(answered("a%20b", "", None), 400, "Invalid channel name");
}

#[test]
fn only_presence_channels_have_users() {
    let asked = ask("GET", "/apps/4201/channels/presence-a/users", "", "").unwrap();
    let query = TopicQuery::Users(topic("presence-a"));
    assert_eq!(asked, ApiRequest::Users(query));
    let found: [Arc<str>; 2] = ["1035".into(), "u-7".into()];
    assert_eq!(users(&found), r#"{"users":[{"id":"1035"},{"id":"u-7"}]}"#);
    assert_eq!(users(&[]), r#"{"users":[]}"#);
    let public = ask("GET", "/apps/4201/channels/a/users", "", "");
    refused(public, 400, "Only presence channels");
}

#[test]
fn the_words_of_2012_are_answered_as_then() {
    let asked = ask("GET", "/apps/4201/channels/presence-a/stats", "", "").unwrap();
    let access = Access::Presence;
    let topic = topic("presence-a");
    assert_eq!(asked, ApiRequest::Stats { topic, access });
    let presence = r#"{"occupied":true,"user_count":2,"connection_count":3}"#;
    assert_eq!(stats(access, SOME), presence);
    let public = r#"{"occupied":false,"connection_count":0}"#;
    assert_eq!(stats(Access::Public, Occupancy::default()), public);
}

#[test]
fn a_users_connections_are_ended_by_both_paths() {
    for path in [
        "/users/u-7/terminate_connections",
        "/apps/4201/users/u-7/terminate_connections",
    ] {
        let asked = ask("POST", path, "", "{}").unwrap();
        let ApiRequest::Terminate(publication) = asked else {
            panic!("{asked:?}");
        };
        assert_eq!(publication.topic, topic("#@users"));
        assert_eq!(publication.message.as_str(), r#"{"terminate":"u-7"}"#);
    }
    let long = format!("/users/{}/terminate_connections", "u".repeat(201));
    refused(ask("POST", &long, "", "{}"), 400, "1 to 200 characters");
}

#[test]
fn a_notification_is_taken_and_a_bad_one_refused() {
    let path = "/server_api/v1/apps/4201/notifications";
    let good = r#"{"interests":["boiler"],"gcm":{"notification":{"title":"hot"}}}"#;
    let asked = ask("POST", path, "", good).unwrap();
    assert!(matches!(asked, ApiRequest::Notify(_)));
    let bad = ask("POST", path, "", r#"{"interests":[],"gcm":{}}"#);
    refused(bad, 400, "1 to 10 interests");
}
