//! What is told of an app's channels, to whom, and when.

use std::sync::Arc;
use std::time::Duration;

use crate::dialects::pusher::frames::message;
use crate::dialects::pusher::signature::is_signed;
use crate::dialects::pusher::webhooks::{Attempt, Webhooks};
use crate::model::{
    AppId, AppKeys, AppLimits, AppSigning, AppWebhooks, ChannelApp, ClusterConnectionId, JsonText,
    Publisher, Reported, Timestamp, TopicId, TopicReport,
};

const PAUSE: Duration = Duration::from_secs(1);

/// A moment in milliseconds.
fn at(milliseconds: u64) -> Timestamp {
    Timestamp(milliseconds * 1_000)
}

fn app(webhooks: &str) -> ChannelApp {
    let text = |json: &str| JsonText::parse(json).unwrap();
    let keys = r#"[{"key":"a1b2c3d4e5f60718293a","secret":"b0a1c2d3e4f506172839"},{"key":"newer","secret":"other"}]"#;
    ChannelApp {
        id: AppId::new("4201").unwrap(),
        name: String::new(),
        keys: AppKeys::read(&text(keys)).unwrap(),
        user: None,
        client_events: true,
        subscription_counts: false,
        raw: false,
        sign: AppSigning::Rooms,
        webhooks: AppWebhooks::read(&text(webhooks)).unwrap(),
        limits: AppLimits::default(),
    }
}

/// The webhooks of an app.
struct Stage {
    app: ChannelApp,
    webhooks: Webhooks,
}

impl Stage {
    fn new(webhooks: &str) -> Self {
        let mut stage = Self {
            app: app("[]"),
            webhooks: Webhooks::default(),
        };
        stage.configure(webhooks);
        stage
    }

    fn configure(&mut self, webhooks: &str) {
        self.app = app(webhooks);
        self.webhooks.configure([&self.app]);
    }

    fn report(&mut self, milliseconds: u64, channel: &str, what: Reported) {
        let topic = TopicId::new(&format!("4201/{channel}")).unwrap();
        let now = at(milliseconds);
        let report = TopicReport {
            topic,
            at: now,
            what,
        };
        self.webhooks.report(report, now);
    }

    fn begin(&mut self, milliseconds: u64) -> Vec<Attempt> {
        self.webhooks.begin(at(milliseconds))
    }

    /// Has everything delivered up to this moment; gives the events.
    fn deliver(&mut self, milliseconds: u64) -> Vec<String> {
        let mut events = Vec::new();
        for attempt in self.begin(milliseconds) {
            events.extend(said(&attempt));
            self.webhooks.delivered(attempt.receiver);
        }
        events
    }
}

const ALL: &str = r#"[{"url":"http://a.test/hooks"}]"#;

/// The events of a request, each as JSON.
fn said(attempt: &Attempt) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_str(&attempt.body).unwrap();
    let events = body["events"].as_array().unwrap().iter();
    events.map(ToString::to_string).collect()
}

fn user(id: &str) -> Arc<str> {
    id.into()
}

#[test]
fn a_request_is_signed_over_its_body_with_the_first_key() {
    let mut stage = Stage::new(ALL);
    stage.report(1_760_000_000_123, "presence-room-3.07", Reported::Occupied);
    let attempt = stage.begin(1_760_000_000_123).remove(0);
    let body = r#"{"time_ms":1760000000123,"events":[{"name":"channel_occupied","channel":"presence-room-3.07"}]}"#;
    assert_eq!(attempt.body, body);
    assert_eq!(attempt.key, "a1b2c3d4e5f60718293a");
    // Computed by Pusher's own library for Python.
    let signature = "2b4eb7286cda21dc2c8473f3ddd81b9b1521356ee25f65c63d65b6657c9daf7a";
    assert_eq!(attempt.signature, signature);
    assert_eq!(attempt.url.expose(), "http://a.test/hooks");
}

