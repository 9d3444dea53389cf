//! Writes conditions as JSON that is read as the same conditions.

use driver_types::JsonText;

use super::super::steps::{object, text};
use super::{Condition, Conditions, EventSource, WebhookKey};
use crate::model::{MASK, Secret, Timestamp};

/// What is written of a secret.
type Show = fn(&Secret) -> &str;

impl Conditions {
    /// The same as JSON, with the secrets.
    pub fn json(&self) -> JsonText {
        self.written(Secret::expose)
    }

    /// The same as JSON, without the secrets.
    pub fn shown(&self) -> JsonText {
        self.written(|_| MASK)
    }

    fn written(&self, show: Show) -> JsonText {
        let conditions = self.0.iter();
        let conditions: Vec<JsonText> = conditions
            .map(|condition| written(condition, show))
            .collect();
        JsonText::of(&conditions).expect("a list of JSON is JSON")
    }
}

fn written(condition: &Condition, show: Show) -> JsonText {
    match condition {
        Condition::Status {
            path,
            is,
            than,
            lasts,
        } => {
            let mut members = vec![
                ("status", text(path.as_str())),
                ("is", text(is.as_str())),
                ("than", than.clone()),
            ];
            if !lasts.get().is_zero() {
                members.push(("for", text(&lasts.to_string())));
            }
            object(members)
        }
        Condition::Event { name, data, from } => {
            let mut members = vec![("event", text(name))];
            if *data != JsonText::empty_object() {
                members.push(("data", data.clone()));
            }
            match from {
                EventSource::Trusted => {}
                EventSource::Anyone => members.push(("from", text("anyone"))),
            }
            object(members)
        }
        Condition::Cron { cron, timezone } => {
            let mut members = vec![("cron", text(cron.as_str()))];
            members.extend(timezone.as_deref().map(|zone| ("timezone", text(zone))));
            object(members)
        }
        Condition::At(moment) => object([("at", text(&moment_text(*moment)))]),
        Condition::Webhook(key) => {
            let key = match key {
                WebhookKey::Secret(secret) => ("secret", text(show(secret))),
                WebhookKey::Headers(headers) => ("header", headers.written(show)),
            };
            object([("webhook", JsonText::boolean(true)), key])
        }
    }
}

/// In UTC, as it is read again.
fn moment_text(moment: Timestamp) -> String {
    let micros = i64::try_from(moment.0).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_microsecond(micros);
    moment.unwrap_or(jiff::Timestamp::MAX).to_string()
}
