//! Calendars that others have reported as shown wrongly, through a real server: whether it finds them in the days that it is asked for, too.

use crate::harness::{Radicale, event, meetings};

const ROMANCE: &str = "BEGIN:VTIMEZONE\r\nTZID:Romance Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT";

/// The first meetings that the room has of what a client saved.
async fn shown(text: &str, count: usize) -> Vec<String> {
    let (server, mut client) = Radicale::start().await;
    client.save(text).await;
    let module = server.module(3600.0).await;
    let mut found = meetings(&module).await;
    module.stop().await;
    found.truncate(count);
    found
}

#[tokio::test]
async fn a_whole_day_that_comes_weekly_in_berlin_stays_on_its_monday() {
    let text = event(
        "u",
        "Day",
        "DTSTART;VALUE=DATE:20251006\nDTEND;VALUE=DATE:20251007\nRRULE:FREQ=WEEKLY;BYDAY=MO",
    );
    assert_eq!(
        shown(&text, 2).await,
        ["Day 11 23:00 12 23:00", "Day 18 23:00 19 23:00"]
    );
}

#[tokio::test]
async fn a_series_of_outlook_without_an_end_in_sight_has_its_meetings_but_for_the_days_taken_out() {
    let lines = "DTSTART;TZID=Romance Standard Time:20200106T140000\nDTEND;TZID=Romance Standard Time:20200106T150000\nRRULE:FREQ=WEEKLY;UNTIL=21101231T000000Z\nEXDATE;VALUE=DATE:20260119";
    let text = event("u", "Weekly", lines).replacen("BEGIN:VEVENT", ROMANCE, 1);
    assert_eq!(
        shown(&text, 2).await,
        ["Weekly 12 13:00 12 14:00", "Weekly 26 13:00 26 14:00"]
    );
}

#[tokio::test]
async fn a_meeting_of_a_series_that_was_moved_to_now_is_on() {
    let series = event(
        "u",
        "Weekly",
        "DTSTART:20260109T080000Z\nDTEND:20260109T090000Z\nRRULE:FREQ=WEEKLY",
    );
    let moved = "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Moved\r\nRECURRENCE-ID:20260109T080000Z\r\nDTSTART:20260112T080500Z\r\nDTEND:20260112T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR";
    let text = series.replace("END:VEVENT\r\nEND:VCALENDAR", moved);
    assert_eq!(
        shown(&text, 2).await,
        ["Moved 12 08:05 12 09:00", "Weekly 16 08:00 16 09:00"]
    );
}

#[tokio::test]
async fn a_change_of_all_later_meetings_of_a_series_holds_for_the_meetings_of_today() {
    let series = event(
        "u",
        "Weekly",
        "DTSTART:20251229T080000Z\nDTEND:20251229T090000Z\nRRULE:FREQ=WEEKLY",
    );
    let moved = "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Later\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260105T080000Z\r\nDTSTART:20260106T100000Z\r\nDTEND:20260106T103000Z\r\nEND:VEVENT\r\nEND:VCALENDAR";
    let text = series.replace("END:VEVENT\r\nEND:VCALENDAR", moved);
    assert_eq!(
        shown(&text, 2).await,
        ["Later 13 10:00 13 10:30", "Later 20 10:00 20 10:30"]
    );
}

#[tokio::test]
async fn meetings_without_an_end_and_those_since_yesterday_are_there() {
    let text = event("u", "Long", "DTSTART;VALUE=DATE:20260101\nDURATION:P60D");
    assert_eq!(shown(&text, 2).await, ["Long 31 23:00 01 23:00"]);
    let text = event("u", "Day", "DTSTART;VALUE=DATE:20260113");
    assert_eq!(shown(&text, 2).await, ["Day 12 23:00 13 23:00"]);
    let text = event("u", "Mark", "DTSTART:20260112T120000Z");
    assert_eq!(shown(&text, 2).await, ["Mark 12 12:00 12 12:00"]);
}
