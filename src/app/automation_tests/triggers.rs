//! Triggers on a real core: what makes them fire, what they do then, and what they say.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::testkit::{Bench, hook, json, procedure, request, trigger};
use crate::core::tests::log::Log;
use crate::model::{Building, Clearance, HookOutcome, SystemId, Trigger};

/// Causes in a chain.
const CAUSES_MAX: u8 = 16;

/// How often firings are written.
const FIRINGS_WRITE_INTERVAL: Duration = Duration::from_secs(60);

const WARM: &str = r#"[{"status":"Lamp_1/t","is":">","than":26}]"#;

/// Counts firings in a status of another module.
const COUNT: &str = r#"[{"call":"Log_1/increment","args":["n"]}]"#;

const HOUR: Duration = Duration::from_secs(3600);

async fn bench(triggers: Vec<Trigger>) -> Bench {
    Bench::new(|building| building.triggers = triggers).await
}

#[tokio::test(start_paused = true)]
async fn a_trigger_fires_once_when_its_status_begins_to_hold() {
    let bench = bench(vec![trigger("warm", WARM, COUNT)]).await;
    for (value, firings) in [
        ("25", "null"),
        ("27", "1"),
        ("28", "1"),
        ("20", "1"),
        ("30", "2"),
    ] {
        bench.set("t", value).await;
        assert_eq!(bench.status("Log_1/n").await, firings, "{value}");
    }
    assert_eq!(bench.state("warm", "trigger_count").await, "2");
    assert_eq!(bench.state("warm", "triggered").await, "true");
    let conditions = bench.state("warm", "conditions").await;
    assert_eq!(conditions, r#"{"comparison_0":true}"#);
}

#[tokio::test(start_paused = true)]
async fn a_status_has_to_hold_for_as_long_as_the_condition_says() {
    let when = r#"[{"status":"Lamp_1/t","is":">","than":26,"for":"10s"}]"#;
    let bench = bench(vec![trigger("warm", when, COUNT)]).await;
    bench.set("t", "20").await;
    bench.set("t", "27").await;
    sleep(Duration::from_secs(8)).await;
    bench.set("t", "20").await;
    bench.set("t", "27").await;
    sleep(Duration::from_secs(8)).await;
    assert_eq!(bench.status("Log_1/n").await, "null");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.status("Log_1/n").await, "1");
}

