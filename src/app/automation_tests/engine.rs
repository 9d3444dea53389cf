//! Procedures and hooks on a real core.

use std::time::Duration;

use tokio::time::Instant;

use super::testkit::{Bench, hook, json, procedure, request};
use crate::core::BuildingAccess;
use crate::model::{
    Event, Failure, FailureKind, HookOutcome, HookReply, Service, ServiceSecret, Subject,
};

/// Runs of a node at a time.
const RUNS_AT_ONCE: usize = 256;

async fn bench(procedures: &[(&str, &str, &str)]) -> Bench {
    let procedures = procedures
        .iter()
        .map(|(id, parameters, steps)| procedure(id, parameters, steps));
    let procedures = procedures.collect();
    Bench::new(|building| building.procedures = procedures).await
}

#[track_caller]
fn failed(result: Result<String, Failure>) -> (FailureKind, String) {
    let failure = result.unwrap_err();
    (failure.kind(), failure.message().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_procedure_calls_functions_reads_statuses_and_returns() {
    let steps = r#"[
        {"call": "sys-1/Lamp_1/set", "args": ["power", "{{ on }}"]},
        {"call": "sys-1/Log_1/increment", "args": {"name": "n"}, "as": "n"},
        {"wait": "2s"},
        {"set": {"seen": "{{ status('sys-1/Lamp_1/power') }}", "unset": "{{ status('sys-1/Lamp_1/x') }}"}},
        {"return": ["{{ seen }}", "{{ unset }}", "{{ n }}", "{{ now() }}"]}
    ]"#;
    let bench = bench(&[("light", "on", steps)]).await;
    let began = Instant::now();
    let result = bench.run("user", "light", Some(r#"{"on":true}"#)).await;
    let result = result.unwrap();
    assert!(result.starts_with("[true,null,1,17004384"), "{result}");
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert_eq!(bench.status("Lamp_1/power").await, "true");
}

#[tokio::test(start_paused = true)]
async fn a_procedure_may_do_no_more_than_its_caller() {
    let bench = bench(&[
        ("call", "", r#"[{"call": "sys-1/Lamp_1/admin_only"}]"#),
        (
            "read",
            "",
            r#"[{"return": "{{ status('sys-1/_Hidden_1/x') }}"}]"#,
        ),
    ])
    .await;
    for id in ["call", "read"] {
        let (kind, message) = failed(bench.run("user", id, None).await);
        assert_eq!(kind, FailureKind::DriverFailed);
        assert!(message.starts_with("step 1: "), "{message}");
        assert_eq!(bench.run("admin", id, None).await.unwrap(), "null");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_said_and_what_is_too_much_is_ignored() {
    let bench = bench(&[("p", "a b", r#"[{"return": "{{ a }}{{ b }}"}]"#)]).await;
    let (kind, message) = failed(bench.run("user", "p", Some("[1]")).await);
    assert_eq!(kind, FailureKind::BadRequest);
    assert_eq!(message, "needs `b`, which it is not given");
    let result = bench.run("user", "p", Some("[1,2,3]")).await;
    assert_eq!(result.unwrap(), "\"12\"");
    let (kind, _) = failed(bench.run("user", "other", None).await);
    assert_eq!(kind, FailureKind::FunctionNotFound);
}

#[tokio::test(start_paused = true)]
async fn whatever_steps_say_a_run_ends() {
    let bench = bench(&[
        ("itself", "", r#"[{"run": "itself"}]"#),
        ("always", "", r#"[{"while": "true", "do": []}]"#),
        ("large", "", r#"[{"set": {"a": "{{ 'x' * 100000000 }}"}}]"#),
        (
            "long",
            "",
            r#"[{"for": "i", "in": "range(1000)", "do": [{"wait": "1h"}]}]"#,
        ),
    ])
    .await;
    for (id, why) in [
        ("itself", "more than 16 deep"),
        ("always", "more than 1000 rounds"),
        ("large", "step 1: "),
        ("long", "takes longer than the 3600 s"),
    ] {
        let (_, message) = failed(bench.run("user", id, None).await);
        assert!(message.contains(why), "{id}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_run_at_a_time_and_one_more_is_refused() {
    let bench = bench(&[("wait", "", r#"[{"wait": "10s"}]"#)]).await;
    let mut many: Vec<_> = (0..RUNS_AT_ONCE)
        .map(|_| Box::pin(bench.run("user", "wait", None)))
        .collect();
    for run in &mut many {
        assert!(futures_util::poll!(run).is_pending());
    }
    tokio::task::yield_now().await;
    let (kind, _) = failed(bench.run("user", "wait", None).await);
    assert_eq!(kind, FailureKind::Busy);
    for run in many {
        assert_eq!(run.await.unwrap(), "null");
    }
    assert_eq!(bench.run("user", "wait", None).await.unwrap(), "null");
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_by_every_service_of_the_name() {
    let secrets = ['a', 'b'].map(|letter| letter.to_string().repeat(32));
    let secrets = secrets.map(|text| ServiceSecret::parse(&text).unwrap());
    let steps = r#"[{"notify": "Boiler room", "message": "{{ 1 + 1 }} bar", "level": 4}]"#;
    let nowhere = r#"[{"notify": "Nobody", "message": "hello"}]"#;
    let services = secrets.map(|secret| Service {
        key: secret.public_key(),
        name: "Boiler room".to_owned(),
        icon: String::new(),
        systems: Vec::new(),
    });
    let keys = services.clone().map(|service| service.key);
    let bench = Bench::new(|building| {
        building.services = services.to_vec();
        building.procedures = vec![
            procedure("tell", "", steps),
            procedure("nowhere", "", nowhere),
        ];
    })
    .await;
    bench.run("user", "tell", None).await.unwrap();
    let tallies = bench.core.messages.tallies(keys.to_vec()).await.unwrap();
    for tally in tallies {
        let last = tally.last.unwrap();
        assert_eq!(last.notice.text, "2 bar");
        assert_eq!(last.notice.level.number(), 4);
    }
    let (_, message) = failed(bench.run("user", "nowhere", None).await);
    assert_eq!(message, "step 1: there is no service `Nobody`");
}

fn bus(bench: &Bench) -> futures_util::stream::BoxStream<'static, Event> {
    let caller = bench.caller("admin");
    let access: &dyn BuildingAccess = &*bench.core.building_access;
    access.follow(&caller, Subject::Bus).unwrap()
}

async fn announced(bus: &mut futures_util::stream::BoxStream<'static, Event>) -> (String, String) {
    use futures_util::StreamExt;
    let Some(Event::Bus(event)) = bus.next().await else {
        panic!("no event");
    };
    (event.name.to_string(), event.data.as_str().to_owned())
}

#[tokio::test(start_paused = true)]
async fn what_a_procedure_publishes_is_heard_on_the_bus() {
    let steps = r#"[{"publish": "door-{{ n }}", "data": {"n": "{{ n }}"}}]"#;
    let bench = bench(&[("p", "n", steps)]).await;
    let mut bus = bus(&bench);
    bench.run("user", "p", Some("[7]")).await.unwrap();
    let (name, data) = announced(&mut bus).await;
    assert_eq!((&*name, &*data), ("door-7", r#"{"n":7}"#));
}

async fn hooks() -> Bench {
    let header = r#"{"X-Token":"t0ken"}"#;
    let echo = r#"[{"return": {"who": "{{ who }}", "method": "{{ event.method }}"}}]"#;
    Bench::new(|building| {
        building.procedures = vec![
            procedure("echo", "who", echo),
            procedure(
                "fail",
                "",
                r#"[{"call":"sys-1/Lamp_1/fail","args":["no"]}]"#,
            ),
        ];
        let args = ("args", r#"{"who":"{{ event.args.who }}"}"#);
        building.hooks = vec![
            hook("open", &[("run", "echo"), args, ("methods", "GET")]),
            hook("closed", &[("run", "echo"), args, ("header", header)]),
            hook("fail", &[("run", "fail")]),
            hook(
                "call",
                &[
                    ("call", r#""sys-1/Lamp_1/echo""#),
                    (
                        "args",
                        r#"[{"status":302,"headers":{"Location":"{{ event.args.to }}"}}]"#,
                    ),
                ],
            ),
            hook(
                "said",
                &[
                    ("run", "echo"),
                    ("args", "[1]"),
                    ("respond", r#"{"status":204}"#),
                ],
            ),
            hook("admin", &[("call", r#""sys-1/Lamp_1/support_only""#)]),
            hook(
                "support",
                &[
                    ("call", r#""sys-1/Lamp_1/support_only""#),
                    ("level", "support"),
                ],
            ),
        ];
    })
    .await
}

#[track_caller]
fn answered(outcome: HookOutcome) -> HookReply {
    match outcome {
        HookOutcome::Answered(reply) => reply,
        other @ (HookOutcome::Unknown
        | HookOutcome::NotAllowed { .. }
        | HookOutcome::Refused
        | HookOutcome::Busy
        | HookOutcome::Failed(_)) => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_runs_its_procedure_with_what_it_was_called_with() {
    let bench = hooks().await;
    let reply = answered(bench.hook(request("open", "HEAD", &[("who", "Ann")])).await);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, json(r#"{"who":"Ann","method":"HEAD"}"#));
    let outcome = bench.hook(request("open", "POST", &[])).await;
    assert!(matches!(outcome, HookOutcome::NotAllowed { allow } if allow == "GET, HEAD"));
    let outcome = bench.hook(request("nothing", "GET", &[])).await;
    assert!(matches!(outcome, HookOutcome::Unknown));
    let outcome = bench.hook(request("fail", "GET", &[])).await;
    assert!(
        matches!(outcome, HookOutcome::Failed(failure) if failure.message().starts_with("step 1: "))
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_wants_to_be_shown_its_header() {
    let bench = hooks().await;
    let with = |value: &str| {
        let mut request = request("closed", "GET", &[("who", "Ann")]);
        request.headers = vec![("x-token".to_owned(), value.to_owned())];
        request
    };
    for wrong in ["", "t0ke", "t0kenn", "T0ken"] {
        let outcome = bench.hook(with(wrong)).await;
        assert!(matches!(outcome, HookOutcome::Refused), "{wrong:?}");
    }
    let none = bench.hook(request("closed", "GET", &[])).await;
    assert!(matches!(none, HookOutcome::Refused));
    assert_eq!(answered(bench.hook(with("t0ken")).await).status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_hook_answers_what_it_says_or_what_its_function_says() {
    let bench = hooks().await;
    let said = answered(bench.hook(request("said", "GET", &[])).await);
    assert_eq!((said.status, said.body.is_null()), (204, true));
    let reply = answered(bench.hook(request("call", "GET", &[("to", "/")])).await);
    assert_eq!(reply.status, 302);
    assert_eq!(reply.headers, [("Location".to_owned(), "/".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_acts_with_its_own_level() {
    let bench = hooks().await;
    let outcome = bench.hook(request("admin", "GET", &[])).await;
    assert!(matches!(outcome, HookOutcome::Failed(failure) if failure.kind().is_refusal()));
    answered(bench.hook(request("support", "GET", &[])).await);
}

#[tokio::test(start_paused = true)]
async fn every_call_of_an_address_is_heard_on_the_bus_without_its_secrets() {
    let bench = hooks().await;
    let mut bus = bus(&bench);
    let mut called = request("nothing", "POST", &[("secret", "s"), ("a", "b")]);
    called.headers = vec![("Cookie".to_owned(), "c".to_owned())];
    bench.hook(called).await;
    let (name, data) = announced(&mut bus).await;
    assert_eq!(name, "webhook");
    assert_eq!(
        data,
        r#"{"hook":"nothing","method":"POST","args":{"a":"b"},"data":null,"headers":{}}"#
    );
    let mut called = request("closed", "GET", &[]);
    called.headers = vec![("X-Token".to_owned(), "t0ken".to_owned())];
    bench.hook(called).await;
    let (_, data) = announced(&mut bus).await;
    assert!(!data.contains("t0ken"), "{data}");
}
