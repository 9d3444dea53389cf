//! Whole calendars as programs write them, among them those that other calendars have been caught out by.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;

/// The definition of a zone as Outlook writes it, with rules from 1601 on.
const ROMANCE: &str = "BEGIN:VTIMEZONE
TZID:Romance Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
";

fn calendar(body: &str) -> String {
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\n{body}END:VCALENDAR\n");
    text.replace('\n', "\r\n")
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:u\n{lines}\nEND:VEVENT\n")
}

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes()).unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn place(zone: &TimeZone) -> Place<'_> {
    let mailbox = "room@example.test";
    Place { zone, mailbox }
}

/// The meetings of a calendar on some days, by id, start and end.
fn meetings(text: &str, room: &str, from: &str, days: i64) -> Vec<String> {
    let zone = zone(room);
    let first: jiff::civil::Date = from.parse().unwrap();
    let midnight = |day: jiff::civil::Date| day.to_zoned(zone.clone()).unwrap().timestamp();
    let last = first.checked_add(jiff::Span::new().days(days)).unwrap();
    let window = Window {
        from: midnight(first),
        to: midnight(last),
    };
    let document = document(text);
    let mut found = Vec::new();
    for series in Series::all(&document, place(&zone)) {
        let (occurrences, _) = series.occurrences(window);
        found.extend(occurrences.iter().map(|it| {
            let all_day = if it.all_day { " all day" } else { "" };
            (
                it.start,
                format!("{} {} {}{all_day}", it.id(&series.uid), it.start, it.end),
            )
        }));
    }
    found.sort();
    found.into_iter().map(|(_, text)| text).collect()
}

#[track_caller]
fn check(text: &str, room: &str, (from, days): (&str, i64), expect: &[&str]) {
    assert_eq!(meetings(text, room, from, days), expect, "{text}");
}

#[test]
fn a_whole_day_that_comes_weekly_in_berlin_stays_on_its_monday() {
    let text = calendar(&event(
        "DTSTART;VALUE=DATE:20251006\nDTEND;VALUE=DATE:20251007\nRRULE:FREQ=WEEKLY;BYDAY=MO",
    ));
    check(
        &text,
        "Europe/Berlin",
        ("2025-10-20", 14),
        &[
            "u-20251020 2025-10-19T22:00:00Z 2025-10-20T22:00:00Z all day",
            // The clocks have gone back.
            "u-20251027 2025-10-26T23:00:00Z 2025-10-27T23:00:00Z all day",
        ],
    );
}

#[test]
fn a_zone_of_outlook_is_taken_from_its_definition_and_a_day_takes_out_its_meeting() {
    let series = "DTSTART;TZID=Romance Standard Time:20251020T090000
DTEND;TZID=Romance Standard Time:20251020T100000
RRULE:FREQ=DAILY;UNTIL=20251031T080000Z
EXDATE;VALUE=DATE:20251021,20251022
EXDATE;TZID=Romance Standard Time:20251024T090000";
    let expect = [
        "u-20251020T070000Z 2025-10-20T07:00:00Z 2025-10-20T08:00:00Z",
        "u-20251023T070000Z 2025-10-23T07:00:00Z 2025-10-23T08:00:00Z",
        "u-20251025T070000Z 2025-10-25T07:00:00Z 2025-10-25T08:00:00Z",
        "u-20251026T080000Z 2025-10-26T08:00:00Z 2025-10-26T09:00:00Z",
    ];
    let with = calendar(&format!("{ROMANCE}{}", event(series)));
    check(&with, "Asia/Tokyo", ("2025-10-20", 7), &expect);
    // Some programs leave the definition out.
    let without = calendar(&event(series));
    check(&without, "Asia/Tokyo", ("2025-10-20", 7), &expect);
    // A definition of one's own name.
    let own = with.replace("Romance Standard Time", "Customized Time Zone 1");
    check(&own, "Asia/Tokyo", ("2025-10-20", 7), &expect);
}

