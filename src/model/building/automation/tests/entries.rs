//! What procedures, hooks and triggers say, and what they refer to.

use driver_types::{Clearance, Place};

use super::*;
use crate::model::{Flaw, Secret};

fn places<T>(mentions: &[Mention<T>]) -> Vec<String> {
    let place = |it: &Mention<T>| format!("{} {}", it.field, Place::Settings(it.steps.clone()));
    mentions.iter().map(place).collect()
}

fn flaws(mistakes: Vec<(&'static str, Flaw)>) -> Vec<String> {
    let said = mistakes.into_iter();
    said.map(|(field, flaw)| format!("{field} {flaw}"))
        .collect()
}

/// The procedure of the design, with a step of every kind.
const STEPS: &str = r#"[
    {"call": "sys-alpha/Lighting_1/set", "args": {"name": "scene", "value": 2}, "as": "scene"},
    {"if": "who == 'Ann'", "then": [{"call": "sys-alpha/Display_1/set", "args": ["power", true]}],
     "else": [{"return": "{{ who }}"}]},
    {"for": "name", "in": "['a', 'b']", "do": [{"call": "sys-alpha/Display_1/set", "args": ["{{ name }}", 1]}], "parallel": true},
    {"for": "name", "in": ["a", "{{ who }}"], "do": [{"run": "other", "args": {"of": "{{ name }}"}, "as": "made"}]},
    {"while": "made < 3", "do": [{"set": {"made": "{{ made + 1 }}", "next": "{{ made }}"}}]},
    {"while": true, "do": []},
    {"set": {"seen": "{{ status('sys-alpha/Display_1/power') }}"}},
    {"wait": "200ms"},
    {"publish": "doors", "data": {"who": "{{ who }}"}},
    {"notify": "Boiler room", "message": "{{ who }} is home", "title": "Door", "link": "http://x", "level": 4},
    {"return": {"home": "{{ seen }}", "big": 1e400}}
]"#;

#[test]
fn a_procedure_is_read_with_every_kind_of_step() {
    let procedure: Procedure =
        entry(&[("id", "at.home"), ("parameters", "who"), ("steps", STEPS)]).unwrap();
    let words: Vec<&str> = procedure.steps.list().iter().map(Action::word).collect();
    let expect = [
        "call", "if", "for", "for", "while", "while", "set", "wait", "publish", "notify", "return",
    ];
    assert_eq!(words, expect);
    steps(STEPS);
    assert!(procedure.mistakes().is_empty());
    assert_eq!(procedure.parameters.list()[0].as_str(), "who");
}

#[test]
fn what_is_evaluated_is_listed_with_its_place() {
    let procedure: Procedure = entry(&[("id", "p"), ("steps", STEPS)]).unwrap();
    let evaluated = procedure.evaluated();
    assert_eq!(
        places(&evaluated),
        [
            "steps [0].args",
            "steps [1].if",
            "steps [1].then[0].args",
            "steps [1].else[0].return",
            "steps [2].in",
            "steps [2].do[0].args",
            "steps [3].in",
            "steps [3].do[0].args",
            "steps [4].while",
            "steps [4].do[0].set.made",
            "steps [4].do[0].set.next",
            "steps [5].while",
            "steps [6].set.seen",
            "steps [8].publish",
            "steps [8].data",
            "steps [9].message",
            "steps [9].title",
            "steps [9].link",
            "steps [10].return",
        ]
    );
    assert_eq!(evaluated[1].of, Evaluated::Expression("who == 'Ann'"));
    assert_eq!(evaluated[11].of, Evaluated::Expression("true"));
    assert_eq!(evaluated[13].of, Evaluated::Text("doors"));
    assert_eq!(evaluated[3].of, Evaluated::Json(&json("\"{{ who }}\"")));
}

