//! The host with real processes: small drivers in Python that do right or wrong what they are asked for.
//! `requests` has what they ask about other modules.

mod requests;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::MutexGuard;

use tokio::time::Instant;

use super::limits::{LOG_LINES_BURST, WARNING_PAUSE};
use super::*;
use crate::driver_host::{
    CallResult, ChannelName, Followed, ModuleCall, ModulePlace, RequestFailed, StatusRefused,
    SystemDescription, SystemRef,
};
use crate::model::{LogLevel, ModuleId, Secret, StatusName, lock};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A driver that serves every request, and does what its function `run` is given as Python code.
const DRIVER: &str = r#"
import json, os, signal, subprocess, sys, time

def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()

def say(**message):
    write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")

def notify(method, **params):
    say(method=method, params=params)

def status(name, value):
    notify("status", name=name, value=value)

OFFER = {
    "functions": {
        "run": {"description": "Runs Python.", "parameters": [{"name": "code", "schema": {"type": "string"}}]},
        "fail": {"clearance": "admin", "parameters": [{"name": "error", "schema": {}, "default": None}]},
    },
    "implements": ["Powerable"],
    "statuses": {"power": {"description": "Whether it is on.", "schema": {"type": "boolean"}}},
}
started = {"description": "A driver of a test.", "interface": OFFER}
settings = {}
told = []

def serve():
    global settings
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            status("answered", message)
            continue
        if "id" not in message:
            told.append(message)
            status("told", message)
            continue
        asked, method, params = message["id"], message["method"], message["params"]
        if method == "start":
            settings = params["settings"]
            exec(settings.get("start", ""))
            status("started", params)
            say(id=asked, result=started)
        elif method == "call" and params["function"] == "fail":
            say(id=asked, error=params["arguments"][0])
        elif method == "call":
            scope = {**globals(), "asked": asked, "value": None, "code": 200}
            exec(params["arguments"][0], scope)
            say(id=asked, result={"value": scope["value"], "code": scope["code"]})
        elif method == "settings_changed":
            settings = params["settings"]
            status("settings", settings)
            say(id=asked, result=None)
        elif method == "stop":
            status("stopped", True)
            exec(settings.get("stop", ""))
            say(id=asked, result=None)
        else:
            say(id=asked, result=None)

serve()
"#;

/// A start of [`DRIVER`] that also has a grandchild, whose number it publishes.
const WITH_GRANDCHILD: &str = "status('grandchild', subprocess.Popen(['sleep', '1000']).pid)";

// Start, call, stop.

