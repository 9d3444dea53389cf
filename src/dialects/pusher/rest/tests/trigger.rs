//! Events that servers send.

use super::*;
use crate::dialects::pusher::rest::{Effect, ServerExec, Trigger};
use crate::model::{Failure, FailureKind, ModuleAddress, Occupancy, Publication, Reply};

fn trigger(path: &str, parameters: &str, body: &str) -> Result<Trigger, ApiRefusal> {
    let path = format!("/apps/4201/{path}");
    let asked = ask("POST", &path, parameters, body)?;
    let ApiRequest::Trigger(trigger) = asked else {
        panic!("{asked:?}");
    };
    Ok(trigger)
}

fn event(body: &str) -> Result<Trigger, ApiRefusal> {
    trigger("events", "", body)
}

fn batch(items: &str) -> Result<Trigger, ApiRefusal> {
    trigger("batch_events", "", &format!("{{\"batch\":[{items}]}}"))
}

/// What is published, where nothing else is done.
fn publications(trigger: &Trigger) -> impl Iterator<Item = &Publication> {
    trigger.effects.iter().map(|effect| {
        let Effect::Publish(publication) = effect else {
            panic!("{effect:?}");
        };
        publication
    })
}

/// The channels and messages that are published.
fn published(trigger: &Trigger) -> Vec<(&str, &str)> {
    publications(trigger)
        .map(|publication| (publication.topic.channel(), publication.message.as_str()))
        .collect()
}

#[track_caller]
fn check_data(json: &str, expect: &str) {
    let body = format!("{{\"name\":\"x\",\"channels\":[\"a\"],\"data\":{json}}}");
    let trigger = event(&body).unwrap();
    let expect = serde_json::to_string(expect).unwrap();
    let expect = format!("{{\"event\":\"x\",\"data\":{expect}}}");
    assert_eq!(published(&trigger), [("a", &*expect)]);
}

