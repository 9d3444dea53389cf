//! Devices and gateways as people report them: late, split, deaf, mistaken about the protocol.

use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::Module;
use tokio::time::{Duration, Instant};

use crate::device::{Device, Line, message, register};
use crate::module;

/// The status of the only register, which is read again at once.
const LEVEL: &str = "level";

/// What the device says when it has no such address.
const NO_ADDRESS: &[u8] = &[0x83, 2];

/// What a gateway says when its device does not answer.
const AWAY: &[u8] = &[0x83, 11];

/// A module with one register, and the device's end of its connection.
async fn connected(more: Value) -> (Device, Module, Line) {
    let device = Device::new().await;
    let mut settings = json!({
        "poll_seconds": 0.05,
        "registers": {LEVEL: {"holding": 7, "write": true}},
    });
    let all = settings.as_object_mut().expect("it is one");
    all.extend(more.as_object().expect("it is one").clone());
    let module = module::start(device.port(), settings).await;
    let line = device.accept().await;
    (device, module, line)
}

#[tokio::test]
async fn an_answer_to_an_older_request_is_dropped_and_the_next_one_is_answered() {
    let (_device, module, mut line) = connected(json!({"timeout_seconds": 0.2})).await;
    line.give(1).await;
    module.wait_json(LEVEL, "1").await;
    let late = line.request().await;
    assert_eq!(line.request().await, late, "a read is sent once more");
    let next = line.request().await;
    assert_ne!(next.transaction, late.transaction);
    line.answer(&late, &register(2)).await;
    line.answer(&late, &register(2)).await;
    line.answer(&next, &register(3)).await;
    module.wait_json(LEVEL, "3").await;
    module
        .wait_line("an answer that came too late was dropped")
        .await;
    let values = module.publications().into_iter();
    let values = values.filter(|it| it.name == LEVEL);
    let values: Vec<_> = values.filter_map(|it| it.value).collect();
    assert_eq!(values, ["1", "3"]);
    module.wait_connected(true).await;
}

#[tokio::test]
async fn a_gateway_that_answers_as_another_unit_is_taken_by_a_setting() {
    let (_device, module, mut line) = connected(json!({"answer_unit": 2})).await;
    let request = line.request().await;
    assert_eq!(request.unit, 1);
    line.send(&message(request.transaction, 2, &register(5)))
        .await;
    module.wait_json(LEVEL, "5").await;
}

#[tokio::test]
async fn an_answer_of_another_unit_is_dropped_and_the_log_names_the_setting() {
    let (_device, module, mut line) = connected(json!({})).await;
    let request = line.request().await;
    line.send(&message(request.transaction, 2, &register(5)))
        .await;
    module.wait_line("write `answer_unit: 2`").await;
    line.answer(&request, &register(6)).await;
    module.wait_json(LEVEL, "6").await;
    line.give(7).await;
    module.wait_json(LEVEL, "7").await;
    assert_eq!(module.warnings().len(), 1);
}

#[tokio::test]
async fn a_gateway_that_does_not_repeat_the_transaction_is_taken_by_a_setting() {
    let settings = json!({"transactions": "ignored", "answer_unit": 1});
    let (_device, module, mut line) = connected(settings).await;
    let request = line.request().await;
    line.send(&message(
        request.transaction.wrapping_add(1),
        1,
        &register(5),
    ))
    .await;
    module.wait_json(LEVEL, "5").await;
    line.request().await;
    line.send(&message(2, 1, &register(6))).await;
    module.wait_json(LEVEL, "6").await;
}

#[tokio::test]
async fn without_transactions_a_late_answer_is_not_taken_for_the_next_one() {
    let settings = json!({"transactions": "ignored", "timeout_seconds": 0.2});
    let (device, module, mut line) = connected(settings).await;
    line.give(1).await;
    module.wait_json(LEVEL, "1").await;
    let late = line.request().await;
    let mut next = device.accept().await;
    line.answer(&late, &register(2)).await;
    next.give(3).await;
    module.wait_json(LEVEL, "3").await;
    assert_eq!(module.json(LEVEL).as_deref(), Some("3"));
}

