//! What holds whatever happens: a message comes once and in the order of its service, none before its subscription or behind its end,
//! none is marked as read that the client has not got, and in the end the client has all.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use crate::dialects::pushjet::stage::{Held, Stage, message, service};
use crate::model::FailureKind;

/// Something that happens.
#[derive(Debug, Clone, Copy)]
enum Input {
    Send(char),
    SendUnheard(char),
    Subscribe(char),
    Unsubscribe(char),
    Missed,
    Got,
    Hold(Held),
    Release,
    Fail(FailureKind),
    Ring,
    Show(char),
    Hide(char),
}

fn input() -> impl Strategy<Value = Input> {
    let letter = || prop::sample::select(vec!['a', 'b', 'c']);
    let held = prop::sample::select(vec![Held::Early, Held::Late]);
    let kind = prop::sample::select(vec![FailureKind::Busy, FailureKind::Unavailable]);
    prop_oneof![
        8 => letter().prop_map(Input::Send),
        2 => letter().prop_map(Input::SendUnheard),
        3 => letter().prop_map(Input::Subscribe),
        2 => letter().prop_map(Input::Unsubscribe),
        1 => Just(Input::Missed),
        6 => Just(Input::Got),
        1 => held.prop_map(Input::Hold),
        2 => Just(Input::Release),
        1 => kind.prop_map(Input::Fail),
        2 => Just(Input::Ring),
        1 => letter().prop_map(Input::Show),
        1 => Just('c').prop_map(Input::Hide),
    ]
}

/// What happens to a device of which somebody else is a listener too.
#[derive(Debug, Clone, Copy)]
enum Busy {
    Happens(Input),
    ReadElsewhere,
}

fn busy_input() -> impl Strategy<Value = Busy> {
    let letter = prop::sample::select(vec!['a', 'b']);
    let held = prop::sample::select(vec![Held::Early, Held::Late]);
    prop_oneof![
        4 => letter.prop_map(|letter| Busy::Happens(Input::Send(letter))),
        2 => Just(Busy::Happens(Input::Got)),
        2 => Just(Busy::ReadElsewhere),
        1 => Just(Busy::Happens(Input::Missed)),
        1 => held.prop_map(|how| Busy::Happens(Input::Hold(how))),
        2 => Just(Busy::Happens(Input::Release)),
    ]
}

fn perform(stage: &mut Stage, input: Input, number: usize) {
    let text = format!("m{number}");
    match input {
        Input::Send(letter) => {
            let notice = message(letter, 0, &text).notice.clone();
            stage.send(letter, notice);
        }
        Input::SendUnheard(letter) => stage.send_unheard(letter, &text),
        Input::Subscribe(letter) => stage.subscribe(letter),
        Input::Unsubscribe(letter) => stage.unsubscribe(letter),
        Input::Missed => stage.missed(),
        Input::Got => drop(stage.got()),
        Input::Hold(how) => stage.hold(how),
        Input::Release => stage.release(),
        Input::Fail(kind) => stage.fail_next(kind),
        Input::Ring => stage.ring(),
        Input::Show(letter) => stage.set_service(letter, Some("Shown")),
        Input::Hide(letter) => stage.set_service(letter, None),
    }
}

/// Everything is answered, told and confirmed.
fn settle(stage: &mut Stage) {
    for letter in ['a', 'b', 'c'] {
        stage.set_service(letter, Some("Shown"));
    }
    stage.missed();
    stage.release();
    stage.ring();
    for _ in 0..40 {
        stage.release();
        stage.ring();
        stage.got();
    }
}

/// The messages among frames, each as the letter of its service and its text.
fn messages(lines: &[String]) -> Vec<(String, String)> {
    let frames = lines.iter().filter_map(|line| line.strip_prefix("S> "));
    let frames = frames.map(|frame| serde_json::from_str::<Value>(frame).unwrap());
    let messages = frames.filter(|frame| frame["message"].is_object());
    messages
        .map(|frame| {
            let message = &frame["message"];
            let public = message["service"]["public"].as_str().unwrap();
            let text = message["message"].as_str().unwrap();
            (public[..1].to_owned(), text.to_owned())
        })
        .collect()
}

