//! Whose act a status is said to be that a module sets in a call, and that it sets by itself.

use super::*;
use crate::model::{Cause, Event};

#[tokio::test(start_paused = true)]
async fn a_status_that_a_call_sets_is_of_the_act_that_the_caller_names_and_of_their_user() {
    let bench = Bench::new().await;
    bench.bind("said");
    bench.say_in(Some(7), "[1]").await;
    let told = bench.causes();
    let [Cause::Act(act)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((act.id, act.user.as_deref()), (7, Some("user-1")));
}

#[tokio::test(start_paused = true)]
async fn a_call_for_which_no_act_is_named_begins_one_of_its_own() {
    let bench = Bench::new().await;
    bench.bind("said");
    for arguments in ["[1]", "[2]"] {
        bench.say_in(None, arguments).await;
    }
    let told = bench.causes();
    let [Cause::Act(one), Cause::Act(other)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_ne!(one.id, other.id);
}

#[tokio::test(start_paused = true)]
async fn what_a_module_sets_by_itself_is_of_no_act_also_while_a_call_waits() {
    let bench = Bench::new().await;
    bench.bind("said");
    let _answer = bench.exec("wait", "[]");
    bench.pass(CLOCK_STEP).await;
    bench.life().say("said", Some("1"));
    assert_eq!(bench.causes(), [Cause::Module]);
}

impl Bench {
    /// Calls the function that sets `said`, in this act.
    async fn say_in(&self, act: Option<u128>, arguments: &str) {
        let exec = ExecRequest {
            act,
            ..call("say", arguments)
        };
        let (answer, answered) = oneshot::channel();
        let slot = ReplySlot::caller(answer);
        self.core.calls.exec(&self.caller, exec, slot);
        answered.await.unwrap().unwrap();
    }

    /// The causes of the events since the last look.
    fn causes(&self) -> Vec<Cause> {
        let told = self.inbox.take().into_iter();
        told.map(|delivery| match delivery {
            Delivery::Event {
                event: Event::Value { cause, .. },
                ..
            } => cause,
            other @ (Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. }) => {
                panic!("not a value: {other:?}")
            }
        })
        .collect()
    }
}