#[test]
fn a_series_without_an_end_in_sight_costs_no_more_than_a_short_one() {
    let series = "DTSTART;TZID=Own:16010101T090000
DURATION:PT1H
RRULE:FREQ=DAILY;UNTIL=21101231T000000Z";
    let zone = ROMANCE.replace("Romance Standard Time", "Own");
    let text = calendar(&format!("{zone}{}", event(series)));
    let found = meetings(&text, "Europe/Paris", "2026-01-05", 30);
    assert_eq!(found.len(), 30);
    assert_eq!(
        found[0],
        "u-20260105T080000Z 2026-01-05T08:00:00Z 2026-01-05T09:00:00Z"
    );
}

#[test]
fn the_whole_day_of_tomorrow_is_not_today_west_of_greenwich() {
    let text = calendar(&event(
        "DTSTART;VALUE=DATE:20260106\nDTEND;VALUE=DATE:20260107",
    ));
    for room in [
        "America/Los_Angeles",
        "Pacific/Honolulu",
        "Pacific/Auckland",
    ] {
        check(&text, room, ("2026-01-05", 1), &[]);
        assert_eq!(meetings(&text, room, "2026-01-06", 1).len(), 1, "{room}");
        check(&text, room, ("2026-01-07", 1), &[]);
    }
}

#[test]
fn a_meeting_of_a_series_that_was_moved_is_where_it_was_moved_to() {
    let series = event(
        "DTSTART;TZID=Europe/Berlin:20260105T090000\nDTEND;TZID=Europe/Berlin:20260105T100000\nRRULE:FREQ=WEEKLY",
    );
    let moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000\nDTSTART;TZID=Europe/Berlin:20260113T140000\nDTEND;TZID=Europe/Berlin:20260113T150000",
    );
    let text = calendar(&format!("{moved}{series}"));
    check(
        &text,
        "Europe/Berlin",
        ("2026-01-12", 8),
        &[
            "u-20260112T080000Z 2026-01-13T13:00:00Z 2026-01-13T14:00:00Z",
            "u-20260119T080000Z 2026-01-19T08:00:00Z 2026-01-19T09:00:00Z",
        ],
    );
    // Into the window from outside of it, also where the calendar has it alone, and by its day.
    check(
        &text,
        "Europe/Berlin",
        ("2026-01-13", 1),
        &["u-20260112T080000Z 2026-01-13T13:00:00Z 2026-01-13T14:00:00Z"],
    );
    let alone = calendar(&moved);
    assert_eq!(meetings(&alone, "Europe/Berlin", "2026-01-13", 1).len(), 1);
    let by_day = text.replace(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000",
        "RECURRENCE-ID;VALUE=DATE:20260112",
    );
    assert_eq!(meetings(&by_day, "Europe/Berlin", "2026-01-12", 8).len(), 2);
}

/// A weekly series in Berlin whose meetings are two hours later and half as long from the third on, and called otherwise.
fn moved_from_the_third_on() -> String {
    let series = event(
        "DTSTART;TZID=Europe/Berlin:20260309T090000\nDTEND;TZID=Europe/Berlin:20260309T100000\nRRULE:FREQ=WEEKLY;COUNT=6\nEXDATE;TZID=Europe/Berlin:20260406T090000\nSUMMARY:Early",
    );
    let moved = event(
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260323T090000\nDTSTART;TZID=Europe/Berlin:20260323T110000\nDTEND;TZID=Europe/Berlin:20260323T113000\nSUMMARY:Late",
    );
    calendar(&format!("{series}{moved}"))
}

