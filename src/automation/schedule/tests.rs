//! The moments of schedules, with clocks that are put forward and back.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn stamp(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp(u64::try_from(moment.as_microsecond()).unwrap())
}

fn shown(moment: Timestamp) -> String {
    let micros = i64::try_from(moment.0).unwrap();
    jiff::Timestamp::from_microsecond(micros)
        .unwrap()
        .to_string()
}

fn rule(cron: &str, zone: Option<&str>) -> Schedule {
    let condition = Condition::Cron {
        cron: Cron::parse(cron).unwrap(),
        timezone: zone.map(str::to_owned),
    };
    Schedule::of(&condition, None).unwrap()
}

/// The moments that follow each other after a first one.
fn moments(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let first = schedule.next(stamp(after));
    let all = std::iter::successors(first, |moment| schedule.next(*moment));
    all.take(count).map(shown).collect()
}

#[test]
fn a_rule_has_its_moments_one_after_another() {
    let weekdays = rule("0 8 * * 1-5", None);
    assert_eq!(
        moments(&weekdays, "2026-12-03T08:00:00Z", 3),
        [
            "2026-12-04T08:00:00Z",
            "2026-12-07T08:00:00Z",
            "2026-12-08T08:00:00Z"
        ]
    );
    let leap = rule("0 0 29 2 *", None);
    assert_eq!(
        moments(&leap, "2096-02-29T00:00:00Z", 1),
        ["2104-02-29T00:00:00Z"]
    );
    let rare = rule("0 0 29 2 */7", None);
    assert_eq!(
        moments(&rare, "2026-01-01T00:00:00Z", 2),
        ["2032-02-29T00:00:00Z", "2060-02-29T00:00:00Z"]
    );
}

#[test]
fn a_rule_goes_by_the_clocks_of_its_place() {
    let eight = "0 8 * * *";
    let london = rule(eight, Some("Europe/London"));
    assert_eq!(
        moments(&london, "2026-07-01T00:00:00Z", 1),
        ["2026-07-01T07:00:00Z"]
    );
    let condition = Condition::Cron {
        cron: Cron::parse(eight).unwrap(),
        timezone: None,
    };
    let room = Schedule::of(&condition, Some("asia/kathmandu")).unwrap();
    assert_eq!(
        moments(&room, "2026-07-01T00:00:00Z", 1),
        ["2026-07-01T02:15:00Z"]
    );
    let nowhere = Schedule::of(&condition, Some("Gone/Away")).unwrap();
    assert_eq!(
        moments(&nowhere, "2026-07-01T00:00:00Z", 1),
        ["2026-07-01T08:00:00Z"]
    );
}

