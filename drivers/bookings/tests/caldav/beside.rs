//! The driver and a foreign client write into one calendar.

use serde_json::{Value, json};

use crate::harness::{Radicale, at, call, event, meetings, status};

/// A meeting from 09:00 to 10:00 in Berlin, every Monday.
const WEEKLY: &str = "DTSTART;TZID=Europe/Berlin:20260105T090000\nDTEND;TZID=Europe/Berlin:20260105T100000\nRRULE:FREQ=WEEKLY;COUNT=10\nATTENDEE;CN=\"Other, Ann\";PARTSTAT=ACCEPTED:mailto:ann@example.test\nX-OTHER;A=b:c";

const LATER: &str = "DTSTART:20260112T093000Z\nDTEND:20260112T100000Z";

#[tokio::test]
async fn a_booking_of_the_panel_is_seen_by_a_foreign_client_and_its_by_the_panel() {
    let (server, mut client) = Radicale::start().await;
    let module = server.module(3600.0).await;
    assert_eq!(status(&module, "bookings"), json!([]));
    assert_eq!(status(&module, "status"), "free");

    let booked = call(
        &module,
        "book_now",
        json!([1800, "Stand-up, ünïcode; all", "ann@example.test"]),
    )
    .await
    .unwrap();
    assert_eq!(booked["event_start"], at("2026-01-12T08:10:00Z"));
    assert_eq!(status(&module, "current_booking"), booked);
    assert_eq!(status(&module, "status"), "busy");
    let seen = client
        .search("2026-01-12T00:00:00+00:00", "2026-01-13T00:00:00+00:00")
        .await;
    assert_eq!(
        seen,
        json!([[
            "Stand-up, ünïcode; all",
            "2026-01-12T08:10:00+00:00",
            "2026-01-12T08:40:00+00:00"
        ]])
    );
    let texts = client.texts().await.join("").replace("\n ", "");
    assert!(
        texts.contains("ORGANIZER:mailto:ann@example.test"),
        "{texts}"
    );
    assert!(texts.contains("mailto:board@example.test"), "{texts}");

    client.save(&event("later", "Later", LATER)).await;
    assert_eq!(
        meetings(&module).await,
        [
            "Stand-up, ünïcode; all 12 08:10 12 08:40",
            "Later 12 09:30 12 10:00"
        ]
    );
    client
        .ask(json!({"do": "rename", "uid": "later", "summary": "Renamed"}))
        .await;
    assert!(meetings(&module).await[1].starts_with("Renamed"));
    client.ask(json!({"do": "remove", "uid": "later"})).await;
    assert_eq!(meetings(&module).await.len(), 1);

    call(&module, "end_meeting", json!([at("2026-01-12T08:10:00Z")]))
        .await
        .unwrap();
    assert_eq!(status(&module, "status"), "free");
    module.stop().await;
}

#[tokio::test]
async fn a_poll_brings_what_others_book_and_their_booking_is_in_the_way_at_once() {
    let (server, mut client) = Radicale::start().await;
    let module = server.module(0.2).await;
    client
        .save(&event(
            "now",
            "Theirs",
            "DTSTART:20260112T080000Z\nDTEND:20260112T100000Z",
        ))
        .await;
    module
        .wait(
            &driver_sdk::Status::<Value>::new("status"),
            &json!("pending"),
        )
        .await;
    assert_eq!(status(&module, "current_booking")["title"], "Theirs");
    module.stop().await;

    let module = server.module(3600.0).await;
    client
        .ask(json!({"do": "move", "uid": "now", "minutes": 20}))
        .await;
    let error = call(&module, "book_now", json!([3600])).await.unwrap_err();
    assert_eq!(error.message(), "unable to book due to clash");
    module.stop().await;
}

