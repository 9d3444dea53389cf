//! The building by Pusher's channels.

use serde_json::{Value, json};

use super::app::{OTHER, SIGNS, building_with, plan, shared_building};
use super::pages::Pages;
use super::socket::{Socket, door};
use crate::harness::{Carrier, Key, Page, Plan, Proxy, display};

const POWER: &str = "private-cache-st.sys-1.Display_1.power";
const CONTROL: &str = "private-ctl.sys-1";

/// The value of a status event, whose other fields say where it comes from.
fn value(data: &Value) -> Value {
    let place = (&data["sys"], &data["mod"], &data["index"], &data["name"]);
    assert_eq!(
        place,
        (
            &json!("sys-1"),
            &json!("Display"),
            &json!(1),
            &json!("power")
        ),
        "{data}"
    );
    assert!(data["at"].is_u64(), "{data}");
    data["value"].clone()
}

// Row 50.
#[tokio::test]
async fn a_status_comes_with_its_value_and_then_with_every_change() {
    let gateway = plan().start().await;
    let mut console = gateway.connect(Key::ADMIN).await;
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["early", "late"]).await;
    pages.subscribe("early", POWER).await;
    pages.heard("early", POWER, "pusher:cache_miss").await;

    console.set(display("power"), true).await;
    assert_eq!(value(&pages.heard("early", POWER, "status").await), true);
    console.set(display("power"), json!({"level": 1.5})).await;
    assert_eq!(
        value(&pages.heard("early", POWER, "status").await),
        json!({"level": 1.5})
    );

    pages.subscribe("late", POWER).await;
    assert_eq!(
        value(&pages.heard("late", POWER, "status").await),
        json!({"level": 1.5})
    );
    console.set(display("power"), false).await;
    for page in ["early", "late"] {
        assert_eq!(value(&pages.heard(page, POWER, "status").await), false);
    }
}

#[tokio::test]
async fn every_status_of_a_module_comes_under_its_name() {
    let gateway = plan().start().await;
    let mut console = gateway.connect(Key::ADMIN).await;
    console.set(display("power"), true).await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    let channel = "private-mod.sys-1.Display_1";
    pages.subscribe("panel", channel).await;
    let mut known = Vec::new();
    while known.iter().all(|event: &Value| event["name"] != "power") {
        known.push(pages.next("panel", channel).await);
    }
    let power = known.last().expect("it came");
    let said = (&power["data"]["value"], &power["data"]["snapshot"]);
    assert_eq!(said, (&json!(true), &json!(true)), "{power}");

    console.set(display("input/hdmi 2"), "on").await;
    let mut change = pages.next("panel", channel).await;
    while change["data"]["snapshot"] == true {
        change = pages.next("panel", channel).await;
    }
    assert_eq!(
        (&change["name"], &change["data"]["value"]),
        (&json!("input/hdmi 2"), &json!("on")),
        "{change}"
    );
    // The same by its name in a channel of its own.
    let channel = "private-cache-st.sys-1.Display_1.input=2Fhdmi=202";
    pages.subscribe("panel", channel).await;
    assert_eq!(pages.heard("panel", channel, "status").await["value"], "on");
}

#[tokio::test]
async fn a_page_of_an_app_for_support_staff_sees_what_a_service_of_the_room_has_sent() {
    let secret = "B0ilerB0ilerB0ilerB0ilerB0iler12";
    let building = building_with(&json!({"user": "user-eve"}));
    let mut building: Value = serde_json::from_str(&building).expect("a building");
    building["services"] = json!([{"name": "Boiler", "secret": secret, "systems": ["sys-1"]}]);
    let gateway = Plan::serve(&building.to_string()).start().await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    let channel = "private-mod.sys-1._ALERTS__1";
    pages.subscribe("panel", channel).await;

    let fields = [("secret", secret), ("message", "42 °C"), ("level", "4")];
    let send = gateway.request("POST", "/pushjet/message").form(&fields);
    send.ok().await;
    let is_it = |event: &Value| event["name"] == "last" && event["data"]["value"] != Value::Null;
    let mut last = pages.next("panel", channel).await;
    while !is_it(&last) {
        last = pages.next("panel", channel).await;
    }
    let last = &last["data"]["value"];
    assert_eq!(
        (&last["service"], &last["message"], &last["level"]),
        (&json!("Boiler"), &json!("42 °C"), &json!(4)),
        "{last}"
    );
}