#[tokio::test]
async fn a_process_is_started_called_and_stopped() {
    let ear = Ear::new();
    let running = start(&ear, json_of(r#"{"a": 1.0}"#)).await.unwrap();
    assert_eq!(
        ear.value("started").unwrap(),
        r#"{"protocol": 1, "module": "mod-1", "uri": "tcp://device", "settings": {"a": 1.0}}"#
    );
    let interface = ear.heard().interface.clone().unwrap();
    let names: Vec<&str> = interface
        .functions
        .keys()
        .map(FunctionName::as_str)
        .collect();
    assert_eq!(names, ["run", "fail"]);
    assert_eq!(interface.implements, ["Powerable"]);

    let outcome = run(&*running, "value, code = [1.50, settings], 202")
        .await
        .unwrap();
    assert_eq!(outcome.value.as_str(), r#"[1.5, {"a": 1.0}]"#);
    assert_eq!(outcome.code, 202);

    timeout(PATIENCE, running.stop()).await.unwrap();
    assert_eq!(ear.value("stopped").as_deref(), Some("true"));
}

#[tokio::test]
async fn a_status_that_is_set_before_an_answer_is_published_before_it() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    for round in 0..100 {
        let code = format!("for n in range(10): status('n', [{round}, n])");
        run(&*running, &code).await.unwrap();
        assert_eq!(ear.value("n").unwrap(), format!("[{round}, 9]"));
    }
    run(&*running, "status('n', None); notify('signal', name='n')")
        .await
        .unwrap();
    assert_eq!(ear.value("n"), None);
    assert_eq!(ear.heard().signals, ["n"]);
}

#[tokio::test]
async fn calls_run_side_by_side_and_are_answered_in_any_order() {
    let ear = Ear::new();
    let code = "
later = []
def serve_both():
    for line in sys.stdin:
        m = json.loads(line)
        if m['method'] == 'start': say(id=m['id'], result=started)
        elif m['method'] == 'call':
            later.append(m)
            if len(later) == 2:
                for m in reversed(later): say(id=m['id'], result={'value': m['params']['arguments'][0]})
        else: say(id=m['id'], result=None)
serve_both()
";
    let running = start_code(&ear, code).await.unwrap();
    let (one, other) = tokio::join!(run(&*running, "1"), run(&*running, "2"));
    assert_eq!(one.unwrap().value.as_str(), r#""1""#);
    assert_eq!(other.unwrap().value.as_str(), r#""2""#);
}

#[tokio::test]
async fn a_failure_keeps_its_message_and_its_code_if_that_is_one() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    for (error, expect) in [
        (
            r#"{"code": 409, "message": "it is off"}"#,
            ("it is off", 409),
        ),
        (r#"{"code": -32602, "message": "no"}"#, ("no", 400)),
        (r#"{"code": -32601, "message": "no"}"#, ("no", 404)),
        (r#"{"code": 200, "message": "no"}"#, ("no", 500)),
        (
            r#"{"code": -32000, "message": " "}"#,
            ("the driver gave no reason", 500),
        ),
        (r#"{}"#, ("the driver gave no reason", 500)),
    ] {
        let failed = call(&*running, "fail", &format!("[{error}]"))
            .await
            .unwrap_err();
        let CallError::Failed(failed) = failed else {
            panic!("{failed}");
        };
        assert_eq!((failed.message(), failed.code()), expect, "{error}");
    }
    let code = run(&*running, "code = 99").await.unwrap_err().to_string();
    assert_eq!(
        code,
        "the driver's answer cannot be used: code: expected a whole number from 200 to 599"
    );
}

#[tokio::test]
async fn a_call_that_was_given_up_does_no_harm_when_it_is_answered() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let given_up = timeout(Duration::from_millis(50), run(&*running, "time.sleep(0.3)")).await;
    assert!(given_up.is_err());
    let outcome = run(&*running, "value = 'next'").await.unwrap();
    assert_eq!(outcome.value.as_str(), r#""next""#);
    assert_eq!(ear.lines(LogLevel::Warn), Vec::<String>::new());
}

#[tokio::test]
async fn a_driver_says_whether_it_takes_other_settings() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    assert_eq!(running.on_change(), Some(OnChange::Restart));
    let tells = json_of(r#"{"start": "started['on_settings_change'] = 'tell'"}"#);
    let running = start(&ear, tells).await.unwrap();
    assert_eq!(running.on_change(), Some(OnChange::Tell));
    running
        .settings_changed(&json_of(r#"{"b": 2}"#))
        .await
        .unwrap();
    assert_eq!(ear.value("settings").as_deref(), Some(r#"{"b": 2}"#));
}

#[tokio::test]
async fn an_interface_may_change_while_the_module_runs() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let code = "notify('interface', functions={'only': {}})";
    run(&*running, code).await.unwrap();
    let interface = ear.heard().interface.clone().unwrap();
    assert_eq!(interface.functions.len(), 1);
    assert!(interface.statuses.is_empty());
    // One that cannot be is passed over.
    run(&*running, "notify('interface', functions={'': {}})")
        .await
        .unwrap();
    assert_eq!(ear.heard().interface, Some(interface));
    assert_eq!(
        ear.lines(LogLevel::Warn),
        ["a notification \"interface\" of the driver was passed over: a function name is empty"]
    );
}

// Where and with what it runs.

#[tokio::test]
async fn a_process_has_a_part_of_the_environment_and_no_shell() {
    /// A driver that says its number and then waits for its end.
    const SHELL: &str = r#"
read -r start
printf '{"jsonrpc":"2.0","method":"status","params":{"name":"process","value":%d}}\n' $$
printf '{"jsonrpc":"2.0","id":1,"result":{"interface":{}}}\n'
while read -r line; do :; done
"#;
    let ear = Ear::new();
    let command = ["/bin/sh", "-c", SHELL, "$HOME; exit", "*"].map(str::to_owned);
    let env = [("THERMOMETER", "1"), ("TZ", "Asia/Tokyo")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let process = DriverProcess::new(command.to_vec(), env).unwrap();
    let module = Module {
        driver: DriverRef::Process(Arc::new(process)),
        ..module("mod-1", JsonText::empty_object())
    };
    let environment = [
        ("PATH", "/bin"),
        ("HOME", "/home"),
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
        ("PYTHONPATH", "/lib-of-drivers"),
        ("RISER_SECRET", "hunter2"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let folder = std::env::temp_dir();
    let limits = ProcessSettings::default();
    let host = ProcessHost::new(folder, &environment.into(), limits, Handle::current());
    let _running = host.start(&module, ear.clone()).await.unwrap();

    let number = number(&ear, "process");
    let texts = |what: &str| {
        let text = fs::read_to_string(format!("/proc/{number}/{what}")).unwrap();
        let texts = text.split_terminator('\0').map(str::to_owned);
        texts.collect::<Vec<String>>()
    };
    let mut variables = texts("environ");
    variables.sort_unstable();
    let expect = [
        "HOME=/home",
        "LANG=C.UTF-8",
        "PATH=/bin",
        "PYTHONPATH=/lib-of-drivers",
        "THERMOMETER=1",
        "TZ=Asia/Tokyo",
    ];
    assert_eq!(variables, expect);
    assert_eq!(texts("cmdline")[3..], ["$HOME; exit", "*"]);
    let folder = fs::read_link(format!("/proc/{number}/cwd")).unwrap();
    assert_eq!(folder, fs::canonicalize(std::env::temp_dir()).unwrap());
    let stat = texts("stat").concat();
    let group = stat.rsplit_once(") ").unwrap().1.split(' ').nth(2).unwrap();
    assert_eq!(group, number.to_string(), "it leads a process group");
}

#[tokio::test]
async fn a_process_is_held_to_its_limits() {
    let ear = Ear::new();
    let limits = ProcessSettings {
        memory_bytes: 256 * 1024 * 1024,
        files: 50,
    };
    let host = ProcessHost::new(".".into(), &environment(), limits, Handle::current());
    let running = host.start(&module("mod-1", JsonText::empty_object()), ear.clone());
    let running = running.await.unwrap();
    let code = "
import resource
value = []
try: bytearray(400 * 1024 * 1024)
except MemoryError: value.append('memory')
try: kept = [open('/dev/null') for n in range(100)]
except OSError: value.append('files')
";
    let outcome = run(&*running, code).await.unwrap();
    assert_eq!(outcome.value.as_str(), r#"["memory", "files"]"#);
}

#[tokio::test]
async fn what_cannot_be_started_is_said_in_words() {
    let folder = std::env::temp_dir().join(format!("riser-process-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str, mode| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    write("plain.py", "", 0o644);
    write("lost", "#!/no/such/interpreter\n", 0o755);
    let host = ProcessHost::new(
        folder.clone(),
        &environment(),
        ProcessSettings::default(),
        Handle::current(),
    );
    let tell = async |command: &str| {
        let started = host
            .start(&module_of([command.to_owned()]), Ear::new())
            .await;
        started.err().unwrap().to_string()
    };
    for (command, expect) in [
        (
            "no-such-python",
            "there is no program \"no-such-python\" in PATH; install it, or name its path",
        ),
        ("./nothing", "/nothing\"; correct `command`"),
        (
            "./plain.py",
            "/plain.py\" is not executable; make it so with chmod +x, or name its interpreter first",
        ),
        (
            "./lost",
            "/lost\" cannot be run: the interpreter that its first line names is not there",
        ),
        ("/", "\"/\" is not executable"),
    ] {
        let told = tell(command).await;
        assert!(told.contains(expect), "{command}: {told}");
        assert!(told.starts_with("the driver did not start: "), "{told}");
    }
    fs::remove_dir_all(&folder).unwrap();
    let told = tell("sh").await;
    assert!(
        told.contains("in which drivers run, cannot be used"),
        "{told}"
    );
}

// Starts that fail.

#[tokio::test]
async fn a_process_that_ends_at_once_says_why_by_its_stderr() {
    let told = failed("print('starting', file=sys.stderr); import no_such_library").await;
    assert_eq!(
        told,
        "the driver did not start: it ended with the exit code 1; the last line of its stderr: ModuleNotFoundError: No module named 'no_such_library'"
    );
}

#[tokio::test]
async fn a_driver_that_refuses_its_start_is_heard() {
    let refuses = "
m = json.loads(sys.stdin.readline())
say(id=m['id'], error={'code': 500, 'message': 'no device at that address'})
time.sleep(1000)
";
    let told = failed(refuses).await;
    assert_eq!(told, "the driver did not start: no device at that address");
}

#[tokio::test]
async fn a_program_that_speaks_another_language_is_told_from_a_slow_one() {
    let mut host = host();
    host.timings.ready = Duration::from_millis(1_500);
    let ear = Ear::new();
    let module = module_of_code("print('Hello, world', flush=True); time.sleep(1000)");
    let told = host
        .start(&module, ear.clone())
        .await
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        told,
        "the driver did not start: it did not say within 1.5s that it is ready; it wrote to stdout what is no JSON-RPC 2.0 message: \"Hello, world\""
    );
}

#[tokio::test]
async fn an_answer_to_start_that_does_not_fit_is_refused_with_its_place() {
    for (answer, expect) in [
        ("{}", "missing `interface`"),
        ("[]", "missing `interface`"),
        (
            "{'interface': {'functions': {'f': {'parameters': [{'name': 'a'}]}}}}",
            "interface.functions.f.parameters[0]: missing `schema`",
        ),
        (
            "{'interface': {'functions': {'f': {'clearance': 'root'}}}}",
            "interface.functions.f.clearance: expected one of `user`, `support`, `admin`",
        ),
        (
            "{'interface': {}, 'on_settings_change': 'hunter2'}",
            "on_settings_change: expected `restart` or `tell`",
        ),
        (
            "{'interface': {'statuses': {'': {'schema': {}}}}}",
            "a status name is empty",
        ),
    ] {
        let code = format!(
            "m = json.loads(sys.stdin.readline())\nsay(id=m['id'], result={answer})\ntime.sleep(1000)"
        );
        let told = failed(&code).await;
        let told =
            told.strip_prefix("the driver did not start: its answer to `start` cannot be used: ");
        if answer == "[]" {
            assert!(told.is_some());
        } else {
            assert_eq!(told, Some(expect), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_no_process() {
    let ear = Ear::new();
    let host = host();
    let code = format!("{WITH_GRANDCHILD}; status('self', os.getpid()); time.sleep(1000)");
    let module = module_of_code(&code);
    let starting = host.start(&module, ear.clone());
    tokio::select! {
        _ = starting => panic!("it has not said that it is ready"),
        () = ear.wait_for("both numbers", |heard| heard.values.contains_key("self")) => {}
    }
    gone(&[number(&ear, "self"), number(&ear, "grandchild")]).await;
}

#[tokio::test]
async fn a_module_that_may_not_act_is_not_started() {
    let ear = Ear::new();
    ear.heard().barred = true;
    let host = host();
    let module = module("mod-1", JsonText::empty_object());
    let starting = timeout(Duration::from_millis(300), host.start(&module, ear.clone()));
    assert!(starting.await.is_err());
    assert!(host.lives.is_empty());
}

// Ends.

#[tokio::test]
async fn what_a_driver_started_is_ended_when_the_driver_dies_by_itself() {
    for (code, expect) in [
        (
            "os._exit(3)",
            "the driver's process: it ended with the exit code 3",
        ),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "the driver's process: it was ended by the signal 9",
        ),
    ] {
        let ear = Ear::new();
        let settings = JsonText::of(&HashMap::from([("start", WITH_GRANDCHILD)])).unwrap();
        let running = start(&ear, settings).await.unwrap();
        let grandchild = number(&ear, "grandchild");
        let exited = running.exited();
        let calling = run(&*running, code);
        tokio::select! {
            biased;
            why = exited => assert_eq!(why, expect),
            _ = calling => panic!("a call that nobody can answer was answered"),
            () = tokio::time::sleep(PATIENCE) => panic!("{code}: its end was not noticed"),
        }
        gone(&[grandchild]).await;
    }
}

#[tokio::test]
async fn a_process_that_closes_its_stdout_and_goes_on_is_ended() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let exited = running.exited();
    let calling = run(&*running, "os.close(1); time.sleep(1000)");
    tokio::select! {
        biased;
        why = exited => assert_eq!(why, "the driver's process: it closed its stdout, and was ended"),
        _ = calling => panic!("a call that nobody can answer was answered"),
        () = tokio::time::sleep(PATIENCE) => panic!("its silence was not noticed"),
    }
}

#[tokio::test]
async fn what_a_driver_started_is_ended_with_a_stop() {
    let ear = Ear::new();
    let settings = JsonText::of(&HashMap::from([("start", WITH_GRANDCHILD)])).unwrap();
    let running = start(&ear, settings).await.unwrap();
    let grandchild = number(&ear, "grandchild");
    let exited = running.exited();
    timeout(PATIENCE, running.stop()).await.unwrap();
    assert!(
        exited.now_or_never().is_none(),
        "it has not ended by itself"
    );
    gone(&[grandchild]).await;
}

#[tokio::test]
async fn a_driver_that_hears_of_no_stop_is_killed_within_the_cores_deadline() {
    let ear = Ear::new();
    let code = format!("{WITH_GRANDCHILD}; signal.signal(signal.SIGTERM, signal.SIG_IGN)");
    let settings = HashMap::from([("start", code.as_str()), ("stop", "time.sleep(1000)")]);
    let running = start(&ear, JsonText::of(&settings).unwrap()).await.unwrap();
    let grandchild = number(&ear, "grandchild");
    timeout(PATIENCE, running.stop()).await.unwrap();
    gone(&[grandchild]).await;
}

#[tokio::test]
async fn a_process_ends_with_the_module_that_is_dropped() {
    let ear = Ear::new();
    let settings = JsonText::of(&HashMap::from([("start", WITH_GRANDCHILD)])).unwrap();
    let running = start(&ear, settings).await.unwrap();
    let grandchild = number(&ear, "grandchild");
    drop(running);
    gone(&[grandchild]).await;
}

#[tokio::test]
async fn a_module_that_may_not_act_says_no_farewell() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    ear.heard().barred = true;
    timeout(PATIENCE, running.stop()).await.unwrap();
    assert_eq!(ear.value("stopped"), None);
}

#[tokio::test]
async fn a_process_that_hangs_is_ended_and_one_that_works_is_not() {
    let mut host = host();
    host.timings.pause = Duration::from_millis(20);
    host.timings.answer = Duration::from_secs(1);
    let ear = Ear::new();
    let running = host.start(&module("mod-1", JsonText::empty_object()), ear.clone());
    let running = running.await.unwrap();
    // Several heartbeats long.
    for _ in 0..10 {
        run(&*running, "time.sleep(0.1)").await.unwrap();
    }
    let exited = running.exited();
    let hanging = run(&*running, "os.kill(os.getpid(), signal.SIGSTOP)");
    tokio::select! {
        biased;
        why = exited => assert_eq!(why, "the driver's process: it answered nothing for 1s, and was ended"),
        _ = hanging => panic!("it hangs"),
        () = tokio::time::sleep(PATIENCE) => panic!("its hang was not noticed"),
    }
}

// What it says.

#[tokio::test]
async fn text_that_is_no_message_is_a_warning_and_the_module_goes_on() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let code = r#"
write("hello\n\n{}\n[1]\n" + "x" * 10000 + "\n")
write('{"jsonrpc": "1.0", "method": "status"}\n')
sys.stdout.buffer.write(b"\xff\xfe\n")
"#;
    run(&*running, code).await.unwrap();
    assert_eq!(
        ear.lines(LogLevel::Warn),
        ["the driver wrote something to stdout that is no JSON-RPC 2.0 message: \"hello\""],
        "once in {WARNING_PAUSE:?}"
    );
    assert!(run(&*running, "").await.is_ok());
}

#[tokio::test]
async fn what_riser_does_not_know_is_answered_or_passed_over() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let code = r#"
say(id="a", method="reboot", params={})
notify("party")
say(id=4711, result=1)
notify("status", name="")
notify("log", level="loud", message="hunter2")
"#;
    run(&*running, code).await.unwrap();
    ear.wait_for("the answer", |heard| heard.values.contains_key("answered"))
        .await;
    assert_eq!(
        ear.value("answered").unwrap(),
        r#"{"jsonrpc": "2.0", "id": "a", "error": {"code": -32601, "message": "riser has no method \"reboot\""}}"#
    );
    assert_eq!(
        ear.lines(LogLevel::Warn),
        [
            "the driver asked for what there is not: riser has no method \"reboot\"",
            "the driver sent the notification \"party\", which riser does not know",
            "the driver answered a request that riser did not make, 4711",
            "a notification \"status\" of the driver was passed over: missing `value`",
        ]
    );
}

#[tokio::test]
async fn a_line_without_an_end_ends_the_process() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let exited = running.exited();
    let endless = run(&*running, "while True: write('x' * 100000)");
    tokio::select! {
        biased;
        why = exited => assert!(why.starts_with(
            "the driver's process: it wrote a line of more than 4194304 bytes to stdout, which begins with \"xxx"
        ), "{why}"),
        _ = endless => panic!("it has no end"),
        () = tokio::time::sleep(PATIENCE) => panic!("its line was not noticed"),
    }
}

#[tokio::test]
async fn of_statuses_that_come_faster_than_they_are_published_the_latest_counts() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let code = "
for n in range(50_000):
    sys.stdout.write('{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":{\"name\":\"n\",\"value\":%d}}\\n' % n)
";
    run(&*running, code).await.unwrap();
    assert_eq!(ear.value("n").as_deref(), Some("49999"));
    let published = ear.heard().published;
    assert!(
        published < 25_000,
        "{published} publications of 50 000 values"
    );
}

#[tokio::test]
async fn what_is_written_to_stderr_is_the_log_and_a_flood_of_it_is_limited() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    let code = r#"
print("a warning of a library\n\n" + "x" * 20000, file=sys.stderr)
sys.stderr.buffer.write(b"caf\xe9\n")
sys.stderr.flush()
notify("log", level="notice", message="lamp\nreplaced")
"#;
    run(&*running, code).await.unwrap();
    ear.wait_for("stderr", |heard| heard.lines.len() == 4).await;
    assert_eq!(ear.lines(LogLevel::Notice), ["lamp\nreplaced"]);
    let info = ear.lines(LogLevel::Info);
    assert_eq!(info[0], "a warning of a library");
    assert_eq!(info[1], format!("{}…", "x".repeat(8192)));
    assert_eq!(info[2], "caf\u{fffd}");

    let flood = "for n in range(20_000): print('noise', file=sys.stderr)";
    run(&*running, flood).await.unwrap();
    run(&*running, "print('the last', file=sys.stderr)")
        .await
        .unwrap();
    running.stop().await;
    let told = ear.lines(LogLevel::Info).len();
    assert!(
        (LOG_LINES_BURST as usize..5_000).contains(&told),
        "{told} lines"
    );
    let warnings = ear.lines(LogLevel::Warn);
    let left_out: u64 = warnings
        .iter()
        .filter_map(|line| {
            line.split_once(" lines of the log were left out")?
                .0
                .parse::<u64>()
                .ok()
        })
        .sum();
    // Every line was written or counted.
    assert_eq!(told as u64 + left_out, 3 + 20_000 + 1);
}

#[tokio::test]
async fn a_status_that_the_gateway_does_not_keep_is_a_warning() {
    let ear = Ear::new();
    let running = start(&ear, JsonText::empty_object()).await.unwrap();
    run(&*running, "status('refused', 1)").await.unwrap();
    assert_eq!(
        ear.lines(LogLevel::Warn),
        ["the status 'refused' was not published: too much of it"]
    );
}

#[tokio::test]
async fn a_process_is_no_linked_in_driver() {
    let host = host();
    let linked_in = DriverRef::LinkedIn("virtual".to_owned());
    assert!(matches!(
        host.describe(&linked_in),
        Err(HostError::UnknownDriver { .. })
    ));
    let module = module("mod-1", JsonText::empty_object());
    let description = host.describe(&module.driver).unwrap();
    assert_eq!(description.interface, None);
}

// Helpers.

use futures_util::FutureExt;
use futures_util::stream::{BoxStream, StreamExt};

fn environment() -> BTreeMap<String, String> {
    let known = ["PATH", "HOME"];
    let there = known.iter().filter_map(|name| {
        let value = std::env::vars_os().find(|(other, _)| other == name)?.1;
        Some(((*name).to_owned(), value.into_string().ok()?))
    });
    there.collect()
}

fn host() -> ProcessHost {
    let limits = ProcessSettings::default();
    ProcessHost::new(".".into(), &environment(), limits, Handle::current())
}

fn json_of(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn module_of(command: impl Into<Vec<String>>) -> Module {
    let process = DriverProcess::new(command.into(), []).unwrap();
    Module {
        driver: DriverRef::Process(Arc::new(process)),
        name: Some(ModuleName::new("Test").unwrap()),
        uri: Some("tcp://device".to_owned()),
        ..Module::new(&ModuleId::new("mod-1").unwrap())
    }
}

/// A module of [`DRIVER`].
fn module(id: &str, settings: JsonText) -> Module {
    let command = ["python3", "-S", "-c", DRIVER].map(str::to_owned);
    Module {
        id: ModuleId::new(id).unwrap(),
        settings: Secret::new(settings.as_str()),
        ..module_of(command)
    }
}

/// A module whose driver has the helpers of [`DRIVER`] and then does this.
fn module_of_code(code: &str) -> Module {
    let helpers = DRIVER.trim_end().strip_suffix("serve()").unwrap();
    let code = format!("{helpers}\n{code}\n");
    module_of(["python3", "-S", "-c", &code].map(str::to_owned))
}

async fn start(ear: &Arc<Ear>, settings: JsonText) -> Result<Arc<dyn RunningModule>, HostError> {
    let starting = host().start(&module("mod-1", settings), ear.clone());
    timeout(PATIENCE, starting).await.expect("the start ends")
}

async fn start_code(ear: &Arc<Ear>, code: &str) -> Result<Arc<dyn RunningModule>, HostError> {
    let starting = host().start(&module_of_code(code), ear.clone());
    timeout(PATIENCE, starting).await.expect("the start ends")
}

/// Why a driver did not start that does this.
async fn failed(code: &str) -> String {
    let started = start_code(&Ear::new(), code).await;
    started.err().expect("it does not start").to_string()
}

async fn call(
    running: &dyn RunningModule,
    function: &str,
    arguments: &str,
) -> Result<Outcome, CallError> {
    let function = FunctionName::new(function).unwrap();
    let call = running.call(&function, &json_of(arguments));
    timeout(PATIENCE, call).await.expect("the call is answered")
}

/// Calls [`DRIVER`]'s `run`.
async fn run(running: &dyn RunningModule, code: &str) -> Result<Outcome, CallError> {
    let arguments = JsonText::of(&[code]).unwrap();
    call(running, "run", arguments.as_str()).await
}

/// A number that a process has published.
fn number(ear: &Ear, status: &str) -> u32 {
    ear.value(status).unwrap().parse().unwrap()
}

/// Waits until these processes are gone. A zombie is: some containers have nobody who waits for those without a parent.
async fn gone(processes: &[u32]) {
    let runs = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map_or("", |(_, state)| state);
        !state.is_empty() && !state.starts_with('Z')
    };
    let deadline = Instant::now() + PATIENCE;
    while processes.iter().any(runs) {
        assert!(Instant::now() < deadline, "{processes:?} run on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A sink double that keeps what it hears.
#[derive(Default)]
struct Ear {
    heard: std::sync::Mutex<Heard>,
    changed: tokio::sync::Notify,
}

#[derive(Default)]
struct Heard {
    values: HashMap<String, String>,
    /// The act in which each status was set last.
    acts: HashMap<String, Option<u128>>,
    published: usize,
    signals: Vec<String>,
    lines: Vec<(LogLevel, String)>,
    interface: Option<Interface>,
    /// The module may not act.
    barred: bool,
    /// What was asked about other modules, but for the follows.
    asked: Vec<requests::Asked>,
    /// The follows with what sends their values.
    followed: Vec<(Followed, watch::Sender<Option<JsonText>>)>,
    /// Calls of other modules are not answered.
    holds_calls: bool,
}

impl Ear {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard)
    }

    fn value(&self, name: &str) -> Option<String> {
        self.heard().values.get(name).cloned()
    }

    fn lines(&self, level: LogLevel) -> Vec<String> {
        let heard = self.heard();
        let lines = heard.lines.iter().filter(|(other, _)| *other == level);
        lines.map(|(_, line)| line.clone()).collect()
    }

    fn asked(&self, asked: requests::Asked) {
        self.heard().asked.push(asked);
        self.changed.notify_waiters();
    }

    async fn wait_for(&self, what: &str, is_there: impl Fn(&Heard) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if is_there(&self.heard()) {
                    return;
                }
                changed.await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            let heard = self.heard();
            panic!(
                "{what} did not come; there is {:?} {:?}",
                heard.values, heard.lines
            );
        }
    }
}

impl ModuleSink for Ear {
    fn set_status(&self, name: &StatusName, value: Option<JsonText>) -> Result<(), StatusRefused> {
        if name.as_str() == "refused" {
            return Err(StatusRefused("too much of it".to_owned()));
        }
        let mut heard = self.heard();
        heard.published += 1;
        let act = CallScope::act().map(|act| act.id);
        heard.acts.insert(name.to_string(), act);
        match value {
            Some(value) => heard.values.insert(name.to_string(), value.to_string()),
            None => heard.values.remove(name.as_str()),
        };
        drop(heard);
        self.changed.notify_waiters();
        Ok(())
    }

    fn signal_status(&self, name: &StatusName) {
        self.heard().signals.push(name.to_string());
    }

    fn status(&self, name: &StatusName) -> Option<JsonText> {
        self.value(name.as_str()).map(|value| json_of(&value))
    }

    fn wants_line(&self, _: LogLevel) -> bool {
        true
    }

    fn line(&self, level: LogLevel, message: String) {
        self.heard().lines.push((level, message));
        self.changed.notify_waiters();
    }

    fn interface_changed(&self, interface: Interface) {
        self.heard().interface = Some(interface);
    }

    fn may_act(&self) -> bool {
        !self.heard().barred
    }

    fn describe_system(
        &self,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>> {
        self.asked(requests::Asked::Describe(system.clone()));
        Box::pin(std::future::ready(Ok(requests::board_room())))
    }

    fn read_status(
        &self,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<JsonText>, RequestFailed>> {
        self.asked(requests::Asked::Read(module.clone(), status.clone()));
        let value = self.status(status);
        Box::pin(std::future::ready(Ok(value)))
    }

    fn call_module(
        &self,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        let value = call.arguments.clone();
        self.asked(requests::Asked::Call(call));
        if self.heard().holds_calls {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Ok(CallResult { value, code: 202 })))
    }

    fn follow(&self, what: Followed) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        let (sender, values) = watch::channel(None);
        self.heard().followed.push((what, sender));
        self.changed.notify_waiters();
        Ok(requests::latest(values).boxed())
    }

    fn publish(&self, channel: &ChannelName, message: JsonText) -> Result<(), RequestFailed> {
        self.asked(requests::Asked::Publish(channel.clone(), message));
        match channel.as_str() {
            "closed" => Err(RequestFailed::new(RequestFailed::FORBIDDEN, "not this one")),
            _ => Ok(()),
        }
    }
}