#[tokio::test]
async fn a_check_in_is_in_the_calendar_and_a_restart_forgets_none() {
    let (server, mut client) = Radicale::start().await;
    client.save(&event("w", "Weekly", WEEKLY)).await;
    // It began ten minutes ago, and no panel could check in while the driver was not there.
    let module = server.module(3600.0).await;
    assert_eq!(status(&module, "status"), "busy");
    client
        .save(&event(
            "m",
            "New",
            "DTSTART:20260112T080800Z\nDTEND:20260112T083000Z",
        ))
        .await;
    client.ask(json!({"do": "remove", "uid": "w"})).await;
    assert_eq!(meetings(&module).await.len(), 1);
    assert_eq!(status(&module, "status"), "pending");
    module.stop().await;

    let module = server.module(3600.0).await;
    assert_eq!(status(&module, "status"), "pending");
    call(&module, "checkin", json!([1768205400000_i64]))
        .await
        .unwrap();
    assert_eq!(status(&module, "status"), "busy");
    assert_eq!(
        status(&module, "last_booking_started"),
        at("2026-01-12T08:08:00Z")
    );
    module.stop().await;

    let module = server.module(3600.0).await;
    assert_eq!(status(&module, "status"), "busy");
    assert_eq!(
        status(&module, "last_booking_started"),
        at("2026-01-12T08:08:00Z")
    );
    // A meeting that is moved leaves its check-in behind.
    client
        .ask(json!({"do": "move", "uid": "m", "minutes": 1}))
        .await;
    meetings(&module).await;
    assert_eq!(status(&module, "status"), "pending");
    module.stop().await;
}

#[tokio::test]
async fn one_meeting_of_a_series_is_attended_ended_and_taken_out_and_the_series_stays() {
    let (server, mut client) = Radicale::start().await;
    client.save(&event("w", "Weekly", WEEKLY)).await;
    let later = WEEKLY
        .replace("T090000", "T091200")
        .replace("T100000", "T110000")
        .replace("WEEKLY;COUNT=10", "DAILY;COUNT=8");
    client.save(&event("d", "Daily", &later)).await;
    let module = server.module(3600.0).await;
    let all = meetings(&module).await;
    assert_eq!(all.len(), 6);
    assert_eq!(
        all[..2],
        ["Weekly 12 08:00 12 09:00", "Daily 12 08:12 12 10:00"]
    );
    let ids: Vec<Value> = status(&module, "bookings")
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    assert_eq!(ids[0], "w-20260112T080000Z");
    assert_eq!(status(&module, "bookings")[0]["recurring"], false);

    // The daily one waits: it is checked in to, and then the weekly one, which is on, ends.
    call(&module, "checkin", json!([])).await.unwrap();
    call(&module, "end_meeting", json!([at("2026-01-12T08:00:00Z")]))
        .await
        .unwrap();
    let ended = meetings(&module).await;
    assert_eq!(ended[0][..22], *"Weekly 12 08:00 12 08:", "{ended:?}");
    assert_eq!(ended[1..], all[1..]);
    let texts = client.texts().await;
    let weekly = texts.iter().find(|it| it.contains("UID:w")).unwrap();
    for line in [
        "RRULE:FREQ=WEEKLY;COUNT=10",
        "DTSTART;TZID=Europe/Berlin:20260105T090000",
        "X-OTHER;A=b:c",
    ] {
        assert!(weekly.contains(line), "{weekly}");
    }
    let daily = texts.iter().find(|it| it.contains("UID:d")).unwrap();
    assert!(
        daily.contains("X-RISER-CHECKED-IN:20260112T081200Z"),
        "{daily}"
    );

    // As the client expands it.
    let seen = client
        .search("2026-01-12T00:00:00+00:00", "2026-01-20T00:00:00+00:00")
        .await;
    let weekly: Vec<&Value> = seen
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it[0] == "Weekly")
        .collect();
    assert_eq!(weekly.len(), 2);
    assert_eq!(weekly[1][1], "2026-01-19T08:00:00+00:00");
    module.stop().await;
}

