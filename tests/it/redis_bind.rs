//! Binding to what other programs keep in Redis: their statuses, their systems, their changes of both, and what is wrong with them.

use serde_json::{Value, json};

use crate::harness::{Beside, DEADLINE, Key, Nulls, Panel, display, show};

// §10 cases 11 and 13, of a module that another program runs
#[tokio::test]
async fn a_value_that_another_program_set_is_told_and_so_are_its_changes() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    beside
        .redis
        .hset("status/mod-d1", &[("power", "true")])
        .await;

    client.bind_with_value(power, 1, true).await;
    beside.redis.show("mod-d1", "power", "false").await;
    client.expect(power.notify(1, false)).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 14, of a module that another program runs
#[tokio::test]
async fn a_thousand_quick_publications_are_told_in_order_and_end_with_the_last() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    beside
        .bind_followed(&mut client, display("n"), 1, "status/mod-d1/n")
        .await;

    let mut connection = beside.redis.connection().await;
    let mut pipeline = redis::pipe();
    for number in 1..=1000 {
        show(&mut pipeline, "mod-d1", "n", number);
    }
    pipeline
        .query_async::<()>(&mut connection)
        .await
        .expect("Redis takes them");

    client.numbers_until(1000, Value::as_u64).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 15, of a module that another program runs
#[tokio::test]
async fn a_value_that_is_published_twice_is_told_twice() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let presses = display("presses");
    beside
        .bind_followed(&mut client, presses, 1, "status/mod-d1/presses")
        .await;

    for _ in 0..2 {
        beside.redis.show("mod-d1", "presses", "5").await;
        client.expect(presses.notify(1, 5)).await;
    }
    beside.expect_silence(&mut client).await;
}

// §10 case 16, of a module that another program runs
#[tokio::test]
async fn a_status_that_another_program_removes_is_told_as_null() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    beside.redis.show("mod-d1", "power", "true").await;
    client.bind_with_value(power, 1, true).await;

    beside.redis.hdel("status/mod-d1", &["power"]).await;
    beside.redis.publish("status/mod-d1/power", "null").await;
    client.expect(power.notify(1, Value::Null)).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 17
#[tokio::test]
async fn a_status_that_is_stored_as_null_is_told_as_null() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    beside
        .redis
        .hset("status/mod-d1", &[("power", "null")])
        .await;

    client
        .bind_with_value(display("power"), 1, Value::Null)
        .await;
    beside.expect_silence(&mut client).await;
}

// §10 case 21
#[tokio::test]
async fn a_system_that_appears_after_the_bind_is_told_of() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let x = display("x").within("sys-none").of("Ghost");
    client.bind(x, 1).await;
    beside.expect_silence(&mut client).await;

    beside
        .redis
        .place("sys-none", &[("Ghost/1", "mod-g")])
        .await;
    beside.redis.hset("status/mod-g", &[("x", "5")]).await;
    beside.redis.tell_change_of("sys-none").await;

    client.expect(x.notify(1, 5)).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 22
#[tokio::test]
async fn a_slot_that_gets_another_module_shows_that_modules_value_and_its_changes_alone() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    beside.redis.show("mod-d1", "power", "1").await;
    beside.redis.show("mod-d2", "power", "2").await;
    client.bind_with_value(power, 1, 1).await;

    beside
        .redis
        .place("sys-1", &[("Display/1", "mod-d2")])
        .await;
    beside.redis.tell_change_of("sys-1").await;
    client.expect(power.notify(1, 2)).await;

    beside.redis.show("mod-d1", "power", "11").await;
    beside.redis.show("mod-d2", "power", "22").await;
    client.expect(power.notify(1, 22)).await;
    beside
        .redis
        .place("sys-1", &[("Display/1", "mod-d1")])
        .await;
    beside.redis.tell_change_of("sys-1").await;
    client.expect(power.notify(1, 11)).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 23
