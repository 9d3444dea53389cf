//! Random calendars: whatever stands in one, it is read within bounds, written back as it was, and a change leaves the other meetings alone.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::limits::OCCURRENCES_MAX;
use super::*;

const SEEDS: &[&str] = &[
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=Own:20260105T090000\r\nDTEND;TZID=Own:20260105T100000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=9\r\nEXDATE;TZID=Own:20260107T090000\r\nSUMMARY:One\r\n  two\r\nATTENDEE;CN=\"A, B\";PARTSTAT=ACCEPTED:mailto:a@b\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID;TZID=Own:20260112T090000\r\nDTSTART;TZID=Own:20260112T110000\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:v\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=MONTHLY;BYDAY=1TU,-1FR;BYSETPOS=1,-1;UNTIL=20261231\nRDATE;VALUE=DATE:20260109\nSTATUS:TENTATIVE\nEND:VEVENT\nEND:VCALENDAR\n",
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:w\r\nDTSTART:20260106T120000Z\r\nDURATION:P1DT2H\r\nRDATE;VALUE=PERIOD:20260108T120000Z/PT3H\r\nX-RISER-CHECKED-IN:20260106T120000Z\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
];

const WORDS: &[&str] = &[
    "\r\n",
    "\n ",
    ":",
    ";",
    ",",
    "\"",
    "0",
    "9",
    "-",
    "Z",
    "T",
    "/",
    "\u{e9}",
    "\\",
    "^",
    "=",
    "BEGIN:VEVENT\r\n",
    "END:VEVENT\r\n",
    "RRULE:FREQ=SECONDLY\r\n",
    "RRULE:FREQ=YEARLY;BYWEEKNO=53\r\n",
    "RRULE:FREQ=HOURLY;INTERVAL=999999999\r\n",
    "COUNT=4294967295;",
    "UNTIL=99991231T235959Z;",
    "BYHOUR=0,1,2,3;",
    "DTSTART:99991231T235959\r\n",
    "DTSTART:00010101T000000Z\r\n",
    "DURATION:P4294967295W\r\n",
    "EXDATE;VALUE=DATE:20260105\r\n",
    "RECURRENCE-ID:20260105T090000Z\r\n",
    "RECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000Z\r\n",
    "TZID=Europe/Berlin",
    "TZID=Romance Standard Time",
    "VALUE=DATE",
    "STATUS:CANCELLED\r\n",
    "UID:u\r\n",
];

/// One thing that goes wrong in a text.
#[derive(Debug, Clone)]
enum Slip {
    Insert(Index, &'static str),
    Replace(Index, &'static str),
    Byte(Index, u8),
    Remove(Index, usize),
    Cut(Index),
}

fn slip() -> impl Strategy<Value = Slip> {
    let index = any::<Index>;
    prop_oneof![
        (index(), select(WORDS)).prop_map(|(at, word)| Slip::Insert(at, word)),
        (index(), select(WORDS)).prop_map(|(at, word)| Slip::Replace(at, word)),
        (index(), any::<u8>()).prop_map(|(at, byte)| Slip::Byte(at, byte)),
        (index(), 1..40_usize).prop_map(|(at, length)| Slip::Remove(at, length)),
        index().prop_map(Slip::Cut),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    (select(SEEDS), vec(slip(), 0..6)).prop_map(|(seed, slips)| {
        let mut text = seed.as_bytes().to_vec();
        for slip in slips {
            let place = |at: Index| at.index(text.len() + 1);
            match slip {
                Slip::Insert(at, word) => {
                    let at = place(at);
                    text.splice(at..at, word.bytes());
                }
                Slip::Replace(at, word) => {
                    let at = place(at);
                    let end = (at + word.len()).min(text.len());
                    text.splice(at..end, word.bytes());
                }
                Slip::Byte(at, byte) => {
                    let at = place(at);
                    let end = (at + 1).min(text.len());
                    text.splice(at..end, [byte]);
                }
                Slip::Remove(at, length) => {
                    let at = place(at);
                    let end = (at + length).min(text.len());
                    text.drain(at..end);
                }
                Slip::Cut(at) => {
                    // Mostly the end is there.
                    let at = place(at);
                    text.truncate(at.max(text.len() / 2));
                }
            }
        }
        text
    })
}

/// The meetings of a text in the month, by id, start and end.
fn meetings(
    document: &Document,
    place: Place<'_>,
) -> Vec<(String, Option<Key>, Timestamp, Timestamp)> {
    let from: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
    let to: Timestamp = "2026-02-04T00:00:00Z".parse().unwrap();
    let mut all = Vec::new();
    for series in Series::all(document, place) {
        let (found, _) = series.occurrences(Window { from, to });
        assert!(found.len() <= OCCURRENCES_MAX);
        for it in found {
            assert!(it.start <= it.end && it.start < to);
            assert!(it.start >= from || it.end > from);
            all.push((series.uid.clone(), it.key, it.start, it.end));
        }
    }
    all.sort_by_key(|(uid, key, start, _)| (uid.clone(), format!("{key:?}"), *start));
    all
}

proptest! {
    #[test]
    fn fuzz_a_calendar_is_read_within_bounds_and_written_back_as_it_was(text in text()) {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let place = Place { zone: &berlin, mailbox: "room@example.test" };
        if let Ok(document) = Document::parse(&text) {
            prop_assert_eq!(document.to_bytes(), text);
            meetings(&document, place);
        }
    }

    #[test]
    fn fuzz_a_change_of_one_meeting_leaves_the_others_as_they_were(text in text(), at in any::<Index>()) {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let place = Place { zone: &berlin, mailbox: "room@example.test" };
        let Ok(document) = Document::parse(&text) else { return Ok(()) };
        let before = meetings(&document, place);
        if before.is_empty() || before.len() > 50 {
            return Ok(());
        }
        let (uid, key, start, _) = at.get(&before).clone();
        let now = start;
        let others = |document: &Document| {
            let mut all = meetings(document, place);
            all.retain(|(it, its_key, ..)| (it, its_key) != (&uid, &key));
            all
        };
        if let Ok(marked) = mark_checked_in(document.clone(), (&uid, key), place, start, now) {
            let marked = Document::parse(&marked).unwrap();
            prop_assert_eq!(others(&marked), others(&document));
        }
        match remove(document.clone(), (&uid, key), place) {
            Ok(Remains::Text(rest)) => {
                let rest = Document::parse(&rest).unwrap();
                prop_assert_eq!(meetings(&rest, place), others(&document));
            }
            Ok(Remains::Nothing) => prop_assert_eq!(others(&document), vec![]),
            Err(Gone) => prop_assert!(false, "a meeting that is there is gone"),
        }
    }
}