#[test]
fn what_a_procedure_calls_runs_and_notifies_is_listed_with_its_place() {
    let procedure: Procedure = entry(&[("id", "p"), ("steps", STEPS)]).unwrap();
    let paths = procedure.paths();
    assert_eq!(
        places(&paths),
        [
            "steps [0].call",
            "steps [1].then[0].call",
            "steps [2].do[0].call"
        ]
    );
    assert_eq!(paths[0].of.as_str(), "sys-alpha/Lighting_1/set");
    let procedures = procedure.procedures();
    assert_eq!(places(&procedures), ["steps [3].do[0].run"]);
    assert_eq!(procedures[0].of.0.as_str(), "other");
    let services = procedure.steps.services("steps");
    assert_eq!(places(&services), ["steps [9].notify"]);
    assert_eq!(services[0].of, "Boiler room");
}

#[test]
fn arguments_fit_a_procedure_or_say_what_does_not() {
    let procedure: Procedure =
        entry(&[("id", "p"), ("parameters", "who door"), ("steps", "[]")]).unwrap();
    let faults = |args: Option<&str>| {
        let args = args.map(json);
        let faults = procedure.parameters.faults(args.as_ref());
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for args in [r#"{"who":1,"door":null}"#, r#"["Ann",2]"#] {
        assert!(faults(Some(args)).is_empty(), "{args}");
    }
    let missing = |name| format!("gives no `{name}`, which the procedure needs; add it to `args`");
    assert_eq!(faults(None), [missing("who"), missing("door")]);
    assert_eq!(faults(Some("\"Ann\"")), [missing("door")]);
    assert_eq!(
        faults(Some(r#"{"who":1,"dor":2}"#)),
        [
            missing("door"),
            "gives `dor`, which is no parameter of the procedure".to_owned()
        ]
    );
    assert_eq!(
        faults(Some("[1,2,3]")),
        ["gives more than the 2 parameters of the procedure"]
    );
}

#[test]
fn a_hook_says_how_it_is_called_and_what_it_does() {
    let hook: Hook = entry(&[
        ("name", "at_home"),
        ("methods", "get POST GET"),
        ("header", r#"{"X-Token":"s3cret"}"#),
        ("run", "at_home"),
        ("args", r#"{"who":"{{ event.args.who }}"}"#),
        ("level", "support"),
        ("respond", r#"{"status":201,"body":{"status":"ok"}}"#),
    ])
    .unwrap();
    assert!(hook.mistakes().is_empty());
    assert_eq!(hook.allowed(), "GET, HEAD, POST");
    assert!(hook.takes(HookMethod::of("HEAD").unwrap()) && !hook.takes(HookMethod::Put));
    assert_eq!(hook.level, Clearance::Support);
    assert_eq!(hook.respond.as_ref().map(|it| it.status), Some(201));
    assert_eq!(places(&hook.evaluated()), ["args "]);
    let any: Hook = entry(&[("name", "h"), ("call", r#""sys-1/Lamp_1/on""#)]).unwrap();
    assert!(any.mistakes().is_empty());
    assert_eq!(any.level, Clearance::User);
    assert_eq!(
        any.allowed(),
        "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"
    );
}

#[test]
fn a_hook_does_one_thing_with_at_most_support() {
    let none: Hook = entry(&[("name", "a/b")]).unwrap();
    assert_eq!(
        flaws(none.mistakes()),
        [
            "name has a `/` in it, which ends a part of an address; leave it out",
            "name does nothing; add `run` with a procedure, or `call` with a function",
        ]
    );
    let call = ("call", r#""sys-1/Lamp_1/on""#);
    let both: Hook = entry(&[("name", "h"), ("run", "p"), call]).unwrap();
    assert_eq!(both.mistakes()[0].0, "call");
    assert_eq!(
        entry::<Hook>(&[("name", "h"), call, ("level", "admin")]).unwrap_err(),
        ["level must be user or support"]
    );
    assert_eq!(
        entry::<Hook>(&[("name", "h"), call, ("methods", "GET FETCH")]).unwrap_err(),
        ["methods must be of GET, POST, PUT, DELETE, PATCH or OPTIONS"]
    );
    assert_eq!(
        entry::<Hook>(&[("name", "h"), ("call", "\"Lamp_1/on\"")])
            .unwrap_err()
            .len(),
        1
    );
}

/// The trigger of the design.
fn trigger(system: Option<&str>) -> Trigger {
    let mut fields = vec![
        ("id", "trig-warm"),
        (
            "when",
            r#"[{"status":"Display_1/temperature","is":">","than":26.50,"for":"2s"},
                {"event":"doors","data":{"who":"Ann"},"from":"anyone"}]"#,
        ),
        (
            "then",
            r#"[{"run":"at_home","args":{"who":"Ann"}},{"call":"Lamp_1/on"},{"call":"b/Lamp_1/on"}]"#,
        ),
        ("debounce", "1s"),
    ];
    fields.extend(system.map(|system| ("system", system)));
    entry(&fields).unwrap()
}

#[test]
fn paths_of_two_parts_belong_to_the_system_of_a_trigger() {
    let trigger = trigger(Some("sys-alpha"));
    assert!(trigger.mistakes().is_empty());
    let paths = trigger.paths();
    assert_eq!(
        places(&paths),
        ["when [0].status", "then [1].call", "then [2].call"]
    );
    let texts: Vec<&str> = paths
        .iter()
        .map(|it| match &it.of {
            TriggerPath::Status(path) => path.as_str(),
            TriggerPath::Function(path) => path.as_str(),
        })
        .collect();
    assert_eq!(
        texts,
        [
            "sys-alpha/Display_1/temperature",
            "sys-alpha/Lamp_1/on",
            "b/Lamp_1/on"
        ]
    );
    assert_eq!(trigger.procedures()[0].of.0.as_str(), "at_home");
    assert_eq!(
        trigger.debounce.map(|span| span.to_string()).as_deref(),
        Some("1s")
    );
}

#[test]
fn a_path_of_two_parts_without_a_system_is_a_mistake_where_it_stands() {
    let said = flaws(trigger(None).mistakes());
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("when has `[0].status`, which has no system"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("then has `[1].call`, which has no system"),
        "{said:?}"
    );
    let procedure: Procedure =
        entry(&[("id", "p"), ("steps", r#"[{"call":"Lamp_1/on"}]"#)]).unwrap();
    assert_eq!(procedure.mistakes().len(), 1);
    assert!(procedure.paths().is_empty());
}

#[test]
fn every_kind_of_condition_is_read() {
    let conditions = conditions(
        r#"[{"status":"a/B_1/c","is":"!=","than":null},
            {"status":"a/B_1/c","is":"<=","than":{"x":[1.0]},"for":"500ms"},
            {"cron":"0 8 * * 1-5","timezone":"Europe/London"}]"#,
    );
    assert_eq!(conditions.happening().map(|(place, _)| place), Some(2));
    super::conditions(r#"[{"at":"2026-12-01T08:00:00+01:00"}]"#);
    super::conditions(r#"[{"cron":"@daily"}]"#);
    super::conditions(r#"[{"webhook":true,"header":{"X-Key":"s"}}]"#);
    assert_eq!(
        super::conditions(r#"[{"status":"a/B_1/c","is":"==","than":1}]"#).happening(),
        None
    );
}

#[test]
fn the_secret_of_a_webhook_is_written_and_not_shown() {
    let conditions = conditions(r#"[{"webhook":true,"secret":"hunter2"}]"#);
    let Some((_, Condition::Webhook(WebhookKey::Secret(secret)))) = conditions.happening() else {
        panic!("{conditions:?}");
    };
    assert_eq!(*secret, Secret::new("hunter2"));
    for shown in [
        conditions.shown().as_str().to_owned(),
        format!("{conditions:?}"),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let headers = RequiredHeaders::read(&json(r#"{"X-Token":"hunter2"}"#)).unwrap();
    assert_eq!(headers.shown(), r#"{"X-Token":"***"}"#);
}

#[test]
fn a_trigger_that_is_not_enabled_may_be_unfinished() {
    let unfinished = Trigger {
        when: conditions("[]"),
        ..trigger(None)
    };
    let said = flaws(unfinished.mistakes());
    assert!(said[0].starts_with("when is empty, so"), "{said:?}");
    assert!(said[1].contains("has no system"), "{said:?}");
    let draft = Trigger {
        enabled: false,
        ..unfinished
    };
    assert!(draft.mistakes().is_empty());
}