#[test]
fn a_change_of_all_later_meetings_moves_them_by_as_much_until_the_next_change() {
    let text = moved_from_the_third_on();
    let days = ("2026-03-09", 60);
    let (early, late) = (
        [
            "u-20260309T080000Z 2026-03-09T08:00:00Z 2026-03-09T09:00:00Z",
            "u-20260316T080000Z 2026-03-16T08:00:00Z 2026-03-16T09:00:00Z",
            "u-20260323T080000Z 2026-03-23T10:00:00Z 2026-03-23T10:30:00Z",
        ],
        [
            // The clocks have gone forward.
            "u-20260330T070000Z 2026-03-30T09:00:00Z 2026-03-30T09:30:00Z",
            "u-20260413T070000Z 2026-04-13T09:00:00Z 2026-04-13T09:30:00Z",
        ],
    );
    check(&text, "Europe/Berlin", days, &[&early[..], &late].concat());
    // Far enough for a meeting to leave the days of its rule.
    let far = text.replace("20260323T110000", "20260328T110000");
    let far = far.replace("20260323T113000", "20260328T113000");
    let one = "u-20260330T070000Z 2026-04-04T09:00:00Z 2026-04-04T09:30:00Z";
    check(&far, "Europe/Berlin", ("2026-04-04", 1), &[one]);
    // A meeting with a change of its own follows that one.
    let own = "BEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID:20260330T070000Z\r\nDTSTART:20260331T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR";
    let own = text.replace("END:VCALENDAR", own);
    let moved = "u-20260330T070000Z 2026-03-31T12:00:00Z 2026-03-31T12:00:00Z";
    check(&own, "Europe/Berlin", ("2026-03-30", 20), &[moved, late[1]]);
    let off = text.replace("SUMMARY:Late", "STATUS:CANCELLED");
    check(&off, "Europe/Berlin", days, &early[..2]);
}

#[test]
fn a_change_of_all_later_whole_days_moves_them_by_days() {
    let series = event("DTSTART;VALUE=DATE:20260302\nRRULE:FREQ=WEEKLY;COUNT=4");
    let moved = event(
        "RECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260309\nDTSTART;VALUE=DATE:20260311\nDURATION:P2D",
    );
    let text = calendar(&format!("{series}{moved}"));
    let expect = ["u-20260323 2026-03-24T23:00:00Z 2026-03-26T23:00:00Z all day"];
    check(&text, "Europe/Berlin", ("2026-03-23", 7), &expect);
}

#[test]
fn a_change_of_one_meeting_leaves_those_alone_that_follow_another_change_with_it() {
    let berlin = zone("Europe/Berlin");
    let text = moved_from_the_third_on();
    let days = ("2026-03-23", 30);
    let third = ("u", Some(Key::Moment(at("2026-03-23T08:00:00Z"))));
    let fourth = ("u", Some(Key::Moment(at("2026-03-30T07:00:00Z"))));
    let end = at("2026-03-23T10:10:00Z");
    let shown = [
        "u-20260323T080000Z 2026-03-23T10:00:00Z 2026-03-23T10:30:00Z",
        "u-20260330T070000Z 2026-03-30T09:00:00Z 2026-03-30T09:30:00Z",
        "u-20260413T070000Z 2026-04-13T09:00:00Z 2026-04-13T09:30:00Z",
    ];

    let shorter = shorten(document(&text), third, place(&berlin), end, at(NOW)).unwrap();
    let shorter = String::from_utf8(shorter).unwrap();
    let short = "u-20260323T080000Z 2026-03-23T10:00:00Z 2026-03-23T10:10:00Z";
    check(
        &shorter,
        "Europe/Berlin",
        days,
        &[short, shown[1], shown[2]],
    );
    let start = at("2026-03-30T09:00:00Z");
    let marked = mark_checked_in(document(&text), fourth, place(&berlin), start, at(NOW)).unwrap();
    let marked = String::from_utf8(marked).unwrap();
    check(&marked, "Europe/Berlin", days, &shown);
    assert_eq!(marked.matches("SUMMARY:Late").count(), 2);
    for (meeting, expect) in [(third, &shown[1..]), (fourth, &[shown[0], shown[2]])] {
        let removed = remove(document(&text), meeting, place(&berlin)).unwrap();
        let Remains::Text(removed) = removed else {
            panic!("the series remains");
        };
        let removed = String::from_utf8(removed).unwrap();
        check(&removed, "Europe/Berlin", days, expect);
    }
}

