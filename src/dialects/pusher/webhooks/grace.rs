//! Holds reports back that may be taken back, and drops those that say nothing new.
//!
//! Separate from the queues, because it comes before them: what has once been told is never taken back.
//!
//! - That a channel is vacated or a user has left waits for the grace; a come-back within it drops both.
//! - A further miss of one cache channel is dropped for a while.
//! - The count of a crowd is told now and then, the latest at the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::dialects::pusher::webhooks::limits::{
    CROWD, CROWD_INTERVAL, GRACE, HELD_MAX, MISS_WINDOW,
};
use crate::model::{Reported, Timestamp, TopicId, TopicReport};

/// When something that is held is looked at again, and which of those at that time it is.
type Turn = (Timestamp, u64);

/// What is held back.
#[derive(Debug, Default)]
pub(super) struct Grace {
    held: BTreeMap<Turn, Held>,
    turns: HashMap<(TopicId, About), Turn>,
    /// How often something was held, for an order among those of one time.
    count: u64,
}

#[derive(Debug)]
struct Held {
    topic: TopicId,
    about: About,
    /// What is told at its turn, if anything.
    report: Option<TopicReport>,
}

/// What something that is held is about. Of one topic there is one of each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum About {
    Vacated,
    Left(Arc<str>),
    Missed,
    Count,
}

impl Grace {
    /// Takes a report that has come at this moment. What is to be told by it is added to `told`.
    pub(super) fn take(
        &mut self,
        report: TopicReport,
        now: Timestamp,
        told: &mut Vec<TopicReport>,
    ) {
        match &report.what {
            Reported::Vacated => self.hold(About::Vacated, report, now),
            Reported::Left(user) => self.hold(About::Left(Arc::clone(user)), report, now),
            Reported::Occupied => self.come_back(&About::Vacated, report, told),
            Reported::Joined(user) => {
                let about = About::Left(Arc::clone(user));
                self.come_back(&about, report, told);
            }
            Reported::Missed => {
                if self.is_held(&report.topic, &About::Missed) {
                    return;
                }
                let topic = report.topic.clone();
                self.insert(topic, About::Missed, None, after(now, MISS_WINDOW));
                told.push(report);
            }
            Reported::Count(count) => {
                let count = *count;
                self.take_count(count, report, now, told);
            }
            Reported::Published { .. } => told.push(report),
        }
        while self.held.len() > HELD_MAX {
            self.release_first(now, told);
        }
    }

    /// Adds to `told` what has waited long enough.
    pub(super) fn release(&mut self, now: Timestamp, told: &mut Vec<TopicReport>) {
        while self.next().is_some_and(|due| due <= now) {
            self.release_first(now, told);
        }
    }

    /// When there is something to [release](Self::release).
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.held.keys().next().map(|(due, _)| *due)
    }

    fn hold(&mut self, about: About, report: TopicReport, now: Timestamp) {
        let topic = report.topic.clone();
        self.insert(topic, about, Some(report), after(now, GRACE));
    }

    /// Drops a going and this coming-back, where they are near each other; else tells both.
    fn come_back(&mut self, about: &About, report: TopicReport, told: &mut Vec<TopicReport>) {
        if let Some(held) = self.find(&report.topic, about) {
            let went = held.report.as_ref().map(|report| report.at);
            // By the times at which they happened: reports may come late, and then together.
            if went.is_some_and(|went| report.at < after(went, GRACE)) {
                self.remove(&report.topic, about);
                return;
            }
            self.release_before(&report, told);
        }
        told.push(report);
    }

    /// Tells all goings of a topic that were over when this happened, in their order.
    fn release_before(&mut self, report: &TopicReport, told: &mut Vec<TopicReport>) {
        let is_over = |held: &Held| {
            let going = held.report.as_ref().filter(|_| held.about.is_going());
            held.topic == report.topic
                && going.is_some_and(|going| after(going.at, GRACE) <= report.at)
        };
        let over = self.held.iter().filter(|(_, held)| is_over(held));
        let turns: Vec<Turn> = over.map(|(turn, _)| *turn).collect();
        for turn in turns {
            if let Some(held) = self.take_out(turn) {
                told.extend(held.report);
            }
        }
    }

    fn take_count(
        &mut self,
        count: u64,
        report: TopicReport,
        now: Timestamp,
        told: &mut Vec<TopicReport>,
    ) {
        let topic = report.topic.clone();
        let turn = self.turns.get(&(topic.clone(), About::Count));
        let held = turn.and_then(|turn| self.held.get_mut(turn));
        match (held, count > CROWD) {
            (Some(held), true) => held.report = Some(report),
            (Some(held), false) => {
                held.report = None;
                told.push(report);
            }
            (None, true) => {
                self.insert(topic, About::Count, None, after(now, CROWD_INTERVAL));
                told.push(report);
            }
            (None, false) => told.push(report),
        }
    }

    fn release_first(&mut self, now: Timestamp, told: &mut Vec<TopicReport>) {
        let Some(turn) = self.held.keys().next().copied() else {
            return;
        };
        let Some(held) = self.take_out(turn) else {
            return;
        };
        let Held {
            topic,
            about,
            report,
        } = held;
        if about == About::Count && report.is_some() {
            // A count that has just been told keeps the next from following at once.
            self.insert(topic, about, None, after(now, CROWD_INTERVAL));
        }
        told.extend(report);
    }

    fn is_held(&self, topic: &TopicId, about: &About) -> bool {
        self.find(topic, about).is_some()
    }

    fn find(&self, topic: &TopicId, about: &About) -> Option<&Held> {
        let turn = self.turns.get(&(topic.clone(), about.clone()))?;
        self.held.get(turn)
    }

    /// What is held of the same already is replaced.
    fn insert(
        &mut self,
        topic: TopicId,
        about: About,
        report: Option<TopicReport>,
        due: Timestamp,
    ) {
        self.remove(&topic, &about);
        self.count += 1;
        let turn = (due, self.count);
        self.turns.insert((topic.clone(), about.clone()), turn);
        let held = Held {
            topic,
            about,
            report,
        };
        self.held.insert(turn, held);
    }

    fn remove(&mut self, topic: &TopicId, about: &About) {
        let turn = self.turns.remove(&(topic.clone(), about.clone()));
        turn.and_then(|turn| self.held.remove(&turn));
    }

    fn take_out(&mut self, turn: Turn) -> Option<Held> {
        let held = self.held.remove(&turn)?;
        self.turns.remove(&(held.topic.clone(), held.about.clone()));
        Some(held)
    }
}

impl About {
    fn is_going(&self) -> bool {
        match self {
            Self::Vacated | Self::Left(_) => true,
            Self::Missed | Self::Count => false,
        }
    }
}

/// A moment this long after another.
pub(super) fn after(moment: Timestamp, pause: Duration) -> Timestamp {
    let micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
    Timestamp(moment.0.saturating_add(micros))
}
