//! The bodies of webhooks.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::{Reported, Timestamp, TopicReport, WebhookEvent};

/// An event of a body.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_count: Option<u64>,
}

/// A message as it is published.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
}

/// What a report is called.
pub(super) fn name(what: &Reported) -> WebhookEvent {
    match what {
        Reported::Occupied => WebhookEvent::ChannelOccupied,
        Reported::Vacated => WebhookEvent::ChannelVacated,
        Reported::Joined(_) => WebhookEvent::MemberAdded,
        Reported::Left(_) => WebhookEvent::MemberRemoved,
        Reported::Missed => WebhookEvent::CacheMiss,
        Reported::Published { .. } => WebhookEvent::ClientEvent,
        Reported::Count(_) => WebhookEvent::SubscriptionCount,
    }
}

/// A report as JSON; `None` for a message that is none of this dialect's.
pub(super) fn event(report: &TopicReport) -> Option<String> {
    let mut told = Told {
        name: name(&report.what).as_str(),
        channel: report.topic.channel(),
        event: None,
        data: None,
        socket_id: None,
        user_id: None,
        subscription_count: None,
    };
    let message: Message<'_>;
    match &report.what {
        Reported::Occupied | Reported::Vacated | Reported::Missed => {}
        Reported::Joined(user) | Reported::Left(user) => told.user_id = Some(user),
        Reported::Count(count) => told.subscription_count = Some(*count),
        Reported::Published { by, message: json } => {
            message = serde_json::from_str(json.as_str()).ok()?;
            told.event = Some(&message.event);
            told.data = message.data.as_deref();
            told.socket_id = Some(by.connection.to_string());
            told.user_id = by.user.as_deref();
        }
    }
    Some(serde_json::to_string(&told).expect("the shape has text keys"))
}

/// The body with these events, sent at this moment: receivers refuse one that is older than five minutes.
pub(super) fn body(events: &[&str], now: Timestamp) -> String {
    let milliseconds = now.0 / 1_000;
    format!(
        r#"{{"time_ms":{milliseconds},"events":[{}]}}"#,
        events.join(",")
    )
}
