//! Steps and conditions at random: each is written so that it is read as the same, and no text breaks the readers.

use proptest::prelude::*;

use super::*;
use crate::model::fuzz::fuzz_text;

fn variable() -> impl Strategy<Value = Variable> {
    "[a-z_][a-z0-9_]{0,3}x".prop_map(|name| Variable::new(&name).unwrap())
}

fn value() -> impl Strategy<Value = JsonText> {
    prop_oneof![
        Just(json("null")),
        Just(json("1e400")),
        Just(json("{ \"a\": [1.50, \"{{ b }}\"] }")),
        Just(json("[]")),
        any::<String>().prop_map(|text| JsonText::of(&text).unwrap()),
    ]
}

fn args() -> impl Strategy<Value = Option<JsonText>> {
    proptest::option::of(value().prop_filter("null is left out", |json| !json.is_null()))
}

fn path() -> impl Strategy<Value = String> {
    let part =
        || "[a-z%/ é]{1,4}".prop_map(|part: String| part.replace('%', "%25").replace('/', "%2F"));
    (proptest::option::of(part()), part(), 1..9u32, part()).prop_map(
        |(system, module, index, last)| {
            let system = system
                .map(|system| format!("{system}/"))
                .unwrap_or_default();
            format!("{system}{module}_{index}/{last}")
        },
    )
}

fn span() -> impl Strategy<Value = TimeSpan> {
    let unit = prop_oneof![Just("ms"), Just("s"), Just("m"), Just("h")];
    (0..700u32, unit)
        .prop_map(|(number, unit)| TimeSpan::parse(&format!("{number}{unit}")).unwrap())
}

fn action() -> impl Strategy<Value = Action> {
    let leaf = prop_oneof![
        (path(), args(), proptest::option::of(variable())).prop_map(|(path, args, result)| {
            let path = LocalPath::parse(&path).unwrap();
            Action::Call { path, args, result }
        }),
        ("[a-z.]{1,5}", args(), proptest::option::of(variable())).prop_map(|(id, args, result)| {
            let procedure = ProcedureId::new(&id).unwrap();
            Action::Run {
                procedure,
                args,
                result,
            }
        }),
        proptest::collection::btree_map(variable(), value(), 0..3)
            .prop_map(|variables| Action::Set(variables.into_iter().collect())),
        span().prop_map(Action::Wait),
        (".{1,5}", 0..2u8).prop_map(|(name, data)| Action::Publish {
            name,
            data: json(["{}", "{\"a\": 1.0}"][usize::from(data)]),
        }),
        (".{1,5}", ".{0,5}", proptest::option::of(".{0,5}"), 1..=5u8).prop_map(
            |(service, message, title, level)| Action::Notify {
                service,
                message,
                link: title.clone(),
                title,
                level,
            }
        ),
        value().prop_map(Action::Return),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        // A list of JSON steps becomes steps by being read.
        let steps = proptest::collection::vec(inner, 0..3).prop_map(Steps::of);
        prop_oneof![
            (".{0,5}", steps.clone(), steps.clone()).prop_map(|(condition, then, otherwise)| {
                Action::If {
                    condition,
                    then,
                    otherwise,
                }
            }),
            (variable(), any::<bool>(), steps.clone()).prop_map(|(variable, is_list, body)| {
                let items = match is_list {
                    true => Items::List(json("[1, \"{{ x }}\"]")),
                    false => Items::Expression("[1]".to_owned()),
                };
                Action::For {
                    variable,
                    items,
                    body,
                    order: Order::OneByOne,
                }
            }),
            (".{0,5}", steps).prop_map(|(condition, body)| Action::While { condition, body }),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let operator = proptest::sample::select(vec!["==", "!=", ">", ">=", "<", "<="]);
    let than = value().prop_filter("constant", |json| !json.as_str().contains("{{"));
    (path(), operator, than, span()).prop_map(|(path, is, than, lasts)| Condition::Status {
        path: LocalPath::parse(&path).unwrap(),
        is: Operator::of(is).unwrap(),
        than,
        lasts,
    })
}

fn happening() -> impl Strategy<Value = Condition> {
    let secret =
        any::<String>().prop_filter("no secret", |text| !["", "***"].contains(&text.as_str()));
    prop_oneof![
        (0..253_402_000_000u64)
            .prop_map(|secs| Condition::At(crate::model::Timestamp(secs * 1_000_000 + 7))),
        secret.prop_map(
            |text| Condition::Webhook(WebhookKey::Secret(crate::model::Secret::new(text)))
        ),
        (".{1,5}", any::<bool>()).prop_map(|(name, anyone)| Condition::Event {
            name,
            data: json("{\"a\":1.0}"),
            from: if anyone {
                EventSource::Anyone
            } else {
                EventSource::Trusted
            },
        }),
        (0..60u32, 0..24u32).prop_map(|(minute, hour)| Condition::Cron {
            cron: Cron::parse(&format!("{minute} {hour} * * mon")).unwrap(),
            timezone: (minute > 9).then(|| "Asia/Kathmandu".to_owned()),
        }),
    ]
}

proptest! {
    #[test]
    fn steps_are_written_as_what_they_are_read_from(actions in proptest::collection::vec(action(), 0..4)) {
        let steps = Steps::of(actions);
        prop_assert_eq!(Steps::read(&steps.json()), Ok(steps));
    }

    #[test]
    fn conditions_are_written_as_what_they_are_read_from(
        lasting in proptest::collection::vec(condition(), 1..4),
        happening in happening(),
    ) {
        let conditions = Conditions::of(lasting.into_iter().chain([happening]).collect());
        prop_assert_eq!(Conditions::read(&conditions.json()), Ok(conditions));
    }
}

#[test]
fn fuzz_steps_and_conditions() {
    let corpus = [
        r#"[{"call":"a/B_1/c","args":{"x":"{{ y }}"},"as":"z"},{"if":"x","then":[],"else":[{"return":1}]}]"#,
        r#"[{"for":"x","in":[1],"do":[{"wait":"2s"}],"parallel":true},{"set":{"a":1}},{"run":"p"}]"#,
        r#"[{"status":"B_1/c","is":">","than":26,"for":"2s"},{"event":"doors","data":{"who":"Ann"}}]"#,
        r#"[{"cron":"0 8 * * 1-5","timezone":"Europe/London"},{"webhook":true,"secret":"s"}]"#,
    ];
    let words = [
        "{", "[", "\"do\"", "\"then\"", "*/5", "%2F", "ms", "null", "1e9",
    ];
    fuzz_text(&corpus, &words, |text| {
        let Ok(json) = JsonText::parse(text) else {
            return;
        };
        if let Ok(steps) = Steps::read(&json) {
            assert_eq!(Steps::read(&steps.json()), Ok(steps));
        }
        if let Ok(conditions) = Conditions::read(&json) {
            assert_eq!(Conditions::read(&conditions.json()), Ok(conditions));
        }
    });
}
