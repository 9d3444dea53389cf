//! A booking panel at the door of a room: PlaceOS's own client library asks what a panel asks, and the driver `bookings` answers.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{Carrier, Gateway, Key, Page, bookings};

/// A room that is free all day.
const ROOM: &str = r"
systems:
  - {id: sys-1, name: Board Room, bookable: true, modules: [mod-b1]}
modules:
  - id: mod-b1
    driver: bookings
    settings:
      calendar_id: board@example.test
      room_name: Board Room
      people: [{name: Ann Other, email: ann@example.test}]
users:
  - {id: user-ann, email: ann@example.test}
api_keys:
  - {id: user, secret: secret-u, user: user-ann}
";

/// All that a panel may bind, and what it is told in a room without meetings; `null` is nothing.
fn variables() -> Vec<(&'static str, Value)> {
    let nothing = [
        "previous_booking",
        "current_booking",
        "next_booking",
        "host_email",
        "event_id",
        "started_at",
        "ending_at",
        "all_day_event",
        "last_booking_started",
        "last_event_notification",
        "room_capacity",
        "room_image",
        "offline_image",
        "offline_color",
        "control_ui",
        "catering_ui",
        "custom_qr_url",
        "custom_qr_color",
        "sensor_mac",
        "sensor_name",
        "sensor_stale",
        "presence",
        "people_count",
        "disable_qr_booking",
        "hide_qr_text",
        "show_timeline",
        "timeline_position",
    ];
    let mut variables = vec![
        ("status", json!("free")),
        ("bookings", json!([])),
        ("booked", json!(false)),
        ("in_use", json!(false)),
        ("current_pending", json!(false)),
        ("next_pending", json!(false)),
        ("pending", json!(false)),
        ("pending_period", json!(5)),
        ("pending_before", json!(5)),
        ("room_name", json!("Board Room")),
        ("bookable", json!(true)),
        ("disable_book_now", json!(false)),
        ("disable_book_now_host", json!(false)),
        ("disable_end_meeting", json!(false)),
        ("enable_end_meeting_button", json!(false)),
        ("min_duration", json!(15)),
        ("max_duration", json!(480)),
        ("hide_meeting_details", json!(false)),
        ("hide_meeting_title", json!(false)),
        ("show_qr_code", json!(true)),
        ("default_title", json!("Ad Hoc booking")),
        ("connected", json!(true)),
    ];
    variables.extend(nothing.map(|name| (name, Value::Null)));
    variables
}

/// A panel, and up to where its events have been looked at.
struct Panel {
    page: Page,
    seen: usize,
}

impl Panel {
    async fn open(gateway: &Gateway) -> Self {
        let page = Page::open(&gateway.url(), Key::USER, Carrier::Cookie).await;
        Self { page, seen: 0 }
    }

    async fn bind(&mut self, name: &str) {
        let mut bind = bookings(name).meta();
        bind["cmd"] = json!("bind");
        self.page.tell(bind).await;
    }

    /// Calls a function as a panel does and gives the answer's event.
    async fn exec(&mut self, function: &str, args: Value) -> Value {
        self.seen = self.page.events().len();
        let mut exec = bookings(function).meta();
        exec["cmd"] = json!("exec");
        exec["ref"] = json!(function);
        exec["args"] = args;
        self.page.tell(exec).await;
        let what = format!("the answer to {function}");
        self.sees(&what, |event| event["ref"] == function).await
    }

    /// The result of a call.
    async fn done(&mut self, function: &str, args: Value) -> Value {
        let answer = self.exec(function, args).await;
        assert_eq!(answer["event"], "result", "{answer}");
        answer["value"].clone()
    }

    /// The error of a call.
    async fn refused(&mut self, function: &str, args: Value) -> String {
        let answer = self.exec(function, args).await;
        assert_eq!(answer["event"], "error", "{answer}");
        assert_eq!(answer["error"]["code"], 3, "{answer}");
        answer["error"]["msg"].to_string()
    }

