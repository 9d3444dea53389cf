//! Whether people are in the room, by the sensors beside the bookings.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use driver_bookings::Bookings;
use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::{Module, Room, StandIn};
use driver_sdk::{Context, Error, JsonText, Status};

const PEOPLE_COUNT: Status<f64> = Status::new("people_count");
const PRESENCE: Status<bool> = Status::new("presence");
const SENSOR_NAME: Status<str> = Status::new("sensor_name");
const SENSOR_STALE: Status<bool> = Status::new("sensor_stale");

/// 2026-01-05T09:00:00Z, when the kit's clock starts.
const NOW: i64 = 1_767_603_600;

#[tokio::test(start_paused = true)]
async fn a_sensor_that_counts_people_says_how_many_there_are_and_whether_there_are_any() {
    let room = Room::new("sys-1");
    let sees = sensor("Ceiling", "presence", "seen", None).join(&room);
    let counts = sensor("Door", "people_count", "people", None).join(&room);
    sees.set(&Status::new("seen"), &true);
    counts.set(&Status::new("people"), &3);
    let bookings = bookings(&room, json!({"sensor_mac": "aa:bb"})).await;
    bookings.wait(&PEOPLE_COUNT, &3.0).await;
    bookings.wait(&PRESENCE, &true).await;
    bookings.wait(&SENSOR_NAME, "Door sensor").await;
    bookings.wait(&SENSOR_STALE, &false).await;
    assert_eq!(
        counts.calls()[0].arguments,
        r#"["people_count","aa:bb",null]"#
    );
    counts.set(&Status::new("people"), &0);
    bookings.wait(&PRESENCE, &false).await;
    assert_eq!(bookings.status(&PEOPLE_COUNT), Some(0.0));
    counts.set(&Status::new("people"), &Value::Null);
    bookings.wait_removed(&PRESENCE).await;
    bookings.wait_removed(&PEOPLE_COUNT).await;
}

#[tokio::test(start_paused = true)]
async fn a_sensor_that_sees_people_stands_in_and_gives_way_to_one_that_counts_them() {
    let room = Room::new("sys-1");
    let bookings = bookings(&room, json!({})).await;
    let sees = sensor("Ceiling", "presence", "now->seen", None).join(&room);
    sees.set(&Status::new("now"), &json!({"seen": true}));
    bookings.wait(&PRESENCE, &true).await;
    bookings.wait(&SENSOR_NAME, "Ceiling sensor").await;
    assert_eq!(bookings.status(&PEOPLE_COUNT), None);

    let counts = sensor("Door", "people_count", "people", None).join(&room);
    counts.set(&Status::new("people"), &0);
    bookings.wait(&PEOPLE_COUNT, &0.0).await;
    bookings.wait(&PRESENCE, &false).await;
    drop(counts);
    bookings.wait(&PRESENCE, &true).await;
    bookings.wait_removed(&PEOPLE_COUNT).await;
    drop(sees);
    bookings.wait_removed(&PRESENCE).await;
    bookings.wait_removed(&SENSOR_NAME).await;
    bookings.wait_removed(&SENSOR_STALE).await;
}

#[tokio::test(start_paused = true)]
async fn a_sensor_that_was_not_heard_of_for_too_long_counts_as_none_until_it_is_heard_of() {
    let room = Room::new("sys-1");
    let seen = Arc::new(AtomicI64::new(NOW));
    let counts = sensor("Door", "people_count", "people", Some(&seen)).join(&room);
    counts.set(&Status::new("people"), &2);
    let bookings = bookings(&room, json!({"sensor_stale_minutes": 3})).await;
    bookings.wait(&PEOPLE_COUNT, &2.0).await;
    tokio::time::sleep(Duration::from_secs(4 * 60)).await;
    assert_eq!(bookings.status(&SENSOR_STALE), Some(true));
    assert_eq!(bookings.status(&PEOPLE_COUNT), None);
    assert_eq!(bookings.status(&PRESENCE), None);
    seen.store(NOW + 4 * 60, Ordering::Relaxed);
    bookings.wait(&PEOPLE_COUNT, &2.0).await;
    bookings.wait(&SENSOR_STALE, &false).await;
}

#[tokio::test(start_paused = true)]
async fn a_sensor_that_fails_or_describes_nothing_of_the_room_is_none() {
    let room = Room::new("sys-1");
    let fails = |_: &Context, _: Value| Err::<(), _>(Error::new("no answer"));
    let broken = StandIn::named("Broken").implements("Sensor");
    let broken = broken.function("sensors", &[], fails).join(&room);
    let _odd = StandIn::named("Odd")
        .implements("Sensor")
        .function("sensors", &[], |_, _: Value| {
            Ok(json!([7, {}, {"module_id": "mod-nowhere", "binding": "x"}, {"module_id": 1}]))
        })
        .join(&room);
    let bookings = bookings(&room, json!({})).await;
    bookings.wait(&SENSOR_STALE, &true).await;
    drop(broken);
    bookings.wait_removed(&SENSOR_STALE).await;
    assert_eq!(bookings.status(&PRESENCE), None);
    let text: JsonText = bookings.call("calendar_id", ()).await.unwrap().value;
    assert!(!text.is_null(), "the calendar goes on");
}

async fn bookings(room: &Room, settings: Value) -> Module {
    let plan = Module::of(&Bookings::DEFINITION).in_room(room);
    plan.start(settings).await.expect("it starts")
}

/// A module with one sensor of this type, whose value stands there in its statuses.
fn sensor(
    name: &'static str,
    kind: &'static str,
    binding: &'static str,
    seen: Option<&Arc<AtomicI64>>,
) -> StandIn {
    let seen = seen.cloned();
    StandIn::named(name).implements("Sensor").function(
        "sensors",
        &["type", "mac", "zone_id"],
        move |context, (asked, _, _): (String, Option<String>, Option<String>)| {
            let last_seen = seen.as_ref().map(|seen| seen.load(Ordering::Relaxed));
            Ok(match asked == kind {
                true => json!([{
                    "type": kind, "module_id": context.module().as_str(), "binding": binding,
                    "name": format!("{name} sensor"), "last_seen": last_seen, "mac": "aa:bb",
                }]),
                false => json!([]),
            })
        },
    )
}