#[test]
fn each_report_has_its_words() {
    let mut stage = Stage::new(ALL);
    stage.report(0, "presence-a", Reported::Occupied);
    stage.report(0, "presence-a", Reported::Joined(user("u-7")));
    stage.report(0, "private-cache-a", Reported::Missed);
    stage.report(0, "a", Reported::Count(5));
    let published = |user: Option<&str>| Reported::Published {
        by: Publisher {
            connection: ClusterConnectionId::parse("12.34").unwrap(),
            user: user.map(Arc::from),
        },
        message: message("client-x", "{\"n\": 1.0}", user),
    };
    stage.report(0, "presence-a", published(Some("u-7")));
    stage.report(0, "private-a", published(None));
    stage.report(0, "presence-a", Reported::Left(user("u-7")));
    stage.report(0, "presence-a", Reported::Vacated);
    assert_eq!(
        stage.deliver(0),
        [
            r#"{"name":"channel_occupied","channel":"presence-a"}"#,
            r#"{"name":"member_added","channel":"presence-a","user_id":"u-7"}"#,
            r#"{"name":"cache_miss","channel":"private-cache-a"}"#,
            r#"{"name":"subscription_count","channel":"a","subscription_count":5}"#,
            r#"{"name":"client_event","channel":"presence-a","event":"client-x","data":"{\"n\": 1.0}","socket_id":"12.34","user_id":"u-7"}"#,
            r#"{"name":"client_event","channel":"private-a","event":"client-x","data":"{\"n\": 1.0}","socket_id":"12.34"}"#,
        ]
    );
    assert_eq!(
        stage.deliver(3_000),
        [
            r#"{"name":"member_removed","channel":"presence-a","user_id":"u-7"}"#,
            r#"{"name":"channel_vacated","channel":"presence-a"}"#,
        ]
    );
}

#[test]
fn who_comes_back_within_the_grace_was_never_away() {
    let mut stage = Stage::new(ALL);
    stage.report(0, "a", Reported::Left(user("u-7")));
    stage.report(0, "a", Reported::Vacated);
    assert_eq!(stage.webhooks.next(at(0)), Some(at(3_000)));
    stage.report(2_999, "a", Reported::Occupied);
    stage.report(2_999, "a", Reported::Joined(user("u-7")));
    assert_eq!(stage.deliver(10_000), [""; 0]);
    assert_eq!(stage.webhooks.next(at(10_000)), None);
}

