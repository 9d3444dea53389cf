//! Modules whose settings change while they run.

use super::interfaces::{apply, telling_bench};
use super::*;
use crate::core::tests::doubles::telling;
use crate::model::Module;

fn with_settings(settings: &str) -> Module {
    let settings = Secret::new(settings);
    Module {
        settings,
        ..telling("mod-1")
    }
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_takes_other_settings_is_told_and_runs_on() {
    let bench = telling_bench().await;
    let lives = bench.host.lives().len();
    apply(&bench, with_settings(r#"{"unit":2}"#)).await;
    bench.pass(CLOCK_STEP).await;
    let told = [("settings_changed".to_owned(), r#"{"unit":2}"#.to_owned())];
    assert_eq!(bench.life().begun(), told);
    apply(&bench, with_settings(r#"{"unit":2}"#)).await;
    bench.pass(CLOCK_STEP).await;
    assert_eq!(bench.life().begun().len(), 1, "told again without a change");
    assert_eq!(bench.host.lives().len(), lives);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_does_not_take_them_is_started_again() {
    let bench = telling_bench().await;
    let lives = bench.host.lives().len();
    apply(&bench, with_settings(r#"{"refuse":true}"#)).await;
    bench.pass_until_started(lives + 1).await;
    assert_eq!(bench.life().begun(), [], "it began with them");
    let mut moved = with_settings("{}");
    moved.uri = Some("tcp://elsewhere.test".to_owned());
    apply(&bench, moved).await;
    bench.pass_until_started(lives + 2).await;
    assert_eq!(bench.life().begun(), []);
}