#[tokio::test]
async fn the_device_is_left_alone_for_the_pause_of_the_settings() {
    let pause = Duration::from_millis(200);
    let (_device, _module, mut line) = connected(json!({"pause_seconds": 0.2})).await;
    for value in 0..3 {
        let request = line.request().await;
        // It is answered after this moment, so the pause ends behind it by its full length, however slow the machine is.
        let answered = Instant::now();
        line.answer(&request, &register(value)).await;
        let next = line.request().await;
        assert!(answered.elapsed() >= pause);
        line.answer(&next, &register(value)).await;
    }
}

#[tokio::test]
async fn a_device_behind_a_gateway_is_not_connected_while_the_gateway_cannot_reach_it() {
    let (device, module, mut line) = connected(json!({})).await;
    let request = line.request().await;
    line.answer(&request, AWAY).await;
    module
        .wait_line("it does not answer the gateway (exception 11)")
        .await;
    assert_eq!(module.json("connected").as_deref(), Some("false"));
    let mut line = device.accept().await;
    line.give(4).await;
    module.wait_connected(true).await;
    let request = line.request().await;
    line.answer(&request, AWAY).await;
    module.wait_connected(false).await;
    assert_eq!(module.json(LEVEL).as_deref(), Some("4"));
}

#[tokio::test]
async fn a_busy_device_keeps_its_value_and_is_asked_again() {
    let (_device, module, mut line) = connected(json!({})).await;
    line.give(4).await;
    module.wait_connected(true).await;
    let request = line.request().await;
    line.answer(&request, &[0x83, 6]).await;
    module
        .wait_line("the device could not be read: it is busy (exception 6)")
        .await;
    assert_eq!(module.json(LEVEL).as_deref(), Some("4"));
    line.give(5).await;
    module.wait_json(LEVEL, "5").await;
}

#[tokio::test]
async fn a_refused_address_that_the_device_has_later_is_read_again() {
    let (_device, module, mut line) = connected(json!({})).await;
    let request = line.request().await;
    line.answer(&request, NO_ADDRESS).await;
    module.wait_line("the device does not give 'level'").await;
    module.wait_connected(true).await;
    line.give(8).await;
    module.wait_json(LEVEL, "8").await;
    let request = line.request().await;
    line.answer(&request, NO_ADDRESS).await;
    module.wait_json(LEVEL, "null").await;
}