#[tokio::test]
async fn each_firing_of_a_trigger_is_told_to_support_staff_and_to_nobody_else() {
    const FIRINGS: &str = "private-trg.sys-1";
    let building = building_with(&json!({"user": "user-eve"}));
    let mut building: Value = serde_json::from_str(&building).expect("a building");
    building["triggers"] = json!([{
        "id": "called", "name": "Called", "system": "sys-1",
        "when": [{"webhook": true, "secret": "s3cret-token"}],
    }]);
    building["apps"][1]["user"] = json!("user-panel");
    let gateway = Plan::serve(&building.to_string()).start().await;
    let fire = async || {
        let path = "/api/engine/v2/webhook/called/notify?secret=s3cret-token";
        let called = gateway.request("POST", path).send().await;
        assert_eq!(called.status, 202, "{}", called.body);
    };
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["early", "late"]).await;
    pages.subscribe("early", FIRINGS).await;
    fire().await;
    let fired = pages.next("early", FIRINGS).await;
    let said = (&fired["name"], &fired["data"]["id"], &fired["data"]["name"]);
    let expect = (&json!("trigger.fired"), &json!("called"), &json!("Called"));
    assert_eq!(said, expect, "{fired}");
    assert_eq!(fired["data"]["values"]["trigger_count"], 1, "{fired}");

    // The first was before it came.
    pages.subscribe("late", FIRINGS).await;
    fire().await;
    for page in ["early", "late"] {
        let fired = pages.next(page, FIRINGS).await;
        assert_eq!(fired["data"]["values"]["trigger_count"], 2, "{fired}");
    }

    let mut panel = Socket::by(door(&gateway, OTHER, "protocol=7")).await;
    let auth = OTHER.auth(&format!("{}:{FIRINGS}", panel.id));
    let data = json!({"channel": FIRINGS, "auth": auth});
    panel.send("pusher:subscribe", data).await;
    panel.error().await;
    let refused = panel.next().await;
    assert_eq!(refused["event"], "pusher:subscription_error", "{refused}");
}

/// Calls a function of the display as a page does, and gives the name and data of the answer.
async fn exec(pages: &mut Pages, id: &str, name: &str, args: Value) -> Value {
    let call = json!({"id": id, "mod": "Display", "index": 1, "name": name, "args": args});
    pages.trigger("panel", CONTROL, "client-exec", call).await;
    let answer = pages.next("panel", CONTROL).await;
    assert_eq!(answer["data"]["id"], id, "{answer}");
    answer
}

// Row 51.
#[tokio::test]
async fn a_page_calls_functions_as_far_as_the_apps_user_may() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    pages.open_all(&["panel", "other"]).await;
    for page in ["panel", "other"] {
        pages.subscribe(page, CONTROL).await;
    }

    let refused = exec(&mut pages, "1", "admin_only", json!([])).await;
    let said = (&refused["name"], &refused["data"]["code"]);
    assert_eq!(said, (&json!("exec.error"), &json!(2)), "{refused}");
    let absent = exec(&mut pages, "2", "no_such_function", json!([])).await;
    assert_eq!(absent["name"], "exec.error", "{absent}");
    let echo = exec(&mut pages, "3", "echo", json!([{"n": 1.5}])).await;
    let said = (&echo["name"], &echo["data"]["value"]);
    assert_eq!(said, (&json!("exec.result"), &json!({"n": 1.5})), "{echo}");
    // A repeated id is answered from memory.
    for id in ["4", "4", "5"] {
        let answer = exec(&mut pages, id, "increment", json!(["count", 1])).await;
        let sum = if id == "4" { 1 } else { 2 };
        assert_eq!(
            (&answer["name"], &answer["data"]["value"]),
            (&json!("exec.result"), &json!(sum)),
            "{answer}"
        );
    }
    pages.settle("other").await;
    let is = |event: &Value| event["event"] == "heard" && event["page"] == "other";
    // Its success is all that the other page has heard.
    assert_eq!(pages.count(is), 1, "{}", pages.shown());
}