#[test]
fn data_arrive_as_the_text_that_was_sent() {
    check_data(r#""plain""#, "plain");
    check_data(r#""{\"a\": 1.0}""#, "{\"a\": 1.0}");
    check_data(r#""null""#, "null");
    check_data(r#""\u00e9\ud83d\ude00""#, "é😀");
    check_data(r#""""#, "");
}

#[test]
fn data_that_are_no_text_are_written_compactly_and_otherwise_as_they_came() {
    check_data("5", "5");
    check_data("null", "null");
    check_data(r#"{ "a" : [1.0, 1e400] }"#, r#"{"a":[1.0,1e400]}"#);
}

#[test]
fn an_event_goes_to_each_of_its_channels_once() {
    let body = r#"{"name":"App\\Events\\X","channels":["b","a","b"],"data":"1"}"#;
    let trigger = event(body).unwrap();
    let message = r#"{"event":"App\\Events\\X","data":"1"}"#;
    assert_eq!(published(&trigger), [("b", message), ("a", message)]);
    assert_eq!(trigger.reply.answer(&[]), "{}");
    let single = event(r#"{"name":"x","channel":"a","data":"1"}"#).unwrap();
    assert_eq!(single.effects.len(), 1);
    let user = event(r##"{"name":"x","channels":["#server-to-user-u-7"],"data":"1"}"##).unwrap();
    assert_eq!(published(&user)[0].0, "#server-to-user-u-7");
}

#[test]
fn a_connection_is_left_out_and_cache_channels_keep_the_event() {
    let body = r#"{"name":"x","channels":["private-cache-a","a"],"data":"1","socket_id":"12.34"}"#;
    let trigger = event(body).unwrap();
    let kept = publications(&trigger).map(|publication| {
        let except = publication.except.map(|socket| socket.to_string());
        assert_eq!(except.as_deref(), Some("12.34"));
        publication.kept
    });
    assert_eq!(kept.collect::<Vec<_>>(), [true, false]);
    let huge = r#"{"name":"x","channels":["a"],"data":"1","socket_id":"99999999999999999999.1"}"#;
    assert!(event(huge).is_ok(), "it is the socket of another server");
}

#[test]
fn what_is_wrong_with_an_event_is_said() {
    let names: Vec<String> = (0..101).map(|number| format!("c{number}")).collect();
    let many = format!("{{\"name\":\"x\",\"channels\":{names:?},\"data\":\"1\"}}");
    let long = format!(
        "{{\"name\":\"{}\",\"channels\":[\"a\"],\"data\":\"1\"}}",
        "x".repeat(201)
    );
    for (body, part) in [
        ("nothing", "JSON object"),
        ("[]", "JSON object"),
        (r#"{"name":"x","channels":["a"]}"#, "`data` is missing"),
        (r#"{"channels":["a"],"data":"1"}"#, "`name`"),
        (r#"{"name":"","channels":["a"],"data":"1"}"#, "`name`"),
        (&long, "`name`"),
        (r#"{"name":"x","data":"1"}"#, "`channels`"),
        (r#"{"name":"x","channels":[],"data":"1"}"#, "`channels`"),
        (r#"{"name":"x","channels":"a","data":"1"}"#, "JSON object"),
        (
            r#"{"name":"x","channels":["a"],"channel":"b","data":"1"}"#,
            "not both",
        ),
        (&many, "100 channels"),
        (
            r#"{"name":"x","channels":["a b"],"data":"1"}"#,
            "Invalid channel name",
        ),
        (
            r#"{"name":"x","channels":["a\n"],"data":"1"}"#,
            "Invalid channel name",
        ),
        (
            r##"{"name":"x","channels":["#@users"],"data":"1"}"##,
            "Invalid channel name",
        ),
        (
            r#"{"name":"pusher:error","channels":["a"],"data":"1"}"#,
            "begin with",
        ),
        (
            r#"{"name":"pusher_internal:x","channels":["a"],"data":"1"}"#,
            "begin with",
        ),
        (
            r#"{"name":"x","channels":["a"],"data":"1","socket_id":"1"}"#,
            "socket_id",
        ),
        (
            r#"{"name":"x","channels":["a"],"data":"1","socket_id":"1.2\n"}"#,
            "socket_id",
        ),
        (
            r#"{"name":"x","channels":["a"],"data":"1","info":"colour"}"#,
            "`info`",
        ),
        (
            r#"{"name":"x","channels":["a"],"data":"\ud800"}"#,
            "surrogate",
        ),
    ] {
        refused(event(body), 400, part);
    }
}

#[test]
fn data_have_so_many_bytes() {
    let body = |bytes: usize| {
        let data = "é".repeat(bytes / 2) + &"x".repeat(bytes % 2);
        format!("{{\"name\":\"x\",\"channels\":[\"a\"],\"data\":\"{data}\"}}")
    };
    assert!(event(&body(10_240)).is_ok());
    let text = "The data content of this event exceeds the allowed maximum (10240 bytes)";
    refused(event(&body(10_241)), 413, text);
}

#[test]
fn counts_are_told_of_each_channel_that_has_them() {
    let body = r#"{"name":"x","channels":["presence-a","b","b"],"data":"1","info":"user_count,subscription_count"}"#;
    let trigger = event(body).unwrap();
    let topics: Vec<_> = trigger.reply.topics();
    let topics: Vec<&str> = topics.iter().map(|topic| topic.channel()).collect();
    assert_eq!(topics, ["presence-a", "b"]);
    let counts = [(4, 3), (5, 0)].map(|(connections, users)| Occupancy { connections, users });
    assert_eq!(
        trigger.reply.answer(&counts),
        r#"{"channels":{"presence-a":{"user_count":3,"subscription_count":4},"b":{"subscription_count":5}}}"#
    );
}

#[test]
fn a_batch_is_answered_event_by_event() {
    let items = r#"{"name":"x","channel":"a","data":"1"},{"name":"y","channel":"presence-a","data":"2","info":"user_count","socket_id":"1.2"}"#;
    let trigger = batch(items).unwrap();
    let expect = [
        ("a", r#"{"event":"x","data":"1"}"#),
        ("presence-a", r#"{"event":"y","data":"2"}"#),
    ];
    assert_eq!(published(&trigger), expect);
    let counts = [Occupancy {
        connections: 4,
        users: 3,
    }];
    let answer = trigger.reply.answer(&counts);
    assert_eq!(answer, r#"{"batch":[{},{"user_count":3}]}"#);
    let plain = batch(r#"{"name":"x","channel":"a","data":"1"}"#).unwrap();
    assert_eq!(plain.reply.answer(&[]), "{}");
}

#[test]
fn one_bad_event_of_a_batch_refuses_all_of_it() {
    let good = r#"{"name":"x","channel":"a","data":"1"}"#;
    let many = [good; 11].join(",");
    refused(batch(&many), 400, "1 to 10 events");
    refused(batch(""), 400, "1 to 10 events");
    refused(trigger("batch_events", "", "{}"), 400, "`batch`");
    for bad in [
        r#"{"name":"x","channel":"a b","data":"1"}"#,
        r#"{"name":"x","data":"1"}"#,
        r#"{"name":"x","channels":["a","b"],"data":"1"}"#,
        r#"{"name":"pusher:x","channel":"a","data":"1"}"#,
    ] {
        refused(batch(&format!("{good},{bad}")), 400, "");
    }
    let large = format!(
        r#"{{"name":"x","channel":"a","data":"{}"}}"#,
        "x".repeat(10_241)
    );
    refused(batch(&format!("{good},{large}")), 413, "10240");
}

#[test]
fn an_event_can_stand_in_the_query() {
    let parameters = "channels[]=a&channels[]=b&name=x&data=1&info=subscription_count";
    let trigger = trigger("events", parameters, "").unwrap();
    let message = r#"{"event":"x","data":"1"}"#;
    assert_eq!(published(&trigger), [("a", message), ("b", message)]);
    assert_eq!(trigger.reply.topics().len(), 2);
}

#[test]
fn an_event_of_2012_has_its_data_as_the_body() {
    let trigger = trigger("channels/a/events", "name=x&socket_id=1.2", "{\"a\": 1}").unwrap();
    let message = r#"{"event":"x","data":"{\"a\": 1}"}"#;
    assert_eq!(published(&trigger), [("a", message)]);
    assert_eq!(
        (trigger.reply.status(), trigger.reply.answer(&[])),
        (202, String::new())
    );
    refused(
        super::trigger::trigger("channels/a/events", "", "1"),
        400,
        "`name`",
    );
}

#[test]
fn what_a_room_shows_cannot_be_sent() {
    for channel in [
        "private-cache-st.sys-1.Display_1.power",
        "cache-pub.sys-1.Display_1.power",
        "private-mod.sys-1.Display_1",
        "private-sys.sys-1",
        "private-debug.sys-1.Display_1",
        "private-trg.sys-1",
        "private-mod.sys-1",
    ] {
        let body = format!("{{\"name\":\"x\",\"channels\":[\"a\",{channel:?}],\"data\":\"1\"}}");
        refused(event(&body), 400, "room");
    }
    let people = event(r#"{"name":"x","channels":["presence-room.sys-1"],"data":"1"}"#);
    assert_eq!(published(&people.unwrap())[0].0, "presence-room.sys-1");
}

#[test]
fn events_of_the_channel_of_the_bus_are_announced() {
    let announced = |data: &str| {
        let body =
            format!("{{\"name\":\"doors\",\"channels\":[\"private-events\"],\"data\":{data}}}");
        let effect = event(&body).unwrap().effects.remove(0);
        let Effect::Announce { name, data } = effect else {
            panic!("{effect:?}");
        };
        (name.to_string(), data.to_string())
    };
    let name = || "doors".to_owned();
    assert_eq!(
        announced(r#""{\"who\": 1.0}""#),
        (name(), "{\"who\": 1.0}".to_owned())
    );
    assert_eq!(announced(r#""plain""#), (name(), "\"plain\"".to_owned()));
}

/// An event `exec` with these data.
fn exec(event: &str, data: &str) -> Result<ServerExec, ApiRefusal> {
    let data = serde_json::to_string(data).unwrap();
    let body =
        format!("{{\"name\":{event:?},\"channels\":[\"private-ctl.sys=201\"],\"data\":{data}}}");
    let effect = self::event(&body)?.effects.remove(0);
    let Effect::Exec(exec) = effect else {
        panic!("{effect:?}");
    };
    Ok(exec)
}

#[test]
fn exec_in_a_control_channel_is_a_call_and_its_outcome_an_event_there() {
    let data = r#"{"id":"r1","mod":"Display","index":2,"name":"power","args":[ true, 1.0 ]}"#;
    let exec = exec("exec", data).unwrap();
    let call = &exec.call;
    match &call.module {
        ModuleAddress::Place(path) => assert_eq!(path.to_string(), "sys 1 Display_2"),
        ModuleAddress::Id { .. } => panic!("it is called by its place"),
    }
    assert_eq!(call.function.as_str(), "power");
    assert_eq!(call.arguments.as_str(), "[ true, 1.0 ]");
    let value = JsonText::parse("1.0").unwrap();
    let done = exec.outcome(&Ok(Reply::Result { value, code: 200 }));
    assert_eq!(done.topic.channel(), "private-ctl.sys=201");
    let expect = r#"{"event":"exec.result","data":"{\"id\":\"r1\",\"value\":1.0}"}"#;
    assert_eq!(done.message.as_str(), expect);
    let failed = exec.outcome(&Err(Failure::new(FailureKind::Forbidden, "no")));
    let expect = r#"{"event":"exec.error","data":"{\"id\":\"r1\",\"code\":2,\"message\":\"no\"}"}"#;
    assert_eq!(failed.message.as_str(), expect);
}

#[test]
fn what_is_no_call_is_refused_in_a_control_channel() {
    let good = r#"{"id":7,"mod":"Display","name":"power"}"#;
    assert_eq!(exec("exec", good).unwrap().call.arguments.as_str(), "[]");
    refused(exec("other", good), 400, "`exec`");
    for (data, part) in [
        ("1", "object"),
        (r#"{"mod":"Display","name":"power"}"#, "`id`"),
        (r#"{"id":[],"mod":"Display","name":"power"}"#, "`id`"),
        (r#"{"id":1,"mod":"","name":"power"}"#, "`mod`"),
        (
            r#"{"id":1,"mod":"Display","index":0,"name":"power"}"#,
            "`index`",
        ),
        (r#"{"id":1,"mod":"Display","name":""}"#, "`name`"),
        (
            r#"{"id":1,"mod":"Display","name":"power","args":1}"#,
            "`args`",
        ),
    ] {
        refused(exec("exec", data), 400, part);
    }
}