#[tokio::test]
async fn a_slot_whose_new_module_lacks_the_status_shows_one_null() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    beside.redis.show("mod-d1", "power", "1").await;
    client.bind_with_value(power, 1, 1).await;

    beside
        .redis
        .place("sys-1", &[("Display/1", "mod-d2")])
        .await;
    beside.redis.tell_change_of("sys-1").await;
    client.expect(power.notify(1, Value::Null)).await;

    // The same where no module is left.
    beside.redis.show("mod-d2", "power", "2").await;
    client.expect(power.notify(1, 2)).await;
    beside.redis.hdel("system/sys-1", &["Display/1"]).await;
    beside.redis.tell_change_of("sys-1").await;
    client.expect(power.notify(1, Value::Null)).await;
    beside
        .redis
        .place("sys-1", &[("Display/1", "mod-d1")])
        .await;
    beside.redis.tell_change_of("sys-1").await;
    client.expect(power.notify(1, 1)).await;
    beside.expect_silence(&mut client).await;
}

// §10 cases 24 and 25
#[tokio::test]
async fn slots_that_are_as_they_were_are_told_to_nobody() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    beside.redis.show("mod-d1", "power", "1").await;
    client.bind_with_value(power, 1, 1).await;

    for _ in 0..3 {
        beside.redis.tell_change_of("sys-1").await;
        beside.expect_silence(&mut client).await;
    }

    // As a core does at its start: cleared field by field, filled again, and told each time.
    let slots = ["Display/1", "Display/2", "Bookings/1"];
    let mut connection = beside.redis.connection().await;
    let mut clear = redis::pipe();
    for slot in slots {
        clear.cmd("HDEL").arg("system/sys-1").arg(slot);
        clear
            .cmd("PUBLISH")
            .arg(format!("system/sys-1/{slot}"))
            .arg("null");
    }
    clear.cmd("PUBLISH").arg("lookup-change").arg("sys-1");
    let mut fill = redis::pipe();
    for (slot, module) in slots.into_iter().zip(["mod-d1", "mod-d2", "mod-b1"]) {
        fill.cmd("HSET").arg("system/sys-1").arg(slot).arg(module);
        fill.cmd("PUBLISH")
            .arg(format!("system/sys-1/{slot}"))
            .arg(module);
    }
    fill.cmd("PUBLISH").arg("lookup-change").arg("sys-1");
    for pipeline in [clear, fill] {
        pipeline
            .query_async::<()>(&mut connection)
            .await
            .expect("Redis takes them");
    }

    beside.redis.show("mod-d1", "power", "2").await;
    client.expect(power.notify(1, 2)).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 27
#[tokio::test]
async fn bytes_that_are_no_text_are_told_as_the_replacement_character() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let label = display("label");
    let bytes: &[u8] = b"\"caf\xe9 \xff\"";
    beside.redis.show("mod-d1", "label", bytes).await;
    client
        .bind_with_value(label, 1, "caf\u{fffd} \u{fffd}")
        .await;

    let bytes: &[u8] = b"\"\xc3(\"";
    beside.redis.show("mod-d1", "label", bytes).await;
    client.expect(label.notify(1, "\u{fffd}(")).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 28
#[tokio::test]
async fn what_is_no_json_is_told_as_a_string() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let label = display("label");
    beside.redis.show("mod-d1", "label", "hello").await;
    client.bind_with_value(label, 1, "hello").await;

    for odd in ["", "{\"a\":", "1 2", "a \"quote\"\nand more", "nul", "'x'"] {
        beside.redis.show("mod-d1", "label", odd).await;
        client.expect(label.notify(1, odd)).await;
    }
    let deep = "[".repeat(100_000);
    beside.redis.show("mod-d1", "label", &deep).await;
    client.expect(label.notify(1, deep)).await;
    beside.expect_silence(&mut client).await;
}

