//! What a run may take: whatever its steps say, it ends.

use super::*;

fn bounded(steps: &str, bounds: Bounds, player: &mut Player) -> (Run, Result<JsonText, Failure>) {
    let main = procedure("", steps);
    let mut run = Run::new(&main, None, Value::Null, bounds, player.now).unwrap();
    let result = player.play(&mut run);
    (run, result)
}

#[track_caller]
fn check_bound(steps: &str, bounds: Bounds, expect: &str) {
    let mut player = Player::new();
    let (_, result) = bounded(steps, bounds, &mut player);
    assert_eq!(result.unwrap_err().to_string(), expect, "{steps}");
}

#[test]
fn a_loop_that_nothing_ends_ends_by_its_bound() {
    check_bound(
        r#"[{"wait": "1s"}, {"while": true, "do": []}]"#,
        Bounds::default(),
        "step 2: has more than 1000 rounds",
    );
    check_bound(
        r#"[{"while": true, "do": [{"call": "a/Lamp_1/on"}]}]"#,
        Bounds {
            rounds: 5,
            ..Bounds::default()
        },
        "step 1: has more than 5 rounds",
    );
    check_bound(
        r#"[{"for": "x", "in": "range(1001)", "do": []}]"#,
        Bounds::default(),
        "step 1: has more than 1000 rounds",
    );
}

#[test]
fn loops_within_loops_end_by_the_number_of_steps() {
    let within = r#"[{"while": true, "do": [{"for": "x", "in": "range(1000)", "do": [{"set": {"y": 1}}]}]}]"#;
    check_bound(
        within,
        Bounds::default(),
        "step 1 → do → 1 → do → 1: is the step with which the run has more than 10000",
    );
}

#[test]
fn a_procedure_that_runs_itself_ends_by_its_depth() {
    let mut player = Player::new().with("again", "", r#"[{"run": "again"}]"#);
    let (run, result) = bounded(r#"[{"run": "again"}]"#, Bounds::default(), &mut player);
    let failure = result.unwrap_err().to_string();
    assert!(
        failure.ends_with("runs procedures more than 16 deep; one may run itself"),
        "{failure}"
    );
    assert_eq!(run.history().steps().len(), 16);
}

#[test]
fn a_procedure_that_runs_itself_in_rounds_at_one_time_ends_too() {
    let steps = r#"[{"for": "x", "in": "[1, 2]", "parallel": true, "do": [{"run": "again"}]}]"#;
    let mut player = Player::new().with("again", "", steps);
    let (_, result) = bounded(r#"[{"run": "again"}]"#, Bounds::default(), &mut player);
    let failure = result.unwrap_err();
    let ends = [
        "runs procedures more than 16 deep; one may run itself",
        "does more than 64 rounds at one time",
    ];
    assert!(ends.contains(&failure.reason.as_str()), "{failure}");
}

#[test]
fn rounds_at_one_time_are_bounded_together() {
    check_bound(
        r#"[{"for": "x", "in": "range(9)", "parallel": true, "do": [{"for": "y", "in": "range(8)", "parallel": true, "do": [{"wait": "1s"}]}]}]"#,
        Bounds::default(),
        "step 1 → do → 1: does more than 64 rounds at one time",
    );
    let mut player = Player::new();
    // One after another they may be as many as they like.
    let steps = r#"[{"for": "z", "in": "range(20)", "do": [{"for": "x", "in": "range(60)", "parallel": true, "do": []}]}]"#;
    bounded(steps, Bounds::default(), &mut player).1.unwrap();
}

#[test]
fn a_run_ends_with_its_time_at_the_step_that_it_waits_for() {
    let mut player = Player::new();
    let steps = r#"[{"while": true, "do": [{"wait": "10m"}]}]"#;
    let (run, result) = bounded(steps, Bounds::default(), &mut player);
    let reason = "takes longer than the 3600 s that a run may take";
    assert_eq!(
        result.unwrap_err().to_string(),
        format!("step 1 → do → 1: {reason}")
    );
    assert_eq!(
        run.deadline(),
        Player::new().now + Duration::from_secs(3600)
    );
    let last = run.history().steps().last().unwrap();
    assert_eq!(last.failure.as_deref(), Some(reason));
}

#[test]
fn a_run_lets_others_on_while_it_has_much_to_do() {
    let mut player = Player::new();
    let steps = r#"[{"for": "x", "in": "range(500)", "do": []}]"#;
    bounded(steps, Bounds::default(), &mut player).1.unwrap();
    assert!(player.turns >= 10, "{}", player.turns);
}

#[test]
fn a_value_that_is_too_large_fails_its_step() {
    let doubled = r#"[{"set": {"a": "0123456789"}}, {"for": "x", "in": "range(20)", "do": [{"set": {"a": "{{ a }}{{ a }}"}}]}]"#;
    let mut player = Player::new();
    let (_, result) = bounded(doubled, Bounds::default(), &mut player);
    let failure = result.unwrap_err().to_string();
    assert!(
        failure.starts_with("step 2 → do → 1: at line 1"),
        "{failure}"
    );
    assert!(failure.contains("65536 bytes"), "{failure}");
}

#[test]
fn a_long_history_is_cut_and_counted() {
    let mut player = Player::new();
    let steps = r#"[{"for": "x", "in": "range(300)", "do": [{"set": {"a": 1}}]}]"#;
    let (run, result) = bounded(steps, Bounds::default(), &mut player);
    result.unwrap();
    assert_eq!(run.history().steps().len(), 200);
    assert_eq!(run.history().left_out(), 101);
}
