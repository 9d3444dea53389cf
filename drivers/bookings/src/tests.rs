//! The driver as clients meet it, on a clock that is paused.

use std::time::Duration;

use driver_sdk::testkit::Module;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;

/// A Monday in winter.
const NINE: &str = "2026-01-05T09:00:00Z";

const SETTINGS: &str = r#"{
    "calendar_id": "board@example.test",
    "room_name": "Board Room",
    "people": [
        {"name": "Ann Other", "email": "ann@example.test"},
        {"name": "Bo Stand", "email": "bo@example.test"}
    ],
    "meetings": [
        {"title": "Stand-up", "host": "ann@example.test", "start": "09:30", "attendees": ["bo@example.test"], "recurring": true},
        {"title": "Review", "host": "bo@example.test", "start": "10:00", "minutes": 60, "private": true, "host_override": "ann@example.test"}
    ]
}"#;

/// The driver at nine o'clock.
async fn begin(settings: &str) -> Result<Module, Error> {
    let settings = JsonText::parse(settings)?;
    let plan = Module::of(&Bookings::DEFINITION).at(NINE);
    plan.start(settings).await
}

async fn start(settings: &str) -> Module {
    begin(settings).await.unwrap()
}

/// A status as JSON; `null` when it is not there.
fn status(module: &Module, name: &'static str) -> Value {
    let value = module.status(&Status::<Value>::new(name));
    value.unwrap_or_default()
}