// Row 51 too: a page asks by two connections, and comes back after it has lost both.
#[tokio::test]
async fn what_a_user_calls_again_is_called_once_by_whichever_connection() {
    let gateway = plan().start().await;
    let mut pages = Pages::start(&gateway);
    let open = async |pages: &mut Pages, page: &str, user: &str| {
        pages.open_signed_in(page, json!({"id": user})).await;
        pages.subscribe(page, CONTROL).await;
    };
    for page in ["one", "two"] {
        open(&mut pages, page, "u-7").await;
    }
    for number in 1..=20 {
        for page in ["one", "two"] {
            increment(&mut pages, page, number).await;
        }
        for page in ["one", "two"] {
            assert_eq!(sum(&mut pages, page, number).await, number);
        }
    }

    for page in ["one", "two"] {
        pages.close(page).await;
    }
    open(&mut pages, "back", "u-7").await;
    increment(&mut pages, "back", 20).await;
    assert_eq!(sum(&mut pages, "back", 20).await, 20);
    // The ids of another user are others, and so are those of a page that nobody has signed in at.
    open(&mut pages, "other", "u-8").await;
    increment(&mut pages, "other", 20).await;
    assert_eq!(sum(&mut pages, "other", 20).await, 21);
    pages.open("nobody").await;
    pages.subscribe("nobody", CONTROL).await;
    increment(&mut pages, "nobody", 20).await;
    assert_eq!(sum(&mut pages, "nobody", 20).await, 22);
}

/// Has a page count up, by a call of this id.
async fn increment(pages: &mut Pages, page: &str, id: u64) {
    let call = json!({"id": id, "mod": "Display", "name": "increment", "args": ["count", 1]});
    pages.trigger(page, CONTROL, "client-exec", call).await;
}

/// The sum that a page is told as the result of its call.
async fn sum(pages: &mut Pages, page: &str, id: u64) -> Value {
    let mut answer = pages.heard(page, CONTROL, "exec.result").await;
    assert_eq!(answer["id"], id, "{answer}");
    answer["value"].take()
}

// Row 51 too.
#[tokio::test]
async fn an_app_without_a_user_reaches_no_room() {
    let gateway = plan().start().await;
    let mut console = gateway.connect(Key::ADMIN).await;
    console.set(display("power"), true).await;
    let mut socket = Socket::by(door(&gateway, OTHER, "protocol=7")).await;
    for channel in [
        POWER,
        CONTROL,
        "private-mod.sys-1.Display_1",
        "private-sys.sys-1",
    ] {
        let auth = OTHER.auth(&format!("{}:{channel}", socket.id));
        socket
            .send(
                "pusher:subscribe",
                json!({"channel": channel, "auth": auth}),
            )
            .await;
        socket.error().await;
        let frame = socket.next().await;
        assert_eq!(
            (&frame["event"], &frame["channel"]),
            (&json!("pusher:subscription_error"), &json!(channel))
        );
    }
    socket.expect_silence().await;
}

#[tokio::test]
async fn nobody_publishes_to_the_channel_of_a_status() {
    let gateway = plan().start().await;
    let mut socket = Socket::open(&gateway).await;
    socket.subscribe(POWER).await;
    assert_eq!(socket.next().await["event"], "pusher:cache_miss");
    let body = json!({"name": "status", "channels": [POWER], "data": "1"}).to_string();
    let refused = SIGNS
        .request(&gateway, "POST", "/events", &body)
        .send()
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    socket
        .client()
        .send(json!({"event": "client-status", "channel": POWER, "data": "1"}))
        .await;
    socket.error().await;
    socket.expect_silence().await;
}

