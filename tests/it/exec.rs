//! Calling functions of modules: results, refusals, deadlines, crashes.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::DEPLOYMENT;
use crate::harness::{BUILDING, Gateway, Key, Plan, TestClient, display, scratch};

async fn start() -> (Gateway, TestClient) {
    let gateway = DEPLOYMENT.start().await;
    let client = gateway.connect(Key::USER).await;
    (gateway, client)
}

// §10 case 36, as far as it goes within one process
#[tokio::test]
async fn a_call_is_answered_with_its_result_and_the_response_code() {
    let (_gateway, mut client) = start().await;
    let echo = display("echo");

    client
        .send(echo.exec(1, json!([{"a": [1, "b", null]}])))
        .await;

    let expected = json!({
        "id": 1, "type": "success", "value": {"a": [1, "b", null]}, "code": 200,
        "meta": {"sys": "sys-1", "mod": "Display", "index": 1, "name": "echo"}
    });
    client.expect(expected).await;
}

// §10 case 37
#[tokio::test]
async fn args_may_be_left_out_null_or_named() {
    let (gateway, mut client) = start().await;
    client.set(display("power"), 7).await;
    let mut support = gateway.connect(Key::SUPPORT).await;
    let none = display("support_only");

    support.send(none.request(1, "exec")).await;
    support.expect(none.result(1, Value::Null)).await;
    for args in [Value::Null, json!([]), json!({})] {
        support.send(none.exec(2, args)).await;
        support.expect(none.result(2, Value::Null)).await;
    }
    let get = display("get");
    client.send(get.exec(3, json!({"name": "power"}))).await;
    client.expect(get.result(3, 7)).await;
}

// §10 case 38
#[tokio::test]
async fn a_function_without_a_result_gives_null() {
    let (_gateway, mut client) = start().await;
    let value = client.call(display("sleep"), json!([0])).await;
    assert_eq!(value, Value::Null);
}

// §10 case 39
#[tokio::test]
async fn what_a_driver_raises_is_error_3_in_the_drivers_words() {
    let (_gateway, mut client) = start().await;

    let fail = display("fail").exec(1, json!(["lamp \"A\" is broken\n😀"]));
    client.send(fail).await;

    let message = client.expect_error(1, 3).await;
    assert_eq!(message, "module raised: lamp \"A\" is broken\n😀");
}

#[tokio::test]
async fn arguments_that_the_function_does_not_take_are_error_3() {
    let (_gateway, mut client) = start().await;
    let calls = [
        ("sleep", json!([])),
        ("sleep", json!(["soon"])),
        ("sleep", json!([1, 2])),
        ("sleep", json!({"hours": 1})),
    ];
    for (function, args) in calls {
        client.send(display(function).exec(1, args)).await;
        client.expect_error(1, 3).await;
    }
}

// §10 case 45
#[tokio::test]
async fn a_function_that_does_not_exist_is_error_1() {
    let (_gateway, mut client) = start().await;
    client.send(display("nope").exec(1, json!([]))).await;
    let message = client.expect_error(1, 1).await;
    assert_eq!(message, "could not find function nope");
}

// §10 case 46
#[tokio::test]
async fn a_function_asks_for_the_clearance_that_it_needs() {
    let (gateway, _) = start().await;
    let expect = [
        (Key::USER, "support_only", false),
        (Key::USER, "admin_only", false),
        (Key::SUPPORT, "support_only", true),
        (Key::SUPPORT, "admin_only", false),
        (Key::ADMIN, "support_only", true),
        (Key::ADMIN, "admin_only", true),
        // A key's level and its user's: the lower counts.
        (Key::CLIMBER, "support_only", false),
    ];
    for (key, function, allowed) in expect {
        let mut client = gateway.connect(key).await;
        let place = display(function);
        client.send(place.exec(1, json!([]))).await;
        if allowed {
            client.expect(place.result(1, Value::Null)).await;
        } else {
            let message = client.expect_error(1, 2).await;
            assert_eq!(
                message,
                format!("attempted to access privileged function {function}")
            );
        }
    }
}

// §10 case 47
#[tokio::test]
async fn an_unknown_module_is_error_6_and_an_unknown_system_error_5() {
    let (_gateway, mut client) = start().await;
    let echo = display("echo");
    for (place, code) in [
        (echo.at(3), 6),
        (echo.at(0), 6),
        (echo.at(-1), 6),
        (echo.of("Ghost"), 6),
        (echo.of("display"), 6),
        (echo.within("sys-none"), 5),
        (echo.within("sys-none").of("Ghost"), 5),
    ] {
        client.send(place.exec(1, json!([1]))).await;
        client.expect_error(1, code).await;
    }
}

