//! Modules that publish their interface after their start, and another one later.

use super::*;
use crate::core::tests::doubles::{module, scripted_interface, telling};
use crate::model::Interface;

const NOT_TOLD: &str = "the module has not told its functions yet";

#[tokio::test(start_paused = true)]
async fn a_module_is_called_as_soon_as_it_has_told_its_functions_and_refused_before() {
    let bench = telling_bench().await;
    let early = refusal(bench.exec("echo", "[1]"));
    assert_eq!(
        (early.kind(), early.message()),
        (FailureKind::Unavailable, NOT_TOLD)
    );
    let unread = bench
        .core
        .queries
        .interface(&module("mod-1"))
        .await
        .unwrap_err();
    assert_eq!(unread.kind(), FailureKind::Unavailable);

    bench.tell(&["echo"]);
    let answered = bench.exec("echo", "[2]");
    bench.pass(CLOCK_STEP).await;
    check(answered, "[2]");
    bench.check_offer(&["echo"]).await;
}

#[tokio::test(start_paused = true)]
async fn calls_are_held_to_the_interface_that_was_told_last() {
    let bench = telling_bench().await;
    bench.tell(&["echo"]);
    bench.tell(&["say"]);
    let gone = refusal(bench.exec("echo", "[]"));
    assert_eq!(gone.kind(), FailureKind::FunctionNotFound);
    let answered = bench.exec("say", "[]");
    bench.pass(CLOCK_STEP).await;
    check(answered, "null");
    bench.check_offer(&["say"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_interface_stays_through_a_restart_and_is_not_changed_by_who_has_ended() {
    let bench = telling_bench().await;
    bench.tell(&["echo"]);
    let ended = bench.life();
    ended.end("as a test wants it");
    bench.pass_until_started(3).await;
    ended.sink.interface_changed(Interface::default());
    bench.check_offer(&["echo"]).await;
    bench.tell(&["say"]);
    bench.check_offer(&["say"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_put_in_the_place_of_another_has_told_nothing() {
    let bench = telling_bench().await;
    bench.tell(&["echo"]);
    let mut moved = telling("mod-1");
    moved.uri = Some("tcp://elsewhere.test".to_owned());
    apply(&bench, moved).await;
    assert_eq!(refusal(bench.exec("echo", "[]")).message(), NOT_TOLD);
}

/// A bench whose module tells its interface itself. It is the second that was started.
pub(super) async fn telling_bench() -> Bench {
    let bench = Bench::new().await;
    apply(&bench, telling("mod-1")).await;
    bench
}

pub(super) async fn apply(bench: &Bench, module: crate::model::Module) {
    let building = Building {
        modules: vec![module],
        ..building()
    };
    doubles::apply(&bench.core, building).await.unwrap();
    bench.pass(CLOCK_STEP).await;
}

impl Bench {
    /// The module tells that it has these of the scripted driver's functions.
    fn tell(&self, functions: &[&str]) {
        let mut interface = scripted_interface();
        let told = |name: &FunctionName| functions.contains(&name.as_str());
        interface.functions.retain(|name, _| told(name));
        self.life().sink.interface_changed(interface);
    }

    async fn check_offer(&self, functions: &[&str]) {
        let interface = self.core.queries.interface(&module("mod-1")).await.unwrap();
        let names: Vec<&str> = interface
            .functions
            .keys()
            .map(FunctionName::as_str)
            .collect();
        assert_eq!(names, functions);
    }
}