// Row 52.
#[tokio::test]
async fn a_page_of_pusher_and_one_of_placeos_see_the_same() {
    const CHANGES: u64 = 40;
    let gateway = plan().start().await;
    let mut console = gateway.connect(Key::ADMIN).await;
    console.set(display("power"), 0).await;
    let mut placeos = Page::open(&gateway.url(), Key::USER, Carrier::Cookie).await;
    let mut bind = display("power").meta();
    bind["cmd"] = json!("bind");
    placeos.tell(bind).await;
    let mut pages = Pages::start(&gateway);
    pages.open("panel").await;
    pages.subscribe("panel", POWER).await;
    placeos
        .wait("the first value", |event| {
            event["event"] == "value" && event["value"] == 0
        })
        .await;
    assert_eq!(value(&pages.heard("panel", POWER, "status").await), 0);

    for number in 1..=CHANGES {
        console.set(display("power"), number).await;
        // Each is read before the next is made, so none may be left out. PlaceOS's library tells some of its values twice.
        let status = pages.heard("panel", POWER, "status").await;
        let is_next = |event: &Value| event["event"] == "value" && event["value"] != number - 1;
        let same = placeos.wait("the next value", is_next).await;
        assert_eq!(
            (value(&status), &same["value"]),
            (json!(number), &json!(number))
        );
    }
}

// Row 52, when the page could not read for a while.
#[tokio::test]
async fn after_a_stall_the_last_value_is_the_true_one() {
    const CHANGES: u64 = 2_000;
    let gateway = plan().start().await;
    let proxy = Proxy::before(gateway.address()).await;
    let mut pages = Pages::at(&format!("http://{}", proxy.address()));
    pages.open("panel").await;
    pages.subscribe("panel", POWER).await;
    pages.heard("panel", POWER, "pusher:cache_miss").await;
    let mut console = gateway.connect(Key::ADMIN).await;

    proxy.hold();
    console
        .call(display("burst"), json!(["power", CHANGES]))
        .await;
    console.set(display("power"), "last").await;
    proxy.let_go();
    let mut before = 0;
    loop {
        let status = pages.heard("panel", POWER, "status").await;
        match value(&status).as_u64() {
            Some(number) => {
                assert!(number > before, "{number} after {before}");
                before = number;
            }
            None => {
                assert_eq!(value(&status), "last");
                break;
            }
        }
    }
    pages.settle("panel").await;
    let is = |event: &Value| event["event"] == "heard" && event["data"]["value"] == "last";
    assert_eq!(pages.count(is), 1, "{}", pages.shown());
}

#[tokio::test]
async fn a_log_is_shown_in_each_room_where_its_module_stands() {
    let gateway = Plan::serve(&shared_building("user-sue")).start().await;
    let mut console = gateway.connect(Key::USER).await;
    let mut socket = Socket::open(&gateway).await;
    let channels = [
        "private-debug.sys-1.Shared_1",
        "private-debug.sys-2.Shared_1",
    ];
    let log = display("log").of("Shared");
    for channel in channels {
        socket.subscribe(channel).await;
    }
    console.call(log, json!(["warn", "in both"])).await;
    let mut told = [line(&mut socket).await, line(&mut socket).await];
    told.sort();
    assert_eq!(
        told,
        channels.map(|channel| (channel.to_owned(), "in both".to_owned()))
    );

    let [first, second] = channels;
    socket
        .send("pusher:unsubscribe", json!({"channel": first}))
        .await;
    socket.expect_silence().await;
    console.call(log, json!(["warn", "in the other"])).await;
    let told = line(&mut socket).await;
    assert_eq!(told, (second.to_owned(), "in the other".to_owned()));
    socket
        .send("pusher:unsubscribe", json!({"channel": second}))
        .await;
    socket.expect_silence().await;
    console.call(log, json!(["warn", "in none"])).await;
    socket.expect_silence().await;
}

/// The channel and the message of the next line of a log.
async fn line(socket: &mut Socket) -> (String, String) {
    let frame = socket.next().await;
    assert_eq!(frame["event"], "debug", "{frame}");
    let data = frame["data"].as_str().expect("data is text");
    let data: Value = serde_json::from_str(data).expect("of JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&frame["channel"]), text(&data["message"]))
}