#[test]
fn a_change_that_no_later_meeting_follows_leaves_the_next_change_alone() {
    let berlin = zone("Europe/Berlin");
    let next = "BEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260330T070000Z\r\nDTSTART:20260330T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR";
    let text = moved_from_the_third_on().replace("END:VCALENDAR", next);
    let third = ("u", Some(Key::Moment(at("2026-03-23T08:00:00Z"))));
    let end = at("2026-03-23T10:10:00Z");
    let shorter = shorten(document(&text), third, place(&berlin), end, at(NOW)).unwrap();
    let shorter = String::from_utf8(shorter).unwrap();
    check(
        &shorter,
        "Europe/Berlin",
        ("2026-03-23", 30),
        &[
            "u-20260323T080000Z 2026-03-23T10:00:00Z 2026-03-23T10:10:00Z",
            "u-20260330T070000Z 2026-03-30T12:00:00Z 2026-03-30T12:00:00Z",
            "u-20260413T070000Z 2026-04-13T12:00:00Z 2026-04-13T12:00:00Z",
        ],
    );
}

#[test]
fn a_meeting_without_an_end_lasts_as_rfc_5545_says() {
    for (lines, expect) in [
        (
            "DTSTART:20260105T090000Z\nDURATION:PT45M",
            "u 2026-01-05T09:00:00Z 2026-01-05T09:45:00Z",
        ),
        (
            "DTSTART;VALUE=DATE:20260105",
            "u 2026-01-05T00:00:00Z 2026-01-06T00:00:00Z all day",
        ),
        (
            "DTSTART:20260105",
            "u 2026-01-05T00:00:00Z 2026-01-06T00:00:00Z all day",
        ),
        (
            "DTSTART;VALUE=DATE:20260105\nDURATION:P2D",
            "u 2026-01-05T00:00:00Z 2026-01-07T00:00:00Z all day",
        ),
        (
            "DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260105",
            "u 2026-01-05T00:00:00Z 2026-01-06T00:00:00Z all day",
        ),
        (
            "DTSTART:20260105T090000Z",
            "u 2026-01-05T09:00:00Z 2026-01-05T09:00:00Z",
        ),
        (
            "DTSTART:20260105T090000Z\nDTEND:20260105T080000Z",
            "u 2026-01-05T09:00:00Z 2026-01-05T09:00:00Z",
        ),
        (
            "DTSTART:20260105T090000",
            "u 2026-01-05T09:00:00Z 2026-01-05T09:00:00Z",
        ),
    ] {
        check(
            &calendar(&event(lines)),
            "Etc/UTC",
            ("2026-01-05", 1),
            &[expect],
        );
    }
}

#[test]
fn a_byte_that_is_no_utf_8_spoils_no_meeting_and_stays() {
    let text = calendar(&event(
        "SUMMARY:Reuni?n\nDTSTART:20260105T090000Z\nDTEND:20260105T100000Z",
    ));
    let mut bytes = text.into_bytes();
    let place_of_it = bytes.iter().position(|&byte| byte == b'?').unwrap();
    bytes[place_of_it] = 0xf3;
    let utc = TimeZone::UTC;
    let document = Document::parse(&bytes).unwrap();
    let series = Series::all(&document, place(&utc));
    let (from, to) = (at("2026-01-05T00:00:00Z"), at("2026-01-06T00:00:00Z"));
    let (found, _) = series[0].occurrences(Window { from, to });
    assert_eq!(found[0].details.title, "Reunión");
    let marked = mark_checked_in(document, ("u", None), place(&utc), found[0].start, from).unwrap();
    assert_eq!(marked[place_of_it], 0xf3);
}

#[test]
fn what_is_cancelled_or_declined_by_the_room_does_not_take_place() {
    let lines = "DTSTART:20260105T090000Z\nDURATION:PT1H";
    for off in [
        "STATUS:CANCELLED",
        "ATTENDEE;PARTSTAT=DECLINED;CN=Room:MAILTO:Room@example.test",
    ] {
        check(
            &calendar(&event(&format!("{lines}\n{off}"))),
            "Etc/UTC",
            ("2026-01-05", 1),
            &[],
        );
    }
    let other = format!("{lines}\nATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.test");
    assert_eq!(
        meetings(&calendar(&event(&other)), "Etc/UTC", "2026-01-05", 1).len(),
        1
    );
    // One meeting of a series.
    let series = event(&format!("{lines}\nRRULE:FREQ=DAILY;COUNT=2"));
    let off = event("RECURRENCE-ID:20260105T090000Z\nDTSTART:20260105T090000Z\nSTATUS:CANCELLED");
    check(
        &calendar(&format!("{series}{off}")),
        "Etc/UTC",
        ("2026-01-05", 3),
        &["u-20260106T090000Z 2026-01-06T09:00:00Z 2026-01-06T10:00:00Z"],
    );
}