proptest! {
    /// That nothing is marked which the client has not got, the store on the stage looks at.
    #[test]
    fn each_message_comes_once_in_order_and_none_is_lost(
        inputs in prop::collection::vec(input(), 1..60)
    ) {
        let mut stage = Stage::listening();
        let mut numbers = BTreeMap::new();
        let mut since: BTreeMap<char, usize> = BTreeMap::new();
        for (number, input) in inputs.iter().enumerate() {
            match input {
                Input::Send(letter) | Input::SendUnheard(letter) => {
                    numbers.insert(format!("m{number}"), (*letter, number));
                }
                Input::Subscribe(letter) => {
                    since.entry(*letter).or_insert(number);
                }
                Input::Unsubscribe(letter) => drop(since.remove(letter)),
                Input::Missed
                | Input::Got
                | Input::Hold(_)
                | Input::Release
                | Input::Fail(_)
                | Input::Ring
                | Input::Show(_)
                | Input::Hide(_) => {}
            }
            perform(&mut stage, *input, number);
        }
        // A question that fails now would be asked again later, which is looked at already.
        stage.fail_next(FailureKind::Busy);
        settle(&mut stage);
        let came = messages(&stage.lines);
        let once: BTreeSet<&String> = came.iter().map(|(_, text)| text).collect();
        prop_assert_eq!(once.len(), came.len(), "{:?}", stage.lines);
        for letter in ["a", "b", "c"] {
            let of_it = came.iter().filter(|(service, _)| service == letter);
            let order: Vec<usize> = of_it.map(|(_, text)| numbers[text].1).collect();
            prop_assert!(order.is_sorted(), "{letter}: {order:?} {:?}", stage.lines);
        }
        for (text, (letter, number)) in &numbers {
            let is_due = since.get(letter).is_some_and(|since| since < number);
            // Whole parts of a service that is nowhere are passed over.
            let may_be_lost = *letter == 'c';
            prop_assert!(
                !is_due || may_be_lost || once.contains(text),
                "{text} of {letter} is lost: {:?}", stage.lines
            );
        }
        let unread = stage.store.unread();
        prop_assert!(unread.is_empty(), "{unread:?} {:?}", stage.lines);
    }

    #[test]
    fn what_is_sent_while_a_listener_is_there_comes_whoever_reads_it_elsewhere(
        inputs in prop::collection::vec(busy_input(), 1..60)
    ) {
        let mut stage = Stage::listening();
        stage.subscribe('a');
        stage.subscribe('b');
        let mut sent = Vec::new();
        for (number, input) in inputs.into_iter().enumerate() {
            if let Busy::Happens(Input::Send(letter)) = input {
                sent.push((letter.to_string(), format!("m{number}")));
            }
            match input {
                Busy::Happens(input) => perform(&mut stage, input, number),
                Busy::ReadElsewhere => stage.store.read_elsewhere(),
            }
        }
        settle(&mut stage);
        prop_assert_eq!(messages(&stage.lines), sent, "{:?}", stage.lines);
    }

    #[test]
    fn nothing_comes_before_a_subscription_or_behind_its_end(
        inputs in prop::collection::vec(input(), 1..60)
    ) {
        let mut stage = Stage::listening();
        for (number, input) in inputs.into_iter().enumerate() {
            stage.lines.clear();
            perform(&mut stage, input, number);
            for (letter, text) in messages(&stage.lines) {
                let key = service(letter.chars().next().unwrap(), "").key;
                prop_assert!(stage.store.is_subscribed(&key), "{text} of {letter}");
            }
        }
    }

    #[test]
    fn in_the_end_the_client_knows_what_the_device_is_subscribed_to(
        inputs in prop::collection::vec(input(), 1..60)
    ) {
        let mut stage = Stage::listening();
        for (number, input) in inputs.into_iter().enumerate() {
            perform(&mut stage, input, number);
        }
        settle(&mut stage);
        let mut known = BTreeSet::new();
        for line in &stage.lines {
            let Some(frame) = line.strip_prefix("S> {\"subscription\"") else {
                continue;
            };
            let frame: Value = serde_json::from_str(&format!("{{\"subscription\"{frame}")).unwrap();
            let subscription = &frame["subscription"];
            let public = subscription["service"]["public"].as_str().unwrap().to_owned();
            match subscription["active"].as_bool() {
                Some(true) => prop_assert!(known.insert(public), "{:?}", stage.lines),
                _ => prop_assert!(known.remove(&public), "{:?}", stage.lines),
            }
        }
        for letter in ['a', 'b', 'c'] {
            let key = service(letter, "").key;
            let is_subscribed = stage.store.is_subscribed(&key);
            prop_assert_eq!(known.contains(key.as_str()), is_subscribed, "{:?}", stage.lines);
        }
    }
}
