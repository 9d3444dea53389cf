//! Buildings of many rooms, and modules that say much: what the page makes of it, and how long it is busy at a time.

use std::fmt::Write as _;

use serde_json::json;

use crate::harness::{Console, DEADLINE, Gateway, Place, number_from, within};

use super::person::Person;
use super::{LAB, SOFT, laboratory};

/// How many rooms are scrolled through while they change, and how many lines a module logs. CI makes do with few.
const ROOMS: &str = "RISER_TEST_CONSOLE_ROOMS";
const LINES: &str = "RISER_TEST_CONSOLE_LINES";

/// The statuses of each room, beside those that its modules have by themselves.
const STATUSES: usize = 20;

/// How often each status changes while the page is scrolled.
const CHANGES: usize = 5;

/// How many lines are logged before the answers are waited for.
const AT_A_TIME: usize = 1_000;

/// How far one turn of the wheel goes, in pixels.
const TURN: u64 = 600;

/// Rooms of one soft module each.
fn building(rooms: usize) -> String {
    let mut building = String::from("systems:\n");
    for room in 1..=rooms {
        writeln!(
            building,
            "  - {{id: sys-{room}, name: Room {room}, modules: [mod-{room}]}}"
        )
        .expect("text grows");
    }
    building.push_str("modules:\n");
    for room in 1..=rooms {
        writeln!(
            building,
            "  - {{id: mod-{room}, driver: virtual, name: Box}}"
        )
        .expect("text grows");
    }
    building.push_str(
        "users:\n  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}\n\
         api_keys:\n  - {id: admin, secret: secret-a, user: user-eve, level: admin}\n",
    );
    building
}

/// The statuses of a room: the first says whether it is on.
fn names() -> Vec<String> {
    let further = (1..STATUSES).map(|at| format!("level_{at}"));
    std::iter::once("power".to_owned()).chain(further).collect()
}

/// Changes every status of every room so often. At the end all rooms are on.
async fn change(console: &mut Console, rooms: &[String], names: &[String]) {
    for change in 1..=CHANGES {
        let is_on = change % 2 == 1;
        for sys in rooms {
            let values = names.iter().map(|name| {
                let (module, index) = ("Box", 1);
                let place = Place {
                    sys,
                    module,
                    index,
                    name,
                };
                let value = match name.as_str() {
                    "power" => json!(is_on),
                    _ => json!(change),
                };
                (place, value)
            });
            console.set_all(values).await;
        }
    }
}

#[tokio::test]
async fn rooms_that_nobody_sees_are_not_bound() {
    const ROOMS: usize = 300;
    let gateway = Gateway::start(&building(ROOMS)).await;
    let mut person = Person::administrator(&gateway).await;
    person.see("[data-room=sys-1] .dot.good").await;
    let bound = person.bound();
    assert!(
        bound < ROOMS,
        "{bound} statuses are bound for what can be seen of {ROOMS} rooms"
    );
    person.fill("#search", "Room 299").await;
    person.see("[data-room=sys-299] .dot.good").await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_big_building_is_scrolled_and_looked_into_while_all_of_it_changes() {
    let rooms = usize::try_from(number_from(ROOMS, 60)).expect("it fits");
    let gateway = Gateway::start(&building(rooms)).await;
    let mut console = Console::connect(&gateway).await;
    let mut person = Person::administrator(&gateway).await;
    person.see("[data-room=sys-1] .dot.good").await;
    person.tell_long_tasks("the building comes").await;

    let ids: Vec<String> = (1..=rooms).map(|room| format!("sys-{room}")).collect();
    let names = names();
    let last = format!("[data-room=sys-{rooms}]");
    let look = async {
        // A room of the list is at least as high as a line of text.
        for _ in 0..=rooms as u64 * 40 / TURN {
            person.turn_wheel(TURN).await;
        }
        person.see(&format!("{last} .dot.good")).await;
        person.tell_long_tasks("the building is scrolled").await;
        person.go(&format!("#/room/sys-{rooms}")).await;
        person.see("[data-status=level_1] .value").await;
        person.go("#/building").await;
        person.see("[data-room=sys-1] .dot.good").await;
        person.tell_long_tasks("a room is looked into").await;
    };
    tokio::join!(change(&mut console, &ids, &names), look);
    person
        .see("[data-room=sys-1] .chip.good:has-text('on')")
        .await;
    person.go(&format!("#/room/sys-{rooms}")).await;
    let value = format!("[data-status=level_{}] .value", STATUSES - 1);
    person.see(&format!("{value}:text-is('{CHANGES}')")).await;
    for page in ["#/metrics", "#/alerts", "#/edit/modules"] {
        person.go(page).await;
        person
            .see("#content tbody tr, #content .good, #content li")
            .await;
    }
    person.tell_long_tasks("the other pages come").await;
    person.assert_no_faults();
}

#[tokio::test]
async fn a_log_that_floods_the_page_is_bounded_and_the_page_stays_usable() {
    let lines = usize::try_from(number_from(LINES, 6_000)).expect("it fits");
    let gateway = laboratory().await;
    let mut console = Console::connect(&gateway).await;
    let mut person = Person::administrator(&gateway).await;
    person.go(LAB).await;
    person
        .click(&format!("{SOFT} summary:has-text('Log')"))
        .await;
    let log = format!("{SOFT} [role=log]");
    // The page follows the log when a first line has come.
    until_seen(&mut person, &mut console, &log, "begin").await;

    for _ in 0..lines / AT_A_TIME {
        let markup = "<img src=x onerror=alert(1)>";
        console.log(markup, AT_A_TIME).await;
    }
    until_seen(&mut person, &mut console, &log, "end").await;
    let shown = person.count(&format!("{log} p")).await;
    assert!(shown <= 500, "{shown} lines stand in the page");
    person
        .see(&format!(
            "{SOFT} [data-part=log] .weak:has-text('lines have come, the last')"
        ))
        .await;
    assert_eq!(person.count(&format!("{log} img")).await, 0);
    person.tell_long_tasks("a log floods").await;
    person
        .click(&format!("{SOFT} [data-part=log] button:has-text('Clear')"))
        .await;
    person.see_no(&format!("{log} p:has-text('begin')")).await;
    person.assert_no_faults();
}

/// Logs a line until the page shows it. The gateway drops lines for who is behind, and closes who stays so.
async fn until_seen(person: &mut Person, console: &mut Console, log: &str, line: &str) {
    let row = format!("{log} p:has-text('{line}')");
    let seen = async {
        while person.count(&row).await == 0 {
            console.log(line, 1).await;
        }
    };
    within(
        DEADLINE * 6,
        || format!("the line {line} in the page"),
        seen,
    )
    .await;
}
