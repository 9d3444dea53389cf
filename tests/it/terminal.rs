//! The terminal client against the gateway: what it prints, how it ends, and what it does when the gateway goes.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::harness::{
    BUILDING, DEADLINE, Front, Gateway, Key, Plan, Process, Ran, Stream, Terminal, display,
};

const POWER: &str = "sys-1/Display_1/power";

async fn start() -> (Gateway, Terminal) {
    let gateway = Gateway::start(BUILDING).await;
    let terminal = Terminal::at(&gateway, Key::SUPPORT);
    (gateway, terminal)
}

async fn set(gateway: &Gateway, name: &str, value: impl Into<Value>) {
    let mut console = gateway.connect(Key::USER).await;
    console.set(display(name), value).await;
}

/// The next line of a bind without its time, which is looked at for its form alone.
async fn next_value(process: &mut Process) -> String {
    let line = process.next_line(Stream::Out, DEADLINE).await;
    let line = line.expect("it goes on printing");
    let (time, rest) = line.split_once(' ').expect("a time and the rest");
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let form: String = time.chars().map(digits).collect();
    assert_eq!(form, "00:00:00.000", "{line:?}");
    rest.to_owned()
}

#[tokio::test]
async fn bind_prints_what_is_there_and_every_change() {
    let (gateway, terminal) = start().await;
    set(&gateway, "power", true).await;

    let mut bind = terminal.start(&["bind", "sys-1", "Display", "power", "volume"]);

    assert_eq!(next_value(&mut bind).await, format!("{POWER} true"));
    set(&gateway, "power", false).await;
    assert_eq!(next_value(&mut bind).await, format!("{POWER} false"));
    set(&gateway, "volume", json!({"left": [1, "zwölf"]})).await;
    assert_eq!(
        next_value(&mut bind).await,
        "sys-1/Display_1/volume {\"left\":[1,\"zwölf\"]}"
    );
    set(&gateway, "power", Value::Null).await;
    assert_eq!(next_value(&mut bind).await, format!("{POWER} null"));
    bind.kill().await;
    assert_eq!(bind.said(Stream::Err), [""; 0]);
}

#[tokio::test]
async fn bind_takes_paths_and_ends_when_it_has_what_was_wanted() {
    let (gateway, terminal) = start().await;
    let mut console = gateway.connect(Key::USER).await;
    console.set(display("power"), 1).await;
    console.set(display("power").at(2), 2).await;
    let second = "sys-1/Display_2/power";

    let once = terminal.run(&["bind", "--once", second, POWER]).await;

    let values: Vec<&str> = once
        .out
        .iter()
        .filter_map(|line| Some(line.split_once(' ')?.1))
        .collect();
    assert_eq!(values, [format!("{second} 2"), format!("{POWER} 1")]);
    assert_eq!((once.code, once.err.len()), (Some(0), 0), "{once:?}");

    let burst = terminal.start(&["bind", "--count", "3", "sys-1/Display_1/n", POWER]);
    gateway.wait_metric("riser_bindings", 2.0).await;
    console.call(display("burst"), json!(["n", 5])).await;
    let burst = Ran::of(burst).await;
    assert_eq!((burst.code, burst.out.len()), (Some(0), 3), "{burst:?}");
}

#[tokio::test]
async fn bind_prints_json_an_object_a_line() {
    let (gateway, terminal) = start().await;
    set(&gateway, "power", json!({"a": [1.50]})).await;

    let bind = terminal.run(&["bind", "--json", "--once", POWER]).await;

    let [line] = &bind.out[..] else {
        panic!("{bind:?}")
    };
    let mut object: Value = serde_json::from_str(line).expect("the line is JSON");
    let time = object["time"].take();
    let time = time.as_str().expect("a time");
    assert!(time.ends_with('Z') && time.len() == 24, "{time}");
    let expected = json!({
        "time": null, "system": "sys-1", "module": "Display", "index": 1,
        "name": "power", "value": {"a": [1.5]},
    });
    assert_eq!(object, expected);
}

