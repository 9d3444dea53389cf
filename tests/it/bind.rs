//! Binding to statuses, and what is told of them.

use serde_json::{Value, json};

use super::DEPLOYMENT;
use crate::harness::{
    BUILDING, Deployment, Gateway, Key, Plan, TestClient, bookings, display, scratch,
};

/// A gateway, a client that watches, and another that makes things happen.
async fn start() -> (Gateway, TestClient, TestClient) {
    let gateway = DEPLOYMENT.start().await;
    let client = gateway.connect(Key::USER).await;
    let console = gateway.connect(Key::USER).await;
    (gateway, client, console)
}

// §10 case 11
#[tokio::test]
async fn a_bind_is_answered_by_success_and_then_by_the_value_that_is_there() {
    let (_gateway, mut client, mut console) = start().await;
    let power = display("power");
    console.set(power, true).await;

    client.send(power.bind(1)).await;

    client.expect(power.success(1)).await;
    client.expect(power.notify(1, true)).await;
    client.expect_silence().await;
}

// §10 case 12
#[tokio::test]
async fn a_bind_to_a_status_that_was_never_set_is_answered_by_success_alone() {
    let (_gateway, mut client, _console) = start().await;

    client.bind(display("power"), 1).await;

    // Longer than a slot takes to settle.
    client.call(display("sleep"), json!([700])).await;
    client.expect_silence().await;
}

// §10 case 13
#[tokio::test]
async fn a_change_is_told_with_the_id_and_the_place_of_the_bind() {
    let (_gateway, mut client, mut console) = start().await;
    let power = display("power");
    client.bind(power, 1).await;

    console.set(power, true).await;
    client.expect(power.notify(1, true)).await;
    console.set(power, false).await;
    client.expect(power.notify(1, false)).await;
    client.expect_silence().await;
}

// §10 case 14
#[tokio::test]
async fn a_thousand_quick_changes_are_told_in_order_and_end_with_the_last() {
    let (_gateway, mut client, mut console) = start().await;
    client.bind(display("n"), 1).await;

    console.call(display("burst"), json!(["n", 1000])).await;

    client.numbers_until(1000, Value::as_u64).await;
    client.expect_silence().await;
}

// §10 case 15
#[tokio::test]
async fn a_value_is_told_again_only_when_it_is_signalled() {
    let (_gateway, mut client, mut console) = start().await;
    let presses = display("presses");
    client.bind(presses, 1).await;
    console.set(presses, 5).await;
    client.expect(presses.notify(1, 5)).await;

    console.set(presses, 5).await;
    client.expect_silence().await;

    let signal = presses.named("signal");
    console.call(signal, json!(["presses"])).await;
    client.expect(presses.notify(1, 5)).await;
    console.call(signal, json!(["presses"])).await;
    client.expect(presses.notify(1, 5)).await;
    client.expect_silence().await;
}

// §10 case 16
#[tokio::test]
async fn a_removed_status_is_told_as_null_once() {
    let (gateway, mut client, mut console) = start().await;
    let power = display("power");
    client.bind(power, 1).await;
    console.set(power, true).await;
    client.expect(power.notify(1, true)).await;

    console.call(power.named("remove"), json!(["power"])).await;
    client.expect(power.notify(1, Value::Null)).await;
    console.call(power.named("remove"), json!(["power"])).await;
    client.expect_silence().await;

    // Whoever comes later has missed nothing.
    let mut late = gateway.connect(Key::USER).await;
    late.bind(power, 1).await;
    late.expect_silence().await;
}

// §10 case 18
#[tokio::test]
async fn an_index_that_is_left_out_or_null_is_the_first() {
    let (_gateway, mut client, mut console) = start().await;
    let power = display("power");
    console.set(power, true).await;

    let without =
        json!({"id": 1, "cmd": "bind", "sys": "sys-1", "mod": "Display", "name": "power"});
    client.send(without).await;
    client.expect(power.success(1)).await;
    client.expect(power.notify(1, true)).await;
    client.send(power.unbind(2)).await;
    client.expect(power.success(2)).await;

    let mut null = power.bind(3);
    null["index"] = Value::Null;
    client.send(null).await;
    client.expect(power.success(3)).await;
    client.expect(power.notify(3, true)).await;
}