#[test]
fn dates_beside_the_rule_are_meetings_with_a_length_of_their_own() {
    let lines = "DTSTART:20260105T090000Z\nDURATION:PT1H\nRDATE:20260106T120000Z\nRDATE;VALUE=PERIOD:20260107T120000Z/PT3H,20260107T180000Z/20260107T200000Z";
    check(
        &calendar(&event(lines)),
        "Etc/UTC",
        ("2026-01-05", 5),
        &[
            "u-20260105T090000Z 2026-01-05T09:00:00Z 2026-01-05T10:00:00Z",
            "u-20260106T120000Z 2026-01-06T12:00:00Z 2026-01-06T13:00:00Z",
            "u-20260107T120000Z 2026-01-07T12:00:00Z 2026-01-07T15:00:00Z",
            "u-20260107T180000Z 2026-01-07T18:00:00Z 2026-01-07T20:00:00Z",
        ],
    );
}

#[test]
fn what_goes_on_at_the_first_moment_is_there_and_what_ends_then_is_not() {
    let on = event("DTSTART:20260101T090000Z\nDTEND:20260105T000001Z");
    let over = event("DTSTART:20260101T090000Z\nDTEND:20260105T000000Z").replace("UID:u", "UID:v");
    let text = calendar(&format!("{on}{over}"));
    check(
        &text,
        "Etc/UTC",
        ("2026-01-05", 1),
        &["u 2026-01-01T09:00:00Z 2026-01-05T00:00:01Z"],
    );
}

/// A weekly series with all that a change has to leave alone.
fn weekly() -> String {
    calendar(&format!(
        "{ROMANCE}X-WR-CALNAME:Board\n{}",
        event(
            "DTSTAMP:20250101T000000Z
DTSTART;TZID=Romance Standard Time;X-OTHER=\"a:b\":20260105T090000
DTEND;TZID=Romance Standard Time:20260105T100000
RRULE:FREQ=WEEKLY;COUNT=10
EXDATE;TZID=Romance Standard Time:20260119T090000
SUMMARY:A title that is folded in a way in which this driver would not fold
 \x20it
ATTENDEE;CN=\"Other, Ann\";X-NUM-GUESTS=0:mailto:ann@example.test
X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:1.0,2.0
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
END:VALARM"
        )
    ))
}

const NOW: &str = "2026-01-12T08:10:00Z";
const SECOND: &str = "2026-01-12T08:00:00Z";

fn second() -> (&'static str, Option<Key>) {
    ("u", Some(Key::Moment(at(SECOND))))
}

/// The lines that are in one text and not in the other.
fn added(before: &str, after: &str) -> Vec<String> {
    let mut left: Vec<&str> = before.split("\r\n").collect();
    let new = after.split("\r\n").filter(|line| {
        let known = left.iter().position(|it| it == line);
        known.map(|place| left.swap_remove(place)).is_none()
    });
    let new = new.map(str::to_owned).collect();
    let kept: Vec<&str> = left
        .into_iter()
        .filter(|line| !after.contains(line))
        .collect();
    assert_eq!(kept, Vec::<&str>::new(), "lines were lost");
    new
}