#[tokio::test(start_paused = true)]
async fn an_event_fires_while_the_status_holds_and_is_seen_by_the_steps() {
    let when =
        r#"[{"event":"doors","data":{"who":"Ann"}},{"status":"Lamp_1/on","is":"==","than":true}]"#;
    let then = r#"[{"call":"Log_1/set","args":["who","{{ event.data.who }}"]},{"call":"Log_1/increment","args":["n"]}]"#;
    let bench = bench(vec![trigger("doors", when, then)]).await;
    let announce = async |key: &str, data: &str| {
        let access = &bench.core.building_access;
        access.announce(&bench.caller(key), "doors", json(data));
        bench.settle().await;
    };
    announce("support", r#"{"who":"Ann"}"#).await;
    assert_eq!(bench.status("Log_1/n").await, "null", "the lamp is off");
    bench.set("on", "true").await;
    assert_eq!(
        bench.status("Log_1/n").await,
        "null",
        "nothing has happened"
    );
    announce("user", r#"{"who":"Ann"}"#).await;
    announce("support", r#"{"who":"Bob"}"#).await;
    assert_eq!(bench.status("Log_1/n").await, "null");
    announce("support", r#"{"who":"Ann"}"#).await;
    announce("support", r#"{"who":"Ann"}"#).await;
    assert_eq!(bench.status("Log_1/n").await, "2");
    assert_eq!(bench.status("Log_1/who").await, "\"Ann\"");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_fires_with_its_secret_alone() {
    let when = r#"[{"webhook":true,"secret":"s3cret"}]"#;
    let then = r#"[{"call":"Log_1/set","args":["event","{{ event }}"]}]"#;
    let bench = bench(vec![
        trigger("call", when, then),
        trigger("warm", WARM, COUNT),
    ])
    .await;
    for args in [&[][..], &[("secret", "S3cret")]] {
        let outcome = bench.hook(request("call", "GET", args)).await;
        assert!(matches!(outcome, HookOutcome::Refused));
    }
    let warm = bench.hook(request("warm", "GET", &[])).await;
    assert!(matches!(warm, HookOutcome::Unknown), "it has no webhook");
    let args = [("secret", "s3cret"), ("a", "b")];
    let outcome = bench.hook(request("call", "POST", &args)).await;
    assert!(matches!(outcome, HookOutcome::Answered(reply) if reply.status == 200));
    bench.settle().await;
    assert_eq!(
        bench.status("Log_1/event").await,
        r#"{"hook":"call","method":"POST","args":{"a":"b"},"data":null,"headers":{}}"#
    );
    assert_eq!(bench.state("call", "trigger_count").await, "1");
}

#[tokio::test(start_paused = true)]
async fn a_rule_fires_at_its_time_in_the_zone_of_its_room() {
    let began = Instant::now();
    let bench = Bench::new(|building| {
        building.systems[0].timezone = Some("Europe/London".to_owned());
        building.triggers = vec![trigger("morning", r#"[{"cron":"0 8 * * 1-5"}]"#, COUNT)];
    })
    .await;
    bench.set_clock(8 * HOUR - Duration::from_secs(90), began);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.status("Log_1/n").await, "null");
    sleep(Duration::from_secs(90)).await;
    assert_eq!(bench.status("Log_1/n").await, "1");
    sleep(Duration::from_secs(600)).await;
    assert_eq!(bench.status("Log_1/n").await, "1");
}

#[tokio::test(start_paused = true)]
async fn a_moment_that_the_clock_has_jumped_over_is_logged_once() {
    let log = Log::default();
    let _listening = log.listen();
    let began = Instant::now();
    let morning = trigger("morning", r#"[{"cron":"0 8 * * *"}]"#, COUNT);
    let bench = bench(vec![morning]).await;
    bench.set_clock(12 * HOUR, began);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(bench.status("Log_1/n").await, "null");
    assert_eq!(log.lines_with("did not fire at its time"), 1);
}

#[tokio::test(start_paused = true)]
async fn triggers_that_feed_each_other_come_to_an_end() {
    let toggled = |is: bool| format!(r#"[{{"status":"Lamp_1/on","is":"==","than":{is}}}]"#);
    let toggle = |to: bool| {
        format!(
            r#"[{{"call":"Log_1/increment","args":["n"]}},{{"call":"Lamp_1/set","args":["on",{to}]}}]"#
        )
    };
    let on = trigger("on", &toggled(true), &toggle(false));
    let off = trigger("off", &toggled(false), &toggle(true));
    let bench = bench(vec![on, off]).await;
    bench.set("on", "null").await;
    bench.set("on", "true").await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.status("Log_1/n").await, CAUSES_MAX.to_string());
    let error = bench.state("on", "error").await;
    assert_eq!(error, "\"a chain of 16 causes ends here\"");
}

#[tokio::test(start_paused = true)]
async fn events_that_feed_each_other_come_to_an_end() {
    let when = r#"[{"event":"again"}]"#;
    let then = r#"[{"call":"Log_1/increment","args":["n"]},{"publish":"again"}]"#;
    let bench = bench(vec![trigger("again", when, then)]).await;
    let access = &bench.core.building_access;
    access.announce(&bench.caller("admin"), "again", json("null"));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.status("Log_1/n").await, CAUSES_MAX.to_string());
}

#[tokio::test(start_paused = true)]
async fn firings_are_done_one_after_another() {
    let then = r#"[{"wait":"10s"},{"call":"Log_1/increment","args":["n"]}]"#;
    let bench = bench(vec![trigger("doors", r#"[{"event":"doors"}]"#, then)]).await;
    for _ in 0..3 {
        let access = &bench.core.building_access;
        access.announce(&bench.caller("admin"), "doors", json("null"));
    }
    bench.settle().await;
    assert_eq!(bench.state("doors", "trigger_count").await, "3", "at once");
    for done in ["null", "1", "2", "3"] {
        assert_eq!(bench.status("Log_1/n").await, done);
        sleep(Duration::from_secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_logged_when_it_is_another_than_that_of_the_firing_before() {
    let log = Log::default();
    let _listening = log.listen();
    let then = r#"[{"if":"status('Lamp_1/works') != true","then":[{"call":"Lamp_1/fail","args":["{{ status('Lamp_1/why') }}"]}]}]"#;
    let bench = bench(vec![trigger("warm", WARM, then)]).await;
    let fires = async |works: &str, why: &str| {
        bench.set("works", works).await;
        bench.set("why", why).await;
        bench.set("t", "20").await;
        bench.set("t", "27").await;
        log.lines_with("a trigger fired and its steps failed")
    };
    for (works, why, logged) in [
        ("false", "\"no\"", 1),
        ("false", "\"no\"", 1),
        ("false", "\"never\"", 2),
        ("true", "\"never\"", 2),
        ("false", "\"never\"", 3),
    ] {
        assert_eq!(fires(works, why).await, logged, "{works} {why}");
    }
    assert_eq!(bench.state("warm", "trigger_count").await, "5");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_ends_the_firing_and_is_named_in_the_state_and_in_the_history() {
    let then = r#"[{"call":"Lamp_1/fail","args":["hunter2 is no"]},{"call":"Log_1/increment","args":["n"]}]"#;
    let bench = bench(vec![trigger("warm", WARM, then)]).await;
    bench.set("t", "20").await;
    bench.set("t", "27").await;
    assert_eq!(bench.status("Log_1/n").await, "null");
    assert_eq!(bench.state("warm", "action_errors").await, "1");
    let error = bench.state("warm", "error").await;
    assert!(error.starts_with("\"step 1: "), "{error}");
    let history = bench.call("sys-1/_TRIGGER__1/history", r#"["warm"]"#).await;
    let history: serde_json::Value = history.to().unwrap();
    assert_eq!(history[0]["why"], "the status sys-1/Lamp_1/t");
    assert_eq!(history[0]["steps"][0]["what"], "call sys-1/Lamp_1/fail");
    assert_eq!(history[0]["steps"][0]["step"], "step 1");
    assert!(
        history[0]["failure"]
            .as_str()
            .unwrap()
            .starts_with("step 1: ")
    );
    assert!(history[1].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_trigger_acts_with_its_own_level() {
    let then = r#"[{"call":"Lamp_1/support_only"}]"#;
    let weak = Trigger {
        level: Clearance::User,
        ..trigger("weak", WARM, then)
    };
    let bench = bench(vec![weak, trigger("strong", WARM, then)]).await;
    bench.set("t", "20").await;
    bench.set("t", "27").await;
    assert_eq!(bench.state("weak", "action_errors").await, "1");
    assert_eq!(bench.state("strong", "action_errors").await, "0");
}

#[tokio::test(start_paused = true)]
async fn a_reload_makes_no_edge_and_loses_none_of_what_is_known() {
    let held = r#"[{"status":"Lamp_1/t","is":">","than":26,"for":"10s"}]"#;
    let mut bench = bench(vec![
        trigger("warm", WARM, COUNT),
        trigger("held", held, COUNT),
    ])
    .await;
    bench.set("t", "20").await;
    bench.set("t", "27").await;
    assert_eq!(bench.status("Log_1/n").await, "1");
    bench
        .change(|building| building.triggers.push(trigger("new", WARM, COUNT)))
        .await;
    assert_eq!(bench.status("Log_1/n").await, "1", "what holds is no edge");
    assert_eq!(bench.state("new", "triggered").await, "true");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.status("Log_1/n").await, "2", "the other has gone on");
    let other = r#"[{"call":"Log_1/increment","args":["m"]}]"#;
    bench
        .change(|building| building.triggers[0] = trigger("warm", WARM, other))
        .await;
    assert_eq!(
        bench.state("warm", "trigger_count").await,
        "1",
        "it counts on"
    );
    bench.set("t", "20").await;
    bench.set("t", "27").await;
    assert_eq!(bench.status("Log_1/m").await, "1");
    bench.change(|building| building.triggers.clear()).await;
    assert_eq!(bench.status("_TRIGGER__1/warm").await, "null");
}

#[tokio::test(start_paused = true)]
async fn a_trigger_of_no_system_fires_as_well() {
    let when = r#"[{"status":"sys-1/Lamp_1/t","is":">","than":26}]"#;
    let then = r#"[{"call":"sys-1/Log_1/increment","args":["n"]}]"#;
    let nowhere = Trigger {
        system: None,
        ..trigger("warm", when, then)
    };
    let bench = bench(vec![nowhere]).await;
    bench.set("t", "20").await;
    bench.set("t", "27").await;
    assert_eq!(bench.status("Log_1/n").await, "1");
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_gone_takes_its_triggers_with_it() {
    let mut bench = bench(vec![trigger("warm", WARM, COUNT)]).await;
    let other = SystemId::new("sys-2").unwrap();
    bench
        .change(|building| {
            building.triggers.clear();
            building.systems[0].id = other;
        })
        .await;
    let module = crate::model::ModuleId::new("triggers-sys-1").unwrap();
    assert!(bench.core.queries.directory().module(&module).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_publishes_fires_a_trigger_that_trusts_the_building_alone() {
    let bench = Bench::new(|building| {
        building.procedures = vec![procedure("door", "", r#"[{"publish":"doors"}]"#)];
        building.hooks = vec![hook("door", &[("run", "door")])];
        building.triggers = vec![trigger("doors", r#"[{"event":"doors"}]"#, COUNT)];
    })
    .await;
    bench.hook(request("door", "POST", &[])).await;
    bench.settle().await;
    assert_eq!(bench.status("Log_1/n").await, "1");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_starts_again_counts_on_and_knows_how_its_triggers_fired() {
    let folder = test_support::Folder::new();
    let warm = |building: &mut Building| building.triggers = vec![trigger("warm", WARM, COUNT)];
    let bench = Bench::in_folder(Some(folder.path()), warm).await;
    for value in ["20", "27", "20", "27"] {
        bench.set("t", value).await;
    }
    assert_eq!(bench.state("warm", "trigger_count").await, "2");
    let history = bench.call("sys-1/_TRIGGER__1/history", r#"["warm"]"#).await;
    sleep(FIRINGS_WRITE_INTERVAL).await;
    bench.settle().await;
    drop(bench);
    let again = Bench::in_folder(Some(folder.path()), warm).await;
    assert_eq!(again.state("warm", "trigger_count").await, "2");
    assert_eq!(again.state("warm", "triggered").await, "false");
    let kept = again.call("sys-1/_TRIGGER__1/history", r#"["warm"]"#).await;
    assert_eq!(kept, history);
    let kept: Vec<serde_json::Value> = kept.to().unwrap();
    assert_eq!(kept.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_is_not_enabled_never_fires_and_begins_anew_when_it_is() {
    let mut bench = bench(vec![trigger("warm", WARM, COUNT)]).await;
    for value in ["20", "27"] {
        bench.set("t", value).await;
    }
    bench
        .change(|building| building.triggers[0].enabled = false)
        .await;
    assert_eq!(bench.state("warm", "trigger_count").await, "1", "they stay");
    assert_eq!(bench.state("warm", "triggered").await, "false");
    for value in ["20", "27"] {
        bench.set("t", value).await;
    }
    bench
        .change(|building| building.triggers[0].enabled = true)
        .await;
    assert_eq!(bench.status("Log_1/n").await, "1", "what holds is no edge");
    assert_eq!(bench.state("warm", "triggered").await, "true");
    for value in ["20", "27"] {
        bench.set("t", value).await;
    }
    assert_eq!(bench.status("Log_1/n").await, "2");
    assert_eq!(bench.state("warm", "trigger_count").await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_not_enabled_is_none_and_its_secret_is_told_to_nobody() {
    let when = r#"[{"webhook":true,"header":{"X-Token":"s3cret"}}]"#;
    let off = Trigger {
        enabled: false,
        ..trigger("call", when, COUNT)
    };
    let seen = trigger(
        "seen",
        r#"[{"event":"webhook","from":"anyone"}]"#,
        r#"[{"call":"Log_1/set","args":["event","{{ event.data }}"]}]"#,
    );
    let bench = bench(vec![off, seen]).await;
    let mut asked = request("call", "POST", &[]);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    asked.headers = vec![header("X-Token", "s3cret"), header("X-Other", "shown")];
    let outcome = bench.hook(asked).await;
    assert!(matches!(outcome, HookOutcome::Unknown));
    bench.settle().await;
    assert_eq!(bench.status("Log_1/n").await, "null");
    assert_eq!(bench.state("call", "trigger_count").await, "0");
    let event = bench.status("Log_1/event").await;
    assert!(
        event.contains("shown") && !event.contains("s3cret"),
        "{event}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_shown_without_conditions_and_runs_nowhere_without_a_room() {
    let draft = |id: &str, system: Option<SystemId>| Trigger {
        enabled: false,
        system,
        ..trigger(id, "[]", COUNT)
    };
    let bench = bench(vec![
        draft("here", SystemId::new("sys-1").ok()),
        draft("nowhere", None),
    ])
    .await;
    assert_eq!(bench.state("here", "triggered").await, "false");
    let module = crate::model::ModuleId::new("triggers-").unwrap();
    assert!(bench.core.queries.directory().module(&module).is_none());
}