#[tokio::test]
async fn a_meeting_of_a_series_to_which_nobody_comes_is_taken_out_alone() {
    let (server, mut client) = Radicale::start().await;
    let soon = WEEKLY
        .replace("T090000", "T091200")
        .replace("T100000", "T110000");
    client.save(&event("w", "Weekly", &soon)).await;
    let module = server.module(3600.0).await;
    let all = meetings(&module).await;
    call(&module, "end_meeting", json!([at("2026-01-12T08:12:00Z")]))
        .await
        .unwrap();
    assert_eq!(status(&module, "last_event_notification")[0], "deleted");
    assert_eq!(meetings(&module).await, all[1..]);
    let seen = client
        .search("2026-01-12T00:00:00+00:00", "2026-01-20T00:00:00+00:00")
        .await;
    assert_eq!(
        seen,
        json!([[
            "Weekly",
            "2026-01-19T08:12:00+00:00",
            "2026-01-19T10:00:00+00:00"
        ]])
    );
    // A meeting that comes once is removed.
    client
        .save(&event(
            "m",
            "Once",
            "DTSTART:20260112T081300Z\nDTEND:20260112T083000Z",
        ))
        .await;
    meetings(&module).await;
    call(&module, "end_meeting", json!([at("2026-01-12T08:13:00Z")]))
        .await
        .unwrap();
    assert_eq!(client.texts().await.len(), 1);
    module.stop().await;
}

#[tokio::test]
async fn what_others_changed_meanwhile_is_never_overwritten_and_is_read_again() {
    let (server, mut client) = Radicale::start().await;
    client
        .save(&event(
            "m",
            "Before",
            "DTSTART:20260112T080800Z\nDTEND:20260112T090000Z",
        ))
        .await;
    let module = server.module(3600.0).await;
    let end = json!([at("2026-01-12T08:08:00Z")]);
    for (function, arguments) in [("checkin", json!([])), ("end_meeting", end.clone())] {
        client
            .ask(json!({"do": "rename", "uid": "m", "summary": function}))
            .await;
        let error = call(&module, function, arguments).await.unwrap_err();
        assert_eq!(error.code(), 409);
        assert_eq!(
            error.message(),
            "others have changed the meeting meanwhile, so it was left as it is; the calendar was read again"
        );
        assert_eq!(status(&module, "current_booking")["title"], function);
        assert_eq!(status(&module, "status"), "pending");
        assert!(client.texts().await[0].contains(&format!("SUMMARY:{function}")));
    }
    // Others took it out, which is all that its end would do.
    client.ask(json!({"do": "remove", "uid": "m"})).await;
    call(&module, "end_meeting", end.clone()).await.unwrap();
    assert_eq!(status(&module, "bookings"), json!([]));
    let error = call(&module, "end_meeting", end).await.unwrap_err();
    assert_eq!(
        error.message(),
        "only the current or pending meeting can be cancelled"
    );
    module.stop().await;
}

#[tokio::test]
async fn callers_that_book_at_the_same_time_book_once() {
    let (server, mut client) = Radicale::start().await;
    let module = server.module(3600.0).await;
    let book = || call(&module, "book_now", json!([600]));
    let (one, two, three) = tokio::join!(book(), book(), book());
    let all = [one, two, three];
    assert_eq!(all.iter().filter(|it| it.is_ok()).count(), 1, "{all:?}");
    assert_eq!(client.texts().await.len(), 1);
    module.stop().await;
}

#[tokio::test]
async fn a_calendar_that_does_not_change_costs_one_small_request_a_poll() {
    let (server, mut client) = Radicale::start().await;
    client.save(&event("w", "Weekly", WEEKLY)).await;
    let module = server.module(0.05).await;
    let count = |what: &str| {
        let said = server.process.said(test_support::Stream::Err);
        said.iter().filter(|line| line.contains(what)).count()
    };
    let reports = || count("REPORT request for '/board/room/'");
    let polls = || count("PROPFIND request for '/board/room/'");
    let polled = |more: usize| {
        let enough = polls() + more;
        test_support::within(
            test_support::DEADLINE,
            move || format!("{more} polls"),
            async move {
                while polls() < enough {
                    tokio::task::yield_now().await;
                }
            },
        )
    };
    // Two polls on, the log is past what the first of them asked for, and past all that came before.
    polled(2).await;
    let before = reports();
    // Twenty more answers, and none of another kind.
    polled(20).await;
    assert_eq!(reports(), before);
    module.stop().await;
}
