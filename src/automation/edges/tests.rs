//! When triggers fire: tables of what happens and what comes of it.

mod properties;

use std::sync::Arc;

use super::*;
use crate::model::{Act, JsonText};

const MS: Duration = Duration::from_millis(1);

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn edges(conditions: &str, debounce: Duration) -> Edges {
    let conditions = Conditions::read(&json(conditions)).unwrap();
    Edges::new(&conditions, debounce)
}

/// Too warm, at once.
const WARM: &str = r#"{"status":"a/Display_1/temperature","is":">","than":26}"#;
/// The same for two seconds.
const WARM_FOR: &str = r#"{"status":"a/Display_1/temperature","is":">","than":26,"for":"2s"}"#;
const ON: &str = r#"{"status":"a/Display_1/power","is":"==","than":true}"#;
const DOORS: &str = r#"{"event":"doors"}"#;

/// What happens to a trigger, at a moment in milliseconds.
enum Happens {
    First(usize, &'static str),
    Change(usize, &'static str),
    Event,
    Wake,
}

use Happens::{Change, Event, First, Wake};

/// The moments at which the trigger fires.
fn firings(edges: &mut Edges, happens: &[(u32, Happens)]) -> Vec<u32> {
    let mut firings = Vec::new();
    for (at, happens) in happens {
        let now = *at * MS;
        let turn = match happens {
            First(place, value) => edges.value(*place, Some(&json(value)), Look::First, now),
            Change(place, value) => edges.value(*place, Some(&json(value)), Look::Change, now),
            Event => edges.happened(now),
            Wake => edges.woken(now),
        };
        if turn == Turn::Fires {
            firings.push(*at);
        }
    }
    firings
}

#[track_caller]
fn check(conditions: &[&str], happens: &[(u32, Happens)], expect: &[u32]) {
    let conditions = format!("[{}]", conditions.join(","));
    let mut edges = edges(&conditions, Duration::ZERO);
    assert_eq!(firings(&mut edges, happens), expect, "{conditions}");
}

#[test]
fn a_condition_that_begins_to_hold_fires_once() {
    check(
        &[WARM],
        &[
            (0, First(0, "20")),
            (1, Change(0, "27")),
            (2, Change(0, "28")),
            (3, Change(0, "26")),
            (4, Change(0, "26.5")),
        ],
        &[1, 4],
    );
}

#[test]
fn the_first_look_is_no_edge_and_neither_is_another_look() {
    check(
        &[WARM],
        &[
            (0, First(0, "27")),
            (1, Change(0, "28")),
            (2, First(0, "20")),
            (3, First(0, "30")),
        ],
        &[],
    );
    // Nobody has looked before this change.
    check(&[WARM], &[(0, Change(0, "27"))], &[]);
    check(
        &[WARM, ON],
        &[(0, First(0, "27")), (5, First(1, "true"))],
        &[],
    );
}

#[test]
fn all_conditions_have_to_hold() {
    check(
        &[WARM, ON],
        &[
            (0, First(0, "20")),
            (0, First(1, "false")),
            (1, Change(0, "27")),
            (2, Change(1, "true")),
            (3, Change(0, "28")),
            (4, Change(1, "false")),
            (5, Change(1, "true")),
        ],
        &[2, 5],
    );
}

#[test]
fn a_condition_with_for_fires_when_it_has_held_so_long_and_begins_anew_at_a_dip() {
    check(
        &[WARM_FOR],
        &[
            (0, First(0, "20")),
            (100, Change(0, "27")),
            (2099, Wake),
            (2100, Wake),
            (3000, Change(0, "20")),
            (3100, Change(0, "27")),
            (5000, Change(0, "20")),
            (5050, Change(0, "27")),
            (5200, Wake),
            (7050, Wake),
        ],
        &[2100, 7050],
    );
}

#[test]
fn a_wake_that_comes_late_loses_nothing() {
    // It had held for long enough when it dipped.
    check(
        &[WARM_FOR],
        &[
            (0, First(0, "20")),
            (100, Change(0, "27")),
            (2200, Change(0, "20")),
            (2201, Wake),
        ],
        &[2200],
    );
}

#[test]
fn a_first_look_finds_what_has_lasted() {
    check(
        &[WARM_FOR, ON],
        &[
            (0, First(0, "27")),
            (0, First(1, "false")),
            (10, Change(1, "true")),
            (3000, Wake),
        ],
        &[10],
    );
}

#[test]
fn what_happens_fires_each_time_while_the_others_hold() {
    check(
        &[WARM, DOORS],
        &[
            (0, Event),
            (1, First(0, "27")),
            (2, Event),
            (3, Event),
            (4, Change(0, "20")),
            (5, Event),
            (6, Change(0, "27")),
            (7, Event),
        ],
        &[2, 3, 7],
    );
    check(&[DOORS], &[(0, Event), (0, Event)], &[0, 0]);
}

#[test]
fn debounce_fires_at_the_first_and_is_silent_until_so_long_after_the_last() {
    let mut edges = edges(&format!("[{DOORS}]"), 1000 * MS);
    let happens = [0, 900, 1800, 2799, 3800].map(|at| (at, Event));
    assert_eq!(firings(&mut edges, &happens), [0, 3800]);
    assert_eq!(edges.state().trigger_count, 2);
    assert_eq!(edges.state().action_errors, 0);
}

#[test]
fn more_than_a_hundred_firings_a_second_are_errors() {
    let mut edges = edges(&format!("[{DOORS}]"), Duration::ZERO);
    let happens: Vec<(u32, Happens)> = (0..150).map(|at| (at, Event)).collect();
    assert_eq!(firings(&mut edges, &happens).len(), 100);
    assert_eq!(edges.state().trigger_count, 100);
    assert_eq!(edges.state().action_errors, 50);
}

#[test]
fn it_says_when_it_wants_to_be_woken() {
    let mut edges = edges(&format!("[{WARM_FOR},{DOORS}]"), Duration::ZERO);
    assert_eq!(edges.wake_at(), None);
    firings(&mut edges, &[(0, First(0, "20")), (100, Change(0, "27"))]);
    assert_eq!(edges.wake_at(), Some(2100 * MS));
    firings(&mut edges, &[(200, Event)]);
    assert_eq!(edges.wake_at(), Some(1200 * MS));
    assert_eq!(edges.woken(1200 * MS), Turn::Changed);
    assert_eq!(edges.wake_at(), Some(2100 * MS));
    assert_eq!(edges.woken(2100 * MS), Turn::Changed);
    assert_eq!(edges.wake_at(), None);
    assert_eq!(edges.woken(2200 * MS), Turn::Same);
}

#[test]
fn the_state_has_the_shape_of_placeos() {
    let webhook = r#"{"webhook":true,"secret":"s"}"#;
    let mut edges = edges(&format!("[{WARM},{ON},{webhook}]"), Duration::ZERO);
    assert_eq!(
        edges.state().json().to::<serde_json::Value>().unwrap(),
        serde_json::json!({
            "triggered": false, "trigger_count": 0, "action_errors": 0, "comparison_errors": 0,
            "conditions": {"comparison_0": false, "comparison_1": false, "webhook": false}
        })
    );
    firings(
        &mut edges,
        &[
            (0, First(0, "27")),
            (0, First(1, "true")),
            (1, Event),
            (2, Change(0, "\"27\"")),
        ],
    );
    assert_eq!(
        edges.ended(Err("step 3 → then → 1: no".to_owned())),
        Turn::Changed
    );
    assert_eq!(
        edges.state().json().to::<serde_json::Value>().unwrap(),
        serde_json::json!({
            "triggered": false, "trigger_count": 1, "action_errors": 1, "comparison_errors": 1,
            "conditions": {"comparison_0": false, "comparison_1": true, "webhook": true},
            "error": "step 3 → then → 1: no"
        })
    );
    assert_eq!(edges.ended(Ok(())), Turn::Changed);
    assert_eq!(edges.state().error, None);
    assert_eq!(edges.ended(Ok(())), Turn::Same);
}

#[test]
fn what_a_module_says_first_by_itself_is_a_first_look() {
    let old = json("1");
    let act = Cause::Act(Arc::new(Act { id: 1, user: None }));
    for (cause, old, expect) in [
        (Cause::Follow, None, Look::First),
        (Cause::Store, Some(&old), Look::First),
        (Cause::Building, Some(&old), Look::First),
        (Cause::Module, None, Look::First),
        (Cause::Module, Some(&old), Look::Change),
        (act, None, Look::Change),
    ] {
        assert_eq!(Look::of(&cause, old), expect, "{cause:?} {old:?}");
    }
}
