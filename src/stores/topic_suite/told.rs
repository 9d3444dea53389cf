//! What a node was told of topics and how its entries were answered, as texts in the order in which that happened.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::PATIENCE;
use crate::model::{Entered, Member, Occupancy, Reported, TopicEvent, TopicId, TopicReport, lock};
use crate::stores::{EnterError, TopicFeed};

/// Keeps what a store tells and answers, in its order.
#[derive(Debug, Default)]
pub(in crate::stores) struct Told {
    all: Mutex<Vec<(String, String)>>,
    came: Notify,
}

impl Told {
    fn all(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        lock(&self.all)
    }

    fn note(&self, topic: &str, text: String) {
        self.all().push((topic.to_owned(), text));
        self.came.notify_waiters();
    }

    /// An entry was answered.
    pub(in crate::stores) fn answered(
        &self,
        topic: &str,
        connection: u64,
        answer: Result<Entered, EnterError>,
    ) {
        self.note(topic, show_answer(connection, answer));
    }

    /// Everything of a topic.
    pub(in crate::stores) fn of(&self, topic: &str) -> Vec<String> {
        let all = self.all();
        let of_topic = all.iter().filter(|(of, _)| of == topic);
        of_topic.map(|(_, text)| text.clone()).collect()
    }

    /// Waits until this is true of what was told.
    pub(in crate::stores) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let came = self.came.notified();
                if is_so(self) {
                    return;
                }
                came.await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            let all = self.all();
            let latest: Vec<_> = all.iter().rev().take(20).collect();
            panic!("{what}: not told, but at last {latest:#?}");
        }
    }

    /// Waits until exactly this was told of a topic.
    pub(in crate::stores) async fn until_of(&self, topic: &str, expected: &[&str]) {
        let what = format!("{topic} {expected:?}");
        let is_so = |told: &Self| told.of(topic).len() >= expected.len();
        self.until(&what, is_so).await;
        assert_eq!(self.of(topic), expected);
    }

    /// Waits until this was told of a topic, after whatever else.
    pub(in crate::stores) async fn until_last(&self, topic: &str, expected: &str) {
        let what = format!("{topic} {expected:?}");
        let is_so = |told: &Self| told.of(topic).last().is_some_and(|text| text == expected);
        self.until(&what, is_so).await;
    }
}

impl TopicFeed for Told {
    fn happened(&self, topic: &TopicId, event: TopicEvent) {
        self.note(topic.as_str(), show_event(&event));
    }
}

fn show_event(event: &TopicEvent) -> String {
    match event {
        TopicEvent::Message { message, except } => {
            let except = except.map(|except| format!(" except {except}"));
            format!("message {}{}", message.as_str(), except.unwrap_or_default())
        }
        TopicEvent::Joined { member, by } => {
            let by = by.map_or_else(|| "unknown".to_owned(), |by| by.to_string());
            format!("joined {} by {by}", show_member(member))
        }
        TopicEvent::Left { user } => format!("left {user}"),
        TopicEvent::Count(count) => format!("count {count}"),
    }
}

fn show_answer(connection: u64, answer: Result<Entered, EnterError>) -> String {
    let Entered {
        members,
        last,
        connections,
    } = match answer {
        Ok(entered) => entered,
        Err(error) => return format!("{connection} out: {error:?}"),
    };
    let mut text = format!("{connection} in of {connections}");
    if !members.is_empty() {
        let members: Vec<String> = members.iter().map(show_member).collect();
        text.push_str(&format!(", with {}", members.join(" ")));
    }
    if let Some(last) = last {
        text.push_str(&format!(", last {}", last.as_str()));
    }
    text
}

fn show_member(member: &Member) -> String {
    let info = member.info.as_ref();
    let info = info.map(|info| format!("={}", info.as_str()));
    format!("{}{}", member.user, info.unwrap_or_default())
}

pub(super) fn show_occupancy(occupancy: Occupancy) -> String {
    format!("{}/{}", occupancy.connections, occupancy.users)
}

pub(super) fn show_report(report: &TopicReport) -> String {
    let what = match &report.what {
        Reported::Occupied => "occupied".to_owned(),
        Reported::Vacated => "vacated".to_owned(),
        Reported::Joined(user) => format!("joined {user}"),
        Reported::Left(user) => format!("left {user}"),
        Reported::Missed => "missed".to_owned(),
        Reported::Published { by, message } => {
            let user = by.user.as_ref().map(|user| format!(" as {user}"));
            let user = user.unwrap_or_default();
            format!("{} by {}{user}", message.as_str(), by.connection)
        }
        Reported::Count(count) => format!("count {count}"),
    };
    format!("{}: {what}", report.topic)
}