fn statuses(module: &Module, names: &[&'static str]) -> Vec<Value> {
    names.iter().map(|name| status(module, name)).collect()
}

/// A moment of the day in epoch seconds.
fn at(hour: i64, minute: i64) -> i64 {
    let nine: Timestamp = NINE.parse().unwrap();
    nine.as_second() + (hour - 9) * 3600 + minute * 60
}

/// Lets so many minutes pass, and the module do what it does then.
async fn pass(minutes: u64) {
    for _ in 0..minutes {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    // Who waits for the same moment has its turn before this.
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn call(module: &Module, function: &str, arguments: &str) -> Result<Value, String> {
    let arguments = JsonText::parse(arguments).unwrap();
    match module.call(function, arguments).await {
        Ok(outcome) => Ok(serde_json::from_str(outcome.value.as_str()).unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

const ROOM: &[&str] = &[
    "status",
    "booked",
    "in_use",
    "current_pending",
    "next_pending",
    "pending",
];

#[tokio::test(start_paused = true)]
async fn a_day_goes_by_itself() {
    let module = start(SETTINGS).await;
    let check = |expect: Value| assert_eq!(json!(statuses(&module, ROOM)), expect);

    check(json!(["free", false, false, false, false, false]));
    assert_eq!(status(&module, "next_booking")["title"], "Stand-up");
    pass(25).await;
    check(json!(["pending", false, false, false, true, true]));
    pass(5).await;
    check(json!(["pending", true, false, true, false, true]));
    assert_eq!(status(&module, "current_booking")["title"], "Stand-up");
    assert_eq!(call(&module, "checkin", "[]").await, Ok(Value::Null));
    check(json!(["busy", true, true, false, false, false]));
    assert_eq!(status(&module, "last_booking_started"), at(9, 30));
    pass(25).await;
    check(json!(["pending", true, true, false, true, true]));
    // Early, while the meeting before is still on.
    call(&module, "checkin", "[]").await.unwrap();
    check(json!(["busy", true, true, false, false, false]));
    pass(5).await;
    check(json!(["busy", true, true, false, false, false]));
    assert_eq!(status(&module, "previous_booking")["title"], "Stand-up");
    pass(60).await;
    check(json!(["free", false, false, false, false, false]));
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_statuses_of_the_current_meeting_come_and_go_with_it() {
    let names = [
        "host_email",
        "event_id",
        "started_at",
        "ending_at",
        "all_day_event",
    ];
    let module = start(SETTINGS).await;
    assert_eq!(
        json!(statuses(&module, &names)),
        json!([null, null, null, null, null])
    );
    pass(60).await;
    let expect = json!([
        "ann@example.test",
        "mod-test-2026-01-05-2",
        at(10, 0),
        at(11, 0),
        false
    ]);
    assert_eq!(json!(statuses(&module, &names)), expect);
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_meeting_is_written_as_panels_read_it() {
    let module = start(SETTINGS).await;
    let attendee = |name: &str, email: &str, organizer: bool, resource: bool| json!({"name": name, "email": email, "response_status": "accepted", "organizer": organizer, "resource": resource});
    let expect = json!({
        "id": "mod-test-2026-01-05-1",
        "host": "ann@example.test",
        "creator": "ann@example.test",
        "title": "Stand-up",
        "body": "",
        "event_start": at(9, 30),
        "event_end": at(10, 0),
        "timezone": "Etc/UTC",
        "all_day": false,
        "private": false,
        "recurring": true,
        "recurrence": {
            "range_start": at(9, 30),
            "range_end": at(9, 30) + 30 * 86_400,
            "interval": 1,
            "pattern": "daily",
            "days_of_week": [],
        },
        "location": "Board Room",
        "status": "confirmed",
        "attendees": [
            attendee("Ann Other", "ann@example.test", true, false),
            attendee("Bo Stand", "bo@example.test", false, false),
            attendee("Board Room", "board@example.test", false, true),
        ],
        "attachments": [],
        "extension_data": {},
    });
    assert_eq!(status(&module, "next_booking"), expect);
    let review = &status(&module, "bookings")[1];
    assert_eq!(review["private"], true);
    assert_eq!(review["recurring"], false);
    assert_eq!(review.get("recurrence"), None);
    assert_eq!(
        review["extension_data"],
        json!({"host_override": "ann@example.test"})
    );
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_room_is_booked_on_the_spot() {
    let module = start(SETTINGS).await;
    let event = call(&module, "book_now", r#"[600, "Call", "bo@example.test"]"#)
        .await
        .unwrap();
    assert_eq!(
        (
            &event["title"],
            &event["host"],
            &event["event_start"],
            &event["event_end"]
        ),
        (
            &json!("Call"),
            &json!("bo@example.test"),
            &json!(at(9, 0)),
            &json!(at(9, 10))
        )
    );
    assert_eq!(status(&module, "current_booking"), event);
    assert_eq!(status(&module, "bookings")[0], event);
    assert_eq!(status(&module, "status"), "busy");
    assert_eq!(status(&module, "last_booking_started"), at(9, 0));
    let notice = json!(["created", event["id"], at(9, 0)]);
    assert_eq!(status(&module, "last_event_notification"), notice);

    pass(10).await;
    assert_eq!(status(&module, "status"), "free");
    assert_eq!(status(&module, "previous_booking"), event);
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_booking_ends_on_its_second() {
    let module = start(SETTINGS).await;
    tokio::time::sleep(Duration::from_millis(7_300)).await;
    call(&module, "book_now", "[8]").await.unwrap();
    let booked = Instant::now();
    module.wait(&Bookings::STATUS, &RoomStatus::Free).await;
    let lasted = booked.elapsed().as_millis();
    assert!((7_700..7_720).contains(&lasted), "{lasted}");
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_booking_without_title_and_owner_has_the_room_s_own() {
    let module = start(SETTINGS).await;
    let event = call(&module, "book_now", "[60, null, null]").await.unwrap();
    assert_eq!(
        (&event["title"], &event["host"]),
        (&json!("Ad Hoc booking"), &json!("board@example.test"))
    );
    let room = json!([{"name": "Board Room", "email": "board@example.test", "response_status": "accepted", "organizer": true, "resource": true}]);
    assert_eq!(event["attendees"], room);
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_booked_is_refused() {
    let module = start(SETTINGS).await;
    let refused = async |arguments: &str, expect: &str| {
        let before = module.publications().len();
        assert_eq!(
            call(&module, "book_now", arguments).await,
            Err(expect.to_owned())
        );
        assert_eq!(
            module.publications().len(),
            before,
            "something was published"
        );
    };
    refused("[1801]", "unable to book due to clash").await;
    refused("[0]", "a booking lasts from 1 to 86400 seconds").await;
    refused(
        "[9223372036854775807]",
        "a booking lasts from 1 to 86400 seconds",
    )
    .await;
    let long = format!(r#"[60, "{}"]"#, "x".repeat(257));
    refused(&long, "the title has more than 256 characters").await;
    pass(25).await;
    refused("[60]", "the room is currently in use").await;
    pass(5).await;
    refused("[60]", "the room is currently in use").await;
    call(&module, "checkin", "[]").await.unwrap();
    refused("[60]", "the room is currently in use").await;
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_meeting_that_is_on_ends_at_once_and_one_that_waits_is_taken_out() {
    let module = start(SETTINGS).await;
    let no = Err("only the current or pending meeting can be cancelled".to_owned());
    let review = format!("[{}]", at(10, 0));
    assert_eq!(call(&module, "end_meeting", &review).await, no);
    pass(25).await;
    let stand_up = format!("[{}, true, \"No presence detected.\"]", at(9, 30));
    assert_eq!(
        call(&module, "end_meeting", &stand_up).await,
        Ok(Value::Null)
    );
    assert_eq!(status(&module, "next_booking")["title"], "Review");
    assert_eq!(status(&module, "status"), "free");
    let notice = json!(["deleted", "mod-test-2026-01-05-1", at(9, 25)]);
    assert_eq!(status(&module, "last_event_notification"), notice);
    assert_eq!(call(&module, "end_meeting", &stand_up).await, no);

    pass(36).await;
    call(&module, "checkin", "[]").await.unwrap();
    assert_eq!(call(&module, "end_meeting", &review).await, Ok(Value::Null));
    assert_eq!(status(&module, "current_booking"), Value::Null);
    let previous = status(&module, "previous_booking");
    assert_eq!(
        (&previous["title"], &previous["event_end"]),
        (&json!("Review"), &json!(at(10, 1)))
    );
    assert_eq!(status(&module, "last_event_notification")[0], "updated");
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_in_takes_whatever_a_panel_sends_and_needs_no_meeting() {
    let module = start(SETTINGS).await;
    assert_eq!(
        call(&module, "checkin", "[1767603600000]").await,
        Ok(Value::Null)
    );
    assert_eq!(status(&module, "last_booking_started"), Value::Null);
    pass(30).await;
    let start = format!("[{}]", at(9, 30));
    assert_eq!(
        call(&module, "start_meeting", &start).await,
        Ok(Value::Null)
    );
    assert_eq!(status(&module, "status"), "busy");
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_meeting_that_nobody_ends_counts_as_attended_after_a_while() {
    let settings = SETTINGS.replacen('{', r#"{"disable_end_meeting": true,"#, 1);
    let module = start(&settings).await;
    pass(34).await;
    assert_eq!(status(&module, "status"), "pending");
    pass(1).await;
    assert_eq!(status(&module, "status"), "busy");
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_meeting_that_is_on_when_the_module_starts_counts_as_attended() {
    let settings = SETTINGS.replace("09:30", "08:45");
    let module = start(&settings).await;
    assert_eq!(status(&module, "status"), "busy");
    assert_eq!(status(&module, "last_booking_started"), at(8, 45));
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn at_midnight_the_next_day_comes_and_the_last_one_goes() {
    let module = start(SETTINGS).await;
    let days = |bookings: Value| -> Vec<i64> {
        let starts = bookings.as_array().unwrap().iter();
        starts
            .map(|event| (event["event_start"].as_i64().unwrap() - at(0, 0)) / 86_400)
            .collect()
    };
    assert_eq!(days(status(&module, "bookings")), [0, 0, 1, 1]);
    pass(15 * 60 - 1).await;
    assert_eq!(days(status(&module, "bookings")), [0, 0, 1, 1]);
    pass(1).await;
    assert_eq!(days(status(&module, "bookings")), [1, 1, 2, 2]);
    let polled = call(&module, "poll_events", "[]").await.unwrap();
    assert_eq!(polled, status(&module, "bookings"));
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn only_what_changes_is_published() {
    let module = start(SETTINGS).await;
    let before = module.publications().len();
    pass(20).await;
    assert_eq!(module.publications().len(), before);
    pass(5).await;
    let names: Vec<String> = module.publications()[before..]
        .iter()
        .map(|publication| publication.name.clone())
        .collect();
    assert_eq!(names, ["next_pending", "pending", "status"]);
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn people_are_found_by_name_and_email() {
    let module = start(SETTINGS).await;
    let found = async |arguments: &str| {
        let people = call(&module, "list_users", arguments).await.unwrap();
        let people = people.as_array().unwrap().iter();
        people
            .map(|person| person["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("[]").await, ["Ann Other", "Bo Stand"]);
    assert_eq!(found("[null, 1]").await, ["Ann Other"]);
    assert_eq!(found(r#"["STAND"]"#).await, ["Bo Stand"]);
    assert_eq!(found(r#"["ann@"]"#).await, ["Ann Other"]);
    assert!(found(r#"["nobody"]"#).await.is_empty());
    module.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_settings_are_told_as_they_are() {
    let module = start(
        r#"{"bookable": false, "control_ui": "https://ui.example.test", "max_duration": 60}"#,
    )
    .await;
    for (name, expect) in [
        ("bookable", json!(false)),
        ("disable_book_now", json!(true)),
        ("disable_book_now_host", json!(false)),
        ("disable_end_meeting", json!(false)),
        ("enable_end_meeting_button", json!(false)),
        ("hide_meeting_details", json!(false)),
        ("hide_meeting_title", json!(false)),
        ("show_qr_code", json!(true)),
        ("pending_period", json!(5)),
        ("pending_before", json!(5)),
        ("min_duration", json!(15)),
        ("max_duration", json!(60)),
        ("default_title", json!("Ad Hoc booking")),
        ("control_ui", json!("https://ui.example.test")),
        ("catering_ui", Value::Null),
        ("room_name", Value::Null),
        ("presence", Value::Null),
        ("people_count", Value::Null),
        ("bookings", json!([])),
        ("connected", json!(true)),
    ] {
        assert_eq!(status(&module, name), expect, "{name}");
    }
    assert_eq!(
        call(&module, "calendar_id", "[]").await,
        Ok(json!("mod-test"))
    );
    assert_eq!(
        call(&module, "device_locations", r#"["zone-1"]"#).await,
        Ok(json!([]))
    );
    module.stop().await;
}

#[tokio::test]
async fn settings_that_do_not_fit_are_named() {
    for (settings, expect) in [
        (
            r#"{"timezone": "Mars/Base"}"#,
            "timezone: expected a time zone of IANA's list, such as `Europe/London`",
        ),
        (
            r#"{"meetings": [{"title": "t", "host": "h", "start": "9:30"}]}"#,
            "meetings[0].start: expected a time of the day, such as `09:30`",
        ),
        (
            r#"{"meetings": [{"title": "t", "host": "h", "minutes": 0}]}"#,
            "meetings[0].minutes: expected a whole number from 1 to 65535",
        ),
    ] {
        let error = begin(settings).await.unwrap_err();
        assert_eq!(
            error.message(),
            format!("the module's settings do not fit: {expect}")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_books_and_ends_in_a_loop_fills_no_list() {
    let module = start("{}").await;
    for _ in 0..200 {
        call(&module, "book_now", "[10]").await.unwrap();
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    let bookings = status(&module, "bookings");
    assert_eq!(bookings.as_array().unwrap().len(), 50);
    module.stop().await;
}