// §10 case 50
#[tokio::test]
async fn a_slow_call_delays_nothing_behind_it() {
    let (_gateway, mut client) = start().await;
    let power = display("power");
    client.send(display("sleep").exec(1, json!([1_000]))).await;

    client.send_text("ping").await;
    client.send(power.bind(2)).await;
    client
        .send(power.named("echo").exec(3, json!(["fast"])))
        .await;

    client.expect_text("pong").await;
    client.expect(power.success(2)).await;
    client.expect(power.named("echo").result(3, "fast")).await;
    client.expect(display("sleep").result(1, Value::Null)).await;
}

#[tokio::test]
async fn calls_of_one_connection_begin_in_the_order_in_which_they_came() {
    let (_gateway, mut client) = start().await;
    let increment = display("increment");
    for id in 1..=200 {
        client.send(increment.exec(id, json!(["n"]))).await;
    }
    for id in 1..=200 {
        client.expect(increment.result(id, id)).await;
    }
}

#[tokio::test]
async fn ten_thousand_calls_in_one_go_are_all_answered_once() {
    let (_gateway, mut client) = start().await;
    let requests = (0..10_000).map(|id| scratch("increment").exec(id, json!(["n"])));

    let texts = client.pipeline(requests, 10_000).await;

    let mut ids = HashSet::new();
    for text in texts {
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(frame["type"], "success", "{text}");
        ids.insert(frame["id"].as_u64());
    }
    assert_eq!(ids.len(), 10_000);
    client.expect_silence().await;
    let count = client.call(scratch("get"), json!(["n"])).await;
    assert_eq!(count, 10_000);
}

#[tokio::test]
async fn slow_calls_beyond_those_that_may_run_wait_their_turn_and_are_all_answered() {
    let (_gateway, mut client) = start().await;
    let requests = (0..600).map(|id| display("sleep").exec(id, json!([100])));

    let texts = client.pipeline(requests, 600).await;

    let failed = texts.iter().find(|text| !text.contains("\"success\""));
    assert_eq!(failed, None);
    client.expect_silence().await;
}