// §10 case 29
#[tokio::test]
async fn what_changed_while_the_connection_to_redis_was_lost_is_told_without_a_further_publication()
{
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let (power, input) = (display("power"), display("input"));
    beside.redis.show("mod-d1", "power", "1").await;
    beside.redis.show("mod-d1", "input", r#""hdmi""#).await;
    client.bind_with_value(power, 1, 1).await;
    client.bind_with_value(input, 2, "hdmi").await;

    for number in 2..=4 {
        beside
            .redis
            .hset("status/mod-d1", &[("power", number)])
            .await;
        assert!(beside.redis.kill_subscribers().await >= 1, "one follows");
        // What has not changed is not told again.
        client.expect(power.notify(1, number)).await;
    }
    // A mapping that changed meanwhile is noticed as well.
    beside.redis.hset("status/mod-d2", &[("power", 22)]).await;
    beside
        .redis
        .place("sys-1", &[("Display/1", "mod-d2")])
        .await;
    beside.redis.kill_subscribers().await;
    let told = [client.next().await, client.next().await];
    assert!(told.contains(&power.notify(1, 22)), "{told:?}");
    assert!(told.contains(&input.notify(2, Value::Null)), "{told:?}");
    beside.expect_silence(&mut client).await;
}

// §10 case 33
#[tokio::test]
async fn a_status_is_followed_once_however_many_clients_there_are_and_for_as_long_as_there_is_one()
{
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let names: Vec<String> = (0..100).map(|number| format!("v{number}")).collect();
    let channel = |name: &str| format!("status/mod-d1/{name}");
    for (id, name) in (1..).zip(&names) {
        client.bind(display(name), id).await;
    }
    let mut other = beside.client().await;
    other.bind(display("v7"), 1).await;
    for name in &names {
        beside.redis.until_subscribers(&channel(name), 1).await;
    }

    client.close().await;

    for name in names.iter().filter(|name| *name != "v7") {
        beside.redis.until_subscribers(&channel(name), 0).await;
    }
    assert_eq!(beside.redis.subscribers(&channel("v7")).await, 1);
    beside.redis.show("mod-d1", "v7", "true").await;
    other.expect(display("v7").notify(1, true)).await;
    beside.expect_silence(&mut other).await;
}

#[tokio::test]
async fn a_status_that_is_bound_again_soon_or_late_shows_what_is_true_by_then() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    for number in 1..=20 {
        beside.redis.show("mod-d1", "power", number).await;
        client.bind_with_value(power, 1, number).await;
        client.send(power.unbind(2)).await;
        client.expect(power.success(2)).await;
        if number % 10 == 0 {
            beside
                .redis
                .until_subscribers("status/mod-d1/power", 0)
                .await;
        }
    }
    beside.expect_silence(&mut client).await;
}

#[tokio::test]
async fn garbage_in_the_keyspace_hides_no_value_and_ends_nothing() {
    let mut beside = Beside::start().await;
    let mut client = beside.client().await;
    let power = display("power");
    // The keys of a module and of a system are no hashes, and a system is full of odd slots.
    beside.redis.set("status/mod-odd", "text").await;
    beside.redis.set("system/sys-text", "text").await;
    let slots = [
        ("Odd/1", "mod-odd"),
        ("Dangling/1", "mod-that-is-nowhere"),
        ("Empty/1", ""),
        ("NoIndex", "mod-d1"),
        ("Zero/0", "mod-d1"),
        ("Word/one", "mod-d1"),
        ("/1", "mod-d1"),
        ("Huge/99999999999999999999", "mod-d1"),
        ("Display/1", "mod-d1"),
    ];
    beside.redis.place("sys-odd", &slots).await;
    for (id, place) in (1..).zip([
        power.within("sys-text"),
        power.within("sys-odd").of("Odd"),
        power.within("sys-odd").of("Dangling"),
        power.within("sys-odd").of("Empty"),
        power.within("sys-odd").of("NoIndex"),
        power.within("sys-odd").of("Zero"),
        power.within("sys-odd").of("Word"),
        power.within("sys-odd").of("Huge"),
    ]) {
        client.bind(place, id).await;
    }
    client.bind(power.within("sys-odd"), 20).await;
    client.bind(power, 21).await;

    for system in ["sys-odd", "sys-text", "", "no such system", "\u{0}", "a/b"] {
        beside.redis.tell_change_of(system).await;
    }
    beside.redis.publish("lookup-change", b"\xff\xfe").await;
    beside.redis.show("mod-d1", "power", "true").await;

    let mut told = [client.next().await, client.next().await];
    told.sort_by_key(|frame| frame["id"].as_u64());
    let expected = [
        power.within("sys-odd").notify(20, true),
        power.notify(21, true),
    ];
    assert_eq!(told, expected);
    // What is put right is told.
    beside
        .redis
        .run::<()>(redis::cmd("DEL").arg("status/mod-odd"))
        .await;
    beside.redis.show("mod-odd", "power", "7").await;
    client
        .expect(power.within("sys-odd").of("Odd").notify(2, 7))
        .await;
    beside.expect_silence(&mut client).await;
}