#[tokio::test]
async fn what_does_not_come_in_time_is_a_failure_only_if_it_was_wanted() {
    let (_gateway, terminal) = start().await;

    let once = terminal
        .run(&["bind", "--once", "--timeout", "0.3", POWER])
        .await;
    once.assert_failed(
        1,
        "riser: all that was asked for did not come within 0.3s; raise --timeout to wait longer",
    );

    let watch = terminal.run(&["bind", "--timeout", "0.3", POWER]).await;
    watch.assert_printed(&[]);
}

#[tokio::test]
async fn hundreds_of_large_values_are_bound_at_once() {
    let (gateway, terminal) = start().await;
    let mut console = gateway.connect(Key::USER).await;
    let large = "x".repeat(20_000);
    let names: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
    for name in &names {
        console.set(display(name), large.as_str()).await;
    }
    let mut words = vec!["bind", "--once", "sys-1", "Display"];
    words.extend(names.iter().map(String::as_str));

    let bind = terminal.run(&words).await;

    assert_eq!((bind.code, bind.out.len()), (Some(0), names.len()));
}

#[tokio::test]
async fn who_waits_for_what_is_not_there_is_told_so() {
    let (gateway, terminal) = start().await;
    set(&gateway, "power", true).await;
    let bind = terminal.start(&["bind", "sys-1", "Display", "power", "powr"]);
    bind.logged(
        "riser: no value yet of sys-1/Display_1/powr; it is shown when there is one, or check the name",
        DEADLINE,
    )
    .await;
}

#[tokio::test]
async fn a_bind_of_one_value_does_not_hang_on_a_name_that_nobody_has() {
    let (gateway, _) = start().await;
    set(&gateway, "power", true).await;
    for key in [Key::ADMIN, Key::USER] {
        let terminal = Terminal::at(&gateway, key);
        for (path, reason) in [
            ("sys-9/Display_1/power", "could not find system sys-9"),
            ("sys-1/Dispaly_1/power", "could not find module"),
            ("sys-1/Display_3/power", "could not find module"),
        ] {
            let once = terminal.run(&["bind", "--once", POWER, path]).await;
            assert_eq!(once.code, Some(1), "{once:?}");
            let line = format!("riser: {path}: {reason}; riser modules lists what is there");
            assert_eq!(once.err, [line], "{once:?}");
            assert_eq!(once.out.len(), 1, "the other value was shown: {once:?}");
        }
    }
}

#[tokio::test]
async fn a_bind_without_end_says_once_what_is_not_there_and_shows_it_when_it_comes() {
    let (gateway, terminal) = start().await;
    let mut bind = terminal.start(&["bind", "sys-1/New_1/power"]);
    let line = "riser: sys-1/New_1/power: could not find module; riser modules lists what is there, and this is shown when it comes";
    bind.logged(line, DEADLINE).await;

    gateway.rewrite_building(&BUILDING.replace("name: Bookings", "name: New"));
    let set = async || {
        let terminal = Terminal::at(&gateway, Key::USER);
        terminal
            .run(&["exec", "--retry", "sys-1/New_1/set", "power", "1"])
            .await
    };
    while set().await.code != Some(0) {}

    assert_eq!(next_value(&mut bind).await, "sys-1/New_1/power 1");
    assert_eq!(bind.said(Stream::Err), [line]);
}

#[tokio::test]
async fn a_bind_outlives_the_gateway_and_shows_the_truth_again() {
    let (mut gateway, terminal) = start().await;
    set(&gateway, "power", true).await;
    let mut bind = terminal.start(&["bind", POWER]);
    assert_eq!(next_value(&mut bind).await, format!("{POWER} true"));

    gateway.kill().await;
    bind.logged("riser: lost the connection (", DEADLINE).await;
    gateway.restart().await;
    bind.logged("riser: connected again", DEADLINE).await;
    set(&gateway, "power", "warming").await;

    assert_eq!(next_value(&mut bind).await, format!("{POWER} \"warming\""));
    gateway.ask_to_stop().await;
    bind.logged("lost the connection (the gateway closed it: ", DEADLINE)
        .await;
}