#[test]
fn a_time_that_occurs_twice_counts_at_its_first() {
    // Clocks go back from two to one at 01:00 UTC on the 25th of October.
    let half_past_one = rule("30 1 * * *", Some("Europe/London"));
    assert_eq!(
        moments(&half_past_one, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    let often = rule("*/30 * * * *", Some("Europe/London"));
    assert_eq!(
        moments(&often, "2026-10-25T00:00:00Z", 3),
        [
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:00:00Z",
            "2026-10-25T02:30:00Z"
        ]
    );
    assert_eq!(
        moments(&often, "2026-10-25T01:10:00Z", 1),
        ["2026-10-25T02:00:00Z"]
    );
}

#[test]
fn a_time_that_is_skipped_counts_at_the_moment_of_the_skip() {
    // Clocks go forward from one to two at 01:00 UTC on the 28th of March.
    let half_past_one = rule("30 1 * * *", Some("Europe/London"));
    assert_eq!(
        moments(&half_past_one, "2027-03-27T12:00:00Z", 2),
        ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]
    );
    let often = rule("*/20 * * * *", Some("Europe/London"));
    assert_eq!(
        moments(&often, "2027-03-28T00:30:00Z", 3),
        [
            "2027-03-28T00:40:00Z",
            "2027-03-28T01:00:00Z",
            "2027-03-28T01:20:00Z"
        ]
    );
    // Samoa had no 30th of December in 2011.
    let friday = rule("0 12 30 12 *", Some("Pacific/Apia"));
    assert_eq!(
        moments(&friday, "2011-12-01T00:00:00Z", 1),
        ["2011-12-30T10:00:00Z"]
    );
}

#[test]
fn a_moment_comes_once_and_never_when_it_is_past() {
    let moment = stamp("2026-12-01T08:00:00Z");
    let once = Schedule::of(&Condition::At(moment), None).unwrap();
    assert_eq!(once.next(stamp("2026-12-01T07:59:59Z")), Some(moment));
    assert_eq!(once.next(moment), None);
    assert_eq!(once.next(stamp("2027-01-01T00:00:00Z")), None);
}

#[test]
fn a_condition_that_no_time_brings_about_has_no_schedule() {
    let event = crate::model::Conditions::read(
        &crate::model::JsonText::parse(r#"[{"event":"doors"}]"#).unwrap(),
    );
    assert!(Schedule::of(&event.unwrap().list()[0], None).is_none());
}

/// The moments that a rule means within so many minutes, found by looking at the clock of each minute.
fn looked_up(cron: &Cron, zone: &TimeZone, start: jiff::Timestamp, count: i64) -> Vec<String> {
    let times: HashSet<(u32, u32)> = cron.times().collect();
    let wanted = |time: DateTime| {
        let number = |number: i8| u32::try_from(number).unwrap();
        let time_of_day = (number(time.hour()), number(time.minute()));
        times.contains(&time_of_day) && has_day(cron, time.date())
    };
    let minute = jiff::Span::new().minutes(1);
    // What the clocks have shown before counts as seen.
    let mut seen: HashSet<DateTime> = (-180..=0)
        .map(|back| zone.to_datetime(minutes(start, back)))
        .collect();
    let (mut before, mut found) = (zone.to_datetime(start), Vec::new());
    for moment in (1..=count).map(|after| minutes(start, after)) {
        let local = zone.to_datetime(moment);
        let from = before.checked_add(minute).unwrap();
        let skipped = std::iter::successors(Some(from), |time| time.checked_add(minute).ok());
        let mut skipped = skipped.take_while(|time| *time < local);
        if (seen.insert(local) && wanted(local)) || skipped.any(wanted) {
            found.push(moment.to_string());
        }
        before = local;
    }
    found
}

fn minutes(moment: jiff::Timestamp, count: i64) -> jiff::Timestamp {
    moment
        .checked_add(jiff::SignedDuration::from_mins(count))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(10)))]

    #[test]
    fn each_minute_that_a_rule_means_is_a_moment_and_no_other(
        minute in prop_oneof![Just("*/7"), Just("0,30"), Just("59"), Just("*")],
        hour in prop_oneof![Just("*"), Just("1"), Just("2,3"), Just("*/5"), Just("23")],
        day in prop_oneof![Just("* * *"), Just("*/2 * *"), Just("* * sun"), Just("* * sat,mon")],
        place in prop_oneof![
            Just(("Europe/London", "2026-10-24T20:00:00Z")),
            Just(("Europe/London", "2027-03-27T20:00:00Z")),
            Just(("Australia/Lord_Howe", "2026-10-03T06:00:00Z")),
            Just(("Australia/Lord_Howe", "2027-04-03T06:00:00Z")),
            Just(("America/Havana", "2026-10-31T20:00:00Z")),
            Just(("America/Havana", "2027-03-13T20:00:00Z")),
        ],
    ) {
        let text = format!("{minute} {hour} {day}");
        let schedule = rule(&text, Some(place.0));
        let (cron, zone) = (Cron::parse(&text).unwrap(), zone(place.0).unwrap());
        let start: jiff::Timestamp = place.1.parse().unwrap();
        let expect = looked_up(&cron, &zone, start, 30 * 60);
        let end = stamp(&minutes(start, 30 * 60).to_string());
        let first = schedule.next(stamp(place.1));
        let found = std::iter::successors(first, |moment| schedule.next(*moment));
        let found: Vec<String> = found.take_while(|moment| *moment <= end).map(shown).collect();
        prop_assert_eq!(found, expect);
    }
}
