//! What holds whatever happens: a room has one name and a name one room, each subscription has its own answer,
//! and in the end a client is in the channels that it wants to be in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use crate::dialects::pusher::channel::Channel;
use crate::dialects::pusher::limits;
use crate::dialects::pusher::room::Room;
use crate::dialects::pusher::stage::Stage;
use crate::model::{
    BindingPath, BuildingView, ModuleIndex, ModuleName, ModulePath, StatusName, SystemId,
};

fn path() -> impl Strategy<Value = BindingPath> {
    // Short parts of few characters meet each other's marks more often.
    let part = || prop_oneof!["[a_.=1-]{1,4}", "\\PC{1,20}"];
    (part(), part(), 1..30_u32, part()).prop_map(|(system, module, index, status)| BindingPath {
        module: ModulePath {
            system: SystemId::new(&system).unwrap(),
            module: ModuleName::new(&module).unwrap(),
            index: ModuleIndex::new(index).unwrap(),
        },
        status: StatusName::new(&status).unwrap(),
    })
}

/// Something that a client does, or its end of the wait.
#[derive(Debug, Clone, Copy)]
enum Input {
    Subscribe(&'static str),
    Unsubscribe(&'static str),
    Hold,
    Release,
}

/// A public channel, one with members, and a room.
const CHANNELS: [&str; 3] = ["a", "presence-a", "private-cache-st.sys-1.Display_1.power"];

fn input() -> impl Strategy<Value = Input> {
    let channel = || prop::sample::select(CHANNELS.to_vec());
    prop_oneof![
        3 => channel().prop_map(Input::Subscribe),
        2 => channel().prop_map(Input::Unsubscribe),
        1 => Just(Input::Hold),
        1 => Just(Input::Release),
    ]
}

/// How often an event of this name came for a channel.
fn count(lines: &[String], event: &str, channel: &str) -> usize {
    let begin = format!(r#"S> {{"event":"{event}","channel":"{channel}","#);
    lines.iter().filter(|line| line.starts_with(&begin)).count()
}

proptest! {
    #[test]
    fn a_room_is_found_by_its_name_and_by_no_other(path in path(), other in path()) {
        let room = Room::Status(Arc::new(path.clone()));
        let name = room.channel();
        prop_assert!(Channel::named(&name).is_some(), "{}", name);
        prop_assert!(name.len() <= limits::ROOM_NAME_MAX_CHARS);
        if room.hashed_channel().is_none() {
            let found = Room::named(&name, &BuildingView::default());
            prop_assert_eq!(found, Some(Ok(room)));
        }
        let other_name = Room::Status(Arc::new(other.clone())).channel();
        prop_assert_eq!(name == other_name, path == other);
    }

    #[test]
    fn each_subscription_has_one_answer_and_the_last_wish_counts(
        inputs in prop::collection::vec(input(), 1..40)
    ) {
        let mut stage = Stage::open();
        let mut wanted = BTreeSet::new();
        let mut expected: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for input in inputs {
            match input {
                Input::Subscribe(channel) => {
                    let data = channel.starts_with("presence").then_some(r#"{"user_id":"u-7"}"#);
                    stage.subscribe(channel, data);
                    let (successes, errors) = expected.entry(channel).or_default();
                    if wanted.insert(channel) {
                        *successes += 1;
                    } else {
                        *errors += 1;
                    }
                }
                Input::Unsubscribe(channel) => {
                    stage.unsubscribe(channel);
                    if !wanted.remove(channel) {
                        expected.entry(channel).or_default().1 += 1;
                    }
                }
                Input::Hold => stage.hold(),
                Input::Release => stage.release(),
            }
        }
        stage.release();
        for (channel, (successes, errors)) in expected {
            let said = count(&stage.lines, "pusher_internal:subscription_succeeded", channel);
            let refused = count(&stage.lines, "pusher:error", channel);
            // What was given up while it waited need not have begun.
            prop_assert!(said <= successes, "{channel}: {:?}", stage.lines);
            prop_assert!(said > 0 || !wanted.contains(channel), "{channel}: {:?}", stage.lines);
            prop_assert_eq!(refused, errors, "{}: {:?}", channel, stage.lines);
        }
        prop_assert_eq!(stage.channels(), wanted.into_iter().map(str::to_owned).collect());
    }

    #[test]
    fn nothing_of_a_status_is_told_before_its_success_or_after_it_is_left(
        inputs in prop::collection::vec(input(), 1..30)
    ) {
        let channel = CHANNELS[2];
        let mut stage = Stage::open();
        stage.says("sys-1 Display_1", "power", "0");
        for (at, input) in inputs.into_iter().enumerate() {
            match input {
                Input::Subscribe(_) => stage.subscribe(channel, None),
                Input::Unsubscribe(_) => stage.unsubscribe(channel),
                Input::Hold => stage.hold(),
                Input::Release => stage.release(),
            }
            stage.says("sys-1 Display_1", "power", &at.to_string());
        }
        let mut is_in = false;
        for line in &stage.lines {
            if line.contains("subscription_succeeded") {
                prop_assert!(!is_in);
                is_in = true;
            } else if line.starts_with("unfollow> ") {
                is_in = false;
            } else if line.contains(r#""event":"status""#) {
                prop_assert!(is_in, "{:?}", stage.lines);
            }
        }
    }
}