#[tokio::test]
async fn a_bind_gives_up_when_the_key_is_no_longer_good() {
    let (mut gateway, terminal) = start().await;
    set(&gateway, "power", true).await;
    let mut bind = terminal.start(&["bind", POWER]);
    next_value(&mut bind).await;

    gateway.kill().await;
    gateway.rewrite_building(&BUILDING.replace("secret-s", "another"));
    gateway.restart().await;

    let ended = Ran::of(bind).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let last = ended.err.last().expect("it says why");
    assert!(last.contains("refused the API key"), "{last}");
}

#[tokio::test]
async fn a_bind_answers_pings_and_shows_that_it_is_there() {
    let gateway = Plan::serve(BUILDING)
        .variable("RISER_KEEP_ALIVE__PING_AFTER", "100ms")
        .variable("RISER_KEEP_ALIVE__REAP_AFTER", "500ms")
        .start()
        .await;
    let terminal = Terminal::at(&gateway, Key::USER);
    set(&gateway, "power", 1).await;
    let mut bind = terminal.start(&["bind", POWER]);
    next_value(&mut bind).await;

    let mut console = gateway.connect(Key::USER).await;
    console.call(display("sleep"), json!([1500])).await;
    console.set(display("power"), 2).await;

    assert_eq!(next_value(&mut bind).await, format!("{POWER} 2"));
    assert_eq!(bind.said(Stream::Err), [""; 0]);
}

#[tokio::test]
async fn ctrl_c_ends_a_bind_cleanly() {
    let (gateway, terminal) = start().await;
    set(&gateway, "power", 1).await;
    let mut bind = terminal.start(&["bind", POWER]);
    next_value(&mut bind).await;

    bind.signal("INT").await;

    let ended = Ran::of(bind).await;
    assert_eq!((ended.code, ended.err.len()), (Some(0), 0), "{ended:?}");
    gateway.wait_metric("riser_bindings", 0.0).await;

    let once = terminal.start(&["bind", "--once", "sys-1/Display_1/never"]);
    gateway.wait_metric("riser_bindings", 1.0).await;
    once.signal("INT").await;
    Ran::of(once).await.assert_failed(130, "riser: interrupted");
}

#[tokio::test]
async fn a_reader_that_goes_ends_a_bind_without_a_word() {
    let (gateway, terminal) = start().await;
    set(&gateway, "power", 1).await;
    let program = env!("CARGO_BIN_EXE_riser");
    let line = format!("({program} bind {POWER}; echo code $? >&2) | head -n 1");
    let mut piped = terminal.start_program("sh", &["-c", &line]);
    next_value(&mut piped).await;

    // The first may still find the pipe open.
    let mut console = gateway.connect(Key::USER).await;
    let mut value = 2;
    while piped.said(Stream::Err).is_empty() {
        console.set(display("power"), value).await;
        value += 1;
    }

    let ended = Ran::of(piped).await;
    assert_eq!(ended.err, ["code 0"], "{ended:?}");
}

#[tokio::test]
async fn there_are_colours_on_a_terminal_alone_and_only_if_wanted() {
    let (gateway, terminal) = start().await;
    set(&gateway, "power", 1).await;
    let in_a_terminal =
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let words = [
        "-c",
        in_a_terminal,
        env!("CARGO_BIN_EXE_riser"),
        "bind",
        "--once",
        POWER,
    ];

    let coloured = Ran::of(terminal.start_program("python3", &words)).await;
    assert!(coloured.out.concat().contains("\u{1b}[36m"), "{coloured:?}");
    assert_eq!(coloured.code, Some(0), "{coloured:?}");

    let terminal = terminal.variable("NO_COLOR", "1");
    let plain = Ran::of(terminal.start_program("python3", &words)).await;
    assert!(!plain.out.concat().contains('\u{1b}'), "{plain:?}");
    assert!(plain.out.concat().ends_with(" 1"), "{plain:?}");

    let piped = terminal.run(&["bind", "--once", POWER]).await;
    assert!(!piped.out.concat().contains('\u{1b}'), "{piped:?}");
}