#[tokio::test]
async fn interfaces_that_are_no_interfaces_answer_calls_with_an_error_and_others_are_served() {
    let beside = Beside::start().await;
    let mut client = beside.client().await;
    let odd = [
        ("", 6),
        ("no JSON", 6),
        ("[]", 6),
        ("{}", 1),
        (r#"{"interface":null}"#, 1),
        (r#"{"interface":{"other":{}}}"#, 1),
    ];
    for (text, code) in odd {
        beside.redis.set("interface/mod-d2", text).await;
        client.send(display("power").at(2).exec(1, json!([]))).await;
        let frame = client.next().await;
        assert_eq!(frame["type"], "error", "{text}: {frame}");
        let is = frame["code"] == code || frame["code"] == 6;
        assert!(is, "{text}: {frame}");
    }
    beside
        .redis
        .run::<()>(redis::cmd("DEL").arg("interface/mod-d2"))
        .await;
    beside.redis.hset("interface/mod-d2", &[("a", "b")]).await;
    client.send(display("power").at(2).exec(1, json!([]))).await;
    client.expect_error(1, 6).await;
    assert_eq!(beside.core.calls(), []);

    // What is not known in an interface is passed over.
    beside
        .redis
        .run::<()>(redis::cmd("DEL").arg("interface/mod-d2"))
        .await;
    let known = r#"{"interface":{"power":{"state":{"type":"boolean","$odd":[1]}}},"future":{"a":1},"versions":7,"security":{"nobody":["power2"]},"notes":3}"#;
    beside.redis.set("interface/mod-d2", known).await;
    client.call(display("power").at(2), json!([true])).await;
    assert_eq!(beside.core.calls().len(), 1);
}

#[tokio::test]
async fn a_panel_follows_many_systems_that_other_programs_keep() {
    let beside = Beside::start().await;
    let systems: Vec<String> = (0..200)
        .map(|number| format!("sys-many-{number}"))
        .collect();
    let mut connection = beside.redis.connection().await;
    let mut pipeline = redis::pipe();
    for (number, system) in systems.iter().enumerate() {
        let module = format!("mod-many-{number}");
        let key = format!("system/{system}");
        pipeline.cmd("HSET").arg(key).arg("Display/1").arg(&module);
        show(&mut pipeline, &module, "n", number);
    }
    pipeline
        .query_async::<()>(&mut connection)
        .await
        .expect("Redis takes them");
    let places: Vec<_> = systems.iter().map(|id| display("n").within(id)).collect();
    let door = beside.gateway.door().key(Key::USER);
    let mut panel = Panel::open(door, &places, Nulls::Never).await;
    let truth: Vec<u64> = (0..200).collect();
    panel.until_shows(&truth, DEADLINE).await;
}