#[test]
fn who_comes_back_later_went_and_came() {
    let mut stage = Stage::new(ALL);
    stage.report(0, "a", Reported::Vacated);
    stage.report(3_000, "a", Reported::Occupied);
    let names = ["vacated", "occupied"];
    let expect = names.map(|name| format!(r#"{{"name":"channel_{name}","channel":"a"}}"#));
    assert_eq!(stage.deliver(3_000), expect);
}

#[test]
fn reports_that_come_late_and_together_are_held_against_their_own_times() {
    let mut stage = Stage::new(ALL);
    let mut report = |milliseconds: u64, what| {
        let topic = TopicId::new("4201/a").unwrap();
        let happened = at(milliseconds);
        let report = TopicReport {
            topic,
            at: happened,
            what,
        };
        stage.webhooks.report(report, at(60_000));
    };
    report(0, Reported::Left(user("u-1")));
    report(0, Reported::Vacated);
    report(20_000, Reported::Occupied);
    report(20_000, Reported::Vacated);
    report(21_000, Reported::Occupied);
    let names: Vec<String> = stage.deliver(60_000);
    assert_eq!(
        names,
        [
            r#"{"name":"member_removed","channel":"a","user_id":"u-1"}"#,
            r#"{"name":"channel_vacated","channel":"a"}"#,
            r#"{"name":"channel_occupied","channel":"a"}"#,
        ]
    );
}

#[test]
fn misses_of_one_channel_that_come_together_are_one() {
    let mut stage = Stage::new(ALL);
    for moment in [0, 1, 9_999] {
        stage.report(moment, "cache-a", Reported::Missed);
    }
    stage.report(9_999, "cache-b", Reported::Missed);
    assert_eq!(stage.deliver(9_999).len(), 2);
    stage.deliver(10_000);
    stage.report(10_001, "cache-a", Reported::Missed);
    assert_eq!(stage.deliver(10_001).len(), 1);
}

#[test]
fn the_count_of_a_crowd_is_told_seldom_and_in_the_end() {
    let mut stage = Stage::new(ALL);
    let counts = |stage: &mut Stage, moment| -> Vec<u64> {
        let events = stage.deliver(moment);
        let count = |event: &String| {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            event["subscription_count"].as_u64().unwrap()
        };
        events.iter().map(count).collect()
    };
    for count in 99..=105 {
        stage.report(0, "a", Reported::Count(count));
    }
    assert_eq!(counts(&mut stage, 0), [99, 100, 101]);
    assert_eq!(counts(&mut stage, 4_999), [0; 0]);
    assert_eq!(counts(&mut stage, 5_000), [105]);
    stage.report(6_000, "a", Reported::Count(106));
    assert_eq!(counts(&mut stage, 6_000), [0; 0]);
    stage.report(7_000, "a", Reported::Count(50));
    assert_eq!(counts(&mut stage, 20_000), [50]);
    assert_eq!(stage.webhooks.next(at(20_000)), None);
}

#[test]
fn a_receiver_is_told_what_it_wants() {
    let mut stage = Stage::new(
        r#"[{"url":"http://a.test","events":["channel_occupied"]},{"url":"http://b.test","prefix":"presence-","suffix":"-x"}]"#,
    );
    stage.report(0, "presence-a-x", Reported::Occupied);
    stage.report(0, "presence-a-x", Reported::Joined(user("u-1")));
    stage.report(0, "presence-a", Reported::Joined(user("u-1")));
    stage.report(0, "a", Reported::Occupied);
    let told: Vec<_> = stage.begin(0).iter().map(said).collect();
    let occupied = |channel| format!(r#"{{"name":"channel_occupied","channel":"{channel}"}}"#);
    let joined = r#"{"name":"member_added","channel":"presence-a-x","user_id":"u-1"}"#;
    let first = vec![occupied("presence-a-x"), occupied("a")];
    assert_eq!(
        told,
        [first, vec![occupied("presence-a-x"), joined.to_owned()]]
    );
}

#[test]
fn nothing_is_told_of_internal_topics_and_of_other_apps() {
    let mut stage = Stage::new(ALL);
    stage.report(0, "#@users", Reported::Joined(user("u-7")));
    stage.report(0, "#server-to-user-u-7", Reported::Occupied);
    let topic = TopicId::new("4202/a").unwrap();
    let (at, what) = (at(0), Reported::Occupied);
    stage.webhooks.report(TopicReport { topic, at, what }, at);
    assert_eq!(stage.deliver(10_000), [""; 0]);
}

#[test]
fn a_failed_request_is_sent_again_with_a_fresh_time_and_holds_up_no_other_receiver() {
    let mut stage = Stage::new(r#"[{"url":"http://a.test"},{"url":"http://b.test"}]"#);
    stage.report(0, "a", Reported::Occupied);
    let [first, second] = <[Attempt; 2]>::try_from(stage.begin(0)).unwrap();
    stage.webhooks.failed(first.receiver, at(10), PAUSE);
    stage.webhooks.delivered(second.receiver);
    stage.report(20, "b", Reported::Occupied);
    let other = stage.begin(20).remove(0);
    assert_eq!(other.receiver, second.receiver);
    assert_eq!(stage.webhooks.next(at(20)), Some(at(1_010)));
    let again = stage.begin(1_010).remove(0);
    assert_eq!(said(&again), said(&first));
    assert_ne!(again.body, first.body);
    let secret = &stage.app.keys.list()[0].secret;
    assert!(is_signed(secret, again.body.as_bytes(), &again.signature));
    stage.webhooks.delivered(again.receiver);
    let behind = stage.begin(1_010).remove(0);
    assert_eq!(
        (behind.receiver, said(&behind)),
        (first.receiver, said(&other))
    );
}

#[test]
fn what_is_given_up_is_counted() {
    let mut stage = Stage::new(ALL);
    stage.report(0, "a", Reported::Occupied);
    let attempt = stage.begin(0).remove(0);
    stage.webhooks.failed(attempt.receiver, at(300_000), PAUSE);
    assert_eq!(stage.webhooks.take_dropped(), 1);
    assert_eq!(stage.webhooks.take_dropped(), 0);
    assert_eq!(stage.webhooks.next(at(300_000)), None);
}

#[test]
fn a_changed_building_keeps_what_waits_for_a_receiver_that_stays() {
    let mut stage = Stage::new(r#"[{"url":"http://a.test"},{"url":"http://b.test"}]"#);
    stage.report(0, "a", Reported::Occupied);
    let gone = stage.begin(0).remove(0);
    stage.configure(
        r#"[{"url":"http://b.test","events":["member_added"]},{"url":"http://c.test"}]"#,
    );
    assert_eq!(stage.webhooks.take_dropped(), 1);
    stage.webhooks.failed(gone.receiver, at(1), PAUSE);
    stage.report(1, "a", Reported::Vacated);
    let attempts = stage.begin(5_000);
    let urls: Vec<&str> = attempts
        .iter()
        .map(|attempt| attempt.url.expose())
        .collect();
    assert_eq!(urls, ["http://c.test"], "that for b is still on its way");
}