#[tokio::test]
async fn exec_prints_the_result_and_takes_json_and_words() {
    let (_gateway, terminal) = start().await;
    let set = terminal
        .run(&["exec", "sys-1", "Display_1", "set", "input", "hdmi"])
        .await;
    set.assert_printed(&["null"]);
    let get = terminal
        .run(&["exec", "sys-1/Display_1/get", "input"])
        .await;
    get.assert_printed(&["\"hdmi\""]);
    let echo = terminal
        .run(&["exec", "sys-1", "Display", "echo", "{\"a\": [1.50, null]}"])
        .await;
    echo.assert_printed(&["{\"a\": [1.50, null]}"]);
    let negative = terminal
        .run(&["exec", "sys-1", "Display", "increment", "n", "-5"])
        .await;
    negative.assert_printed(&["-5"]);
    let json = terminal
        .run(&["exec", "--json", "sys-1/Display_2/echo", "40"])
        .await;
    let object: Value = serde_json::from_str(&json.out.concat()).expect("it is JSON");
    assert_eq!(
        (&object["name"], &object["index"], &object["value"]),
        (&json!("echo"), &json!(2), &json!(40))
    );
}

#[tokio::test]
async fn exec_says_why_it_was_refused_or_failed() {
    let (gateway, terminal) = start().await;
    let run = async |words: &[&str]| terminal.run(words).await;
    run(&["exec", "sys-1/Display_1/fail", "no lamp"])
        .await
        .assert_failed(1, "riser: sys-1/Display_1/fail: module raised: no lamp");
    run(&["exec", "sys-1/Display_1/explode"])
        .await
        .assert_failed(
            1,
            "riser: sys-1/Display_1/explode: could not find function explode",
        );
    run(&["exec", "sys-1/Nothing_1/x"])
        .await
        .assert_failed(1, "riser: sys-1/Nothing_1/x: could not find module");
    let restricted = Terminal::at(&gateway, Key::ROOM);
    let elsewhere = restricted.run(&["exec", "sys-2/Display_1/get", "x"]).await;
    assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
}

#[tokio::test]
async fn a_call_whose_answer_never_comes_is_said_to_be_unknown_and_not_repeated() {
    let (mut gateway, terminal) = start().await;
    let unknown = |reason: &str| {
        format!(
            "riser: it is not known whether sys-1/Display_1/sleep ran: {reason}; look at the device before calling again"
        )
    };
    let call = terminal.start(&["exec", "--timeout", "0.5", "sys-1/Display_1/sleep", "60000"]);
    Ran::of(call)
        .await
        .assert_failed(3, &unknown("no answer within the time given by --timeout"));

    let call = terminal.start(&["exec", "sys-1/Display_1/sleep", "60000"]);
    gateway.wait_metric("riser_execs_total", 2.0).await;
    gateway.kill().await;
    let ended = Ran::of(call).await;
    assert_eq!((ended.code, ended.err.len()), (Some(3), 1), "{ended:?}");
    assert!(ended.err[0].starts_with(&unknown("")[..50]), "{ended:?}");
}

/// A building whose first display cannot start, as long as nobody listens where it reports to.
fn broken() -> String {
    let settings = "{report: \"tcp://127.0.0.1:9\"}";
    BUILDING.replace(
        "{id: mod-d1, driver: virtual, name: Display}",
        &format!("{{id: mod-d1, driver: virtual, name: Display, settings: {settings}}}"),
    )
}

#[tokio::test]
async fn a_call_that_certainly_did_not_run_is_said_not_to_have_run() {
    let gateway = Gateway::start(&broken()).await;
    let terminal = Terminal::at(&gateway, Key::USER);
    let call = terminal.run(&["exec", "sys-1/Display_1/echo", "1"]).await;
    call.assert_failed(4, "riser: sys-1/Display_1/echo did not run: the module is being restarted; the call did not run; call again, or let --retry do so");
}

