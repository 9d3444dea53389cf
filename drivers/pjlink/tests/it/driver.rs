//! The driver in front of the simulator: what it shows, what it switches, and how it spares the projector.
//!
//! The clock is paused, so an hour of a projector's life costs no time; the sockets are real.

use std::collections::BTreeMap;
use std::time::Duration;

use driver_pjlink::{Errors, Input, Level, Projector as Driver};
use driver_sdk::interfaces::{Muteable, Powerable};
use driver_sdk::serde_json::{self, Value, json};
use driver_sdk::testkit::Module;
use driver_sdk::{Error, JsonText, Status, StatusName};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use crate::simulator::{Mood, Power, Projector, Simulator};

/// How long something may take by the paused clock.
const DEADLINE: Duration = Duration::from_secs(300);

const PASSWORD: &str = "JBMIAProjectorLink";

async fn try_start(simulator: &Simulator, settings: Value) -> Result<Module, Error> {
    let uri = format!("tcp://{}", simulator.at);
    Module::of(&Driver::DEFINITION)
        .uri(&uri)
        .start(settings)
        .await
}

async fn start(simulator: &Simulator, settings: Value) -> Module {
    try_start(simulator, settings).await.unwrap()
}

/// A projector and its module, which is connected and asks once a second.
async fn connected(projector: Projector) -> (Simulator, Module) {
    let simulator = Simulator::new(projector).await;
    let module = start(&simulator, json!({"poll_seconds": 1})).await;
    module.wait_connected(true).await;
    (simulator, module)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = timeout(DEADLINE, waiting).await;
    waited.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

/// Calls a function, and gives the code and the text of the error if there is one.
async fn call(module: &Module, function: &str, arguments: Value) -> Result<(), (u16, String)> {
    match module.call(function, arguments).await {
        Ok(_) => Ok(()),
        Err(error) => Err((error.code(), error.message().to_owned())),
    }
}

/// A status as it is on the wire, `null` without one.
fn shown(module: &Module, name: &'static str) -> Value {
    let status = Status::<JsonText>::new(name);
    let value = module.status(&status);
    value.map_or(Value::Null, |value| value.to().unwrap())
}

fn input(name: &str) -> Input {
    serde_json::from_value(json!(name)).unwrap()
}

/// Every value that a status has had.
fn history(module: &Module, name: &str) -> Vec<String> {
    let all = module.publications().into_iter();
    let of_name = all.filter(|it| it.name == name);
    of_name.filter_map(|it| it.value).collect()
}

#[tokio::test(start_paused = true)]
async fn a_projector_of_class_1_is_shown_with_all_that_it_has() {
    let (_simulator, module) = connected(Projector {
        errors: "010020",
        ..Projector::on()
    })
    .await;
    for (name, expect) in [
        ("power", json!(true)),
        ("warming", json!(false)),
        ("cooling", json!(false)),
        ("input", json!("digital_1")),
        ("inputs", json!(["rgb_1", "digital_1", "digital_2"])),
        ("audio_mute", json!(false)),
        ("video_mute", json!(false)),
        ("lamp_hours", json!([1234])),
        ("class", json!(1)),
        ("device_name", json!("Board")),
        ("manufacturer", json!("Lumen")),
        ("model", json!("L-2000")),
        ("input_names", Value::Null),
        ("filter_hours", Value::Null),
        ("freeze", Value::Null),
        ("serial_number", Value::Null),
    ] {
        assert_eq!(shown(&module, name), expect, "{name}");
    }
    let errors = Errors {
        fan: Level::Ok,
        lamp: Level::Warning,
        temperature: Level::Ok,
        cover: Level::Ok,
        filter: Level::Error,
        other: Level::Ok,
    };
    module.wait(&Driver::ERRORS, &errors).await;
    assert_eq!(module.warnings(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_projector_of_class_2_is_shown_with_what_class_1_does_not_have() {
    let (simulator, module) = connected(Projector::class_2()).await;
    for (name, expect) in [
        ("class", json!(2)),
        (
            "inputs",
            json!(["rgb_1", "digital_1", "digital_2", "network_a", "internal_1"]),
        ),
        ("filter_hours", json!(77)),
        ("freeze", json!(false)),
        ("serial_number", json!("SN-0815")),
    ] {
        assert_eq!(shown(&module, name), expect, "{name}");
    }
    let names = BTreeMap::from([
        (input("rgb_1"), "Computer".to_owned()),
        (input("digital_1"), "HDMI 1".to_owned()),
        (input("network_a"), "Screen Küche".to_owned()),
        (input("internal_1"), "Memory".to_owned()),
    ]);
    module.wait(&Driver::INPUT_NAMES, &names).await;
    call(&module, "switch_to", json!(["internal_1"]))
        .await
        .unwrap();
    module.wait(&Driver::INPUT, &input("internal_1")).await;
    assert_eq!(simulator.projector().input, "61");
    assert_eq!(module.warnings(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_lamps_and_filter_there_is_an_empty_list_and_no_status() {
    let (simulator, module) = connected(Projector {
        lamps: None,
        filter_hours: None,
        ..Projector::class_2()
    })
    .await;
    assert_eq!(shown(&module, "lamp_hours"), json!([]));
    assert_eq!(shown(&module, "filter_hours"), Value::Null);
    sleep(Duration::from_secs(300)).await;
    let heard = simulator.heard();
    assert_eq!(heard.moments("%1LAMP ?").len(), 1);
    assert_eq!(heard.moments("%2FILT ?").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn power_is_true_from_switching_on_and_never_flickers() {
    for lag in [0, 3] {
        let (simulator, module) = connected(Projector {
            lag: Duration::from_secs(lag),
            ..Projector::default()
        })
        .await;
        assert_eq!(history(&module, "power"), ["false"]);
        call(&module, "power", json!([true])).await.unwrap();
        assert_eq!(shown(&module, "power"), json!(true));
        module.wait(&Driver::WARMING, &true).await;
        until("the picture", || shown(&module, "warming") == json!(false)).await;
        assert_eq!(simulator.projector().power, Power::On);
        module.wait(&Driver::INPUT, &input("digital_1")).await;

        call(&module, "power_state", json!(["Off"])).await.unwrap();
        assert_eq!(shown(&module, "power"), json!(false));
        module.wait(&Driver::COOLING, &true).await;
        until("standby", || shown(&module, "cooling") == json!(false)).await;
        assert_eq!(simulator.projector().power, Power::Off);
        assert_eq!(history(&module, "power"), ["false", "true", "false"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_projector_that_accepts_power_and_does_not_come_on_is_shown_as_off_again() {
    let (simulator, module) = connected(Projector {
        instead: BTreeMap::from([("POWR", b"%1POWR=OK\r".to_vec())]),
        ..Projector::default()
    })
    .await;
    call(&module, "power", json!([true])).await.unwrap();
    simulator.projector().instead.clear();
    sleep(Duration::from_secs(7)).await;
    assert_eq!(shown(&module, "power"), json!(false));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_with_the_remote_control_is_seen_at_the_next_poll() {
    let (simulator, module) = connected(Projector::on()).await;
    simulator.projector().input = "11";
    simulator.projector().video_mute = true;
    module.wait(&Driver::INPUT, &input("rgb_1")).await;
    module.wait(&Driver::VIDEO_MUTE, &true).await;
    simulator.projector().power = Power::Off;
    module.wait(&Driver::POWER, &false).await;
}

#[tokio::test(start_paused = true)]
async fn a_projector_that_is_switched_on_while_it_cools_down_goes_on_afterwards() {
    for lag in [0, 3] {
        let (simulator, module) = connected(Projector {
            lag: Duration::from_secs(lag),
            ..Projector::on()
        })
        .await;
        call(&module, "power", json!([false])).await.unwrap();
        call(&module, "power", json!([true])).await.unwrap();
        assert_eq!(shown(&module, "power"), json!(false), "it is not on yet");
        until("the switch", || shown(&module, "power") == json!(true)).await;
        until("the picture", || simulator.projector().power == Power::On).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_switches_while_it_cools_down_the_last_counts() {
    let (simulator, module) = connected(Projector::on()).await;
    for state in [false, true, false] {
        call(&module, "power", json!([state])).await.unwrap();
    }
    sleep(Duration::from_secs(120)).await;
    assert_eq!(simulator.projector().power, Power::Off);
    assert_eq!(shown(&module, "power"), json!(false));
}

#[tokio::test(start_paused = true)]
async fn a_projector_that_is_switched_off_while_it_warms_up_goes_off_afterwards() {
    let (_simulator, module) = connected(Projector::default()).await;
    call(&module, "power", json!([true])).await.unwrap();
    call(&module, "power", json!([false])).await.unwrap();
    until("the switch", || shown(&module, "power") == json!(false)).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_input_that_is_asked_for_while_it_warms_up_is_shown_afterwards() {
    for lag in [0, 3] {
        let (simulator, module) = connected(Projector {
            lag: Duration::from_secs(lag),
            ..Projector::default()
        })
        .await;
        call(&module, "power", json!([true])).await.unwrap();
        for name in ["rgb_1", "digital_2"] {
            call(&module, "switch_to", json!([name])).await.unwrap();
        }
        sleep(Duration::from_secs(10)).await;
        assert_eq!(simulator.projector().input, "31");
        until("the input", || simulator.projector().input == "32").await;
        module.wait(&Driver::INPUT, &input("digital_2")).await;
        assert_eq!(simulator.heard().moments("%1INPT 11").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_input_that_waits_is_forgotten_when_the_projector_goes_off() {
    let (simulator, module) = connected(Projector::default()).await;
    call(&module, "power", json!([true])).await.unwrap();
    call(&module, "switch_to", json!(["rgb_1"])).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    // With the remote control, since it refuses the network while it warms up.
    simulator.projector().power = Power::Off;
    module.wait(&Driver::POWER, &false).await;
    simulator.projector().power = Power::On;
    module.wait(&Driver::POWER, &true).await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(simulator.projector().input, "31");
}

#[tokio::test(start_paused = true)]
async fn an_input_that_is_not_there_or_cannot_be_shown_is_refused_with_a_clear_text() {
    let (simulator, module) = connected(Projector::on()).await;
    let check = async |name: &str, code: u16, text: &str| {
        let error = call(&module, "switch_to", json!([name])).await;
        let (is, message) = error.unwrap_err();
        assert_eq!(is, code, "{message}");
        assert!(message.contains(text), "{message}");
    };
    check("video_9", 400, "(ERR2)").await;
    check("hdmi_1", 400, "expected an input such as `digital_1`").await;
    simulator.projector().power = Power::Off;
    module.wait(&Driver::POWER, &false).await;
    check("rgb_1", 409, "cannot do that now").await;
    assert_eq!(shown(&module, "input"), json!("digital_1"));
}

#[tokio::test(start_paused = true)]
async fn mutes_change_the_layers_that_are_meant() {
    let (simulator, module) = connected(Projector::on()).await;
    for (function, arguments, audio, video) in [
        ("mute", json!([]), true, true),
        ("unmute_video", json!([]), true, false),
        ("unmute_audio", json!([0]), false, false),
        ("mute_video", json!([true, 0]), false, true),
        ("mute_audio", json!([]), true, true),
        ("unmute", json!({"layer": "Audio"}), false, true),
        ("mute", json!([true, 0, "AudioVideo"]), true, true),
        ("unmute", json!([]), false, false),
    ] {
        call(&module, function, arguments).await.unwrap();
        assert_eq!(shown(&module, "audio_mute"), json!(audio), "{function}");
        assert_eq!(shown(&module, "video_mute"), json!(video), "{function}");
        let projector = simulator.projector();
        assert_eq!((projector.audio_mute, projector.video_mute), (audio, video));
    }
}

#[tokio::test(start_paused = true)]
async fn a_mute_that_the_projector_does_not_have_is_refused_and_changes_no_status() {
    let (_simulator, module) = connected(Projector {
        instead: BTreeMap::from([("AVMT", b"%1AVMT=ERR2\r".to_vec())]),
        ..Projector::on()
    })
    .await;
    let (code, message) = call(&module, "mute_audio", json!([])).await.unwrap_err();
    assert_eq!(code, 400);
    assert!(message.contains("(ERR2)"), "{message}");
    assert_eq!(module.status(&Driver::AUDIO_MUTE), None);
}

#[tokio::test(start_paused = true)]
async fn class_2_freezes_the_picture_and_class_1_says_that_it_cannot() {
    let (simulator, module) = connected(Projector::class_2()).await;
    call(&module, "freeze", json!([true])).await.unwrap();
    assert_eq!(shown(&module, "freeze"), json!(true));
    assert!(simulator.projector().frozen);
    call(&module, "freeze", json!([false])).await.unwrap();
    assert!(!simulator.projector().frozen);

    let (simulator, module) = connected(Projector::on()).await;
    let (code, message) = call(&module, "freeze", json!([true])).await.unwrap_err();
    assert_eq!(code, 501);
    assert!(message.contains("class 1"), "{message}");
    let lines = simulator.heard().lines;
    assert!(!lines.iter().any(|(_, line)| line.starts_with("%2")));
}

#[tokio::test(start_paused = true)]
async fn a_password_is_shown_once_per_connection_and_in_no_log() {
    let simulator = Simulator::new(Projector {
        password: Some(PASSWORD),
        ..Projector::on()
    })
    .await;
    let module = start(&simulator, json!({"password": PASSWORD, "poll_seconds": 1})).await;
    module.wait_connected(true).await;
    call(&module, "mute", json!([])).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let heard = simulator.heard();
    assert_eq!((heard.digests, heard.connections.len()), (1, 1));
    assert!(!format!("{:?}", module.lines()).contains(PASSWORD));
}

#[tokio::test(start_paused = true)]
async fn a_password_is_not_needed_where_the_projector_has_none() {
    let simulator = Simulator::new(Projector::on()).await;
    let module = start(&simulator, json!({"password": PASSWORD})).await;
    module.wait_connected(true).await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_said_and_tried_again_ever_more_rarely() {
    for (settings, expect) in [
        (json!({"password": "wrong"}), "it refuses the password"),
        (json!({}), "it wants a password; write `password` into"),
        (json!({"password": ""}), "it wants a password; write"),
    ] {
        let simulator = Simulator::new(Projector {
            password: Some(PASSWORD),
            ..Projector::on()
        })
        .await;
        let module = start(&simulator, settings).await;
        until("the attempts", || simulator.heard().connections.len() == 9).await;
        let attempts = simulator.heard().connections;
        let waits = attempts.windows(2).map(|pair| pair[1] - pair[0]);
        let seconds: Vec<u64> = waits.map(|wait| wait.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(history(&module, "connected"), ["false"]);
        assert!(module.warnings()[0].contains(expect));
        let (code, message) = call(&module, "power", json!([true])).await.unwrap_err();
        assert_eq!(code, 503);
        assert!(message.contains(expect), "{message}");
        assert!(!format!("{:?}", module.lines()).contains(PASSWORD));
    }
}

#[tokio::test(start_paused = true)]
async fn a_projector_whose_standby_hangs_up_or_says_nothing_is_off_with_one_warning() {
    for mood in [Mood::Closes, Mood::SaysNothing, Mood::AnswersNothing] {
        let simulator = Simulator::new(Projector {
            mood,
            ..Projector::on()
        })
        .await;
        let module = start(&simulator, json!({"poll_seconds": 1})).await;
        sleep(Duration::from_secs(120)).await;
        assert_eq!(shown(&module, "power"), json!(false), "{mood:?}");
        assert_eq!(shown(&module, "connected"), json!(false), "{mood:?}");
        assert_eq!(module.warnings().len(), 1, "{:?}", module.warnings());
        let (code, _) = call(&module, "power", json!([true])).await.unwrap_err();
        assert_eq!(code, 503);

        simulator.projector().mood = Mood::Well;
        until("the projector", || {
            shown(&module, "connected") == json!(true)
        })
        .await;
        assert_eq!(shown(&module, "power"), json!(true));
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_one_connection_with_one_line_in_flight_however_many_call() {
    let (simulator, module) = connected(Projector::class_2()).await;
    let orders = [
        ("mute_video", json!([true])),
        ("freeze", json!([true])),
        ("switch_to", json!(["rgb_1"])),
    ];
    let orders = orders.iter().cycle().take(60);
    let calls = orders.map(|(function, arguments)| call(&module, function, arguments.clone()));
    for answer in join_all(calls).await {
        answer.unwrap();
    }
    let heard = simulator.heard();
    assert_eq!((heard.most_open, heard.too_early), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn lamps_errors_and_filter_are_asked_for_once_a_minute_and_names_once() {
    let (simulator, _module) = connected(Projector::class_2()).await;
    sleep(Duration::from_secs(600)).await;
    let heard = simulator.heard();
    for line in ["%1LAMP ?", "%1ERST ?", "%2FILT ?"] {
        let moments = heard.moments(line);
        assert!(
            (10..=11).contains(&moments.len()),
            "{line}: {}",
            moments.len()
        );
        let waits = moments.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(waits.min() >= Some(Duration::from_secs(60)), "{line}");
    }
    for line in [
        "%1CLSS ?",
        "%1NAME ?",
        "%1INF1 ?",
        "%2INST ?",
        "%2INNM ?31",
        "%2SNUM ?",
    ] {
        assert_eq!(heard.moments(line).len(), 1, "{line}");
    }
    assert!(heard.moments("%1POWR ?").len() > 300);
    assert!(heard.moments("%2INPT ?").len() > 300);
}

#[tokio::test(start_paused = true)]
async fn a_projector_in_standby_is_asked_at_each_poll_for_its_power_alone() {
    let (simulator, module) = connected(Projector::class_2()).await;
    simulator.projector().power = Power::Off;
    module.wait(&Driver::POWER, &false).await;
    // What still rests from before.
    sleep(Duration::from_secs(120)).await;
    let before = simulator.heard();
    sleep(Duration::from_secs(120)).await;
    let after = simulator.heard();
    for line in ["%2INPT ?", "%1AVMT ?", "%2FREZ ?"] {
        let asked = after.moments(line).len() - before.moments(line).len();
        assert!((1..=3).contains(&asked), "{line}: {asked}");
    }
    // As soon as it is on, all of it is looked at.
    simulator.projector().power = Power::On;
    simulator.projector().input = "11";
    let switched = Instant::now();
    module.wait(&Driver::INPUT, &input("rgb_1")).await;
    assert!(switched.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_answered_with_err3_is_asked_ever_more_rarely() {
    let (simulator, module) = connected(Projector {
        instead: BTreeMap::from([("INPT", b"%1INPT=ERR3\r".to_vec())]),
        ..Projector::on()
    })
    .await;
    sleep(Duration::from_secs(300)).await;
    let moments = simulator.heard().moments("%1INPT ?");
    let waits = moments.windows(2).map(|pair| pair[1] - pair[0]);
    // A question that is due is asked at the next poll, which comes once a second.
    for (wait, expect) in waits.zip([5, 10, 20, 40, 60]) {
        let (least, most) = (Duration::from_secs(expect), Duration::from_secs(expect + 2));
        assert!((least..most).contains(&wait), "{wait:?} and not {least:?}");
    }
    assert!(moments.len() > 5);
    assert_eq!(module.warnings(), [""; 0]);
    assert_eq!(history(&module, "connected"), ["false", "true"]);
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_carriage_return_in_pieces_and_in_latin_1_are_read() {
    for (line_end, dribble) in [
        ("", None),
        ("\r\n", None),
        ("\r", Some(30)),
        ("\n", Some(5)),
    ] {
        let (_simulator, module) = connected(Projector {
            line_end,
            dribble: dribble.map(Duration::from_millis),
            name: b"K\xfcche".to_vec(),
            password: None,
            ..Projector::on()
        })
        .await;
        assert_eq!(shown(&module, "device_name"), json!("Küche"));
        assert_eq!(shown(&module, "input"), json!("digital_1"));
        call(&module, "mute", json!([])).await.unwrap();
        assert_eq!(module.warnings(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_projector_that_closes_idle_connections_is_not_lost() {
    let simulator = Simulator::new(Projector {
        password: Some(PASSWORD),
        ..Projector::class_2()
    })
    .await;
    let settings = json!({"password": PASSWORD, "poll_seconds": 100});
    let module = start(&simulator, settings).await;
    module.wait_connected(true).await;
    for _ in 0..6 {
        sleep(Duration::from_secs(33)).await;
        call(&module, "mute", json!([])).await.unwrap();
    }
    assert!(simulator.heard().connections.len() > 5);
    assert_eq!(history(&module, "connected"), ["false", "true"]);
    assert_eq!(module.warnings(), [""; 0]);
    // What is read once is not read again for it.
    assert_eq!(simulator.heard().moments("%1NAME ?").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_projector_that_is_unplugged_and_back_is_read_afresh() {
    let (simulator, module) = connected(Projector::on()).await;
    let at = simulator.at.clone();
    drop(simulator);
    module.wait_connected(false).await;
    let error = call(&module, "power", json!([false])).await;
    let (code, message) = error.unwrap_err();
    assert_eq!(code, 503);
    assert!(
        message.starts_with("the device is not connected: it"),
        "{message}"
    );
    assert_eq!(shown(&module, "power"), json!(true));
    sleep(Duration::from_secs(60)).await;
    let _simulator = Simulator::at(
        &at,
        Projector {
            name: b"Another".to_vec(),
            lamps: Some("1 0"),
            ..Projector::default()
        },
    )
    .await;
    until("the projector", || {
        shown(&module, "connected") == json!(true)
    })
    .await;
    assert_eq!(shown(&module, "device_name"), json!("Another"));
    assert_eq!(shown(&module, "lamp_hours"), json!([1]));
    assert_eq!(shown(&module, "power"), json!(false));
}

#[tokio::test(start_paused = true)]
async fn a_projector_that_answers_garbage_is_not_connected_until_it_comes_to_itself() {
    let (simulator, module) = connected(Projector::on()).await;
    let garbage = b"\xff\x00%%%%\r%1\r%1POWR\r=\r".to_vec();
    simulator.projector().instead.insert("POWR", garbage);
    let began = Instant::now();
    module.wait_connected(false).await;
    assert!(began.elapsed() < Duration::from_secs(7));
    simulator.projector().instead.clear();
    until("the projector", || {
        shown(&module, "connected") == json!(true)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_answer_that_makes_no_sense_is_said_once_and_leaves_the_others_alone() {
    let (simulator, module) = connected(Projector {
        instead: BTreeMap::from([("LAMP", b"%1LAMP=many\r".to_vec())]),
        ..Projector::on()
    })
    .await;
    sleep(Duration::from_secs(300)).await;
    assert_eq!(
        module.warnings(),
        ["the projector's answer to LAMP is none that PJLink has"]
    );
    simulator.projector().input = "11";
    module.wait(&Driver::INPUT, &input("rgb_1")).await;
    assert_eq!(history(&module, "connected"), ["false", "true"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_another_command_is_not_taken_for_the_right_one() {
    let late = b"%1POWR=0\r%1INPT=11\r%1INPT=ERR1\r%1AVMT=30\r".to_vec();
    let (_simulator, module) = connected(Projector {
        instead: BTreeMap::from([("AVMT", late)]),
        ..Projector::on()
    })
    .await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(history(&module, "power"), ["false", "true"]);
    assert_eq!(history(&module, "input"), ["\"digital_1\""]);
    assert_eq!(history(&module, "connected"), ["false", "true"]);
}

#[test]
fn the_interface_has_the_functions_statuses_and_interfaces_that_others_find_it_by() {
    let interface = (Driver::DEFINITION.interface)();
    assert_eq!(
        interface.implements,
        ["Powerable", "Muteable", "InputSelection"]
    );
    let functions = interface.functions.iter().map(|(name, function)| {
        let parameters = function.parameters.iter().map(|it| match &it.default {
            None => it.name.clone(),
            Some(default) => format!("{} = {default}", it.name),
        });
        format!("{name}({})", parameters.collect::<Vec<_>>().join(", "))
    });
    let mut functions: Vec<String> = functions.collect();
    functions.sort();
    assert_eq!(
        functions,
        [
            "freeze(state)",
            r#"mute(state = true, index = 0, layer = "AudioVideo")"#,
            "mute_audio(state = true, index = 0)",
            "mute_video(state = true, index = 0)",
            "power(state)",
            "power_state(state)",
            "switch_to(input)",
            r#"unmute(index = 0, layer = "AudioVideo")"#,
            "unmute_audio(index = 0)",
            "unmute_video(index = 0)",
        ]
    );
    let mut statuses: Vec<&str> = interface.statuses.keys().map(StatusName::as_str).collect();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [
            "audio_mute",
            "class",
            "cooling",
            "device_name",
            "errors",
            "filter_hours",
            "freeze",
            "input",
            "input_names",
            "inputs",
            "lamp_hours",
            "manufacturer",
            "model",
            "power",
            "serial_number",
            "video_mute",
            "warming",
        ]
    );
}

#[tokio::test]
async fn a_uri_without_a_port_is_fine_and_one_of_another_kind_is_not() {
    let start = async |uri| {
        let plan = Module::of(&Driver::DEFINITION).uri(uri);
        plan.start(json!({})).await
    };
    assert!(start("tcp://127.0.0.1").await.is_ok());
    let error = start("http://127.0.0.1").await.unwrap_err();
    assert!(error.message().contains("tcp://"), "{error}");
    assert!(Module::start(&Driver::DEFINITION, json!({})).await.is_err());
}