#[tokio::test]
async fn answers_that_come_in_pieces_or_together_are_read() {
    let (_device, module, mut line) = connected(json!({})).await;
    let request = line.request().await;
    for byte in message(request.transaction, 1, &register(1)) {
        line.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    module.wait_json(LEVEL, "1").await;
    let request = line.request().await;
    let old = message(request.transaction.wrapping_sub(1), 1, &register(9));
    let right = message(request.transaction, 1, &register(2));
    line.send(&[old, right].concat()).await;
    module.wait_json(LEVEL, "2").await;
}

#[tokio::test]
async fn a_device_that_speaks_no_modbus_is_not_connected_and_is_tried_again() {
    let (device, module, mut line) = connected(json!({})).await;
    line.request().await;
    line.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    line.wait_closed().await;
    assert_eq!(module.json("connected").as_deref(), Some("false"));
    let mut line = device.accept().await;
    line.give(1).await;
    module.wait_connected(true).await;
}

#[tokio::test]
async fn an_answer_that_does_not_fit_its_request_changes_nothing() {
    let (_device, module, mut line) = connected(json!({})).await;
    line.give(1).await;
    module.wait_connected(true).await;
    for body in [&[3, 4, 0, 5, 0, 6][..], &[4, 2, 0, 5], &[3, 2, 0], &[3]] {
        let request = line.request().await;
        line.answer(&request, body).await;
    }
    line.request().await;
    assert_eq!(module.json(LEVEL).as_deref(), Some("1"));
    let error = "the device gave an answer that does not belong to its request";
    assert_eq!(module.warnings(), [error]);
}

#[tokio::test]
async fn a_device_that_falls_silent_is_not_connected_and_keeps_its_statuses() {
    let (device, module, mut line) = connected(json!({"timeout_seconds": 1})).await;
    line.give(1).await;
    module.wait_connected(true).await;
    line.wait_closed().await;
    module.wait_connected(false).await;
    assert_eq!(module.json(LEVEL).as_deref(), Some("1"));
    let error = module.call("set", (LEVEL, 2)).await.unwrap_err();
    assert_eq!(
        error.message(),
        "the device is not connected: it does not answer"
    );
    let mut line = device.accept().await;
    line.give(2).await;
    module.wait_connected(true).await;
    module.wait_json(LEVEL, "2").await;
}

#[tokio::test]
async fn a_write_without_an_answer_is_not_sent_again() {
    let settings = json!({"poll_seconds": 60, "timeout_seconds": 0.3});
    let (_device, module, mut line) = connected(settings).await;
    line.give(1).await;
    module.wait_connected(true).await;
    let (result, write) = tokio::join!(module.call("set", (LEVEL, 2)), line.request());
    assert_eq!(write.body, [6, 0, 7, 0, 2]);
    assert_eq!(
        result.unwrap_err().message(),
        "the device did not answer within 0.3 s"
    );
    // What comes next is another request.
    let (_, next) = tokio::join!(module.call("set", (LEVEL, 3)), line.request());
    assert_eq!(next.body, [6, 0, 7, 0, 3]);
}

#[tokio::test]
async fn a_device_that_only_knows_the_function_for_several_registers_is_written_with_it() {
    let settings = json!({"poll_seconds": 60});
    let (_device, module, mut line) = connected(settings).await;
    line.give(1).await;
    module.wait_connected(true).await;
    let device = async {
        let single = line.request().await;
        line.answer(&single, &[0x86, 1]).await;
        let several = line.request().await;
        assert_eq!(several.body, [16, 0, 7, 0, 1, 2, 0, 9]);
        line.answer(&several, &[16, 0, 7, 0, 1]).await;
        line.give(9).await;
    };
    let (result, ()) = tokio::join!(module.call("set", (LEVEL, 9)), device);
    result.unwrap();
    assert_eq!(module.json(LEVEL).as_deref(), Some("9"));
}

#[tokio::test]
async fn a_write_that_the_device_refuses_is_an_error_with_its_reason() {
    let settings = json!({"poll_seconds": 60});
    let (_device, module, mut line) = connected(settings).await;
    line.give(1).await;
    module.wait_connected(true).await;
    let device = async {
        let write = line.request().await;
        line.answer(&write, &[0x86, 3]).await;
    };
    let (result, ()) = tokio::join!(module.call("set", (LEVEL, 9)), device);
    let expect = "the device did not take 'level': it does not take such a value (exception 3)";
    assert_eq!(result.unwrap_err().message(), expect);
    assert_eq!(module.json(LEVEL).as_deref(), Some("1"));
}

#[tokio::test]
async fn the_status_shows_what_the_device_has_made_of_a_value() {
    let settings = json!({"poll_seconds": 60});
    let (_device, module, mut line) = connected(settings).await;
    line.give(1).await;
    module.wait_connected(true).await;
    let device = async {
        let write = line.request().await;
        line.answer(&write, &write.body.clone()).await;
        line.give(100).await;
    };
    let (result, ()) = tokio::join!(module.call("set", (LEVEL, 400)), device);
    result.unwrap();
    assert_eq!(module.json(LEVEL).as_deref(), Some("100"));
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused_with_their_place() {
    let check = |settings: Value, expect: &'static str| async move {
        let error = Module::of(&driver_modbus::Modbus::DEFINITION)
            .uri("tcp://127.0.0.1:1")
            .start(settings)
            .await
            .unwrap_err();
        let message = error.message();
        let message = message.strip_prefix("the module's settings do not fit: ");
        assert_eq!(message, Some(expect));
    };
    check(
        json!({"registers": {}}),
        "registers: expected one register at least",
    )
    .await;
    check(
        json!({"registers": {"Level": {"coil": 1}}}),
        "registers.Level: 'Level' is no name of a status: a-z, 0-9 and _, a letter first",
    )
    .await;
    check(
        json!({"registers": {"level": {"coil": 70000}}}),
        "registers.level.coil: expected a whole number from 0 to 65535",
    )
    .await;
    check(
        json!({"timeout_seconds": 6, "registers": {"level": {"coil": 1}}}),
        "timeout_seconds: expected a number of seconds, more than 0 and at most 5",
    )
    .await;
}