// §10 case 19
#[tokio::test]
async fn two_binds_of_one_status_are_one_binding_that_one_unbind_ends() {
    let (_gateway, mut client, mut console) = start().await;
    let power = display("power");
    console.set(power, 1).await;
    client.send(power.bind(1)).await;
    client.expect(power.success(1)).await;
    client.expect(power.notify(1, 1)).await;

    // The value is told again, under the id of the bind that made the binding.
    client.send(power.bind(2)).await;
    client.expect(power.success(2)).await;
    client.expect(power.notify(1, 1)).await;
    console.set(power, 2).await;
    client.expect(power.notify(1, 2)).await;

    client.send(power.unbind(3)).await;
    client.expect(power.success(3)).await;
    console.set(power, 3).await;
    client.expect_silence().await;
}

// §10 case 20
#[tokio::test]
async fn like_named_modules_are_told_apart_by_their_index() {
    let (_gateway, mut client, mut console) = start().await;
    let (first, second) = (display("power"), display("power").at(2));
    client.bind(second, 1).await;
    client.bind(first, 2).await;

    console.set(second, "two").await;
    client.expect(second.notify(1, "two")).await;
    client.expect_silence().await;
    console.set(first, "one").await;
    client.expect(first.notify(2, "one")).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn one_module_in_two_systems_is_told_under_each_place() {
    let (_gateway, mut client, mut console) = start().await;
    let here = scratch("power");
    let there = here.within("sys-2");
    client.bind(here, 1).await;
    client.bind(there, 2).await;

    console.set(there, true).await;

    let mut told = [client.next().await, client.next().await];
    told.sort_by_key(|frame| frame["id"].as_u64());
    assert_eq!(told, [here.notify(1, true), there.notify(2, true)]);
    client.expect_silence().await;
}

// §10 case 21, as far as it goes without a system that appears later
#[tokio::test]
async fn a_bind_to_what_does_not_exist_succeeds_and_waits() {
    let (_gateway, mut client, _console) = start().await;

    client.bind(display("power").within("sys-none"), 1).await;
    client.bind(display("power").of("Ghost"), 2).await;
    client.bind(display("power").at(3), 3).await;
    client.bind(display("power").at(2_147_483_647), 4).await;

    client.expect_silence().await;
}

// §10 case 26
#[tokio::test]
async fn a_value_is_carried_byte_for_byte_however_large_or_odd() {
    let (_gateway, mut client, mut console) = start().await;
    let odd = [
        format!("\"{}\"", "x".repeat(1_200_000)),
        r#""quote \" newline \n emoji 😀 \ud83d\ude00 slash \/""#.to_owned(),
        r#"{"b":1.0, "a" : "\u0041", "b":[ 12345678901234567890123, 1e400 ]}"#.to_owned(),
        "[[[[]]]]".to_owned(),
        "-0.0".to_owned(),
        format!("{}{}", "[".repeat(100), "]".repeat(100)),
    ];
    let meta = r#""meta":{"sys":"sys-1","mod":"Bookings","index":1,"name":"v"}"#;
    client.bind(bookings("v"), 1).await;
    for value in odd {
        let set = format!(
            r#"{{"id":9,"cmd":"exec","sys":"sys-1","mod":"Bookings","name":"set","args":["v",{value}]}}"#
        );
        console.send_text(&set).await;
        console.expect(bookings("set").result(9, Value::Null)).await;

        let frame = format!(r#"{{"id":1,"type":"notify","value":{value},{meta}}}"#);
        client.expect_text(&frame).await;
    }
}

// §10 case 30
#[tokio::test]
async fn a_module_whose_name_begins_with_an_underscore_is_bound_by_support_alone() {
    let (gateway, mut client, mut console) = start().await;
    let hidden = display("x").of("_Secret");
    console.set(hidden, 1).await;

    client.send(hidden.bind(1)).await;
    let message = client.expect_error(1, 2).await;
    assert_eq!(message, "attempted to access protected module");
    for key in [Key::SUPPORT, Key::ADMIN] {
        let mut staff = gateway.connect(key).await;
        staff.send(hidden.bind(1)).await;
        staff.expect(hidden.success(1)).await;
        staff.expect(hidden.notify(1, 1)).await;
    }
}

// §10 case 32
#[tokio::test]
async fn an_unbind_of_what_was_never_bound_succeeds() {
    let (_gateway, mut client, _console) = start().await;
    for place in [
        display("power"),
        display("power").of("Ghost"),
        display("power").within("sys-none"),
    ] {
        client.send(place.unbind(1)).await;
        client.expect(place.success(1)).await;
    }
    client.expect_silence().await;
}

// §10 case 34
#[tokio::test]
async fn two_clients_of_one_status_are_both_told_and_one_that_leaves_takes_nothing_along() {
    let (gateway, mut client, mut console) = start().await;
    let power = display("power");
    let mut other = gateway.connect(Key::SUPPORT).await;
    client.bind(power, 1).await;
    other.bind(power, 4).await;
    console.set(power, 1).await;
    client.expect(power.notify(1, 1)).await;
    other.expect(power.notify(4, 1)).await;

    other.close().await;

    console.set(power, 2).await;
    client.expect(power.notify(1, 2)).await;
    client.expect_silence().await;
}

// §10 case 35
#[tokio::test]
async fn names_that_read_alike_when_joined_are_different_bindings() {
    let (_gateway, mut client, mut console) = start().await;
    let one = display("1_x").of("A");
    let other = display("x").of("A_1");
    client.bind(one, 1).await;
    client.bind(other, 2).await;

    console.set(other, "of A_1").await;
    client.expect(other.notify(2, "of A_1")).await;
    console.set(one, "of A").await;
    client.expect(one.notify(1, "of A")).await;

    client.send(one.unbind(3)).await;
    client.expect(one.success(3)).await;
    console.set(one, "gone").await;
    console.set(other, "still there").await;
    client.expect(other.notify(2, "still there")).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn values_come_as_strings_of_json_to_whoever_asks_for_the_documented_form() {
    let (gateway, mut raw, mut console) = start().await;
    let list = bookings("bookings");
    let door = gateway.door().key(Key::USER).query("values=string");
    let mut documented = door.connect().await;
    console.set(list, json!([])).await;
    for client in [&mut raw, &mut documented] {
        client.send(list.bind(1)).await;
        client.expect(list.success(1)).await;
    }
    raw.expect(list.notify(1, json!([]))).await;
    documented.expect(list.notify(1, "[]")).await;

    console.set(list, json!([{"title": "Stand-up"}])).await;
    raw.expect(list.notify(1, json!([{"title": "Stand-up"}])))
        .await;
    documented
        .expect(list.notify(1, r#"[{"title":"Stand-up"}]"#))
        .await;
    console.set(list, Value::Null).await;
    raw.expect(list.notify(1, Value::Null)).await;
    documented.expect(list.notify(1, Value::Null)).await;

    // The result of a call is raw in both.
    let value = documented.call(list.named("echo"), json!([{"a": 1}])).await;
    assert_eq!(value, json!({"a": 1}));
}

#[tokio::test]
async fn nothing_comes_of_a_binding_after_the_success_of_its_unbind() {
    let (_gateway, mut client, mut console) = start().await;
    client.bind(display("n"), 1).await;
    console
        .send(display("burst").exec("burst", json!(["n", 100_000])))
        .await;
    client.next().await;

    client.send(display("n").unbind(2)).await;

    while client.next().await != display("n").success(2) {}
    console
        .expect(display("burst").result("burst", Value::Null))
        .await;
    client.expect_silence().await;
}

#[tokio::test]
async fn a_status_that_a_call_sets_and_its_result_are_told_in_the_order_of_their_ways() {
    let (_gateway, mut client, _console) = start().await;
    let visits = display("visits");
    client.bind(visits, 1).await;
    for count in 1..=20 {
        let increment = visits.named("increment");
        client.send(increment.exec(2, json!(["visits"]))).await;
        let mut told = [client.next().await, client.next().await];
        if DEPLOYMENT == Deployment::Redis && told[0]["type"] == "success" {
            // A value takes the way through Redis, whoever set it, and may be overtaken.
            told.reverse();
        }
        assert_eq!(told, [visits.notify(1, count), increment.result(2, count)]);
    }
}

#[tokio::test]
async fn a_client_holds_as_many_bindings_as_the_setting_allows_and_one_more_is_refused() {
    let plan = Plan::serve(BUILDING).deployment(DEPLOYMENT);
    let gateway = plan
        .variable("RISER_LIMITS__BINDINGS_MAX", "3")
        .start()
        .await;
    let mut client = gateway.connect(Key::USER).await;
    for (id, name) in [(1, "a"), (2, "b"), (3, "c"), (4, "a")] {
        client.bind(display(name), id).await;
    }

    client.send(display("d").bind(5)).await;
    client.expect_error(5, 1).await;

    client.send(display("a").unbind(6)).await;
    client.expect(display("a").success(6)).await;
    client.bind(display("d"), 7).await;
}