#[test]
fn a_check_in_to_one_meeting_of_a_series_leaves_the_series_byte_for_byte() {
    let paris = zone("Europe/Paris");
    let before = weekly();
    let after = mark_checked_in(
        document(&before),
        second(),
        place(&paris),
        at(SECOND),
        at(NOW),
    )
    .unwrap();
    let after = String::from_utf8(after).unwrap();
    let (head, _) = before.split_once("END:VCALENDAR").unwrap();
    assert!(after.starts_with(head), "{after}");
    assert_eq!(
        meetings(&after, "Europe/Paris", "2026-01-05", 60),
        meetings(&before, "Europe/Paris", "2026-01-05", 60)
    );
    let exception = &after[head.len()..];
    for line in [
        "RECURRENCE-ID;TZID=Romance Standard Time:20260112T090000\r\n",
        "DTSTART;TZID=Romance Standard Time:20260112T090000\r\n",
        "DTEND;TZID=Romance Standard Time:20260112T100000\r\n",
        "X-RISER-CHECKED-IN:20260112T080000Z\r\n",
        "DTSTAMP:20260112T081000Z\r\n",
        "X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:1.0,2.0\r\n",
        "SUMMARY:A title that is folded in a way in which this driver would not fold\r\n  it\r\n",
        "TRIGGER:-PT15M\r\n",
    ] {
        assert!(exception.contains(line), "{line} is not in {exception}");
    }
    for name in ["RRULE", "EXDATE"] {
        assert!(!exception.contains(name), "{exception}");
    }
    // Again: the exception is there already.
    let again = mark_checked_in(
        document(&after),
        second(),
        place(&paris),
        at(SECOND),
        at(NOW),
    )
    .unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), after);
}

#[test]
fn a_meeting_of_a_series_ends_early_and_the_others_do_not() {
    let paris = zone("Europe/Paris");
    let before = weekly();
    let after = shorten(document(&before), second(), place(&paris), at(NOW), at(NOW)).unwrap();
    let after = String::from_utf8(after).unwrap();
    let expect: Vec<String> = meetings(&before, "Europe/Paris", "2026-01-05", 60)
        .into_iter()
        .map(|it| it.replace("2026-01-12T09:00:00Z", NOW))
        .collect();
    assert_eq!(meetings(&after, "Europe/Paris", "2026-01-05", 60), expect);
}

#[test]
fn a_meeting_of_a_series_is_taken_out_by_one_more_line() {
    let paris = zone("Europe/Paris");
    let before = weekly();
    let Remains::Text(after) = remove(document(&before), second(), place(&paris)).unwrap() else {
        panic!("the series remains");
    };
    let after = String::from_utf8(after).unwrap();
    assert_eq!(
        added(&before, &after),
        ["EXDATE;TZID=Romance Standard Time:20260112T090000"]
    );
    let mut expect = meetings(&before, "Europe/Paris", "2026-01-05", 60);
    expect.retain(|it| !it.contains(SECOND));
    assert_eq!(meetings(&after, "Europe/Paris", "2026-01-05", 60), expect);
    // With an exception of its own.
    let marked = mark_checked_in(
        document(&before),
        second(),
        place(&paris),
        at(SECOND),
        at(NOW),
    )
    .unwrap();
    let marked = Document::parse(&marked).unwrap();
    let Remains::Text(bytes) = remove(marked, second(), place(&paris)).unwrap() else {
        panic!("the series remains");
    };
    assert_eq!(String::from_utf8(bytes).unwrap(), after);
}

#[test]
fn the_last_meeting_of_an_entry_leaves_nothing() {
    let utc = TimeZone::UTC;
    let single = calendar(&event("DTSTART:20260112T080000Z\nDURATION:PT1H"));
    assert_eq!(
        remove(document(&single), ("u", None), place(&utc)),
        Ok(Remains::Nothing)
    );
    let alone = calendar(&event(
        "RECURRENCE-ID:20260112T080000Z\nDTSTART:20260113T080000Z",
    ));
    assert_eq!(
        remove(document(&alone), second(), place(&utc)),
        Ok(Remains::Nothing)
    );
    for missing in [("v", None), ("u", Some(Key::Moment(at(NOW))))] {
        assert_eq!(remove(document(&alone), missing, place(&utc)), Err(Gone));
    }
}