#[tokio::test]
async fn a_call_that_did_not_run_is_sent_again_if_wanted_until_it_runs() {
    let gateway = Gateway::start(&broken()).await;
    let terminal = Terminal::at(&gateway, Key::USER);
    let words = ["exec", "--retry", "sys-1/Display_1/echo", "1"];
    let call = terminal.start(&words);
    call.logged("; trying again", DEADLINE).await;

    gateway.rewrite_building(BUILDING);

    let done = Ran::of(call).await;
    assert_eq!(
        (done.code, &done.out[..]),
        (Some(0), &["1".to_owned()][..]),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_call_that_may_have_run_is_not_sent_again_even_if_wanted() {
    let (gateway, terminal) = start().await;
    let words = [
        "exec",
        "--retry",
        "--timeout",
        "0.5",
        "sys-1/Display_1/sleep",
        "60000",
    ];
    let call = terminal.run(&words).await;
    assert_eq!(call.code, Some(3), "{call:?}");
    gateway.wait_metric("riser_execs_total", 1.0).await;
}

#[tokio::test]
async fn a_call_past_the_gateways_deadline_is_unknown_too() {
    let gateway = Plan::serve(BUILDING)
        .variable("RISER_EXEC__DEADLINE", "200ms")
        .start()
        .await;
    let terminal = Terminal::at(&gateway, Key::USER);
    let late = terminal
        .run(&["exec", "sys-1/Display_1/sleep", "5000"])
        .await;
    assert_eq!(late.code, Some(3), "{late:?}");
}

#[tokio::test]
async fn debug_prints_the_log_from_a_level_on() {
    let (gateway, terminal) = start().await;
    let mut console = gateway.connect(Key::USER).await;
    for words in [&["sys-1", "Display"][..], &["sys-1/Display_1"], &["mod-d1"]] {
        let mut arguments = vec!["debug", "--level", "warn", "--count", "2"];
        arguments.extend(words);
        let debug = terminal.start(&arguments);
        gateway.wait_metric("riser_bindings", 1.0).await;
        for (level, text) in [("info", "warm"), ("warn", "hot\nvery"), ("error", "burnt")] {
            console.call(display("log"), json!([level, text])).await;
        }
        let ended = Ran::of(debug).await;
        let lines: Vec<&str> = ended
            .out
            .iter()
            .filter_map(|line| Some(line.split_once(' ')?.1))
            .collect();
        assert_eq!(lines, ["mod-d1 warn  hot\\nvery", "mod-d1 error burnt"]);
        assert_eq!((ended.code, ended.err.len()), (Some(0), 0), "{ended:?}");
        gateway.wait_metric("riser_bindings", 0.0).await;
    }

    let user = Terminal::at(&gateway, Key::USER);
    let refused = user.run(&["debug", "mod-d1"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
}

#[tokio::test]
async fn what_is_there_is_listed_with_its_state() {
    let (gateway, terminal) = start().await;
    terminal.run(&["systems"]).await.assert_printed(&[
        "SYSTEM  NAME         CONNECTED  EMAIL",
        "sys-1   Board Room   7 of 7     board@example.test",
        "sys-2   Huddle Room  2 of 2     huddle@example.test",
    ]);
    let json = terminal.run(&["systems", "--q", "huddle", "--json"]).await;
    json.assert_printed(&[
        r#"{"id":"sys-2","name":"Huddle Room","email":"huddle@example.test","capacity":4,"modules":2,"running":2,"connected":2}"#,
    ]);
    set(&gateway, "connected", false).await;
    terminal.run(&["modules", "sys-1"]).await.assert_printed(&[
        "SYSTEM  MODULE      STATE         DRIVER   ID",
        "sys-1   Display_1   disconnected  virtual  mod-d1",
        "sys-1   Display_2   connected     virtual  mod-d2",
        "sys-1   Bookings_1  connected     virtual  mod-b1",
        "sys-1   _Secret_1   connected     virtual  mod-secret",
        "sys-1   A_1         connected     virtual  mod-a",
        "sys-1   A_1_1       connected     virtual  mod-a1",
        "sys-1   Shared_1    connected     virtual  mod-shared",
    ]);
    let floor = Terminal::at(&gateway, Key::FLOOR);
    let json = floor.run(&["modules", "--json"]).await;
    json.assert_printed(&[
        r#"{"system":"sys-2","module":"Display","index":1,"id":"mod-d3","driver":"virtual","running":true,"connected":true,"state":"connected"}"#,
        r#"{"system":"sys-2","module":"Shared","index":1,"id":"mod-shared","driver":"virtual","running":true,"connected":true,"state":"connected"}"#,
    ]);
    let elsewhere = floor.run(&["modules", "sys-1"]).await;
    assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
}

#[tokio::test]
async fn a_module_is_shown_with_its_statuses_and_its_functions_and_their_arguments() {
    let (gateway, terminal) = start().await;
    set(&gateway, "power", json!({"a": [1.50]})).await;
    for words in [&["sys-1", "Display"][..], &["sys-1/Display_1"]] {
        let shown = terminal.run(&[&["status"], words].concat()).await;
        assert_eq!(shown.code, Some(0), "{shown:?}");
        assert_eq!(shown.out[0], "sys-1/Display_1 connected, virtual, mod-d1");
        let lines = shown
            .out
            .iter()
            .map(|line| line.split_whitespace().collect());
        let lines: Vec<Vec<&str>> = lines.collect();
        for line in [
            &["STATUS", "VALUE"][..],
            &["power", "{\"a\":[1.5]}"],
            &["FUNCTION", "ARGUMENTS"],
            &["set", "name:", "string,", "value"],
            &["increment", "name:", "string,", "by:", "number", "=", "1"],
        ] {
            assert!(lines.contains(&line.to_vec()), "{line:?} in {shown:#?}");
        }
    }
    let json = terminal.run(&["status", "--json", "sys-2"]).await;
    assert_eq!((json.code, json.out.len()), (Some(0), 2), "{json:?}");
    let module: Value = serde_json::from_str(&json.out[0]).expect("it is JSON");
    assert_eq!(module["id"], "mod-d3");
    assert_eq!(module["statuses"], json!({"connected": true}));
    let functions = module["functions"].as_array().expect("a list");
    let get = functions.iter().find(|function| function["name"] == "get");
    let get = get.expect("there is the function");
    assert_eq!(get["parameters"]["name"]["type"], "string", "{get}");

    let missing = terminal.run(&["status", "sys-1/Nothing_1"]).await;
    missing.assert_failed(1, "riser: sys-1/Nothing_1: there is no such module; riser modules sys-1 lists those that are there");
    let user = Terminal::at(&gateway, Key::USER);
    let all = user.run(&["status", "sys-1"]).await;
    assert_eq!(
        all.code,
        Some(0),
        "what is closed hides nothing else: {all:?}"
    );
    assert!(
        all.out.iter().any(|line| line.contains("mod-shared")),
        "{all:?}"
    );
}

#[tokio::test]
async fn a_saved_gateway_is_asked_by_its_name_and_its_key_goes_nowhere_else() {
    let (gateway, _) = start().await;
    let url = gateway.url();
    let terminal = Terminal::bare();
    let home = terminal.folder().path().display().to_string();
    let terminal = terminal.variable("HOME", &home);
    let file = terminal.folder().path().join(".config/riser/contexts.json");
    let run = async |words: &[&str]| terminal.run(words).await;

    let add = ["context", "add", "office", "-u", &url, "-k", Key::USER.0];
    run(&add).await.assert_printed(&[]);
    let mode = std::fs::metadata(&file)
        .expect("it is saved")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let systems = run(&["systems", "--context", "office"]).await;
    assert_eq!(
        (systems.code, systems.out.len()),
        (Some(0), 3),
        "{systems:?}"
    );
    let systems = terminal
        .run_with(&[("RISER_CONTEXT", "office")], &["systems"])
        .await;
    assert_eq!(
        (systems.code, systems.out.len()),
        (Some(0), 3),
        "{systems:?}"
    );
    run(&["context", "use", "office"]).await.assert_printed(&[]);
    let systems = run(&["systems"]).await;
    assert_eq!(
        (systems.code, systems.out.len()),
        (Some(0), 3),
        "{systems:?}"
    );
    let list = run(&["context", "list"]).await;
    let rows = list
        .out
        .iter()
        .map(|line| line.split_whitespace().collect());
    let rows: Vec<Vec<&str>> = rows.collect();
    assert_eq!(
        rows,
        [
            vec!["CONTEXT", "URL", "KEY", "CHOSEN"],
            vec!["office", &url, "user", "yes"]
        ]
    );

    let keyless = format!("riser: {url} asks for an API key; give one with --key or RISER_API_KEY");
    run(&["systems", "--url", &url])
        .await
        .assert_failed(2, &keyless);
    let elsewhere = terminal
        .run_with(&[("RISER_URL", &url)], &["systems"])
        .await;
    elsewhere.assert_failed(2, &keyless);

    let unknown = "riser: no gateway is saved as `home`; riser context list shows those that are";
    run(&["systems", "--context", "home"])
        .await
        .assert_failed(2, unknown);
    run(&["context", "remove", "office"])
        .await
        .assert_printed(&[]);
    let list = run(&["context", "list", "--json"]).await;
    assert_eq!((list.code, list.out.len()), (Some(0), 0), "{list:?}");
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn who_wants_quiet_gets_data_and_errors_alone() {
    let (gateway, terminal) = start().await;
    let nothing = terminal.run(&["systems", "--q", "nothing"]).await;
    assert_eq!(
        nothing.err,
        ["riser: there is no such system, or the key reaches none"]
    );
    terminal
        .run(&["systems", "--q", "nothing", "-q"])
        .await
        .assert_printed(&[]);
    let wrong = Terminal::at(&gateway, Key::WRONG)
        .run(&["systems", "-q"])
        .await;
    assert_eq!((wrong.code, wrong.err.len()), (Some(2), 1), "{wrong:?}");
}

#[tokio::test]
async fn which_riser_this_is_and_whether_a_file_is_good_is_told_to_scripts_too() {
    let version = env!("CARGO_PKG_VERSION");
    let terminal = Terminal::bare().file("b.yaml", "zones: [{id: z}]\n");
    let run = async |words: &[&str]| terminal.run(words).await;
    run(&["version"])
        .await
        .assert_printed(&[&format!("riser {version}")]);
    let json = json!({"name": "riser", "version": version}).to_string();
    run(&["version", "--json"]).await.assert_printed(&[&json]);
    let checked = run(&["check", "--json", "b.yaml"]).await;
    assert_eq!(
        (checked.code, checked.err.len()),
        (Some(2), 0),
        "{checked:?}"
    );
    let verdict: Value = serde_json::from_str(&checked.out.concat()).expect("it is JSON");
    assert_eq!(verdict["good"], false);
    let problem = verdict["problems"][0].as_str().expect("a text");
    assert!(problem.starts_with("b.yaml:1:9: "), "{problem}");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so_without_the_key() {
    let (gateway, _) = start().await;
    let url = gateway.url();
    for words in [&["bind", POWER][..], &["exec", POWER], &["systems"]] {
        Terminal::at(&gateway, Key::WRONG)
            .run(words)
            .await
            .assert_failed(
                2,
                &format!("riser: {url} refused the API key (unknown X-API-Key); check --key or RISER_API_KEY"),
            );
        Terminal::bare()
            .variable("RISER_URL", &url)
            .run(words)
            .await
            .assert_failed(
                2,
                &format!("riser: {url} asks for an API key; give one with --key or RISER_API_KEY"),
            );
    }
    let flags = ["systems", "--url", &url, "--key", Key::USER.0];
    let good = Terminal::bare()
        .variable("RISER_API_KEY", Key::WRONG.0)
        .run(&flags)
        .await;
    assert_eq!(good.code, Some(0), "flags win: {good:?}");
}

#[tokio::test]
async fn behind_tls_everything_works_with_a_certificate_that_is_trusted_and_nothing_without() {
    let (gateway, _) = start().await;
    set(&gateway, "power", true).await;
    let front = Front::before(gateway.address()).await;
    let url = front.url();
    let terminal = Terminal::at(&gateway, Key::USER).file("ca.pem", front.certificate());
    let run = async |words: &[&str], url: &str| {
        let words = [words, &["--url", url]].concat();
        terminal.run(&words).await
    };

    let get = ["exec", "sys-1/Display_1/get", "power", "--ca", "ca.pem"];
    run(&get, &url).await.assert_printed(&["true"]);
    let bind = run(&["bind", "--once", POWER, "--ca", "ca.pem"], &url).await;
    assert!(bind.out.concat().ends_with(" true"), "{bind:?}");
    let modules = run(&["modules", "sys-2", "--ca", "ca.pem"], &url).await;
    assert_eq!(
        (modules.code, modules.out.len()),
        (Some(0), 3),
        "{modules:?}"
    );

    let stranger = run(&["systems"], &url).await;
    assert_eq!(
        (stranger.code, stranger.out.len()),
        (Some(2), 0),
        "{stranger:?}"
    );
    let said = stranger.err.concat();
    assert!(
        !said.contains("UnknownIssuer") && !said.contains("peer"),
        "{said}"
    );
    let other_name = url.replace("localhost", "127.0.0.1");
    let other_name = run(&["systems", "--ca", "ca.pem"], &other_name).await;
    assert_eq!(other_name.code, Some(2), "{other_name:?}");
    let line = &other_name.err[0];
    assert!(
        line.contains("could not make a secure connection")
            && line.contains("its certificate is for localhost, which the URL does not name"),
        "{line}"
    );
    let plain = run(&["systems"], &url.replace("https", "http")).await;
    let line = plain.err.first().expect("it says why");
    assert!(line.contains("answers, but not as a gateway"), "{line}");
    assert_eq!(plain.code, Some(2), "{plain:?}");
}

#[tokio::test]
async fn where_nobody_listens_is_told_at_once() {
    let (mut gateway, terminal) = start().await;
    let url = gateway.url();
    gateway.kill().await;
    for words in [&["bind", POWER][..], &["exec", POWER], &["systems"]] {
        terminal.run(words).await.assert_failed(
            2,
            &format!("riser: could not connect to {url} (Connection refused (os error 111)); start riser there, or name another gateway with --url or RISER_URL"),
        );
    }
}

#[tokio::test]
async fn what_was_typed_wrong_is_one_line_with_the_form() {
    let terminal = Terminal::bare();
    terminal.run(&["bind", "sys-1"]).await.assert_failed(
        2,
        "riser: the module is missing; write SYSTEM MODULE[_INDEX] NAME…, or SYSTEM/MODULE[_INDEX]/NAME…",
    );
    terminal
        .run(&["exec", "sys-1/Display_1/set", "[1"])
        .await
        .assert_failed(
            2,
            "riser: argument 1 begins like JSON and is not (EOF while parsing a list at line 1 column 2); correct it, or write text in JSON's quotes: '\"…\"'",
        );
    let level = terminal.run(&["debug", "mod-d1", "--level", "loud"]).await;
    assert_eq!((level.code, level.err.len()), (Some(2), 1), "{level:?}");
    let url = terminal.run(&["systems", "--url", "ftp://x"]).await;
    url.assert_failed(
        2,
        "riser: the gateway's URL must begin with http:// or https://; write it like http://127.0.0.1:3000 or https://rooms.example.org",
    );
}