// §10 case 41
#[tokio::test]
async fn a_call_past_its_deadline_is_error_7_once_and_runs_on_unheard() {
    let gateway = Plan::serve(BUILDING)
        .deployment(DEPLOYMENT)
        .variable("RISER_EXEC__DEADLINE", "1s")
        .start()
        .await;
    let mut client = gateway.connect(Key::USER).await;
    let sleep = display("sleep");

    client.send(sleep.exec("late", json!([1_500]))).await;
    client.expect_error("late", 7).await;

    // By the last of these the late one has ended.
    for id in 1..=4 {
        client.send(sleep.exec(id, json!([200]))).await;
        client.expect(sleep.result(id, Value::Null)).await;
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn a_module_with_too_many_calls_waiting_answers_7_and_the_others_are_served() {
    let gateway = Plan::serve(BUILDING)
        .deployment(DEPLOYMENT)
        .variable("RISER_EXEC__DEADLINE", "3s")
        .start()
        .await;
    // 256 calls run, 1 024 wait; each connection may have 256 without an answer.
    let mut callers = Vec::new();
    for _ in 0..6 {
        let mut caller = gateway.connect(Key::USER).await;
        for id in 0..256 {
            caller.send(display("sleep").exec(id, json!([2_000]))).await;
        }
        callers.push(caller);
    }
    callers[0]
        .send(scratch("echo").exec("other", json!([1])))
        .await;

    let (mut succeeded, mut busy) = (0, 0);
    for caller in &mut callers {
        let mut ids = HashSet::new();
        while ids.len() < 256 {
            let frame = caller.next().await;
            if frame["id"] == "other" {
                continue;
            }
            assert!(ids.insert(frame["id"].as_u64()), "{frame} again");
            match frame["code"].as_u64() {
                Some(200) => succeeded += 1,
                Some(7) if frame["msg"].to_string().contains("too many calls") => busy += 1,
                Some(7) => {}
                _ => panic!("{frame}"),
            }
        }
    }

    assert!(busy >= 6 * 256 - 1_280, "{busy} refused");
    assert!(succeeded >= 256, "{succeeded} served");
}

#[tokio::test]
async fn a_module_that_hangs_in_all_its_calls_is_restarted() {
    let gateway = Plan::serve(BUILDING)
        .deployment(DEPLOYMENT)
        .variable("RISER_EXEC__DEADLINE", "500ms")
        .start()
        .await;
    let mut client = gateway.connect(Key::USER).await;
    let mut caller = gateway.connect(Key::USER).await;
    let connected = display("connected");
    client.bind_with_value(connected, 1, true).await;

    let hang = display("sleep");
    let requests = (0..256).map(|id| hang.exec(id, json!([3_600_000])));
    let texts = caller.pipeline(requests, 256).await;

    assert!(texts.iter().all(|text| text.contains("\"code\":7")));
    client.expect(connected.notify(1, false)).await;
    client.expect(connected.notify(1, true)).await;
    client.call(display("echo"), json!([1])).await;
}

#[tokio::test]
async fn a_module_that_crashes_answers_its_callers_and_starts_again_without_what_it_knew() {
    let (gateway, mut client) = start().await;
    let (connected, power) = (display("connected"), display("power"));
    let mut caller = gateway.connect(Key::USER).await;
    caller.set(power, true).await;
    client.bind_with_value(connected, 1, true).await;
    client.bind_with_value(power, 2, true).await;

    caller.send(display("sleep").exec(3, json!([60_000]))).await;
    caller.send(display("crash").exec(4, json!([]))).await;

    let mut codes = Vec::new();
    for _ in 0..2 {
        let frame = caller.next().await;
        codes.push((frame["id"].clone(), frame["code"].clone()));
    }
    codes.sort_by_key(|(id, _)| id.as_u64());
    assert_eq!(codes, [(json!(3), json!(7)), (json!(4), json!(3))]);
    client.expect(connected.notify(1, false)).await;
    client.expect(connected.notify(1, true)).await;
    // Not set again by the new life.
    client.expect(power.notify(2, Value::Null)).await;
    caller.set(power, "again").await;
    client.expect(power.notify(2, "again")).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn what_a_crashed_module_sets_again_in_time_is_never_shown_as_null() {
    let (gateway, mut client) = start().await;
    let (connected, power) = (display("connected"), display("power"));
    let mut console = gateway.connect(Key::USER).await;
    console.set(power, "before").await;
    client.bind_with_value(connected, 1, true).await;
    client.bind_with_value(power, 2, "before").await;

    console.send(display("crash").exec(1, json!([]))).await;
    console.expect_error(1, 3).await;
    client.expect(connected.notify(1, false)).await;
    client.expect(connected.notify(1, true)).await;
    console.set(power, "before").await;

    // Longer than what is not set again has time.
    console.call(display("sleep"), json!([700])).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn while_a_module_is_down_its_callers_are_told_and_its_neighbours_work() {
    let (_gateway, mut client) = start().await;
    client.send(display("crash").exec(1, json!([]))).await;
    client.expect_error(1, 3).await;

    // The pause is half a second at least.
    client.send(display("echo").exec(2, json!([1]))).await;
    client.expect_error(2, 7).await;
    client.call(display("echo").at(2), json!([1])).await;
    client.until_answered(display("echo")).await;
}

#[tokio::test]
async fn very_deep_arguments_are_carried_or_refused_and_never_crash() {
    let (_gateway, mut client) = start().await;
    for depth in [100, 127, 128, 129, 1_000, 100_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let head = r#"{"id":1,"cmd":"exec","sys":"sys-1","mod":"Display","name":"echo","args":["#;
        client.send_text(&format!("{head}{deep}]}}")).await;
        let text = client.next_text("the value or a refusal").await;
        let carried = text.contains(&format!("\"value\":{deep},"));
        let refused = text.contains("\"type\":\"error\"");
        assert!(carried || refused, "at {depth}: {}", client.shown());
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn a_connection_that_ends_leaves_its_calls_to_themselves() {
    let (gateway, mut client) = start().await;
    let mut quitter = gateway.connect(Key::USER).await;
    client.bind(display("done"), 1).await;

    quitter.send(display("sleep").exec(1, json!([100]))).await;
    quitter
        .send(display("set").exec(2, json!(["done", true])))
        .await;
    drop(quitter);

    client.expect(display("done").notify(1, true)).await;
    client.call(display("sleep"), json!([200])).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn requests_past_the_rate_are_answered_busy_and_none_is_lost() {
    let plan = Plan::serve(BUILDING)
        .deployment(DEPLOYMENT)
        .variable("RISER_LIMITS__REQUESTS_PER_SECOND", "5");
    let gateway = plan.start().await;
    let mut client = gateway.connect(Key::USER).await;

    let requests = (0..50).map(|id| display("echo").exec(id, json!([id])));
    let texts = client.pipeline(requests, 50).await;

    let refused = texts
        .iter()
        .filter(|text| text.contains("\"code\":7"))
        .count();
    let served = texts
        .iter()
        .filter(|text| text.contains("\"code\":200"))
        .count();
    assert_eq!(refused + served, 50);
    assert!(
        refused >= 30 && served >= 5,
        "{refused} refused, {served} served"
    );
}