    /// Waits until a variable shows a value since the last call.
    async fn shows(&mut self, name: &str, value: &Value) {
        let what = format!("{name} = {value}");
        let shown = |event: &Value| {
            event["event"] == "value" && event["name"] == name && event["value"] == *value
        };
        self.sees(&what, shown).await;
    }

    /// The event since the last call that is as asked for, whether it is there already or comes.
    async fn sees(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let there = self.page.events()[self.seen..].iter().find(|it| is(it));
        match there.cloned() {
            Some(event) => event,
            None => self.page.wait(what, is).await,
        }
    }
}

#[tokio::test]
async fn a_panel_can_bind_all_it_knows() {
    let gateway = Gateway::start(ROOM).await;
    let mut panel = Panel::open(&gateway).await;
    let variables = variables();

    for (name, _) in &variables {
        panel.bind(name).await;
    }

    for (name, value) in &variables {
        let meta = bookings(name).meta();
        let success =
            |event: &Value| event["frame"]["type"] == "success" && event["frame"]["meta"] == meta;
        panel.sees(&format!("success for {name}"), success).await;
        if !value.is_null() {
            panel.shows(name, value).await;
        }
    }
    let values = panel.page.events().iter();
    let mut told = values.filter(|event| event["event"] == "value" && event["value"].is_null());
    assert_eq!(told.next(), None);
    panel.page.close().await;
}

#[tokio::test]
async fn a_meeting_is_booked_started_and_ended_at_the_panel() {
    let gateway = Gateway::start(ROOM).await;
    let mut panel = Panel::open(&gateway).await;
    for name in ["status", "current_booking", "bookings", "previous_booking"] {
        panel.bind(name).await;
    }
    panel.shows("status", &json!("free")).await;

    let title = "Ad-Hoc Panel Booking";
    let args = json!([1800, title, "ann@example.test"]);
    let meeting = panel.done("book_now", args.clone()).await;
    panel.shows("current_booking", &meeting).await;
    panel.shows("bookings", &json!([meeting])).await;
    panel.shows("status", &json!("busy")).await;
    let start = meeting["event_start"].as_i64().expect("a start");
    assert_eq!(meeting["event_end"], start + 1800);
    assert_eq!(meeting["title"], title);
    assert_eq!(meeting["host"], "ann@example.test");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("it is later than 1970").as_millis();
    let minute = now - now % 60_000;

    let error = panel.refused("book_now", args).await;
    assert!(error.contains("the room is currently in use"), "{error}");
    // A panel sends the minute although the function takes nothing.
    let minute = u64::try_from(minute).expect("it is not yet that late");
    assert_eq!(panel.done("checkin", json!([minute])).await, Value::Null);
    let error = panel.refused("end_meeting", json!([start + 1])).await;
    assert!(
        error.contains("only the current or pending meeting can be cancelled"),
        "{error}"
    );

    let ended = panel
        .done("end_meeting", json!([start, true, "user_input"]))
        .await;
    assert_eq!(ended, Value::Null);
    panel.shows("status", &json!("free")).await;
    panel.shows("current_booking", &Value::Null).await;
    panel.page.close().await;
}

#[tokio::test]
async fn a_panel_finds_people_and_shows_what_is_booked_elsewhere() {
    let gateway = Gateway::start(ROOM).await;
    let mut panel = Panel::open(&gateway).await;
    panel.bind("status").await;
    panel.bind("current_booking").await;

    let found = panel.done("list_users", json!(["ann"])).await;
    let ann = json!({"name": "Ann Other", "email": "ann@example.test"});
    assert_eq!(found, json!([ann]));

    let mut app = gateway.connect(Key::USER).await;
    let meeting = app.call(bookings("book_now"), json!([600])).await;
    assert_eq!(meeting["title"], "Ad Hoc booking", "{meeting}");
    panel.shows("current_booking", &meeting).await;
    panel.shows("status", &json!("busy")).await;
    panel.page.close().await;
}
