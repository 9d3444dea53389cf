//! Steps at random: whatever they say and whatever the answers are, a run ends within its bounds.

use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds = Bounds {
    steps: 60,
    rounds: 7,
    depth: 3,
    branches: 5,
    time: Duration::from_secs(20),
};

/// One step as JSON. Procedures `one` and `two` run each other.
fn step() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(r#"{"call":"a/Lamp_1/on","as":"x"}"#),
        Just(r#"{"call":"a/Lamp_1/fail"}"#),
        Just(r#"{"set":{"x":"{{ [x, x] }}"}}"#),
        Just(r#"{"set":{"x":0}}"#),
        Just(r#"{"wait":"3s"}"#),
        Just(r#"{"publish":"p","data":{"x":"{{ x }}"}}"#),
        Just(r#"{"run":"one"}"#),
        Just(r#"{"run":"two","as":"x"}"#),
    ];
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(3, 16, 4, |inner| {
        let steps = proptest::collection::vec(inner, 0..4);
        let steps = steps.prop_map(|steps| format!("[{}]", steps.join(",")));
        prop_oneof![
            steps
                .clone()
                .prop_map(|steps| format!(r#"{{"while":true,"do":{steps}}}"#)),
            (steps.clone(), steps.clone())
                .prop_map(|(then, other)| format!(r#"{{"if":"x","then":{then},"else":{other}}}"#)),
            (0..9usize, any::<bool>(), steps).prop_map(|(count, parallel, steps)| {
                format!(r#"{{"for":"y","in":"range({count})","do":{steps},"parallel":{parallel}}}"#)
            }),
        ]
    })
}

fn steps() -> impl Strategy<Value = String> {
    let steps = proptest::collection::vec(step(), 0..5);
    steps.prop_map(|steps| {
        format!(r#"[{{"set":{{"x":1}}}},{}]"#, steps.join(",")).replace(",]", "]")
    })
}

proptest! {
    #[test]
    fn a_run_ends_within_its_bounds(main in steps(), one in steps(), two in steps(), order in any::<u64>()) {
        let mut player = Player::new().with("one", "", &one).with("two", "", &two);
        let main = procedure("", &main);
        let mut run = Run::new(&main, None, Value::Null, BOUNDS, player.now).unwrap();
        let (mut progress, mut random) = (run.go(&player.around()), order);
        let mut wanted = 0;
        loop {
            let wants = match progress {
                Progress::Done(_) => break,
                Progress::Goes(wants) => {
                    wanted += wants.len();
                    player.open.extend(wants);
                    progress = run.go(&player.around());
                    continue;
                }
                Progress::Waits(wants) => wants,
            };
            wanted += wants.len();
            player.open.extend(wants);
            prop_assert!(!player.open.is_empty(), "it waits for nothing");
            prop_assert!(run.spent.branches <= BOUNDS.branches);
            // Answers come in any order.
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            let place = usize::try_from(random >> 33).unwrap() % player.open.len();
            let want = player.open.remove(place).unwrap();
            let answer = player.answer_to(&want.goal);
            progress = run.answer(want.id, answer, &player.around());
        }
        // The step that is one too many ends it.
        prop_assert!(run.spent.steps <= BOUNDS.steps + 1);
        prop_assert!(wanted <= BOUNDS.steps);
    }
}