#[test]
fn a_meeting_ends_early_in_the_form_in_which_it_begins() {
    let berlin = zone("Europe/Berlin");
    for (lines, expect) in [
        (
            "DTSTART:20260112T080000Z\nDURATION:PT1H",
            "DTEND:20260112T081000Z",
        ),
        (
            "DTSTART:20260112T090000\nDTEND:20260112T100000",
            "DTEND:20260112T091000",
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260112T090000\nDTEND;TZID=Europe/Berlin:20260112T100000",
            "DTEND:20260112T081000Z",
        ),
        (
            "DTSTART;VALUE=DATE:20260112",
            "DTSTART:20260111T230000Z\r\nDTEND:20260112T081000Z",
        ),
        (
            "DTSTART;VALUE=DATE:20260110\nDTEND;VALUE=DATE:20260115",
            "DTSTART:20260109T230000Z\r\nDTEND:20260112T081000Z",
        ),
    ] {
        let before = document(&calendar(&event(lines)));
        let after = shorten(before, ("u", None), place(&berlin), at(NOW), at(NOW)).unwrap();
        let after = String::from_utf8(after).unwrap();
        assert!(after.contains(expect), "{after}");
        assert!(!after.contains("DURATION"), "{after}");
        let found = meetings(&after, "Europe/Berlin", "2026-01-12", 1);
        assert!(found[0].ends_with(NOW), "{found:?}");
    }
}

#[test]
fn a_booking_is_read_as_it_was_made_whatever_its_texts() {
    let utc = TimeZone::UTC;
    let booking = Booking {
        uid: "u",
        start: at("2026-01-12T08:00:00Z"),
        end: at("2026-01-12T09:00:00Z"),
        title: "Ünïcode; \"quoted\", and\r\nEND:VEVENT\r\nX-EVIL:1",
        host: ("ann@example.test\r\nX-EVIL:1", "Other, Ann\r\nX-EVIL:1"),
        room: ("room@example.test", "Board: \"1\""),
        now: at(NOW),
    };
    let text = String::from_utf8(new_meeting(&booking)).unwrap();
    assert!(
        !text.lines().any(|line| line.starts_with("X-EVIL")),
        "{text}"
    );
    let document = document(&text);
    let series = Series::all(&document, place(&utc));
    let (from, to) = (booking.start, booking.end);
    let (found, extent) = series[0].occurrences(Window { from, to });
    assert_eq!((found.len(), extent), (1, Extent::Whole));
    let details = found[0].details;
    assert_eq!(
        details.title,
        "Ünïcode; \"quoted\", and\nEND:VEVENT\nX-EVIL:1"
    );
    assert_eq!(details.host.as_deref(), Some(booking.host.0));
    assert_eq!(details.checked_in, Some(booking.start));
    assert_eq!(details.guests[0].name.as_deref(), Some("Board: \"1\""));
    assert!(details.guests[0].is_resource);
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");
}

#[test]
fn of_two_entries_with_one_id_the_one_that_is_shown_is_changed() {
    let utc = TimeZone::UTC;
    let series = event("DTSTART:20260112T080000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY");
    // What it stands for cannot be read, so it is a meeting of its own.
    let unreadable = event("RECURRENCE-ID:20 60112\nDTSTART:20260113T080000Z\nDURATION:PT1H");
    let text = calendar(&format!("{series}{unreadable}"));
    let shown = ["u 2026-01-13T08:00:00Z 2026-01-13T09:00:00Z"];
    check(&text, "Etc/UTC", ("2026-01-12", 9), &shown);
    let start = at("2026-01-13T08:00:00Z");
    let marked = mark_checked_in(document(&text), ("u", None), place(&utc), start, start).unwrap();
    let marked = String::from_utf8(marked).unwrap();
    assert!(
        marked.starts_with(text.split_once("RECURRENCE-ID").unwrap().0),
        "{marked}"
    );
    assert_eq!(
        remove(document(&text), ("u", None), place(&utc)),
        Ok(Remains::Nothing)
    );
}

#[test]
fn a_meeting_that_comes_once_goes_and_the_exception_beside_it_stays() {
    let utc = TimeZone::UTC;
    let once = event("DTSTART:20260105T080000Z\nDURATION:PT1H");
    let beside = event("RECURRENCE-ID:20260112T080000Z\nDTSTART:20260112T100000Z\nDURATION:PT1H");
    let text = calendar(&format!("{once}{beside}"));
    let rest = remove(document(&text), ("u", None), place(&utc));
    assert_eq!(rest, Ok(Remains::Text(calendar(&beside).into_bytes())));
}
