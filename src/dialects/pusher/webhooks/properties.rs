//! Whatever happens in channels, a receiver is told a story that can be true: in order, without a going that was taken back, and complete in the end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use crate::dialects::pusher::webhooks::grace::Grace;
use crate::dialects::pusher::webhooks::limits::GRACE;
use crate::model::{Reported, Timestamp, TopicId, TopicReport};

/// What can be done by a user in a channel, after a pause in milliseconds.
type Act = (u8, u8, bool, u64);

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let pause = prop_oneof![Just(0), 1..500_u64, 2_900..3_100_u64, 3_000..9_000_u64];
    prop::collection::vec((0..2_u8, 0..3_u8, any::<bool>(), pause), 0..60)
}

/// Who is in which channel; says what is reported of each coming and going.
#[derive(Default)]
struct Building(HashMap<TopicId, HashSet<u8>>);

fn topic(channel: u8) -> TopicId {
    TopicId::new(&format!("1/presence-{channel}")).unwrap()
}

fn name(user: u8) -> Arc<str> {
    format!("u-{user}").into()
}

impl Building {
    fn act(&mut self, channel: u8, user: u8, comes: bool) -> Vec<(TopicId, Reported)> {
        let topic = topic(channel);
        let users = self.0.entry(topic.clone()).or_default();
        let mut reports = Vec::new();
        if comes && users.insert(user) {
            if users.len() == 1 {
                reports.push(Reported::Occupied);
            }
            reports.push(Reported::Joined(name(user)));
        } else if !comes && users.remove(&user) {
            reports.push(Reported::Left(name(user)));
            if users.is_empty() {
                reports.push(Reported::Vacated);
            }
        }
        let reports = reports.into_iter().map(|what| (topic.clone(), what));
        reports.collect()
    }
}

/// What a receiver makes of what it is told. A thing that cannot be is a failure.
#[derive(Default)]
struct Receiver(HashMap<TopicId, HashSet<Arc<str>>>);

impl Receiver {
    fn take(&mut self, report: &TopicReport) {
        let topic = &report.topic;
        match &report.what {
            Reported::Occupied => {
                assert!(self.0.insert(topic.clone(), HashSet::new()).is_none());
            }
            Reported::Vacated => assert_eq!(self.0.remove(topic), Some(HashSet::new())),
            Reported::Joined(user) => {
                let users = self.0.get_mut(topic).expect("it was occupied before");
                assert!(users.insert(Arc::clone(user)), "{user} was there");
            }
            Reported::Left(user) => {
                let users = self.0.get_mut(topic).expect("it was not vacated before");
                assert!(users.remove(user), "{user} was not there");
            }
            Reported::Missed | Reported::Published { .. } | Reported::Count(_) => {
                panic!("nobody reported that");
            }
        }
    }
}

/// Plays a story; the reports come at once, or all in the end.
fn play(acts: &[Act], late: bool) -> Result<(), TestCaseError> {
    let (mut building, mut receiver) = (Building::default(), Receiver::default());
    let mut grace = Grace::default();
    let mut told = Vec::new();
    let end: u64 = acts.iter().map(|(.., pause)| *pause).sum();
    let mut happened = 0;
    for (channel, user, comes, pause) in acts {
        happened += pause;
        let now = Timestamp(if late { end } else { happened } * 1_000);
        if !late {
            grace.release(now, &mut told);
        }
        for (topic, what) in building.act(*channel, *user, *comes) {
            let at = Timestamp(happened * 1_000);
            grace.take(TopicReport { topic, at, what }, now, &mut told);
        }
    }
    let end = Timestamp(end * 1_000 + u64::try_from(GRACE.as_micros()).unwrap());
    grace.release(end, &mut told);
    prop_assert_eq!(grace.next(), None);
    for report in &told {
        receiver.take(report);
    }
    let there = building.0.iter().filter(|(_, users)| !users.is_empty());
    let there: HashMap<TopicId, HashSet<Arc<str>>> = there
        .map(|(topic, users)| {
            (
                topic.clone(),
                users.iter().map(|user| name(*user)).collect(),
            )
        })
        .collect();
    prop_assert_eq!(receiver.0, there);
    no_quick_return(&told)
}

/// No channel and no user goes and comes back within the grace.
fn no_quick_return(told: &[TopicReport]) -> Result<(), TestCaseError> {
    let mut gone: HashMap<(TopicId, Option<Arc<str>>), Timestamp> = HashMap::new();
    for report in told {
        let (who, comes) = match &report.what {
            Reported::Occupied => (None, true),
            Reported::Vacated => (None, false),
            Reported::Joined(user) => (Some(Arc::clone(user)), true),
            Reported::Left(user) => (Some(Arc::clone(user)), false),
            Reported::Missed | Reported::Published { .. } | Reported::Count(_) => continue,
        };
        let key = (report.topic.clone(), who);
        match comes {
            false => {
                gone.insert(key, report.at);
            }
            true => {
                let away = gone.remove(&key).map(|went| report.at.0 - went.0);
                let grace = u64::try_from(GRACE.as_micros()).unwrap();
                prop_assert!(away.is_none_or(|away| away >= grace), "{report:?}");
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_receiver_is_told_a_story_that_can_be_true(acts in acts()) {
        play(&acts, false)?;
    }

    #[test]
    fn reports_that_come_late_tell_the_same(acts in acts()) {
        play(&acts, true)?;
    }
}
